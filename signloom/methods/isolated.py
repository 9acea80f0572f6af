"""Isolated sign recognition: the first stage of "Lost in Translation, Found in Embeddings"
(arXiv 2512.08040, §3.3, A.3, A.4; spec §3, ISLR).

The idea. A backbone that is to serve translation first learns to name single signs. Each
articulator must be able to name the sign alone, and the clip's vector should lie near the
embedding that the language model has for the word. A backbone of lips learns the same alone, and
the two answer together (`inference.fusion`).

The paper's parts, and their names here:

    f_a, f_pose    articulators' frames, the clip's vector               `encoders.pose_backbone`
    f_lip          frozen lip reader → Linear → Conformer → pooled       `encoders.lip_backbone`
    y_p, y_l       Linear(f_pose), Linear(f_lip), one logit a gloss      `Isolated.head`
    L_aux          mean over articulators of CE(head(Conformer_aux(f_a)))  `Isolated.auxiliary_loss`
    L_con          MLP(f) against MLP(embedding of the gloss)            `contrastive_loss`
    masking        up to two of four articulators                        `masked_articulators`
    L_pose, L_lip  CE + L_aux + L_con, CE + L_con                        `Isolated.loss`

docs/methods/isolated.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast, get_args

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.data.lips import Lips
from signloom.data.sample import Sample, SampleSource, gloss_of
from signloom.data.timing import Seconds
from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.encoders.frames import resampled
from signloom.encoders.lip_backbone import Frozen, LipBackbone, lip_encoder
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.encoders.processes import gathered
from signloom.encoders.recurrent import RecurrentBackbone
from signloom.encoders.sliding import sliding
from signloom.encoders.streams import streams_of
from signloom.errors import NoNumbersError, UsageError
from signloom.inference.fusion import Fused
from signloom.inference.recognize import (
    Calibration,
    Reads,
    Recognition,
    calibrated,
    chunks,
    probabilities,
    ranked,
    recognitions,
)
from signloom.inference.spotting import Spots
from signloom.methods.isolated_clips import (
    Batch,
    Example,
    Preparation,
    masked_articulators,
)
from signloom.methods.isolated_config import NAME, PRESETS, Config
from signloom.metrics.recognition import classification_rates
from signloom.pose.convert import convert
from signloom.pose.normalize import shoulder
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

__all__ = ["METRICS", "NAME", "PRESETS", "Config", "begin", "restore", "score_dev"]

METRICS = ("top-1", "top-5", "top-1-class", "top-5-class")

SPOT_FPS, SPOT_WINDOW, SPOT_STRIDE = 12.5, 8, 2
"""How continuous signing is looked at: frames a second, frames of a window, frames from one to the next."""


def begin(config: Config, texts: Sequence[str], seed: int) -> Isolated:
    """A fresh model whose vocabulary is the glosses in ``texts``, in alphabetical order."""
    glosses = sorted({text.strip() for text in texts if text.strip()})
    embeddings = text_embeddings(config.text_model, glosses) if config.text_model else None
    return build(config, glosses, seed, embeddings)


def restore(checkpoint: Checkpoint) -> Isolated | Fused:
    """The model of a checkpoint, weights loaded whole; of two where `signloom fuse` wrote it.

    Raises MediaError where weights do not fit, or a frozen lip encoder's are gone or others.
    """
    tensors, source = checkpoint.tensors(), str(checkpoint.folder)
    if "fused" not in checkpoint.config:
        return _restored(checkpoint.config, tensors, source)
    told = checkpoint.config["fused"]
    pose, lips = (
        _restored(
            told[part],
            {n.removeprefix(f"{part}."): t for n, t in tensors.items() if n.startswith(f"{part}.")},
            source,
        )
        for part in get_args(Reads)
    )
    model = Fused(pose, lips, told["share"])
    model.calibration = _calibration(checkpoint.config)
    return model


def _restored(told: Mapping[str, Any], tensors: dict[str, Tensor], source: str) -> Isolated:
    sha256 = told.get("lip_weights", {}).get("sha256", "")
    config, glosses = Config.of(told.get("config", {})), told.get("glosses", [])
    model = build(config, glosses, embeddings=tensors.get("texts"), lip_sha256=sha256)
    load_tensors(model, tensors, source)
    model.calibration = _calibration(told)
    return model


def _calibration(told: Mapping[str, Any]) -> Calibration | None:
    kept = told.get("calibration")
    return Calibration.from_json(kept) if kept else None


def score_dev(model: Isolated, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """Top-1 and top-5 per instance and per class (%) on the first ``limit`` samples.

    The model is calibrated on the same samples (`inference.recognize.calibrated`).
    """
    each, truths = [], []
    for samples in chunks(dev, limit):
        each.append(model.logits([s.clip for s in samples], [s.lips for s in samples]))
        truths += [gloss_of(sample) for sample in samples]
    logits = np.concatenate(each)
    labels = np.array([model.preparation.places.get(truth, -1) for truth in truths])
    model.calibration = calibrated(logits, labels)
    return classification_rates(ranked(logits, model.glosses), truths)


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
    lip_sha256: str = "",
) -> Isolated:
    """The model with weights drawn from ``seed``.

    embeddings: of each gloss, for L_con; None leaves that loss out. lip_sha256: what a frozen lip
    encoder's weights must have, where that is known.
    Raises UsageError without glosses, or where the embeddings are of another number; MediaError
    where the lip encoder's weights do not fit.
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
        return Isolated(config, glosses, embeddings, lip_sha256)


