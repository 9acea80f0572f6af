"""Stitching with planted word clips: every word's clips are known numbers."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.cli.main import main
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76, Layout
from signloom.data.lexicon import Lexicon
from signloom.data.sample import SampleSource
from signloom.errors import UsageError
from signloom.pose.files import read_pose, write_pose
from signloom.stitch.stitcher import StitchedSentences, moved_into_frame, resampled, stitch
from signloom.text.clean import words_of

VALUES = {"weather": 10, "cold": 20, "ice cream": 30, "like": 40}
FRAMES = {"weather": 4, "cold": 6, "ice cream": 3, "like": 5}


def flat(value: float, frames: int, fps: float = 25.0, layout: Layout = HANDS42) -> PoseClip:
    points = np.full((frames, len(layout), 3), value, np.float32)
    return PoseClip(points, np.ones(points.shape[:2], np.float32), fps, layout, id=f"{value}")


def read(word: str, n: int) -> PoseClip:
    return flat(VALUES[word] + n, FRAMES[word])


def read_letter(letter: str, n: int) -> PoseClip:
    return flat(100 + ord(letter), 2)


def lexicon(letters: str = "") -> Lexicon:
    words = {"weather": 1, "cold": 2, "ice cream": 1, "like": 3}
    return Lexicon(
        "planted", "ase", words, read, dict.fromkeys(letters, 1), read_letter if letters else None
    )


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_words_follow_one_another() -> None:
    found = stitch(words_of("The weather is cold, like ice creams."), lexicon(), rng=rng())
    assert [sign.gloss for sign in found.used] == ["weather", "cold", "like", "ice cream"]
    assert found.skipped == ("the", "is")
    assert found.spelled == ()
    assert len(found.clip) == 4 + 6 + 5 + 3
    for sign in found.used:
        assert sign.span is not None
        values = np.unique(found.clip.cut(sign.span).points)
        assert len(values) == 1
        assert 0 <= values[0] - VALUES[sign.gloss] <= 2


def test_random_order_is_a_permutation_of_the_sentence() -> None:
    words = words_of("weather cold like ice cream")
    orders = {
        tuple(s.gloss for s in stitch(words, lexicon(), order="rwo", rng=rng(i)).used)
        for i in range(60)
    }
    assert all(sorted(order) == sorted(VALUES) for order in orders)
    assert len(orders) > 15


def test_every_clip_of_a_word_is_picked() -> None:
    seen = {float(stitch(["like"], lexicon(), rng=rng(i)).clip.points[0, 0, 0]) for i in range(40)}
    assert seen == {40, 41, 42}


def test_what_the_lexicon_lacks_is_spelled_where_it_can_be() -> None:
    words = ["the", "weather", "ada", "bob"]
    found = stitch(words, lexicon("ad"), rng=rng())
    assert [sign.gloss for sign in found.used] == ["weather", "A-D-A"]
    assert (found.spelled, found.skipped) == (("ada",), ("the", "bob"))
    assert found.clip.points[4:, 0, 0].tolist() == [197, 197, 200, 200, 197, 197]
    without = stitch(words, lexicon("ad"), rng=rng(), fingerspell=False)
    assert without.skipped == ("the", "ada", "bob")


def test_forms_can_be_turned_off() -> None:
    assert stitch(["likes"], lexicon(), rng=rng()).used[0].gloss == "like"
    with pytest.raises(
        UsageError, match=r"none of the words 'likes'.*'planted' \(4 words\) \(did you"
    ):
        stitch(["likes"], lexicon(), rng=rng(), forms=False)
    with pytest.raises(UsageError, match=r"none of the words 'the is'"):
        stitch(["the", "is"], lexicon("theis"), rng=rng())


def test_each_clip_is_prepared_alone() -> None:
    lengths: list[int] = []

    def prepare(clip: PoseClip, draws: np.random.Generator) -> PoseClip:
        lengths.append(len(clip))
        return clip.frames(slice(None, None, int(draws.integers(2, 3))))

    found = stitch(["weather", "cold"], lexicon(), rng=rng(), prepare=prepare)
    assert lengths == [4, 6]
    assert len(found.clip) == 2 + 3


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.sampled_from([10.0, 24.0, 25.0, 29.97, 50.0, 60.0]), st.sampled_from([12.5, 25.0, 30.0]))  # fmt: skip
def test_resampling_keeps_time_and_motion(frames: int, fps: float, to: float) -> None:
    clip = flat(0, frames, fps)
    times = (np.arange(frames, dtype=np.float32) + 0.5) / np.float32(fps)
    clip = clip.with_points(np.broadcast_to(times[:, None, None], clip.points.shape).copy())
    again = resampled(clip, to)
    assert again.fps == to
    assert abs(again.duration - clip.duration) <= max(0.5 / to, 1 / to - clip.duration) + 1e-6
    expected = np.clip((np.arange(len(again)) + 0.5) / to, times[0], times[-1])
    assert np.abs(again.points[:, 0, 0] - expected).max() < 1e-4


def test_resampling_never_blends_with_what_was_not_seen() -> None:
    clip = flat(8, 10, 25.0)
    confidence = clip.confidence.copy()
    confidence[4:6, :21] = 0
    clip = clip.with_points(clip.points, confidence)
    again = resampled(clip, 37.0)
    assert set(np.unique(again.points)) == {0, 8}
    assert (again.present == (again.points[:, :, 0] == 8)).all()


def test_fps_and_layout_of_the_joined_clip() -> None:
    clips = {"a1": flat(1, 10, 25.0, HOLISTIC), "b1": flat(2, 60, 50.0, PS76)}
    mixed = Lexicon("mixed", "ase", {"a1": 1, "b1": 1}, lambda word, n: clips[word])
    found = stitch(["a1", "b1"], mixed, rng=rng(), layout=HANDS42)
    assert (found.clip.layout, found.clip.fps, len(found.clip)) == (HANDS42, 25, 10 + 30)
    assert found.used[1].span is not None
    assert found.used[1].span.duration == pytest.approx(1.2)
    assert len(stitch(["a1", "b1"], mixed, rng=rng(), layout=HANDS42, fps=50.0).clip) == 20 + 60
    with pytest.raises(UsageError):
        stitch(["b1", "a1"], replace(mixed, read=lambda w, n: flat(1, 3) if w == "a1" else clips[w]), rng=rng())  # fmt: skip


def test_clips_are_moved_into_one_frame() -> None:
    draws = rng(1)
    points = draws.normal(300, 60, (12, len(HOLISTIC), 3)).astype(np.float32)
    confidence = (draws.random((12, len(HOLISTIC))) > 0.1).astype(np.float32)
    frame = PoseClip(points, confidence, 25.0, HOLISTIC, size=(640, 480))
    body = ~np.isin(np.arange(len(HOLISTIC)), HOLISTIC.part("world"))
    other = points.copy()
    other[:, body] = points[:, body] * 1.7
    other[:, body, :2] += (90, -40)
    back = moved_into_frame(frame.with_points(other, size=(1280, 720)), frame)
    assert np.abs(back.points - frame.points).max() < 1e-3
    assert back.size == (640, 480)
    hands = flat(500, 3).with_points(flat(500, 3).points, size=(1000, 1000))
    assert moved_into_frame(hands, flat(1, 3)).points[0, 0].tolist() == [0.5, 0.5, 0.5]


def test_a_stitched_sentence_is_a_function_of_seed_and_index() -> None:
    sentences = ["Like cold weather.", "I like ice cream!", "Cold."]
    source = StitchedSentences(lexicon(), sentences, order="rwo", seed=7, rounds=20)
    assert isinstance(source, SampleSource)
    assert len(source) == 60
    again = pickle.loads(pickle.dumps(source))
    for i in (41, 0, 59, 41):
        assert np.array_equal(source[i].clip.points, again[i].clip.points)
        assert source[i].glosses == again[i].glosses
    assert source[1].text == sentences[1]
    assert source[1].stitched
    assert source[1].language == "ase"
    assert len({source[i].clip.points.tobytes() for i in range(0, 60, 3)}) > 6
    other = replace(source, seed=8)
    assert any(other[i].glosses != source[i].glosses for i in range(60))
    assert source.texts() == sentences
    with pytest.raises(IndexError, match=r"sample 60 of 60"):
        source[60]


def test_sentences_are_never_copied() -> None:
    class Endless(Sequence[str]):
        """22 million sentences that would not fit in memory."""

        def __len__(self) -> int:
            return 22_000_000

        def __getitem__(self, index: Any) -> Any:
            return f"cold weather number {index}"

    source = StitchedSentences(lexicon(), Endless(), seed=1)
    assert source[21_999_999].text.endswith("21999999")


def test_the_command_writes_a_pose_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("cold", "weather"):
        write_pose(read(word, 0), tmp_path / f"{word}.pose")
    (tmp_path / "index.csv").write_text(
        "path,spoken_language,signed_language,start,end,words,glosses,priority\n"
        "cold.pose,en,ase,0,0,cold,COLD,0\nweather.pose,en,ase,0,0,weather,WEATHER,0\n"
    )
    command = ["stitch", "The weather is colds, really", "--lexicon", str(tmp_path)]
    command += ["-o", str(tmp_path / "out.pose"), "--json"]
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 0
    report = json.loads(capsys.readouterr().out)
    assert report["skipped"] == ["the", "is", "really"]
    assert [s["gloss"] for s in report["signs"]] == ["weather", "cold"]
    assert report["signs"][1] == {"gloss": "cold", "start": 0.16, "end": 0.4}
    assert read_pose(tmp_path / "out.pose").points[:, 0, 0].tolist() == [10] * 4 + [20] * 6
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 2
    assert "exists already" in capsys.readouterr().err
    with pytest.raises(SystemExit) as stop:
        main(["stitch", "cold", "--lexicon", "nowhere", "-o", str(tmp_path / "b.pose")])
    assert stop.value.code == 2
    assert "'nowhere' is no lexicon; expected a folder" in capsys.readouterr().err
