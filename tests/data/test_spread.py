"""Work that is spread is done once each, whatever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from signloom.data.spread import DiedError, Done, Engine, read_kept, spread, spread_kept
from signloom.errors import MediaError, MissingExtraError, UsageError


def squared(name: str, item: int) -> int:
    if item == 3:
        raise MissingExtraError("three", "ray")  # an error that does not survive pickling
    return item * item


def deadly(name: str, item: tuple[Path, int]) -> int:
    """Kills its process, so many times."""
    folder, deaths = item
    marks = len(list(folder.glob(f"{name}-*")))
    if marks < deaths:
        (folder / f"{name}-{marks}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return marks


def slow(name: str, item: Path) -> str:
    with item.open("a") as log:
        log.write(f"{name}\n")
    time.sleep(0.05)
    return name.upper()


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_broken_holds_up_no_other(jobs: int) -> None:
    outcomes = {
        d.name: d for d in spread(squared, {str(n): n for n in range(6)}, Engine(jobs=jobs))
    }
    assert {n: d.value for n, d in outcomes.items() if n != "3"} == {
        str(n): n * n for n in (0, 1, 2, 4, 5)
    }
    error = outcomes["3"].error
    assert type(error) is MissingExtraError
    assert "three needs the optional part 'ray'" in str(error)


def test_a_worker_that_dies_is_replaced_and_one_that_always_dies_given_up(tmp_path: Path) -> None:
    items = {"once": (tmp_path, 1), "ever": (tmp_path, 99)}
    items |= {f"never{n}": (tmp_path, 0) for n in range(3)}
    outcomes = {d.name: d for d in spread(deadly, items, Engine(jobs=2))}
    assert outcomes["once"] == Done("once", 1)
    assert all(outcomes[f"never{n}"].value == 0 for n in range(3))
    assert isinstance(outcomes["ever"].error, DiedError)
    assert "ever was given up: the process working on it died 4 times" in str(
        outcomes["ever"].error
    )


def test_a_driver_that_is_killed_goes_on_with_the_rest_only(tmp_path: Path) -> None:
    names = [f"item{n:02d}" for n in range(24)]
    log, kept = tmp_path / "log", tmp_path / "kept"
    items = dict.fromkeys(names, log)
    program = (
        "import sys; from pathlib import Path; from signloom.data.spread import *\n"
        "from tests.data.test_spread import slow\n"
        "if __name__ == '__main__':\n"
        f"    list(spread_kept(slow, dict.fromkeys({names}, Path({str(log)!r})), "
        f"Path({str(kept)!r}), Engine(jobs=2)))\n"
    )
    (tmp_path / "driver.py").write_text(program)
    root = str(Path(__file__).parents[2])
    driver = subprocess.Popen(
        [sys.executable, str(tmp_path / "driver.py")], env={**os.environ, "PYTHONPATH": root}
    )
    deadline = time.monotonic() + 60
    while len(list(kept.glob("*.json"))) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    driver.kill()
    driver.wait()
    time.sleep(0.2)  # its workers end with it
    there = {file.stem: file.stat().st_mtime_ns for file in kept.glob("*.json")}
    assert 4 <= len(there) < 24
    log.unlink()
    outcomes = {d.name: d.value for d in spread_kept(slow, items, kept, Engine())}
    assert outcomes == {name: name.upper() for name in names}
    assert sorted(log.read_text().split()) == sorted(set(names) - set(there))
    assert {s: (kept / f"{s}.json").stat().st_mtime_ns for s in there} == there
    assert [read_kept(kept / f"{name}.json") for name in names] == [n.upper() for n in names]


def test_what_is_broken_is_not_kept(tmp_path: Path) -> None:
    items = {"2": 2, "3": 3}
    for _ in range(2):
        outcomes = {d.name: d for d in spread_kept(squared, items, tmp_path)}
        assert isinstance(outcomes["3"].error, MediaError)
    assert [file.name for file in tmp_path.iterdir()] == ["2.json"]


@pytest.mark.parametrize("damage", ['"ITEM"', "{", '{"sha256": "", "value": "X"}', "[" * 100_000])
def test_a_result_that_is_damaged_is_made_again(tmp_path: Path, damage: str) -> None:
    log, kept = tmp_path / "log", tmp_path / "kept"
    for _ in range(2):
        (done,) = spread_kept(slow, {"item": log}, kept)
        assert done.value == "ITEM"
        assert log.read_text() == "item\n"
        log.write_text("")
        (kept / "item.json").write_text(damage)


def test_wrong_engines_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="that of a Ray cluster, got --engine processes"):
        Engine(address="10.0.0.1:6379")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"--engine ray needs .* 'signloom\[ray\]'"):
        list(spread(squared, {"1": 1}, Engine("ray")))
