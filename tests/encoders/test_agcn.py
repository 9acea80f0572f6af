"""One AGCN block against the same formula in plain numpy, float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from signloom.encoders.agcn import AgcnBlock, in_chunks, out_of_chunks
from signloom.encoders.graph import partitions

Arrays = dict[str, NDArray[np.float64]]
JOINTS, KERNEL = 5, 7
GRAPH = torch.from_numpy(partitions(JOINTS, [(0, 1), (1, 2), (0, 3), (3, 4)]))


def block(inputs: int, outputs: int, **options: bool) -> AgcnBlock:
    torch.manual_seed(0)
    made = AgcnBlock(inputs, outputs, GRAPH, reduction=2, **options).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return made


def clips(channels: int) -> tuple[Tensor, Tensor]:
    """Three clips, the second and third padded with 0."""
    torch.manual_seed(1)
    mask = torch.arange(11)[None] < torch.tensor([11, 6, 1])[:, None]
    return torch.randn(3, 11, JOINTS, channels).double() * mask[:, :, None, None], mask


def reference(made: AgcnBlock, x: Tensor, mask: Tensor) -> list[NDArray[np.float64]]:
    """Each clip's real frames out of the block, by its formula, with batch statistics."""
    w = {name: p.detach().numpy() for name, p in made.named_parameters()}
    real = [clip[m].numpy() for clip, m in zip(x, mask, strict=True)]
    y = batch_norm([over_joints(w, clip) for clip in real], w, "joint_norm")
    residual = [changed(w, real, "joint_residual"), changed(w, real, "residual")]
    y = [np.maximum(a + b, 0) for a, b in zip(y, residual[0], strict=True)]
    z = batch_norm([over_time(w, clip) for clip in y], w, "time_norm")
    out = [np.maximum(a + b, 0) for a, b in zip(z, residual[1], strict=True)]
    return [clip * excitation(w, clip) for clip in out]


def over_joints(w: Arrays, x: NDArray[np.float64]) -> NDArray[np.float64]:
    graph = GRAPH.numpy() + w["learned"]
    total = w["across_joints.bias"]
    for k in range(3):
        mixing = graph[k]
        if "theta_phi.weight" in w:
            both = x @ w["theta_phi.weight"].T + w["theta_phi.bias"]
            width = both.shape[-1] // 6
            theta = both[:, :, k * width : (k + 1) * width]
            phi = both[:, :, (3 + k) * width : (4 + k) * width]
            scores = np.zeros((JOINTS, JOINTS))
            for t in range(len(x)):
                scores += theta[t] @ phi[t].T
            scores = np.exp(scores / (width * len(x)))
            mixing = mixing + scores / scores.sum(axis=0)
        inputs = x.shape[-1]
        weight = w["across_joints.weight"][:, k * inputs : (k + 1) * inputs]
        total = total + np.stack([mixing.T @ frame for frame in x]) @ weight.T
    return total


