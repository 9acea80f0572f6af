"""English inflection: a few rules, and the exceptions that ``words`` lists."""

from __future__ import annotations

import re

from signloom.simulator.words import (
    IRREGULAR_COMPARATIVES,
    IRREGULAR_PASTS,
    IRREGULAR_PLURALS,
)

_SHORT = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")
_A_BEFORE_VOWEL = ("uni", "use", "eu")
_AN_BEFORE_CONSONANT = ("hon", "hour")


def _with_s(word: str) -> str:
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def _doubled(word: str) -> str:
    return word + word[-1] if _SHORT.fullmatch(word) else word


def plural(noun: str) -> str:
    """
    >>> plural("box"), plural("child")
    ('boxes', 'children')
    """
    return IRREGULAR_PLURALS.get(noun) or _with_s(noun)


def third(verb: str) -> str:
    """The form after he, she, it.

    >>> third("carry"), third("go")
    ('carries', 'goes')
    """
    return {"have": "has", "go": "goes"}.get(verb) or _with_s(verb)


def past(verb: str) -> str:
    """
    >>> past("stop"), past("eat"), past("carry")
    ('stopped', 'ate', 'carried')
    """
    if verb in IRREGULAR_PASTS:
        return IRREGULAR_PASTS[verb]
    if verb.endswith("e"):
        return verb + "d"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    return _doubled(verb) + "ed"


def progressive(verb: str) -> str:
    """
    >>> progressive("write"), progressive("see"), progressive("run")
    ('writing', 'seeing', 'running')
    """
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return _doubled(verb) + "ing"


def comparative(adjective: str) -> str:
    """
    >>> comparative("big"), comparative("happy"), comparative("famous")
    ('bigger', 'happier', 'more famous')
    """
    if adjective in IRREGULAR_COMPARATIVES:
        return IRREGULAR_COMPARATIVES[adjective]
    if adjective.endswith("e") and len(re.findall("[aeiouy]+", adjective[:-1])) == 1:
        return adjective + "r"
    if re.search(r"[^aeiou]y$", adjective):
        return adjective[:-1] + "ier"
    if len(re.findall("[aeiouy]+", adjective)) == 1:
        return _doubled(adjective) + "er"
    return f"more {adjective}"


def article(following: str) -> str:
    """'a' or 'an', whichever the following word takes."""
    if following.startswith(_A_BEFORE_VOWEL):
        return "a"
    return "an" if following[0] in "aeiou" or following.startswith(_AN_BEFORE_CONSONANT) else "a"
