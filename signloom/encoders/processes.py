"""What several processes that train together must agree on: sums and rows of all, with their gradients.

In a run of one process, everything here is the identity. A gradient that comes back is that of the
sum of all processes' losses, which is what the training loop takes (training/fit.py).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def processes() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        total = x.detach().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total


def summed(x: Tensor) -> Tensor:
    """The sum of all processes' ``x``, of one shape in each."""
    return _Summed.apply(x) if processes() > 1 else x


def gathered(x: Tensor) -> Tensor:
    """The rows of all processes, those of the first one first; each may have another number of rows."""
    if processes() == 1:
        return x
    rows = torch.zeros(processes(), dtype=torch.long, device=x.device)
    rows[distributed.get_rank()] = len(x)
    each = summed(rows).tolist()
    before = sum(each[: distributed.get_rank()])
    after = sum(each) - before - len(x)
    pad = [x.new_zeros(n, *x.shape[1:]) for n in (before, after)]
    return summed(torch.cat([pad[0], x, pad[1]]))
