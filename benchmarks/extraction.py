"""Extraction with two processes against one, in one run: several files, and one long file.

    python -m benchmarks.extraction [VIDEO]

Without a video, a person's picture that moves about is written for it.
Prints frames a second and the ratio (goal ≥ 1.6 where two cores are free).
Starting the processes and loading the models is part of the time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ratio import ratio
from signloom.extract.extraction import PIECE, extract_clips
from signloom.extract.process import cores
from signloom.extract.video import frames

RATE = 12
FILES = 6
SECONDS = 6


def moving_person() -> Iterator[NDArray[np.uint8]]:
    """RGB pictures (270, 480, 3) of a person swaying, without end."""
    from skimage import data
    from skimage.transform import resize

    person = (resize(data.astronaut(), (270, 270), anti_aliasing=True) * 255).astype(np.uint8)
    tick = 0
    while True:
        left = 105 + round(40 * np.sin(tick / 7))
        picture = np.full((270, 480, 3), 90, np.uint8)
        picture[:, left : left + 270] = person
        yield picture
        tick += 1


def looped(video: str) -> Iterator[NDArray[np.uint8]]:
    """The pictures of a video, over and over."""
    pictures = [rgb for _, rgb in frames(video)]
    while True:
        yield from pictures


def write(path: Path, pictures: Iterator[NDArray[np.uint8]], count: int, rate: int = RATE) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        for number in range(count):
            picture = next(pictures)
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def speed(videos: Sequence[Path], jobs: int) -> float:
    """Frames a second over all the videos."""
    began = time.perf_counter()
    done = 0
    for result in extract_clips(videos, jobs=jobs):
        if result.clip is None:
            raise SystemExit(str(result.error))
        done += len(result.clip)
    return done / (time.perf_counter() - began)


def main() -> None:
    if len(cores()) < 2:
        raise SystemExit("only one core is free; the ratio needs two")
    source = looped(sys.argv[1]) if len(sys.argv) > 1 else moving_person()
    with tempfile.TemporaryDirectory() as folder:
        short = [write(Path(folder) / f"{i}.mp4", source, RATE * SECONDS) for i in range(FILES)]
        long = [write(Path(folder) / "long.mp4", source, round(RATE * PIECE * 2))]
        for name, videos in ((f"{FILES} files of {SECONDS} s", short), ("one long file", long)):
            # One, two, two, one: a machine that grows slower or faster favours neither.
            first, *pair, last = [speed(videos, jobs) for jobs in (1, 2, 2, 1)]
            one, two = (first + last) / 2, sum(pair) / 2
            print(
                f"extraction, {name}: {one:.1f} frames/s with one process, {two:.1f} with two, "
                f"ratio {two / one:.2f} (goal 1.6)",
                flush=True,
            )
            ratio(f"extraction, {name}", two / one, "frames a second of two processes, over one")


if __name__ == "__main__":
    main()
