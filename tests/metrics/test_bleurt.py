"""BLEURT's adapter on a tiny random checkpoint made here: the model's own outputs, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from signloom.errors import MediaError, UsageError
from signloom.metrics.bleurt import count_bleurt
from signloom.metrics.significance import compare

HYPOTHESES, REFERENCES = ["rain falls", "", "The dog"], ["rain", "snow falls today", "the cat"]


def checkpoint(folder: Path, seed: int = 0, outputs: int = 1) -> Path:
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] rain snow falls the dog cat today".split()
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=outputs,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_scores_are_the_models_of_reference_then_hypothesis(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "tiny")
    counts = count_bleurt(folder, HYPOTHESES, REFERENCES, batch=2)
    model = BertForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    with torch.no_grad():
        each = [
            float(model(**tokenizer(r, h, return_tensors="pt")).logits)
            for h, r in zip(HYPOTHESES, REFERENCES, strict=True)
        ]
    assert counts.statistics[:, 0] == pytest.approx(each, abs=1e-5)
    assert counts.score().value == pytest.approx(sum(each) / 3, abs=1e-5)
    assert counts.signature.startswith("nrefs:1|case:mixed|checkpoint:tiny|weights:")
    assert count_bleurt(folder, ["rain " * 99], ["rain"]).score().n == 1  # cut to what fits


def test_checkpoints_are_not_mixed(tmp_path: Path) -> None:
    pair = (HYPOTHESES, REFERENCES)
    first, second = (checkpoint(tmp_path / f"tiny{seed}", seed) for seed in (0, 1))
    (tmp_path / "other").mkdir()
    same_name = checkpoint(tmp_path / "other" / "tiny0", 1)
    for other in (second, same_name):
        with pytest.raises(UsageError, match=r"BLEURT .*checkpoint:tiny0.* were not counted alike"):
            compare([count_bleurt(first, *pair)], [count_bleurt(other, *pair)])


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"has no config\.json, so it is no BLEURT checkpoint"):
        count_bleurt(tmp_path, HYPOTHESES, REFERENCES)
    bare = checkpoint(tmp_path / "bare")
    (bare / "model.safetensors").rename(bare / "pytorch_model.bin")
    with pytest.raises(MediaError, match=r"has no model\.safetensors"):
        count_bleurt(bare, HYPOTHESES, REFERENCES)
    two = checkpoint(tmp_path / "two", outputs=2)
    with pytest.raises(MediaError, match="has 2 outputs, a BLEURT checkpoint has 1"):
        count_bleurt(two, HYPOTHESES, REFERENCES)
    odd = checkpoint(tmp_path / "odd")
    (odd / "config.json").write_text(json.dumps({"model_type": "bleurt"}))
    with pytest.raises(MediaError, match="cannot be read as a BLEURT checkpoint"):
        count_bleurt(odd, HYPOTHESES, REFERENCES)


def test_weights_that_lack_a_part_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = checkpoint(tmp_path / "tiny")
    tensors = load_file(folder / "model.safetensors")
    del tensors["classifier.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MediaError, match=r"lack 1 of the model's parts, the first 'classifier"):
        count_bleurt(folder, HYPOTHESES, REFERENCES)
