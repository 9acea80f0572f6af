"""A folder of .pose files with an index.csv as a lexicon (the spoken-to-signed format).

    path,spoken_language,signed_language,start,end,words,glosses,priority

start and end are milliseconds, 0 and 0 (or an end of 0) meaning up to the end
of the file. Rows of one word are ordered by priority, the lowest first, then as
the file has them. A word of one letter is a letter to spell with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from signloom.corpora.tables import inside, read_table
from signloom.data.clip import PoseClip
from signloom.data.lexicon import Lexicon
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest
from signloom.pose.files import read_header, read_pose
from signloom.text.clean import clean

INDEX = "index.csv"
COLUMNS = ("path", "spoken_language", "signed_language", "start", "end", "words", "priority")


@dataclass(frozen=True)
class _Entry:
    """One row: a file and the stretch of it (milliseconds)."""

    path: str
    start: int
    end: int
    priority: int


class _Folder:
    """Reads the n-th entry of a word; pickles as the table."""

    def __init__(self, folder: Path, entries: dict[str, list[_Entry]]) -> None:
        self.folder, self.entries = folder, entries

    def read(self, word: str, n: int) -> PoseClip:
        entry = self.entries[word][n]
        file = self.folder / entry.path
        try:
            clip = self._clip(entry, file)
        except MediaError as error:
            raise MediaError(f"lexicon {self.folder}, word '{word}': {error}") from None
        if not len(clip):
            raise MediaError(
                f"the clip of '{word}' in {file} has no frames between {entry.start} ms and "
                f"{entry.end} ms; correct start and end in {INDEX}"
            )
        return clip

    @staticmethod
    def _clip(entry: _Entry, file: Path) -> PoseClip:
        if not entry.start and not entry.end:
            return read_pose(file)
        end = entry.end / 1000 if entry.end else read_header(file).duration
        return read_pose(file, Span(entry.start / 1000, max(end, entry.start / 1000)))


def folder_lexicon(folder: str | os.PathLike[str], signed_language: str | None = None) -> Lexicon:
    """The lexicon of a folder with an index.csv.

    signed_language: which one to take (ISO 639-3) where the folder has several.

    Raises MediaError where there is no index.csv or it cannot be read as one;
    UsageError where the language is unknown or must be chosen.
    """
    path = Path(folder)
    index = path / INDEX
    if not index.is_file():
        raise MediaError(
            f"{path} has no {INDEX}; a lexicon folder lists its .pose files there, "
            f"with the columns {','.join(COLUMNS)}"
        )
    table = read_table(index, COLUMNS, delimiter=",", quoted=True)
    if not table:
        raise MediaError(f"{index} has no rows; expected the columns {','.join(COLUMNS)}")
    rows = [row for _, row in table]
    languages = list(dict.fromkeys(row["signed_language"] for row in rows))
    if signed_language is None and len(languages) > 1:
        raise UsageError(
            f"the lexicon {path} has {len(languages)} signed languages "
            f"({', '.join(languages)}); choose one, as in {path}:{languages[0]}"
        )
    language = signed_language or languages[0]
    if language not in languages:
        raise UsageError(
            f"the lexicon {path} has no signed language '{language}'{nearest(language, languages)}; "
            f"it has {', '.join(languages)}"
        )
    entries: dict[str, list[_Entry]] = {}
    for line, row in table:
        if row["signed_language"] == language:
            word = clean(row["words"], lower=True)
            entries.setdefault(word, []).append(_entry(index, line, row))
    for found in entries.values():
        found.sort(key=lambda entry: entry.priority)
    entries.pop("", None)
    read = _Folder(path, entries).read
    counts = {word: len(found) for word, found in entries.items()}
    letters = {word: count for word, count in counts.items() if len(word) == 1}
    return Lexicon(
        name=path.name,
        language=language,
        words={word: count for word, count in counts.items() if word not in letters},
        read=read,
        letters=letters,
        read_letter=read if letters else None,
    )


def _entry(index: Path, line: int, row: dict[str, str]) -> _Entry:
    try:
        start, end, priority = (int(float(row[c] or 0)) for c in ("start", "end", "priority"))
    except (ValueError, OverflowError):
        raise MediaError(
            f"{index}, line {line}: start '{row['start']}', end '{row['end']}' or priority "
            f"'{row['priority']}' is no number; give milliseconds"
        ) from None
    if end and end < start:
        raise MediaError(
            f"{index}, line {line}: the entry ends ({end} ms) before it starts ({start} ms)"
        )
    return _Entry(inside(f"{index}, line {line}", row["path"]), start, end, priority)
