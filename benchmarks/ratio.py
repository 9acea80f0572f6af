"""The lines that a benchmark's ratios are read from: higher is better, whatever is compared."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

NOISE = 1.3
"""Two runs on a busy machine differ by so much (docs/benchmarks.md); what is worse by more has slowed."""
LINE = re.compile(r"ratio ([^:]+): ([0-9.e+-]+) \(")


def ratio(name: str, value: float, said: str) -> None:
    """Prints a ratio, and of what it is."""
    print(f"ratio {name}: {value:.3g} ({said})", flush=True)


def growth(xs: Sequence[float], ys: Sequence[float]) -> str:
    """The power of x that y (seconds) grows with, from end to end, and y at each x."""
    power = math.log(ys[-1] / ys[0]) / math.log(xs[-1] / xs[0])
    each = ", ".join(f"{x:g}: {1000 * y:.3g} ms" for x, y in zip(xs, ys, strict=True))
    return f"power {power:.2f}; {each}"


def ratios_in(lines: Iterable[str]) -> dict[str, float]:
    """Name → ratio, of the lines that `ratio` printed."""
    found = (LINE.match(line) for line in lines)
    return {line[1]: float(line[2]) for line in found if line}


def lost(now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """What a benchmark no longer measures."""
    return [name for name in before if name not in now]


def slower(now: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """What has become worse by more than NOISE, of what both runs have, for people."""
    return [
        f"{name}: {now[name]:.3g}, before {before[name]:.3g}"
        for name in before
        if name in now and now[name] * NOISE < before[name]
    ]
