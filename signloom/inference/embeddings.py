"""What a model makes of the meaning of a clip, to look at: predicted beside true embeddings (spec §4, F4.1, F4.6)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.sample import Sample, SampleSource
from signloom.errors import UsageError
from signloom.inference.reconstruct import unit
from signloom.inference.translate import refuse_untrusted
from signloom.metrics.retrieval import Retrieval, retrieval

ROWS = 16
"""Clips that are read, and whose gradients are taken, at once."""
NEIGHBOURS = 3
PERPLEXITY = 30.0
"""Of t-SNE, at most; with few points a third of their number."""
LEAST = 3
"""Clips below which there is nothing to look at."""


@runtime_checkable
class Embeds(Protocol):
    """A model that says of a clip where a sentence embedding would put its text."""

    @property
    def name(self) -> str: ...

    @property
    def simulated_only(self) -> bool: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def learns_embeddings(self) -> bool:
        """Whether it reads signing and was taught embeddings: else what it says of them means nothing."""
        ...

    def embed_clips(self, clips: Sequence[PoseClip]) -> NDArray[np.float32]: ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]: ...

    def both_losses(self, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
        """(λ·L_e, L_o) of samples, as training adds them; with gradients."""
        ...

    def shared(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """What both losses teach, by part, from the frames on."""
        ...


@dataclass(frozen=True)
class Picture:
    """Embeddings drawn in the plane by ``method``; found and wanted (N, 2), of the same clips.

    said: what the plane holds, in words.
    """

    method: str
    found: NDArray[np.float32]
    wanted: NDArray[np.float32]
    said: str


@dataclass(frozen=True)
class Neighbours:
    """A clip by its place, the rank of its own text, and the nearest texts with their cosines."""

    clip: int
    rank: int
    own: float
    nearest: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Agreement:
    """How the gradients of λ·L_e and L_o agree on the parameters that both teach (F4.6).

    cosines: of each batch, over all these parameters. parts: of each part the mean over batches.
    with_itself: cosines of the gradients of L_o on one batch and the next: the most that can be
    hoped for, since two batches differ. ratio: |∇λ·L_e| / |∇L_o|, the median over batches.
    clips: of each batch.
    """

    cosines: tuple[float, ...]
    parts: dict[str, float]
    with_itself: tuple[float, ...]
    ratio: float
    clips: int

    def to_json(self) -> dict[str, Any]:
        return {
            "batches": len(self.cosines),
            "clips": self.clips,
            "cosine": [round(value, 5) for value in self.cosines],
            "mean": round(float(np.mean(self.cosines)), 5),
            "conflicting": sum(value < 0 for value in self.cosines),
            "parts": {name: round(value, 5) for name, value in self.parts.items()},
            "text_with_next_batch": [round(value, 5) for value in self.with_itself],
            "ratio": round(self.ratio, 5),
        }


@dataclass(frozen=True)
class Inspection:
    """Predicted beside true embeddings of some clips.

    own: cos(ŝ, s) of a clip and its text, the mean. other: of a clip and other texts.
    to_text: clips look for their text among the different ones; to_clip: texts for one of their clips.
    agreement: None where it was not asked for.
    """

    simulated: bool
    ids: tuple[str, ...]
    texts: tuple[str, ...]
    own: float
    other: float
    to_text: Retrieval
    to_clip: Retrieval
    pictures: tuple[Picture, ...]
    neighbours: tuple[Neighbours, ...]
    agreement: Agreement | None

    def to_json(self) -> dict[str, Any]:
        return {
            "n": len(self.ids),
            "simulated": self.simulated,
            "cosine": {"own": round(self.own, 5), "other": round(self.other, 5)},
            "retrieval": {
                name: {
                    "queries": each.queries,
                    "candidates": each.candidates,
                    "recall": {f"R@{k}": round(value, 3) for k, value in each.recall.items()},
                    "chance": {f"R@{k}": round(value, 3) for k, value in each.chance.items()},
                    "median_rank": each.median_rank,
                }
                for name, each in (("clip to text", self.to_text), ("text to clip", self.to_clip))
            },
            "neighbours": [
                {
                    "id": self.ids[each.clip],
                    "text": self.texts[each.clip],
                    "rank": each.rank,
                    "cosine": round(each.own, 5),
                    "nearest": [[text, round(cosine, 5)] for text, cosine in each.nearest],
                }
                for each in self.neighbours
            ],
            "gradients": self.agreement.to_json() if self.agreement else None,
        }


def inspect(
    model: Embeds,
    corpus: SampleSource,
    limit: int,
    shown: int = 12,
    batches: int = 8,
    allow_simulated: bool = False,
    advance: Callable[[int], None] = lambda done: None,
) -> Inspection:
    """The first ``limit`` samples, ``shown`` of them with their neighbours; gradients of so many batches.

    Raises UsageError for a model that was not taught embeddings, or fewer than LEAST clips with
    text and frames, UntrustedResultError as `evaluate` does.
    """
    if not model.learns_embeddings:
        raise UsageError(
            f"model '{model.name}' was not taught where sentence embeddings lie, so there is nothing to "
            "compare them with; give a checkpoint of method semtext whose supervision is 'sem'"
        )
    kept: list[Sample] = []
    vectors: list[NDArray[np.float32]] = []
    for part in _batches(corpus, limit):
        for sample in part:
            refuse_untrusted(model, sample.clip.simulated, allow_simulated, f"sample '{sample.id}'")
        whole = [sample for sample in part if len(sample.clip) and sample.text.strip()]
        if whole:
            vectors.append(model.embed_clips([sample.clip for sample in whole]))
        kept += whole
        advance(len(part))
    if len(kept) < LEAST:
        raise UsageError(
            f"{len(kept)} clips with a text are too few to compare, expected {LEAST} or more; choose "
            "another --split, or a larger --limit"
        )
    texts = [sample.text.strip() for sample in kept]
    known = [*dict.fromkeys(texts)]
    place = {text: i for i, text in enumerate(known)}
    of = np.array([place[text] for text in texts])
    found, wanted = np.concatenate(vectors), model.embed_texts(known)
    near = unit(found) @ unit(wanted).T
    belongs = of[:, None] == np.arange(len(known))
    to_text = retrieval(near, belongs)
    shown_at = np.unique(np.linspace(0, len(kept) - 1, min(shown, len(kept))).astype(int))
    return Inspection(
        all(sample.clip.simulated for sample in kept),
        tuple(sample.id for sample in kept),
        tuple(texts),
        float(near[belongs].mean()),
        float(near[~belongs].mean()) if not belongs.all() else float("nan"),
        to_text,
        retrieval(near.T, belongs.T),
        tuple(pictures(found, wanted[of])),
        tuple(_neighbours(int(at), near[at], known, int(of[at]), to_text) for at in shown_at),
        agreement(model, kept[: batches * ROWS]) if batches else None,
    )


def pictures(
    found: NDArray[np.float32], wanted: NDArray[np.float32], seed: int = 0
) -> Iterator[Picture]:
    """Both (N, D) in one plane, by PCA of both together, and by t-SNE (scikit-learn's), where that is there."""
    both = np.concatenate([found, wanted]).astype(np.float64)
    centred = both - both.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    flat = _halves(centred @ axes[:2].T)
    share = 100 * (scales[:2] ** 2).sum() / max((scales**2).sum(), 1e-12)
    yield Picture(
        "PCA", *flat, f"The two directions in which they differ most: {share:.0f} % of it."
    )
    if importlib.util.find_spec("sklearn") is None:
        return
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(both) - 1) / 3)
    reduced = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(
        both.astype(np.float32)
    )
    yield Picture(
        "t-SNE",
        *_halves(reduced),
        f"Who is near whom (perplexity {perplexity:.0f}); distances between groups mean nothing.",
    )


