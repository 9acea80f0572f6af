"""A toy source and a toy model that show fit everything it relies on."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.sample import Sample
from signloom.training.fit import Fitted, fit
from signloom.training.mixing import AnnealedCap, Mixture
from signloom.training.resume import load_state, newest_state
from signloom.training.stages import Loss, Plan, Stage

LAYOUT = Layout("two", ("a", "b"), ("body", "body"))


@dataclass(frozen=True)
class Walks:
    """Random clips of unequal length; the text is as long as the clip."""

    name: str
    size: int = 50

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Sample:
        rng = np.random.default_rng([len(self.name), index])
        frames = int(rng.integers(2, 9))
        points = rng.normal(size=(frames, 2, 3)).astype(np.float32)
        clip = PoseClip(points, np.ones((frames, 2), np.float32), 25.0, LAYOUT)
        return Sample(f"{self.name}-{index}", clip, text="x" * frames)


class Toy(nn.Module):
    """Predicts the next frame; with dropout and augmentation, so that every draw matters."""

    def __init__(self, dropout: float = 0.1, noise: float = 0.1) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.noise = noise
        self.inside = nn.Sequential(nn.Linear(6, 16), nn.GELU(), nn.Dropout(dropout))
        self.out = nn.Linear(16, 6)

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> np.ndarray:
        frames = sample.clip.points.reshape(len(sample.clip), -1)
        noise = rng.normal(size=frames.shape) * self.noise if train else 0.0
        return (frames + noise).astype(np.float32)

    def collate(self, examples: list[np.ndarray]) -> dict[str, Tensor]:
        longest = max(len(example) for example in examples)
        frames = torch.zeros(len(examples), longest, 6)
        mask = torch.zeros(len(examples), longest)
        for row, example in enumerate(examples):
            frames[row, : len(example)] = torch.from_numpy(example)
            mask[row, : len(example)] = 1
        return {"frames": frames, "mask": mask}

    def loss(self, batch: dict[str, Tensor]) -> Loss:
        guess = self.out(self.inside(batch["frames"][:, :-1]))
        mask = batch["mask"][:, 1:]
        error = ((guess - batch["frames"][:, 1:]) ** 2).mean(-1) * mask
        return Loss(error.sum(), mask.sum())


def mixture(batch: int = 8) -> Mixture:
    return Mixture(
        Walks("real"), batch, seed=3, synthetic=Walks("synthetic", 31), schedule=AnnealedCap(20)
    )


def plan(steps: int = 12, **changes: object) -> Plan:
    stages = (
        Stage("first", steps // 2, 1e-2, warmup=min(2, steps // 2)),
        Stage("second", steps - steps // 2, 1e-3),
    )
    return Plan(stages, **{"device": "cpu", "log_every": 1, "save_every": 1, **changes})  # type: ignore[arg-type]


def train(
    folder: Path, model: Toy | None = None, batch: int = 8, **changes: object
) -> tuple[Toy, Fitted]:
    """Trains a toy with a validation that improves at every third step."""
    model = model or Toy()
    resume = bool(changes.pop("resume", False))

    def validate(step: int) -> Mapping[str, float]:
        return {"score": float(step if step % 3 == 0 else 0)}

    settings = plan(**{"validate_every": 1, "metric": "score", "better": "higher", **changes})  # type: ignore[arg-type]
    fitted = fit(model, mixture(batch), settings, folder, validate=validate, resume=resume)
    return model, fitted


def digest(folder: Path) -> str:
    """The sha256 of everything the newest state holds, as a model and its optimiser would load it."""
    found = newest_state(folder / "states")
    assert found is not None
    load_state(found[0], Toy(), None)
    return (found[0] / "state.json").read_text()


def train_alone(folder: Path, steps: int) -> None:
    """What a process to be killed runs."""
    torch.set_num_threads(1)
    sys.stderr = open(os.devnull, "w")
    train(folder, steps=steps, resume=True)


def train_as(rank: int, world: int, port: int, folder: Path, steps: int) -> None:
    """What one of several gloo processes runs."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": world}
    for name, value in {**address, "RANK": rank, "LOCAL_RANK": rank}.items():
        os.environ[name] = str(value)
    train_alone(folder, steps)
    torch.distributed.destroy_process_group()


SERVER = multiprocessing.get_context("forkserver")
"""Starts processes from a clean one that has done the slow imports already."""
SERVER.set_forkserver_preload(
    ["signloom.training.fit", "torch._dynamo", "torch._inductor", "torch.onnx"]
)
