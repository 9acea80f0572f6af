"""Large Sign Language Models: 3D motion as words that a language model is told to read (arXiv 2511.08535; spec §5).

The idea. Signing as joints in space knows neither light nor camera. A tokenizer writes it as codes; two
linear layers carry the codes into a language model's embedding space; then the model is told, in
words, what to do with what it sees between the words.

The paper's parts, and their names here:

    joints in space → 623 numbers a frame → z_1:L, codes out of 1,024     `Lslm.tokens` (stage 1: motion-vq)
    φ: Linear 512→d, GELU, Linear d→d                                     `Projected.layers`
    prompt ⊕ ⟨ φ(e_z1) … φ(e_zL) ⟩ ⊕ prompt ⊕ answer                      `Lslm.prefix`, `Lslm.forward`
    Llama-3.2 or Qwen2.5, LoRA on q, k, v, o                              `Lslm.language`
    CE on the answer                                                      `Lslm.loss`
    stage 2, alignment: direct (φ), joint (φ and LM), staged              a recipe's `training.stages`
    stage 3, instructions: the LM alone, or with φ                        a stage on `instructed` data

MotionGPT, which it is compared with, has a word of its own for each code: `Vocabulary`.
docs/methods/lslm.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from signloom.data.clip import PoseClip
from signloom.data.kept import Kept, content
from signloom.data.layouts import SMPLX52, SMPLX57, Layout
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds, Span
from signloom.encoders.frames import pad_frames
from signloom.encoders.motion_vq import STRIDE
from signloom.errors import MediaError, UsageError
from signloom.inference.evaluate import translation_scores
from signloom.inference.translate import Translation
from signloom.language.adapters import Kind as AdapterKind
from signloom.language.adapters import adapt, leave_out_borrowed
from signloom.language.beam import beam_search
from signloom.language.causal import Prefixed
from signloom.language.chat import (
    ChatCodec,
    build_causal,
    build_llama,
    config_json,
    load_causal,
    own_codec,
    positions_of,
)
from signloom.language.packing import IGNORED, pack, pad_ids
from signloom.language.pretrained import Base, again
from signloom.methods import motion_tokens
from signloom.methods.listening import heard
from signloom.methods.load import load
from signloom.methods.motion_tokens import MotionTokens, codes_of, is_codes, naming
from signloom.methods.settings import Rules, settings_from
from signloom.metrics.words import content_words
from signloom.text.instructions import family_of, follows
from signloom.text.phrasings import DEFAULT, PHRASINGS
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

NAME = "lslm"
METRICS = ("BLEU-4", "chrF2", "content-F1", "follows", "loss", "loss-shuffled")
ERRORS = ("loss",)

KEPT = 1 << 29
"""Bytes of training clips as codes, and of training clips as numbers, that a process keeps: half a GiB each."""
Reading = Literal["projected", "vocabulary", "latents"]


@dataclass(frozen=True)
class Config:
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    layout: str = SMPLX52.name
    tokens: str = ""
    """Checkpoint of the tokenizer (method motion-vq), which stands still from here on."""
    max_codes: int = 256
    """Moments (four frames each) of a clip that are read, from its start [D]."""

    reading: Reading = "projected"
    """projected: codes through two linear layers (the paper's). vocabulary: an embedding a code, as
    MotionGPT extends its vocabulary. latents: what the tokenizer's encoder gives before it is rounded to
    codes, through the same layers [D]: what rounding costs."""

    # The language model
    language: str = ""
    """Folder or hub id of a causal language model; "" = a Llama of the shape below, with random weights."""
    revision: str = ""
    adapter: AdapterKind = "lora"
    rank: int = 32
    alpha: float = 64.0
    adapter_dropout: float = 0.05
    adapter_targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")
    vocabulary: int = 2_000
    """Tokens of the tokenizer that is trained on the texts where there is no ``language``."""
    language_width: int = 256
    language_layers: int = 4
    language_heads: int = 4
    language_inner: int = 768
    language_dropout: float = 0.0
    positions: int = 512
    """Of prompt, signing and answer together."""
    max_tokens: int = 64
    """Tokens of an answer; what is longer is cut."""
    small_letter: bool = False
    """An instruction begins with a small letter, however it is written [D]: a tokenizer of little text
    knows "keywords", and spells "Keywords" in pieces."""

    # Decoding
    beam: int = 4
    length_penalty: float = 1.0
    no_repeat: int = 3

    def __post_init__(self) -> None:
        if self.layout not in (SMPLX52.name, SMPLX57.name):
            raise UsageError(
                f"lslm reads joints in space, layout '{SMPLX52.name}', not '{self.layout}'; leave layout out, or "
                "name its tokenizer's"
            )
        if self.adapter != "full" and not self.language:
            raise UsageError(
                f"lslm: adapter '{self.adapter}' needs a pretrained language model under 'language' (a "
                "folder or hub id): random weights say nothing yet; give one (see 'signloom language "
                "--kind llama'), or set adapter to 'full'"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML). Raises UsageError naming what does not fit."""
        return settings_from(cls, NAME, values, RULES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


RULES = Rules(
    choices={"reading": get_args(Reading), "adapter": get_args(AdapterKind)},
    shares=("adapter_dropout", "language_dropout"),
    least={"no_repeat": 0, "length_penalty": 0.0},
    whole=1,
)

SMALL = Config(
    adapter="full",
    vocabulary=1_500,
    language_width=192,
    language_layers=4,
    language_heads=4,
    language_inner=512,
    max_codes=96,
    positions=256,
)
PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL, vocabulary=600, language_width=96, language_layers=2, language_inner=192
    ),
    "small": SMALL,
    "paper": Config(language="meta-llama/Llama-3.2-3B-Instruct"),
}
"""tiny ≤ 1 M parameters with a tiny tokenizer (tests, claims), small for two cores, paper as published."""


