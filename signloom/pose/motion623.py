"""SMPL-X parameters → 52 joints → the 623 numbers a frame of HumanML3D, and back (spec §5).

Joints are SMPL-X's 22 of the body and 15 of each hand, without jaw and eyes. The licensed body
model is not needed: a neutral skeleton stands for it (``OFFSETS``, docs/methods/lslm.md says where
it comes from), and joints that a user has take its place. float64, metres, y up, and x to the
signer's left when they face +z.

623 = 1 turn + 2 speeds of the root + 1 height + 51·3 positions + 51·6 rotations + 52·3 velocities
+ 4 contacts. T frames give T - 1 rows, and T - 1 rows give T frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.errors import UsageError

Array = NDArray[np.float64]

PARAMETERS, JOINTS, WIDTH = 182, 52, 623
FACE = 13
"""Numbers a frame of `face`: the jaw's rotation 3, expression 10."""
TURN, SPEED, HEIGHT = slice(0, 1), slice(1, 3), slice(3, 4)
POSITIONS, ROTATIONS = slice(4, 157), slice(157, 463)
VELOCITIES, CONTACTS = slice(463, 619), slice(619, 623)
"""The slices of a row (spec §5)."""

_FINGERS = ("index", "middle", "pinky", "ring", "thumb")
NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle",
    "right_ankle", "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar",
    "head", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist",
    "right_wrist",
    *(f"{side}_{f}{k}" for side in ("left", "right") for f in _FINGERS for k in (1, 2, 3)),
)  # fmt: skip
PARENTS = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19,
    *(wrist if k == 0 else first + 3 * f + k - 1
      for wrist, first in ((20, 22), (21, 37)) for f in range(5) for k in range(3)),
)  # fmt: skip
LEFT_HAND, RIGHT_HAND = slice(22, 37), slice(37, 52)
LEFT_WRIST, RIGHT_WRIST = 20, 21
FEET = (7, 10, 8, 11)
HIPS, SHOULDERS = (1, 2), (16, 17)
FRONT = (*HIPS, *SHOULDERS, 0)
"""Joints without which nobody faces anywhere."""
LEGS = (4, 5, 7, 8, 10, 11)
STILL = 0.002
"""A foot stands below this squared step, m² a frame [R:MG]."""

CHEST = 9
UPPER = (12, 15, 16, 17, 18, 19, 20, 21)
"""Neck, head, shoulders, elbows and wrists: what moves in signing besides the hands."""
SIGNING, SIGNING_JOINTS = 228, 38
"""Numbers a frame of `signing`: positions of 8 joints and 30 of the hands, and their velocities."""
PICTURE = 152
"""Numbers a frame of `picture`: the same joints, without depth."""
SIGNING_PARTS = {"body": slice(0, 8), "left_hand": slice(8, 23), "right_hand": slice(23, 38)}

_SPINE = {
    0: (0, 0, 0), 3: (0, 100, 0), 6: (0, 130, 0), 9: (0, 50, 0), 12: (0, 205, 0), 15: (0, 120, 15),
}  # fmt: skip
_LEFT_SIDE = {
    1: (60, -85, 0), 4: (0, -400, 0), 7: (0, -405, 0), 10: (0, -60, 120),
    13: (55, 95, 0), 16: (100, 63, -12), 18: (270, -55, -40), 20: (250, 10, -5),
    22: (101, -9, 19), 23: (34, -12, -3), 24: (4, -22, -4),
    25: (101, -6, -3), 26: (36, -14, -6), 27: (3, -23, 2),
    28: (80, -10, -40), 29: (19, -19, -10), 30: (2, -18, 2),
    31: (92, -8, -24), 32: (32, -18, -4), 33: (4, -19, 8),
    34: (34, -11, 28), 35: (31, -18, 13), 36: (24, -16, 4),
}  # fmt: skip
PELVIS = (0.0, -0.353, 0.0)
"""Where the root stands when ``transl`` is 0, metres [measured, docs/methods/lslm.md]."""


def _offsets() -> Array:
    offsets = np.zeros((JOINTS, 3))
    for joint, millimetres in (_SPINE | _LEFT_SIDE).items():
        offsets[joint] = millimetres
        if joint in _LEFT_SIDE:
            twin = NAMES.index(NAMES[joint].replace("left", "right"))
            offsets[twin] = np.array(millimetres) * (-1, 1, 1)
    offsets /= 1000
    offsets.setflags(write=False)
    return offsets


