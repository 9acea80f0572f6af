"""A model on a split of a corpus, scored beside the baselines that a score must beat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from signloom.data.clip import PoseClip
from signloom.data.sample import Sample, SampleSource, gloss_sentence
from signloom.errors import UsageError
from signloom.inference.predictions import clip_hash
from signloom.inference.recognize import chunks
from signloom.inference.translate import (
    Translator,
    refuse_untrusted,
    tells_previous,
    translate_clips,
    writes_glosses,
)
from signloom.metrics.baselines import BASELINES as BASELINES
from signloom.metrics.baselines import FREQUENT, baselines
from signloom.metrics.baselines import SHUFFLED as SHUFFLED
from signloom.metrics.buckets import (
    GLOSSES,
    LENGTHS,
    Pair,
    by_glosses,
    by_label,
    by_length,
    by_sentence,
)
from signloom.metrics.recognition import count_recognition, error_counts, score_recognition
from signloom.metrics.score import Score
from signloom.metrics.translation import Which, score_translation


@dataclass(frozen=True)
class Evaluation:
    """Hypotheses and references in the order of the split, and the scores of model and baselines."""

    simulated: bool
    """Whether every clip was simulated."""
    ids: tuple[str, ...]
    hypotheses: tuple[str, ...]
    references: tuple[str, ...]
    metrics: tuple[Score, ...]
    baselines: dict[str, tuple[Score, ...]]
    lengths: dict[str, tuple[Score, ...]]
    """Bucket → scores of its sentences; buckets without a sentence are absent."""
    inputs: tuple[str, ...]
    """The hash of each clip's content."""
    glosses: bool = False
    """Whether all texts are glosses, and the scores word error rates."""
    groups: dict[str, dict[str, tuple[Score, ...]]] = field(default_factory=dict)
    """Of glosses: "signers" and "sentences" (seen in training, unseen) → each one's scores, where
    the corpus tells them apart."""
    errors: dict[str, int] = field(default_factory=dict)
    """Of glosses: substitutions, deletions, insertions, the reference's glosses, and of these the
    ``unknown``: what the model cannot write, or, where it does not say what it can, what no training
    sentence has. Each is always an error."""
    cut: int = 0
    """Clips that are longer than the model reads; what lies behind was not read."""
    told_previous: int = 0
    """Clips of which the model was told the true sentence before them."""

    def to_json(self) -> dict[str, Any]:
        """Whether simulated, n, metrics, baselines, buckets and counts, as scores.json carries them."""
        more: dict[str, Any] = {
            name: {label: [score.to_json() for score in scores] for label, scores in group.items()}
            for name, group in self.groups.items()
        }
        more |= {"errors": self.errors} if self.errors else {}
        more |= {"cut": self.cut} if self.cut else {}
        more |= {"told_previous": self.told_previous} if self.told_previous else {}
        return {
            "simulated": self.simulated,
            "n": len(self.references),
            "metrics": [score.to_json() for score in self.metrics],
            "baselines": {
                name: [score.to_json() for score in scores]
                for name, scores in self.baselines.items()
            },
            "lengths": {
                name: {
                    "words": list((GLOSSES if self.glosses else LENGTHS)[name]),
                    "metrics": [score.to_json() for score in scores],
                }
                for name, scores in self.lengths.items()
            },
            **more,
        }


