"""signloom score: two systems, kept predictions, buckets, judges, and options that do not go together."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from signloom.inference.predictions import predictions, write_predictions
from tests.cli.test_score import score
from tests.metrics.outputs import HYPOTHESES, REFERENCES

WORSE = ["a farmer", "wind", "snow", "it is hot", "we visit a house"]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        "a": written(tmp_path / "a.txt", HYPOTHESES),
        "b": written(tmp_path / "b.txt", WORSE),
        "ref": written(tmp_path / "ref.txt", REFERENCES),
    }


def translation(files: dict[str, Path], *more: object) -> int:
    return score(
        "--task", "translation", "--hyp", files["a"], "--ref", files["ref"], *map(str, more)
    )


def run(path: Path, hypotheses: list[str]) -> Path:
    ids = [f"s{i}" for i in range(len(hypotheses))]
    inputs = [f"{i:064x}" for i in range(len(hypotheses))]
    made = predictions(ids, inputs, REFERENCES, hypotheses, path.stem * 8, "test")
    write_predictions(path, made)
    return path


def test_two_systems_and_both_p_values(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert translation(files, "--hyp-b", files["b"], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    names = [m["name"] for m in report["metrics"]]
    assert [c["name"] for c in report["comparison"]] == names
    for one, other, compared in zip(
        report["metrics"], report["metrics_b"], report["comparison"], strict=True
    ):
        assert (compared["a"], compared["b"]) == (one["value"], other["value"])
        assert 0 < compared["p_bootstrap"] <= 1
        assert 0 < compared["p_randomisation"] <= 1
        assert "bs:1000|ar:10000|seed:12345" in compared["signature"]
    assert translation(files, "--hyp-b", files["b"]) == 0
    shown = capsys.readouterr().out
    assert "B − A   95 % interval" in shown
    assert "p bootstrap  p randomisation" in shown
    assert "5 sentences; paired bootstrap of 1,000 resamples" in shown
    recognised = ("--hyp", files["a"], "--hyp-b", files["b"], "--ref", files["ref"])
    assert score("--task", "recognition", *recognised, "--costs", "3/3/4") == 0
    shown = capsys.readouterr().out
    assert "lower is better: WER, substitutions" in shown
    assert re.search(
        r"^\d+ substitutions, \d+ deletions, \d+ insertions in [\d,]+ glosses$", shown, re.M
    )


def test_a_second_file_of_another_length_is_named(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = written(tmp_path / "short.txt", WORSE[:2])
    assert translation(files, "--hyp-b", short) == 2
    assert "short.txt has 2 lines but" in capsys.readouterr().err


def test_buckets_and_baselines_stand_below(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = written(tmp_path / "train.txt", ["the farmer sees a dog", "", "it rains in the north"])
    assert translation(files, "--train-text", train, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["baselines_from"] == "the training text"
    assert {name: v[0]["n"] for name, v in report["lengths"].items()} == {"short": 3, "medium": 2}
    assert {name: v[0]["n"] for name, v in report["unseen"].items()} == {
        "none": 1,
        "one": 1,
        "three or more": 3,
    }
    assert translation(files, "--train-text", train) == 0
    shown = capsys.readouterr().out
    for part in ("constant words", "short sentences (n 3)", "words not in training: none (n 1)"):
        assert part in shown
    assert translation(files, "--train-text", written(tmp_path / "none.txt", [" "])) == 2
    assert "none.txt has no text, expected training sentences" in capsys.readouterr().err


def test_all_adds_what_papers_print(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert translation(files, "--all", "--json") == 0
    names = [m["name"] for m in json.loads(capsys.readouterr().out)["metrics"]]
    for name in ("rougeL(rouge-score)", "bleu_ps-4", "bleu_ps-4 (corrected)", "bleu_litfic"):
        assert name in names
    chinese = written(tmp_path / "zh.txt", ["今天下雨", "明天"])
    assert (
        score("--task", "translation", "--all", "--hyp", chinese, "--ref", chinese, "--json") == 0
    )
    shown, notices = capsys.readouterr()
    assert "rougeL(rouge-score)" not in [m["name"] for m in json.loads(shown)["metrics"]]
    assert "rougeL(rouge-score) is left out: it keeps only [a-z0-9]" in notices
    assert "pass --tokenize zh (or char)" in notices
    german = written(tmp_path / "de.txt", ["nächte fällt", "regen"])
    assert score("--task", "translation", "--all", "--hyp", german, "--ref", german) == 0
    assert "cuts words at letters outside [a-z0-9], which 1 of 2" in capsys.readouterr().err


def test_empty_outputs_and_empty_files(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.txt").write_text("\n" * len(REFERENCES))
    silent = {**files, "a": tmp_path / "none.txt"}
    assert translation(silent, "--all", "--hyp-b", files["b"], "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["metrics"][3]["value"] == 0
    (tmp_path / "empty.txt").write_text("")
    empty = {"a": tmp_path / "empty.txt", "ref": tmp_path / "empty.txt"}
    assert translation(empty) == 2
    assert "none of the 0 references has text" in capsys.readouterr().err


def test_predictions_give_figures_and_two_runs_their_worst_samples(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = run(tmp_path / "a.jsonl", HYPOTHESES), run(tmp_path / "b.jsonl", WORSE)
    assert translation(files, "--json") == 0
    expected = json.loads(capsys.readouterr().out)
    assert score("--predictions", a, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert {key: report[key] for key in expected} == expected
    assert (report["model"], report["split"]) == ("a" * 8, "test")
    assert score("--predictions", b, "--against", a, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    differences = [sample["difference"] for sample in report["samples"]]
    assert differences == sorted(differences)
    assert len(differences) == 5
    assert differences[0] < -30
    assert report["samples"][0]["b"] in HYPOTHESES
    assert score("--predictions", b, "--against", a, "--worst", 2) == 0
    shown = capsys.readouterr().out
    assert shown.index(f"B: {a}") > shown.index(f"A: {b}")
    listed = shown[shown.index("worst first") :]
    assert listed.count("reference  ") == 2
    assert listed.split("\n")[1].split()[1] == report["samples"][0]["id"]


def test_two_runs_that_write_glosses_are_compared_by_their_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = run(tmp_path / "a.jsonl", HYPOTHESES), run(tmp_path / "b.jsonl", WORSE)
    paired = ("--task", "recognition", "--predictions", a, "--against", b)
    assert score(*paired, "--costs", "3/3/4", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    rates = [report["metrics"][0], report["metrics_b"][0], report["comparison"][0]]
    assert {rate["name"] for rate in rates} == {"WER"}
    assert rates[2]["b"] - rates[2]["a"] == pytest.approx(rates[2]["difference"], abs=1e-3) != 0
    assert sum(report["errors"][k] for k in ("substitutions", "deletions", "insertions")) > 0
    assert score(*paired) == 0
    assert "lower is better: WER" in capsys.readouterr().out


def test_runs_over_other_samples_are_refused_by_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = run(tmp_path / "a.jsonl", HYPOTHESES)
    b = tmp_path / "b.jsonl"
    b.write_text("\n".join(a.read_text().split("\n")[1:]))
    assert score("--predictions", a, "--against", b) == 2
    assert f"{a} has 1 samples that {b} has not, the first 's0'" in capsys.readouterr().err


def test_a_judge_of_ones_own(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "judge.py"
    program.write_text("import json, sys\nprint(len(json.load(sys.stdin)['hypothesis']) % 6)\n")
    cache = tmp_path / "answers.jsonl"
    asked = ["--judge", f"{sys.executable} {program}", "--judge-repeats", 1, "--judge-cache", cache]
    assert translation(files, *asked) == 2
    assert "--judge needs a program, and --judge-model" in capsys.readouterr().err
    assert translation(files, *asked, "--judge-model", "length-v1", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    expected = sum(len(line) % 6 for line in HYPOTHESES) / 5
    assert report["metrics"][-1]["name"] == "judge"
    assert report["metrics"][-1]["value"] == pytest.approx(expected)
    assert report["judge"] == {"rounds": [expected], "spread": 0, "failures": 0}
    assert len(cache.read_text().strip().split("\n")) == 5
    assert translation(files, *asked, "--judge-model", "length-v1") == 0
    assert "0 answers without a number counted as 0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "translation", "--hyp", "x"], "--ref is missing; expected --task, --hyp and"),
        ([], "--task is missing; expected --task, --hyp and --ref, or --predictions"),
        (["--against", "x"], "--against x is compared with --predictions, which is missing"),
        (["--predictions", "x", "--hyp", "y"], "got --hyp beside it; leave --hyp out"),
        (["--predictions", "x", "--task", "alignment"], "and --task recognition, got --task alig"),
        (
            ["--task", "translation", "--hyp", "x", "--ref", "y", "--costs", "3/3/4"],
            "--costs 3/3/4 goes with --task recognition, got --task translation",
        ),
        (
            ["--task", "recognition", "--hyp", "x", "--ref", "y", "--all"],
            "--all goes with --task translation, got --task recognition",
        ),
        (
            ["--task", "alignment", "--hyp", "x", "--ref", "y", "--hyp-b", "z"],
            "--hyp-b z goes with --task translation and --task recognition, got --task alignment",
        ),
        (
            ["--task", "translation", "--hyp", "x", "--ref", "y", "--judge-repeats", "2"],
            "--judge-repeats goes with --judge, which is missing",
        ),
    ],
)
def test_options_that_do_not_go_together(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(*arguments) == 2
    assert said in capsys.readouterr().err
