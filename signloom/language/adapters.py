"""Adapters: small trained parts beside the weights of a pretrained language model, which stand still.

DoRA (arXiv 2402.09353) learns the length of each row of a weight matrix and a low-rank change of
its direction; LoRA the low-rank change alone. Rank 32 and α 64 are the paper's (table A.8) [S],
dropout .05 and the layers q and v are our reading [D] (spec §3). The arithmetic is peft's.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn
from transformers import PreTrainedModel, T5ForConditionalGeneration
from transformers.pytorch_utils import Conv1D

from signloom.errors import MediaError, UsageError, nearest
from signloom.language.pretrained import Base

M = TypeVar("M", bound=PreTrainedModel)
Kind = Literal["dora", "lora", "full", "frozen"]
NAMED = "default"
"""What peft calls an adapter that nobody named; left out of the names that are stored."""


def adapt(
    model: M,
    kind: Kind,
    base: Base | None,
    *,
    rank: int = 32,
    alpha: float | int = 64,
    dropout: float = 0.05,
    targets: Sequence[str] = ("q", "v"),
    seed: int = 0,
) -> M:
    """The same model, changed in place: what is trained of it takes a gradient, the rest does not.

    kind: "dora" or "lora" puts adapters on every layer called one of ``targets`` (of a T5 q, k, v, o
        of attention and wi, wi_0, wi_1, wo of the feed-forward part; of a Llama q_proj, …) and
        trains them alone; "full" trains everything, "frozen" nothing.
    base: where the weights came from (`load_t5`, `load_causal`); None where they are random.
    rank, alpha: the change is alpha / rank times a matrix of this rank. dropout: on its input.
    seed: of the random half of the adapters; with the other half 0 the model says what it said.

    Raises UsageError where the weights are random and are not all to be trained, where the model
    has adapters already, or where no layer has a target's name.
    """
    if any(isinstance(module, LoraLayer) for module in model.modules()):
        raise UsageError("the language model has adapters already; merge them, or load it again")
    if kind != "full" and base is None:
        raise UsageError(
            f"'{kind}' keeps the language model's weights as they are, and these are random; "
            "pretrain one with 'signloom language', give a folder or hub id such as "
            "'google/flan-t5-small', or train it in full"
        )
    model.requires_grad_(kind == "full")
    if kind not in ("dora", "lora"):
        return model
    _check(model, rank, alpha, dropout, targets)
    settings = LoraConfig(
        r=rank,
        lora_alpha=cast(int, alpha),
        lora_dropout=dropout,
        target_modules=list(targets),
        use_dora=kind == "dora",
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(settings, model, adapter_name=NAMED)
    return model


def _check(
    model: nn.Module, rank: int, alpha: float | int, dropout: float, targets: Sequence[str]
) -> None:
    if rank < 1 or alpha <= 0 or not 0 <= dropout < 1:
        raise UsageError(
            f"adapters have rank {rank}, alpha {alpha} and dropout {dropout}; expected rank ≥ 1, "
            "alpha > 0 and 0 ≤ dropout < 1"
        )
    known = sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, nn.Linear | Conv1D) and name != "lm_head"
        }
    )
    for target in targets:
        if target not in known:
            raise UsageError(
                f"the language model has no layer '{target}'{nearest(target, known)}; adapters "
                f"go on {', '.join(known)}"
            )
    if not targets:
        raise UsageError(f"adapters need a layer to go on; name one of {', '.join(known)}")


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Name → tensor of the adapters, and of nothing else; {} for a model without any.

    The names do not depend on what else is in the model's modules, only on where they stand.
    A model trained in full has no adapters: it is stored whole.
    """
    return {name.replace(f".{NAMED}", "", 1): tensor for name, tensor in _adapters(model).items()}


def load_adapter_tensors(model: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Puts stored adapters into a model that has been adapted the same way, or none of them.

    source: where they are from, for the message. Raises MediaError naming what is missing,
    unexpected or of another shape.
    """
    own = adapter_tensors(model)
    wrong = [
        *(f"{name} is missing" for name in own if name not in tensors),
        *(f"{name} is not in the model" for name in tensors if name not in own),
        *(
            f"{name} has shape {tuple(tensors[name].shape)}, expected {tuple(tensor.shape)}"
            for name, tensor in own.items()
            if name in tensors and tensors[name].shape != tensor.shape
        ),
    ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise MediaError(
            f"the adapters from {source} do not fit the language model, so none were loaded: "
            f"{'; '.join(wrong[:5])}{more}; adapt the base that they were trained on, with the "
            "same kind, rank and layers"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])


def merged(model: T5ForConditionalGeneration) -> T5ForConditionalGeneration:
    """A copy without adapters whose weights hold what they had learnt; ``model`` stays as it is.

    Up to rounding it says what ``model`` says in eval mode. Raises MediaError where a merged
    weight is not finite.
    """
    plain = copy.deepcopy(model)
    for name, module in list(plain.named_modules()):
        if not isinstance(module, LoraLayer):
            continue
        try:
            cast(LoraLayer, module).merge(safe_merge=True)
        except ValueError as error:
            raise MediaError(
                f"the adapter on {name} cannot be merged ({error}); train it again with a lower "
                "learning rate"
            ) from error
        above, _, last = name.rpartition(".")
        setattr(plain.get_submodule(above), last, module.get_base_layer())
    return plain.requires_grad_(True)


def _adapters(model: nn.Module) -> dict[str, Tensor]:
    """Name → parameter of every adapter, as the model calls them."""
    return {name: tensor for name, tensor in model.named_parameters() if ".lora_" in name}


def leave_out_borrowed(model: nn.Module) -> None:
    """From now on the model's state holds no weights that are referred to, and loading asks for none.

    Those are all under ``language`` but adapters, unless ``model.config.adapter`` is "full".
    """
    model.register_state_dict_post_hook(_without_borrowed)
    model.register_load_state_dict_post_hook(_borrowed_is_there)


def _borrowed(model: Any, name: str) -> bool:
    return name.startswith("language.") and model.config.adapter != "full" and ".lora_" not in name


def _without_borrowed(model: nn.Module, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    for name in [n for n in state if _borrowed(model, n.removeprefix(prefix))]:
        del state[name]


def _borrowed_is_there(model: nn.Module, incompatible: Any) -> None:
    missing = incompatible.missing_keys
    missing[:] = [name for name in missing if not _borrowed(model, name)]
