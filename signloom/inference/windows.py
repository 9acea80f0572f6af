"""Where a model sees each cue of an episode: what it is asked of which windows, and what comes of it.

A model looks at one window (20 s in the paper) and says where in it a text is signed. Each
cue is asked for in the window around where it is expected; where that is not known well, or
the cue is longer than a window, in several that overlap by half, and their answers are merged
(F3.1 [D]). The answers then are evidence in the program that places all cues (``align``), or
are placed by the paper's plateau and warping (``plateau``) [S].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.lips import Lips
from signloom.data.timing import Seconds, Span
from signloom.inference.align import Alignment, Evidence, Placed
from signloom.inference.evidence import Posteriors
from signloom.inference.locate import Located, Locator, Query
from signloom.inference.plateau import place_cues, plateau
from signloom.pose.convert import convert
from signloom.text.clean import clean

Array = NDArray[np.float64]
Place = Literal["program", "plateau"]
ReadLips = Callable[[Span], Lips | None]

WEIGHT = 0.25
"""Of posteriors in the program; see ``evidence_of``. Of 0.15 to 2 the best, or within 1 point of
F1@.50 of it, for planted answers (off by 0.5 to 3 s, 10 to 30 % of them anywhere, some far too sure)
on six episodes of the dev split of sim-episodes-v1; a weight of 1 loses 2 to 15 points [D]."""
THRESHOLD = 0.05
"""Of plateaus: 0.4, the released code's, cuts a tenth off either end, and loses 2 to 6 points there [D]."""
STRETCH: Seconds = 120.0
"""How much of an episode is read at a time, and a window more."""
PAST: Seconds = 90.0
"""How far beyond its windows a cue's posterior goes on at its base rate."""
UNSURE, LOST = 0.5, 0.25
"""A cue that the program alone places with less confidence than the first is looked for half a
window further to either side, with less than the second one and a half windows further."""
SAME = 0.5
"""Spans that overlap by so much of their union are of one place."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of a cue, all windows together.

    start: of the posterior, seconds of the clip; fps: its rate. posterior: (frames,) in [0, 1].
    spans: (seconds of the clip, probability), likeliest first; they sum to at most 1.
    """

    start: Seconds
    fps: float
    posterior: Array
    spans: tuple[tuple[Span, float], ...]


def queries_for(
    cues: Sequence[Cue],
    duration: Seconds,
    window: Seconds,
    expected: Sequence[Span] | None = None,
    reach: Sequence[Seconds] | Seconds = 0.0,
) -> list[tuple[Query, ...]]:
    """What to ask of each cue: one window around the middle of where it is expected, or several.

    duration: of the clip. expected: where each cue is thought to be signed; None: when it is
    said [S]. reach: how much earlier or later that may be (of each, or of all). Where the
    expected time and its reach do not fit into one window there are several, each at most half
    a window after the one before. Windows lie inside the clip; a shorter clip is one window.

    A cue that is expected outside the clip is not asked for: its tuple is empty.
    """
    places = [cue.span for cue in cues] if expected is None else expected
    reaches = [reach] * len(cues) if isinstance(reach, int | float) else reach
    found: list[tuple[Query, ...]] = []
    for k, (cue, place, far) in enumerate(zip(cues, places, reaches, strict=True)):
        if place.start >= duration or place.end < 0:
            found.append(())
            continue
        before = clean(cues[k - 1].text) if k else ""
        found.append(
            tuple(
                Query(part, clean(cue.text), cue.span, before)
                for part in _windows(place, far, window, duration)
            )
        )
    return found


def _windows(place: Span, reach: Seconds, window: Seconds, duration: Seconds) -> list[Span]:
    low, high = place.start - reach, place.end + reach
    if high - low <= window:
        starts = [(low + high - window) / 2]
    else:
        count = 1 + math.ceil((high - low - window) / (window / 2) - 1e-9)
        starts = np.linspace(low, high - window, count).tolist()
    last = max(duration - window, 0.0)
    inside = dict.fromkeys(min(max(start, 0.0), last) for start in starts)
    return [Span(start, min(start + window, duration)) for start in inside]


