"""Several processes train as one: batch statistics, negatives, losses, and states that one and two go on from."""

from __future__ import annotations

import json
import os
import socket
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76, Layout
from signloom.data.sample import Sample
from signloom.methods import isolated, motion_tokens, unified
from signloom.methods.load import load
from signloom.training.checkpoint import save_checkpoint
from signloom.training.fit import fit
from signloom.training.mixing import Mixture
from signloom.training.stages import Plan, Stage
from tests.methods.motions import motion

from .test_fit import StopsAt
from .toys import SERVER

STEPS, STOP = 3, 2
TEXTS = ["the rain", "cold rain", "a red house", "you eat bread", "my sister"]
TOLERANCE = 5e-5
"""Relative, of the losses of the first steps: float32 sums in another order, through the optimiser."""


@dataclass(frozen=True)
class Swings:
    """Clips of unequal length; neighbours say the same, so that labels repeat in a batch."""

    layout: Layout
    size: int = 20

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng(index)
        frames = 24 + 7 * (index % 5)
        points = 200 + 60 * rng.standard_normal((1, len(self.layout), 3))
        points = points + 3 * rng.standard_normal((frames, len(self.layout), 3)).cumsum(0)
        shown = np.ones((frames, len(self.layout)), np.float32)
        clip = PoseClip(points.astype(np.float32), shown, 25.0, self.layout, size=(640, 480))
        return Sample(str(index), clip, TEXTS[index // 4])


def signs() -> tuple[isolated.Isolated, Mixture]:
    """Graph, Conformer and L_con: 12 kinds of batch statistics, and negatives of the whole batch."""
    config = replace(isolated.PRESETS["tiny"], dropout=0.0, layers=1)
    texts = torch.randn(len(TEXTS), 32, generator=torch.Generator().manual_seed(3))
    model = isolated.build(config, TEXTS, 1, texts)
    return model, Mixture(Swings(HANDS42), 7, seed=5)


def sentences() -> tuple[unified.Unified, Mixture]:
    """Padded clips, a T5 and weights that stand at two places."""
    config = replace(unified.PRESETS["tiny"], vocabulary=100, layout="ps76")
    return unified.begin(config, TEXTS * 3, 1), Mixture(Swings(PS76), 7, seed=5)


@dataclass(frozen=True)
class Motions:
    """Joints in space, of unequal length."""

    size: int = 20

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Sample:
        return Sample(str(index), motion(index, 24 + 7 * (index % 5)))


def codes() -> tuple[motion_tokens.MotionTokens, Mixture]:
    """A codebook that follows by moving averages, and is drawn from the first batch of all."""
    model = motion_tokens.build(replace(motion_tokens.PRESETS["tiny"], codes=16), 1)
    return model, Mixture(Motions(), 7, seed=5)


MODELS = {"signs": signs, "sharded sentences": sentences, "codes": codes}
SHARDED = "sharded sentences"


def train(kind: str, folder: Path, stop: int | None = None, resume: bool = False) -> None:
    """A run of STEPS steps; interrupted before step ``stop`` where that is given."""
    model, mixture = MODELS[kind]()
    stages = (Stage("first", 1, 1e-3), Stage("rest", STEPS - 1, 1e-3))
    average = 0.5 if kind == SHARDED else 0.0
    plan = Plan(stages, device="cpu", log_every=1, save_every=STOP, average=average, validate_every=1,
                metric="score", better="higher")  # fmt: skip

    def validate(step: int) -> dict[str, float]:
        if kind != SHARDED:
            return {"score": 1.0}
        model.translate([Swings(PS76)[0].clip], beam=2)
        rises = os.environ.get("RANK") == "1"  # the first process's word is what counts
        return {"score": float(step if rises else -step)}

    def keep(name: str, step: int, numbers: object) -> None:
        config = {**model.described(), "simulated_only": False}
        save_checkpoint(folder / name, config, model, model.tokenizer, overwrite=True)

    try:
        fit(
            model,
            mixture if stop is None else StopsAt.of(mixture, stop),
            plan,
            folder,
            validate=validate,
            keep=keep,
            resume=resume,
        )
    except KeyboardInterrupt:
        assert stop is not None


def train_as(rank: int, world: int, port: int, folder: Path) -> None:
    """One of ``world`` processes. Of two: begins a run of each kind, and ends one that a process alone
    has begun. Of three: a whole run of each kind that is not sharded."""
    torch.set_num_threads(1)
    sys.stderr = (folder / f"errors{rank}").open("w", buffering=1)
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": world}
    for name, value in {**address, "RANK": rank, "LOCAL_RANK": rank}.items():
        os.environ[name] = str(value)
    for kind in MODELS:
        os.environ["ACCELERATE_USE_FSDP"] = str(kind == SHARDED).lower()
        if world == 2:
            train(kind, folder / f"{kind}-two-one", STOP)
            train(kind, folder / f"{kind}-one-two", resume=True)
        elif kind != SHARDED:
            train(kind, folder / f"{kind}-three")
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """KIND-one: a process alone. KIND-two-one: two, then one. KIND-one-two: one, then two. KIND-three: three."""
    folder = tmp_path_factory.mktemp("runs")
    for kind in MODELS:
        train(kind, folder / f"{kind}-one")
        train(kind, folder / f"{kind}-one-two", STOP)
    for world in (2, 3):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        group = [
            SERVER.Process(target=train_as, args=(rank, world, port, folder))
            for rank in range(world)
        ]
        for process in group:
            process.start()
        for process in group:
            process.join(timeout=300)
        assert [p.exitcode for p in group] == [0] * world, (folder / "errors0").read_text()
    for kind in MODELS:
        train(kind, folder / f"{kind}-two-one", resume=True)
    return folder


def log_of(folder: Path) -> list[dict]:
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line]


ORDERS = [(kind, order) for kind in MODELS for order in ("two-one", "one-two", "three")]
ORDERS.remove((SHARDED, "three"))


@pytest.mark.parametrize(("kind", "order"), ORDERS)
def test_losses_are_those_of_one_process(runs: Path, kind: str, order: str) -> None:
    one, other = log_of(runs / f"{kind}-one"), log_of(runs / f"{kind}-{order}")
    assert [line["step"] for line in other] == list(range(1, STEPS + 1))
    for value in ("loss", "gradient"):
        got, expected = ([line[value] for line in log] for log in (other, one))
        assert got == pytest.approx(expected, rel=TOLERANCE), value


@pytest.mark.parametrize(("kind", "order"), ORDERS)
def test_checkpoints_are_those_of_one_process(runs: Path, kind: str, order: str) -> None:
    one, other = (load(runs / f"{kind}-{o}" / "last").state_dict() for o in ("one", order))
    assert other.keys() == one.keys()
    for name, tensor in one.items():
        if "running" in name or not tensor.is_floating_point() or name.startswith("vq."):
            torch.testing.assert_close(other[name], tensor, rtol=1e-3, atol=1e-3)
        else:  # Adam's first steps go by the sign of a gradient, so one near 0 may go either way
            assert float((other[name] - tensor).abs().max()) <= 2 * STEPS * 1e-3
