"""Advanced SubStation Alpha and its older form SSA: the Dialogue lines of [Events] are cues.

The Format line says in which columns Start and End stand. Comment lines, styles, fonts
and everything else are kept. Karaoke (\\k) counts from a line's start: it moves along
with it and is not stretched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
    spliced,
    time_edits,
    with_new_times,
)
from signloom.text.formats.source import Line, Source
from signloom.text.formats.times import Clock, read_clock
from signloom.text.formats.vtt import written_pair

_COLUMNS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect")
_SECTION = re.compile(r"\s*\[([^\[\]]{1,80})\]\s*\Z")
_ENTRY = re.compile(r"\s*(Format|Dialogue)\s*:\s?", re.I)
_OVERRIDES = re.compile(r"(?<!\\)\{([^{}]*)\}")
_DRAWING = re.compile(r"\\p([0-9])")
_ESCAPE = re.compile(r"\\([Nnh{}])")
_ESCAPED = {"N": "\n", "n": "\n", "h": " ", "{": "{", "}": "}"}
_HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,48,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,\
0,0,0,0,100,100,0,0,1,2,0,2,40,40,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> tuple[int, ...]:
    """Reads an ASS or SSA file; where the text of each cue begins. Raises SubtitleError."""
    section, columns, sections = "", None, 0
    texts: list[int] = []
    for line in source.lines():
        text = source.text[line.start : line.end]
        heading = _SECTION.match(text)
        if heading:
            section = heading.group(1).strip().lower()
            sections += 1
            continue
        entry = _ENTRY.match(text) if section == "events" else None
        if entry is None:
            continue
        if entry.group(1).lower() == "format":
            columns = tuple(name.strip().lower() for name in text[entry.end() :].split(","))
            if not {"start", "end"} <= set(columns) or columns[-1] != "text":
                raise source.error(
                    line.start,
                    f"the Format line names {', '.join(columns)[:200]}; expected Start and End "
                    "among them and Text as the last",
                )
            continue
        if columns is None:
            columns = (*_COLUMNS, "text")
            reading.notice(
                "no Format",
                f"line {line.number}: no Format line before the first Dialogue; the usual order "
                "of columns is assumed",
            )
        texts.append(_dialogue(source, reading, line, line.start + entry.end(), columns))
    if not sections:
        raise SubtitleError(
            f"{source.name} is not ASS or SSA: it has no section such as [Events]; "
            "give it the ending of the format it is in"
        )
    return tuple(texts)


def _dialogue(
    source: Source, reading: Reading, line: Line, start: int, columns: tuple[str, ...]
) -> int:
    """Adds the cue of a line; where its text begins."""
    fields = source.text[start : line.end].split(",", len(columns) - 1)
    if len(fields) < len(columns):
        raise source.error(
            line.start,
            f"this Dialogue has {len(fields)} columns, expected {len(columns)} "
            f"({', '.join(columns)[:200]}); correct this line and try again",
        )
    places = [start]
    for value in fields:
        places.append(places[-1] + len(value) + 1)
    begin, end = (
        _stamp(source, line, fields[at], places[at])
        for at in (columns.index("start"), columns.index("end"))
    )
    reading.add(plain(fields[-1]), "", begin, (end,))
    return places[-2]


def _stamp(source: Source, line: Line, value: str, place: int) -> Stamp:
    text = value.strip()
    read = read_clock(text)
    if read is None:
        raise source.error(
            line.start,
            f"cannot read the time '{text[:40]}'; expected H:MM:SS.cc; correct this line and "
            "try again",
        )
    start = place + len(value) - len(value.lstrip())
    return Stamp(start, start + len(text), read[1], read[0])


def plain(text: str) -> str:
    """The text of a line as it is shown: without {overrides} and drawings, \\N as a line break."""
    shown, last, drawing = [], 0, False
    for found in _OVERRIDES.finditer(text):
        if not drawing:
            shown.append(text[last : found.start()])
        last = found.end()
        modes = _DRAWING.findall(found.group(1))
        if modes:
            drawing = modes[-1] != "0"
    if not drawing:
        shown.append(text[last:])
    return _ESCAPE.sub(lambda found: _ESCAPED[found.group(1)], "".join(shown)).strip()


def compose(cues: Sequence[Cue]) -> str:
    """An ASS file with one plain style."""
    lines = [_HEADER]
    for cue in cues:
        start, end = written_pair(cue.span, Clock(hours=1, decimals=2))
        text = printable(cue.text).strip().replace("{", "\\{").replace("}", "\\}")
        text = "\\N".join(part.strip() for part in re.split(r"\r\n|\r|\n", text))
        lines.append(f"Dialogue: 0,{start},{end},Default,,0,0,0,,{text}\n")
    return "".join(lines)


def marked(parsed: Parsed, spans: Sequence[Span | None], marks: Mapping[int, str]) -> str:
    """The file with new times, and a Comment event of the same times before each marked cue."""
    lines = parsed.source.lines()
    comments = [_comment(parsed, lines, k, spans[k], mark) for k, mark in marks.items()]
    return with_new_times(parsed, spans, comments)


def _comment(
    parsed: Parsed, lines: Sequence[Line], index: int, span: Span | None, mark: str
) -> Edit:
    """The cue's own line up to its text, as a Comment."""
    source, begin = parsed.source, parsed.timings[index].begin
    assert begin is not None
    place = lines[source.line_at(begin.start) - 1].start
    fields = source.text.index(":", place) + 1
    edits = [
        (start - fields, end - fields, new)
        for start, end, new in time_edits(parsed.cues[index], parsed.timings[index], span)
    ]
    same = spliced(source.text[fields : parsed.more[index]], edits)
    return place, place, f"Comment:{same}{one_line(mark)}{source.newline()}"


FORMAT = Format(parse, with_new_times, compose, marked=marked)
