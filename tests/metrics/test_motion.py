"""Distances of motions: a known shift, a turn and a scale undone; two Gaussians with a closed form."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.metrics.motion import aligned, by_part, count_fid, frechet, mpjpe, pa_mpjpe


def test_a_turn_and_a_scale_are_undone_and_a_mirror_image_is_not() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(8, 15, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.linalg.det(turn)
    np.testing.assert_allclose(aligned(0.5 * points @ turn + 7, points), points, atol=1e-9)
    assert pa_mpjpe(0.5 * points @ turn + 7, points) < 1e-9
    assert pa_mpjpe(points * (-1, 1, 1), points) > 0.1


def test_parts_are_measured_and_aligned_alone() -> None:
    rng = np.random.default_rng(2)
    true = rng.normal(size=(5, 9, 3))
    told = true.copy()
    told[:, :4] += (0.3, 0, 0.4)
    true[3:, :4] += 9  # frames in which that part was not seen
    seen = {
        "moved": np.arange(5) < 3,
        "still": np.ones(5, np.bool_),
        "gone": np.zeros(5, np.bool_),
    }
    parts = {"moved": slice(0, 4), "still": slice(4, 9), "gone": slice(0, 2)}
    found = by_part(told, true, parts, seen)
    assert set(found) == {"moved", "still"}
    assert found["moved"]["mpjpe"] == pytest.approx(0.5)
    assert found["moved"]["pa_mpjpe"] == pytest.approx(0)
    assert found["still"]["mpjpe"] == 0
    assert mpjpe(told[:3], true[:3]) == pytest.approx(0.5 * 4 / 9)
    assert pa_mpjpe(told[:3], true[:3]) > 0.01


def test_the_frechet_distance_of_two_gaussians_is_the_closed_form() -> None:
    """Commuting: ‖μ‖² + Σ(√a − √b)². Of two numbers: tr √M = √(tr M + 2 √det M), M = Σ Σ'."""
    a, b, mean = np.array([4.0, 9, 1]), np.array([1.0, 16, 1]), np.array([3.0, 0, 4])
    found = frechet(mean, np.diag(a), np.zeros(3), np.diag(b))
    assert found == pytest.approx(25 + 1 + 1)
    one, other = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    product = one @ other
    shared = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = np.trace(one) + np.trace(other) - 2 * shared
    assert frechet(np.ones(2), one, np.ones(2), other) == pytest.approx(expected)


def test_crowds_with_known_moments_are_as_far_apart_as_their_gaussians() -> None:
    rng = np.random.default_rng(3)
    drawn = rng.normal(size=(60, 4))
    drawn -= drawn.mean(axis=0)
    white = drawn @ np.linalg.inv(np.linalg.cholesky(np.cov(drawn.T))).T  # mean 0, covariance 1
    moved = white * (2, 1, 1, 0.5) + (0, 3, 0, 0)
    found = count_fid(moved, white, "none")
    assert found.value() == pytest.approx(100 * (9 + 1 + 0.25))
    assert (
        found.score().signature
        == "encoder:none|features:4|N:60|cov:n-1|scale:x100|bias:up at small N"
    )
    assert count_fid(white, white, "none").value() == pytest.approx(0, abs=1e-7)


def test_few_motions_of_one_crowd_seem_apart() -> None:
    rng = np.random.default_rng(4)
    apart = [count_fid(*rng.normal(size=(2, n, 8)), "none").value() for n in (20, 200, 2000)]
    assert apart[0] > 4 * apart[1] > 4 * apart[2] > 0
