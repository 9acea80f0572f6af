"""signloom score: hypotheses against references, a sentence a line, or subtitles against the truth."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signloom.cli.engine import Address, EngineName, WithEngine, engine_of
from signloom.errors import MediaError, UsageError

if TYPE_CHECKING:
    from signloom.data.cue import Cue
    from signloom.data.spread import Engine
    from signloom.metrics.alignment import AlignedEpisode
    from signloom.metrics.score import Each


class Task(StrEnum):
    translation = "translation"
    recognition = "recognition"
    alignment = "alignment"


class Tokenize(StrEnum):
    """sacreBLEU's tokenisers that need nothing more than sacreBLEU."""

    t13a = "13a"
    none = "none"
    zh = "zh"
    char = "char"
    intl = "intl"


class Stop(StrEnum):
    en_v1 = "en-v1"
    none = "none"


class Costs(StrEnum):
    unit = "1/1/1"
    sclite = "3/3/4"


class Clean(StrEnum):
    none = "none"
    phoenix2014 = "phoenix2014"
    phoenix2014t = "phoenix2014t"


class Overlap(StrEnum):
    later = "later"
    earlier = "earlier"
    midpoint = "midpoint"


class Variant(StrEnum):
    bull = "bull"
    sea = "sea"


SHOWN = ("frame accuracy", "background-free accuracy", "F1@.10", "F1@.25", "F1@.50")
"""The alignment scores that stand beside those of the baselines."""

HYPOTHESIS = ("aligned", "signing", "")
TRUTH = ("signing", "")
PRIOR = ("speech", "")
"""Which of an episode's files is meant: the word between its name and the ending, best first."""


