"""A clip's frames as vectors, for encoders that read keypoints frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.clip import PoseClip


def frame_features(
    clip: PoseClip, coordinates: int = 2, local: bool = False
) -> NDArray[np.float32]:
    """(frames, features) of a normalised clip: keypoints in layout order, then the local hands."""
    frames = len(clip)
    points = clip.points[:, :, :coordinates]
    parts = [points.reshape(frames, -1)]
    if local:
        hands = [clip.layout.part(side) for side in ("left_hand", "right_hand")]
        parts += [hand.reshape(frames, -1) for hand in local_hands(points, clip.present, hands)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1), np.float32)


def local_hands(
    points: NDArray[np.float32],
    present: NDArray[np.bool_],
    hands: Sequence[NDArray[np.int_]],
) -> list[NDArray[np.float32]]:
    """Each hand from its wrist, in units of the clip's mean palm (wrist to middle knuckle, both hands).

    points (frames, keypoints, C); hands: 21 indices each, wrist first, middle knuckle tenth.
    """
    local = []
    palms = []
    for hand in hands:
        seen = present[:, hand]
        whole = seen[:, 0] & seen[:, 9]
        own = np.where(
            (seen & whole[:, None])[:, :, None], points[:, hand] - points[:, hand[:1]], 0
        )
        local.append(own.astype(np.float32))
        palms.append(np.linalg.norm(own[whole, 9, :2], axis=1))
    palm = np.concatenate(palms)
    scale = float(palm.mean()) if palm.size else 0.0
    return [hand / np.float32(scale) if scale > 1e-6 else hand for hand in local]


def minmax_joint(clip: PoseClip) -> PoseClip:
    """All present keypoints moved and scaled as one: centre of their box at 0, its longer side 2 (ours).

    In units of the picture first, x of its width and y of its height: that is how corpora
    of hands come, whose pixels nobody knows any more, and a video must look the same.
    """
    seen = clip.present
    if not seen.any():
        return clip
    width, height = clip.size
    scaled = clip.points / np.array([width, height, width], np.float32)
    low, high = scaled[seen].min(axis=0), scaled[seen].max(axis=0)
    half = max(float((high - low)[:2].max()) / 2, 1e-6)
    moved = (scaled - (low + high) / 2) / np.float32(half)
    return clip.with_points(np.where(seen[:, :, None], moved, np.float32(0)), size=(1, 1))


def noisy(clip: PoseClip, rng: np.random.Generator, hands: float, body: float) -> PoseClip:
    """Gaussian noise on present keypoints, of σ ``body`` on the body and ``hands`` elsewhere (spec §1)."""
    sigma = np.full(len(clip.layout), hands, np.float32)
    sigma[clip.part("body")] = body
    noise = rng.standard_normal(clip.points.shape, np.float32) * sigma[None, :, None]
    return clip.with_points(clip.points + np.where(clip.present[:, :, None], noise, np.float32(0)))


def resampled(clip: PoseClip, fps: float | None) -> PoseClip:
    """The clip at ``fps`` by nearest frames; as it is within 2 % of that, or for None."""
    frames = frames_at(len(clip), clip.fps, fps)
    if fps is None or frames is None:
        return clip
    return replace(clip.frames(frames), fps=float(fps))


def frames_at(count: int, fps: float, wanted: float | None) -> NDArray[np.int64] | None:
    """Which of ``count`` frames are nearest at another rate; None = as they are (see `resampled`)."""
    if wanted is None or abs(fps / wanted - 1) < 0.02 or not count:
        return None
    kept = max(1, round(count * wanted / fps))
    return np.minimum(((np.arange(kept) + 0.5) * fps / wanted).astype(np.int64), count - 1)


def rate_of(clip: PoseClip, wanted: float | None) -> float:
    """Frames a second that `resampled` gives a clip."""
    return clip.fps if frames_at(len(clip), clip.fps, wanted) is None else float(wanted or clip.fps)


def pad_frames(
    features: Sequence[NDArray[np.float32]],
) -> tuple[Float[Tensor, "batch time *features"], Bool[Tensor, "batch time"]]:
    """Zero-padded to the longest, and True on real frames; a clip without frames counts as one of zeros.

    features: (frames, …) each; what a frame is (numbers, keypoints, a picture) is alike in all.
    """
    time = max(1, *(len(clip) for clip in features))
    padded = torch.zeros(len(features), time, *features[0].shape[1:])
    mask = torch.zeros(len(features), time, dtype=torch.bool)
    for row, clip in enumerate(features):
        padded[row, : len(clip)] = torch.from_numpy(clip)
        mask[row, : max(1, len(clip))] = True
    return padded, mask
