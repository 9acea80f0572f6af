"""What a gloss recogniser has to beat on RWTH-BOSTON-104: python -m benchmarks.boston104 FOLDER.

FOLDER holds hands.csv, train_words.csv and speaker.csv. Each of the four folds by sentence
(``signloom.corpora.boston104``) is recognised from the other three, and the 161 hypotheses are
scored together. Three references see no learning:

    constant    the one sequence of glosses that has the fewest errors on the training sentences,
                found by adding, changing and removing one gloss at a time
    nearest     the glosses of the training sentence whose clip is nearest by time warping
                (``signloom.pose.warp``), hands and nose around the clip's mean nose, in pixels
    hmm         the best path through the training signs and a bigram model (``benchmarks.template_hmm``);
                its settings were chosen on a fifth of the training sentences, without fold 1 and without 3

With ``-m``, given four times, checkpoints trained without fold 1, 2, 3 and 4 (``signloom prepare
boston104 --fold``) are read on the fold that each has not seen, and compared, sentence by sentence.
Four more are another run of the same. With ``--recipe`` they are trained first, four for each seed,
in ``--runs``, where those that are there already stay: the recipe's stores are exchanged for one
without the fold, and the weights are the last ones, since nothing may be chosen on the fold. With
``--init`` as many more are trained, "begun", from a checkpoint of simulated signing, and compared with
those from random weights. Where a model has a prior over glosses, its score without it stands beside.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.template_hmm import Settings as HmmSettings
from benchmarks.template_hmm import TemplateHmm
from signloom.cli.receipt import commit, hardware
from signloom.corpora.boston104 import FOLDS, boston104, fold_of
from signloom.data.clip import PoseClip
from signloom.data.files import writing
from signloom.data.layouts import BOSTON3
from signloom.data.sample import gloss_sentence
from signloom.metrics.buckets import by_glosses, by_label
from signloom.metrics.recognition import count_recognition, edits, score_recognition
from signloom.metrics.significance import compare
from signloom.pose.warp import Settings, warp

ROOT = Path(__file__).parent.parent
WARP = Settings(normalise=False)
TRIED = 40
"""The commonest glosses of training that a constant may hold."""


def best_constant(sentences: Sequence[str]) -> str:
    """The sequence of glosses that no single change brings nearer to the sentences, begun empty."""
    counts = Counter(gloss for sentence in sentences for gloss in sentence.split())
    glosses = [gloss for gloss, _ in counts.most_common(TRIED)]
    best: list[str] = []
    least = errors(best, sentences)
    while True:
        found = []
        for at in range(len(best) + 1):
            for end in {at, min(at + 1, len(best))}:
                changed = [best[:at] + new + best[end:] for new in ([], *([g] for g in glosses))]
                found += [(errors(each, sentences), each) for each in changed]
        fewest, better = min(found)
        if fewest >= least:
            return " ".join(best)
        best, least = better, fewest


def errors(constant: Sequence[str], sentences: Sequence[str]) -> float:
    """Substitutions, deletions and insertions of one hypothesis for all sentences."""
    return float(edits([" ".join(constant)] * len(sentences), sentences)[:, :3].sum())


def distances(clips: Sequence[PoseClip]) -> NDArray[np.float64]:
    """(clips, clips): what warping one onto the other costs a step, infinite for itself."""
    centred = []
    for clip in clips:
        nose = clip.points[:, clip.part("body")].mean(axis=(0, 1))
        centred.append(clip.with_points(clip.points - nose))
    apart = np.full((len(clips), len(clips)), np.inf)
    for i, one in enumerate(centred):
        for j, other in enumerate(centred[:i]):
            apart[i, j] = apart[j, i] = warp(one, other, WARP).cost
    return apart


def trained(folder: Path, recipe: Path, runs: Path, seeds: int, init: str = "") -> list[str]:
    """A checkpoint for each fold, and these again for each seed, trained where it is not in ``runs``.

    init: the checkpoint that each begins with; "" = random weights.
    """
    from signloom.corpora.prepare import write_store
    from signloom.methods.recipe import Recipe, read_recipe, run_recipe

    given = read_recipe(recipe).model_dump(mode="json")
    found = []
    for seed, fold in product(range(1, seeds + 1), range(1, FOLDS + 1)):
        name = f"seed-{seed}-fold-{fold}" + "-begun" * bool(init)
        run, store = runs / name, runs / f"store-{fold}"
        found.append(str(run / "last"))
        if (run / "last").is_dir():
            continue
        if not store.is_dir():
            corpus = boston104(folder, fold)
            about = {"corpus": corpus.name, **corpus.about}
            write_store(store, BOSTON3, corpus.sources(BOSTON3), description=about)
        exchanged = with_store(given, str(store))
        exchanged["data"]["dev"] = {"store": str(store), "split": "dev"}
        exchanged |= {"seed": seed, **({"init": init} if init else {})}
        run_recipe(Recipe.model_validate(exchanged), run)
    return found


def with_store(part: Any, store: str) -> Any:
    """A part of a recipe with this store in the place of any other."""
    if isinstance(part, list):
        return [with_store(each, store) for each in part]
    if not isinstance(part, dict):
        return part
    return {k: store if k == "store" else with_store(each, store) for k, each in part.items()}


def measure(folder: Path, models: Sequence[str], begun: Sequence[str] = ()) -> dict[str, Any]:
    """The scores of the references and of the models, one a fold and seed, if there are any.

    begun: further models, each compared with the one in its place as well.
    """
    sources = boston104(folder).sources(BOSTON3)
    samples = [source[i] for source in sources.values() for i in range(len(source))]
    clips = [sample.clip for sample in samples]
    truth = [gloss_sentence(gloss.gloss for gloss in sample.glosses) for sample in samples]
    folds = np.array([fold_of(sentence.split()) for sentence in truth])
    apart = distances(clips)
    said = {name: [""] * len(truth) for name in ("constant", "nearest", "hmm")}
    constants, unknown = {}, 0
    for fold in range(1, FOLDS + 1):
        train, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        known = {gloss for i in train for gloss in truth[i].split()}
        unknown += sum(gloss not in known for i in held for gloss in truth[i].split())
        constants[fold] = best_constant([truth[i] for i in train])
        hmm = TemplateHmm([samples[i] for i in train])
        for i in held:
            said["constant"][i] = constants[fold]
            said["nearest"][i] = truth[train[apart[i, train].argmin()]]
            said["hmm"][i] = gloss_sentence(hmm.read(clips[i]))
    names, beside = [], {}
    for word, given in (("model", models), ("begun", begun)):
        for at in range(0, len(given), FOLDS):
            name = word if not at else f"{word}-{at // FOLDS + 1}"
            said |= recognised(name, given[at : at + FOLDS], clips, folds)
            names.append(name)
            beside[name] = (name.replace("begun", "model"),) if word == "begun" else ()
    signers = [sample.signer for sample in samples]
    systems = {
        name: scored(outputs, truth, [f"fold-{f}" for f in folds], signers)
        for name, outputs in said.items()
    }
    for name, system in systems.items():
        print(f"{name:9}", {score["name"]: score["value"] for score in system["scores"]})
    return {
        "sentences": len(truth),
        "glosses": sum(len(sentence.split()) for sentence in truth),
        "unknown_glosses": unknown,
        "warp": WARP.signature,
        "constants": constants,
        "hmm": asdict(HmmSettings()),
        "systems": systems,
        "models": [*models, *begun],
        "differences": {
            model: {
                name: [
                    each.to_json()
                    for each in compare(
                        count_recognition(said[name], truth), count_recognition(said[model], truth)
                    )
                ]
                for name in ("constant", "nearest", "hmm", *beside.get(model, ()))
                if name != model
            }
            for model in ("hmm", *names)
        },
    }


def recognised(
    name: str, models: Sequence[str], clips: Sequence[PoseClip], folds: NDArray[np.int_]
) -> dict[str, list[str]]:
    """What the model of each fold says of its clips, in the order of the clips; and without its prior."""
    from signloom.inference.translate import refuse_untrusted, translate_clips
    from signloom.methods.load import load

    said: dict[str, list[str]] = {}
    for fold, folder in enumerate(models, start=1):
        model = load(folder)
        refuse_untrusted(model, simulated=False, what="RWTH-BOSTON-104")
        held = np.flatnonzero(folds == fold).tolist()
        ways = {name: model}
        if getattr(model, "counts", None) is not None:
            ways[f"{name} without prior"] = load(folder)
            ways[f"{name} without prior"].counts = None
        for way, reader in ways.items():
            outputs = said.setdefault(way, [""] * len(clips))
            found = translate_clips(reader, [clips[i] for i in held])
            for i, each in zip(held, found, strict=True):
                outputs[i] = each.text
    return said


def scored(
    outputs: Sequence[str], truth: Sequence[str], folds: Sequence[str], signers: Sequence[str]
) -> dict[str, Any]:
    """WER and its parts over all sentences, and WER in each fold, signer and bucket of length."""
    parts = {
        "folds": by_label(outputs, truth, folds),
        "signers": by_label(outputs, truth, signers),
        "lengths": by_glosses(outputs, truth),
    }
    return {
        "scores": [score.to_json() for score in score_recognition(outputs, truth)],
        **{
            name: {label: score_recognition(*pair)[0].to_json() for label, pair in found.items()}
            for name, found in parts.items()
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boston104")
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument(
        "-m", "--model", action="append", default=[], help="one for each fold, from fold 1 on"
    )
    parser.add_argument("--recipe", type=Path, help="train models by it instead")
    parser.add_argument("--init", default="", help="a checkpoint of simulated signing")
    parser.add_argument("--runs", type=Path, default=Path("runs/boston104-folds"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, help="JSON")
    options = parser.parse_args(arguments)
    if len(options.model) % FOLDS:
        parser.error(f"got {len(options.model)} models; give one for each of the {FOLDS} folds")
    models, begun = options.model, []
    if options.recipe:
        asked = (options.folder, options.recipe, options.runs, options.seeds)
        models = trained(*asked)
        begun = trained(*asked, options.init) if options.init else []
    report = measure(options.folder, models, begun)
    if options.out:
        record = {"commit": commit(ROOT), "hardware": hardware(), **report}
        with writing(options.out, overwrite=True) as temporary:
            temporary.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
