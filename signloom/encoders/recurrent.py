"""Convolutions over time with a recurrent network behind them: a cheap backbone for single signs (ours).

No graph: all keypoints of a frame are one vector. It is what the pose backbone is compared with
where clips are short and few (docs/methods/isolated.md, "What it reaches").
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RecurrentBackbone(nn.Module):
    """Frames (B, T, inputs), all of them real, to one vector a clip (B, 2 · width).

    Three convolutions halve the frames twice, a bidirectional GRU goes over what is left, and its
    mean and its highest values stand side by side.

    width: of the GRU's two directions together; a multiple of 6.
    dropout: behind the second convolution and the third.
    """

    def __init__(self, inputs: int, width: int, dropout: float = 0.2):
        super().__init__()
        narrow = 2 * width // 3
        self.width = 2 * width
        self.steps = nn.Sequential(
            *_convolution(inputs, narrow, 5, stride=2),
            *_convolution(narrow, narrow, 5),
            nn.Dropout(dropout),
            *_convolution(narrow, width, 3, stride=2),
            nn.Dropout(dropout),
        )
        self.over_time = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, frames: Float[Tensor, "batch time inputs"]) -> Float[Tensor, "batch pooled"]:
        found = self.steps(frames.transpose(1, 2)).transpose(1, 2)  # (B, ⌈T/4⌉, width)
        states, _ = self.over_time(found)
        return torch.cat([states.mean(1), states.amax(1)], 1)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2),
        nn.BatchNorm1d(outputs),
        nn.ReLU(),
    ]
