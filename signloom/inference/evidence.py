"""What models say of where cues are signed, as evidence for ``align``: posteriors and spottings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.data.timing import Seconds

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Spotting:
    """A sign of a cue's text that a recogniser saw.

    cue: its number from 0; moment: seconds; probability: that the sign is there.
    """

    cue: int
    moment: Seconds
    probability: float


class Spottings:
    """Evidence: a cue that holds a moment at which one of its signs was seen gains that sign's log-odds.

    Raises ValueError for a probability outside (0, 1).
    """

    def __init__(self, seen: Sequence[Spotting]):
        self._of: dict[int, list[tuple[Seconds, float]]] = {}
        for s in seen:
            if not 0 < s.probability < 1:
                raise ValueError(
                    f"the spotting of cue {s.cue} at {s.moment} s has probability {s.probability}, "
                    "expected a number between 0 and 1, neither of them"
                )
            odds = float(np.log(s.probability / (1 - s.probability)))
            self._of.setdefault(s.cue, []).append((s.moment, odds))

    def __call__(self, cue: int, starts: Array, ends: Array) -> Array:
        total = np.zeros(np.broadcast_shapes(starts.shape, ends.shape))
        for moment, odds in self._of.get(cue, []):
            total += odds * ((starts <= moment) & (moment < ends))
        return total


class Posteriors:
    """Evidence: per cue and frame, a model's probability that the cue is being signed there.

    probability: cue number → (frames,) in [0, 1], beginning at ``first`` (cue number → seconds,
        0 where it is not named); a cue that is not named gets no evidence.
    weight: nats a second of frames is worth for each nat that a frame says: neighbouring
        frames say nearly the same.

    Raises ValueError where a probability is outside [0, 1].
    """

    def __init__(
        self,
        probability: Mapping[int, Array],
        fps: float,
        first: Mapping[int, Seconds] | None = None,
        weight: float = 1.0,
    ):
        self.fps, self.first = fps, dict(first or {})
        self._sums: dict[int, Array] = {}
        for cue, p in probability.items():
            if not ((p >= 0) & (p <= 1)).all():
                raise ValueError(f"the posterior of cue {cue} leaves [0, 1]; give probabilities")
            inside = np.clip(p, 0.01, 0.99)
            odds = np.log(inside / (1 - inside))
            self._sums[cue] = weight * np.concatenate([[0.0], np.cumsum(odds)]) / fps

    def __call__(self, cue: int, starts: Array, ends: Array) -> Array:
        shape = np.broadcast_shapes(starts.shape, ends.shape)
        if cue not in self._sums:
            return np.zeros(shape)
        sums, first = self._sums[cue], self.first.get(cue, 0.0)

        def upto(seconds: Array) -> Array:
            at = np.rint((seconds - first) * self.fps).astype(int)
            return sums[np.clip(at, 0, len(sums) - 1)]

        return np.broadcast_to(upto(ends) - upto(starts), shape)
