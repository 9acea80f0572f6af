"""Left and right told apart where the data does not say.

A hand detector without a body (MediaPipe Hands as in WLASL's hand clips) lists
hands in the order it found them. Three things tell whose they are: where a hand
is (the signer's right hand is mostly at the left of the picture), where it
comes from (the forearm reaches in from its own side, so fingers point to the
other; the thumb lies to the middle), and that a hand does not jump from one
frame to the next. The first two give each detection log-odds; the third couples
frames; the likeliest sequence of names is found by dynamic programming over the
two ways of naming a frame. benchmarks/hands_left_right.py measures it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

WRIST, THUMB_TIP, INDEX_MCP, MIDDLE_MCP, PINKY_MCP = 0, 4, 5, 9, 17

PLACE, POINTING, PALM, THUMB = -18.0, 9.0, -4.0, 3.0
"""Log-odds for 'right hand' of a unit of: distance of the hand's middle from the picture's
(picture widths, to the right); wrist to middle knuckle, little knuckle to index knuckle, little
knuckle to thumb tip, each its x over the size of the palm. Logistic regressions on three
labelled sets of clips agree on them to within a factor of 1.5."""

WEIGHT = 0.5
"""Neighbouring frames say nearly the same, so each counts less than one."""

LOUDEST = 3.0
"""No detection says more than this (log-odds, after the weight)."""

STRIDE = 0.7
"""How far a hand goes in a frame, as a standard deviation (sizes of its palm)."""

LEAP = 6.0
"""The most that a jump costs (log-odds) when the hand was seen in the frame before …"""

FORGET = 5.0
"""… and how many unseen frames halve that."""


def assign_hands(
    slots: NDArray[np.floating], *, middle: float = 0.5, width: float = 1.0, mirrored: bool = False
) -> NDArray[np.floating]:
    """Hands in detection order → hands ordered [left, right], the signer's own.

    slots: (frames, 2, 21, 2 or 3), NaN where no hand was found; x to the right,
        in picture widths unless ``width`` says how wide the picture is.
    middle: x of the signer's middle.
    mirrored: whether the picture is a mirror image (the right hand at its right).

    Returns the same array with the two slots of some frames exchanged. A hand
    stays one detection; nothing is filled in.

    Raises ValueError for another shape.
    """
    if slots.ndim != 4 or slots.shape[1:3] != (2, 21) or slots.shape[3] not in (2, 3):
        raise ValueError(
            f"hands have shape {slots.shape}, expected (frames, 2, 21, 2 or 3); "
            "give both slots of every frame, NaN where a slot is empty"
        )
    plane = slots[..., :2].astype(np.float64) / width
    present: NDArray[np.bool_] = np.asarray(np.isfinite(plane).all(axis=(2, 3)))
    plane = np.where(present[:, :, None, None], plane, 0)
    odds, size = _evidence(plane, middle / width)
    exchanged = _likeliest(plane.mean(axis=2), size, -odds if mirrored else odds, present)
    out = slots.copy()
    out[exchanged] = out[exchanged][:, ::-1]
    return out


def _evidence(
    hands: NDArray[np.float64], middle: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(frames, 2): log-odds that a detection is a right hand, and the size of its palm."""
    x = hands[..., 0]

    def length(a: int, b: int) -> NDArray[np.float64]:
        return np.linalg.norm(hands[:, :, a] - hands[:, :, b], axis=-1)

    size = length(WRIST, MIDDLE_MCP) + length(INDEX_MCP, PINKY_MCP) + 1e-6
    odds = PLACE * (x.mean(axis=2) - middle)
    for weight, a, b in (
        (POINTING, MIDDLE_MCP, WRIST),
        (PALM, INDEX_MCP, PINKY_MCP),
        (THUMB, THUMB_TIP, PINKY_MCP),
    ):
        odds += weight * (x[:, :, a] - x[:, :, b]) / size
    return np.clip(WEIGHT * odds, -LOUDEST, LOUDEST), size


def _likeliest(
    centre: NDArray[np.float64],
    size: NDArray[np.float64],
    odds: NDArray[np.float64],
    present: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """(frames,): whether slot 0 is the right hand, in the cheapest sequence of namings.

    Each of the two namings of a frame keeps the cheapest way to reach it, and on
    that way when and where either hand was last seen. A jump from there costs the
    squared distance over the variance of the gap, at most LEAP.
    """
    frames = np.flatnonzero(present.any(axis=1)).tolist()
    places, sizes, seen = centre.tolist(), size.tolist(), present.tolist()
    said = odds.tolist()
    ways: list[tuple[float, list]] = [(0.0, [None, None])]
    steps: list[tuple[int, int]] = []
    for t in frames:
        reached = []
        for right in (0, 1):  # the slot that is the right hand
            best: tuple[float, list, int] = (math.inf, [], 0)
            for k, (cost, last) in enumerate(ways):
                now = list(last)
                for slot in (0, 1):
                    if not seen[t][slot]:
                        continue
                    hand = int(slot == right)  # 0 left, 1 right
                    cost += -said[t][slot] if hand else said[t][slot]
                    cost += _jump(last[hand], t, places[t][slot], sizes[t][slot])
                    now[hand] = (t, *places[t][slot])
                if cost < best[0]:
                    best = (cost, now, k)
            reached.append(best)
        ways = [(cost, now) for cost, now, _ in reached]
        steps.append((reached[0][2], reached[1][2]))
    exchanged = np.zeros(len(present), bool)
    way = min(range(len(ways)), key=lambda k: ways[k][0])
    for t, step in zip(reversed(frames), reversed(steps), strict=True):
        exchanged[t] = way == 0  # slot 0 is the right hand
        way = step[way]
    return exchanged


def _jump(last: tuple[int, float, float] | None, t: int, place: list[float], size: float) -> float:
    if last is None:
        return 0.0
    gap = t - last[0]
    squared = (place[0] - last[1]) ** 2 + (place[1] - last[2]) ** 2
    most = LEAP * 0.5 ** ((gap - 1) / FORGET)
    return min(squared / (2 * gap * (STRIDE * size) ** 2), most)
