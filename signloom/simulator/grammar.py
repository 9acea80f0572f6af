"""Simulated sentences: drawn as meanings, told in English and in signs.

Four domains (weather, instructions, daily life, news), each with its own kinds of sentence,
so that context tells words apart. Paradigms: agreement, tense, number, quantifiers,
negation, yes/no and wh questions, modals, verbs with verbs, relative clauses, comparison,
coordination, conditionals, reasons, reports, imperatives, adverbials, names and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from signloom.simulator.clause import (
    Clause,
    Phrase,
    Time,
    clause_text,
    phrase_text,
    place_text,
    sentence_text,
)
from signloom.simulator.english import plural
from signloom.simulator.lexicon import Noun, Verb, Vocabulary, vocabulary
from signloom.simulator.phonology import Brows
from signloom.simulator.signed import (
    Token,
    clause_signs,
    paused,
    phrase_signs,
    raised,
    sentence_brows,
    token,
)

Item = TypeVar("Item")

WORDS = range(3, 17)
GLOSSES = range(3, 11)
LIVING = ("person", "family", "job", "animal", "actor")
KNOWN = ("place_in", "place_at", "place_on", "instrument", "event", "region")
"""Classes whose nouns are definite wherever they stand."""
SEASONS = ("summer", "winter", "spring", "autumn", "weekend")
SPANS = ("day", "week", "month", "year")
ADJECTIVES_OF = {
    **dict.fromkeys(("person", "family", "job"), "human"),
    **dict.fromkeys(("clothing", "object", "tool", "device", "furniture", "vehicle"), "thing"),
    **dict.fromkeys(("container", "building"), "thing"),
    **dict.fromkeys(("place_in", "place_at", "place_on"), "place"),
    **{kind: kind for kind in ("animal", "food", "drink", "reading", "weather", "nature")},
    **{"event": "event", "actor": "official", "affair": "affair"},
}


@dataclass(frozen=True)
class SimulatedSentence:
    """A sentence in both languages; ``brow`` holds over all of its signs."""

    text: str
    tokens: tuple[Token, ...]
    brow: Brows
    domain: str


class _Impossible(Exception):
    """This vocabulary has no word for what was drawn: draw again."""


def sentence(rng: np.random.Generator, words: Vocabulary | None = None) -> SimulatedSentence:
    """One sentence over ``words`` (default: the small vocabulary), drawn from ``rng`` alone."""
    draw = _Draw(rng, words or vocabulary("small"))
    while True:
        domain, tell = draw.weighted(_DOMAINS)
        try:
            text, signs, brow = tell(draw)
        except _Impossible:
            continue
        if len(text.split()) in WORDS and len(signs) in GLOSSES:
            return SimulatedSentence(text, tuple(signs), brow, domain)


Told = tuple[str, list[Token], Brows]


class _Draw:
    """Draws parts of sentences; raises _Impossible where the vocabulary has no word."""

    def __init__(self, rng: np.random.Generator, words: Vocabulary):
        self.random = rng.random
        self.words = words

    def chance(self, share: float) -> bool:
        return self.random() < share

    def pick(self, items: Sequence[Item]) -> Item:
        if not items:
            raise _Impossible
        return items[int(self.random() * len(items))]

    def weighted(self, items: Sequence[tuple[Item, float]]) -> Item:
        mark = self.random() * sum(weight for _, weight in items)
        for item, weight in items:
            mark -= weight
            if mark < 0:
                return item
        return items[-1][0]

    def word(self, name: str) -> str:
        return self.pick(self.words.lists[name])

    def need(self, *lemmas: str) -> None:
        if not all(lemma in self.words for lemma in lemmas):
            raise _Impossible

    def maybe(self, lemma: str) -> str:
        return lemma if lemma in self.words else ""

    # words with what goes with them

    def adjective(self, kind: str, predicate: bool = False) -> tuple[str, bool]:
        """(adjective, graded) for a class of nouns; ('', False) where there is none."""
        listed = self.words.adjectives.get(ADJECTIVES_OF.get(kind, kind), ())
        if not listed:
            if predicate:
                raise _Impossible
            return "", False
        chosen = self.pick(listed)
        return chosen.lemma, chosen.graded

    def noun(self, noun: Noun, definite: bool, plain: bool = False) -> Phrase:
        """A phrase around a noun: singular or plural, counted, owned, described."""
        kind = noun.kind
        phrase = Phrase(noun.lemma, kind, "mass" if noun.mass else "singular", definite)
        if kind in KNOWN:
            phrase = replace(phrase, definite=True)
        if plain or kind == "region":
            return phrase
        if not noun.mass and kind not in KNOWN and self.chance(0.25):
            counted = self.chance(0.4)
            lists = ("NUMBERS", "NUMBERS", "QUANTIFIERS")
            count = self.word(self.pick(lists)) if counted else ""
            form = "singular" if count == "every" else "plural"
            phrase = replace(phrase, form=form, count=count)  # type: ignore[arg-type]
        elif kind in (*LIVING, "object", "clothing", "vehicle") and self.chance(0.2):
            if kind != "actor" and self.words.lists["POSSESSIVES"]:
                phrase = replace(phrase, owner=self.word("POSSESSIVES"))
        if self.chance(0.22):
            phrase = replace(phrase, adjective=self.adjective(kind)[0])
        return phrase

    def subject(self, group: str) -> Phrase:
        if group == "human" and self.chance(0.2):
            pronoun = self.word("PRONOUNS")
            return Phrase(pronoun, "person", "pronoun")
        if group == "human" and self.words.names and self.chance(0.07):
            return Phrase(self.pick(self.words.names), "person", "name")
        phrase = self.noun(self.pick(self.words.kinds(group)), definite=True)
        if group in ("human", "official") and phrase.form == "singular" and not phrase.count:
            if "and" in self.words and not phrase.adjective and self.chance(0.07):
                other = self.noun(self.pick(self.words.kinds(group)), True, plain=True)
                if other.noun != phrase.noun:
                    return replace(phrase, other=other)
            if "that" in self.words and group == "human" and self.chance(0.07):
                return replace(phrase, adjective="", relative=self.relative())
        return phrase

    def relative(self) -> Clause:
        """What a person does or did: "who sells bread"."""
        verb = self.verb("daily", lambda v: v.subject == "human" and v.object not in ("goal",))
        finished = self.chance(0.4)
        clause = Clause(verb=verb, tense="past" if finished else "present", finished=finished)
        if not verb.object or verb.object.startswith("to:"):
            return replace(
                clause, verb=self.verb("daily", lambda v: v.subject == "human" and not v.object)
            )
        return replace(
            clause, object=self.noun(self.pick(self.words.kinds(verb.object)), False, True)
        )

    def verb(self, domain: str, fits: Callable[[Verb], bool]) -> Verb:
        return self.pick([v for v in self.words.verbs.get(domain, ()) if fits(v)])

    def place(self, groups: Sequence[str] = ("place",)) -> Phrase:
        noun = self.pick(self.words.kinds(self.pick(groups)))
        phrase = Phrase(noun.lemma, noun.kind, "mass" if noun.mass else "singular", True)
        if noun.kind != "region" and self.chance(0.1):
            phrase = replace(phrase, adjective=self.adjective(noun.kind)[0])
        return phrase

    def time(self, *tenses: str) -> Time:
        """A time of one of the tenses past, present, future."""
        tense = self.pick(tenses)
        if self.chance(0.5) or "last" not in self.words:
            word = self.word(f"TIMES.{tense}")
            return Time(word, (word,), "progressive" if tense == "present" else tense)  # type: ignore[arg-type]
        days, periods = self.words.lists["DAYS"], self.words.lists["PERIODS"]
        if tense == "present":
            period = self.pick((*days, *periods))
            return Time(f"every {_day(period)}", (period, "every"), "present")
        if tense == "past" and self.chance(0.3):
            count = self.pick(
                [n for n in self.words.lists["NUMBERS"] if n not in ("hundred", "thousand")]
            )
            span = self.pick([p for p in periods if p in SPANS])
            return Time(f"{count} {plural(span)} ago", (span, count, "ago"), "past")
        span = self.pick([p for p in (*days, *periods) if p in (*days, *SPANS[1:], *SEASONS)])
        lead = "last" if tense == "past" else "next"
        return Time(f"{lead} {_day(span)}", (span, lead), tense)  # type: ignore[arg-type]

    def timed(self, clause: Clause, time: Time) -> Clause:
        """The clause at that time; stative verbs have no progressive."""
        stative = (clause.verb is not None and clause.verb.stative) or clause.verb is None
        tense = (
            "present" if time.tense == "progressive" and (stative or clause.control) else time.tense
        )
        return replace(clause, time=time, tense=tense)

    def complements(self, clause: Clause, topical: float) -> Clause:
        """What the verb of the clause asks for."""
        assert clause.verb is not None
        target = clause.verb.object
        if not target:
            return clause
        if target == "goal":
            return replace(clause, goal=self.place())
        if target.startswith("to:"):
            recipient = self.noun(self.pick(self.words.kinds("human")), True, plain=True)
            clause = replace(clause, recipient=recipient)
            target = target[3:]
        noun = self.pick(self.words.kinds(target))
        if noun.kind in ("person", "family", "job") and self.chance(0.25):
            pronoun = self.word("PRONOUNS")
            if clause.subject is None or clause.subject.form != "pronoun":
                return replace(clause, object=Phrase(pronoun, "person", "pronoun"))
        topic = noun.kind not in LIVING and noun.kind not in KNOWN and self.chance(topical)
        object = self.noun(noun, definite=topic)
        topic = topic and not object.count and not object.owner
        if object.kind not in KNOWN:
            object = replace(object, definite=topic)
        if clause.subject is not None and object.noun == clause.subject.noun:
            raise _Impossible
        return replace(clause, object=object, topic=topic)

    def action(self, domain: str, timeless: float) -> Clause:
        """Somebody does something."""
        verb = self.verb(domain, lambda v: True)
        clause = self.complements(Clause(self.subject(verb.subject), verb), 0.35)
        if verb.subject == "human" and self.chance(0.08) and self.words.lists["CONTROLS"]:
            control = self.word("CONTROLS").rstrip("*")
            if control != verb.lemma:
                clause = replace(clause, control=control)
        if not verb.stative and verb.object != "goal" and self.chance(0.15):
            if self.words.lists["ADVERBS"] and not clause.control:
                clause = replace(clause, manner=self.word("ADVERBS"))
        if verb.object not in ("goal", "place", "public") and self.chance(0.2):
            place = self.place(("region",) if domain == "news" else ("place",))
            clause = replace(clause, place=place)
        if not self.chance(timeless):
            return self.timed(clause, self.time("past", "present", "future"))
        return self.untimed(clause)

    def untimed(self, clause: Clause) -> Clause:
        kind = self.weighted((("plain", 3), ("finish", 3), ("modal", 1.5), ("often", 1.5)))
        if kind == "finish":
            return replace(clause, tense="past", finished=True)
        if kind == "modal" and not clause.control:
            return replace(clause, modal=self.word("MODALS"))
        if kind == "often" and self.words.lists["FREQUENCIES"]:
            often = (
                *self.words.lists["FREQUENCIES"],
                *(("never",) if "never" in self.words else ()),
            )
            return replace(clause, frequency=self.pick(often))
        return clause

    def polarity(self, clause: Clause) -> Clause:
        """Now and then negated or asked."""
        if clause.frequency != "never" and self.chance(0.15):
            return replace(clause, negated=True)
        return self.asked(clause) if self.chance(0.28) else clause

    def asked(self, clause: Clause) -> Clause:
        """The clause as a question; the part that is asked for is left out."""
        kind = self.weighted(
            (
                ("polar", 4),
                ("who", 2),
                ("what", 2),
                ("where", 2),
                ("when", 1),
                ("why", 1),
                ("how", 1),
            )
        )
        if kind != "polar":
            self.need(kind)
        living = clause.object is not None and clause.object.kind in LIVING
        if kind == "who":
            return replace(clause, subject=None, question="who")
        if clause.subject is not None and clause.subject.relative is not None:
            raise _Impossible
        if kind == "what" and clause.object is not None and not living:
            return replace(clause, object=None, topic=False, question="what")
        if kind == "where" and clause.verb is not None:
            return replace(clause, place=None, goal=None, question="where")
        if kind == "when" and clause.time is not None and clause.tense != "progressive":
            past = clause.tense == "past"
            return replace(
                clause,
                time=None,
                finished=past,
                question="when",
                tense="past" if past else "present",
            )
        if kind in ("why", "how"):
            return replace(clause, manner="", question="why" if kind == "why" else "how")
        return replace(clause, question="polar")

    def state(self, group: str, kind: str = "") -> Clause:
        """Somebody or something is in some way."""
        subject = self.subject(group)
        if subject.adjective:
            subject = replace(subject, adjective="")
        adjective, graded = self.adjective(kind or subject.kind, predicate=True)
        clause = Clause(subject, adjective=adjective)
        if graded and "very" in self.words and self.chance(0.2):
            clause = replace(clause, very=True)
        return clause


def _day(period: str) -> str:
    return period.capitalize() if period.endswith("day") and period != "day" else period


def _told(clause: Clause) -> Told:
    text = sentence_text(clause_text(clause), bool(clause.question))
    return text, clause_signs(clause), sentence_brows(clause)


def _two(draw: _Draw, first: Clause, link: str, second: Clause, comma: str = "") -> Told:
    draw.need(link)
    text = f"{clause_text(first)}{comma} {link} {clause_text(second)}"
    signs = [*paused(clause_signs(first)), token(link), *clause_signs(second)]
    return sentence_text(text, False), signs, "neutral"


def _daily_action(draw: _Draw) -> Told:
    return _told(draw.polarity(draw.action("daily", 0.45)))


def _daily_state(draw: _Draw) -> Told:
    group = draw.pick(("human", "human", "thing", "edible", "place", "animal", "nature"))
    clause = draw.state(group)
    if draw.chance(0.5):
        clause = draw.timed(clause, draw.time("past", "present", "future"))
    elif "but" in draw.words and clause.subject and draw.chance(0.3):
        other, _ = draw.adjective(clause.subject.kind, predicate=True)
        if other != clause.adjective:
            return _told(
                replace(clause, very=False, joined=f" {draw.pick(('and', 'but'))} {other}")
            )
    if draw.chance(0.25):
        return _told(replace(clause, negated=True))
    if draw.chance(0.25):
        return _told(replace(clause, question="polar"))
    return _told(clause)


def _role(draw: _Draw) -> Told:
    subject = draw.subject("human")
    if subject.form == "plural" or subject.other or subject.noun in ("we", "they"):
        raise _Impossible
    noun = draw.pick(draw.words.kinds("job"))
    if noun.lemma == subject.noun:
        raise _Impossible
    role = Phrase(
        noun.lemma, noun.kind, adjective=draw.adjective("job")[0] if draw.chance(0.6) else ""
    )
    clause = Clause(subject, noun=role, negated=draw.chance(0.2))
    if draw.chance(0.4):
        clause = draw.timed(clause, draw.time("past"))
    return _told(clause)


def _whereabouts(draw: _Draw) -> Told:
    thing = draw.pick(draw.words.kinds(draw.pick(("portable", "human", "animal"))))
    inside = ("place",) if thing.kind in LIVING else ("place", "container", "furniture")
    subject = draw.noun(thing, definite=True)
    near = draw.word("NEAR") if draw.words.lists["NEAR"] and draw.chance(0.5) else ""
    place = draw.place(("furniture", "building", "nature") if near else inside)
    clause = Clause(subject, place=place, near=near)
    if draw.chance(0.5):
        clause = draw.timed(clause, draw.time("past", "present"))
    if draw.chance(0.2):
        return _told(replace(clause, question="polar"))
    return _told(replace(clause, negated=draw.chance(0.15)))


def _comparison(draw: _Draw) -> Told:
    draw.need("more")
    group = draw.pick(("human", "vehicle", "place", "food", "animal", "clothing"))
    first, second = (draw.pick(draw.words.kinds(group)) for _ in range(2))
    if first.lemma == second.lemma or first.kind != second.kind:
        raise _Impossible
    adjective, graded = draw.adjective(first.kind, predicate=True)
    if not graded:
        raise _Impossible
    one, two = (draw.noun(noun, True, plain=True) for noun in (first, second))
    clause = Clause(one, adjective=adjective, than=two)
    return _told(replace(clause, question="polar") if draw.chance(0.25) else clause)


def _reason(draw: _Draw) -> Told:
    cause = draw.action("daily", 1.0)
    if cause.modal:
        raise _Impossible
    return _two(draw, draw.state("human"), "because", cause)


def _condition(draw: _Draw) -> Told:
    draw.need("if")
    first = draw.pick((_weather_now, _hunger))(draw)
    if draw.chance(0.5):
        verb = draw.verb("daily", lambda v: v.subject == "human" and not v.stative)
        second = draw.complements(Clause(draw.subject("human"), verb), 0.3)
        second = replace(second, modal=draw.word("MODALS"))
    else:
        second = _order(draw, ("daily", "instructions"))
    text = f"if {clause_text(first)}, {clause_text(second)}"
    signs = [token("if"), *paused(raised(clause_signs(first))), *clause_signs(second)]
    return sentence_text(text, False), signs, "neutral"


def _weather_now(draw: _Draw) -> Clause:
    place = draw.place(("region", "place_on")) if draw.chance(0.5) else None
    if draw.chance(0.5):
        return Clause(verb=draw.verb("weather", lambda v: not v.subject), place=place)
    return Clause(adjective=draw.adjective("air", predicate=True)[0], place=place)


def _hunger(draw: _Draw) -> Clause:
    return draw.state("human")


def _order(draw: _Draw, domains: Sequence[str]) -> Clause:
    """An imperative; what it is done to is known."""
    verb = draw.verb(draw.pick(domains), lambda v: v.subject == "human" and not v.stative)
    clause = draw.complements(Clause(verb=verb, imperative=True), 1.0)
    object = clause.object
    if object is not None and object.kind == "body":
        object = Phrase(object.noun, object.kind, owner="your" if "your" in draw.words else "")
        clause = replace(clause, object=object, topic=False)
    return clause


def _instruction(draw: _Draw) -> Told:
    clause = _order(draw, ("instructions", "instructions", "daily"))
    assert clause.verb is not None
    if draw.chance(0.25) and clause.verb.domain == "instructions":
        if clause.verb.lemma in ("cut", "chop", "slice", "mix", "peel", "stir", "open", "measure"):
            tool = draw.pick(("knife", "spoon", "fork", "saw"))
            draw.need(tool)
            clause = replace(clause, tool=Phrase(tool, "tool"))
    if draw.words.lists["ADVERBS"] and draw.chance(0.3):
        clause = replace(clause, manner=draw.word("ADVERBS"))
    if draw.chance(0.35) and clause.verb.object != "goal":
        clause = replace(clause, place=draw.place(("place", "container")))
    if draw.chance(0.25):
        clause = draw.timed(clause, draw.time("future"))
        return f"{_told(clause)[0][:-1]} {clause.time.text if clause.time else ''}.", *_told(
            clause
        )[1:]
    return _told(replace(clause, negated=draw.chance(0.25)))


def _sequence(draw: _Draw) -> Told:
    draw.need("first", "then")
    first, second = (_order(draw, ("instructions",)) for _ in range(2))
    if first.verb == second.verb:
        raise _Impossible
    text = f"first {clause_text(first)}, then {clause_text(second)}"
    signs = [token("first"), *paused(clause_signs(first)), token("then"), *clause_signs(second)]
    return sentence_text(text, False), signs, "neutral"


def _portion(draw: _Draw) -> Told:
    food = draw.pick([n for n in draw.words.kinds(draw.pick(("food", "drink"))) if n.mass])
    measure = draw.pick(draw.words.kinds("measure"))
    count = draw.pick([n for n in draw.words.lists["NUMBERS"] if n != "thousand"])
    what = Phrase(food.lemma, food.kind, "mass", count=count, measure=measure.lemma)
    verb = Verb(draw.word("PORTION"), "instructions", "human", "food", False)
    place = draw.place(("container",)) if draw.chance(0.4) else None
    return _told(Clause(verb=verb, imperative=True, object=what, place=place))


def _into(draw: _Draw) -> Told:
    thing = draw.pick(draw.words.kinds(draw.pick(("food", "portable"))))
    what = replace(draw.noun(thing, True), definite=True, count="", owner="")
    verb = Verb(draw.word("CONTAIN"), "instructions", "human", "food", False)
    place = draw.place(("container", "furniture"))
    return _told(Clause(verb=verb, imperative=True, object=what, topic=True, place=place))


def _duty(draw: _Draw) -> Told:
    clause = replace(
        _order(draw, ("instructions",)), imperative=False, subject=draw.subject("human")
    )
    clause = replace(clause, modal=draw.word("MODALS"))
    kind = draw.weighted((("plain", 3), ("polar", 1), ("negated", 1)))
    return _told(
        replace(clause, question="polar" if kind == "polar" else "", negated=kind == "negated")
    )


def _weather(draw: _Draw) -> Told:
    """It rains; it is cold; the wind is strong; a storm comes from the west."""
    kind = draw.weighted((("verb", 3.0), ("air", 4.0), ("noun", 2.0), ("comes", 2.0)))
    place = draw.place(("region", "region", "place_on"))
    if kind == "verb":
        clause = Clause(verb=draw.verb("weather", lambda v: not v.subject), place=place)
    elif kind == "air":
        adjective, _ = draw.adjective("air", predicate=True)
        clause = Clause(
            adjective=adjective, place=place, very="very" in draw.words and draw.chance(0.2)
        )
    elif kind == "noun":
        clause = replace(draw.state("weather"), place=place)
    else:
        verb = draw.verb("weather", lambda v: v.subject == "weather")
        clause = Clause(draw.subject("weather"), verb, place=place)
        if verb.lemma in ("come", "return", "approach") and "from" in draw.words:
            sides = [
                n
                for n in draw.words.kinds("region")
                if n.lemma in ("north", "south", "east", "west")
            ]
            side = draw.pick(sides)
            clause = replace(
                clause, place=None, goal=Phrase(side.lemma, "region", definite=True), origin=True
            )
    if clause.verb is not None and draw.words.lists["FREQUENCIES"] and draw.chance(0.1):
        clause = replace(clause, frequency=draw.word("FREQUENCIES"))
    else:
        clause = draw.timed(clause, draw.time("past", "present", "future", "future"))
    if draw.chance(0.2):
        return _told(replace(clause, question="polar"))
    return _told(replace(clause, negated=draw.chance(0.15), time_first=clause.time is not None))


def _news(draw: _Draw) -> Told:
    return _told(draw.polarity(draw.action("news", 0.25)))


def _report(draw: _Draw) -> Told:
    draw.need("that")
    verb = Verb(draw.word("REPORTS").rstrip("*"), "news", "official", "", True)
    group = draw.pick(("official", "human"))
    teller = Clause(draw.subject(group), verb)
    if teller.subject and teller.subject.relative:
        raise _Impossible
    if draw.chance(0.6):
        what = draw.action("news" if group == "official" else "daily", 0.3)
    else:
        what = draw.state(draw.pick(("official", "affair", "human")))
    text = f"{clause_text(teller)} that {clause_text(what)}"
    return (
        sentence_text(text, False),
        [*paused(clause_signs(teller)), *clause_signs(what)],
        "neutral",
    )


def _affair(draw: _Draw) -> Told:
    clause = draw.state(draw.pick(("affair", "event", "official")))
    if draw.chance(0.8):
        clause = draw.timed(clause, draw.time("past", "future"))
    if draw.chance(0.2):
        return _told(replace(clause, question="polar"))
    return _told(replace(clause, negated=draw.chance(0.15)))


def _exists(draw: _Draw) -> Told:
    """There are two books on the table: the place as topic, then what is there."""
    noun = draw.pick(draw.words.kinds(draw.pick(("portable", "animal", "person", "food"))))
    if noun.mass:
        raise _Impossible
    count = draw.word("NUMBERS") if draw.chance(0.6) else draw.word("QUANTIFIERS")
    if count in ("every", "all"):
        raise _Impossible
    what = Phrase(noun.lemma, noun.kind, "plural", count=count)
    if draw.chance(0.3):
        what = replace(what, adjective=draw.adjective(noun.kind)[0])
    place = draw.place(("place",) if noun.kind in LIVING else ("place", "furniture", "container"))
    signs = [*paused(raised(phrase_signs(place))), *phrase_signs(what)]
    text = f"there are {phrase_text(what)} {place_text(place)}"
    return sentence_text(text, False), signs, "neutral"


Teller = tuple[str, Callable[[_Draw], Told]]
_DOMAINS: tuple[tuple[Teller, float], ...] = (
    (("daily", _daily_action), 33.0),
    (("daily", _daily_state), 8.0),
    (("daily", _role), 2.5),
    (("daily", _whereabouts), 3.5),
    (("daily", _exists), 2.5),
    (("daily", _comparison), 3.0),
    (("daily", _reason), 2.5),
    (("daily", _condition), 2.5),
    (("instructions", _instruction), 9.0),
    (("instructions", _sequence), 4.0),
    (("instructions", _portion), 1.5),
    (("instructions", _into), 2.0),
    (("instructions", _duty), 3.0),
    (("weather", _weather), 9.0),
    (("news", _news), 10.0),
    (("news", _report), 3.0),
    (("news", _affair), 3.0),
)
