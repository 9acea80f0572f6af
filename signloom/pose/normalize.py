"""The normalisers of the methods: three of spec §0, and one for clips without shoulders.

Missing keypoints are ignored, and stay at 0.

Each returns a clip in normalised units, whose ``size`` is (1, 1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.names import BODY, canonical
from signloom.errors import UsageError
from signloom.pose.convert import SHOULDERS

NOSE = f"{BODY}:NOSE"


def shoulder(clip: PoseClip) -> PoseClip:
    """One shift and one scale for the whole clip: shoulders' mean middle to 0, mean distance to 1.

    Over the frames that show both shoulders; the distance is taken in x, y and z,
    as pose-format does. World keypoints, which are in metres, are left alone. A
    clip that never shows both shoulders comes out with everything missing.

    Raises UsageError for a layout without shoulders.
    """
    left, right = _shoulders(clip)
    seen = clip.present[:, left] & clip.present[:, right]
    if not seen.any():
        return clip.with_points(clip.points, np.zeros_like(clip.confidence), size=(1, 1))
    a = clip.points[seen, left].astype(np.float64)
    b = clip.points[seen, right].astype(np.float64)
    centre = ((a + b) / 2).mean(axis=0)
    distance = np.linalg.norm(a - b, axis=1).mean()
    scale = 1 / distance if distance > 0 else 0.0
    points = (clip.points - centre.astype(np.float32)) * np.float32(scale)
    world = clip.part("world")
    points[:, world] = clip.points[:, world]
    return clip.with_points(points, size=(1, 1))


def minmax_clip(clip: PoseClip) -> PoseClip:
    """Each articulator to [-1, 1] in x and in y separately, over all frames and points of the clip.

    Where there is no extent (an undetected hand, a single point) the result is
    0. Flat: z comes out 0.
    """
    points = np.zeros_like(clip.points)
    gone = ~clip.present
    for at in map(_as_slice, clip.layout.parts.values()):
        hidden = gone[:, at]
        if hidden.all():
            continue
        for axis in (0, 1):
            values = clip.points[:, at, axis]
            masked = hidden.any()
            low = float(np.where(hidden, np.inf, values).min() if masked else values.min())
            high = float(np.where(hidden, -np.inf, values).max() if masked else values.max())
            if high > low:
                points[:, at, axis] = (values - low) * (2 / (high - low)) - 1
    return clip.with_points(points, size=(1, 1))


def isharah_frame(clip: PoseClip) -> PoseClip:
    """Each articulator of each frame alone: from its first point and lowest corner to [-0.5, 0.5].

    p -= p0; p -= min; p /= max(max x, max y); p -= mean of all values;
    p /= max |p|; p *= 0.5 (spec §0, 3). Flat: z comes out 0. An articulator
    without extent in a frame comes out 0.
    """
    points = np.zeros_like(clip.points)
    present, frames = clip.present[:, :, None], len(clip)
    if not frames:
        return clip.with_points(points, size=(1, 1))
    with np.errstate(all="ignore"):
        for at in map(_as_slice, clip.layout.parts.values()):
            # Taking p0 away first changes nothing: the corner goes to 0 either way.
            p = clip.points[:, at, :2].astype(np.float64)
            shape = p.shape
            seen = np.broadcast_to(present[:, at], shape).reshape(frames, -1)
            whole = bool(seen.all())  # then nothing has to be kept out, which is most of the work
            low = (p if whole else np.where(present[:, at], p, np.inf)).min(axis=1, keepdims=True)
            p = (p - low).reshape(frames, -1)
            p = _divide(p if whole else np.where(seen, p, 0))
            p = p - (p.sum(axis=1) / np.maximum(seen.sum(axis=1), 1))[:, None]
            p = _divide(p if whole else np.where(seen, p, 0))
            points[:, at, :2] = 0.5 * p.reshape(shape)
    return clip.with_points(points, size=(1, 1))


def nose(clip: PoseClip) -> PoseClip:
    """One shift and one scale for the whole clip: the mean nose to 0, hands 1 away from it on average (ours).

    The distance is taken in x and y, over all frames and keypoints of both hands. A clip that
    never shows the nose, or no hand, comes out with everything missing.

    Raises UsageError for a layout without a nose.
    """
    index = {canonical(name): i for i, name in enumerate(clip.layout.keypoints)}
    if NOSE not in index:
        raise UsageError(
            f"clip '{clip.id}' cannot be normalised by its nose: layout '{clip.layout.name}' has "
            "none; use a layout with a nose, or another normaliser"
        )
    at, seen = index[NOSE], clip.present
    hands = np.isin(clip.layout.articulators, ("left_hand", "right_hand")) & seen
    if not (seen[:, at].any() and hands.any()):
        return clip.with_points(clip.points, np.zeros_like(clip.confidence), size=(1, 1))
    centre = clip.points[seen[:, at], at].mean(axis=0, dtype=np.float64)
    distance = np.linalg.norm((clip.points - centre)[hands][:, :2], axis=1).mean()
    scale = 1 / distance if distance > 0 else 0.0
    points = (clip.points - centre.astype(np.float32)) * np.float32(scale)
    world = clip.part("world")
    points[:, world] = clip.points[:, world]
    return clip.with_points(points, size=(1, 1))


def _divide(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each row divided by its largest absolute value; 0 where that is 0."""
    by = np.abs(values).max(axis=1, keepdims=True)
    return values / np.where(by > 0, by, 1)


def _as_slice(at: NDArray[np.int_]) -> slice | NDArray[np.int_]:
    """A run of consecutive indices as a slice, which reads and writes in place."""
    if len(at) and at[-1] - at[0] == len(at) - 1:
        return slice(int(at[0]), int(at[-1]) + 1)
    return at


def _shoulders(clip: PoseClip) -> tuple[int, int]:
    index = {canonical(name): i for i, name in enumerate(clip.layout.keypoints)}
    if not all(name in index for name in SHOULDERS):
        raise UsageError(
            f"clip '{clip.id}' cannot be normalised by its shoulders: layout "
            f"'{clip.layout.name}' has none; use minmax_clip, or a layout with shoulders"
        )
    return index[SHOULDERS[0]], index[SHOULDERS[1]]
