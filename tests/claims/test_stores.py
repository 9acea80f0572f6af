"""What our questions train on: sentences and windows by given times."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from signloom.claims.catalogue import ALL, ARMS, scales_of
from signloom.claims.papers import LABELLED, OTHER, SENTENCES
from signloom.claims.records import jobs_of
from signloom.claims.stores import PROGRAM, cut, label
from signloom.cli.simulate import write_episode
from signloom.corpora.episode_windows import EpisodeWindows
from signloom.data.layouts import PS76
from signloom.errors import UsageError
from signloom.simulator.episode import SimulatedEpisodes
from signloom.text.subtitles import read_subtitles, write_retimed


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute in each split; the program put train's cues half a second after the speech."""
    root = tmp_path_factory.mktemp("episodes")
    source = SimulatedEpisodes("tiny", "train", PS76)
    (root / "train").mkdir()
    write_episode(source, root / "train", False, 0.5, 0)
    for split in ("dev", "test"):
        shutil.copytree(root / "train", root / split)
    (root / "train" / PROGRAM).mkdir()
    (pose,) = (root / "train").glob("*.pose")
    said = read_subtitles(pose.with_name(f"{pose.stem}.speech.vtt"))
    moved = [cue.span.shifted(0.5) for cue in said.cues]
    write_retimed(said, moved, root / "train" / PROGRAM / f"{pose.stem}.vtt")
    return root


def test_sentences_are_cut_by_the_times_that_are_named(episodes: Path) -> None:
    by_program, by_signing = cut(episodes, PROGRAM), cut(episodes, "signing")
    assert list(by_program) == ["train"]
    assert list(by_signing) == ["train", "dev", "test"]
    train = by_program["train"]
    (file,) = (episodes / "train" / PROGRAM).iterdir()
    longest = {c.text: c.span.duration for c in read_subtitles(file).cues}
    for i in range(len(train)):
        sample = train[i]
        assert sample.clip.layout.name == "ps76"
        assert sample.clip.duration == pytest.approx(longest[sample.text], abs=0.05)
    true = by_signing["train"][0]
    same = next(train[i] for i in range(len(train)) if train[i].text == true.text)
    assert len(same.clip) != len(true.clip) or not np.array_equal(
        same.clip.points, true.clip.points
    )


def test_windows_of_labelled_episodes_ask_for_the_labels(episodes: Path, tmp_path: Path) -> None:
    label(episodes / "train", PROGRAM, tmp_path / "labelled")
    true, labelled = (
        EpisodeWindows(str(episodes / "train")),
        EpisodeWindows(str(tmp_path / "labelled")),
    )
    assert len(labelled) > 1
    for i in range(len(labelled)):
        sample = labelled[i]
        assert sample.span is not None
        assert sample.prior is not None
        assert sample.span.start - sample.prior.start == pytest.approx(0.5, abs=2e-3)
    spans = {true[i].text: true[i] for i in range(len(true))}
    assert any(labelled[i].span != spans[labelled[i].text].span for i in range(len(labelled))
               if labelled[i].text in spans)  # fmt: skip
    with pytest.raises(UsageError, match=r"\.vtt is not there, expected what `signloom align"):
        label(episodes / "dev", PROGRAM, tmp_path / "dev")
    assert not (tmp_path / "dev").exists()


def test_arms_of_the_questions_differ_in_what_they_ask() -> None:
    def recipe(id: str, name: str):  # type: ignore[no-untyped-def]
        (job,) = jobs_of((name,), ARMS, scales_of(ALL[id])["tiny"], (1,))
        return job.recipe

    cuts = [recipe("F3.5", name) for name in ALL["F3.5"].arms]
    assert len({r.data.train.store for r in cuts}) == len(cuts) == 4
    assert len({r.model_dump_json(exclude={"data"}) for r in cuts}) == 1
    assert len({r.data.dev.store for r in cuts}) == 1
    student = recipe("F3.6", "student").data
    assert {student.train.episodes, student.dev.episodes} == {
        f"{LABELLED}/train",
        f"{LABELLED}/dev",
    }
    both, own, other = (recipe("F3.8", name) for name in ALL["F3.8"].arms)
    assert both.training.steps == own.training.steps == other.training.steps
    assert [stage.data and stage.data.store for stage in both.training.stages] == [SENTENCES, None]
    assert both.data == own.data
    assert (own.data.train.store, other.data.train.store) == (OTHER, SENTENCES)
    assert (own.data.train_limit, other.data.train_limit) == (500, None)
    assert (own.init, both.init == other.init) == (None, True)
