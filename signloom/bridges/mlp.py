"""Every frame by itself: the plainest bridge, and what the others are compared with."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.bridges.bridge import masked


class Mlp(nn.Module):
    """Linear → GELU → Linear on every frame (arXiv 2512.08040 §4.3, as in LiTFiC) [D: two layers].

    One token a frame: 250 frames → 250 tokens, where the other bridges give 125. The paper
    does not say that its MLP drops frames; a language model pays for the length.
    """

    stride = 1

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width), nn.LayerNorm(width)
        )

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch time width"], Bool[Tensor, "batch time"]]:
        """One token a frame and which of them are there; see ``Bridge``."""
        return masked(self.layers(masked(features, mask)), mask), mask
