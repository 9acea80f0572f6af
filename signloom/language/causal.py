"""A GPT-2 that goes on from a prefix of embeddings, built or filled with what others trained.

Source: AutoSign (arXiv 2507.19840), spec §2: blocks, positions and layer norms come from AraGPT2,
token embeddings and head are another vocabulary's.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel
from transformers.cache_utils import DynamicCache

from signloom.errors import MediaError, UsageError
from signloom.language.beam import Step
from signloom.language.pretrained import (
    Base,
    config_of,
    licence,
    located,
    read_tokenizer,
    sha256,
    stored,
    weight_files,
)

WORDS, HEAD, POSITIONS = "transformer.wte.weight", "lm_head.weight", "transformer.wpe.weight"
BUFFERS = (".attn.bias", ".attn.masked_bias")
"""Causal masks that older files hold: no weights (spec §2, the trap)."""


def build_gpt2(
    vocabulary: int,
    width: int,
    layers: int,
    heads: int,
    inner: int,
    positions: int,
    dropout: float,
    crossed: bool = False,
) -> GPT2LMHeadModel:
    """A GPT-2 with random weights: learned positions, gelu_new, a final layer norm.

    crossed: it attends to an encoder, and its head is tied to its embeddings (spec §1); without, the head
    is its own.
    """
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            n_inner=inner,
            n_positions=positions,
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            add_cross_attention=crossed,
            tie_word_embeddings=crossed,
            bos_token_id=None,
            eos_token_id=None,
        )
    )


class Prefixed(nn.Module):
    """Tokens after a prefix: (B, P, width) and ids (B, L) in, logits (B, L, vocabulary) out.

    decoder: a causal language model of transformers, of any family that takes positions.

    A row's tokens take the positions right behind its own prefix, and padding is not attended to:
    what stands beside a row in its batch changes nothing.
    """

    def __init__(self, decoder: PreTrainedModel):
        super().__init__()
        self.decoder: Any = decoder

    def forward(
        self,
        prefix: Float[Tensor, "batch prefix width"],
        mask: Bool[Tensor, "batch prefix"],
        tokens: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the token after each of ``tokens``; ``mask`` is True on real prefix frames."""
        return self.decoder(
            inputs_embeds=torch.cat([prefix, self.decoder.get_input_embeddings()(tokens)], 1),
            attention_mask=_seen(mask, tokens.shape[1]),
            position_ids=torch.cat([_prefix_places(mask), _places(mask, tokens.shape[1])], 1),
            logits_to_keep=tokens.shape[1],
            use_cache=False,
        ).logits

    def stepper(
        self,
        prefix: Float[Tensor, "batch prefix width"],
        mask: Bool[Tensor, "batch prefix"],
        width: int,
    ) -> Step:
        """The next-token function of a beam search, ``width`` rows per item of ``prefix``.

        Keys and values of the prefix and of past tokens are kept.
        """
        rows, there = prefix.repeat_interleave(width, 0), mask.repeat_interleave(width, 0)
        past = DynamicCache()

        def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
            length = tokens.shape[1]
            new = 1 if parents is not None else length
            embeddings = self.decoder.get_input_embeddings()(tokens[:, -new:])
            places = _places(there, length)[:, -new:]
            if parents is None:
                embeddings = torch.cat([rows, embeddings], 1)
                places = torch.cat([_prefix_places(there), places], 1)
            else:
                past.reorder_cache(parents.long())  # type: ignore[arg-type]
            output = self.decoder(
                inputs_embeds=embeddings,
                attention_mask=_seen(there, length),
                position_ids=places,
                past_key_values=past,
                use_cache=True,
                logits_to_keep=1,
            )
            return output.logits[:, -1]

        return step


def _seen(mask: Tensor, length: int) -> Tensor:
    return torch.cat([mask, mask.new_ones(len(mask), length)], 1).long()


def _prefix_places(mask: Tensor) -> Tensor:
    return torch.arange(mask.shape[1], device=mask.device).expand(len(mask), -1)


def _places(mask: Tensor, length: int) -> Tensor:
    """(B, length): the positions behind each row's own prefix."""
    return mask.sum(1, keepdim=True) + torch.arange(length, device=mask.device)


