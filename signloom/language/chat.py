"""Causal language models that are told what to do: read whole from a folder or hub, or a small Llama.

Any family that transformers knows, by its own chat template where it has one. Source: LSLM
(arXiv 2511.08535), spec §5: Llama-3.2 and Qwen2.5 [S]. What is read is referred to, never copied.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from signloom.errors import MediaError, UsageError, one_line
from signloom.language.pretrained import (
    CONFIG,
    TEMPLATE,
    TOKENS,
    Base,
    filled_share,
    licence,
    located,
    read_tokenizer,
    sha256,
    weight_files,
)
from signloom.text.tokenizer import END, START, token_id

PLACE = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Where in a rendered prompt the signing stands."""


DAY = "26 Jul 2024"
"""Today, for templates that take it as ``date_string``. Llama-3.2's else names the day it is asked on, and a
prompt must be the same tomorrow; this is the day it names where there is no calendar."""


@dataclass(frozen=True, eq=False)
class ChatCodec:
    """Text to ids and back, and an instruction as what stands before and behind the signing.

    start: what a text begins with, None for nothing. end: what an answer ends with.
    template: Jinja of the model's own chat, "" where it has none; then a prompt is plain text.
    """

    tokenizer: Tokenizer
    start: int | None
    end: int
    template: str = ""

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids up to the first end, without special tokens."""
        kept = list(map(int, ids))
        kept = kept[: kept.index(self.end)] if self.end in kept else kept
        return str(self.tokenizer.decode(kept, skip_special_tokens=True)).strip()

    def prompt(self, instruction: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(ids before the signing, ids behind it, at least one), by the chat template or plain.

        Raises UsageError for an instruction without words, MediaError where the template does not say
        once what it is told, or nothing behind it.
        """
        told = " ".join(instruction.replace(PLACE, " ").split())
        if not told:
            raise UsageError(
                "the instruction has no words; say what to do with the signing, or leave the instruction out "
                "to translate"
            )
        return _prompt(self, told)

    def rendered(self, content: str) -> str:
        """The chat in which the user says this, up to where the answer begins. Raises MediaError."""
        names = {"bos_token": self.start, "eos_token": self.end}
        known = {k: self.tokenizer.id_to_token(i) for k, i in names.items() if i is not None}
        speaker = PreTrainedTokenizerFast(tokenizer_object=self.tokenizer, **known)
        try:
            said = speaker.apply_chat_template(
                [{"role": "user", "content": content}],
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=True,
                date_string=DAY,
            )
        except Exception as error:  # templates fail in as many ways as programs do
            raise MediaError(
                f"the model's chat template cannot be filled in ({type(error).__name__}: {error}); "
                f"correct the {TEMPLATE} beside the model"
            ) from error
        return str(said)

    def to_json(self) -> dict[str, Any]:
        """All but the tokenizer."""
        return {"start": self.start, "end": self.end, "template": self.template}


@lru_cache(maxsize=1024)
def _prompt(codec: ChatCodec, told: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if not codec.template:
        start = () if codec.start is None else (codec.start,)
        return (*start, *codec.encode(f"{told} Signing:")), tuple(codec.encode("Answer:"))
    text = codec.rendered(f"{told}\n{PLACE}")
    before, _, after = text.partition(PLACE)
    if text.count(PLACE) != 1 or not codec.encode(after):
        raise MediaError(
            f"the chat template says {text.count(PLACE)} times what the user says, with "
            f"{len(codec.encode(after))} tokens behind it; expected once, and an answer's beginning behind; "
            f"correct the {TEMPLATE} beside the model"
        )
    return tuple(codec.encode(before)), tuple(codec.encode(after))


def own_codec(tokenizer: Tokenizer) -> ChatCodec:
    """The codec of a tokenizer made here (`text.tokenizer.train_bpe`)."""
    return ChatCodec(tokenizer, token_id(tokenizer, START), token_id(tokenizer, END))


def build_llama(
    vocabulary: int,
    width: int,
    layers: int,
    heads: int,
    inner: int,
    positions: int,
    dropout: float,
    start: int,
    end: int,
    seed: int = 0,
) -> PreTrainedModel:
    """A Llama with random weights that depend on the seed alone; its head is tied to its embeddings.

    start, end: ids of <s> and </s>.
    """
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=positions,
        attention_dropout=dropout,
        tie_word_embeddings=True,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=None,
    )
    return build_causal(config_json(config), seed)


