"""sim-episodes-v1: pure, rendered in pieces, without seams, and its speech as it is said to be."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, PS76
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.pose.files import read_pose
from signloom.pose.lip_files import read_lips
from signloom.simulator.corpora import SIGNERS, SimulatedSentences, split_of
from signloom.simulator.episode import (
    EPISODES,
    PIECE,
    Episode,
    SimulatedEpisodes,
    activity_of,
)
from signloom.simulator.interpreting import (
    NOT_SIGNED,
    SHORTEST,
    SignedSentence,
    paraphrased,
    spoken,
)
from signloom.simulator.lexicon import vocabulary
from signloom.simulator.phonology import draws
from signloom.text.subtitles import read_subtitles
from tests.simulator.test_grammar import unchecked


@pytest.fixture(scope="module")
def small() -> list[Episode]:
    """Fifteen episodes of the test split: every condition with every pause style."""
    with unchecked():
        source = SimulatedEpisodes("small", "test", PS76)
        return [source[i] for i in range(15)]


def test_an_episode_depends_on_its_index_alone() -> None:
    one = SimulatedEpisodes("tiny", "dev", HANDS42)
    other = pickle.loads(pickle.dumps(SimulatedEpisodes("tiny", "dev", HANDS42)))
    second = other[1]
    for i, episode in ((0, other[0]), (1, second)):
        same = one[i]
        assert (same.id, same.speech, same.signing) == (episode.id, episode.speech, episode.signing)
        assert same.sentences == episode.sentences
        span = Span(10.0, 12.0)
        assert np.array_equal(same.clip(span).points, episode.clip(span).points)
    assert one[0].speech != one[1].speech
    with pytest.raises(IndexError, match="sample 2 of 2"):
        one[2]


def test_any_stretch_is_that_stretch_of_the_whole() -> None:
    episode = SimulatedEpisodes("tiny", "test", HANDS42)[0]
    whole = episode.clip()
    assert len(whole) == episode.frames > PIECE
    assert whole.origin.version == "sim-episodes-v1"
    assert whole.simulated
    edge = PIECE / episode.fps
    for span in (Span(edge - 1, edge + 1), Span(3.2, 3.28), Span(edge, episode.duration + 9)):
        part, cut = episode.clip(span), whole.cut(span)
        assert np.array_equal(part.points, cut.points)
        assert np.array_equal(part.confidence, cut.confidence)
    slices = list(episode.slices(17.0))
    assert np.array_equal(np.concatenate([clip.points for clip in slices]), whole.points)
    with pytest.raises(UsageError, match=r"slices of 0\.01 s hold no frame"):
        next(episode.slices(0.01))


def test_lips_of_a_stretch_are_those_of_the_whole_in_one_light() -> None:
    episode = SimulatedEpisodes("tiny", "dev", HANDS42)[0]
    span = Span(PIECE / 25 - 1.0, PIECE / 25 + 1.0)  # over the seam of two pieces
    clip = episode.clip(span)
    part = episode.lips(span).aligned_with(clip)
    before = list(episode.lip_slices(PIECE / 25))[:2]
    np.testing.assert_array_equal(part.frames[:25], before[0].frames[-25:])
    np.testing.assert_array_equal(part.frames[25:], before[1].frames[:25])
    assert part.origin.simulated
    assert part.origin.version == "sim-lips-v1"
    skin = [lips.frames[:, :16].mean() for lips in before]
    assert abs(skin[0] - skin[1]) < 1.5
    # The mouth moves with the signing: still faces are alike, open ones are not.
    opened = episode._film.discourse.performance.face[:PIECE, 0]
    middle = before[0].frames[:, 40:64, 36:60].astype(float).mean((1, 2))
    assert abs(np.corrcoef(opened, middle)[0, 1]) > 0.4
    np.testing.assert_array_equal(episode.clip(span).points, clip.points)


def test_an_episode_of_another_length_says_so() -> None:
    source = SimulatedEpisodes("tiny", "test", HANDS42)
    episode = source.of_length(0, 3.0)
    assert episode.id == "sim-episodes-v1-tiny-test-0-of-3-minutes"
    assert episode.duration == pytest.approx(180)
    assert episode.conditions == source[0].conditions
    with pytest.raises(UsageError, match=r"the simulator makes 0\.5 to 240"):
        source.of_length(0, 0.1)


def test_sentences_and_signers_are_of_the_split(small: list[Episode]) -> None:
    for episode in small:
        assert episode.signer in {f"signer-1-{n}" for n in SIGNERS["test"]}
        assert all(split_of(one.text) == "test" for one in episode.sentences)
    conditions = {(e.conditions["pauses"], e.conditions["drift"]) for e in small}
    assert len(conditions) == 9
    assert {e.conditions["tracker"] for e in small} == {"good", "usual", "poor"}
    assert EPISODES["small"]["test"] == 60


def test_the_signing_fills_its_spans_and_the_rest_is_told(small: list[Episode]) -> None:
    for episode in small:
        spans = [one.span for one in episode.sentences]
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(spans))
        assert 0 < spans[0].start < spans[-1].end < episode.duration
        for one in episode.sentences:
            glosses = [g.span for g in one.glosses if g.span]
            assert (glosses[0].start, glosses[-1].end) == (one.span.start, one.span.end)
            assert all(a.end <= b.start for a, b in pairwise(glosses))
        assert activity_of(episode.sentences) == episode.activity
        gaps = np.array([b.start - a.end for a, b in pairwise(episode.activity)])
        assert (gaps > 0.1 - 1e-9).all()
        kinds = {rest.kind for rest in episode.rests}
        pauses = np.array([b.start - a.end for a, b in pairwise(spans)])
        if episode.conditions["pauses"] == "dense":
            assert kinds == {"rest"}
            assert len(episode.rests) == 2
            assert (pauses < 0.3).all()
        else:
            assert kinds & {"hold", "sink", "clasp"}
        long = [(a.end, b.start) for a, b in pairwise(spans) if b.start - a.end >= 0.3 - 1e-9]
        for begin, end in long:  # told without a gap
            inside = [r.span for r in episode.rests if begin - 1e-6 <= r.span.start < end - 1e-6]
            assert inside[0].start == pytest.approx(begin)
            assert inside[-1].end == pytest.approx(end)
            assert all(a.end == pytest.approx(b.start) for a, b in pairwise(inside))


def test_two_of_five_boundaries_and_more_have_no_pause(small: list[Episode]) -> None:
    for style in ("natural", "sparse"):
        pauses = np.concatenate([
            [b.span.start - a.span.end for a, b in pairwise(e.sentences)]
            for e in small
            if e.conditions["pauses"] == style
        ])  # fmt: skip
        assert 0.38 < (pauses < 0.3 - 1e-9).mean() < 0.55
        assert pauses.max() > 4


def seam_against_rest(moved: np.ndarray, bounds: tuple[tuple[int, int], ...], order: int) -> float:
    """The largest change of (frames, n) near sentences' edges as a share of the largest elsewhere."""
    seam = np.zeros(len(moved), bool)
    for edge in (edge for bound in bounds for edge in bound):
        seam[max(edge - 3, 0) : edge + 3] = True
    change = np.linalg.norm(np.diff(moved, order, axis=0), axis=-1)
    return float(change[seam[order:]].max() / change[~seam[order:]].max())


