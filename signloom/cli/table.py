"""Scores as a table of plain text, the same wherever they are printed."""

from __future__ import annotations

from collections.abc import Sequence

from signloom.metrics.score import Score


def table(scores: Sequence[Score]) -> str:
    """One line a score: name, value, interval; then each signature once."""
    wide = max(len(score.name) for score in scores)
    lines = [f"{'':{wide}}   value   95 % interval"]
    for score in scores:
        low, high = score.ci95
        lines.append(f"{score.name:{wide}}  {score.value:6.2f}   {low:.2f} – {high:.2f}")
    lines.append(counted(scores[0]))
    lines.append("signatures:")
    for signature in dict.fromkeys(score.signature for score in scores):
        names = ", ".join(score.name for score in scores if score.signature == signature)
        lines.append(f"  {names}: {signature}")
    return "\n".join(lines)


def counted(score: Score) -> str:
    """How many sentences a score rests on, in words."""
    left_out = f", {score.excluded} with an empty reference left out" if score.excluded else ""
    return f"{score.n} sentences{left_out}; interval: 1,000 bootstrap resamples of sentences"


def beside(columns: dict[str, Sequence[Score]], names: Sequence[str]) -> str:
    """Several systems side by side: one row per system, one column per named score, ± half the interval."""
    wide = max(len(system) for system in columns)
    lines = [" " * wide + "".join(f"{name:>16}" for name in names)]
    for system, scores in columns.items():
        by_name = {score.name: score for score in scores}
        cells = "".join(f"{_short(by_name[name]):>16}" for name in names)
        lines.append(f"{system:{wide}}{cells}")
    return "\n".join(lines)


def _short(score: Score) -> str:
    low, high = score.ci95
    return f"{score.value:.1f} ± {(high - low) / 2:.1f}"
