"""WebVTT (W3C, webvtt1): what its parser shows is a cue; all else is kept as it is.

Read like the standard's parser, with more patience: an arrow may stand without
spaces, decimals may follow a comma or be left out, a time may be negative. Inner
timestamps (<00:00:05.000>) move linearly with the cue: the share of the cue before
them stays the same.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError
from signloom.text.formats.parsed import (
    Edit,
    Format,
    Parsed,
    Reading,
    Stamp,
    one_line,
    printable,
    with_new_times,
)
from signloom.text.formats.source import Line, Source
from signloom.text.formats.times import (
    CLOCK_OR_TIMECODE,
    Clock,
    Style,
    Timecode,
    read_clock,
    read_timecode,
    written,
)

ARROW = "-->"
_SPACE = r"[^\S\r\n]*"
_TIME_LINE = re.compile(
    rf"{_SPACE}({CLOCK_OR_TIMECODE}){_SPACE}(-->|--[ ]>|-+>|[=–—]>)"
    rf"{_SPACE}({CLOCK_OR_TIMECODE})(?![^\s])"
)
_LOOKS_TIMED = re.compile(r"[0-9]\s?[:.,;]\s?[0-9]")
_TAG = re.compile(r"<[^>]*(?:>|\Z)")
_INNER = re.compile(rf"<({CLOCK_OR_TIMECODE})>")
_KEPT = ("NOTE", "STYLE", "REGION")


def time_line(reading: Reading, line: Line, fps: float) -> tuple[Stamp, Stamp] | None:
    """The two times of a line, or None where it is no time line."""
    found = _TIME_LINE.match(reading.source.text, line.start, line.end)
    if not found:
        return None
    start, end = (
        _stamp(reading, line, found.start(group), found.end(group), fps) for group in (1, 3)
    )
    if found.group(2) != ARROW:
        reading.notice(
            "odd arrow", f"line {line.number}: '{found.group(2)}' stands for '-->'; it is kept"
        )
    return start, end


def _stamp(reading: Reading, line: Line, start: int, end: int, fps: float) -> Stamp:
    text = reading.source.text[start:end]
    read: tuple[Fraction, Style] | None = read_clock(text)
    if read is None:
        frames = max(1, round(fps))
        read = read_timecode(text, Timecode(frames, Fraction(fps).limit_denominator(1001)))
        if read is None:
            raise reading.source.error(
                line.start,
                f"'{text}' has a frame that {fps:g} frames in a second do not have; "
                "give the frame rate of the file (fps)",
            )
        reading.notice(
            "frames", f"line {line.number}: '{text}' counts frames, read as {fps:g} in a second"
        )
    elif any(int(part) > 59 for part in re.split(r"[.,]", text)[0].split(":")[-2:]):
        reading.notice(
            "over 59", f"line {line.number}: '{text}' has more than 59 minutes or seconds"
        )
    return Stamp(start, end, read[1], read[0])


def looks_timed(text: str) -> bool:
    """Whether a line with an arrow was meant to give times."""
    return bool(_LOOKS_TIMED.search(text))


def unreadable(source: Source, line: Line) -> SubtitleError:
    """The error for a line whose arrow stands between no readable times."""
    shown = source.text[line.start : min(line.end, line.start + 80)].strip()
    return source.error(
        line.start,
        f"cannot read the times in '{shown}'; expected 'HH:MM:SS.mmm --> HH:MM:SS.mmm'; "
        "correct this line and try again",
    )


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> None:
    """Reads a WebVTT file. Raises SubtitleError."""
    lines = source.lines()
    at = _header(source, reading, lines)
    while at < len(lines):
        if lines[at].start == lines[at].end:
            at += 1
            continue
        at = _block(source, reading, lines, at, fps)


def _header(source: Source, reading: Reading, lines: list[Line]) -> int:
    at = 0
    while at < len(lines) and not source.text[lines[at].start : lines[at].end].strip():
        at += 1
    first = source.text[lines[at].start : lines[at].end]
    if first[:6] != "WEBVTT" or first[6:7] not in ("", " ", "\t"):
        raise SubtitleError(
            f"{source.name} is not WebVTT: line {at + 1} is '{first[:40]}', expected 'WEBVTT'; "
            "if it is another format, give it that format's ending (.srt for SubRip)"
        )
    if at:
        reading.notice("late header", f"line {at + 1}: blank lines stand before WEBVTT")
    while at < len(lines) and lines[at].start < lines[at].end:
        text = source.text[lines[at].start : lines[at].end]
        if ARROW in text:
            reading.notice(
                "no blank line", f"line {at + 1}: no blank line between the header and a cue"
            )
            break
        if text.startswith("X-TIMESTAMP-MAP"):
            reading.notice(
                "timestamp map",
                f"line {at + 1}: X-TIMESTAMP-MAP is kept; times are read as the cues give them",
            )
        at += 1
    return at


def _block(source: Source, reading: Reading, lines: list[Line], at: int, fps: float) -> int:
    """Reads the block that begins at line index ``at``; the index of the line after it."""
    text = source.text
    first = at
    kept = text[lines[at].start : lines[at].end].split(maxsplit=1)[:1]
    aside = bool(kept) and kept[0] in _KEPT
    stamps = None
    timed = at
    while at < len(lines) and lines[at].start < lines[at].end:
        line = lines[at]
        stamps = time_line(reading, line, fps)
        if stamps:
            timed = at
            break
        if ARROW in text[line.start : line.end]:
            if not aside:
                raise unreadable(source, line)
            reading.notice(
                "arrow aside",
                f"line {line.number}: an arrow without times in a {kept[0]} block; it is kept",
            )
        at += 1
    if stamps is None:
        if not aside:
            reading.notice(
                "no times",
                f"line {lines[first].number}: a block without a time line is no cue; it is kept",
            )
        return at
    if timed > first + 1:
        reading.notice(
            "lines before times",
            f"line {lines[first].number}: more than one line stands before the times of a cue",
        )
    if aside and timed > first:
        reading.notice(
            "cue aside",
            f"line {lines[timed].number}: times in a {kept[0]} block make it a cue to players",
        )
    above = text[lines[timed - 1].start : lines[timed - 1].end] if timed > first else ""
    id = "" if ARROW in above else above  # in a NOTE's text; no id has an arrow (webvtt1, 4.1)
    if "," in text[stamps[0].start : stamps[0].end] + text[stamps[1].start : stamps[1].end]:
        reading.notice(
            "comma", f"line {lines[timed].number}: a comma before the decimals, as in SubRip"
        )
    at = timed + 1
    while at < len(lines) and lines[at].start < lines[at].end:
        payload = text[lines[at].start : lines[at].end]
        if ARROW in payload:
            if time_line(Reading(source), lines[at], fps):
                reading.notice(
                    "no blank line", f"line {lines[at].number}: no blank line before this cue"
                )
                break
            if looks_timed(payload):
                raise unreadable(source, lines[at])
            reading.notice("arrow in text", f"line {lines[at].number}: an arrow inside a text")
        at += 1
    body = lines[timed + 1 : at]
    inner = tuple(
        _stamp(reading, line, found.start(1), found.end(1), fps)
        for line in body
        for found in _INNER.finditer(text, line.start, line.end)
    )
    reading.add(
        plain("\n".join(text[line.start : line.end] for line in body)),
        id,
        stamps[0],
        (stamps[1],),
        inner,
    )
    return at


def plain(text: str) -> str:
    """The text of a cue as it is shown: without tags, with & < > for their escapes."""
    return html.unescape(_TAG.sub("", text)).strip()


def one_paragraph(text: str) -> str:
    """A text as blocks can hold it: no blank line, no space at a line's end."""
    lines = (line.strip() for line in re.split(r"\r\n|\r|\n", printable(text)))
    return "\n".join(line for line in lines if line)


