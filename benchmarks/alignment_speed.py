"""An hour of signing with about 1,000 cues: read and aligned, against a dense time warping.

    python -m benchmarks.alignment_speed

Simulated: 60 minutes of sim-episodes-v1's making, written as a .pose file (mp203). One
core: the pose file is read in slices and turned into activity; the cues are placed. The
peer is the straightforward way, one matrix of cues × every fourth frame, warped row by
row in numpy, with the same activity already at hand. Seconds are the process's own (CPU time: the machine
is shared), peak memory is that of the whole process.
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.ratio import ratio
from signloom.inference.align import align
from signloom.pose.activity import activity, track
from signloom.pose.files import read_slices, write_pose_slices
from signloom.simulator.episode import SimulatedEpisodes


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


def main() -> None:
    episode = next(
        e for i in range(60)
        if len((e := SimulatedEpisodes("small", "train").of_length(i, 60.0)).speech) >= 950
    )  # fmt: skip
    cues = len(episode.speech)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.pose"
        write_pose_slices(episode.slices(), episode.frames, path)
        size = path.stat().st_size / 2**20
        began = time.process_time()
        seen = activity(track(read_slices(path)))
        watched = time.process_time()
        placed = align(episode.speech, seen)
        done = time.process_time()
    every = slice(None, None, 4)
    middle = np.array([c.span.start for c in episode.speech]) + 2.7
    at = np.arange(len(seen))[every] / seen.fps
    owner = dense(cues, middle, seen.signing[every], at)
    warped = time.process_time()
    assert len(placed.placed) == cues
    assert owner.max() == cues - 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"simulated hour ({episode.conditions['pauses']}), {cues} cues, {size:.0f} MiB of mp203")
    print(f"read and activity {watched - began:.1f} s, align {done - watched:.1f} s: "
          f"{done - began:.1f} s, {episode.duration / (done - began):.0f}× real time")  # fmt: skip
    print(f"dense DTW (cues × every 4th frame) {warped - done:.1f} s: "
          f"ratio align/dense {(done - watched) / (warped - done):.2f}")  # fmt: skip
    print(f"peak memory {peak:.0f} MiB, the simulator and the dense matrix in it")
    ratio("alignment", (warped - done) / (done - watched), "a dense DTW, over the aligner")


if __name__ == "__main__":
    main()
