"""A recogniser without learning, for corpora with timed glosses: every sign of training a hidden Markov model.

Each signed gloss of the training sentences is a left-to-right model whose states are its frames, as
in the nearest-neighbour baselines of Dreuw et al. (2007); frames between signs are one state, the
distance to the k-th nearest of such training frames. A bigram model of the training sentences
(``signloom.language.ngram``) says which gloss follows which, and Viterbi search finds the best path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.sample import Sample
from signloom.language.ngram import NGram, counted
from signloom.pose.normalize import nose

NEVER = -1e18


@dataclass(frozen=True)
class Settings:
    """prior: weight of ln p of a gloss. step: what it costs to stay in a frame, or to pass one over.
    between: which nearest frame between signs is the measure of one."""

    prior: float = 3.0
    step: float = 1.0
    between: int = 7


def features(clip: PoseClip) -> NDArray[np.float64]:
    """(frames, 4 · keypoints of hands): where the hands are from the nose, smoothed, and how they move."""
    clip = nose(clip)
    at = np.flatnonzero(np.isin(clip.layout.articulators, ("left_hand", "right_hand")))
    hands = clip.points[:, at, :2].astype(np.float64).reshape(len(clip), -1)
    smooth, motion = hands.copy(), np.zeros_like(hands)
    smooth[1:-1] = (hands[:-2] + 2 * hands[1:-1] + hands[2:]) / 4
    motion[2:-2] = smooth[4:] - smooth[:-4]
    return np.concatenate([smooth, motion], axis=1)


class TemplateHmm:
    """What the training samples, whose glosses have times, say of another clip."""

    def __init__(self, samples: Sequence[Sample], settings: Settings | None = None):
        self.settings = settings or Settings()
        glosses = [[sign.gloss for sign in sample.glosses] for sample in samples]
        self.names = sorted({gloss for sentence in glosses for gloss in sentence})
        number = {name: at for at, name in enumerate(self.names)}
        sentences = [[number[gloss] for gloss in sentence] for sentence in glosses]
        signs, between = [], []
        for sample in samples:
            frames, fps = features(sample.clip), sample.clip.fps
            spans = [sign.span.frames(fps, len(frames)) for sign in sample.glosses if sign.span]
            signs += [frames[max(first - 1, 0) : last] for first, last in spans]
            edges = zip(
                [0, *(e for _, e in spans)], [*(s for s, _ in spans), len(frames)], strict=True
            )
            between += [frames[first:last] for first, last in edges if last > first]
        lengths = np.array([len(sign) for sign in signs])
        self.labels = np.concatenate(sentences).astype(np.int64)
        self.last = np.cumsum(lengths) - 1
        self.first = self.last - lengths + 1
        self.frames = np.concatenate(signs)
        self.scale = np.maximum(self.frames.std(axis=0), 1e-6)
        self.between = np.concatenate(between)
        grams = NGram(counted(sentences, 2), len(self.names))
        each: list[int | None] = [*range(len(self.names)), None]
        self.follows = np.array(
            [
                [grams.log_p(() if before is None else (before,), label) for label in each]
                for before in each
            ]
        )
        """[before, next], the last row for a sentence's start, the last column for its end."""

    def read(self, clip: PoseClip) -> list[str]:
        """The glosses of the best path."""
        wanted, count = self.settings, len(self.names)
        seen = features(clip) / self.scale
        in_sign = -apart(seen, self.frames / self.scale)
        away = -np.sort(apart(seen, self.between / self.scale), axis=1)[:, wanted.between]
        second = self.first[self.last > self.first] + 1
        score = np.full(len(self.frames), NEVER)
        story = np.full(len(self.frames), -1)  # which of `said` led to a state
        said: list[tuple[int, int]] = [(-1, -1)]  # (what was said before, gloss)
        rest, rest_story = np.full(count + 1, NEVER), np.full(count + 1, -1)
        rest[count], rest_story[count] = 0.0, 0
        for here, out in zip(in_sign, away, strict=True):
            entered = rest[:, None] + wanted.prior * self.follows[:, :count]
            before = entered.argmax(axis=0)
            begun = entered[before, np.arange(count)][self.labels]
            came = score - wanted.step, story
            for back, cost, closed in (
                (1, 0.0, [self.first]),
                (2, wanted.step, [self.first, second]),
            ):
                moved, told = np.full_like(score, NEVER), np.full_like(story, -1)
                moved[back:], told[back:] = score[:-back] - cost, story[:-back]
                moved[np.concatenate(closed)] = NEVER
                came = np.maximum(came[0], moved), np.where(moved > came[0], told, came[1])
            score, story = came
            better = begun > score[self.first]
            score[self.first] = np.where(better, begun, score[self.first])
            story[self.first] = np.where(better, rest_story[before[self.labels]], story[self.first])
            score = score + here
            rest = rest + out
            for at in (self.last, np.maximum(self.last - 1, self.first)):
                for sign in np.flatnonzero(score[at] > rest[self.labels]):
                    gloss, state = int(self.labels[sign]), int(at[sign])
                    if score[state] > rest[gloss]:
                        said.append((int(story[state]), gloss))
                        rest[gloss], rest_story[gloss] = score[state], len(said) - 1
        at = int(rest_story[(rest + wanted.prior * self.follows[:, count]).argmax()])
        glosses = []
        while at > 0:
            at, gloss = said[at]
            glosses.append(self.names[gloss])
        return glosses[::-1]


def apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(len(a), len(b)): squared distances."""
    return (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
