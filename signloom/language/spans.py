"""What a T5 learns a language by: pieces of a text are cut out, and it writes them, or all of it.

Source: Raffel et al. 2020, §3.3.4: 15 % of the tokens, in spans of 3 on average [R]. There the
texts are packed to 512 tokens; here an item is one sentence, so spans may stand at its very
beginning or end and need not [D]. That the whole text is the target is compared there too (§3.3.1), and
is what BART learns by (Lewis et al. 2020, text infilling).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor
from transformers import T5ForConditionalGeneration

DENSITY = 0.15
MEAN_LENGTH = 3.0
SHORTEST = 2
"""Tokens that a text needs: one to keep and one to cut out."""


def corrupt(
    ids: Sequence[int],
    rng: np.random.Generator,
    sentinels: Sequence[int],
    end: int,
    density: float = DENSITY,
    mean_length: float = MEAN_LENGTH,
) -> tuple[list[int], list[int]]:
    """(what is left of a text, what was cut out of it), both with ``end``.

    Left: the text with the k-th sentinel where the k-th span was. Cut out: each sentinel with
    its span behind it, then one sentinel more. Every division of the cut tokens into spans, and
    every place for them that keeps a token between two, is equally likely.

    density: share of the tokens that is cut out, at least one token and never all.
    mean_length: tokens of a span, on average. Raises ValueError below `SHORTEST` tokens.
    """
    if len(ids) < SHORTEST:
        raise ValueError(f"a text of {len(ids)} tokens cannot be corrupted, it needs {SHORTEST}")
    cut = min(max(round(len(ids) * density), 1), len(ids) - 1)
    kept = len(ids) - cut
    spans = min(max(round(cut / mean_length), 1), cut, kept + 1, len(sentinels) - 1)
    lengths = _parts(cut, spans, rng)
    gaps = _parts(kept + 2, spans + 1, rng)
    gaps[0], gaps[-1] = gaps[0] - 1, gaps[-1] - 1  # the outer two may be empty
    left: list[int] = []
    out: list[int] = []
    at = 0
    for number, (gap, length) in enumerate(zip(gaps, lengths, strict=False)):
        left += [*ids[at : at + gap], sentinels[number]]
        out += [sentinels[number], *ids[at + gap : at + gap + length]]
        at += gap + length
    return [*left, *ids[at:], end], [*out, sentinels[spans], end]


def _parts(total: int, count: int, rng: np.random.Generator) -> list[int]:
    """``count`` numbers ≥ 1 that add up to ``total``, each way of doing so equally likely."""
    cuts = np.sort(rng.choice(total - 1, size=count - 1, replace=False)) + 1
    return [int(part) for part in np.diff([0, *cuts, total])]


@dataclass(frozen=True)
class SpanBatch:
    """Corrupted texts side by side.

    inputs: ids, filled with pad. mask: True on real ids of ``inputs``.
    before: what the decoder has read: start, then ``targets`` one place to the right.
    targets: what it is to write. real: True on real ids of ``targets``.
    """

    inputs: Int[Tensor, "batch time"]
    mask: Bool[Tensor, "batch time"]
    before: Int[Tensor, "batch length"]
    targets: Int[Tensor, "batch length"]
    real: Bool[Tensor, "batch length"]

    def to(self, device: torch.device | str) -> SpanBatch:
        """The same on another device."""
        moved = (self.inputs, self.mask, self.before, self.targets, self.real)
        return SpanBatch(*(tensor.to(device) for tensor in moved))


def side_by_side(pairs: Sequence[tuple[list[int], list[int]]], start: int, pad: int) -> SpanBatch:
    """Pairs of `corrupt` as a batch."""
    inputs, mask = _padded([left for left, _ in pairs], pad)
    targets, real = _padded([out for _, out in pairs], pad)
    before, _ = _padded([[start, *out[:-1]] for _, out in pairs], pad)
    return SpanBatch(inputs, mask, before, targets, real)


def _padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[Tensor, Tensor]:
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad, dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
    lengths = torch.tensor([len(row) for row in rows])
    return ids, torch.arange(longest)[None] < lengths[:, None]


def span_losses(
    model: T5ForConditionalGeneration, batch: SpanBatch
) -> Float[Tensor, "batch length"]:
    """Cross-entropy (nats) of every token that is to be written; 0 on padding."""
    logits = model(
        input_ids=batch.inputs,
        attention_mask=batch.mask.long(),
        decoder_input_ids=batch.before,
        use_cache=False,
    ).logits
    losses = F.cross_entropy(logits.float().transpose(1, 2), batch.targets, reduction="none")
    return losses * batch.real
