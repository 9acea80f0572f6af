"""Signing as it comes, or hours of it: each frame seen once, and any stretch of it read (ours; spec §3).

A model that sees in chunks (`unified.Config.chunk`) makes of a frame what its chunk says, wherever the
chunk stands. So frames go through the graphs once, a chunk at a time, and each window of the Conformer is
encoded once; a stretch is then a slice, of which only the bridge and the language model know.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from signloom.data.clip import PoseClip
from signloom.data.lips import Lips
from signloom.data.timing import Seconds, Span
from signloom.encoders.frames import frames_at
from signloom.encoders.sliding import each_window, lengthened
from signloom.errors import UsageError
from signloom.inference.translate import Translation
from signloom.methods.glosses import answering
from signloom.pose.convert import convert
from signloom.pose.phrases import joined

if TYPE_CHECKING:
    from signloom.methods.unified import Unified

TOGETHER = 16
"""Chunks that go through the graphs at once, where so many have come."""


class Watch:
    """What a `Unified` in chunks sees of signing, however its frames are dealt out.

    rate: frames a second that it sees. look_ahead: seconds until a frame's chunk is full, at most.
    Chunks begin at the first frame that is pushed. Raises UsageError for a model that sees whole clips.
    """

    def __init__(self, model: Unified, fps: float):
        config = model.config
        if not config.chunk:
            raise UsageError(
                f"model '{model.name}' sees whole clips; what is watched needs one trained with config.chunk "
                "(recipes/unified-sim-small-chunks.yaml)"
            )
        as_it_is = frames_at(1, fps, config.fps) is None
        self.rate = fps if as_it_is else config.fps
        self.look_ahead: Seconds = config.chunk / self.rate
        self._model, self._chunk, self._fps = model, config.chunk, fps
        self._stride, self._window = config.conformer_stride, config.conformer_window
        self._waiting: list[PoseClip] = []
        self._mouths: list[Lips] = []
        self._first, self._count = 0, 0  # frames pushed: of the first that waits, and all
        self._taken, self._kept = 0, 0  # frames at `rate`: seen so far, and the first that is held
        self._frames: list[Tensor] = []  # of each stream (frames held, width), before windows
        self._positions: list[Tensor] = []  # of each stream (windows held, width)

    @property
    def until(self) -> Seconds:
        """What lies before this is seen."""
        return self._taken / self.rate

    def push(self, piece: PoseClip, lips: Lips | None = None) -> None:
        """Further frames, as many as there are.

        lips: theirs, for a model that reads them; with every piece or with none. Raises UsageError where
        their layout does not convert to the model's, MediaError where lips have not the piece's frames.
        """
        self._waiting.append(convert(piece, self._model.layout))
        if lips is not None:
            self._mouths.append(lips.aligned_with(piece))
        self._count += len(piece)
        chunks = (self._seen_of(self._count) - self._taken) // self._chunk
        if chunks:
            self._take(self._taken + chunks * self._chunk)

    def finish(self) -> None:
        """The rest: no frame will come any more."""
        rest = max(1, round(self._count * self.rate / self._fps)) if self._count else 0
        if rest > self._taken:
            self._take(rest)
        self._waiting, self._mouths = [], []

    def forget(self, before: Seconds) -> None:
        """Nothing that begins before this will be asked for."""
        first = max(int(before * self.rate / self._stride) * self._stride, self._kept)
        if not self._frames or first >= self._taken:
            return
        gone = first - self._kept
        self._frames = [frames[gone:] for frames in self._frames]
        self._positions = [seen[gone // self._stride :] for seen in self._positions]
        self._kept = first

    def seen(
        self, span: Span, longest: int | None = None
    ) -> tuple[Float[Tensor, "1 positions width"], Bool[Tensor, "1 positions"], Seconds]:
        """What the bridge reads of a stretch: `Unified.seen`, and when what it shows begins.

        That is the position nearest to the span's start. longest: frames, what is longer is cut. Raises
        UsageError for a stretch without a frame, or one that is not seen yet or is forgotten.
        """
        stride, window = self._stride, self._window
        first = round(span.start * self.rate / stride) * stride
        last = min(round(span.end * self.rate), self._taken)
        last = last if longest is None else min(last, first + longest)
        if first < self._kept or last <= first:
            raise UsageError(
                f"a stretch of {span.start:g}–{span.end:g} s was asked for, and {self._kept / self.rate:g}–"
                f"{self.until:g} s are held; ask for a stretch inside them, of a frame or more"
            )
        at = slice(first - self._kept, last - self._kept)
        time = max(last - first, window)
        time += (window - time) % stride  # as `Unified.seen` fills it up
        count = (time - window) // stride + 1
        mask = torch.ones(1, last - first, dtype=torch.bool, device=self._frames[0].device)
        seen = []
        with answering(self._model):
            for conformer, frames, positions in zip(
                self._model.conformers, self._frames, self._positions, strict=True
            ):
                if last - first < window:
                    pooled, whole = each_window(conformer, frames[None, at], mask, window, stride)
                else:
                    begin, number = at.start // stride, (last - first - window) // stride + 1
                    pooled = positions.new_zeros(1, count, positions.shape[1])
                    pooled[0, :number] = positions[begin : begin + number]
                    whole = (torch.arange(count, device=mask.device) < number)[None]
                seen.append(lengthened(pooled, whole, time // stride))
        return torch.cat([positions for positions, _ in seen], -1), seen[0][1], first / self.rate

    def tokens(
        self, span: Span
    ) -> tuple[Float[Tensor, "1 tokens width"], Bool[Tensor, "1 tokens"], Seconds]:
        """What the language model reads of a stretch: `Unified.tokens`, and when what they show begins.

        What is longer than the model's window is cut. Raises UsageError as `seen`.
        """
        positions, there, begins = self.seen(span, self._model.config.frames)
        with answering(self._model):
            tokens, there = self._model.bridge(positions, there)
        return tokens, there, begins

    def translate(self, span: Span, beam: int | None = None, previous: str = "") -> Translation:
        """The best text of a stretch, as `Unified.translate`. Raises UsageError as `tokens`."""
        tokens, there, _ = self.tokens(span)
        return self._model.told(tokens, there, [previous], beam)[0]

    def _seen_of(self, count: int) -> int:
        """How many frames at `rate` are certain where so many have come."""
        if self.rate == self._fps:
            return count
        found = int(
            count * self.rate / self._fps
        )  # and the one behind them, where its middle has come
        return found + int(self._source(found) < count)

    def _source(self, frame: int) -> int:
        """Which of the frames that were pushed a frame at `rate` is: `frames_at`."""
        return frame if self.rate == self._fps else int((frame + 0.5) * self._fps / self.rate)

    def _take(self, until: int) -> None:
        """Sees the frames at `rate` before this, and keeps of what waits the rest."""
        clip, lips = joined(self._waiting), _behind_each_other(self._mouths)
        places = [
            min(self._source(frame), self._count - 1) - self._first
            for frame in range(self._taken, until)
        ]
        chunks = [
            np.array(places[first : first + self._chunk])
            for first in range(0, len(places), self._chunk)
        ]
        for first in range(0, len(chunks), TOGETHER):
            some = chunks[first : first + TOGETHER]
            self._see(
                [replace(clip.frames(chunk), fps=self.rate) for chunk in some],
                [None if lips is None else replace(lips[chunk], fps=self.rate) for chunk in some],
            )
        rest = slice(self._source(until) - self._first, None)
        self._first += len(clip) - len(clip.frames(rest))
        self._waiting = [clip.frames(rest)]
        self._mouths = [] if lips is None else [lips[rest]]

    def _see(self, chunks: list[PoseClip], lips: list[Lips | None]) -> None:
        """Chunks through the graphs, and the windows of the Conformer that are full with them."""
        model, stride = self._model, self._stride
        with answering(model):
            points, mask, mouths = model.padded(chunks, lips)
            new = [
                conformer.alone(frames)[mask]
                for conformer, frames in zip(
                    model.conformers, model.framed(points, mask, mouths), strict=True
                )
            ]
            self._taken += len(new[0])
            if not self._frames:
                self._frames = [frames[:0] for frames in new]
                self._positions = [frames.new_zeros(0, model.config.width) for frames in new]
            self._frames = [torch.cat(both) for both in zip(self._frames, new, strict=True)]
            for nth, (conformer, frames) in enumerate(
                zip(model.conformers, self._frames, strict=True)
            ):
                waiting = frames[None, len(self._positions[nth]) * stride :]
                if waiting.shape[1] < self._window:
                    continue
                there = torch.ones(waiting.shape[:2], dtype=torch.bool, device=waiting.device)
                pooled, _ = each_window(conformer, waiting, there, self._window, stride)
                self._positions[nth] = torch.cat([self._positions[nth], pooled[0]])


def _behind_each_other(lips: list[Lips]) -> Lips | None:
    if not lips:
        return None
    frames = np.concatenate([one.frames for one in lips])
    return replace(lips[0], frames=frames, present=np.concatenate([one.present for one in lips]))
