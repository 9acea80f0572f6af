"""Pretrained parts load whole or stop the run; padding is never seen."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel

from signloom.errors import MediaError, UsageError
from signloom.language.causal import build_gpt2
from signloom.language.seq2seq import (
    Seq2Seq,
    bert_encoder,
    load_decoder,
    load_encoder,
)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    BertModel(
        BertConfig(
            vocab_size=30,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=24,
            max_position_embeddings=20,
        )
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpt2")
    GPT2LMHeadModel(
        GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=20)
    ).save_pretrained(folder)
    return folder


def encoder(layers: int = 2) -> BertModel:
    return bert_encoder(width=16, layers=layers, heads=2, inner=24, positions=20, dropout=0.0)


def decoder(inner: int = 64) -> GPT2LMHeadModel:
    return build_gpt2(
        30, width=16, layers=2, heads=2, inner=inner, positions=20, dropout=0.0, crossed=True
    )


def test_a_pretrained_encoder_is_filled_whole(bert: Path) -> None:
    model = encoder()
    assert load_encoder(model, str(bert)) == 1.0
    expected = BertModel.from_pretrained(bert).state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def test_a_pretrained_decoder_keeps_own_embeddings_and_cross_attention(gpt2: Path) -> None:
    model = decoder()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    filled = load_decoder(model, str(gpt2))
    expected = GPT2LMHeadModel.from_pretrained(gpt2).state_dict()
    own = [name for name in before if "cross" in name or "wte" in name or "lm_head" in name]
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name] if name in own else expected[name]), name
    parameters = dict(model.named_parameters())
    ours = sum(p.numel() for name, p in parameters.items() if name in own)
    assert filled == pytest.approx(1 - ours / sum(p.numel() for p in parameters.values()))


def test_other_shapes_and_no_weights_are_refused(bert: Path, gpt2: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="num_hidden_layers is 2 there and 3 here"):
        load_encoder(encoder(layers=3), str(bert))
    with pytest.raises(UsageError, match="n_inner is 64 there and 48 here"):
        load_decoder(decoder(inner=48), str(gpt2))
    with pytest.raises(MediaError, match="cannot be read"):
        load_encoder(encoder(), str(tmp_path))
    for folder, load in ((bert, lambda: load_encoder(encoder(), str(tmp_path))),
                         (gpt2, lambda: load_decoder(decoder(), str(tmp_path)))):  # fmt: skip
        (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
        weights = (folder / "model.safetensors").read_bytes()
        (tmp_path / "model.safetensors").write_bytes(weights[:500])
        with pytest.raises(MediaError, match=r"cannot be read \(.*header"):
            load()
        (tmp_path / "model.safetensors").unlink()
        torch.save(load_file(folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
        with pytest.raises(MediaError, match=r"cannot be read .* with a model\.safetensors"):
            load()


def test_weights_that_load_in_part_stop_the_run(bert: Path, tmp_path: Path) -> None:
    for file in bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["encoder.layer.1.output.dense.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MediaError, match=r"fill 9\d\.\d % .*layer\.1\.output\.dense\.weight"):
        load_encoder(encoder(), str(tmp_path))


def test_padding_changes_nothing() -> None:
    torch.manual_seed(0)
    narrow = build_gpt2(
        30, width=12, layers=1, heads=2, inner=24, positions=20, dropout=0.0, crossed=True
    )
    model = Seq2Seq(encoder(), narrow).eval()
    embeddings, tokens = torch.randn(1, 7, 16), torch.randint(0, 30, (1, 5))
    padded = torch.cat([embeddings, torch.full((1, 4, 16), 9.0)], dim=1)
    mask = torch.tensor([[True] * 7 + [False] * 4])
    with torch.no_grad():
        alone = model(embeddings, mask[:, :7], tokens)
        torch.testing.assert_close(model(padded, mask, tokens), alone, atol=1e-5, rtol=1e-4)
