"""The speech that an interpreter signs: subtitles that precede the signing by a lag.

Signing comes first here: of each signed sentence it is drawn when it was said, in which
cue, and in which words. The lag is an episode's mean, a slow drift (an Ornstein–Uhlenbeck
process: interpreters lag by what they are busy with) and each sentence's own chance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from signloom.data.cue import Cue
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.simulator.lexicon import vocabulary

Kind = Literal["plain", "merged", "split", "paraphrased", "not signed"]
NOT_SIGNED = "[NOT SIGNED]"
"""What a cue that nobody signs says in the truth; brackets keep it out of the scores."""

LAG = (2.7, 0.65)
"""Seconds from speech to signing, mean and standard deviation over episodes."""
DRIFTS = {"low": 0.3, "mid": 2.2, "high": 5.0}
"""Standard deviation of the lag's slow drift, seconds."""
STRAY = 0.4
"""How much of the drift is in rare stretches far from the mean: 0 for a normal one, at most 1."""
TIME_CONSTANT = (40.0, 120.0)
"""Seconds in which the drift forgets where it was: from, to."""
JITTER = 0.4
"""Standard deviation of each sentence's own chance; one in twelve errs three times as much."""
SHORTEST = 0.8
"""Seconds that a cue stands at least."""
MERGED, SPLIT, PARAPHRASED, UNSIGNED, UNCUED = 0.085, 0.08, 0.12, 0.05, 0.05
"""Chance of each edit where it can be made: a merger needs a next sentence that follows soon."""
LONG = 8
"""Words; longer sentences may be split over two cues."""


@dataclass(frozen=True)
class SignedSentence:
    """A sentence as it is signed.

    text: in its own words (a cue's may differ); span: from the first sign's start, with the
    hands' preparation for it, to the last sign's end, its hold included.
    cues: indices of the cues that stand for it; () where nothing was said.
    """

    text: str
    span: Span
    glosses: tuple[GlossSpan, ...]
    cues: tuple[int, ...] = ()


@dataclass(frozen=True)
class Speech:
    """Cues as they were spoken and as they are signed, in one order; kind and lag of each."""

    spoken: tuple[Cue, ...]
    signed: tuple[Cue, ...]
    kinds: tuple[Kind, ...]
    lags: tuple[float, ...]
    sentences: tuple[SignedSentence, ...]


@dataclass
class _Said:
    """A cue in the making."""

    text: str
    kind: Kind
    signing: Span
    sentences: tuple[int, ...]
    start: float = 0.0
    seconds: float = 0.0


def spoken(
    sentences: Sequence[SignedSentence],
    duration: float,
    drift: str,
    another: Callable[[], str],
    rng: np.random.Generator,
) -> Speech:
    """The speech that these sentences interpret, in an episode of ``duration`` seconds.

    drift: one of DRIFTS. another: gives a sentence that is said and not signed.
    """
    rate = 13.0 + 4.0 * rng.random()
    mean = LAG[0] + LAG[1] * float(np.clip(rng.standard_normal(), -2, 2))
    cues = _worded(sentences, rng)
    lags = _lags(np.array([cue.signing.start for cue in cues]), mean, DRIFTS[drift], rng)
    for cue, lag in zip(cues, lags, strict=True):
        noise = np.exp(0.15 * rng.standard_normal())
        cue.seconds = max(len(cue.text) / rate * float(noise), SHORTEST)
        cue.start = cue.signing.start - float(lag)
    _in_order(cues, duration)
    cues = _with_unsigned(cues, duration, rate, another, rng)
    for cue, after in pairwise(cues):
        cue.seconds = min(cue.seconds, after.start - cue.start)
    return _told(cues, sentences, duration)


