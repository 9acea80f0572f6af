"""Subtitles on the signing: one global program over the whole episode that places every cue.

A cue is signed from a start, for a while, or not at all. The program weighs, over all
cues at once and in their order,

- how much signing a placement covers, and whether it begins and ends where sentences do
  (``pose.activity``);
- how long the signing of a text should take, at this signer's rate;
- the lag of signing behind speech, which drifts: a cue's lag is near that of the cue
  before, and weakly near what lags usually are;
- any further evidence (a model's posteriors, spottings) through ``Evidence``.

It is a semi-Markov chain over (start, duration) of each cue, so all placements are
weighed exactly by a forward and a backward pass on a grid of time: coarse and wide
first, then fine around what was found. The signer's rate and the lag are learnt from the episode
between the passes. A cue's place is the one that most of the posterior overlaps by half,
and that share is the cue's confidence. Cost: cues × window², near-linear in the length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.data.cue import Cue
from signloom.data.timing import Seconds, Span
from signloom.pose.activity import Activity, largest_near

Array = NDArray[np.float64]

USUAL_LAG: Seconds = 2.7
"""Mean lag of signing behind speech in broadcast interpreting (Bull et al. 2021)."""

USUAL_RATE = 0.0475
"""Seconds of signing a unit of text (``units``), mean of the train split of sim-episodes-v1."""
ENOUGH = 24
"""From this many cues on the rate is the episode's own."""

TOO_SURE = 0.27
"""Nats by which the posterior is too sure; see ``calibrated``."""


@runtime_checkable
class Evidence(Protocol):
    """Something else that is known of where a cue is signed: posteriors of a model, spotted signs."""

    def __call__(self, cue: int, starts: Array, ends: Array) -> Array:
        """Log-odds (nats) for cue number ``cue`` filling [start, end), against its not being there.

        starts, ends: (n,) and (n, m), or shapes that broadcast, in seconds; returns their
        broadcast shape. 0 says nothing.
        """
        ...


@dataclass(frozen=True)
class Settings:
    """What the program assumes, in seconds and nats; see docs/align.md for where each comes from."""

    usual_lag: Seconds = USUAL_LAG
    usual_spread: Seconds = 1.0
    """How much the mean lags of episodes differ."""
    lag_jitter: Seconds = 0.5
    """How much a cue's lag differs from the slow lag by chance …"""
    lag_spreads: tuple[Seconds, ...] = (0.4, 1.0, 2.0, 4.0)
    """… and how far the slow lag wanders from its mean: what fits best of these …"""
    first_spread: Seconds = 2.0
    """… after a first pass with this one …"""
    lag_memory: Seconds = 80.0
    """… in which time it forgets where it was (an Ornstein–Uhlenbeck process)."""
    lag_jump: float = 1e-5
    """Least likelihood of any step of the slow lag, of that of the usual one."""
    lag_stray: float = 1e-4
    """Least likelihood of any distance from the slow lag, of that of none."""
    passes: tuple[tuple[Seconds, Seconds], ...] = (
        (60.0, 0.5),
        (20.0, 0.25),
        (6.0, 0.1),
        (6.0, 0.1),
    )
    """(how far around the lag found so far, in which steps) of each pass; the first begins at the
    usual lag."""
    gap: Seconds = 0.2
    """Two sentences follow closely when less signing than this lies between them …"""
    close: float = 10.0
    """… which is so many times likelier than any other distance."""
    duration_spread: float = 0.28
    """Standard deviation of the logarithm of a cue's duration at a known rate."""
    activity_weight: float = 0.6
    """Nats a second of covered signing is worth, for each nat that the frames say."""
    activity_most: float = 3.0
    boundary_weight: float = 0.5
    boundary_most: float = 3.0
    skip: float = 0.04
    """Share of cues that are not signed."""
    max_shift: Seconds | None = None
    """No cue's start moves further than this from its input; None: as far as the passes look."""
    min_duration: Seconds = 0.4


@dataclass(frozen=True)
class Placed:
    """Where a cue is put.

    span: seconds; confidence: probability that it overlaps the truth by half (IoU ≥ 0.5);
    signed: probability that the cue is signed at all; prior: the input, moved by the lag
    of the episode at that point.
    """

    span: Span
    confidence: float
    signed: float
    prior: Span


