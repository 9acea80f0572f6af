"""What a run tells: JSON lines in a file, a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signloom.data.files import writing
from signloom.training.stages import Step


class Reporter:
    """Writes log.jsonl and shows progress on stderr; silent on all but the main process.

    A resumed run first drops the lines after the step that it goes on from.
    """

    def __init__(self, path: Path, steps: int, done: int, main: bool = True) -> None:
        self.path, self.steps, self.main = path, steps, main
        self.started = self.since = time.monotonic()
        self.losses: list[float] = []
        self.first = self.counted = done
        self.bar: Any = None
        if not self.main:
            return
        _trim(path, done)
        if sys.stderr.isatty():
            self.bar, self.task = _bar(steps, done)

    def step(self, done: int, taken: Step, p: float, batch: int, log_every: int) -> None:
        """Tells of the step that brought the run to ``done``; a log line every ``log_every`` of them.

        The loss of a line is the mean since the line before it.
        """
        if not self.main:
            return
        self.losses.append(taken.loss)
        if self.bar:
            self.bar.update(self.task, completed=done, loss=f"{taken.loss:.3f}")
        if done < self.steps and (not log_every or done % log_every):
            return
        now = time.monotonic()
        rate = (done - self.counted) * batch / max(now - self.since, 1e-9)
        loss = sum(self.losses) / len(self.losses)
        self.write(
            {
                "step": done,
                "stage": taken.stage,
                "loss": round(loss, 6),
                "gradient": round(taken.gradient, 6),
                "lr": taken.lr,
                "p": round(p, 6),
                "source": taken.source,
                "samples_per_s": round(rate, 2),
                "time": round(time.time(), 1),
            }
        )
        left = (self.steps - done) * (now - self.started) / max(done - self.first, 1)
        self.say(
            f"step {done}/{self.steps}  loss {loss:.3f}  {rate:.1f} samples/s  {left:.0f} s left"
        )
        self.losses, self.since, self.counted = [], now, done

    def validation(self, step: int, numbers: Mapping[str, float]) -> None:
        """Tells what the validation after ``step`` steps gave."""
        if not self.main:
            return
        self.write({"step": step, "validation": dict(numbers), "time": round(time.time(), 1)})
        shown = "  ".join(f"{name} {value:.3f}" for name, value in numbers.items())
        self.say(f"validation after step {step}: {shown}", always=True)

    def write(self, record: Mapping[str, Any]) -> None:
        """Appends a line to the log."""
        try:
            with self.path.open("a") as file:
                file.write(json.dumps(record) + "\n")
        except OSError as error:  # a full disk does not say of which file
            raise OSError(error.errno, error.strerror, str(self.path)) from error

    def say(self, line: str, always: bool = False) -> None:
        """A plain line on stderr; beside the bar only where it is worth one."""
        if not self.bar:
            print(line, file=sys.stderr, flush=True)
        elif always:
            self.bar.console.print(line)

    def close(self) -> None:
        """Ends the bar."""
        if self.bar:
            self.bar.stop()


def _trim(path: Path, done: int) -> None:
    """Keeps the whole lines up to step ``done``; a line torn by a kill goes."""
    kept = []
    for line in path.read_text(errors="replace").splitlines() if path.is_file() else ():
        try:
            if json.loads(line)["step"] <= done:
                kept.append(line + "\n")
        except (ValueError, LookupError, TypeError):
            continue
    with writing(path, overwrite=True) as temporary:
        temporary.write_text("".join(kept))


def _bar(steps: int, done: int) -> tuple[Any, Any]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("training", total=steps, completed=done, loss="-")
    bar.start()
    return bar, task
