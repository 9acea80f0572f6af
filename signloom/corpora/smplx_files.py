"""One motion a file: an .npz of SMPL-X parameters or of joints, as a clip of joints in space.

    'smplx'     (frames, 182) parameters (``pose.motion623.forward``), with jaw and expression (layout
                ``smplx57``), or
    'joints'    (frames, 52, 3) metres, x right, y down, z away from the camera (layout ``smplx52``);
                beside 'smplx' they stand for those of the neutral skeleton, and the face stays;
    'fps'       frames a second, 25 where it is not said.

Arrays of objects are refused: they would be pickles.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.corpora.arrays import read_arrays
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import SMPLX52, SMPLX57
from signloom.errors import MediaError, UsageError
from signloom.pose.motion623 import face, forward

PARAMETERS, JOINTS, RATE = "smplx", "joints", "fps"
RATES = (1, 1000)
"""Frames a second, least and most; another rate is a wrong number."""
MOST_SKIPPED = 1000
"""Frames between two fits; more is a wrong number."""


def read_motion(path: str | os.PathLike[str]) -> PoseClip:
    """The motion of a file. Raises MediaError where it holds none, naming the first value that is no number."""
    file = Path(path)
    held = read_arrays(file, (), "a motion", or_not=(PARAMETERS, JOINTS, RATE))
    try:
        return _motion(held, file.stem)
    except UsageError as error:
        raise MediaError(
            f"{file} holds no motion: {error}; expected '{PARAMETERS}' (frames, 182) or '{JOINTS}' "
            "(frames, 52, 3)"
        ) from None


def _motion(held: Mapping[str, NDArray], name: str) -> PoseClip:
    fps = _rate(held)
    given = numbers(held, JOINTS) if JOINTS in held else None
    if given is not None and given.shape[1:] != (len(SMPLX52), 3):
        raise UsageError(f"its joints have shape {given.shape}, expected (frames, 52, 3)")
    if PARAMETERS in held:
        fits = numbers(held, PARAMETERS)
        points, _ = forward(fits, camera=False)
        if given is not None and len(given) != len(points):
            raise UsageError(
                f"its '{JOINTS}' are {len(given)} frames and its '{PARAMETERS}' {len(points)}"
            )
        points = points if given is None else given
        points, layout = np.concatenate([points, faces(fits)], 1), SMPLX57
    elif given is not None:
        points, layout = given, SMPLX52
    else:
        raise UsageError(f"it holds neither '{PARAMETERS}' nor '{JOINTS}'")
    with np.errstate(over="ignore"):
        placed = points.astype(np.float32)
    if not len(placed) or not np.isfinite(placed).all():
        raise UsageError(
            f"it has {len(placed)} frames at {fps:g} fps, of which "
            f"{int((~np.isfinite(placed).all(axis=(1, 2))).sum())} have joints that are no numbers"
        )
    seen = np.ones(placed.shape[:2], np.float32)
    made = "neutral skeleton" if given is None else "given joints"
    origin = Origin("smplx", "", {"points": made})
    return PoseClip(placed, seen, fps, layout, id=name, origin=origin)


def _rate(held: Mapping[str, NDArray]) -> float:
    if RATE not in held:
        return 25.0
    said = numbers({RATE: np.atleast_1d(held[RATE])}, RATE)
    if said.size != 1 or not RATES[0] <= said.item() <= RATES[1]:
        raise UsageError(
            f"its '{RATE}' is {said.tolist()}, expected one number of {RATES[0]} to {RATES[1]}"
        )
    return float(said.item())


def numbers(held: Mapping[str, Any], name: str) -> NDArray[Any]:
    """What is held under a name. Raises UsageError where it is no array of numbers."""
    found = np.asarray(held[name])
    if found.dtype.kind not in "fiub" or not found.ndim:
        raise UsageError(f"'{name}' is no array of numbers")
    return found


def faces(fits: NDArray) -> NDArray[np.float64]:
    """(frames, 5, 3) what ``smplx57`` has of a face."""
    numbers = face(fits)
    return np.pad(numbers, ((0, 0), (0, 15 - numbers.shape[1]))).reshape(-1, 5, 3)


def fitted(
    fits: NDArray, at: NDArray[np.int64], valid: NDArray[np.bool_], fps: float, corpus: str
) -> PoseClip:
    """A corpus's fits as joints in space and faces (``smplx57``), each at its frame of the video.

    fits: (rows, 182). at: (rows,) frames, counted from the first row's. valid: (rows, 2), whether the
    left and the right hand were found; else their joints are not seen.

    Raises UsageError for parameters that are none (``forward``), and frames that do not rise.
    """
    steps = np.diff(at)
    if (steps < 1).any() or (steps > MOST_SKIPPED).any():
        raise UsageError(f"its frame numbers do not rise by 1 to {MOST_SKIPPED}")
    found, _ = forward(fits, camera=False)
    at = at - at.min(initial=at[0] if len(at) else 0)
    points = np.zeros((int(at[-1]) + 1 if len(at) else 0, len(SMPLX57), 3), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    points[at] = np.concatenate([found, faces(fits)], 1)
    confidence[at] = 1
    for side, part in enumerate(("left_hand", "right_hand")):
        confidence[np.ix_(at[~valid[:, side]], SMPLX57.part(part))] = 0
    origin = Origin("smplx", "", {"corpus": corpus, "points": "neutral skeleton"})
    return PoseClip(points, confidence, fps, SMPLX57, origin=origin)
