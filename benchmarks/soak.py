"""A server under thousands of good and hostile requests: python -m benchmarks.soak -o results/soak.json.

`signloom serve` runs in a process of its own, with the bundled models, a token, small limits, and results that stay two
seconds. A few clients at once send it what people send, and what nobody should: KINDS says what, drawn by a
fixed seed. Counted is every request and every WebSocket, by kind and status; good requests must succeed. The
server's memory (resident, Linux) is read when all jobs are forgotten: after a warm-up of the same kinds, and at
the end. Files, threads and open descriptors that the server keeps are read at both times too.
Goals: no status of 500 and above, no job that failed for a reason of ours, memory growth of at most 1 %.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from signloom.cli.receipt import commit, hardware
from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.layouts import LAYOUTS
from signloom.data.timing import Span
from signloom.inference.translate import BUNDLED
from signloom.pose.convert import convert
from signloom.pose.files import read_pose, write_pose
from signloom.text.subtitles import compose

TOKEN = "soak-t0ken"
KEEP = 2.0
"""Seconds that the server keeps results."""
MIB = 1
"""The largest upload that the server takes."""
SETTLED = 6.0
"""Seconds without requests before the memory is read."""
READINGS = 5
TASKS = ("translate", "recognize", "segment", "align")
FORMATS = ("json", "vtt", "srt", "eaf", "ass", "ttml", "textgrid", "pose")
PAGES = (
    *(
        "/",
        "/static/studio.js",
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/v1/server",
        "/v1/models",
    ),
    *("/v1/models/bundled/card", "/v1/example", "/v1/layouts/holistic", "/v1/layouts/none"),
)
NOWHERE = (
    *(
        "/static/../server.py",
        "/static/%2e%2e/server.py",
        "/holistic/holistic.js",
        "/nowhere",
        "//",
    ),
)
CORRECTIONS = (
    '[{"start": 1, "end": 2}, {"start": 2, "end": 3}]',
    '[{"start": 1e999, "end": 2}, {"start": 2, "end": 3}]',
    *("[]", "[1]", '{"a": 1}', "NaN", "[", "[" * 50_000),
)

Status = int | str
"""That of HTTP; of a WebSocket its close code; "dropped" where the client itself went away."""


@dataclass(frozen=True)
class Files:
    """Good files of about a second."""

    pose: bytes
    frames: Mapping[str, Any]
    """The same as JSON frames."""
    subtitles: Mapping[str, bytes]

    @classmethod
    def made(cls) -> Files:
        example = min((BUNDLED.parent / "example").glob("*.pose"))
        clip = convert(read_pose(example, Span(1.0, 2.2)), LAYOUTS["ps76"])
        with tempfile.TemporaryDirectory() as folder:
            write_pose(clip, Path(folder) / "a.pose")
            pose = (Path(folder) / "a.pose").read_bytes()
        frames = {
            "layout": "ps76",
            "fps": clip.fps,
            "size": list(clip.size),
            "origin": clip.origin.to_json(),
            "points": np.round(clip.points, 3).tolist(),
            "confidence": clip.confidence.tolist(),
        }
        cues = [Cue(Span(0.1, 0.5), "one"), Cue(Span(0.6, 1.0), "two")]
        return cls(pose, frames, {name: compose(cues, name) for name in ("vtt", "srt", "eaf")})


@dataclass
class Client:
    """One of those that send; its draws are its own."""

    port: int
    files: Files
    rng: random.Random
    told: Counter[tuple[str, Status]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    kind: str = ""

    def note(self, status: Status, body: bytes = b"") -> None:
        self.told[self.kind, status] += 1
        if isinstance(status, int) and (500 <= status < 1000 or status == 4500):
            self.faults.append(f"{self.kind}: {status}: {body[:300]!r}")

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        **headers: str,
    ) -> tuple[int, bytes]:
        """(status, body) of a request with the right token where no other is given."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            link.request(method, path, body, {"authorization": f"Bearer {TOKEN}"} | given)
            answer = link.getresponse()
            status, data = answer.status, answer.read()
        except (ConnectionError, http.client.HTTPException) as error:
            self.note("dropped")
            return 0, repr(error).encode()
        finally:
            link.close()
        self.note(status, data)
        return status, data

    def send(
        self, task: str, files: Mapping[str, tuple[str, bytes]], form: Mapping[str, str] = {}
    ) -> tuple[int, bytes]:
        kind, body = multipart(files, form)
        return self.ask("POST", f"/v1/{task}", body, content_type=kind)

    def must(self, status: int, wanted: Sequence[int], body: bytes) -> bool:
        """Whether it is what was wanted; a server that is busy may say so (429)."""
        if status not in (*wanted, 429):
            self.faults.append(f"{self.kind}: {status}, expected {wanted}: {body[:300]!r}")
        return status in wanted

    def job(self, task: str, files: Mapping[str, tuple[str, bytes]], **form: str) -> str:
        """The id of a job that was taken on, "" where the server is busy."""
        status, body = self.send(task, files, form)
        return json.loads(body)["id"] if self.must(status, [202], body) else ""

    def ended(self, id: str) -> str:
        """The state in which a job ends; one that fails for a reason of ours is a fault."""
        _, body = self.ask("GET", f"/v1/jobs/{id}/events")
        last = body.decode().strip().split("\n\n")[-1]
        if '"failed", "detail": "the work' in last or '"kind": "failed"' in last:
            self.faults.append(f"{self.kind}: {last}")
        found = re.search(r"event: (\w+)", last)
        return found[1] if found else ""


