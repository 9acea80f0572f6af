"""ELAN annotation files (EAF 2.x and 3.0): one tier is read, a new tier is written beside it.

New text is spliced in: time slots at the end of TIME_ORDER, the tier after the last one,
a linguistic type where none fits. Nothing else changes but the property
lastUsedAnnotationId. ELAN keeps at most one annotation of a tier at any time, so an end
is cut to the next start.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import SubtitleError
from signloom.text.formats.markup import Element, escaped, quoted, read_markup
from signloom.text.formats.parsed import Format, Parsed, Reading, spliced, without_overlap
from signloom.text.formats.source import Source, decode

OWN_TIER = "signloom"
_OWN = re.compile(rf"{OWN_TIER}(?:-[0-9]+)?\Z")
_LIKE_SUBTITLES = re.compile(
    r"subtitle|caption|untertitel|ondertit|sous-?titre|subt[ií]tul|sottotitol|undertext|(?:\b|_)cc(?:\b|_)",
    re.I,
)
_VALUE = re.compile(r"-?[0-9]{1,15}\Z")
_ROOT = "ANNOTATION_DOCUMENT"


@dataclass(frozen=True)
class _Annotation:
    id: str
    text: str
    slots: tuple[str, str] | None  # ids of time slots
    parent: str  # id of the annotation it refers to, where it has no slots of its own
    place: int


@dataclass(frozen=True)
class _Tier:
    name: str
    type: str
    parent: str
    annotations: tuple[_Annotation, ...]
    aligned: bool  # its annotations have time slots of their own


@dataclass(frozen=True)
class _Document:
    source: Source
    root: Element
    tiers: tuple[_Tier, ...]
    slots: dict[str, int | None]  # milliseconds, None where ELAN has none yet
    free_types: tuple[str, ...]  # linguistic types for time-aligned tiers without a parent


@dataclass(frozen=True)
class _Read:
    """The document and the tier that the cues came from."""

    document: _Document
    tier: _Tier


def parse(source: Source, reading: Reading, tier: str | None, fps: float) -> _Read:
    """Reads one tier of an EAF file. Raises SubtitleError, listing the tiers, where it cannot choose."""
    document = _document(source)
    chosen = _choose(document, tier)
    spans = _spans(document, chosen, reading)
    for annotation in chosen.annotations:
        start, end = spans[annotation.id]
        span = (start / 1000, end / 1000)
        reading.add(annotation.text, annotation.id, None, (), span=span, place=annotation.place)
    if not chosen.annotations:
        raise SubtitleError(
            f"{source.name}: tier '{chosen.name}' has no annotation, so no cue; choose another "
            f"tier: {_listed(document.tiers)}"
        )
    return _Read(document, chosen)


def _document(source: Source) -> _Document:
    root = read_markup(source)
    if root.tag != _ROOT:
        advice = "; give it the ending .ttml" if root.tag == "tt" else ""
        raise SubtitleError(
            f"{source.name} is not EAF: its root element is <{root.tag[:40]}>, expected "
            f"<{_ROOT}>{advice}"
        )
    for header in root.named("HEADER"):
        units = header.attributes.get("TIME_UNITS", "milliseconds")
        if units != "milliseconds":
            raise source.error(
                header.start,
                f"times are in '{units[:40]}', expected milliseconds; save the file with a newer ELAN",
            )
    slots: dict[str, int | None] = {}
    for order in root.named("TIME_ORDER"):
        for slot in order.named("TIME_SLOT"):
            value = slot.attributes.get("TIME_VALUE")
            if value is not None and not _VALUE.match(value.strip()):
                raise source.error(
                    slot.start,
                    f'cannot read the time TIME_VALUE="{value[:40]}"; expected milliseconds as a '
                    "whole number; correct it and try again",
                )
            slots[slot.attributes.get("TIME_SLOT_ID", "")] = None if value is None else int(value)
    free = tuple(
        kind.attributes.get("LINGUISTIC_TYPE_ID", "")
        for kind in root.named("LINGUISTIC_TYPE")
        if kind.attributes.get("TIME_ALIGNABLE") == "true" and "CONSTRAINTS" not in kind.attributes
    )
    return _Document(source, root, tuple(map(_tier, root.named("TIER"))), slots, free)


def _tier(element: Element) -> _Tier:
    found, aligned = [], False
    for annotation in element.named("ANNOTATION"):
        for inner in annotation.elements():
            said = inner.attributes
            text = "".join(value.text() for value in inner.named("ANNOTATION_VALUE"))
            slots = None
            if inner.tag == "ALIGNABLE_ANNOTATION":
                slots = (said.get("TIME_SLOT_REF1", ""), said.get("TIME_SLOT_REF2", ""))
                aligned = True
            elif inner.tag != "REF_ANNOTATION":
                continue
            id, parent = said.get("ANNOTATION_ID", ""), said.get("ANNOTATION_REF", "")
            found.append(_Annotation(id, text, slots, parent, inner.start))
    said = element.attributes
    return _Tier(
        said.get("TIER_ID", ""),
        said.get("LINGUISTIC_TYPE_REF", ""),
        said.get("PARENT_REF", ""),
        tuple(found),
        aligned,
    )


def _listed(tiers: Sequence[_Tier]) -> str:
    if not tiers:
        return "it has none"
    shown = [f"'{tier.name}' ({len(tier.annotations)})" for tier in tiers[:20]]
    return ", ".join(shown) + (f" and {len(tiers) - 20} more" if len(tiers) > 20 else "")


def _choose(document: _Document, name: str | None) -> _Tier:
    tiers = document.tiers
    if name is not None:
        for tier in tiers:
            if tier.name == name:
                return tier
        raise SubtitleError(
            f"{document.source.name} has no tier '{name}'; its tiers, with their annotations: "
            f"{_listed(tiers)}"
        )
    aligned = [tier for tier in tiers if tier.aligned and not _OWN.match(tier.name)]
    aligned = aligned or [tier for tier in tiers if tier.aligned]
    if len(aligned) == 1:
        return aligned[0]
    alike = [
        tier
        for tier in tiers
        if tier.annotations
        and not _OWN.match(tier.name)
        and (_LIKE_SUBTITLES.search(tier.name) or _LIKE_SUBTITLES.search(tier.type))
    ]
    if len(alike) == 1:
        return alike[0]
    what = "no tier with annotations" if not aligned else f"{len(aligned)} tiers with annotations"
    raise SubtitleError(
        f"{document.source.name} has {what}, and it is not clear which holds the subtitles; name "
        f"one (tier): {_listed(tiers)}"
    )


def _spans(
    document: _Document, tier: _Tier, reading: Reading
) -> dict[str, tuple[Fraction, Fraction]]:
    """Start and end in milliseconds of a tier's annotations, by id."""
    source = document.source
    if len({annotation.id for annotation in tier.annotations}) < len(tier.annotations):
        raise SubtitleError(f"{source.name}: tier '{tier.name}' has two annotations with one id")
    if any(annotation.slots is None for annotation in tier.annotations):
        return _inherited(document, tier, reading)
    order: list[str] = []
    for annotation in tier.annotations:
        assert annotation.slots is not None
        for slot in annotation.slots:
            if slot not in document.slots:
                raise source.error(
                    annotation.place,
                    f"annotation '{annotation.id}' refers to the time slot '{slot}', which the "
                    "file does not have",
                )
            if not order or order[-1] != slot:
                order.append(slot)
    values = _filled(document, tier, order, reading)
    return {a.id: (values[a.slots[0]], values[a.slots[1]]) for a in tier.annotations if a.slots}


