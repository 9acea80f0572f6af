"""TTML and EBU-TT-D (W3C TTML 1, EBU Tech 3380): the timed <p> are cues.

A <p> without times gives its timed <span>s, and a timed <div> or <body> that holds no
timed <p> is a cue itself. A time counts from the start of the timed element around it;
an element ends with the one around it. Times inside a <p> that is timed itself count
from its start, so they move along and are not touched. What a file leaves out (an end,
say) is not written either. With timeBase "smpte" and a documentStartOfProgramme (EBU
Tech 3350) such as 10:00:00:00, cues count from it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from signloom.data.cue import Cue
from signloom.errors import SubtitleError
from signloom.text.formats.markup import (
    Element,
    attribute_places,
    escaped,
    local,
    quoted,
    read_markup,
)
from signloom.text.formats.parsed import Format, Reading, Stamp, with_new_times
from signloom.text.formats.source import Source
from signloom.text.formats.times import (
    Clock,
    Number,
    Style,
    Timecode,
    read_clock,
    read_timecode,
)
from signloom.text.formats.vtt import written_pair

_OFFSET = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,18}))?(h|ms|m|s|f|t)\Z")
_CLOCK = re.compile(r"[0-9]{2,6}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,18})?\Z")
_SPACES = re.compile(r"[ \t\r\n]+")
_TIMED = ("begin", "end", "dur")
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttp="http://www.w3.org/ns/ttml#parameter" \
ttp:timeBase="media" xml:lang="">
  <body>
    <div>
"""
_TAIL = "    </div>\n  </body>\n</tt>\n"


@dataclass(frozen=True)
class _Clockwork:
    """How the root element says that times are to be read; ``zero`` is where cues count from."""

    frames: Timecode
    second_ticks: Fraction
    zero: Fraction = Fraction(0)


@dataclass(frozen=True)
class _Around:
    """The active span of the elements around: absolute seconds, ``end`` None for no end."""

    begin: Fraction
    end: Fraction | None


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> None:
    """Reads a TTML file. Raises SubtitleError."""
    root = read_markup(source)
    if root.tag != "tt":
        advice = "; give it the ending .eaf" if root.tag == "ANNOTATION_DOCUMENT" else ""
        raise SubtitleError(
            f"{source.name} is not TTML: its root element is <{root.tag[:40]}>, expected <tt>{advice}"
        )
    clockwork = _clockwork(source, root, reading)
    walk = _Walk(source, reading, clockwork)
    for body in root.named("body"):
        walk.enter(body, _Around(-clockwork.zero, None))
    walk.add_all()
    first = min((float(cue.span.start) for cue in reading.cues), default=0.0)
    if first >= 3600:
        reading.notice(
            "late start",
            f"the first cue starts at {first:.10g} s: this may be the time of day or of a tape; "
            "times are read as they are",
        )


