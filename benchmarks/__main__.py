"""All speed ratios: python -m benchmarks [NAME…] [-o FILE] [--add] [--check RECORD], or signloom bench.

Each of RATIOS is a module that measures both sides of a ratio in one run (two
runs on a busy machine differ by up to two times) and prints its result lines.
Each runs in a process of its own, with one thread: processor time is that of all threads, also of those that
wait. The lines, the ratios in them, the hardware and the commit are
written to FILE (results/benchmarks.json) as each one ends. With --add they take the place of theirs in a FILE
of the same hardware, where the others stay with their own commits. --check compares the ratios, never the times, with those of
an earlier record, and fails where one has become worse by more than the noise of 1.3, or is not there any
more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.ratio import lost, ratios_in, slower
from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing

ROOT = Path(__file__).parent.parent
RATIOS = (
    "simulator_speed",
    "stitching",
    "extraction",
    "store_read",
    "decoding",
    "backends",
    "alignment_speed",
    "training_step",
    "stitched_streams",
    "parts",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the named benchmarks, or all; 1 where one of them failed, 0 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RATIOS)}")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "results" / "benchmarks.json")
    parser.add_argument("--add", action="store_true", help="leave the other benchmarks in FILE")
    parser.add_argument("--check", type=Path, metavar="RECORD", help="compare ratios with these")
    options = parser.parse_args(arguments)
    before = {}
    if options.check:
        rows = _record(options.check, parser)["benchmarks"]
        before = {name: result.get("ratios", {}) for name, result in rows.items()}
    for name in options.names:
        if name not in RATIOS:
            parser.error(f"there is no benchmark '{name}'; choose from {', '.join(RATIOS)}")
    if options.check and not any(before.get(name) for name in options.names or RATIOS):
        parser.error(
            f"{options.check} has no ratio of what is measured, so nothing would be compared; give a "
            "record of the same benchmarks"
        )
    machine = hardware()
    kept = {}
    if options.add and options.out.exists():
        record = _record(options.out, parser)
        if record["hardware"] != machine:
            parser.error(
                f"{options.out} is of another machine; leave --add out, or give another FILE"
            )
        kept = record["benchmarks"]
    found = {}
    for name in options.names or RATIOS:
        found[name] = {"commit": commit(ROOT), **measure(name)}
        all_of = {n: r for n in RATIOS if (r := found.get(n) or kept.get(n))}
        report = {"hardware": machine, "benchmarks": all_of}
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    failed = [name for name, result in found.items() if result["exit"]]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    worse = [
        line
        for name, result in found.items()
        for line in slower(result["ratios"], before.get(name, {}))
    ]
    gone = [
        line
        for name, result in found.items()
        for line in lost(result["ratios"], before.get(name, {}))
    ]
    if worse:
        print("slower than before: " + "; ".join(worse), file=sys.stderr)
    if gone:
        print("no longer measured: " + "; ".join(gone), file=sys.stderr)
    return 1 if failed or worse or gone else 0


def _record(path: Path, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """What was written to ``path`` earlier; the parser's error where it is no record of benchmarks."""
    try:
        record = json.loads(path.read_text("utf-8"))
        if not isinstance(record["hardware"], dict):
            raise ValueError(f"its hardware is {record['hardware']!r}")
        for name, row in record["benchmarks"].items():
            if not isinstance(row, dict):
                raise ValueError(f"its benchmark '{name}' is {row!r}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        parser.error(f"{path} is no record of benchmarks ({error!r}); give a copy of one")
    return record


def measure(name: str) -> dict[str, Any]:
    """Runs one benchmark, passing on its lines as they come; its exit code, seconds, lines and peak memory.

    The memory is that of the largest of its processes.
    """
    print(f"{name}:", flush=True)
    started = time.perf_counter()
    command = [sys.executable, "-m", f"benchmarks.{name}"]
    lines = []
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=env) as process:
        for line in process.stdout or ():
            print(f"  {line}", end="", flush=True)
            lines.append(line.rstrip("\n"))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = round(time.perf_counter() - started, 1)
    print(f"  {seconds:g} s, peak memory {used.ru_maxrss / 2**10:.0f} MiB", flush=True)
    return {
        "exit": process.returncode,
        "seconds": seconds,
        "peak_mib": round(used.ru_maxrss / 2**10),
        "lines": lines,
        "ratios": ratios_in(lines),
    }


if __name__ == "__main__":
    sys.exit(main())
