"""The sentence generator: every sentence once, all of them signable, none ever listed."""

from __future__ import annotations

import pickle
import random
import re
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from signloom.errors import MediaError, UsageError
from signloom.text.classes import classes_of, english, read_classes
from signloom.text.clean import words_of
from signloom.text.forms import bases
from signloom.text.grammar import GeneratedSentences
from signloom.text.inflect import article, gerund, participle, past, plural, third_person
from signloom.text.sentences import coverage, read_sentences

SMALL = frozenset("i dog woman bread apple eat see cold not who yesterday will".split())
MORE = "not very more than as please only ever himself herself yourself themselves no there at least most seem"
LARGE = frozenset(
    [word.lower() for word, label in english().words() if not label.startswith("name")]
    + MORE.split()
)


@pytest.fixture(scope="module")
def stream() -> GeneratedSentences:
    return GeneratedSentences(LARGE, count=22_219_407, seed=1)


def test_the_count_is_the_number_of_different_sentences() -> None:
    found, other = GeneratedSentences(SMALL, seed=3), GeneratedSentences(SMALL, seed=4)
    every = list(found)
    assert 1_000 < len(every) < 4_000
    assert len(set(every)) == len(every) == found.distinct
    assert set(every) == set(other)
    assert every[:50] != other[:50]
    assert {"Who eats the bread?", "I don't eat bread.", "Yesterday, I ate the bread."} <= set(every)  # fmt: skip
    assert "The woman eat the bread." not in every


def test_millions_over_a_large_vocabulary_at_any_index(stream: GeneratedSentences) -> None:
    found = stream
    assert found.distinct > 10**12
    assert len(found) == 22_219_407
    again = pickle.loads(pickle.dumps(found))
    assert len(pickle.dumps(found)) < 20_000
    for place in (22_219_406, 12_345_678):
        assert found[place] == again[place]
    assert found[-1] == found[22_219_406]
    some = [found[i] for i in range(0, len(found), 60_013)]
    assert len(set(some)) == len(some)
    assert all(coverage(sentence, LARGE) == 1 for sentence in some)
    assert all(re.fullmatch(r"[A-Z][^.?]*[.?]", sentence) for sentence in some)
    lengths = Counter(len(words_of(sentence)) for sentence in some)
    assert min(lengths) <= 3
    assert max(lengths) >= 11


def test_paradigms_take_turns_by_weight(stream: GeneratedSentences) -> None:
    grammar = stream.grammar
    assert len(grammar.paradigms) > 67
    phenomena = {p.phenomenon for p in grammar.paradigms}
    assert phenomena >= {
        "agreement", "questions", "negation", "relatives", "quantifiers", "tense", "adverbials",
        "control_raising", "binding", "npi_licensing", "argument_structure", "ellipsis",
        "filler_gap", "existential", "irregular_forms", "determiner_agreement",
    }  # fmt: skip
    total = sum(p.weight for p in grammar.paradigms)
    block = [grammar.mixed.at(k) for k in range(total)]
    asked = {p.name for p in grammar.paradigms if p.phenomenon == "questions"}
    weight = sum(p.weight for p in grammar.paradigms if p.name in asked)
    ever = sum(p.weight for p in grammar.paradigms if p.name in ("question_ever", "control_question", "is_there"))  # fmt: skip
    assert sum(s.endswith("?") for s in block) == weight + ever


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_lexicon_it_can_sign_what_is_made(seed: int) -> None:
    words = set(random.Random(seed).sample(sorted(LARGE), 150)) | {"eat"}
    found = GeneratedSentences(words, seed=seed)
    some = [found[i] for i in range(0, 10_000, 100)]
    assert len(set(some)) == 100
    assert all(coverage(sentence, words) == 1 for sentence in some)


def test_agreement_holds(stream: GeneratedSentences) -> None:
    text = " " + " ".join(stream[i].lower() for i in range(0, 1_000_000, 500))
    for wrong in ("i is", "i are", "she are", "they is", "we is", "he do", "they does", "a apple", "an dog", "these dog "):  # fmt: skip
        assert f" {wrong} " not in text
    assert re.search(r"\b(two|three|many|few|several) (man|woman|child|mouse)\b", text) is None
    assert re.search(r"\bdidn't \w+ed\b", text.replace("need", "")) is None


