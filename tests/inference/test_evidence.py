"""Posteriors and spottings: what they add up to, and that the aligner follows them."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.inference.align import Evidence, align
from signloom.inference.evidence import Posteriors, Spotting, Spottings
from signloom.pose.activity import Activity


def test_a_spotting_counts_where_it_is_held() -> None:
    seen = Spottings([Spotting(2, 5.0, 0.9), Spotting(2, 7.0, 0.5)])
    assert isinstance(seen, Evidence)
    starts, ends = np.array([[4.0], [5.5]]), np.array([[5.0, 5.1], [6.0, 9.0]])
    found = seen(2, starts, ends)
    np.testing.assert_allclose(found, [[0.0, np.log(9)], [0.0, 0.0]])
    assert not seen(1, starts, ends).any()


def test_posteriors_are_summed_over_the_span() -> None:
    p = np.full(50, 0.5)
    p[10:20] = 0.8
    told = Posteriors({0: p}, 10.0, {0: 3.0}, weight=2.0)
    found = told(0, np.array([[4.0]]), np.array([[4.5, 5.0, 60.0]]))
    np.testing.assert_allclose(found, 2 * np.log(4) * np.array([[0.5, 1.0, 1.0]]))
    assert not told(1, np.array([[4.0]]), np.array([[5.0]])).any()


def test_the_aligner_follows_posteriors_where_signing_never_stops() -> None:
    cues = [Cue(Span(3.0 * k + 1, 3.0 * k + 3), "x" * 30) for k in range(10)]
    truth = [Span(3.0 * k + 6, 3.0 * k + 9) for k in range(10)]
    flat = Activity(25.0, np.full(1100, 0.97), np.zeros(1100), np.zeros(1100))
    probability = {}
    for k, span in enumerate(truth):
        p = np.full(1100, 0.1)
        p[int(25 * span.start) : int(25 * span.end)] = 0.9
        probability[k] = p
    found = align(cues, flat, [Posteriors(probability, 25.0)])
    for placed, span in zip(found.placed, truth, strict=True):
        shared = min(placed.span.end, span.end) - max(placed.span.start, span.start)
        hull = max(placed.span.end, span.end) - min(placed.span.start, span.start)
        assert shared / hull > 0.75


def test_probabilities_are_probabilities() -> None:
    with pytest.raises(ValueError, match=r"cue 1 at 2\.0 s has probability 1\.0"):
        Spottings([Spotting(1, 2.0, 1.0)])
    with pytest.raises(ValueError, match="posterior of cue 3 leaves"):
        Posteriors({3: np.array([0.5, 1.5])}, 25.0)
