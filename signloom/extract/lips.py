"""Mouth crops of a signer from the video that a clip was extracted from.

Each picture is turned, scaled and moved so that the face's points fall on a mean face
whose mouth is the middle of the crop [R:AV]. Turn and scale are the mean over ±6 frames,
the place is the frame's own: what is left to see is how the mouth moves. Spec §3 'Inputs'.

Where poses are being extracted a `Cropper` cuts the mouths from the same pictures; `mouth_crops`
is for a clip that there is already. Both run inside the limited process (extract/worker.py),
the only place where a file is decoded.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import CROP, Lips
from signloom.data.names import FACE
from signloom.errors import MediaError
from signloom.extract.process import Process, require
from signloom.extract.video import Limits, VideoInfo, check_file, decoded, nearest

NAME, VERSION = "signloom-lips", "1"
MEAN_FACE: dict[tuple[str, ...], tuple[float, float]] = {
    ("33",): (-46.0, -61.0),
    ("133",): (-15.0, -61.0),
    ("362",): (15.0, -61.0),
    ("263",): (46.0, -61.0),
    ("4",): (0.0, -28.0),
    ("61", "291"): (0.0, 0.0),
}
"""Points of the Face Mesh (the mean of those named together) → where they belong, in pixels of the
crop from its middle: outer and inner corners of the eyes, tip of the nose, middle of the mouth.
Numbers of our own; the published crops come from a mean face of other points [D]."""
SMOOTH = 6
"""Frames on either side that turn and scale are averaged over [R:AV]."""
PIECE = 500
"""Frames asked of the process at a time."""
GREY = np.array([0.299, 0.587, 0.114], np.float32)

ORIGIN = Origin(
    NAME, VERSION, {"smooth": SMOOTH, "points": sorted(n for names in MEAN_FACE for n in names)}
)

Complex = NDArray[np.complex128]


def mouth_crops(path: str | os.PathLike[str], clip: PoseClip, limits: Limits = Limits()) -> Lips:
    """The mouth in each of the clip's frames; absent where the clip has no face or it lies outside.

    clip: extracted from this video, before its layout was cut or its points normalised.

    Raises UsageError where the layout lacks a point of ``MEAN_FACE``; MediaError where the
    video cannot be read, or is not as long or not as large as the clip says;
    MissingExtraError without the 'extract' extra.
    """
    require("av")
    check_file(path)
    places = _places(clip.layout)
    with Process(limits) as process:
        request = {"path": os.path.abspath(path)}
        answer, _ = process.ask({"do": "inspect", **request}, Path(path))
        info = VideoInfo(**answer)
        _check_same(Path(path), clip, info)
        points, seen = _landmarks(clip.points, clip.present, places)
        turn, middle = placements(points, seen)
        seen &= _inside(middle, info.width, info.height)
        frames = np.zeros((len(clip), CROP, CROP), np.uint8)
        for first in range(0, len(clip), PIECE):
            piece = slice(first, first + PIECE)
            if not seen[piece].any():
                continue
            at = np.stack([turn.real, turn.imag, middle.real, middle.imag], 1)[piece].tolist()
            asked = {
                "info": info.to_json(),
                "times": [info.start + i / clip.fps for i in range(len(clip))[piece]],
                "at": [
                    place if there else None for place, there in zip(at, seen[piece], strict=True)
                ],
            }
            _, payload = process.ask({"do": "lips", **request, **asked}, Path(path))
            frames[piece] = np.frombuffer(payload, np.uint8).reshape(-1, CROP, CROP)
    return Lips(frames, seen, clip.fps, clip.id, ORIGIN)


def _places(layout: Layout) -> list[NDArray[np.int_]]:
    """The keypoints of each of ``MEAN_FACE``'s points. Raises UsageError where one is missing."""
    return [layout.of(*(f"{FACE}:{name}" for name in names)) for names in MEAN_FACE]


def _landmarks(
    points: NDArray[np.float32], present: NDArray[np.bool_], places: list[NDArray[np.int_]]
) -> tuple[Complex, NDArray[np.bool_]]:
    """(frames, 6) x + iy of ``MEAN_FACE``'s points in the picture; (frames,) whether all are there."""
    at = np.stack([points[:, place, :2].mean(1) for place in places], 1)
    seen: NDArray[np.bool_] = np.all(present[:, np.concatenate(places)], axis=1)
    return at[..., 0] + 1j * at[..., 1].astype(np.float64), seen


def _inside(middle: Complex, width: int, height: int) -> NDArray[np.bool_]:
    across = (middle.real >= 0) & (middle.real < width)
    return across & (middle.imag >= 0) & (middle.imag < height)


def _check_same(path: Path, clip: PoseClip, info: VideoInfo) -> None:
    """Raises MediaError unless the clip may be this video's."""
    if abs(clip.duration - info.duration) > 1.01 / min(clip.fps, info.fps):
        raise MediaError(
            f"{path} is {info.duration:.2f} s long ({info.frames} frames at {info.fps:g} fps), but "
            f"clip '{clip.id}' is {clip.duration:.2f} s ({len(clip)} frames at {clip.fps:g} fps), "
            "expected the same; give the clip that was extracted from this video, uncut"
        )
    if tuple(clip.size) != (info.width, info.height):
        raise MediaError(
            f"{path} is {info.width}×{info.height} pixels, but clip '{clip.id}' has its points in "
            f"a picture of {clip.size[0]}×{clip.size[1]}, expected the same; "
            "give the clip that was extracted from this video, before it is normalised"
        )


