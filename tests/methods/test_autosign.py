"""AutoSign: clips as specified, learning, decoding, and coming back from disk whole or not at all."""

from __future__ import annotations

import dataclasses
from itertools import groupby
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC, ISHARAH86, PS76
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import MediaError, UsageError
from signloom.inference.translate import Translator, writes_glosses
from signloom.language.causal import build_gpt2
from signloom.methods import autosign, ctc
from signloom.methods.autosign import PRESETS, AutoSign, Config, begin, build
from signloom.methods.finetune import begin_with
from signloom.methods.gloss_clips import (
    ClipSettings,
    Filling,
    Preparation,
    disturbed,
    moved,
    reduced,
)
from signloom.methods.gloss_codec import codec_of, gloss_tokenizer
from signloom.methods.load import load
from signloom.metrics.recognition import edits
from signloom.pose.normalize import isharah_frame
from signloom.training.checkpoint import save_checkpoint
from tests.methods.test_posestitch import smooth_clip

TEXTS = ["WEATHER COLD", "BREAD EAT YOU IX-right", "GO GO HOME", "HOUSE RED SEE"]
TINY = PRESETS["tiny"]


def samples() -> list[Sample]:
    return [
        Sample(str(i), smooth_clip(i, 50 + 6 * i), "", tuple(GlossSpan(g) for g in text.split()))
        for i, text in enumerate(TEXTS)
    ]


def learn(model, steps: int):
    """The model after so many steps on the four samples."""
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, fused=True)
    model.train()
    for step in range(steps):
        torch.manual_seed(step)
        rng = np.random.default_rng(step)
        loss = model.loss(model.collate([model.example(s, rng, True) for s in samples()]))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model


def wrong(model, clips: list[PoseClip]) -> float:
    """Substitutions, deletions and insertions over reference glosses."""
    counts = edits([found.text for found in model.translate(clips)], TEXTS).sum(axis=0)
    return float(counts[:3].sum() / counts[3])


@pytest.fixture(scope="module")
def learnt() -> AutoSign:
    return learn(begin(TINY, TEXTS, 1), 70)


def test_tiny_overfits_four_clips_and_listens_to_its_input(learnt: AutoSign) -> None:
    clips = [sample.clip for sample in samples()]
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    assert [found.text for found in learnt.translate(clips)] == TEXTS
    assert [found.text for found in learnt.translate(clips, beam=1)] == TEXTS
    assert wrong(learnt, clips[1:] + clips[:1]) > 0.6
    assert isinstance(learnt, Translator)
    assert writes_glosses(learnt)
    assert learnt.translate([]) == []


def test_collapse_makes_a_deletion_of_every_true_repeat(learnt: AutoSign) -> None:
    again = build(dataclasses.replace(TINY, collapse=True), learnt.tokenizer)
    again.load_state_dict(learnt.state_dict())
    told = [found.text for found in again.translate([sample.clip for sample in samples()])]
    assert told == [" ".join(g for g, _ in groupby(text.split())) for text in TEXTS]
    assert edits(told, TEXTS).sum(axis=0).tolist() == [0, 1, 0, 12]


def test_sampling_is_what_it_says(learnt: AutoSign) -> None:
    """A sure model draws what it is sure of; the same batch gives the same draws."""
    again = build(dataclasses.replace(TINY, decoding="sample"), learnt.tokenizer)
    again.load_state_dict(learnt.state_dict())
    clips = [sample.clip for sample in samples()]
    assert wrong(again, clips) < 0.35
    assert again.translate(clips) == again.translate(clips)


