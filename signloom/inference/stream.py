"""Live signing: frames go in, growing text comes out, a stated while behind.

The command line, the WebSocket and a recording that is read as if it were live drive the same two
sessions. `LiveText` cuts the stream into phrases by signing activity and gives each to any translator
when it is over; `LiveGlosses` takes what a model that reads in chunks says as it reads. How the frames are dealt
out changes no final text.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.timing import Seconds, Span
from signloom.errors import MediaError, UsageError
from signloom.inference.translate import (
    Translation,
    Translator,
    needs_lips,
    refuse_empty,
    translate_clips,
)
from signloom.pose.convert import conversion
from signloom.pose.phrases import LEAST, Phrase, PhraseStream, joined

Task = Literal["translate", "glosses"]
TASKS: tuple[Task, ...] = get_args(Task)
LONGEST: Seconds = 30.0
"""A phrase is no longer, whatever a model reads: so much is held of a stream."""


@dataclass(frozen=True)
class Said:
    """What a stream says. Times in seconds of the stream.

    number: of the phrase, from 1; glosses: of the message. final: it never changes; else a
    later one of the same number replaces it. notice: "" or what to know of it.
    """

    number: int
    text: str
    span: Span
    final: bool = True
    notice: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the WebSocket and `signloom live --json` say it."""
        return {
            "type": "final" if self.final else "provisional",
            "number": self.number,
            "text": self.text,
            "start": round(self.span.start, 3),
            "end": round(self.span.end, 3),
            "notice": self.notice,
        }


@runtime_checkable
class Live(Protocol):
    """One stream of frames and what is said of it.

    look_ahead: how long after a phrase or sign its text may wait for what follows, seconds of the
    stream. longest: a phrase that is longer is cut; None where there are no phrases.
    """

    @property
    def look_ahead(self) -> Seconds: ...

    @property
    def longest(self) -> Seconds | None: ...

    def push(self, piece: PoseClip) -> list[Said]:
        """What these further frames make known."""
        ...

    def finish(self) -> list[Said]:
        """The rest: no frame will come any more."""
        ...


@runtime_checkable
class GlossStream(Protocol):
    """Glosses as frames come; see `methods.ctc.Stream`."""

    look_ahead: Seconds

    def push(self, piece: PoseClip) -> list[str]: ...

    def finish(self) -> list[str]: ...


@runtime_checkable
class Chunked(Protocol):
    """A model that may read in chunks, as frames come; ``streams`` says whether it does."""

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def streams(self) -> bool: ...

    def stream(self, fps: float, beam: int | None = None) -> GlossStream: ...


@runtime_checkable
class Watch(Protocol):
    """What a translator has seen of a stream; see `methods.watch.Watch`."""

    look_ahead: Seconds

    @property
    def until(self) -> Seconds: ...

    def push(self, piece: PoseClip) -> None: ...

    def finish(self) -> None: ...

    def forget(self, before: Seconds) -> None: ...

    def translate(self, span: Span, beam: int | None = None, previous: str = "") -> Translation: ...


@runtime_checkable
class Watching(Protocol):
    """A translator that may see frames as they come; ``watches`` says whether it does."""

    @property
    def watches(self) -> bool: ...

    def watch(self, fps: float) -> Watch: ...


def live_tasks(model: object) -> tuple[Task, ...]:
    """What a model can be asked live, the most fitting first."""
    found: list[Task] = []
    if isinstance(model, Chunked) and model.streams:
        found.append("glosses")
    if isinstance(model, Translator) and not needs_lips(model):
        found.append("translate")
    return tuple(found)


def live(
    model: object,
    task: Task,
    layout: Layout,
    fps: float,
    *,
    beam: int | None = None,
    provisional: Seconds = 0.0,
    translate: Callable[[PoseClip, str], str] | None = None,
) -> Live:
    """A session that has seen no frame yet.

    provisional, translate: see `LiveText`. Raises UsageError where the model cannot do the task, or
    cannot read the layout or the rate.
    """
    if task not in live_tasks(model):
        able = " and ".join(live_tasks(model)) or "nothing"
        raise UsageError(
            f"model '{getattr(model, 'name', model)}' cannot do '{task}' live, it can do {able}; "
            + (
                "glosses need a ctc trained in chunks (preset 'stream')"
                if task == "glosses"
                else "give a model that translates from poses"
            )
        )
    if task == "glosses":
        assert isinstance(model, Chunked)
        return LiveGlosses(model, layout, fps, beam)
    assert isinstance(model, Translator)
    return LiveText(model, layout, fps, beam, provisional, translate)


