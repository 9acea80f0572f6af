"""AutoSign's compression: lengths as published, padding that changes nothing, every reader of it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from signloom.encoders.compression import BiLSTM, Compression, strides
from signloom.errors import UsageError

CONTEXTS = ("none", "bilstm", "transformer", "dilated")


def compression(context: str = "none", stride: int = 4, channels: tuple[int, ...] = (12, 16)):
    torch.manual_seed(0)
    return Compression(6, channels, stride, context, 2, 4, 0.0).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [(12, 16), (24, 12, 16)])
@pytest.mark.parametrize("stride", [1, 2, 4, 8])
def test_a_clip_of_t_frames_becomes_its_stride_th_part_rounded_up(
    channels: tuple[int, ...], stride: int
) -> None:
    model = compression(stride=stride, channels=channels)
    for frames in (1, 2, 3, 4, 7, 8, 9, 33):
        x, there = model(torch.randn(1, frames, 6), torch.ones(1, frames, dtype=torch.bool))
        assert x.shape == (1, -(-frames // stride), 16)
        assert there.all()


def test_the_papers_convolutions() -> None:
    """Conv1d(134→256, k3, s2, p1), Conv1d(256→512, k3, s2, p1); 1024, 512, 512 at s2 (spec §2)."""
    two = Compression(134)
    three = Compression(134, (1024, 512, 512), 8)
    shapes = [
        [(c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0], c.padding[0]) for c in m]
        for m in (two.convolutions, three.convolutions)
    ]
    assert shapes[0] == [(134, 256, 3, 2, 1), (256, 512, 3, 2, 1)]
    assert shapes[1] == [(134, 1024, 3, 2, 1), (1024, 512, 3, 2, 1), (512, 512, 3, 2, 1)]
    x, _ = two(torch.randn(1, 1000, 134), torch.ones(1, 1000, dtype=torch.bool))
    assert x.shape == (1, 250, 512)


def test_two_layers_are_the_published_formula() -> None:
    """ReLU(conv(ReLU(conv(x)))) in plain float64, written out."""
    model = compression().double()
    x = torch.randn(1, 9, 6, dtype=torch.float64)
    want = x[0]
    for layer in model.convolutions:
        padded = torch.cat(
            [want.new_zeros(1, want.shape[1]), want, want.new_zeros(1, want.shape[1])]
        )
        want = torch.stack(
            [
                torch.einsum("oik,ki->o", layer.weight, padded[at : at + 3]) + layer.bias
                for at in range(0, len(want), 2)
            ]
        ).clamp(min=0)
    got, _ = model(x, torch.ones(1, 9, dtype=torch.bool))
    torch.testing.assert_close(got[0], want)


@pytest.mark.parametrize("context", CONTEXTS)
def test_padding_changes_nothing(context: str) -> None:
    model = compression(context)
    short = torch.randn(1, 13, 6)
    alone, _ = model(short, torch.ones(1, 13, dtype=torch.bool))
    batch = torch.randn(2, 30, 6)  # what stands in padded frames must not matter either
    batch[0, :13] = short
    mask = torch.ones(2, 30, dtype=torch.bool)
    mask[0, 13:] = False
    together, there = model(batch, mask)
    torch.testing.assert_close(together[0, :4], alone[0], atol=1e-5, rtol=1e-4)
    assert there.sum(1).tolist() == [4, 8]
    assert not together[0, 4:].any()


def test_the_bilstm_is_torchs_over_packed_rows() -> None:
    ours = BiLSTM(8, 2, 0.1).eval()
    theirs = nn.LSTM(8, 4, 2, batch_first=True, bidirectional=True).eval()
    theirs.load_state_dict(ours.state_dict())
    x, lengths = torch.randn(3, 9, 8), torch.tensor([9, 1, 5])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    want, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    got = ours(x, mask := torch.arange(9) < lengths[:, None])
    torch.testing.assert_close(got[mask], want[mask])


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_row_without_frames_is_zeros_and_no_nan(context: str) -> None:
    mask = torch.ones(2, 8, dtype=torch.bool)
    mask[1] = False
    x, there = compression(context)(torch.randn(2, 8, 6), mask)
    assert torch.isfinite(x).all()
    assert not x[1].any()
    assert there.sum(1).tolist() == [2, 0]


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_parameter_has_a_gradient(context: str) -> None:
    model = compression(context)
    x, _ = model(torch.randn(2, 30, 6), torch.ones(2, 30, dtype=torch.bool))
    (x**2).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_strides_are_spread_and_powers_of_two() -> None:
    assert [strides(s, 2) for s in (1, 2, 4, 8)] == [[1, 1], [2, 1], [2, 2], [4, 2]]
    for wrong in (0, 3, 6):
        with pytest.raises(UsageError, match=f"compression by {wrong} is none of 1, 2, 4"):
            strides(wrong, 2)


@pytest.mark.parametrize("context", CONTEXTS)
def test_without_convolutions_frames_stay_as_they_are(context: str) -> None:
    model = Compression(8, (), 1, context, 1, 4, 0.0).eval()  # type: ignore[arg-type]
    x, mask = torch.randn(2, 5, 8), torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    found, there = model(x, mask)
    assert (model.width, found.shape, there.tolist()) == (8, x.shape, mask.tolist())
    assert not found[1, 3:].any()
    if context == "none":
        assert torch.equal(found[0], x[0])
    with pytest.raises(UsageError, match="by 4 takes convolutions, and channels names none"):
        Compression(8, (), 4)
