"""What a model takes over from a checkpoint, what begins at random, and that both are said."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.corpora.store import StoreWriter
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76
from signloom.data.sample import Sample
from signloom.errors import MediaError, UsageError
from signloom.inference.fusion import Fused
from signloom.methods import ctc, isolated, posestitch, unified
from signloom.methods.finetune import (
    READER,
    TOKENS,
    _of_other_joints,
    begin_with,
    begin_with_each,
)
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, _anew, run_recipe
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
    parts = {name: int(1000 * part) / 10 for name, part in config["init"]["parts"].items()}
    assert said == [
        f"init: {old} filled {share} % of the model's own parameters: front {parts['front']} %, "
        f"seq2seq {parts['seq2seq']} %",
        f"init: {old} has frames of another kind: layout ps76 there, hands42 here; normalizer shoulder "
        "there, minmax_joint here",
        f"init: 2 tensors begin anew: of front 2 ({', '.join(READER)})",
    ]
    assert config["recipe"]["init"] == str(old)
    assert config["simulated_only"] is False
    trained, theirs = load(tmp_path / "run" / "last").state_dict(), load(old).state_dict()
    for name in trained:
        if name not in (*READER, *TOKENS):
            torch.testing.assert_close(trained[name], theirs[name], atol=1e-6, rtol=0)


LIPS = {"reads": "lips", "lip_encoder": "small"}
READ = isolated.PRESETS["tiny"]
UNIFIED = unified.Config.of({**unified.PRESETS["tiny"].to_json(), "vocabulary": 120})


def recogniser(folder: Path, seed: int, **config: object) -> tuple[Path, isolated.Isolated]:
    """A recogniser on the disk whose backbone is as wide as the unified model's."""
    asked = {
        **READ.to_json(),
        **{
            key: UNIFIED.to_json()[key]
            for key in ("layout", "coordinates", "streams", "presence", "channels", "multipliers",
                        "factored", "adaptive", "width", "layers", "heads", "head_width")
        },
        "normalizer": "shoulder",
        "auxiliary": 0.0,
        **config,
    }  # fmt: skip
    model = isolated.build(isolated.Config.of(asked), ["book", "tree"], seed)
    save_checkpoint(
        folder, {"name": folder.name, "simulated_only": seed == 1, **model.described()}, model
    )
    return folder, model


def both(texts: list[str] = OLD_TEXTS, **config: object) -> unified.Unified:
    return unified.begin(replace(UNIFIED, **config), texts, 5)


def taken(model: torch.nn.Module, other: torch.nn.Module) -> set[str]:
    """The tensors that are the other's, of those that can differ."""
    theirs = other.state_dict()
    return {
        n for n, t in model.state_dict().items() if n in theirs and torch.equal(t, theirs[n])
    } - {
        n
        for n, t in both(lips="small").state_dict().items()
        if n in theirs and torch.equal(t, theirs[n])
    }


def test_a_model_of_pose_and_lips_begins_with_a_recogniser_of_each(tmp_path: Path) -> None:
    pose_folder, pose = recogniser(tmp_path / "pose", 1)
    lips_folder, lips = recogniser(tmp_path / "mouth", 2, **LIPS)
    model = both(lips="small")
    first, second = begin_with_each(model, [pose_folder, lips_folder])
    assert {n.partition(".")[0] for n in taken(model, pose)} == {"backbone"}
    assert {n.partition(".")[0] for n in taken(model, lips)} == {"mouth", "lip"}
    assert first.parts["backbone"] == second.parts["mouth"] == second.parts["lip"] == 1
    assert first.parts["mouth"] == second.parts["backbone"] == 0
    assert {n.partition(".")[0] for n in second.renewed} == {"bridge", "language"}
    assert (first.simulated_only, second.simulated_only) == (True, False)
    alone = both(lips="small")
    assert begin_with(alone, lips_folder).parts["backbone"] == 0
    with pytest.raises(
        UsageError, match=r"pose fills nothing that those before it have not filled; leave it out"
    ):
        begin_with_each(both(lips="small"), [pose_folder, pose_folder])


