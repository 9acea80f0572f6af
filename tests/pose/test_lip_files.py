"""Lips in files: what goes in comes out, in slices too, and what is no such file is said to be none."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose import lip_files
from signloom.pose.files import read_pose, write_pose
from signloom.pose.lip_files import (
    beside,
    read_lips,
    read_lips_header,
    write_lips,
    write_lips_slices,
)

FPS = 30000 / 1001


def lips(frames: int = 40, fps: float = FPS) -> Lips:
    """Crop i holds i; every seventh is absent."""
    numbered = np.repeat(np.arange(frames, dtype=np.uint8), 96 * 96).reshape(-1, 96, 96)
    present = np.arange(frames) % 7 != 3
    return Lips(numbered, present, fps, "ä 1", Origin("signloom-lips", "1", {"smooth": 6}))


def test_lips_come_back_and_another_program_reads_them(tmp_path: Path) -> None:
    made, file = lips(), beside(tmp_path / "a.b.pose")
    assert file.name == "a.b.lips.safetensors"
    write_lips(made, file)
    again = read_lips(file)
    np.testing.assert_array_equal(again.frames, made.frames)
    np.testing.assert_array_equal(again.present, made.present)
    assert (again.id, again.origin, again.fps) == (made.id, made.origin, float(np.float32(FPS)))
    assert read_lips_header(file).frames == 40
    tensors = load_file(file)
    assert sorted(tensors) == ["frames", "present"]
    np.testing.assert_array_equal(tensors["frames"], made.frames)
    np.testing.assert_array_equal(tensors["present"], made.present)
    with pytest.raises(UsageError, match="exists already"):
        write_lips(made, file)


def test_slices_write_the_same_bytes_and_must_be_as_many_as_said(tmp_path: Path) -> None:
    made = lips()
    write_lips(made, tmp_path / "whole")
    parts = [made[:13], made[13:14], made[14:]]
    write_lips_slices(parts, 40, tmp_path / "parts")
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()
    for given_, frames in ((parts[:2], 40), (parts, 39), ([], 0)):
        with pytest.raises(UsageError, match=f"expected {frames} and at least one"):
            write_lips_slices(given_, frames, tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pose file whose x counts the frames, and lips beside it that do."""
    pose = tmp_path_factory.mktemp("pair") / "e.pose"
    points = np.repeat(np.arange(1, 41, dtype=np.float32), 42 * 3).reshape(40, 42, 3)
    write_pose(PoseClip(points, np.ones((40, 42), np.float32), FPS, HANDS42), pose)
    write_lips(lips(), beside(pose))
    return pose


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_span_takes_the_frames_that_it_takes_of_the_pose_file(
    pair: Path, start: float, length: float
) -> None:
    span = Span(start, start + length)
    clip, cut = read_pose(pair, span), read_lips(beside(pair), span)
    counted = cut.aligned_with(clip).frames[:, 0, 0]
    np.testing.assert_array_equal(counted[cut.present], clip.points[cut.present, 0, 0] - 1)


def rewritten(file: Path, **changes: object) -> None:
    """The file's header with something else in it."""
    data = file.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header["__metadata__"] |= changes
    text = json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


def test_what_is_no_file_of_lips_is_refused(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "x.lips.safetensors"
    with pytest.raises(MediaError, match=r"x\.lips\.safetensors cannot be opened"):
        read_lips(file)
    write_lips(lips(), file)
    whole = file.read_bytes()
    for data in (b"", b"words, and more words", whole[:-1], whole[:300], b"\xff" * 64):
        file.write_bytes(data)
        with pytest.raises(MediaError, match="is damaged or holds no mouth crops"):
            read_lips(file)
    for changes, said in (
        ({"format": "other"}, "do not name signloom-lips, version 1"),
        ({"version": "2"}, "do not name signloom-lips, version 1"),
        ({"fps": "nan"}, "its rate is nan"),
        ({"fps": "-25"}, "its rate is -25"),
        ({"origin": "[]"}, "holds no mouth crops"),
    ):
        file.write_bytes(whole)
        rewritten(file, **changes)
        with pytest.raises(MediaError, match=said):
            read_lips_header(file)
    metadata = {"format": "signloom-lips", "version": "1", "id": "", "fps": "25", "origin": "{}"}
    pixels, seen = np.zeros((4, 96, 96), np.uint8), np.ones(4, np.uint8)
    for tensors, said in (
        ({"frames": pixels[:, :88, :88].copy(), "present": seen}, r"frames U8 \[4, 88, 88\]"),
        ({"frames": pixels, "present": seen[:3].copy()}, r"present U8 \[3\]"),
        ({"frames": pixels.astype(np.float32), "present": seen}, "frames F32"),
        ({"frames": pixels}, "present"),
    ):
        save_file(tensors, file, metadata)
        with pytest.raises(MediaError, match=said):
            read_lips(file)
    file.write_bytes(whole)
    monkeypatch.setattr(lip_files, "MOST", 20)
    with pytest.raises(MediaError, match="holds 40 mouth crops and 40 are asked for at once"):
        read_lips(file)
    assert len(read_lips(file, Span(0.1, 0.5))) == 12
