"""Clips to text with any method that can: what a translation is, and when none is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import signloom
from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.errors import MediaError, UntrustedResultError, UsageError

BUNDLED = Path(signloom.__file__).parent / "bundled" / "posestitch"
"""The checkpoint that comes with the package; it knows simulated signing only."""

LEAST_HANDS = 0.05
"""Share of frames in which a hand must be seen for a clip to be taken for signing (ours)."""


@dataclass(frozen=True)
class Translation:
    """text: the best hypothesis. score: its log-probability over its length to the power of the
    length penalty; comparable within one clip. alternatives: (text, score) of the next best."""

    text: str
    score: float
    alternatives: tuple[tuple[str, float], ...] = ()


@runtime_checkable
class Translator(Protocol):
    """A model that translates; every method that can offers this."""

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def simulated_only(self) -> bool:
        """Whether it has learnt from simulated signing alone."""
        ...

    def translate(
        self, clips: Sequence[PoseClip], beam: int | None = None
    ) -> list[Translation]: ...


@runtime_checkable
class Learnt(Protocol):
    """Any model that can be asked what it is called and whether it knows simulated signing alone."""

    @property
    def name(self) -> str: ...

    @property
    def simulated_only(self) -> bool: ...


@runtime_checkable
class LipReader(Protocol):
    """A translator that may look at mouths too; a clip without them is None."""

    @property
    def reads_lips(self) -> bool: ...

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        lips: Sequence[Lips | None] | None = None,
    ) -> list[Translation]: ...


@runtime_checkable
class Remembers(Protocol):
    """A translator that may be told the sentence before each clip's; ``tells_previous``: has learnt with it."""

    @property
    def tells_previous(self) -> bool: ...

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        lips: Sequence[Lips | None] | None = None,
        previous: Sequence[str] | None = None,
    ) -> list[Translation]: ...


@runtime_checkable
class Told(Protocol):
    """A translator that is told what to do with each clip; None: translate."""

    @property
    def name(self) -> str: ...

    @property
    def simulated_only(self) -> bool: ...

    @property
    def takes_instructions(self) -> bool: ...

    def translate(
        self,
        clips: Sequence[PoseClip],
        beam: int | None = None,
        instructions: Sequence[str] | None = None,
    ) -> list[Translation]: ...


def reads_lips(model: object) -> bool:
    """Whether a model looks at mouths beside poses."""
    return bool(getattr(model, "reads_lips", False))


def tells_previous(model: object) -> bool:
    """Whether a model has learnt to read a clip's sentence with the one before it."""
    return isinstance(model, Remembers) and model.tells_previous


def needs_lips(model: object) -> bool:
    """Whether a model looks at mouths alone, and says nothing without them."""
    return bool(getattr(model, "needs_lips", False))


def writes_glosses(model: object) -> bool:
    """Whether a translator's text is glosses in the order of signing, not sentences."""
    return bool(getattr(model, "writes_glosses", False))


def blind(model: Learnt, what: str) -> str:
    """What to say where a model that reads lips is given none."""
    return (
        f"{what} has no lips beside it (--lips of `signloom extract` makes them), and model "
        f"'{model.name}' reads lips: it sees no mouth"
    )


def translate_clips(
    model: Translator,
    clips: Sequence[PoseClip],
    beam: int | None = None,
    batch: int = 16,
    lips: Sequence[Lips | None] | None = None,
    instruction: str | None = None,
    previous: Sequence[str] | None = None,
) -> list[Translation]:
    """One translation per clip, in order; clips of like length share a batch.

    lips: each clip's mouths, for a model that reads them. instruction: what to do with every clip, for
    a model that can be told; None translates. previous: the sentence before each clip's, "" for none, which a
    model is told that has learnt with it (`tells_previous`). Raises UsageError where an instruction is given
    to a model that takes none.
    """
    refuse_deaf(model, instruction)
    order = sorted(range(len(clips)), key=lambda i: len(clips[i]))
    found: dict[int, Translation] = {}
    for first in range(0, len(order), batch):
        chosen = order[first : first + batch]
        given = [clips[i] for i in chosen]
        mouths = [lips[i] for i in chosen] if lips is not None and reads_lips(model) else None
        if previous is not None and isinstance(model, Remembers) and model.tells_previous:
            told = model.translate(given, beam, mouths, [previous[i] for i in chosen])
        elif lips is not None and isinstance(model, LipReader) and model.reads_lips:
            told = model.translate(given, beam, [lips[i] for i in chosen])
        elif instruction is not None and isinstance(model, Told):
            told = model.translate(given, beam, [instruction] * len(given))
        else:
            told = model.translate(given, beam)
        found |= dict(zip(chosen, told, strict=True))
    return [found[i] for i in range(len(clips))]


def refuse_untrusted(
    model: Learnt, simulated: bool, allow_simulated: bool = False, what: str = "this clip"
) -> None:
    """UntrustedResultError (exit 5) for real signing before a model that knows only simulated."""
    if model.simulated_only and not simulated and not allow_simulated:
        raise UntrustedResultError(
            f"{what} is not simulated signing, and model '{model.name}' has learnt from simulated "
            "signing only: what it said would be confident nonsense. Give a model trained on real "
            "signing with --model, or pass --allow-simulated to see the nonsense"
        )


def refuse_deaf(model: Learnt, instruction: str | None) -> None:
    """UsageError (exit 2) for an instruction before a model that cannot be told what to do."""
    if instruction is not None and not isinstance(model, Told):
        raise UsageError(
            f"model '{model.name}' translates and takes no instruction; leave it out, or give a model "
            "of method lslm"
        )


def refuse_forgetful(model: Learnt, previous: str | None) -> None:
    """UsageError (exit 2) for a sentence before the clip's that a model has not learnt to read."""
    if previous is not None and not tells_previous(model):
        raise UsageError(
            f"model '{model.name}' has not learnt with the sentence before; leave it out, or give a model of "
            "method unified that was trained with config.previous above 0"
        )


def refuse_blind(model: Learnt, lips: Lips | None, what: str = "this clip") -> None:
    """MediaError (exit 3) for a clip without lips before a model that looks at nothing else."""
    if needs_lips(model) and lips is None:
        raise MediaError(
            f"{what} has no lips beside it, and model '{model.name}' reads nothing else; make them "
            "with --lips of `signloom extract`, or fuse it with a model of pose (`signloom fuse`)"
        )


def refuse_empty(clip: PoseClip, what: str = "this clip") -> None:
    """MediaError (exit 3) where hardly a frame shows a hand."""
    hands = [clip.present[:, clip.part(side)] for side in ("left_hand", "right_hand")]
    seen = [hand.mean(axis=1) >= 0.5 for hand in hands if hand.shape[1]]
    if not seen:
        raise MediaError(
            f"{what} has no hand keypoints in its layout '{clip.layout.name}'; "
            "expected left_hand or right_hand, as `signloom extract` writes them"
        )
    frames = sum(bool(any(side)) for side in zip(*seen, strict=True))
    if frames < max(1, LEAST_HANDS * len(clip)):
        raise MediaError(
            f"no signing found in {what}: a hand is seen in {frames} of {len(clip)} frames, "
            f"expected {LEAST_HANDS:.0%} or more; check that the signer's hands are in the picture"
        )
