"""What the simulated corpora hold, and how well they can be translated at all.

    python -m benchmarks.simulated_corpora [-o docs/simulator-corpora.md] [tiny small base]

Counts of texts, glosses, words and lengths for each size and split; the scores of
translators that see no signing; and the ceiling: the score of one that reads signs and
faces without error and answers with the text most often signed so. Clips are rendered only
for the rate and the durations.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from signloom.data.files import writing
from signloom.data.layouts import LAYOUTS
from signloom.inference.evaluate import SHUFFLED, baselines
from signloom.metrics.translation import bleu, content_f1
from signloom.simulator.corpora import (
    CLIPS_PER_WORD,
    SENTENCES_VERSION,
    SIGNERS,
    SPLITS,
    WORDS_VERSION,
    SimulatedSentences,
    SimulatedWords,
)
from signloom.simulator.grammar import SimulatedSentence, sentence
from signloom.simulator.lexicon import SIZES, vocabulary
from signloom.text.clean import words_of

DENSE = 100_000
"""Sentences over the tiny vocabulary: enough that what can be signed alike is met twice."""
FILMED = 100
"""Clips rendered for durations and rates."""

Sentences = dict[str, list[SimulatedSentence]]


def said(size: str) -> Sentences:
    """The texts and signs of every split."""
    sources = {split: SimulatedSentences(size, split) for split in SPLITS}
    return {split: [s.sentence(i) for i in range(len(s))] for split, s in sources.items()}


def vocabulary_of(sentences: Sequence[SimulatedSentence]) -> set[str]:
    return {word for s in sentences for word in words_of(s.text.lower())}


def counts(size: str, found: Sentences) -> Iterator[str]:
    """Rows: size, split, sentences, of them different, seen in train, words, glosses, unknown words."""
    taught = {s.text for s in found["train"]}
    known = vocabulary_of(found["train"])
    for split, sentences in found.items():
        texts = {s.text for s in sentences}
        tokens = [t for s in sentences for t in s.tokens]
        words = np.mean([len(s.text.split()) for s in sentences])
        unknown = len(vocabulary_of(sentences) - known)
        seen = "" if split == "train" else str(len(texts & taught))
        yield (
            f"| {size} | {split} | {len(sentences):,} | {len(texts):,} | {seen} "
            f"| {words:.1f} | {len(tokens) / len(sentences):.1f} "
            f"| {len(vocabulary_of(sentences)):,} | {len({t.gloss for t in tokens}):,} "
            f"| {'' if split == 'train' else unknown} |"
        )


def most_often(sentences: Sequence[SimulatedSentence]) -> dict[object, Counter[str]]:
    """Signs with faces → how often each text is signed so."""
    found: dict[object, Counter[str]] = defaultdict(Counter)
    for one in sentences:
        found[one.tokens, one.brow][one.text] += 1
    return found


def scored(hypotheses: list[str], references: list[str]) -> str:
    four = bleu(hypotheses, references)[3]
    return f"{four.value:.1f} | {content_f1(hypotheses, references).value:.1f}"


def ceiling() -> tuple[str, str]:
    """Over the tiny vocabulary, where signings recur: the row, and the sentence about it."""
    rng = np.random.Generator(np.random.Philox(key=1))
    drawn = [sentence(rng, vocabulary("tiny")) for _ in range(DENSE)]
    texts = most_often(drawn)
    twice = {key: found for key, found in texts.items() if sum(found.values()) > 1}
    double = sum(len(found) > 1 for found in twice.values())
    sample = drawn[:2000]
    best = [texts[s.tokens, s.brow].most_common(1)[0][0] for s in sample]
    row = f"| ceiling (tiny vocabulary) | {scored(best, [s.text for s in sample])} |"
    return row, (
        f"Of {len(twice):,} signings met more than once in {DENSE:,} sentences over the tiny "
        f"vocabulary, {double:,} ({100 * double / len(twice):.2f} %) have more than one text."
    )


def blind(size: str, found: Sentences) -> Iterator[str]:
    """Rows: what translators score on test that see no signing."""
    references = [s.text for s in found["test"]]
    answers = baselines(references, references, [s.text for s in found["train"]])
    for name, hypotheses in answers.items():
        if name != SHUFFLED:
            yield f"| {size}: {name} | {scored(hypotheses, references)} |"


def filmed() -> Iterator[str]:
    """Rows: layout, seconds a clip, samples and frames a second on one core."""
    for name in ("hands42", "ps76", "holistic"):
        for source in (
            SimulatedSentences("small", "train", LAYOUTS[name]),
            SimulatedWords("small", "train", LAYOUTS[name]),
        ):
            source[0]
            started = time.perf_counter()
            clips = [source[i].clip for i in range(1, FILMED + 1)]
            took = time.perf_counter() - started
            frames = sum(len(clip) for clip in clips)
            seconds = np.mean([clip.duration for clip in clips])
            yield (
                f"| {source.version} | {name} | {seconds:.1f} | {FILMED / took:.0f} "
                f"| {frames / took:,.0f} |"
            )


def report(sizes: Sequence[str]) -> str:
    """The page, in Markdown."""
    found = {size: said(size) for size in sizes}
    ceiling_row, ambiguity = ceiling()
    domains = Counter(s.domain for s in found[sizes[-1]]["train"])
    total = sum(domains.values())
    lines = [
        "# The simulated corpora",
        "",
        "Written by `python -m benchmarks.simulated_corpora`. Simulated signing: an instrument, "
        "not a sign language.",
        "",
        f"## {SENTENCES_VERSION}",
        "",
        "| size | split | sentences | different | also in train | words | glosses "
        "| vocabulary | gloss vocabulary | words not in train |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(row for size in sizes for row in counts(size, found[size])),
        "",
        "Words and glosses are means a sentence. The hash of a text says which split it belongs "
        "to, so that no split shares a sentence with another, in any size. Signers: "
        + ", ".join(f"{len(SIGNERS[split])} in {split}" for split in SPLITS)
        + ", none in two splits. Domains: "
        + ", ".join(f"{name} {100 * n / total:.0f} %" for name, n in domains.most_common())
        + ". Language sim-1; the lexicons hold "
        + ", ".join(f"{len(vocabulary(size).lemmas):,} words ({size})" for size in sizes)
        + ".",
        "",
        "What can be reached without seeing the signing, and at best, on the test split:",
        "",
        "| translator | BLEU-4 | content-word F1 |",
        "|---|---:|---:|",
        *(row for size in sizes for row in blind(size, found[size])),
        ceiling_row,
        "",
        "The ceiling reads every sign, repetition, pause and brow without error and answers "
        f"with the text most often signed so. {ambiguity}",
        "",
        f"## {WORDS_VERSION}",
        "",
        "Every word in citation form: "
        + ", ".join(f"{CLIPS_PER_WORD[split]} clips in {split}" for split in SPLITS)
        + ", by the signers of the split; a word has the same clips in every size.",
        "",
        f"## Rate on one core (mean of {FILMED} clips)",
        "",
        "| corpus | layout | seconds a clip | clips/s | frames/s |",
        "|---|---|---:|---:|---:|",
        *filmed(),
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=list(SIZES))
    parser.add_argument("-o", "--out", type=Path)
    options = parser.parse_args(arguments)
    page = report(options.sizes)
    if options.out is None:
        sys.stdout.write(page)
        return
    with writing(options.out, overwrite=True) as part:
        part.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
