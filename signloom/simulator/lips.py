"""Mouth crops of a simulated signer: ``sim-lips-v1``.

The lips stand where the signer's face mesh has them (``face``): the corners of the mouth
and the outer edges of the lips are moved by the mouth's state, and everything between
is drawn. Skin, lips, teeth and beard are the signer's; light, sharpness and noise the
clip's. Nothing is drawn from the generators that make the pose, so a clip is the same
with lips or without. Not drawn: hands before the mouth, the tongue's tip, cheeks.

Only sums, products, quotients, roots and comparisons enter, element by element, so that
the pictures are the same on every machine. An improvement is a new version, never an edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import Origin
from signloom.data.lips import CROP, Lips
from signloom.simulator.camera import Camera
from signloom.simulator.face import face_of, mean_face, movements
from signloom.simulator.perform import Performance
from signloom.simulator.phonology import draws
from signloom.simulator.signer import Signer

LIPS_VERSION = "sim-lips-v1"
PIXELS = 184.0
"""Pixels of a crop from forehead to chin of the mean face: its mouth is 46 wide."""

_POINTS = (61, 291, 0, 17)
"""Right and left corner of the mouth; on the middle line the upper and the lower lip's outer edge."""
_THICK_UP, _THICK_LOW = np.float32(6.5), np.float32(8.0)
"""Pixels of lips of usual thickness, on the middle line, at rest."""
_MOUTH = 4
"""How many of ``face.CHANNELS`` move the mouth: open, round, spread, pressed."""
_FRAMES = 16
"""Drawn at a time, so that the pictures in work stay in the processor's cache."""

Array = NDArray[np.float32]
Real = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Mouth:
    """How a signer's mouth looks; greys in [0, 1].

    skin, lip, inside, tooth: greys in even light. full: scale of the lips' thickness.
    upper: how much darker the upper lip is. tooth_high: pixels of upper teeth that show.
    beard: 0 for none; moustache and chin are darker by that share.
    texture: (96, 96), the skin's unevenness, about 0.
    """

    skin: float
    lip: float
    inside: float
    tooth: float
    full: float
    upper: float
    tooth_high: float
    beard: float
    texture: Array


@dataclass(frozen=True)
class Light:
    """How a clip is lit and filmed.

    level: factor of all greys; across, down: how much it changes from edge to edge.
    blur: pixels over which an edge is smeared; noise: the sensor's, in greys.
    """

    level: float
    across: float
    down: float
    blur: float
    noise: float


def mouth_of(signer: Signer) -> Mouth:
    """The look of a signer's mouth: the same for the same signer."""
    rng = draws(LIPS_VERSION, "mouth", signer.id)
    skin, lip, inside, tooth, full, upper, high, beard, more = (float(v) for v in rng.random(9))
    skin = 0.30 + 0.50 * skin
    coarse = rng.standard_normal((13, 13)).astype(np.float32)
    return Mouth(
        skin=skin,
        lip=skin * (0.62 + 0.28 * lip),
        inside=0.05 + 0.08 * inside,
        tooth=0.70 + 0.22 * tooth,
        full=0.75 + 0.5 * full,
        upper=0.08 + 0.14 * upper,
        tooth_high=4.0 + 4.0 * high,
        beard=0.0 if beard < 0.75 else 0.15 + 0.35 * more,
        texture=0.02 * _enlarged(coarse),
    )


def light_of(camera: Camera, rng: np.random.Generator) -> Light:
    """Light as rooms have it; the smaller the signer in the picture, the more blurred the mouth."""
    level, across, down, noise, focus = (float(v) for v in rng.random(5))
    pixels = camera.zoom * camera.width * 0.19 / 0.36  # forehead to chin, in the picture
    return Light(
        level=0.75 + 0.45 * level,
        across=0.5 * (across - 0.5),
        down=0.3 * (down - 0.5),
        blur=1.5 + 0.8 * focus + 0.5 * min(PIXELS / pixels, 4.0),
        noise=0.008 + 0.022 * noise,
    )


