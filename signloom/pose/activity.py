"""Signing activity and sentence boundaries from how hands, head and face move; no weights, any language.

A clip of any length is read in slices and becomes a ``Track``: some twenty numbers a
frame (where the wrists are, how fast hands and fingers move, how open the eyes are, …),
small enough to hold for hours. ``activity`` makes of it, for every frame, how likely it
is that the signer is signing, and the log-odds that one sentence ends and another
begins there: hands sink or rest, slow down or hold still, eyes blink, head and brows are
set anew (Brentari 1998; Wilbur 1994; Fenlon et al. 2007).

The few weights are logistic regressions on the train split of ``sim-episodes-v1``
(``python -m benchmarks.activity_weights``); thresholds come from the episode itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.names import BODY, FACE, HAND_POINTS, LEFT, RIGHT, canonical
from signloom.data.timing import Seconds, Span
from signloom.errors import UsageError

Array = NDArray[np.float64]

_TIPS = (4, 8, 12, 16, 20)
_EYES = (("159", "145", "33", "133"), ("386", "374", "263", "362"))
"""Upper lid, lower lid, outer and inner corner of the right and the left eye (Face Mesh)."""
_BROWS = (("105", "159"), ("334", "386"))

RAISED_FROM_REST = 0.45
"""A hand is raised when it is this far above where it rests (shoulder widths) …"""
LOWEST_REST = 1.0
"""… and no rest is taken to be higher than this below the shoulders."""
APART: Seconds = 0.25
"""Two boundaries are further apart than this."""


@dataclass(frozen=True, eq=False)
class Track:
    """The motion of a signer, a row a frame; lengths in shoulder widths, y down, NaN where not seen.

    wrists: (frames, 2, 2), left and right, from the middle of the shoulders.
    fingers: (frames, 2) how fast the fingers move against the wrist, a second.
    head: (frames, 2) the nose, from the middle of the shoulders.
    trunk: (frames, 2) the middle of the shoulders, in the picture.
    eyes: (frames,) how open the eyes are (height over width); brows: (frames,) above the eyes.
    """

    fps: float
    wrists: Array
    fingers: Array
    head: Array
    trunk: Array
    eyes: Array
    brows: Array

    def __len__(self) -> int:
        return len(self.eyes)

    @property
    def duration(self) -> Seconds:
        return len(self) / self.fps


@dataclass(frozen=True, eq=False)
class Activity:
    """What a track says, a value a frame.

    signing: (frames,) probability that the signer is signing.
    starts, ends: (frames,) how much likelier a sentence starts, or ends, within 0.1 s of
        here than it does anywhere (nats).
    """

    fps: float
    signing: Array
    starts: Array
    ends: Array

    def __len__(self) -> int:
        return len(self.signing)

    @property
    def duration(self) -> Seconds:
        return len(self) / self.fps

    def spans(self, least: Seconds = 0.4, gap: Seconds = 0.3) -> tuple[Span, ...]:
        """Stretches of signing: probability above one half, gaps under ``gap`` closed, shorter ones left out."""
        return spans_of(self.signing > 0.5, self.fps, least, gap)

    def boundaries(self, odds: float = 1.0) -> NDArray[np.int_]:
        """The frames at which a boundary is likeliest within ``APART``, and likelier than ``odds`` says."""
        edge = self.starts + self.ends
        peaks = _peaks(edge, max(int(APART * self.fps), 1))
        return peaks[edge[peaks] > odds]

    def phrases(self, least: Seconds = 0.4, odds: float = 1.0) -> tuple[Span, ...]:
        """Stretches of signing, cut where a boundary is likelier than ``odds`` (log-odds) says."""
        found: list[Span] = []
        peaks = self.boundaries(odds)
        for span in self.spans(least):
            first, last = span.frames(self.fps, len(self))
            inside = peaks[(peaks > first + least * self.fps) & (peaks < last - least * self.fps)]
            edges = [first, *inside.tolist(), last]
            for a, b in itertools.pairwise(edges):
                if (b - a) / self.fps >= least or not found:
                    found.append(Span.of_frames(a, b, self.fps))
                else:
                    found[-1] = Span(found[-1].start, b / self.fps)
        return tuple(found)


def spans_of(
    on: NDArray[np.bool_], fps: float, least: Seconds = 0.0, gap: Seconds = 0.0
) -> tuple[Span, ...]:
    """The stretches in which ``on`` holds; gaps of at most ``gap`` closed, then those under ``least`` left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], on.astype(np.int8), [0]])))
    runs = edges.reshape(-1, 2).tolist()
    joined: list[list[int]] = []
    for first, last in runs:
        if joined and (first - joined[-1][1]) / fps <= gap:
            joined[-1][1] = last
        else:
            joined.append([first, last])
    return tuple(
        Span.of_frames(first, last, fps) for first, last in joined if (last - first) / fps >= least
    )


