"""CTC: what AutoSign is compared with, the usual way to recognise continuous signing (spec §2).

The idea. Every compressed frame says which gloss it belongs to, or none (blank); the loss sums over
all ways to spread the glosses over the frames (Graves et al. 2006). The frames are AutoSign's.

    frames → reader → Linear → log p(gloss or blank)           `Ctc.forward`
    CTC                                                        `Ctc.loss`
    prefix beam search                                         `language.ctc.PrefixBeam`
    chunk by chunk, as frames come                             `Stream`

docs/methods/autosign.md says more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.sample import SampleSource
from signloom.data.timing import Seconds
from signloom.encoders.compression import Context
from signloom.errors import UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.translate import Translation
from signloom.language.beam import log_probabilities
from signloom.language.ctc import PrefixBeam, Prior, ctc_loss, no_prior
from signloom.language.ngram import NGram, counted
from signloom.methods.gloss_clips import CLIP_RULES, NO_SIGN, Batch, ClipSettings, Filling
from signloom.methods.gloss_codec import fresh_rows, gloss_tokenizer, own_tokenizer
from signloom.methods.glosses import ERRORS as ERRORS
from signloom.methods.glosses import GlossWriter, answering
from signloom.methods.settings import settings_from
from signloom.pose.convert import convert
from signloom.pose.phrases import joined
from signloom.training.checkpoint import Checkpoint, load_tensors

NAME = "ctc"
METRICS = ERRORS
TARGET = "glosses"


@dataclass(frozen=True)
class Config(ClipSettings):
    """Every setting of the method, all ours [D] but how clips are read."""

    later: ClassVar[tuple[str, ...]] = (
        *ClipSettings.later, "spans", "prior", "prior_order", "bonus",
    )  # fmt: skip

    context: Context = "bilstm"
    beam: int = 5
    """Prefixes kept; 1 = greedy but for sums over alignments."""
    classes: int = 20
    """Glosses tried a frame, the likeliest; 0 = all."""
    max_tokens: int = 100
    """Glosses of a training text, at most."""
    spans: float = 0.0
    """Weight w of what each frame of a timed sign is, beside: (1 − w)·CTC + w·CE, the mean of CE over a
    clip's frames for each of its glosses."""
    prior: float = 0.0
    """Weight in the search of ln p that an n-gram model of the training sentences gives the glosses."""
    prior_order: int = 3
    """Glosses in an n-gram."""
    bonus: float = 0.0
    """What each gloss adds to a hypothesis beside, against the prior's liking for short ones."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, RULES)


RULES = replace(
    CLIP_RULES,
    shares=(*CLIP_RULES.shares, "spans"),
    least={**CLIP_RULES.least, "classes": 0, "bonus": -math.inf},
)

SMALL = Config(
    layout="ps76",
    normalizer="shoulder",
    local_hands=True,
    augment=0.0,
    noise=0.01,
    max_frames=400,
    channels=(192, 256),
)

PRESETS: dict[str, Config] = {
    "tiny": replace(SMALL, noise=0.0, dropout=0.0, channels=(48, 96), context_layers=1),
    "small": SMALL,
    "stream": replace(SMALL, normalizer="isharah_frame", local_hands=False, noise=0.02, chunk=48),
    "paper": Config(),
}
"""tiny ≤ 1 M parameters (tests), small and stream (a CPU), paper with AutoSign's clips and convolutions."""


def begin(config: Config, texts: Sequence[str], seed: int) -> Ctc:
    """A fresh model for the glosses of the texts, which are what its prior counts.

    Raises UsageError where there are none, and for a text of more than ``max_tokens``.
    """
    model = build(config, gloss_tokenizer(texts), seed)
    model.refuse_unlearnable(texts)
    if config.prior:
        model.counts = counted((model.codec.encode(text) for text in texts), config.prior_order)
    return model


def restore(checkpoint: Checkpoint) -> Ctc:
    """The model of a checkpoint, weights loaded whole.

    Raises MediaError where they are not, or where the vocabulary is not the one they were trained with.
    """
    model = build(Config.of(checkpoint.config.get("config", {})), own_tokenizer(checkpoint))
    tensors = checkpoint.tensors()
    if model.config.prior:
        model.counts = torch.zeros_like(tensors.get("counts", torch.zeros(0)))
    load_tensors(model, tensors, str(checkpoint.folder))
    return model


