"""The header of a `.pose` file, read with every length checked against what the file holds.

A damaged or hostile file ends in a MediaError after at most as much reading as
its header is long; no memory is taken for points before the sizes add up.
"""

from __future__ import annotations

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from signloom.data.layouts import Layout, layout_of
from signloom.errors import MediaError

LONGEST_HEADER = 1 << 22
MOST_POINTS = 1 << 14
"""4 MB and 16,384 points; the largest header known, Holistic with refined face, has 586 in 20 kB."""


@dataclass(frozen=True)
class Header:
    """A checked header.

    people, points, dims: the body is float32 (frames, people, points, dims), then
        confidence (frames, people, points); version 0.0 lists it frame by frame.
    body: where the points begin; end: where the body ends (bytes).
    size: width and height of the picture (pixels).
    """

    version: float
    layout: Layout
    size: tuple[int, int]
    fps: float
    frames: int
    people: int
    points: int
    dims: int
    body: int
    end: int


class _Short(Exception):
    """The data ends before what is asked of it."""


class _Reader:
    """Numbers and strings off the front of some bytes; raises _Short where they end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def unpack(self, form: str) -> tuple:
        size = struct.calcsize(form)
        if self.at + size > len(self.data):
            raise _Short
        values = struct.unpack_from(form, self.data, self.at)
        self.at += size
        return values

    def text(self) -> str:
        (length,) = self.unpack("<H")
        if self.at + length > len(self.data):
            raise _Short
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8")

    def skip(self, size: int) -> None:
        if self.at + size > len(self.data):
            raise _Short
        self.at += size


@dataclass(frozen=True)
class _Description:
    """The part of a header that many files share: what the points are."""

    layout: Layout
    formats: tuple[str, ...]
    counts: tuple[int, ...]
    length: int


def check_header(file: BinaryIO, path: Path) -> Header:
    """Reads and checks the header at the start of ``file``.

    Raises MediaError naming the file, what it has and what was expected.
    """
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise MediaError(f"{path} is empty; expected a .pose file; write it again")
    file.seek(0)
    start = file.read(12)
    version = struct.unpack("<f", start[:4])[0] if len(start) >= 12 else math.nan
    known = next((v for v in (0.0, 0.1, 0.2) if abs(version - v) <= 1e-4 * v), None)
    # Version 0.0 is four zero bytes, which any file of zeros has; its size tells more.
    if known is None:
        shown = start[:8].decode("ascii", "replace")
        raise MediaError(
            f"{path} is not a .pose file: it begins with {shown!r}; "
            "expected version 0.0, 0.1 or 0.2; give a file that pose-format or signloom wrote"
        )
    width, height, _ = struct.unpack_from("<3H", start, 4)
    try:
        described = _describe_from(file, min(size, LONGEST_HEADER))
    except _Short:
        raise MediaError(
            f"{path} is cut off or damaged: its {size} bytes end inside the header; "
            "expected a whole .pose file; copy or write it again"
        ) from None
    except ValueError as error:
        raise MediaError(
            f"{path} is damaged: its header cannot be read ({error}); "
            "expected components with named points; write it again"
        ) from error
    file.seek(described.length)
    return _check_body(file, path, known, (width, height), described, size)


_KNOWN: dict[bytes, _Description] = {}
"""The last few descriptions by their bytes: the files of a corpus share one. Lengths inside the
bytes say where they end, so a file that begins with them has that description and no other."""


def _describe_from(file: BinaryIO, size: int) -> _Description:
    """Reads as much as the header needs, a first guess of 32 kB being nearly always enough."""
    length = min(size, 1 << 15)
    while True:
        file.seek(10)
        data = file.read(length - 10)
        for known, described in tuple(_KNOWN.items()):
            if data.startswith(known):
                return described
        try:
            described = _describe(data)
        except _Short:
            if length >= size:
                raise
            length = min(size, length * 8)
            continue
        if len(_KNOWN) >= 8:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[data[: described.length - 10]] = described
        return described


def _describe(data: bytes) -> _Description:
    reader = _Reader(data)
    (count,) = reader.unpack("<H")
    components, formats, counts = [], [], []
    for _ in range(count):
        name, form = reader.text(), reader.text()
        points, limbs, colors = reader.unpack("<3H")
        names = [reader.text() for _ in range(points)]
        pairs = reader.unpack(f"<{2 * limbs}H")
        reader.skip(6 * colors)
        components.append((name, names, list(zip(pairs[::2], pairs[1::2], strict=True))))
        formats.append(form)
        counts.append(points)
    if not 0 < sum(counts) <= MOST_POINTS:
        raise ValueError(f"it names {sum(counts)} points, expected 1 to {MOST_POINTS}")
    odd = [form for form in formats if form not in ("XYC", "XYZC")]
    if odd:
        raise ValueError(f"it has points of format {odd[0][:20]!r}, expected 'XYC' or 'XYZC'")
    layout = layout_of(components, "relative" if "XYZC" in formats else "none")
    return _Description(layout, tuple(formats), tuple(counts), 10 + reader.at)


def _check_body(
    file: BinaryIO,
    path: Path,
    version: float,
    picture: tuple[int, int],
    described: _Description,
    size: int,
) -> Header:
    form = "<fIH" if version == 0.2 else "<3H" if version == 0.1 else "<2H"
    start = file.read(struct.calcsize(form))
    if len(start) < struct.calcsize(form):
        raise MediaError(
            f"{path} is cut off: its {size} bytes hold a header and no frames; "
            "expected a whole .pose file; copy or write it again"
        )
    fps, frames, *rest = struct.unpack(form, start)
    people = rest[0] if rest else 1
    body = described.length + len(start)
    dims = max(map(len, described.formats)) - 1
    points = sum(described.counts)
    if not (math.isfinite(fps) and 0 < fps <= 1e5):
        raise MediaError(
            f"{path} has {fps} frames a second; expected a number above 0; write it again"
        )
    whole = True
    a_frame = 4 * people * points * (dims + 1)
    if version == 0.1 and a_frame:
        # The count has 16 bits, and longer files were written all the same: their size tells.
        held = (size - body) // a_frame
        whole = held % 65536 == frames
        frames = held if whole else frames
    if not people or not frames:
        raise MediaError(
            f"{path} has {frames} frames of {people} people; expected someone in it; "
            "was anyone found in the video?"
        )
    if version == 0.0:
        # Its frames may be empty, and then take no bytes: memory is bounded apart from the size.
        absurd = 4 * frames * points * (dims + 1) > max(1 << 26, 16 * size)
        end = None if absurd or len(set(described.formats)) > 1 else _walk(file, frames, described)
    else:
        end = body + frames * a_frame if whole else None
    size_of_picture = (max(picture[0], 1), max(picture[1], 1))
    if end is None or end > size:
        raise MediaError(
            f"{path} is cut off or damaged: {frames} frames of {people} people, {points} points in "
            f"{dims} dimensions need {end or 'more'} bytes, it has {size}; copy or write it again"
        )
    return Header(
        version,
        described.layout,
        size_of_picture,
        float(fps),
        frames,
        people,
        points,
        dims,
        body,
        end,
    )


def _walk(file: BinaryIO, frames: int, described: _Description) -> int | None:
    """Where the body of a version 0.0 file ends, each frame naming its people; None if it is cut off."""
    person = 2 + 4 * sum(
        count * len(form) for count, form in zip(described.counts, described.formats, strict=True)
    )
    for _ in range(frames):
        head = file.read(2)
        if len(head) < 2:
            return None
        file.seek(struct.unpack("<H", head)[0] * person, os.SEEK_CUR)
    return file.tell()
