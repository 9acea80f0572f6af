"""The ways to read a trained arm: they stand in its one record, and none is trained for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Reading:
    """How a trained arm is asked.

    beam: of its translations; None: its own. place: what puts its cues where they are signed:
    "plateau" is one path through its likeliest places (A.6), each flat over ``flat`` of its length;
    "program" is that of ``signloom align``, which weighs its answers too; "alone" is without them.
    share: what its logits count beside its partner's; 1 = it answers alone.
    turned, noise: the test clips of joints in space seen from so many degrees aside, or with noise of so
    many degrees on every rotation (`motions.Viewed`).
    """

    beam: int | None = None
    flat: float = 0.2
    place: Literal["plateau", "program", "alone"] = "plateau"
    share: float = 1.0
    turned: float = 0.0
    noise: float = 0.0


USUAL = Reading()
READINGS = {
    "greedy": Reading(beam=1),
    "plateau 0": Reading(flat=0.0),
    "plateau .4": Reading(flat=0.4),
    "in the program": Reading(place="program"),
    "program alone": Reading(place="alone"),
    **{f"fused .{n}": Reading(share=n / 10) for n in (5, 7, 9)},
    "turned 30": Reading(turned=30.0),
    **{f"noise {degrees}": Reading(noise=float(degrees)) for degrees in (2, 5, 10)},
}
"""What a record holds beside its usual reading, "", as far as the arm can be read so: cues are
placed by one that aligns, logits are fused where there is a partner, joints in space are turned and shaken."""
