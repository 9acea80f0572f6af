"""How well a tokenizer says motion again: errors by part, use of its codes, FID; beside what needs no tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.sample import SampleSource
from signloom.encoders.motion_vq import STRIDE
from signloom.errors import UsageError
from signloom.inference.evaluate import SHUFFLED
from signloom.inference.translate import refuse_untrusted
from signloom.methods.motion_tokens import HANDS, MotionTokens, Seen, of_joints, whole_moments
from signloom.metrics.motion import aligned, count_fid
from signloom.metrics.score import Counts, Score, Values, mean_of
from signloom.pose.motion623 import SIGNING_JOINTS, SIGNING_PARTS

HALVES = "halves of the truth"
"""The distance of two crowds of true motions: what is left where nothing is wrong, at half the N."""
KNOWN = 1_000
"""Training clips, the first, that baselines are made of."""
ROUNDS = 25
"""Of k-means."""
FACE_SIGNATURE = (
    "unit:rad (jaw) and SMPL-X's (expression)|channels:jaw 3, expression 10|frames:in which the face was fitted|"
    "root mean square:channels and frames"
)

Positions = Float[np.ndarray, "_ 38 3"]
Faces = Float[np.ndarray, "_ channels"]
Said = tuple[Positions, Float[np.ndarray, "_ inputs"]]
"""What stands for a clip: its joints, and all numbers of its frames."""
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Rating:
    """Scores of a tokenizer on n clips, and of what stands beside it.

    features: what a judge makes of each clip as it is said again, and as it is.
    """

    simulated: bool
    n: int
    metrics: tuple[Score, ...]
    baselines: dict[str, tuple[Score, ...]]
    features: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "simulated": self.simulated,
            "n": self.n,
            "metrics": [score.to_json() for score in self.metrics],
            "baselines": {
                name: [score.to_json() for score in scores]
                for name, scores in self.baselines.items()
            },
        }


class Motion(NamedTuple):
    """A clip as it is compared: `MotionTokens.positions` and `MotionTokens.face` of its numbers."""

    joints: Positions
    face: Faces


def rate(
    model: MotionTokens,
    samples: SampleSource,
    known: SampleSource | None = None,
    judge: MotionTokens | None = None,
    *,
    limit: int | None = None,
    allow_simulated: bool = False,
    advance: Advance = lambda count: None,
) -> Rating:
    """The first ``limit`` samples said again through the codes, each clip whole.

    MPJPE and PA-MPJPE of each part (the body from the chest, hands from their wrists; each part of each
    frame aligned alone) and of both hands, in millimetres, in the frames in which the part was seen
    (`Preparation.seen`; one that is never seen has no score); of a layout with a face its RMSE, over the jaw's
    3 numbers in radians and 10 coefficients of expression; usage and perplexity of the codes.
    Beside them each clip as the next one is said, and where there are training clips, of the first
    KNOWN of them: the mean pose, and for every four frames the nearest of as many k-means codes as
    the tokenizer has, and the nearest four training frames, by all joints.

    judge: another tokenizer, whose features FID compares; beside it FID of two halves of the true clips and of
    what is made of training.
    advance: is told of each clip. Raises UsageError for no sample, for a judge that reads other numbers,
    and for clips that the model must not read (`refuse_untrusted`).
    """
    count = len(samples) if limit is None else min(limit, len(samples))
    if not count:
        raise UsageError("there is no clip to say again; give a split that has some")
    if judge is not None:
        check_judge(judge, model)
    true, again, seen, ids, told_features, true_features = [], [], [], [], [], []
    simulated = True
    for place in range(count):
        sample = samples[place]
        refuse_untrusted(model, sample.clip.simulated, allow_simulated, sample.id)
        simulated = simulated and sample.clip.simulated
        numbers, shown = model.read_and_seen(sample)
        ids.append(model.ids(numbers))
        said = model.numbers(ids[-1])
        true.append(_motion(model, numbers))
        again.append(_motion(model, said))
        seen.append(shown)
        if judge is not None:
            told_features.append(judge.summary(said))
            true_features.append(judge.summary(numbers))
        advance(1)
    metrics = [*errors(again, true, seen), *codes(model, ids)]
    baselines = {SHUFFLED: errors([*again[1:], again[0]], true, seen)}
    crowds = np.array(told_features, np.float32), np.array(true_features, np.float32)
    if known is not None:
        baselines |= _from_training(model, known, true, seen, judge, crowds[1])
    if judge is None:
        return Rating(simulated, count, tuple(metrics), baselines)
    metrics.append(count_fid(*crowds, named(judge)).score())
    half = count // 2
    if half > 1:
        one, other = crowds[1][:half], crowds[1][half : 2 * half]
        baselines[HALVES] = (count_fid(one, other, named(judge)).score(),)
    return Rating(simulated, count, tuple(metrics), baselines, crowds)


def check_judge(judge: MotionTokens, model: MotionTokens) -> None:
    """Raises UsageError where the two do not read the same numbers."""
    if _read(judge) != _read(model):
        raise UsageError(
            f"the encoder '{named(judge)}' reads '{judge.config.reads}' of layout '{judge.config.layout}', and "
            f"the tokenizer '{model.config.reads}' of '{model.config.layout}'; give one that reads the same"
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


def errors(
    told: Sequence[Motion], true: Sequence[Motion], seen: Sequence[Seen]
) -> tuple[Score, ...]:
    """MPJPE of both hands and of each part, PA-MPJPE of each part and RMSE of the face, of the frames that both
    have.

    seen: of each true clip; a part counts in the frames in which it was seen. Clips that never show it are
    excluded, and without any other there is no score of it.
    """
    pairs, faces = [], []
    for one, other, shown in zip(told, true, seen, strict=True):
        both = min(len(one.joints), len(other.joints))
        there = {part: at[:both] for part, at in shown.items()}
        pairs.append((one.joints[:both], other.joints[:both], there, of_joints(there)))
        off = (one.face[:both] - other.face[:both])[there["face"]]
        faces.append(_counted(off**2))
    parts: Mapping[str, slice] = {"hands": HANDS, **SIGNING_PARTS}
    joints = {"body": "8 from the chest", "hands": "15 of each hand from its wrist"}
    joints |= dict.fromkeys(("left_hand", "right_hand"), "15 of the hand from its wrist")
    found = [
        _mean(
            f"MPJPE-{name}",
            [_counted(_apart(a[:, at], b[:, at])[own[:, at]]) for a, b, _, own in pairs],
            joints[name],
        )
        for name, at in parts.items()
    ]
    found += [
        _mean(
            f"PA-MPJPE-{name}",
            [_counted(_apart_aligned(a[s[name], at], b[s[name], at])) for a, b, s, _ in pairs],
            f"{joints[name]}, each frame aligned (Procrustes)",
        )
        for name, at in SIGNING_PARTS.items()
    ]
    found.append(_over_clips("RMSE-face", np.array(faces), _root_mean, FACE_SIGNATURE))
    return tuple(score for each in found for score in each)


def _root_mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(mean_of(sums))


def _motion(model: MotionTokens, numbers: Float[np.ndarray, "frames inputs"]) -> Motion:
    return Motion(model.positions(numbers), model.face(numbers))


def _apart(
    told: Float[np.ndarray, "frames joints 3"], true: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames joints"]:
    """Millimetres between joints."""
    return 1000 * np.linalg.norm(told - true, axis=2)


def _apart_aligned(
    told: Float[np.ndarray, "frames joints 3"], true: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames joints"]:
    return _apart(aligned(told, true), true)


def _counted(apart: Float[np.ndarray, "..."]) -> tuple[float, float]:
    """(the sum, how many)."""
    return float(apart.sum()), float(apart.size)


def _mean(name: str, apart: Sequence[tuple[float, float]], what: str) -> tuple[Score, ...]:
    signature = (
        f"unit:mm|joints:{what}|frames:in which all of the part was seen|mean:joints and frames"
    )
    return _over_clips(name, np.array(apart), mean_of, signature)


def _over_clips(
    name: str, statistics: NDArray[np.float64], values: Values, signature: str
) -> tuple[Score, ...]:
    """The score of the clips that count (..., n > 0); none where no clip does."""
    there = statistics[statistics[:, 1] > 0]
    if not len(there):
        return ()
    gone = len(statistics) - len(there)
    return (Counts(name, there, values, signature, gone, unit="", better="low").score(),)


def codes(model: MotionTokens, ids: Sequence[Int[np.ndarray, " _"]]) -> tuple[Score, Score]:
    """Usage of the codes in percent, and the perplexity of each four frames' k-th id, the mean over k."""
    said, book, n = np.concatenate(ids), model.vq.codebook, len(ids)
    used, even = model.use(said)
    what = f"codes:{book.size}|moments:{len(said) // book.depth}"
    return (
        Score("usage", used, what, n, 0, (used, used)),
        Score("perplexity", even, what, n, 0, (even, even), ""),
    )


