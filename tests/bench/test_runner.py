"""The benchmark runner: lines in, a record out; one failure leaves the others standing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as runner


def test_lines_are_passed_on_and_kept_with_hardware_and_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "store_read.py").write_text("print('5.2 times as fast')\nprint('é')")
    (tmp_path / "benchmarks" / "decoding.py").write_text("print('begun')\nraise SystemExit(3)")
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    out = tmp_path / "b.json"
    assert runner.main(["decoding", "store_read", "-o", str(out)]) == 1
    shown = capsys.readouterr()
    assert "store_read:\n  5.2 times as fast\n" in shown.out
    assert "failed: decoding" in shown.err
    kept = json.loads(out.read_text())
    assert kept["benchmarks"]["store_read"]["lines"] == ["5.2 times as fast", "é"]
    assert kept["benchmarks"]["decoding"]["exit"] == 3
    assert kept["commit"] == ""
    assert {"cpu", "cores", "torch"} <= kept["hardware"].keys()


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        runner.main(["speed"])
    assert "there is no benchmark 'speed'; choose from simulator_speed" in capsys.readouterr().err
