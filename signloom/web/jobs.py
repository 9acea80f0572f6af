"""Jobs: queued, worked on by a few threads, watched, cancelled, forgotten with all their files.

The files of a server that was killed go when the next one starts.
"""

from __future__ import annotations

import ctypes
import os
import queue
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from signloom.data.files import held
from signloom.data.timing import Seconds
from signloom.errors import SignloomError
from signloom.text.subtitles import Subtitles
from signloom.web.limits import Limits, Refusal, full, refusal

State = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")
FOLDER = "signloom-serve-"
WORKERS = 4
"""Jobs worked on at once; videos are extracted one at a time, since one takes all cores."""


class Cancelled(Exception):
    """Raised inside the work of a job that is not wanted any more."""


@dataclass(frozen=True)
class Event:
    """One line of a job's story. stage: what is being done; done, total: of the stage, 0 = unknown."""

    state: State
    stage: str = ""
    done: int = 0
    total: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"state": self.state, "stage": self.stage, "done": self.done, "total": self.total}


@dataclass(eq=False)
class Job:
    """A request that is worked on. Its files lie in ``folder``; ``events`` only grows.

    subtitles: what its result can be written into. ended: on the monotonic clock.
    """

    task: str
    client: str
    folder: Path
    work: Callable[[Job], Mapping[str, Any]] | None = None
    subtitles: Subtitles | None = None
    id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    events: list[Event] = field(default_factory=lambda: [Event("queued")])
    result: Mapping[str, Any] | None = None
    error: Refusal | None = None
    ended: float | None = None
    seconds: Seconds = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> State:
        return self.events[-1].state

    @property
    def over(self) -> bool:
        return self.state in OVER

    def say(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Tells how far the work is; progress within a stage is kept in steps of a hundredth.

        Raises Cancelled where the job is not wanted any more, so that the work stops here.
        """
        with self._lock:
            if self.over:
                raise Cancelled
            last = self.events[-1]
            same = last.state == "running" and (last.stage, last.total) == (stage, total)
            step = 0 if done >= total else total / 100
            if not same or done - last.done > step:
                self.events.append(Event("running", stage, done, total))

    def end(
        self, state: State, result: Mapping[str, Any] | None = None, error: Refusal | None = None
    ) -> bool:
        """Ends the job once; False where it was over already."""
        with self._lock:
            if self.over:
                return False
            self.result, self.error, self.ended = result, error, time.monotonic()
            self.events.append(Event(state, self.events[-1].stage))
            return True


class Jobs:
    """All jobs of a server. ``told`` hears of each job that is over."""

    def __init__(self, limits: Limits, told: Callable[[Job], None] = lambda job: None):
        self.limits, self.told = limits, told
        self.folder, self._held = _own_folder()
        self._jobs: dict[str, Job] = {}
        self._uploading: Counter[str] = Counter()
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._untidy = False
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(WORKERS)]
        self._threads = [*threads, threading.Thread(target=self._sweep, daemon=True)]
        for thread in self._threads:
            thread.start()

    def enter(self, client: str) -> None:
        """A client begins an upload; ``leave`` when it is over. Raises Refusal (429) where there is no room."""
        with self._lock:
            mine = self._uploading[client] + sum(
                job.client == client and not job.over for job in self._jobs.values()
            )
            if mine >= self.limits.client:
                raise Refusal(
                    429,
                    "busy",
                    f"{mine} of your jobs are not finished, the most is {self.limits.client}; wait for "
                    "one, or cancel it",
                )
            if self.unfinished + self._uploading.total() >= self.limits.queue:
                raise Refusal(
                    429, "busy", f"{self.unfinished} jobs are waiting here; try again in a minute"
                )
            self._uploading[client] += 1

    def leave(self, client: str) -> None:
        with self._lock:
            self._uploading[client] -= 1
            if self._uploading[client] <= 0:
                del self._uploading[client]

    @property
    def unfinished(self) -> int:
        return sum(not job.over for job in list(self._jobs.values()))

    def new_folder(self) -> Path:
        """A folder for one job's files, which its deletion takes along."""
        with self._lock:
            if not self.folder.is_dir():  # some systems tidy up where temporary files are
                if self._held is not None:
                    os.close(self._held)
                self.folder, self._held = _own_folder()
            return Path(tempfile.mkdtemp(dir=self.folder))

    def submit(self, job: Job) -> Job:
        with self._lock:
            self._jobs[job.id] = job
        self._queue.put(job)
        return job

    def get(self, id: str) -> Job:
        """Raises Refusal (404) where there is none, or none any more."""
        job = self._jobs.get(id)
        if job is None:
            raise Refusal(
                404,
                "not-found",
                "there is no such job; it was deleted, or its time "
                f"({self.limits.keep:.0f} s after it ended) is over; send the file again",
            )
        return job

    def ahead(self, job: Job) -> int:
        """How many jobs wait before this one."""
        ids = [j.id for j in list(self._jobs.values()) if j.state == "queued"]
        return ids.index(job.id) if job.id in ids else 0

    def cancel(self, job: Job) -> None:
        if job.end("cancelled"):
            self._ended(job)

    def delete(self, job: Job) -> None:
        """Forgets the job and its files; one that is at work is cancelled."""
        self.cancel(job)
        with self._lock:
            self._jobs.pop(job.id, None)
        if job.work is None:  # else its thread still reads there, and deletes when it is done
            shutil.rmtree(job.folder, ignore_errors=True)

    def close(self) -> None:
        """Ends all work and deletes all files."""
        self._closing.set()
        for job in list(self._jobs.values()):
            self.cancel(job)
        for _ in range(WORKERS):
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=5)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _ended(self, job: Job) -> None:
        self._untidy = True
        self.told(job)

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            began = time.monotonic()
            try:
                if not job.over:
                    assert job.work is not None
                    result = job.work(job)
                    job.seconds = time.monotonic() - began
                    if job.end("done", result):
                        self._ended(job)
            except Cancelled:
                pass
            except Refusal as refused:
                self._failed(job, refused, began)
            except SignloomError as error:
                self._failed(job, refusal(error), began)
            except Exception as error:
                said = f"the work failed ({type(error).__name__}: {error})"
                self._failed(job, full(error) or Refusal(500, "failed", said), began)
            job.work = None
            if job.id not in self._jobs or job.state != "done":
                shutil.rmtree(job.folder, ignore_errors=True)

    def _failed(self, job: Job, refused: Refusal, began: float) -> None:
        job.seconds = time.monotonic() - began
        if job.end("failed", error=refused):
            self._ended(job)

    def _sweep(self) -> None:
        """Forgets what ended long ago, and gives its memory back, for as long as the server runs."""
        while not self._closing.wait(min(1.0, self.limits.keep / 4)):
            now = time.monotonic()
            for job in list(self._jobs.values()):
                if job.ended is not None and now - job.ended > self.limits.keep:
                    self.delete(job)
            if self._untidy and not self.unfinished:
                self._untidy = False
                give_back()


def give_back() -> None:
    """Hands freed memory back to the system, where the C library can (glibc): it keeps some for each thread."""
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)


def _own_folder() -> tuple[Path, int | None]:
    """A folder for uploads and the lock on it, where there are locks; what killed servers left goes."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        with suppress(OSError):  # another user's
            if (lock := held(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=FOLDER))
        try:
            lock = held(folder)
        except OSError:
            return folder, None
        if lock is not None:  # else one that starts just now took it for left
            return folder, lock
