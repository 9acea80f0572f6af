"""The simulated body: hands by forward kinematics, arms by two-bone inverse kinematics.

Everything is computed in a frame of the signer's own: x towards the dominant
side, y up, z to the front, metres, the middle between the shoulders at 0. A hand
is computed on its own side (x towards that side), so that both hands are one code.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.simulator.phonology import HANDSHAPES, Handshape

Array = NDArray[np.float64]

ANGLES = 16
"""A hand's angles: (spread, knuckle, middle joint) of index to pinky, then of the
thumb (out, to the palm, knuckle, tip)."""

_FINGER = {
    "e": (0.0, 4.0), "r": (22.0, 28.0), "b": (72.0, 8.0), "h": (18.0, 88.0),
    "c": (38.0, 48.0), "o": (58.0, 52.0), "k": (82.0, 98.0),
}  # fmt: skip
_THUMB = {
    "side": (38.0, 12.0, 28.0, 12.0),
    "out": (62.0, 8.0, -6.0, -4.0),
    "in": (34.0, 42.0, 58.0, 34.0),
    "over": (36.0, 52.0, 52.0, 48.0),
    "opposed": (44.0, 50.0, 8.0, 12.0),
    "pinch": (38.0, 52.0, 26.0, 30.0),
    "up": (30.0, 20.0, 0.0, 0.0),
}
_SPREAD = np.array([1.5, 0.5, -0.5, -1.5])

# In hand lengths (wrist to the tip of the middle finger): along the fingers, towards the thumb.
_KNUCKLES = np.array([[0.490, 0.125], [0.500, 0.025], [0.465, -0.065], [0.415, -0.145]])
_BONES = np.array(
    [[0.215, 0.130, 0.105], [0.235, 0.150, 0.112], [0.220, 0.140, 0.110], [0.170, 0.105, 0.092]]
)
_THUMB_ROOT = np.array([0.14, 0.120, 0.030])
_THUMB_BONES = np.array([0.210, 0.165, 0.130])


def handshape_angles(shape: Handshape) -> Array:
    """The (16,) joint angles of a handshape, radians."""
    angles = np.zeros(ANGLES)
    for finger, code in enumerate(shape.fingers):
        knuckle, middle = _FINGER[code]
        open_hand = 1 - knuckle / 100
        spread = shape.spread * _SPREAD[finger] * open_hand
        if shape.spread < 0:
            spread = shape.spread * (1.0, -1.0, 0.0, 0.0)[finger]
        angles[3 * finger : 3 * finger + 3] = spread, knuckle, middle
    angles[12:] = _THUMB[shape.thumb]
    return np.radians(angles)


@lru_cache(maxsize=1)
def all_handshapes() -> Array:
    """(handshapes, 16): the angles of all of HANDSHAPES, radians."""
    return np.stack([handshape_angles(shape) for shape in HANDSHAPES])


def hand_points(angles: Array, fingers: Array) -> Array:
    """The 21 joints of hands with these joint angles.

    angles: (..., 16) radians. fingers: (5,) relative lengths, thumb first.
    Returns (..., 21, 3) in hand lengths from the wrist: along the fingers,
    towards the thumb, out of the palm.
    """
    lead = angles.shape[:-1]
    points = np.zeros((*lead, 21, 3))
    bend = angles[..., :12].reshape(*lead, 4, 3)
    spread, knuckle, middle = bend[..., 0], bend[..., 1], bend[..., 2]
    flex = np.stack([knuckle, knuckle + middle, knuckle + 1.62 * middle], -1)
    along = np.cos(flex) * (_BONES * fingers[1:, None])
    out = np.sin(flex) * (_BONES * fingers[1:, None])
    joints = points[..., 5:, :].reshape(*lead, 4, 4, 3)
    joints[..., 0, :2] = _KNUCKLES
    reach = np.cumsum(along, -1)
    joints[..., 1:, 0] = _KNUCKLES[:, 0, None] + reach * np.cos(spread)[..., None]
    joints[..., 1:, 1] = _KNUCKLES[:, 1, None] + reach * np.sin(spread)[..., None]
    joints[..., 1:, 2] = np.cumsum(out, -1)
    points[..., 5:, :] = joints.reshape(*lead, 16, 3)
    points[..., 1:5, :] = _thumb_points(angles[..., 12:], float(fingers[0]))
    return points


def _thumb_points(angles: Array, length: float) -> Array:
    out, palm, knuckle, tip = np.moveaxis(angles, -1, 0)
    root = np.stack([np.cos(palm) * np.cos(out), np.cos(palm) * np.sin(out), np.sin(palm)], -1)
    # The thumb folds towards the fingers' roots, within the plane that it stands in.
    fold = np.array([0.25, -0.90, 0.35])
    fold = fold - (root @ fold)[..., None] * root
    fold /= np.linalg.norm(fold, axis=-1, keepdims=True)
    turn = np.stack([np.zeros_like(knuckle), knuckle, knuckle + tip], -1)[..., None]
    bones = np.cos(turn) * root[..., None, :] + np.sin(turn) * fold[..., None, :]
    points = np.empty((*angles.shape[:-1], 4, 3))
    points[..., 0, :] = _THUMB_ROOT
    points[..., 1:, :] = _THUMB_ROOT + np.cumsum(bones * (_THUMB_BONES * length)[:, None], -2)
    return points


_POLE = np.array([0.62, -1.0, -0.40])


def elbows(shoulder: Array, wrist: Array, upper_arm: float, forearm: float) -> tuple[Array, Array]:
    """Elbow and wrist of arms that reach for ``wrist``; a wrist out of reach comes nearer.

    shoulder, wrist: (..., 3) metres, each arm on its own side. The elbow hangs
    down, out and back.
    """
    gap = wrist - shoulder
    length = np.linalg.norm(gap, axis=-1, keepdims=True)
    along = gap / np.maximum(length, 1e-6)
    limit = 0.985 * (upper_arm + forearm)
    nearest = abs(upper_arm - forearm) + 0.06
    # Soft limit: the last tenth of the reach is compressed, so that nothing jumps.
    soft = 0.9 * limit
    over = np.maximum(length - soft, 0)
    length = np.maximum(
        np.minimum(length, soft) + (limit - soft) * np.tanh(over / (limit - soft)), nearest
    )
    part = (upper_arm**2 - forearm**2 + length**2) / (2 * length)
    height = np.sqrt(np.maximum(upper_arm**2 - part**2, 0))
    pole = _POLE - (along @ _POLE)[..., None] * along
    pole /= np.maximum(np.linalg.norm(pole, axis=-1, keepdims=True), 1e-6)
    return shoulder + part * along + height * pole, shoulder + length * along


def hand_axes(turns: Array, forearm: Array, give: float = 0.30) -> Array:
    """Rows (fingers, thumb side, palm) of each hand, orthonormal.

    turns: (..., 6) finger and palm directions as wished for; forearm: (..., 3)
    unit vectors. give: how far the wrist gives way to the forearm.
    """
    wished = turns[..., :3] / np.maximum(
        np.linalg.norm(turns[..., :3], axis=-1, keepdims=True), 1e-6
    )
    fingers = wished + give * forearm
    fingers /= np.maximum(np.linalg.norm(fingers, axis=-1, keepdims=True), 1e-6)
    palm = turns[..., 3:]
    palm = palm - (palm * fingers).sum(-1, keepdims=True) * fingers
    palm /= np.maximum(np.linalg.norm(palm, axis=-1, keepdims=True), 1e-6)
    return np.stack([fingers, np.cross(palm, fingers), palm], -2)
