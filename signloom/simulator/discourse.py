"""Sentence after sentence by one signer: minutes of signing as one performance.

Signs and postures (``posture``) stand in one row, and a single performance moves through
all of them: there is no seam at a sentence's end that would tell an aligner where it is.
What does tell of it is what the literature finds at boundaries, and none of it always: the
last sign is longer, the hands hold, the eyes blink, the head nods, brows are reset, the
body shifts, the next sentence starts more slowly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.simulator.corpora import pauses_of, signs_of
from signloom.simulator.grammar import SimulatedSentence
from signloom.simulator.perform import (
    FACE_CHANNELS,
    FPS,
    Performance,
    Performed,
    Plan,
    brows_of,
    drift,
    hands_of,
    minimum_jerk,
    path_of,
    plan_of,
    smooth,
    stroke_seconds,
)
from signloom.simulator.phonology import VISEMES, draws
from signloom.simulator.posture import Posture, clasped, idling, resting, sinking
from signloom.simulator.signer import Signer

Array = NDArray[np.float64]
Frames = NDArray[np.int_]
Pauses = Literal["natural", "dense", "sparse"]

SHORT = 0.3
"""Seconds; a shorter pause between sentences is none to speak of."""
HASTE = 1.7
"""How much faster an interpreter signs than the signers of sim-sentences-v1, to keep up."""
CLOSER = 0.9
"""… and how much smaller."""
UNHURRIED = 1.3
"""How much longer the way from and to a posture takes than that between signs."""
FASTEST = 4.0
"""Top speed of a hand between two signs, metres a second."""


@dataclass(frozen=True)
class _Style:
    """How boundaries are distributed: shares of each kind; the rest is long.

    short: under 0.3 s; middle: 0.3 to 0.8 s; idle: stretches of 4 to 40 s without signing.
    long: median and largest of the long pauses, seconds.
    """

    short: float
    middle: float
    idle: float
    long: tuple[float, float]


STYLES: dict[str, _Style] = {
    "natural": _Style(0.48, 0.28, 0.06, (1.5, 4.0)),
    "dense": _Style(1.0, 0.0, 0.0, (1.5, 4.0)),
    "sparse": _Style(0.49, 0.15, 0.13, (2.4, 8.0)),
}


@dataclass(frozen=True)
class Rest:
    """A stretch without signing, and what the hands do."""

    span: Span
    kind: str


@dataclass(frozen=True, eq=False)
class _Element:
    """A sign or a posture in its place.

    sentence, token: which one it belongs to; −1 for a posture.
    hold: seconds that the hands stay after it; stretch: of its own length; pace: of the way to it.
    """

    what: Performed | Posture
    sentence: int = -1
    token: int = -1
    hold: float = 0.0
    stretch: float = 1.0
    pace: float = 1.0


@dataclass(frozen=True, eq=False)
class _Boundary:
    """What comes before a sentence: seconds of pause wished for, and postures in it."""

    pause: float
    hold: float
    share: float
    postures: tuple[Posture, ...]
    idle: bool = False


@dataclass(frozen=True, eq=False)
class Discourse:
    """The sentences that a signer signs, when, and how.

    sentences: with (first, last) frames in ``bounds``, half open: from the preparation of
    the first sign to the end of the last one's hold. ``glosses``: of each sentence.
    """

    sentences: tuple[SimulatedSentence, ...]
    bounds: tuple[tuple[int, int], ...]
    glosses: tuple[tuple[GlossSpan, ...], ...]
    rests: tuple[Rest, ...]
    frames: int
    signer: Signer
    key: tuple[object, ...]
    _elements: tuple[_Element, ...]
    _plan: Plan
    _keys: tuple[Array, Array, Array]
    _lengths: Frames
    _holds: Frames

    @cached_property
    def performance(self) -> Performance:
        """All of it, frame by frame."""
        lengths, holds = self._lengths, self._holds
        segment = np.repeat(np.arange(len(lengths)), lengths)
        starts = np.cumsum(lengths) - lengths
        hold = holds[segment]
        within = np.arange(len(segment)) - starts[segment]
        phase = np.clip((within + 0.5 - hold) / np.maximum(lengths[segment] - hold, 1), 0, 1)
        wrists, turns, shapes = hands_of(self._plan, self._keys, segment, phase, self.signer)
        face, head, trunk = _non_manuals(self, starts[1::2], starts[1::2] + lengths[1::2])
        return Performance(FPS, wrists, turns, shapes, face, head, trunk, ())


def discourse(
    sentence: Callable[[int], SimulatedSentence],
    signer: Signer,
    key: tuple[object, ...],
    pauses: str,
    seconds: float,
    language_seed: int,
    lead: float,
) -> Discourse:
    """As many of ``sentence(0)``, ``sentence(1)``, … as ``signer`` signs in ``seconds``.

    pauses: one of STYLES. lead: seconds of rest before the first sentence.
    """
    signer = replace(signer, tempo=signer.tempo * HASTE, amplitude=signer.amplitude * CLOSER)
    total = round(seconds * FPS)
    count = int(seconds / 3.2) + 8
    while True:
        said = [sentence(k) for k in range(count)]
        made = _made(said, signer, key, STYLES[pauses], total, language_seed, lead)
        if made is not None:
            return made
        count += count // 2


def _made(
    said: Sequence[SimulatedSentence], signer: Signer, key: tuple[object, ...], style: _Style,
    total: int, language_seed: int, lead: float,
) -> Discourse | None:  # fmt: skip
    """None where the sentences do not fill ``total`` frames."""
    boundaries = [_boundary(k, signer, key, style) for k in range(len(said))]
    rng = draws(*key, "ends")
    opening = resting(signer, rng, lead)
    closing = resting(signer, rng, 1.0)
    elements = [_Element(opening)]
    for k, one in enumerate(said):
        if k:
            elements += [_Element(p, pace=p.pace) for p in boundaries[k].postures]
        elements += _signed(k, one, draws(*key, "signs", k), boundaries, language_seed)
    signs = [e.what for e in elements if isinstance(e.what, Performed)]
    plan = plan_of(signs, signer, draws(*key, "signing"), False)
    times = _Times(len(elements) + 1, draws(*key, "times"))
    laid = _laid(elements, plan, signer, times, boundaries, opening)
    room = total - round((1.5 + 2.5 * rng.random()) * FPS)
    fits = sum(last <= room for _, last in laid.bounds)
    if fits == len(said):
        return None
    fits = max(fits, 1)
    cut = next(i for i, e in enumerate(elements) if e.sentence == fits)
    while isinstance(elements[cut - 1].what, Posture):
        cut -= 1
    kept = [*elements[:cut], _Element(closing, pace=closing.pace)]
    laid = _laid(kept, plan, signer, times, boundaries, opening)
    missing = total - int(laid.lengths.sum())
    laid.lengths[-2] = max(laid.lengths[-2] + missing, 1)
    return Discourse(
        tuple(said[:fits]), tuple(laid.bounds), tuple(_glosses(kept, said, laid)),
        tuple(_rests(kept, laid)), int(laid.lengths.sum()), signer, key, tuple(kept),
        laid.plan, laid.keys, laid.lengths, laid.holds,
    )  # fmt: skip


def _boundary(k: int, signer: Signer, key: tuple[object, ...], style: _Style) -> _Boundary:
    """The boundary before sentence k."""
    rng = draws(*key, "boundary", k)
    roll, share = rng.random(), 0.3 + 0.3 * rng.random()
    hold = 0.04 + 0.20 * rng.random() if rng.random() < 0.5 else 0.0
    if style.idle and (roll := roll - style.idle) < 0:
        length = float(np.clip(11 * np.exp(0.6 * rng.standard_normal()), 4.5, 38))
        return _Boundary(length, hold, share, tuple(idling(signer, rng, length)), True)
    roll /= 1 - style.idle
    if roll < style.short:
        return _Boundary(0.28 * rng.random(), hold, share, ())
    if roll < style.short + style.middle:
        length = SHORT + 0.5 * rng.random()
        sink = rng.random() < 0.5
        return _Boundary(length, hold, share, (sinking(signer, rng, 0.0),) if sink else ())
    median, most = style.long
    length = float(np.clip(median * np.exp(0.5 * rng.standard_normal()), 0.8, most))
    kind = rng.random()
    make = resting if kind < 0.6 else clasped if kind < 0.85 else sinking
    return _Boundary(length, hold, share, (make(signer, rng, 0.0),))


def _signed(
    k: int, said: SimulatedSentence, rng: np.random.Generator, boundaries: Sequence[_Boundary],
    language_seed: int,
) -> list[_Element]:  # fmt: skip
    """The signs of sentence k: the first comes more slowly, the last is often longer."""
    signs = [(i, s) for i, t in enumerate(said.tokens) for s in signs_of(t, language_seed)]
    holds = pauses_of([said.tokens[i] for i, _ in signs], rng)
    made = [_Element(s, k, i, hold) for (i, s), hold in zip(signs, holds, strict=True)]
    slow, longer, by = 1.0 + 0.3 * rng.random(), rng.random() < 0.6, 1.15 + 0.55 * rng.random()
    made[0] = replace(made[0], pace=slow)
    made[-1] = replace(made[-1], stretch=by if longer else 1.0)
    return made


class _Times:
    """What chance adds to the lengths of movements and signs, for up to ``count`` elements."""

    def __init__(self, count: int, rng: np.random.Generator):
        self.sway = np.exp(0.12 * rng.standard_normal((count + 1, 2)))
        self.held = 0.04 * rng.random(count)
        self.keep = 0.9 * rng.random(count)


@dataclass(frozen=True, eq=False)
class _Laid:
    """Elements in time: frames of every segment (way, element, way, …), keys between them."""

    plan: Plan
    keys: tuple[Array, Array, Array]
    lengths: Frames
    holds: Frames
    bounds: list[tuple[int, int]]


def _laid(
    elements: Sequence[_Element], signs: Plan, signer: Signer, times: _Times,
    boundaries: Sequence[_Boundary], rest: Posture,
) -> _Laid:  # fmt: skip
    plan, keys = _placed(elements, signs, times, rest)
    count = len(elements)
    gap = np.linalg.norm(keys[0][1::2] - keys[0][0::2], axis=-1).max(1)
    ways = 0.14 + 0.42 * np.sqrt(gap)
    own = np.empty(count)
    still = np.array([isinstance(e.what, Posture) for e in elements])
    ways[:-1][still] *= UNHURRIED
    ways[1:-1][still[:-1]] *= UNHURRIED
    for i, element in enumerate(elements):
        ways[i] *= element.pace
        if isinstance(element.what, Posture):
            own[i] = element.what.seconds * signer.tempo / times.sway[i, 1]
        else:
            own[i] = element.stretch * stroke_seconds(element.what, int(plan.strokes[i]))
            if element.what.kind == "letter":
                ways[i] *= 0.7
    sway = times.sway[: count + 1] / signer.tempo * FPS
    least = np.maximum(np.ceil(1.875 * gap / FASTEST * FPS), 3)  # minimum jerk: top over mean speed
    way = np.maximum(np.rint(ways * sway[:, 0]), least).astype(int)
    stay = np.maximum(np.rint(own * sway[:count, 1]), 3).astype(int)
    hold = np.rint([
        (e.hold + times.held[i]) * FPS if e.sentence >= 0 else 0.0 for i, e in enumerate(elements)
    ]).astype(int)  # fmt: skip
    opens = [i for i, e in enumerate(elements) if e.sentence >= 0 and _opens(elements, i)]
    ends = [*(i - 1 for i in opens[1:]), count - 1]
    final, early = [0] * len(opens), [0] * len(opens)
    for k, first in enumerate(opens):  # first, last: indices of the sentence's elements
        last = ends[k]
        while elements[last].sentence < 0:
            last -= 1
        ends[k] = last
        after = boundaries[k + 1] if k + 1 < len(boundaries) else boundaries[0]
        final[k] = hold[last] = round(after.hold * FPS)
        if k == 0:
            early[k] = round(boundaries[0].share * way[first])
            continue
        before, wished = boundaries[k], round(boundaries[k].pause * FPS)
        early[k] = round(before.share * way[first])
        if first == ends[k - 1] + 1:
            early[k] = min(max(early[k], way[first] - wished), way[first])
            hold[first - 1] += max(wished - (way[first] - early[k]), 0)
        elif not before.idle:
            stay[first - 1] = max(wished - way[first - 1] - (way[first] - early[k]), 2)
    lengths = np.empty(2 * count + 1, int)
    holds = np.zeros(2 * count + 1, int)
    holds[2::2] = hold
    lengths[0::2], lengths[1::2] = way + holds[0::2], stay
    starts = np.cumsum(lengths) - lengths
    bounds = [
        (
            int(starts[2 * first + 1] - early[k]),
            int(starts[2 * last + 1] + lengths[2 * last + 1] + final[k]),
        )
        for k, (first, last) in enumerate(zip(opens, ends, strict=True))
    ]
    return _Laid(plan, keys, lengths, holds, bounds)


def _opens(elements: Sequence[_Element], i: int) -> bool:
    return i == 0 or elements[i - 1].sentence != elements[i].sentence


def _placed(
    elements: Sequence[_Element], signs: Plan, times: _Times, rest: Posture
) -> tuple[Plan, tuple[Array, Array, Array]]:
    """What every element asks of the hands, and where they are at its start and its end."""
    count = len(elements)
    which = np.array([i for i, e in enumerate(elements) if isinstance(e.what, Performed)])

    def spread(values: NDArray[Any], fill: float = 0.0) -> NDArray[Any]:
        whole = np.full((count, *values.shape[1:]), fill, values.dtype)
        whole[which] = values[: len(which)]
        return whole

    plan = Plan(
        spread(signs.centre), spread(signs.along), spread(signs.across), spread(signs.pivot, 0.5),
        spread(signs.phase), spread(signs.turns), spread(signs.first), spread(signs.last),
        spread(signs.active), spread(signs.path), spread(signs.local), spread(signs.strokes, 1.0),
    )  # fmt: skip
    idle = (rest.wrists, rest.turns, rest.shapes)
    keys = (
        np.empty((2 * count + 2, 2, 3)),
        np.empty((2 * count + 2, 2, 6)),
        np.empty((2 * count + 2, 2, 16)),
    )
    everyone = np.arange(count)
    for k, u in ((1, 0.0), (2, 1.0)):
        keys[0][k:-1:2] = path_of(plan, everyone, np.full(count, u))
        keys[1][k:-1:2] = plan.turns
        keys[2][k:-1:2] = plan.first if u == 0 else plan.last
    for keyed, at in zip(keys, idle, strict=True):
        keyed[0] = keyed[-1] = at
    for i, element in enumerate(elements):
        k = 2 * i + 1
        if isinstance(element.what, Posture):
            _put(element.what, i, plan, keys)
        elif not plan.active[i, 1]:  # the other hand sinks, or lingers where it was
            for keyed, at in zip(keys, idle, strict=True):
                keyed[k : k + 2, 1] = at[1] + times.keep[i] * (keyed[k - 1, 1] - at[1])
    for keyed in keys:
        keyed[-1] = keyed[-2]
    return plan, keys


def _put(posture: Posture, i: int, plan: Plan, keys: tuple[Array, Array, Array]) -> None:
    """The posture as element i, from where the hands were, in place."""
    k = 2 * i + 1
    wanted = (posture.wrists, posture.turns, posture.shapes)
    for keyed, at in zip(keys, wanted, strict=True):
        keyed[k : k + 2] = keyed[k - 1] + posture.share * (at - keyed[k - 1])
    plan.centre[i], plan.turns[i] = keys[0][k], keys[1][k]
    plan.first[i] = plan.last[i] = keys[2][k]
    if posture.along is not None:
        plan.along[i], plan.path[i], plan.strokes[i] = posture.along, 1, posture.strokes
        plan.active[i] = (posture.along != 0).any(-1)
        keys[0][k] -= 0.5 * posture.along
        keys[0][k + 1] += 0.5 * posture.along


def _glosses(
    elements: Sequence[_Element], said: Sequence[SimulatedSentence], laid: _Laid
) -> Iterator[tuple[GlossSpan, ...]]:
    """Of each sentence; the first starts, and the last ends, with the sentence."""
    starts = np.cumsum(laid.lengths) - laid.lengths
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for i, element in enumerate(elements):
        if element.sentence >= 0:
            first, last = int(starts[2 * i + 1]), int(starts[2 * i + 2])
            place = (element.sentence, element.token)
            found[place] = (found.get(place, (first, 0))[0], last)
    for k, (begin, end) in enumerate(laid.bounds):
        tokens = said[k].tokens
        frames = [found[k, j] for j in range(len(tokens))]
        frames[0] = (begin, frames[0][1])
        frames[-1] = (frames[-1][0], end)
        yield tuple(
            GlossSpan(token.gloss, Span.of_frames(*at, FPS))
            for token, at in zip(tokens, frames, strict=True)
        )


def _rests(elements: Sequence[_Element], laid: _Laid) -> Iterator[Rest]:
    """What fills the time between sentences, where that is more than a short pause."""
    starts = np.cumsum(laid.lengths) - laid.lengths
    free = [0, *(edge for bound in laid.bounds for edge in bound), int(laid.lengths.sum())]
    for begin, end in zip(free[::2], free[1::2], strict=True):
        if end - begin < SHORT * FPS:
            continue
        inside = [
            (int(starts[2 * i]), element.what.kind)
            for i, element in enumerate(elements)
            if isinstance(element.what, Posture) and begin <= starts[2 * i + 1] < end
        ] or [(begin, "hold")]
        edges = [begin, *(max(at, begin) for at, _ in inside[1:]), end]
        for (_, kind), first, last in zip(inside, edges[:-1], edges[1:], strict=True):
            if last > first:
                yield Rest(Span.of_frames(first, last, FPS), kind)


def _non_manuals(made: Discourse, begins: Frames, ends: Frames) -> tuple[Array, Array, Array]:
    """Face, head and trunk over all frames; ``begins`` and ``ends`` of every element."""
    rng, signer, frames = draws(*made.key, "face"), made.signer, made.frames
    time = np.arange(frames) / FPS
    face = np.zeros((frames, FACE_CHANNELS))
    head = drift(rng, time, 3) * (0.035 * signer.sway)
    trunk = drift(rng, time, 3) * (0.006 * signer.sway)
    _mouth(made._elements, begins / FPS, ends / FPS, signer, time, face)
    _brows_and_head(made, begins / FPS, ends / FPS, face, head, trunk, rng)
    _shifts(made, begins, head, trunk, rng)
    face[:, 6] = _blinks(made, ends, rng)
    return smooth(face), head, trunk


def _mouth(
    elements: Sequence[_Element], begins: Array, ends: Array, signer: Signer, time: Array,
    face: Array,
) -> None:  # fmt: skip
    times, mouths = [-0.1], [VISEMES["rest"]]
    for i, element in enumerate(elements):
        if isinstance(element.what, Posture):
            continue
        if begins[i] - times[-1] > 0.7:
            times += [times[-1] + 0.25, begins[i] - 0.25]
            mouths += [VISEMES["rest"]] * 2
        states = element.what.sign.mouthing
        lead, length = begins[i] - 0.10, ends[i] - begins[i] + 0.16
        for k, state in enumerate(states):
            times.append(lead + length * (k + 0.5) / len(states))
            mouths.append(VISEMES[state])
    times.append(times[-1] + 0.3)
    mouths.append(VISEMES["rest"])
    order = np.maximum.accumulate(np.asarray(times))
    states_array = np.asarray(mouths) * signer.mouth
    for channel in range(4):
        face[:, channel] = np.interp(time, order, states_array[:, channel])


def _swell(frames: int, begin: float, end: float, ramp: float) -> tuple[slice, Array, Array]:
    """(frames, 0…1…0 over them, seconds since ``begin``): rising before, falling after."""
    first = min(max(int((begin - ramp) * FPS), 0), frames)
    last = max(min(int((end + ramp) * FPS) + 2, frames), first)
    time = np.arange(first, last) / FPS
    swell = np.interp(time, [begin - ramp, begin, end, end + ramp], [0, 1, 1, 0])
    return slice(first, last), swell, time - begin


def _brows_and_head(
    made: Discourse, begins: Array, ends: Array, face: Array, head: Array, trunk: Array,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    frames = made.frames
    for said, bound in zip(made.sentences, made.bounds, strict=True):
        early, late, nods, at, deep = rng.random(5)
        raised, furrowed = brows_of(said.brow)
        begin, end = bound[0] / FPS + 0.2 * early - 0.1, bound[1] / FPS + 0.2 * late - 0.15
        if raised or furrowed:
            at_frames, swell, _ = _swell(frames, begin, max(end, begin + 0.2), 0.2)
            face[at_frames, 4] += raised * swell
            face[at_frames, 5] += furrowed * swell
        if nods < 0.3:
            _nod(head, bound[1] / FPS - 0.25 + 0.3 * at, 0.04 + 0.08 * deep)
    rolls = rng.random((len(made._elements), 2))
    for i, element in enumerate(made._elements):
        what, begin, end = element.what, float(begins[i]), float(ends[i])
        if isinstance(what, Posture):
            raised = furrowed = 0.0
            gesture = what.head
        else:
            raised, furrowed = brows_of(what.brows or what.sign.brows)
            gesture = what.head or what.sign.head
            if rolls[i, 0] < 0.04:
                _nod(head, begin, 0.04 + 0.08 * rolls[i, 1])
        if not (raised or furrowed or gesture != "none"):
            continue
        at_frames, swell, since = _swell(frames, begin, end, 0.12)
        face[at_frames, 4] += 0.8 * raised * swell
        face[at_frames, 5] += 0.8 * furrowed * swell
        if gesture == "nod":
            head[at_frames, 1] += 0.14 * swell * np.sin(2 * np.pi * 2.2 * since)
        elif gesture == "shake":
            head[at_frames, 0] += 0.24 * swell * np.sin(2 * np.pi * 2.4 * since)
        elif gesture == "tilt":
            head[at_frames, 2] += 0.12 * swell
        if isinstance(what, Posture) and what.lift:
            at_frames, swell, _ = _swell(frames, begin, end, 0.3)
            trunk[at_frames, 1] += what.lift * swell


def _nod(head: Array, begin: float, depth: float) -> None:
    """One small nod of half a second, in place."""
    first = max(int(begin * FPS), 0)
    wave = depth * np.sin(np.pi * np.arange(13) / 12) ** 2
    last = min(first + 13, len(head))
    head[first:last, 1] += wave[: last - first]


def _shifts(
    made: Discourse, begins: Frames, head: Array, trunk: Array, rng: np.random.Generator
) -> None:
    """The body's weight moves: at some sentences' starts, after rests, and now and then."""
    rolls, amounts = rng.random((len(begins), 4)), rng.standard_normal((len(begins), 6))
    scale = np.array([0.05, 0.025, 0.05, 0.018, 0.004, 0.010])
    rate, level = np.zeros((made.frames + 1, 6)), np.zeros(6)
    for i, element in enumerate(made._elements[1:], 1):
        starts = element.sentence >= 0 and _opens(made._elements, i)
        chance = 0.25 if starts else 0.03 if element.sentence >= 0 else 0.2
        if rolls[i, 0] > chance:
            continue
        target = amounts[i] * scale if rolls[i, 1] < 0.65 else np.zeros(6)
        length = 9 + int(10 * rolls[i, 2])
        first = max(int(begins[i] - 10 + 10 * rolls[i, 3]), 0)
        rise = np.diff(minimum_jerk(np.arange(length + 1) / length))[:, None] * (target - level)
        last = min(first + length, made.frames)
        rate[first:last] += rise[: last - first]
        level = target
    moved = np.cumsum(rate[: made.frames], 0)
    head += moved[:, :3]
    trunk += moved[:, 3:]


def _blinks(made: Discourse, ends: Frames, rng: np.random.Generator) -> Array:
    """(frames,): 1 where the eyes are shut: at two of three boundaries, and elsewhere."""
    count = len(made.bounds)
    rolls, off = rng.random(count), np.clip(0.06 * rng.standard_normal(count), -0.12, 0.12)
    at = [
        bound[1] / FPS + by
        for bound, roll, by in zip(made.bounds, rolls, off, strict=True)
        if roll < 0.66
    ]
    phrases = rng.random(len(made._elements))
    at += [
        float(ends[i]) / FPS + 0.1
        for i, element in enumerate(made._elements)
        if element.sentence >= 0 and element.hold > 0.1 and phrases[i] < 0.35
    ]
    seconds = made.frames / FPS
    since = 0.0
    signing = np.zeros(made.frames, bool)
    for first, last in made.bounds:
        signing[first:last] = True
    while since < seconds:  # 12 a minute where nothing is signed, 3 a minute beside the others
        since -= 60 / 12 * np.log(max(rng.random(), 1e-6))
        keep = rng.random()
        if since < seconds and (not signing[int(since * FPS)] or keep < 0.25):
            at.append(since)
    shut = np.zeros(made.frames)
    taken = -1.0
    for moment in sorted(at):
        if moment - taken < 0.4:
            continue
        taken = moment
        first = max(int((moment - 0.2) * FPS), 0)
        last = min(int((moment + 0.2) * FPS) + 1, made.frames)
        time = np.arange(first, last) / FPS
        shape = np.clip(1.3 - np.abs(time - moment) / 0.08, 0, 1)
        shut[first:last] = np.maximum(shut[first:last], shape)
    return shut
