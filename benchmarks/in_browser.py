"""Skeletons taken in the browser beside those of `signloom extract`: python -m benchmarks.in_browser.

    python -m benchmarks.in_browser package VIDEO... -o results/in-browser.json

package: the unpacked npm package @mediapipe/holistic (docs/studio.md). The studio page runs in Debian's Chromium,
takes the skeleton of each video there and sends it; the same video goes through signloom.extract here. Beside
one another: the frames in which each finds a part, and the distance of its points where both do, in shoulder
widths. Every byte that arrives at the server is kept until the end, and looked through for any 32 bytes
in a row of the video. Chromium draws without a graphics card, so the models run on the processor in both.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import tempfile
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
from signloom.data.layouts import HOLISTIC
from signloom.errors import SignloomError
from signloom.extract.extraction import extract_clip
from signloom.pose.files import read_pose
from signloom.web.holistic import checked_folder
from signloom.web.limits import Limits
from signloom.web.models import Models
from signloom.web.server import build

CHROMIUM = "/usr/bin/chromium"
DRAWN = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
"""WebGL without a graphics card."""
PARTS = ("body", "face", "left_hand", "right_hand")
SEEN = 0.5
"""Confidence from which a point counts as found: body points are guessed outside the picture, too."""
PIECE = 32
PATIENCE = 1_200_000
"""Milliseconds that a video may take."""


class Arrived:
    """An application, and every body that came to it."""

    def __init__(self, app: Any):
        self.app = app
        self.bodies: list[tuple[str, bytearray]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        self.bodies.append((scope.get("path", ""), body))

        async def receiving() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, receiving, send)


@contextmanager
def served(arrived: Arrived) -> Iterator[str]:
    """The address at which the application is."""
    import uvicorn

    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(arrived, log_level="error", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listening.close()


def taken(page: Any, address: str, video: Path, folder: Path) -> tuple[PoseClip, float]:
    """The skeleton that the page takes of a video, and the seconds from Start to the result."""
    page.goto(address)
    page.wait_for_selector("#version:not(:empty)")
    page.check("#task-segment")
    page.set_input_files("#recording-input", video)
    began = time.monotonic()
    page.click("#begin")
    page.wait_for_selector("#work:not([hidden]), #refusal:not([hidden])")
    if page.is_visible("#refusal"):
        raise SystemExit(f"{video.name}: {page.inner_text('#refusal')}")
    took = time.monotonic() - began
    with page.expect_download() as download:
        page.click("[data-export=pose]")
    path = folder / f"{video.stem}.pose"
    download.value.save_as(path)
    return read_pose(path), took


def pieces_of(video: bytes, sent: bytes) -> int:
    """How many stretches of PIECE bytes in a row of the video are in what was sent."""
    known = {video[at : at + PIECE] for at in range(0, len(video) - PIECE, PIECE)}
    known = {piece for piece in known if len(set(piece)) > 2}  # runs of zeros are no video
    return sum(sent[at : at + PIECE] in known for at in range(len(sent) - PIECE))


def beside(here: PoseClip, there: PoseClip) -> dict[str, Any]:
    """The page's clip against that of `signloom extract`, part by part."""
    assert len(here) == len(there), (len(here), len(there))
    left, right = (HOLISTIC.index[f"POSE_LANDMARKS:{side}_SHOULDER"] for side in ("LEFT", "RIGHT"))
    shoulders = there.points[:, left, :2] - there.points[:, right, :2]
    width = float(np.median(np.linalg.norm(shoulders, axis=-1)))
    found: dict[str, Any] = {"shoulders_px": round(width, 1)}
    for part in PARTS:
        where = HOLISTIC.part(part)
        seen = [clip.confidence[:, where] > SEEN for clip in (here, there)]
        frames = [each.any(axis=1) for each in seen]
        apart = np.linalg.norm(here.points[:, where, :2] - there.points[:, where, :2], axis=-1)
        apart = apart[seen[0] & seen[1]] / width
        median, high = np.quantile(apart, [0.5, 0.95]) if len(apart) else (0.0, 0.0)
        found[part] = {
            "frames_browser": int(frames[0].sum()),
            "frames_extract": int(frames[1].sum()),
            "frames_both": int((frames[0] & frames[1]).sum()),
            "points": len(apart),
            "median": round(float(median), 4),
            "p95": round(float(high), 4),
        }
    return found


def measure(package: Path, videos: Sequence[Path]) -> list[dict[str, Any]]:
    """A row for each video."""
    from playwright.sync_api import sync_playwright

    arrived = Arrived(
        build(Models([]), Limits(), hosts=("127.0.0.1",), holistic=checked_folder(package))
    )
    rows = []
    with tempfile.TemporaryDirectory() as folder, served(arrived) as address:
        with sync_playwright() as running:
            browser = running.chromium.launch(
                executable_path=CHROMIUM, args=["--headless", "--no-sandbox", *DRAWN]
            )
            page = browser.new_page()
            page.set_default_timeout(PATIENCE)
            asked: list[str] = []
            page.on("request", lambda request: asked.append(request.url))
            for video in videos:
                arrived.bodies.clear()
                asked.clear()
                here, took = taken(page, address, video, Path(folder))
                sent = b"\n".join(bytes(body) for _, body in arrived.bodies)
                elsewhere = [u for u in asked if not u.startswith((address, "blob:", "data:"))]
                rows.append(
                    {
                        "video": video.name,
                        "video_bytes": video.stat().st_size,
                        "frames": len(here),
                        "fps": round(here.fps, 3),
                        "size": list(here.size),
                        "seconds_a_picture": round(took / len(here), 3),
                        "sent_bytes": len(sent),
                        "pieces_of_the_video_sent": pieces_of(video.read_bytes(), sent),
                        "requests_elsewhere": len(elsewhere),
                        "browser": browser.version,
                        "origin": here.origin.to_json(),
                        **beside(here, extract_clip(video)),
                    }
                )
                print(json.dumps(rows[-1]), flush=True)
            browser.close()
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.in_browser",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("package", type=Path, help="folder of the unpacked npm package")
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO")
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    asked = parser.parse_args(arguments)
    made_at = commit()  # files may change while it runs
    try:
        rows = measure(asked.package, asked.videos)
    except SignloomError as error:
        print(f"in_browser: {error}", file=sys.stderr)
        return error.exit_code
    for row in rows:
        print(
            f"{row['video']}: {row['frames']} pictures, {row['seconds_a_picture']:.2f} s each here"
        )
        for part in PARTS:
            of = row[part]
            print(
                f"    {part}: found in {of['frames_browser']} (browser), {of['frames_extract']} (extract), "
                f"{of['frames_both']} (both); apart {of['median']:.3f} shoulder widths (median), "
                f"{of['p95']:.3f} (95th percentile)"
            )
        print(
            f"    {row['pieces_of_the_video_sent']} pieces of the video among {row['sent_bytes']:,} bytes sent"
        )
    if asked.out:
        record = {"commit": made_at, "hardware": hardware(), "piece_bytes": PIECE, "videos": rows}
        with writing(asked.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
