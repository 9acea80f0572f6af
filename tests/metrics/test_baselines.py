"""Baselines and buckets by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.metrics.baselines import (
    CONSTANT,
    FREQUENT,
    SHUFFLED,
    TEMPLATE,
    baselines,
    commonest,
    derangement,
    template,
)
from signloom.metrics.buckets import by_length, by_unseen, vocabulary


def test_the_template_keeps_function_words_places_and_capitals() -> None:
    assert template("Does Anna not like the dogs?", "rain") == "Does Rain not rain the rain?"


def test_baseline_outputs_by_hand() -> None:
    found = baselines(["x", "y"], ["A cat sat.", "It is."], ["A dog.", "A dog.", "The cat."])
    assert found == {
        SHUFFLED: ["y", "x"],
        FREQUENT: ["A dog.", "A dog."],
        CONSTANT: ["a dog", "a dog"],
        TEMPLATE: ["A dog dog.", "It is."],
    }
    assert SHUFFLED not in baselines(["x"], ["a"], ["a word"])


def test_the_first_in_the_alphabet_of_several_commonest() -> None:
    assert commonest(["b", "a", "b", "a", "c"]) == "a"
    with pytest.raises(UsageError, match="got none; evaluate on a store with a train split"):
        commonest([])


@given(st.integers(2, 300))
def test_no_place_keeps_its_own(size: int) -> None:
    order = derangement(size)
    assert sorted(order) == list(range(size))
    assert all(other != place for place, other in enumerate(order))


def test_length_buckets_by_words_of_the_reference() -> None:
    references = ["a " * count for count in (1, 6, 7, 12, 13, 40)]
    found = by_length(references, references)
    assert {name: len(pair[0]) for name, pair in found.items()} == dict.fromkeys(
        ("short", "medium", "long"), 2
    )


def test_buckets_by_words_that_training_has_not() -> None:
    known = vocabulary(["The dog barks.", "A cat!"])
    references = ["the dog", "A bird barks", "birds sing", "snow, snow, snow", "…"]
    found = by_unseen(["x"] * 5, references, known)
    assert {name: pair[1] for name, pair in found.items()} == {
        "none": ["the dog"],
        "one": ["A bird barks"],
        "two": ["birds sing"],
        "three or more": ["snow, snow, snow"],
    }
