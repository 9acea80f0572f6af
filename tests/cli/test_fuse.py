"""signloom fuse, and its checkpoint in recognize and evaluate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from signloom.cli import evaluate, fuse, recognize
from signloom.corpora.store import StoreWriter
from signloom.data.layouts import HANDS42
from signloom.errors import UsageError
from signloom.inference.fusion import SHARES
from signloom.methods.isolated import PRESETS, build
from signloom.pose.files import write_pose
from signloom.pose.lip_files import beside, write_lips
from signloom.simulator.corpora import SimulatedWords
from signloom.training.checkpoint import read_checkpoint, save_checkpoint


def command(verb: object, *arguments: object) -> None:
    app = typer.Typer()
    app.command()(verb.run)  # type: ignore[attr-defined]
    app([*map(str, arguments)], standalone_mode=False)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random models of the words of sim-words-v1 tiny."""
    folder = tmp_path_factory.mktemp("parts")
    words = sorted(SimulatedWords("tiny").words)
    for reads in ("pose", "lips"):
        model = build(replace(PRESETS["tiny"], reads=reads), words, seed=1)
        config = {
            **model.described(),
            "name": reads,
            "simulated_only": True,
            "languages": ["sim-1"],
        }
        save_checkpoint(folder / reads, config, model)
    return {reads: folder / reads for reads in ("pose", "lips")}


def test_two_recognisers_become_one(
    parts: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tmp_path / "both"
    command(fuse, parts["pose"], parts["lips"], "sim:tiny", "-o", both, "--limit", 30)
    lines = capsys.readouterr().out.splitlines()
    assert [float(line.split()[0]) for line in lines[1:]] == list(SHARES)
    config = read_checkpoint(both).config
    (chosen,) = (line for line in lines if line.endswith("chosen"))
    assert float(chosen.split()[0]) == config["fused"]["share"]
    rates = config["tuned"]["rates"]
    assert config["dev"] == rates[str(config["fused"]["share"])]
    assert (config["name"], config["simulated_only"]) == ("pose and lips", True)
    assert "**simulated signing only**" in (both / "README.md").read_text()

    out = tmp_path / "scores.json"
    command(evaluate, both, "sim:tiny", "--split", "test", "-o", out, "--limit", 10)
    assert json.loads(out.read_text())["read"] == {"pose and lips": 10}
    assert "read: pose and lips of 10 clips" in capsys.readouterr().out
    command(evaluate, parts["pose"], "sim:tiny", "-o", out, "--limit", 10, "--overwrite")
    assert json.loads(out.read_text())["read"] == {"pose": 10}
    capsys.readouterr()

    word = SimulatedWords("tiny", "test", HANDS42, lips=True)[0]
    write_pose(word.clip, tmp_path / "0.pose")
    command(recognize, tmp_path / "0.pose", "--model", both, "--json")
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["read"] == "pose"
    assert "the lips are not known of " in captured.err
    assert "0.pose (--lips of `signloom extract` makes them); the pose alone" in captured.err
    assert word.lips is not None
    write_lips(word.lips, beside(tmp_path / "0.pose"))
    command(recognize, tmp_path / "0.pose", "--model", both, "--json")
    captured = capsys.readouterr()
    assert json.loads(captured.out)[0]["read"] == "pose and lips"
    assert captured.err == ""


def test_a_store_without_lips_is_scored_by_pose_and_tunes_nothing(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    for name, lips in (("with", True), ("without", False)):
        source = SimulatedWords("tiny", "dev", HANDS42, lips=lips)
        with StoreWriter(tmp_path / name, HANDS42) as writer:
            for i in range(4):
                writer.add(source[i], "dev")
    both = tmp_path / "both"
    command(fuse, parts["pose"], parts["lips"], tmp_path / "with", "-o", both)
    for name, read in (("with", {"pose and lips": 4}), ("without", {"pose": 4})):
        out = tmp_path / f"{name}.json"
        command(evaluate, both, tmp_path / name, "--split", "dev", "-o", out)
        assert json.loads(out.read_text())["read"] == read
    with pytest.raises(UsageError, match="none of the 4 samples has lips"):
        command(fuse, parts["pose"], parts["lips"], tmp_path / "without", "-o", tmp_path / "no")


def test_what_cannot_be_fused_is_said(parts: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected pose and lips"):
        command(fuse, parts["lips"], parts["pose"], "sim:tiny", "-o", tmp_path / "both")
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        command(fuse, parts["pose"], parts["lips"], "sim:tiny", "-o", tmp_path / "there")
    assert not (tmp_path / "both").exists()
