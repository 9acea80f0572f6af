"""Causal models of other families: read whole whatever their files call the weights, adapted, asked by their template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from signloom.errors import MediaError, UsageError
from signloom.language.adapters import adapt
from signloom.language.chat import load_causal, own_codec
from signloom.text.tokenizer import train_bpe

CODEC = own_codec(train_bpe(["the cat sat", "a dog ran"] * 4, 60))
SHAPE: dict[str, Any] = {
    "vocab_size": len(CODEC), "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1,
    "num_attention_heads": 2, "max_position_embeddings": 64, "bos_token_id": 0, "eos_token_id": 2,
}  # fmt: skip


def family(name: str) -> PreTrainedModel:
    torch.manual_seed(0)
    if name == "qwen":  # more rows than tokens, its head is its embedding
        more = {"vocab_size": len(CODEC) + 5, "num_key_value_heads": 1, "tie_word_embeddings": True}
        return Qwen2ForCausalLM(Qwen2Config(**{**SHAPE, **more})).eval()
    if name == "neox":
        return GPTNeoXForCausalLM(GPTNeoXConfig(**SHAPE)).eval()
    ids = {"bos_token_id": 0, "eos_token_id": 2}
    shape = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(CODEC), **shape, **ids)).eval()


def write(model: PreTrainedModel, folder: Path, template: str = "") -> None:
    model.save_pretrained(folder)
    CODEC.tokenizer.save(str(folder / "tokenizer.json"))
    said = {"bos_token": "<s>", "eos_token": "</s>", "chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))


@pytest.mark.parametrize(
    ("name", "targets"),
    [("qwen", ("q_proj", "o_proj")), ("neox", ("query_key_value",)), ("gpt2", ("c_attn",))],
)
def test_other_families_are_read_whole_and_adapted(
    name: str, targets: tuple[str, ...], tmp_path: Path
) -> None:
    model = family(name)
    write(model, tmp_path)
    weights = tmp_path / "model.safetensors"
    if name == "gpt2":  # as the first of them was published: without its prefix
        plain = {n.removeprefix("transformer."): t for n, t in load_file(weights).items()}
        save_file(plain, weights, metadata={"format": "pt"})
    found = load_causal(str(tmp_path))
    assert found.base.filled == 1.0
    asked = torch.tensor([[0, 5, 7]])
    wanted = model(asked).logits
    torch.testing.assert_close(found.model(asked).logits, wanted)
    adapted = adapt(found.model, "lora", found.base, rank=2, alpha=4, targets=targets)
    torch.testing.assert_close(adapted(asked).logits, wanted)
    learning = [p for p in adapted.parameters() if p.requires_grad]
    adapted(asked).logits.sum().backward()
    assert learning
    assert all(p.grad is not None for p in learning)


def test_a_head_by_its_old_name_is_not_taken_for_granted(tmp_path: Path) -> None:
    write(family("neox"), tmp_path)
    weights = tmp_path / "model.safetensors"
    held = load_file(weights)
    lacking = {name: tensor for name, tensor in held.items() if name != "embed_out.weight"}
    save_file(lacking, weights, metadata={"format": "pt"})
    with pytest.raises(MediaError, match=r"lm_head\.weight is missing"):
        load_causal(str(tmp_path))


def test_an_end_that_the_tokenizer_leaves_empty_is_the_one_of_the_config(tmp_path: Path) -> None:
    write(family("qwen"), tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"eos_token": ""}')
    assert load_causal(str(tmp_path)).codec.end == 2


def test_a_template_that_names_the_day_names_the_same_every_day(tmp_path: Path) -> None:
    template = (  # as Llama-3.2's
        "{% if not date_string is defined %}{% if strftime_now is defined %}"
        "{% set date_string = strftime_now('%d %b %Y') %}{% endif %}{% endif %}"
        "{{ date_string }} {{ messages[0]['content'] }}{% if add_generation_prompt %} A:{% endif %}"
    )
    write(family("qwen"), tmp_path, template)
    codec = load_causal(str(tmp_path)).codec
    assert codec.rendered("the cat") == "26 Jul 2024 the cat A:"
    with pytest.raises(UsageError, match="the instruction has no words; say what to do"):
        codec.prompt(" \n\N{OBJECT REPLACEMENT CHARACTER}")
