"""What docs/python.md shows runs as it stands, and what one clip may not be is said."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import signloom
from signloom.data.clip import Origin, PoseClip
from signloom.errors import MediaError, UntrustedResultError, UsageError
from signloom.methods.model import Model
from signloom.pose.files import read_pose
from tests.web.served import Counting, Naming

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
EXAMPLE = Path(signloom.__file__).parent / "bundled" / "example"


@pytest.fixture(scope="module")
def clip() -> PoseClip:
    return read_pose(EXAMPLE / "sim-sentences-v1-small-test-000000.pose")


def test_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    shown: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        exec(block, shown)
    printed = capsys.readouterr().out
    for line in re.findall(r"^ *print\(.*\)  # (.*)$", PAGE.read_text(), re.MULTILINE):
        assert line in printed
    assert shown["told"].text
    assert shown["found"].candidates
    assert shown["said"]
    assert len(shown["aligned"].cues) == len(shown["cues"])  # type: ignore[attr-defined,arg-type]


def test_one_clip_is_one_of_a_batch(clip: PoseClip) -> None:
    model = Model(Counting("real", False))
    assert model.translate(clip).text == f"{len(clip)} frames"
    assert model.can == ("translate",)
    assert not model.simulated_only
    assert Model(Naming()).recognize(clip, top=1).candidates[0].gloss == "book"


def test_what_is_refused(clip: PoseClip) -> None:
    model = Model(Counting("sim", True))
    with pytest.raises(UsageError, match="'sim' cannot align, it can translate; load another"):
        model.align(clip, [])
    with pytest.raises(UsageError, match="'naming' cannot translate, it can recognize"):
        Model(Naming()).translate(clip)
    with pytest.raises(UsageError, match="takes no instruction; leave it out"):
        model.translate(clip, allow_simulated=True, instruction="Keywords only.")
    with pytest.raises(UsageError, match="has not learnt with the sentence before; leave it out"):
        model.translate(clip, allow_simulated=True, previous="It rained.")
    with pytest.raises(
        UsageError, match="translate takes one PoseClip, got list; call it for each"
    ):
        model._refuse("translate", [clip], None, False)
    real = replace(clip, origin=Origin())
    with pytest.raises(UntrustedResultError, match="is not simulated signing, and model 'sim'"):
        model.translate(real)
    assert model.translate(real, allow_simulated=True).text
    gone = clip.with_points(clip.points, np.zeros_like(clip.confidence))
    with pytest.raises(MediaError, match="no signing found in clip"):
        model.translate(gone)