def test_a_checkpoint_comes_back_bit_equal(learnt: AutoSign, tmp_path: Path) -> None:
    config = {**learnt.described(), "simulated_only": False, "name": "four clips"}
    save_checkpoint(tmp_path / "model", config, learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    clips = [smooth_clip(seed) for seed in (0, 1, 9)]
    assert again.translate(clips) == learnt.translate(clips)
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    assert (again.name, again.config) == ("four clips", TINY)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ctc": 0.3},
        {"context": "bilstm", "stride": 8},
        {"channels": [], "stride": 1, "positions": 424},
    ],
)
def test_every_parameter_has_a_gradient(more: dict[str, object]) -> None:
    model = begin(Config.of({**TINY.to_json(), **more}), TEXTS, 0)
    batch = model.collate([model.example(s, np.random.default_rng(0), True) for s in samples()])
    model.loss(batch).total.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_padding_changes_nothing_but_where_legacy() -> None:
    clips = [smooth_clip(0, 20), smooth_clip(1, 90)]
    apart = {}
    for legacy in (False, True):
        model = begin(dataclasses.replace(TINY, legacy=legacy), TEXTS, 0).eval()
        items = [
            model.example(
                dataclasses.replace(samples()[0], clip=c), np.random.default_rng(0), False
            )
            for c in clips
        ]
        both, one = model.collate(items), model.collate(items[:1])
        together = model(both.features, both.mask, both.inputs)[:1]
        apart[legacy] = (together - model(one.features, one.mask, one.inputs)).abs().max().item()
        assert one.mask.shape[1] == (32 if legacy else 20)
    assert apart[False] < 1e-5
    assert apart[True] > 1e-3


def test_loss_is_the_cross_entropy_of_glosses_and_end() -> None:
    model = begin(TINY, TEXTS, 0).eval()
    batch = model.collate([model.example(s, np.random.default_rng(0), False) for s in samples()])
    logits = model(batch.features, batch.mask, batch.inputs).double().log_softmax(-1)
    total = 0.0
    for row, text in enumerate(TEXTS):
        ids = [*model.codec.encode(text), model.codec.end]
        total -= sum(logits[row, at, token].item() for at, token in enumerate(ids))
        assert batch.inputs[row, : len(ids)].tolist() == [model.codec.start, *ids[:-1]]
    loss = model.loss(batch)
    assert loss.total.item() == pytest.approx(total, rel=1e-5)
    assert loss.count == sum(len(text.split()) + 1 for text in TEXTS)


def test_joint_ctc_learns_and_reorders_the_beam() -> None:
    model = learn(begin(dataclasses.replace(TINY, ctc=0.5, ctc_decode=0.3), TEXTS, 1), 90)
    clips = [sample.clip for sample in samples()]
    found = model.translate(clips, beam=4)
    assert [each.text for each in found] == TEXTS
    for each in found:
        scores = [each.score, *(score for _, score in each.alternatives)]
        assert scores == sorted(scores, reverse=True)


def test_glosses_are_one_token_each_behind_four_specials() -> None:
    tokenizer = gloss_tokenizer(TEXTS)
    names = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().__getitem__)
    assert names[:4] == ["<pad>", "<unk>", "<s>", "</s>"]
    assert names[4:] == sorted({gloss for text in TEXTS for gloss in text.split()})
    codec = codec_of(tokenizer)
    assert codec.decode([codec.start, *codec.encode("GO  GO HOME"), codec.end, 5]) == "GO GO HOME"
    assert codec.encode("GO NOWHERE")[1] == 1
    with pytest.raises(UsageError, match="have no glosses"):
        gloss_tokenizer(["", " "])


@pytest.mark.parametrize(
    ("parts", "points"),
    [
        (("body", "left_hand", "right_hand"), 67),
        (("body", "face", "left_hand", "right_hand"), 86),
        (("left_hand", "right_hand"), 42),
        (("face", "left_hand", "right_hand"), 61),
    ],
)
def test_points_of_isharah(parts: tuple[str, ...], points: int) -> None:
    """67 keypoints give T × 134, 86 give 172, 42 give 84, 61 give 122 (spec §2)."""
    model = begin(Config.of({**TINY.to_json(), "layout": "isharah86", "parts": list(parts),
                             "normalizer": "isharah_frame", "local_hands": False}), TEXTS, 0)  # fmt: skip
    features = model.preparation.points(smooth_clip(0, 30, HOLISTIC))
    assert features.shape == (30, points, 2)
    assert model.reader.compression.convolutions[0].in_channels == 2 * points
    assert (np.abs(features) <= 0.5).all()
    assert reduced(ISHARAH86, tuple(ISHARAH86.parts)) is ISHARAH86


