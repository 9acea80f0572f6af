"""What `signloom score` does with sentences: scores, baselines, buckets, two systems compared."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signloom.errors import MediaError, UsageError

if TYPE_CHECKING:
    from signloom.inference.predictions import Paired
    from signloom.metrics.buckets import Pair
    from signloom.metrics.judge import Judged
    from signloom.metrics.score import Counts, Score

SHOWN = ("BLEU-4", "chrF2", "content-F1")
"""The scores that stand beside those of baselines and in buckets."""


@dataclass(frozen=True)
class Judging:
    """The judge of the command line: a program, what it is, and how it is asked."""

    program: str
    model: str | None
    prompt: Path | None
    repeats: int | None
    cache: Path | None


@dataclass(frozen=True)
class System:
    """One system's outputs, counted."""

    counts: Sequence[Counts]
    judged: Judged | None

    def scores(self) -> list[Score]:
        return [counts.score() for counts in self.counts]


def score_sentences(
    hypotheses: Sequence[str],
    references: Sequence[str],
    others: Sequence[str] | None = None,
    *,
    settings: dict[str, Any],
    train_text: Path | None,
    bleurt: Path | None,
    judging: Judging | None,
    as_json: bool,
) -> None:
    """Prints the scores of hypotheses, and those of a second system beside them with p values.

    settings: of `count_translation`, or of `count_recognition` where they have costs.
    Raises UsageError where the lines of a file do not go with those of the references.
    """
    report, parts = _scored(hypotheses, references, settings, train_text, bleurt, judging)
    first = parts.pop(0)
    if others is not None:
        second = _counted(others, references, settings, bleurt, judging)
        more, shown = _compared(first, second, ("A", "B"))
        report |= more
        parts = [*parts, shown]
    _show(report, [_table(first), *parts], as_json)


def score_predictions(
    path: Path,
    against: Path | None = None,
    *,
    worst: int,
    settings: dict[str, Any],
    train_text: Path | None,
    bleurt: Path | None,
    judging: Judging | None,
    as_json: bool,
) -> None:
    """Prints the scores of kept predictions; with a second run, both, and their samples worst first.

    Raises MediaError where a file cannot be read, UsageError where the runs are not over the
    same samples.
    """
    from signloom.inference.predictions import pair_runs, read_predictions

    a = read_predictions(path)
    pairs = []
    if against is not None:
        pairs = pair_runs(a, read_predictions(against), (str(path), str(against)))
    hypotheses, references = [p.hypothesis for p in a], [p.reference for p in a]
    report, parts = _scored(hypotheses, references, settings, train_text, bleurt, judging)
    first = parts.pop(0)
    report |= {"predictions": str(path), "model": a[0].model, "split": a[0].split}
    if against is not None:
        others = [pair.b.hypothesis for pair in pairs]
        second = _counted(others, references, settings, bleurt, judging)
        more, shown = _compared(first, second, ("A", "B"))
        ordered = sorted(pairs, key=lambda pair: pair.difference)
        samples = [
            {
                "id": pair.a.id,
                "difference": round(pair.difference, 4),
                "reference": pair.a.reference,
                "a": pair.a.hypothesis,
                "b": pair.b.hypothesis,
            }
            for pair in ordered
        ]
        report |= more | {"against": str(against), "samples": samples}
        parts = [*parts, f"A: {path}\nB: {against}\n{shown}"]
        if worst:
            parts.append(_worst(ordered, worst))
    _show(report, [_table(first), *parts], as_json)


def _scored(
    hypotheses: Sequence[str],
    references: Sequence[str],
    settings: dict[str, Any],
    train_text: Path | None,
    bleurt: Path | None,
    judging: Judging | None,
) -> tuple[dict[str, Any], list[Any]]:
    """The JSON report, and the parts of the printed one, the first of them the System."""
    from signloom.cli.table import beside, errors
    from signloom.metrics.recognition import error_counts

    system = _counted(hypotheses, references, settings, bleurt, judging)
    scores = system.scores()
    report: dict[str, Any] = {"metrics": [score.to_json() for score in scores]}
    parts: list[Any] = [system]
    if "which" not in settings:
        report["errors"] = error_counts(system.counts)
        return report, [*parts, errors(report["errors"])]
    if system.judged is not None:
        judged = system.judged
        rounds = [round(mean, 4) for mean in judged.rounds]
        report["judge"] = {
            "rounds": rounds,
            "spread": round(judged.spread, 4),
            "failures": judged.failures,
        }
        parts.append(
            f"judge: rounds {', '.join(f'{mean:.2f}' for mean in rounds)}, standard deviation "
            f"{judged.spread:.3f}; {judged.failures} answers without a number counted as 0"
        )
    _warn(hypotheses, references, settings)
    training = _training(train_text)
    core = {**settings, "which": "core"}
    simple, told = _baselines(hypotheses, references, training, core)
    by_system: dict[str, Sequence[Score]] = {"hypotheses": scores, **simple}
    report["baselines"] = {k: [score.to_json() for score in v] for k, v in simple.items()}
    report["baselines_from"] = told
    parts.append(f"{beside(by_system, SHOWN)}\nbaselines drawn from {told}")
    lengths, unseen = _buckets(hypotheses, references, training, core)
    for name, buckets, called in (
        ("lengths", lengths, "{} sentences"),
        ("unseen", unseen, "words not in training: {}"),
    ):
        if buckets:
            report[name] = {k: [score.to_json() for score in v] for k, v in buckets.items()}
            rows = {f"{called.format(k)} (n {v[0].n})": v for k, v in buckets.items()}
            parts.append(beside(rows, SHOWN))
    return report, parts