@dataclass(frozen=True)
class Alignment:
    """Every cue's place, in the order given, and what was learnt of the episode on the way.

    lags: of signing behind speech at each cue, seconds; rate: seconds of signing for each
    unit of text (see ``units``).
    """

    placed: tuple[Placed, ...]
    lags: tuple[Seconds, ...]
    rate: float

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(p.span for p in self.placed)


_NAME = re.compile(r"(?<![.!?…:]\s)(?<!^)(?<![\"'“‘«-])\b[A-ZÀ-ÖØ-Þ][\w’'-]+")
_NUMBER = re.compile(r"\d")


def units(texts: Sequence[str]) -> Array:
    """(cues,) how long each text takes to sign, up to the signer's rate: characters, digits and
    spelled names more, and a constant for the ends of a sentence.

    Names are taken for spelled only where capitals are rare (not in German, nor in capitals).
    """
    plain = [re.sub(r"<[^>]*>|\{[^}]*\}", "", text) for text in texts]
    words = [word for text in plain for word in text.split()]
    capitals = sum(word[:1].isupper() for word in words) / max(len(words), 1)
    lengths = np.array([len("".join(text.split())) * 1.15 for text in plain])
    digits = np.array([len(_NUMBER.findall(text)) for text in plain])
    names = np.zeros(len(plain))
    if capitals < 0.3:
        names += [sum(map(len, _NAME.findall(text))) for text in plain]
    return 20.0 + lengths + 2.0 * digits + 1.0 * names


def align(
    cues: Sequence[Cue],
    activity: Activity,
    evidence: Sequence[Evidence] = (),
    settings: Settings = Settings(),
    locked: Mapping[int, Span] | None = None,
) -> Alignment:
    """Places cues, given in order of time, on the signing.

    locked: cue number → where it is; these stay, the others are placed around them.
    Raises ValueError where cues are not in order of time, or there are none.
    """
    if not cues:
        raise ValueError("there are no cues to align, expected at least one")
    speech = np.array([cue.span.start for cue in cues])
    if (np.diff(speech) < 0).any():
        k = int(np.flatnonzero(np.diff(speech) < 0)[0]) + 1
        raise ValueError(f"cue {k + 1} starts before cue {k}; give cues in order of time")
    size = units([cue.text for cue in cues])
    frames = _Frames.of(activity, settings, float(USUAL_RATE * size.sum()))
    fixed = dict(locked or {})
    rate = _first_rate(size, frames)
    most = np.inf if settings.max_shift is None else settings.max_shift
    mean = float(np.clip(settings.usual_lag, -most, most))
    lags = np.full(len(cues), mean)
    spreads: tuple[Seconds, ...] = (settings.first_spread,)
    for number, (half, step) in enumerate(settings.passes):
        reach = most if number == 0 and most < np.inf else min(half, most)
        grid = speech, size, rate, frames, max(step, reach / 120), lags, reach
        chain = _Chain(*grid, settings, fixed, evidence)
        heard = max((chain.forward(mean, spread) for spread in spreads), key=lambda h: h.likelihood)
        found = chain.backward(heard)
        lags, rate = found.slow, _believed(found.rate(), len(cues))
        mean = _mean_lag(lags, activity.duration, heard.spread, settings)
        spreads = settings.lag_spreads if number == 0 else (heard.spread,)
    smooth = found.slow
    spans, confidence = found.decoded(settings.min_duration)
    placed = []
    for k, cue in enumerate(cues):
        span = fixed.get(k, spans[k])
        start = float(max(cue.span.start + smooth[k], 0.0))
        prior = Span(start, start + cue.span.duration)
        sure = 1.0 if k in fixed else calibrated(float(confidence[k]))
        placed.append(Placed(span, sure, 1.0 if k in fixed else float(found.signed[k]), prior))
    return Alignment(tuple(placed), tuple(smooth.tolist()), rate)


