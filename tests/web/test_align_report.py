"""The alignment report: everything said is on the page, and the page needs nothing else."""

from __future__ import annotations

import base64
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.data.clip import SIMULATED, PoseClip
from signloom.data.layouts import MP203
from signloom.errors import UsageError
from signloom.inference.retime import clock
from signloom.web.align_report import (
    FPS,
    MOVING_BYTES,
    SIMULATED_NOTE,
    TEMPLATE,
    level,
    rendered,
    thinned,
    write_align_report,
)
from signloom.web.report import packed_clip

HOSTILE = "</script><img src=x onerror=alert(1)>"


def cue(number: int, start: float, confidence: float = 0.9, **changed: Any) -> dict[str, Any]:
    """A cue of 2 s that moves by 1.5 s and an own number of milliseconds."""
    new = start + 1.5 + number / 1000
    return {
        "number": number, "id": str(number), "text": f"Sentence number {number}.",
        "old": {"start": start, "end": start + 2}, "new": {"start": new, "end": new + 2.1},
        "shift": round(new - start, 3), "confidence": confidence, "flags": [],
    } | changed  # fmt: skip


def report(cues: list[dict[str, Any]], **changed: Any) -> dict[str, Any]:
    """What ``signloom align --report r.json`` says of these cues."""
    return {
        "signloom": "0.1.0", "media": "episode.mp4", "pose": "episode.pose",
        "subtitles": "in/speech <1>.vtt", "subtitles_sha256": "ab" * 32, "output": "out/new.vtt",
        "duration": max(c["new"]["end"] for c in cues) + 5, "fps": 25.0, "layout": "mp203",
        "origin": {"extractor": "mediapipe-tasks", "version": "0.10", "settings": {}},
        "method": "no training: activity & lag",
        "settings": {"offset": None, "max_shift": 60.0, "locked": [], "on_low": "prior", "low": 0.25},
        "timecode": 0.0, "lag": 1.682, "seconds_per_unit": 0.05268, "confidence": 0.8337, "low": 1,
        "stages": {"read subtitles": {"seconds": 0.1, "x_real_time": 9.0},
                   "align": {"seconds": 0.1, "x_real_time": 1569.2}},
        "cues": cues, "worst": [c["number"] for c in sorted(cues, key=lambda c: c["confidence"])],
        "signing": [c["new"] for c in cues], "phrases": [c["new"] for c in cues],
    } | changed  # fmt: skip


def moment(frames: int = 50, fps: float = 25.0) -> PoseClip:
    """A clip in which frame k has every point at x = k."""
    points = np.zeros((frames, 203, 3), np.float32)
    points[:, :, 0] = np.arange(frames)[:, None]
    points[:, :, 1] = np.linspace(0, 100, 203)
    return PoseClip(points, np.ones((frames, 203), np.float32), fps, MP203)


