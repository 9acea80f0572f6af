"""Random input for one parser, led by the lines that it reaches: python -m faults.fuzz PARSER [--minutes 60].

PARSER is a kind of file (faults/kinds.py) or 'http', the server's application called in
process. An input that ends in anything but a SignloomError (over HTTP: in a status from 500, or a
job that failed by itself), that takes more than 5 s of a processor, a minute, or more than 4 GiB is a fault and
kept; then fuzzing goes on. Minutes are a processor's, so that it may run beside other work. Inputs that reached
new lines are kept too, in runs/faults/fuzz/PARSER, so that the command goes on where it was stopped; the record adds the rounds up and names their commits. At the end every
fault is tried once more by itself: crashes and hangs are what still is one. One of an earlier round that
no longer is was mended; one of this round that is none by itself is unrepeated, and tried again after
the next. Then all inputs are read without instruments, to see which lines of the parser they run.

Atheris is the extra 'fuzz': pip install -c constraints.txt 'signloom[fuzz]'.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from faults import ROOT, WORK, keep
from signloom.cli.receipt import commit

PATIENCE = 5
"""Seconds of a processor that one input may take."""
WAIT = 60
"""Seconds that it may take at all."""
MEMORY = 4096
"""MiB that the process may take."""
LONGEST = 1 << 16
"""Bytes of an input."""

Run = Callable[[bytes], None]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.fuzz", description=__doc__)
    parser.add_argument("parser")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("-o", "--out", type=Path, help="results/faults/fuzz-PARSER.json")
    parser.add_argument("--fresh", action="store_true", help="Begin a new record.")
    parser.add_argument("--stage", choices=["fuzz", "retry", "replay"], help=argparse.SUPPRESS)
    parser.add_argument("--input", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    home = WORK / "fuzz" / asked.parser
    if asked.stage == "fuzz":
        _fuzz(asked.parser, home, asked.minutes)
    if asked.stage == "retry":
        _retry(asked.parser, home, asked.input)
    if asked.stage == "replay":
        _replay(asked.parser, home)
    if asked.stage:
        return 0
    out = asked.out or ROOT / "results" / "faults" / f"fuzz-{asked.parser}.json"
    before = json.loads(out.read_text()) if out.exists() and not asked.fresh else {}
    kept = len(list((home / "faults").glob("*")))
    if (standing := before.get("crashes", 0) + before.get("hangs", 0)) > kept:
        parser.error(
            f"{out} has {standing} faults, and {home / 'faults'} holds {kept}, so that the others cannot be tried "
            "again; bring them back, or begin a new record with --fresh"
        )
    found = fuzz(asked.parser, home, asked.minutes)
    for key in ("minutes", "executions", "mended"):
        found[key] = round(found[key] + before.get(key, 0), 1)
    rounds = [*before.get("rounds", [before["commit"]] if before else []), commit(ROOT)]
    command = f"python -m faults.fuzz {asked.parser} --minutes 60"
    record = {"parser": asked.parser, "command": command, "rounds": list(dict.fromkeys(rounds))}
    keep({**record, **found}, out)
    print(json.dumps(found, indent=1))
    return 1 if found["crashes"] or found["hangs"] else 0


def fuzz(parser: str, home: Path, minutes: float) -> dict[str, Any]:
    """Fuzzes for so many minutes, in processes that are begun again where an input ended one; then tries
    each fault by itself, and moves what was mended to ``home``/mended."""
    for folder in ("corpus", "faults", "mended"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    known = set((home / "faults").iterdir())
    began, executions = _spent(), 0
    while (left := minutes * 60 - (_spent() - began)) > 1:
        done = _stage(parser, "fuzz", left / 60)
        counted = re.findall(r"stat::number_of_executed_units: *(\d+)", done.stderr)
        executions += int(counted[-1]) if counted else 0
        if not counted:
            sys.exit(f"fuzzing {parser} did not begin:\n{done.stderr[-4000:]}")
        with (home / "log").open("a") as log:
            log.write(done.stderr[-8000:])
    taken = (_spent() - began) / 60
    counts = dict.fromkeys(("crashes", "hangs", "mended", "unrepeated"), 0)
    for path in sorted((home / "faults").iterdir()):
        ended = _stage(parser, "retry", 0, "--input", str(path)).returncode
        if ended:
            late = ended in (-signal.SIGALRM, -signal.SIGPROF)
            counts["hangs" if late else "crashes"] += 1
        elif path in known:
            counts["mended"] += 1
            path.rename(home / "mended" / path.name)
        else:
            counts["unrepeated"] += 1
    replayed = json.loads(_stage(parser, "replay", 0).stdout.splitlines()[-1])
    shutil.rmtree(_folder(parser, home, os.getpid()), ignore_errors=True)
    return {
        "minutes": taken,
        "executions": executions,
        **counts,
        **replayed,
    }


def _spent() -> float:
    """Seconds of a processor that the processes which have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _folder(parser: str, home: Path, begun_by: int) -> Path:
    """Where the stages that one process begins put an input: in memory where there is such a place, since
    opening a file to be written is most of the time on a disk."""
    memory = Path("/dev/shm")
    return memory / f"signloom-fuzz-{parser}-{begun_by}" if memory.is_dir() else home / "folder"


def _stage(parser: str, stage: str, minutes: float, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "faults.fuzz", parser, "--stage", stage, *more]
    return subprocess.run(
        [*command, "--minutes", str(minutes)], cwd=ROOT, capture_output=True, text=True
    )


