"""A folder in the shape of RWTH-BOSTON-104."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

FRAMES = 30


def write_boston(
    folder: Path, sentences: Mapping[str, str], left_x: Callable[[str, int], float | None]
) -> None:
    """Video → sentence as a folder; ``left_x`` gives the left hand's x, None for no row at all.

    Its y is x + 100; the right hand and the nose stand still. A word lasts 9 frames, the first
    from frame 1 on.
    """
    hands = ["video,frame,left-x,left-y,right-x,right-y,nose-x,nose-y"]
    words = ["video,speaker,word,startframe,endframe"]
    for video, sentence in sentences.items():
        places = ((t, left_x(video, t)) for t in range(FRAMES))
        hands += [f"{video},{t},{x},{x + 100},150,160,170,60" for t, x in places if x is not None]
        words += [
            f"{video},man-1,{word},{9 * i + 1},{9 * i + 9}"
            for i, word in enumerate(sentence.split())
        ]
    (folder / "hands.csv").write_text("\n".join(hands) + "\n")
    (folder / "train_words.csv").write_text("\n".join(words) + "\n")
    speakers = "".join(f"{video},man-1\n" for video in sentences)
    (folder / "speaker.csv").write_text(f"video,speaker\n{speakers}")
