"""The generic corpus: a table of .pose files and what is signed in them.

A .tsv (or .csv) with a header, or a .jsonl with one object a line:

    path      the .pose file, relative to the manifest's folder
    text      what is signed, in written language
    split     'train', 'dev', … (optional: all 'train')
    id        (optional: the path without its ending)
    glosses   (optional) separated by spaces in a table; in .jsonl a list of
              strings, or of [gloss, start, end] in seconds of the clip
    start,end (optional) the stretch of the file to take, in seconds
    signer, language (optional)
"""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signloom.data.layouts import Layout
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.convert import convert
from signloom.pose.files import read_header, read_pose
from signloom.text.clean import clean

COLUMNS = ("path", "text", "split", "id", "glosses", "start", "end", "signer", "language")


@dataclass(frozen=True)
class Entry:
    """One row of a manifest."""

    path: Path
    text: str
    split: str
    id: str
    glosses: tuple[GlossSpan, ...] = ()
    span: Span | None = None
    signer: str = ""
    language: str = ""


@dataclass(frozen=True)
class ManifestSource:
    """The samples of some entries of a manifest, in ``layout``. A SampleSource."""

    entries: tuple[Entry, ...]
    layout: Layout

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        entry = self.entries[index]
        clip = read_pose(entry.path, entry.span)
        if not len(clip):
            span = f" between {entry.span.start} s and {entry.span.end} s" if entry.span else ""
            raise MediaError(
                f"sample '{entry.id}': {entry.path} has no frames{span}; "
                "correct start and end in the manifest (seconds), or take the line out"
            )
        return Sample(
            id=entry.id,
            clip=convert(clip, self.layout),
            text=entry.text,
            glosses=entry.glosses,
            signer=entry.signer,
            language=entry.language,
        )


def manifest_sources(
    manifest: str | os.PathLike[str], layout: Layout | None = None
) -> dict[str, ManifestSource]:
    """Split → samples, in the order of the manifest.

    layout: what the samples are converted to; otherwise that of the first file.

    Raises MediaError or UsageError naming the line that is wrong.
    """
    entries = read_manifest(manifest)
    layout = layout or read_header(entries[0].path).layout
    splits = dict.fromkeys(entry.split for entry in entries)
    return {
        split: ManifestSource(tuple(e for e in entries if e.split == split), layout)
        for split in splits
    }


def read_manifest(manifest: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a manifest. Raises MediaError or UsageError naming the line that is wrong."""
    file = Path(manifest)
    if file.suffix not in (".tsv", ".csv", ".jsonl"):
        raise UsageError(f"{file} has the ending '{file.suffix}', expected .tsv, .csv or .jsonl")
    try:
        rows = list(_rows(file))
    except (OSError, ValueError, csv.Error) as error:
        raise MediaError(f"the manifest {file} cannot be read: {error}") from None
    if not rows:
        raise MediaError(
            f"the manifest {file} lists nothing; expected a .pose file and a text a line"
        )
    return [_entry(file, line, row) for line, row in rows]


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with open(file, encoding="utf-8-sig", newline="") as text:
        if file.suffix == ".jsonl":
            for line, value in enumerate(text, start=1):
                if value.strip():
                    yield line, json.loads(value)
        elif file.suffix == ".tsv":
            yield from enumerate(
                csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE), start=2
            )
        else:
            yield from enumerate(csv.DictReader(text), start=2)


def _entry(file: Path, line: int, row: Mapping[str, Any]) -> Entry:
    where = f"{file}, line {line}"
    if not isinstance(row, Mapping) or not row.get("path") or row.get("text") is None:
        raise UsageError(
            f"{where}: no path or no text; expected at least these two of {', '.join(COLUMNS)}"
        )
    path = file.parent / str(row["path"])
    if not path.is_file():
        raise MediaError(f"{where}: there is no file {path}; paths are relative to the manifest")
    try:
        span = _span(row)
        glosses = _glosses(row.get("glosses"))
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
        split=str(row.get("split") or "train"),
        id=str(row.get("id") or Path(str(row["path"])).with_suffix("")),
        glosses=glosses,
        span=span,
        signer=str(row.get("signer") or ""),
        language=str(row.get("language") or ""),
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
        return tuple(GlossSpan(gloss) for gloss in value.split())
    if not isinstance(value, list):
        raise ValueError(f"glosses are {value!r}, expected a list")
    return tuple(
        GlossSpan(gloss)
        if isinstance(gloss, str)
        else GlossSpan(str(gloss[0]), Span(float(gloss[1]), float(gloss[2])))
        for gloss in value
    )
