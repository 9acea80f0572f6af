"""The alignment report: one HTML file on what was done to each cue, to open offline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from signloom.data.clip import SIMULATED, PoseClip
from signloom.data.files import writing
from signloom.data.timing import Seconds
from signloom.inference.retime import clock
from signloom.web.report import filled, packed_clip

TEMPLATE = Path(__file__).with_name("align_report.html")
MOMENTS = 30
"""At most so many cues are shown with the signer moving …"""
LONGEST: Seconds = 8.0
"""… for so long …"""
FPS = 12.5
"""… at so many frames a second …"""
MOVING_BYTES = 4_000_000
"""… and so many bytes of poses in all."""
HIGH = 0.75
"""From this confidence on a placement is called high."""
NOT_PLACED = {"locked", "outside", "not speech"}
LOW = {"low", "no signing"}

MINUTE: Seconds = 60.0
GUTTER = 90
WIDE = 20
"""Of the timeline, in units of its picture: the names of the lanes, and one second."""

SIMULATED_NOTE = (
    "Simulated: these poses come from signloom's simulator, not from a person signing. Nothing "
    "here says how well the subtitles of a real broadcast would be timed."
)
FLAGS = {
    "low": "placed with low confidence",
    "no signing": "probably nobody signs it",
    "prior": "moved only by the lag there",
    "kept": "left where it was given",
    "clamped": "moved again, so that nothing overlaps or is too short",
    "locked": "right already, as you said",
    "outside": "outside of what was to be moved",
    "not speech": "music, a sound or empty: follows its neighbours",
}


def write_align_report(
    said: Mapping[str, Any], moments: Mapping[int, PoseClip], path: Path, overwrite: bool
) -> None:
    """Writes the page on one re-timed episode; it loads nothing, and every text in it is escaped.

    said: the report as data, as ``signloom align --report r.json`` writes it; times in seconds
    on the subtitles' clock. moments: cue number → the clip at its new time; the first 30 of
    ``said["worst"]`` are shown, 8 s of each at 12.5 frames a second.
    Raises UsageError if ``path`` exists and ``overwrite`` is off.
    """
    with writing(path, overwrite) as part:
        part.write_text(rendered(said, moments), encoding="utf-8")


def rendered(said: Mapping[str, Any], moments: Mapping[int, PoseClip]) -> str:
    """The page as text; see ``write_align_report``."""
    moving = _moving(said["worst"], moments)
    simulated = said["origin"].get("extractor") == SIMULATED
    return filled(
        TEMPLATE,
        {
            "subtitle": escape(Path(said["subtitles"]).name),
            "notice": f'<p class="note" role="note">{escape(SIMULATED_NOTE)}</p>' if simulated else "",
            "summary": _definitions(_summary(said)),
            "facts": _definitions(_facts(said)),
            "timeline": _timeline(said),
            "worst": _worst(said, moving),
            "cues": "".join(_row(cue, said) for cue in said["cues"]),
            "flags": _definitions((flag, FLAGS[flag]) for flag in FLAGS),
            "limits": f"high from {HIGH:g}, low below {said['settings']['low']:g}",
            "data": json.dumps({str(number): moment for number, moment in moving.items()}),
        },
    )  # fmt: skip


def level(cue: Mapping[str, Any], low: float) -> str:
    """'high', 'medium' or 'low'; 'not placed' where the cue was not to be placed by the signing."""
    flags = set(cue["flags"])
    if flags & NOT_PLACED:
        return "not placed"
    if flags & LOW or cue["confidence"] < low:
        return "low"
    return "high" if cue["confidence"] >= HIGH else "medium"


def thinned(clip: PoseClip) -> PoseClip:
    """The first 8 s of a clip, at 12.5 frames a second where it has more."""
    fps = min(clip.fps, FPS)
    count = min(int(np.ceil(len(clip) * fps / clip.fps - 1e-9)), round(LONGEST * fps))
    chosen = np.floor(np.arange(count) * clip.fps / fps + 1e-9).astype(np.int64)
    return replace(clip.frames(np.minimum(chosen, len(clip) - 1)), fps=fps)


def _moving(worst: Sequence[int], moments: Mapping[int, PoseClip]) -> dict[int, dict[str, Any]]:
    """Cue number → its clip as the page draws it, of the worst cues that have frames."""
    moving: dict[int, dict[str, Any]] = {}
    size = 0
    for number in worst[:MOMENTS]:
        if number not in moments or not len(moments[number]):
            continue
        moment = packed_clip(thinned(moments[number]))
        size += len(moment["points"])
        if size > MOVING_BYTES:
            break
        moving[number] = moment
    return moving


# --- what is said of the whole -------------------------------------------------------------------


def _summary(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    placed = [cue for cue in said["cues"] if not set(cue["flags"]) & NOT_PLACED]
    return [
        ("Subtitles", said["subtitles"]),
        ("Video or poses", " with ".join(filter(None, (said["media"], said["pose"])))),
        ("Written to", said["output"] or "not written"),
        ("Cues", f"{len(said['cues'])}, of which {len(placed)} were placed by the signing"),
        ("Lag of signing behind speech", f"{said['lag']:+.2f} s (median)"),
        ("Confidence", f"{said['confidence']:.2f} (mean)"),
        ("Low", f"{said['low']} of {len(placed)}"),
        ("Length", f"{clock(said['duration'])} of video"),
        ("Speed, × real time", _speeds(said)),
        ("Method", said["method"]),
    ]


def _speeds(said: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {stage['x_real_time']:,.1f}×"
        for name, stage in said["stages"].items()
        if name not in ("read subtitles", "write")
    )


def _facts(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    origin = said["origin"]
    made = " ".join(
        filter(None, (str(origin.get("extractor", "")), str(origin.get("version", ""))))
    )
    settings = {name: value for name, value in said["settings"].items() if value not in (None, [])}
    return [
        ("signloom", said["signloom"]),
        ("SHA-256 of the subtitles", said["subtitles_sha256"]),
        ("Poses from", made or "unknown"),
        ("Layout, frames a second", f"{said['layout']}, {said['fps']:g}"),
        ("Clock at the start of the video", clock(said["timecode"])),
        ("Signing takes", f"{said['seconds_per_unit']:g} s a unit of text"),
        ("Settings", ", ".join(f"{name} {value}" for name, value in settings.items())),
    ]  # fmt: skip


def _definitions(pairs: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(what)}</dd>" for name, what in pairs)


# --- the timeline --------------------------------------------------------------------------------


def _timeline(said: Mapping[str, Any]) -> str:
    """A picture a minute: the minutes of the video, and those in which a cue starts."""
    low = said["settings"]["low"]
    first, last = said["timecode"], said["timecode"] + said["duration"]
    minutes = set(range(int(first // MINUTE), int(max(last - 1e-6, first) // MINUTE) + 1))
    for cue in said["cues"]:
        minutes |= {int(cue[when]["start"] // MINUTE) for when in ("old", "new")}
    drawn: dict[int, list[str]] = {minute: [] for minute in minutes}
    numbers: dict[int, list[int]] = {minute: [] for minute in minutes}
    written: dict[int, float] = {}
    for cue in said["cues"]:
        old, new, number = cue["old"], cue["new"], cue["number"]
        word = level(cue, low)
        told = f"{number}: {clock(old['start'])} to {clock(new['start'])}, {word}"
        both = (min(old["start"], new["start"]), max(old["end"], new["end"]))
        for minute in _touched(*both, minutes):
            numbers[minute].append(number)
            x, moved = _x(old["start"], minute), _x(new["start"], minute)
            shapes = [
                _bar(old, minute, 36, 18, 'class="given"'),
                _bar(new, minute, 66, 18, f'class="bar" fill="url(#{word.replace(" ", "-")})"'),
                f'<path class="moved" d="M{x:.0f} 54L{moved:.0f} 66"/>',
            ]
            # A number has room where the one before it is far enough to the left.
            if int(old["start"] // MINUTE) == minute and abs(x - written.get(minute, 0.0)) > 36:
                written[minute] = x
                shapes.append(f'<text x="{x:.0f}" y="32">{number}</text>')
            drawn[minute].append(f"<g><title>{escape(told)}</title>{''.join(shapes)}</g>")
    for name, top in (("signing", 94), ("phrases", 108)):
        for segment in said[name]:
            for minute in _touched(segment["start"], segment["end"], minutes):
                drawn[minute].append(_bar(segment, minute, top, 9, f'class="{name}"'))
    return "".join(_minute(minute, drawn[minute], numbers[minute]) for minute in sorted(minutes))


def _touched(start: Seconds, end: Seconds, minutes: set[int]) -> list[int]:
    """The minutes that a stretch reaches into."""
    first, last = int(start // MINUTE), int(max(end - 1e-6, start) // MINUTE)
    if last - first > len(minutes):
        return sorted(minute for minute in minutes if first <= minute <= last)
    return [minute for minute in range(first, last + 1) if minute in minutes]


def _x(seconds: Seconds, minute: int) -> float:
    """Where a time is in the picture of a minute; beyond its edges where it is of another one."""
    inside = min(max(seconds - minute * MINUTE, -MINUTE), 2 * MINUTE)
    return GUTTER + WIDE * inside


def _bar(span: Mapping[str, float], minute: int, top: int, high: int, attributes: str) -> str:
    left = max(_x(span["start"], minute), GUTTER)
    right = min(_x(span["end"], minute), GUTTER + WIDE * MINUTE)
    beside = right <= left and span["end"] > span["start"]
    if beside or right < left or left >= GUTTER + WIDE * MINUTE:
        return ""
    wide = max(right - left, 1.5)
    return f'<rect {attributes} x="{left:.0f}" y="{top}" width="{wide:.1f}" height="{high}"/>'


def _minute(minute: int, shapes: Sequence[str], numbers: Sequence[int]) -> str:
    begins = clock(minute * MINUTE).partition(".")[0]
    cues = "no cues"
    if numbers:
        cues = f"cues {min(numbers)} to {max(numbers)}, as given above as aligned"
    ticks = "".join(
        f'<path class="tick" d="M{_x(at, minute):.0f} 18V118"/>'
        f'<text class="soft" x="{_x(at, minute) + 3:.0f}" y="14">'
        f"{begins if k == 0 else f':{10 * k}'}</text>"
        for k in range(6)
        for at in (minute * MINUTE + 10 * k,)
    )
    lanes = "".join(
        f'<text class="soft" x="0" y="{y}">{name}</text>'
        for name, y in (("given", 50), ("aligned", 80), ("signing", 103), ("phrases", 117))
    )
    # What belongs to the minute before or after is cut off at the edges of the inner picture.
    return (
        f'<svg viewBox="0 0 {GUTTER + WIDE * 60} 122" role="img" '
        f'aria-label="Minute from {begins}: {cues}">{lanes}{ticks}'
        f'<svg x="{GUTTER}" width="{WIDE * 60}" height="122" '
        f'viewBox="{GUTTER} 0 {WIDE * 60} 122">{"".join(shapes)}</svg></svg>\n'
    )


# --- cues ----------------------------------------------------------------------------------------


def _worst(said: Mapping[str, Any], moving: Mapping[int, Mapping[str, Any]]) -> str:
    cues = {cue["number"]: cue for cue in said["cues"]}
    shown = said["worst"][:MOMENTS]
    if not shown:
        return "<p>No cue was placed by the signing, so there is none to look at.</p>"
    items = "".join(_moment(cues[number], said, moving.get(number)) for number in shown)
    more = len(said["worst"]) - len(shown)
    rest = f"<p>{more} more are in the table below.</p>" if more else ""
    return f'<ol class="worst" id="worst">{items}</ol>{rest}'


def _moment(
    cue: Mapping[str, Any], said: Mapping[str, Any], moment: Mapping[str, Any] | None
) -> str:
    number = cue["number"]
    player = '<p class="none soft">No poses are shown at this moment.</p>'
    if moment is not None:
        length = cue["new"]["end"] - cue["new"]["start"]
        cut = f"; the first {LONGEST:g} s of {length:.1f}" if length > LONGEST + 0.5 else ""
        player = (
            f'<canvas role="img" aria-label="Skeleton of the signer at cue {number}"></canvas>'
            f'<div class="controls"><button type="button" aria-keyshortcuts="k" '
            f'aria-describedby="cue-{number}">Play</button><input type="range" min="0" step="1" value="0" '
            f'max="{moment["frames"] - 1}" aria-label="Position in cue {number}">'
            f'<span class="time"></span></div><p class="small soft">Around {clock(cue["new"]["start"])}'
            f"{cut}.</p>"
        )
    return (
        f'<li data-number="{number}"><h3 id="cue-{number}">Cue {number}</h3><p class="text" lang="" dir="auto">'
        f"{escape(cue['text'])}</p><p>{_confidence(cue, said)}</p>"
        f'<p class="small">{clock(cue["old"]["start"])} → {clock(cue["new"]["start"])} '
        f"({cue['shift']:+.2f} s){_flags(cue, '; ')}</p>{player}</li>"
    )


def _row(cue: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    old, new = (f"{clock(cue[when]['start'])}–{clock(cue[when]['end'])}" for when in ("old", "new"))
    return (
        f'<tr><th scope="row">{cue["number"]}</th><td class="text" lang="" dir="auto">'
        f'{escape(cue["text"])}</td><td class="n">{old}</td><td class="n">{new}</td>'
        f'<td class="n">{cue["shift"]:+.3f}</td><td class="n">{_confidence(cue, said)}</td>'
        f"<td>{_flags(cue)}</td></tr>\n"
    )  # fmt: skip


def _confidence(cue: Mapping[str, Any], said: Mapping[str, Any]) -> str:
    """Confidence as a number, a word and a pattern."""
    word = level(cue, said["settings"]["low"])
    number = "" if word == "not placed" else f"{cue['confidence']:.2f} "
    return f'<i class="{word.replace(" ", "-")}"></i>{number}{word}'


def _flags(cue: Mapping[str, Any], before: str = "") -> str:
    flags = escape(", ".join(cue["flags"]))
    return before + flags if flags else ""
