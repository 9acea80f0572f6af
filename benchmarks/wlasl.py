"""Signs of real people: python -m benchmarks.wlasl RECIPE [--init CHECKPOINT] [--each N] [--seeds 1,2,3].

RECIPE trains on one of WLASL's subsets, hands alone (recipes/isolated-wlasl300.yaml) or with the body
(recipes/isolated-wlasl124.yaml). For every seed it is trained from random weights and, with ``--init``,
from a checkpoint of simulated words; each run is kept under ``runs/wlasl`` by the hash of its recipe, and
a finished one is not trained again. Beside them stands the reference: the small network of
``benchmarks.simulated_transfer`` (1-D convolutions, a bidirectional GRU) on the hands, trained from random
weights on as many clips as the recipe sees; what it answered is kept there too. ``--each`` leaves so many training clips of each word. The
record is written after every seed.

All are read on val. The recipe's weights are those of the last step, which val has not chosen; those
that it has chosen (``best``, what a user keeps) stand beside them. Differences are paired over clips,
with 95 % bootstrap intervals over clips, all seeds of a clip together.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.simulated_transfer import Choice, features, paired, recogniser, trained
from signloom.cli.receipt import commit, hardware
from signloom.corpora.store import open_store
from signloom.data.files import writing
from signloom.data.layouts import HANDS42, layout_named
from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.metrics.recognition import classification_rates
from signloom.pose.convert import convert

ROOT = Path(__file__).parent.parent
RUNS = Path("runs/wlasl")
RATE, BATCH = 3e-3, 32


def told(recipe: Path, settings: Sequence[str], val: Sequence[Sample]) -> dict[str, Any]:
    """What a recipe gives: the ranked words of ``last`` and ``best`` for each clip, and the cost."""
    from signloom.inference.recognize import recognize_clips
    from signloom.methods.load import load
    from signloom.methods.recipe import read_recipe, run_recipe

    wanted = read_recipe(recipe, settings)
    folder = RUNS / wanted.hash()[:12]
    cost = folder / "processor_seconds.json"
    if not (folder / "last" / "config.json").is_file():
        whole, began = not folder.exists(), time.process_time()
        run_recipe(wanted, folder, resume=True)
        if whole:  # of a run that was cut off it is not known what went before
            cost.write_text(json.dumps(round(time.process_time() - began)))
    seconds = json.loads(cost.read_text()) if cost.is_file() else None
    found: dict[str, Any] = {"recipe": wanted.hash()[:12], "processor_seconds": seconds}
    for name in ("last", "best"):
        model = load(folder / name)
        each = recognize_clips(model, [sample.clip for sample in val])
        found[name] = [[candidate.gloss for candidate in one.candidates] for one in each]
    found["parameters"] = sum(p.numel() for p in model.parameters())
    return found


def reference(
    samples: Sequence[Sample], val: Sequence[Sample], steps: int, seed: int
) -> dict[str, Any]:
    """The same of the reference, which val never chooses."""
    asked = [[sample.clip.id, sample.text] for part in (samples, val) for sample in part]
    name = hashlib.sha256(json.dumps([asked, RATE, BATCH, steps, seed]).encode()).hexdigest()[:12]
    kept = RUNS / f"reference-{name}.json"
    if not kept.is_file():
        found = _reference(samples, val, steps, seed)
        RUNS.mkdir(parents=True, exist_ok=True)
        with writing(kept, overwrite=False) as temporary:
            temporary.write_text(json.dumps(found))
    return dict(json.loads(kept.read_text()))


def _reference(
    samples: Sequence[Sample], val: Sequence[Sample], steps: int, seed: int
) -> dict[str, Any]:
    import torch

    words = sorted({sample.text for sample in samples})
    place = {word: i for i, word in enumerate(words)}
    torch.manual_seed(seed)
    model = recogniser(len(words))
    clips = np.stack([hands_of(sample) for sample in samples])
    labels = np.array([place[sample.text] for sample in samples])
    seconds = trained(model, clips, labels, Choice(RATE, steps), seed, BATCH)
    model.eval()
    seen = torch.from_numpy(np.stack([hands_of(sample) for sample in val]))
    with torch.no_grad():
        logits = torch.cat([model(part.float()) for part in seen.split(256)])
    best = logits.topk(min(5, len(words)), dim=1).indices.tolist()
    return {
        "last": [[words[i] for i in row] for row in best],
        "processor_seconds": round(seconds),
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def hands_of(sample: Sample) -> NDArray[np.float32]:
    """What the reference sees of a clip in any layout with hands."""
    return features(convert(sample.clip, HANDS42))


def measure(
    recipe: Path, init: str, each: int | None, seeds: Sequence[int], settings: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """After each seed: rates of every arm and seed so far, and what is between the arms."""
    import torch

    from signloom.methods.recipe import read_recipe, real_places
    from signloom.methods.sources import FromStore

    torch.set_num_threads(1)
    data = read_recipe(recipe, settings).data
    if not (isinstance(data.train, FromStore) and isinstance(data.dev, FromStore)):
        raise UsageError(
            f"{recipe} does not train and validate on stores, which is what is compared here"
        )
    train = open_store(data.train.store, data.train.split)
    dev = open_store(data.dev.store, data.dev.split)
    val = [dev[i] for i in range(len(dev))]
    truth = [sample.text for sample in val]
    arms: dict[str, list[dict[str, Any]]] = {"reference": [], "scratch": []}
    places: Sequence[int] = ()
    for seed in seeds:
        asked = [*settings, f"seed={seed}", *([f"data.train_each={each}"] if each else [])]
        now = read_recipe(recipe, asked)
        layout = layout_named(now.settings().layout)
        places = real_places(now.data, layout, seed) or range(len(train))
        steps = now.training.steps * now.training.batch // BATCH
        arms["reference"].append(reference([train[i] for i in places], val, steps, seed))
        arms["scratch"].append(told(recipe, asked, val))
        if init:
            arms.setdefault("begun with simulated words", []).append(
                told(recipe, [*asked, f"init={init}"], val)
            )
        for name, runs in arms.items():
            print(
                name,
                seed,
                _rates(runs[-1]["last"], truth),
                runs[-1]["processor_seconds"],
                flush=True,
            )
        yield {
            "recipe": recipe.name,
            "words": len(set(train.texts())),
            "clips_of_each_word": each or "all",
            "train": len(places),
            "val": len(val),
            "seeds": list(seeds[: len(arms["scratch"])]),
            "arms": {name: _summary(runs, truth) for name, runs in arms.items()},
            "differences": _differences(arms, truth),
        }


def _rates(ranked: Sequence[Sequence[str]], truth: Sequence[str]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in classification_rates(ranked, truth).items()}


def _summary(runs: Sequence[dict[str, Any]], truth: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: [run[key] for run in runs] for key in ("recipe", "processor_seconds") if key in runs[0]
    }
    found["parameters"] = runs[0]["parameters"]
    for name in ("last", "best"):
        if name in runs[0]:
            each = [_rates(run[name], truth) for run in runs]
            mean = {
                key: round(float(np.mean([rates[key] for rates in each])), 2) for key in each[0]
            }
            found[name] = {"mean": mean, "each": each}
    return found


def _differences(arms: dict[str, list[dict[str, Any]]], truth: Sequence[str]) -> dict[str, Any]:
    def rights(name: str) -> NDArray[np.bool_]:
        return np.array(
            [
                [row[0] == word for row, word in zip(run["last"], truth, strict=True)]
                for run in arms[name]
            ]
        )

    names = list(arms)
    return {
        f"{later} − {earlier}": paired(rights(earlier), rights(later))
        for i, earlier in enumerate(names)
        for later in names[i + 1 :]
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.wlasl")
    parser.add_argument("recipe", type=Path, metavar="RECIPE")
    parser.add_argument("--init", default="", help="checkpoint of simulated words")
    parser.add_argument("--each", type=int, help="training clips of each word; all where not said")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    for report in measure(options.recipe, options.init, options.each, seeds, options.set):
        print(json.dumps(report["differences"], ensure_ascii=False), flush=True)
        if options.out:
            record = {"commit": commit(ROOT), "hardware": hardware(), **report}
            with writing(options.out, overwrite=True) as temporary:
                temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
