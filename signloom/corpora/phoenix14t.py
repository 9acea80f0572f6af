"""RWTH-PHOENIX-Weather 2014 T: German Sign Language weather forecasts (Camgöz et al. 2018).

    annotations/manual/PHOENIX-2014-T.{train,dev,test}.corpus.csv
        name|video|start|end|speaker|orth|translation
    poses/NAME.pose, or below a folder of the split's name

start and end are −1 throughout: a video is one sentence. The corpus is for
non-commercial use (CC BY-NC-SA). 25 fps.
"""

from __future__ import annotations

import os
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, pose_of
from signloom.corpora.tables import first_that_is, inside, read_table
from signloom.data.sample import GlossSpan
from signloom.errors import MediaError
from signloom.text.clean import clean

SPLITS = ("train", "dev", "test")
NEEDED = ("name", "speaker", "orth", "translation")
FOLDERS = (".", "annotations/manual", "PHOENIX-2014-T/annotations/manual")


def phoenix14t(root: str | os.PathLike[str], poses: str | os.PathLike[str] | None = None) -> Corpus:
    """The sentences of PHOENIX-2014T with glosses and German, in its splits train, dev and test.

    poses: the folder of .pose files; otherwise ``root/poses`` or ``root``.

    Raises MediaError where there are no annotations, or a row is wrong, naming it.
    """
    folder = Path(root)
    names = [f"{below}/PHOENIX-2014-T.{s}.corpus.csv" for s in SPLITS for below in FOLDERS]
    first_that_is(folder, names, "PHOENIX-2014T annotations")
    places = [folder / "poses", folder] if poses is None else [Path(poses)]
    listed: list[Entry | LeftOut] = []
    for split in SPLITS:
        name = f"PHOENIX-2014-T.{split}.corpus.csv"
        file = next((folder / f / name for f in FOLDERS if (folder / f / name).is_file()), None)
        if file is None:
            continue
        for line, row in read_table(file, NEEDED, delimiter="|"):
            clip = inside(f"{file}, line {line}", row["name"])
            path = pose_of(places, clip, split)
            if path is None:
                listed.append(LeftOut(clip, split, f"no {clip}.pose"))
                continue
            listed.append(
                Entry(
                    path=path,
                    text=clean(row["translation"]),
                    split=split,
                    id=clip,
                    glosses=tuple(GlossSpan(gloss) for gloss in row["orth"].split()),
                    signer=row["speaker"],
                    language="gsg",
                )
            )
    if not listed:
        raise MediaError(f"{folder} lists no sentence of PHOENIX-2014T; copy its annotations again")
    licence = "RWTH-PHOENIX-Weather 2014 T: CC BY-NC-SA"
    return corpus_of("phoenix14t", listed, language="gsg", licence=licence)
