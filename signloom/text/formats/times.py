"""Times as files write them: each style reads a time exactly and writes another one alike.

A style counts in ticks, its finest step. Times are rounded to the nearest tick, halves up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from signloom.data.timing import round_half_up

_CLOCK = r"-?(?:[0-9]{1,6}:)?[0-9]{1,4}:[0-9]{1,4}(?:[.,][0-9]{1,18})?"
_TIMECODE = r"[0-9]{1,6}:[0-9]{1,4}:[0-9]{1,4}[:;][0-9]{1,3}"
CLOCK_OR_TIMECODE = rf"(?:{_TIMECODE}|{_CLOCK})"
_CLOCK_PARTS = re.compile(
    r"(?P<sign>-?)(?:(?P<h>[0-9]{1,6}):)?(?P<m>[0-9]{1,4}):(?P<s>[0-9]{1,4})"
    r"(?:(?P<mark>[.,])(?P<f>[0-9]{1,18}))?\Z"
)
_TIMECODE_PARTS = re.compile(
    r"(?P<h>[0-9]{1,6}):(?P<m>[0-9]{1,4}):(?P<s>[0-9]{1,4})(?P<mark>[:;])(?P<f>[0-9]{1,3})\Z"
)


@dataclass(frozen=True)
class Clock:
    """[HH:]MM:SS[.mmm]. ``hours`` is the width of the hours, 0 where they are left out."""

    hours: int = 2
    minutes: int = 2
    decimals: int = 3
    mark: str = "."
    signed: bool = False

    @property
    def rate(self) -> int:
        """Ticks in a second."""
        return int(10**self.decimals)

    def ticks(self, seconds: float | Fraction) -> int:
        return round_half_up(float(seconds * self.rate))

    def seconds(self, ticks: int) -> Fraction:
        return Fraction(ticks, self.rate)

    def write(self, ticks: int) -> str:
        whole, rest = divmod(abs(ticks), self.rate)
        minutes, seconds = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes:0{self.minutes}}:{seconds:02}"
        if self.hours or hours:
            text = f"{hours:0{self.hours or 2}}:{minutes:02}:{seconds:02}"
        if self.decimals:
            text += f"{self.mark}{rest:0{self.decimals}}"
        return f"-{text}" if ticks < 0 else text


@dataclass(frozen=True)
class Timecode:
    """HH:MM:SS:FF with ``frames`` in a nominal second and ``rate`` frames in a real one.

    smpte: the code counts frames, so that at 30000/1001 it falls behind the clock
    (``drop`` leaves out two numbers a minute against that); otherwise HH:MM:SS are
    seconds and only FF counts frames (TTML 1, 12.4 and timeBase "media").
    """

    frames: int = 25
    rate: Fraction = Fraction(25)
    smpte: bool = False
    drop: bool = False
    hours: int = 2
    width: int = 2
    mark: str = ":"
    signed: bool = False

    def ticks(self, seconds: float | Fraction) -> int:
        if self.smpte:
            return round_half_up(float(seconds * self.rate))
        whole = math.floor(seconds)
        frame = round_half_up(float((Fraction(seconds) - whole) * self.rate))
        return whole * self.frames + min(frame, self.frames)

    def seconds(self, ticks: int) -> Fraction:
        if self.smpte:
            return Fraction(ticks) / self.rate
        whole, frame = divmod(ticks, self.frames)
        return whole + Fraction(frame) / self.rate

    def write(self, ticks: int) -> str:
        if self.drop:
            tens, rest = divmod(ticks, 17_982)  # frames in ten minutes at 29.97
            ticks += 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 2 else 0)
        whole, frame = divmod(ticks, self.frames)
        minutes, seconds = divmod(whole, 60)
        hours, minutes = divmod(minutes, 60)
        start = f"{hours:0{self.hours}}:{minutes:02}:{seconds:02}"
        return f"{start}{self.mark}{frame:0{self.width}}"

    def count(self, hours: int, minutes: int, seconds: int, frame: int) -> int:
        """The ticks that a code stands for."""
        ticks = (hours * 3600 + minutes * 60 + seconds) * self.frames + frame
        if self.drop:
            whole = hours * 60 + minutes
            ticks -= 2 * (whole - whole // 10)
        return ticks


@dataclass(frozen=True)
class Number:
    """A number, with its unit behind it: 12.5s, 300f, 1200t, 12.5. ``unit`` seconds are one.

    trim: zeros at the end are left off, down to ``least`` decimals.
    """

    decimals: int = 0
    unit: Fraction = Fraction(1)
    suffix: str = ""
    signed: bool = False
    trim: bool = False
    least: int = 0

    def ticks(self, seconds: float | Fraction) -> int:
        return round_half_up(float(Fraction(seconds) / self.unit * 10**self.decimals))

    def seconds(self, ticks: int) -> Fraction:
        return Fraction(ticks, 10**self.decimals) * self.unit

    def write(self, ticks: int) -> str:
        whole, rest = divmod(abs(ticks), 10**self.decimals)
        digits = f"{rest:0{self.decimals}}" if self.decimals else ""
        if self.trim:
            digits = digits[: self.least] + digits[self.least :].rstrip("0")
        text = f"{whole}.{digits}" if digits else f"{whole}"
        return f"{'-' if ticks < 0 else ''}{text}{self.suffix}"


Style = Clock | Timecode | Number


def read_clock(text: str) -> tuple[Fraction, Clock] | None:
    """(seconds, style) of [-][HH:]MM:SS[.mmm], or None."""
    found = _CLOCK_PARTS.match(text)
    if not found:
        return None
    fraction = found["f"] or ""
    seconds = int(found["h"] or 0) * 3600 + int(found["m"]) * 60 + int(found["s"])
    value = seconds + (Fraction(int(fraction), 10 ** len(fraction)) if fraction else 0)
    style = Clock(
        hours=len(found["h"] or ""),
        minutes=len(found["m"]),
        decimals=len(fraction),
        mark=found["mark"] or ".",
        signed=bool(found["sign"]),
    )
    return Fraction(-value if found["sign"] else value), style


def read_timecode(text: str, base: Timecode) -> tuple[Fraction, Timecode] | None:
    """(seconds, style) of HH:MM:SS:FF at the rate of ``base``; None for another form or frame."""
    found = _TIMECODE_PARTS.match(text)
    if not found or int(found["f"]) >= base.frames:
        return None
    style = replace(base, hours=len(found["h"]), width=len(found["f"]), mark=found["mark"])
    ticks = style.count(int(found["h"]), int(found["m"]), int(found["s"]), int(found["f"]))
    return style.seconds(ticks), style


def written(
    style: Style, seconds: float | Fraction, after: Fraction | None = None
) -> tuple[str, Fraction]:
    """(text, its seconds) of a time in a style, rounded half up; later than ``after`` if given.

    Below 0 it is 0, unless the style has a sign.
    """
    ticks = style.ticks(seconds)
    if not style.signed:
        ticks = max(ticks, 0)
    if after is not None and style.seconds(ticks) <= after:
        ticks = style.ticks(after)
        if not style.signed:
            ticks = max(ticks, 0)
        while style.seconds(ticks) <= after:
            ticks += 1
    return style.write(ticks), style.seconds(ticks)
