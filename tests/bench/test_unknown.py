"""What is told apart, and how many count as known, on numbers whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.unknown import EVIDENCE, OWN, groups, share, told_apart
from signloom.inference.recognize import BUNDLED
from signloom.methods.load import load


def test_areas_and_shares_are_the_planted_ones() -> None:
    own, other = np.array([3.0, 2.0, 1.0]), np.array([0.0, 2.5])
    assert told_apart(own, other) == pytest.approx(100 * 4 / 6)
    assert told_apart(own, own) == pytest.approx(50)
    found = share(np.array([True] * 75 + [False] * 25))
    assert (found["known"], found["n"]) == (75, 100)
    assert found["ci95"][0] < 75 < found["ci95"][1]


def test_each_evidence_prefers_the_surer_row() -> None:
    rows = np.array([[5.0, 0.0, 0.0], [1.0, 0.9, 0.8]])
    assert all(of(rows)[0] > of(rows)[1] for of in EVIDENCE.values())


def test_strange_words_are_none_of_the_recogniser_s() -> None:
    model = load(str(BUNDLED))
    found = {name: [next(samples).text for _ in range(3)] for name, samples in groups(model)}
    own = set(model.glosses)
    assert set(found[OWN]) <= own
    assert not own & set(found["words it has not seen"])
