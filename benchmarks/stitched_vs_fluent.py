"""Stitched beside fluent signing: python -m benchmarks.stitched_vs_fluent [FOLDER] [-o FILE].

Each stitched clip is warped onto the fluent one of the same signs (masked DTW, `signloom.pose.warp`,
cost in shoulder widths a step) and its length divided by the fluent one's; naive, trimmed, trimmed and
cut to 0.8 s, and that with seams blended over 0.2 s. As a yardstick each naive clip is also warped
onto the fluent clip of the *next* sentence: what a wrong sentence costs.

FOLDER is the DGS pairs (``*_original.pose``, and ``*_updated.pose``, in which some of its signs are
dictionary signs); without it only the simulator is measured. In both files of every pair the seams are
straight lines over five frames in every keypoint of body and face: *the originals too are cut at
their glosses and joined again*, so they hold fluent signs and a fluent pace, but not the fluent
transitions. The seams are how the signs are cut apart here. A pair counts only where the number of
signs agrees with the glosses, and where the two files differ. "Replaced" are the signs whose frames
differ in number between the two files.

The simulator: continuous sentences of ``sim-sentences-v1`` against the same glosses stitched from
``sim-words-v1``, by other signers. There the true span of a sign in its clip is known, so what
trimming keeps is measured as well; and the true order of signs, so that of order rules is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from signloom.cli.receipt import commit, hardware
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.layouts import PS76
from signloom.pose.files import read_pose
from signloom.pose.warp import Settings, warp
from signloom.simulator.corpora import SimulatedSentences, SimulatedWords, simulated_lexicon
from signloom.stitch.joining import BLEND, CAP, Joining, signing_frames, transition
from signloom.stitch.stitcher import joined, stitch
from signloom.text.clean import words_of
from signloom.text.forms import match
from signloom.text.order import order_named, tagger, tokens_of

ROOT = Path(__file__).parent.parent
WAYS = (
    Joining(),
    Joining(trim=True),
    Joining(trim=True, longest=CAP),
    Joining(trim=True, longest=CAP, blend=BLEND),
    Joining(blend=BLEND),
)
SEAM = 5
"""Frames of a seam in the updated files: 0.2 s at 25 a second."""
STRAIGHT = 0.01
"""Second difference (pixels) under which all keypoints go straight on."""
SENTENCES, WORDS = 60, 200


def signs_between(clip: PoseClip) -> list[PoseClip]:
    """The signs of an updated file: what is between its seams."""
    at = np.concatenate([clip.part("body"), clip.part("face")])
    points = clip.points[:, at, :2].astype(np.float64)
    bend = np.abs(np.diff(points, 2, axis=0)).max(axis=(1, 2))
    edges = np.flatnonzero(np.diff(np.r_[0, (bend < STRAIGHT).astype(int), 0])).reshape(-1, 2)
    centres: list[int] = []
    for (
        first,
        last,
    ) in edges:  # frames first + 1 … last go straight; smoothing hides one on each side
        if last - first == SEAM - 2:
            centres.append((first + 1 + last) // 2)
        elif last - first == 2 * SEAM - 2:  # a sign of no frame between two seams
            centres += [first + 2, last - 1]
    cuts = [0, *itertools.chain.from_iterable((c - 2, c + 3) for c in centres), len(clip)]
    return [clip.frames(slice(a, max(b, a))) for a, b in zip(cuts[::2], cuts[1::2], strict=True)]


def put_together(signs: Sequence[PoseClip], way: Joining) -> PoseClip:
    """The signs as ``stitch`` joins them."""
    clips: list[PoseClip] = []
    for sign in map(way.alone, (s for s in signs if len(s))):
        if clips and way.blend:
            clips.append(transition(clips[-1], sign, way.blend))
        clips.append(sign)
    return joined(clips)


def dgs_pairs(
    folder: Path,
) -> tuple[list[tuple[str, PoseClip, PoseClip, list[PoseClip]]], dict[str, str]]:
    """((name, fluent, updated, its signs), …) and why others were left out."""
    found, left_out = [], {}
    for path in sorted(folder.rglob("*_original.pose")):
        name = path.name.removesuffix("_original.pose")
        fluent = read_pose(path)
        updated = read_pose(path.with_name(f"{name}_updated.pose"))
        about = json.loads(path.with_name(f"{name}_metadata.json").read_text())
        signs = signs_between(updated)
        wanted = len(about["sentence"]["glosses"]["gloss"])
        if len(fluent) == len(updated) and np.array_equal(fluent.points, updated.points):
            left_out[name] = "original and updated are the same clip"
        elif len(signs) != wanted:
            left_out[name] = f"{len(signs)} signs found, {wanted} glosses"
        else:
            found.append((name, fluent, updated, signs))
    return found, left_out


def interval(values: Sequence[float]) -> dict[str, float]:
    """Mean, its 95 % bootstrap interval over items (1,000 resamples, seed 0), and the median."""
    array = np.array(values)
    rng = np.random.default_rng(0)
    means = array[rng.integers(len(array), size=(1000, len(array)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return {
        "mean": round(float(array.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "median": round(float(np.median(array)), 4),
    }


def compared(
    fluent: Sequence[PoseClip], made: dict[str, Sequence[PoseClip]], settings: Settings
) -> dict[str, Any]:
    """Cost, ratio of lengths and what was compared, of every way; differences to naive are paired."""
    costs: dict[str, list[float]] = {}
    rows: dict[str, Any] = {}
    for name, clips in made.items():
        warps = [warp(one, other, settings) for one, other in zip(fluent, clips, strict=True)]
        costs[name] = [w.cost for w in warps]
        rows[name] = {
            "cost": interval(costs[name]),
            "length_ratio": interval([len(c) / len(f) for f, c in zip(fluent, clips, strict=True)]),
            "keypoints_compared": round(float(np.mean([w.compared for w in warps])), 4),
        }
        if name != "naive" and "naive" in costs:
            apart = [a - b for a, b in zip(costs[name], costs["naive"], strict=True)]
            rows[name]["cost_minus_naive"] = interval(apart)
    others = [*fluent[1:], fluent[0]]
    wrong = [warp(o, c, settings).cost for o, c in zip(others, made["naive"], strict=True)]
    rows["naive, onto the next sentence"] = {"cost": interval(wrong)}
    return {"n": len(fluent), "signature": settings.signature, "ways": rows}


def dgs(folder: Path) -> dict[str, Any]:
    pairs, left_out = dgs_pairs(folder)
    made: dict[str, Sequence[PoseClip]] = {
        way.name: [put_together(signs, way) for _, _, _, signs in pairs] for way in WAYS
    }
    made["as published"] = [updated for _, _, updated, _ in pairs]
    replaced: list[tuple[PoseClip, PoseClip]] = []
    kept = 0
    for _, fluent, _, signs in pairs:
        own = signs_between(fluent)
        if len(own) != len(signs):
            continue
        for one, other in zip(own, signs, strict=True):
            # Smoothing across a seam moves an edge by a frame.
            if abs(len(one) - len(other)) > 1:
                replaced.append((one, other))
            else:
                kept += 1

    def seconds(clips: Sequence[PoseClip]) -> float:
        return round(float(np.median([c.duration for c in clips])), 3)

    dictionary = [other for _, other in replaced]
    return {
        **compared([fluent for _, fluent, _, _ in pairs], made, Settings()),
        "left_out": left_out,
        "replaced": {
            "n": len(replaced),
            "kept": kept,
            "seconds_median_in_the_original": seconds([one for one, _ in replaced]),
            "seconds_median_in_the_dictionary": seconds(dictionary),
            **{
                f"seconds_median_{way.name}": seconds([way.alone(sign) for sign in dictionary])
                for way in WAYS[1:3]
            },
        },
    }


def simulated(count: int) -> dict[str, Any]:
    source = SimulatedSentences("small", "dev", PS76)
    lexicon = simulated_lexicon("small", "train", PS76)
    fluent, words = [], []
    for index in range(count):
        fluent.append(source[index].clip)
        words.append([token.lemma.lower() for token in source.sentence(index).tokens])
    made = {
        way.name: [
            stitch(
                said, lexicon, rng=np.random.default_rng(i), forms=False, layout=PS76,
                fps=fluent[i].fps, joining=way,
            ).clip
            for i, said in enumerate(words)
        ]
        for way in WAYS
    }  # fmt: skip
    return {"corpus": "sim-sentences-v1 small dev, sim-words-v1 small train", **compared(fluent, made, Settings())}  # fmt: skip


def trimming(count: int) -> dict[str, Any]:
    """What trimming keeps of simulated citation clips, against the true span of the sign."""
    source = SimulatedWords("small", "train", PS76)
    early, late, kept, true, inside = [], [], [], [], []
    for index in range(count):
        sample = source[index]
        span = sample.glosses[0].span
        assert span is not None
        first, last = signing_frames(sample.clip)
        start, end = span.frames(sample.clip.fps, len(sample.clip))
        early.append((start - first) / sample.clip.fps)
        late.append((last - end) / sample.clip.fps)
        kept.append((last - first) / len(sample.clip))
        true.append((end - start) / len(sample.clip))
        inside.append(max(0, min(last, end) - max(first, start)) / max(end - start, 1))
    return {
        "n": count,
        "kept_of_the_clip": interval(kept),
        "sign_of_the_clip": interval(true),
        "kept_of_the_sign": interval(inside),
        "seconds_before_the_sign_median": round(float(np.median(early)), 3),
        "seconds_after_the_sign_median": round(float(np.median(late)), 3),
    }


def orders(count: int) -> dict[str, Any]:
    """Pairs of signs that an order rule puts as the simulated language does, of those in both."""
    source = SimulatedSentences("small", "dev")
    vocabulary = simulated_lexicon("small").words

    def rate(order: str) -> dict[str, float]:
        shares = []
        for index in range(count):
            said = source.sentence(index)
            found = match(words_of(said.text), vocabulary)
            chosen = order_named(order)
            tokens = chosen(tokens_of(found, tagger()))
            entries = [t.entry or "" for t in tokens]
            if chosen.shuffle:
                entries = np.random.default_rng(index).permutation(entries).tolist()
            shares += _agreement(entries, [t.lemma for t in said.tokens])
        return interval(shares)

    rules = (
        "swo",
        "rwo",
        "signed",
        "time-first",
        "topic-comment",
        "wh-final",
        "adjective-after-noun",
    )
    return {"n": count, "pairs_in_order": {name: rate(name) for name in rules}}


def _agreement(one: Sequence[str], other: Sequence[str]) -> list[float]:
    """[share of pairs of words, once in both, that stand in the same order]; [] where there is no pair."""
    common = [w for w in one if w and one.count(w) == 1 and other.count(w) == 1]
    pairs = list(itertools.combinations(common, 2))
    at: dict[str, int] = {w: i for i, w in enumerate(other)}
    return [sum(at[a] < at[b] for a, b in pairs) / len(pairs)] if pairs else []


def table(name: str, found: dict[str, Any]) -> str:
    lines = [
        f"{name}, N = {found['n']}, {found['signature']}",
        "| way | cost | − naive | length ratio |",
    ]
    for way, row in found["ways"].items():
        cost, ratio = row["cost"], row.get("length_ratio")
        apart = row.get("cost_minus_naive")
        lines.append(
            f"| {way} | {cost['mean']:.3f} [{cost['low']:.3f}, {cost['high']:.3f}] | "
            + (f"{apart['mean']:+.3f} [{apart['low']:+.3f}, {apart['high']:+.3f}]" if apart else "")
            + " | "
            + (f"{ratio['mean']:.2f} [{ratio['low']:.2f}, {ratio['high']:.2f}]" if ratio else "")
            + " |"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stitched_vs_fluent")
    given = os.environ.get("SIGNLOOM_DATA")
    default = Path(given) / "dgs_corpus32" if given else None
    parser.add_argument("folder", nargs="?", type=Path, default=default)
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / "results" / "stitched-vs-fluent.json"
    )
    options = parser.parse_args(arguments)
    report: dict[str, Any] = {"commit": commit(ROOT), "hardware": hardware()}
    if options.folder:
        report["dgs"] = dgs(options.folder)
        print(table("DGS pairs", report["dgs"]))
    report["simulator"] = simulated(SENTENCES)
    print(table("simulator", report["simulator"]))
    report["trimming"], report["orders"] = trimming(WORDS), orders(500)
    print(json.dumps({k: report[k] for k in ("trimming", "orders")}, indent=1))
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