class Example(NamedTuple):
    """One training item: the signing as motion float32 (frames, inputs) or, where it comes so, as codes
    (moments, depth), the other empty; ids before and behind it; and ``said``: the prompt's last token, the
    answer, its end."""

    motion: NDArray[np.float32]
    codes: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    said: NDArray[np.int64]


class Batch(NamedTuple):
    """motion (B, T, inputs), mask (B, T); codes (B, L, depth); before, after, said (B, ·) ids; −100 = none."""

    motion: Tensor
    mask: Tensor
    codes: Tensor
    before: Tensor
    after: Tensor
    said: Tensor


def begin(config: Config, texts: Sequence[str], seed: int) -> Lslm:
    """A fresh model around a trained tokenizer and a pretrained language model, or a random Llama.

    Raises UsageError where the config names no tokenizer, or one that has no codes yet, MediaError where one
    cannot be read.
    """
    if not config.tokens:
        raise UsageError(
            "lslm needs a trained tokenizer of motion under 'tokens', the checkpoint that a recipe of method "
            "motion-vq writes (RUN/best); train one first"
        )
    tokens = load(config.tokens)
    if not isinstance(tokens, MotionTokens):
        raise UsageError(
            f"lslm: {config.tokens} is no tokenizer of motion; give a checkpoint of method motion-vq"
        )
    if tokens.config.layout != config.layout:
        raise UsageError(
            f"lslm: {config.tokens} reads layout '{tokens.config.layout}', not '{config.layout}'; set layout to "
            "its tokenizer's"
        )
    motion_tokens.refuse_early(tokens, config.tokens)
    if config.language:
        found = load_causal(config.language, config.revision or None)
        return build(config, tokens, found.model, found.codec, found.base, seed)
    told = [phrase for family in PHRASINGS.values() for phrase in family.kept]
    codec = own_codec(train_bpe([*texts, *told], config.vocabulary))
    return build(config, tokens, small_llama(config, codec, seed), codec, None, seed)


