"""Subtitle files by hand: what is read, what stays to the byte, and what is refused, format by format."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError, UsageError
from signloom.text.formats.eaf import with_tiers
from signloom.text.subtitles import (
    FORMATS,
    MOST_BYTES,
    MOST_CUES,
    SUFFIXES,
    Subtitles,
    compose,
    parse_subtitles,
    read_subtitles,
    retimed,
    write_retimed,
)

VTT = (
    "\ufeffWEBVTT - weather\r\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\r\n\r\n"
    "STYLE\r\n::cue(.a) { color: red }\r\n\r\nREGION\r\nid:top\r\n\r\n"
    "NOTE\r\n00:00:99 is no time   \r\n\r\n"
    "first\r\n00:01.000-->00:03.000 line:0  align:start \r\n"
    "<v Ann>One &amp; <i>two</i></v> \u2028 <00:02.000>three\r\n"
    "00:04.000   -->\t01:00:05.000\r\n\r\n\r\n"
    "-00:00:01.500 --> 00:00:07,5\nlast"
)
SRT = (
    "1\n00:00:01,000 --> 00:00:02,000  X1:10 X2:20 Y1:1 Y2:2\n{\\an8}<i>Hello</i>\n\nagain\n\n\n"
    "00:00:03.50 --> 00:00:04,000\n<b\n1\n00:00:05,000 --> 00:00:06,000\n"
    "2 --> 3\n\n4\n\n00:00:07:12 --> 00:00:08:00\n\n"
)
ASS = (
    "; comment\n[Script Info]\nTitle: x\n[Events]\nFormat: Start, Layer, End, Text\n"
    "Comment: 0:00:00.00,0,0:00:01.00,not a cue\n"
    "Dialogue: 0:00:01.00 ,0, 0:00:02.50,{\\k20}One, {\\b1}two{\\b0}\\N\\{three\\}\n"
    "Dialogue: 10:00:01.0,0,10:00:02.000,{\\p1}m 0 0 l 1 1{\\p0}\n[Fonts]\nDialogue: x\n"
)
TTML = (
    '<?xml version="1.0"?>\n<tt:tt xmlns:tt="http://www.w3.org/ns/ttml" '
    'xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="30" '
    'ttp:frameRateMultiplier="1000 1001" ttp:tickRate="1200"><!-- begin="1s" -->\n'
    '<tt:body><tt:div begin="10s" end="100s">\n'
    '<tt:p end="2.5s" xml:id=\'a\' begin = "1.5s">One\n  <tt:br/> two<tt:metadata>x</tt:metadata>'
    '<tt:span begin="0.1s">!</tt:span></tt:p>\n'
    '<tt:p begin="600t" dur="30f">&lt;three&gt;</tt:p>\n'
    '<tt:p><tt:span begin="00:00:20:15" end=" 00:00:21.250 ">four</tt:span>'
    '<tt:span begin="30s" end="2m">five</tt:span></tt:p>\n'
    "<tt:p>untimed</tt:p></tt:div>"
    '<tt:div begin="200s" dur="4s"><tt:p>six</tt:p><tt:p>seven</tt:p></tt:div></tt:body></tt:tt>'
)
JSON = (
    '{\n\t"made": 1.0,\n  "cues": [\n {"end" : 2.50, "start":1, "text": "One \\"start\\": 5",'
    ' "words": [{"start": 1, "end": 2}], "id": 7},\n'
    '  {"text": "", "start": "00:00:03,5", "end": 4e0}]\n, "start": 9}\n'
)
EAF = """<?xml version='1.0' encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2020-01-01T00:00:00+01:00" FORMAT="3.0" VERSION="3.0">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        <PROPERTY NAME="lastUsedAnnotationId">7</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
        <TIME_SLOT TIME_SLOT_ID="ts2"/>
        <TIME_SLOT TIME_SLOT_ID="ts9" TIME_VALUE="3000"/>
        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="5000"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="gloss" TIER_ID="glosses"><ANNOTATION>
        <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
        <ANNOTATION_VALUE>RAIN</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER>
    <TIER LINGUISTIC_TYPE_REF="free" TIER_ID="Subtitles &lt;en&gt;">
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
            <ANNOTATION_VALUE>It &amp; rains</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
        <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a12" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts9">
            <ANNOTATION_VALUE/></ALIGNABLE_ANNOTATION></ANNOTATION>
    </TIER>
    <TIER LINGUISTIC_TYPE_REF="sub" PARENT_REF="glosses" TIER_ID="parts">
        <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a1">
            <ANNOTATION_VALUE>first</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION>
        <ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a5" ANNOTATION_REF="a1" PREVIOUS_ANNOTATION="a4">
            <ANNOTATION_VALUE>second</ANNOTATION_VALUE></REF_ANNOTATION></ANNOTATION></TIER>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="gloss" TIME_ALIGNABLE="true" CONSTRAINTS="Included_In"/>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="free" TIME_ALIGNABLE="true"/>
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="sub" CONSTRAINTS="Symbolic_Subdivision"/>
</ANNOTATION_DOCUMENT>
"""
GRID = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0 \nxmax = 5.25 \n'
    "tiers? <exists> \nsize = 2 \nitem []: \n"
    '    item [1]:\n        class = "TextTier" \n        name = "taps" \n        xmin = 0 \n'
    "        xmax = 5.25 \n        points: size = 1 \n        points [1]:\n            number = 1 \n"
    '            mark = "x" \n'
    '    item [2]:\n        class = "IntervalTier" \n        name = "words" \n        xmin = 0 \n'
    "        xmax = 5.25 \n        intervals: size = 3 \n        intervals [1]:\n"
    '            xmin = 0 \n            xmax = 1.5 \n            text = "say ""one""" \n'
    '        intervals [2]:\n            xmin = 1.5 \n            xmax = 2 \n            text = "" \n'
    "        intervals [3]:\n            xmin = 2 \n            xmax = 5.25 \n"
    '            text = "two\nlines" ! a comment "\n\n'
)
SHORT_GRID = (
    'File type = "ooTextFile"\r\n"TextGrid"\r\n\r\n0\r\n5\r\n<exists>\r\n1\r\n"IntervalTier"\r\n'
    '"words"\r\n0\r\n5\r\n2\r\n0\r\n1.123456789\r\n"a"\r\n1.123456789\r\n5\r\n"b"\r\n'
)
EXAMPLES = {
    "vtt": VTT,
    "srt": SRT,
    "ass": ASS,
    "ttml": TTML,
    "json": JSON,
    "eaf": EAF,
    "textgrid": GRID,
}


