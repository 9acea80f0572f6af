"""The report page: what the player reads, what the page says, and that it needs nothing else."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC, PS76
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.metrics.score import Score
from signloom.web.report import (
    MISSING,
    NOTICE,
    TEMPLATE,
    Example,
    ScoreTable,
    differing,
    drawn_edges,
    packed,
    render,
)


@pytest.fixture
def example() -> Example:
    """Ten frames of points spread over a picture of 640 × 480, the left hand unseen in frame 3."""
    rng = np.random.default_rng(1)
    points = (rng.random((10, 76, 3)) * (640, 480, 0)).astype(np.float32)
    confidence = np.ones((10, 76), np.float32)
    confidence[3, PS76.part("left_hand")] = 0
    clip = PoseClip(points, confidence, 25.0, PS76)
    glosses = (GlossSpan("RAIN", Span(0.04, 0.2)), GlossSpan("</script>"))
    return Example(clip, "the <b>rain</b> falls", "the rain & wind", glosses, "signer-1")


def score(name: str, value: float) -> Score:
    return Score(name, value, f"signature of {name}", 8, 0, (value - 5, value + 5))


def page(*examples: Example) -> str:
    rows = {
        "mine": [score("BLEU-4", 61.5), score("chrF2", 70.0), score("content-F1", 66.0)],
        "shuffled input": [score("BLEU-4", 9.5), score("chrF2", 20.0), score("content-F1", 5.0)],
    }
    table = ScoreTable("A test split", rows, {"shuffled input": "another clip's output"})
    return render(examples, [table], {"Method": "a<b"}, "Eight sentences", simulated=True)


class Reader(HTMLParser):
    """Counts tags and collects text, attributes and the embedded data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.attributes, self.data = "", [], [], ""
        self.inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.inside = "data" if ("id", "data") in attrs else tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = None

    def handle_data(self, data: str) -> None:
        if self.inside == "data":
            self.data += data
        elif self.inside not in ("script", "style"):
            self.text += data


def test_the_player_gets_the_points_back_to_a_pixel_fraction(example: Example) -> None:
    clip, known = example.clip, packed(example)
    points = np.frombuffer(base64.b64decode(known["points"]), "<i2")
    points = points.reshape(known["frames"], known["keypoints"], 2).astype(float)
    kept = sorted({keypoint for edge in drawn_edges(clip.layout) for keypoint in edge})
    seen = clip.present[:, kept]
    assert ((points == MISSING).all(axis=2) == ~seen).all()
    # One scale and one shift bring them back: both axes alike, so nobody is stretched.
    truth = clip.points[:, kept, :2][seen].astype(float)
    x, y = (
        np.polyfit(points[seen][:, 0], truth[:, 0], 1),
        np.polyfit(*points[seen].T[1:], truth[:, 1], 1),
    )
    assert x[0] == pytest.approx(y[0], rel=1e-3)
    assert np.abs(points[seen] * x[0] + (x[1], y[1]) - truth).max() < 0.5
    assert known["box"][0] == pytest.approx(known["box"][1] * 640 / 480, rel=0.05)


def test_what_is_drawn_is_hands_face_and_upper_body() -> None:
    drawn = {HOLISTIC.keypoints[k] for edge in drawn_edges(HOLISTIC) for k in edge}
    assert "LEFT_HAND_LANDMARKS:WRIST" in drawn
    assert "POSE_LANDMARKS:LEFT_ELBOW" in drawn
    assert not [k for k in drawn if k.startswith("POSE_WORLD") or "KNEE" in k or "NOSE" in k]
    body_alone = replace(HOLISTIC, keypoints=HOLISTIC.keypoints[:33], articulators=("body",) * 33,
                         edges=HOLISTIC.edges[:35], mirror=())  # fmt: skip
    assert "POSE_LANDMARKS:NOSE" in {
        body_alone.keypoints[k] for edge in drawn_edges(body_alone) for k in edge
    }


def test_a_clip_in_which_nothing_is_seen_still_packs(example: Example) -> None:
    empty = replace(example.clip, confidence=np.zeros((10, 76), np.float32))
    assert packed(replace(example, clip=empty))["frames"] == 10


def test_differing_words_are_marked_on_both_sides() -> None:
    assert differing("the dog sleeps", "a dog sleeps well") == [
        ("the", True),
        ("dog sleeps", False),
    ]
    assert differing("", "a dog") == []


def test_texts_are_escaped_and_marked_for_ears_too(example: Example) -> None:
    html = page(example)
    assert "<b>" not in html
    read = Reader(html)
    assert "not in the reference: <b>rain</b> falls" in read.text
    assert "not written: rain & wind" in read.text
    assert "a<b" in read.text
    assert json.loads(read.data)[0]["glosses"] == [["RAIN", 0.04, 0.2]]


def test_the_page_says_simulated_and_shows_scores_with_intervals(example: Example) -> None:
    text = Reader(page(example)).text
    for said in (NOTICE, "61.5", "56.5 – 66.5", "signature of chrF2", "another clip's output"):
        assert said in text
    assert NOTICE not in render([example], [], {}, "", simulated=False)


def test_the_page_loads_nothing_and_plays_nothing_by_itself(example: Example) -> None:
    html = page(example, example)
    read = Reader(html)
    html = html.replace(read.data, "")  # points in base64 may spell anything
    assert not re.search(r"https?:|//[a-z]|@import|url\(|fetch\(|XMLHttp|eval\(", html)
    assert not {"link", "img", "iframe", "object", "video"} & set(read.tags)
    assert "src" not in {name for name, _ in read.attributes}
    assert "<!--" not in html.replace("<!doctype", "")
    assert "autoplay" not in html
    assert html.count('data-which="') == 2


def test_colours_have_the_contrast_that_reading_needs() -> None:
    style = TEMPLATE.read_text(encoding="utf-8")
    light = dict(re.findall(r"--([\w-]+): (#\w{6})", style.split("prefers-color-scheme")[0]))
    dark = dict(re.findall(r"--([\w-]+): (#\w{6})", style.split("prefers-color-scheme")[1]))
    assert light.keys() == dark.keys()

    def luminance(colour: str) -> float:
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        low, high = sorted((luminance(one), luminance(other)))
        return (high + 0.05) / (low + 0.05)

    for theme in (light, dark):
        for ink in ("ink", "soft", "extra", "missed", "accent"):
            for ground in ("paper", "card"):
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
        assert contrast(theme["accent-ink"], theme["accent"]) >= 4.5
        assert contrast(theme["note-ink"], theme["note"]) >= 4.5
        for drawn in ("body", "face", "left_hand", "right_hand"):
            assert contrast(theme[drawn], theme["stage"]) >= 3, drawn
