"""Retrieval: is what belongs to a thing among the k nearest of all there is? (spec §4, F4.1)"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError

AT = (1, 5, 10)


@dataclass(frozen=True)
class Retrieval:
    """R@k: percent of ``queries`` for which one that belongs to it is among the k nearest candidates.

    chance: k → what an order drawn at random reaches on average.
    ranks: of each query the place of the first that belongs to it, 1 = nearest.
    """

    queries: int
    candidates: int
    recall: dict[int, float]
    chance: dict[int, float]
    ranks: tuple[int, ...]

    @property
    def median_rank(self) -> float:
        return float(np.median(self.ranks))


def retrieval(
    near: NDArray[np.float32], belongs: NDArray[np.bool_], at: Sequence[int] = AT
) -> Retrieval:
    """R@k of how ``near`` (queries, candidates) each candidate is, of which some ``belongs`` to a query.

    A candidate that is as near as one that belongs stands before it: a model that
    answers everything alike finds nothing. Raises UsageError where there is no query, or to one
    nothing belongs.
    """
    if not near.size or not belongs.any(axis=1).all():
        raise UsageError(
            f"retrieval of {near.shape[0]} queries among {near.shape[1]} candidates: expected at least "
            "one query, and a candidate that belongs to each; give a split with samples"
        )
    best = np.where(belongs, near, -np.inf).max(axis=1, keepdims=True)
    ranks = 1 + ((near >= best) & ~belongs).sum(axis=1)
    total, own = near.shape[1], belongs.sum(axis=1)
    missed = {
        k: [comb(total - int(m), min(k, total)) / comb(total, min(k, total)) for m in own]
        for k in at
    }
    return Retrieval(
        len(near),
        total,
        {k: 100 * float((ranks <= k).mean()) for k in at},
        {k: 100 * (1 - float(np.mean(each))) for k, each in missed.items()},
        tuple(int(rank) for rank in ranks),
    )
