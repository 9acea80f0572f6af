"""Batches by (step, micro-batch), prepared in any process with the same result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.training.mixing import Mixture, SourceName, Staged

Example = Callable[[Sample, np.random.Generator, bool], Any]
Collate = Callable[[list[Any]], Any]


@dataclass(frozen=True)
class MicroBatch:
    """A part of a step's batch, ready for the model.

    number: which of the step's micro-batches it is, counted over all processes.
    ids: of its samples.
    batch: whatever the model's collate gave.
    """

    step: int
    number: int
    source: SourceName
    ids: tuple[str, ...]
    batch: Any


class MicroBatches(Dataset):
    """The micro-batches of this process from step ``first`` on; item i is a pure function of i.

    A step's places are split into ``processes`` × ``accumulate`` runs, as even as they
    come; process r takes the r-th group of ``accumulate`` runs.
    """

    def __init__(
        self,
        mixture: Mixture | Staged,
        example: Example,
        collate: Collate,
        steps: range,
        accumulate: int = 1,
        process: int = 0,
        processes: int = 1,
    ) -> None:
        if mixture.batch < accumulate * processes:
            raise UsageError(
                f"a batch of {mixture.batch} cannot be split into {accumulate} micro-batches on "
                f"each of {processes} processes; raise batch or lower accumulate"
            )
        self.mixture, self.example, self.collate = mixture, example, collate
        self.steps, self.accumulate = steps, accumulate
        self.process, self.processes = process, processes

    def __len__(self) -> int:
        return len(self.steps) * self.accumulate

    def __getitem__(self, index: int) -> MicroBatch:
        step = self.steps[index // self.accumulate]
        number = self.process * self.accumulate + index % self.accumulate
        pieces = self.accumulate * self.processes
        mixture = self.mixture.at(step)
        size = mixture.batch
        drawn = mixture.draw(step)
        source = mixture.source(drawn.source)
        examples, ids = [], []
        for place in range(size * number // pieces, size * (number + 1) // pieces):
            sample = source[drawn.indices[place]]
            examples.append(self.example(sample, mixture.rng(step, place), True))
            ids.append(sample.id)
        return MicroBatch(step, number, drawn.source, tuple(ids), self.collate(examples))


def in_order(batches: MicroBatches, workers: int, pin: bool) -> Iterator[MicroBatch]:
    """The micro-batches one after the other, prepared ahead by ``workers`` processes (0 = by this one)."""
    more: dict[str, Any] = {}
    if workers:
        more["prefetch_factor"] = 4
        if sys.platform == "linux":
            more["multiprocessing_context"] = "fork"
    loader: Sequence[MicroBatch] | DataLoader = DataLoader(
        batches, batch_size=None, num_workers=workers, pin_memory=pin, **more
    )
    yield from loader
