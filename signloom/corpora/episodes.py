"""Aligned episodes as a corpus: cues placed with confidence become sentence samples.

An episode is a pose file and its cues re-timed to the signing, as the JSON report of
``signloom align`` has them: span, confidence and flags of each. The choice is made from
these alone; clips are cut when a sample is asked for, each a slice of the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from signloom.corpora.entries import Entries, Entry, texts_before
from signloom.data.layouts import Layout
from signloom.data.timing import Seconds, Span
from signloom.errors import MediaError, SubtitleError, UsageError
from signloom.pose.files import read_header
from signloom.pose.lip_files import beside, refuse_other
from signloom.text.clean import clean, words_of

REASONS = ("low", "not signed", "not speech", "short", "long", "outside")
"""Why a cue is left out: placed with low confidence, nobody signs it, music or no words, the
length of its span, not inside the clip or not among the cues that were aligned."""

REPORTS = (".report.json", ".aligned.report.json")
"""What a report of ``signloom align`` is called behind the episode's name; looked for first."""


@dataclass(frozen=True)
class AlignedCue:
    """A cue on the signing.

    span: seconds from the start of the clip. confidence: probability that it overlaps the
    truth by half; flags: those of ``signloom align`` ("low", "no signing", "prior", …).
    """

    number: int
    text: str
    span: Span
    confidence: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlignedEpisode:
    """A pose file and its aligned cues.

    name: what ids begin with. duration: the clip's, seconds. aligned_by: the report, or the
    subtitles that were aligned for this.
    """

    name: str
    path: Path
    duration: Seconds
    cues: tuple[AlignedCue, ...]
    aligned_by: str = ""
    language: str = ""

    def low(self) -> tuple[int, int]:
        """(cues placed with low confidence or not signed, all that were placed)."""
        placed = [set(c.flags) for c in self.cues]
        placed = [flags for flags in placed if not flags & {"outside", "not speech", "locked"}]
        return sum(bool(flags & {"low", "no signing"}) for flags in placed), len(placed)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "path": str(self.path)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AlignedEpisode:
        cues = tuple(
            AlignedCue(**{**cue, "span": Span(**cue["span"]), "flags": tuple(cue["flags"])})
            for cue in value["cues"]
        )
        return cls(**{**value, "path": Path(value["path"]), "cues": cues})


@dataclass(frozen=True)
class Keep:
    """Which cues become samples. Raises UsageError for limits that leave nothing."""

    min_confidence: float = 0.7
    min_seconds: Seconds = 0.5
    max_seconds: Seconds = 20.0

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise UsageError(f"--min-confidence is {self.min_confidence:g}, expected 0 to 1")
        if not 0 <= self.min_seconds <= self.max_seconds:
            raise UsageError(
                f"--min-seconds is {self.min_seconds:g} and --max-seconds {self.max_seconds:g}, "
                "expected 0 or more, and the first not above the second"
            )

    def left_out(self, cue: AlignedCue, duration: Seconds) -> str | None:
        """Why a cue of a clip of ``duration`` seconds is left out, one of REASONS; None: it is kept.

        A cue that was put on its prior or left where it was has a confidence that does not
        speak of its span, so it is low whatever the threshold.
        """
        flags = set(cue.flags)
        if "not speech" in flags or not words_of(cue.text):
            return "not speech"
        if "outside" in flags:
            return "outside"
        if "no signing" in flags:
            return "not signed"
        if flags & {"prior", "kept"} or not cue.confidence >= self.min_confidence:
            return "low"
        if cue.span.duration < self.min_seconds - 1e-6:
            return "short"
        if cue.span.duration > self.max_seconds + 1e-6:
            return "long"
        if cue.span.start < -ROUNDING or cue.span.end > duration + ROUNDING:
            return "outside"
        return None


ROUNDING: Seconds = 0.001
"""Reports give milliseconds."""


