"""Shapes of the paper, the mirrored hand, padding, chunks, and what each articulator may see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from signloom.data.layouts import HANDS42, ISHARAH86, LAYOUTS, MP203, PS76, Layout
from signloom.encoders.agcn import in_chunks, out_of_chunks
from signloom.encoders.pose_backbone import PoseBackbone, articulator_keypoints
from signloom.errors import UsageError


def tiny(layout: Layout = HANDS42, **options: Any) -> PoseBackbone:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"channels": 4, "width": 8, "layers": 2, "heads": 2, "head_width": 4}
    return PoseBackbone(layout, **(settings | options))


def clip(layout: Layout, frames: int, coordinates: int = 3) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    points = torch.randn(1, frames, len(layout), coordinates)
    return points, torch.ones(1, frames, dtype=torch.bool)


def test_shapes_are_the_paper_s_at_every_step() -> None:
    """203 points, 500 frames, table A.1 with C_in = 64 and C = 256, on the meta device."""
    shapes: dict[str, tuple[int, ...]] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: object, output: Tensor) -> None:
            shapes[name] = tuple(output.shape)

        return hook

    with torch.device("meta"):
        backbone = PoseBackbone(MP203).eval()
        for name, module in backbone.named_modules():
            if name.startswith(("encoders", "conformer.fc1")) and name.count(".") in (1, 2, 3):
                module.register_forward_hook(keep(name))
        features = backbone(torch.empty(1, 500, 203, 3), torch.ones(1, 500, dtype=torch.bool))
    for encoder, joints, batch in (("face", 128, 1), ("body", 33, 1), ("hand", 21, 2)):
        assert shapes[f"encoders.{encoder}.fc1"] == (batch, 500, joints, 64)
        for i, channels in enumerate((64, 128, 256, 256)):
            assert shapes[f"encoders.{encoder}.blocks.{i}"] == (batch, 500, joints, channels)
        assert shapes[f"encoders.{encoder}.fc2"] == (batch, 500, 256)
    assert shapes["conformer.fc1"] == (1, 500, 512)
    assert {name: f.shape for name, f in features.articulators.items()} == dict.fromkeys(
        ("body", "face", "left_hand", "right_hand"), (1, 500, 256)
    )
    assert features.sequence.shape == (1, 500, 512)
    assert features.pooled.shape == (1, 512)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_the_right_hand_s_keypoints_follow_the_left_s(layout: Layout) -> None:
    parts = articulator_keypoints(layout)
    left, right = parts["left_hand"], parts["right_hand"]
    assert [layout.mirror[i] for i in left] == right
    assert [layout.keypoints[i].lower().replace("left", "right") for i in left] == [
        layout.keypoints[i].lower().replace("left", "right") for i in right
    ]


@pytest.mark.parametrize("presence", [True, False])
def test_a_mirrored_right_hand_is_the_left_hand(presence: bool) -> None:
    backbone = tiny(ISHARAH86, presence=presence)
    points, mask = clip(ISHARAH86, 9, 3 + presence)
    left, right = ISHARAH86.part("left_hand"), ISHARAH86.part("right_hand")
    points[:, :, right] = points[:, :, left]
    points[:, :, right, 0] *= -1
    found = backbone.articulators(points, mask)
    torch.testing.assert_close(found["right_hand"], found["left_hand"])
    points[:, :, right, 0] *= -1
    found = backbone.articulators(points, mask)
    assert not torch.allclose(found["right_hand"], found["left_hand"], atol=1e-3)


def test_an_articulator_sees_its_own_keypoints_only() -> None:
    backbone = tiny(MP203).eval()
    points, mask = clip(MP203, 9)
    before = backbone.articulators(points, mask)
    points[:, :, MP203.part("face")] += 1
    after = backbone.articulators(points, mask)
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["face"]
    together = backbone.frames(points, mask)
    torch.testing.assert_close(together, torch.cat([*after.values()], dim=-1))


@pytest.mark.parametrize("training", [True, False])
def test_padding_never_changes_real_frames(training: bool) -> None:
    backbone = tiny(dropout=0.0).double().train(training)
    points, mask = clip(HANDS42, 7)
    alone = backbone(points.double(), mask)
    padded = torch.cat([points, torch.randn(1, 6, 42, 3)], dim=1).double()
    behind = torch.nn.functional.pad(mask, (0, 6))
    found = backbone(padded, behind)
    torch.testing.assert_close(found.sequence[:, :7], alone.sequence)
    torch.testing.assert_close(found.pooled, alone.pooled)
    for name, features in found.articulators.items():
        torch.testing.assert_close(features[:, :7], alone.articulators[name])
        assert not features[:, 7:].any()


def test_each_chunk_is_a_sequence_of_its_own() -> None:
    backbone = tiny().double().eval()
    points, mask = clip(HANDS42, 20)
    points = points.double()
    whole = out_of_chunks(backbone.frames(*in_chunks(points, mask, 8)), 1, 20)
    pieces = [slice(0, 8), slice(8, 16), slice(16, 20)]
    each = torch.cat([backbone.frames(points[:, p], mask[:, p]) for p in pieces], dim=1)
    torch.testing.assert_close(each, whole, rtol=1e-12, atol=1e-14)
    assert not torch.allclose(backbone.frames(points, mask), whole, atol=1e-3)


@pytest.mark.parametrize(
    "options",
    [{}, {"factored": True}, {"adaptive": False}, {"aggregation": "mean"}],
    ids=str,
)
def test_every_parameter_learns(options: dict[str, Any]) -> None:
    backbone = tiny(PS76, channels=64, multipliers=(1, 2, 2), **options)
    points, mask = clip(PS76, 40)
    mask[:, 37:] = False
    features = backbone(points, mask)
    torch.manual_seed(2)
    loss = (features.pooled * torch.randn_like(features.pooled)).sum()
    (loss + features.sequence.square().sum()).backward()
    still = [n for n, p in backbone.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_the_ablation_averages_joints() -> None:
    backbone = tiny(aggregation="mean")
    assert not any("fc2" in name for name, _ in backbone.named_parameters())
    assert backbone(*clip(HANDS42, 5)).pooled.shape == (1, 8)


def test_what_it_cannot_read_is_refused() -> None:
    points, mask = clip(HANDS42, 4, 2)
    with pytest.raises(UsageError, match=r"42 keypoints of 2 numbers, .* reads 42 of 3; convert"):
        tiny().articulators(points, mask)
    nothing = Layout("nothing", ("A:0", "A:1"), ("world", "world"))
    with pytest.raises(UsageError, match="layout 'nothing' has none of body, face"):
        tiny(nothing)
    uneven = replace(HANDS42, name="uneven", mirror=tuple(range(42)))
    with pytest.raises(UsageError, match="hands of layout 'uneven' do not mirror"):
        tiny(uneven)