def gpt2_tokenizer(source: str) -> Tokenizer:
    """The tokenizer of a GPT-2 in a folder or on the hub. Raises MediaError where there is none."""
    return read_tokenizer(located(source, None)[0])


def fill_gpt2(decoder: GPT2LMHeadModel, source: str, words: bool) -> Base:
    """Copies a pretrained GPT-2 (folder or hub id, any of its family) into ``decoder``.

    words: whether token embeddings and head are copied too: the first rows, one a token of the
        tokenizer beside them. Off, they stay random, for another vocabulary's are of no use.
    Of the positions the first are taken, as many as the decoder has. The record says which fraction
    of the decoder's parameters was filled.
    Raises MediaError where the weights cannot be read, lack one that should load, or hold one that
    the decoder has no place for; UsageError where shapes differ. Nothing is filled then.
    """
    folder, commit = located(source, None)
    said = config_of(folder, "gpt2", "GPT-2, AraGPT2-base or -medium, DistilGPT2, …")
    _check_shape(decoder, said, source)
    files = weight_files(folder)
    there = {
        name if name == HEAD else f"transformer.{name.removeprefix('transformer.')}": tensor
        for name, tensor in stored(files)
        if not name.endswith(BUFFERS)
    }
    if words and said.get("tie_word_embeddings", True) and WORDS in there:
        there.setdefault(HEAD, there[WORDS])
    own = dict(decoder.named_parameters())
    wanted = [name for name in own if words or name not in (WORDS, HEAD)]
    taken: dict[str, Tensor] = {}
    wrong = [f"{n} is not in the model" for n in there if n not in own]
    for name in wanted:
        if name not in there:
            wrong.append(f"{name} is missing")
            continue
        rows = name in (WORDS, HEAD, POSITIONS)
        tensor = there[name][: len(own[name])] if rows else there[name]
        if tensor.shape != own[name].shape:
            wrong.append(
                f"{name} has shape {tuple(tensor.shape)}, expected {tuple(own[name].shape)}"
            )
        elif not tensor.isfinite().all():
            wrong.append(f"{name} holds numbers that are none")
        else:
            taken[name] = tensor
    total = sum(parameter.numel() for parameter in own.values())
    filled = sum(tensor.numel() for tensor in taken.values()) / total
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise MediaError(
            f"the weights of '{source}' fill {100 * filled:.1f} % of the decoder: "
            f"{'; '.join(wrong[:5])}{more}; the rest would be random, so it does not start: copy "
            "the weights again, or give the config.json that belongs to them"
        )
    with torch.no_grad():
        for name, tensor in taken.items():
            own[name].copy_(tensor)
    return Base(source, commit, sha256(files), licence(folder), total, filled)


FIELDS = ("n_embd", "n_layer", "n_head", "n_inner", "activation_function")
"""What the config here can be changed to."""
COMPUTED = ("layer_norm_epsilon", "scale_attn_weights", "scale_attn_by_inverse_layer_idx")
"""How a GPT-2 computes, beside its shape: weights that are read otherwise are as good as lost."""


def _check_shape(decoder: GPT2LMHeadModel, said: dict[str, object], source: str) -> None:
    """Raises UsageError where the decoder is not of the shape that config.json says, or computes otherwise."""
    config = decoder.config
    theirs = {**GPT2Config().to_dict(), **said}
    if theirs["n_inner"] is None and isinstance(theirs["n_embd"], int):
        theirs["n_inner"] = 4 * theirs["n_embd"]
    differ = [
        f"{field} is {theirs[field]} there and {getattr(config, field)} here"
        for field in (*FIELDS, *COMPUTED)
        if theirs[field] != getattr(config, field)
    ]
    positions = theirs["n_positions"]
    if not isinstance(positions, int) or positions < config.n_positions:
        differ.append(f"n_positions is {positions} there, less than the {config.n_positions} here")
    if differ:
        otherwise = any(theirs[field] != getattr(config, field) for field in COMPUTED)
        raise UsageError(
            f"pretrained weights '{source}' do not fit the config: {'; '.join(differ)}; "
            + ("give another GPT-2" if otherwise else "change the config to what the weights have")
        )
