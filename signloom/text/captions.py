"""Captions as people upload them, cleaned to the sentence that is signed.

[S] "Lost in Translation, Found in Embeddings", A.7: markup, sounds, marks, speakers and
outer quotation marks go. Each step takes a text and gives a text; ``STEPS`` is their order.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

from signloom.text.clean import clean, words_of

Step = Callable[[str], str]

_TAG = re.compile(r"<(?:/?[A-Za-z][^<>]*|/|[0-9][0-9:.]*)>")
_BRACKETED = re.compile(r"\([^()\[\]]*\)|\[[^()\[\]]*\]")
_STARRED = re.compile(r"(?<![\w*])\*(?![\s*])[^*]*(?<!\s)\*(?![\w*])")
_MARKS = re.compile(r"^(?:[\s♪♫•–—]|>{2,}|-(?!\d))+")
_SPEAKER = re.compile(r"^\s*[^\W\d_][\w'’.-]*\s*:(?!//)")
_BEFORE_PUNCTUATION = re.compile(r"\s+(?=[,.;:!?…])")
_QUOTES = '"“”„«»'
_SINGLE = {"'": "'", "‘": "’", "‚": "‘"}


def unescape(text: str) -> str:
    """HTML entities as the characters that they stand for.

    >>> unescape("Tom &amp; Jerry")
    'Tom & Jerry'
    """
    return html.unescape(text)


def strip_tags(text: str) -> str:
    """Without tags of markup and the timestamps inside WebVTT cues; ``<3`` and ``a < b`` stay.

    >>> strip_tags("<font color='red'>Hi</font> <00:00:01.500><c>there</c>")
    'Hi there'
    """
    return _TAG.sub("", text)


def strip_sounds(text: str) -> str:
    """Without what stands in (…), […] or *…*, also nested; what has no partner stays.

    >>> strip_sounds("Look (she laughs [softly]) there *flush*").split()
    ['Look', 'there']
    """
    while (shorter := _STARRED.sub(" ", _BRACKETED.sub(" ", text))) != text:
        text = shorter
    return text


def strip_marks(text: str) -> str:
    """Lines without the notes, bullets, dashes and ">>" (another speaks) they begin with; a minus before a
    digit stays.

    >>> strip_marks("- Hello!"), strip_marks(">> Hello!")
    ('Hello!', 'Hello!')
    """
    return _by_line(text, lambda line: _MARKS.sub("", line))


def drop_speaker(text: str) -> str:
    """Lines without the one word and colon they begin with.

    >>> drop_speaker("John: It is 10:30.").strip()
    'It is 10:30.'
    """
    return _by_line(text, lambda line: _SPEAKER.sub("", line))


def close_punctuation(text: str) -> str:
    """No space before a punctuation mark.

    >>> close_punctuation("Well , yes !")
    'Well, yes!'
    """
    return _BEFORE_PUNCTUATION.sub("", text)


def collapse_spaces(text: str) -> str:
    """Runs of spaces and line ends (U+2028 among them) as one space, none at the ends.

    >>> collapse_spaces(" a\\u2028 b\\n")
    'a b'
    """
    return " ".join(text.split())


def strip_quotes(text: str) -> str:
    """Without quotation marks at either end; single ones only as a pair, for they are apostrophes.

    >>> strip_quotes('"So it goes."'), strip_quotes("the dogs'")
    ('So it goes.', "the dogs'")
    """
    while True:
        text = text.strip(_QUOTES + " ")
        if len(text) < 2 or _SINGLE.get(text[0]) != text[-1]:
            return text
        text = text[1:-1]


def _by_line(text: str, step: Step) -> str:
    return "\n".join(step(line) for line in text.splitlines())


STEPS: tuple[Step, ...] = (
    unescape,
    strip_tags,
    strip_sounds,
    strip_marks,
    drop_speaker,
    close_punctuation,
    collapse_spaces,
    strip_quotes,
)
"""The paper's order."""


def clean_caption(text: str) -> str:
    """A caption as one clean line; '' where no word is left of it.

    text: as the file has it, lines and all. The result also is in the house's one Unicode
    form (``text.clean``).

    >>> clean_caption("- Mom: <i>Come here</i> (door slams) !\\n[MUSIC]")
    'Come here!'
    """
    for step in STEPS:
        text = step(text)
    text = clean(text)
    return text if words_of(text) else ""
