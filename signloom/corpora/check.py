"""What is wrong with a corpus, said and not mended: a store, or a manifest before it becomes one.

Every clip is read once. A finding is an error (training on it would be wrong), a
warning (often meant, often not) or a piece of information; docs/corpora.md has the
table. A time counts as past the end beyond ``tolerance``, one frame of the clip
unless told otherwise.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from signloom.corpora.entries import Entry, lips_of
from signloom.corpora.manifest import ENDINGS, manifest_lines, unread_columns
from signloom.corpora.store import Store, is_store, open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan
from signloom.errors import MediaError, SignloomError, UsageError
from signloom.pose.convert import conversion
from signloom.pose.files import read_header, read_pose

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

FEW_HANDS = 0.5
"""A clip of which fewer than this share of frames show a hand is a warning."""

SAME_RATE = 0.01
"""Rates that differ by less than this share are one rate: 29.97 and 30."""


@dataclass(frozen=True)
class Finding:
    """One thing found: how bad, of what kind, in words, and the samples it concerns."""

    severity: Severity
    kind: str
    message: str
    samples: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity,
            "kind": self.kind,
            "message": self.message,
            "count": len(self.samples),
            "samples": list(self.samples),
        }


@dataclass(frozen=True)
class Report:
    """What was looked at, and what was found; the worst first.

    splits: split → samples that could be read. frames: of all of them.
    """

    source: str
    splits: dict[str, int]
    frames: int
    tolerance: float | None
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Whether there is no error; warnings may be there."""
        return not self.count("error")

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "splits": self.splits,
            "frames": self.frames,
            "tolerance": self.tolerance,
            "clean": self.clean,
            **{f"{severity}s": self.count(severity) for severity in SEVERITIES},
            "findings": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True)
class Facts:
    """What the checks need to know of a sample; its points are not kept.

    digest: of what its clip holds. hands: share of frames in which a hand is seen, None
    where the layout has none; mouth: the same of its lips, None where it has none. span,
    length: the stretch taken and the file's length (seconds), of a manifest's samples.
    """

    id: str
    split: str
    text: str
    glosses: tuple[GlossSpan, ...]
    signer: str
    fps: float
    frames: int
    layout: Layout
    extractor: str
    digest: str
    hands: float | None
    file: str = ""
    span: tuple[float, float] | None = None
    length: float = 0.0
    mouth: float | None = None

    @property
    def name(self) -> str:
        return f"{self.split}/{self.id}"

    @property
    def duration(self) -> float:
        return self.frames / self.fps


@dataclass
class _Read:
    """What reading gave: the facts, and the findings that reading alone brings."""

    facts: list[Facts] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def check(
    path: str | os.PathLike[str],
    tolerance: float | None = None,
    advance: Callable[[int], None] = lambda n: None,
) -> Report:
    """Checks a store, or a manifest (.tsv, .csv, .jsonl); nothing is changed.

    tolerance: seconds that a time may lie past the end; None: one frame of the clip.
    advance: told how many more samples are done, of ``samples_in`` in all.

    Raises UsageError where ``path`` is neither, MediaError where nothing of it can be read.
    """
    if tolerance is not None and not 0 <= tolerance < float("inf"):
        raise UsageError(f"tolerance is {tolerance}, expected seconds, 0 or more")
    if is_store(path):
        read = _read_store(open_store(path), advance)
    else:
        read = _read_manifest(_manifest(path), advance)
    findings = [*read.findings, *found_in(read.facts, tolerance)]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Report(
        str(path),
        dict(Counter(fact.split for fact in read.facts)),
        sum(fact.frames for fact in read.facts),
        tolerance,
        tuple(findings),
    )


def samples_in(path: str | os.PathLike[str]) -> int:
    """How many samples a store has, or how many lines a manifest. Raises as ``check`` does."""
    return len(open_store(path)) if is_store(path) else len(manifest_lines(_manifest(path)))


def _manifest(path: str | os.PathLike[str]) -> Path:
    if Path(path).suffix not in ENDINGS:
        raise UsageError(
            f"{path} is neither a store nor a manifest; expected a folder that 'signloom prepare' "
            "wrote, or a .tsv, .csv or .jsonl with path and text"
        )
    return Path(path)


