"""What counts as a word, and which words carry content: the definitions behind content-word F1.

The list is the project's own and has a name and a version, because a score
that rests on a list is only comparable with scores that rest on the same one.
"""

from __future__ import annotations

import re
from typing import Literal

StopWords = Literal["en-v1", "none"]

EN_V1 = frozenset(
    """
    a an the this that these those
    i me my mine myself we us our ours ourselves you your yours yourself yourselves
    he him his himself she her hers herself it its itself they them their theirs themselves
    one oneself someone somebody something anyone anybody anything everyone everybody everything
    who whom whose which what where when why how
    am is are was were be been being isn't aren't wasn't weren't ain't
    i'm you're we're they're he's she's it's that's there's here's what's who's where's let's
    do does did doing done don't doesn't didn't
    have has had having haven't hasn't hadn't i've you've we've they've
    i'd you'd he'd she'd it'd we'd they'd i'll you'll he'll she'll it'll we'll they'll that'll
    can could may might must shall should will would ought
    can't cannot couldn't mightn't mustn't shan't shouldn't won't wouldn't
    not no nor
    and or but so yet if then else than because while although though unless until whether as
    of in on at by for with without about against between among into onto through during before
    after above below to from up down out off over under again further toward towards upon within
    across along around behind beside near since via per
    there here very too just also only even still such both each either neither
    all any some every much many more most few less least several own same other another
    well oh um uh yeah okay ok
    """.split()
)
"""English function words: articles, pronouns, auxiliaries, prepositions, conjunctions, fillers."""

_LISTS: dict[str, frozenset[str]] = {"en-v1": EN_V1, "none": frozenset()}

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’\-][^\W_{_CJK}]+)*")
"""A word: letters and digits, inner apostrophes and hyphens; each Han or Kana sign is its own."""


def words(sentence: str) -> list[str]:
    """The words of a sentence, lower case, typographic apostrophes straightened.

    >>> words("The dog’s 3 well-fed puppies.")
    ['the', "dog's", '3', 'well-fed', 'puppies']
    """
    return [word.lower().replace("’", "'") for word in WORD.findall(sentence)]


def is_content(word: str, stop_words: StopWords = "en-v1") -> bool:
    """Whether a word (any case) is outside the stop-word list."""
    return word.lower().replace("’", "'") not in _LISTS[stop_words]


def content_words(sentence: str, stop_words: StopWords = "en-v1") -> list[str]:
    """The words of a sentence that are not on the stop-word list, in order, lower case."""
    listed = _LISTS[stop_words]
    return [word for word in words(sentence) if word not in listed]
