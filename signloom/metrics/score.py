"""Score: a value with the definition, the count and the interval that it needs to be read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError

RESAMPLES = 1000
SEED = 12345


@dataclass(frozen=True)
class Score:
    """One number and how it was made.

    value: in percent, 0–100 (a word error rate may exceed 100).
    signature: every setting that changes the value, in sacreBLEU's manner.
    n: how many sentences were scored.
    excluded: how many were not, because their reference is empty.
    ci95: percentile bootstrap interval over sentences.
    """

    name: str
    value: float
    signature: str
    n: int
    excluded: int
    ci95: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """The form that files carry; numbers to four decimals."""
        return {
            "name": self.name,
            "value": round(self.value, 4),
            "signature": self.signature,
            "n": self.n,
            "excluded": self.excluded,
            "ci95": [round(self.ci95[0], 4), round(self.ci95[1], 4)],
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
        )


def bootstrap(
    statistics: NDArray[np.float64], value: Callable[[NDArray[np.float64]], float]
) -> tuple[float, float]:
    """95 % interval of a corpus score: sentences resampled 1,000 times from seed 12345.

    statistics: (sentences, k) sufficient statistics; ``value`` takes their sum (k,).
    The draws and the two ends are those that sacreBLEU's own interval takes.
    """
    rng = np.random.default_rng(SEED)
    sentences = len(statistics)
    values = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        drawn = rng.choice(sentences, size=sentences, replace=True)
        times = np.bincount(drawn, minlength=sentences)
        values[i] = value(times @ statistics)
    values.sort()
    tail = RESAMPLES // 40
    return float(values[tail]), float(values[RESAMPLES - tail - 1])


def measured(
    name: str,
    statistics: NDArray[np.float64],
    value: Callable[[NDArray[np.float64]], float],
    signature: str,
    excluded: int = 0,
) -> Score:
    """The corpus score of per-sentence statistics (sentences, k), with its interval."""
    return Score(
        name,
        value(statistics.sum(axis=0)),
        signature,
        len(statistics),
        excluded,
        bootstrap(statistics, value),
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
