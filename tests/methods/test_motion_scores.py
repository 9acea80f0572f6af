"""Tokenizers on a store: errors as training has them, baselines that were planted, FID with its encoder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.cli.main import main
from signloom.corpora.smplx_files import fitted
from signloom.corpora.store import StoreWriter
from signloom.data.clip import PoseClip
from signloom.data.layouts import SMPLX52
from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.inference.evaluate import SHUFFLED
from signloom.methods import motion_tokens
from signloom.methods.motion_scores import HALVES, k_means, means, rate
from signloom.methods.motion_tokens import MotionTokens, score_dev
from signloom.pose import motion623 as m
from signloom.training.checkpoint import save_checkpoint
from tests.methods.motions import motion, parameters

TRAIN = [Sample(str(i), motion(i, 40)) for i in range(6)]
TEST = [replace(TRAIN[1], id="seen"), Sample("other", motion(9, 23)), Sample("long", motion(8, 50))]


def tokenizer(seed: int = 0, **more: object) -> MotionTokens:
    config = replace(motion_tokens.PRESETS["tiny"], codes=16, **more)  # type: ignore[arg-type]
    model = motion_tokens.begin(config, [], seed)
    model.measure(torch.from_numpy(model.preparation.numbers(motion(0))))
    if model.config.kind == "codebook":
        model.vq.codebook.start(torch.randn(64, 32))  # type: ignore[operator]
    return model


def test_scores_are_those_of_training_and_baselines_what_was_planted() -> None:
    model = tokenizer()
    found = rate(model, TEST, TRAIN, tokenizer(1, kind="fsq", depth=2))
    named = {score.name: score for score in found.metrics}
    for name, value in score_dev(model, TEST, 10, 1).items():
        assert named[name].value == pytest.approx(value, abs=1e-3)
    assert {score.n for score in found.metrics} == {3}
    assert "encoder:motion-vq fsq 2x16 " in named["FID"].signature
    assert set(found.baselines) == {
        *(SHUFFLED, "mean pose", "nearest of 16 k-means codes", "nearest four frames"),
    }
    fids = {
        name: [score for score in scores if score.name == "FID"]
        for name, scores in found.baselines.items()
    }
    assert {name for name, scores in fids.items() if scores} == {*found.baselines} - {SHUFFLED}
    assert {score.signature for scores in fids.values() for score in scores} == {
        named["FID"].signature
    }
    known = rate(model, TEST, [*TRAIN, *TEST], tokenizer(1))
    same, kept = known.baselines["nearest four frames"][-1], known.baselines["mean pose"][-1]
    assert same.value == pytest.approx(0, abs=1e-4)
    assert kept.value > 1
    alone = rate(model, TEST[:1], TRAIN)
    assert alone.baselines["nearest four frames"][0].value == pytest.approx(0, abs=1e-3)
    poses = [model.positions(model.preparation.numbers(sample.clip)) for sample in TRAIN]
    apart = poses[1] - np.concatenate(poses).mean(0)
    want = 1000 * np.linalg.norm(apart[:, 8:], axis=2).mean()
    assert alone.baselines["mean pose"][0].value == pytest.approx(want, abs=1e-3)
    four = rate(model, [*TEST, *TRAIN[:1]], judge=tokenizer(1))
    assert [score.name for score in four.baselines[HALVES]] == ["FID"]


def unseen(seed: int, part: slice, frames: slice) -> PoseClip:
    """A motion of which some joints were not seen in some frames."""
    clip = motion(seed, 41)
    confidence = clip.confidence.copy()
    confidence[frames, part] = 0
    return clip.with_points(clip.points, confidence)


def test_what_nobody_saw_is_no_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """The right hand is said 10 mm off where it was seen, and a metre where it was not."""
    model = tokenizer()
    lost = slice(12, 27)
    samples = [
        Sample("some", unseen(1, m.RIGHT_HAND, lost)),
        Sample("none", unseen(2, m.RIGHT_HAND, slice(0, 41))),
    ]
    metres = np.full((2, 40, 1), 1.0)
    metres[0, [at for at in range(40) if not lost.start <= at < lost.stop]] = 0.01
    told = [model.read(sample) for sample in samples]
    for numbers, off in zip(told, metres, strict=True):
        numbers[:, 3 * 23 : 3 * 38 : 3] += off
    answers = iter(told * 2)
    monkeypatch.setattr(model, "numbers", lambda ids: next(answers))
    found = rate(model, samples, TRAIN)
    dev = score_dev(model, samples, 2, 1)
    named = {score.name: score for score in found.metrics}
    want = {
        "MPJPE-hands": 10 * 25 / (80 + 25), "MPJPE-body": 0, "MPJPE-left_hand": 0,
        "MPJPE-right_hand": 10, "PA-MPJPE-right_hand": 0, "PA-MPJPE-left_hand": 0,
    }  # fmt: skip
    for name, value in want.items():
        assert named[name].value == pytest.approx(value, abs=1e-3)
        assert dev[name] == pytest.approx(value, abs=1e-3)
    for scores in (found.metrics, *found.baselines.values()):
        each = {score.name: (score.n, score.excluded) for score in scores}
        assert each["MPJPE-right_hand"] == each["PA-MPJPE-right_hand"] == (1, 1)
        assert each["MPJPE-hands"] == each["MPJPE-body"] == (2, 0)
    assert "|frames:in which all of the part was seen|" in named["MPJPE-hands"].signature
    assert found.to_json()["n"] == 2


def test_a_part_that_is_never_seen_has_no_number() -> None:
    model = tokenizer()
    samples = [Sample("none", unseen(2, m.LEFT_HAND, slice(0, 41)))]
    handless = [Sample("none", unseen(2, slice(m.RIGHT_WRIST + 1, None), slice(0, 41)))]
    for found in (rate(model, samples).metrics, rate(model, samples, TRAIN).baselines["mean pose"]):
        names = {score.name for score in found}
        assert {"MPJPE-hands", "MPJPE-right_hand"} < names
        assert not {"MPJPE-left_hand", "PA-MPJPE-left_hand"} & names
    assert "MPJPE-left_hand" not in score_dev(model, samples, 1, 1)
    assert set(score_dev(model, handless, 1, 1)) == {
        *("MPJPE-body", "PA-MPJPE-body", "usage", "perplexity")
    }
    assert [score.name for score in rate(model, handless).baselines[SHUFFLED]] == [
        *("MPJPE-body", "PA-MPJPE-body")
    ]


def test_a_face_has_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jaw is said 0.1 rad off in the frames in which it was fitted, and 9 where it was not."""
    fits, every = parameters(1, 40), np.ones((40, 2), np.bool_)
    fits[:, 156:159], fits[:, 169:179] = 0.2, np.arange(10)
    gap = np.concatenate([np.arange(20), np.arange(24, 44)])
    model = tokenizer(layout="smplx57")
    samples = [Sample("face", fitted(fits, gap, every, 25.0, "x")), Sample("none", motion(2, 44))]
    told = [model.read(sample) for sample in samples]
    told[0][:, -13:-10] += np.where((np.arange(40) >= 20) & (np.arange(40) < 24), 9, 0.1)[:, None]
    answers = iter([*told, *told, told[1]])
    monkeypatch.setattr(model, "numbers", lambda ids: next(answers))
    found, want = rate(model, samples, samples[:1]), pytest.approx(np.sqrt(3 * 0.01 / 13))
    face = next(score for score in found.metrics if score.name == "RMSE-face")
    assert (face.value, face.n, face.excluded) == (want, 1, 1)
    assert score_dev(model, samples, 2, 1)["RMSE-face"] == want
    named = {
        name: next(score.value for score in scores if score.name == "RMSE-face")
        for name, scores in found.baselines.items()
    }
    assert named["nearest four frames"] == 0
    fit = model.face(model.read(samples[0]))
    off = (fit - fit.mean(0))[[*range(20), *range(24, 40)]]
    assert named["mean pose"] == pytest.approx(np.sqrt((off**2).mean()))
    assert "RMSE-face" not in score_dev(model, samples[1:], 1, 1)


