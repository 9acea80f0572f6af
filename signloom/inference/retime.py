"""Subtitles re-timed: what a file of cues needs around the program of ``align``.

Only times change. Cues that nobody signs (music, sounds, empty ones) follow the lag of
their neighbours; locked cues stay; a cue that is placed with little confidence keeps its
prior, its input, or is marked, as asked; nothing overlaps unless that is asked for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from signloom.data.cue import Cue
from signloom.data.timing import Seconds, Span
from signloom.errors import SubtitleError, UntrustedResultError, UsageError
from signloom.inference.align import Alignment, Array, Evidence, Settings, align
from signloom.pose.activity import Activity

OnLow = Literal["prior", "keep", "mark"]
Overlap = Literal["forbid", "allow"]
Refine = Callable[
    [Sequence[Cue], Alignment, Mapping[int, Span], Callable[[Sequence[Evidence]], Alignment]],
    Alignment,
]
"""(cues, the program's alignment, cue number → where it stays, the program with more evidence) →
the alignment to use instead; see ``windows.WithModel``."""

LOW = 0.25
"""Below this confidence a placement is called low."""
UNSIGNED = 0.5
"""Below this probability of being signed a cue is called not signed."""
LEAST_SIGNING: Seconds = 1.0
"""Less signing than this in the whole episode is no signing."""
HOUR: Seconds = 3600.0

ALREADY = 5.0
"""Cues are on the signing already where they fit its boundaries so many standard deviations better
than when they are all moved. In 66 episodes of sim-episodes-v1 (train and dev) speech-timed cues
reach 2.4, true ones 6.6 and more, re-timed ones 7.1 and more …"""
ALREADY_IN_PART = 1.25
"""… and in every stretch of about PART cues so many."""
PART: int = 30
FEWEST: int = 8
"""Of fewer cues nobody can tell that."""
CLOSE: Seconds = 0.1
"""Cues that are on the signing already are taken to start and end where they do, to about this …"""
STAYS: Seconds = 0.25
"""… and one stays to the byte where neither end would move by more than this."""

_NOT_SPEECH = re.compile(
    r"^[\s♪♫#*._\-–—…]*$|^\s*[\[(♪♫*][^\])♪♫*]*[\])♪♫*]\s*$|^\s*[♪♫].*[♪♫]\s*$", re.S
)
_TAGS = re.compile(r"<[^>]*>|\{[^}]*\}")


@dataclass(frozen=True)
class Wishes:
    """How subtitles are to be re-timed; times in seconds.

    offset: the lag to expect of signing behind speech; None: learnt from the episode.
    max_shift: no cue moves further than this. within: only cues that start in it, on the
    file's clock, are moved.
    locked: cues (from 0, in the file's order) that are right already; locked_at: where, on the
    file's clock, where that is not where the file has them.
    overlap: "allow" keeps cues that overlap in the input overlapping; "forbid" sets those that
    move apart, and cuts them at those that stay as far as their least duration allows.
    frame: times fall on frames of the clip.
    timecode: what the file's clock shows at the start of the video; None: found out.
    """

    offset: Seconds | None = None
    max_shift: Seconds | None = None
    min_duration: Seconds = 0.4
    overlap: Overlap = "forbid"
    within: Span | None = None
    locked: frozenset[int] = frozenset()
    locked_at: Mapping[int, Span] = field(default_factory=dict)
    on_low: OnLow = "prior"
    low: float = LOW
    frame: bool = True
    timecode: Seconds | None = None
    any_order: bool = False


@dataclass(frozen=True)
class Moved:
    """One cue before and after, on the file's clock.

    shift: by how much its start moved; confidence: probability that the new span overlaps
    the truth by half; flags: any of "locked", "outside", "not speech", "no signing", "low",
    "prior", "kept", "clamped".
    """

    number: int
    cue: Cue
    span: Span
    confidence: float
    flags: tuple[str, ...]

    @property
    def shift(self) -> Seconds:
        return self.span.start - self.cue.span.start


@dataclass(frozen=True)
class Retimed:
    """All cues in the file's order, and what was found on the way.

    lag: median lag of signing behind speech, seconds; rate: signing seconds a unit of text;
    timecode: what the file's clock shows at the start of the video. already: the cues were
    on the signing before; their confidences then rest on that.
    """

    cues: tuple[Moved, ...]
    lag: Seconds
    rate: float
    timecode: Seconds
    notices: tuple[str, ...]
    already: bool = False

    @property
    def confidence(self) -> float:
        """Mean over the cues that were placed; 0 where none was."""
        placed = [m.confidence for m in self.cues if not set(m.flags) & {"outside", "not speech"}]
        return float(np.mean(placed)) if placed else 0.0

    @property
    def low(self) -> int:
        """How many of the cues are low or not signed."""
        return sum(bool(set(m.flags) & {"low", "no signing"}) for m in self.cues)

    def worst(self, share: float = 0.05, least: int = 3) -> tuple[Moved, ...]:
        """The cues to look at first: the least sure of those that were placed."""
        placed = [m for m in self.cues if not set(m.flags) & {"outside", "not speech", "locked"}]
        count = min(len(placed), max(least, round(share * len(placed))))
        return tuple(sorted(placed, key=lambda m: (m.confidence, m.number))[:count])


def retime(
    cues: Sequence[Cue],
    activity: Activity,
    wishes: Wishes = Wishes(),
    evidence: Sequence[Evidence] = (),
    settings: Settings = Settings(),
    name: str = "the subtitles",
    refine: Refine | None = None,
) -> Retimed:
    """New times for the cues of a file, in the file's order.

    refine: what goes on from the program's alignment (a model). Cues that are on the signing
    already are left to the program, and a notice says so.
    Raises SubtitleError where there are no cues, they are not in order of time (unless
    ``wishes.any_order``) or go on after the video has ended, and UntrustedResultError
    where the clip shows no signing; ValueError where ``locked_at`` has a cue that is not locked.
    """
    if odd := set(wishes.locked_at) - wishes.locked:
        raise ValueError(f"locked_at has cue {min(odd)}, which is not among the locked ones")
    check_order(cues, wishes.any_order, name)
    timecode, notices = start_timecode(cues, activity.duration, wishes, name)
    seconds_signed(activity, f"for {name}")
    local = [replace(cue, span=cue.span.shifted(-timecode)) for cue in cues]
    order = sorted(range(len(cues)), key=lambda k: (local[k].span.start, k))
    speech = [k for k in order if not not_speech(local[k].text)]
    within = wishes.within
    asked = {k for k in order if within is None or _starts_in(cues[k].span, within)}
    asked -= {k for k in order if local[k].span.end <= 0 and timecode}  # before the video begins
    inside = asked.intersection(speech) - wishes.locked
    beside = [k for k in speech if k not in asked and k not in wishes.locked]
    beside = [k for k in beside if 0 <= local[k].span.start <= activity.duration]
    staying = set(wishes.locked)
    if on_signing([local[k] for k in beside], activity):
        staying |= set(beside)
    aligned = [k for k in speech if k in inside or k in staying or k in beside]
    groups = _groups([local[k] for k in aligned], wishes.overlap, [k in inside for k in aligned])
    joined = [_joined([local[aligned[i]] for i in group]) for group in groups]
    given = [cue.span for cue in local]
    for k, span in wishes.locked_at.items():
        given[k] = span.shifted(-timecode)
    fixed = {
        g: _clipped(given[aligned[group[0]]], activity.duration)
        for g, group in enumerate(groups)
        if aligned[group[0]] in staying
    }
    found: Alignment | None = None
    placing = [joined[g] for g, group in enumerate(groups) if aligned[group[0]] in inside]
    already = wishes.offset is None and on_signing(placing, activity)
    if already:
        notices.append(
            f"{name} is on the signing already: its times fit where sentences start and end. Cues move "
            "only where that is plainly wrong, and confidences rest on it (--offset 2.7 aligns anew)"
        )
    if inside:
        known = [*evidence, _AsGiven(joined)] if already else list(evidence)
        chosen = _settings(settings, wishes, already)

        def placed_with(more: Sequence[Evidence]) -> Alignment:
            return align(joined, activity, [*known, *more], chosen, fixed)

        found = placed_with(())
        if refine is not None and not already:
            found = refine(joined, found, fixed, placed_with)
        elif refine is not None:
            notices.append(f"the model is not asked: {name} is on the signing already")
    spans = dict(enumerate(given))
    confidence = dict.fromkeys(range(len(cues)), 1.0)
    flags: dict[int, list[str]] = {k: [] for k in range(len(cues))}
    priors = dict(spans)
    if found is not None:
        for g, group in enumerate(groups):
            placed = found.placed[g]
            for i in group:
                k = aligned[i]
                priors[k] = local[k].span.shifted(placed.prior.start - joined[g].span.start)
                if k not in inside:
                    continue
                alone = len(group) == 1
                spans[k] = (
                    placed.span if alone else _within(local[k].span, joined[g].span, placed.span)
                )
                if already and _apart(spans[k], local[k].span) <= STAYS:
                    spans[k] = local[k].span
                confidence[k] = placed.confidence
                if placed.signed < UNSIGNED:
                    flags[k].append("no signing")
                elif placed.confidence < wishes.low:
                    flags[k].append("low")
        starts = np.array([cue.span.start for cue in joined])
        lags = np.array(found.lags)
        for k in order:
            if k in asked - wishes.locked and k not in inside:
                lag = float(np.interp(local[k].span.start, starts, lags))
                spans[k] = priors[k] = local[k].span.shifted(lag)
    rank = {k: n for n, k in enumerate(order)}
    firm = [(rank[k], given[k].start) for k in order if k in wishes.locked or k not in asked]

    def allowed(k: int, span: Span) -> bool:
        """Whether a span keeps the order with the cues that stay."""
        before = max((start for n, start in firm if n < rank[k]), default=-np.inf)
        after = min((start for n, start in firm if n > rank[k]), default=np.inf)
        return bool(before <= span.start <= after)

    for k in range(len(cues)):
        if k in wishes.locked:
            flags[k].append("locked")
        elif k not in asked:
            flags[k].append("outside")
        elif k not in inside:
            flags[k].append("not speech")
        if flags[k] and flags[k][0] in ("low", "no signing"):
            if wishes.on_low == "prior" and allowed(k, priors[k]):
                spans[k] = priors[k]
                flags[k].append("prior")
            elif wishes.on_low == "keep":
                spans[k] = local[k].span
                flags[k].append("kept")
    stays = {"locked", "outside", "kept"}
    moving = {k for k in range(len(cues)) if found is not None and not stays & set(flags[k])}
    spans = _tidied(spans, order, moving, activity, wishes, local, flags)
    moved = tuple(
        Moved(
            k + 1, cue, cue.span if spans[k] == local[k].span else spans[k].shifted(timecode),
            confidence[k], tuple(flags[k]),
        )
        for k, cue in enumerate(cues)
    )  # fmt: skip
    lag = float(np.median([m.shift for m in moved if m.number - 1 in inside])) if inside else 0.0
    rate = found.rate if found else 0.0
    return Retimed(moved, lag, rate, timecode, tuple(notices), already)


def seconds_signed(activity: Activity, where: str) -> Seconds:
    """How much signing there is 'in a.pose' or 'for a.vtt'; UntrustedResultError where next to none."""
    signed = sum(span.duration for span in activity.spans())
    if signed < LEAST_SIGNING:
        raise UntrustedResultError(
            f"no signing found {where}: hands are raised and moving in {signed:.1f} of "
            f"{activity.duration:.1f} s, expected at least {LEAST_SIGNING:g} s; check that it "
            "shows the signer, or point to them with --signer-box"
        )
    return signed


def check_order(cues: Sequence[Cue], any_order: bool, name: str) -> None:
    """Raises SubtitleError where there are no cues, or a cue starts before the one above it."""
    if not cues:
        raise SubtitleError(f"{name} has no cues, expected at least one; give another file")
    if any_order:
        return
    for k in range(1, len(cues)):
        if cues[k].span.start < cues[k - 1].span.start:
            raise SubtitleError(
                f"{name} is not in order of time: cue {k + 1} starts at {clock(cues[k].span.start)}, "
                f"before cue {k} at {clock(cues[k - 1].span.start)}; sort the file, or pass "
                "--any-order to align by time and keep the file's order"
            )


def start_timecode(
    cues: Sequence[Cue], duration: Seconds, wishes: Wishes, name: str
) -> tuple[Seconds, list[str]]:
    """What the file's clock shows at the start of the video, with a notice where that was found out.

    Programmes often start at 10:00:00; a file whose cues all lie whole hours behind the
    video's end, and fit into it without those hours, is taken for one.
    Raises SubtitleError where cues start after the end of the video.
    """
    asked = [c for c in cues if wishes.within is None or _starts_in(c.span, wishes.within)] or cues
    first, last = min(c.span.start for c in asked), max(c.span.start for c in asked)
    timecode = wishes.timecode or 0.0
    if wishes.timecode is None:
        hours = HOUR * int(first // HOUR)
        if first > duration and hours and last - hours <= duration:
            said = clock(hours)
            return hours, [
                f"{name} begins at {clock(first)}, after the end of the video at {clock(duration)}: "
                f"its clock is taken to start at {said} (--start-timecode {said} says so)"
            ]
    if wishes.timecode is not None and last < timecode:
        raise UsageError(
            f"all cues of {name} start before --start-timecode {clock(timecode)}, the last at "
            f"{clock(last)}; give what the subtitles' clock shows where the video starts"
        )
    if last - timecode > duration:
        raise SubtitleError(
            f"{name} is longer than the video: its last cue starts at {clock(last)}, the video ends "
            f"at {clock(duration + timecode)}; give the subtitles of this video, --start-timecode if "
            "their clock does not start at 0, or --to to leave the rest alone"
        )
    return timecode, []


def clock(seconds: Seconds) -> str:
    """Seconds as [-]HH:MM:SS.mmm."""
    whole = round(abs(seconds) * 1000)
    minutes, ms = divmod(whole, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{'-' if seconds < 0 else ''}{hours:02d}:{minutes:02d}:{ms // 1000:02d}.{ms % 1000:03d}"


def not_speech(text: str) -> bool:
    """Whether a cue is music, a sound or empty: '♪ la la ♪', '[DOOR SLAMS]', '(laughs)', ''."""
    return bool(_NOT_SPEECH.match(_TAGS.sub("", text)))


def _starts_in(span: Span, within: Span) -> bool:
    return within.start <= span.start < within.end


def on_signing(cues: Sequence[Cue], activity: Activity) -> bool:
    """Whether cues are timed to the signing already, as the output of ``retime`` is.

    Their starts and ends then fit the boundaries of the signing far better than when all
    of them are moved by any 1 to 10 s; those of speech fit no better than moved ones.
    """
    if len(cues) < FEWEST:
        return False
    edges = np.array([(cue.span.start, cue.span.end) for cue in cues])
    parts = np.array_split(edges, max(len(edges) // PART, 1))
    return _stands_out(edges, activity) >= ALREADY and all(
        _stands_out(part, activity) >= ALREADY_IN_PART for part in parts
    )


def _stands_out(edges: Array, activity: Activity) -> float:
    """How many standard deviations (cues, 2) times fit better as they are than moved; 0 where not best."""
    at = np.arange(1.0, 10.0, 0.3)
    here, *moved = (_fit(edges + by, activity) for by in (0.0, *-at, *at))
    usual, spread = float(np.mean(moved)), float(np.std(moved))
    return (here - usual) / max(spread, 1e-6) if here > max(moved) else 0.0


def _fit(edges: Array, activity: Activity) -> float:
    """Mean log-odds of a sentence's start and end at (cues, 2) times, to a frame."""
    total = 0.0
    for of, times in zip((activity.starts, activity.ends), edges.T, strict=True):
        near = np.pad(np.clip(of, -3.0, 3.0), 1, mode="edge")
        best = np.maximum(np.maximum(near[:-2], near[1:-1]), near[2:])
        frames = np.rint(times * activity.fps).astype(int)
        total += float(best[np.clip(frames, 0, len(best) - 1)].mean())
    return total


@dataclass(frozen=True)
class _AsGiven:
    """Evidence that cues start and end where they do in the input, to about CLOSE."""

    cues: Sequence[Cue]

    def __call__(self, cue: int, starts: Array, ends: Array) -> Array:
        given = self.cues[cue].span
        early, late = (starts - given.start) / CLOSE, (ends - given.end) / CLOSE
        return 2.0 - 2.0 * (np.log1p(early**2 / 3) + np.log1p(late**2 / 3))


def _apart(a: Span, b: Span) -> Seconds:
    return max(abs(a.start - b.start), abs(a.end - b.end))


def _settings(settings: Settings, wishes: Wishes, already: bool = False) -> Settings:
    changed = replace(
        settings, max_shift=wishes.max_shift, min_duration=max(wishes.min_duration, 0.04)
    )
    if already:
        return replace(
            changed, usual_lag=0.0, usual_spread=CLOSE, lag_spreads=(CLOSE,),
            passes=settings.passes[-2:],
        )  # fmt: skip
    if wishes.offset is None:
        return changed
    return replace(changed, usual_lag=wishes.offset, usual_spread=0.5 * settings.usual_spread)


def _clipped(span: Span, end: Seconds) -> Span:
    return Span(min(max(span.start, 0.0), end), min(max(span.end, 0.0), end))


def _groups(cues: Sequence[Cue], overlap: Overlap, moves: Sequence[bool]) -> list[list[int]]:
    """Cues that stay together: each alone, or those that move and overlap by a third of the shorter."""
    groups: list[list[int]] = []
    for i, cue in enumerate(cues):
        if overlap == "allow" and groups and moves[i] and moves[groups[-1][-1]]:
            last = max((cues[j].span for j in groups[-1]), key=lambda s: s.end)
            shared = last.end - cue.span.start
            if shared > 0 and shared > min(last.duration, cue.span.duration) / 3:
                groups[-1].append(i)
                continue
        groups.append([i])
    return groups


def _joined(cues: Sequence[Cue]) -> Cue:
    """One cue in place of several, from the start of the video on."""
    span = Span(max(min(c.span.start for c in cues), 0.0), max(max(c.span.end for c in cues), 0.0))
    return Cue(span, " ".join(c.text for c in cues))


def _within(part: Span, whole: Span, placed: Span) -> Span:
    """Where ``part`` of ``whole`` comes to lie when the whole is moved to ``placed``."""
    if part == whole or whole.duration <= 0:
        return placed
    scale = placed.duration / whole.duration
    return Span(
        placed.start + scale * (part.start - whole.start),
        placed.start + scale * (part.end - whole.start),
    )


def _tidied(
    spans: dict[int, Span],
    order: Sequence[int],
    moving: set[int],
    activity: Activity,
    wishes: Wishes,
    local: Sequence[Cue],
    flags: dict[int, list[str]],
) -> dict[int, Span]:
    """The spans inside the clip, in order and apart, on frames; what cannot move stays."""
    fps, end = activity.fps, activity.duration
    shown = [k for k in order if k in moving and not _flash(local[k], flags[k])]
    least = min(max(wishes.min_duration, 1 / fps), end / max(len(shown), 1))
    out = dict(spans)
    for k in moving:
        span = _within_reach(out[k], local[k].span, wishes.max_shift)
        start = min(max(span.start, 0.0), max(end - least, 0.0))
        out[k] = Span(start, start)
        if k in shown:
            out[k] = Span(start, min(max(span.end, start + least), max(end, start + least)))
    if wishes.overlap == "forbid":
        _set_apart(out, shown, least, end)
        _cut_at_those_that_stay(out, order, moving, least)
    for k in moving:
        out[k] = _within_reach(out[k], local[k].span, wishes.max_shift)
        if wishes.frame and out[k] != local[k].span:
            first, last = out[k].frames(fps)
            out[k] = Span(first / fps, max(last, first + (k in shown)) / fps)
        if abs(out[k].start - spans[k].start) > 2 / fps and not flags[k]:
            flags[k].append("clamped")
    return out


def _flash(cue: Cue, flags: Sequence[str]) -> bool:
    """Whether a cue is an empty one without duration, which stays one."""
    return cue.span.duration <= 0 and "not speech" in flags


def _within_reach(span: Span, given: Span, most: Seconds | None) -> Span:
    """The span moved so far that its start is at most ``most`` from where it was given."""
    if most is None or abs(span.start - given.start) <= most:
        return span
    start = given.start + float(np.clip(span.start - given.start, -most, most))
    return span.shifted(start - span.start)


def _set_apart(out: dict[int, Span], shown: Sequence[int], least: Seconds, end: Seconds) -> None:
    """Cuts overlaps of neighbours that move in their middle, in place; none ends after ``end``."""
    for a, b in itertools.pairwise(shown):
        first, second = out[a], out[b]
        if second.start >= first.end:
            continue
        middle = (second.start + first.end) / 2
        cut = max(min(middle, second.end - least), first.start + least)
        out[a] = Span(first.start, cut)
        out[b] = Span(cut, max(second.end, cut + least))
    last = end
    for k in reversed(shown):
        if out[k].end <= last:
            break
        start = max(min(out[k].start, last - least), 0.0)
        out[k] = Span(start, max(last, start))
        last = start


def _cut_at_those_that_stay(
    out: dict[int, Span], order: Sequence[int], moving: set[int], least: Seconds
) -> None:
    """Cuts spans that move, in place, where they overlap a neighbour that does not, if they are long."""
    for a, b in itertools.pairwise(order):
        first, second = out[a], out[b]
        if second.start >= first.end or (a in moving) == (b in moving):
            continue
        if a in moving:
            cut = max(second.start, first.start + least)
            out[a] = Span(first.start, min(first.end, max(cut, first.start)))
        else:
            cut = min(first.end, second.end - least)
            out[b] = Span(max(second.start, min(cut, second.end)), second.end)
