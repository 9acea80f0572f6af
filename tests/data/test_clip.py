"""PoseClip keeps its promises whatever it is made of."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.timing import Span


def clip(frames: int = 10) -> PoseClip:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(frames, 42, 3)).astype(np.float32)
    return PoseClip(points, np.full((frames, 42), 0.9, np.float32), 10.0, HANDS42, "a17")


def test_nan_infinity_and_missing_become_zero() -> None:
    points = np.ones((3, 42, 3), np.float32)
    confidence = np.ones((3, 42), np.float32)
    points[0, 0, 1], points[1, 1, 0], points[1, 2, 0] = np.nan, np.inf, -np.inf
    points[2, 7, 0], points[2, 8, 2] = 1e30, -3e38  # damage in a file
    confidence[2, 3], confidence[2, 4], confidence[2, 5] = 0, -1, np.nan
    confidence[0, 9] = 7
    made = PoseClip(points, confidence, 25.0, HANDS42)
    gone = [(0, 0), (1, 1), (1, 2), (2, 3), (2, 4), (2, 5), (2, 7), (2, 8)]
    assert all(made.confidence[at] == 0 and not made.points[at].any() for at in gone)
    assert np.isfinite(made.points).all()
    assert made.present.sum() == 3 * 42 - len(gone)
    assert made.confidence.max() == 1


def test_is_immutable() -> None:
    with pytest.raises(ValueError, match="read-only"):
        clip().points[0, 0, 0] = 1


def test_a_wrong_shape_names_the_clip_and_what_was_expected() -> None:
    with pytest.raises(
        ValueError, match=r"'a17'.*\(2, 41, 3\).*'hands42' expects \(frames, 42, 3\)"
    ):
        PoseClip(
            np.zeros((2, 41, 3), np.float32), np.zeros((2, 41), np.float32), 25.0, HANDS42, "a17"
        )
    with pytest.raises(ValueError, match=r"confidence of shape \(2, 41\), expected \(2, 42\)"):
        PoseClip(
            np.zeros((2, 42, 3), np.float32), np.zeros((2, 41), np.float32), 25.0, HANDS42, "a17"
        )
    with pytest.raises(ValueError, match=r"0\.0 fps, expected a number above 0"):
        PoseClip(np.zeros((2, 42, 3), np.float32), np.zeros((2, 42), np.float32), 0.0, HANDS42)


def test_cut_is_in_seconds_and_clipped() -> None:
    whole = clip(10)
    assert np.array_equal(whole.cut(Span(0.2, 0.5)).points, whole.points[2:5])
    assert len(whole.cut(Span(0.8, 3.0))) == 2
    assert whole.duration == 1.0


def test_origin_survives_json() -> None:
    origin = Origin("mediapipe-holistic", "0.10.14", {"model_complexity": 1})
    assert Origin.from_json(origin.to_json()) == origin
    assert Origin("signloom-simulator").simulated
