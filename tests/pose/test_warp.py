"""Masked dynamic time warping: planted paths, and a double loop beside it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76
from signloom.errors import UsageError
from signloom.pose.warp import Settings, cheapest_path, frame_costs, in_band, warp


def clip_of(seed: int, frames: int, missing: float = 0.0) -> PoseClip:
    """A walk of every keypoint, its shoulders apart."""
    rng = np.random.default_rng(seed)
    points = 300 + rng.normal(0, 8, (frames, len(PS76), 3)).cumsum(axis=0)
    points += rng.normal(0, 60, (1, len(PS76), 3))
    seen = (rng.random((frames, len(PS76))) >= missing).astype(np.float32)
    return PoseClip(points.astype(np.float32), seen, 25.0, PS76, id=f"clip {seed}", size=(640, 480))


def test_a_planted_path_is_found() -> None:
    clip = clip_of(1, 30)
    # Every frame held for one to three frames; scaled and moved as a whole.
    held = np.random.default_rng(2).integers(1, 4, 30)
    slow = np.repeat(np.arange(30), held)
    other = clip.frames(slow)
    other = other.with_points(other.points * 1.5 + np.array([40, -9, 3], np.float32))
    # The shoulder normaliser takes means over the clip, which holds change: compare without it.
    same = Settings(normalise=False, axes=3)
    found = warp(clip, clip.frames(slow), same)
    assert found.path.tolist() == [[int(i), j] for j, i in enumerate(slow)]
    assert found.cost == found.total == 0
    assert found.compared == 1
    normalised = warp(clip, other)
    assert normalised.cost < 0.1 * warp(clip, clip_of(3, len(slow))).cost


def test_scale_and_place_of_the_signer_do_not_count() -> None:
    clip = clip_of(4, 12)
    moved = clip.with_points(clip.points * 3 + np.array([500, 20, 0], np.float32))
    assert warp(clip, moved).cost == pytest.approx(0, abs=1e-5)


def by_hand(
    a: np.ndarray, seen_a: np.ndarray, b: np.ndarray, seen_b: np.ndarray, missing: float,
    allowed: np.ndarray | None,
) -> float:  # fmt: skip
    """The definition, as a double loop."""
    n, m = len(a), len(b)
    total = np.full((n, m), np.inf)
    for i in range(n):
        for j in range(m):
            if allowed is not None and not allowed[i, j]:
                continue
            distances = [
                float(np.sqrt(((a[i, k] - b[j, k]) ** 2).sum()))
                for k in range(a.shape[1])
                if seen_a[i, k] and seen_b[j, k]
            ]
            cost = sum(distances) / len(distances) if distances else missing
            before = [
                total[i - di, j - dj]
                for di, dj in ((1, 1), (1, 0), (0, 1))
                if i >= di and j >= dj
            ]  # fmt: skip
            total[i, j] = cost + (min(before) if before else 0)
    return float(total[-1, -1])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.floats(0, 0.9),
    st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_it_equals_the_double_loop(
    n: int, m: int, keypoints: int, missing: float, band: float | None, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, keypoints, 2)), rng.normal(size=(m, keypoints, 2))
    seen_a, seen_b = rng.random((n, keypoints)) >= missing, rng.random((m, keypoints)) >= missing
    costs, shared = frame_costs(a, seen_a, b, seen_b, 0.7)
    assert (costs[shared == 0] == 0.7).all()
    allowed = None if band is None else in_band(n, m, band)
    path, total = cheapest_path(costs, allowed)
    assert total == pytest.approx(by_hand(a, seen_a, b, seen_b, 0.7, allowed))
    assert total == pytest.approx(costs[path[:, 0], path[:, 1]].sum())
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n - 1, m - 1]
    steps = np.diff(path, axis=0)
    assert ((steps >= 0) & (steps <= 1)).all()
    assert (steps.sum(axis=1) >= 1).all()
    if allowed is not None:
        assert allowed[path[:, 0], path[:, 1]].all()


def test_what_is_missing_is_left_out_and_never_free() -> None:
    clip, other = clip_of(5, 10), clip_of(6, 14)
    lost = other.confidence.copy()
    lost[:, other.part("left_hand")] = 0
    alone = Settings(parts=("body", "right_hand"))
    half = warp(clip, other.with_points(other.points, lost))
    assert half.total == pytest.approx(warp(clip, other, alone).total)
    assert half.compared == pytest.approx((11 + 21) / (11 + 42))
    nothing = warp(clip, other.with_points(other.points, np.zeros_like(other.confidence)))
    assert (nothing.cost, nothing.compared) == (1.0, 0.0)
    dear = warp(clip, other.with_points(other.points, 0 * lost), Settings(missing=2.5))
    assert dear.cost == 2.5


def test_a_band_keeps_to_the_line() -> None:
    clip = clip_of(7, 40)
    early = clip.frames(np.r_[np.zeros(30, int), np.arange(40)])
    free = warp(clip, early, Settings(normalise=False))
    held = warp(clip, early, Settings(normalise=False, band=0.05))
    assert free.cost == 0
    assert held.cost > 0
    off = np.abs(held.path[:, 1] - held.path[:, 0] * 69 / 39)
    assert off.max() <= 0.05 * 70 + 1


def test_the_signature_names_every_setting() -> None:
    assert Settings().signature == (
        "mDTW|parts:body+left_hand+right_hand|axes:xy|norm:shoulder|dist:mean-euclid-both-seen"
        "|missing:1|steps:111|per:step|band:none|v:1"
    )
    signatures = {
        Settings().signature,
        Settings(parts=("body",)).signature,
        Settings(axes=3).signature,
        Settings(missing=2.0).signature,
        Settings(band=0.1).signature,
        Settings(normalise=False).signature,
    }
    assert len(signatures) == 6
    assert warp(clip_of(1, 3), clip_of(2, 3)).signature == Settings().signature


def test_what_cannot_be_warped() -> None:
    clip = clip_of(1, 5)
    with pytest.raises(UsageError, match=r"'clip 1' has no frames, expected at least one"):
        warp(clip, clip.frames(slice(0, 0)))
    with pytest.raises(UsageError, match=r"has 25 frames a second and 'clip 2' has 50; bring"):
        warp(clip, PoseClip(clip.points, clip.confidence, 50.0, PS76, id="clip 2"))
    with pytest.raises(UsageError, match=r"no articulator 'left_hnd' \(did you mean 'left_hand'"):
        warp(clip, clip, Settings(parts=("left_hnd",)))
    hands = PoseClip(np.ones((3, 42, 3), np.float32), np.ones((3, 42), np.float32), 25.0, HANDS42)
    with pytest.raises(UsageError, match=r"cannot be normalised by its shoulders"):
        warp(hands, hands)
    assert warp(hands, hands, Settings(normalise=False)).cost == 0
    for bad, said in (
        ({"axes": 4}, "2 or 3 axes, got 4"),
        ({"missing": 0.0}, "must cost something, got 0.0; give a number above 0"),
        ({"band": 2.0}, r"share of the longer clip in \[0, 1\], got 2"),
        ({"parts": ()}, "at least one articulator"),
    ):
        with pytest.raises(UsageError, match=said):
            Settings(**bad)  # type: ignore[arg-type]
