"""One motion a file: an .npz of SMPL-X parameters or of joints, as a clip of joints in space.

    'smplx'     (frames, 182) parameters (``pose.motion623.forward``), or
    'joints'    (frames, 52, 3) metres, x right, y down, z away from the camera (layout ``smplx52``);
    'fps'       frames a second, 25 where it is not said.

Arrays of objects are refused: they would be pickles.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import SMPLX52
from signloom.errors import MediaError, UsageError
from signloom.pose.motion623 import forward

PARAMETERS, JOINTS, RATE = "smplx", "joints", "fps"


def read_motion(path: str | os.PathLike[str]) -> PoseClip:
    """The motion of a file. Raises MediaError where it holds none, naming the first value that is no number."""
    file = Path(path)
    try:
        with np.load(file, allow_pickle=False) as archive:
            held = {name: archive[name] for name in (PARAMETERS, JOINTS, RATE) if name in archive}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise MediaError(f"{file} is not a readable .npz: {error}") from None
    fps = float(held[RATE]) if RATE in held else 25.0
    try:
        if PARAMETERS in held:
            points, _ = forward(held[PARAMETERS], camera=False)
            made = "neutral skeleton"
        elif JOINTS in held:
            points, made = held[JOINTS], "given joints"
        else:
            raise UsageError(f"it holds neither '{PARAMETERS}' nor '{JOINTS}'")
        if points.ndim != 3 or points.shape[1:] != (len(SMPLX52), 3):
            raise UsageError(f"its joints have shape {points.shape}, expected (frames, 52, 3)")
        if not len(points) or not np.isfinite(points).all() or not fps > 0:
            raise UsageError(
                f"it has {len(points)} frames at {fps:g} fps, of which "
                f"{int((~np.isfinite(points).all(axis=(1, 2))).sum())} have joints that are no numbers"
            )
    except UsageError as error:
        raise MediaError(
            f"{file} holds no motion: {error}; expected '{PARAMETERS}' (frames, 182) or '{JOINTS}' "
            "(frames, 52, 3)"
        ) from None
    seen = np.ones(points.shape[:2], np.float32)
    origin = Origin("smplx", "", {"points": made})
    return PoseClip(points.astype(np.float32), seen, fps, SMPLX52, id=file.stem, origin=origin)
