"""A parametric face of our own: 468 points at the indices of the Face Mesh.

Contours (oval, lips, eyes, brows) and the middle line are placed from the numbers
below; the other points fill the face in a stable order. Frame: x towards the
signer's right, y up, z to the front; unit: from forehead (10) to chin (152).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.data.layouts import (
    FACE_OVAL,
    LEFT_BROW_HIGH,
    LEFT_BROW_LOW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    RIGHT_BROW_HIGH,
    RIGHT_BROW_LOW,
    RIGHT_EYE,
)

Array = NDArray[np.float64]
CHANNELS = ("open", "round", "spread", "pressed", "brows_up", "brows_in", "shut")
"""What moves in a face; about 0 to 1 each."""

_EYE_X, _EYE_Y, _EYE_WIDE, _EYE_HIGH = 0.165, 0.095, 0.088, 0.030
_MOUTH_Y, _MOUTH_WIDE = -0.235, 0.125
_MIDDLE = {
    10: 0.50, 151: 0.33, 9: 0.215, 8: 0.165, 168: 0.125, 6: 0.080, 197: 0.035, 195: -0.005,
    5: -0.045, 4: -0.085, 1: -0.108, 19: -0.128, 94: -0.143, 2: -0.152, 164: -0.172,
    11: -0.212, 12: -0.220, 15: -0.246, 16: -0.254, 18: -0.305, 200: -0.345, 199: -0.405,
    175: -0.455, 152: -0.50,
}  # fmt: skip
_NOSE = {  # right-hand index: (left-hand index, x, y)
    48: (278, 0.074, -0.105), 64: (294, 0.084, -0.128), 98: (327, 0.060, -0.142),
    97: (326, 0.030, -0.146), 129: (358, 0.092, -0.104), 49: (279, 0.086, -0.086),
    131: (360, 0.078, -0.068), 45: (275, 0.028, -0.092), 220: (440, 0.048, -0.082),
    44: (274, 0.020, -0.112), 125: (354, 0.026, -0.130), 115: (344, 0.070, -0.090),
    51: (281, 0.032, -0.050), 3: (248, 0.034, -0.010), 196: (419, 0.036, 0.035),
    122: (351, 0.042, 0.080), 193: (417, 0.046, 0.125), 76: (306, 0.122, -0.236),
    62: (292, 0.117, -0.236),
}  # fmt: skip


def _half_width(height: Array) -> Array:
    """Half the face's width at a height: widest at the cheekbones, narrow at the chin."""
    up = np.clip(height / 0.5, -1, 1)
    return 0.385 * np.sqrt(np.maximum(1 - np.abs(up) ** 2.3, 0)) * (1 + 0.10 * up)


def _place_contours(at: Array) -> None:
    turn = np.arange(36) * 2 * np.pi / 36
    height = 0.5 * np.cos(turn)
    at[list(FACE_OVAL), 0] = (
        -np.sign(np.sin(turn)) * _half_width(height) * (np.abs(np.sin(turn)) > 1e-9)
    )
    at[list(FACE_OVAL), 1] = height
    eye = np.arange(16) * 2 * np.pi / 16
    for ring, side in ((RIGHT_EYE, 1), (LEFT_EYE, -1)):
        at[list(ring), 0] = side * (_EYE_X + _EYE_WIDE * np.cos(eye))
        at[list(ring), 1] = _EYE_Y - _EYE_HIGH * np.sin(eye) * (1 + 0.2 * (np.sin(eye) < 0))
    step = np.linspace(0, 1, 5)
    for chain, side, lift in (
        (RIGHT_BROW_HIGH, 1, 0.030), (LEFT_BROW_HIGH, -1, 0.030),
        (RIGHT_BROW_LOW, 1, 0.0), (LEFT_BROW_LOW, -1, 0.0),
    ):  # fmt: skip
        at[list(chain), 0] = side * (0.285 - 0.215 * step)
        at[list(chain), 1] = 0.160 + 0.035 * np.sin(np.pi * (0.15 + 0.75 * step)) + lift
    lip = np.arange(20) * 2 * np.pi / 20
    for lips, wide, low, high in (
        (LIPS_OUTER, 1.0, 0.052, 0.040),
        (LIPS_INNER, 0.86, 0.006, 0.004),
    ):
        at[list(lips), 0] = wide * _MOUTH_WIDE * np.cos(lip)
        at[list(lips), 1] = _MOUTH_Y - np.sin(lip) * np.where(np.sin(lip) > 0, low, high)
    at[0, 1] -= 0.005


