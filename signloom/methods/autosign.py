"""AutoSign: pose frames as the prefix of a GPT-2 that writes glosses (arXiv 2507.19840; spec §2).

The idea. Continuous recognition without an alignment: keypoints, drawn together in time, stand
before the text as if they were its first words, and a pretrained decoder goes on from there.

The paper's parts, and their names here:

    x  67 keypoints of a frame, T × 134                        `gloss_clips.Preparation.points`
    Conv1d 134→256→512, k3 s2, ReLU: T → ⌈T/4⌉                 `AutoSign.reader`
    Linear 512→768, dropout .1                                 `AutoSign.prefix`
    prefix ⊕ <s> g₁ g₂ …, learned positions                    `language.causal.Prefixed`
    12 AraGPT2 blocks, 768, own embedding and head             `AutoSign.writer`
    CE on the glosses                                          `AutoSign.loss`
    sampling at T = .8, penalty 1.4^count, ≤ 20 tokens         `AutoSign.sampled`

docs/methods/autosign.md lists what is ours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.sample import SampleSource
from signloom.errors import UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.translate import Translation
from signloom.language.beam import Hypothesis, beam_search, log_probabilities
from signloom.language.causal import Prefixed, build_gpt2, fill_gpt2, gpt2_tokenizer
from signloom.language.ctc import ctc_loss
from signloom.methods.gloss_clips import CLIP_RULES, Batch, ClipSettings
from signloom.methods.gloss_codec import (
    fresh_rows,
    gloss_tokenizer,
    own_tokenizer,
    refuse_unwritable,
)
from signloom.methods.glosses import ERRORS as ERRORS
from signloom.methods.glosses import GlossWriter, answering
from signloom.methods.settings import settings_from
from signloom.training.checkpoint import Checkpoint, load_tensors

NAME = "autosign"
METRICS = ERRORS
TARGET = "glosses"
Vocabulary = Literal["glosses", "decoder"]
Decoding = Literal["beam", "sample"]
TEMPERATURE, PENALTY = 0.8, 1.4
"""Of the authors' sampling on the test split [R]."""


@dataclass(frozen=True)
class Config(ClipSettings):
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    # The decoder (GPT-2)
    width: int = 768
    layers: int = 12
    heads: int = 12
    inner: int = 3072
    positions: int = 1_024
    """Of prefix and text together; the paper's 1,200 are more than AraGPT2 has [D]."""
    decoder_dropout: float = 0.1
    decoder_pretrained: str = ""
    """Folder or hub id of a GPT-2 to start from; "" = random."""
    vocabulary: Vocabulary = "glosses"
    """glosses: one token each (the paper's). decoder: the tokens of ``decoder_pretrained``."""
    max_tokens: int = 20
    """Tokens of a text, without <s> and </s>."""
    initial_scale: float = 1.0
    """Positions start this many times their usual σ of 0.02 [D: > 1 in small]."""

    # The loss
    label_smoothing: float = 0.0
    ctc: float = 0.0
    """Weight w of a CTC loss on the compressed frames beside: (1 − w)·CE + w·CTC [D]."""

    # Decoding
    decoding: Decoding = "beam"
    """sample: drawn token by token, as in the authors' code; for comparison."""
    beam: int = 3
    """1 = greedy."""
    length_penalty: float = 0.6
    ctc_decode: float = 0.0
    """Weight w of CTC in the choice among the beam's hypotheses: (1 − w)·score + w·log p_ctc / tokens [D]."""
    collapse: bool = False
    """Equal neighbours become one, as in the authors' code. A trap: signing may truly repeat a gloss,
    and then each such pair is a deletion that no model can avoid."""

    def __post_init__(self) -> None:
        super().__post_init__()
        frames = math.ceil(self.max_frames / self.stride)
        if frames + self.max_tokens + 1 > self.positions:
            raise UsageError(
                f"autosign: {self.max_frames} frames are {frames} after compression, and with "
                f"{self.max_tokens} tokens more than the {self.positions} positions; raise positions "
                "or stride, or lower max_frames"
            )
        if self.vocabulary == "decoder" and not self.decoder_pretrained:
            raise UsageError(
                "autosign: vocabulary 'decoder' takes the tokens of a pretrained decoder; name one in "
                "decoder_pretrained, or use 'glosses'"
            )
        if self.ctc_decode and not self.ctc:
            raise UsageError("autosign: ctc_decode needs a model trained with ctc above 0")
        if self.chunk:
            raise UsageError(
                "autosign: chunk is for streams, and a decoder waits for the whole prefix; use ctc"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, RULES)


RULES = replace(
    CLIP_RULES,
    choices={
        **CLIP_RULES.choices,
        "vocabulary": get_args(Vocabulary),
        "decoding": get_args(Decoding),
    },
    shares=(*CLIP_RULES.shares, "decoder_dropout", "label_smoothing", "ctc", "ctc_decode"),
    least={**CLIP_RULES.least, "length_penalty": -math.inf},
)


