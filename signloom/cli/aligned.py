"""What ``signloom align`` says of an episode: the report as data, a line, a table, files beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signloom.cli.episode import Source, Stages

if TYPE_CHECKING:
    from signloom.cli.align import Extras
    from signloom.inference.retime import Retimed, Wishes

AROUND, MOST_SHOWN = 0.6, 30
"""Seconds shown before and after a cue in the page's moments, and how many cues are shown."""


def as_json(
    media: Path | None,
    subtitles: Path,
    pose: Path | None,
    out: Path | None,
    source: Source,
    found: Retimed,
    wishes: Wishes,
    stages: Stages,
    asked: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """The report as data; times in seconds on the subtitles' own clock.

    asked: the model that was, and how its answers were used ("program", "plateau", "spotting").
    """
    from signloom import __version__

    duration = source.activity.duration

    def span(of: Any) -> dict[str, float]:
        return {"start": round(of.start, 3), "end": round(of.end, 3)}

    return {
        "signloom": __version__,
        "media": None if media is None else str(media),
        "pose": None if pose is None else str(pose),
        "subtitles": str(subtitles),
        "subtitles_sha256": hashlib.sha256(subtitles.read_bytes()).hexdigest(),
        "output": None if out is None else str(out),
        "duration": round(duration, 3),
        "fps": round(source.activity.fps, 4),
        "layout": source.layout,
        "origin": dict(source.origin),
        "method": _method(asked),
        "model": asked and asked[0],
        "place": asked and asked[1],
        "settings": {
            "offset": wishes.offset, "max_shift": wishes.max_shift,
            "min_duration": wishes.min_duration, "overlap": wishes.overlap,
            "from": wishes.within.start if wishes.within else None,
            "to": wishes.within.end if wishes.within else None,
            "locked": sorted(k + 1 for k in wishes.locked), "on_low": wishes.on_low,
            "low": wishes.low, "snap": "frame" if wishes.frame else "none",
        },
        "timecode": found.timecode,
        "already_on_signing": found.already,
        "lag": round(found.lag, 3),
        "seconds_per_unit": round(found.rate, 5),
        "confidence": round(found.confidence, 4),
        "low": found.low,
        "stages": stages.to_json(duration),
        "cues": [
            {
                "number": m.number, "id": m.cue.id, "text": m.cue.text, "old": span(m.cue.span),
                "new": span(m.span), "shift": round(m.shift, 3),
                "confidence": round(m.confidence, 4), "flags": list(m.flags),
            }
            for m in found.cues
        ],
        "worst": [m.number for m in found.worst()],
        "signing": [span(s.shifted(found.timecode)) for s in source.activity.spans()],
        "phrases": [span(s.shifted(found.timecode)) for s in source.activity.phrases()],
    }  # fmt: skip


def _method(asked: tuple[str, str] | None) -> str:
    if asked is None:
        return "no training: activity, boundaries, durations, lag"
    name, place = asked
    if place == "plateau":
        return f"model {name}: its likeliest places, warped into order"
    if place == "spotting":
        return f"model {name}: the signs it spots beside activity, boundaries, durations, lag"
    return f"model {name}: its posteriors beside activity, boundaries, durations, lag"


def summary(said: Mapping[str, Any], out: Path | None) -> str:
    """One line on an episode, and how fast each stage was."""
    cues = said["cues"]
    speeds = ", ".join(
        f"{name} {stage['x_real_time']:g}×"
        for name, stage in said["stages"].items()
        if name not in ("read subtitles", "write")
    )
    where = said["subtitles"] if out is None else out
    by = f", model {said['model']} ({said['place']})" if said["model"] else ""
    return (
        f"{where}: {len(cues)} cues, lag {said['lag']:+.2f} s, confidence {said['confidence']:.2f}, "
        f"{said['low']} low{by}; {said['duration']:.0f} s of video at × real time: {speeds}"
    )


def moves(found: Retimed) -> str:
    """Old and new time, shift and confidence of every cue."""
    from signloom.inference.retime import clock

    lines = [f"{'cue':>5}  {'old':12}  {'new':12}  {'shift':>7}  conf  flags"]
    for m in found.cues:
        lines.append(
            f"{m.number:5}  {clock(m.cue.span.start)}  {clock(m.span.start)}  {m.shift:+7.2f}  "
            f"{m.confidence:.2f}  {', '.join(m.flags)}".rstrip()
        )
    return "\n".join(lines)


def write_extras(said: Mapping[str, Any], source: Source, found: Retimed, extras: Extras) -> None:
    from signloom.data.files import writing

    for path in extras.reports:
        if path.suffix.lower() == ".json":
            with writing(path, extras.overwrite) as part:
                text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
                part.write_text(text, encoding="utf-8")
        else:
            from signloom.web.align_report import write_align_report

            moments = {
                m.number: source.moment(
                    m.span.start - found.timecode - AROUND, m.span.end - found.timecode + AROUND
                )
                for m in found.worst()[:MOST_SHOWN]
            }
            write_align_report(said, moments, path, extras.overwrite)
    if extras.eaf is not None:
        from signloom.text.formats.eaf import with_tiers

        local = [(m.span.shifted(-found.timecode), m) for m in found.cues]
        tiers = {
            "cues": [(m.cue.span.shifted(-found.timecode), m.cue.text) for m in found.cues],
            "cues aligned": [(span, m.cue.text) for span, m in local],
            "confidence": [(span, f"{m.confidence:.2f}") for span, m in local],
            "signing": [(span, "signing") for span in source.activity.spans()],
            "phrases": [(span, "phrase") for span in source.activity.phrases()],
        }
        media = said["media"] or ""
        with writing(extras.eaf, extras.overwrite) as part:
            part.write_bytes(with_tiers(None, tiers, media=media))
