"""What stands beside a recogniser on RWTH-BOSTON-104: planted answers on a folder of its shape."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.boston104 import best_constant, errors, main
from benchmarks.template_hmm import TemplateHmm
from signloom.corpora.boston104 import fold_of
from signloom.data.clip import PoseClip
from signloom.data.layouts import BOSTON3, Layout
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.inference.translate import Translation
from signloom.methods import load
from signloom.metrics.recognition import score_recognition
from tests.corpora.boston import write_boston

SPEEDS = {"JOHN READ BOOK": 1.0, "IX LIKE": 1.2, "SUE WALK": 9.0, "A D": 10.0}
"""Sentences of four folds, and how many pixels a frame their hand moves."""
NEAREST = {
    "JOHN READ BOOK": "IX LIKE",
    "IX LIKE": "JOHN READ BOOK",
    "SUE WALK": "A D",
    "A D": "SUE WALK",
}


def test_a_constant_is_what_costs_least() -> None:
    assert best_constant(["A B", "A C", "A B D"]) == "A B"
    assert best_constant(["A", "B", "C"]) in ("A", "B", "C")
    assert errors("AXB", ["A B", "C"]) == 1 + 3


@given(st.lists(st.lists(st.sampled_from("ABC"), min_size=1, max_size=4), min_size=1, max_size=5))
@settings(max_examples=15, deadline=None)
def test_no_one_change_makes_a_constant_better(sentences: list[list[str]]) -> None:
    told = [" ".join(sentence) for sentence in sentences]
    best = best_constant(told).split()
    near = [best[:i] + best[i + 1 :] for i in range(len(best))]
    near += [
        [*best[:i], g, *best[j:]] for g in "ABC" for i in range(len(best) + 1) for j in (i, i + 1)
    ]
    assert errors(best, told) <= min(errors(each, told) for each in near)
    every = [[*c] for size in range(2) for c in product("ABC", repeat=size)]
    assert errors(best, told) <= min(errors(each, told) for each in every)


@dataclass
class Knows:
    """Says the sentence of a clip that it was told, and nothing of another."""

    sentences: dict[str, str]
    name: str = "knows"
    layout: Layout = BOSTON3
    simulated_only: bool = False

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        return [Translation(self.sentences.get(clip.id, ""), 0.0) for clip in clips]


def test_signs_are_found_in_a_sentence_that_nobody_signed() -> None:
    """Each sign is a way of the right hand of its own; between signs the hands rest."""
    ways = {"UP": (0, -60), "SIDE": (60, 0), "DOWN": (0, 60)}

    def signed(text: str, seed: int) -> Sample:
        rng = np.random.default_rng(seed)
        rest = np.array([[200, 200, 0], [100, 200, 0], [150, 60, 0]], np.float32)
        frames, signs = [rest] * 5, []
        for gloss in text.split():
            first, length = len(frames), int(rng.integers(9, 13))
            signs.append(GlossSpan(gloss, Span.of_frames(first, first + length, 30.0)))
            for share in np.sin(np.linspace(0.2, np.pi - 0.2, length)):
                frame = rest.copy()
                frame[1, :2] += share * np.array(ways[gloss])
                frames.append(frame)
            frames += [rest] * 4
        points = np.stack(frames) + rng.normal(0, 0.5, (len(frames), 3, 3)).astype(np.float32)
        clip = PoseClip(points, np.ones(points.shape[:2], np.float32), 30.0, BOSTON3, text)
        return Sample(text, clip, glosses=tuple(signs))

    training = ["UP SIDE", "SIDE DOWN", "DOWN UP SIDE", "DOWN", "UP"]
    hmm = TemplateHmm([signed(text, seed) for seed, text in enumerate(training)])
    for text in ("SIDE DOWN UP", "UP SIDE DOWN", "DOWN"):
        assert hmm.read(signed(text, 9).clip) == text.split()


def test_folds_references_and_models_one_a_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = {f"{i}": sentence for i, sentence in enumerate([*SPEEDS, *SPEEDS])}
    write_boston(tmp_path, sentences, lambda video, t: SPEEDS[sentences[video]] * t)
    folds = {video: fold_of(sentence.split()) for video, sentence in sentences.items()}
    assert sorted(folds.values()) == [1, 1, 2, 2, 3, 3, 4, 4]
    by_fold = {
        str(fold): Knows({v: s for v, s in sentences.items() if folds[v] == fold})
        for fold in (1, 2, 3, 4)
    }
    monkeypatch.setattr(load, "load", by_fold.__getitem__)
    out = tmp_path / "out.json"
    models = [part for fold in by_fold for part in ("-m", fold)]
    main([str(tmp_path), *models, "-o", str(out)])
    report = json.loads(out.read_text())
    model, nearest = report["systems"]["model"], report["systems"]["nearest"]
    assert model["scores"][0]["value"] == 0, "each checkpoint was asked for its own fold"
    assert {fold: score["n"] for fold, score in model["folds"].items()} == {
        f"fold-{fold}": 2 for fold in (1, 2, 3, 4)
    }
    # A clip's twin lies in its own fold, so the nearest of the others is another sentence.
    expected = score_recognition(list(NEAREST.values()), list(NEAREST))
    assert [score["value"] for score in nearest["scores"]] == [
        round(score.value, 4) for score in expected
    ]
    assert (report["glosses"], report["unknown_glosses"]) == (18, 18)
    difference = report["differences"]["model"]["nearest"][0]
    assert difference["difference"] == -nearest["scores"][0]["value"]
    with pytest.raises(SystemExit):
        main([str(tmp_path), "-m", "1"])
