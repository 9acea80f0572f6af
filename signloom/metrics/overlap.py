"""Overlap of content words as sets, after LiTFiC's 'IoU'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from signloom.errors import UsageError
from signloom.metrics.ptb import NAME, ptb_tokens
from signloom.metrics.score import Counts, mean_of, paired, per_sentence
from signloom.metrics.words import EN_V1

FUNCTION_WORDS = EN_V1 | {"n't", "'s", "'m", "'re", "'ve", "'ll", "'d", "ca", "wo", "sha", "ai"}
"""Our English function words, and the pieces that the tokeniser cuts off them."""

Synonyms = Mapping[str, Collection[str]]
"""A word → the words that stand for it."""


def count_iou(
    hypotheses: Sequence[str],
    references: Sequence[str],
    stop_words: Collection[str] = FUNCTION_WORDS,
    lemma: Callable[[str], str] | None = None,
    synonyms: Synonyms | None = None,
    names: tuple[str, str, str] | None = None,
) -> Counts:
    """Words in common over words in either, sets of each sentence, averaged, in percent.

    Words are those of ``signloom-ptb-v1``. Stop words fall away, then each word becomes its
    lemma; of the hypothesis, a word that is a synonym of an earlier one falls away, and a word
    that stands for one of the reference becomes that one. Without ``lemma`` and ``synonyms``
    words stay as they are. A sentence whose reference holds nothing but stop words is left out
    and counted, as in LiTFiC. LiTFiC uses NLTK's stop words, WordNet's lemmas and a list of
    synonyms, none of which is at hand here: the values are comparable where all three are given.

    names: how the signature calls stop words, lemmas and synonyms, where they are not ours.
    Raises UsageError where the counts differ or no reference holds another word.
    """
    from signloom import __version__

    kept, truth, excluded = paired(hypotheses, references)
    scores = [
        score
        for hypothesis, reference in zip(kept, truth, strict=True)
        if (score := iou(hypothesis, reference, stop_words, lemma, synonyms)) is not None
    ]
    if not scores:
        raise UsageError(
            f"iou_litfic: each of the {len(truth)} references holds stop words alone, expected "
            "one other word at least; check the stop words that were given"
        )
    if names is None:
        ours = stop_words is FUNCTION_WORDS
        stop = "signloom-en-v1+clitics" if ours else "given" if stop_words else "none"
        names = (stop, "given" if lemma else "none", "given" if synonyms else "none")
    signature = (
        f"nrefs:1|case:lc|tok:{NAME}|stop:{names[0]}|lemma:{names[1]}|syn:{names[2]}"
        f"|avg:sentence|version:{__version__}"
    )
    left_out = excluded + len(truth) - len(scores)
    return Counts("iou_litfic", per_sentence(scores) * (100, 1), mean_of, signature, left_out)


def iou(
    hypothesis: str,
    reference: str,
    stop_words: Collection[str] = FUNCTION_WORDS,
    lemma: Callable[[str], str] | None = None,
    synonyms: Synonyms | None = None,
) -> float | None:
    """The overlap of one sentence, 0 to 1; None where the reference holds stop words alone."""
    wanted, said = (_content(text, stop_words, lemma) for text in (reference, hypothesis))
    if not wanted:
        return None
    known = synonyms or {}
    distinct: list[str] = []
    for word in said:
        if not any(word == kept or word in known.get(kept, ()) for kept in distinct):
            distinct.append(word)
    ordered = list(dict.fromkeys(wanted))
    got = {
        word
        if word in ordered
        else next((meant for meant in ordered if word in known.get(meant, ())), word)
        for word in distinct
    }
    return len(got & set(ordered)) / len(got | set(ordered))


def _content(
    sentence: str, stop_words: Collection[str], lemma: Callable[[str], str] | None
) -> list[str]:
    words = [w for w in ptb_tokens(sentence) if w not in stop_words and any(map(str.isalnum, w))]
    return [lemma(word) for word in words] if lemma else words
