"""Recipes say what they mean, name what is wrong, and train from a command to a checkpoint."""

from __future__ import annotations

import hashlib
import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from torch import nn

import signloom
from signloom.cli.main import main
from signloom.corpora.prepare import write_store
from signloom.data.layouts import HANDS42, PS76
from signloom.errors import UsageError
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, _learnt_too, _with_lips, read_recipe, run_recipe
from signloom.methods.sources import First
from signloom.simulator.corpora import SimulatedSentences, SimulatedWords
from signloom.training.checkpoint import read_checkpoint
from signloom.training.fit import DivergedError
from signloom.training.mixing import AnnealedCap, Mixture
from signloom.training.resume import newest_state

RECIPES = Path(signloom.__file__).parent.parent / "recipes"
TINY = RECIPES / "posestitch-sim-tiny.yaml"
QUICK = {
    "name": "quick",
    "method": "posestitch",
    "preset": "tiny",
    "config": {"width": 16, "front": 16, "decoder_width": 16, "vocabulary": 120, "dropout": 0.1},
    "data": {
        "train": {"simulated": "sentences", "size": "tiny"},
        "synthetic": {"stitched": "sim:tiny", "sentences": {"one_word": 1}, "rounds": 3},
        "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"},
        "dev_limit": 2,
    },
    "curriculum": {"steps": 4},
    "training": {"steps": 4, "batch": 2, "validate_every": 2, "save_every": 1, "device": "cpu"},
}


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    path = tmp_path / "quick.yaml"
    path.write_text(yaml.safe_dump(QUICK))
    return path


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_of_the_repository_is_valid_and_resolves_to_itself(
    path: Path, tmp_path: Path
) -> None:
    recipe = read_recipe(path)
    resolved = tmp_path / "recipe.yaml"
    resolved.write_text(yaml.safe_dump(recipe.resolved()))
    assert read_recipe(resolved).hash() == recipe.hash()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainning.lr=1", r"unknown key 'trainning' \(did you mean 'training'\?\)"),
        ("training.lrr=1", r"unknown key 'training\.lrr' \(did you mean 'lr'\?\)"),
        ("data.train.sise=tiny", r"unknown key 'data\.train\.sise' \(did you mean 'size'\?\)"),
        (
            "data.synthetic.sentences.coverag=1",
            r"unknown key 'data\.synthetic\.sentences\.coverag' \(did you mean 'coverage'\?\)",
        ),
        ("config.widht=4", r"no setting 'widht' \(did you mean 'width'\?\)"),
        ("preset=smal", r"no preset 'smal' \(did you mean 'small'\?\)"),
        ("training.steps=0", r"'training\.steps' is 0: .*greater than or equal to 1"),
        ("data.train={}", r"'data\.train' is \{\}: .*store, simulated, stitched"),
        ("name.a=1", r"--set name\.a: 'name' holds a value"),
        ("training", r"--set training is no key=value"),
        ("training.steps=[", r"--set training\.steps: '\[' is not YAML"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_said(override: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_recipe(TINY, [override])


def test_set_overrides_any_field_with_yaml_values(tmp_path: Path) -> None:
    changed = [
        "training.steps=7",
        "training.lr=1e-3",
        "config.dropout=0.2",
        "data.synthetic=null",
        "data.train={store: $NOWHERE/x, split: dev}",
    ]
    recipe = read_recipe(TINY, changed)
    assert (recipe.training.steps, recipe.settings().dropout) == (7, 0.2)
    assert recipe.data.synthetic is None
    assert recipe.hash() != read_recipe(TINY).hash()
    with pytest.raises(UsageError, match="environment variable that is not set"):
        run_recipe(recipe, tmp_path)


def test_an_unreadable_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_recipe(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(UsageError, match="holds no mapping"):
        read_recipe(tmp_path / "list.yaml")


def test_train_interrupted_and_resumed_by_command_equals_one_run(
    quick: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert command("train", quick, "-o", whole) == 0
    draw = Mixture.draw

    def interrupted(mixture: Mixture, step: int):
        if step == 2:
            raise DivergedError("stopped here")
        return draw(mixture, step)

    with monkeypatch.context() as patch:
        patch.setattr(Mixture, "draw", interrupted)
        assert command("train", quick, "-o", parts) == 1
    assert command("train", quick, "-o", parts) == 2
    assert command("train", quick, "-o", parts, "--resume", "--set", "seed=9") == 2
    assert command("train", parts / "recipe.yaml", "-o", parts, "--resume") == 0
    assert weights(parts) == weights(whole)
    config = read_checkpoint(whole / "best").config
    assert config["simulated_only"] is True
    assert config["recipe_hash"] == read_recipe(quick).hash()
    assert isinstance(read_recipe(quick).curriculum.schedule(), AnnealedCap)
    assert load(whole / "best").layout.name == "ps76"
    assert "simulated signing only" in (whole / "best" / "README.md").read_text()
    records = [json.loads(line) for line in (parts / "log.jsonl").read_text().splitlines()]
    assert [r["step"] for r in records if "validation" in r] == [2, 4]


def test_training_says_how_many_clips_are_longer_than_is_read(tmp_path: Path) -> None:
    corpora = {s: First(SimulatedSentences("tiny", s, PS76), 6) for s in ("train", "dev")}
    write_store(tmp_path / "store", PS76, corpora, description={})
    lengths = sorted(len(sample.clip) for sample in corpora["train"])
    longest, said = lengths[-3], []
    longer = sum(length > longest for length in lengths)
    assert longer
    recipe = {
        **QUICK,
        "config": {
            **QUICK["config"],
            "max_frames": longest,
            "encoder_positions": longest,
            "steps": [1],
        },
        "data": {
            "train": {"store": str(tmp_path / "store")},
            "dev": {"store": str(tmp_path / "store"), "split": "dev"},
            "dev_limit": 1,
        },
        "training": {"steps": 1, "batch": 2},
    }
    run_recipe(Recipe.model_validate(recipe), tmp_path / "run", say=said.append)
    assert [line.split()[0] for line in said] == [str(longer)]
    assert "longer than the model reads" in said[0]
    few = {**recipe, "data": {**recipe["data"], "train_limit": 1}}
    run_recipe(Recipe.model_validate(few), tmp_path / "few", say=said.append)
    assert len(said) == 1 + (len(corpora["train"][0].clip) > longest)


def weights(run: Path) -> list[str]:
    """sha256 of the last weights and of the newest resume state."""
    state = newest_state(run / "states")
    assert state is not None
    files = [run / "last" / "model.safetensors", state[0] / "tensors.safetensors"]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def command(*arguments: str | Path) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code if isinstance(stop.value.code, int) else 0


@pytest.mark.parametrize(
    ("train", "dev", "told"),
    [
        ({"store": "a"}, {"store": "a", "split": "dev"}, ""),
        ({"store": "a"}, {"store": "a"}, "a, train"),
        (
            {"mixed": [{"percent": 50, "source": {"store": n}} for n in "ab"]},
            {"mixed": [{"percent": 50, "source": {"store": n}} for n in "bc"]},
            "b, train",
        ),
        ({"episodes": "a"}, {"episodes": "a", "ask": "what"}, "a, all of it"),
        ({"episodes": "a"}, {"episodes": "a", "listed": "l", "split": "val"}, "a, val"),
        (
            {"episodes": "a", "listed": "l", "split": "train"},
            {"episodes": "a", "listed": "l", "split": "val"},
            "",
        ),
        (
            {"simulated": "words"},
            {"simulated": "words", "language": 2},
            "",
        ),
        (
            {"instructed": {"simulated": "words"}},
            {"simulated": "words", "split": "train"},
            "sim-words-v1 small, language 1, train",
        ),
    ],
)
def test_what_of_dev_is_learnt_too_is_told(train: dict, dev: dict, told: str) -> None:
    data = {**QUICK["data"], "train": train, "dev": dev}
    assert _learnt_too(Recipe.model_validate({**QUICK, "data": data})) == told


def test_push_shows_the_card_and_needs_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import huggingface_hub

    from signloom.training.checkpoint import save_checkpoint

    from .toys import Toy

    save_checkpoint(tmp_path / "best", {"method": "toy"}, Toy(), card="# The card\n")
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    assert command("push", tmp_path / "best", "org/name", "--yes") == 2
    assert "no hub token is set" in capsys.readouterr().err
    sent: dict[str, object] = {}

    class Hub:
        def create_repo(self, hub_id: str, **options: object) -> None:
            sent.update(options, hub_id=hub_id)

        def upload_folder(self, **options: object) -> str:
            sent.update(options)
            return "https://hub.invalid/org/name"

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "a-token")
    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    assert command("push", tmp_path / "best", "org/name", "--yes", "--private") == 0
    assert capsys.readouterr().out == "# The card\n\nhttps://hub.invalid/org/name\n"
    assert (sent["hub_id"], sent["private"]) == ("org/name", True)
    assert sent["allow_patterns"] == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "README.md",
    ]


@pytest.mark.parametrize("blind", ["train", "dev"])
def test_a_model_that_reads_lips_is_not_trained_without_any(tmp_path: Path, blind: str) -> None:
    source = {"simulated": "words", "size": "tiny"}
    recipe = tmp_path / "lips.yaml"
    recipe.write_text(
        yaml.safe_dump(
            {
                "name": "lips",
                "method": "isolated",
                "preset": "tiny",
                "config": {"reads": "lips", "layout": "ps76", "normalizer": "shoulder"},
                "data": {
                    split: {**source, "split": split, "lips": split != blind}
                    for split in ("train", "dev")
                },
                "training": {"steps": 1, "batch": 2},
            }
        )
    )
    with pytest.raises(UsageError, match=r"none of the first 20 samples .* say 'lips: true'"):
        run_recipe(read_recipe(recipe), tmp_path / "run")


@pytest.mark.parametrize(("alone", "having", "enough"), [
    (True, 20, True), (True, 19, False), (False, 1, True), (False, 0, False),
])  # fmt: skip
def test_a_model_of_lips_alone_wants_them_everywhere(
    alone: bool, having: int, enough: bool
) -> None:
    model = nn.Module()
    model.reads_lips, model.needs_lips = True, alone  # type: ignore[assignment]
    seen = SimulatedWords("tiny", "dev", HANDS42, lips=True)[0]
    source = [seen] * having + [replace(seen, lips=None)] * (25 - having)
    with nullcontext() if enough else pytest.raises(UsageError, match=f"{having or 'none'} of the"):
        _with_lips(model, [source])


@pytest.mark.parametrize(
    ("method", "preset", "config", "why"),
    [
        ("isolated", "fast", {"auxiliary": 0.5}, "auxiliary is set to 0.5 .* backbone is 'recurrent'"),
        ("isolated", "fast", {"layers": 2}, "layers is set to 2 .* backbone is 'recurrent'"),
        ("isolated", "small", {"contrastive": 2.0}, "contrastive is set to 2.0 .* no text_model"),
        ("isolated", "small", {"temperature": 0.2}, "temperature is set to 0.2 .* no text_model"),
        ("isolated", "tiny", {"mask_share": 0.5}, "mask_share is set to 0.5 .* masked is 0"),
        ("isolated", "tiny", {"lip_encoder": "auto_avsr"}, "lip_encoder is set .* reads is 'pose'"),
        ("isolated", "tiny", {"reads": "lips", "noise": 0.5}, "noise is set to 0.5 .* reads is 'lips'"),
        ("unified", "tiny", {"rank": 8}, "rank is set to 8 .* adapter is 'full'"),
        ("unified", "tiny", {"bridge": "conv", "bridge_depth": 3}, "bridge_depth is set to 3 .* is 'conv'"),
        ("unified", "tiny", {"soft": 0.0, "soft_kind": "place"}, "soft_kind is set .* soft is 0"),
        ("unified", "paper", {"vocabulary": 100}, "vocabulary is set to 100 .* language is 'google/flan-t5-xl'"),
        (
            "unified", "tiny", {"layout": "features-8", "fps": 6.25, "channels": 4},
            "channels is set to 4 .* layout 'features-8' is of frames that a backbone has seen",
        ),
    ],
)  # fmt: skip
def test_a_setting_that_changes_nothing_is_refused(
    method: str, preset: str, config: dict[str, object], why: str
) -> None:
    source = {"simulated": "words", "size": "tiny"}
    asked = {
        "name": "idle", "method": method, "preset": preset, "config": config,
        "data": {"train": source, "dev": source}, "training": {"steps": 1},
    }  # fmt: skip
    with pytest.raises(UsageError, match=f"{method}: {why}; leave it out, or change that"):
        Recipe.model_validate(asked).settings()
    usual = Recipe.model_validate(asked | {"config": {}})
    again = Recipe.model_validate(usual.resolved())  # every default written out, idle ones too
    assert again.hash() == usual.hash()
