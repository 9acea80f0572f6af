"""signloom check: what it prints, as text and as JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.pose.files import write_pose


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(["check", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for n in range(30):
        points = rng.random((25, 42, 3)).astype(np.float32)
        write_pose(
            PoseClip(points, np.ones((25, 42), np.float32), 25.0, HANDS42), tmp_path / f"{n}.pose"
        )
    rows = [f"{n}.pose\tText {n}.\t{'dev' if n > 25 else 'train'}\tanna" for n in range(30)]
    (tmp_path / "m.tsv").write_text("path\ttext\tsplit\tsigner\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_warnings_alone_are_exit_code_0(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder / "m.tsv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("m.tsv: train 26, dev 4 samples, 750 frames")
    assert lines[1].startswith("warning: signer across splits: signer 'anna' is in train, dev")
    assert lines[2].startswith("    train/0, train/1, ")
    assert lines[2].endswith("… and 20 more")
    assert lines[3] == "0 errors, 1 warning, 0 for information"


def test_errors_are_exit_code_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in range(15):
        (folder / f"{n}.pose").unlink()
    before = sorted(folder.iterdir())
    assert run(folder / "m.tsv") == 3
    told = capsys.readouterr()
    shown = [line for line in told.out.splitlines() if line.startswith("error: missing clip: ")]
    assert len(shown) == 10
    assert "missing clip: 5 more of these; --json lists them all" in told.out
    assert "15 errors, 1 warning, 0 for information; the errors are named above" in told.err
    assert run(folder / "m.tsv", "--json") == 3
    report = json.loads(capsys.readouterr().out)
    assert (report["errors"], report["warnings"], report["clean"]) == (15, 1, False)
    assert [f["samples"] for f in report["findings"][:2]] == [["line 2"], ["line 3"]]
    assert sorted(folder.iterdir()) == before, "it reports and never edits"


def test_a_store_is_checked_as_its_manifest_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["prepare", "manifest", str(folder / "m.tsv"), "-o", str(folder / "s")])
    capsys.readouterr()
    assert run(folder / "s", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert [f["kind"] for f in report["findings"]] == ["signer across splits"]
    assert report["splits"] == {"train": 26, "dev": 4}


def test_what_is_none_of_both(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 2
    assert "is neither a store nor a manifest" in capsys.readouterr().err
    (folder / "n.tsv").write_text("path\tsplit\n")
    assert run(folder / "n.tsv") == 3
    assert "n.tsv has no column 'text'" in capsys.readouterr().err
