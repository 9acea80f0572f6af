"""R@k counts what it says, ties count against it, and chance is what shuffled orders give."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.errors import UsageError
from signloom.metrics.retrieval import retrieval


def test_ranks_are_the_planted_ones_and_ties_find_nothing() -> None:
    near = np.array([[9, 1, 2, 3], [5, 6, 7, 4], [1, 2, 3, 4]], np.float32)
    found = retrieval(near, np.eye(3, 4, dtype=bool), at=(1, 2))
    assert found.ranks == (1, 2, 2)
    assert found.recall == {1: pytest.approx(100 / 3), 2: 100}
    assert found.chance == {1: pytest.approx(25), 2: pytest.approx(50)}
    assert found.median_rank == 2
    alike = retrieval(np.zeros((4, 4), np.float32), np.eye(4, dtype=bool), at=(1, 3))
    assert alike.recall == {1: 0, 3: 0}


def test_chance_is_what_random_orders_reach() -> None:
    rng = np.random.default_rng(0)
    belongs = np.zeros((3, 9), bool)
    belongs[0, :1], belongs[1, :3], belongs[2, :6] = True, True, True
    many = [retrieval(rng.random((3, 9)).astype(np.float32), belongs) for _ in range(3000)]
    for k in (1, 5):
        assert np.mean([each.recall[k] for each in many]) == pytest.approx(many[0].chance[k], abs=2)
    assert many[0].chance[10] == 100  # more than there are


def test_a_query_that_nothing_belongs_to_is_refused() -> None:
    with pytest.raises(UsageError, match=r"1 queries among 2 candidates.*belongs to each"):
        retrieval(np.zeros((1, 2), np.float32), np.zeros((1, 2), bool))
