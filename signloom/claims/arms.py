"""An arm of a claim: a recipe to train, kept under its hash, and the small record of what it gave.

    runs/claims/<hash>/             the run (weights, log), not committed; an interrupted one goes on
    results/claims/<hash>.json      scores, hypotheses, commit, hardware, seconds: committed
    results/claims/test-<sha>.json  the references that the hypotheses stand against, and how many of
                                    each one's signs training has not: once for all arms alike

A record is found again by its recipe, with every default filled in that a later
signloom has added: a new setting does not orphan what was trained without it, and a
changed default does. One trained arm may be read in several ways (`READINGS`): they
stand in its one record, and none is trained for. An arm that answers together with a partner
is trained as two runs, each kept under its own hash, and recorded under that of both.
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
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import TypeAdapter, ValidationError

from signloom.claims.episodes import Aligned, aligned
from signloom.claims.readings import READINGS
from signloom.data.cue import Cue
from signloom.data.files import writing
from signloom.data.timing import Span
from signloom.errors import MediaError, SignloomError
from signloom.inference.evaluate import Evaluation
from signloom.inference.locate import Locator
from signloom.inference.recognize import RecognitionEvaluation
from signloom.inference.translate import Translator, translate_clips
from signloom.methods.recipe import Recipe
from signloom.metrics.recognition import score_recognition
from signloom.metrics.repetition import score_repetition

if TYPE_CHECKING:
    from signloom.claims.motions import Resaid

KEPT = 16
"""Characters of a hash that name files and folders."""
PARTS = ("recipe", "partner")
"""What files call the recipes of a job."""
KEPT_OF_BASELINES = ("top-1", "BLEU-4", "content-F1", "WER", "MPJPE-hands", "FID")

OF_A_CLIP = (128, 6)
"""Frames and glosses of the clip whose cost a record names, where an arm writes glosses: about the means
of the simulated sentences."""
TIMED = 50
"""Test clips whose reading is timed."""


@dataclass(frozen=True)
class Test:
    """What an arm is scored on: the first ``limit`` samples of a source, as a recipe names one.

    episodes: a folder of them, for arms that align too; "" = none.
    encoder: the checkpoint whose features FID compares, for tokenizers of motion.
    """

    source: Mapping[str, Any]
    limit: int
    episodes: str = ""
    encoder: str = ""

    __test__ = False  # no test case of pytest's

    def to_json(self) -> dict[str, Any]:
        more = {"episodes": self.episodes, "encoder": self.encoder}
        said = {name: value for name, value in more.items() if value}
        return {"source": dict(self.source), "limit": self.limit, **said}


@dataclass(frozen=True)
class Job:
    """An arm with one seed: what to train, on what to score it, and which reading is wanted.

    partner: a recogniser of lips that is trained too, and answers with the arm in some readings.
    """

    arm: str
    recipe: Recipe
    test: Test
    reading: str = ""
    partner: Recipe | None = None

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What is trained."""
        return (self.recipe,) if self.partner is None else (self.recipe, self.partner)

    @property
    def hash(self) -> str:
        """What the arm is known by: its recipe's hash, or one of both recipes'."""
        return _hash_of([recipe.hash() for recipe in self.recipes])

    @property
    def key(self) -> str:
        """The name of its record."""
        return self.hash[:KEPT]


@dataclass(frozen=True)
class Result:
    """What an arm with one seed gave.

    hypotheses, references: texts or glosses; of a tokenizer of motion, features.
    unseen: of each test sentence, the share of its signs that no real training sentence holds;
        empty where the corpus has no glosses, and for arms that align.
    record: everything, as the file has it, with what its reading says in place of the usual.
    spans, cues: of each test episode, where its cues were put, and the true cues.
    """

    hypotheses: tuple[Any, ...]
    references: tuple[Any, ...]
    unseen: tuple[float, ...]
    record: dict[str, Any]
    spans: tuple[tuple[Span, ...], ...] = ()
    cues: tuple[tuple[Cue, ...], ...] = ()

    def has(self, metric: str) -> bool:
        """Whether it was scored by a metric."""
        return any(score["name"] == metric for score in self.record["metrics"])


