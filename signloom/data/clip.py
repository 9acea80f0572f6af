"""PoseClip: a pose sequence, the one record that everything in signloom passes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.data.layouts import Layout
from signloom.data.timing import Seconds, Span

SIMULATED = "signloom-simulator"
FARTHEST = 1e12
"""No coordinate is larger, in any unit: squares of it are still float32."""


@dataclass(frozen=True)
class Origin:
    """Which extractor, version and settings made a clip.

    Training and inference poses that differ are the field's commonest silent
    failure, so a clip carries this wherever it goes.
    """

    extractor: str = "unknown"
    version: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        return self.extractor == SIMULATED

    def to_json(self) -> dict[str, Any]:
        return {
            "extractor": self.extractor,
            "version": self.version,
            "settings": dict(self.settings),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Origin:
        return cls(
            str(value.get("extractor", "unknown")),
            str(value.get("version", "")),
            dict(value.get("settings") or {}),
        )


def _own(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array as float32 that nobody else can write to: itself where it is so already, else a copy."""
    if array.dtype == np.float32 and not array.flags.writeable and array.base is None:
        return array
    return np.array(array, np.float32)


@dataclass(frozen=True, eq=False)
class PoseClip:
    """Keypoints over time; immutable.

    points: float32 (frames, keypoints, 3): x to the right, y down, z away from
        the camera, in the units of whoever made it (pixels for an extractor).
    confidence: float32 (frames, keypoints) in [0, 1]; 0 = missing, and then
        the coordinates are 0 as well. NaN never enters, and nothing beyond FARTHEST: what has
        such a coordinate is missing.
    fps: frames a second, > 0.

    Raises ValueError where an array contradicts this.
    """

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    fps: float
    layout: Layout
    id: str = ""
    origin: Origin = Origin()
    size: tuple[int, int] = (1, 1)
    """Width and height of the picture, in the units of x and y."""

    def __post_init__(self) -> None:
        points, confidence = _own(self.points), _own(self.confidence)
        expected = (points.shape[0], len(self.layout), 3)
        if points.shape != expected:
            raise ValueError(
                f"clip '{self.id}' has points of shape {points.shape} but layout "
                f"'{self.layout.name}' expects (frames, {len(self.layout)}, 3); "
                "pass the layout that the points are in"
            )
        if confidence.shape != points.shape[:2]:
            raise ValueError(
                f"clip '{self.id}' has confidence of shape {confidence.shape}, "
                f"expected {points.shape[:2]} to go with its points"
            )
        if not self.fps > 0:
            raise ValueError(f"clip '{self.id}' has {self.fps} fps, expected a number above 0")
        # The usual clip passes without a mask of its size; NaN is within no bounds.
        with np.errstate(all="ignore"):
            near = -FARTHEST <= points.min(initial=0) and points.max(initial=0) <= FARTHEST
            finite = bool(near) and np.isfinite(confidence.sum())
        if not finite:
            bad = ~(np.abs(points) <= FARTHEST).all(axis=2) | ~np.isfinite(confidence)
            points, confidence = points.copy(), confidence.copy()
            points[bad], confidence[bad] = 0, 0
        missing = confidence <= 0
        if missing.any() and points[missing].any():
            points = points.copy()
            points[missing] = 0
        confidence = np.clip(confidence, 0, 1)
        for array in (points, confidence):
            array.setflags(write=False)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "confidence", confidence)

    @classmethod
    def trusted(cls, **fields: Any) -> PoseClip:
        """A clip of arrays that keep the rules above already (a store's own): nothing is checked.

        Every field is given by name. Checking costs more than reading a mapped clip does.
        """
        clip = object.__new__(cls)
        for array in (fields["points"], fields["confidence"]):
            array.setflags(write=False)
        for name, value in fields.items():
            object.__setattr__(clip, name, value)
        return clip

    def __len__(self) -> int:
        return int(self.points.shape[0])

    @property
    def duration(self) -> Seconds:
        return len(self) / self.fps

    @property
    def simulated(self) -> bool:
        return self.origin.simulated

    @property
    def present(self) -> NDArray[np.bool_]:
        """(frames, keypoints): whether the keypoint was seen."""
        return self.confidence > 0

    def cut(self, span: Span) -> PoseClip:
        """The frames inside ``span`` (seconds), clipped to the clip."""
        first, last = span.frames(self.fps, total=len(self))
        return self.frames(slice(first, last))

    def frames(self, which: slice | NDArray[np.int_]) -> PoseClip:
        """The chosen frames; ``fps`` stays as it is (a frame range is the usual choice)."""
        return replace(self, points=self.points[which], confidence=self.confidence[which])

    def part(self, articulator: str) -> slice | NDArray[np.int_]:
        """Indices of an articulator's keypoints ('body', 'face', 'left_hand', 'right_hand', …)."""
        return self.layout.part(articulator)

    def with_points(
        self,
        points: NDArray[np.float32],
        confidence: NDArray[np.float32] | None = None,
        **changes: Any,
    ) -> PoseClip:
        """A copy with other points (and whatever else is named)."""
        return replace(
            self,
            points=points,
            confidence=self.confidence if confidence is None else confidence,
            **changes,
        )
