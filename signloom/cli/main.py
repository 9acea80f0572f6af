"""The command line: one file per verb, imported when the verb is called."""

from __future__ import annotations

import importlib
import os
import sys

import typer

from signloom.errors import SignloomError, UsageError

VERBS = {
    "align": "Subtitles timed to speech, re-timed to the signing.",
    "segment": "Signing and phrases of a video or pose file, as tiers or subtitles.",
    "corpus": "Aligned cues above a confidence into a store of sentences.",
    "translate": "Video or pose files to text.",
    "live": "Text while the signing goes on: a recording or a camera.",
    "recognize": "Video or pose files of single signs to glosses.",
    "tokens": "Motion to ids of codes, and back.",
    "fuse": "A recogniser of pose and one of lips as one checkpoint.",
    "extract": "Videos to pose files, by MediaPipe Holistic.",
    "features": "What a model's backbone makes of clips, stored once to train on.",
    "inspect": "Pages that show what a model has learnt: its sentence embeddings.",
    "info": "Describe a pose file, video, store or checkpoint.",
    "simulate": "Write simulated words, sentences or episodes, from a seed.",
    "stitch": "A sentence to a clip, sign by sign out of a lexicon.",
    "vocabulary": "Which words of a corpus a lexicon covers.",
    "prepare": "Bring a corpus into a store that training reads.",
    "check": "What is wrong with a store or a manifest.",
    "train": "Train a model as a recipe says, or resume it.",
    "language": "Pretrain a small language model on texts, for adapters to stand on.",
    "evaluate": "Run a model on a store and score it beside its baselines.",
    "score": "Score texts or aligned subtitles against references; compare two systems.",
    "claims": "The papers' claims: list them, run them, show what came out.",
    "serve": "The studio: a page in the browser, and the same over HTTP, on this machine.",
    "export": "A recogniser or translator as ONNX graphs.",
    "push": "Upload a checkpoint to a hub.",
    "bench": "Measure speed as ratios; compare with an earlier record.",
    "demo": "Translate the bundled example, align an episode, write reports to open offline.",
}

RESUMED = ("align", "corpus", "extract", "language", "prepare", "train")
"""Verbs with ``--resume``."""
INTERRUPTED = 130
"""What typer exits with on Ctrl-C."""


def build(chosen: str | None = None) -> typer.Typer:
    """The application; only the chosen verb's module is imported."""
    app = typer.Typer(
        name="signloom",
        help="From signing to written language.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(invoke_without_command=True)
    def top(
        version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    ) -> None:
        if version:
            from signloom import __version__

            typer.echo(f"signloom {__version__}")
            raise typer.Exit

    for verb, summary in VERBS.items():
        if verb != chosen:
            app.command(verb, help=summary)(lambda: None)
            continue
        module = importlib.import_module(f"signloom.cli.{verb}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=verb, help=summary)
        else:
            app.command(verb)(module.run)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Runs a command; a SignloomError is one line with its exit code, and so is what a disk refuses."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not sys.stderr.isatty():  # a log holds lines; hub and transformers draw bars there otherwise
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    try:
        build(chosen)(args=arguments)
    except SignloomError as error:
        print(f"signloom: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            goes_on = "; the same command with --resume goes on" if chosen in RESUMED else ""
            print(f"signloom: interrupted{goes_on}", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(
            f"signloom: {where}{error.strerror or error}; check the path, its permissions and the "
            "space on the disk",
            file=sys.stderr,
        )
        sys.exit(UsageError.exit_code)


if __name__ == "__main__":
    main()
