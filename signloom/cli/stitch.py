"""signloom stitch: a sentence to a clip, sign by sign out of a lexicon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def run(
    sentence: Annotated[str, typer.Argument(help="What to sign, in written language.")],
    lexicon: Annotated[
        str,
        typer.Option(
            help="A folder with an index.csv, a store of words (STORE or STORE:split), "
            "or sim:tiny, sim:small, sim:base."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The .pose file to write.")],
    order: Annotated[
        str,
        typer.Option(
            help="swo: as in the sentence; rwo: in random order; signed: time first, topic, "
            "adjective after noun, wh last, no articles or copula; or some of these rules, with "
            "commas between: time-first, topic-comment, wh-final, adjective-after-noun, "
            "drop-copula, drop-articles."
        ),
    ] = "swo",
    seed: Annotated[
        int, typer.Option(min=0, help="Which of a word's clips, and which random order.")
    ] = 0,
    forms: Annotated[
        bool, typer.Option(help="Let 'walked' stand for 'walk' where the lexicon lacks it.")
    ] = True,
    spell: Annotated[
        bool, typer.Option(help="Fingerspell words that the lexicon lacks, if it has letters.")
    ] = True,
    trim: Annotated[
        bool, typer.Option("--trim", help="Cut the rest before and after each sign.")
    ] = False,
    longest: Annotated[
        float | None,
        typer.Option(help="Cut each sign to this many seconds; 0.8 is usual."),
    ] = None,
    blend: Annotated[
        float, typer.Option(help="Seconds of a smooth transition between signs; 0.2 is usual.")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output.")] = False,
) -> None:
    """Stitch a sentence to a clip, sign by sign out of a lexicon."""
    import numpy as np

    from signloom.data.files import refuse_existing
    from signloom.errors import UsageError
    from signloom.methods.sources import open_lexicon
    from signloom.pose.files import write_pose
    from signloom.pose.lip_files import beside
    from signloom.stitch.joining import Joining
    from signloom.stitch.stitcher import stitch
    from signloom.text.clean import words_of
    from signloom.text.order import order_named

    if out.suffix != ".pose":
        raise UsageError(f"{out} does not end in .pose; name the output, say, {out}.pose")
    refuse_existing(out, overwrite)
    if not words_of(sentence):
        raise UsageError(f"the sentence '{sentence}' has no words; write what is to be signed")
    joining = Joining(trim, longest, blend)
    order = order_named(order).name
    found = stitch(
        words_of(sentence),
        open_lexicon(lexicon),
        order=order,
        rng=np.random.default_rng(seed),
        fingerspell=spell,
        forms=forms,
        joining=joining,
    )
    if overwrite:
        beside(out).unlink(missing_ok=True)  # the lips of what stood there
    write_pose(found.clip, out, overwrite=overwrite)
    report = {
        "sentence": sentence,
        "output": str(out),
        "order": order,
        "joining": joining.name,
        "seed": seed,
        "frames": len(found.clip),
        "seconds": round(found.clip.duration, 3),
        "signs": [
            {
                "gloss": sign.gloss,
                "start": round(sign.span.start, 3),
                "end": round(sign.span.end, 3),
            }
            for sign in found.used
            if sign.span is not None
        ],
        "spelled": list(found.spelled),
        "skipped": list(found.skipped),
        "dropped": list(found.dropped),
    }
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    typer.echo(f"{out}: {len(found.clip)} frames, {found.clip.duration:.1f} s")
    typer.echo(f"signed: {' '.join(sign.gloss for sign in found.used)}", err=True)
    if found.spelled:
        typer.echo(f"spelled: {' '.join(found.spelled)}", err=True)
    if found.skipped:
        typer.echo(f"skipped (no sign in the lexicon): {' '.join(found.skipped)}", err=True)
    if found.dropped:
        typer.echo(f"dropped by the order rules: {' '.join(found.dropped)}", err=True)
