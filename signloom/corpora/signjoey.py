"""Frame features as signjoey has them: the pickles of Neural Sign Language Translation (Camgöz et al. 2020).

    phoenix14t.pami0.train, .dev, .test       a list, packed with gzip or not:
        {name, signer, gloss, text, sign}     sign: (frames, width), a tensor of torch's or an array

Any file whose name has train, dev, val or test between dots, dashes or underscores is that split;
How2Sign's features are published in the same form. Files as in the loaders of signjoey [R:SLT], of
which these facts alone are taken. They name no rate: PHOENIX-2014T has 25 fps.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.pickled import read_pickle
from signloom.data.clip import Origin, PoseClip
from signloom.data.features import features_clip
from signloom.data.layouts import features_layout
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError
from signloom.text.clean import clean

SPLITS = ("train", "dev", "val", "test")
FIELDS = ("name", "sign", "text")
FPS = 25.0
ORIGIN = Origin("features", "", {"corpus": "signjoey"})


def signjoey(root: str | os.PathLike[str], fps: float = FPS, language: str = "gsg") -> Corpus:
    """The sentences of a folder of feature pickles, in the splits that their names tell.

    fps: the rate. language: signed (ISO 639-3).

    A file is read whole and kept in memory with the corpus. Raises MediaError where there is no
    such file, or one holds something else; a clip whose features are no (frames, width) as
    the first one's is left out when it is read.
    """
    files = {file: split for file in sorted(Path(root).glob("*")) if (split := _split(file))}
    if not files:
        raise MediaError(
            f"{root} has no file whose name says train, dev, val or test, such as "
            "phoenix14t.pami0.train; give the folder of the feature pickles"
        )
    listed: list[Entry | LeftOut] = []
    clips: dict[Path, Any] = {}
    for file, split in files.items():
        for at, sample in enumerate(_samples(file)):
            name = str(sample["name"])
            path = file / str(at)
            clips[path] = sample["sign"]
            listed.append(
                Entry(
                    path=path,
                    text=clean(_told(sample, "text")),
                    split=split,
                    id=name,
                    glosses=tuple(map(GlossSpan, _told(sample, "gloss").split())),
                    signer=_told(sample, "signer"),
                    language=language,
                )
            )
    widths = [
        v.shape[1] for v in clips.values() if isinstance(v, np.ndarray) and v.ndim == 2 and v.size
    ]
    if not widths:
        raise MediaError(
            f"{root}: none of {len(clips)} samples has features (frames, width) under 'sign'; give "
            "pickles of frame features"
        )
    layout = features_layout(widths[0])
    read = partial(_clip, clips, fps, widths[0])
    return corpus_of("signjoey", listed, read, layout, language=language, features=widths[0])


def _told(sample: Mapping[str, Any], field: str) -> str:
    """What a sample says of itself; "" where it says nothing, or None."""
    said = sample.get(field)
    return "" if said is None else str(said)


def _split(file: Path) -> str:
    """The split that a file's name tells, "" for none."""
    words = re.split(r"[._-]", file.name.lower())
    return next((split for split in SPLITS if split in words), "")


def _samples(file: Path) -> list[dict[str, Any]]:
    """Raises MediaError where the file holds no list of samples."""
    found = read_pickle(file)
    right = isinstance(found, list) and all(
        isinstance(each, dict) and set(FIELDS) <= set(each) for each in found
    )
    if not right or not found:
        got = type(found).__name__ if not isinstance(found, list) else f"a list of {len(found)}"
        raise MediaError(
            f"{file} holds {got}, expected a list of dicts with {', '.join(FIELDS)}; give the "
            "pickles that signjoey reads"
        )
    return list(found)


def _clip(
    clips: Mapping[Path, Any], fps: float, width: int, path: Path, span: Span | None = None
) -> PoseClip:
    """The clip at ``path``, which is FILE/PLACE. Raises MediaError."""
    numbers = clips[path]
    shape = getattr(numbers, "shape", None)
    if not shape or len(shape) != 2 or not shape[0] or shape[1] != width:
        raise MediaError(
            f"{path.parent}, sample {path.name}: features of shape {shape}, expected (frames, "
            f"{width}) with at least one frame, as in the first; copy the file again"
        )
    try:
        clip = features_clip(np.asarray(numbers, np.float32), fps, origin=ORIGIN)
    except ValueError as error:
        raise MediaError(
            f"{path.parent}, sample {path.name}: {error}; copy the file again"
        ) from None
    return clip if span is None else clip.cut(span)
