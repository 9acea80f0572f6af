"""Translation and alignment in one: a clip, its lips, the prompt and the answer to numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signloom.data.clip import PoseClip
from signloom.data.features import features_of
from signloom.data.layouts import layout_named
from signloom.data.lips import SEEN, Lips
from signloom.data.sample import Sample
from signloom.data.timing import Seconds, Span
from signloom.encoders.frames import frames_at, pad_frames, resampled
from signloom.errors import UsageError
from signloom.language.digits import FRAMES as TICKS
from signloom.language.digits import frames_to_digits
from signloom.language.packing import IGNORED, pad_ids
from signloom.language.t5 import TextCodec
from signloom.methods.unified_config import NAME, Config
from signloom.pose.augment import random_affine
from signloom.pose.convert import convert
from signloom.pose.normalize import shoulder
from signloom.pose.phrases import joined
from signloom.text.prompts import slt_prompt, ssa_prompt


class Example(NamedTuple):
    """One training item: points float32 (T, V, inputs); ids of the prompt's halves and of the answer.

    digits: (6,) of an alignment's answer; none (length 0) for a translation.
    mouths: float32 (T, 88, 88), zeros where there is none; of no frames for a model without lips.
    """

    points: NDArray[np.float32]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    answer: NDArray[np.int64]
    digits: NDArray[np.int64]
    mouths: NDArray[np.float32]


class Batch(NamedTuple):
    """points (B, T, V, inputs), mask (B, T); before, after, answer (B, ·) ids, −100 = none;
    digits (B, 6), −100 = a translation; mouths (B, T, 88, 88), or of no frames."""

    points: Tensor
    mask: Tensor
    before: Tensor
    after: Tensor
    answer: Tensor
    digits: Tensor
    mouths: Tensor


class Preparation:
    """Clip, prompt and answer to numbers; holds no weights, so workers copy it cheaply."""

    def __init__(self, config: Config, codec: TextCodec):
        self.config, self.codec = config, codec
        self.layout = layout_named(config.layout)

    def points(self, clip: PoseClip, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
        """(frames of one window at most, keypoints, coordinates + 1), the last one 1 where a keypoint was seen.

        In shoulder widths; with ``rng`` as in training. Of features (frames, width, 1), as they are.
        """
        config = self.config
        clip = self._first(clip)
        if config.reads_features:
            clip = resampled(convert(clip, self.layout), config.fps)
            return np.array(features_of(clip)[: config.frames, :, None])
        clip = self.normalized(clip, rng).frames(slice(0, config.frames))
        points = clip.points[:, :, : config.coordinates]
        seen = clip.present[:, :, None]
        if rng and config.noise:
            noise = rng.standard_normal(points.shape, np.float32) * np.float32(config.noise)
            points = np.where(seen, points + noise, np.float32(0))
        points = np.concatenate([points, seen.astype(np.float32)], axis=2)
        return np.ascontiguousarray(points, np.float32)

    def _first(self, clip: PoseClip) -> PoseClip:
        """Its first window; at its own rate, and so with some frames too many where `resampled` leaves that."""
        return clip.cut(Span(0.0, min(clip.duration, self.config.window)))

    def normalized(self, clip: PoseClip, rng: np.random.Generator | None = None) -> PoseClip:
        """The clip in the model's layout and at its rate, in shoulder widths; as it is where that is done.

        With `Config.chunk` the shoulders are those of each chunk. Word clips come here one by one before they are stitched, each with a camera of its own.
        """
        config = self.config
        if clip.origin.settings.get("prepared") == NAME and clip.layout == self.layout:
            return clip
        clip = resampled(convert(clip, self.layout), config.fps)
        if rng and (config.stretch or config.turn):
            clip = random_affine(clip, rng, config.stretch, config.turn)
        origin = replace(clip.origin, settings={**clip.origin.settings, "prepared": NAME})
        size = config.chunk or max(len(clip), 1)
        pieces = [
            shoulder(clip.frames(slice(first, first + size)))
            for first in range(0, max(len(clip), 1), size)
        ]
        return replace(joined(pieces), origin=origin, fps=config.fps)

    def mouths(
        self, clip: PoseClip, lips: Lips | None, rng: np.random.Generator | None = None
    ) -> NDArray[np.float32]:
        """float32 (frames of `points`, 88, 88) of a clip's lips, zeros where it has none.

        Of no frames for a model without lips. Raises MediaError where lips have not the clip's frames.
        """
        config = self.config
        if config.lips == "none":
            return np.zeros((0, SEEN, SEEN), np.float32)
        count = len(self._first(clip))
        at = frames_at(count, clip.fps, config.fps)
        at = (np.arange(count) if at is None else at)[: config.frames]
        if lips is None:
            return np.zeros((len(at), SEEN, SEEN), np.float32)
        return lips.aligned_with(clip)[at].seen(rng)

    def translation_prompt(self, previous: str) -> tuple[list[int], list[int]]:
        """The ids before and behind the signing."""
        before, after = slt_prompt(spoken=self.config.spoken, previous=previous)
        return self.codec.encode(before), [*self.codec.encode(after), self.codec.end]

    def alignment_prompt(
        self, text: str, prior: Span | None, first: Seconds = 0.0, previous: str = ""
    ) -> tuple[list[int], list[int]]:
        """The same; ``prior`` is told in the ticks of the window that begins at ``first``."""
        tick = self.config.window / TICKS
        said = None
        if prior is not None:
            at = [round((moment - first) / tick) for moment in (prior.start, prior.end)]
            said = (at[0], at[1])
        before, after = ssa_prompt(text, said, previous, frames=TICKS)
        return self.codec.encode(before), [*self.codec.encode(after), self.codec.end]

    def example(self, sample: Sample, rng: np.random.Generator, train: bool) -> Example:
        """Of a sample with a span the question when, of one without the question what."""
        config = self.config
        points = self.points(sample.clip, rng if train else None)
        told = rng.random(2) < (config.previous, config.audio)
        previous = sample.previous if told[0] and train else ""
        if sample.span is None:
            before, after = self.translation_prompt(previous)
            answer = self.codec.encode(sample.text.strip())[: config.max_tokens - 1]
            digits: tuple[int, ...] = ()
        else:
            self._check_span(sample)
            prior = sample.prior if (told[1] or not train) and config.audio else None
            before, after = self.alignment_prompt(sample.text, prior, 0.0, previous)
            tick = config.window / TICKS
            digits = frames_to_digits(
                round(sample.span.start / tick), round(sample.span.end / tick), TICKS
            )
            answer = [self.codec.digit_ids[digit] for digit in digits]
        return Example(
            points,
            np.array(before, np.int64),
            np.array(after, np.int64),
            np.array([*answer, self.codec.end], np.int64),
            np.array(digits, np.int64),
            self.mouths(sample.clip, sample.lips, rng if train else None),
        )

    def _check_span(self, sample: Sample) -> None:
        """Raises UsageError where the sample's clip is no window of the model's, or its span leaves the clip."""
        longest = self.config.window + 1 / sample.clip.fps
        if sample.clip.duration > longest or (sample.span and sample.span.end > longest):
            raise UsageError(
                f"sample '{sample.id}' asks when a text is signed in {sample.clip.duration:g} s, and "
                f"the model's window has {self.config.window:g} s; give the source of episodes "
                "the same 'seconds' as config.window"
            )
        span, frame = sample.span, 1 / sample.clip.fps
        if span and (span.start < -frame or span.end > sample.clip.duration + frame):
            raise UsageError(
                f"sample '{sample.id}' says that its text is signed at {span.start:g}–{span.end:g} s, and its "
                f"clip has {sample.clip.duration:g} s; cut a clip that holds the text, or leave the sample out"
            )

    def collate(self, examples: list[Example]) -> Batch:
        points, mask = pad_frames([example.points for example in examples])
        digits = torch.full((len(examples), 6), IGNORED)
        for row, example in enumerate(examples):
            if len(example.digits):
                digits[row] = torch.from_numpy(example.digits)
        return Batch(
            points,
            mask,
            pad_ids([example.before for example in examples]),
            pad_ids([example.after for example in examples]),
            pad_ids([example.answer for example in examples]),
            digits,
            pad_frames([example.mouths for example in examples])[0],
        )


def by_length(batch: Batch, rows: int = 8) -> list[Batch]:
    """The batch in parts of ``rows`` clips of like length, each padded no further than it needs."""
    frames = batch.mask.sum(1)
    parts = []
    for part in frames.argsort(stable=True).split(rows):
        time = int(frames[part].max())
        before, after, answer = (
            ids[part][:, : max(1, int((ids[part] != IGNORED).sum(1).max()))]
            for ids in (batch.before, batch.after, batch.answer)
        )
        points, mask, mouths = (x[part, :time] for x in (batch.points, batch.mask, batch.mouths))
        parts.append(Batch(points, mask, before, after, answer, batch.digits[part], mouths))
    return parts