def restore(checkpoint: Checkpoint) -> Lslm:
    """The model of a checkpoint: adapters on their base, which must be there, or the whole model.

    Raises MediaError where a tensor is missing, the base is gone or another one, or where the codes are
    not those that the language model has learnt to read.
    """
    config = Config.of(checkpoint.config.get("config", {}))
    said = checkpoint.config.get("language") or {}
    tokens = motion_tokens.build(motion_tokens.Config.of(checkpoint.config["tokens"]["config"]))
    if config.adapter != "full":
        found = again(Base.from_json(said.get("base") or {}), load_causal)
        model = build(config, tokens, found.model, found.codec, found.base)
    else:
        codec = ChatCodec(checkpoint.tokenizer(), **said["chat"])
        base = Base.from_json(said["base"]) if said.get("base") else None
        model = build(config, tokens, build_causal(said["config"]), codec, base)
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    expected, got = checkpoint.config["tokens"]["codebook"], model.tokens.vq.fingerprint()
    if expected != got:
        raise MediaError(
            f"{checkpoint.folder} has a tokenizer with the fingerprint {got[:12]}…, and its language model "
            f"learnt to read codes of {expected[:12]}…: it would read nonsense; copy the whole folder again"
        )
    model.codebook = got
    return model


def small_llama(config: Config, codec: ChatCodec, seed: int) -> PreTrainedModel:
    """The language model that is built where none is named, with random weights."""
    return build_llama(
        vocabulary=len(codec),
        width=config.language_width,
        layers=config.language_layers,
        heads=config.language_heads,
        inner=config.language_inner,
        positions=config.positions,
        dropout=config.language_dropout,
        start=cast(int, codec.start),
        end=codec.end,
        seed=seed,
    )


