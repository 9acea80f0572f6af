"""Where the samples of a recipe come from: stores, the simulator, sentences stitched from a lexicon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_serializer,
    model_validator,
)

from signloom.corpora.bobsl import listed_episodes
from signloom.corpora.episode_windows import EpisodeSentences, EpisodeWindows
from signloom.corpora.folder_lexicon import INDEX, folder_lexicon
from signloom.corpora.store import is_store, open_store
from signloom.corpora.store_lexicon import store_lexicon
from signloom.data.clip import PoseClip
from signloom.data.layouts import HOLISTIC, Layout
from signloom.data.lexicon import Lexicon
from signloom.data.sample import Sample, SampleSource, gloss_sentence
from signloom.errors import UsageError
from signloom.metrics.words import content_words
from signloom.simulator.corpora import SimulatedSentences, SimulatedWords, simulated_lexicon
from signloom.stitch.joining import Joining
from signloom.stitch.splicing import Spliced
from signloom.stitch.stitcher import StitchedSentences
from signloom.text.classes import read_classes
from signloom.text.clean import words_of
from signloom.text.grammar import GeneratedSentences
from signloom.text.instructions import EXACT, Ruled, gold
from signloom.text.order import order_named
from signloom.text.phrasings import PHRASINGS, Part
from signloom.text.sentences import (
    clauses,
    covered,
    held_out,
    one_word_sentences,
    read_sentences,
)
from signloom.text.stream import (
    Chained,
    Every,
    LengthMatched,
    Repeated,
    StoredTexts,
    is_texts,
    lengths_of,
    some_of,
)

NO_KEYPOINTS = Layout("none", (), ())

TEXTS = 50_000
"""How many texts of a stream stand for it: a tokenizer learns no more from all of them."""

PrepareWord = Callable[[PoseClip, np.random.Generator], PoseClip]


class Record(BaseModel):
    """A part of a recipe: immutable, and every key in it is known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Later(Record):
    """A record whose ``later`` fields came after records were first kept.

    Where they say nothing they are not written, so that a recipe keeps its hash.
    """

    later: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _written(self, write: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        unsaid = {f for f in self.later if getattr(self, f) == type(self).model_fields[f].default}
        return {name: value for name, value in write(self).items() if name not in unsaid}


class FromStore(Later):
    """A split of a store that ``signloom prepare`` wrote. lips: whether its lips are read too."""

    later: ClassVar[tuple[str, ...]] = ("lips",)

    store: str
    split: str = "train"
    lips: bool = False


class FromSimulator(Later):
    """A split of ``sim-sentences-v1`` or ``sim-words-v1``, drawn when asked for.

    lips: whether mouth crops are drawn too. language: which simulated sign language.
    """

    later: ClassVar[tuple[str, ...]] = ("lips", "language")

    simulated: Literal["sentences", "words"]
    size: Literal["tiny", "small", "base"] = "small"
    split: Literal["train", "dev", "test"] = "train"
    lips: bool = False
    language: Annotated[int, Field(ge=1)] = 1


class FromEpisodes(Later):
    """Episodes that lie in a folder: pose files with subtitles when said and when signed.

    ask: "when": each sample is a signed cue and ``seconds`` around it, and asks when the cue is signed
        (`corpora.episode_windows.EpisodeWindows`). "what": each is a sentence cut out by the times of ``signed``, to
        be translated (`EpisodeSentences`).
    spoken, signed: the endings of the subtitles beside NAME.pose, or folders of NAME.vtt.
    lag, jitter: seconds; as `EpisodeWindows` and `EpisodeSentences` have them where they are not said.
    rounds: how often each cue comes, each time cut elsewhere.
    listed, split: only the episodes of this split of a list of episodes by subset, as BOBSL's
        subset2episode.json; none: all in the folder.
    lips: whether the lips beside the pose files are read too.
    """

    later: ClassVar[tuple[str, ...]] = (
        "ask", "spoken", "signed", "lag", "jitter", "rounds", "listed", "split", "lips"
    )  # fmt: skip

    episodes: str
    ask: Literal["when", "what"] = "when"
    spoken: str = "speech"
    signed: str = "signing"
    seconds: Annotated[float, Field(gt=0)] = 20.0
    lag: float | None = None
    jitter: Annotated[float | None, Field(ge=0)] = None
    rounds: Annotated[int, Field(ge=1)] = 1
    seed: Annotated[int, Field(ge=0)] = 0
    listed: str | None = None
    split: str | None = None
    lips: bool = False

    @model_validator(mode="after")
    def _says_what_it_means(self) -> FromEpisodes:
        if self.ask == "what" and (self.seconds, self.spoken) != (20.0, "speech"):
            raise ValueError(
                "a source that asks what is signed has no window and no spoken subtitles; leave seconds and "
                "spoken out"
            )
        if (self.listed is None) != (self.split is None):
            raise ValueError("listed and split go together; give both, or neither")
        return self


class FromTexts(Record):
    """Sentences without signing, for a method that learns from text alone: each with a clip of no frames.

    texts: files of sentences (`text.sentences`), stores, folders of texts, "sim:SIZE" or "sim:SIZE:SPLIT".
    column: theirs in a table. shortest, longest: words in a sentence.
    """

    texts: Annotated[tuple[str, ...], Field(min_length=1)]
    column: str = "text"
    shortest: Annotated[int, Field(ge=1)] = 1
    longest: Annotated[int, Field(ge=1)] = 1_000


class Share(Record):
    """A source and how much of a mixture it is, in hundredths."""

    percent: Annotated[int, Field(ge=1, le=100)]
    source: Source


class FromMixed(Record):
    """Several sources in one, each place drawn from one of them: every batch is mixed."""

    mixed: Annotated[tuple[Share, ...], Field(min_length=1)]

    @field_validator("mixed")
    @classmethod
    def _whole(cls, value: tuple[Share, ...]) -> tuple[Share, ...]:
        if (total := sum(share.percent for share in value)) != 100:
            raise ValueError(f"the shares of a mixture are {total} % together, expected 100")
        return value


class FromInstructed(Record):
    """A source each of whose samples is asked something of: sample i a pure function of (seed, i).

    families: what is asked for, one drawn for each sample (`text.instructions`); where a rule has no
        answer for it, it is translated. phrasings: to learn from (kept; wide, with more of them), or held
        out to be measured by.
    rounds: how often the source goes by, each time asked other things.
    """

    instructed: Source
    families: Annotated[tuple[Ruled, ...], Field(min_length=1)] = EXACT
    phrasings: Literal["kept", "wide", "held"] = "kept"
    rounds: Annotated[int, Field(ge=1)] = 1_000
    seed: Annotated[int, Field(ge=0)] = 0


class FromSpliced(Record):
    """Sentences of a source with timed glosses that go over into one another (`stitch.splicing`), sample i
    a pure function of (seed, i); never stored.

    switch: how likely a sentence goes on as another of the same signer does, behind a gloss of both.
    longest: no further switch behind so many glosses. rounds: how often the source goes by.
    """

    spliced: Source
    switch: Annotated[float, Field(ge=0, le=1)] = 0.4
    longest: Annotated[int, Field(ge=1)] = 10
    rounds: Annotated[int, Field(ge=1)] = 1_000
    seed: Annotated[int, Field(ge=0)] = 0


class TextFile(Record):
    """A file of sentences: plain text, .tsv, .csv, .jsonl, also .gz or .zip; ``column`` names theirs."""

    path: str
    column: str = "text"


class Generated(Record):
    """Sentences that a template generator makes over the lexicon's words (``text.grammar``).

    count: how many, none twice. seed: which. names: first names too, to be spelled.
    paradigms: only these; none named means all. classes: a file of word classes instead of the
    list that is shipped.
    """

    count: Annotated[int, Field(ge=1)] = 1_000_000
    seed: Annotated[int, Field(ge=0)] = 0
    names: bool = False
    paradigms: tuple[str, ...] = ()
    classes: str | None = None


class Sentences(Later):
    """The sentences to stitch.

    files: texts to read; ``clauses`` cuts them at punctuation first.
    texts_of: a store, or "sim:SIZE" for the training texts of ``sim-sentences-v1``.
    coverage: least share of a sentence's words that the lexicon has a sign for.
    shortest, longest: words in a sentence.
    held_out, part: a share of the texts is kept apart ("held"), the rest is "kept";
        which side a text falls on depends on nothing but the text.
    one_word: how often each word of the lexicon stands as a sentence of its own.
    generated, stored: streams, which are never listed: made from templates, or a folder that
        "signloom vocabulary --write" wrote, already filtered. Of a stream every n-th sentence
        is held out, and coverage, clauses, shortest and longest do not apply.
    lengths_of: a text, a store, a folder of texts or "sim:SIZE" whose lengths (in words) the
        sentences are drawn to match, with replacement; one-word sentences come on top.
    """

    later: ClassVar[tuple[str, ...]] = ("generated", "stored", "lengths_of")

    files: tuple[TextFile, ...] = ()
    texts_of: str | None = None
    clauses: bool = False
    coverage: Annotated[float, Field(ge=0, le=1)] = 0.9
    shortest: int = 1
    longest: int = 1_000
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.0
    part: Literal["kept", "held"] = "kept"
    one_word: Annotated[int, Field(ge=0)] = 0
    generated: Generated | None = None
    stored: str | None = None
    lengths_of: TextFile | str | None = None


class FromLexicon(Later):
    """Sentences stitched from word clips, sample i a pure function of (seed, i); never stored.

    stitched: the lexicon: "sim:SIZE[:split]", a folder with an index.csv, or a store ("PATH:split").
    alone: each word clip is sampled and normalised alone, as in the paper (spec §1), and the
        sample counts as stitched. Off: the joined clip is treated as one that was signed,
        which is how a stitched file or a video of one sign reaches the model later.
    order: "swo", "rwo", or order rules with commas between (``text.order``).
    rounds: how often the sentences go by, each time with other clips of their words.
    trim: without the rest at both ends of each word clip. longest: seconds that a longer word
        clip is cut to. blend: seconds of a smooth transition at each seam. All off in the paper.
    """

    later: ClassVar[tuple[str, ...]] = ("trim", "longest", "blend")

    stitched: str
    sentences: Sentences
    order: str = "swo"
    alone: bool = True
    rounds: Annotated[int, Field(ge=1)] = 1_000
    seed: Annotated[int, Field(ge=0)] = 0
    trim: bool = False
    longest: Annotated[float | None, Field(gt=0)] = None
    blend: Annotated[float, Field(ge=0)] = 0.0

    @field_validator("order")
    @classmethod
    def _known_order(cls, value: str) -> str:
        try:
            return order_named(value).name
        except UsageError as error:
            raise ValueError(str(error)) from None


def _kind(value: Any) -> str | None:
    """Which source a mapping describes, by the key that only it has."""
    has = value.__contains__ if isinstance(value, Mapping) else lambda key: hasattr(value, key)
    return next((kind for kind in SOURCES if has(kind)), None)


Source = Annotated[
    Annotated[FromStore, Tag("store")]
    | Annotated[FromSimulator, Tag("simulated")]
    | Annotated[FromLexicon, Tag("stitched")]
    | Annotated[FromEpisodes, Tag("episodes")]
    | Annotated[FromTexts, Tag("texts")]
    | Annotated[FromMixed, Tag("mixed")]
    | Annotated[FromInstructed, Tag("instructed")]
    | Annotated[FromSpliced, Tag("spliced")],
    Discriminator(
        _kind,
        custom_error_type="source",
        custom_error_message="a source has one of the keys store, simulated, stitched, episodes, texts, "
        "mixed, instructed, spliced",
    ),
]


SOURCES: dict[str, type[Record]] = {
    "store": FromStore,
    "simulated": FromSimulator,
    "stitched": FromLexicon,
    "episodes": FromEpisodes,
    "texts": FromTexts,
    "mixed": FromMixed,
    "instructed": FromInstructed,
    "spliced": FromSpliced,
}
Share.model_rebuild()
FromMixed.model_rebuild()
FromInstructed.model_rebuild()
FromSpliced.model_rebuild()


@dataclass(frozen=True)
class Mixed:
    """Samples of several sources, in each hundred so many of each, spread evenly.

    Item i is a function of i; every source goes round as often as the mixture needs it.
    """

    sources: tuple[SampleSource, ...]
    percent: tuple[int, ...]

    def __len__(self) -> int:
        longest = max(len(s) / p for s, p in zip(self.sources, self.percent, strict=True))
        return 100 * max(1, round(longest))

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        block, place = divmod(index, 100)
        which, nth = self._slots[place]
        source = self.sources[which]
        return source[(block * self.percent[which] + nth) % len(source)]

    @property
    def _slots(self) -> tuple[tuple[int, int], ...]:
        """Of each place in a hundred: (which source, the how manieth of it)."""
        return _slots(self.percent)


@lru_cache(maxsize=64)
def _slots(percent: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    places = sorted(
        ((nth + 0.5) / share, which, nth)
        for which, share in enumerate(percent)
        for nth in range(share)
    )
    return tuple((which, nth) for _, which, nth in places)


@dataclass(frozen=True)
class Texts:
    """Sentences as samples, each with a clip of no frames."""

    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> Sample:
        nothing = PoseClip(
            np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), np.float32), 25.0, NO_KEYPOINTS
        )
        return Sample(f"text-{index}", nothing, text=self.texts[index])


