"""Frames drawn together in time: AutoSign's Conv1d (arXiv 2507.19840, spec §2), and other readers of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from signloom.encoders.masked_norm import real
from signloom.errors import UsageError

Context = Literal["none", "bilstm", "transformer"]


class Compression(nn.Module):
    """(B, T, inputs) → (B, ⌈T / stride⌉, channels[-1]); padded frames are 0, whatever the batch.

    channels: one convolution each, ReLU behind it: (256, 512) and (1024, 512, 512) are the paper's
        [R]. Their strides, powers of two, make up ``stride``, the first ones the larger. None: frames
        as they are, `width` wide like all that comes out.
    context: what reads the compressed frames: nothing (the paper), a BiLSTM, or a Transformer
        with sine positions [D]. layers, heads, dropout: of that.

    Raises UsageError for a stride that is no power of two, or above 1 without a convolution.
    """

    def __init__(
        self,
        inputs: int,
        channels: Sequence[int] = (256, 512),
        stride: int = 4,
        context: Context = "none",
        layers: int = 2,
        heads: int = 8,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.strides = strides(stride, len(channels))
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, kernel, by, kernel // 2)
            for (before, after), by in zip(pairwise((inputs, *channels)), self.strides, strict=True)
            for kernel in [max(3, by + 1)]
        )
        self.width = width = (inputs, *channels)[-1]
        self.context: nn.LSTM | nn.TransformerEncoder | None = None
        if context == "bilstm":
            self.context = nn.LSTM(
                width,
                width // 2,
                layers,
                batch_first=True,
                bidirectional=True,
                dropout=dropout if layers > 1 else 0.0,
            )
        elif context == "transformer":
            block = nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True
            )
            self.context = nn.TransformerEncoder(
                block, layers, nn.LayerNorm(width), enable_nested_tensor=False
            )

    def forward(
        self,
        x: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch short width"], Bool[Tensor, "batch short"]]:
        """(compressed frames, which of them are real); ``mask`` is True on a row's first frames."""
        x = x * real(mask, x)
        for convolution, stride in zip(self.convolutions, self.strides, strict=True):
            x = convolution(x.transpose(1, 2)).relu().transpose(1, 2)
            mask = mask[:, ::stride]
            x = x * real(mask, x)
        if isinstance(self.context, nn.LSTM):
            lengths = mask.sum(1).clamp(min=1).cpu()
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            x = pad_packed_sequence(
                self.context(packed)[0], batch_first=True, total_length=x.shape[1]
            )[0]
        elif self.context is not None:
            seen = mask.clone()
            seen[:, 0] = True  # a row without frames would attend to nothing
            x = self.context(x + sines(x), src_key_padding_mask=~seen)
        return x * real(mask, x), mask


def strides(stride: int, layers: int) -> list[int]:
    """The strides of the convolutions.

    >>> strides(4, 2), strides(8, 2), strides(2, 3)
    ([2, 2], [4, 2], [2, 1, 1])
    """
    halvings = stride.bit_length() - 1
    if stride < 1 or stride != 1 << halvings:
        raise UsageError(f"a compression by {stride} is none of 1, 2, 4, 8, …; give a power of two")
    if halvings and not layers:
        raise UsageError(f"a compression by {stride} takes convolutions, and channels names none")
    each, more = divmod(halvings, max(layers, 1))
    return [1 << (each + (place < more)) for place in range(layers)]


def sines(x: Float[Tensor, "batch time width"]) -> Float[Tensor, "time width"]:
    """Sine positions (Vaswani et al. 2017), as long and wide as ``x``."""
    time = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)[:, None]
    half = x.shape[2] // 2
    turns = torch.exp(torch.arange(half, device=x.device) * (-math.log(10_000) / half)).to(x.dtype)
    return torch.cat([(time * turns).sin(), (time * turns).cos()], 1)