def test_k_means_finds_planted_centres() -> None:
    draws = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0], [10, 0], [0, 10]])
    vectors = centres.repeat(50, 1) + 0.1 * torch.randn(150, 2, generator=draws)
    found = k_means(vectors, 3, seed=4)
    torch.testing.assert_close(found[found.sum(1).argsort()][0], centres[0], atol=0.1, rtol=0)
    rows = means(vectors[:, :1] + 7, vectors, torch.cat([found, torch.full((1, 2), 99.0)]))
    torch.testing.assert_close(rows[:3], found[:, :1] + 7)
    assert rows[3] in vectors[:, :1] + 7


def test_what_cannot_be_rated_is_named() -> None:
    with pytest.raises(UsageError, match="no clip to say again"):
        rate(tokenizer(), [])
    with pytest.raises(UsageError, match=r"reads 'whole' .*, and the tokenizer 'signing'"):
        rate(tokenizer(), TEST, judge=tokenizer(reads="whole"))
    gone = TEST[1].clip.with_points(0 * TEST[1].clip.points, 0 * TEST[1].clip.confidence)
    lost = Sample("lost", gone)
    with pytest.raises(UsageError, match=r"^sample 'lost': no frame has pelvis, hips"):
        rate(tokenizer(), [TEST[0], lost])
    with pytest.raises(UsageError, match=r"^sample 'lost': no frame has pelvis, hips"):
        tokenizer().example(lost, np.random.default_rng(0), True)


def test_evaluate_rates_a_tokenizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with StoreWriter(tmp_path / "store", SMPLX52) as writer:
        for split, samples in (("train", TRAIN), ("test", TEST)):
            for sample in samples:
                writer.add(sample, split)
    model, out = tokenizer(), tmp_path / "scores.json"
    save_checkpoint(tmp_path / "model", {**model.described(), "simulated_only": False}, model)

    def run(*more: object) -> int:
        asked = ("evaluate", tmp_path / "model", tmp_path / "store", "-o", out, *more)
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in asked])
        return int(ended.value.code or 0)

    assert run("--encoder", tmp_path / "model") == 0
    assert "nearest four frames" in capsys.readouterr().out
    report = json.loads(out.read_text())
    assert (report["n"], report["split"], report["simulated"]) == (3, "test", False)
    assert report["metrics"][0]["name"] == "MPJPE-hands"
    assert run() == 2, "there already"
    assert run("--overwrite", "--beam", 3) == 2
    assert "is a tokenizer of motion: it has no --beam" in capsys.readouterr().err
