"""Evaluation with planted translators: a perfect one, a deaf one, and the baselines by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42, Layout
from signloom.data.sample import Sample
from signloom.errors import UntrustedResultError, UsageError
from signloom.inference.evaluate import evaluate
from signloom.inference.translate import Translation
from signloom.metrics.baselines import CONSTANT, FREQUENT, SHUFFLED, TEMPLATE
from signloom.metrics.score import Score

TEXTS = [
    f"{when} the {who} {what} in the {where}."
    for when in ("Today", "Tomorrow")
    for who in ("farmer", "teacher", "doctor")
    for what in ("sleeps", "sings")
    for where in ("kitchen", "garden")
]


class Corpus:
    """Clips whose first coordinate says which text they carry; lengths vary."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin

    def __len__(self) -> int:
        return len(TEXTS)

    def __getitem__(self, index: int) -> Sample:
        points = np.full((5 + index % 7, 42, 3), index + 1, np.float32)
        clip = PoseClip(
            points, np.ones(points.shape[:2], np.float32), 25.0, HANDS42, "", self.origin
        )
        return Sample(f"s{index}", clip, TEXTS[index])


class Reader:
    """Reads the planted answer off the clip, or always says the same."""

    name = "reader"
    simulated_only = True

    def __init__(self, always: str | None = None) -> None:
        self.always = always

    @property
    def layout(self) -> Layout:
        return HANDS42

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        lines = [self.always or TEXTS[int(clip.points[0, 0, 0]) - 1] for clip in clips]
        return [Translation(line, 0.0) for line in lines]


SIM = Corpus(Origin(SIMULATED))


def value(scores: Sequence[Score], name: str) -> float:
    return next(score.value for score in scores if score.name == name)


class Remembering(Reader):
    """Says the sentence that it was told before the clip."""

    tells_previous = True

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        lips: object = None,
        previous: Sequence[str] = (),
    ) -> list[Translation]:
        return [Translation(text, 0.0) for text in previous[: len(clips)]]


class Told(Corpus):
    """Every second sample knows the sentence before it."""

    def __getitem__(self, index: int) -> Sample:
        sample = super().__getitem__(index)
        return replace(sample, previous=f"before {index}" if index % 2 else "")


def test_a_model_that_remembers_is_told_the_true_sentence_before_and_it_is_counted() -> None:
    corpus = Told(Origin(SIMULATED))
    found = evaluate(Remembering(), corpus, TEXTS, batch=5)
    assert list(found.hypotheses) == [corpus[i].previous for i in range(len(TEXTS))]
    assert found.told_previous == found.to_json()["told_previous"] == len(TEXTS) // 2
    assert evaluate(Reader(), corpus, TEXTS).told_previous == 0


def test_a_perfect_model_beats_every_baseline() -> None:
    found = evaluate(Reader(), SIM, TEXTS, batch=5)
    assert found.simulated
    assert found.hypotheses == found.references == tuple(TEXTS)
    assert value(found.metrics, "BLEU-4") == pytest.approx(100)
    assert value(found.metrics, "content-F1") == pytest.approx(100)
    assert set(found.baselines) == {SHUFFLED, FREQUENT, CONSTANT, TEMPLATE}
    for scores in found.baselines.values():
        assert value(scores, "BLEU-4") < 70
        assert value(scores, "content-F1") < 80
    assert value(found.baselines[TEMPLATE], "content-F1") < 30


def test_a_model_that_does_not_look_scores_as_its_shuffled_input() -> None:
    found = evaluate(Reader(always=TEXTS[3]), SIM, TEXTS)
    assert found.metrics == found.baselines[SHUFFLED]


def test_limit_takes_the_first_samples_and_progress_is_told() -> None:
    told: list[int] = []
    found = evaluate(Reader(), SIM, TEXTS, limit=7, advance=told.append)
    assert found.ids == tuple(f"s{i}" for i in range(7))
    assert found.to_json()["n"] == 7
    assert told == [7]


def test_a_simulated_model_refuses_real_clips_unless_allowed() -> None:
    real = Corpus(Origin("mediapipe"))
    with pytest.raises(UntrustedResultError, match=r"'s0' is not simulated signing.*'reader'"):
        evaluate(Reader(), real, TEXTS)
    assert not evaluate(Reader(), real, TEXTS, allow_simulated=True).simulated


def test_nothing_to_evaluate_is_refused() -> None:
    with pytest.raises(UsageError, match="has 24 samples and the limit is 0"):
        evaluate(Reader(), SIM, TEXTS, limit=0)


def test_json_carries_scores_baselines_and_lengths() -> None:
    report = evaluate(Reader(), SIM, TEXTS).to_json()
    assert list(report) == ["simulated", "n", "metrics", "baselines", "lengths"]
    assert report["lengths"]["medium"]["words"] == [7, 12]
    assert report["lengths"]["medium"]["metrics"][0]["n"] == len(TEXTS)
    assert "short" not in report["lengths"]
