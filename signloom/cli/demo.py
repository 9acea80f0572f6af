"""signloom demo: bundled models on bundled and simulated signing, and reports to open offline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.errors import MediaError

if TYPE_CHECKING:
    from signloom.metrics.score import Score
    from signloom.web.report import Example, ScoreTable

SHOWN = ("BLEU-4", "chrF2", "content-F1")
TIMED = ("F1@.50", "frame accuracy", "background-free accuracy")
EPISODE = 1
"""Which episode of the tiny test split is aligned: a minute and a half of dense signing, 4.5 s behind."""


def run(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for report.html.")] = Path(
        "demo"
    ),
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the reports of an earlier run.")
    ] = False,
) -> None:
    """Translate the bundled example, align a simulated episode, and write reports to open offline.

    The signing is simulated and of test splits: neither its signers nor its sentences were
    seen in training.
    """
    import signloom
    from signloom.inference.translate import BUNDLED

    examples = Path(signloom.__file__).parent / "bundled" / "example"
    demonstrate(BUNDLED, examples, out, overwrite)
    print()
    demonstrate_alignment(out, overwrite)


def demonstrate(model: Path, folder: Path, out: Path, overwrite: bool) -> None:
    """Translates every clip in ``folder``, prints what came out, writes ``out``/report.html.

    Raises MediaError where model or clips are absent, UsageError where the report exists.
    """
    from signloom.cli.table import beside, table
    from signloom.data.files import refuse_existing, writing
    from signloom.inference.translate import refuse_untrusted, translate_clips
    from signloom.methods.load import load
    from signloom.metrics.translation import score_translation
    from signloom.training.checkpoint import read_checkpoint
    from signloom.web.report import NOTICE, ScoreTable, render

    page = refuse_existing(out / "report.html", overwrite)
    translator, config = load(str(model)), read_checkpoint(model).config
    signed = read_examples(folder)
    simulated = all(example.clip.simulated for example in signed)
    refuse_untrusted(translator, simulated, what=str(folder))
    written = translate_clips(translator, [example.clip for example in signed])
    examples = [
        replace(example, hypothesis=translation.text)
        for example, translation in zip(signed, written, strict=True)
    ]
    scores = score_translation(
        [example.hypothesis for example in examples], [example.reference for example in examples]
    )
    tables = release_tables(translator.name, config)
    here = ScoreTable(f"These {len(examples)} sentences", {translator.name: scores}, {})
    subtitle = (
        f"{len(examples)} sentences from a test split: signers and sentences that training did "
        "not see. Watch each one, and compare what the model wrote with what was signed."
    )
    if simulated:
        print(NOTICE + "\n")
    for number, example in enumerate(examples, start=1):
        print(f"{number:2}  signed  {example.reference}\n    model   {example.hypothesis}")
    print(f"\n{here.caption}")
    print(table(scores))
    for measured in tables:
        print(f"\n{measured.caption}")
        print(beside(dict(measured.rows), SHOWN))
        for system, meaning in measured.meanings.items():
            print(f"  {system}: {meaning}")
    if not tables:
        print("\nThis checkpoint carries no scores of a whole test split.")
    with writing(page, overwrite) as temporary:
        temporary.write_text(
            render(examples, [*tables, here], model_facts(config), subtitle, simulated),
            encoding="utf-8",
        )
    print(f"\nreport: {page} (open it in a browser; it needs no network)")


def demonstrate_alignment(out: Path, overwrite: bool) -> None:
    """Makes an episode, aligns its speech-timed subtitles, prints what moved and how near it came.

    Writes into ``out``: the four files of `signloom simulate episode`, named by `EPISODE`, aligned.vtt
    and aligned.html as `signloom align` does. Raises UsageError where one of them exists.
    """
    from signloom.cli.align import Extras, align_one
    from signloom.cli.score import read_episodes
    from signloom.cli.simulate import write_episode
    from signloom.cli.table import beside
    from signloom.inference.retime import Wishes, clock
    from signloom.metrics.alignment import baselines, score_alignment
    from signloom.simulator.corpora import rendered_layout
    from signloom.simulator.episode import SimulatedEpisodes

    made = SimulatedEpisodes("tiny", "test", rendered_layout("mp203"), 1)
    write_episode(made, out, overwrite, None, EPISODE)
    pose, speech, signing = (
        out / f"{EPISODE}{ending}" for ending in (".pose", ".speech.vtt", ".signing.vtt")
    )
    aligned, report = out / "aligned.vtt", out / "aligned.html"
    extras = Extras(reports=(report,), overwrite=overwrite)
    line, low = align_one(pose, speech, None, aligned, Wishes(), extras)
    episodes = read_episodes(aligned, signing, speech)
    episode = episodes[0]
    assert episode.prior is not None  # speech was given
    print(
        "Subtitles of a simulated episode, moved from when they are said to when they are signed\n"
    )
    print(f"{'said':13} {'aligned':13} {'signed':13} text")
    for said, found, true in zip(episode.prior, episode.hypothesis, episode.truth, strict=True):
        at = " ".join(f"{clock(cue.span.start):13}" for cue in (said, found, true))
        print(f"{at} {true.text}")
    print()
    rules: dict[str, Any] = {"overlap": "later", "variant": "bull", "fps": 25.0}
    scored = score_alignment(episodes, **rules)
    print(beside({"signloom align": scored, **baselines(episodes, **rules)}, TIMED))
    print(f"\n{line}" + (f"\n{low}" if low else ""))
    print(f"report: {report}")


def read_examples(folder: Path) -> list[Example]:
    """The clips of a folder (NAME.pose) with what is known of them (NAME.json), by name.

    The JSON is what `signloom simulate` writes: text, signer, glosses with start
    and end in seconds. Raises MediaError where there is no clip or no JSON beside it.
    """
    from signloom.data.sample import GlossSpan
    from signloom.data.timing import Span
    from signloom.pose.files import read_pose
    from signloom.web.report import Example

    paths = sorted(folder.glob("*.pose"))
    if not paths:
        raise MediaError(
            f"no .pose file in {folder}, expected the example clips; install signloom anew"
        )
    examples = []
    for path in paths:
        beside = path.with_suffix(".json")
        try:
            known = json.loads(beside.read_text(encoding="utf-8"))
            glosses = tuple(
                GlossSpan(gloss["gloss"], Span(gloss["start"], gloss["end"]))
                for gloss in known["glosses"]
            )
            text, signer = known["text"], str(known.get("signer", ""))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MediaError(
                f"{beside} does not tell what {path.name} says ({type(error).__name__}: {error}); "
                "expected JSON with 'text' and 'glosses' as `signloom simulate` writes it"
            ) from None
        examples.append(Example(read_pose(path), "", text, glosses, signer))
    return examples


def release_tables(name: str, config: Mapping[str, Any]) -> list[ScoreTable]:
    """The scores that `signloom evaluate --record` kept in the checkpoint, model before baselines."""
    from signloom.inference.evaluate import BASELINES
    from signloom.metrics.score import Score
    from signloom.web.report import ScoreTable

    kept = config.get("metrics")
    if not kept:
        return []
    rows: dict[str, Sequence[Score]] = {name: [Score.from_json(m) for m in kept["metrics"]]}
    for system, scores in kept["baselines"].items():
        rows[system] = [Score.from_json(score) for score in scores]
    caption = f"The whole {kept['split']} split of {kept['store']}, measured at release"
    meanings = {system: meaning for system, meaning in BASELINES.items() if system in rows}
    return [ScoreTable(f"{caption}: {kept['n']:,} sentences", rows, meanings)]


def model_facts(config: Mapping[str, Any]) -> dict[str, str]:
    """What the report says of the model, in words; only what its config knows."""
    settings, weights = config.get("config", {}), config.get("weights", {})
    facts = {
        "Name": config.get("name"),
        "Method": config.get("method"),
        "Parameters": f"{weights['parameters']:,}" if "parameters" in weights else None,
        "Stored as": weights.get("dtype"),
        "Reads": settings.get("layout"),
        "Knows": "simulated signing only" if config.get("simulated_only") else None,
        "Signed languages": ", ".join(config.get("languages", [])),
        "Weights": f"sha256 {weights['sha256']}" if "sha256" in weights else None,
    }
    return {fact: str(value) for fact, value in facts.items() if value}
