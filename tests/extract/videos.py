"""Videos made for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def person(height: int, width: int) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of somebody, filling its height in the middle."""
    from skimage import data
    from skimage.transform import resize

    square = resize(data.astronaut(), (height, height), anti_aliasing=True)
    picture = np.full((height, width, 3), 90, np.uint8)
    left = (width - height) // 2
    picture[:, left : left + height] = (square * 255).astype(np.uint8)
    return picture


def coded(numbers: Sequence[int], size: int = 64) -> list[NDArray[np.uint8]]:
    """Grey pictures whose brightness tells their number (up to 30)."""
    return [np.full((size, size, 3), 10 + 8 * n, np.uint8) for n in numbers]


def number_of(picture: NDArray[np.uint8]) -> int:
    return round((float(picture.mean()) - 10) / 8)


def write_video(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    rate: Fraction | int = 10,
    times: Sequence[float] | None = None,
    rotation: int = 0,
    faststart: bool = False,
) -> Path:
    """An mp4 (or what the ending says); ``times`` in seconds where they are uneven."""
    import av

    codec = {".gif": "gif", ".webm": "libvpx-vp9"}.get(path.suffix, "libx264")
    pixels = {".gif": "rgb8"}.get(path.suffix, "yuv420p")
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        stream.codec_context.gop_size = 5
        if rotation:
            stream.set_display_rotation(rotation)
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = round(times[i] * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
