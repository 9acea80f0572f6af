"""Every frame by itself: the plainest bridge, and what the others are compared with."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.bridges.bridge import masked, tokens_there
from signloom.bridges.conv import mean_of


class Mlp(nn.Module):
    """Linear → GELU → Linear on every frame (arXiv 2512.08040 §4.3, as in LiTFiC) [D: two layers].

    One token a frame at stride 1: 250 frames → 250 tokens, where the other bridges give 125. The
    paper does not say that its MLP drops frames. At a larger ``stride`` the second layer sees the
    mean of so many frames, so that bridges are compared at one length [D].
    """

    def __init__(self, inputs: int, width: int, stride: int = 1):
        super().__init__()
        self.stride = stride
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width)
        )

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """⌈time / stride⌉ tokens and which of them are there; see ``Bridge``."""
        there = tokens_there(mask, self.stride)
        each = mean_of(self.layers[:2](masked(features, mask)), mask, self.stride)
        return masked(self.layers[2:](each), there), there
