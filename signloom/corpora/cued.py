"""Videos with timed sentences: each sentence a sample, cut out of its video's pose file.

What BOBSL, YouTube-SL-25 and FLEURS-ASL have in common. A sentence that a rule leaves out
(too short, too long, …) is counted by its reason, in ``about["excluded"]`` of the corpus;
one whose pose file is not there is listed, like any clip that is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, texts_before
from signloom.corpora.tables import read_table
from signloom.data.timing import Seconds, Span
from signloom.errors import MediaError, UsageError
from signloom.text.clean import words_of

ROUNDING: Seconds = 1e-6
SIGNERS = "signers.tsv"


@dataclass(frozen=True)
class Limits:
    """Which sentences become samples: 1 to 20 seconds, at most 80 words [S: 4.1].

    Raises UsageError for limits that leave nothing.
    """

    min_seconds: Seconds = 1.0
    max_seconds: Seconds = 20.0
    max_words: int = 80

    def __post_init__(self) -> None:
        if not 0 <= self.min_seconds <= self.max_seconds:
            raise UsageError(
                f"--min-seconds is {self.min_seconds:g} and --max-seconds {self.max_seconds:g}, "
                "expected 0 or more, and the first not above the second"
            )
        if self.max_words < 1:
            raise UsageError(f"--max-words is {self.max_words}, expected 1 or more")

    def left_out(self, text: str, duration: Seconds) -> str:
        """Why a sentence is left out: 'no words', 'short', 'long' or 'wordy'; '' where it is kept."""
        words = len(words_of(text))
        if not words:
            return "no words"
        if duration < self.min_seconds - ROUNDING:
            return "short"
        if duration > self.max_seconds + ROUNDING:
            return "long"
        return "wordy" if words > self.max_words else ""


BRACKETED = "bracketed"
"""Why a note in brackets is left out: nobody says it."""


@dataclass(frozen=True)
class Sentence:
    """A sentence as a corpus lists it.

    path: the pose file, None where there is none. span: its stretch of that file, seconds;
    None: all of it. duration: how long it is signed. excluded: why a rule of the corpus, other than the
    limits, leaves it out.
    """

    id: str
    video: str
    path: Path | None
    text: str
    split: str
    duration: Seconds
    span: Span | None = None
    signer: str = ""
    language: str = ""
    excluded: str = ""


def corpus_of_sentences(
    name: str, found: Iterable[Sentence | LeftOut], limits: Limits, **about: Any
) -> Corpus:
    """The corpus of the sentences within ``limits``; ``about`` says how many are not, and why.

    Raises MediaError where none is left.
    """
    listed: list[Entry | LeftOut] = []
    excluded: Counter[str] = Counter()
    items = list(found)
    said = [
        item
        for item in items
        if isinstance(item, Sentence) and item.span is not None and item.excluded != BRACKETED
    ]
    spoken = ((item.video, item.span.start, item.text) for item in said if item.span)
    previous = dict(zip((item.id for item in said), texts_before(spoken), strict=True))
    for item in items:
        if isinstance(item, LeftOut):
            listed.append(item)
            continue
        reason = item.excluded or limits.left_out(item.text, item.duration)
        if reason:
            excluded[reason] += 1
        elif item.path is None:
            listed.append(LeftOut(item.id, item.split, f"no {item.video}.pose"))
        else:
            listed.append(
                Entry(
                    item.path,
                    item.text,
                    item.split,
                    item.id,
                    span=item.span,
                    signer=item.signer,
                    language=item.language,
                    previous=previous.get(item.id, ""),
                )
            )
    if not listed and excluded:
        raise MediaError(
            f"none of {sum(excluded.values())} sentences of {name} is kept ({told(excluded)}); "
            "look at the limits, or see whether these subtitles belong to this corpus"
        )
    return corpus_of(
        name, listed, limits=asdict(limits), excluded=dict(sorted(excluded.items())), **about
    )


def told(excluded: dict[str, int]) -> str:
    """Counts by reason, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(excluded.items()))


def signers_of(folder: Path) -> dict[str, str]:
    """Video → signer, as ``signers.tsv`` (columns video, signer) has it; empty where there is none.

    The corpora do not publish it in a form we know [D: ours]. Raises MediaError where a
    column is missing.
    """
    file = folder / SIGNERS
    if not file.is_file():
        return {}
    return {row["video"]: row["signer"] for _, row in read_table(file, ("video", "signer"))}
