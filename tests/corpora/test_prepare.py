"""A store does not depend on how many processes wrote it."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora import store as store_module
from signloom.corpora.prepare import write_run, write_store
from signloom.corpora.store import Part, StoreWriter, join, open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76
from signloom.data.sample import Sample
from signloom.data.spread import Engine
from signloom.errors import MediaError, UsageError


@dataclass(frozen=True)
class Made:
    """Samples drawn from their index, three runs of them, each after ``wait`` seconds."""

    wait: float = 0.0
    size: int = 600

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> Sample:
        if index >= self.size:
            raise IndexError(index)
        time.sleep(self.wait)
        frames = 2 + index % 3
        points = np.random.default_rng(index).random((frames, 42, 3)).astype(np.float32)
        clip = PoseClip(points, np.ones((frames, 42), np.float32), 25.0, HANDS42, id=f"c{index}")
        return Sample(f"s{index}", clip, text=f"text {index}")


SOURCE = Made()
TEXTS = [f"text {n}" for n in range(600)]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_one_process_and_three_write_the_same_bytes(tmp_path: Path) -> None:
    done: list[int] = []
    for jobs in (1, 3):
        write_store(
            tmp_path / str(jobs),
            HANDS42,
            {"train": SOURCE},
            description={"corpus": "made up"},
            engine=Engine(jobs=jobs),
            advance=done.append,
        )
    assert sum(done) == 1200
    with StoreWriter(tmp_path / "added", HANDS42, description={"corpus": "made up"}) as writer:
        for sample in SOURCE:
            writer.add(sample, "train")
    one, three, added = (bytes_of(tmp_path / name) for name in ("1", "3", "added"))
    assert one == three == added
    assert [name for name in sorted(one) if "train" in name] == [
        f"train-{n:05d}.arrow" for n in range(3)
    ]
    store = open_store(tmp_path / "1")
    assert store.texts() == TEXTS
    assert store[300].clip.id == "c300"


def test_killed_it_goes_on_with_the_runs_that_lack(tmp_path: Path) -> None:
    asked = {"description": {"corpus": "made up"}}
    write_store(tmp_path / "whole", HANDS42, {"train": SOURCE}, **asked)
    context = multiprocessing.get_context("spawn")
    arguments = (tmp_path / "killed", HANDS42, {"train": Made(0.002)})
    driver = context.Process(target=write_store, args=arguments, kwargs=asked)
    driver.start()
    first = tmp_path / "killed.parts" / "parts" / "train-00000.json"
    deadline = time.monotonic() + 60
    while not first.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    driver.kill()
    driver.join()
    assert not (tmp_path / "killed").exists()
    made = (tmp_path / "killed.parts" / "train-00000.arrow").stat().st_mtime_ns
    for samples, about in ((SOURCE, asked), (Made(0.002), {"description": {}})):
        with pytest.raises(UsageError, match="was begun with other samples or settings"):
            write_store(tmp_path / "killed", HANDS42, {"train": samples}, **about, resume=True)
    write_store(tmp_path / "killed", HANDS42, {"train": Made(0.002)}, **asked, resume=True)
    assert (tmp_path / "killed" / "train-00000.arrow").stat().st_mtime_ns == made
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole")
    assert not (tmp_path / "killed.parts").exists()


def test_what_lies_where_a_store_would_grow_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "store.parts" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("of use")
    with pytest.raises(UsageError, match="no interrupted run has left"):
        write_store(tmp_path / "store", HANDS42, {"train": SOURCE}, description={})
    assert mine.read_text() == "of use"


def test_a_damaged_run_is_made_again_and_never_joined(tmp_path: Path) -> None:
    parts = []
    for run in (2, 0, 1):  # in any order, by anybody
        made = write_run(tmp_path, HANDS42, {"train": SOURCE}, False, "", ("train", run))
        parts.append(Part.from_json(json.loads(json.dumps(made))))
    parts = [parts[1], parts[2], parts[0]]
    shard = tmp_path / "train-00001.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] + b"x")
    assert [part.is_whole(tmp_path) for part in parts] == [True, False, True]
    with pytest.raises(MediaError, match=r"train-00001.arrow has sha256"):
        join(tmp_path, HANDS42, parts, {})
    shard.write_bytes(whole)
    join(tmp_path, HANDS42, parts, {})
    assert open_store(tmp_path).texts() == TEXTS


def test_more_shards_than_open_files_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "RUN", 1)
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        for n in range(20):
            writer.add(SOURCE[n], "train")
    before = len(os.listdir("/proc/self/fd"))
    store = open_store(tmp_path / "s")
    clips = [sample.clip for sample in store]
    assert len(os.listdir("/proc/self/fd")) <= before
    assert all(len(clip) == len(SOURCE[n].clip) for n, clip in enumerate(clips))


def test_the_command_names_a_wrong_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "sim-words-v1", "--split", "tain", "-o", str(tmp_path / "s")])
    assert stop.value.code == 2
    assert "sim-words-v1 has no split 'tain' (did you mean 'train'?)" in capsys.readouterr().err


def test_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'s0' is in layout 'hands42', but the store holds 'ps76'"
    ):
        write_store(tmp_path / "s", PS76, {"train": SOURCE}, description={})
    with pytest.raises(UsageError, match=r"jobs is 0, expected 1 or more"):
        Engine(jobs=0)
    assert not (tmp_path / "s").exists()
