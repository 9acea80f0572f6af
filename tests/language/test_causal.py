"""A GPT-2 behind a prefix: positions, padding, the cache, and pretrained weights that load whole or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import GPT2Config, GPT2LMHeadModel, GPT2Model

from signloom.errors import MediaError, UsageError
from signloom.language.beam import beam_search
from signloom.language.causal import Prefixed, build_gpt2, fill_gpt2, gpt2_tokenizer

SHAPE = {"width": 16, "layers": 2, "heads": 2, "inner": 64, "positions": 30, "dropout": 0.0}


def decoder(seed: int = 0, vocabulary: int = 11) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    return build_gpt2(vocabulary, **SHAPE).eval()  # type: ignore[arg-type]


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    """A folder as others write it: 40 positions, 50 words, tied, n_inner unsaid."""
    torch.manual_seed(7)
    theirs = GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=40)
    )
    with (
        torch.no_grad()
    ):  # fresh biases and norms are constants; these tell one tensor from another
        for parameter in theirs.parameters():
            parameter.normal_()
    theirs.save_pretrained(tmp_path / "gpt2")
    Tokenizer(models.WordLevel({f"w{i}": i for i in range(50)}, unk_token="w0")).save(
        str(tmp_path / "gpt2" / "tokenizer.json")
    )
    return tmp_path / "gpt2"


def changed(folder: Path, change) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def test_head_is_its_own_and_the_parts_are_gpt2s() -> None:
    model = decoder()
    assert model.lm_head.weight is not model.transformer.wte.weight
    assert (model.config.activation_function, model.config.n_positions) == ("gelu_new", 30)
    assert not model.config.add_cross_attention


def test_padding_of_the_prefix_changes_nothing() -> None:
    model, prefix = Prefixed(decoder()), torch.randn(2, 9, 16)
    mask = torch.ones(2, 9, dtype=torch.bool)
    mask[0, 5:] = False
    tokens = torch.randint(0, 11, (2, 4))
    together = model(prefix, mask, tokens)
    alone = model(prefix[:1, :5], mask[:1, :5], tokens[:1])
    torch.testing.assert_close(together[:1], alone, atol=1e-5, rtol=1e-4)
    # The same by plain concatenation, where transformers counts positions itself.
    both = torch.cat([prefix[1:], model.decoder.transformer.wte(tokens[1:])], 1)
    plain = model.decoder(inputs_embeds=both).logits[:, 9:]
    torch.testing.assert_close(together[1:], plain, atol=1e-5, rtol=1e-4)


def test_a_text_token_sees_no_later_one() -> None:
    model, prefix = Prefixed(decoder()), torch.randn(1, 3, 16)
    mask, tokens = torch.ones(1, 3, dtype=torch.bool), torch.tensor([[1, 2, 3, 4]])
    other = tokens.clone()
    other[0, 3] = 9
    a, b = model(prefix, mask, tokens), model(prefix, mask, other)
    torch.testing.assert_close(a[:, :3], b[:, :3])
    assert not torch.allclose(a[:, 3], b[:, 3])


def test_the_cache_gives_what_the_whole_gives() -> None:
    """A beam search with the stepper against one that runs the whole model at every step."""
    model, prefix = Prefixed(decoder()), torch.randn(2, 6, 16)
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[1, 3:] = False
    width, start = 3, torch.zeros(2, 1, dtype=torch.long)
    rows, there = prefix.repeat_interleave(width, 0), mask.repeat_interleave(width, 0)
    found = beam_search(model.stepper(prefix, mask, width), start, end=1, width=width, max_length=7)
    again = beam_search(
        lambda tokens, _: model(rows, there, tokens)[:, -1], start, 1, width, max_length=7
    )
    for mine, theirs in zip(found, again, strict=True):
        assert [h.tokens for h in mine] == [h.tokens for h in theirs]
        assert [h.score for h in mine] == pytest.approx([h.score for h in theirs], abs=1e-5)


def test_everything_but_words_and_head_is_filled(pretrained: Path) -> None:
    model = decoder()
    before = {name: p.clone() for name, p in model.named_parameters()}
    base = fill_gpt2(model, str(pretrained), words=False)
    theirs = load_file(pretrained / "model.safetensors")
    own = dict(model.named_parameters())
    words = {"transformer.wte.weight", "lm_head.weight"}
    for name, parameter in own.items():
        if name in words:
            assert torch.equal(parameter, before[name])
        else:
            assert torch.equal(parameter, theirs[name][: len(parameter)]), name
    kept = sum(own[name].numel() for name in words)
    total = sum(p.numel() for p in own.values())
    assert base.filled == pytest.approx(1 - kept / total)
    assert base.parameters == total


def test_words_too_are_filled_where_the_vocabulary_is_theirs(pretrained: Path) -> None:
    tokenizer = gpt2_tokenizer(str(pretrained))
    model = decoder(vocabulary=tokenizer.get_vocab_size())
    assert fill_gpt2(model, str(pretrained), words=True).filled == 1.0
    assert torch.equal(model.lm_head.weight, model.transformer.wte.weight)
    theirs = GPT2LMHeadModel.from_pretrained(pretrained).eval()
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    torch.testing.assert_close(model(ids).logits, theirs(ids).logits)


def test_old_files_with_masks_and_without_prefix_load(pretrained: Path) -> None:
    """The trap of spec §2: causal masks stored as buffers made strict loading fail, silently."""
    plain = GPT2Model.from_pretrained(pretrained)
    plain.save_pretrained(pretrained)

    def add(tensors) -> None:
        for layer in range(2):
            tensors[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 40, 40).tril()
            tensors[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)

    changed(pretrained, add)
    model = decoder()
    fill_gpt2(model, str(pretrained), words=False)
    assert torch.equal(model.transformer.h[1].mlp.c_fc.weight, plain.h[1].mlp.c_fc.weight)


def test_what_should_load_and_does_not_stops_the_run(pretrained: Path) -> None:
    model = decoder()
    before = {name: p.clone() for name, p in model.named_parameters()}
    changed(pretrained, lambda t: t.pop("transformer.h.1.attn.c_attn.weight"))
    with pytest.raises(MediaError, match=r"fill [0-9.]+ % of the decoder.*attn.weight is missing"):
        fill_gpt2(model, str(pretrained), words=False)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    none = torch.full((16, 48), torch.nan)
    changed(pretrained, lambda t: t.update({"transformer.h.1.attn.c_attn.weight": none}))
    with pytest.raises(MediaError, match=r"c_attn.weight holds numbers that are none"):
        fill_gpt2(model, str(pretrained), words=False)
    changed(pretrained, lambda t: t.update({"transformer.h.1.attn.c_attn.weight": torch.ones(3)}))
    with pytest.raises(MediaError, match=r"c_attn.weight has shape \(3,\), expected \(16, 48\)"):
        fill_gpt2(model, str(pretrained), words=False)
    changed(pretrained, lambda t: t.update({"transformer.h.7.ln_1.weight": torch.ones(16)}))
    with pytest.raises(MediaError, match=r"h.7.ln_1.weight is not in the model"):
        fill_gpt2(model, str(pretrained), words=False)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"scale_attn_by_inverse_layer_idx": True}, "layer_idx is True there and False here; give"),
        ({"layer_norm_epsilon": 1e-3}, "layer_norm_epsilon is 0.001 there and 1e-05 here; give"),
        ({"n_positions": None}, "n_positions is None there, less than the"),
        ({"n_embd": None, "n_inner": None}, "n_embd is None there and 16 here"),
    ],
)
def test_weights_that_are_computed_with_otherwise_are_refused(
    changed: dict[str, object], says: str, pretrained: Path
) -> None:
    said = json.loads((pretrained / "config.json").read_text())
    (pretrained / "config.json").write_text(json.dumps({**said, **changed}))
    with pytest.raises(UsageError, match=says):
        fill_gpt2(decoder(), str(pretrained), words=False)


def test_another_shape_or_kind_is_refused(pretrained: Path) -> None:
    torch.manual_seed(0)
    long = build_gpt2(11, **{**SHAPE, "positions": 99, "layers": 3})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="n_layer is 2 there and 3 here; n_positions is 40 there"):
        fill_gpt2(long, str(pretrained), words=False)
    said = json.loads((pretrained / "config.json").read_text())
    (pretrained / "config.json").write_text(json.dumps({**said, "model_type": "t5"}))
    with pytest.raises(MediaError, match="of type 't5', expected 'gpt2'"):
        fill_gpt2(decoder(), str(pretrained), words=False)
    with pytest.raises(MediaError, match="there is no language model"):
        fill_gpt2(decoder(), str(pretrained / "nothing"), words=False)
