"""Differences between arms over seeds and test sentences, and the word for a claim. Pure functions.

Two intervals are made of every difference, and the verdict takes the wider end of each:

- a paired t over seeds: arms of one seed are a pair, and the seeds are the sample;
- a bootstrap that resamples seeds and test sentences at once (the same draw of
  sentences for both arms and all seeds, since all read the same sentences).

The first is honest about few seeds, the second about few sentences; a claim has to
stand in both. Equivalence is tested by two one-sided tests at 5 %: the 90 % interval
has to lie within the margin. A claim that orders several arms needs every neighbouring
difference to hold, which asks for no correction (an intersection of tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", int, float)
Word = Literal["holds", "fails", "undecided", "not testable"]
Values = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Summed statistics (…, k) → scores (…)."""

RESAMPLES = 2_000
SEED = 12345
POWER = 0.8
MOST_SEEDS, MOST_SENTENCES = 200, 100
"""Beyond so many seeds, or times the test sentences, a claim is called out of reach, not costed."""


@dataclass(frozen=True)
class Difference:
    """How much better the first of two arms is than the second, in the metric's unit.

    per_seed: of each seed, in the order of the seeds; positive = as claimed.
    seeds95, both95: the paired t over seeds, and the bootstrap over seeds and sentences.
    seeds90, both90: the same at 90 %, for equivalence.
    among, within: standard errors of the mean that come from the seeds and from the sentences.
    """

    better: str
    worse: str
    per_seed: tuple[float, ...]
    seeds95: tuple[float, float]
    both95: tuple[float, float]
    seeds90: tuple[float, float]
    both90: tuple[float, float]
    among: float
    within: float

    @property
    def mean(self) -> float:
        return sum(self.per_seed) / len(self.per_seed)

    @property
    def interval(self) -> tuple[float, float]:
        """95 %, the wider of the two ways at either end."""
        return wider(self.seeds95, self.both95)

    @property
    def interval90(self) -> tuple[float, float]:
        return wider(self.seeds90, self.both90)


@dataclass(frozen=True)
class Verdict:
    """The word for a claim, and why.

    smallest: for "undecided", the smallest effect that would have been seen four times in five.
    seeds, sentences: for "undecided", what it would take to see the smallest effect that counts:
        how many seeds an arm, on how many times as many test sentences (1 = as they are); None
        where no such number is in reach.
    """

    word: Word
    why: str
    smallest: float | None = None
    seeds: int | None = None
    sentences: int | None = None


