"""Google's isolated ASL signs: 250 signs as Holistic keypoints in parquet files.

    train.csv                                       path,participant_id,sequence_id,sign
    train_landmark_files/PARTICIPANT/SEQUENCE.parquet
        frame,row_id,type,landmark_index,x,y,z      543 rows a frame

x and y are in units of the picture's width and height (its format is not
known), missing points are null. A frame number that is skipped is a frame in which
nothing was seen. The files name no rate.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from functools import partial
from pathlib import Path

import numpy as np

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.tables import first_that_is, inside, read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HOLISTIC543
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest
from signloom.text.clean import clean

NEEDED = ("path", "participant_id", "sequence_id", "sign")
TYPES = {"pose": (0, 33), "face": (33, 468), "left_hand": (501, 21), "right_hand": (522, 21)}
"""type → where it begins in ``holistic543``, and how many points it has."""

FPS = 30.0
MOST_FRAMES = 100_000


def gislr(
    root: str | os.PathLike[str], dev_signers: Collection[str] = (), fps: float = FPS
) -> Corpus:
    """The signs, all in split train: the corpus publishes no other with labels.

    dev_signers: participants whose clips make a split dev.
    fps: the rate, which the files do not name [D: 30].

    Raises MediaError where train.csv is missing or a row is wrong, UsageError for an
    unknown participant.
    """
    folder = Path(root)
    table = first_that_is(folder, ("train.csv",), "list of signs")
    rows = read_table(table, NEEDED, delimiter=",", quoted=True)
    signers = list(dict.fromkeys(row["participant_id"] for _, row in rows))
    for signer in dev_signers:
        if signer not in signers:
            raise UsageError(
                f"{table} has no participant '{signer}'{nearest(signer, signers)}; "
                f"it has {', '.join(signers[:30])}"
            )
    listed: list[Entry | LeftOut] = []
    for line, row in rows:
        path = folder / inside(f"{table}, line {line}", row["path"])
        split = "dev" if row["participant_id"] in dev_signers else "train"
        name = f"{row['participant_id']}-{row['sequence_id']}"
        if not path.is_file():
            listed.append(LeftOut(name, split, f"no {row['path']}"))
            continue
        word = clean(row["sign"], lower=True)
        signer = row["participant_id"]
        listed.append(Entry(path, word, split, name, (GlossSpan(word),), None, signer, "ase"))
    return corpus_of("gislr", listed, partial(read_parquet, fps=fps), HOLISTIC543, language="ase")


def read_parquet(
    path: str | os.PathLike[str], span: Span | None = None, fps: float = FPS
) -> PoseClip:
    """The clip in a parquet file of landmarks (layout ``holistic543``). Raises MediaError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ["frame", "type", "landmark_index", "x", "y", "z"]
    try:
        table = pq.ParquetFile(path).read(columns)
        frame, landmark = (
            table[name].to_numpy().astype(np.int64) for name in ("frame", "landmark_index")
        )
        kinds = table["type"].combine_chunks().dictionary_encode()
        xyz = np.stack([table[axis].to_numpy().astype(np.float32) for axis in "xyz"], axis=1)
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError) as error:
        raise MediaError(
            f"{path} cannot be read as landmarks ({' '.join(str(error).split())[:200]}); expected "
            f"a parquet file with {', '.join(columns)}"
        ) from None
    names = kinds.dictionary.to_pylist()
    if not len(frame) or not set(names) <= set(TYPES):
        raise MediaError(
            f"{path} has landmarks of type {', '.join(map(str, names)) or 'none'}; "
            f"expected rows of {', '.join(TYPES)}"
        )
    of = kinds.indices.to_numpy()
    begins, counts = (np.array([TYPES[name][i] for name in names])[of] for i in (0, 1))
    frame = frame - frame.min()
    if (landmark < 0).any() or (landmark >= counts).any() or frame.max() >= MOST_FRAMES:
        raise MediaError(
            f"{path} has a landmark_index or a frame out of range; expected up to 468 points of a "
            f"type and fewer than {MOST_FRAMES:,} frames; copy the file again"
        )
    points = np.zeros((int(frame.max()) + 1, len(HOLISTIC543), 3), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    points[frame, begins + landmark] = np.nan_to_num(xyz, posinf=0, neginf=0)
    confidence[frame, begins + landmark] = np.isfinite(xyz).all(axis=1)
    clip = PoseClip(
        points,
        confidence,
        fps,
        HOLISTIC543,
        Path(path).stem,
        Origin("mediapipe-holistic", "", {"corpus": "gislr", "units": "picture"}),
    )
    return clip if span is None else clip.cut(span)
