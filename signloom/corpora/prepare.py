"""Sources of samples into a store, over several processes; the bytes do not depend on how many."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from signloom.corpora.entries import LeftOut
from signloom.corpora.store import Row, StoreWriter, encode
from signloom.data.crew import crew
from signloom.data.layouts import Layout
from signloom.data.sample import SampleSource
from signloom.errors import MediaError, UsageError

CHUNK = 32
"""Samples that a worker makes at a time."""


def write_store(
    path: str | os.PathLike[str],
    layout: Layout,
    sources: Mapping[str, SampleSource],
    *,
    description: Mapping[str, Any],
    jobs: int = 1,
    overwrite: bool = False,
    advance: Callable[[int], None] = lambda n: None,
    quarantine: bool = False,
    absent: Sequence[LeftOut] = (),
) -> list[LeftOut]:
    """Writes split → source to a store at ``path``, samples in the order of their indices.

    jobs: worker processes; 1 works in this one.
    advance: told how many more samples are done.
    quarantine: a clip that cannot be read is left out and listed in the store's
        quarantine.tsv, and the rest is written; otherwise it ends the whole.
    absent: clips that are known to be missing, listed there as well.

    Returns what was left out, ``absent`` first. Raises UsageError if ``path`` exists and
    ``overwrite`` is off, or a sample has another layout; MediaError where no clip can be read.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}, expected 1 or more")
    left_out = list(absent)
    with StoreWriter(path, layout, overwrite, description) as writer:
        for clip in left_out:
            writer.leave_out(clip)
        for split, source in sources.items():
            for rows, failed in _rows(source, layout, jobs, quarantine):
                for row in rows:
                    writer.add_row(row, split)
                for name, reason in failed:
                    left_out.append(LeftOut(name, split, reason))
                    writer.leave_out(left_out[-1])
                advance(len(rows) + len(failed))
    return left_out


Made = tuple[list[Row], list[tuple[str, str]]]
"""Rows, and (name, reason) of what could not be read."""


def _rows(source: SampleSource, layout: Layout, jobs: int, quarantine: bool) -> Iterator[Made]:
    """The rows of a source in chunks, in order."""
    chunks = [range(i, min(i + CHUNK, len(source))) for i in range(0, len(source), CHUNK)]
    if jobs == 1:
        yield from (encoded(source, layout, chunk, quarantine) for chunk in chunks)
        return
    with crew(jobs, _hold, source, layout, quarantine) as pool:
        waiting: deque[Future[Made]] = deque()
        try:
            for chunk in chunks:
                if len(waiting) >= 3 * jobs:
                    yield waiting.popleft().result()
                waiting.append(pool.submit(_encoded, chunk))
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def encoded(source: SampleSource, layout: Layout, chunk: range, quarantine: bool = False) -> Made:
    """The rows of some samples, and with ``quarantine`` those that cannot be read.

    Raises UsageError where one is in another layout.
    """
    rows: list[Row] = []
    failed: list[tuple[str, str]] = []
    for index in chunk:
        try:
            sample = source[index]
        except (MediaError, UsageError) as error:
            if not quarantine:
                raise
            failed.append((_name(source, index), str(error)))
            continue
        if sample.clip.layout != layout:
            raise UsageError(
                f"sample '{sample.id}' is in layout '{sample.clip.layout.name}', expected "
                f"'{layout.name}'; convert the clip first"
            )
        rows.append(encode(sample))
    return rows, failed


def _name(source: SampleSource, index: int) -> str:
    """What a sample is called, where its source can say without reading it."""
    return str(source.name(index)) if hasattr(source, "name") else f"sample {index}"


_held: tuple[SampleSource, Layout, bool] | None = None


def _hold(source: SampleSource, layout: Layout, quarantine: bool) -> None:
    """Gives a worker process what it works on, once."""
    global _held
    _held = (source, layout, quarantine)


def _encoded(chunk: range) -> Made:
    assert _held is not None
    source, layout, quarantine = _held
    return encoded(source, layout, chunk, quarantine)
