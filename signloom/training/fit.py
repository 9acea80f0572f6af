"""The one training loop. It knows no method: it calls the model's example, collate and loss.

Nothing in it depends on how often the run was interrupted, nor on the number of
workers: batches, augmentation and dropout are functions of (seed, step, micro-batch).
Each process takes its places of the same global batch (design, "The contracts").
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, Protocol, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from torch import Tensor, nn

from signloom.data.sample import Sample
from signloom.errors import SignloomError, UsageError, nearest
from signloom.training import sharding
from signloom.training.average import Average
from signloom.training.batches import MicroBatch, MicroBatches, in_order
from signloom.training.mixing import Mixture, Staged
from signloom.training.report import Reporter
from signloom.training.resume import (
    Progress,
    clear_leftovers,
    load_state,
    newest_state,
    save_state,
)
from signloom.training.stages import Loss, Plan, Stage, Step

Validate = Callable[[int], Mapping[str, float]]
Keep = Callable[[str, int, Mapping[str, float]], None]


class Trainable(Protocol):
    """What a model must offer to be trained (it is an nn.Module besides).

    example: a sample to whatever one training item is; called in worker processes,
        so it reads no weights. All its draws come from the generator.
    collate: items to a batch: tensors in dicts, tuples or lists, or an object with ``to(device)``.
    loss: the batch's summed loss and its number of targets.
    """

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Any: ...

    def collate(self, examples: list[Any]) -> Any: ...

    def loss(self, batch: Any) -> Loss: ...


class DivergedError(SignloomError):
    """The loss or its gradient is no longer a number."""


@dataclass(frozen=True)
class Fitted:
    """How a run ended: steps taken, the best value of the metric and its step, seconds it took."""

    step: int
    best: float | None
    best_step: int
    seconds: float


def fit(
    model: nn.Module,
    mixture: Mixture | Staged,
    plan: Plan,
    folder: str | Path,
    *,
    validate: Validate | None = None,
    keep: Keep | None = None,
    resume: bool = False,
    fingerprint: str = "",
) -> Fitted:
    """Trains ``model`` (a Trainable) in place, writing ``folder/log.jsonl`` and resume states.

    validate: step → numbers, run on the main process with the model in eval mode.
    keep: (name, step, numbers) → writes the model as it is now; called with name
        "best" whenever the metric improves, and "last" at the end.
    resume: go on from the newest whole state in ``folder``, or from the start where there is none.
    fingerprint: what the run is. Raises UsageError where the state to resume has another.

    Raises DivergedError naming step, source and samples when loss or gradient is NaN or infinite, and
    naming a weight that is, in place of writing it into a state.
    """
    folder = Path(folder)
    started = time.monotonic()
    # Told that there is no other device, it joins launched processes over gloo; else each would be alone.
    accelerator = Accelerator(cpu=plan.device == "cpu" or not torch.accelerator.is_available())
    if sharding.wanted() and accelerator.num_processes > 1:
        sharding.shard(model, accelerator.device, accelerator.num_processes)
    model.to(accelerator.device)
    # Shared-out weights are put together by all; otherwise the first process works alone.
    takes_part = accelerator.is_main_process or sharding.is_sharded(model)
    if accelerator.is_main_process:
        clear_leftovers(folder)
    accelerator.wait_for_everyone()
    progress, state = where_it_stands(folder, resume, fingerprint)
    reporter = Reporter(
        folder / "log.jsonl", plan.steps, progress.step, accelerator.is_main_process
    )
    batches = iter(_prepared(model, mixture, plan, range(progress.step, plan.steps), accelerator))
    average = Average(model, plan.average) if plan.average else None
    shown = (lambda: average.shown(model)) if average else nullcontext
    optimizer, current = None, None
    still: list[nn.Module] = []
    learnable = frozenset(name for name, p in model.named_parameters() if p.requires_grad)
    for step in range(progress.step, plan.steps):
        stage, number = plan.place(step)
        if stage is not current:
            trained = _only(model, stage, learnable)
            still = _still(model)
            optimizer = _optimizer(trained, plan, accelerator)
            if state is not None:
                load_state(state, model, optimizer if number else None, average)
            current, state = stage, None
        assert optimizer is not None
        for group in optimizer.param_groups:
            group["lr"] = stage.rate(number)
        model.train()
        for part in still:
            part.eval()
        micro = [next(batches) for _ in range(plan.accumulate)]
        taken = take_step(model, micro, optimizer, plan, stage.name, accelerator)
        reporter.step(step + 1, taken, mixture.p(step), mixture.batch, plan.log_every)
        progress = replace(progress, step=step + 1)
        if average is not None:
            average.update(model, progress.step)
        last = progress.step == plan.steps
        if last or any(_due(progress.step, n) for n in (plan.save_every, plan.validate_every)):
            _refuse_infinite(model, progress.step)
        numbers: Mapping[str, float] = {}
        best_before = progress.best_step
        if validate and (last or _due(progress.step, plan.validate_every)):
            if takes_part:
                with shown():
                    with sharding.in_use(model):
                        numbers = _validated(model, validate, progress.step, reporter)
                    numbers = sharding.agreed(model, numbers)
                    progress = _judged(progress, numbers, plan, keep)
            accelerator.wait_for_everyone()
        new_best = progress.best_step != best_before
        if takes_part:
            if last and keep:
                with shown():
                    keep("last", progress.step, numbers)
            if last or new_best or _due(progress.step, plan.save_every):
                save_state(folder / "states", progress, model, optimizer, average)
        accelerator.wait_for_everyone()
    if state is not None:
        load_state(state, model, None, average)
    if average is not None:
        average.into(model)
    reporter.close()
    model.eval()
    seconds = time.monotonic() - started
    return Fitted(progress.step, progress.best, progress.best_step, seconds)


def take_step(
    model: nn.Module,
    micro: list[MicroBatch],
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    stage: str,
    accelerator: Accelerator,
) -> Step:
    """One optimiser step over this process's micro-batches.

    The gradient is that of (sum of all losses) / (number of all targets), over
    micro-batches and processes alike.
    """
    optimizer.zero_grad(set_to_none=True)
    sums = torch.zeros(2, dtype=torch.float64)
    bad: list[MicroBatch] = []
    for part in micro:
        _seed(dropout_seed(plan.seed, part.step, part.number), accelerator.device)
        batch = send_to_device(part.batch, accelerator.device)
        with _autocast(plan, accelerator):
            loss = cast(Trainable, model).loss(batch)
        loss.total.backward()
        total = float(loss.total.detach())
        sums += torch.tensor([total, float(loss.count)], dtype=torch.float64)
        if not math.isfinite(total):
            bad.append(part)
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    total, count = _summed(model, parameters, sums, accelerator)
    gradients = [p.grad for p in parameters if p.grad is not None]
    length = float(sharding.whole(nn.utils.get_total_norm(gradients)))
    if not (math.isfinite(total) and math.isfinite(length)):
        _diverged(total, bad or micro, accelerator)
    scale = 1 / max(count, 1.0)
    length *= scale
    if plan.clip and length > plan.clip:
        scale *= plan.clip / length
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.mul_(scale)
    optimizer.step()
    lr = float(optimizer.param_groups[0]["lr"])
    return Step(stage, total / max(count, 1.0), length, lr, micro[0].source)


def _seed(seed: int, device: torch.device) -> None:
    """As torch.manual_seed, which asks devices that are not there too, at every step of a CPU."""
    if device.type == "cpu":
        torch.default_generator.manual_seed(seed)
    else:
        torch.manual_seed(seed)


def first_process() -> bool:
    """Whether this process is the one that writes; true where a run has one only."""
    return os.environ.get("RANK", "0") == "0"


def launched_processes() -> int:
    """How many processes the launcher (`accelerate launch`) has started for this run."""
    return int(os.environ.get("WORLD_SIZE") or 1)


def dropout_seed(seed: int, step: int, micro: int) -> int:
    """The torch seed of a micro-batch, below 2**63."""
    words = np.random.SeedSequence((seed, step, micro)).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def where_it_stands(
    folder: str | Path, resume: bool, fingerprint: str
) -> tuple[Progress, Path | None]:
    """How far the run in ``folder`` has come, and the state to go on from; none unless ``resume``.

    Raises UsageError where the state is of a run with another fingerprint.
    """
    folder = Path(folder)
    found = newest_state(folder / "states") if resume else None
    if found is None:
        return Progress(fingerprint=fingerprint), None
    state, progress = found
    if progress.fingerprint != fingerprint:
        raise UsageError(
            f"{folder} was begun with another recipe (its hash is {progress.fingerprint[:12]}, "
            f"this one's is {fingerprint[:12]}); resume with the recipe.yaml in it, "
            "or give another folder"
        )
    return progress, state


def _prepared(
    model: nn.Module, mixture: Mixture | Staged, plan: Plan, steps: range, accelerator: Accelerator
) -> Iterator[MicroBatch]:
    methods = cast(Trainable, model)
    batches = MicroBatches(
        mixture,
        methods.example,
        methods.collate,
        steps,
        plan.accumulate,
        accelerator.process_index,
        accelerator.num_processes,
    )
    return in_order(batches, plan.workers, pin=accelerator.device.type == "cuda")


def _only(model: nn.Module, stage: Stage, learnable: frozenset[str]) -> list[nn.Parameter]:
    """The stage's parameters among those that may learn at all; all others no longer take a gradient."""
    trained = stage.trained(model, learnable)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in trained)
        parameter.grad = None
    return list(trained.values())


