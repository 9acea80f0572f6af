"""Signing in time: from signs to the movements of a signer.

Between two signs the hands move along minimum-jerk paths, the handshape arriving
before the hand does; a sign's own path is a function of its phase. All frames are
computed at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.simulator.body import all_handshapes
from signloom.simulator.phonology import (
    DIRECTIONS,
    LOCATIONS,
    ON_HAND,
    RELAXED,
    SIZES,
    VISEMES,
    Brows,
    Head,
    Sign,
)
from signloom.simulator.signer import Signer

FPS = 25.0
Array = NDArray[np.float64]

VECTORS = {
    "away": (0, 0, 1), "front": (0, 0, 1), "self": (0, 0, -1), "back": (0, 0, -1),
    "in": (-1, 0, 0), "out": (1, 0, 0), "up": (0, 1, 0), "down": (0, -1, 0),
    "up-out": (0.7, 0.7, 0), "down-out": (0.7, -0.7, 0), "up-in": (-0.7, 0.7, 0),
    "down-in": (-0.7, -0.7, 0), "down-front": (0, -0.7, 0.7),
}  # fmt: skip
_AT = np.array([place.at for place in LOCATIONS])
_PATHS = ("none", "straight", "arc", "circle", "zigzag")
_LOCALS = ("none", "wiggle", "twist", "open-close", "nod")
_SECONDS = {"none": 0.22, "straight": 0.24, "arc": 0.28, "circle": 0.36, "zigzag": 0.40}
FACE_CHANNELS = 7


@dataclass(frozen=True)
class Performed:
    """One sign as a sentence asks for it.

    repeat: how often it is signed (reduplication); kind: how fast that goes.
    brows, head: prosody over this sign, beside the sentence's own brows and in
        place of the sign's (a topic's raised brows, a negation's headshake).
    """

    sign: Sign
    repeat: int = 1
    kind: Literal["sign", "letter", "point"] = "sign"
    brows: Brows | None = None
    head: Head | None = None


@dataclass(frozen=True, eq=False)
class Performance:
    """A signer's movements, frame by frame; metres and radians, dominant hand first.

    wrists: (frames, 2, 3), each hand seen on its own side (``body``);
    turns: (frames, 2, 6) finger and palm directions; shapes: (frames, 2, 16)
    finger angles; face: (frames, 7) as ``face.CHANNELS``; head: (frames, 3)
    yaw, pitch, roll; trunk: (frames, 3) displacement of the shoulders.
    spans: when each sign is signed, in seconds.
    """

    fps: float
    wrists: Array
    turns: Array
    shapes: Array
    face: Array
    head: Array
    trunk: Array
    spans: tuple[Span, ...]

    def __len__(self) -> int:
        return len(self.wrists)


@dataclass(frozen=True, eq=False)
class Plan:
    """What each sign asks of each hand: arrays (signs, 2, …), and (signs,) for what both share."""

    centre: Array
    along: Array
    across: Array
    pivot: Array
    phase: Array
    turns: Array
    first: Array
    last: Array
    active: NDArray[np.bool_]
    path: NDArray[np.int_]
    local: NDArray[np.int_]
    strokes: NDArray[np.int_]


def perform(
    signs: Sequence[Performed],
    signer: Signer,
    rng: np.random.Generator,
    *,
    citation: bool = False,
    brow: Brows = "neutral",
    pauses: Sequence[float] = (),
) -> Performance:
    """How ``signer`` signs the signs one after another, at 25 frames a second.

    citation: as a dictionary shows a sign: slow and large, from rest to rest.
    brow: over the whole sentence (questions).
    pauses: seconds of hold after each sign; () for none.
    Raises UsageError for no signs, or for pauses that are not as many as the signs.
    """
    if not signs or (pauses and len(pauses) != len(signs)):
        raise UsageError(
            f"cannot perform {len(signs)} signs with {len(pauses)} pauses; "
            "give at least one sign, and one pause for each or none at all"
        )
    plan = plan_of(signs, signer, rng, citation)
    keys = _keys(plan, signer, rng, citation)
    lengths, holds = _timing(signs, plan, keys[0], signer, rng, citation, pauses)
    segment = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    within = np.arange(len(segment)) - starts[segment]
    hold = holds[segment]
    phase = np.clip((within + 0.5 - hold) / np.maximum(lengths[segment] - hold, 1), 0, 1)
    wrists, turns, shapes = hands_of(plan, keys, segment, phase, signer)
    spans = tuple(
        Span.of_frames(int(starts[k]), int(starts[k] + lengths[k]), FPS)
        for k in range(1, len(lengths), 2)
    )
    face, head, trunk = _non_manuals(signs, spans, len(segment), signer, rng, brow, pauses)
    return Performance(FPS, wrists, turns, shapes, face, head, trunk, spans)


def plan_of(
    signs: Sequence[Performed], signer: Signer, rng: np.random.Generator, citation: bool
) -> Plan:
    count = len(signs)
    shapes = all_handshapes() + signer.shape_offset
    noise = rng.standard_normal((count, 2, 3 + 3 + 16))
    centre, along, across = (np.zeros((count, 2, 3)) for _ in range(3))
    turns, pivot, phase = np.zeros((count, 2, 6)), np.full((count, 2), 0.5), np.zeros((count, 2))
    first, last = np.zeros((count, 2, 16)), np.zeros((count, 2, 16))
    active = np.zeros((count, 2), bool)
    path, local, strokes = (np.zeros(count, int) for _ in range(3))
    for i, performed in enumerate(signs):
        sign = performed.sign
        place = LOCATIONS[sign.location]
        two = sign.handedness in ("symmetric", "alternating")
        active[i] = True, sign.handedness != "one"
        path[i], local[i] = _PATHS.index(sign.movement.path), _LOCALS.index(sign.movement.local)
        strokes[i] = sign.movement.repetition * performed.repeat
        forward = np.array(VECTORS[DIRECTIONS[sign.movement.direction]], float)
        size = SIZES[sign.movement.size] * signer.shoulders * signer.amplitude
        size *= (1.15 if citation else 0.85) * (0.6 if strokes[i] > 1 else 1.0)
        along[i] = forward * size
        side = np.array((0, 1, 0) if abs(forward[1]) < 0.5 else (0, 0, 1), float)
        across[i] = side * size
        if place.kind != "neutral":
            pivot[i] = 1.0 if forward[2] < 0 else 0.0 if forward[2] > 0 else 0.5
        turn = np.array(
            [*VECTORS[sign.orientation.fingers], *VECTORS[sign.orientation.palm]], float
        )
        turns[i] = turn
        at = where(sign.location, signer) + signer.place_offset[sign.location]
        if place.kind != "neutral" and not sign.contact:
            at = at + np.array([0, 0, 0.05])
        reach = 0.75 if place.kind == "head" else 0.50
        centre[i, 0] = at - reach * signer.hand * turn[:3]
        first[i], last[i] = shapes[sign.handshapes[0]], shapes[sign.handshapes[1]]
        if two:
            out = max(at[0], 0.26 * signer.shoulders) - at[0]
            centre[i, 0, 0] += out
            centre[i, 1] = centre[i, 0]
            phase[i, 1] = 0.5 if sign.handedness == "alternating" else 0.0
        elif sign.handedness == "base":
            along[i, 1] = across[i, 1] = 0
            flat = np.array([*VECTORS["in"], *VECTORS["up"]], float)
            flat[:3] += (0, 0.1, 0.6)
            turns[i, 1] = flat
            base = where(ON_HAND, signer) + np.array([0.10, -0.10, 0.0]) * signer.shoulders
            centre[i, 1] = base - 0.5 * signer.hand * flat[:3] / np.linalg.norm(flat[:3])
            first[i, 1] = last[i, 1] = shapes[sign.base_handshape or 0]
    centre += 0.012 * noise[:, :, :3]
    turns = _turned(turns, signer.turn_offset + 0.09 * noise[:, :, 3:6])
    slack = 0.06 * noise[:, :, 6:]
    return Plan(
        centre, along, across, pivot, phase, turns, first + slack, last + slack, active, path,
        local, strokes,
    )  # fmt: skip


def where(location: int, signer: Signer) -> Array:
    """Metres of a location on this signer's body."""
    at = _AT[location] * 0.36
    if LOCATIONS[location].kind == "head":
        at = at * (signer.head / 0.22)
        at[1] += signer.neck - 0.10 * signer.head / 0.22
        return at
    return _AT[location] * signer.shoulders


