"""HTTP requests: whole ones to begin fuzzing with, and what hands a random one to the application.

An input is a request as it is written on a line: POST /v1/align, headers, an empty line, a body.
The length of the body is set right, so that it is read at all.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from faults.kinds import KINDS, TEXTS, clip

BOUNDARY = "edge"
RESULTS = ("json", "pose", "eaf", "vtt")


def multipart(fields: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]) -> bytes:
    """A form as browsers send it, with BOUNDARY between its parts; files: field → (name, content)."""
    parts = [(f'name="{name}"'.encode(), value.encode()) for name, value in fields.items()] + [
        (f'name="{field}"; filename="{name}"'.encode(), content)
        for field, (name, content) in files.items()
    ]
    edge = f"--{BOUNDARY}".encode()
    return b"".join(
        edge + b"\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + body + b"\r\n"
        for head, body in parts
    ) + (edge + b"--\r\n")


def written(method: str, path: str, body: bytes = b"", kind: str = "") -> bytes:
    head = f"{method} {path}\r\nhost: localhost\r\n"
    head += f"content-type: {kind}\r\n" if kind else ""
    return head.encode() + b"\r\n" + body


def seeds() -> list[bytes]:
    """A request of each sort."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        KINDS["pose"].make(folder)
        KINDS["vtt"].make(folder)
        pose = ("a.pose", (folder / "a.pose").read_bytes())
        vtt = ("a.vtt", (folder / "a.vtt").read_bytes())
    short = clip(12)
    frames = {
        "layout": "hands42", "fps": 4, "id": "a", "size": [640, 480],
        "points": [[[round(float(x)) for x in point] for point in row] for row in short.points],
        "origin": {"extractor": "simulator", "version": "1", "settings": {}},
    }  # fmt: skip
    posed = ("a.json", json.dumps(frames, separators=(",", ":")).encode())
    form = f"multipart/form-data; boundary={BOUNDARY}"
    locked = json.dumps([{"cue": 1, "start": 0.1, "end": 0.2}])
    wishes = {
        "model": "none",
        "locked": locked,
        "offset": "0.5",
        "max_shift": "9",
        "on_low": "mark",
    }
    places = json.dumps([{"start": 1, "end": 2}] * len(TEXTS))
    said = json.dumps({"timecode": 0, "cues": [], "signing": [], "phrases": []})
    export = {"cues": places, "format": "eaf", "result": said}
    urlencoded = "application/x-www-form-urlencoded"
    return [
        written("POST", "/v1/align", multipart(wishes, {"media": posed, "subtitles": vtt}), form),
        written("POST", "/v1/segment", multipart({}, {"media": pose}), form),
        written("POST", "/v1/segment", multipart({"signer_box": "auto"}, {"media": posed}), form),
        written("POST", "/v1/translate", multipart({"beam": "2"}, {"media": posed}), form),
        written("POST", "/v1/recognize", multipart({"top": "2"}, {"media": posed}), form),
        written("POST", "/v1/export", multipart(export, {"subtitles": vtt}), form),
        written("POST", "/v1/align", b"media=a&subtitles=b", urlencoded),
        *(written("GET", f"/v1/jobs/JOB/result?format={format}") for format in RESULTS),
        written("GET", "/v1/jobs/JOB"),
        written("GET", "/v1/jobs/JOB/events"),
        written("POST", "/v1/jobs/JOB/cancel"),
        written("DELETE", "/v1/jobs/JOB"),
        written("GET", "/v1/models/none/card"),
        written("GET", "/v1/layouts/ps76"),
        written("GET", "/metrics"),
        written("GET", "/"),
    ]


def requests() -> tuple[Callable[[bytes], None], list[bytes]]:
    """What hands one request to a server without models, with an aligned job called JOB; and whole ones.

    Videos are refused here: another process reads them. Raises AssertionError for an answer from 500, or a job that failed by itself.
    """
    from signloom.errors import MediaError
    from signloom.web import media
    from signloom.web.jobs import Job, Jobs
    from signloom.web.limits import Limits
    from signloom.web.models import Models
    from signloom.web.server import build

    def refused(path: Path, limits: Any) -> Any:
        raise MediaError(f"{path} is a video")

    media.video.probe = refused
    app = build(
        Models([]),
        Limits(bytes=1 << 20, json_bytes=1 << 18, seconds=60.0, client=10_000, queue=10_000),
    )
    jobs: Jobs = app.state.jobs
    loop = asyncio.new_event_loop()
    started = seeds()

    def ended(job: Job) -> None:
        until = time.monotonic() + 30
        while not job.over and time.monotonic() < until:
            time.sleep(0.0005)
        assert job.over, "a job does not end"

    def run(data: bytes) -> None:
        status = loop.run_until_complete(_answered(app, data))
        assert status < 500, f"answered with {status}"
        for job in list(jobs._jobs.values()):
            if job.id != "JOB":
                ended(job)
                assert job.error is None or job.error.status < 500, job.error.detail
                jobs.delete(job)
        if "JOB" not in jobs._jobs:
            begin()

    def begin() -> None:
        loop.run_until_complete(_answered(app, started[0]))
        (job,) = jobs._jobs.values()
        ended(job)
        del jobs._jobs[job.id]
        job.id = "JOB"
        jobs._jobs["JOB"] = job

    begin()
    return run, started


async def _answered(app: Any, data: bytes) -> int:
    """The status with which the application answers a request."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, target = first.partition(" ")
    path, _, query = target.partition("?")
    pairs = [line.partition(":")[::2] for line in lines if ":" in line]
    headers = [
        (name.strip().lower().encode("latin-1"), value.strip().encode("latin-1"))
        for name, value in pairs
        if name.strip().lower() not in ("content-length", "transfer-encoding")
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
        "method": method.upper()[:20] or "GET", "path": path or "/", "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"), "root_path": "", "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "headers": [*headers, (b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[int] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            told.append(message["status"])

    await app(scope, receive, send)
    return told[-1] if told else 0
