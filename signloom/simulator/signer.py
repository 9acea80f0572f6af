"""Signers: proportions, handedness, tempo and style, drawn from (seed, index)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.simulator.phonology import HANDSHAPES, LOCATIONS, draws

LEFT_HANDED = 0.1
"""Share of signers whose dominant hand is the left."""


@dataclass(frozen=True, eq=False)
class Signer:
    """Who signs; lengths in metres.

    tempo: 1 is usual, above 1 is faster; amplitude: scale of all movements.
    place_offset: (locations, 3) metres; shape_offset: (handshapes, 16) radians;
    turn_offset: (3,) radians, how this signer turns palm and fingers.
    rest: (3,) where the hands rest, as in ``phonology.Location.at``.
    rest_other: the same for the other hand.
    face: (12,) coefficients of the face's shape, about standard normal.
    """

    id: str
    left_handed: bool
    shoulders: float
    upper_arm: float
    forearm: float
    hand: float
    fingers: NDArray[np.float64]
    neck: float
    head: float
    trunk: float
    tempo: float
    amplitude: float
    sharpness: float
    mouth: float
    sway: float
    place_offset: NDArray[np.float64]
    shape_offset: NDArray[np.float64]
    turn_offset: NDArray[np.float64]
    rest: NDArray[np.float64]
    rest_other: NDArray[np.float64]
    face: NDArray[np.float64]


def signer_of(seed: int, index: int) -> Signer:
    """The signer of that number: the same for the same (seed, index)."""
    rng = draws("signer", seed, index)
    size = 1 + 0.06 * rng.standard_normal()

    def vary(mean: float, share: float) -> float:
        return float(mean * size * np.exp(share * np.clip(rng.standard_normal(), -2, 2)))

    return Signer(
        id=f"signer-{seed}-{index}",
        left_handed=bool(rng.random() < LEFT_HANDED),
        shoulders=vary(0.36, 0.06),
        upper_arm=vary(0.29, 0.05),
        forearm=vary(0.25, 0.05),
        hand=vary(0.185, 0.05),
        fingers=np.exp(0.035 * rng.standard_normal(5)),
        neck=vary(0.10, 0.10),
        head=vary(0.22, 0.04),
        trunk=vary(0.50, 0.05),
        tempo=float(np.exp(0.16 * np.clip(rng.standard_normal(), -2, 2))),
        amplitude=float(np.exp(0.14 * np.clip(rng.standard_normal(), -2, 2))),
        sharpness=float(np.clip(0.5 + 0.2 * rng.standard_normal(), 0.1, 0.9)),
        mouth=float(np.exp(0.2 * np.clip(rng.standard_normal(), -2, 2))),
        sway=float(np.exp(0.4 * np.clip(rng.standard_normal(), -2, 2))),
        place_offset=0.02 * rng.standard_normal(3)
        + 0.012 * rng.standard_normal((len(LOCATIONS), 3)),
        shape_offset=0.05 * rng.standard_normal(16)
        + 0.05 * rng.standard_normal((len(HANDSHAPES), 16)),
        turn_offset=0.13 * rng.standard_normal(3),
        rest=np.array([0.35, -1.55, 0.45]) + np.array([0.15, 0.25, 0.1]) * rng.standard_normal(3),
        rest_other=np.array([0.35, -1.55, 0.45])
        + np.array([0.15, 0.25, 0.1]) * rng.standard_normal(3),
        face=np.clip(rng.standard_normal(12), -2, 2),
    )
