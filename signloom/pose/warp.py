"""Dynamic time warping of one clip onto another, missing keypoints masked.

The distance of two frames is the mean distance of the keypoints that both of them show.
Two frames that share none cost a stated default, never 0: what was not seen is no match.
A path starts with both first frames, ends with both last ones, and goes on by one frame
in either clip or in both (Sakoe and Chiba 1978), each step counting once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.errors import UsageError, nearest
from signloom.pose.convert import convert
from signloom.pose.normalize import shoulder

NAME = "mDTW"
HANDS_AND_BODY = ("body", "left_hand", "right_hand")


@dataclass(frozen=True)
class Settings:
    """What a warp is measured with.

    parts: the articulators whose keypoints count, each keypoint the same; those the layouts have.
    axes: 2 for x and y, 3 with depth (which no estimator of pictures measures well).
    missing: what two frames without a keypoint in common cost (shoulder widths).
    band: how far a path may leave the straight line from corner to corner, as a share of
        the longer clip; None for anywhere.
    normalise: by the shoulders first (``pose.normalize.shoulder``); off, units are the clips' own.
    """

    parts: tuple[str, ...] = HANDS_AND_BODY
    axes: int = 2
    missing: float = 1.0
    band: float | None = None
    normalise: bool = True

    def __post_init__(self) -> None:
        if self.axes not in (2, 3):
            raise UsageError(f"a warp is measured in 2 or 3 axes, got {self.axes}")
        if not self.missing > 0:
            raise UsageError(
                f"frames without a keypoint in common must cost something, got {self.missing}; "
                "give a number above 0 (1 is a shoulder width)"
            )
        if self.band is not None and not 0 <= self.band <= 1:
            raise UsageError(f"a band is a share of the longer clip in [0, 1], got {self.band}")
        if not self.parts:
            raise UsageError("a warp needs at least one articulator, such as 'right_hand'")

    @property
    def signature(self) -> str:
        """Every setting in one line, to stand beside a figure."""
        band = "none" if self.band is None else f"{self.band:g}"
        return (
            f"{NAME}|parts:{'+'.join(self.parts)}|axes:{'xyz'[: self.axes]}"
            f"|norm:{'shoulder' if self.normalise else 'none'}|dist:mean-euclid-both-seen"
            f"|missing:{self.missing:g}|steps:111|per:step|band:{band}|v:1"
        )


@dataclass(frozen=True, eq=False)
class Warp:
    """How two clips lie on each other.

    path: int (steps, 2), frame of the first clip and of the second, from (0, 0) to the last two.
    total: the summed cost along the path; cost: a step, ``total / steps``.
    compared: along the path, the mean share of keypoints that both frames show.
    signature: the settings.
    """

    path: NDArray[np.int_]
    total: float
    cost: float
    compared: float
    signature: str


def warp(one: PoseClip, other: PoseClip, settings: Settings | None = None) -> Warp:
    """The cheapest path of ``one`` onto ``other``; symmetric in its cost.

    ``other`` is brought into the layout of ``one``. Frames are frames: bring clips to one rate
    first where they differ. 500 × 500 frames of 75 keypoints take well under a second.

    Raises UsageError for an empty clip, clips of different rates, or a part that the layout lacks.
    """
    settings = settings or Settings()
    if one.fps != other.fps:
        raise UsageError(
            f"clip '{one.id}' has {one.fps:g} frames a second and '{other.id}' has {other.fps:g}; "
            "bring them to one rate first (signloom.stitch.stitcher.resampled)"
        )
    other = convert(other, one.layout)
    for clip in (one, other):
        if not len(clip):
            raise UsageError(f"clip '{clip.id}' has no frames, expected at least one to warp")
    if settings.normalise:
        one, other = shoulder(one), shoulder(other)
    at = _keypoints(one, settings.parts)
    costs, shared = frame_costs(
        one.points[:, at, : settings.axes],
        one.present[:, at],
        other.points[:, at, : settings.axes],
        other.present[:, at],
        settings.missing,
    )
    allowed = None if settings.band is None else in_band(len(one), len(other), settings.band)
    path, total = cheapest_path(costs, allowed)
    compared = float(shared[path[:, 0], path[:, 1]].mean() / len(at))
    return Warp(path, total, total / len(path), compared, settings.signature)


def _keypoints(clip: PoseClip, parts: Sequence[str]) -> NDArray[np.int_]:
    known = clip.layout.parts
    for part in parts:
        if part not in known and part not in (*HANDS_AND_BODY, "face"):
            raise UsageError(
                f"layout '{clip.layout.name}' has no articulator '{part}'"
                f"{nearest(part, list(known))}; it has {', '.join(known)}"
            )
    found = [np.arange(len(clip.layout))[known[part]] for part in parts if part in known]
    if not found:
        raise UsageError(
            f"layout '{clip.layout.name}' has none of the articulators {', '.join(parts)}; "
            f"it has {', '.join(known)}"
        )
    return np.concatenate(found)


def frame_costs(
    a: NDArray, seen_a: NDArray[np.bool_], b: NDArray, seen_b: NDArray[np.bool_], missing: float
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    """The cost of every pair of frames, and how many keypoints it rests on.

    a: (n, keypoints, axes), seen_a: (n, keypoints); b, seen_b with m frames likewise.
    Returns float64 (n, m) and int (n, m). Keypoint by keypoint, so memory is that of the result.
    """
    shape = (len(a), len(b))
    total, shared = np.zeros(shape), np.zeros(shape, np.int32)
    for k in range(a.shape[1]):
        both = seen_a[:, k, None] & seen_b[None, :, k]
        if not both.any():
            continue
        square = np.zeros(shape)
        for axis in range(a.shape[2]):
            apart = np.subtract.outer(
                a[:, k, axis].astype(np.float64), b[:, k, axis].astype(np.float64)
            )
            square += apart * apart
        np.sqrt(square, out=square)
        if both.all():
            total += square
        else:
            total += square * both
        shared += both
    return np.where(shared > 0, total / np.maximum(shared, 1), missing), shared.astype(np.int_)


def in_band(n: int, m: int, band: float) -> NDArray[np.bool_]:
    """(n, m): which pairs of frames lie near the straight line from corner to corner.

    Within ``band`` of the longer clip, along it; never so narrow that no path fits, which
    takes half of the frames that the line goes on in the longer clip for one of the shorter.
    """
    if n > m:
        return in_band(m, n, band).T
    if n == 1:
        return np.ones((n, m), np.bool_)
    slope = (m - 1) / (n - 1)
    off = np.abs(np.arange(m)[None, :] - slope * np.arange(n)[:, None])
    return off <= max(band * m, slope / 2) + 1e-9


def cheapest_path(
    costs: NDArray[np.float64], allowed: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int_], float]:
    """The path of least total cost through (n, m) costs, and that total.

    allowed: where a path may go. Of equal ones the path that takes both clips on is chosen,
    then the one that takes the first on. Filled antidiagonal by antidiagonal, each as one strided view.
    """
    n, m = costs.shape
    if allowed is not None:
        costs = np.where(allowed, costs, np.inf)
    summed = np.full((n + 1, m + 1), np.inf)
    summed[0, 0] = 0
    flat, flat_costs = summed.reshape(-1), np.ascontiguousarray(costs).reshape(-1)
    for s in range(2, n + m + 1):  # i + j of an antidiagonal, i and j from 1
        low, high = max(1, s - m), min(n, s - 1)
        count = high - low + 1
        first = low * (m + 1) + s - low
        here = flat[first : first + count * m : m][:count]
        both = flat[first - m - 2 : first - m - 2 + count * m : m][:count]
        up = flat[first - m - 1 : first - m - 1 + count * m : m][:count]
        left = flat[first - 1 : first - 1 + count * m : m][:count]
        cost_first = (low - 1) * m + s - low - 1
        step = max(m - 1, 1)
        cost = flat_costs[cost_first : cost_first + count * step : step][:count]
        np.minimum(np.minimum(up, left), both, out=here)
        here += cost
    i, j = n, m
    path = [(i - 1, j - 1)]
    while i > 1 or j > 1:
        both_, up_, left_ = summed[i - 1, j - 1], summed[i - 1, j], summed[i, j - 1]
        if both_ <= up_ and both_ <= left_:
            i, j = i - 1, j - 1
        elif up_ <= left_:
            i -= 1
        else:
            j -= 1
        path.append((i - 1, j - 1))
    return np.array(path[::-1], np.int_), float(summed[n, m])
