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
from signloom.data.layouts import BOSTON3
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.language.ctc import ctc_loss
from signloom.methods.ctc import PRESETS, Config, Ctc, Stream, begin
from signloom.methods.finetune import begin_with
from signloom.methods.gloss_clips import NO_SIGN
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
        {"context": "dilated", "motion": True, "spans": 0.5},
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


def test_a_stream_says_the_same_where_a_frame_is_taken_for_the_end_of_a_text() -> None:
    model = begin(STREAM, ["A B C", "B A D"], 0)
    with torch.no_grad():  # every class is likely somewhere, </s> too
        model.head.weight *= 30
    for clip in (smooth_clip(seed, 70) for seed in range(4)):
        stream = Stream(model, clip.fps)
        said = [*stream.push(clip), *stream.finish()]
        assert " ".join(said) == model.translate([clip])[0].text
        assert len(said) > 1


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


# --- Glosses with times, and which gloss follows which ----------------------------------------

BOSTON = Config(
    layout="boston3", normalizer="nose", motion=True, augment=0.0, noise=0.0, channels=(16, 16),
    stride=2, context="dilated", context_layers=2, dropout=0.0, spans=0.5, prior=0.5, classes=0,
)  # fmt: skip


def timed(gloss: str, other: str, frames: int = 60) -> Sample:
    """The right hand is near in frames 10 to 24 and far in 30 to 49, which are the two glosses."""
    points = np.zeros((frames, 3, 3), np.float32)
    points[:, :2, 0] = [100, 150]
    points[10:25, 1, 0], points[30:50, 1, 0] = 50, 300
    spans = (Span.of_frames(10, 25, 30.0), Span.of_frames(30, 50, 30.0))
    clip = PoseClip(points, np.ones((frames, 3), np.float32), 30.0, BOSTON3, gloss, size=(312, 242))
    return Sample(
        gloss, clip, glosses=(GlossSpan(gloss, spans[0]), GlossSpan(other, spans[1])), signer="a"
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_frames_sign_is_what_the_frame_shows(seed: int) -> None:
    config = dataclasses.replace(BOSTON, speed=0.4, uneven=0.4, augment=1.0, drop=0.2, jitter=0.0)
    model = begin(dataclasses.replace(config, turn=0.0, drop_keypoints=0.0), ["NEAR FAR"], 0)
    example = model.example(timed("NEAR", "FAR"), np.random.default_rng(seed), True)
    x = example.features[::2, 1, 0]
    near, far = model.codec.encode("NEAR FAR")
    rest = np.abs(x - x[0]) < 0.02 * x[0]
    signs = {near: x < 0.5 * x[0], far: x > 1.9 * x[0], model.codec.pad: rest}
    for sign, shown in signs.items():
        assert shown.sum() >= 3
        assert (example.signs[shown] == sign).mean() > 0.85, "but for frames between two"


def test_without_times_frames_have_no_sign_and_only_ctc_speaks() -> None:
    model = begin(BOSTON, ["NEAR FAR"], 0).eval()
    there, without = timed("NEAR", "FAR"), timed("NEAR", "FAR")
    without = dataclasses.replace(without, glosses=(GlossSpan("NEAR"), GlossSpan("FAR")))
    rng = np.random.default_rng(0)
    batch = model.collate([model.example(sample, rng, False) for sample in (there, without)])
    assert (batch.signs[1] == NO_SIGN).all()
    logits, _ = model(batch.features, batch.mask)
    log_p = logits.log_softmax(-1)
    blank = model.codec.pad
    aligned = ctc_loss(
        logits, torch.tensor([30, 30]), batch.labels[:, :2], torch.tensor([2, 2]), blank
    )
    crossed = -log_p[0, torch.arange(30), batch.signs[0]].mean()
    by_hand = 0.5 * aligned.sum() + 0.5 * 2 * crossed
    torch.testing.assert_close(model.loss(batch).total, by_hand)


def test_the_prior_counts_the_training_sentences_and_travels(tmp_path: Path) -> None:
    texts = ["NEAR FAR", "NEAR FAR NEAR", "FAR"]
    model = begin(BOSTON, texts, 0)
    clip = timed("NEAR", "FAR").clip
    save_checkpoint(tmp_path / "model", model.described() | {"simulated_only": False, "name": "p"},
                    model, model.tokenizer, dtype="float32")  # fmt: skip
    again = load(tmp_path / "model")
    assert torch.equal(again.counts, model.counts)
    assert again.translate([clip]) == model.translate([clip])
    plain = begin(dataclasses.replace(BOSTON, prior=0.0), texts, 0)
    said, without = model.translate([clip])[0], plain.translate([clip])[0]
    assert said.score < without.score
    other = begin(BOSTON, ["NEAR FAR", "FAR NEAR FAR", "NEAR"], 0)
    begin_with(other, tmp_path / "model")
    assert not torch.equal(other.counts, model.counts), "its own sentences, though of one shape"


def test_settings_that_came_later_are_said_only_where_they_are_set() -> None:
    assert "motion" not in Config().to_json()
    assert BOSTON.to_json()["motion"] is True
    with pytest.raises(UsageError, match="motion appends points that the graph has not"):
        Config(motion=True, graph=True)


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
