"""Outputs are written to a temporary file, flushed and renamed; nothing is overwritten unasked.

A temporary is called ``.NAME.0.part`` beside what it becomes and is locked while it is written.
What a killed process left there is not locked, and goes when the same output is next written.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from signloom.errors import UsageError

MOST = 1_000
"""Temporaries of one output that are tried for one that is free."""
NOT_OURS = (
    errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENXIO,
)  # fmt: skip
"""What is said of a temporary that is another user's, or of another sort."""


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
    temporary, lock = _temporary(target, folder=False)
    mine = True  # once it is renamed, the name may be another's
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, target)
        mine = False
        flush(target.parent)
    except Exception as error:
        if (full := _full(error, target)) is not None:
            raise full from error
        raise
    finally:
        if mine:
            _remove(temporary)
        os.close(lock)


@contextmanager
def writing_folder(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """The same for a folder: filled under a temporary name, renamed when the block ends well.

    One that is replaced changes places with the new one, so that at any moment one of them is there.
    """
    target = refuse_existing(path, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary, lock = _temporary(target, folder=True)
    retired, mine = None, True
    try:
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                flush(file)
        if target.exists():
            with suppress(OSError):  # a link, or no locks here
                retired = held(target)
        mine = _put(temporary, target)
        flush(target.parent)
    except Exception as error:
        if (full := _full(error, target)) is not None:
            raise full from error
        raise
    finally:
        if mine:
            _remove(temporary)
        for descriptor in (lock, retired):
            if descriptor is not None:
                os.close(descriptor)


def move_folder(source: Path, target: Path) -> None:
    """Renames a folder to ``target``, in place of a folder that is there, which is deleted then."""
    if _put(source, target):  # what was there, under a name that nobody resumes
        retired = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent)
        )
        os.replace(source, retired / target.name)
        _remove(retired)
    flush(target.parent)


def flush(path: Path) -> None:
    """fsync a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def held(path: Path) -> int | None:
    """A lock on a file or folder, as a descriptor: it holds until that is closed or its process dies.

    None where another process holds it, or nothing is there (any more). Raises OSError where it may not
    be opened, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), os.lstat(path)):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _full(error: Exception, target: Path) -> OSError | None:
    """What names ``target`` where its disk is full; libraries in Rust say that in words alone."""
    words = re.search(r"\(os error (\d+)\)", str(error))
    number = error.errno if isinstance(error, OSError) else int(words[1]) if words else None
    if number not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return None
    return OSError(number, os.strerror(number), str(target))


def _temporary(target: Path, folder: bool) -> tuple[Path, int]:
    """An empty temporary beside ``target`` that is this process's alone, and its lock."""
    for number in range(MOST):
        temporary = target.with_name(f".{target.name}.{number}.part")
        try:
            if folder:
                temporary.mkdir(exist_ok=True)
            else:
                os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o666))
            lock = held(temporary)
        except OSError as error:
            if not os.path.lexists(temporary):
                raise
            if error.errno in NOT_OURS:
                continue
            _remove(temporary)  # no locks here; network disks have many words for it
            break
        if lock is None:
            continue
        if folder:
            for left in temporary.iterdir():
                _remove(left)
        else:
            os.truncate(temporary, 0)
        return temporary, lock
    return _unlocked(target, folder)


def _unlocked(target: Path, folder: bool) -> tuple[Path, int]:
    """The same on a file system without locks, under a name that nobody has."""
    place, (prefix, suffix) = target.parent, (f".{target.name}.", ".part")
    if folder:
        temporary = Path(tempfile.mkdtemp(suffix, prefix, place))
        descriptor = os.open(temporary, os.O_RDONLY)
    else:
        descriptor, name = tempfile.mkstemp(suffix, prefix, place)
        temporary = Path(name)
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod((0o777 if folder else 0o666) & ~umask)
    return temporary, descriptor


def _put(source: Path, target: Path) -> bool:
    """Renames a folder to ``target``; whether what was there is at ``source`` now."""
    if target.exists():
        return _exchange(source, target)
    os.replace(source, target)
    return False


def _exchange(one: Path, other: Path) -> bool:
    """Two paths change places in one move; where the system cannot, ``other`` gives way in two: False."""
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "renameat2"):
        here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        if libc.renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0:
            return True
    retired = Path(tempfile.mkdtemp(prefix=f".{other.name}.", suffix=".old", dir=other.parent))
    os.replace(other, retired / other.name)
    os.replace(one, other)
    _remove(retired)
    return False


def _remove(path: Path) -> None:
    """Whatever is there, or what of it can be removed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
