"""A claim at a scale: its arms trained or found, their differences, the verdict, one small record.

results/claims/<ID>-<scale>.json
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.claims.arms import Job, Result, found, train_all
from signloom.claims.catalogue import ARMS, scales_of
from signloom.claims.measured import judged
from signloom.claims.measures import ALIGNMENT, MEASURES, corpus_score, counts
from signloom.claims.records import ROOT, Claim, Part, Scale, jobs_of
from signloom.claims.verdict import (
    Difference,
    Verdict,
    difference,
    equivalent,
    ordered,
    over_seeds,
    together,
)
from signloom.data.files import writing
from signloom.errors import UsageError, nearest
from signloom.inference.evaluate import SHUFFLED

LEAST_SEEDS = 3
BUCKETS: tuple[tuple[str, float, float], ...] = (
    ("0", -1.0, 0.0),
    ("to 1/5", 0.0, 0.2),
    ("to 1/3", 0.2, 0.34),
    ("more", 0.34, 1.0),
)
"""Name, above, up to: the share of a sentence's signs that no real training sentence has."""
SHOWN = (
    "BLEU-4", "chrF2", "CIDEr-D", "content-F1", "WER", "substitutions", "deletions", "insertions",
    "repetition-1", "repetition-2", "top-1", "top-5", "top-1-class", "FID", "MPJPE-hands", "usage",
    "perplexity",
    *ALIGNMENT,
)  # fmt: skip
"""Scores that a claim's record keeps of its arms, as far as they have them."""


SHUFFLED_OF = ("top-1", "BLEU-4", "WER", "MPJPE-hands")
"""What an arm's answers for other inputs are scored by: the first that it has."""


def scale_of(claim: Claim, scale: str) -> Scale:
    """What the claim's arms start from. Raises UsageError where it cannot be run at that scale yet."""
    if claim.needs:
        raise UsageError(
            f"{claim.id} cannot be run yet: needs {claim.needs}; `signloom claims list` shows "
            "which can"
        )
    scales = {n: s for n, s in scales_of(claim).items() if n in claim.scales}
    if scale not in scales:
        raise UsageError(
            f"{claim.id} has no scale '{scale}'{nearest(scale, list(scales))}; it has "
            f"{', '.join(scales)}"
        )
    return scales[scale]


def jobs(claim: Claim, scale: str, seeds: Sequence[int]) -> list[Job]:
    """The trainings that a claim rests on; none where a benchmark measures it.

    Raises UsageError as `scale_of`, and for less than three different seeds.
    """
    chosen = scale_of(claim, scale)
    if claim.measured:
        return []
    if len(seeds) < LEAST_SEEDS or len(set(seeds)) != len(seeds):
        raise UsageError(
            f"seeds are {', '.join(map(str, seeds)) or 'none'}; a verdict takes {LEAST_SEEDS} "
            "different ones or more, as in --seeds 1,2,3"
        )
    return jobs_of(claim.arms, ARMS, chosen, tuple(seeds))


def lacking_data(claim: Claim, scale: str) -> str:
    """What a scale needs and this machine has not been told of ("" where nothing is missing)."""
    found_ = scale_of(claim, scale)
    path = (ROOT / found_.base).read_text() + json.dumps(dict(found_.test.source))
    return found_.needs if "${" in os.path.expandvars(path) else ""


