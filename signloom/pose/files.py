"""`.pose` files: versions 0.0, 0.1 and 0.2 in, 0.2 out; whole, or only the bytes of a span.

A file is checked (see pose/header.py) before any memory is taken for it. A header is
written by pose-format, and 0.0 is read by it; the body of 0.1 and 0.2 is two plain
arrays, whose frames are written and read in place: pose-format 0.15 returns other
frames for a slice that starts less than its read-ahead into the body.

Where a clip comes from is written after the body, as a trailer that other
readers do not look at: b"signloom", the length of what follows (uint32, little
endian), and ASCII JSON {"id", "layout", "extractor", "version", "settings"}. A
component without points in the header was tried first; it breaks pose-format's
drawing and its bounding boxes.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin, PoseClip
from signloom.data.files import writing
from signloom.data.layouts import LAYOUTS, Layout
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.header import Header, check_header

MAGIC = b"signloom"
LONGEST_TRAILER = 1 << 20


@dataclass(frozen=True)
class PoseHeaderInfo:
    """What a `.pose` file says of itself, without its points."""

    layout: Layout
    fps: float
    frames: int
    size: tuple[int, int]
    version: str
    origin: Origin
    people: int
    id: str

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.fps


def read_header(path: str | os.PathLike[str]) -> PoseHeaderInfo:
    """The header of a `.pose` file, checked against the file's size. Raises MediaError."""
    with _opened(path) as file:
        header = check_header(file, Path(path))
        said = _trailer(file, header)
    return PoseHeaderInfo(
        _layout(header, said),
        header.fps,
        header.frames,
        header.size,
        f"{header.version:.1f}",
        Origin.from_json(said),
        header.people,
        str(said.get("id", "")),
    )


def read_pose(path: str | os.PathLike[str], span: Span | None = None) -> PoseClip:
    """The clip in a `.pose` file, or the frames of it inside ``span`` (seconds).

    Points are in the units of the file (pixels). Of several people the one with
    the largest sum of confidence (over the whole file) is taken, and
    ``origin.settings`` gets "person" and "people"; version 0.0 gives the first
    person of each frame. What a file masks or leaves NaN has confidence 0. A clip
    without an id of its own is called after the file.

    Raises MediaError where the file is not a `.pose` file or is damaged.
    """
    with _opened(path) as file:
        header = check_header(file, Path(path))
        said = _trailer(file, header)
        first, last = (0, header.frames)
        if span is not None:
            first, last = span.frames(header.fps, total=header.frames)
        if header.version < 0.05:
            points, confidence = _read_first_version(file, first, last)
            person = 0
        else:
            person = _clearest(file, header)
            points, confidence = _read_frames(file, header, first, last, person)
    return _clip(path, header, said, points, confidence, person)


def _clip(
    path: str | os.PathLike[str],
    header: Header,
    said: dict[str, Any],
    points: NDArray[np.float32],
    confidence: NDArray[np.float32],
    person: int,
) -> PoseClip:
    origin = Origin.from_json(said)
    if header.people > 1:
        settings = {**origin.settings, "person": person, "people": header.people}
        origin = Origin(origin.extractor, origin.version, settings)
    if header.dims != 3:
        flat = np.zeros((*points.shape[:2], 3), np.float32)
        flat[:, :, :2] = points
        points = flat
    identity = str(said.get("id", "")) or Path(path).stem
    return PoseClip(
        points, confidence, header.fps, _layout(header, said), identity, origin, header.size
    )


def read_slices(path: str | os.PathLike[str], seconds: float = 60.0) -> Iterator[PoseClip]:
    """The clip in a `.pose` file as clips of ``seconds`` each, in order; only one is held at a time.

    Together they are what ``read_pose`` returns. Version 0.0 is read whole. Raises MediaError.
    """
    with _opened(path) as file:
        header = check_header(file, Path(path))
        said = _trailer(file, header)
        if header.version < 0.05:
            yield read_pose(path)
            return
        person = _clearest(file, header)
        step = max(round(seconds * header.fps), 1)
        for first in range(0, header.frames, step):
            last = min(first + step, header.frames)
            points, confidence = _read_frames(file, header, first, last, person)
            yield _clip(path, header, said, points, confidence, person)


