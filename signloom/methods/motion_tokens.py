"""The tokenizer of LSLM: 3D motion as ids of codes, trained alone (arXiv 2511.08535, stage 1; spec §5).

    joints in space (T, 52, 3) → 623 numbers a frame          `pose.motion623`
    conv encoder, T → T/4; the nearest of 1,024 codes; back   `encoders.motion_vq.MotionVq`

A language model reads the codes (`signloom.methods.lslm`), which holds this model as it was trained.
docs/methods/lslm.md lists what is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.features import features_clip, features_of
from signloom.data.layouts import SMPLX52, SMPLX57, Layout, layout_named
from signloom.data.sample import Sample, SampleSource, gloss_of
from signloom.encoders.frames import resampled
from signloom.encoders.motion_vq import STRIDE, Kind, MotionVq, perplexity, usage
from signloom.encoders.processes import gathered
from signloom.errors import NoNumbersError, UsageError
from signloom.methods.settings import Rules, settings_from
from signloom.metrics.motion import by_part, mpjpe, rmse
from signloom.pose import motion623 as m
from signloom.pose.convert import convert
from signloom.training.checkpoint import Checkpoint, load_tensors
from signloom.training.stages import Loss

NAME = "motion-vq"
ERRORS = (
    "MPJPE-hands", "MPJPE-body", "MPJPE-left_hand", "MPJPE-right_hand", "PA-MPJPE-body",
    "PA-MPJPE-left_hand", "PA-MPJPE-right_hand", "RMSE-face",
)  # fmt: skip
"""Millimetres of the clip's own body; hands from their wrists, the body from the chest. RMSE-face, where the
layout has a face: over the jaw's 3 numbers in radians and 10 coefficients of expression, which weigh most."""
METRICS = (*ERRORS, "usage", "perplexity")
Reads = Literal["whole", "signing", "picture"]


