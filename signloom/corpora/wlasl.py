"""WLASL: 2,000 words of American Sign Language (Li et al. 2020), out of its own list.

    WLASL_v0.3.json    [{"gloss", "instances": [{"video_id", "signer_id", "split", "frame_start",
                        "frame_end", "fps", …}]}], the words with the most videos first
    poses/VIDEO_ID.pose

Frames count from 1, both ends belong to the sign, and an end of −1 is the end of
the video. WLASL's own tools cut the videos by them first: then the poses are of
the cut clips, which is taken for granted here unless ``uncut``.
For academic and computational use only (C-UDA). Hand keypoints alone: ``wlasl_hands.py``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signloom.corpora.entries import Corpus, Entry, LeftOut, corpus_of, pose_of
from signloom.corpora.tables import first_that_is, inside, number, read_json
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.files import read_header
from signloom.text.clean import clean

LISTS = ("WLASL_v0.3.json", "start_kit/WLASL_v0.3.json")
NEEDED = ("video_id", "split", "frame_start", "frame_end")


def wlasl(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    words: int | None = None,
    uncut: bool = False,
) -> Corpus:
    """The clips of WLASL, a word each, in its splits train, val and test.

    poses: the folder of VIDEO_ID.pose; otherwise ``root/poses`` or ``root``.
    words: only the first so many words of the list: 100 is WLASL-100, 300 WLASL-300, …
    uncut: the poses are of the source videos; take the frames that the list names.

    Raises MediaError where the list is missing or an instance of it is wrong, naming it.
    """
    folder = Path(root)
    file = folder if folder.is_file() else first_that_is(folder, LISTS, "list of WLASL")
    value = read_json(file)
    if not isinstance(value, list) or not all(isinstance(word, dict) for word in value):
        raise MediaError(f"{file} is no list of words; expected WLASL_v0.3.json as published")
    if words is not None and not 1 <= words <= len(value):
        raise UsageError(f"words is {words}, expected 1 to the {len(value)} that {file} lists")
    base = file.parent if folder.is_file() else folder
    places = [base / "poses", base] if poses is None else [Path(poses)]
    listed: list[Entry | LeftOut] = []
    for word in value[:words]:
        for place, instance in enumerate(_instances(file, word)):
            where = f"{file}, '{word['gloss']}', instance {place}"
            listed.append(_entry(where, clean(str(word["gloss"]), True), instance, places, uncut))
    licence = "WLASL: C-UDA, academic and computational use only"
    return corpus_of("wlasl", listed, language="ase", licence=licence, words=words, uncut=uncut)


def _instances(file: Path, word: Mapping[str, Any]) -> list[Any]:
    if not isinstance(word.get("gloss"), str) or not isinstance(word.get("instances"), list):
        raise MediaError(
            f"{file} has a word without 'gloss' or 'instances': {str(word)[:80]}; "
            "expected WLASL_v0.3.json as published"
        )
    return word["instances"]


def _entry(
    where: str, gloss: str, instance: Any, places: list[Path], uncut: bool
) -> Entry | LeftOut:
    missing = [key for key in NEEDED if not isinstance(instance, dict) or key not in instance]
    if missing:
        raise MediaError(f"{where}: no '{missing[0]}'; expected {', '.join(NEEDED)}")
    name, split = inside(where, str(instance["video_id"])), str(instance["split"])
    path = pose_of(places, name, split)
    if path is None:
        return LeftOut(name, split, f"no {name}.pose")
    span = None
    if uncut:
        rate = number(where, {"fps": instance.get("fps", 25)}, "fps")
        start, end = (number(where, instance, key) for key in ("frame_start", "frame_end"))
        try:
            last = end / rate if end > 0 else read_header(path).duration
            span = Span(max(start - 1, 0) / rate, last)
        except (MediaError, ValueError, ZeroDivisionError) as error:
            return LeftOut(name, split, str(error))
    return Entry(
        path=path,
        text=gloss,
        split=split,
        id=name,
        glosses=(GlossSpan(gloss),),
        span=span,
        signer=str(instance.get("signer_id", "")),
        language="ase",
    )
