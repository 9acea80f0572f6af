"""signloom score, as a user calls it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from signloom.cli.main import main
from signloom.cli.score import read_lines
from signloom.errors import MediaError


def score(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["score", *map(str, arguments)])
    code = stop.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    hyp, ref = tmp_path / "hyp.txt", tmp_path / "ref.txt.gz"
    hyp.write_text("a cold\u2028day\nrain\n", encoding="utf-8")
    ref.write_bytes(gzip.compress("a cold\u2028day\r\nrain".encode()))
    return hyp, ref


def test_json_of_a_translation(pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert score("--task", "translation", "--hyp", pair[0], "--ref", pair[1], "--json") == 0
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert [m["name"] for m in metrics] == [
        "BLEU-1",
        "BLEU-2",
        "BLEU-3",
        "BLEU-4",
        "chrF2",
        "content-F1",
    ]
    assert all(list(m) == ["name", "value", "signature", "n", "excluded", "ci95"] for m in metrics)
    assert metrics[0]["value"] == 100
    assert metrics[0]["n"] == 2


def test_the_table_shows_value_interval_and_signature(
    pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("--task", "recognition", "--hyp", pair[0], "--ref", pair[1]) == 0
    shown = capsys.readouterr().out
    assert "WER              0.00   0.00 – 0.00" in shown
    assert "costs:1/1/1" in shown


def test_unequal_line_counts_are_refused_with_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hyp").write_text("one\ntwo\n\n")
    (tmp_path / "ref").write_text("one\n")
    files = ("--hyp", tmp_path / "hyp", "--ref", tmp_path / "ref")
    assert score("--task", "translation", *files) == 2
    message = capsys.readouterr().err
    assert "has 3 lines" in message
    assert "has 1;" in message


def test_tokenize_is_refused_for_recognition(
    pair: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files = ("--hyp", pair[0], "--ref", pair[1])
    assert score("--task", "recognition", *files, "--tokenize", "zh") == 2
    assert "--tokenize zh goes with --task translation" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fine\n\xff\xfe", "not UTF-8 text .byte 5 is 0xff."),
        (gzip.compress(b"a sentence\n" * 99, mtime=0)[:-12], "gzip file that breaks off"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "hyp.txt").write_bytes(content)
    with pytest.raises(MediaError, match=message):
        read_lines(tmp_path / "hyp.txt")
    with pytest.raises(MediaError, match=r"gone\.txt cannot be read: No such file"):
        read_lines(tmp_path / "gone.txt")
