"""Dense features both ways: graph encoders once and a sliding Conformer, or all of it in each window.

    python -m benchmarks.dense_features [--frames 60] [--turns 3] [-o results/dense-features.json]

A simulated clip in mp203 with the backbone's real size and random weights, windows of 24 frames
every 2. Each arm runs in a process of its own, forward alone and as one training step (forward
and backward), on one core: seconds are the process's own (CPU time, the least of the turns), peak memory is the process's highest less what it held before.
The bytes kept for the backward pass are also counted from shapes, for these frames and for the
500 of arXiv 2512.08040, which reports 29.6 GB for windows throughout and 5.6 GB for the sliding
Conformer, the rest of its model included.

How far the two are apart is said of their outputs in evaluation mode: the relative distance
‖a − b‖ / ‖b‖ and the cosine, means over windows; beside them the same for two neighbouring
windows of the second arm.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.data.layouts import MP203
from signloom.encoders.cost import cost
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.encoders.sliding import sliding, sliding_whole
from signloom.pose.normalize import shoulder
from signloom.simulator.corpora import SimulatedSentences

ROOT = Path(__file__).parent.parent
PAPER_FRAMES = 500
ARMS = ("graphs once", "graphs in each window")


class Dense(nn.Module):
    """Points to one vector per window, in the way that ``arm`` names."""

    def __init__(self, arm: str):
        super().__init__()
        self.arm = arm
        self.backbone = PoseBackbone(MP203)

    def forward(self, points: Tensor, mask: Tensor) -> Tensor:
        """(1, P, width)."""
        if self.arm == ARMS[0]:
            frames = self.backbone.frames(points, mask)
            return sliding(self.backbone.conformer, frames, mask)[0]
        return sliding_whole(self.backbone, points, mask)[0]


def model(arm: str) -> Dense:
    """Both arms with the same weights."""
    torch.manual_seed(0)
    return Dense(arm)


def signing(frames: int) -> tuple[Tensor, Tensor]:
    """(points (1, frames, 203, 3), mask) of simulated sentences one after the other, normalised."""
    samples = SimulatedSentences("small", "train", layout=MP203)
    points: list[Tensor] = []
    while sum(len(part) for part in points) < frames:
        points.append(torch.tensor(shoulder(samples[len(points)].clip).points))
    return torch.cat(points)[None, :frames], torch.ones(1, frames, dtype=torch.bool)


def one_arm(arm: str, frames: int, turns: int, train: bool) -> dict[str, float]:
    """Least CPU seconds of a pass, and the peak memory over what was held before, in this process."""
    torch.set_num_threads(1)
    dense, inputs = model(arm).train(train), signing(frames)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(turns):
        started = time.process_time()
        with torch.set_grad_enabled(train):
            found = dense(*inputs)
        if train:
            found.square().mean().backward()
            dense.zero_grad()
        seconds.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": min(seconds), "peak_gb": (peak - before) * 1024 / 1e9}


def apart(a: Tensor, b: Tensor) -> dict[str, float]:
    """Means over windows of the relative distance and of the cosine of two (windows, width)."""
    return {
        "distance": float(((a - b).norm(dim=1) / b.norm(dim=1)).mean()),
        "cosine": float(nn.functional.cosine_similarity(a, b).mean()),
    }


def differences(frames: int) -> dict[str, dict[str, float]]:
    """How far the arms' outputs are apart, and neighbouring windows of the second."""
    inputs = signing(frames)
    with torch.inference_mode():
        once, each = (settled(model(arm), inputs)(*inputs)[0] for arm in ARMS)
    return {"arms": apart(once, each), "neighbours": apart(each[1:], each[:-1])}


def settled(dense: Dense, inputs: tuple[Tensor, Tensor]) -> Dense:
    """The model in evaluation mode, its batch statistics those of this clip seen whole.

    Random weights with statistics of nothing would let activations grow from block to block.
    """
    for module in dense.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.momentum = 1.0
    dense.train()
    dense.backbone(*inputs)
    return dense.eval()


def kept_gb(arm: str, frames: int) -> float:
    """GB kept for the backward pass, from shapes."""
    with torch.device("meta"):
        dense = Dense(arm)
        inputs = torch.empty(1, frames, len(MP203), 3), torch.ones(1, frames, dtype=torch.bool)
    return cost(dense, inputs, 1).kept_bytes / 1e9


def in_a_process(*arguments: str) -> dict[str, float]:
    """What this module printed as JSON when run with ``arguments``."""
    command = [sys.executable, "-m", "benchmarks.dense_features", *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=60, help="frames of the clip (60)")
    parser.add_argument("--turns", type=int, default=2, help="times each arm is run (2)")
    parser.add_argument("--arm", choices=ARMS, help="run this arm alone, here, and print JSON")
    parser.add_argument("--train", action="store_true", help="with --arm: a training step")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    asked = parser.parse_args()
    if asked.arm:
        print(json.dumps(one_arm(asked.arm, asked.frames, asked.turns, asked.train)))
        return
    report: dict[str, Any] = {"commit": commit(ROOT), "hardware": hardware()}
    report |= {"frames": asked.frames, "window": 24, "stride": 2}
    sizes = ["--frames", str(asked.frames), "--turns", str(asked.turns)]
    for name, flags in (("forward", []), ("training step", ["--train"])):
        found = {arm: in_a_process(*sizes, *flags, "--arm", arm) for arm in ARMS}
        once, each = (found[arm] for arm in ARMS)
        print(
            f"{name}, {asked.frames} frames: {once['seconds']:.1f} s and {once['peak_gb']:.2f} GB "
            f"with {ARMS[0]}; {each['seconds']:.1f} s and {each['peak_gb']:.2f} GB with {ARMS[1]}: "
            f"{each['seconds'] / once['seconds']:.1f}x the time, "
            f"{each['peak_gb'] / once['peak_gb']:.1f}x the memory",
            flush=True,
        )
        report[name] = found
    for frames in (asked.frames, PAPER_FRAMES):
        once_gb, each_gb = (kept_gb(arm, frames) for arm in ARMS)
        print(
            f"kept for the backward pass, {frames} frames, from shapes: {once_gb:.2f} GB with "
            f"{ARMS[0]}, {each_gb:.2f} GB with {ARMS[1]}: {each_gb / once_gb:.1f}x"
        )
        report[f"kept, {frames} frames"] = {ARMS[0]: once_gb, ARMS[1]: each_gb}
    report["apart"] = differences(asked.frames)
    for name, found in report["apart"].items():
        print(
            f"apart, {name}: relative distance {found['distance']:.3f}, cosine {found['cosine']:.4f}"
        )
    if asked.out:
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