# --- reading -----------------------------------------------------------------------------------


def _read_store(store: Store, advance: Callable[[int], None]) -> _Read:
    read = _Read()
    try:
        store.verify()
    except MediaError as error:
        read.findings.append(Finding("error", "damaged", str(error)))
    left_out = store.left_out()
    if left_out:
        read.findings.append(
            Finding(
                "warning",
                "missing clip",
                f"{len(left_out)} clips of the corpus are not in the store; the first, "
                f"'{left_out[0].id}': {left_out[0].reason}; quarantine.tsv lists them",
                tuple(f"{clip.split}/{clip.id}" for clip in left_out),
            )
        )
    for split in store.splits:
        part = open_store(store.path, split, lips=store.with_lips(split) > 0)
        for index in range(len(part)):
            try:
                sample = part[index]
                read.facts.append(
                    _facts(
                        sample.clip,
                        sample.lips,
                        id=sample.id,
                        split=split,
                        text=sample.text,
                        glosses=sample.glosses,
                        signer=sample.signer,
                    )
                )
            except (MediaError, ValueError) as error:
                name = f"{split}/{index}"
                read.findings.append(
                    Finding("error", "broken clip", f"sample {index} of {split}: {error}", (name,))
                )
            advance(1)
    return read


def _read_manifest(file: Path, advance: Callable[[int], None]) -> _Read:
    read = _Read()
    wrong: dict[str, list[tuple[str, str]]] = {}
    for line in manifest_lines(file):
        name = f"line {line.number}"
        if isinstance(line.found, SignloomError):
            kind = "missing clip" if isinstance(line.found, MediaError) else "wrong line"
            wrong.setdefault(kind, []).append((name, str(line.found)))
        else:
            try:
                read.facts.append(_entry_facts(line.found))
            except MediaError as error:
                wrong.setdefault("broken clip", []).append((name, f"{file}, {name}: {error}"))
        advance(1)
    read.findings += [
        Finding("error", kind, message, (name,))
        for kind, found in wrong.items()
        for name, message in found
    ]
    unread = unread_columns(file)
    if unread:
        read.findings.append(
            Finding("info", "columns not read", f"nothing reads the columns {', '.join(unread)}")
        )
    return read


def _entry_facts(entry: Entry) -> Facts:
    length = read_header(entry.path).duration
    clip = read_pose(entry.path, entry.span)
    return _facts(
        clip,
        lips_of(entry, clip),
        id=entry.id,
        split=entry.split,
        text=entry.text,
        glosses=entry.glosses,
        signer=entry.signer,
        file=str(entry.path.resolve()),
        span=(entry.span.start, entry.span.end) if entry.span else None,
        length=length,
    )


def _facts(clip: PoseClip, lips: Lips | None, **known: Any) -> Facts:
    hands = [at for part, at in clip.layout.parts.items() if part in ("left_hand", "right_hand")]
    seen = None
    if hands and len(clip):
        present = clip.present
        seen = float(np.any([present[:, at].any(axis=1) for at in hands], axis=0).mean())
    digest = hashlib.sha256(clip.points.tobytes())
    digest.update(clip.confidence.tobytes())
    return Facts(
        fps=clip.fps,
        frames=len(clip),
        layout=clip.layout,
        extractor=f"{clip.origin.extractor} {clip.origin.version}".strip(),
        digest=digest.hexdigest(),
        hands=seen,
        mouth=float(lips.present.mean()) if lips is not None and len(lips) else None,
        **known,
    )


# --- what is found -----------------------------------------------------------------------------


def found_in(facts: Sequence[Facts], tolerance: float | None = None) -> Iterator[Finding]:
    """The findings of some samples, each a pure function of the facts."""
    yield from _empty_clips(facts)
    yield from _past_the_end(facts, tolerance)
    yield from _empty_text(facts)
    yield from _same_ids(facts)
    yield from _same_clips(facts)
    yield from _overlaps(facts)
    yield from _hands(facts)
    yield from _lips(facts)
    yield from _layouts(facts)
    yield from _rates(facts)
    yield from _extractors(facts)
    yield from _signers(facts)
    yield from _same_texts(facts)


