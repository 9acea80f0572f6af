"""Subtitles are where their model put them, in order, without overlap; the path is the cheapest one."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.inference.plateau import Confidence, monotone_path, place_cues, plateau

FPS = 25.0


def frames_of(spans: list[Span]) -> list[tuple[int, int]]:
    return [span.frames(FPS) for span in spans]


def spans_of(*frames: tuple[int, int]) -> list[Span]:
    return [Span.of_frames(first, last, FPS) for first, last in frames]


def plateaus(*frames: tuple[int, int]) -> dict[int, Confidence]:
    return {cue: plateau(span, FPS) for cue, span in enumerate(spans_of(*frames))}


def below_threshold(frames: int) -> float:
    """Frames at either end of a plateau (α = 0.2) where it is below 0.4."""
    return 0.4 * frames * float(np.arcsin(0.4)) / (np.pi / 2)


def test_a_plateau_by_hand() -> None:
    # Ten frames: edges of 4, flat in the middle 2; sin(π/2 · x/4) at x = ½, 1½, 2½, 3½.
    rise = [0.19509032, 0.55557023, 0.83146961, 0.98078528]
    found = plateau(Span(2.0, 2.4), FPS)
    assert found.first == 50
    np.testing.assert_allclose(found.values, [*rise, 1, 1, *rise[::-1]], atol=1e-8)
    # No plateau peaks in the middle; nothing but plateau is 1 all over; no span is one frame.
    assert plateau(Span(2.0, 2.36), FPS, flat=0.0).values.argmax() == 4
    assert plateau(Span(2.0, 2.36), FPS, flat=0.0).values[4] == 1
    assert plateau(Span(2.0, 2.4), FPS, flat=1.0).values.tolist() == [1] * 10
    assert plateau(Span(2.0, 2.0), FPS).values.tolist() == [1]


def test_cues_that_do_not_meet_stay_where_they_are_seen() -> None:
    """Up to the frames that are below the threshold, about a tenth of the cue at either end."""
    seen = [(100, 200), (230, 300), (300, 420)]
    priors = spans_of((30, 120), (150, 210), (220, 350))
    found = frames_of(place_cues(plateaus(*seen), priors, FPS))
    for (first, last), (start, end) in zip(found, seen, strict=True):
        cut = below_threshold(end - start)
        assert abs(first - start - cut) <= 5
        assert abs(end - last - cut) <= 5
    exact = place_cues(plateaus(*seen), priors, FPS, threshold=1e-9, step=1, widen=0)
    assert frames_of(exact) == seen


def test_the_short_cue_keeps_more_of_itself_where_two_overlap() -> None:
    seen = [(0, 200), (170, 210)]
    (first, last), (start, end) = frames_of(place_cues(plateaus(*seen), spans_of(*seen), FPS))
    assert last == start
    kept = [(last - first) / 200, (end - start) / 40]
    assert kept[1] > 0.7  # half of the overlap would leave it 25 of 40 frames
    long, short = plateaus(*seen).values()
    crossing = next(f for f in range(170, 200) if short.values[f - 170] > long.values[f])
    assert abs(start - crossing) <= 2


def test_the_first_subtitle_can_hold_several_frames() -> None:
    """In the released code its column has no cost but at the first frame, so it holds that one only."""
    seen = [(10, 110), (130, 200)]
    found = frames_of(place_cues(plateaus(*seen), spans_of(*seen), FPS))
    assert found[0][1] - found[0][0] > 70


def test_a_fallback_reaches_the_cost() -> None:
    """In the released code a subtitle without confidence has cost 1 everywhere, its input timing too."""
    priors = spans_of((0, 100), (150, 250), (300, 400))
    for unseen in ({}, {1: Confidence(150, np.full(100, 0.39))}):
        seen = plateaus((0, 100), (0, 1), (300, 400)) | unseen
        if not unseen:
            del seen[1]
        found = frames_of(place_cues(seen, priors, FPS))
        assert abs(found[1][0] - 150) <= 5
        assert abs(found[1][1] - 250) <= 5
    # It yields to what a model saw, and holds what nobody else wants.
    seen = plateaus((0, 160))
    found = frames_of(place_cues(seen, priors[:2], FPS))
    assert abs(found[0][1] - (160 - below_threshold(160))) <= 5
    assert found[0][1] <= found[1][0]
    assert abs(found[1][1] - 250) <= 5


def test_fewer_active_frames_than_subtitles() -> None:
    """In the released code this crashes. Ten cues want the same two frames, one wants others."""
    seen = plateaus(*[(100, 102)] * 10, (300, 400))
    priors = spans_of(*[(100 + cue, 110 + cue) for cue in range(10)], (300, 400))
    found = frames_of(place_cues(seen, priors, FPS))
    assert all(last > first for first, last in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    assert all(90 <= first and last <= 120 for first, last in found[:10])
    assert found[10][0] > 290
    assert found[10][1] - found[10][0] > 70
    # Also where there is no frame to spare.
    tight = frames_of(place_cues(plateaus(*[(3, 4)] * 6), priors[:6], FPS, total=6))
    assert tight == [(frame, frame + 1) for frame in range(6)]


def cost_of(gains: np.ndarray, owner: np.ndarray) -> float:
    return float((1 - gains[np.arange(len(gains)), owner]).sum())


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_the_path_is_the_cheapest_of_all(cues: int, more: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = cues + more
    dense = rng.integers(0, 5, (frames, cues)) / 4  # ties are common, and exact
    rows = [(columns := np.flatnonzero(row), row[columns]) for row in dense]
    owner = monotone_path(rows, cues)
    assert owner[0] == 0
    assert owner[-1] == cues - 1
    assert set(np.diff(owner)) <= {0, 1}
    every = [
        np.searchsorted(cuts, np.arange(frames), side="right")
        for cuts in combinations(range(1, frames), cues - 1)
    ]
    cheapest = min(cost_of(dense, one) for one in every)
    assert cost_of(dense, owner) == pytest.approx(cheapest)
    # Of the cheapest, the one that moves on later.
    latest = [one for one in every if cost_of(dense, one) <= cheapest + 1e-9]
    assert all((owner <= one).all() for one in latest)


def test_a_path_of_more_cues_than_a_byte_has_bits() -> None:
    dense = np.repeat(np.eye(21), 3, axis=0)
    rows = [(columns := np.flatnonzero(row), row[columns]) for row in dense]
    assert monotone_path(rows, 21).tolist() == np.repeat(np.arange(21), 3).tolist()


stretches = st.tuples(st.integers(-60, 400), st.integers(0, 80)).map(lambda s: (s[0], s[0] + s[1]))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(stretches, st.none() | stretches), min_size=1, max_size=9),
    st.sampled_from([None, 9, 40, 350]),
    st.sampled_from([(4, 2), (1, 0), (3, 5)]),
)
def test_no_overlap_order_kept_a_frame_each(
    cues: list[tuple[tuple[int, int], tuple[int, int] | None]],
    total: int | None,
    grid: tuple[int, int],
) -> None:
    priors = spans_of(*(prior for prior, _ in cues))
    seen = {
        cue: plateau(*spans_of(stretch), FPS) for cue, (_, stretch) in enumerate(cues) if stretch
    }
    found = frames_of(place_cues(seen, priors, FPS, step=grid[0], widen=grid[1], total=total))
    assert len(found) == len(cues)
    order = sorted(range(len(cues)), key=lambda cue: (sum(cues[cue][0]), cue))
    end = 0
    for cue in order:
        assert end <= found[cue][0] < found[cue][1] <= (total or np.inf)
        end = found[cue][1]


def test_what_cannot_be_is_refused() -> None:
    priors = spans_of((0, 50), (60, 90))
    with pytest.raises(UsageError, match="confidence for cue 2, expected cue numbers from 0 to 1"):
        place_cues({2: Confidence(0, np.ones(3))}, priors, FPS)
    with pytest.raises(UsageError, match="2 cues are to be placed in a clip of 1 frames"):
        place_cues({}, priors, FPS, total=1)
    for wrong in (1.5, -0.1, np.nan):
        with pytest.raises(UsageError, match="from frame 7 on has the value"):
            Confidence(7, np.array([0.5, wrong]))
    with pytest.raises(UsageError, match="plateau is 1\\.5 of its span"):
        plateau(priors[0], FPS, flat=1.5)
    assert place_cues({}, [], FPS) == []
