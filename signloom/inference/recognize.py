"""Clips to glosses: what a recogniser offers, how sure it is, and when it had better say nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

import signloom
from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.sample import Sample, SampleSource, gloss_of
from signloom.errors import UsageError
from signloom.inference.predictions import clip_hash
from signloom.inference.translate import refuse_untrusted
from signloom.metrics.recognition import calibration_error, score_classification
from signloom.metrics.score import Score

ACCEPTED = 0.95
"""Share of the dev clips that are recognised rightly which must count as known."""

BUNDLED = Path(signloom.__file__).parent / "bundled" / "recogniser"
"""The recogniser that comes with the package; it knows the 342 signs of sim-words-v1 small, simulated."""

CHUNK = 128
"""Clips held in memory at once."""
LEAST = 20
"""Dev clips of known glosses below which nothing is calibrated."""

Reads = Literal["pose", "lips"]
"""What a recogniser reads of a clip."""


@dataclass(frozen=True)
class Candidate:
    """probability: calibrated where the model is; over the model's glosses."""

    gloss: str
    probability: float


@dataclass(frozen=True)
class Recognition:
    """candidates: the likeliest first. known: false where the clip is probably none of the glosses.
    read: what the answer rests on."""

    candidates: tuple[Candidate, ...]
    known: bool = True
    read: Reads | Literal["pose and lips"] = "pose"


@dataclass(frozen=True)
class Calibration:
    """What turns logits into probabilities that can be believed, fitted on dev clips.

    temperature: logits are divided by it. threshold: a clip whose `evidence` is below it is
    unknown; one number for all glosses. n: clips it was fitted on. ece_before, ece_after: the
    expected calibration error there (%), without and with the temperature.
    """

    temperature: float
    threshold: float
    n: int
    ece_before: float
    ece_after: float

    def knows(self, logits: NDArray[np.float64]) -> bool:
        """Whether a clip's logits (glosses,) speak for any gloss at all."""
        return bool(evidence(logits[None])[0] >= self.threshold)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Calibration:
        return cls(**value)


@runtime_checkable
class Recognizer(Protocol):
    """A model that names single signs; every method that can offers this."""

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def simulated_only(self) -> bool: ...

    @property
    def glosses(self) -> Sequence[str]: ...

    @property
    def reads_lips(self) -> bool: ...

    def recognize(
        self,
        clips: Sequence[PoseClip],
        top: int = 5,
        lips: Sequence[Lips | None] | None = None,
    ) -> list[Recognition]: ...


def recognize_clips(
    model: Recognizer,
    clips: Sequence[PoseClip],
    top: int = 5,
    lips: Sequence[Lips | None] | None = None,
    batch: int = 64,
) -> list[Recognition]:
    """One recognition per clip, in order, each with its ``top`` likeliest glosses.

    lips: of each clip, where they are known.
    """
    found: list[Recognition] = []
    for first in range(0, len(clips), batch):
        part = slice(first, first + batch)
        found += model.recognize(clips[part], top, None if lips is None else lips[part])
    return found


def recognitions(
    logits: NDArray[np.float64],
    glosses: Sequence[str],
    calibration: Calibration | None,
    top: int,
    read: Reads | Literal["pose and lips"],
) -> list[Recognition]:
    """What logits (clips, glosses) say of each clip."""
    found = []
    for row, chances in zip(logits, probabilities(logits, calibration), strict=True):
        best = np.argsort(-chances, kind="stable")[:top]
        known = calibration is None or calibration.knows(row)
        candidates = tuple(Candidate(glosses[i], float(chances[i])) for i in best)
        found.append(Recognition(candidates, known, read))
    return found


def ranked(
    logits: NDArray[np.float64], glosses: Sequence[str], top: int = 5
) -> list[Sequence[str]]:
    """The likeliest glosses of each clip, the best first."""
    order = np.argsort(-logits, axis=1, kind="stable")[:, :top]
    return [[glosses[i] for i in row] for row in order]


def chunks(corpus: SampleSource, limit: int, size: int = CHUNK) -> Iterator[list[Sample]]:
    """The first ``limit`` samples, ``size`` at a time."""
    total = min(limit, len(corpus))
    for start in range(0, total, size):
        yield [corpus[i] for i in range(start, min(start + size, total))]


