"""Motions for tests: bodies of the neutral skeleton whose arms and fingers swing."""

from __future__ import annotations

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.layouts import SMPLX52
from signloom.pose.motion623 import forward


def parameters(seed: int, frames: int = 60) -> np.ndarray:
    """(frames, 182) SMPL-X parameters of somebody before a camera."""
    rng = np.random.default_rng(seed)
    found = np.zeros((frames, 182))
    time = np.linspace(0, 1, frames)[:, None]
    for column, size in ((slice(48, 66), 0.5), (slice(66, 156), 0.4)):
        width = column.stop - column.start
        for wave in range(1, 3):
            phase = 2 * np.pi * (wave * time + rng.random(width))
            found[:, column] += size * rng.standard_normal(width) * np.sin(phase)
    found[:, 0], found[:, 181] = np.pi, 2.5
    return found


def motion(seed: int, frames: int = 60, fps: float = 25.0) -> PoseClip:
    """The same as a clip of joints in space."""
    joints, _ = forward(parameters(seed, frames), camera=False)
    seen = np.ones(joints.shape[:2], np.float32)
    return PoseClip(joints.astype(np.float32), seen, fps, SMPLX52, id=f"motion-{seed}")
