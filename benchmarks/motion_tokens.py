"""How well do codes say what hands do?: python -m benchmarks.motion_tokens FOLDER [-o FILE].

FOLDER is WLASL fitted with SMPL-X (``signloom.corpora.wlasl_smplx`` says what its files are). The
fits become 623-d motion on the neutral skeleton (``signloom.pose.motion623``); of it the hands are
taken: 15 joints of each from its own wrist, in the signer's frame, in metres alike for all joints. Runs
of frames in which both hands are valid count. The tokenizer of ``signloom.encoders.motion_vq`` is trained
small on the train split, one or more codes for four frames of both hands, and says the val split again.

Errors are millimetres at a palm (wrist to middle knuckle) of the stated size: MPJPE, the mean
distance of joints, and PA-MPJPE, the same after the best turn, shift and scale of each hand in each
frame. Beside it, on the same four-frame chunks of the same split: the mean pose of train, the
nearest of as many k-means codes, and the nearest chunk of train. Five ways of writing four frames
are compared, three of them at 10 bits and two at 40 (QUANTIZERS). Codebooks come after the first half of
the steps and begin as k-means of what the encoder makes of train; numbers that are rounded (fsq) have
nothing to begin with and are rounded from the first step on. One thread; a seed of one of them takes five
to seven minutes.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.encoders.motion_vq import STRIDE, Codebook, Kind, MotionVq, perplexity, usage
from signloom.methods.motion_scores import k_means, nearest
from signloom.metrics.motion import mpjpe, pa_mpjpe
from signloom.pose.motion623 import (
    LEFT_HAND,
    LEFT_WRIST,
    OFFSETS,
    POSITIONS,
    RIGHT_HAND,
    RIGHT_WRIST,
    features,
    forward,
)

ROOT = Path(__file__).parent.parent
MIDDLE_KNUCKLE = 25
WINDOW, BATCH, WIDTH, RATE, WARMUP, CLIP = 32, 16, 128, 1e-3, 100, 0.1
"""Of the training of a tokenizer [D]."""
NUMBERS = 90
"""Two hands of 15 joints in x, y, z."""


@dataclass(frozen=True)
class Quantizer:
    """A way to write four frames: of which kind, how many ids, out of how many each."""

    kind: Kind
    depth: int
    codes: int

    @property
    def bits(self) -> float:
        """Of four frames."""
        return self.depth * math.log2(self.codes)

    @property
    def late(self) -> bool:
        """Whether there are codes that can begin as what the encoder makes of train."""
        return self.kind != "fsq"


QUANTIZERS = {
    "codebook 1 × 1024": Quantizer("codebook", 1, 1024),
    "residual 2 × 32": Quantizer("residual", 2, 32),
    "fsq 1 × 1024": Quantizer("fsq", 1, 1024),
    "residual 4 × 1024": Quantizer("residual", 4, 1024),
    "fsq 4 × 1024": Quantizer("fsq", 4, 1024),
}
"""The first three have 10 bits for four frames, the others 40."""


def hands(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    """(rows, 623) → (rows, 90): the hands' joints from their wrists."""
    around = np.zeros((len(rows), 1, 3))
    positions = np.concatenate([around, rows[:, POSITIONS].reshape(len(rows), -1, 3)], 1)
    parts = [
        positions[:, hand] - positions[:, wrist, None]
        for hand, wrist in ((LEFT_HAND, LEFT_WRIST), (RIGHT_HAND, RIGHT_WRIST))
    ]
    return np.concatenate(parts, 1).reshape(len(rows), NUMBERS).astype(np.float32)