def _from_training(
    model: MotionTokens,
    known: SampleSource,
    true: Sequence[Motion],
    seen: Sequence[Seen],
    judge: MotionTokens | None,
    features: NDArray[np.float32],
) -> dict[str, tuple[Score, ...]]:
    """The mean pose, k-means codes and the nearest four frames of training, each as what is said.

    Joints tell what is nearest. A k-means code is the mean of its moments, also of their other numbers, which
    the judge reads. features: what that makes of each true clip.
    """
    learnt = [model.read(known[place]) for place in range(min(KNOWN, len(known)))]
    poses = [model.positions(numbers) for numbers in learnt]
    moments = torch.cat([_moments(pose) for pose in poses])
    rows = torch.from_numpy(np.concatenate(learnt))
    pose, row = np.concatenate(poses).mean(0), rows.mean(0).numpy()
    rows = rows.reshape(len(moments), -1)
    size = model.vq.codebook.size

    def still(clip: Positions) -> Said:
        return np.broadcast_to(pose, clip.shape), np.repeat(row[None], len(clip), 0)

    def near(vectors: Tensor, numbers: Tensor) -> Callable[[Positions], Said]:
        def said(clip: Positions) -> Said:
            at = nearest(_moments(clip), vectors)
            return _joints(vectors[at]), numbers[at].reshape(len(clip), -1).numpy()

        return said

    ways: dict[str, Callable[[Positions], Said]] = {"mean pose": still}
    if len(moments) > size:
        centres = k_means(moments, size, 0)
        ways[f"nearest of {size} k-means codes"] = near(centres, means(rows, moments, centres))
    ways["nearest four frames"] = near(moments, rows)
    found = {}
    for name, way in ways.items():
        said, told = [], []
        for clip in true:
            joints, numbers = way(clip.joints)
            said.append(Motion(joints, model.face(numbers)))
            if judge is not None:
                told.append(judge.summary(numbers))
        found[name] = errors(said, true, seen)
        if judge is not None:
            found[name] += (count_fid(np.array(told), features, named(judge)).score(),)
    return found


