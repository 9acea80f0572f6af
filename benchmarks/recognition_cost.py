"""What AutoSign and CTC cost a clip: parameters, multiply–adds, and latency beside one another.

    python -m benchmarks.recognition_cost [--preset small] [-o results/recognition-cost.json]

One clip of 128 frames (5.1 s at 25 a second, the mean of sim-sentences-v1) is read as 6 glosses out
of 680 (Isharah's number), by every preset, and by one preset with each encoder at strides 1, 2, 4
and 8. Weights are random: none of the figures depends on them.

Multiply–adds are counted (`signloom.encoders.cost`) of one pass over the frames and, for
AutoSign, over the glosses behind them: greedy decoding with kept keys does as much. Latency is from
prepared points to glosses, greedy, on one thread, in processor time: that of a core with nothing else to
do. All arms take turns in one run, and an arm's ratio is the median over the turns of its time to the
first arm's. Milliseconds are of this machine.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.language.beam import beam_search
from signloom.methods import autosign, ctc
from signloom.methods.autosign import AutoSign
from signloom.methods.ctc import Ctc
from signloom.methods.gloss_codec import gloss_tokenizer

STRIDES = (1, 2, 4, 8)
NEVER = -1
METHODS = {"autosign": autosign, "ctc": ctc}


@dataclass(frozen=True)
class Arm:
    """A method's preset with settings changed."""

    method: str
    preset: str
    what: str
    changed: dict[str, Any]


def arms(preset: str) -> Iterator[Arm]:
    """Every preset, the one named first, then each encoder at each stride on that one."""
    for method, module in METHODS.items():
        for name in sorted(module.PRESETS, key=lambda name: name != preset):
            yield Arm(method, name, "preset", {})
    for method, module in METHODS.items():
        first, last = module.PRESETS[preset].channels
        encoders = {
            "CNN-2": ((first, last), "none"),
            "CNN-3": ((2 * last, last, last), "none"),  # the paper's proportions
            "BiLSTM": ((last,), "bilstm"),
            "Transformer": ((last,), "transformer"),
        }
        for encoder, (channels, context) in encoders.items():
            for stride in STRIDES:
                changed = {"channels": channels, "context": context, "stride": stride}
                yield Arm(method, preset, f"{encoder}, stride {stride}", changed)


def built(arm: Arm, vocabulary: int) -> AutoSign | Ctc:
    """The arm's model with random weights, and positions for all that it may read."""
    tokenizer = gloss_tokenizer([f"gloss{i}" for i in range(vocabulary)])
    values = {**METHODS[arm.method].PRESETS[arm.preset].to_json(), **arm.changed}
    if arm.method == "ctc":
        return ctc.build(ctc.Config.of(values), tokenizer).eval()
    frames = math.ceil(values["max_frames"] / values["stride"])
    values["positions"] = max(values["positions"], frames + values["max_tokens"] + 1)
    return autosign.build(autosign.Config.of(values), tokenizer, pretrained=False).eval()


def read(model: AutoSign | Ctc, frames: int, glosses: int) -> float:
    """Seconds to read a clip as exactly so many glosses, greedily."""
    points, mask = model.inputs(frames, glosses)[:2]
    with torch.inference_mode():
        started = time.process_time()
        if isinstance(model, Ctc):
            logits, _ = model(points, mask)
            search = model.search(beam=1)
            search.take(logits[0].log_softmax(-1))
            search.best()
        else:
            short, there = model.reader(points, mask)
            beam_search(
                model.writer.stepper(model.prefix(short), there, 1),
                torch.full((1, 1), model.codec.start),
                end=NEVER,
                width=1,
                max_length=glosses + 1,
            )
        return time.process_time() - started


def measure(
    wanted: Sequence[Arm], frames: int, glosses: int, vocabulary: int, turns: int
) -> list[dict[str, Any]]:
    """Parameters, GMAC, milliseconds and the ratio to the first arm, of each arm."""
    models = [built(arm, vocabulary) for arm in wanted]
    for model in models:
        read(model, frames, glosses)  # what is done once only is not latency
    times = [[read(model, frames, glosses) for model in models] for _ in range(turns)]
    return [
        {
            "method": arm.method,
            "preset": arm.preset,
            "what": arm.what,
            **model.cost(frames, glosses),
            "ms": round(1e3 * statistics.median(turn[place] for turn in times), 2),
            "latency_ratio": round(statistics.median(turn[place] / turn[0] for turn in times), 3),
        }
        for place, (arm, model) in enumerate(zip(wanted, models, strict=True))
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recognition_cost",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    known = sorted(set(autosign.PRESETS) & set(ctc.PRESETS))
    parser.add_argument("--preset", choices=known, default="small", help="of the encoders (small)")
    parser.add_argument("--frames", type=int, default=128, help="of the clip (128)")
    parser.add_argument("--glosses", type=int, default=6, help="that are written (6)")
    parser.add_argument("--vocabulary", type=int, default=680, help="glosses that are known (680)")
    parser.add_argument("--turns", type=int, default=9, help="(9)")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    of = {"frames": asked.frames, "glosses": asked.glosses, "vocabulary": asked.vocabulary}
    found = measure(list(arms(asked.preset)), **of, turns=asked.turns)
    first = found[0]
    print(f"{asked.frames} frames as {asked.glosses} glosses of {asked.vocabulary}, one thread")
    for row in found:
        print(
            f"{row['method']:8} {row['preset']:6} {row['what']:22} "
            f"{row['parameters'] / 1e6:7.2f} M {row['gmac']:8.4f} GMAC {row['ms']:8.2f} ms  "
            f"{row['latency_ratio']:6.2f}x {first['method']} {first['preset']}"
        )
    if asked.out:
        record = {"commit": commit(), "hardware": hardware(), **of, "turns": asked.turns}
        with writing(asked.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps({**record, "arms": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
