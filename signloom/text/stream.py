"""Corpora of sentences as streams: any index in microseconds, nothing held in memory.

A folder of texts holds the sentences one a line and, beside them, where each begins; of both only
what is asked for is read, so that 22 million sentences cost no more memory than one:

    texts.json     format, how many, how many of each length (words)
    texts.txt      UTF-8, one sentence a line; only \\n ends a line
    starts.u64     little-endian, where each line begins, and where the last one ends

``LengthMatched`` draws from any stream so that lengths come as in a target corpus, as
POSESTITCH-SLT's synthetic sentences do. ``Every`` holds a share of a stream out.
"""

from __future__ import annotations

import json
import os
import weakref
from abc import abstractmethod
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from signloom.data.files import writing_folder
from signloom.errors import MediaError, UsageError, one_line
from signloom.text.clean import words_of
from signloom.text.finite import key_of, mixed_bits

FORMAT, VERSION = "signloom-texts", 1
INDEX, TEXTS, STARTS = "texts.json", "texts.txt", "starts.u64"
TRIES = 256
"""How many sentences ``LengthMatched`` looks at before it takes the nearest in length."""


class Stream(Sequence[str]):
    """A sequence of sentences that makes or reads each when asked for it."""

    @abstractmethod
    def get(self, index: int) -> str:
        """The sentence at an index that is known to be in range."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"sentence {index} of {len(self)}")
        return self.get(int(index) % len(self))


def write_texts(
    sentences: Iterable[str], folder: str | os.PathLike[str], overwrite: bool = False
) -> int:
    """Writes sentences to a folder, one after another; returns how many.

    Line breaks inside a sentence become spaces. Raises UsageError where there is no sentence.
    """
    lengths: Counter[int] = Counter()
    with writing_folder(Path(folder), overwrite) as part:
        with open(part / TEXTS, "wb") as texts, open(part / STARTS, "wb") as starts:
            at = count = 0
            for sentence in sentences:
                line = sentence.replace("\r", " ").replace("\n", " ").encode() + b"\n"
                starts.write(at.to_bytes(8, "little"))
                texts.write(line)
                at, count = at + len(line), count + 1
                lengths[len(words_of(sentence))] += 1
            starts.write(at.to_bytes(8, "little"))
        if not count:
            raise UsageError(f"there is no sentence to write to {folder}; lower the coverage")
        index = {"format": FORMAT, "version": VERSION, "count": count}
        index["lengths"] = {str(n): lengths[n] for n in sorted(lengths)}  # type: ignore[assignment]
        (part / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    return count


class StoredTexts(Stream):
    """The sentences of a folder that ``write_texts`` wrote; pickles as the path.

    Raises MediaError where the folder is no such folder, or its files do not agree.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = str(folder)
        self._files: dict[str, int] = {}
        path = Path(folder)
        try:
            index = json.loads((path / INDEX).read_text(encoding="utf-8"))
            self.total = int(index["count"])
            self.lengths = {int(n): int(c) for n, c in index["lengths"].items()}
            good = index["format"] == FORMAT and index["version"] == VERSION
            size = (path / STARTS).stat().st_size
            end = (path / TEXTS).stat().st_size
        except (
            *(OSError, ValueError, KeyError, TypeError, AttributeError),
            *(OverflowError, RecursionError),
        ) as error:
            raise MediaError(
                f"{folder} is no folder of texts ({error}); expected one that "
                "'signloom vocabulary … --write' made"
            ) from None
        if (
            not good
            or self.total < 1
            or size != 8 * (self.total + 1)
            or self._place(self.total - 1)[1] != end
        ):
            raise MediaError(
                f"the texts in {folder} are damaged or of another version: {self.total} sentences "
                f"are announced, {size // 8 - 1} have a place in {end} bytes; write them again"
            )

    def _read(self, name: str, start: int, count: int) -> bytes:
        """Bytes of a file, by place: not mapped, for pages that were touched would stay resident."""
        if name not in self._files:
            self._files[name] = os.open(Path(self.folder) / name, os.O_RDONLY)
            weakref.finalize(self, os.close, self._files[name])
        return os.pread(self._files[name], count, start)

    def _place(self, index: int) -> tuple[int, int]:
        """Where the sentence begins and where its line ends."""
        pair = self._read(STARTS, 8 * index, 16)
        return int.from_bytes(pair[:8], "little"), int.from_bytes(pair[8:], "little")

    def __len__(self) -> int:
        return self.total

    def get(self, index: int) -> str:
        start, end = self._place(index)
        try:
            return self._read(TEXTS, start, end - 1 - start).decode("utf-8")
        except (OSError, ValueError, OverflowError, MemoryError) as error:
            raise MediaError(
                f"sentence {index} of the texts in {self.folder} is damaged ({one_line(error)}); write them again"
            ) from None

    def __reduce__(self) -> tuple[type[StoredTexts], tuple[str]]:
        return StoredTexts, (self.folder,)