def _moments(clip: Positions) -> Float[Tensor, "moments numbers"]:
    """Every four frames of a clip as one vector."""
    whole = whole_moments(clip)
    return torch.from_numpy(whole.reshape(len(whole) // STRIDE, -1)).float()


def _joints(moments: Float[Tensor, "moments numbers"]) -> Positions:
    return moments.double().numpy().reshape(-1, SIGNING_JOINTS, 3)


def nearest(
    asked: Float[Tensor, "n numbers"], known: Float[Tensor, "k numbers"]
) -> Int[Tensor, " n"]:
    """The place in ``known`` of the vector nearest to each of ``asked``."""
    return torch.cat([torch.cdist(part, known).argmin(1) for part in asked.split(1024)])


def means(
    rows: Float[Tensor, "n width"],
    vectors: Float[Tensor, "n numbers"],
    centres: Float[Tensor, "count numbers"],
) -> Float[Tensor, "count width"]:
    """The mean of the rows whose vectors are nearest to each centre; where there are none, that of the one
    nearest vector."""
    own = nearest(vectors, centres)
    load = own.bincount(minlength=len(centres))[:, None]
    summed = rows.new_zeros(len(centres), rows.shape[1]).index_add_(0, own, rows)
    return torch.where(load > 0, summed / load.clamp(min=1), rows[nearest(centres, vectors)])


def k_means(
    vectors: Float[Tensor, "n numbers"], count: int, seed: int
) -> Float[Tensor, "count numbers"]:
    """The centres after ROUNDS of Lloyd's, from vectors drawn with the seed."""
    draws = torch.Generator().manual_seed(seed)
    centres = vectors[torch.randperm(len(vectors), generator=draws)[:count]].clone()
    for _ in range(ROUNDS):
        at = nearest(vectors, centres)
        load = at.bincount(minlength=len(centres))
        summed = torch.zeros_like(centres).index_add_(0, at, vectors)
        own = load > 0
        centres[own] = summed[own] / load[own, None]
    return centres
