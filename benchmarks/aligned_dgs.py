"""The aligner on real signing: episodes spliced from the 16 DGS sentences, with pauses or none.

    python -m benchmarks.aligned_dgs ROOT [--episodes 12] [--model signloom/bundled/unified] [-o results/alignment-dgs.json]

ROOT holds ``train_<n>_original.pose`` and ``train_<n>_metadata.json`` of the Public DGS
Corpus (not shipped). An episode is 32 of its sentences in a random order, scaled to one
pair of shoulders, joined by blending over 0.2 s, with pauses in which the hands sink to
the lap (``natural``), stay up (holds), or no pause at all (``none``). Speech precedes
signing by a lag that drifts (Ornstein–Uhlenbeck, 60 s) and has its own chance a sentence.
45 s of distinct signing: a check, not a benchmark.

With ``--model`` also both ways to use a model's answers, those of one that has learnt from simulated
signing too: it knows no German and no DGS, so this says what a model does that knows nothing.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.alignment import loaded, with_model
from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.inference.align import align
from signloom.metrics.alignment import AlignedEpisode, baselines, score_alignment
from signloom.pose.activity import Activity, activity, track
from signloom.pose.files import read_pose

FPS = 25.0
BLEND = 5
SINK, SUNK = 9, 1.4
"""Frames that the hands take to sink, and how far below the shoulders they rest (widths)."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sentence:
    """One sentence: its keypoints in shoulder widths from the middle of the shoulders, and its text."""

    points: Array
    confidence: Array
    text: str


def sentences(root: Path) -> tuple[list[Sentence], PoseClip]:
    """The sentences that can be read, and a clip that tells layout and rate."""
    found, last = [], None
    for path in sorted(root.glob("train_*_original.pose")):
        clip = read_pose(path)
        said = json.loads(
            path.with_name(re.sub("_original.pose", "_metadata.json", path.name)).read_text()
        )
        at = clip.layout.of("POSE_LANDMARKS:LEFT_SHOULDER", "POSE_LANDMARKS:RIGHT_SHOULDER")
        shoulders = clip.points[:, at].astype(float)
        middle = np.median(shoulders.mean(1), axis=0)
        width = np.median(np.linalg.norm(shoulders[:, 0, :2] - shoulders[:, 1, :2], axis=-1))
        points = (clip.points.astype(float) - middle) / width
        found.append(Sentence(points, clip.confidence.astype(float), said["sentence"]["german"]))
        last = clip
    assert last is not None, f"{root} has no train_*_original.pose"
    return found, last