@dataclass(frozen=True)
class Instructed:
    """Samples of a source with an instruction each, and the answer to it as their text."""

    source: SampleSource
    families: tuple[Ruled, ...]
    phrasings: Part
    rounds: int
    seed: int

    def __len__(self) -> int:
        return len(self.source) * self.rounds

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        sample = self.source[index % len(self.source)]
        rng = np.random.default_rng((self.seed, index))
        family = self.families[int(rng.integers(len(self.families)))]
        glosses = gloss_sentence(span.gloss for span in sample.glosses)
        answer = gold(family, sample.text, glosses, content_words)
        if not answer:
            family, answer = "translate", sample.text
        asked = PHRASINGS[family].part(self.phrasings)
        return replace(sample, text=answer, instruction=asked[int(rng.integers(len(asked)))])


@dataclass(frozen=True)
class Signed:
    """A stitched source whose samples are treated as signed ones."""

    source: SampleSource

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Sample:
        return replace(self.source[index], stitched=False)


@dataclass(frozen=True)
class First:
    """The first ``count`` samples of a source."""

    source: SampleSource
    count: int

    def __len__(self) -> int:
        return min(self.count, len(self.source))

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(f"sample {index} of {len(self)}")
        return self.source[index]


@dataclass(frozen=True)
class Chosen:
    """The samples of a source at the given places."""

    source: SampleSource
    places: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sample:
        return self.source[self.places[index]]


