"""Adaptive graph convolution over joints, then convolution over time (2s-AGCN, Shi et al. 2019).

As the pose backbone of arXiv 2512.08040 has it: a temporal kernel of 7 and squeeze-and-excitation
(spec §3). Two averages run over time here, the one inside the adaptive graph and the one of
squeeze-and-excitation, so what a frame becomes depends on every frame it comes with. `in_chunks`
bounds that: each chunk of frames is a sequence of its own.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.encoders.masked_norm import MaskedBatchNorm, real

PARTITIONS = 3


class AgcnBlock(nn.Module):
    """One block: graph convolution, temporal convolution, squeeze-and-excitation [S, R:AG].

    With x (B, T, V, C) and, for each partition k of the skeleton, the fixed graph A_k:

        G_k = A_k + B_k + softmax_v( Σ_{t,c} θ_k(x)[t,v,c] φ_k(x)[t,w,c] / (c·T) )
        y   = ReLU( BN( Σ_k W_k (x · G_k) ) + x )
        out = SE( ReLU( BN( conv_time(y) ) + x ) )

    B_k is learned (starts at 1e-6), θ and φ are linear to outputs/4 channels, T counts real
    frames, and x passes a linear layer and BN in both sums where ``inputs`` is not ``outputs``.
    SE comes last [D]: there a channel's mean says how active it is, while right after BN it
    would be BN's own offset for a batch of one clip.

    graph: (3, V, V), `graph.partitions`.
    kernel: frames of the temporal convolution, odd; beyond the ends and on padded frames it
    sees zeros.
    reduction: SE's hidden layer has outputs/reduction channels, 4 at least (ours).
    adaptive: without it, G_k = A_k + B_k, the same for every clip.
    factored: the temporal convolution is one per channel, then a linear layer across channels.

    x must be 0 on padded frames. They come out as 0 and change nothing else, statistics included.
    """

    graph: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        graph: Float[Tensor, "3 joints joints"],
        kernel: int = 7,
        reduction: int = 8,
        adaptive: bool = True,
        factored: bool = False,
    ):
        super().__init__()
        self.register_buffer("graph", graph.clone(), persistent=False)
        self.learned = nn.Parameter(torch.full_like(graph, 1e-6))
        self.embedding = max(1, outputs // 4)
        self.theta_phi = nn.Linear(inputs, 2 * PARTITIONS * self.embedding) if adaptive else None
        self.across_joints = nn.Linear(PARTITIONS * inputs, outputs)
        self.joint_norm = MaskedBatchNorm(outputs)
        self.joint_residual = _Residual(inputs, outputs)
        self.over_time = nn.Conv2d(
            outputs,
            outputs,
            (kernel, 1),
            padding=(kernel // 2, 0),
            groups=outputs if factored else 1,
        )
        self.across_channels = nn.Linear(outputs, outputs) if factored else nn.Identity()
        self.time_norm = MaskedBatchNorm(outputs)
        self.excite = _Excitation(outputs, reduction)
        self.residual = _Residual(inputs, outputs)

    def forward(
        self,
        x: Float[Tensor, "batch time joints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time joints outputs"]:
        y = self.joint_norm(self._over_joints(x, mask), mask)
        y = torch.relu(y + self.joint_residual(x, mask))
        z = self.over_time(y.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        z = self.time_norm(self.across_channels(z), mask)
        return self.excite(torch.relu(z + self.residual(x, mask)), mask)

    def _over_joints(self, x: Tensor, mask: Tensor) -> Tensor:
        """Σ_k W_k (x · G_k): the three products side by side, through one linear layer."""
        graph = self.graph + self.learned  # (3, V, V)
        if self.theta_phi is not None:
            graph = (graph + self.similarity(x, mask))[:, None]  # (B, 1, 3, V, V)
        mixed = graph.movedim(-1, -3).flatten(-3, -2) @ x  # (B, T, V·3, C)
        return self.across_joints(mixed.unflatten(2, (-1, PARTITIONS)).flatten(3))

    def similarity(
        self,
        x: Float[Tensor, "batch time joints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch 3 joints joints"]:
        """How alike the joints move, averaged over real frames; columns sum to 1."""
        assert self.theta_phi is not None
        both = self.theta_phi(x) * real(mask, x)
        theta, phi = both.unflatten(-1, (2, PARTITIONS, self.embedding)).unbind(3)
        scale = self.embedding * mask.sum(1).clamp(min=1)
        scores = torch.einsum("btvke,btwke->bkvw", theta, phi) / scale[:, None, None, None]
        return scores.softmax(dim=2)


class _Residual(nn.Module):
    """x as it is, or through a linear layer and BN where the channels change."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.change = inputs != outputs
        if self.change:
            self.linear = nn.Linear(inputs, outputs)
            self.norm = MaskedBatchNorm(outputs)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.norm(self.linear(x), mask) if self.change else x


class _Excitation(nn.Module):
    """Squeeze-and-excitation: each channel weighed by what the whole clip holds (Hu et al. 2018)."""

    def __init__(self, channels: int, reduction: int):
        super().__init__()
        hidden = max(4, channels // reduction)
        self.weigh = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, T, V, C), 0 on padded frames; its mean is that of the real ones."""
        frames = mask.sum(1).clamp(min=1)
        mean = x.sum(dim=(1, 2)) / (frames * x.shape[2])[:, None]
        return x * self.weigh(mean)[:, None, None]


def in_chunks(
    x: Float[Tensor, "batch time joints channels"],
    mask: Bool[Tensor, "batch time"],
    chunk: int,
) -> tuple[
    Float[Tensor, "chunks frames joints channels"],
    Bool[Tensor, "chunks frames"],
]:
    """Each ``chunk`` frames as a sequence of their own, the last one padded (ours).

    A chunk then sees zeros beyond its borders and averages over its own frames only: a
    stream that hands over one chunk at a time gets what the whole clip gets at once, with
    no state to keep and a delay of one chunk.
    """
    short = -x.shape[1] % chunk
    x = nn.functional.pad(x, (0, 0, 0, 0, 0, short))
    mask = nn.functional.pad(mask, (0, short))
    return x.reshape(-1, chunk, *x.shape[2:]), mask.reshape(-1, chunk)


def out_of_chunks(
    x: Float[Tensor, "chunks frames *rest"], batch: int, time: int
) -> Float[Tensor, "batch time *rest"]:
    """The sequences that `in_chunks` cut, whole again."""
    return x.reshape(batch, -1, *x.shape[2:])[:, :time]
