"""Captions cleaned as the paper cleans YouTube's: each step, their order, and what must stay."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.text import captions
from signloom.text.captions import (
    STEPS,
    clean_caption,
    drop_speaker,
    strip_marks,
    strip_quotes,
    strip_sounds,
    strip_tags,
    unescape,
)


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(captions)
    assert result.attempted >= 9
    assert result.failed == 0


def test_the_steps_stand_in_the_order_of_the_paper() -> None:
    assert [step.__name__ for step in STEPS] == [
        "unescape",
        "strip_tags",
        "strip_sounds",
        "strip_marks",
        "drop_speaker",
        "close_punctuation",
        "collapse_spaces",
        "strip_quotes",
    ]


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        # The paper's own examples.
        ("&lt;font color=&quot;#E5E5E5&quot;&gt;Hello&lt;/font&gt; there", "Hello there"),
        ("(laughter) Really?", "Really?"),
        ("[music]", ""),
        ("He left. *flush*", "He left."),
        ("♪ Oh, what a day ♪", "Oh, what a day ♪"),
        ("• First of all", "First of all"),
        ("John: Come in .", "Come in."),
        # Nested, one in another kind, over lines, and without a partner.
        ("A (b (c) d) e", "A e"),
        ("A [b (c) d] e", "A e"),
        ("Start (she\nlaughs) end", "Start end"),
        ("A smile :( is one.", "A smile:( is one."),
        ("(no end", "(no end"),
        ("no start]", "no start]"),
        ("(a [b) c] d", "(a [b) c] d"),
        # Lines: each may begin with a mark and a speaker.
        ("- Hi!\n- John: Hello.", "Hi! Hello."),
        ("-John: Yes.\u2028-Mary: No.", "Yes. No."),
        ('&gt;&gt; Mary: *laughs* "It is ."\n>>> And now', 'It is." And now'),
        ("one\u2028two\x85three", "one two three"),
        # What looks like one of these and is none.
        ("It was -5 degrees", "It was -5 degrees"),
        ("-5 degrees", "-5 degrees"),
        ("At 10:30 we ate.", "At 10:30 we ate."),
        ("10:30 is fine.", "10:30 is fine."),
        ("https://example.org is it", "https://example.org is it"),
        ("Two words: no speaker", "Two words: no speaker"),
        ("I <3 you, 1 < 2 > 0", "I <3 you, 1 < 2 > 0"),
        ("> 5 is more", "> 5 is more"),
        ("2 * 3 * 4 is 5*6*7", "2 * 3 * 4 is 5*6*7"),
        ("What the f***", "What the f***"),
        # Quotation marks.
        ("“It’s cold,” she said.", "It's cold,\" she said."),
        ("'So it goes.'", "So it goes."),
        ("the dogs'", "the dogs'"),
        ("'Tis late", "'Tis late"),
        # Nothing signed is left.
        ("", ""),
        ("♪ ♪", ""),
        ("- ...", ""),
        ("MAN:", ""),
        ("<i></i>", ""),
        ('"?!"', ""),
    ],
)
def test_a_caption_becomes_its_sentence(caption: str, text: str) -> None:
    assert clean_caption(caption) == text


def test_the_order_matters() -> None:
    """Entities hide tags, tags hide marks, marks hide speakers, sounds leave spaces."""
    hidden = "&lt;i&gt;- Mom: Come (sighs) !&lt;/i&gt;"
    assert clean_caption(hidden) == "Come!"
    late = hidden
    for step in (strip_tags, strip_marks, drop_speaker, unescape, strip_sounds, strip_quotes):
        late = step(late)
    assert late == "<i>- Mom: Come   !</i>"


pieces = st.sampled_from(
    [*"()[]*<>\"'♪•-: \n\u2028.,!&;", "John", "word", "&amp;", "&lt;b&gt;", "<i>", "</i>", "“", "5"]
)


@given(st.lists(pieces, max_size=25).map("".join))
def test_no_input_leaves_what_has_to_go(caption: str) -> None:
    text = clean_caption(caption)
    assert text == " ".join(text.split())
    assert not re.search(r"\([^()\[\]]*\)|\[[^()\[\]]*\]", text)
    assert not re.search(r" [,.;:!?]", text)
    assert '"' not in {text[:1], text[-1:]}
    assert text == "" or re.search(r"\w", text)


@given(st.text(st.characters(categories=["L", "Zs", "Nd"]), max_size=40))
def test_plain_words_stay(words: str) -> None:
    assert clean_caption(words).split() == captions.clean(words).split()