def multipart(files: Mapping[str, tuple[str, bytes]], form: Mapping[str, str]) -> tuple[str, bytes]:
    """(content type, body) of a form."""
    edge = b"----soak"
    parts = [
        edge
        + b'\r\ncontent-disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
        % (name.encode(), filename.encode(), data)
        for name, (filename, data) in files.items()
    ]
    parts += [
        edge
        + b'\r\ncontent-disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (name.encode(), value.encode())
        for name, value in form.items()
    ]
    return "multipart/form-data; boundary=--soak", b"".join(parts) + edge + b"--\r\n"


def uploads(client: Client, task: str) -> dict[str, tuple[str, bytes]]:
    """Good files for a task."""
    files = {"media": ("a.pose", client.files.pose)}
    if task == "align":
        name = client.rng.choice(list(client.files.subtitles))
        files["subtitles"] = (f"a.{name}", client.files.subtitles[name])
    return files


def bent(data: bytes, rng: random.Random, within: int | None = None) -> bytes:
    """With a few bytes changed, near the beginning where ``within`` says so."""
    array = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        array[rng.randrange(min(within or len(array), len(array)))] = rng.randrange(256)
    return bytes(array)


# --- good ----------------------------------------------------------------------------------------


def good(client: Client) -> None:
    """A job, watched to its end, its result taken; forgotten by the client, or later by the server."""
    task = client.rng.choice(TASKS)
    files = uploads(client, task)
    if client.rng.random() < 0.2:
        files["media"] = ("a.json", json.dumps(client.files.frames).encode())
    if not (id := client.job(task, files)):
        return
    if client.ended(id) != "done":
        client.faults.append(f"good: {task} did not end well")
        return
    where = f"/v1/jobs/{id}/result?format={client.rng.choice(FORMATS)}"
    status, body = client.ask("GET", where)
    if status != 404:  # the server may have forgotten it on a slow machine
        client.must(status, [200], body)
    if client.rng.random() < 0.7:
        client.ask("DELETE", f"/v1/jobs/{id}")


def cancelled(client: Client) -> None:
    """A job that is cancelled, forgotten or left alone while it is queued or at work."""
    task = client.rng.choice(TASKS)
    if not (id := client.job(task, uploads(client, task))):
        return
    time.sleep(client.rng.choice((0, 0, 0.02, 0.1)))
    if client.rng.random() < 0.6:
        client.ask("POST", f"/v1/jobs/{id}/cancel")
    if client.rng.random() < 0.7:
        client.ask("DELETE", f"/v1/jobs/{id}")


def looked(client: Client) -> None:
    """What a page and a monitor ask."""
    path = client.rng.choice(PAGES)
    status, body = client.ask("GET", path)
    client.must(status, [404] if path.endswith("none") else [200], body)


def exported(client: Client) -> None:
    """Corrected cues as a file, some of them wrong."""
    name, data = client.rng.choice(list(client.files.subtitles.items()))
    cues = client.rng.choice(CORRECTIONS)
    format = client.rng.choice((*FORMATS, "xx"))
    client.send("export", {"subtitles": (f"a.{name}", data)}, {"cues": cues, "format": format})


def lived(client: Client) -> None:
    """A live stream, to its end."""
    frame = np.zeros((76, 4), "<f4")
    frame[:, 3] = 1
    opening = {"task": "translate", "layout": "ps76", "fps": 25, "allow_simulated": True}
    end = '{"type": "end"}'
    code = converse(client, [json.dumps(opening), *[frame.tobytes() * 10] * 3, end])
    if code not in (1000, 4429):
        client.faults.append(f"lived: closed with {code}")


