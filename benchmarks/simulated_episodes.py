"""What sim-episodes-v1 holds, and what one constant offset scores on it.

    python -m benchmarks.simulated_episodes [-o docs/simulator-corpora.md] [--size small]
        [--split test] [--frames]

The corpus is set so that a constant offset does as well on it as on the BBC's subtitles
(Bull et al. 2021: F1@.10/.25/.50 of 72.8/64.1/44.6). Only scripts and times are drawn;
``--frames`` renders an episode too, for the rate. With -o the section of the page takes the
place of the one before; run it after benchmarks.simulated_corpora, which writes the page anew.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from signloom.data.files import writing
from signloom.data.layouts import LAYOUTS
from signloom.metrics.alignment import AlignedEpisode, best_constant_offset, score_alignment
from signloom.simulator.corpora import SPLITS
from signloom.simulator.discourse import SHORT, STYLES
from signloom.simulator.episode import (
    EPISODES,
    EPISODES_VERSION,
    TRACKERS,
    Episode,
    SimulatedEpisodes,
)
from signloom.simulator.interpreting import DRIFTS

PUBLISHED = (72.8, 64.1, 44.6)
"""Bull et al. 2021, BOBSL test: the subtitles moved by 2.7 s."""
CONDITIONS = {"pauses": tuple(STYLES), "drift": tuple(DRIFTS), "tracker": tuple(TRACKERS)}


def aligned(episode: Episode, offset: float = 0.0) -> AlignedEpisode:
    """The speech's times, moved by ``offset`` seconds, beside the truth."""
    moved = tuple(replace(cue, span=cue.span.shifted(offset)) for cue in episode.speech)
    return AlignedEpisode(episode.id, moved, episode.signing, episode.speech)


def f1(episodes: Sequence[Episode], offset: float) -> tuple[float, ...]:
    """F1@.10, .25 and .50 of the speech's times moved by that much."""
    scores = {s.name: s.value for s in score_alignment([aligned(e, offset) for e in episodes])}
    return tuple(scores[f"F1@.{at}"] for at in (10, 25, 50))


def pauses(episodes: Sequence[Episode]) -> np.ndarray:
    """Seconds between each sentence and the next."""
    return np.array([
        after.span.start - before.span.end
        for episode in episodes
        for before, after in pairwise(episode.sentences)
    ])  # fmt: skip


def offsets(episodes: Sequence[Episode]) -> Iterator[str]:
    """Rows: the corpus, then each condition: its cues, lag, and scores of constant offsets."""
    one = best_constant_offset([aligned(e) for e in episodes])
    groups = {"all": list(episodes)}
    for name, values in CONDITIONS.items():
        for value in values:
            groups[f"{name}: {value}"] = [e for e in episodes if e.conditions[name] == value]
    for name, group in groups.items():
        if not group:
            continue
        own = best_constant_offset([aligned(e) for e in group])
        lags = signed_lags(group)
        told = [" / ".join(f"{v:.1f}" for v in f1(group, at)) for at in (one, own)]
        yield (
            f"| {name} | {len(group)} | {len(lags):,} | {lags.mean():.2f} ± {lags.std():.2f} "
            f"| {told[0]} | {own:.1f} | {told[1]} "
            f"| {100 * (pauses(group) < SHORT - 1e-9).mean():.0f} % |"
        )


def signed_lags(episodes: Sequence[Episode]) -> np.ndarray:
    """Seconds from speech to signing of the cues that are signed."""
    return np.array([
        lag
        for episode in episodes
        for lag, kind in zip(episode.lags, episode.kinds, strict=True)
        if kind != "not signed"
    ])  # fmt: skip


def sizes() -> Iterator[str]:
    """Rows: how long each split is."""
    for size in EPISODES:
        for split in SPLITS:
            source = SimulatedEpisodes(size, split)
            minutes = np.array([source[i].duration / 60 for i in range(len(source))])
            yield (
                f"| {size} | {split} | {len(source)} | {np.median(minutes):.1f} "
                f"| {minutes.min():.1f}–{minutes.max():.1f} | {minutes.sum() / 60:.2f} |"
            )