def _fuzz(parser: str, home: Path, minutes: float) -> None:
    """What the child does until its time is over or an input ends it."""
    import atheris

    instrumented = ["signloom." + module for module in _modules(parser)]
    instrumented += ["yaml"] if parser == "recipe" else []
    instrumented += ["python_multipart", "starlette.formparsers"] if parser == "http" else []
    with atheris.instrument_imports(include=instrumented):
        for module in instrumented:
            importlib.import_module(module)
    run, seeds = _runner(parser, home)
    run(seeds[0])  # what is imported late is no input's time

    def timed(data: bytes) -> None:
        began = time.process_time()
        run(data)
        if (taken := time.process_time() - began) > PATIENCE:
            raise TimeoutError(f"it took {taken:.1f} s, expected {PATIENCE} s or less")

    for i, seed in enumerate(seeds):
        (home / "corpus" / f"seed-{i}").write_bytes(seed)
    settings = {
        "max_total_time": max(round(minutes * 60), 1),
        "timeout": WAIT,
        "rss_limit_mb": MEMORY,
        "max_len": LONGEST,
        "artifact_prefix": f"{home / 'faults'}/",
        "print_final_stats": 1,
    }
    told = [f"-{name}={value}" for name, value in settings.items()]
    atheris.Setup([sys.argv[0], str(home / "corpus"), *told], timed)
    atheris.Fuzz()


def _retry(parser: str, home: Path, path: Path) -> None:
    """Runs one input; a signal ends the process where it takes too long, another error where it asks too much."""
    run, seeds = _runner(parser, home)
    run(seeds[0])
    data = path.read_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY << 20, MEMORY << 20))
    signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    signal.alarm(WAIT)
    run(data)
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)


def _replay(parser: str, home: Path) -> None:
    """Prints which share of the parser's lines all inputs that were kept run, and how many there are."""
    files = {_file_of(module): module for module in _modules(parser)}
    ran: dict[str, set[int]] = {file: set() for file in files}

    def calls(frame: Any, event: str, _: Any) -> Any:
        return lines if frame.f_code.co_filename in ran else None

    def lines(frame: Any, event: str, _: Any) -> Any:
        ran[frame.f_code.co_filename].add(frame.f_lineno)
        return lines

    inputs = sorted((home / "corpus").iterdir())
    run, _ = _runner(parser, home)
    threading.settrace(calls)
    sys.settrace(calls)
    for path in inputs:
        run(path.read_bytes())
    sys.settrace(None)
    told = {}
    for file, module in files.items():
        there = set(_lines(compile(Path(file).read_text(), file, "exec")))
        told[module] = f"{len(there & ran[file])}/{len(there)}"
    print(json.dumps({"inputs": len(inputs), "lines": told}))


def _lines(code: CodeType, inside: bool = False) -> Iterator[int]:
    """The lines of all functions of a module."""
    if inside:
        yield from (line for _, _, line in code.co_lines() if line and line > code.co_firstlineno)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _lines(constant, inside or bool(constant.co_flags & 2))  # 2: a function


def _file_of(module: str) -> str:
    spec = importlib.util.find_spec(f"signloom.{module}")
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


# --- what is run -----------------------------------------------------------------------------


def _modules(parser: str) -> tuple[str, ...]:
    from faults.kinds import KINDS

    if parser == "http":
        return ("web.server", "web.guard", "web.media", "web.jobs", "web.exports", "web.limits")
    if parser not in KINDS:
        sys.exit(f"there is no parser '{parser}'; choose from {', '.join([*KINDS, 'http'])}")
    return KINDS[parser].modules


def _runner(parser: str, home: Path) -> tuple[Run, list[bytes]]:
    """What reads one input, and inputs to begin with."""
    if parser == "http":
        from faults.requests import requests

        return requests()
    folder = _folder(parser, home, os.getppid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return _files(parser, folder)


def _files(parser: str, folder: Path) -> tuple[Run, list[bytes]]:
    """An input's last byte says which file of the kind it is; the others stay whole."""
    from faults.kinds import KINDS
    from signloom.errors import SignloomError

    kind = KINDS[parser]
    names = kind.make(folder)
    whole = [(folder / name).read_bytes() for name in names]
    damaged: list[int] = []

    def run(data: bytes) -> None:
        which = data[-1] % len(names) if data else 0
        for other in damaged:
            (folder / names[other]).write_bytes(whole[other])
        damaged[:] = [which]
        (folder / names[which]).write_bytes(data[:-1] if len(names) > 1 else data)
        try:
            kind.read(folder)
        except SignloomError:
            pass

    ends = [bytes([i]) if len(names) > 1 else b"" for i in range(len(names))]
    return run, [data + end for data, end in zip(whole, ends, strict=True)] + _more(parser)


def _more(parser: str) -> list[bytes]:
    """Whole files that the tests have by hand."""
    from faults.kinds import ENDINGS

    if parser not in ENDINGS:
        return []
    from tests.text.test_subtitles import EXAMPLES, SHORT_GRID

    found = [EXAMPLES[parser], *([SHORT_GRID] if parser == "textgrid" else [])]
    return [text.encode(codec) for text in found for codec in ("utf-8", "utf-16")]


if __name__ == "__main__":
    sys.exit(main())
