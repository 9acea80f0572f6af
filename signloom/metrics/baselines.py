"""Outputs that take no model, or do not look: a score is worth something where it is well above theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from signloom.errors import UsageError
from signloom.metrics.words import WORD, content_words, is_content, words

SHUFFLED = "shuffled input"
FREQUENT = "most frequent sentence"
CONSTANT = "constant words"
TEMPLATE = "copy-template"

BASELINES = {
    SHUFFLED: "the model's output for another clip: what it gets without looking at this one",
    FREQUENT: "the commonest training sentence, every time",
    CONSTANT: "the commonest training words, as many as a sentence has on average, every time",
    TEMPLATE: "the reference itself with every content word replaced by the commonest one "
    "in training: function words for free",
}
"""Each baseline in words."""


def baselines(
    hypotheses: Sequence[str], references: Sequence[str], training_texts: Sequence[str]
) -> dict[str, list[str]]:
    """The outputs of each baseline, one per reference.

    Shuffling needs two sentences and is absent for one. Raises UsageError without training text.
    """
    found: dict[str, list[str]] = {}
    if len(hypotheses) > 1:
        found[SHUFFLED] = [hypotheses[other] for other in derangement(len(hypotheses))]
    found[FREQUENT] = [commonest(training_texts)] * len(references)
    found[CONSTANT] = [constant(training_texts)] * len(references)
    fillers = [word for text in training_texts for word in content_words(text)]
    if fillers:
        filler = commonest(fillers)
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


def constant(texts: Sequence[str]) -> str:
    """The commonest words, the commonest first, as many as the sentences have on average.

    >>> constant(["the dog barks", "the cat"])
    'the barks'
    """
    counts = Counter(word for text in texts for word in words(text))
    length = round(counts.total() / max(len(texts), 1))
    return " ".join(sorted(counts, key=lambda word: (-counts[word], word))[:length])


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
