"""A generator of English sentences over a vocabulary: every sentence a lexicon can sign, none twice.

The 67 paradigms of BLiMP (Warstadt et al. 2020), of which POSESTITCH-SLT stitches 2.8 and 22
million sentences, are the model, the sentences are our own: agreement, tenses, adverbials,
negation, questions, determiners, quantifiers, numbers, existential there, relative and
embedded clauses, control, raising, passives, two objects, imperatives, reflexives, comparison,
coordination, reasons and conditions, ellipsis, polarity items.

A paradigm is a set of sentences of one build, counted by arithmetic and never listed
(``text.finite``). Paradigms take turns by weight, and within each the shapes of its noun phrases.
Sentence i is a pure function of (seed, i), the vocabulary and the list of word classes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from signloom.errors import UsageError, nearest
from signloom.text.classes import Classes, Verb, english
from signloom.text.finite import Finite, Listed, Mixed, Product, Shuffled, Union, key_of
from signloom.text.forms import UNSIGNED, entry_for
from signloom.text.inflect import article, gerund, participle, past, plural, third_person
from signloom.text.stream import Stream

VERSION = "templates-v1"
REFLEXIVES = {
    "i": "myself", "you": "yourself", "he": "himself", "she": "herself", "we": "ourselves",
    "they": "themselves",
}  # fmt: skip
SUBJECTS = {"i": "i", "you": "they", "he": "it", "she": "it", "we": "they", "they": "they"}
"""Pronoun → which forms agree with it: i (am), it (is, eats) or they (are, eat)."""
SINGULAR_QUANTIFIERS = ("every", "each")
PLURAL_QUANTIFIERS = ("many", "some", "all", "few", "several", "most")
AT_PLACES = frozenset(
    "school market station airport restaurant shop bank theater hotel stadium pharmacy office gym "
    "university farm store college bakery cinema harbor border".split()
)
GENDERED = frozenset(
    "man woman boy girl mother father brother sister son daughter uncle aunt grandmother grandfather "
    "husband wife nephew niece king queen prince princess policeman lady girlfriend boyfriend nun "
    "waiter actor priest baby child parent".split()
)
"""Not said of anyone as a profession: some do not fit every pronoun, some are none."""
ON_PLACES = frozenset("beach hill mountain island bridge road street".split())


@dataclass(frozen=True)
class Phrase:
    """A noun phrase as said, and which verb forms agree with it."""

    text: str
    agrees: str = "it"


@dataclass(frozen=True)
class Acts:
    """A verb in its forms."""

    base: str
    s: str
    past: str
    part: str
    ing: str

    def present(self, agrees: str) -> str:
        return self.s if agrees == "it" else self.base


def be(agrees: str, then: bool = False) -> str:
    if then:
        return "were" if agrees == "they" else "was"
    return {"i": "am", "it": "is", "they": "are"}[agrees]


def do(agrees: str) -> str:
    return "does" if agrees == "it" else "do"


def have(agrees: str) -> str:
    return "has" if agrees == "it" else "have"


def said(*parts: str, end: str = ".") -> str:
    """The parts as a sentence: spaces, a capital, the end mark."""
    text = " ".join(part for part in parts if part)
    return text[0].upper() + text[1:] + end


class _Words:
    """The words of a table that a vocabulary covers, in every form that leads back to them."""

    def __init__(self, classes: Classes, vocabulary: Collection[str], names: bool) -> None:
        self.vocabulary = vocabulary
        self.classes = classes
        self._known: dict[str, bool] = {}
        covered = self.has
        self.nouns, taken = self._once(classes.nouns, set())
        self.mass, _ = self._once(classes.mass, taken)
        self.verbs = [v for v in classes.verbs if covered(v.lemma) and " " not in v.lemma]
        self.states = [v for v in classes.states if covered(v.lemma) and " " not in v.lemma]
        self.gives = [v for v in classes.gives if covered(v.lemma) and " " not in v.lemma]
        self.goals = self._kinds(classes.goals)
        self.thinks = self._kinds(classes.thinks)
        self.wants = self._kinds(classes.wants)
        self.adjectives = {
            kind: [w for w in dict.fromkeys((*classes.adjectives.get(kind, ()), *classes.absolute.get(kind, ()))) if covered(w)]
            for kind in (*classes.adjectives, *classes.absolute)
        }  # fmt: skip
        self.graded = self._kinds(classes.adjectives)
        self.names = list(dict.fromkeys(n for ns in classes.names.values() for n in ns))
        self.names = [n for n in self.names if names or covered(n.lower())]

    def _once(
        self, of: dict[str, tuple[str, ...]], taken: set[str]
    ) -> tuple[dict[str, list[str]], set[str]]:
        """The nouns of each kind; one of several kinds is of the first, so that nothing is said twice."""
        found: dict[str, list[str]] = {}
        for kind, words in of.items():
            found[kind] = [w for w in words if w not in taken and self.has(w)]
            taken = taken | set(found[kind])
        return found, taken

    def _kinds(self, of: dict[str, tuple[str, ...]]) -> dict[str, list[str]]:
        return {kind: [w for w in words if self.has(w)] for kind, words in of.items()}

    def has(self, word: str) -> bool:
        """Whether a word can be signed, or needs no sign."""
        if word not in self._known:
            self._known[word] = all(
                part in UNSIGNED or entry_for(part, self.vocabulary) is not None
                for part in ([word] if word in self.vocabulary else word.lower().split())
            )
        return self._known[word]

    def leads_back(self, form: str, lemma: str) -> bool:
        """Whether the stitcher finds the entry of ``lemma`` for a form of it."""
        found = entry_for(form, self.vocabulary)
        return found is not None and found == entry_for(lemma, self.vocabulary)

    def simple(self, kind: str, among: Iterable[str] | None = None) -> list[str]:
        """The words of a class without kinds, those of ``among`` where given."""
        listed = self.classes.simple.get(kind, ())
        return [w for w in listed if self.has(w) and (among is None or w in among)]

    def acts(self, lemma: str) -> Acts | None:
        """The verb in its forms; None where one of them leads to another entry."""
        forms = Acts(lemma, third_person(lemma), past(lemma), participle(lemma), gerund(lemma))
        every = (forms.base, forms.s, forms.past, forms.part, forms.ing)
        return forms if all(self.leads_back(form, lemma) for form in every) else None


@dataclass(frozen=True)
class Paradigm:
    """A set of sentences of one build, under its name and phenomenon."""

    name: str
    phenomenon: str
    sentences: Finite
    weight: int = 10

    @property
    def count(self) -> int:
        return self.sentences.count


_FULL = {
    "pronoun": 5, "name": 2, "the": 6, "a": 3, "plural": 3, "mine": 3, "this": 2, "number": 2,
    "quantifier": 2, "adjective": 3,
}  # fmt: skip
"""The shapes of a subject, and how often each has its turn."""
_OBJECT = {k: w for k, w in _FULL.items() if k not in ("pronoun", "this", "quantifier")}
_SOME = {"pronoun": 5, "name": 2, "the": 5, "plural": 2, "mine": 3}
_THING = {"the": 4, "a": 3, "plural": 2, "mine": 2, "number": 1, "adjective": 2}
_SHORT = {"pronoun": 4, "name": 1, "the": 4}
_KNOWN = {"the": 3, "mine": 1}

Make = Callable[..., str]


class _Builder:
    """Builds the paradigms of a vocabulary; ``key`` draws the order within each."""

    def __init__(self, words: _Words, key: int) -> None:
        self.words, self.key = words, key
        self._phrases: dict[tuple[str, tuple[str, ...]], Finite] = {}
        self._acts: dict[str, Acts | None] = {}
        self._turn = 0
        self.modals = self.listed("can", "must", "should", "might", "may", "could")
        self.will, self.no = self.listed("will"), self.listed("not")

    def listed(self, *words: str) -> Finite:
        """Those of the words that can be signed."""
        return Listed([word for word in words if self.words.has(word)])

    # --- noun phrases ---

    def phrase(self, shape: str, kinds: tuple[str, ...]) -> Finite:
        """The noun phrases of one shape around nouns of some kinds; a noun is of one kind only."""
        found = self._phrases.get((shape, kinds))
        if found is None:
            if len(kinds) == 1:
                made = dict.fromkeys(Phrase(*pair) for pair in self._made(shape, kinds[0]))
                found = Listed(list(made))
            else:
                found = Union(self.phrase(shape, (kind,)) for kind in dict.fromkeys(kinds))
            self._phrases[shape, kinds] = found
        return found

    def _made(self, shape: str, kind: str) -> Iterator[tuple[str, str]]:
        """(text, what agrees) of the phrases of a shape around one kind of noun."""
        w = self.words
        nouns, mass = w.nouns.get(kind, []), w.mass.get(kind, [])
        many = [p for n in nouns if (p := plural(n)) != n and w.leads_back(p, n)]
        human = kind == "person"
        if shape == "pronoun":
            known = w.simple("pronoun") if human else ()
            yield from ((_cased(p), a) for p, a in SUBJECTS.items() if p in known)
        elif shape == "name":
            yield from ((name, "it") for name in w.names if human)
        elif shape == "bare":
            yield from ((n, "it") for n in nouns)
        elif shape == "bares":
            yield from ((p, "they") for p in many)
        elif shape == "the":
            yield from ((f"the {n}", "it") for n in (*nouns, *mass))
        elif shape == "a":
            yield from ((f"{article(n)} {n}", "it") for n in nouns)
            yield from ((n, "it") for n in mass)
        elif shape == "plural":
            yield from ((text, "they") for p in many for text in (f"the {p}", p))
        elif shape == "mine":
            for owner in w.simple("possessive", ("my", "your", "his", "her", "our", "their")):
                yield from ((f"{owner} {n}", "it") for n in (*nouns, *mass))
                yield from ((f"{owner} {p}", "they") for p in many)
        elif shape == "this":
            for this in filter(w.has, ("this", "that")):
                yield from ((f"{this} {n}", "it") for n in (*nouns, *mass))
            for these in filter(w.has, ("these", "those")):
                yield from ((f"{these} {p}", "they") for p in many)
        elif shape == "number":
            numbers = [n for n in w.simple("number") if n not in ("one", "hundred", "thousand")]
            yield from ((f"{n} {p}", "they") for n in numbers for p in many)
        elif shape == "quantifier":
            some = w.simple("quantifier", PLURAL_QUANTIFIERS)
            yield from ((f"{q} {p}", "they") for q in some for p in many)
            every = w.simple("quantifier", SINGULAR_QUANTIFIERS)
            yield from ((f"{q} {n}", "it") for q in every for n in nouns)
        elif shape == "no":
            yield from ((f"no {n}", "it") for n in nouns if w.has("no"))
        elif shape == "only":
            yield from ((f"only the {n}", "it") for n in nouns if w.has("only"))
        elif shape == "bound":
            numbers = [n for n in w.simple("number") if n not in ("one", "hundred", "thousand")]
            bounds = [b for b in ("at least", "at most", "more than", "fewer than") if w.has(b)]
            yield from ((f"{b} {n} {p}", "they") for b in bounds for n in numbers for p in many)
        elif shape == "and":
            if w.has("and"):
                yield from (
                    (f"the {a} and the {b}", "they") for a in nouns for b in nouns if a != b
                )
        elif shape == "of":
            owners = [
                n for n in ("friend", "sister", "brother", "mother", "father", "teacher", "boss")
            ]
            owners = [n for n in owners if n in nouns]
            if human:
                yield from ((f"the {o} of the {p}", "it") for o in owners for p in many)
        elif shape == "owned":
            owners = [n for n in w.nouns.get("person", []) if w.leads_back(f"{n}'s", n)]
            yield from ((f"the {o}'s {n}", "it") for o in owners for n in nouns)
        else:
            yield from self._described(shape, kind, set(many))

    def _described(self, shape: str, kind: str, many: set[str]) -> Iterator[tuple[str, str]]:
        """Phrases with an adjective that fits the kind of noun: adjective, this-adjective."""
        w = self.words
        nouns, mass = w.nouns.get(kind, []), w.mass.get(kind, [])
        plurals = {n: plural(n) for n in nouns if plural(n) in many}
        these = [t for t in ("these", "those") if w.has(t)]
        this = [t for t in ("this", "that") if w.has(t)]
        for adjective in w.adjectives.get(kind, ()):
            for noun in (*nouns, *mass):
                if noun == adjective:
                    continue
                one = f"{adjective} {noun}"
                some = f"{adjective} {plurals[noun]}" if noun in plurals else ""
                if shape == "this-adjective":
                    yield from ((f"{t} {one}", "it") for t in this)
                    yield from ((f"{t} {some}", "they") for t in these if some)
                    continue
                yield f"the {one}", "it"
                if noun in nouns:
                    yield f"{article(adjective)} {one}", "it"
                if some:
                    yield f"the {some}", "they"

    def shapes(self, of: Callable[..., Finite], *wanted: dict[str, int]) -> Finite:
        """``of`` over every combination of shapes, taking turns by the product of their weights."""
        combinations: list[tuple[tuple[str, ...], int]] = [((), 1)]
        for shapes in wanted:
            combinations = [
                ((*chosen, shape), weight * more)
                for chosen, weight in combinations
                for shape, more in shapes.items()
            ]
        self._turn += 1
        parts, weights = [], []
        for number, (chosen, weight) in enumerate(combinations):
            part = of(*chosen)
            if part.count:
                parts.append(Shuffled(part, key_of(self.key, self._turn, number)))
                weights.append(weight)
        return Mixed(parts, weights, key_of(self.key, self._turn))

    # --- clauses ---

    def acts(self, lemmas: Iterable[str]) -> list[Acts]:
        """The verbs in their forms, those of which every form leads back."""
        for lemma in lemmas:
            if lemma not in self._acts:
                self._acts[lemma] = self.words.acts(lemma)
        return [found for lemma in lemmas if (found := self._acts[lemma]) is not None]

    def frames(self, verbs: Iterable[Verb]) -> list[tuple[list[Acts], str, tuple[str, ...]]]:
        """(verbs, who, to what): verbs that are used alike; a verb with several lines has all its objects."""
        merged: dict[tuple[str, str], dict[str, None]] = {}
        for verb in verbs:
            merged.setdefault((verb.lemma, verb.subject), {}).update(dict.fromkeys(verb.objects))
        alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for (lemma, subject), objects in merged.items():
            alike.setdefault((subject, tuple(objects)), []).append(lemma)
        found = [(self.acts(lemmas), *frame) for frame, lemmas in alike.items()]
        return [frame for frame in found if frame[0]]

    def transitive(
        self, make: Make, *more: Finite, active: bool = False, then: bool = False,
        subjects: dict[str, int] = _SOME, objects: dict[str, int] = _THING,
    ) -> Finite:  # fmt: skip
        """make(subject, verb, object, *more): who does what to what.

        active: verbs with a progressive only. then: verbs only whose past is not their present.
        """
        verbs = [v for v in self.words.verbs if v.objects]
        if not active:
            stated = [v for v in self.words.states if v.objects]
            verbs += stated
        frames = self.frames(verbs)

        def of(subject: str, object_: str) -> Finite:
            return Union(
                Product(
                    make,
                    self.phrase(subject, (who,)),
                    Listed([a for a in acts if not then or a.past != a.base]),
                    self.phrase(object_, whom),
                    *more,
                )
                for acts, who, whom in frames
            )

        return self.shapes(of, subjects, objects)

    def intransitive(
        self, make: Make, *more: Finite, subjects: dict[str, int] = _SOME, then: bool = False
    ) -> Finite:
        """make(subject, verb, *more): who does something."""
        frames = self.frames(v for v in self.words.verbs if not v.objects)

        def of(subject: str) -> Finite:
            return Union(
                Product(
                    make,
                    self.phrase(subject, (who,)),
                    Listed([a for a in acts if not then or a.past != a.base]),
                    *more,
                )
                for acts, who, _ in frames
            )

        return self.shapes(of, subjects)

    def going(self, make: Make, *more: Finite) -> Finite:
        """make(subject, verb, place, *more): who goes where."""

        def of(subject: str, place: str) -> Finite:
            return Union(
                Product(make, self.phrase(subject, (kind,)), Listed(self.acts(lemmas)), self.phrase(place, ("place",)), *more)
                for kind, lemmas in self.words.goals.items()
            )  # fmt: skip

        return self.shapes(of, _SOME, {"the": 4, "a": 1, "mine": 1, "this": 1, "adjective": 2})

    def giving(self, make: Make) -> Finite:
        """make(subject, verb, object, receiver)."""
        frames = self.frames(self.words.gives)

        def of(subject: str, object_: str, receiver: str) -> Finite:
            return Union(
                Product(
                    make,
                    self.phrase(subject, (who,)),
                    Listed(acts),
                    self.phrase(object_, whom),
                    self.phrase(receiver, ("person",)),
                )
                for acts, who, whom in frames
            )

        return self.shapes(of, _SHORT, _THING, {"name": 1, "the": 2, "mine": 1})

    def being(
        self,
        make: Make,
        *more: Finite,
        graded: bool = False,
        subjects: dict[str, int] | None = None,
    ) -> Finite:
        """make(subject, adjective, *more): what is how."""
        table = self.words.graded if graded else self.words.adjectives

        def of(subject: str) -> Finite:
            return Union(
                Product(make, self.phrase(subject, (kind,)), Listed(adjectives), *more)
                for kind, adjectives in table.items()
            )

        return self.shapes(of, subjects or {"pronoun": 3, "name": 1, "the": 4, "plural": 2, "mine": 2, "this": 1})  # fmt: skip

    def doing(self, lemmas: dict[str, list[str]], make: Make, *more: Finite) -> Finite:
        """make(subject, verb, *more) for verbs that take a clause or another verb."""

        def of(subject: str) -> Finite:
            return Union(
                Product(make, self.phrase(subject, (kind,)), Listed(self.acts(words)), *more)
                for kind, words in lemmas.items()
            )

        return self.shapes(of, _SHORT)

    def predicates(self) -> Finite:
        """Verb and object of a person, as (verb, object): what is wanted, done by who …"""
        return Union(
            Product(lambda v, o: (v, o.text), Listed(acts), self.phrase(shape, whom))
            for acts, who, whom in self.frames(v for v in self.words.verbs if v.objects)
            for shape in ("the", "a")
            if who == "person"
        )

    def clauses(self) -> Finite:
        """Short clauses as text, without capital and end: to be put into a longer sentence."""
        return self.transitive(
            lambda s, v, o: f"{s.text} {v.present(s.agrees)} {o.text}",
            subjects=_SHORT,
            objects={"the": 2, "a": 1},
        )

    def adverbials(self, *which: str) -> Finite:
        """Expressions of time (past, present, future, days, parts), or the words of a simple class."""
        w = self.words
        spans = [s for s in ("week", "month", "year", "night", "summer", "winter") if w.has(s)]
        found: list[str] = []
        for kind in which:
            if kind == "past":
                found += w.simple("past", ("yesterday", "recently"))
                found += [f"last {s}" for s in spans if w.has("last")]
            elif kind == "future":
                found += w.simple("future", ("tomorrow", "soon"))
                found += [f"next {s}" for s in spans if w.has("next") and s != "night"]
            elif kind == "present":
                found += w.simple("present", ("today", "now"))
            elif kind == "days":
                days = "monday tuesday wednesday thursday friday saturday sunday".split()
                found += [f"on {d.capitalize()}" for d in days if w.has("on") and w.has(d)]
            elif kind == "parts":
                parts = ("morning", "evening", "afternoon")
                found += [f"in the {p}" for p in parts if w.has("in") and w.has(p)]
            else:
                found += w.simple(kind)
        return Listed(list(dict.fromkeys(found)))

    def places(self) -> Finite:
        """In the house, at the market, on the beach."""
        found = []
        for noun in self.words.nouns.get("place", []):
            where = "at" if noun in AT_PLACES else "on" if noun in ON_PLACES else "in"
            if self.words.has(where):
                found.append(f"{where} the {noun}")
        return Listed(found)

    # --- paradigms ---

    def paradigms(self) -> Iterator[tuple[str, str, Finite, int]]:
        """(name, phenomenon, sentences, weight) of every paradigm, also of those without a sentence."""
        yield from self._tenses()
        yield from self._adverbials()
        yield from self._negations()
        yield from self._questions()
        yield from self._quantifiers()
        yield from self._relatives()
        yield from self._verbs_with_verbs()
        yield from self._arguments()
        yield from self._predicatives()
        yield from self._joined()

    def _tenses(self) -> Iterator[tuple[str, str, Finite, int]]:
        full: dict[str, Any] = {"subjects": _FULL, "objects": _OBJECT}
        yield "present_transitive", "agreement", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), **full), 30  # fmt: skip
        yield "present_intransitive", "agreement", self.intransitive(
            lambda s, v: said(s.text, v.present(s.agrees)), subjects=_FULL), 8  # fmt: skip
        yield "past_transitive", "tense", self.transitive(
            lambda s, v, o: said(s.text, v.past, o.text), then=True, **full), 30  # fmt: skip
        yield "past_intransitive", "tense", self.intransitive(
            lambda s, v: said(s.text, v.past), then=True, subjects=_FULL), 8  # fmt: skip
        yield "progressive", "agreement", self.transitive(
            lambda s, v, o: said(s.text, be(s.agrees), v.ing, o.text), active=True), 15  # fmt: skip
        yield "past_progressive", "tense", self.transitive(
            lambda s, v, o: said(s.text, be(s.agrees, True), v.ing, o.text), active=True), 8  # fmt: skip
        have_ = self.listed("have")
        yield "perfect", "irregular_forms", self.transitive(
            lambda s, v, o, _: said(s.text, have(s.agrees), v.part, o.text), have_, active=True), 10  # fmt: skip
        yield "future", "tense", self.transitive(
            lambda s, v, o, m: said(s.text, m, v.base, o.text), self.will), 12  # fmt: skip
        yield "future_intransitive", "tense", self.intransitive(
            lambda s, v, m: said(s.text, m, v.base), self.will), 5  # fmt: skip
        yield "modal", "modality", self.transitive(
            lambda s, v, o, m: said(s.text, m, v.base, o.text), self.modals), 15  # fmt: skip
        yield "modal_intransitive", "modality", self.intransitive(
            lambda s, v, m: said(s.text, m, v.base), self.modals), 6  # fmt: skip
        yield "relational_noun", "agreement", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), subjects={"of": 1}), 5  # fmt: skip
        yield "coordinated_subject", "agreement", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), subjects={"and": 1}), 5  # fmt: skip
        yield "determiner_adjective", "determiner_agreement", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), objects={"this-adjective": 1}), 8  # fmt: skip
        yield "determiner", "determiner_agreement", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), objects={"this": 1}), 8  # fmt: skip

    def _adverbials(self) -> Iterator[tuple[str, str, Finite, int]]:
        past, future = self.adverbials("past"), self.adverbials("future")
        yield "past_time_first", "adverbials", self.transitive(
            lambda s, v, o, t: said(f"{t},", s.text, v.past, o.text), past), 10  # fmt: skip
        yield "past_time_last", "adverbials", self.transitive(
            lambda s, v, o, t: said(s.text, v.past, o.text, t), past), 10  # fmt: skip
        yield "future_time", "adverbials", self.transitive(
            lambda s, v, o, t, m: said(s.text, m, v.base, o.text, t), future, self.will), 10  # fmt: skip
        yield "present_time", "adverbials", self.transitive(
            lambda s, v, o, t: said(s.text, be(s.agrees), v.ing, o.text, t), self.adverbials("present"), active=True), 8  # fmt: skip
        yield "habit", "adverbials", self.transitive(
            lambda s, v, o, t: said(s.text, v.present(s.agrees), o.text, t), self.adverbials("days", "parts"), active=True), 8  # fmt: skip
        yield "frequency", "adverbials", self.transitive(
            lambda s, v, o, f: said(s.text, f, v.present(s.agrees), o.text), self.adverbials("frequency")), 10  # fmt: skip
        manner = self.adverbials("adverb")
        yield "manner", "adverbials", self.intransitive(
            lambda s, v, a: said(s.text, v.present(s.agrees), a), manner), 6  # fmt: skip
        yield "manner_past", "adverbials", self.transitive(
            lambda s, v, o, a: said(s.text, v.past, o.text, a), manner, active=True, then=True), 8  # fmt: skip
        yield "place", "adverbials", self.intransitive(
            lambda s, v, p: said(s.text, be(s.agrees), v.ing, p), self.places()), 8  # fmt: skip
        yield "place_past", "adverbials", self.transitive(
            lambda s, v, o, p: said(s.text, v.past, o.text, p), self.places(), active=True, then=True), 8  # fmt: skip
        yield "here", "adverbials", self.intransitive(
            lambda s, v, p: said(s.text, v.present(s.agrees), p), self.adverbials("here")), 4  # fmt: skip
        yield "goal", "motion", self.going(
            lambda s, v, p: said(s.text, v.present(s.agrees), "to", p.text)), 8  # fmt: skip
        yield "goal_past", "motion", self.going(
            lambda s, v, p, t: said(f"{t},", s.text, v.past, "to", p.text), past), 8  # fmt: skip
        yield "goal_future", "motion", self.going(
            lambda s, v, p, m: said(s.text, m, v.base, "to", p.text), self.will), 6  # fmt: skip

    def _negations(self) -> Iterator[tuple[str, str, Finite, int]]:
        no = self.no
        yield "negation_present", "negation", self.transitive(
            lambda s, v, o, _: said(s.text, f"{do(s.agrees)}n't", v.base, o.text), no), 12  # fmt: skip
        yield "negation_past", "negation", self.transitive(
            lambda s, v, o, _: said(s.text, "didn't", v.base, o.text), no), 10  # fmt: skip
        yield "negation_progressive", "negation", self.transitive(
            lambda s, v, o, n: said(s.text, be(s.agrees), n, v.ing, o.text), no, active=True), 6  # fmt: skip
        yield "negation_modal", "negation", self.transitive(
            lambda s, v, o, m, n: said(s.text, m, n, v.base, o.text), self.listed("must", "should", "will"), no), 6  # fmt: skip
        yield "negation_intransitive", "negation", self.intransitive(
            lambda s, v, _: said(s.text, f"{do(s.agrees)}n't", v.base), no), 5  # fmt: skip
        yield "negation_adjective", "negation", self.being(
            lambda s, a, n: said(s.text, be(s.agrees), n, a), no), 6  # fmt: skip
        yield "no_subject", "npi_licensing", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), subjects={"no": 1}), 4  # fmt: skip
        yield "not_ever", "npi_licensing", self.transitive(
            lambda s, v, o, n, e, _: said(s.text, have(s.agrees), n, e, v.part, o.text),
            no, self.listed("ever"), self.listed("have"), active=True), 3  # fmt: skip
        yield "only_ever", "npi_licensing", self.transitive(
            lambda s, v, o, e: said(s.text, e, v.present(s.agrees), o.text), self.listed("ever"), subjects={"only": 1}), 3  # fmt: skip

    def _questions(self) -> Iterator[tuple[str, str, Finite, int]]:
        ask: dict[str, Any] = {
            "subjects": _SOME,
            "objects": {"the": 3, "a": 2, "plural": 1, "mine": 1, "this": 1},
        }
        yield "polar_present", "questions", self.transitive(
            lambda s, v, o: said(do(s.agrees), s.text, v.base, o.text, end="?"), **ask), 10  # fmt: skip
        yield "polar_past", "questions", self.transitive(
            lambda s, v, o: said("did", s.text, v.base, o.text, end="?"), **ask), 8  # fmt: skip
        yield "polar_modal", "questions", self.transitive(
            lambda s, v, o, m: said(m, s.text, v.base, o.text, end="?"), self.modals, **ask), 6  # fmt: skip
        yield "polar_progressive", "questions", self.transitive(
            lambda s, v, o: said(be(s.agrees), s.text, v.ing, o.text, end="?"), active=True, **ask), 6  # fmt: skip
        yield "polar_adjective", "questions", self.being(
            lambda s, a: said(be(s.agrees), s.text, a, end="?")), 6  # fmt: skip
        yield "question_ever", "npi_licensing", self.transitive(
            lambda s, v, o, e, _: said(have(s.agrees), s.text, e, v.part, o.text, end="?"),
            self.listed("ever"), self.listed("have"), active=True, **ask), 4  # fmt: skip
        frames = self.frames(v for v in (*self.words.verbs, *self.words.states) if v.objects)
        human = [f for f in frames if f[1] == "person"]
        yield "wh_subject", "questions", self.shapes(lambda shape: Union(
            Product(lambda q, v, o: said(q, v.s, o.text, end="?"), self.listed("who"), Listed(acts), self.phrase(shape, whom))
            for acts, _, whom in human), _THING), 6  # fmt: skip
        yield "wh_object", "questions", self.shapes(lambda shape: Union(
            Product(lambda q, s, v: said(q, do(s.agrees), s.text, v.base, end="?"),
                    self.listed("what"), self.phrase(shape, (who,)), Listed(acts))
            for acts, who, whom in frames if set(whom) - {"person", "animal"}), _SOME), 6  # fmt: skip
        yield "wh_person", "questions", self.shapes(lambda shape: Union(
            Product(lambda q, s, v: said(q, do(s.agrees), s.text, v.base, end="?"),
                    self.listed("who"), self.phrase(shape, (who,)), Listed(acts))
            for acts, who, whom in frames if "person" in whom), _SOME), 5  # fmt: skip
        yield "wh_adverb", "questions", self.transitive(
            lambda s, v, o, q: said(q, do(s.agrees), s.text, v.base, o.text, end="?"),
            self.listed("where", "when", "why", "how"), active=True, **ask), 8  # fmt: skip
        yield "wh_adverb_past", "questions", self.transitive(
            lambda s, v, o, q: said(q, "did", s.text, v.base, o.text, end="?"),
            self.listed("where", "when", "why", "how"), active=True, **ask), 6  # fmt: skip
        for name, words, shape in (
            ("left_branch_which", ("which", "whose"), "bare"),
            ("how_many", ("how many",), "bares"),
        ):
            yield name, "questions", self._asked(frames, words, shape), 5
        yield "where_is", "questions", self.shapes(lambda shape: Union(
            Product(lambda q, s: said(q, be(s.agrees), s.text, end="?"), self.listed("where"), self.phrase(shape, (kind,)))
            for kind in self.words.nouns), {"the": 2, "plural": 1, "mine": 2, "name": 1}), 4  # fmt: skip

    def _asked(self, frames: Any, words: tuple[str, ...], shape: str) -> Finite:
        """Which book, whose book, how many books does someone read?"""
        return self.shapes(lambda subject: Union(
            Product(lambda q, o, s, v: said(q, o.text, do(s.agrees), s.text, v.base, end="?"),
                    self.listed(*words), self.phrase(shape, whom), self.phrase(subject, (who,)), Listed(acts))
            for acts, who, whom in frames), _SHORT)  # fmt: skip

    def _quantifiers(self) -> Iterator[tuple[str, str, Finite, int]]:
        yield "quantified_object", "quantifiers", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), objects={"quantifier": 1}), 6  # fmt: skip
        yield "superlative_quantifiers", "quantifiers", self.transitive(
            lambda s, v, o: said(s.text, v.present(s.agrees), o.text), objects={"bound": 1}), 6  # fmt: skip
        kinds = [k for k in self.words.nouns if k not in ("place", "idea", "event")]

        def there(make: Make, shape: str, *more: Finite) -> Finite:
            return self.shapes(lambda chosen: Union(
                Product(make, self.listed("there"), self.phrase(chosen, (kind,)), self.places(), *more)
                for kind in kinds), {shape: 1})  # fmt: skip

        yield "there_is", "existential", there(
            lambda t, s, p: said(t, be(s.agrees), s.text, p), "a"), 6  # fmt: skip
        yield "there_are", "existential", there(
            lambda t, s, p: said(t, be(s.agrees), s.text, p), "number"), 5  # fmt: skip
        yield "there_is_no", "existential", there(
            lambda t, s, p: said(t, be(s.agrees), s.text, p), "no"), 4  # fmt: skip
        yield "is_there", "existential", there(
            lambda t, s, p: said(be(s.agrees), t, s.text, p, end="?"), "a"), 4  # fmt: skip

    def _relatives(self) -> Iterator[tuple[str, str, Finite, int]]:
        who, that = self.listed("who"), self.listed("that")
        acting = self.predicates()
        people = self.phrase("the", ("person",))
        yield "relative_subject", "relatives", self._once_shuffled("relative_subject", Product(
            lambda n, w, vo, a: said(n.text, w, vo[0].s, vo[1], "is", a),
            people, who, acting, Listed(self.words.adjectives.get("person", [])))), 8  # fmt: skip
        yield "relative_subject_past", "relatives", self._once_shuffled("relative_past", Product(
            lambda n, w, vo, a: said(n.text, w, vo[0].past, vo[1], "was", a),
            people, who, acting, Listed(self.words.adjectives.get("person", [])))), 4  # fmt: skip
        meeting = [
            (acts, who_) for acts, who_, whom in self.frames(self.words.verbs) if "person" in whom
        ]
        yield "relative_object", "relatives", self.shapes(lambda shape: Union(
            Product(lambda s, v, n, w, vo: said(s.text, v.present(s.agrees), n.text, w, vo[0].s, vo[1]),
                    self.phrase(shape, (kind,)), Listed(acts), people, who, acting)
            for acts, kind in meeting), _SHORT), 6  # fmt: skip
        yield "relative_gap", "relatives", self.shapes(lambda shape: Union(
            Product(lambda n, t, s, v, a: said(n.text, t, s.text, v.present(s.agrees), "is", a),
                    self.phrase("the", (kind,)), that, self.phrase(shape, (subject,)), Listed(acts),
                    Listed(self.words.adjectives.get(kind, [])))
            for acts, subject, whom in self.frames(v for v in self.words.verbs if v.objects)
            for kind in whom), _SHORT), 8  # fmt: skip
        clauses, thinks = self.clauses(), self.words.thinks
        yield "that_clause", "embedding", self.doing(
            thinks, lambda s, v, t, c: said(s.text, v.present(s.agrees), t, c), that, clauses), 8  # fmt: skip
        yield "bare_clause", "embedding", self.doing(
            {k: [w for w in ws if w in ("think", "believe", "say", "know", "hope")] for k, ws in thinks.items()},
            lambda s, v, c: said(s.text, v.present(s.agrees), c), clauses), 5  # fmt: skip
        yield "that_clause_past", "embedding", self.doing(
            thinks, lambda s, v, t, c: said(s.text, v.past, t, c), that, clauses), 5  # fmt: skip
        knowing = {
            k: [w for w in ws if w in ("know", "explain", "say")] for k, ws in thinks.items()
        }
        yield "embedded_wh", "filler_gap", self.doing(
            knowing, lambda s, v, q, c: said(s.text, v.present(s.agrees), q, c),
            self.listed("where", "when", "why", "how"), clauses), 6  # fmt: skip
        asked = self.intransitive(lambda s, v: f"{s.text} {v.present(s.agrees)}", subjects=_SHORT)
        yield "embedded_wh_short", "filler_gap", self.doing(
            knowing, lambda s, v, q, c: said(s.text, v.present(s.agrees), q, c),
            self.listed("where", "when", "why", "how"), asked), 4  # fmt: skip

    def _once_shuffled(self, name: str, of: Finite) -> Finite:
        return Shuffled(of, key_of(self.key, name))

    def _verbs_with_verbs(self) -> Iterator[tuple[str, str, Finite, int]]:
        acting, wants = self.predicates(), self.words.wants
        yield "control", "control_raising", self.doing(
            wants, lambda s, v, vo: said(s.text, v.present(s.agrees), "to", vo[0].base, vo[1]), acting), 10  # fmt: skip
        yield "control_past", "control_raising", self.doing(
            wants, lambda s, v, vo: said(s.text, v.past, "to", vo[0].base, vo[1]), acting), 8  # fmt: skip
        yield "control_negated", "control_raising", self.doing(
            wants, lambda s, v, vo, _: said(s.text, f"{do(s.agrees)}n't", v.base, "to", vo[0].base, vo[1]),
            acting, self.no), 6  # fmt: skip
        yield "control_question", "control_raising", self.doing(
            wants, lambda s, v, vo: said(do(s.agrees), s.text, v.base, "to", vo[0].base, vo[1], end="?"), acting), 5  # fmt: skip
        objects = self.frames(v for v in self.words.verbs if v.objects and v.subject == "person")
        yield "tough", "control_raising", self.shapes(lambda shape: Union(
            Product(lambda s, a, v: said(s.text, be(s.agrees), a, "to", v.base),
                    self.phrase(shape, whom), self.listed("easy", "difficult", "hard", "dangerous"), Listed(acts))
            for acts, _, whom in objects), {"the": 2, "plural": 1, "this": 1, "mine": 1}), 5  # fmt: skip
        yield "raising", "control_raising", self.being(
            lambda s, a, v: said(s.text, third_person(v) if s.agrees == "it" else v, "to be", a),
            self.listed("seem", "appear")), 4  # fmt: skip

    def _arguments(self) -> Iterator[tuple[str, str, Finite, int]]:
        objects = {"the": 3, "plural": 2, "mine": 1, "this": 1}
        yield "passive_agent", "argument_structure", self.transitive(
            lambda s, v, o: said(o.text, be(o.agrees, True), v.part, "by", s.text),
            active=True, subjects={"name": 1, "the": 3, "mine": 1}, objects=objects), 8  # fmt: skip
        active = self.frames(v for v in self.words.verbs if v.objects)
        yield "passive", "argument_structure", self.shapes(lambda shape: Union(
            Product(lambda o, v: said(o.text, be(o.agrees, True), v.part), self.phrase(shape, whom), Listed(acts))
            for acts, whom in _merged(active)), {**objects, "adjective": 1}), 5  # fmt: skip
        yield "giving_to", "argument_structure", self.giving(
            lambda s, v, o, r: said(s.text, v.past, o.text, "to", r.text)), 8  # fmt: skip
        yield "giving", "argument_structure", self.giving(
            lambda s, v, o, r: said(s.text, v.present(s.agrees), r.text, o.text)
            if v.base not in ("offer", "lend") else said(s.text, v.present(s.agrees), o.text, "to", r.text)), 6  # fmt: skip
        people = self.frames(v for v in self.words.verbs if v.objects and v.subject == "person")
        command = _THING
        yield "imperative", "imperatives", self.shapes(lambda shape: Union(
            Product(lambda v, o: said(v.base, o.text), Listed(acts), self.phrase(shape, whom))
            for acts, _, whom in people), command), 6  # fmt: skip
        yield "imperative_please", "imperatives", self.shapes(lambda shape: Union(
            Product(lambda p, v, o: said(p, v.base, o.text), self.listed("please"), Listed(acts), self.phrase(shape, whom))
            for acts, _, whom in people), command), 4  # fmt: skip
        yield "imperative_negated", "imperatives", self.shapes(lambda shape: Union(
            Product(lambda _, v, o: said("don't", v.base, o.text), self.no, Listed(acts), self.phrase(shape, whom))
            for acts, _, whom in people), command), 5  # fmt: skip
        known = self.words.simple("pronoun", REFLEXIVES)
        selves = Listed([
            (Phrase(_cased(p), SUBJECTS[p]), REFLEXIVES[p])
            for p in known if self.words.has(REFLEXIVES[p])
        ])  # fmt: skip
        hurting = [a for acts, _, whom in people for a in acts if "person" in whom]
        yield "reflexive", "binding", self._once_shuffled("reflexive", Product(
            lambda s, v: said(s[0].text, v.present(s[0].agrees), s[1]), selves, Listed(hurting))), 3  # fmt: skip
        yield "reflexive_modal", "binding", self._once_shuffled("reflexive_modal", Product(
            lambda s, m, v: said(s[0].text, m, v.base, s[1]), selves, self.modals, Listed(hurting))), 3  # fmt: skip

    def _predicatives(self) -> Iterator[tuple[str, str, Finite, int]]:
        yield "adjective", "predicates", self.being(
            lambda s, a: said(s.text, be(s.agrees), a)), 12  # fmt: skip
        yield "adjective_past", "predicates", self.being(
            lambda s, a: said(s.text, be(s.agrees, True), a)), 6  # fmt: skip
        yield "adjective_very", "predicates", self.being(
            lambda s, a, v: said(s.text, be(s.agrees), v, a), self.listed("very", "too"), graded=True), 6  # fmt: skip
        yield "possessor", "predicates", self.being(
            lambda s, a: said(s.text, be(s.agrees), a), subjects={"owned": 1}), 6  # fmt: skip
        long = {k: [a for a in ws if _takes_more(a)] for k, ws in self.words.graded.items()}
        yield "comparison", "comparison", self._compared(
            lambda s, a, o, m, t: said(s.text, be(s.agrees), m, a, t, o.text), long, "more", "than"), 5  # fmt: skip
        yield "equality", "comparison", self._compared(
            lambda s, a, o, m, t: said(s.text, be(s.agrees), m, a, t, o.text), self.words.graded, "as", "as"), 4  # fmt: skip
        yield "superior", "comparison", self.transitive(
            lambda s, v, o, m, t, w: said(s.text, v.present(s.agrees), m, o.text, t, w, "do"),
            self.listed("more"), self.listed("than"), self.listed("we"), objects={"bares": 1}), 3  # fmt: skip
        jobs = Listed([p for p in self._all("a") if p.text.split()[-1] not in GENDERED])
        yield "profession", "predicates", self._once_shuffled("profession", Product(
            lambda s, n: said(s.text, be(s.agrees), n.text),
            Union([Listed([p for p in self._all("pronoun") if p.text in ("he", "she", "I")]), self.phrase("name", ("person",))]), jobs)), 5  # fmt: skip
        yield "location", "predicates", self.shapes(lambda shape: Union(
            Product(lambda s, p: said(s.text, be(s.agrees), p), self.phrase(shape, (kind,)), self.places())
            for kind in self.words.nouns if kind not in ("place", "idea", "event")), _SOME), 8  # fmt: skip

    def _all(self, shape: str) -> list[Phrase]:
        of = self.phrase(shape, ("person",))
        return [of.at(k) for k in range(of.count)]

    def _compared(
        self, make: Make, adjectives: dict[str, list[str]], more: str, than: str
    ) -> Finite:
        return self.shapes(lambda one, other: Union(
            Product(make, self.phrase(one, (kind,)), Listed(words), self.phrase(other, (kind,)),
                    self.listed(more), self.listed(than))
            for kind, words in adjectives.items()), _KNOWN, _KNOWN)  # fmt: skip

    def _joined(self) -> Iterator[tuple[str, str, Finite, int]]:
        one, other = self.clauses(), self.clauses()
        yield "coordination", "coordination", self._once_shuffled("coordination", Product(
            lambda a, link, b: said(f"{a},", link, b), one, self.listed("and", "but", "or"), other)), 8  # fmt: skip
        feeling = self.being(lambda s, a: f"{s.text} {be(s.agrees)} {a}", subjects=_SHORT)
        yield "reason", "subordination", self._once_shuffled("reason", Product(
            lambda a, link, b: said(a, link, b), one, self.listed("because"), feeling)), 6  # fmt: skip
        yield "condition", "subordination", self._once_shuffled("condition", Product(
            lambda link, a, b: said(link, f"{a},", b), self.listed("if", "when"), feeling, other)), 6  # fmt: skip
        yield "condition_last", "subordination", self._once_shuffled("condition_last", Product(
            lambda b, link, a: said(b, link, a), other, self.listed("if", "when", "while"), feeling)), 4  # fmt: skip
        yield "ellipsis", "ellipsis", self._ellipsis(), 4

    def _ellipsis(self) -> Finite:
        """My sister has two books and my brother has three."""
        numbers = [
            n for n in self.words.simple("number") if n not in ("one", "hundred", "thousand")
        ]
        pairs = Listed([(a, b) for a in numbers for b in numbers if a != b])
        things = tuple(
            k
            for k in ("thing", "clothing", "reading", "vehicle", "animal")
            if k in self.words.nouns
        )
        needs = Product(lambda h, a: (h, a), self.listed("have"), self.listed("and"))
        return self.shapes(lambda one, other: Product(
            lambda s, t, n, p, _: said(s.text, have(s.agrees), n[0], p.text, "and", t.text, have(t.agrees), n[1]),
            self.phrase(one, ("person",)), self.phrase(other, ("person",)), pairs,
            self.phrase("bares", things), needs), _SHORT, _SHORT)  # fmt: skip


def _merged(
    frames: Iterable[tuple[list[Acts], str, tuple[str, ...]]],
) -> list[tuple[list[Acts], tuple[str, ...]]]:
    """(verbs, to what) whoever does it; a verb of several subjects has all its objects, once."""
    objects: dict[Acts, dict[str, None]] = {}
    for acts, _, whom in frames:
        for verb in acts:
            objects.setdefault(verb, {}).update(dict.fromkeys(whom))
    alike: dict[tuple[str, ...], list[Acts]] = {}
    for verb, kinds in objects.items():
        alike.setdefault(tuple(kinds), []).append(verb)
    return [(verbs, kinds) for kinds, verbs in alike.items()]


def _cased(pronoun: str) -> str:
    return "I" if pronoun == "i" else pronoun


def _takes_more(adjective: str) -> bool:
    """Whether an adjective is compared with "more": by its ending and length."""
    ends = adjective.endswith(("ful", "ous", "ing", "ed", "ive", "al", "ant", "ent", "ic", "less"))
    return ends or len(adjective) > 7


@dataclass(frozen=True)
class Grammar:
    """The paradigms of a vocabulary, and their sentences in turn. ``distinct`` counts them."""

    paradigms: tuple[Paradigm, ...]
    mixed: Mixed

    @property
    def distinct(self) -> int:
        return self.mixed.count


def grammar_of(
    vocabulary: Collection[str],
    seed: int = 0,
    classes: Classes | None = None,
    names: bool = False,
    paradigms: Sequence[str] = (),
) -> Grammar:
    """The grammar over the words that ``vocabulary`` and the word classes share.

    names: first names too, where the lexicon can spell them. paradigms: only these.

    Raises UsageError where the vocabulary is empty, has no sentence, or a paradigm is unknown.
    """
    classes = classes or english()
    if not vocabulary:
        raise UsageError("the vocabulary is empty: there is no word to make sentences of")
    words = vocabulary if isinstance(vocabulary, set | frozenset | dict) else frozenset(vocabulary)
    builder = _Builder(_Words(classes, words, names), key_of(VERSION, seed))
    found = [Paradigm(*of) for of in builder.paradigms()]
    known = [p.name for p in found]
    for name in paradigms:
        if name not in known:
            raise UsageError(
                f"there is no paradigm '{name}'{nearest(name, known)}; the {len(known)} paradigms "
                f"are {', '.join(known)}"
            )
    chosen = tuple(p for p in found if p.count and (not paradigms or p.name in paradigms))
    if not chosen:
        which = f"the paradigms {', '.join(paradigms)}" if paradigms else "any paradigm"
        raise UsageError(
            f"the vocabulary of {len(words)} words and the word classes '{classes.name}' share too "
            f"few words for {which}; give a table of word classes for this vocabulary"
        )
    key = key_of(VERSION, seed, "paradigms")
    return Grammar(chosen, Mixed([p.sentences for p in chosen], [p.weight for p in chosen], key))


class GeneratedSentences(Stream):
    """Sentences of a vocabulary as a stream: sentence i is a pure function of (seed, i), none twice.

    vocabulary: the lexicon's words. count: how many; None for all there are.
    seed, classes, names, paradigms: as in ``grammar_of``.

    Nothing is listed: any index takes microseconds and no memory. ``distinct`` says how many
    sentences there are in all. The first sentences hold every paradigm by its weight; small
    paradigms are used up in time, so a stream of billions gets longer-winded.

    Raises UsageError as ``grammar_of``, and where more are wanted than there are.
    """

    def __init__(
        self,
        vocabulary: Collection[str],
        count: int | None = None,
        seed: int = 0,
        classes: Classes | None = None,
        names: bool = False,
        paradigms: Sequence[str] = (),
    ) -> None:
        self.vocabulary = tuple(vocabulary)
        self.seed, self.classes, self.names = seed, classes, names
        self.chosen = tuple(paradigms)
        most = min(self.distinct, sys.maxsize)
        if count is not None and count > self.distinct:
            raise UsageError(
                f"{count:,} sentences are wanted, and this vocabulary of {len(self.vocabulary)} "
                f"words has {self.distinct:,}; ask for fewer, or give a larger lexicon"
            )
        self.total = most if count is None else count

    @cached_property
    def grammar(self) -> Grammar:
        """The paradigms; built when first asked for, in every process anew."""
        return grammar_of(
            frozenset(self.vocabulary), self.seed, self.classes, self.names, self.chosen
        )

    @property
    def distinct(self) -> int:
        """How many different sentences this vocabulary, these classes and paradigms have."""
        return self.grammar.distinct

    def __len__(self) -> int:
        return self.total

    def get(self, index: int) -> str:
        sentence: str = self.grammar.mixed.at(index)
        return sentence

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "grammar"}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GeneratedSentences) and self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash((self.vocabulary, self.total, self.seed, self.names, self.chosen))
