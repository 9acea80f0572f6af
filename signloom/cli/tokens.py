"""signloom tokens: motion to ids of codes, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.errors import MediaError, SignloomError, UsageError

if TYPE_CHECKING:
    from signloom.data.clip import PoseClip
    from signloom.data.sample import SampleSource
    from signloom.methods.motion_tokens import MotionTokens

app = typer.Typer(no_args_is_help=True)
FORMAT = 1

Model = Annotated[
    str,
    typer.Option(
        help="Checkpoint folder or hub id, of method motion-vq or lslm.", show_default=False
    ),
]
Out = Annotated[
    Path, typer.Option("--out", "-o", help="A .json or .npz file to write.", show_default=False)
]
OutOrStore = Annotated[
    Path,
    typer.Option(
        "--out", "-o", help="A .json or .npz file to write; of a store a store.", show_default=False
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")]


@app.command()
def encode(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT…",
            help="Pose files of layout smplx52, or .npz with 'smplx' (frames, 182) or 'joints' (frames, 52, 3); "
            "or one store.",
            show_default=False,
        ),
    ],
    model: Model,
    out: OutOrStore,
    overwrite: Overwrite = False,
) -> None:
    """Write motion as ids of codes, those of all inputs in one file.

    The file says which codes they are, and `signloom tokens decode` takes no others. A store gives a
    store of the same samples, which a recipe of method lslm takes in place of the store of joints: its
    motion is then read once for however many models.
    """
    from signloom.corpora.store import is_store
    from signloom.data.files import refuse_existing

    stores = [path for path in inputs if is_store(path)]
    if len(stores) < len(inputs):
        _suffix(out)
    if stores and len(inputs) > 1:
        raise UsageError(f"{stores[0]} is a store; give it alone, and it becomes a store of codes")
    refuse_existing(out, overwrite)
    tokenizer = _coding(model)
    if stores:
        _encode_store(tokenizer, stores[0], out, overwrite)
        return
    clips = []
    for path in inputs:
        clip = _read(path)
        try:
            ids = tokenizer.ids(tokenizer.preparation.numbers(clip))
        except SignloomError as error:
            raise type(error)(f"{path}: {error}") from None
        clips.append({"input": str(path), "simulated": clip.simulated, "ids": ids.tolist()})
    told = {
        "format": FORMAT,
        "codebook": tokenizer.vq.fingerprint(),
        "codes": tokenizer.vq.codebook.size,
        "ids_of_four_frames": tokenizer.vq.codebook.depth,
        "fps": tokenizer.config.fps,
        "clips": clips,
    }
    _write(out, told, overwrite)
    typer.echo(f"{out}: {sum(len(each['ids']) for each in clips)} ids of {len(clips)} clips")


@app.command()
def decode(
    file: Annotated[
        Path, typer.Argument(help="What `signloom tokens encode` wrote.", show_default=False)
    ],
    model: Model,
    out: Out,
    overwrite: Overwrite = False,
) -> None:
    """Write the joints that ids stand for: metres, y up.

    Of a tokenizer of all 623 numbers the 52 joints, placed; of one of signing alone 38 joints from the
    chest. The file names them. Ids of another codebook are refused: they would be other movements.
    """
    from signloom.data.files import refuse_existing

    _suffix(out)
    refuse_existing(out, overwrite)
    said = _tokens(file)
    tokenizer = tokenizer_of(model)
    mine = tokenizer.vq.fingerprint()
    if said["codebook"] != mine:
        raise MediaError(
            f"{file} was written with the codebook {said['codebook'][:12]}…, and {model} has {mine[:12]}…: its "
            "ids would be other movements; give the checkpoint that wrote it"
        )
    clips = []
    for clip in said["clips"]:
        joints = tokenizer.joints(tokenizer.numbers(clip["ids"]))
        kept = {key: clip[key] for key in ("input", "simulated")}
        clips.append({**kept, "joints": joints.round(6).tolist()})
    names = list(tokenizer.joint_names)
    told = {"format": FORMAT, "fps": tokenizer.config.fps, "names": names, "clips": clips}
    _write(out, told, overwrite)
    typer.echo(f"{out}: {sum(len(each['joints']) for each in clips)} frames of {len(clips)} clips")


@app.command()
def meaning(
    store: Annotated[
        str,
        typer.Argument(
            help="Store folder of signs or of sentences whose signs have times; sim:tiny, sim:small, "
            "sim:base (sim-sentences-v1).",
            show_default=False,
        ),
    ],
    model: Model,
    split: Annotated[str, typer.Option(help="Split to look at.")] = "test",
    limit: Annotated[int, typer.Option(min=1, help="Only the first N samples.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Do the same signs come out as the same codes? Purity of the nearest, by edit distance, beside chance.

    Once among all occurrences, and once among those by other signers, where these are known.
    """
    from dataclasses import asdict

    from signloom.cli.evaluate import read_corpus, simulated_note
    from signloom.cli.progress import progress
    from signloom.cli.receipt import commit, hardware
    from signloom.methods.motion_tokens import Said, signs_of
    from signloom.metrics.codes import edit_distances
    from signloom.metrics.codes import meaning as measured

    tokenizer = _coding(model)
    corpus, _, _ = read_corpus(store, split, tokenizer.layout)
    said: list[Said] = []
    count, simulated = min(limit, len(corpus)), False
    with progress("clips", count) as advance:
        for index in range(count):
            sample = corpus[index]
            simulated = simulated or sample.clip.simulated
            said += signs_of(tokenizer, sample)
            advance(1)
    apart, glosses = edit_distances([each.codes for each in said]), [each.gloss for each in said]
    signers = [each.signer for each in said]
    found = {"all": measured(apart, glosses)}
    if all(signers) and len(set(signers)) > 1:
        found["other signers"] = measured(apart, glosses, signers)
    if as_json:
        told: dict[str, Any] = {
            "store": Path(store).name,
            "split": split,
            "samples": count,
            "simulated": simulated,
            "codebook": tokenizer.vq.fingerprint(),
            **{name: asdict(each) for name, each in found.items()},
            "commit": commit(),
            "hardware": hardware(),
        }
        typer.echo(json.dumps(told, indent=2))
        return
    typer.echo(f"{store} {split}: {len(said)} signs of {count} clips" + simulated_note(simulated))
    for name, each in found.items():
        typer.echo(
            f"{name}: nearest of the same sign {each.purity:.1f} % (by chance {each.chance:.1f}), the same "
            f"sign nearer than another {each.closer:.1f} % (by chance 50), edit distance {each.same:.3f} "
            f"within a sign and {each.different:.3f} between signs; {each.occurrences} occurrences of "
            f"{each.signs} signs"
        )


