"""One clock: seconds at every public boundary, frames inside; this file alone converts."""

from __future__ import annotations

import math
from dataclasses import dataclass

Seconds = float


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of time, start ≤ end, in seconds.

    >>> Span(1.6, 2.4).frames(fps=25)
    (40, 60)
    """

    start: Seconds
    end: Seconds

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(f"span ({self.start}, {self.end}) is not finite; give seconds")
        if self.end < self.start:
            raise ValueError(f"span ends at {self.end} s, before its start at {self.start} s")

    @property
    def duration(self) -> Seconds:
        return self.end - self.start

    def frames(self, fps: float, total: int | None = None) -> tuple[int, int]:
        """Half-open frame range [first, last), clipped to ``total`` frames where given."""
        first, last = round_half_up(self.start * fps), round_half_up(self.end * fps)
        if total is not None:
            first, last = min(max(first, 0), total), min(max(last, 0), total)
        return first, last

    @classmethod
    def of_frames(cls, first: int, last: int, fps: float) -> Span:
        """The span covered by the half-open frame range [first, last)."""
        return cls(first / fps, last / fps)

    def shifted(self, by: Seconds) -> Span:
        return Span(self.start + by, self.end + by)


def round_half_up(value: float) -> int:
    """Nearest integer, halves up, with 1e-6 of tolerance for binary fractions."""
    return math.floor(value + 0.5 + 1e-6)