@dataclass(frozen=True)
class Config:
    """Every setting of the tokenizer; defaults are the paper's. [D] marks what is ours."""

    # The clip
    layout: str = SMPLX52.name
    """smplx52: joints alone. smplx57: jaw and expression too, 13 numbers more a frame [D]."""
    reads: Reads = "whole"
    """whole: the 623 numbers of a frame (the paper's). signing: what moves in signing, hands from
    their wrists (`motion623.signing`) [D]. picture: the same as the camera sees it, without depth
    (`motion623.picture`) [D], to compare with."""
    upper_body: bool = True
    """Legs hang straight and feet stand: below the hips a fit to an upper body guesses [D]."""
    fps: float = 25.0
    """[D]: the paper names no rate."""
    noise: float = 0.0
    """σ of noise on training joints, metres [D]."""
    window: int = 64
    """Frames of a training item."""

    # The codes
    kind: Kind = "codebook"
    codes: int = 1024
    depth: int = 1
    """Codes for four frames; more than one for residual and fsq."""
    width: int = 512
    commitment: float = 0.02
    decay: float = 0.99
    dead_share: float = 0.25
    """A code is drawn anew where its load falls below this share of an even one."""
    late: int = 0
    """Steps of training before there are codes [D]."""

    def __post_init__(self) -> None:
        if self.layout not in (SMPLX52.name, SMPLX57.name):
            raise UsageError(
                f"motion-vq reads joints in space, layout '{SMPLX52.name}', not '{self.layout}'; leave "
                f"layout out, or name '{SMPLX57.name}' for jaw and expression too"
            )
        if self.window % STRIDE:
            raise UsageError(
                f"motion-vq: a window of {self.window} frames is no multiple of {STRIDE}, which make one "
                "code; make it one"
            )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Config:
        """A config from plain values (JSON, YAML). Raises UsageError naming what does not fit."""
        return settings_from(cls, NAME, values, RULES)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def inputs(self) -> int:
        """Numbers a frame: of joints, then of the face."""
        return self.moving + (m.FACE if self.layout == SMPLX57.name else 0)

    @property
    def moving(self) -> int:
        """Numbers of a frame's joints."""
        return {"whole": m.WIDTH, "signing": m.SIGNING, "picture": m.PICTURE}[self.reads]

    @property
    def groups(self) -> tuple[slice, ...]:
        """Columns of one kind, which share their scale: of signing all places, for a wrist moves far and
        a neck does not [D], and all velocities."""
        jaw = self.moving + 3
        face = (slice(self.moving, jaw), slice(jaw, self.inputs)) if self.inputs > jaw else ()
        if self.reads == "whole":
            kinds = (m.TURN, m.SPEED, m.HEIGHT, m.POSITIONS, m.ROTATIONS, m.VELOCITIES, m.CONTACTS)
            return (*kinds, *face)
        half = self.moving // 2
        return (slice(0, half), slice(half, 2 * half), *face)

    @property
    def velocities(self) -> slice:
        return m.VELOCITIES if self.reads == "whole" else slice(self.moving // 2, self.moving)


RULES = Rules(
    choices={"reads": get_args(Reads), "kind": get_args(Kind)},
    shares=("decay",),
    least={"fps": 1.0, "late": 0},
    whole=1,
    real=0.0,
)

SMALL = Config(reads="signing", width=128)
PRESETS: dict[str, Config] = {
    "tiny": replace(SMALL, window=16, codes=64, width=32),
    "small": SMALL,
    "paper": Config(),
}
"""tiny and small read signing alone, paper all 623 numbers (spec §5)."""


HANDS = slice(m.SIGNING_PARTS["left_hand"].start, m.SIGNING_JOINTS)
"""Of the joints that `MotionTokens.positions` gives."""

OWN_JOINTS: Mapping[str, tuple[int, ...]] = {
    "body": (m.CHEST, *m.UPPER),
    "left_hand": (m.LEFT_WRIST, *range(m.LEFT_HAND.start, m.LEFT_HAND.stop)),
    "right_hand": (m.RIGHT_WRIST, *range(m.RIGHT_HAND.start, m.RIGHT_HAND.stop)),
}
"""Part → its joints and the one that they are counted from, of 52: a frame without one does not show it."""

Seen = Mapping[str, Bool[np.ndarray, " _"]]
"""Part → in which frames it was seen whole. What was not seen is filled in, and no truth to score by."""


def begin(config: Config, texts: Sequence[str], seed: int) -> MotionTokens:
    """A fresh tokenizer; the texts are not read."""
    return build(config, seed)


def restore(checkpoint: Checkpoint) -> MotionTokens:
    """The tokenizer of a checkpoint. Raises MediaError where its weights do not load whole."""
    model = build(Config.of(checkpoint.config.get("config", {})))
    load_tensors(model, checkpoint.tensors(), str(checkpoint.folder))
    return model


def build(config: Config, seed: int = 0) -> MotionTokens:
    """The tokenizer with weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MotionTokens(config, seed)


def refuse_early(model: MotionTokens, checkpoint: str) -> None:
    """Raises UsageError where the model has no codes yet, since its training ended before `Config.late`."""
    if model.vq.early:
        raise UsageError(
            f"{checkpoint} has no codes yet: they begin after {model.vq.late} steps of training (late), and it took "
            f"{int(model.vq.passes)}; train it past late"
        )


def score_dev(model: MotionTokens, dev: SampleSource, limit: int, beam: int) -> dict[str, float]:
    """How well the first ``limit`` samples are said again, and how their codes are used.

    Of each part the frames in which it was seen count; one that is never seen has no number.
    """
    said, told, true, faces, shown = [], [], [], [], []
    for index in range(min(len(dev), limit)):
        numbers, seen_here = model.read_and_seen(dev[index])
        said.append(model.ids(numbers))
        again = model.numbers(said[-1])
        told.append(model.positions(again))
        true.append(model.positions(numbers))
        faces.append((model.face(again), model.face(numbers)))
        shown.append(seen_here)
    used, even = model.use(np.concatenate(said))
    one, other = (1000 * np.concatenate(each) for each in (told, true))
    seen = {part: np.concatenate([each[part] for each in shown]) for part in shown[0]}
    parts = by_part(one, other, m.SIGNING_PARTS, seen)
    hands = of_joints(seen)[:, HANDS]
    pair = [each[:, HANDS][hands][:, None] for each in (one, other)]
    face = [np.concatenate(each)[seen["face"]] for each in zip(*faces, strict=True)]
    return {
        **({"MPJPE-hands": mpjpe(*pair)} if hands.any() else {}),
        **{f"MPJPE-{part}": each["mpjpe"] for part, each in parts.items()},
        **{f"PA-MPJPE-{part}": each["pa_mpjpe"] for part, each in parts.items()},
        **({"RMSE-face": rmse(*face)} if face[0].size else {}),
        "usage": used,
        "perplexity": even,
    }


def of_joints(seen: Seen) -> Bool[np.ndarray, "frames 38"]:
    """Whether the part of each joint of `MotionTokens.positions` was seen."""
    sizes = [at.stop - at.start for at in m.SIGNING_PARTS.values()]
    return np.repeat(np.stack([seen[part] for part in m.SIGNING_PARTS], 1), sizes, 1)


class MotionTokens(nn.Module):
    """Clips of joints ↔ ids of codes, ``depth`` for four frames."""

    measured: Tensor

    def __init__(self, config: Config, seed: int = 0):
        """seed: of the draws that begin codes anew."""
        super().__init__()
        self.config = config
        self.name = NAME
        self.simulated_only = False
        self.tokenizer = None
        self.preparation = Preparation(config)
        self.register_buffer("measured", torch.zeros((), dtype=torch.bool))
        self.vq = MotionVq(
            config.inputs,
            config.velocities,
            config.width,
            config.codes,
            config.commitment,
            config.decay,
            config.dead_share,
            seed,
            config.kind,
            config.depth,
            config.late,
        )

    @property
    def layout(self) -> Layout:
        return layout_named(self.config.layout)

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the model; ``codebook`` is what its ids belong to."""
        return {
            "method": NAME,
            "config": self.config.to_json(),
            "layout": self.config.layout,
            "fps": self.config.fps,
            "codebook": self.vq.fingerprint(),
        }

    def word(self, clip: PoseClip, rng: np.random.Generator | None = None) -> PoseClip:
        """A word clip as it is: joints in metres need no normalising before they are stitched."""
        return clip

    def example(
        self, sample: Sample, rng: np.random.Generator, train: bool
    ) -> Float[np.ndarray, "window inputs"]:
        """A window of the clip, drawn in training and else the first; a shorter clip's last frame stays.

        One in which nobody was fitted gives way to one around the nearest frame in which somebody was.
        """
        clip = self.preparation.own(sample.clip)
        window = self.config.window
        spare = max(len(clip) - window - 1, 0)
        first = int(rng.integers(spare + 1)) if train and spare else 0
        whole = np.flatnonzero(clip.present[:, m.FRONT].all(1))
        if len(whole) and not ((first <= whole) & (whole <= first + window)).any():
            nearest = int(whole[np.abs(whole - first - window // 2).argmin()])
            first = min(max(nearest - window // 2, 0), spare)
        clip = clip.frames(slice(first, first + window + 1))
        with naming(f"sample '{sample.id}'"):
            return longer(self.preparation.numbers(clip, rng if train else None), window)

    def read(self, sample: Sample) -> Float[np.ndarray, "frames inputs"]:
        """The numbers of a whole sample. Raises as `Preparation.numbers`, naming the sample."""
        return self.read_and_seen(sample)[0]

    def read_and_seen(self, sample: Sample) -> tuple[Float[np.ndarray, "frames inputs"], Seen]:
        """`read`, and which parts each of these frames shows."""
        with naming(f"sample '{sample.id}'"):
            clip = self.preparation.own(sample.clip)
            return self.preparation.numbers(clip), self.preparation.seen(clip)

    def collate(
        self, examples: list[Float[np.ndarray, "window inputs"]]
    ) -> Float[Tensor, "batch window inputs"]:
        return torch.from_numpy(np.stack(examples))

    def loss(self, batch: Float[Tensor, "batch window inputs"]) -> Loss:
        """As `MotionVq.loss`, summed over windows; the first batch sets the scale of the numbers."""
        if self.training and not self.measured:
            self.measure(gathered(batch.flatten(0, 1)))
        loss, _ = self.vq.loss(batch)
        return Loss(loss * len(batch), len(batch))

    def measure(self, numbers: Float[Tensor, "frames inputs"]) -> None:
        """Each column's mean, and one deviation for all columns of a group [R: HumanML3D]."""
        deviation = numbers.std(0)
        for group in self.config.groups:
            deviation[group] = deviation[group].mean()
        self.vq.set_scale(numbers.mean(0), deviation)
        self.measured.fill_(True)

    @torch.inference_mode()
    def ids(self, numbers: Float[np.ndarray, "frames inputs"]) -> Int[np.ndarray, " ids"]:
        """The code ids of a prepared clip."""
        training = self.training
        self.eval()
        motion = torch.from_numpy(numbers)[None].to(self.vq.mean.device)
        found = self.vq.encode(motion)[0].cpu().numpy()
        self.train(training)
        return found

    @torch.inference_mode()
    def numbers(self, ids: Int[np.ndarray, " ids"]) -> Float[np.ndarray, "frames inputs"]:
        """The numbers that ids stand for. Raises UsageError for ids that this codebook has not,
        NoNumbersError where the decoder gives NaN."""
        training = self.training
        self.eval()
        motion = self.vq.decode(torch.from_numpy(ids)[None].to(self.vq.mean.device))
        self.train(training)
        if not motion.isfinite().all():
            raise NoNumbersError("the tokenizer's motions")
        return motion[0].cpu().numpy()

    def use(self, ids: Int[np.ndarray, " ids"]) -> tuple[float, float]:
        """(usage of the codes in percent, perplexity of each four frames' k-th id, the mean over k)."""
        said, book = torch.from_numpy(ids), self.vq.codebook
        levels = said.reshape(-1, book.depth).T
        even = sum(perplexity(level, book.size) for level in levels) / book.depth
        return 100 * usage(said, book.size), even

    @torch.inference_mode()
    def summary(self, numbers: Float[np.ndarray, "frames inputs"]) -> Float[np.ndarray, " width"]:
        """The mean of what the encoder makes of a prepared clip, before codes: what FID compares."""
        motion = torch.from_numpy(numbers)[None].to(self.vq.mean.device)
        return self.vq.latents(motion)[0].mean(0).cpu().numpy()

    def positions(
        self, numbers: Float[np.ndarray, "frames inputs"]
    ) -> Float[np.ndarray, "frames 38 3"]:
        """Joints of the body from the chest, those of the hands from their wrists, metres; z is 0 in a
        picture."""
        wide = numbers[:, : self.config.moving].astype(np.float64)
        own = m.signing(wide) if self.config.reads == "whole" else wide
        joints = own[:, : own.shape[1] // 2].reshape(len(own), m.SIGNING_JOINTS, -1)
        return np.pad(joints, ((0, 0), (0, 0), (0, 3 - joints.shape[2])))

    def face(
        self, numbers: Float[np.ndarray, "frames inputs"]
    ) -> Float[np.ndarray, "frames channels"]:
        """The jaw's rotation in radians (3) and expression (10), in SMPL-X's units; no channel where the
        layout has no face."""
        return numbers[:, self.config.moving :].astype(np.float64)

    def joints(
        self, numbers: Float[np.ndarray, "frames inputs"]
    ) -> Float[np.ndarray, "frames joints 3"]:
        """All 52 joints, placed, of numbers that have them; else the 38 of `motion623.signing_joints`."""
        if self.config.reads == "whole":
            return m.joints_of(numbers[:, : m.WIDTH].astype(np.float64))[:-1]
        return m.signing_joints(self.positions(numbers).reshape(len(numbers), -1))

    @property
    def joint_names(self) -> tuple[str, ...]:
        """What `joints` gives, in its order."""
        if self.config.reads == "whole":
            return m.NAMES
        chosen = [*m.UPPER, *range(m.LEFT_HAND.start, m.RIGHT_HAND.stop)]
        return tuple(m.NAMES[joint] for joint in chosen)


CODES = "codes"
"""The setting of an origin that says which codes a clip of ids is of: their tokenizer's fingerprint."""
MOST_CODES = 1 << 14
"""Ids up to this come back out of a store unchanged."""


@dataclass(frozen=True)
class Encoded:
    """The samples of a source with the ids of their codes in place of joints: clips of layout
    features-DEPTH, a moment a frame, without the noise of training. A SampleSource.

    Raises UsageError for a codebook beyond `MOST_CODES`.
    """

    source: SampleSource
    model: MotionTokens

    def __post_init__(self) -> None:
        if self.model.vq.codebook.size > MOST_CODES:
            raise UsageError(
                f"a store keeps ids of {MOST_CODES:,} codes at most, and this tokenizer has "
                f"{self.model.vq.codebook.size:,}; train on the store of joints"
            )

    @cached_property
    def fingerprint(self) -> str:
        return self.model.vq.fingerprint()

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Sample:
        sample, model = self.source[index], self.model
        ids = model.ids(model.read(sample)).reshape(-1, model.config.depth)
        origin = sample.clip.origin
        told = replace(origin, settings={**origin.settings, CODES: self.fingerprint})
        rate = model.config.fps / STRIDE
        clip = features_clip(ids.astype(np.float32), rate, sample.clip.id, told)
        return replace(sample, clip=clip, lips=None)


def is_codes(clip: PoseClip) -> bool:
    """Whether a clip holds ids of codes (`Encoded`)."""
    return CODES in clip.origin.settings


def codes_of(clip: PoseClip, codebook: str) -> Int[np.ndarray, "moments depth"]:
    """The ids of a clip of codes. Raises UsageError where they are of another codebook than this fingerprint's."""
    said = clip.origin.settings[CODES]
    if said != codebook:
        raise UsageError(
            f"clip '{clip.id}' holds codes of the tokenizer {said[:12]}…, and this model reads those of "
            f"{codebook[:12]}…: they would be other movements; encode the store with this model's tokenizer"
        )
    return np.rint(features_of(clip)).astype(np.int64)


class Preparation:
    """Clip to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(self, config: Config):
        self.config = config

    def numbers(
        self, clip: PoseClip, rng: np.random.Generator | None = None
    ) -> Float[np.ndarray, "frames inputs"]:
        """float32, a multiple of four frames and at least four; with ``rng`` as in training.

        Raises UsageError where the clip's layout has no joints in space, or no frame shows a body.
        """
        clip = self.own(clip)
        points, seen = (longer(each, 2)[:, : m.JOINTS] for each in (clip.points, clip.present))
        upright = points.astype(np.float64) * (1, -1, -1)  # a camera's y is down, its z away
        joints = m.filled(upright, seen)
        if rng and self.config.noise:
            joints = joints + self.config.noise * rng.standard_normal(joints.shape)
        if self.config.reads == "picture":
            rows = m.picture(joints)
        else:
            whole = self.config.reads == "whole"
            turns = None if whole else np.broadcast_to(np.eye(3), (*joints.shape, 3))  # not read
            rows = m.features(joints, turns, self.config.upper_body)
            rows = rows if whole else m.signing(rows)
        faces = longer(clip.points, 2)[:-1, m.JOINTS :].reshape(len(rows), -1)[:, : m.FACE]
        return whole_moments(np.concatenate([rows, faces], 1)).astype(np.float32)

    def seen(self, clip: PoseClip) -> Seen:
        """Part (body, left_hand, right_hand) → whether each frame of `numbers` shows all of `OWN_JOINTS`; face →
        whether it has what the layout has of one."""
        present = whole_moments(longer(self.own(clip).present, 2)[:-1])
        parts = {**OWN_JOINTS, "face": range(m.JOINTS, present.shape[1])}
        return {part: np.all(present[:, list(own)], axis=1) for part, own in parts.items()}

    def own(self, clip: PoseClip) -> PoseClip:
        """The clip in the model's layout and at its rate; as it is where that is done."""
        return resampled(convert(clip, layout_named(self.config.layout)), self.config.fps)


@dataclass(frozen=True)
class Said:
    """A sign, who signed it ("" = not known), and its codes: one for four frames, of several levels a tuple."""

    gloss: str
    signer: str
    codes: tuple[tuple[int, ...], ...]


def signs_of(model: MotionTokens, sample: Sample) -> list[Said]:
    """The codes of each sign of a sample: of its one sign all, of several those in the time of each.

    Without a time a sign among others has no codes of its own and is left out, and so is one that lies
    between two codes.
    """
    one = gloss_of(sample) if len(sample.glosses) < 2 else ""
    timed = [(g.gloss, g.span) for g in sample.glosses if g.span is not None]
    if not one and not timed:
        return []
    ids = model.ids(model.read(sample))
    codes = [tuple(moment) for moment in ids.reshape(-1, model.vq.codebook.depth).tolist()]
    if one and not timed:
        return [Said(one, sample.signer, tuple(codes))]
    middles = [(n + 0.5) * STRIDE / model.config.fps for n in range(len(codes))]
    found = []
    for gloss, span in timed:
        own = [c for c, at in zip(codes, middles, strict=True) if span.start <= at < span.end]
        if own:
            found.append(Said(gloss, sample.signer, tuple(own)))
    return found


@contextmanager
def naming(what: str) -> Iterator[None]:
    """A UsageError from inside says first what it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{what}: {error}") from None


def whole_moments(rows: NDArray[Any]) -> NDArray[Any]:
    """A multiple of four frames, and at least four."""
    rows = longer(rows, STRIDE)
    return rows[: len(rows) // STRIDE * STRIDE]


def longer(values: NDArray[Any], least: int) -> NDArray[Any]:
    """At least so many frames: the last one stays. A clip without frames has none to stay."""
    missing = least - len(values)
    if missing <= 0:
        return values
    if not len(values):
        raise UsageError("a clip has no frames; expected at least one with a body")
    return np.concatenate([values, np.repeat(values[-1:], missing, 0)])