def evaluate(
    translator: Translator,
    corpus: SampleSource,
    training_texts: Sequence[str],
    *,
    limit: int | None = None,
    batch: int = 16,
    beam: int | None = None,
    allow_simulated: bool = False,
    trained_on: bool = True,
    advance: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Translates a split (its first ``limit`` samples) and scores it beside the baselines.

    A model that writes glosses is scored by word error rate against each sample's glosses, beside
    shuffled input and the most frequent gloss sentence, and signer by signer, where signers are named.

    training_texts: where the most frequent sentence and word come from; glosses for such a model.
    trained_on: they are what the corpus has for training, so that its sentences are seen or unseen.
    advance: called after each chunk with how many sentences it had.

    Raises UntrustedResultError for a model that knows only simulated signing
    on real clips, UsageError where the split has no text.
    """
    total = len(corpus) if limit is None else min(limit, len(corpus))
    if total < 1:
        raise UsageError(
            f"nothing to evaluate: the split has {len(corpus)} samples and the limit is {limit}; "
            "choose a split with samples and a limit of at least 1"
        )
    simulated, glosses = True, writes_glosses(translator)
    ids: list[str] = []
    inputs: list[str] = []
    hypotheses: list[str] = []
    references: list[str] = []
    signers: list[str] = []
    cut = told = 0
    for samples in chunks(corpus, total):
        for sample in samples:
            what = f"sample '{sample.id}'"
            refuse_untrusted(translator, sample.clip.simulated, allow_simulated, what)
            simulated = simulated and sample.clip.simulated
        clips = [sample.clip for sample in samples]
        translations = translate_clips(
            translator,
            clips,
            beam,
            batch,
            [sample.lips for sample in samples],
            previous=[sample.previous for sample in samples],
        )
        told += sum(bool(sample.previous) for sample in samples)
        hypotheses += [translation.text for translation in translations]
        references += [_reference(sample, glosses) for sample in samples]
        ids += [sample.id for sample in samples]
        inputs += [clip_hash(sample.clip) for sample in samples]
        signers += [sample.signer for sample in samples]
        cut += sum(is_cut(translator, clip) for clip in clips)
        advance(len(samples))
    if not any(reference.strip() for reference in references):
        raise UsageError(
            f"none of the {total} samples has {'glosses' if glosses else 'text'}, and nothing can be "
            "scored; choose a split where it is known what is signed"
        )
    others = baselines(hypotheses, references, training_texts)
    if glosses:
        others = {name: texts for name, texts in others.items() if name in (SHUFFLED, FREQUENT)}
    scored = _scores(glosses, "standard")
    buckets = by_glosses if glosses else by_length
    groups: dict[str, dict[str, tuple[Score, ...]]] = {}
    errors: dict[str, int] = {}
    if glosses:
        known = training_texts if trained_on else None
        groups = _groups(hypotheses, references, signers, known)
        errors = _errors(hypotheses, references, _writable(translator, known))
    return Evaluation(
        simulated,
        tuple(ids),
        tuple(hypotheses),
        tuple(references),
        tuple(scored(hypotheses, references)),
        {name: tuple(scored(outputs, references)) for name, outputs in others.items()},
        {
            name: tuple(_scores(glosses)(*bucket))
            for name, bucket in buckets(hypotheses, references).items()
        },
        tuple(inputs),
        glosses,
        groups,
        errors,
        cut,
        told if tells_previous(translator) else 0,
    )


def _groups(
    hypotheses: Sequence[str],
    references: Sequence[str],
    signers: Sequence[str],
    training: Sequence[str] | None,
) -> dict[str, dict[str, tuple[Score, ...]]]:
    """Scores by signer, where any is named, and by whether training has the sentence, where it is known."""
    found: dict[str, dict[str, Pair]] = {}
    if any(signers):
        found["signers"] = by_label(hypotheses, references, [s or "unnamed" for s in signers])
    if training is not None:
        found["sentences"] = by_sentence(hypotheses, references, training)
    return {
        name: {
            label: tuple(score_recognition(*pair))
            for label, pair in group.items()
            if any(reference.strip() for reference in pair[1])
        }
        for name, group in found.items()
    }


def _writable(translator: Translator, training: Sequence[str] | None) -> Collection[str] | None:
    """The glosses that a model can write, where it says; else those of training, where they are known."""
    can: Collection[str] | None = getattr(translator, "writable", None)
    if can is None and training is not None:
        return {gloss for text in training for gloss in text.split()}
    return can


def _errors(
    hypotheses: Sequence[str], references: Sequence[str], known: Collection[str] | None
) -> dict[str, int]:
    counted = error_counts(count_recognition(hypotheses, references))
    if known is None:
        return counted
    unknown = sum(gloss not in known for text in references for gloss in text.split())
    return {**counted, "unknown": unknown}


def is_cut(translator: object, clip: PoseClip) -> bool:
    """Whether a clip is longer than what the model reads of it, where it says."""
    read = getattr(translator, "seconds_read", None)
    return read is not None and read(clip) < clip.duration


def translation_scores(
    translator: Translator, corpus: SampleSource, limit: int, beam: int | None = None
) -> dict[str, float]:
    """The scores on the first ``limit`` samples, by name: what training is watched by.

    Word error rate and its parts for a model that writes glosses.
    """
    glosses = writes_glosses(translator)
    samples = [corpus[i] for i in range(min(len(corpus), limit))]
    found = translate_clips(
        translator,
        [s.clip for s in samples],
        beam,
        lips=[s.lips for s in samples],
        previous=[s.previous for s in samples],
    )
    references = [_reference(sample, glosses) for sample in samples]
    scores = _scores(glosses)([translation.text for translation in found], references)
    return {score.name: round(score.value, 4) for score in scores}


def _reference(sample: Sample, glosses: bool) -> str:
    return gloss_sentence(span.gloss for span in sample.glosses) if glosses else sample.text


def _scores(
    glosses: bool, which: Which = "core"
) -> Callable[[Sequence[str], Sequence[str]], list[Score]]:
    return score_recognition if glosses else partial(score_translation, which=which)
