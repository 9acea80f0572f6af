"""How word clips are made ready for each other: rest trimmed, long ones cut, seams blended.

All of it is off by default, as in the paper. Dictionary signs are performed alone: hands
rise from rest, sign slowly, and sink again, so that plainly joined clips come out several
times as long as fluent signing (Moryossef et al. 2023, spoken-to-signed translation, and
the figures in docs/stitching.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.names import BODY, LEFT, RIGHT, canonical
from signloom.data.timing import Seconds, round_half_up
from signloom.errors import UsageError

CAP: Seconds = 0.8
"""The usual longest sign, where signs are cut (spoken-to-signed, 0.8 s)."""
BLEND: Seconds = 0.2
"""The usual length of a blend, where seams are blended."""
LEAST: Seconds = 0.2
"""No trimming leaves less of a clip."""
REACH: Seconds = 0.5
"""The longest way up or down that is looked for."""
LOW = 1.1
"""A wrist further below the shoulders than this is down (shoulder widths)."""
STILL = 0.5
"""A wrist slower than this is still (shoulder widths a second)."""
PALMS = 4.0
"""Palms (wrist to middle knuckle) in a shoulder width, for clips of hands alone."""

BETWEEN = "~"
"""The id of a transition."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Joining:
    """What is done to word clips before and between; the defaults do nothing.

    trim: rest at both ends of each clip goes (``trimmed``).
    longest: a longer clip is cut to this, after trimming (``capped``).
    blend: seconds of a transition put in at each seam (``transition``).

    Raises UsageError for a time that is not above 0 (not below 0 for the blend) or not finite.
    """

    trim: bool = False
    longest: Seconds | None = None
    blend: Seconds = 0.0

    def __post_init__(self) -> None:
        if self.longest is not None and not 0 < self.longest < np.inf:
            raise UsageError(
                f"the longest sign is {self.longest} s, expected more than 0; {CAP} is usual"
            )
        if not 0 <= self.blend < np.inf:
            raise UsageError(
                f"a blend of {self.blend} s is no length of time; give 0 for none, {BLEND} is usual"
            )

    @property
    def name(self) -> str:
        """'naive', or what is done: 'trim+cap0.8+blend0.2'."""
        done = ["trim"] * self.trim
        done += [] if self.longest is None else [f"cap{self.longest:g}"]
        done += [f"blend{self.blend:g}"] * (self.blend > 0)
        return "+".join(done) or "naive"

    def alone(self, clip: PoseClip) -> PoseClip:
        """What is done to one clip, before any other preparation."""
        if self.trim:
            clip = trimmed(clip)
        return capped(clip, self.longest) if self.longest is not None else clip


NAIVE = Joining()
FLUENT = Joining(trim=True, longest=CAP, blend=BLEND)


def trimmed(clip: PoseClip) -> PoseClip:
    """The clip without the rest at its ends, and without most of the way up from it and back.

    A frame signs where a hand is seen, is not down (``LOW``), and moves (``STILL``). The clip
    begins where the first movement from such a frame on is fastest, and ends where the last
    one is: a reach is fastest half-way. Holds within the sign stay. A hand alone, without
    shoulders to measure by, is down only where it is not seen. A clip in which no frame
    signs, and one of which less than ``LEAST`` would remain, stays as it is.
    """
    first, last = signing_frames(clip)
    return clip if (first, last) == (0, len(clip)) else clip.frames(slice(first, last))


def signing_frames(clip: PoseClip) -> tuple[int, int]:
    """The half-open frame range that ``trimmed`` keeps."""
    whole = (0, len(clip))
    found = _wrists(clip)
    if found is None or len(clip) < 3:
        return whole
    wrists, below = found
    with np.errstate(invalid="ignore"):
        up = np.isfinite(wrists[:, :, 1]) & ~(below > LOW)
    speed = np.stack([_speed(wrists[:, h], clip.fps) for h in (0, 1)], 1)
    speed = np.where(up, speed, 0).max(axis=1)
    at = np.flatnonzero(speed >= STILL)
    if not len(at):
        return whole
    reach = max(round_half_up(REACH * clip.fps), 1)
    start, end = int(at[0]), int(at[-1])
    # Hands that are up when the clip begins (or ends) come from nowhere: there is no way to cut.
    first = start + _first_peak(speed[start : start + reach]) if start or _down(below, 0) else 0
    last = end - _first_peak(speed[end::-1][:reach]) + 1
    if end == len(clip) - 1 and not _down(below, -1):
        last = len(clip)
    return whole if last - first < max(LEAST * clip.fps, 1) else (first, last)


def _down(below: Array, frame: int) -> bool:
    """Whether no hand is up in a frame, as far as can be told."""
    return bool(np.isnan(below[frame]).any() or (below[frame] > LOW).all())


def _first_peak(speed: Array) -> int:
    """Where a movement is fastest before it slows for the first time."""
    falls = np.flatnonzero(np.diff(speed) < -0.01 * speed.max(initial=0))
    return int(falls[0]) if len(falls) else 0


