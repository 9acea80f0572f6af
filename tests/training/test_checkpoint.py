"""Checkpoints come back bit for bit, or not at all with a reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from signloom.errors import MediaError, UsageError
from signloom.training.checkpoint import load_tensors, read_checkpoint, save_checkpoint


class Tied(nn.Module):
    """An embedding and a head that share one weight."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, width)
        self.head = nn.Linear(width, 10, bias=False)
        self.head.weight = self.embed.weight


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Tied, Path]:
    model = Tied()
    save_checkpoint(tmp_path / "best", {"method": "toy", "size": 4}, model, card="# Toy\n")
    return model, tmp_path / "best"


def test_weights_come_back_bit_for_bit_and_tied_ones_are_stored_once(saved) -> None:
    model, folder = saved
    checkpoint = read_checkpoint(folder)
    other = Tied()
    load_tensors(other, checkpoint.tensors(), "saved")
    assert torch.equal(other.head.weight, model.embed.weight)
    assert other.head.weight is other.embed.weight
    assert checkpoint.config["size"] == 4
    assert checkpoint.config["weights"]["parameters"] == 40
    assert (folder / "README.md").read_text() == "# Toy\n"
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_float16_halves_the_file_and_loads_as_float32(tmp_path: Path) -> None:
    model = Tied(width=512)
    save_checkpoint(tmp_path / "half", {"method": "toy"}, model, dtype="float16")
    assert (tmp_path / "half" / "model.safetensors").stat().st_size < 10 * 512 * 2 + 1000
    loaded = read_checkpoint(tmp_path / "half").tensors()["head.weight"]
    assert loaded.dtype == torch.float32
    assert torch.allclose(loaded, model.head.weight, atol=1e-3)
    with torch.no_grad():
        model.embed.weight[0, 0] = 1e6
    with pytest.raises(UsageError, match=r"weight embed\.weight \(largest 1e\+06\) is not finite"):
        save_checkpoint(tmp_path / "other", {"method": "toy"}, model, dtype="float16")
    assert not (tmp_path / "other").exists()


def test_a_partial_load_stops_and_says_how_much_fits(saved) -> None:
    tensors = read_checkpoint(saved[1]).tensors()
    with pytest.raises(MediaError, match=r"fit 0\.0 % of the model.*shape \(10, 4\), expected"):
        load_tensors(Tied(width=8), tensors, "saved")
    model = nn.ModuleDict({"embed": nn.Embedding(10, 4), "extra": nn.Linear(4, 10, bias=False)})
    before = model["embed"].weight.clone()
    with pytest.raises(
        MediaError, match=r"fit 50\.0 %.*extra\.weight is missing; head\.weight is not in the model"
    ):
        load_tensors(model, tensors, "saved")
    assert torch.equal(model["embed"].weight, before)


def test_what_is_missing_of_the_file_is_named_also_where_it_is_tied(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "tied", {"method": "toy"}, Tied())
    file = tmp_path / "tied" / "model.safetensors"
    with safe_open(file, "pt") as opened:
        save_file({"other": torch.zeros(2)}, file, opened.metadata())
    config = json.loads((tmp_path / "tied" / "config.json").read_text())
    config["weights"]["sha256"] = ""
    (tmp_path / "tied" / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        MediaError, match=r"embed\.weight is missing; head\.weight is missing; other"
    ):
        load_tensors(Tied(), read_checkpoint(tmp_path / "tied").tensors(), "tied")
    nearly = nn.ModuleDict({"all": nn.Embedding(10_000, 4), "one": nn.Linear(1, 1, bias=False)})
    with pytest.raises(MediaError, match=r"fit 99\.9 % of the model.*one\.weight is missing"):
        load_tensors(nearly, {"all.weight": torch.zeros(10_000, 4)}, "nearly")


def test_a_damaged_or_foreign_folder_is_refused(saved, tmp_path: Path) -> None:
    folder = saved[1]
    with pytest.raises(UsageError, match="exists already"):
        save_checkpoint(folder, {}, Tied())
    with pytest.raises(MediaError, match="is not a checkpoint"):
        read_checkpoint(tmp_path)
    with pytest.raises(MediaError, match=r"has no tokenizer\.json"):
        read_checkpoint(folder).tokenizer()
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(MediaError, match="is damaged"):
        read_checkpoint(folder).tensors()
    weights.unlink()
    with pytest.raises(MediaError, match=r"has no model\.safetensors"):
        read_checkpoint(folder).tensors()
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"format": 99}))
    with pytest.raises(MediaError, match="format 99, this signloom reads up to 1"):
        read_checkpoint(folder)
    (folder / "config.json").write_text("hello")
    with pytest.raises(MediaError, match="is not a signloom config"):
        read_checkpoint(folder)


def test_a_hub_id_that_cannot_be_fetched_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def offline(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(MediaError, match="cannot be fetched from the hub"):
        read_checkpoint("nobody/nothing")
