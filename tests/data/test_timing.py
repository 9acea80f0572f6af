"""Seconds to frames and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.timing import Span

RATES = st.sampled_from([10.0, 15.0, 24.0, 25.0, 29.97, 30000 / 1001, 50.0, 59.94, 60.0])


@given(RATES, st.integers(0, 200_000), st.integers(0, 1000))
def test_frames_round_trip_at_every_rate(fps: float, first: int, length: int) -> None:
    assert Span.of_frames(first, first + length, fps).frames(fps) == (first, first + length)


@given(RATES, st.floats(0, 1e4), st.floats(0, 1e4), st.integers(0, 1000))
def test_frames_stay_inside_the_clip(fps: float, a: float, b: float, total: int) -> None:
    first, last = Span(min(a, b), max(a, b)).frames(fps, total)
    assert 0 <= first <= last <= total


def test_a_span_that_is_no_span_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ends at 1\.0 s, before its start at 2\.0 s"):
        Span(2.0, 1.0)
    with pytest.raises(ValueError, match="not finite"):
        Span(0.0, float("nan"))
