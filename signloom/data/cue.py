"""A cue: text with a start and an end."""

from __future__ import annotations

from dataclasses import dataclass

from signloom.data.timing import Span


@dataclass(frozen=True)
class Cue:
    """One subtitle. ``span`` is in seconds from the start of the episode."""

    span: Span
    text: str
    id: str = ""