def at(start: float, end: float) -> Span:
    return Span(float(start), float(end))


def read(format: str, text: str | None = None, **how: object) -> Subtitles:
    data = (EXAMPLES[format] if text is None else text).encode()
    return parse_subtitles(data, format, f"x.{format}", **how)  # type: ignore[arg-type]


def spans(subtitles: Subtitles) -> list[tuple[float, float]]:
    return [(round(c.span.start, 6), round(c.span.end, 6)) for c in subtitles.cues]


def texts(subtitles: Subtitles) -> list[str]:
    return [cue.text for cue in subtitles.cues]


def replaced(text: str, *pairs: tuple[str, str]) -> bytes:
    """The text with each first string, which it holds once, replaced by the second."""
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text.encode()


def test_vtt() -> None:
    read_ = read("vtt")
    assert spans(read_) == [(1, 3), (4, 3605), (-1.5, 7.5)]
    assert texts(read_) == ["One & two \u2028 three", "", "last"]
    assert [cue.id for cue in read_.cues] == ["first", "", ""]
    told = "\n".join(read_.notices)
    for said in ("line 2: X-TIMESTAMP-MAP", "line 16: no blank line", "line 19: a comma"):
        assert said in told
    # The inner time stood in the middle of its cue and does so again; hours come when they must.
    new = [at(3599, 3603.0004), None, at(-0.25, 9)]
    assert retimed(read_, new) == replaced(
        VTT,
        ("00:01.000-->00:03.000", "59:59.000-->01:00:03.000"),
        ("<00:02.000>", "<01:00:01.000>"),
        ("-00:00:01.500 --> 00:00:07,5", "-00:00:00.250 --> 00:00:09,0"),
    )


def test_a_commented_cue_and_blocks_that_are_no_cue() -> None:
    text = "WEBVTT\n\nNOTE\nnot --> this\n\nlost words\n\nNOTE\n00:01.0 -- > 00:02.0\nHi -> you --> me\n"
    read_ = read("vtt", text)
    assert [(cue.id, cue.text) for cue in read_.cues] == [("NOTE", "Hi -> you --> me")]
    told = "\n".join(read_.notices)
    for said in (
        "line 4: an arrow without times in a NOTE block",
        "line 6: a block without a time line is no cue",
        "line 9: '-- >' stands for '-->'",
        "line 9: times in a NOTE block",
        "line 10: an arrow inside a text",
    ):
        assert said in told


def test_a_mark_is_a_note_before_its_cue_and_no_cue() -> None:
    read_ = read("vtt")
    marks = {0: "first\n\nhere --> there", 1: "second", 2: "third \u2603"}
    out = retimed(read_, [None, at(5, 6), None], marks)
    expected = VTT.replace("00:04.000   -->\t01:00:05.000", "00:05.000   -->\t00:00:06.000")
    note = "NOTE {}\r\n\r\n".format
    for before, said in (
        ("first\r\n00:01.000-->", note("first here -> there")),
        ("00:05.000   -->", "\r\n" + note("second")),  # no blank line stood before this cue
        ("-00:00:01.500 -->", note("third \u2603")),
    ):
        assert expected.count(before) == 1
        expected = expected.replace(before, said + before)
    assert out == expected.encode()
    again = parse_subtitles(out, "vtt")
    assert [(c.text, c.id) for c in again.cues] == [(c.text, c.id) for c in read_.cues]
    assert spans(again) == [(1, 3), (5, 6), (-1.5, 7.5)]
    tight = read("vtt", "WEBVTT\nid\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb")
    marked = parse_subtitles(retimed(tight, [None, None], {0: "x", 1: "NOTE"}), "vtt")
    assert marked.cues == tight.cues
    with pytest.raises(ValueError, match="a mark for cue index 2 of 2; indices are from 0"):
        retimed(tight, [None, None], {2: "x"})