# --- hostile -------------------------------------------------------------------------------------


def damaged(client: Client) -> None:
    """Poses and subtitles with bytes changed or cut off, garbage, and files that are something else."""
    rng, task = client.rng, client.rng.choice(TASKS)
    files = uploads(client, task)
    name, data = files["media"]
    which = rng.randrange(5)
    if which == 0:
        files["media"] = (name, data[: rng.randrange(len(data))])
    elif which == 1:
        files["media"] = (name, bent(data, rng, 400))
    elif which == 2:
        files["media"] = (name, bent(data, rng))
    elif which == 3:
        files["media"] = (
            name,
            rng.choice((b"", b"PK\3\4", b"GIF", b"\0\0\0\0")) + rng.randbytes(99),
        )
    elif "subtitles" in files:
        what, text = files["subtitles"]
        files["subtitles"] = (
            what,
            bent(text, rng) if rng.random() < 0.7 else text[: len(text) // 2],
        )
    status, body = client.send(task, files)
    if status == 202:
        client.ended(json.loads(body)["id"])


def frames(client: Client) -> None:
    """Skeleton frames that are no JSON, or no frames."""
    good_ = client.files.frames
    nan = [[[float("nan")] * 3] * 76] * 3
    bad: Any = client.rng.choice(
        [
            {**good_, "points": nan}, {**good_, "fps": float("nan")}, {**good_, "fps": 1e9},
            {**good_, "confidence": [[float("inf")] * 76]}, {**good_, "points": [[[1e300] * 3] * 76]},
            {**good_, "layout": "ps77"}, {**good_, "size": "big"}, {**good_, "points": [[1], 2]},
            {**good_, "id": "x" * 100_000}, {**good_, "origin": 3}, {**good_, "points": {"a": 1}}, [],
        ]
    )  # fmt: skip
    data = client.rng.choice(
        [json.dumps(bad).encode(), b"{" * 50_000, b'{"layout":', b"{\xff\xfe}"]
    )
    status, body = client.send("segment", {"media": ("a.json", data)})
    if status == 202:
        client.ended(json.loads(body)["id"])


def forms(client: Client) -> None:
    """Fields that are missing, wrong, doubled or endless; forms that are none."""
    rng = client.rng
    which, task = rng.randrange(5), rng.choice(TASKS)
    if which == 0:
        field_ = rng.choice(
            ("beam", "top", "alternatives", "offset", "locked", "signer_box", "model")
        )
        value = rng.choice(
            ("", "-1", "nan", "1e999", "[{", "x" * 100_000, "\0", "../../etc/passwd", "ü")
        )
        client.send(task, uploads(client, task), {field_: value})
    elif which == 1:
        names = (
            "x" * 20_000,
            "../../../etc/passwd",
            "a\r\nb",
            "\0",
            "‮lmth.pose",
            "a/" * 500,
            '"; x="',
        )
        client.send(task, {"media": (rng.choice(names), client.files.pose)})
    elif which == 2:
        body = rng.choice((b"", b"--", rng.randbytes(300), b"----soak\r\n" * 500))
        kind = rng.choice(
            ("multipart/form-data; boundary=--soak", "multipart/form-data", "a/b", "text/plain")
        )
        client.ask("POST", f"/v1/{task}", body, content_type=kind)
    elif which == 3:
        client.send(task, {f"f{k}": ("a", b"a") for k in range(200)})
    else:
        client.send(task, {}, {f"f{k}": "a" * 50 for k in range(1500)})


def strangers(client: Client) -> None:
    """Wrong tokens, other sites, wrong names."""
    path = client.rng.choice(
        ("/v1/models", "/v1/server", "/", "/metrics", "/v1/jobs/x", "/static/studio.js")
    )
    wrong = client.rng.choice(
        [
            {"authorization": "Bearer wrong"}, {"authorization": ""}, {"authorization": "Basic eDp5"},
            {"authorization": "Bearer " + "x" * 10_000}, {"authorization": "", "cookie": "signloom_token="},
            {"authorization": "", "cookie": "a=\x01;;=;signloom_token"}, {"origin": "http://elsewhere.example"},
            {"host": "elsewhere.example"}, {"host": "[bad"}, {"sec_fetch_site": "cross-site"},
        ]
    )  # fmt: skip
    status, body = client.ask("GET", path, **wrong)
    client.must(status, [400, 401, 403], body)


def nowhere(client: Client) -> None:
    """Jobs, pages and methods that there are not."""
    rng = client.rng
    id = rng.choice((rng.randbytes(8).hex(), "x" * 5000, "%00", "..%2f..", "%ff"))
    job = f"/v1/jobs/{id}"
    path = rng.choice((job, f"{job}/events", f"{job}/result", f"/v1/models/{id}/card", *NOWHERE))
    status, body = client.ask(rng.choice(("GET", "GET", "DELETE", "PUT", "POST", "PATCH")), path)
    client.must(status, [401, 404, 405], body)


def large(client: Client) -> None:
    """More than the server takes, said beforehand or not."""
    if client.rng.random() < 0.5:
        status, body = client.ask("POST", "/v1/segment", b"x" * 64, content_length=str(10 << 30))
    else:
        pieces = [b"x" * (256 << 10)] * (4 * MIB + 1)
        status, body = client.ask(
            "POST", "/v1/segment", iter(pieces), content_type="multipart/form-data; boundary=--soak"
        )
    if status:
        client.must(status, [400, 413], body)


def torn(client: Client) -> None:
    """Uploads that end in the middle, and such as creep; bytes that are no HTTP."""
    rng, (kind, body) = client.rng, multipart(uploads(client, "segment"), {})
    head = (
        f"POST /v1/segment HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n"
        f"content-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", client.port), timeout=120) as link:
        which = rng.randrange(3)
        if which == 0:
            link.sendall(head + body[: rng.randrange(len(body))])
        elif which == 1:
            link.sendall(head)
            for at in range(0, 3000, 1000):
                link.sendall(body[at : at + 1000])
                time.sleep(0.05)
        else:
            link.sendall(
                rng.choice(
                    (rng.randbytes(200) + b"\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\r\n" * 99)
                )
            )
            link.settimeout(2)
            try:
                answered = re.match(rb"HTTP/1.1 (\d+)", link.recv(4096))
            except (TimeoutError, ConnectionError):
                answered = None
            return client.note(int(answered[1]) if answered else "dropped")
        if rng.random() < 0.5:  # gone without a word
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.note("dropped")


