"""iSign: Indian Sign Language with English (Joshi et al. 2024).

    *.csv              uid,text; a column 'split' where there is one, else the split that the
                       file's name ends in (…_train.csv, …_val.csv, …_test.csv), else train
    poses/UID.pose     MediaPipe Holistic, as the corpus publishes them

A uid is the video's id, a hyphen and the number of its sentence.
"""

from __future__ import annotations

import os
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, pose_of, split_named
from signloom.corpora.tables import inside, read_table
from signloom.errors import MediaError
from signloom.text.clean import clean

FOLDERS = ("iSign-poses_v1.1", "poses", ".")


def isign(root: str | os.PathLike[str], poses: str | os.PathLike[str] | None = None) -> Corpus:
    """The sentences of iSign.

    root: its folder, or one of its csv files.
    poses: the folder of UID.pose; otherwise iSign-poses_v1.1, poses or the folder itself.

    Raises MediaError where there is no csv, or a row is wrong, naming it.
    """
    folder = Path(root) if Path(root).is_dir() else Path(root).parent
    tables = sorted(folder.glob("*.csv")) if Path(root).is_dir() else [Path(root)]
    if not tables:
        raise MediaError(f"{folder} has no .csv; expected one with the columns uid, text")
    places = [folder / name for name in FOLDERS] if poses is None else [Path(poses)]
    listed: list[Entry | LeftOut] = []
    for table in tables:
        for line, row in read_table(table, ("uid", "text"), delimiter=",", quoted=True):
            uid = inside(f"{table}, line {line}", row["uid"])
            split = row.get("split") or split_named(table)
            path = pose_of(places, uid, split)
            if path is None:
                listed.append(LeftOut(uid, split, f"no {uid}.pose"))
                continue
            listed.append(Entry(path, clean(row["text"]), split, uid, language="ins"))
    return corpus_of("isign", listed, language="ins")
