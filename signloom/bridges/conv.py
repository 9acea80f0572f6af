"""Convolutions over time and pooling: neighbours are mixed with fixed weights."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.bridges.bridge import grouped, masked, tokens_there


class Conv(nn.Module):
    """Convolution → GELU → mean of 2 frames → convolution (arXiv 2512.08040 §4.3: Conv1D + pooling).

    250 frames → 125 tokens, as the Sliding Perceiver. Kernel 3 and this order [D]. The mean is
    over the real frames of a pair.
    """

    stride = 2

    def __init__(self, inputs: int, width: int, kernel: int = 3):
        super().__init__()
        self.first = nn.Conv1d(inputs, width, kernel, padding="same")
        self.gelu = nn.GELU()
        self.second = nn.Conv1d(width, width, kernel, padding="same")
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """⌈time / 2⌉ tokens and which of them are there; see ``Bridge``."""
        there = tokens_there(mask, self.stride)
        mixed = self.gelu(_over_time(self.first, masked(features, mask)))
        pairs = grouped(masked(mixed, mask), self.stride)
        count = grouped(mask[..., None].to(mixed.dtype), self.stride).sum(2)
        pooled = pairs.sum(2) / count.clamp(min=1)
        return masked(self.norm(_over_time(self.second, pooled)), there), there


def _over_time(
    convolution: nn.Conv1d, features: Float[Tensor, "batch time inputs"]
) -> Float[Tensor, "batch time width"]:
    return convolution(features.transpose(1, 2)).transpose(1, 2)
