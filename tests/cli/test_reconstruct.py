"""signloom evaluate on a file of sentences: written again from their embeddings, beside the nearest one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from signloom.cli.main import main
from signloom.errors import UsageError
from signloom.inference.reconstruct import NEAREST, nearest_texts, reconstruct
from signloom.inference.translate import Translation
from tests.language.test_sentence_embedding import small

TRAINED = ["A man signs to his friend.", "Tomorrow it will rain.", "Bread", "They see a red house."]


class Echo:
    """Writes every text again, in capitals; texts are as near as the letters they share."""

    name, reads_text = "echo", True

    def embed_texts(self, texts: list[str]) -> np.ndarray:
        return np.array([[t.lower().count(c) for c in map(chr, range(97, 123))] for t in texts], np.float32)  # fmt: skip

    def reconstruct(self, texts: list[str], beam: int | None = None) -> list[Translation]:
        return [Translation(text.upper(), 0.0) for text in texts]


def test_the_nearest_training_sentence_is_found() -> None:
    asked = ["They see the red houses", "bread", "friend signs a man"]
    assert nearest_texts(Echo(), asked, [*TRAINED, *TRAINED]) == [
        TRAINED[3],
        TRAINED[2],
        TRAINED[0],
    ]
    found = reconstruct(Echo(), TRAINED[:2], TRAINED)
    assert found.hypotheses == tuple(text.upper() for text in TRAINED[:2])
    assert {score.name: score.value for score in found.baselines[NEAREST]}["BLEU-4"] == 100
    assert not found.simulated
    with pytest.raises(UsageError, match="there is no text; name a file"):
        reconstruct(Echo(), [], TRAINED)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_a_trained_sem2text_is_evaluated_on_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "train.txt").write_text("\n".join(TRAINED))
    (tmp_path / "test.tsv").write_text(
        "name\ttext\n1\tTomorrow it will rain.\n2\tThey see bread.\n"
    )
    texts = {"texts": [str(tmp_path / "train.txt")]}
    recipe = {
        "name": "rewriter", "method": "semtext", "preset": "tiny",
        "config": {"input": "text", "votes": True, "embedding": str(small(tmp_path / "model")),
                   "targets": str(tmp_path / "targets.safetensors")},
        "data": {"train": texts, "dev": texts},
        "training": {"steps": 80, "batch": 4, "lr": 3e-3, "schedule": "linear", "log_every": 0},
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert run("train", tmp_path / "recipe.yaml", "-o", tmp_path / "run") == 0
    out = tmp_path / "scores.json"
    best = tmp_path / "run" / "best"
    assert run("evaluate", best, tmp_path / "test.tsv", "-o", out, "--hyp", tmp_path / "hyp") == 0
    report = json.loads(out.read_text())
    assert report["n"] == 2
    assert set(report["baselines"]) >= {NEAREST, "most frequent sentence"}
    assert (tmp_path / "hyp").read_text().splitlines()[0] == TRAINED[1]
    assert NEAREST in capsys.readouterr().out
    assert len((tmp_path / "scores.predictions.jsonl").read_text().splitlines()) >= 2
    assert run("evaluate", best, tmp_path / "train.txt", "-o", out) == 2  # exists
    assert run("evaluate", best, "sim:tiny", "-o", tmp_path / "s.json", "--limit", 3) == 0
    assert json.loads((tmp_path / "s.json").read_text())["simulated"]
