"""The average of a model's weights over the steps of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from signloom.training.checkpoint import weights
from signloom.training.sharding import share_of


class Average:
    """Exponential moving average of all weights and running statistics (Polyak and Juditsky 1992).

    After step t each number is d·average + (1 − d)·now, with d = min(decay, (1 + t) / (10 + t)), so
    that the weights a run begins with are soon forgotten. Whole numbers are taken as they are.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay = decay
        self.tensors = {name: tensor.clone() for name, tensor in weights(model).items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Takes in the model's weights after ``step`` steps, 1 or more."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in weights(model).items():
            if tensor.is_floating_point():
                self.tensors[name].lerp_(tensor, 1 - decay)
            else:
                self.tensors[name].copy_(tensor)

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Goes on from an average that was kept."""
        for name, tensor in self.tensors.items():
            tensor.copy_(share_of(tensors[name], tensor))

    @torch.no_grad()
    def into(self, model: nn.Module) -> None:
        """Puts the average into the model."""
        for name, tensor in weights(model).items():
            tensor.copy_(self.tensors[name])

    @contextmanager
    def shown(self, model: nn.Module) -> Iterator[None]:
        """The model with the average for its weights; its own come back afterwards."""
        own = {name: tensor.clone() for name, tensor in weights(model).items()}
        self.into(model)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, tensor in weights(model).items():
                    tensor.copy_(own[name])
