"""What a module costs per frame: multiply–adds, and bytes kept for the backward pass."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

PAPER_GMAC = 0.53
"""Of the pose backbone, table 4 of arXiv 2512.08040, which says GFLOPs: only multiply–adds per
frame come near it (spec §3)."""


@dataclass(frozen=True)
class Cost:
    """gmac: 10⁹ multiply–adds per frame. kept_bytes: activations kept for training, per frame."""

    gmac: float
    kept_bytes: float


def cost(module: nn.Module, inputs: tuple[Tensor, ...], frames: int) -> Cost:
    """What one pass over ``inputs`` costs, divided by the ``frames`` in them.

    Nothing is computed: shapes are followed on torch's meta device. Matrix products and
    convolutions count, one multiply–add for each pair of factors; sums, norms, activations
    and softmax do not. The bytes are those of the distinct tensors that autograd keeps,
    parameters and buffers left out, in the precision of ``inputs``, without dropout's masks
    (the module is measured in evaluation mode).
    """
    shadow = copy.deepcopy(module).to("meta").eval()
    shadows = tuple(tensor.to("meta") for tensor in inputs)
    own = {_storage(t) for t in (*shadow.parameters(), *shadow.buffers())}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if _storage(tensor) not in own:
            kept[_storage(tensor)] = tensor
        return tensor

    counter = FlopCounterMode(display=False)
    with counter, torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        result = shadow(*shadows)
    size = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    del result
    return Cost(counter.get_total_flops() / 2 / frames / 1e9, size / frames)


def _storage(tensor: Tensor) -> int:
    """What tells one piece of memory from another, also on the meta device."""
    return tensor.untyped_storage()._cdata