def _place_rest(at: Array, placed: NDArray[np.bool_]) -> None:
    """Fill the face's halves with the points that have no place yet, in the order of their indices."""
    right = [i for i in range(248) if not placed[i]]
    left = [i for i in range(248, 468) if not placed[i]]
    if len(right) > len(left):  # the surplus stands on the middle line
        surplus, right = right[len(left) :], right[: len(left)]
        at[surplus, 1] = np.linspace(0.46, 0.24, len(surplus))
    elif len(left) > len(right):
        surplus, left = left[len(right) :], left[: len(right)]
        at[surplus, 1] = np.linspace(-0.48, -0.32, len(surplus))
    golden = np.arange(1, 4000) * 0.6180339887498949
    height = 0.47 - 0.94 * np.arange(1, 4000) / 4000
    across = (0.06 + 0.90 * (golden % 1)) * _half_width(height)
    eye = ((across - _EYE_X) / (1.25 * _EYE_WIDE)) ** 2 + ((height - _EYE_Y) / 0.050) ** 2 > 1
    mouth = (across / (1.2 * _MOUTH_WIDE)) ** 2 + ((height - _MOUTH_Y) / 0.075) ** 2 > 1
    free = np.flatnonzero(eye & mouth)
    chosen = free[np.linspace(0, len(free) - 1, len(right)).round().astype(int)]
    at[right, 0], at[right, 1] = across[chosen], height[chosen]
    at[left, 0], at[left, 1] = -across[chosen], height[chosen]


@lru_cache(maxsize=1)
def mean_face() -> Array:
    """(468, 3): the face at rest, of nobody in particular."""
    at = np.full((468, 3), np.nan)
    _place_contours(at)
    for point, height in _MIDDLE.items():
        at[point, :2] = 0, height
    for point, (twin, across, height) in _NOSE.items():
        at[point, :2] = across, height
        at[twin, :2] = -across, height
    placed = ~np.isnan(at[:, 0])
    at[~placed] = 0
    _place_rest(at, placed)
    x, y = at[:, 0], at[:, 1]
    at[:, 2] = 0.42 * np.sqrt(np.maximum(1 - (x / 0.47) ** 2 - (y / 0.75) ** 2, 0.0)) - 0.10
    at[:, 2] += 0.13 * np.exp(
        -((x / 0.055) ** 2) - ((y + 0.10) / np.where(y > -0.1, 0.12, 0.035)) ** 2
    )
    at[:, 2] -= 0.035 * np.exp(-(((np.abs(x) - _EYE_X) / 0.08) ** 2) - ((y - _EYE_Y) / 0.05) ** 2)
    at[:, 2] += 0.02 * np.exp(-((x / 0.10) ** 2) - ((y - _MOUTH_Y) / 0.05) ** 2)
    return at


def _near(x: Array, y: Array, at: tuple[float, float], wide: float, high: float) -> Array:
    return np.exp(-(((x - at[0]) / wide) ** 2) - ((y - at[1]) / high) ** 2)


