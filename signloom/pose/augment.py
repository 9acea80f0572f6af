"""Clips as another camera or signer might have given them; every draw comes from the generator."""

from __future__ import annotations

import numpy as np

from signloom.data.clip import PoseClip


def random_affine(
    clip: PoseClip, rng: np.random.Generator, scale: float = 0.0, rotation: float = 0.0
) -> PoseClip:
    """The clip under one random affine map of the picture plane, about its mean keypoint.

    scale: x and y are stretched apart, each by a factor e^u with u uniform in [−scale, scale].
    rotation: turned by an angle uniform in [−rotation, rotation], in degrees.
    z is left alone; missing keypoints stay missing.
    """
    stretch = np.exp(rng.uniform(-scale, scale, 2))
    angle = np.deg2rad(rng.uniform(-rotation, rotation))
    seen = clip.present
    if not seen.any():
        return clip
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    by = (turn * stretch).astype(np.float32)
    centre = clip.points[seen][:, :2].mean(axis=0)
    points = clip.points.copy()
    points[..., :2] = (clip.points[..., :2] - centre) @ by.T + centre
    return clip.with_points(np.where(seen[..., None], points, np.float32(0)))
