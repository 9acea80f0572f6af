"""Lost in Translation, Found in Embeddings: one model translates and aligns (arXiv 2512.08040; spec §3).

The idea. A light visual backbone of keypoints and lips gives frames; a Sliding Perceiver gives one
vector for every few of them, about a word's worth; a language model reads these between two halves
of a prompt. The prompt says what is wanted: the sentence (SLT), or when a given sentence is signed,
as six digits (SSA).

The paper's parts, and their names here:

    x  keypoints, shoulders at 1 (T, 203, 3); mouths (T, 88, 88)      `Preparation`
    four articulators, AGCN ×4, joints projected, joined (T, 4C)      `Unified.backbone.frames`
    Conformer on 24-frame windows, stride 2, pooled (T/2, H)          `sliding`
    frozen lip reader, Linear, Conformer, pooled likewise (T/2, H)    `Unified.lip`
    [pose ‖ lip] (T/2, 2H)                                            `Unified.seen`
    windows of 8, stride 2 → (T/4, D)                                 `Unified.bridge`
    prompt ⊕ visual tokens ⊕ prompt → T5 with DoRA → text or digits   `Unified.language`

A model with `Config.chunk` sees long clips and streams through a `Watch`. A sample with a span asks when its text is signed; one without asks what is signed. Where the layout
is features-WIDTH, clips are what `Unified.seen` of another model gave, and there is no backbone.
docs/methods/unified.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache, T5ForConditionalGeneration
from transformers.cache_utils import DynamicLayer
from transformers.modeling_outputs import BaseModelOutput

from signloom.bridges.conv import Conv
from signloom.bridges.mlp import Mlp
from signloom.bridges.sliding_perceiver import SlidingPerceiver
from signloom.bridges.token_shuffle import TokenShuffle
from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.data.lips import Lips
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds, Span
from signloom.encoders.agcn import in_chunks, out_of_chunks
from signloom.encoders.conformer import Conformer
from signloom.encoders.frames import pad_frames, rate_of
from signloom.encoders.lip_backbone import Frozen, LipBackbone, lip_encoder
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.encoders.processes import processes
from signloom.encoders.sliding import sliding
from signloom.encoders.streams import streams_of
from signloom.errors import MediaError, UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.locate import Located, Query
from signloom.inference.translate import Translation
from signloom.language.adapters import adapt, leave_out_borrowed
from signloom.language.beam import Step, beam_search, log_probabilities
from signloom.language.digits import FRAMES as TICKS
from signloom.language.digits import soft_digit_loss, span_distribution
from signloom.language.packing import IGNORED, pack, pad_ids
from signloom.language.t5 import (
    Base,
    T5Shape,
    TextCodec,
    build_t5,
    codec_of,
    load_base,
    load_t5,
    train_codec,
)
from signloom.methods.glosses import answering
from signloom.methods.listening import heard
from signloom.methods.unified_clips import Batch, Example, Preparation, by_length
from signloom.methods.unified_config import NAME, PRESETS, Config
from signloom.methods.watch import Watch
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

__all__ = ["METRICS", "NAME", "PRESETS", "Config", "begin", "restore", "score_dev"]

METRICS = ("BLEU-4", "chrF2", "content-F1", "IoU")


def begin(config: Config, texts: Sequence[str], seed: int) -> Unified:
    """A fresh model: a pretrained language model where the config names one, else a small random one."""
    if config.language:
        found = load_t5(config.language, config.revision or None)
        return build(config, found.model, found.codec, found.base, seed)
    codec = train_codec(texts, config.vocabulary)
    return build(config, random_t5(shape_of(config, len(codec)), codec, seed), codec, None, seed)


def restore(checkpoint: Checkpoint) -> Unified:
    """The model of a checkpoint: adapters on their base, which must be there, or the whole model.

    Raises MediaError where a tensor is missing, or the base is gone or another one.
    """
    config = Config.of(checkpoint.config.get("config", {}))
    said = checkpoint.config.get("language") or {}
    if config.adapter != "full":
        found = load_base(Base.from_json(said.get("base") or {}))
        model = build(config, found.model, found.codec, found.base)
    else:
        codec = codec_of(checkpoint.tokenizer())
        base = Base.from_json(said["base"]) if said.get("base") else None
        model = build(config, random_t5(T5Shape(**said["shape"]), codec, 0), codec, base)
    kept = (checkpoint.config.get("lip_weights") or {}).get("sha256", "")
    if kept != model.lip_sha256:
        raise MediaError(
            f"{checkpoint.folder} reads lips with weights of sha256 {kept[:12]}…, and those in "
            f"{config.lip_weights} have {model.lip_sha256[:12]}…; put the same weights back"
        )
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    return model


def random_t5(shape: T5Shape, codec: TextCodec, seed: int) -> T5ForConditionalGeneration:
    """A T5 of random weights for a codec."""
    return build_t5(shape, seed, start=codec.start, pad=codec.pad, end=codec.end)


def score_dev(model: Unified, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """Translation scores on samples that ask what is signed, alignment's on those that ask when."""
    samples = [dev[i] for i in range(min(len(dev), limit))]
    asked = [sample for sample in samples if sample.span is not None]
    told = [sample for sample in samples if sample.span is None]
    scores = (
        translation_scores(model, told, len(told), beam) | heard(model, told, ("points", "mouths"))
        if told
        else {}
    )
    if asked:
        found = [
            model.locate(s.clip, [Query(Span(0.0, s.clip.duration), s.text, s.prior)], s.lips)[0]
            for s in asked
        ]
        overlaps = [
            _overlap(s.span, f.spans[0][0]) for s, f in zip(asked, found, strict=True) if s.span
        ]
        scores |= {
            "IoU": round(100 * float(np.mean(overlaps)), 4),
            "IoU≥.50": round(100 * float(np.mean(np.array(overlaps) >= 0.5)), 4),
        }
    return scores


