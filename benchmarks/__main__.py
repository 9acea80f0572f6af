"""All speed ratios in one run: python -m benchmarks [NAME…] [-o FILE].

Each module in RATIOS has a `main()` that takes no argument and returns rows
{"name", "ratio", "unit", …}: both sides of a ratio are measured in one run,
since two runs on a busy machine differ by up to two times. The rows, the
hardware and the commit are written to FILE (results/benchmarks.json).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from signloom.data.files import writing

ROOT = Path(__file__).parent.parent
RATIOS = ("simulator_speed", "stitching", "extraction", "store_read", "decoding")

Row = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the named benchmarks, or all; 1 where one of them failed, 0 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(RATIOS)}")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "results" / "benchmarks.json")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in RATIOS:
            parser.error(f"there is no benchmark '{name}'; choose from {', '.join(RATIOS)}")
    found: dict[str, list[Row]] = {}
    failed = []
    for name in options.names or RATIOS:
        print(f"{name} …", file=sys.stderr, flush=True)
        started = time.perf_counter()
        try:
            found[name] = list(importlib.import_module(f"benchmarks.{name}").main())
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        print(f"{name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    print(table([row for rows in found.values() for row in rows]))
    report = {"commit": commit(), "hardware": hardware(), "benchmarks": found}
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def table(rows: Sequence[Row]) -> str:
    """One line a row: the ratio, what it is of, and whatever else the row says."""
    lines = []
    for row in rows:
        more = ", ".join(
            f"{key} {_short(value)}"
            for key, value in row.items()
            if key not in ("name", "ratio", "unit")
        )
        lines.append(f"{row['ratio']:8.2f} ×  {row['name']} [{row['unit']}]  {more}".rstrip())
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def hardware() -> dict[str, Any]:
    """What the figures were measured on, and with."""
    cpu = Path("/proc/cpuinfo")
    models = cpu.read_text().split("model name\t: ")[1:] if cpu.exists() else []
    return {
        "cpu": models[0].split("\n")[0] if models else platform.processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "numpy", "transformers")},
    }


def commit() -> str:
    """The commit measured, '+' after it where files have changed since; '' outside a repository."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = git("status", "--porcelain", "--untracked-files=no")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


if __name__ == "__main__":
    sys.exit(main())
