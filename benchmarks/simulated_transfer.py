"""Does the simulation transfer?: python -m benchmarks.simulated_transfer FOLDER [-o FILE].

FOLDER is WLASL as hand keypoints (``signloom.corpora.wlasl_hands``). One small recogniser (1-D
convolutions, a bidirectional GRU) learns the words of a subset from 1, 5 or all training clips a
class, once from random weights, once from weights that were trained on ``sim-words-v1`` base.
Everything but the weights to start from is the same in both arms: the clips, which the seed draws,
the augmentation, and the choices tried. Steps and learning rate are chosen per arm and number of
clips on a quarter of the *training* split; the val split is read once, at the end.

Simulated words are drawn once into ``runs/simulated-transfer``. One thread a run; ``--jobs 2`` makes
two runs at a time. Takes twenty minutes of one core, more or less.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.cli.receipt import commit, hardware
from signloom.corpora.wlasl_hands import SUBSETS, WlaslHands
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.layouts import HANDS42
from signloom.errors import UsageError
from signloom.simulator.corpora import WORDS_VERSION, SimulatedWords

ROOT = Path(__file__).parent.parent
CACHE = ROOT / "runs" / "simulated-transfer"
FRAMES = 32
HAND = 45
"""Features of a hand: 20 keypoints from the wrist and the wrist, twice, in x and y; found or not."""
WRIST, MIDDLE_MCP = 0, 9
ARMS = ("scratch", "pretrained")
SIMULATED = "base"
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}
"""The 97.5 % point of Student's t for a mean of so many seeds."""
Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Set = tuple[NDArray, Ints]
"""(clips, FRAMES, 2 * HAND) and the class of each."""


@dataclass(frozen=True)
class Choice:
    """What is chosen on a part of the training split."""

    rate: float
    steps: int


RATES = (1e-3, 3e-3)
STEPS, STEPS_FROM_ONE = (1200, 3600), (250, 750)
PRETRAINING = Choice(2e-3, 1200)


def choices(clips: int | None) -> list[Choice]:
    """What is tried for so many clips a class, in both arms."""
    return [Choice(r, n) for r in RATES for n in (STEPS_FROM_ONE if clips == 1 else STEPS)]


def features(clip: PoseClip) -> Floats:
    """A ``hands42`` clip as (FRAMES, 2 * HAND): left hand, then right; all 0 where a hand is never seen.

    From the first frame with a hand to the last, evenly; a lost hand moves on a straight line. Of
    each hand: 20 keypoints from the wrist, the wrist from the middle of all wrists seen (all in
    palms, the clip's median of wrist to middle knuckle; the wrist's a third), the wrist from the
    middle of the picture (in thirds of the picture), and whether the hand is found (1 or 0).
    """
    found = clip.present.reshape(len(clip), 2, 21)
    seen: NDArray[np.bool_] = np.asarray(found.all(axis=2))
    hands = (clip.points[:, :, :2] / np.array(clip.size, np.float32)).reshape(len(clip), 2, 21, 2)
    out = np.zeros((FRAMES, 2, HAND), np.float32)
    shown = np.flatnonzero(seen.any(axis=1))
    if not len(shown):
        return out.reshape(FRAMES, -1)
    palm = np.linalg.norm(hands[:, :, MIDDLE_MCP] - hands[:, :, WRIST], axis=-1)[seen]
    size = float(np.median(palm)) + 1e-3
    middle = np.median(hands[seen][:, WRIST], axis=0)
    at = np.linspace(shown[0], shown[-1], FRAMES)
    for side in (0, 1):
        frames = np.flatnonzero(seen[:, side])
        if not len(frames):
            continue
        points = _between(frames, hands[frames, side], at)
        wrist = points[:, WRIST]
        out[:, side, :40] = ((points[:, 1:] - wrist[:, None]) / size).reshape(FRAMES, 40)
        out[:, side, 40:42] = (wrist - middle) / (3 * size)
        out[:, side, 42:44] = 3 * (wrist - 0.5)
        out[:, side, 44] = seen[at.round().astype(int), side]
    return np.clip(out, -8, 8).reshape(FRAMES, -1)


