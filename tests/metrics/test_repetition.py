"""Repetition rate: planted loops, its range, and that it is blind to what the words are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.metrics.repetition import repeated, score_repetition

SENTENCES = st.lists(
    st.lists(st.sampled_from("abcdefgh"), max_size=9).map(" ".join), min_size=1, max_size=6
)


def test_a_planted_loop_is_counted_over_the_corpus() -> None:
    # 5 + 2 words; 4 + 1 pairs, of which "the dog" comes back once.
    score = score_repetition(["The dog the dog barks.", "It rains!"], order=2)
    assert score.value == pytest.approx(20.0)
    assert score_repetition(["The dog the dog barks.", "It rains!"], 1).value == pytest.approx(
        200 / 7
    )
    assert (score.name, score.n) == ("repetition-2", 2)
    assert score.signature.startswith("order:2|case:lc|avg:micro|version:")
    assert score_repetition(["no no no no no"], 1).value == pytest.approx(80.0)
    assert score_repetition(["one two three", ""], 2).value == 0.0


def test_without_sentences_there_is_no_rate() -> None:
    with pytest.raises(UsageError, match="there is no sentence to score"):
        score_repetition([])


@settings(max_examples=25, deadline=None)
@given(SENTENCES, st.integers(1, 3))
def test_longer_grams_repeat_no_more_often_and_other_words_change_nothing(
    sentences: list[str], order: int
) -> None:
    rates = [score_repetition(sentences, n).value for n in (order, order + 1)]
    assert 0 <= rates[0] < 100
    counts, longer = repeated(sentences, order), repeated(sentences, order + 1)
    assert (longer[:, 0] <= counts[:, 0]).all()
    renamed = [s.translate(str.maketrans("abcdefgh", "stuvwxyz")) for s in sentences]
    assert score_repetition(renamed, order).value == rates[0]
