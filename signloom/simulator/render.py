"""From a performance to a clip: the body in space, filmed by a camera, found by a tracker."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import (
    BODY,
    BODY_POINTS,
    FACE,
    HOLISTIC,
    LEFT,
    RIGHT,
    SMPLX52,
    WORLD,
    Layout,
)
from signloom.simulator.body import elbows, hand_axes, hand_points
from signloom.simulator.camera import Camera, Tracker
from signloom.simulator.face import face_of, movements
from signloom.simulator.perform import Performance
from signloom.simulator.phonology import draws
from signloom.simulator.signer import Signer

Array = NDArray[np.float64]

_FACE_OF_BODY = (1, 362, 263, 133, 33, 291, 61)
"""Face points that the body's own nose, eyes and mouth stand on."""
_MODES = 6


@dataclass(frozen=True, eq=False)
class _Wanted:
    """Where a layout's columns come from: (columns of the layout, points of the part)."""

    body: tuple[NDArray[np.int_], NDArray[np.int_]]
    face: tuple[NDArray[np.int_], NDArray[np.int_]]
    left: tuple[NDArray[np.int_], NDArray[np.int_]]
    right: tuple[NDArray[np.int_], NDArray[np.int_]]
    world: tuple[NDArray[np.int_], NDArray[np.int_]]


@lru_cache(maxsize=32)
def _wanted(keypoints: tuple[str, ...]) -> _Wanted:
    holistic = [name.partition(":") for name in HOLISTIC.keypoints]
    number: dict[str, int] = {}
    seen: dict[str, int] = {}
    for component, _, point in holistic:
        number[f"{component}:{point}"] = seen.get(component, 0)
        seen[component] = seen.get(component, 0) + 1

    def part(component: str) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
        names = [(i, k) for i, k in enumerate(keypoints) if k.startswith(component + ":")]
        return np.array([i for i, _ in names], int), np.array([number[k] for _, k in names], int)

    return _Wanted(part(BODY), part(FACE), part(LEFT), part(RIGHT), part(WORLD))


def render(
    performance: Performance,
    signer: Signer,
    camera: Camera,
    tracker: Tracker,
    rng: np.random.Generator,
    layout: Layout = HOLISTIC,
) -> PoseClip:
    """The clip that a tracker finds when a camera films the performance, in pixels.

    Only what ``layout`` needs is computed; a keypoint does not depend on which
    others are asked for. ``smplx52`` is the body itself as the camera stands to it, in metres: what
    a perfect fit would give, without a tracker's noise and losses. Raises KeyError for a layout
    that is neither that nor a choice of HOLISTIC's keypoints.
    """
    if layout == SMPLX52:
        joints = _Film(camera).turned(_joints(performance, signer))
        joints[..., 2] += camera.distance
        return PoseClip(
            joints.astype(np.float32),
            np.ones(joints.shape[:2], np.float32),
            performance.fps,
            layout,
            origin=Origin(SIMULATED),
        )
    key = int(rng.integers(0, 2**62))
    want = _wanted(layout.keypoints)
    frames = len(performance)
    points = np.zeros((frames, len(layout), 3))
    confidence = np.zeros((frames, len(layout)))
    filmed = _Film(camera)
    arms = _arms(performance, signer)
    hands = _see_hands(arms, filmed, tracker, draws(key, "hands"))
    dominant = (want.left, want.right) if signer.left_handed else (want.right, want.left)
    for (columns, which), seen in zip(dominant, hands, strict=True):
        points[:, columns] = seen.points[:, which]
        confidence[:, columns] = seen.confidence[:, None]
    linked = bool(len(want.body[0]) or len(want.world[0]))
    if linked or len(want.face[0]):
        columns, which = want.face
        asked = np.concatenate([which, _FACE_OF_BODY]) if linked else which
        face = _head_points(performance, signer, asked)
        found = _see_face(face[:, : len(which)], which, filmed, tracker, draws(key, "face"))
        points[:, columns], confidence[:, columns] = found, 1.0
        if linked:
            body = _body_points(face[:, len(which) :], performance, signer, arms)
            seen_body, visible, world = _see_body(
                body, hands, filmed, tracker, draws(key, "body"), signer
            )
            points[:, want.body[0]] = seen_body[:, want.body[1]]
            confidence[:, want.body[0]] = visible[:, want.body[1]]
            points[:, want.world[0]] = world[:, want.world[1]]
            confidence[:, want.world[0]] = visible[:, want.world[1]]
    return PoseClip(
        points.astype(np.float32),
        np.round(confidence, 3).astype(np.float32),
        performance.fps,
        layout,
        origin=Origin(SIMULATED),
        size=(camera.width, camera.height),
    )