def track(slices: Iterable[PoseClip]) -> Track:
    """The track of one clip that is given in slices, in order and without a gap; one slice will do.

    Raises UsageError where a slice has neither hands nor wrists, or there is no slice.
    """
    reader: TrackReader | None = None
    for clip in slices:
        if reader is None:
            reader = TrackReader(clip)
        reader.take(clip)
    if reader is None or not reader.rows:
        raise UsageError("no frames are given, expected at least one slice of a clip")
    return reader.track()


class TrackReader:
    """Takes slices in, keeps a few numbers of each frame: a row of them a slice, which may be forgotten.

    Raises UsageError where a slice has neither hands nor wrists, or is of another clip's layout.
    """

    def __init__(self, clip: PoseClip):
        layout = clip.layout
        at = {canonical(name): i for i, name in enumerate(layout.keypoints)}
        self.layout, self.fps, self.size = layout, clip.fps, clip.size

        def find(component: str, *points: str) -> list[int]:
            return [at[name] for p in points if (name := f"{component}:{p}") in at]

        self.hands = [find(side, *HAND_POINTS) for side in (LEFT, RIGHT)]
        self.body_wrists = [find(BODY, f"{side}_WRIST") for side in ("LEFT", "RIGHT")]
        if not any(self.hands) and not any(self.body_wrists):
            raise UsageError(
                f"clip '{clip.id}' of layout '{layout.name}' has neither hands nor wrists, expected "
                "keypoints of at least one; give a clip of the whole signer"
            )
        self.shoulders = find(BODY, "LEFT_SHOULDER", "RIGHT_SHOULDER")
        self.nose = find(BODY, "NOSE") or find(FACE, "1") or find(FACE, "4") or find(FACE, "0")
        self.eyes = [pair for names in _EYES if len(pair := find(FACE, *names)) == 4]
        self.brows = [pair for names in _BROWS if len(pair := find(FACE, *names)) == 2]
        self.rows: list[tuple[Array, ...]] = []
        self.before: Array | None = None

    def take(self, clip: PoseClip) -> None:
        if clip.layout != self.layout:
            raise UsageError(
                f"a slice of clip '{clip.id}' has layout '{clip.layout.name}', the first has "
                f"'{self.layout.name}'; give the slices of one clip"
            )
        if not len(clip):
            return
        points = clip.points[..., :2].astype(np.float64)
        points[clip.confidence <= 0] = np.nan
        frames = len(points)
        empty = np.full((frames, 2), np.nan)

        def mean(at: list[int]) -> Array:
            return points[:, at].mean(1) if at else empty

        wrists = np.stack([self._wrist(points, side) for side in (0, 1)], 1)
        shapes = np.stack(
            [
                points[:, [hand[k] for k in _TIPS]] - points[:, hand[:1]]
                if len(hand) == 21
                else np.full((frames, 5, 2), np.nan)
                for hand in self.hands
            ],
            1,
        )
        fingers = np.full((frames, 2), np.nan)
        earlier = shapes[:-1] if self.before is None else np.concatenate([self.before, shapes[:-1]])
        moved = np.linalg.norm(shapes[len(shapes) - len(earlier) :] - earlier, axis=-1).mean(-1)
        fingers[frames - len(moved) :] = moved * clip.fps
        self.before = shapes[-1:]
        if len(self.shoulders) == 2:
            middle = mean(self.shoulders)
            width = np.linalg.norm(
                points[:, self.shoulders[0]] - points[:, self.shoulders[1]], axis=-1
            )
        else:  # hands alone: the picture stands in for the body
            middle, width = self._picture(frames)
        eyes = [
            np.linalg.norm(points[:, up] - points[:, low], axis=-1)
            / np.maximum(np.linalg.norm(points[:, out] - points[:, inn], axis=-1), 1e-6)
            for up, low, out, inn in self.eyes
        ]
        brows = [np.linalg.norm(points[:, a] - points[:, b], axis=-1) for a, b in self.brows]
        one = np.full(frames, np.nan)
        self.rows.append(
            (
                wrists,
                fingers,
                mean(self.nose),
                middle,
                width,
                np.mean(eyes, axis=0) if eyes else one,
                np.mean(brows, axis=0) if brows else one,
            )
        )

    def _picture(self, frames: int) -> tuple[Array, Array]:
        """(frames, 2) and (frames,): where shoulders would be, and how far apart, by the picture alone."""
        wide, high = self.size
        return np.tile([0.5 * wide, 0.35 * high], (frames, 1)), np.full(frames, 0.25 * wide)

    def _wrist(self, points: Array, side: int) -> Array:
        """(frames, 2): the hand's own wrist, else the body's."""
        hand, body = self.hands[side], self.body_wrists[side]
        if not hand:
            return points[:, body[0]] if body else np.full((len(points), 2), np.nan)
        own = points[:, hand[0]]
        return np.where(np.isnan(own), points[:, body[0]], own) if body else own

    def track(self) -> Track:
        wrists, fingers, nose, middle, width, eyes, brows = (
            np.concatenate(parts) for parts in zip(*self.rows, strict=True)
        )
        width = np.where(width > 1e-6 * self.size[0], width, np.nan)
        if not np.isfinite(width).any():  # shoulders that are never seen are as good as none
            middle, width = self._picture(len(width))
        size = _slow(width, self.fps)
        trunk = middle / size[:, None]
        steady = np.stack([_slow(middle[:, i], self.fps, 3.0) for i in (0, 1)], -1)
        where = np.where(np.isnan(middle), steady, middle)
        return Track(
            self.fps,
            (wrists - where[:, None]) / size[:, None, None],
            fingers / size[:, None],
            (nose - where) / size[:, None],
            trunk,
            eyes,
            brows / size,
        )


