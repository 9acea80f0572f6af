"""Isolated sign recognition: the first stage of "Lost in Translation, Found in Embeddings"
(arXiv 2512.08040, §3.3, A.3, A.4; spec §3, ISLR).

The idea. A backbone that is to serve translation first learns to name single signs. Each
articulator must be able to name the sign alone, and the clip's vector should lie near the
embedding that the language model has for the word.

The paper's parts, and their names here:

    f_a, f_pose    articulators' frames, the clip's vector               `encoders.pose_backbone`
    y_p            Linear(f_pose), one logit a gloss                     `Isolated.head`
    L_aux          mean over articulators of CE(head(Conformer_aux(f_a)))  `Isolated.auxiliary_loss`
    L_con          MLP(f_pose) against MLP(embedding of the gloss)       `contrastive_loss`
    masking        up to two of four articulators                        `masked_articulators`
    L_pose         CE + L_aux + L_con                                    `Isolated.loss`

docs/methods/isolated.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds
from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.encoders.pose_backbone import HANDS, PoseBackbone, PoseFeatures
from signloom.encoders.streams import WRIST, Stream, streams_of
from signloom.errors import UsageError
from signloom.inference.recognize import (
    Calibration,
    Candidate,
    Recognition,
    calibrated,
    probabilities,
)
from signloom.methods.settings import settings_from
from signloom.metrics.recognition import classification_rates
from signloom.pose.augment import at_times, dropped, even_times, mirrored, warped_times
from signloom.pose.convert import convert
from signloom.pose.normalize import shoulder
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

NAME = "isolated"
METRICS = ("top-1", "top-5", "top-1-class", "top-5-class")
Normalizer = Literal["shoulder", "hands"]
Aggregation = Literal["project", "mean"]
MIDDLE_MCP = 9
FARTHEST = 8.0
"""Normalised coordinates beyond this are cut to it: a tracker's slip must not rule a clip."""


