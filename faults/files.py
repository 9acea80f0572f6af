"""Damaged files: python -m faults.files [KIND…] [--times 200].

Every file of every kind (faults/kinds.py) is cut off at so many places, and as often has some random bits
flipped, while its neighbours stay whole. Its reader may refuse it, by a SignloomError of one line, or
read it; another exception, more than 20 s or more than 6 GiB is a fault. Kinds that are named take the place
of theirs in the record, which must be of as many times and of the same seed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faults import ROOT, keep
from faults.kinds import KINDS, MODELS

PATIENCE = 20
MEMORY = 6 << 30
SLOW = {
    "video": 10,
    "onnx": 5,
    "work": 2,
    "t5": 5,
    "llama": 5,
    "bert": 5,
    **{name: 5 for name in MODELS if name != "checkpoint"},
}
"""Kinds that are read less often, by so many times."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.files", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--times", type=int, default=200, help="Cuts, and flips, of each file.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / "results" / "faults" / "files.json"
    )
    asked = parser.parse_args(arguments)
    command = f"python -m faults.files --times {asked.times} --seed {asked.seed}"
    before = json.loads(asked.out.read_text()) if asked.kinds and asked.out.exists() else {}
    if before and before["command"] != command:
        parser.error(
            f"{asked.out} is of '{before['command']}'; ask for the same, or give another --out"
        )
    found: dict[str, Any] = before.get("kinds", {})
    for kind in asked.kinds or KINDS:
        times = max(1, asked.times // SLOW.get(kind, 1))
        found[kind] = alone(kind, times, asked.seed)
        told = {name: value for name, value in found[kind].items() if name != "faults"}
        print(f"{kind}: {told}", *found[kind]["faults"], sep="\n  ", flush=True)
    faults = sum(len(kind["faults"]) for kind in found.values())
    read = sum(kind["read"] + kind["refused"] for kind in found.values())
    keep(
        {"command": command, "damaged": read + faults, "faults": faults, "kinds": found}, asked.out
    )
    return 1 if faults else 0


def alone(kind: str, times: int, seed: int) -> dict[str, Any]:
    """What became of a kind, in a process of its own; one that dies is a fault."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "found.json"
        process = multiprocessing.get_context("fork").Process(
            target=_damage, args=(kind, times, seed, Path(name) / "whole", out)
        )
        process.start()
        process.join()
        if not out.exists():
            return {"files": 0, "read": 0, "refused": 0, "faults": [f"died: {process.exitcode}"]}
        return dict(json.loads(out.read_text()))


def _damage(kind: str, times: int, seed: int, folder: Path, out: Path) -> None:
    from signloom.errors import SignloomError

    folder.mkdir()
    signal.signal(signal.SIGALRM, _late)
    names = KINDS[kind].make(folder)
    KINDS[kind].read(folder)
    resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY, resource.RLIM_INFINITY))
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    slowest = 0.0
    for name in names:
        whole = (folder / name).read_bytes()
        for data in damaged(whole, times, random.Random(f"{kind} {name} {seed}")):
            (folder / name).write_bytes(data)
            signal.alarm(PATIENCE)
            began = time.monotonic()
            try:
                KINDS[kind].read(folder)
                counts["read"] += 1
            except SignloomError as error:
                if "\n" in str(error):
                    faults[f"{name}: an error of several lines: {str(error)[:200]!r}"] += 1
                else:
                    counts["refused"] += 1
            except BaseException as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                said = f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}"
                faults[f"{name}: {said}: {str(error)[:120]}"] += 1
            finally:
                signal.alarm(0)
            slowest = max(slowest, time.monotonic() - began)
        (folder / name).write_bytes(whole)
    body = {
        "files": len(names),
        "read": counts["read"],
        "refused": counts["refused"],
        "slowest_s": round(slowest, 2),
        "faults": [f"{times} × {said}" for said, times in faults.items()],
    }
    out.write_text(json.dumps(body))


def _late(*_: object) -> None:
    raise TimeoutError(f"longer than {PATIENCE} s")


def _size() -> int:
    """Bytes of address space that this process takes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def damaged(whole: bytes, times: int, rng: random.Random) -> Iterator[bytes]:
    """The file cut off at ``times`` places, then with 1 to 8 bits flipped, as often."""
    for k in range(times):
        yield whole[: len(whole) * k // times]
    for _ in range(times):
        data = bytearray(whole)
        # Half of them near the beginning, where what describes the rest is.
        reach = len(data) if rng.random() < 0.5 else min(len(data), 256)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(reach)] ^= 1 << rng.randrange(8)
        yield bytes(data)


if __name__ == "__main__":
    sys.exit(main())
