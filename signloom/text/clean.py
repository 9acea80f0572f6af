"""Text as it is read: one Unicode form, plain spaces; and its words."""

from __future__ import annotations

import re
import unicodedata

_QUOTES = str.maketrans({"‘": "'", "’": "'", "‛": "'", "“": '"', "”": '"', "…": "..."})
_JOINERS = "\u200c\u200d"
"""Not seen themselves, but Persian and the scripts of India are written otherwise without them."""
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*", re.UNICODE)
_SPACE_BEFORE = re.compile(r" +([,.!?;:%)\]])")
_SPACE_AFTER = re.compile(r"([(\[]) +")
_APOSTROPHE = re.compile(r"(?<=\w) +('(?:s|re|m|ll|ve|d|t)\b|n't\b)", re.IGNORECASE)


def clean(text: str, lower: bool = False) -> str:
    """One line of text: Unicode NFC, plain quotes, no control characters, single spaces.

    >>> clean("  It’s\\u00a0cold …")
    "It's cold ..."
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).translate(_QUOTES)
        text = "".join(c for c in text if unicodedata.category(c) != "Cf" or c in _JOINERS)
    text = " ".join(_NOT_PRINTED.sub(" ", text).split())
    return text.lower() if lower else text


def join_punctuation(text: str) -> str:
    """Tokenised text as people write it: no space before a comma, none inside brackets.

    >>> join_punctuation("you did n't do so .")
    "you didn't do so."
    """
    text = _SPACE_BEFORE.sub(r"\1", text)
    text = _SPACE_AFTER.sub(r"\1", text)
    return _APOSTROPHE.sub(r"\1", text)


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation; inner apostrophes and hyphens stay.

    >>> words_of("The weather isn't cold, is it?")
    ['the', 'weather', "isn't", 'cold', 'is', 'it']
    """
    return [word.lower() for word in _WORD.findall(clean(text))]