def _filled(
    document: _Document, tier: _Tier, order: list[str], reading: Reading
) -> dict[str, Fraction]:
    """Milliseconds of a tier's slots; those without a time are spread evenly between the others."""
    values: dict[str, Fraction] = {}
    known = [(at, slot) for at, slot in enumerate(order) if document.slots[slot] is not None]
    if not known:
        raise SubtitleError(
            f"{document.source.name}: no annotation of tier '{tier.name}' has a time; align it in "
            "ELAN first"
        )
    for _, slot in known:
        values[slot] = Fraction(document.slots[slot] or 0)
    bounds = [(-1, known[0][1]), *known, (len(order), known[-1][1])]
    for (before, first), (after, last) in pairwise(bounds):
        for at in range(before + 1, after):
            share = Fraction(at - before, after - before)
            values[order[at]] = values[first] + share * (values[last] - values[first])
    missing = len(order) - len(known)
    if missing:
        reading.notice(
            "slots without time",
            f"tier '{tier.name}': {missing} time slots have no time; they are read as spread "
            "evenly between their neighbours",
        )
    return values


def _inherited(
    document: _Document, tier: _Tier, reading: Reading
) -> dict[str, tuple[Fraction, Fraction]]:
    """Spans of annotations that refer to others: those that share a parent divide its time evenly."""
    owners = {a.id: owner for owner in document.tiers for a in owner.annotations}
    chain, seen = [tier], {tier.name}
    while any(a.slots is None for a in chain[-1].annotations):
        first = next(a for a in chain[-1].annotations if a.slots is None)
        above = owners.get(first.parent)
        if above is None or above.name in seen:
            raise document.source.error(
                first.place,
                f"annotation '{first.id}' refers to '{first.parent}', which leads to no time",
            )
        chain.append(above)
        seen.add(above.name)
    spans = _spans(document, chain.pop(), reading)
    for below in reversed(chain):
        siblings: dict[str, list[str]] = {}
        for annotation in below.annotations:
            if annotation.parent not in spans:
                raise document.source.error(
                    annotation.place,
                    f"annotation '{annotation.id}' refers to '{annotation.parent}', which the "
                    "tier above does not have",
                )
            siblings.setdefault(annotation.parent, []).append(annotation.id)
        divided = {}
        for parent, ids in siblings.items():
            start, end = spans[parent]
            for at, id in enumerate(ids):
                share = (end - start) / len(ids)
                divided[id] = (start + at * share, start + (at + 1) * share)
        spans = divided
    return spans


