"""A claim that a benchmark measures once: no seeds, no interval, and its verdict says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from signloom.errors import MediaError, UsageError

ONCE = "measured once, no seeds"


@dataclass(frozen=True)
class Measured:
    """How many times as much of something one way takes as another, in each of some passes.

    command: writes ``record``, both from the checkout's root: pass → way → figures, the one that
    counts under ``figure`` in ``unit``. least: the factor that every pass must reach.
    """

    command: str
    record: str
    passes: tuple[str, ...]
    more: str
    less: str
    figure: str
    unit: str
    least: float


def judged(what: Measured, root: Path) -> dict[str, Any]:
    """The verdict and what it rests on, read from the record of the benchmark.

    Raises UsageError where that was not run, MediaError for a record that says something else.
    """
    path = root / what.record
    if not path.is_file():
        raise UsageError(f"{what.record} is not there; run `{what.command}` in {root}")
    try:
        found = json.loads(path.read_text())
        rows = {
            name: {way: float(found[name][way][what.figure]) for way in (what.more, what.less)}
            for name in what.passes
        }
        factors = {name: row[what.more] / row[what.less] for name, row in rows.items()}
        made = {"commit": str(found["commit"]), "hardware": dict(found["hardware"])}
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise MediaError(
            f"{path} is no record of `{what.command}` ({type(error).__name__}: {error}); run that "
            "again"
        ) from error
    told = ", ".join(f"{name} {factor:.1f} times" for name, factor in factors.items())
    holds = all(factor >= what.least for factor in factors.values())
    return {
        "verdict": {
            "word": "holds" if holds else "fails",
            "why": f"{told}; {what.least:g} in each counts as held ({ONCE})",
        },
        "measured": {
            **asdict(what),
            "rows": rows,
            "factors": {name: round(factor, 3) for name, factor in factors.items()},
            **made,
        },
    }


def table(run: Mapping[str, Any]) -> Iterator[str]:
    """What was measured and where it comes from, as Markdown, a line at a time."""
    what = run["measured"]
    more, less, unit = what["more"], what["less"], what["unit"]
    yield f"| {ONCE} | {more} | {less} | factor |"
    yield "|---|---:|---:|---:|"
    for name, row in what["rows"].items():
        yield (
            f"| {name} | {row[more]:.2f} {unit} | {row[less]:.2f} {unit} "
            f"| **{what['factors'][name]:.1f}** |"
        )
    yield ""
    yield (
        f"At least {what['least']:g} in each pass counts as held. `{what['command']}`, record "
        f"`{what['record']}`; measured at commit {what['commit']} on {what['hardware']['cpu']} "
        f"(torch {what['hardware']['torch']}); judged at {run['commit']} on {run['judged']}."
    )
    yield ""
