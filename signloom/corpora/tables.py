"""Tables as corpora publish them: rows with their line numbers, and errors that name the line.

A line ends at a line feed and nowhere else: U+2028 and its like inside a
sentence are characters of it.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from signloom.errors import MediaError, UsageError, nearest

VIDEOS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".gif", ".m4v", ".mpg", ".mpeg")

Rows = list[tuple[int, dict[str, str]]]


def read_text(file: Path) -> str:
    """The text of a file. Raises MediaError where there is none, or it is not UTF-8, naming the line."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise MediaError(
            f"{file} cannot be read ({error.strerror}); expected a text file; check the path"
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise MediaError(
            f"{file}, line {line}: byte {data[error.start]:#04x} is not UTF-8; expected UTF-8 text; "
            f"convert it, as in: iconv -f latin1 -t utf-8 {file.name}"
        ) from None


def read_lines(file: Path) -> list[str]:
    """The lines of a text file, without their ends. Raises MediaError as ``read_text`` does."""
    lines = read_text(file).split("\n")
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def read_table(
    file: Path,
    needed: Sequence[str],
    delimiter: str = "\t",
    quoted: bool = False,
    short: bool = False,
) -> Rows:
    """(line number, column → cell) of every row of a table with a header.

    needed: columns that the header must have.
    quoted: whether cells may stand in "quotation marks"; otherwise those are text.
    short: whether the empty cells that end a row may be left off.

    Raises MediaError where the file cannot be read, a column is missing or a row
    has more or fewer cells than the header.
    """
    lines = read_text(file).split("\n")
    if not quoted and lines and lines[-1] == "":
        lines.pop()
    lines = [line.removesuffix("\r") + "\n" for line in lines]
    reader = csv.reader(
        iter(lines),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    rows: Rows = []
    header: list[str] = []
    began = 1
    try:
        for cells in reader:
            line, began = began, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                _check_header(file, header, needed)
            elif len(cells) > len(header) or (len(cells) < len(header) and not short):
                raise MediaError(
                    f"{file}, line {line}: {len(cells)} cells, expected {len(header)} "
                    f"({', '.join(header)}); look for a missing or an extra separator"
                )
            else:
                rows.append((line, dict(zip_longest(header, cells, fillvalue=""))))
    except csv.Error as error:
        raise MediaError(
            f"{file}, line {reader.line_num}: {error}; write the table again"
        ) from None
    if not header:
        raise MediaError(f"{file} is empty; expected a header with {', '.join(needed)}")
    return rows


def _check_header(file: Path, header: list[str], needed: Sequence[str]) -> None:
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise MediaError(f"{file} has the column '{twice[0]}' twice; keep one")
    missing = [name for name in needed if name not in header]
    if missing:
        raise MediaError(
            f"{file} has no column '{missing[0]}'{nearest(missing[0], header)}; it has "
            f"{', '.join(header)[:200]}; expected at least {', '.join(needed)}"
        )


def read_json(file: Path) -> Any:
    """The value in a JSON file. Raises MediaError where it holds none."""
    text = read_text(file)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MediaError(f"{file} is no JSON ({error}); copy the file again") from None


def number(where: str, row: Mapping[str, Any], column: str) -> float:
    """A cell as a finite number. Raises MediaError naming the place."""
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise MediaError(f"{where}: {column} is '{row[column]}', expected a number; correct it")
    return value


def inside(where: str, name: str) -> str:
    """A clip's name as a relative path. Raises MediaError where it leads out of the folder."""
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise MediaError(f"{where}: the name '{name}' is empty or leads out of the corpus")
    return name


def first_that_is(folder: Path, names: Sequence[str], what: str) -> Path:
    """The first of some paths below a folder that exists. Raises MediaError naming what is missing."""
    for name in names:
        if (folder / name).exists():
            return folder / name
    raise MediaError(
        f"{folder} has no {what}: none of {', '.join(names)} is there; give the corpus's own folder"
    )


def refuse_video(where: str, path: Path) -> None:
    """Raises UsageError for the name of a video, with the command that makes poses of it."""
    if path.suffix.lower() in VIDEOS:
        raise UsageError(
            f"{where}: {path.name} is a video, expected a .pose file; make one first: "
            f"signloom extract {path.name} -o {path.with_suffix('.pose').name}"
        )