def run(
    task: Annotated[
        Task | None,
        typer.Option(
            help="translation: BLEU-1…4, chrF2, chrF++, ROUGE-L, CIDEr-D, content-F1, repetition; "
            "recognition: WER; alignment: F1@.10/.25/.50, frame accuracies, offsets."
        ),
    ] = None,
    hyp: Annotated[
        Path | None,
        typer.Option(
            help="Hypotheses, one sentence a line (.gz too); alignment: subtitles, or a folder."
        ),
    ] = None,
    ref: Annotated[
        Path | None,
        typer.Option(
            help="References, one sentence a line (.gz too); alignment: true subtitles, or a folder."
        ),
    ] = None,
    hyp_b: Annotated[
        Path | None,
        typer.Option(help="Another system's hypotheses: each difference, with its p values."),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(help="What `signloom evaluate` kept, in place of --hyp and --ref."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Another run's predictions: compared, the worst samples first."),
    ] = None,
    worst: Annotated[
        int, typer.Option(min=0, help="How many of those samples are shown (--json: all).")
    ] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also rouge-score's ROUGE-L, bleu_ps, bleu_litfic, iou_litfic (translation).",
        ),
    ] = False,
    lowercase: Annotated[
        bool, typer.Option("--lowercase", help="Lower-case both sides first.")
    ] = False,
    tokenize: Annotated[
        Tokenize | None,
        typer.Option(
            help="BLEU's tokeniser; zh and char cut ROUGE-L and CIDEr-D too (translation) "
            "(default: 13a)."
        ),
    ] = None,
    stop_words: Annotated[
        Stop | None,
        typer.Option(help="List that content-word F1 leaves out (translation) (default: en-v1)."),
    ] = None,
    train_text: Annotated[
        Path | None,
        typer.Option(
            help="Training sentences, one a line: for baselines, and for a table by words that "
            "are not in them (translation)."
        ),
    ] = None,
    bleurt: Annotated[
        Path | None,
        typer.Option(help="Folder of a BLEURT checkpoint to score with too (translation)."),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(
            help="Program that judges each pair: JSON on its input, 0 to 5 on its output "
            "(translation)."
        ),
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option(help="What judges, version and all, for the signature.")
    ] = None,
    judge_prompt: Annotated[
        Path | None,
        typer.Option(help="Prompt with {reference} and {hypothesis} (default: ours)."),
    ] = None,
    judge_repeats: Annotated[
        int | None, typer.Option(min=1, help="Rounds of judging (default: 3).")
    ] = None,
    judge_cache: Annotated[
        Path | None, typer.Option(help="File of raw answers, read first and added to.")
    ] = None,
    costs: Annotated[
        Costs | None,
        typer.Option(
            help="What aligning pays for deletion, insertion, substitution; 3/3/4 as sclite "
            "(recognition) (default: 1/1/1)."
        ),
    ] = None,
    clean: Annotated[
        Clean | None,
        typer.Option(
            help="Whose clean-up of glosses both sides go through (recognition) (default: none)."
        ),
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="The times the aligner was given, for baselines (alignment) "
            "(default: the .speech. files beside the truth)."
        ),
    ] = None,
    overlap: Annotated[
        Overlap | None,
        typer.Option(help="Whose a frame is that two cues claim (alignment) (default: later)."),
    ] = None,
    variant: Annotated[
        Variant | None, typer.Option(help="Whose protocol (alignment) (default: bull).")
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(help="Frames in a second of the videos (alignment) (default: 25)."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes; the scores are the same.")] = 1,
    engine: WithEngine = EngineName.processes,
    address: Address = None,
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder where what is counted is kept; an interrupted run goes on from there."
        ),
    ] = None,
) -> None:
    """Score hypotheses against references, or two systems against each other.

    Lines end at a line feed and nowhere else. Pairs with an empty reference
    are left out and counted; an empty hypothesis is a miss. Subtitles are
    paired by their place in the file, folders by the name up to the first dot.
    """
    where = engine_of(engine, jobs, address)
    from signloom.cli.sentences import Judging, score_predictions, score_sentences

    judging = {
        "--judge-model": judge_model,
        "--judge-prompt": judge_prompt,
        "--judge-repeats": judge_repeats,
        "--judge-cache": judge_cache,
    }
    words = {
        "--all": everything or None,
        "--tokenize": tokenize,
        "--stop-words": stop_words,
        "--train-text": train_text,
        "--bleurt": bleurt,
        "--judge": judge,
        **judging,
    }
    glosses = {"--costs": costs, "--clean": clean}
    times = {"--prior": prior, "--overlap": overlap, "--variant": variant, "--fps": fps}
    if predictions is not None:
        given = {"--hyp": hyp, "--ref": ref, "--hyp-b": hyp_b}
        if wrong := [option for option, path in given.items() if path is not None]:
            raise UsageError(
                f"--predictions holds hypotheses and references, got {wrong[0]} beside it; leave "
                f"{wrong[0]} out (a second run is given with --against)"
            )
        task = task or Task.translation
        if task is Task.alignment:
            raise UsageError(
                "--predictions goes with --task translation (the default) and --task recognition, got "
                "--task alignment; give --hyp and --ref"
            )
    elif against is not None:
        raise UsageError(
            f"--against {against} is compared with --predictions, which is missing; for two files "
            "of sentences use --hyp and --hyp-b"
        )
    needed = {"--task": task, "--hyp": hyp, "--ref": ref} if predictions is None else {}
    if missing := [option for option, got in needed.items() if got is None]:
        raise UsageError(
            f"{missing[0]} is missing; expected --task, --hyp and --ref, or --predictions"
        )
    if task is Task.alignment:
        assert hyp is not None
        assert ref is not None
        alignment = "alignment, which compares times"
        both = {"--hyp-b": hyp_b, "--lowercase": lowercase or None}
        _refuse(both, "translation and --task recognition", alignment)
        _refuse(words, "translation", alignment)
        _refuse(glosses, "recognition", alignment)
        with shared_out(where, work, [hyp, ref, prior], (overlap, variant, fps)) as each:
            _score_alignment(hyp, ref, prior, as_json, overlap, variant, fps, each)
        return
    _refuse(times, "alignment", f"{task}, which reads sentences")
    if task is Task.recognition:
        _refuse(words, "translation", "recognition, whose words are what white space separates")
        settings: dict[str, Any] = {
            "lowercase": lowercase,
            "costs": (costs or Costs.unit).value,
            "clean": (clean or Clean.none).value,
        }
    else:
        _refuse(glosses, "recognition", "translation")
        settings = {
            "lowercase": lowercase,
            "tokenize": (tokenize or Tokenize.t13a).value,
            "stop_words": (stop_words or Stop.en_v1).value,
            "which": "all" if everything else "standard",
        }
    if judge is None and (idle := [option for option, got in judging.items() if got is not None]):
        raise UsageError(f"{idle[0]} goes with --judge, which is missing; give the program to run")
    asked = None
    if judge is not None:
        asked = Judging(judge, judge_model, judge_prompt, judge_repeats, judge_cache)
    options: dict[str, Any] = {
        "settings": settings,
        "train_text": train_text,
        "bleurt": bleurt,
        "judging": asked,
        "as_json": as_json,
    }
    files = [hyp, ref, hyp_b, predictions, against, train_text]
    if predictions is not None:
        with shared_out(where, work, files, settings.items()) as settings["each"]:
            score_predictions(predictions, against, worst=worst, **options)
        return
    assert hyp is not None
    assert ref is not None
    hypotheses, references = read_lines(hyp), read_lines(ref)
    others = None if hyp_b is None else read_lines(hyp_b)
    for path, lines in ((hyp, hypotheses), (hyp_b, others)):
        if lines is not None and len(lines) != len(references):
            raise UsageError(
                f"{path} has {len(lines)} lines but {ref} has {len(references)}; give one "
                "sentence a line, in the same order, an empty line where there is no output"
            )
    with shared_out(where, work, files, settings.items()) as settings["each"]:
        score_sentences(hypotheses, references, others, **options)


