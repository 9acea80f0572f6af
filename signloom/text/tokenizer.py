"""Byte-pair tokens of written text, trained on the text at hand (spec §1: BPE, 15,000 in the paper).

A space belongs to the token after it (written "▁"), so text comes back exactly
as it went in: NFC, single spaces, none at the ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from signloom.errors import UsageError

START, PAD, END, UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"
SPECIALS = (START, PAD, END, UNKNOWN, "<mask>", "<PERSON>", "<UNKNOWN>")
"""The paper's special tokens, in its order: <s> is 0, <pad> 1, </s> 2, <unk> 3 (spec §1)."""


def train_bpe(texts: Iterable[str], vocab_size: int, min_frequency: int = 2) -> Tokenizer:
    """A BPE tokenizer of at most ``vocab_size`` tokens; ``encode`` puts <s> and </s> around a text.

    Words and punctuation are cut apart first, so no token spans two words. The
    same texts give the same tokenizer. Raises UsageError where there is no text,
    or where ``vocab_size`` cannot hold the special tokens and the letters.
    """
    sentences = [stripped for text in texts if (stripped := text.strip())]
    if not sentences:
        raise UsageError("there is no text to train a tokenizer on; expected at least one sentence")
    letters = len(set("".join(sentences)))
    if vocab_size < len(SPECIALS) + letters:
        raise UsageError(
            f"a vocabulary of {vocab_size} cannot hold the {len(SPECIALS)} special tokens and the "
            f"{letters} characters of the text; give at least {len(SPECIALS) + letters}"
        )
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.Punctuation()]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    tokenizer.train_from_iterator(
        sentences,
        trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=min_frequency,
            special_tokens=list(SPECIALS),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}",
        special_tokens=[(name, token_id(tokenizer, name)) for name in (START, END)],
    )
    return tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The number of a token. Raises UsageError where the tokenizer has no such token."""
    found = tokenizer.token_to_id(token)
    if found is None:
        raise UsageError(
            f"the tokenizer ({tokenizer.get_vocab_size()} tokens) has no token '{token}'; "
            "expected one made by signloom.text.tokenizer.train_bpe"
        )
    return int(found)


def text_of(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    """The text of tokens up to the first </s>; <s> and <pad> are left out, other specials stay."""
    start, pad, end = (token_id(tokenizer, name) for name in (START, PAD, END))
    kept = []
    for token in tokens:
        if token == end:
            break
        if token not in (start, pad):
            kept.append(int(token))
    return tokenizer.decode(kept, skip_special_tokens=False).strip()
