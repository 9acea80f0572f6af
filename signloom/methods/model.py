"""A model for who programs: one clip in, one answer out. `signloom.load` gives it; docs/python.md shows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from signloom.data.clip import PoseClip
from signloom.data.cue import Cue
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.errors import UsageError
from signloom.inference.locate import Locator
from signloom.inference.recognize import Recognition, Recognizer, recognize_clips
from signloom.inference.retime import Refine, Retimed, Wishes, retime
from signloom.inference.spotting import Spotter, WithSpotter
from signloom.inference.translate import (
    Translation,
    Translator,
    refuse_blind,
    refuse_deaf,
    refuse_empty,
    refuse_forgetful,
    refuse_untrusted,
    translate_clips,
)
from signloom.inference.windows import WithModel
from signloom.methods.load import load as load_network
from signloom.pose.activity import activity, track
from signloom.pose.convert import conversion


def load(name_or_folder: str | Path = "bundled") -> Model:
    """The model of a checkpoint folder, hub id ("org/name") or bundled name, on the CPU.

    Raises MediaError as `methods.load.load`.
    """
    return Model(load_network(name_or_folder))


class Model:
    """What a checkpoint can do for one clip at a time.

    network: the model itself (torch), which takes clips in batches.

    Every method refuses what the command line refuses: UntrustedResultError for real signing before
    a model of simulated signing (unless ``allow_simulated``), MediaError for a clip that hardly shows a
    hand, UsageError where the model cannot do it or cannot read the clip's layout.
    """

    def __init__(self, network: Any):
        self.network = network

    def __repr__(self) -> str:
        return f"<signloom model '{self.name}': {', '.join(self.can) or 'nothing'}>"

    @property
    def name(self) -> str:
        return str(self.network.name)

    @property
    def layout(self) -> Layout:
        """Which keypoints it reads; clips in other layouts are converted."""
        return self.network.layout

    @property
    def simulated_only(self) -> bool:
        """Whether it has learnt from simulated signing alone."""
        return bool(self.network.simulated_only)

    @property
    def can(self) -> tuple[str, ...]:
        """What it can do; see `tasks_of`."""
        return tasks_of(self.network)

    def translate(
        self,
        clip: PoseClip,
        beam: int | None = None,
        lips: Lips | None = None,
        allow_simulated: bool = False,
        *,
        instruction: str | None = None,
        previous: str | None = None,
    ) -> Translation:
        """The text of a clip, with its score and the next best.

        instruction: what to do with it instead, for a model that can be told. previous: the sentence before
        it, for a model that has learnt with it. UsageError for one that has not.
        """
        self._refuse("translate", clip, lips, allow_simulated)
        refuse_deaf(self.network, instruction)
        refuse_forgetful(self.network, previous)
        return translate_clips(
            self.network,
            [clip],
            beam,
            lips=[lips],
            instruction=instruction,
            previous=None if previous is None else [previous],
        )[0]

    def recognize(
        self,
        clip: PoseClip,
        top: int = 5,
        lips: Lips | None = None,
        allow_simulated: bool = False,
    ) -> Recognition:
        """The likeliest ``top`` glosses of a clip of one sign."""
        self._refuse("recognize", clip, lips, allow_simulated)
        return next(iter(recognize_clips(self.network, [clip], top, [lips])))

    def align(
        self,
        clip: PoseClip,
        cues: Sequence[Cue],
        wishes: Wishes = Wishes(),
        allow_simulated: bool = False,
    ) -> Retimed:
        """The cues of a clip at new times, each with its confidence, in their order.

        Raises SubtitleError where cues and clip do not go together.
        """
        self._refuse("align", clip, None, allow_simulated)
        found = activity(track([clip]))
        refine: Refine
        if isinstance(self.network, Spotter):
            refine = WithSpotter(self.network, clip.cut, found.duration)
        else:
            refine = WithModel(self.network, clip.cut, found.duration)
        return retime(cues, found, wishes, name="the cues", refine=refine)

    def _refuse(self, what: str, clip: object, lips: Lips | None, allow_simulated: bool) -> None:
        if what not in self.can:
            raise UsageError(
                f"model '{self.name}' cannot {what}, it can {' and '.join(self.can) or 'do nothing'}; "
                "load another"
            )
        if not isinstance(clip, PoseClip):
            raise UsageError(
                f"{what} takes one PoseClip, got {type(clip).__name__}; call it for each clip, or give "
                "a list to model.network"
            )
        named = f"clip '{clip.id}'"
        refuse_untrusted(self.network, clip.simulated, allow_simulated, named)
        conversion(clip.layout, self.layout)
        refuse_empty(clip, named)
        refuse_blind(self.network, lips, named)


def tasks_of(network: Any) -> tuple[str, ...]:
    """What a model can be asked for: "translate", "recognize", "align"."""
    can = {
        "translate": isinstance(network, Translator),
        "recognize": isinstance(network, Recognizer),
        "align": isinstance(network, Locator) or (isinstance(network, Spotter) and network.spots),
    }
    return tuple(task for task, able in can.items() if able)