def _slow(values: Array, fps: float, block: Seconds = 8.0) -> Array:
    """Medians of blocks, interpolated: what changes slowly in ``values``; blocks that show nothing are bridged."""
    frames = len(values)
    count = max(round(frames / (block * fps)), 1)
    edges = np.linspace(0, frames, count + 1).astype(int)
    centres, medians = [], []
    for a, b in itertools.pairwise(edges):
        seen = values[a:b][np.isfinite(values[a:b])]
        if len(seen):
            centres.append((a + b) / 2)
            medians.append(float(np.median(seen)))
    if not centres:
        return np.full(frames, np.nan)
    return np.interp(np.arange(frames), centres, medians)


# --- what the track says -------------------------------------------------------------------------

FEATURES = (
    "raised", "raised other", "motion", "motion long", "motion other", "slow", "still", "sunk",
    "lengthened", "blink", "head", "trunk", "brows",
)  # fmt: skip
"""What each frame is told by, each about −1 to 1; seen at five moments around it."""

MOMENTS: tuple[Seconds, ...] = (-0.4, -0.2, 0.0, 0.2, 0.4)


def features(track: Track) -> Array:
    """(frames, len(FEATURES)): what hands, head and face do at each frame."""
    fps = track.fps
    y = track.wrists[..., 1]
    seen = np.isfinite(y)
    rest = np.stack([_rest_level(y[:, hand]) for hand in (0, 1)])
    raised = np.minimum(np.where(seen, rest - np.where(seen, y, 0.0), 0.0), 2.5)
    speed = np.stack([_speed(track.wrists[:, hand], fps) for hand in (0, 1)], -1)
    fingers = np.clip(np.nan_to_num(track.fingers), 0, 6)
    motion = np.minimum(speed, 8.0) + 0.6 * fingers
    up = _logistic((raised - RAISED_FROM_REST) / 0.12)
    moving = up * motion
    busier = np.argmax(_mean(moving, 8.0 * fps), axis=1)[:, None]

    def main(of: Array) -> Array:
        return np.take_along_axis(of, busier, 1)[:, 0]

    def other(of: Array) -> Array:
        return np.take_along_axis(of, 1 - busier, 1)[:, 0]

    def level(height: Array) -> Array:
        return np.tanh((_mean(height, 0.2 * fps) - RAISED_FROM_REST) / 0.25)

    def amount(of: Array, over: Seconds) -> Array:
        return np.tanh(np.log((_mean(of, over * fps) + 0.05) / 0.6))

    return np.stack(
        [
            level(raised.max(1)),
            level(raised.min(1)),
            amount(moving.max(1), 0.3),
            amount(moving.max(1), 1.2),
            amount(other(motion), 0.3),
            _dip(main(motion), fps),
            _dip(motion.max(1), fps, 0.3),
            _sinking(main(raised), fps),
            _lengthened(main(motion), fps),
            _blinks(track.eyes, fps),
            _jolt(track.head, fps, 0.35),
            _jolt(track.trunk, fps, 0.35),
            _jolt(track.brows[:, None], fps, 0.4),
        ],
        -1,
    )


