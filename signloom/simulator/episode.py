"""``sim-episodes-v1``: minutes to an hour of signing by one signer, with speech-timed subtitles.

An episode is a pure function of (language seed, size, split, index). Its script and its
times are drawn at once; frames are rendered when they are asked for, in pieces of a
thousand, so that any stretch of an episode equals that stretch of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import MP203, Layout
from signloom.data.lips import CROP, Lips
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.simulator.camera import Camera, Tracker, camera_of, tracker_of
from signloom.simulator.corpora import SIGNERS, Corpus, sentence_of_split, signer_numbered
from signloom.simulator.discourse import Discourse, Rest, discourse
from signloom.simulator.grammar import SimulatedSentence
from signloom.simulator.interpreting import DRIFTS, LAG, Kind, SignedSentence, Speech, spoken
from signloom.simulator.lips import LIPS_VERSION, light_of, lips_of
from signloom.simulator.perform import FPS, Performance
from signloom.simulator.phonology import draws
from signloom.simulator.render import render

EPISODES_VERSION = "sim-episodes-v1"
EPISODES = {
    "tiny": {"train": 4, "dev": 2, "test": 4},
    "small": {"train": 40, "dev": 20, "test": 60},
    "base": {"train": 60, "dev": 20, "test": 60},
}
MINUTES = {
    "tiny": (1.4, 0.2, 1.0, 2.0),
    "small": (4.5, 0.75, 2.0, 60.0),
    "base": (15.0, 0.5, 10.0, 60.0),
}
"""Lengths by size: median, spread of the logarithm, shortest and longest, in minutes."""
PAUSES = ("natural", "dense", "natural", "sparse", "natural")
TRACKERS = {"good": (0.6, 0.5), "usual": (1.0, 1.0), "poor": (1.7, 2.0)}
"""How jitter and loss are scaled."""
PIECE = 1000
"""Frames rendered at a time; each piece has its own generator."""


@dataclass(frozen=True, eq=False)
class Episode:
    """One signer's interpretation of some minutes of speech, with all that is true of it.

    duration: seconds. conditions: pauses (natural, dense, sparse), drift (low, mid, high)
    and tracker (good, usual, poor).
    speech: cues when they are said, in order, none overlapping the next; signing: the same
    cues when they are signed, index by index, "[NOT SIGNED]" where nobody signs them.
    kinds, lags: of each cue; a lag is the signing's start less the speech's, in seconds.
    sentences: what is signed. activity: stretches of signing. rests: what is between.
    """

    id: str
    index: int
    split: str
    size: str
    language: str
    signer: str
    fps: float
    frames: int
    layout: Layout
    conditions: Mapping[str, str]
    speech: tuple[Cue, ...]
    signing: tuple[Cue, ...]
    kinds: tuple[Kind, ...]
    lags: tuple[float, ...]
    sentences: tuple[SignedSentence, ...]
    activity: tuple[Span, ...]
    rests: tuple[Rest, ...]
    _film: _Film

    @property
    def duration(self) -> float:
        return self.frames / self.fps

    @property
    def version(self) -> str:
        return EPISODES_VERSION

    def clip(self, span: Span | None = None) -> PoseClip:
        """The frames inside ``span`` (seconds), or all of them: one stretch equals it in all."""
        whole = Span(0.0, self.duration) if span is None else span
        first, last = whole.frames(self.fps, total=self.frames)
        points = np.zeros((last - first, len(self.layout), 3), np.float32)
        confidence = np.zeros((last - first, len(self.layout)), np.float32)
        for piece, here, there in _pieces(first, last):
            found = self._film.piece(piece, self.layout)
            points[there], confidence[there] = found.points[here], found.confidence[here]
        origin = Origin(SIMULATED, EPISODES_VERSION, {"language": self.language})
        size = (self._film.camera.width, self._film.camera.height)
        return PoseClip(points, confidence, self.fps, self.layout, self.id, origin, size)

    def lips(self, span: Span | None = None) -> Lips:
        """The mouth (``sim-lips-v1``) in the frames that ``clip`` gives of ``span``."""
        whole = Span(0.0, self.duration) if span is None else span
        first, last = whole.frames(self.fps, total=self.frames)
        frames = np.zeros((last - first, CROP, CROP), np.uint8)
        for piece, here, there in _pieces(first, last):
            frames[there] = self._film.mouths(piece).frames[here]
        frames.setflags(write=False)
        origin = Origin(SIMULATED, LIPS_VERSION, {"language": self.language})
        return Lips(frames, np.ones(len(frames), bool), self.fps, self.id, origin)

    def slices(self, seconds: float = 60.0) -> Iterator[PoseClip]:
        """The whole clip in stretches of ``seconds``, the last one shorter.

        Raises UsageError where that is less than a frame.
        """
        return map(self.clip, self._stretches(seconds))

    def lip_slices(self, seconds: float = 60.0) -> Iterator[Lips]:
        """The lips of the same stretches."""
        return map(self.lips, self._stretches(seconds))

    def _stretches(self, seconds: float) -> Iterator[Span]:
        step = round(seconds * self.fps)
        if step < 1:
            raise UsageError(
                f"slices of {seconds:g} s hold no frame at {self.fps:g} frames a second; "
                "ask for longer ones"
            )
        for first in range(0, self.frames, step):
            yield Span.of_frames(first, min(first + step, self.frames), self.fps)


def _pieces(first: int, last: int) -> Iterator[tuple[int, slice, slice]]:
    """Of each piece with frames of [first, last): its number, which of its frames, and their places."""
    for piece in range(first // PIECE, -(-last // PIECE)):
        start = piece * PIECE
        here = slice(max(first - start, 0), min(last - start, PIECE))
        yield piece, here, slice(start + here.start - first, start + here.stop - first)


@dataclass(frozen=True, eq=False)
class _Film:
    """What is needed to render any piece of an episode."""

    discourse: Discourse
    camera: Camera
    tracker: Tracker
    key: tuple[object, ...]
    last: dict[int, PoseClip] = field(default_factory=dict)
    """The piece rendered last: stretches that follow each other share pieces."""
    last_mouths: dict[int, Lips] = field(default_factory=dict)

    def piece(self, number: int, layout: Layout) -> PoseClip:
        """Frames number × PIECE and on; one frame before tells the tracker how fast hands are."""
        if (found := self.last.get(number)) is not None:
            return found
        before = min(number * PIECE, 1)
        part = self._performed(number, before)
        rng = draws(*self.key, "film", number)
        clip = render(part, self.discourse.signer, self.camera, self.tracker, rng, layout)
        clip = clip.frames(slice(before, None))
        self.last.clear()
        self.last[number] = clip
        return clip

    def mouths(self, number: int) -> Lips:
        """The lips of the same frames, in one light all through the episode."""
        if (found := self.last_mouths.get(number)) is not None:
            return found
        light = light_of(self.camera, draws(LIPS_VERSION, *self.key, "light"))
        rng = draws(LIPS_VERSION, *self.key, number)
        part, signer = self._performed(number), self.discourse.signer
        found = lips_of(part, signer, self.camera, rng, light=light)
        self.last_mouths.clear()
        self.last_mouths[number] = found
        return found

    def _performed(self, number: int, before: int = 0) -> Performance:
        """A piece of the performance, and ``before`` frames more."""
        whole = self.discourse.performance
        here = slice(number * PIECE - before, (number + 1) * PIECE)
        return replace(
            whole, wrists=whole.wrists[here], turns=whole.turns[here], shapes=whole.shapes[here],
            face=whole.face[here], head=whole.head[here], trunk=whole.trunk[here],
        )  # fmt: skip


@dataclass(frozen=True)
class SimulatedEpisodes(Corpus):
    """``sim-episodes-v1``: ``source[i]`` is an Episode.

    Raises UsageError for an unknown size, split or layout.
    """

    split: str = "test"
    layout: Layout = MP203

    @property
    def version(self) -> str:
        return EPISODES_VERSION

    def __len__(self) -> int:
        return EPISODES[self.size][self.split]

    def __getitem__(self, index: int) -> Episode:
        return self._episode(self._at(index), None)

    def of_length(self, index: int, minutes: float) -> Episode:
        """An episode of that length with episode ``index``'s signer and conditions.

        It is no part of the frozen corpus, and its id says so. Raises UsageError outside
        0.5 to 240 minutes.
        """
        if not 0.5 <= minutes <= 240:
            raise UsageError(
                f"an episode of {minutes:g} minutes is asked for; the simulator makes 0.5 to 240; "
                "choose a length between them"
            )
        return self._episode(index, minutes)

    def _episode(self, index: int, minutes: float | None) -> Episode:
        key: tuple[object, ...] = (
            EPISODES_VERSION, self.language_seed, self.size, self.split, index,
        )  # fmt: skip
        id = f"{EPISODES_VERSION}-{self.size}-{self.split}-{index}"
        rng = draws(*key, "episode")
        numbers = SIGNERS[self.split]
        signer = signer_numbered(self.language_seed, numbers[int(rng.random() * len(numbers))])
        seconds = 60 * _minutes(self.size, rng)
        camera, tracker = camera_of(rng), tracker_of(rng)
        lead = LAG[0] + 1.5 + 3.0 * float(rng.random())
        conditions = _conditions(index)
        if minutes is not None:
            seconds, id, key = 60 * minutes, f"{id}-of-{minutes:g}-minutes", (*key, minutes)
        jitter, loss = TRACKERS[conditions["tracker"]]
        tracker = Tracker(tracker.jitter * jitter, tracker.loss * loss)
        made = discourse(
            _Sentences(key, self.size, self.split), signer, key, conditions["pauses"], seconds,
            self.language_seed, lead,
        )  # fmt: skip
        speech = _speech(made, conditions["drift"], key, self.size, self.split)
        return Episode(
            id, index, self.split, self.size, self.language, signer.id, FPS, made.frames,
            self.layout, conditions, speech.spoken, speech.signed, speech.kinds, speech.lags,
            speech.sentences, activity_of(speech.sentences), made.rests,
            _Film(made, camera, tracker, key),
        )  # fmt: skip


def _conditions(index: int) -> dict[str, str]:
    """Spread evenly over the indices, so that few episodes hold all of them."""
    block, place = divmod(index, len(PAUSES))
    return {
        "pauses": PAUSES[place],
        "drift": tuple(DRIFTS)[(block + place) % 3],
        "tracker": ("usual", "good", "poor", "usual")[(block + 2 * place) % 4],
    }


def _minutes(size: str, rng: np.random.Generator) -> float:
    median, spread, least, most = MINUTES[size]
    return float(np.clip(median * np.exp(spread * rng.standard_normal()), least, most))


@dataclass(frozen=True)
class _Sentences:
    """Sentence k of an episode."""

    key: tuple[object, ...]
    size: str
    split: str

    def __call__(self, k: int) -> SimulatedSentence:
        return sentence_of_split(draws(*self.key, "text", k), self.size, self.split)


def _speech(made: Discourse, drift: str, key: tuple[object, ...], size: str, split: str) -> Speech:
    sentences = [
        SignedSentence(said.text, Span.of_frames(*bound, FPS), glosses)
        for said, bound, glosses in zip(made.sentences, made.bounds, made.glosses, strict=True)
    ]
    rng = draws(*key, "speech")

    def another() -> str:
        return sentence_of_split(rng, size, split).text

    return spoken(sentences, made.frames / FPS, drift, another, rng)


def activity_of(sentences: tuple[SignedSentence, ...], gap: float = 0.1) -> tuple[Span, ...]:
    """Stretches of signing: sentences, joined where less than ``gap`` seconds part them."""
    found: list[Span] = []
    for span in (sentence.span for sentence in sentences):
        if found and span.start - found[-1].end < gap - 1e-9:
            span = Span(found.pop().start, span.end)
        found.append(span)
    return tuple(found)
