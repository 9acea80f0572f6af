"""Predicted stretches to subtitles that do not overlap: a confidence for each, one path for all.

A language model says when a subtitle starts and ends, not how sure it is of each frame. So each
stretch gets the shape of a plateau with cosine edges, and one monotone path through all
subtitles gives every frame that any of them wants to one of them. Where two overlap, the short
one, whose edges are steep, keeps more of itself.

Source: arXiv 2512.08040 §4.2 and A.6 [S], and the released post-processing of Bull et al. 2021
that it follows [R:SA], with what is wrong there put right (``place_cues``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.data.timing import Span
from signloom.errors import UsageError


@dataclass(frozen=True, eq=False)
class Confidence:
    """How sure a model is that a cue is signed at each frame.

    first: the frame that ``values`` begins at, which may be before the clip. values: (frames,)
    float64 in [0, 1]; 0 everywhere else.

    Raises UsageError for values outside [0, 1].
    """

    first: int
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        wrong = self.values[~((self.values >= 0) & (self.values <= 1))]
        if len(wrong):
            raise UsageError(
                f"a confidence from frame {self.first} on has the value {wrong[0]}, expected "
                "numbers from 0 to 1; give probabilities"
            )


def plateau(span: Span, fps: float, flat: float = 0.2) -> Confidence:
    """1 over the central ``flat`` of the span, falling to 0 at its ends along a cosine (A.6).

    cos θ with θ from −π/2 to 0 before the plateau and from 0 to π/2 after it, taken at the
    middle of each frame. flat: α of the paper, 0.2 there. A span shorter than a frame counts as one.
    """
    if not 0 <= flat <= 1:
        raise UsageError(
            f"a plateau is {flat} of its span, expected a share from 0 to 1 (0.2 in the paper)"
        )
    first, last = span.frames(fps)
    frames = max(last - first, 1)
    inward = np.minimum(np.arange(frames) + 0.5, frames - np.arange(frames) - 0.5)
    edge = (1 - flat) * frames / 2
    share = np.minimum(inward / edge, 1) if edge > 0 else np.ones(frames)
    return Confidence(first, np.sin(np.pi / 2 * share))


def place_cues(
    confidence: Mapping[int, Confidence],
    priors: Sequence[Span],
    fps: float,
    threshold: float = 0.4,
    step: int = 4,
    widen: int = 2,
    total: int | None = None,
) -> list[Span]:
    """A span for every cue, in the order of ``priors``, none of which overlap.

    confidence: cue number → what a model says of it. priors: the cues' input timing; their
    midpoints say in which order they are signed. total: frames of the clip, None = no limit.

    Frames where any cue reaches ``threshold`` are kept, every ``step``-th of them. The path of
    least cost Σ (1 − p) through them gives each to one cue, in the cues' order, and at least one
    to every cue. A cue lasts from its first frame to its last, ``widen`` frames more either way
    where no neighbour is in the way. A cue that nowhere reaches ``threshold`` has its input timing
    instead, at ``threshold``: it is kept, and yields to a cue that a model saw there.

    0.4 is the released code's threshold, for a classifier's probabilities [R:SA]. A ``plateau``
    reaches it over its central 79 % only, so that a cue in nobody's way loses a tenth at either
    end; a lower one, as 0.05, keeps it. The paper names none, and would hardly find α without
    effect (table A.4) if it cut so much [I].

    Three things differ from the released code [R:SA]: there the input timing of a cue without
    confidence never reaches the cost; the first cue can have one frame only; and fewer kept
    frames than cues end in a crash. Here every cue's likeliest frame is kept too, or the free
    one nearest to it where another cue has it, so that there always is one for each [D].

    Cost: kept frames × cues, vectorised over the cues; memory: a bit for each.

    Raises UsageError for a confidence of a cue that is not there, and for more cues than frames.
    """
    cues = len(priors)
    unknown = sorted(set(confidence) - set(range(cues)))
    if unknown:
        raise UsageError(
            f"there is a confidence for cue {unknown[0]}, expected cue numbers from 0 to {cues - 1}; "
            "give the confidences of these priors"
        )
    if total is not None and total < cues:
        raise UsageError(
            f"{cues} cues are to be placed in a clip of {total} frames, expected at least a frame "
            "a cue; check that the subtitles belong to the clip"
        )
    if not cues:
        return []
    # To the microsecond: sums of equal midpoints may differ in their last bit.
    order = sorted(range(cues), key=lambda k: (round(priors[k].start + priors[k].end, 6), k))
    wanted = [
        _inside(confidence.get(cue), threshold, total)
        or _input_timing(priors[cue], fps, threshold, total)
        for cue in order
    ]
    frames = _kept_frames(wanted, threshold, step, total)
    owner = monotone_path(_by_frame(wanted, frames), cues)
    first = frames[np.searchsorted(owner, np.arange(cues), side="left")]
    last = frames[np.searchsorted(owner, np.arange(cues), side="right") - 1]
    starts, ends = _widened(first, last, widen, total)
    spans = dict(zip(order, zip(starts.tolist(), ends.tolist(), strict=True), strict=True))
    return [Span.of_frames(*spans[cue], fps) for cue in range(cues)]


FrameGains = Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]]
"""For each frame: (the cues that gain from having it, p of each); others gain nothing."""


def monotone_path(gains: FrameGains, cues: int) -> NDArray[np.int64]:
    """Which cue has each frame (frames,): the path of least Σ (1 − p) in which every cue has a frame.

    Cue numbers start at 0, end at cues − 1 and grow by 0 or 1 a frame. Among equals, the path
    that moves on later.
    """
    frames = len(gains)
    assert 0 < cues <= frames, f"{cues} cues cannot each have one of {frames} frames"
    # 1 − p is 1 for nearly every pair, so the path gathers p instead: the same path.
    best = np.full(cues, -np.inf)
    best[0] = 0.0
    moved = np.zeros(cues, np.bool_)
    came: list[NDArray[np.uint8]] = []
    for row, (columns, gain) in enumerate(gains):
        if row:
            np.greater_equal(best[:-1], best[1:], out=moved[1:])
            came.append(np.packbits(moved))
            best[1:] = np.maximum(best[:-1], best[1:])
        best[columns] += gain
    owner = np.empty(frames, np.int64)
    cue = cues - 1
    for row in range(frames - 1, -1, -1):
        owner[row] = cue
        if row:
            cue -= int(came[row - 1][cue >> 3] >> (7 - (cue & 7)) & 1)
    return owner


def _inside(given: Confidence | None, threshold: float, total: int | None) -> Confidence | None:
    """What of a confidence lies in the clip, or None where that nowhere reaches ``threshold``."""
    if given is None:
        return None
    low = max(-given.first, 0)
    high = len(given.values) if total is None else max(total - given.first, 0)
    values = given.values[low:high]
    return Confidence(given.first + low, values) if (values >= threshold).any() else None


def _input_timing(prior: Span, fps: float, threshold: float, total: int | None) -> Confidence:
    """``threshold`` all over the prior, or at the clip's nearest frame where they do not meet."""
    first, last = prior.frames(fps, total)
    first = max(first, 0) if total is None else min(max(first, 0), total - 1)
    return Confidence(first, np.full(max(last - first, 1), threshold))


