"""Left and right recovered where they were known and then lost."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from signloom.pose.hands import assign_hands

Hands = NDArray[np.float32]


def two_hands(frames: int = 60) -> Hands:
    """[left, right] with the forearms reaching in and up; they cross between frames 20 and 40."""
    rng = np.random.default_rng(3)
    hand = np.zeros((21, 2))
    for finger in range(5):  # thumb to little finger, spread from the middle of the body outward
        for joint in range(4):
            reach = 0.4 + 0.2 * joint
            hand[1 + 4 * finger + joint] = [0.5 * reach + 0.06 * (2 - finger), -reach]
    t = np.linspace(0, 2 * np.pi, frames)
    cross = 0.28 * np.clip(np.sin(t / 2) * 2 - 1, 0, 1)
    right = hand * 0.12 + np.stack([0.35 + cross, 0.6 + 0.05 * np.sin(3 * t)], 1)[:, None]
    left = hand * [-0.12, 0.12] + np.stack([0.65 - cross, 0.7 + 0.05 * np.cos(3 * t)], 1)[:, None]
    both = np.stack([left, right], axis=1)
    assert (both[30, 1, 0, 0] - both[30, 0, 0, 0]) > 0.1  # the right hand is further to the right
    return (both + rng.normal(0, 0.003, both.shape)).astype(np.float32)


def exchanged(hands: Hands, seed: int) -> Hands:
    out = hands.copy()
    flip = np.random.default_rng(seed).random(len(hands)) < 0.5
    out[flip] = out[flip][:, ::-1]
    return out


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_crossing_hands_come_back_whatever_the_order(seed: int) -> None:
    hands = two_hands()
    assert np.array_equal(assign_hands(exchanged(hands, seed)), hands)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_hands_that_come_and_go_keep_their_names(seed: int) -> None:
    hands = two_hands()
    rng = np.random.default_rng(seed)
    hands[rng.random(len(hands)) < 0.3, 0] = np.nan
    hands[rng.random(len(hands)) < 0.3, 1] = np.nan
    assert np.array_equal(assign_hands(exchanged(hands, seed)), hands, equal_nan=True)


def test_a_mirror_image_gives_the_same_names_mirrored() -> None:
    hands = two_hands()
    mirror = hands * np.float32([-1, 1]) + np.float32([1, 0])
    assert np.array_equal(assign_hands(exchanged(mirror, 1), mirrored=True), mirror)
    pixels = hands * np.float32(640)
    assert np.array_equal(assign_hands(exchanged(pixels, 1), middle=320.0, width=640.0), pixels)


def test_nothing_is_made_up() -> None:
    empty = np.full((4, 2, 21, 3), np.nan, np.float32)
    assert np.array_equal(assign_hands(empty), empty, equal_nan=True)
    assert assign_hands(empty[:0]).shape == (0, 2, 21, 3)
    with pytest.raises(ValueError, match=r"shape \(5, 42, 2\), expected \(frames, 2, 21, 2 or 3\)"):
        assign_hands(np.zeros((5, 42, 2)))


@pytest.mark.shared_data
def test_real_hands_are_told_apart(shared_data: Path) -> None:
    """A third of the 556 clips of two signs by 16 signers, left-handed ones among them."""
    folder = shared_data / "gislr_hello_thankyou"
    stored = np.load(folder / "landmarks_xy_f16.npz")
    at = {name: i for i, name in enumerate(stored["point_names"].tolist())}
    order = [[at[f"{side}_hand_{i}"] for i in range(21)] for side in ("left", "right")]
    points = stored["xy"].astype(np.float32)[:, order]
    right = total = 0
    with (folder / "index.csv").open(newline="") as file:
        for n, row in enumerate(csv.DictReader(file)):
            if n % 3:
                continue
            start = int(row["offset"])
            hands = points[start : start + int(row["n_frames"])]
            got = assign_hands(exchanged(hands, n))
            same = ((got == hands) | (np.isnan(got) & np.isnan(hands))).all(axis=(1, 2, 3))
            seen = ~np.isnan(hands).all(axis=(1, 2, 3))
            right, total = right + int(same[seen].sum()), total + int(seen.sum())
    assert total > 2500
    assert right / total > 0.99
