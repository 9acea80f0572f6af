"""Translation scores: BLEU-1 to BLEU-4, chrF2 and content-word F1, over a corpus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
    # Per sentence: hypothesis length, reference length, 4 × matches, 4 × n-grams.
    lengths, matches, grams = np.split(statistics, [2, 6], axis=1)
    scores = []
    for order in range(1, 5):
        upto = module.BLEU(
            lowercase=lowercase, tokenize=tokenize, force=True, max_ngram_order=order
        )

        def value(total: NDArray[np.float64], upto: Any = upto) -> float:
            return float(upto._compute_score_from_stats(total.tolist()).score)

        part = np.hstack([lengths, matches[:, :order], grams[:, :order]])
        scores.append(measured(f"BLEU-{order}", part, value, signature, excluded))
    return scores


def chrf(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    lowercase: bool = False,
) -> Score:
    """sacreBLEU's chrF2: character n-grams up to 6, recall weighted twice."""
    metric = _sacrebleu().CHRF(lowercase=lowercase)
    statistics = _statistics(metric, hypotheses, references)

    def value(total: NDArray[np.float64]) -> float:
        return float(metric._compute_score_from_stats(total.tolist()).score)

    return measured("chrF2", statistics, value, metric.get_signature().format(), excluded)


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

    def value(total: NDArray[np.float64]) -> float:
        matched, got, expected = total
        return float(200 * matched / (got + expected)) if got + expected else 0.0

    return measured("content-F1", statistics, value, signature, excluded)


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
