"""Recognition scores: word error rate over a corpus, with its three parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MissingExtraError
from signloom.metrics.score import Score, measured, paired

PARTS = ("substitutions", "deletions", "insertions")


def score_recognition(
    hypotheses: Sequence[str], references: Sequence[str], lowercase: bool = False
) -> list[Score]:
    """WER and the substitutions, deletions and insertions it is the sum of.

    All in percent of the reference words of the corpus, every edit at cost 1;
    words are what white space separates, nothing is cleaned. An empty
    hypothesis counts its reference as deletions. Raises UsageError where the
    counts differ, MissingExtraError without jiwer.
    """
    kept, truth, excluded = paired(hypotheses, references)
    statistics = edits(kept, truth, lowercase)
    signature = _signature(lowercase)

    def rate(name: str, *kinds: int) -> Score:
        def values(sums: NDArray[np.float64]) -> NDArray[np.float64]:
            return 100 * sums[..., list(kinds)].sum(axis=-1) / sums[..., 3]

        return measured(name, statistics, values, signature, excluded)

    parts = [rate(name, kind) for kind, name in enumerate(PARTS)]
    return [rate("WER", 0, 1, 2), *parts]


def edits(
    hypotheses: Sequence[str], references: Sequence[str], lowercase: bool = False
) -> NDArray[np.float64]:
    """(sentences, 4): substitutions, deletions, insertions and reference words of each pair."""
    try:
        import jiwer
    except ImportError:
        raise MissingExtraError("Scoring recognition", "metrics") from None

    def tidy(sentence: str) -> str:
        return " ".join((sentence.lower() if lowercase else sentence).split())

    split = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
    found = jiwer.process_words(
        [tidy(r) for r in references],
        [tidy(h) for h in hypotheses],
        reference_transform=split,
        hypothesis_transform=split,
    )
    at = {"substitute": 0, "delete": 1, "insert": 2}
    counts = np.zeros((len(references), 4))
    for row, reference, chunks in zip(counts, references, found.alignments, strict=True):
        for chunk in chunks:
            if chunk.type in at:
                row[at[chunk.type]] += max(
                    chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                )
        row[3] = len(reference.split())
    return counts


def _signature(lowercase: bool) -> str:
    from importlib.metadata import version

    case = "lc" if lowercase else "mixed"
    return f"nrefs:1|case:{case}|tok:space|costs:1/1/1|clean:none|jiwer:{version('jiwer')}"
