"""signloom corpus: aligned cues of whole episodes become sentence samples for training."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.engine import Address, EngineName, WithEngine, engine_of
from signloom.errors import SignloomError, UsageError

if TYPE_CHECKING:
    from signloom.corpora.episodes import AlignedEpisode


def run(
    episodes: Annotated[
        list[Path],
        typer.Argument(
            metavar="EPISODES…",
            help="Pose files, or folders of them: N.pose, with N.report.json of signloom align or "
            "subtitles N.* beside it.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The store (a folder) to write.", show_default=False)
    ],
    min_confidence: Annotated[
        float, typer.Option(help="Keep cues placed with at least this confidence, 0 to 1.")
    ] = 0.7,
    min_seconds: Annotated[float, typer.Option(help="Leave out shorter cues.")] = 0.5,
    max_seconds: Annotated[float, typer.Option(help="Leave out longer cues.")] = 20.0,
    split: Annotated[
        str | None, typer.Option(help="The split of all samples.  [default: train]")
    ] = None,
    dev_share: Annotated[
        float | None,
        typer.Option(help="Put this share of the episodes into split dev, the rest into train."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(help="Signed language (ISO 639-3).  [default: what the poses say]"),
    ] = None,
    signer: Annotated[str, typer.Option(help="Who signs in all of them.")] = "",
    layout: Annotated[str, typer.Option(help="Convert clips to this layout.")] = "mp203",
    lips: Annotated[
        bool, typer.Option("--lips", help="Keep the lips beside each pose file: 9 kB a frame.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that align and cut clips.")] = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with OUT.parts and OUT.episodes of an interrupted run."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a store.")] = False,
) -> None:
    """Sentences to train on, out of subtitled episodes: aligned cues that are sure enough.

    An episode's report of signloom align gives spans and confidences; where there is none, its
    subtitles are aligned on the way. The store is read by signloom train like any other, and
    keeps the report of what was left out and why.
    """
    from signloom.cli.align import MOST_LOW
    from signloom.corpora.entries import LeftOut
    from signloom.corpora.episodes import (
        AlignedEpisode,
        Keep,
        Selection,
        dev_episodes,
        name_of,
        pose_files,
        sources,
    )
    from signloom.corpora.prepare import write_store
    from signloom.corpora.store import open_store
    from signloom.data.files import refuse_existing
    from signloom.data.layouts import layout_named
    from signloom.data.spread import connected, spread_kept

    where = engine_of(engine, jobs, address)
    keep = Keep(min_confidence, min_seconds, max_seconds)
    if split is not None and dev_share is not None:
        raise UsageError(f"both --split {split} and --dev-share {dev_share:g} are given; keep one")
    target = layout_named(layout)
    refuse_existing(out, overwrite)
    poses = {state_of(pose, layout): pose for pose in pose_files(episodes)}
    kept_in = out.with_name(f"{out.name}.episodes")
    if kept_in.exists() and any(
        file.suffix not in (".json", ".part") for file in kept_in.iterdir()
    ):
        raise UsageError(
            f"{kept_in} is where alignments would be kept, and what is in it no interrupted run has "
            "left; give another --out"
        )
    if not resume:
        shutil.rmtree(kept_in, ignore_errors=True)
    with connected(where), passing(kept_in):
        outcomes = {d.name: d for d in spread_kept(partial(align, layout), poses, kept_in, where)}
        read: list[AlignedEpisode] = []
        failures: list[tuple[str, SignloomError]] = []
        for state, pose in poses.items():
            value, failed = outcomes[state].value, outcomes[state].error
            if failed is not None:
                failures.append((name_of(pose), failed))
                continue
            read.append(AlignedEpisode.from_json(value["episode"]))
            for notice in value["notices"]:
                print(f"signloom: {notice}", file=sys.stderr)
        if not read:
            raise failures[0][1]
        for _, failure in failures:
            print(f"signloom: episode left out: {failure}", file=sys.stderr)
        for episode in read:
            low, placed = episode.low()
            if low > MOST_LOW * placed:
                print(
                    f"signloom: {episode.path}: {low} of {placed} cues are placed with low confidence; "
                    f"check that {episode.aligned_by} belongs to this episode",
                    file=sys.stderr,
                )
        chosen = Selection(tuple(read), keep)
        names = dict.fromkeys(episode.name for episode, _ in chosen.kept)
        split_of = dict.fromkeys(names, split or "train")
        if dev_share is not None:
            split_of |= dict.fromkeys(dev_episodes(names, dev_share), "dev")
        entries = chosen.entries(split_of, signer, language or "", lips)
        report = {**chosen.report(), "failed": {name: str(failure) for name, failure in failures}}
        write_store(
            out,
            target,
            sources(entries, target),
            description={"corpus": "episodes", "report": report},
            engine=where,
            overwrite=overwrite,
            resume=resume,
            absent=[LeftOut(name, split or "train", str(failure)) for name, failure in failures],
        )
    typer.echo(table(out, open_store(out).splits, report))


@contextmanager
def passing(folder: Path) -> Iterator[None]:
    """A folder of results that is of use as long as the block has not ended, well or with an error.

    It stays where the process is killed or interrupted, or where workers died.
    """
    from signloom.data.spread import DiedError

    try:
        yield
    except DiedError:
        raise
    except SignloomError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def state_of(pose: Path, layout: str) -> str:
    """The name of an episode with a hash of the files beside it, by which its alignment is kept."""
    from signloom.corpora.episodes import name_of

    beside = sorted(pose.parent.glob(f"{name_of(pose)}.*"))
    seen = [(file.name, stat.st_size, stat.st_mtime_ns) for file in beside if (stat := file.stat())]
    digest = hashlib.sha256(repr((str(pose), layout, seen)).encode()).hexdigest()
    return f"{name_of(pose)}-{digest[:12]}"


def align(layout: str, state: str, pose: Path) -> dict[str, Any]:
    """One item of work: an episode as ``aligned`` has it, and what is to be said of it, as JSON.

    Raises UsageError where its poses cannot be converted to ``layout``.
    """
    from signloom.data.layouts import layout_named
    from signloom.pose.convert import conversion
    from signloom.pose.files import read_header

    conversion(read_header(pose).layout, layout_named(layout))
    episode, notices = aligned(pose)
    return {"episode": episode.to_json(), "notices": notices}


def aligned(pose: Path) -> tuple[AlignedEpisode, list[str]]:
    """An episode with its cues on the signing: as its report has them, or aligned here; notices.

    Raises UsageError where there is neither a report nor one subtitle file; what reading and
    aligning raise.
    """
    from signloom.cli.episode import Stages, open_media
    from signloom.cli.seer import refined, usual_for
    from signloom.corpora.episodes import (
        AlignedCue,
        AlignedEpisode,
        language_of,
        name_of,
        read_report,
        report_beside,
    )
    from signloom.inference.retime import Wishes, retime
    from signloom.text.subtitles import read_subtitles

    if (report := report_beside(pose)) is not None:
        return read_report(report, pose), []
    subtitles = spoken(pose)
    given = read_subtitles(subtitles)
    notices = [f"{subtitles}: {notice}" for notice in given.notices]
    source = open_media(pose, None, Stages())
    activity, model = source.activity, usual_for(pose)
    refine = None if model is None else refined(model, source)
    wishes = Wishes(on_low="mark")
    found = retime(given.cues, activity, wishes, name=str(subtitles), refine=refine)
    notices += found.notices
    cues = tuple(
        AlignedCue(m.number, m.cue.text, m.span.shifted(-found.timecode), m.confidence, m.flags)
        for m in found.cues
    )
    episode = AlignedEpisode(
        name_of(pose), pose, activity.duration, cues, subtitles.name, language_of(pose)
    )
    return episode, notices


def spoken(pose: Path) -> Path:
    """The subtitles timed to speech beside a pose file: ``<n>.speech.*``, else the one ``<n>.*``.

    Raises UsageError where there is none, or it is not plain which.
    """
    from signloom.corpora.episodes import name_of
    from signloom.text.subtitles import SUFFIXES

    known = {suffix.lower() for suffix in SUFFIXES} - {".json"}
    other = {".signing", ".aligned", ".report"}
    found = [
        path
        for path in sorted(pose.parent.iterdir())
        if name_of(path) == name_of(pose)
        and path.suffix.lower() in known
        and not other & {suffix.lower() for suffix in path.suffixes}
    ]
    found = [path for path in found if ".speech" in path.suffixes] or found
    if len(found) == 1:
        return found[0]
    what = " and ".join(path.name for path in found) or "no report and no subtitles"
    raise UsageError(
        f"{pose} has {what} beside it, expected {name_of(pose)}.report.json of signloom align, or one "
        f"file of subtitles such as {name_of(pose)}.speech.vtt"
    )


def table(out: Path, splits: Mapping[str, int], report: Mapping[str, Any]) -> str:
    """What became of the cues, for people."""
    why = ", ".join(f"{reason} {n:,}" for reason, n in report["left_out"].items() if n)
    share = report["kept"] / report["cues"]
    failed = f", {len(report['failed'])} more could not be used" if report["failed"] else ""
    counts = ", ".join(f"{split} {count:,}" for split, count in splits.items())
    return "\n".join(
        [
            f"{out}: {counts} samples",
            f"  episodes   {report['episodes']:>7,}   {report['hours_of_episodes']:.2f} h{failed}",
            f"  cues       {report['cues']:>7,}",
            f"  kept       {report['kept']:>7,}   {share:.1%}, {report['hours']:.2f} h, confidence "
            f"≥ {report['keep']['min_confidence']:g}, mean {report['mean_confidence']:.2f}",
            f"  left out   {report['cues'] - report['kept']:>7,}   {why}".rstrip(),
        ]
    )
