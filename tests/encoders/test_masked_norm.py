"""Batch normalisation over real frames against its formula in float64, gradients and statistics too."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from signloom.encoders.masked_norm import MaskedBatchNorm

CHANNELS = 4


def clips(rest: tuple[int, ...], *real: int) -> tuple[Tensor, Tensor]:
    """Clips of up to six frames whose padding is not 0: it must be looked at by nobody."""
    torch.manual_seed(0)
    mask = torch.arange(6)[None] < torch.tensor(real)[:, None]
    return 3 * torch.randn(len(real), 6, *rest, CHANNELS, dtype=torch.float64) + 1, mask


def norm() -> MaskedBatchNorm:
    made = MaskedBatchNorm(CHANNELS).double()
    with torch.no_grad():
        for tensor in (*made.norm.parameters(), made.norm.running_mean):
            tensor.copy_(torch.randn(CHANNELS))
    return made


@pytest.mark.parametrize("real", [(6, 4, 0, 1), (6, 6)], ids=str)
@pytest.mark.parametrize("rest", [(), (3,)], ids=str)
def test_training_is_the_formula_over_real_frames(
    rest: tuple[int, ...], real: tuple[int, ...]
) -> None:
    x, mask = clips(rest, *real)
    made = norm()
    before = made.norm.running_mean.clone(), made.norm.running_var.clone()
    weight, bias = (p.detach().clone().requires_grad_() for p in made.norm.parameters())
    upstream = torch.randn_like(x)

    ours = x.clone().requires_grad_()
    found = made(ours, mask)
    found.backward(upstream)

    theirs = x.clone().requires_grad_()
    rows = torch.cat([clip[:n].reshape(-1, CHANNELS) for clip, n in zip(theirs, real, strict=True)])
    mean = rows.mean(0)
    variance = ((rows - mean) ** 2).mean(0)
    expected = (theirs - mean) / (variance + 1e-5).sqrt() * weight + bias
    expected = expected * mask.reshape(*mask.shape, *[1] * (x.dim() - 2))
    expected.backward(upstream)

    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)
    torch.testing.assert_close(made.norm.weight.grad, weight.grad)
    torch.testing.assert_close(made.norm.bias.grad, bias.grad)
    unbiased = variance * len(rows) / (len(rows) - 1)
    torch.testing.assert_close(made.norm.running_mean, 0.9 * before[0] + 0.1 * mean)
    torch.testing.assert_close(made.norm.running_var, 0.9 * before[1] + 0.1 * unbiased)