def lips_of(
    performance: Performance,
    signer: Signer,
    camera: Camera,
    rng: np.random.Generator,
    id: str = "",
    origin: Origin = Origin(),
    light: Light | None = None,
) -> Lips:
    """The crops of a performance, one a frame, all present; ``rng`` must be the lips' own.

    light: how they are lit, where that is drawn already; None: drawn from ``rng`` first.
    """
    look, light = mouth_of(signer), light or light_of(camera, rng)
    at = _landmarks(performance, signer, rng)
    frames = np.empty((len(performance), CROP, CROP), np.uint8)
    skin = _skin(look)
    for first in range(0, len(frames), _FRAMES):
        piece = slice(first, first + _FRAMES)
        mouth = performance.face[piece, :_MOUTH].astype(np.float32)
        grey = _draw(at[piece], mouth, look, light, skin)
        grey *= 255.0
        grey += (255.0 * light.noise) * _NORMAL[rng.integers(0, 256, grey.shape, np.uint8)]
        np.clip(np.rint(grey, out=grey), 0, 255, out=grey)
        frames[piece] = grey
    frames.setflags(write=False)
    return Lips(frames, np.ones(len(frames), bool), performance.fps, id, origin)


def _landmarks(performance: Performance, signer: Signer, rng: np.random.Generator) -> Array:
    """(frames, 4, 2): ``_POINTS`` in pixels of the crop, x to the right and y down from its middle."""
    rest = face_of(signer.face)[list(_POINTS), :2]
    moves = movements()[:_MOUTH, list(_POINTS), :2]
    points = np.repeat(rest[None], len(performance), 0)
    for channel in range(_MOUTH):
        points = points + performance.face[:, channel, None, None] * moves[channel]
    middle = mean_face()[list(_POINTS[:2]), 1].mean()
    points = (points - np.array([0.0, middle])) * np.array([-PIXELS, -PIXELS])
    yaw = performance.head[:, 0]
    points[..., 0] *= (1 - 0.5 * yaw * yaw)[:, None]
    drift = rng.standard_normal((3, len(performance) + 12))  # what smoothed landmarks leave
    slow = np.stack([sum(row[k : k + len(performance)] for k in range(13)) for row in drift])
    x, y, roll = slow / np.sqrt(13.0)
    points[..., 1] += 0.012 * roll[:, None] * points[..., 0]
    points += 0.5 * np.stack([x, y], -1)[:, None]
    return points.astype(np.float32)


def _skin(look: Mouth) -> Array:
    """(96, 96): the face around the mouth, in even light but for nostrils, beard and texture."""
    y, x = _Y[0], _X[0]
    skin = look.skin + look.texture
    for side in (-1, 1):
        skin = skin * (1 - 0.55 * _bump(((x - 7 * side) / 5) ** 2 + ((y + 20) / 3.2) ** 2))
    hair = np.clip(((x / 30) ** 2 + (y / 12) ** 2 - 0.8) / 1.5, 0, 1)
    hair = hair * np.clip((62 - np.abs(x)) / 30, 0, 1) * np.clip((y + 24) / 9, 0, 1)
    return skin * (1 - look.beard * hair)