def score_dev(model: Lslm, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """Translation scores on samples without an instruction; on the others, how many answers have the form
    asked for; of all the loss a token, and the same when each is shown the next one's signing."""
    samples = [dev[i] for i in range(min(len(dev), limit))]
    plain = [sample for sample in samples if not sample.instruction]
    asked = [sample for sample in samples if sample.instruction]
    scores = translation_scores(model, plain, len(plain), beam) if plain else {}
    if asked:
        said = model.translate(
            [s.clip for s in asked], beam, [sample.instruction for sample in asked]
        )
        right = [
            follows(family_of(sample.instruction), answer.text, content_words)
            for sample, answer in zip(asked, said, strict=True)
        ]
        scores["follows"] = round(100 * sum(right) / len(right), 4)
    return scores | heard(model, samples, ("motion", "codes"))


def build(
    config: Config,
    tokens: MotionTokens,
    language: PreTrainedModel,
    codec: ChatCodec,
    base: Base | None,
    seed: int = 0,
) -> Lslm:
    """The model around a tokenizer and a language model (``base``: where that came from; None = random).

    Its own weights are drawn from ``seed``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Lslm(config, tokens, language, codec, base, seed)


class Projected(nn.Module):
    """φ: codes' vectors, or latents, into the embedding space, between two learnt markers."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.Linear(width, width))
        self.markers = nn.Parameter(0.02 * torch.randn(2, width))

    def forward(
        self, ids: Int[Tensor, "moments depth"], vectors: Float[Tensor, "moments inputs"]
    ) -> Float[Tensor, "moments+2 width"]:
        return torch.cat([self.markers[:1], self.layers(vectors), self.markers[1:]])


class Vocabulary(nn.Module):
    """A word for each code and two for the ends of the signing, embedded as words are (MotionGPT).

    Of several codes for a moment the embeddings are added. Answers never hold them, so the output
    has no rows for them [D].
    """

    def __init__(self, codes: int, width: int):
        super().__init__()
        self.words = nn.Embedding(codes, width)
        nn.init.normal_(self.words.weight, std=0.02)
        self.markers = nn.Parameter(0.02 * torch.randn(2, width))

    def forward(
        self, ids: Int[Tensor, "moments depth"], vectors: Float[Tensor, "moments inputs"]
    ) -> Float[Tensor, "moments+2 width"]:
        return torch.cat([self.markers[:1], self.words(ids).sum(1), self.markers[1:]])


class Lslm(nn.Module):
    """Joints → codes → embeddings among those of a prompt → causal LM → text. A `Translator` that can be told."""

    takes_instructions = True

    def __init__(
        self,
        config: Config,
        tokens: MotionTokens,
        language: PreTrainedModel,
        codec: ChatCodec,
        base: Base | None,
        seed: int = 0,
    ):
        """seed: of the adapters alone."""
        super().__init__()
        self.config, self.base, self.codec = config, base, codec
        self.tokenizer = codec.tokenizer
        self.name = NAME
        self.simulated_only = False
        self.tokens = tokens.requires_grad_(False)
        # Asked for here: a process that prepares batches cannot ask weights on a GPU.
        self.codebook = tokens.vq.fingerprint()
        self._told: Kept[tuple[Tensor, Tensor]] = Kept(KEPT)
        width = cast(int, language.get_input_embeddings().embedding_dim)
        self.motion: Projected | Vocabulary = (
            Vocabulary(tokens.vq.codebook.size, width)
            if config.reading == "vocabulary"
            else Projected(tokens.config.width, width)
        )
        self.positions = positions_of(language)
        self.preparation = Preparation(config, tokens.preparation, codec, self.positions)
        self.preparation.prompt(DEFAULT)  # it fits, or the config is refused here
        self.architecture = config_json(language.config)
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

    def train(self, mode: bool = True) -> Lslm:
        """The tokenizer stands still: its codes follow nothing any more."""
        super().train(mode)
        self.tokens.eval()
        return self

    @property
    def filled(self) -> dict[str, float]:
        """Weights of others that it began with → the fraction they filled of what they are for."""
        return {self.base.source: self.base.filled} if self.base else {}

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `restore` builds it from this."""
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "fps": self.tokens.config.fps,
            "tokens": self.tokens.described(),
            "language": {
                "base": self.base.to_json() if self.base else None,
                "config": self.architecture,
                "chat": self.codec.to_json(),
            },
        }

    @property
    def layout(self) -> Layout:
        return self.tokens.layout

    def own(self, old: Any) -> tuple[str, ...]:
        """What must not be taken from ``old`` by shape: the tokenizer and what reads it where the codes
        differ, the language model where its tokens or its base do."""
        alike = isinstance(old, Lslm)
        same_codes = alike and old.tokens.vq.fingerprint() == self.tokens.vq.fingerprint()
        same_words = (
            alike
            and old.tokenizer.get_vocab() == self.tokenizer.get_vocab()
            and (self.config.adapter == "full" or old.base == self.base)
        )
        return (
            *(() if same_codes else ("tokens.", "motion.")),
            *(() if same_words else ("language.",)),
        )

    def word(self, clip: PoseClip, rng: np.random.Generator | None = None) -> PoseClip:
        """A word clip as it must be before it is stitched: as it is."""
        return self.tokens.word(clip, rng)

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip is read, from its start."""
        return self.config.max_codes * STRIDE / self.tokens.config.fps

    def seen(
        self,
        motion: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
        codes: Int[Tensor, "batch moments depth"],
    ) -> tuple[Float[Tensor, "batch length width"], Bool[Tensor, "batch length"]]:
        """The signing as embeddings between its markers; each clip is tokenized alone, so that padding
        changes no code, and in full precision, as it was trained."""
        vq, depth = self.tokens.vq, self.tokens.config.depth
        rows = []
        for clip, there, known in zip(motion, mask, codes, strict=True):
            moving, ready = clip[: int(there.sum())], known[(known != IGNORED).all(1)]
            tell = partial(self._tell, moving)
            if len(ready):
                told = ready.reshape(-1), ready.new_zeros(0)
            elif self.training and not self.tokens.config.noise:
                told = self._told.of(content(moving.cpu().numpy()), tell)
            else:
                told = tell()
            ids, latents = (part.to(motion.device) for part in told)
            with torch.no_grad(), torch.autocast(motion.device.type, enabled=False):
                vectors = vq.vectors(ids[None])[0] if self.config.reading != "latents" else latents
            rows.append(self.motion(ids.reshape(-1, depth), vectors))
        padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows], device=padded.device)
        return padded, torch.arange(padded.shape[1], device=padded.device) < lengths[:, None]

    @torch.no_grad()
    def _tell(self, motion: Float[Tensor, "time inputs"]) -> tuple[Tensor, Tensor]:
        """A clip's ids, and where it is read before it is rounded its latents, which else are not kept."""
        with torch.autocast(motion.device.type, enabled=False):
            latents = self.tokens.vq.latents(motion[None])
            ids = self.tokens.vq.codebook.nearest(latents)[0].cpu()
        rounded = self.config.reading != "latents"
        return ids, latents.new_zeros(0).cpu() if rounded else latents[0].cpu()

    def prefix(
        self,
        motion: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "batch time"],
        codes: Int[Tensor, "batch moments depth"],
        before: Int[Tensor, "batch before"],
        after: Int[Tensor, "batch after"],
    ) -> tuple[Float[Tensor, "batch length width"], Bool[Tensor, "batch length"]]:
        """prompt ⊕ ⟨signing⟩ ⊕ prompt but its last token, packed so that padding changes nothing."""
        embed = self.language.get_input_embeddings()
        signing, there = self.seen(motion, mask, codes)
        parts = [embed(before.clamp(min=0)), signing, embed(after.clamp(min=0))]
        masks = [before != IGNORED, there, after != IGNORED]
        return pack(torch.cat(parts, 1), torch.cat(masks, 1))

    def forward(self, batch: Batch) -> Float[Tensor, "batch length vocabulary"]:
        """Logits of each token of the answers."""
        prefix, there = self.prefix(*batch[:-1])
        inputs = batch.said[:, :-1].clamp(min=0)
        return Prefixed(self.language)(prefix, there, inputs)

    def loss(self, batch: Batch) -> Loss:
        """Cross-entropy over the answers' tokens, ends included."""
        logits, wanted = self(batch).float(), batch.said[:, 1:]
        total = nn.functional.cross_entropy(
            logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        return Loss(total, (wanted != IGNORED).sum())

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train, self.codebook)

    def collate(self, examples: list[Example]) -> Batch:
        motion, mask = pad_frames([example.motion for example in examples])
        codes = pad_moments([example.codes for example in examples])
        others = zip(*(example[2:] for example in examples), strict=True)
        return Batch(motion, mask, codes, *(pad_ids(ids) for ids in others))

    @torch.inference_mode()
    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        instructions: Sequence[str] | None = None,
    ) -> list[Translation]:
        """The best answer for each clip, with the other hypotheses of the beam.

        instructions: what to do with each clip; None translates. Raises UsageError where a clip's layout
        does not convert to joints in space, or where an instruction is longer than the context.
        """
        if not clips:
            return []
        asked = [DEFAULT] * len(clips) if instructions is None else list(instructions)
        device, training = next(self.parameters()).device, self.training
        self.eval()
        try:
            signing = []
            for clip in clips:
                with naming(f"clip '{clip.id}'"):
                    signing.append(self.preparation.signing(clip, self.codebook))
            motion, mask = pad_frames([moving for moving, _ in signing])
            before, after = zip(*(self.preparation.prompt(each) for each in asked), strict=True)
            prefix, there = self.prefix(
                motion.to(device),
                mask.to(device),
                pad_moments([codes for _, codes in signing]).to(device),
                pad_ids(before).to(device),
                pad_ids([ids[:-1] for ids in after]).to(device),
            )
            width = self.config.beam if beam is None else beam
            found = beam_search(
                Prefixed(self.language).stepper(prefix, there, width),
                torch.tensor([ids[-1:] for ids in after], device=device),
                end=self.codec.end,
                width=width,
                max_length=self.config.max_tokens + 1,
                length_penalty=self.config.length_penalty,
                no_repeat=self.config.no_repeat,
                patient=True,
            )
        finally:
            self.train(training)
        told = [[(self.codec.decode(h.tokens), h.score) for h in each] for each in found]
        return [Translation(each[0][0], each[0][1], tuple(each[1:])) for each in told]


