"""Which samples a training step sees: a pure function of (seed, step), with no iterator to save.

A step's whole batch comes from one source: the real one with probability
p(step), else the synthetic one (spec §1, curriculum).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import numpy as np

from signloom.data.sample import SampleSource
from signloom.errors import UsageError

SourceName = Literal["real", "synthetic"]


Schedule = Callable[[int], float]
"""p(step): how likely the batch of a step is to come from the real source."""


@dataclass(frozen=True)
class AnnealedCap:
    """p(s) = min(s/N, cap): the ramp of the paper's code, at the cap from step cap·N on (spec §1)."""

    steps: int = 60_000
    cap: float = 0.85

    def __call__(self, step: int) -> float:
        return min(step / self.steps, self.cap)


@dataclass(frozen=True)
class AnnealedScale:
    """p(s) = cap · min(s/N, 1): the ramp of the paper's wording, at the cap from step N on (spec §1)."""

    steps: int = 60_000
    cap: float = 0.85

    def __call__(self, step: int) -> float:
        return self.cap * min(step / self.steps, 1.0)


@dataclass(frozen=True)
class Fixed:
    """p(s) = p at every step."""

    p: float = 1.0

    def __call__(self, step: int) -> float:
        return self.p


@dataclass(frozen=True)
class Disjoint:
    """Synthetic alone before step N, then ``after``: pretraining and fine-tuning, apart."""

    steps: int = 60_000
    after: float = 1.0

    def __call__(self, step: int) -> float:
        return 0.0 if step < self.steps else self.after


@dataclass(frozen=True)
class Drawn:
    """What a step's batch is made of: the source, and an index into it for every place."""

    source: SourceName
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Mixture:
    """A real source, perhaps a synthetic one, and how they are mixed.

    batch: samples a step, over all processes and micro-batches.

    >>> Mixture(real=[...], batch=16, seed=1).draw(step=0)
    Drawn(source='real', indices=(...))
    """

    real: SampleSource
    batch: int
    seed: int
    synthetic: SampleSource | None = None
    schedule: Schedule = field(default_factory=Fixed)

    def __post_init__(self) -> None:
        for name, source in (("real", self.real), ("synthetic", self.synthetic)):
            if source is not None and len(source) == 0:
                raise UsageError(f"the {name} training source has no samples; expected at least 1")

    def at(self, step: int) -> Mixture:
        """The mixture that a step draws from: this one."""
        return self

    def p(self, step: int) -> float:
        """How likely the batch of ``step`` is to be real; 1 where there is no synthetic source."""
        return 1.0 if self.synthetic is None else self.schedule(step)

    def draw(self, step: int) -> Drawn:
        """Which samples the batch of ``step`` holds.

        Place k of step s stands at position s·batch + k of its source's endless
        run of epochs, each epoch in an order of its own.
        """
        real = generator(self.seed, step, stream=0).random() < self.p(step)
        name: SourceName = "real" if real else "synthetic"
        size = len(self.source(name))
        indices = []
        for position in range(step * self.batch, (step + 1) * self.batch):
            epoch, offset = divmod(position, size)
            indices.append(shuffled(offset, size, (self.seed, name, epoch)))
        return Drawn(name, tuple(indices))

    def source(self, name: SourceName) -> SampleSource:
        """The source of that name."""
        if name == "real" or self.synthetic is None:
            return self.real
        return self.synthetic

    def rng(self, step: int, place: int) -> np.random.Generator:
        """The generator that augments the sample at a place of a step's batch."""
        return generator(self.seed, step, stream=1 + place)


@dataclass(frozen=True)
class Staged:
    """A mixture for each stage of a training, all of one batch size.

    steps: how long each stage is; beyond the last the last one goes on.
    """

    mixtures: tuple[Mixture, ...]
    steps: tuple[int, ...]

    @property
    def batch(self) -> int:
        return self.mixtures[0].batch

    def at(self, step: int) -> Mixture:
        """The mixture that a step draws from."""
        for mixture, steps in zip(self.mixtures, self.steps, strict=True):
            if step < steps:
                return mixture
            step -= steps
        return self.mixtures[-1]

    def p(self, step: int) -> float:
        """How likely the batch of ``step`` is to be real."""
        return self.at(step).p(step)


def generator(seed: int, step: int, stream: int) -> np.random.Generator:
    """A Philox generator keyed by (seed, step, stream): streams never overlap."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, step, stream))))


def shuffled(offset: int, size: int, key: tuple[int | str, ...]) -> int:
    """Where ``offset`` lies in the permutation of range(size) that ``key`` names.

    A Feistel network on the smallest even number of bits that holds ``size``,
    walked until it falls inside: no table, so a stream of any length costs nothing.
    """
    if not 0 <= offset < size:
        raise ValueError(f"offset {offset} lies outside a permutation of {size}")
    half = max((size - 1).bit_length() + 1, 2) // 2
    rounds = _round_keys(key)
    while True:
        left, right = offset >> half, offset & ((1 << half) - 1)
        for round_key in rounds:
            left, right = right, left ^ (_scramble(right ^ round_key) >> (64 - half))
        offset = (left << half) | right
        if offset < size:
            return offset


@lru_cache(maxsize=64)
def _round_keys(key: tuple[int | str, ...]) -> tuple[int, ...]:
    digest = hashlib.blake2b(repr(key).encode(), digest_size=64).digest()
    return tuple(int.from_bytes(digest[at : at + 8], "little") for at in range(0, 64, 8))


def _scramble(value: int) -> int:
    """The finaliser of splitmix64: every input bit moves every output bit."""
    mask = (1 << 64) - 1
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & mask
    return value ^ (value >> 31)
