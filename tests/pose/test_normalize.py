"""The three normalisers: a known affine map undone, the formulas of the specification in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import BOSTON3, HANDS42, HOLISTIC, ISHARAH86, PS76, Layout
from signloom.errors import UsageError
from signloom.pose.normalize import isharah_frame, minmax_clip, nose, shoulder


def a_clip(layout: Layout, seed: int = 0, frames: int = 12, hidden: float = 0.1) -> PoseClip:
    """Random points, a share of them missing, a left hand never seen, a right hand gone for a while."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(frames, len(layout), 3)).astype(np.float32)
    confidence = (rng.random((frames, len(layout))) > hidden).astype(np.float32)
    confidence[:, layout.part("left_hand")] = 0
    confidence[3:5, layout.part("right_hand")] = 0
    return PoseClip(points, confidence, 25.0, layout, "c")


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 1000), st.floats(-1000, 1000), st.floats(-1000, 1000), st.integers(0, 9))
def test_shoulder_undoes_a_known_scale_and_shift(
    scale: float, x: float, y: float, seed: int
) -> None:
    clip = a_clip(PS76, seed)
    moved = clip.with_points((clip.points * scale + [x, y, 0]).astype(np.float32))
    # A shift of 1000 against a size of 0.01 leaves float32 two digits.
    tolerance = 1e-4 * max(1.0, (abs(x) + abs(y)) / scale)
    assert np.abs(shoulder(moved).points - shoulder(clip).points).max() < tolerance


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 100), st.floats(-100, 100), st.integers(0, 9))
def test_nose_undoes_a_known_scale_and_shift(scale: float, by: float, seed: int) -> None:
    clip = a_clip(BOSTON3, seed, hidden=0.3)
    moved = clip.with_points((clip.points * scale + [by, -by, 0]).astype(np.float32))
    found, again = nose(clip), nose(moved)
    seen = clip.present
    tolerance = 1e-4 * max(1.0, abs(by) / scale)
    assert np.abs((found.points - again.points)[seen]).max() < tolerance
    assert np.abs(found.points[seen[:, 2], 2].mean(0)).max() < 1e-5
    away = np.linalg.norm(found.points[:, :2, :2], axis=2)[seen[:, :2]]
    assert away.mean() == pytest.approx(1, rel=1e-4)


def test_nose_needs_a_nose_and_a_hand() -> None:
    with pytest.raises(UsageError, match="cannot be normalised by its nose: layout 'hands42'"):
        nose(a_clip(HANDS42))
    clip = a_clip(BOSTON3)
    confidence = clip.confidence.copy()
    confidence[:, 2] = 0
    assert not nose(clip.with_points(clip.points, confidence)).present.any()


def test_shoulder_is_one_affine_map_of_the_clip() -> None:
    clip = a_clip(PS76)
    left, right = PS76.of("POSE_LANDMARKS:LEFT_SHOULDER", "POSE_LANDMARKS:RIGHT_SHOULDER")
    seen = clip.present[:, left] & clip.present[:, right]
    p = clip.points.astype(np.float64)
    middle = ((p[seen, left] + p[seen, right]) / 2).mean(axis=0)
    distance = np.sqrt(((p[seen, left] - p[seen, right]) ** 2).sum(axis=1)).mean()
    expected = np.where(clip.present[:, :, None], (p - middle) / distance, 0)
    np.testing.assert_allclose(shoulder(clip).points, expected, atol=1e-5)


def test_shoulder_leaves_metres_alone_and_refuses_what_it_cannot_do() -> None:
    clip = a_clip(HOLISTIC)
    world = HOLISTIC.part("world")
    assert np.array_equal(shoulder(clip).points[:, world], clip.points[:, world])
    with pytest.raises(
        UsageError, match=r"'c' cannot be normalised.*'hands42' has none.*minmax_clip"
    ):
        shoulder(a_clip(HANDS42))
    confidence = clip.confidence.copy()
    confidence[:, 11] = 0
    assert not shoulder(clip.with_points(clip.points, confidence)).present.any()


@pytest.mark.parametrize("layout", [PS76, ISHARAH86, HANDS42], ids=lambda layout: layout.name)
def test_minmax_matches_the_formula_and_guards_an_unseen_hand(layout: Layout) -> None:
    clip = a_clip(layout)
    out = minmax_clip(clip)
    expected = np.zeros((len(clip), len(layout), 3))
    for at in layout.parts.values():
        for axis in (0, 1):
            values = [
                (t, k, float(clip.points[t, k, axis]))
                for t in range(len(clip))
                for k in at
                if clip.present[t, k]
            ]
            if not values:
                continue
            low, high = min(v for *_, v in values), max(v for *_, v in values)
            for t, k, v in values:
                expected[t, k, axis] = 2 * (v - low) / (high - low) - 1
    np.testing.assert_allclose(out.points, expected, atol=1e-5)
    assert not out.points[:, layout.part("left_hand")].any()
    assert np.array_equal(out.confidence, clip.confidence)
    one = np.zeros_like(clip.confidence)
    one[0, 0] = 1
    assert not minmax_clip(clip.with_points(clip.points, one)).points.any()


def test_minmax_does_not_see_scale_and_shift_of_an_articulator() -> None:
    clip = a_clip(PS76)
    points = clip.points.copy()
    points[:, PS76.part("face")] = points[:, PS76.part("face")] * np.float32(
        [3, 0.5, 1]
    ) + np.float32([7, -2, 0])
    assert np.allclose(
        minmax_clip(clip.with_points(points)).points, minmax_clip(clip).points, atol=1e-5
    )


def test_isharah_matches_the_formula_frame_by_frame() -> None:
    clip = a_clip(ISHARAH86, hidden=0.0)
    expected = np.zeros((len(clip), len(ISHARAH86), 3))
    for t in range(len(clip)):
        for at in ISHARAH86.parts.values():
            if not clip.present[t, at].all():
                continue
            p = clip.points[t, at, :2].astype(np.float64)
            p -= p[0]
            p -= p.min(axis=0)
            p /= max(p[:, 0].max(), p[:, 1].max())
            p -= p.mean()
            p /= np.abs(p).max()
            expected[t, at, :2] = 0.5 * p
    np.testing.assert_allclose(isharah_frame(clip).points, expected, atol=1e-6)
    holes = isharah_frame(a_clip(ISHARAH86, hidden=0.4))
    assert np.isfinite(holes.points).all()
    assert np.abs(holes.points).max() == 0.5
