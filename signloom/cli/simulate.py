"""signloom simulate: simulated words or sentences as .pose and .json files, from a seed."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.progress import progress
from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.data.sample import Sample
    from signloom.simulator.corpora import SimulatedSentences, SimulatedWords

app = typer.Typer(
    no_args_is_help=True,
    help="Write simulated words or sentences, from a seed: an instrument, not a sign language.",
)

Out = Annotated[Path, typer.Option("--out", "-o", help="Folder.", show_default=False)]
Seed = Annotated[
    int, typer.Option(help="Simulated sign language; 1 is that of the corpora.", min=0)
]
First = Annotated[int, typer.Option("--index", help="The first sample.", min=0)]
Count = Annotated[int, typer.Option(help="How many samples.", min=1)]
Size = Annotated[str, typer.Option(help="Size of the corpus: tiny, small, base.")]
Split = Annotated[str, typer.Option(help="Split of the corpus: train, dev, test.")]
LayoutName = Annotated[str, typer.Option("--layout", help="holistic, ps76, hands42, …")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]
Jobs = Annotated[int, typer.Option(help="Processes; the bytes do not depend on it.", min=1)]


@app.command()
def words(
    out: Out,
    seed: Seed = 1,
    index: First = 0,
    count: Count = 1,
    size: Size = "small",
    split: Split = "train",
    layout: LayoutName = "holistic",
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
) -> None:
    """Isolated signs (sim-words-v1), as a dictionary shows them."""
    from signloom.simulator.corpora import SimulatedWords, rendered_layout

    _write(
        SimulatedWords(size, split, rendered_layout(layout), seed),
        out,
        index,
        count,
        overwrite,
        jobs,
    )


@app.command()
def sentences(
    out: Out,
    seed: Seed = 1,
    index: First = 0,
    count: Count = 1,
    size: Size = "small",
    split: Split = "train",
    layout: LayoutName = "holistic",
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
) -> None:
    """Signed sentences (sim-sentences-v1) with their English and their glosses."""
    from signloom.simulator.corpora import SimulatedSentences, rendered_layout

    source = SimulatedSentences(size, split, rendered_layout(layout), seed)
    _write(source, out, index, count, overwrite, jobs)


def _write(
    source: SimulatedWords | SimulatedSentences,
    out: Path,
    first: int,
    count: int,
    overwrite: bool,
    jobs: int,
) -> None:
    """Writes samples first … first + count − 1.

    Raises UsageError for samples that the corpus does not have, or files that exist.
    """
    if first + count > len(source):
        raise UsageError(
            f"samples {first} to {first + count - 1} are asked for, but size '{source.size}', split "
            f"'{source.split}' has samples 0 to {len(source) - 1}; "
            "choose a smaller --index or --count, another --split, or a larger --size"
        )
    indices = range(first, first + count)
    taken = next((p for i in indices for p in _paths(source, out, i) if p.exists()), None)
    if taken and not overwrite:
        raise UsageError(f"{taken} exists already; choose another folder or pass --overwrite")
    out.mkdir(parents=True, exist_ok=True)
    with progress("simulate", count) as advance:
        for line in _lines(source, out, indices, overwrite, jobs):
            typer.echo(line)
            advance(1)


def _lines(
    source: SimulatedWords | SimulatedSentences,
    out: Path,
    indices: range,
    overwrite: bool,
    jobs: int,
) -> Iterator[str]:
    write = partial(write_sample, source, out, overwrite)
    if jobs == 1 or len(indices) == 1:
        yield from map(write, indices)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(write, indices, chunksize=4)


def _paths(source: SimulatedWords | SimulatedSentences, out: Path, index: int) -> tuple[Path, Path]:
    stem = f"{source.version}-{source.size}-{source.split}-{index:06d}"
    return out / f"{stem}.pose", out / f"{stem}.json"


def write_sample(
    source: SimulatedWords | SimulatedSentences, out: Path, overwrite: bool, index: int
) -> str:
    """Writes one sample; the line that tells of it: pose file, tab, text."""
    from signloom.data.files import writing
    from signloom.pose.files import write_pose

    pose, described = _paths(source, out, index)
    sample = source[index]
    write_pose(sample.clip, pose, overwrite)
    with writing(described, overwrite) as part:
        told = json.dumps(describe(sample), ensure_ascii=False, indent=1)
        part.write_text(told + "\n", encoding="utf-8")
    return f"{pose}\t{sample.text}"


def describe(sample: Sample) -> dict[str, Any]:
    """What is known of a simulated sample, for its .json; times in seconds."""
    return {
        "id": sample.id,
        "text": sample.text,
        "glosses": [
            {"gloss": g.gloss, "start": g.span.start, "end": g.span.end}
            for g in sample.glosses
            if g.span
        ],
        "signer": sample.signer,
        "language": sample.language,
        "layout": sample.clip.layout.name,
        "fps": sample.clip.fps,
        "frames": len(sample.clip),
        "version": sample.clip.origin.version,
        "simulated": True,
    }
