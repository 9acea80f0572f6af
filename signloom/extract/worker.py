"""The child process: decodes untrusted files under limits and runs the extractor on them.

Started by extract/process.py as ``python -m signloom.extract.worker SETTINGS``;
reads requests from standard input, writes answers to standard output, ends
when its input does.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np

from signloom.data.lips import CROP
from signloom.data.timing import Span
from signloom.errors import MediaError, OverLimitError
from signloom.extract.lips import SMOOTH, Cropper, crops
from signloom.extract.video import Limits, VideoInfo, decoded, frames, inspect, nearest

REPORT_EVERY = 0.2
"""Seconds between two reports of progress."""
SAMPLED = 8
"""Pictures looked at to find the signer."""


def main() -> None:
    """Pins and limits this process, then answers requests until the input ends."""
    settings = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not speak in our name
    if settings["core"] is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {settings["core"]})
    limit_memory(settings["memory"])
    for line in sys.stdin:
        answer(json.loads(line), out)


def limit_memory(size: int) -> None:
    """No more than ``size`` bytes of address space, and no core dump."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def allow_cpu(seconds: float) -> None:
    """This process may use so many seconds of processor time from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def answer(request: Mapping[str, Any], out: BinaryIO) -> None:
    """Does one request and writes its answer, or what was wrong with the file."""
    payload = b""
    limits = Limits(**request["limits"])
    try:
        if request["do"] == "inspect":
            allow_cpu(120)
            result = inspect(request["path"], limits).to_json()
        elif request["do"] == "signer":
            allow_cpu(600)
            result = {"box": signer_box(request, limits)}
        elif request["do"] == "lips":
            allow_cpu(120 + 5 * len(request["times"]))
            result, payload = {}, crops(request, limits).tobytes()
        elif request["do"] == "pictures":
            first, last = request["ticks"]
            allow_cpu(120 + 5 * (last - first))
            result, payload = {}, pictures(request, limits)
        else:
            first, last = request["ticks"]
            allow_cpu(120 + 5 * (last - first))
            result, payload = extract(request, limits, out)
        message: dict[str, Any] = {"answer": result, "bytes": len(payload)}
    except MediaError as error:
        message = {"error": str(error), "over_limit": isinstance(error, OverLimitError)}
    except MemoryError:
        message = {
            "error": f"needs more than the {limits.memory / 2**30:.1f} GiB allowed; scale it down"
        }
    except Exception as error:
        message = {"error": f"could not be extracted ({type(error).__name__}: {error})"}
    out.write(json.dumps(message).encode() + b"\n")
    if "answer" in message:
        out.write(payload)
    out.flush()


def signer_box(request: Mapping[str, Any], limits: Limits) -> list[int] | None:
    """The part of the picture that holds the signer; None = all of it."""
    from signloom.extract.signer import find_signer

    info = VideoInfo(**request["info"])
    box = find_signer(list(_sampled(request["path"], info, limits)))
    return None if box is None else list(box)


def _sampled(path: str, info: VideoInfo, limits: Limits) -> Iterator[Any]:
    from signloom.extract.video import Upright

    upright = Upright(info)
    for tick in np.unique(np.linspace(info.lead, info.frames - 1, SAMPLED).round().astype(int)):
        time_ = info.time(int(tick))
        for _, frame in nearest(decoded(path, time_, limits), [time_]):
            yield upright(frame)


def pictures(request: Mapping[str, Any], limits: Limits) -> bytes:
    """RGB of the ticks [first, last), no larger than asked; the last picture is held to the end."""
    info = VideoInfo(**request["info"])
    first, last = request["ticks"]
    span = Span.of_frames(first, last, info.fps)
    found = [rgb for _, rgb in frames(request["path"], span, info, limits, request["side"])]
    found += found[-1:] * (last - first - len(found))
    return b"".join(rgb.tobytes() for rgb in found)


def extract(
    request: Mapping[str, Any], limits: Limits, out: BinaryIO
) -> tuple[dict[str, Any], bytes]:
    """Keypoints of the ticks [first, last), tracking warmed up on the ``warm`` ticks before them.

    Where the request asks for lips, crops (and whether there is a mouth) come behind them.
    """
    from signloom.extract.holistic import HolisticExtractor

    info = VideoInfo(**request["info"])
    first, last = request["ticks"]
    begin = max(first - request["warm"], info.lead)
    box = tuple(request["box"]) if request["box"] else None
    extractor = HolisticExtractor(tuple(request["parts"]), box)
    count = last - first
    points = np.zeros((count, len(extractor.layout), 3), np.float32)
    confidence = np.zeros((count, len(extractor.layout)), np.float32)
    cropper = Cropper(extractor.layout) if request["lips"] else None
    behind = 0 if cropper is None else SMOOTH
    span = Span.of_frames(begin, max(min(last + behind, info.frames), begin), info.fps)
    shown: list[Any] = []

    def pictures() -> Iterator[Any]:
        for _, rgb in frames(request["path"], span, info, limits):
            shown[:] = [rgb]
            yield rgb

    cut: list[Any] = []
    reported, said = 0, time.monotonic()
    for tick, (seen, sure) in enumerate(extractor.extract(pictures()), start=begin):
        if first <= tick < last:
            points[tick - first], confidence[tick - first] = seen, sure
        if cropper is not None:
            cut += cropper.see(shown[0], seen, sure)
        now = time.monotonic()
        if now - said > REPORT_EVERY:
            done = max(min(tick + 1, last) - first, 0)
            out.write(json.dumps({"progress": done - reported}).encode() + b"\n")
            out.flush()
            reported, said = done, now
    extractor.close()
    result = {"frames": count, "reported": reported, "version": extractor.version}
    payload = points.tobytes() + confidence.tobytes()
    if cropper is None:
        return result, payload
    cut += cropper.rest()
    mouths = np.zeros((count, CROP, CROP), np.uint8)
    present = np.zeros(count, np.uint8)
    for tick, crop in enumerate(cut, start=begin):
        if first <= tick < last and crop is not None:
            mouths[tick - first], present[tick - first] = crop, 1
    return result, payload + mouths.tobytes() + present.tobytes()


if __name__ == "__main__":
    main()
