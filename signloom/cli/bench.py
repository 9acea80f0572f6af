"""signloom bench: the benchmarks of a clone, as ratios in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from signloom.errors import UsageError


def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Which of them (docs/benchmarks.md).  [default: all]"),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Where the record goes.", show_default=False)
    ] = Path("benchmarks.json"),
    check: Annotated[
        Path | None,
        typer.Option(
            help="An earlier record: exit code 1 where a ratio is worse by more than 1.3, or gone."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a record.")] = False,
) -> None:
    """Measure speed as ratios: against a peer, the naive form of the same, or a limit of this machine.

    The benchmarks are in a clone of signloom, not in the package.
    """
    import signloom
    from signloom.data.files import refuse_existing

    refuse_existing(out, overwrite)
    root = Path(signloom.__file__).resolve().parent.parent
    if not (root / "benchmarks" / "__main__.py").is_file():
        raise UsageError(
            f"there are no benchmarks beside the package in {root}; they come with a clone of signloom, "
            "so install it from there: pip install -e ."
        )
    asked = [*(names or []), "-o", str(out.resolve())]
    asked += ["--check", str(check.resolve())] if check else []
    done = subprocess.run([sys.executable, "-m", "benchmarks", *asked], cwd=root)
    raise typer.Exit(done.returncode)
