"""What a reader finds in a corpus: entries with a clip each, and those whose clip is not there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Seconds, Span
from signloom.errors import MediaError
from signloom.pose.convert import convert
from signloom.pose.files import read_header, read_pose
from signloom.pose.lip_files import read_lips, refuse_other

ReadClip = Callable[[Path, Span | None], PoseClip]
"""A file (or folder), and the stretch of it to take (seconds, None: all), to a clip."""


SPLITS = ("train", "val", "dev", "test")


@dataclass(frozen=True)
class Entry:
    """One clip of a corpus and what is known of it.

    span: the stretch of the file (seconds). lips: the file of the mouth crops of all of it. previous: the text
    before this one, where it is known.
    """

    path: Path
    text: str
    split: str
    id: str
    glosses: tuple[GlossSpan, ...] = ()
    span: Span | None = None
    signer: str = ""
    language: str = ""
    lips: Path | None = None
    previous: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A clip that a corpus lists and a store has not, and why."""

    id: str
    split: str
    reason: str


@dataclass(frozen=True)
class Entries:
    """The samples of some entries, in ``layout``. A SampleSource."""

    entries: tuple[Entry, ...]
    layout: Layout
    read: ReadClip = read_pose

    def __len__(self) -> int:
        return len(self.entries)

    def name(self, index: int) -> str:
        """The id of a sample, without reading its clip."""
        return self.entries[index].id

    def __getitem__(self, index: int) -> Sample:
        entry = self.entries[index]
        clip = self.read(entry.path, entry.span)
        _check_there(entry, clip)
        return Sample(
            id=entry.id,
            clip=convert(clip, self.layout),
            text=entry.text,
            glosses=entry.glosses,
            signer=entry.signer,
            language=entry.language,
            lips=lips_of(entry, clip),
            previous=entry.previous,
        )


def _check_there(entry: Entry, clip: PoseClip) -> None:
    """Raises MediaError where a file has nothing of an entry's stretch, or less than half of it."""
    wanted = 0.0 if entry.span is None else entry.span.duration
    if len(clip) and clip.duration >= (wanted - 1 / clip.fps) / 2:
        return
    there = f"only {clip.duration:g} s" if len(clip) else "no frames"
    span = f" between {entry.span.start} s and {entry.span.end} s" if entry.span else ""
    raise MediaError(
        f"sample '{entry.id}': {entry.path} has {there}{span}; see whether its times (seconds) "
        "belong to this file, and correct them or take the sample out"
    )


def lips_of(entry: Entry, clip: PoseClip) -> Lips | None:
    """The lips of an entry's clip. Raises MediaError where they are not its file's."""
    if entry.lips is None:
        return None
    refuse_other(entry.lips, entry.path)
    return read_lips(entry.lips, entry.span).aligned_with(clip)


@dataclass(frozen=True)
class Corpus:
    """What a reader found.

    name: the corpus's, in a store's description; ``about`` goes there too (licence, rate, …).
    entries: in the corpus's order, with a file each.
    absent: what it lists and has no file for.
    layout: the layout that all clips come in, None where the files say.
    """

    name: str
    entries: tuple[Entry, ...]
    absent: tuple[LeftOut, ...] = ()
    read: ReadClip = read_pose
    layout: Layout | None = None
    about: dict[str, Any] = field(default_factory=dict)

    def native_layout(self) -> Layout:
        """The layout of the first clip that can be read. Raises MediaError where none can."""
        if self.layout is not None:
            return self.layout
        reason = "it lists none" if not self.absent else self.absent[0].reason
        for entry in self.entries:
            try:
                return read_header(entry.path).layout
            except MediaError as error:
                reason = str(error)
        advice = "copy them again" if self.entries else "give the folder of the poses with --poses"
        raise MediaError(f"no clip of {self.name} can be read; the first: {reason}; {advice}")

    def sources(self, layout: Layout) -> dict[str, Entries]:
        """Split → samples in ``layout``, in the order of the corpus."""
        splits = dict.fromkeys(entry.split for entry in self.entries)
        return {
            split: Entries(tuple(e for e in self.entries if e.split == split), layout, self.read)
            for split in splits
        }


def pose_of(folders: Sequence[Path], name: str, split: str = "") -> Path | None:
    """``name``.pose in the first folder that has it, also below a folder of the split's name."""
    for folder in folders:
        for file in (folder / f"{name}.pose", folder / split / f"{name}.pose"):
            if file.is_file():
                return file
    return None


def texts_before(said: Iterable[tuple[Hashable, Seconds, str]]) -> list[str]:
    """The text before each in its recording, "" for its first. said: (recording, when it begins, text)."""
    listed = list(said)
    found = [""] * len(listed)
    last: dict[Hashable, str] = {}
    for i in sorted(range(len(listed)), key=lambda i: listed[i][1]):
        recording, _, text = listed[i]
        found[i] = last.get(recording, "")
        last[recording] = text
    return found


def with_previous(entries: Sequence[Entry]) -> list[Entry]:
    """The entries, those that are stretches of one file told what the one before them says.

    It is the one before among those given, of the same split; what an entry says itself stays.
    """
    found = list(entries)
    said = [(i, e, e.span.start) for i, e in enumerate(entries) if e.span is not None]
    before = texts_before(((e.split, e.path), start, e.text) for _, e, start in said)
    for (i, entry, _), text in zip(said, before, strict=True):
        if text and not entry.previous:
            found[i] = replace(entry, previous=text)
    return found


def corpus_of(
    name: str,
    listed: Sequence[Entry | LeftOut],
    read: ReadClip = read_pose,
    layout: Layout | None = None,
    **about: Any,
) -> Corpus:
    """A corpus of entries and of those left out. Raises MediaError where nothing is listed."""
    if not listed:
        raise MediaError(f"{name} lists no clip; expected at least one; look at its tables")
    return Corpus(
        name,
        tuple(item for item in listed if isinstance(item, Entry)),
        tuple(item for item in listed if isinstance(item, LeftOut)),
        read,
        layout,
        about,
    )


def split_named(file: Path) -> str:
    """The split that a file's name ends in; 'train' where it ends in none."""
    last = file.name.split(".")[0].lower().replace("-", "_").split("_")[-1]
    return {"validation": "val", "valid": "val"}.get(last, last if last in SPLITS else "train")
