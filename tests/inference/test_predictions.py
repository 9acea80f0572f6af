"""Predictions kept: the round trip, the hash of a clip, runs that go together and those that do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42, Layout
from signloom.data.sample import Sample
from signloom.errors import MediaError, UsageError
from signloom.inference.evaluate import evaluate
from signloom.inference.predictions import (
    Prediction,
    clip_hash,
    pair_runs,
    predictions,
    read_predictions,
    write_predictions,
)
from signloom.inference.translate import Translation
from signloom.metrics.translation import score_translation, sentence_chrf

TEXTS = ["Ωmega rain\u2028falls", "the   snow\nmelts", "it is cold"]


def clip(value: float = 1.0, fps: float = 25.0) -> PoseClip:
    points = np.full((4, 42, 3), value, np.float32)
    return PoseClip(
        points, np.ones((4, 42), np.float32), fps, HANDS42, f"c{value}", Origin(SIMULATED)
    )


def kept(index: int, **changes: object) -> Prediction:
    made = Prediction(f"s{index}", f"{index:064x}", "the rain", "rain", 50.0, "ab" * 32, "test")
    return replace(made, **changes)


class Corpus:
    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, index: int) -> Sample:
        return Sample(f"s{index}", clip(index + 1.0), TEXTS[index])


class Plain:
    """Writes what its vocabulary has: no Ω, no double spaces, no line ends."""

    name = "plain"
    simulated_only = True
    layout: Layout = HANDS42

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        texts = [TEXTS[int(clip.points[0, 0, 0]) - 1] for clip in clips]
        return [Translation(" ".join(t.replace("Ω", "").split()), 0.0) for t in texts]


def test_references_are_the_raw_text_whatever_the_model_can_write() -> None:
    """Decoding references through a model's tokeniser would hide what it cannot write."""
    found = evaluate(Plain(), Corpus(), TEXTS)
    assert found.references == tuple(TEXTS)
    by_name = {score.name: score.value for score in found.metrics}
    assert by_name["BLEU-1"] < 100
    through_vocabulary = [" ".join(text.replace("Ω", "").split()) for text in TEXTS]
    hidden = score_translation(found.hypotheses, through_vocabulary)
    assert hidden[0].value == pytest.approx(100)


def test_kept_predictions_give_the_figures_of_the_evaluation(tmp_path: Path) -> None:
    found = evaluate(Plain(), Corpus(), TEXTS)
    made = predictions(found.ids, found.inputs, found.references, found.hypotheses, "w", "dev")
    write_predictions(tmp_path / "p.jsonl", made)
    read = read_predictions(tmp_path / "p.jsonl")
    assert read == made
    assert (read[0].model, read[0].split, read[0].input) == ("w", "dev", clip_hash(clip(1.0)))
    assert read[0].score == pytest.approx(sentence_chrf(found.hypotheses[0], TEXTS[0]), abs=1e-4)
    again = score_translation(
        [p.hypothesis for p in read], [p.reference for p in read], which="standard"
    )
    assert tuple(again) == found.metrics
    with pytest.raises(UsageError, match="exists already"):
        write_predictions(tmp_path / "p.jsonl", made)


def test_a_hash_follows_what_a_model_reads_and_not_the_name() -> None:
    assert clip_hash(clip()) == clip_hash(replace(clip(), id="other", origin=Origin("mediapipe")))
    assert len({clip_hash(c) for c in (clip(), clip(2.0), clip(fps=50.0))}) == 3


@given(st.lists(st.text(max_size=12), min_size=1, max_size=5))
@settings(max_examples=10)
def test_any_text_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    path = tmp_path_factory.mktemp("kept") / "p.jsonl"
    made = [kept(i, reference=text, hypothesis=text[::-1]) for i, text in enumerate(texts)]
    write_predictions(path, made)
    assert read_predictions(path) == made


def test_runs_pair_by_sample_in_the_order_of_the_first() -> None:
    a = [kept(1, score=60.0), kept(2, score=10.0)]
    b = [kept(2, score=40.0, model="cd" * 32), kept(1, score=55.0, split="dev")]
    pairs = pair_runs(a, b)
    assert [(p.a.id, p.b.id, p.difference) for p in pairs] == [("s1", "s1", 5), ("s2", "s2", -30)]


@pytest.mark.parametrize(
    ("b", "said"),
    [
        ([kept(1)], r"A has 1 samples that B has not, the first 's2'; .* on one split"),
        ([kept(1), kept(2), kept(3)], "B has 1 samples that A has not, the first 's3'"),
        ([kept(1), kept(2, input="f" * 64)], r"'s2' is another clip in A .input 0+….* than in B"),
        ([kept(1), kept(2, reference="x")], "'s2' has the reference 'the rain' in A but 'x' in B"),
    ],
)
def test_runs_over_other_samples_are_refused(b: list[Prediction], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pair_runs([kept(1), kept(2)], b)


def line(**changes: object) -> bytes:
    value = {**vars(kept(1)), **changes}
    return json.dumps({k: v for k, v in value.items() if v is not ...}).encode() + b"\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no prediction"),
        (b"not json\n", "line 1 is no prediction .Expecting value"),
        (line() + b"[1]\n", "line 2 is no prediction"),
        (line(hypothesis=...), "'hypothesis' is missing"),
        (line(reference=7), "'reference' is no text"),
        (line(score="high"), "could not convert"),
        (b"\xff\xfe", r"is not UTF-8 text \(byte 0 is 0xff\)"),
    ],
)
def test_files_that_hold_no_predictions(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "p.jsonl").write_bytes(content)
    with pytest.raises(MediaError, match=said):
        read_predictions(tmp_path / "p.jsonl")


def test_a_sample_twice_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_bytes(line() + line())
    with pytest.raises(UsageError, match="holds sample 's1' in line 1 and again in line 2"):
        read_predictions(tmp_path / "p.jsonl")
    with pytest.raises(MediaError, match=r"gone\.jsonl cannot be read: No such file"):
        read_predictions(tmp_path / "gone.jsonl")
