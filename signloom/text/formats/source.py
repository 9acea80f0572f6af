"""Bytes to text and back without loss: the encodings a subtitle file may have, and its limits.

Positions are kept in the decoded text. Each codec used here turns the text back into
the same bytes (decode() checks it), so whatever is not spliced comes back as it was.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from signloom.errors import SubtitleError

MOST_BYTES = 10 * 1024 * 1024
MOST_CUES = 20_000
MOST_LINES = 1_000_000

_BOMS = (
    (b"\xff\xfe\x00\x00", ""),  # UTF-32, which nothing here reads; before UTF-16, its prefix
    (b"\x00\x00\xfe\xff", ""),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}encoding\s{0,20}=\s{0,20}[\"']([A-Za-z0-9._-]{1,40})")
_DECLARABLE = {
    "iso-8859-1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "cp1252",
    "cp1252": "cp1252",
}
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_SAVE_AS = "save it as UTF-8 and try again"


class Line(NamedTuple):
    """Where one line lies in the text: [start, end) without its line break; ``number`` from 1."""

    number: int
    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """A file as text. ``text[0]`` is the byte order mark where the file has one."""

    name: str
    text: str
    codec: str
    markup: bool = False  # a character that the encoding lacks can be written as &#…;
    _line_starts: list[int] = field(default_factory=list, repr=False, compare=False)

    @property
    def first(self) -> int:
        """Position of the first character after a byte order mark."""
        return 1 if self.text.startswith("\ufeff") else 0

    def lines(self) -> list[Line]:
        """All lines, broken at CR, LF or CR LF and nowhere else (U+2028 is text)."""
        found = []
        for number, match in enumerate(_LINE.finditer(self.text, self.first), start=1):
            if match.start() == match.end() == len(self.text) and number > 1:
                break
            if number > MOST_LINES:
                raise SubtitleError(
                    f"{self.name} has more than {MOST_LINES:,} lines, the most that are read; "
                    "is it another kind of file?"
                )
            end = match.end()
            while end > match.start() and self.text[end - 1] in "\r\n":
                end -= 1
            found.append(Line(number, match.start(), end))
        return found

    def newline(self) -> str:
        """The line break that the file uses first; LF where it has none."""
        match = re.search(r"\r\n|\r|\n", self.text)
        return match.group() if match else "\n"

    def line_at(self, position: int) -> int:
        """Number of the line, from 1, that holds a position in the text."""
        if not self._line_starts:
            self._line_starts.append(0)
            self._line_starts.extend(m.end() for m in re.finditer(r"\r\n|\r|\n", self.text))
        return bisect_right(self._line_starts, position)

    def error(self, position: int, message: str) -> SubtitleError:
        """The error to raise for what stands at a position."""
        return SubtitleError(f"{self.name}, line {self.line_at(position)}: {message}")

    def encoded(self, text: str) -> bytes:
        """A text in the encoding of this file; what it lacks, of what was put in, becomes ? or &#…;."""
        return text.encode(self.codec, "xmlcharrefreplace" if self.markup else "replace")


def decode(data: bytes, name: str, markup: bool = False) -> tuple[Source, tuple[str, ...]]:
    """(the text of a file, notices). With ``markup`` an XML declaration may name the encoding.

    UTF-8 with or without a byte order mark, UTF-16 with one, else Windows-1252 with a
    notice. Raises SubtitleError for a file that is too large, empty, or not text.
    """
    if len(data) > MOST_BYTES:
        raise SubtitleError(
            f"{name} has more than {MOST_BYTES:,} bytes, the most that subtitles may have; "
            "is it another kind of file? Otherwise split it"
        )
    if not data.strip():
        raise SubtitleError(f"{name} is empty; expected a subtitle file with at least one cue")
    codec, notices = _codec(data, name, markup)
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        raise SubtitleError(
            f"{name} begins as {codec.upper()} but cannot be read as such at byte {error.start} "
            f"({error.reason}); {_SAVE_AS}"
        ) from None
    if "\x00" in text:
        raise SubtitleError(
            f"{name} holds a NUL character at position {text.index(chr(0))}, so it is not a "
            f"subtitle file in UTF-8, UTF-16 with a byte order mark or Windows-1252; {_SAVE_AS}"
        )
    source = Source(name, text, codec, markup)
    if source.encoded(text) != data:
        raise SubtitleError(f"{name} cannot be written back as it is in {codec}; {_SAVE_AS}")
    if not text[source.first :].strip():
        raise SubtitleError(f"{name} is empty; expected a subtitle file with at least one cue")
    return source, notices


def _codec(data: bytes, name: str, markup: bool) -> tuple[str, tuple[str, ...]]:
    for mark, codec in _BOMS:
        if data.startswith(mark):
            if not codec:
                raise SubtitleError(
                    f"{name} is UTF-32, expected UTF-8, UTF-16 or Windows-1252; {_SAVE_AS}"
                )
            return codec, ()
    if b"\x00" in data:
        raise SubtitleError(
            f"{name} holds a NUL byte at {data.index(0)}: it is binary, or UTF-16 without a byte "
            f"order mark; expected a subtitle file as text; {_SAVE_AS}"
        )
    declared = _DECLARED.match(data) if markup else None
    if declared:
        known = _DECLARABLE.get(declared.group(1).decode().lower())
        if known:
            return known, ()
    try:
        data.decode("utf-8")
        return "utf-8", ()
    except UnicodeDecodeError as error:
        place = error.start
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = "\x01"
    if _CONTROL.search(text):
        raise SubtitleError(
            f"{name} is not text in a known encoding: it is not UTF-8 at byte {place}, has no byte "
            f"order mark of UTF-16, and is not Windows-1252; {_SAVE_AS}"
        )
    line = data.count(b"\n", 0, place) + 1
    return "cp1252", (f"line {line} is not UTF-8; the file was read as Windows-1252",)
