"""Which samples a step sees depends on (seed, step) alone."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.training.mixing import (
    AnnealedCap,
    AnnealedScale,
    Disjoint,
    Fixed,
    Mixture,
    Schedule,
    shuffled,
)

from .toys import Walks


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (AnnealedCap(), {0: 0.0, 30_000: 0.5, 51_000: 0.85, 60_000: 0.85, 10**6: 0.85}),
        (AnnealedScale(), {0: 0.0, 30_000: 0.425, 51_000: 0.7225, 60_000: 0.85, 10**6: 0.85}),
        (Disjoint(100), {0: 0.0, 99: 0.0, 100: 1.0, 10**6: 1.0}),
        (Fixed(0.3), {0: 0.3, 10**6: 0.3}),
    ],
)
def test_schedules_at_planted_steps(schedule: Schedule, expected: dict[int, float]) -> None:
    assert {step: schedule(step) for step in expected} == pytest.approx(expected, abs=1e-12)


def test_batches_come_whole_from_one_source_as_often_as_p_says() -> None:
    mixture = Mixture(Walks("real"), 4, 7, Walks("synthetic", 31), AnnealedCap(1000, 0.85))
    real = np.array([mixture.draw(step).source == "real" for step in range(2000)])
    assert real[:1000].mean() == pytest.approx(0.5 - 0.15**2 / 2, abs=0.05)
    assert real[1000:].mean() == pytest.approx(0.85, abs=0.04)
    assert all(max(mixture.draw(step).indices) < 31 for step in range(20) if not real[step])


def test_one_source_alone_is_read_evenly_whatever_the_schedule() -> None:
    mixture = Mixture(Walks("real", 50), batch=10, seed=7, schedule=Fixed(0.0))
    epochs = [
        sorted(i for step in range(first, first + 5) for i in mixture.draw(step).indices)
        for first in (0, 5)
    ]
    assert epochs == [list(range(50))] * 2
    assert mixture.draw(0).indices != mixture.draw(5).indices


def test_draws_survive_pickling_and_differ_between_seeds_steps_and_places() -> None:
    mixture = Mixture(Walks("real"), 4, 7, Walks("synthetic"), AnnealedCap(10))
    again = pickle.loads(pickle.dumps(mixture))
    assert [again.draw(s) for s in (9, 3, 5)] == [mixture.draw(s) for s in (9, 3, 5)]
    other = Mixture(Walks("real"), 4, 8, Walks("synthetic"), AnnealedCap(10))
    assert [other.draw(s) for s in range(9)] != [mixture.draw(s) for s in range(9)]
    draws = {float(mixture.rng(s, p).random()) for s in range(20) for p in range(20)}
    assert len(draws) == 400


@settings(deadline=None, max_examples=40)
@given(size=st.integers(1, 120), key=st.integers(0, 2**32))
def test_shuffled_is_a_permutation(size: int, key: int) -> None:
    assert sorted(shuffled(i, size, (key,)) for i in range(size)) == list(range(size))


def test_shuffled_leaves_no_trace_of_order_and_needs_no_table() -> None:
    order = np.array([shuffled(i, 4_000, (1, "real", 0)) for i in range(4_000)])
    assert abs(np.corrcoef(order, np.arange(4_000))[0, 1]) < 0.07
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.07
    assert 0 <= shuffled(2**61, 2**62, (1,)) < 2**62


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(UsageError, match="the synthetic training source has no samples"):
        Mixture(Walks("real"), 4, 7, Walks("synthetic", 0))
