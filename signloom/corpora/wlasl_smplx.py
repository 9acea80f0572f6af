"""WLASL fitted with SMPL-X: 124 ASL words as joints projected into the picture, or in space.

    pose.npz, index.csv   as `corpora.smplx_arrays` has them, with
                          video_id,gloss,class_id,subset,in_wlasl100,in_wlasl300

The files name no rate: 25 fps [I: WLASL's]; and no size: 256 × 256 [I: 99 % of the valid hands lie inside].

WLASL: https://dxli94.github.io/WLASL/ (Li et al., 2020), for academic and
computational use only (C-UDA).
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, corpus_of
from signloom.corpora.smplx_arrays import ARRAYS, fitted_rows, read_joints, read_projected
from signloom.corpora.tables import inside
from signloom.data.layouts import SMPLX57, WLASL106
from signloom.data.sample import GlossSpan
from signloom.errors import UsageError, nearest
from signloom.text.clean import clean

SUBSETS = ("wlasl124", "wlasl100", "wlasl300")
"""All of its 124 words, and those of them that are among WLASL-100 and WLASL-300."""

FPS = 25.0
SIZE = (256, 256)
COPY = "wlasl124_smplx"


def wlasl_smplx(
    root: str | os.PathLike[str], subset: str = "wlasl124", joints: bool = False
) -> Corpus:
    """The words, in the splits that the index names (train, val, …).

    joints: as 52 joints in space and the face (``smplx57``), not projected.

    Raises MediaError where the folder holds something else, UsageError for an unknown subset.
    """
    if subset not in SUBSETS:
        raise UsageError(
            f"there is no subset '{subset}'{nearest(subset, SUBSETS)} of WLASL with SMPL-X; it is one "
            f"of {', '.join(SUBSETS)}"
        )
    folder = Path(root)
    member = () if subset == "wlasl124" else (f"in_{subset}",)
    entries = []
    for where, row, span in fitted_rows(folder, ("video_id", "gloss", "subset", *member), FPS):
        if member and row[member[0]].strip().lower() not in ("1", "true"):
            continue
        word = clean(row["gloss"], lower=True)
        entries.append(
            Entry(
                path=folder / ARRAYS,
                text=word,
                split=row["subset"],
                id=inside(where, row["video_id"]),
                glosses=(GlossSpan(word),),
                span=span,
                language="ase",
            )
        )
    projected = partial(read_projected, fps=FPS, size=SIZE, corpus=COPY)
    return corpus_of(
        "wlasl-smplx",
        entries,
        partial(read_joints, fps=FPS, corpus=COPY) if joints else projected,
        SMPLX57 if joints else WLASL106,
        subset=subset,
        language="ase",
        licence="WLASL: C-UDA, academic and computational use only",
    )