class _Film:
    """A camera at work: from the signer's space to pixels."""

    def __init__(self, camera: Camera):
        self.size = np.array([camera.width, camera.height], float)
        sy, cy = np.sin(camera.yaw), np.cos(camera.yaw)
        sp, cp = np.sin(camera.pitch), np.cos(camera.pitch)
        sr, cr = np.sin(camera.roll), np.cos(camera.roll)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        self.turn = roll @ pitch @ yaw
        self.distance = camera.distance
        self.scale = camera.zoom * camera.width / 0.36
        self.centre = self.size * (np.array([0.5, 0.49]) + camera.shift)

    def turned(self, points: Array) -> Array:
        """(…, 3) as seen from the camera, metres: element by element, so that no library's
        order of summation enters."""
        m = self.turn
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        return np.stack([m[i, 0] * x + m[i, 1] * y + m[i, 2] * z for i in range(3)], -1)

    def project(self, points: Array, origin: Array) -> Array:
        """(frames, n, 3) in pixels; depth from ``origin`` (frames, 1, 3) away from the camera."""
        seen, zero = self.turned(points), self.turned(origin)
        nearer = self.distance / np.maximum(self.distance + seen[..., 2:], 0.2)
        xy = self.centre + self.scale * seen[..., :2] * nearer
        return np.concatenate([xy, self.scale * (seen[..., 2:] - zero[..., 2:])], -1)


@dataclass(frozen=True, eq=False)
class _Arms:
    """Shoulders, elbows, wrists (frames, 2, 3) and hands (frames, 2, 21, 3), dominant first;
    in the camera's axes: x to the right, y down, z away, metres."""

    shoulders: Array
    elbows: Array
    wrists: Array
    hands: Array


def _axes(points: Array, signer: Signer) -> Array:
    """From the dominant hand's frame (x to its side, y up, z front) to the camera's axes."""
    return points * np.array([1.0 if signer.left_handed else -1.0, -1.0, -1.0])


def _arms(performance: Performance, signer: Signer) -> _Arms:
    side = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])
    trunk = performance.trunk[:, None] * side
    shoulder = trunk + np.array([0.5 * signer.shoulders, 0.0, 0.0])
    elbow, wrist = elbows(shoulder, performance.wrists + trunk, signer.upper_arm, signer.forearm)
    forearm = (wrist - elbow) / signer.forearm
    axes = hand_axes(performance.turns, forearm) * signer.hand
    local = hand_points(performance.shapes, signer.fingers)
    hands = (
        wrist[:, :, None]
        + local[..., 0:1] * axes[:, :, None, 0]
        + local[..., 1:2] * axes[:, :, None, 1]
        + local[..., 2:3] * axes[:, :, None, 2]
    )
    return _Arms(
        _axes(shoulder * side, signer),
        _axes(elbow * side, signer),
        _axes(wrist * side, signer),
        _axes(hands * side[:, None], signer),
    )


@dataclass(frozen=True, eq=False)
class _SeenHand:
    points: Array
    confidence: Array


def _blur(noise: Array, weights: tuple[float, ...]) -> Array:
    """Noise correlated over time: (frames + taps - 1, …) → (frames, …), unit size kept."""
    taps = np.asarray(weights) / np.linalg.norm(weights)
    frames = len(noise) - len(taps) + 1
    total = taps[0] * noise[:frames]
    for k in range(1, len(taps)):
        total = total + taps[k] * noise[k : k + frames]
    return total


