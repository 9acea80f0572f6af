"""Two systems on the same sentences: is the difference more than which sentences were drawn?

The procedures and seeds are sacreBLEU's: paired bootstrap (Koehn 2004) and approximate
randomisation (Riezler and Maxwell 2005), here for every score that sums counts of sentences.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError
from signloom.metrics.score import BLOCK, RESAMPLES, SEED, Counts, interval, resampled

TRIALS = 10_000
TOLERANCE = 1e-9
"""Differences closer than this are equal; rounding makes no difference larger than another."""


@dataclass(frozen=True)
class Comparison:
    """One score of system A and of system B, and how sure the difference is.

    difference: B − A, in the score's unit; ci95: its paired bootstrap interval.
    p_bootstrap, p_randomisation: two-sided, of paired bootstrap and approximate randomisation;
        1 for outputs that count alike, where sacreBLEU's own formula gives its smallest value.
    """

    name: str
    a: float
    b: float
    difference: float
    ci95: tuple[float, float]
    p_bootstrap: float
    p_randomisation: float
    n: int
    signature: str
    better: str

    def to_json(self) -> dict[str, Any]:
        """The form that files carry; numbers to four decimals, p values to six."""
        return {
            "name": self.name,
            "a": round(self.a, 4),
            "b": round(self.b, 4),
            "difference": round(self.difference, 4),
            "ci95": [round(self.ci95[0], 4), round(self.ci95[1], 4)],
            "p_bootstrap": round(self.p_bootstrap, 6),
            "p_randomisation": round(self.p_randomisation, 6),
            "n": self.n,
            "signature": f"{self.signature}|bs:{RESAMPLES}|ar:{TRIALS}|seed:{SEED}",
            "better": self.better,
        }


def compare(a: Sequence[Counts], b: Sequence[Counts]) -> list[Comparison]:
    """Each score of system B against the same score of system A, counted over the same sentences.

    Raises UsageError where a score of the two was counted differently (by another tokeniser or
    another BLEURT checkpoint) or over other sentences.
    """
    for ours, theirs in zip(a, b, strict=True):
        _refuse_unlike(ours, theirs)
    found: dict[int, Comparison] = {}
    by_size: dict[int, list[int]] = {}
    for place, counts in enumerate(a):
        by_size.setdefault(len(counts.statistics), []).append(place)
    for places in by_size.values():
        both = ([a[i] for i in places], [b[i] for i in places])
        found.update(zip(places, _compare(*both), strict=True))
    return [found[place] for place in range(len(a))]


def _refuse_unlike(a: Counts, b: Counts) -> None:
    if (a.name, a.signature) != (b.name, b.signature):
        raise UsageError(
            f"{a.name} ({a.signature}) and {b.name} ({b.signature}) were not counted alike, so "
            "their difference means nothing; score both systems with the same settings"
        )
    if a.statistics.shape != b.statistics.shape:
        raise UsageError(
            f"{a.name} was counted over {len(a.statistics)} sentences for A and "
            f"{len(b.statistics)} for B; give both systems the same sentences"
        )


def _compare(a: Sequence[Counts], b: Sequence[Counts]) -> list[Comparison]:
    """Scores over one number of sentences, so that they share the draws."""
    columns = np.cumsum([0, *(counts.statistics.shape[1] for counts in a)])
    first, second = (np.concatenate([c.statistics for c in each], axis=1) for each in (a, b))
    drawn_a, drawn_b = resampled(first), resampled(second)
    kept_a, kept_b = exchanged(first, second)
    found = []
    for i, (ours, theirs) in enumerate(zip(a, b, strict=True)):
        part = slice(columns[i], columns[i + 1])
        scores = ours.value(), theirs.value()
        difference = scores[1] - scores[0]
        drawn = theirs.values(drawn_b[:, part]) - ours.values(drawn_a[:, part])
        swapped = ours.values(kept_a[:, part]) - theirs.values(kept_b[:, part])
        spread = np.abs(drawn) - np.abs(drawn).mean()
        alike = np.array_equal(ours.statistics, theirs.statistics)
        found.append(
            Comparison(
                ours.name,
                *scores,
                difference,
                interval(drawn),
                1.0 if alike else p_value(spread, abs(difference)),
                1.0 if alike else p_value(np.abs(swapped), abs(difference)),
                len(first),
                ours.signature,
                ours.better,
            )
        )
    return found


def p_value(by_chance: NDArray[np.float64], difference: float) -> float:
    """The share of trials with a larger difference than the one seen; one is added to both counts."""
    return float(((by_chance > difference + TOLERANCE).sum() + 1) / (len(by_chance) + 1))


def exchanged(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(10000, k) twice: summed statistics after each sentence's two outputs changed places or not.

    A coin a sentence and trial, from the generator and seed that sacreBLEU uses.
    """
    apart = a - b
    moved = np.concatenate([coins @ apart for coins in _coins(len(a))])
    return b.sum(axis=0) + moved, a.sum(axis=0) - moved


def _coins(sentences: int) -> Iterator[NDArray[np.float64]]:
    """Blocks (rows, sentences) of 0 and 1, together as one draw of all would give them."""
    rng = np.random.default_rng(SEED)
    # numpy takes 32 coins from a number; a block of a multiple of that leaves none behind.
    rows = min(max(32, BLOCK // sentences // 32 * 32), TRIALS)
    for start in range(0, TRIALS, rows):
        size = (min(rows, TRIALS - start), sentences)
        yield rng.integers(2, size=size, dtype=bool).astype(float)