def located(path: str) -> str:
    """The path with ~ and $VARIABLES filled in. Raises UsageError where a variable is not set."""
    found = os.path.expanduser(os.path.expandvars(path))
    if "$" in found:
        raise UsageError(
            f"the path '{path}' names an environment variable that is not set; "
            "set it to the folder of your data, or write the path out with --set"
        )
    return found


def open_lexicon(name: str, layout: Layout = HOLISTIC) -> Lexicon:
    """The lexicon of that name: a folder with an index.csv (FOLDER or FOLDER:language), a store
    (STORE or STORE:split), or sim:SIZE[:split].

    layout: what a simulated lexicon draws. Raises UsageError where the name is none of these.
    """
    if name.startswith("sim:"):
        size, _, split = name.removeprefix("sim:").partition(":")
        return simulated_lexicon(size, split or "train", layout)
    name = located(name)
    if (Path(name) / INDEX).is_file():
        return folder_lexicon(name)
    folder, _, split = name.rpartition(":")
    if folder and (Path(folder) / INDEX).is_file():
        return folder_lexicon(folder, signed_language=split)
    if is_store(name):
        return store_lexicon(name, split=None)
    if folder and is_store(folder):
        return store_lexicon(folder, split=split)
    raise UsageError(
        f"'{name}' is no lexicon; expected a folder with an {INDEX}, a store of words made by "
        "'signloom prepare' (STORE or STORE:split), or sim:tiny, sim:small, sim:base"
    )


