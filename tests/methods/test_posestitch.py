"""POSESTITCH-SLT: widths, sampling and normalising as specified, learning, and coming back from disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76, Layout
from signloom.data.lexicon import Lexicon
from signloom.data.sample import Sample
from signloom.encoders.frames import minmax_joint
from signloom.errors import MediaError, UsageError
from signloom.inference.translate import Translator
from signloom.methods import posestitch
from signloom.methods.load import load
from signloom.methods.posestitch import PRESETS, Config, PoseStitch, build
from signloom.stitch.stitcher import StitchedSentences
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import save_checkpoint

TEXTS = [
    "The weather is cold.",
    "Do you eat bread?",
    "My sister reads a book.",
    "We saw the red house!",
]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe(TEXTS, 80, 1)


def smooth_clip(seed: int, frames: int = 60, layout: Layout = PS76) -> PoseClip:
    """A clip whose keypoints swing slowly around their own places, in pixels."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None]
    points = 200 + 60 * rng.standard_normal((1, len(layout), 3))
    for wave in range(1, 4):
        size = rng.standard_normal((1, len(layout), 3))
        points = points + 20 * size * np.sin(2 * np.pi * (wave * time + rng.random((1, 1, 3))))
    confidence = np.ones((frames, len(layout)), np.float32)
    return PoseClip(points.astype(np.float32), confidence, 25.0, layout, id=f"clip-{seed}")


def samples() -> list[Sample]:
    return [Sample(str(i), smooth_clip(i, 50 + 6 * i), text) for i, text in enumerate(TEXTS)]


def trained(config: Config, tokenizer: Tokenizer, items: list[Sample], steps: int) -> PoseStitch:
    model = build(config, tokenizer, seed=1)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, fused=True)
    model.train()
    for step in range(steps):
        torch.manual_seed(step)
        examples = [
            model.example(item, np.random.default_rng((step, i)), True)
            for i, item in enumerate(items)
        ]
        loss = model.loss(model.collate(examples))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        optimizer.step()
    return model


def words_right(model: PoseStitch, clips: list[PoseClip]) -> int:
    return sum(
        len(set(text.split()) & set(found.text.split()))
        for text, found in zip(TEXTS, model.translate(clips), strict=True)
    )


@pytest.fixture(scope="module")
def learnt(tokenizer: Tokenizer) -> PoseStitch:
    return trained(PRESETS["tiny"], tokenizer, samples(), 90)


def test_tiny_overfits_four_clips_and_listens_to_its_input(learnt: PoseStitch) -> None:
    clips = [sample.clip for sample in samples()]
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    assert [found.text for found in learnt.translate(clips)] == TEXTS
    assert words_right(learnt, clips) > 2 * words_right(learnt, clips[1:] + clips[:1])


