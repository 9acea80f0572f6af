"""What the pose backbone costs per frame, whole and with its two economies.

    python -m benchmarks.backbone_cost [--frames 24] [-o results/backbone-cost.json]

mp203, C_in 64, multipliers (1, 2, 4, 4), width 512. Multiply–adds and the bytes kept for the
backward pass (float32) are counted from shapes on the meta device, so the result is the same on
every machine; `signloom.encoders.cost` says what counts. Of two clips, since one alone shares its
graph among its frames. 24 frames is the length of a single
sign's clip in arXiv 2512.08040, whose table 4 gives 0.53.

Then what a window (20 s) costs in each preset of `unified`: keypoints to the tokens that the language model
reads, without lips.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from signloom.data.files import writing
from signloom.data.layouts import MP203
from signloom.encoders.cost import PAPER_GMAC, Cost, cost
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.language.t5 import train_codec
from signloom.methods.unified import PRESETS, Unified, random_t5, shape_of

CLIPS = 2
ARMS: dict[str, dict[str, Any]] = {
    "paper, 64·(1, 2, 4, 4)": {},
    "paper, 96·(1, 1, 2, 4)": {"channels": 96, "multipliers": (1, 1, 2, 4)},
    "factored temporal convolution": {"factored": True},
    "static graph": {"adaptive": False},
    "factored, static graph": {"factored": True, "adaptive": False},
    "mean over joints": {"aggregation": "mean"},
}


def measure(options: dict[str, Any], frames: int) -> Cost:
    """The cost per frame of a backbone with these options."""
    with torch.device("meta"):
        backbone = PoseBackbone(MP203, **options)
        inputs = (
            torch.empty(CLIPS, frames, len(MP203), 3),
            torch.ones(CLIPS, frames, dtype=torch.bool),
        )
    return cost(backbone, inputs, CLIPS * frames)


class Looks(nn.Module):
    """What of a model looks at the signing."""

    def __init__(self, model: Unified):
        super().__init__()
        self.model = model

    def forward(self, points: Tensor, mask: Tensor, mouths: Tensor) -> Tensor:
        return self.model.tokens(points, mask, mouths)[0]


def window(preset: str) -> float:
    """10⁹ multiply–adds of a window through backbone and bridge; Flan-T5-XL's width is 2,048."""
    config = PRESETS[preset]
    if config.language:
        config = replace(
            config, language="", adapter="full", language_width=2048, language_layers=1
        )
    codec = train_codec(["a window"], 100)
    frames, read = round(config.window * config.fps), config.coordinates + 1
    with torch.device("meta"):
        model = Unified(config, random_t5(shape_of(config, len(codec)), codec, 0), codec, None)
        inputs = (
            torch.empty(1, frames, len(model.layout), read),
            torch.ones(1, frames, dtype=torch.bool),
            torch.empty(1, 0, 88, 88),
        )
    return cost(Looks(model), inputs, 1).gmac


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=24, help="frames per clip (24)")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    asked = parser.parse_args()
    costs = {name: measure(options, asked.frames) for name, options in ARMS.items()}
    paper = next(iter(costs.values()))
    print(f"per frame, clips of {asked.frames} frames (the paper: {PAPER_GMAC} GMAC)")
    for name, found in costs.items():
        print(
            f"{name:32} {found.gmac:.3f} GMAC ({100 * (found.gmac / paper.gmac - 1):+.0f} %), "
            f"{found.kept_bytes / 1e6:.2f} MB kept for training "
            f"({100 * (found.kept_bytes / paper.kept_bytes - 1):+.0f} %)"
        )
    windows = {preset: window(preset) for preset in PRESETS}
    for preset, found in windows.items():
        print(
            f"a window, {preset:6} {found:8.2f} GMAC, 1/{windows['paper'] / found:.0f} of the paper's"
        )
    if asked.out:
        report = {
            "frames": asked.frames,
            "paper_gmac": PAPER_GMAC,
            "arms": {name: asdict(found) for name, found in costs.items()},
            "windows": windows,
        }
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