def open_source(source: Source, layout: Layout, prepare: PrepareWord | None) -> SampleSource:
    """The samples of a recipe's source.

    layout: what the simulator draws. prepare: done to each word clip alone before it is stitched;
        None leaves them as they are.
    """
    if isinstance(source, FromStore):
        return open_store(located(source.store), source.split, source.lips)
    if isinstance(source, FromSimulator):
        return _simulated(source, layout)
    if isinstance(source, FromEpisodes):
        return _episodes(source)
    if isinstance(source, FromTexts):
        return Texts(tuple(_sentences(source)))
    if isinstance(source, FromMixed):
        return Mixed(
            tuple(open_source(share.source, layout, prepare) for share in source.mixed),
            tuple(share.percent for share in source.mixed),
        )
    if isinstance(source, FromInstructed):
        inner = open_source(source.instructed, layout, prepare)
        return Instructed(inner, source.families, source.phrasings, source.rounds, source.seed)
    if isinstance(source, FromSpliced):
        inner = open_source(source.spliced, layout, prepare)
        return Spliced(inner, source.switch, source.longest, source.rounds, source.seed)
    lexicon = open_lexicon(source.stitched, layout)
    stitched = StitchedSentences(
        lexicon,
        sentences_of(source.sentences, lexicon),
        source.order,
        source.seed,
        source.rounds,
        prepare if source.alone else None,
        layout=layout,
        joining=Joining(source.trim, source.longest, source.blend),
    )
    return stitched if source.alone else Signed(stitched)