def runs(folder: Path, split: str) -> list[Tensor]:
    """The stretches (frames, 90) of a split in which both hands are valid, four frames or more."""
    with np.load(folder / "pose.npz", allow_pickle=False) as arrays:
        fits, valid, numbers = (arrays[k] for k in ("smplx_f16", "hand_valid", "frame_index"))
    found = []
    with open(folder / "index.csv", newline="") as table:
        clips = [row for row in csv.DictReader(table) if row["subset"] == split]
    for clip in clips:
        first = int(clip["offset"])
        at = np.arange(first, first + int(clip["n_frames"]))
        at = at[valid[at].all(axis=1)]
        for run in np.split(at, np.flatnonzero(np.diff(numbers[at]) != 1) + 1):
            if len(run) > STRIDE:
                joints, rotations = forward(fits[run])
                rows = hands(features(joints, rotations, upper_body=True))
                found.append(torch.from_numpy(rows[: len(rows) // STRIDE * STRIDE]))
    return found


def chunks(stretches: Sequence[Tensor]) -> Tensor:
    """(chunks, 4 · 90): the positions of every four frames."""
    return torch.cat([run.reshape(-1, STRIDE * NUMBERS) for run in stretches])


def errors(told: Tensor, true: Tensor) -> dict[str, Any]:
    """MPJPE and PA-MPJPE of hands (…, 90 numbers), each aligned alone, and of each hand: millimetres."""
    one, other = (
        p.numpy().astype(np.float64).reshape(-1, 2, NUMBERS // 6, 3) * 1000 for p in (told, true)
    )
    found = {
        side: {"mpjpe": mpjpe(one[:, at], other[:, at]), "pa_mpjpe": pa_mpjpe(one[:, at], other[:, at])}
        for at, side in enumerate(("left", "right"))
    }  # fmt: skip
    both = {
        name: (found["left"][name] + found["right"][name]) / 2 for name in ("mpjpe", "pa_mpjpe")
    }
    return {
        **{name: round(value, 2) for name, value in both.items()},
        **{
            side: {name: round(value, 2) for name, value in each.items()}
            for side, each in found.items()
        },
    }


def trained(
    stretches: Sequence[Tensor],
    wanted: Quantizer,
    steps: int,
    seed: int,
    mirror: Callable[[Tensor], Tensor] | None = None,
) -> MotionVq:
    """A tokenizer that has learned from random windows, half of them in a mirror, one cosine from RATE to 0.

    Stretches shorter than a window stand still at their end. All numbers are on one scale.

    stretches: (frames, numbers), positions.
    """
    torch.manual_seed(seed)
    rows = torch.cat(list(stretches))
    inputs = rows.shape[1]
    model = MotionVq(
        inputs, slice(0, inputs), WIDTH, wanted.codes,
        seed=seed, kind=wanted.kind, depth=wanted.depth,
    )  # fmt: skip
    model.set_scale(rows.mean(0), rows.std(0).mean().expand(inputs))
    longer = [torch.cat([run, run[-1:].expand(max(WINDOW - len(run), 0), -1)]) for run in stretches]
    starts = [(run, at) for run in longer for at in range(len(run) - WINDOW + 1)]
    draws = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.99), weight_decay=0)
    cosine = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / WARMUP) * (1 + math.cos(math.pi * step / steps)) / 2,
    )
    model.late = steps // 2 if wanted.late else 0
    model.train()
    for step in range(steps):
        if wanted.late and step == model.late:
            start_codes(model, stretches, seed)
        drawn = torch.randint(len(starts), (BATCH,), generator=draws).tolist()
        batch = torch.stack([run[at : at + WINDOW] for run, at in (starts[i] for i in drawn)])
        if mirror:
            other = torch.rand(BATCH, generator=draws) < 0.5
            batch = torch.where(other[:, None, None], mirror(batch), batch)
        loss, _ = model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        cosine.step()
    return model.eval()


