"""What a core does in an hour and what it leaves on the disk: python -m benchmarks.rates [-o FILE].

Extraction, the store, stitching, aligning and scoring, each in processor seconds of all processes
that work on it, so that a busy machine gives the rates of an idle one (nearly: caches and the
clock are shared). `benchmarks.plan` reads the record, results/rates.json by default.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.extraction import moving_person, write
from signloom.cli.receipt import commit, hardware
from signloom.corpora.prepare import write_store
from signloom.corpora.store import file_sha256, open_store
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.layouts import HOLISTIC, MP203

ROOT = Path(__file__).parent.parent
FPS = 25
SHORT, LONG = 50, 300
"""Frames of the two videos whose difference is what a frame costs, without starting anything."""
SENTENCES, FRAMES = 300, 125
"""Sentences of the store, of five seconds each."""


def processor_seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor time of this process and of the children that have ended in it, and what came of it."""

    def used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in both)

    before = used()
    made = work()
    return used() - before, made


def extraction(folder: Path) -> dict[str, float]:
    """Frames of 480 × 270 with a person, through MediaPipe Holistic; the pose file's bytes."""
    from signloom.extract.extraction import extract_clips
    from signloom.pose.files import write_pose

    seconds = {}
    for frames in (SHORT, LONG):
        video = write(folder / f"{frames}.mp4", moving_person(), frames, FPS)
        # Read to its end, so that the worker processes have ended too and their time counts.
        seconds[frames], made = processor_seconds(lambda video=video: list(extract_clips([video])))
        (result,) = made
        if result.clip is None:
            raise SystemExit(str(result.error))
    write_pose(result.clip, folder / "long.pose")
    return {
        "frames_per_core_second": (LONG - SHORT) / (seconds[LONG] - seconds[SHORT]),
        "seconds_to_start": seconds[SHORT]
        - SHORT * (seconds[LONG] - seconds[SHORT]) / (LONG - SHORT),
        "pose_bytes_per_frame": (folder / "long.pose").stat().st_size / LONG,
    }


def store(folder: Path) -> dict[str, float]:
    """Sentences cut from pose files of an episode each into a store of mp203, and its bytes hashed."""
    from signloom.corpora.entries import Entries, Entry
    from signloom.data.timing import Span
    from signloom.pose.files import write_pose

    rng = np.random.default_rng(0)
    points = rng.normal(600, 100, (SENTENCES * FRAMES // 10, len(HOLISTIC), 3)).astype(np.float32)
    shown = np.ones(points.shape[:2], np.float32)
    for episode in range(10):
        clip = PoseClip(points, shown, FPS, HOLISTIC, id=str(episode), size=(1280, 720))
        write_pose(clip, folder / f"{episode}.pose")
    entries = [
        Entry(
            folder / f"{n % 10}.pose",
            "the weather is cold",
            "train",
            str(n),
            span=Span(n // 10 * FRAMES / FPS, (n // 10 + 1) * FRAMES / FPS),
        )
        for n in range(SENTENCES)
    ]
    source = Entries(tuple(entries), MP203)
    seconds, _ = processor_seconds(
        lambda: write_store(folder / "s", MP203, {"train": source}, description={})
    )
    size = open_store(folder / "s").describe()["bytes"]
    shards = list((folder / "s").glob("*.arrow"))
    hashing, _ = processor_seconds(lambda: [file_sha256(shard) for shard in shards])
    opened = open_store(folder / "s", "train")
    reading, _ = processor_seconds(lambda: [opened[n] for n in range(SENTENCES)])
    frames = SENTENCES * FRAMES
    return {
        "frames_per_core_second": frames / seconds,
        "bytes_per_frame": size / frames,
        "joined_bytes_per_core_second": size / hashing,
        "samples_read_per_core_second": SENTENCES / reading,
    }


def stitching(folder: Path) -> dict[str, float]:
    """Sentences of six words out of a lexicon of 300, as the store's lexicon gives them."""
    from benchmarks.stitching import LENGTH, write_words
    from signloom.corpora.store_lexicon import store_lexicon
    from signloom.stitch.stitcher import StitchedSentences

    words = write_words(folder / "words")
    rng = np.random.default_rng(1)
    sentences = [" ".join(rng.choice(words, LENGTH)) for _ in range(1000)]
    source = StitchedSentences(store_lexicon(folder / "words"), sentences)
    source[0]
    seconds, made = processor_seconds(lambda: [len(source[n].clip) for n in range(1000)])
    return {
        "sentences_per_core_second": 1000 / seconds,
        "frames_per_sentence": sum(made) / 1000,
        "text_bytes_per_sentence": sum(len(s) + 1 for s in sentences) / 1000,
    }


def aligning(folder: Path) -> dict[str, float]:
    """A simulated episode read and its cues placed, without a model: hours of it in an hour of a core."""
    from signloom.inference.align import align
    from signloom.pose.activity import activity, track
    from signloom.pose.files import read_slices, write_pose_slices
    from signloom.simulator.episode import SimulatedEpisodes

    episode = SimulatedEpisodes("small", "test")[0]
    path = folder / "0.pose"
    write_pose_slices(episode.slices(), episode.frames, path)
    seconds, _ = processor_seconds(
        lambda: align(episode.speech, activity(track(read_slices(path))))
    )
    return {"hours_per_core_hour": episode.frames / episode.fps / seconds}


def scoring(folder: Path) -> dict[str, float]:
    """Pairs of sentences through BLEU, chrF and content-F1, without the intervals."""
    from signloom.metrics.translation import count_translation

    rng = np.random.default_rng(2)
    words = ["the", "rain", "house", "mother", "was", "cold", "red", "we", "saw", "eats"]
    a, b = ([" ".join(rng.choice(words, 9)) for _ in range(2000)] for _ in range(2))
    count_translation(a[:10], b[:10])
    seconds, _ = processor_seconds(lambda: count_translation(a, b))
    return {"pairs_per_core_second": 2000 / seconds}


PARTS = (extraction, store, stitching, aligning, scoring)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rates", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "results" / "rates.json")
    options = parser.parse_args(arguments)
    found = {}
    for part in PARTS:
        with tempfile.TemporaryDirectory() as folder:
            found[part.__name__] = {k: float(f"{v:.5g}") for k, v in part(Path(folder)).items()}
        print(part.__name__, found[part.__name__], flush=True)
    report = {"commit": commit(ROOT), "hardware": hardware(), "rates": found}
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
