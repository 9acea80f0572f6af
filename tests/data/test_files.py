"""Outputs appear whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from signloom.data import files
from signloom.data.files import held, writing, writing_folder
from signloom.errors import UsageError

KILLED = """
import os, signal, sys
from pathlib import Path
from signloom.data.files import writing, writing_folder
with writing(sys.argv[1], overwrite=True) as file, writing_folder(sys.argv[2], overwrite=True) as folder:
    file.write_text("half")
    (folder / "half").write_text("half")
    (folder / "inner").mkdir()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_process_left_goes_with_the_next_that_writes_there(tmp_path: Path) -> None:
    file, folder = tmp_path / "a", tmp_path / "b"
    folder.mkdir()
    (folder / "old").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(file), str(folder)])
    assert done.returncode == -9
    assert names(tmp_path) == [".a.0.part", ".b.0.part", "b"]
    assert names(folder) == ["old"]
    with writing(file) as temporary:
        assert temporary.read_text() == ""
        temporary.write_text("new")
    with writing_folder(folder, overwrite=True) as temporary:
        assert names(temporary) == []
        (temporary / "new").write_text("new")
    assert names(tmp_path) == ["a", "b"]
    assert (file.read_text(), names(folder)) == ("new", ["new"])


def test_two_that_write_one_output_do_not_meet(tmp_path: Path) -> None:
    with writing(tmp_path / "a") as one, writing(tmp_path / "a", overwrite=True) as other:
        one.write_text("one")
        other.write_text("other")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "one"  # the last to end
    with writing_folder(tmp_path / "b") as one, writing_folder(tmp_path / "b", True) as other:
        assert one != other


def test_a_block_that_fails_leaves_the_old_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "a", overwrite=True) as temporary:
        temporary.write_text(str(1 / 0))
    assert (names(tmp_path), (tmp_path / "a").read_text()) == (["a"], "old")
    with pytest.raises(UsageError, match="exists already"), writing(tmp_path / "a"):
        pass


@pytest.mark.parametrize("missing", ["locks", "exchange"])
def test_a_file_system_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    if missing == "locks":
        monkeypatch.setattr(fcntl, "flock", refused)
    else:
        monkeypatch.setattr(files.ctypes, "CDLL", lambda *_, **__: object())
    for text in ("old", "new"):
        with writing(tmp_path / "a", overwrite=True) as file:
            file.write_text(text)
        with writing_folder(tmp_path / "b", overwrite=True) as folder:
            (folder / text).write_text(text)
    assert names(tmp_path) == ["a", "b"]
    assert ((tmp_path / "a").read_text(), names(tmp_path / "b")) == ("new", ["new"])
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b" / "new").stat().st_mode


def test_a_link_at_the_temporary_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / ".a.0.part").symlink_to(tmp_path / "theirs")
    with writing(tmp_path / "a") as temporary:
        temporary.write_text("ours")
    assert (tmp_path / "theirs").read_text() == "theirs"
    assert (tmp_path / "a").read_text() == "ours"


def test_a_lock_ends_with_its_descriptor(tmp_path: Path) -> None:
    lock = held(tmp_path)
    assert lock is not None
    assert held(tmp_path) is None
    os.close(lock)
    again = held(tmp_path)
    assert again is not None
    os.close(again)
    assert held(tmp_path / "none") is None


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "full"), RuntimeError("I/O error: No space (os error 28)")],
    ids=["python", "rust"],
)
def test_a_full_disk_is_named_whoever_meets_it(tmp_path: Path, error: Exception) -> None:
    for write in (writing, writing_folder):
        with pytest.raises(OSError, match="No space") as met:
            with write(tmp_path / "a"):
                raise error
        assert met.value.filename == str(tmp_path / "a")
    assert names(tmp_path) == []


def test_what_another_writes_meanwhile_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with writing(tmp_path / "a") as one:
        one.write_text("one")
    outer, inner = writing_folder(tmp_path / "b", True), writing_folder(tmp_path / "b", True)
    first, second = outer.__enter__(), inner.__enter__()
    (first / "first").touch()
    (second / "second").touch()
    outer.__exit__(None, None, None)
    third = writing_folder(tmp_path / "b", True)
    (third.__enter__() / "third").touch()
    inner.__exit__(None, None, None)
    assert names(tmp_path / "b") == ["second"]
    third.__exit__(None, None, None)
    assert names(tmp_path / "b") == ["third"]
    assert names(tmp_path) == ["a", "b"]
