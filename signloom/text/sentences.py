"""Sentences to sign: read from files, cleaned, kept where a vocabulary covers them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from signloom.errors import MediaError, UsageError, nearest
from signloom.text.clean import clean, join_punctuation, words_of
from signloom.text.forms import UNSIGNED, match

_CLAUSE_END = re.compile(r"(?<=[,;:.!?])\s+|\s+[-–—]+\s+")


def read_sentences(
    path: str | os.PathLike[str], column: str = "text", lower: bool = False
) -> Iterator[str]:
    """The sentences of a file, cleaned, one after another; the file is never held whole.

    .txt has one a line; .tsv and .csv have a header and the sentence in
    ``column``; .jsonl has it under the key ``column``; each of them also as
    .gz, and a .zip holds several. A .txt or .csv whose header has ``column``
    between bars ("id|gloss") is such a table too. Outer quotes are taken off.

    Raises MediaError where the file cannot be read, UsageError where it has no
    such column or an ending that is not known.
    """
    file = Path(path)
    try:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                names = sorted(n for n in archive.namelist() if Path(n).suffix in _READERS)
                names = [n for n in names if not Path(n).name.startswith(".")]
                for name in names:
                    with archive.open(name) as raw:
                        yield from _sentences_in(
                            f"{file}:{name}", raw, Path(name).suffix, column, lower
                        )
        else:
            with open(file, "rb") as raw:
                stream = gzip.open(raw) if file.suffix == ".gz" else raw
                yield from _sentences_in(str(file), stream, _kind(file.name), column, lower)
    except UnicodeDecodeError as error:
        raise MediaError(
            f"the text in {file} cannot be read: it is not UTF-8 (byte 0x{error.object[error.start]:02x} "
            f"is no part of it); save it as UTF-8, say, with: iconv -f ENCODING -t UTF-8"
        ) from None
    except (
        *(OSError, EOFError, ValueError, RuntimeError),  # RuntimeError: packed in a way not known
        *(zipfile.BadZipFile, zlib.error, csv.Error),
    ) as error:
        raise MediaError(f"the text in {file} cannot be read: {error}") from None


def _kind(name: str) -> str:
    """The ending that says what a file is, without .gz; a language ending ('.en') is plain text."""
    suffix = Path(name.removesuffix(".gz")).suffix
    return ".txt" if len(suffix) == 3 and suffix[1:].isalpha() else suffix


def _lines(text: Iterable[str], column: str, name: str) -> Iterator[str]:
    header, lines = _header(text)
    return _table(lines, column, name) if _barred(header, column) else lines


def _header(text: Iterable[str]) -> tuple[str, Iterator[str]]:
    """The first line, and all of them."""
    lines = iter(text)
    first = list(islice(lines, 1))
    return "".join(first), chain(first, lines)


def _barred(header: str, column: str) -> bool:
    return "|" in header and column in header.strip("\r\n").split("|")


def _table(text: Iterable[str], column: str, name: str) -> Iterator[str]:
    header, lines = _header(text)
    tabs = name.removesuffix(".gz").endswith(".tsv")
    bars = not tabs and _barred(header, column)
    # A tab-separated file quotes nothing: a sentence may begin with a quotation mark.
    rows = (
        csv.DictReader(lines, delimiter="|" if bars else "\t", quoting=csv.QUOTE_NONE)
        if tabs or bars
        else csv.DictReader(lines)
    )
    if column not in (rows.fieldnames or []):
        raise UsageError(
            f"{name} has no column '{column}'{nearest(column, list(rows.fieldnames or []))}; "
            f"it has {', '.join(rows.fieldnames or [])}"
        )
    return (row[column] or "" for row in rows)


def _objects(text: Iterable[str], column: str, name: str) -> Iterator[str]:
    for line in text:
        value = json.loads(line)
        if not isinstance(value, dict) or not isinstance(value.get(column), str):
            raise UsageError(
                f"{name} has a line whose '{column}' is no text: {line.strip()[:80]}; expected "
                f'{{"{column}": "a sentence"}}'
            )
        yield value[column]


_READERS = {".txt": _lines, ".tsv": _table, ".csv": _table, ".jsonl": _objects}


def _sentences_in(name: str, raw: Any, kind: str, column: str, lower: bool) -> Iterator[str]:
    if kind not in _READERS:
        raise UsageError(
            f"{name} has the ending '{kind}', expected one of {', '.join(_READERS)} (or .gz, .zip)"
        )
    with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        for line in _READERS[kind](text, column, name):
            sentence = join_punctuation(clean(line, lower=lower))
            if len(sentence) > 1 and sentence[0] == sentence[-1] == '"':
                sentence = sentence[1:-1].replace('""', '"').strip()
            if sentence:
                yield sentence


def coverage(sentence: str, vocabulary: Container[str], forms: bool = True) -> float:
    """Share of a sentence's words that the vocabulary can sign, in [0, 1].

    Words without a sign of their own (``forms.UNSIGNED``) do not count; a
    sentence with no other words has coverage 0.
    """
    signed = missed = 0
    for found in match(words_of(sentence), vocabulary, forms):
        if found.entry is not None:
            signed += len(found.words)
        elif found.words[0] not in UNSIGNED:
            missed += 1
    return signed / (signed + missed) if signed else 0.0


def covered(
    sentences: Iterable[str],
    words: Collection[str],
    least: float = 0.9,
    shortest: int = 1,
    longest: int = 1_000,
    forms: bool = True,
) -> Iterator[str]:
    """The sentences whose coverage by ``words`` is at least ``least``, each text once, in order.

    shortest, longest: words in a sentence, both included. A text that differs
    from an earlier one in case or spaces only is the same text.
    """
    vocabulary = words if isinstance(words, set | frozenset | dict) else frozenset(words)
    seen: set[bytes] = set()
    for sentence in sentences:
        if not shortest <= len(words_of(sentence)) <= longest:
            continue
        key = text_key(sentence)
        if key not in seen and coverage(sentence, vocabulary, forms) >= least:
            seen.add(key)
            yield sentence


def clauses(sentences: Iterable[str]) -> Iterator[str]:
    """The sentences cut after , ; : . ! ? and dashes: short ones out of long ones, where text is scarce.

    >>> list(clauses(["Turn left, then stop."]))
    ['Turn left,', 'then stop.']
    """
    for sentence in sentences:
        yield from (part for part in _CLAUSE_END.split(sentence) if part)


def one_word_sentences(words: Iterable[str]) -> list[str]:
    """Each word as a sentence of its own, in alphabetical order."""
    return sorted(set(words))


def held_out(sentences: Iterable[str], share: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """(kept, held out): about ``share`` of the texts are held out.

    Which side a text falls on depends on the text and the seed alone, so texts
    from several files never meet their twin on the other side.
    """
    sides: tuple[list[str], list[str]] = ([], [])
    limit = int(share * 2**64)
    for sentence in sentences:
        number = int.from_bytes(text_key(sentence, salt=str(seed))[:8], "big")
        sides[number < limit].append(sentence)
    return sides


def text_key(sentence: str, salt: str = "") -> bytes:
    """What two texts share when they differ in case, spaces or punctuation only."""
    return hashlib.blake2b(
        f"{salt} {' '.join(words_of(sentence))}".encode(), digest_size=16
    ).digest()


def unsigned_words(sentences: Sequence[str], vocabulary: Container[str]) -> dict[str, int]:
    """Words that the vocabulary misses → how often, most frequent first."""
    from collections import Counter

    counted = Counter(
        found.words[0]
        for sentence in sentences
        for found in match(words_of(sentence), vocabulary)
        if found.entry is None and found.words[0] not in UNSIGNED
    )
    return dict(counted.most_common())