def _overlap(a: Span, b: Span) -> float:
    """Intersection over union of two spans."""
    both = max(0.0, min(a.end, b.end) - max(a.start, b.start))
    return both / max((a.end - a.start) + (b.end - b.start) - both, 1e-9)


def shape_of(config: Config, vocabulary: int) -> T5Shape:
    """The language model that is built where none is named."""
    return T5Shape(
        vocabulary=vocabulary,
        width=config.language_width,
        key_width=config.language_width // config.language_heads,
        inner=config.language_inner,
        layers=config.language_layers,
        decoder_layers=config.language_layers,
        heads=config.language_heads,
        dropout=config.language_dropout,
        tied=True,
    )


def build(
    config: Config,
    language: T5ForConditionalGeneration,
    codec: TextCodec,
    base: Base | None,
    seed: int = 0,
) -> Unified:
    """The model around a language model (``base``: where that came from; None = random weights).

    Its own weights are drawn from ``seed``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Unified(config, language, codec, base, seed)


class Unified(nn.Module):
    """Keypoints → frames → windows → tokens → T5 → text, or when. A `Translator` and a `Locator`."""

    def __init__(
        self,
        config: Config,
        language: T5ForConditionalGeneration,
        codec: TextCodec,
        base: Base | None,
        seed: int = 0,
    ):
        """seed: of the adapters alone."""
        super().__init__()
        self.config = config
        self.base, self.codec = base, codec
        self.tokenizer = codec.tokenizer
        self.preparation = Preparation(config, codec)
        self.name = NAME
        self.simulated_only = False
        self.backbone = None if config.reads_features else _backbone(config)
        self.mouth, self.lip = None, None
        self.lip_sha256 = ""
        if config.lips != "none":
            self.mouth = lip_encoder(config.lips, config.lip_weights)
            self.lip_sha256 = self.mouth.sha256 if isinstance(self.mouth, Frozen) else ""
            self.lip = LipBackbone(
                cast(int, self.mouth.width),
                config.width,
                config.layers,
                config.heads,
                config.head_width,
                config.dropout,
            )
        self.shape = asdict(shape_of_t5(language))
        if config.adapter == "full" and getattr(language.config, "scale_decoder_outputs", False):
            raise UsageError(
                f"unified: '{config.language}' is a T5 of the first kind, whose output is scaled; it "
                "cannot be trained whole: set adapter to 'dora', or give a T5 v1.1 or Flan-T5"
            )
        self.bridge = _bridge(config, self.width, self.shape["width"])
        self.language = adapt(
            language,
            config.adapter,
            base,
            rank=config.rank,
            alpha=config.alpha,
            dropout=config.adapter_dropout,
            targets=config.adapter_targets,
            seed=seed,
        )
        leave_out_borrowed(self)

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `restore` builds it from this."""
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": "none" if self.config.reads_features else "shoulder",
            "fps": self.config.fps,
            "language": {
                "base": self.base.to_json() if self.base else None,
                "shape": self.shape,
            },
            **({"lip_weights": {"sha256": self.lip_sha256}} if self.lip_sha256 else {}),
        }

    @property
    def layout(self) -> Layout:
        return layout_named(self.config.layout)

    @property
    def fps(self) -> float:
        """Of the posteriors that `locate` gives: ticks a second."""
        return TICKS / self.config.window

    @property
    def window(self) -> Seconds:
        return self.config.window

    @property
    def width(self) -> int:
        """Of the frames that the bridge reads."""
        if self.config.reads_features:
            return int(self.config.layout.rpartition("-")[2])
        return self.config.width * (1 if self.lip is None else 2)

    @property
    def rate(self) -> float:
        return self.config.rate

    def own(self, old: Any) -> tuple[str, ...]:
        """The language model, unless ``old`` has the same tokens and, under adapters, the same base."""
        alike = (
            isinstance(old, Unified)
            and old.tokenizer.get_vocab() == self.tokenizer.get_vocab()
            and (self.config.adapter == "full" or old.base == self.base)
        )
        return () if alike else ("language.",)

    def word(self, clip: PoseClip, rng: np.random.Generator | None = None) -> PoseClip:
        """A word clip as it must be before it is stitched (`Preparation.normalized`)."""
        return self.preparation.normalized(clip, rng)

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip `translate` takes in, from its start."""
        return min(self.config.window, self.config.frames / rate_of(clip, self.config.fps))

    @property
    def filled(self) -> dict[str, float]:
        """Weights of others that it began with → the fraction they filled of what they are for."""
        told = {self.base.source: self.base.filled} if self.base else {}
        if isinstance(self.mouth, Frozen):
            told[self.config.lip_weights] = self.mouth.filled
        return told

    @property
    def tells_previous(self) -> bool:
        """Whether it has learnt to read a sentence with the one before it."""
        return self.config.previous > 0

    @property
    def reads_lips(self) -> bool:
        return self.lip is not None

    def seen(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
        mouths: Float[Tensor, "batch seen 88 88"],
    ) -> tuple[Float[Tensor, "batch positions width"], Bool[Tensor, "batch positions"]]:
        """What the bridge reads of the clips, `rate` positions a second: (them, which are real)."""
        if self.backbone is None:
            return points.flatten(2), mask
        window, stride = self.config.conformer_window, self.config.conformer_stride
        time = max(points.shape[1], window)
        more = time + (window - time) % stride - points.shape[1]  # whole windows, however padded
        points = nn.functional.pad(points, (0, 0, 0, 0, 0, more))
        mask = nn.functional.pad(mask, (0, more))
        if self.lip is not None:
            missing = points.shape[1] - mouths.shape[1]
            mouths = nn.functional.pad(mouths, (0, 0, 0, 0, 0, missing))
        length = points.shape[1] // stride
        found = [
            sliding(conformer, frames, mask, window, stride, length)
            for conformer, frames in zip(
                self.conformers, self.framed(points, mask, mouths), strict=True
            )
        ]
        return torch.cat([stream for stream, _ in found], -1), found[0][
            1
        ]  # (B, T / stride, H or 2H)

    @property
    def conformers(self) -> list[Conformer]:
        """One for each of what `framed` gives."""
        return [part.conformer for part in (self.backbone, self.lip) if part is not None]

    def framed(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
        mouths: Float[Tensor, "batch seen 88 88"],
    ) -> list[Float[Tensor, "batch time width"]]:
        """Each frame through the graphs (A·C numbers), and its mouth through the lip reader.

        With `Config.chunk`, what comes of a frame depends on its chunk alone. mouths: of no frames for a
        model without lips, else as many as of points.
        """
        assert self.backbone is not None
        config = self.config
        chunk = config.chunk or mask.shape[1]
        parts, there = in_chunks(points, mask, chunk)
        parts = streams_of(parts, self.layout, config.streams, "shoulder", config.presence, there)
        found = [self.backbone.frames(parts, there)]
        if self.mouth is not None:
            found.append(self.mouth(in_chunks(mouths, mask, chunk)[0], there))
        return [out_of_chunks(frames, *mask.shape) for frames in found]

    @property
    def chunk(self) -> Seconds:
        """What it sees at a time, each stretch alone; 0 where that is the whole clip."""
        return (self.config.chunk or 0) / self.config.fps

    @property
    def watches(self) -> bool:
        """Whether it can be shown frames as they come."""
        return self.chunk > 0

    def watch(self, fps: float) -> Watch:
        """What has seen no frame yet. Raises UsageError as `Watch` does."""
        return Watch(self, fps)

    def tokens(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
        mouths: Float[Tensor, "batch seen 88 88"],
    ) -> tuple[Float[Tensor, "batch tokens width"], Bool[Tensor, "batch tokens"]]:
        """What the language model reads of the clips: (B, T / 2·stride, D)."""
        return self.bridge(*self.seen(points, mask, mouths))

    def features(self, clip: PoseClip, lips: Lips | None = None) -> NDArray[np.float32]:
        """(positions, width): `seen` of a clip's first window, without padding; of all of it where it `watches`.

        lips: the clip's, as in `translate`. Raises UsageError and MediaError as `translate`.
        """
        if self.watches:
            watch = self.watch(clip.fps)
            watch.push(clip, lips)
            watch.finish()
            seen, there, _ = watch.seen(Span(0.0, clip.duration))
        else:
            with answering(self):
                seen, there = self.seen(*self.padded([clip], [lips]))
        return np.asarray(seen[0][there[0]].float().cpu().numpy(), np.float32)

    def read(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        there: Bool[Tensor, "batch tokens"],
        before: Int[Tensor, "batch before"],
        after: Int[Tensor, "batch after"],
    ) -> tuple[Float[Tensor, "batch length width"], Bool[Tensor, "batch length"]]:
        """prompt ⊕ tokens ⊕ prompt through T5's encoder, packed so that padding changes nothing."""
        embed = self.language.get_input_embeddings()
        halves = [ids.clamp(min=0) for ids in (before, after)]
        parts = [embed(halves[0]), tokens, embed(halves[1])]
        masks = [before != IGNORED, there, after != IGNORED]
        packed, mask = pack(torch.cat(parts, 1), torch.cat(masks, 1))
        encoder = self.language.get_encoder()
        return encoder(inputs_embeds=packed, attention_mask=mask.long()).last_hidden_state, mask

    def forward(self, batch: Batch) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of each token of the answers."""
        tokens, there = self.tokens(batch.points, batch.mask, batch.mouths)
        memory, mask = self.read(tokens, there, batch.before, batch.after)
        start = batch.answer.new_full((len(batch.answer), 1), self.codec.start)
        said = batch.answer.masked_fill(batch.answer == IGNORED, self.codec.pad)
        output = self.language(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=mask.long(),
            decoder_input_ids=torch.cat([start, said[:, :-1]], 1),
        )
        return output.logits

    def loss(self, batch: Batch) -> Loss:
        """Cross-entropy over the answers' tokens, and λ times the soft-decoding loss of the alignments.

        The soft loss of a sample weighs as much as each of its tokens: both are means over the same count.
        """
        alone = batch.points.device.type == "cpu" and processes() == 1  # all have as many parts
        parts = by_length(batch) if alone else [batch]
        total = torch.stack([self._summed(part) for part in parts]).sum()
        return Loss(total, (batch.answer != IGNORED).sum())

    def _summed(self, batch: Batch) -> Float[Tensor, ""]:
        logits = self(batch).float()
        summed = nn.functional.cross_entropy(
            logits.flatten(0, 1), batch.answer.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        asked = batch.digits[:, 0] != IGNORED
        if self.config.soft and asked.any():
            ids = torch.tensor(self.codec.digit_ids, device=logits.device)
            digits = logits[asked][:, :6].index_select(2, ids)  # (asked, 6, 10)
            soft = soft_digit_loss(digits, batch.digits[asked], self.config.soft_kind)
            summed = summed + self.config.soft * 7 * soft.sum()
        return summed

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train)

    def collate(self, examples: list[Example]) -> Batch:
        return self.preparation.collate(examples)

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        lips: Sequence[Lips | None] | None = None,
        previous: Sequence[str] | None = None,
    ) -> list[Translation]:
        """The best text of each clip's first window, with the other hypotheses of the beam.

        lips: each clip's, for a model that reads them. previous: the sentence before each clip's, "" for
        none; told to a model that training told it (`Config.previous`). Raises UsageError where a clip's
        layout does not convert to the model's, or there is another number of sentences than of clips,
        MediaError where lips have not the clip's frames.
        """
        if previous is not None and len(previous) != len(clips):
            raise UsageError(
                f"translate was given {len(clips)} clips and {len(previous)} sentences before them; give "
                'one a clip, "" where there is none'
            )
        if not clips:
            return []
        with answering(self):
            tokens, there = self.tokens(*self.padded(clips, lips or [None] * len(clips)))
        return self.told(tokens, there, previous or [""] * len(clips), beam)

    def told(
        self,
        tokens: Float[Tensor, "batch tokens width"],
        there: Bool[Tensor, "batch tokens"],
        previous: Sequence[str],
        beam: int | None,
    ) -> list[Translation]:
        """`translate`, of what `tokens` gives of the clips."""
        before = previous if self.config.previous else [""] * len(tokens)
        with answering(self):
            memory, mask = self.read(
                tokens,
                there,
                *self._prompts([self.preparation.translation_prompt(text) for text in before]),
            )
            width = self.config.beam if beam is None else beam
            found = beam_search(
                self._stepper(memory, mask, width),
                torch.full((len(tokens), 1), self.codec.start, device=memory.device),
                end=self.codec.end,
                width=width,
                max_length=self.config.max_tokens,
                length_penalty=self.config.length_penalty,
                no_repeat=self.config.no_repeat,
                patient=True,
            )
        return [
            Translation(texts[0][0], texts[0][1], tuple(texts[1:]))
            for texts in (
                [(self.codec.decode(h.tokens), h.score) for h in hypotheses] for hypotheses in found
            )
        ]

    def locate(
        self, clip: PoseClip, queries: Sequence[Query], lips: Lips | None = None
    ) -> list[Located]:
        """When each text is signed in its window: every start's probability, the likeliest spans.

        Windows that begin and end alike are looked at once; a model that sees in chunks (`Config.chunk`) sees
        the clip once, in chunks from its first frame on. lips: the clip's, as in `translate`.
        Raises UsageError where a window is longer than the model's, or leaves the clip, and
        MediaError where lips have not the clip's frames.
        """
        if lips is not None:
            lips.aligned_with(clip)
        for query in queries:
            _check_window(clip, query, self.window)
        whole = None
        if self.watches and queries:
            whole = self.watch(clip.fps)
            whole.push(clip, lips)
            whole.finish()
        windows: dict[Span, tuple[Tensor, Tensor, Seconds]] = {}
        found = []
        for query in queries:
            if query.window not in windows:
                windows = {query.window: self._window(clip, lips, query.window, whole)}
            with answering(self):
                found.append(self._located(query, *windows[query.window]))
        return found

    def _window(
        self, clip: PoseClip, lips: Lips | None, window: Span, whole: Watch | None
    ) -> tuple[Tensor, Tensor, Seconds]:
        """`tokens` of a window, and when what they show begins."""
        if whole is not None:
            return whole.tokens(window)
        mouths = None if lips is None else lips.cut(window)
        with answering(self):
            return *self.tokens(*self.padded([clip.cut(window)], [mouths])), window.start

    def _located(self, query: Query, tokens: Tensor, there: Tensor, first: Seconds) -> Located:
        prior = query.prior if self.config.audio else None  # it is told what training told it
        previous = query.previous if self.config.previous else ""
        prompt = self.preparation.alignment_prompt(query.text, prior, first, previous)
        memory, mask = self.read(tokens, there, *self._prompts([prompt]))
        ids = torch.tensor(self.codec.digit_ids, device=memory.device)
        seen = EncoderDecoderCache(DynamicCache(), DynamicCache())

        def digit_scores(prefixes: Int[Tensor, "rows written"]) -> Float[Tensor, "rows 10"]:
            rows = len(prefixes)
            start = prefixes.new_full((rows, 1), self.codec.start)
            past = _for_rows(seen, rows)
            output = self.language(
                encoder_outputs=BaseModelOutput(last_hidden_state=memory.expand(rows, -1, -1)),
                attention_mask=mask.long().expand(rows, -1),
                decoder_input_ids=torch.cat([start, ids[prefixes]], 1),
                past_key_values=past,
                use_cache=True,
            )
            if not seen.is_updated:  # the first question is of one row
                seen.cross_attention_cache = past.cross_attention_cache
                seen.is_updated = past.is_updated
            return log_probabilities(output.logits[:, -1].index_select(1, ids))

        tick = self.window / TICKS
        ticks = min(TICKS, max(1, round((query.window.end - first) / tick)))
        told = span_distribution(digit_scores, TICKS, self.config.beam, memory.device, ticks)
        spans = tuple(
            (Span(first + start * tick, first + end * tick), probability)
            for (start, end), probability in told.likeliest(self.config.beam)
        )
        return Located(spans, told.posterior()[:ticks].double().cpu().numpy())

    def _stepper(self, memory: Tensor, mask: Tensor, width: int) -> Step:
        """The next-token function of a beam search; keys and values of past tokens are kept."""
        rows = BaseModelOutput(last_hidden_state=memory.repeat_interleave(width, dim=0))
        attended = mask.repeat_interleave(width, dim=0).long()
        past = EncoderDecoderCache(DynamicCache(), DynamicCache())

        def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
            if parents is not None:
                past.self_attention_cache.reorder_cache(parents.long())  # type: ignore[arg-type]
                tokens = tokens[:, -1:]
            output = self.language(
                encoder_outputs=rows,
                attention_mask=attended,
                decoder_input_ids=tokens,
                past_key_values=past,
                use_cache=True,
            )
            return output.logits[:, -1]

        return step

    def padded(
        self, clips: Sequence[PoseClip], lips: Sequence[Lips | None]
    ) -> tuple[
        Float[Tensor, "batch time keypoints inputs"],
        Bool[Tensor, "batch time"],
        Float[Tensor, "batch seen 88 88"],
    ]:
        """Points, mask and mouths of clips, as `tokens` wants them."""
        own = next(self.parameters())
        points, mask = pad_frames([self.preparation.points(clip) for clip in clips])
        mouths, _ = pad_frames(
            [self.preparation.mouths(*both) for both in zip(clips, lips, strict=True)]
        )
        return points.to(own), mask.to(own.device), mouths.to(own)

    def _prompts(self, prompts: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
        device = next(self.parameters()).device
        before, after = zip(*prompts, strict=True)
        return pad_ids(before).to(device), pad_ids(after).to(device)


def _for_rows(seen: EncoderDecoderCache, rows: int) -> EncoderDecoderCache:
    """What a decoder keeps of one memory that so many rows look at: theirs of it is the same tensor."""
    past = EncoderDecoderCache(DynamicCache(), DynamicCache())
    layers: Any = seen.cross_attention_cache.layers
    for layer in layers:
        shared = DynamicLayer()
        shared.lazy_initialization(layer.keys, layer.values)
        shared.keys = layer.keys.expand(rows, -1, -1, -1)
        shared.values = layer.values.expand(rows, -1, -1, -1)
        past.cross_attention_cache.layers.append(shared)
    past.is_updated = dict(seen.is_updated)
    return past


def _check_window(clip: PoseClip, query: Query, longest: Seconds) -> None:
    """Raises UsageError where the query's window of the clip is no window of the model's."""
    window = query.window
    if window.start < 0 or window.end > clip.duration + 1 / clip.fps:
        raise UsageError(
            f"the window {window.start:g}–{window.end:g} s leaves the clip, which has "
            f"{clip.duration:g} s; ask for a stretch inside it"
        )
    if window.end - window.start > longest + 0.5 / clip.fps:
        raise UsageError(
            f"the window {window.start:g}–{window.end:g} s is longer than the model's "
            f"{longest:g} s; ask in several windows"
        )


def _backbone(config: Config) -> PoseBackbone:
    return PoseBackbone(
        layout_named(config.layout),
        coordinates=config.coordinates * len(config.streams),
        channels=config.channels,
        multipliers=config.multipliers,
        width=config.width,
        layers=config.layers,
        heads=config.heads,
        head_width=config.head_width,
        dropout=config.dropout,
        aggregation=config.aggregation,
        factored=config.factored,
        adaptive=config.adaptive,
        presence=config.presence,
    )


def _bridge(config: Config, inputs: int, width: int) -> Any:
    stride = 1 if config.reads_features else config.conformer_stride
    if config.bridge == "perceiver":
        return SlidingPerceiver(
            inputs,
            width,
            window=config.bridge_window,
            stride=config.bridge_stride,
            heads=config.bridge_heads,
            depth=config.bridge_depth,
            positions=-(-config.frames // stride),
        )
    if config.bridge == "shuffle":
        return TokenShuffle(inputs, width, config.bridge_stride)
    kind = Conv if config.bridge == "conv" else Mlp
    return kind(inputs, width, config.bridge_stride)


def shape_of_t5(model: T5ForConditionalGeneration) -> T5Shape:
    """The shape of a T5 at hand; what it does not say is as in every T5 v1.1."""
    config = model.config
    return T5Shape(
        vocabulary=config.vocab_size,
        width=config.d_model,
        key_width=config.d_kv,
        inner=config.d_ff,
        layers=config.num_layers,
        decoder_layers=config.num_decoder_layers or config.num_layers,
        heads=config.num_heads,
        dropout=config.dropout_rate,
        feed_forward="relu" if config.feed_forward_proj == "relu" else "gated-gelu",
        tied=model.lm_head.weight is model.shared.weight,
    )
