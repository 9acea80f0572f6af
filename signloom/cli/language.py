"""signloom language: texts to a small pretrained language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from signloom.errors import UsageError


def run(
    texts: Annotated[
        list[str],
        typer.Argument(
            help="Files of sentences (plain text, .tsv, .csv, .jsonl, also .gz or .zip), stores, "
            "or sim:SIZE for the training texts of the simulated sentences.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of the model.", show_default=False)
    ],
    size: Annotated[
        str, typer.Option(help="tiny (0.6 M parameters), mini (3 M), small (6 M), base.")
    ] = "small",
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=1)] = 10_000,
    batch: Annotated[int, typer.Option(help="Sentences a step.", min=1)] = 64,
    lr: Annotated[float, typer.Option(help="Highest learning rate.", min=0)] = 2e-3,
    vocabulary: Annotated[
        int | None, typer.Option(help="Tokens at most; as the size says where not given.", min=1)
    ] = None,
    density: Annotated[
        float, typer.Option(help="Share of a sentence that is cut out while it learns.")
    ] = 0.15,
    column: Annotated[
        str, typer.Option(help="Where a .tsv, .csv or .jsonl has the sentence.")
    ] = "text",
    seed: Annotated[int, typer.Option(help="Of weights, order and cuts.", min=0)] = 42,
    dtype: Annotated[
        str, typer.Option(help="How weights are stored: float32, or float16 for a release.")
    ] = "float32",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier model.")
    ] = False,
) -> None:
    """Pretrain a small T5 on texts by span corruption, for adapters to stand on."""
    if resume and overwrite:
        raise UsageError(
            "--resume goes on with a run and --overwrite replaces it; give one of them"
        )
    _make_way(out, resume, overwrite)
    import json

    from transformers.utils import logging

    from signloom.methods.pretrain import RECORD, Wanted, pretrain

    logging.disable_progress_bar()
    wanted = Wanted(
        _read(texts, column),
        tuple(name if name.startswith("sim:") else Path(name).name for name in texts),
        size,
        steps,
        batch,
        lr,
        vocabulary,
        density,
        seed,
        dtype,
    )
    fitted = pretrain(wanted, out, resume=resume)
    loss = json.loads((out / RECORD).read_text())["loss"]
    typer.echo(
        f"{out}: {loss['held_out']:.3f} nats a token that was cut out of held-out sentences "
        f"({loss['unigram']:.3f} by frequency alone), {fitted.step} steps, {fitted.seconds:.0f} s"
    )


def _read(texts: list[str], column: str) -> tuple[str, ...]:
    """The sentences of all texts, each once, in order."""
    from signloom.methods.sources import corpus_texts

    found: dict[str, None] = {}
    for name in texts:
        found.update(dict.fromkeys(corpus_texts(name, column)))
    return tuple(found)


def _make_way(out: Path, resume: bool, overwrite: bool) -> None:
    """Leaves a folder that can be written to. Raises UsageError where it may not be."""
    import shutil

    if resume or not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not overwrite:
        raise UsageError(
            f"{out} holds something already; --resume goes on with a run in it, --overwrite "
            "replaces it"
        )
    if not (out / "run").is_dir() and not (out / "pretraining.json").is_file():
        raise UsageError(f"{out} is no folder of 'signloom language', so it is not replaced")
    shutil.rmtree(out)