def _counted(
    hypotheses: Sequence[str],
    references: Sequence[str],
    settings: dict[str, Any],
    bleurt: Path | None,
    judging: Judging | None,
) -> System:
    from signloom.metrics.recognition import count_recognition
    from signloom.metrics.translation import count_translation

    if "which" not in settings:
        return System(count_recognition(hypotheses, references, **settings), None)
    counts = count_translation(hypotheses, references, **settings)
    if bleurt is not None:
        from signloom.metrics.bleurt import count_bleurt

        counts.append(count_bleurt(bleurt, hypotheses, references))
    judged = None if judging is None else _judged(judging, hypotheses, references)
    return System(counts if judged is None else [*counts, judged.counts], judged)


def _judged(judging: Judging, hypotheses: Sequence[str], references: Sequence[str]) -> Judged:
    from signloom.metrics.judge import PROMPT, REPEATS, CommandJudge, score_judged

    try:
        command = tuple(shlex.split(judging.program))
    except ValueError as error:
        raise UsageError(
            f"--judge '{judging.program}' is no command ({error}); give a program and its arguments"
        ) from None
    if not command or judging.model is None:
        raise UsageError(
            "--judge needs a program, and --judge-model with the name and version of what judges, "
            "which go into the signature; a figure without them cannot be compared"
        )
    prompt = PROMPT
    if judging.prompt is not None:
        try:
            prompt = judging.prompt.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MediaError(
                f"{judging.prompt} cannot be read as a prompt ({error}); expected UTF-8 text"
            ) from None
    return score_judged(
        CommandJudge(command, judging.model),
        hypotheses,
        references,
        prompt,
        judging.repeats or REPEATS,
        judging.cache,
    )


def _training(path: Path | None) -> list[str] | None:
    from signloom.cli.score import read_lines

    if path is None:
        return None
    texts = [line for line in read_lines(path) if line.strip()]
    if not texts:
        raise UsageError(f"{path} has no text, expected training sentences, one a line")
    return texts


def _baselines(
    hypotheses: Sequence[str],
    references: Sequence[str],
    training: Sequence[str] | None,
    core: dict[str, Any],
) -> tuple[dict[str, Sequence[Score]], str]:
    """The scores of each baseline, and what the baselines were made of."""
    from signloom.metrics.baselines import baselines
    from signloom.metrics.score import paired
    from signloom.metrics.translation import score_translation

    kept, truth, _ = paired(hypotheses, references)
    texts = truth if training is None else training
    found: dict[str, Sequence[Score]] = {
        name: score_translation(outputs, truth, **core)
        for name, outputs in baselines(kept, truth, texts).items()
    }
    told = "the references themselves" if training is None else "the training text"
    return found, told


def _buckets(
    hypotheses: Sequence[str],
    references: Sequence[str],
    training: Sequence[str] | None,
    core: dict[str, Any],
) -> tuple[dict[str, Sequence[Score]], dict[str, Sequence[Score]]]:
    from signloom.metrics.buckets import by_length, by_unseen, vocabulary
    from signloom.metrics.translation import score_translation

    def scored(buckets: dict[str, Pair]) -> dict[str, Sequence[Score]]:
        return {name: score_translation(*pair, **core) for name, pair in buckets.items()}

    lengths = scored(by_length(hypotheses, references))
    if training is None:
        return lengths, {}
    return lengths, scored(by_unseen(hypotheses, references, vocabulary(training)))


def _compared(first: System, second: System, names: tuple[str, str]) -> tuple[dict[str, Any], str]:
    from signloom.cli.table import compared
    from signloom.metrics.significance import compare

    found = compare(first.counts, second.counts)
    report: dict[str, Any] = {
        "metrics_b": [score.to_json() for score in second.scores()],
        "comparison": [comparison.to_json() for comparison in found],
    }
    return report, compared(found, names)


def _worst(ordered: Sequence[Paired], count: int) -> str:
    lines = ["worst first, by chrF2 of the sentence, A − B:"]
    for pair in ordered[:count]:
        lines += [
            f"{pair.difference:+7.1f}  {pair.a.id}",
            f"         reference  {_one_line(pair.a.reference)}",
            f"         A          {_one_line(pair.a.hypothesis)}",
            f"         B          {_one_line(pair.b.hypothesis)}",
        ]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _warn(hypotheses: Sequence[str], references: Sequence[str], settings: dict[str, Any]) -> None:
    """Lines to stderr on what makes these scores mean something other than they seem to."""
    from signloom.cli.score import _notice
    from signloom.metrics.rouge import cut_words, latin_words
    from signloom.metrics.traps import suspicions

    for said in suspicions(hypotheses, references, settings["lowercase"], settings["tokenize"]):
        _notice(said)
    if settings["which"] == "all":
        truth = [reference for reference in references if reference.strip()]
        mute = sum(not latin_words(reference) for reference in truth)
        if mute:
            _notice(
                f"rougeL(rouge-score) is left out: it keeps only [a-z0-9], which leaves no word of "
                f"{mute} of {len(truth)} references"
            )
        elif cut := cut_words(truth):
            _notice(
                f"rougeL(rouge-score) cuts words at letters outside [a-z0-9], which {cut} of "
                f"{len(truth)} references hold; quote rougeL(slt,beta=1.2)"
            )


def _table(system: System) -> str:
    from signloom.cli.table import table

    return table(system.scores())


def _show(report: dict[str, Any], parts: Sequence[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(parts))
