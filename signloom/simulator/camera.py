"""The camera that films a simulated signer, and the tracker that finds the keypoints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """Where the camera stands; angles in radians.

    distance: metres to the signer; zoom: shoulder width's share of the picture's width.
    shift: of the signer from the middle of the picture, in pictures.
    """

    width: int
    height: int
    yaw: float
    pitch: float
    roll: float
    distance: float
    zoom: float
    shift: tuple[float, float]


@dataclass(frozen=True)
class Tracker:
    """How well keypoints are found: 1 is usual, 0 is perfect.

    jitter: scale of the noise; loss: scale of the rate at which hands are lost.
    """

    jitter: float = 1.0
    loss: float = 1.0


def camera_of(rng: np.random.Generator) -> Camera:
    """A camera as people set them up: before the signer, a little off."""
    width, height = ((640, 480), (1280, 720), (320, 240), (512, 512))[int(rng.random() * 4)]
    yaw, pitch, roll, x, y = np.clip(rng.standard_normal(5), -2, 2)
    return Camera(
        width=width,
        height=height,
        yaw=float(0.10 * yaw),
        pitch=float(0.06 * pitch),
        roll=float(0.02 * roll),
        distance=float(1.6 + 1.2 * rng.random()),
        zoom=float(min(0.24 + 0.10 * rng.random(), 0.40 * height / width)),
        shift=(float(0.03 * x), float(0.03 * y)),
    )


def tracker_of(rng: np.random.Generator) -> Tracker:
    """A tracker as good as the light and the lens allow."""
    jitter, loss = np.clip(rng.standard_normal(2), -2, 2)
    return Tracker(jitter=float(np.exp(0.5 * jitter)), loss=float(np.exp(0.6 * loss)))
