"""Progressive Transformers' text files: 50 joints in 3-D, a clip a line (Saunders et al. 2020).

    {train,dev,test}.skels    151 floats a frame, one frame after another: 50 joints × (x, y, z),
                              then a counter that runs from 0 towards 1
    {train,dev,test}.text, .gloss, .files    the same lines: text, glosses, name

The joints are named in ``data.layouts.SKELS50``. In the files, x points to the
right of the picture, y down and z toward the camera; z is turned round here, so
that it points away as in every clip. Which hand is which was read from the data:
the hand on the picture's left is the one that signs alone (a signer's right).
Every joint counts as seen. The files name no rate; PHOENIX-2014T, of which
the published ones are made, has 25 fps.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import numpy as np

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.tables import read_lines
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import SKELS50
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError
from signloom.text.clean import clean

SPLITS = ("train", "dev", "test")
FLOATS = 3 * len(SKELS50) + 1
FPS = 25.0


def skels(root: str | os.PathLike[str], fps: float = FPS, language: str = "gsg") -> Corpus:
    """The clips of the three splits, as far as they are there.

    Raises MediaError where there is no .skels file, or its companions have other lengths.
    """
    folder = Path(root)
    splits = [split for split in SPLITS if (folder / f"{split}.skels").is_file()]
    if not splits:
        raise MediaError(f"{folder} has no train.skels, dev.skels or test.skels; give their folder")
    listed: list[Entry | LeftOut] = []
    for split in splits:
        file = folder / f"{split}.skels"
        begins = line_starts(file)
        lines = {kind: _companion(file, kind, len(begins)) for kind in ("text", "gloss", "files")}
        for n, begin in enumerate(begins):
            name = lines["files"][n].strip() or f"{split}-{n}"
            listed.append(
                Entry(
                    path=file.with_name(f"{file.name}@{begin}"),
                    text=clean(lines["text"][n]),
                    split=split,
                    id=name,
                    glosses=tuple(GlossSpan(gloss) for gloss in lines["gloss"][n].split()),
                    language=language,
                )
            )
    return corpus_of("skels", listed, partial(read_skels, fps=fps), SKELS50, language=language)


def line_starts(file: Path) -> list[int]:
    """The byte at which each line of a file begins."""
    begins, at = [], 0
    with open(file, "rb") as lines:
        for line in lines:
            if line.strip():
                begins.append(at)
            at += len(line)
    return begins


def read_skels(path: Path, span: Span | None = None, fps: float = FPS) -> PoseClip:
    """The clip in the line that begins at byte N of a file, ``path`` being FILE@N. Raises MediaError."""
    name, _, begin = path.name.rpartition("@")
    file = path.with_name(name)
    try:
        with open(file, "rb") as lines:
            lines.seek(int(begin))
            with np.errstate(over="ignore"):
                values = np.array(lines.readline().split(), np.float64).astype(np.float32)
    except (OSError, ValueError) as error:
        raise MediaError(f"{file}, byte {begin}: {error}; expected a line of numbers") from None
    if not len(values) or len(values) % FLOATS:
        raise MediaError(
            f"{file}, byte {begin}: the line has {len(values)} numbers, expected a multiple of "
            f"{FLOATS} (50 joints and a counter a frame); copy the file again"
        )
    frames = values.reshape(-1, FLOATS)
    counter = frames[:, -1]
    if not ((counter >= 0).all() and (counter <= 1).all() and (np.diff(counter) >= 0).all()):
        raise MediaError(
            f"{file}, byte {begin}: every {FLOATS}th number should be a counter that rises from 0 "
            "to 1, and is not; give a file with 50 joints in x, y and z"
        )
    points = frames[:, :-1].reshape(len(frames), -1, 3) * np.array([1, 1, -1], np.float32)
    clip = PoseClip(
        points,
        np.ones(points.shape[:2], np.float32),
        fps,
        SKELS50,
        origin=Origin("skels", "", {"depth": "lifted from OpenPose"}),
    )
    return clip if span is None else clip.cut(span)


def _companion(file: Path, kind: str, count: int) -> list[str]:
    """The lines of .text, .gloss or .files; empty ones where the file is not there."""
    beside = file.with_suffix(f".{kind}")
    if not beside.is_file():
        return [""] * count
    lines = read_lines(beside)
    if len(lines) != count:
        raise MediaError(
            f"{beside} has {len(lines)} lines, but {file.name} has {count} clips; "
            "expected one for each; copy both files again"
        )
    return lines
