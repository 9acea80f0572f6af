"""signloom train: a recipe to a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def run(
    recipe: Annotated[Path, typer.Argument(help="The recipe, a YAML file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the run.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run in this folder stopped.")
    ] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field, as in training.steps=100; may be repeated."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes that prepare batches; results do not change.")
    ] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier run.")] = False,
) -> None:
    """Train a model as a recipe says, or resume it."""
    import shutil

    from signloom.errors import UsageError
    from signloom.methods.recipe import read_recipe, run_recipe
    from signloom.training.fit import first_process

    wanted = read_recipe(recipe, set_ or [])
    if resume and overwrite:
        raise UsageError(
            "--resume goes on with a run and --overwrite replaces it; give one of them"
        )
    if first_process() and out.exists() and any(out.iterdir()) and not resume:
        if not overwrite:
            raise UsageError(
                f"{out} holds a run already; --resume goes on with it, --overwrite replaces it"
            )
        if not (out / "recipe.yaml").is_file():
            raise UsageError(f"{out} is no folder of a run (no recipe.yaml), so it is not replaced")
        shutil.rmtree(out)
    fitted = run_recipe(wanted, out, resume=resume, workers=workers)
    if not first_process():
        return
    best = f"{wanted.training.metric} {fitted.best:.2f} at step {fitted.best_step}"
    typer.echo(f"{out}/best: {best} of {fitted.step} steps, {fitted.seconds:.0f} s")
