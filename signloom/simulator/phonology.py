"""Signs as bundles of phonological parameters, drawn from (language seed, word).

The parameters are the field's (Stokoe; HamNoSys; the Prosodic Model): handshape,
location, orientation, movement, handedness and the non-manuals. The signs are an
instrument's, not a sign language's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, TypeVar

import numpy as np

from signloom.errors import UsageError, nearest

Path = Literal["none", "straight", "arc", "circle", "zigzag"]
Local = Literal["none", "wiggle", "twist", "open-close", "nod"]
Handedness = Literal["one", "symmetric", "alternating", "base"]
Brows = Literal["neutral", "raised", "furrowed"]
Head = Literal["none", "nod", "shake", "tilt"]
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Handshape:
    """A named handshape, in the finger code of ``body.handshape_angles``.

    fingers: four letters, index to pinky: e extended, r relaxed, b bent at the
        knuckle, h hooked, c curved, o meeting the thumb, k closed.
    thumb: side, out, in, over, opposed, pinch or up.
    spread: degrees between neighbouring fingers; below 0 index and middle cross.
    weight: how often a language uses it; unmarked handshapes have more.
    """

    name: str
    fingers: str
    thumb: str
    spread: float = 0.0
    weight: float = 1.0


HANDSHAPES: tuple[Handshape, ...] = (
    Handshape("B", "eeee", "side", 0.0, 5.0),
    Handshape("A", "kkkk", "side", 0.0, 4.0),
    Handshape("5", "eeee", "out", 16.0, 5.0),
    Handshape("1", "ekkk", "in", 0.0, 5.0),
    Handshape("S", "kkkk", "over", 0.0, 3.0),
    Handshape("C", "cccc", "opposed", 3.0, 3.0),
    Handshape("O", "oooo", "pinch", 0.0, 3.0),
    Handshape("V", "eekk", "in", 14.0, 2.5),
    Handshape("U", "eekk", "in", 0.0, 2.0),
    Handshape("L", "ekkk", "out", 0.0, 2.0),
    Handshape("Y", "kkke", "out", 8.0, 2.0),
    Handshape("I", "kkke", "over", 0.0, 1.5),
    Handshape("F", "oeee", "pinch", 12.0, 2.0),
    Handshape("W", "eeek", "in", 12.0, 1.5),
    Handshape("3", "eekk", "out", 14.0, 1.5),
    Handshape("4", "eeee", "in", 14.0, 1.5),
    Handshape("X", "hkkk", "over", 0.0, 1.5),
    Handshape("G", "bkkk", "opposed", 0.0, 1.0),
    Handshape("H", "eekk", "side", 0.0, 1.0),
    Handshape("R", "eekk", "in", -7.0, 1.0),
    Handshape("K", "ebkk", "up", 6.0, 1.0),
    Handshape("bent-B", "bbbb", "side", 0.0, 2.0),
    Handshape("flat-O", "bbbb", "pinch", 0.0, 2.0),
    Handshape("claw-5", "hhhh", "out", 16.0, 2.0),
    Handshape("claw-3", "hhkk", "out", 12.0, 1.0),
    Handshape("bent-V", "hhkk", "in", 12.0, 1.0),
    Handshape("bent-U", "bbkk", "in", 0.0, 0.8),
    Handshape("bent-L", "hkkk", "out", 0.0, 1.0),
    Handshape("baby-O", "okkk", "pinch", 0.0, 1.2),
    Handshape("open-A", "kkkk", "up", 0.0, 1.5),
    Handshape("E", "hhhh", "in", 0.0, 0.8),
    Handshape("8", "eoee", "pinch", 10.0, 0.8),
    Handshape("7", "eeoe", "pinch", 10.0, 0.6),
    Handshape("6", "eeeo", "pinch", 10.0, 0.6),
    Handshape("ILY", "ekke", "out", 4.0, 0.8),
    Handshape("horns", "ekke", "over", 4.0, 0.8),
    Handshape("open-8", "ebee", "out", 12.0, 0.8),
    Handshape("flat-C", "bbbb", "opposed", 2.0, 1.0),
    Handshape("spread-C", "cccc", "out", 12.0, 1.0),
    Handshape("open-F", "beee", "out", 10.0, 0.8),
    Handshape("relaxed", "rrrr", "side", 5.0, 1.0),
    Handshape("T", "ckkk", "up", 0.0, 0.6),
    Handshape("middle", "kekk", "over", 0.0, 0.4),
    Handshape("M", "bbbk", "in", 0.0, 0.6),
)
"""Forty and more handshapes; the first seven are the unmarked ones."""

UNMARKED = tuple(range(7))
RELAXED = next(i for i, shape in enumerate(HANDSHAPES) if shape.name == "relaxed")


@dataclass(frozen=True)
class Location:
    """A place that signs are made at.

    at: (x towards the dominant side, y up, z to the front), in shoulder widths
        from the middle between the shoulders.
    kind: "head" and "torso" places can be touched, "neutral" ones are in the air.
    two: whether both hands can be here, each on its own side.
    """

    name: str
    at: tuple[float, float, float]
    kind: Literal["head", "torso", "arm", "neutral", "hand"]
    two: bool = True


LOCATIONS: tuple[Location, ...] = (
    Location("neutral-centre", (0.14, -0.42, 0.92), "neutral"),
    Location("neutral-high", (0.16, -0.05, 0.90), "neutral"),
    Location("neutral-low", (0.16, -0.80, 0.85), "neutral"),
    Location("neutral-side", (0.72, -0.35, 0.75), "neutral"),
    Location("neutral-side-high", (0.80, 0.10, 0.65), "neutral"),
    Location("neutral-side-low", (0.75, -0.85, 0.60), "neutral"),
    Location("neutral-far", (0.22, -0.30, 1.25), "neutral"),
    Location("neutral-across", (-0.38, -0.40, 0.85), "neutral", False),
    Location("above-head", (0.35, 1.15, 0.40), "neutral"),
    Location("beside-head", (0.72, 0.62, 0.42), "neutral"),
    Location("forehead", (0.06, 0.92, 0.42), "head"),
    Location("temple", (0.26, 0.84, 0.32), "head"),
    Location("eye", (0.14, 0.78, 0.42), "head"),
    Location("nose", (0.04, 0.68, 0.48), "head", False),
    Location("cheek", (0.22, 0.62, 0.36), "head"),
    Location("ear", (0.32, 0.72, 0.14), "head"),
    Location("mouth", (0.04, 0.53, 0.44), "head", False),
    Location("chin", (0.04, 0.41, 0.40), "head", False),
    Location("other-cheek", (-0.20, 0.62, 0.38), "head", False),
    Location("neck", (0.08, 0.20, 0.28), "torso", False),
    Location("shoulder", (0.42, -0.02, 0.28), "torso"),
    Location("other-shoulder", (-0.40, -0.06, 0.34), "torso", False),
    Location("chest", (0.08, -0.35, 0.40), "torso"),
    Location("chest-side", (0.34, -0.40, 0.38), "torso"),
    Location("other-chest", (-0.28, -0.38, 0.42), "torso", False),
    Location("belly", (0.08, -0.85, 0.42), "torso"),
    Location("waist-side", (0.42, -0.95, 0.35), "torso"),
    Location("other-upper-arm", (-0.62, -0.38, 0.34), "arm", False),
    Location("other-hand", (0.02, -0.50, 0.75), "hand", False),
)
"""Places on head, body, other arm and other hand, and in the air before the signer."""

ON_HAND = next(i for i, place in enumerate(LOCATIONS) if place.name == "other-hand")

ORIENTATIONS: tuple[tuple[str, str], ...] = (
    ("away", "up"), ("away", "in"), ("in", "up"), ("in", "front"), ("self", "up"),
    ("self", "in"), ("down", "front"), ("down", "in"), ("up", "front"), ("up", "in"),
    ("in", "down"), ("down", "down-front"), ("self", "down"), ("out", "up"), ("away", "up-in"),
    ("self", "up-in"),
)  # fmt: skip
"""(palm faces, fingers point): in = to the other side, out = to the hand's own side."""