@dataclass(frozen=True)
class Config:
    """Every setting of the method; defaults are the paper's. [D] marks what is ours."""

    # The clip
    layout: str = "mp203"
    coordinates: int = 3
    """2 = (x, y), 3 = (x, y, z)."""
    normalizer: Normalizer = "shoulder"
    """shoulder: in shoulder widths from the neck (the paper's). hands: in palms from the middle of
    the picture, for layouts without a body [D]."""
    frames: int = 24
    """Frames that every clip is brought to, evenly, from the first that shows a hand to the last."""
    streams: tuple[Stream, ...] = ("position",)
    """What the backbone reads of a keypoint, see `streams_of`; position alone is the paper's."""
    presence: bool = False
    """A keypoint's last number says whether it was seen [D]."""

    # Training clips, all [D]
    turn: float = 0.0
    """σ of a turn in the picture plane, degrees."""
    stretch: float = 0.0
    """σ of ln of a stretch of x, and of one of y."""
    shift: float = 0.0
    """σ of a shift, in units of the normaliser."""
    noise: float = 0.0
    """σ of each keypoint's noise, in units of the normaliser."""
    finger: float = 0.0
    """σ of ln of a hand's own size, and of the turn (radians) of its fingers about the wrist."""
    mirror: float = 0.0
    """How often left and right change places."""
    ends: float = 0.0
    """σ of the clip's ends, as a share of it."""
    bend: float = 0.0
    """σ of how early or late its middle comes."""
    drop: float = 0.0
    """Share of frames that are lost and show the one before."""
    masked: int = 2
    """Up to so many articulators are hidden, evenly 0, 1, … (the paper: at most two of four)."""
    mask_share: float = 1.0
    """How often a clip is a candidate for that."""
    mixup: float = 0.0
    """α of the Beta that two clips of a batch are mixed by; 0 = not mixed."""

    # The backbone
    channels: int = 64
    multipliers: tuple[int, ...] = (1, 2, 4, 4)
    aggregation: Aggregation = "project"
    factored: bool = False
    adaptive: bool = True
    width: int = 512
    layers: int = 4
    heads: int = 8
    head_width: int = 64
    dropout: float = 0.1
    head_dropout: float = 0.0
    """Dropout before the head [D]."""
    cosine: float = 0.0
    """The head gives this many times the cosine of features and a gloss's weights [D]; 0 = a linear
    head (the paper's)."""

    # The losses
    label_smoothing: float = 0.0
    auxiliary: float = 1.0
    """Weight of L_aux; 0 = without it."""
    auxiliary_layers: int = 4
    contrastive: float = 1.0
    """Weight of L_con, where the glosses have text embeddings."""
    text_model: str = ""
    """Folder or hub id of a T5 whose embedding table gives the glosses' embeddings; "" = no L_con."""
    shared_width: int = 256
    temperature: float = 0.1
    """τ of L_con."""

    # Recognising
    mirrored_too: bool = False
    """A clip is also read mirrored, and both logits are averaged [D]."""

    def __post_init__(self) -> None:
        body = len(layout_named(self.layout).part("body"))
        if self.normalizer == "shoulder" and not body:
            raise UsageError(
                f"isolated: normalizer 'shoulder' needs shoulders, which layout '{self.layout}' has "
                "not; use 'hands'"
            )
        if not self.streams:
            raise UsageError(
                f"isolated: streams is empty; name at least one of {', '.join(get_args(Stream))}"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML).

        Raises UsageError naming an unknown field, or a value that the field cannot have.
        """
        return settings_from(cls, NAME, values, _fitting)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


CHOICES: dict[str, tuple[str, ...]] = {
    "normalizer": get_args(Normalizer),
    "aggregation": get_args(Aggregation),
}
COUNTED = ("frames", "channels", "width", "layers", "heads", "head_width", "shared_width")
"""Settings of which there is at least one."""


def _fitting(name: str, value: Any, default: Any) -> Any:
    """The value as the field wants it. Raises UsageError."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits, expected = True, ""
    if name in CHOICES:
        fits, expected = value in CHOICES[name], f"one of {', '.join(CHOICES[name])}"
    elif name == "streams":
        known = get_args(Stream)
        fits = isinstance(value, list | tuple) and all(each in known for each in value)
        expected = f"a list of {', '.join(known)}"
        value = tuple(value) if fits else value
    elif name == "multipliers":
        fits = isinstance(value, list | tuple) and bool(value)
        fits = fits and all(type(each) is int and each > 0 for each in value)
        expected = "a list of whole numbers from 1"
        value = tuple(value) if fits else value
    elif name == "coordinates":
        fits, expected = value in (2, 3), "2 or 3"
    elif name in COUNTED:
        fits, expected = type(value) is int and value > 0, "a whole number from 1"
    elif isinstance(default, float):
        fits, expected = number and value >= 0, "a number from 0"
        value = float(value) if fits else value
    elif type(default) is int:
        fits, expected = type(value) is int and value >= 0, "a whole number from 0"
    else:
        fits, expected = type(value) is type(default), type(default).__name__
    if not fits:
        raise UsageError(f"isolated: {name} is {value!r}, expected {expected}")
    return value


SMALL = Config(
    layout="hands42",
    coordinates=2,
    normalizer="hands",
    frames=32,
    streams=("position", "place", "local", "velocity"),
    presence=True,
    turn=7.0,
    stretch=0.12,
    shift=0.5,
    noise=0.02,
    finger=0.1,
    mirror=0.2,
    ends=0.1,
    bend=0.2,
    drop=0.1,
    masked=1,
    mask_share=0.3,
    channels=32,
    multipliers=(1, 1, 2, 2),
    factored=True,
    width=192,
    layers=3,
    heads=4,
    head_width=48,
    dropout=0.0,
    head_dropout=0.4,
    cosine=16.0,
    label_smoothing=0.1,
    auxiliary_layers=1,
)

