"""Instructions: enough phrasings of each kind, gold by rule, and a check of form that can fail."""

from __future__ import annotations

import re

import pytest

from signloom.metrics.words import content_words
from signloom.text.instructions import (
    CHECKED,
    EXACT,
    STRESS,
    family_of,
    follows,
    follows_stress,
    gold,
)
from signloom.text.phrasings import DEFAULT, FAMILIES, PHRASINGS, Family

TEXT, GLOSSES = "The old dog did not bark at the cat.", "DOG OLD CAT BARK NOT"
RIGHT = {family: gold(family, TEXT, GLOSSES, content_words) for family in EXACT}


def bare(phrase: str) -> str:
    """In small letters, without punctuation and "please"."""
    return " ".join(word for word in re.findall(r"\w+", phrase.lower()) if word != "please")


def test_phrasings_are_many_apart_and_name_their_family() -> None:
    assert set(PHRASINGS) == set(FAMILIES) >= {"translate", "explain", "summarise", "formal", "keywords"}  # fmt: skip
    every = []
    for family, phrasings in PHRASINGS.items():
        assert len(phrasings.kept) >= 10
        assert len(phrasings.held) >= 4
        every += [*phrasings.kept, *phrasings.more, *phrasings.held, *phrasings.fresh]
        wide = phrasings.part("wide")
        assert {*phrasings.kept, *phrasings.more} < set(wide)
        unseen = (*phrasings.held, *phrasings.fresh)
        assert not set(map(bare, unseen)) & set(map(bare, wide))
        assert all(family_of(p) == family for p in (*wide, *unseen))
    assert len({phrase.casefold().strip(" .?!") for phrase in every}) == len(every)
    assert family_of(DEFAULT) == "translate"
    assert {stress.kind for stress in STRESS} == {"ambiguous", "contradictory", "multi-step"}
    assert not {stress.instruction for stress in STRESS} & set(every)


def test_gold_by_hand() -> None:
    assert RIGHT == {
        "translate": TEXT,
        "keywords": "old, dog, bark, cat",
        "glosses": GLOSSES,
        "count": "9",
    }
    assert gold("keywords", "It is him.", "", content_words) == ""


def test_a_translation_is_its_own_formal_version_or_summary_where_it_has_their_form() -> None:
    assert gold("formal", TEXT, GLOSSES, content_words) == TEXT
    assert gold("formal", "The dog didn't bark.", GLOSSES, content_words) == ""
    assert gold("summarise", TEXT, GLOSSES, content_words) == ""  # nine words
    assert gold("summarise", "The dog did not bark.", "", content_words) == "The dog did not bark."


def test_each_gold_follows_its_own_family_and_no_other() -> None:
    """A score that can fail: what is right for one instruction is wrong for the next."""
    for asked in EXACT:
        own = {family for family in EXACT if follows(family, RIGHT[asked], content_words)}
        assert own == {asked}


@pytest.mark.parametrize(
    ("family", "answer", "right"),
    [
        ("translate", "Yes.", False),
        ("translate", "I go home", False),
        ("translate", "", False),
        ("formal", "I do not go.", True),
        ("formal", "I don't go.", False),
        ("formal", "We’ll go.", False),
        ("formal", "The dog's bone is here.", True),
        ("formal", "It's late.", False),
        ("formal", "He’s gone.", False),
        ("formal", "Now let's go.", False),
        ("formal", "Somebody's bandit's bone is here.", True),
        ("summarise", TEXT, False),
        ("summarise", "A dog was silent.", True),
        ("keywords", "the dog, the cat", False),
        ("keywords", "dog, cat.", False),
        ("keywords", "dog, ice cream", True),
        ("keywords", "dog", True),
        ("glosses", "DOG bark", False),
        ("glosses", "IX-right #SAM GO", True),
        ("glosses", "fs-ANNA IX-1p A 2 1-2-YEAR++", True),
        ("glosses", "The Dog", False),
        ("glosses", "Hello", False),
        ("glosses", "DOG Bark", False),
        ("glosses", "IX-Right DOG", False),
        ("glosses", "DOG -", False),
        ("glosses", "...", False),
        ("count", "nine", False),
        ("count", "9 words", False),
    ],
)
def test_the_form_of_an_answer(family: Family, answer: str, right: bool) -> None:
    assert follows(family, answer, content_words) is right


def test_a_deaf_model_follows_translations_and_little_else() -> None:
    reached = [follows(family, TEXT, content_words) for family in CHECKED]
    assert dict(zip(CHECKED, reached, strict=True)) == {
        "translate": True, "keywords": False, "glosses": False, "count": False, "formal": True,
        "summarise": False,
    }  # fmt: skip
    with pytest.raises(ValueError, match="no rule says"):
        follows("explain", TEXT, content_words)


def test_stress_wants_one_of_what_may_be_meant_and_every_step() -> None:
    ambiguous = next(s for s in STRESS if s.kind == "ambiguous")
    assert follows_stress(ambiguous, TEXT, content_words)
    assert not follows_stress(ambiguous, "9", content_words)
    steps = next(s for s in STRESS if s.families == ("translate", "count") and s.all_of)
    assert follows_stress(steps, f"{TEXT} 9", content_words)
    assert not follows_stress(steps, TEXT, content_words)
    assert not follows_stress(steps, "9", content_words)


def test_steps_are_done_in_their_order_each_in_a_piece_of_its_own() -> None:
    steps = {s.families: s for s in STRESS if s.all_of}
    count, keywords = steps["translate", "count"], steps["glosses", "keywords"]
    assert follows_stress(count, "The dog barks. The cat sleeps.\n6", content_words)
    assert not follows_stress(count, "4\nThe dog barks.", content_words)
    assert follows_stress(keywords, "DOG BARK\ndog, bark", content_words)
    assert not follows_stress(keywords, "dog, bark\nDOG BARK", content_words)
