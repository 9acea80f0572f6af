"""signloom recognize, and signloom evaluate with a recogniser."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.cli.recognize import shown
from signloom.corpora.store import StoreWriter
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample
from signloom.inference.recognize import Calibration, Candidate, Recognition
from signloom.methods.isolated import PRESETS, build
from signloom.pose.files import write_pose
from signloom.training.checkpoint import read_checkpoint, save_checkpoint
from tests.extract.videos import coded, write_video

GLOSSES = ["book", "drink", "mother", "tree", "yes", "zoo"]


def clip_of(seed: int, origin: str = SIMULATED) -> PoseClip:
    rng = np.random.default_rng(seed)
    points = (rng.random((12, 42, 3)) * (640, 480, 0)).astype(np.float32)
    return PoseClip(
        points,
        np.ones((12, 42), np.float32),
        25.0,
        HANDS42,
        f"clip-{seed}",
        Origin(origin),
        (640, 480),
    )


def checkpoint_of(folder: Path, threshold: float, simulated_only: bool = True) -> Path:
    """A random tiny recogniser whose calibration is as given."""
    model = build(PRESETS["tiny"], GLOSSES, seed=1)
    model.calibration = Calibration(2.0, threshold, 50, 9.0, 3.0)
    config = {**model.described(), "name": "tiny-random", "simulated_only": simulated_only}
    save_checkpoint(folder, config, model)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(tmp_path_factory.mktemp("model") / "tiny", -1e9)


def command(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([*map(str, arguments)])
    code = stop.value.code
    return code if isinstance(code, int) else 0


def test_pose_files_to_json_and_to_a_table(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(2):
        write_pose(clip_of(i), tmp_path / f"{i}.pose")
    files = [tmp_path / "0.pose", tmp_path / "1.pose"]
    assert command("recognize", *files, "--model", checkpoint, "--top", 3, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["input"] for each in found] == [str(file) for file in files]
    for each in found:
        chances = [candidate["probability"] for candidate in each["candidates"]]
        assert len(chances) == 3
        assert chances == sorted(chances, reverse=True)
        assert 0 < sum(chances) < 1
        assert {candidate["gloss"] for candidate in each["candidates"]} < set(GLOSSES)
        assert each["known"] is True
    assert command("recognize", files[0], "--model", checkpoint, "--top", 2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(str(files[0]))
    assert lines[0].endswith("%")


def test_a_clip_below_the_threshold_is_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = checkpoint_of(tmp_path / "model", 1e9)
    write_pose(clip_of(0), tmp_path / "0.pose")
    assert command("recognize", tmp_path / "0.pose", "--model", model, "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["known"] is False
    assert command("recognize", tmp_path / "0.pose", "--model", model, "--top", 1) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split()[1] == "unknown"
    assert second.split()[0] == entry["candidates"][0]["gloss"]


def test_the_table_aligns_inputs_and_glosses() -> None:
    sure = Recognition((Candidate("book", 0.91), Candidate("tree", 0.05)))
    assert shown([("a.pose", sure), ("bb.pose", Recognition((Candidate("no", 0.2),), False))]) == (
        "a.pose   book      91.0 %\n"
        "         tree       5.0 %\n"
        "bb.pose  unknown\n"
        "         no        20.0 %"
    )
    arabic = Recognition((Candidate("بيت", 0.5), Candidate("house", 0.25)))
    assert shown([("a", arabic)]) == "a  \u2068بيت\u2069     50.0 %\n   house   25.0 %"


def test_real_signing_is_refused_and_what_fails_does_not_stop_the_rest(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pose(clip_of(0, "mediapipe-holistic"), tmp_path / "real.pose")
    write_pose(clip_of(1), tmp_path / "simulated.pose")
    both = (tmp_path / "real.pose", tmp_path / "simulated.pose")
    assert command("recognize", *both, "--model", checkpoint, "--json") == 5
    captured = capsys.readouterr()
    assert "real.pose is not simulated signing" in captured.err
    assert [each["input"] for each in json.loads(captured.out)] == [str(both[1])]
    assert command("recognize", *both, "--model", checkpoint, "--json", "--allow-simulated") == 0
    assert len(json.loads(capsys.readouterr().out)) == 2
    video = tmp_path / "video.mp4"
    write_video(video, coded(range(3)))
    assert command("recognize", video, "--model", checkpoint) == 5
    assert "not simulated signing" in capsys.readouterr().err


def test_what_is_no_recogniser_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pose(clip_of(0), tmp_path / "0.pose")
    monkeypatch.setattr("signloom.inference.recognize.BUNDLED", tmp_path / "none")
    assert command("recognize", tmp_path / "0.pose") == 2
    assert "has no bundled recogniser" in capsys.readouterr().err
    assert command("recognize", tmp_path / "0.pose", "--model", "bundled") == 2
    assert "recognises no single signs" in capsys.readouterr().err


def test_evaluate_scores_a_recogniser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = checkpoint_of(tmp_path / "model", -1e9)
    with StoreWriter(tmp_path / "store", HANDS42) as writer:
        for i, gloss in enumerate(GLOSSES * 2):
            writer.add(Sample(f"s{i}", clip_of(i), gloss), "train" if i < 6 else "test")
    out = tmp_path / "scores.json"
    arguments = ("evaluate", model, tmp_path / "store", "--split", "test", "-o", out)
    assert command(*arguments, "--record") == 0
    report = json.loads(out.read_text())
    assert [m["name"] for m in report["metrics"]] == [
        "top-1", "top-5", "top-1-class", "top-5-class",
    ]  # fmt: skip
    assert (report["n"], report["unknown"], report["baselines_from"]) == (6, 0, "train split")
    assert list(report["baselines"]) == ["shuffled input", "most frequent glosses"]
    said = capsys.readouterr().out
    assert "simulated signing: an instrument" in said
    assert "6 clips; interval" in said
    lines = [json.loads(x) for x in Path(report["predictions"]).read_text().splitlines()]
    right = sum(line["hypothesis"] == line["reference"] for line in lines)
    assert report["metrics"][0]["value"] == pytest.approx(100 * right / 6, abs=1e-3)
    assert read_checkpoint(model).config["metrics"]["metrics"] == report["metrics"]
    assert command(*arguments, "--overwrite", "--beam", 3) == 2
    assert "recognises single signs: it has no --beam" in capsys.readouterr().err
