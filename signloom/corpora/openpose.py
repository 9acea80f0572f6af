"""OpenPose's output: a folder of JSON files, one a frame, to a clip (layout ``openpose137``).

    NAME_000000000012_keypoints.json
    {"people": [{"pose_keypoints_2d": [x, y, confidence, …25], "face_keypoints_2d": […70],
                 "hand_left_keypoints_2d": […21], "hand_right_keypoints_2d": […21]}]}

BODY_25 with face and hands, in pixels. A number that is skipped is a frame in
which nobody was seen. Of several people, each frame gives the one with the
largest sum of confidence. The files name neither rate nor picture size.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import OPENPOSE137
from signloom.data.timing import Span
from signloom.errors import MediaError

PARTS = {
    "pose_keypoints_2d": 25,
    "face_keypoints_2d": 70,
    "hand_left_keypoints_2d": 21,
    "hand_right_keypoints_2d": 21,
}
FRAME = re.compile(r"(?:^|.*\D)(\d+)_keypoints\.json")
MOST_FRAMES = 1_000_000


def read_openpose(
    folder: str | os.PathLike[str],
    span: Span | None = None,
    fps: float = 24.0,
    size: tuple[int, int] = (1280, 720),
) -> PoseClip:
    """The clip in a folder of OpenPose JSON, or the frames of it inside ``span`` (seconds).

    fps, size: rate and picture, which the files do not name.

    Raises MediaError naming the file that is no such frame.
    """
    files = frame_files(Path(folder))
    first, count = min(files), max(files) - min(files) + 1
    begin, end = (0, count) if span is None else span.frames(fps, total=count)
    points = np.zeros((end - begin, len(OPENPOSE137), 3), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    people = 1
    for frame in range(begin, end):
        if first + frame in files:
            found, seen = _frame(files[first + frame])
            people = max(people, seen)
            points[frame - begin, :, :2], confidence[frame - begin] = found[:, :2], found[:, 2]
    settings: dict[str, Any] = {"people": people} if people > 1 else {}
    return PoseClip(
        points,
        confidence,
        fps,
        OPENPOSE137,
        Path(folder).name,
        Origin("openpose", "", settings),
        size,
    )


def frame_files(folder: Path) -> dict[int, Path]:
    """Frame number → file. Raises MediaError where there is none."""
    found = {
        int(match[1]): Path(entry.path)
        for entry in os.scandir(folder)
        if (match := FRAME.fullmatch(entry.name)) and len(match[1]) <= 15
    }
    if not found:
        raise MediaError(
            f"{folder} has no OpenPose frames; expected files such as NAME_000000000000_keypoints.json"
        )
    if max(found) - min(found) >= MOST_FRAMES:
        raise MediaError(
            f"{folder} has frames {min(found)} to {max(found)}, expected fewer than "
            f"{MOST_FRAMES:,} in one clip; give a folder a clip"
        )
    return found


def _frame(file: Path) -> tuple[NDArray[np.float32], int]:
    """(137, x y confidence) of the clearest person, zeros where nobody is; and how many there are."""
    try:
        people = json.loads(file.read_bytes())["people"]
        found = [_person(person) for person in people]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise MediaError(
            f"{file} is no OpenPose frame ({type(error).__name__}: {error}); expected JSON with "
            f"'people', each with {', '.join(PARTS)}"
        ) from None
    if not found:
        return np.zeros((len(OPENPOSE137), 3), np.float32), 0
    return max(found, key=lambda person: float(person[:, 2].sum())), len(found)


def _person(person: dict[str, Any]) -> NDArray[np.float32]:
    parts = []
    for part, count in PARTS.items():
        values = person.get(part) or [0.0] * (3 * count)
        if len(values) != 3 * count:
            raise ValueError(f"{part} has {len(values)} numbers, expected {3 * count}")
        parts.append(np.array(values, np.float32).reshape(count, 3))
    whole = np.concatenate(parts)
    whole[~np.isfinite(whole).all(axis=1)] = 0
    return whole