def _clockwork(source: Source, root: Element, reading: Reading) -> _Clockwork:
    said = {local(name): value.strip() for name, value in root.attributes.items()}

    def number(key: str, default: int, most: int) -> int:
        value = said.get(key, str(default))
        if not re.fullmatch("[0-9]{1,10}", value) or not 0 < int(value) <= most:
            raise source.error(
                root.start, f"{key} is '{value[:40]}', expected a whole number from 1 to {most}"
            )
        return int(value)

    frames, subframes = number("frameRate", 30, 1000), number("subFrameRate", 1, 1000)
    rate = Fraction(frames)
    if "frameRateMultiplier" in said:
        found = re.fullmatch(r"([0-9]{1,6})[\s:]+([0-9]{1,6})", said["frameRateMultiplier"])
        if not found or not int(found[1]) or not int(found[2]):
            raise source.error(
                root.start,
                f"frameRateMultiplier is '{said['frameRateMultiplier'][:40]}', expected two whole "
                "numbers such as '1000 1001'",
            )
        rate *= Fraction(int(found[1]), int(found[2]))
    ticks = Fraction(1)
    if "tickRate" in said:
        ticks = Fraction(number("tickRate", 1, 10**9))
    elif "frameRate" in said:
        ticks = rate * subframes
    smpte = said.get("timeBase") == "smpte"
    drop = smpte and said.get("dropMode") == "dropNTSC"
    if drop and frames != 30:
        raise source.error(
            root.start, f"dropMode is dropNTSC at frameRate {frames}, expected frameRate 30"
        )
    if said.get("dropMode") == "dropPAL":
        raise source.error(root.start, "dropMode dropPAL is not read; expected nonDrop or dropNTSC")
    if said.get("markerMode") == "discontinuous":
        reading.notice("markers", "line 1: markerMode is discontinuous; times are read as if not")
    timecode = Timecode(frames, rate, smpte=smpte, drop=drop)
    zero = Fraction(0)
    for start in _all_named(root, "documentStartOfProgramme") if smpte else ():
        read = read_timecode(start.text().strip(), timecode)
        if read is None:
            raise source.error(
                start.start,
                f"documentStartOfProgramme is '{start.text()[:40]}', expected HH:MM:SS:FF",
            )
        zero = read[0]
        reading.notice(
            "programme start",
            f"line {source.line_at(start.start)}: the programme starts at "
            f"{start.text().strip()}; cues count from there",
        )
    if "frameRate" not in said and re.search(r"[0-9]{2}:[0-9]{2}:[0-9]{2}[:;][0-9]", source.text):
        reading.notice(
            "no frame rate", "line 1: no frameRate; frames are read as 30 in a second, as TTML says"
        )
    return _Clockwork(timecode, ticks, zero)


def _all_named(element: Element, tag: str) -> list[Element]:
    found = element.named(tag)
    for child in element.elements():
        found += _all_named(child, tag)
    return found


@dataclass(frozen=True)
class _Found:
    """A cue in the making; ``end`` is None where neither it nor anything around it ends."""

    element: Element
    begin: Stamp | None
    ends: tuple[Stamp, ...]
    start: Fraction
    end: Fraction | None


