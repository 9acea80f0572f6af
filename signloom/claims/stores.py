"""What the questions F3.5 to F3.7 are trained on: python -m signloom.claims.stores

From the episodes that recipes/claims/unified-whole-tiny.yaml names, and what ``signloom align`` makes of
them:

    cd runs/claims/episodes
    signloom align train -o train/program --model none --on-low mark
    signloom align dev -o dev/program --model none --on-low mark
    signloom align train -o train/recogniser --on-low mark

F3.5 reads what the backbone makes of the cut sentences, once they are there:

    M=runs/claims/unified-whole-tiny/last
    signloom features $M runs/claims/stores/episodes-speech -o runs/claims/features/cut-speech
    signloom features $M runs/claims/stores/episodes-program -o runs/claims/features/cut-program
    signloom features $M runs/claims/stores/episodes-recogniser -o runs/claims/features/cut-recogniser
    signloom features $M runs/claims/stores/episodes-signing -o runs/claims/features/cut-signing

What is there already is left as it is.
"""

from __future__ import annotations

from pathlib import Path

from signloom.claims.papers import CUT, EPISODES, LABELLED
from signloom.corpora.episode_windows import SIGNING, SPEECH, EpisodeSentences
from signloom.corpora.episodes import name_of, pose_files
from signloom.corpora.prepare import write_store
from signloom.data.layouts import PS76
from signloom.data.sample import SampleSource
from signloom.errors import UsageError

PROGRAM, RECOGNISER = "program", "recogniser"
"""Folders beside the pose files: what the program gave without a model, and with the bundled one."""


def cut(episodes: Path, times: str) -> dict[str, SampleSource]:
    """Split → sentences of ``episodes``/SPLIT, cut exactly by ``times``; train alone, but by the
    true ones also dev and test."""
    splits = ("train", "dev", "test") if times == SIGNING else ("train",)
    return {
        split: EpisodeSentences(str(episodes / split), times, jitter=0.0, layout=PS76)
        for split in splits
    }


def label(episodes: Path, times: str, out: Path) -> None:
    """A folder of the same episodes (links) that are signed when the folder ``times`` says.

    Raises UsageError where an episode has none there.
    """
    made: dict[Path, Path] = {}
    for pose in pose_files([episodes]):
        name = name_of(pose)
        labels = episodes / times / f"{name}.vtt"
        if not labels.is_file():
            raise UsageError(
                f"{labels} is not there, expected what `signloom align {episodes} -o "
                f"{episodes / times}` writes; run it first"
            )
        made[out / pose.name] = pose
        made[out / f"{name}.{SPEECH}.vtt"] = pose.with_name(f"{name}.{SPEECH}.vtt")
        made[out / f"{name}.{SIGNING}.vtt"] = labels
    out.mkdir(parents=True)
    for link, file in made.items():
        link.symlink_to(file.resolve())


def main() -> None:
    episodes = Path(EPISODES)
    stores = {Path(f"{CUT}-{times}"): times for times in (SPEECH, PROGRAM, RECOGNISER, SIGNING)}
    for out, times in stores.items():
        if not out.exists():
            write_store(out, PS76, cut(episodes, times), description={"corpus": out.name})
            print(out)
    for split in ("train", "dev"):
        out = Path(LABELLED) / split
        if not out.exists():
            label(episodes / split, PROGRAM, out)
            print(out)


if __name__ == "__main__":
    main()
