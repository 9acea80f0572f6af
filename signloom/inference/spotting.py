"""A recogniser of single signs as evidence of where cues are signed: it spots the words of their texts.

A model that names single signs looks at every stretch of an episode; where it sees a sign that a
cue's text has a word for, that speaks for the cue being signed there. The program of ``align`` weighs
this beside all else (`evidence.Spottings`). It takes glosses that are words of the cues' language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import Layout
from signloom.data.timing import Seconds, Span
from signloom.inference.align import Alignment, Evidence
from signloom.inference.evidence import Spotting, Spottings
from signloom.pose.convert import convert
from signloom.text.captions import clean_caption
from signloom.text.clean import words_of
from signloom.text.forms import match

LEAST, MOST = 0.5, 0.98
"""A sign counts as seen from the first probability on, and as no surer than the second. On eight episodes of
the dev split of sim-episodes-v1, .3 to .8 and .9 to .98 differ by 1 point of F1@.50 [D]."""
FAR: Seconds = 90.0
"""Cues further from a sighting than this are not asked."""
STRETCH: Seconds = 60.8
"""How much of an episode is looked at at a time …"""
MARGIN: Seconds = 1.92
"""… with so much before and behind it. Both are whole steps of .16 s."""
ONE_SIGN: Seconds = 0.64
"""A gloss seen twice within so long of the border of two stretches is one sign."""


@dataclass(frozen=True, eq=False)
class Spots:
    """What is signed when in a clip.

    first: seconds of the first moment; step: seconds from one to the next.
    glosses: what each column of probabilities (moments, glosses) is of.
    """

    first: Seconds
    step: Seconds
    glosses: tuple[str, ...]
    probabilities: NDArray[np.float64]


@runtime_checkable
class Spotter(Protocol):
    """A model of single signs that can also name those in continuous signing."""

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def simulated_only(self) -> bool: ...

    @property
    def glosses(self) -> Sequence[str]: ...

    @property
    def spots(self) -> bool:
        """Whether it can: a model of single signs may read what continuous signing does not give."""
        ...

    def spot(self, clip: PoseClip) -> Spots: ...


@dataclass(frozen=True)
class Sighting:
    """A gloss, when it was seen, in seconds, and how likely it is there."""

    gloss: str
    moment: Seconds
    probability: float


def sightings(
    model: Spotter,
    read: Callable[[Span], PoseClip],
    duration: Seconds,
    wanted: set[str],
    least: float = LEAST,
) -> list[Sighting]:
    """Where some glosses are signed in an episode, in order of time; each run of moments above ``least`` once.

    read: a stretch of the episode (seconds) to its frames. At most `STRETCH` and two margins of it
    are held at a time.
    """
    found: list[Sighting] = []
    start = 0.0
    while start < duration:
        end = min(start + STRETCH, duration)
        seen = Span(max(start - MARGIN, 0.0), min(end + MARGIN, duration))
        spots = model.spot(convert(read(seen), model.layout))
        for column, gloss in enumerate(spots.glosses):
            if gloss in wanted:
                for place in peaks(spots.probabilities[:, column], least):
                    moment = seen.start + spots.first + place * spots.step
                    if start - spots.step <= moment < end or end == duration <= moment:
                        chance = float(spots.probabilities[place, column])
                        _add(found, Sighting(gloss, moment, chance), start)
        start = end
    return sorted(found, key=lambda sighting: (sighting.moment, sighting.gloss))


def _add(found: list[Sighting], new: Sighting, border: Seconds) -> None:
    """Adds a sighting; of one sign that both stretches saw at their border, the surer sighting stays."""
    for at, old in enumerate(found):
        near = abs(old.moment - border) < ONE_SIGN and abs(new.moment - border) < ONE_SIGN
        if near and old.gloss == new.gloss:
            if new.probability > old.probability:
                found[at] = new
            return
    found.append(new)


def peaks(probability: NDArray[np.float64], least: float = LEAST) -> list[int]:
    """The highest place of each run of places at or above ``least``.

    >>> peaks(np.array([0.1, 0.6, 0.9, 0.7, 0.2, 0.5]))
    [2, 5]
    """
    above = np.flatnonzero(probability >= least)
    runs = np.split(above, np.flatnonzero(np.diff(above) > 1) + 1) if len(above) else []
    return [int(run[np.argmax(probability[run])]) for run in runs]


def glosses_of(cues: Sequence[Cue], glosses: Sequence[str]) -> list[frozenset[str]]:
    """Of each cue, the glosses that a word of its text stands for (`text.forms`), in any case."""
    plain = {gloss.casefold().replace("_", " "): gloss for gloss in glosses}
    found = []
    for cue in cues:
        words = words_of(clean_caption(cue.text))
        found.append(frozenset(plain[each.entry] for each in match(words, plain) if each.entry))
    return found


def spottings(
    seen: Sequence[Sighting],
    words: Sequence[frozenset[str]],
    expected: Sequence[Span],
    most: float = MOST,
) -> Spottings:
    """Sightings as evidence: each goes to every cue that has a word for it and may be near.

    expected: where each cue is thought to be signed. A sign that several cues near have speaks for each of
    them alike, and the program lets one of them have it.
    """
    return Spottings(
        [
            Spotting(cue, sighting.moment, min(sighting.probability, most))
            for sighting in seen
            for cue, (mine, span) in enumerate(zip(words, expected, strict=True))
            if sighting.gloss in mine and abs(sighting.moment - (span.start + span.end) / 2) <= FAR
        ]
    )


@dataclass(frozen=True)
class WithSpotter:
    """What a recogniser adds once the program alone has placed the cues; goes into ``retime``.

    read: see `sightings`. tell: is given what was seen, for who wants to show it.
    """

    model: Spotter
    read: Callable[[Span], PoseClip]
    duration: Seconds
    tell: Callable[[Sequence[Sighting]], None] = lambda seen: None

    def __call__(
        self,
        cues: Sequence[Cue],
        found: Alignment,
        fixed: Mapping[int, Span],
        again: Callable[[Sequence[Evidence]], Alignment],
    ) -> Alignment:
        """The cues placed anew. found: what the program says without the model; again: the program
        with more evidence. ``fixed`` cues stay where they are in ``again``."""
        words = glosses_of(cues, self.model.glosses)
        seen = sightings(self.model, self.read, self.duration, set().union(*words))
        self.tell(seen)
        return again([spottings(seen, words, [placed.span for placed in found.placed])])
