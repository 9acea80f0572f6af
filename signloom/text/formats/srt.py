"""SubRip: a number, a line with two times, text, a blank line; it has no standard.

A line with two times begins a cue wherever it stands, and a number right before it
belongs to it; so numbers may be missing or doubled, and a text may hold blank lines.
What stands after the times (X1:… Y2:…) is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from signloom.data.cue import Cue
from signloom.errors import SubtitleError
from signloom.text.formats.parsed import Format, Reading, Stamp, with_new_times
from signloom.text.formats.source import Line, Source
from signloom.text.formats.times import Clock
from signloom.text.formats.vtt import (
    ARROW,
    looks_timed,
    one_paragraph,
    time_line,
    unreadable,
    written_pair,
)

_NUMBER = re.compile(r"\s*[0-9]{1,9}\s*\Z")
_TAG = re.compile(r"</?(?:b|i|u|s|c|font|span|ruby|rt)(?:[\s.][^<>]*)?/?>|\{\\[^{}]*\}", re.I)


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> None:
    """Reads a SubRip file. Raises SubtitleError."""
    lines = source.lines()
    texts = [source.text[line.start : line.end] for line in lines]
    blank = [not text.strip() for text in texts]
    if texts[0].startswith("WEBVTT"):
        raise SubtitleError(
            f"{source.name} is not SubRip: line 1 is '{texts[0][:40]}', so it is WebVTT; "
            "give it the ending .vtt"
        )
    found: list[tuple[int, int, tuple[Stamp, Stamp]]] = []  # first line, time line, times
    after = 0  # the first line that may belong to the next cue
    for at, line in enumerate(lines):
        stamps = time_line(reading, line, fps) if ">" in texts[at] else None
        if stamps:
            first = _first_line(texts, blank, at, after, len(found))
            found.append((first, at, stamps))
            after = at + 1
        elif ARROW in texts[at]:
            starts_block = at == 0 or blank[at - 1] or _NUMBER.match(texts[at - 1])
            if starts_block or looks_timed(texts[at]):
                raise unreadable(source, line)
            reading.notice("arrow in text", f"line {line.number}: an arrow inside a text")
    if found and not all(blank[: found[0][0]]):
        reading.notice("before the first cue", "line 1: text before the first cue is kept")
    _add(reading, lines, texts, blank, found)


def _first_line(texts: list[str], blank: list[bool], at: int, after: int, cues: int) -> int:
    """The line of the number of the cue with its times at ``at``, or ``at`` where it has none."""
    if at > after and _NUMBER.match(texts[at - 1]):
        return at - 1
    before = at - 1
    while before >= after and blank[before]:
        before -= 1
    alone = before == after or (before > after and blank[before - 1])
    expected = before < at - 1 and before >= after and texts[before].strip() == str(cues + 1)
    return before if alone and expected else at


def _add(
    reading: Reading,
    lines: list[Line],
    texts: list[str],
    blank: list[bool],
    found: list[tuple[int, int, tuple[Stamp, Stamp]]],
) -> None:
    numbers: set[str] = set()
    source = reading.source
    for index, (first, at, (start, end)) in enumerate(found):
        last = found[index + 1][0] if index + 1 < len(found) else len(lines)
        while last > at + 1 and blank[last - 1]:
            last -= 1
        id = texts[first].strip() if first < at else ""
        where = f"line {lines[at].number}: cue {index + 1}"
        if not id:
            reading.notice("no number", f"{where} has no number before its times")
        elif id in numbers:
            reading.notice("double number", f"{where} has the number {id}, as an earlier one has")
        numbers.add(id)
        marks = source.text[start.start : start.end] + source.text[end.start : end.end]
        if "." in marks:
            reading.notice("dot", f"{where} has a dot before the decimals, not a comma")
        if any(blank[at + 1 : last]):
            reading.notice("blank line", f"{where} has a blank line inside its text")
        reading.add(plain("\n".join(texts[at + 1 : last])), id, start, (end,))


def plain(text: str) -> str:
    """The text of a cue without <i> and {\\an8}; SubRip has no escapes."""
    return _TAG.sub("", text).strip()


def compose(cues: Sequence[Cue]) -> str:
    """A SubRip file, numbered from 1."""
    blocks = []
    for number, cue in enumerate(cues, start=1):
        text = one_paragraph(cue.text).replace(ARROW, "→")
        times = " --> ".join(written_pair(cue.span, Clock(mark=",")))
        blocks.append(f"{number}\n{times}\n{text}\n" if text else f"{number}\n{times}\n")
    return "\n".join(blocks)


FORMAT = Format(parse, with_new_times, compose)
