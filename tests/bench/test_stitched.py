"""The stitching benchmarks on planted clips: signs are cut at their seams and put together again."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.stitched_streams import free_text
from benchmarks.stitched_vs_fluent import (
    _agreement,
    compared,
    interval,
    put_together,
    signs_between,
)
from signloom.data.clip import PoseClip
from signloom.data.layouts import PS76
from signloom.pose.warp import Settings
from signloom.stitch.joining import Joining
from signloom.stitch.stitcher import joined


def walk(seed: int, frames: int) -> PoseClip:
    rng = np.random.default_rng(seed)
    points = 300 + rng.normal(0, 6, (frames, len(PS76), 3)).cumsum(axis=0)
    points += rng.normal(0, 60, (1, len(PS76), 3))
    seen = np.ones(points.shape[:2], np.float32)
    return PoseClip(points.astype(np.float32), seen, 25.0, PS76, id=str(seed), size=(640, 480))


def line(before: PoseClip, after: PoseClip, frames: int) -> PoseClip:
    """A straight way that misses both ends a little, as smoothing leaves it."""
    s = (np.arange(1, frames + 1) / (frames + 1))[:, None, None]
    points = (before.points[-1] + 2) * (1 - s) + (after.points[0] + 2) * s
    return before.with_points(points.astype(np.float32), np.ones(points.shape[:2], np.float32))


def test_signs_are_cut_at_their_seams() -> None:
    signs = [walk(1, 9), walk(2, 4), walk(3, 12)]
    parts = [signs[0], line(signs[0], signs[1], 5), signs[1], line(signs[1], signs[2], 5), signs[2]]
    found = signs_between(joined(parts))
    assert [len(sign) for sign in found] == [9, 4, 12]
    for one, other in zip(found, signs, strict=True):
        assert np.array_equal(one.points, other.points)
    assert np.array_equal(put_together(found, Joining()).points, joined(signs).points)
    blended = put_together(found, Joining(blend=0.2))
    assert len(blended) == 25 + 2 * 5
    assert len(signs_between(walk(4, 30))) == 1


def test_every_way_is_compared_and_paired() -> None:
    fluent = [walk(n, 20) for n in range(4)]
    slow = [clip.frames(np.repeat(np.arange(20), 2)) for clip in fluent]
    found = compared(fluent, {"naive": slow, "other": fluent}, Settings(normalise=False))
    assert found["n"] == 4
    ways = found["ways"]
    assert ways["naive"]["cost"]["mean"] == ways["other"]["cost_minus_naive"]["mean"] == 0
    assert ways["naive"]["length_ratio"]["mean"] == 2
    assert ways["naive, onto the next sentence"]["cost"]["mean"] > 1
    assert interval([1.0, 1.0]) == {"mean": 1.0, "low": 1.0, "high": 1.0, "median": 1.0}
    low, high = (interval(list(range(100)))[k] for k in ("low", "high"))
    assert 40 < low < 49.5 < high < 60


def test_orders_are_compared_by_pairs() -> None:
    assert _agreement(["a", "b", "c"], ["c", "a", "b"]) == [pytest.approx(1 / 3)]
    assert _agreement(["a", "b", "b", "x"], ["a", "b", "y"]) == []
    assert _agreement(["b", "a"], ["a", "b"]) == [0.0]


def test_free_text_has_the_size_that_is_asked_for() -> None:
    texts = list(free_text(["a", "b", "c"], 12_345))
    assert len(texts) == 12_345
    assert {len(text.split()) for text in texts} == set(range(2, 10))