_SLOW = (0.3, 0.7, 1.0, 0.9, 0.7, 0.5, 0.3)
_QUICK = (0.2, 1.0, 0.1)
_LONG = (1.0,) * 9
_ALONG = np.array([0.4, 0.7, 1.0, 1.3])
"""How far a finger's error reaches its joints, knuckle to tip."""


def _see_hands(
    arms: _Arms, film: _Film, tracker: Tracker, rng: np.random.Generator
) -> tuple[_SeenHand, _SeenHand]:
    frames = len(arms.hands)
    flat = arms.hands.reshape(frames, 42, 3)
    pixels = film.project(flat, np.repeat(arms.wrists, 21, 1)).reshape(frames, 2, 21, 3)
    length = film.scale * np.linalg.norm(arms.hands[:, :, 9] - arms.hands[:, :, 0], axis=-1) * 2
    centre = pixels[:, :, (0, 5, 9, 13, 17), :2].mean(2)
    speed = np.linalg.norm(np.diff(centre, axis=0, prepend=centre[:1]), axis=-1) / length
    noise = _hand_noise(frames, rng)
    chance = rng.standard_normal((frames + len(_SLOW) - 1, 2))
    quality = np.exp(0.45 * _blur(rng.standard_normal((frames + len(_LONG) - 1, 2)), _LONG))
    grow = tracker.jitter * quality * (0.006 + 0.05 * np.minimum(speed, 0.5)) * length
    points = np.round(pixels + noise * grow[..., None, None], 3)
    lost = _lost(centre, speed, length, film, tracker, _blur(chance, _SLOW))
    return tuple(  # type: ignore[return-value]
        _SeenHand(points[:, hand], np.where(lost[:, hand], 0.0, 1.0)) for hand in (0, 1)
    )


def _hand_noise(frames: int, rng: np.random.Generator) -> Array:
    """(frames, 2, 21, 3): most of a tracker's error is shared by the hand, much of the rest by a finger."""
    whole = rng.standard_normal((frames, 2, 1, 3))
    drift = _blur(rng.standard_normal((frames + len(_SLOW) - 1, 2, 1, 3)), _SLOW)
    finger = rng.standard_normal((frames, 2, 5, 1, 3)) * _ALONG[:, None]
    noise = 0.7 * whole + 0.7 * drift + 0.25 * rng.standard_normal((frames, 2, 21, 3))
    noise[:, :, 1:] += finger.reshape(frames, 2, 20, 3)
    noise[..., 2] *= 2.5
    noise[:, :, 0, 2] = 0
    return noise


def _lost(
    centre: Array, speed: Array, length: Array, film: _Film, tracker: Tracker, chance: Array
) -> NDArray[np.bool_]:
    """(frames, 2): whether the tracker loses a hand: fast, crossing, at the picture's edge."""
    apart = np.linalg.norm(centre[:, 0] - centre[:, 1], axis=-1) / length.mean(1)
    crossing = np.clip(1 - apart / 0.7, 0, 1)[:, None]
    edge = np.minimum(centre, film.size - centre).min(-1) / length
    rate = 0.012 + 0.35 * np.clip(speed - 0.12, 0, 0.6) + 0.30 * crossing
    rate = np.clip(rate * tracker.loss, 0, 0.95) + np.clip(0.6 - 1.4 * edge, 0, 1)
    return 0.5 * (1 + np.tanh(0.8 * chance)) < np.clip(rate, 0, 1)


def _head_points(performance: Performance, signer: Signer, which: NDArray[np.int_]) -> Array:
    """(frames, n, 3): face points in the camera's axes, metres."""
    shape = face_of(signer.face)[which]
    points = np.repeat(shape[None], len(performance), 0)
    moves = movements()[:, which]
    for channel in range(moves.shape[0]):
        points = points + performance.face[:, channel, None, None] * moves[channel]
    size = 0.88 * signer.head
    points = points * size
    points[..., 1] += 0.048 * signer.head / 0.22 + 0.5 * size
    points[..., 2] += 0.05
    yaw, pitch, roll = (performance.head[:, i, None] for i in range(3))
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    x, z = np.cos(yaw) * x + np.sin(yaw) * z, np.cos(yaw) * z - np.sin(yaw) * x
    y, z = np.cos(pitch) * y - np.sin(pitch) * z, np.cos(pitch) * z + np.sin(pitch) * y
    x, y = np.cos(roll) * x - np.sin(roll) * y, np.cos(roll) * y + np.sin(roll) * x
    trunk = _axes(performance.trunk * (1.2, 1.0, 1.2), signer)[:, None]
    return np.stack([-x, -(y + signer.neck), -z], -1) + trunk


