"""Lips through the commands: who reads them gets them, and is told where there are none."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from signloom.cli import episode
from signloom.cli.episode import Stages, open_media
from signloom.cli.main import main
from signloom.corpora import store as stores
from signloom.data.clip import PoseClip
from signloom.data.lips import Lips
from signloom.extract import extraction
from signloom.extract.extraction import Extracted
from signloom.inference.locate import Located, Query
from signloom.methods.unified import PRESETS, Unified, begin
from signloom.pose.files import read_pose
from signloom.pose.lip_files import beside, read_lips, write_lips
from signloom.simulator import corpora
from signloom.training.checkpoint import save_checkpoint
from tests.extract.videos import coded, write_video

TEXTS = ["The weather is cold.", "Do you eat bread?", "My sister is a nurse."]


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([*map(str, arguments)])
    return int(stop.value.code or 0)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random tiny model that reads lips."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    model = begin(dataclasses.replace(PRESETS["tiny"], lips="small", vocabulary=120), TEXTS, 1)
    config = {**model.described(), "name": "lippy", "simulated_only": True}
    save_checkpoint(folder, config, model.eval(), model.tokenizer)
    return folder


@pytest.fixture
def pose(tmp_path: Path) -> Path:
    """A simulated sentence with lips beside it."""
    same = ("--size", "tiny", "--layout", "ps76", "--lips", "-o", tmp_path)
    assert run("simulate", "sentences", *same) == 0
    return tmp_path / "sim-sentences-v1-tiny-train-000000.pose"


def test_translate_reads_the_lips_beside_a_pose_file(
    checkpoint: Path, pose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def translated() -> tuple[float, str]:
        capsys.readouterr()
        assert run("translate", pose, "--model", checkpoint, "--format", "json") == 0
        told = capsys.readouterr()
        return json.loads(told.out)[0]["score"], told.err

    score, said = translated()
    assert said == ""
    mouths = read_lips(beside(pose))
    beside(pose).unlink()
    blind, said = translated()
    assert blind != score
    assert f"{pose} has no lips beside it" in said
    assert "model 'lippy' reads lips: it sees no mouth" in said
    for wrong, message in (
        (mouths[:-1], "expected one crop for each frame"),
        (b"words", "is damaged or holds no mouth crops"),
    ):
        if isinstance(wrong, Lips):
            write_lips(wrong, beside(pose))
        else:
            beside(pose).write_bytes(wrong)
        assert run("translate", pose, "--model", checkpoint) == 3
        assert message in capsys.readouterr().err
    assert run("translate", pose) == 0  # the bundled model reads none
    assert "lips" not in capsys.readouterr().err


def test_a_stitched_sentence_does_not_inherit_the_lips_of_what_it_replaces(pose: Path) -> None:
    asked = ("stitch", "My sister is a nurse.", "--lexicon", "sim:tiny", "-o", pose)
    assert run(*asked) == 2
    assert beside(pose).exists()
    assert run(*asked, "--overwrite") == 0
    assert not beside(pose).exists()


def test_translate_takes_the_lips_of_a_video(
    checkpoint: Path,
    pose: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video = write_video(pose.parent / "v.mp4", coded(range(4)))
    clip, lips = read_pose(pose), read_lips(beside(pose))
    asked: list[tuple[Sequence[str], bool]] = []

    def extract(
        paths: Sequence[Path], parts: Sequence[str], jobs: int, lips: bool
    ) -> Iterator[Extracted]:
        asked.append((parts, lips))
        yield Extracted(paths[0], clip, None, found if lips else None)

    found = lips
    monkeypatch.setattr(extraction, "extract_clips", extract)
    command = ("translate", pose, video, "--model", checkpoint, "--allow-simulated")
    assert run(*command, "--format", "json") == 0
    one, other = json.loads(capsys.readouterr().out)
    assert one["score"] == other["score"]
    assert asked[0][1]
    assert "face" in asked[0][0]


def test_evaluate_wants_a_store_with_lips(
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(corpora.SENTENCES["tiny"], "dev", 4)
    same = ("prepare", "sim-sentences-v1", "--size", "tiny", "--split", "dev", "--layout", "ps76")
    assert run(*same, "-o", tmp_path / "plain") == 0
    assert run(*same, "-o", tmp_path / "lips", "--lips") == 0
    assert "with lips: dev 4" in capsys.readouterr().out
    evaluate = ("--split", "dev", "--beam", 1, "-o", tmp_path / "scores.json")
    assert run("evaluate", checkpoint, tmp_path / "plain", *evaluate) == 2
    told = capsys.readouterr().err
    assert "split 'dev' of the store" in told
    assert "holds no mouth crops, expected lips beside its poses" in told
    given: list[Lips | None] = []
    translate = Unified.translate

    def spied(self: Unified, clips, beam=None, lips=None):  # type: ignore[no-untyped-def]
        given.extend(lips or [])
        return translate(self, clips, beam, lips)

    monkeypatch.setattr(Unified, "translate", spied)
    assert run("evaluate", checkpoint, tmp_path / "lips", *evaluate) == 0
    expected = stores.open_store(tmp_path / "lips", "dev", lips=True)
    kept = sorted(lips.id for lips in given if lips is not None)
    assert kept == sorted(expected[i].lips.id for i in range(4))
    assert run("evaluate", checkpoint, "sim:tiny", "--limit", 2, "--overwrite", *evaluate) == 0
    assert len(given) == 6
    assert all(lips is not None for lips in given)
    assert run("info", tmp_path / "lips", "--json") == 0
    told = capsys.readouterr().out
    assert json.loads(told[told.index("{\n") :])["lips"] == {"dev": 4}


def test_align_gives_a_model_the_lips_of_each_stretch(
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    episode = ("--size", "tiny", "--layout", "ps76", "--minutes", 0.5, "--lips", "-o", tmp_path)
    assert run("simulate", "episode", *episode) == 0
    pose = tmp_path / "0.pose"
    whole, frames = read_pose(pose), read_lips(beside(pose)).frames
    given: list[Lips | None] = []

    def locate(
        self: Unified, clip: PoseClip, queries: Sequence[Query], lips: Lips | None = None
    ) -> list[Located]:
        given.append(lips)
        if lips is not None:
            (first,) = np.flatnonzero((whole.points == clip.points[0]).all((1, 2)))
            np.testing.assert_array_equal(lips.frames, frames[first : first + len(clip)])
        return [Located((), np.full(round(q.window.duration * self.fps), 0.05)) for q in queries]

    monkeypatch.setattr(Unified, "locate", locate)
    command = ("align", pose, tmp_path / "0.speech.vtt", "--dry-run", "--model", checkpoint)
    assert run(*command) in (0, 5)
    assert given
    assert all(lips is not None for lips in given)
    assert "no lips" not in capsys.readouterr().err
    write_lips(read_lips(beside(pose))[:-1], beside(pose), overwrite=True)
    assert run(*command) == 3
    assert "749 mouth crops at 25 fps but" in capsys.readouterr().err
    beside(pose).unlink()
    given.clear()
    assert run(*command) in (0, 5)
    assert f"{pose} has no lips beside it" in capsys.readouterr().err
    assert set(given) == {None}


def test_poses_that_are_replaced_keep_no_lips_of_others(
    pose: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, lips = read_pose(pose), read_lips(beside(pose))
    kept = pose.parent / "kept.pose"
    monkeypatch.setattr(episode, "_extracted", lambda *told: (clip, lips if told[-1] else None))
    for seen in (True, False):
        open_media(Path("v.mp4"), None, Stages(), save_pose=kept, overwrite=not seen, lips=seen)
        assert (kept.is_file(), beside(kept).exists()) == (True, seen)


def test_info_describes_a_file_of_lips(pose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run("info", beside(pose), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    lips = read_lips(beside(pose))
    assert (told["kind"], told["frames"], told["simulated"]) == ("lips", len(lips), True)
    assert (told["id"], told["size"]) == (lips.id, [96, 96])
    assert run("info", beside(pose)) == 0
    beside(pose).write_bytes(b"\x08" + bytes(20))
    assert run("info", beside(pose)) == 3
