"""Frame sampling: which frame stands for a damaged one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.pose.select import every_frame


def a_clip(confidence: list[float], gone: range = range(0)) -> PoseClip:
    """Frame t stands at x = t; ``confidence`` is that of the first keypoint; ``gone`` are never seen."""
    frames = len(confidence)
    points = (
        np.ones((frames, 42, 3), np.float32) * np.arange(frames, dtype=np.float32)[:, None, None]
    )
    table = np.ones((frames, 42), np.float32)
    table[:, 0] = confidence
    table[:, list(gone)] = 0
    return PoseClip(points, table, 30.0, HANDS42)


def frames_of(clip: PoseClip) -> list[int]:
    return clip.points[:, 41, 0].astype(int).tolist()


def test_whole_frames_are_taken_as_they_come() -> None:
    clip = a_clip([1, 0.1, 0.5, 1, 1, 1, 1])
    assert frames_of(every_frame(clip, 2)) == [0, 2, 4, 6]
    assert frames_of(every_frame(clip, 3, offset=1)) == [1, 4]
    assert every_frame(clip, 3).fps == 10


def test_a_damaged_frame_is_replaced_forward_first_by_a_sure_one() -> None:
    clip = a_clip([1, 1, 0, 0.7, 0.9, 1, 1])
    assert frames_of(every_frame(clip, 2)) == [0, 4, 4, 6]
    clip = a_clip([1, 0.9, 0, 0, 0, 0, 0])
    assert frames_of(every_frame(clip, 2)) == [0, 1, 4, 6]
    assert frames_of(every_frame(clip, 2, reach="clip")) == [0, 1, 1, 1]
    assert frames_of(every_frame(a_clip([0.0, 0.5, 0.0, 0.7]), 2, reach="clip")) == [0, 2]


def test_a_hand_that_is_never_seen_does_not_count() -> None:
    clip = a_clip([1, 1, 0, 1, 1], gone=range(1, 21))
    assert frames_of(every_frame(clip, 2)) == [0, 3, 4]


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=40), st.integers(1, 5), st.integers(0, 4)
)
def test_time_never_runs_backward(confidence: list[float], step: int, offset: int) -> None:
    chosen = frames_of(every_frame(a_clip(confidence), step, offset))
    assert chosen == sorted(chosen)
    assert len(chosen) == len(range(offset, len(confidence), step))


def test_a_step_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match=r"step is 0 .*expected step ≥ 1"):
        every_frame(a_clip([1]), 0)
