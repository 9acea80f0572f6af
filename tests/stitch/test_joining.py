"""Trimming, cutting and blending with planted motion; order rules and joining in the stitcher."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.cli.main import main
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76
from signloom.data.lexicon import Lexicon
from signloom.errors import UsageError
from signloom.simulator.corpora import SimulatedWords
from signloom.stitch.joining import (
    FLUENT,
    LEAST,
    NAIVE,
    Joining,
    capped,
    minimum_jerk,
    signing_frames,
    transition,
    trimmed,
)
from signloom.stitch.stitcher import StitchedSentences, stitch
from signloom.text.clean import words_of
from tests.stitch.test_stitcher import flat, lexicon, rng

NAMES = {name: i for i, name in enumerate(PS76.keypoints)}
SHOULDERS = [NAMES["POSE_LANDMARKS:LEFT_SHOULDER"], NAMES["POSE_LANDMARKS:RIGHT_SHOULDER"]]


def citation(rest: int, up: int, sign: int, fps: float = 25.0, scale: float = 100.0) -> PoseClip:
    """A right hand that rests low, comes up in ``up`` frames, circles, goes down, rests; left one rests."""
    s = minimum_jerk(np.linspace(0, 1, up + 2)[1:-1])
    turn = np.arange(sign) / fps * 2 * np.pi * 2
    heights = np.r_[
        np.full(rest, 1.4), 1.4 - 1.1 * s, 0.3 + 0.15 * np.sin(turn), 0.3 + 1.1 * s, np.full(rest, 1.4)
    ]  # fmt: skip
    across = np.r_[np.zeros(rest + up), 0.15 * np.cos(turn) - 0.15, np.zeros(rest + up)]
    points = np.zeros((len(heights), len(PS76), 3))
    points[:, SHOULDERS[0], 0], points[:, SHOULDERS[1], 0] = 0.5, -0.5
    points[:, PS76.part("left_hand")] = (0.4, 1.4, 0)
    hand = PS76.part("right_hand")
    points[:, hand, 0] = -0.4 + across[:, None]
    points[:, hand, 1] = heights[:, None]
    for side, part in (("LEFT", "left_hand"), ("RIGHT", "right_hand")):
        points[:, NAMES[f"POSE_LANDMARKS:{side}_WRIST"]] = points[:, PS76.part(part)[0]]
    points = points * scale + 300
    seen = np.ones(points.shape[:2], np.float32)
    return PoseClip(points.astype(np.float32), seen, fps, PS76, id="sign", size=(640, 480))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 40), st.integers(6, 11), st.integers(8, 40), st.sampled_from([25.0, 24.0, 50.0]), st.floats(20, 500))  # fmt: skip
def test_rest_goes_and_the_sign_stays(
    rest: int, up: int, sign: int, fps: float, scale: float
) -> None:
    up, sign = round(up * fps / 25), round(sign * fps / 25)
    clip = citation(rest, up, sign, fps, scale)
    first, last = signing_frames(clip)
    # Cut within the way up and within the way down, whatever the size of the picture.
    assert (rest if rest else 0) <= first <= rest + up
    assert rest + up + sign <= last <= len(clip) - rest
    again = signing_frames(trimmed(clip))
    assert again == (0, last - first)


def test_what_has_no_rest_to_cut_stays_whole() -> None:
    still = citation(20, 8, 20).frames(np.zeros(20, int))
    assert signing_frames(still) == (0, 20)
    tight = citation(0, 8, 30).frames(slice(8, 38))
    assert trimmed(tight) is tight
    twitch = citation(20, 8, 20).frames(slice(22, 25))
    assert signing_frames(twitch) == (0, 3)
    assert trimmed(flat(5, 2)) is not None
    bodyless = flat(5, 30)
    assert signing_frames(bodyless) == (0, 30)
    gone = bodyless.with_points(bodyless.points, 0 * bodyless.confidence)
    assert signing_frames(gone) == (0, 30)


def test_hands_alone_are_trimmed_where_they_are_not_seen() -> None:
    points = np.zeros((50, 42, 3), np.float32)
    points[:, :, 0] = np.cumsum(np.full(50, 4.0))[:, None]
    points[:, 9, 1] = points[:, 30, 1] = 30
    seen = np.zeros((50, 42), np.float32)
    seen[15:38, 21:] = 1
    clip = PoseClip(points, seen, 25.0, HANDS42, size=(640, 480))
    first, last = signing_frames(clip)
    assert 15 <= first <= 20
    assert 34 <= last <= 38


def test_simulated_signs_keep_what_is_signed() -> None:
    source = SimulatedWords("tiny", "train", PS76)
    kept, shorter = [], []
    for index in range(25):
        sample = source[index]
        span = sample.glosses[0].span
        assert span is not None
        start, end = span.frames(sample.clip.fps, len(sample.clip))
        first, last = signing_frames(sample.clip)
        kept.append(max(0, min(last, end) - max(first, start)) / (end - start))
        shorter.append((last - first) / len(sample.clip))
    assert np.mean(kept) > 0.95
    assert np.mean(shorter) < 0.8


def test_long_signs_are_cut_to_their_middle() -> None:
    clip = citation(10, 8, 40)
    cut = capped(clip, 0.8)
    assert len(cut) == 20
    before = (len(clip) - 20) // 2
    assert np.array_equal(cut.points, clip.points[before : before + 20])
    assert capped(clip, 10.0) is clip
    assert len(capped(clip, 0.001)) == 1


def test_a_transition_is_a_minimum_jerk_reach() -> None:
    before, after = flat(10, 3), flat(50, 4)
    after_seen = after.confidence.copy()
    after_seen[:, 0] = 0
    before_seen = before.confidence.copy()
    before_seen[:, 1] = 0
    before = before.with_points(before.points, before_seen)
    after = after.with_points(after.points, after_seen)
    found = transition(before, after, 0.24)
    assert len(found) == 6
    s = np.arange(1, 7) / 7
    assert found.points[:, 5, 0] == pytest.approx(10 + 40 * (10 * s**3 - 15 * s**4 + 6 * s**5))
    assert found.points[:, 0, 0].tolist() == [10, 10, 10, 0, 0, 0]
    assert found.points[:, 1, 0].tolist() == [0, 0, 0, 50, 50, 50]
    assert minimum_jerk(np.array([0.0, 0.5, 1.0])).tolist() == [0, 0.5, 1]
    slope = np.diff(minimum_jerk(np.linspace(0, 1, 1001))) * 1000
    assert slope[0] < 1e-4 > slope[-1]
    assert slope.max() == pytest.approx(1.875, abs=1e-3)
    assert len(transition(before, after, 0.01)) == 0
    assert len(transition(before.frames(slice(0, 0)), after, 1.0)) == 0


def test_joining_has_a_name_and_limits() -> None:
    assert (NAIVE.name, FLUENT.name) == ("naive", "trim+cap0.8+blend0.2")
    assert Joining() == NAIVE
    for bad, said in (
        ({"longest": 0.0}, "the longest sign is 0.0 s, expected more than 0; 0.8 is usual"),
        ({"longest": float("nan")}, "the longest sign is nan s"),
        ({"blend": -1.0}, "a blend of -1.0 s is no length of time; give 0 for none"),
        ({"blend": float("inf")}, "a blend of inf s"),
    ):
        with pytest.raises(UsageError, match=said):
            Joining(**bad)  # type: ignore[arg-type]


def test_blends_lie_between_the_spans_of_the_signs() -> None:
    words = words_of("weather cold like")
    plain = stitch(words, lexicon(), rng=rng())
    found = stitch(words, lexicon(), rng=rng(), joining=Joining(longest=0.16, blend=0.12))
    assert [s.gloss for s in found.used] == [s.gloss for s in plain.used]
    spans = [s.span.frames(25.0) for s in found.used if s.span]
    assert spans == [(0, 4), (7, 11), (14, 18)]
    assert len(found.clip) == 18
    for (first, last), sign in zip(spans, plain.used, strict=True):
        assert sign.span is not None
        value = plain.clip.cut(sign.span).points[0, 0, 0]
        assert (found.clip.points[first:last] == value).all()
    between = found.clip.points[4:7, 0, 0]
    assert (np.diff(between) > 0).all()
    spelled = stitch(["ada", "cold"], lexicon("ad"), rng=rng(), joining=Joining(blend=0.04))
    assert [s.span.frames(25.0) for s in spelled.used if s.span] == [(0, 8), (9, 15)]


def test_each_clip_is_trimmed_before_it_is_prepared() -> None:
    sign = citation(30, 8, 20)
    signs = Lexicon("signs", "ase", {"cold": 1, "rain": 1}, lambda word, n: sign)
    lengths: list[int] = []

    def prepare(clip: PoseClip, draws: np.random.Generator) -> PoseClip:
        lengths.append(len(clip))
        return clip

    stitch(["cold", "rain"], signs, rng=rng(), prepare=prepare)
    stitch(
        ["cold", "rain"], signs, rng=rng(), prepare=prepare, joining=replace(FLUENT, longest=None)
    )
    first, last = signing_frames(sign)
    assert lengths == [len(sign), len(sign), last - first, last - first]
    assert last - first >= LEAST * 25


def test_order_rules_in_the_stitcher() -> None:
    words = words_of("I like the cold weather today")
    signs = replace(lexicon(), words={"weather": 1, "cold": 2, "like": 3, "i": 1, "today": 1, "the": 1}, read=lambda w, n: flat(1, 2))  # fmt: skip
    found = stitch(words, signs, rng=rng(), order="signed")
    assert [s.gloss for s in found.used] == ["today", "weather", "cold", "i", "like"]
    assert found.dropped == ("the",)
    assert found.skipped == ()
    swo = stitch(words, signs, rng=rng())
    assert [s.gloss for s in swo.used] == ["i", "like", "the", "cold", "weather", "today"]
    assert swo.dropped == ()
    shuffled = {
        tuple(s.gloss for s in stitch(words, signs, rng=rng(i), order="drop-articles,rwo").used)
        for i in range(20)
    }
    assert len(shuffled) > 10
    assert {tuple(sorted(order)) for order in shuffled} == {("cold", "i", "like", "today", "weather")}  # fmt: skip
    with pytest.raises(UsageError, match=r"no order rule 'topic' \(did you mean 'topic-comment'"):
        stitch(words, signs, rng=rng(), order="topic")
    with pytest.raises(UsageError, match=r"none of the words 'quark the'.*use other words"):
        stitch(["quark", "the"], lexicon(), rng=rng(), order="drop-articles")


def test_a_stream_is_stitched_and_never_listed() -> None:
    class Endless(list):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return 22_000_000

        def __getitem__(self, index: object) -> str:
            return f"cold weather number {index}"

        def __iter__(self) -> object:  # type: ignore[override]
            raise AssertionError("a stream was listed")

    sentences = Endless()
    source = StitchedSentences(lexicon(), sentences, joining=FLUENT, order="time-first")
    assert source[21_999_999].text.endswith("21999999")
    assert source.texts() is sentences


def test_the_commands_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["stitch", "The child ate an apple yesterday", "--lexicon", "sim:tiny", "--json"]

    def report(*options: str) -> dict[str, object]:
        with pytest.raises(SystemExit) as stop:
            main([*command, "-o", str(tmp_path / "x.pose"), "--overwrite", *options])
        assert stop.value.code == 0
        return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]

    plain, fluent = report(), report("--trim", "--longest", "0.8", "--blend", "0.2", "--order", "signed")  # fmt: skip
    assert plain["joining"] == "naive"
    assert fluent["joining"] == "trim+cap0.8+blend0.2"
    assert [s["gloss"] for s in plain["signs"]] == ["child", "eat", "apple", "yesterday"]  # type: ignore[union-attr, index]
    assert [s["gloss"] for s in fluent["signs"]] == ["yesterday", "apple", "child", "eat"]  # type: ignore[union-attr, index]
    assert fluent["dropped"] == ["the", "an"]
    assert int(fluent["frames"]) < 0.6 * int(plain["frames"])  # type: ignore[call-overload]
    with pytest.raises(SystemExit) as stop:
        main([*command, "-o", str(tmp_path / "x.pose"), "--overwrite", "--order", "swo,wh-lst"])
    assert stop.value.code == 2
    assert "no order rule 'wh-lst' (did you mean 'wh-final'?)" in capsys.readouterr().err


def test_what_a_lexicon_covers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.tsv").write_text(
        "path\ttext\nx\tThe dogs sleep.\ny\tA dog sleeps.\nz\tQuarks spin.\nw\tthe dogs sleep\n"
    )

    def run(*arguments: str, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stop:
            main(["vocabulary", *arguments])
        assert stop.value.code == code
        said = capsys.readouterr()
        return said.err if code else said.out

    corpus = [str(tmp_path / "a.tsv"), "--lexicon", "sim:tiny"]
    found = json.loads(run(*corpus, "--json", "--write", str(tmp_path / "t")))
    assert found["sentences"]["count"] == 4
    assert found["sentences"]["fully_covered"] == 3
    assert found["tokens"] == {
        "count": 8, "covered": 6, "share": 0.75, "by_inflection": 3, "spellable": 2,
    }  # fmt: skip
    assert found["missed"] == [{"word": "quarks", "count": 1}, {"word": "spin", "count": 1}]
    assert found["inflections"][0] == {"word": "dogs", "entry": "dog", "count": 2}
    assert found["written"] == {"folder": str(tmp_path / "t"), "sentences": 2}
    said = run(*corpus, "--no-forms")
    assert "3 of 8 (37.5%) covered" in said
    assert "missed most" in said
    again = json.loads(run(str(tmp_path / "t"), "--lexicon", "sim:tiny", "--json"))
    assert again["sentences"]["fully_covered_share"] == 1.0
    assert "exists already" in run(*corpus, "--write", str(tmp_path / "t"), code=2)
    assert "no column 'txt' (did you mean 'text'?)" in run(*corpus, "--column", "txt", code=2)
    (tmp_path / "b.txt").write_bytes(b"sch\xf6n\n")
    assert "it is not UTF-8 (byte 0xf6" in run(str(tmp_path / "b.txt"), "--lexicon", "sim:tiny", code=3)  # fmt: skip
    assert "'sim:tny'" not in run("sim:tiny", "--lexicon", "nowhere", code=2)
    assert json.loads(run("sim:tiny", "--lexicon", "sim:tiny", "--json"))["sentences"]["count"] == 400  # fmt: skip
