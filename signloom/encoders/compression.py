"""Frames drawn together in time: AutoSign's Conv1d (arXiv 2507.19840, spec §2), and other readers of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from signloom.encoders.masked_norm import real
from signloom.errors import UsageError

Context = Literal["none", "bilstm", "transformer", "dilated"]


class Compression(nn.Module):
    """(B, T, inputs) → (B, ⌈T / stride⌉, channels[-1]); padded frames are 0, whatever the batch.

    channels: one convolution each, ReLU behind it: (256, 512) and (1024, 512, 512) are the paper's
        [R]. Their strides, powers of two, make up ``stride``, the first ones the larger. None: frames
        as they are, `width` wide like all that comes out.
    context: what reads the compressed frames: nothing (the paper), a BiLSTM, a Transformer
        with sine positions, or `Dilated` convolutions [D]. layers, heads, dropout: of that.

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
        self.context: BiLSTM | nn.TransformerEncoder | Dilated | None = None
        if context == "bilstm":
            self.context = BiLSTM(width, layers, dropout)
        elif context == "transformer":
            block = nn.TransformerEncoderLayer(
                width, heads, 4 * width, dropout, "gelu", batch_first=True, norm_first=True
            )
            self.context = nn.TransformerEncoder(
                block, layers, nn.LayerNorm(width), enable_nested_tensor=False
            )
        elif context == "dilated":
            self.context = Dilated(width, layers, dropout)

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
        if isinstance(self.context, BiLSTM | Dilated):
            x = self.context(x, mask)
        elif self.context is not None:
            seen = mask.clone()
            seen[:, 0] = True  # a row without frames would attend to nothing
            x = self.context(x + sines(x), src_key_padding_mask=~seen)
        return x * real(mask, x), mask


class BiLSTM(nn.LSTM):
    """torch's bidirectional LSTM over padded rows: its parameters by name and value, a way and layer at a time.

    Packed rows would take four times as long on a CPU, for torch's fused LSTM reads no packed ones.
    width: of what goes in and comes out, half of it each way. dropout: between layers.
    """

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__(
            width,
            width // 2,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )

    def forward(  # type: ignore[override]
        self, x: Float[Tensor, "batch time width"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time width"]:
        """What each frame is with those before and behind it; ``mask`` is True on a row's first frames."""
        time = torch.arange(x.shape[1], device=x.device)
        mirrored = torch.where(mask, mask.sum(1, keepdim=True) - 1 - time, time)[:, :, None]
        for layer in range(self.num_layers):
            if layer:
                x = functional.dropout(x, self.dropout, self.training)
            onwards = self._one_way(x, 2 * layer)
            backwards = self._one_way(x.gather(1, mirrored.expand_as(x)), 2 * layer + 1)
            backwards = backwards.gather(1, mirrored.expand_as(backwards))
            x = torch.cat([onwards, backwards], 2)
        return x

    def _one_way(
        self, x: Float[Tensor, "batch time width"], way: int
    ) -> Float[Tensor, "batch time half"]:
        """From the first frame to the last; ``way``: 2 a layer, onwards and backwards."""
        state = x.new_zeros(1, len(x), self.hidden_size)
        weights: list[Tensor] = [*self.all_weights[way]]
        return torch.lstm(x, (state, state), weights, True, 1, 0.0, self.training, False, True)[0]


class Dilated(nn.Module):
    """Residual convolutions over 3 frames that lie 1, 2, 4, … apart (MS-TCN, Farha and Gall 2019).

    Each layer is x + dropout(linear(ReLU(convolution(x)))); dropout stands before the first as well.
    """

    def __init__(self, width: int, layers: int, dropout: float):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=1 << layer, dilation=1 << layer)
            for layer in range(layers)
        )
        self.outputs = nn.ModuleList(nn.Conv1d(width, width, 1) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "batch time width"], mask: Bool[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time width"]:
        """``x`` with what lies around each frame; ``mask`` is True on a row's real frames."""
        there = real(mask, x).transpose(1, 2)
        x = self.dropout(x).transpose(1, 2) * there
        for convolution, output in zip(self.convolutions, self.outputs, strict=True):
            x = (x + self.dropout(output(convolution(x).relu()))) * there
        return x.transpose(1, 2)


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
