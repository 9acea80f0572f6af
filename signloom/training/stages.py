"""What a run is asked to do: stages, their learning rates, and the settings that all stages share."""

from __future__ import annotations

import fnmatch
import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from signloom.errors import UsageError, nearest

Shape = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True)
class Loss:
    """What a model says of a batch.

    total: scalar with a gradient, the loss SUMMED over the batch's targets.
    count: how many targets that were. The loop divides by the count of the whole
        step, so micro-batches and processes of unequal length weigh exactly.
    """

    total: Tensor
    count: int | Tensor


@dataclass(frozen=True)
class Stage:
    """A stretch of training with one learning rate schedule and one set of trained parameters.

    steps: optimiser steps.
    lr: the highest learning rate.
    schedule: what follows the warm-up: "constant", or down to 0 by "linear" or "cosine".
    warmup: steps over which the rate rises linearly from 0 (spec §1).
    train: glob patterns over parameter names; all others stand still.
    """

    name: str
    steps: int
    lr: float
    schedule: Shape = "constant"
    warmup: int = 0
    train: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        if self.steps < 1 or not 0 <= self.warmup <= self.steps:
            raise UsageError(
                f"stage '{self.name}' has {self.steps} steps and a warm-up of {self.warmup}; "
                "expected at least 1 step and 0 ≤ warmup ≤ steps"
            )

    def rate(self, step: int) -> float:
        """The learning rate at a step of this stage, 0 ≤ step < steps."""
        if step < self.warmup:
            return self.lr * (step + 1) / self.warmup
        if self.schedule == "constant":
            return self.lr
        done = (step - self.warmup) / max(self.steps - self.warmup, 1)
        if self.schedule == "linear":
            return self.lr * (1 - done)
        return self.lr * 0.5 * (1 + math.cos(math.pi * done))

    def trained(
        self, model: nn.Module, learnable: frozenset[str] | None = None
    ) -> dict[str, nn.Parameter]:
        """Name → parameter that this stage trains.

        learnable: the names that may learn at all (None: all); what stands still in the model from
        the start, as a pretrained part beside its adapters does, no pattern sets free.
        Raises UsageError where a pattern matches no such parameter.
        """
        named = dict(model.named_parameters())
        if learnable is not None:
            named = {name: p for name, p in named.items() if name in learnable}
        for pattern in self.train:
            if not fnmatch.filter(named, pattern):
                raise UsageError(
                    f"stage '{self.name}' trains '{pattern}', which matches no parameter"
                    + nearest(pattern, list(named))
                    + "; give globs such as 'decoder.*'"
                )
        return {
            name: parameter
            for name, parameter in named.items()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in self.train)
        }


@dataclass(frozen=True)
class Step:
    """What one optimiser step was.

    loss: mean over the targets of all processes. gradient: its length, before clipping.
    source: "real" or "synthetic", where the batch came from.
    """

    stage: str
    loss: float
    gradient: float
    lr: float
    source: str


@dataclass(frozen=True)
class Plan:
    """The settings of a run.

    seed: of dropout and of every other draw inside the model.
    accumulate: micro-batches that make up a process's share of a step.
    precision: "bf16" runs the forward pass under autocast; weights stay float32.
    clip: the longest gradient, 0 = as it comes.
    weight_decay: AdamW's, on all trained parameters (spec §1).
    average: decay of a moving average of the weights, which is what is validated and kept then
        (`training.average`); 0 = the weights as they are.
    log_every, save_every, validate_every: in steps; 0 = only at the end.
    metric, better: which number of the validation selects the best weights, and which way.
    workers: processes that prepare batches beside the training one; no result depends on it.
    device: "auto" takes an accelerator where there is one.
    """

    stages: tuple[Stage, ...]
    seed: int = 42
    accumulate: int = 1
    precision: Literal["float32", "bf16"] = "float32"
    clip: float = 1.0
    weight_decay: float = 0.01
    average: float = 0.0
    log_every: int = 20
    save_every: int = 500
    validate_every: int = 0
    metric: str = "loss"
    better: Literal["higher", "lower"] = "lower"
    workers: int = 0
    device: Literal["auto", "cpu"] = "auto"

    def __post_init__(self) -> None:
        if not self.stages or self.accumulate < 1 or self.workers < 0:
            raise UsageError(
                f"a plan has {len(self.stages)} stages, accumulate {self.accumulate} and "
                f"{self.workers} workers; expected at least 1, at least 1 and at least 0"
            )

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)

    def place(self, step: int) -> tuple[Stage, int]:
        """(the stage that a step belongs to, the step's number inside it)."""
        for stage in self.stages:
            if step < stage.steps:
                return stage, step
            step -= stage.steps
        raise ValueError(f"step {step} lies beyond the plan's {self.steps}")

    def improves(self, value: float, best: float | None) -> bool:
        """Whether ``value`` of the metric is better than the best so far; any number is better than NaN."""
        if best is None or math.isnan(best):
            return True
        return value > best if self.better == "higher" else value < best
