"""Sentences from pieces of signed sentences: cut where signs end, and put together anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.sample import GlossSpan, Sample, SampleSource
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.stitch.stitcher import joined


@dataclass(frozen=True)
class Spliced:
    """Signed sentences that go over into one another: sample i is a pure function of (seed, i).

    A sentence is signed up to the end of one of its glosses, and goes on as another sentence of the
    same signer does behind that gloss, and so forth. So every pair of neighbours was signed as it
    stands, but for the seam within the one gloss that both have; nothing is moved or blended.

    source: samples whose glosses have times.
    switch: how likely the sentence is left behind a gloss that another one has too.
    longest: no further switch behind so many glosses. rounds: how often the source goes by.
    """

    source: SampleSource
    switch: float = 0.4
    longest: int = 10
    rounds: int = 1
    seed: int = 0

    def __len__(self) -> int:
        return len(self.source) * self.rounds

    def __getitem__(self, index: int) -> Sample:
        """Raises UsageError where a gloss of a sample has no times, or they are out of order."""
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)} spliced sentences")
        rng = np.random.Generator(np.random.Philox(key=[self.seed, index]))
        first = sample = self._timed(index % len(self.source))
        place, pieces, signs, frames = 0, list[PoseClip](), list[GlossSpan](), 0
        while True:
            piece, sign = _piece(sample, place)
            pieces.append(piece)
            signs.append(replace(sign, span=_on(sign.span, frames / piece.fps)))
            frames += len(piece)
            if len(signs) < self.longest and rng.random() < self.switch:
                others = self._places.get((first.signer, sign.gloss), ())
                at, place = others[int(rng.integers(len(others)))]
                sample = self._timed(at)
            place += 1
            if place == len(sample.glosses):
                tail = sample.clip.frames(slice(_ends(sample)[-1], None))
                clip = replace(joined([*pieces, tail]), id=f"spliced-{self.seed}-{index}")
                return replace(
                    first, id=clip.id, clip=clip, text="", glosses=tuple(signs), lips=None
                )

    @cached_property
    def _places(self) -> dict[tuple[str, str], Sequence[tuple[int, int]]]:
        """(signer, gloss) → where it is: (sample, which of its glosses)."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for at in range(len(self.source)):
            sample = self.source[at]
            for place, sign in enumerate(sample.glosses):
                found.setdefault((sample.signer, sign.gloss), []).append((at, place))
        return dict(found)

    def _timed(self, at: int) -> Sample:
        sample = self.source[at]
        ends = [sign.span.end if sign.span else np.nan for sign in sample.glosses]
        if not ends or not (np.diff([0.0, *ends]) > 0).all():
            raise UsageError(
                f"sample '{sample.id}' cannot be spliced: its glosses have no times, or do not end "
                "one after another; splice a corpus with timed glosses"
            )
        return sample


def _ends(sample: Sample) -> list[int]:
    """The frame behind the end of each gloss."""
    spans = [sign.span for sign in sample.glosses if sign.span is not None]
    return [span.frames(sample.clip.fps, len(sample.clip))[1] for span in spans]


def _piece(sample: Sample, place: int) -> tuple[PoseClip, GlossSpan]:
    """A sample from the end of the gloss before to the end of a gloss, and the gloss on its clock."""
    ends = _ends(sample)
    begin = ends[place - 1] if place else 0
    sign = sample.glosses[place]
    span = _on(sign.span, -begin / sample.clip.fps)
    return sample.clip.frames(slice(begin, ends[place])), replace(sign, span=span)


def _on(span: Span | None, by: float) -> Span:
    assert span is not None
    return Span(max(span.start + by, 0.0), span.end + by)