OFFSETS = _offsets()
"""(52, 3) each joint from its parent where all rotations are 0, metres."""


def rotation_matrices(vectors: Array) -> Array:
    """Axis-angle vectors (…, 3), radians, as matrices (…, 3, 3)."""
    angle = np.linalg.norm(vectors, axis=-1)[..., None, None]
    x, y, z = np.moveaxis(vectors, -1, 0)
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(*x.shape, 3, 3)
    half = np.sinc(angle / (2 * np.pi))
    return np.eye(3) + np.sinc(angle / np.pi) * cross + half**2 / 2 * (cross @ cross)


def six_numbers(matrices: Array) -> Array:
    """The first two columns of rotations (…, 3, 3), one after the other: (…, 6)."""
    return np.concatenate([matrices[..., 0], matrices[..., 1]], -1)


def from_six_numbers(numbers: Array) -> Array:
    """The rotations (…, 3, 3) nearest in Gram–Schmidt's sense to (…, 6); undoes ``six_numbers``."""
    x = _unit(numbers[..., :3])
    y = numbers[..., 3:]
    y = _unit(y - (x * y).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], -1)


def forward(parameters: NDArray, camera: bool = True) -> tuple[Array, Array]:
    """Joints (frames, 52, 3), metres, and rotations (frames, 52, 3, 3), each from its parent's.

    parameters: (frames, 182) = global_orient 3, body_pose 63, left hand 45, right hand 45, jaw 3,
    betas 10, expression 10 (three that are not read here), transl 3; axis-angle and metres.
    camera: they are in the frame of a camera (y down, z away), as fits to video are, and are
    turned upright.

    Raises UsageError for another width, and for numbers that are not finite.
    """
    if parameters.ndim != 2 or parameters.shape[1] != PARAMETERS:
        raise UsageError(
            f"SMPL-X parameters have shape {parameters.shape}, expected (frames, {PARAMETERS}): "
            "global_orient 3, body_pose 63, left hand 45, right hand 45, jaw 3, betas 10, "
            "expression 10, transl 3"
        )
    vectors = parameters[:, :156].astype(np.float64).reshape(-1, JOINTS, 3)
    root = parameters[:, 179:].astype(np.float64)
    _refuse_not_finite(vectors, "rotation")
    _refuse_not_finite(root[:, None], "translation")
    rotations, root = rotation_matrices(vectors), root + PELVIS
    if camera:
        upright = np.diag([1.0, -1.0, -1.0])
        rotations[:, 0], root = upright @ rotations[:, 0], root @ upright
    joints, turned = np.zeros_like(vectors), rotations.copy()
    joints[:, 0] = root
    for joint in range(1, JOINTS):
        parent = PARENTS[joint]
        turned[:, joint] = turned[:, parent] @ rotations[:, joint]
        joints[:, joint] = joints[:, parent] + turned[:, parent] @ OFFSETS[joint]
    return joints, rotations


def face(parameters: NDArray) -> Array:
    """(frames, 13) the jaw's axis-angle and the expression of (frames, 182) parameters; eyes they have none."""
    return np.concatenate([parameters[:, 156:159], parameters[:, 169:179]], 1).astype(np.float64)


def standing(joints: Array) -> Array:
    """The joints with straight legs: below the hips a fit to an upper body only guesses.

    Knees, ankles and feet hang below the hips as in the neutral skeleton, turned as the body is.
    """
    joints = joints.copy()
    turn = _about_y(heading(joints))
    for joint in LEGS:
        joints[:, joint] = joints[:, PARENTS[joint]] + turn @ OFFSETS[joint]
    return joints


def heading(joints: Array) -> Array:
    """(frames,) the angle about y that turns +z to where hips and shoulders face, radians.

    Raises UsageError where they stand one above the other, so that nothing is to the left.
    """
    lefts, rights = zip(HIPS, SHOULDERS, strict=True)
    across = (joints[:, lefts] - joints[:, rights]).sum(axis=1)
    flat = np.hypot(across[:, 0], across[:, 2])
    if (flat < 1e-6).any():
        raise UsageError(
            f"frame {int(np.argmin(flat))}: hips and shoulders have no left and right seen from "
            "above, so the body faces nowhere; are the joints upright (y up), in metres?"
        )
    return np.arctan2(-across[:, 2], across[:, 0])


@dataclass(frozen=True)
class Placement:
    """Where a motion was: turned by ``yaw`` (radians, about y), then moved by ``shift``, metres."""

    yaw: float
    shift: tuple[float, float, float]

    def restore(self, joints: Array) -> Array:
        """The joints back where they were."""
        return joints @ _about_y(np.array(self.yaw)).T + self.shift


