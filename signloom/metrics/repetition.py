"""Repetition rate: how much of what was said had been said in the same sentence already."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError
from signloom.metrics.score import Score, measured
from signloom.metrics.words import words


def score_repetition(sentences: Sequence[str], order: int = 2) -> Score:
    """The share of n-grams of words that occurred earlier in the same sentence, over a corpus, in percent.

    It needs no references; read it beside the rate of the references themselves. The
    measure is seq-rep-n of Welleck et al. 2019, with n-grams counted over the corpus.
    Raises UsageError where there is no sentence.

    >>> score_repetition(["the dog the dog barks"], order=2).value
    25.0
    """
    from signloom import __version__

    if not sentences:
        raise UsageError("repetition: there is no sentence to score; expected at least one")
    signature = f"order:{order}|case:lc|avg:micro|version:{__version__}"
    return measured(f"repetition-{order}", repeated(sentences, order), repetition_of, signature)


def repeated(sentences: Sequence[str], order: int) -> NDArray[np.float64]:
    """(sentences, 2): n-grams that repeat an earlier one of their sentence, and all n-grams."""
    rows = np.zeros((len(sentences), 2))
    for row, sentence in zip(rows, sentences, strict=True):
        said = words(sentence)
        grams = [tuple(said[i : i + order]) for i in range(len(said) - order + 1)]
        row[:] = len(grams) - len(set(grams)), len(grams)
    return rows


def repetition_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rate from summed counts (…, 2); 0 where there is no n-gram."""
    return np.asarray(100 * sums[..., 0] / np.maximum(sums[..., 1], 1))
