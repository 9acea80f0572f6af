"""The recurrent backbone against its formula in float64."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from signloom.data.layouts import HANDS42, PS76
from signloom.encoders.recurrent import RecurrentBackbone


def convolved(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Convolution, fresh norm (mean 0, variance 1), ReLU, again and again."""
    for layer in layers:
        if isinstance(layer, nn.Conv1d):
            x = nn.functional.conv1d(x, layer.weight, layer.bias, layer.stride, layer.padding)
            x = (x / (1 + 1e-5) ** 0.5).clamp(min=0)
    return x


def test_it_is_convolutions_a_gru_and_two_poolings() -> None:
    torch.manual_seed(0)
    backbone = RecurrentBackbone(HANDS42, inputs=3, width=12).double().eval()
    points = torch.randn(2, 9, 42, 3, dtype=torch.float64)
    left, right = points[:, :, :21], points[:, :, 21:] * torch.tensor([-1.0, 1.0, 1.0])
    hands = [
        convolved(backbone.articulators["hand"], hand.flatten(2).transpose(1, 2))
        for hand in (left, right)
    ]
    found = convolved(backbone.together, torch.cat(hands, 1))
    assert found.shape == (2, 12, 3)  # 9 frames, halved twice
    states = found.new_zeros(2, 3, 12)
    for suffix, columns, order in (
        ("", slice(0, 6), (0, 1, 2)),
        ("_reverse", slice(6, 12), (2, 1, 0)),
    ):
        into, back, bias, carried = (
            getattr(backbone.over_time, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = found.new_zeros(2, 6)
        for t in order:
            x, h = found[:, :, t] @ into.T + bias, hidden @ back.T + carried
            reset, update = ((x + h)[:, i : i + 6].sigmoid() for i in (0, 6))
            new = (x[:, 12:] + reset * h[:, 12:]).tanh()
            hidden = (1 - update) * new + update * hidden
            states[:, t, columns] = hidden
    expected = torch.cat([states.mean(1), states.amax(1)], 1)
    torch.testing.assert_close(backbone(points), expected)
    assert backbone.width == expected.shape[1] == 24


def test_every_articulator_is_looked_at() -> None:
    backbone = RecurrentBackbone(PS76, inputs=2, width=12).eval()
    assert set(backbone.articulators) == {"body", "face", "hand"}
    points = torch.randn(1, 8, len(PS76), 2)
    before = backbone(points)
    for part in backbone.parts.values():
        changed = points.clone()
        changed[:, :, part] += 1
        assert not torch.allclose(backbone(changed), before)