def _between(frames: NDArray[np.int_], values: Floats, at: NDArray[np.float64]) -> Floats:
    """Values of some frames, at other times: on straight lines between them, still outside."""
    after = np.searchsorted(frames, at).clip(1, max(len(frames) - 1, 1))
    before = after - 1
    after = after.clip(0, len(frames) - 1)
    gap = np.maximum(frames[after] - frames[before], 1)
    share = ((at - frames[before]) / gap).clip(0, 1).astype(np.float32)[:, None, None]
    return values[before] * (1 - share) + values[after] * share


def held_out(labels: Ints, share: float = 0.25) -> tuple[Ints, Ints]:
    """(places to learn from, places to choose on): of each class that share, at least one."""
    rng = np.random.default_rng(0)
    kept, held = [], []
    for label in np.unique(labels):
        places = rng.permutation(np.flatnonzero(labels == label))
        count = max(1, round(share * len(places)))
        held.append(places[:count])
        kept.append(places[count:])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(held))


def drawn(labels: Ints, clips: int | None, seed: int) -> Ints:
    """The places of so many clips of each class (None: all), fewer where it has fewer.

    A function of the seed; with more clips come the same ones and others.
    """
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return np.sort(np.concatenate([order[:clips] for order in orders]))


def paired(scratch: NDArray[np.bool_], pretrained: NDArray[np.bool_]) -> dict[str, Any]:
    """What pretraining adds to top-1: rights of both arms (seeds, clips) → mean and two intervals.

    ``over_seeds``: 95 % of Student's t, each seed's difference one number. ``over_clips``: 95 %
    bootstrap over clips, both arms and all seeds of a clip together (10,000 resamples, seed 0).
    """
    apart = pretrained.astype(np.float64) - scratch
    seeds = apart.mean(axis=1)
    found: dict[str, Any] = {"mean": round(float(apart.mean()), 4)}
    found["each"] = seeds.round(4).tolist()
    if len(seeds) in STUDENT:
        half = STUDENT[len(seeds)] * seeds.std(ddof=1) / len(seeds) ** 0.5
        found["over_seeds"] = [round(float(seeds.mean() + s * half), 4) for s in (-1, 1)]
    rng = np.random.default_rng(0)
    clips = apart.mean(axis=0)
    means = clips[rng.integers(len(clips), size=(10_000, len(clips)))].mean(axis=1)
    found["over_clips"] = np.percentile(means, [2.5, 97.5]).round(4).tolist()
    return found


