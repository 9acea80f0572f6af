"""signloom vocabulary: which words of a corpus a lexicon covers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from signloom.text.coverage import CoverageReport


def run(
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="TEXT|STORE|MANIFEST",
            help="A text (.txt, .tsv, .csv, .jsonl, also .gz or .zip), a store, a manifest, a "
            "folder of texts, or sim:tiny, sim:small, sim:base.",
        ),
    ],
    lexicon: Annotated[
        str,
        typer.Option(
            help="A folder with an index.csv, a store of words (STORE or STORE:split), "
            "or sim:tiny, sim:small, sim:base."
        ),
    ],
    column: Annotated[str, typer.Option(help="Where a table has its sentences.")] = "text",
    split: Annotated[
        str | None, typer.Option(help="The split of a store; 'train' where none is named.")
    ] = None,
    forms: Annotated[
        bool, typer.Option(help="Let 'walked' count where the lexicon has 'walk'.")
    ] = True,
    coverage: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of its words that makes a sentence usable."),
    ] = 0.9,
    most: Annotated[
        int, typer.Option(min=0, help="How many missed words and inflections to name.")
    ] = 20,
    write: Annotated[
        Path | None,
        typer.Option(
            help="Write the usable sentences, each once, to this folder: a stream for recipes."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say which words of a corpus a lexicon covers, and write the sentences it can sign."""
    from signloom.data.files import refuse_existing
    from signloom.methods.sources import corpus_texts, open_lexicon
    from signloom.text.coverage import coverage_report
    from signloom.text.sentences import covered
    from signloom.text.stream import write_texts

    if write is not None:
        refuse_existing(write, overwrite)
    signs = open_lexicon(lexicon)
    report = coverage_report(
        corpus_texts(corpus, column, split), signs.words, forms, signs.letters, coverage, most
    )
    kept = 0
    if write is not None:
        texts = corpus_texts(corpus, column, split)
        kept = write_texts(covered(texts, signs.words, coverage, forms=forms), write, overwrite)
    if as_json:
        said = {"corpus": corpus, "lexicon": signs.name, "forms": forms, **report.to_json()}
        if write is not None:
            said["written"] = {"folder": str(write), "sentences": kept}
        typer.echo(json.dumps(said, indent=2, ensure_ascii=False))
        return
    typer.echo("\n".join(_lines(report, signs.name, len(signs.letters))))
    if write is not None:
        typer.echo(f"written: {kept:,} sentences to {write}", err=True)


def _lines(report: CoverageReport, lexicon: str, letters: int) -> Iterator[str]:
    """The report for people."""

    def of(part: int, whole: int) -> str:
        return f"{part:,} of {whole:,} ({part / whole:.1%})" if whole else f"{part:,} of 0"

    rows = [
        ("lexicon", f"{lexicon}: {report.entries:,} entries, {report.entries_used:,} called for"),
        ("words (tokens)", f"{of(report.tokens_covered, report.tokens)} covered"),
        ("different words (types)", f"{of(report.types_covered, report.types)} covered"),
        ("by inflection", f"{report.inflected:,} tokens stand for their base form"),
        ("without a sign", f"{report.unsigned:,} function words, not counted"),
        ("sentences", f"{of(report.fully, report.sentences)} fully covered"),
        (f"at {report.threshold:.0%}", f"{of(report.reaching, report.sentences)}"),
        ("nothing covered", f"{report.nothing:,} sentences"),
    ]
    if letters:
        rows.append(("to be spelled", f"{report.spellable:,} of the missed tokens"))
    wide = max(len(name) for name, _ in rows) + 2
    yield from (f"{name:{wide}}{value}" for name, value in rows)
    if report.missed:
        yield f"{'missed most':{wide}}{_listed(f'{w} {n:,}' for w, n in report.missed)}"
    if report.inflections:
        said = (f"{word} → {entry} {n:,}" for word, entry, n in report.inflections)
        yield f"{'inflected most':{wide}}{_listed(said)}"


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)
