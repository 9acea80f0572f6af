"""Simulated corpora with fixed names: ``sim-words-v1`` and ``sim-sentences-v1``.

A sample is a pure function of (language seed, size, split, index). Splits share no signer,
and no sentence: a hash of its text says which split a sentence belongs to, and a split
draws until it meets one of its own. An improvement is a new version, never an edit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args

import numpy as np

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HOLISTIC, LAYOUTS, SMPLX52, Layout
from signloom.data.lexicon import Lexicon
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan, Sample, gloss_sentence
from signloom.data.timing import Span
from signloom.errors import UsageError, nearest
from signloom.simulator.camera import camera_of, tracker_of
from signloom.simulator.grammar import SimulatedSentence, sentence
from signloom.simulator.lexicon import gloss_of, lemma_sign, size_named, vocabulary
from signloom.simulator.lips import LIPS_VERSION, lips_of
from signloom.simulator.perform import Performed, perform
from signloom.simulator.phonology import Brows, draws, letter_sign
from signloom.simulator.render import render
from signloom.simulator.signed import Token
from signloom.simulator.signer import Signer, signer_of

Split = Literal["train", "dev", "test"]
SPLITS: tuple[str, ...] = get_args(Split)

WORDS_VERSION = "sim-words-v1"
SENTENCES_VERSION = "sim-sentences-v1"
SENTENCES = {
    "tiny": {"train": 400, "dev": 100, "test": 100},
    "small": {"train": 20_000, "dev": 500, "test": 1_000},
    "base": {"train": 100_000, "dev": 1_000, "test": 2_000},
}
CLIPS_PER_WORD = {"train": 12, "dev": 3, "test": 3}
SIGNERS = {"train": range(0, 400), "dev": range(10_000, 10_040), "test": range(20_000, 20_040)}
"""The signers of a split, by their number."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TENTHS = {"train": range(0, 8), "dev": range(8, 9), "test": range(9, 10)}


@lru_cache(maxsize=1024)
def signer_numbered(language_seed: int, number: int) -> Signer:
    return signer_of(language_seed, number)


def split_of(text: str) -> str:
    """The split that a sentence belongs to, whatever the size of the corpus."""
    tenth = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 10
    return next(split for split, tenths in _TENTHS.items() if tenth in tenths)


def split_named(name: str) -> str:
    """The split of that name. Raises UsageError naming the nearest."""
    if name not in SPLITS:
        raise UsageError(
            f"there is no split '{name}'{nearest(name, SPLITS)}; the splits are {', '.join(SPLITS)}"
        )
    return name


def rendered_layout(layout: Layout | str) -> Layout:
    """The layout, if the simulator draws all of its keypoints; by name too.

    Raises UsageError for a layout that is neither a choice of ``holistic``'s keypoints nor ``smplx52``.
    """
    name = layout if isinstance(layout, str) else layout.name
    drawn = [key for key, known in LAYOUTS.items() if _drawn(known)]
    found = LAYOUTS.get(layout) if isinstance(layout, str) else layout
    if found is None or not _drawn(found):
        raise UsageError(
            f"the simulator does not draw layout '{name}'{nearest(name, drawn)}; "
            f"it draws {', '.join(drawn)}"
        )
    return found


def _drawn(layout: Layout) -> bool:
    return layout == SMPLX52 or set(layout.keypoints) <= set(HOLISTIC.keypoints)


