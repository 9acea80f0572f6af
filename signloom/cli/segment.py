"""signloom segment: where a recording is signed, and its phrases, as tiers or cues."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signloom.errors import SignloomError, UsageError

if TYPE_CHECKING:
    from signloom.pose.activity import Activity


class Format(StrEnum):
    eaf = "eaf"
    vtt = "vtt"
    srt = "srt"
    json = "json"


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT…", help="Pose files or videos.", show_default=False),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            help="One input: a file .eaf, .vtt, .srt or .json. Several: a folder.",
            show_default=False,
        ),
    ],
    format: Annotated[
        Format | None, typer.Option(help="Several inputs: the files' format.  [default: eaf]")
    ] = None,
    save_pose: Annotated[
        Path | None, typer.Option(help="Keep the poses extracted from the video here.")
    ] = None,
    signer_box: Annotated[
        str | None, typer.Option(help="Video: look only there: x,y,width,height, or 'auto'.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Video: processes.  [default: one for each core]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs.")] = False,
) -> None:
    """Where someone signs, and the phrases of it: no training, any signed language, no audio.

    EAF gets the tiers 'signing' and 'phrases'; the other formats get the phrases as cues, to
    be filled in. Exit code 5: no signing was found.
    """
    from signloom.data.files import refuse_existing

    targets = _targets(inputs, out, format)
    videos = [path for path in inputs if path.suffix.lower() != ".pose"]
    for option, value in (("--save-pose", save_pose), ("--signer-box", signer_box)):
        if value is not None and not videos:
            raise UsageError(f"{option} goes with a video, got {inputs[0]}; leave it out")
    if save_pose is not None and (len(inputs) > 1 or save_pose.suffix.lower() != ".pose"):
        raise UsageError(
            f"--save-pose is {save_pose} with {len(inputs)} inputs, expected one input and a name "
            "ending in .pose; signloom extract makes many"
        )
    for path in (*targets, save_pose):
        if path is not None:
            refuse_existing(path, overwrite)
    failures: list[SignloomError] = []
    for path, target in zip(inputs, targets, strict=True):
        try:
            typer.echo(segment_one(path, target, signer_box, save_pose, jobs, overwrite))
        except SignloomError as error:
            if len(inputs) == 1:
                raise
            failures.append(error)
            print(f"signloom: {error}", file=sys.stderr, flush=True)
    if failures:
        raise typer.Exit(failures[0].exit_code)


def segment_one(
    path: Path,
    out: Path,
    signer_box: str | None = None,
    save_pose: Path | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
) -> str:
    """Writes the segments of one recording; the line that tells of it.

    Raises MediaError where it cannot be read, UntrustedResultError where it shows no signing.
    """
    from signloom.cli.episode import Stages, open_media
    from signloom.data.files import writing
    from signloom.inference.retime import seconds_signed

    stages = Stages()
    activity = open_media(
        path,
        None,
        stages,
        signer_box=signer_box,
        save_pose=save_pose,
        jobs=jobs,
        overwrite=overwrite,
    ).activity
    signed = seconds_signed(activity, f"in {path}")
    media = "" if path.suffix.lower() == ".pose" else str(path)
    data = segments(activity, out.suffix[1:].lower(), media)
    with writing(out, overwrite) as part:
        part.write_bytes(data)
    speeds = ", ".join(
        f"{name} {stage['x_real_time']:g}×"
        for name, stage in stages.to_json(activity.duration).items()
    )
    return (
        f"{out}: {len(activity.phrases())} phrases, {signed / activity.duration:.0%} of "
        f"{activity.duration:.1f} s signed; × real time: {speeds}"
    )


def segments(activity: Activity, format: str, media: str = "") -> bytes:
    """The file: EAF with the tiers signing and phrases, or a cue "phrase k" for each phrase."""
    from signloom.data.cue import Cue
    from signloom.text.formats.eaf import with_tiers
    from signloom.text.subtitles import compose

    phrases = [(span, f"phrase {k}") for k, span in enumerate(activity.phrases(), start=1)]
    if format != Format.eaf:
        return compose([Cue(span, name) for span, name in phrases], format)
    signing = [(span, "signing") for span in activity.spans()]
    return with_tiers(None, {"signing": signing, "phrases": phrases}, media=media)


def _targets(inputs: Sequence[Path], out: Path, format: Format | None) -> list[Path]:
    """A file for each input. Raises UsageError where that is not plain."""
    known = tuple(f".{each}" for each in Format)
    for path in inputs:
        if path.is_dir():
            raise UsageError(f"{path} is a folder, expected pose files or videos; give its files")
    if len(inputs) == 1:
        ending = out.suffix.lower()
        if ending not in known or out.is_dir():
            raise UsageError(f"-o is {out}, expected a name ending in {', '.join(known)}")
        if format is not None and ending != f".{format}":
            raise UsageError(f"-o is {out}, but --format {format}; leave --format out")
        return [out]
    if out.suffix.lower() in known or out.is_file():
        raise UsageError(f"-o is {out}, expected a folder for the {len(inputs)} inputs")
    targets = [out / f"{path.stem}.{format or Format.eaf}" for path in inputs]
    for k, target in enumerate(targets):
        if (first := targets.index(target)) != k:
            raise UsageError(
                f"{inputs[first]} and {inputs[k]} would both become {target}; segment one by itself"
            )
    return targets
