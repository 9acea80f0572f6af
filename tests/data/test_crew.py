"""Workers end with the process that they work for."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from signloom.data.crew import crew

WORKING = """
import os, time
from signloom.data.crew import crew
pool = crew(1)
print(pool.submit(os.getpid).result(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_worker_of_a_killed_process_ends() -> None:
    command = [sys.executable, "-c", WORKING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 30
    while alive(worker) and time.monotonic() < until:
        time.sleep(0.02)
    assert not alive(worker)


def alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_what_begins_a_worker_is_called() -> None:
    with crew(1, os.putenv, "SIGNLOOM_BEGUN", "yes") as pool:
        told = pool.submit(subprocess.check_output, ["printenv", "SIGNLOOM_BEGUN"]).result()
    assert told == b"yes\n"
