"""A store of one-word samples as a lexicon: its texts are the words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from signloom.corpora.store import open_store
from signloom.data.clip import PoseClip
from signloom.data.lexicon import Lexicon
from signloom.data.sample import SampleSource
from signloom.errors import UsageError


class _Words:
    """Reads the n-th sample of a word; pickles as the source and the positions."""

    def __init__(self, source: SampleSource, samples: dict[str, Sequence[int]]) -> None:
        self.source, self.samples = source, samples

    def read(self, word: str, n: int) -> PoseClip:
        return self.source[self.samples[word][n]].clip


def store_lexicon(path: str | os.PathLike[str], split: str | None = "train") -> Lexicon:
    """The lexicon of a store, every text of ``split`` (None: of all splits) being a word.

    The words are lower case, in the order in which the store first has them.

    Raises MediaError where the folder is no store, UsageError for an unknown
    split or where most texts are sentences.
    """
    store = open_store(path, split)
    samples: dict[str, list[int]] = {}
    for index, text in enumerate(store.texts()):
        samples.setdefault(text.strip().lower(), []).append(index)
    samples.pop("", None)
    long = [word for word in samples if len(word.split()) > 4]
    if not samples or len(long) > len(samples) / 2:
        raise UsageError(
            f"the store {path} holds sentences ('{(long or [''])[0][:60]}'), expected words; "
            "a lexicon is a store with one sign a sample, such as 'signloom prepare wlasl-hands' makes"
        )
    return Lexicon(
        name=f"{Path(path).name}/{split or 'all'}",
        language=store[0].language,
        words={word: len(at) for word, at in samples.items()},
        read=_Words(store, dict(samples)).read,
    )
