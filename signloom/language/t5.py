"""T5 as the language model of system 3: read whole from a folder or a hub, or built from a shape.

Source: Lost in Translation, Found in Embeddings (arXiv 2512.08040), spec §3: Flan-T5 [S]. What
is read is referred to, never copied (`Base`); what is built begins with random weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

import torch
from tokenizers import AddedToken, Tokenizer, pre_tokenizers, processors
from torch import nn
from transformers import T5Config, T5ForConditionalGeneration

from signloom.errors import MediaError, UsageError, one_line
from signloom.language.pretrained import (
    TOKENIZER,
    again,
    config_of,
    filled_share,
    licence,
    located,
    read_tokenizer,
    sha256,
    weight_files,
)
from signloom.language.pretrained import Base as Base
from signloom.text.tokenizer import END, PAD, START, token_id, train_bpe

SENTINELS = 32
"""How many sentinels a tokenizer of ours has; T5 has 100, and no sentence needs them [D]."""

DIGITS = "0123456789"


@dataclass(frozen=True)
class TextCodec:
    """Text to ids and back, the same for T5's own tokenizer and for one made here.

    start: what a decoder begins with. pad, end: fill and end of a text.
    digit_ids: ids of the bare digits 0 … 9. A text may write "37" as one token; a number that
        is put together from these never does (spec §3, SSA target [D]).
    sentinels: ids of <extra_id_0>, <extra_id_1>, …
    """

    tokenizer: Tokenizer
    start: int
    pad: int
    end: int
    digit_ids: tuple[int, ...]
    sentinels: tuple[int, ...]

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the first end; start, pad and sentinels are left out."""
        dropped = {self.start, self.pad, *self.sentinels}
        kept: list[int] = []
        for token in map(int, ids):
            if token == self.end:
                break
            if token not in dropped:
                kept.append(token)
        return str(self.tokenizer.decode(kept, skip_special_tokens=False)).strip()


def codec_of(tokenizer: Tokenizer) -> TextCodec:
    """The codec of a tokenizer, T5's own or one of `train_codec`.

    A decoder begins with <s> where the tokenizer has one, as ours do, else with <pad>, as T5's
    does. Raises UsageError where a token that is needed is not there.
    """
    start = START if tokenizer.token_to_id(START) is not None else PAD
    sentinels: list[int] = []
    while (found := tokenizer.token_to_id(sentinel(len(sentinels)))) is not None:
        sentinels.append(found)
    return TextCodec(
        tokenizer,
        token_id(tokenizer, start),
        token_id(tokenizer, PAD),
        token_id(tokenizer, END),
        tuple(token_id(tokenizer, digit) for digit in DIGITS),
        tuple(sentinels),
    )


def train_codec(texts: Sequence[str], vocabulary: int) -> TextCodec:
    """A codec with a BPE of at most ``vocabulary`` tokens, ten digits and the sentinels among them.

    Digits never merge, neither with each other nor with what stands beside them.
    Raises UsageError where there is no text or the vocabulary is too small for its letters.
    """
    own = len(DIGITS) + SENTINELS
    if vocabulary <= own:
        raise UsageError(
            f"a vocabulary of {vocabulary} cannot hold {len(DIGITS)} digits and {SENTINELS} "
            "sentinels and letters besides; give at least a few hundred"
        )
    tokenizer = train_bpe((re.sub(r"[0-9]", " ", text) for text in texts), vocabulary - own)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="first"),
            pre_tokenizers.Punctuation(),
            pre_tokenizers.Digits(individual_digits=True),
        ]
    )
    tokenizer.add_tokens([AddedToken(digit, normalized=False) for digit in DIGITS])
    tokenizer.add_special_tokens([sentinel(number) for number in range(SENTINELS)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, token_id(tokenizer, END))]
    )
    return codec_of(tokenizer)


def sentinel(number: int) -> str:
    """The token that stands for a span cut out of a text, as T5 writes it."""
    return f"<extra_id_{number}>"


@dataclass(frozen=True)
class T5Shape:
    """The shape of a T5 v1.1, the kind that Flan-T5 is of (spec §3).

    vocabulary: rows of the embedding. width: of the residual stream.
    key_width: of a key, a head. inner: of the feed-forward part. layers: of the encoder.
    tied: whether the output reads the embedding; Flan-T5 has an output of its own [R].
    """

    vocabulary: int
    width: int
    key_width: int
    inner: int
    layers: int
    decoder_layers: int
    heads: int
    dropout: float = 0.1
    feed_forward: Literal["gated-gelu", "relu"] = "gated-gelu"
    tied: bool = False

    def __post_init__(self) -> None:
        sizes = {f.name: getattr(self, f.name) for f in fields(self) if f.type == "int"}
        if wrong := [f"{name} {size}" for name, size in sizes.items() if size < 1]:
            raise UsageError(f"a T5 with {', '.join(wrong)} cannot be; each is at least 1")
        if not 0 <= self.dropout < 1:
            raise UsageError(f"a T5's dropout is {self.dropout}; expected 0 ≤ dropout < 1")


