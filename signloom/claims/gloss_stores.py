"""Stores that AutoSign's questions F2.1 and F2.7 need beside sim-sentences-v1: python -m signloom.claims.gloss_stores

    OTHER     sentences of the simulated sign language of seed 2: train, dev, test
    CROSSED   what sim-sentences-v1 keeps apart: "signers", training sentences by the test's signers, and
              "sentences", the test's sentences by signers of training

What is there already is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from signloom.claims.papers import CROSSED, OTHER
from signloom.corpora.prepare import write_store
from signloom.data.layouts import PS76
from signloom.data.sample import SampleSource
from signloom.methods.sources import Chosen, First
from signloom.simulator.corpora import SENTENCES, SimulatedSentences, split_named
from signloom.simulator.grammar import SimulatedSentence

COUNTS = {"train": 8_000, "dev": 500, "test": 1_000}
"""Sentences of the other language."""
SIGNERS = 1_000
"""Training sentences by the test's signers: as many as there are test sentences by training's."""


@dataclass(frozen=True)
class Crossed(SimulatedSentences):
    """The sentences of one split by the signers of another, ``split``."""

    of: str = "train"

    def __post_init__(self) -> None:
        super().__post_init__()
        split_named(self.of)

    def __len__(self) -> int:
        return SENTENCES[self.size][self.of]

    def sentence(self, index: int) -> SimulatedSentence:
        """As `SimulatedSentences.sentence`, of the other split."""
        return SimulatedSentences(self.size, self.of, self.layout).sentence(index)


def other(counts: Mapping[str, int] = COUNTS, size: str = "small") -> dict[str, SampleSource]:
    """Split → its first sentences in the language of seed 2."""
    return {
        split: First(SimulatedSentences(size, split, PS76, 2), count)
        for split, count in counts.items()
    }


def crossed(signers: int = SIGNERS, size: str = "small") -> dict[str, SampleSource]:
    """The two splits of CROSSED.

    Of "signers" the samples behind the test's own, which the same draws would give camera and pace.
    """
    first = SENTENCES[size]["test"]
    last = min(first + signers, SENTENCES[size]["train"])
    return {
        "signers": Chosen(Crossed(size, "test", PS76, of="train"), tuple(range(first, last))),
        "sentences": Crossed(size, "train", PS76, of="test"),
    }


def main() -> None:
    for out, made, what in (
        (OTHER, other, "sim-sentences-v1, sim-2"),
        (CROSSED, crossed, "sim-sentences-v1, splits crossed"),
    ):
        if not Path(out).exists():
            write_store(out, PS76, made(), description={"corpus": what})
            print(out)


if __name__ == "__main__":
    main()
