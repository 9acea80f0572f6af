"""signloom inspect: pages that show what a model has learnt, beside its scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def inspect() -> None:
    """Pages that show what a model has learnt, to open offline."""


@app.command("embeddings")
def embeddings(
    checkpoint: Annotated[
        str, typer.Argument(help="Checkpoint (folder or hub id) of method semtext.")
    ],
    store: Annotated[
        str,
        typer.Argument(help="Store folder, or sim:tiny, sim:small, sim:base (sim-sentences-v1)."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The page, one HTML file.")],
    split: Annotated[str, typer.Option(help="Split to look at.")] = "test",
    limit: Annotated[int, typer.Option(min=1, help="Only the first N samples.")] = 300,
    batches: Annotated[
        int,
        typer.Option(
            min=0, help="Batches of 16 clips whose gradients of both losses are compared; 0 = none."
        ),
    ] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated",
            help="Show real signing to a model that knows only simulated signing.",
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the page.")] = False,
) -> None:
    """Predicted beside true sentence embeddings: PCA, t-SNE, retrieval, neighbours, and how the gradients agree."""
    from signloom.cli.evaluate import read_corpus, simulated_note
    from signloom.cli.progress import progress
    from signloom.data.files import refuse_existing, writing
    from signloom.errors import UsageError
    from signloom.inference.embeddings import Embeds, inspect
    from signloom.methods.load import load
    from signloom.training.checkpoint import read_checkpoint
    from signloom.web.embeddings_report import render

    refuse_existing(out, overwrite)
    model = load(checkpoint)
    if not isinstance(model, Embeds):
        raise UsageError(
            f"{checkpoint} knows no sentence embeddings; give a checkpoint of method semtext"
        )
    corpus, _, _ = read_corpus(store, split, model.layout)
    with progress("clips", min(limit, len(corpus))) as advance:
        found = inspect(
            model,
            corpus,
            limit,
            batches=batches,
            allow_simulated=allow_simulated,
            advance=advance,
        )
    config = read_checkpoint(checkpoint).config
    facts: dict[str, Any] = {
        "model": model.name,
        "store": Path(store).name,
        "split": split,
        "step": config.get("step", ""),
        "weights": config.get("weights", {}).get("sha256", ""),
    }
    with writing(out, overwrite) as temporary:
        temporary.write_text(render(found, facts), encoding="utf-8")
    report = {**facts, **found.to_json()}
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    typer.echo(
        f"{model.name} on {store} {split}: {len(found.ids)} clips" + simulated_note(found.simulated)
    )
    typer.echo(f"cosine with its own text {found.own:.3f}, with others {found.other:.3f}")
    for name, each in (("clip to text", found.to_text), ("text to clip", found.to_clip)):
        told = ", ".join(f"R@{k} {v:.1f} ({each.chance[k]:.1f})" for k, v in each.recall.items())
        typer.echo(f"{name} (by chance): {told}, among {each.candidates}")
    if (gradients := found.agreement) is not None:
        mean = report["gradients"]["mean"]
        typer.echo(
            f"gradients of λ·L_e and L_o: cosine {mean:.3f}, below 0 in "
            f"{report['gradients']['conflicting']} of {len(gradients.cosines)} batches; "
            f"λ·L_e's is {gradients.ratio:.2f} times as long"
        )
    typer.echo(str(out))
