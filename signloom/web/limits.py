"""What a request may cost, and how it is told that it costs too much or is wrong."""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass

from signloom.data.timing import Seconds
from signloom.errors import (
    MissingExtraError,
    OverLimitError,
    SignloomError,
    SubtitleError,
    UsageError,
)
from signloom.text.subtitles import MOST_BYTES, MOST_CUES


@dataclass(frozen=True)
class Limits:
    """What the server takes on; a request beyond it is refused before any work.

    bytes: of one request; seconds, pixels: of one recording (pixels: width × height of a picture).
    json_bytes: of skeleton frames written as JSON. queue: unfinished jobs of everybody; client: of
    one client. keep: how long a finished job's results stay, seconds. stall: how long an upload may
    pause. streams, client_streams: live at once, of everybody and of one client; stream_seconds: of
    frames and of time; stream_idle: without a frame; message_bytes: of one message.
    """

    bytes: int = 2 << 30
    seconds: Seconds = 10_800.0
    pixels: int = 4096 * 2304
    subtitle_bytes: int = MOST_BYTES
    cues: int = MOST_CUES
    json_bytes: int = 64 << 20
    queue: int = 32
    client: int = 4
    keep: Seconds = 900.0
    stall: Seconds = 60.0
    streams: int = 8
    client_streams: int = 2
    stream_seconds: Seconds = 3600.0
    stream_idle: Seconds = 30.0
    message_bytes: int = 1 << 20


class Refusal(Exception):
    """A request that is not served: its status, one word for programs, and the reason for people.

    kind: "too-large", "unsupported", "busy", "simulated-only", "no-signing", "media", "subtitles",
    "request", "missing-extra", "not-found", "not-finished", "token", "origin", "stalled",
    "cancelled", "failed".
    """

    def __init__(self, status: int, kind: str, detail: str):
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


FIELDS = (
    *("allow-simulated", "any-order", "beam", "max-shift", "min-duration", "model", "offset"),
    *("on-low", "overlap", "signer-box", "start-timecode", "tier", "top"),
)
_OPTION = re.compile(rf"--({'|'.join(FIELDS)})\b")


def over_http(text: str) -> str:
    """A sentence of the command line with the names of form fields for those of options.

    >>> over_http("sort the file, or pass --any-order")
    'sort the file, or pass any_order'
    """
    return _OPTION.sub(lambda found: found[1].replace("-", "_"), text)


def full(error: BaseException | None) -> Refusal | None:
    """What an error of this machine is over HTTP where its disk is full, else None."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refusal(
            507,
            "busy",
            "the server's disk is full, so nothing of this was kept; make room there, then send it again",
        )
    return None


def refusal(error: SignloomError, names: dict[str, str] | None = None) -> Refusal:
    """What an error of signloom is over HTTP; ``names`` gives paths of the server the user's names."""
    detail = over_http(str(error))
    for path, name in (names or {}).items():
        detail = detail.replace(path, name)
    if isinstance(error, OverLimitError):
        return Refusal(
            413, "too-large", detail.replace("; cut it or raise --max-seconds", "; cut it")
        )
    if isinstance(error, MissingExtraError):
        return Refusal(501, "missing-extra", detail)
    if isinstance(error, SubtitleError):
        return Refusal(422, "subtitles", detail)
    return Refusal(422, "request" if isinstance(error, UsageError) else "media", detail)
