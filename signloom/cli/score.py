"""signloom score: hypotheses against references, one sentence a line."""

from __future__ import annotations

import gzip
import json
import zlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from signloom.errors import MediaError, UsageError


class Task(StrEnum):
    translation = "translation"
    recognition = "recognition"


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


def run(
    task: Annotated[
        Task,
        typer.Option(help="translation: BLEU-1…4, chrF2, content-word F1; recognition: WER."),
    ],
    hyp: Annotated[Path, typer.Option(help="Hypotheses, one sentence a line (.gz too).")],
    ref: Annotated[Path, typer.Option(help="References, one sentence a line (.gz too).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    lowercase: Annotated[
        bool, typer.Option("--lowercase", help="Lower-case both sides first.")
    ] = False,
    tokenize: Annotated[
        Tokenize | None, typer.Option(help="BLEU's tokeniser (translation only) (default: 13a).")
    ] = None,
    stop_words: Annotated[
        Stop | None,
        typer.Option(help="List that content-word F1 leaves out (translation) (default: en-v1)."),
    ] = None,
) -> None:
    """Score hypotheses against references.

    Lines end at a line feed and nowhere else. Pairs with an empty reference
    are left out and counted; an empty hypothesis is a miss.
    """
    from signloom.cli.table import table
    from signloom.metrics.recognition import score_recognition
    from signloom.metrics.translation import score_translation

    hypotheses, references = read_lines(hyp), read_lines(ref)
    if len(hypotheses) != len(references):
        raise UsageError(
            f"{hyp} has {len(hypotheses)} lines but {ref} has {len(references)}; give one "
            "sentence a line, in the same order, an empty line where there is no output"
        )
    if task is Task.translation:
        scores = score_translation(
            hypotheses,
            references,
            lowercase,
            tokenize=(tokenize or Tokenize.t13a).value,
            stop_words=(stop_words or Stop.en_v1).value,
        )
    else:
        for option, given in (("--tokenize", tokenize), ("--stop-words", stop_words)):
            if given is not None:
                raise UsageError(
                    f"{option} {given.value} goes with --task translation, got --task recognition, "
                    f"whose words are what white space separates; leave {option} out"
                )
        scores = score_recognition(hypotheses, references, lowercase)
    if as_json:
        print(json.dumps({"metrics": [score.to_json() for score in scores]}, indent=2))
    else:
        print(table(scores))


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
