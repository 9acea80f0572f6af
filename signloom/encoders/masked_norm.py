"""Batch normalisation that sees real frames only."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.encoders.batch_norm import BatchNorm1d


class MaskedBatchNorm(nn.Module):
    """Batch normalisation over the real frames of (B, T, …, C); padded frames come out as 0.

    The inner ``norm`` is over rows: the real frames of all processes that train together.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.norm = BatchNorm1d(channels)

    def forward(
        self,
        x: Float[Tensor, "batch time *rest channels"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time *rest channels"]:
        if not self.training:
            normed = self.norm(x.reshape(-1, x.shape[-1])).view_as(x)
            return normed * real(mask, normed)
        if bool(mask.all()):
            return self.norm(x.reshape(-1, x.shape[-1])).view_as(x)
        at = mask.flatten().nonzero()[:, 0]
        frames = x.flatten(0, 1).index_select(0, at)
        normed = self.norm(frames.reshape(-1, x.shape[-1])).view_as(frames)
        padded = normed.new_zeros(len(mask.flatten()), *frames.shape[1:])
        return padded.index_copy_(0, at, normed).view(x.shape)


def real(mask: Bool[Tensor, "batch time"], like: Tensor) -> Float[Tensor, "batch time *ones"]:
    """The mask as numbers of ``like``'s kind and with as many dimensions, to multiply with it."""
    return mask.to(like.dtype).reshape(*mask.shape, *[1] * (like.dim() - mask.dim()))
