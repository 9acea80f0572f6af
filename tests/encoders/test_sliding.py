"""Windows: how many, that each is what it would be alone, and how their row is lengthened."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from signloom.data.layouts import HANDS42
from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.encoders.pose_backbone import PoseBackbone
from signloom.encoders.sliding import sliding, sliding_whole, windows
from signloom.errors import UsageError


@pytest.fixture
def conformer() -> Conformer:
    torch.manual_seed(0)
    return Conformer(6, 8, layers=2, heads=2, head_width=4).double().eval()


def frames(time: int, *real: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    mask = torch.arange(time)[None] < torch.tensor(real or (time,))[:, None]
    return torch.randn(len(mask), time, 6).double(), mask


def test_twenty_seconds_are_239_windows_or_250_positions(conformer: Conformer) -> None:
    x, mask = frames(500)
    windows, real = sliding(conformer, x, mask)
    assert windows.shape == (1, 239, 8)
    assert real.all()
    for p in (0, 117, 238):
        part = slice(2 * p, 2 * p + 24)
        alone, attention = conformer(x[:, part], mask[:, part])
        torch.testing.assert_close(windows[:, p], attentive_pool(alone, attention, mask[:, part]))
    padded, kept = sliding(conformer, x, mask, length=250)
    assert padded.shape == (1, 250, 8)
    assert kept.all()
    torch.testing.assert_close(padded[:, 5:244], windows)
    torch.testing.assert_close(padded[:, :5], windows[:, :1].expand(1, 5, 8))
    torch.testing.assert_close(padded[:, 244:], windows[:, -1:].expand(1, 6, 8))


def test_training_is_that_of_a_conformer_whole_in_each_window(conformer: Conformer) -> None:
    conformer.train()
    for part in conformer.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    x, mask = frames(40, 40, 31)
    weights = list(conformer.parameters())
    found, real = sliding(conformer, x, mask)
    cut = windows(x, 24, 2).flatten(0, 1)
    inside = (windows(mask[:, :, None], 24, 2)[..., 0] & real[:, :, None]).flatten(0, 1)
    whole = attentive_pool(*conformer(cut, inside), inside).unflatten(0, (2, -1))
    torch.testing.assert_close(found[real], whole[real])
    torch.testing.assert_close(
        torch.autograd.grad(found[real].square().sum(), weights),
        torch.autograd.grad(whole[real].square().sum(), weights),
    )


def test_padding_changes_nothing_in_training(conformer: Conformer) -> None:
    conformer.train()
    for part in conformer.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    x, mask = frames(60, 40, 31)
    (short, real), (long, kept) = (sliding(conformer, x[:, :n], mask[:, :n]) for n in (40, 60))
    torch.testing.assert_close(long[kept], short[real])


def test_a_padded_clip_gives_what_it_gives_alone(conformer: Conformer) -> None:
    x, mask = frames(60, 60, 37, 9, 0)
    together, real = sliding(conformer, x, mask)
    assert real.sum(1).tolist() == [19, 7, 1, 0]
    for i, n in enumerate((60, 37, 9)):
        alone, whole = sliding(conformer, x[i : i + 1, :n], mask[i : i + 1, :n])
        assert whole.all()
        torch.testing.assert_close(together[i][real[i]], alone[0])
    assert not together[~real].any()
    longer, kept = sliding(conformer, x, mask, length=30)
    assert kept.sum(1).tolist() == [30, 18, 12, 0]
    torch.testing.assert_close(longer[1, 5:12], together[1, :7])
    torch.testing.assert_close(longer[1, 12:18], together[1, 6:7].expand(6, 8))
    assert not longer[~kept].any()


def test_in_one_window_both_ways_are_the_backbone() -> None:
    torch.manual_seed(0)
    backbone = PoseBackbone(HANDS42, channels=4, width=8, layers=1, heads=2, head_width=4).eval()
    points, mask = torch.randn(2, 24, 42, 3), torch.ones(2, 24, dtype=torch.bool)
    pooled = backbone(points, mask).pooled
    torch.testing.assert_close(sliding_whole(backbone, points, mask)[0][:, 0], pooled)
    joined = backbone.frames(points, mask)
    torch.testing.assert_close(sliding(backbone.conformer, joined, mask)[0][:, 0], pooled)


def test_the_whole_backbone_in_each_window_sees_nothing_outside_it() -> None:
    torch.manual_seed(0)
    backbone = PoseBackbone(HANDS42, channels=4, width=8, layers=1, heads=2, head_width=4).eval()
    points, mask = torch.randn(1, 40, 42, 3), torch.ones(1, 40, dtype=torch.bool)
    changed = points.clone()
    changed[:, 30:] += 1
    for arm, same in ((sliding_whole, 4), (sliding, 0)):
        results = [
            arm(backbone, p, mask)[0] if arm is sliding_whole  # type: ignore[arg-type]
            else arm(backbone.conformer, backbone.frames(p, mask), mask)[0]
            for p in (points, changed)
        ]  # fmt: skip
        equal = torch.isclose(*results).all(2)[0]
        assert int(equal.sum()) == same, arm.__name__


def test_fewer_positions_than_windows_are_refused(conformer: Conformer) -> None:
    x, mask = frames(60)
    with pytest.raises(UsageError, match="19 windows, more than the 18 positions asked for"):
        sliding(conformer, x, mask, length=18)