def rubbish(client: Client) -> None:
    """WebSockets that say nonsense, or nothing, or go away."""
    rng = client.rng
    hello = {"task": "translate", "layout": "ps76", "fps": 25, "allow_simulated": True}
    first = json.dumps(hello)
    frame = np.zeros((1, 76, 4), "<f4")
    nan = np.full_like(frame, np.nan).tobytes()
    huge = np.full_like(frame, 1e30).tobytes()
    said = rng.choice(
        [
            ["hello"], [b"\0"], ["{" * 5000], [json.dumps(hello | {"fps": 1e9})], [first, nan], [first, huge],
            [json.dumps(hello | {"layout": "none"})], [first, b"abc"], [first, "stop"], [first, bytes(1_500_000)],
            [json.dumps(hello | {"task": "glosses"})], [json.dumps(hello | {"model": "x" * 9000})],
            [first, frame.tobytes(), None], [first, None], [None], [json.dumps(hello | {"provisional": 0.1})],
        ]
    )  # fmt: skip
    converse(client, said, token="wrong" if rng.random() < 0.1 else TOKEN)


def converse(client: Client, said: Sequence[str | bytes | None], token: str = TOKEN) -> Status:
    """The code with which a WebSocket closes when all is said; None: the client goes away."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.sync.client import connect

    address, code = f"ws://127.0.0.1:{client.port}/v1/live", 0
    keys = {"Authorization": f"Bearer {token}"}
    try:
        with connect(address, additional_headers=keys, max_size=None, compression=None) as link:
            for message in said:
                if message is None:
                    client.note("dropped")
                    return "dropped"
                link.send(message)
            while True:
                link.recv(timeout=60)
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
    except (InvalidHandshake, OSError, TimeoutError):
        client.note("dropped")
        return "dropped"
    client.note(code)
    return code


def videos(client: Client) -> None:
    """Videos that are none inside: the process that decodes says so."""
    data = b"\0\0\0\x18ftypmp42" + client.rng.randbytes(200)
    status, body = client.send("segment", {"media": ("a.mp4", data)})
    client.must(status, [422], body)


KINDS: dict[Callable[[Client], None], float] = {
    good: 12, cancelled: 5, looked: 12, exported: 8, lived: 1,
    damaged: 18, frames: 8, forms: 10, strangers: 10, nowhere: 10, large: 1.5, torn: 6, rubbish: 7, videos: 0.1,
}  # fmt: skip
"""What is sent, and how often, as weights."""


# --- the server ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """What the server's process holds: resident memory, threads, descriptors, files of its own."""

    kib: float
    threads: int
    descriptors: int
    files: int

    @classmethod
    def of(cls, process: int, folder: Path) -> Kept:
        """The median of some readings, taken when nothing has been asked for a while."""
        time.sleep(SETTLED)
        kib = []
        for _ in range(READINGS):
            status = Path(f"/proc/{process}/status").read_text()
            kib.append(int(re.findall(r"VmRSS:\s+(\d+)", status)[0]))
            time.sleep(0.2)
        threads = int(re.findall(r"Threads:\s+(\d+)", status)[0])
        left = sum(path.is_file() for path in folder.rglob("*"))
        return cls(statistics.median(kib), threads, len(os.listdir(f"/proc/{process}/fd")), left)