def spread(values: Sequence[float] | np.ndarray) -> str:
    low, middle, high = np.percentile(np.asarray(values), (5, 50, 95))
    return f"{low:.2f} / {middle:.2f} / {high:.2f}"


def facts(episodes: Sequence[Episode]) -> Iterator[str]:
    """Sentences about cues, signing and lag."""
    lags = signed_lags(episodes)
    kinds = Counter(kind for e in episodes for kind in e.kinds)
    cues = sum(kinds.values())
    sentences = [s for e in episodes for s in e.sentences]
    signed = sum(s.span.duration for s in sentences) / sum(e.duration for e in episodes)
    steps = np.concatenate([np.diff(e.lags) for e in episodes])
    means = [np.mean(signed_lags([e])) for e in episodes]
    yield (
        f"Lag: mean {lags.mean():.2f} s, standard deviation {lags.std():.2f} s "
        f"(between episodes' means {np.std(means):.2f} s; from one cue to the next "
        f"{np.std(steps):.2f} s); below 0 for {100 * (lags < 0).mean():.1f} % of the cues."
    )
    yield (
        "Cues: " + ", ".join(f"{k} {100 * n / cues:.1f} %" for k, n in kinds.most_common())
        + f"; {100 * sum(not s.cues for s in sentences) / len(sentences):.1f} % of the signed "
        "sentences have no cue."
    )  # fmt: skip
    for name, values in (
        ("Seconds of a cue", [c.span.duration for e in episodes for c in e.speech]),
        ("Seconds of a signed sentence", [s.span.duration for s in sentences]),
        ("Seconds of pause between sentences", pauses(episodes)),
        ("Seconds of signing a character", [s.span.duration / len(s.text) for s in sentences]),
    ):
        yield f"{name}, 5 / 50 / 95 %: {spread(values)}."
    yield f"Signed: {100 * signed:.0f} % of the time."


def rate() -> Iterator[str]:
    """Rows: layout, frames a second of processor time on one core, script included."""
    for name in ("mp203", "holistic"):
        started = time.process_time()
        episode = SimulatedEpisodes("small", "test", LAYOUTS[name]).of_length(0, 10)
        script = time.process_time() - started
        frames = sum(len(clip) for clip in episode.slices())
        took = time.process_time() - started
        yield f"| {name} | {frames:,} | {script:.2f} | {frames / took:,.0f} |"


def report(size: str, split: str, frames: bool) -> str:
    """The page, in Markdown."""
    source = SimulatedEpisodes(size, split)
    episodes = [source[i] for i in range(len(source))]
    published = " / ".join(f"{v:.1f}" for v in PUBLISHED)
    lines = [
        f"## {source.version}",
        "",
        f"Written by `python -m benchmarks.simulated_episodes --size {size} --split {split}"
        f"{' --frames' if frames else ''}`. One signer, minutes of signing, subtitles timed to the "
        "speech that is interpreted; [simulator.md](simulator.md) says how they are made.",
        "",
        "| size | split | episodes | minutes, median | shortest–longest | hours |",
        "|---|---|---:|---:|---:|---:|",
        *sizes(),
        "",
        f"One constant offset for all, F1@.10 / .25 / .50 (published, on BOBSL: {published}):",
        "",
        "| episodes | n | signed cues | lag, s | best for all | own offset, s | own best | pauses < 0.3 s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *offsets(episodes),
        "",
        *(line for fact in facts(episodes) for line in (fact, "")),
    ]
    if frames:
        lines += [
            "Ten minutes, processor time of one core:",
            "",
            "| layout | frames | script, s | frames/s |",
            "|---|---:|---:|---:|",
            *rate(),
            "",
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--size", default="small")
    parser.add_argument("--split", default="test")
    parser.add_argument("--frames", action="store_true", help="render, and say how fast that is")
    options = parser.parse_args(arguments)
    page = report(options.size, options.split, options.frames)
    if options.out is None:
        sys.stdout.write(page)
        return
    before = options.out.read_text("utf-8") if options.out.exists() else ""
    kept = before.split(f"## {EPISODES_VERSION}\n", 1)[0].rstrip("\n")
    with writing(options.out, overwrite=True) as part:
        part.write_text(f"{kept}\n\n{page}".lstrip("\n"), encoding="utf-8")


if __name__ == "__main__":
    main()