def test_a_mark_in_ass_is_a_comment_at_the_cue_s_new_times() -> None:
    out = retimed(read("ass"), [at(1.25, 2), None], {0: "look\nhere", 1: "\u2603"})
    first = "Dialogue: 0:00:01.25 ,0, 0:00:02.00,{\\k20}One"
    expected = ASS.replace("Dialogue: 0:00:01.00 ,0, 0:00:02.50,{\\k20}One", first)
    for line, comment in (
        (first, "Comment: 0:00:01.25 ,0, 0:00:02.00,look here\n"),
        ("Dialogue: 10:00:01.0,", "Comment: 10:00:01.0,0,10:00:02.000,\u2603\n"),
    ):
        assert expected.count(line) == 1
        expected = expected.replace(line, comment + line)
    assert out == expected.encode()
    assert texts(parse_subtitles(out, "ass")) == texts(read("ass"))


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"vtt", "ass"}))
def test_formats_without_a_place_for_marks_ignore_them(format: str) -> None:
    read_ = read(format)
    moved = [cue.span.shifted(1.0) for cue in read_.cues]
    assert retimed(read_, moved, {0: "x"}) == retimed(read_, moved)


def test_marks_come_along_into_another_format(tmp_path: Path) -> None:
    read_ = read("srt")
    write_retimed(read_, [None] * 4, tmp_path / "a.vtt", marks={1: "look"})
    out = (tmp_path / "a.vtt").read_bytes()
    assert out == compose(read_.cues, "vtt").replace(
        b"\n00:00:03.500 -->", b"\nNOTE look\n\n00:00:03.500 -->"
    )
    latin = parse_subtitles(
        "WEBVTT\n\n00:01.000 --> 00:02.000\nGr\u00f6\u00dfe\n".encode("cp1252"), "vtt"
    )
    assert b"NOTE ? \xf6\n" in retimed(latin, [None], {0: "\u6f22 \u00f6"})


def test_srt() -> None:
    read_ = read("srt")
    assert spans(read_) == [(1, 2), (3.5, 4), (5, 6), (7.48, 8)]
    assert texts(read_) == ["Hello\n\nagain", "<b", "2 --> 3", ""]
    assert [cue.id for cue in read_.cues] == ["1", "", "1", "4"]
    told = "\n".join(read_.notices)
    for said in (
        "line 2: cue 1 has a blank line inside its text",
        "line 8: cue 2 has no number",
        "line 8: cue 2 has a dot",
        "line 11: cue 3 has the number 1, as an earlier one has",
        "line 12: an arrow inside a text",
        "line 16: '00:00:07:12' counts frames, read as 25 in a second",
    ):
        assert said in told
    assert retimed(read_, [at(2, 3), at(3.555, 4.2005), None, at(9.96, 10.99)]) == replaced(
        SRT,
        ("00:00:01,000 --> 00:00:02,000", "00:00:02,000 --> 00:00:03,000"),
        ("00:00:03.50 --> 00:00:04,000", "00:00:03.56 --> 00:00:04,201"),
        ("00:00:07:12 --> 00:00:08:00", "00:00:09:24 --> 00:00:11:00"),
    )
    assert spans(read("srt", fps=50.0))[3] == (7.24, 8)


def test_ass() -> None:
    read_ = read("ass")
    assert spans(read_) == [(1, 2.5), (36001, 36002)]
    assert texts(read_) == ["One, two\n{three}", ""]
    assert retimed(read_, [at(1.234, 3600), at(0, 1)]) == replaced(
        ASS,
        ("0:00:01.00 ,0, 0:00:02.50,", "0:00:01.23 ,0, 1:00:00.00,"),
        ("10:00:01.0,0,10:00:02.000,", "00:00:00.0,0,00:00:01.000,"),
    )
    plain = "[Events]\nDialogue: Marked=0,0:00:01.00,0:00:02.00,D,,0,0,0,,a, b\n"
    assert texts(read("ass", plain)) == ["a, b"]
    assert read("ass", plain).notices[0].startswith("line 2: no Format line")


