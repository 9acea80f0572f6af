"""The aligner on sim-episodes-v1, beside its baselines and its oracle; by condition; how sure it is.

    python -m benchmarks.alignment [--split test] [--size small] [--episodes N] [--jobs 2] [-o results/alignment-small-test.json]
    python -m benchmarks.alignment -o results/alignment-small-test.json --plot docs/images/alignment-reliability.svg
    python -m benchmarks.alignment --split dev --episodes 5 --model RUN/best [--weight 1.0]

Simulated signing: an instrument. Rows: ``aligned`` (``signloom align``'s program, all cues
placed, nothing kept back), the same without one kind of evidence each, a windowed dynamic
time warping in the manner of Bull et al. 2021 with the same activity and the same usual
lag, the program with the true stretches of signing and their ends in place of what the
poses say (oracle), and the baselines of ``signloom score``. Scores as Bull et al. 2021,
intervals by resampling episodes. ``with the bundled recogniser`` is what ``signloom align`` does on
simulated signing unasked: the signs that the recogniser spots go into the program as evidence.

With ``--model`` (or ``--ceiling``) also: the model's posteriors in the program, its likeliest
places by plateau and warping, and what the program would make of true posteriors (0.9 where
the cue is signed, 0.1 elsewhere), with the activity that is seen and with the true one (oracles).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.inference.align import Alignment, Settings, align, units
from signloom.inference.evidence import Posteriors
from signloom.inference.locate import Locator
from signloom.inference.recognize import BUNDLED
from signloom.inference.spotting import LEAST, MOST, Spotter, glosses_of, sightings, spottings
from signloom.inference.windows import WEIGHT, Place, WithModel
from signloom.methods.load import load
from signloom.metrics.alignment import AlignedEpisode, baselines, is_bracketed, score_alignment
from signloom.pose.activity import Activity, activity, track
from signloom.simulator.episode import Episode, SimulatedEpisodes

SHOWN = ("F1@.10", "F1@.25", "F1@.50", "frame accuracy", "background-free accuracy")
WINDOW, STEP, KEPT = 20.0, 4, 0.4
Array = NDArray[np.float64]

SPOTTED = "with the bundled recogniser"
KNOWN = {f"… that knows {share:.0%} of the signs": share for share in (0.5, 0.25, 0.1)}
MODEL_ARMS: dict[str, Place] = {
    "model, in the program": "program",
    "model, plateau and warping": "plateau",
}

ARMS = {
    "aligned": Settings(),
    "without activity": replace(Settings(), activity_weight=0.0),
    "without boundaries": replace(Settings(), boundary_weight=0.0),
    "without durations": replace(Settings(), duration_spread=2.0),
    "one lag for all": replace(Settings(), lag_spreads=(0.1,)),
}


def true_activity(episode: Episode) -> Activity:
    """The oracle: where there is signing, and where stretches of it begin and end, exactly."""
    frames = round(episode.duration * episode.fps)
    signing = np.full(frames, 0.02)
    starts, ends = np.full(frames, -1.0), np.full(frames, -1.0)
    for span in episode.activity:
        first, last = span.frames(episode.fps, frames)
        signing[first:last] = 0.98
        starts[min(first, frames - 1)] = ends[min(last, frames - 1)] = 3.0
    return Activity(episode.fps, signing, starts, ends)


def warped(cues: Sequence[Cue], seen: Activity, lag: float = 2.7) -> list[Span]:
    """Each kept frame goes to one cue, in order, at least cost: windows of 20 s, as published.

    A cue's probability at a frame is that of signing, falling to 0 at the ends of the window
    around its expected middle; frames where no cue reaches 0.4 are left out, every fourth is
    kept; a cue without frames keeps its input moved by the lag.
    """
    size = units([c.text for c in cues])
    long = 0.0475 * size
    middle = np.array([c.span.start for c in cues]) + lag + long / 2
    frame_at = np.arange(0, len(seen), STEP)
    at = frame_at / seen.fps
    reach = 1 - np.maximum(np.abs(at - middle[:, None]) - long[:, None] / 2, 0) / (WINDOW / 2)
    p = np.clip(reach, 0, 1) * seen.signing[frame_at]
    use = np.flatnonzero((p >= KEPT).any(0))
    out = [Span(max(c.span.start + lag, 0.0), max(c.span.end + lag, 0.0)) for c in cues]
    if len(use) < len(cues):
        return out
    cost = 1 - p[:, use]
    best = np.full(len(cues), np.inf)
    best[0] = cost[0, 0]
    steps = np.zeros((len(use), len(cues)), bool)
    for j in range(1, len(use)):
        before = np.concatenate([[np.inf], best[:-1]])
        steps[j] = before < best
        best = cost[:, j] + np.minimum(before, best)
    k, owner = len(cues) - 1, np.zeros(len(use), int)
    for j in range(len(use) - 1, -1, -1):
        owner[j] = k
        k -= int(steps[j, k])
    for k in range(len(cues)):
        mine = use[owner == k]
        mine = mine[p[k, mine] >= KEPT]
        if len(mine):
            out[k] = Span(at[mine[0]], at[mine[-1]] + STEP / seen.fps)
    return out


def true_posteriors(episode: Episode, weight: float) -> Posteriors:
    """The oracle: for each cue 0.9 where it is signed and 0.1 elsewhere."""
    frames = round(episode.duration * episode.fps)
    told = {}
    for k, cue in enumerate(episode.signing):
        told[k] = np.full(frames, 0.1)
        if not is_bracketed(cue):
            first, last = cue.span.frames(episode.fps, frames)
            told[k][first:last] = 0.9
    return Posteriors(told, episode.fps, weight=weight)


@cache
def loaded(name: str) -> Locator:
    model = load(name)
    if not isinstance(model, Locator):
        raise SystemExit(f"model {name} does not find texts in signing, expected one that aligns")
    return model


def with_model(
    model: Locator,
    cues: Sequence[Cue],
    read: Callable[[Span], PoseClip],
    seen: Activity,
    weight: float = WEIGHT,
) -> dict[str, Alignment]:
    """{arm: alignment} of the two ways to use a model's answers, which are asked for once.

    read: a stretch of the episode's clip.
    """
    alone = align(cues, seen)
    ways = {
        arm: WithModel(model, read, len(seen) / seen.fps, place, weight)
        for arm, place in MODEL_ARMS.items()
    }
    answers = next(iter(ways.values())).answers(cues, alone, {})
    return {
        arm: way.placed(answers, alone, {}, lambda more: align(cues, seen, more))
        for arm, way in ways.items()
    }


@cache
def recogniser() -> Spotter:
    return load(BUNDLED)


def with_recogniser(
    episode: Episode, seen: Activity, least: float, most: float
) -> Iterator[tuple[str, Alignment]]:
    """The recogniser's sightings in the program; then as if it knew only a part of its signs.

    Which ones it knows is a hash of the gloss: a real recogniser has not all words of its cues.
    """
    model, cues = recogniser(), episode.speech
    alone = align(cues, seen)
    words = glosses_of(cues, model.glosses)
    expected = [placed.span for placed in alone.placed]
    wanted: set[str] = set().union(*words)
    sighted = sightings(model, episode.clip, episode.duration, wanted, least)
    for name, share in {SPOTTED: 1.0, **KNOWN}.items():
        known = {g for g in model.glosses if crc32(g.encode()) < share * 2**32}
        told = [sighting for sighting in sighted if sighting.gloss in known]
        evidence = spottings(told, words, expected, most)
        yield name, align(cues, seen, [evidence])


def run(
    size: str,
    split: str,
    model: str | None,
    weight: float,
    ceiling: bool,
    least: float,
    most: float,
    index: int,
) -> dict:
    """All arms on one episode: {arm: spans}, what is known of it, and seconds taken."""
    episode = SimulatedEpisodes(size, split)[index]
    began = time.perf_counter()
    clips = list(episode.slices())
    rendered = time.perf_counter()
    seen = activity(track(clips))
    del clips
    watched = time.perf_counter()
    found = {}
    confidence: dict[str, list[float]] = {}
    aligned = 0.0
    for name, settings in ARMS.items():
        start = time.perf_counter()
        placed = align(episode.speech, seen, settings=settings)
        if name == "aligned":
            aligned = time.perf_counter() - start
            confidence[name] = [p.confidence for p in placed.placed]
        found[name] = placed.spans
    found["windowed DTW, same evidence"] = tuple(warped(episode.speech, seen))
    start = time.perf_counter()
    for name, placed in with_recogniser(episode, seen, least, most):
        if name == SPOTTED:
            spotted = time.perf_counter() - start
            confidence[name] = [p.confidence for p in placed.placed]
        found[name] = placed.spans
    told, truth = 0.0, true_activity(episode)
    found["true activity (oracle)"] = align(episode.speech, truth).spans
    if model is not None:
        start = time.perf_counter()
        for name, placed in with_model(
            loaded(model), episode.speech, episode.clip, seen, weight
        ).items():
            found[name] = placed.spans
            confidence[name] = [p.confidence for p in placed.placed]
        told = time.perf_counter() - start
    if ceiling:
        sure = [true_posteriors(episode, weight)]
        found["true posteriors (oracle)"] = align(episode.speech, seen, sure).spans
        found["true activity and posteriors (oracle)"] = align(episode.speech, truth, sure).spans
    return {
        "id": episode.id, "conditions": dict(episode.conditions), "found": found,
        "confidence": confidence, "speech": episode.speech, "signing": episode.signing,
        "seconds": {"activity": watched - rendered, "align": aligned, "render": rendered - began,
                    "spot": spotted, "model": told},
        "duration": episode.duration,
    }  # fmt: skip


def reliability(episodes: Sequence[dict], arm: str = "aligned") -> list[dict]:
    """Ten bins of confidence: how many cues, mean confidence, share that overlap the truth by half."""
    sure, right = [], []
    for e in episodes:
        for k, truth in enumerate(e["signing"]):
            if not is_bracketed(truth):
                a, b = e["found"][arm][k], truth.span
                shared = max(min(a.end, b.end) - max(a.start, b.start), 0.0)
                sure.append(e["confidence"][arm][k])
                right.append(shared >= 0.5 * (max(a.end, b.end) - min(a.start, b.start)))
    bins = np.minimum((np.array(sure) * 10).astype(int), 9)
    rows = []
    for k in range(10):
        inside = bins == k
        if inside.any():
            rows.append(
                {
                    "from": k / 10, "n": int(inside.sum()),
                    "confidence": round(float(np.array(sure)[inside].mean()), 3),
                    "right": round(float(np.array(right)[inside].mean()), 3),
                }
            )  # fmt: skip
    return rows


def scored(episodes: Sequence[dict]) -> dict[str, list]:
    """{row: scores} of some episodes."""
    rows, like = {}, []
    for arm in episodes[0]["found"]:
        like = [
            AlignedEpisode(
                e["id"],
                tuple(Cue(s, c.text) for s, c in zip(e["found"][arm], e["speech"], strict=True)),
                e["signing"], e["speech"],
            )
            for e in episodes
        ]  # fmt: skip
        rows[arm] = score_alignment(like)
    return rows | baselines(like)


def draw(bins: Sequence[dict], path: Path) -> None:
    """The reliability diagram: confidence against the share that is right, dots as large as their N."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "signloom"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.2, 4.0))
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1)
    size = [40 * (b["n"] / max(x["n"] for x in bins)) ** 0.5 * 6 for b in bins]
    axes.scatter(
        [b["confidence"] for b in bins], [b["right"] for b in bins], s=size, color="#1f5f8b"
    )
    axes.set(xlabel="confidence", ylabel="share with IoU ≥ 0.5", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("sim-episodes-v1 small test (simulated)", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", default="small")
    parser.add_argument("--split", default="test")
    parser.add_argument("--episodes", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--model", help="a checkpoint that aligns; also gives the ceiling")
    parser.add_argument("--weight", type=float, default=WEIGHT, help="of posteriors")
    parser.add_argument("--least", type=float, default=LEAST, help="probability of a sighting")
    parser.add_argument("--most", type=float, default=MOST, help="that counts as no surer")
    parser.add_argument("--ceiling", action="store_true", help="also what true posteriors give")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument(
        "--plot", type=Path, help="draw the reliability of FILE given with -o, and stop"
    )
    asked = parser.parse_args()
    if asked.plot:
        draw(json.loads(asked.out.read_text())["reliability"], asked.plot)
        return
    count = asked.episodes or len(SimulatedEpisodes(asked.size, asked.split))
    with ProcessPoolExecutor(asked.jobs) as pool:
        ceiling = asked.ceiling or asked.model is not None
        thresholds = (asked.least, asked.most)
        one = partial(run, asked.size, asked.split, asked.model, asked.weight, ceiling, *thresholds)
        episodes = list(pool.map(one, range(count)))
    groups = {"all": episodes}
    for name in ("pauses", "drift", "tracker"):
        for value in dict.fromkeys(e["conditions"][name] for e in episodes):
            groups[f"{name}: {value}"] = [e for e in episodes if e["conditions"][name] == value]
    report: dict = {"corpus": f"sim-episodes-v1 {asked.size} {asked.split}", "simulated": True,
                    "episodes": count, "groups": {}}  # fmt: skip
    for name, chosen in groups.items():
        rows = scored(chosen)
        report["groups"][name] = {
            arm: [s.to_json() for s in scores if s.name in SHOWN] for arm, scores in rows.items()
        }
        print(f"{name}: {len(chosen)} episodes")
        for arm, scores in rows.items():
            by_name = {s.name: s for s in scores}
            cells = "  ".join(f"{by_name[n].value:5.1f}" for n in SHOWN)
            low, high = by_name["F1@.50"].ci95
            print(f"  {arm:44} {cells}   F1@.50 {low:.1f}–{high:.1f}")
    f1 = {a: next(s["value"] for s in v if s["name"] == "F1@.50")
          for a, v in report["groups"]["all"].items()}  # fmt: skip
    base = next(v for a, v in f1.items() if a.startswith("best constant offset (+"))
    report["share_of_oracle_gain"] = round(
        (f1["aligned"] - base) / (f1["true activity (oracle)"] - base), 3
    )
    if ceiling:
        top = f1["true activity and posteriors (oracle)"]
        report |= {"model": asked.model, "weight": asked.weight}
        report["share_of_ceiling"] = {
            arm: round(f1[arm] / top, 3) for arm in ("aligned", SPOTTED, *MODEL_ARMS) if arm in f1
        }
        print("share of the F1@.50 that truth would give:", report["share_of_ceiling"])
    report["reliability"] = reliability(episodes)
    report["reliability_with_recogniser"] = reliability(episodes, SPOTTED)
    if asked.model is not None:
        report["reliability_with_model"] = reliability(episodes, "model, in the program")
    hours = sum(e["duration"] for e in episodes) / 3600
    report["seconds_an_hour"] = {
        k: round(sum(e["seconds"][k] for e in episodes) / hours, 2)
        for k in ("activity", "align", "spot", "render", "model")
    }
    report |= {"hours": round(hours, 2), "commit": commit(), "hardware": hardware()}
    print(
        "share of the oracle's gain over the best constant offset:", report["share_of_oracle_gain"]
    )
    print("seconds an hour of episode:", report["seconds_an_hour"])
    for row in report["reliability_with_recogniser"]:
        print(
            f"  with the recogniser, confidence {row['confidence']:.2f}: right {row['right']:.2f}"
        )
    for row in report["reliability"]:
        print(f"  confidence {row['confidence']:.2f}: right {row['right']:.2f}, N {row['n']}")
    if asked.out:
        with writing(asked.out, overwrite=True) as part:
            part.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
