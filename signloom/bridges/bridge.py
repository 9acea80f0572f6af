"""What stands between an encoder and a language model: frames in, tokens of the model's width out."""

from __future__ import annotations

from typing import Protocol

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional


class Bridge(Protocol):
    """Features of T frames → N = ⌈T / stride⌉ tokens, one for every ``stride`` frames.

    stride: how many frames a token stands for; token n stands for frames stride·n … stride·n +
    stride − 1 and may look further. It is there where at least one of these frames is, and zeros
    where none is. Masked frames never matter, so a clip gives the same tokens however far it is
    padded. Every bridge ends in a LayerNorm [D]: whichever is taken, its tokens reach the
    language model at one scale.
    """

    stride: int

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]: ...


def masked(
    features: Float[Tensor, "batch time inputs"], mask: Bool[Tensor, "batch time"]
) -> Float[Tensor, "batch time inputs"]:
    """Zeros where ``mask`` is False, whatever stood there (NaN included)."""
    return features.masked_fill(~mask[..., None], 0.0)


def grouped(
    features: Float[Tensor, "batch time inputs"], size: int
) -> Float[Tensor, "batch tokens size inputs"]:
    """Every ``size`` neighbouring frames as one row; zeros fill the last."""
    lacking = -features.shape[1] % size
    return functional.pad(features, (0, 0, 0, lacking)).unflatten(1, (-1, size))


def tokens_there(mask: Bool[Tensor, "batch time"], stride: int) -> Bool[Tensor, "batch tokens"]:
    """True for the tokens with at least one real frame among the ``stride`` that they stand for."""
    lacking = -mask.shape[1] % stride
    return functional.pad(mask, (0, lacking)).unflatten(1, (-1, stride)).any(2)
