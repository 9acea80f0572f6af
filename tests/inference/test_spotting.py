"""A recogniser's sightings as evidence: planted ones, and the bundled recogniser on a simulated episode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import HANDS42
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.inference.align import align
from signloom.inference.recognize import BUNDLED
from signloom.inference.spotting import (
    STRETCH,
    Sighting,
    Spots,
    Spotter,
    WithSpotter,
    glosses_of,
    peaks,
    sightings,
    spottings,
)
from signloom.methods.load import load
from signloom.metrics.alignment import AlignedEpisode, score_alignment
from signloom.pose.activity import activity, track
from signloom.simulator.episode import SimulatedEpisodes

GLOSSES = ("child", "ice_cream", "run", "not")


@dataclass
class Planted:
    """Sees 'child' at the moments that the clip's first keypoint carries."""

    name: str = "planted"
    layout = HANDS42
    simulated_only = True
    glosses = GLOSSES
    spots = True

    def spot(self, clip: PoseClip) -> Spots:
        told = np.full((len(clip), len(GLOSSES)), 0.01)
        told[:, 0] = clip.points[:, 0, 0]
        return Spots(0.0, 1 / clip.fps, GLOSSES, told)


def planted(seconds: float, seen: dict[float, float]) -> PoseClip:
    """A clip at 10 frames a second whose frames carry a probability."""
    points = np.zeros((round(10 * seconds), 42, 3), np.float32)
    for moment, probability in seen.items():
        points[round(10 * moment), 0, 0] = probability
    return PoseClip(points, np.ones(points.shape[:2], np.float32), 10.0, HANDS42)


def test_each_sign_is_sighted_once_whatever_stretch_it_lies_in() -> None:
    border = STRETCH
    seen = {
        0.0: 0.9,
        border - 0.1: 0.7,
        border: 0.8,
        border + 0.1: 0.6,
        2 * border + 4.9: 0.95,
        7.0: 0.4,
    }
    clip = planted(2 * border + 5, seen)
    assert isinstance(Planted(), Spotter)
    found = sightings(Planted(), clip.cut, clip.duration, {"child", "run"})
    assert [(s.gloss, round(s.probability, 3)) for s in found] == [
        ("child", 0.9),
        ("child", 0.8),
        ("child", 0.95),
    ]
    np.testing.assert_allclose([s.moment for s in found], [0, border, 2 * border + 4.9], atol=0.05)
    assert sightings(Planted(), clip.cut, clip.duration, {"run"}) == []


def test_words_find_their_glosses_in_any_form() -> None:
    cues = [
        Cue(Span(0.0, 1.0), "The <i>children</i> are running!"),
        Cue(Span(1.0, 2.0), "ICE CREAM isn't here"),
        Cue(Span(2.0, 3.0), "[music]"),
    ]
    assert glosses_of(cues, GLOSSES) == [{"child", "run"}, {"ice_cream", "not"}, frozenset()]
    assert peaks(np.array([])) == []


def test_a_sighting_speaks_for_the_cues_that_have_its_word_and_are_near() -> None:
    words = [frozenset({"child"}), frozenset({"run"}), frozenset({"child"})]
    expected = [Span(0.0, 2.0), Span(2.0, 4.0), Span(500.0, 502.0)]
    told = spottings([Sighting("child", 1.0, 0.9)], words, expected)
    starts, ends = np.array([0.0, 1.5]), np.array([2.0, 3.0])
    np.testing.assert_allclose(told(0, starts, ends), [np.log(9), 0.0])
    assert not told(1, starts, ends).any()
    assert not told(2, starts, ends).any()


def test_the_bundled_recogniser_places_cues_better_than_no_model() -> None:
    model = load(BUNDLED)
    assert isinstance(model, Spotter)
    episode = SimulatedEpisodes("small", "dev")[1]
    seen = activity(track(list(episode.slices())))
    alone = align(episode.speech, seen)
    shown: list[Sighting] = []
    way = WithSpotter(model, episode.clip, episode.duration, shown.extend)
    told = way(episode.speech, alone, {}, lambda more: align(episode.speech, seen, more))

    def f1(spans: tuple[Span, ...]) -> float:
        cues = tuple(Cue(s, c.text) for s, c in zip(spans, episode.speech, strict=True))
        scores = score_alignment([AlignedEpisode("0", cues, episode.signing, episode.speech)])
        return next(score.value for score in scores if score.name == "F1@.50")

    assert f1(told.spans) > f1(alone.spans) + 2
    signed = [cue.span for cue in episode.signing]
    inside = [any(s.start <= sign.moment <= s.end for s in signed) for sign in shown]
    assert len(shown) > len(episode.speech)
    assert np.mean(inside) > 0.9


def test_a_recogniser_of_hands_alone_does_not_spot() -> None:
    from signloom.methods import isolated

    model = isolated.build(isolated.PRESETS["tiny"], ["a", "b"], 0)
    model.name = "hands"
    with pytest.raises(UsageError, match="model 'hands' cannot spot signs in continuous signing"):
        model.spot(planted(1, {}))
