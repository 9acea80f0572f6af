"""Dense features: a Conformer that learned on short clips, slid over long ones (arXiv 2512.08040, §B.3)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.encoders.masked_norm import real
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.errors import UsageError


def sliding(
    conformer: Conformer,
    frames: Float[Tensor, "batch time inputs"],
    mask: Bool[Tensor, "batch time"],
    window: int = 24,
    stride: int = 2,
    length: int | None = None,
) -> tuple[Float[Tensor, "batch positions width"], Bool[Tensor, "batch positions"]]:
    """One vector per window of frames that are encoded already: (positions, which are real).

    500 frames give 239 windows of 24, every 2 [S]. Only the Conformer sees windows, and what it
    does frame by frame at first (`Conformer.alone`) is done once per frame, its dropout with it.
    A window is real where all its frames are, and the first one is where a clip is shorter than
    that; the others are 0. Fewer than ``stride`` frames at a clip's end may be in no window.

    length: positions to return, by repeating a clip's first and last one, half of what is
    missing before it and the rest behind [D; the paper pads to 250 and does not say how].
    With ``length`` = T / stride, position p then stands for the frames from p·stride on. None
    repeats nothing.

    ``mask`` is True on real frames, which come first. Raises UsageError where ``length`` is
    less than the number of windows.
    """
    pooled, whole = each_window(conformer, conformer.alone(frames), mask, window, stride)
    return lengthened(pooled, whole, length)


def each_window(
    conformer: Conformer,
    alone: Float[Tensor, "batch time width"],
    mask: Bool[Tensor, "batch time"],
    window: int,
    stride: int,
) -> tuple[Float[Tensor, "batch positions width"], Bool[Tensor, "batch positions"]]:
    """`sliding` of frames that `Conformer.alone` has seen, before any is set to 0 or repeated."""
    views = windows(alone, window, stride)  # (B, P, window, width)
    real_frames = _used(windows(mask[:, :, None], window, stride)[..., 0])  # (B, P, window)
    x, attention = conformer.encode(views.flatten(0, 1), real_frames.flatten(0, 1))
    pooled = attentive_pool(x, attention, real_frames.flatten(0, 1))
    return pooled.unflatten(0, (len(alone), -1)), _whole(real_frames)


def sliding_whole(
    backbone: PoseBackbone,
    points: Float[Tensor, "batch time keypoints coordinates"],
    mask: Bool[Tensor, "batch time"],
    window: int = 24,
    stride: int = 2,
    length: int | None = None,
) -> tuple[Float[Tensor, "batch positions width"], Bool[Tensor, "batch positions"]]:
    """The same with the whole backbone in each window, as in its training on single signs.

    This is what `sliding` is measured against: each frame passes the graph encoders
    window/stride times, and they see nothing outside the window. Arguments and errors as there.
    """
    batch = points.shape[0]
    views = windows(points.flatten(2), window, stride)
    real_frames = _used(windows(mask[:, :, None], window, stride)[..., 0])
    pooled = backbone(
        views.flatten(0, 1).unflatten(-1, points.shape[2:]), real_frames.flatten(0, 1)
    ).pooled
    return lengthened(pooled.unflatten(0, (batch, -1)), _whole(real_frames), length)


def windows(x: Tensor, window: int, stride: int) -> Tensor:
    """(B, T, C) → (B, P, window, C), P = ⌊(T − window) / stride⌋ + 1; a shorter x is padded with 0."""
    x = torch.nn.functional.pad(x, (0, 0, 0, max(0, window - x.shape[1])))
    return x.unfold(1, window, stride).transpose(2, 3)


def _used(real_frames: Tensor) -> Tensor:
    """Without the frames of windows that are not real: batch statistics would count what padding adds."""
    return real_frames & _whole(real_frames)[:, :, None]


def _whole(real_frames: Tensor) -> Tensor:
    """(B, P): the windows without padding, and a clip's first one if it has any frame."""
    whole = real_frames.all(2)
    whole[:, 0] = real_frames[:, 0].any(1)
    return whole


def lengthened(
    pooled: Float[Tensor, "batch windows width"],
    mask: Bool[Tensor, "batch windows"],
    length: int | None,
) -> tuple[Float[Tensor, "batch positions width"], Bool[Tensor, "batch positions"]]:
    """Padding set to 0, or ``length`` positions with the first and last real one repeated.

    Raises UsageError as `sliding`.
    """
    batch, count, width = pooled.shape
    if length is None:
        return pooled * real(mask, pooled), mask
    if length < count:
        raise UsageError(
            f"there are {count} windows, more than the {length} positions asked for; "
            f"ask for at least {count}, or give fewer frames"
        )
    number = mask.sum(1, keepdim=True)  # (B, 1)
    before = (length - count) // 2
    at = torch.arange(length, device=pooled.device)[None]
    kept = (at < number + (length - count)) & (number > 0)
    source = torch.minimum((at - before).clamp(min=0), (number - 1).clamp(min=0))
    repeated = pooled.gather(1, source[:, :, None].expand(batch, length, width))
    return repeated * real(kept, repeated), kept
