"""A small GPT-2 for AutoSign or a small Llama for LSLM, learnt by the next token from texts at hand [D].

AutoSign's paper begins with AraGPT2 (spec §2), LSLM's with Llama-3.2 (spec §5), whose weights cannot be had
everywhere. This gives `decoder_pretrained` a decoder that knows in which order a corpus signs, and
`language` one that has read its sentences.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import string
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn
from transformers import GPT2LMHeadModel, PreTrainedModel

import signloom
from signloom.data.files import writing
from signloom.data.sample import Sample
from signloom.errors import UsageError, nearest
from signloom.language.causal import build_gpt2
from signloom.language.chat import own_codec, positions_of
from signloom.methods import autosign, lslm
from signloom.methods.gloss_codec import GlossCodec, codec_of, gloss_tokenizer
from signloom.methods.pretrain import CARD, HELD_OUT, MEASURED, RECORD, RUN
from signloom.methods.sources import Texts
from signloom.text.phrasings import PHRASINGS
from signloom.text.sentences import held_out
from signloom.text.tokenizer import train_bpe
from signloom.training.fit import Fitted, fit, where_it_stands
from signloom.training.mixing import Mixture
from signloom.training.stages import Loss, Plan, Stage

SIZES = ("tiny", "small")
"""Presets of AutoSign, or of LSLM, whose language model is built."""
Family = Literal["gpt2", "llama"]


@dataclass(frozen=True)
class Wanted:
    """What a pretraining is: the same one gives the same weights.

    texts: sentences, or glosses with spaces between. named: where they came from, for the record.
    size: the preset of AutoSign that the decoder is for, of LSLM for a llama.
    vocabulary: byte-pair tokens at most; None: one token a gloss, which is AutoSign's own vocabulary,
        and for a llama as many as its preset has.
    """

    texts: tuple[str, ...]
    named: tuple[str, ...]
    size: str = "small"
    steps: int = 10_000
    batch: int = 64
    lr: float = 2e-3
    vocabulary: int | None = None
    seed: int = 42
    family: Family = "gpt2"

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise UsageError(
                f"there is no {'decoder' if self.family == 'gpt2' else 'llama'} of size "
                f"'{self.size}'{nearest(self.size, SIZES)}; it is one of {', '.join(SIZES)}, as the presets of "
                f"{'AutoSign' if self.family == 'gpt2' else 'LSLM'}"
            )

    def told(self) -> dict[str, Any]:
        """Everything but the texts themselves."""
        return {
            "named": list(self.named), "size": self.size, "steps": self.steps, "batch": self.batch,
            "lr": self.lr, "vocabulary": self.vocabulary, "seed": self.seed,
            "sentences": len(self.texts),
            "texts_sha256": hashlib.sha256("\n".join(self.texts).encode()).hexdigest(),
            **({} if self.family == "gpt2" else {"family": self.family}),
        }  # fmt: skip


@dataclass(frozen=True)
class TextBatch:
    """inputs: <s> and the text; labels: the text and </s>, −100 behind it; places: of the inputs."""

    inputs: Int[Tensor, "batch length"]
    labels: Int[Tensor, "batch length"]
    places: Int[Tensor, "batch length"]

    def to(self, device: torch.device) -> TextBatch:
        return TextBatch(self.inputs.to(device), self.labels.to(device), self.places.to(device))


class NextToken(nn.Module):
    """A language model that learns what comes next (Trainable, signloom/training/fit.py).

    While it learns, a text begins at a place drawn anew: behind a prefix it stands anywhere.
    """

    def __init__(self, decoder: PreTrainedModel, codec: GlossCodec, longest: int) -> None:
        super().__init__()
        self.decoder: Any = decoder
        self.codec, self.longest = codec, longest
        self.positions = positions_of(decoder)

    def example(
        self, sample: Sample, rng: np.random.Generator, train: bool
    ) -> tuple[list[int], int]:
        """(<s> text </s>, the place of <s>). Of a text that is too long the beginning, which is not its end."""
        ids = [*self.codec.encode(sample.text), self.codec.end][: self.longest + 1]
        first = int(rng.integers(self.positions - len(ids) + 1)) if train else 0
        return [self.codec.start, *ids], first

    def collate(self, examples: list[tuple[list[int], int]]) -> TextBatch:
        """Texts side by side; what fills a row up stands at its text's last place."""
        longest = max(len(ids) for ids, _ in examples) - 1
        inputs = torch.full((len(examples), longest), self.codec.pad)
        labels = torch.full((len(examples), longest), -100)
        places = torch.arange(longest).repeat(len(examples), 1)
        for row, (ids, first) in enumerate(examples):
            inputs[row, : len(ids) - 1] = torch.tensor(ids[:-1])
            labels[row, : len(ids) - 1] = torch.tensor(ids[1:])
            places[row] = first + places[row].clamp(max=len(ids) - 2)
        return TextBatch(inputs, labels, places)

    def loss(self, batch: TextBatch) -> Loss:
        """Cross-entropy of each next token, the end included."""
        logits = self.decoder(
            input_ids=batch.inputs, position_ids=batch.places, use_cache=False
        ).logits
        total = nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), batch.labels.flatten(), ignore_index=-100, reduction="sum"
        )
        return Loss(total, (batch.labels != -100).sum())


