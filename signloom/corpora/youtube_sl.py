"""YouTube-SL-25: captioned videos in more than 25 signed languages (Tanzer and Zhang 2024).

As published: ``youtube-sl-25-metadata.csv``, a line ``VIDEO,LANGUAGE`` a video and no header,
the signed language in ISO 639-3 or ``???`` where it is not known (CC BY 4.0). Nothing else: videos
and captions are YouTube's, there are no splits and no signers, and a part of the videos is gone.

Ours: captions called VIDEO.en.vtt (or .srt; ``en-GB`` and no language too), as common downloaders
write them, in ``captions``, ``subtitles``, ``subs`` or the folder itself; poses called VIDEO.pose,
in ``poses`` or the folder itself; ``signers.tsv`` (video, signer), where you know them. Captions are cleaned
as the paper does (``text.captions``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from signloom.corpora.cued import Limits, Sentence, corpus_of_sentences, signers_of
from signloom.corpora.entries import Corpus, LeftOut, pose_of
from signloom.corpora.episodes import dev_episodes
from signloom.corpora.tables import first_that_is, inside, read_lines
from signloom.errors import MediaError, SubtitleError, UsageError, nearest
from signloom.text.captions import clean_caption
from signloom.text.subtitles import read_subtitles

LISTS = ("youtube-sl-25-metadata.csv", "youtube-sl-25_youtube-sl-25-metadata.csv")
CAPTIONS = ("captions", "subtitles", "subs", ".")
ENDINGS = (".vtt", ".srt")
UNKNOWN = "???"


def youtube_sl(
    root: str | os.PathLike[str],
    poses: str | os.PathLike[str] | None = None,
    languages: Collection[str] = (),
    captions: str = "en",
    dev_share: float = 0.0,
    limits: Limits = Limits(),
) -> Corpus:
    """The captions of YouTube-SL-25, all in split train: the corpus publishes no other.

    poses: the folder of VIDEO.pose; otherwise ``root/poses`` or ``root``.
    languages: signed languages to take; none takes all. The paper takes ase and bfi.
    captions: the language of the captions.
    dev_share: share of the videos that make a split dev, chosen by a hash of their names.

    A caption of which no word is left once it is cleaned is counted as 'no words'. A video without
    captions is left out.

    Raises MediaError where the list is missing or wrong, UsageError for a language it has not.
    """
    folder = Path(root)
    videos = _videos(first_that_is(folder, LISTS, "list of videos"))
    known = sorted(set(videos.values()))
    for language in languages:
        if language not in known:
            raise UsageError(
                f"{folder} has no video in '{language}'{nearest(language, known)}; it has "
                f"{', '.join(known)[:200]}"
            )
    chosen = {v: code for v, code in videos.items() if not languages or code in languages}
    dev = dev_episodes(chosen, dev_share) if dev_share else frozenset()
    files = _captions(folder, captions)
    places = [folder / "poses", folder] if poses is None else [Path(poses)]
    signers = signers_of(folder)

    def found() -> Iterator[Sentence | LeftOut]:
        for video, language in chosen.items():
            split = "dev" if video in dev else "train"
            if video not in files:
                yield LeftOut(video, split, f"no captions {video}.{captions}.vtt")
                continue
            try:
                cues = read_subtitles(files[video]).cues
            except SubtitleError as error:
                yield LeftOut(video, split, str(error))
                continue
            path = pose_of(places, video, split)
            for number, cue in enumerate(cues, start=1):
                yield Sentence(
                    id=f"{video}-{number}",
                    video=video,
                    path=path,
                    text=clean_caption(cue.text),
                    split=split,
                    duration=cue.span.duration,
                    span=cue.span,
                    signer=signers.get(video, ""),
                    language="" if language == UNKNOWN else language,
                )

    return corpus_of_sentences(
        "youtube-sl",
        found(),
        limits,
        languages=sorted(set(chosen.values())),
        licence="YouTube-SL-25: ids CC BY 4.0; videos and captions under YouTube's terms",
    )


def _videos(file: Path) -> dict[str, str]:
    """Video → signed language, in the order of the list, each video once."""
    videos: dict[str, str] = {}
    for number, line in enumerate(read_lines(file), start=1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells == [""]:
            continue
        where = f"{file}, line {number}"
        if len(cells) != 2 or not cells[1]:
            raise MediaError(
                f"{where}: '{line[:60]}', expected VIDEO,LANGUAGE, as in Bdj5MUf_3Hc,ase; "
                "copy the file again"
            )
        videos.setdefault(inside(where, cells[0]), cells[1])
    return videos


def _captions(folder: Path, language: str) -> dict[str, Path]:
    """Video → its captions in ``language``: the plain code before en-GB and its like, then none."""
    found: dict[str, tuple[int, str, Path]] = {}
    for place in (folder / name for name in CAPTIONS):
        for file in sorted(place.iterdir()) if place.is_dir() else ():
            if file.suffix.lower() not in ENDINGS:
                continue
            video, _, code = file.name[: -len(file.suffix)].partition(".")
            rank = _rank(code, language)
            if rank is not None and (video not in found or (rank, code) < found[video][:2]):
                found[video] = rank, code, file
    return {video: file for video, (_, _, file) in found.items()}


def _rank(code: str, language: str) -> int | None:
    if code == language:
        return 0
    if code.startswith(f"{language}-"):
        return 1
    return 2 if not code else None
