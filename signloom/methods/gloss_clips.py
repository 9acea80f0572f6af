"""Clips as the methods that write glosses read them, prepared as AutoSign does (arXiv 2507.19840; spec §2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Literal, NamedTuple, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from signloom.data.clip import PoseClip
from signloom.data.kept import Kept, content
from signloom.data.layouts import FEATURES, Layout, layout_named
from signloom.data.sample import Sample, gloss_sentence
from signloom.data.timing import Seconds
from signloom.encoders.compression import Context, strides
from signloom.encoders.frames import frames_at, local_hands, pad_frames, rate_of, resampled
from signloom.encoders.pose_backbone import ARTICULATORS, HANDS
from signloom.errors import UsageError
from signloom.methods.gloss_codec import GlossCodec
from signloom.methods.settings import Rules
from signloom.pose.augment import at_times, random_affine, uneven_times
from signloom.pose.convert import convert
from signloom.pose.normalize import isharah_frame, nose, shoulder

SIXTH: Seconds = 1 / 6
LEAST_FRAMES = 32
"""Frames that the authors pad a clip to; where padding is masked they change nothing."""

Normalizer = Literal["isharah_frame", "shoulder", "nose", "none"]


@dataclass(frozen=True)
class ClipSettings:
    """How a clip is read; defaults are the paper's. [D] marks what is ours."""

    later: ClassVar[tuple[str, ...]] = ("motion", "uneven", "stretch", "lean", "shift")
    """Settings that came after recipes were first kept."""

    # The clip
    layout: str = "isharah86"
    parts: tuple[str, ...] = ("body", "left_hand", "right_hand")
    """Which articulators: 67 of the 86 points by default, 86 with "face", 42 for hands alone."""
    coordinates: int = 2
    """2 = (x, y), 3 = (x, y, z); isharah_frame leaves no z."""
    normalizer: Normalizer = "isharah_frame"
    """isharah_frame: each articulator of each frame alone (the paper's). shoulder: in shoulder
    widths from the neck, over the clip, which keeps where the hands are [D]. nose: the same from the
    nose, in the hands' mean distance from it, for clips without shoulders [D]. none: frame features
    (layout features-1024, or of any width), which are no places [D]."""
    local_hands: bool = False
    """Append each hand again, from its own wrist and in its own size, 42 points more [D]."""
    motion: bool = False
    """Append how every point moves, in units a sixth of a second, as many points more [D]."""
    fps: float | None = None
    """Frames a second that clips are brought to first; None = as they come (the paper's)."""
    max_frames: int = 1000
    """What is longer is cut off, unless it is read in chunks."""

    # Training clips
    augment: float = 0.5
    """How often a clip's time and hands are disturbed; then all of the next five are."""
    shuffle: float = 2.0
    """Frames change places with others up to so many frames away."""
    drop: float = 0.1
    """Share of frames left out."""
    turn: float = 13.0
    """A hand is turned by up to ± this many degrees, in every second frame."""
    jitter: float = 0.01
    """σ of a hand's points, in units of the picture, in every second frame."""
    drop_keypoints: float = 0.1
    """Share of a hand's points that are lost, in every second frame."""
    speed: float = 0.0
    """Clips are played faster or slower by up to e^± this; in the authors' code, never called."""
    masked: float = 0.0
    """Share of a clip that is blanked, in one stretch; in the authors' code, never called."""
    noise: float = 0.1
    """σ of the noise on every normalised number, always."""
    uneven: float = 0.0
    """Clips hurry and linger: σ of ln of the speed in each sixth of a clip [D]."""
    stretch: float = 0.0
    """Points are stretched by up to e^± this, x and y apart, after the normaliser [D]."""
    lean: float = 0.0
    """Points are turned by up to ± this many degrees, all alike [D]."""
    shift: float = 0.0
    """Each articulator stands elsewhere throughout a clip: σ in normalised units [D]."""

    # Compression
    graph: bool = False
    """Frames go through the pose backbone (AGCN and Conformer) first, with `graph_…` below [D]."""
    graph_channels: int = 64
    graph_width: int = 512
    graph_layers: int = 4
    channels: tuple[int, ...] = (256, 512)
    """Of the convolutions: two, or (1024, 512, 512), in the paper. None, and stride 1: raw frames."""
    stride: int = 4
    """Frames that become one."""
    context: Context = "none"
    """What reads the compressed frames before they are handed on, see `Compression` [D]."""
    context_layers: int = 2
    context_heads: int = 8
    dropout: float = 0.1
    chunk: int = 0
    """Frames that are read as clips of their own, so that a stream can be; 0 = the whole clip [D]."""
    legacy: bool = False
    """Padded frames are read like real ones, as in the authors' code. For comparison: what a clip
    gives then depends on the clips beside it."""

    @property
    def only_noise(self) -> bool:
        """Whether training clips are given noise and nothing else: all before it is alike in every epoch."""
        drawn = (self.augment, self.speed, self.uneven, self.stretch, self.lean, self.shift)
        return not any(drawn)

    def __post_init__(self) -> None:
        known = layout_named(self.layout).parts
        wrong = [part for part in self.parts if part not in known]
        if wrong or not self.parts:
            raise UsageError(
                f"parts {list(self.parts)} are not those of layout '{self.layout}', which has "
                f"{', '.join(known)}; name at least one of them"
            )
        strides(self.stride, len(self.channels))
        if (self.normalizer == "none") != (FEATURES in known) or (
            FEATURES in known and self.coordinates != 3
        ):
            raise UsageError(
                f"layout '{self.layout}' with normalizer '{self.normalizer}' and {self.coordinates} "
                "coordinates: frame features, and they alone, need normalizer 'none' and 3 coordinates"
            )
        needed = {"shoulder": "shoulders", "nose": "nose"}.get(self.normalizer)
        if needed and "body" not in self.parts:
            raise UsageError(
                f"normalizer '{self.normalizer}' needs the {needed}, and parts leaves the body out; "
                "add it, or use 'isharah_frame'"
            )
        if self.local_hands and (self.graph or not set(HANDS) <= set(self.parts)):
            raise UsageError(
                "local_hands appends both hands for the convolutions alone; give it parts with "
                "both hands, and no graph"
            )
        if self.graph and not set(self.parts) & set(ARTICULATORS):
            raise UsageError(f"graph reads {', '.join(ARTICULATORS)}; parts has none of them")
        if self.chunk % self.stride or self.chunk < 0:
            raise UsageError(
                f"a chunk of {self.chunk} frames is not a multiple of the stride {self.stride}; "
                "give one, or 0 for the whole clip"
            )
        whole = self.local_hands or self.legacy or self.motion
        if self.chunk and (self.normalizer != "isharah_frame" or whole):
            raise UsageError(
                "chunk needs frames that are normalised one by one: use normalizer "
                "'isharah_frame', without local_hands, motion and legacy"
            )
        if self.motion and self.graph:
            raise UsageError("motion appends points that the graph has not; use one of the two")

    @property
    def read(self) -> Layout:
        """The layout without the parts that are not read."""
        return reduced(layout_named(self.layout), self.parts)

    @property
    def points(self) -> int:
        """Points of a frame, with those that are appended."""
        return (len(self.read) + 42 * self.local_hands) * (1 + self.motion)

    def to_json(self) -> dict[str, Any]:
        """Every setting; those of ``later`` only where they say something, so that a recipe keeps its hash."""
        unsaid = {
            each.name
            for each in fields(self)
            if each.name in self.later and getattr(self, each.name) == each.default
        }
        return {name: value for name, value in asdict(self).items() if name not in unsaid}