def pretrain_decoder(wanted: Wanted, folder: str | Path, *, resume: bool = False) -> Fitted:
    """Trains a decoder, and writes it into ``folder`` whenever it is the best so far.

    The folder is what `decoder_pretrained` reads, and transformers' from_pretrained too; its
    ``pretraining.json`` says what it learnt from and how well. ``folder/run`` keeps the log and the
    states to resume from. Raises UsageError where there is too little text.
    """
    folder = Path(folder)
    fingerprint = hashlib.sha256(json.dumps(wanted.told(), sort_keys=True).encode()).hexdigest()
    where_it_stands(folder / RUN, resume, fingerprint)  # before anything is computed
    kept, held = held_out([text for text in wanted.texts if text.strip()], HELD_OUT)
    if not kept or not held:
        raise UsageError(
            f"{len(wanted.texts)} texts are too few: {len(kept)} are left to learn from and "
            f"{len(held)} to measure on (1 in {round(1 / HELD_OUT)} by its hash); name more texts"
        )
    decoder, codec = _gpt2(wanted, kept) if wanted.family == "gpt2" else _llama(wanted, kept)
    longest = (autosign if wanted.family == "gpt2" else lslm).PRESETS[wanted.size].max_tokens
    model = NextToken(decoder, codec, longest)
    measured = held[:MEASURED]

    def validate(step: int) -> Mapping[str, float]:
        return {"held_out": nats(model, measured)}

    def keep(name: str, step: int, numbers: Mapping[str, float]) -> None:
        if name == "best":
            _write(folder, model, {
                "signloom": signloom.__version__, "objective": "next token", **wanted.told(),
                "learnt_from": len(kept), "measured_on": len(measured), "step": step,
                "loss": {key: round(value, 4) for key, value in numbers.items()},
                "parameters": sum(p.numel() for p in decoder.parameters()), "tokens": len(codec),
                "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
            })  # fmt: skip

    plan = Plan(
        (Stage("next token", wanted.steps, wanted.lr, "cosine", min(200, wanted.steps // 10)),),
        seed=wanted.seed,
        save_every=max(wanted.steps // 5, 1),
        validate_every=max(wanted.steps // 10, 1),
        log_every=max(wanted.steps // 100, 1),
        metric="held_out",
    )
    (folder / RUN).mkdir(parents=True, exist_ok=True)
    return fit(
        model,
        Mixture(Texts(tuple(kept)), wanted.batch, wanted.seed),
        plan,
        folder / RUN,
        validate=validate,
        keep=keep,
        resume=resume,
        fingerprint=fingerprint,
    )


def _gpt2(wanted: Wanted, texts: Sequence[str]) -> tuple[GPT2LMHeadModel, GlossCodec]:
    """AutoSign's decoder, with random weights."""
    config = autosign.PRESETS[wanted.size]
    tokens = (
        gloss_tokenizer(texts) if wanted.vocabulary is None else train_bpe(texts, wanted.vocabulary)
    )
    codec = codec_of(tokens)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(wanted.seed)
        decoder = build_gpt2(
            vocabulary=len(codec),
            width=config.width,
            layers=config.layers,
            heads=config.heads,
            inner=config.inner,
            positions=config.positions,
            dropout=config.decoder_dropout,
        )
    with torch.no_grad():
        decoder.transformer.wpe.weight *= config.initial_scale
    return decoder, codec


def _llama(wanted: Wanted, texts: Sequence[str]) -> tuple[PreTrainedModel, GlossCodec]:
    """LSLM's language model, with random weights; its tokens know how instructions are worded, and can
    spell what is answered: numbers and glosses."""
    config = lslm.PRESETS[wanted.size]
    told = [phrase for family in PHRASINGS.values() for phrase in family.kept]
    told.append(" ".join(string.digits + string.ascii_uppercase + "-"))
    tokens = train_bpe([*texts, *told], wanted.vocabulary or config.vocabulary)
    return lslm.small_llama(config, own_codec(tokens), wanted.seed), codec_of(tokens)


def nats(model: NextToken, texts: Sequence[str], batch: int = 64) -> float:
    """Nats a token of ``texts``, ends included."""
    samples, none = Texts(tuple(texts)), np.random.default_rng(0)
    total, count = 0.0, 0
    device = next(model.parameters()).device
    with torch.no_grad():
        for first in range(0, len(texts), batch):
            rows = range(first, min(first + batch, len(texts)))
            part = model.collate([model.example(samples[i], none, False) for i in rows])
            loss = model.loss(part.to(device))
            total, count = total + float(loss.total), count + int(loss.count)
    return total / count


def _write(folder: Path, model: NextToken, record: Mapping[str, Any]) -> None:
    """The files into ``folder``, the record last; each is whole or as it was."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        temporary = Path(name)
        model.decoder.save_pretrained(temporary)
        model.codec.tokenizer.save(str(temporary / "tokenizer.json"))
        (temporary / CARD).write_text(_card(record), encoding="utf-8")
        for file in sorted(temporary.iterdir()):
            with writing(folder / file.name, overwrite=True) as part:
                shutil.copyfile(file, part)
    with writing(folder / RECORD, overwrite=True) as part:
        part.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _card(record: Mapping[str, Any]) -> str:
    """The model card: what it is, learnt from, reaches, is not for."""
    family = record.get("family", "gpt2")
    what = "A small GPT-2 for AutoSign" if family == "gpt2" else "A small Llama for LSLM"
    kind = "decoder" if family == "gpt2" else "llama"
    return f"""---
library_name: transformers
tags: [{family}]
---

# {what} ({record["size"]}, {record["parameters"]:,} parameters)

Pretrained by `signloom language --kind {kind}` on {", ".join(record["named"])}:
{record["sentences"]:,} texts, sha256 `{record["texts_sha256"][:16]}`; the licence is that of the texts.
{record["tokens"]:,} tokens, {record["step"]:,} of {record["steps"]:,} steps, seed {record["seed"]}:
{record["loss"]["held_out"]:.3f} nats a token of {record["measured_on"]:,} held-out texts.

It knows the texts it has read, and reads no signing by itself.
"""
