"""Test episodes for arms that align: what a model sees in each, where a reading puts the cues."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from signloom.claims.measures import ALIGNMENT, timed
from signloom.claims.readings import READINGS, USUAL, Reading
from signloom.corpora.episodes import name_of, pose_files
from signloom.data.cue import Cue
from signloom.data.layouts import FEATURES
from signloom.data.timing import Seconds, Span
from signloom.inference.align import align
from signloom.inference.locate import Locator
from signloom.inference.plateau import place_cues, plateau
from signloom.inference.windows import THRESHOLD, Answer, ask, evidence_of, queries_for
from signloom.metrics.alignment import baselines, score_alignment
from signloom.metrics.score import Score
from signloom.pose.activity import activity, track
from signloom.pose.files import read_header, read_pose, read_slices
from signloom.text.subtitles import read_subtitles

LAG: Seconds = 2.7
"""How far after the speech a cue is looked for: the windows of training lie around the same."""
FPS = 25.0
"""Frames that cues are placed on, whatever a model's ticks are."""


@dataclass(frozen=True)
class Episode:
    """A pose file, when its cues are said, and when the same cues are signed."""

    path: Path
    duration: Seconds
    speech: tuple[Cue, ...]
    signing: tuple[Cue, ...]


def episodes_in(folder: str | Path) -> list[Episode]:
    """The episodes that ``signloom simulate episode`` wrote into a folder, by name.

    Raises UsageError where it has none, MediaError for files that cannot be read.
    """
    found = []
    for path in pose_files([Path(folder)]):
        said, signed = (
            read_subtitles(path.with_name(f"{name_of(path)}.{which}.vtt")).cues
            for which in ("speech", "signing")
        )
        header = read_header(path)
        found.append(Episode(path, header.frames / header.fps, tuple(said), tuple(signed)))
    return found


def answers(model: Locator, episode: Episode) -> dict[int, Answer]:
    """Cue number → what the model says of it, asked in the window around its speech and the lag."""
    expected = [cue.span.shifted(LAG) for cue in episode.speech]
    queries = queries_for(episode.speech, episode.duration, model.window, expected)
    told = ask(model, lambda span: read_pose(episode.path, span), queries)
    return {cue: answer for cue, answer in enumerate(told) if answer is not None}


def placed(episode: Episode, told: Mapping[int, Answer], flat: float) -> tuple[Span, ...]:
    """The cues' spans by plateaus of that flatness and one path through them (A.6); no program."""
    shapes = {
        cue: plateau(answer.spans[0][0], FPS, flat) for cue, answer in told.items() if answer.spans
    }
    spans = place_cues(
        shapes,
        [cue.span for cue in episode.speech],
        FPS,
        THRESHOLD,
        total=math.ceil(episode.duration * FPS),
    )
    return _rounded(spans)


def by_program(episode: Episode, told: Mapping[int, Answer]) -> tuple[Span, ...]:
    """The cues' spans by the program of ``signloom align``, which weighs these answers too, if any."""
    seen = activity(track(read_slices(episode.path)))
    return _rounded(align(episode.speech, seen, [evidence_of(told)] if told else ()).spans)


def _rounded(spans: Sequence[Span]) -> tuple[Span, ...]:
    return tuple(Span(round(s.start, 3), round(s.end, 3)) for s in spans)


@dataclass
class Aligned:
    """What an arm that aligns adds to its record, and to what lies beside it; nothing for others."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    spans: list[Any] = field(default_factory=list)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)


def aligned(model: Locator, folder: str) -> Aligned:
    """Every test episode's cues, asked for once and placed in the usual way and in the other ways.

    The program sees keypoints, so it places none where episodes are features.
    """
    episodes = episodes_in(folder)
    told = [answers(model, episode) for episode in episodes]
    truth = [episode.signing for episode in episodes]

    def put(number: int, reading: Reading) -> tuple[Span, ...]:
        if reading.place == "plateau":
            return placed(episodes[number], told[number], reading.flat)
        return by_program(episodes[number], told[number] if reading.place == "program" else {})

    def read(reading: Reading) -> dict[str, Any]:
        spans = [put(number, reading) for number in range(len(episodes))]
        return {
            "metrics": [score.to_json() for score in timing_scores(spans, truth)],
            "spans": [[[span.start, span.end] for span in one] for one in spans],
        }

    return Aligned(
        baselines={
            name: [score.to_json() for score in scores]
            for name, scores in timing_baselines(episodes).items()
        },
        readings={
            name: read(reading)
            for name, reading in READINGS.items()
            if (reading.flat, reading.place) != (USUAL.flat, USUAL.place)
            and (reading.place == "plateau" or not model.layout.name.startswith(FEATURES))
        },
        beside={"cues": [[[c.span.start, c.span.end, c.text] for c in one] for one in truth]},
        **read(USUAL),
    )


def timing_scores(spans: Sequence[Sequence[Span]], truth: Sequence[Sequence[Cue]]) -> list[Score]:
    """The scores of ALIGNMENT."""
    return [score for score in score_alignment(timed(spans, truth)) if score.name in ALIGNMENT]


def timing_baselines(episodes: Sequence[Episode]) -> dict[str, list[Score]]:
    """ALIGNMENT of the speech's own times, and of these moved by the one offset that is best."""
    speech = [[cue.span for cue in episode.speech] for episode in episodes]
    like = [
        replace(timed_one, prior=episode.speech)
        for timed_one, episode in zip(
            timed(speech, [e.signing for e in episodes]), episodes, strict=True
        )
    ]
    return {
        name: [score for score in scores if score.name in ALIGNMENT]
        for name, scores in baselines(like).items()
        if name == "input timing" or name.startswith("best constant offset (")
    }