def test_a_fused_checkpoint_is_both_of_its_parts(tmp_path: Path) -> None:
    _, pose = recogniser(tmp_path / "pose", 1)
    _, lips = recogniser(tmp_path / "mouth", 2, **LIPS)
    whole = Fused(pose, lips, 0.7)
    save_checkpoint(tmp_path / "fused", {"name": "fused", **whole.described()}, whole)
    model, apart = both(lips="small"), both(lips="small")
    begun = begin_with(model, tmp_path / "fused")
    begin_with_each(apart, [tmp_path / "pose", tmp_path / "mouth"])
    assert all(torch.equal(t, apart.state_dict()[n]) for n, t in model.state_dict().items())
    assert (begun.parts["backbone"], begun.parts["mouth"], begun.parts["lip"]) == (1, 1, 1)
    assert begun.parts["language"] == 0
    assert 0 < begun.filled < 1


def test_of_a_fused_checkpoint_is_taken_what_the_model_reads(tmp_path: Path) -> None:
    """Whichever comes first; a head of the other kind of features is no head, were it of the same words."""
    pose_folder, pose = recogniser(tmp_path / "pose", 1)
    _, lips = recogniser(tmp_path / "mouth", 2, **LIPS)
    whole = Fused(pose, lips, 0.7)
    save_checkpoint(tmp_path / "fused", {"name": "fused", **whole.described()}, whole)
    model = both()
    begun = begin_with(model, tmp_path / "fused")
    assert (begun.left_out, begun.parts["backbone"]) == (("lips",), 1)
    for config, theirs in (({}, pose), (LIPS, lips)):
        _, alone = recogniser(tmp_path / "alone", 3, **config)
        begun = begin_with(alone, tmp_path / "fused")
        assert begun.renewed == ()
        assert all(torch.equal(t, theirs.state_dict()[n]) for n, t in alone.state_dict().items())
        shutil.rmtree(tmp_path / "alone")
    _, alone = recogniser(tmp_path / "alone", 3, **LIPS)
    with pytest.raises(UsageError, match=r"only 0% of .*pose fits this model"):
        begin_with(alone, pose_folder)
    model = both(lips="small")
    first, second = begin_with_each(model, [pose_folder, tmp_path / "fused"])
    assert (second.parts["backbone"], second.parts["mouth"]) == (0, 1)
    assert taken(model, pose) | taken(model, lips)
    assert first.parts["backbone"] == 1


def test_what_reads_another_lip_encoder_begins_anew(tmp_path: Path) -> None:
    """Two frozen ones of one shape; the one that a checkpoint has learnt is that one frozen."""
    folder, learnt = recogniser(tmp_path / "mouth", 2, **LIPS)
    other, _ = recogniser(tmp_path / "other", 3, **LIPS)
    same = both(lips="small", lip_weights=str(folder))
    assert begin_with(same, folder).parts["lip"] == 1
    model = both(lips="small", lip_weights=str(other))
    begun = begin_with(model, folder)
    assert begun.otherwise == ("another lip encoder",)
    reading = {n for n in model.state_dict() if n.startswith("lip.conformer.fc1.")}
    assert {n for n in begun.renewed if n.startswith("lip.")} == reading != set()
    assert 0 < begun.parts["lip"] < 1
    assert not reading & taken(model, learnt)


def test_articulators_of_equal_size_that_are_others_are_read_anew(tmp_path: Path) -> None:
    """Of a layout a gloss reader may read some parts; what reads the numbers knows which."""
    config = replace(ctc.PRESETS["tiny"], layout="ps76", local_hands=False)
    config = replace(config, parts=("left_hand", "body"))
    old = ctc.begin(config, ["book tree"], 1)
    save_checkpoint(tmp_path / "old", {"name": "old", **old.described()}, old, old.tokenizer)
    model = ctc.begin(replace(config, parts=("right_hand", "body")), ["book tree"], 2)
    assert len(model.config.read) == len(old.config.read)
    begun = begin_with(model, tmp_path / "old")
    assert len(begun.otherwise) == 1
    assert "left_hand" in begun.otherwise[0].partition(" there")[0]
    assert set(begun.renewed) == {
        n for n in model.state_dict() if ".compression.convolutions.0." in n or n == "counts"
    }


