"""What a figure was measured on and with: hardware, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import signloom

ROOT = Path(signloom.__file__).parent.parent


def hardware() -> dict[str, Any]:
    """The processor, how many cores this process may use, the system, and what runs on it."""
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


def commit(root: Path = ROOT) -> str:
    """The commit of a checkout, '+' after it where code has changed since; '' outside a repository.

    What is measured (results) and said of it (docs) is no code.
    """

    def git(*arguments: str) -> str:
        try:
            done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
        except FileNotFoundError:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    if git("rev-parse", "--show-toplevel") != str(root.resolve()):
        return ""
    code = ("--", ".", ":!results", ":!docs")
    changed = git("status", "--porcelain", "--untracked-files=no", *code)
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
