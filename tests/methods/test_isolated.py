"""Isolated signs: the losses by their formulas, mirrored hands, learning, and coming back from disk."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, MP203, Layout
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan, Sample, gloss_of
from signloom.encoders.conformer import attentive_pool
from signloom.encoders.lip_backbone import Frozen, SmallLipEncoder
from signloom.encoders.streams import streams_of
from signloom.errors import MediaError, UsageError
from signloom.inference.recognize import Recognizer
from signloom.methods import isolated
from signloom.methods.finetune import begin_with
from signloom.methods.isolated import (
    PRESETS,
    Config,
    CosineHead,
    Isolated,
    build,
    contrastive_loss,
)
from signloom.methods.isolated_clips import masked_articulators, palms
from signloom.methods.load import load
from signloom.pose.augment import mirrored
from signloom.training.checkpoint import save_checkpoint, write_tensors

GLOSSES = ["book", "drink", "mother", "tree"]
LIPS = replace(PRESETS["tiny"], reads="lips")
RECURRENT = replace(PRESETS["tiny"], backbone="recurrent", width=48, streams=("position", "local"))


def clip_of(seed: int, frames: int = 30, layout: Layout = HANDS42) -> PoseClip:
    """Keypoints that swing slowly around places of their own, in a picture of 640 × 480."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None]
    points = np.array([320, 240, 0]) + 60 * rng.standard_normal((1, len(layout), 3))
    for wave in (1, 2):
        size = rng.standard_normal((1, len(layout), 3))
        points = points + 20 * size * np.sin(2 * np.pi * (wave * time + rng.random((1, 1, 3))))
    confidence = np.ones((frames, len(layout)), np.float32)
    return PoseClip(
        points.astype(np.float32), confidence, 25.0, layout, id=f"clip-{seed}", size=(640, 480)
    )


def samples() -> list[Sample]:
    return [Sample(str(i), clip_of(i, 20 + 6 * i), gloss) for i, gloss in enumerate(GLOSSES)]


def mouths_of(clip: PoseClip) -> Lips:
    """Frame i is all grey i."""
    frames = np.broadcast_to(
        np.arange(len(clip), dtype=np.uint8)[:, None, None], (len(clip), 96, 96)
    )
    return Lips(frames.copy(), np.ones(len(clip), bool), clip.fps)


def with_lips() -> list[Sample]:
    return [replace(sample, lips=mouths_of(sample.clip)) for sample in samples()]


@pytest.fixture(scope="module", params=[PRESETS["tiny"], RECURRENT], ids=["graph", "recurrent"])
def learnt(request: pytest.FixtureRequest) -> Isolated:
    model = isolated.begin(request.param, [*reversed(GLOSSES), *GLOSSES], seed=1)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, fused=True)
    for step in range(60):
        torch.manual_seed(step)
        batch = model.collate(
            [
                model.example(s, np.random.default_rng((step, i)), True)
                for i, s in enumerate(samples())
            ]
        )
        loss = model.loss(batch)
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        optimizer.step()
    return model


def test_tiny_overfits_four_clips_and_listens_to_its_input(learnt: Isolated) -> None:
    clips = [sample.clip for sample in samples()]
    assert sum(p.numel() for p in learnt.parameters()) <= 500_000
    assert learnt.glosses == tuple(GLOSSES)
    found = learnt.recognize(clips, top=2)
    assert [each.candidates[0].gloss for each in found] == GLOSSES
    shuffled = learnt.recognize(clips[1:] + clips[:1], top=1)
    assert [each.candidates[0].gloss for each in shuffled] == GLOSSES[1:] + GLOSSES[:1]
    assert all(len(each.candidates) == 2 and each.known for each in found)
    assert all(each.candidates[0].probability > 0.5 for each in found)
    assert isinstance(learnt, Recognizer)


def test_a_checkpoint_comes_back_bit_equal(learnt: Isolated, tmp_path: Path) -> None:
    repeated = [replace(s, id=f"{s.id}-{i}") for i in range(6) for s in samples()]
    scores = isolated.score_dev(learnt, repeated, 24, beam=1)
    assert scores == dict.fromkeys(isolated.METRICS, 100.0)
    assert learnt.calibration is not None
    assert learnt.calibration.n == 24
    config = {**learnt.described(), "simulated_only": False, "name": "four signs"}
    save_checkpoint(tmp_path / "model", config, learnt)
    again = load(tmp_path / "model")
    clips = [clip_of(seed) for seed in (0, 1, 9)]
    assert again.recognize(clips) == learnt.recognize(clips)
    assert (again.name, again.simulated_only, again.layout) == ("four signs", False, HANDS42)
    assert again.calibration == learnt.calibration


