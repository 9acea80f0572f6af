"""Rows of unlike length in one batch: ids filled up, and embeddings moved together so that padding is last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

IGNORED = -100
"""Where a row of ids has none; torch's cross-entropy passes over it."""


def pack(
    x: Float[Tensor, "batch length width"], mask: Bool[Tensor, "batch length"]
) -> tuple[Float[Tensor, "batch packed width"], Bool[Tensor, "batch packed"]]:
    """What the mask keeps, moved together to the front: relative positions then know no padding."""
    order = (~mask).long().argsort(dim=1, stable=True)[:, : int(mask.sum(1).max())]
    return x.gather(1, order[..., None].expand(-1, -1, x.shape[2])), mask.gather(1, order)


def pad_ids(rows: Sequence[Sequence[int] | NDArray[np.int64]]) -> Int[Tensor, "batch length"]:
    """Filled up with −100 to the longest."""
    ids = torch.full((len(rows), max(len(row) for row in rows)), IGNORED)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.as_tensor(np.asarray(row, np.int64))
    return ids
