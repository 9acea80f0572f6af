"""signloom align: subtitles timed to speech, re-timed to the signing."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.aligned import as_json, moves, summary, write_extras
from signloom.cli.episode import Stages, open_media
from signloom.cli.seer import refined, refuse_misfit, seer, used, usual_for
from signloom.errors import SignloomError, UntrustedResultError, UsageError

if TYPE_CHECKING:
    from signloom.inference.locate import Locator
    from signloom.inference.retime import Retimed, Wishes
    from signloom.inference.spotting import Spotter

MOST_SECONDS = 600.0
"""More than this for an option in seconds is a slip."""

NO_MODEL = "none"
"""What --model takes for no model."""

MOST_LOW = 0.5
"""With a larger share of low cues the result as a whole is not to be trusted (exit 5)."""


class OnLow(StrEnum):
    prior = "prior"
    keep = "keep"
    mark = "mark"


class Overlap(StrEnum):
    forbid = "forbid"
    allow = "allow"


class Snap(StrEnum):
    frame = "frame"
    none = "none"


class Place(StrEnum):
    program = "program"
    plateau = "plateau"


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="MEDIA SUBTITLES",
            help="A video or .pose file and its subtitles (.vtt, .srt, .eaf, .ass, .ttml, .TextGrid, "
            ".json), or a folder of each, or one folder of both, paired by name up to the first dot.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Re-timed subtitles, or a folder.", show_default=False),
    ] = None,
    pose: Annotated[
        Path | None,
        typer.Option(help="Poses of the video, so that it need not be extracted again."),
    ] = None,
    save_pose: Annotated[
        Path | None, typer.Option(help="Keep the poses extracted from the video here.")
    ] = None,
    offset: Annotated[
        float | None,
        typer.Option(help="Expect this lag of signing behind speech, seconds.  [default: learnt]"),
    ] = None,
    max_shift: Annotated[
        float | None,
        typer.Option(min=0.0, help="Move no cue further than this, seconds.  [default: 60]"),
    ] = None,
    min_duration: Annotated[
        float, typer.Option(min=0.04, help="No cue becomes shorter than this, seconds.")
    ] = 0.4,
    overlap: Annotated[
        Overlap, typer.Option(help="allow: cues that overlap in the input still may.")
    ] = Overlap.forbid,
    snap: Annotated[Snap, typer.Option(help="Times fall on video frames.")] = Snap.frame,
    start: Annotated[
        str | None, typer.Option("--from", help="Move only cues that start here or later.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Move only cues that start before this.")
    ] = None,
    lock: Annotated[
        str | None,
        typer.Option(
            help="Cues that are right already, by number: 3,7-9; the rest goes around them."
        ),
    ] = None,
    on_low: Annotated[
        OnLow,
        typer.Option(
            help="A cue placed with low confidence: prior = its input moved by the lag there; "
            "keep = its input; mark = the placement, marked in reports and in VTT."
        ),
    ] = OnLow.prior,
    signer_box: Annotated[
        str | None, typer.Option(help="Video: look only there: x,y,width,height, or 'auto'.")
    ] = None,
    start_timecode: Annotated[
        str | None,
        typer.Option(help="What the subtitles' clock shows at the video's start, as 10:00:00."),
    ] = None,
    any_order: Annotated[
        bool, typer.Option("--any-order", help="Take cues that are not in order of time.")
    ] = False,
    tier: Annotated[str | None, typer.Option(help="EAF, TextGrid: the tier to align.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint folder or hub id of a model that finds texts in signing, or spots signs; "
            "'none' = without.  [default: the bundled recogniser on simulated signing, else none]"
        ),
    ] = None,
    place: Annotated[
        Place | None,
        typer.Option(
            help="With --model: program = what it sees is weighed with all else; plateau = its "
            "places alone, warped into order.  [default: program]"
        ),
    ] = None,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated",
            help="Real signing even with a model that has learnt from simulated signing only.",
        ),
    ] = False,
    report: Annotated[
        list[Path] | None,
        typer.Option(help="Also write what was done: r.json or r.html (may be given twice)."),
    ] = None,
    eaf: Annotated[
        Path | None, typer.Option(help="Also write cues, signing and phrases as ELAN tiers.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes.  [default: one for each core]")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would move; write nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Folders: skip episodes whose output exists.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs.")] = False,
) -> None:
    """Re-time subtitles to the signing: no training, any signed language, no audio.

    Only times change: count, order, text and everything else of the file stay. Cues are placed
    all at once, by where there is signing and where sentences seem to end, by how long their
    text takes to sign, and by a lag that may drift; --model adds what a trained model sees: one
    that finds texts, or one that recognises single signs and spots the words of the cues.
    Exit code 5: no signing was found, more than half of the cues are placed with low
    confidence, or the model has seen simulated signing only and this is real.
    """
    from signloom.inference.retime import Wishes

    for name, given in (
        ("offset", offset),
        ("max-shift", max_shift),
        ("min-duration", min_duration),
    ):
        if given is not None and not abs(given) <= MOST_SECONDS:
            raise UsageError(f"--{name} is {given:g}, expected at most {MOST_SECONDS:g} seconds")
    wishes = Wishes(
        offset=offset,
        max_shift=max_shift,
        min_duration=min_duration,
        overlap=overlap.value,
        within=within(start, end),
        locked=frozenset(k - 1 for k in numbers(lock)),
        on_low=on_low.value,
        frame=snap is Snap.frame,
        timecode=None if start_timecode is None else seconds(start_timecode, "--start-timecode"),
        any_order=any_order,
    )
    if model in (None, NO_MODEL) and (place is not None or allow_simulated):
        alone = "--allow-simulated" if place is None else f"--place {place.value}"
        raise UsageError(f"{alone} goes with a model; name one with --model, or leave it out")
    extras = Extras(
        tuple(report or ()), eaf, save_pose, tier, signer_box, dry_run, overwrite, jobs,
        place=place or Place.program, allow_simulated=allow_simulated,
    )  # fmt: skip
    for path in extras.reports:
        if path.suffix.lower() not in (".json", ".html"):
            raise UsageError(f"--report is {path}, expected a name ending in .json or .html")
    if out is None and not dry_run:
        raise UsageError("no output is given; name it with -o, or pass --dry-run to write nothing")
    if model == NO_MODEL:
        extras = replace(extras, usual_model=False)
    elif model is not None:
        extras = replace(extras, model=seer(model, extras.place.value))
    if any(path.is_dir() for path in inputs):
        _folders(inputs, out, pose, wishes, extras, resume)
        return
    if resume:
        raise UsageError("--resume goes with folders; leave it out, or pass --overwrite")
    media, subtitles = _pair(inputs, pose)
    poses = pose or media
    for option, value in (("--save-pose", save_pose), ("--signer-box", signer_box)):
        if value is not None and poses is not None and poses.suffix.lower() == ".pose":
            raise UsageError(
                f"{option} goes with a video to extract, got the poses {poses}; leave it out"
            )
    line, low = align_one(media, subtitles, pose, out, wishes, extras)
    typer.echo(line)
    if low is not None:
        raise UntrustedResultError(low)


@dataclass(frozen=True)
class Extras:
    """What is written beside the subtitles, and how the inputs are read."""

    reports: tuple[Path, ...] = ()
    eaf: Path | None = None
    save_pose: Path | None = None
    tier: str | None = None
    signer_box: str | None = None
    dry_run: bool = False
    overwrite: bool = False
    jobs: int | None = None
    model: Locator | Spotter | None = None
    usual_model: bool = True
    """Where no model is given, the bundled recogniser looks at simulated signing."""
    place: Place = Place.program
    allow_simulated: bool = False


def align_one(
    media: Path | None,
    subtitles: Path,
    pose: Path | None,
    out: Path | None,
    wishes: Wishes,
    extras: Extras,
) -> tuple[str, str | None]:
    """Aligns one episode and writes what is asked for; (what to print, why not to trust it or None)."""
    from signloom.data.files import refuse_existing
    from signloom.inference.retime import retime
    from signloom.inference.translate import blind, reads_lips
    from signloom.pose.lip_files import beside
    from signloom.text.subtitles import format_of, read_subtitles, write_retimed

    stages = Stages()
    lips = reads_lips(extras.model)
    outputs = [p for p in (out, extras.eaf, extras.save_pose, *extras.reports) if p is not None]
    if lips and extras.save_pose is not None:
        outputs.append(beside(extras.save_pose))
    _distinct(outputs, [p for p in (media, subtitles, pose) if p is not None])
    if not extras.dry_run:
        for path in outputs:
            refuse_existing(path, extras.overwrite)
    if out is not None:
        format_of(out)
    with stages.of("read subtitles"):
        given = read_subtitles(subtitles, tier=extras.tier)
    for notice in given.notices:
        print(f"signloom: {subtitles}: {notice}", file=sys.stderr)
    beyond = sorted(k + 1 for k in wishes.locked if k >= len(given.cues))
    if beyond:
        raise UsageError(
            f"--lock names cue {beyond[0]}, but {subtitles} has {len(given.cues)} cues; "
            "cues are numbered from 1 in the file's order"
        )
    model, refine = extras.model, None
    poses = pose or media
    if model is None and extras.usual_model and poses is not None:
        model = usual_for(poses)
    if model is not None and poses is not None:
        refuse_misfit(model, poses, extras.allow_simulated)
    source = open_media(
        media,
        pose,
        stages,
        signer_box=extras.signer_box,
        save_pose=None if extras.dry_run else extras.save_pose,
        jobs=extras.jobs,
        overwrite=extras.overwrite,
        lips=lips,
    )
    if model is not None:
        if lips and source.lips is None:
            print(f"signloom: {blind(model, str(poses))}", file=sys.stderr)
        refine = refined(model, source, extras.place.value, lips)
    with stages.of("align"):
        found = retime(given.cues, source.activity, wishes, name=str(subtitles), refine=refine)
    for notice in found.notices:
        print(f"signloom: {notice}", file=sys.stderr)
    if not extras.dry_run and out is not None:
        with stages.of("write"):
            spans = [m.span if m.span != m.cue.span else None for m in found.cues]
            marks = {
                m.number - 1: f"signloom: low confidence ({m.confidence:.2f})"
                for m in found.cues
                if wishes.on_low == "mark" and set(m.flags) & {"low", "no signing"}
            }
            write_retimed(given, spans, out, extras.overwrite, marks)
    asked = (
        None if model is None or found.already else (model.name, used(model, extras.place.value))
    )
    said = as_json(media, subtitles, pose, out, source, found, wishes, stages, asked)
    if not extras.dry_run:
        write_extras(said, source, found, extras)
    if extras.dry_run:
        print(moves(found))
    written = None if extras.dry_run else out
    return summary(said, written), _distrust(found, written, wishes)


def _pair(inputs: Sequence[Path], pose: Path | None) -> tuple[Path | None, Path]:
    """(video or pose file, subtitles) of one episode."""
    if pose is not None and pose.suffix.lower() != ".pose":
        raise UsageError(f"--pose is {pose}, expected a name ending in .pose; a video goes first")
    if len(inputs) == 2:
        media, subtitles = inputs
        if subtitles.suffix.lower() == ".pose":
            raise UsageError(f"{subtitles} is a pose file, expected subtitles second; swap the two")
        if media.suffix.lower() == ".pose" and pose is not None:
            raise UsageError(f"{media} and --pose {pose} are both pose files; give one of them")
        return media, subtitles
    if len(inputs) == 1 and pose is not None:
        return None, inputs[0]
    raise UsageError(
        f"got {len(inputs)} inputs ({', '.join(map(str, inputs))}), expected a video or pose file and "
        "its subtitles, as in: signloom align episode.mp4 speech.vtt -o signing.vtt"
    )


def _distinct(outputs: Sequence[Path], inputs: Sequence[Path]) -> None:
    seen = {path.resolve(): path for path in inputs}
    for path in outputs:
        if path.resolve() in seen:
            raise UsageError(
                f"{path} is both an output and {seen[path.resolve()]}; give each file a name of its own"
            )
        seen[path.resolve()] = path


# --- folders -------------------------------------------------------------------------------------


def _folders(
    inputs: Sequence[Path],
    out: Path | None,
    pose: Path | None,
    wishes: Wishes,
    extras: Extras,
    resume: bool,
) -> None:
    """Every episode of a folder; one that fails is named and the others still finish."""
    if len(inputs) > 2 or not all(path.is_dir() for path in inputs) or pose is not None:
        raise UsageError(
            f"got {', '.join(map(str, inputs))}{' and --pose' if pose else ''}, expected one folder of "
            "pose files or videos with their subtitles, or a folder of each"
        )
    single = extras.reports or extras.eaf or extras.save_pose
    if single or wishes.locked or wishes.within:
        raise UsageError(
            "--report, --eaf, --save-pose, --lock, --from and --to go with one episode, got folders; "
            "the reports of a folder are written beside its subtitles"
        )
    if out is not None and out.is_file():
        raise UsageError(f"{out} is a file, expected a folder for the episodes of {inputs[0]}")
    episodes = paired(inputs[0], inputs[-1])
    todo: list[tuple[Path, Path, Path | None]] = []
    for stem, (media, subtitles) in episodes.items():
        target = None if out is None else out / f"{stem}{subtitles.suffix}"
        if target is not None and target.exists() and resume:
            continue
        if target is not None and target.exists() and not extras.overwrite and not extras.dry_run:
            raise UsageError(
                f"{target} exists already; pass --resume to skip, --overwrite to replace, or choose "
                "another folder"
            )
        todo.append((media, subtitles, target))
    failures: list[SignloomError] = []
    for line, error in _each(todo, wishes, extras):
        if error is not None:
            failures.append(error)
            print(f"signloom: {error}", file=sys.stderr, flush=True)
        if line:
            typer.echo(line)
    skipped = len(episodes) - len(todo)
    print(
        f"{len(todo) - len(failures)} of {len(episodes)} episodes aligned"
        + (f", {skipped} were there already" if skipped else "")
        + (f", {len(failures)} failed or are not to be trusted" if failures else ""),
        file=sys.stderr,
    )
    if failures:
        raise typer.Exit(failures[0].exit_code)


def _each(
    todo: Sequence[tuple[Path, Path, Path | None]], wishes: Wishes, extras: Extras
) -> Iterator[tuple[str, SignloomError | None]]:
    """Pose files side by side on the cores; videos, and all with a model that was asked for, one after the other."""
    from signloom.cli.progress import progress
    from signloom.data.crew import crew
    from signloom.extract.process import cores

    jobs = extras.jobs or len(cores())
    quick = [item for item in todo if item[0].suffix.lower() == ".pose"]
    slow = [item for item in todo if item[0].suffix.lower() != ".pose"]
    with progress("align", len(todo)) as advance:
        if jobs > 1 and len(quick) > 1 and extras.model is None:
            with crew(jobs, _one_thread) as pool:
                waiting = [pool.submit(_attempt, item, wishes, extras) for item in quick]
                for future in waiting:
                    yield future.result()
                    advance(1)
        else:
            slow = quick + slow
        for item in slow:
            yield _attempt(item, wishes, extras)
            advance(1)


def _one_thread() -> None:
    """A process of many computes with one thread; set before torch is imported."""
    os.environ["OMP_NUM_THREADS"] = "1"


def _attempt(
    item: tuple[Path, Path, Path | None], wishes: Wishes, extras: Extras
) -> tuple[str, SignloomError | None]:
    media, subtitles, target = item
    if target is not None:
        extras = replace(
            extras, reports=(target.with_name(f"{target.stem}.report.json"),), overwrite=True
        )
    try:
        line, low = align_one(media, subtitles, None, target, wishes, extras)
    except SignloomError as error:
        text = str(error)
        if str(media) not in text and str(subtitles) not in text:
            error.args = (f"{subtitles}: {text}",)
        return "", error
    return line, None if low is None else UntrustedResultError(low)


def paired(media: Path, subtitles: Path) -> dict[str, tuple[Path, Path]]:
    """Episode → (video or pose file, subtitles), by name up to the first dot.

    Of several subtitles of an episode in the folder the one called ``*.speech.*`` is taken; of
    a video and a pose file, the pose file.
    Raises UsageError where none pair, or it is not plain which file is meant.
    """
    from signloom.text.subtitles import SUFFIXES

    videos = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".gif", ".m4v", ".mpg", ".ts")
    clips: dict[str, list[Path]] = {}
    texts: dict[str, list[Path]] = {}
    for path in sorted(media.iterdir()):
        if path.suffix.lower() in (".pose", *videos) and not path.name.startswith("."):
            clips.setdefault(path.name.partition(".")[0], []).append(path)
    known = tuple(s.lower() for s in SUFFIXES)
    for path in sorted(subtitles.iterdir()):
        skip = {".signing", ".aligned", ".report"} & {s.lower() for s in path.suffixes}
        plain_json = path.suffix == ".json" and media == subtitles
        if path.suffix.lower() in known and not skip and not plain_json and path.name[0] != ".":
            texts.setdefault(path.name.partition(".")[0], []).append(path)
    found: dict[str, tuple[Path, Path]] = {}
    for stem in clips:
        if stem not in texts:
            continue
        poses = [p for p in clips[stem] if p.suffix.lower() == ".pose"] or clips[stem]
        spoken = [p for p in texts[stem] if ".speech" in p.suffixes] or texts[stem]
        for several in (poses, spoken):
            if len(several) > 1:
                raise UsageError(
                    f"episode '{stem}' has {' and '.join(p.name for p in several)}, expected one of "
                    "them; move the other away, or align the episode by itself"
                )
        found[stem] = poses[0], spoken[0]
    if not found:
        raise UsageError(
            f"no episode found: {media} has {len(clips)} videos or pose files, {subtitles} "
            f"{len(texts)} subtitle files, and no two share a name up to the first dot"
        )
    for stem in sorted(set(clips) ^ set(found)):
        print(
            f"signloom: {clips[stem][0]} has no subtitles in {subtitles}, left out", file=sys.stderr
        )
    return found


def _distrust(found: Retimed, out: Path | None, wishes: Wishes) -> str | None:
    placed = [m for m in found.cues if not set(m.flags) & {"outside", "not speech", "locked"}]
    if not placed or found.low <= MOST_LOW * len(placed):
        return None
    done = {"prior": "keep their prior", "keep": "keep their input", "mark": "are marked"}
    return (
        f"{'nothing is written' if out is None else f'{out} is written'}, but {found.low} of "
        f"{len(placed)} cues are placed with low confidence and {done[wishes.on_low]}; check that the "
        "subtitles belong to this video and that its poses show the signer, or give --offset"
    )


# --- options -------------------------------------------------------------------------------------


def within(start: str | None, end: str | None) -> Any:
    """The span of --from and --to, None where neither is given."""
    from signloom.data.timing import Span

    if start is None and end is None:
        return None
    first = 0.0 if start is None else seconds(start, "--from")
    last = 1e9 if end is None else seconds(end, "--to")
    if last <= first:
        raise UsageError(f"--to {end} is not after --from {start}; give a later time")
    return Span(first, last)


def seconds(text: str, option: str) -> float:
    """'95', '95.5', '1:35.5' or '00:01:35,5' in seconds. Raises UsageError."""
    if re.fullmatch(r"(\d+:){0,2}\d+([.,]\d+)?", text):
        total = 0.0
        for part in text.replace(",", ".").split(":"):
            total = 60 * total + float(part)
        return total
    if re.fullmatch(r"\d+:\d\d:\d\d:00", text):
        return seconds(text[:-3], option)
    raise UsageError(
        f"{option} is '{text}', expected seconds or [hours:]minutes:seconds, as 1:35.5"
    )


def numbers(text: str | None) -> list[int]:
    """'3,7-9' as [3, 7, 8, 9]. Raises UsageError."""
    if text is None:
        return []
    found: list[int] = []
    for part in text.split(","):
        if not (match := re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)):
            raise UsageError(f"--lock is '{text}', expected cue numbers from 1, as 3,7-9")
        first, last = int(match[1]), int(match[2] or match[1])
        if first < 1 or last < first or last - first > 100_000:
            raise UsageError(
                f"--lock has '{part.strip()}', expected numbers from 1, small to large"
            )
        found += range(first, last + 1)
    return found
