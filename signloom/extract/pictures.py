"""The pictures of a video, decoded in the limited child process, for models that look at pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.extract.process import Process, require
from signloom.extract.video import Limits, VideoInfo, check_file, scaled

BLOCK = 128 * 2**20
"""Bytes of pictures that are handed over at once."""


def pictures(
    path: str | os.PathLike[str], info: VideoInfo, side: int, limits: Limits = Limits()
) -> Iterator[NDArray[np.uint8]]:
    """RGB (n, height, width, 3) in blocks: one picture for each tick from ``info.lead`` on.

    info: as `probe` says. side: pictures whose shorter side is longer are made smaller to that.

    Raises as `probe`.
    """
    require("av")
    check_file(path)
    width, height = scaled(info.width, info.height, side)
    step = max(1, BLOCK // (3 * width * height))
    with Process(limits) as process:
        for first in range(info.lead, info.frames, step):
            request = {
                "do": "pictures",
                "path": os.path.abspath(path),
                "info": info.to_json(),
                "ticks": [first, min(first + step, info.frames)],
                "side": side,
            }
            _, payload = process.ask(request, Path(path))
            yield np.frombuffer(payload, np.uint8).reshape(-1, height, width, 3)
