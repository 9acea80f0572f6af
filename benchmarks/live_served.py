"""How many live streams a server holds: python -m benchmarks.live_served [--streams 8,16,24,32] [--seconds 30] [-o results/live-served.json]

A server in a process of its own, with the bundled translator and without the limit of eight streams; then so many streams of
translation at once, each a simulated episode at 25 frames a second of the clock on the wall, five frames a message,
with provisional texts every 2 s. A text's delay counts from when the server had the frames that made it certain
until the client has it: the stated look-ahead comes on top. A number of streams is held where 95 % of the
texts come within a second and none of the senders falls behind its clock by more than a second.
Clients and server share the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.timing import Seconds, Span
from signloom.simulator.episode import SimulatedEpisodes

ROOT = Path(__file__).parent.parent
PIECE = 5
"""Frames in a message."""
HELD: Seconds = 1.0
EPISODES = 4


def serve(listening: socket.socket) -> None:
    """The server of ``signloom serve``, for as many streams as come."""
    import torch
    import uvicorn

    from signloom.web.limits import Limits
    from signloom.web.models import Models
    from signloom.web.server import build

    torch.set_num_threads(1)
    limits = Limits(streams=1_000, client_streams=1_000)
    app = build(Models.loaded(("bundled",)), limits, hosts=("127.0.0.1",))
    config = uvicorn.Config(
        app,
        log_level="warning",
        lifespan="on",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def serving() -> Iterator[tuple[int, int]]:
    """(process id, port) of a server that has answered."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(listening,))
    process.start()
    try:
        yield int(process.pid or 0), int(listening.getsockname()[1])
    finally:
        process.terminate()
        process.join()
        listening.close()


def sent(port: int, clip: PoseClip, delays: list[float], behind: list[float]) -> None:
    """One live stream at the clip's own rate; notes when texts come, and how late its frames went."""
    from websockets.sync.client import connect

    opening = {
        "task": "translate", "layout": clip.layout.name, "fps": clip.fps, "size": clip.size,
        "origin": clip.origin.to_json(),
    }  # fmt: skip
    frames = np.concatenate([clip.points, clip.confidence[..., None]], -1).astype("<f4")
    with connect(
        f"ws://127.0.0.1:{port}/v1/live", max_size=None, open_timeout=120, compression=None
    ) as stream:
        stream.send(json.dumps(opening))
        assert json.loads(stream.recv())["type"] == "ready"
        began = time.monotonic()

        def feed() -> None:
            for first in range(0, len(frames), PIECE):
                due = began + (first + PIECE) / clip.fps
                time.sleep(max(due - time.monotonic(), 0))
                stream.send(frames[first : first + PIECE].tobytes())
                behind.append(time.monotonic() - due)
            stream.send('{"type": "end"}')

        feeding = threading.Thread(target=feed)
        feeding.start()
        while (told := json.loads(stream.recv()))["type"] != "closed":
            assert told["type"] != "error", told
            if told["type"] == "final":
                delays.append(float(told["delay_s"]))
        feeding.join()


def at_once(pid: int, port: int, clips: Sequence[PoseClip], streams: int) -> dict[str, Any]:
    """So many streams, their delays and what the server's process spent on them."""
    delays: list[float] = []
    behind: list[float] = []

    def spent() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    crew = [
        threading.Thread(target=sent, args=(port, clips[k % len(clips)], delays, behind))
        for k in range(streams)
    ]
    before = spent()
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    took = spent() - before
    seconds = sum(clips[k % len(clips)].duration for k in range(streams))
    median, high = np.quantile(delays, [0.5, 0.95])
    return {
        "streams": streams,
        "texts": len(delays),
        "delay_median": round(float(median), 3),
        "delay_p95": round(float(high), 3),
        "behind_most": round(max(behind), 3),
        "stream_seconds_a_processor_second": round(seconds / took, 2),
        "held": bool(high <= HELD and max(behind) <= HELD),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live_served",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--streams", default="8,16,24,32")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each stream (30)")
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    options = parser.parse_args(arguments)
    record: dict[str, Any] = {
        "commit": commit(ROOT), "hardware": hardware(), "simulated": True,
        "seconds": options.seconds, "processors": os.cpu_count(), "rows": [],
    }  # fmt: skip
    episodes = SimulatedEpisodes("small", "test")
    clips = [episodes[k].clip(Span(0.0, options.seconds)) for k in range(EPISODES)]
    with serving() as (pid, port):
        at_once(pid, port, [clips[0].frames(slice(0, 250))], 1)  # the first is slower
        for streams in map(int, options.streams.split(",")):
            record["rows"].append(at_once(pid, port, clips, streams))
            print(json.dumps(record["rows"][-1]), flush=True)
    if options.out:
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
