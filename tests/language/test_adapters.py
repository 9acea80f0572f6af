"""Adapters begin as nothing, learn alone, merge to the same, and fit only what they were made for."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import T5ForConditionalGeneration

from signloom.errors import MediaError, UsageError
from signloom.language.adapters import adapt, adapter_tensors, load_adapter_tensors, merged
from signloom.language.t5 import Base, T5Shape, build_t5

BASE = Base("base", "", "0" * 64, "", 1, 1.0)
QUERY = "encoder.block.0.layer.0.SelfAttention.q"


def t5() -> T5ForConditionalGeneration:
    return build_t5(T5Shape(40, 16, 6, 24, 2, 2, 2, dropout=0.0), seed=0)


def adapted(kind: str = "dora", rank: int = 4, **changes: object) -> T5ForConditionalGeneration:
    settings = {"rank": rank, "alpha": 8, "dropout": 0.0, **changes}
    return adapt(t5(), kind, BASE, **settings)  # type: ignore[arg-type]


def logits(model: T5ForConditionalGeneration) -> Tensor:
    ids = torch.arange(3, 9)[None]
    with torch.no_grad():
        return model.eval()(input_ids=ids, decoder_input_ids=ids[:, :4]).logits


def take_steps(model: T5ForConditionalGeneration, steps: int = 3) -> None:
    """Trains what takes a gradient, so that every part of the adapters moves."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=0.5)
    ids = torch.arange(3, 9)[None]
    for _ in range(steps):
        optimizer.zero_grad()
        model.train()(input_ids=ids, labels=ids[:, :4]).loss.backward()
        optimizer.step()


@pytest.mark.parametrize("kind", ["dora", "lora"])
def test_adapters_begin_as_nothing_and_learn_alone(kind: str) -> None:
    model = adapted(kind)
    torch.testing.assert_close(logits(model), logits(t5()), atol=1e-5, rtol=1e-5)
    before = {name: tensor.clone() for name, tensor in model.named_parameters()}
    take_steps(model)
    moved = {n for n, t in model.named_parameters() if not torch.equal(t, before[n])}
    assert moved == {name for name in before if ".lora_" in name}
    sites = 2 * (2 + 4)  # q and v of two encoder layers and, twice each, of two decoder layers
    parts = {"dora": 3, "lora": 2}[kind]
    assert len(moved) == len(adapter_tensors(model)) == sites * parts
    each = 4 * 16 + 12 * 4 + (12 if kind == "dora" else 0)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == sites * each


