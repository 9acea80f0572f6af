"""What a recipe can say so that arms of a comparison differ in one thing: which real samples, and two stages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from signloom.data.layouts import PS76
from signloom.errors import UsageError
from signloom.methods import recipe as recipes
from signloom.methods.recipe import Data, Recipe, read_recipe, real_places, run_recipe
from signloom.simulator.corpora import SimulatedSentences, SimulatedWords
from signloom.training.checkpoint import read_checkpoint

QUICK: dict[str, Any] = {
    "name": "quick",
    "method": "posestitch",
    "preset": "tiny",
    "config": {"width": 16, "front": 16, "decoder_width": 16, "vocabulary": 120, "dropout": 0.1},
    "data": {
        "train": {"simulated": "sentences", "size": "tiny"},
        "train_limit": 6,
        "train_without": ["NOT", "mother"],
        "synthetic": {"stitched": "sim:tiny", "sentences": {"one_word": 1}, "rounds": 3},
        "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"},
        "dev_limit": 2,
    },
    "curriculum": {"kind": "disjoint", "steps": 3, "cap": 1.0},
    "training": {
        "steps": 6,
        "batch": 2,
        "lr": 0.01,
        "warmup": 2,
        "schedule": "cosine",
        "restart": True,
        "validate_every": 5,
        "save_every": 1,
        "log_every": 1,
        "device": "cpu",
    },
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "quick.yaml"
    path.write_text(yaml.safe_dump({**QUICK, **changes}))
    return path


def test_real_samples_are_the_first_without_the_glosses(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))
    corpus = SimulatedSentences("tiny", "train", PS76)
    expected = [
        i
        for i in range(60)
        if not {"NOT", "MOTHER"} & {token.gloss for token in corpus.sentence(i).tokens}
    ][:6]
    assert real_places(recipe.data, PS76, 1) == tuple(expected)
    assert expected != list(range(6))
    assert real_places(read_recipe(written(tmp_path), ["data.train_limit=null",
        "data.train_without=[]"]).data, PS76, 1) is None  # fmt: skip
    first = read_recipe(written(tmp_path), ["data.train_without=[]"])
    assert real_places(first.data, PS76, 1) == (0, 1, 2, 3, 4, 5)


def test_so_many_samples_of_each_text_drawn_by_the_seed(tmp_path: Path) -> None:
    words = {"train": {"simulated": "words", "size": "tiny"}, "dev": QUICK["data"]["dev"]}
    texts = SimulatedWords("tiny", "train", PS76).texts()
    drawn = {}
    for each in (1, 2, 1_000):
        data = Data.model_validate({**words, "train_each": each})
        drawn[each] = real_places(data, PS76, 1) or ()
        count = Counter(texts[place] for place in drawn[each])
        assert count == {text: min(each, n) for text, n in Counter(texts).items()}
    assert set(drawn[1]) < set(drawn[2])
    assert drawn[1_000] == tuple(range(len(texts)))
    assert real_places(Data.model_validate({**words, "train_each": 1}), PS76, 2) != drawn[1]


def test_a_real_source_with_nothing_left_is_refused(tmp_path: Path) -> None:
    everything = sorted(
        {t.gloss for i in range(400) for t in SimulatedSentences("tiny").sentence(i).tokens}
    )
    data = {**QUICK["data"], "train_without": everything}
    with pytest.raises(
        UsageError, match=r"each of the 400 real samples holds one of the \d+ gloss"
    ):
        real_places(read_recipe(written(tmp_path, data=data)).data, PS76, 1)


@pytest.mark.parametrize(
    "override", ["curriculum.kind=fixed", "curriculum.steps=6", "training.steps=3"]
)
def test_two_stages_need_a_turn_between_them(tmp_path: Path, override: str) -> None:
    with pytest.raises(
        UsageError, match=r"restart needs a 'disjoint' curriculum that turns within"
    ):
        read_recipe(written(tmp_path), [override])


def trained(recipe: Recipe, folder: Path, resume: bool = False) -> Mapping[str, torch.Tensor]:
    run_recipe(recipe, folder, resume=resume)
    return read_checkpoint(folder / "last").tensors()


def test_two_stages_warm_up_twice_and_resume_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import json

    recipe = read_recipe(written(tmp_path))
    whole = trained(recipe, tmp_path / "whole")
    lines = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "stage" in line]
    assert [line["stage"] for line in steps] == ["pretrain"] * 3 + ["finetune"] * 3
    assert [line["source"] for line in steps] == ["synthetic"] * 3 + ["real"] * 3
    rates = [line["lr"] for line in steps]
    assert rates[:3] == rates[3:]  # both warm up to 0.01 and begin to fall
    assert rates[0] == pytest.approx(0.005)

    scores = recipes._dev_scores

    def stopped(*given: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(recipes, "_dev_scores", stopped)  # stops after step 5, inside stage two
    with pytest.raises(KeyboardInterrupt):
        trained(recipe, tmp_path / "cut")
    monkeypatch.setattr(recipes, "_dev_scores", scores)
    resumed = trained(recipe, tmp_path / "cut", resume=True)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