def evidence(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """(clips,): how far the best logit stands above the mean of all, in which no gloss is named."""
    return np.asarray(logits.max(axis=1) - logits.mean(axis=1))


def probabilities(
    logits: NDArray[np.float64], calibration: Calibration | None = None
) -> NDArray[np.float64]:
    """(clips, glosses): softmax of the logits, over the temperature where there is one."""
    scaled = logits / (calibration.temperature if calibration else 1.0)
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def calibrated(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> Calibration | None:
    """The calibration that dev clips give; None where fewer than LEAST are of known glosses.

    labels: −1 for a gloss that the model has not; such clips do not count.
    temperature: the one with the least cross-entropy (Guo et al. 2017). threshold: ACCEPTED of the
    clips that are recognised rightly lie above it.
    """
    logits, labels = logits[labels >= 0], labels[labels >= 0]
    right = logits.argmax(axis=1) == labels
    if len(labels) < LEAST or not right.any():
        return None
    temperature = fitted_temperature(logits, labels)
    threshold = float(np.quantile(evidence(logits)[right], 1 - ACCEPTED))
    found = Calibration(temperature, threshold, len(labels), 0.0, 0.0)
    before, after = (
        100 * calibration_error(probabilities(logits, each).max(axis=1), right)
        for each in (None, found)
    )
    return Calibration(
        round(temperature, 4), threshold, len(labels), round(before, 2), round(after, 2)
    )


def fitted_temperature(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """The T > 0 for which softmax(logits/T) gives the labels the most probability, within e^±3.

    The cross-entropy is convex in 1/T, so golden sections find it.
    """
    rows = np.arange(len(labels))

    def cross_entropy(log_t: float) -> float:
        scaled = logits / np.exp(log_t)
        top = scaled.max(axis=1)
        total = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float((total - scaled[rows, labels]).mean())

    low, high, golden = -3.0, 3.0, (5**0.5 - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cross_entropy(left) <= cross_entropy(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


@dataclass(frozen=True)
class RecognitionEvaluation:
    """What was recognised on a split, in its order, and the scores of model and baselines."""

    simulated: bool
    """Whether every clip was simulated."""
    ids: tuple[str, ...]
    inputs: tuple[str, ...]
    """The hash of each clip's content."""
    references: tuple[str, ...]
    recognitions: tuple[Recognition, ...]
    """Of each clip the five likeliest glosses."""
    metrics: tuple[Score, ...]
    baselines: dict[str, tuple[Score, ...]]

    @property
    def read(self) -> dict[str, int]:
        """How many answers rest on what."""
        return dict(Counter(each.read for each in self.recognitions))

    @property
    def unknown(self) -> int:
        """Clips that the model takes for none of its glosses."""
        return sum(not each.known for each in self.recognitions)

    def to_json(self) -> dict[str, Any]:
        """Whether simulated, n, what was read, how many were unknown, metrics and baselines, as
        scores.json carries them."""
        return {
            "simulated": self.simulated,
            "n": len(self.references),
            "read": self.read,
            "unknown": self.unknown,
            "metrics": [score.to_json() for score in self.metrics],
            "baselines": {
                name: [score.to_json() for score in scores]
                for name, scores in self.baselines.items()
            },
        }


def evaluate_recognition(
    model: Recognizer,
    corpus: SampleSource,
    training_texts: Sequence[str],
    *,
    limit: int | None = None,
    allow_simulated: bool = False,
    advance: Callable[[int], None] = lambda done: None,
) -> RecognitionEvaluation:
    """Recognises a split (its first ``limit`` samples), scored beside two baselines.

    A gloss (`data.sample.gloss_of`) that the model has not counts as wrong.
    Baselines: the same answers, each given to the next clip with another gloss ("shuffled input"),
    and the glosses of ``training_texts`` by how often they occur ("most frequent glosses").

    Raises UntrustedResultError for a model that knows only simulated signing on real clips,
    UsageError where the split is empty.
    """
    total = len(corpus) if limit is None else min(limit, len(corpus))
    if total < 1:
        raise UsageError(
            f"nothing to evaluate: the split has {len(corpus)} samples and the limit is {limit}; "
            "choose a split with samples and a limit of at least 1"
        )
    simulated = True
    ids: list[str] = []
    inputs: list[str] = []
    references: list[str] = []
    found: list[Recognition] = []
    for samples in chunks(corpus, total):
        for sample in samples:
            refuse_untrusted(model, sample.clip.simulated, allow_simulated, f"sample '{sample.id}'")
            simulated = simulated and sample.clip.simulated
        found += recognize_clips(model, [s.clip for s in samples], lips=[s.lips for s in samples])
        ids += [sample.id for sample in samples]
        inputs += [clip_hash(sample.clip) for sample in samples]
        references += [gloss_of(sample) for sample in samples]
        advance(len(samples))
    answers = [[candidate.gloss for candidate in each.candidates] for each in found]
    frequent = [gloss for gloss, _ in Counter(map(str.strip, training_texts)).most_common(5)]
    return RecognitionEvaluation(
        simulated,
        tuple(ids),
        tuple(inputs),
        tuple(references),
        tuple(found),
        tuple(score_classification(answers, references)),
        {
            "shuffled input": tuple(
                score_classification(_shuffled(answers, references), references)
            ),
            "most frequent glosses": tuple(
                score_classification([frequent] * len(references), references)
            ),
        },
    )


def _shuffled(answers: Sequence[Sequence[str]], references: Sequence[str]) -> list[Sequence[str]]:
    """The answer to each clip is that to the next clip with another reference."""
    count = len(references)
    others = (
        next((j % count for j in range(i + 1, i + count) if references[j % count] != told), i)
        for i, told in enumerate(references)
    )
    return [answers[other] for other in others]
