"""Phrases while signing goes on: what the whole gives, whatever the pieces; planted and random activity."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from signloom.data.timing import Span
from signloom.pose.activity import Activity
from signloom.pose.phrases import PhraseCutter, PhraseStream
from signloom.simulator.episode import SimulatedEpisodes

FPS = 10.0
WHOLE = SimulatedEpisodes("tiny", "dev")[0].clip().cut(Span(0.0, 40.0))


def of(signing: np.ndarray, edge: np.ndarray) -> Activity:
    return Activity(FPS, signing.astype(np.float64), edge.astype(np.float64), np.zeros(len(edge)))


def pieces(whole: Activity, size: int, longest: float = np.inf) -> tuple[list[Span], PhraseCutter]:
    cutter, found = PhraseCutter(longest), []
    for k in range(0, len(whole), size):
        part = slice(k, k + size)
        found += cutter.take(of(whole.signing[part], whole.starts[part]))
    return [phrase.span for phrase in found + cutter.finish()], cutter


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 7))
def test_settled_activity_is_cut_as_the_whole_is(data: st.DataObject, size: int) -> None:
    """Runs and peaks of every length, ties among them: nothing comes out that later frames would change."""
    runs = data.draw(st.lists(st.tuples(st.booleans(), st.integers(1, 25)), max_size=8))
    signing = np.concatenate([np.full(n, float(on)) for on, n in runs] + [np.zeros(0)])
    edge = data.draw(arrays(np.int8, len(signing), elements=st.integers(0, 4)))
    whole = of(signing, edge)
    assert pieces(whole, size)[0] == list(whole.phrases())


def test_a_phrase_that_is_too_long_is_cut_and_what_is_over_forgotten() -> None:
    whole = of(np.ones(5000), np.zeros(5000))
    spans, cutter = pieces(whole, 3, longest=7.0)
    assert spans[0] == Span(0.0, 7.0)
    assert spans[1] == Span(7.0, 14.0)
    assert spans[-1].end == pytest.approx(500, abs=0.4)
    assert all(a.end == b.start for a, b in itertools.pairwise(spans))
    assert cutter._held is not None
    assert len(cutter._held) <= 70 * FPS


def test_the_same_phrases_however_frames_are_dealt_out() -> None:
    rng = np.random.default_rng(0)
    edges = np.concatenate([[0], np.sort(rng.integers(0, len(WHOLE), 60)), [len(WHOLE)]])
    at_once, dealt = PhraseStream(), PhraseStream()
    whole = at_once.push(WHOLE) + at_once.finish()
    parts, late = [], []
    for first, last in itertools.pairwise(edges):
        new = dealt.push(WHOLE.frames(slice(int(first), int(last))))
        parts += new
        late += [first / WHOLE.fps - phrase.span.end for phrase in new]
    parts += dealt.finish()
    assert parts == whole
    assert len(whole) > 3
    assert max(late) <= dealt.look_ahead
    assert dealt.finish() == []
    assert PhraseStream().finish() == []
