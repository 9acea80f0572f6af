"""Subtitle files: read, given new times and nothing else, or written anew.

``retimed`` splices times into the text that was read, in the style in which the old
ones were written; every other byte is the file's own. In EAF and TextGrid, where
annotations are a record of work, it adds a tier ``signloom`` beside the one read.

==========  ======================  ==========================================
format      endings                 new times
==========  ======================  ==========================================
vtt         .vtt                    in place; inner timestamps move linearly
srt         .srt                    in place
ass         .ass .ssa               in place; karaoke counts from the start, so it moves along
ttml        .ttml .dfxp .xml        in place; times inside a <p> count from its start
json        .json                   in place
eaf         .eaf                    a new tier; the old one stays
textgrid    .TextGrid               a new tier; the old one stays
==========  ======================  ==========================================
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.errors import SubtitleError, UsageError
from signloom.text.formats import ass, eaf, json_cues, srt, textgrid, ttml, vtt
from signloom.text.formats.parsed import Format, Parsed, Reading
from signloom.text.formats.source import MOST_BYTES, MOST_CUES, decode

__all__ = [
    "FORMATS",
    "MOST_BYTES",
    "MOST_CUES",
    "SUFFIXES",
    "Subtitles",
    "compose",
    "format_of",
    "parse_subtitles",
    "read_subtitles",
    "retimed",
    "write_retimed",
]

_FORMATS: Mapping[str, Format] = {
    "vtt": vtt.FORMAT,
    "srt": srt.FORMAT,
    "eaf": eaf.FORMAT,
    "ass": ass.FORMAT,
    "ttml": ttml.FORMAT,
    "textgrid": textgrid.FORMAT,
    "json": json_cues.FORMAT,
}
FORMATS: tuple[str, ...] = tuple(_FORMATS)
SUFFIXES: Mapping[str, str] = {
    ".vtt": "vtt",
    ".srt": "srt",
    ".eaf": "eaf",
    ".ass": "ass",
    ".ssa": "ass",
    ".ttml": "ttml",
    ".dfxp": "ttml",
    ".xml": "ttml",
    ".TextGrid": "textgrid",
    ".json": "json",
}


@dataclass(frozen=True)
class Subtitles:
    """A subtitle file as read: its cues in the file's order, in seconds as the file says.

    Cue texts are plain (no tags, escapes resolved, lines joined by LF); cues without
    text are among them. A cue that ends before it starts has the span (start, start).
    notices: oddities, each naming its line or cue.
    """

    format: str
    cues: tuple[Cue, ...]
    notices: tuple[str, ...]
    _parsed: Parsed = field(repr=False, compare=False)


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a file's ending names. Raises SubtitleError for an unknown one."""
    suffix = Path(path).suffix
    known = {ending.lower(): format for ending, format in SUFFIXES.items()}
    if suffix.lower() not in known:
        raise SubtitleError(
            f"{path} has the ending '{suffix}', expected one of {', '.join(SUFFIXES)}"
        )
    return known[suffix.lower()]


def read_subtitles(
    path: str | os.PathLike[str], *, tier: str | None = None, fps: float = 25.0
) -> Subtitles:
    """The subtitles in a file; its ending names the format, its content must agree.

    tier: which tier of an EAF or TextGrid file holds them. fps: frames in a second
    where times are HH:MM:SS:FF and the file does not say.

    Raises SubtitleError where the file is missing or cannot be read, naming the line.
    """
    format = format_of(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SubtitleError(
            f"the subtitles {path} cannot be read: {error.strerror or error}"
        ) from None
    return parse_subtitles(data, format, os.fspath(path), tier=tier, fps=fps)


def parse_subtitles(
    data: bytes, format: str, name: str = "", *, tier: str | None = None, fps: float = 25.0
) -> Subtitles:
    """The subtitles in the bytes of a file; ``name`` is what errors call it.

    Raises SubtitleError, and UsageError for an unknown format or a tier where there are none.
    """
    how = _format(format)
    name = name or f"the {format} subtitles"
    if not 1 <= fps <= 1000:
        raise UsageError(f"fps is {fps:g}, expected the frames in a second, 1 to 1000")
    if tier is not None and not how.tiers:
        raise UsageError(
            f"{name} is {format}, which has no tiers; leave out tier '{tier}' or give an EAF or "
            "TextGrid file"
        )
    source, notices = decode(data, name, how.markup)
    reading = Reading(source)
    more = how.parse(source, reading, tier, fps)
    parsed = reading.done(notices, more)
    return Subtitles(format, parsed.cues, parsed.notices, parsed)


def retimed(
    subtitles: Subtitles,
    spans: Sequence[Span | None],
    marks: Mapping[int, str] | None = None,
) -> bytes:
    """The same file with new times, one span (seconds) per cue; None leaves a cue as it is.

    A time is rounded to the precision of the one it replaces, halves up; a span that is
    not empty stays at least one step long. A time before 0 is written as 0 unless the
    one it replaces was negative. In EAF and TextGrid a new tier is added instead, with
    overlaps cut, and None repeats the cue's old times there.

    marks: a remark before some cues, by index from 0; one line, its blanks joined. It becomes
    a NOTE block in WebVTT and a Comment event in ASS, which players pass over; the other
    formats have no such place and ignore marks.
    """
    if len(spans) != len(subtitles.cues):
        raise ValueError(
            f"{len(spans)} spans for {len(subtitles.cues)} cues; give one for each, or None"
        )
    beyond = [k for k in marks or () if not 0 <= k < len(spans)]
    if beyond:
        raise ValueError(f"a mark for cue index {beyond[0]} of {len(spans)}; indices are from 0")
    how = _format(subtitles.format)
    if marks and how.marked is not None:
        text = how.marked(subtitles._parsed, spans, marks)
        return subtitles._parsed.source.encoded(text)
    if all(span is None for span in spans):
        return subtitles._parsed.source.encoded(subtitles._parsed.source.text)
    return subtitles._parsed.source.encoded(how.retimed(subtitles._parsed, spans))


def compose(cues: Sequence[Cue], format: str) -> bytes:
    """A fresh file in a format, UTF-8, the same bytes for the same cues; a time before 0 is 0.

    Texts are written as plain text. Raises UsageError for an unknown format.
    """
    return _format(format).compose(cues).encode("utf-8")


def write_retimed(
    subtitles: Subtitles,
    spans: Sequence[Span | None],
    path: str | os.PathLike[str],
    overwrite: bool = False,
    marks: Mapping[int, str] | None = None,
) -> None:
    """Writes the subtitles with new times; another ending than the file had converts it.

    The same format keeps everything but the times; another one gets the plain texts.
    marks: a remark before some cues, by index from 0, in WebVTT and ASS alone: see ``retimed``.
    Raises UsageError if ``path`` exists and ``overwrite`` is off, SubtitleError for an
    unknown ending.
    """
    format = format_of(path)
    data = retimed(subtitles, spans, marks)
    if format != subtitles.format:
        cues = [
            cue if span is None else replace(cue, span=span)
            for cue, span in zip(subtitles.cues, spans, strict=True)
        ]
        data = compose(cues, format)
        if marks:
            data = retimed(parse_subtitles(data, format), [None] * len(cues), marks)
    with writing(path, overwrite) as temporary:
        temporary.write_bytes(data)


def _format(name: str) -> Format:
    if name not in _FORMATS:
        raise UsageError(f"unknown subtitle format '{name}', expected one of {', '.join(FORMATS)}")
    return _FORMATS[name]
