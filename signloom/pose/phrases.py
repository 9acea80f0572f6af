"""Phrases while the signing goes on: what `activity` says, a little behind the present.

Every HOP seconds the last WINDOW seconds are looked at as `signloom segment` looks at a recording, and
what lies AHEAD seconds back is settled and never looked at again. A phrase comes out when nothing that
may follow can change it. What has been settled is cut exactly as `Activity.phrases` cuts it; it
differs from what a whole recording gives in that the future is not known, and no further back than WINDOW.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.timing import Seconds, Span
from signloom.pose.activity import APART, Activity, TrackReader, activity, spans_of

WINDOW: Seconds = 30.0
HOP: Seconds = 0.2
AHEAD: Seconds = 1.0
LEAST: Seconds = 0.4
GAP: Seconds = 0.3
NEAR: Seconds = LEAST + APART
"""A cut without a pause stands when so much behind it is settled, and no boundary is nearer than LEAST …"""
HOLD: Seconds = NEAR + LEAST + GAP
"""… which else may or may not become the cut: so long until that is plain."""
MOST: Seconds = 60.0
"""Of signing without a pause, so much is held before what has come out of it is forgotten."""


@dataclass(frozen=True)
class Phrase:
    """A stretch of signing; times in seconds of the stream. cut: it was ended for being too long."""

    span: Span
    cut: bool = False


class PhraseStream:
    """Phrases as frames come; how the frames are dealt out makes no difference.

    longest: a phrase that is longer is cut there, seconds. look_ahead: the longest that the end of a
    phrase is waited for, seconds of the stream; mostly it is less by HOLD − NEAR, after a pause by HOLD − GAP.
    """

    def __init__(self, longest: Seconds = math.inf):
        self.look_ahead: Seconds = AHEAD + HOLD + HOP
        self.cutter = PhraseCutter(longest)
        self._reader: TrackReader | None = None
        self._waiting: list[PoseClip] = []
        self._taken, self._settled = 0, 0  # frames that were looked at, and of which all is said

    def push(self, piece: PoseClip) -> list[Phrase]:
        """The phrases that these further frames, as many as there are, have made certain.

        Raises UsageError where there are neither hands nor wrists in the layout, or it changes.
        """
        hop = max(round(HOP * piece.fps), 1)
        found: list[Phrase] = []
        first = 0
        while first < len(piece):
            last = min(first + hop - sum(map(len, self._waiting)), len(piece))
            self._waiting.append(piece.frames(slice(first, last)))
            first = last
            if sum(map(len, self._waiting)) == hop:
                self._look(joined(self._waiting))
                self._waiting = []
                found += self._settle(self._taken - round(AHEAD * piece.fps))
        return found

    def finish(self) -> list[Phrase]:
        """The rest: nothing more will come."""
        if self._waiting:
            self._look(joined(self._waiting))
        self._waiting = []
        return self._settle(self._taken) + self.cutter.finish()

    def _look(self, hop: PoseClip) -> None:
        if self._reader is None:
            self._reader = TrackReader(hop)
        self._reader.take(hop)
        del self._reader.rows[: -round(WINDOW / HOP)]
        self._taken += len(hop)

    def _settle(self, until: int) -> list[Phrase]:
        """What is said of the frames before ``until`` stands."""
        if until <= self._settled:
            return []
        assert self._reader is not None
        seen = activity(self._reader.track())
        first = self._taken - len(seen)
        new = slice(self._settled - first, until - first)
        self._settled = until
        return self.cutter.take(_part(seen, new))


class PhraseCutter:
    """Settled activity in, phrases out: those of `Activity.phrases`, as soon as they are certain.

    Two things differ, so that what is held has an end: a phrase is at most ``longest`` seconds, and of signing
    that goes on for longer than MOST without a pause what has come out is forgotten.
    """

    def __init__(self, longest: Seconds = math.inf):
        self.longest = longest
        self.open: Span | None = None
        """The phrase in progress, so far."""
        self.keep: Seconds = 0.0
        """No phrase that is still to come starts before this."""
        self._held: Activity | None = None
        self._begin, self._said = 0, 0  # frames: where what is held begins, the last phrase ended

    def take(self, settled: Activity) -> list[Phrase]:
        """The phrases that these further frames have made certain."""
        self._held = settled if self._held is None else _behind(self._held, settled)
        return self._certain(self._held, self._begin + _going(self._held))

    def finish(self) -> list[Phrase]:
        """The rest."""
        if self._held is None:
            return []
        return self._certain(self._held, self._begin + len(self._held))

    def _certain(self, held: Activity, going: int) -> list[Phrase]:
        """Each phrase that stands, once. going: from this frame on signing may go on."""
        fps, total = held.fps, self._begin + len(held)
        near, sure = (total - math.ceil(wait * fps) for wait in (NEAR, HOLD))
        boundaries = self._begin + held.boundaries()
        self.open = None
        found: list[Phrase] = []
        for span in held.phrases(LEAST):
            first, last = (self._begin + frame for frame in span.frames(fps))
            unsure = (boundaries > last) & (boundaries < last + LEAST * fps)
            stands = last <= max(going, sure if unsure.any() else near)
            first = max(first, self._said)
            while min(last, total if stands else sure) - first > self.longest * fps:
                self._said = first + math.floor(self.longest * fps)
                found.append(Phrase(Span.of_frames(first, self._said, fps), cut=True))
                first = self._said
            if not stands:
                self.open = Span.of_frames(first, last, fps)
                break
            if last - first >= LEAST * fps:
                found.append(Phrase(Span.of_frames(first, last, fps)))
                self._said = last
        begin = going if total - going <= MOST * fps else max(self._said, going)
        self._held = _part(held, slice(begin - self._begin, None))
        self._begin = begin
        self.keep = max(begin, self._said) / fps
        return found


def _part(of: Activity, frames: slice) -> Activity:
    return Activity(of.fps, of.signing[frames], of.starts[frames], of.ends[frames])


def _behind(first: Activity, second: Activity) -> Activity:
    pairs = zip(
        (first.signing, first.starts, first.ends),
        (second.signing, second.starts, second.ends),
        strict=True,
    )
    return Activity(first.fps, *(np.concatenate(pair) for pair in pairs))


def _going(known: Activity) -> int:
    """The first frame of the signing that may go on behind what is known; its end where none does."""
    runs = spans_of(known.signing > 0.5, known.fps, gap=GAP)
    if not runs:
        return len(known)
    first, last = runs[-1].frames(known.fps)
    return first if (len(known) - last) / known.fps <= GAP else len(known)


def joined(pieces: Sequence[PoseClip]) -> PoseClip:
    """Pieces of one clip, at least one, behind each other."""
    if len(pieces) == 1:
        return pieces[0]
    return pieces[0].with_points(
        np.concatenate([piece.points for piece in pieces]),
        np.concatenate([piece.confidence for piece in pieces]),
    )
