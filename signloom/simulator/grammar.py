"""Simulated sentences: drawn as meanings, told in English and in signs.

Four domains (weather, instructions, daily life, news), each with its own kinds of sentence,
so that context tells words apart. Paradigms: agreement, tense, number, quantifiers,
negation, yes/no and wh questions, modals, verbs with verbs, relative clauses, comparison,
coordination, conditionals, reasons, reports, imperatives, adverbials, names and numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from signloom.simulator.clause import (
    Clause,
    Phrase,
    clause_text,
    phrase_text,
    place_text,
    sentence_text,
)
from signloom.simulator.draw import LIVING, Draw, Impossible
from signloom.simulator.lexicon import Verb, Vocabulary, vocabulary
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

WORDS = range(3, 17)
GLOSSES = range(3, 11)


@dataclass(frozen=True)
class SimulatedSentence:
    """A sentence in both languages; ``brow`` holds over all of its signs."""

    text: str
    tokens: tuple[Token, ...]
    brow: Brows
    domain: str


def sentence(rng: np.random.Generator, words: Vocabulary | None = None) -> SimulatedSentence:
    """One sentence over ``words`` (default: the small vocabulary), drawn from ``rng`` alone."""
    draw = Draw(rng, words or vocabulary("small"))
    while True:
        domain, tell = draw.weighted(_DOMAINS)
        try:
            text, signs, brow = tell(draw)
        except Impossible:
            continue
        if len(text.split()) in WORDS and len(signs) in GLOSSES:
            return SimulatedSentence(text, tuple(signs), brow, domain)


Told = tuple[str, list[Token], Brows]


def _told(clause: Clause) -> Told:
    text = sentence_text(clause_text(clause), bool(clause.question))
    return text, clause_signs(clause), sentence_brows(clause)


def _two(draw: Draw, first: Clause, link: str, second: Clause, comma: str = "") -> Told:
    draw.need(link)
    text = f"{clause_text(first)}{comma} {link} {clause_text(second)}"
    signs = [*paused(clause_signs(first)), token(link), *clause_signs(second)]
    return sentence_text(text, False), signs, "neutral"


def _daily_action(draw: Draw) -> Told:
    return _told(draw.polarity(draw.action("daily", 0.45)))


def _daily_state(draw: Draw) -> Told:
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


def _role(draw: Draw) -> Told:
    subject = draw.subject("human")
    if subject.form == "plural" or subject.other or subject.noun in ("we", "they"):
        raise Impossible
    noun = draw.pick(draw.words.kinds("job"))
    if noun.lemma == subject.noun:
        raise Impossible
    role = Phrase(
        noun.lemma, noun.kind, adjective=draw.adjective("job")[0] if draw.chance(0.6) else ""
    )
    clause = Clause(subject, noun=role, negated=draw.chance(0.2))
    if draw.chance(0.4):
        clause = draw.timed(clause, draw.time("past"))
    return _told(clause)


def _whereabouts(draw: Draw) -> Told:
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


def _comparison(draw: Draw) -> Told:
    draw.need("more")
    group = draw.pick(("human", "vehicle", "place", "food", "animal", "clothing"))
    first, second = (draw.pick(draw.words.kinds(group)) for _ in range(2))
    if first.lemma == second.lemma or first.kind != second.kind:
        raise Impossible
    adjective, graded = draw.adjective(first.kind, predicate=True)
    if not graded:
        raise Impossible
    one, two = (draw.noun(noun, True, plain=True) for noun in (first, second))
    clause = Clause(one, adjective=adjective, than=two)
    return _told(replace(clause, question="polar") if draw.chance(0.25) else clause)


def _reason(draw: Draw) -> Told:
    cause = draw.action("daily", 1.0)
    if cause.modal:
        raise Impossible
    return _two(draw, draw.state("human"), "because", cause)


def _condition(draw: Draw) -> Told:
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


def _weather_now(draw: Draw) -> Clause:
    place = draw.place(("region", "place_on")) if draw.chance(0.5) else None
    if draw.chance(0.5):
        return Clause(verb=draw.verb("weather", lambda v: not v.subject), place=place)
    return Clause(adjective=draw.adjective("air", predicate=True)[0], place=place)


def _hunger(draw: Draw) -> Clause:
    return draw.state("human")


def _order(draw: Draw, domains: Sequence[str]) -> Clause:
    """An imperative; what it is done to is known."""
    verb = draw.verb(draw.pick(domains), lambda v: v.subject == "human" and not v.stative)
    clause = draw.complements(Clause(verb=verb, imperative=True), 1.0)
    object = clause.object
    if object is not None and object.kind == "body":
        object = Phrase(object.noun, object.kind, owner="your" if "your" in draw.words else "")
        clause = replace(clause, object=object, topic=False)
    return clause


def _instruction(draw: Draw) -> Told:
    clause = _order(draw, ("instructions", "instructions", "daily"))
    verb = clause.verb
    assert verb is not None
    edible = clause.object is not None and clause.object.kind == "food"
    if draw.chance(0.4) and edible:
        if verb.lemma in ("cut", "chop", "slice", "mix", "peel", "stir"):
            tool = draw.pick(("knife", "spoon", "fork"))
            draw.need(tool)
            clause = replace(clause, tool=Phrase(tool, "tool"))
    if draw.words.lists["ADVERBS"] and draw.chance(0.3):
        clause = replace(clause, manner=draw.word("ADVERBS"))
    if draw.chance(0.35) and verb.object != "goal":
        clause = replace(clause, place=draw.place(("container", "place") if edible else ("place",)))
    if draw.chance(0.25):
        return _told(draw.timed(clause, draw.time("future")))
    return _told(replace(clause, negated=draw.chance(0.25)))


def _sequence(draw: Draw) -> Told:
    draw.need("first", "then")
    first, second = (_order(draw, ("instructions",)) for _ in range(2))
    if first.verb == second.verb:
        raise Impossible
    text = f"first {clause_text(first)}, then {clause_text(second)}"
    signs = [token("first"), *paused(clause_signs(first)), token("then"), *clause_signs(second)]
    return sentence_text(text, False), signs, "neutral"


def _portion(draw: Draw) -> Told:
    food = draw.pick([n for n in draw.words.kinds(draw.pick(("food", "drink"))) if n.mass])
    measure = draw.pick(draw.words.kinds("measure"))
    count = draw.pick([n for n in draw.words.lists["NUMBERS"] if n != "thousand"])
    what = Phrase(food.lemma, food.kind, "mass", count=count, measure=measure.lemma)
    verb = Verb(draw.word("PORTION"), "instructions", "human", "food", False)
    place = draw.place(("container",)) if draw.chance(0.4) else None
    return _told(Clause(verb=verb, imperative=True, object=what, place=place))


def _into(draw: Draw) -> Told:
    thing = draw.pick(draw.words.kinds(draw.pick(("food", "portable"))))
    what = replace(draw.noun(thing, True), definite=True, count="", owner="")
    verb = Verb(draw.word("CONTAIN"), "instructions", "human", "food", False)
    place = draw.place(("container", "furniture"))
    return _told(Clause(verb=verb, imperative=True, object=what, topic=True, place=place))


def _duty(draw: Draw) -> Told:
    clause = replace(
        _order(draw, ("instructions",)), imperative=False, subject=draw.subject("human")
    )
    clause = replace(clause, modal=draw.word("MODALS"))
    kind = draw.weighted((("plain", 3.0), ("polar", 1.0), ("negated", 1.0)))
    return _told(
        replace(clause, question="polar" if kind == "polar" else "", negated=kind == "negated")
    )


def _weather(draw: Draw) -> Told:
    """It rains; it is cold; the wind is strong; a storm comes from the west."""
    kind = draw.weighted(
        (("verb", 4.0), ("air", 3.0), ("weather", 1.0), ("noun", 2.0), ("comes", 2.0))
    )
    place = draw.place(("region", "region", "place_on"))
    if kind == "verb":
        clause = Clause(verb=draw.verb("weather", lambda v: not v.subject), place=place)
    elif kind == "air":
        adjective, _ = draw.adjective("air", predicate=True)
        clause = Clause(
            adjective=adjective, place=place, very="very" in draw.words and draw.chance(0.2)
        )
    elif kind == "weather":
        draw.need("weather")
        adjective, _ = draw.adjective("air", predicate=True)
        clause = Clause(
            Phrase("weather", "climate", "mass", True), adjective=adjective, place=place
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


def _news(draw: Draw) -> Told:
    return _told(draw.polarity(draw.action("news", 0.25)))


def _report(draw: Draw) -> Told:
    draw.need("that")
    verb = Verb(draw.word("REPORTS").rstrip("*"), "news", "official", "", True)
    group = draw.pick(("official", "human"))
    teller = Clause(draw.subject(group), verb)
    if teller.subject and teller.subject.relative:
        raise Impossible
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


def _affair(draw: Draw) -> Told:
    clause = draw.state(draw.pick(("affair", "event", "official")))
    if draw.chance(0.8):
        clause = draw.timed(clause, draw.time("past", "future"))
    if draw.chance(0.2):
        return _told(replace(clause, question="polar"))
    return _told(replace(clause, negated=draw.chance(0.15)))


def _exists(draw: Draw) -> Told:
    """There are two books on the table: the place as topic, then what is there."""
    noun = draw.pick(draw.words.kinds(draw.pick(("portable", "animal", "person", "food"))))
    if noun.mass:
        raise Impossible
    count = draw.word("NUMBERS") if draw.chance(0.6) else draw.word("QUANTIFIERS")
    if count in ("every", "all"):
        raise Impossible
    what = Phrase(noun.lemma, noun.kind, "plural", count=count)
    if draw.chance(0.3):
        what = replace(what, adjective=draw.adjective(noun.kind)[0])
    place = draw.place(("place",) if noun.kind in LIVING else ("place", "furniture", "container"))
    signs = [*paused(raised(phrase_signs(place))), *phrase_signs(what)]
    text = f"there are {phrase_text(what)} {place_text(place)}"
    return sentence_text(text, False), signs, "neutral"


Teller = tuple[str, Callable[[Draw], Told]]
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
