"""--engine ray: what a cluster of this machine makes equals what one process makes, whatever dies."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.spread import BusyError, Engine, cluster, spread, spread_kept
from signloom.errors import UsageError
from signloom.pose.files import write_pose
from tests.data.test_spread import deadly, slow
from tests.extract.videos import person, write_video

pytest.importorskip("ray")
ROOT = str(Path(__file__).parents[2])
RAY = ["--engine", "ray"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two workers for all tests of this file, started as the commands start theirs."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = ROOT  # its workers read this copy, and the tests' own functions
    with ExitStack() as stack:
        try:
            ray = stack.enter_context(cluster(Engine("ray", 2)))
        except BusyError as error:
            with warnings.catch_warnings():  # what Ray has left behind
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()
            pytest.skip(str(error))
        yield ray.get_runtime_context().gcs_address
    if before is None:
        del os.environ["PYTHONPATH"]
    else:
        os.environ["PYTHONPATH"] = before


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def code_of(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="no Ray cluster answers at"):
        list(spread(slow, {"1": 1}, Engine("ray", address="127.0.0.1:1")))


def test_workers_and_drivers_die_and_nothing_is_lost_or_done_twice(
    address: str, tmp_path: Path
) -> None:
    (once,) = spread(deadly, {"once": (tmp_path, 1)}, Engine("ray"))
    assert once.value == 1
    names = [f"item{n:02d}" for n in range(40)]
    log, kept = tmp_path / "log", tmp_path / "kept"
    program = (
        "from pathlib import Path; from signloom.data.spread import *\n"
        "from tests.data.test_spread import slow\n"
        f"list(spread_kept(slow, dict.fromkeys({names}, Path({str(log)!r})), "
        f"Path({str(kept)!r}), Engine('ray', address={address!r})))\n"
    )
    driver = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 120
    while len(list(kept.glob("*.json"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    count = -1
    while count != (count := len(list(kept.glob("*.json")))):  # until its tasks have ended with it
        time.sleep(0.5)
    assert 4 <= count < 40
    there = {file.stem for file in kept.glob("*.json")}
    log.unlink()
    done = {
        d.name: d.value for d in spread_kept(slow, dict.fromkeys(names, log), kept, Engine("ray"))
    }
    assert done == {name: name.upper() for name in names}
    assert sorted(log.read_text().split()) == sorted(set(names) - there)


def test_prepare_makes_the_same_store(address: str, tmp_path: Path) -> None:
    rows = ["path\ttext"]
    for n in range(3):
        points = np.random.default_rng(n).random((4, 42, 3)).astype(np.float32)
        clip = PoseClip(points, np.ones((4, 42), np.float32), 25.0, HANDS42)
        write_pose(clip, tmp_path / f"{n}.pose")
        rows.append(f"{n}.pose\tword {n}")
    (tmp_path / "1.pose").write_bytes(b"broken")
    (tmp_path / "m.tsv").write_text("\n".join(rows) + "\n")
    common = ["prepare", "manifest", tmp_path / "m.tsv", "--tolerate", "0.5", "-o"]
    assert code_of(*common, tmp_path / "ours") == 0
    assert code_of(*common, tmp_path / "rays", *RAY, "--resume") == 0
    assert bytes_of(tmp_path / "rays") == bytes_of(tmp_path / "ours")
    assert "quarantine.tsv" in bytes_of(tmp_path / "rays")


def test_extract_lists_what_is_broken_and_goes_on(address: str, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", [person(96, 128)] * 4)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    out = tmp_path / "out"
    assert code_of("extract", video, tmp_path / "b.mp4", "-o", out, *RAY) == 3
    assert sorted(bytes_of(out)) == ["a.pose", "quarantine.tsv"]
    assert "b.mp4" in (out / "quarantine.tsv").read_text()
    made = (out / "a.pose").stat().st_mtime_ns
    assert code_of("extract", video, tmp_path / "b.mp4", "-o", out, *RAY, "--resume") == 3
    assert (out / "a.pose").stat().st_mtime_ns == made


def test_score_says_the_same(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hyp").write_text("the rain is cold\n\nyou want a book\n" * 3)
    (tmp_path / "ref").write_text("the rain was cold\nyes\nyou want the book\n" * 3)
    cue = "WEBVTT\n\n00:00:01.000 --> 00:00:03.000\none\n\n00:00:0{}.000 --> 00:00:09.000\ntwo\n"
    for side, start in (("h", 4), ("r", 5)):
        (tmp_path / side).mkdir()
        for n in range(2):
            (tmp_path / side / f"{n}.signing.vtt").write_text(cue.format(start + n))
            (tmp_path / side / f"{n}.speech.vtt").write_text(cue.format(start))
    for task, hyp, ref in (("translation", "hyp", "ref"), ("alignment", "h", "r")):
        asked = [
            "score",
            "--task",
            task,
            "--hyp",
            tmp_path / hyp,
            "--ref",
            tmp_path / ref,
            "--json",
        ]
        said = []
        for more in ([], [*RAY, "--work", tmp_path / "work"], ["--work", tmp_path / "work"]):
            assert code_of(*asked, *more) == 0
            said.append(json.loads(capsys.readouterr().out))
        assert said[0] == said[1] == said[2]


def test_corpus_makes_the_same_store(address: str, tmp_path: Path) -> None:
    episodes = tmp_path / "e"
    episodes.mkdir()
    points = np.random.default_rng(0).random((100, 42, 3)).astype(np.float32)
    clip = PoseClip(points, np.ones((100, 42), np.float32), 25.0, HANDS42)
    cue = {"number": 1, "text": "the rain", "new": {"start": 1, "end": 3}, "confidence": 0.9}
    for n in range(2):
        write_pose(clip, episodes / f"{n}.pose")
        (episodes / f"{n}.report.json").write_text(json.dumps({"cues": [cue]}))
    (episodes / "2.pose").write_bytes(b"broken")
    for name, more in (("ours", []), ("rays", RAY)):
        assert code_of("corpus", episodes, "--layout", "hands42", "-o", tmp_path / name, *more) == 0
    assert bytes_of(tmp_path / "rays") == bytes_of(tmp_path / "ours")
    assert "quarantine.tsv" in bytes_of(tmp_path / "rays")
    assert not (tmp_path / "rays.episodes").exists()
