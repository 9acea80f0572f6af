"""Numbers that are none, where they may come in: python -m faults.numbers [--times 40].

NaN and infinities are put into poses, stores, features, frames sent over HTTP, manifests and recipes:
each must be refused with a SignloomError or come out as a missing keypoint. Then, at random steps of a
real training run, into an item, the loss or a gradient: the run must stop at that very step, naming it
and the source, with its last state whole; resumed without the fault it must end with the weights of the
run that never met one.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from faults import ROOT, WORK, keep
from faults.kill import RECIPE, differing, digests, make_training
from faults.kinds import clip
from signloom.errors import SignloomError
from tests.extract.videos import coded, write_video

NONE = (float("nan"), float("inf"), float("-inf"))
STEPS = 12


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.numbers", description=__doc__)
    parser.add_argument(
        "--times", type=int, default=40, help="Each input; a tenth of it each training."
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / "results" / "faults" / "numbers.json"
    )
    asked = parser.parse_args(arguments)
    rng = random.Random(asked.seed)
    home = WORK / "numbers"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    found: dict[str, Any] = {}
    for name, inject in INPUTS.items():
        found[name] = injected(lambda inject=inject: inject(home, rng), asked.times)
        print(name, found[name], flush=True)
    make_training(home)
    for name, spoil in SPOILS.items():
        found[name] = trained(home, spoil, max(1, asked.times // 10), rng)
        print(name, found[name], flush=True)
    faults = sum(len(told["faults"]) for told in found.values())
    command = f"python -m faults.numbers --times {asked.times} --seed {asked.seed}"
    keep({"command": command, "faults": faults, "places": found}, asked.out)
    return 1 if faults else 0


def injected(inject: Callable[[], bool], times: int) -> dict[str, Any]:
    """How often an input was refused, and how often it was masked."""
    told: dict[str, Any] = {"refused": 0, "masked": 0, "faults": []}
    for _ in range(times):
        try:
            if inject():
                told["masked"] += 1
            else:
                told["faults"].append("a number that is none went in")
        except SignloomError:
            told["refused"] += 1
        except Exception as error:
            told["faults"].append(f"{type(error).__name__}: {error}")
    return told


# --- inputs: True where it comes out as missing, False where it goes in --------------------------


def pose(home: Path, rng: random.Random) -> bool:
    from signloom.pose.files import read_pose, write_pose

    path = home / "a.pose"
    write_pose(clip(), path, overwrite=True)
    data = bytearray(path.read_bytes())
    numbers = 6 * 42 * 3
    at = data.index(b"signloom") - 4 * 6 * 42 * 3 + 4 * rng.randrange(numbers)
    data[at : at + 4] = struct.pack("<f", rng.choice(NONE))
    path.write_bytes(data)
    found = read_pose(path)
    return bool(np.isfinite(found.points).all() and np.isfinite(found.confidence).all())


def store(home: Path, rng: random.Random) -> bool:
    from signloom.corpora import store as stores
    from signloom.data.sample import Sample

    sample = Sample("a", clip(), "text")
    row = stores.encode(sample)
    scale = np.frombuffer(row["scale"], np.float32).copy()
    scale[rng.randrange(len(scale))] = rng.choice(NONE)
    damaged = {**row, "scale": scale.tobytes()}
    with (
        patch.object(stores, "encode", lambda _: damaged),
        stores.StoreWriter(home / "store-a", clip().layout, overwrite=True) as writer,
    ):
        writer.add(sample, "train")
    return bool(np.isfinite(stores.open_store(home / "store-a")[0].clip.points).all())


def features(home: Path, rng: random.Random) -> bool:
    from signloom.cli.extract import features_of_video
    from signloom.data.clip import Origin
    from signloom.extract.video import Limits

    class Model:
        """Says NaN or infinity of one picture."""

        side = 16

        def __call__(self, pictures: np.ndarray) -> np.ndarray:
            numbers = np.ones((len(pictures), 8), np.float32)
            numbers[rng.randrange(len(pictures)), rng.randrange(8)] = rng.choice(NONE)
            return numbers

    if not (home / "a.mp4").exists():
        write_video(home / "a.mp4", coded(range(4)))
    features_of_video(home / "a.mp4", Model(), Origin("none"), Limits())  # type: ignore[arg-type]
    return False


def frames(home: Path, rng: random.Random) -> bool:
    from signloom.web.media import read_frames

    points: list[Any] = clip(2).points.tolist()
    said: dict[str, Any] = {"layout": "hands42", "fps": 25.0, "points": points}
    if rng.random() < 0.3:
        said["fps"] = rng.choice(NONE)
    else:
        points[rng.randrange(2)][rng.randrange(42)][rng.randrange(3)] = rng.choice(NONE)
    found = read_frames(json.dumps(said).encode(), "a.json")
    return bool(np.isfinite(found.points).all() and found.confidence.min() == 0)


def manifest(home: Path, rng: random.Random) -> bool:
    from signloom.corpora.manifest import read_manifest
    from signloom.pose.files import write_pose

    write_pose(clip(), home / "a.pose", overwrite=True)
    times = ["0", "0.2"]
    times[rng.randrange(2)] = str(rng.choice(NONE))
    (home / "m.tsv").write_text("path\ttext\tstart\tend\na.pose\tdog\t" + "\t".join(times))
    read_manifest(home / "m.tsv")
    return False


def recipe(home: Path, rng: random.Random) -> bool:
    from signloom.methods.recipe import read_recipe

    key = rng.choice(("training.lr", "training.clip", "curriculum.cap", "config.dropout"))
    said = str(rng.choice(NONE)).replace("nan", ".nan").replace("inf", ".inf")
    (home / "r.yaml").write_text(json.dumps(RECIPE))
    read_recipe(home / "r.yaml", [f"{key}={said}"])
    return False


INPUTS: dict[str, Callable[[Path, random.Random], bool]] = {
    "pose file": pose,
    "store": store,
    "image features": features,
    "frames over HTTP": frames,
    "manifest": manifest,
    "recipe": recipe,
}


# --- training ------------------------------------------------------------------------------------

Spoil = Callable[[Any, int], Any]


def item(model: Any, step: int) -> Any:
    """The features of the first item of a batch."""

    def patched(plain: Any, batch: Any) -> Any:
        spoilt = batch.features.clone()
        spoilt[0, 0, 0] = float("nan")
        return plain(model, batch._replace(features=spoilt))

    return patched


def loss(model: Any, step: int) -> Any:
    from dataclasses import replace

    def patched(plain: Any, batch: Any) -> Any:
        found = plain(model, batch)
        return replace(found, total=found.total * float("nan"))

    return patched


def gradient(model: Any, step: int) -> Any:
    """The gradient of one weight; the loss is as it should be."""

    def patched(plain: Any, batch: Any) -> Any:
        found = plain(model, batch)
        weight = next(iter(model.parameters()))
        hook = weight.register_hook(lambda g: (hook.remove(), g * float("inf"))[1])
        return found

    return patched


SPOILS: dict[str, Spoil] = {"item of training": item, "loss": loss, "gradient": gradient}


@contextmanager
def spoilt(spoil: Spoil, at: int) -> Iterator[None]:
    """The method's loss, spoilt when it is called for the step ``at`` of those that follow."""
    from signloom.methods.posestitch import PoseStitch

    plain, called = PoseStitch.loss, [0]

    def patched(model: Any, batch: Any) -> Any:
        called[0] += 1
        if called[0] - 1 == at:
            return spoil(model, at)(plain, batch)
        return plain(model, batch)

    PoseStitch.loss = patched  # type: ignore[method-assign]
    try:
        yield
    finally:
        PoseStitch.loss = plain  # type: ignore[method-assign]


