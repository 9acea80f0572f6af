"""Resume states that survive a kill at any moment: safetensors and JSON, never pickle.

    states/00000500/tensors.safetensors   weights, their average, optimiser moments
    states/00000500/state.json            step, best, the sha256 of the tensors, its own sha256
    states/last                           the name of the newest whole state

A state is written under a temporary name, flushed, hashed, renamed; then the
pointer moves; then older ones go. A state that does not hash right is passed
over for the one before it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from signloom.data.files import writing, writing_folder
from signloom.errors import MediaError
from signloom.training.average import Average
from signloom.training.checkpoint import load_tensors, sha256_of, untied, weights, write_tensors
from signloom.training.sharding import is_sharded, repeated, share_of, whole, writes

TENSORS, STATE, POINTER = "tensors.safetensors", "state.json", "last"
KEPT = 2


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    step: optimiser steps taken.
    best, best_step: the best value of the metric so far and when it was met.
    fingerprint: what the run is; a state of another run is not resumed.
    """

    step: int = 0
    best: float | None = None
    best_step: int = 0
    fingerprint: str = ""


def save_state(
    folder: Path,
    progress: Progress,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: Average | None = None,
) -> None:
    """Writes a state, moves the pointer, removes all but the newest two.

    Where the weights are shared out, all processes call it and the first one writes.
    """
    tensors = {f"model.{name}": whole(tensor) for name, tensor in weights(model).items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": whole(value) for key, value in moments.items()}
    if average is not None:
        tensors |= {f"average.{name}": whole(tensor) for name, tensor in average.tensors.items()}
    if not writes(model):
        return
    name = f"{progress.step:08d}"
    with writing_folder(folder / name, overwrite=True) as temporary:
        write_tensors(temporary / TENSORS, tensors)
        body = {**asdict(progress), "tensors": sha256_of(temporary / TENSORS)}
        (temporary / STATE).write_text(json.dumps(body | {"sha256": _digest(body)}, indent=2))
    with writing(folder / POINTER, overwrite=True) as temporary:
        temporary.write_text(name)
    for stale in _states(folder)[KEPT:]:
        shutil.rmtree(stale, ignore_errors=True)


def newest_state(folder: Path) -> tuple[Path, Progress] | None:
    """The newest state that is whole, the one pointed at first; None where there is none at all.

    Raises MediaError where there are states but not one is whole.
    """
    states = _states(folder)
    pointer = folder / POINTER
    if pointer.is_file():
        pointed = folder / pointer.read_text(errors="replace").strip()
        states.sort(key=lambda state: state != pointed)
    for state in states:
        if (progress := _verified(state)) is not None:
            return state, progress
    if states:
        raise MediaError(
            f"{folder} has {len(states)} resume states and none is whole (sha256 differs); "
            "start the run again with --overwrite"
        )
    return None


def load_state(
    state: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer | None,
    average: Average | None = None,
) -> None:
    """Puts a state's weights into the model, and its moments and its average where these are given."""
    from safetensors.torch import load_file

    tensors = load_file(str(state / TENSORS))
    tied = repeated(model) if is_sharded(model) else untied(model.state_dict())[1]
    saved = _under("model.", tensors)
    load_tensors(model, saved | {name: saved[kept] for name, kept in tied.items()}, str(state))
    if average is not None:
        average.load(_under("average.", tensors))
    if optimizer is None:
        return
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimizer.", tensors).items():
        index, key = name.split(".", 1)
        like = trained[int(index)]
        moments.setdefault(int(index), {})[key] = (
            share_of(tensor, like) if tensor.shape == like.shape else tensor
        )
    optimizer.load_state_dict(
        {"state": moments, "param_groups": optimizer.state_dict()["param_groups"]}
    )


def clear_leftovers(folder: Path) -> None:
    """Removes what a killed run left half-written beside its outputs."""
    for place in (folder, folder / "states"):
        leftovers: Iterable[Path] = place.glob(".*") if place.is_dir() else ()
        for leftover in leftovers:
            if leftover.suffix in (".part", ".old"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


def _states(folder: Path) -> list[Path]:
    found = folder.glob("[0-9]" * 8) if folder.is_dir() else ()
    return sorted((state for state in found if state.is_dir()), reverse=True)


def _verified(state: Path) -> Progress | None:
    try:
        body = json.loads((state / STATE).read_text())
        if body.pop("sha256") != _digest(body):
            return None
        if body.pop("tensors") != sha256_of(state / TENSORS):
            return None
        return Progress(**body)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _digest(body: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
