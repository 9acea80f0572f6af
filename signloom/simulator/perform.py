"""Signing in time: from signs to the movements of a signer, and from those to a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC, Layout
from signloom.data.timing import Span
from signloom.simulator.camera import Camera, Tracker
from signloom.simulator.phonology import Brows, Head, Sign
from signloom.simulator.signer import Signer

FPS = 25.0


@dataclass(frozen=True)
class Performed:
    """One sign as a sentence asks for it.

    repeat: how often it is signed (reduplication); kind: how fast that goes.
    brows, head: prosody over this sign, beside the sentence's own brows and in
        place of the sign's (a topic's raised brows, a negation's headshake).
    """

    sign: Sign
    repeat: int = 1
    kind: Literal["sign", "letter", "point"] = "sign"
    brows: Brows | None = None
    head: Head | None = None


@dataclass(frozen=True, eq=False)
class Performance:
    """A signer's movements, frame by frame; metres and radians, dominant hand first.

    places: (frames, 2, 3) palm centres; turns: (frames, 2, 6) finger and palm
    directions; shapes: (frames, 2, 16) finger angles; face: (frames, 7) mouth
    open, round, spread, pressed, brows up, brows together, eyes shut;
    head: (frames, 3) yaw, pitch, roll; trunk: (frames, 2) sway and lean.
    spans: when each sign is signed, in seconds.
    """

    fps: float
    places: NDArray[np.float64]
    turns: NDArray[np.float64]
    shapes: NDArray[np.float64]
    face: NDArray[np.float64]
    head: NDArray[np.float64]
    trunk: NDArray[np.float64]
    spans: tuple[Span, ...]

    def __len__(self) -> int:
        return len(self.places)


def perform(
    signs: Sequence[Performed],
    signer: Signer,
    rng: np.random.Generator,
    *,
    citation: bool = False,
    brow: Brows = "neutral",
    pauses: Sequence[float] = (),
) -> Performance:
    """How ``signer`` signs the signs one after another, at 25 frames a second.

    citation: as a dictionary shows a sign: slow, from rest to rest.
    brow: over the whole sentence (questions).
    pauses: seconds of hold after each sign, () for none; as many as signs.
    """
    raise NotImplementedError


def render(
    performance: Performance,
    signer: Signer,
    camera: Camera,
    tracker: Tracker,
    rng: np.random.Generator,
    layout: Layout = HOLISTIC,
) -> PoseClip:
    """The clip that a tracker finds when a camera films the performance, in pixels.

    Only what ``layout`` needs is computed; the keypoints do not depend on it.
    """
    raise NotImplementedError
