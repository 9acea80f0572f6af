"""Alignment scores: how well the times of subtitles fit the signing, cues paired by index.

The protocol is that of Bull et al. 2021, "Aligning Subtitles in Sign Language
Videos": each cue paints its own label on the frames of its video, and frames
and runs of equal label are compared. What it leaves open is settled here:

- A cue fills frames round(fps · start) up to round(fps · end), halves to the even
  frame as Python's round has them. What lies before frame 0 is cut off; the
  published script would lengthen its list of frames there.
- The video ends 10 s after the last cue of the truth. Where that would cut off a
  scored cue, because the file is out of order, the latest end takes its place.
- Cues that overlap, on either side: 'later' is the protocol, the later cue in the file overwrites;
  'earlier' lets the earlier one stand; 'midpoint' cuts neighbours that overlap in
  part in the middle of what they share, and leaves nested cues to 'later'.
- Truth cues whose text has '[' and ']' are left out on both sides; their frames
  are background. The variant 'sea' removes them first, so that the last kept cue
  ends the video, and takes whole frames per second (29.97 becomes 29).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from signloom.data.cue import Cue
from signloom.data.timing import Seconds, Span
from signloom.errors import UsageError
from signloom.metrics.score import RESAMPLES, SEED, Each, Score, in_turn

Overlap = Literal["later", "earlier", "midpoint"]
Variant = Literal["bull", "sea"]

BACKGROUND = -1
TAIL: Seconds = 10.0
LONGEST: Seconds = 48 * 3600.0
"""A video longer than this is taken for a mistaken time; its frames are not laid out."""

THRESHOLDS = (0.10, 0.25, 0.50)
NOT_SIGNED = "[NOT SIGNED]"
OFFSET = "offset:hypothesis-truth|empty:excluded|resample:episodes"
GRID = tuple(tenth / 10 for tenth in sorted(range(-100, 201), key=lambda t: (abs(t), -t)))
"""Offsets tried, in seconds: −10 to +20 in tenths, nearest to 0 first."""


@dataclass(frozen=True)
class AlignedEpisode:
    """The cues of one video as an aligner timed them, beside the truth.

    hypothesis, truth: as many of either, the i-th of one is the i-th of the other.
    prior: the times that the aligner was given (those of the speech), paired likewise.
    A hypothesis of no duration says that the cue is not signed.
    """

    name: str
    hypothesis: tuple[Cue, ...]
    truth: tuple[Cue, ...]
    prior: tuple[Cue, ...] | None = None


@dataclass(frozen=True)
class EpisodeScore:
    """F1@.50 of one episode in percent, over n scored cues; None where it has none.

    shares: numerator and denominator of each score that is one, to be summed over episodes.
    """

    name: str
    n: int
    f1_50: float | None
    shares: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def is_bracketed(cue: Cue) -> bool:
    """Whether a truth cue carries an annotator's note in brackets and is not scored."""
    return "[" in cue.text and "]" in cue.text


def score_alignment(
    episodes: Sequence[AlignedEpisode],
    *,
    overlap: Overlap = "later",
    fps: float = 25.0,
    variant: Variant = "bull",
    each: Each = in_turn,
) -> list[Score]:
    """Frame accuracies, F1, offsets and, where cues are skipped, skipping, over all episodes.

    - frame accuracy: frames of equal label among all, background beside background too.
    - background-free accuracy: the same among the frames where the truth is a cue.
    - CB-Acc: recall of each class, averaged over the classes of all episodes pooled.
      A class is a cue, or the background of one episode; those without a frame in the
      truth are passed over.
    - F1@τ: a run of equal label is right where the IoU with the best run of that label
      in the truth is τ or more and no run before it hit that one; counts are summed
      over all episodes.
    - start and end offset: hypothesis less truth, in seconds, of the scored cues that
      have a duration on both sides; left out where there are none.
    - skip precision, skip recall: whether cues given no duration are those that the
      truth marks '[NOT SIGNED]'. Given where the hypothesis skips any scored or
      not-signed cue; recall where the truth marks any.

    The 95 % intervals resample episodes, not cues: cues of one video err together.
    Raises UsageError where the counts of an episode differ or no cue can be scored.
    """
    return _scores(episodes, _Rules(overlap, fps, variant), each)


