"""Text comes back from its tokens exactly; the tokenizer is a pure function of its texts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from signloom.errors import UsageError
from signloom.text.tokenizer import SPECIALS, text_of, token_id, train_bpe

TEXTS = [
    "The weather is cold.",
    "Do you eat bread?",
    "Yesterday, my sister's cat saw 3 red houses!",
    'She said: "no, never" (twice) - and left; why?',
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789 äöüß é",
]
TOKENIZER = train_bpe(TEXTS * 2, 160)
LETTERS = "".join(sorted(set("".join(TEXTS))))


def test_special_tokens_come_first_in_the_papers_order() -> None:
    expected = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "<PERSON>", "<UNKNOWN>"]
    assert list(SPECIALS) == expected
    assert [TOKENIZER.id_to_token(i) for i in range(7)] == expected


@given(st.text(alphabet=LETTERS, max_size=60))
def test_text_round_trips(text: str) -> None:
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    encoded = TOKENIZER.encode(text)
    assert encoded.tokens[0] == "<s>"
    assert encoded.tokens[-1] == "</s>"
    assert text_of(TOKENIZER, encoded.ids) == text


def test_names_stay_one_token_with_their_spaces() -> None:
    text = "Then <PERSON> saw <UNKNOWN>, twice"
    encoded = TOKENIZER.encode(text)
    assert "<PERSON>" in encoded.tokens
    assert text_of(TOKENIZER, encoded.ids) == text


def test_text_ends_at_the_end_token_and_unknown_letters_are_said() -> None:
    ids = TOKENIZER.encode("Do you").ids
    assert text_of(TOKENIZER, [*ids, *ids]) == "Do you"
    assert "<unk>" in TOKENIZER.encode("水").tokens


def test_same_texts_same_tokenizer() -> None:
    again = train_bpe(TEXTS * 2, 160)
    assert again.to_str() == TOKENIZER.to_str()
    assert TOKENIZER.get_vocab_size() <= 160
    assert text_of(Tokenizer.from_str(again.to_str()), again.encode(TEXTS[0]).ids) == TEXTS[0]


def test_errors() -> None:
    with pytest.raises(UsageError, match="no text to train a tokenizer"):
        train_bpe(["", "  "], 100)
    with pytest.raises(UsageError, match=r"vocabulary of 10 cannot hold .* give at least \d+"):
        train_bpe(TEXTS, 10)
    with pytest.raises(UsageError, match="has no token '<nope>'"):
        token_id(TOKENIZER, "<nope>")