@dataclass(frozen=True)
class Selection:
    """The cues of some episodes, and which become samples."""

    episodes: tuple[AlignedEpisode, ...]
    keep: Keep = Keep()

    def __iter__(self) -> Iterator[tuple[AlignedEpisode, AlignedCue, str | None]]:
        """(episode, cue, why it is left out or None), in order."""
        for episode in self.episodes:
            for cue in episode.cues:
                yield episode, cue, self.keep.left_out(cue, episode.duration)

    @cached_property
    def kept(self) -> tuple[tuple[AlignedEpisode, AlignedCue], ...]:
        """Those that become samples. Raises UsageError where none does."""
        found = tuple((episode, cue) for episode, cue, why in self if why is None)
        if not found:
            raise UsageError(self._nothing())
        return found

    def reasons(self) -> dict[str, int]:
        """How many cues are left out, by reason."""
        counts = dict.fromkeys(REASONS, 0)
        for _, _, why in self:
            if why is not None:
                counts[why] += 1
        return counts

    def entries(
        self,
        split_of: Mapping[str, str],
        signer: str = "",
        language: str = "",
        lips: bool = False,
    ) -> tuple[Entry, ...]:
        """An entry for each cue kept, called ``<episode>-<cue number>``.

        split_of: episode → split. language: of all; otherwise what each episode says.
        lips: with the lips that lie beside each episode. Raises UsageError where there are none.
        """
        found = {episode.name: lips_beside(episode.path) for episode, _ in self.kept if lips}
        said = [(episode.name, cue) for episode, cue, why in self if why != "not speech"]
        before = texts_before((name, cue.number, clean(cue.text)) for name, cue in said)
        previous = {
            (name, cue.number): text for (name, cue), text in zip(said, before, strict=True)
        }
        return tuple(
            Entry(
                path=episode.path,
                text=clean(cue.text),
                split=split_of[episode.name],
                id=f"{episode.name}-{cue.number}",
                span=Span(max(cue.span.start, 0.0), min(cue.span.end, episode.duration)),
                signer=signer,
                language=language or episode.language,
                lips=found.get(episode.name),
                previous=previous[episode.name, cue.number],
            )
            for episode, cue in self.kept
        )

    def report(self) -> dict[str, Any]:
        """What was kept and why the rest was not, for a store's description.

        hours: of what is kept; mean_confidence: of the cues kept.
        """
        confidences = [cue.confidence for _, cue in self.kept]
        by_episode = Counter(episode.name for episode, _ in self.kept)
        seconds = math.fsum(cue.span.duration for _, cue in self.kept)
        return {
            "episodes": len(self.episodes),
            "cues": sum(len(episode.cues) for episode in self.episodes),
            "kept": len(confidences),
            "hours": round(seconds / 3600, 6),
            "hours_of_episodes": round(math.fsum(e.duration for e in self.episodes) / 3600, 6),
            "mean_confidence": round(math.fsum(confidences) / len(confidences), 4),
            "keep": asdict(self.keep),
            "left_out": self.reasons(),
            "by_episode": {
                episode.name: {
                    "cues": len(episode.cues),
                    "kept": by_episode[episode.name],
                    "aligned_by": episode.aligned_by,
                }
                for episode in self.episodes
            },
        }

    def _nothing(self) -> str:
        total = sum(len(episode.cues) for episode in self.episodes)
        counts = ", ".join(f"{count} {why}" for why, count in self.reasons().items() if count)
        could = [
            cue.confidence
            for episode, cue, _ in self
            if replace(self.keep, min_confidence=0.0).left_out(cue, episode.duration) is None
        ]
        best = "none could be at any"
        if could:
            best = f"the best confidence is {math.floor(1000 * max(could)) / 1000:g}"
        return (
            f"none of {total} cues in {len(self.episodes)} episodes is kept at --min-confidence "
            f"{self.keep.min_confidence:g}: {best} ({counts or 'no cues'}); lower it, look at the "
            "limits of length, or see whether the subtitles belong to these episodes"
        )


def sources(entries: Sequence[Entry], layout: Layout) -> dict[str, Entries]:
    """Split → samples in ``layout``; 'train' first, each in the order of the entries."""
    splits = sorted({entry.split for entry in entries}, key=lambda split: (split != "train", split))
    return {
        split: Entries(tuple(e for e in entries if e.split == split), layout) for split in splits
    }


def dev_episodes(names: Iterable[str], share: float) -> frozenset[str]:
    """The episodes of the dev split: about ``share`` of them, at least one, by a hash of their names.

    Neither order nor draws matter: an episode that is added moves at most one other.
    Raises UsageError where a share cannot be taken by episode.
    """
    ordered = sorted(names, key=lambda name: (hashlib.sha256(name.encode()).hexdigest(), name))
    if not 0 < share < 1:
        raise UsageError(f"--dev-share is {share:g}, expected a share between 0 and 1, as 0.1")
    if len(ordered) < 2:
        raise UsageError(
            f"--dev-share goes by episode, and {len(ordered)} has cues that are kept; give at "
            "least two, or name one split with --split"
        )
    return frozenset(ordered[: min(max(round(share * len(ordered)), 1), len(ordered) - 1)])


# --- files beside a pose file --------------------------------------------------------------------


def name_of(path: Path) -> str:
    """What an episode is called: its file's name up to the first dot."""
    return path.name.partition(".")[0]


