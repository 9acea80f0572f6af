"""Verdicts from planted numbers: each word, each interval, and what "undecided" owes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from signloom.claims.verdict import (
    MOST_SEEDS,
    Difference,
    Verdict,
    difference,
    equivalent,
    needed,
    ordered,
    over_seeds,
    seeds_for,
    smallest_effect,
    t_below,
    t_quantile,
    together,
)


def share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Percent of words that are right: summed (right, all)."""
    return 100 * sums[..., 0] / sums[..., 1]


def planted(
    low: float, high: float, mean: float | None = None, names: tuple[str, str] = ("a", "b")
) -> Difference:
    """A difference whose 95 % intervals are both [low, high], and 90 % ones a little within."""
    centre = (low + high) / 2 if mean is None else mean
    inner = (centre - 0.8 * (centre - low), centre + 0.8 * (high - centre))
    per_seed = (centre, centre - 0.1, centre + 0.1)
    return Difference(*names, per_seed, (low, high), (low, high), inner, inner, 0.06, 0.4)


@pytest.mark.parametrize(
    ("level", "freedom", "value"),
    [
        (0.975, 1, 12.7062),
        (0.975, 2, 4.3027),
        (0.975, 4, 2.7764),
        (0.975, 9, 2.2622),
        (0.95, 2, 2.9200),
        (0.95, 30, 1.6973),
        (0.8, 2, 1.0607),
    ],
)
def test_t_is_that_of_the_printed_tables(level: float, freedom: int, value: float) -> None:
    assert t_quantile(level, freedom) == pytest.approx(value, abs=5e-5)
    assert t_below(value, freedom) == pytest.approx(level, abs=1e-5)


def test_a_claim_holds_only_where_every_neighbour_is_better() -> None:
    clear, unclear, reversed_ = planted(1.5, 4.0), planted(-0.5, 2.5), planted(-3.0, -1.0)
    assert ordered([clear, clear]).word == "holds"
    assert ordered([clear, unclear]).word == "undecided"
    assert ordered([clear, unclear, reversed_]).word == "fails"
    assert "a − b = -2.0 [-3.0, -1.0]" in ordered([reversed_]).why


def test_much_better_has_to_be_better_by_that_much() -> None:
    assert ordered([planted(1.5, 4.0)], by=2.0).word == "undecided"
    assert ordered([planted(2.5, 4.0)], by=2.0).word == "holds"
    assert ordered([planted(0.5, 1.9)], by=2.0).word == "fails"


def test_a_difference_too_small_to_count_fails_unless_it_is_sure() -> None:
    assert ordered([planted(-0.4, 0.9)], least=1.0).word == "fails"
    assert ordered([planted(0.1, 0.9)], least=1.0).word == "holds"
    assert ordered([planted(-0.4, 1.1)], least=1.0).word == "undecided"


def test_equivalence_is_shown_not_assumed() -> None:
    # 95 % [-1.1, 1.1], 90 % [-0.88, 0.88]: two one-sided tests at 5 % look at the latter.
    assert equivalent(planted(-1.1, 1.1), 1.0).word == "holds"
    # "No significant difference", yet nothing shown: the interval is wide.
    assert equivalent(planted(-3.0, 2.5), 1.0).word == "undecided"
    assert equivalent(planted(0.5, 2.5), 1.0).word == "undecided"
    assert equivalent(planted(1.2, 2.5), 1.0).word == "fails"
    assert equivalent(planted(-2.5, -1.2), 1.0).word == "fails"


def test_both_ways_of_making_an_interval_count() -> None:
    one = planted(0.5, 2.0)
    narrow = Difference(
        "a", "b", one.per_seed, (0.5, 2.0), (-0.2, 2.1), (0.6, 1.0), (0.0, 2.0), 0.1, 0.1
    )
    assert narrow.interval == (-0.2, 2.1)
    assert narrow.interval90 == (0.0, 2.0)
    assert ordered([narrow]).word == "undecided"


def test_parts_stand_together() -> None:
    holds, fails = Verdict("holds", "x"), Verdict("fails", "y")
    open_, hopeless = (
        Verdict("undecided", "z", 1.5, 7, 2),
        Verdict("undecided", "w", 2.5, None, None),
    )
    assert together([holds, holds]) == Verdict("holds", "x; x")
    assert together([holds, open_, fails]).word == "fails"
    assert together([holds, open_]) == open_
    assert together([open_, hopeless]) == Verdict("undecided", "z; w", 2.5, None, None)


