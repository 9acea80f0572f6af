"""signloom segment on a simulated episode, whose sentences are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import VERBS, main
from signloom.data.timing import Span
from signloom.pose.files import read_pose, write_pose, write_pose_slices
from signloom.simulator.episode import Episode, SimulatedEpisodes
from signloom.text.subtitles import read_subtitles


def segment(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setitem(VERBS, "segment", "Phrases.")
    with pytest.raises(SystemExit) as stopped:
        main(["segment", *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def episode() -> Episode:
    return SimulatedEpisodes(size="tiny", split="test")[0]


@pytest.fixture(scope="module")
def pose(episode: Episode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("episode") / "0.pose"
    write_pose_slices(episode.slices(), episode.frames, path)
    return path


def shared(a: Span, b: Span) -> float:
    return max(0.0, min(a.end, b.end) - max(a.start, b.start))


def test_phrases_are_on_the_sentences(
    episode: Episode, pose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "o.eaf"
    assert segment(monkeypatch, pose, "-o", out) == 0
    phrases = read_subtitles(out, tier="phrases").cues
    signing = read_subtitles(out, tier="signing").cues
    assert [cue.text for cue in phrases] == [f"phrase {k + 1}" for k in range(len(phrases))]
    assert {cue.text for cue in signing} == {"signing"}
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: {len(phrases)} phrases, ")
    assert f" of {episode.duration:.1f} s signed; × real time: activity " in said

    spans = [cue.span for cue in phrases]
    truth = [sentence.span for sentence in episode.sentences]
    covered = sum(shared(a, b) for a in spans for b in truth)
    signed = sum(span.duration for span in truth)
    placed = sum(span.duration for span in spans)
    assert covered / signed > 0.9
    assert covered / placed > 0.85
    moved = sum(shared(a.shifted(7.0), b) for a in spans for b in truth)
    assert moved < covered - 0.1 * signed  # what was measured depends on where phrases lie
    starts = np.array([span.start for span in spans])
    near = [float(np.abs(starts - span.start).min()) <= 0.3 for span in truth]
    assert np.mean(near) > 0.6
    # phrases are signing, and all of it, cut
    assert sum(c.span.duration for c in signing) == pytest.approx(placed, rel=0.1)


@pytest.mark.parametrize("ending", ["vtt", "srt", "json"])
def test_phrases_as_cues_are_those_of_the_tier(
    ending: str, pose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert segment(monkeypatch, pose, "-o", tmp_path / f"o.{ending}") == 0
    assert segment(monkeypatch, pose, "-o", tmp_path / "o.eaf") == 0
    cues = read_subtitles(tmp_path / f"o.{ending}").cues
    tier = read_subtitles(tmp_path / "o.eaf", tier="phrases").cues
    assert [(c.span, c.text) for c in cues] == [(c.span, c.text) for c in tier]


def test_several_and_one_that_shows_no_signing(
    pose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = read_pose(pose, Span(0.0, 6.0))
    still = clip.with_points(np.repeat(clip.points[:1], len(clip), 0), clip.confidence)
    write_pose(still, tmp_path / "still.pose")
    assert segment(monkeypatch, tmp_path / "still.pose", "-o", tmp_path / "o.vtt") == 5
    error = capsys.readouterr().err
    assert f"no signing found in {tmp_path / 'still.pose'}: hands are raised and moving in" in error
    assert "of 6.0 s, expected at least 1 s; check that it shows the signer" in error
    assert not (tmp_path / "o.vtt").exists()

    both = (tmp_path / "still.pose", pose)
    assert segment(monkeypatch, *both, "-o", tmp_path / "many", "--format", "srt") == 5
    assert [path.name for path in (tmp_path / "many").iterdir()] == ["0.srt"]


def test_what_cannot_be(
    pose: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there = tmp_path / "there.vtt"
    there.write_text("mine")
    broken = tmp_path / "broken.pose"
    broken.write_bytes(b"no pose")
    for code, text, arguments in [
        (2, f"{there} exists already; choose another name or pass --overwrite", (pose, "-o", there)),
        (3, f"{broken}", (broken, "-o", tmp_path / "o.eaf")),
        (3, "cannot be opened", (tmp_path / "none.pose", "-o", tmp_path / "o.eaf")),
        (2, "expected a name ending in .eaf, .vtt, .srt, .json", (pose, "-o", tmp_path / "o.ass")),
        (2, "expected a folder for the 2 inputs", (pose, broken, "-o", tmp_path / "o.eaf")),
        (2, "would both become", (pose, tmp_path / "0.mp4", "-o", tmp_path / "d")),
        (2, "--signer-box goes with a video", (pose, "-o", tmp_path / "o.eaf", "--signer-box", "auto")),
        (2, "but --format vtt", (pose, "-o", tmp_path / "o.eaf", "--format", "vtt")),
        (2, "is a folder, expected pose files or videos", (tmp_path, "-o", tmp_path / "o.eaf")),
    ]:  # fmt: skip
        assert segment(monkeypatch, *arguments) == code
        assert text in capsys.readouterr().err
    assert there.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.pose", "there.vtt"]
    assert segment(monkeypatch, pose, "-o", there, "--overwrite") == 0
    assert read_subtitles(there).cues