def agreement(model: Embeds, samples: Sequence[Sample]) -> Agreement:
    """Gradients of both losses on ``samples``, ROWS at a time, without dropout; a last batch of fewer is left out.

    Raises UsageError where the model refuses a sample (a text that is longer than its decoder).
    """
    parts = {name: [*group] for name, group in model.shared().items()}
    learnt = [parameter for group in parts.values() for parameter in group]
    sizes = [sum(parameter.numel() for parameter in group) for group in parts.values()]
    rows: list[list[float]] = []
    texts: list[Tensor] = []
    for first in range(0, max(len(samples) - ROWS + 1, 1), ROWS):
        taught, told = (
            torch.cat([each.flatten() for each in torch.autograd.grad(
                loss, learnt, retain_graph=i == 0, allow_unused=True, materialize_grads=True
            )])
            for i, loss in enumerate(_losses(model, samples[first : first + ROWS]))
        )  # fmt: skip
        texts.append(told)
        pairs = zip(taught.split(sizes), told.split(sizes), strict=True)
        rows.append(
            [
                _cosine(taught, told),
                float(taught.norm() / told.norm().clamp(min=1e-12)),
                *(_cosine(a, b) for a, b in pairs),
            ]
        )
    values = np.array(rows)
    return Agreement(
        tuple(map(float, values[:, 0])),
        {name: float(values[:, 2 + i].mean()) for i, name in enumerate(parts)},
        tuple(_cosine(a, b) for a, b in pairwise(texts)),
        float(np.median(values[:, 1])),
        min(len(samples), ROWS),
    )


def _losses(model: Embeds, samples: Sequence[Sample]) -> tuple[Tensor, Tensor]:
    try:
        return model.both_losses(samples)
    except UsageError as error:
        raise UsageError(
            f"{error}; or show the page without gradients, which need the text: --batches 0"
        ) from error


def _batches(corpus: SampleSource, limit: int) -> Iterator[list[Sample]]:
    total = min(limit, len(corpus))
    for first in range(0, total, ROWS):
        yield [corpus[i] for i in range(first, min(first + ROWS, total))]


def _neighbours(
    at: int, near: NDArray[np.float32], known: Sequence[str], own: int, ranked: Retrieval
) -> Neighbours:
    order = np.argsort(-near, kind="stable")[:NEIGHBOURS]
    return Neighbours(
        at,
        ranked.ranks[at],
        float(near[own]),
        tuple((known[i], float(near[i])) for i in order),
    )


def _halves(flat: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    half = len(flat) // 2
    return flat[:half].astype(np.float32), flat[half:].astype(np.float32)


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(nn.functional.cosine_similarity(a.double(), b.double(), dim=0))