def recogniser(classes: int) -> Any:
    """(batch, FRAMES, 2 * HAND) → (batch, classes); ``head`` is all that knows the classes."""
    from torch import Tensor, cat, nn

    class Recogniser(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.steps = nn.Sequential(
                nn.Conv1d(2 * HAND, 128, 5, stride=2, padding=2), nn.BatchNorm1d(128), nn.ReLU(),
                nn.Conv1d(128, 128, 5, padding=2), nn.BatchNorm1d(128), nn.ReLU(),
                nn.Dropout(0.2),
                nn.Conv1d(128, 192, 3, stride=2, padding=1), nn.BatchNorm1d(192), nn.ReLU(),
                nn.Dropout(0.2),
            )  # fmt: skip
            self.over_time = nn.GRU(192, 96, batch_first=True, bidirectional=True)
            self.head = nn.Sequential(nn.Dropout(0.4), nn.Linear(384, classes))

        def forward(self, clips: Tensor) -> Tensor:
            states, _ = self.over_time(self.steps(clips.transpose(1, 2)).transpose(1, 2))
            return self.head(cat([states.mean(1), states.amax(1)], 1))

    return Recogniser()


def varied(clips: Any, draws: Any) -> Any:
    """A batch with each clip turned, stretched, moved, sped up and sometimes mirrored a little."""
    import torch

    def normal(*shape: int) -> Any:
        return torch.randn(*shape, generator=draws)

    def even(*shape: int) -> Any:
        return torch.rand(*shape, generator=draws)

    batch = len(clips)
    ends = torch.stack([0.1 * normal(batch), 1 + 0.1 * normal(batch)], 1) * (FRAMES - 1)
    at = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, FRAMES)
    at = at.clamp(0, FRAMES - 1)
    first = at.long().clamp(max=FRAMES - 2)
    share = (at - first)[..., None]
    row = torch.arange(batch)[:, None]
    clips = clips[row, first] * (1 - share) + clips[row, first + 1] * share

    hands = clips.view(batch, FRAMES, 2, HAND)
    mirrored = even(batch) < 0.2
    hands = torch.where(mirrored[:, None, None, None], hands.flip(2), hands)
    turn, wide, high = 0.12 * normal(batch), (0.12 * normal(batch)).exp(), (0.12 * normal(batch))
    high = high.exp()
    wide = torch.where(mirrored, -wide, wide)
    rows = [wide * turn.cos(), wide * turn.sin(), -high * turn.sin(), high * turn.cos()]
    matrix = torch.stack(rows, 1).view(batch, 1, 2, 2)
    found = hands[..., 44:]
    pairs = hands[..., :44].reshape(batch, -1, 2) @ matrix.squeeze(1)
    pairs = pairs.view(batch, FRAMES, 2, 22, 2) + 0.02 * normal(batch, FRAMES, 2, 22, 2)
    pairs[..., 21:, :] += 0.15 * normal(batch, 1, 1, 1, 2)
    return torch.cat([pairs.flatten(3), found], 3).flatten(2)


