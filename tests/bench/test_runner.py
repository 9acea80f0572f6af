"""The benchmark runner: lines in, a record out; one failure leaves the others standing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import signloom
from benchmarks import __main__ as runner
from signloom.cli.main import main

ROOT = Path(__file__).parents[2]


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
    assert kept["benchmarks"]["store_read"]["commit"] == ""
    assert {"cpu", "cores", "torch"} <= kept["hardware"].keys()


def test_one_is_measured_again_among_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "benchmarks").mkdir()
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    out = tmp_path / "b.json"
    for said in ("first", "second"):
        for name in ("store_read", "decoding"):
            (tmp_path / "benchmarks" / f"{name}.py").write_text(f"print('{said}')")
        names = ["decoding", "store_read"] if said == "first" else ["decoding", "--add"]
        assert runner.main([*names, "-o", str(out)]) == 0
    kept = json.loads(out.read_text())
    lines = {name: result["lines"] for name, result in kept["benchmarks"].items()}
    assert lines == {"store_read": ["first"], "decoding": ["second"]}
    kept["hardware"]["cores"] += 1
    out.write_text(json.dumps(kept))
    with pytest.raises(SystemExit, match="2"):
        runner.main(["decoding", "--add", "-o", str(out)])
    assert "is of another machine; leave --add out" in capsys.readouterr().err
    for text in ("", "[]", '{"benchmarks": {}}', '{"hardware": {}, "benchmarks": {"decoding": 1}}'):
        out.write_text(text)
        with pytest.raises(SystemExit, match="2"):
            runner.main(["decoding", "--add", "-o", str(out)])
        assert "is no record of benchmarks" in capsys.readouterr().err
        assert out.read_text() == text


def test_a_ratio_that_fell_is_told_and_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "benchmarks").mkdir()
    script = tmp_path / "benchmarks" / "decoding.py"
    says = "print('ratio a: {} (x over y)'); print('ratio b, 2 of: 3e+02 (x)')"
    monkeypatch.setattr(runner, "ROOT", tmp_path)
    script.write_text(says.format(4.0))
    before = tmp_path / "before.json"
    assert runner.main(["decoding", "-o", str(before)]) == 0
    kept = json.loads(before.read_text())["benchmarks"]["decoding"]["ratios"]
    assert kept == {"a": 4.0, "b, 2 of": 300.0}
    for now, code in ((3.2, 0), (3.0, 1)):
        script.write_text(says.format(now))
        asked = ["decoding", "-o", str(tmp_path / "now.json"), "--check", str(before)]
        assert runner.main(asked) == code
    assert "slower than before: a: 3, before 4" in capsys.readouterr().err
    assert json.loads((tmp_path / "now.json").read_text())["benchmarks"]["decoding"]["peak_mib"] > 1
    script.write_text("print('ratio a: 5 (x over y)')")
    assert runner.main(["decoding", "-o", str(tmp_path / "now.json"), "--check", str(before)]) == 1
    assert capsys.readouterr().err == "no longer measured: b, 2 of\n"
    for names in (["store_read"], ["decoding", "--check", str(ROOT / "results" / "rates.json")]):
        with pytest.raises(SystemExit, match="2"):
            runner.main(["-o", str(tmp_path / "no.json"), "--check", str(before), *names])
    said = capsys.readouterr().err
    assert "no ratio of what is measured" in said
    assert "is no record of benchmarks" in said
    assert not (tmp_path / "no.json").exists()


def test_the_verb_needs_a_clone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(signloom, "__file__", str(tmp_path / "signloom" / "__init__.py"))
    with pytest.raises(SystemExit, match="2"):
        main(["bench"])
    assert "there are no benchmarks beside the package" in capsys.readouterr().err


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        runner.main(["speed"])
    assert "there is no benchmark 'speed'; choose from simulator_speed" in capsys.readouterr().err


def test_the_page_is_the_record_s() -> None:
    from benchmarks import page

    record = json.loads(page.RECORD.read_text("utf-8"))
    assert page.PAGE.read_text("utf-8") == page.page(record)
    assert all(name in page.PAGE.read_text("utf-8") for name in record["benchmarks"])


def test_the_page_has_every_ratio_once_and_says_what_failed() -> None:
    from benchmarks.page import page

    hardware = {"cpu": "c", "cores": 2, "system": "s", "python": "3", "torch": "2", "numpy": "2"}
    lines = ["ratio a, 2: 3.5 (x (y), over z)", "power 1.00; 1: 2.0 ms"]
    found = {
        "commit": "abc",
        "exit": 3,
        "seconds": 1.5,
        "peak_mib": 2048,
        "lines": lines,
        "ratios": {"a, 2": 3.5},
    }
    said = page({"hardware": hardware, "benchmarks": {"b": found}})
    assert "| b | a, 2 | 3.5 | x (y), over z |" in said
    assert "Commit abc; 1.5 s, peak memory 2,048 MiB; **it failed with 3**" in said
    assert said.count("power 1.00") == 1
    assert "c, 2 cores" in said