class Page(HTMLParser):
    """The tags in order, the text under each of some tags, and the embedded clips."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.data, self.inside = "", "", ""
        self.cell = False
        self.rows: list[list[str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.inside = "data" if ("id", "data") in attrs else tag
        if tag == "tr":
            self.rows.append([])
        if tag in ("th", "td"):
            self.rows[-1].append("")
            self.cell = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = "" if tag in ("script", "style") else self.inside
        self.cell = self.cell and tag not in ("th", "td")

    def handle_data(self, data: str) -> None:
        if self.inside == "data":
            self.data += data
        elif not self.inside:
            self.text += data
            if self.cell:
                self.rows[-1][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def said() -> dict[str, Any]:
    return report([
        cue(1, 4.64),
        cue(2, 58.0, 0.5, text=f"{HOSTILE} <b>bold</b>\n& more <!--data-->"),
        cue(3, 70.0, 0.1, flags=["low", "prior"]),
        cue(4, 80.0, 1.0, flags=["not speech"]),
    ])  # fmt: skip


def test_all_numbers_of_every_cue_and_of_the_whole_are_on_the_page(said: dict[str, Any]) -> None:
    page = Page(rendered(said, {3: moment()}))
    head, *rows = page.rows
    assert head == ["Cue", "Text", "Given", "Aligned", "Shift, s", "Confidence", "Flags"]
    words = {1: "0.90 high", 2: "0.50 medium", 3: "0.10 low", 4: "not placed"}
    for c, row in zip(said["cues"], rows, strict=True):
        old, new = (f"{clock(c[w]['start'])}–{clock(c[w]['end'])}" for w in ("old", "new"))
        assert row == [
            str(c["number"]), c["text"], old, new, f"{c['shift']:+.3f}", words[c["number"]],
            ", ".join(c["flags"]),
        ]  # fmt: skip
    assert rows[0][2] == "00:00:04.640–00:00:06.640"
    for told in (
        "in/speech <1>.vtt", "episode.mp4 with episode.pose", "out/new.vtt", "+1.68 s", "0.83 (mean)",
        "4, of which 3 were placed", "1 of 3", "align 1,569.2×", "no training: activity & lag",
        "mediapipe-tasks 0.10", "max_shift 60.0", "ab" * 32, "high from 0.75, low below 0.25",
        "follow the speech", "second track",
    ):  # fmt: skip
        assert told in page.text, told
    patterns = [i["class"] for i in page.all("i")]
    assert patterns[-4:] == ["high", "medium", "low", "not-placed"]


def test_texts_are_escaped(said: dict[str, Any]) -> None:
    said |= {"media": HOSTILE, "output": "<b>", "method": HOSTILE, "layout": '"><b>'}
    said["origin"]["extractor"] = HOSTILE
    said["cues"][2] |= {"flags": ["<b>"], "text": HOSTILE}
    html = rendered(said, {2: moment(), 3: moment()})
    page = Page(html)
    assert "<b>" not in html
    assert HOSTILE not in html
    assert page.text.count(HOSTILE) == 7  # cue 2 and 3 twice each, files, method, extractor
    assert not page.all("img")
    assert "onerror" not in {name for _, attributes in page.tags for name in attributes}
    assert len(page.all("script")) == 3
    assert json.loads(page.data).keys() == {"2", "3"}


def test_simulated_is_said_only_where_it_is(said: dict[str, Any]) -> None:
    assert SIMULATED_NOTE not in rendered(said, {})
    said["origin"]["extractor"] = SIMULATED
    assert SIMULATED_NOTE in Page(rendered(said, {})).text


def test_the_page_loads_nothing_and_plays_nothing_by_itself(said: dict[str, Any]) -> None:
    html = rendered(said, {2: moment(), 3: moment()})
    page = Page(html)
    html = html.replace(page.data, "")  # points in base64 may spell anything
    assert not re.search(
        r"https?:|[\"'(=]//|@import|url\((?!#)|fetch\(|XMLHttp|eval\(|autoplay", html
    )
    assert not {"link", "img", "iframe", "object", "video", "audio", "base"} & {
        t for t, _ in page.tags
    }
    assert not {"src", "href", "srcset"} & {
        name for _, attributes in page.tags for name in attributes
    }
    assert "default-src 'none'" in html
    assert "<!--" not in html.replace("<!--data--&gt;", "")
    assert "prefers-reduced-motion" in html
    assert html.count("function drawSkeleton(") == 1


def test_the_page_is_built_for_ears_and_keys_too(said: dict[str, Any]) -> None:
    page = Page(rendered(said, {2: moment(), 3: moment()}))
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(headings))
    assert page.all("html") == [{"lang": "en"}]
    assert [th.get("scope") for th in page.all("th")] == ["col"] * 7 + ["row"] * 4
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {b["aria-describedby"] for b in page.all("button")} == {"cue-2", "cue-3"} <= set(ids)
    assert all(one.get("aria-label") for tag in ("input", "canvas") for one in page.all(tag))
    # Nobody knows the language of a cue.
    assert all(td["lang"] == "" for td in page.all("td") if td.get("class") == "text")


def test_worst_cues_come_first_and_move_where_there_are_poses(said: dict[str, Any]) -> None:
    page = Page(rendered(said, {3: moment(), 2: moment(0), 1: moment(25)}))
    assert [li["data-number"] for li in page.all("li")] == ["3", "2", "1", "4"]
    clips = json.loads(page.data)
    assert {number: clip["frames"] for number, clip in clips.items()} == {"3": 25, "1": 13}
    assert clips["3"] == packed_clip(thinned(moment()))
    assert page.text.count("No poses are shown at this moment.") == 2
    nothing = Page(rendered(report([cue(1, 0.0)], worst=[]), {}))
    assert "No cue was placed by the signing" in nothing.text


@pytest.mark.parametrize(
    ("fps", "frames", "expected"),
    [(25.0, 50, range(0, 50, 2)), (25.0, 1000, range(0, 200, 2)), (10.0, 30, range(30)),
     (50.0, 41, range(0, 41, 4)), (30.0, 12, (0, 2, 4, 7, 9)), (25.0, 1, (0,))],
)  # fmt: skip
def test_a_moment_keeps_its_speed_at_fewer_frames(fps: float, frames: int, expected: Any) -> None:
    clip = thinned(moment(frames, fps))
    assert clip.points[:, 0, 0].tolist() == list(expected)
    assert clip.fps == min(fps, FPS)


def test_the_timeline_draws_a_cue_in_every_minute_it_touches(said: dict[str, Any]) -> None:
    # Cue 2 is given at 58 – 60 s, aligned at 59.502 – 61.602 s: drawn in both minutes.
    page = Page(rendered(said, {}))
    labels = [svg["aria-label"] for svg in page.all("svg") if svg.get("role") == "img"]
    assert labels == [
        "Minute from 00:00:00: cues 1 to 2, as given above as aligned",
        "Minute from 00:01:00: cues 2 to 4, as given above as aligned",
    ]
    given = [float(r["x"] or 0) for r in page.all("rect") if r.get("class") == "given"]
    assert given == pytest.approx([90 + 20 * s for s in (4.64, 58, 10, 20)], abs=0.5)
    aligned = [(float(r["x"] or 0), float(r["width"] or 0), r["fill"])
               for r in page.all("rect") if r.get("class") == "bar"]  # fmt: skip
    assert [fill for *_, fill in aligned] == [
        "url(#high)", "url(#medium)", "url(#medium)", "url(#low)", "url(#not-placed)"
    ]  # fmt: skip
    assert aligned[1][:2] == pytest.approx((90 + 20 * 59.502, 20 * 0.498), abs=0.5)
    assert aligned[2][:2] == pytest.approx((90, 20 * 1.602), abs=0.5)


def test_a_clock_that_starts_late_or_a_cue_without_an_end_draws_no_endless_timeline() -> None:
    late = report([cue(1, 36_004.0), cue(2, 36_010.0)], timecode=36_000.0, duration=20.0)
    late["cues"][1]["old"]["end"] = 1e9
    assert rendered(late, {}).count("Minute from 10:00:00") == rendered(late, {}).count(
        "Minute from"
    )


def test_confidence_has_words() -> None:
    assert level(cue(1, 0, 0.75), 0.25) == "high"
    assert level(cue(1, 0, 0.7499), 0.25) == level(cue(1, 0, 0.25), 0.25) == "medium"
    assert (
        level(cue(1, 0, 0.2499), 0.25) == level(cue(1, 0, 0.9, flags=["no signing"]), 0.0) == "low"
    )
    assert level(cue(1, 0, 1.0, flags=["locked"]), 0.25) == "not placed"


def test_a_long_episode_stays_small(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cues = [cue(k + 1, 4.0 * k, float(c), text="A sentence that is as long as a line of subtitles. " * 2)
            for k, c in enumerate(rng.random(1200))]  # fmt: skip
    noise = (rng.random((1500, 203, 3)) * 500).astype(np.float32)
    clip = PoseClip(noise, np.ones((1500, 203), np.float32), 25.0, MP203)
    said = report(cues)
    write_align_report(said, dict.fromkeys(said["worst"], clip), tmp_path / "r.html", False)
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert len(html.encode()) < 5_000_000
    page = Page(html)
    clips = json.loads(page.data)
    assert list(clips) == [str(number) for number in said["worst"][:30]]
    assert "1170 more are in the table below" in page.text
    assert len(page.rows) == 1201
    assert sum(len(base64.b64decode(c["points"])) for c in clips.values()) * 4 / 3 < MOVING_BYTES


def test_an_existing_page_is_not_overwritten_unasked(said: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "r.html"
    path.write_text("mine")
    with pytest.raises(
        UsageError, match=r"r\.html exists already; choose another name or pass --ov"
    ):
        write_align_report(said, {}, path, overwrite=False)
    assert path.read_text() == "mine"
    write_align_report(said, {3: moment()}, path, overwrite=True)
    assert path.read_text(encoding="utf-8") == rendered(said, {3: moment()})
    assert list(tmp_path.iterdir()) == [path]


def test_colours_have_the_contrast_that_reading_needs() -> None:
    style = TEMPLATE.read_text(encoding="utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", part))
        for part in style.split("prefers-color-scheme")[:2]
    )
    assert light.keys() == dark.keys()

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for theme in (light, dark):
        for ink in ("ink", "soft", "accent"):
            for ground in ("paper", "card"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
        assert contrast(theme["accent-ink"], theme["accent"]) >= 4.5
        assert contrast(theme["note-ink"], theme["note"]) >= 4.5
        assert contrast(theme["low"], theme["card"]) >= 4.5
        for drawn in ("body", "face", "left_hand", "right_hand"):
            assert contrast(theme[drawn], theme["stage"]) >= 3, drawn
