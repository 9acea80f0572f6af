"""Which clips are translated, in which order, and which are refused; the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HOLISTIC, PS76, Layout
from signloom.errors import MediaError, UntrustedResultError
from signloom.inference.translate import (
    Translation,
    Translator,
    refuse_empty,
    refuse_untrusted,
    translate_clips,
)
from signloom.methods.posestitch import PRESETS, build
from signloom.pose.files import write_pose
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import save_checkpoint
from tests.extract.videos import coded, write_video


class LengthTeller:
    """Says how many frames a clip has, and keeps the lengths of the batches it was given."""

    name = "length teller"
    layout = PS76
    simulated_only = True

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        self.batches.append([len(clip) for clip in clips])
        return [Translation(str(len(clip)), 0.0) for clip in clips]


def clip_of(frames: int, layout: Layout = PS76, simulated: bool = True) -> PoseClip:
    rng = np.random.default_rng(frames)
    points = 100 + 20 * rng.standard_normal((frames, len(layout), 3)).astype(np.float32)
    origin = Origin(SIMULATED if simulated else "mediapipe-holistic")
    confidence = np.ones(points.shape[:2], np.float32)
    return PoseClip(points, confidence, 25.0, layout, origin=origin, size=(200, 200))


def test_every_clip_gets_its_own_translation() -> None:
    model = LengthTeller()
    lengths = [9, 3, 7, 1, 8]
    found = translate_clips(model, [clip_of(n) for n in lengths], batch=2)
    assert [int(t.text) for t in found] == lengths
    assert model.batches == [[1, 3], [7, 8], [9]]
    assert isinstance(model, Translator)


def test_real_signing_is_refused_by_a_simulated_only_model() -> None:
    model = LengthTeller()
    refuse_untrusted(model, simulated=True)
    refuse_untrusted(model, simulated=False, allow_simulated=True)
    with pytest.raises(UntrustedResultError, match=r"'length teller'.*--allow-simulated") as found:
        refuse_untrusted(model, simulated=False)
    assert found.value.exit_code == 5


def test_clips_without_hands_are_refused() -> None:
    clip = clip_of(40)
    confidence = clip.confidence.copy()
    confidence[1:, :42] = 0
    with pytest.raises(MediaError, match=r"no signing found in a\.pose: a hand is seen in 1 of 40"):
        refuse_empty(clip.with_points(clip.points, confidence), "a.pose")
    confidence[:4, :21] = 1
    refuse_empty(clip.with_points(clip.points, confidence))
    torso = Layout("torso", PS76.keypoints[42:], PS76.articulators[42:])
    with pytest.raises(MediaError, match="no hand keypoints in its layout 'torso'"):
        refuse_empty(clip_of(3, torso))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A checkpoint of random weights."""
    tokenizer = train_bpe(["the weather is cold"], 60, 1)
    made = build(PRESETS["tiny"], tokenizer)
    folder = tmp_path_factory.mktemp("checkpoint") / "model"
    save_checkpoint(folder, {**made.described(), "simulated_only": True}, made, tokenizer)
    return str(folder)


def exit_code(arguments: list[str]) -> int:
    try:
        main(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_json_and_text(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = str(tmp_path / "one.pose"), str(tmp_path / "two.pose")
    write_pose(clip_of(30), one)
    write_pose(clip_of(20, HOLISTIC), two)
    options = ["--model", model, "--format", "json", "--alternatives", "2"]
    assert exit_code(["translate", one, two, *options]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["input"] for entry in entries] == [one, two]
    assert set(entries[0]) == {"input", "text", "score", "model", "simulated", "alternatives"}
    assert entries[0]["model"] == model
    assert entries[0]["simulated"] is True
    assert len(entries[0]["alternatives"]) == 2
    assert exit_code(["translate", two, one, "--model", model]) == 0
    lines = capsys.readouterr().out.splitlines()
    expected = [f"{entry['input']}\t{entry['text']}" for entry in reversed(entries)]
    assert lines == expected
    assert exit_code(["translate", one, "--model", model]) == 0
    assert capsys.readouterr().out == entries[0]["text"] + "\n"


def test_one_bad_input_does_not_stop_the_others(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, real = tmp_path / "good.pose", tmp_path / "real.pose"
    write_pose(clip_of(30), good)
    write_pose(clip_of(30, simulated=False), real)
    write_video(tmp_path / "film.mp4", coded(range(5)))
    (tmp_path / "text.mp4").write_text("no video")
    names = ("real.pose", "gone.pose", "film.mp4", "text.mp4", "good.pose")
    inputs = [str(tmp_path / name) for name in names]
    assert exit_code(["translate", *inputs, "--model", model]) == 5
    said = capsys.readouterr()
    assert said.out.startswith(f"{good}\t")
    assert [name in said.err for name in inputs] == [True, True, True, True, False]
    assert "film.mp4 is not simulated signing" in said.err
    assert "text.mp4 is no video that can be read" in said.err
    assert exit_code(["translate", inputs[1], inputs[0], "--model", model]) == 3
    assert exit_code(["translate", str(real), "--model", model, "--allow-simulated"]) == 0
    assert exit_code(["translate", str(good), "--model", str(tmp_path)]) == 3
    assert "is not a checkpoint" in capsys.readouterr().err


def test_a_copy_without_the_bundled_model_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signloom.inference.translate.BUNDLED", tmp_path / "none")
    assert exit_code(["translate", "x.pose"]) == 3
    assert "no bundled model" in capsys.readouterr().err


def test_what_is_longer_than_the_model_reads_is_said(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "long.pose"
    write_pose(clip_of(400), path)
    assert exit_code(["translate", str(path), "--model", model]) == 0
    assert "is 16.0 s long; model" in (said := capsys.readouterr().err)
    assert "reads the first 12.8 s" in said