def retimed(parsed: Parsed, spans: Sequence[Span | None]) -> str:
    """The document with the new times in a tier ``signloom`` of its own (signloom-2, …)."""
    read: _Read = parsed.more
    timed = [
        (cue.span if span is None else span, cue.text)
        for cue, span in zip(parsed.cues, spans, strict=True)
    ]
    return _added(read.document, {OWN_TIER: timed}, read.tier.type)


def with_tiers(
    data: bytes | None, tiers: Mapping[str, Sequence[tuple[Span, str]]], *, media: str = ""
) -> bytes:
    """An EAF file with more tiers: name → (span in seconds, text) each.

    data: an EAF file that they are added to, everything else byte for byte; None makes a
    new one (EAF 3.0), with ``media`` as its video. A name that is taken gets -2, -3, …
    Within a tier an end is cut to the next start, since ELAN's annotations never overlap;
    each is at least one millisecond long, and none starts before 0.

    Raises SubtitleError where ``data`` cannot be read.
    """
    source, _ = decode(data if data is not None else _new(media), "the EAF file", markup=True)
    return source.encoded(_added(_document(source), tiers, ""))


def _new(media: str) -> bytes:
    video = ""
    if media:
        video = f"\n        <MEDIA_DESCRIPTOR MEDIA_URL={quoted(media)} MIME_TYPE={quoted(_mime(media))}/>"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="signloom" DATE="1970-01-01T00:00:00+00:00" FORMAT="3.0" \
VERSION="3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">{video}
        <PROPERTY NAME="lastUsedAnnotationId">0</PROPERTY>
    </HEADER>
    <TIME_ORDER>
    </TIME_ORDER>
    <LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="{OWN_TIER}" \
TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
""".encode()


def _mime(media: str) -> str:
    endings = {".mp4": "video/mp4", ".mpg": "video/mpeg", ".mov": "video/quicktime"}
    return endings.get(media[-4:].lower(), "video/*")


def _added(document: _Document, tiers: Mapping[str, Sequence[tuple[Span, str]]], kind: str) -> str:
    """The document's text with tiers added, of the linguistic type ``kind`` if that is free."""
    source, root = document.source, document.root
    line = source.newline()
    if root.empty:
        raise source.error(root.start, f"<{_ROOT}> has nothing inside; expected a TIME_ORDER")
    new_type: list[tuple[int, int, str]] = []
    if kind not in document.free_types:
        kind = OWN_TIER
        if kind not in document.free_types:
            others = {
                other.attributes.get("LINGUISTIC_TYPE_ID")
                for other in root.named("LINGUISTIC_TYPE")
            }
            kind = _unique(OWN_TIER, others)
            new_type.append(_type_edit(document, kind, line))
    names = {tier.name for tier in document.tiers}
    next_slot = 1 + _last(document.slots, "ts")
    next_id = 1 + _last([a.id for tier in document.tiers for a in tier.annotations], "a")
    slots, written = [], []
    for wanted, timed in tiers.items():
        name = _unique(wanted, names)
        names.add(name)
        written.append(f"<TIER LINGUISTIC_TYPE_REF={quoted(kind)} TIER_ID={quoted(name)}>")
        for start, end, text in without_overlap(timed, 1000):
            first, last = f"ts{next_slot}", f"ts{next_slot + 1}"
            slots += [
                f'<TIME_SLOT TIME_SLOT_ID="{first}" TIME_VALUE="{start}"/>',
                f'<TIME_SLOT TIME_SLOT_ID="{last}" TIME_VALUE="{end}"/>',
            ]
            written += [
                "    <ANNOTATION>",
                f'        <ALIGNABLE_ANNOTATION ANNOTATION_ID="a{next_id}" '
                f'TIME_SLOT_REF1="{first}" TIME_SLOT_REF2="{last}">',
                f"            <ANNOTATION_VALUE>{escaped(text)}</ANNOTATION_VALUE>",
                "        </ALIGNABLE_ANNOTATION>",
                "    </ANNOTATION>",
            ]
            next_slot, next_id = next_slot + 2, next_id + 1
        written.append("</TIER>")
    place = _tier_place(document)
    edits = [
        *_slot_edits(document, slots, line),
        (place, place, _indented(written, 4, line)),
        *new_type,  # behind the tier where both go to one place
    ]
    for header in root.named("HEADER"):
        for said in header.named("PROPERTY"):
            if said.attributes.get("NAME") == "lastUsedAnnotationId" and not said.empty:
                edits.append((said.inside, said.close, str(next_id - 1)))
    return spliced(source.text, edits)


def _unique(name: str, taken: set[str] | set[str | None]) -> str:
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{name}-{number}"
    return found


def _last(ids: Sequence[str] | Mapping[str, object], prefix: str) -> int:
    """The largest number behind a prefix among ids."""
    numbers = (re.fullmatch(rf"{prefix}([0-9]{{1,15}})", id) for id in ids)
    return max((int(found[1]) for found in numbers if found), default=0)


def _indented(lines: list[str], spaces: int, line: str) -> str:
    return "".join(f"{line}{' ' * spaces}{text}" for text in lines)


def _slot_edits(document: _Document, slots: list[str], line: str) -> list[tuple[int, int, str]]:
    orders = document.root.named("TIME_ORDER")
    if not orders:
        headers = document.root.named("HEADER")
        place = headers[-1].end if headers else document.root.inside
        whole = ["<TIME_ORDER>", *(f"    {slot}" for slot in slots), "</TIME_ORDER>"]
        return [(place, place, _indented(whole, 4, line))]
    order, inside = orders[-1], _indented(slots, 8, line)
    if order.empty:
        slash = document.source.text.rindex("/", order.start, order.end)
        return [(slash, order.end, f">{inside}{line}    </TIME_ORDER>")]
    place = max((slot.end for slot in order.elements()), default=order.inside)
    return [(place, place, inside)]


def _tier_place(document: _Document) -> int:
    """Where a new TIER goes: after the last one, else after TIME_ORDER, as the schema orders it."""
    for tag in ("TIER", "TIME_ORDER", "HEADER", "LICENSE"):
        found = document.root.named(tag)
        if found:
            return found[-1].end
    return document.root.inside


def _type_edit(document: _Document, kind: str, line: str) -> tuple[int, int, str]:
    found = document.root.named("LINGUISTIC_TYPE")
    place = found[-1].end if found else _tier_place(document)
    text = (
        f'<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID={quoted(kind)} '
        'TIME_ALIGNABLE="true"/>'
    )
    return place, place, _indented([text], 4, line)


def compose(cues: Sequence[Cue]) -> str:
    """A new EAF file with the cues in a tier ``signloom``; overlaps are cut."""
    tiers = {OWN_TIER: [(cue.span, cue.text) for cue in cues]}
    return with_tiers(None, tiers).decode("utf-8")


FORMAT = Format(parse, retimed, compose, markup=True, tiers=True)
