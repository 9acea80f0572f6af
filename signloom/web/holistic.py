"""MediaPipe Holistic for the page: the files of its npm package, from a folder of the user's."""

from __future__ import annotations

import json
from pathlib import Path

from signloom.errors import UsageError

VERSION = "0.5.1675471629"
"""The last that was published. The page calls a class below the one that the package documents."""
FILES = (
    "holistic.js",
    "holistic.binarypb",
    "holistic_solution_packed_assets.data",
    "holistic_solution_packed_assets_loader.js",
    "holistic_solution_simd_wasm_bin.data",
    "holistic_solution_simd_wasm_bin.js",
    "holistic_solution_simd_wasm_bin.wasm",
    "holistic_solution_wasm_bin.js",
    "holistic_solution_wasm_bin.wasm",
    "pose_landmark_full.tflite",
)
"""What is served of the folder, and nothing else."""


def checked_folder(folder: Path) -> Path:
    """A folder that holds the unpacked package. Raises UsageError."""
    how = (
        f"get it with `npm pack @mediapipe/holistic@{VERSION}`, unpack the file that this writes "
        "(tar xzf), and give the folder 'package' that comes of it"
    )
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise UsageError(
            f"--holistic {folder} has no {missing[0]}, expected the npm package "
            f"@mediapipe/holistic: {how}"
        )
    try:
        found = json.loads((folder / "package.json").read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        found = "unknown"
    if found != VERSION:
        raise UsageError(
            f"--holistic {folder} is version {found} of @mediapipe/holistic, expected {VERSION}: {how}"
        )
    return folder
