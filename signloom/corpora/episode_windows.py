"""Episodes as training samples: windows that ask when a cue is signed, and sentences cut out.

A folder holds pose files with subtitles beside them, as ``signloom simulate episode`` writes
them: NAME.pose, NAME.speech.vtt (when each cue is said), NAME.signing.vtt (when it is signed,
the same cues), and with lips NAME.lips.safetensors. Subtitles may also lie in folders of their own, as BOBSL has them.

Only the frames of a sample are read. Sample i is a pure function of the files, the seed and i.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from signloom.corpora.cued import Limits, signers_of, told
from signloom.corpora.episodes import language_of, lips_beside, name_of, pose_files
from signloom.data.cue import Cue
from signloom.data.layouts import Layout
from signloom.data.sample import Sample
from signloom.data.timing import Seconds, Span
from signloom.errors import SubtitleError, UsageError
from signloom.metrics.alignment import is_bracketed
from signloom.pose.convert import convert
from signloom.pose.files import read_header, read_pose
from signloom.pose.lip_files import read_lips
from signloom.text.clean import clean, words_of
from signloom.text.subtitles import read_subtitles

SPEECH, SIGNING, ALIGNED = "speech", "signing", "aligned"


@dataclass(frozen=True)
class _Episode:
    name: str
    path: Path
    fps: float
    frames: int
    signer: str
    language: str
    lips: Path | None

    @property
    def duration(self) -> Seconds:
        return self.frames / self.fps


@dataclass(frozen=True)
class _Chosen:
    """A cue that becomes samples: when it is signed, when it is said, the text before it.

    first: (earliest, latest) frame at which what is cut out may begin.
    """

    episode: _Episode
    number: int
    text: str
    span: Span
    prior: Span | None = None
    previous: str = ""
    first: tuple[int, int] = (0, 0)

    @property
    def id(self) -> str:
        return f"{self.episode.name}-{self.number}"


class _OfEpisodes(ABC):
    """What both kinds of samples share: which cues there are, and how many of each."""

    folder: str
    seed: int
    rounds: int
    layout: Layout | None
    lips: bool
    names: frozenset[str] | None

    @abstractmethod
    def _look(self) -> tuple[tuple[_Chosen, ...], Counter[str]]:
        """The cues that become samples, and how many do not, by reason."""

    @cached_property
    def _cues(self) -> tuple[_Chosen, ...]:
        chosen, excluded = self._looked
        if not chosen:
            raise UsageError(
                f"no cue of {self.folder} becomes a sample ({told(excluded) or 'there are none'}); "
                "see whether these subtitles belong to these pose files"
            )
        return chosen

    @cached_property
    def _looked(self) -> tuple[tuple[_Chosen, ...], Counter[str]]:
        return self._look()

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._cues) * self.rounds

    def name(self, index: int) -> str:
        """The id of a sample, without reading its clip."""
        return self._cues[index % len(self._cues)].id

    def texts(self) -> list[str]:
        """The text of each cue, once."""
        return [cue.text for cue in self._cues]

    @property
    def excluded(self) -> dict[str, int]:
        """How many cues become no sample, by reason."""
        return dict(self._looked[1])

    def _chosen(self, index: int) -> tuple[_Chosen, np.random.Generator]:
        """The cue of a sample, and what its draws come from."""
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} is asked for of {len(self)}")
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((self.seed, index))))
        return self._cues[index % len(self._cues)], rng

    def _sample(self, cue: _Chosen, first: int, last: int, **known: Any) -> Sample:
        episode, span = cue.episode, Span.of_frames(first, last, cue.episode.fps)
        clip = read_pose(episode.path, span)
        lips = None
        if episode.lips is not None:
            lips = read_lips(episode.lips, span).aligned_with(clip)
        return Sample(
            id=cue.id,
            clip=clip if self.layout is None else convert(clip, self.layout),
            text=cue.text,
            signer=episode.signer,
            language=episode.language,
            previous=cue.previous,
            lips=lips,
            **known,
        )


@dataclass(frozen=True)
class EpisodeWindows(_OfEpisodes):
    """Windows of episodes in which one cue is signed, and when. A SampleSource.

    folder: of the pose files. window: seconds [S: 20]; a shorter episode is taken whole.
    A window lies around the middle of the cue's speech moved by ``lag`` (2.7 s on average,
    Bull et al. 2021; the paper's window is centred on the speech), up to ``jitter`` seconds
    off [D: 4], inside the episode, and holds all of the cue's signing.
    rounds: how many windows of each cue.
    spoken, signed: the endings of the subtitles beside NAME.pose (NAME.speech.vtt), or folders
    of NAME.vtt (or NAME/signhd.vtt); cues of equal text, in order, go together.
    layout: what clips are converted to; None: as the files have them.
    lips: whether samples carry the lips that lie beside each pose file. names: of the episodes
    that are looked at; None: all.

    A cue becomes no sample, and is counted in ``excluded``, where it is "not signed" (in
    brackets), has "no words", is "unpaired", signed "outside" the clip, signed longer than
    the window ("long"), or signed where no window around its speech holds it ("far").

    Sample: text; span and prior on the clip's clock; previous: the cue said before.
    Raises UsageError where no episode has both subtitles, no cue is left or lips are not
    there, SubtitleError and MediaError for files that cannot be read.
    """

    folder: str
    window: Seconds = 20.0
    seed: int = 0
    rounds: int = 1
    jitter: Seconds = 4.0
    lag: Seconds = 2.7
    spoken: str = SPEECH
    signed: str = SIGNING
    layout: Layout | None = None
    lips: bool = False
    names: frozenset[str] | None = None

    def _look(self) -> tuple[tuple[_Chosen, ...], Counter[str]]:
        chosen: list[_Chosen] = []
        excluded: Counter[str] = Counter()
        for episode, said, seen in _episodes(self, self.spoken, self.signed):
            paired = _paired(said, seen)
            for number, cue in enumerate(seen):
                before = paired.get(number)
                found = _without_samples(cue, episode) or ("" if before is not None else "unpaired")
                first = (0, 0)
                if not found:
                    assert before is not None
                    first = self._room(cue.span, said[before].span, episode)
                    found = "long" if cue.span.duration > self.window else ""
                    found = found or ("far" if first[0] > first[1] else "")
                if found or before is None:
                    excluded[found] += 1
                    continue
                previous = clean(said[before - 1].text) if before else ""
                chosen.append(
                    _Chosen(
                        episode, number + 1, clean(cue.text), cue.span, said[before].span,
                        previous, first,
                    )
                )  # fmt: skip
        return tuple(chosen), excluded

    def _room(self, signed: Span, said: Span, episode: _Episode) -> tuple[int, int]:
        """(earliest, latest) first frame of a window that holds ``signed``; none where they cross."""
        fps = episode.fps
        size = min(round(self.window * fps), episode.frames)
        middle = (said.start + said.end) / 2 + self.lag
        early = round((middle - self.jitter) * fps - size / 2)
        late = round((middle + self.jitter) * fps - size / 2)
        last_of_all = episode.frames - size
        begins, ends = signed.frames(fps, episode.frames)
        low = max(min(max(early, 0), last_of_all), ends - size)
        return low, min(max(min(late, last_of_all), 0), begins)

    def __getitem__(self, index: int) -> Sample:
        cue, rng = self._chosen(index)
        fps = cue.episode.fps
        first = int(rng.integers(cue.first[0], cue.first[1] + 1))
        last = min(first + round(self.window * fps), cue.episode.frames)
        start, duration = first / fps, (last - first) / fps
        span = cue.span.shifted(-start)
        inside = Span(max(span.start, 0.0), min(span.end, duration))
        assert cue.prior is not None
        return self._sample(cue, first, last, span=inside, prior=cue.prior.shifted(-start))


@dataclass(frozen=True)
class EpisodeSentences(_OfEpisodes):
    """Sentences cut out of episodes by the times of one of their subtitles. A SampleSource.

    times: the ending of the subtitles to cut by: "signing" (true), "aligned" (what ``signloom
    align`` gave), "speech", or a folder, as in EpisodeWindows. lag: how far the cut is moved,
    for times of speech. jitter: both ends are moved by up to so many seconds, each anew in
    every round [D: 0.5, after the paper's predecessor]; 0 cuts exactly.

    A cue becomes no sample, and is counted in ``excluded``, where it is "not signed" (in
    brackets), "outside" the clip, or beyond ``limits`` ("no words", "short", "long", "wordy").

    Sample: text; previous: the cue before. Raises as EpisodeWindows does.
    """

    folder: str
    times: str = SIGNING
    lag: Seconds = 0.0
    jitter: Seconds = 0.5
    seed: int = 0
    rounds: int = 1
    limits: Limits = field(default_factory=Limits)
    layout: Layout | None = None
    lips: bool = False
    names: frozenset[str] | None = None

    def _look(self) -> tuple[tuple[_Chosen, ...], Counter[str]]:
        chosen: list[_Chosen] = []
        excluded: Counter[str] = Counter()
        for episode, cues, _ in _episodes(self, self.times):
            before = ""
            for number, cue in enumerate(cues):
                moved = Cue(_moved(cue.span, self.lag), cue.text)
                found = _without_samples(moved, episode)
                found = found or self.limits.left_out(cue.text, moved.span.duration)
                text = clean(cue.text)
                if found:
                    excluded[found] += 1
                else:
                    chosen.append(_Chosen(episode, number + 1, text, moved.span, previous=before))
                before = before if is_bracketed(cue) else text
        return tuple(chosen), excluded

    def __getitem__(self, index: int) -> Sample:
        cue, rng = self._chosen(index)
        start, end = np.array([cue.span.start, cue.span.end]) + self.jitter * rng.uniform(-1, 1, 2)
        if end - start < min(0.5, cue.span.duration):  # both ends moved inwards
            start, end = cue.span.start, cue.span.end
        span = Span(max(float(start), 0.0), float(end))
        first, last = span.frames(cue.episode.fps, cue.episode.frames)
        return self._sample(cue, first, max(last, first + 1))


def _moved(span: Span, by: Seconds) -> Span:
    start = max(span.start + by, 0.0)
    return Span(start, max(span.end + by, start))


def _without_samples(cue: Cue, episode: _Episode) -> str:
    """Why a cue becomes no sample whatever the window; '' where it may."""
    if is_bracketed(cue):
        return "not signed"
    if not words_of(cue.text):
        return "no words"
    first, last = cue.span.frames(episode.fps)
    return "outside" if first < 0 or last > episode.frames or first >= last else ""


def _paired(said: Sequence[Cue], seen: Sequence[Cue]) -> dict[int, int]:
    """Number of a signed cue → number of the cue that is said.

    Equal texts in order go together; where both files have as many cues, also those between
    them that were worded anew, one by one.
    """
    a, b = ([clean(cue.text, lower=True) for cue in cues] for cues in (seen, said))
    changes = difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return {
        first + k: other + k
        for tag, first, last, other, until in changes
        if tag == "equal"
        or (tag == "replace" and len(a) == len(b) and last - first == until - other)
        for k in range(last - first)
    }


def _episodes(
    of: _OfEpisodes, *wanted: str
) -> Iterator[tuple[_Episode, tuple[Cue, ...], tuple[Cue, ...]]]:
    """Each episode that is looked at with the cues of its first and last wanted subtitles."""
    signers = signers_of(Path(of.folder))
    found = [
        path
        for path in pose_files([Path(of.folder)])
        if of.names is None or name_of(path) in of.names
    ]
    if of.names is not None and not found:
        raise UsageError(
            f"none of the {len(of.names)} episodes that are listed is in {of.folder}, expected "
            "NAME.pose; see whether the list is of these episodes"
        )
    some = False
    for path in found:
        files = [_subtitles(path, ending) for ending in wanted]
        if any(file is None for file in files):
            continue
        some = True
        header = read_header(path)
        name = name_of(path)
        cues = [_ordered(file) for file in files if file is not None]
        yield (
            _Episode(
                name,
                path,
                header.fps,
                header.frames,
                signers.get(name, ""),
                language_of(path),
                lips_beside(path) if of.lips else None,
            ),
            cues[0],
            cues[-1],
        )
    if not some:
        raise UsageError(
            f"no episode in {of.folder} has subtitles {' and '.join(repr(w) for w in wanted)}, expected "
            f"NAME.pose with {' and '.join(f'NAME.{w}.vtt' for w in wanted)}, as `signloom simulate "
            "episode` writes them, or folders of NAME.vtt"
        )


def _subtitles(pose: Path, ending: str) -> Path | None:
    """The subtitles of a pose file: beside it by their ending, or in a folder of that name."""
    name = name_of(pose)
    place = pose.parent / ending
    candidates = [place / f"{name}.vtt", place / name / "signhd.vtt"]
    if not place.is_dir():
        candidates = [pose.with_name(f"{name}.{ending}.vtt")]
    return next((file for file in candidates if file.is_file()), None)


def _ordered(file: Path) -> tuple[Cue, ...]:
    cues = read_subtitles(file).cues
    if not cues:
        raise SubtitleError(f"{file} has no cues, expected at least one; give another file")
    return cues
