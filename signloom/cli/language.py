"""signloom language: texts to a small pretrained language model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.training.fit import Fitted


class Kind(StrEnum):
    t5 = "t5"
    decoder = "decoder"
    llama = "llama"


def run(
    texts: Annotated[
        list[str],
        typer.Argument(
            help="Files of sentences (plain text, .tsv, .csv, .jsonl, also .gz or .zip), stores, "
            "sim:SIZE for the training texts of the simulated sentences, or instructions:wide for what a "
            "model that follows instructions may be told.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of the model.", show_default=False)
    ],
    kind: Annotated[
        Kind,
        typer.Option(
            help="t5: for adapters, by denoising. By the next token: decoder, a GPT-2 for autosign's "
            "decoder_pretrained; llama, for lslm's language."
        ),
    ] = Kind.t5,
    size: Annotated[
        str,
        typer.Option(
            help="tiny (0.6 M parameters), mini (3 M), small (6 M), base; of a decoder or llama tiny or "
            "small, as autosign's or lslm's presets."
        ),
    ] = "small",
    steps: Annotated[int, typer.Option(help="Optimiser steps.", min=1)] = 10_000,
    batch: Annotated[int, typer.Option(help="Sentences a step.", min=1)] = 64,
    lr: Annotated[float, typer.Option(help="Highest learning rate.", min=0)] = 2e-3,
    vocabulary: Annotated[
        int | None,
        typer.Option(
            help="Tokens at most; as the size says where not given, and one a gloss for a decoder.",
            min=1,
        ),
    ] = None,
    density: Annotated[
        float | None,
        typer.Option(help="Share of a sentence that is cut out while a T5 learns.  [default: .15]"),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="What a T5's decoder writes: spans, what was cut out, or infilling, the whole sentence, by which "
            "a small one comes to read its encoder.  [default: spans]"
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(
            help="Where a .tsv, .csv or .jsonl has the sentence.  [default: text; with --glosses gloss]"
        ),
    ] = None,
    glosses: Annotated[
        bool,
        typer.Option(
            "--glosses", help="Of stores, sim:SIZE and tables the glosses, not the texts."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(help="Of weights, order and cuts.", min=0)] = 42,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="How a T5's weights are stored: float32, or float16 for a release.  [default: float32]"
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an earlier model.")
    ] = False,
) -> None:
    """Pretrain a small language model on texts: a T5 or a Llama to stand on, or autosign's decoder."""
    if resume and overwrite:
        raise UsageError(
            "--resume goes on with a run and --overwrite replaces it; give one of them"
        )
    if kind is not Kind.t5 and (density, dtype, objective) != (None, None, None):
        raise UsageError("--density, --dtype and --objective go with --kind t5; leave them out")
    _make_way(out, resume, overwrite)
    import json

    from signloom.methods.pretrain import DENSITY, OBJECTIVES, RECORD, Wanted, pretrain

    named = tuple(
        name if name.startswith(("sim:", "instructions:")) else Path(name).name for name in texts
    )
    sentences = _read(texts, column or ("gloss" if glosses else "text"), glosses)
    if kind is not Kind.t5:
        from signloom.methods import gloss_decoder

        family: Literal["gpt2", "llama"] = "gpt2" if kind is Kind.decoder else "llama"
        asked = gloss_decoder.Wanted(
            sentences, named, size, steps, batch, lr, vocabulary, seed, family
        )
        done = gloss_decoder.pretrain_decoder(asked, out, resume=resume)
        loss = json.loads((out / RECORD).read_text())["loss"]
        _say(out, f"{loss['held_out']:.3f} nats a token of held-out texts", done)
        return
    wanted = Wanted(
        sentences, named, size, steps, batch, lr, vocabulary, DENSITY if density is None else density, seed,
        dtype or "float32", objective or "spans",
    )  # fmt: skip
    done = pretrain(wanted, out, resume=resume)
    loss = json.loads((out / RECORD).read_text())["loss"]
    said = f"{loss['held_out']:.3f} nats a token {OBJECTIVES[wanted.objective][1]} of held-out sentences"
    _say(out, f"{said} ({loss['unigram']:.3f} by frequency alone)", done)


def _say(out: Path, how_well: str, done: Fitted) -> None:
    typer.echo(f"{out}: {how_well}, {done.step} steps, {done.seconds:.0f} s")


def _read(texts: list[str], column: str, glosses: bool) -> tuple[str, ...]:
    """The sentences of all texts, each once, in order."""
    from signloom.methods.sources import corpus_texts

    found: dict[str, None] = {}
    for name in texts:
        found.update(dict.fromkeys(corpus_texts(name, column, glosses=glosses)))
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