def _simulated(source: FromSimulator, layout: Layout) -> SimulatedWords | SimulatedSentences:
    kind = SimulatedWords if source.simulated == "words" else SimulatedSentences
    more = {"lips": True} if source.lips else {}
    return kind(source.size, source.split, layout, source.language, **more)


def _episodes(source: FromEpisodes) -> EpisodeWindows | EpisodeSentences:
    """Raises UsageError where the split of the list has no episode."""
    names = None
    if source.listed is not None:
        file = Path(located(source.listed))
        found = listed_episodes(file)
        names = frozenset(name for name, split in found if split == source.split)
        if not names:
            known = dict.fromkeys(split for _, split in found)
            raise UsageError(
                f"{file} lists no episode of split '{source.split}'; it has {', '.join(known)}"
            )
    moved = {name: at for name in ("lag", "jitter") if (at := getattr(source, name)) is not None}
    kind = EpisodeWindows if source.ask == "when" else EpisodeSentences
    said = (
        {
            "window": source.seconds,
            "spoken": located(source.spoken),
            "signed": located(source.signed),
        }
        if source.ask == "when"
        else {"times": located(source.signed)}
    )
    return kind(
        located(source.episodes),
        **said,
        **moved,
        seed=source.seed,
        rounds=source.rounds,
        lips=source.lips,
        names=names,
    )


def texts_of(source: Source, layout: Layout) -> list[str]:
    """The texts of a source, without reading or drawing a clip; of a longer one TEXTS, evenly spaced."""
    if isinstance(source, FromStore):
        return open_store(located(source.store), source.split).texts()
    if isinstance(source, FromSimulator):
        return _simulated(source, layout).texts()
    if isinstance(source, FromEpisodes):
        return _episodes(source).texts()
    if isinstance(source, FromTexts):
        return _sentences(source)
    if isinstance(source, FromMixed):
        return [text for share in source.mixed for text in texts_of(share.source, layout)]
    if isinstance(source, FromInstructed):
        return _answers(source, layout)
    if isinstance(source, FromSpliced):
        return texts_of(source.spliced, layout)
    found = sentences_of(source.sentences, open_lexicon(source.stitched, layout))
    return found if isinstance(found, list) else list(some_of(found, TEXTS))


