"""Subtitle files at random: only times change, and damage is an error that says so.

A file is planted as a list of pieces, fixed text or a time, so that what it must look
like with new times is known without the code under test.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError
from signloom.text.subtitles import FORMATS, Subtitles, compose, parse_subtitles, retimed
from tests.text.test_subtitles import EXAMPLES, SHORT_GRID

NASTY = "aZ9 é漢😀\u2028\u0085\u00a0&<>{}\\\"',:;-|=♪#[]()!"
TEXT = st.text(NASTY, max_size=12)
PATIENT = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Planted:
    """(pieces, cues): a piece is text, or (cue, 0 for its start or 1 for its end, how it is written)."""

    pieces: list[str | tuple[int, int, Callable[[int], str]]]
    rate: int  # ticks in a second
    latest: int = 7200  # the last start, in seconds

    def text(self, times: list[tuple[int, int]]) -> str:
        return "".join(p if isinstance(p, str) else p[2](times[p[0]][p[1]]) for p in self.pieces)


def clock(decimals: int, mark: str = ".", hours: int = 2) -> Callable[[int], str]:
    def write(ticks: int) -> str:
        seconds, rest = divmod(ticks, 10**decimals)
        minutes, seconds = divmod(seconds, 60)
        text = f"{minutes // 60:0{hours}}:{minutes % 60:02}:{seconds:02}"
        if hours == 0:
            text = f"{minutes:02}:{seconds:02}"
        return text + (f"{mark}{rest:0{decimals}}" if decimals else "")

    return write


def timecode(fps: int) -> Callable[[int], str]:
    return lambda ticks: f"{clock(0)(ticks // fps)}:{ticks % fps:02}"


def number(decimals: int, suffix: str = "") -> Callable[[int], str]:
    def write(ticks: int) -> str:
        whole, rest = divmod(ticks, 10**decimals)
        return f"{whole}" + (f".{rest:0{decimals}}" if decimals else "") + suffix

    return write


def line_of(draw: st.DrawFn) -> str:
    """One line that is text in SubRip and WebVTT: not blank, no arrow, no number alone."""
    return "x" + draw(TEXT).replace("->", "> -").replace(">", "") + "."


@st.composite
def vtt(draw: st.DrawFn, cues: int) -> Planted:
    decimals = draw(st.integers(0, 6))
    hours = draw(st.sampled_from([0, 1, 2, 3]))
    write = clock(decimals, hours=hours)
    pieces: list = [f"WEBVTT {line_of(draw)}\n\n"]
    for cue in range(cues):
        aside = draw(st.sampled_from(["", "NOTE\n", "NOTE ", "STYLE\n", "REGION\n", "junk "]))
        pieces.append(f"{aside}{line_of(draw)}\n\n" if aside else "")
        pieces.append(f"{line_of(draw)}\n" if draw(st.booleans()) else "")
        arrow = draw(st.sampled_from([" --> ", "-->", " \t-->  "]))
        pieces += [(cue, 0, write), arrow, (cue, 1, write)]
        pieces.append(draw(st.sampled_from(["", " ", " line:0", "\talign:start size:10% "])) + "\n")
        pieces += [f"{line_of(draw)}\n" for _ in range(draw(st.integers(0, 2)))]
        pieces.append("\n" * draw(st.integers(1, 2)))
    return Planted(pieces, 10**decimals, 7200 if hours else 3580)  # then hours are added


@st.composite
def srt(draw: st.DrawFn, cues: int) -> Planted:
    if draw(st.booleans()):
        write, rate = timecode(25), 25
    else:
        decimals = draw(st.integers(1, 4))
        write, rate = clock(decimals, draw(st.sampled_from(",."))), 10**decimals
    pieces: list = []
    for cue in range(cues):
        pieces.append(draw(st.sampled_from(["", "1\n", f"{cue + 1}\n", " 7 \n"])))
        pieces += [(cue, 0, write), " --> ", (cue, 1, write)]
        pieces.append(draw(st.sampled_from(["", " ", "  X1:1 X2:2 Y1:3 Y2:4"])) + "\n")
        between = draw(st.sampled_from(["", "\n", "<i>"]))
        pieces += [f"{line_of(draw)}\n{between}" for _ in range(draw(st.integers(0, 2)))]
        pieces.append("\n" * draw(st.integers(0, 2)) if between != "<i>" else "\n")
    return Planted(pieces, rate)


@st.composite
def ass(draw: st.DrawFn, cues: int) -> Planted:
    write = clock(2, hours=1)
    columns = draw(st.permutations(["Start", "End", "Style", "Name"]))
    pieces: list = [f"[Script Info]\n; {line_of(draw)}\n\n[Events]\nFormat: ", ", ".join(columns)]
    pieces.append(", Text\n")
    for cue in range(cues):
        pieces.append(f"Comment: {line_of(draw)}\n" if draw(st.booleans()) else "")
        pieces.append("Dialogue: ")
        for column in columns:
            time = {"Start": (cue, 0, write), "End": (cue, 1, write)}.get(column, "Default")
            pieces += [time, ","]
        pieces.append(f"{{\\k20}}{draw(TEXT)}\n")
    return Planted(pieces, 100)


@st.composite
def ttml(draw: st.DrawFn, cues: int) -> Planted:
    write, rate = draw(
        st.sampled_from(
            [
                (clock(3), 1000),
                (clock(1), 10),
                (timecode(25), 25),
                (number(2, "s"), 100),
                (number(0, "f"), 25),
                (number(0, "t"), 90_000),
                (number(0, "ms"), 1000),
            ]
        )
    )
    quote = draw(st.sampled_from("\"'"))
    pieces: list = [
        '<?xml version="1.0"?>\n<tt xmlns="http://www.w3.org/ns/ttml" ttp:frameRate="25" '
        'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:tickRate="90000">'
        f"<!-- {draw(TEXT).replace('-', '')} --><head><x begin='1s'/></head><body><div>\n"
    ]
    for cue in range(cues):
        start = [f" begin={quote}", (cue, 0, write), quote]
        end = [f"\nend = {quote}", (cue, 1, write), quote]
        both = [*end, *start] if draw(st.booleans()) else [*start, *end]
        inner = "span" if draw(st.booleans()) else "p"
        open_, close = ("<p><span", "</span></p>") if inner == "span" else ("<p", "</p>")
        pieces += [open_, *both, f">{escape(draw(TEXT))}<br/>&#228;<![CDATA[<p]]>{close}\n"]
    return Planted([*pieces, "</div></body></tt>\n"], rate, 3580)  # later is noticed


@st.composite
def json_cues(draw: st.DrawFn, cues: int) -> Planted:
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    write = clock(3)
    pieces: list = [f'{{"cues":{space}[']
    for cue in range(cues):
        items = [
            ['"start":', space, '"', (cue, 0, write), '"'],
            ['"end":', space, '"', (cue, 1, write), '"'],
            ['"text":', space, json.dumps(draw(TEXT), ensure_ascii=draw(st.booleans()))],
            ['"more":[{"start":1},"end"]'],
        ]
        pieces.append(f"{',' if cue else ''}{space}{{")
        for at, item in enumerate(draw(st.permutations(items))):
            pieces += [f"{space},{space}" if at else "", *item]
        pieces.append("}")
    return Planted([*pieces, f'],{space}"start": 1.50}}\n'], 1000)


PLANTS = {"vtt": vtt, "srt": srt, "ass": ass, "ttml": ttml, "json": json_cues}


def times_of(count: int, rate: int, latest: int = 7200) -> st.SearchStrategy[list[tuple[int, int]]]:
    one = st.tuples(st.integers(0, latest * rate), st.integers(0, 10 * rate))
    return st.lists(one.map(lambda t: (t[0], t[0] + t[1])), min_size=count, max_size=count)


@pytest.mark.parametrize("format", PLANTS)
@PATIENT
@given(st.data())
def test_times_change_and_nothing_else(format: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    planted = data.draw(PLANTS[format](count))
    old, new = (data.draw(times_of(count, planted.rate, planted.latest)) for _ in range(2))
    keep = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    mark, codec = data.draw(
        st.sampled_from(
            [(b"", "utf-8"), (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")]
        )
    )

    def file(times: list[tuple[int, int]]) -> bytes:
        return mark + planted.text(times).replace("\n", newline).encode(codec)

    before = file(old)
    read = parse_subtitles(before, format)
    rate = planted.rate
    assert [(c.span.start, c.span.end) for c in read.cues] == [(a / rate, b / rate) for a, b in old]
    assert retimed(read, [cue.span for cue in read.cues]) == before
    spans = [
        None if kept else Span(start / rate, end / rate)
        for kept, (start, end) in zip(keep, new, strict=True)
    ]
    after = file([o if kept else n for kept, o, n in zip(keep, old, new, strict=True)])
    assert retimed(read, spans) == after
    again = parse_subtitles(after, format)
    assert [(c.text, c.id) for c in again.cues] == [(c.text, c.id) for c in read.cues]
    assert len(again.notices) == len(read.notices)


@pytest.mark.parametrize(
    ("format", "line"), [("vtt", r"NOTE a mark\n\n"), ("ass", r"Comment:.*a mark\n")]
)
@PATIENT
@given(st.data())
def test_without_its_marks_a_file_is_what_it_would_be(
    format: str, line: str, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 4))
    planted = data.draw(PLANTS[format](count))
    old, new = (data.draw(times_of(count, planted.rate, planted.latest)) for _ in range(2))
    newline = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    marks = dict.fromkeys(data.draw(st.sets(st.integers(0, count - 1))), "a\n mark ")
    read = parse_subtitles(planted.text(old).replace("\n", newline).encode(), format)
    spans = [Span(a / planted.rate, b / planted.rate) for a, b in new]
    out = retimed(read, spans, marks)
    again = parse_subtitles(out, format)
    assert [(c.text, c.id) for c in again.cues] == [(c.text, c.id) for c in read.cues]
    plain, found = re.subn(line, "", out.decode().replace(newline, "\n"))
    assert plain.replace("\n", newline).encode() == retimed(read, spans)
    assert found == len(marks)


@pytest.mark.parametrize("format", PLANTS)
@PATIENT
@given(st.data())
def test_any_new_time_is_met_to_half_a_step(format: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 3))
    planted = data.draw(PLANTS[format](count))
    old = data.draw(times_of(count, planted.rate, planted.latest))
    read = parse_subtitles(planted.text(old).encode(), format)
    spans = [
        Span(start, start + length)
        for start, length in data.draw(
            st.lists(
                st.tuples(st.floats(0, 1e5), st.one_of(st.just(0.0), st.floats(1e-9, 100))),
                min_size=count,
                max_size=count,
            )
        )
    ]
    again = parse_subtitles(retimed(read, spans), format)
    step = 1 / planted.rate
    for wanted, cue in zip(spans, again.cues, strict=True):
        assert abs(cue.span.start - wanted.start) <= step / 2 + 2e-6
        assert (cue.span.duration > 0) >= (wanted.duration > 0)
        longer = step if wanted.duration < 1.5 * step else step / 2
        assert abs(cue.span.end - wanted.end) <= longer + step / 2 + 2e-6


@pytest.mark.parametrize("format", ["eaf", "textgrid"])
@PATIENT
@given(st.data())
def test_a_tier_is_added_and_nothing_else(format: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    texts = [f"{data.draw(TEXT)}." for _ in range(count)]
    old, new = (data.draw(times_of(count, 1000)) for _ in range(2))
    cues = [Cue(Span(a / 1000, b / 1000), t) for (a, b), t in zip(old, texts, strict=True)]
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    before = compose(cues, format).replace(b"\n", newline.encode())
    before = before.replace(b'"signloom"', b'"words"')
    read = parse_subtitles(before, format, tier="words")
    spans = [Span(a / 1000, b / 1000) for a, b in new]
    after = retimed(read, spans)
    assert parse_subtitles(after, format, tier="words").cues == read.cues
    assert parse_subtitles(after, format).cues == read.cues  # the own tier is not taken for input
    again = parse_subtitles(after, format, tier="signloom").cues
    wanted = sorted(zip(spans, (cue.text for cue in read.cues), strict=True), key=lambda p: p[0])
    assert [cue.text for cue in again] == [text for _, text in wanted]
    for at, (cue, (span, _)) in enumerate(zip(again, wanted, strict=True)):
        assert cue.span.duration > 0
        assert 0 <= cue.span.start - span.start < 0.0011 * count
        following = again[at + 1].span.start if at + 1 < count else float("inf")
        assert cue.span.end <= following
        if cue.span.end != following:
            assert abs(cue.span.end - max(span.end, cue.span.start)) < 0.0011
    # What is new stands in one piece in TextGrid, and in three in EAF (slots, tier, type).
    lines, kept = after.split(newline.encode()), iter(before.split(newline.encode()))
    missing = [line for line in kept if line not in lines]
    assert len(missing) <= 2, missing  # a count of tiers and the end, or the last annotation's id


def read_or_refused(data: bytes, format: str) -> Subtitles | None:
    """What a file gives, or None where it is refused with a message that names it and is short."""
    refusal = ""
    try:
        return parse_subtitles(data, format, "x")
    except SubtitleError as error:
        refusal = str(error)
    assert refusal.startswith("x")
    assert len(refusal) < 1000
    return None


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        kind = draw(st.sampled_from(["flip", "cut", "drop", "insert", "repeat"]))
        length = draw(st.integers(1, 40))
        if kind == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "drop":
            data = data[:at] + data[at + length :]
        elif kind == "insert":
            pieces = [
                b"-->",
                b"\n\n",
                b"<",
                b'"',
                b"1",
                b":",
                b"\xff",
                b"}",
                b"]",
                b",",
                b"&",
                b"-",
            ]
            new = draw(st.one_of(st.binary(max_size=8), st.sampled_from(pieces)))
            data = data[:at] + new + data[at:]
        else:
            data = data[: at + length] + data[at:]
    return data


@pytest.mark.parametrize("format", FORMATS)
@settings(PATIENT, max_examples=100)
@given(st.data())
def test_damage_is_read_or_refused(format: str, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([EXAMPLES[format], compose(CUES, format).decode()]))
    if format == "textgrid" and data.draw(st.booleans()):
        text = SHORT_GRID
    damaged = data.draw(damage(text.encode(data.draw(st.sampled_from(["utf-8", "utf-16"])))))
    read = read_or_refused(damaged, format)
    if read is None:
        return
    assert read.cues
    same = retimed(read, [cue.span for cue in read.cues])
    if format in PLANTS:
        assert same == damaged
    moved = retimed(read, [cue.span.shifted(100.0) for cue in read.cues])
    if format in PLANTS:
        assert len(parse_subtitles(moved, format).cues) == len(read.cues)
    marked = retimed(read, [None] * len(read.cues), dict.fromkeys(range(len(read.cues)), "1 --> 2"))
    if format in PLANTS:
        assert parse_subtitles(marked, format).cues == read.cues
    for other in FORMATS:
        compose(read.cues, other)


def test_a_mark_before_a_cue_that_a_note_runs_into_leaves_the_cue_readable() -> None:
    text = b"WEBVTT\n\nNOTE\n00:01.000--><v Ann>One\n00:04.000 --> 00:05.000\nlast\n"
    read = parse_subtitles(text, "vtt")
    assert [(cue.id, cue.text) for cue in read.cues] == [("", "last")]
    marked = retimed(read, [None], {0: "low"})
    assert parse_subtitles(marked, "vtt").cues == read.cues


CUES = [Cue(Span(1.0, 2.0), "one <b>"), Cue(Span(2.5, 4.0), "two\nlines & more", "b")]


@pytest.mark.parametrize(
    "piece",
    [
        "-->",
        "<",
        '"',
        "{",
        "{\\",
        "<i ",
        "[",
        "\n",
        "1\n",
        "00:00:01.000 --> ",
        "00:",
        "1",
        " ",
        "\r",
        "&",
        "<a ",
        "<a>",
        "=",
        "!",
        "--> \n",
        "-",
        "\\",
        "x\n-->\n",
        "Dialogue: ,\n",
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_long_nonsense_ends(format: str, piece: str) -> None:
    """100,000 characters of one piece, alone and in a file; what is quadratic takes minutes."""
    many = (piece * (100_000 // len(piece))).encode()
    whole = compose(CUES, format)
    middle = whole.index(b"one") + 1
    for data in (many, whole + many, whole[:middle] + many + whole[middle:]):
        read_or_refused(data, format)