def pose_files(given: Sequence[Path]) -> list[Path]:
    """The pose files given, and those in the folders given, once each.

    Raises UsageError where a folder has none, something else is given, or two episodes are
    called the same.
    """
    found: dict[Path, Path] = {}
    for path in given:
        inside = [path]
        if path.is_dir():
            inside = sorted(
                p for p in path.iterdir() if p.suffix.lower() == ".pose" and p.name[0] != "."
            )
            if not inside:
                raise UsageError(
                    f"the folder {path} has no .pose file, expected one for each episode; make them "
                    "with: signloom extract"
                )
        elif path.suffix.lower() != ".pose":
            raise UsageError(
                f"{path} is no .pose file and no folder of them; make one with: signloom extract"
            )
        for file in inside:
            found.setdefault(file.resolve(), file)
    named: dict[str, Path] = {}
    for file in found.values():
        other = named.setdefault(name_of(file), file)
        if other is not file:
            raise UsageError(
                f"{other} and {file} are both called '{name_of(file)}', and samples are called after "
                "their episode; rename one"
            )
    return list(found.values())


def lips_beside(pose: Path) -> Path:
    """The file of lips beside a pose file.

    Raises UsageError where there is none, MediaError where it is another clip's.
    """
    if not (file := beside(pose)).is_file():
        raise UsageError(
            f"{pose} has no lips beside it, expected {file.name}; make them with --lips, as the poses "
            "are made (signloom extract, signloom simulate episode), or do without"
        )
    refuse_other(file, pose)
    return file


def report_beside(pose: Path) -> Path | None:
    """The report of ``signloom align`` beside a pose file, None where there is none.

    ``<n>.report.json`` or ``<n>.aligned.report.json``, else the one file ``<n>.*json`` that
    holds one. Raises UsageError where several do.
    """
    name = name_of(pose)
    for ending in REPORTS:
        if (file := pose.with_name(name + ending)).is_file():
            return file
    others = [
        file
        for file in sorted(pose.parent.iterdir())
        if file.suffix.lower() == ".json" and name_of(file) == name and _is_report(file)
    ]
    if len(others) > 1:
        raise UsageError(
            f"episode '{name}' has the reports {' and '.join(p.name for p in others)}, expected one; "
            f"call the right one {name}{REPORTS[0]}"
        )
    return others[0] if others else None


def _is_report(file: Path) -> bool:
    try:
        cues = json.loads(file.read_text("utf-8"))["cues"]
        return bool(cues) and all({"confidence", "new"} <= cue.keys() for cue in cues)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False


def read_report(report: str | os.PathLike[str], pose: str | os.PathLike[str]) -> AlignedEpisode:
    """An episode as a report of ``signloom align`` has it, on the clock of the clip.

    Raises SubtitleError where the report is damaged or none, MediaError where the pose file
    cannot be read or lasts another time than the report's.
    """
    path, header = Path(pose), read_header(pose)
    try:
        said = json.loads(Path(report).read_text("utf-8"))
        timecode = float(said.get("timecode", 0.0))
        duration = float(said.get("duration", header.duration))
        cues = tuple(_cue(cue, timecode) for cue in said["cues"])
    except OSError as error:
        raise SubtitleError(f"the report {report} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise SubtitleError(
            f"{report} is no report of signloom align ({type(error).__name__}: {error}), expected "
            '"cues" with number, text, new, confidence and flags; align the episode again with '
            "--report"
        ) from None
    if abs(duration - header.duration) > max(0.5, 0.005 * header.duration):
        raise MediaError(
            f"{report} is of {duration:.2f} s of signing but {path} lasts {header.duration:.2f} s, "
            "expected the report of this very episode; align it again"
        )
    return AlignedEpisode(
        name_of(path), path, header.duration, cues, Path(report).name, language_of(path)
    )


def _cue(said: Any, timecode: Seconds) -> AlignedCue:
    span = Span(float(said["new"]["start"]), float(said["new"]["end"]))
    flags = said.get("flags", [])
    if not isinstance(said["text"], str) or not isinstance(flags, list):
        raise ValueError(f"cue {said['number']} has text {said['text']!r:.40} and flags {flags!r}")
    return AlignedCue(
        int(said["number"]),
        said["text"],
        span.shifted(-timecode),
        float(said["confidence"]),
        tuple(map(str, flags)),
    )


def language_of(pose: str | os.PathLike[str]) -> str:
    """The signed language that a pose file's origin names; '' where it names none."""
    return str(read_header(pose).origin.settings.get("language", ""))