def stores_of(source: Source) -> list[FromStore]:
    """The stores whose samples a source gives as they are; of sentences spliced from one, none."""
    if isinstance(source, FromStore):
        return [source]
    if isinstance(source, FromMixed):
        return [store for share in source.mixed for store in stores_of(share.source)]
    return stores_of(source.instructed) if isinstance(source, FromInstructed) else []


def signed_places(source: Source) -> frozenset[tuple[str, str]]:
    """Where the signing of a source comes from, as (folder or corpus, split; "" for all of it)."""
    if isinstance(source, FromStore):
        return frozenset([(located(source.store), source.split)])
    if isinstance(source, FromEpisodes):
        return frozenset([(located(source.episodes), source.split or "")])
    if isinstance(source, FromSimulator):
        corpus = f"sim-{source.simulated}-v1 {source.size}, language {source.language}"
        return frozenset([(corpus, source.split)])
    if isinstance(source, FromMixed):
        return frozenset().union(*(signed_places(share.source) for share in source.mixed))
    return signed_places(source.instructed) if isinstance(source, FromInstructed) else frozenset()


def signed_in(source: Source) -> frozenset[bool]:
    """Whether samples that may stand in one batch have signing: some may, and others not."""
    if isinstance(source, FromMixed):
        return frozenset().union(*(signed_in(share.source) for share in source.mixed))
    if isinstance(source, FromInstructed):
        return signed_in(source.instructed)
    return frozenset([not isinstance(source, FromTexts)])


def _sentences(source: FromTexts) -> list[str]:
    """The sentences of a source of texts. Raises UsageError where none is left."""
    read = [text for name in source.texts for text in corpus_texts(name, source.column)]
    kept = [text for text in read if source.shortest <= len(words_of(text)) <= source.longest]
    if not kept:
        raise UsageError(
            f"{', '.join(source.texts)}: none of {len(read)} sentences has {source.shortest} to "
            f"{source.longest} words; change 'shortest' and 'longest', or name other texts"
        )
    return kept


def _answers(source: FromInstructed, layout: Layout) -> list[str]:
    """Everything that may be answered, family after family, and everything that may be asked."""
    texts = texts_of(source.instructed, layout)
    part: Part = "wide" if source.phrasings == "wide" else "kept"
    found = [phrase for family in source.families for phrase in PHRASINGS[family].part(part)]
    for family in source.families:
        listed = glosses_of(source.instructed, layout) if family == "glosses" else texts
        found += [gold(family, text, text, content_words) for text in listed]
    return found


def glosses_of(source: Source, layout: Layout) -> list[str]:
    """The glosses of a source's samples, as `texts_of` gives their texts.

    Raises UsageError for a source that cannot list them.
    """
    if isinstance(source, FromStore):
        return open_store(located(source.store), source.split).glosses()
    if isinstance(source, FromSimulator):
        return _simulated(source, layout).glosses()
    if isinstance(source, FromTexts):
        return []
    if isinstance(source, FromMixed):
        return [text for share in source.mixed for text in glosses_of(share.source, layout)]
    if isinstance(source, FromSpliced):
        return glosses_of(source.spliced, layout)
    raise UsageError(
        "this method learns glosses, which stitched sentences and episodes do not list; train it on "
        "a store or on simulated sentences"
    )