def score_dev(model: Ctc, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """WER and its parts on the first ``limit`` samples."""
    return translation_scores(model, dev, limit, beam)


def build(config: Config, tokenizer: Tokenizer, seed: int = 0) -> Ctc:
    """The model with weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Ctc(config, tokenizer)


class Ctc(GlossWriter):
    """Frames → compression → a gloss or blank each. A `Translator` that writes glosses."""

    config: Config

    def __init__(self, config: Config, tokenizer: Tokenizer):
        super().__init__(NAME, config, tokenizer, config.max_tokens)
        self.head = nn.Linear(self.reader.compression.width, len(self.codec))
        self.counts: Tensor | None
        self.register_buffer("counts", None)

    def own(self, old: Any) -> Sequence[str]:
        """The tensors with a row a gloss, where the other model has other glosses; and the prior's counts."""
        return ["counts", *fresh_rows(self.codec, old, ("head",))]

    def forward(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch short classes"], Bool[Tensor, "batch short"]]:
        """(logits of each compressed frame, which of them are real)."""
        frames, there = self.reader(points, mask)
        return self.head(frames), there

    def _summed(self, batch: Batch) -> Float[Tensor, ""]:
        logits, there = self(batch.features, batch.mask)
        lengths = (batch.labels != -100).sum(1) - 1  # without </s>
        targets = batch.labels.clamp(min=0)
        aligned = ctc_loss(logits, there.sum(1), targets, lengths, self.codec.pad)
        if not self.config.spans:
            return aligned.sum()
        crossed = nn.functional.cross_entropy(
            logits.transpose(1, 2).float(), batch.signs, ignore_index=NO_SIGN, reduction="none"
        ).sum(1)
        known = (batch.signs != NO_SIGN).sum(1).clamp(min=1)
        w = self.config.spans
        return ((1 - w) * aligned + w * lengths * crossed / known).sum()

    def _read(self, clips: Sequence[PoseClip], beam: int | None) -> list[Translation]:
        """The likeliest glosses of each clip, with the next; "" where all is blank. score: log p."""
        with answering(self) as device:
            points, mask = self.preparation.padded([self.preparation.points(c) for c in clips])
            logits, there = self(points.to(device), mask.to(device))
            log_p = log_probabilities(logits).cpu()
        found = []
        for frames, count in zip(log_p, there.sum(1).tolist(), strict=True):
            search = self.search(beam)
            search.take(frames[:count])
            texts = [(self.glosses(each.labels), each.log_p) for each in search.best()]
            found.append(Translation(*texts[0], tuple(texts[1:])))
        return found

    def glosses(self, labels: Sequence[int]) -> str:
        """The text of labels; what says where a text ends is no gloss, and ends nothing here."""
        return self.codec.decode([label for label in labels if label != self.codec.end])

    @property
    def streams(self) -> bool:
        """Whether it reads in chunks, so that it can be asked as frames come."""
        return bool(self.config.chunk)

    def stream(self, fps: float, beam: int | None = None) -> Stream:
        """A stream that has seen no frame yet. Raises UsageError as `Stream` does."""
        return Stream(self, fps, beam)

    def search(self, beam: int | None = None) -> PrefixBeam:
        """A search that has seen no frame yet."""
        width, classes = beam or self.config.beam, self.config.classes
        return PrefixBeam(self.codec.pad, width, classes, self._prior())

    def _prior(self) -> Prior:
        if self.counts is None:
            return no_prior
        config = self.config
        grams = NGram(self.counts, len(self.codec))

        def prior(before: tuple[int, ...], label: int | None) -> float:
            return config.prior * grams.log_p(before, label) + config.bonus * (label is not None)

        return prior


class Stream:
    """Glosses as frames come, and at the end those that `Ctc.translate` writes of the whole clip.

    A gloss comes out when every hypothesis kept begins with it, and then never changes. Nothing is
    read before its chunk is full: ``look_ahead`` is the longest that the network waits, in seconds
    of the clip. With a beam of 1 that is all there is to wait for.

    Raises UsageError for a model that does not read in chunks.
    """

    def __init__(self, model: Ctc, fps: float, beam: int | None = None):
        if not model.config.chunk:
            raise UsageError(
                f"model '{model.name}' reads whole clips; a stream needs one trained with chunk "
                "above 0 (ctc's preset 'stream')"
            )
        wanted = model.config.fps or fps
        if abs(fps / wanted - 1) >= 0.02:
            raise UsageError(
                f"model '{model.name}' reads {wanted:g} frames a second and the stream has {fps:g}; "
                "give it frames at the model's rate"
            )
        self.model = model
        self.look_ahead: Seconds = model.config.chunk / fps
        self._search = model.search(beam)
        self._filling = Filling(model.layout)
        self._waiting: list[PoseClip] = []
        self._said = 0

    def push(self, piece: PoseClip) -> list[str]:
        """The glosses that these further frames, as many as there are, have made certain."""
        self._waiting.append(convert(piece, self.model.layout))
        chunk = self.model.config.chunk
        while sum(map(len, self._waiting)) >= chunk:
            whole = joined(self._waiting)
            self._take(whole.frames(slice(0, chunk)))
            self._waiting = [whole.frames(slice(chunk, None))]
        return self._new(self._search.agreed())

    def finish(self) -> list[str]:
        """The rest: what is still uncertain is decided by the best hypothesis."""
        if sum(map(len, self._waiting)):
            self._take(joined(self._waiting))
        self._waiting = []
        return self._new(self._search.best()[0].labels)

    def _take(self, clip: PoseClip) -> None:
        preparation = self.model.preparation
        points = self._filling(preparation.normalized(clip))[:, :, : self.model.config.coordinates]
        with answering(self.model) as device:
            padded, mask = preparation.padded([points])
            logits, _ = self.model(padded.to(device), mask.to(device))
            self._search.take(log_probabilities(logits)[0].cpu())

    def _new(self, labels: Sequence[int]) -> list[str]:
        text = self.model.glosses(labels[self._said :])
        self._said = len(labels)
        return text.split()
