"""An hour of signing with about 1,000 cues: read and aligned, against a dense time warping.

    python -m benchmarks.alignment_speed

Simulated: 60 minutes of sim-episodes-v1's making, written as a .pose file (mp203). One
core: the pose file is read in slices and turned into activity; the cues are placed. The
same of a quarter and half an hour shows how both grow. The peer is the straightforward way, one matrix of
cues × every fourth frame, warped row by row in numpy, with the same activity already at hand. Seconds are
the process's own (CPU time: the machine is shared), peak memory is that of the whole process.
"""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.ratio import growth, ratio
from signloom.inference.align import align
from signloom.pose.activity import Activity, activity, track
from signloom.pose.files import read_slices, write_pose_slices
from signloom.simulator.episode import Episode, SimulatedEpisodes

MINUTES = (15, 30, 60)
CUES = 15.8
"""Cues a minute at least: 950 in an hour."""


def dense(cues: int, middle: np.ndarray, signing: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Owner of every kept frame: the cheapest order-keeping path through the whole matrix."""
    cost = 1 - signing * np.clip(1 - np.abs(at[None, :] - middle[:, None]) / 10, 0, 1)
    total = np.full(cost.shape, np.inf)
    total[0] = np.cumsum(cost[0])
    for k in range(1, cues):
        for_this = cost[k]
        before = np.concatenate([[np.inf], total[k - 1][:-1]])
        running = np.cumsum(for_this)
        total[k] = running + np.minimum.accumulate(before - running + for_this)
    owner, k = np.zeros(len(at), int), cues - 1
    for j in range(len(at) - 1, -1, -1):
        owner[j] = k
        if k and j and total[k - 1, j - 1] <= total[k, j - 1]:
            k -= 1
    return owner


@dataclass(frozen=True)
class Aligned:
    """An episode read and aligned: what was seen of it, and processor seconds of either."""

    episode: Episode
    seen: Activity
    size: float
    reading: float
    aligning: float

    @property
    def seconds(self) -> float:
        return self.reading + self.aligning


def aligned(minutes: int) -> Aligned:
    """The first simulated episode of this length with about sixteen cues a minute, from its pose file on."""
    episode = next(
        e for i in range(60)
        if len((e := SimulatedEpisodes("small", "train").of_length(i, float(minutes))).speech)
        >= CUES * minutes
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "episode.pose"
        write_pose_slices(episode.slices(), episode.frames, path)
        size = path.stat().st_size / 2**20
        began = time.process_time()
        seen = activity(track(read_slices(path)))
        watched = time.process_time()
        placed = align(episode.speech, seen)
        done = time.process_time()
    assert len(placed.placed) == len(episode.speech)
    return Aligned(episode, seen, size, watched - began, done - watched)


def main() -> None:
    found = [aligned(minutes) for minutes in MINUTES]
    hour = found[-1]
    episode, seen, cues = hour.episode, hour.seen, len(hour.episode.speech)
    every = slice(None, None, 4)
    middle = np.array([c.span.start for c in episode.speech]) + 2.7
    at = np.arange(len(seen))[every] / seen.fps
    began = time.process_time()
    owner = dense(cues, middle, seen.signing[every], at)
    warping = time.process_time() - began
    assert owner.max() == cues - 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"simulated hour ({episode.conditions['pauses']}), {cues} cues, {hour.size:.0f} MiB of mp203"
    )
    print(f"read and activity {hour.reading:.1f} s, align {hour.aligning:.1f} s: {hour.seconds:.1f} s, "
          f"{episode.duration / hour.seconds:.0f}× real time")  # fmt: skip
    print(f"dense DTW (cues × every 4th frame) {warping:.1f} s: "
          f"ratio align/dense {hour.aligning / warping:.2f}")  # fmt: skip
    print(f"reading, minutes of episode {growth(MINUTES, [each.reading for each in found])}")
    print(f"aligning, minutes of episode {growth(MINUTES, [each.aligning for each in found])}")
    print(f"peak memory {peak:.0f} MiB, the simulator and the dense matrix in it")
    ratio("alignment", warping / hour.aligning, "a dense DTW, over the aligner")


if __name__ == "__main__":
    main()