@pytest.mark.parametrize("cosine", [0.0, 16.0])
def test_a_model_of_fewer_glosses_begins_as_the_larger_one_does(
    tmp_path: Path, cosine: float
) -> None:
    config = replace(PRESETS["tiny"], cosine=cosine)
    old = build(config, GLOSSES, seed=5)
    for name, simulated in (("real", False), ("simulated", True)):
        save_checkpoint(tmp_path / name, {**old.described(), "simulated_only": simulated}, old)
    clips = [sample.clip for sample in samples()]
    new = build(config, ["tree", "book"], seed=6)
    begun = begin_with(new, tmp_path / "real")
    assert begun.renewed == ()
    np.testing.assert_allclose(new.logits(clips), old.logits(clips)[:, [3, 0]], atol=1e-5)
    other = build(config, ["tree", "sun"], seed=6)
    fresh = other.head.weight[1].clone()
    assert begin_with(other, tmp_path / "real").renewed == tuple(
        f"head.{name}" for name in other.head.state_dict()
    )
    assert torch.equal(other.head.weight[1], fresh)
    assert torch.equal(other.head.weight[0], old.head.weight[3])
    simulated = build(config, ["tree", "book"], seed=6)
    before = simulated.head.weight.clone()
    assert begin_with(simulated, tmp_path / "simulated").simulated_only
    assert torch.equal(simulated.head.weight, before)


def test_text_embeddings_travel_with_the_checkpoint(tmp_path: Path) -> None:
    embeddings = torch.randn(4, 12)
    model = build(PRESETS["tiny"], GLOSSES, seed=3, embeddings=embeddings)
    save_checkpoint(tmp_path / "model", model.described(), model)
    assert torch.equal(load(tmp_path / "model").texts, embeddings)
    with pytest.raises(UsageError, match="3 text embeddings for 4 glosses"):
        build(PRESETS["tiny"], GLOSSES, embeddings=embeddings[:3])


@pytest.mark.parametrize(
    "config", [PRESETS["tiny"], LIPS, RECURRENT], ids=["pose", "lips", "recurrent"]
)
def test_every_parameter_has_a_gradient(config: Config) -> None:
    model = build(config, GLOSSES, embeddings=torch.randn(4, 12))
    batch = model.collate([model.example(s, np.random.default_rng(0), True) for s in with_lips()])
    model.loss(batch).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_the_loss_is_cross_entropy_plus_the_articulators_mean() -> None:
    model = build(PRESETS["tiny"], GLOSSES).eval()
    batch = model.collate([model.example(s, np.random.default_rng(0), False) for s in samples()])
    found = model.features(batch.read)

    def plain(logits: torch.Tensor) -> float:
        told = logits.detach().double().log_softmax(1)
        return -sum(float(told[i, label]) for i, label in enumerate(batch.labels))

    mask = torch.ones(4, PRESETS["tiny"].frames, dtype=torch.bool)
    each = []
    for name in ("left_hand", "right_hand"):
        assert model.auxiliary is not None
        sequence, attention = model.auxiliary(found.articulators[name], mask)
        each.append(plain(model.told(attentive_pool(sequence, attention, mask))))
    expected = plain(model.told(found.pooled)) + sum(each) / 2
    loss = model.loss(batch)
    assert float(loss.total.detach()) == pytest.approx(expected, rel=1e-4)
    assert loss.count == 4


def test_the_loss_of_lips_is_cross_entropy_plus_the_contrast() -> None:
    model = build(replace(LIPS, masked=1), GLOSSES, embeddings=torch.randn(4, 12)).eval()
    batch = model.collate([model.example(s, np.random.default_rng(0), False) for s in with_lips()])
    told = model(batch.read).detach().double().log_softmax(1)
    expected = -sum(float(told[i, label]) for i, label in enumerate(batch.labels))
    near = contrastive_loss(
        model.from_sign(model.features(batch.read).pooled),
        model.from_text(model.texts[batch.labels]),
        batch.labels,
    )
    assert float(model.loss(batch).total.detach()) == pytest.approx(
        expected + 4 * float(near.detach()), rel=1e-4
    )
    assert model.auxiliary is None


