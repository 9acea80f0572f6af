"""A stretch of frames as six digits that a language model writes: three of its start, three of its end.

Source: arXiv 2512.08040 §3.4 and §4.2 [S]; what the paper does not say is marked [D]. A digit
is written as the vocabulary's token for that digit alone, one by one: a tokenizer would merge
them [D]. Frames count from the first one of the window; the stretch is [start, end) [D].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from signloom.errors import UsageError

FRAMES = 500
"""Frames of a window: 20 s at 25 fps [S]."""

PLACES = (100, 10, 1)


def frames_to_digits(start: int, end: int, frames: int = FRAMES) -> tuple[int, ...]:
    """Six digits, of which each number is clamped to a frame of the window (0 … frames − 1) first.

    A stretch that runs to the window's end thus loses its last frame.

    >>> frames_to_digits(37, 142)
    (0, 3, 7, 1, 4, 2)
    """
    _three_digits(frames)
    numbers = [min(max(number, 0), frames - 1) for number in (start, end)]
    return tuple(number // place % 10 for number in numbers for place in PLACES)


def soft_digit_loss(
    logits: Float[Tensor, "batch 6 10"],
    targets: Int[Tensor, "batch 6"],
    kind: Literal["digit", "place"] = "digit",
) -> Float[Tensor, "batch"]:
    """How far the digits that a model expects are from the right ones, for each item.

    logits: of the ten digits only, at the six places. The expected digit d̂ = Σ n · softmax(z)_n.
    ``digit``: (1/6) Σ |d̂ − d| [S]. It does not know of carrying: 199 for 200 costs as much as
    299 for 410. ``place``: the error of each number in frames, |Σ 10^(2−k) (d̂_k − d_k)|, over
    111 and averaged over the two [D]. Where all three digits of a number are wrong by as much and
    to the same side, both kinds say the same: 1 is one in every digit, or 111 frames.
    """
    values = torch.arange(10, dtype=logits.dtype, device=logits.device)
    wrong = (logits.softmax(-1) * values).sum(-1) - targets
    if kind == "digit":
        return wrong.abs().mean(-1)
    places = torch.tensor(PLACES, dtype=logits.dtype, device=logits.device)
    return (wrong.unflatten(-1, (2, 3)) * places).sum(-1).abs().mean(-1) / sum(PLACES)


NextDigit = Callable[[Tensor], Tensor]
"""next_digit(written (rows, n), digits 0 … 9) → (rows, 10), log p of each digit coming next; n < 6."""


@dataclass(frozen=True, eq=False)
class SpanDistribution:
    """How likely each stretch [start, end) of a window is.

    starts: of every start, sums to 1. top: the likeliest starts, best first. ends: of every end,
    for each of ``top``; 0 before the start, each row sums to 1.
    """

    starts: Float[Tensor, "frames"]
    top: Int[Tensor, "top"]
    ends: Float[Tensor, "top frames"]

    def likeliest(self, count: int = 1) -> list[tuple[tuple[int, int], float]]:
        """((start, end), probability) of the ``count`` likeliest stretches from ``top``, best first."""
        joint = self.starts[self.top, None] * self.ends
        best = joint.flatten().topk(min(count, joint.numel()))
        frames = joint.shape[1]
        return [
            ((int(self.top[place // frames]), place % frames), p)
            for place, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)
            if p > 0
        ]

    def posterior(self) -> Float[Tensor, "frames"]:
        """How likely each frame is in the stretch: Σ_s p(s) · [s ≤ frame] · p(end > frame | s), over all starts.

        From a start that is none of ``top`` a stretch lasts as long as from those, on the average by p(s) [D]:
        leaving the others out would make a model that hardly knows sure of the few it was asked about.
        """
        frames = self.ends.shape[1]
        later = self.ends.flip(1).cumsum(1).flip(1) - self.ends
        lasting = torch.stack(
            [torch.cat([row[s:], row.new_zeros(s)]) for s, row in zip(self.top, later, strict=True)]
        )  # (top, frames): p(longer than this many frames | s)
        weight = self.starts[self.top]
        others = self.starts.index_fill(0, self.top, 0)
        usual = (weight[:, None] * lasting).sum(0) / weight.sum()
        begun = torch.arange(frames, device=later.device) >= self.top[:, None]
        told = (weight[:, None] * later * begun).sum(0)
        return (told + _convolved(others, usual)).clamp(0, 1)


def _convolved(a: Float[Tensor, "frames"], b: Float[Tensor, "frames"]) -> Float[Tensor, "frames"]:
    """The first frames of a ∗ b: Σ_s a(s) · b(frame − s)."""
    return nn.functional.conv1d(
        nn.functional.pad(a, (len(b) - 1, 0))[None, None], b.flip(0)[None, None]
    )[0, 0]


def span_distribution(
    next_digit: NextDigit,
    frames: int = FRAMES,
    top: int = 1,
    device: str | torch.device = "cpu",
    limit: int | None = None,
) -> SpanDistribution:
    """The exact distribution over starts, and over the ends given each of the ``top`` starts [D].

    A number's log p is the sum of its digits'; then only numbers below ``frames`` and ends not
    before the start are left, and what is left sums to 1. ``next_digit`` is called three times
    for the starts (of 1, 5 and 50 rows where there are 500 frames) and three for the ends, of
    ``top`` times as many rows. ``device``: where it wants its rows.
    ``limit``: frames that the window really has; starts and ends beyond it are left out (None: all).
    """
    _three_digits(frames)
    last = frames if limit is None else limit
    nothing = torch.empty(1, 0, dtype=torch.long, device=device)
    beyond = torch.arange(frames, device=device)
    scores = _numbers(next_digit, nothing, frames)[0]
    starts = scores.masked_fill(beyond >= last, -torch.inf).softmax(0)
    best = starts.topk(min(top, last)).indices
    written = torch.stack([best // place % 10 for place in PLACES], 1).to(device)
    outside = (beyond < best[:, None]) | (beyond > last)
    ends = _numbers(next_digit, written, frames).masked_fill(outside, -torch.inf).softmax(1)
    return SpanDistribution(starts, best, ends)


def _numbers(
    next_digit: NextDigit, written: Int[Tensor, "rows before"], frames: int
) -> Float[Tensor, "rows frames"]:
    """log p of every number below ``frames`` being written after each row, as a tree of its digits."""
    rows = len(written)
    digits = torch.arange(10, device=written.device)
    total = torch.zeros(rows, 1, device=written.device)
    for place in PLACES:
        kept = -(-frames // place)
        score = next_digit(written).float().to(total.device)
        total = (total.reshape(-1, 1) + score).view(rows, -1)[:, :kept]
        longer = torch.cat(
            [written.repeat_interleave(10, 0), digits.repeat(len(written))[:, None]], 1
        )
        written = longer.unflatten(0, (rows, -1))[:, :kept].flatten(0, 1)
    return total


def _three_digits(frames: int) -> None:
    if not 1 <= frames <= 1000:
        raise UsageError(
            f"a window has {frames} frames, expected 1 to 1000: a frame is written as three digits; "
            "cut the clip into shorter windows"
        )
