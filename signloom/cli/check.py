"""signloom check: what is wrong with a store or a manifest."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from signloom.errors import MediaError

if TYPE_CHECKING:
    from signloom.corpora.check import Report

SHOWN = 10
"""Findings shown of a kind, and samples named of a finding; --json has all."""


def run(
    corpus: Annotated[
        Path, typer.Argument(help="A store, or a manifest (.tsv, .csv, .jsonl).", metavar="CORPUS")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds that a time may lie past the end.  [default: one frame of the clip]",
        ),
    ] = None,
) -> None:
    """What is wrong with a store or a manifest: reported, never changed.

    Errors give exit code 3; warnings and information do not.
    """
    from signloom.cli.progress import progress
    from signloom.corpora.check import check, samples_in

    with progress(f"checking {corpus.name}", samples_in(corpus)) as advance:
        report = check(corpus, tolerance, advance)
    if as_json:
        typer.echo(json.dumps(report.to_json(), indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines_of(report)))
    if not report.clean:
        raise MediaError(f"{corpus}: {_told(report)}; the errors are named above")


def lines_of(report: Report) -> list[str]:
    """The report in words, a line a finding and one for the samples it concerns."""
    splits = ", ".join(f"{split} {count:,}" for split, count in report.splits.items())
    lines = [f"{report.source}: {splits or 'no'} samples, {report.frames:,} frames"]
    told: Counter[str] = Counter()
    for finding in report.findings:
        told[finding.kind] += 1
        if told[finding.kind] > SHOWN:
            continue
        lines.append(f"{finding.severity}: {finding.kind}: {finding.message}")
        if len(finding.samples) > 1:
            more = len(finding.samples) - SHOWN
            shown = ", ".join(finding.samples[:SHOWN])
            lines.append(f"    {shown}{f' … and {more} more' if more > 0 else ''}")
    lines += [
        f"{kind}: {count - SHOWN} more of these; --json lists them all"
        for kind, count in told.items()
        if count > SHOWN
    ]
    lines.append(_told(report))
    return lines


def _told(report: Report) -> str:
    counts = [(report.count("error"), "errors"), (report.count("warning"), "warnings")]
    told = ", ".join(f"{count} {name if count != 1 else name[:-1]}" for count, name in counts)
    return f"{told}, {report.count('info')} for information"
