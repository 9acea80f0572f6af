"""A Conformer against the same formulas in plain numpy, float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from signloom.encoders.conformer import Conformer, attentive_pool

INPUTS, WIDTH, HEADS, HEAD, KERNEL, DISTANCE = 3, 8, 2, 5, 3, 4
Array = NDArray[np.float64]


def conformer(layers: int) -> Conformer:
    torch.manual_seed(0)
    made = Conformer(
        INPUTS, WIDTH, layers, HEADS, HEAD, inner=2, kernel=KERNEL, dropout=0.0, distance=DISTANCE
    ).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return made


def reference(made: Conformer, clips: list[Array]) -> list[tuple[Array, Array]]:
    """(frames, attention) of each clip without padding, with batch statistics over all of them."""
    w = {name: p.detach().numpy() for name, p in made.named_parameters()}
    xs = [clip @ w["fc1.weight"].T + w["fc1.bias"] for clip in clips]
    maps = [np.zeros((len(x), len(x))) for x in xs]
    for i in range(len(made.blocks)):
        at = f"blocks.{i}."
        own = {name.removeprefix(at): p for name, p in w.items() if name.startswith(at)}
        xs = [x + feed_forward(own, x, "first") / 2 for x in xs]
        both = [attend(own, x) for x in xs]
        maps = [m + a / len(made.blocks) for m, (_, a) in zip(maps, both, strict=True)]
        xs = [x + y for x, (y, _) in zip(xs, both, strict=True)]
        xs = [x + y for x, y in zip(xs, convolve(own, xs), strict=True)]
        xs = [x + feed_forward(own, x, "second") / 2 for x in xs]
        xs = [layer_norm(own, x, "norm") for x in xs]
    return list(zip(xs, maps, strict=True))


def attend(w: dict[str, Array], x: Array) -> tuple[Array, Array]:
    y = layer_norm(w, x, "attention.norm") @ w["attention.qkv.weight"].T
    out, mean = w["attention.out.bias"] + np.zeros_like(x), np.zeros((len(x), len(x)))
    for h in range(HEADS):
        q, k, v = (y[:, (HEADS * i + h) * HEAD : (HEADS * i + h + 1) * HEAD] for i in range(3))
        scores = np.zeros((len(x), len(x)))
        for t in range(len(x)):
            for s in range(len(x)):
                apart = min(max(t - s, -DISTANCE), DISTANCE)
                vector = w["attention.relative.weight"][apart + DISTANCE]
                scores[t, s] = q[t] @ (k[s] + vector) / np.sqrt(HEAD)
        attention = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        out = out + attention @ v @ w["attention.out.weight"][:, h * HEAD : (h + 1) * HEAD].T
        mean += attention / HEADS
    return out, mean


def convolve(w: dict[str, Array], xs: list[Array]) -> list[Array]:
    ys = []
    for x in xs:
        y = layer_norm(w, x, "convolution.norm") @ w["convolution.gated.weight"].T
        a, b = np.split(y + w["convolution.gated.bias"], 2, axis=1)
        y = np.pad(a / (1 + np.exp(-b)), ((KERNEL // 2, KERNEL // 2), (0, 0)))
        kernel = w["convolution.depthwise.weight"][:, 0].T
        ys.append(
            w["convolution.depthwise.bias"]
            + np.stack([(y[t : t + KERNEL] * kernel).sum(axis=0) for t in range(len(x))])
        )
    rows = np.concatenate(ys)
    name = "convolution.batch_norm.norm"
    normed = [(y - rows.mean(0)) / np.sqrt(rows.var(0) + 1e-5) for y in ys]
    normed = [y * w[f"{name}.weight"] + w[f"{name}.bias"] for y in normed]
    out = w["convolution.out.weight"].T
    return [y / (1 + np.exp(-y)) @ out + w["convolution.out.bias"] for y in normed]


def feed_forward(w: dict[str, Array], x: Array, name: str) -> Array:
    y = layer_norm(w, x, f"{name}.0") @ w[f"{name}.1.weight"].T + w[f"{name}.1.bias"]
    return y / (1 + np.exp(-y)) @ w[f"{name}.4.weight"].T + w[f"{name}.4.bias"]


def layer_norm(w: dict[str, Array], x: Array, name: str) -> Array:
    centred = x - x.mean(axis=1, keepdims=True)
    normed = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
    return normed * w[f"{name}.weight"] + w[f"{name}.bias"]


@pytest.mark.parametrize("layers", [1, 2])
def test_frames_and_attention_are_their_formulas(layers: int) -> None:
    made = conformer(layers)
    mask = torch.arange(9)[None] < torch.tensor([9, 4])[:, None]
    x = torch.randn(2, 9, INPUTS).double()
    frames, attention = made(x, mask)
    expected = reference(made, [clip[m].numpy() for clip, m in zip(x, mask, strict=True)])
    for i, (wanted, weights) in enumerate(expected):
        n = len(wanted)
        np.testing.assert_allclose(frames[i, :n].detach().numpy(), wanted, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(attention[i, :n, :n].detach().numpy(), weights, atol=1e-10)
        assert not frames[i, n:].any()
        assert not attention[i, :n, n:].any()


def test_the_convolution_over_frames_and_its_gradients_are_those_of_the_layer() -> None:
    convolution = conformer(1).blocks[0].convolution
    y = torch.randn(2, 9, 2 * WIDTH).double().requires_grad_()
    upstream = torch.randn(2, 9, 2 * WIDTH).double()
    inputs = [y, *convolution.depthwise.parameters()]
    found = convolution._over_time(y)
    expected = convolution.depthwise(y.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
    )


def test_a_clip_without_frames_is_0_and_disturbs_nobody() -> None:
    made = conformer(2).eval()
    x = torch.randn(2, 6, INPUTS).double()
    mask = torch.tensor([True, False])[:, None].expand(2, 6).contiguous()
    frames, attention = made(x, mask)
    assert not attentive_pool(frames, attention, mask)[1].any()
    torch.testing.assert_close(frames[:1], made(x[:1], mask[:1])[0])


def test_pooling_is_the_mean_of_attended_frames() -> None:
    torch.manual_seed(0)
    x, attention = torch.randn(1, 5, 4).double(), torch.rand(1, 5, 5).double()
    mask = torch.tensor([[True, True, True, False, False]])
    attention[:, :, 3:] = 0
    expected = np.mean([attention[0, t].numpy() @ x[0].numpy() for t in range(3)], axis=0)
    np.testing.assert_allclose(attentive_pool(x, attention, mask)[0].numpy(), expected)
