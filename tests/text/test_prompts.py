"""The wording of prompts is part of a model: these texts must not drift."""

from __future__ import annotations

import pytest

from signloom.errors import UsageError
from signloom.text.prompts import slt_prompt, ssa_prompt


def test_translation() -> None:
    assert slt_prompt() == ("Translate the signing into English. Signing:", "Translation:")
    assert slt_prompt("British Sign Language", "German", "Who is\nthere") == (
        "Translate the British Sign Language into German. Previous sentence: Who is there. Signing:",
        "Translation:",
    )


def test_alignment() -> None:
    assert ssa_prompt(" It  rains\nagain") == (
        "Find when this sentence is signed: It rains again. Signing:",
        "Frames:",
    )
    assert ssa_prompt("Why?", (7, 499), "“It rains!”", "BSL") == (
        "Find when this sentence is signed in BSL: Why? Previous sentence: “It rains!” "
        "Audio timing: 007-499. Signing:",
        "Frames:",
    )
    # Speech that is longer than the window is told as far as the window shows it.
    assert "Audio timing: 000-499." in ssa_prompt("Long.", (-80, 580))[0]
    assert "Audio timing: 000-059." in ssa_prompt("Long.", (-80, 580), frames=60)[0]


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(UsageError, match="empty text"):
        ssa_prompt(" \n")
    with pytest.raises(UsageError, match="'Why\\?' is frames 9 to 8"):
        ssa_prompt("Why?", (9, 8))
    with pytest.raises(UsageError, match="names no language"):
        slt_prompt(spoken=" ")
