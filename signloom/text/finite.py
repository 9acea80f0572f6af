"""Countable choices: sets whose size is known and whose k-th member is made when asked for.

Nothing is listed: a product of choices is counted by multiplying, and its k-th member is
found by dividing. ``Mixed`` takes turns between sets in given proportions until each is used
up, ``Shuffled`` goes through a set in an order drawn from a key; both go through every
member exactly once. Counts may be larger than any machine integer.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

_MASK = (1 << 64) - 1


class Finite(ABC):
    """``count`` members; ``at(k)`` is the k-th, 0 ≤ k < count."""

    count: int

    @abstractmethod
    def at(self, k: int) -> Any: ...


class Listed(Finite):
    """The members of a sequence."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.items, self.count = items, len(items)

    def at(self, k: int) -> Any:
        return self.items[k]


class Product(Finite):
    """``make`` of one member of each part; the first part changes fastest."""

    def __init__(self, make: Callable[..., Any], *parts: Finite) -> None:
        self.make, self.parts = make, parts
        self.counts = [part.count for part in parts]
        self.count = 1
        for count in self.counts:
            self.count *= count

    def at(self, k: int) -> Any:
        chosen = []
        for part, count in zip(self.parts, self.counts, strict=True):
            k, place = divmod(k, count)
            chosen.append(part.at(place))
        return self.make(*chosen)


class Union(Finite):
    """The members of several disjoint sets, one set after another."""

    def __init__(self, parts: Iterable[Finite]) -> None:
        self.parts = [part for part in parts if part.count]
        self.ends = list(accumulate(part.count for part in self.parts))
        self.count = self.ends[-1] if self.ends else 0

    def at(self, k: int) -> Any:
        part = bisect_right(self.ends, k)
        return self.parts[part].at(k - (self.ends[part - 1] if part else 0))


def mixed_bits(*keys: int) -> int:
    """64 bits that depend on every bit of the keys (splitmix64's finaliser, Steele et al. 2014)."""
    z = 0x9E3779B97F4A7C15
    for key in keys:
        z = (z + key * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        z ^= z >> 31
    return z


def key_of(*parts: object) -> int:
    """A 64-bit key of words and numbers."""
    said = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(said, digest_size=8).digest(), "big")


def permuted(k: int, count: int, key: int) -> int:
    """Where k goes under a permutation of range(count) that ``key`` draws.

    A Feistel network over the next even power of two, walked until it lands inside
    (Black and Rogaway 2002): no table, whatever the count.
    """
    if count <= 1:
        return 0
    half = ((count - 1).bit_length() + 1) // 2
    low = (1 << half) - 1
    rounds = -(-half // 64)
    while True:
        left, right = k >> half, k & low
        for turn in range(4):
            bits = 0
            for word in range(rounds):
                bits = (bits << 64) | mixed_bits(key, turn, word, right & _MASK, right >> 64)
            left, right = right, left ^ (bits & low)
        k = (left << half) | right
        if k < count:
            return k


class Shuffled(Finite):
    """The members of a set in an order that ``key`` draws."""

    def __init__(self, of: Finite, key: int) -> None:
        self.of, self.key, self.count = of, key, of.count

    def at(self, k: int) -> Any:
        return self.of.at(permuted(k, self.count, self.key))


@dataclass(frozen=True)
class _Phase:
    """Blocks in which the same parts take turns: ``used`` turns of each were taken before them.

    ``ends[n]`` is where the turns of the n-th of ``parts`` end within a block.
    """

    start: int
    parts: list[int]
    ends: list[int]
    used: list[int]


class Mixed(Finite):
    """Members of several sets in proportion to their weights, each member once, in a drawn order.

    In every block of ``sum(weights)`` members each set has its weight of turns. A set that is
    used up drops out, and the others go on.
    """

    def __init__(self, parts: Sequence[Finite], weights: Sequence[int], key: int) -> None:
        self.parts, self.key = parts, key
        self.phases: list[_Phase] = []
        left = [part.count for part in parts]
        used = [0] * len(parts)
        active = [p for p, count in enumerate(left) if count and weights[p] > 0]
        start = 0
        while active:
            blocks = min(left[p] // weights[p] for p in active)
            turns = {p: weights[p] for p in active}
            if not blocks:  # fewer left than one block takes: those go, once
                blocks, turns = 1, {p: left[p] for p in active if left[p] < weights[p]}
            ends = list(accumulate(turns.values()))
            self.phases.append(_Phase(start, list(turns), ends, [used[p] for p in turns]))
            start += blocks * ends[-1]
            for p, share in turns.items():
                used[p] += blocks * share
                left[p] -= blocks * share
            active = [p for p in active if left[p]]
        self.count = start
        self.starts = [phase.start for phase in self.phases]

    def at(self, k: int) -> Any:
        number = bisect_right(self.starts, k) - 1
        phase = self.phases[number]
        block, slot = divmod(k - phase.start, phase.ends[-1])
        slot = permuted(slot, phase.ends[-1], mixed_bits(self.key, number, block))
        n = bisect_right(phase.ends, slot)
        before = phase.ends[n - 1] if n else 0
        share = phase.ends[n] - before
        return self.parts[phase.parts[n]].at(phase.used[n] + block * share + slot - before)