@contextmanager
def shared_out(
    engine: Engine, work: Path | None, files: Iterable[Path | None], settings: Iterable[Any]
) -> Iterator[Each]:
    """By whom sentences and episodes are counted: by this process, or shared out.

    What others count is kept in ``work``, or for the time being, under a name that the files'
    contents and the settings make: nothing that was counted of other inputs is ever taken.
    """
    from signloom import __version__
    from signloom.data.spread import connected, spread_kept
    from signloom.metrics.score import in_turn

    if engine.name == "processes" and engine.jobs == 1 and work is None:
        yield in_turn
        return
    seen = hashlib.sha256(repr((__version__, *map(str, settings))).encode())
    for path in files:
        inside = sorted(path.iterdir()) if path is not None and path.is_dir() else [path]
        for file in inside:
            seen.update(b"-" if file is None or file.is_dir() else file.read_bytes())
    with tempfile.TemporaryDirectory() as passing, connected(engine):
        folder, calls = Path(work or passing) / seen.hexdigest()[:16], itertools.count()

        def each(function: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
            call = next(calls)
            named = {f"{call}-{i:06d}": item for i, item in enumerate(items)}
            found = {}
            for done in spread_kept(partial(_called, function), named, folder, engine):
                if done.error is not None:
                    raise done.error
                found[done.name] = done.value
            return [found[name] for name in named]

        yield each


def _called(function: Callable[[Any], Any], name: str, item: Any) -> Any:
    """One item of work: what a function makes of it."""
    return function(item)


def _refuse(options: dict[str, Any], goes_with: str, got: str) -> None:
    """Raises UsageError for the first option that is given, but belongs to another task."""
    for option, given in options.items():
        if given is not None:
            shown = option if given is True else f"{option} {given}"
            raise UsageError(
                f"{shown} goes with --task {goes_with}, got --task {got}; leave {option} out"
            )


def _score_alignment(
    hyp: Path,
    ref: Path,
    prior: Path | None,
    as_json: bool,
    overlap: Overlap | None,
    variant: Variant | None,
    fps: float | None,
    each: Each,
) -> None:
    from signloom.cli.table import beside, table
    from signloom.metrics.alignment import baselines, score_alignment, score_episodes

    rate = 25.0 if fps is None else fps
    episodes = read_episodes(hyp, ref, prior, rate)
    _warn_of_other_texts(episodes)
    rules: dict[str, Any] = {
        "overlap": (overlap or Overlap.later).value,
        "variant": (variant or Variant.bull).value,
        "fps": rate,
        "each": each,
    }
    scores = score_alignment(episodes, **rules)
    simple = baselines(episodes, **rules)
    alone = score_episodes(episodes, **rules)
    if as_json:
        shown = {
            "metrics": [score.to_json() for score in scores],
            "baselines": {k: [score.to_json() for score in v] for k, v in simple.items()},
            "episodes": [
                {"name": e.name, "n": e.n, "f1_50": None if e.f1_50 is None else round(e.f1_50, 4)}
                for e in alone
            ],
        }
        print(json.dumps(shown, indent=2))
        return
    print(table(scores))
    print()
    print(beside({"hypothesis": scores, **simple}, SHOWN))
    ranked = sorted((e.f1_50, e.name, e.n) for e in alone if e.f1_50 is not None)
    if len(ranked) > 1:
        worst = ", ".join(f"episode '{name}' {f1:.1f} ({n} cues)" for f1, name, n in ranked[:3])
        print(f"\nlowest F1@.50: {worst}")


def read_episodes(
    hyp: Path, ref: Path, prior: Path | None = None, fps: float = 25.0
) -> list[AlignedEpisode]:
    """The episodes in a subtitle file each, or a folder each, of hypothesis, truth and prior.

    Files in folders pair by their name up to the first dot. fps: for times in frames.
    Raises UsageError where an episode is missing on a side, two files could be meant, or
    cue counts differ; SubtitleError where a file cannot be read.
    """
    from signloom.metrics.alignment import AlignedEpisode
    from signloom.text.subtitles import read_subtitles

    sides = {"--hyp": hyp, "--ref": ref} | ({} if prior is None else {"--prior": prior})
    folders = [option for option, path in sides.items() if path.is_dir()]
    if folders and len(folders) < len(sides):
        files = [option for option in sides if option not in folders]
        raise UsageError(
            f"{' and '.join(folders)} names a folder but {' and '.join(files)} does not; "
            "give a subtitle file each, or a folder of episodes each"
        )
    if folders:
        truths, hyps = _files(ref, TRUTH, never="speech"), _files(hyp, HYPOTHESIS)
        if not truths:
            raise UsageError(
                f"{ref} holds the true subtitles of no episode, expected files such as "
                "12.signing.vtt or 12.vtt; check --ref"
            )
        _all_there(truths, hyps, hyp)
        _all_there(hyps, truths, ref)
        priors = _files(prior or ref, PRIOR if prior else ("speech",), never="signing")
        if prior is not None:
            _all_there(truths, priors, prior)
        elif priors and (without := sorted(truths.keys() - priors.keys())):
            _notice(
                f"{ref} has no .speech. file for {_first_few(without)}, so the input timing is not "
                "among the baselines"
            )
            priors = {}
    else:
        name = ref.name.split(".")[0]
        truths, hyps = {name: ref}, {name: hyp}
        priors = {} if prior is None else {name: prior}
    found = []
    for name, truth in truths.items():
        if hyps[name].resolve() == truth.resolve():
            raise UsageError(
                f"{truth} is both hypothesis and truth of episode '{name}', which would score 100; "
                "give --hyp the aligner's output"
            )
        true = read_subtitles(truth, fps=fps).cues
        paths = [side[name] for side in (hyps, priors) if name in side]
        cues = {
            path: _aligned(path, fps)
            if path == hyps.get(name)
            else read_subtitles(path, fps=fps).cues
            for path in paths
        }
        for path, got in cues.items():
            if len(got) != len(true):
                raise UsageError(
                    f"{path} has {len(got)} cues but {truth} has {len(true)}; cues are paired by "
                    "index, so give one for each of the truth, in the same order, of no duration "
                    "where it is not signed"
                )
        given = cues[priors[name]] if name in priors else None
        found.append(AlignedEpisode(name, cues[hyps[name]], true, given))
    return found


def _files(folder: Path, tags: Sequence[str], never: str | None = None) -> dict[str, Path]:
    """The subtitle file of each episode in a folder: with the first of the tags that any has.

    12.signing.vtt has the tag 'signing', 12.vtt has the tag ''. Where no file has a tag of
    these and '' is among them, the only file without the tag ``never`` is taken. A .json
    file counts for an episode that has no other. Raises UsageError where two could be meant.
    """
    from signloom.text.subtitles import SUFFIXES

    endings = {ending.lower() for ending in SUFFIXES}
    by_name: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in endings and path.is_file() and not path.name.startswith("."):
            by_name.setdefault(path.name.split(".")[0], []).append(path)
    found = {}
    for name, paths in by_name.items():
        paths = [p for p in paths if p.suffix.lower() != ".json"] or paths
        tagged = ([p for p in paths if tag in _tags(p)] for tag in tags)
        others = [p for p in paths if never not in _tags(p)] if "" in tags else []
        meant = next((some for some in tagged if some), others)
        if len(meant) > 1:
            raise UsageError(
                f"episode '{name}' has {len(meant)} files in {folder} that could be meant "
                f"({_first_few([p.name for p in meant])}), expected one; move the others away"
            )
        if meant:
            found[name] = meant[0]
    return found


def _tags(path: Path) -> list[str]:
    return path.name.split(".")[1:-1] or [""]


def _all_there(wanted: Iterable[str], there: Iterable[str], folder: Path) -> None:
    if missing := sorted(set(wanted) - set(there)):
        raise UsageError(
            f"{folder} has no subtitle file for {_first_few(missing)}; files pair by their name up "
            "to the first dot, and each episode needs one on both sides"
        )


def _first_few(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more


def _warn_of_other_texts(episodes: Sequence[AlignedEpisode]) -> None:
    """A line to stderr where cues and truth of the same index differ in text: order may be lost."""
    from signloom.metrics.alignment import is_bracketed

    def tidy(cue: Cue) -> str:
        return re.sub(r"\s+", " ", cue.text).strip()

    other = [
        (episode.name, number, tidy(ours), tidy(theirs))
        for episode in episodes
        for number, (ours, theirs) in enumerate(
            zip(episode.hypothesis, episode.truth, strict=True), start=1
        )
        if not is_bracketed(theirs) and tidy(ours) != tidy(theirs)
    ]
    if other:
        cues = sum(len(episode.truth) for episode in episodes)
        name, number, ours, theirs = other[0]
        _notice(
            f"the text of {len(other)} of {cues} cues is not that of the truth, first in cue {number} "
            f"of episode '{name}' ('{ours[:40]}', in the truth '{theirs[:40]}'); cues are paired by "
            "index, so check that both files hold them in one order"
        )


def _notice(what: str) -> None:
    print(f"signloom: {what}", file=sys.stderr)


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 text file, gzipped or not, split at line feeds alone.

    U+2028, form feeds and the like stay inside their line, since a line too
    many would shift every later pair. Raises MediaError where the file cannot be read.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise MediaError(
            f"{path} cannot be read: {error.strerror or error}; expected a text file, "
            "one sentence a line"
        ) from error
    except (EOFError, zlib.error):
        raise MediaError(f"{path} is a gzip file that breaks off; fetch or write it anew") from None
    except UnicodeDecodeError as error:
        raise MediaError(
            f"{path} is not UTF-8 text (byte {error.start} is {data[error.start]:#04x}); "
            "convert it to UTF-8 first"
        ) from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def _aligned(path: Path, fps: float) -> tuple[Cue, ...]:
    """The cues of a hypothesis: of an EAF or TextGrid the tier that signloom added, where there is one."""
    from signloom.errors import SubtitleError
    from signloom.text.subtitles import format_of, read_subtitles

    if format_of(path) in ("eaf", "textgrid"):
        try:
            return read_subtitles(path, tier="signloom", fps=fps).cues
        except SubtitleError:
            pass  # an output of another program: its own tier, or a reason why not
    return read_subtitles(path, fps=fps).cues
