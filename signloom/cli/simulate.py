"""signloom simulate: simulated words, sentences or episodes as .pose and .json files, from a seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.progress import progress
from signloom.errors import UsageError

if TYPE_CHECKING:
    from signloom.data.cue import Cue
    from signloom.data.sample import GlossSpan, Sample
    from signloom.data.timing import Span
    from signloom.simulator.corpora import Corpus, SimulatedSentences, SimulatedWords
    from signloom.simulator.episode import Episode, SimulatedEpisodes

app = typer.Typer(
    no_args_is_help=True,
    help="Write simulated words, sentences or episodes, from a seed: "
    "an instrument, not a sign language.",
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
WithLips = Annotated[
    bool,
    typer.Option("--lips", help="Also draw mouths, to NAME.lips.safetensors: 9 kB a frame."),
]
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
    lips: WithLips = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
) -> None:
    """Isolated signs (sim-words-v1), as a dictionary shows them."""
    from signloom.simulator.corpora import SimulatedWords, rendered_layout

    source = SimulatedWords(size, split, rendered_layout(layout), seed, lips)
    paths, write = partial(_paths, source, out), partial(write_sample, source, out, overwrite)
    _write(source, paths, write, index, count, overwrite, jobs)


@app.command()
def sentences(
    out: Out,
    seed: Seed = 1,
    index: First = 0,
    count: Count = 1,
    size: Size = "small",
    split: Split = "train",
    layout: LayoutName = "holistic",
    lips: WithLips = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
) -> None:
    """Signed sentences (sim-sentences-v1) with their English and their glosses."""
    from signloom.simulator.corpora import SimulatedSentences, rendered_layout

    source = SimulatedSentences(size, split, rendered_layout(layout), seed, lips)
    paths, write = partial(_paths, source, out), partial(write_sample, source, out, overwrite)
    _write(source, paths, write, index, count, overwrite, jobs)


@app.command()
def episode(
    out: Out,
    seed: Seed = 1,
    index: First = 0,
    count: Count = 1,
    size: Size = "small",
    split: Split = "test",
    layout: LayoutName = "mp203",
    minutes: Annotated[
        float | None,
        typer.Option(help="Make episodes of this length, which are none of the corpus's."),
    ] = None,
    lips: WithLips = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
) -> None:
    """Minutes of signing with subtitles timed to speech (sim-episodes-v1), and the truth.

    Writes N.pose, N.speech.vtt (what an aligner gets), N.signing.vtt (when it is signed) and
    N.json (all that is known) for each index N, and with --lips N.lips.safetensors.
    """
    from signloom.simulator.corpora import rendered_layout
    from signloom.simulator.episode import SimulatedEpisodes

    source = SimulatedEpisodes(size, split, rendered_layout(layout), seed)
    paths, write = (
        partial(_episode_paths, out, lips),
        partial(write_episode, source, out, overwrite, minutes, lips=lips),
    )
    _write(source, paths, write, index, count, overwrite, jobs)


def _write(
    source: Corpus,
    paths: Callable[[int], tuple[Path, ...]],
    write: Callable[[int], str],
    first: int,
    count: int,
    overwrite: bool,
    jobs: int,
) -> None:
    """Writes samples first … first + count − 1, each to its paths, and prints what ``write`` returns.

    Raises UsageError for samples that the corpus does not have, or files that exist.
    """
    total = len(source)  # type: ignore[arg-type]
    if first + count > total:
        raise UsageError(
            f"samples {first} to {first + count - 1} are asked for, but size '{source.size}', split "
            f"'{source.split}' has samples 0 to {total - 1}; "
            "choose a smaller --index or --count, another --split, or a larger --size"
        )
    indices = range(first, first + count)
    taken = next((p for i in indices for p in paths(i) if p.exists()), None)
    if taken and not overwrite:
        raise UsageError(f"{taken} exists already; choose another folder or pass --overwrite")
    paths(first)[0].parent.mkdir(parents=True, exist_ok=True)
    with progress("simulate", count) as advance:
        for line in _lines(write, indices, jobs):
            typer.echo(line)
            advance(1)


def _lines(write: Callable[[int], str], indices: range, jobs: int) -> Iterator[str]:
    if jobs == 1 or len(indices) == 1:
        yield from map(write, indices)
        return
    from signloom.data.crew import crew

    with crew(jobs) as pool:
        yield from pool.map(write, indices, chunksize=min(4, -(-len(indices) // jobs)))


def _paths(source: SimulatedWords | SimulatedSentences, out: Path, index: int) -> tuple[Path, ...]:
    """Of the poses, of what is known of them, and with lips of these."""
    from signloom.pose.lip_files import beside

    stem = f"{source.version}-{source.size}-{source.split}-{index:06d}"
    pose = out / f"{stem}.pose"
    return pose, out / f"{stem}.json", *([beside(pose)] if source.lips else [])


def write_sample(
    source: SimulatedWords | SimulatedSentences, out: Path, overwrite: bool, index: int
) -> str:
    """Writes one sample; the line that tells of it: pose file, tab, text."""
    from signloom.pose.files import write_pose
    from signloom.pose.lip_files import beside, write_lips

    pose, described, *mouths = _paths(source, out, index)
    sample = source[index]
    if overwrite and not mouths:
        beside(pose).unlink(missing_ok=True)
    write_pose(sample.clip, pose, overwrite)
    for path in mouths:
        assert sample.lips is not None
        write_lips(sample.lips, path, overwrite)
    _write_json(describe(sample), described, overwrite)
    return f"{pose}\t{sample.text}"


def _write_json(told: dict[str, Any], path: Path, overwrite: bool) -> None:
    from signloom.data.files import writing

    with writing(path, overwrite) as part:
        part.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def describe(sample: Sample) -> dict[str, Any]:
    """What is known of a simulated sample, for its .json; times in seconds."""
    return {
        "id": sample.id,
        "text": sample.text,
        "glosses": _told_glosses(sample.glosses),
        "signer": sample.signer,
        "language": sample.language,
        "layout": sample.clip.layout.name,
        "fps": sample.clip.fps,
        "frames": len(sample.clip),
        "version": sample.clip.origin.version,
        "simulated": True,
    }


def _told_glosses(glosses: tuple[GlossSpan, ...]) -> list[dict[str, Any]]:
    return [{"gloss": g.gloss, **_told_span(g.span)} for g in glosses if g.span]


def _told_span(span: Span) -> dict[str, float]:
    return {"start": span.start, "end": span.end}


def _episode_paths(out: Path, lips: bool, index: int) -> tuple[Path, ...]:
    from signloom.pose.lip_files import ENDING

    endings = (".pose", ".speech.vtt", ".signing.vtt", ".json", *([ENDING] if lips else []))
    return tuple(out / f"{index}{ending}" for ending in endings)


def write_episode(
    source: SimulatedEpisodes,
    out: Path,
    overwrite: bool,
    minutes: float | None,
    index: int,
    lips: bool = False,
) -> str:
    """Writes one episode's files; the line that tells of it: pose file, tab, id."""
    from signloom.data.files import writing
    from signloom.pose.files import write_pose_slices
    from signloom.pose.lip_files import beside, write_lips_slices

    made = source[index] if minutes is None else source.of_length(index, minutes)
    pose, speech, signing, described, *mouths = _episode_paths(out, lips, index)
    if overwrite and not lips:
        beside(pose).unlink(missing_ok=True)
    write_pose_slices(made.slices(), made.frames, pose, overwrite)
    for path in mouths:
        write_lips_slices(made.lip_slices(), made.frames, path, overwrite)
    for path, cues, timed in ((speech, made.speech, "speech"), (signing, made.signing, "signing")):
        with writing(path, overwrite) as part:
            part.write_bytes(_subtitles(cues, f"Simulated ({made.id}): timed to the {timed}."))
    _write_json(describe_episode(made), described, overwrite)
    return f"{pose}\t{made.id}"


