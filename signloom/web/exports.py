"""Results as files: subtitles in the format they came in, byte for byte but for the times; tiers; data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from signloom.data.cue import Cue
from signloom.data.timing import Seconds, Span
from signloom.text.formats.eaf import with_tiers
from signloom.text.subtitles import Subtitles, compose, retimed

Subtitling = Literal["json", "vtt", "srt", "eaf", "ass", "ttml", "textgrid"]
Format = Literal[Subtitling, "pose"]
"""What results are written as."""

TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "vtt": "text/vtt; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "eaf": "application/xml",
    "ass": "text/plain; charset=utf-8",
    "ttml": "application/ttml+xml",
    "textgrid": "text/plain; charset=utf-8",
    "pose": "application/octet-stream",
}
"""Format → media type."""

ROUNDED: Seconds = 0.00051
"""Times travel as seconds with three decimals."""


def subtitles_with(subtitles: Subtitles, spans: Sequence[Span], format: str) -> bytes:
    """The subtitles at new times, one span a cue: in their own format spliced, in another written anew.

    A cue within ROUNDED of where it was stays to the byte.
    """
    new = [
        None
        if max(abs(span.start - cue.span.start), abs(span.end - cue.span.end)) <= ROUNDED
        else span
        for span, cue in zip(spans, subtitles.cues, strict=True)
    ]
    if format == subtitles.format:
        return retimed(subtitles, new)
    return compose(
        [replace(cue, span=span) for cue, span in zip(subtitles.cues, spans, strict=True)], format
    )


def tiers_of(result: Mapping[str, Any], spans: Sequence[Span] | None = None) -> bytes:
    """An EAF file of all that a result has times for. spans: the cues' places, if they were corrected."""
    tiers: dict[str, list[tuple[Span, str]]] = {}
    if result["task"] == "align":
        shift = -float(result["timecode"])
        new = spans or [_span(cue["new"]) for cue in result["cues"]]
        cues = list(zip(result["cues"], (span.shifted(shift) for span in new), strict=True))
        tiers["cues"] = [(_span(cue["old"]).shifted(shift), cue["text"]) for cue, _ in cues]
        tiers["cues aligned"] = [(span, cue["text"]) for cue, span in cues]
        tiers["confidence"] = [(span, f"{cue['confidence']:.2f}") for cue, span in cues]
    elif text := said(result):
        tiers["recognition" if result["task"] == "recognize" else "translation"] = [
            (_whole(result), text)
        ]
    tiers["signing"] = [(_span(span), "signing") for span in result["signing"]]
    tiers["phrases"] = [(_span(span), "phrase") for span in result["phrases"]]
    return with_tiers(None, tiers, media="")


def said(result: Mapping[str, Any]) -> str:
    """The text of a translation, or the gloss of a recognition; "" where the clip is none that is known."""
    if result["task"] == "translate":
        return str(result["text"])
    if result["task"] == "recognize" and result["known"] and result["candidates"]:
        return str(result["candidates"][0]["gloss"])
    return ""


def written(
    result: Mapping[str, Any], format: Subtitling, subtitles: Subtitles | None = None
) -> bytes:
    """A result as a file."""
    if format == "json":
        return json.dumps(result, indent=1, ensure_ascii=False).encode()
    if format == "eaf" and (subtitles is None or subtitles.format != "eaf"):
        return tiers_of(result)
    if subtitles is not None:
        return subtitles_with(subtitles, [_span(cue["new"]) for cue in result["cues"]], format)
    if result["task"] == "segment":
        cues = [
            Cue(_span(span), f"phrase {k}") for k, span in enumerate(result["phrases"], start=1)
        ]
    else:
        cues = [Cue(_whole(result), said(result) or "unknown")]
    return compose(cues, format)


def _whole(result: Mapping[str, Any]) -> Span:
    return Span(0.0, float(result["clip"]["duration"]))


def _span(of: Mapping[str, Any]) -> Span:
    return Span(float(of["start"]), float(of["end"]))
