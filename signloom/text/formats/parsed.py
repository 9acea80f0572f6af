"""What every format's reader gives: the cues, and where in the text their times stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError
from signloom.text.formats.source import MOST_CUES, Source
from signloom.text.formats.times import Number, Style, written

NOTICES_OF_A_KIND = 20
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


Edit = tuple[int, int, str]
"""[start, end) of a text, and what takes its place."""


@dataclass(frozen=True)
class Stamp:
    """One time in the text, [start, end); it says ``seconds`` after ``origin``, both absolute.

    lasts: it is a duration, counted from the cue's start.
    """

    start: int
    end: int
    style: Style
    seconds: Fraction
    origin: Fraction = Fraction(0)
    lasts: bool = False


@dataclass(frozen=True)
class Timing:
    """Where the times of one cue stand; what the file leaves out is missing here too."""

    begin: Stamp | None
    ends: tuple[Stamp, ...]
    inner: tuple[Stamp, ...] = ()
    reversed: bool = False


@dataclass(frozen=True)
class Parsed:
    """A file as read. ``more`` is what one format alone needs to write it again."""

    source: Source
    cues: tuple[Cue, ...]
    timings: tuple[Timing, ...]
    notices: tuple[str, ...]
    more: Any = None


@dataclass(frozen=True)
class Format:
    """How one format is read, written again with other times, and written anew.

    marked: the same as retimed, with a remark before some cues (index → one line);
    None where a format has no place for remarks that players pass over.
    """

    parse: Callable[[Source, "Reading", str | None, float], Any]
    retimed: Callable[[Parsed, Sequence[Span | None]], str]
    compose: Callable[[Sequence[Cue]], str]
    markup: bool = False
    tiers: bool = False
    marked: Callable[[Parsed, Sequence[Span | None], Mapping[int, str]], str] | None = None


@dataclass
class Reading:
    """Collects cues and notices while a file is read."""

    source: Source
    cues: list[Cue] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    _notices: dict[str, list[str]] = field(default_factory=dict)

    def notice(self, kind: str, message: str) -> None:
        """One oddity; of each kind the first 20 are kept and the rest are counted."""
        self._notices.setdefault(kind, []).append(message)

    def add(
        self,
        text: str,
        id: str,
        begin: Stamp | None,
        ends: tuple[Stamp, ...],
        inner: tuple[Stamp, ...] = (),
        span: tuple[Fraction, Fraction] | None = None,
        place: int = 0,
    ) -> None:
        """One more cue, with the span that its stamps say or the one given.

        place: where it stands in the text, if it has no stamps.
        """
        number = len(self.cues) + 1
        if number > MOST_CUES:
            raise SubtitleError(
                f"{self.source.name} has more than {MOST_CUES:,} cues, the most that are read; "
                "split the file"
            )
        if span is None:
            assert begin is not None
            span = (begin.seconds, min(stamp.seconds for stamp in ends))
        start, end = float(span[0]), float(span[1])
        reversed_ = end < start
        if reversed_:
            place = ends[0].start if ends else begin.start if begin else place
            self.notice(
                "ends before it starts",
                f"line {self.source.line_at(place)}: cue {number} ends at {end:.10g} s, before it "
                f"starts at {start:.10g} s; it is read as empty, at its start",
            )
        self.cues.append(Cue(Span(start, max(start, end)), printable(text), id))
        self.timings.append(Timing(begin, ends, inner, reversed_))

    def done(self, notices: Sequence[str] = (), more: Any = None) -> Parsed:
        """The file as read. Raises SubtitleError where it has no cue."""
        if not self.cues:
            raise SubtitleError(
                f"{self.source.name} has no cue; expected at least one text with a start and an end"
            )
        told = list(notices)
        for kind, messages in self._notices.items():
            told += messages[:NOTICES_OF_A_KIND]
            if len(messages) > NOTICES_OF_A_KIND:
                told.append(f"{len(messages) - NOTICES_OF_A_KIND} more like the last: {kind}")
        return Parsed(self.source, tuple(self.cues), tuple(self.timings), tuple(told), more)


def printable(text: str) -> str:
    """A text without control characters, which no format can hold: U+FFFD in their place."""
    return _UNPRINTABLE.sub("\ufffd", text)


def one_line(remark: str) -> str:
    """A remark as one line, without an arrow that could be a time's."""
    return " ".join(printable(remark).replace("-->", "->").split())


def spliced(text: str, edits: Sequence[Edit]) -> str:
    """A text with the stretches [start, end) replaced; edits do not overlap."""
    pieces, last = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [text[last:start], new]
        last = end
    return "".join([*pieces, text[last:]])


def with_new_times(parsed: Parsed, spans: Sequence[Span | None], more: Sequence[Edit] = ()) -> str:
    """The text of a file with new times in the style of the old ones, all else untouched.

    A time that does not change keeps its characters, however precise it is. Inner
    times are moved linearly, as the cue's start and end are. more: what else is spliced in.
    """
    edits = list(more)
    for cue, timing, span in zip(parsed.cues, parsed.timings, spans, strict=True):
        edits += time_edits(cue, timing, span)
    return spliced(parsed.source.text, edits)


def time_edits(cue: Cue, timing: Timing, span: Span | None) -> list[Edit]:
    """Where the times of one cue stand in the text, with what goes there; none where they stay."""
    if span is None or span == cue.span:
        return []
    edits = []
    start = Fraction(cue.span.start)
    begin = timing.begin
    if begin is not None:
        start = begin.seconds
        if span.start != cue.span.start or timing.reversed:
            text, after = written(begin.style, span.start - begin.origin)
            start = after + begin.origin
            edits.append((begin.start, begin.end, text))
    moved = span.start != cue.span.start or timing.reversed
    for stamp in timing.ends:
        origin = start if stamp.lasts else stamp.origin
        if span.end == cue.span.end and not timing.reversed and not (stamp.lasts and moved):
            if span.duration == 0 or stamp.lasts or stamp.seconds > start:
                continue
        after_start = start - origin if span.duration > 0 else None
        text, _ = written(stamp.style, Fraction(span.end) - origin, after_start)
        edits.append((stamp.start, stamp.end, text))
    stretch = span.duration / cue.span.duration if cue.span.duration > 0 else 1.0
    for stamp in timing.inner:
        seconds = span.start + (float(stamp.seconds) - cue.span.start) * stretch
        edits.append((stamp.start, stamp.end, written(stamp.style, seconds)[0]))
    return edits


def without_overlap(
    timed: Sequence[tuple[Span, str]], rate: int, first: int = 0
) -> list[tuple[int, int, str]]:
    """(start, end, text) in ticks, by start, none overlapping, each one tick at least.

    For tiers, which hold one annotation at a time: an end is cut to the next start,
    and of several with one start each begins a tick after the one before.
    """
    style = Number(unit=Fraction(1, rate))
    ordered = sorted(
        ((style.ticks(span.start), style.ticks(span.end), text) for span, text in timed),
        key=lambda item: item[:2],
    )
    starts: list[int] = []
    for start, _, _ in ordered:
        starts.append(max(start, first, starts[-1] + 1 if starts else first))
    rows = []
    for at, (_, end, text) in enumerate(ordered):
        if at + 1 < len(starts):
            end = min(end, starts[at + 1])
        rows.append((starts[at], max(starts[at] + 1, end), text))
    return rows
