"""What a video file holds, and its pictures, each at the time it is shown.

``probe`` is for everybody: it looks at the file from a limited child process.
``inspect``, ``decoded``, ``frames`` and ``nearest`` run inside such a process
(extract/worker.py); nothing else in signloom decodes a file it was handed.

One clock: a video's frames come at the times the file says (presentation
timestamps), often uneven. A clip has a constant rate, so ticks are laid over
that time, and each tick takes the frame nearest to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from signloom.data.timing import Seconds, Span, round_half_up
from signloom.errors import MediaError, OverLimitError

CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,gif,avi,mpegts"
"""The containers that are read; playlists and anything that points elsewhere are not."""

COMMON_RATES = (
    *(24000 / 1001, 24.0, 25.0, 30000 / 1001, 30.0, 50.0, 60000 / 1001, 60.0),
    *(10.0, 12.0, 12.5, 15.0, 20.0),
)
RUN_UP: Seconds = 2.0
"""How far before the wanted time decoding starts, so that its first pictures are whole."""

Rgb = NDArray[np.uint8]
T = TypeVar("T")


@dataclass(frozen=True)
class Limits:
    """What one file may cost before it is refused."""

    seconds: Seconds = 7200.0
    frames: int = 864_000
    pixels: int = 4096 * 2304
    """Width × height of one picture."""
    memory: int = 4 << 30
    """Bytes of address space of the process that decodes."""
    silence: Seconds = 120.0
    """Wall-clock seconds without a finished frame before the process is ended."""


@dataclass(frozen=True)
class VideoInfo:
    """What a video holds, as it is shown (rotation applied).

    fps: ticks a second of the clip that is made from it.
    frames: ticks from ``start`` on; duration: the same in seconds.
    rotation: degrees counter-clockwise that were needed to show it upright.
    variable: the file's own frames come at uneven times.
    start: when the first tick is, in the file's own time.
    lead: ticks before the first picture (a stream that starts late); they stay empty.
    """

    width: int
    height: int
    fps: float
    duration: Seconds
    frames: int
    rotation: int
    codec: str
    variable: bool = False
    start: Seconds = 0.0
    lead: int = 0

    def time(self, tick: int) -> Seconds:
        """When a tick is, in the file's own time."""
        return self.start + tick / self.fps

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def probe(path: str | os.PathLike[str], limits: Limits = Limits()) -> VideoInfo:
    """What the video at ``path`` holds, read in a limited child process.

    Raises MediaError (missing, folder, empty, no video, truncated), OverLimitError (too long or
    large) and MissingExtraError without the 'extract' extra.
    """
    from signloom.extract.process import Process, require

    require("av")
    check_file(path)
    with Process(limits) as process:
        answer, _ = process.ask({"do": "inspect", "path": os.path.abspath(path)}, Path(path))
    return VideoInfo(**answer)


def check_file(path: str | os.PathLike[str]) -> None:
    """Raises MediaError unless ``path`` is a file with something in it."""
    file = Path(path)
    if file.is_dir():
        raise MediaError(
            f"{file} is a folder, expected a video file; give its files ({file}/*.mp4)"
        )
    if not file.exists():
        raise MediaError(f"{file} does not exist, expected a video file; check the name")
    if file.stat().st_size == 0:
        raise MediaError(f"{file} is empty (0 bytes), expected a video; copy or download it again")


# ---- inside the limited process; messages are what follows the file's name ----


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """The container and its video stream; only local files, only known containers."""
    import av

    try:
        container = av.open(
            path,
            container_options={"protocol_whitelist": "file", "format_whitelist": CONTAINERS},
        )
    except av.error.FFmpegError as error:
        raise MediaError(_unreadable(path)) from error
    with container:
        if not container.streams.video:
            raise MediaError("has no video stream, expected pictures; is it a sound file?")
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        yield container, stream


def _unreadable(path: str) -> str:
    with open(path, "rb") as file:
        head = file.read(4096)
    if b"ftyp" in head[:16] or head[:4] == b"\x1aE\xdf\xa3" or head[:4] == b"GIF8":
        return (
            "is a truncated or damaged video: its index cannot be read, so nothing of it can; "
            "copy or download it again"
        )
    kind = "text" if head.isascii() else "an unknown kind of data"
    return (
        f"is no video that can be read (it holds {kind}), expected mp4, mov, webm, mkv, avi or gif; "
        "a pose file ends in .pose"
    )


