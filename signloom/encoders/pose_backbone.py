"""The pose backbone of "Lost in Translation, Found in Embeddings" (arXiv 2512.08040, §3.1, A.1, A.2).

Four articulators, each through a graph encoder of its own (both hands through one, the right
one mirrored), joined frame by frame, then a Conformer and attentive pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.data.layouts import Layout
from signloom.encoders.agcn import AgcnBlock
from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.encoders.graph import articulator_edges, partitions
from signloom.encoders.masked_norm import real
from signloom.errors import UsageError

ARTICULATORS = ("body", "face", "left_hand", "right_hand")
HANDS = ("left_hand", "right_hand")


class PoseFeatures(NamedTuple):
    """What the backbone makes of a clip; padded frames are 0 everywhere.

    articulators: each articulator's frames (B, T, C), before they are joined.
    sequence: (B, T, width), the Conformer's frames.
    pooled: (B, width), f_pose.
    """

    articulators: dict[str, Float[Tensor, "batch time channels"]]
    sequence: Float[Tensor, "batch time width"]
    pooled: Float[Tensor, "batch width"]


class PoseBackbone(nn.Module):
    """Keypoints (B, T, V, coordinates) in, frames and one vector per clip out.

    Points come normalised, with x centred near 0 (``pose.normalize``: shoulders), since the
    right hand is mirrored by changing the sign of its x.

    layout: which keypoints; the encoder has those of `ARTICULATORS` that the layout has.
    coordinates: 2 or 3; with ``presence``, points carry one more, 1 where the keypoint was
    seen and 0 where not (ours).
    channels, multipliers: C_in = channels, and each AGCN block's outputs as a multiple of it;
    C is the last one. The paper does not give them [D].
    width, layers, heads, head_width, dropout: of the Conformer.
    aggregation: over joints: T×(V·C) → Linear → T×C ("project" [S]), or their mean (the paper's
    ablation).
    adaptive, factored: see `AgcnBlock`.

    Raises UsageError where the layout has none of the articulators, or hands that do not mirror.
    """

    def __init__(
        self,
        layout: Layout,
        coordinates: int = 3,
        channels: int = 64,
        multipliers: Sequence[int] = (1, 2, 4, 4),
        width: int = 512,
        layers: int = 4,
        heads: int = 8,
        head_width: int = 64,
        dropout: float = 0.1,
        aggregation: Literal["project", "mean"] = "project",
        factored: bool = False,
        adaptive: bool = True,
        presence: bool = False,
    ):
        super().__init__()
        self.keypoints = len(layout)
        self.inputs = coordinates + presence
        self.parts = articulator_keypoints(layout)
        self.names = tuple(self.parts)
        self.channels = channels * multipliers[-1]
        self.encoders = nn.ModuleDict()
        for name, keypoints in self.parts.items():
            if encoder_of(name) not in self.encoders:
                graph = partitions(len(keypoints), articulator_edges(layout, name))
                self.encoders[encoder_of(name)] = ArticulatorEncoder(
                    torch.tensor(graph),
                    self.inputs,
                    [channels * multiple for multiple in (1, *multipliers)],
                    aggregation,
                    adaptive,
                    factored,
                )
        self.conformer = Conformer(
            len(self.names) * self.channels, width, layers, heads, head_width, dropout=dropout
        )

    def articulators(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> dict[str, Float[Tensor, "batch time channels"]]:
        """Each articulator's frames. Raises UsageError where the points are not the layout's."""
        if points.shape[2:] != (self.keypoints, self.inputs):
            raise UsageError(
                f"the points have {points.shape[2]} keypoints of {points.shape[3]} numbers, but the "
                f"pose backbone reads {self.keypoints} of {self.inputs}; convert the clip to the "
                "layout that the model was made for"
            )
        features = {
            name: self.encoders[name](points[:, :, self.parts[name]], mask)
            for name in self.names
            if name not in HANDS
        } | self._hands(points, mask)
        return {name: features[name] for name in self.names}

    def _hands(self, points: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Both hands through one encoder at once, the right one mirrored in x first [S]."""
        hands = {name: points[:, :, self.parts[name]] for name in self.names if name in HANDS}
        if not hands:
            return {}
        if "right_hand" in hands:
            hands["right_hand"] = mirrored_x(hands["right_hand"])
        both = self.encoders["hand"](torch.cat([*hands.values()]), mask.repeat(len(hands), 1))
        return dict(zip(hands, both.chunk(len(hands)), strict=True))

    def frames(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time joined"]:
        """The articulators' frames side by side: (B, T, A·C). Raises as `articulators`."""
        return torch.cat([*self.articulators(points, mask).values()], dim=-1)

    def forward(
        self,
        points: Float[Tensor, "batch time keypoints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> PoseFeatures:
        """``mask`` is True on real frames. Raises as `articulators`."""
        articulators = self.articulators(points, mask)  # each (B, T, C)
        joined = torch.cat([*articulators.values()], dim=-1)  # (B, T, A·C)
        sequence, attention = self.conformer(joined, mask)  # (B, T, width), (B, T, T)
        return PoseFeatures(articulators, sequence, attentive_pool(sequence, attention, mask))


class ArticulatorEncoder(nn.Module):
    """fc1 per joint, AGCN blocks, and the joints of each frame drawn together (table A.1).

    graph: (3, V, V). channels: after fc1 and after each block.
    """

    def __init__(
        self,
        graph: Float[Tensor, "3 joints joints"],
        inputs: int,
        channels: Sequence[int],
        aggregation: Literal["project", "mean"],
        adaptive: bool,
        factored: bool,
    ):
        super().__init__()
        self.fc1 = nn.Linear(inputs, channels[0])
        self.blocks = nn.ModuleList(
            AgcnBlock(before, after, graph, adaptive=adaptive, factored=factored)
            for before, after in pairwise(channels)
        )
        joints = graph.shape[1]
        project = aggregation == "project"
        self.fc2 = nn.Linear(joints * channels[-1], channels[-1]) if project else None

    def forward(
        self,
        points: Float[Tensor, "batch time joints inputs"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time channels"]:
        x = self.fc1(points) * real(mask, points)  # (B, T, V, C_in)
        for block in self.blocks:
            x = block(x, mask)  # (B, T, V, C)
        joined = x.mean(2) if self.fc2 is None else self.fc2(x.flatten(2))  # (B, T, C)
        return joined * real(mask, joined)


def articulator_keypoints(layout: Layout) -> dict[str, list[int]]:
    """Each articulator that the layout has → its keypoints; the right hand's in the left hand's order.

    Raises UsageError where there is none, or where the hands do not mirror each other.
    """
    parts = {name: layout.part(name).tolist() for name in ARTICULATORS if len(layout.part(name))}
    if not parts:
        raise UsageError(
            f"layout '{layout.name}' has none of {', '.join(ARTICULATORS)}; "
            "the pose backbone needs at least one of them: choose another layout"
        )
    if all(hand in parts for hand in HANDS):
        mirrored = [int(i) for i in np.array(layout.mirror)[parts["left_hand"]]]
        if sorted(mirrored) != sorted(parts["right_hand"]):
            raise UsageError(
                f"the hands of layout '{layout.name}' do not mirror each other "
                f"({len(parts['left_hand'])} keypoints left, {len(parts['right_hand'])} right), but the "
                "pose backbone has one encoder for both; choose a layout whose hands match"
            )
        parts["right_hand"] = mirrored
    return parts


def encoder_of(articulator: str) -> str:
    """The name of the encoder that looks at an articulator: one for both hands [S]."""
    return "hand" if articulator in HANDS else articulator


def mirrored_x(points: Float[Tensor, "*any inputs"]) -> Float[Tensor, "*any inputs"]:
    """The first number of each keypoint with its sign changed."""
    flip = points.new_ones(points.shape[-1])
    flip[0] = -1
    return points * flip