@dataclass(frozen=True, eq=False)
class _Frames:
    """What the frames say, summed so that any stretch is one subtraction.

    covered: (frames + 1,) integral of the log-odds of signing, nats·s;
    signed: (frames + 1,) seconds of signing so far;
    starts, ends: (frames + 1,) log-odds of a sentence's start and end at each frame.
    """

    fps: float
    signing: Array
    covered: Array
    signed: Array
    starts: Array
    ends: Array

    @classmethod
    def of(cls, activity: Activity, settings: Settings, expected: Seconds = np.inf) -> _Frames:
        """expected: seconds of signing that all cues should take; where that is little of what there
        is, signing that no cue covers is nothing to wonder at."""
        p = np.clip(activity.signing, 1e-4, 1 - 1e-4)
        odds = np.clip(np.log(p / (1 - p)), -settings.activity_most, settings.activity_most)
        signed_for = max(float((activity.signing > 0.5).sum()) / activity.fps, 1e-6)
        odds = np.where(odds > 0, min(1.0, 1.5 * expected / signed_for) * odds, odds)
        covered = np.concatenate([[0.0], np.cumsum(odds)]) / activity.fps
        starts, ends = (np.append(of, of[-1]) for of in (activity.starts, activity.ends))
        signed = np.concatenate([[0.0], np.cumsum(activity.signing)]) / activity.fps
        return cls(activity.fps, activity.signing, covered, signed, starts, ends)

    @property
    def duration(self) -> Seconds:
        return len(self.signing) / self.fps

    def at(self, values: Array, seconds: Array) -> Array:
        """values (frames + 1,) at some times, clipped to the clip."""
        return values[np.clip(np.rint(seconds * self.fps).astype(int), 0, len(values) - 1)]


def _first_rate(size: Array, frames: _Frames) -> float:
    """Seconds a unit, if all signing were of all cues; within what signers do."""
    signed = float((frames.signing > 0.5).mean()) * frames.duration
    return _believed(float(np.clip(0.85 * signed / size.sum(), 0.035, 0.10)), len(size))


def _believed(rate: float, cues: int) -> float:
    """A rate learnt from few cues is drawn to the usual one: a handful may not be all that is signed."""
    usual = max(0.0, 1 - cues / ENOUGH)
    return float(np.exp((1 - usual) * np.log(rate) + usual * np.log(USUAL_RATE)))


def calibrated(share: float) -> float:
    """Probability that a place is right (IoU ≥ 0.5), from the share of the posterior that says so.

    A shift of the log-odds, fitted on the train and dev splits of sim-episodes-v1: the
    program is slightly too sure of itself.
    """
    share = min(max(share, 1e-4), 1 - 1e-4)
    odds = np.log(share / (1 - share)) - TOO_SURE
    return float(1 / (1 + np.exp(-odds)))


def _mean_lag(lags: Array, duration: Seconds, spread: Seconds, settings: Settings) -> Seconds:
    """The episode's mean lag: what was found, drawn to the usual one where the episode is short."""
    found = (1 + duration / (2 * settings.lag_memory)) / spread**2
    usual = 1 / settings.usual_spread**2
    return float((found * lags.mean() + usual * settings.usual_lag) / (found + usual))


@dataclass(frozen=True, eq=False)
class _Heard:
    """What a forward pass leaves: the chain up to each cue, if slow lags wander by ``spread`` around ``mean``.

    reached: (cues, starts, slow lags) share of each; likelihood: of all cues, log (nats).
    """

    mean: Seconds
    spread: Seconds
    reached: NDArray[np.float32]
    likelihood: float


