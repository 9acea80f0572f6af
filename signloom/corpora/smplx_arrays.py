"""Clips fitted with SMPL-X, one behind another in one file of arrays, with a table of which rows are whose.

    pose.npz    'kp2d_x16' int16 (frames, 106, 2), pixels × 16; 'conf_u8' uint8 (frames, 106);
                'hand_valid' bool (frames, 2), left and right; 'frame_index' int32 (frames,);
                'smplx_f16' float16 (frames, 182), the parameters (``pose.motion623.forward``)
    index.csv   n_frames,offset and what the corpus says of each clip

Layout ``wlasl106``, or ``smplx57``: the parameters' joints on the neutral skeleton, in metres
before the camera, and jaw and expression, with confidence 1. conf_u8 / 255 is the confidence. Three things make it 0: a hand that the
fit calls not valid (its points are then guessed from the body), a coordinate at the end of int16,
and a frame that ``frame_index`` skips, in which nobody was fitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.corpora.arrays import read_arrays
from signloom.corpora.smplx_files import MOST_SKIPPED, fitted
from signloom.corpora.tables import number, read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import WLASL106
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError

ARRAYS, INDEX = "pose.npz", "index.csv"
PARAMETERS = "smplx_f16"
SHAPES = {"kp2d_x16": (106, 2), "conf_u8": (106,), "hand_valid": (2,), "frame_index": ()}


def fitted_rows(
    folder: Path, columns: Sequence[str], fps: float
) -> Iterator[tuple[str, dict[str, str], Span]]:
    """(where it stands, the row of the table, its frames in seconds) of each clip.

    Raises MediaError where the folder holds something else, or a row's frames are not there.
    """
    table, file = folder / INDEX, folder / ARRAYS
    rows = read_table(table, (*columns, "n_frames", "offset"), delimiter=",", quoted=True)
    total = len(_arrays(file)["kp2d_x16"])
    for line, row in rows:
        where = f"{table}, line {line}"
        first, frames = (int(number(where, row, column)) for column in ("offset", "n_frames"))
        if first < 0 or frames < 1 or first + frames > total:
            raise MediaError(
                f"{where}: {frames} frames from {first} on, but {file} has {total}; "
                "take both files from the same copy"
            )
        yield where, row, Span.of_frames(first, first + frames, fps)


def read_projected(
    path: Path, span: Span | None = None, *, fps: float, size: tuple[int, int], corpus: str
) -> PoseClip:
    """The clip that is a stretch (seconds) of the arrays in ``path``: points in pixels of pictures of ``size``.

    Skipped frames are put back, without points. Raises MediaError.
    """
    arrays, first, last, at = _stretch(path, span, fps)
    raw = arrays["kp2d_x16"][first:last]
    seen = arrays["conf_u8"][first:last].astype(np.float32) / 255
    ends = np.iinfo(np.int16)
    seen[((raw == ends.min) | (raw == ends.max)).any(axis=2)] = 0
    for side, part in enumerate(("left_hand", "right_hand")):
        gone = ~arrays["hand_valid"][first:last, side]
        seen[np.ix_(gone, WLASL106.part(part))] = 0
    points = np.zeros((int(at[-1]) + 1 if len(at) else 0, len(WLASL106), 3), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    points[at, :, :2] = raw.astype(np.float32) / 16
    confidence[at] = seen
    origin = Origin("smplx", "", {"corpus": corpus, "points": "projected"})
    return PoseClip(points, confidence, fps, WLASL106, origin=origin, size=size)


def read_joints(path: Path, span: Span | None = None, *, fps: float, corpus: str) -> PoseClip:
    """The same stretch as joints in space and faces. Raises MediaError, also for parameters that are no numbers."""
    arrays, first, last, at = _stretch(path, span, fps)
    valid = arrays["hand_valid"][first:last]
    try:
        return fitted(_parameters(path)[first:last], at, valid, fps, corpus)
    except (ValueError, UsageError) as error:
        raise MediaError(f"{path}: '{PARAMETERS}' cannot be read as fits: {error}") from None


def _stretch(
    path: Path, span: Span | None, fps: float
) -> tuple[dict[str, NDArray], int, int, NDArray[np.int64]]:
    """(the arrays, first and last row, each row's frame counted from the first). Raises MediaError."""
    arrays = _arrays(path)
    total = len(arrays["kp2d_x16"])
    first, last = (0, total) if span is None else span.frames(fps, total=total)
    at = arrays["frame_index"][first:last].astype(np.int64)
    at = at - at.min(initial=at[0] if len(at) else 0)
    steps = np.diff(at)
    if (steps < 1).any() or (steps > MOST_SKIPPED).any():
        raise MediaError(
            f"{path}: the frame numbers from row {first} to {last} do not rise by 1 to "
            f"{MOST_SKIPPED}; take index.csv and {path.name} from the same copy"
        )
    return arrays, first, last, at


@lru_cache(maxsize=1)
def _parameters(file: Path) -> NDArray:
    return read_arrays(file, (PARAMETERS,), "fits")[PARAMETERS]


@lru_cache(maxsize=1)
def _arrays(file: Path) -> dict[str, NDArray]:
    arrays = read_arrays(file, tuple(SHAPES), "fitted joints")
    frames = len(arrays["kp2d_x16"]) if arrays["kp2d_x16"].ndim else 0
    for name, shape in SHAPES.items():
        if arrays[name].shape != (frames, *shape) or arrays[name].dtype.kind not in "fiub":
            raise MediaError(
                f"{file} has {arrays[name].dtype} '{name}' of shape {arrays[name].shape}, expected "
                f"numbers {(frames, *shape)}; copy the file again"
            )
    arrays["hand_valid"] = arrays["hand_valid"].astype(bool)
    return arrays
