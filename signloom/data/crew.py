"""Processes that work for this one, and end with it however it ends."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def crew(
    jobs: int, begin: Callable[..., None] | None = None, *arguments: Any
) -> ProcessPoolExecutor:
    """A pool of ``jobs`` spawned processes; each calls ``begin(*arguments)`` first.

    The library's own wait for ever where this process is killed: nobody is left to tell them.
    """
    spawned = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(jobs, spawned, _begin, (begin, arguments))


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
