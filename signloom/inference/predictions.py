"""Predictions kept: one JSON line per sample, from which every figure can be counted again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.errors import MediaError, UsageError
from signloom.metrics.translation import sentence_chrf


@dataclass(frozen=True)
class Prediction:
    """What a model wrote for one sample.

    id: the sample's; input: hash of the clip's content; score: chrF2 of this sentence, in percent;
    model: sha256 of the weights; split: which split of the corpus it was.
    """

    id: str
    input: str
    reference: str
    hypothesis: str
    score: float
    model: str
    split: str


@dataclass(frozen=True)
class Paired:
    """One sample in two runs; difference: chrF2 of ``a`` − chrF2 of ``b``, below 0 where b was better."""

    a: Prediction
    b: Prediction

    @property
    def difference(self) -> float:
        return self.a.score - self.b.score


def clip_hash(clip: PoseClip) -> str:
    """Sha256 over what a model reads of a clip: points, confidence, frame rate, layout; 64 hex digits."""
    digest = hashlib.sha256(f"{clip.layout.name} {clip.fps!r} {clip.points.shape}".encode())
    for array in (clip.points, clip.confidence):
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


def predictions(
    ids: Sequence[str],
    inputs: Sequence[str],
    references: Sequence[str],
    hypotheses: Sequence[str],
    model: str,
    split: str,
) -> list[Prediction]:
    """The record of an evaluation, scored sentence by sentence; a sample without text scores 0."""
    return [
        Prediction(
            id,
            input,
            reference,
            hypothesis,
            round(sentence_chrf(hypothesis, reference), 4) if reference.strip() else 0.0,
            model,
            split,
        )
        for id, input, reference, hypothesis in zip(
            ids, inputs, references, hypotheses, strict=True
        )
    ]


def write_predictions(path: Path, found: Iterable[Prediction], overwrite: bool = False) -> None:
    """One JSON object a line. Raises UsageError where the file exists."""
    with writing(path, overwrite) as temporary:
        lines = [json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in found]
        temporary.write_text("".join(lines), encoding="utf-8", newline="\n")


def read_predictions(path: Path) -> list[Prediction]:
    """The predictions of a file that `signloom evaluate` wrote, in its order.

    Lines end at a line feed and nowhere else. Raises MediaError where the file cannot be read
    or a line is not such a record, UsageError where one sample is in it twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read: {error.strerror or error}; expected predictions, one JSON "
            "line a sample, as `signloom evaluate` writes them"
        ) from error
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{path} is not UTF-8 text (byte {error.start} is {error.object[error.start]:#04x}); "
            "expected predictions as `signloom evaluate` writes them"
        ) from None
    found: list[Prediction] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        prediction = _read(line, f"{path} line {number}")
        if prediction.id in seen:
            raise UsageError(
                f"{path} holds sample '{prediction.id}' in line {seen[prediction.id]} and again in "
                f"line {number}, expected each sample once; was the file written twice into?"
            )
        seen[prediction.id] = number
        found.append(prediction)
    if not found:
        raise MediaError(f"{path} holds no prediction; expected one JSON line a sample")
    return found


def _read(line: str, where: str) -> Prediction:
    names = [field.name for field in fields(Prediction)]
    try:
        value = json.loads(line)
        missing = [name for name in names if name not in value]
        if missing:
            raise ValueError(f"'{missing[0]}' is missing")
        texts = {name: value[name] for name in names if name != "score"}
        if odd := [name for name, text in texts.items() if not isinstance(text, str)]:
            raise ValueError(f"'{odd[0]}' is no text")
        return Prediction(**texts, score=float(value["score"]))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MediaError(
            f"{where} is no prediction ({error}); expected JSON with {', '.join(names)}, as "
            "`signloom evaluate` writes it"
        ) from None


def pair_runs(
    a: Sequence[Prediction], b: Sequence[Prediction], names: tuple[str, str] = ("A", "B")
) -> list[Paired]:
    """The samples of two runs, paired by id, in the order of ``a``.

    Raises UsageError where one has a sample that the other has not, or where a sample's clip
    or reference is not the same in both.
    """
    by_id = {prediction.id: prediction for prediction in b}
    for here, there, mine, theirs in (
        (names[0], names[1], a, b),
        (names[1], names[0], b, a),
    ):
        others = {prediction.id for prediction in theirs}
        only = [prediction.id for prediction in mine if prediction.id not in others]
        if only:
            raise UsageError(
                f"{here} has {len(only)} samples that {there} has not, the first '{only[0]}'; "
                "two runs are compared over the same samples: evaluate both on one split, with "
                "the same --limit"
            )
    found = [Paired(prediction, by_id[prediction.id]) for prediction in a]
    for pair in found:
        if pair.a.input != pair.b.input:
            raise UsageError(
                f"sample '{pair.a.id}' is another clip in {names[0]} (input {pair.a.input[:12]}…) "
                f"than in {names[1]} ({pair.b.input[:12]}…); evaluate both models on one store"
            )
        if pair.a.reference != pair.b.reference:
            raise UsageError(
                f"sample '{pair.a.id}' has the reference '{pair.a.reference[:60]}' in {names[0]} but "
                f"'{pair.b.reference[:60]}' in {names[1]}; evaluate both models on one store"
            )
    return found