def _kept_frames(
    wanted: Sequence[Confidence], threshold: float, step: int, total: int | None
) -> NDArray[np.int64]:
    """The frames the path goes through, in order; each cue has one of its own among them."""
    reached = [c.first + np.flatnonzero(c.values >= threshold) for c in wanted]
    own: set[int] = set()
    for c in wanted:
        highest = np.flatnonzero(c.values == c.values.max())
        frame = c.first + int(highest[len(highest) // 2])
        while frame in own and frame != total:
            frame += 1
        while frame in own or frame == total:
            frame -= 1
        own.add(frame)
    return np.union1d(np.unique(np.concatenate(reached))[::step], sorted(own))


def _by_frame(wanted: Sequence[Confidence], frames: NDArray[np.int64]) -> FrameGains:
    """The cues that are possible at each of ``frames``, and their p there."""
    rows, cues, gains = [], [], []
    for cue, c in enumerate(wanted):
        low, high = np.searchsorted(frames, [c.first, c.first + len(c.values)])
        rows.append(np.arange(low, high))
        cues.append(np.full(high - low, cue))
        gains.append(c.values[frames[low:high] - c.first])
    row = np.concatenate(rows)
    sort = np.argsort(row, kind="stable")
    cuts = np.searchsorted(row[sort], np.arange(1, len(frames)))
    columns = np.split(np.concatenate(cues)[sort], cuts)
    return list(zip(columns, np.split(np.concatenate(gains)[sort], cuts), strict=True))


def _widened(
    first: NDArray[np.int64], last: NDArray[np.int64], widen: int, total: int | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Half-open frames of each cue from its first and last one; neighbours meet in the middle."""
    between = last[:-1] + (first[1:] - last[:-1] + 1) // 2
    starts, ends = np.maximum(first - widen, 0), last + max(widen, 1)
    starts[1:] = np.maximum(starts[1:], between)
    ends[:-1] = np.minimum(ends[:-1], between)
    return starts, ends if total is None else np.minimum(ends, total)