class Preparation:
    """Clip, instruction and answer to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(
        self,
        config: Config,
        tokens: motion_tokens.Preparation,
        codec: ChatCodec,
        positions: int,
    ):
        self.config, self.tokens, self.codec, self.positions = config, tokens, codec, positions
        self._known: Kept[tuple[NDArray[np.float32]]] = Kept(KEPT)

    def signing(
        self, clip: PoseClip, codebook: str, rng: np.random.Generator | None = None
    ) -> tuple[Float[np.ndarray, "frames inputs"], Int[np.ndarray, "moments depth"]]:
        """A clip's motion, or its codes where it is a clip of codes (`motion_tokens.Encoded`); the other is empty.

        codebook: the fingerprint of the model's tokenizer.
        Raises UsageError for codes of another tokenizer, and where latents are read, which codes have not.
        """
        if not is_codes(clip):
            return self.motion(clip, rng), np.zeros((0, self.tokens.config.depth), np.int64)
        if self.config.reading == "latents":
            raise UsageError(
                f"clip '{clip.id}' holds codes, and lslm with reading 'latents' reads what was there before they "
                "were codes; give the store that was encoded"
            )
        codes = codes_of(clip, codebook)[: self.config.max_codes]
        return np.zeros((0, self.tokens.config.inputs), np.float32), codes

    def motion(
        self, clip: PoseClip, rng: np.random.Generator | None = None
    ) -> Float[np.ndarray, "frames inputs"]:
        """What the tokenizer reads of the first ``max_codes`` moments; with ``rng`` as in training."""
        if rng is None or self.tokens.config.noise:
            return self._read(clip, rng)[0]
        key = content(clip.points, clip.confidence, repr((clip.fps, clip.layout.name)))
        return self._known.of(key, lambda: self._read(clip, None))[0]

    def _read(
        self, clip: PoseClip, rng: np.random.Generator | None
    ) -> tuple[Float[np.ndarray, "frames inputs"]]:
        longest = (self.config.max_codes * STRIDE + 1) / self.tokens.config.fps
        clip = clip.cut(Span(0.0, min(clip.duration, longest)))
        return (self.tokens.numbers(clip, rng)[: self.config.max_codes * STRIDE],)

    def prompt(self, instruction: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The ids before and behind the signing.

        Raises UsageError where they, the longest signing and the longest answer do not fit.
        """
        if self.config.small_letter:
            instruction = instruction[:1].lower() + instruction[1:]
        before, after = self.codec.prompt(instruction)
        signing = self.config.max_codes + 2
        total = len(before) + signing + len(after) + self.config.max_tokens
        if total > self.positions:
            told = " ".join(instruction.split())
            raise UsageError(
                f"the instruction '{told[:40]}{'…' * (len(told) > 40)}' is {len(before) + len(after)} tokens "
                f"long, and with {signing} of signing and {self.config.max_tokens} of an answer that is "
                f"more than the {self.positions} of the context; say it in fewer words, or train with a "
                "lower max_codes or max_tokens"
            )
        return before, after

    def example(
        self, sample: Sample, rng: np.random.Generator, train: bool, codebook: str
    ) -> Example:
        """A sample without an instruction is to be translated."""
        before, after = self.prompt(sample.instruction or DEFAULT)
        answer = self.codec.encode(sample.text.strip())[: self.config.max_tokens - 1]
        with naming(f"sample '{sample.id}'"):
            signing = self.signing(sample.clip, codebook, rng if train else None)
        return Example(
            *signing,
            np.array(before, np.int64),
            np.array(after[:-1], np.int64),
            np.array([after[-1], *answer, self.codec.end], np.int64),
        )


def pad_moments(
    codes: Sequence[Int[np.ndarray, "_ depth"]],
) -> Int[Tensor, "batch moments depth"]:
    """Rows of unlike lengths, filled up with `IGNORED`."""
    longest = max(len(each) for each in codes)
    rows = torch.full((len(codes), longest, codes[0].shape[1]), IGNORED)
    for row, each in zip(rows, codes, strict=True):
        row[: len(each)] = torch.from_numpy(each)
    return rows