def _subtitles(cues: tuple[Cue, ...], note: str) -> bytes:
    """WebVTT that begins with a note."""
    from signloom.text.subtitles import compose

    head, rest = compose(cues, "vtt").split(b"\n", 1)
    return head + b"\n\nNOTE " + note.encode() + b"\n" + rest


def describe_episode(episode: Episode) -> dict[str, Any]:
    """All that is true of a simulated episode, for its .json; times in seconds."""
    return {
        "id": episode.id,
        "version": episode.version,
        "simulated": True,
        "size": episode.size,
        "split": episode.split,
        "index": episode.index,
        "language": episode.language,
        "signer": episode.signer,
        "conditions": dict(episode.conditions),
        "layout": episode.layout.name,
        "fps": episode.fps,
        "frames": episode.frames,
        "cues": [
            {
                "text": said.text,
                "kind": kind,
                "lag": lag,
                "speech": _told_span(said.span),
                "signing": _told_span(signed.span),
            }
            for said, signed, kind, lag in zip(
                episode.speech, episode.signing, episode.kinds, episode.lags, strict=True
            )
        ],
        "sentences": [
            {
                "text": one.text,
                **_told_span(one.span),
                "cues": list(one.cues),
                "glosses": _told_glosses(one.glosses),
            }
            for one in episode.sentences
        ],
        "activity": [_told_span(span) for span in episode.activity],
        "rests": [{"kind": rest.kind, **_told_span(rest.span)} for rest in episode.rests],
    }
