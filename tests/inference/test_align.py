"""The aligner's program: exact against enumeration, planted answers found, order kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.inference.align import Settings, _Chain, _Frames, align, units
from signloom.pose.activity import Activity

FPS = 25.0


def signing_in(spans: list[Span], duration: float, boundaries: bool = True) -> Activity:
    """Activity that is sure of where there is signing, and of each span's ends."""
    frames = round(duration * FPS)
    signing, starts, ends = np.full(frames, 0.03), np.full(frames, -1.0), np.full(frames, -1.0)
    for span in spans:
        first, last = span.frames(FPS, frames)
        signing[first:last] = 0.97
        if boundaries:
            starts[min(first, frames - 1)] = ends[min(last, frames - 1)] = 3.0
    return Activity(FPS, signing, starts, ends)


def iou(a: Span, b: Span) -> float:
    shared = min(a.end, b.end) - max(a.start, b.start)
    return max(shared, 0.0) / (max(a.end, b.end) - min(a.start, b.start))


def planted(seed: int, count: int = 30) -> tuple[list[Cue], list[Span], float]:
    """(cues before the signing, true spans, duration): texts as long as their signing, a drifting lag."""
    rng = np.random.default_rng(seed)
    now, spans, cues = 4.0, [], []
    for k in range(count):
        length = int(rng.integers(8, 60))
        text = "x" * length
        seconds = 0.05 * float(units([text])[0])
        spans.append(Span(now, now + seconds))
        now += seconds + float(rng.choice([0.1, 0.6, 2.5]))
        lag = 2.0 + 2.0 * np.sin(k / 9)
        start = max(spans[-1].start - lag, cues[-1].span.start + 0.1 if cues else 0.0)
        cues.append(Cue(Span(start, start + seconds), text))
    return cues, spans, now + 3.0


@pytest.mark.parametrize("seed", range(4))
def test_planted_places_are_found(seed: int) -> None:
    cues, spans, duration = planted(seed)
    found = align(cues, signing_in(spans, duration))
    overlaps = [iou(p.span, s) for p, s in zip(found.placed, spans, strict=True)]
    assert np.mean(np.array(overlaps) >= 0.5) == 1.0
    assert np.mean(overlaps) > 0.85
    assert np.abs(np.array(found.lags)).max() < 6


def test_posteriors_are_those_of_enumeration() -> None:
    """Every path of a small chain weighed by hand gives the same posterior of (start, duration)."""
    speech, size = np.array([1.0, 2.1, 2.9]), np.array([20.0, 30.0, 24.0])
    activity = signing_in([Span(2.0, 2.8), Span(3.1, 4.6)], 6.0)
    setting = Settings(lag_jitter=0.2, min_duration=0.2)
    frames = _Frames.of(activity, setting)
    lags = np.array([1.0, 1.0, 1.0])
    chain = _Chain(speech, size, 0.03, frames, 0.4, lags, 0.4, setting, {}, [])
    found = chain.backward(chain.forward(1.2, 0.5))
    emission, earliest = chain.emission.astype(float), chain.earliest
    slow = (chain.z_first[0] + chain.z_grid) * chain.z_step
    prior = (1 + ((slow - 1.2) / np.hypot(0.5, setting.usual_spread)) ** 2 / 3) ** -2.0
    width, several, deep = len(chain.grid), emission.shape[2], len(chain.z_grid)
    chances = [chain._chance(k) for k in range(3)]
    drifts = [np.zeros(0), chain._drift(1, 1.2, 0.5), chain._drift(2, 1.2, 0.5)]
    lag = np.einsum(
        "z,iz,zy,jy,yx,kx->ijk", prior, chances[0], drifts[1], chances[1], drifts[2], chances[2]
    )
    starts = [chain.first[k] + chain.grid for k in range(3)]
    ends = [starts[k][:, None] + chain.lengths[k] for k in range(3)]
    step = []  # (start, duration) of one cue → start of the next
    for k in (1, 2):
        end = ends[k - 1][:, :, None]
        follows = 1 + setting.close * (end >= earliest[k])
        step.append(follows * (starts[k] >= end))
    expected = [
        np.einsum("ijk,ia,jb,kc,iaj,jbk->" + kept, lag, *emission, *step, optimize=True)
        for kept in ("ia", "jb", "kc")
    ]
    assert width * several * deep > 50
    for k in range(3):
        np.testing.assert_allclose(found.posterior[k], expected[k] / expected[k].sum(), atol=1e-5)


