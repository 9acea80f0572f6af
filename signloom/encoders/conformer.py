"""A Conformer over frames (Gulati et al. 2020) that also says what it attended to, and the pooling on that.

As arXiv 2512.08040, table A.2 has it: four blocks, eight heads, feed-forward ×4, convolution
expansion 2, kernel 5 [S]. Their inside is inferred from these names (spec §3): half-step
feed-forwards on both sides, layer norm first, relative positions by Shaw et al. (2018), heads of
64, GLU → depthwise → batch norm → Swish [I].
"""

from __future__ import annotations

from typing import cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.encoders.masked_norm import MaskedBatchNorm, real


class Conformer(nn.Module):
    """fc1 from ``inputs`` to ``width``, then ``layers`` blocks.

    inner: the feed-forward's hidden layer, as a multiple of ``width``.
    expansion: the convolution's channels, as a multiple of ``width``.
    kernel: the convolution's frames, odd.
    distance: frames beyond which relative positions are one and the same; 24 is the length
    of the clips and windows that the paper's model sees [D].
    """

    def __init__(
        self,
        inputs: int,
        width: int,
        layers: int = 4,
        heads: int = 8,
        head_width: int = 64,
        inner: int = 4,
        expansion: int = 2,
        kernel: int = 5,
        dropout: float = 0.1,
        distance: int = 24,
    ):
        super().__init__()
        self.fc1 = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            _Block(width, heads, head_width, inner, expansion, kernel, dropout, distance)
            for _ in range(layers)
        )

    def forward(
        self,
        x: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch time width"], Float[Tensor, "batch time time"]]:
        """(frames, attention); ``mask`` is True on real frames, and padded ones come out as 0.

        attention[b, t, s] is what frame t took from frame s, the mean over blocks and heads.
        """
        return self.encode(self.alone(x), mask)

    def alone(self, x: Float[Tensor, "batch time inputs"]) -> Float[Tensor, "batch time width"]:
        """What each frame passes before it sees another: ``fc1`` and half a feed-forward."""
        return cast(_Block, self.blocks[0]).alone(self.fc1(x))

    def encode(
        self,
        x: Float[Tensor, "batch time width"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch time width"], Float[Tensor, "batch time time"]]:
        """The rest, for frames that have been through `alone`."""
        maps = []
        for number, block in enumerate(cast(list[_Block], self.blocks)):
            x, attention = block(block.alone(x) if number else x, mask)
            maps.append(attention)
        return x * real(mask, x), torch.stack(maps).mean(0)


def attentive_pool(
    x: Float[Tensor, "batch time width"],
    attention: Float[Tensor, "batch time time"],
    mask: Bool[Tensor, "batch time"],
) -> Float[Tensor, "batch width"]:
    """f = mean_t (A·X)_t over real frames t [S, §3.1]; 0 where there are none."""
    frames = real(mask, x)  # (B, T, 1)
    weights = (attention * frames).sum(1) / frames.sum(1).clamp(min=1)
    return torch.einsum("bs,bsw->bw", weights, x)


class _Block(nn.Module):
    """½ feed-forward, attention, convolution, ½ feed-forward, each added to what came in; layer norm."""

    def __init__(
        self,
        width: int,
        heads: int,
        head_width: int,
        inner: int,
        expansion: int,
        kernel: int,
        dropout: float,
        distance: int,
    ):
        super().__init__()
        self.first = _feed_forward(width, inner * width, dropout)
        self.attention = _Attention(width, heads, head_width, distance, dropout)
        self.convolution = _Convolution(width, expansion * width, kernel, dropout)
        self.second = _feed_forward(width, inner * width, dropout)
        self.norm = nn.LayerNorm(width)

    def alone(self, x: Tensor) -> Tensor:
        return x + 0.5 * self.first(x)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """``x`` comes from `alone`."""
        attended, attention = self.attention(x, mask)
        x = x + attended
        x = x + self.convolution(x, mask)
        x = x + 0.5 * self.second(x)
        return self.norm(x), attention


def _feed_forward(width: int, inner: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, inner),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(inner, width),
        nn.Dropout(dropout),
    )


class _Attention(nn.Module):
    """Self-attention with a learned vector per distance: score = q·(k + r_{t−s}) / √d (Shaw et al. 2018)."""

    def __init__(self, width: int, heads: int, head_width: int, distance: int, dropout: float):
        super().__init__()
        self.heads, self.distance = heads, distance
        self.scale = head_width**-0.5
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.relative = nn.Embedding(2 * distance + 1, head_width)
        self.out = nn.Linear(heads * head_width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(what each frame took, the attention's mean over heads (B, T, T)); padded keys get none."""
        batch, time, _ = x.shape
        q, k, v = self.qkv(self.norm(x)).view(batch, time, 3, self.heads, -1).unbind(2)
        q, k, v = q.transpose(1, 2) * self.scale, k.transpose(1, 2), v.transpose(1, 2)
        scores = q @ k.transpose(2, 3) + self._relative_scores(q)
        scores = scores.masked_fill(~mask[:, None, None], torch.finfo(scores.dtype).min)
        attention = scores.softmax(dim=-1)
        taken = (attention @ v).transpose(1, 2).flatten(2)
        return self.dropout(self.out(taken)), attention.mean(1)

    def _relative_scores(self, q: Tensor) -> Tensor:
        """q_t · r_{t−s} for every pair: (B, H, T, T). One product per distance, then spread."""
        at = torch.arange(q.shape[2], device=q.device)
        distance = (at[:, None] - at[None]).clamp(-self.distance, self.distance) + self.distance
        per_distance = q @ self.relative.weight.T
        return per_distance.gather(3, distance.expand(*q.shape[:2], -1, -1))


class _Convolution(nn.Module):
    """Layer norm, linear with GLU, one convolution per channel over real frames, BN, Swish, linear."""

    def __init__(self, width: int, channels: int, kernel: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gated = nn.Linear(width, 2 * channels)
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.batch_norm = MaskedBatchNorm(channels)
        self.out = nn.Linear(channels, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = nn.functional.glu(self.gated(self.norm(x)), dim=-1)
        y = y * real(mask, y)
        y = self._over_time(y)
        y = nn.functional.silu(self.batch_norm(y, mask))
        return self.dropout(self.out(y))

    def _over_time(self, y: Tensor) -> Tensor:
        """The depthwise convolution as one over (frames, 1), channels last: its gradient costs a third."""
        kernel = self.depthwise
        y = nn.functional.conv2d(
            y.transpose(1, 2)[..., None],
            kernel.weight[..., None],
            kernel.bias,
            padding=(kernel.kernel_size[0] // 2, 0),
            groups=kernel.groups,
        )
        return y[..., 0].transpose(1, 2)
