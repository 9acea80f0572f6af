"""Convolutions over time with a recurrent network behind them: a cheap backbone for single signs (ours).

As the pose backbone it looks at each articulator alone first, at both hands with the same eyes, the
right one mirrored; but all keypoints of an articulator are one vector, without a graph. Where clips
are short and few it recognises as well at a small part of the cost (docs/methods/isolated.md, "What
it reaches").
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from signloom.data.layouts import Layout
from signloom.encoders.batch_norm import BatchNorm1d
from signloom.encoders.pose_backbone import (
    articulator_keypoints,
    encoder_of,
    mirrored_x,
)


class RecurrentBackbone(nn.Module):
    """Keypoints (B, T, V, inputs), all frames real, to one vector a clip (B, 2 · width).

    Points come as the pose backbone takes them. Each articulator's frames pass two convolutions that
    halve them, all together two more that halve them again; a bidirectional GRU goes over what is
    left, and its mean and its highest values stand side by side.

    layout: which keypoints; the articulators that it has are looked at.
    inputs: numbers of a keypoint.
    width: of the GRU's two directions together; a multiple of 6.
    dropout: behind each of the last two convolutions.
    """

    def __init__(self, layout: Layout, inputs: int, width: int, dropout: float = 0.2):
        super().__init__()
        self.parts = articulator_keypoints(layout)
        self.width = 2 * width
        self.articulators = nn.ModuleDict()
        for name, keypoints in self.parts.items():
            self.articulators[encoder_of(name)] = nn.Sequential(
                *_convolution(len(keypoints) * inputs, width // 3, 5, stride=2),
                *_convolution(width // 3, width // 3, 5),
            )
        self.together = nn.Sequential(
            *_convolution(len(self.parts) * (width // 3), 2 * width // 3, 5),
            nn.Dropout(dropout),
            *_convolution(2 * width // 3, width, 3, stride=2),
            nn.Dropout(dropout),
        )
        self.over_time = nn.GRU(width, width // 2, batch_first=True, bidirectional=True)

    def forward(
        self, points: Float[Tensor, "batch time keypoints inputs"]
    ) -> Float[Tensor, "batch pooled"]:
        rows = {name: points[:, :, part] for name, part in self.parts.items()}
        if "right_hand" in rows:
            rows["right_hand"] = mirrored_x(rows["right_hand"])
        found: dict[str, Tensor] = {}
        for encoder in self.articulators:  # both hands at once: a batch norm counts them together
            names = [name for name in self.parts if encoder_of(name) == encoder]
            read = torch.cat([rows[name].flatten(2).transpose(1, 2) for name in names])
            each = self.articulators[encoder](read).chunk(len(names))
            found |= dict(zip(names, each, strict=True))
        joined = torch.cat([found[name] for name in self.parts], 1)  # (B, A · width / 3, ⌈T/2⌉)
        states, _ = self.over_time(self.together(joined).transpose(1, 2))  # (B, ⌈T/4⌉, width)
        return torch.cat([states.mean(1), states.amax(1)], 1)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv1d(inputs, outputs, kernel, stride, padding=kernel // 2),
        BatchNorm1d(outputs),
        nn.ReLU(),
    ]