def ask(
    model: Locator,
    read: Callable[[Span], PoseClip],
    queries: Sequence[Sequence[Query]],
    stretch: Seconds = STRETCH,
    mouths: ReadLips | None = None,
) -> list[Answer | None]:
    """The model's answer for each cue; None for one that is asked nothing.

    read: a stretch of the clip (seconds) to its frames, as ``pose.files.read_pose``; the
    frames begin at the one nearest to its start. At most ``stretch`` seconds and a window are
    held at a time, and the model sees each stretch once, with all queries that begin in it.

    mouths: the same stretch to its lips, for a model that reads them; None: it is given none.

    Raises UsageError where the clip's layout does not convert to the model's.
    """
    waiting = sorted(
        ((query, cue) for cue, asked in enumerate(queries) for query in asked),
        key=lambda pair: (pair[0].window.start, pair[0].window.end, pair[1]),
    )
    told: dict[int, list[tuple[Query, Located]]] = {}
    done = 0
    chunk: Seconds = getattr(model, "chunk", 0.0)
    while done < len(waiting):
        first = waiting[done][0].window.start
        first -= first % chunk if chunk else 0.0  # so that chunks begin where the recording's do
        here = [pair for pair in waiting[done:] if pair[0].window.start <= first + stretch]
        end = max(query.window.end for query, _ in here)
        span = Span(first, end)
        clip = convert(read(span), model.layout)
        lips = None if mouths is None else mouths(span)
        local = [_moved(query, -first) for query, _ in here]
        for (query, cue), located in zip(here, model.locate(clip, local, lips), strict=True):
            spans = tuple((span.shifted(first), p) for span, p in located.spans)
            told.setdefault(cue, []).append((query, replace(located, spans=spans)))
        done += len(here)
    return [merged(told[cue], model.fps) if cue in told else None for cue in range(len(queries))]


def _moved(query: Query, by: Seconds) -> Query:
    prior = None if query.prior is None else query.prior.shifted(by)
    return replace(query, window=query.window.shifted(by), prior=prior)


def merged(told: Sequence[tuple[Query, Located]], fps: float) -> Answer:
    """One answer from those of several windows, which may overlap.

    A window is as sure as the probability at its likeliest place. A frame's posterior is the
    largest that a window gives it, each in proportion to the surest window. Spans are the
    windows' own, each with the share of its window; those of sure windows that are one place
    seen through two windows are joined, so that a cue longer than a window is whole again.
    """
    start = min(query.window.start for query, _ in told)
    end = max(query.window.end for query, _ in told)
    sure = np.array([_sureness(located) for _, located in told])
    share = sure / sure.sum() if sure.sum() > 0 else np.full(len(told), 1 / len(told))
    scale = share / share.max()
    offsets = [round((query.window.start - start) * fps) for query, _ in told]
    frames = max(o + len(located.posterior) for o, (_, located) in zip(offsets, told, strict=True))
    posterior = np.zeros(max(frames, round((end - start) * fps)))
    for offset, factor, (_, located) in zip(offsets, scale, told, strict=True):
        there = posterior[offset : offset + len(located.posterior)]
        np.maximum(there, factor * located.posterior, out=there)
    spans = [
        (span, float(part * p))
        for part, (_, located) in zip(share, told, strict=True)
        for span, p in located.spans
    ]
    spans.sort(key=lambda pair: -pair[1])
    if len(told) > 1 and spans:
        whole = _joined([pair for pair, s in zip(told, scale, strict=True) if s >= SAME])
        alike = [p for span, p in spans if _overlap(span, whole) > 0]
        others = [(span, p) for span, p in spans if _overlap(span, whole) <= 0]
        spans = [(whole, min(sum(alike, 0.0), 1.0)), *others]
    return Answer(start, fps, posterior, tuple(spans))


def _sureness(located: Located) -> float:
    """How much of an answer's probability is at its likeliest place."""
    if not located.spans:
        return 0.0
    best = located.spans[0][0]
    return sum(p for span, p in located.spans if span == best or _overlap(span, best) >= SAME)


def _joined(told: Sequence[tuple[Query, Located]]) -> Span:
    """The likeliest span of the surest window, as far as the others see it go on."""
    seen = [(query.window, located.spans[0][0]) for query, located in told if located.spans]
    surest = max((pair for pair in told if pair[1].spans), key=lambda pair: _sureness(pair[1]))
    one = [(surest[0].window, surest[1].spans[0][0])]
    rest = [pair for pair in seen if pair != one[0]]
    grown = True
    while grown:
        near = [pair for pair in rest if any(_one_place(pair, other) for other in one)]
        rest = [pair for pair in rest if pair not in near]
        one += near
        grown = bool(near)
    return Span(min(span.start for _, span in one), max(span.end for _, span in one))


def _one_place(a: tuple[Span, Span], b: tuple[Span, Span]) -> bool:
    """Whether two (window, span) agree in what both windows show, and show some of both spans."""
    low, high = max(a[0].start, b[0].start), min(a[0].end, b[0].end)
    cut = [Span(min(max(s.start, low), high), min(max(s.end, low), high)) for _, s in (a, b)]
    return high > low and _overlap(*cut) >= SAME


def _overlap(a: Span, b: Span) -> float:
    """Intersection over union; 0 where neither lasts."""
    union = max(a.end, b.end) - min(a.start, b.start)
    return max(min(a.end, b.end) - max(a.start, b.start), 0.0) / union if union > 0 else 0.0


