"""signloom extract: videos to pose files, by MediaPipe Holistic, on all the cores."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signloom.cli.engine import Address, EngineName, WithEngine, engine_of
from signloom.errors import MediaError, SignloomError, UsageError

if TYPE_CHECKING:
    from signloom.data.clip import Origin, PoseClip
    from signloom.data.lips import Lips
    from signloom.encoders.image_features import ImageFeatures, Pooling
    from signloom.extract.extraction import Extracted
    from signloom.extract.holistic import Box
    from signloom.extract.video import Limits


class PoolingName(StrEnum):
    cls = "cls"
    mean = "mean"
    spatial = "spatial"


QUARANTINE = "quarantine.tsv"
QUIET: float = 10.0
"""Seconds between two lines of progress where there is no terminal."""


def run(
    videos: Annotated[
        list[Path],
        typer.Argument(help="Videos: mp4, mov, webm, mkv, avi, gif.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="A folder, or a .pose file for one video.", show_default=False
        ),
    ],
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, each pinned to a core.  [default: one for each core]"),
    ] = None,
    signer_box: Annotated[
        str | None,
        typer.Option(
            help="Look only there: x,y,width,height in pixels, or 'auto' to find the signer among "
            "several people or in a small inset.  [default: the whole picture]"
        ),
    ] = None,
    parts: Annotated[
        str, typer.Option(help="What to look for; the rest stays missing.")
    ] = "hands,body,face",
    lips: Annotated[
        bool,
        typer.Option(
            "--lips",
            help="Also write mouth crops to NAME.lips.safetensors beside NAME.pose, 9 kB a frame.",
        ),
    ] = False,
    features: Annotated[
        str | None,
        typer.Option(
            help="Frame features in place of keypoints: a vision model of transformers, a folder or "
            "hub id."
        ),
    ] = None,
    pooling: Annotated[
        PoolingName, typer.Option(help="How --features makes one vector of a picture.")
    ] = PoolingName.mean,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Skip videos whose files exist; with --lips, add those that are missing.",
        ),
    ] = False,
    max_seconds: Annotated[
        float, typer.Option(help="Refuse a video that is longer.", min=0.0)
    ] = 7200.0,
) -> None:
    """Videos to pose files (MediaPipe Holistic, 576 keypoints in pixels).

    A file that fails is listed with the reason in OUT/quarantine.tsv and the
    others still finish; the exit code is then 3. An interrupted run leaves no
    half file; continue it with --resume. With --features each frame is what a
    vision model says of the whole picture (layout features-WIDTH). With --engine ray
    each video is extracted by one worker of the cluster, which writes its files itself.
    """
    from signloom.extract.extraction import WHOLE_PICTURE, extract_clips, parse_box
    from signloom.extract.holistic import parse_parts
    from signloom.extract.process import cores, require
    from signloom.extract.video import Limits

    if features is not None and (lips or signer_box or jobs or engine is EngineName.ray):
        raise UsageError(
            "--features looks at whole pictures, in one process; leave out --lips, --signer-box, "
            "--jobs and --engine"
        )
    where = engine_of(engine, jobs or len(cores()), address)
    single = out.suffix == ".pose"
    targets = plan(videos, out, overwrite, resume, lips)
    if features is not None:
        _features(targets, out, features, pooling.value, Limits(seconds=max_seconds), overwrite)
        return
    posed = [video for video, target in targets.items() if target.exists() and not overwrite]
    unposed = [video for video in targets if video not in posed]
    limits = Limits(seconds=max_seconds)
    box = WHOLE_PICTURE if signer_box is None else parse_box(signer_box)
    asked = Asked(tuple(parse_parts(parts)), box, limits, lips, overwrite)
    failures: dict[str, str] = {}
    began = time.monotonic()
    with progress_bar(len(targets)) as (frames_done, file_done, say):

        def settle(path: Path, line: str | None, error: SignloomError | None) -> None:
            if error is not None:
                if single:
                    raise error
                failures[str(path)] = str(error)
                say(f"signloom: {error}")
                quarantine(out, failures, [])
            else:
                typer.echo(line)
            file_done()

        if where.name == "ray":
            from signloom.data.spread import spread

            require("av", "mediapipe")
            items = {str(video): (video, target) for video, target in targets.items()}
            for done in spread(partial(extract_one, asked, posed), items, where):
                settle(Path(done.name), done.value, done.error)
        else:
            for result in extract_clips(
                unposed, asked.parts, box, where.jobs, limits, frames_done, lips
            ):
                line = None if result.clip is None else written(result, targets[result.path], asked)
                settle(result.path, line, result.error)
            for video in posed:
                try:
                    settle(video, add_lips(video, targets[video], limits), None)
                except (MediaError, UsageError) as error:
                    settle(video, None, error)
    if not single and targets:
        quarantine(out, failures, [str(path) for path in targets])
    say(
        f"{len(targets) - len(failures)} of {len(targets)} videos in {time.monotonic() - began:.0f} s"
    )
    if failures:
        raise MediaError(
            f"{len(failures)} of {len(targets)} videos failed; the reasons are in {out / QUARANTINE}"
        )


@dataclass(frozen=True)
class Asked:
    """What is looked for in the videos of a call, and what is written of it."""

    parts: tuple[str, ...]
    box: str | Box
    limits: Limits
    lips: bool
    overwrite: bool


def extract_one(asked: Asked, posed: Sequence[Path], name: str, item: tuple[Path, Path]) -> str:
    """One item of work on a cluster: a video to its files, or to the lips that they lack; a line on them.

    What a worker that died has left is replaced. Raises MediaError or UsageError where the video
    is broken.
    """
    from signloom.extract.extraction import extract_clips

    video, target = item
    if video in posed:
        return add_lips(video, target, asked.limits)
    (result,) = extract_clips(
        [video], asked.parts, asked.box, 1, asked.limits, lips=asked.lips, pinned=False
    )
    if result.error is not None:
        raise result.error
    return written(result, target, replace(asked, overwrite=True))


def written(result: Extracted, target: Path, asked: Asked) -> str:
    """Writes what was made of a video; a line on it."""
    from signloom.pose.files import write_pose
    from signloom.pose.lip_files import beside, write_lips

    assert result.clip is not None
    if result.lips is not None:
        write_lips(result.lips, beside(target), overwrite=True)
    elif asked.overwrite:
        beside(target).unlink(missing_ok=True)
    write_pose(result.clip, target, overwrite=asked.overwrite)
    return described(result.clip, target, result.lips)


def add_lips(video: Path, target: Path, limits: Limits) -> str:
    """Writes the lips that lack beside a pose file; a line on it. Raises MediaError, UsageError."""
    from signloom.extract.lips import mouth_crops
    from signloom.pose.files import read_pose
    from signloom.pose.lip_files import beside, write_lips

    clip = read_pose(target)
    found = mouth_crops(video, clip, limits)
    write_lips(found, beside(target), overwrite=True)
    return described(clip, target, found)


def _features(
    targets: dict[Path, Path],
    out: Path,
    source: str,
    pooling: Pooling,
    limits: Limits,
    overwrite: bool,
) -> None:
    """Each video's features to its target, one after another; what fails is listed as for keypoints."""
    from signloom.encoders.image_features import ImageFeatures
    from signloom.pose.files import write_pose

    if not targets:
        return
    model = ImageFeatures(source, pooling)
    origin, failures = model.origin, {}
    with progress_bar(len(targets)) as (_, file_done, say):
        for video, target in targets.items():
            try:
                clip = features_of_video(video, model, origin, limits)
            except MediaError as error:
                if out.suffix == ".pose":
                    raise
                failures[str(video)] = str(error)
                say(f"signloom: {error}")
            else:
                write_pose(clip, target, overwrite=overwrite)
                typer.echo(f"{target}: {len(clip)} frames of {clip.layout.name}")
            file_done()
    if out.suffix != ".pose":
        quarantine(out, failures, [str(path) for path in targets])
    if failures:
        raise MediaError(
            f"{len(failures)} of {len(targets)} videos failed; the reasons are in {out / QUARANTINE}"
        )


