"""What a model is asked to do with signing: families of instructions, their gold, and who follows them.

The paper prints no templates (arXiv 2511.08535, stage 3); the wording is ours [D: spec §5] and stands in
`text.phrasings`. Where a rule makes or finds the gold answer of a sentence (`Ruled`), it can be learnt
from; of explain there is neither gold nor a form that could be checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from signloom.text.phrasings import FAMILIES, PHRASINGS, Family

Exact = Literal["translate", "keywords", "glosses", "count"]
Ruled = Literal["translate", "keywords", "glosses", "count", "formal", "summarise"]
"""EXACT, and the families whose answer the translation itself is where it has their form."""
EXACT: tuple[Exact, ...] = get_args(Exact)
"""Families of which every sentence has one right answer, made by a rule."""
CHECKED: tuple[Family, ...] = tuple(family for family in FAMILIES if family != "explain")
"""Families whose answers have a form that `follows` checks."""

ContentWords = Callable[[str], list[str]]
"""The words of a sentence that carry content, lower case (``metrics.words.content_words``)."""

BRIEF = 8
"""Words that a summary of one sentence has at most."""
CONTRACTION = re.compile(
    r"\b\w+(?:n['’]t|['’](?:re|ve|ll|d|m))\b"
    r"|\b(?:s?he|it|that|there|here|what|who|where|when|why|how|let)['’]s\b",
    re.IGNORECASE,
)
"""Two words as one. The 's of a noun may be its possessive, so that of these words alone counts."""
LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Stress:
    """An instruction that does not say one clear thing, and the families whose forms would do.

    all_of: every one of them is asked for, in this order (several steps); else any one will do.
    """

    kind: Literal["ambiguous", "contradictory", "multi-step"]
    instruction: str
    families: tuple[Family, ...]
    all_of: bool = False


STRESS = (
    Stress("ambiguous", "What is this?", ("translate", "glosses", "keywords")),
    Stress("ambiguous", "Words, please.", ("keywords", "glosses", "translate")),
    Stress("ambiguous", "Write it down.", ("translate", "glosses")),
    Stress("contradictory", "Translate into a sentence that is only a number.", ("translate", "count")),
    Stress("contradictory", "Give the keywords as a full sentence.", ("keywords", "translate")),
    Stress("contradictory", "Give the glosses in lower case, in capitals.", ("glosses", "keywords")),
    Stress("multi-step", "Translate the signing, then count its words.", ("translate", "count"), True),
    Stress("multi-step", "Give the glosses and then the keywords.", ("glosses", "keywords"), True),
    Stress("multi-step", "First translate, then list the glosses.", ("translate", "glosses"), True),
)  # fmt: skip
"""The stress set (F5.6)."""


def family_of(instruction: str) -> Family:
    """The family of a phrasing. Raises KeyError where it is none of PHRASINGS."""
    return _FAMILY_OF[instruction]


_FAMILY_OF = {
    phrase: family
    for family, phrasings in PHRASINGS.items()
    for part in (phrasings.part("wide"), phrasings.held, phrasings.fresh)
    for phrase in part
}


def gold(family: Ruled, text: str, glosses: str, content_words: ContentWords) -> str:
    """The right answer for a sentence; "" where it has none (no keyword, no gloss known, a translation that
    is not formal or no summary of itself).

    >>> gold("keywords", "The dog did not bark.", "DOG BARK NOT", lambda s: ["dog", "bark"])
    'dog, bark'
    """
    if family == "translate":
        return text.strip()
    if family == "keywords":
        return ", ".join(dict.fromkeys(content_words(text)))
    if family == "glosses":
        return glosses
    if family in ("formal", "summarise"):
        said = text.strip()
        return said if follows(family, said, content_words) else ""
    return str(len(text.split())) if text.strip() else ""


def follows(family: Family, answer: str, content_words: ContentWords) -> bool:
    """Whether an answer has the form that its instruction asked for; not whether it is right.

    translate: a sentence of two words or more with its end mark, not in capitals. formal: the same without
    contractions. summarise: the same in at most BRIEF words. keywords: content words alone, with commas
    between. glosses: capitals alone, without commas or an end mark; a number may stand among them, and small
    letters in a piece of their own beside capitals (IX-right, fs-ANNA). count: one number.
    Raises ValueError for explain, which no rule checks.
    """
    said = answer.strip()
    parts = said.split()
    if family == "count":
        return bool(re.fullmatch(r"\d+", said))
    if family == "glosses":
        shouted = any(c.isupper() for c in said) and not any(c in ",.?!" for c in said)
        return shouted and all(map(_is_gloss, parts))
    if family == "keywords":
        listed = [part.strip() for part in said.split(",")]
        plain = bool(said) and said == said.lower() and said[-1] not in ".?!"
        plain = plain and any(c.isalpha() for c in said)
        return plain and all(part and content_words(part) == part.split() for part in listed)
    if family == "explain":
        raise ValueError("no rule says whether an explanation is one")
    sentence = len(parts) > 1 and said[-1] in ".?!" and said != said.upper()
    if family == "formal":
        return sentence and not CONTRACTION.search(said)
    if family == "summarise":
        return sentence and len(parts) <= BRIEF
    return sentence


def _is_gloss(word: str) -> bool:
    """Whether a word is capitals, a number, or has pieces of capitals and of small letters, none mixed."""
    pieces = LETTERS.findall(word)
    if not pieces:
        return any(c.isdigit() for c in word)
    shouted = any(piece.isupper() for piece in pieces)
    return shouted and all(piece.isupper() or piece.islower() for piece in pieces)


def follows_stress(stress: Stress, answer: str, content_words: ContentWords) -> bool:
    """Whether an answer does one of what a stress instruction may mean, or all of what it says, in its order.

    Steps are looked for in pieces: lines, or what stands before and after an end mark; each behind the
    piece of the step before.
    """
    if not stress.all_of:
        return any(follows(family, answer, content_words) for family in stress.families)
    pieces = iter(p for p in re.split(r"\n|(?<=[.?!;:])\s+", answer.strip()) if p)
    return all(
        any(follows(family, piece.rstrip(";:"), content_words) for piece in pieces)
        for family in stress.families
    )
