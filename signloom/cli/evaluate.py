"""signloom evaluate: a checkpoint on a split of a corpus, beside its baselines."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.data.layouts import Layout
    from signloom.data.sample import SampleSource


class Instructions(StrEnum):
    kept = "kept"
    held = "held"
    fresh = "fresh"


INSTRUCTED = 100
"""Samples of which each is asked for everything."""
SHOWN = ("BLEU-4", "chrF2", "content-F1")
GLOSSES_SHOWN = ("WER", "substitutions", "deletions", "insertions")
FEW_SIGNERS = 12
"""So many signers have a line each on the terminal; of more the best and the worst are named."""
TRAINED = "train split"


def run(
    checkpoint: Annotated[str, typer.Argument(help="Checkpoint folder or hub id.")],
    store: Annotated[
        str,
        typer.Argument(
            help="Store folder, or sim:tiny, sim:small, sim:base (sim-sentences-v1). A file of "
            "sentences (column 'text') for a model that writes texts again from their embeddings."
        ),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Scores, as JSON.")],
    split: Annotated[str, typer.Option(help="Split to score.")] = "test",
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first N samples (default: all).")
    ] = None,
    hyp: Annotated[
        Path | None, typer.Option(help="Also write the hypotheses here, one a line.")
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Where one JSON line per sample is kept (default: OUT with .predictions.jsonl)."
        ),
    ] = None,
    beam: Annotated[
        int | None, typer.Option(min=1, help="Beam width (default: the model's).")
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Clips translated at once.")] = 16,
    record: Annotated[
        bool,
        typer.Option("--record", help="Also keep the scores in the checkpoint's config.json."),
    ] = False,
    allow_simulated: Annotated[
        bool,
        typer.Option(
            "--allow-simulated", help="Score a model of simulated signing on real clips too."
        ),
    ] = False,
    instructions: Annotated[
        Instructions | None,
        typer.Option(
            help="Also say whether a model that can be told does what it is told, on the first 100 samples: "
            "in phrasings that it may have learnt (kept), that are held out (held), or by which nothing was chosen "
            "either (fresh)."
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="For a tokenizer of motion: the checkpoint of another one, whose features FID compares."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs.")] = False,
) -> None:
    """Run a model on a split and score it.

    BLEU-1…4, chrF2, chrF++, ROUGE-L, CIDEr-D, content-word F1 and repetition,
    each with signature and 95 % interval, beside four baselines: shuffled
    input, the most frequent training sentence, the most frequent training
    words, and the reference with its content words replaced. What was written
    for each sample is kept, for `signloom score --predictions`.

    A model that writes glosses is scored by word error rate, with its substitutions, deletions and
    insertions, beside shuffled input and the most frequent gloss sentence; by the number of glosses, by
    whether training has the sentence, and by signer where signers are named.

    A model with sentence embeddings (semtext) writes the sentences of a file again from their
    embeddings: the most that a perfect prediction could give. Beside it stands the nearest
    sentence of those that it learnt to write.

    A model that recognises single signs is scored by top-1 and top-5, per
    instance and per class, beside shuffled input and the most frequent glosses.

    A tokenizer of motion (motion-vq) is scored by how far the joints are that its codes say, in millimetres by
    part (MPJPE, PA-MPJPE), and by the use of its codes, beside the mean pose, k-means codes and the nearest
    four frames of training; with --encoder also by FID.

    With --instructions: the share of answers in the form that was asked for, by family, beside the same
    model translating whatever it is told; and of a stress set of unclear instructions.
    """
    from signloom.cli.progress import progress
    from signloom.cli.recognize import evaluate_recognizer
    from signloom.cli.table import beside, errors, table
    from signloom.cli.tokens import evaluate_tokenizer
    from signloom.data.files import refuse_existing, writing
    from signloom.inference.evaluate import evaluate
    from signloom.inference.instructed import obedience
    from signloom.inference.recognize import Recognizer
    from signloom.inference.reconstruct import Rewriter, reconstruct
    from signloom.inference.translate import Told, Translator, reads_lips, writes_glosses
    from signloom.methods.load import load
    from signloom.methods.motion_tokens import MotionTokens
    from signloom.methods.sources import corpus_texts

    if record and (limit is not None or not Path(checkpoint).is_dir()):
        raise UsageError(
            f"--record keeps the scores of a whole split in a checkpoint folder, got {checkpoint}"
            f"{f' and --limit {limit}' if limit is not None else ''}; give a folder on this "
            "machine, without --limit"
        )
    if predictions is None:
        predictions = out.with_name(f"{out.name.removesuffix('.json')}.predictions.jsonl")
    files = {"--out": out, "--predictions": predictions} | ({} if hyp is None else {"--hyp": hyp})
    for option, path in files.items():
        for other, taken in files.items():
            if option < other and path.resolve() == taken.resolve():
                raise UsageError(
                    f"{option} and {other} are both {path}; give each a file of its own"
                )
    for path in files.values():
        refuse_existing(path, overwrite)
    translator = load(checkpoint)
    if encoder is not None and not isinstance(translator, MotionTokens):
        raise UsageError(f"{checkpoint} is no tokenizer of motion; leave --encoder out")
    if isinstance(translator, Recognizer):
        if hyp is not None or beam is not None:
            raise UsageError(
                f"{checkpoint} recognises single signs: it has no --beam, and writes no --hyp; "
                "leave them out"
            )
        evaluate_recognizer(
            translator, checkpoint, store, split, out, predictions,
            limit, record, allow_simulated, overwrite,
        )  # fmt: skip
        return
    if isinstance(translator, MotionTokens):
        given = {"--hyp": hyp, "--beam": beam, "--instructions": instructions, "--record": record}
        if any(given.values()):
            named = ", ".join(option for option, value in given.items() if value)
            raise UsageError(
                f"{checkpoint} is a tokenizer of motion: it has no {named}; leave it out"
            )
        evaluate_tokenizer(
            translator, checkpoint, store, split, out, limit, encoder, allow_simulated, overwrite
        )
        return
    if not isinstance(translator, Translator):
        raise UsageError(
            f"{checkpoint} neither translates, recognises nor says motion again; the log of its training says how good it is"
        )
    if instructions is not None and not isinstance(translator, Told):
        raise UsageError(f"{checkpoint} takes no instructions; leave --instructions out")
    glosses = writes_glosses(translator)
    if isinstance(translator, Rewriter) and (translator.reads_text or Path(store).is_file()):
        split = "" if Path(store).is_file() else split
        texts = [*corpus_texts(store, split=split or None)][:limit]
        texts_from = "what it learnt to write"
        learnt = texts_learnt(checkpoint)
        with progress("sentences", len(texts)) as advance:
            simulated = store.startswith("sim:")
            found = reconstruct(
                translator, texts, learnt, simulated=simulated, beam=beam, advance=advance
            )
    else:
        corpus, training_texts, texts_from = read_corpus(
            store, split, translator.layout, glosses, reads_lips(translator)
        )
        if texts_from != TRAINED:
            print(
                f"signloom: {store} has no train split: the most frequent sentence and words are those of "
                f"split '{split}' itself, which makes the baselines stronger than any real one",
                file=sys.stderr,
            )
        total = len(corpus) if limit is None else min(limit, len(corpus))
        with progress("sentences", total) as advance:
            found = evaluate(
                translator,
                corpus,
                training_texts,
                limit=limit,
                batch=batch,
                beam=beam,
                allow_simulated=allow_simulated,
                trained_on=texts_from == TRAINED,
                advance=advance,
            )
    report = {**told(checkpoint, store, split, texts_from, found.to_json()), "beam": beam}
    obeyed = None
    if instructions is not None and isinstance(translator, Told):
        asked = min(total, INSTRUCTED)
        obeyed = obedience(
            translator, corpus, instructions.value, asked, beam, allow_simulated=allow_simulated
        )
        report["instructions"] = asdict(obeyed) | {
            "mean": obeyed.mean,
            "mean_deaf": obeyed.mean_deaf,
        }
    if hyp is not None:
        with writing(hyp, overwrite) as temporary:
            lines = [" ".join(text.split("\n")) + "\n" for text in found.hypotheses]
            temporary.write_text("".join(lines), encoding="utf-8", newline="\n")
        report["hypotheses"] = str(hyp)
    answered = (found.ids, found.inputs, found.references, found.hypotheses)
    keep(report, answered, out, predictions, record, overwrite)
    print(f"{translator.name} on {store} {split}{simulated_note(found.simulated)}")
    print(table(found.metrics))
    print()
    shown = GLOSSES_SHOWN if glosses else SHOWN
    print(beside({translator.name: found.metrics, **found.baselines}, shown))
    print()
    unit = "glosses" if glosses else "sentences"
    rows = {f"{k} {unit}": v for k, v in found.lengths.items()}
    rows |= {f"{k} sentences": v for k, v in found.groups.get("sentences", {}).items()}
    signers = found.groups.get("signers", {})
    rows |= signers if len(signers) <= FEW_SIGNERS else {}
    print(beside(rows, shown))
    if len(signers) > FEW_SIGNERS:
        ranked = sorted((scores[0].value, name) for name, scores in signers.items())
        (best, least), (worst, most) = ranked[0], ranked[-1]
        print(f"{len(signers)} signers: WER {best:.1f} ({least}) to {worst:.1f} ({most})")
    if obeyed is not None:
        print(f"\nin the form asked for, % of {obeyed.n} ({obeyed.part} phrasings; deaf)")
        for name, share in {**obeyed.told, "mean of families": obeyed.mean}.items():
            print(f"{name:17}{share:6.1f}{obeyed.deaf.get(name, obeyed.mean_deaf):8.1f}")
    if found.errors:
        print(errors(found.errors))
    if found.told_previous:
        print(
            f"signloom: model '{translator.name}' was told the true sentence before "
            f"{found.told_previous} of {len(found.ids)} clips",
            file=sys.stderr,
        )
    if found.cut:
        print(
            f"signloom: {found.cut} of {len(found.ids)} clips are longer than model "
            f"'{translator.name}' reads; what lies behind was not read",
            file=sys.stderr,
        )


def texts_learnt(checkpoint: str) -> list[str]:
    """The texts that a checkpoint has learnt to write, as its recipe names them.

    Raises UsageError where it has no recipe, or a path in it is not set here.
    """
    from signloom.methods.load import folder_of
    from signloom.methods.recipe import Recipe, learnt_from
    from signloom.training.checkpoint import read_checkpoint

    recipe = read_checkpoint(folder_of(checkpoint)).config.get("recipe")
    if not recipe:
        raise UsageError(
            f"{checkpoint} does not say what it was trained on, and the nearest of those sentences "
            "is what it is compared with; evaluate a checkpoint that 'signloom train' wrote"
        )
    return learnt_from(Recipe.model_validate(recipe))


def told(
    checkpoint: str, store: str, split: str, texts_from: str, found: Mapping[str, Any]
) -> dict[str, Any]:
    """The report of an evaluation: what was run on what, what came of it, by which weights, where."""
    from signloom.cli.receipt import commit, hardware
    from signloom.methods.load import folder_of
    from signloom.training.checkpoint import read_checkpoint

    config = read_checkpoint(folder_of(checkpoint)).config
    return {
        "checkpoint": checkpoint,
        "store": store,
        "split": split,
        **found,
        "baselines_from": texts_from,
        **{key: config[key] for key in ("name", "seed", "step", "recipe_hash") if key in config},
        "weights": config.get("weights", {}).get("sha256", ""),
        "commit": commit(),
        "hardware": hardware(),
    }


def keep(
    report: dict[str, Any],
    answered: tuple[Sequence[str], Sequence[str], Sequence[str], Sequence[str]],
    out: Path,
    predictions: Path,
    record: bool,
    overwrite: bool,
) -> None:
    """Writes the report and what was answered (ids, inputs, references, hypotheses).

    record: the scores go into the checkpoint's config too, without the paths of this machine.
    """
    from signloom.data.files import writing
    from signloom.inference.predictions import predictions as kept_predictions
    from signloom.inference.predictions import write_predictions
    from signloom.training.checkpoint import CONFIG, read_checkpoint

    rows = kept_predictions(*answered, report["weights"], report["split"])
    write_predictions(predictions, rows, overwrite)
    report = {**report, "predictions": str(predictions)}
    with writing(out, overwrite) as temporary:
        temporary.write_text(_json(report), encoding="utf-8")
    if record:
        kept = read_checkpoint(report["checkpoint"])
        places = ("checkpoint", "hypotheses", "predictions")
        metrics = {k: v for k, v in report.items() if k not in places}
        with writing(kept.folder / CONFIG, overwrite=True) as temporary:
            temporary.write_text(_json({**kept.config, "metrics": metrics}), encoding="utf-8")


def read_corpus(
    store: str, split: str, layout: Layout, glosses: bool = False, lips: bool = False
) -> tuple[SampleSource, Sequence[str], str]:
    """The split, the texts that baselines are made of, and where those come from.

    layout: what simulated clips are rendered in; a store has its own.
    glosses: the texts are the samples' glosses. lips: the samples carry theirs.
    A store without a train split lends the split's own texts, which makes the
    baselines stronger than any real one.

    Raises UsageError where lips are asked for and the store has none.
    """
    from signloom.corpora.store import open_store

    if store.startswith("sim:"):
        from signloom.simulator.corpora import SimulatedSentences

        size = store.removeprefix("sim:")
        training = SimulatedSentences(size, "train")
        texts = training.glosses() if glosses else training.texts()
        return SimulatedSentences(size, split, layout, lips=lips), texts, TRAINED
    chosen = open_store(store, split, lips)
    known = open_store(store, "train") if "train" in chosen.splits else chosen
    texts = known.glosses() if glosses else known.texts()
    if known is not chosen:
        return chosen, texts, TRAINED
    return chosen, texts, f"{split} split (the store has no train split)"


def simulated_note(simulated: bool) -> str:
    """Said wherever scores on simulated signing are shown."""
    return " (simulated signing: an instrument, not a sign language)" if simulated else ""


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
