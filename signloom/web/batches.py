"""Clips of several requests that wait at the same time go through a model together."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from signloom.data.clip import PoseClip
from signloom.data.lips import Lips
from signloom.inference.recognize import recognize_clips
from signloom.inference.translate import translate_clips

MOST = 16
"""Clips that go through a model at once."""


@dataclass(frozen=True, eq=False)
class _Asked:
    """One clip and what is wanted of it; what has the same ``wish`` goes together."""

    wish: tuple[str, int | None]
    clip: PoseClip
    lips: Lips | None
    previous: str
    answer: Future[Any]


class Batches:
    """One thread a model, started when it is first asked: it takes whatever waits and answers it at once."""

    def __init__(self, model: Any):
        self.model = model
        self.sizes: list[int] = []
        """How many clips went together each time, the last 1000."""
        self._waiting: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def translate(
        self,
        clip: PoseClip,
        beam: int | None = None,
        lips: Lips | None = None,
        previous: str = "",
    ) -> Any:
        """The `Translation` of a clip; waits for it. previous: see `translate_clips`."""
        return self._ask(("translate", beam), clip, lips, previous)

    def recognize(self, clip: PoseClip, top: int = 5, lips: Lips | None = None) -> Any:
        """The `Recognition` of a clip; waits for it."""
        return self._ask(("recognize", top), clip, lips)

    def _ask(
        self, wish: tuple[str, int | None], clip: PoseClip, lips: Lips | None, previous: str = ""
    ) -> Any:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, daemon=True)
                self._thread.start()
        asked = _Asked(wish, clip, lips, previous, Future())
        self._waiting.put(asked)
        return asked.answer.result()

    def _serve(self) -> None:
        held: list[_Asked] = []
        while True:
            if not held:
                first = self._waiting.get()
                if first is None:
                    return
                held.append(first)
            while len(held) < MOST:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    return
                held.append(more)
            together = [asked for asked in held if asked.wish == held[0].wish]
            held = [asked for asked in held if asked.wish != together[0].wish]
            self._answer(together)

    def _answer(self, together: list[_Asked]) -> None:
        self.sizes = [*self.sizes[-999:], len(together)]
        try:
            for asked, told in zip(together, self._told(together), strict=True):
                asked.answer.set_result(told)
        except Exception as error:  # whoever asked hears of it; the thread goes on
            if len(together) > 1:  # one clip must not spoil the others
                for asked in together:
                    self._answer([asked])
            else:
                together[0].answer.set_exception(error)

    def _told(self, together: list[_Asked]) -> list[Any]:
        task, number = together[0].wish
        clips, lips = [a.clip for a in together], [a.lips for a in together]
        if task == "translate":
            previous = [asked.previous for asked in together]
            return list(translate_clips(self.model, clips, number, MOST, lips, previous=previous))
        return list(recognize_clips(self.model, clips, number or 5, lips))

    def close(self) -> None:
        """Ends the thread; what waits is not answered."""
        self._waiting.put(None)
