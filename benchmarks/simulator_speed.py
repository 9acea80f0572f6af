"""What the simulator gives against what training takes: python -m benchmarks.simulator_speed.

Frames a second on one core, of processor time: simulated sentences (small) in
three layouts, and POSESTITCH-SLT (small) learning from the same sentences.
"""

from __future__ import annotations

import statistics
import time

import numpy as np

from benchmarks.ratio import growth, ratio
from signloom.data.layouts import HANDS42, HOLISTIC, PS76, Layout
from signloom.data.sample import Sample
from signloom.simulator.corpora import SimulatedSentences

CLIPS, TURNS, BATCH = 40, 5, 16


def simulated(layout: Layout, turn: int) -> tuple[float, list[Sample]]:
    """Frames a second of rendering, and what was rendered."""
    source = SimulatedSentences("small", "train", layout)
    started = time.process_time()
    samples = [source[turn * CLIPS + i] for i in range(CLIPS)]
    return sum(len(s.clip) for s in samples) / (time.process_time() - started), samples


def trained(samples: list[Sample]) -> float:
    """Frames a second of training steps over the samples, one thread."""
    import torch

    from signloom.methods import posestitch
    from signloom.text.tokenizer import train_bpe

    torch.set_num_threads(1)
    tokenizer = train_bpe([sample.text for sample in samples], 500, 1)
    model = posestitch.build(posestitch.PRESETS["small"], tokenizer, 0)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    rng, frames, started = np.random.default_rng(0), 0, 0.0
    for step in range(4):
        if step == 1:  # the first step warms up
            frames, started = 0, time.process_time()
        batch = [samples[int(i)] for i in rng.integers(0, len(samples), BATCH)]
        loss = model.loss(model.collate([model.example(s, rng, True) for s in batch]))
        (loss.total / loss.count).backward()
        optimizer.step()
        optimizer.zero_grad()
        frames += sum(len(sample.clip) for sample in batch)
    return frames / (time.process_time() - started)


def main() -> None:
    simulated(PS76, 0)
    rates = {}
    for layout in (PS76, HANDS42, HOLISTIC):
        turns = [simulated(layout, turn)[0] for turn in range(TURNS)]
        rates[layout.name] = statistics.median(turns)
        print(
            f"simulator, {layout.name}: {rates[layout.name]:,.0f} frames/s on one core "
            f"({min(turns):,.0f} to {max(turns):,.0f}, {TURNS} turns of {CLIPS} sentences)",
            flush=True,
        )
    layouts = sorted((PS76, HANDS42, HOLISTIC), key=len)
    curve = growth([len(each) for each in layouts], [1 / rates[each.name] for each in layouts])
    print(f"a simulated frame, keypoints {curve}")
    taken = trained(simulated(PS76, 0)[1])
    print(f"POSESTITCH-SLT small, ps76: trains on {taken:,.0f} frames/s on one core")
    ratio(
        "simulator, ps76",
        rates["ps76"] / taken,
        "frames a second, over what preset small trains on",
    )


if __name__ == "__main__":
    main()