def _see_face(
    face: Array, which: NDArray[np.int_], film: _Film, tracker: Tracker, rng: np.random.Generator
) -> Array:
    frames = len(face)
    whole = _blur(rng.standard_normal((frames + len(_SLOW) - 1, 3)), _SLOW)
    modes = _blur(rng.standard_normal((frames + len(_QUICK) - 1, _MODES, 3)), _QUICK)
    origin = np.array([[[0.0, -0.25, 0.0]]])
    pixels = film.project(face, np.repeat(origin, frames, 0))
    patterns = _patterns()[:, which]
    noise = np.repeat(1.2 * whole[:, None], len(which), 1)
    for mode in range(_MODES):
        noise = noise + modes[:, mode, None] * patterns[mode][None, :, None]
    noise[..., 2] *= 2
    return np.round(pixels + noise * (0.0007 * film.scale * tracker.jitter), 3)


@lru_cache(maxsize=1)
def _patterns() -> Array:
    """(6, 468): how the tracker's noise is shared among the face's points."""
    return draws("face patterns").standard_normal((_MODES, 468)) / np.sqrt(_MODES)


def _body_points(face: Array, performance: Performance, signer: Signer, arms: _Arms) -> Array:
    """(frames, 33, 3): the body in the camera's axes, metres; face: as _FACE_OF_BODY."""
    frames = len(face)
    points = np.zeros((frames, 33, 3))
    at = {name: i for i, name in enumerate(BODY_POINTS)}
    nose, left_in, left_out, right_in, right_out, mouth_left, mouth_right = np.moveaxis(face, 1, 0)
    points[:, at["NOSE"]] = nose
    ear = np.array([0.105, 0.0, 0.10]) * signer.head / 0.22
    for side, inner, outer, mouth, sign in (
        ("LEFT", left_in, left_out, mouth_left, 1.0),
        ("RIGHT", right_in, right_out, mouth_right, -1.0),
    ):
        points[:, at[f"{side}_EYE_INNER"]], points[:, at[f"{side}_EYE_OUTER"]] = inner, outer
        points[:, at[f"{side}_EYE"]] = (inner + outer) / 2
        points[:, at[f"MOUTH_{side}"]] = mouth
        middle = (left_out + right_out) / 2
        points[:, at[f"{side}_EAR"]] = middle + ear * (sign, 1, 1) + (0, 0.02, 0)
        hand = int((side == "LEFT") != signer.left_handed)
        points[:, at[f"{side}_SHOULDER"]] = arms.shoulders[:, hand]
        points[:, at[f"{side}_ELBOW"]] = arms.elbows[:, hand]
        points[:, at[f"{side}_WRIST"]] = arms.wrists[:, hand]
        for name, joint in (("PINKY", 18), ("INDEX", 6), ("THUMB", 3)):
            points[:, at[f"{side}_{name}"]] = arms.hands[:, hand, joint]
        across = 0.30 * signer.shoulders * sign
        for name, down, ahead in (
            ("HIP", 0.0, 0.0), ("KNEE", 0.42, 0.02), ("ANKLE", 0.84, 0.0), ("HEEL", 0.88, 0.03),
            ("FOOT_INDEX", 0.90, -0.14),
        ):  # fmt: skip
            points[:, at[f"{side}_{name}"]] = across, signer.trunk + down, ahead
    return points


_UP = {"SPINE_1": 0.206, "SPINE_2": 0.474, "SPINE_3": 0.577}
"""Where the spine's joints stand between pelvis and neck, as in ``motion623.OFFSETS``."""
_ABOVE = 0.047
"""The neck above the middle of the shoulders, and the pelvis twice that above the hips, metres."""