CLIP_RULES = Rules(
    choices={
        "normalizer": get_args(Normalizer),
        "context": get_args(Context),
        "coordinates": (2, 3),
    },
    shares=("augment", "drop", "drop_keypoints", "masked", "dropout"),
    least={"chunk": 0},
    empty=("channels",),
    whole=1,
    real=0.0,
    optional={"fps": float},
)
"""Of the settings that both have; each method adds those of its own."""


def reduced(layout: Layout, parts: Sequence[str]) -> Layout:
    """The layout with these articulators alone, keypoints and edges in its own order."""
    kept = [i for i, part in enumerate(layout.articulators) if part in parts]
    if len(kept) == len(layout):
        return layout
    place = {old: new for new, old in enumerate(kept)}
    return Layout(
        f"{layout.name} ({', '.join(part for part in layout.parts if part in parts)})",
        tuple(layout.keypoints[i] for i in kept),
        tuple(layout.articulators[i] for i in kept),
        tuple((place[a], place[b]) for a, b in layout.edges if a in place and b in place),
        depth=layout.depth,
    )


NO_SIGN = -100
"""Of a frame of which it is not known what is signed."""


class Example(NamedTuple):
    """One training item: features (frames, points, coordinates); tokens <s> … </s>; signs of compressed frames."""

    features: NDArray[np.float32]
    tokens: NDArray[np.int64]
    signs: NDArray[np.int64]


