"""Praat TextGrid, long and short text form: one interval tier is read, a new one is written.

Read as Praat does: what counts are the texts in quotation marks, the numbers that stand
free and <exists>. Intervals tile their tier, so an interval without text is a gap and no
cue, and new times go into a new tier at the end: an end is cut to the next start, and the
range of times is that of the file, made longer where a cue ends after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError
from signloom.text.formats.eaf import OWN_TIER
from signloom.text.formats.parsed import (
    Format,
    Parsed,
    Reading,
    printable,
    spliced,
    without_overlap,
)
from signloom.text.formats.source import Source
from signloom.text.formats.times import Number

TICKS = 1_000_000  # new times are written in microseconds
_TOKEN = re.compile(
    r'"[^"]*+(?:""[^"]*+)*"|![^\r\n]*|<[a-z]{1,10}>|(?<!\S)-?[0-9][0-9.eE+-]*(?!\S)|"|[^\s"!]+'
)
_DECIMAL = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,25})?\Z")
_OWN = re.compile(rf"{OWN_TIER}(?:-[0-9]+)?\Z")


@dataclass(frozen=True)
class _Value:
    """A text or a number that counts, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Interval:
    start: Fraction
    end: Fraction
    text: str
    place: int


@dataclass(frozen=True)
class _Tier:
    name: str
    intervals: tuple[_Interval, ...]  # none for a tier of points
    points: bool


@dataclass(frozen=True)
class _Grid:
    range: tuple[Fraction, Fraction]
    end: _Value  # where the end of the range stands
    count: _Value  # where the number of tiers stands
    tiers: tuple[_Tier, ...]
    last: int  # position at the end of the line with the last value
    long: bool


class _Values:
    """The values of a file, one after another."""

    def __init__(self, source: Source):
        self.source = source
        self.tokens = self._all()
        self.last = _Value("", source.first, source.first)

    def _all(self) -> Iterator[_Value]:
        for found in _TOKEN.finditer(self.source.text, self.source.first):
            token = found.group()
            if token[0] in '"<-0123456789':
                yield _Value(token, found.start(), found.end())

    def next(self, what: str) -> _Value:
        value = next(self.tokens, None)
        if value is None:
            raise self.source.error(
                self.last.end, f"the file ends where {what} is expected; it seems to be cut off"
            )
        self.last = value
        return value

    def string(self, what: str) -> str:
        value = self.next(what)
        if len(value.text) < 2 or value.text[0] != '"':
            raise self.wrong(value, f"{what}, in quotation marks")
        return value.text[1:-1].replace('""', '"')

    def number(self, what: str) -> Fraction:
        value = self.next(what)
        if _DECIMAL.match(value.text):
            return Fraction(value.text)
        try:
            seconds = float(value.text)
        except ValueError:
            seconds = float("inf")
        if not abs(seconds) < 1e12:
            raise self.wrong(value, f"{what}, a number")
        return Fraction(seconds)

    def whole(self, what: str) -> int:
        number = self.number(what)
        if number.denominator != 1 or number < 0:
            raise self.wrong(self.last, f"{what}, a whole number")
        return int(number)

    def wrong(self, value: _Value, expected: str) -> SubtitleError:
        return self.source.error(
            value.start,
            f"found '{' '.join(value.text[:40].split())}', expected {expected}; correct it and try again",
        )


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> _Grid:
    """Reads one interval tier of a TextGrid. Raises SubtitleError, listing the tiers."""
    grid = _grid(source)
    chosen = _choose(source, grid, tier)
    for number, interval in enumerate(chosen.intervals, start=1):
        if interval.text.strip():
            span = (interval.start, interval.end)
            reading.add(interval.text, str(number), None, (), span=span, place=interval.place)
    if not reading.cues:
        raise SubtitleError(
            f"{source.name}: tier '{chosen.name}' has no interval with text, so no cue; choose "
            f"another tier: {_listed(grid.tiers)}"
        )
    return grid


def _grid(source: Source) -> _Grid:
    values = _Values(source)
    head = source.text[source.first : source.first + 400]
    if "ooTextFile" not in head or '"TextGrid"' not in head:
        raise SubtitleError(
            f"{source.name} is not a TextGrid in text form: it begins with '{' '.join(head[:40].split())}', "
            "expected 'File type = \"ooTextFile\"'; save it from Praat as a text file"
        )
    for what in ("the file type", "the object class"):
        values.string(what)
    start, end = values.number("the start of the file"), values.number("the end of the file")
    end_place = values.last
    exists = values.next("<exists>")
    tiers: list[_Tier] = []
    if exists.text != "<exists>":
        raise SubtitleError(f"{source.name} has no tiers; expected an interval tier with text")
    count = values.whole("the number of tiers")
    count_place = values.last
    for _ in range(count):
        tiers.append(_tier(values))
    breaks = re.compile(r"[\r\n]|\Z").search(source.text, values.last.end)
    line_end = breaks.start() if breaks else len(source.text)
    long = bool(re.search(r"item\s*\[\s*\]", source.text[count_place.end :][:80]))
    return _Grid((start, end), end_place, count_place, tuple(tiers), line_end, long)


