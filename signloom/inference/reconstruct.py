"""Texts written again from their embeddings alone: the most that a prediction of them could give (spec §4, F4.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError
from signloom.inference.evaluate import Evaluation
from signloom.inference.translate import Translation
from signloom.metrics.baselines import baselines
from signloom.metrics.buckets import by_length
from signloom.metrics.translation import score_translation

NEAREST = "nearest training sentence"
"""The baseline that writes nothing: the training sentence whose embedding is nearest by cosine."""

ROWS = 256


@runtime_checkable
class Rewriter(Protocol):
    """A model that writes a text again from its embedding."""

    @property
    def name(self) -> str: ...

    @property
    def reads_text(self) -> bool:
        """Whether it reads nothing but text."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def reconstruct(self, texts: Sequence[str], beam: int | None = None) -> list[Translation]: ...


def reconstruct(
    model: Rewriter,
    texts: Sequence[str],
    training_texts: Sequence[str],
    *,
    simulated: bool = False,
    beam: int | None = None,
    advance: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Writes each text again and scores it against itself, beside the usual baselines and `NEAREST`.

    training_texts: what the model has learnt to write. simulated: whether the texts are the simulator's.
    Raises UsageError where there is no text.
    """
    if not texts:
        raise UsageError("nothing to evaluate: there is no text; name a file of sentences")
    hypotheses: list[str] = []
    for first in range(0, len(texts), ROWS):
        part = texts[first : first + ROWS]
        hypotheses += [found.text for found in model.reconstruct(part, beam)]
        advance(len(part))
    others = {
        NEAREST: nearest_texts(model, texts, training_texts),
        **baselines(hypotheses, texts, training_texts),
    }
    scored = partial(score_translation, which="standard")
    return Evaluation(
        simulated,
        tuple(f"text-{at}" for at in range(len(texts))),
        tuple(hypotheses),
        tuple(texts),
        tuple(scored(hypotheses, texts)),
        {name: tuple(scored(told, texts)) for name, told in others.items()},
        {
            name: tuple(score_translation(*bucket))
            for name, bucket in by_length(hypotheses, texts).items()
        },
        tuple(hashlib.sha256(text.encode()).hexdigest() for text in texts),
    )


def nearest_texts(
    model: Rewriter, texts: Sequence[str], training_texts: Sequence[str]
) -> list[str]:
    """Of each text the training text whose embedding is nearest by cosine, the first of several."""
    known = [*dict.fromkeys(training_texts)]
    there, asked = (unit(model.embed_texts(each)) for each in (known, texts))
    return [
        known[int(at)]
        for first in range(0, len(texts), ROWS)
        for at in (asked[first : first + ROWS] @ there.T).argmax(1)
    ]


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, D) vectors at length 1; one of length 0 stays as it is."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-9))