def found(job: Job, results: Path) -> Result | None:
    """The record of a job among the committed ones; None where it was not run."""
    direct = results / f"{job.key}.json"
    for path in (direct, *sorted(results.glob("[0-9a-f]" * KEPT + ".json"))):
        if not path.is_file():
            continue
        record = _json(path)
        test = {key: value for key, value in record.get("test", {}).items() if key != "sha256"}
        if test != job.test.to_json() or job.reading not in ("", *record.get("readings", {})):
            continue
        recipes = [record[part] for part in PARTS if part in record]
        today = [_hash_today(json.dumps(recipe, sort_keys=True)) for recipe in recipes]
        if path == direct or _hash_of(today) == job.hash:
            return _result(record, job.reading, results)
    return None


def _hash_of(recipes: Sequence[str]) -> str:
    """One hash of the hashes of recipes; of one recipe its own."""
    if len(recipes) == 1:
        return recipes[0]
    return hashlib.sha256(" ".join(recipes).encode()).hexdigest()


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
        tuple(map(_hashable, record["hypotheses"])),
        tuple(map(_hashable, beside["references"])),
        tuple(beside["unseen"]),
        record,
        tuple(tuple(Span(*ends) for ends in one) for one in record.get("spans", ())),
        tuple(
            tuple(Cue(Span(start, end), text) for start, end, text in one)
            for one in beside.get("cues", ())
        ),
    )


def _hashable(said: Any) -> Any:
    return tuple(said) if isinstance(said, list) else said


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError) as error:
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
    unique = {job.hash: job for job in reversed(jobs)}.values()
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
        asked = {**_resolved(job), "test": job.test.to_json(), "receipt": dict(receipt)}
        temporary.write_text(yaml.safe_dump(asked))
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
    recipe, *partner = (Recipe.model_validate(values[part]) for part in PARTS if part in values)
    job = Job(arm, recipe, Test(**values["test"]), partner=partner[0] if partner else None)
    try:
        train(job, Path(wanted).parent, Path(results), values["receipt"])
    except SignloomError as error:
        sys.exit(f"signloom: {error}")


