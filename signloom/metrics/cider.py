"""CIDEr-D of Vedantam et al. 2015, by the formula of pycocoevalcap, which calls it CIDEr."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from signloom.metrics.ptb import TOKEN_NAMES, Tokens, tokens_by
from signloom.metrics.score import Counts, mean_of, paired, per_sentence

ORDERS = 4
SIGMA = 6.0
SCALE = 10.0

Gram = tuple[str, ...]


def count_cider(
    hypotheses: Sequence[str],
    references: Sequence[str],
    tokens: Tokens = "ptb",
    lowercase: bool = False,
) -> Counts:
    """CIDEr-D, 0 to 10: likeness of n-grams weighted by how rare they are among these references.

    The mean over sentences. Rarity is counted in the very references given, so the score depends
    on their number and choice: of one sentence alone it is 0 whatever was said, and a subset
    has another scale than the whole. The interval keeps the weights of the whole set.
    Raises UsageError where the counts differ.
    """
    from signloom import __version__

    kept, truth, excluded = paired(hypotheses, references)
    if lowercase:
        kept, truth = [h.lower() for h in kept], [r.lower() for r in truth]
    cut = tokens_by(tokens)
    scores = sentence_ciders([cut(h) for h in kept], [cut(r) for r in truth])
    case = "lc" if lowercase or tokens == "ptb" else "mixed"
    signature = (
        f"nrefs:1|case:{case}|tok:{TOKEN_NAMES[tokens]}|n:{ORDERS}|sigma:{SIGMA:g}"
        f"|idf:these {len(truth)} references|scale:x{SCALE:g}|version:{__version__}"
    )
    return Counts("CIDEr-D", per_sentence(scores), mean_of, signature, excluded, unit="")


def sentence_ciders(
    hypotheses: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> list[float]:
    """CIDEr-D of each pair of word sequences, ×10, with document frequencies of ``references``."""
    expected = [_grams(words) for words in references]
    frequency = Counter(gram for grams in expected for counts in grams for gram in counts)
    log_documents = math.log(len(references))

    def weighted(grams: list[Counter[Gram]]) -> list[dict[Gram, float]]:
        return [
            {
                gram: count * (log_documents - math.log(max(1, frequency[gram])))
                for gram, count in counts.items()
            }
            for counts in grams
        ]

    scores = []
    for words, truth in zip(hypotheses, expected, strict=True):
        grams = _grams(words)
        # The length that is compared is the number of bigrams.
        apart = grams[1].total() - truth[1].total()
        penalty = math.exp(-(apart**2) / (2 * SIGMA**2))
        likeness = [
            _cosine(got, wanted)
            for got, wanted in zip(weighted(grams), weighted(truth), strict=True)
        ]
        scores.append(SCALE * penalty * sum(likeness) / ORDERS)
    return scores


def _grams(words: Sequence[str]) -> list[Counter[Gram]]:
    return [
        Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
        for n in range(1, ORDERS + 1)
    ]


def _cosine(got: dict[Gram, float], wanted: dict[Gram, float]) -> float:
    """The cosine of two weighted bags, a gram of ``got`` counted no more than ``wanted`` has it."""
    lengths = math.sqrt(sum(w * w for w in got.values()) * sum(w * w for w in wanted.values()))
    if not lengths:
        return 0.0
    return (
        sum(min(w, wanted[gram]) * wanted[gram] for gram, w in got.items() if gram in wanted)
        / lengths
    )