def in_context(columns: Array, fps: float) -> Array:
    """(frames, len(MOMENTS) · features): every frame's columns at each of MOMENTS around it."""
    frames = np.arange(len(columns))
    at = [np.clip(frames + round(m * fps), 0, len(columns) - 1) for m in MOMENTS]
    return np.concatenate([columns[i] for i in at], axis=1)


def _rest_level(y: Array) -> float:
    """Where a hand rests (shoulder widths below the shoulders): where it is lowest, within reason."""
    low = y[np.isfinite(y)]
    if not len(low):
        return LOWEST_REST + RAISED_FROM_REST
    return float(np.clip(np.percentile(low, 95), LOWEST_REST, 2.5))


def _logistic(x: Array) -> Array:
    return 0.5 * (1 + np.tanh(0.5 * x))


def _mean(values: Array, frames: float) -> Array:
    """Centred moving mean over about ``frames`` frames, along the first axis; shorter at the ends."""
    half = max(round(frames / 2), 0)
    if half == 0:
        return values
    total = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    count = (high - low).reshape(-1, *([1] * (values.ndim - 1)))
    return (total[high] - total[low]) / count


def _filled(values: Array) -> Array:
    """Missing frames bridged by straight lines; all missing: zeros."""
    flat = values.reshape(len(values), -1)
    out = np.zeros_like(flat)
    at = np.arange(len(flat))
    for k in range(flat.shape[1]):
        good = np.isfinite(flat[:, k])
        if good.any():
            out[:, k] = np.interp(at, at[good], flat[good, k])
    return out.reshape(values.shape)


def _speed(path: Array, fps: float) -> Array:
    """(frames,): how fast a (frames, 2) path moves, a second, over three frames at 25."""
    step = max(round(0.04 * fps), 1)
    smooth = _mean(_filled(path), 0.08 * fps)
    moved = np.zeros(len(path))
    if len(path) > 2 * step:
        moved[step:-step] = np.linalg.norm(smooth[2 * step :] - smooth[: -2 * step], axis=-1)
    return moved * fps / (2 * step)


def _dip(motion: Array, fps: float, width: Seconds = 0.2) -> Array:
    """How much slower a hand is here than in the seconds around: 0 to 1."""
    now, usual = _mean(motion, width * fps), _mean(motion, 3.0 * fps)
    return np.clip(1.0 - now / (usual + 0.15), 0, 1) ** 2


def _sinking(raised: Array, fps: float) -> Array:
    """How far below its height of the seconds around a hand is here: 0 to 1."""
    return np.clip((_mean(raised, 3.0 * fps) - _mean(raised, 0.2 * fps)) / 0.6, 0, 1)


def _blinks(eyes: Array, fps: float) -> Array:
    """1 where the eyes are shut, against how open they usually are; 0 where there is no face."""
    if not np.isfinite(eyes).any():
        return np.zeros(len(eyes))
    open_ = _filled(eyes)
    usual = np.maximum(_slow(eyes, fps, 6.0), 1e-6)
    shut = np.clip((1.0 - open_ / usual - 0.15) / 0.4, 0, 1)
    return largest_near(shut, round(0.2 * fps))


def largest_near(values: Array, half: int) -> Array:
    """The largest value within ``half`` frames on both sides."""
    out = values.copy()
    for k in range(1, half + 1):
        out[k:] = np.maximum(out[k:], values[:-k])
        out[:-k] = np.maximum(out[:-k], values[k:])
    return out


