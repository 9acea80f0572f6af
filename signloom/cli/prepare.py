"""signloom prepare: bring a corpus into a store that training reads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.engine import Address, EngineName, WithEngine, engine_of

if TYPE_CHECKING:
    from signloom.corpora.entries import Corpus, LeftOut
    from signloom.data.layouts import Layout
    from signloom.data.sample import SampleSource

app = typer.Typer(no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="The store (a folder) to write.")]
Jobs = Annotated[int, typer.Option(help="Processes; the store is the same for any number.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with OUT.parts, which an interrupted run has left.")
]
Root = Annotated[Path, typer.Argument(help="The corpus's folder, as it unpacks.")]
Poses = Annotated[
    Path | None,
    typer.Option(help="Where its clips are.  [default: looked for in the corpus's folder]"),
]
Target = Annotated[
    str | None, typer.Option("--layout", help="Convert to this layout.  [default: the clips' own]")
]
Tolerate = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Share of clips that may be missing or broken; above it, exit code 3."
    ),
]
TOLERATED = 0.001
Split = Annotated[str, typer.Option(help="One split of the corpus, or 'all'.")]
MinSeconds = Annotated[float, typer.Option(min=0, help="Leave out shorter sentences.")]
MaxSeconds = Annotated[float, typer.Option(min=0, help="Leave out longer sentences.")]
MaxWords = Annotated[int, typer.Option(min=1, help="Leave out sentences of more words.")]


@dataclass(frozen=True)
class How:
    """How a store is written: by whom, from what is there, over what is there."""

    jobs: int = 1
    engine: EngineName = EngineName.processes
    address: str | None = None
    resume: bool = False
    overwrite: bool = False


class Subset(StrEnum):
    wlasl100 = "wlasl100"
    wlasl300 = "wlasl300"
    wlasl1000 = "wlasl1000"
    wlasl2000 = "wlasl2000"


class FittedSubset(StrEnum):
    wlasl124 = "wlasl124"
    wlasl100 = "wlasl100"
    wlasl300 = "wlasl300"


class IsharahTask(StrEnum):
    SI = "SI"
    US = "US"


class Size(StrEnum):
    tiny = "tiny"
    small = "small"
    base = "base"


SimulatedLayout = Annotated[str, typer.Option(help="Layout to render: holistic, ps76, hands42, …")]
KeepLips = Annotated[
    bool, typer.Option("--lips", help="Keep drawn mouths (sim-lips-v1) too: 9 kB a frame.")
]
SimulatedSize = Annotated[Size, typer.Option(help="Size of the corpus.")]


@app.command("manifest")
def manifest(
    file: Annotated[Path, typer.Argument(help=".tsv, .csv or .jsonl with path, text, split, …")],
    out: Out,
    layout: Annotated[
        str | None, typer.Option(help="Convert to this layout.  [default: the first file's]")
    ] = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """A table of .pose files and texts (columns: path, text; optional start, end, gloss, signer, split, language, id)."""
    from signloom.corpora.entries import Corpus
    from signloom.corpora.manifest import read_manifest
    from signloom.data.files import refuse_existing

    refuse_existing(out, overwrite)
    corpus = Corpus("manifest", tuple(read_manifest(file)), about={"manifest": file.name})
    _corpus(corpus, out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("how2sign")
def how2sign(
    root: Root,
    out: Out,
    poses: Poses = None,
    fps: Annotated[float, typer.Option(min=1, help="Rate of OpenPose folders.")] = 24.0,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """How2Sign: ASL and English; how2sign_realigned_*.csv with OpenPose JSON or .pose files."""
    from signloom.corpora.how2sign import how2sign as read

    _corpus(
        read(root, poses, fps), out, layout, How(jobs, engine, address, resume, overwrite), tolerate
    )


@app.command("phoenix14t")
def phoenix14t(
    root: Root,
    out: Out,
    poses: Poses = None,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """RWTH-PHOENIX-Weather 2014 T: German Sign Language, glosses and German."""
    from signloom.corpora.phoenix14t import phoenix14t as read

    _corpus(read(root, poses), out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("wlasl")
def wlasl(
    root: Annotated[Path, typer.Argument(help="The folder of WLASL_v0.3.json, or that file.")],
    out: Out,
    poses: Poses = None,
    words: Annotated[
        int | None, typer.Option(min=1, help="The first so many words: 100 is WLASL-100.")
    ] = None,
    uncut: Annotated[
        bool, typer.Option("--uncut", help="The poses are of the source videos: cut them.")
    ] = False,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """WLASL words, from its own list and a .pose file a video."""
    from signloom.corpora.wlasl import wlasl as read

    _corpus(
        read(root, poses, words, uncut),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("bobsl")
def bobsl(
    root: Root,
    out: Out,
    poses: Poses = None,
    subtitles: Annotated[
        str, typer.Option(help="manually-aligned, audio-aligned, …, or a folder of EPISODE.vtt.")
    ] = "manually-aligned",
    shift: Annotated[
        float, typer.Option(help="Seconds to move subtitles by: 2.7 for those on the speech.")
    ] = 0.0,
    min_seconds: MinSeconds = 1.0,
    max_seconds: MaxSeconds = 20.0,
    max_words: MaxWords = 80,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """BOBSL: British Sign Language and English; subset2episode.json, subtitles and EPISODE.pose."""
    from signloom.corpora.bobsl import bobsl as read
    from signloom.corpora.cued import Limits

    limits = Limits(min_seconds, max_seconds, max_words)
    _sentences(
        read(root, poses, subtitles, shift, limits),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("youtube-sl")
def youtube_sl(
    root: Root,
    out: Out,
    poses: Poses = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Signed languages to take (ISO 639-3).  [default: all]"),
    ] = None,
    captions: Annotated[str, typer.Option(help="Language of the captions.")] = "en",
    dev_share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the videos that become split dev.")
    ] = 0.0,
    min_seconds: MinSeconds = 1.0,
    max_seconds: MaxSeconds = 20.0,
    max_words: MaxWords = 80,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """YouTube-SL-25: its list of videos, with captions VIDEO.en.vtt and VIDEO.pose."""
    from signloom.corpora.cued import Limits
    from signloom.corpora.youtube_sl import youtube_sl as read

    limits = Limits(min_seconds, max_seconds, max_words)
    corpus = read(root, poses, language or (), captions, dev_share, limits)
    _sentences(corpus, out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("fleurs-asl")
def fleurs_asl(
    root: Annotated[Path, typer.Argument(help="The folder with one table, or the table.")],
    out: Out,
    poses: Poses = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Where a field stands in your table, as start=start_time."),
    ] = None,
    min_seconds: MinSeconds = 1.0,
    max_seconds: MaxSeconds = 20.0,
    max_words: MaxWords = 80,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """FLEURS-ASL: FLORES sentences in ASL; a table of sentences and VIDEO.pose."""
    from signloom.corpora.cued import Limits
    from signloom.corpora.fleurs_asl import fleurs_asl as read

    columns = {field: name for field, _, name in (said.partition("=") for said in column or ())}
    limits = Limits(min_seconds, max_seconds, max_words)
    _sentences(
        read(root, poses, columns, limits),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("isign")
def isign(
    root: Root,
    out: Out,
    poses: Poses = None,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """iSign: Indian Sign Language and English; csv with uid,text and UID.pose."""
    from signloom.corpora.isign import isign as read

    _corpus(read(root, poses), out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("cislr")
def cislr(
    root: Root,
    out: Out,
    poses: Poses = None,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """CISLR: words of Indian Sign Language; the store is a lexicon to stitch from."""
    from signloom.corpora.cislr import cislr as read

    _corpus(read(root, poses), out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("gislr")
def gislr(
    root: Root,
    out: Out,
    dev_signers: Annotated[
        str, typer.Option(help="Participants whose clips become split dev: 26734,28656,…")
    ] = "",
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 30.0,
    raw: Annotated[
        bool, typer.Option("--raw", help="Read parquet files also where packed points are.")
    ] = False,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """Google's isolated ASL signs: train.csv and parquet files of 543 landmarks, or packed."""
    from signloom.corpora.gislr import gislr as read

    signers = [signer.strip() for signer in dev_signers.split(",") if signer.strip()]
    _corpus(
        read(root, signers, fps, raw),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("skels")
def skels(
    root: Root,
    out: Out,
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 25.0,
    language: Annotated[str, typer.Option(help="Signed language (ISO 639-3).")] = "gsg",
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """Progressive Transformers' .skels with .text, .gloss and .files: 50 joints in 3-D."""
    from signloom.corpora.skels import skels as read

    _corpus(
        read(root, fps, language),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("signjoey")
def signjoey(
    root: Annotated[Path, typer.Argument(help="Folder of NAME.train, NAME.dev, NAME.test.")],
    out: Out,
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 25.0,
    language: Annotated[str, typer.Option(help="Signed language (ISO 639-3).")] = "gsg",
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """Frame features in signjoey's pickles (PHOENIX-2014T, How2Sign), read without trust."""
    from signloom.corpora.signjoey import signjoey as read

    # One process: the clips are in memory, and each worker would need them all.
    _corpus(read(root, fps, language), out, None, How(overwrite=overwrite), tolerate)


@app.command("boston104")
def boston104(
    root: Annotated[
        Path, typer.Argument(help="Folder with hands.csv, train_words.csv and speaker.csv.")
    ],
    out: Out,
    fold: Annotated[
        int | None,
        typer.Option(
            min=1, max=4, help="Fold that becomes dev, the rest train.  [default: splits fold-1 …]"
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(help="All sentences in this split: train, or test for further recordings."),
    ] = None,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """RWTH-BOSTON-104: ASL sentences as positions of hands and nose, with timed glosses."""
    from signloom.corpora.boston104 import boston104 as read

    _corpus(
        read(root, fold, split),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("isharah")
def isharah(
    root: Root,
    out: Out,
    poses: Annotated[
        Path | None,
        typer.Option(help="A pickle of poses or their folder.  [default: ROOT and ROOT/data]"),
    ] = None,
    task: Annotated[
        IsharahTask, typer.Option(help="Signer-independent, or unseen sentences.")
    ] = IsharahTask.SI,
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 30.0,
    layout: Target = None,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """Isharah: Saudi Sign Language with Arabic glosses; pickles of poses, read without trust."""
    from signloom.corpora.isharah import isharah as read

    corpus = read(root, poses, task.value, fps)
    # One process: the clips are in memory, and each worker would need them all.
    _corpus(corpus, out, layout, How(overwrite=overwrite), tolerate)


@app.command("multimodalhugs")
def multimodalhugs(
    root: Annotated[Path, typer.Argument(help="A .tsv, or a folder of them, a split each.")],
    out: Out,
    poses: Poses = None,
    language: Annotated[str, typer.Option(help="Signed language (ISO 639-3).")] = "",
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """MultimodalHugs' tables: signal, signal_start, signal_end (ms), …, output."""
    from signloom.corpora.multimodalhugs import multimodalhugs as read

    _corpus(
        read(root, poses, language),
        out,
        layout,
        How(jobs, engine, address, resume, overwrite),
        tolerate,
    )


@app.command("wlasl-hands")
def wlasl_hands(
    folder: Annotated[Path, typer.Argument(help="Folder with hands_xy_f16.npz and index.csv.")],
    out: Out,
    subset: Annotated[Subset, typer.Option(help="Which official subset.")] = Subset.wlasl2000,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """WLASL words as hand keypoints (layout hands42), with the official split."""
    from signloom.corpora.wlasl_hands import WlaslHands, splits_of
    from signloom.data.layouts import HANDS42

    splits = splits_of(folder, subset.value)
    sources = {split: WlaslHands(folder, subset.value, split) for split in splits}
    excluded = {split: source.excluded for split, source in sources.items()}
    description = {
        "corpus": "wlasl-hands",
        "subset": subset.value,
        "language": "ase",
        "licence": "WLASL: C-UDA, academic and computational use only",
        "excluded": {"no hand seen": excluded},
    }
    _write(out, HANDS42, sources, description, How(jobs, engine, address, resume, overwrite))
    typer.echo(f"left out, no hand seen: {sum(excluded.values())}")


@app.command("wlasl-smplx")
def wlasl_smplx(
    folder: Annotated[Path, typer.Argument(help="Folder with pose.npz and index.csv.")],
    out: Out,
    subset: Annotated[
        FittedSubset, typer.Option(help="All 124 words, or those of an official subset.")
    ] = FittedSubset.wlasl124,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """124 WLASL words as SMPL-X joints, projected (layout wlasl106) or in space (--layout smplx52 or smplx57)."""
    from signloom.corpora.wlasl_smplx import wlasl_smplx as read

    corpus = read(folder, subset.value, joints=layout in ("smplx52", "smplx57"))
    _corpus(corpus, out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("how2sign-smplx")
def how2sign_smplx(
    folder: Annotated[Path, typer.Argument(help="Folder with pose.npz and index.csv.")],
    out: Out,
    split: Annotated[str, typer.Option(help="The split that the sentences make up.")] = "train",
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 24.0,
    layout: Target = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """How2Sign sentences as SMPL-X joints, projected (layout wlasl106) or in space (--layout smplx52 or smplx57)."""
    from signloom.corpora.how2sign_smplx import how2sign_smplx as read

    corpus = read(folder, split, fps, joints=layout in ("smplx52", "smplx57"))
    _corpus(corpus, out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("signavatars")
def signavatars(
    root: Annotated[Path, typer.Argument(help="A folder with its .pkl files and tables below it.")],
    out: Out,
    fps: Annotated[float, typer.Option(min=1, help="Rate, which the files do not name.")] = 24.0,
    layout: Annotated[
        str, typer.Option(help="smplx52: joints in space; smplx57: jaw and expression too.")
    ] = "smplx52",
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    tolerate: Tolerate = TOLERATED,
) -> None:
    """SignAvatars: fitted SMPL-X bodies of How2Sign and WLASL as joints in space."""
    from signloom.corpora.signavatars import signavatars as read

    _corpus(read(root, fps), out, layout, How(jobs, engine, address, resume, overwrite), tolerate)


@app.command("sim-words-v1")
def sim_words(
    out: Out,
    size: SimulatedSize = Size.small,
    split: Split = "all",
    layout: SimulatedLayout = "holistic",
    lips: KeepLips = False,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Simulated isolated signs: a lexicon, or something to recognise."""
    chosen = _splits("sim-words-v1", split)

    from signloom.simulator.corpora import SimulatedWords

    _simulated(
        SimulatedWords,
        "sim-words-v1",
        out,
        size.value,
        chosen,
        layout,
        lips,
        How(jobs, engine, address, resume, overwrite),
    )


@app.command("sim-sentences-v1")
def sim_sentences(
    out: Out,
    size: SimulatedSize = Size.small,
    split: Split = "all",
    layout: SimulatedLayout = "holistic",
    lips: KeepLips = False,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """Simulated signed sentences with their English."""
    chosen = _splits("sim-sentences-v1", split)

    from signloom.simulator.corpora import SimulatedSentences

    _simulated(
        SimulatedSentences,
        "sim-sentences-v1",
        out,
        size.value,
        chosen,
        layout,
        lips,
        How(jobs, engine, address, resume, overwrite),
    )


class Part(StrEnum):
    train = "train"
    synthetic = "synthetic"
    dev = "dev"


@app.command("recipe")
def recipe(
    file: Annotated[Path, typer.Argument(help="A recipe, a YAML file.")],
    out: Out,
    part: Annotated[Part, typer.Option(help="Which of its sources.")] = Part.dev,
    count: Annotated[
        int | None, typer.Option(min=1, help="The first so many samples.  [default: all]")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field of the recipe, as in data.dev.seed=2."),
    ] = None,
    jobs: Jobs = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
) -> None:
    """A source of a recipe as it stands, stitched sentences too: to look at, or to evaluate on."""
    from signloom.data.files import refuse_existing
    from signloom.data.layouts import layout_named
    from signloom.errors import UsageError
    from signloom.methods.recipe import read_recipe
    from signloom.methods.sources import First, open_source

    refuse_existing(out, overwrite)
    wanted = read_recipe(file, set_ or [])
    source = getattr(wanted.data, part.value)
    if source is None:
        raise UsageError(f"the recipe {file} has no source '{part.value}'; choose another --part")
    layout = layout_named(wanted.settings().layout)
    samples = open_source(source, layout, None)
    if count is not None:
        samples = First(samples, count)
    description = {"corpus": f"{wanted.name} {part.value}", "recipe": wanted.hash()}
    _write(
        out,
        layout,
        {part.value: samples},
        description,
        How(jobs, engine, address, resume, overwrite),
    )


SPLITS = ("train", "dev", "test")


def _splits(corpus: str, split: str) -> tuple[str, ...]:
    """The splits that ``split`` names. Raises UsageError naming the nearest."""
    from signloom.errors import UsageError, nearest

    if split not in (*SPLITS, "all"):
        raise UsageError(
            f"{corpus} has no split '{split}'{nearest(split, SPLITS)}; it has {', '.join(SPLITS)}"
        )
    return SPLITS if split == "all" else (split,)


def _simulated(
    source: Any,
    corpus: str,
    out: Path,
    size: str,
    splits: tuple[str, ...],
    layout: str,
    lips: bool,
    how: How,
) -> None:
    from signloom.data.layouts import layout_named
    from signloom.simulator.lips import LIPS_VERSION

    target = layout_named(layout)
    sources = {name: source(size=size, split=name, layout=target, lips=lips) for name in splits}
    description = {"corpus": corpus, "size": size, **({"lips": LIPS_VERSION} if lips else {})}
    _write(out, target, sources, description, how)


def _sentences(corpus: Corpus, out: Path, layout: str | None, how: How, tolerate: float) -> None:
    """As ``_corpus``, and says first how many sentences its rules leave out."""
    from signloom.corpora.cued import told
    from signloom.data.files import refuse_existing

    refuse_existing(out, how.overwrite)
    excluded: dict[str, int] = corpus.about["excluded"]
    listed = sum(excluded.values()) + len(corpus.entries) + len(corpus.absent)
    by_reason = f" ({told(excluded)})" if excluded else ""
    typer.echo(f"left out by rule: {sum(excluded.values()):,} of {listed:,} sentences{by_reason}")
    _corpus(corpus, out, layout, how, tolerate)


def _corpus(corpus: Corpus, out: Path, layout: str | None, how: How, tolerate: float) -> None:
    """Writes a corpus to a store. What cannot be read is listed in OUT/quarantine.tsv.

    Raises MediaError at the end where that is more than the tolerated share.
    """
    from signloom.corpora.store import QUARANTINE
    from signloom.data.layouts import layout_named
    from signloom.errors import MediaError
    from signloom.pose.convert import conversion

    native = corpus.native_layout()
    target = layout_named(layout) if layout else native
    conversion(native, target)
    left_out = _write(
        out,
        target,
        corpus.sources(target),
        {"corpus": corpus.name, **corpus.about},
        how,
        quarantine=True,
        absent=corpus.absent,
    )
    if not left_out:
        return
    listed = len(corpus.entries) + len(corpus.absent)
    share = len(left_out) / listed
    missing = len(corpus.absent)
    said = (
        f"{len(left_out)} of {listed} clips ({share:.2%}) are left out: {missing} not there, "
        f"{len(left_out) - missing} that cannot be read, the first '{left_out[0].id}': "
        f"{left_out[0].reason}; all of them are listed in {out / QUARANTINE}, the store holds the rest"
    )
    if share > tolerate:
        raise MediaError(
            f"{said}; pass --tolerate {math.ceil(share * 1000) / 1000:g} if that is as it should be"
        )
    typer.echo(said, err=True)


def _write(
    out: Path,
    layout: Layout,
    sources: Mapping[str, SampleSource],
    description: Mapping[str, Any],
    how: How,
    quarantine: bool = False,
    absent: Sequence[LeftOut] = (),
) -> list[LeftOut]:
    """Writes the store and says what is in it; returns what was left out."""
    from signloom.cli.progress import progress
    from signloom.corpora.prepare import write_store
    from signloom.corpora.store import open_store
    from signloom.data.files import refuse_existing

    refuse_existing(out, how.overwrite)
    engine = engine_of(how.engine, how.jobs, how.address)
    with progress(f"preparing {out.name}", sum(map(len, sources.values()))) as advance:
        left_out = write_store(
            out,
            layout,
            sources,
            description=description,
            engine=engine,
            overwrite=how.overwrite,
            resume=how.resume,
            advance=advance,
            quarantine=quarantine,
            absent=absent,
        )
    said = open_store(out).describe()
    counts = ", ".join(f"{split} {count:,}" for split, count in said["splits"].items())
    typer.echo(
        f"{out}: {counts} samples, {sum(said['frames'].values()):,} frames of "
        f"{said['layout']}, {said['bytes'] / 2**20:.1f} MiB"
    )
    if lips := ", ".join(f"{split} {count:,}" for split, count in said["lips"].items() if count):
        typer.echo(f"with lips: {lips}")
    return left_out