def features_of_video(
    video: Path, model: ImageFeatures, origin: Origin, limits: Limits
) -> PoseClip:
    """The clip of a video's frame features, 0 before its first picture. Raises MediaError."""
    import numpy as np

    from signloom.data.features import features_clip
    from signloom.extract.pictures import pictures
    from signloom.extract.video import probe

    info = probe(video, limits)
    # Pictures are handed over no larger than the model's own resizing can make use of.
    blocks = [model(block) for block in pictures(video, info, 2 * model.side, limits)]
    numbers = np.concatenate([np.zeros((info.lead, blocks[0].shape[1]), np.float32), *blocks])
    try:
        return features_clip(numbers, info.fps, video.stem, origin)
    except ValueError as error:
        raise MediaError(f"{video}: {error}; give another model, or one in float32") from None


def plan(
    videos: list[Path], out: Path, overwrite: bool, resume: bool, lips: bool = False
) -> dict[Path, Path]:
    """Video → pose file, of those that are to be made, or have no lips beside them where they should.

    Raises UsageError where two would have the same name, or one exists.
    """
    from signloom.pose.lip_files import beside

    if overwrite and resume:
        raise UsageError("--overwrite and --resume are both given; choose one")
    if out.suffix == ".pose":
        if len(videos) > 1:
            raise UsageError(f"{out} is one pose file for {len(videos)} videos; give -o a folder")
        targets = {videos[0]: out}
    else:
        if out.is_file():
            raise UsageError(f"{out} is a file, expected a folder or a name ending in .pose")
        targets = {video: out / f"{video.stem}.pose" for video in dict.fromkeys(videos)}
    of: dict[Path, Path] = {}
    for video, target in targets.items():
        if of.setdefault(target, video) != video:
            raise UsageError(
                f"{of[target]} and {video} would both become {target}; extract them into two folders"
            )
    files = {t: [t, beside(t)] if lips else [t] for t in targets.values()}
    there = [file for made in files.values() for file in made if file.exists()]
    if there and not (overwrite or resume):
        more = f" and {len(there) - 1} more exist" if len(there) > 1 else " exists"
        raise UsageError(
            f"{there[0]}{more} already; pass --resume to skip, --overwrite to replace, "
            "or choose another folder"
        )
    return {
        video: t
        for video, t in targets.items()
        if overwrite or not all(f.exists() for f in files[t])
    }


