"""A BERT encoder over embeddings and a GPT-2 decoder that attends to it (transformers does both)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import BertConfig, BertModel, GPT2LMHeadModel
from transformers.cache_utils import DynamicCache, EncoderDecoderCache

from signloom.errors import MediaError, UsageError, one_line
from signloom.language.beam import Step


class Seq2Seq(nn.Module):
    """Embeddings (B, T, encoder width) in, logits over text tokens out.

    A linear layer stands between the two where their widths differ.
    """

    def __init__(self, encoder: BertModel, decoder: GPT2LMHeadModel):
        super().__init__()
        width, wanted = encoder.config.hidden_size, decoder.config.n_embd
        self.encoder = encoder
        self.between = nn.Identity() if width == wanted else nn.Linear(width, wanted)
        self.decoder = decoder

    def encode(
        self,
        embeddings: Float[Tensor, "batch time width"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time decoder_width"]:
        """What the decoder attends to; ``mask`` is True on real frames."""
        states = self.encoder(inputs_embeds=embeddings, attention_mask=mask.long())
        return self.between(states.last_hidden_state)

    def forward(
        self,
        embeddings: Float[Tensor, "batch time width"],
        mask: Bool[Tensor, "batch time"],
        tokens: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the token after each of ``tokens``."""
        memory = self.encode(embeddings, mask)
        return self.decoder(
            input_ids=tokens,
            encoder_hidden_states=memory,
            encoder_attention_mask=mask.long(),
            use_cache=False,
        ).logits

    def stepper(
        self,
        memory: Float[Tensor, "batch time decoder_width"],
        mask: Bool[Tensor, "batch time"],
        width: int,
        cached: bool = True,
    ) -> Step:
        """The next-token function of a beam search over ``memory`` (`crossed_stepper`)."""
        return crossed_stepper(self.decoder, memory, mask, width, cached)


def crossed_stepper(
    decoder: nn.Module,
    memory: Float[Tensor, "batch time decoder_width"],
    mask: Bool[Tensor, "batch time"],
    width: int,
    cached: bool = True,
) -> Step:
    """The next-token function of a beam search, ``width`` rows per item of ``memory``.

    decoder: one of transformers' that attends to an encoder.
    ``cached`` keeps the keys and values of past tokens and of the memory, so that
    a step computes one token; without it every step computes all of them, to the
    same logits. The rows of an item share their memory: only the keys and values
    of tokens follow ``parents``.
    """
    rows = memory.repeat_interleave(width, dim=0)
    attended = mask.repeat_interleave(width, dim=0).long()
    past = EncoderDecoderCache(DynamicCache(), DynamicCache()) if cached else None

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        if past is not None and parents is not None:
            past.self_attention_cache.reorder_cache(parents.long())  # type: ignore[arg-type]
            tokens = tokens[:, -1:]
        output = decoder(
            input_ids=tokens,
            encoder_hidden_states=rows,
            encoder_attention_mask=attended,
            past_key_values=past,
            use_cache=cached,
            logits_to_keep=1,
        )
        return output.logits[:, -1]

    return step


def bert_encoder(
    width: int, layers: int, heads: int, inner: int, positions: int, dropout: float
) -> BertModel:
    """A BERT encoder with random weights, without word embeddings and pooler (spec §1).

    Learned positions, token type, LayerNorm after each part (post-LN), GELU.
    """
    config = BertConfig(
        vocab_size=1,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=None,
    )
    encoder = BertModel(config, add_pooling_layer=False)
    del encoder.embeddings.word_embeddings
    encoder.embeddings.register_module("word_embeddings", None)
    return encoder


def load_encoder(encoder: BertModel, source: str) -> float:
    """Copies a pretrained BERT (folder or hub id) into ``encoder``; the fraction of it that was filled.

    Raises MediaError where it cannot be read or lacks a weight, UsageError where its shape differs.
    """
    pretrained, missing = _from_pretrained(
        lambda: BertModel.from_pretrained(
            source, add_pooling_layer=False, output_loading_info=True, use_safetensors=True
        ),
        source,
    )
    fields = (
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "hidden_act",
    )
    _same_shape(encoder.config, pretrained.config, fields, source)
    return _fill(encoder, pretrained.state_dict(), missing, (), source)


def load_decoder(decoder: GPT2LMHeadModel, source: str) -> float:
    """Copies a pretrained GPT-2 into ``decoder``; the fraction of it that was filled.

    Its token embeddings are left as they are (the vocabulary here is another one),
    and so is cross-attention where the source has none. Raises as `load_encoder`.
    """
    pretrained, missing = _from_pretrained(
        lambda: GPT2LMHeadModel.from_pretrained(
            source, add_cross_attention=True, output_loading_info=True, use_safetensors=True
        ),
        source,
    )
    inner = pretrained.config.n_inner or 4 * pretrained.config.n_embd
    pretrained.config.n_inner = inner
    fields = ("n_embd", "n_layer", "n_head", "n_inner", "n_positions", "activation_function")
    _same_shape(decoder.config, pretrained.config, fields, source)
    tensors = {
        name: tensor
        for name, tensor in pretrained.state_dict().items()
        if not name.endswith(("wte.weight", "lm_head.weight"))
        and not (name in missing and "cross" in name)
    }
    return _fill(decoder, tensors, missing, ("wte.weight", "lm_head.weight", "cross"), source)


def _from_pretrained(read: Callable[[], Any], source: str) -> tuple[Any, set[str]]:
    """(the pretrained model, the names of weights that its files did not have)."""
    try:
        model, report = read()
    except Exception as error:  # transformers raises whatever the files lead it to
        raise MediaError(
            f"pretrained weights '{source}' cannot be read ({one_line(error)}); give a folder written by "
            "transformers' save_pretrained, with a model.safetensors, or a hub id"
        ) from error
    return model, {*report["missing_keys"], *(str(key) for key in report["mismatched_keys"])}


def _same_shape(own: object, theirs: object, fields: tuple[str, ...], source: str) -> None:
    differ = [
        f"{field} is {getattr(theirs, field)} there and {getattr(own, field)} here"
        for field in fields
        if getattr(theirs, field) != getattr(own, field)
    ]
    if differ:
        raise UsageError(
            f"pretrained weights '{source}' do not fit the config: {'; '.join(differ)}; "
            "change the config to what the weights have"
        )


def _fill(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    missing: set[str],
    own: tuple[str, ...],
    source: str,
) -> float:
    """Copies ``tensors`` by name; names that contain one of ``own`` may stay random, no other may."""
    state = model.state_dict()
    lacking = [
        name
        for name in state
        if (name not in tensors or name in missing) and not any(part in name for part in own)
    ]
    total = sum(parameter.numel() for parameter in model.parameters())
    if lacking:
        lost = sum(state[name].numel() for name in lacking)
        raise MediaError(
            f"pretrained weights '{source}' fill {100 * (total - lost) / total:.1f} % of the model; "
            f"missing: {', '.join(lacking[:5])}{' …' if len(lacking) > 5 else ''}; "
            "training would start from random weights there, so it does not start"
        )
    filled = 0
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in tensors:
                parameter.copy_(tensors[name])
                filled += parameter.numel()
    return filled / total