def placements(points: Complex, seen: NDArray[np.bool_]) -> tuple[Complex, Complex]:
    """(turn, middle): crop pixel z, from the crop's middle, is picture pixel turn · z + middle.

    points: (frames, 6) x + iy of ``MEAN_FACE``'s points in the picture; rows that are not
    ``seen`` (frames,) count for nothing. The closest similarity in least squares, its turn and
    scale averaged over the seen frames of ±SMOOTH, a window that stays even at the ends.
    """
    mean = np.array([x + 1j * y for x, y in MEAN_FACE.values()])
    apart = mean - mean.mean()
    own = ((points - points.mean(1, keepdims=True)) * apart.conj()).sum(1)
    own = np.where(seen, own / (np.abs(apart) ** 2).sum(), 0)
    frames = len(points)
    at = np.arange(frames)
    margin = np.minimum(np.minimum(at, frames - 1 - at), SMOOTH)
    total = np.concatenate([[0], np.cumsum(own)])
    count = np.concatenate([[0], np.cumsum(seen)])
    first, last = at - margin, at + margin + 1
    turn = (total[last] - total[first]) / np.maximum(count[last] - count[first], 1)
    return turn, points.mean(1) - turn * mean.mean()


# ---- inside the limited process ----


def crops(request: Mapping[str, Any], limits: Limits) -> NDArray[np.uint8]:
    """(frames, 96, 96): the crop at each of the request's times, 0 where ``at`` is None.

    Raises MediaError (a predicate, without the file's name) where the file is damaged.
    """
    from signloom.extract.video import Upright

    upright = Upright(VideoInfo(**request["info"]))
    times, at = request["times"], request["at"]
    found = np.zeros((len(times), CROP, CROP), np.uint8)
    held: tuple[float, Any] | None = None
    pictures = nearest(decoded(request["path"], times[0], limits), times)
    for i, ((time, frame), place) in enumerate(zip(pictures, at, strict=False)):
        if place is None:
            continue
        if held is None or held[0] != time:
            held = (time, upright(frame))
        a, b, x, y = place
        found[i] = sampled(held[1], complex(a, b), complex(x, y))
    return found


class Cropper:
    """Mouths cut from pictures as they come: each waits for the SMOOTH pictures behind it."""

    def __init__(self, layout: Layout):
        self._places = _places(layout)
        self._waiting: deque[NDArray[np.uint8]] = deque()
        self._points: list[Complex] = []
        self._seen: list[NDArray[np.bool_]] = []

    def see(
        self,
        rgb: NDArray[np.uint8],
        points: NDArray[np.float32],
        confidence: NDArray[np.float32],
    ) -> list[NDArray[np.uint8] | None]:
        """Takes in a picture and its keypoints (keypoints, 3); the crop that is due, if one is.

        None in place of a crop where the mouth was not seen.
        """
        at, seen = _landmarks(points[None], confidence[None] > 0, self._places)
        self._points.append(at[0])
        self._seen.append(seen)
        self._waiting.append(rgb)
        return [self._next()] if len(self._waiting) > SMOOTH else []

    def rest(self) -> list[NDArray[np.uint8] | None]:
        """The crops of the pictures that still wait, once no other comes."""
        return [self._next() for _ in range(len(self._waiting))]

    def _next(self) -> NDArray[np.uint8] | None:
        rgb = self._waiting.popleft()
        at = len(self._points) - len(self._waiting) - 1
        if not self._seen[at]:
            return None
        margin = min(at, len(self._waiting), SMOOTH)
        around = slice(at - margin, at + margin + 1)
        seen = np.concatenate(self._seen[around])
        turn, middle = placements(np.stack(self._points[around]), seen)
        if not _inside(middle, rgb.shape[1], rgb.shape[0])[margin]:
            return None
        return sampled(rgb, complex(turn[margin]), complex(middle[margin]))


def sampled(rgb: NDArray[np.uint8], turn: complex, middle: complex) -> NDArray[np.uint8]:
    """(96, 96) greys of an RGB picture (height, width, 3) at turn · z + middle for each pixel z.

    A picture's pixel (column, row) is centred on (column + ½) + (row + ½)i. Straight lines between
    pixels; where the picture is finer than the crop, the mean over as many places as it has pixels
    there. Beyond its edge the picture goes on as it ends.
    """
    finer = int(np.clip(np.ceil(abs(turn) - 0.1), 1, 8))
    axis = (np.arange(CROP * finer) + 0.5) / finer - CROP / 2
    at = turn * (axis[None, :] + 1j * axis[:, None]) + middle - (0.5 + 0.5j)
    height, width = rgb.shape[:2]
    x, y = np.clip(at.real, 0, width - 1), np.clip(at.imag, 0, height - 1)
    left, top = int(x.min()), int(y.min())
    part = rgb[top : int(y.max()) + 2, left : int(x.max()) + 2].astype(np.float32) @ GREY
    part = np.pad(part, ((0, 1), (0, 1)), mode="edge")
    x, y = x - left, y - top
    column, row = x.astype(np.int64), y.astype(np.int64)
    x, y = (x - column).astype(np.float32), (y - row).astype(np.float32)
    upper = part[row, column] * (1 - x) + part[row, column + 1] * x
    lower = part[row + 1, column] * (1 - x) + part[row + 1, column + 1] * x
    grey = upper * (1 - y) + lower * y
    grey = grey.reshape(CROP, finer, CROP, finer).mean((1, 3))
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)