def score_episodes(
    episodes: Sequence[AlignedEpisode],
    *,
    overlap: Overlap = "later",
    fps: float = 25.0,
    variant: Variant = "bull",
    each: Each = in_turn,
) -> list[EpisodeScore]:
    """Each episode alone, in their order. Raises UsageError where counts differ."""
    found = []
    tallies = _tallies(episodes, _Rules(overlap, fps, variant), each)
    for episode, tally in zip(episodes, tallies, strict=True):
        top, bottom = tally.shares[_f1_names()[-1]]
        f1 = 100 * top / bottom if bottom else None
        found.append(EpisodeScore(episode.name, tally.kept, f1, tally.shares))
    return found


def frame_labels(
    spans: Float[np.ndarray, "cues 2"],
    kept: Sequence[int] | Int[np.ndarray, " kept"],
    frames: int,
    fps: float = 25.0,
    overlap: Overlap = "later",
) -> Int[np.ndarray, " frames"]:
    """The index of the cue that each frame belongs to, −1 for background.

    spans: start and end of all cues of the episode in seconds, kept: the indices of
    those that are painted. A cue that starts and ends in one frame's rounding vanishes.
    """
    kept = np.asarray(kept, np.int64)
    return _painted(kept, _edges(spans[kept], frames, fps, overlap), frames, overlap)


def runs_of(labels: Int[np.ndarray, " frames"]) -> Int[np.ndarray, "runs 3"]:
    """Label, first frame and frame after the last of each run of equal label, without background."""
    if not len(labels):
        return np.empty((0, 3), np.int64)
    changed = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    first, last = np.append(0, changed), np.append(changed, len(labels))
    runs = np.stack([labels[first], first, last], axis=1)
    return runs[runs[:, 0] != BACKGROUND]


def true_positives(
    hypothesis: Int[np.ndarray, "runs 3"], truth: Int[np.ndarray, "true_runs 3"]
) -> list[int]:
    """How many runs of the truth are hit at each threshold.

    A run counts for the run of its label in the truth with which its IoU, the
    intersection over the hull in frames, is highest, the earlier of equals; each
    run of the truth is hit once.
    """
    truth = truth[np.argsort(truth[:, 0], kind="stable")]
    low = np.searchsorted(truth[:, 0], hypothesis[:, 0], "left")
    many = np.searchsorted(truth[:, 0], hypothesis[:, 0], "right") - low
    ours = np.repeat(np.arange(len(hypothesis)), many)
    theirs = np.arange(len(ours)) - np.repeat(np.cumsum(many) - many - low, many)
    (a, b), (c, d) = hypothesis[ours, 1:].T, truth[theirs, 1:].T
    iou = (np.minimum(b, d) - np.maximum(a, c)) / (np.maximum(b, d) - np.minimum(a, c))
    order = np.lexsort((theirs, -iou, ours))
    best = order[np.diff(ours[order], prepend=-1) > 0]
    return [len(np.unique(theirs[best][iou[best] >= at])) for at in THRESHOLDS]


def best_constant_offset(
    episodes: Sequence[AlignedEpisode],
    *,
    overlap: Overlap = "later",
    fps: float = 25.0,
    variant: Variant = "bull",
) -> Seconds:
    """The one offset of the input timing, −10 to +20 s in tenths, with the highest F1@.50 over all.

    Of equals the one nearest to 0. It is chosen by the truth. Raises UsageError
    where an episode has no prior or its counts differ.
    """
    rules = _Rules(overlap, fps, variant)
    return _best_offset([np.array(_offset_counts(rules, episode)) for episode in episodes])


