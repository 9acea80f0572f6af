"""A model's graphs answer as the model does, whatever the batch, the frames and the tokens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from signloom.cli.main import build as command_line
from signloom.cli.recognize import loaded as loaded_recogniser
from signloom.cli.seer import seer
from signloom.cli.translate import Backend
from signloom.cli.translate import loaded as loaded_translator
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42, PS76, Layout
from signloom.errors import MediaError, SignloomError, UsageError
from signloom.methods import isolated, posestitch
from signloom.methods.exported import export, graphs_of
from signloom.methods.load import load
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import read_checkpoint, save_checkpoint

TEXTS = ["The cat is here.", "Where is the dog?", "Bring the book tomorrow.", "I see him."]


def clip(layout: Layout, frames: int, seed: int) -> PoseClip:
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 40, (frames, len(layout), 3)).cumsum(axis=0) / 10 + 200
    confidence = (rng.random((frames, len(layout))) > 0.1).astype(np.float32)
    points = np.where(confidence[..., None] > 0, points, 0).astype(np.float32)
    return PoseClip(points, confidence, 25.0, layout, id=str(seed), origin=Origin("simulator"))


def saved(model: Any, folder: Path) -> Path:
    told = {**model.described(), "simulated_only": True}
    save_checkpoint(folder, told, model, model.tokenizer)
    return folder


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(checkpoint, the same exported by the command) of a translator of random weights."""
    at = tmp_path_factory.mktemp("translator")
    config = replace(posestitch.PRESETS["tiny"], legacy_shift=True)
    saved(posestitch.build(config, train_bpe(TEXTS, 300), seed=5), at / "weights")
    result = CliRunner().invoke(
        command_line("export"), ["export", str(at / "weights"), "-o", str(at / "graphs")]
    )
    assert result.exit_code == 0, result.output
    assert {line.split(":")[0] for line in result.output.splitlines()} == {
        str(at / "graphs" / "encoder.onnx"),
        str(at / "graphs" / "decoder.onnx"),
    }
    return at / "weights", at / "graphs"


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    at = tmp_path_factory.mktemp("recogniser")
    config = replace(
        isolated.PRESETS["tiny"], backbone="recurrent", width=48, streams=("position", "local")
    )
    model = isolated.build(config, ["book", "cat", "dog"], seed=3)
    saved(model, at / "weights")
    export(load(at / "weights"), read_checkpoint(at / "weights"), at / "graphs", overwrite=False)
    return at / "weights", at / "graphs"


@pytest.mark.parametrize("frames", [(40,), (3, 61, 150)], ids=["one", "three"])
def test_a_translator_of_graphs_writes_what_its_checkpoint_writes(
    translator: tuple[Path, Path], frames: tuple[int, ...]
) -> None:
    weights, graphs = (load(folder) for folder in translator)
    clips = [clip(PS76, n, seed) for seed, n in enumerate(frames)]
    for beam in (1, 4):
        for wanted, found in zip(
            weights.translate(clips, beam), graphs.translate(clips, beam), strict=True
        ):
            assert found.text == wanted.text
            assert [t for t, _ in found.alternatives] == [t for t, _ in wanted.alternatives]
            assert found.score == pytest.approx(wanted.score, abs=1e-4)


def test_a_recogniser_of_graphs_answers_as_its_checkpoint(recogniser: tuple[Path, Path]) -> None:
    weights, graphs = (load(folder) for folder in recogniser)
    clips = [clip(HANDS42, n, n) for n in (1, 20, 33, 90, 31)]
    np.testing.assert_allclose(graphs.logits(clips), weights.logits(clips), atol=1e-4)
    assert graphs.described() == weights.described()
    assert graphs.simulated_only
    assert not graphs.spots


def test_a_folder_of_graphs_stands_where_a_checkpoint_does(
    translator: tuple[Path, Path], recogniser: tuple[Path, Path]
) -> None:
    weights, graphs = translator
    assert loaded_translator(str(graphs), Backend.onnx).name == str(graphs)
    assert loaded_recogniser(str(recogniser[1])).glosses == ("book", "cat", "dog")
    with pytest.raises(UsageError, match=r"holds weights.*signloom export .*weights -o FOLDER"):
        loaded_translator(str(weights), Backend.onnx)
    with pytest.raises(UsageError, match="leave --backend out"):
        loaded_translator(str(graphs), Backend.bf16)
    with pytest.raises(UsageError, match="exported already"):
        graphs_of(load(graphs))
    with pytest.raises(
        UsageError, match="is graphs for ONNX Runtime, which name the sign of a clip"
    ):
        seer(str(recogniser[1]))


def test_what_cannot_be_exported_is_said() -> None:
    with pytest.raises(UsageError, match="expected a model of method isolated or posestitch"):
        graphs_of(load("bundled-unified"))


@pytest.mark.parametrize("wrong", ["cut", "gone", "other", "older"])
def test_a_damaged_graph_is_refused(
    recogniser: tuple[Path, Path], tmp_path: Path, wrong: str
) -> None:
    folder = tmp_path / "graphs"
    folder.mkdir()
    for file in recogniser[1].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    graph = folder / "recogniser.onnx"
    if wrong == "gone":
        graph.unlink()
    elif wrong == "older":
        told = json.loads((folder / "config.json").read_text())
        del told["onnx"]["format"]
        (folder / "config.json").write_text(json.dumps(told))
        with pytest.raises(
            MediaError, match="in format 1, expected 2; export the checkpoint again"
        ):
            load(folder)
        return
    else:
        graph.write_bytes(graph.read_bytes()[:1000])
    if wrong == "other":
        told = json.loads((folder / "config.json").read_text())
        told["onnx"]["graphs"] = {"recogniser": "?"}
        (folder / "config.json").write_text(json.dumps(told))
    with pytest.raises(MediaError, match=r"copy the (whole )?folder again"):
        load(folder)


def test_an_export_replaces_nothing(recogniser: tuple[Path, Path]) -> None:
    weights, graphs = recogniser
    result = CliRunner().invoke(command_line("export"), ["export", str(weights), "-o", str(graphs)])
    assert isinstance(result.exception, SignloomError)
    assert "--overwrite" in str(result.exception)