def _still(model: nn.Module) -> list[nn.Module]:
    """The parts whose parameters all stand still: they run as in use, without dropout, their statistics kept."""
    return [
        part
        for part in model.modules()
        if (own := list(part.parameters())) and not any(p.requires_grad for p in own)
    ]


def _optimizer(
    parameters: list[nn.Parameter], plan: Plan, accelerator: Accelerator
) -> torch.optim.Optimizer:
    fused = accelerator.device.type in ("cpu", "cuda")
    return torch.optim.AdamW(parameters, lr=0.0, weight_decay=plan.weight_decay, fused=fused)


def _autocast(plan: Plan, accelerator: Accelerator) -> Any:
    if plan.precision == "bf16":
        return torch.autocast(accelerator.device.type, torch.bfloat16)
    return nullcontext()


def _summed(
    model: nn.Module, parameters: list[nn.Parameter], sums: Tensor, accelerator: Accelerator
) -> tuple[float, float]:
    """(total loss, number of targets) over all processes; gradients are summed in place.

    Those of shared-out weights are summed already.
    """
    if accelerator.num_processes > 1 and not sharding.is_sharded(model):
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [cast(Tensor, p.grad) for p in parameters]
        flat = accelerator.reduce(torch.cat([g.reshape(-1) for g in gradients]), "sum")
        for gradient, piece in zip(
            gradients, flat.split([g.numel() for g in gradients]), strict=True
        ):
            gradient.copy_(piece.view_as(gradient))
    if accelerator.num_processes > 1:
        sums = accelerator.reduce(sums.to(accelerator.device), "sum").cpu()
    return float(sums[0]), float(sums[1])