def compose(cues: Sequence[Cue]) -> str:
    """A WebVTT file: ids where a cue has one, times with hours and milliseconds."""
    blocks = ["WEBVTT\n"]
    for cue in cues:
        times = " --> ".join(written_pair(cue.span, Clock()))
        text = html.escape(one_paragraph(cue.text), quote=False)
        id = one_paragraph(cue.id)
        usable = id and "\n" not in id and ARROW not in id and id.split()[0] not in _KEPT
        blocks.append(f"\n{id}\n{times}\n{text}\n" if usable else f"\n{times}\n{text}\n")
        if not text:
            blocks[-1] = blocks[-1][:-1]
    return "".join(blocks)


def written_pair(span: Span, style: Style) -> tuple[str, str]:
    """Start and end in a style; a span that is not empty stays so."""
    start, after = written(style, span.start)
    return start, written(style, span.end, after if span.duration > 0 else None)[0]


def retimed(parsed: Parsed, spans: Sequence[Span | None]) -> str:
    """The file with new times."""
    return with_new_times(parsed, spans)


def marked(parsed: Parsed, spans: Sequence[Span | None], marks: Mapping[int, str]) -> str:
    """The file with new times, and a NOTE block before each cue that has a mark."""
    lines = parsed.source.lines()
    notes = [_note(parsed, lines, k, mark) for k, mark in marks.items()]
    return with_new_times(parsed, spans, notes)


def _note(parsed: Parsed, lines: Sequence[Line], index: int, mark: str) -> Edit:
    """The block, before the line of the cue's id where it has one; a blank line on both sides."""
    source, begin = parsed.source, parsed.timings[index].begin
    assert begin is not None
    at = source.line_at(begin.start) - (2 if parsed.cues[index].id else 1)
    place, above, line = lines[at].start, lines[at - 1], source.newline()
    apart = line if above.end > above.start else ""
    return place, place, f"{apart}NOTE {one_line(mark)}{line}{line}"


FORMAT = Format(parse, retimed, compose, marked=marked)
