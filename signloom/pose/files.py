"""`.pose` files: versions 0.0, 0.1 and 0.2 in, 0.2 out; whole, or only the bytes of a span.

A file is checked (see pose/header.py) before any memory is taken for it. Writing
is pose-format's, and so is reading 0.0; of 0.1 and 0.2, whose body is two plain
arrays, the wanted frames are read in place: pose-format 0.15 returns other
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
            points, confidence, person = _read_first_version(file, first, last)
        else:
            points, confidence, person = _read_arrays(file, header, first, last)
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


def write_pose(clip: PoseClip, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Writes a `.pose` file, version 0.2; float32 values, rate, layout and origin come back as they were.

    A layout without depth is written in x and y. Width and height are rounded up
    to whole units, at most 65535.

    Raises UsageError if ``path`` exists and ``overwrite`` is off, or the clip has no frames.
    """
    from pose_format import Pose
    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderDimensions

    if not len(clip):
        raise UsageError(
            f"clip '{clip.id}' has no frames, so {path} is not written; give a longer span"
        )
    dims = 2 if clip.layout.depth == "none" else 3
    width, height = (min(max(int(np.ceil(side)), 0), 65535) for side in clip.size)
    header = PoseHeader(0.2, PoseHeaderDimensions(width, height, 0), _components(clip.layout, dims))
    body = NumPyPoseBody(clip.fps, clip.points[:, None, :, :dims], clip.confidence[:, None])
    buffer = io.BytesIO()
    Pose(header, body).write(buffer)
    said = {"id": clip.id, "layout": clip.layout.name, **clip.origin.to_json()}
    text = json.dumps(said, sort_keys=True).encode("ascii")
    with writing(path, overwrite) as temporary:
        temporary.write_bytes(buffer.getvalue() + MAGIC + struct.pack("<I", len(text)) + text)


def _opened(path: str | os.PathLike[str]) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise MediaError(
            f"{path} cannot be opened ({error.strerror}); expected a .pose file; check the path"
        ) from error


def _read_arrays(
    file: BinaryIO, header: Header, first: int, last: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    """Frames [first, last) of the clearest person, read from the two arrays of the body."""
    people, points, dims = header.people, header.points, header.dims

    def read(start: int, first: int, last: int, width: int) -> NDArray[np.float32]:
        file.seek(start + 4 * first * people * width)
        count = (last - first) * people * width
        data = np.frombuffer(file.read(4 * count), "<f4", count)
        return data.reshape(last - first, people, width).astype(np.float32)

    confidence_at = header.body + 4 * header.frames * people * points * dims
    person = 0
    if people > 1:
        sums = np.nan_to_num(read(confidence_at, 0, header.frames, points)).sum(axis=(0, 2))
        person = int(sums.argmax())
    data = read(header.body, first, last, points * dims)[:, person]
    confidence = read(confidence_at, first, last, points)[:, person]
    return data.reshape(last - first, points, dims), confidence, person


def _read_first_version(
    file: BinaryIO, first: int, last: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:
    from pose_format import Pose

    file.seek(0)
    body = Pose.read(file.read()).body
    data = np.ma.filled(body.data[first:last, 0], 0).astype(np.float32)
    return data, np.ma.filled(body.confidence[first:last, 0], 0).astype(np.float32), 0


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
