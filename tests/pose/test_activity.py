"""Signing told from none: planted motion, slices that change nothing, what a layout or a clip may lack."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, MP203, Layout
from signloom.errors import UsageError
from signloom.pose.activity import activity, spans_of, track
from signloom.pose.convert import convert
from signloom.simulator.episode import SimulatedEpisodes

EPISODE = SimulatedEpisodes("tiny", "dev")[0]
WHOLE = EPISODE.clip()


def share_right(clip: PoseClip) -> float:
    seen = activity(track([clip])).signing > 0.5
    truth = np.zeros(len(seen), bool)
    for span in EPISODE.activity:
        first, last = span.frames(clip.fps, len(clip))
        truth[first:last] = True
    return float(np.mean(seen == truth))


def test_simulated_signing_is_told_from_rest() -> None:
    truth = sum(s.duration for s in EPISODE.activity) / EPISODE.duration
    assert share_right(WHOLE) > max(truth, 1 - truth) + 0.08


def test_slices_give_what_the_whole_gives() -> None:
    whole, parts = activity(track([WHOLE])), activity(track(EPISODE.slices(7.0)))
    np.testing.assert_allclose(parts.signing, whole.signing, atol=1e-9)
    np.testing.assert_allclose(parts.starts, whole.starts, atol=1e-9)


@pytest.mark.parametrize("layout", [HANDS42])
def test_hands_alone_will_do(layout: Layout) -> None:
    assert share_right(convert(WHOLE, layout)) > 0.6


@pytest.mark.parametrize("stuck", [True, False])
def test_shoulders_that_are_never_seen_or_stand_on_one_point(stuck: bool) -> None:
    """An exporter's zeros with full confidence, or no body at all: the picture stands in."""
    at = MP203.of("POSE_LANDMARKS:LEFT_SHOULDER", "POSE_LANDMARKS:RIGHT_SHOULDER")
    points, confidence = WHOLE.points.copy(), WHOLE.confidence.copy()
    points[:, at], confidence[:, at] = 0.0, float(stuck)
    assert share_right(WHOLE.with_points(points, confidence)) > 0.6


def test_a_layout_without_hands_and_wrists_is_refused() -> None:
    face = HOLISTIC.part("face")
    names = tuple(HOLISTIC.keypoints[i] for i in face)
    layout = Layout("face468", names, ("face",) * len(names))
    clip = PoseClip(
        np.ones((5, 468, 3), np.float32), np.ones((5, 468), np.float32), 25.0, layout, "masks"
    )
    with pytest.raises(
        UsageError, match=r"'masks' of layout 'face468' has neither hands nor wrists"
    ):
        track([clip])
    with pytest.raises(UsageError, match="no frames are given"):
        track([])


def test_gaps_are_closed_before_short_stretches_are_left_out() -> None:
    on = np.array([0, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0], bool)
    found = spans_of(on, 10.0, least=0.2, gap=0.1)
    assert [(round(s.start, 3), round(s.end, 3)) for s in found] == [(0.1, 0.6)]