def test_the_paper_preset_is_the_papers() -> None:
    config = PRESETS["paper"]
    with torch.device("meta"):
        model = AutoSign(config, gloss_tokenizer([f"g{i}" for i in range(680)]))
    assert len(model.layout) == 67
    convolutions = model.reader.compression.convolutions
    assert [tuple(c.weight.shape) for c in convolutions] == [(256, 134, 3), (512, 256, 3)]
    assert tuple(model.prefix[0].weight.shape) == (768, 512)
    decoder = model.writer.decoder
    assert (len(decoder.transformer.h), decoder.config.n_head) == (12, 12)
    assert tuple(decoder.lm_head.weight.shape) == tuple(decoder.transformer.wte.weight.shape)
    assert tuple(decoder.lm_head.weight.shape) == (684, 768)
    assert (config.augment, config.noise, config.turn, config.max_frames) == (0.5, 0.1, 13, 1000)


@pytest.mark.parametrize(
    ("module", "preset", "millions"),
    [
        (autosign, "tiny", 0.21), (autosign, "small", 1.67), (autosign, "paper", 86.73),
        (ctc, "tiny", 0.10), (ctc, "small", 1.05), (ctc, "stream", 1.00), (ctc, "paper", 3.65),
    ],
)  # fmt: skip
def test_presets_have_the_parameters_that_the_page_states(
    module: ModuleType, preset: str, millions: float
) -> None:
    tokenizer = gloss_tokenizer([f"g{i}" for i in range(196)])
    with torch.device("meta"):
        model = (AutoSign if module is autosign else ctc.Ctc)(module.PRESETS[preset], tokenizer)
    glosses = ("wte", "lm_head", "head.")
    counted = sum(
        p.numel() for n, p in model.named_parameters() if not any(g in n for g in glosses)
    )
    assert counted / 1e6 == pytest.approx(millions, abs=0.006)


def test_missing_hands_are_filled_from_before_and_at_first_from_behind() -> None:
    layout = reduced(PS76, ("body", "left_hand", "right_hand"))
    clip = smooth_clip(3, 12, layout)
    confidence = clip.confidence.copy()
    left, right, body = (layout.part(p) for p in ("left_hand", "right_hand", "body"))
    confidence[5:8, left] = 0
    confidence[:4, right] = 0
    confidence[:2, body] = 0
    clip = isharah_frame(clip.with_points(clip.points, confidence))
    filled = Filling(layout)(clip)
    own = clip.points
    assert np.array_equal(filled[5:8, left], np.repeat(own[4:5, left], 3, 0))
    assert np.array_equal(filled[:4, right], np.repeat(own[4:5, right], 4, 0))
    assert not filled[:2, body].any()
    assert np.array_equal(filled[8:], own[8:])
    pieces = Filling(layout)
    again = np.concatenate([pieces(clip.frames(slice(a, b))) for a, b in ((0, 6), (6, 7), (7, 12))])
    assert np.array_equal(again, filled)