def capped(clip: PoseClip, longest: Seconds) -> PoseClip:
    """The middle ``longest`` seconds of the clip; all of it where it is no longer.

    Frames go, none is sped up: signs of a dictionary last longer, but move at the pace of
    fluent ones.
    """
    keep = max(round_half_up(longest * clip.fps), 1)
    if len(clip) <= keep:
        return clip
    first = (len(clip) - keep) // 2
    return clip.frames(slice(first, first + keep))


def transition(before: PoseClip, after: PoseClip, seconds: Seconds) -> PoseClip:
    """The way from the last frame of one clip to the first of the next, in the rate of the first.

    A keypoint that both frames show moves from the one to the other along a minimum-jerk curve,
    10 s³ − 15 s⁴ + 6 s⁵ (Flash and Hogan 1985), standing still at both ends. One that only one of
    them shows stays there in the half of the transition next to it; one that neither shows is
    missing. No frames where ``seconds`` is less than half a frame, or a clip has none.
    """
    frames = round_half_up(seconds * before.fps) if len(before) and len(after) else 0
    if not frames:
        return before.frames(slice(0, 0))
    s = np.arange(1, frames + 1) / (frames + 1)
    share = minimum_jerk(s).astype(np.float32)
    a, b = before.points[-1], after.points[0]
    seen_a, seen_b = before.confidence[-1], after.confidence[0]
    both = (seen_a > 0) & (seen_b > 0)
    early = (s < 0.5)[:, None]
    points = np.where(
        both[None, :, None],
        a + (b - a) * share[:, None, None],
        np.where(early[:, :, None], a, b),
    )
    confidence = np.where(both[None], np.minimum(seen_a, seen_b), np.where(early, seen_a, seen_b))
    return replace(
        before,
        points=points.astype(np.float32),
        confidence=confidence.astype(np.float32),
        id=BETWEEN,
    )


def minimum_jerk(s: Array) -> Array:
    """How far along a smooth reach is at share ``s`` of its time: 0 to 1, still at both ends."""
    return s**3 * (10 - 15 * s + 6 * s * s)


def _wrists(clip: PoseClip) -> tuple[Array, Array] | None:
    """(frames, 2, 2) wrists and (frames, 2) how far below the shoulders, in shoulder widths.

    NaN where not seen; None where the layout has no wrist or its unit is not to be had.
    """
    hands, knuckles, shoulders = _places(clip.layout)
    if not any(hands):
        return None
    points = clip.points[:, :, :2].astype(np.float64)
    points[~clip.present] = np.nan
    wrists = np.full((len(clip), 2, 2), np.nan)
    for h, at in enumerate(hands):
        for place in at:  # the hand's own wrist, else the body's
            wrists[:, h] = np.where(np.isnan(wrists[:, h]), points[:, place], wrists[:, h])
    if shoulders:
        ends = points[:, shoulders]
        both = ends[np.isfinite(ends).all(axis=(1, 2))]
        if len(both):
            width = float(np.linalg.norm(both[:, 0] - both[:, 1], axis=1).mean())
            if width > 0:
                middle = both.mean(axis=(0, 1))
                wrists = (wrists - middle) / width
                return wrists, wrists[:, :, 1]
    palms = [
        np.linalg.norm(points[:, at[0]] - points[:, knuckle], axis=1)
        for at, knuckle in zip(hands, knuckles, strict=True)
        if at and knuckle is not None
    ]
    sizes = np.concatenate(palms) if palms else np.zeros(0)
    sizes = sizes[np.isfinite(sizes) & (sizes > 0)]
    if not len(sizes):
        return None
    return wrists / (PALMS * float(np.median(sizes))), np.full((len(clip), 2), np.nan)


@lru_cache(maxsize=64)
def _places(
    layout: Layout,
) -> tuple[tuple[tuple[int, ...], ...], tuple[int | None, ...], tuple[int, ...]]:
    """Where a layout has its wrists (left, right; each the hand's, then the body's), middle knuckles, shoulders."""
    at = {canonical(name): i for i, name in enumerate(layout.keypoints)}

    def places(*names: str) -> tuple[int, ...]:
        return tuple(at[name] for name in names if name in at)

    sides = (("LEFT", LEFT), ("RIGHT", RIGHT))
    hands = tuple(places(f"{hand}:WRIST", f"{BODY}:{side}_WRIST") for side, hand in sides)
    knuckles = tuple(at.get(f"{hand}:MIDDLE_FINGER_MCP") for _, hand in sides)
    shoulders = places(f"{BODY}:LEFT_SHOULDER", f"{BODY}:RIGHT_SHOULDER")
    return hands, knuckles, shoulders if len(shoulders) == 2 else ()


def _speed(path: Array, fps: float) -> Array:
    """(frames,): how fast a (frames, 2) path moves, a second, between the frames 0.04 s before and after.

    Frames that were not seen, and those beside them, do not move: a hand that is found or lost jumps.
    """
    step = max(round_half_up(0.04 * fps), 1)
    speed = np.zeros(len(path))
    if len(path) > 2 * step:
        moved = np.linalg.norm(path[2 * step :] - path[: -2 * step], axis=1)
        speed[step:-step] = np.nan_to_num(moved) * fps / (2 * step)
        speed[:step], speed[-step:] = speed[step], speed[-step - 1]
    return speed