def test_where_signing_never_stops_a_spotting_decides() -> None:
    """Evidence enters the same program: one sure sighting moves what nothing else can tell."""
    texts = ["x" * 30] * 12
    cues = [Cue(Span(3.0 * k + 1, 3.0 * k + 3), text) for k, text in enumerate(texts)]
    flat = Activity(FPS, np.full(1500, 0.97), np.zeros(1500), np.zeros(1500))

    def spotted(cue: int, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        if cue % 3:
            return np.zeros(np.broadcast_shapes(starts.shape, ends.shape))
        moment = 3.0 * cue + 1 + 6.5 + 1.0
        return np.where((starts <= moment) & (moment < ends), 6.0, 0.0)

    without, told = align(cues, flat), align(cues, flat, [spotted])
    off = [float(np.abs(np.array(found.lags) - 6.5).mean()) for found in (without, told)]
    assert off[0] > 2.0
    assert off[1] < 0.7 * off[0]
    for k in range(0, 12, 3):
        span = told.placed[k].span
        assert span.start <= 3.0 * k + 8.5 < span.end


def test_locked_cues_stay_and_the_rest_goes_around_them() -> None:
    cues, spans, duration = planted(1)
    locked = {5: spans[5].shifted(0.3), 20: spans[20]}
    found = align(cues, signing_in(spans, duration), locked=locked)
    assert found.placed[5].span == locked[5]
    assert found.placed[20].confidence == 1.0
    assert found.placed[4].span.end <= locked[5].start + 0.11
    assert found.placed[6].span.start >= locked[5].end - 0.11


@pytest.mark.parametrize("over", [-0.3, 0.0, 0.1, 1.0])
def test_locks_that_touch_or_overlap_spoil_nothing(over: float) -> None:
    cues, spans, duration = planted(1)
    locked = {6: Span(spans[6].start, spans[7].start + over), 7: spans[7]}
    found = align(cues, signing_in(spans, duration), locked=locked)
    right = [iou(found.placed[k].span, s) >= 0.5 for k, s in enumerate(spans) if k not in locked]
    assert np.mean(right) > 0.9


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_few_cues_are_not_stretched_over_all_that_is_signed(count: int) -> None:
    cues, spans, duration = planted(2)
    found = align(cues[:count], signing_in(spans, duration))
    usual = 0.0475 * units([c.text for c in cues[:count]])
    lengths = np.array([p.span.duration for p in found.placed])
    assert (lengths < 3.5 * usual).all()


def test_a_cue_that_nobody_signs_is_told_from_those_that_are() -> None:
    cues, spans, duration = planted(2)
    extra = Cue(Span(cues[14].span.start + 0.02, cues[14].span.start + 0.04), "y" * 400)
    found = align([*cues[:15], extra, *cues[15:]], signing_in(spans, duration))
    others = [p.signed for k, p in enumerate(found.placed) if k != 15]
    assert found.placed[15].signed < 0.3
    assert np.mean(others) > 0.85


def test_cues_out_of_order_and_none_at_all_are_refused() -> None:
    cues, spans, duration = planted(0, 3)
    with pytest.raises(ValueError, match="cue 2 starts before cue 1"):
        align([cues[1], cues[0]], signing_in(spans, duration))
    with pytest.raises(ValueError, match="no cues to align"):
        align([], signing_in(spans, duration))


def test_a_far_lag_is_found_and_max_shift_holds() -> None:
    cues, spans, duration = planted(3)
    far = [Cue(c.span.shifted(-25.0), c.text) for c in cues]
    moved = [Cue(c.span.shifted(30.0), c.text) for c in far]
    activity = signing_in([s.shifted(30.0) for s in spans], duration + 30.0)
    found = align(moved, activity)
    assert (
        np.mean(
            [iou(p.span, s.shifted(30.0)) >= 0.5 for p, s in zip(found.placed, spans, strict=True)]
        )
        > 0.9
    )
    near = align(moved, activity, settings=Settings(max_shift=5.0))
    shifts = [p.span.start - c.span.start for p, c in zip(near.placed, moved, strict=True)]
    assert max(map(abs, shifts)) <= 5.0 + 0.2


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    starts=st.lists(st.floats(0, 40), min_size=1, max_size=12),
    lengths=st.lists(st.integers(0, 80), min_size=12, max_size=12),
    seed=st.integers(0, 1000),
)
def test_whatever_is_given_comes_back_in_order_and_apart(
    starts: list[float], lengths: list[int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cues = [Cue(Span(s, s + 1), "x" * n) for s, n in zip(sorted(starts), lengths, strict=False)]
    activity = Activity(FPS, rng.random(900), rng.normal(size=900), rng.normal(size=900))
    found = align(cues, activity)
    assert len(found.placed) == len(cues)
    for a, b in itertools.pairwise(found.spans):
        assert a.end <= b.start + 1e-9
    assert all(0 <= p.confidence <= 1 + 1e-6 and p.span.start >= 0 for p in found.placed)