def test_mouths_are_those_of_the_frames_that_pose_is_read_at() -> None:
    clip = clip_of(3, frames=50)
    hidden = np.ones((50, 42), np.float32)
    hidden[:10] = hidden[41:] = 0
    clip = clip.with_points(clip.points * hidden[..., None], hidden)
    preparation = build(LIPS, GLOSSES).preparation
    read = preparation.mouths(clip, mouths_of(clip))
    assert read.shape == (LIPS.frames, 88, 88)
    grey = (read[:, 0, 0] * 0.165 + 0.421) * 255
    assert grey == pytest.approx(np.rint(np.linspace(10, 40, LIPS.frames)), abs=1e-3)
    lips = mouths_of(clip)
    drawn = np.random.default_rng(0).integers(0, 256, (50, 96, 96), np.uint8)
    lips = replace(lips, frames=drawn)
    middle = preparation.mouths(clip, lips)
    assert (preparation.mouths(clip, lips, swapped=True) == middle[:, :, ::-1]).all()
    one, two, three = (
        preparation.mouths(clip, lips, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (one == two).all()
    assert not (one == three).all()
    empty = clip.frames(slice(0, 0))
    assert not preparation.mouths(empty, mouths_of(empty)).any()
    with pytest.raises(MediaError, match="have 49 frames at 25 fps but clip 'clip-3' has 50"):
        preparation.mouths(clip, lips[:49])


def test_a_model_of_lips_wants_lips() -> None:
    model = build(LIPS, GLOSSES)
    assert (model.reads_lips, build(PRESETS["tiny"], GLOSSES).reads_lips) == (True, False)
    with pytest.raises(UsageError, match=r"clip 'clip-0' has no lips, which is all that this"):
        model.example(samples()[0], np.random.default_rng(0), True)
    with pytest.raises(UsageError, match="has no lips"):
        model.recognize([clip_of(0)])
    (found,) = model.recognize([clip_of(0)], 2, [mouths_of(clip_of(0))])
    assert found.read == "lips"
    with pytest.raises(UsageError, match="'auto_avsr' needs the published weights"):
        build(replace(LIPS, lip_encoder="auto_avsr"), GLOSSES)


def test_the_lip_encoder_of_a_checkpoint_can_stand_still_in_another_model(tmp_path: Path) -> None:
    learnt = build(LIPS, GLOSSES, seed=7)
    save_checkpoint(tmp_path / "lips", learnt.described(), learnt)
    other = build(replace(LIPS, lip_weights=str(tmp_path / "lips")), GLOSSES[:2], seed=2)
    assert isinstance(other.mouth, Frozen)
    assert other.filled == {str(tmp_path / "lips"): 1.0}
    theirs = learnt.mouth.state_dict()
    assert all(torch.equal(t, theirs[n]) for n, t in other.mouth.encoder.state_dict().items())
    save_checkpoint(tmp_path / "other", other.described(), other)
    items = with_lips()
    clips, lips = [s.clip for s in items], [s.lips for s in items]
    assert load(tmp_path / "other").recognize(clips, 2, lips) == other.recognize(clips, 2, lips)
    pose = build(PRESETS["tiny"], GLOSSES, seed=7)
    save_checkpoint(tmp_path / "pose", pose.described(), pose)
    for without in ("pose", "other"):  # the other's stands still, and is not its own
        with pytest.raises(
            MediaError, match=r"fill 0\.0 % .* a checkpoint of a model that has learnt one"
        ):
            build(replace(LIPS, lip_weights=str(tmp_path / without)), GLOSSES)


def test_a_frozen_lip_encoder_is_referred_to_and_never_stored(tmp_path: Path) -> None:
    torch.manual_seed(7)
    for folder in ("mine", "other"):
        (tmp_path / folder).mkdir()
        write_tensors(tmp_path / folder / "model.safetensors", SmallLipEncoder().state_dict())
    model = build(replace(LIPS, lip_weights=str(tmp_path / "mine")), GLOSSES, seed=2)
    assert isinstance(model.mouth, Frozen)
    assert not [name for name in model.state_dict() if name.startswith("mouth.")]
    items = with_lips()
    batch = model.collate([model.example(s, np.random.default_rng(0), True) for s in items])
    model.train().loss(batch).total.backward()
    assert all(parameter.grad is None for parameter in model.mouth.parameters())
    save_checkpoint(tmp_path / "model", model.described(), model)
    clips, lips = [s.clip for s in items], [s.lips for s in items]
    again = load(tmp_path / "model")
    assert again.recognize(clips, 4, lips) == model.recognize(clips, 4, lips)
    weights = tmp_path / "mine" / "model.safetensors"
    weights.write_bytes((tmp_path / "other" / "model.safetensors").read_bytes())
    with pytest.raises(MediaError, match=r"weights in .*mine have sha256 .* expected"):
        load(tmp_path / "model")


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 2), min_size=2, max_size=6), st.integers(0, 99))
def test_contrastive_loss_is_the_formula(labels: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs, texts = rng.standard_normal((2, len(labels), 5))
    unit = [[row / np.linalg.norm(row) for row in side] for side in (signs, texts)]
    weights = [1 / labels.count(label) for label in labels]
    score = [[float(a @ b) / 0.1 for b in unit[1]] for a in unit[0]]
    n = range(len(labels))
    sums = [0.0, 0.0]
    for i in n:
        there = sum(weights[j] * math.exp(score[i][j]) for j in n)
        back = sum(weights[j] * math.exp(score[j][i]) for j in n)
        for way, total in enumerate((there, back)):
            sums[way] -= weights[i] * math.log(math.exp(score[i][i]) / total)
    expected = (sums[0] + sums[1]) / 2 / sum(weights)
    found = contrastive_loss(
        torch.from_numpy(signs).float(), torch.from_numpy(texts).float(), torch.tensor(labels)
    )
    assert float(found) == pytest.approx(expected, rel=1e-4, abs=1e-4)


def test_a_cosine_head_sees_directions_only() -> None:
    model = build(replace(PRESETS["tiny"], cosine=16.0), GLOSSES, seed=4).eval()
    points = torch.from_numpy(model.preparation.points(clip_of(1)))[None]
    before = model(points)
    assert isinstance(model.head, CosineHead)
    with torch.no_grad():
        model.head.weight.mul_(torch.tensor([[1.0], [2.0], [5.0], [0.1]]))
    torch.testing.assert_close(model(points), before)
    feature = model.features(points).pooled[0].detach().double()
    weights = model.head.weight.detach().double()
    cosines = [float(feature @ w / (feature.norm() * w.norm())) for w in weights]
    assert before[0].tolist() == pytest.approx([16 * cosine for cosine in cosines], abs=1e-4)


def test_masking_hides_whole_articulators_and_never_all_that_are_seen() -> None:
    torch.manual_seed(0)
    points = torch.rand(300, 4, len(MP203), 4) + 0.5
    points[:100, :, MP203.part("right_hand")] = 0
    points[:100, :, MP203.part("face")] = 0
    hidden = masked_articulators(points, MP203, most=2)
    lost = torch.stack(
        [(hidden[:, :, part] == 0).flatten(1).all(1) for part in MP203.parts.values()], 1
    )
    kept = torch.stack(
        [(hidden[:, :, p] == points[:, :, p]).flatten(1).all(1) for p in MP203.parts.values()], 1
    )
    assert (lost | kept).all()
    assert set(lost[100:].sum(1).tolist()) == {0, 1, 2}
    assert set(lost[:100].sum(1).tolist()) == {2, 3}
    assert [float(lost[100:, a].float().mean()) > 0.1 for a in range(4)] == [True] * 4
    assert torch.equal(masked_articulators(points, MP203, most=2, share=0.0), points)


@pytest.mark.parametrize("stream", ["position", "place", "local", "bone", "velocity"])
def test_a_mirrored_clip_swaps_what_the_hand_encoder_makes(stream: str) -> None:
    config = replace(PRESETS["tiny"], streams=(stream, "position"))
    model = build(config, GLOSSES, seed=2).eval()
    clip = clip_of(5)
    both = [
        torch.from_numpy(model.preparation.points(each))[None] for each in (clip, mirrored(clip))
    ]
    one, other = (model.features(points).articulators for points in both)
    torch.testing.assert_close(one["left_hand"], other["right_hand"], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(one["right_hand"], other["left_hand"], rtol=1e-4, atol=1e-4)
    assert not torch.allclose(one["left_hand"], one["right_hand"], atol=1e-2)


def test_streams_are_what_they_say() -> None:
    config = replace(
        PRESETS["tiny"], streams=("local", "bone", "velocity", "place"), presence=False
    )
    points = torch.from_numpy(build(config, GLOSSES).preparation.points(clip_of(4)))[None]
    found = streams_of(points, HANDS42, config.streams, "hands", presence=False)[0]
    where = points[0, :, :, :2]
    tip, before, wrist = 8, 7, 0  # of the left hand's index finger
    torch.testing.assert_close(found[:, tip, 0:2], where[:, tip] - where[:, wrist])
    torch.testing.assert_close(found[:, tip, 2:4], 2 * (where[:, tip] - where[:, before]))
    torch.testing.assert_close(found[:-1, tip, 4:6], 2 * (where[1:, tip] - where[:-1, tip]))
    middle = where[:, [0, 21]].mean((0, 1))
    torch.testing.assert_close(found[:, tip, 6:8], 0.3 * (where[:, tip] - middle))
    assert (found[:, wrist, :4] == 0).all()


def test_palms_takes_size_place_and_camera_out() -> None:
    clip = clip_of(3)
    near = replace(
        clip, points=(clip.points - (320, 240, 0)).astype(np.float32) * 2 + np.float32(0)
    )
    near = replace(near, points=near.points + np.array([320, 240, 0], np.float32))
    np.testing.assert_allclose(palms(near).points[..., :2], palms(clip).points[..., :2], atol=1e-3)
    wide = replace(clip, points=clip.points * np.float32(3), size=(1920, 1440))
    np.testing.assert_allclose(palms(wide).points[..., :2], palms(clip).points[..., :2], atol=1e-3)
    hands = palms(clip).points.reshape(30, 2, 21, 3)
    size = np.linalg.norm(hands[:, :, 9, :2] - hands[:, :, 0, :2], axis=-1)
    assert np.median(size) == pytest.approx(1)


def test_examples_depend_on_their_generator_alone() -> None:
    preparation = build(PRESETS["small"], GLOSSES).preparation
    sample = samples()[1]
    one, two, three = (
        preparation.example(sample, np.random.default_rng(seed), True) for seed in (1, 1, 2)
    )
    assert (one.read == two.read).all()
    assert not (one.read == three.read).all()
    still = preparation.example(sample, np.random.default_rng(1), False)
    assert (still.read == preparation.points(sample.clip)).all()
    assert still.read.shape == (32, 42, 3)


def test_an_empty_clip_and_one_without_hands_are_recognised_as_something(learnt: Isolated) -> None:
    clip = clip_of(0)
    none = clip.with_points(clip.points, np.zeros_like(clip.confidence))
    found = learnt.recognize([none, clip.frames(slice(0, 0)), clip.frames(slice(0, 1))])
    assert all(np.isfinite(each.candidates[0].probability) for each in found)


def test_a_sample_is_recognised_as_its_text_or_its_one_gloss() -> None:
    clip = clip_of(0)
    spans = (GlossSpan("TREE"),)
    assert gloss_of(Sample("a", clip, " book ", spans)) == "book"
    assert gloss_of(Sample("a", clip, "", spans)) == "TREE"
    assert gloss_of(Sample("a", clip, "", spans * 2)) == ""
    model = build(PRESETS["tiny"], GLOSSES)
    with pytest.raises(
        UsageError, match=r"sample 'a' is signed 'cat', which is none of.*4 glosses"
    ):
        model.example(Sample("a", clip, "cat"), np.random.default_rng(0), True)
    with pytest.raises(UsageError, match="no gloss to recognise"):
        build(PRESETS["tiny"], [])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"frame": 3}, r"no setting 'frame'.*did you mean 'frames'"),
        ({"frames": 0}, "frames is 0, expected a whole number from 1"),
        ({"noise": -1}, "noise is -1, expected a number from 0"),
        ({"streams": ["speed"]}, "streams is .*expected a list of position, place"),
        ({"streams": []}, "streams is empty"),
        ({"normalizer": "palms"}, "expected one of shoulder, hands"),
        ({"multipliers": [1, 0]}, "expected a list of whole numbers from 1"),
        ({"layout": "hands42"}, "'shoulder' needs shoulders, which layout 'hands42' has not"),
        ({"presence": 1}, "presence is 1, expected bool"),
        ({"reads": "mouth"}, "reads is 'mouth', expected one of pose, lips"),
        ({"backbone": "gru"}, "backbone is 'gru', expected one of graph, recurrent"),
        ({"lip_weights": "avsr"}, "lip_weights 'avsr' are for lips, and reads is 'pose'"),
        ({"backbone": "recurrent", "width": 100}, "width is a multiple of 6, got 100; give it 102"),
        ({"lip_encoder": "big"}, "lip_encoder is 'big', expected one of small, auto_avsr"),
    ],
)
def test_a_setting_that_cannot_be_is_named(values: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Config.of(values)


def test_settings_come_back_from_json() -> None:
    for config in PRESETS.values():
        assert Config.of(config.to_json()) == config


def test_the_papers_preset_is_the_papers() -> None:
    with torch.device("meta"):
        model = Isolated(PRESETS["paper"], ["a"] * 8_000)
    assert model.backbone.names == ("body", "face", "left_hand", "right_hand")
    assert (model.backbone.channels, model.head.in_features) == (256, 512)
    assert model.auxiliary is not None
    assert len(model.auxiliary.blocks) == 4
    assert PRESETS["paper"].frames == 24