def inspect(path: str, limits: Limits = Limits()) -> VideoInfo:
    """What the file holds, from all its packets and its first picture.

    Raises MediaError (a predicate, without the file's name).
    """
    with opened(path) as (container, stream):
        width, height = stream.codec_context.width, stream.codec_context.height
        _check_pixels(width, height, limits)
        unit = float(stream.time_base)
        stamps, packets = _timestamps(container, stream, limits)
        if len(stamps) == 0:
            raise MediaError("holds no frame, expected at least one; copy or download it again")
        times = stamps.astype(np.float64) * unit
        declared_rate = float(stream.average_rate) if stream.average_rate else None
        fps, variable = rate_of(times, unit, declared_rate)
        _check_whole(container, stream, packets, times, fps)
        # Sound may start before the pictures do; players count from whichever is first.
        zero = (container.start_time or 0) / 1e6
        lead = max(int((times[0] - zero) * fps + 1e-3), 0)
        ticks = lead + round_half_up((times[-1] - times[0]) * fps) + 1
        codec = stream.codec_context.name
        if ticks > limits.frames or ticks / fps > limits.seconds:
            raise OverLimitError(
                f"is too long: {ticks / fps:.0f} s ({ticks} frames), expected at most "
                f"{limits.seconds:.0f} s and {limits.frames} frames; cut it or raise --max-seconds"
            )
    _, first = next(decoded(path, float(times[0]), limits), (0.0, None))
    if first is None:
        raise MediaError(f"cannot be decoded: none of its {ticks} frames is whole")
    rotation = int(first.rotation) % 360
    if rotation % 180:
        width, height = height, width
    start = float(times[0]) - lead / fps
    return VideoInfo(width, height, fps, ticks / fps, ticks, rotation, codec, variable, start, lead)


