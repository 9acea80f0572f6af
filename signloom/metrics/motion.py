"""How far a motion is from another: distances of joints, before and after the best alignment.

MPJPE: the mean distance of joints. PA-MPJPE: the same once the joints of each frame were turned,
scaled and moved onto the others (Procrustes, least squares). In the unit of the joints.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray


def mpjpe(
    told: Float[np.ndarray, "frames joints 3"], true: Float[np.ndarray, "frames joints 3"]
) -> float:
    """The mean distance of joints."""
    return float(np.linalg.norm(told - true, axis=2).mean())


def pa_mpjpe(
    told: Float[np.ndarray, "frames joints 3"], true: Float[np.ndarray, "frames joints 3"]
) -> float:
    """The mean distance of joints, each frame aligned first."""
    return mpjpe(aligned(told, true), true)


def by_part(
    told: Float[np.ndarray, "frames joints 3"],
    true: Float[np.ndarray, "frames joints 3"],
    parts: Mapping[str, slice],
) -> dict[str, dict[str, float]]:
    """Part → MPJPE and PA-MPJPE of its joints, each part aligned alone."""
    return {
        name: {"mpjpe": mpjpe(told[:, at], true[:, at]), "pa_mpjpe": pa_mpjpe(told[:, at], true[:, at])}
        for name, at in parts.items()
    }  # fmt: skip


def aligned(
    points: Float[np.ndarray, "n joints 3"], onto: Float[np.ndarray, "n joints 3"]
) -> NDArray[np.float64]:
    """Each of n sets of points turned, scaled and moved onto its other, least squares."""
    centre = onto.mean(axis=1, keepdims=True)
    a, b = points - points.mean(axis=1, keepdims=True), onto - centre
    u, s, v = np.linalg.svd(np.swapaxes(a, 1, 2) @ b)
    s[:, 2] *= (mirrored := np.sign(np.linalg.det(u @ v)))
    u[:, :, 2] *= mirrored[:, None]
    scale = s.sum(axis=1) / np.maximum((a**2).sum(axis=(1, 2)), 1e-12)
    return scale[:, None, None] * (a @ (u @ v)) + centre
