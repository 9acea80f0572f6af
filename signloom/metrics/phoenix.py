"""What the two PHOENIX corpora do to glosses, of both sides, before they count errors.

The rules are those of the corpora's evaluation scripts (Koller et al. 2015; Camgöz et al. 2018),
which differ between 2014 and 2014T, written here over glosses instead of over characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

_LETTERS = re.compile(r"(?:[A-Z]|SCH|NN)(?:\+(?:[A-Z]|SCH|NN))*")
_SPELLED_WRONG = {"S0NNE": "SONNE", "HABEN2": "HABEN"}
_PARTS_2014 = ("loc-", "cl-", "qu-", "poss-", "lh-")
_MARKS_2014 = ("__EMOTION__", "__PU__", "__LEFTHAND__")
_MARK = re.compile(r"__[^_ ]*__")


def clean_phoenix_2014(glosses: str) -> str:
    """The glosses of a sentence as RWTH-PHOENIX-Weather 2014 scores them.

    Where they are signed and how (loc-, cl-, qu-, poss-, lh-, -PLUSPLUS, …RAUM) is dropped, so
    are the marks __EMOTION__, __PU__ and __LEFTHAND__; two variants become their gloss; letters
    spelled one by one become one gloss, and a gloss that follows itself is counted once.

    >>> clean_phoenix_2014("loc-NORD REGEN-PLUSPLUS REGEN __PU__ IX S H")
    'NORD REGEN IX S+H'
    """
    for part in (*_PARTS_2014, *_MARKS_2014):
        glosses = glosses.replace(part, "")
    for wrong, right in _SPELLED_WRONG.items():
        glosses = glosses.replace(wrong, right)
    words = [
        f"{gloss}-BILDSCHIRM" if gloss.endswith("ZEIGEN") else gloss
        for gloss in _looking(glosses.split())
    ]
    spelled = (re.sub(r"([A-Z]{2})RAUM", r"\1", gloss) for gloss in _spelled(words))
    return _once(gloss.replace("-PLUSPLUS", "") for gloss in spelled)


def clean_phoenix_2014t(glosses: str) -> str:
    """The glosses of a sentence as RWTH-PHOENIX-Weather 2014T scores them.

    As `clean_phoenix_2014`, but every mark __X__ goes, while qu-, poss- and lh-, and the
    glosses that 2014 calls variants, stay as they are.

    >>> clean_phoenix_2014t("__ON__ loc-NORD cl-KOMMEN poss-MEIN WOLKERAUM WOLKE")
    'NORD KOMMEN poss-MEIN WOLKE'
    """
    words = [gloss for word in glosses.split() if (gloss := _plain(_MARK.sub("", word)))]
    return _once(_spelled(_looking(words)))


def _plain(gloss: str) -> str:
    """Without the place and manner that 2014T drops."""
    gloss = re.sub(r"\b(?:loc|cl)-", "", gloss).removesuffix("-PLUSPLUS")
    return "-".join(re.sub(r"^([A-Z]+)RAUM$", r"\1", part) for part in gloss.split("-"))


def _looking(words: Sequence[str]) -> list[str]:
    """WIE followed by AUSSEHEN is one gloss."""
    found: list[str] = []
    for word in words:
        if found and found[-1] == "WIE" and word == "AUSSEHEN":
            found[-1] = "WIE-AUSSEHEN"
        else:
            found.append(word)
    return found


def _spelled(words: Iterable[str]) -> list[str]:
    """Letters spelled one after the other, SCH and NN beside a letter too, joined by '+'.

    At the start of a sentence the scripts leave the first of three letters apart; this does not.
    """
    found: list[str] = []
    for word in words:
        before = found[-1] if found else ""
        if _LETTERS.fullmatch(word) and _LETTERS.fullmatch(before) and _joins(before, word):
            found[-1] = f"{before}+{word}"
        else:
            found.append(word)
    return found


def _joins(before: str, after: str) -> bool:
    last, first = before.rpartition("+")[2], after.partition("+")[0]
    return len(first) == 1 or (len(last) == 1 and first == "NN")


def _once(words: Iterable[str]) -> str:
    return " ".join(word for word, _ in groupby(word for word in words if word))
