"""Words and the entries that stand for them; the examples of the docstrings are run too."""

from __future__ import annotations

import doctest

import pytest

from signloom.text import clean as clean_module
from signloom.text import forms as forms_module
from signloom.text import sentences as sentences_module
from signloom.text.clean import clean, join_punctuation, words_of
from signloom.text.forms import Match, entry_for, match

VOCABULARY = {
    "walk", "carry", "child", "go", "stop", "make", "box", "not", "don't want", "ice cream", "glass",
    "fall", "fall in love", "it", "run", "i",
}  # fmt: skip


@pytest.mark.parametrize("module", [clean_module, forms_module, sentences_module])
def test_docstrings(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_cleaning() -> None:
    assert clean("  Cafe\u0301\t“so”\u200b \x07 what…\n") == 'Caf\u00e9 "so" what...'
    assert clean("ÜBER") == "ÜBER"
    assert clean("می\u200cروم\u200f") == "می\u200cروم"
    assert clean("ÜBER", lower=True) == "über"
    assert (
        join_punctuation("it 's ( really ) cold , is n't it ?") == "it's (really) cold, isn't it?"
    )
    assert words_of("Don’t—it's 5.30 at well-known “Zürich_X”!") == [
        "don't", "it's", "5.30", "at", "well-known", "zürich", "x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "entry"),
    [
        ("walk", "walk"), ("walks", "walk"), ("walked", "walk"), ("carried", "carry"),
        ("carries", "carry"), ("children", "child"), ("went", "go"), ("stopping", "stop"),
        ("making", "make"), ("boxes", "box"), ("isn't", "not"), ("glass", "glass"), ("it's", "it"),
        ("running", "run"), ("ran", "run"), ("me", "i"), ("i'm", "i"), ("gas", None), ("", None),
    ],
)  # fmt: skip
def test_the_entry_for_a_word(word: str, entry: str | None) -> None:
    assert entry_for(word, VOCABULARY) == entry
    assert entry_for(word, VOCABULARY, forms=False) == (word if word in VOCABULARY else None)


def test_the_longest_entry_wins() -> None:
    found = match(words_of("I don't want ice creams, fall in love!"), VOCABULARY)
    assert found == [
        Match(("i",), "i"),
        Match(("don't", "want"), "don't want"),
        Match(("ice", "creams"), "ice cream"),
        Match(("fall", "in", "love"), "fall in love"),
    ]
    assert [m.entry for m in match(["fall", "in", "walks"], VOCABULARY)] == ["fall", None, "walk"]
    assert match([], VOCABULARY) == []
