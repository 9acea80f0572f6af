"""Motion in claims: test clips said again by a tokenizer, and clips seen from elsewhere or through noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from signloom.data.layouts import SMPLX52
from signloom.data.sample import Sample, SampleSource
from signloom.encoders.motion_vq import perplexity, usage
from signloom.errors import UsageError
from signloom.inference.evaluate import SHUFFLED
from signloom.methods.load import load
from signloom.methods.motion_tokens import MotionTokens
from signloom.metrics.motion import count_fid
from signloom.metrics.score import Counts, Score, mean_of
from signloom.pose.motion623 import SIGNING_JOINTS, SIGNING_PARTS, shaken, turned

HANDS = slice(SIGNING_PARTS["left_hand"].start, SIGNING_JOINTS)
HALVES = "halves of the truth"
"""The distance of two crowds of true motions: what is left where nothing is wrong, at half the N."""
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

    encoder: the checkpoint of another tokenizer, whose features FID compares. Beside it the hands' error
    in millimetres, usage and perplexity of the codes; baselines: each clip beside what is said of the
    next, and FID of two halves of the true clips.

    Raises UsageError where the two do not read the same numbers.
    """
    judge = load(encoder)
    if not isinstance(judge, MotionTokens) or _read(judge) != _read(model):
        raise UsageError(
            f"{encoder} gives no features for this tokenizer: expected a checkpoint of method motion-vq "
            f"that reads '{model.config.reads}' of layout '{model.config.layout}' too"
        )
    clips = [samples[place].clip for place in range(len(samples))]
    numbers = [model.preparation.numbers(clip) for clip in clips]
    ids = [model.ids(each) for each in numbers]
    again = [model.numbers(each) for each in ids]
    told = [_features(judge, each) for each in again]
    true = [_features(judge, each) for each in numbers]
    apart, shuffled = (
        [_hands_apart(model, *pair) for pair in zip(said, numbers, strict=True)]
        for said in (again, [*again[1:], again[0]])
    )
    codes, book = torch.from_numpy(np.concatenate(ids)), model.vq.codebook
    levels = codes.reshape(-1, book.depth).T
    used = 100 * usage(codes, book.size)
    even = sum(perplexity(level, book.size) for level in levels) / book.depth
    n, moments = len(clips), codes.numel() // book.depth
    what = f"codes:{book.size}|moments:{moments}"
    crowds = (np.array(told), np.array(true))
    half = n // 2
    return Resaid(
        all(clip.simulated for clip in clips),
        tuple(told),
        tuple(true),
        (
            count_fid(*crowds, named(judge)).score(),
            _hands(apart).score(),
            Score("usage", used, what, n, 0, (used, used)),
            Score("perplexity", even, what, n, 0, (even, even), ""),
        ),
        {
            SHUFFLED: (_hands(shuffled).score(),),
            HALVES: (
                count_fid(crowds[1][:half], crowds[1][half : 2 * half], named(judge)).score(),
            ),
        },
    )


def _read(model: MotionTokens) -> tuple[str, str]:
    return model.config.reads, model.config.layout


def named(judge: MotionTokens) -> str:
    """An encoder as signatures name it: its kind, its codes and its fingerprint."""
    config = judge.config
    return (
        f"motion-vq {config.kind} {config.depth}x{config.codes} {judge.vq.fingerprint()[:12]}, mean over a "
        "clip before codes"
    )


def _features(judge: MotionTokens, numbers: np.ndarray) -> Features:
    return tuple(round(float(value), DIGITS) for value in judge.summary(numbers))


def _hands_apart(model: MotionTokens, told: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """(the summed distance of the hands' joints in millimetres, how many): of the frames both have."""
    both = min(len(told), len(true))
    one, other = (model.positions(each[:both])[:, HANDS] for each in (told, true))
    distances = 1000 * np.linalg.norm(one - other, axis=2)
    return float(distances.sum()), float(distances.size)


def _hands(apart: list[tuple[float, float]]) -> Counts:
    signature = "unit:mm|joints:15 of each hand from its wrist|mean:joints and frames"
    return Counts("MPJPE-hands", np.array(apart), mean_of, signature, unit="", better="low")


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