def trained(
    model: Any, clips: NDArray, labels: Ints, choice: Choice, seed: int, batch: int
) -> float:
    """The model trained in place; seconds of processor time. AdamW, one cycle, labels smoothed."""
    import torch

    start = time.process_time()
    draws = torch.Generator().manual_seed(seed)
    x, y = torch.from_numpy(clips), torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(model.parameters(), choice.rate, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, choice.rate, total_steps=choice.steps, pct_start=0.2
    )
    model.train()
    order = torch.empty(0, dtype=torch.long)
    for _ in range(choice.steps):
        while len(order) < batch:
            order = torch.cat([order, torch.randperm(len(x), generator=draws)])
        now, order = order[:batch], order[batch:]
        told = model(varied(x[now].float(), draws))
        loss = torch.nn.functional.cross_entropy(told, y[now], label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        cycle.step()
    return time.process_time() - start


def rights(model: Any, clips: NDArray, labels: Ints) -> NDArray[np.bool_]:
    """(clips,): whether the likeliest class is the true one."""
    import torch

    model.eval()
    with torch.no_grad():
        told = [model(part.float()).argmax(1) for part in torch.from_numpy(clips).split(256)]
    return np.asarray(torch.cat(told).numpy() == labels)


@dataclass(frozen=True)
class Run:
    """One training on real clips, from weights or none, and whose rights are asked."""

    start: dict[str, NDArray] | None
    learn: Set
    ask: Set
    classes: int
    choice: Choice
    seed: int


def run(one: Run) -> tuple[NDArray[np.bool_], float]:
    """(rights, seconds of processor time). All but the head starts from the weights given."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(one.seed)
    model = recogniser(one.classes)
    if one.start is not None:
        body = {name: torch.from_numpy(value) for name, value in one.start.items()}
        kept = model.load_state_dict(body, strict=False)
        assert not kept.unexpected_keys
        assert all(name.startswith("head.") for name in kept.missing_keys)
    seconds = trained(model, *one.learn, one.choice, one.seed, batch=32)
    return rights(model, *one.ask), seconds


def pretrained(
    seed: int, cache: Path, choice: Choice
) -> tuple[dict[str, NDArray], float, float, int]:
    """(weights without the head, top-1 on the simulated dev split, seconds, parameters)."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    clips, labels = simulated("train", cache)
    model = recogniser(int(labels.max()) + 1)
    size = sum(p.numel() for p in model.parameters())
    seconds = trained(model, clips, labels, choice, seed, batch=64)
    right = float(rights(model, *simulated("dev", cache)).mean())
    state = {k: v.numpy() for k, v in model.state_dict().items() if not k.startswith("head.")}
    return state, right, seconds, size


def simulated(split: str, cache: Path) -> Set:
    """The simulated words of a split as features, drawn once; classes are words."""
    how = hashlib.sha256((inspect.getsource(features) + str(FRAMES)).encode()).hexdigest()[:8]
    file = cache / f"{WORDS_VERSION}-{SIMULATED}-{split}-{how}.npz"
    source = SimulatedWords(SIMULATED, split, HANDS42)
    if not file.exists():
        clips = np.stack([features(source[i].clip) for i in range(len(source))])
        cache.mkdir(parents=True, exist_ok=True)
        with writing(file, overwrite=True) as temporary, open(temporary, "wb") as out:
            np.savez(out, clips=clips.astype(np.float16))
    with np.load(file) as stored:
        return stored["clips"], np.arange(len(source)) % len(source.words)


def real(folder: Path, subset: str, split: str, words: Sequence[str]) -> Set:
    """The clips of a split as features, and the place of each one's word among the words."""
    place = {word: i for i, word in enumerate(words)}
    samples = list(WlaslHands(folder, subset, split))  # type: ignore[call-overload]
    labels = np.array([place[sample.text] for sample in samples])
    return np.stack([features(sample.clip) for sample in samples]), labels


def measure(
    folder: Path, subset: str, seeds: Sequence[int], sizes: Sequence[int | None],
    jobs: int = 1, cache: Path = CACHE,
) -> dict[str, Any]:  # fmt: skip
    """Every cell of the table: {pretraining, tuning, val}."""
    train_source = WlaslHands(folder, subset, "train")
    words = sorted({train_source[i].text for i in range(len(train_source))})
    clips, labels = real(folder, subset, "train", words)
    kept, held = held_out(labels)
    for split in ("train", "dev"):
        simulated(split, cache)

    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        starts = list(pool.map(partial(pretrained, cache=cache, choice=PRETRAINING), seeds))
        say(f"pretrained: simulated dev {[round(right, 3) for _, right, _, _ in starts]}")

        def told(cells: Iterable[tuple[Any, Run]]) -> list[tuple[Any, NDArray[np.bool_], float]]:
            names, runs = zip(*cells, strict=True)
            return [
                (name, right, seconds)
                for name, (right, seconds) in zip(names, pool.map(run, runs), strict=True)
            ]

        def start(arm: str, which: int) -> dict[str, NDArray] | None:
            return starts[which][0] if arm == "pretrained" else None

        def part(places: Ints) -> Set:
            return clips[places], labels[places]

        cells = [(arm, size) for size in sizes for arm in ARMS]
        tried = told(
            (
                (arm, size, choice),
                Run(
                    start(arm, 0), part(kept[drawn(labels[kept], size, seeds[0])]), part(held),
                    len(words), choice, seeds[0],
                ),
            )
            for arm, size in cells
            for choice in choices(size)
        )  # fmt: skip
        scores = {name: float(right.mean()) for name, right, _ in tried}
        best = {
            cell: max(choices(cell[1]), key=lambda choice: scores[(*cell, choice)])
            for cell in cells
        }
        for cell in cells:
            say(f"{cell}: {best[cell]}, {[round(scores[(*cell, c)], 3) for c in choices(cell[1])]}")

        asked = real(folder, subset, "val", words)
        done = told(
            (
                (arm, size, seed),
                Run(
                    start(arm, which), part(drawn(labels, size, seed)), asked, len(words),
                    best[arm, size], seed,
                ),
            )
            for arm, size in cells
            for which, seed in enumerate(seeds)
        )  # fmt: skip

    right = {name: found for name, found, _ in done}
    table = []
    for size in sizes:
        both = [np.stack([right[arm, size, seed] for seed in seeds]) for arm in ARMS]
        row: dict[str, Any] = {"clips_a_class": size or "all"}
        row["clips_learned_from"] = len(drawn(labels, size, seeds[0]))
        for arm, found in zip(ARMS, both, strict=True):
            each = found.mean(axis=1).round(4).tolist()
            row[arm] = {"top1": round(float(found.mean()), 4), "each": each}
        table.append({**row, "difference": paired(*both)})
    return {
        "subset": subset,
        "seeds": list(seeds),
        "recogniser": {"parameters_with_the_simulated_head": starts[0][3], "frames": FRAMES},
        "pretraining": {
            "corpus": f"{WORDS_VERSION} {SIMULATED} train, {HANDS42.name}",
            **asdict(PRETRAINING),
            "batch": 64,
            "simulated_dev_top1": [round(score, 4) for _, score, _, _ in starts],
        },
        "tuning": {
            "n": len(held),
            "learned_from_at_most": len(kept),
            "seed": seeds[0],
            "tried": [
                {"arm": arm, "clips_a_class": size or "all", **asdict(c), "top1": round(score, 4)}
                for (arm, size, c), score in scores.items()
            ],
            "chosen": [
                {"arm": arm, "clips_a_class": size or "all", **asdict(choice)}
                for (arm, size), choice in best.items()
            ],
        },
        "val": {
            "n": len(asked[1]),
            "classes": len(words),
            "classes_in_val": len(np.unique(asked[1])),
            "most_frequent_class": round(max(Counter(asked[1].tolist()).values()) / len(asked[1]), 4),
            "table": table,
        },
        "seconds_a_run_at_most": {
            "pretraining": round(max(seconds for _, _, seconds, _ in starts), 1),
            "on real clips": round(max(seconds for _, _, seconds in [*tried, *done]), 1),
        },
    }  # fmt: skip


def say(line: str) -> None:
    print(line, flush=True)


def shown(report: dict[str, Any]) -> str:
    """The table for docs."""
    lines = ["| clips a class | from scratch | pretrained | difference | over seeds | over clips |"]
    lines.append("|---:|---:|---:|---:|---:|---:|")
    for row in report["val"]["table"]:
        cells = [str(row["clips_a_class"])]
        for arm in ARMS:
            each = ", ".join(f"{100 * value:.1f}" for value in row[arm]["each"])
            cells.append(f"{100 * row[arm]['top1']:.1f} ({each})")
        apart = row["difference"]
        cells.append(f"{100 * apart['mean']:+.1f}")
        for name in ("over_seeds", "over_clips"):
            low, high = (100 * value for value in apart.get(name, (np.nan, np.nan)))
            cells.append(f"[{low:+.1f}, {high:+.1f}]")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sizes_named(names: str) -> list[int | None]:
    """'1,5,all' → [1, 5, None]. Raises UsageError for anything else."""
    found: list[int | None] = []
    for name in names.split(","):
        if name != "all" and not (name.isdecimal() and int(name)):
            raise UsageError(
                f"'{name}' is no number of clips a class; give numbers from 1, or all, "
                "with commas between, as in 1,5,all"
            )
        found.append(None if name == "all" else int(name))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated_transfer")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    out = ROOT / "results" / "simulated-transfer.json"
    parser.add_argument("-o", "--out", type=Path, default=out)
    parser.add_argument("--subset", default="wlasl100", choices=SUBSETS)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--clips", default="1,5,all")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes to come
    record = {"commit": commit(ROOT), "hardware": hardware()}
    report = measure(
        options.folder, options.subset, [int(seed) for seed in options.seeds.split(",")],
        sizes_named(options.clips), options.jobs,
    )  # fmt: skip
    say(shown(report))
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps({**record, **report}, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
