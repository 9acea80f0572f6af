"""Vectors as ids in other ways than one codebook's: residual codebooks, and rounded numbers.

The arithmetic is vector-quantize-pytorch's. Both show the face of ``motion_vq.Codebook``: ids are
one row of whole numbers, ``depth`` of them a vector, and run from 0 below ``size``; the k-th id of a
vector runs from k · size / depth. Equal bits a vector are depth · log₂(size / depth).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from signloom.encoders.processes import processes
from signloom.errors import UsageError


@dataclass(frozen=True)
class Quantized:
    """vectors: what stands for the vectors given, gradients going straight through to these.

    ids: ``depth`` a vector. commitment: how far the vectors are from what stands for them, with a
    gradient to the vectors alone; 0 where nothing has to be held there.
    """

    vectors: Float[Tensor, "batch time width"]
    ids: Int[Tensor, "batch ids"]
    commitment: Float[Tensor, ""]


class Quantizer(Protocol):
    """What a tokenizer asks of its codes."""

    size: int
    depth: int

    def nearest(self, vectors: Float[Tensor, "batch time width"]) -> Int[Tensor, "batch ids"]: ...

    def of(self, ids: Int[Tensor, "batch ids"]) -> Float[Tensor, "batch time width"]: ...

    def __call__(self, vectors: Float[Tensor, "batch time width"]) -> Quantized: ...


class Residual(nn.Module):
    """The nearest code, then the code nearest to what is left of it, ``depth`` times (SoundStream, Zeghidour et al. 2021).

    Each level has ``codes`` codes of its own, begun by k-means in the first batch and kept by moving
    averages; one whose average load falls below ``dead_share`` of an even one is drawn anew from the
    batch by torch's generator, which the training loop seeds by step. Updates are those of one process.
    """

    def __init__(self, codes: int, width: int, depth: int, decay: float, dead_share: float):
        from vector_quantize_pytorch import ResidualVQ

        super().__init__()
        self.codes, self.depth, self.size = codes, depth, codes * depth
        self.dead_share = dead_share
        self.levels = ResidualVQ(
            dim=width,
            codebook_size=codes,
            num_quantizers=depth,
            decay=decay,
            kmeans_init=True,
            threshold_ema_dead_code=dead_share,
            rotation_trick=False,
        )

    def forward(self, vectors: Float[Tensor, "batch time width"]) -> Quantized:
        """In training the codes follow. Raises UsageError where several processes train together."""
        if self.training and processes() > 1:
            raise UsageError(
                "residual codebooks follow the vectors of one process, and several train together; train "
                "this tokenizer in one process, or choose one codebook or FSQ"
            )
        for level in self.levels.layers:
            least = self.dead_share * vectors.shape[0] * vectors.shape[1] / self.codes
            book = level._codebook
            book.threshold_ema_dead_code = book.reset_cluster_size = least
        through, ids, losses = self.levels(vectors)
        return Quantized(through, flat(ids, self.codes), losses.mean())

    def nearest(self, vectors: Float[Tensor, "batch time width"]) -> Int[Tensor, "batch ids"]:
        """The ids of each vector, the coarsest first."""
        _, ids, _ = self.levels(vectors, freeze_codebook=True)
        return flat(ids, self.codes)

    def of(self, ids: Int[Tensor, "batch ids"]) -> Float[Tensor, "batch time width"]:
        """The sums of the codes of these ids. Raises UsageError for ids that no vector has."""
        return self.levels.get_output_from_indices(apart(ids, self.codes, self.depth))


class FiniteScalar(nn.Module):
    """A few numbers, each rounded to so many levels; nothing to learn but the way there and back.

    Mentzer et al. 2024 (FSQ). ``codes`` is the product of the levels (`levels_of`); ``depth`` such
    groups stand for a vector.
    """

    def __init__(self, codes: int, width: int, depth: int):
        from vector_quantize_pytorch import FSQ

        super().__init__()
        self.codes, self.depth, self.size = codes, depth, codes * depth
        self.levels = FSQ(
            levels_of(codes), dim=width, num_codebooks=depth, keep_num_codebooks_dim=True
        )

    def forward(self, vectors: Float[Tensor, "batch time width"]) -> Quantized:
        through, ids = self.levels(vectors)
        return Quantized(through, flat(ids, self.codes), vectors.new_zeros(()))

    def nearest(self, vectors: Float[Tensor, "batch time width"]) -> Int[Tensor, "batch ids"]:
        """The ids of each vector, group after group."""
        return flat(self.levels(vectors)[1], self.codes)

    def of(self, ids: Int[Tensor, "batch ids"]) -> Float[Tensor, "batch time width"]:
        """The vectors of these ids. Raises UsageError for ids that no vector has."""
        groups = apart(ids, self.codes, self.depth)
        codes = self.levels._indices_to_codes(groups)  # (B, T, depth, numbers)
        return self.levels.project_out(codes.flatten(2))


def flat(ids: Int[Tensor, "batch time depth"], codes: int) -> Int[Tensor, "batch ids"]:
    """One row of ids, each level's behind those of the level before."""
    first = codes * torch.arange(ids.shape[2], device=ids.device)
    return (ids.long() + first).flatten(1)


def apart(ids: Int[Tensor, "batch ids"], codes: int, depth: int) -> Int[Tensor, "batch time depth"]:
    """Undoes `flat`. Raises UsageError where the ids are not ``depth`` a vector, each of its level."""
    if ids.shape[1] % depth:
        raise UsageError(
            f"{ids.shape[1]} code ids are no multiple of {depth}, which stand for one moment; "
            "read them with the checkpoint that wrote them"
        )
    rows = ids.reshape(len(ids), -1, depth) - codes * torch.arange(depth, device=ids.device)
    if rows.numel() and not 0 <= int(rows.min()) <= int(rows.max()) < codes:
        raise UsageError(
            f"of {depth} code ids in turn the k-th runs from {codes} · k to {codes} · k + {codes - 1}, "
            "and these do not; read them with the checkpoint that wrote them"
        )
    return rows


def levels_of(codes: int) -> Sequence[int]:
    """Levels whose product is ``codes``, a power of two from 16 on: eights and fours, no fewer than 4.

    >>> levels_of(1024)
    [8, 8, 4, 4]
    """
    bits = round(math.log2(max(codes, 1)))
    if codes < 16 or 2**bits != codes:
        raise UsageError(
            f"rounded numbers make 16, 32, 64, … codes, a power of two, got {codes}; "
            "give such a number, or take codebooks"
        )
    eights = bits % 2 if bits < 8 else 2 - bits % 2
    return [8] * eights + [4] * ((bits - 3 * eights) // 2)
