"""What brings faults about does so: kinds are whole to begin with, damage is damage, a kill is met."""

from __future__ import annotations

import json
import math
import random
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from faults import files, fuzz, kill
from faults.fuzz import _files, _lines
from faults.kinds import KINDS, MODELS, clip
from signloom.data.layouts import PS76, SMPLX52
from signloom.data.timing import Span
from signloom.errors import MediaError, NoNumbersError, SignloomError
from signloom.inference.locate import Query
from signloom.methods.load import load

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


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("value", [float("nan"), 3e38])
def test_weights_that_are_or_give_no_numbers_give_no_result(
    kind: str, value: float, tmp_path: Path
) -> None:
    """A recogniser of NaN once knew every sign, with a probability of NaN."""
    KINDS[kind].make(tmp_path)
    file = tmp_path / "c" / "model.safetensors"
    with safe_open(file, "pt") as opened:
        described = opened.metadata()
    weights = load_file(file)
    for tensor in weights.values():
        if tensor.is_floating_point():
            tensor.fill_(value)
    save_file(weights, file, described)
    said = "are no numbers" if kind != "lslm" or math.isnan(value) else "it would read nonsense"
    with pytest.raises(MediaError, match=said):
        KINDS[kind].read(tmp_path)


ASKED = {
    "lslm": lambda model: model.translate([clip(12, SMPLX52)]),
    "semtext": lambda model: model.embed_clips([clip(12, PS76)]),
    "unified": lambda model: model.locate(clip(12, PS76), [Query(Span(0.0, 0.4), "rain")]),
    "autosign": lambda model: model.translate([clip(12, PS76)]),
}


@pytest.mark.parametrize("kind", ASKED)
def test_what_else_a_model_is_asked_is_answered_in_numbers(kind: str, tmp_path: Path) -> None:
    KINDS[kind].make(tmp_path)
    model = load(tmp_path / "c")
    if kind == "autosign":
        model.config = replace(model.config, decoding="sample")
    ASKED[kind](model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3e38)
    with pytest.raises(NoNumbersError):
        ASKED[kind](model)


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


def test_a_fault_counts_for_as_long_as_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each round tries what earlier ones kept; the record adds up time, and not faults."""
    ends = {"crash-a": 1, "timeout-b": -signal.SIGPROF, "crash-c": 1, "crash-new": 0}
    faults = tmp_path / "fuzz" / "pose" / "faults"
    record = tmp_path / "r.json"
    now = [0.0]

    def stage(
        parser: str, stage: str, minutes: float, *more: str
    ) -> subprocess.CompletedProcess[str]:
        if stage == "fuzz":
            now[0] += 60
            for name in ends:
                if not (faults.parent / "mended" / name).exists():
                    (faults / name).write_bytes(b"x")
        said = '{"inputs": 1, "lines": {}}' if stage == "replay" else ""
        ended = ends[Path(more[-1]).name] if stage == "retry" else 0
        counted = "stat::number_of_executed_units: 7"
        return subprocess.CompletedProcess([], ended, said, counted)

    def round() -> list[int]:
        assert fuzz.main(["pose", "--minutes", "1", "-o", str(record)]) == 1
        told = json.loads(record.read_text())
        assert len(told["rounds"]) == 1
        return [told[key] for key in ("executions", "crashes", "hangs", "mended", "unrepeated")]

    monkeypatch.setattr(fuzz, "WORK", tmp_path)
    monkeypatch.setattr(fuzz, "_stage", stage)
    monkeypatch.setattr(fuzz, "_spent", lambda: now[0])
    assert round() == [7, 2, 1, 0, 1]
    ends["timeout-b"] = 0
    assert round() == [14, 2, 0, 2, 0]
    assert {path.name for path in faults.iterdir()} == {"crash-a", "crash-c"}
    (faults / "crash-a").unlink()
    with pytest.raises(SystemExit):
        fuzz.main(["pose", "--minutes", "1", "-o", str(record)])
    assert "r.json has 2 faults" in capsys.readouterr().err


PLANTED = """
import sys, time
from pathlib import Path
from faults import fuzz, kinds

def make(folder):
    (folder / "a").write_bytes(b"")
    return ["a"]

def read(folder):
    said = (folder / "a").read_text()
    time.sleep(60 if said == "waits" else 0)
    while said == "reckons":
        pass
    assert said != "wrong"

fuzz.PATIENCE, fuzz.WAIT = (1, 60) if sys.argv[3] == "reckons" else (60, 3)
fuzz._folder = lambda parser, home, begun_by: home / "folder"
kinds.KINDS["planted"] = kinds.Kind(make, read, ())
fuzz._retry("planted", Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("said", "ended"),
    [("well", 0), ("wrong", 1), ("waits", -signal.SIGALRM), ("reckons", -signal.SIGPROF)],
)
def test_one_input_ends_its_process_where_it_is_a_fault(
    said: str, ended: int, tmp_path: Path
) -> None:
    given = tmp_path / "input"
    given.write_text(said)
    command = [sys.executable, "-c", PLANTED, str(tmp_path / "home"), str(given), said]
    done = subprocess.run(command, cwd=fuzz.ROOT, capture_output=True, check=False)
    assert done.returncode == ended
