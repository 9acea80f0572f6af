"""The recurrent backbone against its formula in float64."""

from __future__ import annotations

import torch

from signloom.encoders.recurrent import RecurrentBackbone


def test_it_is_convolutions_a_gru_and_two_poolings() -> None:
    torch.manual_seed(0)
    backbone = RecurrentBackbone(inputs=10, width=12).double().eval()
    frames = torch.randn(3, 9, 10, dtype=torch.float64)
    found = frames.transpose(1, 2)
    layers = [m for m in backbone.steps if isinstance(m, torch.nn.Conv1d | torch.nn.BatchNorm1d)]
    for convolution, norm in zip(layers[::2], layers[1::2], strict=True):
        found = torch.nn.functional.conv1d(
            found, convolution.weight, convolution.bias, convolution.stride, convolution.padding
        )
        found = (found / (1 + norm.eps) ** 0.5).clamp(min=0)  # fresh statistics: mean 0, variance 1
    assert found.shape == (3, 12, 3)  # 9 frames, halved twice
    states = found.new_zeros(3, 3, 12)
    for suffix, columns, order in (
        ("", slice(0, 6), (0, 1, 2)),
        ("_reverse", slice(6, 12), (2, 1, 0)),
    ):
        into, back, bias, carried = (
            getattr(backbone.over_time, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = found.new_zeros(3, 6)
        for t in order:
            x, h = found[:, :, t] @ into.T + bias, hidden @ back.T + carried
            reset, update = ((x + h)[:, i : i + 6].sigmoid() for i in (0, 6))
            new = (x[:, 12:] + reset * h[:, 12:]).tanh()
            hidden = (1 - update) * new + update * hidden
            states[:, t, columns] = hidden
    expected = torch.cat([states.mean(1), states.amax(1)], 1)
    torch.testing.assert_close(backbone(frames), expected)
    assert backbone.width == expected.shape[1] == 24
