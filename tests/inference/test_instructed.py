"""Who does what it is told: one that obeys, one that is deaf, and a real clip before a simulated model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from signloom.data.clip import SIMULATED, Origin, PoseClip
from signloom.data.layouts import HANDS42, Layout
from signloom.data.sample import Sample
from signloom.errors import UntrustedResultError, UsageError
from signloom.inference.instructed import obedience
from signloom.inference.translate import Told, Translation, translate_clips
from signloom.metrics.words import content_words
from signloom.text.instructions import CHECKED, EXACT, gold
from signloom.text.phrasings import DEFAULT, PHRASINGS

TEXT = "The old dog did not bark at the cat."


def samples(simulated: bool = True) -> list[Sample]:
    origin = Origin(SIMULATED if simulated else "")
    clip = PoseClip(
        np.ones((2, 42, 3), np.float32), np.ones((2, 42), np.float32), 25.0, HANDS42, origin=origin
    )
    return [Sample(str(i), clip, TEXT) for i in range(5)]


@dataclass
class Obeying:
    """Answers the phrasings that it knows, and translates whatever else it is told."""

    known: tuple[str, ...]
    name: str = "obeying"
    simulated_only: bool = True
    takes_instructions: bool = True
    layout: Layout = HANDS42

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        instructions: Sequence[str] | None = None,
    ) -> list[Translation]:
        asked = instructions or [DEFAULT] * len(clips)
        return [Translation(self.answer(each), 0.0) for each in asked]

    def answer(self, instruction: str) -> str:
        for family in EXACT:
            if instruction in self.known and instruction in (*PHRASINGS[family].kept, *PHRASINGS[family].held):  # fmt: skip
                return gold(family, TEXT, "DOG OLD CAT BARK NOT", content_words)
        return TEXT


class Plain:
    """A translator that cannot be told."""

    name, simulated_only, layout = "plain", True, HANDS42

    def translate(self, clips: Sequence[PoseClip], beam: int | None = None) -> list[Translation]:
        return [Translation(TEXT, 0.0) for _ in clips]


def test_one_that_learnt_the_phrasings_by_heart_fails_on_those_held_out() -> None:
    kept = tuple(p for phrasings in PHRASINGS.values() for p in phrasings.kept)
    held = tuple(p for phrasings in PHRASINGS.values() for p in phrasings.held)
    learnt = obedience(Obeying(kept), samples(), "kept", 5)
    assert {family: learnt.told[family] for family in EXACT} == dict.fromkeys(EXACT, 100)
    parrot = obedience(Obeying(kept), samples(), "held", 5)
    assert parrot.told == parrot.deaf
    assert parrot.told["keywords"] == parrot.told["count"] == parrot.told["glosses"] == 0
    assert obedience(Obeying(held), samples(), "held", 5).told["keywords"] == 100
    assert learnt.n == 5
    assert learnt.mean == pytest.approx(sum(learnt.told[f] for f in CHECKED) / len(CHECKED))
    assert learnt.mean > learnt.mean_deaf == parrot.mean
    assert learnt.told["multi-step"] == 0


def test_only_a_model_that_can_be_told_is_told() -> None:
    clips = [sample.clip for sample in samples()]
    model = Obeying(("Keywords only.",))
    assert isinstance(model, Told)
    found = translate_clips(model, clips, instruction="Keywords only.")
    assert {each.text for each in found} == {"old, dog, bark, cat"}
    plain = Plain()
    with pytest.raises(UsageError, match="model 'plain' translates and takes no instruction"):
        translate_clips(plain, clips, instruction="Keywords only.")


def test_real_signing_is_refused_and_so_is_none() -> None:
    with pytest.raises(UntrustedResultError, match="learnt from simulated signing only"):
        obedience(Obeying(()), samples(simulated=False), "kept", 2)
    with pytest.raises(UsageError, match="no clip to instruct a model on"):
        obedience(Obeying(()), [], "kept", 2)