def linear_stretch(episode: AlignedEpisode) -> tuple[Cue, ...]:
    """The input timing under the line a · t + b that best brings its midpoints to the truth's.

    An oracle: the line is fitted by least squares to the truth it is scored with. Fitted
    to the scored cues that have a duration in the truth; where no line through them runs
    forward, only their mean offset is applied. Raises UsageError where the episode has
    no prior or counts differ.
    """
    prior, truth = _spans(_prior(episode)), _spans(episode.truth)
    use = [i for i in _kept(episode) if truth[i, 0] < truth[i, 1]]
    a, b = 1.0, 0.0
    if use:
        x, y = prior[use].mean(axis=1), truth[use].mean(axis=1)
        spread = ((x - x.mean()) ** 2).sum()
        slope = ((x - x.mean()) * (y - y.mean())).sum() / spread if spread > 0 else 1.0
        a = float(slope) if slope > 0 else 1.0
        b = float(y.mean() - a * x.mean())
    return tuple(
        replace(cue, span=Span(a * cue.span.start + b, a * cue.span.end + b))
        for cue in _prior(episode)
    )


def baselines(
    episodes: Sequence[AlignedEpisode],
    *,
    overlap: Overlap = "later",
    fps: float = 25.0,
    variant: Variant = "bull",
    each: Each = in_turn,
) -> dict[str, list[Score]]:
    """Scores of what needs no aligner: nothing placed, and the input timing as it is and moved.

    The moves are chosen by the truth, so each is the best of its kind: one offset for
    all episodes, one for each (oracle), a line for each (oracle). Where an episode has
    no prior, only the first is given. Raises UsageError as score_alignment does.
    """
    rules = _Rules(overlap, fps, variant)
    nothing = [
        replace(e, hypothesis=tuple(replace(cue, span=Span(0.0, 0.0)) for cue in e.truth))
        for e in episodes
    ]
    found = {"nothing placed": _scores(nothing, rules, each)}
    if any(episode.prior is None for episode in episodes):
        return found
    counts = [np.array(rows) for rows in each(partial(_offset_counts, rules), episodes)]
    offset = _best_offset(counts)
    moved: dict[str, list[tuple[Cue, ...]]] = {
        "input timing": [_prior(e) for e in episodes],
        f"best constant offset ({offset:+.1f} s)": [_moved(e, offset) for e in episodes],
        "best constant offset per episode (oracle)": [
            _moved(e, _best_offset([own])) for e, own in zip(episodes, counts, strict=True)
        ],
        "linear stretch (oracle)": [linear_stretch(e) for e in episodes],
    }
    for name, cues in moved.items():
        placed = [replace(e, hypothesis=c) for e, c in zip(episodes, cues, strict=True)]
        found[name] = _scores(placed, rules, each)
    return found


@dataclass(frozen=True)
class _Rules:
    overlap: Overlap
    fps: float
    variant: Variant

    def __post_init__(self) -> None:
        if not 1 <= self.fps <= 1000:
            raise UsageError(
                f"fps is {self.fps:g}, expected 1 to 1000; give the frame rate of the videos"
            )

    @property
    def rate(self) -> float:
        return float(int(self.fps)) if self.variant == "sea" else self.fps

    @property
    def signature(self) -> str:
        protocol = "bull2021" if self.variant == "bull" else "sea"
        return (
            f"protocol:{protocol}|fps:{self.rate:g}|overlap:{self.overlap}|tail:{TAIL:g}s"
            "|resample:episodes"
        )

    def frames(self, episode: AlignedEpisode) -> int:
        """How many frames the video of an episode has."""
        kept = [episode.truth[i] for i in _kept(episode)]
        last = (kept or episode.truth)[-1] if self.variant == "sea" else episode.truth[-1]
        end = last.span.end + TAIL
        latest = max((cue.span.end for cue in kept), default=end)
        end = latest + TAIL if latest > end else end
        if end > LONGEST:
            raise UsageError(
                f"episode '{episode.name}' ends at {end:.0f} s by its truth, expected at most "
                f"{LONGEST:g} s (48 hours); check the time of its last cue"
            )
        return max(0, round(self.rate * end))

    def labels(self, episode: AlignedEpisode, cues: Sequence[Cue]) -> Int[np.ndarray, " frames"]:
        frames = self.frames(episode)
        return frame_labels(_spans(cues), _kept(episode), frames, self.rate, self.overlap)