class Features(NamedTuple):
    """pooled: each clip's vector. articulators: each one's frames, {} where the backbone has none."""

    pooled: Float[Tensor, "batch width"]
    articulators: dict[str, Float[Tensor, "batch time channels"]]


class Isolated(nn.Module):
    """Keypoints or mouths → backbone → one logit a gloss. A `Recognizer`."""

    def __init__(
        self,
        config: Config,
        glosses: Sequence[str],
        embeddings: Tensor | None = None,
        lip_sha256: str = "",
    ):
        super().__init__()
        self.config = config
        self.glosses = tuple(glosses)
        self.preparation = Preparation(config, self.glosses)
        self.name = NAME
        self.simulated_only = False
        self.tokenizer = None
        self.word = None
        self.calibration: Calibration | None = None
        width = config.width
        if config.reads == "pose" and config.backbone == "recurrent":
            read = config.coordinates * len(config.streams) + config.presence
            self.recurrent = RecurrentBackbone(self.layout, read, config.width, config.dropout)
            width = self.recurrent.width
        elif config.reads == "pose":
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
        else:
            self.mouth = lip_encoder(config.lip_encoder, config.lip_weights, lip_sha256)
            self.lip = LipBackbone(
                cast(int, self.mouth.width),
                config.width,
                config.layers,
                config.heads,
                config.head_width,
                config.dropout,
            )
        self.dropout = nn.Dropout(config.head_dropout)
        self.head: nn.Module = (
            CosineHead(width, len(self.glosses), config.cosine)
            if config.cosine
            else nn.Linear(width, len(self.glosses))
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
            if config.auxiliary and self.reads_graph
            else None
        )
        if embeddings is not None and config.contrastive:
            self.register_buffer("texts", embeddings.detach().clone().float())
            self.from_sign = _projector(width, config.shared_width)
            self.from_text = _projector(embeddings.shape[1], config.shared_width)
        else:
            self.texts = None

    @property
    def layout(self) -> Layout:
        return layout_named(self.config.layout)

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def reads_lips(self) -> bool:
        return self.config.reads == "lips"

    @property
    def reads_graph(self) -> bool:
        return not self.reads_lips and self.config.backbone == "graph"

    @property
    def needs_lips(self) -> bool:
        return self.reads_lips

    def own(self, old: Any) -> tuple[str, ...]:
        """The head and the glosses' embeddings, unless ``old`` has the same glosses and reads the same."""
        alike = getattr(old, "glosses", None) == self.glosses and self._reads_as(old)
        return () if alike else ("head.", "texts")

    def _reads_as(self, old: Any) -> bool:
        """Whether the features of the two are of one kind."""
        return isinstance(old, Isolated) and (
            (self.reads_lips, self.reads_graph) == (old.reads_lips, old.reads_graph)
        )

    def take_over(self, old: Any) -> tuple[str, ...]:
        """Begins each gloss that a recogniser of real signing knows too with what its head has of it.

        A simulated sign has nothing of the real one but its name. Names the head's tensors where
        every gloss was known.
        """
        if not self._reads_as(old) or old.simulated_only:
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

    @property
    def filled(self) -> dict[str, float]:
        """Weights of others that it began with → the fraction they filled of what they are for."""
        if not self.reads_lips or not isinstance(self.mouth, Frozen):
            return {}
        return {self.config.lip_weights: self.mouth.filled}

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; `methods.load` builds it from this."""
        kept: dict[str, Any] = {}
        if self.calibration:
            kept["calibration"] = self.calibration.to_json()
        if self.reads_lips and isinstance(self.mouth, Frozen):
            kept["lip_weights"] = {"sha256": self.mouth.sha256}
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "normalizer": self.config.normalizer,
            "glosses": list(self.glosses),
            **kept,
        }

    def features(self, read: Float[Tensor, "batch time rows columns"]) -> Features:
        """What the backbone makes of prepared points or mouths; every frame is a real one."""
        mask = read.new_ones(read.shape[:2], dtype=torch.bool)
        if self.reads_lips:
            return Features(self.lip(self.mouth(read, mask), mask).pooled, {})
        config = self.config
        read = streams_of(read, self.layout, config.streams, config.normalizer, config.presence)
        if not self.reads_graph:
            return Features(self.recurrent(read), {})
        found = self.backbone(read, mask)
        return Features(found.pooled, found.articulators)

    def forward(
        self, read: Float[Tensor, "batch time rows columns"]
    ) -> Float[Tensor, "batch glosses"]:
        """One logit a gloss."""
        return self.told(self.features(read).pooled)

    def told(self, pooled: Float[Tensor, "batch width"]) -> Float[Tensor, "batch glosses"]:
        """head(·); before a cosine head the features have length 1 when dropout meets them."""
        if self.config.cosine:
            pooled = nn.functional.normalize(pooled, dim=1)
        return self.head(self.dropout(pooled))

    def loss(self, batch: Batch) -> Loss:
        """L_pose = CE + L_aux + L_con or L_lip = CE + L_con, summed over the clips, and how many those are."""
        read, labels = batch.read, batch.labels
        if self.training and self.config.masked and not self.reads_lips:
            read = masked_articulators(
                read, self.layout, self.config.masked, self.config.mask_share
            )
        share, other = 1.0, torch.arange(len(labels), device=labels.device)
        if self.training and self.config.mixup:
            beta = torch.distributions.Beta(self.config.mixup, self.config.mixup)
            share = float(beta.sample())
            other = torch.randperm(len(labels)).to(labels.device)
            read = share * read + (1 - share) * read[other]
        pooled, articulators = self.features(read)

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

        total = cross_entropy(self.told(pooled))
        if self.auxiliary is not None:
            each = [cross_entropy(logits) for logits in self.auxiliary_logits(articulators)]
            total = total + self.config.auxiliary * torch.stack(each).mean()
        if self.texts is not None:
            signs, texts, told = self.from_sign(pooled), self.from_text(self.texts[labels]), labels
            if self.training:  # negatives are those of all processes that train together
                signs, texts, told = gathered(signs), gathered(texts), gathered(labels)
            near = contrastive_loss(signs, texts, told, self.config.temperature)
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
    def logits(
        self, clips: Sequence[PoseClip], lips: Sequence[Lips | None] | None = None, batch: int = 64
    ) -> NDArray[np.float64]:
        """(clips, glosses). lips: of each clip; a model of pose does not look at them.

        Raises UsageError where a clip's layout does not convert to the model's, or a model of
        lips is given none; MediaError where lips have not the clip's frames, NoNumbersError where
        a logit is NaN or infinite.
        """
        device, training = self.device, self.training
        ways = (False, True) if self.config.mirrored_too else (False,)
        found = [np.zeros((0, len(self.glosses)))]
        items = list(zip(clips, [None] * len(clips) if lips is None else lips, strict=True))
        self.eval()
        try:
            for first in range(0, len(clips), batch):
                part = items[first : first + batch]
                both = [
                    self(torch.from_numpy(np.stack(
                        [self.preparation.read(*item, swapped=way) for item in part]
                    )).to(device)).double().cpu().numpy()
                    for way in ways
                ]  # fmt: skip
                found.append(np.mean(both, axis=0))
        finally:
            self.train(training)
        if not np.isfinite(logits := np.concatenate(found)).all():
            raise NoNumbersError("the recogniser's logits")
        return logits

    def recognize(
        self,
        clips: Sequence[PoseClip],
        top: int = 5,
        lips: Sequence[Lips | None] | None = None,
    ) -> list[Recognition]:
        """The likeliest glosses of each clip, and whether it is one of them at all.

        lips: of each clip, for a model of lips. Raises as `logits` does.
        """
        return recognitions(
            self.logits(clips, lips), self.glosses, self.calibration, top, self.config.reads
        )

    @property
    def spots(self) -> bool:
        return self.reads_graph and self.config.normalizer == "shoulder"

    @torch.inference_mode()
    def spot(self, clip: PoseClip) -> Spots:
        """Which gloss is signed when, in continuous signing: the backbone's dense features through
        the head that names single signs [S, §3.1 use; D: 8 frames of .64 s, every 2].

        Raises UsageError for a model of lips, of hands alone or without a graph, and where the clip's
        layout does not convert; NoNumbersError where a probability is NaN or infinite.
        """
        if not self.spots:
            raise UsageError(
                f"model '{self.name}' cannot spot signs in continuous signing, which takes poses with "
                "shoulders; train one as recipes/isolated-sim-words-body.yaml does"
            )
        if not len(clip):
            return Spots(
                0.0, SPOT_STRIDE / SPOT_FPS, self.glosses, np.zeros((0, len(self.glosses)))
            )
        shown = shoulder(resampled(convert(clip, self.layout), SPOT_FPS))
        points = np.concatenate(
            [shown.points[:, :, : self.config.coordinates], shown.present[..., None]], axis=2
        )
        device, training = self.device, self.training
        self.eval()
        try:
            read = torch.from_numpy(points.astype(np.float32))[None].to(device)
            mask = read.new_ones(read.shape[:2], dtype=torch.bool)
            config = self.config
            read = streams_of(read, self.layout, config.streams, config.normalizer, config.presence)
            frames = self.backbone.frames(read, mask)
            pooled, _ = sliding(self.backbone.conformer, frames, mask, SPOT_WINDOW, SPOT_STRIDE)
            told = probabilities(self.told(pooled[0]).double().cpu().numpy(), self.calibration)
        finally:
            self.train(training)
        if not np.isfinite(told).all():
            raise NoNumbersError("the recogniser's probabilities")
        return Spots(SPOT_WINDOW / 2 / SPOT_FPS, SPOT_STRIDE / SPOT_FPS, self.glosses, told)


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
