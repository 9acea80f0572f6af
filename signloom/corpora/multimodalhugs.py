"""MultimodalHugs' tables: tab separated, a row a sample.

    signal,signal_start,signal_end,encoder_prompt,decoder_prompt,output

signal is the path of a .pose file, times are milliseconds and 0, 0 (or an end of 0)
means up to the end. Older tables name the columns source_signal, source_start,
source_end and output_text. The prompts are not kept: a method writes its own.
"""

from __future__ import annotations

import os
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, split_named
from signloom.corpora.tables import number, read_table, refuse_video
from signloom.data.timing import Span
from signloom.errors import MediaError
from signloom.pose.files import read_header
from signloom.text.clean import clean

OLDER = {
    "source_signal": "signal",
    "source_start": "signal_start",
    "source_end": "signal_end",
    "output_text": "output",
}


def multimodalhugs(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    language: str = "",
) -> Corpus:
    """The samples of one table, or of every .tsv in a folder.

    The split is what a table's name ends in (train.tsv, how2sign_val.tsv, …).
    poses: the folder that relative paths start from, otherwise the table's; also where
        a file is looked for by its name if its path is not there.
    language: signed language of all of them (ISO 639-3).

    Raises MediaError where there is no table or a row is wrong, UsageError for a video.
    """
    tables = sorted(Path(root).glob("*.tsv")) if Path(root).is_dir() else [Path(root)]
    if not tables:
        raise MediaError(f"{root} has no .tsv; expected one with signal, …, output")
    listed: list[Entry | LeftOut] = []
    for table in tables:
        split = split_named(table)
        for line, row in _rows(table):
            where = f"{table}, line {line}"
            refuse_video(where, Path(row["signal"]))
            base = table.parent if poses is None else Path(poses)
            name = f"{table.stem}-{line}"
            path = base / row["signal"]
            if not path.is_file() and poses is not None:
                path = base / Path(row["signal"]).name
            if not path.is_file():
                listed.append(LeftOut(name, split, f"no file {row['signal']}"))
                continue
            start, end = _times(where, row)
            try:
                span = Span(start, end or read_header(path).duration) if start or end else None
            except (MediaError, ValueError) as error:
                listed.append(LeftOut(name, split, str(error)))
                continue
            text = clean(row["output"])
            listed.append(Entry(path, text, split, name, (), span, "", language))
    return corpus_of("multimodalhugs", listed, language=language)


def _rows(table: Path) -> list[tuple[int, dict[str, str]]]:
    header = read_table(table, (), quoted=True)
    found = [(line, {OLDER.get(k, k): v for k, v in row.items()}) for line, row in header]
    if found and ("signal" not in found[0][1] or "output" not in found[0][1]):
        read_table(table, ("signal", "output"), quoted=True)  # says what is missing
    return found


def _times(where: str, row: dict[str, str]) -> tuple[float, float]:
    """Start and end in seconds; an end of 0 is the end of the file."""
    times = {name: row.get(name) or "0" for name in ("signal_start", "signal_end")}
    start, end = (number(where, times, name) / 1000 for name in times)
    if start < 0 or (end and end < start):
        raise MediaError(
            f"{where}: the sample goes from {start} s to {end} s; expected milliseconds, the end "
            "after the start, or 0 and 0 for the whole file"
        )
    return start, end
