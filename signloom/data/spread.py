"""Work on many items, each done once: in this process, in several, or on a Ray cluster.

The work itself writes what it makes, whole or not at all (data/files.py), so an item that is begun
again after a death does no harm. ``spread_kept`` keeps each item's result as a file too: who goes
on after the driver was killed is given the results that are there, and only the rest is worked on.
On several machines all paths must lie on a disk that all of them see.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import queue
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from signloom.data.crew import crew
from signloom.data.files import writing
from signloom.errors import MediaError, MissingExtraError, SignloomError, UsageError

Work = Callable[[str, Any], Any]
"""(an item's name, the item) → its result; picklable, and raises SignloomError for what is broken."""

RETRIES = 3
"""How often an item is begun again when the process working on it dies."""


@dataclass(frozen=True)
class Engine:
    """Where items are worked on.

    jobs: worker processes; 1 works in this process. Ray counts them where it starts a cluster itself.
    address: of a Ray cluster that runs ("auto": the one of this machine); None starts one here.
    """

    name: Literal["processes", "ray"] = "processes"
    jobs: int = 1
    address: str | None = None

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError(f"jobs is {self.jobs}, expected 1 or more")
        if self.address is not None and self.name != "ray":
            raise UsageError(
                f"--address {self.address} is that of a Ray cluster, got --engine {self.name}; "
                "give --engine ray with it"
            )


@dataclass(frozen=True)
class Done:
    """What became of an item: its result, or why there is none."""

    name: str
    value: Any = None
    error: SignloomError | None = None


class DiedError(MediaError):
    """The processes that worked on an item died, one after the other."""


def spread(work: Work, items: Mapping[str, Any], engine: Engine = Engine()) -> Iterator[Done]:
    """What becomes of each item, in the order in which they are finished.

    An item that is broken (SignloomError) holds up no other. A worker that dies is replaced and
    its item begun again, RETRIES times; then its error is a DiedError. Anything else ends the run.

    Raises MissingExtraError without the extra 'ray', UsageError where no cluster answers.
    """
    if engine.name == "ray":
        yield from _on_ray(work, items, engine)
    elif engine.jobs == 1:
        yield from (_done(name, _attempt(work, name, item)) for name, item in items.items())
    else:
        yield from _in_processes(work, items, engine.jobs)


def spread_kept(
    work: Work, items: Mapping[str, Any], folder: Path, engine: Engine = Engine()
) -> Iterator[Done]:
    """As ``spread``, each result (JSON) kept as ``folder/NAME.json``; those that are there come first.

    What is broken is not kept, so it is tried again the next time; so is a result whose file is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rest = {}
    for name, item in items.items():
        try:
            yield Done(name, read_kept(folder / f"{name}.json"))
        except (OSError, ValueError):
            rest[name] = item
    yield from spread(partial(_kept, work, folder), rest, engine)


def read_kept(file: Path) -> Any:
    """A result that ``spread_kept`` has kept.

    Raises OSError where there is none, ValueError where the file is not what was written.
    """
    try:
        said = json.loads(file.read_text("utf-8"))
        whole = said["sha256"] == _sha256(said["value"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{file} holds no result ({error})") from None
    if not whole:
        raise ValueError(f"{file} is damaged: its sha256 is not that of its value")
    return said["value"]


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _kept(work: Work, folder: Path, name: str, item: Any) -> Any:
    value = work(name, item)
    said = {"sha256": _sha256(value), "value": value}
    with writing(folder / f"{name}.json", overwrite=True) as part:
        part.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    return value


Attempt = tuple[Any, type[SignloomError] | None, str]
"""(result, None, "") or (None, kind of error, its message): errors do not always survive pickling."""


def _attempt(work: Work, name: str, item: Any) -> Attempt:
    try:
        return work(name, item), None, ""
    except SignloomError as error:
        return None, type(error), str(error)


def _done(name: str, attempt: Attempt) -> Done:
    value, kind, message = attempt
    return Done(name, value, None if kind is None else kind.__new__(kind, message))


def _died(name: str) -> Done:
    return Done(
        name,
        error=DiedError(
            f"{name} was given up: the process working on it died {RETRIES + 1} times; it may be "
            "damaged, or the machine short of memory"
        ),
    )


# --- processes of this machine -------------------------------------------------------------------

_held: Any = None


def _hold(work: Work) -> None:
    """Gives a worker process what it works with, once."""
    global _held
    _held = work


def _attempt_held(name: str, item: Any) -> Attempt:
    return _attempt(_held, name, item)


class _Worker:
    """One process, replaced when it dies."""

    def __init__(self, work: Work) -> None:
        self.work, self.pool = work, crew(1, _hold, work)

    def do(self, name: str, item: Any) -> Done:
        for _ in range(RETRIES + 1):
            try:
                return _done(name, self.pool.submit(_attempt_held, name, item).result())
            except BrokenProcessPool:
                self.pool.shutdown(wait=False)
                self.pool = crew(1, _hold, self.work)
        return _died(name)


def _in_processes(work: Work, items: Mapping[str, Any], jobs: int) -> Iterator[Done]:
    workers = [_Worker(work) for _ in range(min(jobs, max(len(items), 1)))]
    free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    for worker in workers:
        free.put(worker)

    def do(name: str) -> Done:
        worker = free.get()
        try:
            return worker.do(name, items[name])
        finally:
            free.put(worker)

    threads = ThreadPoolExecutor(len(workers))
    running: set[Future[Done]] = set()
    try:
        for name in items:
            while len(running) >= 2 * len(workers):
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
            running.add(threads.submit(do, name))
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.pool.shutdown(wait=False, cancel_futures=True)


# --- Ray -----------------------------------------------------------------------------------------


@contextmanager
def connected(engine: Engine) -> Iterator[None]:
    """Keeps one connection, or one cluster, for several calls of ``spread`` in the block."""
    with cluster(engine) if engine.name == "ray" else nullcontext():
        yield


@contextmanager
def cluster(engine: Engine) -> Iterator[Any]:
    """The module ray, connected: to the address, or to a cluster of this machine that ends with the block.

    No usage statistics are sent and no dashboard is started. Raises as ``spread`` does.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingExtraError("--engine ray", "ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))  # Ray's own is without end
    import ray

    if ray.is_initialized():
        yield ray
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if engine.address is None:
        _start(ray, engine.jobs, quiet)
    else:
        try:
            host, _, port = engine.address.rpartition(":")
            if port.isdecimal():  # Ray itself would try for minutes
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(engine.address, **quiet)
        except (OSError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"no Ray cluster answers at {engine.address} ({error}); start one with 'ray start "
                "--head', check the address, or leave --address out for one on this machine"
            ) from None
    try:
        yield ray
    finally:
        ray.shutdown()


class BusyError(SignloomError):
    """Ray gave its own processes 30 seconds to start, and they did not."""


def _start(ray: Any, jobs: int, quiet: Mapping[str, Any]) -> None:
    """A cluster of this machine, with a second try."""
    for tries_left in (1, 0):
        try:
            ray.init("local", num_cpus=jobs, include_dashboard=False, **quiet)
            return
        except Exception as error:  # Ray has no kind of its own for it
            ray.shutdown()
            if "timed out during startup" not in str(error):
                raise
            if not tries_left:
                raise BusyError(
                    f"Ray did not start on this machine within its 30 seconds ({error}); try again "
                    "when less is running, or give a cluster that runs with --address"
                ) from None


_fetched: tuple[str, Work] | None = None


def _attempt_fetched(references: list[Any], name: str, item: Any) -> Attempt:
    """In a worker of Ray: an item, with the work fetched once a process."""
    global _fetched
    key = references[0].hex()
    if _fetched is None or _fetched[0] != key:
        import ray

        _fetched = key, ray.get(references[0])
    return _attempt(_fetched[1], name, item)


def _on_ray(work: Work, items: Mapping[str, Any], engine: Engine) -> Iterator[Done]:
    if not items:
        return
    with cluster(engine) as ray:
        lost = (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError)
        attempt = ray.remote(num_cpus=1, max_retries=RETRIES)(_attempt_fetched)
        held = ray.put(work)
        running: dict[Any, str] = {}

        def finished() -> Done:
            (first,), _ = ray.wait(list(running), num_returns=1)
            name = running.pop(first)
            try:
                return _done(name, ray.get(first))
            except lost:
                return _died(name)

        try:
            for name, item in items.items():
                while len(running) >= 2 * max(int(ray.cluster_resources().get("CPU", 1)), 1):
                    yield finished()
                running[attempt.remote([held], name, item)] = name
            while running:
                yield finished()
        finally:
            for reference in running:
                ray.cancel(reference, force=True)
