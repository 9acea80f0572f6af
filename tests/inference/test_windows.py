"""Windows and their answers: what is asked, that stretches change nothing, and what answers become."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42, MP203, Layout
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.inference.align import Alignment, align
from signloom.inference.locate import Located, Locator, Query
from signloom.inference.retime import Wishes, retime
from signloom.inference.windows import (
    Answer,
    WithModel,
    ask,
    evidence_of,
    merged,
    placed_by_plateau,
    queries_for,
)
from signloom.pose.activity import Activity

FPS = 25.0
WINDOW = 20.0


@dataclass
class Film:
    """A clip whose left hand's first keypoint counts the frames; remembers what was read."""

    duration: float
    layout: Layout = HANDS42
    read: list[Span] = field(default_factory=list)

    def __call__(self, span: Span) -> PoseClip:
        self.read.append(span)
        first, last = span.frames(FPS, round(self.duration * FPS))
        points = np.ones((last - first, len(self.layout), 3), np.float32)
        hand = np.arange(len(self.layout))[self.layout.part("left_hand")]
        points[:, hand[0], 0] = np.arange(first, last)
        return PoseClip(points, np.ones(points.shape[:2], np.float32), FPS, self.layout)


@dataclass
class Planted:
    """A model that knows when each text is signed, to ``noise`` seconds, and is wrong at times.

    It sees the time of its window in the frames, and of a text that is not in it says nothing.
    """

    truth: dict[str, Span]
    noise: float = 0.0
    wrong: float = 0.0
    layout: Layout = HANDS42
    name: str = "planted"
    simulated_only: bool = True
    fps: float = 25.0
    window: float = WINDOW
    asked: list[int] = field(default_factory=list)
    lips: list[Lips | None] = field(default_factory=list)

    def locate(
        self, clip: PoseClip, queries: Sequence[Query], lips: Lips | None = None
    ) -> list[Located]:
        assert clip.layout == self.layout
        self.asked.append(len(queries))
        self.lips.append(lips if lips is None else lips.aligned_with(clip))
        return [self._one(clip, query) for query in queries]

    def _one(self, clip: PoseClip, query: Query) -> Located:
        first, last = query.window.frames(clip.fps)
        assert first >= 0
        assert last <= len(clip)
        assert query.window.duration <= self.window + 1e-6
        hand = np.arange(len(self.layout))[self.layout.part("left_hand")]
        start = float(clip.points[first, hand[0], 0]) / clip.fps
        rng = np.random.default_rng(zlib.crc32(query.text.encode()))
        off = (self.noise * rng.normal(size=2)).tolist()
        true = self.truth[query.text]
        span = Span(true.start + off[0], max(true.end + off[1], true.start + off[0] + 0.2))
        if rng.random() < self.wrong:
            span = span.shifted(float(rng.choice([-4.0, 4.0])))
        span = span.shifted(query.window.start - start)
        low, high = max(span.start, query.window.start), min(span.end, query.window.end)
        posterior = np.full(round(query.window.duration * self.fps), 0.15)
        if high - low < 0.5:
            places = np.linspace(query.window.start, query.window.end - 1.0, 8)
            return Located(tuple((Span(s, s + 1.0), 0.1) for s in places.tolist()), posterior)
        a, b = (round((t - query.window.start) * self.fps) for t in (low, high))
        posterior[:] = 0.05
        posterior[a:b] = 0.9
        return Located(((Span(low, high), 0.7), (Span(low, high - 0.1), 0.1)), posterior)


def iou(a: Span, b: Span) -> float:
    shared = min(a.end, b.end) - max(a.start, b.start)
    return max(shared, 0.0) / (max(a.end, b.end) - min(a.start, b.start))


def right(spans: Sequence[Span], truth: Sequence[Span]) -> float:
    return float(np.mean([iou(a, b) >= 0.5 for a, b in zip(spans, truth, strict=True)]))