def test_ttml() -> None:
    read_ = read("ttml")
    frame = 1001 / 30000
    assert spans(read_) == [
        (11.5, 12.5),
        (10.5, round(10.5 + 30 * frame, 6)),
        (round(30 + 15 * frame, 6), 31.25),
        (40, 100),  # the <div> ends there
        (200, 204),
    ]
    assert texts(read_) == ["One\ntwo!", "<three>", "four", "five", "six\nseven"]
    assert read_.cues[0].id == "a"
    told = "\n".join(read_.notices)
    assert "line 3: a <div> around cues has times" in told
    assert "line 8: a <p> without times of its own is no cue" in told
    new = [at(20, 22.04), at(10.75, 11.75), at(30.5, 32), None, at(300, 300.6)]
    assert retimed(read_, new) == replaced(
        TTML,
        ('end="2.5s" xml:id=\'a\' begin = "1.5s"', 'end="12.0s" xml:id=\'a\' begin = "10.0s"'),
        ('"600t" dur="30f"', '"900t" dur="30f"'),
        ('"00:00:20:15" end=" 00:00:21.250 "', '"00:00:20:15" end=" 00:00:22.000 "'),
        ('"200s" dur="4s"', '"300s" dur="1s"'),
    )


def test_ttml_of_broadcasters() -> None:
    text = (
        '<tt xmlns="http://www.w3.org/ns/ttml" xmlns:p="http://www.w3.org/ns/ttml#parameter" '
        'p:timeBase="smpte" p:frameRate="25"><head><metadata>START</metadata></head><body><div>'
        '<p begin="10:00:01:00" end="10:00:02:05">One</p><p begin="10:00:03:00">Two</p>'
        "</div></body></tt>"
    )
    plain = read("ttml", text)
    assert spans(plain) == [(36001, 36002.2), (36003, 36003)]
    assert any("the first cue starts at 36001 s" in notice for notice in plain.notices)
    assert any("cue 2 has no end" in notice for notice in plain.notices)
    start = "<documentStartOfProgramme>10:00:00:00</documentStartOfProgramme>"
    counted = read("ttml", text.replace("START", start))
    assert spans(counted) == [(1, 2.2), (3, 3)]
    out = retimed(counted, [at(2, 3.04), None])
    assert out == replaced(
        text.replace("START", start),
        ('"10:00:01:00" end="10:00:02:05"', '"10:00:02:00" end="10:00:03:01"'),
    )
    drop = text.replace('"25"', '"30" p:frameRateMultiplier="1000 1001" p:dropMode="dropNTSC"')
    # 10:00:00;00 counts 1,078,920 frames of 1001/30000 s (SMPTE 12M), to 36,000 s less 36 ms.
    assert plain.cues[0].span.start - read("ttml", drop).cues[0].span.start == pytest.approx(
        36001 - (1_078_920 + 30) * 1001 / 30000
    )
    out = retimed(read("ttml", drop), [at(60 * n * 1.001, 60 * n * 1.001 + 2) for n in (1, 10)])
    assert b'begin="00:01:00:02" end="00:01:02:02"' in out  # 1,800 frames: two numbers left out
    assert b'begin="00:10:00:18"' in out


def test_json() -> None:
    read_ = read("json")
    assert spans(read_) == [(1, 2.5), (3.5, 4)]
    assert [(cue.text, cue.id) for cue in read_.cues] == [('One "start": 5', "7"), ("", "")]
    assert retimed(read_, [at(1.25, 3), at(3.04, 4.0005)]) == replaced(
        JSON,
        ('{"end" : 2.50, "start":1,', '{"end" : 3.0, "start":1.25,'),
        ('"00:00:03,5", "end": 4e0', '"00:00:03,0", "end": 4.001'),
    )
    listed = '[{"start": -1.2345, "end": 0, "text": null}]'
    assert retimed(read("json", listed), [at(-0.5, 1 / 3)]) == (
        b'[{"start": -0.5, "end": 0.3333, "text": null}]'
    )
    twice = '{"cues": [{"start": 1, "end": 2}], "cues": [{"start": 3, "end": 4, "start": 3.5}]}'
    assert spans(read("json", twice)) == [(3.5, 4)]
    assert retimed(read("json", twice), [at(5, 6)]) == replaced(
        twice, ('4, "start": 3.5', '6, "start": 5.0')
    )


def without(text: str, *pieces: str) -> str:
    """The text less what matches each pattern, which must be there."""
    for piece in pieces:
        text, times = re.subn(piece, "", text)
        assert times, piece
    return text


def test_eaf_gets_a_tier_and_keeps_the_rest() -> None:
    read_ = read("eaf")
    assert spans(read_) == [(1, 2), (2, 3)]  # ts2 has no time: halfway between its neighbours
    assert texts(read_) == ["It & rains", ""]
    assert "tier 'Subtitles <en>': 1 time slots have no time" in read_.notices[0]
    out = retimed(read_, [at(1.5, 2.75), at(2.5, 4.0005)]).decode()
    again = read("eaf", out, tier="signloom")
    assert spans(again) == [(1.5, 2.5), (2.5, 4.001)]  # the overlap is cut
    assert texts(again) == texts(read_)
    assert [cue.id for cue in again.cues] == ["a13", "a14"]
    assert '<TIER LINGUISTIC_TYPE_REF="free" TIER_ID="signloom">' in out
    taken = without(
        out,
        r'\n        <TIME_SLOT TIME_SLOT_ID="ts1[0-3]" TIME_VALUE="[0-9]+"/>',
        r'(?s)\n    <TIER LINGUISTIC_TYPE_REF="free" TIER_ID="signloom">.*?</TIER>',
    )
    assert taken == EAF.replace(">7</PROPERTY>", ">14</PROPERTY>")
    # The original tier is still the one that is read, and a second result gets its own name.
    assert read("eaf", out).cues == read_.cues
    twice = retimed(read("eaf", out), [None, at(4, 5)]).decode()
    assert spans(read("eaf", twice, tier="signloom-2")) == [(1, 2), (4, 5)]
    assert retimed(read_, [None, None]) == EAF.encode()


