"""Live sessions: however frames are dealt out, what comes out is what the whole gives."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from signloom.data.clip import PoseClip
from signloom.data.layouts import LAYOUTS
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.inference.stream import LiveText, Said, live, live_tasks
from signloom.inference.translate import Translation
from signloom.methods.ctc import PRESETS, Ctc, begin
from signloom.pose.phrases import PhraseStream
from signloom.simulator.episode import SimulatedEpisodes

CLIP = SimulatedEpisodes("tiny", "dev")[0].clip().cut(Span(0.0, 15.0))
FPS = CLIP.fps


class Reading:
    """Translates a clip to a number that every one of its points enters."""

    name, simulated_only, layout = "reading", False, LAYOUTS["ps76"]

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        return [Translation(f"{len(c)}: {c.points.sum():.6g}", 0.0) for c in clips]

    def seconds_read(self, clip: PoseClip) -> float:
        return 2.0


def dealt(session: object, clip: PoseClip, seed: int) -> tuple[list[Said], float]:
    """What is said of frames in random pieces, and the longest that a final text came after its end."""
    rng = np.random.default_rng(seed)
    edges = [0, *np.sort(rng.integers(0, len(clip), 50)).tolist(), len(clip)]
    said, late = [], 0.0
    for first, last in itertools.pairwise(edges):
        for each in session.push(clip.frames(slice(first, last))):  # type: ignore[attr-defined]
            said.append(each)
            late = max(late, first / clip.fps - each.span.end)
    return said + session.finish(), late  # type: ignore[attr-defined]


def test_phrases_are_translated_as_those_of_the_file() -> None:
    """Each final text is that of the same frames cut out of the whole clip."""
    model = Reading()
    phrases = PhraseStream(longest=2.0)
    spans = [p.span for p in phrases.push(CLIP) + phrases.finish()]
    texts = [model.translate([CLIP.cut(span)])[0].text for span in spans]
    whole = live(model, "translate", CLIP.layout, FPS)
    at_once = whole.push(CLIP) + whole.finish()
    assert [(s.number, s.text, s.span) for s in at_once] == [
        (k, text, span) for k, (text, span) in enumerate(zip(texts, spans, strict=True), 1)
    ]
    session = live(model, "translate", CLIP.layout, FPS)
    said, late = dealt(session, CLIP, 1)
    assert said == at_once
    assert late <= session.look_ahead
    cut = [s for s in said if s.notice]
    assert cut
    assert all(s.notice.startswith("cut at 2 s: model 'reading'") for s in cut)
    assert all(s.span.duration == pytest.approx(2.0) for s in cut)


class Remembering(Reading):
    """Says what it was told before, and how long the clip is."""

    tells_previous = True

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        lips: object = None,
        previous: Sequence[str] | None = None,
    ) -> list[Translation]:
        assert previous is not None
        return [
            Translation(f"{len(clip)} after {before.split(' ')[0] or 'nothing'}", 0.0)
            for clip, before in zip(clips, previous, strict=True)
        ]


def test_a_model_that_remembers_is_told_the_phrase_before_as_it_was_translated() -> None:
    session = live(Remembering(), "translate", CLIP.layout, FPS, provisional=0.5)
    said, _ = dealt(session, CLIP, 3)
    finals = [s.text for s in said if s.final]
    lengths = [text.split(" ")[0] for text in finals]
    assert len(finals) > 1
    assert finals == [
        f"{length} after {before}"
        for length, before in zip(lengths, ["nothing", *lengths], strict=False)
    ]


def test_what_is_provisional_is_marked_and_changes_nothing_final() -> None:
    told = LiveText(Reading(), CLIP.layout, FPS, provisional=0.5)
    said, _ = dealt(told, CLIP, 2)
    plain = LiveText(Reading(), CLIP.layout, FPS)
    assert [s for s in said if s.final] == plain.push(CLIP) + plain.finish()
    guesses = [s for s in said if not s.final]
    finals = {s.number: s.span for s in said if s.final}
    assert guesses
    assert all(finals[g.number].start == g.span.start for g in guesses)
    assert len(told._pieces) == 0


def test_little_is_held_however_long_it_goes_on() -> None:
    session = LiveText(Reading(), CLIP.layout, FPS)
    held = 0
    for _ in range(2):
        for k in range(0, len(CLIP), 5):
            session.push(CLIP.frames(slice(k, k + 5)))
            held = max(held, sum(map(len, session._pieces)))
    assert held < (2 * session.look_ahead + session.longest + 1) * FPS


def test_a_phrase_without_hands_is_not_translated() -> None:
    hands = np.isin(CLIP.layout.articulators, ("left_hand", "right_hand"))
    gone = CLIP.with_points(CLIP.points, np.where(hands, 0, CLIP.confidence).astype(np.float32))
    session = live(Reading(), "translate", CLIP.layout, FPS)
    said = session.push(gone) + session.finish()
    assert said
    assert all(s.text == "" for s in said)
    assert "a hand is seen in 0 of" in said[0].notice


@pytest.fixture(scope="module")
def chunked() -> Ctc:
    config = replace(
        PRESETS["tiny"], normalizer="isharah_frame", local_hands=False, chunk=16, layout="ps76"
    )
    model = begin(config, ["WEATHER BAD", "BOOK HOUSE TREE"], 0).eval()
    with torch.no_grad():
        model.head.weight.mul_(30.0)  # untrained, and yet sure of itself
    return model


class Counted:
    """Says G1, G2, … a chunk of ten frames each; what is left at the end is said then."""

    name, simulated_only, layout, streams = "counted", False, LAYOUTS["ps76"], True

    def stream(self, fps: float, beam: int | None = None) -> Counted:
        self.look_ahead, self.frames, self.said = 10 / fps, 0, 0
        return self

    def push(self, piece: PoseClip) -> list[str]:
        self.frames += len(piece)
        return self._until(self.frames // 10)

    def finish(self) -> list[str]:
        return self._until(-(-self.frames // 10))

    def _until(self, chunk: int) -> list[str]:
        before, self.said = self.said, chunk
        return [f"G{k + 1}" for k in range(before, chunk)]


def test_each_gloss_has_the_time_of_its_chunk() -> None:
    clip = CLIP.frames(slice(0, 35))
    said, _ = dealt(live(Counted(), "glosses", clip.layout, FPS), clip, 4)
    assert [(s.number, s.text) for s in said] == [(k, f"G{k}") for k in (1, 2, 3, 4)]
    assert [s.span.end for s in said] == [10 / FPS, 20 / FPS, 30 / FPS, 35 / FPS]
    assert all(s.final for s in said)


def test_glosses_are_those_of_the_whole_clip(chunked: Ctc) -> None:
    assert live_tasks(chunked) == ("glosses", "translate")
    clip = CLIP.cut(Span(0.0, 8.0))
    at_once = live(chunked, "glosses", clip.layout, FPS)
    whole = at_once.push(clip) + at_once.finish()
    said, _ = dealt(live(chunked, "glosses", clip.layout, FPS), clip, 3)
    assert said == whole
    assert said
    assert " ".join(s.text for s in said) == chunked.translate([clip])[0].text
    assert at_once.look_ahead == pytest.approx(16 / FPS)
    assert at_once.longest is None


def test_what_a_model_cannot_do_is_refused() -> None:
    assert live_tasks(Reading()) == ("translate",)
    with pytest.raises(UsageError, match="cannot do 'glosses' live, it can do translate; glosses"):
        live(Reading(), "glosses", CLIP.layout, FPS)
    whole = begin(PRESETS["tiny"], ["A B"], 0)
    assert live_tasks(whole) == ("translate",)
    with pytest.raises(UsageError, match="'boston3' does not convert to 'ps76'"):
        live(Reading(), "translate", LAYOUTS["boston3"], FPS)
    assert live(Reading(), "translate", CLIP.layout, FPS).finish() == []