def over_time(w: Arrays, y: NDArray[np.float64]) -> NDArray[np.float64]:
    weight = w["over_time.weight"][..., 0]  # (outputs, inputs or 1, kernel)
    out = np.tile(w["over_time.bias"], (*y.shape[:2], 1))
    for t in range(len(y)):
        for k in range(KERNEL):
            if 0 <= (s := t + k - KERNEL // 2) < len(y):
                factored = weight.shape[1] == 1
                out[t] += y[s] * weight[:, 0, k] if factored else y[s] @ weight[:, :, k].T
    if "across_channels.weight" in w:
        out = out @ w["across_channels.weight"].T + w["across_channels.bias"]
    return out


def excitation(w: Arrays, z: NDArray[np.float64]) -> NDArray[np.float64]:
    hidden = np.maximum(
        w["excite.weigh.0.weight"] @ z.mean(axis=(0, 1)) + w["excite.weigh.0.bias"], 0
    )
    return 1 / (1 + np.exp(-(w["excite.weigh.2.weight"] @ hidden + w["excite.weigh.2.bias"])))


def batch_norm(clips: list[NDArray[np.float64]], w: Arrays, name: str) -> list[NDArray[np.float64]]:
    rows = np.concatenate([clip.reshape(-1, clip.shape[-1]) for clip in clips])
    scale = w[f"{name}.norm.weight"] / np.sqrt(rows.var(axis=0) + 1e-5)
    return [(clip - rows.mean(axis=0)) * scale + w[f"{name}.norm.bias"] for clip in clips]


def changed(w: Arrays, clips: list[NDArray[np.float64]], name: str) -> list[NDArray[np.float64]]:
    if f"{name}.linear.weight" not in w:
        return clips
    linear = [clip @ w[f"{name}.linear.weight"].T + w[f"{name}.linear.bias"] for clip in clips]
    return batch_norm(linear, w, f"{name}.norm")


@pytest.mark.parametrize("options", [{}, {"adaptive": False}, {"factored": True}], ids=str)
@pytest.mark.parametrize("outputs", [6, 8])
def test_a_block_is_its_formula(options: dict[str, bool], outputs: int) -> None:
    made = block(6, outputs, **options)
    x, mask = clips(6)
    found = made(x, mask).detach()
    for clip, m, expected in zip(found, mask, reference(made, x, mask), strict=True):
        np.testing.assert_allclose(clip[m].numpy(), expected, rtol=1e-9, atol=1e-10)
        assert not clip[~m].any()


@pytest.mark.parametrize("adaptive", [True, False])
def test_the_gradients_of_mixing_joints_are_those_of_the_sum(adaptive: bool) -> None:
    made, (x, mask) = block(6, 8, adaptive=adaptive), clips(6)
    upstream = torch.randn(3, 11, JOINTS, 8).double()
    ours, theirs = (x.clone().requires_grad_() for _ in range(2))
    found = made._over_joints(ours, mask)
    weights = [made.learned, *made.across_joints.parameters()]
    gradients = torch.autograd.grad(found, [ours, *weights], upstream)
    graph = (made.graph + made.learned).expand(3, -1, -1, -1)
    if adaptive:
        graph = graph + made.similarity(theirs, mask)
    expected = made.across_joints.bias
    for k in range(3):
        mixed = torch.einsum("btvc,bvw->btwc", theirs, graph[:, k])
        expected = expected + mixed @ made.across_joints.weight[:, 6 * k : 6 * k + 6].T
    torch.testing.assert_close(found, expected)
    plain = torch.autograd.grad(expected, [theirs, *weights], upstream)
    torch.testing.assert_close(gradients, plain)


def test_statistics_kept_for_evaluation_are_those_of_real_frames() -> None:
    made, (x, mask) = block(6, 8), clips(6)
    made(x, mask)
    linear = x[mask].reshape(-1, 6) @ made.residual.linear.weight.T + made.residual.linear.bias
    torch.testing.assert_close(made.residual.norm.norm.running_mean, 0.1 * linear.mean(0))


@pytest.mark.parametrize("training", [True, False])
def test_padding_changes_nothing(training: bool) -> None:
    made = block(6, 8).train(training)
    x, mask = clips(6)
    alone = made(x[1:2, :6], mask[1:2, :6])
    torch.testing.assert_close(made(x[1:2], mask[1:2])[:, :6], alone)


def test_the_learned_graph_starts_as_next_to_nothing() -> None:
    made = AgcnBlock(6, 8, GRAPH)
    assert torch.equal(made.learned, torch.full_like(GRAPH, 1e-6))


def test_chunks_are_whole_again() -> None:
    x, mask = clips(6)
    pieces, real = in_chunks(x, mask, 4)
    assert pieces.shape == (9, 4, JOINTS, 6)
    assert real.sum() == mask.sum()
    assert torch.equal(out_of_chunks(pieces, 3, 11), x)
