"""Which gloss follows which: an n-gram model of few sentences, as the prior of a search."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

END = -1
"""Stands behind the last label of a sentence, and as often as needed before the first."""


class NGram:
    """p(label | the labels before), from counts of up to ``order`` labels (Witten and Bell 1991).

    p_n(w | h) = (c(h w) + t(h) · p_{n-1}(w | h')) / (c(h) + t(h)), with t(h) the number of different
    labels seen behind h, and h' without its first; below one label, all of ``labels`` and the end are
    equally likely. Nothing is impossible.

    counts: a row for each sequence of ``order`` labels: the labels, then how often it was seen.
    """

    def __init__(self, counts: Int[Tensor, "sequences columns"], labels: int):
        self.order, self.labels = counts.shape[1] - 1, labels
        self._known: dict[tuple[tuple[int, ...], int], float] = {}
        self._seen: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for *sequence, count in counts.tolist():
            for first in range(self.order):
                self._seen[tuple(sequence[first:-1])][sequence[-1]] += count

    def log_p(self, before: tuple[int, ...], label: int | None) -> float:
        """ln p of the label behind all labels of a sentence before it; None = the sentence ends."""
        seen = ((END,) * (self.order - 1) + before)[len(before) :]
        return math.log(self._p(seen, END if label is None else label))

    def _p(self, before: tuple[int, ...], label: int) -> float:
        if (before, label) not in self._known:
            self._known[before, label] = self._estimated(before, label)
        return self._known[before, label]

    def _estimated(self, before: tuple[int, ...], label: int) -> float:
        less = self._p(before[1:], label) if before else 1 / (self.labels + 1)
        if before not in self._seen:
            return less
        behind = self._seen[before]
        return (behind[label] + len(behind) * less) / (behind.total() + len(behind))


def counted(sentences: Iterable[Sequence[int]], order: int) -> Int[Tensor, "sequences columns"]:
    """How often which ``order`` labels follow each other in the sentences, ends among them."""
    found: Counter[tuple[int, ...]] = Counter()
    for sentence in sentences:
        padded = [END] * (order - 1) + [*sentence, END]
        found.update(tuple(padded[at : at + order]) for at in range(len(padded) - order + 1))
    rows = [[*sequence, count] for sequence, count in sorted(found.items())]
    return torch.tensor(rows, dtype=torch.int32).reshape(-1, order + 1)
