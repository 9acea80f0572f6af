"""Glosses to ids and back, and which vocabulary a checkpoint was trained with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers

from signloom.errors import MediaError, UsageError
from signloom.text.tokenizer import END, PAD, START, UNKNOWN
from signloom.training.checkpoint import TOKENIZER, Checkpoint


@dataclass(frozen=True)
class GlossCodec:
    """Glosses to ids and back: one id a gloss, or the tokens of a decoder's own vocabulary.

    start, end: what a decoder begins and ends with. pad: fills up, and is CTC's blank.
    """

    tokenizer: Tokenizer
    start: int
    pad: int
    end: int

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the first end."""
        kept = list(ids[: ids.index(self.end)] if self.end in ids else ids)
        kept = [token for token in kept if token not in (self.start, self.pad)]
        return str(self.tokenizer.decode(kept, skip_special_tokens=False)).strip()


def gloss_tokenizer(texts: Sequence[str]) -> Tokenizer:
    """One token a gloss: <pad> <unk> <s> </s>, then the glosses in order (spec §2, tokens).

    Raises UsageError where the texts have no gloss.
    """
    glosses = sorted({gloss for text in texts for gloss in text.split()})
    if not glosses:
        raise UsageError(
            "the training samples have no glosses, which is what this method learns to write; "
            "train on a store with glosses, or on simulated sentences"
        )
    names = dict.fromkeys([PAD, UNKNOWN, START, END, *glosses])
    tokenizer = Tokenizer(
        models.WordLevel({name: i for i, name in enumerate(names)}, unk_token=UNKNOWN)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


ENDS = (END, "<|endoftext|>")
STARTS = (START, "<|endoftext|>")
"""How a text ends and begins in tokenizers of the GPT-2 family, and in ours."""


def codec_of(tokenizer: Tokenizer) -> GlossCodec:
    """The codec of a tokenizer, ours or a GPT-2's. Raises UsageError where it has no end of text."""
    found = [
        next((i for name in names if (i := tokenizer.token_to_id(name)) is not None), None)
        for names in (STARTS, (PAD, *ENDS), ENDS)
    ]
    if None in found:
        raise UsageError(
            f"the tokenizer ({tokenizer.get_vocab_size()} tokens) says with none of "
            f"{', '.join(dict.fromkeys((*STARTS, *ENDS)))} where a text ends; use the glosses as vocabulary"
        )
    start, pad, end = (int(i) for i in found if i is not None)
    return GlossCodec(tokenizer, start, pad, end)


def refuse_unwritable(codec: GlossCodec, texts: Sequence[str], source: str) -> None:
    """UsageError where the decoder of ``source`` cannot write a gloss in its own tokens as it stands.

    Some tokenizers drop marks and capitals, or know no byte of it: what is written would always be an error.
    """
    glosses = sorted({gloss for text in texts for gloss in text.split()})
    written = {gloss: codec.decode(codec.encode(gloss)) for gloss in glosses}
    if lost := [gloss for gloss in glosses if written[gloss] != gloss]:
        raise UsageError(
            f"the tokens of '{source}' cannot write {len(lost)} of {len(glosses)} glosses: '{lost[0]}' comes "
            f"back as '{written[lost[0]]}', which would always be an error; use vocabulary 'glosses', or "
            "write the glosses as the tokens do"
        )


def vocabulary(tokenizer: Tokenizer) -> dict[str, Any]:
    """What tells a vocabulary from another: how many tokens it has, and a hash of which is which."""
    names = json.dumps(sorted(tokenizer.get_vocab().items()), ensure_ascii=False)
    return {
        "tokens": tokenizer.get_vocab_size(),
        "sha256": hashlib.sha256(names.encode()).hexdigest(),
    }


def own_tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    """The tokenizer beside a checkpoint's weights. Raises MediaError where it is another corpus's."""
    found = checkpoint.tokenizer()
    trained, there = checkpoint.config.get("vocabulary"), vocabulary(found)
    if trained and trained != there:
        raise MediaError(
            f"{checkpoint.folder / TOKENIZER} is another vocabulary ({there['tokens']} tokens, "
            f"sha256 {there['sha256'][:12]}…) than the weights were trained with "
            f"({trained['tokens']} tokens, {trained['sha256'][:12]}…): every token would be a wrong "
            "one; copy the checkpoint's own file again"
        )
    return found


def fresh_rows(codec: GlossCodec, old: Any, names: Sequence[str]) -> list[str]:
    """``names`` where the other model's vocabulary is another one, else none of them."""
    theirs = getattr(old, "codec", None)
    same = theirs is not None and theirs.tokenizer.get_vocab() == codec.tokenizer.get_vocab()
    return [] if same else list(names)
