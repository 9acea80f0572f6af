"""What was uploaded: known by its bytes, checked before any work, brought to one `.pose` file."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import LAYOUTS, Layout
from signloom.data.lips import Lips
from signloom.data.timing import Seconds
from signloom.errors import MediaError, OverLimitError, nearest
from signloom.extract import video
from signloom.pose.files import read_header, write_pose
from signloom.web.limits import Limits, Refusal

Kind = Literal["video", "pose", "frames"]
POSES = "clip.pose"
"""What a job's poses are called in its folder."""

ONE_AT_A_TIME = threading.Lock()
"""Extraction takes all cores."""


@dataclass(frozen=True)
class Media:
    """An upload that was checked. name: the user's; kind: what its bytes say it is."""

    name: str
    path: Path
    kind: Kind
    layout: Layout | None
    """None: that of the extractor."""
    simulated: bool
    duration: Seconds


def kind_of(head: bytes) -> Kind | None:
    """What a file is, by its first bytes (64 will do); None for what is not taken.

    >>> kind_of(b"GIF89a")
    'video'
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "video"
    if head[:4] in (b"\x1aE\xdf\xa3", b"GIF8") or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "video"
    if head[:1] == b"G" and len(head) > 12:  # an MPEG transport stream: packets begin with a G
        return "video"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        return "frames"
    if len(head) >= 12:
        version = struct.unpack("<f", head[:4])[0]
        if head[:4] == bytes(4) or abs(version - 0.1) < 1e-4 or abs(version - 0.2) < 1e-4:
            return "pose"
    return None


def checked(path: Path, name: str, limits: Limits) -> Media:
    """What is in an uploaded file; frames written as JSON become a `.pose` file beside it.

    Raises Refusal: 415 for what is neither video nor poses, 413 for what is too long or large, and
    SignloomError for what is damaged.
    """
    with path.open("rb") as file:
        kind = kind_of(file.read(64))
    if kind is None:
        raise Refusal(
            415,
            "unsupported",
            f"{name} is no recording that is read here, expected a video (mp4, mov, webm, mkv, avi, "
            "gif), a .pose file, or skeleton frames as a JSON object",
        )
    if kind == "video":
        info = video.probe(path, video_limits(limits))
        return Media(name, path, kind, None, False, info.duration)
    if kind == "frames":
        if path.stat().st_size > limits.json_bytes:
            raise OverLimitError(
                f"{name} has {path.stat().st_size:,} bytes of JSON, expected at most "
                f"{limits.json_bytes:,}; send a .pose file, which is a tenth of it"
            )
        clip = read_frames(path.read_bytes(), name, limits)
        poses = path.with_name(POSES)
        write_pose(clip, poses)
        return Media(name, poses, kind, clip.layout, clip.simulated, clip.duration)
    header = read_header(path)
    if header.duration > limits.seconds:
        raise OverLimitError(_too_long(name, header.duration, limits))
    return Media(name, path, kind, header.layout, header.origin.simulated, header.duration)


def video_limits(limits: Limits) -> video.Limits:
    """The server's limits as those of the process that decodes."""
    usual = video.Limits()
    frames = max(usual.frames, round(limits.seconds * 120))
    return replace(usual, seconds=limits.seconds, pixels=limits.pixels, frames=frames)


def _too_long(name: str, seconds: Seconds, limits: Limits) -> str:
    return f"{name} is too long: {seconds:.0f} s, expected at most {limits.seconds:.0f} s; cut it"