def build_causal(said: Mapping[str, Any], seed: int = 0) -> PreTrainedModel:
    """The causal model that `config_json` tells of, with random weights. Raises MediaError."""
    try:
        config = AutoConfig.for_model(**said)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    except (KeyError, TypeError, ValueError) as error:
        raise MediaError(
            f"there is no causal language model of type {said.get('model_type')!r} ({error}); "
            "copy the checkpoint again, or update transformers"
        ) from error
    return cast(PreTrainedModel, model)


def config_json(config: Any) -> dict[str, Any]:
    """A model's configuration as JSON has it, `build_causal` builds from it."""
    return cast(dict[str, Any], json.loads(config.to_json_string(use_diff=False)))


def positions_of(model: PreTrainedModel) -> int:
    """How many tokens a model can take in, prompt and answer together."""
    config = cast(Any, model).config
    return int(getattr(config, "max_position_embeddings", 0) or config.n_positions)


@dataclass(frozen=True)
class LoadedCausal:
    """A pretrained causal model in eval mode and float32, its codec, and where it came from."""

    model: PreTrainedModel
    codec: ChatCodec
    base: Base


def load_causal(source: str, revision: str | None = None) -> LoadedCausal:
    """The causal model in a folder that transformers reads, or on the hub ("org/name").

    Only safetensors are read, never a pickle, and no code of the model's. Raises MediaError where it
    cannot be found or is none, and where a weight is missing, of another shape or left over.
    """
    folder, commit = located(source, revision)
    files = weight_files(folder)
    try:
        said = json.loads((folder / CONFIG).read_text())
        model, report = cast(Any, AutoModelForCausalLM).from_pretrained(
            folder,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
        )
    except Exception as error:  # transformers raises whatever the files lead it to
        raise MediaError(
            f"{source} holds no causal language model that can be read ({one_line(error)}); give a folder written by "
            "transformers' save_pretrained or by 'signloom language --kind llama', or a hub id"
        ) from error
    filled = filled_share(model, files, said, report, source)
    codec = _codec(folder, said)
    if len(codec) > model.get_input_embeddings().num_embeddings:
        raise MediaError(
            f"the tokenizer in {folder} has {len(codec)} tokens and the model beside it "
            f"{model.get_input_embeddings().num_embeddings}; copy the whole folder again"
        )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    base = Base(source, commit, sha256(files), licence(folder), parameters, filled)
    return LoadedCausal(model.eval(), codec, base)


def _codec(folder: Path, config: Mapping[str, Any]) -> ChatCodec:
    """The codec beside the weights. Raises MediaError where nothing says how an answer ends."""
    tokenizer = read_tokenizer(folder)
    said: dict[str, Any] = {}
    try:
        if (folder / TOKENS).is_file():
            said = dict(json.loads((folder / TOKENS).read_text()))
        template = said.get("chat_template") or ""
        if (folder / TEMPLATE).is_file():
            template = (folder / TEMPLATE).read_text(encoding="utf-8")
        if isinstance(template, list):  # several by name
            template = next((t["template"] for t in template if t.get("name") == "default"), "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise MediaError(
            f"{folder / TOKENS} or {TEMPLATE} cannot be read ({one_line(error)}); copy the whole folder again"
        ) from None

    def special(name: str) -> int | None:
        token = said.get(f"{name}_token")
        token = token.get("content") if isinstance(token, dict) else token
        ids = config.get(f"{name}_token_id")
        first = ids[0] if isinstance(ids, list) and ids else ids
        if isinstance(token, str) and token:
            return cast(int | None, tokenizer.token_to_id(token))
        return cast(int | None, first)

    if (end := special("eos")) is None:
        raise MediaError(
            f"{folder} does not say with which token an answer ends; set eos_token in {TOKENS} or "
            f"eos_token_id in {CONFIG}"
        )
    return ChatCodec(tokenizer, special("bos"), end, str(template))