def sentences_of(wanted: Sentences, lexicon: Lexicon) -> Sequence[str]:
    """The sentences to stitch, in a fixed order: one-word ones first, then the texts, then streams.

    A list, or a stream where a part of it is one. Raises UsageError where none is left.
    """
    words = one_word_sentences(lexicon.words) * (1 if _streams(wanted) else wanted.one_word)
    chosen: list[str] = []
    if wanted.files or wanted.texts_of:
        vocabulary = set(lexicon.words)
        texts = list(
            covered(_read(wanted), vocabulary, wanted.coverage, wanted.shortest, wanted.longest)
        )
        kept, held = held_out(texts, wanted.held_out)
        chosen = held if wanted.part == "held" else kept
    if not _streams(wanted):
        if not words and not chosen:
            raise UsageError(
                f"no sentence is left to stitch: lexicon '{lexicon.name}' covers none of the "
                f"texts at {wanted.coverage:.0%}; lower coverage, add files, or set one_word"
            )
        return [*words, *chosen]
    streams: list[Sequence[str]] = []
    if wanted.generated:
        streams.append(_generated(wanted.generated, lexicon))
    if wanted.stored:
        streams.append(StoredTexts(located(wanted.stored)))
    if wanted.held_out:
        streams = [Every(s, wanted.held_out, wanted.part == "held") for s in streams]
    elif wanted.part == "held":
        streams = []
    texts_: Sequence[str] = Chained(chosen, *streams)
    if wanted.lengths_of:
        texts_ = LengthMatched(texts_, _lengths(wanted.lengths_of))
    return Chained(Repeated(words, wanted.one_word), texts_)


def _streams(wanted: Sentences) -> bool:
    return bool(wanted.generated or wanted.stored or wanted.lengths_of)


def _generated(wanted: Generated, lexicon: Lexicon) -> GeneratedSentences:
    if wanted.names and not lexicon.letters:
        raise UsageError(
            f"names are spelled, and lexicon '{lexicon.name}' has no letters; set names to false"
        )
    return GeneratedSentences(
        sorted(lexicon.words),
        wanted.count,
        wanted.seed,
        read_classes(located(wanted.classes)) if wanted.classes else None,
        wanted.names,
        wanted.paradigms,
    )


def _lengths(target: TextFile | str) -> dict[int, int]:
    """How often the target corpus has a sentence of how many words."""
    if isinstance(target, TextFile):
        return lengths_of(read_sentences(located(target.path), target.column))
    return lengths_of(corpus_texts(target))


def corpus_texts(
    name: str, column: str = "text", split: str | None = None, glosses: bool = False
) -> Iterable[str]:
    """The sentences of a corpus by its name: a store, a folder of texts, "sim:SIZE", a file, or
    "instructions:wide" for what a model may be told.

    split: of a store, "train" where it is None. glosses: of a store or "sim:SIZE" its glosses instead.
    Raises UsageError, or MediaError for a file.
    """
    if name.startswith("instructions:"):
        if name != "instructions:wide" or glosses:
            raise UsageError(
                f"there are no {'glosses' if glosses else 'texts'} of '{name}'; expected instructions:wide, which "
                "has what a model may be told in English"
            )
        return [phrase for family in PHRASINGS.values() for phrase in family.part("wide")]
    if name.startswith("sim:"):
        size, _, part = name.removeprefix("sim:").partition(":")
        simulated = SimulatedSentences(size, split or part or "train")
        return simulated.glosses() if glosses else simulated.texts()
    path = located(name)
    if is_store(path):
        store = open_store(path, split or "train")
        return store.glosses() if glosses else store.texts()
    if is_texts(path):
        return StoredTexts(path)
    return read_sentences(path, column)


def _read(wanted: Sentences) -> Iterator[str]:
    read: list[Iterator[str] | Sequence[str]] = [
        read_sentences(located(file.path), file.column) for file in wanted.files
    ]
    if wanted.texts_of and wanted.texts_of.startswith("sim:"):
        read.append(SimulatedSentences(wanted.texts_of.removeprefix("sim:"), "train").texts())
    elif wanted.texts_of:
        read.append(open_store(located(wanted.texts_of), "train").texts())
    for texts in read:
        yield from clauses(texts) if wanted.clauses else texts
