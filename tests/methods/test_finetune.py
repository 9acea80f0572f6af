"""What a model takes over from a checkpoint, what begins at random, and that both are said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.corpora.store import StoreWriter
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample
from signloom.errors import MediaError, UsageError
from signloom.methods import posestitch
from signloom.methods.finetune import READER, TOKENS, begin_with
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, run_recipe
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import save_checkpoint

OLD_TEXTS = ["the rain is cold", "the weather is cold", "cold rain"]
NEW_TEXTS = ["the snow is warm", "warm snow", "the warm weather"]
SMALL = {
    "width": 16,
    "front": 16,
    "decoder_width": 16,
    "encoder_inner": 16,
    "decoder_inner": 16,
    "vocabulary": 60,
}
CONFIG = posestitch.Config.of({**posestitch.PRESETS["tiny"].to_json(), **SMALL, "layout": "ps76"})


def built(config: posestitch.Config, texts: list[str], seed: int) -> posestitch.PoseStitch:
    return posestitch.build(config, train_bpe(texts, 60, 1), seed)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    model = built(CONFIG, OLD_TEXTS, seed=1)
    said = {"name": "old", "simulated_only": False, **model.described()}
    save_checkpoint(tmp_path / "old", said, model, model.tokenizer)
    return tmp_path / "old"


def test_another_vocabulary(old: Path) -> None:
    model = built(CONFIG, NEW_TEXTS, seed=2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    begun = begin_with(model, old)
    after, theirs = model.state_dict(), load(old).state_dict()
    assert begun.renewed == ()
    assert all(torch.equal(after[n], theirs[n]) for n in after if n not in TOKENS)
    new, known = model.tokenizer.get_vocab(), load(old).tokenizer.get_vocab()
    both = set(new) & set(known)
    assert 10 < len(both) < len(new), "the two vocabularies share some tokens"
    assert (begun.tokens, begun.vocabulary) == (len(both), len(new))
    sizes = [p.numel() for p in model.parameters()]
    lost = before[TOKENS[0]].numel() * (len(new) - len(both)) / len(new)
    assert begun.filled == pytest.approx(1 - lost / sum(sizes))
    for token, row in new.items():
        source = theirs[TOKENS[0]][known[token]] if token in both else before[TOKENS[0]][row]
        assert torch.equal(after[TOKENS[0]][row], source), token
    assert torch.equal(after[TOKENS[0]], after[TOKENS[1]]), "one tensor still"


@pytest.mark.parametrize(
    "change",
    [
        {"layout": "hands42", "normalizer": "minmax_joint"},
        {"local_hands": not CONFIG.local_hands},
        {"coordinates": 3},
    ],
)
def test_other_frames_begin_the_reading_layer_anew(old: Path, change: dict) -> None:
    model = built(replace(CONFIG, **change), OLD_TEXTS, seed=2)
    before = model.state_dict()[READER[0]].clone()
    assert begin_with(model, old).renewed == READER
    after, theirs = model.state_dict(), load(old).state_dict()
    assert torch.equal(after[READER[0]], before)
    assert all(torch.equal(after[n], theirs[n]) for n in after if n not in READER)


def test_another_shape_is_refused_with_what_to_set(old: Path) -> None:
    model = built(replace(CONFIG, width=32, encoder_heads=2), OLD_TEXTS, seed=2)
    with pytest.raises(UsageError, match=r"it has width 16 \(the recipe has 32\), encoder_heads 4"):
        begin_with(model, old)
    with pytest.raises(MediaError, match="is not a checkpoint"):
        begin_with(model, old.parent / "none")


def recipe(folder: Path, **more: object) -> Recipe:
    store = {"store": str(folder / "store")}
    return Recipe.model_validate(
        {
            "name": "fine",
            "method": "posestitch",
            "preset": "tiny",
            "config": {**SMALL, "layout": "hands42", "normalizer": "minmax_joint"},
            "data": {"train": store, "dev": {**store, "split": "dev"}, "dev_limit": 1},
            "curriculum": {"kind": "fixed", "cap": 1.0},
            "training": {"steps": 1, "batch": 2, "lr": 1e-9, "device": "cpu", "weight_decay": 0},
            **more,
        }
    )


def test_from_a_recipe(old: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with StoreWriter(tmp_path / "store", HANDS42) as writer:
        for n, text in enumerate(NEW_TEXTS):
            points = rng.random((12, 42, 3)).astype(np.float32)
            clip = PoseClip(points, np.ones((12, 42), np.float32), 25.0, HANDS42)
            writer.add(Sample(str(n), clip, text), "dev" if n == 2 else "train")
    plain, fine = recipe(tmp_path), recipe(tmp_path, init=str(old))
    assert "init" not in plain.resolved(), "recipes without it keep their hash"
    assert plain.hash() != fine.hash()
    said: list[str] = []
    run_recipe(fine, tmp_path / "run", say=said.append)
    config = json.loads((tmp_path / "run" / "last" / "config.json").read_text())
    assert config["init"]["renewed"] == list(READER)
    assert config["init"]["name"] == "old"
    share = int(1000 * config["init"]["filled"]) / 10
    assert 0 < share < 100
    assert said == [
        f"init: {old} filled {share} % of the model's own parameters; 2 tensors begin anew "
        f"({', '.join(READER)})"
    ]
    assert config["recipe"]["init"] == str(old)
    assert config["simulated_only"] is False
    trained, theirs = load(tmp_path / "run" / "last").state_dict(), load(old).state_dict()
    for name in trained:
        if name not in (*READER, *TOKENS):
            torch.testing.assert_close(trained[name], theirs[name], atol=1e-6, rtol=0)
