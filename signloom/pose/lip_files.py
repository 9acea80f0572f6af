"""Files of lips: what lies beside NAME.pose as NAME.lips.safetensors; whole, or the frames of a span.

A safetensors file, which other programs read too: ``frames`` uint8 (frames, 96, 96), ``present``
uint8 (frames,), 1 where the mouth was seen, and as metadata ``format`` "signloom-lips", ``version``,
``id``, ``fps`` and ``origin`` (JSON: extractor, version, settings). Its header is checked against the
file's size before any memory is taken, and nothing in it is executed. The rate is rounded to
32 bits, as a `.pose` file rounds it, so that one span takes the same frames of both.
"""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from signloom.data.clip import Origin
from signloom.data.files import writing
from signloom.data.lips import CROP, Lips
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.files import read_header

ENDING = ".lips.safetensors"
FORMAT, VERSION = "signloom-lips", 1
MOST = 216_000
"""Frames that are read at once: two hours at 30 a second, 2 GB."""


@dataclass(frozen=True)
class LipsHeader:
    """What a file of lips says of itself."""

    frames: int
    fps: float
    id: str
    origin: Origin


def beside(pose: Path) -> Path:
    """What the lips of a pose file are called."""
    return pose.with_suffix(ENDING)


def refuse_other(lips: Path, pose: Path) -> None:
    """Raises MediaError unless lips have a frame for each of a pose file's, at its rate."""
    mouths, clip = read_lips_header(lips), read_header(pose)
    if mouths.frames != clip.frames or abs(mouths.fps / clip.fps - 1) > 1e-3:
        raise MediaError(
            f"{lips} has {mouths.frames} mouth crops at {mouths.fps:g} fps but {pose} "
            f"{clip.frames} frames at {clip.fps:g}, expected one for each frame; extract both from "
            "the same video"
        )


def read_lips_header(path: str | os.PathLike[str]) -> LipsHeader:
    """The header of a file of lips. Raises MediaError where it is none or is damaged."""
    with _opened(path) as (_, header):
        return header


def read_lips(path: str | os.PathLike[str], span: Span | None = None) -> Lips:
    """The lips in a file, or the frames of them inside ``span`` (seconds), as `read_pose` takes them.

    Raises MediaError where the file is none of lips or is damaged, or more than MOST frames
    are asked for.
    """
    with _opened(path) as (file, header):
        first, last = (0, header.frames)
        if span is not None:
            first, last = span.frames(header.fps, total=header.frames)
        if last - first > MOST:
            raise MediaError(
                f"{path} holds {header.frames:,} mouth crops and {last - first:,} are asked for at "
                f"once, expected at most {MOST:,}; cut the clip and its lips, or read a stretch"
            )
        frames = np.zeros((0, CROP, CROP), np.uint8)
        present = np.zeros(0, np.uint8)
        if last > first:
            frames = file.get_slice("frames")[first:last]
            present = file.get_slice("present")[first:last]
    return Lips(frames, present != 0, header.fps, header.id, header.origin)


def write_lips(lips: Lips, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Writes a file of lips. Raises UsageError if it exists and ``overwrite`` is off."""
    write_lips_slices([lips], len(lips), path, overwrite)


def write_lips_slices(
    slices: Iterable[Lips], frames: int, path: str | os.PathLike[str], overwrite: bool = False
) -> None:
    """Writes the file that ``write_lips`` writes of the slices joined, one slice in memory at a time.

    slices: consecutive stretches of one clip's lips, ``frames`` frames in all.

    Raises UsageError if ``path`` exists and ``overwrite`` is off, or if the slices hold another
    number of frames, or none.
    """
    present: list[bytes] = []
    done = 0
    with writing(path, overwrite) as temporary, temporary.open("wb") as file:
        for lips in slices:
            if not done:
                file.write(_opening(lips, frames))
            file.write(lips.frames.tobytes())
            present.append(lips.present.astype(np.uint8).tobytes())
            done += len(lips)
        if done != frames or not done:
            raise UsageError(
                f"lips of {done} frames were given for {path}, expected {frames} and at least one; "
                "pass the number of frames that they hold"
            )
        file.write(b"".join(present))


def _opening(lips: Lips, frames: int) -> bytes:
    """The header of a safetensors file: its length (uint64), and JSON padded to eight bytes."""
    pixels = frames * CROP * CROP
    said = {
        "__metadata__": {
            "format": FORMAT,
            "version": str(VERSION),
            "id": lips.id,
            "fps": repr(float(np.float32(lips.fps))),
            "origin": json.dumps(lips.origin.to_json(), sort_keys=True),
        },
        "frames": {"dtype": "U8", "shape": [frames, CROP, CROP], "data_offsets": [0, pixels]},
        "present": {"dtype": "U8", "shape": [frames], "data_offsets": [pixels, pixels + frames]},
    }
    text = json.dumps(said).encode("ascii")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[Any, LipsHeader]]:
    try:
        with safe_open(path, "np") as file:
            yield file, _header(file)
    except OSError as error:
        raise MediaError(
            f"{path} cannot be opened ({error.strerror or error}); expected mouth crops, a file that "
            f"ends in {ENDING}; check the path"
        ) from error
    except (SafetensorError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise MediaError(
            f"{path} is damaged or holds no mouth crops ({error}), expected a file that `signloom "
            "extract --lips` wrote; make it again"
        ) from error


def _header(file: Any) -> LipsHeader:
    """Raises ValueError, TypeError or LookupError where the file holds no lips."""
    said = file.metadata() or {}
    if (said.get("format"), said.get("version")) != (FORMAT, str(VERSION)):
        raise ValueError(f"its metadata do not name {FORMAT}, version {VERSION}")
    pixels, present = (file.get_slice(name) for name in ("frames", "present"))
    shapes = pixels.get_shape(), present.get_shape()
    frames = shapes[1][0] if shapes[1] else 0
    if shapes != ([frames, CROP, CROP], [frames]) or {pixels.get_dtype(), present.get_dtype()} != {
        "U8"
    }:
        raise ValueError(
            f"frames {pixels.get_dtype()} {shapes[0]} and present {present.get_dtype()} {shapes[1]}, "
            f"expected U8 [frames, {CROP}, {CROP}] and U8 [frames]"
        )
    fps = float(said["fps"])
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"its rate is {fps}, expected a number above 0")
    return LipsHeader(frames, fps, said["id"], Origin.from_json(json.loads(said["origin"])))