def test_eaf_tiers_that_refer_to_others() -> None:
    parts = read("eaf", tier="parts")
    assert spans(parts) == [(1, 3), (3, 5)]  # two parts of RAIN
    out = retimed(parts, [None, at(6, 7)]).decode()
    root = ElementTree.fromstring(out)
    assert [child.tag for child in root] == (
        ["HEADER", "TIME_ORDER"] + ["TIER"] * 4 + ["LINGUISTIC_TYPE"] * 4
    )
    added = root.findall("LINGUISTIC_TYPE")[-1].attrib
    assert (added["LINGUISTIC_TYPE_ID"], added["TIME_ALIGNABLE"]) == ("signloom", "true")


def test_tiers_in_a_new_eaf_and_in_one_without_room() -> None:
    tiers = {
        "signs": [(at(1, 2), "A <&> \x00"), (at(0.5, 3), "B"), (at(0.5, 0.5), "C")],
        "score": [],
    }
    new = with_tiers(None, tiers, media="file:///tmp/a&b.mp4")
    assert new == with_tiers(None, tiers, media="file:///tmp/a&b.mp4")
    root = ElementTree.fromstring(new)
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert media.attrib["MEDIA_URL"] == "file:///tmp/a&b.mp4"
    signs = parse_subtitles(new, "eaf", tier="signs")
    assert spans(signs) == [(0.5, 0.501), (0.501, 1), (1, 2)]
    assert texts(signs) == ["C", "B", "A <&> \ufffd"]
    bare = b"<ANNOTATION_DOCUMENT><TIME_ORDER/></ANNOTATION_DOCUMENT>"
    for data in (bare, bare.replace(b"<TIME_ORDER/>", b"<LICENSE/>"), bare.replace(b"/>", b"  />")):
        root = ElementTree.fromstring(with_tiers(data, tiers))
        assert [e.tag for e in root if e.tag != "LICENSE"] == (
            ["TIME_ORDER", "TIER", "TIER", "LINGUISTIC_TYPE"]
        )
        assert len(root.findall("TIME_ORDER/TIME_SLOT")) == 6
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><!--\x81é--><ANNOTATION_DOCUMENT/>'
    with pytest.raises(SubtitleError, match="line 1: <ANNOTATION_DOCUMENT> has nothing inside"):
        with_tiers(latin.encode("latin-1"), tiers)
    latin = latin.replace("/>", "> </ANNOTATION_DOCUMENT>")
    out = with_tiers(latin.encode("latin-1"), {"é": [(at(0, 1), "漢")]})
    assert texts(parse_subtitles(out, "eaf", tier="é")) == ["漢"]
    assert b"\x81\xe9" in out


@pytest.mark.parametrize("text", [GRID, SHORT_GRID])
def test_textgrid_gets_a_tier_and_keeps_the_rest(text: str) -> None:
    read_ = read("textgrid", text)
    if text == GRID:
        assert spans(read_) == [(0, 1.5), (2, 5.25)]
        assert texts(read_) == ['say "one"', "two\nlines"]
    out = retimed(read_, [at(0.25, 2.1234567), at(2, 6)]).decode()
    again = read("textgrid", out, tier="signloom")
    assert spans(again) == [(0.25, 2), (2, 6)]
    assert texts(again) == texts(read_)
    # All that was there is there, but for the count of tiers and the end, which had to move.
    first, last, count = ("5.25 \n", "6 \n", "size = ") if text == GRID else ("5\r", "6\r", ">\r\n")
    tiers = 2 if text == GRID else 1
    expected = text.replace(first, last, 1).replace(f"{count}{tiers}", f"{count}{tiers + 1}", 1)
    assert out.startswith(expected.rstrip())
    assert out.endswith(text[len(text.rstrip()) :])
    assert read("textgrid", out).cues == read_.cues
    within = retimed(read_, [at(0.25, 2), None]).decode()
    assert within.startswith(text[: text.index("<exists>")])
    assert retimed(read_, [None, None]) == text.encode()