def test_training_disturbs_time_and_hands_and_nothing_else() -> None:
    clip = smooth_clip(0, 401).frames(slice(400))  # its ends are alike
    config = ClipSettings(augment=1.0, drop_keypoints=0.1)
    found, times = disturbed(clip, np.random.default_rng(0), config)
    assert 0.85 < len(found) / len(clip) < 0.95
    body = PS76.part("body")
    place = [
        int(np.abs(clip.points[:, body] - f).sum((1, 2)).argmin()) for f in found.points[:, body]
    ]
    assert all(
        (clip.points[p, body] == f).all() for p, f in zip(place, found.points[:, body], strict=True)
    )
    assert np.abs(place - np.sort(place)).max() <= 4
    assert place != sorted(place)
    assert place == times.tolist()
    for side in ("left_hand", "right_hand"):
        at = PS76.part(side)
        lost = 1 - found.present[:, at].mean()
        assert 0.03 < lost < 0.07
        wide = np.linalg.norm(found.points[:, at[9], :2] - found.points[:, at[0], :2], axis=1)
        was = np.linalg.norm(
            clip.points[place][:, at[9], :2] - clip.points[place][:, at[0], :2], axis=1
        )
        both = found.present[:, at[9]] & found.present[:, at[0]]
        np.testing.assert_allclose(wide[both], was[both], atol=0.2)  # turned and shaken, not scaled
    same, times = disturbed(clip, np.random.default_rng(0), ClipSettings(augment=0.0))
    assert same is clip
    assert times.tolist() == list(range(400))


def test_noise_masks_and_speed_are_drawn_from_the_generator_alone() -> None:
    codec = codec_of(gloss_tokenizer(TEXTS))
    config = ClipSettings(layout="ps76", augment=0.0, noise=0.1, masked=0.2, speed=0.3)
    preparation, clip = Preparation(config, codec, 20), smooth_clip(0, 100)
    clean = preparation.points(clip)
    a, b = (preparation.points(clip, np.random.default_rng(seed)) for seed in (5, 5))
    assert np.array_equal(a, b)
    assert len(a) != len(clean)
    assert (~a.any(axis=(1, 2))).sum() == round(0.2 * len(a))
    still = dataclasses.replace(config, masked=0.0, speed=0.0)
    noise = Preparation(still, codec, 20).points(clip, np.random.default_rng(0)) - clean
    assert noise.std() == pytest.approx(0.1, rel=0.05)


def test_clips_that_only_noise_changes_are_prepared_once_and_drawn_anew() -> None:
    config = ClipSettings(layout="ps76", augment=0.0, noise=0.1, fps=12.5, motion=True)
    known = Preparation(config, codec_of(gloss_tokenizer(TEXTS)), 20)
    plain = Preparation(dataclasses.replace(config, motion=False), known.codec, 20)
    for seed in (1, 2, 1):
        for clip in (smooth_clip(0), smooth_clip(1)):
            rng = np.random.default_rng(seed)
            rng.random()
            points = plain.points(clip)
            noisy = points + np.float32(0.1) * rng.standard_normal(points.shape, np.float32)
            found = known.points(clip, np.random.default_rng(seed))
            assert np.array_equal(found, np.concatenate([noisy, moved(noisy, 12.5)], axis=1))
    assert len(known._prepared) == 2
    always = dataclasses.replace(config, stretch=0.1)
    drawn = Preparation(always, known.codec, 20)
    drawn.points(smooth_clip(0), np.random.default_rng(1))
    assert not drawn._prepared