def test_undecided_says_what_it_could_have_seen_and_what_deciding_costs() -> None:
    # Among seeds: sd 1 over 3 seeds; hardly any error from sentences.
    noisy = Difference(
        "a", "b", (0.0, 1.0, 2.0), (-1.5, 3.5), (-0.1, 2.1), (0.0, 2.0), (0.0, 2.0), 3**-0.5, 0.0
    )
    verdict = ordered([noisy], least=1.0)
    expected = (4.30265 + 1.06066) / math.sqrt(3)
    assert verdict.word == "undecided"
    assert verdict.smallest == pytest.approx(expected, abs=1e-3)
    assert verdict.seeds is not None
    assert smallest_effect(noisy, verdict.seeds) <= 1.0 < smallest_effect(noisy, verdict.seeds - 1)
    # All of the error from sentences: no number of seeds helps, more sentences do.
    few = Difference(
        "a", "b", (0.9, 1.0, 1.1), (0.7, 1.3), (-1.0, 3.0), (0.0, 2.0), (0.0, 2.0), 0.0, 1.0
    )
    assert seeds_for(1.0, few) is None
    seeds, times = needed(1.0, [few])
    assert seeds is not None
    assert times is not None
    assert smallest_effect(few, seeds, times) <= 1.0 < smallest_effect(few, seeds - 1, times)
    # (1.96 + 0.84)² = 7.85: below 8 times the sentences, no number of seeds would do.
    assert [seeds_for(1.0, few, n) is None for n in (7, 8)] == [True, False]
    assert all(seeds * times <= n * (seeds_for(1.0, few, n) or 999) for n in range(8, 40))
    verdict = ordered([few, noisy], least=1.0)
    assert verdict.sentences is not None
    assert verdict.seeds == max(seeds_for(1.0, d, verdict.sentences) or 999 for d in (few, noisy))


def test_one_seed_decides_nothing() -> None:
    assert over_seeds([3.0], 0.95) == (-math.inf, math.inf)
    counts = np.array([[5.0, 10.0]] * 40)
    found = difference("a", "b", [counts], [counts * [0.1, 1]], share)
    assert found.mean == pytest.approx(45.0)
    assert ordered([found]) == Verdict("undecided", ordered([found]).why, math.inf, None, None)


def words_right(
    rng: np.random.Generator, ease: NDArray[np.float64], skill: float
) -> NDArray[np.float64]:
    """(sentences, 2): of ten words each, how many a system of that skill gets right."""
    chance = 1 / (1 + np.exp(-(ease + skill)))
    return np.stack([rng.binomial(10, chance), np.full(len(ease), 10)], axis=1).astype(float)


def test_equal_sentences_make_a_sure_difference_and_pairing_narrows_it() -> None:
    rng = np.random.default_rng(3)
    ease = rng.normal(0, 1.5, 200)
    one = [words_right(rng, ease, 0.4) for _ in range(4)]
    other = [words_right(rng, ease, 0.0) for _ in range(4)]
    paired = difference("a", "b", one, other, share)
    apart = difference("a", "b", one, other, share, paired=False)
    assert paired.within < apart.within / 1.5
    assert paired.both95[0] > 0
    same = difference("a", "a", one, one, share)
    assert same.interval == (0.0, 0.0)
    assert equivalent(same, 0.1).word == "holds"


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_turning_the_arms_round_turns_the_difference_round(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ease = rng.normal(0, 1, 30)
    one, other = ([words_right(rng, ease, s) for _ in range(3)] for s in (0.3, 0.0))
    forward = difference("a", "b", one, other, share)
    back = difference("b", "a", other, one, share)
    lower = difference("b", "a", one, other, share, sign=-1)
    assert back.per_seed == pytest.approx([-d for d in forward.per_seed])
    assert back.interval == pytest.approx((-forward.interval[1], -forward.interval[0]))
    assert lower.interval == pytest.approx(back.interval)
    assert forward.interval[0] <= forward.mean <= forward.interval[1]


def test_the_interval_covers_a_planted_difference() -> None:
    """Seeds and sentences both random: the wider interval of the two misses in at most 1 of 20."""
    rng = np.random.default_rng(7)
    covered, runs = 0, 100
    far = np.random.default_rng(8).normal(0, 1, 200_000)
    truth = 100 * (np.mean(1 / (1 + np.exp(-far - 0.4))) - np.mean(1 / (1 + np.exp(-far))))
    for _ in range(runs):
        ease = rng.normal(0, 1, 60)
        one, other = (
            [words_right(rng, ease, skill + rng.normal(0, 0.1)) for _ in range(4)]
            for skill in (0.4, 0.0)
        )
        low, high = difference("a", "b", one, other, share).interval
        covered += low <= truth <= high
    assert covered / runs >= 0.95


def test_out_of_reach_is_said_to_be() -> None:
    wild = Difference(
        "a", "b", (-50.0, 0.0, 50.0), (-99.0, 99.0), (-9.0, 9.0), (0.0, 1.0), (0.0, 1.0), 29.0, 9.0
    )
    assert seeds_for(1.0, wild) is None
    assert needed(1.0, [wild]) == (None, None)
    assert smallest_effect(wild, MOST_SEEDS) > 1.0