def test_no_jump_tells_where_a_sentence_ends(small: list[Episode]) -> None:
    """Speed, and its change, at seams is what occurs elsewhere; a planted jump would be found."""
    for episode in small:
        made = episode._film.discourse
        moved = made.performance
        assert (len(moved), len(moved.head), len(moved.trunk)) == (episode.frames,) * 3
        for order in (1, 2):
            for hand in (0, 1):
                assert seam_against_rest(moved.wrists[:, hand], made.bounds, order) < 1.3
            assert seam_against_rest(moved.head, made.bounds, order) < 1.5
            assert seam_against_rest(moved.trunk, made.bounds, order) < 1.5
        broken = moved.wrists[:, 0].copy()
        broken[made.bounds[len(made.bounds) // 2][0] :] += 0.2
        assert seam_against_rest(broken, made.bounds, 2) > 1.3


def test_no_sign_of_a_boundary_is_there_always_or_only_there(small: list[Episode]) -> None:
    shares, rates = [], []
    for episode in small:
        shut = episode._film.discourse.performance.face[:, 6] > 0.5
        starts = np.flatnonzero(np.diff(shut.astype(int)) > 0) / episode.fps
        ends = np.array([one.span.end for one in episode.sentences])
        near = np.abs(starts[:, None] - ends[None]) < 0.25
        shares.append((near.any(0).mean(), near.any(1).mean()))
        rates.append(60 * len(starts) / episode.duration)
    found, right = np.mean(shares, 0)
    assert 0.55 < found < 0.8
    assert 0.4 < right < 0.85
    assert 10 < np.mean(rates) < 20


def test_the_speech_is_in_order_and_stands_long_enough(small: list[Episode]) -> None:
    for episode in small:
        assert len(episode.speech) == len(episode.signing) == len(episode.kinds)
        assert 0 <= episode.speech[0].span.start
        assert episode.speech[-1].span.end <= episode.duration + 1e-6
        assert all(a.span.end <= b.span.start for a, b in pairwise(episode.speech))
        assert all(a.span.start <= b.span.start for a, b in pairwise(episode.signing))
        for said, signed, kind, lag in zip(
            episode.speech, episode.signing, episode.kinds, episode.lags, strict=True
        ):
            assert lag == pytest.approx(signed.span.start - said.span.start, abs=2e-3)
            assert said.id == signed.id
            assert (signed.text == NOT_SIGNED) == (kind == "not signed")
            assert kind == "not signed" or signed.text == said.text
            assert kind == "not signed" or said.span.duration >= 0.5
    durations = [cue.span.duration for e in small for cue in e.speech]
    assert np.mean(np.array(durations) >= SHORTEST - 1e-3) > 0.99


def test_the_truth_knows_every_edit(small: list[Episode]) -> None:
    kinds = [kind for e in small for kind in e.kinds]
    for kind, low, high in (
        ("merged", 0.02, 0.09), ("split", 0.02, 0.09), ("paraphrased", 0.08, 0.15),
        ("not signed", 0.03, 0.07),
    ):  # fmt: skip
        assert low < kinds.count(kind) / len(kinds) < high
    for episode in small:
        of: dict[int, list[int]] = {}
        for k, one in enumerate(episode.sentences):
            for cue in one.cues:
                of.setdefault(cue, []).append(k)
        for i, kind in enumerate(episode.kinds):
            signed = [episode.sentences[k] for k in of.get(i, [])]
            assert len(signed) == {"merged": 2, "not signed": 0}.get(kind, 1)
            if kind == "plain":
                assert episode.speech[i].text == signed[0].text
            elif kind == "paraphrased":
                assert episode.speech[i].text != signed[0].text
            elif kind == "merged":
                assert episode.speech[i].text == f"{signed[0].text} {signed[1].text}"
                assert episode.signing[i].span == Span(
                    round(signed[0].span.start, 3), round(signed[1].span.end, 3)
                )
        uncued = sum(not one.cues for one in episode.sentences)
        assert uncued < 0.2 * len(episode.sentences)
        for one in episode.sentences:
            if len(one.cues) == 2:
                i, j = one.cues
                assert j == i + 1
                assert f"{episode.speech[i].text} {episode.speech[j].text}" == one.text
                edge = episode.signing[i].span.end
                assert edge == episode.signing[j].span.start
                starts = [round(g.span.start, 3) for g in one.glosses if g.span]
                assert edge in starts[1:]


def test_without_drift_and_chance_the_speech_precedes_by_the_mean(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted: signing every 10 s, all kinds of error off; the lag comes out as it was put in."""
    import signloom.simulator.interpreting as interpreting

    for name, value in (("JITTER", 0.0), ("LAG", (2.0, 0.0)), ("DRIFTS", {"low": 0.0})):
        monkeypatch.setattr(interpreting, name, value)
    for name in ("MERGED", "SPLIT", "PARAPHRASED", "UNSIGNED", "UNCUED"):
        monkeypatch.setattr(interpreting, name, 0.0)
    sentences = [
        SignedSentence(f"Sentence {k}.", Span(10.0 * k + 10, 10.0 * k + 13), (GlossSpan("A"),))
        for k in range(20)
    ]
    found = spoken(sentences, 220.0, "low", lambda: "", draws("planted"))
    assert [cue.text for cue in found.spoken] == [one.text for one in sentences]
    assert found.lags == (2.0,) * 20
    assert [one.cues for one in found.sentences] == [(k,) for k in range(20)]


def test_a_paraphrase_is_another_sentence_and_still_a_sentence() -> None:
    source = SimulatedSentences("small", "test")
    names = set(vocabulary("base").names)
    assert all(name[0].isupper() for name in names)
    changed = 0
    with unchecked():
        for i in range(200):
            text = source.sentence(i).text
            other = paraphrased(text, draws("paraphrase", i))
            changed += other != text
            assert other[0].isupper() or other[0].isdigit()
            assert other[-1] == text[-1]
            assert "  " not in other
            assert all(name in other for name in names if f"{name} " in text)
    assert changed > 180


def simulate(*options: str) -> int:
    with pytest.raises(SystemExit) as done:
        main(["simulate", "episode", "--size", "tiny", "--layout", "hands42", *options])
    assert isinstance(done.value.code, int)
    return done.value.code


def close(read: tuple[Cue, ...], made: tuple[Cue, ...]) -> bool:
    return [cue.text for cue in read] == [cue.text for cue in made] and all(
        abs(one.span.start - other.span.start) < 2e-3 and abs(one.span.end - other.span.end) < 2e-3
        for one, other in zip(read, made, strict=True)
    )


def test_simulate_episode_writes_clip_subtitles_and_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulate("--index", "1", "--count", "2", "-o", str(tmp_path)) == 0
    names = {f"{i}.{ending}" for i in (1, 2) for ending in ("pose", "speech.vtt", "signing.vtt")}
    assert {path.name for path in tmp_path.iterdir()} == names | {"1.json", "2.json"}
    episode = SimulatedEpisodes("tiny", "test", HANDS42)[1]
    clip = read_pose(tmp_path / "1.pose")
    assert np.array_equal(clip.points, episode.clip().points)
    assert (clip.id, clip.simulated, clip.origin.version) == (episode.id, True, episode.version)
    assert close(read_subtitles(tmp_path / "1.speech.vtt").cues, episode.speech)
    assert close(read_subtitles(tmp_path / "1.signing.vtt").cues, episode.signing)
    lines = (tmp_path / "1.speech.vtt").read_text().splitlines()
    assert lines[:3] == ["WEBVTT", "", f"NOTE Simulated ({episode.id}): timed to the speech."]
    told = json.loads((tmp_path / "1.json").read_text())
    assert (told["simulated"], told["conditions"]) == (True, dict(episode.conditions))
    assert [cue["kind"] for cue in told["cues"]] == list(episode.kinds)
    assert [one["text"] for one in told["sentences"]] == [s.text for s in episode.sentences]
    assert [rest["kind"] for rest in told["rests"]] == [rest.kind for rest in episode.rests]
    assert f"1.pose\t{episode.id}" in capsys.readouterr().out


def test_simulate_episode_of_a_length_and_what_it_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("-o", str(tmp_path))
    assert simulate(*where, "--minutes", "0.5") == 0
    assert len(read_pose(tmp_path / "0.pose")) == 750
    assert json.loads((tmp_path / "0.json").read_text())["id"].endswith("-0-of-0.5-minutes")
    for options, message in (
        ((), "0.pose exists already; choose another folder or pass --overwrite"),
        (("--index", "3", "--count", "2"), "split 'test' has samples 0 to 3"),
        (("--overwrite", "--minutes", "999"), "the simulator makes 0.5 to 240"),
    ):
        assert simulate(*where, *options) == 2
        assert message in capsys.readouterr().err


def test_simulate_episode_writes_lips_beside_the_clip(tmp_path: Path) -> None:
    assert simulate("--minutes", "0.5", "--lips", "-o", str(tmp_path)) == 0
    lips = read_lips(tmp_path / "0.lips.safetensors").aligned_with(read_pose(tmp_path / "0.pose"))
    episode = SimulatedEpisodes("tiny", "test", HANDS42).of_length(0, 0.5)
    np.testing.assert_array_equal(lips.frames, episode.lips().frames)
    assert (lips.id, lips.origin) == (episode.id, episode.lips().origin)
    (tmp_path / "0.pose").unlink()
    assert simulate("--minutes", "0.5", "--lips", "-o", str(tmp_path)) == 2  # the lips are there
    assert simulate("--minutes", "0.5", "--overwrite", "-o", str(tmp_path)) == 0
    assert not (tmp_path / "0.lips.safetensors").exists()
