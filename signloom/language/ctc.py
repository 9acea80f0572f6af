"""Connectionist temporal classification (Graves et al. 2006): the loss, and prefix beam search."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

NEVER = -math.inf


def ctc_loss(
    logits: Float[Tensor, "batch time classes"],
    frames: Int[Tensor, " batch"],
    targets: Int[Tensor, "batch length"],
    lengths: Int[Tensor, " batch"],
    blank: int,
) -> Float[Tensor, " batch"]:
    """−log p(target | frames) of each row.

    frames, lengths: how many of a row's frames and targets are real. A target that needs more
    frames than there are (one each, one more between equal neighbours) has no alignment: its loss
    is 0, with no gradient.
    """
    return nn.functional.ctc_loss(
        logits.float().log_softmax(-1).transpose(0, 1),
        targets,
        frames,
        lengths,
        blank=blank,
        reduction="none",
        zero_infinity=True,
    )


@dataclass(frozen=True)
class Labelling:
    """Labels without blanks, and log p: the sum over every alignment that the search kept, and the prior."""

    labels: tuple[int, ...]
    log_p: float


Prior = Callable[[tuple[int, ...], int | None], float]
"""(labels so far, the next one or None for the end) → what it adds to the score of a labelling."""


def no_prior(before: tuple[int, ...], label: int | None) -> float:
    """All labellings are alike."""
    return 0.0


class PrefixBeam:
    """Prefix beam search that takes frames as they come: whole or in pieces, to the same result.

    width: prefixes kept after a frame. classes: labels tried a frame, the likeliest; 0 = all.
    prior: what a label adds to log p of a labelling as soon as it stands in it (shallow fusion).
    With all prefixes and classes kept, and no prior, log p of a labelling is exact.
    """

    def __init__(self, blank: int, width: int = 10, classes: int = 20, prior: Prior = no_prior):
        self.blank, self.width, self.classes, self.prior = blank, width, classes, prior
        # prefix → (log p that it ends in a blank, log p that it ends in its last label)
        self._beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, NEVER)}

    def take(self, log_p: Float[Tensor, "time classes"]) -> None:
        """Goes on by these frames."""
        kept = min(self.classes or log_p.shape[1], log_p.shape[1])
        tried = log_p.topk(kept, dim=1).indices.tolist()
        for row, labels in zip(log_p.double().tolist(), tried, strict=True):
            self._frame(row, labels)

    def _frame(self, log_p: list[float], labels: list[int]) -> None:
        grown: dict[tuple[int, ...], tuple[float, float]] = {}

        def add(prefix: tuple[int, ...], in_blank: float, in_label: float) -> None:
            blank, label = grown.get(prefix, (NEVER, NEVER))
            grown[prefix] = (_sum(blank, in_blank), _sum(label, in_label))

        for prefix, (in_blank, in_label) in self._beams.items():
            total = _sum(in_blank, in_label)
            last = prefix[-1] if prefix else self.blank
            stays = in_label + log_p[last] if prefix else NEVER
            add(prefix, total + log_p[self.blank], stays)
            for label in labels:
                # Between equal neighbours there must be a blank.
                before = in_blank if label == last else total
                if label != self.blank and before > NEVER:
                    add((*prefix, label), NEVER, before + log_p[label] + self.prior(prefix, label))
        best = sorted(grown.items(), key=lambda item: (-_sum(*item[1]), item[0]))
        self._beams = dict(best[: self.width])

    def best(self) -> list[Labelling]:
        """The prefixes kept, each taken for the whole labelling, likeliest first."""
        found = [
            Labelling(prefix, _sum(*ends) + self.prior(prefix, None))
            for prefix, ends in self._beams.items()
        ]
        return sorted(found, key=lambda labelling: (-labelling.log_p, labelling.labels))

    def agreed(self) -> tuple[int, ...]:
        """The labels that all kept prefixes begin with: whatever comes, these stay."""
        prefixes = list(self._beams)
        low, high = min(prefixes), max(prefixes)
        same = 0
        while same < min(len(low), len(high)) and low[same] == high[same]:
            same += 1
        return low[:same]


def _sum(a: float, b: float) -> float:
    """ln(eᵃ + eᵇ)."""
    if a < b:
        a, b = b, a
    return a if b == NEVER else a + math.log1p(math.exp(b - a))
