"""Five sentence pairs of our own, and the published outputs that golden figures were taken on."""

from __future__ import annotations

import gzip
from pathlib import Path

HYPOTHESES = [
    "the farmer sees the dog",
    "a cold wind blows in the north",
    "rain",
    "it isn't raining (yet)",
    "We'll visit Anna's house at 3:30 p.m.",
]
REFERENCES = [
    "the farmer sees a small dog",
    "a cold wind is blowing in the north today",
    "it rains in the north",
    "it is not raining yet",
    "we will visit Anna's big house at 3:30 p.m. today!",
]


def how2sign(shared_data: Path) -> tuple[list[str], list[str]]:
    """2,349 hypotheses of a pose-only system on How2Sign test, and their references."""
    folder = shared_data / "text" / "unisign_pose_only_outputs"

    def lines(name: str, mark: str) -> list[str]:
        text = gzip.decompress((folder / name).read_bytes()).decode()
        return [line.split(mark, 1)[1] for line in text.split("\n") if line]

    return (
        lines("eval_how2sign_pose_only__test_tmp_pres.txt.gz", ", prediction: "),
        lines("eval_how2sign_pose_only__test_tmp_refs.txt.gz", ", ground-truth: "),
    )


def stmc(shared_data: Path) -> tuple[list[str], list[str]]:
    """519 outputs of a gloss recogniser on PHOENIX14T dev, and their references."""
    folder = shared_data / "text" / "stmc_cslr_output"

    def lines(name: str) -> list[str]:
        return gzip.decompress((folder / name).read_bytes()).decode().removesuffix("\n").split("\n")

    return lines("stmc.dev.gloss.gz"), lines("phoenix2014T.dev.gloss.gz")
