"""A training step against the same step in its plain form: python -m benchmarks.training_step.

Preset small of `unified` and of `isolated`, random weights and points, bf16, one thread. The plain
form gathers the rows of batch normalisation by a boolean mask, sums joints by einsum, convolves
frames with channels first and does all of the Conformer in each window. The two take turns; the
median of the turns' processor seconds counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from benchmarks.ratio import ratio
from signloom.encoders import conformer
from signloom.encoders.agcn import AgcnBlock
from signloom.encoders.masked_norm import MaskedBatchNorm
from signloom.methods import isolated, isolated_clips, unified

TURNS = 5
TEXTS = ["the man goes to the house", "a dog eats an apple", "we see the school tomorrow"] * 10


def norm_by_mask(self: MaskedBatchNorm, x: Tensor, mask: Tensor) -> Tensor:
    if bool(mask.all()):
        return NORM(self, x, mask)
    rows = x[mask]
    normed = self.norm(rows.reshape(-1, x.shape[-1])).view_as(rows)
    return normed.new_zeros(x.shape).index_put((mask,), normed)


def joints_by_einsum(self: AgcnBlock, x: Tensor, mask: Tensor) -> Tensor:
    graph = self.graph + self.learned
    if self.theta_phi is None:
        mixed = torch.einsum("btvc,kvw->btwkc", x, graph)
    else:
        mixed = torch.einsum("btvc,bkvw->btwkc", x, graph + self.similarity(x, mask))
    return self.across_joints(mixed.flatten(3))


def frames_channels_first(self: Any, y: Tensor) -> Tensor:
    return self.depthwise(y.transpose(1, 2)).transpose(1, 2)


def encode_from_fc1(self: conformer.Conformer, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    return ENCODE(self, self.blocks[0].alone(x), mask)


NORM, ENCODE = MaskedBatchNorm.forward, conformer.Conformer.encode
PLAIN: list[tuple[type, str, Callable[..., Any]]] = [
    (MaskedBatchNorm, "forward", norm_by_mask),
    (AgcnBlock, "_over_joints", joints_by_einsum),
    (conformer._Convolution, "_over_time", frames_channels_first),
    (conformer.Conformer, "alone", lambda self, x: self.fc1(x)),
    (conformer.Conformer, "encode", encode_from_fc1),
]


def sentences(preset: str) -> tuple[nn.Module, Any]:
    """`unified` and 16 clips of 50 to 130 frames, each with a sentence of 12 tokens."""
    model = unified.begin(unified.PRESETS[preset], TEXTS, seed=0)
    mask = torch.arange(130)[None] < torch.randint(50, 131, (16, 1))
    points = torch.randn(16, 130, len(model.layout), 3) * mask[:, :, None, None]
    before, after, answer = (torch.randint(3, 60, (16, length)) for length in (10, 3, 12))
    none = torch.full((16, 6), unified.IGNORED)
    return model, unified.Batch(
        points, mask, before, after, answer, none, torch.zeros(16, 0, 88, 88)
    )


def words(preset: str) -> tuple[nn.Module, Any]:
    """`isolated` and 32 clips of single signs."""
    config = isolated.PRESETS[preset]
    model = isolated.begin(config, [f"sign {i}" for i in range(100)], seed=0)
    points = torch.randn(32, config.frames, len(model.layout), config.coordinates + 1)
    return model, isolated_clips.Batch(points, torch.arange(32))


def seconds(model: nn.Module, batch: Any, plain: bool) -> float:
    """Processor seconds of one loss and its gradient."""
    with ExitStack() as patches:
        for owner, name, function in PLAIN if plain else ():
            patches.enter_context(patch.object(owner, name, function))
        started = time.process_time()
        with torch.autocast("cpu", torch.bfloat16):
            loss = model.loss(batch).total
        loss.backward()
        return time.process_time() - started


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for name, (model, batch) in {
        "unified small": sentences("small"),
        "unified tiny": sentences("tiny"),
        "isolated small": words("small"),
    }.items():
        turns = [
            [seconds(model, batch, plain) for plain in (False, True)] for _ in range(TURNS + 1)
        ]
        ours, plain = (statistics.median(side) for side in zip(*turns[1:], strict=True))
        print(
            f"{name}: {ours:.2f} s a step, {plain:.2f} s in the plain form: {plain / ours:.2f}x",
            flush=True,
        )
        ratio(f"training step, {name}", plain / ours, "the plain form, over ours")


if __name__ == "__main__":
    main()
