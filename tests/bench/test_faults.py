"""What brings faults about does so: kinds are whole to begin with, damage is damage, a kill is met."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from faults import files, kill
from faults.fuzz import _files, _lines
from faults.kinds import KINDS
from signloom.errors import SignloomError

QUICK = [name for name in KINDS if name not in ("checkpoint", "onnx", "recipe", "video")]


@pytest.mark.parametrize("kind", QUICK)
def test_a_kind_is_whole_and_an_empty_file_is_not(kind: str, tmp_path: Path) -> None:
    names = KINDS[kind].make(tmp_path)
    KINDS[kind].read(tmp_path)
    assert names
    for name in names:
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"")
        if kind == "state" or name.endswith((".txt", ".srt", ".jsonl", ".gz", ".skels")):
            continue  # the state before is taken; no text is no sentence
        if kind == "work" and not name.endswith("job.json"):
            KINDS[kind].read(tmp_path)  # what is damaged is made again
            (tmp_path / name).write_bytes(whole)
            continue
        with pytest.raises(SignloomError):
            KINDS[kind].read(tmp_path)
        (tmp_path / name).write_bytes(whole)


def test_damage_is_cuts_then_flips() -> None:
    whole = bytes(range(100))
    found = list(files.damaged(whole, 5, random.Random(1)))
    assert [len(data) for data in found] == [0, 20, 40, 60, 80, *[100] * 5]
    bits = [
        sum((a ^ b).bit_count() for a, b in zip(data, whole, strict=True)) for data in found[5:]
    ]
    assert all(0 <= n <= 8 for n in bits)
    assert sum(bits) > 0


def test_a_fault_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(folder: Path) -> None:
        if len((folder / "a").read_bytes()) == 5:
            raise KeyError("a")

    def make(folder: Path) -> list[str]:
        (folder / "a").write_bytes(b"0123456789")
        return ["a"]

    monkeypatch.setitem(KINDS, "planted", type(KINDS["pose"])(make, read, ()))
    found = files.alone("planted", 10, 0)
    (said,) = found["faults"]
    assert re.fullmatch(r"1 × a: KeyError in test_faults.py:\d+: 'a'", said)
    assert found["read"] == 19


def test_a_record_is_of_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = tmp_path / "r.json"
    record.write_text('{"command": "python -m faults.files --times 200 --seed 0", "kinds": {}}')
    with pytest.raises(SystemExit, match="2"):
        files.main(["pose", "--times", "3", "-o", str(record)])
    assert "is of 'python -m faults.files --times 200 --seed 0'; ask" in capsys.readouterr().err


def test_an_input_s_last_byte_says_which_file_it_is(tmp_path: Path) -> None:
    run, seeds = _files("manifest", tmp_path)
    assert [seed[-1] for seed in seeds] == [0, 1, 2]
    run(b"damaged\x01")
    assert (tmp_path / "m.csv").read_bytes() == b"damaged"
    run(seeds[0])
    assert b"here" in (tmp_path / "m.csv").read_bytes()


def test_lines_are_those_inside_functions() -> None:
    text = "A = 1\ndef f(x):\n    def g():\n        return x\n    return g\nclass C:\n    b = 2\n"
    assert set(_lines(compile(text, "a", "exec"))) == {3, 4, 5}


def test_a_kill_is_met_and_half_a_file_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.pose").write_text("half")
    assert kill.written_whole(tmp_path, {"a.pose": "digest"}) == ["half: a.pose"]
    (out / "log.jsonl").write_text(json.dumps({"step": 1}) + "\n" + "{torn\n" + "{last")
    assert kill.training_faults(tmp_path, {}) == [
        "train: a line of the log is '{torn'",
        "train: a.pose is there",
    ]