def _empty_clips(facts: Sequence[Facts]) -> Iterator[Finding]:
    empty = [fact for fact in facts if not fact.frames]
    yield from _each(
        "error", "empty clip", empty, lambda f: f"no frames{_stretch(f)}; correct start and end"
    )


def _past_the_end(facts: Sequence[Facts], tolerance: float | None) -> Iterator[Finding]:
    late, signs = [], {}
    for fact in facts:
        slack = (1 / fact.fps if tolerance is None else tolerance) + 1e-6
        if fact.span and fact.span[1] > fact.length + slack and fact.frames:
            late.append(fact)
        ends = [gloss.span.end for gloss in fact.glosses if gloss.span]
        if ends and fact.frames and max(ends) > fact.duration + slack:
            signs[fact.name] = max(ends) - fact.duration
    yield from _each(
        "error",
        "time past the end",
        late,
        lambda f: f"ends at {f.span[1]:.2f} s of a file of {f.length:.2f} s",  # type: ignore[index]
    )
    past = [fact for fact in facts if fact.name in signs]
    yield from _each(
        "error",
        "gloss past the end",
        past,
        lambda f: (
            f"its last sign ends {signs[f.name]:.2f} s after the clip, which is "
            f"{f.duration:.2f} s long"
        ),
    )


def _empty_text(facts: Sequence[Facts]) -> Iterator[Finding]:
    empty = [fact for fact in facts if not fact.text.strip()]
    yield from _each(
        "error", "empty text", [f for f in empty if not f.glosses], lambda f: "no text, no gloss"
    )
    yield from _each(
        "warning", "no text", [f for f in empty if f.glosses], lambda f: "glosses but no text"
    )


def _same_ids(facts: Sequence[Facts]) -> Iterator[Finding]:
    for fact_id, group in _groups(facts, lambda f: f.id).items():
        if len(group) > 1:
            splits = ", ".join(dict.fromkeys(f.split for f in group))
            message = f"the id '{fact_id}' is given {len(group)} times (in {splits})"
            yield Finding("error", "same id", message, _names(group))


def _same_clips(facts: Sequence[Facts]) -> Iterator[Finding]:
    for group in _groups([f for f in facts if f.frames], lambda f: f.digest).values():
        if len(group) < 2:
            continue
        across = len({fact.split for fact in group}) > 1
        shown = ", ".join(_names(group)[:4]) + (" …" if len(group) > 4 else "")
        yield Finding(
            "error" if across else "warning",
            "same clip across splits" if across else "same clip",
            f"{len(group)} samples have the same frames: {shown}",
            _names(group),
        )


def _overlaps(facts: Sequence[Facts]) -> Iterator[Finding]:
    """Stretches of one file that share time and stand in different splits."""
    for file, group in _groups([f for f in facts if f.file], lambda f: f.file).items():
        ordered = sorted(group, key=lambda f: f.span or (0.0, f.length))
        for i, one in enumerate(ordered):
            for other in ordered[i + 1 :]:
                start, end = other.span or (0.0, other.length)
                shared = min(end, (one.span or (0.0, one.length))[1]) - start
                if shared <= 0:
                    break
                if one.split != other.split and one.digest != other.digest:
                    yield Finding(
                        "error",
                        "same stretch across splits",
                        f"{one.name} and {other.name} share {shared:.2f} s of {Path(file).name}",
                        (one.name, other.name),
                    )


def _hands(facts: Sequence[Facts]) -> Iterator[Finding]:
    known = [fact for fact in facts if fact.hands is not None]
    yield from _each(
        "error",
        "no hands",
        [f for f in known if not f.hands],
        lambda f: f"no hand is seen in its {f.frames} frames",
    )
    yield from _each(
        "warning",
        "few hands",
        [f for f in known if f.hands and f.hands < FEW_HANDS],
        lambda f: f"a hand is seen in {f.hands:.0%} of its {f.frames} frames",
    )


def _lips(facts: Sequence[Facts]) -> Iterator[Finding]:
    having = [fact for fact in facts if fact.mouth is not None]
    yield from _each(
        "warning",
        "no mouth",
        [f for f in having if not f.mouth],
        lambda f: f"its lips show a mouth in none of {f.frames} frames",
    )
    lacking = [fact for fact in facts if fact.mouth is None]
    if having and lacking:
        told = f"{len(lacking)} of {len(facts)} samples have no lips; a model that reads lips sees"
        yield Finding("warning", "lips missing", f"{told} no mouth there", _names(lacking))