def build_t5(
    shape: T5Shape, seed: int, *, start: int = 0, pad: int = 1, end: int = 2
) -> T5ForConditionalGeneration:
    """A T5 with random weights that depend on the seed alone, in training mode.

    Embeddings begin with a deviation of width^-½, not T5's 1: that goes with Adafactor, whose
    steps grow with the weights, and AdamW's do not [D]. The output is not scaled, as in v1.1 [R].
    start, pad, end: ids, by default those of `train_codec`. Adapters on it are refused
    (`signloom.language.adapters.adapt`): there is nothing yet to adapt.
    """
    config = T5Config(  # type: ignore[call-arg]
        vocab_size=shape.vocabulary,
        d_model=shape.width,
        d_kv=shape.key_width,
        d_ff=shape.inner,
        num_layers=shape.layers,
        num_decoder_layers=shape.decoder_layers,
        num_heads=shape.heads,
        dropout_rate=shape.dropout,
        feed_forward_proj=shape.feed_forward,
        tie_word_embeddings=False,  # transformers 5 ties in any case; this leaves the output unscaled
        decoder_start_token_id=start,
        pad_token_id=pad,
        eos_token_id=end,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = T5ForConditionalGeneration(config)
        nn.init.normal_(model.shared.weight, std=shape.width**-0.5)
        if not shape.tied:
            head = torch.empty(shape.vocabulary, shape.width).normal_(std=shape.width**-0.5)
            model.lm_head.weight = nn.Parameter(head)
    return model.train()


@dataclass(frozen=True)
class LoadedT5:
    """A pretrained T5 in eval mode and float32, its codec, and where it came from."""

    model: T5ForConditionalGeneration
    codec: TextCodec
    base: Base


def load_t5(source: str | Path, revision: str | None = None) -> LoadedT5:
    """The T5 in a folder that transformers reads, or on the hub ("org/name").

    revision: a branch, tag or commit of the hub's. Only safetensors are read, never a pickle.
    Raises MediaError where it cannot be found or is no T5, and where a weight is missing,
    of another shape or left over: nothing is filled in with random numbers.
    """
    folder, commit = located(str(source), revision)
    said = config_of(folder, "t5", "T5, T5 v1.1 or Flan-T5")
    files = weight_files(folder)
    try:
        model, report = cast(Any, T5ForConditionalGeneration).from_pretrained(
            folder,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
        )
    except Exception as error:  # transformers raises whatever the files lead it to
        raise MediaError(
            f"the T5 in {folder} cannot be read ({one_line(error)}); give a folder written by transformers' "
            "save_pretrained or by 'signloom language', or a hub id"
        ) from error
    filled = filled_share(model, files, said, report, str(source))
    codec = _codec(folder, model)
    base = Base(
        source=str(source),
        revision=commit,
        sha256=sha256(files),
        licence=licence(folder),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        filled=filled,
    )
    return LoadedT5(cast(T5ForConditionalGeneration, model).eval(), codec, base)


def load_base(base: Base) -> LoadedT5:
    """The T5 that adapters were trained on, found again.

    Raises MediaError where it is gone, or where what is there now is another.
    """
    return again(base, load_t5)


def _codec(folder: Path, model: nn.Module) -> TextCodec:
    """The codec beside the weights. Raises MediaError where it and the model do not go together."""
    path, tokenizer = folder / TOKENIZER, read_tokenizer(folder)
    try:
        codec = codec_of(tokenizer)
    except UsageError as error:
        raise MediaError(f"{path} does not go with a T5: {error}") from error
    config = cast(Any, model).config
    ids = {
        "decoder_start_token_id": codec.start,
        "pad_token_id": codec.pad,
        "eos_token_id": codec.end,
    }
    wrong = [
        f"{name} is {getattr(config, name, None)}, the tokenizer says {value}"
        for name, value in ids.items()
        if getattr(config, name, None) != value
    ]
    if len(codec) > config.vocab_size:
        wrong.append(f"vocab_size is {config.vocab_size}, the tokenizer has {len(codec)} tokens")
    if wrong:
        raise MediaError(
            f"{path} is not the tokenizer of the model beside it: {'; '.join(wrong)}; copy the "
            "whole folder again"
        )
    return codec
