"""signloom inspect embeddings: a page without network, the numbers as JSON, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from signloom.cli.main import main
from signloom.methods.semtext import PRESETS, begin
from signloom.simulator.corpora import SimulatedSentences
from signloom.training.checkpoint import save_checkpoint
from tests.language.test_sentence_embedding import small


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_a_page_of_a_checkpoint_on_simulated_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = SimulatedSentences("tiny", "test").texts()
    config = dataclasses.replace(PRESETS["tiny"], embedding=str(small(tmp_path / "embedding")))
    model = begin(config, texts, 0)
    said = {**model.described(), "name": "<b>raw</b>"}
    save_checkpoint(tmp_path / "model", said, model, model.tokenizer)
    page = tmp_path / "page.html"
    asked = ("inspect", "embeddings", tmp_path / "model", "sim:tiny", "-o", page, "--limit", 17)
    assert run(*asked, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n"], told["simulated"]) == (17, True)
    assert told["retrieval"]["clip to text"]["chance"]["R@1"] == pytest.approx(
        100 / len(set(texts[:17]))
    )
    assert told["gradients"]["batches"] == 1
    assert set(told["gradients"]["parts"]) == {
        "reader", "projection", "positions", "layer 1", "layer 2", "head",
    }  # fmt: skip
    assert all(-1 <= cosine <= 1 for cosine in told["gradients"]["cosine"])
    html = page.read_text()
    assert "not a sign language" in html
    assert "<b>raw" not in html
    assert not re.search(r"https?:|<script", html)
    assert html.count('<circle class="found"') == 1 + 2 * 17  # the legend, PCA, t-SNE
    assert run(*asked) == 2  # it exists
    assert run(*asked, "--overwrite", "--batches", 0) == 0
    assert "R@1" in capsys.readouterr().out
    assert "Not measured" in page.read_text()


def test_other_models_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert run("inspect", "embeddings", "bundled", "sim:tiny", "-o", page) == 2
    assert "knows no sentence embeddings; give a checkpoint of method semtext" in (
        capsys.readouterr().err
    )
    texts = SimulatedSentences("tiny", "test").texts()
    plain = dataclasses.replace(PRESETS["tiny"], embedding="", supervision="none")
    model = begin(plain, texts, 0)
    save_checkpoint(tmp_path / "plain", model.described(), model, model.tokenizer)
    assert run("inspect", "embeddings", tmp_path / "plain", "sim:tiny", "-o", page) == 2
    assert "was not taught where sentence embeddings lie" in capsys.readouterr().err
    assert not page.exists()