def quarantine(out: Path, failures: dict[str, str], settled: list[str]) -> None:
    """Brings OUT/quarantine.tsv up to date: ``failures`` in, the other ``settled`` videos out."""
    from signloom.data.files import writing

    path = out / QUARANTINE
    entries: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[1:]:
            video, _, reason = line.partition("\t")
            entries[video] = reason
    entries = {v: r for v, r in entries.items() if v not in settled} | failures
    if entries:
        lines = ["path\treason", *(f"{v}\t{' '.join(r.split())}" for v, r in entries.items())]
        with writing(path, overwrite=True) as part:
            part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif path.exists():
        path.unlink()


def described(clip: PoseClip, target: Path, lips: Lips | None = None) -> str:
    """One line on a pose file that was made, and the lips beside it."""
    hands = clip.present[:, clip.part("left_hand")].any(1) | clip.present[
        :, clip.part("right_hand")
    ].any(1)
    return (
        f"{target}: {len(clip)} frames, {clip.duration:.2f} s at {clip.fps:.6g} fps, "
        f"a hand in {hands.mean():.0%} of them"
        + ("" if lips is None else f", a mouth in {lips.present.mean():.0%}")
    )


Said = tuple[Callable[[int, int], None], Callable[[], None], Callable[[str], None]]


@contextmanager
def progress_bar(files: int) -> Iterator[Said]:
    """(frames done of all, a file is done, say a line): a bar on a terminal, plain lines elsewhere."""
    if not sys.stderr.isatty():
        yield _plain(files)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.fields[files]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("frames"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("extract", total=None, files=f"0/{files}", rate="")
        finished, began = 0, time.monotonic()

        def frames_done(done: int, total: int) -> None:
            rate = done / max(time.monotonic() - began, 1e-6)
            bar.update(task, completed=done, total=total, rate=f"{rate:.1f}/s")

        def file_done() -> None:
            nonlocal finished
            finished += 1
            bar.update(task, files=f"{finished}/{files}")

        yield (
            frames_done,
            file_done,
            lambda line: console.print(line, markup=False, highlight=False),
        )


def _plain(files: int) -> Said:
    began = said = time.monotonic()
    finished = 0

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def frames_done(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said > QUIET and done:
            said = now
            rate = done / (now - began)
            left = (total - done) / rate
            say(
                f"{finished}/{files} videos, {done}/{total} frames, {rate:.1f}/s, {left:.0f} s left"
            )

    def file_done() -> None:
        nonlocal finished
        finished += 1

    return frames_done, file_done, say