def placed(joints: Array) -> tuple[Array, Placement]:
    """The joints on the floor, the first root over the origin, facing +z; and where they were.

    The floor is the lowest of all frames and joints.
    """
    yaw = float(heading(joints[:1])[0])
    x, _, z = (float(v) for v in joints[0, 0])
    shift = (x, float(joints[..., 1].min()), z)
    return (joints - shift) @ _about_y(np.array(yaw)), Placement(yaw, shift)


def features(joints: Array, rotations: Array | None = None, upper_body: bool = False) -> Array:
    """(frames - 1, 623) of (frames, 52, 3) joints, wherever they are and wherever they face.

    rotations: (frames, 52, 3, 3), each joint's from its parent's, as ``forward`` gives them.
    Without them they follow from the joints: the shortest turn of each bone from where its
    parent would have it, which knows no twist (``bone_rotations``).
    upper_body: legs as in ``standing``, and feet that always touch the floor.

    Raises UsageError for other shapes, fewer than two frames, or numbers that are not finite.
    """
    joints = _checked(joints)
    if rotations is not None and rotations.shape != (*joints.shape, 3):
        raise UsageError(
            f"rotations have shape {rotations.shape}, expected {(*joints.shape, 3)} to go with "
            "the joints"
        )
    joints, _ = placed(standing(joints) if upper_body else joints)
    yaw = heading(joints)
    rotations = bone_rotations(joints, yaw) if rotations is None else rotations
    _refuse_not_finite(rotations.reshape(*rotations.shape[:2], -1), "rotation")
    if upper_body:
        rotations = rotations.copy()
        rotations[:, LEGS] = np.eye(3)
    to_front = np.swapaxes(_about_y(yaw), 1, 2)
    steps = np.diff(joints, axis=0)
    local = (joints - joints[:, :1] * (1, 0, 1)) @ np.swapaxes(to_front, 1, 2)
    turned = np.angle(np.exp(1j * np.diff(yaw)))
    rows = np.empty((len(steps), WIDTH))
    rows[:, TURN] = -turned[:, None] / 2
    rows[:, SPEED] = (to_front[1:] @ steps[:, 0, :, None])[:, ::2, 0]
    rows[:, HEIGHT] = joints[:-1, 0, 1:2]
    rows[:, POSITIONS] = local[:-1, 1:].reshape(len(steps), -1)
    rows[:, ROTATIONS] = six_numbers(rotations[:-1, 1:]).reshape(len(steps), -1)
    rows[:, VELOCITIES] = (steps @ np.swapaxes(to_front[:-1], 1, 2)).reshape(len(steps), -1)
    rows[:, CONTACTS] = upper_body or (steps[:, FEET] ** 2).sum(-1) < STILL
    return rows


def joints_of(rows: Array) -> Array:
    """(rows + 1, 52, 3) joints, placed: undoes ``features`` from root, positions and velocities.

    The last frame is the one before it and its velocities.

    Raises UsageError for another width, no row, or numbers that are not finite.
    """
    rows = np.asarray(rows, np.float64)
    if rows.ndim != 2 or rows.shape[1] != WIDTH or not len(rows):
        raise UsageError(
            f"a motion has shape {rows.shape}, expected (at least 1 row, {WIDTH}); "
            "make it with signloom.pose.motion623.features"
        )
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise UsageError(f"row {row} of a motion has {rows[row, column]} in column {column}")
    yaw = np.concatenate([[0], -2 * np.cumsum(rows[:, 0])])
    to_world = _about_y(yaw)
    speed = np.stack([rows[:, 1], np.zeros(len(rows)), rows[:, 2]], -1)
    root = np.zeros((len(rows) + 1, 3))
    root[1:] = np.cumsum((to_world[1:] @ speed[..., None])[..., 0], axis=0)
    local = np.concatenate(
        [np.zeros((len(rows), 1, 3)), rows[:, POSITIONS].reshape(len(rows), -1, 3)], 1
    )
    local[:, 0, 1] = rows[:, 3]
    joints = np.empty((len(rows) + 1, JOINTS, 3))
    joints[:-1] = local @ np.swapaxes(to_world[:-1], 1, 2) + root[:-1, None]
    last = rows[-1, VELOCITIES].reshape(JOINTS, 3)
    joints[-1] = joints[-2] + last @ to_world[-2].T
    return joints


