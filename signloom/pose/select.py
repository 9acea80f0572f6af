"""Which frames of a clip a method sees (spec §1, frame sampling)."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip

SURE = 0.8
"""A frame may stand in for another when its least confidence is above this."""


def every_frame(
    clip: PoseClip, step: int, offset: int = 0, reach: int | Literal["step", "clip"] = "step"
) -> PoseClip:
    """Every ``step``-th frame from ``offset`` on; a frame with a missing keypoint is replaced.

    The replacement is the nearest frame after it, else before it, in which every
    keypoint is present with a confidence above 0.8; where there is none, the
    frame stays as it is (spec §1). ``fps`` is divided by ``step``.

    Real clips often lack a whole hand for long stretches, so two things differ
    from the letter of the spec. A keypoint that the clip never shows is not asked
    for. And a replacement comes from at most ``reach`` frames away: ``"step"``, the
    default, mends dropouts and keeps the order of time; ``"clip"`` searches
    everywhere, as the paper's code does, and may repeat one frame many times.

    Raises ValueError unless step ≥ 1 and 0 ≤ offset.
    """
    if step < 1 or offset < 0:
        raise ValueError(f"step is {step} and offset {offset}, expected step ≥ 1 and offset ≥ 0")
    total = len(clip)
    chosen = np.arange(offset, total, step)
    shown = clip.present.any(axis=0)
    confidence = clip.confidence[:, shown]
    if len(chosen) and confidence.size:
        least = confidence.min(axis=1)
        if (least[chosen] <= 0).any():
            limit = {"step": step, "clip": total}.get(str(reach), reach)
            chosen = _replaced(chosen, least, int(limit))
    return clip.with_points(clip.points[chosen], clip.confidence[chosen], fps=clip.fps / step)


def _replaced(chosen: NDArray[np.int_], least: NDArray[np.float32], reach: int) -> NDArray[np.int_]:
    """Frames ``chosen``, those with a missing keypoint exchanged for a sure one within ``reach``."""
    total = len(least)
    frames = np.arange(total)
    sure = least > SURE
    after = np.minimum.accumulate(np.where(sure, frames, 2 * total)[::-1])[::-1][chosen]
    before = np.maximum.accumulate(np.where(sure, frames, -total - 1))[chosen]
    found = np.where(after - chosen <= reach, after, before)
    usable = (np.abs(found - chosen) <= reach) & (found >= 0) & (found < total)
    return np.where((least[chosen] <= 0) & usable, found, chosen)