def run_claim(
    claim: Claim,
    scale: str,
    seeds: Sequence[int],
    runs: Path,
    results: Path,
    receipt: Mapping[str, Any],
    at_once: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Trains what is missing, judges, and keeps the record.

    receipt: commit and hardware. Raises SignloomError where an arm fails, UsageError as `jobs`.
    """
    wanted = jobs(claim, scale, seeds)
    missing = [job for job in wanted if found(job, results) is None]
    for _ in train_all(missing, runs, results, receipt, at_once, say):
        pass
    record = {**judge(claim, scale, seeds, results), "judged": time.strftime("%Y-%m-%d")}
    record |= {"commit": receipt["commit"]}
    with writing(results / f"{claim.id}-{scale}.json", overwrite=True) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    return record


def judge(claim: Claim, scale: str, seeds: Sequence[int], results: Path) -> dict[str, Any]:
    """The record of a claim from those of its arms; nothing is trained.

    Raises UsageError naming the arms and seeds that were not run.
    """
    wanted = jobs(claim, scale, seeds)
    if claim.measured:
        return {"claim": claim.id, "scale": scale, "seeds": [], **judged(claim.measured, ROOT)}
    have = {(job.arm, job.recipe.seed): found(job, results) for job in wanted}
    lacking = [f"{arm} (seed {seed})" for (arm, seed), result in have.items() if result is None]
    if lacking:
        raise UsageError(
            f"{claim.id} at scale {scale} rests on arms that were not run: {', '.join(lacking)}; "
            f"`signloom claims run {claim.id} --scale {scale}` runs them"
        )
    arms = {
        arm: [result for seed in seeds if (result := have[arm, seed]) is not None]
        for arm in claim.arms
    }
    parts = [decide(part, arms) for part in claim.parts]
    verdict = together([verdict for verdict, _ in parts])
    trained = {r.record["recipe_hash"]: r.record["seconds"] for rs in arms.values() for r in rs}
    minutes = sum(trained.values()) / len(seeds) / 60  # of all arms with one seed
    more = None if verdict.seeds is None else max(0, verdict.seeds - len(seeds))
    return {
        "claim": claim.id,
        "scale": scale,
        "seeds": list(seeds),
        "verdict": {
            "word": verdict.word,
            "why": verdict.why,
            "smallest": _rounded(verdict.smallest),
            "seeds": verdict.seeds,
            "sentences": verdict.sentences,
            "minutes": None if more is None else round(more * minutes),
        },
        "parts": [
            {**asdict(part), "differences": [_shown(d) for d in differences]}
            for part, (_, differences) in zip(claim.parts, parts, strict=True)
        ],
        "arms": {name: _arm(results_of) for name, results_of in arms.items()},
        "buckets": {name: _buckets(results_of) for name, results_of in arms.items()},
        "references": _references(next(iter(arms.values()))[0]),
        **_timing(next(iter(arms.values()))[0]),
    }


def decide(part: Part, arms: Mapping[str, Sequence[Result]]) -> tuple[Verdict, list[Difference]]:
    """The verdict on one part of a claim, and the differences it rests on.

    arms: name → results, one a seed, in the same order of seeds.
    """
    if part.metric not in MEASURES:
        raise UsageError(
            f"claims measure no '{part.metric}'{nearest(part.metric, list(MEASURES))}; they measure "
            f"{', '.join(MEASURES)}"
        )
    measure = MEASURES[part.metric]
    sign = 1 if measure.higher else -1
    of = {
        name: [
            counts(part.metric, r.spans, r.cues)
            if measure.of == "episodes"
            else counts(part.metric, r.hypotheses, r.references)
            for r in arms[name]
        ]
        for name in part.arms
    }
    if part.kind == "falling":
        (name,) = part.arms
        cells = {
            bucket: [c[at] for c in of[name]]
            for bucket, at in bucketed(arms[name][0].unseen).items()
        }
        found_ = [
            difference(
                f"{name}, {better}",
                worse,
                cells[better],
                cells[worse],
                measure.values,
                sign=sign,
                paired=False,
            )
            for better, worse in pairwise(cells)
        ]
        return ordered(found_, part.by, part.least), found_
    found_ = [
        difference(better, worse, of[better], of[worse], measure.values, sign=sign)
        for better, worse in pairwise(part.arms)
    ]
    if part.kind == "equivalent":
        return equivalent(found_[0], part.least), found_
    return ordered(found_, part.by, part.least), found_


def bucketed(unseen: Sequence[float], least: int = 10) -> dict[str, NDArray[np.int64]]:
    """Bucket of unseen signs → the sentences in it; a bucket of fewer than ``least`` joins the one below."""
    shares = np.array(unseen)
    if not len(shares):
        raise UsageError("the test corpus has no glosses, so nothing is known of unseen signs")
    found_: dict[str, NDArray[np.int64]] = {}
    for name, low, high in BUCKETS:
        at = np.flatnonzero((shares > low) & (shares <= high))
        if found_ and len(at) < least:
            last = next(reversed(found_))
            found_[last] = np.sort(np.concatenate([found_[last], at]))
        elif len(at):
            found_[name] = at
    return found_


def _arm(results: Sequence[Result]) -> dict[str, Any]:
    """What the page shows of an arm: every score of every seed, and where it comes from."""
    first = results[0].record
    had = set.intersection(*({score["name"] for score in r.record["metrics"]} for r in results))
    names = [name for name in SHOWN if name in had]
    scores = {name: [_value(r.record["metrics"], name) for r in results] for name in names}
    shuffled = next(name for name in SHUFFLED_OF if name in had)
    processors = sorted({cpu for r in results if (cpu := r.record["hardware"].get("cpu"))})
    return {
        "records": [r.record["recipe_hash"][:16] for r in results],
        "n": first["n"],
        **({"episodes": len(results[0].spans)} if results[0].spans else {}),
        "scores": scores,
        "mean": {name: round(_mean(values), 4) for name, values in scores.items()},
        "ci95": {
            name: [_rounded(end) for end in over_seeds(values, 0.95)]
            for name, values in scores.items()
        },
        "shuffled": [_value(r.record["baselines"][SHUFFLED], shuffled) for r in results],
        "signatures": {s["name"]: s["signature"] for s in first["metrics"] if s["name"] in SHOWN},
        "simulated": first["simulated"],
        "seconds": [r.record["seconds"] for r in results],
        **({"cost": first["cost"]} if "cost" in first else {}),
        "commits": sorted({r.record["commit"] for r in results}),
        "hardware": first["hardware"],
        **({"processors": processors} if len(processors) > 1 else {}),
    }


def _value(scores: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(next(score["value"] for score in scores if score["name"] == name))


def _buckets(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Scores by unseen signs: bucket, sentences, and of each seed BLEU-4 and content-F1."""
    if not results[0].unseen or not results[0].has("BLEU-4"):
        return []
    rows = []
    for bucket, at in bucketed(results[0].unseen).items():
        row: dict[str, Any] = {
            "unseen": bucket,
            "n": len(at),
            "mean_share": round(float(np.array(results[0].unseen)[at].mean()), 3),
            "words": round(_mean([float(len(results[0].references[i].split())) for i in at]), 2),
        }
        for name in ("BLEU-4", "content-F1"):
            measure = MEASURES[name]
            row[name] = [
                corpus_score(measure, counts(name, r.hypotheses, r.references)[at]) for r in results
            ]
        rows.append(row)
    return rows


def _references(result: Result) -> dict[str, float]:
    """The repetition rate of the references: what a model that repeats no more than people would have.

    {} where answers are glosses.
    """
    if not result.has("BLEU-4"):
        return {}
    return {
        name: corpus_score(MEASURES[name], counts(name, result.references, result.references))
        for name in ("repetition-1", "repetition-2")
    }


def _timing(result: Result) -> dict[str, Any]:
    """F1@.50 of what needs no model, where arms align: the speech's times, and these moved."""
    if not result.spans:
        return {}
    found_ = result.record["baselines"].items()
    return {
        "timing": {
            name: _value(scores, "F1@.50")
            for name, scores in found_
            if any(score["name"] == "F1@.50" for score in scores)
        }
    }


def _shown(found_: Difference) -> dict[str, Any]:
    return {
        "better": found_.better,
        "worse": found_.worse,
        "mean": _rounded(found_.mean),
        "per_seed": [_rounded(value) for value in found_.per_seed],
        "over_seeds95": [_rounded(end) for end in found_.seeds95],
        "over_both95": [_rounded(end) for end in found_.both95],
        "interval95": [_rounded(end) for end in found_.interval],
        "interval90": [_rounded(end) for end in found_.interval90],
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _rounded(value: float | None) -> float | None:
    """Three decimals; None for what is infinite, which JSON has no word for."""
    return None if value is None or not np.isfinite(value) else round(value, 3)