def signing(rows: Array) -> Array:
    """(rows, 228) of (rows, 623): what signs, without what stands; the way back is `signing_joints`.

    Positions of neck, head, shoulders, elbows and wrists from the chest, of each hand's joints from its
    wrist, then the same of velocities; metres, facing +z. A hand's shape is then the same wherever it is.
    """
    around = np.zeros((len(rows), 1, 3))
    positions = np.concatenate([around, rows[:, POSITIONS].reshape(len(rows), -1, 3)], 1)
    velocities = rows[:, VELOCITIES].reshape(len(rows), JOINTS, 3)
    positions[:, 0, 1] = rows[:, HEIGHT][:, 0]
    parts = []
    for values in (positions, velocities):
        parts.append(values[:, UPPER] - values[:, CHEST, None])
        parts += [values[:, hand] - values[:, wrist, None]
                  for hand, wrist in ((LEFT_HAND, LEFT_WRIST), (RIGHT_HAND, RIGHT_WRIST))]  # fmt: skip
    return np.concatenate(parts, 1).reshape(len(rows), SIGNING)


def signing_joints(numbers: Array) -> Array:
    """(rows, 38, 3) joints of `signing`'s positions, all from the chest: UPPER, left hand, right hand."""
    joints = numbers[:, : 3 * SIGNING_JOINTS].reshape(len(numbers), SIGNING_JOINTS, 3).copy()
    for part, wrist in (("left_hand", LEFT_WRIST), ("right_hand", RIGHT_WRIST)):
        joints[:, SIGNING_PARTS[part]] += joints[:, UPPER.index(wrist), None]
    return joints


def picture(joints: Array) -> Array:
    """(frames - 1, 152) of (frames, 52, 3) joints before a camera at the origin: `signing` as it sees them.

    No depth and no front: points are what is seen at x / z and y / z, in metres if the shoulders stood as
    far apart as the neutral skeleton's. What turns away from the camera is seen turned.

    Raises UsageError where a joint is not before the camera (z < 0), or for shapes as `features` does.
    """
    joints = _checked(joints)
    if (joints[..., 2] >= 0).any():
        raise UsageError(
            "a picture needs all joints before the camera (z below 0), got one behind it; give joints as a "
            "camera sees them"
        )
    seen = joints[..., :2] / -joints[..., 2:]
    left, right = SHOULDERS
    wide = np.median(np.linalg.norm(seen[:, left] - seen[:, right], axis=1))
    seen = seen * (2 * (OFFSETS[13] + OFFSETS[left])[0] / max(wide, 1e-6))
    parts = []
    for values in (seen[:-1], np.diff(seen, axis=0)):
        parts.append(values[:, UPPER] - values[:, CHEST, None])
        parts += [values[:, hand] - values[:, wrist, None]
                  for hand, wrist in ((LEFT_HAND, LEFT_WRIST), (RIGHT_HAND, RIGHT_WRIST))]  # fmt: skip
    return np.concatenate(parts, 1).reshape(len(seen) - 1, PICTURE)


def turned(joints: Array, degrees: float) -> Array:
    """The joints turned about a vertical through where the root is on average: the camera goes round."""
    centre = joints[:, 0].mean(axis=0)
    return (joints - centre) @ _about_y(np.array(np.radians(degrees))).T + centre


def shaken(joints: Array, degrees: float, rng: np.random.Generator) -> Array:
    """The joints with noise on every rotation, as on SMPL-X's parameters; bones keep their lengths.

    degrees: σ of each of a rotation's three numbers (axis-angle), drawn anew in each frame and joint. What
    hangs on a joint turns along.
    """
    own = rotation_matrices(np.radians(degrees) * rng.standard_normal(joints.shape))
    off, moved = own.copy(), joints.copy()
    for joint in range(1, JOINTS):
        parent = PARENTS[joint]
        bone = joints[:, joint] - joints[:, parent]
        moved[:, joint] = moved[:, parent] + (off[:, parent] @ bone[..., None])[..., 0]
        off[:, joint] = off[:, parent] @ own[:, joint]
    return moved


