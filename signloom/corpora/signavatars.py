"""SignAvatars: sentences of How2Sign and words of WLASL as fitted SMPL-X bodies (Yu et al. 2024), joints in space.

    …/NAME.pkl                                'smplx' (frames, 182), the parameters of
                                              ``pose.motion623.forward``; 'total_valid_index' (frames,), each
                                              row's frame of the video; 'left_valid', 'right_valid'
                                              (frames,), whether that hand was found; more is not read
    …/how2sign_realigned_{train,val,test}.csv sentences: SENTENCE_NAME is the NAME, SENTENCE the text
    …/WLASL_v0.3.json                         words: video_id is the NAME

A folder with neither has clips alone, split train, which is enough for a tokenizer. The pickles are read
without trust (`corpora.pickled`), so they must hold arrays or torch's tensors. Rows
without 'total_valid_index' follow one another; hands without their flags count as found. The
files name no rate: 24 fps [I: the corpus's own viewer].

For research; of How2Sign CC BY-NC 4.0, of WLASL C-UDA. https://signavatars.github.io
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.how2sign import SPLITS as TABLES
from signloom.corpora.how2sign import signer_of
from signloom.corpora.pickled import read_pickle
from signloom.corpora.smplx_files import fitted, numbers
from signloom.corpora.tables import inside, read_json, read_table
from signloom.data.clip import PoseClip
from signloom.data.layouts import SMPLX57
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.text.clean import clean

FPS = 24.0
PARAMETERS, INDEX, HANDS = "smplx", "total_valid_index", ("left_valid", "right_valid")
LIST = "WLASL_v0.3.json"


def signavatars(root: str | os.PathLike[str], fps: float = FPS) -> Corpus:
    """What tables below ``root`` list of its clips; all of its clips where there is no table.

    Raises MediaError where there is no clip, or a table is wrong, naming it.
    """
    folder = Path(root)
    clips = {file.stem: file for file in sorted(folder.rglob("*.pkl"))}
    if not clips:
        raise MediaError(
            f"{folder} has no .pkl below it; give the folder of SignAvatars' annotations, unpacked"
        )
    listed = [*_sentences(folder, clips), *_words(folder, clips)]
    if not listed:
        listed = [Entry(file, "", "train", name, language="") for name, file in clips.items()]
    return corpus_of(
        "signavatars",
        listed,
        partial(read_fits, fps=fps),
        SMPLX57,
        licence="SignAvatars: research; How2Sign: CC BY-NC 4.0; WLASL: C-UDA",
    )


def _sentences(folder: Path, clips: Mapping[str, Path]) -> Iterator[Entry | LeftOut]:
    for split in TABLES:
        for table in sorted(folder.rglob(f"how2sign_realigned_{split}.csv")):
            for line, row in read_table(table, ("SENTENCE_NAME", "SENTENCE"), quoted=True):
                name = inside(f"{table}, line {line}", row["SENTENCE_NAME"])
                if name not in clips:
                    yield LeftOut(name, split, f"no {name}.pkl")
                    continue
                yield Entry(
                    clips[name],
                    clean(row["SENTENCE"]),
                    split,
                    name,
                    signer=signer_of(name),
                    language="ase",
                )


def _words(folder: Path, clips: Mapping[str, Path]) -> Iterator[Entry | LeftOut]:
    for file in sorted(folder.rglob(LIST)):
        try:
            found = [
                (clean(word["gloss"], lower=True), str(i["video_id"]), str(i["split"]))
                for word in read_json(file)
                for i in word["instances"]
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise MediaError(
                f"{file} is no list of words ({type(error).__name__}: {error}); expected {LIST} as published"
            ) from None
        for gloss, video, split in found:
            name = inside(str(file), video)
            if name in clips:
                yield Entry(clips[name], gloss, split, name, (GlossSpan(gloss),), language="ase")
            else:
                yield LeftOut(name, split, f"no {name}.pkl")


def read_fits(path: Path, span: Span | None = None, fps: float = FPS) -> PoseClip:
    """The clip of a pickle, frames that were not fitted put back without points. Raises MediaError."""
    held = read_pickle(path)
    try:
        if not isinstance(held, dict) or PARAMETERS not in held:
            raise UsageError(f"it holds no '{PARAMETERS}'")
        fits = numbers(held, PARAMETERS)
        at = numbers(held, INDEX) if INDEX in held else np.arange(len(fits))
        valid = [numbers(held, hand) if hand in held else np.ones(len(fits)) for hand in HANDS]
        if any(each.shape != (len(fits),) for each in (at, *valid)):
            raise UsageError(f"'{INDEX}' or a hand's flags are not one of each of {len(fits)} rows")
        clip = fitted(fits, at.astype(np.int64), np.stack(valid, 1) > 0, fps, "signavatars")
    except (UsageError, ValueError) as error:
        raise MediaError(
            f"{path} holds no fits: {error}; expected a dict with '{PARAMETERS}' (frames, 182)"
        ) from None
    return clip if span is None else clip.cut(span)
