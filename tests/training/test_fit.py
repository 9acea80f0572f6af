"""The loop gives the same weights however the work is split up, and stops where it should."""

from __future__ import annotations

import json
import math
import socket
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from signloom.data.sample import Sample
from signloom.errors import UsageError
from signloom.training.batches import MicroBatches
from signloom.training.fit import DivergedError, fit
from signloom.training.mixing import Mixture
from signloom.training.resume import newest_state
from signloom.training.stages import Loss, Plan, Stage

from .toys import SERVER, Toy, Walks, mixture, plan, train, train_as


def apart(first: torch.nn.Module, second: torch.nn.Module) -> float:
    """The largest difference between two models' weights."""
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return max(float((a - b).detach().abs().max()) for a, b in pairs)


def log_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_accumulated_micro_batches_equal_one_batch(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", Toy(dropout=0))
    for pieces in (2, 3, 4):
        split, _ = train(tmp_path / str(pieces), Toy(dropout=0), accumulate=pieces)
        assert apart(whole, split) < 1e-6


def test_workers_change_nothing(tmp_path: Path) -> None:
    alone, _ = train(tmp_path / "alone")
    helped, _ = train(tmp_path / "helped", workers=2)
    assert apart(alone, helped) == 0


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_resumed_run_equals_an_uninterrupted_one_also_across_stages(
    tmp_path: Path, average: float
) -> None:
    whole, _ = train(tmp_path / "whole", steps=8, average=average)
    for stop in (3, 4, 6):
        folder = tmp_path / str(stop)
        before = Toy()
        with pytest.raises(KeyboardInterrupt):
            fit(before, StopsAt.of(mixture(), stop), plan(8, average=average), folder)
        resumed = Toy()
        fit(resumed, mixture(), plan(8, average=average), folder, resume=True)
        assert apart(whole, resumed) == 0
        assert [record["step"] for record in log_of(folder)] == list(range(1, 9))


def test_averaged_weights_are_those_of_the_formula_and_what_validation_sees(tmp_path: Path) -> None:
    seen: dict[int, np.ndarray] = {}
    model, plain = Toy(), Toy()
    now = lambda of: of.out.weight.detach().double().numpy().copy()  # noqa: E731
    begun = now(model)

    def validate(step: int) -> dict[str, float]:
        seen[step] = now(model)
        return {"score": step}

    asked = {"validate_every": 1, "metric": "score", "better": "higher"}
    fit(model, mixture(), plan(8, average=0.6, **asked), tmp_path / "a", validate=validate)
    each: dict[int, np.ndarray] = {}

    def watched(step: int) -> dict[str, float]:
        each[step] = now(plain)
        return {"score": step}

    fit(plain, mixture(), plan(8, **asked), tmp_path / "p", validate=watched)
    expected = begun
    for step in range(1, 9):
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * each[step]
        np.testing.assert_allclose(seen[step], expected, atol=1e-6)
    np.testing.assert_allclose(now(model), expected, atol=1e-6)


@dataclass(frozen=True)
class StopsAt(Mixture):
    """A mixture that is interrupted when a step is drawn."""

    stop: int = 0

    @classmethod
    def of(cls, mixture: Mixture, stop: int) -> StopsAt:
        return cls(**vars(mixture), stop=stop)

    def draw(self, step: int):
        if step == self.stop:
            raise KeyboardInterrupt
        return super().draw(step)


def test_the_best_weights_are_kept_and_the_log_tells_all(tmp_path: Path) -> None:
    kept: list[tuple[str, int]] = []
    fitted = fit(
        Toy(),
        mixture(),
        plan(8, validate_every=2, metric="score", better="higher"),
        tmp_path,
        validate=lambda step: {"score": [0, 2, 5, 3, 4][step // 2]},
        keep=lambda name, step, numbers: kept.append((name, step)),
    )
    assert (fitted.best, fitted.best_step) == (5.0, 4)
    assert kept == [("best", 2), ("best", 4), ("last", 8)]
    steps = [record for record in log_of(tmp_path) if "loss" in record]
    assert [record["lr"] for record in steps] == pytest.approx([0.005] + [0.01] * 3 + [0.001] * 4)
    assert {"p", "source", "samples_per_s", "time", "gradient"} <= steps[0].keys()
    assert {"step": 4, "score": 5} == {
        "step": log_of(tmp_path)[5]["step"],
        **log_of(tmp_path)[5]["validation"],
    }


def test_training_learns_and_bf16_stays_near(tmp_path: Path) -> None:
    _, _ = train(tmp_path / "full", steps=40)
    train(tmp_path / "half", steps=40, precision="bf16")
    full, half = (
        [r["loss"] for r in log_of(tmp_path / n) if "loss" in r] for n in ("full", "half")
    )
    assert sum(full[-10:]) < 0.98 * sum(full[:10])
    assert sum(half) == pytest.approx(sum(full), rel=0.02)


class Spoiling(Toy):
    """A model whose preparation makes something that is no number of one sample."""

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> np.ndarray:
        made = super().example(sample, rng, train)
        return made * np.float32(np.nan) if sample.id == "real-5" else made


@pytest.mark.parametrize("accumulate", [1, 8])
def test_nan_stops_at_once_and_names_the_batch(tmp_path: Path, accumulate: int) -> None:
    spoilt = Mixture(Walks("real"), 8, seed=3)
    step = next(s for s in range(99) if 5 in spoilt.draw(s).indices)
    with pytest.raises(DivergedError, match=rf"loss of step {step} .*'real'.*real-5\b") as caught:
        fit(Spoiling(), spoilt, plan(20, accumulate=accumulate), tmp_path)
    named = str(caught.value).count("real-")
    assert named == (8 if accumulate == 1 else 1)


def test_an_infinite_gradient_stops_too(tmp_path: Path) -> None:
    class Steep(Toy):
        def loss(self, batch):
            loss = super().loss(batch)
            return replace(loss, total=loss.total + (self.out.bias.sum() * 0).sqrt())

    with pytest.raises(DivergedError, match="gradient of step 0 is not finite"):
        fit(Steep(), mixture(), plan(2), tmp_path)


def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path) -> None:
    class Leaping(Toy):
        leap = False

        def loss(self, batch):
            if self.leap:
                with torch.no_grad():
                    self.out.bias[0] = math.inf
                return Loss(self.out.weight.sum(), torch.tensor(1.0))  # a step of its own is finite
            return super().loss(batch)

    train(tmp_path, Leaping(), steps=4)
    leaping = Leaping()
    leaping.leap = True
    with pytest.raises(DivergedError, match=r"weight out\.bias is not finite after step 5"):
        fit(leaping, mixture(), plan(6), tmp_path, resume=True)
    found = newest_state(tmp_path / "states")
    assert found is not None
    assert found[1].step == 4
    fit(Toy(), mixture(), plan(6), tmp_path, resume=True)


def test_a_number_is_better_than_none() -> None:
    chosen = plan(better="higher")
    assert chosen.improves(math.nan, None)
    assert chosen.improves(-1.0, math.nan)
    assert not chosen.improves(math.nan, -1.0)


def test_stages_train_what_they_name(tmp_path: Path) -> None:
    model, before = Toy(), Toy()
    fit(model, mixture(), Plan((Stage("head", 2, 1e-2, train=("out.*",)),), device="cpu"), tmp_path)
    assert torch.equal(model.inside[0].weight, before.inside[0].weight)
    assert not torch.equal(model.out.weight, before.out.weight)
    with pytest.raises(UsageError, match=r"trains 'oat\.weight', which matches no.*'out\.weight'"):
        Stage("head", 2, 1e-2, train=("oat.weight",)).trained(model)


def test_what_stands_still_runs_as_in_use(tmp_path: Path) -> None:
    class Listening(Toy):
        def loss(self, batch: dict) -> Loss:
            heard.append([self.training, self.inside.training, self.inside[2].training])
            return super().loss(batch)

    heard: list[list[bool]] = []
    stages = (Stage("head", 1, 1e-2, train=("out.*",)), Stage("all", 1, 1e-2))
    fit(Listening(), mixture(), Plan(stages, device="cpu"), tmp_path)
    assert heard == [[True, False, False], [True, True, True]]


def test_rates_at_planted_steps() -> None:
    cosine = Stage("s", 110, 1.0, "cosine", warmup=10)
    assert [cosine.rate(s) for s in (0, 9, 10, 60)] == pytest.approx([0.1, 1, 1, 0.5])
    linear = Stage("s", 110, 1.0, "linear", warmup=10)
    assert [linear.rate(s) for s in (0, 9, 10, 60)] == pytest.approx([0.1, 1, 1, 0.5])
    assert linear.rate(109) == pytest.approx(0.01)
    assert cosine.rate(109) == pytest.approx(0.5 + 0.5 * math.cos(math.pi * 0.99))
    with pytest.raises(UsageError, match="stage 's' has 5 steps and a warm-up of 9"):
        Stage("s", 5, 1.0, warmup=9)


def test_wrong_requests_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gives no 'scores' \(did you mean 'score'"):
        train(tmp_path / "metric", metric="scores")
    train(tmp_path / "done", steps=2)
    with pytest.raises(UsageError, match="was begun with another recipe"):
        fit(Toy(), mixture(), plan(2), tmp_path / "done", resume=True, fingerprint="other")
    with pytest.raises(UsageError, match="a batch of 8 cannot be split into 9 micro-batches"):
        fit(Toy(), mixture(), plan(2, accumulate=9), tmp_path / "split")
    with pytest.raises(UsageError, match="a plan has 0 stages"):
        Plan(())


def test_processes_share_one_batch() -> None:
    toy = Toy()
    alone = MicroBatches(mixture(7), toy.example, toy.collate, range(3, 6), accumulate=4)
    pieces = [
        MicroBatches(mixture(7), toy.example, toy.collate, range(3, 6), 2, rank, 2)
        for rank in (0, 1)
    ]
    shared = [piece[2 * s + m] for s in range(3) for piece in pieces for m in range(2)]
    for one, other in zip((alone[i] for i in range(12)), shared, strict=True):
        assert (one.step, one.number, one.source, one.ids) == (
            other.step,
            other.number,
            other.source,
            other.ids,
        )
        assert torch.equal(one.batch["frames"], other.batch["frames"])


def test_two_gloo_processes_train_as_one(tmp_path: Path) -> None:
    train(tmp_path / "one", steps=6, accumulate=2)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pair = [
        SERVER.Process(target=train_as, args=(rank, 2, port, tmp_path / "two", 6))
        for rank in (0, 1)
    ]
    for process in pair:
        process.start()
    for process in pair:
        process.join(timeout=120)
    assert [process.exitcode for process in pair] == [0, 0]
    one, two = ([r for r in log_of(tmp_path / name) if "loss" in r] for name in ("one", "two"))
    assert [r["source"] for r in one] == [r["source"] for r in two]
    assert [r["loss"] for r in two] == pytest.approx([r["loss"] for r in one], rel=1e-5)
