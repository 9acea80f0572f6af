"""Token shuffle: neighbouring frames side by side, projected as one."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.bridges.bridge import grouped, masked, tokens_there


class TokenShuffle(nn.Module):
    """``stride`` neighbouring frames as one vector → Linear (arXiv 2512.08040 §4.3, as in TimeSuite).

    250 frames → 125 tokens at stride 2, as the Sliding Perceiver. A masked frame counts as zeros.
    """

    def __init__(self, inputs: int, width: int, stride: int = 2):
        super().__init__()
        self.stride = stride
        self.project = nn.Linear(stride * inputs, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """⌈time / stride⌉ tokens and which of them are there; see ``Bridge``."""
        there = tokens_there(mask, self.stride)
        groups = grouped(masked(features, mask), self.stride).flatten(2)
        return masked(self.norm(self.project(groups)), there), there