def _tier(values: _Values) -> _Tier:
    kind = values.string("the class of a tier")
    if kind not in ("IntervalTier", "TextTier"):
        raise values.wrong(values.last, '"IntervalTier" or "TextTier"')
    name = values.string("the name of a tier")
    values.number("the start of a tier")
    values.number("the end of a tier")
    intervals = []
    for _ in range(values.whole("the number of intervals or points")):
        start = values.number("a time")
        place = values.last.start
        end = values.number("a time") if kind == "IntervalTier" else start
        intervals.append(_Interval(start, end, values.string("a text"), place))
    points = kind == "TextTier"
    return _Tier(name, () if points else tuple(intervals), points)


def _with_text(tier: _Tier) -> bool:
    return any(interval.text.strip() for interval in tier.intervals)


def _listed(tiers: Sequence[_Tier]) -> str:
    shown = [f"'{tier.name}'{' (points)' if tier.points else ''}" for tier in tiers[:20]]
    shown += [f"and {len(tiers) - 20} more"] if len(tiers) > 20 else []
    return ", ".join(shown) or "it has none"


def _choose(source: Source, grid: _Grid, name: str | None) -> _Tier:
    if name is not None:
        for tier in grid.tiers:
            if tier.name == name and not tier.points:
                return tier
        raise SubtitleError(
            f"{source.name} has no interval tier '{name}'; its tiers: {_listed(grid.tiers)}"
        )
    usable = [tier for tier in grid.tiers if _with_text(tier)]
    others = [tier for tier in usable if not _OWN.match(tier.name)]
    if not usable:
        raise SubtitleError(
            f"{source.name} has no cue: none of its interval tiers has text; its tiers: "
            f"{_listed(grid.tiers)}"
        )
    return (others or usable)[0]


def retimed(parsed: Parsed, spans: Sequence[Span | None]) -> str:
    """The file with the new times in a tier ``signloom`` (signloom-2, …) at its end."""
    grid: _Grid = parsed.more
    timed = [
        (cue.span if span is None else span, cue.text)
        for cue, span in zip(parsed.cues, spans, strict=True)
    ]
    name, number, taken = OWN_TIER, 1, {tier.name for tier in grid.tiers}
    while name in taken:
        number += 1
        name = f"{OWN_TIER}-{number}"
    style = Number(signed=True, unit=Fraction(1, TICKS))
    first, last = (style.ticks(bound) for bound in grid.range)
    rows = without_overlap(timed, TICKS, first)
    ends_later = rows[-1][1] > last
    last = max(last, rows[-1][1])
    source = parsed.source
    tier = _tier_lines(name, _tiled(rows, first, last), len(grid.tiers) + 1, grid.long)
    line = source.newline()
    edits = [
        (grid.count.start, grid.count.end, str(len(grid.tiers) + 1)),
        (grid.last, grid.last, "".join(line + text for text in tier)),
    ]
    if ends_later:
        edits.append((grid.end.start, grid.end.end, _seconds(last)))
    return spliced(source.text, edits)


def _tiled(rows: list[tuple[int, int, str]], first: int, last: int) -> list[tuple[int, int, str]]:
    """The rows with gaps filled by intervals without text."""
    tiles, at = [], first
    for start, end, text in rows:
        if start > at:
            tiles.append((at, start, ""))
        tiles.append((start, end, text))
        at = end
    if at < last:
        tiles.append((at, last, ""))
    return tiles


def _seconds(ticks: int) -> str:
    return Number(6, signed=True, trim=True).write(ticks)


def _said(text: str) -> str:
    return '"' + printable(text).replace('"', '""') + '"'


def _tier_lines(name: str, tiles: list[tuple[int, int, str]], item: int, long: bool) -> list[str]:
    first, last = _seconds(tiles[0][0]), _seconds(tiles[-1][1])
    if not long:
        lines = ['"IntervalTier"', _said(name), first, last, str(len(tiles))]
        for start, end, text in tiles:
            lines += [_seconds(start), _seconds(end), _said(text)]
        return lines
    lines = [
        f"    item [{item}]:",
        '        class = "IntervalTier"',
        f"        name = {_said(name)}",
        f"        xmin = {first}",
        f"        xmax = {last}",
        f"        intervals: size = {len(tiles)}",
    ]
    for number, (start, end, text) in enumerate(tiles, start=1):
        lines += [
            f"        intervals [{number}]:",
            f"            xmin = {_seconds(start)}",
            f"            xmax = {_seconds(end)}",
            f"            text = {_said(text)}",
        ]
    return lines


def compose(cues: Sequence[Cue]) -> str:
    """A TextGrid in long form with the cues in a tier ``signloom``; overlaps are cut.

    A text without a character that shows would be a gap: such cues are left out.
    """
    timed = [(cue.span, cue.text) for cue in cues if cue.text.strip()]
    rows = without_overlap(timed, TICKS)
    last = rows[-1][1] if rows else TICKS
    tiles = _tiled(rows, 0, last)
    lines = [
        'File type = "ooTextFile"',
        'Object class = "TextGrid"',
        "",
        "xmin = 0",
        f"xmax = {_seconds(last)}",
        "tiers? <exists>",
        "size = 1",
        "item []:",
        *_tier_lines(OWN_TIER, tiles, 1, True),
    ]
    return "\n".join(lines) + "\n"


FORMAT = Format(parse, retimed, compose, tiers=True)
