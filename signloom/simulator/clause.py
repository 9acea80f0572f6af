"""What a simulated sentence means, and the English that says it.

A clause is drawn once (``grammar``) and told twice: here in English, in ``signed`` as a
sequence of signs. Choices that English must make (article, tense, order) follow from what
the signing shows, so that a perfect translator could recover nearly every word.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from signloom.simulator.english import article, comparative, past, plural, progressive, third
from signloom.simulator.lexicon import Verb

Tense = Literal["present", "progressive", "past", "future"]
Question = Literal["", "polar", "who", "what", "where", "when", "why", "how"]
OBJECTIVE = {"i": "me", "he": "him", "she": "her", "we": "us", "they": "them"}
COUNTS = {"hundred": "a hundred", "thousand": "a thousand"}
PREPOSITIONS = {
    "place_in": "in",
    "region": "in",
    "place_at": "at",
    "place_on": "on",
    "container": "in",
}


@dataclass(frozen=True)
class Phrase:
    """A noun phrase.

    form: singular, plural, mass, name or pronoun; definite: "the"; count: a number or
    quantifier; owner: a possessive; relative: what is said of it ("who …"); other: joined by "and".
    """

    noun: str
    kind: str
    form: Literal["singular", "plural", "mass", "name", "pronoun"] = "singular"
    definite: bool = False
    adjective: str = ""
    count: str = ""
    owner: str = ""
    measure: str = ""
    relative: Clause | None = None
    other: Phrase | None = None

    @property
    def person(self) -> Literal["i", "she", "they"]:
        """Which pronoun the verb agrees with."""
        if self.other is not None or self.form == "plural":
            return "they"
        if self.form == "pronoun" and self.noun not in ("he", "she"):
            return "i" if self.noun == "i" else "they"
        return "she"


@dataclass(frozen=True)
class Time:
    """A time as English says it, as signs, and the tense it asks for."""

    text: str
    signs: tuple[str, ...]
    tense: Tense


@dataclass(frozen=True)
class Clause:
    """Who does what to whom, where, when and how; empty where it is not said.

    subject None: the weather ("it"), or in an imperative the one spoken to.
    verb None: "be", with ``adjective``, ``noun`` or ``place`` as what is said.
    finished: past without a time word. topic: the object comes first, and is known.
    """

    subject: Phrase | None = None
    verb: Verb | None = None
    adjective: str = ""
    very: bool = False
    joined: str = ""
    noun: Phrase | None = None
    than: Phrase | None = None
    object: Phrase | None = None
    recipient: Phrase | None = None
    goal: Phrase | None = None
    tool: Phrase | None = None
    place: Phrase | None = None
    near: str = ""
    manner: str = ""
    frequency: str = ""
    modal: str = ""
    control: str = ""
    origin: bool = False
    time: Time | None = None
    tense: Tense = "present"
    finished: bool = False
    topic: bool = False
    negated: bool = False
    imperative: bool = False
    time_first: bool = False
    question: Question = ""


def phrase_text(phrase: Phrase, subject: bool = True) -> str:
    """The phrase in English."""
    if phrase.other is not None:
        parts = (replace(phrase, other=None, relative=None), phrase.other)
        return " and ".join(phrase_text(part, subject) for part in parts)
    if phrase.form == "name":
        return phrase.noun
    if phrase.form == "pronoun":
        said = phrase.noun if subject else OBJECTIVE.get(phrase.noun, phrase.noun)
        return "I" if said == "i" else said
    noun = plural(phrase.noun) if phrase.form == "plural" else phrase.noun
    noun = f"{phrase.adjective} {noun}" if phrase.adjective else noun
    count = COUNTS.get(phrase.count, phrase.count)
    if phrase.measure:
        noun = f"{count} {plural(phrase.measure)} of {noun}"
    elif phrase.count or phrase.owner:
        noun = f"{count or phrase.owner} {noun}"
    elif phrase.definite:
        noun = f"the {noun}"
    elif phrase.form == "singular":
        noun = f"{article(noun)} {noun}"
    if phrase.relative is not None:
        noun += f" who {_joined(*_predicate(phrase.relative, 'she'))}"
    return noun


def place_text(place: Phrase, near: str = "") -> str:
    """'in the garden', 'near the bridge'."""
    return f"{near or PREPOSITIONS.get(place.kind, 'on')} {phrase_text(place, False)}"


def clause_text(clause: Clause) -> str:
    """The clause in English, without capital or full stop."""
    if clause.imperative:
        return _imperative(clause)
    subject = "it" if clause.subject is None else phrase_text(clause.subject)
    person = "she" if clause.subject is None else clause.subject.person
    if clause.question == "who":
        return _joined("who", *_predicate(clause, "she"), _time(clause))
    auxiliary, rest = _predicate(clause, person, asked=bool(clause.question))
    if clause.question:
        asked = "" if clause.question == "polar" else clause.question
        return _joined(asked, auxiliary, subject, rest, _time(clause))
    if clause.time_first:
        return _joined(_time(clause), subject, auxiliary, rest)
    return _joined(subject, auxiliary, rest, _time(clause))


def sentence_text(text: str, question: bool) -> str:
    """With its capital and its full stop or question mark."""
    return text[0].upper() + text[1:] + ("?" if question else ".")


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _time(clause: Clause) -> str:
    return clause.time.text if clause.time else ""


def _be(tense: Tense, person: str) -> str:
    if tense == "past":
        return "were" if person == "they" else "was"
    return {"i": "am", "they": "are"}.get(person, "is")


def _predicate(clause: Clause, person: str, asked: bool = False) -> tuple[str, str]:
    """(auxiliary or '', the rest); an auxiliary is there wherever English needs one."""
    tense = clause.tense
    support = asked or clause.negated
    lead = clause.control or (clause.verb.lemma if clause.verb else "be")
    auxiliary, main = "", lead
    if clause.modal:
        auxiliary = clause.modal
    elif tense == "future":
        auxiliary = "will"
    elif lead == "be":
        auxiliary, main = _be(tense, person), ""
    elif tense == "progressive":
        auxiliary, main = _be(tense, person), progressive(lead)
    elif support:
        does = "does" if person == "she" else "do"
        auxiliary = "did" if tense == "past" else does
    elif tense == "past":
        main = past(lead)
    elif person == "she":
        main = third(lead)
    if clause.control and clause.verb:
        main = f"{main} to {clause.verb.lemma}"
    if clause.negated and asked:
        main = _joined("not", main)
    elif clause.negated:
        auxiliary = "cannot" if auxiliary == "can" else f"{auxiliary} not"
    return auxiliary, _joined(clause.frequency, main, _complements(clause))


def _complements(clause: Clause) -> str:
    parts = []
    if clause.adjective and clause.than:
        parts.append(f"{comparative(clause.adjective)} than {phrase_text(clause.than)}")
    elif clause.adjective:
        parts.append(("very " if clause.very else "") + clause.adjective + clause.joined)
    if clause.noun:
        parts.append(phrase_text(clause.noun))
    if clause.object:
        parts.append(phrase_text(clause.object, False))
    if clause.recipient:
        parts.append(f"to {phrase_text(clause.recipient, False)}")
    if clause.goal:
        parts.append(f"{'from' if clause.origin else 'to'} {phrase_text(clause.goal, False)}")
    if clause.manner:
        parts.append(clause.manner)
    if clause.tool:
        parts.append(f"with {phrase_text(clause.tool, False)}")
    if clause.place:
        parts.append(place_text(clause.place, clause.near))
    return " ".join(parts)


def _imperative(clause: Clause) -> str:
    assert clause.verb is not None
    lead = "do not" if clause.negated else ""
    return _joined(lead, clause.verb.lemma, _complements(clause), _time(clause))
