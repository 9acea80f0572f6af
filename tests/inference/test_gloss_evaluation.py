"""Models that write glosses: word error rate with planted errors, and the way from a recipe to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

from signloom.cli.main import main
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42, Layout
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import UsageError
from signloom.inference.evaluate import evaluate, translation_scores
from signloom.inference.translate import Translation
from signloom.methods.load import load
from signloom.methods.recipe import read_recipe, run_recipe
from signloom.metrics.baselines import FREQUENT, SHUFFLED
from signloom.pose.files import write_pose
from signloom.simulator.corpora import SimulatedSentences

GLOSSES = ["A", "A B", "A B C", "A B C D", "A B C D E", "A A", "D C B A D C B", "B"]

SIGNERS = ["ann", "ben", "ann", "ben", "ann", "", "ann", "ben"]


class Corpus:
    """Clips whose first coordinate says which glosses they carry; the text is something else."""

    def __len__(self) -> int:
        return len(GLOSSES)

    def __getitem__(self, index: int) -> Sample:
        points = np.full((5, 42, 3), index + 1, np.float32)
        ones = np.ones((5, 42), np.float32)
        clip = PoseClip(points, ones, 25.0, HANDS42, "", Origin(SIMULATED))
        said = tuple(GlossSpan(gloss) for gloss in GLOSSES[index].split())
        return Sample(f"s{index}", clip, "Nobody says this.", said, SIGNERS[index])


class Reader:
    """Writes the planted glosses, but for what it is told to leave out, put in or exchange."""

    name = "reader"
    simulated_only = False
    writes_glosses = True

    def __init__(self, changed: dict[int, str] | None = None) -> None:
        self.changed = changed or {}

    @property
    def layout(self) -> Layout:
        return HANDS42

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        which = [int(clip.points[0, 0, 0]) - 1 for clip in clips]
        return [Translation(self.changed.get(i, GLOSSES[i]), 0.0) for i in which]


def test_error_rates_are_those_planted() -> None:
    """25 glosses; one exchanged, one put in, an empty text of five: 1 + 1 + 5 errors."""
    found = evaluate(Reader({1: "A X", 2: "A B C C", 4: ""}), Corpus(), GLOSSES)
    assert sum(len(glosses.split()) for glosses in GLOSSES) == 25
    assert {s.name: s.value for s in found.metrics} == pytest.approx(
        {"WER": 28.0, "substitutions": 4.0, "deletions": 20.0, "insertions": 4.0}
    )
    assert found.metrics[0].ci95[0] < 28 < found.metrics[0].ci95[1]
    assert list(found.references) == GLOSSES
    assert set(found.baselines) == {SHUFFLED, FREQUENT}
    frequent = evaluate(Reader(dict.fromkeys(range(8), "A B")), Corpus(), GLOSSES)
    again = evaluate(Reader(), Corpus(), [*GLOSSES, "A B"]).baselines[FREQUENT]
    assert [s.value for s in again] == [s.value for s in frequent.metrics]
    assert {name: scores[0].n for name, scores in found.lengths.items()} == {
        "1-3": 5, "4-6": 2, "7+": 1,
    }  # fmt: skip
    assert found.to_json()["lengths"]["4-6"]["words"] == [4, 6]
    assert translation_scores(Reader({4: ""}), Corpus(), 8)["WER"] == 20.0


def test_errors_are_told_apart_by_signer_and_by_sentence() -> None:
    """Five of ann's 16 glosses are lost; the sentence is one that training has not."""
    training = [glosses for glosses in GLOSSES if "E" not in glosses]
    found = evaluate(Reader({4: ""}), Corpus(), training)
    rates = {
        name: {label: (scores[0].value, scores[0].n) for label, scores in group.items()}
        for name, group in found.groups.items()
    }
    assert rates["signers"] == {
        "ann": (pytest.approx(100 * 5 / 16), 4), "ben": (0, 3), "unnamed": (0, 1),
    }  # fmt: skip
    assert rates["sentences"] == {"seen": (0, 7), "unseen": (100, 1)}
    assert found.errors == {
        "substitutions": 0, "deletions": 5, "insertions": 0, "glosses": 25, "unknown": 1,
    }  # fmt: skip
    told = found.to_json()
    assert told["errors"] == found.errors
    assert told["signers"]["ann"][0]["name"] == "WER"
    assert "cut" not in told
    few = Reader()
    few.writable = {"A", "B"}  # type: ignore[attr-defined]  # of a corpus that has no more
    assert evaluate(few, Corpus(), GLOSSES, trained_on=False).errors["unknown"] == 10
    untold = evaluate(Reader(), Corpus(), training, trained_on=False)
    assert set(untold.groups) == {"signers"}
    assert "unknown" not in untold.errors


def test_clips_that_are_longer_than_the_model_reads_are_counted() -> None:
    class Short(Reader):
        def seconds_read(self, clip: PoseClip) -> float:
            return clip.duration - int(clip.points[0, 0, 0] > 5)

    assert evaluate(Short(), Corpus(), GLOSSES).to_json()["cut"] == 3


def test_a_split_without_glosses_is_refused() -> None:
    class Texts(Corpus):
        def __getitem__(self, index: int) -> Sample:
            return Sample(f"s{index}", super().__getitem__(index).clip, "Text alone.")

    with pytest.raises(UsageError, match="none of the 8 samples has glosses, and nothing"):
        evaluate(Reader(), Texts(), [""])


@pytest.mark.parametrize("method", ["autosign", "ctc"])
def test_from_a_recipe_to_scores_and_glosses(
    method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = {
        "name": "quick",
        "method": method,
        "preset": "tiny",
        "data": {
            "train": {"simulated": "sentences", "size": "tiny"},
            "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"},
            "dev_limit": 2,
        },
        "training": {"steps": 2, "batch": 2, "validate_every": 1, "device": "cpu"},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    fitted = run_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "run")
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    rates = [line["validation"]["WER"] for line in log if "validation" in line]
    assert fitted.best == min(rates), "the best is the lowest"
    best = tmp_path / "run" / "best"
    known = {g for text in SimulatedSentences("tiny", "train").glosses() for g in text.split()}
    assert set(load(best).tokenizer.get_vocab()) == known | {"<pad>", "<unk>", "<s>", "</s>"}

    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(best), "sim:tiny", "--split", "dev", "--limit", "3",
              "-o", str(tmp_path / "scores.json")])  # fmt: skip
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert "WER" in shown
    assert "most frequent sentence" in shown
    assert "BLEU" not in shown
    assert "unseen sentences" in shown
    assert "signer-1-1" in shown
    assert " deletions, " in shown
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert scores["metrics"][0]["name"] == "WER"

    write_pose(SimulatedSentences("tiny", "dev")[0].clip, tmp_path / "a.pose")
    with pytest.raises(SystemExit) as stop:
        main(["translate", str(tmp_path / "a.pose"), "--model", str(best), "--format", "json"])
    assert stop.value.code == 0
    told = capsys.readouterr()
    assert "writes glosses" in told.err
    (entry,) = json.loads(told.out)
    assert entry["glosses"] is True
    assert set(entry["text"].split()) <= known | {"<unk>"}