@dataclass(frozen=True, eq=False)
class _Found:
    """What both passes say.

    posterior: (cues, starts, durations), sums to 1 for each cue; slow: (cues,) seconds, the mean of the
    slow lag at each.
    """

    chain: _Chain
    posterior: NDArray[np.float32]
    slow: Array

    @property
    def signed(self) -> Array:
        """(cues,) probability that each is signed at all."""
        return 1 - self.posterior[:, :, 0].sum(1, dtype=np.float64)

    def rate(self) -> float:
        """Seconds a unit under the posterior, shrunk to what was assumed."""
        by_length = self.posterior[:, :, 1:].sum(1)
        said = float((by_length * self.chain.ratio).sum()) / (float(by_length.sum()) + 2.0)
        return float(np.clip(self.chain.used_rate * np.exp(said), 0.015, 0.2))

    def decoded(self, least: Seconds, keep: int = 80) -> tuple[list[Span], Array]:
        """Spans that overlap most of the posterior by half, in order and apart; and that share."""
        spans, share, chain = [], np.empty(len(self.posterior)), self.chain
        for k, posterior in enumerate(self.posterior):
            flat = posterior[:, 1:].ravel()
            best = np.argpartition(flat, -keep)[-keep:]
            weight = flat[best].astype(np.float64)
            s = best // (posterior.shape[1] - 1)
            d = chain.lengths[k, 1:][best % (posterior.shape[1] - 1)]
            start = (chain.first[k] + s) * chain.step
            end = start + d * chain.step
            inter = np.minimum(end[:, None], end) - np.maximum(start[:, None], start)
            hull = np.maximum(end[:, None], end) - np.minimum(start[:, None], start)
            iou = np.maximum(inter, 0) / hull
            half = np.where(iou >= 0.5, 1.0, 0.0) @ weight
            value = half + 0.5 * (iou @ weight)
            top = int(np.argmax(value))
            begin = max(float(start[top]), 0.0)
            spans.append(Span(begin, max(float(end[top]), begin + least)))
            share[k] = half[top]
        return _apart(spans, least), share


