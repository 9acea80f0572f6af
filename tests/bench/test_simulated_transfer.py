"""The pure parts of the transfer benchmark, on planted clips; no corpus is read."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.simulated_transfer import (
    FRAMES,
    HAND,
    Choice,
    Run,
    drawn,
    features,
    held_out,
    paired,
    recogniser,
    run,
    sizes_named,
)
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.errors import UsageError

LABELS = np.repeat(np.arange(6), [1, 2, 4, 7, 9, 12])


def clip(seed: int, *, size: int = 1, lost: slice = slice(0, 0)) -> PoseClip:
    """A right hand in uniform motion; the left is never seen."""
    hand = np.random.default_rng(seed).normal(0, 0.05, (21, 2)) + 0.4
    points = np.zeros((30, 42, 3), np.float32)
    points[:, 21:, :2] = size * (hand + np.linspace(0, 0.2, 30)[:, None, None])
    seen = np.zeros((30, 42), np.float32)
    seen[4:26, 21:] = 1
    seen[lost] = 0
    points[seen == 0] = 0
    return PoseClip(points, seen, 25.0, HANDS42, size=(size, size))


def test_more_clips_of_a_class_hold_the_fewer_ones() -> None:
    one, five, every = (drawn(LABELS, clips, 3) for clips in (1, 5, None))
    assert np.bincount(LABELS[one]).tolist() == [1] * 6
    assert np.bincount(LABELS[five]).tolist() == [1, 2, 4, 5, 5, 5]
    assert every.tolist() == list(range(len(LABELS)))
    assert set(one) < set(five) < set(every)
    assert np.array_equal(five, drawn(LABELS, 5, 3))
    assert not np.array_equal(five, drawn(LABELS, 5, 4))


def test_held_out_clips_are_not_learned_from() -> None:
    kept, held = held_out(LABELS)
    assert sorted([*kept, *held]) == list(range(len(LABELS)))
    assert np.bincount(LABELS[held], minlength=6).tolist() == [1, 1, 1, 2, 2, 3]


def test_features_do_not_know_pixels_and_bridge_a_lost_hand() -> None:
    found = features(clip(1))
    assert found.shape == (FRAMES, 2 * HAND)
    assert not found[:, :HAND].any()
    assert np.allclose(found, features(clip(1, size=640)), atol=1e-4)
    gap = features(clip(1, lost=slice(10, 15)))
    still = [HAND + k for k in range(40)] + [HAND + 42, HAND + 43]
    assert np.allclose(found[:, still], gap[:, still], atol=1e-4)
    assert found[:, -1].all()
    assert 0 < (gap[:, -1] == 0).sum() < 10
    empty = clip(1, lost=slice(0, 30))
    assert not features(empty).any()


def test_the_difference_is_paired() -> None:
    scratch = np.zeros((3, 40), bool)
    better = scratch.copy()
    better[0, :10] = better[1, :12] = better[2, :14] = True
    found = paired(scratch, better)
    assert found["mean"] == 0.3
    assert found["each"] == [0.25, 0.3, 0.35]
    half = 4.303 * 0.05 / 3**0.5
    assert np.allclose(found["over_seeds"], [0.3 - half, 0.3 + half], atol=1e-3)
    low, high = found["over_clips"]
    assert 0.1 < low < 0.3 < high < 0.5
    assert paired(better, better)["over_clips"] == [0, 0]


def test_planted_words_are_learned_from_weights_of_another_head() -> None:
    learned = np.stack([features(clip(word)) for word in range(4)])
    labels = np.arange(4)
    other = {
        name: value.numpy()
        for name, value in recogniser(9).state_dict().items()
        if not name.startswith("head.")
    }
    one = Run(other, (learned, labels), (learned, labels), 4, Choice(3e-3, 25), 1)
    right, _ = run(one)
    assert right.all()
    assert np.array_equal(run(one)[0], right)


def test_numbers_of_clips() -> None:
    assert sizes_named("1,5,all") == [1, 5, None]
    with pytest.raises(UsageError, match="'0' is no number of clips a class; give numbers from 1"):
        sizes_named("1,0")
