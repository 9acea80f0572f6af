"""Costs counted by hand, and the two sizes whose cost the published figure was compared with."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from signloom.data.layouts import MP203
from signloom.encoders.compression import Compression, Context
from signloom.encoders.cost import cost, gmac
from signloom.encoders.pose_backbone import PoseBackbone


def test_two_layers_counted_by_hand() -> None:
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 5)
            self.conv = nn.Conv1d(5, 7, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.conv(torch.relu(self.linear(x)).transpose(1, 2))

    found = cost(Small(), (torch.zeros(2, 10, 3),), frames=20)
    assert found.gmac == pytest.approx((3 * 5 + 3 * 5 * 7) / 1e9)
    # Float32: the linear layer keeps its input; relu's result is kept once, for relu and conv.
    assert found.kept_bytes == pytest.approx(4 * (3 + 5))


@pytest.mark.parametrize(
    ("channels", "multipliers", "gmac"), [(64, (1, 2, 4, 4), 0.41), (96, (1, 1, 2, 4), 0.52)]
)
def test_the_calibrated_sizes(channels: int, multipliers: tuple[int, ...], gmac: float) -> None:
    with torch.device("meta"):
        backbone = PoseBackbone(MP203, channels=channels, multipliers=multipliers)
        inputs = torch.empty(1, 24, 203, 3), torch.ones(1, 24, dtype=torch.bool)
    assert cost(backbone, inputs, frames=24).gmac == pytest.approx(gmac, abs=0.005)


@pytest.mark.parametrize(
    ("context", "behind"),
    [
        ("none", 0),
        ("bilstm", 2 * 2 * 4 * 4 * (8 + 4)),  # layers, directions, gates: 4 of 4 by 8 + 4
        ("transformer", 2 * (4 * 8 * 8 + 2 * 8 * 32 + 2 * 12 * 8)),
    ],
)
def test_what_reads_compressed_frames_counted_by_hand(context: Context, behind: int) -> None:
    """12 frames of 5 numbers, one convolution to 8, two layers behind it; all per frame."""
    model = Compression(5, (8,), 1, context, layers=2, heads=2).eval()
    inputs = torch.zeros(1, 12, 5), torch.ones(1, 12, dtype=torch.bool)
    assert gmac(lambda: model(*inputs)) * 1e9 == pytest.approx(12 * (3 * 5 * 8 + behind))
