"""POSESTITCH-SLT: translation learnt from stitched signs (arXiv 2511.00270; spec §1).

The idea. Sentences that were never signed are made signable by stitching one
clip per word; an ordinary encoder–decoder learns on these first and on real
sentences more and more (p(s), the curriculum, is `signloom.training.mixing`).

The paper's parts, and their names here:

    x  keypoints of a frame, [LH 42 | RH 42 | body 22 | face 46] = 152   `frame_features`
    step 1–3 real, 4 + U{1,2,3} stitched (3 + … for ASL)                 `Preparation.step`
    Linear 152→1024, GELU, Linear 1024→512                               `PoseStitch.front`
    BERT encoder, GPT-2 decoder with cross-attention                     `PoseStitch.seq2seq`
    beam 3, length penalty .6, no-repeat 3-gram                          `PoseStitch.translate`

docs/methods/posestitch.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds
from signloom.encoders.frames import (
    frame_features,
    minmax_joint,
    noisy,
    pad_frames,
    rate_of,
    resampled,
)
from signloom.encoders.processes import processes
from signloom.errors import UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.translate import Translation
from signloom.language.beam import Step, beam_search
from signloom.language.causal import build_gpt2
from signloom.language.seq2seq import (
    Seq2Seq,
    bert_encoder,
    load_decoder,
    load_encoder,
)
from signloom.methods.settings import Rules, settings_from
from signloom.pose.augment import random_affine
from signloom.pose.convert import convert
from signloom.pose.normalize import minmax_clip, shoulder
from signloom.pose.select import every_frame
from signloom.text.tokenizer import END, PAD, START, text_of, token_id, train_bpe
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

NAME = "posestitch"
LayoutName = Literal["ps76", "hands42"]
Normalizer = Literal["minmax_clip", "minmax_joint", "shoulder"]
JitterMode = Literal["per_clip", "legacy"]


@dataclass(frozen=True)
class Config:
    """Every setting of the method; defaults are the paper's for iSign. [D] marks what is ours."""

    # The clip
    layout: LayoutName = "ps76"
    coordinates: int = 2
    """2 = (x, y), 3 = (x, y, z)."""
    normalizer: Normalizer = "minmax_clip"
    """minmax_clip: each articulator alone, x and y alone, to [−1, 1] (the paper's). shoulder: in
    shoulder widths from the neck, hands placed on the body [D]. minmax_joint: all keypoints by
    one scale, which keeps where the hands are to each other; for hands42, which has no body [D]."""
    local_hands: bool = False
    """Append each hand again, from its own wrist and in its own size, so that handshape stays
    visible where the hand moves far: +84 features at two coordinates [D]."""
    fps: float | None = None
    """Frames a second that clips are brought to first; None = as they come (the paper's)."""
    steps: tuple[int, ...] = (1, 2, 3)
    """Real clips: every n-th frame, n drawn from these; evaluation takes the middle one [D]."""
    stitched_step: int = 4
    """Stitched clips: the same, n = this + a draw from ``stitched_jitter``; 4 for ISL, 3 for ASL."""
    stitched_jitter: tuple[int, ...] = (1, 2, 3)
    jitter_mode: JitterMode = "per_clip"
    """legacy: draws add up for as long as a worker lives, as in the authors' code. For comparison
    only: the stream is then no pure function of (seed, index)."""
    random_offset: bool = False
    """Training starts at a random frame of the first n instead of frame 0 [D]."""
    stretch: float = 0.0
    """Training clips are stretched by up to e^± this, x and y apart [D: a camera's other format]."""
    turn: float = 0.0
    """Training clips are turned by up to ± this many degrees [D]."""
    noise_hands: float = 0.01
    """σ on hands and face of stitched training clips, in normalised units."""
    noise_body: float = 0.1
    """σ on the body of stitched training clips, in normalised units."""
    max_frames: int = 300
    """Frames after sampling; what is longer is cut off."""

    # The front
    front: int = 1024
    """Width of the hidden layer of the front."""

    # The encoder (BERT)
    width: int = 512
    encoder_layers: int = 4
    encoder_heads: int = 8
    encoder_inner: int = 3072
    encoder_positions: int = 512
    dropout: float = 0.1
    encoder_pretrained: str = ""
    """Folder or hub id of a BERT to start from; "" = random (the paper's)."""

    # The decoder (GPT-2)
    decoder_width: int = 512
    decoder_layers: int = 4
    decoder_heads: int = 8
    decoder_inner: int = 2048
    decoder_dropout: float = 0.1
    decoder_pretrained: str = ""
    """Folder or hub id of a GPT-2 to start from; "" = random (the paper's)."""
    max_tokens: int = 128
    """Tokens of a text with <s> and </s>, and positions of the decoder."""
    vocabulary: int = 15_000
    """Tokens the BPE tokenizer is trained to, at most."""
    initial_scale: float = 1.0
    """Encoder and decoder positions start this many times their usual σ of 0.02 [D: >1 in small]."""

    # The loss
    label_smoothing: float = 0.0
    legacy_shift: bool = False
    """The decoder reads <s> <s> … and learns to say <s> first, as the authors' code does."""

    # Decoding
    beam: int = 3
    length_penalty: float = 0.6
    no_repeat: int = 3
    """No n-gram of this many tokens twice; 0 = no such rule."""

    def __post_init__(self) -> None:
        if self.layout == "hands42" and self.normalizer == "shoulder":
            raise UsageError(
                "posestitch: normalizer 'shoulder' needs shoulders, which layout 'hands42' has not; "
                "use 'minmax_joint' or 'minmax_clip'"
            )
        if self.max_frames > self.encoder_positions:
            raise UsageError(
                f"posestitch: max_frames {self.max_frames} is more than the encoder's "
                f"{self.encoder_positions} positions; raise encoder_positions"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, RULES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


RULES = Rules(
    choices={
        "layout": get_args(LayoutName),
        "normalizer": get_args(Normalizer),
        "jitter_mode": get_args(JitterMode),
        "coordinates": (2, 3),
    },
    optional={"fps": float},
    lists={"steps": "frame steps"},
    least={"stitched_step": 0, "no_repeat": 0, "length_penalty": -10.0},
    whole=1,
    real=0.0,
)


SMALL = Config(
    normalizer="shoulder",
    local_hands=True,
    steps=(4,),
    stitched_step=3,
    random_offset=True,
    noise_body=0.01,
    max_frames=160,
    front=384,
    width=192,
    encoder_layers=2,
    encoder_heads=4,
    encoder_inner=512,
    encoder_positions=160,
    decoder_width=192,
    decoder_layers=2,
    decoder_heads=4,
    decoder_inner=512,
    max_tokens=64,
    vocabulary=1_500,
    initial_scale=5.0,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        steps=(2,),
        front=128,
        width=96,
        encoder_layers=2,
        encoder_inner=192,
        decoder_width=96,
        decoder_layers=2,
        decoder_inner=192,
        dropout=0.0,
        decoder_dropout=0.0,
        vocabulary=600,
    ),
    "small": SMALL,
    "isign": Config(),
    "how2sign": Config(
        stitched_step=3,
        encoder_layers=2,
        encoder_heads=4,
        dropout=0.3,
        decoder_layers=2,
        decoder_heads=4,
    ),
    "base": Config(
        width=768,
        encoder_layers=12,
        encoder_heads=12,
        decoder_width=1024,
        decoder_layers=24,
        decoder_heads=16,
        decoder_inner=4096,
        max_tokens=1024,
    ),
}
"""tiny ≤ 1 M parameters (tests), small ≤ 5 M (a CPU), isign and how2sign as in the paper (spec §1);
base has the shapes of BERT-base and GPT-2-medium, so that either can be loaded (spec §1, F1.2)."""


