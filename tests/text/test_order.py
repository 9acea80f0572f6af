"""Order rules on planted sentences."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.text.forms import match
from signloom.text.order import PRESETS, RULES, Order, order_named, ordered, tagger, tokens_of


@pytest.mark.parametrize(
    ("order", "sentence", "expected"),
    [
        ("time-first", "i saw him last week", "last week i saw him"),
        ("time-first", "she works on monday in the morning", "on monday in the morning she works"),
        ("time-first", "he left two years ago", "two years ago he left"),
        ("time-first", "in the house it is cold today", "today in the house it is cold"),
        ("time-first", "the week was long", "the week was long"),
        ("wh-final", "what do you want", "do you want what"),
        ("wh-final", "who eats the apple", "eats the apple who"),
        ("wh-final", "how many books does he read", "books does he read how many"),
        ("wh-final", "in the summer which book do you read", "in the summer book do you read which"),
        ("wh-final", "to whom did you give it", "did you give it to whom"),
        ("wh-final", "when it rains we stay", "when it rains we stay"),
        ("wh-final", "what we need is time", "what we need is time"),
        ("wh-final", "i know where he is", "i know where he is"),
        ("adjective-after-noun", "a big red car is new", "a car big red is new"),
        ("adjective-after-noun", "the car is red", "the car is red"),
        ("adjective-after-noun", "old men drink cold water", "men old drink water cold"),
        ("topic-comment", "i like the red car", "the red car i like"),
        ("topic-comment", "yesterday my sister bought a house", "yesterday a house my sister bought"),
        ("topic-comment", "the man sleeps", "the man sleeps"),
        ("topic-comment", "the man gives the woman a book", "the man gives the woman a book"),
        ("topic-comment", "does he like bread", "does he like bread"),
        ("topic-comment", "she eats bread because she is hungry", "she eats bread because she is hungry"),
        ("drop-articles", "a man and the woman", "man and woman"),
        ("drop-copula", "we are not tired", "we not tired"),
        ("signed", "yesterday i saw the big red car", "yesterday car big red i saw"),
        ("signed", "the weather is cold today", "today weather cold"),
        ("swo", "the weather is cold today", "the weather is cold today"),
    ],
)  # fmt: skip
def test_rules_by_hand(order: str, sentence: str, expected: str) -> None:
    assert " ".join(ordered(sentence.split(), order)) == expected


WORDS = (
    "i you the a is are was not big red car man woman bread eat likes saw yesterday today last week on "
    "monday what who where does to in because ice qwerty two many"
).split()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=10), st.sampled_from(sorted(RULES)))
def test_a_rule_loses_nothing_and_is_done_once(words: list[str], rule: str) -> None:
    found = ordered(words, rule)
    dropped = {"drop-articles": {"a", "the"}, "drop-copula": {"is", "are", "was"}}.get(rule, set())
    assert sorted(found) == sorted(w for w in words if w not in dropped)
    if rule in ("time-first", "drop-articles", "drop-copula"):
        assert ordered(found, rule) == found


def test_entries_of_several_words_stay_together() -> None:
    vocabulary = {"i", "like", "cold", "ice cream", "last week"}
    tokens = tokens_of(match("i liked cold ice creams last week".split(), vocabulary), tagger())
    found = order_named("adjective-after-noun,time-first")(tokens)
    assert [t.text for t in found] == ["last week", "i", "liked", "ice creams", "cold"]
    assert [t.entry for t in found] == ["last week", "i", "like", "ice cream", "cold"]


def test_orders_have_names() -> None:
    assert order_named("swo") == Order()
    assert order_named(" Time-First , wh-final").names == ("time-first", "wh-final")
    assert order_named("drop-articles,rwo") == Order(("drop-articles",), shuffle=True)
    assert order_named("drop-articles,rwo").name == "drop-articles,rwo"
    assert order_named("signed").names == PRESETS["signed"]
    assert order_named("swo").name == "swo"
    with pytest.raises(
        UsageError,
        match=r"no order rule 'wh-finl' \(did you mean 'wh-final'\?\); the presets are swo, rwo, "
        r"signed, the rules time-first, .*drop-articles, with commas between",
    ):
        order_named("time-first,wh-finl")
    with pytest.raises(UsageError, match=r"no order rule ''"):
        order_named("")
