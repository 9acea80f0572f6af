"""A camera: pictures to frames of one clock by planted times, and cameras that are not there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.data.layouts import HOLISTIC
from signloom.errors import UsageError
from signloom.extract import camera
from signloom.extract.camera import camera_slices, watched


class Brightness:
    """Every keypoint stands where the picture is bright."""

    name, version, layout = "brightness", "1", HOLISTIC
    settings: dict[str, Any] = {}  # noqa: RUF012

    def extract(self, frames: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        for frame in frames:
            full = np.full((len(HOLISTIC), 3), frame.mean(), np.float32)
            yield full, np.ones(len(HOLISTIC), np.float32)


def test_frames_are_the_clock() -> None:
    """At 10 a second: two pictures within a frame are one; a gap is filled by what comes after it."""
    times = [5.0, 5.1, 5.12, 5.2, 5.5]
    pictures = [(t, np.full((4, 6, 3), k, np.uint8)) for k, t in enumerate(times)]
    clips = list(watched(pictures, Brightness(), 10.0))
    assert [float(c.points[i, 0, 0]) for c in clips for i in range(len(c))] == [0, 1, 3, 4, 4, 4]
    assert clips[0].fps == 10.0
    assert clips[0].size == (6, 4)
    assert not clips[0].simulated


def test_a_camera_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("av", reason="needs the optional part 'extract'")
    pytest.importorskip("mediapipe")
    monkeypatch.setattr(camera, "DEVICES", tmp_path)
    with pytest.raises(UsageError, match=r"there is no camera 3 .*, there is none here; connect"):
        next(camera_slices(3))
    (tmp_path / "video0").touch()
    with pytest.raises(UsageError, match="there are cameras 0; connect one"):
        next(camera_slices(3))
