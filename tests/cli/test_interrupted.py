"""Ctrl-C: what is said, and that the same command goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from signloom.cli.main import RESUMED, VERBS
from signloom.corpora.store import open_store

CLI = Path(__file__).parents[2] / "signloom" / "cli"


def test_the_verbs_that_resume_are_those_that_have_the_option():
    assert {verb for verb in VERBS if '"--resume"' in (CLI / f"{verb}.py").read_text()} == set(
        RESUMED
    )


def heed() -> None:
    """A shell's background job, and all that it starts, would not hear of SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_interrupted_prepare_says_how_to_go_on_and_goes_on(tmp_path: Path):
    out, parts = tmp_path / "store", tmp_path / "store.parts" / "parts"
    command = [
        sys.executable, "-m", "signloom.cli.main", "prepare", "sim-sentences-v1", "--size", "tiny",
        "--layout", "hands42", "-o", str(out), "--jobs", "1",
    ]  # fmt: skip
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed)
    while run.poll() is None and not (parts.is_dir() and any(parts.iterdir())):
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    said = run.communicate()[1]
    assert (run.returncode, out.exists()) == (130, False), said
    assert said.endswith("signloom: interrupted; the same command with --resume goes on\n")
    subprocess.run([*command, "--resume"], check=True, stderr=subprocess.DEVNULL)
    assert len(open_store(out)) > 0
    assert not parts.exists()