def episode(count: int = 40, lag: float = 3.0) -> tuple[list[Cue], list[Span], Activity]:
    """Signing that never stops, so that motion tells nothing; a lag that wanders by seconds."""
    rng = np.random.default_rng(5)
    now, cues, truth = 6.0, [], []
    for k in range(count):
        text = f"cue {k} " + "x" * int(rng.integers(8, 60))
        seconds = 0.045 * (20 + len(text))
        truth.append(Span(now, now + seconds))
        behind = lag + 2.5 * float(np.sin(k / 5)) + float(rng.normal(0, 0.5))
        start = max(now - behind, cues[-1].span.start + 0.1 if cues else 0.0)
        cues.append(Cue(Span(start, start + seconds), text))
        now += seconds + 0.1
    frames = round((now + 10) * FPS)
    return cues, truth, Activity(FPS, np.full(frames, 0.97), np.zeros(frames), np.zeros(frames))


# --- what is asked -------------------------------------------------------------------------------


def test_one_window_around_the_expected_middle_inside_the_clip() -> None:
    cues = [
        Cue(Span(1.0, 3.0), "<i>"),
        Cue(Span(50.0, 54.0), " two\nlines "),
        Cue(Span(118.0, 119.0), "end"),
    ]
    (first,), (second,), (last,) = queries_for(cues, 120.0, WINDOW)
    assert (first.window, second.window, last.window) == (
        Span(0.0, 20.0),
        Span(42.0, 62.0),
        Span(100.0, 120.0),
    )
    assert (second.text, second.prior, second.previous) == ("two lines", Span(50.0, 54.0), "<i>")
    moved = [c.span.shifted(2.7) for c in cues]
    assert queries_for(cues, 120.0, WINDOW, moved)[1][0].window == Span(44.7, 64.7)
    assert queries_for(cues[:1], 12.0, WINDOW)[0][0].window == Span(0.0, 12.0)


def test_a_cue_outside_the_clip_is_not_asked_for() -> None:
    cues = [Cue(Span(1.0, 3.0), "in"), Cue(Span(130.0, 133.0), "after the end")]
    asked = queries_for(cues, 120.0, WINDOW)
    assert [len(a) for a in asked] == [1, 0]
    model = Planted({"in": Span(2.0, 4.0)})
    film = Film(120.0)
    inside, outside = ask(model, film, asked)
    assert inside is not None
    assert outside is None
    assert queries_for(cues, 0.0, WINDOW) == [(), ()]


@hypothesis_settings(max_examples=60, deadline=None)
@given(
    start=st.floats(0, 300),
    length=st.floats(0.1, 60),
    reach=st.floats(0, 70),
    duration=st.floats(1, 320),
)
def test_windows_cover_the_reach_and_overlap_by_half(
    start: float, length: float, reach: float, duration: float
) -> None:
    (asked,) = queries_for([Cue(Span(start, start + length), "a")], duration, WINDOW, reach=reach)
    windows = [query.window for query in asked]
    assert bool(windows) == (start < duration)
    for window in windows:
        assert 0 <= window.start
        assert window.end <= duration
        assert window.duration == pytest.approx(min(WINDOW, duration))
    for a, b in itertools.pairwise(windows):
        assert a.start < b.start <= a.start + WINDOW / 2 + 1e-9
    if windows:
        assert windows[0].start <= max(start - reach, 0.0) + 1e-9
        assert windows[-1].end >= min(start + length + reach, duration) - 1e-9


# --- asking --------------------------------------------------------------------------------------


def test_stretches_change_no_answer_and_hold_no_more_than_they_may() -> None:
    cues, truth, activity = episode()
    texts = dict(zip([c.text for c in cues], truth, strict=True))
    asked = queries_for(cues, activity.duration, WINDOW, reach=12.0)
    answers, reads = [], []
    for stretch in (1e9, 30.0):
        film, model = Film(activity.duration), Planted(texts, noise=0.2)
        answers.append(ask(model, film, asked, stretch))
        reads.append(film.read)
        assert isinstance(model, Locator)
        assert sum(model.asked) == sum(map(len, asked))
    assert len(reads[0]) == 1
    assert len(reads[1]) > 3
    assert max(span.duration for span in reads[1]) <= 30.0 + WINDOW + 1e-9
    for whole, part in zip(*answers, strict=True):
        assert whole is not None
        assert part is not None
        # A stretch begins on the frame nearest to its first window: half a frame of difference.
        for (a, p), (b, q) in zip(whole.spans, part.spans, strict=True):
            assert iou(a, b) > 0.9
            assert p == pytest.approx(q)
        assert len(whole.posterior) == len(part.posterior)


