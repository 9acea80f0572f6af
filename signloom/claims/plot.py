"""Small plots as SVG, the same bytes for the same numbers on every machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDE, LEFT, RIGHT, ROW, TOP, BOTTOM = 640, 110, 24, 30, 14, 40
COLOURS = ("#1f5fa8", "#b5541c", "#3a7d44", "#7a4a9e", "#8a8a2b", "#a83253")


def rows(
    scores: Mapping[str, Sequence[float]],
    intervals: Mapping[str, Sequence[float | None]],
    metric: str,
) -> str:
    """An arm a row: a dot for each seed, a bar at the mean, a line over its 95 % interval of seeds."""
    values = [v for arm in scores.values() for v in arm]
    ends = [e for pair in intervals.values() for e in pair if e is not None]
    spread = max(max(values) - min(values), 1.0)
    # A t interval of three seeds can be wide; the axis follows the dots, not its far ends.
    low = max(min([*values, *ends]), min(values) - spread)
    high = min(max([*values, *ends]), max(values) + spread)
    ticks = _ticks(min(low, min(values)), max(high, max(values)))
    high_px = TOP + ROW * len(scores)

    def x(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDE - LEFT - RIGHT), 1)

    parts = [
        f'<line x1="{x(t)}" x2="{x(t)}" y1="{TOP}" y2="{high_px}" stroke="#ddd"/>'
        f'<text x="{x(t)}" y="{high_px + 16}" text-anchor="middle">{t:g}</text>'
        for t in ticks
    ]
    for number, (name, arm) in enumerate(scores.items()):
        y = TOP + ROW * number + ROW // 2
        colour = COLOURS[number % len(COLOURS)]
        mean = sum(arm) / len(arm)
        ends_ = intervals[name]
        if ends_[0] is not None and ends_[1] is not None:
            parts.append(
                f'<line x1="{x(ends_[0])}" x2="{x(ends_[1])}" y1="{y}" y2="{y}" stroke="{colour}"/>'
            )
        parts.append(
            f'<line x1="{x(mean)}" x2="{x(mean)}" y1="{y - 9}" y2="{y + 9}" stroke="{colour}" '
            'stroke-width="3"/>'
        )
        parts += [
            f'<circle cx="{x(v)}" cy="{y}" r="3.5" fill="{colour}" fill-opacity="0.55"/>'
            for v in arm
        ]
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
    label = f"{metric}: each seed, mean, 95 % interval over seeds"
    return _svg(parts, high_px + BOTTOM, label)


def curve(
    scores: Mapping[str, Sequence[Sequence[float]]], places: Sequence[str], metric: str
) -> str:
    """Scores over buckets: a line through the means of each arm, a dot for each seed."""
    values = [v for arm in scores.values() for row in arm for v in row]
    ticks = _ticks(min(0.0, min(values)), max(values))
    bottom = 240

    def x(place: int) -> float:
        return round(LEFT + 40 + place * (WIDE - LEFT - RIGHT - 80) / max(len(places) - 1, 1), 1)

    def y(value: float) -> float:
        return round(bottom - (value - ticks[0]) / (ticks[-1] - ticks[0]) * (bottom - TOP), 1)

    parts = [
        f'<line x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y(t)}" y2="{y(t)}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y(t) + 4}" text-anchor="end">{t:g}</text>'
        for t in ticks
    ]
    parts += [
        f'<text x="{x(i)}" y="{bottom + 16}" text-anchor="middle">{escape(name)}</text>'
        for i, name in enumerate(places)
    ]
    for number, (name, arm) in enumerate(scores.items()):
        colour = COLOURS[number % len(COLOURS)]
        means = [sum(row) / len(row) for row in arm]
        line = " ".join(f"{x(i)},{y(mean)}" for i, mean in enumerate(means))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(i)}" cy="{y(v)}" r="3.5" fill="{colour}" fill-opacity="0.55"/>'
            for i, row in enumerate(arm)
            for v in row
        ]
        parts.append(
            f'<text x="{x(len(arm) - 1) + 10}" y="{y(means[-1]) + 4}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return _svg(parts, bottom + BOTTOM, f"{metric} by the share of signs unseen in real training")


def _ticks(low: float, high: float) -> list[float]:
    """Round values around [low, high], four to nine of them."""
    span = max(high - low, 1e-6)
    step = 10.0 ** math.floor(math.log10(span))
    step = next(s for s in (step / 5, step / 2, step, 2 * step) if span / s <= 7)
    first, last = math.floor(low / step), math.ceil(high / step)
    if last == first:
        last += 1
    return [round(n * step, 10) for n in range(first, last + 1)]


def _svg(parts: Sequence[str], high: int, label: str) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {high}" width="{WIDE}" '
        f'height="{high}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{WIDE}" height="{high}" fill="#fff"/>\n{body}\n'
        f'<text x="{LEFT}" y="{high - 6}" fill="#555">{escape(label)}</text>\n</svg>\n'
    )
