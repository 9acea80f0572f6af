"""Sentences sorted into buckets, by length or by words that training did not have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from signloom.metrics.words import words

Pair = tuple[list[str], list[str]]
"""Hypotheses and references."""

LENGTHS = {"short": (1, 6), "medium": (7, 12), "long": (13, None)}
"""Length buckets by the words of the reference, both ends included."""

UNSEEN = {"none": (0, 0), "one": (1, 1), "two": (2, 2), "three or more": (3, None)}
"""Buckets by how many words of the reference are in no training text, both ends included."""


def by_length(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, Pair]:
    """Bucket → its hypotheses and references; a bucket without a sentence is absent."""
    return _sorted(hypotheses, references, LENGTHS, lambda text: len(words(text)))


def by_unseen(
    hypotheses: Sequence[str], references: Sequence[str], known: Collection[str]
) -> dict[str, Pair]:
    """The same by the number of words of the reference that are not ``known``, repeats included.

    Sentences without a word are in no bucket.
    """

    def unseen(text: str) -> int:
        said = words(text)
        return sum(word not in known for word in said) if said else -1

    return _sorted(hypotheses, references, UNSEEN, unseen)


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    """Every word of the texts, lower case."""
    return frozenset(word for text in texts for word in words(text))


def _sorted(
    hypotheses: Sequence[str],
    references: Sequence[str],
    buckets: dict[str, tuple[int, int | None]],
    count: Callable[[str], int],
) -> dict[str, Pair]:
    found: dict[str, Pair] = {}
    counts = [count(reference) for reference in references]
    for name, (low, high) in buckets.items():
        chosen = [
            (hypothesis, reference)
            for hypothesis, reference, number in zip(hypotheses, references, counts, strict=True)
            if low <= number and (high is None or number <= high)
        ]
        if chosen:
            found[name] = ([h for h, _ in chosen], [r for _, r in chosen])
    return found