def test_lips_are_read_of_the_same_stretches_as_the_clip() -> None:
    cues, truth, activity = episode()
    texts = dict(zip([c.text for c in cues], truth, strict=True))
    asked = queries_for(cues, activity.duration, WINDOW, reach=12.0)
    film, model = Film(activity.duration), Planted(texts)
    total = round(activity.duration * FPS)

    def mouths(span: Span) -> Lips:
        first, last = span.frames(FPS, total)
        return Lips(np.full((last - first, 96, 96), 7, np.uint8), np.ones(last - first, bool), FPS)

    with_lips = ask(model, film, asked, 30.0, mouths)
    assert len(model.lips) == len(film.read) > 3
    assert all(lips is not None for lips in model.lips)
    assert max(map(len, model.lips)) <= (30.0 + WINDOW) * FPS + 1  # type: ignore[arg-type]
    blind = Planted(texts)
    for one, other in zip(with_lips, ask(blind, film, asked, 30.0), strict=True):
        assert one is not None
        assert other is not None
        assert one.spans == other.spans
    assert set(blind.lips) == {None}


def test_a_model_of_another_layout_gets_its_own_or_says_what_is_missing() -> None:
    asked = queries_for([Cue(Span(30.0, 32.0), "a")], 60.0, WINDOW)
    (answer,) = ask(Planted({"a": Span(33.0, 35.0)}), Film(60.0, MP203), asked)
    assert answer is not None
    assert iou(answer.spans[0][0], Span(33.0, 35.0)) > 0.95
    with pytest.raises(UsageError, match="mp203"):
        ask(Planted({"a": Span(33.0, 35.0)}, layout=MP203), Film(60.0), asked)


# --- several windows, one answer (F3.1) ----------------------------------------------------------


def test_a_cue_forty_seconds_from_its_prior_is_found() -> None:
    cue, true = Cue(Span(100.0, 103.0), "far"), Span(143.0, 146.5)
    model = Planted({"far": true}, noise=0.1)
    near, far = (
        ask(model, Film(300.0), queries_for([cue], 300.0, WINDOW, reach=reach))[0]
        for reach in (0.0, 45.0)
    )
    assert near is not None
    assert far is not None
    assert max(near.posterior) < 0.5
    span, probability = far.spans[0]
    assert iou(span, true) > 0.8
    assert probability > 0.35
    assert sum(p for _, p in far.spans) <= 1 + 1e-9
    peak = far.start + float(np.argmax(far.posterior)) / far.fps
    assert true.start - 0.5 < peak < true.end
    assert (far.posterior > 0.5).sum() / far.fps == pytest.approx(true.duration, abs=0.5)


def test_a_cue_of_thirty_seconds_is_whole_again() -> None:
    cue, true = Cue(Span(60.0, 90.0), "long"), Span(63.0, 93.0)
    asked = queries_for([cue], 300.0, WINDOW, [true.shifted(-1.0)], reach=3.0)
    assert len(asked[0]) > 2
    (answer,) = ask(Planted({"long": true}), Film(300.0), asked)
    assert answer is not None
    assert iou(answer.spans[0][0], true) > 0.99
    assert (answer.posterior > 0.5).sum() / answer.fps == pytest.approx(30.0, abs=0.1)
    assert sum(p for _, p in answer.spans) <= 1 + 1e-9


def test_one_window_is_its_answer_and_a_window_that_saw_nothing_says_nothing() -> None:
    query = Query(Span(10.0, 30.0), "a")
    seen = Located(((Span(12.0, 14.0), 0.5), (Span(25.0, 26.0), 0.2)), np.linspace(0, 1, 500))
    alone = merged([(query, seen)], FPS)
    assert alone.spans == seen.spans
    assert alone.start == 10.0
    np.testing.assert_array_equal(alone.posterior, seen.posterior)
    blank = Located((), np.full(500, 0.9))
    both = merged([(query, seen), (Query(Span(20.0, 40.0), "a"), blank)], FPS)
    assert both.spans[0] == (Span(12.0, 14.0), 0.5)
    np.testing.assert_array_equal(both.posterior[:500], seen.posterior)
    assert not both.posterior[500:].any()


