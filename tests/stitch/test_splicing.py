"""Spliced sentences: planted frames tell where every piece comes from."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import BOSTON3
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.stitch.splicing import Spliced

SENTENCES = [
    ("a", "JOHN BUY BOOK"),
    ("a", "MARY BUY CAR"),
    ("a", "JOHN LIKE CAR"),
    ("b", "BUY HAT"),
]
PAUSE, SIGN, FPS = 3, 7, 30.0


def signed(at: int, signer: str, text: str) -> Sample:
    """A pause, then each gloss, and a pause behind each; x of frame t of sample i is 1000·i + t."""
    glosses = text.split()
    starts = [PAUSE + (PAUSE + SIGN) * place for place in range(len(glosses))]
    frames = PAUSE + (PAUSE + SIGN) * len(glosses)
    points = np.zeros((frames, 3, 3), np.float32)
    points[:, :, 0] = (1000 * at + np.arange(frames))[:, None]
    return Sample(
        str(at),
        PoseClip(points, np.ones((frames, 3), np.float32), FPS, BOSTON3, str(at)),
        glosses=tuple(
            GlossSpan(gloss, Span.of_frames(start, start + SIGN, FPS))
            for gloss, start in zip(glosses, starts, strict=True)
        ),
        signer=signer,
    )


CORPUS = [signed(at, *sentence) for at, sentence in enumerate(SENTENCES)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 399), st.integers(0, 3))
def test_every_gloss_is_where_it_says_and_every_pair_was_signed(index: int, seed: int) -> None:
    sample = Spliced(CORPUS, switch=0.7, rounds=100, seed=seed)[index]
    pairs = {pair for _, text in SENTENCES for pair in pairwise(text.split())}
    glosses = [sign.gloss for sign in sample.glosses]
    assert set(pairwise(glosses)) <= pairs
    for sign in sample.glosses:
        assert sign.span is not None
        first, last = sign.span.frames(FPS)
        assert last - first == SIGN
        shown = sample.clip.points[first:last, 0, 0]
        source = CORPUS[int(shown[0]) // 1000]
        assert source.signer == CORPUS[index % 4].signer
        at = [(int(s.span.start * FPS + 0.5), s.gloss) for s in source.glosses if s.span]
        assert (int(shown[0]) % 1000, sign.gloss) in at
        assert (np.diff(shown) == 1).all()
    # Only behind a gloss does a clip leave its sentence; it ends where a sentence ends.
    jumps = np.flatnonzero(np.diff(sample.clip.points[:, 0, 0]) != 1) + 1
    ends = [sign.span.frames(FPS)[1] for sign in sample.glosses if sign.span]
    assert set(jumps.tolist()) <= set(ends)
    assert len(sample.clip) == ends[-1] + PAUSE


def test_samples_are_functions_of_seed_and_index() -> None:
    source = Spliced(CORPUS, rounds=50, seed=1)
    again, other = pickle.loads(pickle.dumps(source)), Spliced(CORPUS, rounds=50, seed=2)
    texts = [[sign.gloss for sign in source[i].glosses] for i in range(200)]
    assert len(source) == 200
    assert [[sign.gloss for sign in again[i].glosses] for i in range(200)] == texts
    assert [[sign.gloss for sign in other[i].glosses] for i in range(200)] != texts
    assert ["JOHN", "BUY", "CAR"] in texts, "which nobody signed"
    with pytest.raises(IndexError, match="sample 200 of 200"):
        source[200]


def test_without_a_switch_sentences_stay_as_they_are() -> None:
    for plain, spliced in zip(CORPUS, Spliced(CORPUS, switch=0.0), strict=False):
        assert spliced.glosses == plain.glosses
        assert np.array_equal(spliced.clip.points, plain.clip.points)


def test_glosses_need_times() -> None:
    untimed = Sample("x", CORPUS[0].clip, glosses=(GlossSpan("JOHN"),))
    with pytest.raises(UsageError, match="sample 'x' cannot be spliced: its glosses have no times"):
        Spliced([untimed])[0]
