"""Translation scores over a corpus: BLEU, chrF and content-word F1, and the sets that are printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MissingExtraError, UsageError
from signloom.metrics.cider import count_cider
from signloom.metrics.compatible import count_bleu_litfic, count_bleu_ps
from signloom.metrics.overlap import FUNCTION_WORDS, count_iou
from signloom.metrics.ptb import Tokens
from signloom.metrics.repetition import repeated, repetition_of, score_repetition
from signloom.metrics.rouge import count_rouge
from signloom.metrics.score import Counts, Each, Score, in_pieces, in_turn, paired
from signloom.metrics.words import StopWords, content_words

Tokenizer = Literal["13a", "none", "zh", "char", "intl"]
TOKENIZERS: tuple[Tokenizer, ...] = ("13a", "none", "zh", "char", "intl")

Which = Literal["core", "standard", "all"]
"""core: BLEU-1…4, chrF2, content-F1. standard: chrF++, ROUGE-L, CIDEr-D and repetition too.
all: the ROUGE-L of rouge-score, bleu_ps, bleu_litfic and iou_litfic too."""

CHARACTER_ORDERS = 6


def score_translation(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
    stop_words: StopWords = "en-v1",
    which: Which = "core",
    each: Each = in_turn,
) -> list[Score]:
    """The scores of hypotheses beside one reference each, by default BLEU-1…4, chrF2, content-F1.

    Pairs with an empty reference are excluded and counted. Raises UsageError
    where the counts differ, MissingExtraError without sacreBLEU.
    """
    counted = count_translation(
        hypotheses, references, lowercase, tokenize, stop_words, which, each
    )
    return [counts.score() for counts in counted]


def count_translation(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
    stop_words: StopWords = "en-v1",
    which: Which = "core",
    each: Each = in_turn,
) -> list[Counts]:
    """What each of those scores counts, for intervals and for comparing two systems.

    tokenize: BLEU's. With 'zh' and 'char', for text without spaces, it also cuts the words of
        ROUGE-L and CIDEr-D, else spaces and ``signloom-ptb-v1`` do.
    each: by whom the sentences are counted; CIDEr-D, which looks at all of them, and what 'all' adds
        are counted here.
    'all' leaves rougeL(rouge-score) out where it finds no word in some reference.
    Raises as `score_translation` does.
    """
    kept, truth, excluded = paired(hypotheses, references)
    apart: Tokens | None = tokenize if tokenize == "zh" or tokenize == "char" else None
    alone = partial(
        _count_sentences,
        lowercase=lowercase,
        tokenize=tokenize,
        stop_words=stop_words,
        core=which == "core",
    )
    found = alone(kept, truth) if each is in_turn else in_pieces(alone, kept, truth, each)
    if which != "core":
        at = next(i for i, counts in enumerate(found) if counts.name == "content-F1")
        found.insert(at, count_cider(kept, truth, apart or "ptb", lowercase))
    if which == "all":
        try:
            found.append(count_rouge(kept, truth, "rouge-score"))
        except UsageError:
            pass
        found += count_bleu_ps(kept, truth, lowercase)
        found += count_bleu_litfic(kept, truth)
        try:
            found.append(count_iou(kept, truth, FUNCTION_WORDS if stop_words == "en-v1" else ()))
        except UsageError:
            pass
    return [replace(counts, excluded=excluded + counts.excluded) for counts in found]


def _count_sentences(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    lowercase: bool,
    tokenize: Tokenizer,
    stop_words: StopWords,
    core: bool,
) -> list[Counts]:
    """Those of the scores that count one sentence after the other."""
    apart: Tokens = tokenize if tokenize == "zh" or tokenize == "char" else "space"
    found = count_bleu(hypotheses, references, lowercase, tokenize)
    found += count_chrf(hypotheses, references, lowercase, plus=not core)
    if not core:
        found.append(count_rouge(hypotheses, references, "slt", apart, lowercase))
    found.append(count_content(hypotheses, references, stop_words))
    if not core:
        found.append(count_repetition(hypotheses))
    return found


def count_bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
) -> list[Counts]:
    """sacreBLEU's BLEU-1 to BLEU-4, cumulative: the n-gram precisions up to n, not the n-th alone."""
    module = _sacrebleu()
    # force: no warning about sentences that end in " ."; the tokeniser is in the signature.
    metric = module.BLEU(lowercase=lowercase, tokenize=tokenize, force=True)
    statistics = _statistics(metric, hypotheses, references)
    signature = metric.get_signature().format()
    return [
        Counts(f"BLEU-{n}", statistics, partial(bleu_of, order=n), signature) for n in range(1, 5)
    ]


def bleu(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    lowercase: bool = False,
    tokenize: Tokenizer = "13a",
) -> list[Score]:
    """BLEU-1 to BLEU-4 alone; no pair is left out, ``excluded`` is only told."""
    counted = count_bleu(hypotheses, references, lowercase, tokenize)
    return [replace(counts, excluded=excluded).score() for counts in counted]


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


def count_chrf(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    plus: bool = False,
) -> list[Counts]:
    """sacreBLEU's chrF2: character n-grams up to 6, recall weighted twice; ``plus``: chrF++ too.

    chrF++ adds words and their bigrams.
    """
    module = _sacrebleu()
    metrics = [module.CHRF(lowercase=lowercase, word_order=order) for order in (0, 2)]
    statistics = _statistics(metrics[plus], hypotheses, references)
    _statistics(metrics[not plus], hypotheses[:1], references[:1])  # to know how many references
    signatures = [metric.get_signature().format() for metric in metrics]
    found = [Counts("chrF2", statistics[:, : 3 * CHARACTER_ORDERS], chrf_of, signatures[0])]
    return found + ([Counts("chrF++", statistics, chrf_of, signatures[1])] if plus else [])


def chrf(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    lowercase: bool = False,
) -> Score:
    """chrF2 alone; no pair is left out, ``excluded`` is only told."""
    return replace(count_chrf(hypotheses, references, lowercase)[0], excluded=excluded).score()


def sentence_chrf(hypothesis: str, reference: str) -> float:
    """chrF2 of one sentence, in percent."""
    return count_chrf([hypothesis], [reference])[0].value()


def chrf_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """chrF from summed counts (m, 3 per order): n-grams of hypothesis, of reference, and matches."""
    got, expected, matches = (sums[..., i::3] for i in range(3))
    counted = (got > 0) & (expected > 0)
    orders = np.maximum(counted.sum(axis=-1), 1)
    precision = (counted * matches / np.maximum(got, 1)).sum(axis=-1) / orders
    recall = (counted * matches / np.maximum(expected, 1)).sum(axis=-1) / orders
    return 100 * 5 * precision * recall / np.maximum(4 * precision + recall, 1e-300)


def count_content(
    hypotheses: Sequence[str], references: Sequence[str], stop_words: StopWords = "en-v1"
) -> Counts:
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

    return Counts("content-F1", statistics, values, signature)


def content_f1(
    hypotheses: Sequence[str],
    references: Sequence[str],
    excluded: int = 0,
    stop_words: StopWords = "en-v1",
) -> Score:
    """Content-word F1 alone; no pair is left out, ``excluded`` is only told."""
    return replace(count_content(hypotheses, references, stop_words), excluded=excluded).score()


def count_repetition(hypotheses: Sequence[str], order: int = 2) -> Counts:
    """Repeated n-grams of words within a sentence; see `metrics.repetition`."""
    named = score_repetition(hypotheses[:1], order)
    statistics = repeated(hypotheses, order)
    return Counts(named.name, statistics, repetition_of, named.signature, better="low")


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
