"""XML as a tree that remembers where everything stands in the text; DTDs are refused.

Read with expat. Without a DTD there are no entities to expand (the "billion laughs")
and nothing to fetch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from signloom.errors import SubtitleError
from signloom.text.formats.parsed import printable
from signloom.text.formats.source import Source

MOST_DEEP = 200
MOST_ELEMENTS = 400_000
_TAG_NAME = re.compile(r"<[^\s/>]+")
_ATTRIBUTE = re.compile(r"\s+([^\s=/>]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


@dataclass(slots=True)
class Element:
    """One element. Its start tag is [start, inside), its end tag begins at ``close``.

    An empty-element tag (<a/>) ends where its inside would begin, and ``empty`` is set.
    """

    tag: str
    attributes: dict[str, str]
    start: int
    inside: int = 0
    close: int = 0
    end: int = 0
    empty: bool = False
    children: list[Element | str] = field(default_factory=list)

    def elements(self) -> Iterator[Element]:
        """The child elements."""
        return (child for child in self.children if isinstance(child, Element))

    def named(self, tag: str) -> list[Element]:
        """The child elements with a local name."""
        return [child for child in self.elements() if child.tag == tag]

    def text(self) -> str:
        """All the text inside."""
        return "".join(c if isinstance(c, str) else c.text() for c in self.children)


def local(name: str) -> str:
    """A name without its namespace prefix."""
    return name.rpartition(":")[2]


def read_markup(source: Source) -> Element:
    """The root element of an XML text. Raises SubtitleError where it is not well formed."""
    first = source.first
    data = source.text[first:].encode("utf-8")
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.ordered_attributes = True
    builder = _Builder(source, parser)
    parser.StartElementHandler = builder.opened
    parser.EndElementHandler = builder.closed
    parser.CharacterDataHandler = builder.said
    parser.StartDoctypeDeclHandler = builder.doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise SubtitleError(
            f"{source.name}, line {error.lineno}: not well-formed XML "
            f"({expat.ErrorString(error.code)}, column {error.offset + 1}); correct it and try again"
        ) from None
    assert builder.root is not None
    _place(builder.all, data, source.text, first)
    return builder.root


class _Builder:
    def __init__(self, source: Source, parser: Any):
        self.source = source
        self.parser = parser
        self.root: Element | None = None
        self.stack: list[Element] = []
        self.all: list[Element] = []

    def opened(self, name: str, attributes: list[str]) -> None:
        if len(self.stack) >= MOST_DEEP or len(self.all) >= MOST_ELEMENTS:
            raise SubtitleError(
                f"{self.source.name}, line {self.parser.CurrentLineNumber}: elements are nested "
                f"deeper than {MOST_DEEP} or more than {MOST_ELEMENTS:,}; is this a subtitle file?"
            )
        pairs = dict(zip(attributes[::2], attributes[1::2], strict=True))
        element = Element(local(name), pairs, self.parser.CurrentByteIndex)
        if self.stack:
            self.stack[-1].children.append(element)
        else:
            self.root = element
        self.stack.append(element)
        self.all.append(element)

    def closed(self, name: str) -> None:
        element = self.stack.pop()
        element.close = self.parser.CurrentByteIndex

    def said(self, text: str) -> None:
        self.stack[-1].children.append(text)

    def doctype(self, *_: Any) -> None:
        raise SubtitleError(
            f"{self.source.name}, line {self.parser.CurrentLineNumber}: the file has a DOCTYPE, "
            "which subtitles do not need and which could expand without bound; remove it and "
            "try again"
        )


def _place(elements: list[Element], data: bytes, text: str, first: int) -> None:
    """Turns byte positions into positions in the text, and finds the ends of tags."""
    wanted = sorted({place for e in elements for place in (e.start, e.close)})
    places, last, at = {}, 0, first
    for byte in wanted:
        at += len(data[last:byte].decode("utf-8"))
        places[byte], last = at, byte
    for element in elements:
        element.start, element.close = places[element.start], places[element.close]
        element.inside = _tag_end(text, element.start)
        element.empty = text[element.inside - 2] == "/"
        if element.empty:
            element.close = element.end = element.inside
        else:
            element.end = text.index(">", element.close) + 1


def _tag_end(text: str, start: int) -> int:
    """Position after the '>' of the start tag at ``start``."""
    found = _TAG_NAME.match(text, start)
    assert found
    at = found.end()
    while attribute := _ATTRIBUTE.match(text, at):
        at = attribute.end()
    return text.index(">", at) + 1


def attribute_places(text: str, element: Element) -> dict[str, tuple[int, int]]:
    """Where the values of an element's attributes stand, by the names as written."""
    found = _TAG_NAME.match(text, element.start)
    assert found
    at = found.end()
    places = {}
    while attribute := _ATTRIBUTE.match(text, at):
        places[attribute.group(1)] = attribute.span(2 if attribute.group(2) is not None else 3)
        at = attribute.end()
    return places


def quoted(text: str) -> str:
    """A text as an attribute's value, with its quotation marks."""
    return quoteattr(printable(text))


def escaped(text: str) -> str:
    """A text as an element's content."""
    return escape(printable(text), {"\r": "&#13;"})
