"""Sources of samples into a store, on any number of processes; the bytes do not depend on how many.

The store grows in the folder ``PATH.parts``: a run of samples is one item of work (`data.spread`),
whose shards are written whole, then listed in a file of its own. When all runs are there they are
joined by an index and the folder is renamed. Killed at any moment, it goes on with ``resume``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from signloom.corpora.entries import LeftOut
from signloom.corpora.store import (
    RUN,
    Part,
    RunWriter,
    is_store,
    join,
    layout_to_json,
    open_store,
    refuse_no_store,
)
from signloom.data.files import held, move_folder, refuse_existing, writing
from signloom.data.layouts import Layout
from signloom.data.sample import SampleSource
from signloom.data.spread import DiedError, Engine, connected, read_kept, spread_kept
from signloom.errors import MediaError, SignloomError, UsageError

JOB, PARTS = "job.json", "parts"


def write_store(
    path: str | os.PathLike[str],
    layout: Layout,
    sources: Mapping[str, SampleSource],
    *,
    description: Mapping[str, Any],
    engine: Engine = Engine(),
    overwrite: bool = False,
    resume: bool = False,
    advance: Callable[[int], None] = lambda n: None,
    quarantine: bool = False,
    absent: Sequence[LeftOut] = (),
) -> list[LeftOut]:
    """Writes split → source to a store at ``path``, samples in the order of their indices.

    engine: where runs of samples are made; all its machines must see ``path``.
    resume: go on with what an interrupted call has left in ``PATH.parts``; otherwise it is cleared.
    advance: told how many more samples are done.
    quarantine: a clip that cannot be read is left out and listed in the store's
        quarantine.tsv, and the rest is written; otherwise it ends the whole.
    absent: clips that are known to be missing, listed there as well.

    Returns what was left out, ``absent`` first. Raises UsageError if ``path`` exists and
    ``overwrite`` is off, a sample has another layout, what is to be resumed is another corpus, or
    ``PATH.parts`` is something else or another command's; MediaError where no clip can be read.
    """
    target = refuse_existing(path, overwrite)
    refuse_no_store(target, overwrite)
    folder = parts_of(target)
    about = {"absent": len(absent), **description}
    job = {
        "layout": layout_to_json(layout),
        "splits": {split: len(source) for split, source in sources.items()},
        "samples": {split: _digest(source) for split, source in sources.items()},
        "description": json.loads(json.dumps(about)),
    }
    with connected(engine), _held(folder):
        _begin(folder, job, resume)
        if not is_store(folder):
            runs = {
                f"{split}-{run:05d}": (split, run)
                for split, source in sources.items()
                for run in range(-(-len(source) // RUN))
            }
            try:
                parts = _parts(folder, layout, sources, runs, engine, advance, quarantine)
                join(folder, layout, parts, description, absent, target)
            except SignloomError as error:
                if not (resume or isinstance(error, DiedError)):
                    shutil.rmtree(folder)
                raise
        left_out = open_store(folder).left_out()
        shutil.rmtree(folder / PARTS, ignore_errors=True)
        refuse_existing(target, overwrite)
        move_folder(folder, target)
        (target / JOB).unlink(missing_ok=True)
    return left_out


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """The folder, made where it is not there, as this command's alone.

    Raises UsageError where another command fills it, or somebody else's files are in it.
    """
    seen = [f.name for f in folder.iterdir()] if folder.exists() else []
    if JOB not in seen and not all(name.startswith(".") for name in seen):
        raise UsageError(
            f"{folder} is where the store would grow, and what is in it no interrupted run has left; "
            "move it away, or give another --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock = held(folder)
    except OSError:  # no locks on this disk
        yield
        return
    if lock is None:
        raise UsageError(
            f"another command is writing {folder}; wait until it is done, or give another --out"
        )
    try:
        yield
    finally:
        os.close(lock)


def _digest(source: SampleSource) -> str:
    """What tells the samples of a source from others: what it says of itself, and its files' sizes and times."""
    said = re.sub(r" at 0x[0-9a-f]+", "", repr(source))
    digest = hashlib.sha256(said.encode())
    for entry in getattr(source, "entries", ()):
        with suppress(AttributeError, OSError):
            found = os.stat(entry.path)
            digest.update(f"{found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def parts_of(path: Path) -> Path:
    """The folder in which a store grows."""
    return path.with_name(f"{path.name}.parts")


def _begin(folder: Path, job: Mapping[str, Any], resume: bool) -> None:
    """The folder with ``job`` in it. Raises UsageError where another job is to be resumed."""
    file = folder / JOB
    if resume and file.is_file():
        if _read_job(file) != job:
            raise UsageError(
                f"{folder} was begun with other samples or settings than these, or its {JOB} is damaged; "
                "give the command it was begun with, or leave --resume out to begin again"
            )
        if is_store(folder):
            return
        for record in (folder / PARTS).glob("*.json"):
            if not _is_whole(record, folder):
                record.unlink()
        return
    for left in folder.iterdir():  # the folder itself is held
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    with writing(file) as part:
        part.write_text(json.dumps(job, ensure_ascii=False), "utf-8")


def _read_job(file: Path) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(file.read_text("utf-8"))
    return None


def _is_whole(record: Path, folder: Path) -> bool:
    """Whether a run's record and its shards are as they were written."""
    try:
        return Part.from_json(read_kept(record)).is_whole(folder)
    except ValueError:
        return False


def _parts(
    folder: Path,
    layout: Layout,
    sources: Mapping[str, SampleSource],
    runs: Mapping[str, tuple[str, int]],
    engine: Engine,
    advance: Callable[[int], None],
    quarantine: bool,
) -> list[Part]:
    """What each run left in the folder, in order."""
    found: dict[str, Part] = {}
    work = partial(write_run, folder, layout, sources, quarantine)
    for done in spread_kept(work, runs, folder / PARTS, engine):
        if done.error is not None:
            raise done.error
        part = found[done.name] = Part.from_json(done.value)
        advance(sum(shard["samples"] for shard in part.shards) + len(part.left_out))
    return [found[name] for name in runs]


def write_run(
    folder: Path,
    layout: Layout,
    sources: Mapping[str, SampleSource],
    quarantine: bool,
    name: str,
    place: tuple[str, int],
) -> dict[str, Any]:
    """Writes one run (split, number) into the store's folder; what it left there, as JSON.

    Raises UsageError where a sample is in another layout, and without ``quarantine`` MediaError
    where one cannot be read.
    """
    split, run = place
    source = sources[split]
    writer = RunWriter(folder, layout, split, run)
    for index in range(run * RUN, min((run + 1) * RUN, len(source))):
        try:
            sample = source[index]
        except (MediaError, UsageError) as error:
            if not quarantine:
                raise
            writer.leave_out(_name(source, index), str(error))
            continue
        writer.add(sample)
    return writer.close().to_json()


def _name(source: SampleSource, index: int) -> str:
    """What a sample is called, where its source can say without reading it."""
    return str(source.name(index)) if hasattr(source, "name") else f"sample {index}"
