"""The n-gram prior: the formula by hand, what it must add up to, and what it does to a search."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.language.ctc import PrefixBeam
from signloom.language.ngram import NGram, counted
from tests.language.test_ctc import enumerated, random_rows

SENTENCES = st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=5)


def test_witten_and_bell_by_hand() -> None:
    """Two sentences, 0 1 and 0 2, of three labels: behind 0 stand 1 and 2, once each."""
    grams = NGram(counted([[0, 1], [0, 2]], order=2), labels=3)
    alone = (1 + 4 * (1 / 4)) / (6 + 4)  # 6 seen in all, 4 different: 0 0 1 2 and two ends
    assert math.exp(grams.log_p((0,), 1)) == pytest.approx((1 + 2 * alone) / (2 + 2))
    assert math.exp(grams.log_p((0, 0, 0), 1)) == pytest.approx((1 + 2 * alone) / (2 + 2))
    first = (2 + 1 * (2 + 1) / 10) / (2 + 1)
    assert math.exp(grams.log_p((), 0)) == pytest.approx(first)
    ends = (1 + 1 * (2 + 1) / 10) / (1 + 1)
    assert math.exp(grams.log_p((0, 1), None)) == pytest.approx(ends)


@settings(max_examples=25, deadline=None)
@given(SENTENCES, st.integers(1, 4), st.lists(st.integers(0, 3), max_size=4))
def test_what_may_follow_adds_up_to_one(
    sentences: list[list[int]], order: int, before: list[int]
) -> None:
    grams = NGram(counted(sentences, order), labels=4)
    following = [math.exp(grams.log_p(tuple(before), label)) for label in (0, 1, 2, 3, None)]
    assert sum(following) == pytest.approx(1)
    assert min(following) > 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0, 2))
def test_an_unpruned_search_multiplies_by_the_prior(seed: int, weight: float) -> None:
    log_p, grams = random_rows(seed, 4, 3), NGram(counted([[1, 2], [2]], 2), 3)
    search = PrefixBeam(0, 10_000, 0, lambda before, label: weight * grams.log_p(before, label))
    search.take(log_p)
    for found in search.best():
        asked = [(found.labels[:at], label) for at, label in enumerate((*found.labels, None))]
        prior = sum(weight * grams.log_p(before, label) for before, label in asked)
        by_hand = math.log(enumerated(log_p, 0)[found.labels]) + prior
        assert found.log_p == pytest.approx(by_hand, rel=1e-9)
    scores = [found.log_p for found in search.best()]
    assert scores == sorted(scores, reverse=True)


def test_a_strong_prior_decides_between_like_frames() -> None:
    log_p = torch.tensor([[0.02, 0.5, 0.48]]).log()
    grams = NGram(counted([[2]] * 20, 2), 3)
    search = PrefixBeam(0, 5, 0, grams.log_p)
    search.take(log_p)
    assert search.best()[0].labels == (2,)
