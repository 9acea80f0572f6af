"""How far motions are from others: joint by joint, and as two crowds of them.

MPJPE: the mean distance of joints. PA-MPJPE: the same once the joints of each frame were turned,
scaled and moved onto the others (Procrustes, least squares). In the unit of the joints.

FID: the Fréchet distance of two Gaussians, those of the features that an encoder gives of either crowd
(Heusel et al. 2017). It means nothing without its encoder and its N, which its signature names.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray

from signloom.metrics.score import Counts


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


def rmse(told: Float[np.ndarray, "*any"], true: Float[np.ndarray, "*any"]) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(((told - true) ** 2).mean()))


def by_part(
    told: Float[np.ndarray, "frames joints 3"],
    true: Float[np.ndarray, "frames joints 3"],
    parts: Mapping[str, slice],
    seen: Mapping[str, Bool[np.ndarray, " frames"]],
) -> dict[str, dict[str, float]]:
    """Part → MPJPE and PA-MPJPE of its joints in the frames in which it was seen, each part aligned alone.

    A part that no frame shows is left out.
    """
    pairs = {
        name: (told[seen[name], at], true[seen[name], at])
        for name, at in parts.items()
        if seen[name].any()
    }
    return {
        name: {"mpjpe": mpjpe(*pair), "pa_mpjpe": pa_mpjpe(*pair)} for name, pair in pairs.items()
    }


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


def frechet(
    mean: Float[np.ndarray, "*m width"],
    covariance: Float[np.ndarray, "*m width width"],
    other_mean: Float[np.ndarray, "*m width"],
    other_covariance: Float[np.ndarray, "*m width width"],
) -> NDArray[np.float64]:
    """‖μ − μ'‖² + tr(Σ + Σ' − 2 (Σ½ Σ' Σ½)½) of each pair of Gaussians."""
    values, axes = np.linalg.eigh(covariance)
    root = (axes * np.sqrt(np.maximum(values, 0))[..., None, :]) @ np.swapaxes(axes, -1, -2)
    shared = np.linalg.eigvalsh(root @ other_covariance @ root)
    spread = np.trace(covariance, axis1=-2, axis2=-1) + np.trace(
        other_covariance, axis1=-2, axis2=-1
    )
    apart = ((mean - other_mean) ** 2).sum(-1)
    return np.asarray(apart + spread - 2 * np.sqrt(np.maximum(shared, 0)).sum(-1))


def count_fid(
    told: Float[np.ndarray, "motions width"],
    true: Float[np.ndarray, "motions width"],
    encoder: str = "",
) -> Counts:
    """100 times the Fréchet distance of two crowds of features, as sums over motions that can be resampled.

    encoder: what gave the features, for the signature. With few motions it is too high, by about what
    two halves of one crowd are apart; where a crowd is the other said again, both share their draw and
    it is less so. Covariances are unbiased (n − 1).
    """
    n, width = true.shape
    rows = [np.ones((n, 1))]
    for crowd in (told.astype(np.float64), true.astype(np.float64)):
        rows += [crowd, (crowd[:, :, None] * crowd[:, None]).reshape(n, -1)]
    signature = f"encoder:{encoder}|features:{width}|N:{n}|cov:n-1|scale:x100|bias:up at small N"
    return Counts("FID", np.concatenate(rows, 1), fid_of, signature, unit="", better="low")


def fid_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """100 times the distance from summed counts (…, 1 + 2·(width + width²))."""
    n, half = sums[..., :1], (sums.shape[-1] - 1) // 2
    width = round(np.sqrt(half + 0.25) - 0.5)
    gaussians: list[NDArray[np.float64]] = []
    for first in (1, 1 + half):
        mean = sums[..., first : first + width] / n
        squares = sums[..., first + width : first + half]
        squares = squares.reshape(*squares.shape[:-1], width, width)
        outer = mean[..., :, None] * mean[..., None, :]
        gaussians += [mean, (squares - n[..., None] * outer) / np.maximum(n - 1, 1)[..., None]]
    return 100 * frechet(*gaussians)