def _turned(turns: Array, by: Array) -> Array:
    """Finger and palm directions rotated by small (…, 3) rotation vectors."""
    pairs = turns.reshape(*turns.shape[:-1], 2, 3)
    return (pairs + np.cross(by[..., None, :], pairs)).reshape(turns.shape)


def _keys(
    plan: Plan, signer: Signer, rng: np.random.Generator, citation: bool
) -> tuple[Array, Array, Array]:
    """Wrists, turns and shapes at the start and the end of each sign, between two rests: (2n+2, 2, …)."""
    count = len(plan.path)
    rest = np.stack([signer.rest, signer.rest_other]) * signer.shoulders
    rest = rest + 0.02 * rng.standard_normal((2, 3))
    down = np.array([[-0.5, -0.35, 0.65, -0.25, -0.9, -0.3]] * 2) + 0.12 * rng.standard_normal(
        (2, 6)
    )
    loose = all_handshapes()[RELAXED] + signer.shape_offset[RELAXED]
    loose = loose + 0.06 * rng.standard_normal((2, 16))
    keep = rng.random(count) * (0.0 if citation else 0.9)
    wrists, turns = np.empty((2 * count + 2, 2, 3)), np.empty((2 * count + 2, 2, 6))
    shapes = np.empty((2 * count + 2, 2, 16))
    wrists[0], turns[0], shapes[0] = rest, down, loose
    wrists[-1], turns[-1], shapes[-1] = rest, down, loose
    for k, u in ((1, 0.0), (2, 1.0)):
        which = np.arange(count)
        wrists[k:-1:2] = path_of(plan, which, np.full(count, u))
        turns[k:-1:2] = plan.turns
        shapes[k:-1:2] = plan.first if u == 0 else plan.last
    for i in np.flatnonzero(~plan.active[:, 1]):  # the other hand sinks, or lingers where it was
        k = 2 * int(i) + 1
        for keyed, idle in ((wrists, rest), (turns, down), (shapes, loose)):
            keyed[k : k + 2, 1] = idle[1] + keep[i] * (keyed[k - 1, 1] - idle[1])
    return wrists, turns, shapes