def test_only_some_paradigms_names_and_own_classes(tmp_path: Path) -> None:
    asked = GeneratedSentences(SMALL, count=50, paradigms=["polar_present", "where_is"])
    assert all(s.endswith("?") for s in asked)
    names = {name for found in english().names.values() for name in found}
    spelled, plain = (GeneratedSentences(SMALL, 600, names=n)[:] for n in (True, False))
    assert any(names & set(sentence.rstrip("?.").split()) for sentence in spelled)
    assert not any(names & set(sentence.rstrip("?.").split()) for sentence in plain)
    (tmp_path / "own.tsv").write_text(
        "# weather\nglacier\tnoun.nature\nglaciologist\tnoun.person\nmelt\tverb.person>nature\n"
    )
    own = GeneratedSentences({"glacier", "glaciologist", "melt"}, classes=read_classes(tmp_path / "own.tsv"))  # fmt: skip
    assert "The glaciologist melts a glacier." in set(own)


def test_what_cannot_be_generated(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the vocabulary is empty: there is no word"):
        GeneratedSentences([])
    with pytest.raises(UsageError, match=r"vocabulary of 2 words and the word classes 'english-v1' share too few"):  # fmt: skip
        GeneratedSentences(["xyzzy", "plugh"])
    with pytest.raises(UsageError, match=r"no paradigm 'polar_pesent' \(did you mean 'polar_present'"):  # fmt: skip
        GeneratedSentences(SMALL, paradigms=["polar_pesent"])
    with pytest.raises(UsageError, match=r"1,000,000,000 sentences are wanted, and this vocabulary of 12 words has"):  # fmt: skip
        GeneratedSentences(SMALL, count=10**9)
    with pytest.raises(IndexError, match="sentence 5 of 5"):
        GeneratedSentences(SMALL, count=5)[5]
    table = tmp_path / "own.tsv"
    table.write_text("bread\tnone.food\n")
    with pytest.raises(UsageError, match=r"'bread' has the unknown class 'none.food' \(did you mean 'noun'"):  # fmt: skip
        read_classes(table)
    table.write_text("bread noun.food\n")
    with pytest.raises(
        UsageError, match=r"line 1: 'bread noun.food' is no word and class; expected"
    ):
        read_classes(table)
    table.write_text("eat\tverb.food\n")
    with pytest.raises(UsageError, match=r"'eat' has the class 'verb.food', expected who does it"):
        read_classes(table)
    table.write_bytes(b"caf\xe9\tnoun.food\n")
    with pytest.raises(MediaError, match=r"word classes in .*own.tsv cannot be read: 'utf-8'"):
        read_classes(table)


def test_forms_lead_back_to_their_word() -> None:
    table = english()
    nouns = {w for words in table.nouns.values() for w in words}
    # What does not lead back is left out of the sentences that would need it.
    lost = {n for n in nouns if n not in bases(plural(n))}
    assert lost <= {"crisis", "policeman", "scarf", "shelf", "thief"}
    lemmas = {v.lemma for v in (*table.verbs, *table.states, *table.gives)}
    lemmas |= {
        w for of in (table.goals, table.thinks, table.wants) for ws in of.values() for w in ws
    }
    forms = {
        form
        for verb in sorted(lemmas)
        for form in (third_person(verb), past(verb), participle(verb), gerund(verb))
        if verb not in bases(form)
    }
    assert forms <= {"fed", "knelt", "lent", "shown"}
    assert [plural(w) for w in ("baby", "day", "box", "ice cream", "tomato", "man")] == [
        "babies", "days", "boxes", "ice creams", "tomatoes", "men",
    ]  # fmt: skip
    assert [article(w) for w in ("apple", "hour", "university", "dog")] == ["an", "an", "a", "a"]
    assert classes_of([("bread", "mass.food")], "t").tags() == {"bread": frozenset({"noun"})}


@pytest.mark.shared_data
def test_beside_blimp(shared_data: Path, stream: GeneratedSentences) -> None:
    """BLiMP is readable too: its 67,000 good sentences, of which the generated ones are the like."""
    archive = shared_data / "text" / "blimp" / "BLiMP.zip"
    good = list(islice(read_sentences(archive, "sentence_good"), 0, None, 67))
    assert len(good) == 1_000
    mean = sum(len(words_of(s)) for s in good) / 1_000
    ours = sum(len(words_of(stream[i])) for i in range(1_000)) / 1_000
    assert abs(mean - ours) < 3
