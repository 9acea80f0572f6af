"""A small English T5 for system 3, learnt by denoising the texts at hand (spec §3 [D]).

The paper begins with Flan-T5-XL. Where no such weights can be had, this gives adapters
something to stand on that is not random; it is no substitute for it. By span corruption, as a T5 learns, a
small one does not come to read its encoder in order, and adapters on it learnt to read no signing;
by infilling it copies what it reads, and they do (docs/methods/unified.md, C3.7).
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedTokenizerFast, T5ForConditionalGeneration

import signloom
from signloom.data.files import writing
from signloom.data.sample import Sample
from signloom.errors import UsageError, nearest
from signloom.language.spans import (
    DENSITY,
    MEAN_LENGTH,
    SHORTEST,
    SpanBatch,
    corrupt,
    side_by_side,
    span_losses,
)
from signloom.language.t5 import T5Shape, TextCodec, build_t5, train_codec
from signloom.methods.sources import Texts
from signloom.text.sentences import held_out
from signloom.text.tokenizer import END, PAD, START, UNKNOWN
from signloom.training.fit import Fitted, fit, where_it_stands
from signloom.training.mixing import Mixture, generator
from signloom.training.stages import Loss, Plan, Stage

RECORD, RUN, CARD = "pretraining.json", "run", "README.md"
HELD_OUT = 0.02
MEASURED = 1_000
"""Held-out sentences that a validation reads, at most."""

SIZES: dict[str, T5Shape] = {
    "tiny": T5Shape(1_000, 96, 24, 192, 2, 2, 4, tied=True),
    "mini": T5Shape(2_800, 192, 48, 320, 3, 3, 4, tied=True),
    "small": T5Shape(4_000, 256, 32, 384, 4, 4, 6, tied=True),
    "base": T5Shape(16_000, 512, 64, 1_024, 8, 8, 6, tied=True),
}
"""Shapes by name; ``base`` is that of T5 v1.1 small [R]. The vocabulary is the most there may be."""


OBJECTIVES = {
    "spans": ("span corruption", "cut out"),
    "infilling": ("text infilling", "to be written"),
}
"""What the decoder writes, the spans that were cut out, as a T5 learns, or the whole text, as BART does → what
the field calls that, and the tokens that a loss is of."""


class Denoising(nn.Module):
    """A T5 that learns by one of OBJECTIVES (Trainable, signloom/training/fit.py).

    density: share of a text that is cut out while it learns; it is measured at T5's 15 %.
    longest: tokens of a text; what goes beyond is left out.
    """

    def __init__(
        self,
        language: T5ForConditionalGeneration,
        codec: TextCodec,
        density: float = DENSITY,
        longest: int = 128,
        objective: str = "spans",
    ) -> None:
        super().__init__()
        self.language = language
        self.objective = objective
        self.codec, self.density, self.longest = codec, density, longest

    def example(
        self, sample: Sample, rng: np.random.Generator, train: bool
    ) -> tuple[list[int], list[int]]:
        """(what is left of the text, what is to be written)."""
        ids = self.codec.encode(sample.text)[: self.longest]
        density = self.density if train else DENSITY
        left, out = corrupt(ids, rng, self.codec.sentinels, self.codec.end, density)
        return left, out if self.objective == "spans" else [*ids, self.codec.end]

    def collate(self, examples: list[tuple[list[int], list[int]]]) -> SpanBatch:
        """Examples side by side."""
        return side_by_side(examples, self.codec.start, self.codec.pad)

    def loss(self, batch: SpanBatch) -> Loss:
        """Cross-entropy of what is to be written, the sentinels and the end included."""
        return Loss(span_losses(self.language, batch).sum(), batch.real.sum())


@dataclass(frozen=True)
class Wanted:
    """What a pretraining is: the same one gives the same weights.

    texts: sentences. named: where they came from, for the record.
    steps, batch, lr: optimiser steps, sentences in each, the highest learning rate.
    vocabulary: tokens at most; None for the size's own.
    density: share of a text that is cut out. T5's .15 asks for two or three tokens of a short
        sentence; .5 asks for more a step, and for more of a sentence at once [D].
    dtype: how the weights are stored.
    """

    texts: tuple[str, ...]
    named: tuple[str, ...]
    size: str = "small"
    steps: int = 10_000
    batch: int = 64
    lr: float = 2e-3
    vocabulary: int | None = None
    density: float = DENSITY
    seed: int = 42
    dtype: str = "float32"
    objective: str = "spans"

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise UsageError(
                f"there is no size '{self.size}'{nearest(self.size, list(SIZES))}; it is one of "
                f"{', '.join(SIZES)}"
            )
        if not 0 < self.density < 1:
            raise UsageError(f"density is {self.density}; expected a share between 0 and 1")
        if self.objective not in OBJECTIVES:
            raise UsageError(
                f"objective '{self.objective}' is unknown; expected {' or '.join(OBJECTIVES)}"
            )
        if self.dtype not in ("float32", "float16"):
            raise UsageError(f"dtype '{self.dtype}' is unknown; expected float32 or float16")

    @cached_property
    def sha256(self) -> str:
        """Of the sentences, one a line."""
        return hashlib.sha256("\n".join(self.texts).encode()).hexdigest()

    def told(self) -> dict[str, Any]:
        """Everything but the sentences themselves."""
        said = {k: v for k, v in asdict(replace(self, texts=())).items() if k != "texts"}
        return {**said, "sentences": len(self.texts), "texts_sha256": self.sha256}


def pretrain(wanted: Wanted, folder: str | Path, *, resume: bool = False) -> Fitted:
    """Trains a tokenizer and a T5, and writes them into ``folder`` whenever they are the best so far.

    The folder is one that transformers' from_pretrained reads and `load_t5` too; its
    ``pretraining.json`` says what it learnt from and how well, beside the loss of guessing every
    token by its frequency. ``folder/run`` keeps the log and the states to resume from.
    Raises UsageError where there is too little text.
    """
    folder = Path(folder)
    fingerprint = hashlib.sha256(json.dumps(wanted.told(), sort_keys=True).encode()).hexdigest()
    where_it_stands(folder / RUN, resume, fingerprint)  # before anything is computed
    shape = SIZES[wanted.size]
    kept, held = held_out(wanted.texts, HELD_OUT)
    if not kept:
        raise UsageError("there is no text to learn from; name files of sentences, or sim:small")
    codec = train_codec(kept, wanted.vocabulary or shape.vocabulary)
    shape = replace(shape, vocabulary=len(codec))
    learnt, held = _long_enough(kept, codec), _long_enough(held, codec)[:MEASURED]
    if not learnt or not held:
        raise UsageError(
            f"{len(wanted.texts)} sentences are too few: {len(learnt)} are left to learn from and "
            f"{len(held)} to measure on (1 in {round(1 / HELD_OUT)} by its hash); name more texts"
        )
    language = build_t5(shape, wanted.seed, start=codec.start, pad=codec.pad, end=codec.end)
    model = Denoising(language, codec, wanted.density, objective=wanted.objective)
    unigram = Unigram.of(learnt, codec)

    def validate(step: int) -> Mapping[str, float]:
        return {
            "held_out": held_out_loss(model, held),
            "unigram": unigram.loss(model, held),
        }

    def keep(name: str, step: int, numbers: Mapping[str, float]) -> None:
        if name != "best":
            return
        record = {
            "signloom": signloom.__version__,
            "mean_length": MEAN_LENGTH,
            **wanted.told(),
            "learnt_from": len(learnt),
            "measured_on": len(held),
            "step": step,
            "loss": {name: round(value, 4) for name, value in numbers.items()},
            "parameters": sum(p.numel() for p in language.parameters()),
            "shape": asdict(shape),
            "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }
        _write(folder, language, codec, record)

    plan = Plan(
        (Stage(wanted.objective, wanted.steps, wanted.lr, "linear", min(200, wanted.steps // 10)),),
        seed=wanted.seed,
        save_every=max(wanted.steps // 20, 1),
        validate_every=max(wanted.steps // 10, 1),
        log_every=max(wanted.steps // 100, 1),
        metric="held_out",
    )
    mixture = Mixture(Texts(tuple(learnt)), wanted.batch, wanted.seed)
    (folder / RUN).mkdir(parents=True, exist_ok=True)
    return fit(
        model,
        mixture,
        plan,
        folder / RUN,
        validate=validate,
        keep=keep,
        resume=resume,
        fingerprint=fingerprint,
    )


def _long_enough(texts: Sequence[str], codec: TextCodec) -> list[str]:
    return [text for text in texts if len(codec.encode(text)) >= SHORTEST]


def corrupted(model: Denoising, texts: Sequence[str]) -> list[tuple[list[int], list[int]]]:
    """Texts to measure on, each corrupted by a draw of its own that is the same every time."""
    samples = Texts(tuple(texts))
    return [model.example(samples[i], generator(0, i, 0), False) for i in range(len(samples))]


def held_out_loss(model: Denoising, texts: Sequence[str], batch: int = 64) -> float:
    """Nats a token to be written of ``texts``; sentinels and ends, easily known, do not count."""
    pairs = corrupted(model, texts)
    device = next(model.parameters()).device
    total, count = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(pairs), batch):
            part = model.collate(pairs[first : first + batch]).to(device)
            own = torch.tensor([*model.codec.sentinels, model.codec.end], device=device)
            counted = part.real & ~torch.isin(part.targets, own)
            losses = span_losses(model.language, part)[counted]
            total, count = total + float(losses.double().sum()), count + len(losses)
    return total / count


@dataclass(frozen=True)
class Unigram:
    """The baseline that has learnt nothing but how frequent each token is, with one added to each."""

    counts: Mapping[int, int]
    total: int
    kinds: int

    @classmethod
    def of(cls, texts: Sequence[str], codec: TextCodec) -> Unigram:
        counts = Counter(token for text in texts for token in codec.encode(text))
        return cls(counts, counts.total(), len(codec))

    def loss(self, model: Denoising, texts: Sequence[str]) -> float:
        """Nats a token, over the tokens that `held_out_loss` is measured on."""
        own = {*model.codec.sentinels, model.codec.end}
        tokens = [t for _, out in corrupted(model, texts) for t in out if t not in own]
        seen = np.array([self.counts.get(token, 0) + 1 for token in tokens])
        return float(-np.log(seen / (self.total + self.kinds)).mean())


def _write(
    folder: Path, language: T5ForConditionalGeneration, codec: TextCodec, record: Mapping[str, Any]
) -> None:
    """The model's files into ``folder``, the record last; each is whole or as it was."""
    stored = copy.deepcopy(language).half() if record["dtype"] == "float16" else language
    with tempfile.TemporaryDirectory(dir=folder) as name:
        temporary = Path(name)
        stored.save_pretrained(temporary)
        PreTrainedTokenizerFast(
            tokenizer_object=codec.tokenizer,
            bos_token=START,
            pad_token=PAD,
            eos_token=END,
            unk_token=UNKNOWN,
        ).save_pretrained(temporary)
        codec.tokenizer.save(str(temporary / "tokenizer.json"))
        (temporary / CARD).write_text(card_of(record), encoding="utf-8")
        for file in sorted(temporary.iterdir()):
            with writing(folder / file.name, overwrite=True) as part:
                shutil.copyfile(file, part)
    with writing(folder / RECORD, overwrite=True) as part:
        part.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def card_of(record: Mapping[str, Any]) -> str:
    """The model card: what it is, learnt from, reaches, is not for."""
    loss = record["loss"]
    objective, written = OBJECTIVES[record["objective"]]
    return f"""---
library_name: transformers
language: en
tags: [t5, {objective.replace(" ", "-")}]
---

# A small English T5 ({record["size"]}, {record["parameters"]:,} parameters)

Pretrained by `signloom language` with {objective} ({record["density"]:.0%} of the
tokens cut out, spans of {record["mean_length"]:g} on average) as the language model that
adapters stand on in sign language translation. It is not Flan-T5 and follows no instructions.

- Texts: {", ".join(record["named"])}; {record["sentences"]:,} different sentences, sha256
  `{record["texts_sha256"][:16]}`; the licence is that of the texts.
- Vocabulary: {record["shape"]["vocabulary"]:,} tokens, among them ten digits that never merge.
- Steps: {record["step"]:,} of {record["steps"]:,}, {record["batch"]} sentences each, seed
  {record["seed"]}; weights stored as {record["dtype"]}.

| on {record["measured_on"]:,} held-out sentences, {DENSITY:.0%} cut out | nats a token {written} |
|---|---:|
| this model | {loss["held_out"]:.3f} |
| every token guessed by its frequency | {loss["unigram"]:.3f} |

It knows the sentences it has read. Not for medical, legal or emergency use.
"""
