"""Convolutions over time and pooling: neighbours are mixed with fixed weights."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.bridges.bridge import grouped, masked, tokens_there


class Conv(nn.Module):
    """Convolution → GELU → mean of ``stride`` frames → convolution (arXiv 2512.08040 §4.3: Conv1D +
    pooling).

    250 frames → 125 tokens at stride 2, as the Sliding Perceiver. Kernel 3 and this order [D]. The
    mean is over the real frames.
    """

    def __init__(self, inputs: int, width: int, stride: int = 2, kernel: int = 3):
        super().__init__()
        self.stride = stride
        self.first = nn.Conv1d(inputs, width, kernel, padding="same")
        self.gelu = nn.GELU()
        self.second = nn.Conv1d(width, width, kernel, padding="same")
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """⌈time / stride⌉ tokens and which of them are there; see ``Bridge``."""
        there = tokens_there(mask, self.stride)
        mixed = self.gelu(_over_time(self.first, masked(features, mask)))
        mixed = mean_of(mixed, mask, self.stride)
        return masked(self.norm(_over_time(self.second, mixed)), there), there


def mean_of(
    features: Float[Tensor, "batch time width"], mask: Bool[Tensor, "batch time"], size: int
) -> Float[Tensor, "batch tokens width"]:
    """The mean of the real ones among every ``size`` neighbouring frames; zeros where none is."""
    count = grouped(mask[..., None].to(features.dtype), size).sum(2)
    return grouped(masked(features, mask), size).sum(2) / count.clamp(min=1)


def _over_time(
    convolution: nn.Conv1d, features: Float[Tensor, "batch time inputs"]
) -> Float[Tensor, "batch time width"]:
    return convolution(features.transpose(1, 2)).transpose(1, 2)
