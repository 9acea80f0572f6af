"""English and signs of simulated sentences: planted clauses, properties over many draws."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import jaxtyping
import numpy as np
import pytest

from signloom.errors import UsageError
from signloom.simulator.clause import Clause, Phrase, Time, clause_text, sentence_text
from signloom.simulator.english import article, comparative, past, plural, progressive, third
from signloom.simulator.grammar import SimulatedSentence, sentence
from signloom.simulator.lexicon import (
    POINTS,
    SIZES,
    Verb,
    lemma_sign,
    master_list,
    relation,
    vocabulary,
)
from signloom.simulator.signed import clause_signs, sentence_brows

EAT = Verb("eat", "daily", "human", "edible", False)
YESTERDAY = Time("yesterday", ("yesterday",), "past")
WOMAN = Phrase("woman", "person", definite=True)


@contextmanager
def unchecked() -> Iterator[None]:
    """Without type checks, for thousands of sentences; the smaller tests run with them."""
    before = jaxtyping.config.jaxtyping_disable
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", before)


def drawn(size: str, count: int, seed: int = 0) -> list[SimulatedSentence]:
    rng = np.random.Generator(np.random.Philox(key=seed))
    return [sentence(rng, vocabulary(size)) for _ in range(count)]


def glosses(clause: Clause) -> str:
    return " ".join(t.gloss + "+" * (t.repeat - 1) for t in clause_signs(clause))


@pytest.mark.parametrize(
    ("clause", "text", "signs"),
    [
        (
            Clause(WOMAN, EAT, object=Phrase("apple", "food", adjective="red")),
            "The woman eats a red apple.",
            "WOMAN APPLE RED EAT",
        ),
        (
            Clause(WOMAN, EAT, object=Phrase("apple", "food", "plural", True), topic=True,
                   time=YESTERDAY, tense="past", negated=True),
            "The woman did not eat the apples yesterday.",
            "YESTERDAY APPLE+ WOMAN EAT NOT",
        ),
        (
            Clause(None, EAT, object=Phrase("egg", "food", "plural", count="three"),
                   tense="past", finished=True, question="who"),
            "Who ate three eggs?",
            "EGG THREE EAT FINISH WHO",
        ),
        (
            Clause(Phrase("child", "person", "plural", True), EAT, question="what",
                   place=Phrase("garden", "place_in", definite=True)),
            "What do the children eat in the garden?",
            "GARDEN CHILD+ EAT WHAT",
        ),
        (
            Clause(Phrase("i", "person", "pronoun"), adjective="tired", tense="present", negated=True),
            "I am not tired.",
            "IX-self TIRED NOT",
        ),
        (
            Clause(Phrase("man", "person", definite=True,
                          relative=Clause(verb=EAT, object=Phrase("soup", "food", "mass"))),
                   adjective="happy", very=True),
            "The man who eats soup is very happy.",
            "MAN THAT SOUP EAT HAPPY VERY",
        ),
        (
            Clause(Phrase("bus", "vehicle", definite=True), adjective="big",
                   than=Phrase("car", "vehicle", definite=True)),
            "The bus is bigger than the car.",
            "BUS BIG MORE CAR",
        ),
        (
            Clause(Phrase("Anna", "person", "name"), EAT, control="want",
                   object=Phrase("orange", "food"), question="polar"),
            "Does Anna want to eat an orange?",
            "#ANNA ORANGE EAT WANT",
        ),
        (
            Clause(verb=Verb("wash", "instructions", "human", "food", False), imperative=True,
                   object=Phrase("rice", "food", "mass", True), topic=True, negated=True),
            "Do not wash the rice.",
            "RICE WASH NOT",
        ),
        (
            Clause(adjective="cold", place=Phrase("north", "region", definite=True), tense="future",
                   time=Time("tomorrow", ("tomorrow",), "future"), time_first=True),
            "Tomorrow it will be cold in the north.",
            "TOMORROW NORTH COLD",
        ),
    ],
)  # fmt: skip
def test_a_meaning_is_told_in_two_grammars(clause: Clause, text: str, signs: str) -> None:
    assert sentence_text(clause_text(clause), bool(clause.question)) == text
    assert glosses(clause) == signs


def test_grammar_shows_on_the_face() -> None:
    topic = Clause(
        WOMAN, EAT, object=Phrase("bread", "food", "mass", True), topic=True, negated=True
    )
    bread, woman, eat, no = clause_signs(topic)
    assert (bread.brows, bread.pause) == ("raised", True)
    assert (woman.brows, eat.head, no.head) == (None, None, "shake")
    assert sentence_brows(Clause(WOMAN, EAT, question="polar")) == "raised"
    assert sentence_brows(Clause(WOMAN, EAT, question="what")) == "furrowed"
    assert sentence_brows(topic) == "neutral"


def test_inflection() -> None:
    assert [plural(w) for w in ("box", "baby", "boy", "knife", "sheep")] == [
        "boxes", "babies", "boys", "knives", "sheep",
    ]  # fmt: skip
    assert [third(w) for w in ("wash", "fly", "play", "have")] == [
        "washes",
        "flies",
        "plays",
        "has",
    ]
    assert [past(w) for w in ("stop", "cry", "bake", "open", "buy", "fix")] == [
        "stopped", "cried", "baked", "opened", "bought", "fixed",
    ]  # fmt: skip
    assert [progressive(w) for w in ("run", "see", "bake", "sew", "eat")] == [
        "running", "seeing", "baking", "sewing", "eating",
    ]  # fmt: skip
    assert [comparative(w) for w in ("big", "dry", "safe", "good", "tired")] == [
        "bigger", "drier", "safer", "better", "more tired",
    ]  # fmt: skip
    assert [article(w) for w in ("apple", "uniform", "honest", "union", "uncle")] == [
        "an", "a", "an", "a", "an",
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_sentences_keep_to_their_vocabulary_and_length(size: str) -> None:
    words = vocabulary(size)
    known = set(words.lemmas) | set(words.names)
    said = drawn(size, 100)
    assert {s.domain for s in said} == {"daily", "instructions", "weather", "news"} - (
        {"news"} if size == "tiny" else set()
    )
    for one in said:
        assert all(t.lemma in known for t in one.tokens)
        assert 3 <= len(one.tokens) <= 10
        assert 3 <= len(one.text.split()) <= 16
        assert one.text[0].isupper()
        assert one.text[-1] in ".?"
        assert "  " not in one.text
        assert (one.text[-1] == "?") == (one.brow != "neutral")


def test_every_word_is_used() -> None:
    with unchecked():
        used = {t.lemma for s in drawn("small", 8_000) for t in s.tokens}
    assert set(vocabulary("small").lemmas) <= used


def test_sentences_are_drawn_from_the_generator_alone() -> None:
    assert drawn("small", 50, seed=3) == drawn("small", 50, seed=3)
    assert drawn("small", 50, seed=3) != drawn("small", 50, seed=4)


def test_english_can_be_recovered_from_the_signs() -> None:
    """What is signed alike says the same, all but always."""
    texts = defaultdict(set)
    with unchecked():
        said = drawn("tiny", 10_000)
    for one in said:
        texts[one.tokens, one.brow].add(one.text)
    ambiguous = sum(len(found) > 1 for found in texts.values())
    assert ambiguous <= 0.01 * len(texts)


def test_sizes_are_nested_and_large_enough() -> None:
    tiny, small, base = (vocabulary(size).lemmas for size in ("tiny", "small", "base"))
    assert base[: len(small)] == small
    assert small[: len(tiny)] == tiny
    assert len(tiny) < 70
    assert len(small) >= 300
    assert len(base) >= 1000
    assert base == master_list()


def test_pairs_and_homonyms_are_as_many_as_said_and_differ_as_said() -> None:
    listed = [w for w in master_list() if w not in POINTS]
    made = defaultdict(list)
    for word in listed:
        kind, partner = relation(word)
        made[kind].append((word, partner))
    assert len(made["pair"]) / len(listed) == pytest.approx(0.12, abs=0.01)
    assert len(made["homonym"]) / len(listed) == pytest.approx(0.03, abs=0.01)
    parts = ("handshapes", "location", "orientation", "movement")
    for word, partner in made["pair"]:
        one, other = lemma_sign(word), lemma_sign(partner)
        assert sum(getattr(one, p) != getattr(other, p) for p in parts) == 1
    for word, partner in made["homonym"]:
        one, other = lemma_sign(word), lemma_sign(partner)
        assert all(getattr(one, p) == getattr(other, p) for p in parts)
        assert one.mouthing != other.mouthing
    assert len({lemma_sign(word) for word in master_list()}) == len(master_list())


def test_another_seed_is_another_language() -> None:
    words = vocabulary("tiny").lemmas
    same = [w for w in words if lemma_sign(w, 1) == lemma_sign(w, 2)]
    assert set(same) <= set(POINTS)


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no size 'smal' \(did you mean 'small'\?\)"):
        vocabulary("smal")
    with pytest.raises(UsageError, match=r"no word 'tomorow' \(did you mean 'tomorrow'\?\)"):
        lemma_sign("tomorow")
