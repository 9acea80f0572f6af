"""Words as the caption scores want them: a tokeniser near that of the Penn Treebank, in Python alone.

CIDEr and ROUGE figures of the literature stand on Stanford's PTBTokenizer as pycocoevalcap
calls it, which needs Java, writes into the installed package and lets a U+2028 shift every
later sentence. This one follows its rules for English and none of its code; the name in
signatures is our own, since sentences exist that the two cut differently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from signloom.errors import MissingExtraError

NAME = "signloom-ptb-v1"

Tokens = Literal["ptb", "space", "zh", "char"]
TOKEN_NAMES: dict[Tokens, str] = {"ptb": NAME, "space": "space", "zh": "zh", "char": "char"}
"""What cuts a sentence into words → its name in signatures."""

DROPPED = frozenset(["''", "'", "``", "`", '"', ".", "?", "!", ",", ":", "-", "--", "...", ";"])
"""Punctuation that pycocoevalcap drops. Brackets stay, as -lrb- and -rrb-: it lists them in
capitals, and looks for them after lower-casing."""

_BRACKETS = dict(zip("()[]{}", "-lrb- -rrb- -lsb- -rsb- -lcb- -rcb-".split(), strict=True))
_AS_ASCII = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "…": "...", "–": "--", "—": "--"}
    | {"€": "$", "\x80": " $ ", "£": "#", "¢": " cents "}  # the treebank's own signs for money
)
_SHORT = (
    "mr mrs ms dr st prof jr sr vs etc inc co corp ltd mt gen col lt sgt capt rev sen gov rep reps "
    "ave blvd jan feb apr aug sept sep oct nov dec mon tue wed thu fri ph.d"
).split()
_GLUED = {
    "cannot": ["can", "not"],
    "gonna": ["gon", "na"],
    "wanna": ["wan", "na"],
    "gotta": ["got", "ta"],
    "gimme": ["gim", "me"],
    "lemme": ["lem", "me"],
    "'tis": ["'t", "is"],
    "'twas": ["'t", "was"],
    "y'all": ["y'", "all"],
}
_PATTERN = re.compile(
    r"""
      https?://\S*[\w/] | www\.\S*[\w/] | [\w.+-]+@[\w-]+\.[\w.]*\w   # addresses
    | </?[a-z]+>
    | @\w+
    | [A-Z]+&[A-Z]+\b
    | (?:(?<=\s)|(?<=^)|(?<=[(\[]))'(?:tis|twas|em|cause|til|bout|n'|\d0s)\b'? | (?<=\w)'n'(?=\w)
    | (?i:\b(?:SHORT)\.) | (?i:\bno\.(?=\s*\d))
    | (?:\b[^\W\d_]\.){2,} | \b[^\W\d_]\.(?!\w)                     # u.s., b.
    | (?:(?<=\s)|(?<=^))[-+]?\.\d+ | (?:(?<=\s)|(?<=^))[-+]\d+(?:[.,]\d+)*
    | \d+(?:[.,:/]\d+)+\w*                                          # 1,000  3:30  1/2
    | (?:\w+(?=n't\b))                                              # the do of don't
    | (?i:n't)\b
    | [^\W\d_]+(?:[.?][^\W\d_]+)+                                  # stop.go
    | '(?i:s|m|d|re|ve|ll)\b
    | \w+(?:(?:[-/]|'(?!(?i:s|m|d|re|ve|ll|n')\b))\w+)*             # step-touch, o'clock
    | \.{2,} | -{2,} | [?!]+ | \S
    """.replace("SHORT", "|".join(re.escape(word) for word in sorted(_SHORT, key=len)[::-1])),
    re.VERBOSE,
)
_UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd]")


def ptb_tokens(sentence: str) -> list[str]:
    """The words of an English sentence, lower case, contractions cut, punctuation dropped.

    White space of any kind, U+2028 too, only separates words. Follows the Penn Treebank's
    conventions as pycocoevalcap applies them.

    >>> ptb_tokens("We don't know Anna's dog (yet).")
    ['we', 'do', "n't", 'know', 'anna', "'s", 'dog', '-lrb-', 'yet', '-rrb-']
    """
    text = _UNREADABLE.sub(" ", sentence.translate(_AS_ASCII)).replace("&amp;", "&")
    found: list[str] = []
    for token in _PATTERN.findall(" ".join(text.split())):
        word = token.lower()
        if word in _BRACKETS:
            found.append(_BRACKETS[word])
        elif word in _GLUED:
            found += _GLUED[word]
        elif word not in DROPPED and word.strip(".") and word.strip("-"):
            found.append(word)
    return found


def tokens_by(name: Tokens) -> Callable[[str], Sequence[str]]:
    """The function that cuts a sentence into words: 'ptb' as above, 'space' at white space,
    'zh' and 'char' as sacreBLEU's tokenisers of that name.

    Raises MissingExtraError for the last two where sacreBLEU is not installed.
    """
    if name == "ptb":
        return ptb_tokens
    if name == "space":
        return str.split
    try:
        from sacrebleu.metrics.bleu import _get_tokenizer
    except ImportError:
        raise MissingExtraError("Cutting Chinese text", "metrics") from None
    cut = _get_tokenizer(name)()
    return lambda sentence: cut(sentence).split()
