"""An arm of a claim: a recipe to train, kept under its hash, and the small record of what it gave.

    runs/claims/<hash>/             the run (weights, log), not committed; an interrupted one goes on
    results/claims/<hash>.json      scores, hypotheses, commit, hardware, seconds: committed
    results/claims/test-<sha>.json  the references that the hypotheses stand against, and how many of
                                    each one's signs training has not: once for all arms alike

A record is found again by its recipe, with every default filled in that a later
signloom has added: a new setting does not orphan what was trained without it, and a
changed default does. One trained arm may be read in several ways (`READINGS`): they
stand in its one record, and none is trained for.
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
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from signloom.claims.episodes import (
    answers,
    episodes_in,
    placed,
    timing_baselines,
    timing_scores,
)
from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.errors import MediaError, SignloomError
from signloom.inference.evaluate import Evaluation
from signloom.inference.locate import Locator
from signloom.methods.recipe import Recipe
from signloom.metrics.repetition import score_repetition

KEPT = 16
"""Characters of a hash that name files and folders."""
KEPT_OF_BASELINES = ("top-1", "BLEU-4", "content-F1")


@dataclass(frozen=True)
class Reading:
    """How a trained arm is asked: the beam of its translations (None: its own), and how flat the
    plateaus are that place its cues."""

    beam: int | None = None
    flat: float = 0.2


READINGS = {
    "greedy": Reading(beam=1),
    "plateau 0": Reading(flat=0.0),
    "plateau .4": Reading(flat=0.4),
}
"""What the record of an arm that aligns holds beside its usual reading, "", which is ``Reading()``."""


@dataclass(frozen=True)
class Test:
    """What an arm is scored on: the first ``limit`` samples of a source, as a recipe names one.

    episodes: a folder of them, for arms that align too; "" = none.
    """

    source: Mapping[str, Any]
    limit: int
    episodes: str = ""

    __test__ = False  # no test case of pytest's

    def to_json(self) -> dict[str, Any]:
        more = {"episodes": self.episodes} if self.episodes else {}
        return {"source": dict(self.source), "limit": self.limit, **more}


@dataclass(frozen=True)
class Job:
    """An arm with one seed: what to train, on what to score it, and which reading is wanted."""

    arm: str
    recipe: Recipe
    test: Test
    reading: str = ""

    @property
    def key(self) -> str:
        """The name of its folder and record."""
        return self.recipe.hash()[:KEPT]


@dataclass(frozen=True)
class Result:
    """What an arm with one seed gave.

    unseen: of each test sentence, the share of its signs that no real training sentence holds;
        empty where the corpus has no glosses, and for arms that align.
    record: everything, as the file has it, with what its reading says in place of the usual.
    spans, cues: of each test episode, where its cues were put, and the true cues.
    """

    hypotheses: tuple[str, ...]
    references: tuple[str, ...]
    unseen: tuple[float, ...]
    record: dict[str, Any]
    spans: tuple[tuple[Span, ...], ...] = ()
    cues: tuple[tuple[Cue, ...], ...] = ()


def found(job: Job, results: Path) -> Result | None:
    """The record of a job among the committed ones; None where it was not run."""
    direct = results / f"{job.key}.json"
    wanted = job.recipe.hash()
    for path in (direct, *sorted(results.glob("[0-9a-f]" * KEPT + ".json"))):
        if not path.is_file():
            continue
        record = _json(path)
        test = {key: value for key, value in record.get("test", {}).items() if key != "sha256"}
        if test != job.test.to_json() or job.reading not in ("", *record.get("readings", {})):
            continue
        if path == direct or _same(record.get("recipe"), wanted):
            return _result(record, job.reading, results)
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


def _result(record: dict[str, Any], reading: str, results: Path) -> Result:
    beside = _json(results / f"test-{record['test']['sha256']}.json")
    if reading:
        other = record["readings"][reading]
        renewed = {score["name"] for score in other["metrics"]}
        kept = [score for score in record["metrics"] if score["name"] not in renewed]
        record = {**record, **other, "metrics": [*kept, *other["metrics"]]}
    return Result(
        tuple(record["hypotheses"]),
        tuple(beside["references"]),
        tuple(beside["unseen"]),
        record,
        tuple(tuple(Span(*ends) for ends in one) for one in record.get("spans", ())),
        tuple(
            tuple(Cue(Span(start, end), text) for start, end, text in one)
            for one in beside.get("cues", ())
        ),
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
    unique = {job.recipe.hash(): job for job in reversed(jobs)}.values()
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
    job = Job(arm, recipe, Test(**values["test"]))
    try:
        train(job, Path(wanted).parent, Path(results), values["receipt"])
    except SignloomError as error:
        sys.exit(f"signloom: {error}")


def train(job: Job, folder: Path, results: Path, receipt: Mapping[str, Any]) -> None:
    """Trains a job in ``folder`` (or goes on), scores its best checkpoint, writes its record."""
    from signloom.data.layouts import layout_named
    from signloom.inference.evaluate import evaluate
    from signloom.inference.recognize import (
        RecognitionEvaluation,
        Recognizer,
        evaluate_recognition,
    )
    from signloom.methods.load import load
    from signloom.methods.recipe import real_places, run_recipe
    from signloom.methods.sources import First, Source, open_source, texts_of
    from signloom.training.checkpoint import read_checkpoint

    began = time.time()
    fitted = run_recipe(job.recipe, folder, resume=True)
    layout = layout_named(job.recipe.settings().layout)
    source: Any = TypeAdapter(Source).validate_python(dict(job.test.source))
    samples = First(open_source(source, layout, None), job.test.limit)
    real = open_source(job.recipe.data.train, layout, None)
    places = real_places(job.recipe.data, layout, job.recipe.seed)
    if places is None:
        places = tuple(range(len(real)))
    texts = texts_of(job.recipe.data.train, layout)
    model = load(folder / "best")
    known = [texts[place % len(texts)] for place in places]
    unseen: list[float] = []
    readings: dict[str, Any] = {}
    aligned = _Aligned()
    scored: Evaluation | RecognitionEvaluation
    if isinstance(model, Recognizer):
        scored = named = evaluate_recognition(model, samples, known)
        hypotheses = [each.candidates[0].gloss for each in named.recognitions]
        metrics = [score.to_json() for score in named.metrics]
    else:
        scored = told = evaluate(model, samples, known)
        hypotheses = list(told.hypotheses)
        metrics = _translation_scores(told)
        for name, reading in READINGS.items() if job.test.episodes else ():
            if reading.beam is not None:
                other = evaluate(model, samples, known, beam=reading.beam)
                readings[name] = {
                    "hypotheses": list(other.hypotheses),
                    "metrics": _translation_scores(other),
                }
        if job.test.episodes and isinstance(model, Locator):
            aligned = _align(model, job.test.episodes)
        else:
            unseen = _unseen(samples, (real[place] for place in places))
    beside = {
        "test": job.test.to_json(),
        "unseen": unseen,
        "references": list(scored.references),
        **aligned.beside,
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
        "metrics": [*metrics, *aligned.metrics],
        "baselines": {
            name: [score.to_json() for score in scores if score.name in KEPT_OF_BASELINES]
            for name, scores in scored.baselines.items()
        }
        | aligned.baselines,
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
        **({"spans": aligned.spans} if aligned.spans else {}),
        **({"readings": readings | aligned.readings} if job.test.episodes else {}),
    }
    results.mkdir(parents=True, exist_ok=True)
    _write(results / f"test-{sha256}.json", beside)
    _write(results / f"{job.key}.json", record)
    print(f"{job.arm}: scored after {time.time() - began:.0f} s", flush=True)


@dataclass
class _Aligned:
    """What an arm that aligns adds to its record, and to what lies beside it; nothing for others."""

    metrics: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    spans: list[Any] = field(default_factory=list)
    readings: dict[str, dict[str, Any]] = field(default_factory=dict)
    beside: dict[str, Any] = field(default_factory=dict)


def _align(model: Locator, folder: str) -> _Aligned:
    """Every test episode's cues, asked for once and placed in the usual way and in the other ways."""
    episodes = episodes_in(folder)
    told = [answers(model, episode) for episode in episodes]
    truth = [episode.signing for episode in episodes]

    def read(reading: Reading) -> tuple[list[dict[str, Any]], list[Any]]:
        spans = [placed(e, t, reading.flat) for e, t in zip(episodes, told, strict=True)]
        ends = [[[span.start, span.end] for span in one] for one in spans]
        return [score.to_json() for score in timing_scores(spans, truth)], ends

    metrics, spans = read(Reading())
    aligned = _Aligned(
        metrics,
        {
            name: [score.to_json() for score in scores]
            for name, scores in timing_baselines(episodes).items()
        },
        spans,
        beside={"cues": [[[c.span.start, c.span.end, c.text] for c in one] for one in truth]},
    )
    for name, reading in READINGS.items():
        if reading.flat != Reading().flat:
            metrics, spans = read(reading)
            aligned.readings[name] = {"metrics": metrics, "spans": spans}
    return aligned


def _translation_scores(told: Evaluation) -> list[dict[str, Any]]:
    repeated = [score_repetition(told.hypotheses, order) for order in (1, 2)]
    return [score.to_json() for score in (*told.metrics, *repeated)]


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
