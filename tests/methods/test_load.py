"""A model by its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from signloom.errors import MediaError
from signloom.methods.load import BUNDLED, borrows, load


@pytest.mark.parametrize("name", BUNDLED)
def test_every_bundled_name_is_a_model_that_knows_simulated_signing_only(name: str):
    model = load(name)
    assert model.name == name
    assert model.simulated_only


def test_a_name_is_of_the_package_and_a_folder_is_a_folder():
    assert {path.parent.name for path in BUNDLED.values()} == {"bundled"}
    folder = load(BUNDLED["bundled-posestitch"])
    assert folder.name == "posestitch-sim-small"


def test_another_name_is_no_bundled_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError, match="bundled-nothing"):
        load("bundled-nothing")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("bundled-posestitch", {"front": 4_000_000, "encoder_layers": 3_000}),
        ("bundled-unified", {"channels": 2_048}),
        ("bundled-unified", {"language_width": 4_096, "language_inner": 65_536}),
        ("bundled-recogniser", {"layers": 100_000, "width": 8}),
    ],
)
def test_a_config_cannot_ask_for_a_model_far_larger_than_its_weights(
    name: str, asked: dict, tmp_path: Path
):
    folder = shutil.copytree(BUNDLED[name], tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    config["config"].update(asked)
    if "shape" in config.get("language", {}):
        config["language"]["shape"].update(
            {key.removeprefix("language_"): value for key, value in asked.items() if "_" in key}
        )
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(MediaError, match="asks for a model far larger than its weights"):
        load(folder)


def test_weights_of_others_are_known_also_in_a_fused_model():
    lips = {"config": {"lip_weights": "auto-avsr"}}
    assert borrows(lips)
    assert borrows({"config": {"adapter": "dora"}})
    assert borrows({"fused": {"pose": {"config": {}}, "lips": lips, "share": 0.7}})
    assert not borrows({"config": {"adapter": "full", "lip_weights": ""}})
    assert not borrows({"fused": {"pose": {"config": {}}, "lips": {"config": {}}, "share": 0.7}})
