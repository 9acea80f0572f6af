"""A language model, or anything else, as judge of translations: off unless it is asked for.

After LiTFiC's 'LLM score' (0 to 5, meaning over wording), with what makes a judged figure
repeatable: the model and a hash of the prompt in the signature, several rounds and their spread,
answers that cannot be read counted instead of skipped, every raw answer kept. Nothing here calls
a service; `CommandJudge` runs a program of the user's own.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from signloom.data.files import writing
from signloom.errors import MediaError, UsageError
from signloom.metrics.score import Counts, Score, mean_of, paired, per_sentence

BEST = 5.0
REPEATS = 3
TIMEOUT = 120.0
"""Seconds that one judgement may take."""

PROMPT = """\
Rate how well a translation says what the reference says, from 0 to 5.
0: nothing in common. 1: at least one noun or verb that matters is shared.
3: most of them are. 5: the same meaning, whatever the words.
Nouns and verbs that matter count most; be liberal with synonyms and small changes.
Reference: {reference}
Translation: {hypothesis}
Answer with the number alone.
"""


@runtime_checkable
class Judge(Protocol):
    """Answers one prompt in words of its own; the number is read from them."""

    @property
    def model(self) -> str:
        """What judges, version and all, for the signature."""
        ...

    def answer(self, prompt: str, hypothesis: str, reference: str) -> str:
        """The raw answer. Raises JudgeFailure where there is none."""
        ...


class JudgeFailure(Exception):
    """A judge gave no answer; the message says why. Counted, never raised to the user."""


@dataclass(frozen=True)
class CommandJudge:
    """A program of the user's own, run once a pair.

    It reads one JSON object (prompt, hypothesis, reference) from its standard input and
    prints its answer. It is started without a shell.
    """

    command: tuple[str, ...]
    model: str
    timeout: float = TIMEOUT

    def answer(self, prompt: str, hypothesis: str, reference: str) -> str:
        asked = {"prompt": prompt, "hypothesis": hypothesis, "reference": reference}
        try:
            done = subprocess.run(
                self.command,
                input=json.dumps(asked, ensure_ascii=False),
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.timeout,
            )
        except subprocess.TimeoutExpired:
            raise JudgeFailure(f"no answer within {self.timeout:g} s") from None
        except OSError as error:
            raise UsageError(
                f"the judge '{self.command[0]}' cannot be run: {error.strerror or error}; give a "
                "program that reads JSON from its standard input and prints a number from 0 to 5"
            ) from error
        if done.returncode != 0:
            raise JudgeFailure(f"exit code {done.returncode}: {done.stderr.strip()[-200:]}")
        return done.stdout


@dataclass(frozen=True)
class Judged:
    """The score, and how far it can be trusted.

    rounds: the mean of each round; spread: their standard deviation;
    failures: judgements that gave no number; each counts as 0.
    """

    score: Score
    counts: Counts
    rounds: tuple[float, ...]
    spread: float
    failures: int


def score_judged(
    judge: Judge,
    hypotheses: Sequence[str],
    references: Sequence[str],
    prompt: str = PROMPT,
    repeats: int = REPEATS,
    cache: Path | None = None,
) -> Judged:
    """The mean judgement of each pair, 0 to 5, over ``repeats`` rounds.

    prompt: with {reference} and {hypothesis} in it. An empty hypothesis is 0 without asking.
    cache: a file of raw answers, one JSON line each; what is in it is not asked again, and
        what is new is added.
    Raises UsageError where the prompt lacks a place for either, or ``repeats`` is below 1.
    """
    for place in ("{reference}", "{hypothesis}"):
        if place not in prompt:
            raise UsageError(f"the judge's prompt has no {place}; put it where the text belongs")
    if repeats < 1:
        raise UsageError(f"a judge is asked {repeats} times, expected at least 1")
    kept, truth, excluded = paired(hypotheses, references)
    named = hashlib.sha256(prompt.encode()).hexdigest()[:12]
    answers = _Answers(cache, judge.model, named)
    marks = np.zeros((repeats, len(truth)))
    failures = 0
    try:
        for at in range(repeats):
            for i, (hypothesis, reference) in enumerate(zip(kept, truth, strict=True)):
                if not hypothesis.strip():
                    continue
                raw = answers.get(hypothesis, reference, at)
                if raw is None:
                    try:
                        filled = _filled(prompt, hypothesis, reference)
                        raw = judge.answer(filled, hypothesis, reference)
                    except JudgeFailure as failure:
                        failures += 1
                        answers.note(hypothesis, reference, at, None, str(failure))
                        continue
                    answers.note(hypothesis, reference, at, raw)
                mark = mark_in(raw)
                failures += mark is None
                marks[at, i] = mark or 0.0
    finally:
        answers.write()
    signature = (
        f"nrefs:1|judge:{judge.model}|prompt:{named}|rounds:{repeats}|scale:0-5|failures:as 0"
    )
    counts = Counts(
        "judge", per_sentence(list(marks.mean(axis=0))), mean_of, signature, excluded, unit=""
    )
    rounds = tuple(float(mean) for mean in marks.mean(axis=1))
    spread = float(np.std(rounds, ddof=1)) if repeats > 1 else 0.0
    return Judged(counts.score(), counts, rounds, spread, failures)


def mark_in(answer: str) -> float | None:
    """The number from 0 to 5 that an answer is, or that it ends 'score: …' with; else None.

    >>> [mark_in(a) for a in ("4", " 3.5 / 5 ", "Score: 2.", "between 3 and 4", "7")]
    [4.0, 3.5, 2.0, None, None]
    """
    found = re.fullmatch(
        r"(?:.*\b(?:score|rating|mark)\W*)?(\d(?:\.\d+)?)(?:\s*/\s*5)?\s*\.?",
        answer.strip(),
        re.IGNORECASE | re.DOTALL,
    )
    mark = float(found[1]) if found else None
    return mark if mark is not None and mark <= BEST else None


def _filled(prompt: str, hypothesis: str, reference: str) -> str:
    """The prompt with both texts in their places; braces within the texts stay what they are."""
    texts = {"{reference}": reference, "{hypothesis}": hypothesis}
    return re.sub("|".join(map(re.escape, texts)), lambda place: texts[place[0]], prompt)


class _Answers:
    """Raw answers by model, prompt, pair and round; failures are written down but asked again."""

    def __init__(self, path: Path | None, model: str, prompt: str) -> None:
        self._path = path
        self._key = (model, prompt)
        self._lines: list[str] = []
        self._known: dict[tuple[str, ...], str] = {}
        if path is not None and path.exists():
            try:
                self._lines = [line for line in path.read_text("utf-8").split("\n") if line.strip()]
            except (OSError, ValueError) as error:
                raise MediaError(
                    f"{path} holds no answers of a judge ({error}); expected a file that an earlier run "
                    "wrote, choose another name"
                ) from None
        for number, line in enumerate(self._lines, start=1):
            try:
                read = json.loads(line)
                key = tuple(str(read[name]) for name in self._names)
                if read["answer"] is not None:
                    self._known[key] = str(read["answer"])
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise MediaError(
                    f"{path} line {number} is no answer of a judge ({type(error).__name__}: "
                    f"{error}); expected a file that an earlier run wrote, choose another name"
                ) from None

    _names = ("model", "prompt", "hypothesis", "reference", "round")

    def get(self, hypothesis: str, reference: str, at: int) -> str | None:
        return self._known.get((*self._key, hypothesis, reference, str(at)))

    def note(
        self, hypothesis: str, reference: str, at: int, answer: str | None, failure: str = ""
    ) -> None:
        values = (*self._key, hypothesis, reference, at)
        record = dict(zip(self._names, values, strict=True)) | {"answer": answer}
        if answer is not None:
            self._known[(*self._key, hypothesis, reference, str(at))] = answer
        else:
            record["failure"] = failure
        self._lines.append(json.dumps(record, ensure_ascii=False))

    def write(self) -> None:
        if self._path is not None and self._lines:
            with writing(self._path, overwrite=True) as temporary:
                temporary.write_text("\n".join(self._lines) + "\n", encoding="utf-8", newline="\n")
