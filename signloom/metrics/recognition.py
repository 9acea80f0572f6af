"""Recognition scores: word error rate over a corpus, with its three parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MissingExtraError, UsageError
from signloom.metrics.phoenix import clean_phoenix_2014, clean_phoenix_2014t
from signloom.metrics.score import Counts, Each, Score, in_pieces, in_turn, paired

PARTS = ("substitutions", "deletions", "insertions")

Costs = Literal["1/1/1", "3/3/4"]
"""What the alignment pays for a deletion, an insertion, a substitution. Each edit found still
counts once; the costs only choose among alignments. 3/3/4 are those of NIST's sclite."""

Clean = Literal["none", "phoenix2014", "phoenix2014t"]
CLEAN: dict[Clean, Callable[[str], str]] = {
    "none": lambda glosses: glosses,
    "phoenix2014": clean_phoenix_2014,
    "phoenix2014t": clean_phoenix_2014t,
}


def score_recognition(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    costs: Costs = "1/1/1",
    clean: Clean = "none",
) -> list[Score]:
    """WER and the substitutions, deletions and insertions it is the sum of.

    All in percent of the reference words of the corpus; words are what white space separates.
    clean: what both sides go through first. An empty hypothesis counts its reference as
    deletions. Raises UsageError where the counts differ, MissingExtraError without jiwer.
    """
    counted = count_recognition(hypotheses, references, lowercase, costs, clean)
    return [counts.score() for counts in counted]


def count_recognition(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    costs: Costs = "1/1/1",
    clean: Clean = "none",
    each: Each = in_turn,
) -> list[Counts]:
    """What each of those rates counts, for intervals and for comparing two systems.

    each: by whom the sentences are counted.
    """
    if each is not in_turn:
        count = partial(count_recognition, lowercase=lowercase, costs=costs, clean=clean)
        return in_pieces(count, hypotheses, references, each)
    tidy = CLEAN[clean]
    kept, truth, excluded = paired(
        [tidy(hypothesis) for hypothesis in hypotheses],
        [tidy(reference) for reference in references],
    )
    statistics = edits(kept, truth, lowercase, costs)
    case = "lc" if lowercase else "mixed"
    signature = f"nrefs:1|case:{case}|tok:space|costs:{costs}|clean:{clean}|{_version(costs)}"

    def rate(name: str, *kinds: int) -> Counts:
        values = partial(_rate, kinds=kinds)
        return Counts(name, statistics, values, signature, excluded, better="low")

    return [rate("WER", 0, 1, 2), *(rate(name, kind) for kind, name in enumerate(PARTS))]


def error_counts(counted: Sequence[Counts]) -> dict[str, int]:
    """The numbers behind the rates of `count_recognition`: each kind of error, and reference glosses."""
    sums = counted[0].statistics.sum(axis=0).astype(int).tolist()
    return dict(zip((*PARTS, "glosses"), sums, strict=True))


def edits(
    hypotheses: Sequence[str],
    references: Sequence[str],
    lowercase: bool = False,
    costs: Costs = "1/1/1",
) -> NDArray[np.float64]:
    """(sentences, 4): substitutions, deletions, insertions and reference words of each pair."""
    if costs == "3/3/4":
        rows = []
        for hypothesis, reference in zip(hypotheses, references, strict=True):
            if lowercase:
                hypothesis, reference = hypothesis.lower(), reference.lower()
            words = reference.split()
            rows.append((*aligned_edits(hypothesis.split(), words, 3, 3, 4), len(words)))
        return np.array(rows, np.float64).reshape(-1, 4)
    try:
        import jiwer
    except ImportError:
        raise MissingExtraError("Scoring recognition", "metrics") from None

    def tidy(sentence: str) -> str:
        return " ".join((sentence.lower() if lowercase else sentence).split())

    split = jiwer.Compose([jiwer.ReduceToListOfListOfWords()])
    found = jiwer.process_words(
        [tidy(r) for r in references],
        [tidy(h) for h in hypotheses],
        reference_transform=split,
        hypothesis_transform=split,
    )
    at = {"substitute": 0, "delete": 1, "insert": 2}
    counts = np.zeros((len(references), 4))
    for row, reference, chunks in zip(counts, references, found.alignments, strict=True):
        for chunk in chunks:
            if chunk.type in at:
                row[at[chunk.type]] += max(
                    chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
                )
        row[3] = len(reference.split())
    return counts


