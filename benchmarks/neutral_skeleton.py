"""Where the neutral skeleton's lengths come from: python -m benchmarks.neutral_skeleton FOLDER [-o FILE].

FOLDER is WLASL fitted with SMPL-X, shape 0 throughout. Joints that are built from offsets with a
fit's own rotations and translation, and projected with its camera, should lie on the corpus's 2D
points. The offsets for which they do best are found by least squares, reweighted so that the sum of
distances in the picture becomes least (Weiszfeld): the points are an estimate of their own, and
some of the hands' are far off. Train frames with both hands valid, every eighth; of the hands,
frames whose points stay within REACH of the wrist.

Prints each joint's offset as found, in millimetres, beside ``signloom.pose.motion623.OFFSETS`` (the
root's beside ``PELVIS``): these with left and right averaged, the hands' to a millimetre or two and
the body's to a few. Knees, ankles and feet have no points, and the depth of the trunk, which never
turns, does not show: there it prints 0.

Then how well the skeleton that is kept fits: the median distance of its joints, on every fourth frame of
train and of val with both hands valid, from the 2D points, in millimetres at the depth of the body;
those of the hands from their own wrist. The share of frames whose hand's points reach beyond REACH is
that of the frames which were measured. With -o all goes into a record. Takes twenty seconds of one core.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing
from signloom.pose.motion623 import (
    JOINTS,
    NAMES,
    OFFSETS,
    PARENTS,
    PELVIS,
    forward,
    rotation_matrices,
)

ROOT = Path(__file__).parent.parent
Array = NDArray[np.float64]

FACE = (0, 1, 2, 3, 4)
"""Points that turn with the head: nose, eyes, ears; their offsets are found too, and not kept."""
BODY = {9: 0, 10: 1, 11: 2, 13: 3, 14: 6, 15: 9, 12: 12, 5: 16, 6: 17, 7: 18, 8: 19}
FINGERS = (12, 0, 3, 9, 6)
"""Where a hand's fingers begin among its joints, in the order of its points: thumb to pinky."""
WRISTS = {"left": 64, "right": 85}
"""A hand's first point, its wrist; 20 of the fingers follow."""
PARTS = {
    "trunk": (9, 10, 11, 12, 13, 14, 15),
    "shoulders": (5, 6),
    "elbows": (7, 8),
    "wrists": (64, 85),
}
"""Points of the body that are compared with its joints."""
MEASURED, COMPARED = 8, 4
"""Of so many frames one."""
REACH = 0.25
ROUNDS, NEAR, RIDGE = 10, 0.5, 1e-3


def joint_of_point() -> dict[int, int]:
    """Point of ``wlasl106`` → joint; points of the face follow the 52 joints."""
    found = BODY | {point: JOINTS + point for point in FACE}
    for wrist, point, first in ((20, 64, 22), (21, 85, 37)):
        found[point] = wrist
        for finger, start in enumerate(FINGERS):
            found |= {point + 1 + 4 * finger + k: first + start + k for k in range(3)}
    return found


@dataclass(frozen=True)
class Frames:
    """Fits and what they were fitted to: parameters (frames, 182); a camera's focal lengths and centre, pixels
    (frames, 2); points (frames, 106, 2), pixels."""

    fits: Array
    focal: Array
    centre: Array
    points: Array

    @property
    def metres(self) -> Array:
        """(frames, 2) of a pixel, at the depth of the body."""
        return self.fits[:, 181:] / self.focal

    def near(self, side: str) -> NDArray[np.bool_]:
        """(frames,) whether no point of the hand is REACH or more from its wrist, in x or y."""
        hand = self.points[:, WRISTS[side] : WRISTS[side] + 21]
        apart = np.abs((hand - hand[:, :1]) * self.metres[:, None])
        return np.asarray(apart.max(axis=(1, 2)) < REACH)


def frames_of(folder: Path, subset: str, every: int) -> Frames:
    """One of ``every`` frames of a subset in which both hands are valid."""
    with np.load(folder / "pose.npz", allow_pickle=False) as arrays:
        valid = arrays["hand_valid"].all(axis=1)
        with open(folder / "index.csv", newline="") as table:
            clips = [row for row in csv.DictReader(table) if row["subset"] == subset]
        frames = np.concatenate([int(c["offset"]) + np.arange(int(c["n_frames"])) for c in clips])
        frames = frames[valid[frames]][::every]
        fits, focal, centre, points = (
            arrays[name][frames].astype(np.float64)
            for name in ("smplx_f16", "focal", "princpt", "kp2d_x16")
        )
    return Frames(fits, focal, centre, points / 16)


