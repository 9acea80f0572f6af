"""BLEU as two papers compute it, each beside the same BLEU put right, so that figures can be matched.

Both are kept to compare with what those papers print, not to report new results by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from signloom.metrics.ptb import NAME, ptb_tokens
from signloom.metrics.score import Counts

ORDERS = 4


def count_bleu_ps(
    hypotheses: Sequence[str], references: Sequence[str], lowercase: bool = False
) -> list[Counts]:
    """bleu_ps-1 to bleu_ps-4, each followed by its corrected form.

    The BLEU of POSESTITCH-SLT's code, which is that of Google's NMT: words between white space,
    one added to the matches and to the n-grams of every order (so that nothing scores 0),
    precisions up to n. Corrected: without the additions, otherwise the same.
    """
    from signloom import __version__

    if lowercase:
        hypotheses, references = [h.lower() for h in hypotheses], [r.lower() for r in references]
    statistics = ngram_counts(hypotheses, references, str.split)
    case = "lc" if lowercase else "mixed"

    def named(order: int, added: int) -> Counts:
        signature = f"nrefs:1|case:{case}|tok:space|smooth:{'add-1' if added else 'none'}"
        return Counts(
            f"bleu_ps-{order}" + ("" if added else " (corrected)"),
            statistics,
            partial(plain_bleu, order=order, added=added),
            f"{signature}|version:{__version__}",
        )

    return [named(order, added) for order in range(1, ORDERS + 1) for added in (1, 0)]


def count_bleu_litfic(hypotheses: Sequence[str], references: Sequence[str]) -> list[Counts]:
    """bleu_litfic, followed by its corrected form.

    pycocoevalcap's BLEU-4 on ``signloom-ptb-v1`` words. LiTFiC's code gives it hypotheses and
    references in each other's place: the precision is then over the n-grams of the reference,
    and the brevity penalty falls on hypotheses that are longer. Corrected: in their own places.
    """
    from signloom import __version__

    def named(name: str, first: Sequence[str], second: Sequence[str], order: str) -> Counts:
        signature = f"nrefs:1|case:lc|tok:{NAME}|smooth:none|order:{order}|version:{__version__}"
        return Counts(name, ngram_counts(first, second, ptb_tokens), plain_bleu, signature)

    return [
        named("bleu_litfic", references, hypotheses, "swapped"),
        named("bleu_litfic (corrected)", hypotheses, references, "hyp,ref"),
    ]


def ngram_counts(
    hypotheses: Sequence[str],
    references: Sequence[str],
    cut: Callable[[str], Sequence[str]],
) -> NDArray[np.float64]:
    """(sentences, 10): words of hypothesis and of reference, four clipped matches, four n-grams."""
    rows = np.zeros((len(references), 2 + 2 * ORDERS))
    for row, hypothesis, reference in zip(rows, hypotheses, references, strict=True):
        got, expected = cut(hypothesis), cut(reference)
        row[:2] = len(got), len(expected)
        for n in range(1, ORDERS + 1):
            grams = _grams(got, n)
            row[1 + n] = (grams & _grams(expected, n)).total()
            row[1 + ORDERS + n] = grams.total()
    return rows


def plain_bleu(
    sums: NDArray[np.float64], order: int = ORDERS, added: int = 0
) -> NDArray[np.float64]:
    """BLEU in percent from summed counts (…, 10); ``added`` to matches and n-grams of each order.

    0 where an order has no match and nothing is added, or where nothing was said.
    """
    length, expected = sums[..., 0], sums[..., 1]
    matches, grams = sums[..., 2 : 2 + order] + added, sums[..., 6 : 6 + order] + added
    defined = (matches > 0).all(axis=-1) & (length > 0)
    precision = np.where(matches > 0, matches, 1) / np.maximum(grams, 1)
    brevity = np.exp(np.minimum(0, 1 - expected / np.maximum(length, 1)))
    return np.where(defined, 100 * brevity * np.exp(np.log(precision).mean(axis=-1)), 0.0)


def _grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
