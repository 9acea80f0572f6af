"""Corpora of millions of stitched sentences as streams: python -m benchmarks.stitched_streams [-o FILE].

The sizes are those of POSESTITCH-SLT: 2,880,008 and 22,219,407 sentences from templates
(BLiMP), 1,640,469 of free text (BPCC). For each: how long the stream takes to open, how many
different sentences there are, memory (resident set) before and after 3,000 indices from all
over it are touched, and how long an index takes: its text, and the stitched sample. Word clips
are 12 of noise for each word, held in memory, so that the stream itself is measured. Each stream
is measured in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ratio import growth, ratio
from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.layouts import PS76
from signloom.data.lexicon import Lexicon
from signloom.simulator.lexicon import vocabulary
from signloom.stitch.joining import FLUENT, NAIVE
from signloom.stitch.stitcher import StitchedSentences
from signloom.text.grammar import GeneratedSentences
from signloom.text.stream import LengthMatched, StoredTexts, write_texts

ROOT = Path(__file__).parent.parent
BLIMP_ASL, BLIMP_ISL, BPCC_ISL = 2_880_008, 22_219_407, 1_640_469
TOUCHED, STITCHED = 3_000, 200
LENGTHS = {4: 1, 5: 2, 6: 3, 7: 3, 8: 3, 9: 2, 10: 2, 12: 1}
CASES = {
    "templates, 2.8 M": BLIMP_ASL,
    "templates, 22 M": BLIMP_ISL,
    "templates, 22 M, lengths matched": BLIMP_ISL,
    "free text, 1.6 M": BPCC_ISL,
}


@dataclass(frozen=True)
class Noise:
    """Word clips that cost nothing to read."""

    clips: tuple[PoseClip, ...]

    def read(self, word: str, n: int) -> PoseClip:
        return self.clips[n]


def lexicon(words: Sequence[str]) -> Lexicon:
    rng = np.random.default_rng(0)
    clips = []
    for n in range(12):
        walk = rng.normal(0, 3, (60, len(PS76), 3)).cumsum(axis=0) + 300
        seen = (rng.random((60, len(PS76))) > 0.1).astype(np.float32)
        clips.append(
            PoseClip(walk.astype(np.float32), seen, 25.0, PS76, id=str(n), size=(640, 480))
        )
    return Lexicon("noise", "ase", dict.fromkeys(words, 12), Noise(tuple(clips)).read)


def free_text(words: Sequence[str], count: int) -> Iterator[str]:
    """Sentences of 2 to 9 words, as many as the corpus has."""
    rng = np.random.default_rng(1)
    for first in range(0, count, 10_000):
        some = min(10_000, count - first)
        picked = rng.integers(len(words), size=(some, 9))
        lengths = rng.integers(2, 10, size=some)
        for row, length in zip(picked.tolist(), lengths.tolist(), strict=True):
            yield " ".join(words[i] for i in row[:length])


def rss() -> float:
    """MiB that are resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def measure(case: str, folder: str) -> dict[str, Any]:
    count, words = CASES[case], vocabulary("base").lemmas
    started = time.perf_counter()
    distinct = None
    if case.startswith("templates"):
        sentences: Sequence[str] = GeneratedSentences(words, count)
        distinct = sentences.distinct
        if "matched" in case:
            sentences = LengthMatched(sentences, LENGTHS)
    else:
        sentences = StoredTexts(folder)
    assert len(sentences) == count
    opened = time.perf_counter() - started
    places = np.random.default_rng(2).integers(count, size=TOUCHED).tolist()
    _ = sentences[0], sentences[count - 1]
    before = rss()
    texts, times = set(), []
    for place in places:
        begun = time.perf_counter()
        texts.add(sentences[place])
        times.append(time.perf_counter() - begun)
    after = rss()
    sample = {}
    for joining in (NAIVE, FLUENT):
        source = StitchedSentences(lexicon(words), sentences, joining=joining, forms=True)
        sample[joining.name] = stitched_ms(source, places[:STITCHED])
    listed = [sentences[place] for place in places[:STITCHED]]
    held = StitchedSentences(lexicon(words), listed, joining=NAIVE, forms=True)
    held_ms = stitched_ms(held, range(STITCHED))
    return {
        "case": case,
        "sentences": count,
        "distinct_possible": distinct,
        "open_s": round(opened, 2),
        "touched": TOUCHED,
        "different_among_touched": len(texts),
        "rss_before_mib": round(before, 1),
        "rss_after_mib": round(after, 1),
        "rss_after_stitching_mib": round(rss(), 1),
        "text_ms_median": round(1e3 * statistics.median(times), 4),
        "text_ms_p99": round(1e3 * float(np.percentile(times, 99)), 4),
        "sample_ms_median": sample,
        "held_ms_median": held_ms,
    }


def stitched_ms(source: StitchedSentences, places: Sequence[int]) -> float:
    """Median milliseconds of a sample."""
    _ = source[0]
    taken = []
    for place in places:
        begun = time.perf_counter()
        _ = source[place]
        taken.append(time.perf_counter() - begun)
    return round(1e3 * statistics.median(taken), 3)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stitched_streams")
    parser.add_argument("--case", help="measure one stream in this process")
    parser.add_argument("--folder", default="", help="where its texts are")
    parser.add_argument("-o", "--out", type=Path, help="write the figures here as JSON")
    options = parser.parse_args(arguments)
    if options.case:
        print(json.dumps(measure(options.case, options.folder)))
        return
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "texts"
        write_texts(free_text(vocabulary("base").lemmas, BPCC_ISL), folder)
        for case in CASES:
            command = [sys.executable, "-m", "benchmarks.stitched_streams", "--case", case]
            done = subprocess.run(
                [*command, "--folder", str(folder)], cwd=ROOT, capture_output=True, text=True
            )
            if done.returncode:
                sys.exit(done.stderr)
            row = json.loads(done.stdout)
            found.append(row)
            print(
                f"{case}: {row['sentences']:,} sentences, open in {row['open_s']} s; "
                f"{row['rss_before_mib']} → {row['rss_after_mib']} MiB over {TOUCHED:,} indices; "
                f"text {row['text_ms_median']} ms (p99 {row['text_ms_p99']}), "
                f"sample {row['sample_ms_median']} ms",
                flush=True,
            )
            said = "a sample of texts held in a list, over one of the stream"
            ratio(f"stream, {case}", row["held_ms_median"] / row["sample_ms_median"]["naive"], said)
    sizes, texts = [BLIMP_ASL, BLIMP_ISL], [row["text_ms_median"] / 1000 for row in found[:2]]
    print(f"a text of templates, sentences of the stream {growth(sizes, texts)}", flush=True)
    if options.out is None:
        return
    report = {"commit": commit(ROOT), "hardware": hardware(), "streams": found}
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
