"""Pictures to keypoints: the Extractor protocol, and MediaPipe Holistic behind it.

Points are written as pose-format writes them, so that our files and everybody
else's mean the same: x and y of body, face and hands in pixels of the whole
picture; z as MediaPipe gives it, in picture widths; world points in metres,
times the picture's width (x) and height (y). Confidence is MediaPipe's
visibility for body and world points and 1 for face and hands that were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.data.layouts import HOLISTIC, Layout
from signloom.errors import UsageError, nearest

PARTS = ("hands", "body", "face")
ARTICULATORS = {
    "hands": ("left_hand", "right_hand"),
    "body": ("body", "world"),
    "face": ("face",),
}
NAME = "mediapipe-holistic"
SETTINGS: Mapping[str, Any] = {
    "model_complexity": 1,
    "refine_face_landmarks": False,
    "static_image_mode": False,
}

Box = tuple[int, int, int, int]
"""x, y of the upper left corner, width, height, in pixels of the picture as it is shown."""


@runtime_checkable
class Extractor(Protocol):
    """Turns the pictures of one signer, in order, into keypoints."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """What a clip must carry to be made again the same way."""
        ...

    @property
    def layout(self) -> Layout: ...

    def extract(
        self, frames: Iterable[NDArray[np.uint8]]
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """(points (keypoints, 3), confidence (keypoints,)) of each RGB frame (height, width, 3)."""
        ...


def parse_parts(text: str) -> tuple[str, ...]:
    """'hands,body' → ('hands', 'body'), in the order of PARTS. Raises UsageError."""
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    for part in chosen:
        if part not in PARTS:
            raise UsageError(
                f"there is no part '{part}'{nearest(part, PARTS)}; choose from {', '.join(PARTS)}"
            )
    if not chosen:
        raise UsageError(f"no part is named; choose from {', '.join(PARTS)}")
    return tuple(part for part in PARTS if part in chosen)


class HolisticExtractor:
    """MediaPipe Holistic on the whole picture or on ``box``; the parts not named stay missing."""

    name = NAME
    layout = HOLISTIC

    def __init__(self, parts: tuple[str, ...] = PARTS, box: Box | None = None):
        from importlib.metadata import version

        from mediapipe.python.solutions.holistic import Holistic

        self.parts = parts
        self.box = box
        self.version = version("mediapipe")
        self._graph = Holistic(**SETTINGS)

    @property
    def settings(self) -> Mapping[str, Any]:
        return settings_of(self.parts, self.box)

    def extract(
        self, frames: Iterable[NDArray[np.uint8]]
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        for frame in frames:
            height, width = frame.shape[:2]
            x, y, w, h = self.box or (0, 0, width, height)
            found = self._graph.process(np.ascontiguousarray(frame[y : y + h, x : x + w]))
            yield in_picture(found, (x, y, w, h), (width, height), self.parts)

    def close(self) -> None:
        self._graph.close()


def settings_of(parts: tuple[str, ...], box: Box | None) -> dict[str, Any]:
    """What decides the keypoints, for a clip's origin."""
    return {**SETTINGS, "parts": list(parts), "signer_box": None if box is None else list(box)}


def in_picture(
    found: Any, box: Box, size: tuple[int, int], parts: tuple[str, ...] = PARTS
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """MediaPipe's result on ``box`` as points (576, 3) and confidence (576,) of the whole picture."""
    x, y, w, h = box
    width, height = size
    points = np.zeros((len(HOLISTIC), 3), np.float32)
    confidence = np.zeros(len(HOLISTIC), np.float32)
    for part in parts:
        for articulator in ARTICULATORS[part]:
            landmarks = getattr(found, _FIELD[articulator])
            if landmarks is None:
                continue
            where = HOLISTIC.part(articulator)
            xyz = np.array([(p.x, p.y, p.z) for p in landmarks.landmark], np.float32)
            if articulator == "world":
                points[where] = xyz * (width, height, 1)
            else:
                points[where] = xyz * (w, h, w / width) + (x, y, 0)
            seen = articulator in ("body", "world")
            confidence[where] = [p.visibility for p in landmarks.landmark] if seen else 1
    return points, confidence


_FIELD = {
    "body": "pose_landmarks",
    "world": "pose_world_landmarks",
    "face": "face_landmarks",
    "left_hand": "left_hand_landmarks",
    "right_hand": "right_hand_landmarks",
}