@pytest.mark.parametrize("kind", ["dora", "lora"])
def test_merged_says_what_the_adapted_says_and_is_a_plain_t5(kind: str) -> None:
    model = adapted(kind)
    take_steps(model)
    said = logits(model)
    assert not torch.allclose(said, logits(t5()), atol=1e-2)
    plain = merged(model)
    torch.testing.assert_close(logits(plain), said, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(logits(model), said, atol=0, rtol=0)
    assert list(plain.state_dict()) == list(t5().state_dict())


@pytest.mark.parametrize("kind", ["dora", "lora"])
def test_the_weight_is_the_formula_of_its_paper(kind: str) -> None:
    """W' = m · (W + α/r · BA) / ‖W + α/r · BA‖, norms over rows; for LoRA W + α/r · BA (float64)."""
    model = adapted(kind)
    take_steps(model)
    weight = t5().get_parameter(f"{QUERY}.weight").double()
    tensors = {name: tensor.double() for name, tensor in adapter_tensors(model).items()}
    changed = weight + 8 / 4 * tensors[f"{QUERY}.lora_B.weight"] @ tensors[f"{QUERY}.lora_A.weight"]
    if kind == "dora":
        length = tensors[f"{QUERY}.lora_magnitude_vector.weight"]
        changed = length[:, None] * changed / changed.norm(dim=1, keepdim=True)
    given = merged(model).get_parameter(f"{QUERY}.weight").double()
    torch.testing.assert_close(given, changed, atol=1e-6, rtol=1e-5)


def test_adapters_come_back_from_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    model = adapted()
    take_steps(model)
    save_file(adapter_tensors(model), tmp_path / "adapters.safetensors")
    stored = load_file(tmp_path / "adapters.safetensors")
    again = adapted(seed=5)
    load_adapter_tensors(again, stored, "a file")
    assert torch.equal(logits(again), logits(model))

    unchanged = adapted(seed=5)
    before = logits(unchanged)
    name = f"{QUERY}.lora_A.weight"
    lacking = {n: t for n, t in stored.items() if n != name}
    with pytest.raises(MediaError, match=f"a file do not fit .* {name} is missing"):
        load_adapter_tensors(unchanged, lacking, "a file")
    with pytest.raises(MediaError, match=r"other is not in the model"):
        load_adapter_tensors(unchanged, {**stored, "other": torch.zeros(1)}, "a file")
    assert torch.equal(logits(unchanged), before)
    with pytest.raises(MediaError, match=rf"{name} has shape \(4, 16\), expected \(2, 16\)"):
        load_adapter_tensors(adapted(rank=2), stored, "a file")
    with pytest.raises(MediaError, match=r"lora_magnitude_vector\.weight is not in the model"):
        load_adapter_tensors(adapted("lora"), stored, "a file")
    with pytest.raises(MediaError, match=r"is not in the model; .*and 31 more"):
        load_adapter_tensors(t5(), stored, "a file")


def test_a_seed_makes_the_adapters_and_leaves_other_draws_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = (adapter_tensors(adapted(seed=s)) for s in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    name = f"{QUERY}.lora_A.weight"
    assert torch.equal(one[name], same[name])
    assert not torch.equal(one[name], other[name])


def test_full_trains_everything_and_frozen_nothing() -> None:
    full = adapt(t5(), "full", None)
    assert all(parameter.requires_grad for parameter in full.parameters())
    frozen = adapted("frozen")
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert adapter_tensors(full) == adapter_tensors(frozen) == {}
    assert torch.equal(logits(merged(full)), logits(full))


def test_adapters_on_random_weights_are_refused() -> None:
    for kind in ("dora", "lora", "frozen"):
        with pytest.raises(UsageError, match=f"'{kind}' keeps .* these are random; pretrain one"):
            adapt(t5(), kind, None)  # type: ignore[arg-type]


def test_what_cannot_be_adapted_is_refused_before_anything_changes() -> None:
    model = t5()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(
        UsageError, match=r"no layer 'wi0' \(did you mean 'wi_0'\?\); adapters go on"
    ):
        adapt(model, "dora", BASE, targets=("q", "wi0"))
    with pytest.raises(UsageError, match="need a layer"):
        adapt(model, "dora", BASE, targets=())
    with pytest.raises(UsageError, match="rank 0, alpha 64"):
        adapt(model, "lora", BASE, rank=0)
    assert list(model.state_dict()) == list(before)
    with pytest.raises(UsageError, match="has adapters already"):
        adapt(adapted(), "lora", BASE)


def test_a_weight_that_is_not_finite_is_not_merged() -> None:
    model = adapted()
    with torch.no_grad():
        dict(model.named_parameters())[f"{QUERY}.lora_A.default.weight"].fill_(float("inf"))
    with pytest.raises(MediaError, match=f"adapter on {QUERY} cannot be merged"):
        merged(model)


def test_every_layer_of_a_block_can_carry_an_adapter() -> None:
    model = adapted(targets=("q", "k", "v", "o", "wi_0", "wi_1", "wo"))
    torch.testing.assert_close(logits(model), logits(t5()), atol=1e-5, rtol=1e-5)
    take_steps(model)
    torch.testing.assert_close(logits(merged(model)), logits(model), atol=1e-5, rtol=1e-4)
