"""Lips: grey pictures of the mouth over time, the second stream that lip reading takes.

A crop is 96×96 and what an encoder sees is 88×88 of it, as values (x / 255 − .421) / .165;
spec §3 'Inputs' [R:AV].
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin, PoseClip
from signloom.data.timing import Span
from signloom.errors import MediaError

CROP = 96
"""Pixels along one side of a kept crop."""
SEEN = 88
"""Pixels along one side of what an encoder is given."""
MEAN, SPREAD = 0.421, 0.165
"""Of grey values in [0, 1], over the pictures that the published encoder was trained on [R:AV]."""


@dataclass(frozen=True, eq=False)
class Lips:
    """Mouth crops, one for each frame of a clip; immutable.

    frames: uint8 (frames, 96, 96), grey, upright; 0 where the mouth was not seen.
    present: bool (frames,), whether it was.
    fps: frames a second, > 0.

    Raises ValueError where an array contradicts this.
    """

    frames: NDArray[np.uint8]
    present: NDArray[np.bool_]
    fps: float
    id: str = ""
    origin: Origin = field(default_factory=Origin)

    def __post_init__(self) -> None:
        frames, present = np.asarray(self.frames), np.asarray(self.present)
        if frames.dtype != np.uint8 or frames.shape[1:] != (CROP, CROP):
            raise ValueError(
                f"lips '{self.id}' have {frames.dtype} frames of shape {frames.shape}, "
                f"expected uint8 (frames, {CROP}, {CROP})"
            )
        if present.dtype != np.bool_ or present.shape != frames.shape[:1]:
            raise ValueError(
                f"lips '{self.id}' have {present.dtype} presence of shape {present.shape}, "
                f"expected bool {frames.shape[:1]} to go with their frames"
            )
        if not self.fps > 0:
            raise ValueError(f"lips '{self.id}' have {self.fps} fps, expected a number above 0")
        owned = frames.flags.writeable or frames.base is not None
        frames = frames.copy() if owned else frames
        if not present.all():
            frames.setflags(write=True)
            frames[~present] = 0
        present = present.copy()
        for array in (frames, present):
            array.setflags(write=False)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "present", present)

    def __len__(self) -> int:
        return int(self.frames.shape[0])

    def __getitem__(self, which: slice | NDArray[np.int_]) -> Lips:
        """The chosen frames, as `PoseClip.frames` chooses a clip's; ``fps`` stays as it is."""
        return replace(self, frames=self.frames[which], present=self.present[which])

    def cut(self, span: Span) -> Lips:
        """The frames inside ``span`` (seconds), those that `PoseClip.cut` keeps of its clip."""
        first, last = span.frames(self.fps, total=len(self))
        return self[first:last]

    def aligned_with(self, clip: PoseClip) -> Lips:
        """These lips, frame i of which belongs to frame i of ``clip``.

        Raises MediaError where the clip has another number of frames or another rate.
        """
        if len(self) != len(clip) or abs(self.fps / clip.fps - 1) > 1e-3:
            raise MediaError(
                f"lips '{self.id}' have {len(self)} frames at {self.fps:g} fps but clip "
                f"'{clip.id}' has {len(clip)} at {clip.fps:g}, expected one crop for each frame; "
                "cut both from the same video over the same time"
            )
        return self

    def seen(
        self, rng: np.random.Generator | None = None, mirrored: bool = False
    ) -> NDArray[np.float32]:
        """float32 (frames, 88, 88): what an encoder is given; 0 in frames that are not present.

        The middle of each crop, or with ``rng`` one place for all frames, drawn evenly
        (training). ``mirrored`` swaps left and right: to be given where the pose is
        mirrored, and nowhere else.
        """
        room = CROP - SEEN
        top, left = (room // 2, room // 2) if rng is None else rng.integers(0, room + 1, 2)
        cut = self.frames[:, top : top + SEEN, left : left + SEEN]
        if mirrored:
            cut = cut[:, :, ::-1]
        values = _VALUES[cut]
        values[~self.present] = 0
        return values


_VALUES = ((np.arange(256) / 255 - MEAN) / SPREAD).astype(np.float32)
