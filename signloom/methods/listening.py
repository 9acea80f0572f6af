"""Whether a model looks at the signing, or writes likely text whatever it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from signloom.data.sample import Sample


@torch.no_grad()
def heard(
    model: Any, samples: Sequence[Sample], seen: Sequence[str], rows: int = 16
) -> dict[str, float]:
    """The loss a token of some samples' answers, and the same when each is shown the next one's signing.

    model: a `Trainable` whose examples and batches are NamedTuples; ``seen`` names an example's fields that
    are signing. Where the two losses come to be alike, it does not look. {} for less than two samples.
    """
    if len(samples) < 2:
        return {}
    rng = np.random.default_rng(0)
    examples = [model.example(each, rng, train=False) for each in samples]
    others = [
        mine._replace(**{name: getattr(next_one, name) for name in seen})
        for mine, next_one in zip(examples, [*examples[1:], examples[0]], strict=True)
    ]
    device = next(model.parameters()).device

    def mean(asked: list[Any]) -> float:
        losses = []
        for at in range(0, len(asked), rows):
            batch = model.collate(asked[at : at + rows])
            losses.append(model.loss(type(batch)(*(x.to(device) for x in batch))))
        return float(sum(each.total for each in losses) / sum(each.count for each in losses))

    return {"loss": round(mean(examples), 4), "loss-shuffled": round(mean(others), 4)}
