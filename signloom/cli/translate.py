"""signloom translate: videos or pose files to text."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.errors import MediaError, MissingExtraError, SignloomError, UsageError

if TYPE_CHECKING:
    from signloom.data.clip import PoseClip
    from signloom.data.lips import Lips
    from signloom.inference.translate import Translation
    from signloom.methods.posestitch import PoseStitch


class Format(StrEnum):
    text = "text"
    json = "json"


class Backend(StrEnum):
    eager = "eager"
    bf16 = "bf16"
    onnx = "onnx"


AskedBackend = Annotated[
    Backend | None,
    typer.Option(
        help="eager: float32; bf16: matrix products in bfloat16; onnx: ONNX Runtime, for a folder of "
        "`signloom export`.  [default: onnx for such a folder, else eager]"
    ),
]


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT…",
            help="Pose files (.pose), videos, or motion (.npz, as `signloom tokens encode` takes it).",
            show_default=False,
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint folder or hub id.  [default: the bundled one, simulated only]"
        ),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="text: one line an input; json: one list.")
    ] = Format.text,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated",
            help="Translate real signing even with a model that has learnt from simulated signing only.",
        ),
    ] = False,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Beam width.  [default: the model's]")
    ] = None,
    instruction: Annotated[
        str | None,
        typer.Option(
            help="What to do with the signing, for a model that can be told (method lslm).  "
            "[default: translate]"
        ),
    ] = None,
    previous: Annotated[
        str | None,
        typer.Option(
            help="The sentence before INPUT's, for a model that has learnt with it (method unified, "
            "config.previous)."
        ),
    ] = None,
    alternatives: Annotated[
        int, typer.Option(min=0, help="Also print this many next best texts.")
    ] = 0,
    backend: AskedBackend = None,
) -> None:
    """Translate signing into text.

    A model that reads lips takes those of a video itself, and for NAME.pose those in
    NAME.lips.safetensors beside it; it says where there are none.

    An input that fails is named on stderr and the others still finish; the exit
    code is then that of the first failure. With several inputs a line of text
    output is INPUT, a tab, and the text; alternatives follow, indented.
    """
    from signloom.inference.translate import (
        blind,
        reads_lips,
        refuse_deaf,
        refuse_forgetful,
        writes_glosses,
    )

    translator = loaded(model, backend)
    refuse_deaf(translator, instruction)
    refuse_forgetful(translator, previous)
    if previous is not None and len(inputs) > 1:
        raise UsageError(
            f"--previous is the sentence before one input, got {len(inputs)}; give one at a time"
        )
    wanted = max(beam or translator.config.beam, alternatives + 1)
    clips, lips, failures = read_inputs(inputs, translator, allow_simulated)
    if reads_lips(translator):
        for path in clips:
            if path not in lips:
                print(f"signloom: {blind(translator, str(path))}", file=sys.stderr)
    with computing(backend):
        translations = translated(
            translator,
            clips,
            lips,
            wanted if wanted != translator.config.beam else None,
            instruction,
            previous,
        )
    glosses = writes_glosses(translator)
    if glosses and translations:
        print(
            f"signloom: model '{translator.name}' writes glosses, the names of signs in their "
            "order, and no sentences",
            file=sys.stderr,
        )
    if output is Format.json:
        typer.echo(
            json.dumps(
                [
                    as_json(path, translations[path], clips[path], translator.name, alternatives)
                    | ({"glosses": True} if glosses else {})
                    | ({} if instruction is None else {"instruction": instruction})
                    | ({} if previous is None else {"previous": previous})
                    for path in inputs
                    if path in translations
                ],
                indent=2,
                ensure_ascii=False,
            )
        )
    else:
        for path in inputs:
            if path in translations:
                typer.echo(as_text(path, translations[path], len(inputs) > 1, alternatives))
    if failures:
        raise typer.Exit(failures[min(failures, key=inputs.index)].exit_code)


@contextmanager
def computing(backend: Backend | None) -> Iterator[None]:
    """In the precision of a backend."""
    if backend is not Backend.bf16:
        yield
        return
    from torch import autocast, bfloat16

    with autocast("cpu", bfloat16):
        yield


def refuse_backend(model: Any, backend: Backend | None) -> None:
    """Raises UsageError where graphs are to be run as weights."""
    if backend in (None, Backend.onnx):
        return
    from signloom.methods.exported import Exported

    if isinstance(model, Exported):
        raise UsageError(
            f"model '{model.name}' is graphs for ONNX Runtime, which backend '{backend}' does not run; "
            "leave --backend out, or give the checkpoint that was exported"
        )


def loaded(name: str | None, backend: Backend | None = None) -> PoseStitch:
    """The model asked for, or the bundled one. Raises MediaError where there is none."""
    from signloom.inference.translate import BUNDLED, Translator
    from signloom.methods.load import load

    if name is None and not BUNDLED.is_dir():
        raise MediaError(
            f"this copy of signloom has no bundled model (expected at {BUNDLED}); give a "
            "checkpoint with --model, for instance the RUN/best that `signloom train` writes"
        )
    model = load(BUNDLED if name is None else name, onnx=backend is Backend.onnx)
    refuse_backend(model, backend)
    translates = isinstance(model, Translator)
    if not translates:
        raise UsageError(f"{name} does not translate; `signloom info` says what it is")
    if name is None:
        model.name = "bundled"
    return model


def read_inputs(
    inputs: list[Path], model: PoseStitch, allow_simulated: bool
) -> tuple[dict[Path, PoseClip], dict[Path, Lips], dict[Path, SignloomError]]:
    """(clips, lips, failures) by input; failures are named on stderr. Pose files, .npz of motion, else videos.

    Lips are looked for where the model reads them: in the video, or beside the pose file.
    A video is real signing: it is refused before the slow extraction where the
    model would not be allowed to translate it.
    """
    from signloom.corpora.smplx_files import read_motion
    from signloom.inference.translate import (
        reads_lips,
        refuse_blind,
        refuse_empty,
        refuse_untrusted,
    )
    from signloom.pose.convert import conversion
    from signloom.pose.files import read_pose
    from signloom.pose.lip_files import beside, read_lips

    clips: dict[Path, PoseClip] = {}
    lips: dict[Path, Lips] = {}
    failures: dict[Path, SignloomError] = {}
    videos: list[Path] = []

    def failed(path: Path, error: SignloomError) -> None:
        failures[path] = error
        text = str(error)
        named = text if str(path) in text else f"{path}: {text}"
        print(f"signloom: {named}", file=sys.stderr, flush=True)

    for path in dict.fromkeys(inputs):
        try:
            kind = path.suffix.lower()
            if kind not in (".pose", ".npz"):
                if path.is_file() and model.simulated_only and not allow_simulated:
                    check_video(path)
                    refuse_untrusted(model, False, allow_simulated, str(path))
                videos.append(path)
                continue
            clip = read_motion(path) if kind == ".npz" else read_pose(path)
            refuse_untrusted(model, clip.simulated, allow_simulated, str(path))
            if reads_lips(model) and beside(path).is_file():
                lips[path] = read_lips(beside(path)).aligned_with(clip)
            clips[path] = clip
        except SignloomError as error:
            failed(path, error)
    for path, result in extracted(videos, model).items():
        if isinstance(result, SignloomError):
            failed(path, result)
            continue
        clips[path], mouths = result
        if mouths is not None:
            lips[path] = mouths
    for path, clip in list(clips.items()):
        try:
            conversion(clip.layout, model.layout)
            refuse_empty(clip, str(path))
            refuse_blind(model, lips.get(path), str(path))
        except SignloomError as error:
            del clips[path]
            failed(path, error)
            continue
        if (read := model.seconds_read(clip)) < clip.duration:
            print(
                f"signloom: {path} is {clip.duration:.1f} s long; model '{model.name}' reads "
                f"the first {read:.1f} s, the rest is not translated; `signloom live` captions a "
                "recording phrase by phrase",
                file=sys.stderr,
            )
    return clips, lips, failures


def check_video(path: Path) -> None:
    """Raises MediaError where the file is no video; says nothing where videos cannot be read here."""
    from signloom.extract.video import probe

    try:
        probe(path)
    except MissingExtraError:
        return


def parts_read(model: PoseStitch) -> tuple[str, ...]:
    """What is looked for in a video: the articulators that the model reads, and the face for its lips."""
    from signloom.inference.translate import reads_lips

    hands = {"left_hand": "hands", "right_hand": "hands"}
    needed = [*model.layout.parts, *(["face"] if reads_lips(model) else [])]
    return tuple(dict.fromkeys(hands.get(part, part) for part in needed))


def extracted(
    videos: list[Path], model: PoseStitch
) -> dict[Path, tuple[PoseClip, Lips | None] | SignloomError]:
    """Video → its clip, with the articulators that the model reads, and lips; or why there is none."""
    if not videos:
        return {}
    from signloom.extract.extraction import extract_clips
    from signloom.extract.process import cores
    from signloom.inference.translate import reads_lips

    lips, parts = reads_lips(model), parts_read(model)
    found: dict[Path, tuple[PoseClip, Lips | None] | SignloomError] = {}
    try:
        for result in extract_clips(videos, parts, jobs=len(cores()), lips=lips):
            made = result.error if result.clip is None else (result.clip, result.lips)
            assert made is not None
            found[result.path] = made
    except SignloomError as error:
        found |= {path: error for path in videos if path not in found}
    return found


def translated(
    model: PoseStitch,
    clips: dict[Path, PoseClip],
    lips: dict[Path, Lips],
    beam: int | None,
    instruction: str | None = None,
    previous: str | None = None,
) -> dict[Path, Translation]:
    from signloom.inference.translate import translate_clips

    mouths = [lips.get(path) for path in clips]
    told = translate_clips(
        model,
        list(clips.values()),
        beam,
        lips=mouths,
        instruction=instruction,
        previous=None if previous is None else [previous] * len(clips),
    )
    return dict(zip(clips, told, strict=True))


def as_json(
    path: Path, translation: Translation, clip: PoseClip, model: str, alternatives: int
) -> dict[str, Any]:
    """simulated: whether the signing is; not whether the model is."""
    entry: dict[str, Any] = {
        "input": str(path),
        "text": translation.text,
        "score": round(translation.score, 6),
        "model": model,
        "simulated": clip.simulated,
    }
    if alternatives:
        entry["alternatives"] = [
            {"text": text, "score": round(score, 6)}
            for text, score in translation.alternatives[:alternatives]
        ]
    return entry


def as_text(path: Path, translation: Translation, several: bool, alternatives: int) -> str:
    first = f"{path}\t{translation.text}" if several else translation.text
    others = [f"    {text}" for text, _ in translation.alternatives[:alternatives]]
    return "\n".join([first, *others])
