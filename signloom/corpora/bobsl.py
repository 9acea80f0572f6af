"""BOBSL: British Sign Language interpreters on BBC television, with English (Albanie et al. 2021).

As published (release 1.2's own description, and the code of Bull et al. 2021 that reads it):

    subset2episode.json                    {"train": [episode, …], "val": …, "public_test": …}
    subtitles/manually-aligned/EPISODE.vtt                    55 episodes, on the signing
    subtitles/audio-aligned/EPISODE.vtt                       on the speech
    subtitles/audio-aligned-heuristic-correction/EPISODE.vtt  on the speech, corrected

A later release keeps the list below ``metadata`` or ``splits``, and calls a subset ``test``;
subtitles may be called EPISODE/signhd.vtt. In manually aligned ones a remark in brackets
("[NOT SURE WHERE]") says that a sentence could not be placed; such a sentence is left out, as
in the published evaluation. Speech comes before signing: +2.7 s on average (Bull et al.).

Ours: poses, as EPISODE.pose, in ``poses`` or the folder itself; ``signers.tsv`` (video, signer),
where you know them; any other folder of EPISODE.vtt for signing-aligned subtitles, which are
published as pickles, and no pickle is read here. For academic research only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from signloom.corpora.cued import BRACKETED, Limits, Sentence, corpus_of_sentences, signers_of
from signloom.corpora.entries import Corpus, LeftOut, pose_of
from signloom.corpora.tables import first_that_is, inside, read_json
from signloom.data.timing import Seconds, Span
from signloom.errors import MediaError, SubtitleError, UsageError, nearest
from signloom.text.clean import clean
from signloom.text.subtitles import read_subtitles

MANUAL = "manually-aligned"
ALIGNMENTS = (MANUAL, "audio-aligned", "audio-aligned-heuristic-correction")
LISTS = tuple(f"{below}subset2episode.json" for below in ("", "metadata/", "splits/"))
SPLITS = {"public_test": "test"}
"""Subset → the split it is called here, where that is another name."""


def bobsl(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    subtitles: str = MANUAL,
    shift: Seconds = 0.0,
    limits: Limits = Limits(),
) -> Corpus:
    """The sentences of BOBSL, in the splits that its subsets name.

    poses: the folder of EPISODE.pose; otherwise ``root/poses`` or ``root``.
    subtitles: one of ALIGNMENTS, or a folder of EPISODE.vtt.
    shift: seconds that every subtitle is moved by, 2.7 for those on the speech.

    An episode without these subtitles is counted in ``about["episodes_without_subtitles"]``,
    one whose subtitles are broken is left out.

    Raises MediaError where the list of episodes is missing or wrong, UsageError where there
    are no such subtitles.
    """
    folder = Path(root)
    episodes = listed_episodes(first_that_is(folder, LISTS, "list of episodes"))
    cues = _subtitles(folder, subtitles)
    files = {episode: _vtt(cues, episode) for episode, _ in episodes}
    places = [folder / "poses", folder] if poses is None else [Path(poses)]
    signers = signers_of(folder)

    def found() -> Iterator[Sentence | LeftOut]:
        for episode, split in episodes:
            file = files[episode]
            if file is not None:
                path = pose_of(places, episode, split)
                yield from _sentences(file, episode, split, path, signers.get(episode, ""), shift)

    return corpus_of_sentences(
        "bobsl",
        found(),
        limits,
        language="bfi",
        licence="BOBSL: academic research only",
        subtitles=cues.name,
        shift=shift,
        episodes_without_subtitles=sum(file is None for file in files.values()),
    )


def _sentences(
    file: Path, episode: str, split: str, path: Path | None, signer: str, shift: Seconds
) -> Iterator[Sentence | LeftOut]:
    try:
        cues = read_subtitles(file).cues
    except SubtitleError as error:
        yield LeftOut(episode, split, str(error))
        return
    for number, cue in enumerate(cues, start=1):
        start, end = (max(time + shift, 0.0) for time in (cue.span.start, cue.span.end))
        yield Sentence(
            id=f"{episode}-{number}",
            video=episode,
            path=path,
            text=clean(cue.text),
            split=split,
            duration=end - start,
            span=Span(start, end),
            signer=signer,
            language="bfi",
            excluded=BRACKETED if "[" in cue.text and "]" in cue.text else "",
        )


def listed_episodes(file: Path) -> list[tuple[str, str]]:
    """(episode, split) in the order of a list of episodes by subset, each episode once.

    Raises MediaError where the file is none.
    """
    said = read_json(file)
    if not isinstance(said, dict) or not all(isinstance(names, list) for names in said.values()):
        raise MediaError(
            f"{file} is no list of episodes by subset; expected "
            '{"train": ["5224144816887051284", …], "val": …}; copy the file again'
        )
    split_of: dict[str, str] = {}
    for subset, names in said.items():
        for name in names:
            split_of.setdefault(inside(str(file), str(name)), SPLITS.get(subset, str(subset)))
    return list(split_of.items())


def _subtitles(folder: Path, subtitles: str) -> Path:
    """The folder that ``subtitles`` names."""
    for place in (folder / "subtitles" / subtitles, folder / subtitles, Path(subtitles)):
        if subtitles and place.is_dir():
            return place
    there = [name for name in ALIGNMENTS if (folder / "subtitles" / name).is_dir()]
    raise UsageError(
        f"{folder} has no subtitles '{subtitles}'{nearest(subtitles, there)}; expected a folder "
        f"of EPISODE.vtt: {', '.join(ALIGNMENTS)} below {folder / 'subtitles'}, or any other's path"
    )


def _vtt(cues: Path, episode: str) -> Path | None:
    for file in (cues / f"{episode}.vtt", cues / episode / "signhd.vtt"):
        if file.is_file():
            return file
    return None
