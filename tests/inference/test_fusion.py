"""Late fusion: the share that the better model deserves, pose alone without lips, homonyms told apart by the mouth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.data.clip import Origin
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample, gloss_of
from signloom.errors import UntrustedResultError, UsageError
from signloom.inference.fusion import SHARES, Fused, fused, tune
from signloom.inference.recognize import Recognizer, evaluate_recognition
from signloom.methods.isolated import PRESETS, Config, Isolated, build, score_dev
from signloom.methods.load import load
from signloom.simulator.corpora import SimulatedWords
from signloom.simulator.lexicon import relation
from signloom.training.checkpoint import save_checkpoint

PAIRS = {"child": "drink", "snow": "my"}
"""Manual homonyms of the simulated language: hands alike, mouths not."""
WORDS = sorted({*PAIRS, *PAIRS.values()})
POSE = PRESETS["tiny"]
LIPS = replace(PRESETS["tiny"], reads="lips", frames=24, mirror=0.5, bend=0.1)


def drawn(split: str, times: range) -> list[Sample]:
    source = SimulatedWords("tiny", split, HANDS42, lips=True)
    return [source.sample(word, time) for time in times for word in WORDS]


def learnt(config: Config, samples: list[Sample], steps: int) -> Isolated:
    model = build(config, WORDS, seed=1)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for step in range(steps):
        torch.manual_seed(step)
        rng = np.random.default_rng(step)
        chosen = rng.choice(len(samples), 8, replace=False)
        loss = model.loss(model.collate([model.example(samples[i], rng, True) for i in chosen]))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


@pytest.fixture(scope="module")
def model() -> Fused:
    train, dev = drawn("train", range(14)), drawn("dev", range(8))
    both = Fused(learnt(POSE, train, 40), learnt(LIPS, train, 140))
    for part in (both.pose, both.lips):
        score_dev(part, dev, len(dev), beam=1)
    tune(both, dev, len(dev))
    return both


def test_lips_tell_manual_homonyms_apart_which_pose_cannot(model: Fused) -> None:
    assert all(relation(second) == ("homonym", first) for first, second in PAIRS.items())
    other = PAIRS | {second: first for first, second in PAIRS.items()}
    test = drawn("test", range(8))
    truths = [gloss_of(sample) for sample in test]
    found = evaluate_recognition(model, test, WORDS)
    assert found.read == {"pose and lips": 32}
    assert isinstance(model, Recognizer)
    fused_rate = next(score.value for score in found.metrics if score.name == "top-1")
    pose = [each.candidates[0].gloss for each in model.pose.recognize([s.clip for s in test])]
    pairs = [gloss in (truth, other[truth]) for gloss, truth in zip(pose, truths, strict=True)]
    right = [gloss == truth for gloss, truth in zip(pose, truths, strict=True)]
    assert np.mean(pairs) > 0.9
    assert 0.25 < np.mean(right) < 0.75
    assert fused_rate > 100 * np.mean(right) + 20
    assert model.share < 1


def test_without_lips_pose_answers_and_says_so(model: Fused) -> None:
    test = drawn("test", range(1))
    clips, lips = [s.clip for s in test], [s.lips for s in test]
    blind = replace(lips[3], present=np.zeros(len(lips[3]), bool)) if lips[3] else None
    found = model.recognize(clips, 2, [lips[0], None, lips[2], blind])
    assert [each.read for each in found] == ["pose and lips", "pose"] * 2
    assert [found[1], found[3]] == model.pose.recognize([clips[1], clips[3]], 2)
    assert [found[0], found[2]] == model.recognize([clips[0], clips[2]], 2, [lips[0], lips[2]])
    assert model.recognize(clips) == model.pose.recognize(clips)


def test_a_fused_checkpoint_holds_both(model: Fused, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "fused", {**model.described(), "simulated_only": True}, model)
    again = load(tmp_path / "fused")
    assert isinstance(again, Fused)
    assert (again.share, again.calibration) == (model.share, model.calibration)
    test = drawn("test", range(1))
    clips, lips = [s.clip for s in test], [s.lips for s in test]
    assert again.recognize(clips, 4, lips) == model.recognize(clips, 4, lips)
    assert again.recognize(clips) == model.recognize(clips)
    assert (again.simulated_only, again.layout, again.reads_lips) == (True, HANDS42, True)


class Planted:
    """A recogniser whose logits for the n-th sample are given; clips say n by their length."""

    layout = HANDS42
    simulated_only = False

    def __init__(self, name: str, logits: np.ndarray, glosses: tuple[str, ...], reads_lips: bool):
        self.name, self.table, self.glosses = name, logits, glosses
        self.reads_lips = reads_lips

    def logits(self, clips: list, lips: list) -> np.ndarray:
        return self.table[[len(clip) for clip in clips]]


def planted(count: int) -> tuple[Callable[[float, float], tuple[Planted, Planted]], list[Sample]]:
    """(strength of pose, strength of lips) → both; and the samples they are of."""
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, count)
    glosses = tuple("abcdefghij")
    noise = rng.standard_normal((2, count, 10))

    def pair(pose: float, lips: float) -> tuple[Planted, Planted]:
        truth = np.eye(10)[labels]
        return (
            Planted("p", pose * truth + noise[0], glosses, False),
            Planted("l", lips * truth + noise[1], glosses, True),
        )

    word = SimulatedWords("tiny", "dev", HANDS42, lips=True)[0]
    assert word.lips is not None
    samples = [
        replace(
            word,
            clip=word.clip.frames(np.zeros(n, np.int64)),
            lips=word.lips[np.zeros(max(n, 1), np.int64)],
            text=glosses[label],
        )
        for n, label in enumerate(labels)
    ]
    return pair, samples


def test_the_share_is_what_the_better_model_deserves() -> None:
    pair, samples = planted(400)
    model = Fused(*pair(2.0, 0.8))
    rates = tune(model, samples, 400)
    assert tuple(rates) == SHARES
    assert 0.6 <= model.share <= 0.8
    assert rates[model.share]["top-1"] == max(rate["top-1"] for rate in rates.values())
    assert rates[model.share]["top-1"] > rates[1.0]["top-1"] + 1
    assert model.calibration is not None
    assert model.calibration.n == 400
    logits = fused(model.pose.table, model.lips.table, 0.9)
    right = [glosses_at == s.text for glosses_at, s in zip(
        (model.glosses[i] for i in logits.argmax(1)), samples, strict=True
    )]  # fmt: skip
    assert rates[0.9]["top-1"] == pytest.approx(100 * np.mean(right), abs=1e-3)


def test_of_equal_shares_the_even_one_is_taken_and_samples_without_lips_do_not_count() -> None:
    pair, samples = planted(60)
    pose, _ = pair(2.0, 2.0)
    same = Fused(pose, Planted("l", pose.table, pose.glosses, True), 0.9)
    blind = [replace(sample, lips=None, text="none of them") for sample in samples[:30]]
    rates = tune(same, blind + samples[30:], 50)
    assert (same.share, len({rate["top-1"] for rate in rates.values()})) == (0.5, 1)
    assert same.calibration is not None
    assert same.calibration.n == 20
    with pytest.raises(UsageError, match="none of the 30 samples has lips"):
        tune(same, blind, 99)


def test_a_share_is_not_chosen_by_signing_that_the_models_do_not_know() -> None:
    pair, samples = planted(30)
    model = Fused(*pair(2.0, 0.8))
    model.simulated_only = True
    real = replace(
        samples[7], id="real", clip=replace(samples[7].clip, origin=Origin("mediapipe-holistic"))
    )
    dev = [*samples[:7], real]
    with pytest.raises(UntrustedResultError, match="sample 'real' is not simulated signing"):
        tune(model, dev, 8)
    assert tuple(tune(model, dev, 8, allow_simulated=True)) == SHARES


def test_fusion_is_the_weighted_sum_of_logits() -> None:
    pose, lips = np.random.default_rng(0).standard_normal((2, 5, 3))
    assert fused(pose, lips, 0.25) == pytest.approx(0.25 * pose + 0.75 * lips)
    with pytest.raises(UsageError, match=r"\(5, 3\) and lips of \(5, 2\)"):
        fused(pose, lips[:, 1:], 0.5)


def test_what_does_not_go_together_is_said() -> None:
    table = np.zeros((1, 2))
    pose = Planted("p", table, ("a", "b"), False)
    lips = Planted("l", table, ("a", "b"), True)
    with pytest.raises(UsageError, match="'l' reads lips and 'p' reads pose, expected pose and"):
        Fused(lips, pose)
    with pytest.raises(UsageError, match="'p and l' reads pose and lips"):
        Fused(pose, Fused(pose, lips))
    other = Planted("l", table, ("a", "c"), True)
    with pytest.raises(UsageError, match=r"2 glosses and lips 2; not in both: b, c"):
        Fused(pose, other)
    with pytest.raises(UsageError, match=r"share of pose is 1\.5"):
        Fused(pose, lips, 1.5)
