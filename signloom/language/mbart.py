"""The decoder of mBART, which attends to states of any other: built small, or filled with what others trained.

Source: sign2(sem+text) (arXiv 2510.19367), spec §4: a decoder of three layers (SLTr), or mBART-large's.
Pre-LN blocks of self-attention, cross-attention and feed-forward; learned positions; a tied head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import MBartConfig, MBartForCausalLM

from signloom.errors import MediaError
from signloom.language.pretrained import (
    Base,
    config_of,
    licence,
    located,
    sha256,
    stored,
    weight_files,
)

SHARED, OWN = "model.shared.weight", "model.decoder.embed_tokens.weight"
HEAD, BIAS = "lm_head.weight", "final_logits_bias"
OTHER_HALF = "model.encoder."
"""mBART's encoder, whose place another one takes."""


@dataclass(frozen=True)
class MbartShape:
    """vocabulary: tokens. positions: tokens of a text with its start, at most. inner: of the feed-forward part."""

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    positions: int
    activation: str = "relu"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def build_mbart(shape: MbartShape, dropout: float) -> MBartForCausalLM:
    """A decoder of random weights; embeddings are scaled by √width as in mBART, the head is tied to them."""
    return MBartForCausalLM(
        MBartConfig(  # type: ignore[call-arg]
            vocab_size=shape.vocabulary,
            d_model=shape.width,
            decoder_layers=shape.layers,
            decoder_attention_heads=shape.heads,
            decoder_ffn_dim=shape.inner,
            max_position_embeddings=shape.positions,
            activation_function=shape.activation,
            dropout=dropout,
            attention_dropout=dropout,
            scale_embedding=True,
            add_cross_attention=True,
            init_std=shape.width**-0.5,
            pad_token_id=None,
            bos_token_id=None,
            eos_token_id=None,
            forced_eos_token_id=None,
        )
    )


def load_mbart(source: str, dropout: float) -> tuple[MBartForCausalLM, MbartShape, Base]:
    """The decoder half of an mBART (folder or hub id) in float32, its shape, and where it came from.

    Its encoder is passed over by name. Raises MediaError where the weights cannot be read, lack one
    of the decoder's, or hold one that it has no place for: nothing is filled in with random numbers.
    """
    folder, commit = located(source, None)
    said = {
        **MBartConfig().to_dict(),
        **config_of(folder, "mbart", "mBART-large-cc25, mBART-50, …"),
    }
    if not said["scale_embedding"]:
        raise MediaError(
            f"{folder} holds an mBART whose embeddings are not scaled (scale_embedding is false); "
            "expected true, as in mBART-large-cc25: give one of that kind"
        )
    shape = MbartShape(
        said["vocab_size"],
        said["d_model"],
        said["decoder_layers"],
        said["decoder_attention_heads"],
        said["decoder_ffn_dim"],
        said["max_position_embeddings"],
        said["activation_function"],
    )
    decoder = build_mbart(shape, dropout)
    files = weight_files(folder)
    filled = _filled(decoder, dict(stored(files)), source)
    total = sum(parameter.numel() for parameter in decoder.parameters())
    return decoder, shape, Base(source, commit, sha256(files), licence(folder), total, filled)


def _filled(decoder: MBartForCausalLM, there: Mapping[str, Tensor], source: str) -> float:
    """Fills the decoder whole and gives the fraction that was filled: 1."""
    theirs = {
        (OWN if name == SHARED else name): tensor
        for name, tensor in there.items()
        if not name.startswith(OTHER_HALF) and name not in (BIAS, HEAD)
    }
    own = dict(decoder.named_parameters())
    wrong = [f"{name} is not in the decoder" for name in theirs if name not in own]
    taken = {n: theirs[n] for n in own if n in theirs and theirs[n].shape == own[n].shape}
    for name in own:
        if name not in theirs:
            wrong.append(f"{name} is missing")
        elif name not in taken:
            shapes = f"{tuple(theirs[name].shape)}, expected {tuple(own[name].shape)}"
            wrong.append(f"{name} has shape {shapes}")
    if BIAS in there and bool(there[BIAS].any()):
        wrong.append(f"{BIAS} is not 0, and the decoder has none")
    if HEAD in there and OWN in theirs and not torch.equal(there[HEAD], theirs[OWN]):
        wrong.append(f"{HEAD} is not tied to the embeddings")
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
    return filled
