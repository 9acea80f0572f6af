"""Text that runs from right to left, beside numbers."""

from __future__ import annotations

import unicodedata

_FIRST_STRONG, _POP = "\u2068", "\u2069"


def isolated(text: str) -> str:
    """The text between isolates where any of it runs from right to left, else as it is.

    Without them a terminal lays out a number that follows as part of the right-to-left run. The
    text itself stays in logical order.

    >>> isolated("HOUSE")
    'HOUSE'
    >>> isolated("بيت") == "\\u2068بيت\\u2069"
    True
    """
    turned = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in text)
    return f"{_FIRST_STRONG}{text}{_POP}" if turned else text
