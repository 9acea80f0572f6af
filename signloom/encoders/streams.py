"""What a pose encoder reads of each keypoint beside its position (ours)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from signloom.data.layouts import Layout
from signloom.encoders.pose_backbone import HANDS

Stream = Literal["position", "place", "local", "bone", "velocity"]
WRIST = 0
"""Of a hand's keypoints."""


def streams_of(
    points: Float[Tensor, "batch time keypoints inputs"],
    layout: Layout,
    streams: Sequence[Stream],
    units: Literal["shoulder", "hands"],
    presence: bool,
    mask: Bool[Tensor, "batch time"] | None = None,
) -> Float[Tensor, "batch time keypoints channels"]:
    """What the backbone reads of each keypoint, from its coordinates and whether it was seen.

    position: as the normaliser gives it. place: from the clip's mean wrist. local: hands from
    their wrist, other keypoints as they are. bone: hands from the keypoint before it on the finger.
    velocity: to the next frame, and 0 in the last one of ``mask`` (None: of all). The backbone
    mirrors the right hand by its first number; in all others x is mirrored here. What is hidden
    through the whole clip is 0.

    points: a keypoint's last number says whether it was seen; ``presence`` keeps it. units: what
    the normaliser made of the coordinates, shoulder widths or palms.
    """
    number = points.shape[-1] - 1
    where, seen = points[..., :number], points[..., -1:]
    hands = {side: layout.part(side) for side in HANDS if len(layout.part(side))}
    known = seen.amax(1, keepdim=True)  # (B, 1, V, 1)
    found = []
    for stream in streams:
        if stream == "position":
            values = where
        elif stream == "place":
            wrists = [int(part[WRIST]) for part in hands.values()]
            count = seen[:, :, wrists].sum((1, 2), keepdim=True).clamp(min=1)
            middle = (where * seen)[:, :, wrists].sum((1, 2), keepdim=True) / count
            values = where - middle
        elif stream == "velocity":
            values = torch.cat([where.diff(dim=1), torch.zeros_like(where[:, :1])], 1)
            if mask is not None:
                goes_on = torch.cat([mask[:, 1:], torch.zeros_like(mask[:, :1])], 1)
                values = values * goes_on[:, :, None, None]
        else:
            parent = torch.as_tensor(_parents(layout, stream), device=points.device)
            values = where - where[:, :, parent.clamp(min=0)] * (parent >= 0)[:, None]
        scale = points.new_tensor(SCALE[units][stream])
        found.append(values * known * scale)
    whole = torch.cat(found, -1)
    if "right_hand" in hands:
        flip = whole.new_ones(len(layout), whole.shape[-1])
        flip[torch.as_tensor(hands["right_hand"])[:, None], torch.arange(
            number, whole.shape[-1], number
        )[None]] = -1  # fmt: skip
        whole = whole * flip
    return torch.cat([whole, seen], -1) if presence else whole


SCALE: dict[str, dict[str, float]] = {
    "shoulder": {"position": 1.0, "place": 1.0, "local": 4.0, "bone": 6.0, "velocity": 6.0},
    "hands": {"position": 0.3, "place": 0.3, "local": 1.0, "bone": 2.0, "velocity": 2.0},
}
"""What brings each stream to a size of about one, in the normaliser's units (ours)."""


def _parents(layout: Layout, stream: str) -> list[int]:
    """Of each keypoint the one it is measured from, −1 for none; a wrist is measured from itself."""
    parents = [-1] * len(layout)
    for side in HANDS:
        part = [int(i) for i in layout.part(side)]
        for joint, keypoint in enumerate(part):
            knuckle = stream == "local" or joint % 4 == 1 or joint == WRIST
            parents[keypoint] = part[WRIST if knuckle else joint - 1]
    return parents
