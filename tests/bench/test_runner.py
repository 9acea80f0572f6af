"""The benchmark runner: rows in, a table and a record out; one failure leaves the others standing."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.__main__ import main


def planted(monkeypatch: pytest.MonkeyPatch, name: str, rows: list[dict] | None) -> None:
    module = ModuleType(f"benchmarks.{name}")

    def run() -> list[dict]:
        if rows is None:
            raise RuntimeError("no camera")
        return rows

    module.main = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, f"benchmarks.{name}", module)


def test_rows_are_printed_and_kept_with_hardware_and_commit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"name": "store against .pose", "ratio": 5.25, "unit": "clips/s", "store": 8123.456}
    planted(monkeypatch, "store_read", [row])
    planted(monkeypatch, "decoding", None)
    out = tmp_path / "b.json"
    assert main(["store_read", "decoding", "-o", str(out)]) == 1
    shown = capsys.readouterr()
    assert "5.25 ×  store against .pose [clips/s]  store 8123" in shown.out
    assert "no camera" in shown.err
    assert "failed: decoding" in shown.err
    kept = json.loads(out.read_text())
    assert kept["benchmarks"] == {"store_read": [row]}
    assert {"cpu", "cores", "torch"} <= kept["hardware"].keys()


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["speed"])
    assert "there is no benchmark 'speed'; choose from simulator_speed" in capsys.readouterr().err
