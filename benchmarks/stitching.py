"""Stitched sentences a second against what training eats: python -m benchmarks.stitching.

A store of 300 made-up words (5 clips of 60 frames each) is stitched into
sentences of 6 words, as they are and with every word clip prepared as
POSESTITCH-SLT does; beside it preset tiny trains on such sentences in batches of
16. They take turns on one thread, and the medians count. The goal is 3.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.ratio import growth, ratio
from signloom.corpora.store import StoreWriter
from signloom.corpora.store_lexicon import store_lexicon
from signloom.data.clip import PoseClip
from signloom.data.layouts import PS76
from signloom.data.sample import Sample
from signloom.methods.posestitch import PRESETS, PoseStitch, build
from signloom.stitch.stitcher import StitchedSentences
from signloom.text.tokenizer import train_bpe

WORDS, CLIPS, FRAMES, LENGTH = 300, 5, 60, 6
LENGTHS = (3, 6, 12)
BATCH, TURNS = 16, 6


def write_words(path: Path) -> list[str]:
    """A store of one-word clips; returns the words."""
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    words = sorted({"".join(rng.choice(letters, 6)) for _ in range(WORDS)})
    with StoreWriter(path, PS76) as writer:
        for word in words:
            for n in range(CLIPS):
                walk = rng.normal(0, 3, (FRAMES, len(PS76), 3)).cumsum(axis=0) + 300
                confidence = (rng.random((FRAMES, len(PS76))) > 0.1).astype(np.float32)
                clip = PoseClip(walk.astype(np.float32), confidence, 25, PS76, size=(640, 480))
                writer.add(Sample(f"{word}{n}", clip, text=word), "train")
    return words


def stitched_a_second(source: StitchedSentences, first: int, count: int) -> float:
    started = time.perf_counter()
    for index in range(first, first + count):
        source[index]
    return count / (time.perf_counter() - started)


def trained_a_second(
    model: PoseStitch, source: StitchedSentences, optimiser: torch.optim.Optimizer, steps: int
) -> float:
    rng = np.random.default_rng(0)
    batch = model.collate([model.example(source[i], rng, train=True) for i in range(BATCH)])
    started = time.perf_counter()
    for _ in range(steps):
        loss = model.loss(batch)
        optimiser.zero_grad()
        (loss.total / loss.count).backward()
        optimiser.step()
    return steps * BATCH / (time.perf_counter() - started)


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        words = write_words(Path(folder) / "words")
        rng = np.random.default_rng(1)
        sentences = [" ".join(rng.choice(words, LENGTH)) for _ in range(2000)]
        model = build(PRESETS["tiny"], train_bpe(sentences, PRESETS["tiny"].vocabulary), seed=0)
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
        plain = StitchedSentences(store_lexicon(Path(folder) / "words"), sentences)
        by_words = [
            1 / statistics.median(stitched_a_second(each, 100 * turn, 100) for turn in range(3))
            for length in LENGTHS
            for each in [
                replace(plain, sentences=[" ".join(rng.choice(words, length)) for _ in range(300)])
            ]
        ]
        prepared = replace(plain, prepare=model.preparation.word)
        turns = [
            (
                stitched_a_second(plain, 100 * turn, 100),
                stitched_a_second(prepared, 100 * turn, 100),
                trained_a_second(model, prepared, optimiser, 6),
            )
            for turn in range(TURNS)
        ][1:]
    alone, ready, trained = (statistics.median(column) for column in zip(*turns, strict=True))
    print(f"training preset tiny: {trained:.0f} sentences/s on one thread (goal: 3 times that)")
    print(f"stitching: {alone:.0f} sentences/s, {alone / trained:.1f} times as fast")
    print(
        f"stitching, each word prepared: {ready:.0f} sentences/s, {ready / trained:.1f} times as fast"
    )
    print(f"stitching, words of a sentence {growth(LENGTHS, by_words)}")
    ratio("stitching", alone / trained, "sentences a second, over what preset tiny trains on")
    ratio("stitching, each word prepared", ready / trained, "the same")


if __name__ == "__main__":
    main()
