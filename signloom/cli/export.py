"""signloom export: a checkpoint as ONNX graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    checkpoint: Annotated[
        str,
        typer.Argument(help="Checkpoint folder, hub id or 'bundled'.", show_default=False),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder to write.", show_default=False)
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a folder that is there.")
    ] = False,
) -> None:
    """Write a recogniser (method isolated) or a translator (posestitch) as ONNX graphs.

    Clips, and the frames and tokens of a translator, may be of any number; its past is kept from token to token. Each
    graph is run once and compared with the model. What comes out takes the place of a checkpoint wherever a
    model is asked for, and is then run by ONNX Runtime.
    """
    from signloom.data.files import refuse_existing
    from signloom.methods.exported import export
    from signloom.methods.load import folder_of, load
    from signloom.training.checkpoint import read_checkpoint

    refuse_existing(out, overwrite)
    model = load(checkpoint)
    apart = export(model, read_checkpoint(folder_of(checkpoint)), out, overwrite)
    for name, difference in apart.items():
        size = (out / f"{name}.onnx").stat().st_size / 2**20
        typer.echo(f"{out / name}.onnx: {size:.1f} MiB, at most {difference:.1g} from the model")
