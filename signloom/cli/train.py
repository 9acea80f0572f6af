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

    wanted, retired = read_recipe(recipe, set_ or []), None
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
        retired = out.resolve().with_name(f".{out.resolve().name}.replaced")
        shutil.rmtree(retired, ignore_errors=True)
        out.resolve().rename(retired)
    try:
        fitted = run_recipe(wanted, out, resume=resume, workers=workers, say=_say)
    finally:
        _settle(out, retired)
    if not first_process():
        return
    best = f"{wanted.metric} {fitted.best:.2f} at step {fitted.best_step}"
    typer.echo(f"{out}/best: {best} of {fitted.step} steps, {fitted.seconds:.0f} s")


def _say(line: str) -> None:
    from signloom.training.fit import first_process

    if first_process():
        typer.echo(f"signloom: {line}", err=True)


def _settle(out: Path, retired: Path | None) -> None:
    """Deletes the run that was replaced once the new one has begun, or else puts it back."""
    import shutil

    if retired is None:
        return
    if (out / "log.jsonl").is_file():
        shutil.rmtree(retired)
        return
    shutil.rmtree(out, ignore_errors=True)
    retired.rename(out.resolve())