class _Chain:
    """The grid of (start, duration) of every cue, and the passes over it.

    The state of the chain is when the cue before ended, and the slow lag z. A cue starts at
    its speech plus z plus its own chance; the starts looked at lie on a grid of ``step``
    seconds, z on one of ``z_step``, around ``lags[k]``; durations on a logarithmic grid
    around what the text takes; duration 0 is a cue that is not signed. How far z wanders is
    told to ``forward``; all else is the same for any.

    first: (cues,) step at which the starts of a cue begin; lengths: (cues, durations) steps.
    emission: (cues, starts, durations) what speaks for each; earliest: of each cue, (starts,).
    """

    def __init__(
        self,
        speech: Array,
        size: Array,
        rate: float,
        frames: _Frames,
        step: Seconds,
        lags: Array,
        half: Seconds,
        settings: Settings,
        fixed: Mapping[int, Span],
        evidence: Sequence[Evidence],
    ):
        self.speech, self.step, self.used_rate = speech, step, rate
        self.settings, self.fixed = settings, fixed
        reach = int(np.ceil((half + 4 * settings.lag_jitter) / step))
        self.first = np.rint((speech + lags) / step).astype(int) - reach
        self.grid = np.arange(2 * reach + 1)
        self.z_step = max(2.5 * step, half / 30)
        self.z_grid = np.arange(-int(half / self.z_step), int(half / self.z_step) + 1)
        self.z_first = np.rint(lags / self.z_step).astype(int)
        self.ratio = np.linspace(-1.15, 1.15, 24)
        self.lengths = np.zeros((len(speech), len(self.ratio) + 1), int)
        self.emission = self._emission(size, frames, evidence)
        self.earliest = self._earliest(frames, settings.gap)

    def _emission(
        self,
        size: Array,
        frames: _Frames,
        evidence: Sequence[Evidence],
    ) -> NDArray[np.float32]:
        """(cues, starts, durations) weights, largest 1 for each cue: all but lag and order."""
        settings, fixed = self.settings, self.fixed
        spread, limit = settings.duration_spread, frames.duration
        usual = -2.5 * np.log1p((self.ratio / spread) ** 2 / 4)
        usual -= np.log(np.exp(usual).sum())
        near = int(self.step * frames.fps / 2)
        opening, closing = (
            settings.boundary_weight * np.maximum(largest_near(of, near), -settings.boundary_most)
            for of in (frames.starts, frames.ends)
        )
        out = np.empty((len(size), len(self.grid), self.lengths.shape[1]), np.float32)
        for k in range(len(size)):
            seconds = np.maximum(
                self.used_rate * size[k] * np.exp(self.ratio), settings.min_duration
            )
            if k in fixed:  # a lock that the next one overlaps ends before it, for the chain
                later = [fixed[n].start for n in fixed if n > k]
                room = min(later, default=np.inf) - fixed[k].start - 2 * self.step
                seconds[:] = min(fixed[k].duration, max(room, 0.0))
            self.lengths[k, 1:] = np.maximum(np.rint(seconds / self.step).astype(int), 1)
            starts = (self.first[k] + self.grid) * self.step
            ends = starts[:, None] + self.lengths[k, 1:] * self.step
            e = np.empty(out.shape[1:])
            covered = frames.at(frames.covered, ends) - frames.at(frames.covered, starts)[:, None]
            edges = frames.at(closing, ends) + frames.at(opening, starts)[:, None]
            e[:, 1:] = settings.activity_weight * covered + edges + usual
            e[:, 1:] += np.log(1 - settings.skip)
            e[:, 0] = np.log(settings.skip)
            for more in evidence:
                e[:, 1:] += more(k, starts[:, None], ends)
            outside = (starts < -self.step / 2) | (starts > limit)
            if settings.max_shift is not None:
                outside |= np.abs(starts - self.speech[k]) > settings.max_shift + self.step / 2
            if k in fixed:
                outside = np.abs(starts - fixed[k].start) > self.step / 2 + 1e-9
                e[:, 0] = -np.inf
            else:
                e[:, 1:][ends > limit + 0.5 * (ends - starts[:, None])] = -np.inf
            if outside.all():
                near_to = fixed[k].start if k in fixed else min(self.speech[k], limit)
                outside = np.arange(len(starts)) != int(np.abs(starts - near_to).argmin())
            e[outside] = -np.inf
            out[k] = np.where(np.isfinite(e), np.exp(np.maximum(e - e.max(), -60.0)), 0.0)
        return out

    def _chance(self, k: int) -> Array:
        """(starts, z): how likely a start is at a slow lag: Student, 3 degrees of freedom."""
        lag = (self.first[k] + self.grid) * self.step - self.speech[k]
        slow = (self.z_first[k] + self.z_grid) * self.z_step
        if k in self.fixed:
            return np.ones((len(lag), len(slow)))
        off = (lag[:, None] - slow) / self.settings.lag_jitter
        return 1 / (1 + off**2 / 3) ** 2 + self.settings.lag_stray

    def _drift(self, k: int, mean: Seconds, spread: Seconds) -> Array:
        """(z before, z): how the slow lag goes from one cue to the next."""
        keep = np.exp(-max(self.speech[k] - self.speech[k - 1], 0.2) / self.settings.lag_memory)
        before = (self.z_first[k - 1] + self.z_grid) * self.z_step
        now = (self.z_first[k] + self.z_grid) * self.z_step
        scale = max(spread * np.sqrt(1 - keep**2), 0.4 * self.z_step)
        off = now[None, :] - (mean + keep * (before - mean))[:, None]
        moves = np.exp(-0.5 * (off / scale) ** 2) + self.settings.lag_jump
        return moves / moves.sum(1, keepdims=True)

    def forward(self, mean: Seconds, spread: Seconds) -> _Heard:
        """From the first cue to the last: what is known of each by those before and by itself."""
        count, width, _ = self.emission.shape
        deep = len(self.z_grid)
        slow = (self.z_first[0] + self.z_grid) * self.z_step
        scale = np.hypot(spread, self.settings.usual_spread)
        prior = (1 + ((slow - mean) / scale) ** 2 / 3) ** -2.0
        reached = np.empty((count, width, deep), np.float32)
        slow_now = prior / prior.sum()  # what is known of the slow lag alone
        ended = np.zeros(0)
        likelihood = 0.0

        def seen(k: int, flow: Array) -> tuple[Array, float]:
            """(ends, slow lag) of cue k that begins by ``flow`` (starts, slow lag), and the sum."""
            reached[k] = flow * self._chance(k)
            ends = self._ways(k).T @ reached[k].astype(np.float64)
            return ends, float(ends.sum())

        for k in range(count):
            if k == 0:
                alone = slow_now
                ends, total = seen(k, np.tile(alone, (width, 1)))
            else:
                drift = self._drift(k, mean, spread)
                alone = slow_now @ drift
                at = self.first[k] + self.grid - self.first[k - 1]
                back = self.earliest[k] - self.first[k - 1]
                top = len(ended) - 1
                by_now = ended[np.clip(at + 1, 0, top)]
                closely = by_now - ended[np.clip(back, 0, top)]
                flow = by_now + self.settings.close * np.maximum(closely, 0)
                ends, total = seen(k, flow @ drift)
            if not total > 0:  # nothing fits in order: begin anew from here, at the lag so far
                ends, total = seen(k, np.tile(alone, (width, 1)))
            likelihood += float(np.log(max(total, 1e-300)))
            scale = 1 / total if total > 0 else 1.0
            reached[k] *= scale
            if total > 0:
                slow_now = ends.sum(0) * scale
            ended = np.concatenate([np.zeros((1, deep)), np.cumsum(ends * scale, axis=0)])
        return _Heard(mean, spread, reached, likelihood)

    def backward(self, heard: _Heard) -> _Found:
        """From the last cue to the first: each cue's posterior, by those before, itself and those after."""
        count, width, _ = self.emission.shape
        deep = len(self.z_grid)
        posterior = np.empty_like(self.emission)
        slow = np.empty(count)
        after = np.ones((width + int(self.lengths[-1].max()), deep))
        for k in range(count - 1, -1, -1):
            reached = heard.reached[k].astype(np.float64)
            value = self._ways(k) @ after  # of starting there, from what is seen later
            around = reached @ after.T  # (start, end): what is seen but for the cue itself
            share = self.emission[k] * np.take_along_axis(around, self._ends(k), 1)
            by_lag = (value * reached).sum(0)
            total = by_lag.sum()
            if not total > 0:  # what comes before and after exclude each other: neither is heard
                share = self.emission[k]
                by_lag, total = np.ones(deep), float(deep)
            posterior[k] = share / share.sum()
            slow[k] = (by_lag @ (self.z_first[k] + self.z_grid)) * self.z_step / total
            if k == 0:
                break
            value *= self._chance(k)
            onward = (
                np.concatenate([np.cumsum(value[::-1], axis=0)[::-1], np.zeros((1, deep))])
                @ self._drift(k, heard.mean, heard.spread).T
            )
            steps = self.first[k - 1] + np.arange(width + int(self.lengths[k - 1].max()))
            later = onward[np.clip(steps - self.first[k], 0, width)]
            last = np.searchsorted(self.earliest[k], steps, side="right")
            after = later + self.settings.close * np.maximum(later - onward[last], 0)
            top = after.max()
            after = after / top if top > 0 else np.ones_like(after)
        return _Found(self, posterior, slow)

    def _ends(self, k: int) -> NDArray[np.int_]:
        """(starts, durations): the step after the first start at which cue k ends."""
        ends: NDArray[np.int_] = self.grid[:, None] + self.lengths[k]
        return ends

    def _ways(self, k: int) -> Array:
        """(starts, ends): ``emission`` of cue k as a matrix: from where it starts to where it ends."""
        width = len(self.grid)
        ends = width + int(self.lengths[k].max())
        at = self.grid[:, None] * ends + self._ends(k)
        ways = np.bincount(at.ravel(), self.emission[k].ravel(), minlength=width * ends)
        return np.asarray(ways, np.float64).reshape(width, ends)

    def _earliest(self, frames: _Frames, gap: Seconds) -> list[NDArray[np.int_]]:
        """For each start of each cue the step since which less than ``gap`` of signing has passed."""
        steps = np.arange(int(frames.duration / self.step) + 2)
        passed = frames.at(frames.signed, np.asarray(steps * self.step))
        back = np.minimum(np.searchsorted(passed, passed - gap, side="right"), steps)
        return [back[np.clip(first + self.grid, 0, len(steps) - 1)] for first in self.first]


def _apart(spans: Sequence[Span], least: Seconds) -> list[Span]:
    """The spans in order, none overlapping the next: an overlap is cut in its middle."""
    out = list(spans)
    for k in range(1, len(out)):
        a, b = out[k - 1], out[k]
        if b.start < a.end:
            cut = min(
                max((b.start + a.end) / 2, a.start + least), max(b.end - least, a.start + least)
            )
            out[k - 1] = Span(a.start, max(cut, a.start))
            out[k] = Span(max(cut, a.start), max(b.end, cut + least))
    return out
