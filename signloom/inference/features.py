"""A clip as a model's backbone sees it: features that are computed once, for what stands behind them.

A bridge and a language model over a backbone that stands still need nothing else of a clip, and the
backbone is most of the work (docs/methods/unified.md). Features are a clip too (`data.features`), so they are
stored, cut and read like keypoints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.features import features_clip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.sample import Sample, SampleSource
from signloom.data.timing import Seconds, Span

MARGIN: Seconds = 1.0
"""What a window of a longer clip sees beyond the features that are kept of it, at either side [D]."""


@runtime_checkable
class Seeing(Protocol):
    """A model whose backbone gives frames.

    window: the longest stretch it looks at, in seconds. rate: its frames a second. width: numbers in each.
    watches: it sees in chunks, and a clip of any length.
    """

    @property
    def layout(self) -> Layout: ...

    @property
    def window(self) -> Seconds: ...

    @property
    def rate(self) -> float: ...

    @property
    def width(self) -> int: ...

    @property
    def reads_lips(self) -> bool: ...

    @property
    def watches(self) -> bool: ...

    def features(self, clip: PoseClip, lips: Lips | None = None) -> NDArray[np.float32]:
        """(frames, width) of a clip of one window at most, of any clip where it ``watches``."""
        ...


def featured(model: Seeing, clip: PoseClip, made_by: str, lips: Lips | None = None) -> PoseClip:
    """The clip's features, ``rate`` a second, in layout features-WIDTH; as many as its duration has.

    made_by: what the origin says of the model, beside where the clip came from.

    A clip of one window is seen whole, as in translation. A longer one is seen in windows that
    overlap, each of which gives its middle: every feature is of a window, and has MARGIN seconds
    on either side of it where the clip has. A model that sees in chunks sees all of it, from its first frame on.
    Raises UsageError where the clip's layout does not convert to the model's.
    """
    rate = model.rate
    total = max(1, round(clip.duration * rate))
    rows = np.empty((total, model.width), np.float32)
    longest = total if model.watches else int(model.window * rate)
    for window, kept in _windows(total, longest, round(MARGIN * rate)):
        span = Span(window.start / rate, min(window.stop / rate, clip.duration))
        whole = len(window) == total
        seen = model.features(
            clip if whole else clip.cut(span),
            lips if whole or lips is None else lips.cut(span),
        )
        # Rounding may make a window one frame shorter than it is long.
        at = np.minimum(np.arange(kept.start, kept.stop) - window.start, len(seen) - 1)
        rows[kept.start : kept.stop] = seen[at]
    settings = {**clip.origin.settings, "features": made_by}
    return features_clip(rows, rate, clip.id, replace(clip.origin, settings=settings))


def _windows(total: int, longest: int, margin: int) -> Iterator[tuple[range, range]]:
    """(what is looked at, what is kept of it): the kept ones are 0 … total, once each and in order."""
    longest = max(longest, 1)
    margin = min(margin, (longest - 1) // 2)
    kept = 0
    while kept < total:
        start = max(0, min(kept - margin, total - longest))
        stop = min(start + longest, total)
        end = stop if stop == total else stop - margin
        yield range(start, stop), range(kept, end)
        kept = end


@dataclass(frozen=True)
class Featured:
    """The samples of a source with features in place of keypoints. A SampleSource."""

    source: SampleSource
    model: Seeing
    made_by: str

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Sample:
        sample = self.source[index]
        clip = featured(self.model, sample.clip, self.made_by, sample.lips)
        return replace(sample, clip=clip, lips=None)
