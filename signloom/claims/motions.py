"""Motion in claims: test clips said again by a tokenizer, and clips seen from elsewhere or through noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from signloom.data.layouts import SMPLX52
from signloom.data.sample import Sample, SampleSource
from signloom.errors import UsageError
from signloom.methods.load import load
from signloom.methods.motion_scores import rate
from signloom.methods.motion_tokens import MotionTokens
from signloom.metrics.score import Score
from signloom.pose.motion623 import shaken, turned

DIGITS = 4
"""Of the features that records keep."""

Features = tuple[float, ...]


@dataclass(frozen=True)
class Resaid:
    """What an encoder makes of each test clip as a tokenizer says it again, and of the clip itself."""

    simulated: bool
    hypotheses: tuple[Features, ...]
    references: tuple[Features, ...]
    metrics: tuple[Score, ...]
    baselines: dict[str, tuple[Score, ...]]


def said_again(model: MotionTokens, samples: SampleSource, encoder: str) -> Resaid:
    """Every sample through the tokenizer's codes and back.

    encoder: the checkpoint of another tokenizer, whose features FID compares; the other scores are those of
    `motion_scores.rate`. Raises UsageError where the two do not read the same numbers.
    """
    judge = load(encoder)
    if not isinstance(judge, MotionTokens):
        raise UsageError(
            f"{encoder} gives no features for this tokenizer: expected a checkpoint of method motion-vq"
        )
    found = rate(model, samples, judge=judge, allow_simulated=True)
    assert found.features is not None
    told, true = (
        tuple(tuple(round(float(value), DIGITS) for value in each) for each in crowd)
        for crowd in found.features
    )
    return Resaid(found.simulated, told, true, found.metrics, found.baselines)


@dataclass(frozen=True)
class Viewed:
    """Samples of joints in space, filmed by a camera that goes round, or fitted with noise.

    turned: degrees about a vertical through the signer. noise: σ of every rotation in degrees, drawn by
    the sample's place.
    """

    samples: SampleSource
    turned: float = 0.0
    noise: float = 0.0

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        clip = sample.clip
        if clip.layout != SMPLX52:
            raise UsageError(
                f"sample '{sample.id}' is in layout '{clip.layout.name}'; a camera goes round '{SMPLX52.name}' alone"
            )
        joints = clip.points.astype(np.float64)
        if self.noise:
            joints = shaken(joints, self.noise, np.random.default_rng(index))
        joints = turned(joints, self.turned) * clip.present[:, :, None]
        return replace(sample, clip=clip.with_points(joints.astype(np.float32)))
