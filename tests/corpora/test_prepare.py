"""A store does not depend on how many processes wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.prepare import write_store
from signloom.corpora.store import StoreWriter, open_store
from signloom.corpora.store_lexicon import store_lexicon
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, PS76
from signloom.data.sample import Sample
from signloom.data.spread import Engine
from signloom.errors import UsageError
from signloom.stitch.stitcher import StitchedSentences


@pytest.fixture
def source(tmp_path: Path) -> StitchedSentences:
    rng = np.random.default_rng(0)
    with StoreWriter(tmp_path / "words", HANDS42) as writer:
        for word in ("cold", "weather", "rain"):
            for n in range(3):
                points = rng.random((4 + n, 42, 3)).astype(np.float32)
                clip = PoseClip(points, np.ones((4 + n, 42), np.float32), 25.0, HANDS42, id=word)
                writer.add(Sample(f"{word}{n}", clip, text=word), "train")
    sentences = ["The weather is cold.", "Rain!", "Cold rain, cold weather."] * 30
    return StitchedSentences(store_lexicon(tmp_path / "words"), sentences, seed=3)


def test_one_process_and_two_write_the_same_bytes(
    tmp_path: Path, source: StitchedSentences
) -> None:
    done: list[int] = []
    for jobs in (1, 2):
        write_store(
            tmp_path / str(jobs),
            HANDS42,
            {"train": source},
            description={"corpus": "made up"},
            engine=Engine(jobs=jobs),
            advance=done.append,
        )
    assert sum(done) == 180
    one, two = (
        {file.name: file.read_bytes() for file in (tmp_path / str(jobs)).iterdir()}
        for jobs in (1, 2)
    )
    assert one == two
    store = open_store(tmp_path / "1")
    assert store.texts() == source.texts()
    assert store[7].glosses == source[7].glosses


def test_the_command_names_a_wrong_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "sim-words-v1", "--split", "tain", "-o", str(tmp_path / "s")])
    assert stop.value.code == 2
    assert "sim-words-v1 has no split 'tain' (did you mean 'train'?)" in capsys.readouterr().err


def test_another_layout_is_refused(tmp_path: Path, source: StitchedSentences) -> None:
    with pytest.raises(
        UsageError, match=r"'stitched-3-0' is in layout 'hands42', but the store holds 'ps76'"
    ):
        write_store(tmp_path / "s", PS76, {"train": source}, description={})
    with pytest.raises(UsageError, match=r"jobs is 0, expected 1 or more"):
        Engine(jobs=0)
    assert not (tmp_path / "s").exists()
