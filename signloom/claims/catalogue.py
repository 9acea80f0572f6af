"""The 29 claims of the five papers, and our questions beside them (spec §1–§5), gathered.

A claim of a method that is not here yet is listed with what it needs; its parts say how it
will be decided. Margins and least differences are ours, none of the papers names one.
"""

from __future__ import annotations

from signloom.claims.papers import autosign, embeddings, lslm, posestitch, semtext
from signloom.claims.records import Arm, Claim, Scale
from signloom.errors import UsageError, nearest

_FILES = (posestitch, autosign, embeddings, semtext, lslm)

PAPERS = {file.PAPER.name: file.PAPER for file in _FILES}

SETTINGS: dict[str, dict[str, Scale]] = {
    method: scales for file in _FILES for method, scales in file.SETTINGS.items()
}
"""Method → scale → what its arms start from."""

ARMS: dict[str, Arm] = {arm.name: arm for file in _FILES for arm in file.ARMS}
"""Every arm that is not its scale's base alone says what it changes."""

CLAIMS: dict[str, Claim] = {claim.id: claim for file in _FILES for claim in file.CLAIMS}
"""The papers' claims, C1.1 to C5.5."""

QUESTIONS: dict[str, Claim] = {claim.id: claim for file in _FILES for claim in file.QUESTIONS}
"""Our own questions beside the claims, decided the same way."""

ALL: dict[str, Claim] = {**CLAIMS, **QUESTIONS}


def claim_named(name: str) -> Claim:
    """The claim or question of that id, in any case. Raises UsageError naming the nearest."""
    found = ALL.get(name.upper())
    if found is None:
        raise UsageError(
            f"there is no claim '{name}'{nearest(name.upper(), list(ALL))}; "
            "`signloom claims list` shows all of them"
        )
    return found


def scales_of(claim: Claim) -> dict[str, Scale]:
    """Scale → what the claim's arms start from; {} for one that cannot be run yet."""
    return {} if claim.needs else SETTINGS.get(claim.base or PAPERS[claim.paper].method, {})
