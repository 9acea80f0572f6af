"""Reading a clip out of a store against reading it out of a .pose file: python -m benchmarks.store_read.

300 clips of 125 frames in random order, made up, warm cache, one thread; the
two readers take turns, and the median of the turns counts.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ratio import ratio
from signloom.corpora.store import StoreWriter, open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76, Layout
from signloom.data.sample import Sample
from signloom.pose.files import read_pose, write_pose

CLIPS, FRAMES, TURNS = 300, 125, 7


def milliseconds(read: Callable[[int], object], order: list[int]) -> float:
    """Milliseconds a clip, over one turn."""
    started = time.perf_counter()
    for index in order:
        read(index)
    return (time.perf_counter() - started) * 1000 / len(order)


def measure(layout: Layout, folder: Path) -> None:
    rng = np.random.default_rng(0)
    with StoreWriter(folder / "store", layout) as writer:
        for n in range(CLIPS):
            points = rng.normal(600, 100, (FRAMES, len(layout), 3)).astype(np.float32)
            confidence = (rng.random(points.shape[:2]) > 0.2).astype(np.float32)
            clip = PoseClip(points, confidence, 25, layout, size=(1280, 720))
            write_pose(clip, folder / f"{n}.pose")
            writer.add(Sample(str(n), clip, text="the weather is cold"), "train")
    store = open_store(folder / "store")
    order = rng.permutation(CLIPS).tolist()
    turns = [
        (
            milliseconds(store.__getitem__, order),
            milliseconds(lambda n: read_pose(folder / f"{n}.pose"), order),
        )
        for _ in range(TURNS)
    ][1:]
    ours, pose = (statistics.median(column) for column in zip(*turns, strict=True))
    size = store.describe()["bytes"] / sum(f.stat().st_size for f in folder.glob("*.pose"))
    print(
        f"{layout.name:10} {len(layout):4} keypoints: store {ours:6.3f} ms, .pose {pose:6.3f} ms a clip, "
        f"{pose / ours:4.1f} times as fast; {size:.2f} of the bytes"
    )
    ratio(f"reading a clip of {layout.name}", pose / ours, ".pose over the store")


def main() -> None:
    for layout in (HOLISTIC, PS76, HANDS42):
        with tempfile.TemporaryDirectory() as folder:
            measure(layout, Path(folder))


if __name__ == "__main__":
    main()
