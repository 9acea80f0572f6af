"""Score: a value with the definition, the count and the interval that it needs to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError

RESAMPLES = 1000
SEED = 12345
BLOCK = 1_000_000
"""Draws held in memory at once while resampling."""
KEPT = 4_000_000
"""Draws kept from one score to the next: those of at most 4,000 sentences."""

Unit = Literal["%", "s", ""]


@dataclass(frozen=True)
class Score:
    """One number and how it was made.

    value: in ``unit``: percent, 0–100 (a word error rate may exceed 100), seconds, or on the
        scale that the signature names.
    signature: every setting that changes the value, in sacreBLEU's manner.
    n: how many sentences were scored; cues, where ``episodes`` is given.
    excluded: how many were not, because their reference is empty, or for cues, bracketed.
    ci95: percentile bootstrap interval over sentences, or over episodes where those are
        given; with one episode there is nothing to resample and both ends are the value.
    unit: '%', 's' for seconds, or '' where the signature names the scale.
    episodes: how many episodes the cues come from; None where sentences were scored.
    """

    name: str
    value: float
    signature: str
    n: int
    excluded: int
    ci95: tuple[float, float]
    unit: Unit = "%"
    episodes: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The form that files carry; numbers to four decimals, unit and episodes where not usual."""
        unit = {} if self.unit == "%" else {"unit": self.unit}
        episodes = {} if self.episodes is None else {"episodes": self.episodes}
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "signature": self.signature,
            "n": self.n,
            "excluded": self.excluded,
            "ci95": [round(self.ci95[0], 4), round(self.ci95[1], 4)],
            **unit,
            **episodes,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Score:
        low, high = value["ci95"]
        return cls(
            str(value["name"]),
            float(value["value"]),
            str(value["signature"]),
            int(value["n"]),
            int(value["excluded"]),
            (float(low), float(high)),
            value.get("unit", "%"),
            value.get("episodes"),
        )


Values = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Summed sufficient statistics (m, k) → corpus scores (m)."""


@dataclass(frozen=True, eq=False)
class Counts:
    """What a corpus score counts in each sentence, and the score of a sum of such counts.

    statistics: (sentences, k), so that resampling and exchanging sentences only sums.
    values: sums (…, k) → scores (…).
    better: 'high' or 'low': which way is up.
    """

    name: str
    statistics: NDArray[np.float64]
    values: Values
    signature: str
    excluded: int = 0
    unit: Unit = "%"
    better: Literal["high", "low"] = "high"

    def score(self) -> Score:
        """The corpus score with its bootstrap interval."""
        return measured(
            self.name, self.statistics, self.values, self.signature, self.excluded, self.unit
        )

    def value(self) -> float:
        """The corpus score alone."""
        return float(self.values(self.statistics.sum(axis=0, keepdims=True))[0])


Each = Callable[[Callable[[Any], Any], Sequence[Any]], list[Any]]
"""(function, items) → what it makes of each, in order: numbers, texts, lists and dicts of them.
Who has many items gives one that asks other processes."""
PIECE = 2000
"""Pairs of sentences that are counted at a time where the work is shared out."""


def in_turn(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """One item after the other, here."""
    return [function(item) for item in items]


def in_pieces(
    count: Callable[[Sequence[str], Sequence[str]], list[Counts]],
    hypotheses: Sequence[str],
    references: Sequence[str],
    each: Each,
) -> list[Counts]:
    """What ``count`` counts, PIECE pairs at a time: equal for scores that look at one pair after the other.

    Raises what ``count`` raises.
    """
    kept, truth, excluded = paired(hypotheses, references)
    pieces = [(kept[i : i + PIECE], truth[i : i + PIECE]) for i in range(0, len(kept), PIECE)]
    counted = each(partial(_piece, count), pieces)
    return [
        replace(
            counts,
            statistics=np.concatenate([np.array(piece[i]["statistics"]) for piece in counted]),
            excluded=excluded + sum(piece[i]["excluded"] for piece in counted),
        )
        for i, counts in enumerate(count(*pieces[0]))
    ]


def _piece(
    count: Callable[[Sequence[str], Sequence[str]], list[Counts]],
    pair: tuple[Sequence[str], Sequence[str]],
) -> list[dict[str, Any]]:
    return [
        {"statistics": counts.statistics.tolist(), "excluded": counts.excluded}
        for counts in count(*pair)
    ]


def mean_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of a score of sentences, from its sum and their number (…, 2)."""
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))


