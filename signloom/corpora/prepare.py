"""Sources of samples into a store, over several processes; the bytes do not depend on how many."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

from signloom.corpora.store import Row, StoreWriter, encode
from signloom.data.layouts import Layout
from signloom.data.sample import SampleSource
from signloom.errors import UsageError

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
) -> None:
    """Writes split → source to a store at ``path``, samples in the order of their indices.

    jobs: worker processes; 1 works in this one.
    advance: told how many more samples are done.

    Raises UsageError if ``path`` exists and ``overwrite`` is off, or a sample
    has another layout.
    """
    if jobs < 1:
        raise UsageError(f"jobs is {jobs}, expected 1 or more")
    with StoreWriter(path, layout, overwrite, description) as writer:
        for split, source in sources.items():
            for rows in _rows(source, layout, jobs):
                for row in rows:
                    writer.add_row(row, split)
                advance(len(rows))


def _rows(source: SampleSource, layout: Layout, jobs: int) -> Iterator[list[Row]]:
    """The rows of a source in chunks, in order."""
    chunks = [range(i, min(i + CHUNK, len(source))) for i in range(0, len(source), CHUNK)]
    if jobs == 1:
        yield from (encoded(source, layout, chunk) for chunk in chunks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _hold, (source, layout)) as pool:
        waiting: deque[Future[list[Row]]] = deque()
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


def encoded(source: SampleSource, layout: Layout, chunk: range) -> list[Row]:
    """The rows of some samples. Raises UsageError where one is in another layout."""
    rows = []
    for index in chunk:
        sample = source[index]
        if sample.clip.layout != layout:
            raise UsageError(
                f"sample '{sample.id}' is in layout '{sample.clip.layout.name}', expected "
                f"'{layout.name}'; convert the clip first"
            )
        rows.append(encode(sample))
    return rows


_held: tuple[SampleSource, Layout] | None = None


def _hold(source: SampleSource, layout: Layout) -> None:
    """Gives a worker process what it works on, once."""
    global _held
    _held = (source, layout)


def _encoded(chunk: range) -> list[Row]:
    assert _held is not None
    return encoded(*_held, chunk)