def _diverged(total: float, micro: list[MicroBatch], accelerator: Accelerator) -> NoReturn:
    what = "gradient" if math.isfinite(total) else "loss"
    ids = [name for part in micro for name in part.ids]
    ids = gather_object(ids) if accelerator.num_processes > 1 else ids
    raise DivergedError(
        f"the {what} of step {micro[0].step} is not finite (source '{micro[0].source}', samples "
        f"{', '.join(ids)}); look at these samples, or lower the learning rate and --resume "
        "from the last state"
    )


def _refuse_infinite(model: nn.Module, step: int) -> None:
    for name, parameter in model.named_parameters():
        if not torch.isfinite(parameter).all():
            raise DivergedError(
                f"weight {name} is not finite after step {step}, so it is not kept; lower the learning "
                "rate and --resume from the last state"
            )


def _validated(
    model: nn.Module, validate: Validate, step: int, reporter: Reporter
) -> Mapping[str, float]:
    model.eval()
    with torch.no_grad():
        numbers = {name: float(value) for name, value in validate(step).items()}
    reporter.validation(step, numbers)
    return numbers


def _judged(
    progress: Progress, numbers: Mapping[str, float], plan: Plan, keep: Keep | None
) -> Progress:
    if plan.metric not in numbers:
        raise UsageError(
            f"the validation gives no '{plan.metric}'{nearest(plan.metric, list(numbers))}; "
            f"it gives {', '.join(numbers)}"
        )
    value = float(numbers[plan.metric])
    if not plan.improves(value, progress.best):
        return progress
    if keep:
        keep("best", progress.step, numbers)
    return replace(progress, best=value, best_step=progress.step)


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0