@contextmanager
def serving(folder: str, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """`signloom serve` with the bundled models and TOKEN, and its port; what it complains of is in folder/log."""
    with Path(folder, "log").open("w") as errors:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "signloom.cli.main", "serve", "--port", "0"),
                *("--token", TOKEN, *options),
            ],
            stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | {"TMPDIR": folder},
        )  # fmt: skip
    try:
        assert server.stdout is not None
        yield server, int(re.findall(r":(\d+)/", server.stdout.readline())[0])
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


def flooded(
    port: int, files: Files, requests: int, clients: int, seed: int
) -> tuple[Counter[tuple[str, Status]], list[str]]:
    """Sends that many requests, or a few more; what came of them, and what was wrong."""
    crew = [Client(port, files, random.Random(f"{seed} {k}")) for k in range(clients)]
    kinds, weights = list(KINDS), list(KINDS.values())

    def go(client: Client) -> None:
        while client.told.total() < requests / clients:
            kind = client.rng.choices(kinds, weights)[0]
            client.kind = kind.__name__
            try:
                kind(client)
            except Exception as error:  # of this program or of the server: looked at by who runs it
                client.faults.append(f"{client.kind}: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=go, args=(client,)) for client in crew]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told: Counter[tuple[str, Status]] = Counter()
    for client in crew:
        told += client.told
    return told, [fault for client in crew for fault in client.faults]


def measure(requests: int, warm_up: int, clients: int, seed: int) -> dict[str, Any]:
    """Everything, of one server from its start to its end."""
    files = Files.made()
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        with serving(folder, "--keep", str(KEEP), "--max-mib", str(MIB)) as (server, port):
            _, early = flooded(port, files, warm_up, clients, seed)
            before = Kept.of(server.pid, kept)
            began = time.monotonic()
            told, faults = flooded(port, files, requests, clients, seed + 1)
            took = time.monotonic() - began
            after = Kept.of(server.pid, kept)
            alive = server.poll() is None
        said = (kept / "log").read_text()
    by_kind: dict[str, dict[str, int]] = {}
    for (kind, status), count in sorted(told.items(), key=str):
        by_kind.setdefault(kind, {})[str(status)] = count
    statuses: Counter[str] = Counter()
    for (_, status), count in told.items():
        statuses[str(status)] += count
    return {
        "requests": told.total(),
        "warm_up": warm_up,
        "clients": clients,
        "seed": seed,
        "seconds": round(took, 1),
        "by_kind": by_kind,
        "by_status": dict(sorted(statuses.items())),
        "status_500_and_above": sum(
            count
            for (_, status), count in told.items()
            if isinstance(status, int) and (500 <= status < 1000 or status == 4500)
        ),
        "faults": early + faults,
        "tracebacks": said.count("Traceback"),
        "log": said[:2000],
        "alive": alive,
        "before": vars(before),
        "after": vars(after),
        "growth": round(after.kib / before.kib - 1, 5),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("-n", "--requests", type=int, default=10_000, help="(10000)")
    parser.add_argument("--warm-up", type=int, default=3_000, help="requests before (3000)")
    parser.add_argument("--clients", type=int, default=4, help="at once (4)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    asked = parser.parse_args(arguments)
    made_at = commit()  # files may change while it runs
    found = measure(asked.requests, asked.warm_up, asked.clients, asked.seed)
    print(json.dumps({k: v for k, v in found.items() if k not in ("faults", "log")}, indent=1))
    for fault in found["faults"][:20]:
        print(f"fault: {fault}")
    if found["log"]:
        print(found["log"])
    if asked.out:
        record = {"commit": made_at, "hardware": hardware(), **found}
        with writing(asked.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
    good_ = found["alive"] and not found["faults"] and not found["tracebacks"]
    return 0 if good_ and not found["status_500_and_above"] else 1


if __name__ == "__main__":
    sys.exit(main())