class Example(NamedTuple):
    """One training item: features float32 (frames, features); tokens <s> … </s>."""

    features: NDArray[np.float32]
    tokens: NDArray[np.int64]


class Batch(NamedTuple):
    """features (B, T, F) float32; mask (B, T), True on real frames; inputs, labels (B, L), −100 = none."""

    features: Tensor
    mask: Tensor
    inputs: Tensor
    labels: Tensor


METRICS = ("BLEU-4", "chrF2", "content-F1")


def begin(config: Config, texts: Sequence[str], seed: int) -> PoseStitch:
    """A fresh model, with a tokenizer trained on the texts."""
    return build(config, train_bpe(texts, config.vocabulary), seed)


def restore(checkpoint: Checkpoint) -> PoseStitch:
    """The model of a checkpoint, weights loaded whole. Raises MediaError where they are not."""
    config = Config.of(checkpoint.config.get("config", {}))
    model = build(config, checkpoint.tokenizer(), pretrained=False)
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    return model


def score_dev(model: PoseStitch, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """The translation scores on the first ``limit`` samples."""
    return translation_scores(model, dev, limit, beam)


def build(
    config: Config, tokenizer: Tokenizer, seed: int = 0, pretrained: bool = True
) -> PoseStitch:
    """The model with weights drawn from ``seed``, then whatever pretrained weights the config names.

    ``pretrained`` False leaves those out: for a checkpoint, whose weights come next.
    Raises MediaError or UsageError where pretrained weights do not load whole.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PoseStitch(config, tokenizer)
    if pretrained and config.encoder_pretrained:
        encoder = model.seq2seq.encoder
        model.filled[config.encoder_pretrained] = load_encoder(encoder, config.encoder_pretrained)
    if pretrained and config.decoder_pretrained:
        decoder = model.seq2seq.decoder
        model.filled[config.decoder_pretrained] = load_decoder(decoder, config.decoder_pretrained)
    return model


class PoseStitch(nn.Module):
    """Frames → front → BERT → GPT-2 → text. A `Translator`."""

    def __init__(self, config: Config, tokenizer: Tokenizer):
        super().__init__()
        self.config = config
        self.tokenizer = tokenizer
        self.preparation = Preparation(config, tokenizer)
        self.name = NAME
        self.simulated_only = False
        self.filled: dict[str, float] = {}
        """Weights of others that it began with → the fraction they filled of what they are for."""
        self.front = nn.Sequential(
            nn.Linear(feature_count(config), config.front),
            nn.GELU(),
            nn.Linear(config.front, config.width),
        )
        self.seq2seq = Seq2Seq(
            bert_encoder(
                width=config.width,
                layers=config.encoder_layers,
                heads=config.encoder_heads,
                inner=config.encoder_inner,
                positions=config.encoder_positions,
                dropout=config.dropout,
            ),
            build_gpt2(
                vocabulary=tokenizer.get_vocab_size(),
                width=config.decoder_width,
                layers=config.decoder_layers,
                heads=config.decoder_heads,
                inner=config.decoder_inner,
                positions=config.max_tokens,
                dropout=config.decoder_dropout,
                crossed=True,
            ),
        )
        with torch.no_grad():
            self.seq2seq.encoder.embeddings.position_embeddings.weight *= config.initial_scale
            self.seq2seq.decoder.transformer.wpe.weight *= config.initial_scale

    @property
    def layout(self) -> Layout:
        return layout_named(self.config.layout)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def word(self, clip: PoseClip, rng: np.random.Generator) -> PoseClip:
        """A word clip as it must be before it is stitched (`Preparation.word`)."""
        return self.preparation.word(clip, rng)

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `methods.load` builds it from this."""
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": self.config.normalizer,
            "fps": self.config.fps,
        }

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip `translate` takes in, from its start."""
        if clip.origin.settings.get("prepared") == NAME:
            return self.config.max_frames / clip.fps
        step = self.preparation.step(stitched=False, rng=None)
        return self.config.max_frames * step / rate_of(clip, self.config.fps)

    def forward(
        self,
        features: Float[Tensor, "batch time features"],
        mask: Bool[Tensor, "batch time"],
        inputs: Int[Tensor, "batch length"],
    ) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of the token after each of ``inputs``."""
        return self.seq2seq(self.front(features), mask, inputs)

    def memory(
        self, features: Float[Tensor, "batch time features"], mask: Bool[Tensor, "batch time"]
    ) -> Tensor:
        """What the decoder attends to, for `stepper`."""
        return self.seq2seq.encode(self.front(features), mask)

    def stepper(self, memory: Tensor, mask: Bool[Tensor, "batch time"], width: int) -> Step:
        """The next-token function of a beam search, ``width`` rows per clip."""
        return self.seq2seq.stepper(memory, mask, width)

    def loss(self, batch: Batch) -> Loss:
        """Cross-entropy over the text tokens: its sum, and how many tokens there are.

        On a CPU, clips of like length go through together, so that little time is spent on padding.
        """
        alone = batch.features.device.type == "cpu" and processes() == 1  # all have as many parts
        parts = by_length(batch) if alone else [batch]
        total = torch.stack([self._summed(part) for part in parts]).sum()
        return Loss(total, (batch.labels != -100).sum())

    def _summed(self, batch: Batch) -> Float[Tensor, ""]:
        logits = self(batch.features, batch.mask, batch.inputs)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1).float(),
            batch.labels.flatten(),
            ignore_index=-100,
            reduction="sum",
            label_smoothing=self.config.label_smoothing,
        )

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train)

    def collate(self, examples: list[Example]) -> Batch:
        return self.preparation.collate(examples)

    @torch.inference_mode()
    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        """The best text of each clip, with the other hypotheses of the beam (spec §1, decoding).

        Raises UsageError where a clip's layout does not convert to the model's.
        """
        if not clips:
            return []
        config, device = self.config, self.device
        training = self.training
        self.eval()
        try:
            features = [self.preparation.features(clip) for clip in clips]
            padded, mask = (tensor.to(device) for tensor in pad_frames(features))
            memory = self.memory(padded, mask)
            start = token_id(self.tokenizer, START)
            width = config.beam if beam is None else beam
            found = beam_search(
                self.stepper(memory, mask, width),
                torch.full((len(clips), 1 + config.legacy_shift), start, device=device),
                end=token_id(self.tokenizer, END),
                width=width,
                max_length=config.max_tokens,
                length_penalty=config.length_penalty,
                no_repeat=config.no_repeat,
            )
        finally:
            self.train(training)
        return [
            Translation(texts[0][0], texts[0][1], tuple(texts[1:]))
            for texts in (
                [(text_of(self.tokenizer, h.tokens), h.score) for h in hypotheses]
                for hypotheses in found
            )
        ]


