"""Where the neutral skeleton's lengths come from: python -m benchmarks.neutral_skeleton FOLDER.

FOLDER is WLASL fitted with SMPL-X, shape 0 throughout. Joints that are built from offsets with a
fit's own rotations and translation, and projected with its camera, should lie on the corpus's 2D
points. The offsets for which they do best are found by least squares, reweighted so that the sum of
distances in the picture becomes least (Weiszfeld): the points are an estimate of their own, and
some of the hands' are far off. Train frames with both hands valid, every eighth; of the hands,
frames whose points stay within REACH of the wrist.

Prints each joint's offset as found, in millimetres, beside ``signloom.pose.motion623.OFFSETS``:
these with left and right averaged, the hands' to a millimetre or two and the body's to a few.
Knees, ankles and feet have no points, and the depth of the trunk, which never turns, does not
show: there it prints 0. Takes ten seconds of one core.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.pose.motion623 import JOINTS, NAMES, OFFSETS, PARENTS, rotation_matrices

Array = NDArray[np.float64]

FACE = (0, 1, 2, 3, 4)
"""Points that turn with the head: nose, eyes, ears; their offsets are found too, and not kept."""
BODY = {9: 0, 10: 1, 11: 2, 13: 3, 14: 6, 15: 9, 12: 12, 5: 16, 6: 17, 7: 18, 8: 19}
FINGERS = (12, 0, 3, 9, 6)
"""Where a hand's fingers begin among its joints, in the order of its points: thumb to pinky."""
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


def measured(folder: Path) -> Array:
    """(57, 3) the offsets of the joints and of the face's points, metres."""
    with np.load(folder / "pose.npz", allow_pickle=False) as arrays:
        valid = arrays["hand_valid"].all(axis=1)
        with open(folder / "index.csv", newline="") as table:
            clips = [row for row in csv.DictReader(table) if row["subset"] == "train"]
        frames = np.concatenate([int(c["offset"]) + np.arange(int(c["n_frames"])) for c in clips])
        frames = frames[valid[frames]][::8]
        fits, focal, centre, points = (
            arrays[name][frames].astype(np.float64)
            for name in ("smplx_f16", "focal", "princpt", "kp2d_x16")
        )
    points /= 16
    place = fits[:, 179:]
    turned = rotation_matrices(fits[:, :156].reshape(-1, JOINTS, 3))
    for joint in range(1, JOINTS):
        turned[:, joint] = turned[:, PARENTS[joint]] @ turned[:, joint]
    parents = (*PARENTS, *[NAMES.index("head")] * len(FACE))
    metres = place[:, 2:] / focal
    near = {
        wrist: np.abs((points[:, wrist : wrist + 21] - points[:, wrist, None]) * metres[:, None])
        .max(axis=(1, 2)) < REACH
        for wrist in (64, 85)
    }  # fmt: skip

    def chain(joint: int) -> Array:
        """(frames, 3, 171): a point's place in the camera's axes, linear in all offsets."""
        matrix = np.zeros((len(frames), 3, len(parents), 3))
        while joint >= 0:
            parent = parents[joint]
            matrix[:, :, joint] = turned[:, parent] if parent >= 0 else np.eye(3)
            joint = parent
        return matrix.reshape(len(frames), 3, -1)

    offsets: Array = np.zeros(3 * len(parents))
    for _ in range(ROUNDS):
        left = RIDGE * len(frames) * np.eye(len(offsets))
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
    found = measured(parser.parse_args(arguments).folder)
    for name, one, kept in zip(NAMES, found, OFFSETS, strict=False):
        print(f"{name:16}{(1000 * one).round(1)!s:28}{(1000 * kept).round()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
