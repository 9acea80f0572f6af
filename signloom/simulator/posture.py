"""What hands do when they do not sign: hold, sink, rest, fidget, gesture.

A posture is where both hands are for a while, with a small movement to and fro where it has
one; a performance moves from posture to posture, and to signs, as it moves between signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from signloom.simulator.body import all_handshapes
from signloom.simulator.perform import VECTORS, where
from signloom.simulator.phonology import HANDSHAPES, LOCATIONS, Head
from signloom.simulator.signer import Signer

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Posture:
    """Both hands at a place, dominant first, as ``perform.Performance`` measures them.

    wrists: (2, 3) metres; turns: (2, 6); shapes: (2, 16) radians.
    share: how much of the way there the hands go from where they were; 1 is all of it.
    along: (2, 3) metres of movement to and fro, in ``strokes``; none where it is 0.
    pace: how long the way there takes, 1 as between signs.
    lift: metres that the shoulders rise.
    """

    kind: str
    wrists: Array
    turns: Array
    shapes: Array
    seconds: float
    share: float = 1.0
    along: Array | None = None
    strokes: int = 1
    pace: float = 1.0
    head: Head = "none"
    lift: float = 0.0


def resting(
    signer: Signer, rng: np.random.Generator, seconds: float, kind: str = "rest"
) -> Posture:
    """Hands down, where this signer rests them; never twice at quite the same place."""
    rest = np.stack([signer.rest, signer.rest_other]) * signer.shoulders
    down = np.array([[-0.5, -0.35, 0.65, -0.25, -0.9, -0.3]] * 2)
    loose = np.repeat(_shape("relaxed", signer)[None], 2, 0)
    return Posture(
        kind,
        rest + 0.025 * rng.standard_normal((2, 3)),
        down + 0.12 * rng.standard_normal((2, 6)),
        loose + 0.06 * rng.standard_normal((2, 16)),
        seconds,
        pace=1.0 + 0.5 * rng.random(),
    )


def sinking(signer: Signer, rng: np.random.Generator, seconds: float) -> Posture:
    """Hands on half the way to rest."""
    return replace(resting(signer, rng, seconds, "sink"), share=0.15 + 0.45 * rng.random())


def clasped(signer: Signer, rng: np.random.Generator, seconds: float) -> Posture:
    """Hands together before the belly."""
    at = np.array([[0.10, -0.95, 0.62], [0.10, -1.02, 0.55]]) * signer.shoulders
    return replace(
        resting(signer, rng, seconds, "clasp"),
        wrists=at + 0.02 * rng.standard_normal((2, 3)),
        turns=_both("in", "self", rng),
        shapes=np.repeat(_shape("C", signer)[None], 2, 0) + 0.08 * rng.standard_normal((2, 16)),
    )


def idling(signer: Signer, rng: np.random.Generator, seconds: float) -> Iterator[Posture]:
    """Postures that fill about that many seconds without a sign: rest, fidgets, gestures."""
    left = seconds
    yield (first := resting(signer, rng, min(left, 0.6 + 2.5 * rng.random()), "still"))
    left -= first.seconds + 0.5
    shares = np.cumsum([share for _, share in _IDLE])
    while left > 1.2:
        make, _ = _IDLE[int(np.searchsorted(shares, rng.random() * shares[-1], "right"))]
        posture = make(signer, rng)
        yield posture
        after = min(max(left - posture.seconds - 1.0, 0.3), 0.8 + 5.0 * rng.random())
        yield (back := resting(signer, rng, after, "still"))
        left -= posture.seconds + back.seconds + 1.0


def _shape(name: str, signer: Signer) -> Array:
    which = next(i for i, shape in enumerate(HANDSHAPES) if shape.name == name)
    return all_handshapes()[which] + signer.shape_offset[which]


def _both(fingers: str, palm: str, rng: np.random.Generator) -> Array:
    """(2, 6): both hands turned so, each seen on its own side."""
    turn = np.array([*VECTORS[fingers], *VECTORS[palm]], float)
    return np.repeat(turn[None], 2, 0) + 0.12 * rng.standard_normal((2, 6))


def _one_hand(
    signer: Signer, rng: np.random.Generator, kind: str, at: Array, fingers: Array, palm: Array,
    shape: str, seconds: float,
) -> Posture:  # fmt: skip
    """The dominant hand at ``at``, the other at rest."""
    down = resting(signer, rng, seconds, kind)
    wrists, turns, shapes = down.wrists.copy(), down.turns.copy(), down.shapes.copy()
    wrists[0] = at + 0.015 * rng.standard_normal(3)
    turns[0] = np.concatenate([fingers, palm]) + 0.10 * rng.standard_normal(6)
    shapes[0] = _shape(shape, signer) + 0.06 * rng.standard_normal(16)
    return replace(down, wrists=wrists, turns=turns, shapes=shapes)


def _shift(signer: Signer, rng: np.random.Generator) -> Posture:
    posture = resting(signer, rng, 0.3 + 0.8 * rng.random(), "shift")
    return replace(posture, wrists=posture.wrists + 0.05 * rng.standard_normal((2, 3)))


def _scratch(signer: Signer, rng: np.random.Generator) -> Posture:
    """The dominant hand at the other forearm, rubbing."""
    at = np.array([-0.25, -1.15, 0.60]) * signer.shoulders
    seconds = 0.8 + 1.4 * rng.random()
    posture = _one_hand(
        signer, rng, "scratch", at, np.array([-0.8, -0.3, 0.3]), np.array([-0.2, -0.8, -0.5]),
        "claw-5", seconds,
    )  # fmt: skip
    along = np.zeros((2, 3))
    along[0] = 0.03, 0.015, 0
    return replace(posture, along=along, strokes=round(1.5 * seconds) + 1)


def _touch(signer: Signer, rng: np.random.Generator) -> Posture:
    """A hand to the face or the hair, once."""
    names = ("cheek", "ear", "temple", "nose", "chin", "forehead")
    name = names[int(rng.random() * len(names))]
    place = next(i for i, known in enumerate(LOCATIONS) if known.name == name)
    fingers = np.array([-0.45, 0.85, -0.25])
    at = where(place, signer) - 0.75 * signer.hand * fingers
    shape = ("relaxed", "1", "C", "5")[int(rng.random() * 4)]
    palm = np.array([-0.4, 0.0, -0.9])
    seconds = 0.4 + 1.1 * rng.random()
    posture = _one_hand(signer, rng, "touch", at, fingers, palm, shape, seconds)
    along = np.zeros((2, 3))
    along[0] = 0.015 * rng.standard_normal(3)
    return replace(posture, along=along, strokes=1 + int(2 * rng.random()))


def _adjust(signer: Signer, rng: np.random.Generator) -> Posture:
    """Both hands at the clothes."""
    at = np.array([[0.20, -0.55 - 0.4 * rng.random(), 0.42]] * 2) * signer.shoulders
    posture = resting(signer, rng, 0.6 + 0.9 * rng.random(), "adjust")
    along = np.array([[0.0, -0.04, 0.01]] * 2) * (0.5 + rng.random())
    return replace(
        posture, wrists=at + 0.02 * rng.standard_normal((2, 3)), turns=_both("in", "self", rng),
        shapes=np.repeat(_shape("O", signer)[None], 2, 0) + 0.06 * rng.standard_normal((2, 16)),
        along=along, strokes=1 + int(2 * rng.random()),
    )  # fmt: skip


def _shrug(signer: Signer, rng: np.random.Generator) -> Posture:
    at = np.array([[0.75, -0.60, 0.60]] * 2) * signer.shoulders
    return replace(
        resting(signer, rng, 0.4 + 0.5 * rng.random(), "shrug"),
        wrists=at + 0.02 * rng.standard_normal((2, 3)), turns=_both("front", "up", rng),
        shapes=np.repeat(_shape("5", signer)[None], 2, 0), head="tilt", lift=0.025,
    )  # fmt: skip


def _point(signer: Signer, rng: np.random.Generator) -> Posture:
    """At a screen beside the signer."""
    at = np.array([0.95, -0.10 + 0.3 * rng.random(), 0.55]) * signer.shoulders
    return _one_hand(
        signer, rng, "point", at, np.array([0.8, 0.2, 0.5]), np.array([-0.3, -0.9, 0.2]), "1",
        0.5 + 1.2 * rng.random(),
    )  # fmt: skip


def _clap(signer: Signer, rng: np.random.Generator) -> Posture:
    at = np.array([[0.17, -0.50, 0.70]] * 2) * signer.shoulders
    claps = 3 + int(6 * rng.random())
    return replace(
        resting(signer, rng, claps * 0.26, "clap"), wrists=at, turns=_both("up", "in", rng),
        shapes=np.repeat(_shape("B", signer)[None], 2, 0),
        along=np.array([[-0.09, 0.0, 0.0]] * 2), strokes=claps,
    )  # fmt: skip


def _listen(signer: Signer, rng: np.random.Generator) -> Posture:
    return replace(resting(signer, rng, 1.0 + 3.0 * rng.random(), "listen"), head="nod")


_IDLE: tuple[tuple[Callable[[Signer, np.random.Generator], Posture], float], ...] = (
    (_shift, 0.30), (_scratch, 0.12), (_touch, 0.14), (_adjust, 0.10), (_shrug, 0.07),
    (_point, 0.07), (_clap, 0.04), (_listen, 0.16),
)  # fmt: skip