PRESETS: dict[str, Config] = {
    "tiny": replace(
        SMALL,
        frames=16,
        channels=8,
        multipliers=(1, 2),
        width=64,
        layers=2,
        head_width=16,
        head_dropout=0.0,
        label_smoothing=0.0,
        turn=0.0,
        stretch=0.0,
        shift=0.0,
        finger=0.0,
        mirror=0.0,
        ends=0.0,
        bend=0.0,
        drop=0.0,
        masked=0,
    ),
    "small": SMALL,
    "paper": Config(),
}
"""tiny ≤ 0.5 M parameters (tests), small (two CPU cores; hands of WLASL), paper as spec §3 has it."""


class Example(NamedTuple):
    """One training item: points float32 (frames, keypoints, coordinates + 1), the last one 1 where
    the keypoint was seen; label: the gloss's place in the vocabulary, −1 where it is not there."""

    points: NDArray[np.float32]
    label: int


class Batch(NamedTuple):
    """points (B, T, V, coordinates + 1), labels (B)."""

    points: Tensor
    labels: Tensor


def begin(config: Config, texts: Sequence[str], seed: int) -> Isolated:
    """A fresh model whose vocabulary is the glosses in ``texts``, in alphabetical order."""
    glosses = sorted({text.strip() for text in texts if text.strip()})
    embeddings = text_embeddings(config.text_model, glosses) if config.text_model else None
    return build(config, glosses, seed, embeddings)


def restore(checkpoint: Checkpoint) -> Isolated:
    """The model of a checkpoint, weights loaded whole. Raises MediaError where they are not."""
    config = Config.of(checkpoint.config.get("config", {}))
    tensors = checkpoint.tensors()
    embeddings = tensors.get("texts")
    model = build(config, checkpoint.config.get("glosses", []), embeddings=embeddings)
    load_tensors(model, tensors, str(checkpoint.folder))
    kept = checkpoint.config.get("calibration")
    model.calibration = Calibration.from_json(kept) if kept else None
    return model