class Batch(NamedTuple):
    """features (B, T, K, C); mask (B, T), True on real frames; inputs, labels (B, L), −100 = none;
    signs (B, ⌈T / stride⌉): the gloss that is signed in a compressed frame, blank or `NO_SIGN`."""

    features: Tensor
    mask: Tensor
    inputs: Tensor
    labels: Tensor
    signs: Tensor


class Filling:
    """What stands in for an articulator that a frame does not show (spec §2, preprocessing [R]).

    Its last normalised frame; before it is first seen, zeros, but for hands the first frame that
    shows them. One `Filling` goes through a clip in as many pieces as wanted, and looks forward
    within a piece only.
    """

    def __init__(self, layout: Layout):
        self.layout = layout
        self._last: dict[str, NDArray[np.float32]] = {}

    def __call__(self, clip: PoseClip) -> NDArray[np.float32]:
        """(frames, keypoints, 3) of the next piece, normalised."""
        points = clip.points.copy()
        if not len(clip):
            return points
        for part, at in self.layout.parts.items():
            own = points[:, at]
            seen = clip.present[:, at].any(axis=1)
            latest = np.maximum.accumulate(np.where(seen, np.arange(len(clip)), -1))
            filled = own[np.maximum(latest, 0)]
            if part in self._last:
                filled[latest < 0] = self._last[part]
            elif part in HANDS and seen.any():
                filled[latest < 0] = own[seen.argmax()]
            if part in self._last or seen.any():
                self._last[part] = filled[-1].copy()
            points[:, at] = filled
        return points


Timed = tuple[NDArray[np.float32], NDArray[np.float64]]
KEPT = 3 << 29
"""Bytes of prepared training clips that a process keeps: 1.5 GiB."""


