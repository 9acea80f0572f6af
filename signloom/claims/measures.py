"""What claims are measured by: counts a sentence or an episode, which resampling only has to sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.claims.verdict import Values
from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.errors import MissingExtraError
from signloom.metrics.alignment import AlignedEpisode, score_episodes
from signloom.metrics.cider import count_cider
from signloom.metrics.motion import count_fid, fid_of
from signloom.metrics.recognition import edits
from signloom.metrics.repetition import repeated, repetition_of
from signloom.metrics.score import mean_of
from signloom.metrics.translation import bleu_of
from signloom.metrics.words import content_words


@dataclass(frozen=True)
class Measure:
    """statistics: (what was said, what is true) → (units, k). values: summed statistics → percent.

    of: the units, which are resampled: sentences, said as texts (or motions, as features), or episodes,
    said as the spans of their cues beside the true cues. higher: whether more is better.
    """

    name: str
    statistics: Callable[[Sequence[Any], Sequence[Any]], NDArray[np.float64]]
    values: Values
    higher: bool = True
    of: Literal["sentences", "episodes"] = "sentences"


@lru_cache(maxsize=1024)
def counts(name: str, said: tuple[Any, ...], true: tuple[Any, ...]) -> NDArray[np.float64]:
    """(units, k) statistics of the measure of that name, counted once; read-only."""
    found = MEASURES[name].statistics(said, true)
    found.flags.writeable = False
    return found


def corpus_score(measure: Measure, statistics: NDArray[np.float64]) -> float:
    """The score of a corpus from its statistics (units, k), to three decimals."""
    return round(float(measure.values(statistics.sum(axis=0, keepdims=True))[0]), 3)


def bleu_counts(hypotheses: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """(sentences, 10): lengths, matches and n-grams, as sacreBLEU (13a, mixed case) counts them."""
    rows = _bleu_against(tuple(references))._extract_corpus_statistics(list(hypotheses), None)
    return np.array(rows, np.float64)


@lru_cache(maxsize=16)
def _bleu_against(references: tuple[str, ...]) -> Any:
    """sacreBLEU, which has counted these references once for all arms."""
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        raise MissingExtraError("Scoring claims", "metrics") from None
    return BLEU(force=True, references=[list(references)])


def content_counts(hypotheses: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """(sentences, 3): content words that match, of the hypothesis, of the reference."""
    rows = []
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        got, expected = Counter(content_words(hypothesis)), Counter(content_words(reference))
        rows.append(((got & expected).total(), got.total(), expected.total()))
    return np.array(rows, np.float64).reshape(-1, 3)


def _f1(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(200 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1))


def right_counts(hypotheses: Sequence[str], references: Sequence[str]) -> NDArray[np.float64]:
    """(clips, 2): whether the gloss is the right one, and 1."""
    right = [h == r for h, r in zip(hypotheses, references, strict=True)]
    return np.stack([np.array(right, np.float64), np.ones(len(right))], axis=1)


def _errors(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(100 * sums[..., :3].sum(axis=-1) / np.maximum(sums[..., 3], 1))


def _kind(of: int, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Substitutions, deletions or insertions a word of the references, in percent."""
    return np.asarray(100 * sums[..., of] / np.maximum(sums[..., 3], 1))


def _share(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(100 * sums[..., 0] / np.maximum(sums[..., 1], 1))


ALIGNMENT = ("frame accuracy", "CB-Acc", "F1@.10", "F1@.25", "F1@.50")
"""The paper's five (table 6), as `metrics.alignment.score_alignment` has them."""


def timed(spans: Sequence[Sequence[Span]], cues: Sequence[Sequence[Cue]]) -> list[AlignedEpisode]:
    """Episodes whose cues were put at ``spans``, beside the truth."""
    return [
        AlignedEpisode(
            str(number),
            tuple(Cue(span, cue.text) for span, cue in zip(placed, true, strict=True)),
            tuple(true),
        )
        for number, (placed, true) in enumerate(zip(spans, cues, strict=True))
    ]


def timing_counts(
    name: str, spans: Sequence[Sequence[Span]], cues: Sequence[Sequence[Cue]]
) -> NDArray[np.float64]:
    """(episodes, 2): numerator and denominator of one of ALIGNMENT."""
    return np.array([episode.shares[name] for episode in score_episodes(timed(spans, cues))])


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("BLEU-4", bleu_counts, bleu_of),
        Measure("content-F1", content_counts, _f1),
        Measure("top-1", right_counts, _share),
        Measure("WER", edits, _errors, higher=False),
        Measure("deletions", edits, partial(_kind, 1), higher=False),
        Measure("insertions", edits, partial(_kind, 2), higher=False),
        Measure("CIDEr-D", lambda h, r: count_cider(h, r).statistics, mean_of),
        Measure(
            "FID", lambda h, r: count_fid(np.array(h), np.array(r)).statistics, fid_of, higher=False
        ),
        Measure("repetition-1", lambda h, r: repeated(h, 1), repetition_of, higher=False),
        Measure("repetition-2", lambda h, r: repeated(h, 2), repetition_of, higher=False),
        *(Measure(name, partial(timing_counts, name), _share, of="episodes") for name in ALIGNMENT),
    )
}