def filled(joints: Array, seen: NDArray[np.bool_]) -> Array:
    """The joints (frames, 52, 3) with those put in that were not ``seen`` (frames, 52).

    Each bone goes straight from where it was last seen to where it is next, and stays where there is
    no next or last; one that is never seen hangs as in the neutral skeleton, turned as the first frame
    whose hips and shoulders are seen. So a lost hand goes along with its wrist.

    Raises UsageError where no frame shows hips and shoulders.
    """
    if seen.all():
        return joints
    whole = np.flatnonzero(seen[:, FRONT].all(axis=1))
    if not len(whole):
        raise UsageError(
            "no frame has pelvis, hips and shoulders, so the motion has no front; expected a frame in which a "
            "body was fitted"
        )
    turn = _about_y(heading(joints[whole[:1]]))[0]
    moments, found = np.arange(len(joints)), np.empty_like(joints, np.float64)
    for joint in range(JOINTS):
        parent = PARENTS[joint]
        known = seen[:, joint] if parent < 0 else seen[:, joint] & seen[:, parent]
        bone = joints[:, joint] if parent < 0 else joints[:, joint] - joints[:, parent]
        start = 0 if parent < 0 else found[:, parent]
        if known.any():
            at = np.flatnonzero(known)
            bone = np.stack([np.interp(moments, at, bone[at, axis]) for axis in range(3)], 1)
        else:
            bone = np.repeat((turn @ OFFSETS[joint])[None], len(joints), 0)
        found[:, joint] = start + bone
    return found


def rotations_of(rows: Array) -> Array:
    """(rows, 51, 3, 3) the rotations of all joints but the root, each from its parent's."""
    return from_six_numbers(rows[:, ROTATIONS].reshape(len(rows), JOINTS - 1, 6))


def bone_rotations(joints: Array, yaw: Array) -> Array:
    """(frames, 52, 3, 3): each bone's shortest turn from where its parent's turn leaves it.

    A joint holds the turn of the bone that ends in it; the root's is the heading, and a bone
    without length does not turn. A bone turned right round has no shortest turn: an axis is
    chosen, and the numbers jump there.
    """
    turned = np.empty((*joints.shape, 3))
    local = np.empty_like(turned)
    local[:, 0] = turned[:, 0] = _about_y(yaw)
    for joint in range(1, JOINTS):
        parent = PARENTS[joint]
        bone = joints[:, joint] - joints[:, parent]
        back = np.swapaxes(turned[:, parent], 1, 2)
        local[:, joint] = _shortest_turn(_unit(OFFSETS[joint]), (back @ bone[..., None])[..., 0])
        turned[:, joint] = turned[:, parent] @ local[:, joint]
    return local


def _shortest_turn(start: Array, ends: Array) -> Array:
    """(n, 3, 3) turning the unit vector (3,) onto the directions of (n, 3); none for length 0."""
    length = np.linalg.norm(ends, axis=-1, keepdims=True)
    ends = np.where(length > 1e-9, ends / np.maximum(length, 1e-9), start)
    cosine = ends @ start
    axis = np.cross(start, ends)
    zero = np.zeros(len(ends))
    x, y, z = axis.T
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).reshape(-1, 3, 3)
    opposite = cosine < -1 + 1e-9
    turn = np.eye(3) + cross + cross @ cross / np.where(opposite, 1, 1 + cosine)[:, None, None]
    if opposite.any():
        side = _unit(np.cross(start, np.eye(3)[np.argmin(np.abs(start))]))
        turn[opposite] = 2 * np.outer(side, side) - np.eye(3)
    return turn


def _about_y(angle: Array) -> Array:
    """(…, 3, 3) turning +z towards +x by the angles, radians."""
    c, s, zero = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    one = np.ones_like(angle)
    return np.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).reshape(*angle.shape, 3, 3)


def _unit(vectors: Array) -> Array:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def _checked(joints: NDArray) -> Array:
    if joints.ndim != 3 or joints.shape[1:] != (JOINTS, 3):
        raise UsageError(
            f"joints have shape {joints.shape}, expected (frames, {JOINTS}, 3): SMPL-X's joints "
            "0-21, 25-39 and 40-54"
        )
    if len(joints) < 2:
        raise UsageError(
            f"a motion needs at least 2 frames, got {len(joints)}: speeds lie between frames"
        )
    joints = joints.astype(np.float64)
    _refuse_not_finite(joints, "position")
    return joints


def _refuse_not_finite(values: Array, what: str) -> None:
    """Values (frames, joints, n): the first frame and joint with NaN or infinity is named."""
    bad = ~np.isfinite(values).all(axis=-1)
    if bad.any():
        frame, joint = np.argwhere(bad)[0]
        raise UsageError(
            f"frame {frame}: the {what} of joint {joint} ({NAMES[joint]}) is not a number; "
            "leave out the frames that were not fitted, or fill them in from their neighbours"
        )
