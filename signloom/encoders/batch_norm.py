"""Batch normalisation whose batch is that of all processes that train together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from signloom.encoders.processes import processes, summed


class _OverProcesses(nn.modules.batchnorm._BatchNorm):
    """torch's own in one process and in use; in training, statistics are taken over all processes.

    torch's SyncBatchNorm does the same on GPUs alone. Channels are the second dimension.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training or processes() == 1:
            return super().forward(input)
        over = [d for d in range(input.dim()) if d != 1]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        x = input.float()
        rows = x.new_tensor([x.numel() // x.shape[1]])
        sums = summed(torch.cat([x.sum(over), rows]))
        count, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        x = x - mean.view(shape)
        variance = summed(x.square().sum(over)) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.num_batches_tracked += 1
            unbiased = variance * count / (count - 1).clamp(min=1)
            self.running_mean.lerp_(mean.to(self.running_mean), self.momentum)
            self.running_var.lerp_(unbiased.to(self.running_var), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x * scale.view(shape) + self.bias.view(shape)).to(input.dtype)


class BatchNorm1d(_OverProcesses, nn.BatchNorm1d):
    """Over (rows, channels) or (batch, channels, time)."""


class BatchNorm2d(_OverProcesses, nn.BatchNorm2d):
    """Over (batch, channels, height, width)."""