def evaluate_tokenizer(
    model: MotionTokens,
    checkpoint: str,
    store: str,
    split: str,
    out: Path,
    limit: int | None,
    encoder: str | None,
    allow_simulated: bool,
    overwrite: bool,
) -> None:
    """What `signloom evaluate` does with a tokenizer of motion: errors in millimetres, codes, and FID."""
    from signloom.cli.evaluate import TRAINED, simulated_note, told
    from signloom.cli.progress import progress
    from signloom.cli.table import beside, table
    from signloom.corpora.store import open_store
    from signloom.data.files import writing
    from signloom.methods.motion_scores import rate
    from signloom.simulator.corpora import SimulatedSentences

    corpus: SampleSource
    known: SampleSource | None = None
    if store.startswith("sim:"):
        size = store.removeprefix("sim:")
        corpus = SimulatedSentences(size, split, model.layout)
        known = None if split == "train" else SimulatedSentences(size, "train", model.layout)
    else:
        corpus = chosen = open_store(store, split)
        if split != "train" and "train" in chosen.splits:
            known = open_store(store, "train")
    judge = None if encoder is None else tokenizer_of(encoder)
    total = len(corpus) if limit is None else min(limit, len(corpus))
    with progress("clips", total) as advance:
        found = rate(
            model, corpus, known, judge,
            limit=limit, allow_simulated=allow_simulated, advance=advance,
        )  # fmt: skip
    texts_from = TRAINED if known is not None else "no training clips"
    report = told(checkpoint, store, split, texts_from, found.to_json())
    with writing(out, overwrite) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    print(f"{model.name} on {store} {split}{simulated_note(found.simulated)}")
    print(table(found.metrics, "clip", "without a frame that shows it"))
    print()
    names = [score.name for score in found.metrics if score.name not in ("usage", "perplexity")]
    print(beside({model.name: found.metrics, **found.baselines}, names))


