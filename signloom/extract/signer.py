"""Where the signer is in a picture that holds more than one person, or a small interpreter.

MediaPipe's body model, which finds one person in a picture, is run on a few
pictures of the video, on each whole and on overlapping tiles of it. What it
finds is gathered into people; the signer is the one who is there throughout,
large, and moves the hands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.extract.holistic import Box

NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_WRIST, RIGHT_WRIST = 0, 11, 12, 15, 16
SURE = 0.6
"""Visibility from which a keypoint counts."""
LEAST_SEEN = 0.34
"""The signer is in at least this share of the pictures."""
WHOLE = 0.5
"""A lone signer whose box would be larger than this share of the picture gets all of it."""


@dataclass(frozen=True)
class Sighting:
    """One person in one picture, in pixels.

    centre: (2,) between the shoulders; shoulders: the distance between them.
    wrists: (2, 2) left and right, NaN where not seen.
    """

    picture: int
    centre: NDArray[np.float64]
    shoulders: float
    wrists: NDArray[np.float64]

    def near(self, other: Sighting) -> bool:
        """Whether the two could be the same person."""
        size = max(self.shoulders, other.shoulders)
        apart = float(np.hypot(*(self.centre - other.centre)))
        return apart < 0.8 * size and min(self.shoulders, other.shoulders) > 0.5 * size


def find_signer(pictures: Sequence[NDArray[np.uint8]]) -> Box | None:
    """The box around the signer in RGB pictures (height, width, 3); None = the whole picture."""
    from mediapipe.python.solutions.pose import Pose

    sightings: list[Sighting] = []
    with Pose(static_image_mode=True, model_complexity=1) as body:
        for number, picture in enumerate(pictures):
            seen: list[Sighting] = []
            for x, y, w, h in tiles(picture.shape[1], picture.shape[0]):
                found = body.process(np.ascontiguousarray(picture[y : y + h, x : x + w]))
                if found.pose_landmarks is None:
                    continue
                marks = found.pose_landmarks.landmark
                xy = np.array([(p.x, p.y) for p in marks])
                sure = np.array([p.visibility for p in marks])
                sighting = _sighting(number, xy, sure, (x, y, w, h))
                if sighting is not None and not any(sighting.near(other) for other in seen):
                    seen.append(sighting)
            sightings += seen
    height, width = pictures[0].shape[:2]
    return choose(sightings, len(pictures), (width, height))


def tiles(width: int, height: int) -> Iterator[Box]:
    """The whole picture, then its nine overlapping quarters."""
    yield 0, 0, width, height
    w, h = width // 2, height // 2
    for y in (0, h // 2, height - h):
        for x in (0, w // 2, width - w):
            yield x, y, w, h


def _sighting(
    picture: int, xy: NDArray[np.float64], sure: NDArray[np.float64], tile: Box
) -> Sighting | None:
    """A person whose head and shoulders are in the tile (xy in shares of it), else None."""
    trunk = [NOSE, LEFT_SHOULDER, RIGHT_SHOULDER]
    if not ((sure[trunk] > SURE).all() and ((xy[trunk] > 0) & (xy[trunk] < 1)).all()):
        return None
    x, y, w, h = tile
    at = xy * (w, h) + (x, y)
    left, right = at[LEFT_SHOULDER], at[RIGHT_SHOULDER]
    wrists = np.where(
        sure[[LEFT_WRIST, RIGHT_WRIST], None] > SURE, at[[LEFT_WRIST, RIGHT_WRIST]], np.nan
    )
    return Sighting(picture, (left + right) / 2, max(float(np.hypot(*(left - right))), 1.0), wrists)


def choose(sightings: Sequence[Sighting], pictures: int, size: tuple[int, int]) -> Box | None:
    """The box of the signer among the people seen in so many ``pictures`` of ``size`` pixels."""
    people: list[list[Sighting]] = []
    for sighting in sightings:
        for person in people:
            if person[-1].near(sighting) and person[-1].picture != sighting.picture:
                person.append(sighting)
                break
        else:
            people.append([sighting])
    people = [person for person in people if len(person) >= max(LEAST_SEEN * pictures, 1)]
    if not people:
        return None
    signer = max(people, key=lambda person: _likely(person, pictures))
    x, y, w, h = _room(signer, size)
    lone_and_large = len(people) == 1 and w * h > WHOLE * size[0] * size[1]
    return None if lone_and_large else (x, y, w, h)


def _likely(person: Sequence[Sighting], pictures: int) -> float:
    """How much a person looks like the signer: there throughout, large, hands in motion."""
    shoulders = float(np.median([s.shoulders for s in person]))
    hands = np.array([(s.wrists - s.centre) / shoulders for s in person])
    moved = [hands[:, side][~np.isnan(hands[:, side, 0])] for side in (0, 1)]
    motion = sum(float(np.hypot(*track.std(axis=0))) for track in moved if len(track) > 1)
    return len(person) / pictures * np.sqrt(shoulders) * (0.2 + motion)


def _room(person: Sequence[Sighting], size: tuple[int, int]) -> Box:
    """The signing space of a person: head to waist, both arms out, within the picture."""
    centre = np.median([s.centre for s in person], axis=0)
    unit = float(np.median([s.shoulders for s in person]))
    low = centre - unit * np.array([2.0, 1.8])
    high = centre + unit * np.array([2.0, 2.4])
    wrists = np.concatenate([s.wrists for s in person])
    wrists = wrists[~np.isnan(wrists[:, 0])]
    if len(wrists):
        low = np.minimum(low, wrists.min(axis=0) - 0.5 * unit)
        high = np.maximum(high, wrists.max(axis=0) + 0.5 * unit)
    left, top = (int(v) for v in np.clip(np.floor(low), 0, size))
    right, bottom = (int(v) for v in np.clip(np.ceil(high), 0, size))
    return left, top, right - left, bottom - top
