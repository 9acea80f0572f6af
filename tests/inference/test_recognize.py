"""Calibration, the threshold for unknown, late fusion, and a split beside its baselines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import UntrustedResultError, UsageError
from signloom.inference.recognize import (
    Calibration,
    Candidate,
    Recognition,
    Recognizer,
    calibrated,
    evaluate_recognition,
    evidence,
    fitted_temperature,
    probabilities,
    recognize_clips,
)
from signloom.metrics.recognition import (
    calibration_error,
    classification_rates,
    score_classification,
)

WORDS = ("one", "two", "three")


def clip_of(frames: int, simulated: bool = True) -> PoseClip:
    origin = Origin(SIMULATED if simulated else "mediapipe-holistic")
    points = np.full((frames, 42, 3), frames, np.float32)
    return PoseClip(points, np.ones((frames, 42), np.float32), 25.0, HANDS42, origin=origin)


class Counter:
    """Names how many frames a clip has, and keeps the sizes of the batches it was given."""

    name = "counter"
    layout = HANDS42
    simulated_only = True
    glosses = WORDS
    reads_lips = False

    def __init__(self) -> None:
        self.batches: list[int] = []

    def recognize(
        self,
        clips: Sequence[PoseClip],
        top: int = 5,
        lips: Sequence[Lips | None] | None = None,
    ) -> list[Recognition]:
        self.batches.append(len(clips))
        found = []
        for clip in clips:
            order = [
                WORDS[len(clip) - 1],
                *(word for word in WORDS if word != WORDS[len(clip) - 1]),
            ]
            found.append(Recognition(tuple(Candidate(w, 0.5) for w in order[:top]), len(clip) < 3))
        return found


def draws(temperature: float, clips: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose labels are drawn from softmax(logits / temperature)."""
    rng = np.random.default_rng(0)
    logits = 3 * rng.standard_normal((clips, 6))
    chances = probabilities(logits / temperature)
    labels = (chances.cumsum(1) < rng.random((clips, 1))).sum(1).clip(max=5)
    return logits, labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_planted_is_found(temperature: float) -> None:
    logits, labels = draws(temperature)
    assert fitted_temperature(logits, labels) == pytest.approx(temperature, rel=0.08)


def test_calibration_brings_the_error_down_and_keeps_the_order() -> None:
    logits, labels = draws(2.5)
    found = calibrated(logits, labels)
    assert found is not None
    assert (found.n, found.ece_before > 15, found.ece_after < 3) == (4_000, True, True)
    told, plain = probabilities(logits, found), probabilities(logits)
    assert (told.argmax(1) == plain.argmax(1)).all()
    assert told.sum(1) == pytest.approx(np.ones(4_000))
    assert Calibration.from_json(found.to_json()) == found


def test_the_threshold_accepts_what_it_says_and_knows_no_class() -> None:
    logits, labels = draws(1.0)
    found = calibrated(logits, labels)
    assert found is not None
    right = logits.argmax(1) == labels
    accepted = np.array([found.knows(row) for row in logits])
    assert accepted[right].mean() == pytest.approx(0.95, abs=0.002)
    assert accepted[right].mean() > accepted[~right].mean()
    assert not found.knows(np.zeros(6))
    swapped = logits[:, ::-1]
    assert evidence(swapped) == pytest.approx(evidence(logits))


def test_too_few_clips_or_unknown_labels_calibrate_nothing() -> None:
    logits, labels = draws(1.0, 19)
    assert calibrated(logits, labels) is None
    logits, labels = draws(1.0, 40)
    assert calibrated(logits, np.full(40, -1)) is None
    half = np.where(np.arange(40) % 2, labels, -1)
    found = calibrated(logits, half)
    assert found is not None
    assert found.n == 20


def test_every_clip_gets_its_own_recognition() -> None:
    model = Counter()
    found = recognize_clips(model, [clip_of(n) for n in (3, 1, 2, 2, 1)], top=1, batch=2)
    assert [each.candidates[0].gloss for each in found] == ["three", "one", "two", "two", "one"]
    assert model.batches == [2, 2, 1]
    assert isinstance(model, Recognizer)


def test_a_split_is_scored_beside_its_baselines() -> None:
    truth = ["one", "one", "one", "two", "three", "four"]
    frames = [1, 1, 2, 2, 3, 3]
    corpus = [
        Sample(str(i), clip_of(n), t) for i, (n, t) in enumerate(zip(frames, truth, strict=True))
    ]
    found = evaluate_recognition(Counter(), corpus, ["one", "one", "two"])
    scores = {score.name: score.value for score in found.metrics}
    assert scores["top-1"] == pytest.approx(100 * 4 / 6)
    assert scores["top-1-class"] == pytest.approx((200 / 3 + 100 + 100 + 0) / 4)
    assert scores["top-5"] == pytest.approx(100 * 5 / 6)
    assert (found.unknown, found.simulated, len(set(found.inputs))) == (2, True, 3)
    shuffled = {score.name: score.value for score in found.baselines["shuffled input"]}
    frequent = {score.name: score.value for score in found.baselines["most frequent glosses"]}
    assert shuffled["top-1"] < scores["top-1"]
    assert (frequent["top-1"], frequent["top-5"]) == (pytest.approx(50), pytest.approx(400 / 6))
    assert found.to_json()["n"] == 6
    assert evaluate_recognition(Counter(), corpus, [], limit=2).references == ("one", "one")
    unwritten = [Sample("0", clip_of(1), "", (GlossSpan("one"),))]
    assert evaluate_recognition(Counter(), unwritten, []).metrics[0].value == 100


def test_real_clips_are_refused_by_a_model_of_simulated_signing() -> None:
    corpus = [Sample("a", clip_of(1, simulated=False), "one")]
    with pytest.raises(UntrustedResultError, match="sample 'a' is not simulated"):
        evaluate_recognition(Counter(), corpus, [])
    assert not evaluate_recognition(Counter(), corpus, [], allow_simulated=True).simulated
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate_recognition(Counter(), [], [])


def test_rates_per_class_weigh_rare_glosses_like_common_ones() -> None:
    ranked = [["a"], ["a"], ["a"], ["a", "b"]]
    found = classification_rates(ranked, ["a", "a", "a", "b"])
    assert found == {"top-1": 75.0, "top-5": 100.0, "top-1-class": 50.0, "top-5-class": 100.0}
    scores = {score.name: score for score in score_classification(ranked, ["a", "a", "a", "b"])}
    assert scores["top-1"].signature == "top:1|classes:2|mean:instance"
    assert scores["top-1-class"].signature == "top:1|classes:2|mean:class"
    low, high = scores["top-1"].ci95
    assert low < 75 <= high
    with pytest.raises(UsageError, match="1 recognised clips stand against 2 references"):
        score_classification([["a"]], ["a", "b"])


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.9, 0.95, 0.3, 0.3])
    right = np.array([True, False, False, True])
    # Bins of a fifteenth: 0.9 and 0.95 fall apart, 0.3 and 0.3 together.
    expected = (0.1 + 0.95 + abs(1 - 0.6)) / 4
    assert calibration_error(confidence, right) == pytest.approx(expected)
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0
