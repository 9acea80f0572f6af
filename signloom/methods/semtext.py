"""sign2(sem+text): the meaning of the sentence takes the place of glosses (arXiv 2510.19367; spec §4).

The idea. Glosses tell an encoder of signing what it should have seen, and few corpora have them. Every
corpus has sentences: where a frozen model of sentence embeddings puts the sentence, there the mean of the
encoder's states shall come out. A text decoder reads the same states, and both are learnt at once.

The paper's parts, and their names here:

    x  frames of a clip                                     `gloss_clips.Preparation.points`
    s = sBERT(text)                                         `language.sentence_embedding`
    sign2sem: frames → Linear, masked BatchNorm, ReLU       `SignToSem.reader`, `.project`, `.norm`
      → BERT that begins as the sBERT → masked mean → ŝ     `SignToSem.encoder`, `.head`
    L_e: MSE(ŝ, s), or the released code's siamese loss     `embedding_losses`
    sem2text: s → one state → decoder (SLTr, mBART) → text  `SemToText`
    L_o: CE on the text                                     `SemToText.losses`
    sign2sem2text: the decoder reads ŝ                      `reads: embedding`
    sign2(sem+text): it reads the T states; L_e + L_o       `reads: states`, `SemText.loss`

A sample without frames is a sentence to be written again from its embedding: so the three phases
(sign2sem; sem2text on text; both) are stages of one recipe. docs/methods/semtext.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import MBartForCausalLM

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds
from signloom.encoders.masked_norm import MaskedBatchNorm
from signloom.encoders.processes import processes
from signloom.errors import MediaError, NoNumbersError, UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.translate import Translation
from signloom.language.beam import Step, beam_search
from signloom.language.ctc import ctc_loss
from signloom.language.mbart import MbartShape, build_mbart, load_mbart
from signloom.language.pretrained import located as located_model
from signloom.language.pretrained import read_tokenizer
from signloom.language.sentence_embedding import (
    Embedding,
    SentenceEmbedder,
    Targets,
    folder_of,
    kept_targets,
    masked_mean,
    read_targets,
    targets_of,
)
from signloom.language.seq2seq import bert_encoder, crossed_stepper, load_encoder
from signloom.methods.gloss_codec import (
    GlossCodec,
    codec_of,
    gloss_tokenizer,
    own_tokenizer,
    vocabulary,
)
from signloom.methods.glosses import Reader, answering
from signloom.methods.semtext_clips import IGNORED, Batch, Example, Preparation, refuse_long
from signloom.methods.semtext_config import NAME, PRESETS, Config, SemLoss
from signloom.methods.sources import located
from signloom.metrics.translation import score_translation
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import CONFIG, Checkpoint, load_tensors, read_checkpoint
from signloom.training.stages import Loss

__all__ = ["METRICS", "NAME", "PRESETS", "Config", "begin", "restore", "score_dev"]

METRICS = ("BLEU-4", "chrF2", "content-F1", "cosine", "R@1")


def begin(config: Config, texts: Sequence[str], seed: int, glosses: Sequence[str] = ()) -> SemText:
    """A fresh model for what stands in the training texts, whose embeddings are computed now.

    glosses: of the samples, where they supervise. Raises MediaError or UsageError where the sentence
    embedding or the pretrained decoder does not load whole, or does not go with the rest, and for a text
    that is too long for the decoder.
    """
    embedder = SentenceEmbedder(config.embedding) if config.embedding else None
    embedding = embedder.embedding if embedder else None
    decoder = _decoder_of(config, texts, embedding, seed)
    for text in texts:  # now, not when it is drawn
        refuse_long("a training text", text, len(decoder.codec.encode(text.strip())), config)
    own = gloss_tokenizer(glosses) if config.needs_glosses else None
    model = build(config, decoder, embedding, own, seed)
    if decoder.taken:
        load_tensors(model.sem2text, decoder.taken, config.decoder_pretrained)
    if decoder.base:  # of a sem2text all is taken over
        model.filled[config.decoder_pretrained] = decoder.base.get("filled", 1.0)
    if config.encoder_pretrained and model.sign2sem is not None:
        model.filled[config.encoder_pretrained] = load_encoder(
            model.sign2sem.encoder, str(folder_of(_path(config.encoder_pretrained))[0])
        )
    if embedder is not None:
        known = kept_targets(texts, embedder, _path(config.targets)) if config.targets else None
        model.learn_from(embedder, known or targets_of(texts, embedder))
    return model


def restore(checkpoint: Checkpoint) -> SemText:
    """The model of a checkpoint, weights loaded whole; the sentence embedding is not asked for.

    Raises MediaError where they are not, or where the vocabulary is not the one they were trained with.
    """
    said = checkpoint.config
    config = Config.of(said.get("config", {}))
    embedding = Embedding(**said["embedding"]) if said.get("embedding") else None
    shape = MbartShape(**said["decoder"]["shape"])
    decoder = Decoder(
        build_mbart(shape, config.decoder_dropout),
        shape,
        _codec(own_tokenizer(checkpoint), said["decoder"]["start"]),
        said["decoder"].get("base"),
    )
    own = gloss_tokenizer(said["glosses"]) if said.get("glosses") else None
    model = build(config, decoder, embedding, own)
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    return model


def score_dev(model: SemText, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """Translation scores on the first ``limit`` samples; and how near ŝ comes to s, where that is learnt.

    cosine: the mean of cos(ŝ, s), in hundredths. R@1: % of samples whose own text is the nearest of all.
    """
    samples = [dev[at] for at in range(min(len(dev), limit))]
    if model.sign2sem is None:
        texts = [sample.text for sample in samples]
        told = [found.text for found in model.reconstruct(texts, beam)]
        return {s.name: round(s.value, 4) for s in score_translation(told, texts)}
    scores = translation_scores(model, dev, limit, beam)
    if model.config.supervision == "sem" and model.embedder is not None:
        found = model.embed_clips([sample.clip for sample in samples])
        wanted = model.embedder.embed([sample.text for sample in samples])
        unit = [
            v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-9) for v in (found, wanted)
        ]
        cosines = unit[0] @ unit[1].T
        own = cosines.diagonal()
        scores["cosine"] = round(100 * float(own.mean()), 4)
        scores["R@1"] = round(100 * float((own >= cosines.max(1)).mean()), 4)
    return scores


@dataclass(frozen=True)
class Decoder:
    """A text decoder with its tokens. base: where pretrained weights came from; taken: those of a sem2text."""

    model: MBartForCausalLM
    shape: MbartShape
    codec: GlossCodec
    base: dict[str, Any] | None = None
    taken: Mapping[str, Tensor] | None = None


def build(
    config: Config,
    decoder: Decoder,
    embedding: Embedding | None,
    gloss_names: Tokenizer | None = None,
    seed: int = 0,
) -> SemText:
    """The model around a decoder, its other weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return SemText(config, decoder, embedding, gloss_names)