class Preparation:
    """Clip and text to numbers; holds no weights, so workers copy it cheaply.

    `word` is for word clips before they are stitched: the paper prepares each alone
    (`StitchedSentences(prepare=model.preparation.word)`). Such a clip says so in its
    origin and is not sampled or normalised again.
    """

    def __init__(self, config: Config, tokenizer: Tokenizer):
        self.config = config
        self.tokenizer = tokenizer
        self.layout = layout_named(config.layout)
        self.legacy_jitter = 0

    def step(self, stitched: bool, rng: np.random.Generator | None) -> int:
        """Every how manieth frame is taken; the middle choice where ``rng`` is None (evaluation)."""
        choices = self.config.stitched_jitter if stitched else self.config.steps
        drawn = int(rng.choice(choices)) if rng else sorted(choices)[len(choices) // 2]
        if not stitched:
            return drawn
        if self.config.jitter_mode == "legacy" and rng:
            self.legacy_jitter += drawn
            drawn = self.legacy_jitter
        return self.config.stitched_step + drawn

    def word(self, clip: PoseClip, rng: np.random.Generator | None = None) -> PoseClip:
        """A word clip, sampled and normalised alone, ready to be stitched.

        Its clock is set back to the rate it came with: a stitcher brings clips to one
        rate, and must not put back the frames that sampling has left out.
        """
        return replace(self.prepare(clip, stitched=True, rng=rng), fps=self.config.fps or clip.fps)

    def prepare(
        self, clip: PoseClip, stitched: bool = False, rng: np.random.Generator | None = None
    ) -> PoseClip:
        """The clip in the model's layout, sampled and normalised; as it is where that is done."""
        if clip.origin.settings.get("prepared") == NAME and clip.layout == self.layout:
            return clip
        clip = resampled(convert(clip, self.layout), self.config.fps)
        step = self.step(stitched, rng)
        offset = (
            int(rng.integers(min(step, max(len(clip), 1))))
            if rng and self.config.random_offset
            else 0
        )
        clip = every_frame(clip, step, offset)
        if rng and (self.config.stretch or self.config.turn):
            clip = random_affine(clip, rng, self.config.stretch, self.config.turn)
        normal = {"minmax_clip": minmax_clip, "minmax_joint": minmax_joint, "shoulder": shoulder}
        clip = normal[self.config.normalizer](clip)
        origin = replace(clip.origin, settings={**clip.origin.settings, "prepared": NAME})
        return replace(clip, origin=origin)

    def features(
        self, clip: PoseClip, stitched: bool = False, rng: np.random.Generator | None = None
    ) -> NDArray[np.float32]:
        """(frames ≤ max_frames, features) of a clip; with ``rng`` as in training, noise included."""
        clip = self.prepare(clip, stitched, rng)
        clip = clip.frames(slice(0, self.config.max_frames))
        if stitched and rng:
            clip = noisy(clip, rng, self.config.noise_hands, self.config.noise_body)
        return frame_features(clip, self.config.coordinates, self.config.local_hands)

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """Features and tokens of a sample; a pure function of its arguments unless jitter is legacy."""
        features = self.features(sample.clip, sample.stitched, rng if train else None)
        tokens = self.tokenizer.encode(sample.text.strip()).ids
        if len(tokens) > self.config.max_tokens:
            tokens = [*tokens[: self.config.max_tokens - 1], tokens[-1]]
        return Example(features, np.array(tokens, np.int64))

    def collate(self, examples: list[Example]) -> Batch:
        """Pads with zeros (frames), <pad> (inputs) and −100 (labels)."""
        features, mask = pad_frames([example.features for example in examples])
        length = max(len(example.tokens) for example in examples)
        pad, start = token_id(self.tokenizer, PAD), token_id(self.tokenizer, START)
        shift = self.config.legacy_shift
        inputs = torch.full((len(examples), length - 1 + shift), pad)
        labels = torch.full((len(examples), length - 1 + shift), -100)
        for row, example in enumerate(examples):
            tokens = torch.from_numpy(example.tokens)
            said = tokens if shift else tokens[1:]
            labels[row, : len(said)] = said
            inputs[row, 0] = start
            inputs[row, 1 : len(said)] = said[:-1]
        return Batch(
            features, mask, inputs[:, : self.config.max_tokens], labels[:, : self.config.max_tokens]
        )


def feature_count(config: Config) -> int:
    """Features a frame: 152 for ps76 (x, y), 84 for hands42; + 84 with local hands."""
    local = 42 * config.coordinates if config.local_hands else 0
    return len(layout_named(config.layout)) * config.coordinates + local


def by_length(batch: Batch, rows: int = 8) -> list[Batch]:
    """The batch in parts of ``rows`` clips of like length, each padded no further than it needs."""
    frames, tokens = batch.mask.sum(1), (batch.labels != -100).sum(1)
    return [
        Batch(
            batch.features[part, : int(frames[part].max())],
            batch.mask[part, : int(frames[part].max())],
            batch.inputs[part, : max(1, int(tokens[part].max()))],
            batch.labels[part, : max(1, int(tokens[part].max()))],
        )
        for part in frames.argsort(stable=True).split(rows)
    ]
