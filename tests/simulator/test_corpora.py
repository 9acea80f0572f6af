"""The simulated corpora: pure functions of (seed, split, index), splits that share nothing."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.layouts import HANDS42, HOLISTIC, LAYOUTS, PS76, SMPLX52, Layout
from signloom.data.sample import Sample, SampleSource
from signloom.errors import UsageError
from signloom.pose.convert import convert
from signloom.pose.files import read_pose
from signloom.simulator.corpora import (
    SIGNERS,
    SPLITS,
    SimulatedSentences,
    SimulatedWords,
    simulated_lexicon,
    split_of,
)
from signloom.simulator.grammar import SimulatedSentence
from tests.simulator.test_grammar import unchecked


def same(one: Sample, other: Sample) -> bool:
    return (
        (one.id, one.text, one.glosses, one.signer)
        == (other.id, other.text, other.glosses, other.signer)
        and np.array_equal(one.clip.points, other.clip.points)
        and np.array_equal(one.clip.confidence, other.clip.confidence)
    )


@pytest.mark.parametrize("corpus", [SimulatedWords, SimulatedSentences])
def test_a_sample_depends_on_its_index_alone(corpus: type[SimulatedSentences]) -> None:
    one = corpus("tiny", "dev", PS76)
    other = pickle.loads(pickle.dumps(corpus("tiny", "dev", PS76)))
    assert isinstance(one, SampleSource)
    backwards = {i: other[i] for i in (7, 3, 0)}
    assert all(same(one[i], backwards[i]) for i in (0, 3, 7))
    assert same(one[-1], other[len(other) - 1])
    with pytest.raises(IndexError, match="sample 99999 of"):
        one[99999]


@pytest.mark.parametrize(
    "name",
    [name for name in LAYOUTS if set(LAYOUTS[name].keypoints) <= set(HOLISTIC.keypoints)],
)
def test_a_layout_limits_what_is_computed_and_changes_nothing(name: str) -> None:
    whole = SimulatedSentences("tiny", "test")[2]
    part = SimulatedSentences("tiny", "test", LAYOUTS[name])[2]
    chosen = convert(whole.clip, LAYOUTS[name])
    assert np.array_equal(part.clip.points, chosen.points)
    assert np.array_equal(part.clip.confidence, chosen.confidence)
    assert part.glosses == whole.glosses


def said_in(size: str) -> dict[str, list[SimulatedSentence]]:
    """Leading sentences of each split."""
    sources = {split: SimulatedSentences(size, split) for split in SPLITS}
    first = {"train": 2500, "dev": 150, "test": 300}
    return {n: [s.sentence(i) for i in range(min(len(s), first[n]))] for n, s in sources.items()}


@pytest.mark.parametrize("size", ["tiny", "small"])
def test_splits_share_no_sentence_and_test_words_are_taught(size: str) -> None:
    with unchecked():
        said = said_in(size)
    texts = {split: {s.text for s in found} for split, found in said.items()}
    assert not texts["test"] & texts["train"]
    assert not texts["dev"] & texts["train"]
    assert not texts["dev"] & texts["test"]
    assert all(split_of(text) == split for split, found in texts.items() for text in found)
    lemmas = {split: {t.lemma for s in found for t in s.tokens} for split, found in said.items()}
    assert lemmas["test"] <= lemmas["train"]
    assert lemmas["dev"] <= lemmas["train"]


def test_splits_share_no_signer() -> None:
    for one in SPLITS:
        source = SimulatedSentences("tiny", one, HANDS42)
        allowed = {f"signer-1-{n}" for n in SIGNERS[one]}
        assert {source[i].signer for i in range(6)} <= allowed
        assert all(not set(SIGNERS[one]) & set(SIGNERS[other]) for other in SPLITS if other != one)


def test_a_sentence_carries_all_that_is_known() -> None:
    source = SimulatedSentences("small", "dev", HANDS42)
    for i in range(8):
        sample, said = source[i], source.sentence(i)
        assert sample.text == said.text
        assert [g.gloss for g in sample.glosses] == [t.gloss for t in said.tokens]
        spans = [g.span for g in sample.glosses if g.span]
        assert len(spans) == len(said.tokens)
        assert all(a.end <= b.start for a, b in pairwise(spans))
        assert 0 <= spans[0].start < spans[-1].end <= sample.clip.duration + 1e-6
        assert sample.clip.simulated
        assert sample.clip.origin.version == "sim-sentences-v1"
        assert sample.language == "sim-1"
    with unchecked():
        assert source.texts()[:8] == [source[i].text for i in range(8)]


def test_a_name_is_one_gloss_of_several_letters() -> None:
    source = SimulatedSentences("small", "dev", HANDS42)
    i, name = next(
        (i, t) for i in range(len(source)) for t in source.sentence(i).tokens if t.kind == "name"
    )
    (gloss,) = [g for g in source[i].glosses if g.gloss == f"#{name.lemma.upper()}"]
    assert gloss.span
    assert gloss.span.duration > 0.1 * len(name.lemma)


def test_words_come_once_before_any_comes_twice() -> None:
    source = SimulatedWords("tiny", "test", HANDS42)
    count = len(source.words)
    assert source.texts()[:count] == list(source.words)
    first, second = source[4], source[4 + count]
    assert (first.text, first.glosses[0].gloss) == (second.text, second.glosses[0].gloss)
    assert not np.array_equal(first.clip.points[:5], second.clip.points[:5])
    larger = SimulatedWords("small", "test", HANDS42).sample(source.words[4], 0)
    assert same(first, larger), "a word has the same clips in every size"


def test_dictionary_signs_are_slower_than_signs_in_sentences() -> None:
    sentence = SimulatedSentences("tiny", "dev", HANDS42)[0]
    lexicon = simulated_lexicon("tiny", "dev", HANDS42)
    clips = [lexicon.clip(t.lemma) for t in SimulatedSentences("tiny", "dev").sentence(0).tokens]
    assert sum(clip.duration for clip in clips) > 1.5 * sentence.clip.duration


def test_the_lexicon_reads_words_and_letters() -> None:
    lexicon = pickle.loads(pickle.dumps(simulated_lexicon("tiny", "train", PS76)))
    assert np.array_equal(
        lexicon.clip("eat", 2).points,
        SimulatedWords("tiny", "train", PS76).sample("eat", 2).clip.points,
    )
    assert lexicon.read_letter is not None
    a, b = (lexicon.read_letter(letter, 0) for letter in "ab")
    assert a.layout == PS76
    assert not np.array_equal(a.points[:5], b.points[:5])
    with pytest.raises(UsageError, match="no word 'aple'"):
        lexicon.clip("aple")


def test_what_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no split 'tset' \(did you mean 'test'\?\)"):
        SimulatedSentences("small", "tset")
    with pytest.raises(UsageError, match="no size 'huge'; the sizes are tiny, small, base"):
        SimulatedWords("huge")
    odd = Layout("odd", ("A:B",), ("body",), ())
    with pytest.raises(UsageError, match="does not draw layout 'odd'"):
        SimulatedSentences("small", "test", odd)


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_simulate_writes_the_same_bytes_by_any_number_of_workers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["simulate", "sentences", "--size", "tiny", "--split", "test", "--layout", "ps76"]
    for name, rest in (
        ("one", ["--index", "3", "--count", "3"]),
        ("two", ["--index", "3", "--count", "3", "--jobs", "2"]),
        ("single", ["--index", "4"]),
    ):
        with pytest.raises(SystemExit) as done:
            main([*command, *rest, "-o", str(tmp_path / name)])
        assert done.value.code == 0
    one = written(tmp_path / "one")
    assert len(one) == 6
    assert one == written(tmp_path / "two")
    assert written(tmp_path / "single").items() <= one.items()
    sample = SimulatedSentences("tiny", "test", PS76)[4]
    stem = tmp_path / "one" / "sim-sentences-v1-tiny-test-000004"
    assert np.array_equal(read_pose(stem.with_suffix(".pose")).points, sample.clip.points)
    told = json.loads(stem.with_suffix(".json").read_text())
    assert told["text"] == sample.text
    assert told["simulated"] is True
    assert told["signer"] == sample.signer
    assert [g["gloss"] for g in told["glosses"]] == [g.gloss for g in sample.glosses]
    assert f"{stem}.pose\t{sample.text}" in capsys.readouterr().out


def test_simulate_refuses_what_is_not_there_and_what_exists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["simulate", "words", "--size", "tiny", "--layout", "hands42", "-o", str(tmp_path)]
    for rest, code, message in (
        (["--index", "1"], 0, ""),
        (["--index", "1"], 2, "exists already; choose another folder or pass --overwrite"),
        (["--index", "1", "--overwrite"], 0, ""),
        (["--index", "9999"], 2, "has samples 0 to"),
        (["--size", "smal"], 2, "did you mean 'small'"),
        (["--layout", "ps67"], 2, "did you mean 'ps76'"),
    ):
        with pytest.raises(SystemExit) as done:
            main([*command, *rest])
        assert done.value.code == code
        assert message in capsys.readouterr().err


def test_joints_in_space_are_the_body_that_the_tracker_sees() -> None:
    """smplx52 before the camera: seen through it, shoulders and hands lie where the keypoints are."""
    drawn, true = (
        SimulatedWords("tiny", "train", layout)[3].clip for layout in (HOLISTIC, SMPLX52)
    )
    assert (len(drawn), drawn.fps, drawn.id) == (len(true), true.fps, true.id)
    assert true.simulated
    assert true.present.all()
    pairs = [
        (i, HOLISTIC.index[name])
        for i, name in enumerate(true.layout.keypoints)
        if name in HOLISTIC.index
    ]
    ours, theirs = (list(column) for column in zip(*pairs, strict=True))
    assert len(pairs) >= 40
    seen = (drawn.confidence[:, theirs] > 0.9) & (np.array(ours) >= 16)
    flat = true.points[:, ours, :2] / true.points[:, ours, 2:]
    x, y = flat[seen], drawn.points[:, theirs, :2][seen]
    fit, *_ = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)
    away = np.linalg.norm(np.c_[x, np.ones(len(x))] @ fit - y, axis=1)
    assert np.median(away) < 0.01 * drawn.size[0]
    lengths = np.linalg.norm(true.points[:, 18] - true.points[:, 16], axis=1)
    assert lengths.std() < 1e-5, "bones do not stretch"
