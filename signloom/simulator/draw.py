"""Parts of simulated sentences: noun phrases, times, actions and states, drawn from a vocabulary.

What is drawn is plausible (food is eaten, laws are discussed) and tells itself: a noun is
known ("the") where it is the subject, the topic, or of a class that always is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from signloom.simulator.clause import Clause, Phrase, Time
from signloom.simulator.english import plural
from signloom.simulator.lexicon import Noun, Verb, Vocabulary

Item = TypeVar("Item")

LIVING = ("person", "family", "job", "animal", "actor")
KNOWN = ("place_in", "place_at", "place_on", "instrument", "event", "region")
"""Classes whose nouns are definite wherever they stand."""
NEVER_TOPIC = ("subject", "sport", "illness")
SEASONS = ("summer", "winter", "spring", "autumn", "weekend")
SPANS = ("day", "week", "month", "year")
ADJECTIVES_OF = {
    **dict.fromkeys(("person", "family", "job"), "human"),
    **dict.fromkeys(("clothing", "object", "tool", "device", "furniture", "vehicle"), "thing"),
    **dict.fromkeys(("container", "opening", "building"), "thing"),
    **dict.fromkeys(("place_in", "place_at", "place_on"), "place"),
    **{kind: kind for kind in ("animal", "food", "drink", "reading", "weather", "nature")},
    **{"event": "event", "actor": "official", "affair": "affair"},
}


class Impossible(Exception):
    """This vocabulary has no word for what was drawn: draw again."""


class Draw:
    """Draws parts of sentences; raises Impossible where the vocabulary has no word."""

    def __init__(self, rng: np.random.Generator, words: Vocabulary):
        self.random = rng.random
        self.words = words

    def chance(self, share: float) -> bool:
        return self.random() < share

    def pick(self, items: Sequence[Item]) -> Item:
        if not items:
            raise Impossible
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
            raise Impossible

    def maybe(self, lemma: str) -> str:
        return lemma if lemma in self.words else ""

    # words with what goes with them

    def adjective(self, kind: str, predicate: bool = False) -> tuple[str, bool]:
        """(adjective, graded) for a class of nouns; ('', False) where there is none."""
        listed = self.words.adjectives.get(ADJECTIVES_OF.get(kind, kind), ())
        if not listed:
            if predicate:
                raise Impossible
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
        topic = noun.kind not in (*LIVING, *KNOWN, *NEVER_TOPIC) and self.chance(topical)
        object = self.noun(noun, definite=topic)
        topic = topic and not object.count and not object.owner
        if object.kind not in KNOWN:
            object = replace(object, definite=topic)
        if clause.subject is not None and object.noun == clause.subject.noun:
            raise Impossible
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
        kind = self.weighted((("plain", 3.0), ("finish", 3.0), ("modal", 1.5), ("often", 1.5)))
        if kind == "finish":
            return replace(clause, tense="past", finished=True)
        if kind == "modal" and not clause.control and not (clause.verb and clause.verb.stative):
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
                ("polar", 4.0),
                ("who", 2.0),
                ("what", 2.0),
                ("where", 2.0),
                ("when", 1.0),
                ("why", 1.0),
                ("how", 1.0),
            )
        )
        if kind != "polar":
            self.need(kind)
        living = clause.object is not None and clause.object.kind in LIVING
        if kind == "who":
            return replace(clause, subject=None, question="who")
        if clause.subject is not None and clause.subject.relative is not None:
            raise Impossible
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