DIRECTIONS = ("out", "in", "up", "down", "front", "back", "up-out", "down-out", "up-in", "down-in")
"""Where a movement goes, seen from the dominant hand."""

SIZES = (0.22, 0.38, 0.58)
"""Lengths of a movement, in shoulder widths."""

VISEMES: dict[str, tuple[float, float, float, float]] = {
    "rest": (0.0, 0.0, 0.0, 0.0),
    "aa": (0.95, 0.0, 0.10, 0.0),
    "eh": (0.55, 0.0, 0.55, 0.0),
    "ee": (0.22, 0.0, 1.0, 0.0),
    "oh": (0.70, 0.80, 0.0, 0.0),
    "oo": (0.25, 1.0, 0.0, 0.0),
    "mbp": (0.0, 0.05, 0.0, 1.0),
    "fv": (0.12, 0.0, 0.30, 0.75),
    "l": (0.40, 0.0, 0.35, 0.0),
    "s": (0.12, 0.0, 0.75, 0.0),
    "sh": (0.28, 0.65, 0.0, 0.0),
    "k": (0.35, 0.10, 0.15, 0.0),
    "puff": (0.0, 0.45, 0.0, 0.9),
    "stretch": (0.05, 0.0, 1.2, 0.4),
}
"""Mouth states: openness, rounding, spread, lips pressed in; 0 to about 1."""