def _check_pixels(width: int, height: int, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise OverLimitError(
            f"is too large: {width}×{height} pixels, expected at most {limits.pixels} a picture; "
            "scale it down"
        )


def _timestamps(container: Any, stream: Any, limits: Limits) -> tuple[NDArray[np.int64], int]:
    """Sorted timestamps of the frames that are shown, and the number of packets."""
    import av

    stamps: list[int] = []
    packets = 0
    try:
        for packet in container.demux(stream):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or packet.is_corrupt:
                continue
            packets += 1
            if packets > limits.frames:
                raise OverLimitError(f"has more than {limits.frames} frames; cut it into parts")
            if not packet.is_discard:
                stamps.append(stamp)
    except av.error.FFmpegError:
        pass  # cut off here: what is there is compared with what was declared
    return np.unique(np.array(stamps, np.int64)), packets


def _check_whole(
    container: Any, stream: Any, packets: int, times: NDArray[np.float64], fps: float
) -> None:
    """Raises MediaError where the file declares more than it holds."""
    seen = float(times[-1] - times[0]) + 1 / fps
    declared = float(stream.duration * stream.time_base) if stream.duration else 0.0
    if not declared and len(container.streams) == 1:
        declared = (container.duration or 0) / 1e6
    if stream.frames:
        cut = packets < stream.frames
        declared = max(declared, stream.frames / fps)
    else:
        cut = seen < declared - max(0.25, 5 / fps)
    if container.format.name == "gif" and not _ends_as_gif(container.name):
        raise MediaError(
            f"is truncated: {seen:.1f} s of it are there, but not its end; copy or download it again"
        )
    if cut:
        raise MediaError(
            f"is truncated: {seen:.1f} s of the declared {declared:.1f} s are there; "
            "copy or download it again"
        )


def _ends_as_gif(path: str) -> bool:
    """Whether the last byte (but for padding) is a gif's trailer."""
    with open(path, "rb") as file:
        file.seek(max(os.path.getsize(path) - 1024, 0))
        return file.read().rstrip(b"\0\r\n").endswith(b";")


def rate_of(
    times: NDArray[np.float64], unit: Seconds, declared: float | None = None
) -> tuple[float, bool]:
    """(frames a second, whether they come unevenly) of sorted timestamps in seconds.

    unit: the step of the file's clock, by which a timestamp may be rounded.
    Even times give their exact rate (30000/1001 stays that); uneven times the
    nearest whole number to their average rate.
    """
    if len(times) < 2:
        return (declared if declared and 1 <= declared <= 240 else 25.0), False
    gaps = np.diff(times)
    length = float(times[-1] - times[0])
    average = len(gaps) / length
    typical = float(np.median(gaps))
    if np.abs(gaps - typical).max() > max(1.5 * unit, 0.02 * typical):
        return float(max(round(average), 1)), True
    for rate in (declared, *COMMON_RATES):
        if rate and abs(rate / average - 1) <= 1.5 * unit / length + 2e-4:
            return float(rate), False
    return round(average, 3), False


def decoded(path: str, start: Seconds, limits: Limits = Limits()) -> Iterator[tuple[Seconds, Any]]:
    """(time in the file, PyAV frame) from a little before ``start`` to the end, in order shown.

    Raises MediaError where the file is damaged.
    """
    import av

    with opened(path) as (container, stream):
        if container.format.name != "gif" and start > RUN_UP:
            container.seek(int((start - RUN_UP) * 1e6), backward=True)
        unit = float(stream.time_base)
        last = None
        try:
            for frame in container.decode(stream):
                if frame.pts is None:
                    continue
                _check_pixels(frame.width, frame.height, limits)
                last = frame.pts * unit
                yield last, frame
        except av.error.FFmpegError as error:
            until = "its first frame" if last is None else f"{last:.1f} s"
            raise MediaError(
                f"is damaged: it can be decoded only up to {until} ({error.strerror}); "
                "copy or download it again"
            ) from error


def nearest(
    frames: Iterator[tuple[Seconds, T]], times: Iterable[Seconds]
) -> Iterator[tuple[Seconds, T]]:
    """For each of the rising ``times`` the frame nearest to it (the later one at a draw)."""
    current = next(frames, None)
    upcoming = next(frames, None)
    for time in times:
        if current is None:
            return
        while upcoming is not None and abs(upcoming[0] - time) <= abs(current[0] - time) + 1e-9:
            current, upcoming = upcoming, next(frames, None)
        yield current


def scaled(width: int, height: int, side: int | None) -> tuple[int, int]:
    """(width, height) with the shorter side at most ``side``; None = as they are."""
    if side is None or min(width, height) <= side:
        return width, height
    ratio = side / min(width, height)
    return round(width * ratio), round(height * ratio)


class Upright:
    """PyAV frame → RGB as it is shown, uint8 (height, width, 3); one reformatter for all frames.

    side: as in `scaled`.
    """

    def __init__(self, info: VideoInfo, side: int | None = None):
        from av.video.reformatter import VideoReformatter

        turned = info.rotation % 180 != 0
        width, height = scaled(info.width, info.height, side)
        self.size = (height, width) if turned else (width, height)
        self.turns = info.rotation // 90
        self.reformatter = VideoReformatter()

    def __call__(self, frame: Any) -> Rgb:
        width, height = self.size
        rgb = self.reformatter.reformat(frame, width=width, height=height, format="rgb24")
        return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), self.turns))


def frames(
    path: str,
    span: Span | None = None,
    info: VideoInfo | None = None,
    limits: Limits = Limits(),
    side: int | None = None,
) -> Iterator[tuple[Seconds, Rgb]]:
    """(seconds, RGB uint8 (height, width, 3)) at every tick of the clip, or those inside ``span``.

    Seconds count from the clip's first tick. side: as in `scaled`. Raises MediaError where the file
    is damaged or ends before the span does.
    """
    info = info or inspect(path, limits)
    first, last = (0, info.frames) if span is None else span.frames(info.fps, info.frames)
    first = max(first, info.lead)
    if first >= last:
        return
    times = [info.time(tick) for tick in range(first, last)]
    upright = Upright(info, side)
    held = None
    tick = first
    for time, frame in nearest(decoded(path, times[0], limits), times):
        if held is None or held[0] != time:
            held = (time, upright(frame))
        yield tick / info.fps, held[1]
        tick += 1
    if held is None:
        raise MediaError(f"cannot be decoded from {first / info.fps:.1f} s on")
    # Beyond a hold of the last picture, frames that were promised did not come.
    missing = times[-1] - held[0]
    if missing > max(1.0, 5 / info.fps):
        raise MediaError(
            f"is truncated: {times[-1] - missing - info.start:.1f} s of the declared "
            f"{info.duration:.1f} s can be decoded; copy or download it again"
        )
