"""Writes signloom/web/static/holistic.header: what a `.pose` file of the page begins with."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC
from signloom.pose.files import write_pose
from signloom.pose.header import check_header

STATIC = Path(__file__).parent.parent / "signloom" / "web" / "static"
RATE_FRAMES_PEOPLE = 10
"""Bytes between the header and the points."""


def header() -> bytes:
    """The header of a `.pose` file of layout `holistic`, for a picture of 1 × 1."""
    shape = (1, len(HOLISTIC))
    clip = PoseClip(np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32), 25.0, HOLISTIC)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "one.pose"
        write_pose(clip, path)
        with path.open("rb") as file:
            body = check_header(file, path).body
        return path.read_bytes()[: body - RATE_FRAMES_PEOPLE]


if __name__ == "__main__":
    (STATIC / "holistic.header").write_bytes(header())