@pytest.mark.parametrize("format", FORMATS)
def test_a_fresh_file_reads_as_it_was_written(format: str) -> None:
    cues = [
        Cue(at(0.5, 2), "One & two\nthree \u2028 \"'😀", "a"),
        Cue(at(2, 2.004), "x"),
        Cue(at(3599.996, 3600.5), "é {b} a > b"),
        Cue(at(360_000, 360_001), "long after"),
    ]
    data = compose(cues, format)
    assert data == compose(cues, format)
    read_ = parse_subtitles(data, format)
    assert texts(read_) == [cue.text for cue in cues]
    assert read_.notices == () or format == "ttml"
    step = 0.01 if format == "ass" else 0.001
    for cue, found in zip(cues, read_.cues, strict=True):
        assert found.span.start == pytest.approx(cue.span.start, abs=step / 2 + 1e-9)
        assert found.span.end == pytest.approx(cue.span.end, abs=step + 1e-9)
        assert found.span.duration > 0
    early = parse_subtitles(compose([Cue(at(-3, -1), "a\r\n\r\nb\x00")], format), format)
    assert early.cues[0].span.start == 0 < early.cues[0].span.end <= 0.01
    assert "\x00" not in early.cues[0].text


def test_what_an_encoding_lacks_of_a_new_tier_becomes_a_question_mark() -> None:
    """Found by faults.fuzz: an escape character is U+FFFD in the new tier, which Windows-1252 has not."""
    text = compose([Cue(at(1, 2), "Größe")], "textgrid").decode().replace("öße", "öße \x1b!")
    out = retimed(parse_subtitles(text.encode("cp1252"), "textgrid"), [at(5, 6)])
    again = parse_subtitles(out, "textgrid", tier="signloom-2")
    assert (texts(again), spans(again)) == (["Größe ?!"], [(5, 6)])


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16-le", "utf-16-be", "cp1252", "crlf", "cr"])
@pytest.mark.parametrize("format", FORMATS)
def test_encodings_and_line_breaks_stay(format: str, codec: str) -> None:
    text = compose([Cue(at(1, 2), "Größe – “ja”\nzwei"), Cue(at(3, 4), "é")], format).decode()
    if codec in ("crlf", "cr"):
        data = text.replace("\n", "\r\n" if codec == "crlf" else "\r").encode()
    else:
        mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
        text = text.replace("UTF-8", {"cp1252": "windows-1252"}.get(codec, "UTF-8"))
        data = mark.get(codec, b"") + text.encode(codec)
    read_ = parse_subtitles(data, format)
    assert texts(read_)[1] == "é"
    noticed = any("read as Windows-1252" in notice for notice in read_.notices)
    assert noticed == (codec == "cp1252" and format not in ("eaf", "ttml"))
    out = retimed(read_, [at(5, 6), None])
    tier = "signloom-2" if format in ("eaf", "textgrid") else None
    again = parse_subtitles(out, format, tier=tier)
    assert sorted(spans(again)) == [(3, 4), (5, 6)]
    if tier is None:
        assert out.translate(None, b"0123456789") == data.translate(None, b"0123456789")
        assert retimed(read_, [cue.span for cue in read_.cues]) == data


def test_a_span_that_is_not_empty_stays_so_and_halves_go_up() -> None:
    coarse = "WEBVTT\n\n00:00:01.0 --> 00:00:02.0\nx\n\n00:00:01 --> 00:00:02.0000\nx\n"
    out = retimed(read("vtt", coarse), [at(1.25, 1.26), at(3.5, 3.9)])
    assert out == replaced(
        coarse,
        ("00:00:01.0 --> 00:00:02.0\n", "00:00:01.3 --> 00:00:01.4\n"),
        ("00:00:01 --> 00:00:02.0000", "00:00:04 --> 00:00:04.0001"),
    )
    fine = "WEBVTT\n\n00:00:01.0001234567890123 --> 00:00:02.9\nx\n"
    exact = read("vtt", fine)
    assert retimed(exact, [cue.span for cue in exact.cues]) == fine.encode()


def test_a_cue_that_ends_before_it_starts() -> None:
    text = "WEBVTT\n\n00:05.000 --> 00:04.000\nx\n"
    read_ = read("vtt", text)
    assert spans(read_) == [(5, 5)]
    assert read_.notices == (
        "line 3: cue 1 ends at 4 s, before it starts at 5 s; it is read as empty, at its start",
    )
    assert retimed(read_, [read_.cues[0].span]) == text.encode()
    assert retimed(read_, [at(5, 6)]) == replaced(text, ("00:04.000", "00:06.000"))
    assert retimed(read_, [at(4, 5)]) == replaced(
        text, ("00:05.000 --> 00:04.000", "00:04.000 --> 00:05.000")
    )


def test_notices_of_one_kind_are_counted() -> None:
    read_ = read("srt", "".join(f"00:00:{n:02},0 --> 00:00:{n:02},5\nx\n\n" for n in range(50)))
    assert len(read_.notices) == 21
    assert read_.notices[-1] == "30 more like the last: no number"