def test_what_begins_anew_is_told_by_parts(tmp_path: Path) -> None:
    every = ["backbone.a", "backbone.b", "backbone.c", "bridge.a", "language.a", "language.b"]
    assert _anew(every[3:], every) == "all of bridge, language"
    assert _anew([*every[:1], *every[3:4]], every) == "all of bridge; of backbone 1 (backbone.a)"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            {"streams": ("local", "position", "velocity")},
            "streams position+local+velocity there, local+",
        ),
        ({"streams": ("position", "bone", "velocity")}, "here"),
        (
            {"presence": False, "coordinates": 2, "streams": ("position",)},
            "presence True there, False here",
        ),
    ],
)
def test_numbers_made_otherwise_are_read_anew(tmp_path: Path, config: dict, told: str) -> None:
    folder, old = recogniser(tmp_path / "pose", 1)
    model = both(**config)
    begun = begin_with(model, folder)
    reading = {n for n in model.state_dict() if ".fc1." in n and "encoders" in n}
    assert reading
    assert {n for n in begun.renewed if n.startswith("backbone.")} == reading
    assert any(told in one for one in begun.otherwise)
    assert 0.9 < begun.parts["backbone"] < 1
    assert not reading & taken(model, old)


def test_another_rate_is_told_and_nothing_is_read_anew(tmp_path: Path) -> None:
    old = both(fps=25.0, window=10.0)
    save_checkpoint(tmp_path / "old", {"name": "old", **old.described()}, old, old.tokenizer)
    begun = begin_with(both(), tmp_path / "old")
    assert begun.otherwise == ("fps 25.0 there, 12.5 here",)
    assert begun.renewed == ()
    folder, _ = recogniser(tmp_path / "longer", 1, frames=READ.frames + 8)
    _, model = recogniser(tmp_path / "new", 2)
    begun = begin_with(model, folder)
    assert begun.otherwise == (f"frames {READ.frames + 8} there, {READ.frames} here",)
    assert begun.renewed == ()
    config = replace(ctc.PRESETS["tiny"], layout="ps76", fps=12.5)
    old = ctc.begin(config, ["book tree"], 1)
    save_checkpoint(tmp_path / "glosses", {"name": "old", **old.described()}, old, old.tokenizer)
    begun = begin_with(ctc.begin(replace(config, fps=None), ["book"], 2), tmp_path / "glosses")
    assert begun.otherwise == ("fps 12.5 there, each clip's own here",)


def test_of_another_layout_what_reads_other_joints_begins_anew(tmp_path: Path) -> None:
    """Hands have the same joints in both; a body of as many other ones is another body."""
    keypoints = list(PS76.keypoints)
    body = PS76.part("body").tolist()
    for at in body:
        keypoints[at] = f"OTHER:{at}"
    other = replace(PS76, name="other", keypoints=tuple(keypoints))
    patterns = _of_other_joints(PS76, other)
    model = both()
    anew = {n for n in model.state_dict() if any(fnmatch(n, p) for p in patterns)}
    assert anew
    assert all(n.startswith("backbone.encoders.body.") for n in anew)
    assert "backbone.encoders.body.fc2.weight" in anew
    assert "backbone.encoders.body.blocks.0.learned" in anew


def test_several_in_a_recipe_keep_the_hash_of_one(old: Path, tmp_path: Path) -> None:
    one, several = recipe(tmp_path, init=str(old)), recipe(tmp_path, init=[str(old), "b"])
    assert one.resolved()["init"] == str(old)
    assert one.begins_with == (str(old),)
    assert several.begins_with == (str(old), "b")
    assert recipe(tmp_path).begins_with == ()
    assert len({one.hash(), several.hash(), recipe(tmp_path).hash()}) == 3
    assert recipe(tmp_path, init=[str(old)]).hash() == one.hash()
    for wrong in ([], 3, [3], ""):
        with pytest.raises(
            ValueError, match=r"init is .*, expected a checkpoint .* or a list of them"
        ):
            recipe(tmp_path, init=wrong)
    model = built(CONFIG, OLD_TEXTS, seed=2)
    with pytest.raises(
        UsageError, match=r"a posestitch model begins with one checkpoint, and .* name one"
    ):
        begin_with_each(model, [old, old])
