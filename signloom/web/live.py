"""Live signing over a WebSocket: skeleton frames in, growing text out. The contract is in docs/studio.md."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import Layout, layout_named
from signloom.errors import SignloomError
from signloom.inference.stream import Live, Said, live
from signloom.web.limits import Limits, Refusal, refusal
from signloom.web.models import Held, Models
from signloom.web.work import refuse_simulated

HELLO = 10.0
"""Seconds that the first message may take."""
SOONEST = 0.5
"""Provisional texts come no oftener, seconds."""
FARTHEST = 1e6
"""No coordinate is larger."""
CLOSE = 4000
"""A refusal closes with this and the status that HTTP would have."""
END = '{"type": "end"}'

Side = Annotated[int, Field(ge=1, le=65535)]


class Made(BaseModel):
    """Who made the frames."""

    model_config = ConfigDict(extra="forbid")
    extractor: str = "unknown"
    version: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)


class Opening(BaseModel):
    """The client's first message."""

    model_config = ConfigDict(extra="forbid")
    task: Literal["translate", "glosses"]
    layout: str
    fps: float = Field(ge=5, le=120)
    size: tuple[Side, Side] = (1, 1)
    model: str | None = None
    provisional: float = Field(default=2.0, ge=0, le=60)
    beam: int | None = Field(default=None, ge=1, le=32)
    origin: Made = Made()
    allow_simulated: bool = False


