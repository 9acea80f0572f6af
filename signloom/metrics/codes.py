"""What codes say of signs: do the same signs come out as the same codes? (spec §5, F5.4)

Between two sequences of codes lies the edit distance, in shares of the longer one: 0 the same, 1
nothing alike. A sign is pure where the nearest of all other sequences is of the same sign.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError


@dataclass(frozen=True)
class Meaning:
    """Of ``occurrences`` of ``signs`` that occur at least twice.

    purity: percent of occurrences whose nearest other one is of the same sign; of several that are
        as near, the share that is. chance: what an order drawn at random would reach.
    same, different: mean edit distance between occurrences of one sign, and of different ones.
    closer: percent of pairs (one of the same sign, one of another) in which the same sign is the
        nearer, ties half: 50 by chance.
    """

    occurrences: int
    signs: int
    purity: float
    chance: float
    same: float
    different: float
    closer: float


def edit_distances(sequences: Sequence[Sequence[Hashable]]) -> NDArray[np.float32]:
    """(n, n) edit distances between sequences of codes, each in shares of the longer one.

    >>> edit_distances([[1, 2], [1, 3], [4, 5]])[0].tolist()
    [0.0, 0.5, 1.0]
    """
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.process import cdist

    number: dict[Hashable, int] = {}
    spelled = [[number.setdefault(code, len(number)) for code in codes] for codes in sequences]
    return cdist(spelled, spelled, scorer=Levenshtein.normalized_distance, dtype=np.float32)


def meaning(
    distances: NDArray[np.float32], signs: Sequence[str], signers: Sequence[str] = ()
) -> Meaning:
    """How far sequences of codes tell the ``signs`` apart that they stand for.

    distances: `edit_distances` of the sequences. signers: given, only sequences of other signers are compared, so that a hand is not taken for a sign.
    Raises UsageError where no sign occurs twice (by two signers), or no two signs are there.
    """
    names = {name: n for n, name in enumerate(dict.fromkeys(signs))}
    own = np.array([names[name] for name in signs])
    alike = own[:, None] == own[None, :]
    compared = ~np.eye(len(own), dtype=bool)
    if signers:
        who = np.array(signers)
        compared &= who[:, None] != who[None, :]
    kept = (alike & compared).any(1) if len(own) else np.zeros(0, bool)
    others = ~alike & compared
    if not kept.any() or not others[kept].any(1).all():
        who_too = " by two signers" if signers else ""
        raise UsageError(
            f"of {len(own)} occurrences of {len(names)} signs {int(kept.sum())} have a second of their "
            f"sign{who_too}: there is nothing to compare; give a store of several signs that occur "
            f"twice{who_too}"
        )
    nearest = np.where(compared, distances, np.inf)
    nearest = (nearest <= nearest.min(1, keepdims=True)) & compared
    pure = (nearest & alike).sum(1)[kept] / nearest.sum(1)[kept]
    chance = (alike & compared).sum(1)[kept] / compared.sum(1)[kept]
    closer = [
        _closer(distances[row][(alike & compared)[row]], distances[row][others[row]])
        for row in np.flatnonzero(kept)
    ]
    return Meaning(
        int(kept.sum()),
        len(set(own[kept].tolist())),
        100 * float(pure.mean()),
        100 * float(chance.mean()),
        float(distances[alike & compared].mean()),
        float(distances[others].mean()),
        100 * float(np.mean(closer)),
    )


def _closer(same: NDArray[np.float32], different: NDArray[np.float32]) -> float:
    """The share of pairs in which ``same`` is below ``different``, ties half (Mann-Whitney)."""
    ordered = np.sort(different)
    above = len(ordered) - np.searchsorted(ordered, same, side="right")
    tied = np.searchsorted(ordered, same, side="right") - np.searchsorted(ordered, same)
    return float((above + tied / 2).mean() / len(ordered))
