"""signloom live: a file says what its phrases translate to; refusals come before any work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from signloom.cli import live as live_
from signloom.cli import translate
from signloom.cli.main import main
from signloom.data.clip import Origin
from signloom.data.timing import Span
from signloom.inference.stream import live
from signloom.pose.files import write_pose
from signloom.simulator.episode import SimulatedEpisodes
from signloom.text.subtitles import read_subtitles
from tests.web.served import Counting

CLIP = SimulatedEpisodes("tiny", "test")[0].clip().cut(Span(0.0, 12.0))


def run(*arguments: object) -> int:
    try:
        main(["live", *map(str, arguments)])
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


@pytest.fixture
def pose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(translate, "loaded", lambda name: Counting(name or "sim", name != "real"))
    write_pose(CLIP, tmp_path / "a.pose")
    return tmp_path / "a.pose"


def test_a_file_gives_lines_of_text_or_json(pose: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = live(Counting("sim", True), "translate", CLIP.layout, CLIP.fps)
    whole = session.push(CLIP) + session.finish()
    assert whole
    assert run(pose, "--json", "--provisional", 0.5) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["type"] == "ready"
    assert lines[0]["look_ahead_s"] == round(session.look_ahead, 3)
    assert lines[-1] == {"type": "closed", "frames": len(CLIP), "seconds": 12.0}
    assert [line for line in lines if line["type"] == "final"] == [s.to_json() for s in whole]
    assert any(line["type"] == "provisional" for line in lines)
    assert run(pose) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        f"{s.span.start:.1f}–{s.span.end:.1f}\t{s.text}" for s in whole
    ]
    assert f"model 'sim', translate; text comes up to {session.look_ahead:.1f} s" in told.err


def test_what_is_final_becomes_subtitles(pose: Path, tmp_path: Path) -> None:
    session = live(Counting("sim", True), "translate", CLIP.layout, CLIP.fps)
    whole = session.push(CLIP) + session.finish()
    out = tmp_path / "captions.vtt"
    assert run(pose, "--provisional", 0.5, "-o", out) == 0
    cues = read_subtitles(out).cues
    assert [cue.text for cue in cues] == [s.text for s in whole]
    for cue, said in zip(cues, whole, strict=True):
        assert cue.span.start == pytest.approx(said.span.start, abs=5e-4)
        assert cue.span.end == pytest.approx(said.span.end, abs=5e-4)
    kept = out.read_bytes()
    assert run(pose, "-o", out) == 2
    assert out.read_bytes() == kept
    assert run(pose, "-o", out, "--overwrite") == 0
    assert run(pose, "-o", tmp_path / "captions.doc") == 4


def test_on_a_terminal_what_is_provisional_is_written_over(
    pose: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live_._Screen, "__init__", lambda self: setattr(self, "terminal", True))
    assert run(pose, "--provisional", 0.5) == 0
    out = capsys.readouterr().out
    assert "\x1b[2m" in out
    assert out.endswith("\n")
    dimmed = [part for part in out.split("\r\x1b[K") if part.startswith("\x1b[2m")]
    assert dimmed
    assert all(part.endswith(" …\x1b[0m") for part in dimmed)


def test_refusals(
    pose: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real.pose"
    write_pose(replace(CLIP, origin=Origin()), real)
    assert run(real) == 5
    assert "has learnt from simulated signing only" in capsys.readouterr().err
    assert run(real, "--allow-simulated") == 0
    assert run("--camera", 0) == 5
    assert run() == 2
    assert "live wants one recording or one camera" in capsys.readouterr().err
    assert run(pose, "--camera", 0) == 2
    assert run(pose, "--task", "glosses") == 2
    assert "cannot do 'glosses' live" in capsys.readouterr().err
    monkeypatch.setattr("signloom.pose.files.read_slices", lambda path: iter(()))
    assert run(pose) == 2
    assert "has no frames, expected signing" in capsys.readouterr().err


def test_a_camera_ends_with_ctrl_c_and_says_the_rest(
    pose: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from signloom.extract import camera

    def seen(number: int, parts: object) -> object:
        yield CLIP
        raise KeyboardInterrupt

    monkeypatch.setattr(camera, "camera_slices", seen)
    assert run("--camera", 0, "--model", "real") == 0
    session = live(Counting("real", False), "translate", CLIP.layout, CLIP.fps)
    whole: list[object] = [*session.push(CLIP), *session.finish()]
    assert len(capsys.readouterr().out.splitlines()) == len(whole)