def write_pose(clip: PoseClip, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Writes a `.pose` file, version 0.2; float32 values, rate, layout and origin come back as they were.

    A layout without depth is written in x and y. Width and height are rounded up
    to whole units, at most 65535.

    Raises UsageError if ``path`` exists and ``overwrite`` is off, or the clip has no frames.
    """
    if not len(clip):
        raise UsageError(
            f"clip '{clip.id}' has no frames, so {path} is not written; give a longer span"
        )
    write_pose_slices([clip], len(clip), path, overwrite)


def write_pose_slices(
    slices: Iterable[PoseClip], frames: int, path: str | os.PathLike[str], overwrite: bool = False
) -> None:
    """Writes the file that ``write_pose`` writes of the slices joined, one slice in memory at a time.

    slices: consecutive stretches of one clip, ``frames`` frames in all; the first says what
    the clip is called, who made it, and its layout, rate and size.

    Raises UsageError if ``path`` exists and ``overwrite`` is off, if there is no frame, or if
    the slices hold another number of frames or are of different layouts or rates.
    """
    first: PoseClip | None = None
    done = 0
    with writing(path, overwrite) as temporary, temporary.open("wb") as file:
        for clip in slices:
            if first is None:
                first, opening, dims = clip, _opening(clip, frames), _dims(clip.layout)
                file.write(opening)
            if (clip.layout, clip.fps) != (first.layout, first.fps):
                raise UsageError(
                    f"slices of clip '{first.id}' differ: layout '{clip.layout.name}' at "
                    f"{clip.fps:g} frames a second after '{first.layout.name}' at {first.fps:g}; "
                    "give stretches of one clip"
                )
            if done + len(clip) <= frames:
                keypoints = len(clip.layout)
                file.seek(len(opening) + 4 * done * keypoints * dims)
                file.write(clip.points[:, :, :dims].astype("<f4").tobytes())
                file.seek(len(opening) + 4 * (frames * dims + done) * keypoints)
                file.write(clip.confidence.astype("<f4").tobytes())
            done += len(clip)
        if first is None or done != frames or not done:
            raise UsageError(
                f"slices of {done} frames were given for {path}, expected {frames} and at least "
                "one; pass the number of frames that they hold"
            )
        said = {"id": first.id, "layout": first.layout.name, **first.origin.to_json()}
        text = json.dumps(said, sort_keys=True).encode("ascii")
        file.seek(len(opening) + 4 * frames * len(first.layout) * (dims + 1))
        file.write(MAGIC + struct.pack("<I", len(text)) + text)


def _dims(layout: Layout) -> int:
    return 2 if layout.depth == "none" else 3


def _opening(clip: PoseClip, frames: int) -> bytes:
    """The header, and what a body of version 0.2 begins with: rate, frames, people."""
    from pose_format.pose_header import PoseHeader, PoseHeaderDimensions

    width, height = (min(max(int(np.ceil(side)), 0), 65535) for side in clip.size)
    components = _components(clip.layout, _dims(clip.layout))
    buffer = io.BytesIO()
    PoseHeader(0.2, PoseHeaderDimensions(width, height, 0), components).write(buffer)
    return buffer.getvalue() + struct.pack("<fIH", clip.fps, frames, 1)


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return open(path, "rb")
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        said = error.strerror if isinstance(error, OSError) else error
        raise MediaError(
            f"{path} cannot be opened ({said}); expected a .pose file; check the path"
        ) from error


BLOCK = 4096
"""Frames whose confidence is held at once while the clearest person is looked for."""


def _read_array(
    file: BinaryIO, header: Header, start: int, first: int, last: int, width: int
) -> NDArray[np.float32]:
    """Frames [first, last) of the array (frames, people, width) that begins at byte ``start``."""
    file.seek(start + 4 * first * header.people * width)
    count = (last - first) * header.people * width
    data = np.frombuffer(file.read(4 * count), "<f4", count)
    return data.reshape(last - first, header.people, width).astype(np.float32)


def _confidence_at(header: Header) -> int:
    return header.body + 4 * header.frames * header.people * header.points * header.dims


def _clearest(file: BinaryIO, header: Header) -> int:
    """The person with the largest sum of confidence over the whole file."""
    if header.people <= 1:
        return 0
    sums = np.zeros(header.people)
    for first in range(0, header.frames, BLOCK):
        last = min(first + BLOCK, header.frames)
        block = _read_array(file, header, _confidence_at(header), first, last, header.points)
        sums += np.nan_to_num(block).sum(axis=(0, 2), dtype=np.float64)
    return int(sums.argmax())


def _read_frames(
    file: BinaryIO, header: Header, first: int, last: int, person: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Frames [first, last) of one person, read from the two arrays of the body."""
    width = header.points * header.dims
    points = _read_array(file, header, header.body, first, last, width)[:, person]
    confidence = _read_array(file, header, _confidence_at(header), first, last, header.points)
    return points.reshape(last - first, header.points, header.dims), confidence[:, person]


def _read_first_version(
    file: BinaryIO, first: int, last: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from pose_format import Pose

    file.seek(0)
    body = Pose.read(file.read()).body
    data = np.ma.filled(body.data[first:last, 0], 0).astype(np.float32)
    return data, np.ma.filled(body.confidence[first:last, 0], 0).astype(np.float32)


def _layout(header: Header, said: dict[str, Any]) -> Layout:
    """The layout of the file: the one it was written in, where names agree; else the header's."""
    known = LAYOUTS.get(str(said.get("layout", "")))
    if known is not None and known.keypoints == header.layout.keypoints:
        return known
    return header.layout


def _trailer(file: BinaryIO, header: Header) -> dict[str, Any]:
    """The JSON after the body; {} where there is none, or none that can be read."""
    if header.version < 0.15:
        return {}
    file.seek(header.end)
    start = file.read(len(MAGIC) + 4)
    if len(start) < len(MAGIC) + 4 or not start.startswith(MAGIC):
        return {}
    (length,) = struct.unpack_from("<I", start, len(MAGIC))
    if length > LONGEST_TRAILER:
        return {}
    try:
        said = json.loads(file.read(length))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) and isinstance(said.get("settings", {}), dict) else {}


def _components(layout: Layout, dims: int) -> list[Any]:
    """The header's components: runs of keypoints of one component, with the edges inside each."""
    from pose_format.pose_header import PoseHeaderComponent

    runs: list[tuple[str, int, list[str]]] = []
    for i, name in enumerate(layout.keypoints):
        component, _, point = name.partition(":")
        if not runs or runs[-1][0] != component:
            runs.append((component, i, []))
        runs[-1][2].append(point)
    made = []
    for component, start, points in runs:
        inside = range(start, start + len(points))
        limbs = [(a - start, b - start) for a, b in layout.edges if a in inside and b in inside]
        colors = [(0, 128, 255)] * len(limbs)
        made.append(PoseHeaderComponent(component, points, limbs, colors, "XYZ"[:dims] + "C"))
    return made
