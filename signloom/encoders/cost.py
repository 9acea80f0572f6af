"""What a module costs: multiply–adds, and bytes kept for the backward pass, per frame or of a call."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
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


def gmac(run: Callable[[], object]) -> float:
    """10⁹ multiply–adds of a call, which is carried out, on the CPU; what counts is as in `cost`.

    For what the meta device cannot follow: LSTMs, decoders that look at their masks.
    Attention counts every pair of places that is computed, those behind a causal mask too.
    """
    lstm = {torch.ops.aten.mkldnn_rnn_layer: _lstm_layer}
    counter = FlopCounterMode(display=False, custom_mapping=lstm)
    # Gradients on, attention written out: the fused kernels of inference are not counted.
    with counter, torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        run()
    return counter.get_total_flops() / 2 / 1e9


def _lstm_layer(
    x: Sequence[int], of_input: Sequence[int], of_state: Sequence[int], *_: Any, **__: Any
) -> int:
    """FLOPs of one direction: (time, batch, inputs), weights (4H, inputs) and (4H, H)."""
    time, batch, inputs = x
    return 2 * time * batch * of_input[0] * (inputs + of_state[1])


def _storage(tensor: Tensor) -> int:
    """What tells one piece of memory from another, also on the meta device."""
    return tensor.untyped_storage()._cdata