def is_texts(folder: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder of texts."""
    return (Path(folder) / INDEX).is_file()


def lengths_of(sentences: Iterable[str]) -> dict[int, int]:
    """How many sentences there are of each length, in words; shortest first."""
    counted = Counter(len(words_of(sentence)) for sentence in sentences)
    return {length: counted[length] for length in sorted(counted) if length}


class LengthMatched(Stream):
    """Sentences drawn from a stream, lengths as in a target corpus; a pure function of (seed, index).

    source: any sequence of sentences. lengths: words → how often the target has that many.
    count: how many there are; None for as many as the source has. tries: how many sentences
    are looked at for one of the length that was drawn; then the nearest stands for it, the
    first of those. Draws are with replacement.

    Raises UsageError where the source or the target is empty.
    """

    def __init__(
        self,
        source: Sequence[str],
        lengths: Mapping[int, int],
        count: int | None = None,
        seed: int = 0,
        tries: int = TRIES,
    ) -> None:
        if not len(source):
            raise UsageError("there is no sentence to draw lengths from; give a source with some")
        if not sum(lengths.values()):
            raise UsageError("the target corpus has no sentence whose length could be matched")
        self.source, self.seed, self.tries = source, seed, tries
        self.lengths = {n: lengths[n] for n in sorted(lengths) if lengths[n] > 0}
        self._values, self._ends = list(self.lengths), list(accumulate(self.lengths.values()))
        self._key = key_of("length matched", seed)
        self.total = len(source) if count is None else count

    def __len__(self) -> int:
        return self.total

    def wanted(self, index: int) -> int:
        """The length that is drawn for an index."""
        return self._values[
            bisect_right(self._ends, mixed_bits(self._key, index, -1 & 0xFFFF) % self._ends[-1])
        ]

    def get(self, index: int) -> str:
        wanted, best, off = self.wanted(index), "", -1
        for turn in range(self.tries):
            at = mixed_bits(self._key, index, turn) % len(self.source)
            sentence = self.source[at]
            apart = abs(len(words_of(sentence)) - wanted)
            if off < 0 or apart < off:
                best, off = sentence, apart
            if not off:
                break
        return best


class Every(Stream):
    """A share of a stream held out, or the rest of it: every n-th sentence, n = 1 / share, rounded.

    By place, so the stream must not repeat itself: generated sentences, or texts kept once.
    """

    def __init__(self, source: Sequence[str], share: float, held: bool) -> None:
        if not 0 < share <= 0.5:
            raise UsageError(
                f"a share of {share:g} of a stream cannot be held out; expected more than 0, at "
                "most 0.5"
            )
        self.source, self.held, self.step = source, held, round(1 / share)

    def __len__(self) -> int:
        held = -(-len(self.source) // self.step)
        return held if self.held else len(self.source) - held

    def get(self, index: int) -> str:
        place = index * self.step if self.held else index + index // (self.step - 1) + 1
        sentence: str = self.source[place]
        return sentence


class Chained(Stream):
    """Several sequences of sentences as one, none of them copied."""

    def __init__(self, *parts: Sequence[str]) -> None:
        self.parts = [part for part in parts if len(part)]
        self._ends = list(accumulate(map(len, self.parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def get(self, index: int) -> str:
        part = bisect_right(self._ends, index)
        sentence: str = self.parts[part][index - (self._ends[part - 1] if part else 0)]
        return sentence


class Repeated(Stream):
    """A short list of sentences several times over, not copied."""

    def __init__(self, sentences: Sequence[str], times: int) -> None:
        self.sentences, self.times = sentences, times

    def __len__(self) -> int:
        return len(self.sentences) * self.times

    def get(self, index: int) -> str:
        return self.sentences[index % len(self.sentences)]


def some_of(sentences: Sequence[str], most: int) -> Sequence[str]:
    """The sentences themselves where they are no more than ``most``; else that many, evenly spaced."""
    if len(sentences) <= most:
        return sentences
    return [sentences[i * len(sentences) // most] for i in range(most)]
