"""A model whose weights are shared out over the processes (FSDP), and put together to be kept.

``accelerate launch --use_fsdp`` asks for it; nothing else of a run changes. Each block of a language
model gathers its weights when it runs and gives them up again; the rest is one group. What is
gathered is gathered by all processes at once. Source: torch.distributed.fsdp.fully_shard.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn

T = TypeVar("T")


def wanted() -> bool:
    """Whether the launcher asked for FSDP."""
    from accelerate.utils import parse_flag_from_env

    return parse_flag_from_env("ACCELERATE_USE_FSDP")


def shard(model: nn.Module, device: torch.device, processes: int) -> None:
    """Shares the model's weights out in place; its ``loss`` may then be called on all processes at once.

    Gradients come back as the sum of all processes', each with its share.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

    # T5's blocks return views, which nobody changes in place.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    mesh = init_device_mesh(device.type, (processes,))
    for block in blocks(model):
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    for part in model.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)
            part.set_force_sum_reduction_for_comms(True)
    register_fsdp_forward_method(model, "loss")


def blocks(model: nn.Module) -> list[nn.Module]:
    """The layers of its language model, which transformers says must not be split."""
    from transformers import PreTrainedModel

    names = {
        name
        for part in model.modules()
        if isinstance(part, PreTrainedModel)
        for name in part._no_split_modules or ()
    }
    return [part for part in model.modules() if type(part).__name__ in names]


def is_sharded(model: nn.Module) -> bool:
    """Whether the model's weights are shared out."""
    if not distributed.is_initialized():  # and so the slow imports are spared
        return False
    from torch.distributed.fsdp import FSDPModule

    return isinstance(model, FSDPModule)


def writes(model: nn.Module) -> bool:
    """Whether this process writes what all of them have put together."""
    return not is_sharded(model) or distributed.get_rank() == 0


@contextmanager
def in_use(model: nn.Module) -> Iterator[None]:
    """The group of weights that is no block's, gathered, so that any method of the model may be called."""
    if not is_sharded(model):
        yield
        return
    root = cast(Any, model)
    root.unshard()
    try:
        yield
    finally:
        root.reshard()


def agreed(model: nn.Module, value: T) -> T:
    """The first process's value, on all that hold shares: what they decide by must be one and the same."""
    if not is_sharded(model):
        return value
    box = [value]
    distributed.broadcast_object_list(box, src=0)
    return box[0]


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor of which each process has a share; any other as it is."""
    if not distributed.is_initialized():
        return tensor
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def share_of(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's share of a tensor that all have whole, shared out as ``like`` is."""
    if not distributed.is_initialized():
        return tensor
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor):
        return tensor
    tensor = tensor.to(like.device)
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)


def repeated(model: nn.Module) -> dict[str, str]:
    """Name of a weight that stands at two places → the name of the first, of what a state dict has."""
    first: dict[int, str] = {}
    own = model.state_dict().keys()
    named = [(n, p) for n, p in model.named_parameters(remove_duplicate=False) if n in own]
    return {n: kept for n, p in named if (kept := first.setdefault(id(p), n)) != n}


def whole_state(model: nn.Module) -> dict[str, Tensor]:
    """The state dict with whole tensors; a weight that stands at two places is one tensor in both."""
    state = model.state_dict()
    if not is_sharded(model):
        return state
    twice = repeated(model)
    found = {name: whole(tensor) for name, tensor in state.items() if name not in twice}
    return {name: found[twice.get(name, name)] for name in state}
