"""Translation scores: BLEU-1 to BLEU-4, chrF2 and content-word F1, over a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MissingExtraError
from signloom.metrics.score import Score, measured, paired
from signloom.metrics.words import StopWords, content_words

Tokenizer = Literal["13a", "none", "zh", "char", "intl"]
TOKENIZERS: tuple[Tokenizer, ...] = ("13a", "none", "zh", "char", "intl")


def score_translation(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
    stop_words: StopWords = "en-v1",
) -> list[Score]:
    """BLEU-1…4, chrF2 and content-word F1 of hypotheses beside one reference each.

    Pairs with an empty reference are excluded and counted. Raises UsageError
    where the counts differ, MissingExtraError without sacreBLEU.
    """
    kept, truth, excluded = paired(hypotheses, references)
    return [
        *bleu(kept, truth, excluded, lowercase, tokenize),
        chrf(kept, truth, excluded, lowercase),
        content_f1(kept, truth, excluded, stop_words),
    ]


def bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
) -> list[Score]:
    """sacreBLEU's BLEU-1 to BLEU-4, cumulative: the n-gram precisions up to n, not the n-th alone."""
    module = _sacrebleu()
    # force: no warning about sentences that end in " ."; the tokeniser is in the signature.
    metric = module.BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
    statistics = _statistics(metric, hypotheses, references)
    signature = metric.get_signature().format()
    return [
        measured(f"BLEU-{n}", statistics, partial(bleu_of, order=n), signature, excluded)
        for n in range(1, 5)
    ]


def bleu_of(sums: NDArray[np.float64], order: int = 4) -> NDArray[np.float64]:
    """BLEU from summed counts (m, 10): two lengths, four matches, four n-grams; smoothing 'exp'.

    sacreBLEU's formula over many resamples at once; a test holds it to sacreBLEU's own.
    """
    length, expected = sums[..., 0], sums[..., 1]
    matches, grams = sums[..., 2 : 2 + order], sums[..., 6 : 6 + order]
    missed = matches == 0
    halved = 0.5 ** np.cumsum(missed, axis=-1)
    precision = np.where(missed, halved, matches) / np.maximum(grams, 1)
    defined = matches.any(axis=-1) & (grams > 0).all(axis=-1)
    mean = np.exp(np.log(precision).mean(axis=-1))
    brevity = np.exp(np.minimum(0, 1 - expected / np.maximum(length, 1e-9)))
    return np.where(defined, 100 * brevity * mean, 0.0)


def chrf(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    lowercase: bool = False,
) -> Score:
    """sacreBLEU's chrF2: character n-grams up to 6, recall weighted twice."""
    metric = _sacrebleu().CHRF(lowercase=lowercase)
    statistics = _statistics(metric, hypotheses, references)

    signature = metric.get_signature().format()
    return measured("chrF2", statistics, chrf_of, signature, excluded)


def chrf_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """chrF2 from summed counts (m, 18): n-grams of hypothesis and reference and matches, per order."""
    got, expected, matches = (sums[..., i::3] for i in range(3))
    counted = (got > 0) & (expected > 0)
    orders = np.maximum(counted.sum(axis=-1), 1)
    precision = (counted * matches / np.maximum(got, 1)).sum(axis=-1) / orders
    recall = (counted * matches / np.maximum(expected, 1)).sum(axis=-1) / orders
    return 100 * 5 * precision * recall / np.maximum(4 * precision + recall, 1e-300)


def content_f1(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    stop_words: StopWords = "en-v1",
) -> Score:
    """F1 of the content words as bags, matches clipped per sentence and summed over the corpus.

    Micro-averaged, so a sentence counts by its content words; a sentence whose
    reference has none still costs precision for what the hypothesis invents.
    """
    from signloom import __version__

    statistics = np.zeros((len(references), 3))
    for row, hypothesis, reference in zip(statistics, hypotheses, references, strict=True):
        got = Counter(content_words(hypothesis, stop_words))
        expected = Counter(content_words(reference, stop_words))
        row[:] = (got & expected).total(), got.total(), expected.total()
    signature = f"nrefs:1|case:lc|avg:micro|stop:signloom-{stop_words}|version:{__version__}"

    def values(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return 200 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1)

    return measured("content-F1", statistics, values, signature, excluded)


def _statistics(
    metric: Any, hypotheses: Sequence[str], references: Sequence[str]
) -> NDArray[np.float64]:
    """(sentences, k) what sacreBLEU counts in each sentence, so that resampling only sums."""
    rows = metric._extract_corpus_statistics(list(hypotheses), [list(references)])
    return np.array(rows, np.float64)


def _sacrebleu() -> Any:
    try:
        from sacrebleu import metrics
    except ImportError:
        raise MissingExtraError("Scoring translations", "metrics") from None
    return metrics
