"""Episodes as samples: what is cut where, what is left out and why, and that nothing else decides."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.cued import Limits
from signloom.corpora.episode_windows import EpisodeSentences, EpisodeWindows
from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, MP203
from signloom.data.lips import Lips
from signloom.data.sample import SampleSource
from signloom.data.timing import Span
from signloom.errors import MediaError, SubtitleError, UsageError
from signloom.pose.files import read_pose, write_pose
from signloom.pose.lip_files import write_lips
from signloom.text.subtitles import compose, read_subtitles

FPS = 25.0
TRUTH = [(8.0, 10.0), (30.0, 34.0), (50.0, 52.0), (60.0, 61.0), (95.0, 99.4)]
LAGS = [3.0, 3.5, 2.0, 2.0, 4.0]


def cues(times: list[tuple[float, float]], texts: list[str] | None = None) -> list[Cue]:
    texts = texts or [f"Sentence {k}." for k in range(len(times))]
    return [Cue(Span(a, b), text) for (a, b), text in zip(times, texts, strict=True)]


def planted(
    folder: Path, said: list[Cue], seen: list[Cue], name: str = "e", seconds: float = 100.0
) -> Path:
    """An episode whose x counts the frames."""
    folder.mkdir(exist_ok=True)
    points = np.zeros((round(seconds * FPS), 42, 3), np.float32)
    points[:, :, 0] = np.arange(len(points))[:, None]
    clip = PoseClip(points, np.ones(points.shape[:2], np.float32), FPS, HANDS42)
    write_pose(clip, folder / f"{name}.pose")
    (folder / f"{name}.speech.vtt").write_bytes(compose(said, "vtt"))
    (folder / f"{name}.signing.vtt").write_bytes(compose(seen, "vtt"))
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seen = cues(TRUTH)
    said = [Cue(c.span.shifted(-lag), c.text) for c, lag in zip(seen, LAGS, strict=True)]
    return planted(tmp_path / "episodes", said, seen)


def test_a_window_holds_the_cue_and_all_times_are_on_its_clock(folder: Path) -> None:
    source = EpisodeWindows(str(folder), rounds=8)
    assert isinstance(source, SampleSource)
    assert len(source) == 40
    starts: dict[str, list[float]] = {}
    for k in range(len(source)):
        sample, (start, end), lag = source[k], TRUTH[k % 5], LAGS[k % 5]
        assert len(sample.clip) == 500
        assert sample.span is not None
        assert sample.prior is not None
        began = float(sample.clip.points[0, 0, 0]) / FPS
        assert sample.span.start + began == pytest.approx(start)
        assert sample.span.end + began == pytest.approx(end)
        assert sample.prior.start + began == pytest.approx(start - lag)
        assert sample.text == f"Sentence {k % 5}."
        assert sample.previous == (f"Sentence {k % 5 - 1}." if k % 5 else "")
        middle = began + 10.0 - 2.7 - (sample.prior.start + sample.prior.end) / 2 - began
        inside = 0 < began < 80.0
        assert not inside or abs(middle) <= 4.0 + 1 / FPS
        starts.setdefault(sample.id, []).append(began)
    assert sorted(starts) == [f"e-{k}" for k in range(1, 6)]
    assert len(set(starts["e-2"])) == 8
    assert np.ptp(starts["e-2"]) > 3


def test_samples_depend_on_the_seed_and_the_index_alone(folder: Path) -> None:
    source, other = EpisodeWindows(str(folder), seed=1, rounds=2), EpisodeWindows(str(folder))
    copied = pickle.loads(pickle.dumps(source))
    assert len(pickle.dumps(source)) < 1000
    for k in (7, 2):
        a, b = source[k], copied[k]
        assert (a.span, a.prior, a.id) == (b.span, b.prior, b.id)
        np.testing.assert_array_equal(a.clip.points, b.clip.points)
    assert [source[k].span for k in range(5)] != [other[k].span for k in range(5)]
    with pytest.raises(IndexError, match="sample 10 is asked for of 10"):
        source[10]


def test_what_cannot_be_a_sample_is_counted_by_its_reason(tmp_path: Path) -> None:
    times = [(5.0, 7.0), (20.0, 22.0), (30.0, 52.0), (58.0, 60.0), (85.0, 88.0), (99.0, 103.0)]
    texts = ["Kept.", "[NOT SIGNED]", "Too long.", "♪ …", "Far away.", "After the end."]
    said = cues(times, ["Kept.", "Nobody signs it.", *texts[2:]])
    said[4] = Cue(Span(40.0, 43.0), "Far away.")
    folder = planted(tmp_path / "e", said, cues(times, texts))
    source = EpisodeWindows(str(folder))
    assert source.texts() == ["Kept."]
    assert source.excluded == {"not signed": 1, "long": 1, "no words": 1, "far": 1, "outside": 1}
    assert EpisodeWindows(str(folder), window=25.0).texts() == ["Kept.", "Too long."]
    assert EpisodeWindows(str(folder), jitter=60.0).texts() == ["Kept.", "Far away."]
    short = EpisodeWindows(str(planted(tmp_path / "s", said[:1], cues(times[:1]), seconds=9.0)))
    assert len(short[0].clip) == 225


def test_cues_pair_by_text_and_subtitles_may_have_folders_of_their_own(tmp_path: Path) -> None:
    seen = cues(TRUTH)
    said = [Cue(c.span.shifted(-2.0), c.text) for c in seen]
    folder = planted(tmp_path / "poses", said, seen)
    for place, some in (("audio", [*said[:1], Cue(Span(20.0, 21.0), "More."), *said[1:4]]),
                        ("manual", seen)):  # fmt: skip
        (tmp_path / place / "e").mkdir(parents=True)
        (tmp_path / place / "e" / "signhd.vtt").write_bytes(compose(some, "vtt"))
    source = EpisodeWindows(str(folder), spoken="../audio", signed="../manual")
    assert source.excluded == {"unpaired": 1}
    assert [source.name(k) for k in range(4)] == ["e-1", "e-2", "e-3", "e-4"]
    assert source[1].previous == "More."
    worded = [*said[:2], Cue(said[2].span, "Another wording."), *said[3:]]
    (tmp_path / "audio" / "e" / "signhd.vtt").write_bytes(compose(worded, "vtt"))
    anew = EpisodeWindows(str(folder), spoken="../audio", signed="../manual")
    assert (len(anew), anew.texts()[2], anew[3].previous) == (5, "Sentence 2.", "Another wording.")
    sample = source[3]
    assert sample.prior is not None
    assert sample.span is not None
    assert sample.span.start - sample.prior.start == pytest.approx(2.0)


def test_sentences_are_cut_by_the_subtitles_named(folder: Path) -> None:
    exact = EpisodeSentences(str(folder), jitter=0.0, limits=Limits(0.5))
    assert [len(exact[k].clip) for k in range(5)] == [50, 100, 50, 25, 110]
    assert exact[1].clip.points[0, 0, 0] == 30 * FPS
    assert (exact[1].span, exact[1].prior, exact[1].previous) == (None, None, "Sentence 0.")
    moved = EpisodeSentences(str(folder), "speech", lag=2.7, jitter=0.0)
    assert moved.excluded == {}
    assert moved[1].clip.points[0, 0, 0] == round((30.0 - 3.5 + 2.7) * FPS)
    assert EpisodeSentences(str(folder), limits=Limits(1.5)).excluded == {"short": 1}
    loose = EpisodeSentences(str(folder), rounds=20)
    starts = np.array([float(loose[5 * k + 1].clip.points[0, 0, 0]) for k in range(20)]) / FPS
    assert np.abs(starts - 30.0).max() <= 0.5 + 1 / FPS
    assert np.ptp(starts) > 0.4
    (folder / "e.aligned.vtt").write_bytes(compose(cues([(a + 0.4, b) for a, b in TRUTH]), "vtt"))
    aligned = EpisodeSentences(str(folder), "aligned", jitter=0.0)
    assert aligned[1].clip.points[0, 0, 0] == pytest.approx(30.4 * FPS)


def test_files_that_do_not_fit_say_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has subtitles 'aligned', expected NAME\.pose with NAME"):
        EpisodeSentences(str(folder), "aligned").texts()
    with pytest.raises(UsageError, match=r"no cue of .* becomes a sample \(5 far\)"):
        len(EpisodeWindows(str(folder), window=5.0, lag=-200.0, jitter=0.0))
    with pytest.raises(UsageError, match=r"is no \.pose file and no folder"):
        len(EpisodeWindows(str(tmp_path / "none")))
    (folder / "e.speech.vtt").write_text("WEBVTT\n")
    with pytest.raises(SubtitleError, match=r"e\.speech\.vtt"):
        len(EpisodeWindows(str(folder)))


def test_simulated_episodes_are_such_a_folder(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["simulate", "episode", "--size", "tiny", "--split", "train", "-o", str(tmp_path)])
    source = EpisodeWindows(str(tmp_path))
    signed = [c for c in read_subtitles(tmp_path / "0.signing.vtt").cues if "[" not in c.text]
    assert source.texts() == [c.text for c in signed]
    sample = source[6]
    assert sample.clip.layout == MP203
    assert sample.clip.simulated
    assert sample.language == "sim-1"
    whole = read_pose(tmp_path / "0.pose")
    assert sample.span is not None
    first = round((signed[6].span.start - sample.span.start) * FPS)
    np.testing.assert_array_equal(sample.clip.points, whole.points[first : first + 500])
    hands = EpisodeWindows(str(tmp_path), layout=HANDS42)[6]
    assert hands.clip.layout == HANDS42


def with_lips(folder: Path, frames: int = 2500) -> Path:
    """Lips whose crops count the frames, in 256 and then anew."""
    numbered = np.repeat((np.arange(frames) % 256).astype(np.uint8), 96 * 96)
    lips = Lips(numbered.reshape(-1, 96, 96), np.ones(frames, bool), FPS)
    write_lips(lips, folder / "e.lips.safetensors", overwrite=True)
    return folder


def test_lips_are_cut_along(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"e\.pose has no lips beside it, expected e\.lips\.safe"):
        len(EpisodeWindows(str(folder), lips=True))
    with_lips(folder)
    assert EpisodeWindows(str(folder))[0].lips is None
    for source in (
        EpisodeWindows(str(folder), lips=True),
        EpisodeSentences(str(folder), lips=True),
    ):
        for k in range(len(source)):
            sample = source[k]
            assert sample.lips is not None
            counted = sample.clip.points[:, 0, 0] % 256
            np.testing.assert_array_equal(sample.lips.frames[:, 5, 5], counted)
    with_lips(folder, 2501)
    with pytest.raises(MediaError, match=r"2501 mouth crops at 25 fps but .* 2500 frames at 25"):
        len(EpisodeWindows(str(folder), lips=True))
