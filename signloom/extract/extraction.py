"""Videos to clips, on all the cores: what a program and the command line call.

A video is extracted in pieces of PIECE seconds, one after the other or side by
side on several cores. Tracking restarts at each seam: a piece begins WARM
seconds early and drops what it found there. The pieces do not depend on the
number of cores, so neither does the result.
"""

from __future__ import annotations

import math
import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HOLISTIC
from signloom.data.lips import CROP, Lips
from signloom.data.timing import Seconds
from signloom.errors import MediaError, UsageError
from signloom.extract.holistic import NAME, PARTS, Box, settings_of
from signloom.extract.lips import ORIGIN
from signloom.extract.process import Process, Progress, cores, require
from signloom.extract.video import Limits, VideoInfo, check_file

PIECE: Seconds = 20.0
WARM: Seconds = 1.0

AUTO = "auto"
WHOLE_PICTURE = "whole"


@dataclass
class Task:
    """One video on its way: what is known of it and which pieces are still out."""

    path: Path
    info: VideoInfo | None = None
    box: Box | None = None
    version: str = ""
    pieces: dict[int, tuple[np.ndarray, ...]] = field(default_factory=dict)
    waiting: int = 0
    failed: bool = False


@dataclass(frozen=True)
class Extracted:
    """What became of one video: its clip, and its lips where they were asked for; or why not."""

    path: Path
    clip: PoseClip | None
    error: MediaError | None
    lips: Lips | None = None


