"""signloom prepare: bring a corpus into a store that training reads."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from signloom.data.layouts import Layout
    from signloom.data.sample import SampleSource

app = typer.Typer(no_args_is_help=True)

Out = Annotated[Path, typer.Option("--out", "-o", help="The store (a folder) to write.")]
Jobs = Annotated[int, typer.Option(help="Processes; the store is the same for any number.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a store that is there.")]
Split = Annotated[str, typer.Option(help="One split of the corpus, or 'all'.")]


class Subset(StrEnum):
    wlasl100 = "wlasl100"
    wlasl300 = "wlasl300"
    wlasl1000 = "wlasl1000"
    wlasl2000 = "wlasl2000"


class Size(StrEnum):
    tiny = "tiny"
    small = "small"
    base = "base"


SimulatedLayout = Annotated[str, typer.Option(help="Layout to render: holistic, ps76, hands42, …")]
SimulatedSize = Annotated[Size, typer.Option(help="Size of the corpus.")]


@app.command("manifest")
def manifest(
    file: Annotated[Path, typer.Argument(help=".tsv, .csv or .jsonl with path, text, split, …")],
    out: Out,
    layout: Annotated[
        str | None, typer.Option(help="Convert to this layout.  [default: the first file's]")
    ] = None,
    jobs: Jobs = 1,
    overwrite: Overwrite = False,
) -> None:
    """A table of .pose files and texts (columns: path, text; optional split, id, glosses, start, end, signer, language)."""
    from signloom.corpora.manifest import manifest_sources
    from signloom.data.layouts import layout_named

    sources = manifest_sources(file, layout_named(layout) if layout else None)
    target = next(iter(sources.values())).layout
    _write(out, target, sources, {"corpus": "manifest", "manifest": file.name}, jobs, overwrite)


@app.command("wlasl-hands")
def wlasl_hands(
    folder: Annotated[Path, typer.Argument(help="Folder with hands_xy_f16.npz and index.csv.")],
    out: Out,
    subset: Annotated[Subset, typer.Option(help="Which official subset.")] = Subset.wlasl2000,
    jobs: Jobs = 1,
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
    _write(out, HANDS42, sources, description, jobs, overwrite)
    typer.echo(f"left out, no hand seen: {sum(excluded.values())}")


@app.command("sim-words-v1")
def sim_words(
    out: Out,
    size: SimulatedSize = Size.small,
    split: Split = "all",
    layout: SimulatedLayout = "holistic",
    jobs: Jobs = 1,
    overwrite: Overwrite = False,
) -> None:
    """Simulated isolated signs: a lexicon, or something to recognise."""
    chosen = _splits("sim-words-v1", split)

    from signloom.simulator.corpora import SimulatedWords

    _simulated(SimulatedWords, "sim-words-v1", out, size.value, chosen, layout, jobs, overwrite)


@app.command("sim-sentences-v1")
def sim_sentences(
    out: Out,
    size: SimulatedSize = Size.small,
    split: Split = "all",
    layout: SimulatedLayout = "holistic",
    jobs: Jobs = 1,
    overwrite: Overwrite = False,
) -> None:
    """Simulated signed sentences with their English."""
    chosen = _splits("sim-sentences-v1", split)

    from signloom.simulator.corpora import SimulatedSentences

    _simulated(
        SimulatedSentences, "sim-sentences-v1", out, size.value, chosen, layout, jobs, overwrite
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
    _write(out, layout, {part.value: samples}, description, jobs, overwrite)


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
    jobs: int,
    overwrite: bool,
) -> None:
    from signloom.data.layouts import layout_named

    target = layout_named(layout)
    sources = {name: source(size=size, split=name, layout=target) for name in splits}
    _write(out, target, sources, {"corpus": corpus, "size": size}, jobs, overwrite)


def _write(
    out: Path,
    layout: Layout,
    sources: Mapping[str, SampleSource],
    description: Mapping[str, Any],
    jobs: int,
    overwrite: bool,
) -> None:
    """Writes the store and says what is in it."""
    from signloom.cli.progress import progress
    from signloom.corpora.prepare import write_store
    from signloom.corpora.store import open_store
    from signloom.data.files import refuse_existing

    refuse_existing(out, overwrite)
    with progress(f"preparing {out.name}", sum(map(len, sources.values()))) as advance:
        write_store(
            out,
            layout,
            sources,
            description=description,
            jobs=jobs,
            overwrite=overwrite,
            advance=advance,
        )
    said = open_store(out).describe()
    counts = ", ".join(f"{split} {count:,}" for split, count in said["splits"].items())
    typer.echo(
        f"{out}: {counts} samples, {sum(said['frames'].values()):,} frames of "
        f"{said['layout']}, {said['bytes'] / 2**20:.1f} MiB"
    )