def trained(home: Path, spoil: Spoil, times: int, rng: random.Random) -> dict[str, Any]:
    """What became of runs that met such a number at a random step."""
    from signloom.methods.recipe import Recipe, run_recipe
    from signloom.training.fit import DivergedError
    from signloom.training.resume import newest_state

    told: dict[str, Any] = {"stopped": 0, "resumed": 0, "faults": []}
    said = json.loads(json.dumps(RECIPE).replace("../store", str(home / "store")))
    said["training"] |= {"steps": STEPS, "save_every": 2, "validate_every": 6}
    asked = Recipe.model_validate(said)
    if not (home / "whole").exists():
        run_recipe(asked, home / "whole")
    expected = digests(home / "whole")
    for step in [rng.randrange(STEPS) for _ in range(times)]:
        run = home / "spoilt"
        shutil.rmtree(run, ignore_errors=True)
        try:
            with spoilt(spoil, step):
                run_recipe(asked, run)
            told["faults"].append(f"step {step}: it went on")
            continue
        except DivergedError as error:
            if f"of step {step} is not finite (source 'real'" not in str(error):
                told["faults"].append(f"step {step}: {error}")
        told["stopped"] += 1
        state = newest_state(run / "states")
        if (0 if state is None else state[1].step) != step // 2 * 2:
            told["faults"].append(f"step {step}: the last state is {state}")
        run_recipe(asked, run, resume=True)
        told["resumed"] += 1
        told["faults"] += [f"{n} is another" for n in differing(digests(run), expected)]
    return told


if __name__ == "__main__":
    sys.exit(main())
