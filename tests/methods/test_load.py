"""A model by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from signloom.errors import MediaError
from signloom.methods.load import BUNDLED, load


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
