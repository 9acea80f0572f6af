"""English word forms: which entry of a vocabulary stands for a word met in a sentence.

Simple rules and a list of irregular forms, ours, no morphology: a form counts
only if the vocabulary has it, so a wrong guess finds nothing.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

UNSIGNED = frozenset(
    """
    a an the am is are was were be been being do does did
    to of at by into as it its it's that's so just even may might would could
    he him he's these those 's 're 'm
    """.split()
)
"""English function words that have no sign of their own, or are shown by pointing and grammar.

They are skipped where the vocabulary has no entry for them: never spelled, and
not counted against a sentence's coverage. The list is ours (v1).
"""
LONGEST_ENTRY = 4
"""Words in the longest entry of several words that is looked for ('fall in love', 'from now on')."""

_IRREGULAR = {
    base: forms.split()
    for base, forms in {
        "go": "went gone", "see": "saw seen", "come": "came", "eat": "ate eaten",
        "drink": "drank drunk", "give": "gave given", "take": "took taken", "get": "got gotten",
        "make": "made", "know": "knew known", "think": "thought", "say": "said", "tell": "told",
        "find": "found", "feel": "felt", "leave": "left", "keep": "kept", "buy": "bought",
        "bring": "brought", "catch": "caught", "teach": "taught", "sell": "sold", "send": "sent",
        "meet": "met", "lose": "lost", "win": "won", "pay": "paid", "hear": "heard",
        "hold": "held", "stand": "stood", "understand": "understood", "sit": "sat",
        "sleep": "slept", "wake": "woke woken", "write": "wrote written", "read": "read",
        "speak": "spoke spoken", "break": "broke broken", "choose": "chose chosen",
        "forget": "forgot forgotten", "drive": "drove driven", "ride": "rode ridden",
        "fly": "flew flown", "grow": "grew grown", "throw": "threw thrown", "draw": "drew drawn",
        "wear": "wore worn", "begin": "began begun", "start": "started", "run": "ran",
        "swim": "swam swum", "sing": "sang sung", "fall": "fell fallen", "build": "built",
        "become": "became", "have": "has had having 've", "will": "'ll would", "can": "could",
        "lie": "lay lain lying", "die": "dying", "tie": "tying", "spend": "spent",
        "steal": "stole stolen", "hide": "hid hidden", "bite": "bit bitten", "fight": "fought",
        "man": "men", "woman": "women", "child": "children", "foot": "feet", "tooth": "teeth",
        "mouse": "mice", "person": "people", "knife": "knives", "wife": "wives", "life": "lives",
        "leaf": "leaves", "wolf": "wolves", "good": "better best",
        "bad": "worse worst", "not": "n't cannot", "i": "me", "me": "i", "my": "mine",
        "your": "yours", "you": "ya", "they": "them", "them": "they", "he": "him", "him": "he",
        "she": "her", "her": "hers she", "we": "us", "us": "we", "our": "ours", "their": "theirs",
        "himself": "herself", "mother": "mom", "father": "dad", "television": "tv",
    }.items()
}  # fmt: skip
_BASES: dict[str, list[str]] = {}
for _base, _forms in _IRREGULAR.items():
    for _form in _forms:
        _BASES.setdefault(_form, []).append(_base)


def bases(word: str) -> list[str]:
    """The entries that may stand for ``word`` (lower case), likeliest first; the word is the first.

    >>> bases("carries")
    ['carries', 'carrie', 'carri', 'carry']
    """
    found = [word, *_BASES.get(word, [])]
    if "'" in word:
        stem, mark, tail = word.rpartition("'")
        if mark + tail == "'t" and stem.endswith("n"):
            found += ["not", stem[:-1]]
        else:
            found += bases(stem)
    if len(word) > 3:
        if word.endswith("s") and not word.endswith("ss"):
            found.append(word[:-1])
        if word.endswith("es"):
            found.append(word[:-2])
        if word.endswith("ies"):
            found.append(word[:-3] + "y")
        if word.endswith("ied"):
            found.append(word[:-3] + "y")
        for ending in ("ed", "ing"):
            stem = word.removesuffix(ending)
            if stem != word and len(stem) > 1:
                found += [stem, stem + "e"]
                if len(stem) > 2 and stem[-1] == stem[-2]:
                    found.append(stem[:-1])
    return list(dict.fromkeys(found))


def entry_for(word: str, vocabulary: Container[str], forms: bool = True) -> str | None:
    """The vocabulary's entry for a word: itself or, with ``forms``, a base of it. None if neither."""
    candidates = bases(word) if forms else [word]
    return next((base for base in candidates if base in vocabulary), None)


@dataclass(frozen=True)
class Match:
    """Some words of a sentence and the entry that stands for them, None where none does."""

    words: tuple[str, ...]
    entry: str | None


def match(words: Sequence[str], vocabulary: Container[str], forms: bool = True) -> list[Match]:
    """The words cut into entries, left to right, the longest entry first.

    >>> match(["i", "like", "ice", "creams"], {"like", "ice cream"})
    [Match(words=('i',), entry=None), Match(words=('like',), entry='like'), Match(words=('ice', 'creams'), entry='ice cream')]
    """
    found: list[Match] = []
    entry: str | None
    at = 0
    while at < len(words):
        for length in range(min(LONGEST_ENTRY, len(words) - at), 1, -1):
            entry = " ".join(words[at : at + length])
            if forms and entry not in vocabulary:
                entry = entry.removesuffix("s")
            if entry in vocabulary:
                break
        else:
            length, entry = 1, entry_for(words[at], vocabulary, forms)
        found.append(Match(tuple(words[at : at + length]), entry))
        at += length
    return found
