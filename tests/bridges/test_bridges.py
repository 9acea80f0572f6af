"""Every bridge keeps one contract; a Perceiver window is what the formula says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from signloom.bridges.bridge import Bridge
from signloom.bridges.conv import Conv
from signloom.bridges.mlp import Mlp
from signloom.bridges.sliding_perceiver import SlidingPerceiver
from signloom.bridges.token_shuffle import TokenShuffle
from signloom.errors import UsageError

INPUTS, WIDTH = 6, 8


def perceiver(**changed: int) -> SlidingPerceiver:
    sizes = {"width": WIDTH, "heads": 2, "inner": 2, "positions": 40, **changed}
    return SlidingPerceiver(INPUTS, **sizes)


BRIDGES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "perceiver": (perceiver, 2),
    "perceiver of an odd window": (lambda: perceiver(window=7, stride=3), 3),
    "mlp": (lambda: Mlp(INPUTS, WIDTH), 1),
    "mlp of two frames a token": (lambda: Mlp(INPUTS, WIDTH, stride=2), 2),
    "conv": (lambda: Conv(INPUTS, WIDTH), 2),
    "conv of a token a frame": (lambda: Conv(INPUTS, WIDTH, stride=1), 1),
    "token shuffle": (lambda: TokenShuffle(INPUTS, WIDTH, stride=3), 3),
}
every = pytest.mark.parametrize(("build", "stride"), BRIDGES.values(), ids=BRIDGES.keys())


def run(bridge: Bridge, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        return bridge.forward(features, mask)


@every
def test_padding_and_masked_frames_change_nothing(
    build: Callable[[], nn.Module], stride: int
) -> None:
    torch.manual_seed(0)
    bridge = build().eval()
    assert bridge.stride == stride
    for time in (1, 2, 7, 12, 31):
        clip = torch.randn(1, time, INPUTS)
        tokens, there = run(bridge, clip, torch.ones(1, time, dtype=torch.bool))
        assert tokens.shape == (1, -(-time // stride), WIDTH)
        assert there.all()
        padded = torch.cat([clip, torch.full((1, 9, INPUTS), float("nan"))], 1)
        more, also = run(bridge, padded, torch.arange(time + 9)[None] < time)
        torch.testing.assert_close(more[also][None], tokens)
        assert (more[~also] == 0).all()
    # Frames that are missing in the middle, and a whole stretch of them.
    mask = torch.ones(1, 31, dtype=torch.bool)
    mask[0, [3, 4, 8]] = mask[0, 12:24] = False
    tokens, there = run(bridge, clip, mask)
    other, _ = run(bridge, torch.where(mask[..., None], clip, 7.0), mask)
    assert torch.equal(tokens, other)
    own = [bool(mask[0, n * stride : (n + 1) * stride].any()) for n in range(there.shape[1])]
    assert there[0].tolist() == own
    assert not all(own)
    assert (tokens[~there] == 0).all()
    assert (tokens[there].abs().amax(-1) > 0).all()


@every
def test_every_parameter_is_reached(build: Callable[[], nn.Module], stride: int) -> None:
    torch.manual_seed(0)
    bridge = build()
    mask = torch.ones(2, 40, dtype=torch.bool)
    mask[1, 33:] = False
    tokens, _ = bridge(torch.randn(2, 40, INPUTS), mask)
    (tokens * torch.randn_like(tokens)).sum().backward()
    for name, parameter in bridge.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        reached = parameter.grad.reshape(len(parameter), -1).abs().amax(1)
        assert (reached > 1e-8).all(), name


def test_the_paper_s_250_frames_become_125_tokens() -> None:
    mask = torch.ones(1, 250, dtype=torch.bool)
    features = torch.randn(1, 250, INPUTS)
    for bridge in (perceiver(positions=250), Conv(INPUTS, WIDTH), TokenShuffle(INPUTS, WIDTH)):
        tokens, there = bridge(features, mask)
        assert tokens.shape[1] == there.sum() == 125
    assert Mlp(INPUTS, WIDTH)(features, mask)[0].shape[1] == 250


def reference(
    bridge: SlidingPerceiver, features: np.ndarray, mask: np.ndarray, n: int
) -> np.ndarray:
    """Token ``n`` of one clip by the formula, in float64, one window and one head at a time."""
    weights = {k: v.detach().double().numpy() for k, v in bridge.state_dict().items()}

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0.0)

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def gelu(x: np.ndarray) -> np.ndarray:
        return x * np.array([0.5 * (1 + torch.erf(torch.tensor(v / 2**0.5)).item()) for v in x])

    first = n * bridge.stride - (bridge.window - bridge.stride) // 2
    window = [t for t in range(first, first + bridge.window) if 0 <= t < len(mask) and mask[t]]
    frames = linear("project", features[window]) + weights["positions"][window]
    latent = weights["latent"]
    for layer in range(len(bridge.layers)):
        at = f"layers.{layer}."
        query = linear(at + "query", norm(at + "latent_norm", latent))
        keys, values = (
            linear(at + part, norm(at + "frame_norm", frames)) for part in ("key", "value")
        )
        size = len(latent) // bridge.layers[layer].heads
        read = []
        for low in range(0, len(latent), size):
            part = slice(low, low + size)
            score = np.exp(keys[:, part] @ query[part] / np.sqrt(size))
            read.append((score / score.sum()) @ values[:, part])
        latent = latent + linear(at + "out", np.concatenate(read))
        inner = gelu(linear(at + "feed.1", norm(at + "feed.0", latent)))
        latent = latent + linear(at + "feed.3", inner)
    return norm("norm", latent)


def test_a_window_is_the_formula() -> None:
    torch.manual_seed(1)
    bridge = perceiver(depth=2).double()
    with torch.no_grad():
        for parameter in bridge.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    features = torch.randn(1, 21, INPUTS, dtype=torch.float64)
    mask = torch.ones(1, 21, dtype=torch.bool)
    mask[0, [5, 6, 10, 20]] = False
    tokens, there = run(bridge, features, mask)
    for n in range(10):
        expected = reference(bridge, features[0].numpy(), mask[0].numpy(), n)
        np.testing.assert_allclose(tokens[0, n].numpy(), expected, atol=1e-6)
    assert there[0].tolist() == [True] * 10 + [False]


def test_a_token_sees_its_window_and_nothing_else() -> None:
    torch.manual_seed(2)
    bridge = perceiver()
    features = torch.randn(1, 30, INPUTS, requires_grad=True)
    tokens, _ = bridge(features, torch.ones(1, 30, dtype=torch.bool))
    (tokens[0, 5] * torch.randn(WIDTH)).sum().backward()
    seen = features.grad[0].abs().amax(1).nonzero().flatten().tolist()
    assert seen == list(range(7, 15))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="width 8 and 3 heads"):
        perceiver(heads=3)
    with pytest.raises(UsageError, match="windows of 4 frames every 5"):
        perceiver(window=4, stride=5)
    bridge = perceiver()
    for time in (0, 41):
        with pytest.raises(UsageError, match=f"a clip of {time} frames .* 40 positions"):
            bridge(torch.zeros(1, time, INPUTS), torch.ones(1, time, dtype=torch.bool))


def test_conv_means_over_real_frames() -> None:
    """A last frame without its pair counts in full: as if it stood there twice."""
    bridge = Conv(INPUTS, WIDTH, kernel=1)
    odd = torch.randn(1, 3, INPUTS)
    even = torch.cat([odd, odd[:, 2:]], 1)
    one, _ = bridge(odd, torch.ones(1, 3, dtype=torch.bool))
    two, _ = bridge(even, torch.ones(1, 4, dtype=torch.bool))
    torch.testing.assert_close(one, two)


def test_an_mlp_is_a_convolution_that_sees_one_frame_at_a_time() -> None:
    mlp, conv = Mlp(INPUTS, WIDTH, stride=3), Conv(INPUTS, WIDTH, stride=3, kernel=1)
    first, _, second, _ = mlp.layers
    with torch.no_grad():
        for layer, like in ((first, conv.first), (second, conv.second)):
            like.weight.copy_(layer.weight[..., None])
            like.bias.copy_(layer.bias)
    features, mask = torch.randn(2, 10, INPUTS), torch.ones(2, 10, dtype=torch.bool)
    mask[1, 4:] = False
    for one, other in zip(mlp(features, mask), conv(features, mask), strict=True):
        torch.testing.assert_close(one, other)
