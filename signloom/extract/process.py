"""A child process with limits that decodes and extracts, seen from outside.

Requests go in as lines of JSON, answers come back as lines of JSON that may be
followed by raw bytes: nothing that the child says is executed or unpickled.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signloom.errors import MediaError, MissingExtraError, OverLimitError

if TYPE_CHECKING:
    from signloom.extract.video import Limits

Progress = Callable[[int], None]


def require(*modules: str) -> None:
    """Raises MissingExtraError unless the modules of the 'extract' extra are there."""
    if any(importlib.util.find_spec(module) is None for module in modules):
        raise MissingExtraError("extraction from video", "extract")


def cores() -> list[int]:
    """The processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


class Process:
    """One worker (extract/worker.py), pinned to a core; started when first asked, and after a death."""

    def __init__(self, limits: Limits, core: int | None = None):
        self.limits = limits
        self.core = core
        self.child: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        request: Mapping[str, Any],
        path: Path,
        progress: Progress | None = None,
    ) -> tuple[dict[str, Any], bytes]:
        """The answer to ``request`` about the file ``path``; ``progress`` hears of finished frames.

        Raises MediaError: what the worker found wrong, or how it died; OverLimitError where the
        file is longer or larger than the limits.
        """
        if self.child is None or self.child.poll() is not None:
            self._start()
        try:
            return self._ask(request, path, progress)
        except (_Died, BrokenPipeError) as death:
            code = self.close()
            raise MediaError(f"{path} {_cause(code, death, self.limits)}") from None

    def _start(self) -> None:
        self.close()
        settings = {"core": self.core, "memory": self.limits.memory}
        environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
            "GLOG_minloglevel": "3",
        }
        self.child = subprocess.Popen(
            [sys.executable, "-m", "signloom.extract.worker", json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            start_new_session=True,
        )
        self._buffer = b""

    def _ask(
        self, request: Mapping[str, Any], path: Path, progress: Progress | None
    ) -> tuple[dict[str, Any], bytes]:
        assert self.child is not None
        assert self.child.stdin is not None
        line = json.dumps({**request, "limits": asdict(self.limits)})
        self.child.stdin.write(line.encode() + b"\n")
        while True:
            message = json.loads(self._line())
            if "progress" in message:
                if progress is not None:
                    progress(message["progress"])
            elif "error" in message:
                kind = OverLimitError if message.get("over_limit") else MediaError
                raise kind(f"{path} {message['error']}")
            else:
                return message["answer"], self._exactly(int(message["bytes"]))

    def _line(self) -> bytes:
        while b"\n" not in self._buffer:
            self._more()
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def _exactly(self, size: int) -> bytes:
        parts, have = [self._buffer], len(self._buffer)
        while have < size:
            self._buffer = b""
            self._more()
            parts.append(self._buffer)
            have += len(self._buffer)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def _more(self) -> None:
        assert self.child is not None
        assert self.child.stdout is not None
        ready, _, _ = select.select([self.child.stdout], [], [], self.limits.silence)
        if not ready:
            raise _Died("silent")
        chunk = os.read(self.child.stdout.fileno(), 1 << 20)
        if not chunk:
            raise _Died("ended")
        self._buffer += chunk

    def close(self) -> int | None:
        """Ends the child; its exit code (negative: the signal), None where there was none."""
        if self.child is None:
            return None
        child, self.child = self.child, None
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()
        # It ends by itself when its input closes; a busy or stuck one is not waited for.
        deadline = time.monotonic() + 0.2
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if child.poll() is None:
            child.kill()
        return child.wait()


class _Died(Exception):
    """The worker ended, or said nothing for too long."""


def _cause(code: int | None, death: Exception, limits: Limits) -> str:
    if str(death) == "silent":
        return f"was given up: no frame was finished in {limits.silence:.0f} s; the file may be damaged"
    return (
        f"was given up: the process reading it died (exit code {code}), expected it to stay within "
        f"{limits.memory / 2**30:.1f} GiB and its share of time; the file may be damaged, "
        "or the machine short of memory"
    )
