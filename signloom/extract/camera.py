"""A camera to a clip that goes on: each picture is looked at as it comes, and kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from signloom.data.clip import Origin, PoseClip
from signloom.data.timing import Seconds
from signloom.errors import MediaError, UsageError
from signloom.extract.holistic import PARTS, Extractor, HolisticExtractor
from signloom.extract.process import require
from signloom.extract.video import Rgb

FPS = 25.0
DEVICES = Path("/dev")


def camera_slices(
    number: int, parts: Sequence[str] = PARTS, fps: float = FPS
) -> Iterator[PoseClip]:
    """What camera ``number`` (video4linux: /dev/videoN) shows from now on, until it is taken away.

    Raises UsageError where there is no such camera, MediaError where it cannot be read, and
    MissingExtraError without the 'extract' extra.
    """
    require("av", "mediapipe")
    device = DEVICES / f"video{number}"
    if not device.exists():
        there = sorted(path.name[5:] for path in DEVICES.glob("video[0-9]*"))
        known = f"there are cameras {', '.join(there)}" if there else "there is none here"
        raise UsageError(
            f"there is no camera {number} ({device}), {known}; connect one, or give a video or .pose file"
        )
    extractor = HolisticExtractor(tuple(parts))
    try:
        yield from watched(_pictures(device), extractor, fps)
    finally:
        extractor.close()


def watched(
    pictures: Iterable[tuple[Seconds, Rgb]], extractor: Extractor, fps: float
) -> Iterator[PoseClip]:
    """A slice a picture, ``fps`` frames a second: frames that no picture came for take the next one.

    pictures: (seconds, RGB) in order of time; what comes faster than ``fps`` is not looked at.
    """
    first: Seconds | None = None
    done = 0
    for time, rgb in pictures:
        first = time if first is None else first
        count = int((time - first) * fps + 1e-6) + 1 - done
        if count < 1:
            continue
        done += count
        ((points, confidence),) = extractor.extract([rgb])
        origin = Origin(extractor.name, extractor.version, {**extractor.settings, "fps": fps})
        size = (rgb.shape[1], rgb.shape[0])
        held = np.repeat(points[None], count, 0), np.repeat(confidence[None], count, 0)
        yield PoseClip(*held, fps, extractor.layout, "camera", origin, size)


def _pictures(device: Path) -> Iterator[tuple[Seconds, Rgb]]:
    import av

    try:
        with av.open(str(device), format="v4l2") as container:
            for frame in container.decode(video=0):
                yield (
                    float(frame.time or 0.0),
                    frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False),
                )
    except av.error.FFmpegError as error:
        raise MediaError(
            f"{device} cannot be read ({error.strerror}); is it a camera, and used by no other program?"
        ) from None