# --- answers as evidence, and placed by the paper's way ------------------------------------------


def test_a_model_that_says_the_same_of_every_frame_draws_no_cue_anywhere() -> None:
    flat = Answer(30.0, FPS, np.full(500, 0.2), ())
    told = evidence_of({0: flat}, weight=1.0)
    starts = np.array([[0.0], [20.0], [35.0], [48.0], [60.0]])
    weights = told(0, starts, starts + 3.0)
    np.testing.assert_allclose(weights, 3.0 * np.log(0.2 / 0.8))
    twice = evidence_of({0: flat}, weight=2.0)
    np.testing.assert_allclose(twice(0, starts, starts + 3.0), 2 * weights)
    assert not told(1, starts, starts + 3.0).any()


def test_a_noisy_model_moves_cues_to_the_truth_in_order_and_apart() -> None:
    cues, truth, activity = episode()
    texts = dict(zip([c.text for c in cues], truth, strict=True))
    alone = align(cues, activity)
    model = Planted(texts, noise=0.3, wrong=0.15)

    def again(more: Sequence[object]) -> Alignment:
        return align(cues, activity, more)  # type: ignore[arg-type]

    found = {
        place: WithModel(model, Film(activity.duration), activity.duration, place)(  # type: ignore[arg-type]
            cues, alone, {}, again
        )
        for place in ("program", "plateau")
    }
    scores = {place: right(a.spans, truth) for place, a in found.items()}
    assert right(alone.spans, truth) < 0.6
    assert scores["program"] > 0.95
    assert scores["plateau"] > 0.8
    for alignment in found.values():
        assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(alignment.spans))
        assert all(0 <= p.confidence <= 1 for p in alignment.placed)
    sure = np.array([p.confidence for p in found["program"].placed])
    assert sure.mean() > np.mean([p.confidence for p in alone.placed]) + 0.2


def test_plateaus_of_cues_without_an_answer_are_their_priors() -> None:
    priors = [Span(1.0, 3.0), Span(5.0, 7.0), Span(9.0, 11.0)]
    answer = Answer(0.0, FPS, np.zeros(0), ((Span(5.4, 7.4), 0.9),))
    found = placed_by_plateau({1: answer}, priors, FPS, 12.0)
    assert [iou(s, p) > 0.9 for s, p in zip(found, priors, strict=True)] == [True, False, True]
    assert iou(found[1], Span(5.4, 7.4)) > 0.75


@pytest.mark.parametrize("place", ["program", "plateau"])
def test_locked_cues_stay_and_cues_on_the_signing_are_left_alone(place: str) -> None:
    cues, truth, activity = episode()
    texts = dict(zip([c.text for c in cues], truth, strict=True))
    model = Planted(texts, noise=0.2)
    refine = WithModel(model, Film(activity.duration), activity.duration, place)  # type: ignore[arg-type]
    given = [*cues[:10], Cue(truth[10], cues[10].text), *cues[11:]]
    wishes = Wishes(locked=frozenset({10}), any_order=True, on_low="mark")
    found = retime(given, activity, wishes, refine=refine)
    assert found.cues[10].span == truth[10]
    assert found.cues[10].flags == ("locked",)
    assert right([m.span for m in found.cues], truth) > 0.85
    assert sum(model.asked) >= len(cues) - 1
    edges = np.array([(s.start, s.end) for s in truth])
    starts, ends = np.full(len(activity), -2.0), np.full(len(activity), -2.0)
    starts[np.rint(edges[:, 0] * FPS).astype(int)] = 3.0
    ends[np.rint(edges[:, 1] * FPS).astype(int)] = 3.0
    plain = Activity(FPS, activity.signing, starts, ends)
    on = [Cue(s, c.text) for s, c in zip(truth, cues, strict=True)]
    before = list(model.asked)
    kept = retime(on, plain, refine=refine)
    assert kept.already
    assert model.asked == before
    assert any("the model is not asked" in notice for notice in kept.notices)
