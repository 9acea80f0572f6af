"""signloom features: what a model's backbone makes of clips, stored once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.data.layouts import Layout
    from signloom.data.sample import SampleSource
    from signloom.inference.features import Seeing


def run(
    checkpoint: Annotated[
        str, typer.Argument(help="A model with a backbone of poses: a folder of 'unified'.")
    ],
    clips: Annotated[Path, typer.Argument(help="A store, or a folder of .pose files.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The store or folder to write.", show_default=False),
    ],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """What a model's backbone makes of each clip, computed once (layout features-WIDTH).

    A bridge and a language model over a backbone that stands still then train without it: a
    recipe names this layout and the features' rate in its config. A store gives a store; a
    folder of episodes gives one, with what lies beside the pose files.
    """
    from signloom.corpora.store import is_store
    from signloom.data.files import refuse_existing
    from signloom.inference.features import Seeing
    from signloom.methods.load import folder_of, load
    from signloom.training.checkpoint import read_checkpoint

    refuse_existing(out, overwrite)
    if not clips.is_dir():
        raise UsageError(f"{clips} is no folder; give a store, or a folder of .pose files")
    if out.exists() and out.samefile(clips):
        raise UsageError(
            f"{out} is what is read, and its poses would be gone; give another folder to --out"
        )
    model = load(checkpoint)
    if not isinstance(model, Seeing):
        raise UsageError(
            f"{checkpoint} is a model of '{model.name}', whose frames nothing else reads; give a "
            "checkpoint of 'unified'"
        )
    made_by = str(read_checkpoint(folder_of(checkpoint)).config["weights"]["sha256"])
    work = _store if is_store(clips) else _poses
    work(model, made_by, clips, out, overwrite)
    typer.echo(f"{out}: layout features-{model.width}, {model.rate:g} frames a second")


def _store(model: Seeing, made_by: str, clips: Path, out: Path, overwrite: bool) -> None:
    from signloom.data.layouts import features_layout
    from signloom.inference.features import Featured

    rewrite(
        clips, out, features_layout(model.width), lambda source: Featured(source, model, made_by),
        {"features": made_by}, model.reads_lips, overwrite,
    )  # fmt: skip


def rewrite(
    store: Path,
    out: Path,
    layout: Layout,
    change: Callable[[SampleSource], SampleSource],
    told: Mapping[str, str],
    lips: bool,
    overwrite: bool,
) -> int:
    """A store of the same splits and samples, changed; ``told`` joins its description, its one key names
    the work. How many samples it has."""
    from signloom.cli.progress import progress
    from signloom.corpora.prepare import write_store
    from signloom.corpora.store import open_store

    whole = open_store(store)
    splits = {name: change(open_store(store, name, lips=lips)) for name in whole.splits}
    with progress(" ".join(told), len(whole)) as advance:
        write_store(
            out,
            layout,
            splits,
            description={**whole.describe()["description"], **told},
            overwrite=overwrite,
            advance=advance,
        )
    return len(whole)


def _poses(model: Seeing, made_by: str, clips: Path, out: Path, overwrite: bool) -> None:
    """The same files; poses as features, those of lips left out."""
    from signloom.cli.progress import progress
    from signloom.corpora.episodes import lips_beside, pose_files
    from signloom.data.files import writing_folder
    from signloom.inference.features import featured
    from signloom.pose.files import read_pose, write_pose
    from signloom.pose.lip_files import beside, read_lips

    poses = pose_files([clips])
    lips = {beside(path) for path in poses}
    with writing_folder(out, overwrite) as folder, progress("features", len(poses)) as advance:
        for path in poses:
            clip = read_pose(path)
            mouths = read_lips(lips_beside(path)) if model.reads_lips else None
            write_pose(featured(model, clip, made_by, mouths), folder / path.name)
            advance(1)
        for file in sorted(clips.iterdir()):
            if file.is_file() and file not in lips and file not in poses:
                shutil.copyfile(file, folder / file.name)
