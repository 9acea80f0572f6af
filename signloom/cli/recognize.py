"""signloom recognize: videos or pose files of single signs to glosses."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.direction import isolated
from signloom.cli.translate import AskedBackend, Backend, refuse_backend
from signloom.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from signloom.data.sample import SampleSource
    from signloom.inference.recognize import Recognition, Recognizer

UNKNOWN = "unknown"
"""Shown for a clip that the model takes for none of its glosses."""


def run(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="INPUT…", help="Pose files (.pose) or videos.", show_default=False),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            help="Checkpoint folder or hub id of a recogniser (default: the bundled one, which "
            "knows simulated signs only)."
        ),
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many glosses to give.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, to stdout.")] = False,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated",
            help="Recognise real signing even with a model that has learnt from simulated signing only.",
        ),
    ] = False,
    backend: AskedBackend = None,
) -> None:
    """Name the sign in each clip, one sign a clip.

    Probabilities are over the model's own glosses, calibrated where it was; a
    clip that is probably none of them is shown as unknown, with the nearest
    ones. A model of pose and lips (`signloom fuse`) answers from pose alone
    where the lips are not known, and says so. An input that fails is named on
    stderr and the others still finish; the exit code is then that of the first
    failure.
    """
    from signloom.cli.translate import computing, read_inputs
    from signloom.inference.recognize import recognize_clips

    recognizer: Any = loaded(model, backend)
    clips, lips, failures = read_inputs(inputs, recognizer, allow_simulated)
    with computing(backend):
        told = recognize_clips(recognizer, list(clips.values()), top, [lips.get(p) for p in clips])
    found = dict(zip(clips, told, strict=True))
    done = [path for path in inputs if path in found]
    alone = [str(path) for path in done if found[path].read == "pose"]
    if recognizer.reads_lips and alone:
        print(
            f"signloom: the lips are not known of {', '.join(alone)} (--lips of `signloom extract` "
            "makes them); the pose alone answers",
            file=sys.stderr,
        )
    if as_json:
        listed = [entry(path, found[path]) for path in done]
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif done:
        typer.echo(shown([(str(path), found[path]) for path in done]))
    if failures:
        raise typer.Exit(failures[min(failures, key=inputs.index)].exit_code)


def loaded(name: str | None, backend: Backend | None = None) -> Recognizer:
    """The recogniser asked for, or the bundled one.

    Raises UsageError where it recognises nothing, or none is named and this copy has none.
    """
    from signloom.inference.recognize import BUNDLED, Recognizer
    from signloom.methods.load import load

    if name is None and not BUNDLED.is_dir():
        raise UsageError(
            f"this copy of signloom has no bundled recogniser (expected at {BUNDLED}); give a "
            "checkpoint with --model, for instance the RUN/best that `signloom train "
            "recipes/isolated-wlasl100.yaml -o RUN` writes"
        )
    model = load(BUNDLED if name is None else name, onnx=backend is Backend.onnx)
    refuse_backend(model, backend)
    if not isinstance(model, Recognizer):
        raise UsageError(
            f"model '{model.name}' recognises no single signs; give --model a checkpoint of method "
            "'isolated', or use `signloom translate`"
        )
    return model


def entry(path: Path, found: Recognition) -> dict[str, Any]:
    """An input's place in the JSON list."""
    return {
        "input": str(path),
        "candidates": [
            {"gloss": each.gloss, "probability": round(each.probability, 6)}
            for each in found.candidates
        ],
        "known": found.known,
        "read": found.read,
    }


def shown(found: Sequence[tuple[str, Recognition]]) -> str:
    """A table: an input's candidates under one another, after ``unknown`` where it is none of them."""
    rows: list[tuple[str, str, str]] = []
    for name, recognition in found:
        lines = [] if recognition.known else [(UNKNOWN, "")]
        lines += [
            (each.gloss, f"{100 * each.probability:5.1f} %") for each in recognition.candidates
        ]
        rows += [(name if not i else "", gloss, chance) for i, (gloss, chance) in enumerate(lines)]
    wide = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return "\n".join(
        f"{a:{wide[0]}}  {isolated(b)}{'':{wide[1] - len(b)}}  {c}".rstrip() for a, b, c in rows
    )


def evaluate_recognizer(
    model: Recognizer,
    checkpoint: str,
    store: str,
    split: str,
    out: Path,
    predictions: Path,
    limit: int | None,
    record: bool,
    allow_simulated: bool,
    overwrite: bool,
) -> None:
    """What `signloom evaluate` does with a recogniser: the same files, scores of its own."""
    from signloom.cli.evaluate import keep, simulated_note, told
    from signloom.cli.progress import progress
    from signloom.cli.table import beside, table
    from signloom.inference.recognize import evaluate_recognition
    from signloom.metrics.recognition import CLASSIFICATION

    corpus, training, texts_from = read_words(store, split, model)
    total = len(corpus) if limit is None else min(limit, len(corpus))
    with progress("clips", total) as advance:
        found = evaluate_recognition(
            model, corpus, training, limit=limit, allow_simulated=allow_simulated, advance=advance
        )
    first = [each.candidates[0].gloss for each in found.recognitions]
    answered = (found.ids, found.inputs, found.references, first)
    report = told(checkpoint, store, split, texts_from, found.to_json())
    keep(report, answered, out, predictions, record, overwrite)
    print(f"{model.name} on {store} {split}{simulated_note(found.simulated)}")
    print(table(found.metrics, "clip"))
    print(f"{found.unknown} of {len(found.ids)} clips are taken for none of the glosses")
    if model.reads_lips:
        print(f"read: {', '.join(f'{what} of {n} clips' for what, n in found.read.items())}")
    print()
    print(beside({model.name: found.metrics, **found.baselines}, CLASSIFICATION))


def read_words(
    store: str, split: str, model: Recognizer
) -> tuple[SampleSource, Sequence[str], str]:
    """The split, the training glosses that a baseline is made of, and where those come from.

    Samples come with lips where the model reads them and the corpus has them. Raises UsageError
    where a sample of the split has none and the model reads nothing else.
    """
    from signloom.cli.evaluate import read_corpus
    from signloom.corpora.store import open_store
    from signloom.inference.translate import needs_lips

    if not store.startswith("sim:"):
        whole = open_store(store)
        having = whole.with_lips(split)
        lips = model.reads_lips and having > 0
        corpus, _, texts_from = read_corpus(store, split, model.layout, lips=lips)
        if needs_lips(model) and having < len(corpus):
            raise UsageError(
                f"{having} of the {len(corpus)} samples of split '{split}' of {store} have lips, "
                f"expected all: model '{model.name}' reads nothing else; prepare the corpus with "
                "--lips, or evaluate the model fused with one of pose (`signloom fuse`)"
            )
        known = open_store(store, "train" if "train" in whole.splits else split)
        return corpus, known.single_glosses(), texts_from
    from signloom.simulator.corpora import SimulatedWords

    size = store.removeprefix("sim:")
    training = SimulatedWords(size, "train", model.layout)
    words = SimulatedWords(size, split, model.layout, lips=model.reads_lips)
    return words, training.texts(), "train split"