class SignToSem(nn.Module):
    """Frames → states (B, T', D) whose mean is the embedding of what is signed (spec §4, sign2sem)."""

    def __init__(self, config: Config, width: int):
        super().__init__()
        self.reader = Reader(config)
        self.project = nn.Linear(self.reader.compression.width, config.width)
        self.norm = MaskedBatchNorm(config.width)
        self.encoder = bert_encoder(
            width=config.width,
            layers=config.encoder_layers,
            heads=config.encoder_heads,
            inner=config.encoder_inner,
            positions=config.encoder_positions,
            dropout=config.encoder_dropout,
        )
        with torch.no_grad():
            self.encoder.embeddings.position_embeddings.weight *= config.initial_scale
        self.head = nn.Identity() if config.width == width else nn.Linear(config.width, width)

    def forward(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[Float[Tensor, "batch short embedding"], Bool[Tensor, "batch short"]]:
        """(states, which of them are real)."""
        frames, there = self.reader(points, mask)
        x = self.norm(self.project(frames), there).relu()
        states = self.encoder(inputs_embeds=x, attention_mask=there.long()).last_hidden_state
        return self.head(states), there


class Read(NamedTuple):
    """What a decoder reads: memory (B, M, width), there (B, M), True on real ones; and the embedding
    (B, D), which votes for words."""

    memory: Tensor
    there: Tensor
    embedding: Tensor


class SemToText(nn.Module):
    """States, or one embedding, → text (spec §4, sem2text). ``into`` is shared by both."""

    def __init__(self, decoder: MBartForCausalLM, width: int, memory: int, votes: bool):
        super().__init__()
        self.memory = memory
        self.scale = nn.LayerNorm(width)
        self.into = nn.Linear(width, decoder.config.d_model)
        self.places = (
            nn.Linear(width, (memory - 1) * decoder.config.d_model) if memory > 1 else None
        )
        self.votes = nn.Linear(width, decoder.config.vocab_size, bias=False) if votes else None
        if self.votes is not None:
            nn.init.zeros_(self.votes.weight)
        self.decoder = decoder

    def of_states(
        self,
        states: Float[Tensor, "batch time embedding"],
        there: Bool[Tensor, "batch time"],
        embedding: Float[Tensor, "batch embedding"],
    ) -> Read:
        """What the decoder reads of an encoder's states, of which ``there`` are real."""
        return Read(self.into(self.scale(states)), there, embedding)

    def of_embedding(self, embedding: Float[Tensor, "batch embedding"]) -> Read:
        """What it reads of one embedding: ``memory`` states, the first as `of_states` makes it."""
        scaled = self.scale(embedding)
        memory = self.into(scaled)[:, None]
        if self.places is not None:
            memory = torch.cat([memory, self.places(scaled).unflatten(1, (self.memory - 1, -1))], 1)
        there = torch.ones(memory.shape[:2], dtype=torch.bool, device=memory.device)
        return Read(memory, there, embedding)

    def forward(
        self, read: Read, inputs: Int[Tensor, "batch length"]
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the token after each of ``inputs``."""
        logits = self.decoder(
            input_ids=inputs,
            encoder_hidden_states=read.memory,
            encoder_attention_mask=read.there.long(),
            use_cache=False,
        ).logits
        if self.votes is None:
            return logits
        return logits + self.votes(self.scale(read.embedding))[:, None]

    def stepper(self, read: Read, width: int) -> Step:
        """The next-token function of a beam search, ``width`` rows per item."""
        step = crossed_stepper(self.decoder, read.memory, read.there, width)
        if self.votes is None:
            return step
        votes = self.votes(self.scale(read.embedding)).repeat_interleave(width, 0)
        return lambda tokens, parents: step(tokens, parents) + votes


def embedding_losses(
    kind: SemLoss, found: Float[Tensor, "batch embedding"], wanted: Float[Tensor, "batch embedding"]
) -> Float[Tensor, " batch"]:
    """L_e of each row (spec §4).

    mse: the mean over the numbers of (ŝ − s)². cosine: 1 − cos(ŝ, s). siamese: a row with the next one,
    (cos(ŝ_a, ŝ_b) − cos(s_a, s_b))². Raises UsageError for a siamese batch of one row.
    """
    found, wanted = found.float(), wanted.float()
    if kind == "mse":
        return (found - wanted).square().mean(1)
    if kind == "cosine":
        return 1 - nn.functional.cosine_similarity(found, wanted)
    if len(found) < 2:
        raise UsageError(
            "sem_loss 'siamese' compares samples with each other, and a batch has one; give it "
            "batches of 2 or more a process and micro-batch"
        )
    ours = nn.functional.cosine_similarity(found, found.roll(-1, 0))
    theirs = nn.functional.cosine_similarity(wanted, wanted.roll(-1, 0))
    return (ours - theirs).square()


class SemText(nn.Module):
    """Signing → the meaning of the sentence, and its text. A `Translator`; of ``input: text`` a `Rewriter`."""

    word = None

    def __init__(
        self,
        config: Config,
        decoder: Decoder,
        embedding: Embedding | None,
        gloss_names: Tokenizer | None,
    ):
        super().__init__()
        self.config = config
        self.name = NAME
        self.simulated_only = False
        self.shape, self.base = decoder.shape, decoder.base
        self.filled: dict[str, float] = {}
        """Weights of others that it began with → the fraction they filled of what they are for."""
        self.codec, self.tokenizer = decoder.codec, decoder.codec.tokenizer
        self.embedding = embedding
        self.embedder: SentenceEmbedder | None = None
        self.gloss_names = codec_of(gloss_names) if gloss_names else None
        self.preparation = Preparation(config, self.codec, self.gloss_names, embedding)
        width = embedding.width if embedding else config.width
        self.sign2sem = SignToSem(config, width) if config.input == "signing" else None
        self.sem2text = SemToText(decoder.model, width, config.memory, config.votes)
        self.gloss_head = nn.Linear(width, len(self.gloss_names)) if self.gloss_names else None

    def learn_from(self, embedder: SentenceEmbedder, targets: Targets) -> None:
        """The texts' embeddings, for training, and what makes them."""
        self.embedder, self.preparation.targets = embedder, targets

    @property
    def layout(self) -> Layout:
        return self.preparation.clips.layout

    @property
    def reads_text(self) -> bool:
        """Whether it is a sem2text, which knows no signing."""
        return self.sign2sem is None

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `restore` builds it from this."""
        names = self.gloss_names.tokenizer.get_vocab() if self.gloss_names else {}
        own = sorted(names, key=lambda name: names[name])
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": self.config.normalizer,
            "fps": self.config.fps,
            "vocabulary": vocabulary(self.tokenizer),
            "embedding": self.embedding.to_json() if self.embedding else None,
            "decoder": {
                "shape": self.shape.to_json(),
                "start": self.codec.tokenizer.id_to_token(self.codec.start),
                "base": self.base,
            },
            **({"glosses": own} if own else {}),
        }

    def own(self, old: Any) -> Sequence[str]:
        """The tensors whose rows mean something else in the other model."""
        found = []
        if getattr(old, "tokenizer", None) is None or (
            old.tokenizer.get_vocab() != self.tokenizer.get_vocab()
        ):
            found += ["sem2text.decoder.lm_head", "sem2text.decoder.model.decoder.embed_tokens"]
            found += ["sem2text.votes"]
        if getattr(old, "embedding", None) != self.embedding:
            found += ["sign2sem.head", "sem2text.scale", "sem2text.into", "sem2text.places"]
            found.append("sem2text.votes")
        theirs = getattr(old, "gloss_names", None)
        if self.gloss_names and (
            theirs is None or theirs.tokenizer.get_vocab() != self.gloss_names.tokenizer.get_vocab()
        ):
            found.append("gloss_head")
        return found

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip `translate` takes in, from its start."""
        return self.config.max_frames / self.preparation.clips.rate(clip)

    def signed(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
    ) -> tuple[
        Float[Tensor, "batch short embedding"],
        Bool[Tensor, "batch short"],
        Float[Tensor, "batch embedding"],
    ]:
        """(states, which of them are real, ŝ). ŝ has length 1 where s has."""
        if self.sign2sem is None:
            raise UsageError(
                f"model '{self.name}' is a sem2text: it writes a text again from its embedding and "
                "knows no signing; evaluate it on a file of text"
            )
        states, there = self.sign2sem(points, mask)
        mean = masked_mean(states.float(), there)
        unit = self.embedding is not None and self.embedding.unit
        return states, there, nn.functional.normalize(mean, dim=1) if unit else mean

    def attended(
        self,
        states: Float[Tensor, "batch short embedding"],
        there: Bool[Tensor, "batch short"],
        found: Float[Tensor, "batch embedding"],
    ) -> Read:
        """What the decoder reads of signing: the states, or ŝ alone."""
        if self.config.reads == "states":
            return self.sem2text.of_states(states, there, found)
        return self.sem2text.of_embedding(found)

    def forward(
        self,
        points: Float[Tensor, "batch time points coordinates"],
        mask: Bool[Tensor, "batch time"],
        inputs: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the token after each of ``inputs``."""
        return self.sem2text(self.attended(*self.signed(points, mask)), inputs)

    @property
    def writes(self) -> bool:
        """Whether anything that writes text learns: else L_o is not asked for (phase 1)."""
        return any(parameter.requires_grad for parameter in self.sem2text.parameters())

    def loss(self, batch: Batch) -> Loss:
        """L_o + λ·L_e (or + λ·CTC, or alone), summed, and how many tokens it is of.

        L_o is summed over tokens; L_e of a sample weighs as much as each of its tokens, so that the
        mean is L_o + λ·L_e with both means over tokens. CTC sums over a sample's glosses. Where nothing
        that writes text learns, L_o is left out and samples are counted instead. A sentence without
        signing gives L_o alone, written from its own embedding.
        """
        weights = (batch.labels != IGNORED).sum(1)
        if not self.writes:
            weights = torch.ones_like(weights)
        total = batch.targets.new_zeros(())
        if batch.signed.any():
            total = total + self._of_signing(batch.rows(batch.signed), weights[batch.signed])
        if not batch.signed.all():
            total = total + self._of_text(batch.rows(~batch.signed))
        return Loss(total, weights.sum())

    def _of_signing(self, batch: Batch, weights: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        config = self.config
        states, there, found = self.signed(batch.points, batch.mask)
        total = found.new_zeros((), dtype=torch.float32)
        if self.writes:
            total = total + self._crossed(self.attended(states, there, found), batch)
        elif config.supervision == "none":
            raise UsageError(
                "nothing is learnt: supervision is 'none', and the stage trains nothing of "
                "'sem2text.*'; let it train that, or give a supervision"
            )
        if config.supervision == "sem":
            losses = embedding_losses(config.sem_loss, found, batch.targets)
            total = total + config.sem_weight * (losses * weights).sum()
        if self.gloss_head is not None and self.gloss_names is not None:
            lengths = (batch.glosses != IGNORED).sum(1)
            aligned = ctc_loss(
                self.gloss_head(states),
                there.sum(1),
                batch.glosses.clamp(min=0),
                lengths,
                self.gloss_names.pad,
            )
            total = total + config.gloss_weight * aligned.sum()
        return total

    def _of_text(self, batch: Batch) -> Float[Tensor, ""]:
        if not self.writes:
            raise UsageError(
                "a sentence without signing teaches to write, and the stage trains nothing of "
                "'sem2text.*'; give the stage data that is signed, or let it train that"
            )
        alone = batch.targets.device.type == "cpu" and processes() == 1  # all have as many parts
        parts = batch.by_length() if alone else [batch]
        losses = [self._crossed(self.sem2text.of_embedding(part.targets), part) for part in parts]
        return torch.stack(losses).sum()

    def _crossed(self, read: Read, batch: Batch) -> Float[Tensor, ""]:
        """L_o: cross-entropy over the text's tokens, summed."""
        logits = self.sem2text(read, batch.inputs)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1).float(),
            batch.labels.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.config.label_smoothing,
        )

    @property
    def learns_embeddings(self) -> bool:
        """Whether signing is read, and taught by sentence embeddings."""
        return self.sign2sem is not None and self.config.supervision == "sem"

    def both_losses(self, samples: Sequence[Sample]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """(λ·L_e, L_o) of signed samples, both means over tokens as `loss` has them; with gradients (F4.6).

        Raises UsageError as `Preparation.example`, MediaError as `embed_texts`.
        """
        preparation = copy(self.preparation)
        preparation.targets = self._targets([sample.text for sample in samples])
        rng = np.random.default_rng(0)
        given = self.collate([preparation.example(sample, rng, False) for sample in samples])
        device = next(self.parameters()).device
        batch = Batch(*(each.to(device) for each in given))
        weights = (batch.labels != IGNORED).sum(1)
        states, there, found = self.signed(batch.points, batch.mask)
        losses = embedding_losses(self.config.sem_loss, found, batch.targets)
        taught = self.config.sem_weight * (losses * weights).sum()
        told = self._crossed(self.attended(states, there, found), batch)
        return taught / weights.sum(), told / weights.sum()

    def shared(self) -> dict[str, list[nn.Parameter]]:
        """What both losses teach, by part, from the frames on: sign2sem."""
        part = self.sign2sem
        assert part is not None
        layers = {f"layer {i}": layer for i, layer in enumerate(part.encoder.encoder.layer, 1)}
        parts: dict[str, tuple[nn.Module, ...]] = {
            "reader": (part.reader,),
            "projection": (part.project, part.norm),
            "positions": (part.encoder.embeddings,),
            **{name: (layer,) for name, layer in layers.items()},
            "head": (part.head,),
        }
        found = {
            name: [p for module in modules for p in module.parameters()]
            for name, modules in parts.items()
        }
        return {name: parameters for name, parameters in found.items() if parameters}

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train)

    def collate(self, examples: list[Example]) -> Batch:
        return self.preparation.collate(examples)

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        """The best text of each clip, with the next; "" for a clip without frames.

        Raises UsageError where a clip's layout does not convert to the model's, or for a sem2text.
        """
        given = [clip for clip in clips if len(clip)]
        found: Iterator[Translation] = iter(())
        if given:
            with answering(self):
                found = iter(self._searched(self.attended(*self._read(given)), beam))
        return [next(found) if len(clip) else Translation("", 0.0) for clip in clips]

    def embed_clips(self, clips: Sequence[PoseClip], rows: int = 16) -> NDArray[np.float32]:
        """(N, D): the predicted embedding ŝ of each clip. Raises NoNumbersError where one is NaN or infinite."""
        with answering(self):
            parts = [
                self._read(clips[at : at + rows])[2].cpu() for at in range(0, len(clips), rows)
            ]
        found = torch.cat(parts).float()
        if not found.isfinite().all():
            raise NoNumbersError("the model's embeddings")
        return found.numpy()

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, D): the embedding s of each text, looked up in the file of targets where that has it.

        Raises MediaError where the sentence embedding is gone, or is not the one that was learnt from.
        """
        found = self._targets(texts)
        return np.stack([found.of(text) for text in texts])

    def _targets(self, texts: Sequence[str]) -> Targets:
        if self.embedder is None:
            self.embedder = SentenceEmbedder(self.config.embedding)
        if self.embedding is None or not self.embedder.embedding.same(self.embedding.to_json()):
            raise MediaError(
                f"model '{self.name}' was trained on embeddings of {self.embedding}, and what is there "
                f"now is {self.embedder.embedding}; put the same model back"
            )
        file = self.config.targets
        known = read_targets(_path(file), self.embedding) if file else None
        return targets_of(texts, self.embedder, known)

    def reconstruct(
        self, texts: Sequence[str], beam: int | None = None, rows: int = 32
    ) -> list[Translation]:
        """Each text written again from its embedding alone: the most that any ŝ could give (F4.5)."""
        vectors = torch.from_numpy(self.embed_texts(texts))
        found: list[Translation] = []
        with answering(self) as device:
            for part in vectors.split(rows):
                found += self._searched(self.sem2text.of_embedding(part.to(device)), beam)
        return found

    def _read(self, clips: Sequence[PoseClip]) -> tuple[Tensor, Tensor, Tensor]:
        device = next(self.parameters()).device
        prepared = self.preparation.clips
        points, mask = prepared.padded([prepared.points(clip) for clip in clips])
        return self.signed(points.to(device), mask.to(device))

    def _searched(self, read: Read, beam: int | None) -> list[Translation]:
        width = beam or self.config.beam
        found = beam_search(
            self.sem2text.stepper(read, width),
            torch.full((len(read.memory), 1), self.codec.start, device=read.memory.device),
            end=self.codec.end,
            width=width,
            max_length=self.config.max_tokens + 1,
            length_penalty=self.config.length_penalty,
            no_repeat=self.config.no_repeat,
            patient=True,
        )
        told = [[(self.codec.decode(h.tokens), h.score) for h in each] for each in found]
        return [Translation(*texts[0], tuple(texts[1:])) for texts in told]


def _codec(tokenizer: Tokenizer, start: str) -> GlossCodec:
    """The codec whose texts begin with ``start``. Raises UsageError where the tokenizer has no such token."""
    found = tokenizer.token_to_id(start)
    if found is None:
        raise UsageError(
            f"the decoder's tokenizer ({tokenizer.get_vocab_size()} tokens) has no '{start}' for a text "
            "to begin with; give one of its language codes under language_code"
        )
    return replace(codec_of(tokenizer), start=int(found))


def _decoder_of(
    config: Config, texts: Sequence[str], embedding: Embedding | None, seed: int
) -> Decoder:
    """The decoder that the config asks for: random, an mBART's, or that of a trained sem2text."""
    if not config.decoder_pretrained:
        codec = codec_of(train_bpe(texts, config.vocabulary))
        shape = MbartShape(
            len(codec),
            config.decoder_width,
            config.decoder_layers,
            config.decoder_heads,
            config.decoder_inner,
            config.max_tokens + 1,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return Decoder(build_mbart(shape, config.decoder_dropout), shape, codec)
    source = _path(config.decoder_pretrained)
    if (Path(source) / CONFIG).is_file() and '"method"' in (Path(source) / CONFIG).read_text():
        return _trained(config, read_checkpoint(source), embedding)
    model, shape, base = load_mbart(source, config.decoder_dropout)
    if config.max_tokens + 1 > shape.positions:
        raise UsageError(
            f"semtext: max_tokens {config.max_tokens} and a start are more than the "
            f"{shape.positions} positions of '{source}'; lower max_tokens"
        )
    tokenizer = read_tokenizer(located_model(source, None)[0])
    if tokenizer.get_vocab_size() > shape.vocabulary:
        raise MediaError(
            f"the tokenizer of '{source}' has {tokenizer.get_vocab_size()} tokens, and its decoder "
            f"{shape.vocabulary}; copy the tokenizer that belongs to it"
        )
    return Decoder(model, shape, _codec(tokenizer, config.language_code), base.to_json())


def _trained(config: Config, checkpoint: Checkpoint, embedding: Embedding | None) -> Decoder:
    """The decoder of a checkpoint of this method, with what stands before it.

    Raises UsageError where it is of another method, embedding or memory than the config.
    """
    said = checkpoint.config
    if said["method"] != NAME:
        raise UsageError(
            f"decoder_pretrained: {checkpoint.folder} is of method '{said['method']}', expected "
            f"'{NAME}' (a sem2text) or a folder with an mBART"
        )
    theirs = said.get("embedding") or {}
    if embedding is not None and not embedding.same(theirs):
        raise UsageError(
            f"decoder_pretrained: {checkpoint.folder} writes from embeddings of "
            f"'{theirs.get('source')}' (sha256 {str(theirs.get('sha256'))[:12]}…, "
            f"{theirs.get('width')} numbers), expected those of {embedding}; train it on the same"
        )
    shape = MbartShape(**said["decoder"]["shape"])
    theirs = {key: said["config"][key] for key in ("memory", "votes")}
    wanted = {key: getattr(config, key) for key in theirs}
    if theirs != wanted or config.max_tokens + 1 > shape.positions:
        raise UsageError(
            f"decoder_pretrained: {checkpoint.folder} has {theirs} and {shape.positions - 1} tokens at "
            f"most, the config asks for {wanted} and {config.max_tokens}; give the config what the "
            "checkpoint has"
        )
    prefix = "sem2text."
    return Decoder(
        build_mbart(shape, config.decoder_dropout),
        shape,
        _codec(own_tokenizer(checkpoint), said["decoder"]["start"]),
        {"checkpoint": checkpoint.folder.name, "sha256": said["weights"]["sha256"]},
        {
            n.removeprefix(prefix): t
            for n, t in checkpoint.tensors().items()
            if n.startswith(prefix)
        },
    )


def _path(source: str) -> str:
    """With ~ and $VARIABLES filled in."""
    return located(source)