def spliced(
    root: Path, seed: int, style: str, drift: float = 1.5, count: int = 32
) -> tuple[PoseClip, list[Cue], list[Cue]]:
    """(clip, speech cues, signing cues) of one episode."""
    rng = np.random.default_rng([seed, count])
    known, like = sentences(root)
    order = np.concatenate([rng.permutation(len(known)) for _ in range(-(-count // len(known)))])[
        :count
    ]
    pieces: list[Array] = []
    sure: list[Array] = []
    spans: list[Span] = []
    frames = 0
    rest = _rest(known[0], like)
    for k in range(count + 1):
        sentence = known[order[min(k, count - 1)]]
        here = sentence.points[0] if k < count else rest[0]
        before = pieces[-1][-1] if pieces else rest[0]
        pause = 3.0 if k in (0, count) else _pause(rng, style)
        gap = _bridge(before, here, rest[0], round(pause * FPS), pause >= 0.8)
        if len(gap):
            pieces.append(gap)
            sure.append(np.repeat(sentence.confidence[:1], len(gap), 0))
            frames += len(gap)
        if k == count:
            break
        spans.append(Span.of_frames(frames, frames + len(sentence.points), FPS))
        pieces.append(_blended(sentence.points, pieces[-1][-1] if pieces else None))
        sure.append(sentence.confidence)
        frames += len(sentence.points)
    points, confidence = np.concatenate(pieces), np.concatenate(sure)
    clip = PoseClip(
        (points * 100 + np.array([256.0, 200.0, 0.0])).astype(np.float32),
        confidence.astype(np.float32), FPS, like.layout, f"dgs-{style}-{seed}", like.origin, (512, 512),
    )  # fmt: skip
    speech: list[Cue] = []
    signing: list[Cue] = []
    lag, end = 2.7 + 0.7 * rng.standard_normal(), 0.0
    wander = drift * rng.standard_normal()
    for k, span in enumerate(spans):
        apart = span.start - (spans[k - 1].start if k else span.start)
        keep = np.exp(-apart / 60)
        wander = keep * wander + drift * np.sqrt(1 - keep**2) * rng.standard_normal()
        text = known[order[k]].text
        start = max(span.start - lag - wander - 0.5 * rng.standard_normal(), end, 0.0)
        end = start + max(len(text) / 15 * np.exp(0.15 * rng.standard_normal()), 0.8)
        if speech and start < speech[-1].span.end:
            speech[-1] = Cue(Span(speech[-1].span.start, start), speech[-1].text)
        speech.append(Cue(Span(start, end), text))
        signing.append(Cue(span, text))
        end = start + 0.3
    return clip, speech, signing


def _pause(rng: np.random.Generator, style: str) -> float:
    if style == "none":
        return 0.0
    roll = rng.random()
    if roll < 0.45:
        return 0.28 * float(rng.random())
    if roll < 0.75:
        return 0.3 + 0.5 * float(rng.random())
    return 0.8 + 2.5 * float(rng.random())


def _rest(sentence: Sentence, like: PoseClip) -> Array:
    """(1, keypoints, 3): the first frame with both hands in the lap."""
    points = sentence.points[:1].copy()
    names = like.layout.keypoints
    for side, x in (("LEFT", 0.3), ("RIGHT", -0.3)):
        hand = [i for i, n in enumerate(names) if n.startswith(f"{side}_HAND")]
        wrist = names.index(f"POSE_LANDMARKS:{side}_WRIST")
        move = np.array([x, SUNK, 0.0]) - points[0, wrist]
        for i in [*hand, wrist]:
            points[0, i] += move
    return points


def _bridge(a: Array, b: Array, rest: Array, frames: int, sink: bool) -> Array:
    """(frames, keypoints, 3) from one posture to another, by way of rest where there is time."""
    if frames <= 0:
        return np.zeros((0, *a.shape))
    if not sink:
        u = _ease((np.arange(frames) + 1) / (frames + 1))
        return a + u[:, None, None] * (b - a)
    time = np.arange(frames) + 1.0
    down = _ease(np.clip(time / SINK, 0, 1))[:, None, None]
    up = _ease(np.clip((time - (frames - SINK)) / SINK, 0, 1))[:, None, None]
    low = a + down * (rest - a)
    return low + up * (b - low)


def _ease(u: Array) -> Array:
    return u * u * (3 - 2 * u)


def _blended(points: Array, before: Array | None) -> Array:
    """The points, their first frames drawn towards the posture before, so that nothing jumps."""
    if before is None:
        return points
    out = points.copy()
    n = min(BLEND, len(out))
    weight = 1 - _ease((np.arange(n) + 1) / (n + 1))
    out[:n] += weight[:, None, None] * (before - points[0])
    return out


def true_activity(truth: list[Cue], like: Activity) -> Activity:
    """The oracle: signing exactly where it is true, boundaries exactly where they are."""
    signing = np.full(len(like), 0.02)
    starts, ends = np.full(len(like), -1.0), np.full(len(like), -1.0)
    for cue in truth:
        first, last = cue.span.frames(like.fps, len(like))
        signing[first:last] = 0.98
        starts[min(first, len(like) - 1)] = ends[min(last, len(like) - 1)] = 4.0
    return Activity(like.fps, signing, starts, ends)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--model", help="a checkpoint that aligns")
    parser.add_argument("-o", "--out", type=Path)
    asked = parser.parse_args()
    report: dict[str, Any] = {
        "corpus": "16 DGS sentences, spliced",
        "episodes": asked.episodes,
        "model": asked.model,
    }
    for style in ("natural", "none"):
        made: dict[str, list[AlignedEpisode]] = {}
        for seed in range(asked.episodes):
            clip, speech, truth = spliced(asked.root, seed, style)
            seen = activity(track([clip]))
            found = {
                "aligned": align(speech, seen),
                "true bounds (oracle)": align(speech, true_activity(truth, seen)),
            }
            if asked.model is not None:
                found |= with_model(loaded(asked.model), speech, clip.cut, seen)
            for name, placed in found.items():
                spans = zip(placed.spans, speech, strict=True)
                hypothesis = tuple(Cue(span, cue.text) for span, cue in spans)
                made.setdefault(name, []).append(
                    AlignedEpisode(f"{seed}", hypothesis, tuple(truth), tuple(speech))
                )
        rows = {name: score_alignment(episodes) for name, episodes in made.items()}
        rows |= baselines(made["aligned"])
        report[f"pauses: {style}"] = {
            name: [s.to_json() for s in scores if s.name.startswith("F1")]
            for name, scores in rows.items()
        }
        print(f"pauses: {style}; {asked.episodes} episodes of 32 sentences (16 distinct)")
        for name, scores in rows.items():
            by_name = {s.name: s for s in scores}
            shown = "  ".join(
                f"{n} {by_name[n].value:5.1f}" for n in ("F1@.10", "F1@.25", "F1@.50")
            )
            print(f"  {name:34} {shown}   ± {np.ptp(by_name['F1@.50'].ci95) / 2:.1f}")
    if asked.out:
        report |= {"commit": commit(), "hardware": hardware()}
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
