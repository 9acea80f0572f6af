"""Augmentation: a known map, repeatable, and no new keypoints."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.pose.augment import random_affine


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
