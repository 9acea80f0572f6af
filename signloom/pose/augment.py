"""Clips as another camera or signer might have given them; every draw comes from the generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip


def random_affine(
    clip: PoseClip, rng: np.random.Generator, scale: float = 0.0, rotation: float = 0.0
) -> PoseClip:
    """The clip under one random affine map of the picture plane, about its mean keypoint.

    scale: x and y are stretched apart, each by a factor e^u with u uniform in [−scale, scale].
    rotation: turned by an angle uniform in [−rotation, rotation], in degrees.
    z is left alone; missing keypoints stay missing.
    """
    stretch = np.exp(rng.uniform(-scale, scale, 2))
    angle = np.deg2rad(rng.uniform(-rotation, rotation))
    seen = clip.present
    if not seen.any():
        return clip
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    by = (turn * stretch).astype(np.float32)
    centre = clip.points[seen][:, :2].mean(axis=0)
    points = clip.points.copy()
    points[..., :2] = (clip.points[..., :2] - centre) @ by.T + centre
    return clip.with_points(np.where(seen[..., None], points, np.float32(0)))


def mirrored(clip: PoseClip) -> PoseClip:
    """The clip as a mirror shows it: x from the right edge of the picture, left and right swapped."""
    swap = list(clip.layout.mirror)
    points = clip.points[:, swap].copy()
    points[..., 0] = clip.size[0] - points[..., 0]
    confidence = clip.confidence[:, swap]
    return clip.with_points(np.where(confidence[..., None] > 0, points, np.float32(0)), confidence)


def even_times(frames: int, count: int) -> NDArray[np.float64]:
    """(count,) evenly from the first frame to the last, in frames."""
    return np.linspace(0, max(frames - 1, 0), count)


def warped_times(
    frames: int, count: int, rng: np.random.Generator, ends: float = 0.0, bend: float = 0.0
) -> NDArray[np.float64]:
    """(count,) times in frames, never falling: a signer who begins elsewhere and hurries or lingers.

    ends: σ of both ends, as a share of the clip; what would lie outside stays at its border.
    bend: the middle comes early or late: time goes as t^e^u with u normal of σ ``bend``.
    """
    first, last = np.array([0.0, 1.0]) + ends * rng.standard_normal(2)
    last = max(last, first + 0.2)
    time = np.linspace(0, 1, count) ** np.exp(bend * rng.standard_normal())
    return np.clip(first + (last - first) * time, 0, 1) * max(frames - 1, 0)


def uneven_times(
    frames: int, count: int, rng: np.random.Generator, sigma: float, pieces: int = 6
) -> NDArray[np.float64]:
    """(count,) times in frames from the first to the last, each of ``pieces`` equal parts of the count
    at a speed of its own: e^u with u normal of σ ``sigma``, all scaled to fill the clip."""
    speeds = np.exp(sigma * rng.standard_normal(pieces))
    knots = np.concatenate([[0.0], np.cumsum(speeds) / speeds.sum()])
    at = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, pieces + 1), knots)
    return np.asarray(at * max(frames - 1, 0))


def dropped(
    times: NDArray[np.float64], rng: np.random.Generator, share: float
) -> NDArray[np.float64]:
    """Times as after lost frames: each is lost with probability ``share`` and shows the one before."""
    kept = rng.random(len(times)) >= share
    kept[:1] = True
    return np.asarray(times[np.maximum.accumulate(np.where(kept, np.arange(len(times)), 0))])


def at_times(
    points: NDArray[np.float32], present: NDArray[np.bool_], times: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(points, present) of a clip at other times: (count, keypoints, C), (count, keypoints).

    A keypoint moves on a straight line between the frames that show it, also where it is lost
    for a while; before the first of them and after the last it stands still. ``present`` is
    that of the nearest frame. A keypoint that is never seen is 0.
    """
    frames = len(points)
    if not frames:
        return np.zeros((len(times), *points.shape[1:]), np.float32), np.zeros(
            (len(times), points.shape[1]), bool
        )
    number = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(present, number, -1), axis=0)
    after = np.minimum.accumulate(np.where(present, number, frames)[::-1], axis=0)[::-1]
    floor = np.floor(times).astype(np.int64).clip(0, frames - 1)
    low = before[floor]
    high = after[np.ceil(times).astype(np.int64).clip(0, frames - 1)]
    low, high = np.where(low < 0, high, low), np.where(high == frames, low, high)
    never = ~present.any(axis=0)
    low, high = np.where(never, 0, low), np.where(never, 0, high)
    share = ((times[:, None] - low) / np.maximum(high - low, 1)).clip(0, 1)
    share = share.astype(np.float32)[..., None]
    joint = np.arange(points.shape[1])[None]
    moved = points[low, joint] * (1 - share) + points[high, joint] * share
    moved[:, never] = 0
    return moved, present[np.rint(times).astype(np.int64).clip(0, frames - 1)]
