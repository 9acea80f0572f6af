"""signloom fuse: a recogniser of pose and one of lips as one checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    pose: Annotated[str, typer.Argument(help="Checkpoint folder or hub id that reads pose.")],
    lips: Annotated[str, typer.Argument(help="Checkpoint folder or hub id that reads lips.")],
    store: Annotated[
        str,
        typer.Argument(
            help="Store with lips, or sim:tiny, sim:small, sim:base (sim-words-v1), to choose by."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Checkpoint folder to write.")],
    split: Annotated[str, typer.Option(help="Split to choose by.")] = "dev",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N samples (default: all).")
    ] = None,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated", help="Choose by real clips with models of simulated signing too."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False,
) -> None:
    """Let a recogniser of pose and one of lips answer as one.

    How much pose counts, .5 to .9 or all, is what recognises most clips of the
    split; the logits are mixed. The folder holds both models, for `signloom
    recognize --model` and `signloom evaluate`; a clip whose lips are not known
    is recognised by its pose.
    """
    from signloom.cli.recognize import loaded, read_words
    from signloom.data.files import refuse_existing
    from signloom.inference.fusion import Fused, tune
    from signloom.methods.card import card_of
    from signloom.training.checkpoint import read_checkpoint, save_checkpoint

    refuse_existing(out, overwrite)
    model = Fused(loaded(pose), loaded(lips))
    corpus, _, _ = read_words(store, split, model)
    total = len(corpus) if limit is None else limit
    rates = tune(model, corpus, total, allow_simulated=allow_simulated)
    told = [read_checkpoint(each).config for each in (pose, lips)]
    config = {
        "name": model.name,
        **model.described(),
        "simulated_only": model.simulated_only,
        "languages": sorted({name for each in told for name in each.get("languages", ())}),
        "extractors": sorted({name for each in told for name in each.get("extractors", ())}),
        "dev": rates[model.share],
        "tuned": {"store": store, "split": split, "rates": {str(s): r for s, r in rates.items()}},
    }
    save_checkpoint(out, config, model, card=card_of(config), overwrite=overwrite)
    print(table(rates, model.share))


def table(rates: dict[float, dict[str, float]], chosen: float) -> str:
    """Each share's rates, a line a share, the chosen one marked."""
    names = list(next(iter(rates.values())))
    lines = ["pose  lips" + "".join(f"{name:>13}" for name in names)]
    for share, found in rates.items():
        cells = "".join(f"{found[name]:13.1f}" for name in names)
        mark = "  chosen" if share == chosen else ""
        lines.append(f"{share:4.1f}  {1 - share:4.1f}{cells}{mark}")
    return "\n".join(lines)
