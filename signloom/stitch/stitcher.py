"""The stitcher: a sentence's words to one clip, word clip after word clip (spec §1).

For each word, in sentence order (SWO), shuffled (RWO), or as rules order them
(``text.order``), one of its clips is picked at random, prepared alone, and put
behind the others. By default nothing is trimmed and nothing smooths the
joints, as in the paper; ``stitch.joining`` says what can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lexicon import Lexicon
from signloom.data.names import canonical
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span, round_half_up
from signloom.errors import UsageError, nearest
from signloom.pose.convert import SHOULDERS, convert
from signloom.stitch.joining import NAIVE, Joining, transition
from signloom.text.clean import words_of
from signloom.text.forms import UNSIGNED, Match, match
from signloom.text.order import Order, order_named, tagger, tokens_of

Prepare = Callable[[PoseClip, np.random.Generator], PoseClip]


@dataclass(frozen=True)
class Stitched:
    """A stitched clip, and what became of the words.

    used: the entries signed, in the order of the clip, with their spans
        (seconds); a spelled word is written S-P-E-L-L-E-D.
    skipped: words of the sentence that are not in the clip, in sentence order.
    spelled: words that are fingerspelled, in the order of the clip.
    dropped: words that an order rule left out, in sentence order.
    """

    clip: PoseClip
    used: tuple[GlossSpan, ...]
    skipped: tuple[str, ...] = ()
    spelled: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Unit:
    """An entry, or a word to spell, and the clips to sign it with: one of each of ``keys``."""

    gloss: str
    keys: tuple[str, ...]
    clips: Mapping[str, int]
    read: Callable[[str, int], PoseClip]
    spelled: str = ""


def stitch(
    words: Sequence[str],
    lexicon: Lexicon,
    *,
    order: str = "swo",
    rng: np.random.Generator,
    fingerspell: bool = True,
    forms: bool = True,
    prepare: Prepare | None = None,
    layout: Layout | None = None,
    fps: float | None = None,
    joining: Joining = NAIVE,
) -> Stitched:
    """The words as one clip.

    order: "swo" as the sentence has them, "rwo" shuffled; or rules of ``text.order``, with
        commas between ("time-first,wh-final"), or one of its presets.
    fingerspell: spell what the lexicon lacks, where it has the letters; function
        words without a sign (``text.forms.UNSIGNED``) are skipped, not spelled.
    forms: a word not in the lexicon may stand for its base (``text.forms``).
    prepare: what is done to each word clip alone before they are joined.
        Without it clips are moved into the frame of the first one: same
        shoulders, or same picture where shoulders are not to be seen.
    layout, fps: what the joined clip has; otherwise as the first word clip.
    joining: what is trimmed, cut and blended; nothing by default. Blends lie between the
        spans of the signs.

    Raises UsageError when nothing of the sentence is in the lexicon, or for an unknown order.
    """
    chosen = order_named(order)
    found = match([word.lower() for word in words], lexicon.words, forms)
    found, dropped = _in_order(found, chosen)
    units, skipped = _units(found, lexicon, fingerspell)
    if not units:
        raise UsageError(
            f"none of the words '{' '.join(words)}' is in the lexicon '{lexicon.name}' "
            f"({len(lexicon)} words){nearest(words[0].lower() if words else '', list(lexicon.words))}"
            "; use other words or another lexicon"
        )
    if chosen.shuffle:
        units = [units[i] for i in rng.permutation(len(units))]
    clips: list[PoseClip] = []
    used: list[GlossSpan] = []
    frames = 0
    for unit in units:
        first = -1
        for key in unit.keys:
            clip = joining.alone(unit.read(key, int(rng.integers(unit.clips[key]))))
            if prepare is not None:
                clip = prepare(clip, rng)
            layout = clip.layout if layout is None else layout
            fps = clip.fps if fps is None else fps
            clip = convert(clip, layout)
            if prepare is None and clips:
                clip = moved_into_frame(clip, clips[0])
            clip = resampled(clip, fps)
            if clips and joining.blend:
                between = transition(clips[-1], clip, joining.blend)
                clips.append(between)
                frames += len(between)
            first = frames if first < 0 else first
            clips.append(clip)
            frames += len(clip)
        used.append(GlossSpan(unit.gloss, Span.of_frames(first, frames, fps or 1.0)))
    spelled = tuple(unit.spelled for unit in units if unit.spelled)
    return Stitched(joined(clips), tuple(used), tuple(skipped), spelled, dropped)


def _in_order(matches: list[Match], order: Order) -> tuple[list[Match], tuple[str, ...]]:
    """The matches as the rules of an order put them, and the words that they drop."""
    if not order.names:
        return matches, ()
    tokens = tokens_of(matches, tagger())
    kept = order(tokens)
    still = {id(token) for token in kept}
    gone = tuple(word for token in tokens if id(token) not in still for word in token.words)
    return [Match(token.words, token.entry) for token in kept], gone


def _units(
    matches: Sequence[Match], lexicon: Lexicon, fingerspell: bool
) -> tuple[list[_Unit], list[str]]:
    """What to sign, and the words that cannot be."""
    units: list[_Unit] = []
    skipped: list[str] = []
    for found in matches:
        if found.entry is not None:
            units.append(_Unit(found.entry, (found.entry,), lexicon.words, lexicon.read))
            continue
        (word,) = found.words
        spelled = _spelled(word, lexicon) if fingerspell and word not in UNSIGNED else None
        if spelled is None:
            skipped.append(word)
        else:
            units.append(spelled)
    return units, skipped


def _spelled(word: str, lexicon: Lexicon) -> _Unit | None:
    """The word letter by letter; None unless the lexicon has every one of its letters."""
    letters = tuple(c for c in word if c.isalnum())
    if lexicon.read_letter is None or not all(c in lexicon.letters for c in letters):
        return None
    gloss = "-".join(letters).upper()
    return _Unit(gloss, letters, lexicon.letters, lexicon.read_letter, spelled=word)


def joined(clips: Sequence[PoseClip]) -> PoseClip:
    """The clips one after another, as the first one is in all else. They agree in layout and fps."""
    first = clips[0]
    return PoseClip.trusted(
        points=np.concatenate([clip.points for clip in clips]),
        confidence=np.concatenate([clip.confidence for clip in clips]),
        fps=first.fps,
        layout=first.layout,
        id="+".join(clip.id for clip in clips),
        origin=first.origin,
        size=first.size,
    )


def resampled(clip: PoseClip, fps: float) -> PoseClip:
    """The clip at another frame rate; the same duration, to the frame.

    A keypoint is interpolated between two frames that both have it, and taken
    from the nearer one otherwise.
    """
    if clip.fps == fps or not len(clip):
        return replace(clip, fps=fps) if clip.fps != fps else clip
    count = max(1, round_half_up(len(clip) * fps / clip.fps))
    at = np.clip((np.arange(count) + 0.5) * clip.fps / fps - 0.5, 0, len(clip) - 1)
    before = np.floor(at).astype(np.int64)
    after = np.minimum(before + 1, len(clip) - 1)
    share = (at - before).astype(np.float32)[:, None]
    near = np.where(share[:, 0] < 0.5, before, after)
    both = clip.present[before] & clip.present[after]
    between = clip.points[before] * (1 - share)[:, :, None] + clip.points[after] * share[:, :, None]
    sure = clip.confidence[before] * (1 - share) + clip.confidence[after] * share
    return replace(
        clip,
        points=np.where(both[:, :, None], between, clip.points[near]),
        confidence=np.where(both, sure, clip.confidence[near]),
        fps=fps,
    )


def moved_into_frame(clip: PoseClip, frame: PoseClip) -> PoseClip:
    """The clip scaled and shifted as a whole, so that its signer stands where ``frame``'s does.

    By the mean shoulders of both clips; where one of them shows no shoulders,
    by the size of the picture. World coordinates (metres) stay.
    """
    here, there = _shoulders(clip), _shoulders(frame)
    if here is not None and there is not None:
        scale = np.full(3, there[1] / here[1], np.float32)
        shift = np.append(there[0] - here[0] * scale[:2], 0).astype(np.float32)
    else:
        wide, high = (frame.size[i] / clip.size[i] for i in (0, 1))
        scale, shift = np.array([wide, high, wide], np.float32), np.zeros(3, np.float32)
    points = clip.points * scale + shift
    points *= clip.present[:, :, None]
    world = clip.layout.part("world")
    if len(world):
        points[:, world] = clip.points[:, world]
    return PoseClip.trusted(
        points=points,
        confidence=clip.confidence,
        fps=clip.fps,
        layout=clip.layout,
        id=clip.id,
        origin=clip.origin,
        size=frame.size,
    )


def _shoulders(clip: PoseClip) -> tuple[NDArray[np.float32], float] | None:
    """The clip's mean middle of the shoulders (x, y) and mean distance of them; None if unseen."""
    at = _shoulder_points(clip.layout)
    if at is None:
        return None
    both = clip.points[:, at, :2][(clip.confidence[:, at] > 0).all(axis=1)]
    if not len(both):
        return None
    apart = both[:, 0] - both[:, 1]
    distance = float(np.sqrt((apart * apart).sum(axis=1)).mean())
    return (both.mean(axis=(0, 1)), distance) if distance > 0 else None


