"""CTC, AutoSign's baseline: learning, the pose backbone before it, and streams that equal the whole."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.errors import UsageError
from signloom.methods.ctc import PRESETS, Config, Ctc, Stream, begin
from signloom.methods.load import load
from signloom.methods.method import better, learns_glosses, method_named
from signloom.training.checkpoint import save_checkpoint
from tests.methods.test_autosign import TEXTS, learn, samples, wrong
from tests.methods.test_posestitch import smooth_clip

TINY = PRESETS["tiny"]
STREAM = dataclasses.replace(
    TINY, normalizer="isharah_frame", local_hands=False, chunk=16, context="bilstm"
)


@pytest.fixture(scope="module")
def learnt() -> Ctc:
    return learn(begin(TINY, TEXTS, 1), 160)


@pytest.fixture(scope="module")
def chunked() -> Ctc:
    return learn(begin(STREAM, TEXTS, 1), 160)


def test_tiny_overfits_four_clips_and_listens_to_its_input(learnt: Ctc) -> None:
    clips = [sample.clip for sample in samples()]
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    assert [found.text for found in learnt.translate(clips)] == TEXTS
    assert wrong(learnt, clips[1:] + clips[:1]) > 0.6


def test_blanks_alone_are_an_empty_text_and_count_as_deletions(learnt: Ctc) -> None:
    silent = begin(TINY, TEXTS, 0)
    with torch.no_grad():
        silent.head.bias[silent.codec.pad] = 100.0
    clips = [sample.clip for sample in samples()]
    assert [found.text for found in silent.translate(clips)] == [""] * 4
    assert wrong(silent, clips) == 1.0


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"context": "transformer"},
        {"local_hands": False, "graph": True, "graph_channels": 4, "graph_width": 16,
         "graph_layers": 1},
    ],
)  # fmt: skip
def test_every_parameter_has_a_gradient_and_padding_changes_nothing(
    more: dict[str, object],
) -> None:
    model = begin(Config.of({**TINY.to_json(), **more}), TEXTS, 0)
    items = [model.example(s, np.random.default_rng(0), True) for s in samples()]
    model.loss(model.collate(items)).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    model.eval()
    both, one = model.collate(items), model.collate(items[:1])
    together, there = model(both.features, both.mask)
    alone, _ = model(one.features, one.mask)
    torch.testing.assert_close(together[0, : there[0].sum()], alone[0], atol=1e-4, rtol=1e-3)


def test_a_checkpoint_comes_back_bit_equal(learnt: Ctc, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    clips = [smooth_clip(seed) for seed in (0, 1, 9)]
    assert again.translate(clips) == learnt.translate(clips)
    assert again.config == TINY


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(0, 70), max_size=6), beam=st.integers(1, 4), seed=st.integers(0, 5)
)
def test_a_stream_says_what_the_whole_clip_says(
    chunked: Ctc, cuts: list[int], beam: int, seed: int
) -> None:
    clip = smooth_clip(seed, 70)
    confidence = clip.confidence.copy()
    confidence[:20, clip.part("left_hand")] = (
        0  # not seen within the first chunk, nor later at times
    )
    confidence[30:40, clip.part("right_hand")] = 0
    clip = clip.with_points(clip.points, confidence)
    stream, said = Stream(chunked, clip.fps, beam), []
    edges = [0, *sorted(cuts), 70]
    for first, last in pairwise(edges):
        said += stream.push(clip.frames(slice(first, last)))
    said += stream.finish()
    assert " ".join(said) == chunked.translate([clip], beam)[0].text


def test_a_stream_says_glosses_when_its_look_ahead_is_over(chunked: Ctc) -> None:
    """With a beam of 1, after n chunks: what n chunks give, no more and no less."""
    clip = samples()[3].clip
    stream, said = Stream(chunked, clip.fps, beam=1), []
    assert stream.look_ahead == pytest.approx(16 / 25)
    points = torch.from_numpy(chunked.preparation.points(clip))[None]
    with torch.inference_mode():
        logits, _ = chunked.eval()(points, torch.ones(1, len(clip), dtype=torch.bool))
    for frame in range(len(clip)):
        said += stream.push(clip.frames(slice(frame, frame + 1)))
        full = (frame + 1) // 16 * 4
        # Repeats collapse; decoding leaves blanks out.
        sure = chunked.codec.decode(logits[0, :full].argmax(-1).unique_consecutive().tolist())
        assert " ".join(said) == sure
    assert said, "something was said before the end"
    said += stream.finish()
    assert " ".join(said) == chunked.translate([clip], beam=1)[0].text
    assert stream.finish() == []


@pytest.mark.parametrize(
    "more",
    [
        {"context": "none"},
        {"context": "bilstm"},
        {"context": "transformer"},
        {"graph": True, "graph_channels": 4, "graph_width": 16, "graph_layers": 1},
    ],
)
def test_chunks_give_the_same_alone_and_in_the_whole_clip(more: dict[str, object]) -> None:
    """Whatever reads them: later frames, and shorter clips beside, change nothing."""
    model = begin(Config.of({**STREAM.to_json(), **more}), TEXTS, 0).eval()
    clip = smooth_clip(0, 58)
    points = [model.preparation.points(c) for c in (clip, smooth_clip(1, 10))]
    whole, there = model(*model.preparation.padded(points))
    assert there.sum(1).tolist() == [15, 3]
    for first in range(0, 58, 16):
        alone, _ = model(*model.preparation.padded([points[0][first : first + 16]]))
        torch.testing.assert_close(whole[:1, first // 4 :][:, : alone.shape[1]], alone)


def test_streams_need_chunks_and_the_models_rate(learnt: Ctc, chunked: Ctc) -> None:
    with pytest.raises(
        UsageError, match="reads whole clips; a stream needs one trained with chunk"
    ):
        Stream(learnt, 25.0)
    at25 = begin(dataclasses.replace(STREAM, fps=25.0), TEXTS, 0)
    with pytest.raises(UsageError, match="reads 25 frames a second and the stream has 50"):
        Stream(at25, 50.0)
    with pytest.raises(UsageError, match="chunk of 15 frames is not a multiple of the stride 4"):
        Config(chunk=15)
    with pytest.raises(UsageError, match="normalised one by one"):
        Config(chunk=16, normalizer="shoulder")
    assert Stream(chunked, 25.0).push(PoseClip(
        np.zeros((0, 76, 3), np.float32), np.zeros((0, 76), np.float32), 25.0, smooth_clip(0).layout
    )) == []  # fmt: skip


def test_presets_are_whole_as_plain_values() -> None:
    for config in PRESETS.values():
        assert Config.of(config.to_json()) == config


def test_errors_are_better_low_and_translations_high() -> None:
    for name in ("autosign", "ctc"):
        method = method_named(name)
        assert {better(method, metric) for metric in method.METRICS} == {"lower"}
        assert learns_glosses(method)
    assert better(method_named("posestitch"), "BLEU-4") == "higher"
    assert not learns_glosses(method_named("posestitch"))
