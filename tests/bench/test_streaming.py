"""How long a stream waits: planted alignments and planted times, and a whole run on a store."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.streaming import Said, label_ends, main, sign_delays, streamed
from signloom.corpora.store import StoreWriter
from signloom.data.clip import SIMULATED, Origin
from signloom.data.layouts import PS76
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.methods.ctc import Ctc, begin
from signloom.pose.files import write_pose
from signloom.training.checkpoint import save_checkpoint
from tests.methods.test_autosign import TEXTS, learn, samples
from tests.methods.test_ctc import STREAM, TINY


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), labels=st.lists(st.integers(1, 2), max_size=3))
def test_ends_are_those_of_the_likeliest_path(seed: int, labels: list[int]) -> None:
    rng, blank = np.random.default_rng(seed), 0
    frames = 2 * len(labels) + 1
    log_p = np.log(rng.dirichlet(np.ones(3), frames))
    best, ends = -np.inf, []
    for path in itertools.product(range(3), repeat=frames):
        runs = [(label, len(list(run))) for label, run in itertools.groupby(path)]
        if [label for label, _ in runs if label != blank] != labels:
            continue
        score = log_p[range(frames), path].sum()
        if score > best:
            lasts = np.cumsum([length for _, length in runs]) - 1
            best = score
            ends = [int(e) for (label, _), e in zip(runs, lasts, strict=True) if label != blank]
    assert label_ends(log_p, labels, blank) == ends


def test_only_signs_that_are_right_and_timed_have_a_delay() -> None:
    said = Said(("A", "X", "C", "C"), (1.0, 2.0, 3.5, 4.0), 1, ())
    glosses = (
        GlossSpan("A", Span(0.1, 0.4)), GlossSpan("B", Span(0.5, 1.0)),
        GlossSpan("C", Span(2.0, 3.0)), GlossSpan("C"),
    )  # fmt: skip
    sample = Sample("s", samples()[0].clip, "", glosses)
    assert list(sign_delays(said, sample)) == pytest.approx([0.6, 0.5])
    assert list(sign_delays(said, dataclasses.replace(sample, glosses=()))) == []


@pytest.fixture(scope="module")
def chunked() -> Ctc:
    return learn(begin(STREAM, TEXTS, 1), 160)


def test_a_gloss_is_said_with_the_frame_that_fills_its_chunk(chunked: Ctc) -> None:
    clip = samples()[3].clip
    said = streamed(chunked, clip, beam=1)
    assert len(said.pushes) == len(clip) + 1
    full = [t * clip.fps % 16 for t in said.times[: len(said.times) - said.late]]
    assert full == pytest.approx([0] * len(full))
    assert said.times[len(said.times) - said.late :] == (clip.duration,) * said.late


def test_a_run_on_a_store_and_on_a_folder(
    chunked: Ctc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tmp_path / "model")
    config = {**chunked.described(), "simulated_only": True, "name": "chunked"}
    save_checkpoint(model, config, chunked, chunked.tokenizer)
    folder = tmp_path / "poses"
    folder.mkdir()
    with StoreWriter(tmp_path / "store", PS76) as writer:
        for sample in samples():
            clip = dataclasses.replace(sample.clip, origin=Origin(SIMULATED))
            ends = np.linspace(0.2, clip.duration, len(sample.glosses))
            timed = tuple(
                GlossSpan(g.gloss, Span(0.0, float(end)))
                for g, end in zip(sample.glosses, ends, strict=True)
            )
            writer.add(dataclasses.replace(sample, clip=clip, glosses=timed), "test")
            write_pose(clip, folder / f"{sample.id}.pose")
    out = tmp_path / "out.json"
    assert main([model, str(tmp_path / "store"), "-o", str(out)]) == 0
    found = json.loads(out.read_text())
    assert (found["clips"], found["equal"], found["look_ahead"]) == (4, 4, 0.64)
    assert found["sign"]["n"] == found["own"]["n"] == found["glosses"] == 12
    assert 0 <= found["own"]["median"] <= found["own"]["p95"]
    assert 0 < found["real_time_factor"]
    assert "on 4 of 4" in capsys.readouterr().out
    assert main([model, str(folder), "--limit", "2", "--beam", "1", "-o", str(out)]) == 0
    assert (json.loads(out.read_text())["clips"], json.loads(out.read_text())["sign"]) == (2, None)


def test_what_cannot_be_measured_is_refused(
    chunked: Ctc, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pose(samples()[0].clip, tmp_path / "real.pose")
    whole = begin(TINY, TEXTS, 0)
    for name, model, simulated in (("whole", whole, False), ("sim", chunked, True)):
        config = {**model.described(), "simulated_only": simulated, "name": name}
        save_checkpoint(tmp_path / name, config, model, model.tokenizer)
    assert main([str(tmp_path / "whole"), str(tmp_path)]) == 2
    assert "reads whole clips" in capsys.readouterr().err
    assert main([str(tmp_path / "sim"), str(tmp_path)]) == 5
    assert main([str(tmp_path / "sim"), str(tmp_path), "--allow-simulated"]) == 0
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "sim"), str(tmp_path / "empty")]) == 2
    assert "no .pose file" in capsys.readouterr().err