def _jolt(path: Array, fps: float, over: Seconds) -> Array:
    """How far a slow thing (head, trunk) is from before to after, against what is usual: 0 to 1."""
    if not np.isfinite(path).any():
        return np.zeros(len(path))
    k = max(round(over * fps), 1)
    smooth = _mean(_filled(path), 0.12 * fps)
    moved = np.zeros(len(path))
    if len(path) > 2 * k:
        moved[k:-k] = np.linalg.norm(smooth[2 * k :] - smooth[: -2 * k], axis=-1)
    return np.tanh(moved / (3 * np.median(moved) + 1e-3))


def _lengthened(motion: Array, fps: float) -> Array:
    """How much slower the half second before is than the half second after: 0 to 1."""
    k = max(round(0.3 * fps), 1)
    mean = _mean(motion, 0.5 * fps)
    before, after = np.roll(mean, k), np.roll(mean, -k)
    return np.clip((after - before) / (after + before + 0.3), 0, 1)


def _peaks(values: Array, half: int) -> NDArray[np.int_]:
    """Frames that are the largest within ``half`` frames on both sides, the first of equals."""
    highest = largest_near(values, half)
    at = np.flatnonzero((values >= highest) & np.isfinite(values))
    if not len(at):
        return at
    return at[np.concatenate([[True], np.diff(at) > half])]


# Weights: a row for each of MOMENTS, a column for each of FEATURES.
_SIGNING = (
    1.14,
    np.array(
        [
            [0.5, -0.3, 0.2, 0.8, 0.2, 1.0, -0.9, 0.8, -1.5, -0.2, 0.1, 0.0, 0.4],
            [0.2, 0.1, -0.3, 0.5, 0.4, -1.1, -2.2, 0.1, -0.8, -1.6, 0.1, -0.2, 0.3],
            [0.3, 0.0, -0.3, -0.5, -0.2, -0.4, -1.2, 0.0, -1.8, -0.5, 0.0, -0.3, 0.3],
            [0.3, 0.0, 0.0, -0.1, -0.1, -0.8, -0.3, -0.6, 0.4, 0.0, 0.0, -0.3, 0.1],
            [0.5, -0.1, 0.0, 1.9, 0.4, -0.6, -1.3, 0.3, -0.4, 1.0, 0.0, -0.4, 0.3],
        ]
    ),
)
_START = (
    -3.10,
    np.array(
        [
            [0.1, 0.3, 0.0, -0.2, 0.1, 0.1, 2.2, -0.1, 0.2, 0.0, 0.1, -0.1, 0.0],
            [-0.7, -0.4, 0.1, -1.2, -0.2, 2.6, -0.9, 0.3, 0.2, 0.9, 0.0, 0.1, 0.2],
            [0.5, 0.0, 1.1, -0.5, 0.6, -3.4, -1.5, -0.4, -1.6, 1.1, 0.3, 0.3, -0.1],
            [0.2, -0.1, -0.2, 0.4, -0.5, 0.2, -1.2, 0.8, 0.4, 0.4, 0.1, 0.3, 0.2],
            [0.5, 0.1, 0.3, 1.6, 0.0, -0.8, 0.3, 0.0, 1.0, -1.2, 0.0, 0.2, 0.1],
        ]
    ),
)
_END = (
    -2.47,
    np.array(
        [
            [0.0, 0.3, 0.3, 1.4, 0.4, -0.9, -0.1, 0.3, -1.0, -1.5, 0.1, -0.3, -0.3],
            [0.2, -0.3, -0.2, -0.2, -0.5, -0.4, 1.5, -0.1, -0.7, 0.6, -0.1, -0.1, 0.1],
            [0.3, 0.1, 0.1, -0.4, 0.1, 0.9, -0.8, -0.5, 1.7, 1.6, 0.1, 0.2, -0.1],
            [0.5, 0.0, -0.3, 0.7, 0.3, -1.9, -0.3, -0.1, -0.8, 1.5, 0.3, 0.2, 0.0],
            [-0.5, -0.1, -0.2, -0.4, -0.1, 1.2, -0.6, 0.6, 1.7, -1.6, 0.1, 0.4, 0.2],
        ]
    ),
)


def activity(track: Track) -> Activity:
    """How likely the signer is signing, and starting or ending a sentence, at every frame."""
    seen = in_context(features(track), track.fps)

    def odds(of: tuple[float, Array]) -> Array:
        bias, weights = of
        return bias + seen @ weights.ravel()

    return Activity(track.fps, _logistic(odds(_SIGNING)), odds(_START), odds(_END))