def test_translations_carry_the_beam(learnt: PoseStitch) -> None:
    (found,) = learnt.translate([smooth_clip(0, 50)], beam=4)
    scores = [found.score, *(score for _, score in found.alternatives)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert isinstance(learnt, Translator)
    assert learnt.translate([]) == []


def test_a_checkpoint_comes_back_bit_equal(learnt: PoseStitch, tmp_path: Path) -> None:
    config = {**learnt.described(), "simulated_only": False, "name": "four clips"}
    save_checkpoint(tmp_path / "model", config, learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    clips = [smooth_clip(seed) for seed in (0, 1, 9)]
    assert again.translate(clips) == learnt.translate(clips)
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert (again.name, again.simulated_only, again.layout) == ("four clips", False, PS76)


def test_a_checkpoint_that_does_not_say_counts_as_simulated_only(
    learnt: PoseStitch, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    assert load(tmp_path / "model").simulated_only
    save_checkpoint(tmp_path / "other", {"method": "posestich"}, learnt, learnt.tokenizer)
    with pytest.raises(MediaError, match=r"method 'posestich'.*did you mean 'posestitch'"):
        load(tmp_path / "other")


def test_every_parameter_has_a_gradient(tokenizer: Tokenizer) -> None:
    model = build(PRESETS["tiny"], tokenizer)
    batch = model.collate([model.example(s, np.random.default_rng(0), True) for s in samples()])
    model.loss(batch).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_parts_of_like_length_lose_nothing(tokenizer: Tokenizer) -> None:
    model = build(PRESETS["tiny"], tokenizer)
    items = [Sample(str(i), smooth_clip(i, 20 + 13 * (i % 5)), TEXTS[i % 4]) for i in range(11)]
    batch = model.collate([model.example(s, np.random.default_rng(0), False) for s in items])
    parts = posestitch.by_length(batch, rows=4)
    assert [len(part.mask) for part in parts] == [4, 4, 3]
    assert [part.mask.shape[1] for part in parts] == [17, 30, 36]
    assert model.loss(batch).count == sum(int((part.labels != -100).sum()) for part in parts)
    whole = torch.nn.functional.cross_entropy(
        model(batch.features, batch.mask, batch.inputs).flatten(0, 1),
        batch.labels.flatten(),
        reduction="sum",
    )
    assert model.loss(batch).total.item() == pytest.approx(whole.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("layout", "local", "coordinates", "width"),
    [
        ("ps76", False, 2, 152),
        ("hands42", False, 2, 84),
        ("ps76", True, 2, 236),
        ("hands42", True, 3, 252),
    ],
)
def test_feature_widths(
    tokenizer: Tokenizer, layout: str, local: bool, coordinates: int, width: int
) -> None:
    config = Config.of(
        {"layout": layout, "local_hands": local, "coordinates": coordinates}
        | ({"normalizer": "minmax_joint"} if layout == "hands42" else {})
    )
    preparation = posestitch.Preparation(config, tokenizer)
    assert preparation.features(smooth_clip(0, 30, HOLISTIC)).shape == (15, width)
    assert posestitch.feature_count(config) == width


def test_papers_sizes(tokenizer: Tokenizer) -> None:
    isign, how2sign = PRESETS["isign"], PRESETS["how2sign"]
    assert (isign.encoder_layers, isign.encoder_heads, isign.dropout) == (4, 8, 0.1)
    assert (how2sign.encoder_layers, how2sign.encoder_heads, how2sign.dropout) == (2, 4, 0.3)
    assert (isign.decoder_layers, how2sign.decoder_layers) == (4, 2)
    assert (isign.stitched_step, how2sign.stitched_step) == (4, 3)
    for config in (isign, how2sign):
        assert (config.front, config.width, config.encoder_inner) == (1024, 512, 3072)
        assert (config.decoder_inner, config.max_tokens, config.vocabulary) == (2048, 128, 15_000)
        assert posestitch.feature_count(config) == 152
    big = train_bpe(TEXTS, 80, 1)
    big.add_tokens([f"word{i}" for i in range(1_500 - big.get_vocab_size())])
    small = build(PRESETS["small"], big)
    assert 2_000_000 < sum(p.numel() for p in small.parameters()) <= 2_500_000


def test_steps_are_drawn_by_clip_and_do_not_grow(tokenizer: Tokenizer) -> None:
    preparation = posestitch.Preparation(Config(), tokenizer)
    rng = np.random.default_rng(0)
    assert {preparation.step(False, rng) for _ in range(60)} == {1, 2, 3}
    assert {preparation.step(True, rng) for _ in range(60)} == {5, 6, 7}
    assert (preparation.step(False, None), preparation.step(True, None)) == (2, 6)
    legacy = posestitch.Preparation(Config(jitter_mode="legacy"), tokenizer)
    grown = [legacy.step(True, rng) for _ in range(20)]
    assert grown == sorted(set(grown))
    assert grown[-1] >= 4 + 20


def test_an_example_is_a_pure_function_of_its_generator(tokenizer: Tokenizer) -> None:
    preparation = posestitch.Preparation(PRESETS["small"], tokenizer)
    sample = dataclasses.replace(samples()[0], stitched=True)

    def example(seed: int, train: bool) -> posestitch.Example:
        return preparation.example(sample, np.random.default_rng(seed), train)

    assert np.array_equal(example(3, True).features, example(3, True).features)
    assert np.array_equal(example(3, False).features, example(4, False).features)


def test_noise_is_for_stitched_training_clips_only(tokenizer: Tokenizer) -> None:
    config = Config(normalizer="shoulder", steps=(1,), stitched_step=0, stitched_jitter=(1,))
    preparation = posestitch.Preparation(config, tokenizer)
    clip = smooth_clip(0, 200)
    rng = np.random.default_rng(0)
    clean = preparation.features(clip)
    assert np.array_equal(clean, preparation.features(clip, stitched=False, rng=rng))
    noise = preparation.features(clip, stitched=True, rng=rng) - clean
    assert noise[:, :84].std() == pytest.approx(0.01, rel=0.1)
    assert noise[:, 84:106].std() == pytest.approx(0.1, rel=0.1)
    assert noise[:, 106:].std() == pytest.approx(0.01, rel=0.1)


def test_word_clips_are_prepared_alone_and_once(tokenizer: Tokenizer) -> None:
    """Each word fills [−1, 1] by itself, wherever and however large it was filmed (spec §1)."""
    config = Config(stitched_step=1, stitched_jitter=(1,), noise_hands=0.0, noise_body=0.0)
    preparation = posestitch.Preparation(config, tokenizer)
    clips = {"cold": smooth_clip(1, 40), "bread": smooth_clip(2, 30)}
    big = clips["bread"]
    clips["bread"] = big.with_points(big.points * 7 + 900)
    lexicon = Lexicon("two words", "ase", {"cold": 1, "bread": 1}, lambda word, n: clips[word])
    source = StitchedSentences(lexicon, ["cold bread"], prepare=preparation.word)
    sample = source[0]
    features = preparation.example(sample, np.random.default_rng(0), True).features
    assert features.shape == (20 + 15, 152)
    for part in (features[:20], features[20:]):
        for hand in (part[:, 0:42:2], part[:, 43:84:2]):
            assert (hand.min(), hand.max()) == pytest.approx((-1, 1), abs=1e-5)


def test_local_hands_see_shape_and_not_place(tokenizer: Tokenizer) -> None:
    config = Config(normalizer="shoulder", local_hands=True, steps=(1,))
    clip = smooth_clip(4)
    moved = clip.points.copy()
    moved[:, PS76.part("left_hand")] += np.array([80, -30, 0], np.float32)
    preparation = posestitch.Preparation(config, tokenizer)
    here, there = preparation.features(clip), preparation.features(clip.with_points(moved))
    np.testing.assert_allclose(here[:, 152:], there[:, 152:], atol=1e-4)
    assert np.abs(here[:, :42] - there[:, :42]).max() > 0.1
    assert np.abs(here[:, 152:154]).max() == 0, "the wrist is the origin"


def test_a_missing_hand_is_zeros(tokenizer: Tokenizer) -> None:
    clip = smooth_clip(5)
    confidence = clip.confidence.copy()
    confidence[:, PS76.part("right_hand")] = 0
    clip = clip.with_points(clip.points, confidence)
    for normalizer in ("minmax_clip", "minmax_joint", "shoulder"):
        config = Config.of({"normalizer": normalizer, "local_hands": True})
        features = posestitch.Preparation(config, tokenizer).features(clip)
        assert np.isfinite(features).all()
        assert not features[:, 42:84].any()
        assert not features[:, 194:].any()


def test_minmax_joint_keeps_the_shape_of_the_whole() -> None:
    clip = smooth_clip(6, layout=HANDS42)
    points = minmax_joint(clip).points[:, :, :2]
    low, high = points.min(axis=(0, 1)), points.max(axis=(0, 1))
    assert float((high - low).max()) == pytest.approx(2, abs=1e-4)
    np.testing.assert_allclose(low + high, 0, atol=1e-4)
    factor = np.ptp(points[..., 0]) / np.ptp(clip.points[..., 0])
    assert factor == pytest.approx(np.ptp(points[..., 1]) / np.ptp(clip.points[..., 1]), rel=1e-4)


def test_label_shift(tokenizer: Tokenizer) -> None:
    sample = samples()[0]
    ids = tokenizer.encode(sample.text).ids
    for legacy in (False, True):
        preparation = posestitch.Preparation(Config(legacy_shift=legacy), tokenizer)
        longer = dataclasses.replace(sample, text=sample.text * 3)
        rng = np.random.default_rng(0)
        batch = preparation.collate([preparation.example(s, rng, False) for s in (sample, longer)])
        inputs, labels = batch.inputs[0].tolist(), batch.labels[0].tolist()
        said = len(ids) - 1 + legacy
        assert labels[:said] == (ids if legacy else ids[1:])
        assert inputs[:said] == ([0, *ids[:-1]] if legacy else ids[:-1])
        assert set(labels[said:]) == {-100}
        assert set(inputs[said:]) == {1}


def test_long_clips_and_texts_are_cut(tokenizer: Tokenizer) -> None:
    config = dataclasses.replace(PRESETS["tiny"], max_frames=20, max_tokens=8)
    preparation = posestitch.Preparation(config, tokenizer)
    example = preparation.example(samples()[0], np.random.default_rng(0), False)
    assert len(example.features) == 20
    assert len(example.tokens) == 8
    assert example.tokens[-1] == tokenizer.token_to_id("</s>")
    model = build(config, tokenizer)
    assert model.seconds_read(smooth_clip(0)) == pytest.approx(20 * 2 / 25)


def test_other_frame_rates_are_brought_to_the_models(tokenizer: Tokenizer) -> None:
    config = dataclasses.replace(PRESETS["tiny"], fps=25.0)
    preparation = posestitch.Preparation(config, tokenizer)
    slow = smooth_clip(0, 60)
    fast = dataclasses.replace(slow.frames(np.repeat(np.arange(60), 2)), fps=50.0)
    np.testing.assert_array_equal(preparation.features(slow), preparation.features(fast))


def test_layouts_without_hands_are_refused(learnt: PoseStitch) -> None:
    body = Layout("torso", PS76.keypoints[42:], PS76.articulators[42:])
    with pytest.raises(UsageError, match=r"'torso' does not convert to 'ps76'.*left hand"):
        learnt.translate([smooth_clip(0, layout=body)])
    assert learnt.translate([smooth_clip(0, layout=HOLISTIC)])


def test_config_errors() -> None:
    with pytest.raises(UsageError, match=r"no setting 'encoder_layer' \(did you mean 'encoder_lay"):
        Config.of({"encoder_layer": 3})
    with pytest.raises(UsageError, match=r"normalizer is 'minmax'.*did you mean 'minmax_"):
        Config.of({"normalizer": "minmax"})
    with pytest.raises(UsageError, match="steps is 2, expected a list of frame steps"):
        Config.of({"steps": 2})
    with pytest.raises(UsageError, match="dropout is 'much', expected a number"):
        Config.of({"dropout": "much"})
    with pytest.raises(UsageError, match=r"width is 2\.5, expected a whole number from 1"):
        Config.of({"width": 2.5})
    for name, wrong in (("beam", 0), ("encoder_layers", -1), ("noise_hands", -0.1)):
        with pytest.raises(UsageError, match=f"{name} is {wrong}, expected a"):
            Config.of({name: wrong})
    assert Config.of({"noise_body": 0, "fps": 25}) == Config(noise_body=0.0, fps=25.0)
    with pytest.raises(UsageError, match="needs shoulders, which layout 'hands42' has not"):
        Config(layout="hands42", normalizer="shoulder")
    with pytest.raises(UsageError, match="max_frames 600 is more than the encoder's 512"):
        Config(max_frames=600)
    assert Config.of(PRESETS["small"].to_json()) == PRESETS["small"]


def test_origin_says_that_a_clip_is_prepared(tokenizer: Tokenizer) -> None:
    preparation = posestitch.Preparation(Config(), tokenizer)
    clip = dataclasses.replace(smooth_clip(0), origin=Origin("mediapipe", "1", {"parts": "all"}))
    once = preparation.prepare(clip)
    assert once.origin.settings == {"parts": "all", "prepared": "posestitch"}
    assert preparation.prepare(once) is once
