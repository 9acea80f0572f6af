"""A GPT-2 that attends to an encoder, as functions of tensors alone: what can be written as a graph.

transformers keeps keys and values in objects that change; here they go in and come out. Those of the memory
are an input for each layer: a graph that cut them out of one would copy all of them for every token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import GPT2LMHeadModel
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from signloom.language.beam import Step

Answer = Callable[..., Sequence[Tensor]]
"""(tokens, past, mask, *crossed) → (logits, past with the token), as `TokenStep` or its graph."""


class CrossedMemory(nn.Module):
    """memory (B, T, width) → the keys and values that every layer attends to, layer by layer."""

    def __init__(self, decoder: GPT2LMHeadModel):
        super().__init__()
        self.blocks = decoder.transformer.h

    def forward(
        self, memory: Float[Tensor, "batch time width"]
    ) -> tuple[Float[Tensor, "batch heads time head_width"], ...]:
        each: list[Tensor] = []
        for block in self.blocks:
            attention: Any = block.crossattention
            both = attention.c_attn(memory).unflatten(2, (2, -1, attention.head_dim))
            each += both.permute(2, 0, 3, 1, 4).unbind(0)
        return tuple(each)


class TokenStep(nn.Module):
    """One token more of each row."""

    def __init__(self, decoder: GPT2LMHeadModel):
        super().__init__()
        self.decoder = decoder

    def forward(
        self,
        tokens: Int[Tensor, "rows 1"],
        past: Float[Tensor, "layers 2 rows heads before head_width"],
        mask: Bool[Tensor, "rows time"],
        *crossed: Float[Tensor, "rows heads time head_width"],
    ) -> tuple[
        Float[Tensor, "rows vocabulary"],
        Float[Tensor, "layers 2 rows heads after head_width"],
    ]:
        """(logits of the next token, the past with this one); crossed as `CrossedMemory` gives them."""
        own: Any = DynamicCache()
        other: Any = DynamicCache()
        memory = zip(crossed[::2], crossed[1::2], strict=True)
        for layer, (before, (keys, values)) in enumerate(zip(past, memory, strict=True)):
            own.update(before[0], before[1], layer)
            other.update(keys, values, layer)
        cache = EncoderDecoderCache(own, other)
        cache.is_updated = dict.fromkeys(range(len(past)), True)
        width = self.decoder.config.n_embd
        answer = self.decoder(
            input_ids=tokens,
            encoder_hidden_states=past.new_zeros(*mask.shape, width),  # its keys are in the cache
            encoder_attention_mask=mask.long(),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        after = torch.stack([torch.stack([each.keys, each.values]) for each in own.layers])
        return answer.logits[:, -1], after


def graph_stepper(
    answer: Answer,
    crossed: Sequence[Float[Tensor, "batch heads time head_width"]],
    mask: Bool[Tensor, "batch time"],
    width: int,
) -> Step:
    """The next-token function of a beam search, ``width`` rows per clip, by a step that keeps nothing."""
    crossed = [each.repeat_interleave(width, dim=0) for each in crossed]
    mask = mask.repeat_interleave(width, dim=0)
    past = torch.stack([each[:, :, :0] for each in crossed]).unflatten(0, (-1, 2))

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        nonlocal past
        if parents is not None:
            past = past[:, :, parents]
        unread = tokens[:, past.shape[4] :]
        for place in range(unread.shape[1]):
            logits, past = answer(unread[:, place : place + 1], past, mask, *crossed)
        return logits

    return step