SMALL = Config(
    layout="ps76",
    normalizer="shoulder",
    local_hands=True,
    augment=0.0,
    noise=0.01,
    max_frames=400,
    channels=(192, 256),
    width=192,
    layers=3,
    heads=4,
    inner=768,
    positions=128,
    initial_scale=5.0,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        noise=0.0,
        dropout=0.0,
        decoder_dropout=0.0,
        channels=(48, 96),
        width=96,
        layers=2,
        inner=192,
    ),
    "small": SMALL,
    "paper": Config(decoder_pretrained="aubmindlab/aragpt2-base"),
}
"""tiny ≤ 1 M parameters (tests), small (a CPU), paper as published (spec §2)."""


def begin(config: Config, texts: Sequence[str], seed: int) -> AutoSign:
    """A fresh model for the glosses of the texts.

    Raises MediaError or UsageError where the pretrained decoder does not load whole, or cannot write a
    gloss in its own tokens, and UsageError for a text of more than ``max_tokens``.
    """
    own = config.vocabulary == "glosses"
    tokenizer = gloss_tokenizer(texts) if own else gpt2_tokenizer(config.decoder_pretrained)
    model = build(config, tokenizer, seed)
    if not own:
        refuse_unwritable(model.codec, texts, config.decoder_pretrained)
    model.refuse_unlearnable(texts)
    return model


def restore(checkpoint: Checkpoint) -> AutoSign:
    """The model of a checkpoint, weights loaded whole.

    Raises MediaError where they are not, or where the vocabulary is not the one they were trained with.
    """
    config = Config.of(checkpoint.config.get("config", {}))
    model = build(config, own_tokenizer(checkpoint), pretrained=False)
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    model.decoder_from = checkpoint.config.get("decoder")
    return model


