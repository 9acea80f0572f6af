"""How2Sign fitted with SMPL-X: sentences as joints projected into the picture, or in space.

    pose.npz, index.csv   as `corpora.smplx_arrays` has them, with sentence_name,english,height,width

Sentences have English and no glosses. No split is named: all are ``train``, or what is asked for. The
files name no rate: 24 fps [I: most of How2Sign's videos].

How2Sign: https://how2sign.github.io (Duarte et al., 2021), CC BY-NC 4.0.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from signloom.corpora.entries import Corpus, Entry, corpus_of
from signloom.corpora.how2sign import signer_of
from signloom.corpora.smplx_arrays import ARRAYS, fitted_rows, read_joints, read_projected
from signloom.corpora.tables import inside, number
from signloom.data.layouts import SMPLX57, WLASL106
from signloom.errors import MediaError
from signloom.text.clean import clean

FPS = 24.0
COPY = "how2sign12_smplx"


def how2sign_smplx(
    root: str | os.PathLike[str], split: str = "train", fps: float = FPS, joints: bool = False
) -> Corpus:
    """The sentences, all of one split.

    joints: as 52 joints in space and the face (``smplx57``), not projected. Raises MediaError where the
    folder holds something else, or pictures of more than one size.
    """
    folder = Path(root)
    entries, sizes = [], set()
    for where, row, span in fitted_rows(
        folder, ("sentence_name", "english", "height", "width"), fps
    ):
        name = inside(where, row["sentence_name"])
        sizes.add((int(number(where, row, "width")), int(number(where, row, "height"))))
        entries.append(
            Entry(
                path=folder / ARRAYS,
                text=clean(row["english"]),
                split=split,
                id=name,
                span=span,
                signer=signer_of(name),
                language="ase",
            )
        )
    if len(sizes) != 1:
        found = ", ".join(f"{width} × {height}" for width, height in sorted(sizes)) or "none"
        raise MediaError(
            f"{folder} has pictures of these sizes: {found}; expected one: cut the table by size"
        )
    projected = partial(read_projected, fps=fps, size=sizes.pop(), corpus=COPY)
    return corpus_of(
        "how2sign-smplx",
        entries,
        partial(read_joints, fps=fps, corpus=COPY) if joints else projected,
        SMPLX57 if joints else WLASL106,
        language="ase",
        licence="How2Sign: CC BY-NC 4.0",
    )
