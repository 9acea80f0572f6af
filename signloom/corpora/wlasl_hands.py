"""WLASL as hand keypoints: 2,000 ASL words, found by MediaPipe Hands, no body.

    hands_xy_f16.npz   'xy' float16 (frames, 2, 21, 2), picture-normalised, NaN = hand not found
    index.csv          video_id,gloss,class_id,subset,n_frames,offset,wlasl100,…,wlasl2000

The two slots of a frame are in the order of detection; ``pose.hands`` tells left
from right. A clip in which no hand is ever seen is left out and counted.

WLASL: https://dxli94.github.io/WLASL/ (Li et al., 2020), for academic and
computational use only (C-UDA).
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.corpora.arrays import read_arrays
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest
from signloom.pose.hands import assign_hands

SUBSETS = ("wlasl100", "wlasl300", "wlasl1000", "wlasl2000")
ARRAY, INDEX = "hands_xy_f16.npz", "index.csv"
FPS = 25.0
ORIGIN = Origin("mediapipe-hands", "", {"corpus": "wlasl2000_hands", "left_right": "tracked"})


@dataclass(frozen=True)
class _Row:
    id: str
    gloss: str
    first: int
    frames: int
    split: str


class WlaslHands:
    """The clips of one split of a WLASL subset, in the order of the index. A SampleSource.

    text and gloss are the word; layout ``hands42``, 25 fps, confidence 1 where
    the hand was found; x and y in units of the picture's width and height.

    excluded: clips left out because no hand is seen in them.

    Raises MediaError where the folder holds something else, UsageError for an
    unknown subset or split.
    """

    def __init__(
        self, folder: str | os.PathLike[str], subset: str = "wlasl2000", split: str = "train"
    ) -> None:
        if subset not in SUBSETS:
            raise UsageError(
                f"there is no WLASL subset '{subset}'{nearest(subset, SUBSETS)}; "
                f"it is one of {', '.join(SUBSETS)}"
            )
        self.folder, self.subset, self.split = Path(folder), subset, split
        rows = _read_index(self.folder, subset)
        splits = list(dict.fromkeys(row.split for row in rows))
        if split not in splits:
            raise UsageError(
                f"{subset} has no split '{split}'{nearest(split, splits)}; it has {', '.join(splits)}"
            )
        self._all = [row for row in rows if row.split == split]

    def __reduce__(self) -> tuple[Any, ...]:
        return WlaslHands, (self.folder, self.subset, self.split)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def excluded(self) -> int:
        return len(self._all) - len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        row = self._rows[index]
        clip = hands_clip(self._xy[row.first : row.first + row.frames], id=row.id)
        return Sample(
            id=row.id,
            clip=clip,
            text=row.gloss,
            glosses=(GlossSpan(row.gloss, Span(0.0, clip.duration)),),
            language="ase",
        )

    @cached_property
    def _rows(self) -> list[_Row]:
        seen = np.append(0, np.cumsum(~np.isnan(self._xy[:, :, 0, 0]).all(axis=1)))
        return [row for row in self._all if seen[row.first + row.frames] > seen[row.first]]

    @cached_property
    def _xy(self) -> NDArray[np.float16]:
        file = self.folder / ARRAY
        xy = read_arrays(file, ("xy",), "hand keypoints")["xy"]
        frames = max((row.first + row.frames for row in self._all), default=0)
        if xy.dtype.kind != "f" or xy.ndim != 4 or xy.shape[1:] != (2, 21, 2) or len(xy) < frames:
            raise MediaError(
                f"{file} has {xy.dtype} of shape {xy.shape}, expected (at least {frames}, 2, 21, 2) floats "
                f"to go with {INDEX}; take both files from the same copy"
            )
        return xy


def hands_clip(slots: NDArray[np.floating], id: str = "") -> PoseClip:
    """Hands in slots of detection order, (frames, 2, 21, 2) with NaN = not found, as a clip."""
    hands = assign_hands(slots.astype(np.float32)).reshape(len(slots), 42, 2)
    seen = np.isfinite(hands).all(axis=2)
    points = np.zeros((len(slots), 42, 3), np.float32)
    points[:, :, :2] = np.where(seen[:, :, None], hands, 0)
    return PoseClip(points, seen.astype(np.float32), FPS, HANDS42, id=id, origin=ORIGIN)


def splits_of(folder: str | os.PathLike[str], subset: str = "wlasl2000") -> list[str]:
    """The splits that a subset has. Raises MediaError where the folder holds something else."""
    return list(dict.fromkeys(row.split for row in _read_index(Path(folder), subset)))


def _read_index(folder: Path, subset: str) -> list[_Row]:
    file = folder / INDEX
    try:
        with open(file, encoding="utf-8", newline="") as text:
            return [
                _Row(
                    row["video_id"],
                    row["gloss"].lower(),
                    int(row["offset"]),
                    int(row["n_frames"]),
                    row[subset],
                )
                for row in csv.DictReader(text)
                if row[subset]
            ]
    except (OSError, KeyError, ValueError, TypeError, AttributeError, csv.Error) as error:
        raise MediaError(
            f"{file} cannot be read as the index of the WLASL hand clips "
            f"(video_id,gloss,…,n_frames,offset,{','.join(SUBSETS)}): {error!r}"
        ) from None