REFUSED = [
    ("vtt", "", r"x\.vtt is empty; expected a subtitle file with at least one cue"),
    ("srt", " \n", r"x\.srt is empty"),
    ("vtt", "\ufeff\n", r"x\.vtt is empty"),
    ("vtt", "WEBVTT\n\nNOTE x", r"x\.vtt has no cue; expected at least one text with a start"),
    ("srt", "hello", r"x\.srt has no cue"),
    ("ass", "[Events]\n", r"x\.ass has no cue"),
    ("ttml", "<tt><body/></tt>", r"x\.ttml has no cue"),
    ("json", "[]", r"x\.json has no cue"),
    ("vtt", SRT, r"is not WebVTT: line 1 is '1', expected 'WEBVTT'; if it is another format"),
    ("srt", VTT, r"is not SubRip: line 1 is 'WEBVTT - weather', so it is WebVTT; .* ending \.vtt"),
    ("ass", "hello", r"is not ASS or SSA: it has no section such as \[Events\]"),
    ("vtt", "WEBVTT\n\n00:0a.0 --> 1", r"line 3: cannot read the times in '00:0a.0 --> 1'; exp"),
    ("vtt", "WEBVTT\n\n00:01.000 --> 00:0٢.000", r"line 3: cannot read the times"),
    ("vtt", VTT.replace("04.000", "04.x"), r"line 16: cannot read the times in '00:04.x "),
    ("srt", SRT.replace("08:00", "08:25"), r"line 16: '00:00:08:25' has a frame that 25 frames"),
    ("srt", "1\nsoon --> later\nx", r"line 2: cannot read the times in 'soon --> later'"),
    ("srt", SRT + "a\n0:1 ,5 --> 2\n", r"line 19: cannot read the times"),
    ("ass", ASS.replace("0:00:01.00 ", "x"), r"line 7: cannot read the time 'x'; expected H:MM"),
    ("ass", ASS.replace(",{\\k20}One, {\\b1}two", ""), r"line 7: this Dialogue has 3 columns, exp"),
    ("ass", ASS.replace("End, ", ""), r"line 5: the Format line names start, layer, text; expect"),
    ("ttml", TTML.replace("20:15", "20:30"), r'line 7: cannot read the time begin="00:00:20:30"'),
    ("ttml", TTML.replace("</tt:div>", "", 1), r"line 8: not well-formed XML \(mismatched tag"),
    ("ttml", EAF, r"not TTML: its root element is <ANNOTATION_DOCUMENT>, .* the ending \.eaf"),
    (
        "ttml",
        TTML.replace("<tt:div", '<tt:div timeContainer="seq"', 1),
        r'line 3: timeContainer="s',
    ),
    ("ttml", TTML.replace('"1000 1001"', '"1"'), r"frameRateMultiplier is '1', expected two whole"),
    ("ttml", TTML.replace('"1200"', '"0"'), r"tickRate is '0', expected a whole number from 1"),
    ("ttml", "<tt>" + "<p>" * 300, r"line 1: elements are nested deeper than 200"),
    ("eaf", TTML, r"is not EAF: its root element is <tt>, .* the ending \.ttml"),
    ("eaf", EAF.replace('"3000"', '"3s"'), r'line 9: cannot read the time TIME_VALUE="3s"; expec'),
    ("eaf", EAF.replace("milliseconds", "PAL-frames"), r"line 3: times are in 'PAL-frames', expec"),
    (
        "eaf",
        EAF.replace("Subtitles ", ""),
        r"x\.eaf has 2 tiers with annotations, .* name one \(tier\): 'glosses' \(1\), '<en>' \(2\)",
    ),
    ("eaf", EAF.replace('REF2="ts9"', 'REF2="ts8"'), r"'a12' refers to the time slot 'ts8', which"),
    ("json", "[{]", r"line 1: not JSON \(Expecting property name"),
    ("json", "{}", r"holds an object with the keys ; expected a list of"),
    ("json", '[{"start": 1}]', r"cue 1 has no time under 'end', only 'start'; expected a list"),
    ("json", '[{"start": 1,\n "end": "x"}]', r"line 2: cannot read the end of cue 1, '\"x\"'"),
    ("json", '[{"start": NaN, "end": 1}]', r"is not JSON \(it holds NaN\)"),
    ("json", "[" * 100_000, r"is not JSON"),
    ("json", "[3]", r"item 1 is a number; expected a list"),
    ("json", '[{"start":1,"end":2,"text":{}}]', r"the text of cue 1 is an object .*expected a str"),
    ("json", '[{"start":1,"end":2,"text":"\\u0000"}]', r"the text of cue 1 holds a NUL character"),
    ("textgrid", "x", r"is not a TextGrid in text form: it begins with 'x', expected 'File type"),
    ("textgrid", GRID[:-60], r"the file ends where .* is expected; it seems to be cut off"),
    ("textgrid", GRID.replace("xmax = 2 ", 'xmax = "2"'), r"line 30: found '\"2\"', expected a ti"),
    (
        "vtt",
        VTT[1:] + "\x00",
        r"holds a NUL byte at [0-9]+: it is binary, or UTF-16 without a byte or",
    ),
    ("srt", "x" * (MOST_BYTES + 1), r"x\.srt has more than 10,485,760 bytes"),
]


