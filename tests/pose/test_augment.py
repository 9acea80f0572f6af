"""Augmentation: a known map, repeatable, and no new keypoints."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.pose.augment import (
    at_times,
    dropped,
    even_times,
    mirrored,
    random_affine,
    uneven_times,
    warped_times,
)


def clip() -> PoseClip:
    rng = np.random.default_rng(3)
    confidence = (rng.random((7, 42)) > 0.2).astype(np.float32)
    return PoseClip(rng.normal(size=(7, 42, 3)).astype(np.float32), confidence, 25.0, HANDS42)


def test_no_strength_is_no_change() -> None:
    same = random_affine(clip(), np.random.default_rng(0))
    np.testing.assert_allclose(same.points, clip().points, atol=1e-6)


def test_one_map_for_the_whole_clip_and_missing_stays_missing() -> None:
    before = clip()
    after = random_affine(before, np.random.default_rng(1), scale=0.3, rotation=20.0)
    seen = before.present
    assert (after.present == seen).all()
    assert (after.points[~seen] == 0).all()
    source = np.c_[before.points[seen][:, :2], np.ones(seen.sum())]
    fitted, *_ = np.linalg.lstsq(source, after.points[seen][:, :2], rcond=None)
    np.testing.assert_allclose(source @ fitted, after.points[seen][:, :2], atol=1e-5)
    singular = np.linalg.svd(fitted[:2])[1]
    assert np.exp(-0.3) < singular.min() < singular.max() < np.exp(0.3)
    assert after.points[..., 2] == pytest.approx(before.points[..., 2])


def test_the_same_generator_gives_the_same_clip() -> None:
    one, two = (random_affine(clip(), np.random.default_rng(5), 0.2, 10.0) for _ in range(2))
    assert (one.points == two.points).all()


def test_mirrored_twice_is_the_clip_itself_and_once_swaps_sides() -> None:
    before = replace(clip(), size=(4, 4))
    once = mirrored(before)
    swap = list(HANDS42.mirror)
    seen = once.present
    assert (seen == before.present[:, swap]).all()
    assert (once.points[~seen] == 0).all()
    np.testing.assert_allclose(
        once.points[..., 0][seen], 4 - before.points[:, swap, 0][seen], atol=1e-6
    )
    np.testing.assert_allclose(mirrored(once).points, before.points, atol=1e-6)


@given(st.integers(1, 50), st.integers(1, 40), st.integers(0, 999))
def test_warped_times_never_fall_nor_leave_the_clip(frames: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = dropped(warped_times(frames, count, rng, 0.3, 0.5), rng, 0.3)
    assert times.shape == (count,)
    assert (np.diff(times) >= 0).all()
    assert 0 <= times.min() <= times.max() <= frames - 1
    still = warped_times(frames, count, np.random.default_rng(seed))
    np.testing.assert_allclose(still, even_times(frames, count), atol=1e-9)


@given(st.integers(1, 50), st.integers(1, 40), st.floats(0, 1), st.integers(0, 999))
def test_uneven_times_go_from_end_to_end_and_never_back(
    frames: int, count: int, sigma: float, seed: int
) -> None:
    times = uneven_times(frames, count, np.random.default_rng(seed), sigma)
    assert (np.diff(times) >= 0).all()
    assert times[0] == 0
    assert count == 1 or times[-1] == pytest.approx(frames - 1)
    still = uneven_times(frames, count, np.random.default_rng(seed), 0.0)
    np.testing.assert_allclose(still, even_times(frames, count), atol=1e-9)


def test_dropped_frames_show_the_one_before() -> None:
    times = dropped(np.arange(1000.0), np.random.default_rng(0), 0.25)
    lost = times != np.arange(1000)
    assert lost.mean() == pytest.approx(0.25, abs=0.04)
    assert (times[1:][lost[1:]] == times[:-1][lost[1:]]).all()
    assert times[0] == 0


def test_a_lost_keypoint_moves_on_a_straight_line() -> None:
    points = np.arange(10, dtype=np.float32)[:, None, None] * np.ones((1, 3, 2), np.float32)
    present = np.ones((10, 3), bool)
    present[3:7, 1] = False  # lost for a while
    present[:5, 2] = False  # comes late
    points[~present] = 0
    times = np.array([0.0, 2.5, 4.25, 9.0])
    moved, seen = at_times(points, present, times)
    np.testing.assert_allclose(moved[:, 0, 0], times)
    np.testing.assert_allclose(moved[:, 1, 0], times)
    np.testing.assert_allclose(moved[:, 2, 0], [5, 5, 5, 9])
    assert seen.tolist() == [
        [True, True, False], [True, True, False], [True, False, False], [True, True, True],
    ]  # fmt: skip
    never, seen = at_times(points, np.zeros((10, 3), bool), times)
    assert not never.any()
    assert not seen.any()
    empty, _ = at_times(points[:0], present[:0], times)
    assert empty.shape == (4, 3, 2)