@dataclass(frozen=True)
class Corpus:
    """What the corpora have in common; ``layout`` limits what is computed, not what it is."""

    size: str = "small"
    split: str = "train"
    layout: Layout = HOLISTIC
    language_seed: int = 1

    def __post_init__(self) -> None:
        size_named(self.size)
        split_named(self.split)
        object.__setattr__(self, "layout", rendered_layout(self.layout))

    @property
    def language(self) -> str:
        """sim-1 is the language of seed 1, and so on."""
        return f"sim-{self.language_seed}"

    def _at(self, index: int) -> int:
        total = len(self)  # type: ignore[arg-type]
        if not -total <= index < total:
            raise IndexError(f"sample {index} of {total}")
        return index % total

    def _film(
        self, signs: Sequence[Performed], key: tuple[object, ...], version: str, id: str,
        citation: bool, brow: Brows = "neutral", pauses: Sequence[float] = (), lips: bool = False,
    ) -> tuple[PoseClip, tuple[Span, ...], str, Lips | None]:  # fmt: skip
        """(clip, span of each sign, signer, lips if wanted) of one signer of the split, drawn
        from the key."""
        rng = draws(*key, "signing")
        numbers = SIGNERS[self.split]
        signer = signer_numbered(self.language_seed, numbers[int(rng.random() * len(numbers))])
        performance = perform(signs, signer, rng, citation=citation, brow=brow, pauses=pauses)
        camera, tracker = camera_of(rng), tracker_of(rng)
        clip = render(performance, signer, camera, tracker, rng, self.layout)
        origin = Origin(SIMULATED, version, {"language": self.language})
        mouth = None
        if lips:
            made = replace(origin, version=LIPS_VERSION)
            own = draws(LIPS_VERSION, *key)
            mouth = lips_of(performance, signer, camera, own, id, made)
        return replace(clip, id=id, origin=origin), performance.spans, signer.id, mouth


@dataclass(frozen=True)
class SimulatedWords(Corpus):
    """``sim-words-v1``: every word in citation form, by several signers; text is the word.

    Sample i is word i mod len(words): a prefix holds every word about equally often.
    lips: whether samples carry mouth crops (``sim-lips-v1``); all else is the same without.
    Raises UsageError for an unknown size, split or layout.
    """

    lips: bool = False

    @property
    def version(self) -> str:
        return WORDS_VERSION

    @property
    def words(self) -> tuple[str, ...]:
        return vocabulary(self.size).lemmas

    def __len__(self) -> int:
        return len(self.words) * CLIPS_PER_WORD[self.split]

    def __getitem__(self, index: int) -> Sample:
        index = self._at(index)
        time, place = divmod(index, len(self.words))
        return self.sample(self.words[place], time)

    def sample(self, word: str, time: int) -> Sample:
        """The ``time``-th clip of a word, the same in every size."""
        kind: Literal["sign", "point"] = "point" if gloss_of(word).startswith("IX-") else "sign"
        sign = Performed(lemma_sign(word, self.language_seed), kind=kind)
        return self._sample(sign, word, gloss_of(word), word, time)

    def letter(self, letter: str, time: int) -> Sample:
        """The ``time``-th clip of a fingerspelled letter."""
        sign = Performed(letter_sign(letter, self.language_seed), kind="letter")
        return self._sample(sign, f"letter-{letter}", f"#{letter.upper()}", letter, time)

    def _sample(self, sign: Performed, name: str, gloss: str, text: str, time: int) -> Sample:
        id = f"{WORDS_VERSION}-{self.split}-{name}-{time}"
        key = (WORDS_VERSION, self.language_seed, self.split, name, time)
        clip, spans, signer, mouth = self._film(
            [sign], key, WORDS_VERSION, id, citation=True, lips=self.lips
        )
        glosses = (GlossSpan(gloss, spans[0]),)
        return Sample(id, clip, text, glosses, signer, self.language, lips=mouth)

    def texts(self) -> list[str]:
        """The text of every sample, without drawing a clip."""
        return [self.words[i % len(self.words)] for i in range(len(self))]

    def glosses(self) -> list[str]:
        """The gloss of every sample, without drawing a clip."""
        return [gloss_sentence([gloss_of(word)]) for word in self.texts()]


