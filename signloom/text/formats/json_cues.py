"""JSON: a list of {"start", "end", "text", "id"?} in seconds, or an object with it as "cues".

Times are replaced where they stand in the text, so key order, indentation, other keys
and the writing of other numbers stay. A time may be a number or a string such as
"00:00:12.500". JSON numbers have no fixed precision: new ones get three decimals, or as
many as the longest in the file has, less the zeros at the end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from signloom.data.cue import Cue
from signloom.errors import SubtitleError
from signloom.text.formats.parsed import Format, Reading, Stamp, printable, with_new_times
from signloom.text.formats.source import Source
from signloom.text.formats.times import Number, read_clock, written

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*|true|false|null|[\[\]{},:]')
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.([0-9]{1,18}))?\Z")
_EXPECTED = 'expected a list of {"start": seconds, "end": seconds, "text": …}, or it under "cues"'


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> None:
    """Reads a JSON file. Raises SubtitleError."""
    text = source.text
    try:
        data = json.loads(text[source.first :], parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise source.error(
            source.first + error.pos, f"not JSON ({error.msg}); {_EXPECTED}"
        ) from None
    except (ValueError, RecursionError) as error:
        raise SubtitleError(f"{source.name} is not JSON ({error}); {_EXPECTED}") from None
    items = data.get("cues") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise SubtitleError(f"{source.name} holds {_kind(data)}; {_EXPECTED}")
    places = _times_in(source, in_object=isinstance(data, dict))
    stamps = [
        [_stamp(source, number, item, key, found) for key in ("start", "end")]
        for number, (item, found) in enumerate(zip(items, places, strict=True), start=1)
    ]
    styles = [stamp.style for pair in stamps for stamp in pair]
    decimals = max([3, *(style.decimals for style in styles if isinstance(style, Number))])
    for item, pair in zip(items, stamps, strict=True):
        begin, end = (_precise(stamp, decimals) for stamp in pair)
        said, id = item.get("text"), item.get("id")
        cue = f"cue {len(reading.cues) + 1}"
        if not isinstance(said, str | None):
            raise source.error(
                begin.start, f"the text of {cue} is {_kind(said)}, expected a string"
            )
        if "\x00" in (said or ""):
            raise source.error(begin.start, f"the text of {cue} holds a NUL character; remove it")
        if said is None:
            line = source.line_at(begin.start)
            reading.notice("no text", f"line {line}: {cue} has no text; it is read as empty")
        named = isinstance(id, str | int) and not isinstance(id, bool)
        reading.add(said or "", printable(str(id)) if named else "", begin, (end,))


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value"}
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(map(repr, list(value)[:8]))[:200]}"
    return names.get(type(value), "null" if value is None else "a number")


def _times_in(source: Source, in_object: bool) -> list[dict[str, tuple[int, int]]]:
    """For each item of the list of cues, where the values of its keys stand in the text."""
    depth = 2 if in_object else 1
    items: list[dict[str, tuple[int, int]]] = []
    stack: list[str] = []
    keys: list[str] = []
    reading_list = not in_object
    key = ""
    expects_key = False
    for found in _TOKEN.finditer(source.text, source.first):
        token = found.group()
        if token in "{[":
            if reading_list and len(stack) == depth - 1 and in_object and token == "[":
                items = []  # of two keys "cues" the last one counts, as for every JSON reader
            if len(stack) == depth and reading_list:
                items.append({})
            stack.append(token)
            keys.append(key)
            expects_key = token == "{"
        elif token in "}]":
            stack.pop()
            key = keys.pop()
            expects_key = False
        elif token == ",":
            expects_key = bool(stack) and stack[-1] == "{"
        elif token == ":":
            expects_key = False
        elif expects_key:
            key = json.loads(token)
            if in_object and len(stack) == 1:
                reading_list = key == "cues"
        elif reading_list and len(stack) == depth and stack[-1] == "[":
            items.append({})
        elif reading_list and len(stack) == depth + 1 and stack[-1] == "{" and items:
            items[-1][key] = found.span()
    return items


def _stamp(
    source: Source, number: int, item: Any, key: str, places: dict[str, tuple[int, int]]
) -> Stamp:
    if not isinstance(item, dict):
        raise SubtitleError(f"{source.name}: item {number} is {_kind(item)}; {_EXPECTED}")
    if key not in places:
        raise SubtitleError(
            f"{source.name}: cue {number} has no time under '{key}', only "
            f"{', '.join(map(repr, list(item)[:8]))[:200]}; {_EXPECTED}"
        )
    start, end = places[key]
    text = source.text[start:end]
    if text.startswith('"'):
        read = read_clock(text[1:-1])
        if read:
            return Stamp(start + 1, end - 1, read[1], read[0])
    else:
        plain = _NUMBER.match(text)
        if plain:
            return Stamp(start, end, Number(len(plain.group(1) or "")), Fraction(text))
        try:
            seconds = float(text)
        except ValueError:
            seconds = float("inf")
        if abs(seconds) < 1e12:
            return Stamp(start, end, Number(), Fraction(seconds))
    raise source.error(
        start,
        f"cannot read the {key} of cue {number}, '{text[:40]}'; expected seconds as a number",
    )


def _precise(stamp: Stamp, decimals: int) -> Stamp:
    """The stamp with the precision of all numbers in the file."""
    if not isinstance(stamp.style, Number):
        return stamp
    least = 1 if stamp.style.decimals else 0
    style = Number(decimals, signed=True, trim=True, least=least)
    return Stamp(stamp.start, stamp.end, style, stamp.seconds)


def compose(cues: Sequence[Cue]) -> str:
    """A JSON list with one cue a line."""
    style = Number(3, trim=True, least=1)
    lines = []
    for cue in cues:
        start, after = written(style, cue.span.start)
        end, _ = written(style, cue.span.end, after if cue.span.duration > 0 else None)
        rest = {"text": printable(cue.text)} | ({"id": printable(cue.id)} if cue.id else {})
        said = json.dumps(rest, ensure_ascii=False)[1:]
        lines.append(f'  {{"start": {start}, "end": {end}, {said}')
    return "[\n" + ",\n".join(lines) + "\n]\n"


FORMAT = Format(parse, with_new_times, compose)
