"""Isolated sign recognition: a clip of one sign to the numbers that a backbone reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.data.lips import SEEN, Lips
from signloom.data.sample import Sample, gloss_of
from signloom.encoders.pose_backbone import HANDS
from signloom.encoders.streams import WRIST
from signloom.errors import UsageError
from signloom.methods.isolated_config import Config
from signloom.pose.augment import at_times, dropped, even_times, mirrored, warped_times
from signloom.pose.convert import convert
from signloom.pose.normalize import shoulder

MIDDLE_MCP = 9
FARTHEST = 8.0
"""Normalised coordinates beyond this are cut to it: a tracker's slip must not rule a clip."""


class Example(NamedTuple):
    """One training item: what is read, `Preparation.points` or `Preparation.mouths`; label: the
    gloss's place in the vocabulary."""

    read: NDArray[np.float32]
    label: int


class Batch(NamedTuple):
    """read (B, T, V, coordinates + 1) or (B, T, 88, 88), labels (B)."""

    read: Tensor
    labels: Tensor


class Preparation:
    """Clip and gloss to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(self, config: Config, glosses: Sequence[str]):
        self.config = config
        self.layout = layout_named(config.layout)
        self.places = {gloss: i for i, gloss in enumerate(glosses)}

    def label(self, sample: Sample) -> int:
        """The gloss's place in the vocabulary, −1 where it is not there."""
        return self.places.get(gloss_of(sample), -1)

    def read(
        self,
        clip: PoseClip,
        lips: Lips | None,
        rng: np.random.Generator | None = None,
        swapped: bool = False,
    ) -> NDArray[np.float32]:
        """What the model reads of a clip: `points`, or `mouths`. Raises UsageError where it has no lips."""
        if self.config.reads == "pose":
            return self.points(clip, rng, swapped)
        if lips is None:
            raise UsageError(
                f"clip '{clip.id}' has no lips, which is all that this model reads; give it clips with "
                "lips (a simulated source with lips: true), or fuse it with a model of pose, which "
                "then answers alone"
            )
        return self.mouths(clip, lips, rng, swapped)

    def points(
        self, clip: PoseClip, rng: np.random.Generator | None = None, swapped: bool = False
    ) -> NDArray[np.float32]:
        """(frames, keypoints, coordinates + 1) of a clip, the last one 1 where a keypoint was seen.

        With ``rng`` as in training. swapped: as a mirror shows it.
        """
        config = self.config
        clip = convert(clip, self.layout)
        if self.mirrors(rng, swapped):
            clip = mirrored(clip)
        clip = clip.frames(signed(clip))
        clip = shoulder(clip) if config.normalizer == "shoulder" else palms(clip)
        times = self.times(len(clip), rng)
        points, seen = at_times(clip.points[..., : config.coordinates], clip.present, times)
        if rng is not None:
            points = varied(
                points,
                self.layout,
                rng,
                turn=config.turn,
                stretch=config.stretch,
                shift=config.shift,
                noise=config.noise,
                finger=config.finger,
            )
        known = np.asarray(seen.any(axis=0))[None, :, None]
        points = np.clip(points, -FARTHEST, FARTHEST) * known
        return np.concatenate([points, seen[..., None]], axis=-1).astype(np.float32)

    def mouths(
        self,
        clip: PoseClip,
        lips: Lips,
        rng: np.random.Generator | None = None,
        swapped: bool = False,
    ) -> NDArray[np.float32]:
        """(frames, 88, 88) of the lips of a clip, 0 where the mouth was not seen; the times are those
        of `points`, and each takes the nearest picture.

        With ``rng`` as in training. Raises MediaError where lips have not the clip's frames.
        """
        lips = lips.aligned_with(clip)[signed(convert(clip, self.layout))]
        flipped = self.mirrors(rng, swapped)
        if not len(lips):
            return np.zeros((self.config.frames, SEEN, SEEN), np.float32)
        times = np.rint(self.times(len(lips), rng)).astype(np.int64)
        return lips[times].seen(rng, flipped)

    def mirrors(self, rng: np.random.Generator | None, swapped: bool) -> bool:
        """Whether a clip is read mirrored; in training chance has a say."""
        return swapped != bool(rng is not None and rng.random() < self.config.mirror)

    def times(self, frames: int, rng: np.random.Generator | None) -> NDArray[np.float64]:
        """When in a clip of ``frames`` it is looked at, in frames."""
        config = self.config
        if rng is None:
            return even_times(frames, config.frames)
        times = warped_times(frames, config.frames, rng, config.ends, config.bend)
        return dropped(times, rng, config.drop)

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """What is read of a sample, and its label. Raises UsageError for a gloss that is not in the vocabulary,
        or where there are no lips to read."""
        label = self.label(sample)
        if label < 0:
            raise UsageError(
                f"sample '{sample.id}' is signed '{gloss_of(sample)}', which is none of the model's "
                f"{len(self.places)} glosses; give it training data whose texts are single glosses "
                "of its vocabulary"
            )
        return Example(self.read(sample.clip, sample.lips, rng if train else None), label)

    def collate(self, examples: list[Example]) -> Batch:
        return Batch(
            torch.from_numpy(np.stack([example.read for example in examples])),
            torch.tensor([example.label for example in examples]),
        )


def signed(clip: PoseClip) -> slice:
    """The frames from the first that shows a hand to the last; all where none does."""
    hands = np.concatenate([clip.layout.part(side) for side in HANDS])
    shown = np.flatnonzero(clip.present[:, hands].any(axis=1))
    return slice(int(shown[0]), int(shown[-1]) + 1) if len(shown) else slice(0, len(clip))


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


def varied(
    points: NDArray[np.float32],
    layout: Layout,
    rng: np.random.Generator,
    *,
    turn: float,
    stretch: float,
    shift: float,
    noise: float,
    finger: float,
) -> NDArray[np.float32]:
    """(frames, keypoints, C) turned, stretched, moved and shaken, each hand besides about its own wrist.

    The σ of each; ``turn`` in degrees, see `isolated.Config`.
    """
    normal = rng.standard_normal
    points = points.copy()
    for side in HANDS:
        part = layout.part(side)
        if len(part) and finger:
            size, angle = np.exp(finger * normal()), finger * normal()
            wrist = points[:, part[:1], :2]
            points[:, part, :2] = (points[:, part, :2] - wrist) @ _turn(angle, size) + wrist
    angle = np.deg2rad(turn) * normal()
    points[..., :2] = points[..., :2] @ _turn(angle, np.exp(stretch * normal(2)))
    points[..., :2] += shift * normal(2)
    points += np.float32(noise) * normal(points.shape, np.float32)
    return points


def _turn(angle: float, stretch: float | NDArray) -> NDArray[np.float32]:
    """What rows (x, y) are multiplied by to be turned by ``angle`` and stretched."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(turn * stretch, np.float32)


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
