"""Outputs are written to a temporary file, flushed and renamed; nothing is overwritten unasked."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from signloom.errors import UsageError


def refuse_existing(path: str | os.PathLike[str], overwrite: bool) -> Path:
    """``path`` as a Path; UsageError if something is there and ``overwrite`` is off."""
    target = Path(path)
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists already; choose another name or pass --overwrite")
    return target


@contextmanager
def writing(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; renames it there when the block ends well.

    Raises UsageError if ``path`` exists and ``overwrite`` is off.
    """
    target = refuse_existing(path, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, 0o666 & ~umask)
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, target)
        flush(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """The same for a folder: filled under a temporary name, renamed when the block ends well."""
    target = refuse_existing(path, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, 0o777 & ~umask)
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                flush(file)
        move_folder(temporary, target)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)


def move_folder(source: Path, target: Path) -> None:
    """Renames a folder to ``target``, in place of a folder that is there, which is deleted then."""
    retired = None
    if target.exists():
        retired = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent)
        )
        os.replace(target, retired / target.name)
    os.replace(source, target)
    flush(target.parent)
    if retired:
        shutil.rmtree(retired, ignore_errors=True)


def flush(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