def compared(frames: Frames) -> dict[str, float]:
    """Part → the median distance of the kept skeleton's joints from the points, millimetres."""
    joints, _ = forward(frames.fits, camera=False)
    seen = frames.focal[:, None] * joints[..., :2] / joints[..., 2:] + frames.centre[:, None]
    joint = joint_of_point()

    def median(apart: Array) -> float:
        return round(
            1000 * float(np.median(np.linalg.norm(apart * frames.metres[:, None], axis=2))), 1
        )

    found = {}
    for part, points in PARTS.items():
        found[part] = median(seen[:, [joint[p] for p in points]] - frames.points[:, points])
    for side, wrist in WRISTS.items():
        points = [p for p in joint if wrist < p < wrist + 21]
        own = seen[:, [joint[p] for p in points]] - seen[:, joint[wrist], None]
        found[f"{side}_hand"] = median(
            own - frames.points[:, points] + frames.points[:, wrist, None]
        )
    return found


def measured(frames: Frames) -> Array:
    """(57, 3) the offsets of the joints and of the face's points, metres."""
    fits, focal, centre, points = frames.fits, frames.focal, frames.centre, frames.points
    place = fits[:, 179:]
    turned = rotation_matrices(fits[:, :156].reshape(-1, JOINTS, 3))
    for joint in range(1, JOINTS):
        turned[:, joint] = turned[:, PARENTS[joint]] @ turned[:, joint]
    parents = (*PARENTS, *[NAMES.index("head")] * len(FACE))
    near = {first: frames.near(side) for side, first in WRISTS.items()}

    def chain(joint: int) -> Array:
        """(frames, 3, 171): a point's place in the camera's axes, linear in all offsets."""
        matrix = np.zeros((len(fits), 3, len(parents), 3))
        while joint >= 0:
            parent = parents[joint]
            matrix[:, :, joint] = turned[:, parent] if parent >= 0 else np.eye(3)
            joint = parent
        return matrix.reshape(len(fits), 3, -1)

    offsets: Array = np.zeros(3 * len(parents))
    for _ in range(ROUNDS):
        left = RIDGE * len(fits) * np.eye(len(offsets))
        right = np.zeros(len(offsets))
        for point, joint in joint_of_point().items():
            matrix = chain(joint)
            at = matrix @ offsets + place
            scale = focal / at[:, 2:]
            apart = scale * at[:, :2] + centre - points[:, point]
            weight = 1 / np.maximum(np.linalg.norm(apart, axis=1), NEAR)
            if point >= 64:
                weight = weight * near[64 if point < 85 else 85]
            rows = scale[..., None] * matrix[:, :2]
            wanted = points[:, point] - centre - scale * place[:, :2]
            weighted = rows * weight[:, None, None]
            left += np.tensordot(weighted, rows, ((0, 1), (0, 1)))
            right += np.tensordot(weighted, wanted, ((0, 1), (0, 1)))
        offsets = np.linalg.solve(left, right).astype(np.float64)
    return offsets.reshape(-1, 3)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.neutral_skeleton", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="WLASL fitted with SMPL-X")
    parser.add_argument("-o", "--out", type=Path, help="a record to write")
    options = parser.parse_args(arguments)
    made_by = {"commit": commit(ROOT), "hardware": hardware()}
    frames = frames_of(options.folder, "train", MEASURED)
    found = measured(frames)
    offsets = {}
    for name, one, kept in zip(NAMES, found, [PELVIS, *OFFSETS[1:]], strict=False):
        print(f"{name:16}{(1000 * one).round(1)!s:28}{(1000 * np.array(kept)).round()}")
        offsets[name] = {
            "found": (1000 * one).round(1).tolist(),
            "kept": (1000 * np.array(kept)).round().tolist(),
        }
    beyond = {side: round(100 * float(1 - frames.near(side).mean()), 1) for side in WRISTS}
    print(
        f"hand's points {REACH} m and more from its wrist, % of {len(frames.fits)} frames: {beyond}"
    )
    fit: dict[str, Any] = {}
    for subset in ("train", "val"):
        looked = frames_of(options.folder, subset, COMPARED)
        fit[subset] = {"frames": len(looked.fits), "median_mm": compared(looked)}
        print(f"{subset}: {fit[subset]}")
    if options.out is not None:
        report = {
            **made_by,
            "measured_frames": len(frames.fits),
            "beyond_reach_percent": {"reach_m": REACH, **beyond},
            "offsets_mm": offsets,
            "fit": fit,
        }
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