def mirrored(batch: Tensor) -> Tensor:
    """(…, numbers of two hands): each hand as the other one of a signer in a mirror."""
    apart = batch.unflatten(-1, (-1, 2, NUMBERS // 6, 3)).flip(-3)
    return (apart * torch.tensor([-1.0, 1, 1])).flatten(-4)


@torch.no_grad()
def start_codes(model: MotionVq, stretches: Sequence[Tensor], seed: int) -> None:
    """Codes begin as k-means of what the encoder makes of all stretches; residual ones do so by themselves."""
    book = model.codebook
    vectors = torch.cat([model.latents(run[None])[0] for run in stretches])
    if isinstance(book, Codebook):
        book.start(k_means(vectors, book.size, seed))
        book.updates += 1
    else:
        book(vectors[None])


def tokenized(model: MotionVq, stretches: Sequence[Tensor]) -> dict[str, Any]:
    """Errors, usage and perplexity of a split that is said again, each stretch alone.

    Usage is of all ids there are; perplexity that of each four frames' k-th id, the mean over k.
    """
    with torch.no_grad():
        ids = [model.encode(run[None]) for run in stretches]
        told = torch.cat([model.decode(i)[0] for i in ids])
    true = torch.cat(list(stretches))
    said, book = torch.cat(ids, 1)[0], model.codebook
    levels = said.reshape(-1, book.depth).T
    each = [perplexity(level, book.size) for level in levels]
    return {
        **errors(told, true),
        "usage": round(usage(said, book.size), 4),
        "perplexity": round(sum(each) / len(each), 1),
    }


def measure(
    folder: Path, seeds: Sequence[int], quantizers: Mapping[str, Quantizer], steps: int
) -> Iterator[dict[str, Any]]:
    """Every figure so far, after each seed, the baselines first; k-means has as many centres as the first
    quantizer codes."""
    train, val = runs(folder, "train"), runs(folder, "val")
    known, asked = chunks(train), chunks(val)
    mean = torch.cat(train).mean(0).repeat(STRIDE)
    centres = next(iter(quantizers.values())).codes
    tokens: dict[str, Any] = {}
    report = {
        "palm_mm": round(float(np.linalg.norm(OFFSETS[MIDDLE_KNUCKLE])) * 1000, 1),
        "joints": "15 of each hand, from its wrist, both hands in one code",
        "frames_a_latent": STRIDE,
        "train": {"stretches": len(train), "chunks": len(known)},
        "val": {"stretches": len(val), "chunks": len(asked)},
        "tokenizer": {
            "steps": steps, "batch": BATCH, "window": WINDOW, "width": WIDTH, "rate": RATE, "clip": CLIP,
        },
        "baselines": {
            "mean_pose": errors(mean.expand_as(asked), asked),
            "nearest_train_chunk": errors(known[nearest(asked, known)], asked),
            "k_means": [
                errors(found[nearest(asked, found)], asked)
                for found in (k_means(known, centres, seed) for seed in seeds)
            ],
        },
        "tokens": tokens,
    }  # fmt: skip
    say(json.dumps(report["baselines"]))
    yield report
    for name, wanted in quantizers.items():
        tokens[name] = {"bits": round(wanted.bits, 2), **asdict(wanted), "runs": []}
        for seed in seeds:
            start = time.process_time()
            model = trained(train, wanted, steps, seed, mirrored)
            seconds = round(time.process_time() - start, 1)
            found = {"val": tokenized(model, val), "train": tokenized(model, train)}
            tokens[name]["runs"].append({"seed": seed, "cpu_seconds": seconds, **found})
            say(f"{name}, seed {seed}: {tokens[name]['runs'][-1]}")
            yield report


def say(line: str) -> None:
    print(line, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.motion_tokens", description=__doc__)
    parser.add_argument("folder", type=Path, help="WLASL fitted with SMPL-X")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "results" / "motion-tokens.json")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--only", nargs="+", choices=list(QUANTIZERS), default=list(QUANTIZERS), metavar="NAME"
    )
    parser.add_argument("--steps", type=int, default=6000, help="of training, a seed")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    made_by = {"commit": commit(ROOT), "hardware": hardware()}
    wanted = {name: QUANTIZERS[name] for name in options.only}
    for report in measure(options.folder, options.seeds, wanted, options.steps):
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps({**made_by, **report}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
