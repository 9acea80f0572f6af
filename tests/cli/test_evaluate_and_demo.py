"""signloom evaluate and signloom demo with a small random model on small stores."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.demo import demonstrate, demonstrate_alignment
from signloom.cli.main import main
from signloom.corpora.store import StoreWriter
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import PS76
from signloom.data.sample import Sample
from signloom.errors import MediaError, UntrustedResultError, UsageError
from signloom.methods.posestitch import PRESETS, build
from signloom.pose.files import write_pose
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import read_checkpoint, save_checkpoint

TEXTS = ["The rain falls.", "The wind blows in the north.", "Does the snow melt?", "It is cold."]


def clip(index: int, origin: str = SIMULATED) -> PoseClip:
    rng = np.random.default_rng(index)
    points = (rng.random((12 + index, 76, 3)) * (640, 480, 0)).astype(np.float32)
    confidence = np.ones(points.shape[:2], np.float32)
    return PoseClip(points, confidence, 25.0, PS76, f"clip-{index}", Origin(origin), (640, 480))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random tiny model that says it knows simulated signing only."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tokenizer = train_bpe(TEXTS, 120)
    config = {
        "method": "posestitch",
        "name": "tiny-random",
        "config": PRESETS["tiny"].to_json(),
        "simulated_only": True,
    }
    save_checkpoint(folder, config, build(PRESETS["tiny"], tokenizer, seed=1), tokenizer)
    return folder


def store(path: Path, origin: str = SIMULATED, train: bool = True) -> Path:
    with StoreWriter(path, PS76) as writer:
        for i, text in enumerate(TEXTS):
            sample = Sample(f"s{i}", clip(i, origin), text)
            writer.add(sample, "test")
            if train:
                writer.add(sample, "train")
    return path


def evaluate(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", *map(str, arguments)])
    code = stop.value.code
    return code if isinstance(code, int) else 0


def test_evaluate_writes_scores_hypotheses_and_record(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, hyp = tmp_path / "scores.json", tmp_path / "hyp.txt"
    corpus = store(tmp_path / "store")
    assert evaluate(checkpoint, corpus, "-o", out, "--hyp", hyp, "--beam", 1, "--record") == 0
    report = json.loads(out.read_text())
    assert (report["split"], report["n"], report["simulated"]) == ("test", 4, True)
    assert report["baselines_from"] == "train split"
    assert list(report["baselines"]) == [
        "shuffled input",
        "most frequent sentence",
        "constant words",
        "copy-template",
    ]
    assert [m["name"] for m in report["metrics"]][3] == "BLEU-4"
    assert report["hypotheses"] == str(hyp)
    assert len(hyp.read_text().split("\n")) == 5
    shown = capsys.readouterr().out
    assert "simulated signing: an instrument" in shown
    assert "copy-template" in shown
    kept = read_checkpoint(checkpoint)
    assert kept.config["metrics"]["metrics"] == report["metrics"]
    assert "predictions" not in kept.config["metrics"]
    assert kept.tensors()
    # A second run meets the first one's output.
    assert evaluate(checkpoint, corpus, "-o", out) == 2
    assert "exists already" in capsys.readouterr().err


def test_evaluate_keeps_a_line_per_sample_that_score_reads(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = store(tmp_path / "store"), tmp_path / "scores.json"
    assert evaluate(checkpoint, corpus, "-o", out, "--beam", 1) == 0
    report = json.loads(out.read_text())
    path = tmp_path / "scores.predictions.jsonl"
    assert report["predictions"] == str(path)
    lines = [json.loads(line) for line in path.read_text().strip().split("\n")]
    assert [line["reference"] for line in lines] == TEXTS
    assert [line["id"] for line in lines] == [f"s{i}" for i in range(4)]
    assert {line["model"] for line in lines} == {
        read_checkpoint(checkpoint).config["weights"]["sha256"]
    }
    assert {line["split"] for line in lines} == {"test"}
    assert len({line["input"] for line in lines}) == 4
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["score", "--predictions", str(path), "--json"])
    assert json.loads(capsys.readouterr().out)["metrics"] == report["metrics"]
    # Another run of the same model on the same store is over the same samples.
    other = tmp_path / "other.jsonl"
    options = ("-o", tmp_path / "other.json", "--predictions", other, "--beam", 1)
    assert evaluate(checkpoint, corpus, *options) == 0
    assert other.read_text() == path.read_text()
    same = ("-o", tmp_path / "x", "--hyp", tmp_path / "y", "--predictions", tmp_path / "y")
    assert evaluate(checkpoint, corpus, *same) == 2
    assert "--hyp and --predictions are both" in capsys.readouterr().err


def test_evaluate_without_a_train_split_says_where_baselines_come_from(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = store(tmp_path / "store", train=False)
    assert evaluate(checkpoint, corpus, "-o", tmp_path / "s.json", "--limit", 2, "--beam", 1) == 0
    assert "has no train split: the most frequent sentence and words" in capsys.readouterr().err
    report = json.loads((tmp_path / "s.json").read_text())
    assert report["n"] == 2
    assert report["baselines_from"] == "test split (the store has no train split)"


def test_evaluate_refuses_real_clips_for_a_simulated_model(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus, out = store(tmp_path / "store", origin="mediapipe"), tmp_path / "scores.json"
    assert evaluate(checkpoint, corpus, "-o", out) == 5
    assert "sample 's0' is not simulated signing" in capsys.readouterr().err
    assert not out.exists()
    assert evaluate(checkpoint, corpus, "-o", out, "--beam", 1, "--allow-simulated") == 0
    assert json.loads(out.read_text())["simulated"] is False


def test_evaluate_makes_simulated_sentences_on_the_fly(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    assert evaluate(checkpoint, "sim:tiny", "-o", out, "--limit", 2, "--beam", 1) == 0
    report = json.loads(out.read_text())
    assert (report["store"], report["simulated"], report["n"]) == ("sim:tiny", True, 2)


def test_record_wants_a_folder_and_the_whole_split(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores.json"
    assert evaluate(checkpoint, "sim:tiny", "-o", out, "--record", "--limit", 3) == 2
    assert "and --limit 3; give a folder on this machine, without" in capsys.readouterr().err
    assert evaluate("org/model", "sim:tiny", "-o", out, "--record") == 2
    assert "in a checkpoint folder, got org/model" in capsys.readouterr().err


def examples(folder: Path, origin: str = SIMULATED) -> Path:
    folder.mkdir()
    for i, text in enumerate(TEXTS):
        write_pose(clip(i, origin), folder / f"test-{i}.pose")
        known = {
            "text": text,
            "signer": "signer-1",
            "glosses": [{"gloss": "RAIN", "start": 0.0, "end": 0.3}],
        }
        (folder / f"test-{i}.json").write_text(json.dumps(known))
    return folder


def test_demo_prints_pairs_and_scores_and_writes_the_report(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demonstrate(checkpoint, examples(tmp_path / "example"), tmp_path / "out", overwrite=False)
    shown = capsys.readouterr().out
    assert shown.startswith("Simulated signing: an instrument, not a sign language.")
    assert all(f"signed  {text}" in shown for text in TEXTS)
    assert "nrefs:1|case:mixed|eff:no|tok:13a" in shown
    html = (tmp_path / "out" / "report.html").read_text()
    assert html.count("data-which=") == len(TEXTS)
    assert "tiny-random" in html
    with pytest.raises(UsageError, match=r"report\.html exists already"):
        demonstrate(checkpoint, tmp_path / "example", tmp_path / "out", overwrite=False)


def test_demo_refuses_real_clips_and_incomplete_folders(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no \.pose file in"):
        demonstrate(checkpoint, tmp_path / "nowhere", tmp_path / "out", overwrite=False)
    real = examples(tmp_path / "real", origin="mediapipe")
    with pytest.raises(UntrustedResultError, match="not simulated signing"):
        demonstrate(checkpoint, real, tmp_path / "out", overwrite=False)
    (real / "test-1.json").unlink()
    with pytest.raises(MediaError, match=r"test-1\.json does not tell what test-1\.pose says"):
        demonstrate(checkpoint, real, tmp_path / "out", overwrite=False)
    assert not (tmp_path / "out").exists()


def test_the_demo_aligns_an_episode_better_than_any_one_offset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    demonstrate_alignment(tmp_path, overwrite=False)
    shown = capsys.readouterr().out
    f1 = {
        name: float(re.search(rf"^{re.escape(name)}.*? +([\d.]+) +[\d.]+ +[\d.]+$", shown, re.M)[1])  # type: ignore[index]
        for name in ("signloom align", "input timing", "best constant offset")
    }
    assert f1["signloom align"] > f1["best constant offset"] > f1["input timing"]
    assert (tmp_path / "aligned.html").is_file()
    with pytest.raises(UsageError, match=r"exists already"):
        demonstrate_alignment(tmp_path, overwrite=False)