def test_a_pretrained_decoder_fills_and_is_recorded(tmp_path: Path) -> None:
    torch.manual_seed(3)
    shape = {"width": 96, "layers": 2, "heads": 4, "inner": 192, "positions": 200, "dropout": 0.0}
    theirs = build_gpt2(vocabulary=30, **shape)  # type: ignore[arg-type]
    theirs.save_pretrained(tmp_path / "gpt2")
    words = Tokenizer(models.WordLevel({"<|endoftext|>": 0, "GO": 1, "HOME": 2}, unk_token="GO"))
    words.save(str(tmp_path / "gpt2" / "tokenizer.json"))
    config = dataclasses.replace(TINY, decoder_pretrained=str(tmp_path / "gpt2"))
    model = begin(config, TEXTS, 0)
    block = theirs.transformer.h[0].mlp.c_fc.weight
    assert torch.equal(model.writer.decoder.transformer.h[0].mlp.c_fc.weight, block)
    assert 0.9 < model.described()["decoder"]["filled"] < 1
    save_checkpoint(tmp_path / "model", model.described(), model, model.tokenizer)
    (tmp_path / "gpt2" / "model.safetensors").unlink()  # a checkpoint needs it no more
    again = load(tmp_path / "model")
    assert again.described() == model.described()
    with pytest.raises(MediaError, match="never a pickle"):
        begin(config, TEXTS, 0)
    theirs.save_pretrained(tmp_path / "gpt2")
    own = begin(dataclasses.replace(config, vocabulary="decoder"), [], 0)
    assert (own.codec.start, own.codec.end, len(own.codec)) == (0, 0, 3)
    assert own.described()["decoder"]["filled"] == 1.0
    with pytest.raises(UsageError, match="cannot write 1 of 3 glosses: 'SIT' comes back as 'GO'"):
        begin(dataclasses.replace(config, vocabulary="decoder"), ["GO HOME", "SIT"], 0)
    with pytest.raises(UsageError, match="n_layer is 2 there and 3 here"):
        begin(dataclasses.replace(config, layers=3), TEXTS, 0)


def test_beginning_with_another_vocabulary_renews_the_glosses(
    learnt: AutoSign, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    same = begin(TINY, TEXTS, 5)
    assert begin_with(same, tmp_path / "model").renewed == ()
    other = begin(TINY, [text.lower() for text in TEXTS], 5)  # as many, but others
    renewed = begin_with(other, tmp_path / "model").renewed
    assert set(renewed) == {
        "writer.decoder.transformer.wte.weight",
        "writer.decoder.lm_head.weight",
    }


def test_samples_without_glosses_are_refused(learnt: AutoSign) -> None:
    sample = dataclasses.replace(samples()[0], glosses=(), text="The weather is cold.")
    with pytest.raises(UsageError, match="sample '0' has no glosses"):
        learnt.example(sample, np.random.default_rng(0), True)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"contex": "bilstm"}, r"no setting 'contex' \(did you mean 'context"),
        ({"context": "lstm"}, r"context is 'lstm'.*did you mean 'bilstm'"),
        ({"vocabulary": "words"}, "expected one of glosses, decoder"),
        ({"vocabulary": "decoder"}, "name one in decoder_pretrained"),
        ({"parts": ["hands"]}, "not those of layout 'isharah86', which has right_hand, left_hand"),
        ({"channels": [256, 2.5]}, "expected a list of whole numbers from 1"),
        ({"channels": [0, 256]}, "expected a list of whole numbers from 1"),
        ({"masked": 2}, "masked is 2, expected a number from 0 to 1"),
        ({"dropout": 2}, "dropout is 2, expected a number from 0 to 1"),
        ({"noise": -0.1}, "noise is -0.1, expected a number from 0"),
        ({"jitter": float("nan")}, "jitter is nan, expected a number from 0"),
        ({"max_frames": 0}, "max_frames is 0, expected a whole number from 1"),
        ({"context_layers": 0}, "context_layers is 0, expected a whole number from 1"),
        ({"stride": 0}, "stride is 0, expected a whole number from 1"),
        ({"chunk": -4}, "chunk is -4, expected a whole number from 0"),
        ({"max_frames": True}, "max_frames is True, expected a whole number from 1"),
        ({"stride": 3}, "compression by 3"),
        ({"parts": ["left_hand"], "normalizer": "shoulder"}, "leaves the body out"),
        ({"positions": 200}, "1000 frames are 250 after compression"),
        ({"ctc_decode": 0.2}, "ctc_decode needs a model trained with ctc"),
        ({"chunk": 40}, "a decoder waits for the whole prefix"),
        ({"local_hands": True, "graph": True}, "no graph"),
    ],
)
def test_config_errors(settings: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Config.of(settings)


def test_presets_are_whole_as_plain_values() -> None:
    for config in PRESETS.values():
        assert Config.of(config.to_json()) == config
    assert autosign.METRICS[0] == "WER"
