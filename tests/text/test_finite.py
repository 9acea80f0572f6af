"""Countable choices go through every member exactly once, in any mixture and order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.text.finite import Listed, Mixed, Product, Shuffled, Union, permuted


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.integers(0, 2**64 - 1))
def test_a_permutation_meets_every_place_once(count: int, key: int) -> None:
    assert sorted(permuted(k, count, key) for k in range(count)) == list(range(count))


def test_large_permutations_go_and_differ() -> None:
    count = 10**40
    places = [permuted(k, count, 7) for k in range(200)]
    assert len(set(places)) == 200
    assert all(0 <= place < count for place in places)
    assert max(places) > count // 2
    assert permuted(0, count, 8) != places[0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 7)), min_size=1, max_size=6),
    st.integers(0, 99),
)
def test_a_mixture_holds_everything_once_and_in_proportion(
    parts: list[tuple[int, int]], key: int
) -> None:
    sets = [Listed([(p, n) for n in range(count)]) for p, (count, _) in enumerate(parts)]
    weights = [weight for _, weight in parts]
    mixed = Mixed([Shuffled(s, key + p) for p, s in enumerate(sets)], weights, key)
    members = [mixed.at(k) for k in range(mixed.count)]
    assert sorted(members) == sorted(m for s in sets for m in s.items)
    block = sum(weights)
    whole = min(count // weight for count, weight in parts)
    for first in range(0, whole * block, block):
        assert Counter(p for p, _ in members[first : first + block]) == dict(enumerate(weights))


def test_products_and_unions_count_by_arithmetic() -> None:
    pair = Product(lambda a, b: a + b, Listed("abc"), Listed("xy"))
    both = Union([pair, Listed([]), Listed(["q"])])
    assert both.count == 7
    assert [both.at(k) for k in range(7)] == ["ax", "bx", "cx", "ay", "by", "cy", "q"]
    assert Product(lambda *a: a, *[Listed(range(1000))] * 20).count == 1000**20
