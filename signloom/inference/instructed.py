"""Does a model do what it is told? The share of answers in the form asked for, beside one that is deaf.

The deaf one is the same model asked to translate, whatever the instruction: what it reaches,
instructions that ask for nothing else reach too (F5.6, F5.7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from signloom.data.sample import SampleSource
from signloom.errors import UsageError
from signloom.inference.translate import Told, refuse_untrusted
from signloom.metrics.words import content_words
from signloom.text.instructions import (
    CHECKED,
    STRESS,
    follows,
    follows_stress,
)
from signloom.text.phrasings import DEFAULT, PHRASINGS, Part


@dataclass(frozen=True)
class Obedience:
    """Percent of answers in the form asked for, by family and by kind of stress; n clips each.

    deaf: the same of a model that translates whatever it is told.
    """

    n: int
    part: Part
    told: dict[str, float]
    deaf: dict[str, float]

    @property
    def mean(self) -> float:
        """Over the families (not the stress set), each counting as much."""
        return sum(self.told[family] for family in CHECKED) / len(CHECKED)

    @property
    def mean_deaf(self) -> float:
        return sum(self.deaf[family] for family in CHECKED) / len(CHECKED)


def obedience(
    model: Told,
    corpus: SampleSource,
    part: Part,
    limit: int,
    beam: int | None = None,
    allow_simulated: bool = False,
) -> Obedience:
    """Every family asked of each of the first ``limit`` clips, phrasings in turn; then the stress set.

    Raises UsageError where there is no clip, UntrustedResultError as `evaluate` does.
    """
    samples = [corpus[i] for i in range(min(len(corpus), limit))]
    if not samples:
        raise UsageError("there is no clip to instruct a model on; choose a split with samples")
    for sample in samples:
        refuse_untrusted(model, sample.clip.simulated, allow_simulated, f"sample '{sample.id}'")

    def answers(ask: Callable[[int], str]) -> list[str]:
        found: list[str] = []
        for first in range(0, len(samples), 16):
            chosen = range(first, min(first + 16, len(samples)))
            clips = [samples[i].clip for i in chosen]
            found += [t.text for t in model.translate(clips, beam, [ask(i) for i in chosen])]
        return found

    plain = answers(lambda i: DEFAULT)
    told: dict[str, float] = {}
    deaf: dict[str, float] = {}
    for family in CHECKED:
        phrasings = PHRASINGS[family].part(part)
        said = answers(lambda i, asked=phrasings: asked[i % len(asked)])  # type: ignore[misc]
        told[family] = _percent([follows(family, text, content_words) for text in said])
        deaf[family] = _percent([follows(family, text, content_words) for text in plain])
    for kind in dict.fromkeys(stress.kind for stress in STRESS):
        asked = [stress for stress in STRESS if stress.kind == kind]
        said = answers(lambda i, asked=asked: asked[i % len(asked)].instruction)  # type: ignore[misc]
        pairs = [(asked[i % len(asked)], i) for i in range(len(samples))]
        told[kind] = _percent([follows_stress(s, said[i], content_words) for s, i in pairs])
        deaf[kind] = _percent([follows_stress(s, plain[i], content_words) for s, i in pairs])
    return Obedience(len(samples), part, told, deaf)


def _percent(right: Sequence[bool]) -> float:
    return round(100 * sum(right) / len(right), 2)
