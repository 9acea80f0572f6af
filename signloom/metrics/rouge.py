"""ROUGE-L under the names of its two incompatible definitions: slt's, and that of rouge-score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from signloom.errors import UsageError
from signloom.metrics.ptb import TOKEN_NAMES, Tokens, tokens_by
from signloom.metrics.score import Counts, mean_of, paired, per_sentence

BETA = 1.2

Variant = Literal["slt", "rouge-score"]
NAMES: dict[Variant, str] = {"slt": "rougeL(slt,beta=1.2)", "rouge-score": "rougeL(rouge-score)"}


def count_rouge(
    hypotheses: Sequence[str],
    references: Sequence[str],
    variant: Variant = "slt",
    tokens: Tokens = "space",
    lowercase: bool = False,
) -> Counts:
    """ROUGE-L in percent: F of the longest common subsequence, averaged over sentences.

    variant: 'slt' is that of slt and pycocoevalcap: F weighted by β = 1.2, words between single
        spaces, case kept; ``tokens`` and ``lowercase`` change that. 'rouge-score' is Google's:
        β = 1, lower case, every sign outside [a-z0-9] a space, no stemming.
    Raises UsageError where the counts differ, or where rouge-score is left without any word of
    a reference, as with Chinese.
    """
    from signloom import __version__

    kept, truth, excluded = paired(hypotheses, references)
    if variant == "rouge-score":
        mute = [reference for reference in truth if not latin_words(reference)]
        if mute:
            raise UsageError(
                f"rougeL(rouge-score) keeps only the signs [a-z0-9], which leaves no word of "
                f"{len(mute)} of {len(truth)} references, the first '{mute[0][:40]}'; use "
                "rougeL(slt,beta=1.2), for Chinese with tokens 'zh' or 'char'"
            )
        scores = [
            f_lcs(latin_words(h), latin_words(r), 1.0) for h, r in zip(kept, truth, strict=True)
        ]
        settings = "case:lc|tok:[a-z0-9]|beta:1|stem:no"
    else:
        if lowercase:
            kept, truth = [h.lower() for h in kept], [r.lower() for r in truth]
        cut = _between_spaces if tokens == "space" else tokens_by(tokens)
        scores = [f_lcs(cut(h), cut(r), BETA) for h, r in zip(kept, truth, strict=True)]
        case = "lc" if lowercase or tokens == "ptb" else "mixed"
        settings = f"case:{case}|tok:{TOKEN_NAMES[tokens]}|beta:{BETA}"
    signature = f"nrefs:1|{settings}|avg:sentence|version:{__version__}"
    return Counts(NAMES[variant], per_sentence(scores) * (100, 1), mean_of, signature, excluded)


def latin_words(sentence: str) -> list[str]:
    """What rouge-score takes for words: runs of [a-z0-9] after lower-casing.

    >>> latin_words("Nächte fällt")
    ['n', 'chte', 'f', 'llt']
    """
    return re.findall(r"[a-z0-9]+", sentence.lower())


def cut_words(references: Sequence[str]) -> int:
    """How many references hold letters that rouge-score cuts words at."""
    return sum(any(c.isalnum() and not c.isascii() for c in reference) for reference in references)


def f_lcs(hypothesis: Sequence[str], reference: Sequence[str], beta: float) -> float:
    """F of precision and recall of the longest common subsequence, 0 to 1; β weighs recall."""
    common = lcs(hypothesis, reference)
    if not common:
        return 0.0
    precision, recall = common / len(hypothesis), common / len(reference)
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision)


def lcs(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest common subsequence of two sequences of words.

    One word of ``first`` at a time, as bits of an integer over ``second`` (Hyyrö 2004).
    """
    places: dict[str, int] = {}
    for place, word in enumerate(second):
        places[word] = places.get(word, 0) | 1 << place
    every = (1 << len(second)) - 1
    row = every
    for word in first:
        matched = row & places.get(word, 0)
        row = ((row + matched) | (row - matched)) & every
    return len(second) - row.bit_count()


def _between_spaces(sentence: str) -> list[str]:
    return sentence.split(" ")