class Preparation:
    """Clip and glosses to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(self, config: ClipSettings, codec: GlossCodec, max_tokens: int):
        self.config, self.codec, self.max_tokens = config, codec, max_tokens
        self.layout = config.read
        self._prepared: Kept[Timed] = Kept(KEPT)

    def normalized(self, clip: PoseClip) -> PoseClip:
        """A clip of the layout that is read, in normalised units."""
        if self.config.normalizer == "none":
            return clip
        normal = {"isharah_frame": isharah_frame, "shoulder": shoulder, "nose": nose}
        return normal[self.config.normalizer](clip)

    def rate(self, clip: PoseClip) -> float:
        """Frames a second at which a clip is read: its own where ``fps`` is near it, or None."""
        return rate_of(clip, self.config.fps)

    def points(self, clip: PoseClip, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """(frames, points, coordinates) of a clip; with ``rng`` as in training."""
        return self.timed(clip, rng)[0]

    def timed(self, clip: PoseClip, rng: np.random.Generator | None = None) -> Timed:
        """`points`, and for each of their frames the frame of the clip that it shows, not rounded."""
        config = self.config
        if rng is not None and config.only_noise:
            rng.random()  # whether the clip is disturbed: never
            points, times = self._known(clip)
        else:
            points, times = self._placed(clip, rng)
        if rng is not None and len(points):
            points = points + np.float32(config.noise) * rng.standard_normal(
                points.shape, np.float32
            )
        if config.motion:
            points = np.concatenate([points, moved(points, self.rate(clip))], axis=1)
        if rng is not None and len(points):
            length = round(config.masked * len(points))
            first = int(rng.integers(len(points) - length + 1))
            points[first : first + length] = 0
        return np.ascontiguousarray(points, np.float32), times

    def _known(self, clip: PoseClip) -> Timed:
        """`_placed` of a training clip to which nothing is done but noise, kept for the next epoch."""
        key = content(clip.points, clip.confidence, repr((clip.fps, clip.size, clip.layout.name)))
        return self._prepared.of(key, lambda: self._placed(clip, None))

    def _placed(self, clip: PoseClip, rng: np.random.Generator | None) -> Timed:
        """`timed` before noise, motion and blanks."""
        config = self.config
        kept = frames_at(len(clip), clip.fps, config.fps)
        clip = resampled(convert(clip, self.layout), config.fps)
        times = np.arange(len(clip), dtype=np.float64) if kept is None else kept.astype(np.float64)
        if not config.chunk:
            clip, times = clip.frames(slice(0, config.max_frames)), times[: config.max_frames]
        if rng is not None:
            clip, shown = disturbed(clip, rng, config)
            times = times[np.rint(shown).astype(np.int64)]
        clip = self.normalized(clip)
        if rng is not None:
            clip = placed(clip, rng, config)
        filling, size = Filling(self.layout), config.chunk or max(len(clip), 1)
        pieces = [
            filling(clip.frames(slice(first, first + size)))[:, :, : config.coordinates]
            for first in range(0, max(len(clip), 1), size)
        ]
        points = np.concatenate(pieces)
        if config.local_hands:
            hands = [self.layout.part(side) for side in HANDS]
            points = np.concatenate([points, *local_hands(points, clip.present, hands)], axis=1)
        return points, times

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """Points, and <s> glosses </s>; a gloss that the vocabulary lacks is <unk>.

        Raises UsageError where a sample has no glosses, too many, or no frames.
        """
        if not len(sample.clip):
            raise UsageError(
                f"sample '{sample.id}' has no frames, so nothing can be learnt from it; leave it out"
            )
        said = gloss_sentence(span.gloss for span in sample.glosses)
        if not said:
            raise UsageError(
                f"sample '{sample.id}' has no glosses, which is what this method learns to write; "
                "train on a store with glosses"
            )
        ids = self.target(said, f"sample '{sample.id}'")
        points, times = self.timed(sample.clip, rng if train else None)
        tokens = np.array([self.codec.start, *ids, self.codec.end], np.int64)
        return Example(points, tokens, self._signs(sample, times[:: self.config.stride]))

    def target(self, said: str, whose: str) -> list[int]:
        """The tokens of glosses. Raises UsageError for more of them than are learnt."""
        ids = self.codec.encode(said)
        if len(ids) > self.max_tokens:
            raise UsageError(
                f"the glosses of {whose} are {len(ids)} tokens, and {self.max_tokens} are learnt at "
                f"most: '{said[:60]}…'; raise max_tokens, or leave long samples out"
            )
        return ids

    def _signs(self, sample: Sample, times: NDArray[np.float64]) -> NDArray[np.int64]:
        """The gloss of each of these frames of a clip, blank between signs; all NO_SIGN where signs have no times."""
        signs = np.full(len(times), self.codec.pad, np.int64)
        for sign in sample.glosses:
            if sign.span is None:
                return np.full(len(times), NO_SIGN, np.int64)
            first, last = sign.span.frames(sample.clip.fps)
            within = (times > first - 0.5) & (times < last - 0.5)
            ids = self.codec.encode(gloss_sentence([sign.gloss]))
            signs[within] = ids[0] if ids else self.codec.pad
        return signs

    def collate(self, examples: list[Example]) -> Batch:
        """Pads with zeros (frames), <pad> (inputs) and −100 (labels, signs)."""
        points, mask = self.padded([example.features for example in examples])
        length = max(len(example.tokens) for example in examples) - 1
        inputs = torch.full((len(examples), length), self.codec.pad)
        labels = torch.full((len(examples), length), -100)
        signs = torch.full((len(examples), -(-points.shape[1] // self.config.stride)), NO_SIGN)
        for row, example in enumerate(examples):
            tokens = torch.from_numpy(example.tokens)
            inputs[row, : len(tokens) - 1] = tokens[:-1]
            labels[row, : len(tokens) - 1] = tokens[1:]
            signs[row, : len(example.signs)] = torch.from_numpy(example.signs)
        return Batch(points, mask, inputs, labels, signs)

    def padded(self, clips: Sequence[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
        """(points, mask) of a batch; of at least LEAST_FRAMES, all taken for real, where legacy."""
        points, mask = pad_frames(clips)
        if self.config.legacy:
            short = max(0, LEAST_FRAMES - points.shape[1])
            points = nn.functional.pad(points, (0, 0, 0, 0, 0, short))
            mask = torch.ones(points.shape[:2], dtype=torch.bool)
        return points, mask


def disturbed(
    clip: PoseClip, rng: np.random.Generator, config: ClipSettings
) -> tuple[PoseClip, NDArray[np.float64]]:
    """A training clip with its time and its hands disturbed (spec §2, augmentation), and which of its
    own frames each shows, not rounded.

    The authors' scaling of hands is left out: the normaliser undoes it.
    """
    frames = len(clip)
    times = np.arange(frames, dtype=np.float64)
    if config.speed:
        count = max(1, round(frames * np.exp(rng.uniform(-config.speed, config.speed))))
        times = np.linspace(0, max(frames - 1, 0), count).round()
        clip = clip.frames(times.astype(np.int64))
    if config.uneven and frames:
        uneven = uneven_times(len(clip), len(clip), rng, config.uneven)
        points, present = at_times(clip.points, clip.present, uneven)
        clip = clip.with_points(
            np.where(present[..., None], points, np.float32(0)), present.astype(np.float32)
        )
        times = np.interp(uneven, np.arange(len(clip)), times)
    if rng.random() >= config.augment or not frames:
        return clip, times
    frames = len(clip)
    order = np.argsort(np.arange(frames) + rng.uniform(-config.shuffle, config.shuffle, frames))
    kept = order[rng.random(frames) >= config.drop]
    kept = kept if len(kept) else order[:1]
    clip, times = clip.frames(kept), times[kept]
    points, confidence = clip.points.copy(), clip.confidence.copy()
    for side in HANDS:
        at = clip.layout.part(side)
        if not len(at):
            continue
        hand, seen = points[:, at, :2], clip.present[:, at]
        turned, shaken, thinned = rng.random((3, len(clip))) < 0.5
        angle = np.deg2rad(rng.uniform(-config.turn, config.turn, len(clip))) * turned
        sine, cosine = np.sin(angle), np.cos(angle)
        turn = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], 1)
        centre = (hand * seen[:, :, None]).sum(1, keepdims=True)
        centre /= np.maximum(seen.sum(1), 1)[:, None, None]
        hand = (hand - centre) @ turn.astype(np.float32) + centre
        sigma = config.jitter * np.array(clip.size, np.float32)
        hand += rng.standard_normal(hand.shape, np.float32) * sigma * shaken[:, None, None]
        lost = (rng.random(seen.shape) < config.drop_keypoints) & thinned[:, None]
        points[:, at, :2] = hand
        confidence[:, at] = np.where(lost, 0, confidence[:, at])
    points = np.where(confidence[..., None] > 0, points, np.float32(0))
    return clip.with_points(points, confidence), times


def placed(clip: PoseClip, rng: np.random.Generator, config: ClipSettings) -> PoseClip:
    """A normalised training clip, stretched and turned as one, and each articulator moved."""
    if config.stretch or config.lean:
        clip = random_affine(clip, rng, config.stretch, config.lean)
    if not config.shift:
        return clip
    points = clip.points.copy()
    for at in clip.layout.parts.values():
        points[:, at, :2] += (config.shift * rng.standard_normal(2)).astype(np.float32)
    return clip.with_points(np.where(clip.present[..., None], points, np.float32(0)))


def moved(points: NDArray[np.float32], fps: float) -> NDArray[np.float32]:
    """(frames, points, coordinates): how far each point goes in a SIXTH of a second, from the frames
    before and after; 0 in the first and the last."""
    motion = np.zeros_like(points)
    motion[1:-1] = (points[2:] - points[:-2]) * np.float32(fps / 2 * SIXTH)
    return motion