def _lags(starts: np.ndarray, mean: float, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Seconds that each cue precedes its signing."""
    forget = TIME_CONSTANT[0] + (TIME_CONSTANT[1] - TIME_CONSTANT[0]) * rng.random()
    steps, chance = rng.standard_normal((2, len(starts)))
    wide = rng.random(len(starts)) < 1 / 12
    level, slow = 0.0, np.empty(len(starts))
    for i, wait in enumerate(np.diff(starts, prepend=-1e9)):
        keep = np.exp(-min(wait / forget, 50.0))
        level = keep * level + np.sqrt(1 - keep * keep) * steps[i]
        slow[i] = level
    # Mostly near the mean, and now and then far behind or ahead: x (1 − a + a |x|), unit size.
    a, cube = STRAY, np.sqrt(8 / np.pi)
    slow *= (1 - a + a * np.abs(slow)) / np.sqrt((1 - a) ** 2 + 2 * a * (1 - a) * cube + 3 * a * a)
    return mean + spread * slow + JITTER * np.where(wide, 3.0, 1.0) * chance


def _worded(sentences: Sequence[SignedSentence], rng: np.random.Generator) -> list[_Said]:
    """What is said of the sentences: one cue each, or none, or one of two, or two of one."""
    rolls = rng.random((len(sentences), 2))
    cues: list[_Said] = []
    k = 0
    while k < len(sentences):
        one, roll = sentences[k], rolls[k, 1]
        after = sentences[k + 1] if k + 1 < len(sentences) else None
        long = len(one.text.split()) > LONG and len(one.glosses) > 3
        if rolls[k, 0] < UNCUED:
            k += 1
            continue
        joins = after is not None and after.span.start - one.span.end < 1.0
        if roll < MERGED and after is not None and joins and rolls[k + 1, 0] >= UNCUED:
            span = Span(one.span.start, after.span.end)
            cues.append(_Said(f"{one.text} {after.text}", "merged", span, (k, k + 1)))
            k += 2
            continue
        if long and MERGED <= roll < MERGED + SPLIT:
            cues += _split(one, k, 0.4 + 0.2 * rng.random())
        elif 1 - PARAPHRASED <= roll:
            text = paraphrased(one.text, rng)
            kind: Kind = "plain" if text == one.text else "paraphrased"
            cues.append(_Said(text, kind, one.span, (k,)))
        else:
            cues.append(_Said(one.text, "plain", one.span, (k,)))
        k += 1
    return cues


def _split(one: SignedSentence, k: int, share: float) -> list[_Said]:
    """Two cues: the text parted between words, the signing at the gloss nearest to that share."""
    words = one.text.split()
    ends = np.cumsum([len(word) + 1 for word in words])[:-1] / (len(one.text) + 1)
    cut = int(np.argmin(np.abs(ends - share))) + 1
    wanted = one.span.start + float(ends[cut - 1]) * one.span.duration
    edges = [gloss.span.start for gloss in one.glosses[1:] if gloss.span]
    edge = min(edges, key=lambda at: abs(at - wanted))
    spans = Span(one.span.start, edge), Span(edge, one.span.end)
    texts = " ".join(words[:cut]), " ".join(words[cut:])
    return [_Said(text, "split", span, (k,)) for text, span in zip(texts, spans, strict=True)]


def _in_order(cues: Sequence[_Said], duration: float) -> None:
    """Moves starts so that every cue has room to stand, inside the episode, in place."""
    least = 0.0
    for before, cue in zip([None, *cues[:-1]], cues, strict=True):
        if before is not None and before.kind == cue.kind == "split":
            if before.sentences == cue.sentences:  # the same breath
                cue.start = before.start + before.seconds
        cue.start = max(cue.start, least)
        least = cue.start + SHORTEST
    most = duration
    for cue in reversed(cues):
        cue.start = min(cue.start, most - SHORTEST)
        cue.seconds = min(cue.seconds, most - cue.start)
        most = cue.start


def _with_unsigned(
    cues: list[_Said],
    duration: float,
    rate: float,
    another: Callable[[], str],
    rng: np.random.Generator,
) -> list[_Said]:
    """The cues, and among them sentences that are said where there is room, and not signed."""
    ends = [0.0, *(cue.start + cue.seconds for cue in cues)]
    starts = [*(cue.start for cue in cues), duration]
    room = np.array([start - end for end, start in zip(ends, starts, strict=True)])
    open_ = np.flatnonzero(room >= SHORTEST + 0.1)
    wanted = min(round(UNSIGNED * len(cues) / (1 - UNSIGNED)), len(open_))
    chosen = rng.permutation(open_)[:wanted]
    made = []
    for place in sorted(int(place) for place in chosen):
        text = another()
        seconds = min(max(len(text) / rate, SHORTEST), float(room[place]) - 0.05)
        start = ends[place] + (float(room[place]) - seconds) * rng.random()
        near = cues[min(place, len(cues) - 1)]
        lag = near.signing.start - near.start
        span = Span(start + lag, start + lag + seconds)
        made.append(_Said(text, "not signed", span, (), start, seconds))
    return sorted([*cues, *made], key=lambda cue: cue.start)


def _told(cues: Sequence[_Said], sentences: Sequence[SignedSentence], duration: float) -> Speech:
    spoken, signed, lags = [], [], []
    of: list[list[int]] = [[] for _ in sentences]
    least = 0.0
    following = [cue.signing.start if cue.kind != "not signed" else np.inf for cue in cues]
    for i, cue in enumerate(cues):
        span = Span(round(cue.start, 3), round(cue.start + cue.seconds, 3))
        spoken.append(Cue(span, cue.text, str(i + 1)))
        for k in cue.sentences:
            of[k].append(i)
        signing, text = cue.signing, cue.text
        if cue.kind == "not signed":  # kept between its neighbours' starts, inside the episode
            most = min([*following[i + 1 :], duration])
            start = min(max(signing.start, least), most)
            signing, text = Span(start, min(start + signing.duration, duration)), NOT_SIGNED
        least = signing.start
        signing = Span(round(signing.start, 3), round(signing.end, 3))
        signed.append(Cue(signing, text, str(i + 1)))
        lags.append(round(signing.start - span.start, 3))
    return Speech(
        tuple(spoken), tuple(signed), tuple(cue.kind for cue in cues), tuple(lags),
        tuple(replace(one, cues=tuple(found)) for one, found in zip(sentences, of, strict=True)),
    )  # fmt: skip


_NUMBERS = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "a hundred": "100", "a thousand": "1,000",
}  # fmt: skip
_SHORTER = {
    "is not": "isn't", "are not": "aren't", "was not": "wasn't", "were not": "weren't",
    "do not": "don't", "does not": "doesn't", "did not": "didn't", "will not": "won't",
    "cannot": "can't", "must not": "mustn't", "should not": "shouldn't",
}  # fmt: skip
_DROPPED = r" (?:very|really|often|always|usually|sometimes|again|slowly|quickly|carefully)\b"
_PLACE = r"(?<=\w\w\w) (?:in|at|on|near|under) the \w+(?=[.?!]$)"
_OPENING = ("Well, ", "You know, ", "So, ", "And ", "Now, ", "Of course, ")
_CLOSING = (", you know", ", I think", " as well", " now", ", of course", " again")


def paraphrased(text: str, rng: np.random.Generator) -> str:
    """The sentence in other words: something added, dropped, shortened, or in digits."""
    ways = [_opened, _closed, _digits, _contracted, _without_adverb, _without_place]
    order = rng.permutation(len(ways))
    twice = rng.random() < 0.3
    changed = text
    for way in (ways[i] for i in order):
        before, changed = changed, way(changed, rng)
        if changed != before and not twice:
            return changed
        twice = twice and changed == before
    return changed


def _opened(text: str, rng: np.random.Generator) -> str:
    if text.split()[0] not in ("I", *vocabulary("base").names):
        text = text[0].lower() + text[1:]
    return _OPENING[int(rng.random() * len(_OPENING))] + text


def _closed(text: str, rng: np.random.Generator) -> str:
    return text[:-1] + _CLOSING[int(rng.random() * len(_CLOSING))] + text[-1]


def _digits(text: str, rng: np.random.Generator) -> str:
    return re.sub(
        rf"\b(?:{'|'.join(_NUMBERS)})\b(?! of)", lambda found: _NUMBERS[found[0]], text
    )  # fmt: skip


def _contracted(text: str, rng: np.random.Generator) -> str:
    return re.sub(rf"\b(?:{'|'.join(_SHORTER)})\b", lambda found: _SHORTER[found[0]], text)


def _without_adverb(text: str, rng: np.random.Generator) -> str:
    return re.sub(_DROPPED, "", text, count=1)


def _without_place(text: str, rng: np.random.Generator) -> str:
    return re.sub(_PLACE, "", text)