_OF_LETTER = {
    **dict.fromkeys("a", "aa"), **dict.fromkeys("e", "eh"), **dict.fromkeys("iy", "ee"),
    **dict.fromkeys("o", "oh"), **dict.fromkeys("uw", "oo"), **dict.fromkeys("mbp", "mbp"),
    **dict.fromkeys("fv", "fv"), **dict.fromkeys("ldtn", "l"), **dict.fromkeys("szcx", "s"),
    **dict.fromkeys("jr", "sh"), **dict.fromkeys("kgqh", "k"),
}  # fmt: skip
_GESTURES = (
    ("puff", "rest"), ("stretch",), ("oo", "aa"), ("mbp", "aa"), ("fv", "oo"), ("sh", "sh"),
    ("oh", "mbp"), ("ee", "oo"),
)  # fmt: skip


@dataclass(frozen=True)
class Orientation:
    """Where palm and fingers point, one of ``ORIENTATIONS``."""

    palm: str
    fingers: str


@dataclass(frozen=True)
class Movement:
    """How a sign moves.

    direction: index into DIRECTIONS; size: index into SIZES.
    repetition: how many strokes, 1 or more.
    """

    path: Path
    direction: int
    size: int
    repetition: int
    local: Local


@dataclass(frozen=True)
class Sign:
    """One sign: the choice it makes in every phonological parameter.

    handshapes: (first, last), indices into HANDSHAPES; equal where the hand does not change.
    location: index into LOCATIONS; contact: whether the hand touches there.
    base_handshape: of the resting other hand, for handedness "base" alone.
    mouthing: viseme names.
    """

    handshapes: tuple[int, int]
    location: int
    contact: bool
    orientation: Orientation
    movement: Movement
    handedness: Handedness
    base_handshape: int | None
    mouthing: tuple[str, ...]
    brows: Brows = "neutral"
    head: Head = "none"


