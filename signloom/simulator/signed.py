"""The signs that say a clause, in a grammar that is not English.

Time and place first; a known object as topic, brows raised, before the subject; subject,
object, verb; adjectives, numbers and owners after their noun; plural by signing the noun
twice; modals, frequency, FINISH (the past, where no time word tells it), negation with a
headshake and wh-words last; no articles, no copula, no prepositions that the place tells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from signloom.simulator.clause import Clause, Phrase
from signloom.simulator.lexicon import POINTS, gloss_of
from signloom.simulator.phonology import Brows, Head


@dataclass(frozen=True)
class Token:
    """One gloss of a sentence.

    lemma: word of the lexicon, or a name, spelled letter by letter.
    repeat: 2 for the plural. brows, head: grammar over this sign.
    pause: whether the phrase ends here.
    """

    gloss: str
    lemma: str
    kind: Literal["sign", "point", "name"] = "sign"
    repeat: int = 1
    brows: Brows | None = None
    head: Head | None = None
    pause: bool = False


def token(lemma: str, repeat: int = 1) -> Token:
    """The token of a word of the lexicon."""
    return Token(gloss_of(lemma), lemma, "point" if lemma in POINTS else "sign", repeat)


def paused(tokens: list[Token]) -> list[Token]:
    """The same, with a phrase end after the last."""
    return [*tokens[:-1], replace(tokens[-1], pause=True)] if tokens else []


def raised(tokens: list[Token]) -> list[Token]:
    """The same, with raised brows."""
    return [replace(t, brows="raised") for t in tokens]


def phrase_signs(phrase: Phrase) -> list[Token]:
    """A noun phrase as signs."""
    if phrase.form == "name":
        signs = [Token(f"#{phrase.noun.upper()}", phrase.noun, "name")]
    else:
        twice = phrase.form == "plural" and not phrase.count
        signs = [token(phrase.noun, 2 if twice else 1)]
        after = (phrase.adjective, phrase.measure, phrase.count, phrase.owner)
        signs += [token(lemma) for lemma in after if lemma]
    if phrase.other is not None:
        signs += [token("and"), *phrase_signs(phrase.other)]
    if phrase.relative is not None:
        signs += [token("that"), *paused(clause_signs(phrase.relative))]
    return signs


def clause_signs(clause: Clause) -> list[Token]:
    """A clause as signs."""
    signs = [token(lemma) for lemma in clause.time.signs] if clause.time else []
    if clause.place and (clause.verb or clause.adjective):
        signs += _place(clause)
    if clause.object and clause.topic:
        signs += paused(raised(phrase_signs(clause.object)))
    if clause.subject:
        signs += phrase_signs(clause.subject)
    if clause.recipient:
        signs += phrase_signs(clause.recipient)
    if clause.object and not clause.topic:
        signs += phrase_signs(clause.object)
    if clause.tool:
        signs += phrase_signs(clause.tool)
    if clause.goal:
        signs += phrase_signs(clause.goal) + ([token("from")] if clause.origin else [])
    return signs + _predicate(clause)


def sentence_brows(clause: Clause) -> Brows:
    """Raised on yes/no questions, furrowed on the others."""
    if not clause.question:
        return "neutral"
    return "raised" if clause.question == "polar" else "furrowed"


def _place(clause: Clause) -> list[Token]:
    assert clause.place is not None
    return phrase_signs(clause.place) + ([token(clause.near)] if clause.near else [])


def _predicate(clause: Clause) -> list[Token]:
    signs: list[Token] = []
    if clause.verb:
        signs.append(token(clause.verb.lemma))
    elif clause.adjective:
        signs.append(token(clause.adjective))
        if clause.than:
            signs += [token("more"), *phrase_signs(clause.than)]
        if clause.joined:
            signs += [token(lemma) for lemma in clause.joined.split()]
    elif clause.noun:
        signs += phrase_signs(clause.noun)
    elif clause.place:
        signs += _place(clause)
    after = ("very" if clause.very else "", clause.manner, clause.control, clause.modal)
    signs += [token(lemma) for lemma in (*after, clause.frequency) if lemma]
    if clause.frequency == "never":
        signs[-1] = replace(signs[-1], head="shake")
    if clause.finished:
        signs.append(token("finish"))
    if clause.negated:
        signs.append(replace(token("not"), head="shake"))
    if clause.question not in ("", "polar"):
        signs.append(token(clause.question))
    return signs
