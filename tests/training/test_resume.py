"""States survive kill -9 at any moment, and are never believed when damaged."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import torch

from signloom.errors import MediaError
from signloom.training.resume import Progress, clear_leftovers, load_state, newest_state, save_state

from .toys import SERVER, Toy, digest, train_alone


@pytest.fixture
def states(tmp_path: Path) -> Path:
    """Three states saved, so two kept."""
    model = Toy()
    optimizer = torch.optim.AdamW(model.parameters())
    for step in (1, 2, 3):
        save_state(tmp_path, Progress(step, fingerprint="f"), model, optimizer)
    return tmp_path


def test_the_newest_two_states_are_kept(states: Path) -> None:
    found = newest_state(states)
    assert found == (states / "00000003", Progress(3, fingerprint="f"))
    assert not (states / "00000001").exists()
    assert newest_state(states / "nothing") is None


@pytest.mark.parametrize("what", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_state_is_passed_over(states: Path, what: str, damage: str) -> None:
    for name, step in (("00000003", 2), ("00000002", None)):
        path = states / name / what
        content = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            middle = len(content) // 2
            path.write_bytes(
                content[:middle] + (b"\0" + content[middle + 1 :]) * (damage == "flip")
            )
        if step:
            found = newest_state(states)
            assert found is not None
            assert found[1].step == step
    with pytest.raises(MediaError, match="2 resume states and none is whole"):
        newest_state(states)


def test_leftovers_of_a_killed_run_go(states: Path) -> None:
    (states / ".best.x.part").mkdir()
    (states / "states").mkdir()
    (states / "states" / ".last.y.part").write_text("")
    (states / ".gitignore").write_text("*")
    clear_leftovers(states)
    assert [path.name for path in states.rglob(".*")] == [".gitignore"]


def test_moments_come_back(tmp_path: Path) -> None:
    model = Toy()
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    save_state(tmp_path, Progress(1), model, optimizer)
    other = Toy()
    again = torch.optim.AdamW(other.parameters())
    load_state(tmp_path / "00000001", other, again)
    for parameter in [*model.parameters(), *other.parameters()]:
        parameter.grad = torch.full_like(parameter, -2.0)
    optimizer.step()
    again.step()
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


def test_killed_again_and_again_it_ends_as_if_never_killed(tmp_path: Path) -> None:
    steps = 400
    waits = random.Random(5)
    whole = SERVER.Process(target=train_alone, args=(tmp_path / "whole", steps))
    whole.start()
    whole.join(timeout=120)
    for _ in range(4):
        process = SERVER.Process(target=train_alone, args=(tmp_path / "killed", steps))
        before, deadline = newest(tmp_path), time.monotonic() + 60
        process.start()
        while newest(tmp_path) == before and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(waits.uniform(0.0, 0.1))
        assert process.is_alive()
        process.kill()
        process.join()
    assert 0 < int(newest(tmp_path)) < steps
    last = SERVER.Process(target=train_alone, args=(tmp_path / "killed", steps))
    last.start()
    last.join(timeout=120)
    assert digest(tmp_path / "killed") == digest(tmp_path / "whole")


def newest(folder: Path) -> str:
    """The name of the state that the killed run points at."""
    pointer = folder / "killed" / "states" / "last"
    return pointer.read_text() if pointer.is_file() else ""