def aligned_edits(
    hypothesis: Sequence[str],
    reference: Sequence[str],
    deletion: int,
    insertion: int,
    substitution: int,
) -> tuple[int, int, int]:
    """Substitutions, deletions and insertions of the cheapest alignment, for any length.

    Of alignments that cost the same, the one that, read from the end, matches before it
    substitutes, substitutes before it inserts and inserts before it deletes, as slt chooses.
    """
    wide = len(hypothesis) + 1
    table = [[j * insertion for j in range(wide)]]
    for i, expected in enumerate(reference, start=1):
        above, row = table[-1], [i * deletion]
        for j, got in enumerate(hypothesis, start=1):
            diagonal = above[j - 1] + (substitution if got != expected else 0)
            row.append(min(diagonal, above[j] + deletion, row[-1] + insertion))
        table.append(row)
    substitutions = deletions = insertions = 0
    i, j = len(reference), len(hypothesis)
    while i or j:
        here = table[i][j]
        same = i and j and reference[i - 1] == hypothesis[j - 1]
        if same and here == table[i - 1][j - 1]:
            i, j = i - 1, j - 1
        elif i and j and here == table[i - 1][j - 1] + substitution:
            substitutions += 1
            i, j = i - 1, j - 1
        elif j and here == table[i][j - 1] + insertion:
            insertions += 1
            j -= 1
        else:
            deletions += 1
            i -= 1
    return substitutions, deletions, insertions


def _rate(sums: NDArray[np.float64], kinds: tuple[int, ...]) -> NDArray[np.float64]:
    return np.asarray(100 * sums[..., list(kinds)].sum(axis=-1) / sums[..., 3])


def _version(costs: Costs) -> str:
    from importlib.metadata import version

    from signloom import __version__

    return f"jiwer:{version('jiwer')}" if costs == "1/1/1" else f"version:{__version__}"


CLASSIFICATION = ("top-1", "top-5", "top-1-class", "top-5-class")


def score_classification(ranked: Sequence[Sequence[str]], references: Sequence[str]) -> list[Score]:
    """Top-1 and top-5 accuracy in percent, per instance and per class.

    ranked: of each clip the glosses, likeliest first. Per class: the mean over the glosses that
    occur of the share of their clips that are right, so that a rare gloss counts like a common one.
    Raises UsageError where the counts differ or there is nothing to score.
    """
    return [counts.score() for counts in count_classification(ranked, references)]


def classification_rates(
    ranked: Sequence[Sequence[str]], references: Sequence[str]
) -> dict[str, float]:
    """The same by name, without intervals."""
    counted = count_classification(ranked, references)
    return {counts.name: round(counts.value(), 4) for counts in counted}


def count_classification(
    ranked: Sequence[Sequence[str]], references: Sequence[str]
) -> list[Counts]:
    """What each of those rates counts, for intervals and for comparing two systems."""
    if len(ranked) != len(references) or not references:
        raise UsageError(
            f"{len(ranked)} recognised clips stand against {len(references)} references; "
            "expected as many, and at least one"
        )
    classes = {gloss: i for i, gloss in enumerate(dict.fromkeys(references))}
    place = np.array([classes[gloss] for gloss in references])
    found: dict[str, Counts] = {}
    for top in (1, 5):
        right = np.array(
            [gloss in list(best)[:top] for best, gloss in zip(ranked, references, strict=True)]
        )
        signature = f"top:{top}|classes:{len(classes)}"
        each = np.stack([right, np.ones(len(right))], axis=1).astype(float)
        found[f"top-{top}"] = Counts(f"top-{top}", each, _instances, f"{signature}|mean:instance")
        wide = np.zeros((len(right), 2 * len(classes)))
        wide[np.arange(len(right)), place] = right
        wide[np.arange(len(right)), len(classes) + place] = 1
        name = f"top-{top}-class"
        found[name] = Counts(name, wide, _classes, f"{signature}|mean:class")
    return [found[name] for name in CLASSIFICATION]


def _instances(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(100 * sums[..., 0] / sums[..., 1])


def _classes(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the classes that a resample holds."""
    right, all_ = np.split(sums, 2, axis=-1)
    rates = right / np.maximum(all_, 1)
    return np.asarray(100 * rates.sum(axis=-1) / np.maximum((all_ > 0).sum(axis=-1), 1))


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15
) -> float:
    """Expected calibration error, 0–1: how far confidence and accuracy lie apart in equal bins.

    Σ_b n_b/N · |accuracy_b − mean confidence_b| over ``bins`` equal stretches of [0, 1].
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    apart = np.bincount(place, right - confidence, minlength=bins)
    return float(np.abs(apart).sum() / max(len(confidence), 1))
