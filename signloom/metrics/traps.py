"""What about two files makes their scores mean something other than it seems: said, never repaired."""

from __future__ import annotations

import re
from collections.abc import Sequence

from signloom.metrics.translation import Tokenizer

_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_END = re.compile(r"[.!?。！？…]['\"”’)\]]*\s*$")
MOST, FEW = 0.5, 0.1
"""Shares of sentences: what more than half of one side has and less than a tenth of the other."""


def suspicions(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
) -> list[str]:
    """Each suspicion in a sentence: case or final punctuation on one side only, Chinese cut at spaces."""
    pairs = [(h, r) for h, r in zip(hypotheses, references, strict=True) if h.strip() and r.strip()]
    if not pairs:
        return []
    found = []

    def share(side: int, has: re.Pattern[str]) -> float:
        return sum(has.search(pair[side]) is not None for pair in pairs) / len(pairs)

    for side, other, names in (
        (0, 1, ("hypotheses", "references")),
        (1, 0, ("references", "hypotheses")),
    ):
        if not lowercase and _capitals(pairs, side) > MOST and _capitals(pairs, other) < FEW:
            found.append(
                f"the {names[0]} have capitals and the {names[1]} have not, which costs BLEU "
                "points; --lowercase scores both without, and says so in the signature"
            )
        if share(side, _END) > MOST and share(other, _END) < FEW:
            found.append(
                f"most {names[0]} end in a full stop or the like and hardly any of the {names[1]} "
                "do, which costs BLEU points; nothing is stripped here: compare systems that "
                "write punctuation alike"
            )
    if tokenize not in ("zh", "char") and share(1, _HAN) > MOST:
        found.append(
            f"most references are in Han or Kana signs, and the tokeniser '{tokenize}' takes what "
            "stands between two spaces for a word; pass --tokenize zh (or char) and say which"
        )
    return found


def _capitals(pairs: Sequence[tuple[str, str]], side: int) -> float:
    """The share of sentences with a capital letter."""
    return sum(pair[side] != pair[side].lower() for pair in pairs) / len(pairs)
