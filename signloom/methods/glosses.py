"""What the methods that write glosses share: a reader of frames, and what is asked of a model.

Clips (`gloss_clips`) are prepared as AutoSign does (arXiv 2507.19840; spec §2), and CTC, its
baseline, is given the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.sample import Sample
from signloom.data.timing import Seconds
from signloom.encoders.agcn import in_chunks, out_of_chunks
from signloom.encoders.compression import Compression
from signloom.encoders.cost import gmac
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.encoders.processes import processes
from signloom.inference.translate import Translation
from signloom.methods.gloss_clips import (
    Batch,
    ClipSettings,
    Example,
    Preparation,
)
from signloom.methods.gloss_codec import codec_of, vocabulary
from signloom.training.stages import Loss

ERRORS = ("WER", "substitutions", "deletions", "insertions")


def by_length(batch: Batch, stride: int, rows: int = 8) -> list[Batch]:
    """The batch in parts of ``rows`` clips of like length, each padded no further than it needs."""
    frames, tokens = batch.mask.sum(1), (batch.labels != -100).sum(1)
    parts = []
    for part in frames.argsort(stable=True).split(rows):
        time, length = int(frames[part].max()), max(1, int(tokens[part].max()))
        parts.append(
            Batch(
                batch.features[part, :time],
                batch.mask[part, :time],
                batch.inputs[part, :length],
                batch.labels[part, :length],
                batch.signs[part, : -(-time // stride)],
            )
        )
    return parts


class Reader(nn.Module):
    """Points (B, T, K, C) → (B, ⌈T / stride⌉, channels[-1]): the encoder of every method here."""

    def __init__(self, config: ClipSettings):
        super().__init__()
        self.chunk, self.stride = config.chunk, config.stride
        layout = config.read
        inputs = config.points * config.coordinates
        self.backbone: PoseBackbone | None = None
        if config.graph:
            self.backbone = PoseBackbone(
                layout,
                config.coordinates,
                channels=config.graph_channels,
                width=config.graph_width,
                layers=config.graph_layers,
                dropout=config.dropout,
            )
            inputs = config.graph_width
        self.compression = Compression(
            inputs,
            config.channels,
            config.stride,
            config.context,
            config.context_layers,
            config.context_heads,
            config.dropout,
        )

    def forward(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch short width"], Bool[Tensor, "batch short"]]:
        """(frames, which of them are real). In chunks, each chunk sees itself alone."""
        batch, time = mask.shape
        if self.chunk:
            points, mask = in_chunks(points, mask, self.chunk)
        if self.backbone is not None:
            x = self.backbone(points, mask).sequence
        else:
            x = points.flatten(2)
        x, there = self.compression(x, mask)
        if self.chunk:
            short = -(-time // self.stride)
            x, there = out_of_chunks(x, batch, short), there.reshape(batch, -1)[:, :short]
        return x, there


@contextmanager
def answering(model: nn.Module) -> Iterator[torch.device]:
    """The model in eval mode, without gradients, as long as it is asked; its device."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield next(model.parameters()).device
    finally:
        model.train(training)


class GlossWriter(nn.Module):
    """What each method here is: a `Translator` that writes glosses, with a `Reader` before all else.

    A subclass gives ``_summed``, the summed loss of a batch, and ``_read``, the glosses of clips.
    """

    word = None
    writes_glosses = True

    def __init__(self, name: str, config: ClipSettings, tokenizer: Tokenizer, max_tokens: int):
        super().__init__()
        self.method = self.name = name
        self.config = config
        self.tokenizer = tokenizer
        self.codec = codec_of(tokenizer)
        self.preparation = Preparation(config, self.codec, max_tokens)
        self.simulated_only = False
        self.reader = Reader(config)

    @property
    def layout(self) -> Layout:
        return self.preparation.layout

    @property
    def writable(self) -> Collection[str] | None:
        """The glosses that it can write; None where it writes them in a decoder's own tokens."""
        return self.tokenizer.get_vocab()

    def refuse_unlearnable(self, texts: Sequence[str]) -> None:
        """UsageError for a training text that has too many tokens: now, not when it is drawn."""
        for text in texts:
            self.preparation.target(text, "a training sample")

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `methods.load` builds it from this."""
        return {
            "method": self.method,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": self.config.normalizer,
            "fps": self.config.fps,
            "vocabulary": vocabulary(self.tokenizer),
        }

    def inputs(self, frames: int, glosses: int) -> tuple[Tensor, ...]:
        """What `forward` takes of one clip of so many frames that is read as so many glosses, in zeros."""
        shape = (1, frames, self.config.points, self.config.coordinates)
        return torch.zeros(shape), torch.ones(1, frames, dtype=torch.bool)

    def cost(self, frames: int, glosses: int) -> dict[str, int | float]:
        """Parameters, and 10⁹ multiply–adds of a clip of so many frames read as so many glosses.

        One pass over frames and glosses, which is what greedy decoding with kept keys comes to.
        """
        training = self.training
        inputs = self.eval().inputs(frames, glosses)
        counted = gmac(lambda: self(*inputs))
        self.train(training)
        total = sum(parameter.numel() for parameter in self.parameters())
        return {"parameters": total, "gmac": round(counted, 5)}

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip `translate` takes in, from its start."""
        config = self.config
        return clip.duration if config.chunk else config.max_frames / self.preparation.rate(clip)

    def loss(self, batch: Batch) -> Loss:
        """The summed loss, and how many glosses it is of.

        On a CPU, clips of like length go through together, so that little time is spent on padding;
        several processes have as many parts each: one.
        """
        alone = batch.features.device.type == "cpu" and processes() == 1
        parts = by_length(batch, self.config.stride) if alone else [batch]
        total = torch.stack([self._summed(part) for part in parts]).sum()
        return Loss(total, (batch.labels != -100).sum())

    def _summed(self, batch: Batch) -> Float[Tensor, ""]:
        raise NotImplementedError

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        """The best glosses of each clip, with the next; "" for a clip without frames.

        Raises UsageError where a clip's layout does not convert to the model's.
        """
        given = [clip for clip in clips if len(clip)]
        found = iter(self._read(given, beam) if given else ())
        return [next(found) if len(clip) else Translation("", 0.0) for clip in clips]

    def _read(self, clips: Sequence[PoseClip], beam: int | None) -> list[Translation]:
        raise NotImplementedError

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train)

    def collate(self, examples: list[Example]) -> Batch:
        return self.preparation.collate(examples)