def per_sentence(scores: Sequence[float]) -> NDArray[np.float64]:
    """(sentences, 2): each score and a 1, which is what `mean_of` reads."""
    return np.stack([np.asarray(scores, float), np.ones(len(scores))], axis=1)


def resampled(statistics: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1000, k): the statistics of each bootstrap resample of the sentences, summed.

    The draws are those of sacreBLEU: sentences with replacement, seed 12345.
    """
    sentences = len(statistics)
    sums = np.empty((RESAMPLES, statistics.shape[1]))
    first = 0
    for times in _times(sentences) if RESAMPLES * sentences <= KEPT else _drawn(sentences):
        sums[first : first + len(times)] = times @ statistics
        first += len(times)
    return sums


def _drawn(sentences: int) -> Iterator[NDArray[np.float64]]:
    """Blocks (rows, sentences): how often each sentence is in each resample."""
    rng = np.random.default_rng(SEED)
    rows = min(max(1, BLOCK // sentences), RESAMPLES)
    for first in range(0, RESAMPLES, rows):
        size = min(rows, RESAMPLES - first)
        drawn = rng.choice(sentences, size=(size, sentences), replace=True)
        drawn += np.arange(size)[:, None] * sentences
        times = np.bincount(drawn.ravel(), minlength=size * sentences)
        yield times.reshape(size, sentences).astype(float)


@lru_cache(maxsize=2)
def _times(sentences: int) -> tuple[NDArray[np.float64], ...]:
    """The blocks, kept for the next score over as many sentences."""
    return tuple(_drawn(sentences))


def bootstrap(statistics: NDArray[np.float64], values: Values) -> tuple[float, float]:
    """95 % interval of a corpus score: sentences resampled 1,000 times from seed 12345.

    statistics: (sentences, k) sufficient statistics of each sentence.
    The draws and the two ends are those that sacreBLEU's own interval takes.
    """
    return interval(values(resampled(statistics)))


def interval(scores: NDArray[np.float64]) -> tuple[float, float]:
    """The scores of resamples → the two ends that leave one in forty out on each side."""
    ordered = np.sort(scores)
    tail = len(ordered) // 40
    return float(ordered[tail]), float(ordered[len(ordered) - tail - 1])


def measured(
    name: str,
    statistics: NDArray[np.float64],
    values: Values,
    signature: str,
    excluded: int = 0,
    unit: Unit = "%",
) -> Score:
    """The corpus score of per-sentence statistics (sentences, k), with its interval."""
    return Score(
        name,
        float(values(statistics.sum(axis=0, keepdims=True))[0]),
        signature,
        len(statistics),
        excluded,
        bootstrap(statistics, values),
        unit,
    )


def paired(
    hypotheses: Sequence[str], references: Sequence[str]
) -> tuple[list[str], list[str], int]:
    """Both sides without the pairs whose reference is empty, and how many those were.

    Raises UsageError where the counts differ or no reference has text.
    """
    if len(hypotheses) != len(references):
        raise UsageError(
            f"{len(hypotheses)} hypotheses stand against {len(references)} references; "
            "give one sentence a line, in the same order, an empty line where there is no output"
        )
    kept = [(h, r) for h, r in zip(hypotheses, references, strict=True) if r.strip()]
    if not kept:
        raise UsageError(
            f"none of the {len(references)} references has text, expected at least one; "
            "check which file holds the references"
        )
    return [h for h, _ in kept], [r for _, r in kept], len(references) - len(kept)
