"""What each task does with an upload: checked before it is queued, done in a job, told as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from signloom import __version__
from signloom.data.clip import PoseClip
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.errors import MediaError, UntrustedResultError
from signloom.inference.retime import (
    Refine,
    Retimed,
    Wishes,
    check_order,
    retime,
    seconds_signed,
    start_timecode,
)
from signloom.inference.spotting import Sighting, Spotter, WithSpotter
from signloom.inference.translate import (
    blind,
    needs_lips,
    reads_lips,
    refuse_empty,
    refuse_untrusted,
    writes_glosses,
)
from signloom.inference.windows import WithModel
from signloom.pose.activity import Activity, activity, track
from signloom.pose.convert import conversion
from signloom.pose.files import PoseHeaderInfo, read_header, read_pose, read_slices
from signloom.text.subtitles import Subtitles
from signloom.web.align_report import NOT_PLACED, level
from signloom.web.jobs import Job
from signloom.web.limits import Limits, Refusal, over_http
from signloom.web.media import Media, poses_of
from signloom.web.models import Held

MOST_LOW = 0.5
"""With a larger share of low cues an alignment as a whole is not to be trusted."""


@dataclass(frozen=True)
class Asked:
    """One request, checked. model: None = none is needed, or none is wanted."""

    task: str
    media: Media
    limits: Limits
    model: Held | None = None
    beam: int | None = None
    alternatives: int = 0
    top: int = 5
    signer_box: str | None = None
    subtitles: Subtitles | None = None
    wishes: Wishes = field(default_factory=Wishes)
    subtitles_name: str = ""


def refuse(media: Media, model: Held | None, allow_simulated: bool) -> None:
    """What cannot come to a good end is refused before it is queued.

    Raises Refusal (422, "simulated-only") for real signing before a model that knows only simulated
    signing, UsageError for a layout that the model cannot read, MediaError for one that reads lips alone.
    """
    if model is None:
        return
    refuse_simulated(model, media.simulated, allow_simulated, media.name)
    if media.layout is not None:
        conversion(media.layout, model.model.layout)
    if needs_lips(model.model) and media.kind != "video":
        raise MediaError(
            f"{media.name} has no lips, and model '{model.name}' reads nothing else; send the video"
        )


def refuse_simulated(model: Held, simulated: bool, allow_simulated: bool, what: str) -> None:
    """Raises Refusal (422, "simulated-only") for real signing before a model of simulated signing."""
    try:
        refuse_untrusted(model.model, simulated, allow_simulated, what)
    except UntrustedResultError:
        raise Refusal(
            422,
            "simulated-only",
            f"{what} is not simulated signing, and model '{model.name}' has learnt from "
            "simulated signing only: what it said would be confident nonsense. Ask a model trained on "
            "real signing, or send allow_simulated=true to see the nonsense",
        ) from None


def refuse_subtitles(subtitles: Subtitles, name: str, media: Media, wishes: Wishes) -> None:
    """Raises SubtitleError and UsageError where cues cannot be aligned with this recording at all."""
    check_order(subtitles.cues, wishes.any_order, name)
    start_timecode(subtitles.cues, media.duration, wishes, name)


def done(asked: Asked, job: Job) -> Mapping[str, Any]:
    """The work of a job: its result as data. Raises Refusal, SignloomError, Cancelled."""
    lips = asked.model is not None and reads_lips(asked.model.model)
    poses, mouths = poses_of(asked.media, asked.limits, job.say, asked.signer_box, lips)
    job.say("activity")
    header = read_header(poses)
    found = activity(track(_watched(read_slices(poses), job)))
    said = {
        "task": asked.task,
        "signloom": __version__,
        "name": asked.media.name,
        "model": None if asked.model is None else asked.model.to_json(),
        "clip": _clip(header),
        "signing": [_span(span) for span in found.spans()],
        "phrases": [_span(span) for span in found.phrases()],
        "notices": [],
    }
    if asked.task == "segment":
        seconds = _signed(found, asked.media.name)
        return said | {"share": round(seconds / max(found.duration, 1e-9), 4)}
    if asked.task == "align":
        return said | _aligned(asked, job, found, lambda span: read_pose(poses, span), mouths)
    clip = read_pose(poses)
    try:
        refuse_empty(clip, asked.media.name)
    except MediaError as error:
        raise Refusal(422, "no-signing", str(error)) from None
    assert asked.model is not None
    notices = []
    if lips and mouths is None:
        notices.append(blind(asked.model.model, asked.media.name))
    job.say(asked.task)
    if asked.task == "recognize":
        return said | {"notices": notices} | _recognized(asked, clip, mouths)
    return said | _translated(asked, clip, mouths, notices)


def _watched(slices: Any, job: Job) -> Any:
    for clip in slices:
        job.say("activity")
        yield clip


def _translated(
    asked: Asked, clip: PoseClip, lips: Lips | None, notices: list[str]
) -> dict[str, Any]:
    assert asked.model is not None
    model = asked.model.model
    beam = max(asked.beam or model.config.beam, asked.alternatives + 1)
    told = asked.model.batches.translate(clip, beam if beam != model.config.beam else None, lips)
    read = min(model.seconds_read(clip), clip.duration)
    if read < clip.duration:
        notices.append(
            f"{asked.media.name} is {clip.duration:.1f} s long; model '{model.name}' reads the first "
            f"{read:.1f} s, the rest is not translated"
        )
    return {
        "text": told.text,
        "score": round(told.score, 6),
        "alternatives": [
            {"text": text, "score": round(score, 6)}
            for text, score in told.alternatives[: asked.alternatives]
        ],
        "glosses": writes_glosses(model),
        "seconds_read": round(read, 3),
        "notices": notices,
    }


def _recognized(asked: Asked, clip: PoseClip, lips: Lips | None) -> dict[str, Any]:
    assert asked.model is not None
    told = asked.model.batches.recognize(clip, asked.top, lips)
    return {
        "candidates": [
            {"gloss": each.gloss, "probability": round(each.probability, 6)}
            for each in told.candidates
        ],
        "known": told.known,
        "read": told.read,
    }


def _aligned(
    asked: Asked,
    job: Job,
    found: Activity,
    read: Callable[[Span], PoseClip],
    mouths: Lips | None,
) -> dict[str, Any]:
    assert asked.subtitles is not None
    job.say("align")
    _signed(found, asked.media.name)

    def watched(span: Span) -> PoseClip:
        job.say("align", round(span.start), round(found.duration))
        return read(span)

    refine: Refine | None = None
    signs: list[Sighting] = []
    if asked.model is not None and isinstance(asked.model.model, Spotter):
        refine = WithSpotter(asked.model.model, watched, found.duration, signs.extend)
    elif asked.model is not None:
        cut = None if mouths is None else mouths.cut
        refine = WithModel(asked.model.model, watched, found.duration, mouths=cut)
    moved = retime(
        asked.subtitles.cues, found, asked.wishes, name=asked.subtitles_name, refine=refine
    )
    return {
        "subtitles": asked.subtitles_name,
        "format": asked.subtitles.format,
        "timecode": moved.timecode,
        "already_on_signing": moved.already,
        "lag": round(moved.lag, 3),
        "seconds_per_unit": round(moved.rate, 5),
        "confidence": round(moved.confidence, 4),
        "low": moved.low,
        "distrust": _distrust(moved),
        "cues": cues_of(moved, asked.wishes),
        "signs": [
            {
                "gloss": sign.gloss,
                "time": round(sign.moment, 3),
                "probability": round(sign.probability, 4),
            }
            for sign in signs
        ],
        "worst": [m.number for m in moved.worst()],
        "notices": [over_http(notice) for notice in (*asked.subtitles.notices, *moved.notices)],
    }


def cues_of(moved: Retimed, wishes: Wishes) -> list[dict[str, Any]]:
    """Each cue before and after, seconds on the subtitles' clock; level: "high", "medium", "low",
    "not placed"."""
    cues = [
        {
            "number": m.number,
            "id": m.cue.id,
            "text": m.cue.text,
            "old": _span(m.cue.span),
            "new": _span(m.span),
            "shift": round(m.shift, 3),
            "confidence": round(m.confidence, 4),
            "flags": list(m.flags),
        }
        for m in moved.cues
    ]
    return [cue | {"level": level(cue, wishes.low)} for cue in cues]


def _distrust(moved: Retimed) -> str | None:
    placed = [m for m in moved.cues if not set(m.flags) & NOT_PLACED]
    if not placed or moved.low <= MOST_LOW * len(placed):
        return None
    return (
        f"{moved.low} of {len(placed)} cues are placed with low confidence: do the subtitles belong to "
        "this recording, and does it show the signer?"
    )


def _signed(found: Activity, name: str) -> float:
    try:
        return seconds_signed(found, f"in {name}")
    except UntrustedResultError as error:
        raise Refusal(422, "no-signing", over_http(str(error))) from None


def _span(span: Span) -> dict[str, float]:
    return {"start": round(span.start, 3), "end": round(span.end, 3)}


def _clip(header: PoseHeaderInfo) -> dict[str, Any]:
    return {
        "duration": round(header.duration, 3),
        "fps": round(header.fps, 4),
        "frames": header.frames,
        "layout": header.layout.name,
        "size": list(header.size),
        "origin": header.origin.to_json(),
        "simulated": header.origin.simulated,
    }


def with_locks(wishes: Wishes, locks: Mapping[int, Span], cues: int) -> Wishes:
    """Cue number (from 1) → where it is: these stay. Raises Refusal (422) for a cue that is not there."""
    beyond = [number for number in locks if not 1 <= number <= cues]
    if beyond:
        raise Refusal(
            422, "request", f"locked names cue {beyond[0]}, but there are cues 1 to {cues}"
        )
    at = {number - 1: span for number, span in locks.items()}
    return replace(wishes, locked=frozenset(at), locked_at=at)