class LiveText:
    """Phrases, each translated when it is over.

    provisional: every so many seconds the phrase in progress is translated too, 0 = never.
    translate: how a clip becomes text, told the text before it, where that is not by ``model.translate``
    at once. A model that has learnt with the sentence before is told the phrase before, as it was
    translated. A model that watches sees each frame once, and a phrase may wait for its last chunk; then ``translate`` is not asked.
    A phrase in which hardly a frame shows a hand is not translated, and says so.

    Raises UsageError where the model cannot read the layout.
    """

    def __init__(
        self,
        model: Translator,
        layout: Layout,
        fps: float,
        beam: int | None = None,
        provisional: Seconds = 0.0,
        translate: Callable[[PoseClip, str], str] | None = None,
    ):
        conversion(layout, model.layout)
        self.name, self.provisional = model.name, provisional
        self.longest: Seconds = _longest(model, layout, fps)
        self._translate = translate or (
            lambda clip, before: translate_clips(model, [clip], beam, previous=[before])[0].text
        )
        self._before = ""  # the phrase before, as it was translated
        watches = isinstance(model, Watching) and model.watches
        self._watch = model.watch(fps) if watches and isinstance(model, Watching) else None
        self._beam = beam
        self._phrases = PhraseStream(self.longest)
        self.look_ahead = max(
            self._phrases.look_ahead, self._watch.look_ahead if self._watch else 0.0
        )
        self._pieces: deque[PoseClip] = deque()
        self._first = 0  # the frame that the pieces begin with
        self._over: deque[Phrase] = deque()  # phrases that wait to be seen
        self._number = 1
        self._told: Seconds = 0.0  # until here the phrase in progress was told provisionally

    def push(self, piece: PoseClip) -> list[Said]:
        self._pieces.append(piece)
        if self._watch is not None:
            self._watch.push(piece)
        self._over.extend(self._phrases.push(piece))
        found = self._seen(piece.fps)
        from_here = self._over[0].span.start if self._over else self._phrases.cutter.keep
        keep = round(from_here * piece.fps)
        while self._pieces and self._first + len(self._pieces[0]) <= keep:
            self._first += len(self._pieces.popleft())
        if self._watch is not None:
            self._watch.forget(from_here)
        return found + self._so_far()

    def finish(self) -> list[Said]:
        if self._watch is not None:
            self._watch.finish()
        found = [self._final(phrase) for phrase in (*self._over, *self._phrases.finish())]
        self._over.clear()
        self._pieces.clear()
        return found

    def _seen(self, fps: float) -> list[Said]:
        """The phrases that are over and seen to their end."""
        found = []
        while self._over and self._sees(self._over[0].span.end, fps):
            found.append(self._final(self._over.popleft()))
        return found

    def _sees(self, moment: Seconds, fps: float) -> bool:
        return self._watch is None or self._watch.until >= moment - 0.5 / fps

    def _final(self, phrase: Phrase) -> Said:
        text, notice = self._text(phrase.span)
        self._before = text or self._before
        if phrase.cut and not notice:
            notice = f"cut at {self.longest:g} s: model '{self.name}' takes no longer phrase"
        self._number += 1
        return Said(self._number - 1, text, phrase.span, True, notice)

    def _so_far(self) -> list[Said]:
        span = self._phrases.cutter.open
        if not self.provisional or span is None or self._over:
            return []
        if self._watch is not None:
            span = Span(span.start, max(span.start, min(span.end, self._watch.until)))
        if span.duration < LEAST or span.end - max(span.start, self._told) < self.provisional:
            return []
        self._told = span.end
        text, notice = self._text(span)
        return [Said(self._number, text, span, False, notice)]

    def _text(self, span: Span) -> tuple[str, str]:
        whole = joined(self._pieces)
        first, last = span.frames(whole.fps)
        clip = whole.frames(slice(first - self._first, last - self._first))
        try:
            refuse_empty(clip, "this phrase")
        except MediaError as error:
            return "", str(error)
        if self._watch is not None:
            return self._watch.translate(span, self._beam, self._before).text, ""
        return self._translate(clip, self._before), ""


class LiveGlosses:
    """Glosses as a model that reads in chunks makes them certain; nothing is provisional.

    Raises UsageError where the model reads whole clips, or cannot read the layout or the rate.
    """

    longest = None

    def __init__(self, model: Chunked, layout: Layout, fps: float, beam: int | None = None):
        conversion(layout, model.layout)
        self._stream = model.stream(fps, beam)
        self.look_ahead: Seconds = self._stream.look_ahead
        self._chunk = round(self.look_ahead * fps)
        self._frames, self._number, self._until = 0, 0, 0.0
        self._fps = fps

    def push(self, piece: PoseClip) -> list[Said]:
        found: list[Said] = []
        first = 0
        while first < len(piece):  # a chunk at a time, so that what is said has one time
            last = min(first + self._chunk - self._frames % self._chunk, len(piece))
            self._frames += last - first
            found += self._said(self._stream.push(piece.frames(slice(first, last))))
            first = last
        return found

    def finish(self) -> list[Said]:
        return self._said(self._stream.finish())

    def _said(self, glosses: list[str]) -> list[Said]:
        if not glosses:
            return []
        span = Span(self._until, self._frames / self._fps)
        self._until, self._number = span.end, self._number + 1
        return [Said(self._number, " ".join(glosses), span)]


def _longest(model: Translator, layout: Layout, fps: float) -> Seconds:
    """The longest phrase: what the model reads of a clip, and LONGEST at most."""
    read = getattr(model, "seconds_read", None)
    if read is None:
        return LONGEST
    frames = round(LONGEST * fps)
    blank = PoseClip(
        np.zeros((frames, len(layout), 3), np.float32),
        np.zeros((frames, len(layout)), np.float32),
        fps,
        layout,
    )
    return min(LONGEST, float(read(blank)))
