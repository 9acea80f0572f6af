"""CISLR: 4,765 words of Indian Sign Language, most with one clip (Joshi et al. 2022).

    dataset.csv                       uid,gloss,…
    prototype.csv, test.csv           the uids of the two splits; a uid in neither is 'train'
    CISLR_v1.5-a_videos_poses/UID.pose, or poses/UID.pose

The corpus publishes videos: ``signloom extract`` makes the poses. The store is a
lexicon: ``signloom stitch --lexicon STORE``. AFL 3.0.
"""

from __future__ import annotations

import os
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, pose_of
from signloom.corpora.tables import first_that_is, inside, read_table
from signloom.data.sample import GlossSpan
from signloom.text.clean import clean

FOLDERS = ("CISLR_v1.5-a_videos_poses", "poses", ".")


def cislr(root: str | os.PathLike[str], poses: str | os.PathLike[str] | None = None) -> Corpus:
    """The words of CISLR, in its splits prototype and test.

    poses: the folder of UID.pose; otherwise CISLR_v1.5-a_videos_poses, poses or ``root``.

    Raises MediaError where dataset.csv is missing or a row is wrong, naming it.
    """
    folder = Path(root)
    table = first_that_is(folder, ("dataset.csv", "CISLR_v1.5-a_dataset.csv"), "list of CISLR")
    split_of = {
        row["uid"]: split
        for split in ("prototype", "test")
        if (folder / f"{split}.csv").is_file()
        for _, row in read_table(folder / f"{split}.csv", ("uid",), delimiter=",", quoted=True)
    }
    places = [folder / name for name in FOLDERS] if poses is None else [Path(poses)]
    listed: list[Entry | LeftOut] = []
    for line, row in read_table(table, ("uid", "gloss"), delimiter=",", quoted=True):
        uid = inside(f"{table}, line {line}", row["uid"])
        split, word = split_of.get(uid, "train"), clean(row["gloss"], lower=True)
        path = pose_of(places, uid, split)
        if path is None:
            listed.append(LeftOut(uid, split, f"no {uid}.pose"))
            continue
        listed.append(Entry(path, word, split, uid, (GlossSpan(word),), language="ins"))
    return corpus_of("cislr", listed, language="ins", licence="CISLR: AFL 3.0")