def score_dev(model: AutoSign, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """WER and its parts on the first ``limit`` samples."""
    return translation_scores(model, dev, limit, beam)


def build(config: Config, tokenizer: Tokenizer, seed: int = 0, pretrained: bool = True) -> AutoSign:
    """The model with weights drawn from ``seed``, then the pretrained decoder that the config names.

    ``pretrained`` False leaves that out: for a checkpoint, whose weights come next.
    Raises MediaError or UsageError where pretrained weights do not load whole.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoSign(config, tokenizer)
    if pretrained and config.decoder_pretrained:
        words = config.vocabulary == "decoder"
        base = fill_gpt2(model.writer.decoder, config.decoder_pretrained, words)
        model.decoder_from = base.to_json()
    return model


class AutoSign(GlossWriter):
    """Frames → compression → GPT-2 → glosses. A `Translator` that writes glosses."""

    config: Config

    def __init__(self, config: Config, tokenizer: Tokenizer):
        super().__init__(NAME, config, tokenizer, config.max_tokens)
        self.decoder_from: dict[str, Any] | None = None
        self.prefix = nn.Sequential(
            nn.Linear(self.reader.compression.width, config.width), nn.Dropout(config.dropout)
        )
        self.writer = Prefixed(
            build_gpt2(
                vocabulary=len(self.codec),
                width=config.width,
                layers=config.layers,
                heads=config.heads,
                inner=config.inner,
                positions=config.positions,
                dropout=config.decoder_dropout,
            )
        )
        with torch.no_grad():
            self.writer.decoder.transformer.wpe.weight *= config.initial_scale
        self.aligner = (
            nn.Linear(self.reader.compression.width, len(self.codec)) if config.ctc else None
        )

    @property
    def writable(self) -> Collection[str] | None:
        return super().writable if self.config.vocabulary == "glosses" else None

    @property
    def filled(self) -> dict[str, float]:
        """Weights of others that it began with → the fraction they filled of what they are for."""
        base = self.decoder_from
        return {base["source"]: base["filled"]} if base else {}

    def described(self) -> dict[str, Any]:
        """As every gloss writer's, with where the decoder's weights came from."""
        found = {"decoder": self.decoder_from} if self.decoder_from else {}
        return {**super().described(), **found}

    def own(self, old: Any) -> Sequence[str]:
        """The tensors with a row a gloss, where the other model has other glosses."""
        rows = ("writer.decoder.transformer.wte", "writer.decoder.lm_head", "aligner")
        return fresh_rows(self.codec, old, rows)

    def inputs(self, frames: int, glosses: int) -> tuple[Tensor, ...]:
        """As every gloss writer's, with <s> and the glosses: each stands before the next, or </s>."""
        tokens = torch.full((1, glosses + 1), self.codec.start)
        return *super().inputs(frames, glosses), tokens

    def forward(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
        inputs: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the gloss after each of ``inputs``."""
        frames, there = self.reader(points, mask)
        return self.writer(self.prefix(frames), there, inputs)

    def _summed(self, batch: Batch) -> Float[Tensor, ""]:
        frames, there = self.reader(batch.features, batch.mask)
        logits = self.writer(self.prefix(frames), there, batch.inputs)
        crossed = nn.functional.cross_entropy(
            logits.flatten(0, 1).float(),
            batch.labels.flatten(),
            ignore_index=-100,
            reduction="sum",
            label_smoothing=self.config.label_smoothing,
        )
        if self.aligner is None:
            return crossed
        lengths = (batch.labels != -100).sum(1) - 1  # without </s>
        aligned = ctc_loss(
            self.aligner(frames),
            there.sum(1),
            batch.labels.clamp(min=0),
            lengths,
            self.codec.pad,
        ).sum()
        return (1 - self.config.ctc) * crossed + self.config.ctc * aligned

    def _read(self, clips: Sequence[PoseClip], beam: int | None) -> list[Translation]:
        with answering(self) as device:
            points, mask = self.preparation.padded([self.preparation.points(c) for c in clips])
            frames, there = self.reader(points.to(device), mask.to(device))
            prefix = self.prefix(frames)
            if self.config.decoding == "sample":
                found = self.sampled(prefix, there)
            else:
                found = self._searched(prefix, there, beam or self.config.beam)
            if self.aligner is not None and self.config.ctc_decode:
                found = self._aligned(found, self.aligner(frames), there)
        return [self._told(hypotheses) for hypotheses in found]

    def _searched(self, prefix: Tensor, there: Tensor, width: int) -> list[list[Hypothesis]]:
        return beam_search(
            self.writer.stepper(prefix, there, width),
            torch.full((len(prefix), 1), self.codec.start, device=prefix.device),
            end=self.codec.end,
            width=width,
            max_length=self.config.max_tokens + 1,
            length_penalty=self.config.length_penalty,
            no_repeat=0,
        )

    def sampled(
        self,
        prefix: Float[Tensor, "batch short width"],
        there: Bool[Tensor, "batch short"],
    ) -> list[list[Hypothesis]]:
        """One text a clip, drawn at TEMPERATURE; p of a token falls by PENALTY each time it was said.

        The draws depend on the batch alone.
        """
        step = self.writer.stepper(prefix, there, 1)
        rng = torch.Generator(prefix.device).manual_seed(0)
        rows = torch.arange(len(prefix), device=prefix.device)
        tokens = torch.full((len(prefix), 1), self.codec.start, device=prefix.device)
        total = torch.zeros(len(prefix), device=prefix.device)
        said = torch.zeros(len(prefix), len(self.codec), device=prefix.device)
        ended = torch.zeros_like(rows, dtype=torch.bool)
        parents: Tensor | None = None
        while not ended.all() and tokens.shape[1] <= self.config.max_tokens:
            logits = step(tokens, parents).float() - said * math.log(PENALTY)
            log_p = log_probabilities(logits / TEMPERATURE)
            drawn = torch.multinomial(log_p.exp(), 1, generator=rng)
            drawn = drawn.masked_fill(ended[:, None], self.codec.end)
            total += torch.where(ended, 0.0, log_p.gather(1, drawn)[:, 0])
            said.scatter_add_(1, drawn, torch.ones_like(drawn, dtype=said.dtype))
            tokens, ended, parents = (
                torch.cat([tokens, drawn], 1),
                ended | (drawn[:, 0] == self.codec.end),
                rows,
            )
        texts = [row[: row.index(self.codec.end)] if self.codec.end in row else row
                 for row in tokens[:, 1:].tolist()]  # fmt: skip
        return [
            [Hypothesis(tuple(text), score / (len(text) + 1))]
            for text, score in zip(texts, total.tolist(), strict=True)
        ]

    def _aligned(
        self, found: list[list[Hypothesis]], logits: Tensor, there: Tensor
    ) -> list[list[Hypothesis]]:
        """The hypotheses of each clip in the order that their own score and CTC's give together."""
        weight, again = self.config.ctc_decode, []
        for row, hypotheses in enumerate(found):
            longest = max(1, *(len(h.tokens) for h in hypotheses))
            targets = logits.new_zeros(len(hypotheses), longest, dtype=torch.long)
            for place, hypothesis in enumerate(hypotheses):
                targets[place, : len(hypothesis.tokens)] = torch.tensor(hypothesis.tokens)
            lengths = torch.tensor([len(h.tokens) for h in hypotheses], device=logits.device)
            losses = ctc_loss(
                logits[row].expand(len(hypotheses), -1, -1),
                there[row].sum().expand(len(hypotheses)),
                targets,
                lengths,
                self.codec.pad,
            ).tolist()
            joint = [
                replace(h, score=(1 - weight) * h.score - weight * loss / (len(h.tokens) + 1))
                for h, loss in zip(hypotheses, losses, strict=True)
            ]
            again.append(sorted(joint, key=lambda hypothesis: -hypothesis.score))
        return again

    def _told(self, hypotheses: list[Hypothesis]) -> Translation:
        texts = [(self._text(h.tokens), h.score) for h in hypotheses]
        return Translation(*texts[0], tuple(texts[1:]))

    def _text(self, tokens: Sequence[int]) -> str:
        text = self.codec.decode(tokens)
        return " ".join(g for g, _ in groupby(text.split())) if self.config.collapse else text
