"""signloom score, as a user calls it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
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
    report = json.loads(capsys.readouterr().out)
    metrics = report["metrics"]
    assert [m["name"] for m in metrics] == [
        "BLEU-1",
        "BLEU-2",
        "BLEU-3",
        "BLEU-4",
        "chrF2",
        "chrF++",
        "rougeL(slt,beta=1.2)",
        "CIDEr-D",
        "content-F1",
        "repetition-2",
    ]
    fields = ["name", "value", "signature", "n", "excluded", "ci95"]
    assert all(list(m) == fields for m in metrics if m["name"] != "CIDEr-D")
    assert next(m for m in metrics if m["name"] == "CIDEr-D")["unit"] == ""
    assert list(report["baselines"]) == [
        "shuffled input",
        "most frequent sentence",
        "constant words",
        "copy-template",
    ]
    assert report["baselines_from"] == "the references themselves"
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


# Alignment


def vtt(path: Path, times: Sequence[tuple[float, float]], texts: Sequence[str] = ()) -> Path:
    def stamp(seconds: float) -> str:
        return f"00:{int(seconds // 60):02}:{seconds % 60:06.3f}"

    texts = texts or [f"cue {number}" for number in range(len(times))]
    blocks = [
        f"{stamp(a)} --> {stamp(b)}\n{text}\n" for (a, b), text in zip(times, texts, strict=True)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("WEBVTT\n\n" + "\n".join(blocks), encoding="utf-8")
    return path


TRUE = [(10.0, 12.0), (13.0, 15.0), (20.0, 23.0)]
NEAR = [(10.2, 12.2), (13.0, 14.5), (25.0, 28.0)]
SPOKEN = [(7.0, 9.0), (10.0, 12.0), (17.0, 20.0)]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two episodes as simulate writes them, and an aligner's output for them."""
    for name in ("7", "12"):
        vtt(tmp_path / "ref" / f"{name}.signing.vtt", TRUE)
        vtt(tmp_path / "ref" / f"{name}.speech.vtt", SPOKEN)
        (tmp_path / "ref" / f"{name}.json").write_text("{}")
    vtt(tmp_path / "hyp" / "7.vtt", TRUE)
    vtt(tmp_path / "hyp" / "12.aligned.vtt", NEAR)
    vtt(tmp_path / "hyp" / "12.vtt", SPOKEN)
    return tmp_path / "hyp", tmp_path / "ref"


def test_alignment_of_folders_in_json(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert score("--task", "alignment", "--hyp", folders[0], "--ref", folders[1], "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    metrics = {m["name"]: m for m in shown["metrics"]}
    assert metrics["F1@.50"]["value"] == pytest.approx(100 * 5 / 6, abs=1e-3)
    assert (metrics["F1@.50"]["n"], metrics["F1@.50"]["episodes"]) == (6, 2)
    assert metrics["start offset median"]["unit"] == "s"
    assert shown["episodes"] == [
        {"name": "12", "n": 3, "f1_50": 66.6667},
        {"name": "7", "n": 3, "f1_50": 100},
    ]
    # The speech beside the truth is the input timing, 3 s early.
    assert {m["value"] for m in shown["baselines"]["input timing"] if "F1" in m["name"]} == {0}
    assert {m["value"] for m in shown["baselines"]["linear stretch (oracle)"]} == {0, 100}


def test_alignment_of_two_files_as_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hyp = vtt(tmp_path / "aligned.vtt", NEAR)
    ref = vtt(tmp_path / "truth.vtt", TRUE, ["one", "cue 1", "two [NOT SURE WHERE]"])
    prior = vtt(tmp_path / "speech.vtt", SPOKEN)
    files = ("--hyp", hyp, "--ref", ref, "--prior", prior)
    assert score("--task", "alignment", *files, "--overlap", "midpoint", "--variant", "sea") == 0
    shown, notices = capsys.readouterr()
    assert "2 cues in 1 episode, 1 bracketed left out; no interval: it resamples" in shown
    assert "protocol:sea|fps:25|overlap:midpoint|tail:10s" in shown
    assert re.search(r"start offset mean +0\.10 s   –\n", shown)
    rows = {line.split("  ")[0]: line.split()[-1] for line in shown.splitlines() if line}
    assert rows["hypothesis"] == rows["linear stretch (oracle)"] == "100.0"
    assert rows["nothing placed"] == rows["input timing"] == "0.0"
    assert "the text of 1 of 3 cues is not that of the truth, first in cue 1 of episode" in notices
    assert "('cue 0', in the truth 'one')" in notices


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("more cues", "12.aligned.vtt has 1 cues but "),
        ("no hypothesis", "hyp has no subtitle file for '7'; files pair by their name"),
        ("no truth", "ref has no subtitle file for '7'; files pair by their name"),
        ("two", "episode '7' has 2 files in .*hyp that could be meant .'7.aligned.srt', '7.ali"),
        ("file", "--ref names a folder but --hyp does not"),
        ("same", "signing.vtt is both hypothesis and truth of episode '12'"),
        ("none", "hyp holds the true subtitles of no episode"),
    ],
)
def test_episodes_that_do_not_pair_are_named(
    folders: tuple[Path, Path], change: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    hyp, ref = folders
    if change == "more cues":
        vtt(hyp / "12.aligned.vtt", NEAR[:1])
    elif change == "no hypothesis":
        (hyp / "7.vtt").unlink()
    elif change == "no truth":
        (ref / "7.signing.vtt").unlink()
    elif change == "two":
        vtt(hyp / "7.aligned.vtt", TRUE)
        vtt(hyp / "7.aligned.srt", TRUE)
    elif change == "file":
        hyp = hyp / "7.vtt"
    elif change == "same":
        hyp = ref
    else:
        for path in hyp.iterdir():
            path.unlink()
        ref = hyp
    assert score("--task", "alignment", "--hyp", hyp, "--ref", ref) == 2
    assert re.search(message, capsys.readouterr().err)


def test_an_unreadable_hypothesis_is_an_error_and_no_zero(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (folders[0] / "7.vtt").write_bytes(b"\x00\x01 no subtitles")
    assert score("--task", "alignment", "--hyp", folders[0], "--ref", folders[1]) == 4
    assert "7.vtt" in capsys.readouterr().err


def test_input_timing_that_is_there_for_some_is_said_to_be_left_out(
    folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    hyp, ref = folders
    (ref / "7.speech.vtt").unlink()
    assert score("--task", "alignment", "--hyp", hyp, "--ref", ref, "--json") == 0
    shown, notices = capsys.readouterr()
    assert list(json.loads(shown)["baselines"]) == ["nothing placed"]
    assert "has no .speech. file for '7', so the input timing is not among" in notices


def test_options_of_another_task_are_refused(
    pair: tuple[Path, Path], folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for option in (["--tokenize", "zh"], ["--stop-words", "none"], ["--lowercase"]):
        files = ("--hyp", folders[0], "--ref", folders[1])
        assert score("--task", "alignment", *files, *option) == 2
        told = capsys.readouterr().err
        assert f"{' '.join(option)} goes with --task translation" in told
        assert "got --task alignment, which compares times" in told
    files = ("--hyp", pair[0], "--ref", pair[1])
    assert score("--task", "recognition", *files, "--overlap", "later") == 2
    assert "--overlap later goes with --task alignment, got" in capsys.readouterr().err
