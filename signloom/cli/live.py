"""signloom live: growing text of a recording or a camera, as over the WebSocket of `signloom serve`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.data.clip import PoseClip
    from signloom.inference.stream import Live, Said


class Task(StrEnum):
    text = "translate"
    glosses = "glosses"


def run(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="A pose file (.pose) or video, read as if it came now.",
            show_default=False,
        ),
    ] = None,
    camera: Annotated[
        int | None, typer.Option(min=0, help="This camera instead, until Ctrl-C: 0 is the first.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint folder or hub id.  [default: the bundled one, simulated only]"
        ),
    ] = None,
    task: Annotated[
        Task | None,
        typer.Option(
            help="translate: each phrase when it is over; glosses: signs as they come, by a model that "
            "reads in chunks.  [default: glosses where the model can]"
        ),
    ] = None,
    provisional: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=60.0,
            help="Translate the phrase in progress every so many seconds; 0 = never.",
        ),
    ] = 2.0,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Beam width.  [default: the model's]")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Lines of JSON, those of the WebSocket.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="When it is over, write what is final as subtitles too (.vtt, .srt, .ass, …).",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace --out.")] = False,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated",
            help="Real signing even with a model that has learnt from simulated signing only.",
        ),
    ] = False,
) -> None:
    """Text while the signing goes on, a stated while behind it.

    The signing is cut into phrases where it pauses or a sentence seems to end, and a phrase is
    translated when it is over. On a terminal the phrase in progress is shown dimmed, and may change; what
    is final never does. Nothing is kept but what --out says.
    """
    from signloom.cli.translate import loaded
    from signloom.data.files import refuse_existing
    from signloom.inference.stream import live, live_tasks

    if (file is None) == (camera is None):
        raise UsageError(
            "live wants one recording or one camera; give a .pose file or a video, or --camera 0"
        )
    from signloom.text.subtitles import format_of

    if out is not None:
        refuse_existing(out, overwrite)
        format_of(out)
    network = loaded(model)
    can = live_tasks(network)
    asked = task.value if task is not None else can[0] if can else "translate"
    show = _json if json_lines else _Screen()
    final: list[Said] = []

    def tell(said: list[Said]) -> None:
        final.extend(each for each in said if each.final)
        for each in said:
            show(each)

    session: Live | None = None
    frames, fps = 0, 1.0
    try:
        for piece in _pieces(file, camera, network, allow_simulated):
            if session is None:
                fps = piece.fps
                session = live(
                    network, asked, piece.layout, fps, beam=beam, provisional=provisional
                )
                _begin(session, asked, network.name, piece, json_lines)
            frames += len(piece)
            tell(session.push(piece))
    except KeyboardInterrupt:  # how a camera ends: what is in progress is said
        if camera is None:
            raise
    if session is None:
        raise UsageError(f"{file} has no frames, expected signing; give another recording")
    tell(session.finish())
    if out is not None:
        _write(final, out, overwrite)
    if json_lines:
        _line({"type": "closed", "frames": frames, "seconds": round(frames / fps, 3)})


def _pieces(
    file: Path | None, camera: int | None, model: Any, allow_simulated: bool
) -> Iterator[PoseClip]:
    """The signing in pieces of a fifth of a second or less; refused before any slow work."""
    from signloom.cli.translate import check_video, parts_read
    from signloom.inference.translate import refuse_untrusted
    from signloom.pose.files import read_header, read_slices
    from signloom.pose.phrases import HOP

    if file is None:
        from signloom.extract.camera import camera_slices

        assert camera is not None
        refuse_untrusted(model, False, allow_simulated, f"camera {camera}")
        slices = camera_slices(camera, parts_read(model))
    elif file.suffix.lower() == ".pose":
        refuse_untrusted(model, read_header(file).origin.simulated, allow_simulated, str(file))
        slices = read_slices(file)
    else:
        from signloom.extract.extraction import extract_slices

        check_video(file)
        refuse_untrusted(model, False, allow_simulated, str(file))
        slices = extract_slices(file, parts_read(model))
    for clip in slices:
        step = max(round(HOP * clip.fps), 1)
        for first in range(0, len(clip), step):
            yield clip.frames(slice(first, first + step))


def _begin(session: Live, task: str, name: str, piece: PoseClip, json_lines: bool) -> None:
    if json_lines:
        _line(
            {
                "type": "ready",
                "task": task,
                "model": name,
                "layout": piece.layout.name,
                "fps": round(piece.fps, 4),
                "look_ahead_s": round(session.look_ahead, 3),
                "longest_s": session.longest,
            }
        )
        return
    print(
        f"signloom: model '{name}', {task}; text comes up to {session.look_ahead:.1f} s after its "
        "signing, and the time that the model takes",
        file=sys.stderr,
    )


def _write(final: list[Said], out: Path, overwrite: bool) -> None:
    """What was said of each phrase as a cue; one that was not translated has none."""
    from signloom.data.cue import Cue
    from signloom.data.files import writing
    from signloom.text.subtitles import compose, format_of

    cues = [Cue(said.span, said.text) for said in final if said.text]
    with writing(out, overwrite) as part:
        part.write_bytes(compose(cues, format_of(out)))
    print(f"signloom: {out}: {len(cues)} cues", file=sys.stderr)


def _line(message: dict[str, Any]) -> None:
    print(json.dumps(message, ensure_ascii=False), flush=True)


def _json(said: Said) -> None:
    _line(said.to_json())


class _Screen:
    """Final text a line each; on a terminal the phrase in progress stands dimmed below it."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()

    def __call__(self, said: Said) -> None:
        notice = f"  [{said.notice}]" if said.notice else ""
        line = f"{said.span.start:.1f}–{said.span.end:.1f}\t{said.text}{notice}"
        if not self.terminal:
            if said.final:
                print(line, flush=True)
        elif said.final:
            print(f"\r\x1b[K{line}", flush=True)
        else:
            wide = shutil.get_terminal_size().columns - 4
            shown = line.expandtabs()[:wide]
            print(f"\r\x1b[K\x1b[2m{shown} …\x1b[0m", end="", flush=True)