def score_dev(model: Isolated, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """Top-1 and top-5 per instance and per class (%) on the first ``limit`` samples.

    The model is calibrated on the same samples (`inference.recognize.calibrated`).
    """
    samples = [dev[i] for i in range(min(len(dev), limit))]
    logits = model.logits([sample.clip for sample in samples])
    labels = np.array([model.preparation.label(sample) for sample in samples])
    model.calibration = calibrated(logits, labels)
    order = np.argsort(-logits, axis=1, kind="stable")[:, :5]
    ranked = [[model.glosses[i] for i in row] for row in order]
    return classification_rates(ranked, [gloss_of(sample) for sample in samples])


def gloss_of(sample: Sample) -> str:
    """What the sample is to be recognised as: its text, or its one gloss where it has no text."""
    if sample.text.strip() or len(sample.glosses) != 1:
        return sample.text.strip()
    return sample.glosses[0].gloss.strip()


def text_embeddings(text_model: str, glosses: Sequence[str]) -> Float[Tensor, "glosses width"]:
    """Each gloss's embedding: the mean of its tokens' rows in the T5's embedding table [S, §3.3]."""
    from signloom.language.t5 import load_t5

    loaded = load_t5(text_model)
    table = loaded.model.get_input_embeddings().weight.detach()
    rows = [table[loaded.codec.encode(gloss.replace("_", " ").lower())] for gloss in glosses]
    return torch.stack([row.mean(0) for row in rows])


def build(
    config: Config,
    glosses: Sequence[str],
    seed: int = 0,
    embeddings: Float[Tensor, "glosses width"] | None = None,
) -> Isolated:
    """The model with weights drawn from ``seed``.

    embeddings: of each gloss, for L_con; None leaves that loss out.
    Raises UsageError without glosses, or where the embeddings are of another number.
    """
    if not glosses:
        raise UsageError("isolated: there is no gloss to recognise; expected at least one")
    if embeddings is not None and len(embeddings) != len(glosses):
        raise UsageError(
            f"isolated: there are {len(embeddings)} text embeddings for {len(glosses)} glosses; "
            "give one for each, in the order of the glosses"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Isolated(config, glosses, embeddings)


class Isolated(nn.Module):
    """Keypoints → pose backbone → one logit a gloss. A `Recognizer`."""

    def __init__(self, config: Config, glosses: Sequence[str], embeddings: Tensor | None = None):
        super().__init__()
        self.config = config
        self.glosses = tuple(glosses)
        self.preparation = Preparation(config, self.glosses)
        self.name = NAME
        self.simulated_only = False
        self.tokenizer = None
        self.word = None
        self.calibration: Calibration | None = None
        self.backbone = PoseBackbone(
            self.layout,
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
        self.dropout = nn.Dropout(config.head_dropout)
        self.head: nn.Module = (
            CosineHead(config.width, len(self.glosses), config.cosine)
            if config.cosine
            else nn.Linear(config.width, len(self.glosses))
        )
        self.auxiliary = (
            Conformer(
                self.backbone.channels,
                config.width,
                config.auxiliary_layers,
                config.heads,
                config.head_width,
                dropout=config.dropout,
            )
            if config.auxiliary
            else None
        )
        if embeddings is not None and config.contrastive:
            self.register_buffer("texts", embeddings.detach().clone().float())
            self.from_sign = _projector(config.width, config.shared_width)
            self.from_text = _projector(embeddings.shape[1], config.shared_width)
        else:
            self.texts = None

    @property
    def layout(self) -> Layout:
        return layout_named(self.config.layout)

    def own(self, old: Any) -> tuple[str, ...]:
        """The head and the glosses' embeddings, unless ``old`` has the same glosses."""
        return () if getattr(old, "glosses", None) == self.glosses else ("head.", "texts")

    def take_over(self, old: Any) -> tuple[str, ...]:
        """Begins each gloss that a recogniser of real signing knows too with what its head has of it.

        A simulated sign has nothing of the real one but its name. Names the head's tensors where
        every gloss was known.
        """
        if not isinstance(old, Isolated) or old.simulated_only:
            return ()
        mine, theirs = self.head.state_dict(), old.head.state_dict()
        if any(
            name not in theirs or theirs[name].shape[1:] != tensor.shape[1:]
            for name, tensor in mine.items()
        ):
            return ()
        place = {gloss: i for i, gloss in enumerate(old.glosses)}
        rows = [i for i, gloss in enumerate(self.glosses) if gloss in place]
        with torch.no_grad():
            for name, tensor in mine.items():
                tensor[rows] = theirs[name][[place[self.glosses[i]] for i in rows]]
        return tuple(f"head.{name}" for name in mine) if len(rows) == len(self.glosses) else ()

    def seconds_read(self, clip: PoseClip) -> Seconds:
        """How much of a clip `recognize` takes in: all of it."""
        return clip.duration

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `methods.load` builds it from this."""
        kept = {"calibration": self.calibration.to_json()} if self.calibration else {}
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": self.config.normalizer,
            "glosses": list(self.glosses),
            **kept,
        }

    def features(self, points: Float[Tensor, "batch time keypoints inputs"]) -> PoseFeatures:
        """What the backbone makes of prepared points; every frame is a real one."""
        mask = points.new_ones(points.shape[:2], dtype=torch.bool)
        config = self.config
        read = streams_of(points, self.layout, config.streams, config.normalizer, config.presence)
        return self.backbone(read, mask)

    def forward(
        self, points: Float[Tensor, "batch time keypoints inputs"]
    ) -> Float[Tensor, "batch glosses"]:
        """One logit a gloss."""
        return self.told(self.features(points).pooled)

    def told(self, pooled: Float[Tensor, "batch width"]) -> Float[Tensor, "batch glosses"]:
        """head(·); before a cosine head the features have length 1 when dropout meets them."""
        if self.config.cosine:
            pooled = nn.functional.normalize(pooled, dim=1)
        return self.head(self.dropout(pooled))

    def loss(self, batch: Batch) -> Loss:
        """L_pose = CE + L_aux + L_con, summed over the clips, and how many those are."""
        points, labels = batch.points, batch.labels
        if self.training and self.config.masked:
            points = masked_articulators(
                points, self.layout, self.config.masked, self.config.mask_share
            )
        share, other = 1.0, torch.arange(len(labels), device=labels.device)
        if self.training and self.config.mixup:
            beta = torch.distributions.Beta(self.config.mixup, self.config.mixup)
            share = float(beta.sample())
            other = torch.randperm(len(labels)).to(labels.device)
            points = share * points + (1 - share) * points[other]
        found = self.features(points)

        def cross_entropy(logits: Tensor) -> Tensor:
            sums = [
                nn.functional.cross_entropy(
                    logits.float(),
                    told,
                    reduction="sum",
                    label_smoothing=self.config.label_smoothing,
                )
                for told in (labels, labels[other])
            ]
            return share * sums[0] + (1 - share) * sums[1]

        total = cross_entropy(self.told(found.pooled))
        if self.auxiliary is not None:
            each = [cross_entropy(logits) for logits in self.auxiliary_logits(found.articulators)]
            total = total + self.config.auxiliary * torch.stack(each).mean()
        if self.texts is not None:
            near = contrastive_loss(
                self.from_sign(found.pooled),
                self.from_text(self.texts[labels]),
                labels,
                self.config.temperature,
            )
            total = total + self.config.contrastive * len(labels) * near
        return Loss(total, len(labels))

    def auxiliary_logits(
        self, articulators: Mapping[str, Float[Tensor, "batch time channels"]]
    ) -> list[Float[Tensor, "batch glosses"]]:
        """head(Conformer_aux(f_a)) of each articulator, all through the Conformer at once."""
        assert self.auxiliary is not None
        joined = torch.cat([*articulators.values()])  # (A·B, T, C)
        mask = joined.new_ones(joined.shape[:2], dtype=torch.bool)
        sequence, attention = self.auxiliary(joined, mask)
        pooled = attentive_pool(sequence, attention, mask)
        return list(self.told(pooled).chunk(len(articulators)))

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        return self.preparation.example(sample, rng, train)

    def collate(self, examples: list[Example]) -> Batch:
        return self.preparation.collate(examples)

    @torch.inference_mode()
    def logits(self, clips: Sequence[PoseClip], batch: int = 64) -> NDArray[np.float64]:
        """(clips, glosses). Raises UsageError where a clip's layout does not convert to the model's."""
        device, training = next(self.parameters()).device, self.training
        ways = (False, True) if self.config.mirrored_too else (False,)
        found = [np.zeros((0, len(self.glosses)))]
        self.eval()
        try:
            for first in range(0, len(clips), batch):
                part = clips[first : first + batch]
                both = [
                    self(torch.from_numpy(np.stack(
                        [self.preparation.points(clip, swapped=way) for clip in part]
                    )).to(device)).double().cpu().numpy()
                    for way in ways
                ]  # fmt: skip
                found.append(np.mean(both, axis=0))
        finally:
            self.train(training)
        return np.concatenate(found)

    def recognize(self, clips: Sequence[PoseClip], top: int = 5) -> list[Recognition]:
        """The likeliest glosses of each clip, and whether it is one of them at all.

        Raises UsageError where a clip's layout does not convert to the model's.
        """
        logits = self.logits(clips)
        told = probabilities(logits, self.calibration)
        found = []
        for row, chances in zip(logits, told, strict=True):
            best = np.argsort(-chances, kind="stable")[:top]
            known = self.calibration is None or self.calibration.knows(row)
            candidates = tuple(Candidate(self.glosses[i], float(chances[i])) for i in best)
            found.append(Recognition(candidates, known))
        return found


class CosineHead(nn.Module):
    """scale · ⟨x, w/|w|⟩ for each gloss: no gloss is likelier for being common (ours)."""

    def __init__(self, width: int, glosses: int, scale: float):
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.randn(glosses, width) * width**-0.5)

    def forward(self, x: Float[Tensor, "batch width"]) -> Float[Tensor, "batch glosses"]:
        return self.scale * nn.functional.linear(x, nn.functional.normalize(self.weight, dim=1))


def _projector(inputs: int, outputs: int) -> nn.Sequential:
    """Two layers with a ReLU between them [S, A.3]."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Linear(outputs, outputs))


def contrastive_loss(
    signs: Float[Tensor, "batch width"],
    texts: Float[Tensor, "batch width"],
    labels: Int[Tensor, " batch"],
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    """Signs against texts and texts against signs, the mean of both (spec §3, L_con).

    With s_ij = cos(v_i, t_j)/τ and w_j = 1 / how often y_j is in the batch:

        L = −(Σ_i w_i)⁻¹ Σ_i w_i log( e^{s_ii} / Σ_j w_j e^{s_ij} )

    so that a gloss that is in the batch n times counts once, above and below.
    """
    signs = nn.functional.normalize(signs.float(), dim=1)
    texts = nn.functional.normalize(texts.float(), dim=1)
    scores = signs @ texts.T / temperature
    weights = 1 / (labels[:, None] == labels[None]).sum(1).to(scores.dtype)
    right = scores.diagonal()
    there = (scores + weights.log()[None]).logsumexp(1)
    back = (scores + weights.log()[:, None]).logsumexp(0)
    apart = (there + back) / 2 - right
    return (weights * apart).sum() / weights.sum()


def masked_articulators(
    points: Float[Tensor, "batch time keypoints inputs"],
    layout: Layout,
    most: int,
    share: float = 1.0,
) -> Float[Tensor, "batch time keypoints inputs"]:
    """Each clip without 0, 1, … or ``most`` of its articulators, never without all that are seen.

    How many is drawn evenly, for a ``share`` of the clips; which, among the articulators that
    the clip has seen at all. What is hidden is 0, presence too. Draws from torch's generator.
    """
    parts = [torch.as_tensor(part, device=points.device) for part in layout.parts.values()]
    seen = torch.stack([points[:, :, part, -1].flatten(1).any(1) for part in parts], 1)  # (B, A)
    batch = len(points)
    chosen = torch.rand(batch).to(points.device) < share
    count = torch.randint(0, most + 1, (batch,)).to(points.device) * chosen
    count = torch.minimum(count, seen.sum(1) - 1).clamp(min=0)
    draw = torch.rand(batch, len(parts)).to(points.device).masked_fill(~seen, 2.0)
    hidden = draw.argsort(1).argsort(1) < count[:, None]
    keep = points.new_ones(batch, points.shape[2])
    for a, part in enumerate(parts):
        keep[:, part] = (~hidden[:, a : a + 1]).to(points.dtype)
    return points * keep[:, None, :, None]


class Preparation:
    """Clip and gloss to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(self, config: Config, glosses: Sequence[str]):
        self.config = config
        self.layout = layout_named(config.layout)
        self.places = {gloss: i for i, gloss in enumerate(glosses)}

    def label(self, sample: Sample) -> int:
        """The gloss's place in the vocabulary, −1 where it is not there."""
        return self.places.get(gloss_of(sample), -1)

    def points(
        self, clip: PoseClip, rng: np.random.Generator | None = None, swapped: bool = False
    ) -> NDArray[np.float32]:
        """(frames, keypoints, coordinates + 1) of a clip, the last one 1 where a keypoint was seen.

        With ``rng`` as in training. swapped: as a mirror shows it.
        """
        config = self.config
        clip = convert(clip, self.layout)
        if swapped != bool(rng is not None and rng.random() < config.mirror):
            clip = mirrored(clip)
        clip = with_hands(clip)
        clip = shoulder(clip) if config.normalizer == "shoulder" else palms(clip)
        times = even_times(len(clip), config.frames)
        if rng is not None:
            times = warped_times(len(clip), config.frames, rng, config.ends, config.bend)
            times = dropped(times, rng, config.drop)
        points, seen = at_times(clip.points[..., : config.coordinates], clip.present, times)
        if rng is not None:
            points = self.varied(points, rng)
        known = np.asarray(seen.any(axis=0))[None, :, None]
        points = np.clip(points, -FARTHEST, FARTHEST) * known
        return np.concatenate([points, seen[..., None]], axis=-1).astype(np.float32)

    def varied(self, points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Points turned, stretched, moved and shaken, each hand besides about its own wrist."""
        config = self.config
        normal = rng.standard_normal
        points = points.copy()
        for side in HANDS:
            part = self.layout.part(side)
            if len(part) and config.finger:
                size, turn = np.exp(config.finger * normal()), config.finger * normal()
                wrist = points[:, part[:1], :2]
                points[:, part, :2] = (points[:, part, :2] - wrist) @ _turn(turn, size) + wrist
        turn = np.deg2rad(config.turn) * normal()
        points[..., :2] = points[..., :2] @ _turn(turn, np.exp(config.stretch * normal(2)))
        points[..., :2] += config.shift * normal(2)
        points += np.float32(config.noise) * normal(points.shape, np.float32)
        return points

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """Points and label of a sample. Raises UsageError for a gloss that is not in the vocabulary."""
        label = self.label(sample)
        if label < 0:
            raise UsageError(
                f"sample '{sample.id}' is signed '{gloss_of(sample)}', which is none of the model's "
                f"{len(self.places)} glosses; give it training data whose texts are single glosses "
                "of its vocabulary"
            )
        return Example(self.points(sample.clip, rng if train else None), label)

    def collate(self, examples: list[Example]) -> Batch:
        return Batch(
            torch.from_numpy(np.stack([example.points for example in examples])),
            torch.tensor([example.label for example in examples]),
        )


def _turn(angle: float, stretch: float | NDArray) -> NDArray[np.float32]:
    """What rows (x, y) are multiplied by to be turned by ``angle`` and stretched."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(turn * stretch, np.float32)


def with_hands(clip: PoseClip) -> PoseClip:
    """From the first frame that shows a hand to the last; the clip as it is where none does."""
    hands = np.concatenate([clip.layout.part(side) for side in HANDS])
    shown = np.flatnonzero(clip.present[:, hands].any(axis=1))
    return clip.frames(slice(shown[0], shown[-1] + 1)) if len(shown) else clip


def palms(clip: PoseClip) -> PoseClip:
    """In palms from the middle of the picture, for clips of hands alone (ours).

    x in picture widths and y in picture heights first: that is how corpora of hands come, whose
    pixels nobody knows any more. A palm is the median of wrist to middle knuckle, both hands.
    """
    width, height = clip.size
    points = clip.points / np.array([width, height, width], np.float32)
    sizes = []
    for side in HANDS:
        part = clip.layout.part(side)
        both = clip.present[:, part[WRIST]] & clip.present[:, part[MIDDLE_MCP]]
        apart = points[both, part[MIDDLE_MCP], :2] - points[both, part[WRIST], :2]
        sizes.append(np.linalg.norm(apart, axis=1))
    found = np.concatenate(sizes)
    palm = float(np.median(found)) if len(found) else 1.0
    points[..., :2] -= 0.5
    points = np.where(clip.present[..., None], points / max(palm, 1e-3), np.float32(0))
    return clip.with_points(points.astype(np.float32), size=(1, 1))