class Sessions:
    """How many streams there are, of everybody and of each client."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self._clients: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._clients.total()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Raises Refusal (429) where there are enough already."""
        with self._lock:
            own, all_ = self._clients[client], len(self)
            if all_ >= self.limits.streams or own >= self.limits.client_streams:
                raise Refusal(
                    429,
                    "busy",
                    f"you have {own} live streams of at most {self.limits.client_streams}, everybody "
                    f"{all_} of {self.limits.streams}; close one, or come back later",
                )
            self._clients[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._clients[client] -= 1


@dataclass(frozen=True)
class Frames:
    """What a stream's binary messages mean: layout, rate and origin of every piece."""

    layout: Layout
    fps: float
    size: tuple[int, int]
    origin: Origin

    @property
    def width(self) -> int:
        """Bytes of one frame: x, y, z and confidence of every keypoint, float32."""
        return 16 * len(self.layout)

    def clip(self, data: bytes) -> PoseClip:
        """The frames of one message. Raises Refusal (422)."""
        if not data or len(data) % self.width:
            raise Refusal(
                422,
                "request",
                f"a message has {len(data)} bytes, expected whole frames of {self.width}: "
                f"{len(self.layout)} keypoints of '{self.layout.name}' × x, y, z, confidence as "
                "little-endian float32",
            )
        values = np.frombuffer(data, "<f4").reshape(-1, len(self.layout), 4).astype(np.float32)
        if not np.isfinite(values).all():
            frame, keypoint, _ = (int(at) for at in np.argwhere(~np.isfinite(values))[0])
            raise Refusal(
                422,
                "request",
                f"frame {frame} of a message has no finite number at keypoint {keypoint} "
                f"({self.layout.keypoints[keypoint]}); give a keypoint that was not found confidence 0 "
                "and coordinates 0",
            )
        points, confidence = values[..., :3], values[..., 3]
        points[confidence <= 0] = 0
        if len(points) and np.abs(points).max() > FARTHEST:
            raise Refusal(
                422,
                "request",
                f"a coordinate is {np.abs(points).max():.3g}, expected at most {FARTHEST:.0e}; give "
                "them in the units of size",
            )
        return PoseClip(points, confidence, self.fps, self.layout, "live", self.origin, self.size)


async def converse(
    socket: WebSocket,
    models: Models,
    limits: Limits,
    sessions: Sessions,
    refused: Callable[[int], None],
) -> None:
    """One stream, from the client's first message to the close; whatever goes wrong is told.

    refused: hears the status of what is.
    """
    await socket.accept()
    client = socket.client.host if socket.client else "unknown"
    try:
        with sessions.one(client):
            await _stream(socket, models, limits)
        return
    except WebSocketDisconnect:
        return
    except Refusal as error:
        why = error
    except SignloomError as error:
        why = refusal(error)
    except Exception as error:
        why = Refusal(500, "failed", f"an unexpected error: {type(error).__name__}")
    refused(why.status)
    await close_refused(socket, why)


async def close_refused(socket: WebSocket, refused: Refusal) -> None:
    """Says why, and closes with 4000 + the status."""
    if socket.client_state is not WebSocketState.CONNECTED:
        return
    try:
        await socket.send_json({"type": "error", "kind": refused.kind, "detail": refused.detail})
        await socket.close(CLOSE + refused.status, refused.kind)
    except (WebSocketDisconnect, RuntimeError):  # it has gone meanwhile
        return


async def _stream(socket: WebSocket, models: Models, limits: Limits) -> None:
    """Raises Refusal, SignloomError, WebSocketDisconnect."""
    first = await _message(socket, HELLO, limits)
    if not isinstance(first, str):
        raise Refusal(422, "request", f"the first message is binary, expected {_EXAMPLE}")
    asked = _opening(first)
    held = models.for_live(asked.task, asked.model)
    made = Origin(asked.origin.extractor, asked.origin.version, asked.origin.settings)
    frames = Frames(layout_named(asked.layout), asked.fps, asked.size, made)
    session = live(
        held.model,
        asked.task,
        frames.layout,
        asked.fps,
        beam=asked.beam,
        provisional=asked.provisional,
        translate=lambda clip, before: (
            held.batches.translate(clip, asked.beam, previous=before).text
        ),
    )
    refuse_simulated(held, frames.origin.simulated, asked.allow_simulated, "this stream")
    await socket.send_json(_ready(asked, held, frames, session, limits))
    began, count = time.monotonic(), 0
    while True:
        message = await _message(socket, limits.stream_idle, limits)
        arrived = time.monotonic()
        if isinstance(message, str):
            _refuse_unless_end(message)
            break
        clip = frames.clip(message)
        count += len(clip)
        most = limits.stream_seconds
        if count / asked.fps > most or arrived - began > most:
            raise Refusal(
                413, "too-large", f"this stream is longer than {most:.0f} s; begin another"
            )
        await _tell(socket, await run_in_threadpool(session.push, clip), arrived)
    await _tell(socket, await run_in_threadpool(session.finish), arrived)
    await socket.send_json(
        {"type": "closed", "frames": count, "seconds": round(count / asked.fps, 3)}
    )
    await socket.close(1000)


async def _message(socket: WebSocket, seconds: float, limits: Limits) -> str | bytes:
    """The next message. Raises Refusal (408, 413), WebSocketDisconnect."""
    try:
        got = await asyncio.wait_for(socket.receive(), seconds)
    except TimeoutError:
        raise Refusal(
            408, "stalled", f"nothing came for {seconds:.0f} s; open the stream again"
        ) from None
    if got["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(got.get("code", 1005))
    text = got.get("text")
    message: str | bytes = got["bytes"] if text is None else text
    if len(message) > limits.message_bytes:
        raise Refusal(
            413,
            "too-large",
            f"a message has {len(message):,} bytes, expected at most {limits.message_bytes:,}; send "
            "fewer frames at once",
        )
    return message


_EXAMPLE = '{"task": "translate", "layout": "mp203", "fps": 25}'


def _opening(text: str) -> Opening:
    """Raises Refusal (422)."""
    try:
        asked = Opening.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the first message"
        raise Refusal(
            422, "request", f"{where}: {first['msg']}; expected for example {_EXAMPLE}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refusal(
            422, "request", f"the first message is not JSON ({error}); expected {_EXAMPLE}"
        ) from None
    if 0 < asked.provisional < SOONEST:
        raise Refusal(
            422,
            "request",
            f"provisional is {asked.provisional:g}, expected 0 or at least {SOONEST:g} seconds",
        )
    return asked


def _refuse_unless_end(text: str) -> None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if said != {"type": "end"}:
        raise Refusal(
            422, "request", f"a text message came among the frames, expected binary ones, or {END}"
        )


def _ready(
    asked: Opening, held: Held, frames: Frames, session: Live, limits: Limits
) -> dict[str, Any]:
    return {
        "type": "ready",
        "task": asked.task,
        "model": held.name,
        "simulated_only": bool(held.model.simulated_only),
        "layout": frames.layout.name,
        "fps": asked.fps,
        "keypoints": len(frames.layout),
        "frame_bytes": frames.width,
        "message_bytes": limits.message_bytes,
        "look_ahead_s": round(session.look_ahead, 3),
        "longest_s": None if session.longest is None else round(session.longest, 3),
        "idle_s": limits.stream_idle,
        "most_s": limits.stream_seconds,
    }


async def _tell(socket: WebSocket, said: Sequence[Said], arrived: float) -> None:
    for each in said:
        message = each.to_json()
        if each.final:
            message["delay_s"] = round(time.monotonic() - arrived, 3)
        await socket.send_json(message)