@lru_cache(maxsize=1)
def movements() -> Array:
    """(7, 468, 3): how each of CHANNELS moves each point when it is 1."""
    at = mean_face()
    x, y = at[:, 0], at[:, 1]
    moves = np.zeros((len(CHANNELS), 468, 3))
    low = 1 / (1 + np.exp((y - _MOUTH_Y) / 0.004))
    middle = np.clip(1 - (np.abs(x) / (1.05 * _MOUTH_WIDE)) ** 2, 0, 1)
    around = _near(x, y, (0.0, _MOUTH_Y), 0.16, 0.09)
    jaw = low * np.clip((0.42 - np.abs(x)) / 0.30, 0, 1) * np.clip((-0.12 - y) / 0.12, 0, 1)
    lips = np.zeros(468)
    lips[[*LIPS_OUTER, *LIPS_INNER, 11, 12, 15, 16, 76, 306, 62, 292]] = 1
    moves[0, :, 1] = -0.115 * jaw * np.where(lips > 0, 0.15 + 0.85 * middle, 1)
    moves[0, :, 1] += 0.018 * (1 - low) * around * middle
    moves[0, :, 0] = -0.10 * x * around
    moves[1, :, 0] = -0.45 * x * around
    moves[1, :, 1] = 0.022 * np.sign(_MOUTH_Y - y) * -1 * lips * middle
    moves[1, :, 2] = 0.045 * around
    moves[2, :, 0] = 0.28 * x * around
    moves[2, :, 1] = 0.015 * around * np.clip(np.abs(x) / _MOUTH_WIDE, 0, 1)
    moves[2, :, 2] = -0.015 * around
    moves[3, :, 1] = -0.45 * (y - _MOUTH_Y) * lips
    moves[3, :, 2] = -0.015 * lips
    for side in (1, -1):
        brow = _near(x, y, (side * 0.17, 0.20), 0.16, 0.055)
        moves[4, :, 1] += 0.048 * brow
        moves[5, :, 1] += -0.030 * _near(x, y, (side * 0.10, 0.20), 0.09, 0.055)
        moves[5, :, 0] += -side * 0.022 * _near(x, y, (side * 0.10, 0.20), 0.09, 0.055)
    for ring in (RIGHT_EYE, LEFT_EYE):
        upper = [p for p in ring if at[p, 1] > _EYE_Y + 1e-6]
        moves[6, upper, 1] = -(at[upper, 1] - _EYE_Y) * 1.35
    return moves


@lru_cache(maxsize=1)
def _variations() -> Array:
    """(12, 468, 3): the ways in which faces differ, one standard deviation each."""
    at = mean_face()
    x, y, z = at.T
    ways = np.zeros((12, 468, 3))
    ways[0, :, 0] = 0.045 * x
    ways[1, :, 0] = 0.08 * x * np.clip(-y / 0.5, 0, 1)
    eyes = sum(_near(x, y, (s * _EYE_X, _EYE_Y), 0.12, 0.07) * s for s in (1, -1))
    ways[2, :, 0] = 0.010 * eyes
    ways[3, :, 1] = 0.12 * (y - _EYE_Y) * np.abs(eyes)
    ways[4, :, 1] = 0.010 * np.abs(eyes)
    ways[5, :, 1] = 0.010 * (
        _near(x, y, (0.17, 0.20), 0.2, 0.06) + _near(x, y, (-0.17, 0.20), 0.2, 0.06)
    )
    ways[6, :, 1] = -0.012 * _near(x, y, (0.0, -0.11), 0.1, 0.08)
    ways[7, :, 0] = 0.10 * x * _near(x, y, (0.0, -0.11), 0.1, 0.06)
    ways[8, :, 0] = 0.06 * x * _near(x, y, (0.0, _MOUTH_Y), 0.2, 0.08)
    ways[9, :, 1] = 0.010 * _near(x, y, (0.0, _MOUTH_Y), 0.2, 0.08)
    ways[10, :, 1] = 0.20 * (y - _MOUTH_Y) * _near(x, y, (0.0, _MOUTH_Y), 0.14, 0.06)
    ways[11, :, 2] = 0.06 * z
    return ways


def face_of(coefficients: Array) -> Array:
    """(468, 3): the face at rest of a signer with these (12,) coefficients."""
    return mean_face() + np.tensordot(coefficients, _variations(), 1)