def train(job: Job, folder: Path, results: Path, receipt: Mapping[str, Any]) -> None:
    """Trains a job (or goes on), scores its best checkpoint, writes its record.

    folder: of the job; what is trained lies beside it under the hash of its recipe: in the same
    folder, where there is one recipe.
    """
    from signloom.claims.motions import Viewed, said_again
    from signloom.data.layouts import SMPLX52, layout_named
    from signloom.inference.evaluate import evaluate
    from signloom.inference.fusion import Fused
    from signloom.inference.recognize import Recognizer, evaluate_recognition
    from signloom.methods.glosses import GlossWriter
    from signloom.methods.load import load
    from signloom.methods.method import learns_glosses
    from signloom.methods.motion_tokens import MotionTokens
    from signloom.methods.recipe import real_places, run_recipe
    from signloom.methods.sources import First, Source, glosses_of, open_source, texts_of
    from signloom.training.checkpoint import read_checkpoint

    began = time.time()
    folders = [folder.parent / recipe.hash()[:KEPT] for recipe in job.recipes]
    fitted = [
        run_recipe(recipe, at, resume=True) for recipe, at in zip(job.recipes, folders, strict=True)
    ]
    layout = layout_named(job.recipe.settings().layout)
    source: Any = TypeAdapter(Source).validate_python(dict(job.test.source))
    samples = First(open_source(source, layout, None), job.test.limit)
    real = open_source(job.recipe.data.train, layout, None)
    places = real_places(job.recipe.data, layout, job.recipe.seed)
    if places is None:
        places = tuple(range(len(real)))
    listed = glosses_of if learns_glosses(job.recipe.of_method) else texts_of
    texts = listed(job.recipe.data.train, layout)
    model, *partners = (load(at / "best") for at in folders)
    known = [texts[place % len(texts)] for place in places]
    unseen: list[float] = []
    timed = Aligned()
    cost: dict[str, int | float] = {}
    scored: Evaluation | RecognitionEvaluation | Resaid
    if isinstance(model, Recognizer):
        scored = evaluate_recognition(model, samples, known)
        usual = _named(scored)
        readings = {
            name: _named(evaluate_recognition(Fused(model, partners[0], r.share), samples, known))
            for name, r in READINGS.items()
            if partners and r.share < 1
        }
    elif isinstance(model, MotionTokens):
        scored = said_again(model, samples, job.test.encoder)
        usual = _told_again(scored)
        readings = {}
    else:
        scored = evaluate(model, samples, known)
        if isinstance(model, GlossWriter):
            cost = {**model.cost(*OF_A_CLIP), "ms": _milliseconds(model, samples)}
        usual = _told(scored)
        readings = {
            name: _told(evaluate(model, samples, known, beam=r.beam))
            for name, r in READINGS.items()
            if job.test.episodes and r.beam is not None
        }
        if layout == SMPLX52:
            readings |= {
                name: _told(evaluate(model, Viewed(samples, r.turned, r.noise), known))
                for name, r in READINGS.items()
                if r.turned or r.noise
            }
        if job.test.episodes and isinstance(model, Locator):
            timed = aligned(model, job.test.episodes)
        elif not isinstance(model, GlossWriter):
            unseen = _unseen(samples, (real[place] for place in places))
    beside = {
        "test": job.test.to_json(),
        "unseen": unseen,
        "references": list(scored.references),
        **timed.beside,
    }
    sha256 = hashlib.sha256(json.dumps(beside, sort_keys=True).encode()).hexdigest()[:12]
    log, *_ = logs = [
        [json.loads(line) for line in (at / "log.jsonl").read_text().splitlines()] for at in folders
    ]
    record = {
        "arm": job.arm,
        "recipe_hash": job.hash,
        "seed": job.recipe.seed,
        "test": {**job.test.to_json(), "sha256": sha256},
        "simulated": scored.simulated,
        "n": len(scored.references),
        "metrics": [*usual["metrics"], *timed.metrics],
        "baselines": {
            name: [score.to_json() for score in scores if score.name in KEPT_OF_BASELINES]
            for name, scores in scored.baselines.items()
        }
        | timed.baselines,
        "dev": {
            str(line["step"]): line["validation"][job.recipe.metric]
            for line in log
            if "validation" in line
        },
        "best_step": fitted[0].best_step,
        "seconds": round(
            sum(sum(_seconds(own)) or ran.seconds for own, ran in zip(logs, fitted, strict=True)), 1
        ),
        **({"cost": cost} if cost else {}),
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
        **receipt,
        "weights": read_checkpoint(folders[0] / "best").config["weights"]["sha256"],
        **_resolved(job),
        "hypotheses": usual["hypotheses"],
        **({"spans": timed.spans} if timed.spans else {}),
        **({"readings": every} if (every := readings | timed.readings) else {}),
    }
    results.mkdir(parents=True, exist_ok=True)
    _write(results / f"test-{sha256}.json", beside)
    _write(results / f"{job.key}.json", record)
    print(f"{job.arm}: scored after {time.time() - began:.0f} s", flush=True)


def _milliseconds(model: Translator, samples: Any) -> float:
    """Processor time of one of the first test clips, read alone as in testing, from keypoints to text."""
    clips = [samples[index].clip for index in range(min(TIMED, len(samples)))]
    began = time.process_time()
    translate_clips(model, clips, batch=1)
    return round(1e3 * (time.process_time() - began) / len(clips), 2)


def _resolved(job: Job) -> dict[str, Any]:
    """The recipes of a job whole, as files carry them."""
    return {part: recipe.resolved() for part, recipe in zip(PARTS, job.recipes, strict=False)}


def _told(found: Evaluation) -> dict[str, Any]:
    more = [score_repetition(found.hypotheses, order) for order in (1, 2)]
    if not found.glosses:  # what is invented and what is left out, beside BLEU
        more += score_recognition(found.hypotheses, found.references)
    return {
        "hypotheses": list(found.hypotheses),
        "metrics": [score.to_json() for score in (*found.metrics, *more)],
    }


def _told_again(found: Resaid) -> dict[str, Any]:
    return {
        "hypotheses": list(found.hypotheses),
        "metrics": [score.to_json() for score in found.metrics],
    }


def _named(found: RecognitionEvaluation) -> dict[str, Any]:
    return {
        "hypotheses": [each.candidates[0].gloss for each in found.recognitions],
        "metrics": [score.to_json() for score in found.metrics],
    }


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
