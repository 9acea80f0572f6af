"""Mouth crops as a record, and as what an encoder is given."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.errors import MediaError


def grey(frames: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, 96, 96), np.uint8)


def lips(frames: int = 5, fps: float = 25.0) -> Lips:
    return Lips(grey(frames), np.ones(frames, bool), fps, "a17")


def clip(frames: int, fps: float = 25.0) -> PoseClip:
    points = np.zeros((frames, 42, 3), np.float32)
    return PoseClip(points, points[:, :, 0], fps, HANDS42, "b3")


def test_the_middle_of_a_crop_is_seen_as_published() -> None:
    made = lips()
    expected = (made.frames[:, 4:92, 4:92].astype(np.float64) / 255 - 0.421) / 0.165
    np.testing.assert_allclose(made.seen(), expected, atol=1e-6)
    np.testing.assert_array_equal(made.seen(mirrored=True), made.seen()[:, :, ::-1])


def test_a_random_crop_is_one_place_for_all_frames_and_reaches_every_edge() -> None:
    ramp = np.repeat((np.arange(96)[:, None] + 2 * np.arange(96)).astype(np.uint8)[None], 3, 0)
    made = Lips(ramp, np.ones(3, bool), 25.0)
    rng = np.random.default_rng(1)
    places = set()
    for _ in range(400):
        corner = np.rint((made.seen(rng)[:, [0, 0, 1], [0, 1, 0]] * 0.165 + 0.421) * 255)
        assert (corner == corner[0]).all()
        places.add(int(corner[0, 0]))
    assert (min(places), max(places)) == (0, 24)
    again = made.seen(np.random.default_rng(7))
    np.testing.assert_array_equal(again, made.seen(np.random.default_rng(7)))


def test_a_mouth_that_is_not_seen_is_nothing() -> None:
    present = np.array([True, False, True, True, False])
    made = Lips(grey(), present, 25.0)
    assert not made.frames[~present].any()
    assert made.frames[present].any(axis=(1, 2)).all()
    assert (made.seen()[~present] == 0).all()
    np.testing.assert_array_equal(made[1:3].frames, made.frames[1:3])


@given(st.floats(-1, 4), st.floats(0, 4), st.sampled_from([10.0, 25.0, 30000 / 1001]))
def test_lips_are_cut_as_their_clip_is(start: float, length: float, fps: float) -> None:
    numbered = np.repeat(np.arange(40, dtype=np.uint8), 96 * 96).reshape(-1, 96, 96)
    made = Lips(numbered, np.ones(40, bool), fps)
    points = np.repeat(np.arange(40, dtype=np.float32), 42 * 3).reshape(40, 42, 3)
    pose = PoseClip(points, np.ones((40, 42), np.float32), fps, HANDS42)
    span = Span(max(start, 0.0), max(start, 0.0) + length)
    cut = made.cut(span).aligned_with(pose.cut(span))
    np.testing.assert_array_equal(cut.frames[:, 0, 0], pose.cut(span).points[:, 0, 0])
    which = np.array([3, 3, 0])
    np.testing.assert_array_equal(made[which].frames, numbered[which])


def test_lips_keep_what_they_were_given() -> None:
    frames, present = grey(), np.array([True, True, False, True, True])
    before = frames.copy()
    made = Lips(frames, present, 25.0)
    np.testing.assert_array_equal(frames, before)
    frames[:], present[:] = 7, False
    np.testing.assert_array_equal(made.frames[0], before[0])
    assert made.present.sum() == 4
    with pytest.raises(ValueError, match="read-only"):
        made.frames[0] = 0


@pytest.mark.parametrize(("frames", "fps"), [(6, 25.0), (4, 25.0), (5, 24.0)])
def test_lips_of_another_length_or_rate_are_refused(frames: int, fps: float) -> None:
    assert lips().aligned_with(clip(5)).id == "a17"
    message = f"lips 'a17' have 5 frames at 25 fps but clip 'b3' has {frames} at {fps:g}"
    with pytest.raises(MediaError, match=re.escape(message)):
        lips().aligned_with(clip(frames, fps))


def test_arrays_that_are_no_lips_are_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8 frames of shape \(5, 88, 88\)"):
        Lips(grey()[:, :88, :88], np.ones(5, bool), 25.0)
    with pytest.raises(ValueError, match=r"presence of shape \(4,\)"):
        Lips(grey(), np.ones(4, bool), 25.0)
    with pytest.raises(ValueError, match=r"0\.0 fps"):
        Lips(grey(), np.ones(5, bool), 0.0)
