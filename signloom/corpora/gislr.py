"""Google's isolated ASL signs: 250 signs as Holistic keypoints, in parquet files or packed.

    train.csv                                       path,participant_id,sequence_id,sign
    train_landmark_files/PARTICIPANT/SEQUENCE.parquet
        frame,row_id,type,landmark_index,x,y,z      543 rows a frame

Packed, all clips in one array, of the points that were chosen:

    index.csv                   the same columns, n_frames and offset
    landmarks_xy_f16.npz        'xy' float16 (frames, points, 2), NaN = missing; 'point_names':
                                face_61, left_hand_0, pose_11, right_hand_20, …
    raw_parquet/SEQUENCE.parquet    (optional) some of the files as they were

x and y are in units of the picture's width and height (its format is not
known), missing points are null. A frame number that is skipped is a frame in which
nothing was seen. The files name no rate.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.corpora.arrays import read_arrays
from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.tables import first_that_is, inside, number, read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import BODY_EDGES, HAND_EDGES, HOLISTIC543, Layout, layout_of
from signloom.data.names import BODY, BODY_POINTS, FACE, FACE_POINTS, HAND_POINTS, LEFT, RIGHT
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError, nearest
from signloom.text.clean import clean

NEEDED = ("path", "participant_id", "sequence_id", "sign")
TYPES = {"pose": (0, 33), "face": (33, 468), "left_hand": (501, 21), "right_hand": (522, 21)}
"""type → where it begins in ``holistic543``, and how many points it has."""

POINTS = {
    "pose": (BODY, BODY_POINTS, BODY_EDGES),
    "face": (FACE, FACE_POINTS, ()),
    "left_hand": (LEFT, HAND_POINTS, HAND_EDGES),
    "right_hand": (RIGHT, HAND_POINTS, HAND_EDGES),
}
"""type → component, the names of its points, and which to join."""

TABLES = ("train.csv", "index.csv")
PACKED = "landmarks_xy_f16.npz"
FPS = 30.0
MOST_FRAMES = 100_000
ORIGIN = Origin("mediapipe-holistic", "", {"corpus": "gislr", "units": "picture"})


def gislr(
    root: str | os.PathLike[str],
    dev_signers: Collection[str] = (),
    fps: float = FPS,
    raw: bool = False,
) -> Corpus:
    """The signs, all in split train: the corpus publishes no other with labels.

    dev_signers: participants whose clips make a split dev.
    fps: the rate, which the files do not name [D: 30].
    raw: read parquet files also where the folder has the packed points.

    Raises MediaError where the list is missing or a row is wrong, UsageError for an
    unknown participant.
    """
    folder = Path(root)
    table = first_that_is(folder, TABLES, "list of signs")
    rows = read_table(table, NEEDED, delimiter=",", quoted=True)
    signers = list(dict.fromkeys(row["participant_id"] for _, row in rows))
    for signer in dev_signers:
        if signer not in signers:
            raise UsageError(
                f"{table} has no participant '{signer}'{nearest(signer, signers)}; "
                f"it has {', '.join(signers[:30])}"
            )
    packed = folder / PACKED if (folder / PACKED).is_file() and not raw else None
    total = len(_packed(packed)[0]) if packed else 0
    listed: list[Entry | LeftOut] = []
    for line, row in rows:
        where = f"{table}, line {line}"
        split = "dev" if row["participant_id"] in dev_signers else "train"
        name = f"{row['participant_id']}-{row['sequence_id']}"
        word = clean(row["sign"], lower=True)
        signer = row["participant_id"]
        span = None
        if packed:
            path: Path | None = packed
            span = _stretch(where, row, total, packed, fps)
        else:
            path = _parquet(folder, inside(where, row["path"]))
        if path is None:
            listed.append(LeftOut(name, split, f"no {row['path']}"))
            continue
        listed.append(Entry(path, word, split, name, (GlossSpan(word),), span, signer, "ase"))
    read = partial(read_packed if packed else read_parquet, fps=fps)
    layout = _packed(packed)[1] if packed else HOLISTIC543
    return corpus_of("gislr", listed, read, layout, language="ase")


def _parquet(folder: Path, path: str) -> Path | None:
    found = (folder / path, folder / "raw_parquet" / Path(path).name)
    return next((file for file in found if file.is_file()), None)


def _stretch(where: str, row: dict[str, str], total: int, file: Path, fps: float) -> Span:
    """Which frames of the packed array a row names, in seconds. Raises MediaError."""
    if not {"offset", "n_frames"} <= row.keys():
        raise MediaError(
            f"{where}: no offset or n_frames, expected both beside {file.name}; take both files "
            "from the same copy, or read the parquet files with --raw"
        )
    first, frames = (int(number(where, row, column)) for column in ("offset", "n_frames"))
    if first < 0 or frames < 1 or first + frames > total:
        raise MediaError(
            f"{where}: {frames} frames from {first} on, but {file} has {total}; "
            "take both files from the same copy"
        )
    return Span.of_frames(first, first + frames, fps)


def read_packed(path: Path, span: Span | None = None, fps: float = FPS) -> PoseClip:
    """The clip that is a stretch (seconds at ``fps``) of the packed points. Raises MediaError."""
    xy, layout = _packed(path)
    first, last = (0, len(xy)) if span is None else span.frames(fps, total=len(xy))
    points = np.zeros((last - first, len(layout), 3), np.float32)
    points[:, :, :2] = np.nan_to_num(xy[first:last], posinf=0, neginf=0)
    confidence = np.zeros(points.shape[:2], np.float32)
    confidence[np.isfinite(xy[first:last]).all(axis=2)] = 1
    return PoseClip(points, confidence, fps, layout, origin=ORIGIN)


@lru_cache(maxsize=1)
def _packed(file: Path) -> tuple[NDArray[np.float16], Layout]:
    held = read_arrays(file, ("xy", "point_names"), "landmarks")
    xy, names = held["xy"], [str(name) for name in held["point_names"].flat]
    try:
        layout = _layout(names)
    except ValueError as error:
        raise MediaError(
            f"{file} cannot be read as landmarks ({error}); expected 'xy' and 'point_names', "
            "as in face_61, left_hand_0, pose_11"
        ) from None
    if xy.dtype.kind != "f" or xy.ndim != 3 or xy.shape[1:] != (len(names), 2):
        raise MediaError(
            f"{file} has {xy.dtype} of shape {xy.shape}, expected floats (frames, {len(names)}, 2) for its "
            f"{len(names)} point_names; copy the file again"
        )
    return xy, layout


def _layout(names: list[str]) -> Layout:
    """The layout of points called TYPE_NUMBER. Raises ValueError for another name."""
    components = []
    for kind, run in groupby(names, key=lambda name: name.rpartition("_")[0]):
        numbers = [int(name.rpartition("_")[2]) for name in run]
        if kind not in POINTS or not all(0 <= n < len(POINTS[kind][1]) for n in numbers):
            raise ValueError(f"a point is called '{kind}_{numbers[0]}'")
        component, points, edges = POINTS[kind]
        at = {n: i for i, n in enumerate(numbers)}
        pairs = [(at[a], at[b]) for a, b in edges if a in at and b in at]
        components.append((component, [points[n] for n in numbers], pairs))
    return replace(layout_of(components, "none"), name=f"gislr{len(names)}")


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
        ORIGIN,
    )
    return clip if span is None else clip.cut(span)
