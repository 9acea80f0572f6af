"""RWTH-BOSTON-104: continuous American Sign Language (Dreuw et al. 2007), as hand positions.

    hands.csv          video,frame,left-x,left-y,right-x,right-y,nose-x,nose-y    (pixels)
    train_words.csv    video,speaker,word,startframe,endframe
    speaker.csv        video,speaker

The 161 training sentences, a clip each: the centres of the signer's left and right hand and the
tip of the nose (``data.layouts.BOSTON3``), annotated by hand in every frame, and the words with the
first and the last of their frames. The corpus's page gives 30 frames a second and pictures of
312 × 242; the copy's README, that ends are inclusive and left is the signer's. There is no
English. The 40 test sentences are not in these files, so the corpus is cut into
four folds by a hash of the glosses: sentences that are equal lie in one fold, signers in all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.tables import number, read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import BOSTON3
from signloom.data.sample import GlossSpan, gloss_sentence
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError

HANDS, WORDS, SPEAKERS = "hands.csv", "train_words.csv", "speaker.csv"
AXES = ("left-x", "left-y", "right-x", "right-y", "nose-x", "nose-y")
FOLDS = 4
FPS = 30.0
SIZE = (312, 242)
MOST_FRAMES = 100_000
ORIGIN = Origin("annotated", "", {"corpus": "rwth-boston-104"})


def boston104(
    root: str | os.PathLike[str], fold: int | None = None, split: str | None = None
) -> Corpus:
    """The sentences in splits fold-1 to fold-4; with ``fold``, that one as dev, the rest as train;
    with ``split``, all of them in that one.

    Raises MediaError where a file is missing or a row is wrong, naming it; UsageError for
    an unknown fold, or for a fold and a split.
    """
    if fold is not None and split is not None:
        raise UsageError(
            f"fold {fold} makes splits of its own, so split '{split}' cannot be had; give one of the two"
        )
    if fold is not None and not 1 <= fold <= FOLDS:
        raise UsageError(f"there is no fold {fold}; choose one of 1 to {FOLDS}")
    folder = Path(root)
    frames = {video: len(track) for video, track in _tracks(folder / HANDS).items()}
    speakers = {
        row["video"]: row["speaker"]
        for _, row in read_table(folder / SPEAKERS, ("video", "speaker"), ",")
    }
    listed: list[Entry | LeftOut] = []
    for video, glosses in _sentences(folder / WORDS, frames).items():
        its_fold = fold_of(gloss.gloss for gloss in glosses)
        its_split = split or f"fold-{its_fold}"
        if fold is not None:
            its_split = "dev" if its_fold == fold else "train"
        if video not in frames:
            listed.append(LeftOut(video, its_split, f"no frames in {HANDS}"))
            continue
        listed.append(
            Entry(
                path=folder / f"{HANDS}@{video}",
                text="",
                split=its_split,
                id=video,
                glosses=tuple(glosses),
                signer=speakers.get(video, ""),
                language="ase",
            )
        )
    return corpus_of("boston104", listed, read_track, BOSTON3, language="ase")


def fold_of(glosses: Iterable[str]) -> int:
    """The fold of a sentence: 1 and the last byte of its SHA-256 mod 4, spaces between glosses."""
    digest = hashlib.sha256(gloss_sentence(glosses).encode()).digest()
    return digest[-1] % FOLDS + 1


def read_track(path: Path, span: Span | None = None) -> PoseClip:
    """The clip of a video, ``path`` being FOLDER/hands.csv@VIDEO. Raises MediaError."""
    name, _, video = path.name.partition("@")
    track = _tracks(path.with_name(name))[video]
    points = np.zeros((*track.shape[:2], 3), np.float32)
    points[:, :, :2] = np.nan_to_num(track)
    seen = np.isfinite(track).all(axis=2)
    clip = PoseClip(points, np.asarray(seen, np.float32), FPS, BOSTON3, video, ORIGIN, SIZE)
    return clip if span is None else clip.cut(span)


@lru_cache(maxsize=1)
def _tracks(file: Path) -> dict[str, NDArray[np.float32]]:
    """Video → (frames, 3, 2), NaN in a frame that has no row."""
    rows: dict[str, dict[int, list[float]]] = {}
    for line, row in read_table(file, ("video", "frame", *AXES), ","):
        where = f"{file}, line {line}"
        at = number(where, row, "frame")
        if not (at.is_integer() and 0 <= at < MOST_FRAMES):
            raise MediaError(
                f"{where}: frame is '{row['frame']}', expected a whole number from 0 to "
                f"{MOST_FRAMES - 1:,}; correct it"
            )
        rows.setdefault(row["video"], {})[int(at)] = [number(where, row, axis) for axis in AXES]
    tracks = {}
    for video, positions in rows.items():
        track = np.full((max(positions) + 1, len(AXES)), np.nan, np.float32)
        track[list(positions)] = list(positions.values())
        tracks[video] = track.reshape(-1, 3, 2)
    return tracks


def _sentences(file: Path, frames: dict[str, int]) -> dict[str, list[GlossSpan]]:
    """Video → its words in the order of the file."""
    sentences: dict[str, list[GlossSpan]] = {}
    for line, row in read_table(file, ("video", "word", "startframe", "endframe"), ","):
        where = f"{file}, line {line}"
        first, last = (number(where, row, column) for column in ("startframe", "endframe"))
        if not 0 <= first <= last < frames.get(row["video"], MOST_FRAMES):
            raise MediaError(
                f"{where}: the word runs from frame {first:g} to {last:g}, but video "
                f"{row['video']} has {frames.get(row['video'], MOST_FRAMES)} frames; correct it"
            )
        span = Span(first / FPS, (last + 1) / FPS)
        sentences.setdefault(row["video"], []).append(GlossSpan(row["word"], span))
    return sentences