class _Walk:
    """Goes through the body in the file's order and collects what is timed."""

    def __init__(self, source: Source, reading: Reading, clockwork: _Clockwork):
        self.source, self.reading, self.clockwork = source, reading, clockwork
        self.found: list[_Found] = []
        self.timed: dict[int, bool] = {}  # by an element's place: it or one inside has times

    def enter(self, element: Element, around: _Around) -> None:
        if not _content(element):
            return
        timed = any(key in element.attributes for key in _TIMED)
        inner = any(self._has_times(child) for child in element.elements())
        cue = timed and (element.tag in ("p", "span") or not inner)
        if inner and not cue and element.attributes.get("timeContainer") == "seq":
            raise self.source.error(
                element.start,
                'timeContainer="seq" is not read, since each time would depend on those before; '
                "expected times that count from the element around (par)",
            )
        if cue:
            here = self._timed(element, around)
            if _text(element) or element.tag == "p":
                self.found.append(here)
            return
        if not inner:
            if _text(element):
                self.reading.notice(
                    "no times",
                    f"line {self.source.line_at(element.start)}: a <{element.tag}> without times "
                    "of its own is no cue; it is kept",
                )
            return
        if timed:
            here = self._timed(element, around)
            around = _Around(here.start, here.end)
            if here.start or here.end is not None:
                self.reading.notice(
                    "times around",
                    f"line {self.source.line_at(element.start)}: a <{element.tag}> around cues has "
                    "times; cues are shown inside them only, also with new times",
                )
        for child in element.elements():
            self.enter(child, around)

    def _has_times(self, element: Element) -> bool:
        if element.start not in self.timed:
            self.timed[element.start] = _content(element) and (
                any(key in element.attributes for key in _TIMED)
                or any(self._has_times(child) for child in element.elements())
            )
        return self.timed[element.start]

    def _timed(self, element: Element, around: _Around) -> _Found:
        places = attribute_places(self.source.text, element)
        stamps = {key: self._stamp(key, *places[key], around) for key in _TIMED if key in places}
        begin = stamps.get("begin")
        start = begin.seconds if begin else around.begin
        ends = []
        if "end" in stamps:
            ends.append(stamps["end"])
        if "dur" in stamps:
            length = stamps["dur"].seconds - around.begin
            ends.append(replace(stamps["dur"], seconds=start + length, lasts=True))
        limits = [stamp.seconds for stamp in ends]
        if around.end is not None:
            limits.append(around.end)
        return _Found(element, begin, tuple(ends), start, min(limits, default=None))

    def _stamp(self, key: str, start: int, end: int, around: _Around) -> Stamp:
        value = self.source.text[start:end]
        text = value.strip()
        start += len(value) - len(value.lstrip())
        read = self._read(text)
        if read is None:
            raise self.source.error(
                start,
                f'cannot read the time {key}="{text[:40]}"; expected HH:MM:SS.mmm, HH:MM:SS:FF '
                f"(fewer than {self.clockwork.frames.frames} frames) or a number with h, m, s, ms, "
                "f or t; correct it and try again",
            )
        origin = around.begin
        return Stamp(start, start + len(text), read[1], origin + read[0], origin)

    def _read(self, text: str) -> tuple[Fraction, Style] | None:
        if _CLOCK.match(text):
            return read_clock(text)
        found = _OFFSET.match(text)
        if found is None:
            return read_timecode(text, self.clockwork.frames)
        units = {
            "h": Fraction(3600),
            "m": Fraction(60),
            "s": Fraction(1),
            "ms": Fraction(1, 1000),
            "f": 1 / self.clockwork.frames.rate,
            "t": 1 / self.clockwork.second_ticks,
        }
        unit = units[found[3]]
        return Fraction(text[: found.start(3)]) * unit, Number(len(found[2] or ""), unit, found[3])

    def add_all(self) -> None:
        """Hands the cues on; one without an end lasts to the next start after its own."""
        starts = sorted({found.start for found in self.found})
        following = dict(pairwise(starts))
        for number, found in enumerate(self.found, start=1):
            end = found.end
            if end is None:
                end = following.get(found.start, found.start)
                self.reading.notice(
                    "no end",
                    f"line {self.source.line_at(found.element.start)}: cue {number} has no end; it "
                    "is read as lasting to the next start, and gets no end",
                )
            id = next((v for k, v in found.element.attributes.items() if k == "xml:id"), "")
            self.reading.add(
                _text(found.element), id, found.begin, found.ends, span=(found.start, end)
            )


def _content(element: Element) -> bool:
    return element.tag in ("body", "div", "p", "span")


def _text(element: Element) -> str:
    """The text of an element as it is shown: <br/> breaks lines, other breaks are spaces."""
    pieces: list[str] = []
    _gather(element, element.attributes.get("xml:space") == "preserve", pieces)
    lines = "".join(pieces).split("\n")
    return "\n".join(line.strip() for line in lines).strip()


def _gather(element: Element, preserved: bool, pieces: list[str]) -> None:
    paragraphs = 0
    for child in element.children:
        if isinstance(child, str):
            if element.tag not in ("body", "div"):
                pieces.append(child if preserved else _SPACES.sub(" ", child))
        elif child.tag == "br":
            pieces.append("\n")
        elif _content(child):
            if child.tag in ("p", "div"):
                pieces.append("\n" if paragraphs else "")
                paragraphs += 1
            space = child.attributes.get("xml:space")
            _gather(child, preserved if space is None else space == "preserve", pieces)


def compose(cues: Sequence[Cue]) -> str:
    """A TTML file with one <p> a cue, in milliseconds."""
    lines = [_HEAD]
    for number, cue in enumerate(cues, start=1):
        start, end = written_pair(cue.span, Clock())
        text = "<br/>".join(
            escaped(line.strip()) for line in re.split(r"\r\n|\r|\n", cue.text.strip())
        )
        lines.append(
            f"      <p xml:id={quoted(f'c{number}')} begin={quoted(start)} end={quoted(end)}>"
            f"{text}</p>\n"
        )
    return "".join([*lines, _TAIL])


FORMAT = Format(parse, with_new_times, compose, markup=True)
