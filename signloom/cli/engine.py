"""Where the work of a command is done: the options that extract, prepare, score and corpus share."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from signloom.data.spread import Engine


class EngineName(StrEnum):
    processes = "processes"
    ray = "ray"


WithEngine = Annotated[
    EngineName,
    typer.Option("--engine", help="Processes of this machine, or a Ray cluster (docs/scale.md)."),
]
Address = Annotated[
    str | None,
    typer.Option(
        help="Of the Ray cluster: HOST:PORT, or 'auto'.  [default: one started on this machine]"
    ),
]


def engine_of(name: EngineName, jobs: int, address: str | None) -> Engine:
    """What the options say. Raises UsageError where an address is given without Ray."""
    from signloom.data.spread import Engine

    return Engine(name.value, jobs, address)
