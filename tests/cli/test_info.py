"""signloom info on each kind of thing, and on what is none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from signloom.cli.main import main
from signloom.corpora.store import StoreWriter
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample
from signloom.pose.files import write_pose
from signloom.training.checkpoint import save_checkpoint


def info(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["info", *map(str, arguments)])
    return int(stop.value.code or 0)


def described(capsys: pytest.CaptureFixture[str], path: object) -> dict[str, Any]:
    assert info(path, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert info(path) == 0
    assert str(path) in capsys.readouterr().out
    return found


@pytest.fixture
def clip() -> PoseClip:
    """Ten frames; the left hand is seen in four."""
    confidence = np.ones((10, 42), np.float32)
    confidence[4:, :21] = 0
    points = np.ones((10, 42, 3), np.float32)
    origin = Origin(SIMULATED, "0.1.0", {"seed": 3})
    return PoseClip(points, confidence, 25.0, HANDS42, "word-3", origin, (640, 480))


def test_a_pose_file(tmp_path: Path, clip: PoseClip, capsys: pytest.CaptureFixture[str]) -> None:
    write_pose(clip, tmp_path / "a.pose")
    assert described(capsys, tmp_path / "a.pose") == {
        "kind": "pose",
        "file": str(tmp_path / "a.pose"),
        "id": "word-3",
        "layout": "hands42",
        "keypoints": 42,
        "parts": {"left_hand": 21, "right_hand": 21},
        "depth": "relative",
        "frames": 10,
        "fps": 25.0,
        "duration": 0.4,
        "size": [640, 480],
        "version": "0.2",
        "people": 1,
        "seen": {"left_hand": 0.4, "right_hand": 1.0},
        "origin": {"extractor": SIMULATED, "version": "0.1.0", "settings": {"seed": 3}},
        "simulated": True,
    }
    (tmp_path / "a.pose").rename(tmp_path / "renamed.bin")
    assert described(capsys, tmp_path / "renamed.bin")["kind"] == "pose"


def test_a_store(tmp_path: Path, clip: PoseClip, capsys: pytest.CaptureFixture[str]) -> None:
    with StoreWriter(tmp_path / "store", HANDS42, description={"name": "words"}) as writer:
        writer.add(Sample("a", clip, text="rain"), "train")
    found = described(capsys, tmp_path / "store")
    assert (found["kind"], found["layout"], found["splits"]) == ("store", "hands42", {"train": 1})
    assert found["simulated"] is True


def test_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / "model", {"method": "posestitch", "layout": "ps76"}, nn.Linear(2, 3))
    found = described(capsys, tmp_path / "model")
    assert (found["kind"], found["method"], found["layout"]) == ("checkpoint", "posestitch", "ps76")
    assert found["weights"]["parameters"] == 9


@pytest.mark.shared_data
def test_a_video(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = min((shared_data / "videos" / "wlasl_raw").glob("*.mp4"))
    found = described(capsys, path)
    assert (found["kind"], found["size"], found["codec"]) == ("video", [1280, 720], "h264")


def test_what_is_none_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.pose").write_text("frame,x,y\n")
    (tmp_path / "folder").mkdir()
    for name, message in (
        ("text.pose", "is not a .pose file: it begins with 'frame,x,'"),
        ("folder", "is a folder, and neither a store nor a checkpoint"),
        ("absent.pose", "does not exist; expected a .pose file, a video"),
    ):
        assert info(tmp_path / name) == 3
        assert message in capsys.readouterr().err
