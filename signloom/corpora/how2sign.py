"""How2Sign: American Sign Language with English sentences (Duarte et al. 2021).

    how2sign_realigned_{train,val,test}.csv   tab separated: VIDEO_NAME, SENTENCE_NAME,
                                              START_REALIGNED, END_REALIGNED (seconds), SENTENCE
    poses                                     SENTENCE_NAME/…_keypoints.json, SENTENCE_NAME.pose,
                                              or VIDEO_NAME.pose, of which the sentence is cut

The signer is the number that ends a video's name (…-5-rgb_front is signer 5).
How2Sign is for non-commercial use (CC BY-NC 4.0).
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, pose_of, texts_before
from signloom.corpora.openpose import read_openpose
from signloom.corpora.tables import inside, number, read_table
from signloom.data.clip import PoseClip
from signloom.data.layouts import OPENPOSE137
from signloom.data.timing import Span
from signloom.errors import MediaError
from signloom.pose.files import read_pose
from signloom.text.clean import clean

SPLITS = ("train", "val", "test")
NEEDED = ("VIDEO_NAME", "SENTENCE_NAME", "START_REALIGNED", "END_REALIGNED", "SENTENCE")
_SIGNER = re.compile(r"-(\d+)-rgb")
FPS = 24.0


def how2sign(
    root: str | os.PathLike[str], poses: str | os.PathLike[str] | None = None, fps: float = FPS
) -> Corpus:
    """The sentences of How2Sign, in its splits train, val and test.

    poses: where the clips are, if not below ``root``.
    fps: rate of OpenPose folders, which name none.

    Raises MediaError where there is no csv, or a row is wrong, naming it.
    """
    folder = Path(root)
    tables = {split: _table(folder, split) for split in SPLITS}
    if not any(tables.values()):
        raise MediaError(
            f"{folder} has no how2sign_realigned_train.csv, _val.csv or _test.csv; "
            "give How2Sign's own folder"
        )
    listed: list[Entry | LeftOut] = []
    for split, table in tables.items():
        if table is None:
            continue
        places = _places(folder if poses is None else Path(poses), split)
        rows = list(read_table(table, NEEDED, quoted=True))
        before = texts_before(
            (
                row["VIDEO_NAME"],
                number(f"{table}, line {line}", row, "START_REALIGNED"),
                clean(row["SENTENCE"]),
            )
            for line, row in rows
        )
        for (line, row), previous in zip(rows, before, strict=True):
            where = f"{table}, line {line}"
            name, video = (inside(where, row[c]) for c in ("SENTENCE_NAME", "VIDEO_NAME"))
            start, end = (number(where, row, c) for c in ("START_REALIGNED", "END_REALIGNED"))
            path, whole = _clip(places, name, video, split)
            if path is None:
                listed.append(LeftOut(name, split, f"no {name}.pose, {name}/ or {video}.pose"))
                continue
            if whole and not 0 <= start <= end:
                reason = f"starts at {start} s and ends at {end} s of {video}"
                listed.append(LeftOut(name, split, reason))
                continue
            listed.append(
                Entry(
                    path=path,
                    text=clean(row["SENTENCE"]),
                    split=split,
                    id=name,
                    span=Span(start, end) if whole else None,
                    signer=signer_of(name),
                    language="ase",
                    previous=previous,
                )
            )
    first = next((item.path for item in listed if isinstance(item, Entry)), None)
    return corpus_of(
        "how2sign",
        listed,
        partial(read_either, fps=fps),
        OPENPOSE137 if first is not None and first.is_dir() else None,
        language="ase",
        licence="How2Sign: CC BY-NC 4.0",
    )


def read_either(path: Path, span: Span | None = None, fps: float = FPS) -> PoseClip:
    """A .pose file, or a folder of OpenPose JSON at ``fps``."""
    return read_openpose(path, span, fps) if path.is_dir() else read_pose(path, span)


def _table(folder: Path, split: str) -> Path | None:
    name = f"how2sign_realigned_{split}.csv"
    found = (folder / name, folder / "annotations" / name, folder / split / name)
    return next((file for file in found if file.is_file()), None)


def _places(folder: Path, split: str) -> list[Path]:
    """Where poses may lie: as the corpus unpacks, or side by side."""
    below = (".", "poses", "json", f"{split}_2D_keypoints/openpose_output/json", split)
    return [folder / name for name in below if (folder / name).is_dir()]


def _clip(places: list[Path], name: str, video: str, split: str) -> tuple[Path | None, bool]:
    """The clip of a sentence; and whether it is the whole video, to be cut."""
    for place in places:
        if (place / name).is_dir():
            return place / name, False
    if found := pose_of(places, name, split):
        return found, False
    return pose_of(places, video, split), True


def signer_of(name: str) -> str:
    """The signer that a sentence's name tells, "" where it tells none.

    >>> signer_of("2ckGjVDGnYE_0-8-rgb_front")
    '8'
    """
    found = _SIGNER.search(name)
    return found[1] if found else ""