class Workers:
    """Worker processes, each pinned to a core of its own; ``ask`` from any thread takes a free one."""

    def __init__(self, jobs: int, limits: Limits, pinned: bool = True):
        available = cores() if pinned else [None]
        self.processes = [Process(limits, available[i % len(available)]) for i in range(jobs)]
        self._free: queue.SimpleQueue[Process] = queue.SimpleQueue()
        for process in self.processes:
            self._free.put(process)
        self.pool = ThreadPoolExecutor(jobs)

    def submit(self, request: dict, path: Path, progress: Progress | None = None) -> Future:
        return self.pool.submit(self._ask, request, path, progress)

    def _ask(self, request: dict, path: Path, progress: Progress | None) -> tuple[dict, bytes]:
        process = self._free.get()
        try:
            return process.ask(request, path, progress)
        finally:
            self._free.put(process)

    def close(self) -> None:
        """Ends everything at once, also what is still at work."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        for process in self.processes:
            if process.child is not None:
                process.child.kill()
        self.pool.shutdown(wait=True)
        for process in self.processes:
            process.close()


@contextmanager
def workers(jobs: int, limits: Limits, pinned: bool = True) -> Iterator[Workers]:
    crew = Workers(jobs, limits, pinned)
    try:
        yield crew
    finally:
        crew.close()


def extract_clip(
    path: str | os.PathLike[str],
    parts: Sequence[str] = PARTS,
    signer_box: str | Box = WHOLE_PICTURE,
    jobs: int = 1,
    limits: Limits = Limits(),
    progress: Callable[[int, int], None] | None = None,
) -> PoseClip:
    """The clip of one video, in layout ``holistic``.

    parts: which of hands, body and face are looked for; the rest stays missing.
    signer_box: 'whole', 'auto' or (x, y, width, height) in pixels as shown.
    progress: called with (frames done, frames in all).

    Raises MediaError (unreadable, nobody in it, over the limits) and
    MissingExtraError without the 'extract' extra.
    """
    (result,) = extract_clips([path], parts, signer_box, jobs, limits, progress)
    if result.error is not None:
        raise result.error
    assert result.clip is not None
    return result.clip


def extract_clips(
    paths: Sequence[str | os.PathLike[str]],
    parts: Sequence[str] = PARTS,
    signer_box: str | Box = WHOLE_PICTURE,
    jobs: int = 1,
    limits: Limits = Limits(),
    progress: Callable[[int, int], None] | None = None,
    lips: bool = False,
    pinned: bool = True,
) -> Iterator[Extracted]:
    """The videos' clips as they are finished, in any order; a video that fails holds up no other.

    Arguments as in ``extract_clip``. lips: also the mouths, cut from the same pictures.
    pinned: each process keeps to a core of its own; not where others share out the cores.

    Raises MissingExtraError without the 'extract' extra and UsageError where ``jobs`` is
    below 1, or lips are asked for and the face is not.
    """
    require("av", "mediapipe")
    if jobs < 1:
        raise UsageError(f"--jobs is {jobs}, expected 1 or more")
    if lips and "face" not in parts:
        raise UsageError(
            f"lips are cut where the face is, and the parts are {', '.join(parts)}; add face to them"
        )
    with workers(jobs, limits, pinned) as crew:
        run = _Run(crew, tuple(parts), signer_box, progress, lips)
        yield from run.results([Path(p) for p in paths])


def extract_slices(
    path: str | os.PathLike[str], parts: Sequence[str] = PARTS, limits: Limits = Limits()
) -> Iterator[PoseClip]:
    """The clip of one video in slices, each as soon as it is there; joined they are `extract_clip`'s.

    Raises MediaError (unreadable, over the limits) and MissingExtraError without the 'extract' extra.
    """
    require("av", "mediapipe")
    check_file(path)
    file = Path(path)
    asked: dict[str, Any] = {
        "path": os.path.abspath(file),
        "parts": list(parts),
        "box": None,
        "lips": False,
    }
    with Process(limits) as process:
        found, _ = process.ask({"do": "inspect", **asked}, file)
        info = VideoInfo(**found)
        asked |= {"info": found, "warm": math.ceil(WARM * info.fps)}
        for ticks in pieces(info.frames, info.fps):
            answer, payload = process.ask({"do": "extract", "ticks": ticks, **asked}, file)
            points, confidence = _arrays(payload, answer["frames"], False)
            settings = {**settings_of(tuple(parts), None), "fps": info.fps}
            origin = Origin(NAME, answer["version"], settings)
            size = (info.width, info.height)
            yield PoseClip(points, confidence, info.fps, HOLISTIC, file.stem, origin, size)


class _Run:
    """The bookkeeping of one call: each video is inspected, cut into pieces, joined."""

    def __init__(
        self,
        crew: Workers,
        parts: tuple[str, ...],
        signer_box: str | Box,
        progress: Callable[[int, int], None] | None,
        lips: bool,
    ):
        self.crew = crew
        self.parts = parts
        self.signer_box = signer_box
        self.progress = progress
        self.lips = lips
        self.done = self.total = 0
        self.lock = threading.Lock()
        self.out: dict[Future, tuple[Task, str, int]] = {}

    def results(self, paths: Sequence[Path]) -> Iterator[Extracted]:
        for path in paths:
            try:
                check_file(path)
            except MediaError as error:
                yield Extracted(path, None, error)
                continue
            self._send(Task(path), "inspect")
        while self.out:
            finished, _ = wait(self.out, return_when=FIRST_COMPLETED)
            for future in finished:
                task, step, piece = self.out.pop(future)
                if task.failed:
                    continue
                try:
                    made = self._receive(task, step, piece, future)
                except MediaError as error:
                    task.failed = True
                    task.pieces.clear()
                    yield Extracted(task.path, None, error)
                else:
                    if made is not None:
                        yield made

    def _send(self, task: Task, step: str, piece: int = 0, **more: object) -> None:
        request = {"do": step, "path": os.path.abspath(task.path), **more}
        if task.info is not None:
            request["info"] = task.info.to_json()
        self.out[self.crew.submit(request, task.path, self._count)] = (task, step, piece)

    def _receive(self, task: Task, step: str, piece: int, future: Future) -> Extracted | None:
        """Takes in one answer and asks for what follows; what was made when all is there."""
        answer, payload = future.result()
        if step == "inspect":
            task.info = VideoInfo(**answer)
            if self.signer_box == AUTO:
                self._send(task, "signer")
                return None
            if isinstance(self.signer_box, tuple):
                task.box = inside(self.signer_box, task.info, task.path)
        elif step == "signer":
            task.box = None if answer["box"] is None else (*answer["box"],)  # type: ignore[assignment]
        else:
            self._count(answer["frames"] - answer["reported"])
            task.version = answer["version"]
            task.pieces[piece] = _arrays(payload, answer["frames"], self.lips)
            task.waiting -= 1
            if task.waiting:
                return None
            clip = join(task, self.parts)
            return Extracted(task.path, clip, None, _lips(task, clip) if self.lips else None)
        self._send_pieces(task)
        return None

    def _send_pieces(self, task: Task) -> None:
        assert task.info is not None
        ranges = pieces(task.info.frames, task.info.fps)
        task.waiting = len(ranges)
        with self.lock:
            self.total += task.info.frames
        for number, ticks in enumerate(ranges):
            self._send(
                task,
                "extract",
                number,
                ticks=ticks,
                warm=math.ceil(WARM * task.info.fps),
                parts=self.parts,
                box=task.box,
                lips=self.lips,
            )

    def _count(self, frames: int) -> None:
        with self.lock:
            self.done += frames
            if self.progress is not None:
                self.progress(self.done, self.total)


def pieces(ticks: int, fps: float) -> list[tuple[int, int]]:
    """[first, last) of each piece: as few as fit into PIECE seconds each, all alike in length."""
    count = max(math.ceil(ticks / fps / PIECE), 1)
    edges = [round(i * ticks / count) for i in range(count + 1)]
    return list(pairwise(edges))


def inside(box: Box, info: VideoInfo, path: Path) -> Box:
    """The part of ``box`` that is in the picture. Raises MediaError where that is next to nothing."""
    x, y, w, h = box
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + w, info.width), min(y + h, info.height)
    if right - left < 16 or bottom - top < 16:
        raise MediaError(
            f"{path} is {info.width}×{info.height} pixels, but the signer box {x},{y},{w},{h} leaves "
            "less than 16×16 of it; give x,y,width,height in pixels of the picture as shown"
        )
    return left, top, right - left, bottom - top


def parse_box(text: str) -> str | Box:
    """'auto' or 'x,y,w,h' in pixels. Raises UsageError."""
    if text == AUTO:
        return text
    try:
        x, y, w, h = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--signer-box is '{text}', expected 'auto' or x,y,width,height in whole pixels"
        ) from None
    if w <= 0 or h <= 0:
        raise UsageError(f"--signer-box is {w} wide and {h} high, expected both above 0")
    return x, y, w, h


def _arrays(payload: bytes, frames: int, lips: bool) -> tuple[np.ndarray, ...]:
    """Points and confidence of a piece, and with lips crops and whether there is a mouth."""
    cut = frames * len(HOLISTIC) * 3
    values = np.frombuffer(payload, np.float32, frames * len(HOLISTIC) * 4)
    keypoints = values[:cut].reshape(frames, -1, 3), values[cut:].reshape(frames, -1)
    if not lips:
        return keypoints
    pixels = np.frombuffer(payload, np.uint8, offset=values.nbytes)
    cut = frames * CROP * CROP
    return *keypoints, pixels[:cut].reshape(frames, CROP, CROP), pixels[cut:] != 0


def join(task: Task, parts: tuple[str, ...]) -> PoseClip:
    """The clip of a video's pieces in order. Raises MediaError where nobody is in it."""
    assert task.info is not None
    ordered = [task.pieces[number] for number in sorted(task.pieces)]
    points = np.concatenate([piece[0] for piece in ordered])
    confidence = np.concatenate([piece[1] for piece in ordered])
    if not confidence.any():
        raise MediaError(
            f"{task.path}: no signer found in {len(points)} frames (looked for {', '.join(parts)}), "
            "expected a person with head and shoulders in view; crop to the signer with --signer-box"
        )
    settings = {**settings_of(parts, task.box), "fps": task.info.fps}
    return PoseClip(
        points,
        confidence,
        task.info.fps,
        HOLISTIC,
        task.path.stem,
        Origin(NAME, task.version, settings),
        (task.info.width, task.info.height),
    )


def _lips(task: Task, clip: PoseClip) -> Lips:
    """The lips of a video's pieces in order."""
    ordered = [task.pieces[number] for number in sorted(task.pieces)]
    frames = np.concatenate([piece[2] for piece in ordered])
    frames.setflags(write=False)
    present = np.concatenate([piece[3] for piece in ordered])
    return Lips(frames, present, clip.fps, clip.id, ORIGIN)
