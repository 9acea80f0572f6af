"""An arm of a claim: a recipe to train, kept under its hash, and the small record of what it gave.

    runs/claims/<hash>/             the run (weights, log), not committed; an interrupted one goes on
    results/claims/<hash>.json      scores, hypotheses, commit, hardware, seconds: committed
    results/claims/test-<sha>.json  the references that the hypotheses stand against, and how many of
                                    each one's signs training has not: once for all arms alike

A record is found again by its recipe, with every default filled in that a later
signloom has added: a new setting does not orphan what was trained without it, and a
changed default does.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from signloom.data.files import writing
from signloom.errors import MediaError, SignloomError
from signloom.methods.recipe import Recipe

KEPT = 16
"""Characters of a hash that name files and folders."""


@dataclass(frozen=True)
class Test:
    """What an arm is scored on: the first ``limit`` samples of a source, as a recipe names one."""

    source: Mapping[str, Any]
    limit: int

    __test__ = False  # no test case of pytest's

    def to_json(self) -> dict[str, Any]:
        return {"source": dict(self.source), "limit": self.limit}


@dataclass(frozen=True)
class Job:
    """An arm with one seed: what to train, and on what to score it."""

    arm: str
    recipe: Recipe
    test: Test

    @property
    def key(self) -> str:
        """The name of its folder and record."""
        return self.recipe.hash()[:KEPT]


@dataclass(frozen=True)
class Result:
    """What an arm with one seed gave.

    unseen: of each test sentence, the share of its signs that no real training sentence holds;
        empty where the corpus has no glosses.
    record: everything, as the file has it.
    """

    hypotheses: tuple[str, ...]
    references: tuple[str, ...]
    unseen: tuple[float, ...]
    record: dict[str, Any]


def found(job: Job, results: Path) -> Result | None:
    """The record of a job among the committed ones; None where it was not run."""
    direct = results / f"{job.key}.json"
    wanted = job.recipe.hash()
    for path in (direct, *sorted(results.glob("[0-9a-f]" * KEPT + ".json"))):
        if not path.is_file():
            continue
        record = _json(path)
        if record.get("test", {}).get("source") != dict(job.test.source):
            continue
        if record["test"].get("limit") != job.test.limit:
            continue
        if path == direct or _same(record.get("recipe"), wanted):
            return _result(record, results)
    return None


def _same(recipe: Any, wanted: str) -> bool:
    return _hash_today(json.dumps(recipe, sort_keys=True)) == wanted


@lru_cache(maxsize=4096)
def _hash_today(recipe: str) -> str:
    """The hash that a resolved recipe of any age has now; '' where it is no recipe any more."""
    try:
        return Recipe.model_validate(json.loads(recipe)).hash()
    except (ValidationError, SignloomError):
        return ""


def _result(record: dict[str, Any], results: Path) -> Result:
    beside = _json(results / f"test-{record['test']['sha256']}.json")
    return Result(
        tuple(record["hypotheses"]), tuple(beside["references"]), tuple(beside["unseen"]), record
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise MediaError(
            f"{path} is no record of a claim ({error}); take it from the repository again"
        ) from error
    if not isinstance(value, dict):
        raise MediaError(f"{path} holds no JSON object; take it from the repository again")
    return value


def train_all(
    jobs: Sequence[Job],
    runs: Path,
    results: Path,
    receipt: Mapping[str, Any],
    at_once: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Job]:
    """Trains and scores each job in a process of one thread, ``at_once`` at a time; yields each when done.

    receipt: commit and hardware, as the records shall carry them.
    One thread, because weights depend on the number of threads to rounding.
    Raises SignloomError with the end of its log for a job that failed, after the others are done.
    """
    unique = {job.recipe.hash(): job for job in jobs}.values()
    failed: list[str] = []
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        running = {pool.submit(_train, job, runs, results, receipt): job for job in unique}
        for done in as_completed(running):
            job, error = running[done], done.result()
            say(f"{job.arm}, seed {job.recipe.seed}: {error or 'done'}")
            if error:
                failed.append(f"{job.arm}, seed {job.recipe.seed}: {error}")
                continue
            yield job
    if failed:
        raise SignloomError(f"{len(failed)} of {len(unique)} arms failed: {'; '.join(failed)}")


def _train(job: Job, runs: Path, results: Path, receipt: Mapping[str, Any]) -> str:
    """Runs `main` in a process of its own; the last line it said where that failed, else ''."""
    folder = runs / job.key
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / "job.yaml"
    with writing(wanted, overwrite=True) as temporary:
        asked = {"recipe": job.recipe.resolved(), "test": job.test.to_json()}
        temporary.write_text(yaml.safe_dump({**asked, "receipt": dict(receipt)}))
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    command = [sys.executable, "-m", "signloom.claims.arms", job.arm, str(wanted), str(results)]
    with (folder / "arm.log").open("a") as log:
        ended = subprocess.run(command, stdout=log, stderr=log, env={**os.environ, **threads})
    if not ended.returncode:
        return ""
    said = (folder / "arm.log").read_text().strip().splitlines()
    return f"{said[-1] if said else 'no word'} (exit {ended.returncode}, see {folder / 'arm.log'})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains one job and writes its record: python -m signloom.claims.arms ARM JOB.yaml RESULTS."""
    arm, wanted, results = sys.argv[1:] if arguments is None else arguments
    values = yaml.safe_load(Path(wanted).read_text())
    recipe = Recipe.model_validate(values["recipe"])
    job = Job(arm, recipe, Test(values["test"]["source"], int(values["test"]["limit"])))
    try:
        train(job, Path(wanted).parent, Path(results), values["receipt"])
    except SignloomError as error:
        sys.exit(f"signloom: {error}")


