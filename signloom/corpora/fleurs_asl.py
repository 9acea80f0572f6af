"""FLEURS-ASL: FLORES sentences in American Sign Language by five interpreters (Tanzer 2024).

As published (CC BY-SA 4.0): videos and a table, which we have not seen. What others say of it:
ids begin with ``dev_`` or ``devtest_``, as FLORES has them; a column ``zs_split`` holds the split of
the zero-shot task; a sentence has a signer and an interval.

Ours, and to be set right by ``columns`` where your copy says it otherwise: the table is a .csv or .tsv
with the columns

    id, video, sentence       needed; ``video`` with or without its ending
    start, end                seconds; without them, a video is one sentence
    signer, zs_split          without a split, all is test: it is a benchmark

and poses are called VIDEO.pose, in ``poses`` or the folder itself. Rates differ between the
videos; the paper brings them to 25 fps, and so should whoever extracts the poses.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from signloom.corpora.cued import Limits, Sentence, corpus_of_sentences
from signloom.corpora.entries import Corpus, LeftOut, pose_of
from signloom.corpora.tables import VIDEOS, inside, number, read_table
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest
from signloom.pose.files import read_header
from signloom.text.clean import clean

COLUMNS = {
    "id": "id",
    "video": "video",
    "text": "sentence",
    "start": "start",
    "end": "end",
    "signer": "signer",
    "split": "zs_split",
}
"""What is read → the column it stands in."""

NEEDED = ("id", "video", "text")


def fleurs_asl(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    columns: Mapping[str, str] = {},
    limits: Limits = Limits(),
) -> Corpus:
    """The sentences of FLEURS-ASL.

    root: its folder with one table, or the table.
    poses: the folder of VIDEO.pose; otherwise ``poses`` beside the table, or its folder.
    columns: changes to COLUMNS, as {"start": "start_time"}.

    Raises MediaError where there is no table, or a row is wrong, naming it; UsageError for
    an unknown field.
    """
    table = _table(Path(root))
    for field in columns:
        if field not in COLUMNS:
            raise UsageError(
                f"--column names '{field}'{nearest(field, list(COLUMNS))}; expected one of "
                f"{', '.join(COLUMNS)}, as in start=start_time"
            )
    named = COLUMNS | dict(columns)
    needed = [named[field] for field in (*NEEDED, *columns)]
    rows = read_table(
        table, list(dict.fromkeys(needed)), "," if table.suffix == ".csv" else "\t", True
    )
    has = {field for field, column in named.items() if rows and column in rows[0][1]}
    if ("start" in has) != ("end" in has):
        raise MediaError(f"{table} has only one of {named['start']} and {named['end']}; give both")
    places = [table.parent / "poses", table.parent] if poses is None else [Path(poses)]

    def found() -> Iterator[Sentence | LeftOut]:
        for line, row in rows:
            where = f"{table}, line {line}"
            name, video = (inside(where, row[named[field]].strip()) for field in ("id", "video"))
            if Path(video).suffix.lower() in VIDEOS:
                video = str(Path(video).with_suffix(""))
            split = (row[named["split"]].strip() if "split" in has else "") or "test"
            path = pose_of(places, video, split)
            span = None
            if "start" in has:
                start, end = (number(where, row, named[field]) for field in ("start", "end"))
                if not 0 <= start <= end:
                    yield LeftOut(
                        name, split, f"starts at {start} s and ends at {end} s of {video}"
                    )
                    continue
                span = Span(start, end)
                duration = span.duration
            elif path is None:
                yield LeftOut(name, split, f"no {video}.pose")
                continue
            else:
                try:
                    duration = read_header(path).duration
                except MediaError as error:
                    yield LeftOut(name, split, str(error))
                    continue
            yield Sentence(
                id=name,
                video=video,
                path=path,
                text=clean(row[named["text"]]),
                split=split,
                duration=duration,
                span=span,
                signer=row[named["signer"]].strip() if "signer" in has else "",
                language="ase",
            )

    return corpus_of_sentences(
        "fleurs-asl", found(), limits, language="ase", licence="FLEURS-ASL: CC BY-SA 4.0"
    )


def _table(root: Path) -> Path:
    if root.is_file():
        return root
    found = sorted(
        file
        for file in (root.iterdir() if root.is_dir() else ())
        if file.suffix in (".csv", ".tsv") and file.name != "signers.tsv"
    )
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise MediaError(
            f"{root} has {len(found)} tables ({names}), expected one .csv or .tsv of sentences; "
            "name the right one instead of the folder"
        )
    return found[0]
