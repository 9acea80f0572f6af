"""A model on a split of a corpus, scored beside the baselines that a score must beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from signloom.data.sample import Sample, SampleSource
from signloom.errors import UsageError
from signloom.inference.translate import Translator, refuse_untrusted, translate_clips
from signloom.metrics.score import Score
from signloom.metrics.translation import score_translation
from signloom.metrics.words import WORD, content_words, is_content, words

SHUFFLED = "shuffled input"
FREQUENT = "most frequent sentence"
TEMPLATE = "copy-template"

BASELINES = {
    SHUFFLED: "the model's output for another clip: what it gets without looking at this one",
    FREQUENT: "the commonest training sentence, every time",
    TEMPLATE: "the reference itself with every content word replaced by the commonest one "
    "in training: function words for free",
}
"""Each baseline in words."""

CHUNK = 128
"""Clips held in memory at once; within a chunk, those of like length share a batch."""

LENGTHS = {"short": (1, 6), "medium": (7, 12), "long": (13, None)}
"""Length buckets by the words of the reference, both ends included."""


@dataclass(frozen=True)
class Evaluation:
    """Hypotheses and references in the order of the split, and the scores of model and baselines."""

    simulated: bool
    """Whether every clip was simulated."""
    ids: tuple[str, ...]
    hypotheses: tuple[str, ...]
    references: tuple[str, ...]
    metrics: tuple[Score, ...]
    baselines: dict[str, tuple[Score, ...]]
    lengths: dict[str, tuple[Score, ...]]
    """Bucket → scores of its sentences; buckets without a sentence are absent."""

    def to_json(self) -> dict[str, Any]:
        """Whether simulated, n, metrics, baselines and length buckets, as scores.json carries them."""
        return {
            "simulated": self.simulated,
            "n": len(self.references),
            "metrics": [score.to_json() for score in self.metrics],
            "baselines": {
                name: [score.to_json() for score in scores]
                for name, scores in self.baselines.items()
            },
            "lengths": {
                name: {
                    "words": list(LENGTHS[name]),
                    "metrics": [score.to_json() for score in scores],
                }
                for name, scores in self.lengths.items()
            },
        }


def evaluate(
    translator: Translator,
    corpus: SampleSource,
    training_texts: Sequence[str],
    *,
    limit: int | None = None,
    batch: int = 16,
    beam: int | None = None,
    allow_simulated: bool = False,
    advance: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Translates a split (its first ``limit`` samples) and scores it beside the baselines.

    training_texts: where the most frequent sentence and word come from.
    advance: called after each chunk with how many sentences it had.

    Raises UntrustedResultError for a model that knows only simulated signing
    on real clips, UsageError where the split has no text.
    """
    total = len(corpus) if limit is None else min(limit, len(corpus))
    if total < 1:
        raise UsageError(
            f"nothing to evaluate: the split has {len(corpus)} samples and the limit is {limit}; "
            "choose a split with samples and a limit of at least 1"
        )
    simulated = True
    ids: list[str] = []
    hypotheses: list[str] = []
    references: list[str] = []
    for samples in _chunks(corpus, total, CHUNK):
        for sample in samples:
            what = f"sample '{sample.id}'"
            refuse_untrusted(translator, sample.clip.simulated, allow_simulated, what)
            simulated = simulated and sample.clip.simulated
        clips = [sample.clip for sample in samples]
        translations = translate_clips(translator, clips, beam, batch)
        hypotheses += [translation.text for translation in translations]
        references += [sample.text for sample in samples]
        ids += [sample.id for sample in samples]
        advance(len(samples))
    return Evaluation(
        simulated,
        tuple(ids),
        tuple(hypotheses),
        tuple(references),
        tuple(score_translation(hypotheses, references)),
        {
            name: tuple(score_translation(outputs, references))
            for name, outputs in baselines(hypotheses, references, training_texts).items()
        },
        {
            name: tuple(score_translation(*bucket))
            for name, bucket in by_length(hypotheses, references).items()
        },
    )


def _chunks(corpus: SampleSource, total: int, size: int) -> Iterator[list[Sample]]:
    for start in range(0, total, size):
        yield [corpus[i] for i in range(start, min(start + size, total))]


def baselines(
    hypotheses: Sequence[str], references: Sequence[str], training_texts: Sequence[str]
) -> dict[str, list[str]]:
    """The outputs of each baseline, one per reference.

    Shuffling needs two sentences and is absent for one.
    """
    found: dict[str, list[str]] = {}
    if len(hypotheses) > 1:
        found[SHUFFLED] = [hypotheses[other] for other in derangement(len(hypotheses))]
    found[FREQUENT] = [commonest(training_texts)] * len(references)
    filler = commonest([word for text in training_texts for word in content_words(text)])
    found[TEMPLATE] = [template(reference, filler) for reference in references]
    return found


def derangement(size: int) -> list[int]:
    """A fixed permutation that leaves no place as it was: one cycle through all, in random order.

    Pairing each reference with the output for another clip is what giving the
    model shuffled clips comes to, since it translates each clip alone.
    """
    order = np.random.default_rng(12345).permutation(size)
    other = np.empty(size, int)
    other[order] = np.roll(order, 1)
    return [int(i) for i in other]


def commonest(items: Sequence[str]) -> str:
    """The most frequent item, the first in alphabet of several. Raises UsageError for none."""
    if not items:
        raise UsageError(
            "the baselines need the training text and got none; evaluate on a store with a "
            "train split"
        )
    counts = Counter(items)
    most = max(counts.values())
    return min(item for item, count in counts.items() if count == most)


def template(reference: str, filler: str) -> str:
    """The reference with each content word replaced by ``filler``, capitals where they were.

    >>> template("Yesterday the dog slept.", "rain")
    'Rain the rain rain.'
    """

    def fill(match: Any) -> str:
        word = match.group()
        if not is_content(word):
            return str(word)
        return filler.capitalize() if word[0].isupper() else filler

    return WORD.sub(fill, reference)


def by_length(
    hypotheses: Sequence[str], references: Sequence[str]
) -> dict[str, tuple[list[str], list[str]]]:
    """Bucket → its hypotheses and references; a bucket without a sentence is absent."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for name, (low, high) in LENGTHS.items():
        chosen = [
            (hypothesis, reference)
            for hypothesis, reference in zip(hypotheses, references, strict=True)
            if low <= len(words(reference)) and (high is None or len(words(reference)) <= high)
        ]
        if chosen:
            found[name] = ([h for h, _ in chosen], [r for _, r in chosen])
    return found