def _joints(performance: Performance, signer: Signer) -> Array:
    """(frames, 52, 3): SMPL-X's joints in the camera's axes, metres.

    The head's joint lies between neck and eyes, so that it moves when the head nods or turns.
    """
    arms = _arms(performance, signer)
    eyes = _head_points(performance, signer, np.array(_FACE_OF_BODY[1:5])).mean(1)
    points = np.zeros((len(performance), len(SMPLX52), 3))
    at = {name.partition(":")[2]: i for i, name in enumerate(SMPLX52.keypoints[:22])}
    shoulders = arms.shoulders.mean(1)
    points[:, at["PELVIS"]] = 0, signer.trunk - 2 * _ABOVE, 0
    points[:, at["NECK"]] = shoulders - (0, _ABOVE, 0)
    points[:, at["HEAD"]] = (points[:, at["NECK"]] + eyes) / 2
    spine = points[:, at["NECK"]] - points[:, at["PELVIS"]]
    for name, share in _UP.items():
        points[:, at[name]] = points[:, at["PELVIS"]] + share * spine
    for side, sign in (("LEFT", 1.0), ("RIGHT", -1.0)):
        hand = int((side == "LEFT") != signer.left_handed)
        for name, found in (
            ("SHOULDER", arms.shoulders),
            ("ELBOW", arms.elbows),
            ("WRIST", arms.wrists),
        ):
            points[:, at[f"{side}_{name}"]] = found[:, hand]
        points[:, at[f"{side}_COLLAR"]] = (
            0.65 * shoulders + 0.35 * arms.shoulders[:, hand] + (0, 0.06, 0)
        )
        across = 0.30 * signer.shoulders * sign
        for name, down, ahead in (
            ("HIP", 0.0, 0.0), ("KNEE", 0.42, 0.02), ("ANKLE", 0.84, 0.0), ("FOOT", 0.90, -0.14),
        ):  # fmt: skip
            points[:, at[f"{side}_{name}"]] = across, signer.trunk + down, ahead
        columns = SMPLX52.part("left_hand" if side == "LEFT" else "right_hand")
        points[:, columns] = arms.hands[:, hand][:, _HAND_OF_21]
    return points


_HAND_OF_21 = (5, 6, 7, 9, 10, 11, 17, 18, 19, 13, 14, 15, 1, 2, 3)
"""Of the 21 points of a hand those that SMPL-X has as joints, in its order."""


def _see_body(
    body: Array,
    hands: tuple[_SeenHand, _SeenHand],
    film: _Film,
    tracker: Tracker,
    rng: np.random.Generator,
    signer: Signer,
) -> tuple[Array, Array, Array]:
    """Pixels, visibility and world metres of the (frames, 33, 3) body."""
    frames = len(body)
    hips = body[:, (23, 24)].mean(1, keepdims=True)
    pixels = film.project(body, hips)
    noise = _blur(rng.standard_normal((frames + len(_SLOW) - 1, 33, 3)), _SLOW)
    speed = np.linalg.norm(np.diff(body, axis=0, prepend=body[:1]), axis=-1)
    grow = (0.0025 + 0.10 * np.minimum(speed, 0.1)) * tracker.jitter
    noise = noise * grow[..., None] * (1.0, 1.0, 4.0)
    outside = np.maximum(-pixels[..., :2], pixels[..., :2] - film.size).max(-1) / film.scale
    visible = 0.999 / (1 + np.exp(np.clip(40 * outside - 2.5, -30, 30)))
    lost = np.stack([hand.confidence == 0 for hand in hands], -1)
    order = (0, 1) if signer.left_handed else (1, 0)  # columns of (left, right)
    for side, hand in enumerate(order):
        for joint in (15, 17, 19, 21):
            visible[:, joint + side] *= np.where(lost[:, hand], 0.7, 1.0)
    world = film.turned(body - hips) + noise
    return (
        np.round(pixels + noise * film.scale, 3),
        np.maximum(visible, 0.001),
        np.round(world, 5),
    )