def _encode_store(tokenizer: MotionTokens, store: Path, out: Path, overwrite: bool) -> None:
    from signloom.cli.features import rewrite
    from signloom.data.layouts import features_layout
    from signloom.methods.motion_tokens import CODES, Encoded

    if out.exists() and out.samefile(store):
        raise UsageError(
            f"{out} is what is read, and its joints would be gone; give another folder to --out"
        )
    count = rewrite(
        store, out, features_layout(tokenizer.config.depth),
        lambda source: Encoded(source, tokenizer),
        {CODES: tokenizer.vq.fingerprint()}, False, overwrite,
    )  # fmt: skip
    typer.echo(f"{out}: {count} samples as ids of {tokenizer.vq.codebook.size} codes")


def tokenizer_of(model: str) -> MotionTokens:
    """The tokenizer of a checkpoint. Raises UsageError where it has none."""
    from signloom.methods.load import load
    from signloom.methods.lslm import Lslm
    from signloom.methods.motion_tokens import MotionTokens

    found = load(model)
    found = found.tokens if isinstance(found, Lslm) else found
    if not isinstance(found, MotionTokens):
        raise UsageError(
            f"{model} has no tokenizer of motion; give a checkpoint of method motion-vq or lslm"
        )
    return found


def _coding(model: str) -> MotionTokens:
    """`tokenizer_of`, where it has codes. Raises UsageError where its training ended before they began."""
    from signloom.methods.motion_tokens import refuse_early

    found = tokenizer_of(model)
    refuse_early(found, model)
    return found


def _read(path: Path) -> PoseClip:
    from signloom.corpora.smplx_files import read_motion
    from signloom.pose.files import read_pose

    return read_motion(path) if path.suffix.lower() == ".npz" else read_pose(path)


def _suffix(out: Path) -> None:
    if out.suffix not in (".json", ".npz"):
        raise UsageError(f"{out} says neither .json nor .npz; give a name that ends in one of them")


def _tokens(file: Path) -> dict[str, Any]:
    """What `encode` wrote, from either kind of file. Raises MediaError where it is something else."""
    import zipfile
    import zlib

    import numpy as np

    try:
        if file.suffix == ".npz":
            with file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
                said = json.loads(str(archive["told"]))
                for number, clip in enumerate(said["clips"]):
                    clip["ids"] = archive[f"ids_{number}"].tolist()
        else:
            said = json.loads(file.read_text())
        if said["format"] != FORMAT:
            raise ValueError(f"format {said['format']}, expected {FORMAT}")
        for clip in said["clips"]:
            if not all(type(i) is int for i in clip["ids"]) or not clip["ids"]:
                raise ValueError(f"the ids of {clip['input']} are no whole numbers, or none")
            clip["ids"] = np.array(clip["ids"], np.int64)
            if (type(clip["input"]), type(clip["simulated"])) != (str, bool):
                raise ValueError("a clip has no 'input', or does not say whether it is 'simulated'")
        if type(said["codebook"]) is not str:
            raise ValueError("its 'codebook' is no fingerprint")
    except (
        *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, OverflowError),
        *(RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error),
    ) as error:
        raise MediaError(
            f"{file} holds no tokens of motion ({type(error).__name__}: {error}); expected what "
            "'signloom tokens encode' writes"
        ) from None
    return dict(said)


def _write(out: Path, told: dict[str, Any], overwrite: bool) -> None:
    """As JSON; as .npz with the long lists as arrays ids_0, … or joints_0, …, and the rest as JSON in 'told'."""
    import numpy as np

    from signloom.data.files import writing

    with writing(out, overwrite) as temporary:
        if out.suffix == ".json":
            temporary.write_text(json.dumps(told) + "\n")
            return
        arrays: dict[str, Any] = {}
        clips = []
        for number, clip in enumerate(told["clips"]):
            clips.append({k: v for k, v in clip.items() if k not in ("ids", "joints")})
            arrays |= {f"{k}_{number}": np.array(clip[k]) for k in ("ids", "joints") if k in clip}
        with temporary.open("wb") as file:
            np.savez(file, told=json.dumps({**told, "clips": clips}), **arrays)