def evidence_of(answers: Mapping[int, Answer], weight: float = WEIGHT) -> Posteriors:
    """The answers (cue number → answer) as evidence for the program.

    weight: nats a second is worth for each nat that its frames say, as in ``Posteriors``.
    Beyond its windows a cue's posterior goes on at its mean: a model that says the same of
    every frame then draws the cue neither into its windows nor out of them.
    """
    rates = {answer.fps for answer in answers.values()}
    assert len(rates) <= 1, f"answers at {rates} frames a second are of more than one model"
    fps = rates.pop() if rates else 1.0
    past = round(PAST * fps)
    usual = {k: min(float(a.posterior.mean()), 0.5) for k, a in answers.items() if len(a.posterior)}
    probability = {
        k: np.pad(np.clip(answers[k].posterior, 0, 1), past, constant_values=mean)
        for k, mean in usual.items()
    }
    first = {k: answers[k].start - past / fps for k in usual}
    return Posteriors(probability, fps, first, weight)


def placed_by_plateau(
    answers: Mapping[int, Answer],
    priors: Sequence[Span],
    fps: float,
    duration: Seconds,
    threshold: float = THRESHOLD,
) -> list[Span]:
    """Spans in the order of ``priors``, none overlapping: the paper's own way [S: A.6].

    Each cue's likeliest span becomes a plateau with cosine edges; one path gives every frame to
    one cue. A cue without an answer keeps its prior. threshold: as in ``place_cues``.
    """
    shapes = {k: plateau(answer.spans[0][0], fps) for k, answer in answers.items() if answer.spans}
    return place_cues(shapes, priors, fps, threshold, total=math.ceil(duration * fps))


@dataclass(frozen=True)
class WithModel:
    """What a model adds once the program alone has placed the cues; goes into ``retime``.

    read, mouths: see ``ask``. place: whether the answers are evidence in the program, or are placed
    by plateau and warping. weight: see ``evidence_of``.
    """

    model: Locator
    read: Callable[[Span], PoseClip]
    duration: Seconds
    place: Place = "program"
    weight: float = WEIGHT
    mouths: ReadLips | None = None

    def __call__(
        self,
        cues: Sequence[Cue],
        found: Alignment,
        fixed: Mapping[int, Span],
        again: Callable[[Sequence[Evidence]], Alignment],
    ) -> Alignment:
        """The cues placed anew. found: what the program says without the model; fixed: cue
        number → where it stays; again: the program with more evidence."""
        return self.placed(self.answers(cues, found, fixed), found, fixed, again)

    def answers(
        self, cues: Sequence[Cue], found: Alignment, fixed: Mapping[int, Span]
    ) -> dict[int, Answer]:
        """Cue number → answer; each cue is looked for around where the program alone put it."""
        reach = [
            0.0 if p.confidence >= UNSURE else (1.5 if p.confidence < LOST else 0.5) * window
            for p in found.placed
            for window in [self.model.window]
        ]
        queries = queries_for(
            cues, self.duration, self.model.window, [_hull(p) for p in found.placed], reach
        )
        asked = [() if k in fixed else query for k, query in enumerate(queries)]
        told = ask(self.model, self.read, asked, mouths=self.mouths)
        return {k: answer for k, answer in enumerate(told) if answer is not None}

    def placed(
        self,
        answers: Mapping[int, Answer],
        found: Alignment,
        fixed: Mapping[int, Span],
        again: Callable[[Sequence[Evidence]], Alignment],
    ) -> Alignment:
        """The cues placed anew by answers that are there already."""
        if self.place == "program":
            return again([evidence_of(answers, self.weight)])
        fps = self.model.fps
        known = {k: Answer(s.start, fps, np.zeros(0), ((s, 1.0),)) for k, s in fixed.items()}
        priors = [p.prior for p in found.placed]
        spans = placed_by_plateau({**answers, **known}, priors, fps, self.duration)
        placed = tuple(
            Placed(fixed.get(k, span), 1.0 if k in fixed else _agreed(answers.get(k), span), 1.0, p)
            for k, (span, p) in enumerate(zip(spans, priors, strict=True))
        )
        return replace(found, placed=placed)


def _hull(placed: Placed) -> Span:
    """Where a cue is expected: around the lag's place for it, as long as the program has it."""
    middle = (placed.prior.start + placed.prior.end) / 2
    half = placed.span.duration / 2
    return Span(middle - half, middle + half)


def _agreed(answer: Answer | None, span: Span) -> float:
    """The share of an answer's probability that overlaps a span by half; 0 without an answer."""
    if answer is None or not answer.spans:
        return 0.0
    return sum(p for other, p in answer.spans if _overlap(other, span) >= SAME) / max(
        sum(p for _, p in answer.spans), 1e-12
    )