def train(job: Job, folder: Path, results: Path, receipt: Mapping[str, Any]) -> None:
    """Trains a job in ``folder`` (or goes on), scores its best checkpoint, writes its record."""
    from signloom.data.layouts import layout_named
    from signloom.inference.evaluate import Evaluation, evaluate
    from signloom.inference.recognize import (
        RecognitionEvaluation,
        Recognizer,
        evaluate_recognition,
    )
    from signloom.methods.load import load
    from signloom.methods.recipe import real_places, run_recipe
    from signloom.methods.sources import First, Source, open_source, texts_of
    from signloom.metrics.repetition import score_repetition
    from signloom.training.checkpoint import read_checkpoint

    began = time.time()
    fitted = run_recipe(job.recipe, folder, resume=True)
    layout = layout_named(job.recipe.settings().layout)
    source: Any = TypeAdapter(Source).validate_python(dict(job.test.source))
    samples = First(open_source(source, layout, None), job.test.limit)
    real = open_source(job.recipe.data.train, layout, None)
    places = real_places(job.recipe.data, layout)
    if places is None:
        places = tuple(range(len(real)))
    texts = texts_of(job.recipe.data.train, layout)
    model = load(folder / "best")
    known = [texts[place % len(texts)] for place in places]
    keep: tuple[str, ...]
    unseen: list[float] = []
    scored: Evaluation | RecognitionEvaluation
    if isinstance(model, Recognizer):
        scored = named = evaluate_recognition(model, samples, known)
        hypotheses = [each.candidates[0].gloss for each in named.recognitions]
        metrics = [score.to_json() for score in named.metrics]
        keep = ("top-1",)
    else:
        scored = told = evaluate(model, samples, known)
        hypotheses = list(told.hypotheses)
        metrics = [
            *(score.to_json() for score in scored.metrics),
            *(score_repetition(hypotheses, order).to_json() for order in (1, 2)),
        ]
        keep = ("BLEU-4", "content-F1")
        unseen = _unseen(samples, (real[place] for place in places))
    beside = {
        "test": job.test.to_json(),
        "unseen": unseen,
        "references": list(scored.references),
    }
    sha256 = hashlib.sha256(json.dumps(beside, sort_keys=True).encode()).hexdigest()[:12]
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    record = {
        "arm": job.arm,
        "recipe_hash": job.recipe.hash(),
        "seed": job.recipe.seed,
        "test": {**job.test.to_json(), "sha256": sha256},
        "simulated": scored.simulated,
        "n": len(scored.references),
        "metrics": metrics,
        "baselines": {
            name: [score.to_json() for score in scores if score.name in keep]
            for name, scores in scored.baselines.items()
        },
        "dev": {
            str(line["step"]): line["validation"][job.recipe.metric]
            for line in log
            if "validation" in line
        },
        "best_step": fitted.best_step,
        "seconds": round(sum(_seconds(log)) or fitted.seconds, 1),
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
        **receipt,
        "weights": read_checkpoint(folder / "best").config["weights"]["sha256"],
        "recipe": job.recipe.resolved(),
        "hypotheses": hypotheses,
    }
    results.mkdir(parents=True, exist_ok=True)
    _write(results / f"test-{sha256}.json", beside)
    _write(results / f"{job.key}.json", record)
    print(f"{job.arm}: scored after {time.time() - began:.0f} s", flush=True)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """JSON with one line a key: short, and a change shows where it is."""
    lines = (
        f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}" for key, item in value.items()
    )
    with writing(path, overwrite=True) as temporary:
        temporary.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _unseen(samples: Any, real: Iterator[Any]) -> list[float]:
    """Of each sample, the share of its glosses that no real training sample has."""
    known = {span.gloss.casefold() for sample in real for span in sample.glosses}
    shares = []
    for index in range(len(samples)):
        glosses = [span.gloss.casefold() for span in samples[index].glosses]
        if glosses and known:
            shares.append(round(sum(g not in known for g in glosses) / len(glosses), 4))
    return shares if len(shares) == len(samples) else []


def _seconds(log: Sequence[Mapping[str, Any]]) -> Iterator[float]:
    """Seconds between neighbouring lines of a log; a pause between two runs is not counted."""
    times = [float(line["time"]) for line in log if "time" in line]
    steady = sorted(b - a for a, b in pairwise(times))
    usual = steady[len(steady) // 2] if steady else 0.0
    yield from (min(gap, 10 * usual) for gap in steady)
    if steady:
        yield usual  # before the first line


if __name__ == "__main__":
    main()
