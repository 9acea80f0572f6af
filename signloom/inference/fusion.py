"""A recogniser of pose and one of lips that answer as one: late fusion (arXiv 2512.08040, §4.4, B.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from signloom.data.clip import PoseClip
from signloom.data.layouts import Layout
from signloom.data.lips import Lips
from signloom.data.sample import SampleSource, gloss_of
from signloom.data.timing import Seconds
from signloom.errors import UsageError
from signloom.inference.recognize import (
    Calibration,
    Recognition,
    calibrated,
    chunks,
    ranked,
    recognitions,
)
from signloom.inference.translate import refuse_untrusted
from signloom.metrics.recognition import classification_rates

SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""What pose may count: the paper's five [S, table of B.1], and pose alone."""


def fused(
    pose: NDArray[np.float64], lips: NDArray[np.float64], share: float
) -> NDArray[np.float64]:
    """Late fusion of two models' logits (clips, glosses): share · pose + (1 − share) · lips [S, §4.4]."""
    if pose.shape != lips.shape:
        raise UsageError(
            f"pose gives logits of shape {pose.shape} and lips of {lips.shape}; both must be of the "
            "same clips and glosses"
        )
    return share * pose + (1 - share) * lips


class Fused(nn.Module):
    """Two recognisers of the same glosses as one; a clip whose lips are not known is left to pose.

    share: what pose counts, 0 to 1. Both must give ``logits(clips, lips)`` and be `Recognizer`.
    Raises UsageError where one reads what the other should, or their glosses are not the same.
    """

    def __init__(self, pose: Any, lips: Any, share: float = SHARES[0]):
        super().__init__()
        if (_read_by(pose), _read_by(lips)) != ("pose", "lips"):
            raise UsageError(
                f"'{pose.name}' reads {_read_by(pose)} and '{lips.name}' reads {_read_by(lips)}, "
                "expected pose and lips; give a recogniser of each, pose first"
            )
        if tuple(pose.glosses) != tuple(lips.glosses):
            alone = sorted(set(pose.glosses) ^ set(lips.glosses))
            raise UsageError(
                f"pose knows {len(pose.glosses)} glosses and lips {len(lips.glosses)}; not in both: "
                f"{', '.join(alone[:5])}{' …' if len(alone) > 5 else ''}; train both on the same words"
            )
        if not 0 <= share <= 1:
            raise UsageError(f"the share of pose is {share}, expected a number from 0 to 1")
        self.pose, self.lips, self.share = pose, lips, share
        self.glosses: tuple[str, ...] = tuple(pose.glosses)
        self.calibration: Calibration | None = None
        self.name = f"{pose.name} and {lips.name}"
        self.simulated_only = bool(pose.simulated_only or lips.simulated_only)

    @property
    def layout(self) -> Layout:
        return self.pose.layout

    @property
    def reads_lips(self) -> bool:
        return True

    def seconds_read(self, clip: PoseClip) -> Seconds:
        return self.pose.seconds_read(clip)

    def described(self) -> dict[str, Any]:
        """What a checkpoint's config.json says of the two; the method of pose restores them."""
        parts = {"pose": self.pose.described(), "lips": self.lips.described()}
        kept = {"calibration": self.calibration.to_json()} if self.calibration else {}
        return {
            "method": parts["pose"]["method"],
            "layout": parts["pose"]["layout"],
            "fused": {**parts, "share": self.share},
            **kept,
        }

    def recognize(
        self,
        clips: Sequence[PoseClip],
        top: int = 5,
        lips: Sequence[Lips | None] | None = None,
    ) -> list[Recognition]:
        """The likeliest glosses of each clip, from pose and lips where ``lips`` are known, else from pose.

        Raises UsageError where a clip's layout does not convert, MediaError where lips have not its frames.
        """
        found: list[Recognition | None] = [None] * len(clips)
        both = [i for i in range(len(clips)) if lips is not None and _seen(lips[i])]
        alone = [i for i in range(len(clips)) if i not in set(both)]
        if both:
            assert lips is not None
            with_lips = [clips[i] for i in both], [lips[i] for i in both]
            logits = fused(self.pose.logits(*with_lips), self.lips.logits(*with_lips), self.share)
            told = recognitions(logits, self.glosses, self.calibration, top, "pose and lips")
            for i, each in zip(both, told, strict=True):
                found[i] = each
        for i, each in zip(alone, self.pose.recognize([clips[i] for i in alone], top), strict=True):
            found[i] = each
        return [each for each in found if each is not None]


def tune(
    model: Fused,
    dev: SampleSource,
    limit: int,
    shares: Sequence[float] = SHARES,
    allow_simulated: bool = False,
) -> dict[float, dict[str, float]]:
    """Gives the model the share that is best on dev samples, and calibrates it there.

    Returns the rates (`metrics.recognition`, %) of each share on the first ``limit`` samples that
    have lips. Best is the highest top-1; of equal ones the share nearest to one half.

    Raises UsageError where no sample has lips, UntrustedResultError for real samples where a
    model knows only simulated signing, unless ``allow_simulated``.
    """
    pose, lips, truths = [], [], []
    for samples in chunks(dev, limit):
        for sample in samples:
            refuse_untrusted(model, sample.clip.simulated, allow_simulated, f"sample '{sample.id}'")
        having = [sample for sample in samples if _seen(sample.lips)]
        if having:
            read = [sample.clip for sample in having], [sample.lips for sample in having]
            pose.append(model.pose.logits(*read))
            lips.append(model.lips.logits(*read))
            truths += [gloss_of(sample) for sample in having]
    if not truths:
        raise UsageError(
            f"none of the {min(limit, len(dev))} samples has lips, so nothing says how much they "
            "should count; give a corpus with lips"
        )
    logits = np.concatenate(pose), np.concatenate(lips)
    rates = {
        share: classification_rates(ranked(fused(*logits, share), model.glosses), truths)
        for share in shares
    }
    model.share = max(rates, key=lambda share: (rates[share]["top-1"], -abs(share - 0.5)))
    places = {gloss: i for i, gloss in enumerate(model.glosses)}
    labels = np.array([places.get(truth, -1) for truth in truths])
    model.calibration = calibrated(fused(*logits, model.share), labels)
    return rates


def _seen(lips: Lips | None) -> bool:
    return lips is not None and bool(lips.present.any())


def _read_by(model: Any) -> str:
    if isinstance(model, Fused):
        return "pose and lips"
    return "lips" if model.reads_lips else "pose"
