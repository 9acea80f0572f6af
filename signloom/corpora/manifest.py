"""The generic corpus: a table of .pose files and what is signed in them.

A .tsv (or .csv) with a header, or a .jsonl with one object a line, UTF-8:

    path      the .pose file, relative to the manifest's folder
    text      what is signed, in written language
    start,end (optional) the stretch of the file to take, in seconds; both or neither
    gloss     (optional) the signs: separated by spaces in a table; in .jsonl a list of
              strings, or of [gloss, start, end] in seconds of the clip. Also 'glosses'
    signer    (optional) who signs, any name
    split     'train', 'dev', … (optional: all 'train')
    language  (optional) the signed language, ISO 639-3 ('ase', 'gsg')
    id        (optional: the path without its ending)
    lips      (optional) the file of mouth crops that goes with the .pose file, relative as it is

A .tsv quotes nothing; a .csv may quote cells. Other columns are passed over.
docs/corpora.md shows a whole one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signloom.corpora.entries import Entries, Entry, with_previous
from signloom.corpora.tables import read_table, read_text, refuse_video
from signloom.data.layouts import Layout
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, SignloomError, UsageError
from signloom.pose.files import read_header
from signloom.text.clean import clean

COLUMNS = (
    "path",
    "text",
    "start",
    "end",
    "gloss",
    "signer",
    "split",
    "language",
    "id",
    "lips",
    "previous",
)
OLDER = "glosses"
"""The name that the column 'gloss' had first, and may still have."""

ENDINGS = (".tsv", ".csv", ".jsonl")


@dataclass(frozen=True)
class Line:
    """One line of a manifest: its number, and its entry or what is wrong with it."""

    number: int
    found: Entry | SignloomError


def manifest_sources(
    manifest: str | os.PathLike[str], layout: Layout | None = None
) -> dict[str, Entries]:
    """Split → samples, in the order of the manifest.

    layout: what the samples are converted to; otherwise that of the first file.

    Raises MediaError or UsageError naming the line that is wrong.
    """
    entries = read_manifest(manifest)
    layout = layout or read_header(entries[0].path).layout
    splits = dict.fromkeys(entry.split for entry in entries)
    return {
        split: Entries(tuple(e for e in entries if e.split == split), layout) for split in splits
    }


def read_manifest(manifest: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a manifest. Raises MediaError or UsageError naming the line that is wrong."""
    entries = []
    for line in manifest_lines(manifest):
        if isinstance(line.found, SignloomError):
            raise line.found
        entries.append(line.found)
    return with_previous(entries)


def manifest_lines(manifest: str | os.PathLike[str]) -> list[Line]:
    """Every line of a manifest, right or wrong.

    Raises UsageError or MediaError where there is no table: another ending, not UTF-8, a
    column missing, nothing listed.
    """
    file = Path(manifest)
    if file.suffix not in ENDINGS:
        raise UsageError(f"{file} has the ending '{file.suffix}', expected .tsv, .csv or .jsonl")
    lines = []
    for number, row in _rows(file):
        try:
            lines.append(Line(number, _entry(file, number, row)))
        except SignloomError as error:
            lines.append(Line(number, error))
    if not lines:
        raise MediaError(
            f"the manifest {file} lists nothing; expected a .pose file and a text a line"
        )
    return lines


def unread_columns(manifest: str | os.PathLike[str]) -> list[str]:
    """The columns (or keys) of a manifest that nothing reads, in their order."""
    known = {*COLUMNS, OLDER}
    rows = (row for _, row in _rows(Path(manifest)) if isinstance(row, Mapping))
    return list(dict.fromkeys(str(key) for row in rows for key in row if key not in known))


def _rows(file: Path) -> Iterator[tuple[int, Any]]:
    if file.suffix != ".jsonl":
        quoted = file.suffix == ".csv"
        yield from read_table(file, ("path", "text"), "," if quoted else "\t", quoted, True)
        return
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise MediaError(
                    f"the manifest {file} cannot be read: line {number} is no JSON ({error})"
                ) from None


def _entry(file: Path, line: int, row: Any) -> Entry:
    where = f"{file}, line {line}"
    if not isinstance(row, Mapping) or not row.get("path") or row.get("text") is None:
        raise UsageError(
            f"{where}: no path or no text; expected at least these two of {', '.join(COLUMNS)}"
        )
    path = file.parent / str(row["path"])
    refuse_video(where, path)
    if not path.is_file():
        raise MediaError(f"{where}: there is no file {path}; paths are relative to the manifest")
    lips = file.parent / str(row["lips"]).strip() if row.get("lips") else None
    if lips is not None and not lips.is_file():
        raise MediaError(f"{where}: there is no file {lips}; paths are relative to the manifest")
    if row.get("gloss") and row.get(OLDER):
        raise UsageError(f"{where}: both 'gloss' and '{OLDER}' are given; keep 'gloss'")
    try:
        span = _span(row)
        glosses = _glosses(row.get("gloss") or row.get(OLDER))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {error}") from None
    except LookupError as error:
        raise UsageError(
            f"{where}: start, end or glosses cannot be read ({error!r}); see the columns with "
            "'signloom prepare manifest --help'"
        ) from None
    return Entry(
        path=path,
        text=clean(str(row["text"])),
        split=str(row.get("split") or "train").strip(),
        id=str(row.get("id") or Path(str(row["path"])).with_suffix("")),
        glosses=glosses,
        span=span,
        signer=str(row.get("signer") or "").strip(),
        language=str(row.get("language") or "").strip(),
        lips=lips,
        previous=clean(str(row.get("previous") or "")),
    )


def _span(row: Mapping[str, Any]) -> Span | None:
    start, end = row.get("start"), row.get("end")
    if start in (None, "") and end in (None, ""):
        return None
    if start in (None, "") or end in (None, ""):
        raise ValueError("start and end go together; give both, in seconds, or neither")
    values = float(start), float(end)  # type: ignore[arg-type]
    if not all(map(math.isfinite, values)) or values[0] < 0:
        raise ValueError(f"start {start} and end {end} are no stretch of a file; give seconds")
    return Span(*values)


def _glosses(value: Any) -> tuple[GlossSpan, ...]:
    if not value:
        return ()
    if isinstance(value, str):
        return tuple(GlossSpan(gloss) for gloss in clean(value).split())
    if not isinstance(value, list):
        raise ValueError(f"glosses are {value!r}, expected a list")
    return tuple(
        GlossSpan(clean(gloss))
        if isinstance(gloss, str)
        else GlossSpan(clean(str(gloss[0])), Span(float(gloss[1]), float(gloss[2])))
        for gloss in value
    )
