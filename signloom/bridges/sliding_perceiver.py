"""The Sliding Perceiver: one learned query looks at every few frames and tells them as one token.

Source: arXiv 2512.08040 §3.1, §4.2 and A.5 [S]. What the paper does not say is marked [D].
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from signloom.bridges.bridge import masked, tokens_there
from signloom.errors import UsageError

POSITION = 0.3
"""σ that positions begin with, half of what projected frames have [D]. T5's decoder knows no places of
its own in what it reads: with a σ of 0.02 it did not learn to read the tokens in order."""


class SlidingPerceiver(nn.Module):
    """Windows of ``window`` frames, one every ``stride``, each → one token of ``width``.

    Frames are projected to ``width`` and get a learned position each, counted from the first
    frame of the clip. One learned latent, the same for every window, is carried through ``depth``
    layers of cross-attention to its window and a feed-forward part, both pre-norm and residual
    [D: depth 2, GELU, the LayerNorm at the end].

    inputs: features of a frame. heads: of each attention. inner: feed-forward width over
    ``width``. positions: the longest clip, in frames.
    The clip is padded by (window − stride) / 2 frames at either end, so that token n has the
    frames it stands for in the middle: 250 frames → 125 tokens [D: the paper's length is lost].

    Raises UsageError for heads that do not divide ``width``, a window shorter than its stride,
    and a clip of no frames or of more than ``positions``.
    """

    def __init__(
        self,
        inputs: int,
        width: int = 2048,
        window: int = 8,
        stride: int = 2,
        heads: int = 8,
        inner: int = 4,
        depth: int = 2,
        positions: int = 250,
    ):
        super().__init__()
        if width % heads:
            raise UsageError(
                f"the Sliding Perceiver has width {width} and {heads} heads, "
                "expected heads that divide the width; change one of them"
            )
        if not 1 <= stride <= window:
            raise UsageError(
                f"the Sliding Perceiver has windows of {window} frames every {stride}, which leaves "
                "frames unseen or never moves; expected 1 ≤ stride ≤ window"
            )
        self.window, self.stride = window, stride
        self.project = nn.Linear(inputs, width)
        self.positions = nn.Parameter(torch.randn(positions, width) * POSITION)
        self.latent = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = nn.ModuleList(
            _Layer(width, heads, inner * width, window, stride) for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        features: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """⌈time / stride⌉ tokens and which of them are there; see ``Bridge``."""
        batch, time, _ = features.shape
        if not 1 <= time <= len(self.positions):
            raise UsageError(
                f"a clip of {time} frames came to a Sliding Perceiver with {len(self.positions)} "
                "positions, expected 1 to that many; cut the clip into windows, or build the "
                "bridge with more positions"
            )
        there = tokens_there(mask, self.stride)
        tokens = there.shape[1]
        left = (self.window - self.stride) // 2
        right = (tokens - 1) * self.stride + self.window - left - time
        frames = self.project(masked(features, mask)) + self.positions[:time]
        frames = functional.pad(frames, (0, 0, left, right))
        seen = functional.pad(mask, (left, right)).unfold(1, self.window, self.stride)
        latents = self.latent.expand(batch, tokens, -1)
        for layer in self.layers:
            latents = layer(latents, frames, seen)
        return masked(self.norm(latents), there), there


class _Layer(nn.Module):
    """Every latent attends to its window of the frames, then a feed-forward part; pre-norm, residual.

    Keys and values are computed once a frame, not once a window. Queries, keys and values have
    no bias: one on the keys could change nothing.
    """

    def __init__(self, width: int, heads: int, inner: int, window: int, stride: int):
        super().__init__()
        self.heads, self.window, self.stride = heads, window, stride
        self.latent_norm = nn.LayerNorm(width)
        self.frame_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, inner), nn.GELU(), nn.Linear(inner, width)
        )

    def forward(
        self,
        latents: Float[Tensor, "batch tokens width"],
        frames: Float[Tensor, "batch padded width"],
        seen: Bool[Tensor, "batch tokens window"],
    ) -> Float[Tensor, "batch tokens width"]:
        normed = self.frame_norm(frames)
        query = self.query(self.latent_norm(latents)).unflatten(2, (self.heads, -1))
        key, value = self._windows(self.key(normed)), self._windows(self.value(normed))
        scores = torch.einsum("bnhd,bnhdw->bnhw", query, key) / query.shape[-1] ** 0.5
        # A window without a real frame weighs all of them: its token is zeroed at the end.
        scores = scores.masked_fill(~seen[:, :, None], torch.finfo(scores.dtype).min)
        read = torch.einsum("bnhw,bnhdw->bnhd", scores.softmax(-1).to(value.dtype), value)
        latents = latents + self.out(read.flatten(2))
        return latents + self.feed(latents)

    def _windows(
        self, frames: Float[Tensor, "batch padded width"]
    ) -> Float[Tensor, "batch tokens heads head_width window"]:
        return frames.unfold(1, self.window, self.stride).unflatten(2, (self.heads, -1))