def _draw(at: Array, mouth: Array, look: Mouth, light: Light, skin: Array) -> Array:
    """(frames, 96, 96): the mouths, lit, as greys in [0, 1] and a little beyond."""
    opened, rounded, spread, pressed = (mouth[:, k, None, None] for k in range(_MOUTH))
    outer_top, inner_top, inner_low, outer_low, wide = _contours(at, look, pressed, rounded)
    lips = _between(outer_top, outer_low, light.blur) * _edge(wide, 3.0)
    hole = _between(inner_top - 0.3, inner_low + 0.3, light.blur) * _edge(wide - 3, 4.0)
    lower = _edge(_Y - (inner_top + inner_low) / 2, 4.0)
    shine = _bump(((_Y - inner_low - 0.45 * (outer_low - inner_low)) / 3.5) ** 2)
    tint = look.lip * (1 - look.upper + look.upper * lower)
    tint += (0.06 + 0.05 * rounded) * look.lip * shine
    gap = (inner_low - inner_top).max(2, keepdims=True)
    show = np.clip(1 - 1.2 * rounded, 0, 1) * np.clip((gap - 2.5) / 3, 0, 1)
    teeth = _edge(inner_top + look.tooth_high - _Y, light.blur)
    low_teeth = _edge(_Y - inner_low + 0.6 * look.tooth_high * spread, light.blur)
    teeth = show * np.maximum(teeth, low_teeth * np.clip(1.2 * spread - 0.5, 0, 1))
    tongue = 0.35 * look.skin * np.clip(2 * opened - 0.6, 0, 1)
    deep = tongue * _edge(_Y - inner_low + 0.35 * (inner_low - inner_top), 6.0) + look.inside
    deep += teeth * (look.tooth - deep)
    under = _bump(((_Y - outer_low - 6) / 6) ** 2) * np.clip((26 - np.abs(_X)) / 12, 0, 1)
    grey = skin * (1 - (0.16 + 0.10 * rounded) * under)
    grey += lips * (tint - grey)
    grey += hole * (deep - grey)
    grey *= light.level * (1 + light.across / CROP * _X + light.down / CROP * _Y)
    return grey


def _contours(
    at: Array, look: Mouth, pressed: Array, rounded: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Heights (frames, 1, 96) of outer and inner upper, inner and outer lower edge of the lips;
    and how many pixels a column is inside the corners of the mouth."""
    half = np.maximum((at[:, 1, 0] - at[:, 0, 0]) / 2, 4)[:, None, None]
    centre = ((at[:, 0, 0] + at[:, 1, 0]) / 2)[:, None, None]
    corner = ((at[:, 0, 1] + at[:, 1, 1]) / 2)[:, None, None]
    slope = ((at[:, 1, 1] - at[:, 0, 1]) / 2)[:, None, None] / half
    away = (_X - centre) / half
    line = corner + slope * (_X - centre)
    flat = np.maximum(1 - away * away, 0)
    bow = np.sqrt(flat)
    top, low = (at[:, k, 1][:, None, None] - corner for k in (2, 3))
    thin = 1 - 0.45 * pressed
    thick_up, thick_low = (t * thin + 3 * rounded for t in (_THICK_UP, _THICK_LOW))
    upper = top + thick_up
    lower = np.maximum(low - thick_low, upper)
    dip = 1.6 * _bump((away / 0.22) ** 2)  # Cupid's bow
    inner_top, inner_low = line + upper * flat, line + lower * flat
    outer_top = inner_top - look.full * thick_up * bow + dip
    outer_low = inner_low + look.full * thick_low * bow
    return outer_top, inner_top, inner_low, outer_low, (1 - np.abs(away)) * half


def _edge(distance: Real, blur: float) -> Array:
    """0 far below, 1 far above distance 0, straight between over ``blur`` pixels."""
    return np.clip(distance * np.float32(1 / blur) + np.float32(0.5), 0, 1)


def _between(top: Array, low: Array, blur: float) -> Array:
    return _edge(_Y - top, blur) * _edge(low - _Y, blur)


def _bump(squared: Real) -> Array:
    """1 at 0, 0 from 1 on, of a squared distance."""
    return np.maximum(1 - squared, 0) ** 2


def _enlarged(coarse: Array) -> Array:
    """(13, 13) → (96, 96), straight lines between."""
    place = np.arange(CROP, dtype=np.float32) / 8
    first = place.astype(int)
    share = (place - first).astype(np.float32)
    rows = coarse[first] + share[:, None] * (coarse[first + 1] - coarse[first])
    return rows[:, first] + share * (rows[:, first + 1] - rows[:, first])


def _normal() -> Array:
    """(256,): a bell by counting, sums of eight coin tosses in order; mean 0, deviation 1."""
    tosses = np.sort([bin(i).count("1") - 4 for i in range(256)]).astype(np.float32)
    return tosses / np.sqrt(np.float32(2))


_AXIS = np.arange(CROP, dtype=np.float32) - np.float32((CROP - 1) / 2)
_X, _Y = _AXIS[None, None, :], _AXIS[None, :, None]
_NORMAL = _normal()