@dataclass(frozen=True)
class SimulatedSentences(Corpus):
    """``sim-sentences-v1``: signed sentences with English text and glosses with spans.

    lips: whether samples carry mouth crops (``sim-lips-v1``); all else is the same without.
    Raises UsageError for an unknown size, split or layout.
    """

    lips: bool = False

    @property
    def version(self) -> str:
        return SENTENCES_VERSION

    def __len__(self) -> int:
        return SENTENCES[self.size][self.split]

    def sentence(self, index: int) -> SimulatedSentence:
        """The text and signs of a sample, without drawing the clip."""
        return _sentence(self.language_seed, self.size, self.split, self._at(index))

    def texts(self) -> list[str]:
        """The text of every sample, without drawing a clip."""
        return [self.sentence(i).text for i in range(len(self))]

    def glosses(self) -> list[str]:
        """The glosses of every sample as one text each, without drawing a clip."""
        return [
            gloss_sentence(token.gloss for token in self.sentence(i).tokens)
            for i in range(len(self))
        ]

    def __getitem__(self, index: int) -> Sample:
        index = self._at(index)
        said = self.sentence(index)
        signs = [(t, s) for t in said.tokens for s in signs_of(t, self.language_seed)]
        key = (SENTENCES_VERSION, self.language_seed, self.size, self.split, index)
        id = f"{SENTENCES_VERSION}-{self.size}-{self.split}-{index}"
        clip, spans, signer, mouth = self._film(
            [sign for _, sign in signs], key, SENTENCES_VERSION, id, citation=False,
            brow=said.brow, pauses=pauses_of([t for t, _ in signs], draws(*key, "pauses")),
            lips=self.lips,
        )  # fmt: skip
        glosses = tuple(_glosses([t for t, _ in signs], spans))
        return Sample(id, clip, said.text, glosses, signer, self.language, lips=mouth)


@lru_cache(maxsize=65536)
def _sentence(language_seed: int, size: str, split: str, index: int) -> SimulatedSentence:
    rng = draws(SENTENCES_VERSION, language_seed, size, split, index, "text")
    return sentence_of_split(rng, size, split)


def sentence_of_split(rng: np.random.Generator, size: str, split: str) -> SimulatedSentence:
    """The first sentence drawn from ``rng`` that belongs to the split."""
    words = vocabulary(size)
    while True:
        said = sentence(rng, words)
        if split_of(said.text) == split:
            return said


def signs_of(token: Token, language_seed: int) -> list[Performed]:
    """The signs of a token: one, or the letters of a name."""
    if token.kind == "name":
        return [
            Performed(letter_sign(letter, language_seed), kind="letter", brows=token.brows)
            for letter in token.lemma.lower()
        ]
    sign = lemma_sign(token.lemma, language_seed)
    return [Performed(sign, token.repeat, token.kind, token.brows, token.head)]


def pauses_of(tokens: Sequence[Token], rng: np.random.Generator) -> list[float]:
    """Seconds of hold after each sign: at phrase ends, after the last letter where it is a name."""
    ends = [*(t is not following for t, following in pairwise(tokens)), False]
    return [
        round(0.08 + 0.27 * rng.random(), 2) if t.pause and end else 0.0
        for t, end in zip(tokens, ends, strict=True)
    ]


def _glosses(tokens: Sequence[Token], spans: Sequence[Span]) -> Iterator[GlossSpan]:
    """One gloss a token; a name's is from its first letter to its last."""
    first = 0
    for i, token in enumerate(tokens):
        if i + 1 == len(tokens) or tokens[i + 1] is not token:
            yield GlossSpan(token.gloss, Span(spans[first].start, spans[i].end))
            first = i + 1


@dataclass(frozen=True)
class _Reader:
    """Reads the clips of a simulated lexicon; picklable."""

    source: SimulatedWords

    def word(self, word: str, time: int) -> PoseClip:
        return self.source.sample(word, time).clip

    def letter(self, letter: str, time: int) -> PoseClip:
        return self.source.letter(letter, time).clip


def simulated_lexicon(
    size: str = "small",
    split: str = "train",
    layout: Layout = HOLISTIC,
    language_seed: int = 1,
) -> Lexicon:
    """``sim-words-v1`` as a lexicon, with the letters of its fingerspelling.

    Raises UsageError for an unknown size, split or layout.
    """
    source = SimulatedWords(size, split, layout, language_seed)
    reader = _Reader(source)
    clips = CLIPS_PER_WORD[split]
    return Lexicon(
        name=f"{WORDS_VERSION} {size} {split}",
        language=source.language,
        words=dict.fromkeys(source.words, clips),
        read=reader.word,
        letters=dict.fromkeys(LETTERS, clips),
        read_letter=reader.letter,
    )