@lru_cache(maxsize=64)
def _shoulder_points(layout: Layout) -> tuple[int, int] | None:
    """Where a layout has its left and right shoulder; None where it has not both."""
    index = {canonical(name): i for i, name in enumerate(layout.keypoints)}
    left, right = (index.get(name) for name in SHOULDERS)
    return None if left is None or right is None else (left, right)


@dataclass(frozen=True)
class StitchedSentences:
    """Sentences stitched when asked for, never stored: sample i is a pure function of (seed, i).

    sentences: any indexable sequence of texts; it is held as it is, never copied.
    order, joining: as in ``stitch``.
    rounds: how often the sentences go by; each round picks other clips, so
        there are len(sentences) · rounds samples.
    prepare: as in ``stitch``; a module's function or a partial of one, so that
        worker processes can hold it too.

    A sentence that the lexicon cannot sign at all raises UsageError: keep such
    ones out with ``text.sentences.covered``.
    """

    lexicon: Lexicon
    sentences: Sequence[str]
    order: str = "swo"
    seed: int = 0
    rounds: int = 1
    prepare: Prepare | None = None
    fingerspell: bool = True
    forms: bool = True
    layout: Layout | None = None
    fps: float | None = None
    joining: Joining = NAIVE

    def __len__(self) -> int:
        return len(self.sentences) * self.rounds

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)} stitched sentences")
        text = self.sentences[index % len(self.sentences)]
        found = stitch(
            words_of(text),
            self.lexicon,
            order=self.order,
            rng=np.random.Generator(np.random.Philox(key=[self.seed, index])),
            fingerspell=self.fingerspell,
            forms=self.forms,
            prepare=self.prepare,
            layout=self.layout,
            fps=self.fps,
            joining=self.joining,
        )
        return Sample(
            id=f"stitched-{self.seed}-{index}",
            clip=found.clip,
            text=text,
            glosses=found.used,
            language=self.lexicon.language,
            stitched=True,
        )

    def __iter__(self) -> Iterator[Sample]:
        return (self[i] for i in range(len(self)))

    def texts(self) -> Sequence[str]:
        """The text of every sentence, once: the sequence as it was given, a stream stays a stream."""
        return self.sentences