def _layouts(facts: Sequence[Facts]) -> Iterator[Finding]:
    groups = _groups(facts, lambda f: f.layout.name)
    if len(groups) < 2:
        return
    first = facts[0].layout
    stuck = []
    for fact in (group[0] for group in groups.values()):
        try:
            conversion(fact.layout, first)
        except UsageError:
            stuck.append(fact.layout.name)
    told = f"layouts are mixed: {_counted(groups)}"
    if stuck:
        told += f"; {', '.join(stuck)} does not convert to the first, {first.name}"
    severity: Severity = "error" if stuck else "warning"
    yield Finding(severity, "mixed layouts", told, _fewest(groups.values()))


def _rates(facts: Sequence[Facts]) -> Iterator[Finding]:
    rates: dict[float, list[Facts]] = {}
    for fact in facts:
        near = [rate for rate in rates if abs(rate - fact.fps) <= SAME_RATE * rate]
        rates.setdefault(near[0] if near else fact.fps, []).append(fact)
    if len(rates) > 1:
        named = {f"{rate:.6g} fps": group for rate, group in rates.items()}
        told = f"rates are mixed: {_counted(named)}; a method that counts frames sees other tempi"
        yield Finding("warning", "mixed rates", told, _fewest(rates.values()))


def _extractors(facts: Sequence[Facts]) -> Iterator[Finding]:
    groups = _groups(facts, lambda f: f.extractor)
    if len(groups) > 1:
        told = f"extractors are mixed: {_counted(groups)}; the same signing looks different to each"
        yield Finding("warning", "mixed extractors", told, _fewest(groups.values()))


def _signers(facts: Sequence[Facts]) -> Iterator[Finding]:
    for signer, group in _groups([f for f in facts if f.signer], lambda f: f.signer).items():
        splits = list(dict.fromkeys(fact.split for fact in group))
        if len(splits) > 1:
            told = f"signer '{signer}' is in {', '.join(splits)}; scores are not of unknown signers"
            yield Finding("warning", "signer across splits", told, _names(group))


def _same_texts(facts: Sequence[Facts]) -> Iterator[Finding]:
    groups = _groups([f for f in facts if f.text.strip()], lambda f: f.text.casefold())
    shared = {t: g for t, g in groups.items() if len({fact.split for fact in g}) > 1}
    if shared:
        first = next(iter(shared.values()))
        told = (
            f"{len(shared)} texts stand in more than one split, as '{first[0].text[:60]}' in "
            f"{', '.join(dict.fromkeys(f.split for f in first))}"
        )
        concerned = [fact for group in shared.values() for fact in group]
        yield Finding("info", "same text across splits", told, _names(concerned))


def _each(
    severity: Severity, kind: str, facts: Sequence[Facts], told: Callable[[Facts], str]
) -> Iterator[Finding]:
    """One finding for all samples of a kind, told of the first."""
    if facts:
        more = f" (and {len(facts) - 1} more)" if len(facts) > 1 else ""
        yield Finding(severity, kind, f"{facts[0].name}: {told(facts[0])}{more}", _names(facts))


def _groups(facts: Iterable[Facts], key: Callable[[Facts], str]) -> dict[str, list[Facts]]:
    found: dict[str, list[Facts]] = defaultdict(list)
    for fact in facts:
        found[key(fact)].append(fact)
    return dict(found)


def _names(facts: Iterable[Facts]) -> tuple[str, ...]:
    return tuple(fact.name for fact in facts)


def _fewest(groups: Iterable[list[Facts]]) -> tuple[str, ...]:
    """The samples of the smallest group: the odd ones."""
    return _names(sorted(groups, key=len)[0])


def _counted(groups: dict[str, list[Facts]]) -> str:
    ordered = sorted(groups.items(), key=lambda item: -len(item[1]))
    return ", ".join(f"{name} ({len(group)})" for name, group in ordered)


def _stretch(fact: Facts) -> str:
    return f" between {fact.span[0]} s and {fact.span[1]} s" if fact.span else ""
