"""Distances of motions: a known shift, a turn and a scale undone, a mirror image that is none."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.metrics.motion import aligned, by_part, mpjpe, pa_mpjpe


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
    found = by_part(told, true, {"moved": slice(0, 4), "still": slice(4, 9)})
    assert found["moved"]["mpjpe"] == pytest.approx(0.5)
    assert found["moved"]["pa_mpjpe"] == pytest.approx(0)
    assert found["still"]["mpjpe"] == 0
    assert mpjpe(told, true) == pytest.approx(0.5 * 4 / 9)
    assert pa_mpjpe(told, true) > 0.01