def read_frames(data: bytes, name: str, limits: Limits = Limits()) -> PoseClip:
    """Skeleton frames written as JSON, as a clip.

    The object has "layout" (a name), "fps", "points" (frames × keypoints × 2 or 3, null for a
    missing keypoint), and may have "confidence" (frames × keypoints), "size" ([width, height]),
    "id" and "origin" ({"extractor", "version", "settings"}).
    Raises MediaError where it is otherwise, OverLimitError where it is too long.
    """
    expected = 'expected {"layout": "ps76", "fps": 25, "points": [[[x, y, z], …], …]}'
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{name} is not JSON ({error}); {expected}") from None
    if not isinstance(said, dict):
        raise MediaError(f"{name} is no JSON object; {expected}")
    layout = LAYOUTS.get(str(said.get("layout")))
    if layout is None:
        known = tuple(LAYOUTS)
        raise MediaError(
            f"{name} has the layout '{said.get('layout')}'{nearest(str(said.get('layout')), known)}, "
            f"expected one of {', '.join(known)}"
        )
    fps = said.get("fps")
    if not isinstance(fps, int | float) or isinstance(fps, bool) or not 1 <= fps <= 1000:
        raise MediaError(f"{name} has fps {fps!r}, expected frames a second, 1 to 1000")
    points, seen = _array(said.get("points"), layout, name)
    if len(points) / fps > limits.seconds:
        raise OverLimitError(_too_long(name, len(points) / fps, limits))
    confidence = seen.astype(np.float32)
    if said.get("confidence") is not None:
        confidence *= _numbers(said["confidence"], confidence.shape, name, "confidence")
    origin = said.get("origin")
    try:
        made = Origin.from_json(origin if isinstance(origin, dict) else {})
        wide, high = (int(value) for value in said.get("size", (1, 1)))
    except (TypeError, ValueError, OverflowError):
        raise MediaError(
            f"{name} has 'origin' or 'size' that cannot be read; leave them out, or give "
            '{"extractor": …} and [width, height]'
        ) from None
    id = str(said.get("id", "")) or Path(name).stem
    size = (min(max(wide, 1), 65535), min(max(high, 1), 65535))
    return PoseClip(points, confidence, float(fps), layout, id, made, size)


def _array(value: Any, layout: Layout, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (frames, keypoints, 3) and whether each is there (frames, keypoints)."""
    expected = f"{name}: points are not frames × {len(layout)} keypoints × 2 or 3 numbers"
    if not isinstance(value, list) or not value:
        raise MediaError(f"{expected}, got {'none' if not value else type(value).__name__}")
    gone = [np.nan] * 3
    try:
        rows = [[gone if point is None else [*point, 0.0][:3] for point in row] for row in value]
        with np.errstate(over="ignore"):  # beyond float32: as good as missing
            points = np.array(rows, np.float32)
    except (TypeError, ValueError, OverflowError):
        raise MediaError(
            f"{expected}; give every frame all keypoints, null where missing"
        ) from None
    if points.shape[1:] != (len(layout), 3):
        raise MediaError(f"{expected} of layout '{layout.name}', got {points.shape}")
    seen = np.asarray(np.isfinite(points).all(axis=2))
    points[~seen] = 0
    return points, seen


def _numbers(value: Any, shape: tuple[int, ...], name: str, what: str) -> np.ndarray:
    try:
        numbers = np.array(value, np.float32)
    except (TypeError, ValueError, OverflowError):
        numbers = np.zeros(0, np.float32)
    if numbers.shape != shape:
        raise MediaError(f"{name}: {what} is not {shape[0]} × {shape[1]} numbers, as points are")
    return numbers


def poses_of(
    media: Media,
    limits: Limits,
    say: Callable[[str, int, int], None],
    signer_box: str | None = None,
    lips: bool = False,
) -> tuple[Path, Lips | None]:
    """The `.pose` file of what was uploaded; a video is extracted to it and then deleted.

    say: hears (stage, frames done, frames in all); what it raises ends the extraction.
    Raises MediaError where nobody is found.
    """
    from signloom.extract.extraction import WHOLE_PICTURE, extract_clips, parse_box
    from signloom.extract.process import cores

    if media.kind != "video":
        return media.path, None
    box = WHOLE_PICTURE if signer_box is None else parse_box(signer_box)
    say("wait", 0, 0)
    while not ONE_AT_A_TIME.acquire(timeout=0.2):
        say("wait", 0, 0)
    try:
        say("extract", 0, 0)
        (made,) = extract_clips(
            [media.path],
            signer_box=box,
            jobs=len(cores()),
            limits=video_limits(limits),
            progress=lambda done, total: say("extract", done, total),
            lips=lips,
        )
    finally:
        ONE_AT_A_TIME.release()
        media.path.unlink(missing_ok=True)
    if made.error is not None:
        raise made.error
    assert made.clip is not None
    poses = media.path.with_name(POSES)
    write_pose(replace(made.clip, id=Path(media.name).stem), poses)
    return poses, made.lips
