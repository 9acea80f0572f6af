"""When is this text signed?: what a model is asked of a stretch of a clip, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.timing import Seconds, Span


@dataclass(frozen=True)
class Query:
    """When is ``text`` signed in this window?

    window: the stretch of the clip to look at, in seconds of the clip; no longer than the
        model's window. prior: when the text is said, on the same clock; None = do not tell.
    previous: the text before it, "" = do not tell.
    """

    window: Span
    text: str
    prior: Span | None = None
    previous: str = ""


@dataclass(frozen=True, eq=False)
class Located:
    """Where a model sees a text signed.

    spans: (when, in seconds of the clip; probability), likeliest first; probabilities sum to at
        most 1.
    posterior: (frames,) float64 in [0, 1]: for each frame of the query's window, at the model's
        rate, how likely the text is being signed there.
    """

    spans: tuple[tuple[Span, float], ...]
    posterior: NDArray[np.float64]


@runtime_checkable
class Locator(Protocol):
    """A model that finds texts in a clip.

    window: the longest stretch it looks at, in seconds. fps: the rate of its posteriors.
    """

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def simulated_only(self) -> bool: ...

    @property
    def fps(self) -> float: ...

    @property
    def window(self) -> Seconds: ...

    def locate(
        self, clip: PoseClip, queries: Sequence[Query], lips: Lips | None = None
    ) -> list[Located]:
        """One answer per query. What is computed of the clip is computed once for all of them.

        lips: the clip's, for a model that reads them.
        """
        ...
