"""A plain recogniser to beat on WLASL's hand clips: python -m benchmarks.wlasl_reference STORE [-m MODEL].

STORE is what ``signloom prepare wlasl-hands`` wrote. The reference is the small network of
``benchmarks.simulated_transfer`` (1-D convolutions and a bidirectional GRU over hand features),
trained from random weights on the train split for minutes of one core and read once on val.

With ``-m``, checkpoints are read on the same clips, and each one's difference to the reference is
given with a 95 % bootstrap interval over clips.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_transfer import Choice, features, paired, recogniser, trained
from signloom.cli.receipt import commit, hardware
from signloom.corpora.store import open_store
from signloom.data.files import writing
from signloom.metrics.recognition import score_classification

ROOT = Path(__file__).parent.parent
RATE = 3e-3
CLIPS_SEEN = {100: 3_600 * 32, 300: 4_800 * 32}
"""Training clips by number of classes; more classes see MOST."""
MOST = 9_000 * 32


def ranked(model: Any, clips: NDArray, words: Sequence[str]) -> list[list[str]]:
    """The five likeliest words of each clip."""
    import torch

    model.eval()
    with torch.no_grad():
        told = torch.cat([model(part.float()) for part in torch.from_numpy(clips).split(256)])
    return [
        [words[i] for i in row] for row in told.topk(min(5, len(words)), dim=1).indices.tolist()
    ]


def measure(store: Path, seeds: Sequence[int], models: Sequence[str], batch: int) -> dict[str, Any]:
    """Scores of the reference for each seed, and of each model beside them."""
    import torch

    from signloom.inference.recognize import recognize_clips
    from signloom.methods.load import load

    torch.set_num_threads(1)
    train, val = open_store(store, "train"), open_store(store, "val")
    words = sorted(set(train.texts()))
    place = {word: i for i, word in enumerate(words)}
    clips = np.stack([features(train[i].clip) for i in range(len(train))])
    labels = np.array([place[text] for text in train.texts()])
    asked = [val[i] for i in range(len(val))]
    truth = [sample.text for sample in asked]
    seen = np.stack([features(sample.clip) for sample in asked])
    steps = CLIPS_SEEN.get(len(words), MOST) // batch
    rights, table = [], []
    for seed in seeds:
        torch.manual_seed(seed)
        model = recogniser(len(words))
        seconds = trained(model, clips, labels, Choice(RATE, steps), seed, batch)
        best = ranked(model, seen, words)
        rights.append([row[0] == word for row, word in zip(best, truth, strict=True)])
        scores = {score.name: round(score.value, 2) for score in score_classification(best, truth)}
        table.append({"seed": seed, **scores, "processor_seconds": round(seconds)})
        print(table[-1], flush=True)
    beside = []
    for name in models:
        start = time.process_time()
        model = load(name)
        found = recognize_clips(model, [sample.clip for sample in asked])
        best = [[candidate.gloss for candidate in each.candidates] for each in found]
        told = {score.name: score.to_json() for score in score_classification(best, truth)}
        right = np.array([row[0] == word for row, word in zip(best, truth, strict=True)])
        apart = paired(np.array(rights), np.repeat(right[None], len(seeds), 0))
        beside.append(
            {
                "model": model.name,
                "scores": told,
                "difference": {key: apart[key] for key in ("mean", "over_clips")},
                "milliseconds_a_clip": round(1e3 * (time.process_time() - start) / len(asked), 1),
            }
        )
        print(model.name, {k: round(v["value"], 2) for k, v in told.items()}, apart["mean"])
    return {
        "classes": len(words),
        "train": len(labels),
        "val": len(truth),
        "reference": {"steps": steps, "batch": batch, "rate": RATE, "seeds": table},
        "models": beside,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wlasl_reference")
    parser.add_argument("store", type=Path, metavar="STORE")
    parser.add_argument("-m", "--model", action="append", default=[])
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    report = measure(options.store, seeds, options.model, options.batch)
    if options.out:
        record = {"commit": commit(ROOT), "hardware": hardware(), **report}
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
