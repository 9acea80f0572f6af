"""signloom claims: the papers' claims, their runs and their verdicts."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from signloom.claims.records import Claim

app = typer.Typer(no_args_is_help=True)


class ScaleName(StrEnum):
    tiny = "tiny"
    small = "small"
    paper = "paper"


Id = Annotated[str, typer.Argument(help="A claim, such as C1.2.")]
Results = Annotated[
    Path | None, typer.Option(help="Where records are kept.  [default: results/claims]")
]


@app.command("list")
def list_(
    paper: Annotated[str | None, typer.Option(help="Only one paper's, by its method.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Results = None,
) -> None:
    """Every claim of the five papers and our own questions, run or not."""
    import json

    from signloom.claims.catalogue import ALL, PAPERS
    from signloom.claims.page import status
    from signloom.claims.records import RESULTS
    from signloom.errors import UsageError, nearest

    if paper is not None and paper not in PAPERS:
        raise UsageError(
            f"there is no paper '{paper}'{nearest(paper, list(PAPERS))}; they are "
            f"{', '.join(PAPERS)}"
        )
    folder = results or RESULTS
    chosen = [claim for claim in ALL.values() if paper in (None, claim.paper)]
    if as_json:
        rows = [_described(claim) | {"status": status(claim, folder)} for claim in chosen]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for name, found in PAPERS.items():
        mine = [claim for claim in chosen if claim.paper == name]
        if not mine:
            continue
        typer.echo(f"{found.title} ({found.source})")
        for claim in mine:
            typer.echo(f"  {claim.id:<6}{claim.statement}\n        {status(claim, folder)}")


@app.command("run")
def run(
    claim: Id,
    scale: Annotated[ScaleName, typer.Option(help="How large the arms are.")],
    seeds: Annotated[str, typer.Option(help="Seeds, as in 1,2,3.")] = "1,2,3",
    jobs: Annotated[int, typer.Option(min=1, help="Arms trained at once, each on one thread.")] = 1,
    arms: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps trained arms.  [default: runs/claims]"),
    ] = None,
    results: Results = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be trained, and stop.")
    ] = False,
) -> None:
    """Train the arms that are missing, judge the claim, and keep the record.

    An arm is kept under the hash of its recipe: no two claims train the same one,
    and a run that was interrupted goes on.
    """
    from signloom.claims.arms import found
    from signloom.claims.catalogue import claim_named
    from signloom.claims.page import said
    from signloom.claims.records import RESULTS, RUNS
    from signloom.claims.run import jobs as jobs_of_claim
    from signloom.claims.run import lacking_data, run_claim, scale_of
    from signloom.cli.receipt import commit, hardware

    wanted, chosen = claim_named(claim), _seeds(seeds)
    folder, runs = results or RESULTS, arms or RUNS
    if lacking := lacking_data(wanted, scale.value):
        typer.echo(f"{wanted.id} at scale {scale.value}: not testable here: needs {lacking}")
        return
    planned = jobs_of_claim(wanted, scale.value, chosen)
    missing = [job for job in planned if found(job, folder) is None]
    trained = len({job.key for job in missing})
    minutes = trained * scale_of(wanted, scale.value).minutes / jobs
    for job in planned:
        there = "to be trained" if job in missing else "there"
        typer.echo(f"{job.key}  {job.arm}, seed {job.recipe.seed}: {there}")
    typer.echo(
        f"{wanted.id} at scale {scale.value}: {len(planned)} arms and seeds, {trained} to be "
        f"trained, about {minutes:.0f} minutes"
    )
    if dry_run:
        return
    receipt = {"commit": commit(), "hardware": {**hardware(), "threads": 1}}
    record = run_claim(
        wanted, scale.value, chosen, runs, folder, receipt, jobs,
        lambda line: typer.echo(line, err=True),
    )  # fmt: skip
    typer.echo(said(wanted, record))


@app.command("show")
def show(
    claim: Annotated[
        str | None, typer.Argument(help="A claim, such as C1.2.  [default: all that were run]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    results: Results = None,
) -> None:
    """What came out: verdicts, differences with intervals, scores of each arm."""
    import json

    from signloom.claims.catalogue import ALL, claim_named
    from signloom.claims.page import kept, said, status
    from signloom.claims.records import RESULTS

    folder = results or RESULTS
    chosen = [claim_named(claim)] if claim else list(ALL.values())
    runs = {c.id: kept(c, folder) for c in chosen}
    if as_json:
        rows = [
            _described(c) | {"status": status(c, folder), "runs": runs[c.id]}
            for c in chosen
            if claim or runs[c.id]
        ]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for c in chosen:
        for record in runs[c.id]:
            typer.echo(said(c, record) + "\n")
        if claim and not runs[c.id]:
            typer.echo(f"{c.id}: {c.statement}\n  {status(c, folder)}")


def _described(claim: Claim) -> dict[str, Any]:
    from dataclasses import asdict

    from signloom.claims.catalogue import PAPERS, scales_of

    scales = {} if claim.needs else scales_of(claim)
    return {
        **asdict(claim),
        "title": PAPERS[claim.paper].title,
        "source": PAPERS[claim.paper].source,
        "corpora": {name: scale.corpora for name, scale in scales.items()},
    }


def _seeds(text: str) -> tuple[int, ...]:
    from signloom.errors import UsageError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--seeds {text}: expected whole numbers, as in 1,2,3") from None
