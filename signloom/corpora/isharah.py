"""Isharah: continuous Saudi Sign Language, glosses in Arabic (Alyami et al. 2025).

    pose_data_isharah1000_hands_lips_body*.pkl    {id: {'keypoints': (frames, 86, 2 or more)}}
    pose_data_isharah1000_{SI,US}_test.pkl        the same for the test clips of a task
    {SI,US}/{train,dev,test}.txt or .csv, SI_test.txt, …    id|gloss, also id|gloss|text

The tables are looked for in the folder, its ``annotations`` and ``annotations_v2``. The 86 points
are ``data.layouts.ISHARAH86``; a point at (0, 0) was not found. Glosses stay in logical order, as
they are written, but for marks of direction, which nobody sees. The signer is what an id begins
with (02_0001 is signer 02); test clips that are only numbered name none, and their glosses are not
published. Files and points as in the corpus's starter kit (Pose86K-CSLR-Isharah), of which these
facts alone are taken [R:P86].
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of
from signloom.corpora.pickled import read_pickle
from signloom.corpora.tables import inside, read_table
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import ISHARAH86
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError
from signloom.text.clean import clean

Task = Literal["SI", "US"]
"""Signer-independent, or unseen sentences."""

SPLITS = ("train", "dev", "test")
FPS = 30.0
ORIGIN = Origin("mediapipe-holistic", "", {"corpus": "isharah"})


def isharah(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    task: Task = "SI",
    fps: float = FPS,
) -> Corpus:
    """The sentences of a task in its published splits train, dev and test, where they are there.

    poses: a pickle or their folder; otherwise ``root`` and ``root/data``.
    fps: the rate, which the files do not name and which phones vary [D: 30].

    The pickles are read whole, once, and are kept in memory with the corpus. Raises MediaError
    where there is no table or pickle, or one holds something else.
    """
    folder = Path(root)
    tables = _tables(folder, task)
    places = [folder, folder / "data"] if poses is None else [Path(poses)]
    found: dict[str, tuple[Path, Any]] = {}
    found_of_test: dict[str, tuple[Path, Any]] = {}
    for file in _pickles(places, task):
        of_test = file.stem.endswith("_test")
        (found_of_test if of_test else found).update(_read(file))
    listed: list[Entry | LeftOut] = []
    clips: dict[Path, Any] = {}
    for split, table in tables.items():
        held = found_of_test or found if split == "test" else found
        needed = ("id",) if split == "test" else ("id", "gloss")
        for line, row in read_table(table, needed, delimiter="|"):
            name = inside(f"{table}, line {line}", row["id"])
            if name not in held:
                listed.append(LeftOut(name, split, "no keypoints in the pickles"))
                continue
            file, clip = held[name]
            clips[file / name] = clip
            signer, numbered, _ = name.partition("_")
            listed.append(
                Entry(
                    path=file / name,
                    text=clean(row.get("text", "")),
                    split=split,
                    id=name,
                    glosses=tuple(
                        GlossSpan(gloss) for gloss in clean(row.get("gloss", "")).split()
                    ),
                    signer=signer if numbered else "",
                    language="sdl",
                )
            )
    return corpus_of(
        "isharah", listed, partial(_clip, clips, fps), ISHARAH86, language="sdl", task=task
    )


def _clip(clips: Mapping[Path, Any], fps: float, path: Path, span: Span | None = None) -> PoseClip:
    """The clip at ``path``, which is PICKLE/ID. Raises MediaError."""
    value = clips[path]
    keypoints: Any = value.get("keypoints") if isinstance(value, dict) else None
    shape = getattr(keypoints, "shape", None)
    if shape is None or len(shape) != 3 or not shape[0] or shape[1] != 86 or shape[2] < 2:
        raise MediaError(
            f"{path.parent}, clip '{path.name}': keypoints of shape {shape}, expected "
            "(frames, 86, 2 or more) with at least one frame; copy the file again"
        )
    xy = np.asarray(keypoints[:, :, :2], np.float32)
    seen = np.isfinite(xy).all(axis=2) & (xy != 0).any(axis=2)
    points = np.zeros((*seen.shape, 3), np.float32)
    points[:, :, :2] = np.where(seen[:, :, None], xy, 0)
    clip = PoseClip(points, seen.astype(np.float32), fps, ISHARAH86, origin=ORIGIN)
    return clip if span is None else clip.cut(span)


def _read(file: Path) -> dict[str, tuple[Path, Any]]:
    clips = read_pickle(file)
    if not isinstance(clips, dict):
        raise MediaError(
            f"{file} holds a {type(clips).__name__}, expected a dict of clips by id; "
            "give Isharah's own pickle of poses with --poses"
        )
    return {str(name): (file, clip) for name, clip in clips.items()}


def _pickles(places: Sequence[Path], task: Task) -> list[Path]:
    """The pickles of poses, less those of the other task. Raises MediaError where there is none."""
    other = "US" if task == "SI" else "SI"
    files = [
        file
        for place in places
        for file in ([place] if place.is_file() else sorted(place.glob("*.pkl")))
        if other not in file.stem.split("_")
    ]
    if not files:
        raise MediaError(
            f"{places[0]} has no pickle of poses for task {task}, such as "
            "pose_data_isharah1000_hands_lips_body.pkl; give its folder with --poses"
        )
    return files


def _tables(folder: Path, task: Task) -> dict[str, Path]:
    """Split → its table. Raises MediaError where there is none."""
    places = [folder / below / task for below in (".", "annotations_v2", "annotations")]
    tables = {}
    for split in SPLITS:
        names = [f"{stem}.{end}" for stem in (split, f"{task}_{split}") for end in ("txt", "csv")]
        files = [place / name for place in places for name in names]
        if file := next((file for file in files if file.is_file()), None):
            tables[split] = file
    if not tables:
        raise MediaError(
            f"{folder} has no {task}/train.txt, dev.txt or test.txt (or .csv), nor below "
            "annotations_v2 or annotations; give Isharah's own folder"
        )
    return tables