PLACES: dict[str, tuple[int, str, str, str]] = {
    "self": (
        LOCATIONS.index(next(p for p in LOCATIONS if p.name == "chest")),
        "self",
        "in",
        "back",
    ),
    "you": (6, "down", "front", "front"),
    "right": (3, "down", "front", "out"),
    "left": (7, "down", "in", "in"),
    "near": (2, "down", "down-front", "down"),
    "far": (1, "away", "up", "up"),
}
"""Where pointing goes: place → (location, palm, fingers, direction); seen from the dominant hand."""


def draws(*key: object) -> np.random.Generator:
    """A generator that depends on the key alone, the same in every process."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


def pick(
    rng: np.random.Generator, values: Sequence[Choice], weights: Sequence[float] | None = None
) -> Choice:
    """One of ``values``, as likely as its weight."""
    share = np.cumsum(np.ones(len(values)) if weights is None else np.asarray(weights, float))
    return values[
        min(int(np.searchsorted(share, rng.random() * share[-1], "right")), len(values) - 1)
    ]


def visemes(word: str) -> tuple[str, ...]:
    """The mouth states of speaking a word, at most five, none twice in a row."""
    states: list[str] = []
    for letter in word.lower():
        state = _OF_LETTER.get(letter)
        if state and (not states or states[-1] != state):
            states.append(state)
    if len(states) > 5:
        states = [states[round(i * (len(states) - 1) / 4)] for i in range(5)]
    return tuple(states) or ("rest",)


@lru_cache(maxsize=8192)
def sign_of(word: str, language_seed: int) -> Sign:
    """The sign of a word in a simulated language: the same for the same (word, language)."""
    rng = draws("sign", language_seed, word.lower())
    handedness: Handedness = pick(
        rng, ("one", "symmetric", "alternating", "base"), (9.0, 5.0, 2.0, 4.0)
    )
    first = _handshape(rng)
    last = _handshape(rng) if rng.random() < 0.22 else first
    location = _location(rng, handedness)
    mouthing = pick(rng, _GESTURES) if rng.random() < 0.12 else visemes(word)
    return Sign(
        handshapes=(first, last),
        location=location,
        contact=_touchable(location) and rng.random() < 0.75,
        orientation=_orientation(rng),
        movement=_movement(rng, changing=first != last),
        handedness=handedness,
        base_handshape=_base(rng, first) if handedness == "base" else None,
        mouthing=mouthing,
        brows=pick(rng, ("neutral", "raised", "furrowed"), (8.0, 1.0, 1.0)),
        head=pick(rng, ("none", "nod", "tilt"), (8.0, 1.0, 1.0)),
    )


def minimal_pair(sign: Sign, word: str, language_seed: int) -> Sign:
    """A sign that differs from ``sign`` in exactly one of handshape, location, orientation, movement."""
    rng = draws("pair", language_seed, word.lower())
    parameters = ["handshapes", "location", "orientation", "movement"]
    if sign.handedness == "base" or sign.contact:
        parameters.remove("location")
    if sign.base_handshape is not None and sign.base_handshape not in UNMARKED:
        parameters.remove("handshapes")  # a marked base must stay the twin of the first
    which = pick(rng, parameters)
    other = sign
    while other == sign:
        if which == "handshapes":
            first = _handshape(rng)
            if sign.handshapes[0] != sign.handshapes[1] and first == sign.handshapes[1]:
                continue
            kept = sign.handshapes[1] if sign.handshapes[0] != sign.handshapes[1] else first
            other = replace(sign, handshapes=(first, kept))
            if sign.base_handshape is not None and not _dominance(other):
                other = sign
        elif which == "location":
            other = replace(sign, location=_location(rng, sign.handedness))
        elif which == "orientation":
            other = replace(sign, orientation=_orientation(rng))
        else:
            other = replace(
                sign, movement=_movement(rng, changing=sign.handshapes[0] != sign.handshapes[1])
            )
    return other


def homonym(sign: Sign, word: str) -> Sign:
    """A sign with the same hands that another mouthing alone tells apart."""
    mouthing = visemes(word)
    if mouthing == sign.mouthing:
        mouthing = (*mouthing, "oo" if mouthing[-1] != "oo" else "aa")
    return replace(sign, mouthing=mouthing)


def letter_sign(ch: str, language_seed: int) -> Sign:
    """The fingerspelled letter ``ch`` (a–z). Raises UsageError for anything else."""
    letter = ch.lower()
    if len(letter) != 1 or not "a" <= letter <= "z":
        raise UsageError(f"'{ch}' cannot be fingerspelled; give one letter from a to z")
    rng = draws("alphabet", language_seed)
    order = np.argsort(rng.random(len(HANDSHAPES) - 1))
    shapes = [int(i) for i in order if i != RELAXED]
    number = ord(letter) - ord("a")
    rng = draws("letter", language_seed, letter)
    palm, fingers = pick(rng, ORIENTATIONS[:3], (5.0, 1.0, 2.0))
    moving = rng.random() < 0.12
    return Sign(
        handshapes=(shapes[number], shapes[number]),
        location=4,
        contact=False,
        orientation=Orientation(palm, fingers),
        movement=Movement("arc" if moving else "none", int(rng.random() * 4), 0, 1, "none"),
        handedness="one",
        base_handshape=None,
        mouthing=visemes(letter),
    )


def point_sign(place: str) -> Sign:
    """Pointing at one of PLACES. Raises UsageError for a place that is not set."""
    if place not in PLACES:
        raise UsageError(
            f"there is no place '{place}' to point at{nearest(place, list(PLACES))}; "
            f"the set places are {', '.join(PLACES)}"
        )
    location, palm, fingers, direction = PLACES[place]
    return Sign(
        handshapes=(3, 3),
        location=location,
        contact=place == "self",
        orientation=Orientation(palm, fingers),
        movement=Movement("straight", DIRECTIONS.index(direction), 0, 1, "none"),
        handedness="one",
        base_handshape=None,
        mouthing=("rest",),
    )


def _handshape(rng: np.random.Generator) -> int:
    return pick(rng, range(len(HANDSHAPES)), [shape.weight for shape in HANDSHAPES])


def _touchable(location: int) -> bool:
    return LOCATIONS[location].kind != "neutral"


def _location(rng: np.random.Generator, handedness: Handedness) -> int:
    if handedness == "base":
        return ON_HAND
    weight = {"neutral": 2.0, "head": 1.2, "torso": 1.0, "arm": 0.6, "hand": 0.0}
    weights = [
        0.0 if handedness != "one" and not place.two else weight[place.kind] for place in LOCATIONS
    ]
    return pick(rng, range(len(LOCATIONS)), weights)


def _orientation(rng: np.random.Generator) -> Orientation:
    return Orientation(*pick(rng, ORIENTATIONS))


def _movement(rng: np.random.Generator, changing: bool) -> Movement:
    path: Path = pick(
        rng, ("none", "straight", "arc", "circle", "zigzag"), (2.0, 6.0, 4.0, 3.0, 1.5)
    )
    local: Local = "none"
    if not changing and (path == "none" or rng.random() < 0.15):
        local = pick(rng, ("wiggle", "twist", "nod"), (2.0, 2.0, 2.0))
    elif changing and (path == "none" or rng.random() < 0.3):
        local = "open-close"
    return Movement(
        path=path,
        direction=pick(rng, range(len(DIRECTIONS))),
        size=pick(rng, range(len(SIZES)), (3.0, 5.0, 3.0)),
        repetition=pick(rng, (1, 2, 3), (5.0, 4.0, 1.0)),
        local=local,
    )


def _base(rng: np.random.Generator, first: int) -> int:
    return first if rng.random() < 0.4 else pick(rng, UNMARKED)


def _dominance(sign: Sign) -> bool:
    return sign.base_handshape in (*UNMARKED, sign.handshapes[0])