@dataclass(frozen=True)
class _Tally:
    """What one episode adds: numerator and denominator of each share, and the offsets of its cues."""

    shares: dict[str, tuple[float, float]]
    skips: dict[str, tuple[float, float]]
    offsets: Float[np.ndarray, "cues 2"]
    kept: int

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "offsets": self.offsets.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> _Tally:
        def pairs(parts: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
            return {name: (top, bottom) for name, (top, bottom) in parts.items()}

        offsets = np.array(value["offsets"], float).reshape(-1, 2)
        return cls(pairs(value["shares"]), pairs(value["skips"]), offsets, value["kept"])


def _tallies(episodes: Sequence[AlignedEpisode], rules: _Rules, each: Each) -> list[_Tally]:
    return [_Tally.from_json(value) for value in each(partial(_tallied, rules), episodes)]


def _tallied(rules: _Rules, episode: AlignedEpisode) -> dict[str, Any]:
    return _tally(episode, rules).to_json()


def _tally(episode: AlignedEpisode, rules: _Rules) -> _Tally:
    _check_counts(episode, episode.hypothesis, "hypothesis")
    ours, theirs = (rules.labels(episode, cues) for cues in (episode.hypothesis, episode.truth))
    right, signed = ours == theirs, theirs != BACKGROUND
    frames = np.bincount(theirs + 1, minlength=1)
    hit = np.bincount(theirs[right] + 1, minlength=len(frames))
    classes = frames > 0
    shares: dict[str, tuple[Any, Any]] = {
        "frame accuracy": (right.sum(), len(right)),
        "background-free accuracy": ((right & signed).sum(), signed.sum()),
        "CB-Acc": ((hit[classes] / frames[classes]).sum(), classes.sum()),
    }
    runs, true_runs = runs_of(ours), runs_of(theirs)
    for name, found in zip(_f1_names(), true_positives(runs, true_runs), strict=True):
        # 2 TP over 2 TP + FP + FN, and that is all runs of both sides.
        shares[name] = (2 * found, len(runs) + len(true_runs))

    hypothesis, truth = _spans(episode.hypothesis), _spans(episode.truth)
    kept = _kept(episode)
    timed = (hypothesis[kept, 0] < hypothesis[kept, 1]) & (truth[kept, 0] < truth[kept, 1])
    skipped = {i for i, cue in enumerate(episode.hypothesis) if cue.span.duration == 0}
    unsigned = {i for i, cue in enumerate(episode.truth) if NOT_SIGNED in cue.text.upper()}
    judged = skipped & (unsigned | set(kept.tolist()))
    skips = {
        "skip precision": (len(skipped & unsigned), len(judged)),
        "skip recall": (len(skipped & unsigned), len(unsigned)),
    }
    return _Tally(_floats(shares), _floats(skips), (hypothesis - truth)[kept][timed], len(kept))


def _floats(parts: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[float, float]]:
    return {name: (float(top), float(bottom)) for name, (top, bottom) in parts.items()}


def _scores(episodes: Sequence[AlignedEpisode], rules: _Rules, each: Each) -> list[Score]:
    tallies = _tallies(episodes, rules, each)
    cues, n = sum(len(e.truth) for e in episodes), sum(tally.kept for tally in tallies)
    if not sum(tally.shares["background-free accuracy"][1] for tally in tallies):
        raise UsageError(
            f"none of the {cues} truth cues in {len(episodes)} episodes can be scored, expected one "
            "or more with a duration and no note in brackets; check which files hold the truth"
        )
    sample = _Sample.of(len(episodes), cues - n)
    found = []
    for name in tallies[0].shares:
        more = "|classes:pooled" if name == "CB-Acc" else ""
        parts = [tally.shares[name] for tally in tallies]
        found.append(sample.share(name, parts, rules.signature + more, n))
    found += _offset_scores([tally.offsets for tally in tallies], sample)
    if any(tally.skips["skip precision"][1] for tally in tallies):
        signature = f"skip:no duration|truth:{NOT_SIGNED}|resample:episodes"
        for name in tallies[0].skips:
            parts = [tally.skips[name] for tally in tallies]
            if counted := int(sum(of for _, of in parts)):
                found.append(sample.share(name, parts, signature, counted))
    return found


def _offset_scores(offsets: Sequence[Float[np.ndarray, "_ 2"]], sample: _Sample) -> list[Score]:
    """Mean and median of the signed and the absolute offsets of either end; none without cues."""
    owner = np.repeat(np.arange(len(offsets)), [len(own) for own in offsets])
    signed = np.concatenate(offsets)
    if not len(signed):
        return []
    found = []
    for size, values in (("", signed), ("absolute ", abs(signed))):
        for end, column in zip(("start", "end"), values.T, strict=True):
            found.append(sample.mean(f"{size}{end} offset mean", column, owner))
            found.append(sample.median(f"{size}{end} offset median", column, owner))
    return found


@dataclass(frozen=True)
class _Sample:
    """How often each resample draws each episode, and the scores that come of it."""

    times: Int[np.ndarray, "resamples episodes"]
    excluded: int

    @classmethod
    def of(cls, episodes: int, excluded: int) -> _Sample:
        drawn = np.random.default_rng(SEED).choice(episodes, size=(RESAMPLES, episodes))
        return cls(np.stack([np.bincount(row, minlength=episodes) for row in drawn]), excluded)

    def share(
        self, name: str, parts: Sequence[tuple[float, float]], signature: str, n: int
    ) -> Score:
        """Percent: the sum of the numerators over that of the denominators."""
        sums = np.array(parts, float)
        top, bottom = sums.sum(axis=0)
        return self._score(name, 100 * top / bottom, 100 * _ratio(self.times @ sums), signature, n)

    def mean(
        self, name: str, values: Float[np.ndarray, " cues"], owner: Int[np.ndarray, " cues"]
    ) -> Score:
        episodes = self.times.shape[1]
        each = np.bincount(owner, values, episodes), np.bincount(owner, None, episodes)
        resampled = _ratio(self.times @ np.stack(each, axis=1))
        return self._score(name, values.mean(), resampled, OFFSET, len(values), "s")

    def median(
        self, name: str, values: Float[np.ndarray, " cues"], owner: Int[np.ndarray, " cues"]
    ) -> Score:
        order = np.argsort(values, kind="stable")
        ranked, owner = values[order], owner[order]
        resampled = np.full(len(self.times), np.nan)
        for row, often in enumerate(self.times):
            up_to = np.cumsum(often[owner])
            if total := int(up_to[-1]):
                middle = np.searchsorted(up_to, [(total - 1) // 2, total // 2], "right")
                resampled[row] = ranked[middle].mean()
        return self._score(name, np.median(values), resampled, OFFSET, len(values), "s")

    def _score(
        self,
        name: str,
        value: float | np.floating,
        resampled: Float[np.ndarray, " resamples"],
        signature: str,
        n: int,
        unit: Literal["%", "s"] = "%",
    ) -> Score:
        """With the 2.5th and 97.5th percentile of the resamples in which anything is counted."""
        value, episodes = float(value), self.times.shape[1]
        known = np.sort(resampled[~np.isnan(resampled)])
        tail = len(known) // 40
        ends = float(known[tail]), float(known[len(known) - tail - 1])
        ends = (value, value) if episodes == 1 else ends
        return Score(name, value, signature, n, self.excluded, ends, unit, episodes)


def _f1_names() -> list[str]:
    return [f"F1@.{100 * at:.0f}" for at in THRESHOLDS]


def _ratio(sums: Float[np.ndarray, "resamples 2"]) -> Float[np.ndarray, " resamples"]:
    """Quotients; NaN where nothing is counted."""
    known = sums[:, 1] > 0
    return np.where(known, sums[:, 0] / np.where(known, sums[:, 1], 1), np.nan)


def _offset_counts(rules: _Rules, episode: AlignedEpisode) -> list[list[float]]:
    """Of each offset of the grid, 2 TP and 2 TP + FP + FN at F1@.50 of the input timing moved by it."""
    prior, kept, frames = _spans(_prior(episode)), _kept(episode), rules.frames(episode)
    truth = runs_of(rules.labels(episode, episode.truth))
    counts = np.empty((len(GRID), 2))
    for row, offset in zip(counts, GRID, strict=True):
        edges = _edges(prior[kept] + offset, frames, rules.rate, rules.overlap)
        # Runs need only the frames where a cue starts or ends: the rest is like the one before.
        marks, places = np.unique(edges, return_inverse=True)
        runs = runs_of(_painted(kept, places.reshape(-1, 2), len(marks), rules.overlap))
        runs[:, 1:] = marks[runs[:, 1:]]
        row[:] = 2 * true_positives(runs, truth)[-1], len(runs) + len(truth)
    return counts.tolist()


def _best_offset(counts: Sequence[Float[np.ndarray, "grid 2"]]) -> Seconds:
    """The first offset of the grid with the highest quotient of the summed counts."""
    top, bottom = np.sum(counts, axis=0).T
    return GRID[int(np.argmax(top / np.maximum(bottom, 1)))]


def _moved(episode: AlignedEpisode, by: Seconds) -> tuple[Cue, ...]:
    return tuple(replace(cue, span=cue.span.shifted(by)) for cue in _prior(episode))


def _prior(episode: AlignedEpisode) -> tuple[Cue, ...]:
    if episode.prior is None:
        raise UsageError(
            f"episode '{episode.name}' has no input timing, which its baselines move; give its prior"
        )
    _check_counts(episode, episode.prior, "prior")
    return episode.prior


def _check_counts(episode: AlignedEpisode, cues: Sequence[Cue], side: str) -> None:
    if not episode.truth or len(cues) != len(episode.truth):
        raise UsageError(
            f"episode '{episode.name}' has {len(cues)} cues in its {side} and "
            f"{len(episode.truth)} in its truth, expected as many, and one or more; cues are paired "
            "by index, so give one cue for each of the truth, of no duration where it is not signed"
        )


def _kept(episode: AlignedEpisode) -> Int[np.ndarray, " kept"]:
    kept = [i for i, cue in enumerate(episode.truth) if not is_bracketed(cue)]
    return np.array(kept, np.int64)


def _spans(cues: Sequence[Cue]) -> Float[np.ndarray, "cues 2"]:
    return np.array([(cue.span.start, cue.span.end) for cue in cues], float).reshape(-1, 2)


def _edges(
    spans: Float[np.ndarray, "kept 2"], frames: int, fps: float, overlap: Overlap
) -> Int[np.ndarray, "kept 2"]:
    """First frame and frame after the last of each cue, inside the video."""
    if overlap == "midpoint":
        spans = _cut_at_midpoints(spans)
    return np.clip(np.rint(fps * spans), 0, frames).astype(np.int64)


def _painted(
    kept: Int[np.ndarray, " kept"], edges: Int[np.ndarray, "kept 2"], frames: int, overlap: Overlap
) -> Int[np.ndarray, " frames"]:
    """Each cue's label on its frames, in the order in which one overwrites another."""
    labels = np.full(frames, BACKGROUND, np.int64)
    order = slice(None, None, -1) if overlap == "earlier" else slice(None)
    for label, (first, last) in zip(kept[order].tolist(), edges[order].tolist(), strict=True):
        labels[first:last] = label
    return labels


def _cut_at_midpoints(spans: Float[np.ndarray, "cues 2"]) -> Float[np.ndarray, "cues 2"]:
    """Spans whose neighbours in order of start no longer overlap in part."""
    spans = spans.copy()
    timed = np.flatnonzero(spans[:, 0] < spans[:, 1])
    order = timed[np.lexsort((spans[timed, 1], spans[timed, 0]))]
    before, after = order[:-1], order[1:]
    partly = (spans[after, 0] < spans[before, 1]) & (spans[before, 1] < spans[after, 1])
    before, after = before[partly], after[partly]
    middle = (spans[after, 0] + spans[before, 1]) / 2
    spans[before, 1], spans[after, 0] = middle, middle
    return spans
