"""Sentences sorted into buckets: by length, by what training did not have, by who signs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from signloom.metrics.words import words

Pair = tuple[list[str], list[str]]
"""Hypotheses and references."""

LENGTHS = {"short": (1, 6), "medium": (7, 12), "long": (13, None)}
"""Length buckets by the words of the reference, both ends included."""

UNSEEN = {"none": (0, 0), "one": (1, 1), "two": (2, 2), "three or more": (3, None)}
"""Buckets by how many words of the reference are in no training text, both ends included."""

GLOSSES = {"1-3": (1, 3), "4-6": (4, 6), "7+": (7, None)}
"""Length buckets by the glosses of the reference, both ends included."""


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


def by_glosses(hypotheses: Sequence[str], references: Sequence[str]) -> dict[str, Pair]:
    """The same by the number of glosses, which are what white space separates."""
    return _sorted(hypotheses, references, GLOSSES, lambda glosses: len(glosses.split()))


def by_sentence(
    hypotheses: Sequence[str], references: Sequence[str], training: Iterable[str]
) -> dict[str, Pair]:
    """'seen' and 'unseen': whether the whole reference is one of the training sentences."""
    known = {" ".join(sentence.split()) for sentence in training}
    kinds = ["seen" if " ".join(r.split()) in known else "unseen" for r in references]
    return by_label(hypotheses, references, kinds)


def by_label(
    hypotheses: Sequence[str], references: Sequence[str], labels: Sequence[str]
) -> dict[str, Pair]:
    """Label → its hypotheses and references, labels in alphabetical order: by signer, for one."""
    found: dict[str, Pair] = {label: ([], []) for label in sorted(set(labels))}
    for hypothesis, reference, label in zip(hypotheses, references, labels, strict=True):
        found[label][0].append(hypothesis)
        found[label][1].append(reference)
    return found


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