def wider(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """The lower low and the higher high of two intervals."""
    return min(one[0], two[0]), max(one[1], two[1])


def difference(
    better: str,
    worse: str,
    one: Sequence[NDArray[np.float64]],
    other: Sequence[NDArray[np.float64]],
    values: Values,
    *,
    sign: int = 1,
    paired: bool = True,
) -> Difference:
    """``one`` minus ``other`` (times ``sign``): per seed an array (sentences, k) of sufficient statistics.

    paired: both arms read the same sentences; otherwise each draws its own.
    """
    at = (values(np.stack([s.sum(axis=0) for s in arm])) for arm in (one, other))
    first, second = at
    per_seed = tuple(float(sign * d) for d in first - second)
    apart, weights = resampled(one, other, values, paired)
    drawn = sign * (weights * apart).sum(axis=1)
    seeds95, seeds90 = (over_seeds(per_seed, level) for level in (0.95, 0.90))
    among = float(np.std(per_seed, ddof=1)) / math.sqrt(len(per_seed)) if len(per_seed) > 1 else 0.0
    return Difference(
        better,
        worse,
        per_seed,
        seeds95,
        _percentiles(drawn, 0.95),
        seeds90,
        _percentiles(drawn, 0.90),
        among,
        float(np.std(apart.mean(axis=1))),
    )


def over_seeds(values: Sequence[float], level: float) -> tuple[float, float]:
    """The t interval of the mean of ``values``; (−∞, ∞) for a single one."""
    if len(values) < 2:
        return -math.inf, math.inf
    mean = float(np.mean(values))
    half = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half *= t_quantile(0.5 + level / 2, len(values) - 1)
    return mean - half, mean + half


def resampled(
    one: Sequence[NDArray[np.float64]],
    other: Sequence[NDArray[np.float64]],
    values: Values,
    paired: bool = True,
    resamples: int = RESAMPLES,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Differences (resamples, seeds) with sentences drawn anew, and how much each seed was drawn
    (resamples, seeds; a row sums to 1): both with replacement, from a fixed seed."""
    rng = np.random.default_rng(SEED)
    seeds = len(one)
    first = rng.multinomial(len(one[0]), np.full(len(one[0]), 1 / len(one[0])), resamples)
    second = first
    if not paired:
        second = rng.multinomial(
            len(other[0]), np.full(len(other[0]), 1 / len(other[0])), resamples
        )
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    apart = np.stack(
        [
            values(first.astype(np.float64) @ a) - values(second.astype(np.float64) @ b)
            for a, b in zip(one, other, strict=True)
        ],
        axis=1,
    )
    return apart, weights


def ordered(differences: Sequence[Difference], by: float = 0.0, least: float = 1.0) -> Verdict:
    """Whether every arm is better than the next by more than ``by``.

    least: the smallest difference that would count; a claim fails where one as large is ruled out.
    """
    if all(d.interval[0] > by for d in differences):
        return Verdict("holds", _said(differences) + (f", above {by:g}" if by else ""))
    bar = max(by, least)
    failed = [d for d in differences if d.interval[1] < bar]
    if failed:
        return Verdict("fails", f"{_said(failed)}: {bar:g} or more is ruled out")
    open_ = [d for d in differences if d.interval[0] <= by]
    return _undecided(open_, bar)


def equivalent(found: Difference, margin: float) -> Verdict:
    """Whether two arms differ by less than ``margin`` either way (two one-sided tests at 5 %)."""
    low, high = found.interval90
    if -margin < low and high < margin:
        return Verdict("holds", f"{_said([found])}: within ± {margin:g} (90 % interval)")
    if found.interval[0] > margin or found.interval[1] < -margin:
        return Verdict("fails", f"{_said([found])}: beyond ± {margin:g}")
    return _undecided([found], margin)


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """The word for a claim of several parts: each has to hold, and one that fails fails it."""
    for word in ("fails", "not testable", "undecided"):
        found = [v for v in verdicts if v.word == word]
        if found:
            return Verdict(
                found[0].word,
                "; ".join(v.why for v in found),
                _largest([v.smallest for v in found]),
                _largest([v.seeds for v in found]),
                _largest([v.sentences for v in found]),
            )
    return Verdict("holds", "; ".join(v.why for v in verdicts))


def _largest(values: Sequence[T | None]) -> T | None:
    """The largest; None where one of them is."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def smallest_effect(found: Difference, seeds: int | None = None, sentences: int = 1) -> float:
    """The difference that would be seen (at 95 %) four times in five.

    seeds: how many an arm has; default: as many as were run. sentences: how many times as many
    test sentences. More seeds shrink the part of the error that comes from seeds alone.
    """
    run = len(found.per_seed)
    seeds = run if seeds is None else seeds
    if seeds < 2 or run < 2:
        return math.inf
    wanted = t_quantile(0.975, seeds - 1) + t_quantile(POWER, seeds - 1)
    return wanted * math.sqrt(found.among**2 * run / seeds + found.within**2 / sentences)


def seeds_for(effect: float, found: Difference, sentences: int = 1) -> int | None:
    """How many seeds an arm needs so that ``effect`` would be seen; None beyond MOST_SEEDS.

    sentences: on how many times as many test sentences.
    """
    for seeds in range(max(len(found.per_seed), 2), MOST_SEEDS + 1):
        if smallest_effect(found, seeds, sentences) <= effect:
            return seeds
    return None


def needed(effect: float, differences: Sequence[Difference]) -> tuple[int | None, int | None]:
    """(seeds, times the test sentences) at which ``effect`` would be seen in every difference.

    Of all that would do, the pair whose product is least; (None, None) where none is in reach.
    """
    best: tuple[int | None, int | None] = (None, None)
    least = math.inf
    for times in range(1, MOST_SENTENCES + 1):
        seeds = _largest([seeds_for(effect, found, times) for found in differences])
        if seeds is not None and seeds * times < least:
            best, least = (seeds, times), seeds * times
    return best


def _undecided(differences: Sequence[Difference], effect: float) -> Verdict:
    smallest = max(smallest_effect(found) for found in differences)
    return Verdict("undecided", _said(differences), smallest, *needed(effect, differences))


def _said(differences: Sequence[Difference]) -> str:
    return ", ".join(
        f"{d.better} − {d.worse} = {d.mean:+.1f} [{d.interval[0]:.1f}, {d.interval[1]:.1f}]"
        for d in differences
    )


def _percentiles(drawn: NDArray[np.float64], level: float) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return float(low), float(high)


@cache
def t_quantile(share: float, freedom: int) -> float:
    """The value below which ``share`` of Student's t with whole ``freedom`` lies, by bisection."""
    low, high = -1e4, 1e4
    for _ in range(80):
        middle = (low + high) / 2
        if t_below(middle, freedom) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_below(value: float, freedom: int) -> float:
    """P(T < value) for Student's t, by the finite sums that whole degrees of freedom have."""
    angle = math.atan(value / math.sqrt(freedom))
    cos2, term, total = math.cos(angle) ** 2, 1.0, 0.0
    if freedom % 2 == 0:
        for k in range(freedom // 2):
            total += term
            term *= cos2 * (2 * k + 1) / (2 * k + 2)
        return 0.5 + math.sin(angle) * total / 2
    term = math.cos(angle)
    for k in range((freedom - 1) // 2):
        total += term
        term *= cos2 * (2 * k + 2) / (2 * k + 3)
    return 0.5 + (angle + math.sin(angle) * total) / math.pi
