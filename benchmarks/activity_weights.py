"""Fits the weights of ``pose.activity`` on the train split of sim-episodes-v1, and says how good they are.

    python -m benchmarks.activity_weights [--episodes 40] [--dev 20]

Three logistic regressions over what a frame shows at five moments around it: frames of
signing against frames of none; frames within 0.1 s of the start of a signed sentence, and
of the end of one, against all others. Printed as they stand in signloom/pose/activity.py,
rounded to a tenth, with the area under the ROC curve of the rounded weights on dev.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor

import numpy as np
from numpy.typing import NDArray

from signloom.pose.activity import FEATURES, MOMENTS, features, in_context, track
from signloom.simulator.episode import SimulatedEpisodes

NEAR = 0.1
Array = NDArray[np.float64]


def rows(split: str, index: int) -> tuple[Array, Array, Array, Array, Array]:
    """(frames, columns), and whether each frame is signing, near a start, near an end, in a dense episode."""
    episode = SimulatedEpisodes("small", split)[index]
    found = features(track(episode.slices()))
    frames = len(found)
    signing = np.zeros(frames)
    for span in episode.activity:
        first, last = span.frames(episode.fps, frames)
        signing[first:last] = 1
    time = (np.arange(frames) + 0.5) / episode.fps
    starts = near(time, np.array([s.span.start for s in episode.sentences]))
    ends = near(time, np.array([s.span.end for s in episode.sentences]))
    dense = np.full(frames, episode.conditions["pauses"] == "dense", float)
    return in_context(found, episode.fps), signing, starts, ends, dense


def near(time: Array, moments: Array) -> Array:
    """1 where a time is within NEAR of one of the moments (sorted)."""
    moments = np.concatenate([[-1e9], np.sort(moments), [1e9]])
    at = np.searchsorted(moments, time)
    return (np.minimum(time - moments[at - 1], moments[at] - time) <= NEAR).astype(float)


def collect(split: str, count: int, jobs: int) -> list[Array]:
    with ProcessPoolExecutor(jobs) as pool:
        parts = list(pool.map(rows, [split] * count, range(count)))
    return [np.concatenate(columns) for columns in zip(*parts, strict=True)]


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=40)
    parser.add_argument("--dev", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    train = collect("train", asked.episodes, asked.jobs)
    dev = collect("dev", asked.dev, asked.jobs)
    dense = dev[4] > 0
    print("columns:", ", ".join(FEATURES), "\nrows:", MOMENTS)
    for name, truth in (("_SIGNING", 1), ("_START", 2), ("_END", 3)):
        model = LogisticRegression(C=0.02, max_iter=400).fit(train[0], train[truth])
        weights = np.round(model.coef_[0].reshape(len(MOMENTS), len(FEATURES)), 1)
        base = train[truth].mean()
        shift = 0.0 if truth == 1 else np.log(base / (1 - base))
        bias = float(model.intercept_[0]) - shift
        print(f"{name} = (\n    {bias:.2f},\n    np.array([")
        for row in weights:
            print("        [" + ", ".join(f"{w:.1f}" for w in row + 0.0) + "],")
        print("    ]),\n)")
        score = dev[0] @ weights.ravel()
        print(
            f"# AUC on dev {roc_auc_score(dev[truth], score):.3f}, dense episodes "
            f"{roc_auc_score(dev[truth][dense], score[dense]):.3f}; N {len(score)}, share {base:.3f}"
        ) if truth > 1 else print(
            f"# AUC on dev {roc_auc_score(dev[truth], score):.3f}; N {len(score)}"
        )


if __name__ == "__main__":
    main()