def path_of(plan: Plan, which: NDArray[np.int_], u: Array) -> Array:
    """(n, 2, 3): where the wrists are at phase u of sign ``which``."""
    path, strokes = plan.path[which][:, None], plan.strokes[which][:, None]
    shift = plan.phase[which]
    u = u[:, None]
    to_and_fro = 0.5 - 0.5 * np.cos(np.pi * ((2 * strokes - 1) * u + 2 * shift))
    turn = 2 * np.pi * (strokes * u * u * (3 - 2 * u) + shift)
    forward = to_and_fro - plan.pivot[which]
    forward = np.where(path == 3, 0.5 * np.cos(turn), np.where(path == 0, 0.0, forward))
    bulge = 1.6 * to_and_fro * (1 - to_and_fro)
    wave = 0.28 * np.sin(4 * np.pi * to_and_fro)
    sideways = np.select([path == 2, path == 3, path == 4], [bulge, 0.5 * np.sin(turn), wave], 0.0)
    return (
        plan.centre[which]
        + forward[..., None] * plan.along[which]
        + sideways[..., None] * plan.across[which]
    )


def _timing(
    signs: Sequence[Performed],
    plan: Plan,
    wrists: Array,
    signer: Signer,
    rng: np.random.Generator,
    citation: bool,
    pauses: Sequence[float],
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Frames of each segment (transition, sign, transition, …) and of the hold it begins with."""
    count = len(signs)
    sway = np.exp(0.12 * rng.standard_normal(2 * count + 1))
    seconds, held = np.zeros(2 * count + 1), np.zeros(2 * count + 1)
    gap = np.linalg.norm(wrists[1::2] - wrists[0::2], axis=-1).max(1)
    seconds[0::2] = 0.14 + 0.42 * np.sqrt(np.maximum(gap, 0.0))
    for i, performed in enumerate(signs):
        seconds[2 * i + 1] = stroke_seconds(performed, int(plan.strokes[i]))
        if performed.kind == "letter":
            seconds[2 * i] *= 0.7
    if citation:
        seconds[1::2] = 0.25 + 1.5 * seconds[1::2]
        seconds[0::2] = 0.15 + 1.25 * seconds[0::2]
        held[0] = 0.1 + 0.3 * rng.random()
        held[-1] = 0.1 + 0.25 * rng.random()
    else:
        held[2::2] = 0.04 * rng.random(count)
    frames = np.maximum(np.rint(seconds * sway / signer.tempo * FPS), 3).astype(int)
    if pauses:
        held[2::2] += np.asarray(pauses, float)
    holds = np.rint(held * FPS).astype(int)
    return frames + holds, holds


def stroke_seconds(performed: Performed, strokes: int) -> float:
    """How long a sign of that many strokes takes a signer of usual tempo."""
    movement = performed.sign.movement
    stroke = _SECONDS[movement.path] + 0.05 * (movement.size if movement.path != "none" else 0)
    if movement.local != "none":
        stroke = max(stroke, 0.36)
    if performed.kind == "letter":
        stroke = 0.14
    elif performed.kind == "point":
        stroke = 0.16
    return stroke * (1 + 0.75 * (strokes - 1))


def minimum_jerk(u: Array) -> Array:
    return u * u * u * (10 + u * (6 * u - 15))


def hands_of(
    plan: Plan,
    keys: tuple[Array, Array, Array],
    segment: NDArray[np.int_],
    phase: Array,
    signer: Signer,
) -> tuple[Array, Array, Array]:
    signing = np.flatnonzero(segment % 2 == 1)
    which, u = segment[signing] // 2, phase[signing]
    weight = minimum_jerk(phase)[:, None, None]
    early = minimum_jerk(np.minimum(phase * 1.4, 1))[:, None, None]
    wrists, turns, shapes = (
        key[segment] + w * (key[segment + 1] - key[segment])
        for key, w in zip(keys, (weight, early, early), strict=True)
    )
    active = plan.active[which][..., None]
    wrists[signing] = np.where(active, path_of(plan, which, u), wrists[signing])
    _local(plan, which, signing, u, turns, shapes)
    return smooth(wrists), smooth(turns), smooth(shapes)


def _local(
    plan: Plan,
    which: NDArray[np.int_],
    signing: NDArray[np.int_],
    u: Array,
    turns: Array,
    shapes: Array,
) -> None:
    """Add wiggling, twisting, opening and closing, nodding to the frames of signs, in place."""
    local = plan.local[which]
    moving = plan.active[which] & ~((plan.along[which] == 0).all(-1) & (plan.active[which]))
    moving[:, 0] = True
    swings = np.maximum(plan.strokes[which], 2)
    swell = np.sin(np.pi * u)
    wave = swell * np.sin(2 * np.pi * swings * u)
    closing = np.where(
        local == 3, 0.5 - 0.5 * np.cos(np.pi * (2 * swings - 1) * u), minimum_jerk(u)
    )[:, None, None]
    shape = plan.first[which] + closing * (plan.last[which] - plan.first[which])
    ripple = (
        np.sin(2 * np.pi * (swings + 1)[:, None] * u[:, None] + 1.3 * np.arange(4)) * swell[:, None]
    )
    ripple = np.where((local == 1)[:, None], 0.40 * ripple, 0.0)
    for finger in range(4):
        shape[..., 3 * finger + 1] += ripple[:, finger, None]
    shapes[signing] = np.where(moving[..., None], shape, shapes[signing])
    fingers, palm = turns[signing, :, :3], turns[signing, :, 3:]
    twist = np.where(local == 2, 0.75 * wave, 0.0)[:, None, None] * moving[..., None]
    nod = np.where(local == 4, 0.60 * wave, 0.0)[:, None, None] * moving[..., None]
    turned = np.cos(twist) * palm + np.sin(twist) * np.cross(palm, fingers)
    turns[signing, :, :3] = np.cos(nod) * fingers + np.sin(nod) * turned
    turns[signing, :, 3:] = np.cos(nod) * turned - np.sin(nod) * fingers


def smooth(values: Array) -> Array:
    """A short filter over time, so that one movement flows into the next."""
    padded = np.concatenate([values[:1], values, values[-1:]])
    return 0.22 * padded[:-2] + 0.56 * padded[1:-1] + 0.22 * padded[2:]


def _non_manuals(
    signs: Sequence[Performed],
    spans: Sequence[Span],
    frames: int,
    signer: Signer,
    rng: np.random.Generator,
    brow: Brows,
    pauses: Sequence[float],
) -> tuple[Array, Array, Array]:
    time = np.arange(frames) / FPS
    face = np.zeros((frames, FACE_CHANNELS))
    head = drift(rng, time, 3) * (0.035 * signer.sway)
    trunk = drift(rng, time, 3) * (0.006 * signer.sway)
    times, mouths = [-0.1], [VISEMES["rest"]]
    for performed, span in zip(signs, spans, strict=True):
        states = performed.sign.mouthing
        lead, length = span.start - 0.10, span.duration + 0.16
        for k, state in enumerate(states):
            times.append(lead + length * (k + 0.5) / len(states))
            mouths.append(VISEMES[state])
    times.append(max(spans[-1].end + 0.3, times[-1] + 0.1))
    mouths.append(VISEMES["rest"])
    order = np.maximum.accumulate(np.asarray(times))
    states_array = np.asarray(mouths) * signer.mouth
    for channel in range(4):
        face[:, channel] = np.interp(time, order, states_array[:, channel])
    begin, end = spans[0].start, spans[-1].end
    sentence = np.interp(time, [begin - 0.2, begin, end, end + 0.2], [0, 1, 1, 0])
    raise_, furrow = brows_of(brow)
    face[:, 4] += raise_ * sentence
    face[:, 5] += furrow * sentence
    for performed, span in zip(signs, spans, strict=True):
        raise_, furrow = brows_of(performed.brows or performed.sign.brows)
        gesture = performed.head or performed.sign.head
        if not (raise_ or furrow or gesture != "none"):
            continue
        swell = np.interp(
            time, [span.start - 0.12, span.start, span.end, span.end + 0.12], [0, 1, 1, 0]
        )
        face[:, 4] += 0.8 * raise_ * swell
        face[:, 5] += 0.8 * furrow * swell
        since = time - span.start
        if gesture == "nod":
            head[:, 1] += 0.14 * swell * np.sin(2 * np.pi * 2.2 * since)
        elif gesture == "shake":
            head[:, 0] += 0.24 * swell * np.sin(2 * np.pi * 2.4 * since)
        elif gesture == "tilt":
            head[:, 2] += 0.12 * swell
    face[:, 6] = _blinks(rng, time, spans, pauses)
    return smooth(face), head, trunk


def brows_of(brows: Brows) -> tuple[float, float]:
    return {"neutral": (0.0, 0.0), "raised": (1.0, 0.0), "furrowed": (0.0, 1.0)}[brows]


def drift(rng: np.random.Generator, time: Array, channels: int) -> Array:
    """(frames, channels): slow swaying about 0, of unit size."""
    speed = 0.15 + 0.8 * rng.random((3, channels))
    start = 2 * np.pi * rng.random((3, channels))
    return np.sin(2 * np.pi * speed * time[:, None, None] + start).sum(1) / np.sqrt(1.5)


def _blinks(
    rng: np.random.Generator, time: Array, spans: Sequence[Span], pauses: Sequence[float]
) -> Array:
    """(frames,): 1 where the eyes are shut; at phrase ends, and now and then."""
    rolls = rng.random(len(spans) + 8)
    at = [
        span.end + 0.1
        for i, span in enumerate(spans)
        if rolls[i] < (0.7 if pauses and pauses[i] > 0.1 else 0.06)
    ]
    since = 0.0
    for roll in rolls[len(spans) :]:
        since += -3.5 * np.log(max(roll, 1e-6))
        at.append(since)
    shut = np.zeros(len(time))
    for moment in at:
        if moment < time[-1]:
            shut = np.maximum(shut, np.clip(1.3 - np.abs(time - moment) / 0.08, 0, 1))
    return shut
