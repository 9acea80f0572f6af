"""Scores as a table of plain text, the same wherever they are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from signloom.metrics.recognition import PARTS
from signloom.metrics.score import RESAMPLES, SEED, Score
from signloom.metrics.significance import TRIALS, Comparison


def table(
    scores: Sequence[Score], of: str = "sentence", missing: str = "with an empty reference"
) -> str:
    """One line a score: name, value, interval; what was counted; then each signature once.

    of, missing: as in `counted`.
    """
    wide = max(len(score.name) for score in scores)
    lines = [f"{'':{wide}}   value   95 % interval"]
    for score in scores:
        unit = "" if score.unit == "%" else f" {score.unit}"
        lines.append(f"{score.name:{wide}}  {score.value:6.2f}{unit}   {_interval(score)}")
    lines.append(counted(scores[0], of, missing))
    for n in dict.fromkeys(score.n for score in scores if score.n != scores[0].n):
        names = ", ".join(score.name for score in scores if score.n == n)
        lines.append(f"  {names}: over {_number(n, of if scores[0].episodes is None else 'cue')}")
    lines.append("signatures:")
    for signature in dict.fromkeys(score.signature for score in scores):
        names = ", ".join(score.name for score in scores if score.signature == signature)
        lines.append(f"  {names}: {signature}")
    return "\n".join(lines)


def counted(score: Score, of: str = "sentence", missing: str = "with an empty reference") -> str:
    """How many sentences, or cues of how many episodes, a score rests on, in words.

    of: what stands for a sentence where it rests on something else. missing: why some are left out.
    """
    if score.episodes is None:
        left_out = f", {score.excluded} {missing} left out" if score.excluded else ""
        return f"{score.n} {of}s{left_out}; interval: 1,000 bootstrap resamples of {of}s"
    left_out = f", {score.excluded} bracketed left out" if score.excluded else ""
    interval = (
        "no interval: it resamples episodes, and one cannot be resampled"
        if score.episodes == 1
        else "interval: 1,000 bootstrap resamples of episodes"
    )
    cues = _number(score.n, "cue")
    return f"{cues} in {_number(score.episodes, 'episode')}{left_out}; {interval}"


def beside(columns: Mapping[str, Sequence[Score]], names: Sequence[str]) -> str:
    """Several systems side by side: one row per system, one column per named score, ± half the interval.

    A system without a score has "–" there.
    """
    wide = max(len(system) for system in columns)
    each = {name: max(16, len(name) + 2) for name in names}
    lines = [" " * wide + "".join(f"{name:>{each[name]}}" for name in names)]
    for system, scores in columns.items():
        by_name = {score.name: score for score in scores}
        cells = "".join(f"{_short(by_name.get(name)):>{each[name]}}" for name in names)
        lines.append(f"{system:{wide}}{cells}")
    return "\n".join(lines)


def errors(found: Mapping[str, int]) -> str:
    """The counts behind a word error rate, in words."""
    kinds = ", ".join(f"{found[kind]:,} {kind}" for kind in PARTS)
    unknown = f"; {found['unknown']:,} of them unknown to the model" if "unknown" in found else ""
    return f"{kinds} in {found['glosses']:,} glosses{unknown}"


def compared(found: Sequence[Comparison], names: tuple[str, str]) -> str:
    """Two systems: one line a score, the difference, its interval, and what chance would do."""
    a, b = names
    wide = max(len(comparison.name) for comparison in found)
    head = f"{f'{b} − {a}':>8}   {'95 % interval':17} {'p bootstrap':>11} {'p randomisation':>16}"
    lines = [f"{'':{wide}}{a:>8}{b:>8}{head}"]
    for each in found:
        low, high = each.ci95
        lines.append(
            f"{each.name:{wide}}{each.a:8.2f}{each.b:8.2f}{each.difference:+8.2f}   "
            f"{f'{low:+.2f} – {high:+.2f}':17} {each.p_bootstrap:11.4f} {each.p_randomisation:16.4f}"
        )
    lines.append(
        f"{found[0].n} sentences; paired bootstrap of {RESAMPLES:,} resamples, approximate "
        f"randomisation of {TRIALS:,} trials, seed {SEED}; both two-sided"
    )
    if lower := [each.name for each in found if each.better == "low"]:
        lines.append(f"lower is better: {', '.join(lower)}")
    return "\n".join(lines)


def _short(score: Score | None) -> str:
    if score is None:
        return "–"
    low, high = score.ci95
    if score.episodes == 1:
        return f"{score.value:.1f}"
    return f"{score.value:.1f} ± {(high - low) / 2:.1f}"


def _interval(score: Score) -> str:
    low, high = score.ci95
    return "–" if score.episodes == 1 else f"{low:.2f} – {high:.2f}"


def _number(count: int, of: str) -> str:
    return f"{count} {of}" if count == 1 else f"{count} {of}s"
