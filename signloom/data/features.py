"""Frame features as a clip: what an image model says of each picture, in place of keypoints.

A clip of layout ``features-WIDTH`` holds numbers i, i+1, i+2 of a frame as x, y, z of a point, the last
point filled up with zeros; nothing is missing. So stores, `.pose` files, samples and models carry
features as they carry keypoints, and what asks for a hand is refused as for any layout without one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import FEATURES, features_layout


def features_clip(
    numbers: NDArray[np.float32], fps: float, id: str = "", origin: Origin = Origin(FEATURES)
) -> PoseClip:
    """The clip of (frames, width) numbers. Raises ValueError where they are not finite."""
    if not np.isfinite(numbers).all():
        raise ValueError(f"features '{id}' hold numbers that are not finite, expected finite ones")
    frames, width = numbers.shape
    layout = features_layout(width)
    points = np.zeros((frames, 3 * len(layout)), np.float32)
    points[:, :width] = numbers
    return PoseClip(
        points.reshape(frames, -1, 3),
        np.ones((frames, len(layout)), np.float32),
        fps,
        layout,
        id,
        origin,
    )


def features_of(clip: PoseClip) -> NDArray[np.float32]:
    """(frames, width): the numbers that `features_clip` was given."""
    width = int(clip.layout.name.rpartition("-")[2])
    return clip.points.reshape(len(clip), -1)[:, :width]