@pytest.mark.parametrize(("format", "text", "said"), REFUSED, ids=lambda value: str(value)[:30])
def test_files_that_are_refused(format: str, text: str, said: str) -> None:
    with pytest.raises(SubtitleError, match=said):
        read(format, text)


def test_tiers_that_are_not_there() -> None:
    with pytest.raises(SubtitleError, match=r"has no tier 'x'; .*'glosses' \(1\), 'Subtitles <en>"):
        read("eaf", tier="x")
    with pytest.raises(
        SubtitleError, match=r"no interval tier 'taps'; .*'taps' \(points\), 'words"
    ):
        read("textgrid", tier="taps")
    with pytest.raises(UsageError, match=r"x.vtt is vtt, which has no tiers; leave out tier 'a'"):
        read("vtt", tier="a")


def test_a_doctype_is_refused_before_it_expands() -> None:
    laughs = '<!DOCTYPE tt [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><tt><body><p>&b;</p></body></tt>'
    for format in ("ttml", "eaf"):
        with pytest.raises(SubtitleError, match=rf"x.{format}, line 1: the file has a DOCTYPE"):
            read(format, laughs)
    with pytest.raises(SubtitleError, match=r"line 1: not well-formed XML .undefined entity"):
        read("ttml", "<tt>&b;</tt>")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (codecs.BOM_UTF32_LE + b"\x00\x00", r"a\.srt is UTF-32, expected UTF-8"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", r"a\.srt begins as UTF-16-LE but cannot be read"),
        (codecs.BOM_UTF16_LE + b"1\x00\x00\x00", r"a\.srt holds a NUL character at position 2"),
        (codecs.BOM_UTF8 + b"\xff", r"a\.srt begins as UTF-8 but cannot be read as such at byte 3"),
        (b"\x89PNG\r\n\x1a\n\x81\x01", r"a\.srt is not text in a known encoding: it is not UTF-8"),
    ],
)
def test_unreadable_encodings(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "a.srt").write_bytes(data)
    with pytest.raises(SubtitleError, match=said):
        read_subtitles(tmp_path / "a.srt")


def test_too_many_cues(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_CUES == 20_000
    monkeypatch.setattr("signloom.text.formats.parsed.MOST_CUES", 5)
    for format in FORMATS:
        five = compose([Cue(at(n, n + 1), "x") for n in range(5)], format)
        six = compose([Cue(at(n, n + 1), "x") for n in range(6)], format)
        assert len(parse_subtitles(five, format).cues) == 5
        with pytest.raises(SubtitleError, match="x has more than 5 cues, the most that are read;"):
            parse_subtitles(six, format, "x")


def test_too_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signloom.text.formats.source.MOST_LINES", 18)
    assert len(read("ass").cues) == 2
    with pytest.raises(
        SubtitleError, match=r"x\.srt has more than 18 lines, the most that are read"
    ):
        read("srt", SRT + SRT)


def test_files_by_their_ending(tmp_path: Path) -> None:
    for suffix, format in SUFFIXES.items():
        path = tmp_path / f"a{suffix.upper()}"
        path.write_bytes(EXAMPLES[format].encode())
        assert read_subtitles(path).format == format
    assert set(SUFFIXES.values()) == set(FORMATS)
    with pytest.raises(
        SubtitleError, match=r"a\.sub has the ending '\.sub', expected one of \.vtt"
    ):
        read_subtitles(tmp_path / "a.sub")
    with pytest.raises(SubtitleError, match=r"subtitles .*none\.vtt cannot be read: No such file"):
        read_subtitles(tmp_path / "none.vtt")
    with pytest.raises(UsageError, match="unknown subtitle format 'sub', expected one of vtt, srt"):
        compose([], "sub")


def test_writing_keeps_converts_and_refuses(tmp_path: Path) -> None:
    read_ = read("vtt")
    new = [at(1.5, 3), None, None]
    write_retimed(read_, new, tmp_path / "out.vtt")
    assert (tmp_path / "out.vtt").read_bytes() == retimed(read_, new)
    write_retimed(read_, new, tmp_path / "out.json")
    converted = json.loads((tmp_path / "out.json").read_text())
    assert converted[0] == {
        "start": 1.5,
        "end": 3.0,
        "text": "One & two \u2028 three",
        "id": "first",
    }
    with pytest.raises(UsageError, match="exists already; choose another name or pass --overwrite"):
        write_retimed(read_, new, tmp_path / "out.vtt")
    write_retimed(read_, [None] * 3, tmp_path / "out.vtt", overwrite=True)
    assert (tmp_path / "out.vtt").read_bytes() == VTT.encode()
    with pytest.raises(ValueError, match="1 spans for 3 cues; give one for each, or None"):
        retimed(read_, [None])
    with pytest.raises(SubtitleError, match=r"has the ending '\.mp4', expected one of"):
        write_retimed(read_, new, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.json", "out.vtt"]
