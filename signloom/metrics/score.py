"""Score: a value with the definition, the count and the interval that it needs to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError

RESAMPLES = 1000
SEED = 12345
BLOCK = 1_000_000
"""Draws held in memory at once while resampling."""


@dataclass(frozen=True)
class Score:
    """One number and how it was made.

    value: in ``unit``: percent, 0–100 (a word error rate may exceed 100), or seconds.
    signature: every setting that changes the value, in sacreBLEU's manner.
    n: how many sentences were scored; cues, where ``episodes`` is given.
    excluded: how many were not, because their reference is empty, or for cues, bracketed.
    ci95: percentile bootstrap interval over sentences, or over episodes where those are
        given; with one episode there is nothing to resample and both ends are the value.
    unit: '%', or 's' for seconds.
    episodes: how many episodes the cues come from; None where sentences were scored.
    """

    name: str
    value: float
    signature: str
    n: int
    excluded: int
    ci95: tuple[float, float]
    unit: Literal["%", "s"] = "%"
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


def bootstrap(statistics: NDArray[np.float64], values: Values) -> tuple[float, float]:
    """95 % interval of a corpus score: sentences resampled 1,000 times from seed 12345.

    statistics: (sentences, k) sufficient statistics of each sentence.
    The draws and the two ends are those that sacreBLEU's own interval takes.
    """
    rng = np.random.default_rng(SEED)
    sentences = len(statistics)
    sums = np.empty((RESAMPLES, statistics.shape[1]))
    rows = min(max(1, BLOCK // sentences), RESAMPLES)
    for first in range(0, RESAMPLES, rows):
        block = sums[first : first + rows]
        drawn = rng.choice(sentences, size=(len(block), sentences), replace=True)
        drawn += np.arange(len(block))[:, None] * sentences
        times = np.bincount(drawn.ravel(), minlength=len(block) * sentences)
        block[:] = times.reshape(len(block), sentences).astype(float) @ statistics
    scores = np.sort(values(sums))
    tail = RESAMPLES // 40
    return float(scores[tail]), float(scores[RESAMPLES - tail - 1])


def measured(
    name: str,
    statistics: NDArray[np.float64],
    values: Values,
    signature: str,
    excluded: int = 0,
) -> Score:
    """The corpus score of per-sentence statistics (sentences, k), with its interval."""
    return Score(
        name,
        float(values(statistics.sum(axis=0, keepdims=True))[0]),
        signature,
        len(statistics),
        excluded,
        bootstrap(statistics, values),
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
