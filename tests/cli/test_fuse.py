"""signloom fuse, and its checkpoint in recognize and evaluate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from signloom.cli import evaluate, fuse, recognize
from signloom.cli.recognize import loaded, read_words
from signloom.corpora.store import StoreWriter
from signloom.data.clip import Origin
from signloom.data.layouts import HANDS42
from signloom.data.sample import GlossSpan
from signloom.errors import UntrustedResultError, UsageError
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


def test_real_samples_choose_no_share_for_models_of_simulated_signing(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    word = SimulatedWords("tiny", "dev", HANDS42, lips=True)[0]
    with StoreWriter(tmp_path / "real", HANDS42) as writer:
        writer.add(replace(word, clip=replace(word.clip, origin=Origin("mediapipe"))), "dev")
    arguments = (fuse, parts["pose"], parts["lips"], tmp_path / "real", "-o", tmp_path / "both")
    with pytest.raises(UntrustedResultError, match="is not simulated signing"):
        command(*arguments)
    assert not (tmp_path / "both").exists()
    command(*arguments, "--allow-simulated")
    assert (tmp_path / "both").is_dir()


def test_a_model_of_lips_fails_on_what_has_none_and_finishes_the_rest(
    parts: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = SimulatedWords("tiny", "dev", HANDS42, lips=True)
    for i in range(2):
        write_pose(source[i].clip, tmp_path / f"{i}.pose")
    assert source[1].lips is not None
    write_lips(source[1].lips, beside(tmp_path / "1.pose"))
    inputs = (tmp_path / "0.pose", tmp_path / "1.pose")
    app = typer.Typer()
    app.command()(recognize.run)
    code = app([*map(str, inputs), "--model", str(parts["lips"]), "--json"], standalone_mode=False)
    captured = capsys.readouterr()
    assert code == 3
    assert [each["input"] for each in json.loads(captured.out)] == [str(inputs[1])]
    assert f"{inputs[0]} has no lips beside it, and model 'lips' reads nothing" in captured.err
    assert str(inputs[1]) not in captured.err


def test_a_split_with_lips_in_part_is_no_test_of_a_model_of_lips(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    source = SimulatedWords("tiny", "dev", HANDS42, lips=True)
    with StoreWriter(tmp_path / "part", HANDS42) as writer:
        writer.add(source[0], "dev")
        writer.add(replace(source[1], lips=None), "dev")
    out = tmp_path / "scores.json"
    with pytest.raises(UsageError, match=r"1 of the 2 samples of split 'dev' of .* have lips"):
        command(evaluate, parts["lips"], tmp_path / "part", "--split", "dev", "-o", out)
    assert not out.exists()


def test_the_baseline_of_words_takes_the_gloss_where_there_is_no_text(
    parts: dict[str, Path], tmp_path: Path
) -> None:
    word = SimulatedWords("tiny", "dev", HANDS42)[0]
    with StoreWriter(tmp_path / "store", HANDS42) as writer:
        writer.add(replace(word, text="", glosses=(GlossSpan("ICE CREAM"),)), "train")
        writer.add(word, "test")
    _, texts, told = read_words(str(tmp_path / "store"), "test", loaded(str(parts["pose"])))
    assert (texts, told) == (["ICE CREAM"], "train split")


def test_what_cannot_be_fused_is_said(parts: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected pose and lips"):
        command(fuse, parts["lips"], parts["pose"], "sim:tiny", "-o", tmp_path / "both")
    (tmp_path / "there").mkdir()
    with pytest.raises(UsageError, match="exists already"):
        command(fuse, parts["pose"], parts["lips"], "sim:tiny", "-o", tmp_path / "there")
    assert not (tmp_path / "both").exists()
