"""The motion tokenizer: its formulas in float64, planted clusters, dead codes, a resumed run."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from signloom.encoders.motion_vq import Codebook, Kind, MotionVq, perplexity, usage
from signloom.encoders.quantizers import FiniteScalar, Residual, levels_of
from signloom.errors import UsageError


def small(seed: int = 0) -> MotionVq:
    torch.manual_seed(seed)
    return MotionVq(6, slice(3, 6), width=8, codes=5, dead_share=0.0)


def test_the_paper_size() -> None:
    with torch.device("meta"):
        model = MotionVq()
    first = [c for c in model.encoder.modules() if isinstance(c, torch.nn.Conv1d)]
    shape = [(c.in_channels, c.kernel_size[0], c.stride[0], c.dilation[0]) for c in first]
    block = [
        (512, 3, 1, 9),
        (512, 1, 1, 1),
        (512, 3, 1, 3),
        (512, 1, 1, 1),
        (512, 3, 1, 1),
        (512, 1, 1, 1),
    ]
    assert shape == [(623, 3, 1, 1), *[(512, 4, 2, 1), *block] * 2, (512, 3, 1, 1)]
    assert model.codebook.codes.shape == (1024, 512)


def test_the_nearest_code_is_the_nearest_in_float64() -> None:
    torch.manual_seed(0)
    book = Codebook(17, 4).double()
    book.codes.normal_()
    z = torch.randn(3, 9, 4, dtype=torch.float64)
    apart = torch.stack([(z - code).square().sum(-1) for code in book.codes], -1)
    assert torch.equal(book.nearest(z), apart.argmin(-1))
    assert torch.equal(book.of(book.nearest(book.codes)), book.codes)


def test_averages_are_the_formula_written_out() -> None:
    torch.manual_seed(0)
    book = Codebook(3, 2, decay=0.9, dead_share=0.0).double()
    book.start(torch.randn(3, 2, dtype=torch.float64))
    counts, sums = [1.0] * 3, [row.clone() for row in book.codes]
    for _ in range(4):
        z = torch.randn(7, 2, dtype=torch.float64)
        ids = book.nearest(z)
        for k in range(3):
            counts[k] = 0.9 * counts[k] + 0.1 * int((ids == k).sum())
            sums[k] = 0.9 * sums[k] + 0.1 * z[ids == k].sum(0)
        book.update(z, ids)
        wanted = torch.stack([s / c for s, c in zip(sums, counts, strict=True)])
        torch.testing.assert_close(book.codes, wanted)


def test_separate_clusters_are_found_and_used_evenly() -> None:
    torch.manual_seed(1)
    centres = 10 * torch.randn(8, 6)
    book = Codebook(8, 6, decay=0.8, dead_share=0.75)

    def batch() -> torch.Tensor:
        return (centres[:, None] + 0.05 * torch.randn(8, 16, 6)).flatten(0, 1)

    book.start(batch())
    for _ in range(150):
        z = batch()
        book.update(z, book.nearest(z))
    ids = book.nearest(centres)
    assert sorted(ids.tolist()) == list(range(8))
    torch.testing.assert_close(book.of(ids), centres, atol=0.1, rtol=0)
    assert (usage(book.nearest(batch()), 8), round(perplexity(book.nearest(batch()), 8), 6)) == (
        1,
        8,
    )


def test_a_dead_code_becomes_a_vector_of_the_batch_and_a_live_one_does_not() -> None:
    book = Codebook(3, 2, decay=0.5, dead_share=0.45)
    book.start(torch.tensor([[0.0, 0], [1, 0], [50, 50]]))
    dead = int(book.nearest(torch.tensor([[50.0, 50]])))
    z = torch.tensor([[0.0, 0.1], [1, 0.2], [0, 0.3], [1, 0.7]])
    book.update(z, book.nearest(z))  # of 4/3 a code: the others have 0.225 + 1, its own 0.225
    assert book.counts.tolist() == pytest.approx([1.225 if k != dead else 0.6 for k in range(3)])
    is_of_batch = (book.codes[:, None] == z[None]).all(2).any(1)
    assert is_of_batch.tolist() == [k == dead for k in range(3)]


def test_usage_and_perplexity_by_hand() -> None:
    ids = torch.tensor([[0, 0, 1], [1, 2, 2]])
    assert usage(ids, 4) == 0.75
    assert perplexity(ids, 4) == pytest.approx(3)
    assert perplexity(torch.tensor([0, 0, 0, 1]), 9) == pytest.approx(
        math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    )


def test_the_loss_is_the_formula_and_gradients_go_straight_through() -> None:
    model = small().double().train()
    model.set_scale(torch.arange(6).double(), torch.tensor([1.0, 2, 0, 1, 1, 1]).double())
    assert model.deviation.tolist() == [1, 2, 1, 1, 1, 1]
    x = torch.randn(2, 12, 6, dtype=torch.float64) * 3
    model(x)
    codes = model.codebook.codes.clone()
    loss, told = model.loss(x)
    scaled = (x - model.mean) / model.deviation
    z = model.encoder(scaled.mT).mT
    e = codes[told.ids]
    apart = (told.motion - scaled).abs()
    smooth = torch.where(apart < 1, apart**2 / 2, apart - 0.5)
    wanted = smooth.mean() + 0.5 * smooth[..., 3:].mean() + 0.02 * (z - e).square().mean()
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(told.motion, model.decoder(e.mT).mT)
    torch.testing.assert_close(model.decode(told.ids).shape, x.shape)

    z = z.detach().requires_grad_()
    through = z + (e - z).detach()
    (own,) = torch.autograd.grad(model.decoder(through.mT).square().sum(), z)
    e = e.clone().requires_grad_()
    (at_code,) = torch.autograd.grad(model.decoder(e.mT).square().sum(), e)
    torch.testing.assert_close(own, at_code)


def test_every_parameter_has_a_gradient_and_the_codes_have_none() -> None:
    model = small().train()
    for parameter in model.parameters():  # blocks begin as the identity
        parameter.data += 0.05 * torch.randn_like(parameter)
    loss, _ = model.loss(torch.randn(2, 16, 6))
    loss.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    assert "codebook.codes" not in dict(model.named_parameters())


def test_evaluation_changes_nothing_and_decode_undoes_encode() -> None:
    model = small().train()
    x = torch.randn(2, 16, 6)
    model(x)
    model.eval()
    before = copy.deepcopy(model.state_dict())
    told = model(x)
    assert torch.equal(model.encode(x), told.ids)
    torch.testing.assert_close(model.decode(told.ids), told.motion)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_a_resumed_run_equals_an_uninterrupted_one() -> None:
    batches = torch.randn(6, 4, 8, 6, generator=torch.Generator().manual_seed(3))

    def steps(model: MotionVq, optimizer: torch.optim.Optimizer, which: range) -> None:
        model.train()
        for i in which:
            optimizer.zero_grad()
            model.loss(batches[i])[0].backward()
            optimizer.step()

    whole = small()
    whole.codebook.dead_share = 2.0  # codes are reset all the time
    optimizer = torch.optim.SGD(whole.parameters(), 0.1)
    steps(whole, optimizer, range(3))
    again = small(seed=9)
    again.codebook.dead_share = 2.0
    again.load_state_dict(copy.deepcopy(whole.state_dict()))
    steps(whole, optimizer, range(3, 6))
    torch.rand(5)  # somebody else draws
    steps(again, torch.optim.SGD(again.parameters(), 0.1), range(3, 6))
    assert all(torch.equal(v, again.state_dict()[k]) for k, v in whole.state_dict().items())
    assert int(whole.codebook.updates) == 6


def test_it_learns_to_say_four_motions_again() -> None:
    torch.manual_seed(0)
    time = torch.arange(16) / 16
    x = torch.stack([torch.sin(2 * math.pi * (k + 1) * time / 2 + k) for k in range(4)])
    x = x[..., None].repeat(1, 1, 6)
    model = MotionVq(6, slice(3, 6), width=16, codes=16, dead_share=0.05).train()
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    for _ in range(250):
        loss, _ = model.loss(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    wrong = (model.decode(model.encode(x)) - x).square().mean()
    assert wrong < 0.05 * x.square().mean()


@pytest.mark.parametrize(("kind", "depth"), [("codebook", 1), ("residual", 2), ("fsq", 1)])
def test_late_codes_come_after_their_passes_and_from_what_the_encoder_has_learnt(
    kind: Kind, depth: int
) -> None:
    torch.manual_seed(0)
    model = MotionVq(6, slice(3, 6), width=8, codes=16, kind=kind, late=2, depth=depth).train()
    x = torch.randn(4, 16, 6)
    for _ in range(2):
        loss, told = model.loss(x)
        torch.testing.assert_close(told.motion, model._decoded(model.latents(x)))
        assert told.commitment == 0
        assert len(told.ids.unique()) == model.codebook.depth
        if int(model.passes) < 2:  # a validation before there are codes begins none
            before = copy.deepcopy(model.eval().state_dict())
            assert torch.isfinite(model.decode(model.encode(x))).all()
            assert all(torch.equal(v, before[k]) for k, v in model.train().state_dict().items())
    loss, told = model.loss(x)
    assert told.ids.unique().numel() > 4
    torch.testing.assert_close(
        told.motion, model._decoded(model.codebook.of(told.ids)), atol=1e-4, rtol=0
    )
    loss.backward()
    again = MotionVq(6, slice(3, 6), width=8, codes=16, kind=kind, late=2, depth=depth)
    again.load_state_dict(model.state_dict())
    assert int(again.passes) == 2


@torch.no_grad()
def test_it_begins_with_what_it_carries_at_its_size() -> None:
    torch.manual_seed(0)
    model = MotionVq(60, slice(30, 60), width=64, codes=16).eval()
    latents = model.latents(torch.randn(8, 64, 60))
    assert 0.2 < float(latents.std()) < 3
    assert 0.2 < float(model._decoded(torch.randn(8, 16, 64)).std()) < 3


def test_errors_say_what_to_do() -> None:
    model = small()
    with pytest.raises(UsageError, match="has 5 numbers, but this tokenizer reads 6"):
        model.encode(torch.zeros(1, 8, 5))
    for frames in (0, 7):
        with pytest.raises(UsageError, match=f"{frames} frames is no multiple of 4"):
            model.encode(torch.zeros(1, frames, 6))
    with pytest.raises(UsageError, match="run from 0 to 5, but the codebook has 0 to 4"):
        model.decode(torch.tensor([[0, 5]]))


@pytest.mark.parametrize(("kind", "depth"), [("residual", 3), ("fsq", 1), ("fsq", 2)])
def test_other_quantizers_have_the_face_of_the_codebook(kind: Kind, depth: int) -> None:
    torch.manual_seed(0)
    model = MotionVq(6, slice(3, 6), width=8, codes=16, dead_share=0.1, kind=kind, depth=depth)
    x = torch.randn(3, 16, 6)
    loss, told = model.train().loss(x)
    loss.backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if "bias" not in n)
    assert told.ids.shape == (3, 4 * depth)
    model.eval()
    before = copy.deepcopy(model.state_dict())
    ids = model.encode(x)
    assert torch.equal(ids, model(x).ids)
    torch.testing.assert_close(model.decode(ids), model(x).motion * model.deviation + model.mean)
    level = ids.reshape(3, 4, depth) // 16
    assert torch.equal(level, torch.arange(depth).expand_as(level))
    assert model.codebook.size == 16 * depth > int(ids.max())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    with pytest.raises(UsageError, match="read them with the checkpoint that wrote them"):
        model.decode(ids + 16)


def test_a_residual_level_says_what_the_one_before_left() -> None:
    torch.manual_seed(0)
    book, z = Residual(6, 4, depth=3, decay=0.8, dead_share=0.0).train(), torch.randn(2, 40, 4)
    for _ in range(5):
        book(z)
    book.eval()
    left, levels = z, []
    for k, codes in enumerate(book.levels.codebooks):
        nearest = torch.cdist(left, codes).argmin(2)
        levels.append(nearest + 6 * k)
        left = left - codes[nearest]
    ids = torch.stack(levels, 2).flatten(1)
    assert torch.equal(book.nearest(z), ids)
    torch.testing.assert_close(book.of(ids), z - left)
    assert left.square().mean() < 0.25 * z.square().mean()


def test_levels_multiply_to_the_codes_and_a_fingerprint_is_of_all_of_it() -> None:
    for bits in range(4, 13):
        assert math.prod(levels_of(2**bits)) == 2**bits
    for codes in (8, 1000):
        with pytest.raises(UsageError, match=f"a power of two, got {codes}"):
            levels_of(codes)
    with pytest.raises(UsageError, match="one code for 4 frames, not 2"):
        MotionVq(6, slice(3, 6), width=8, codes=16, depth=2)
    with pytest.raises(UsageError, match="3 code ids are no multiple of 2"):
        FiniteScalar(16, 8, 2).of(torch.zeros(1, 3, dtype=torch.long))
    one, other = small(), small()
    assert one.fingerprint() == other.fingerprint()
    other.mean[0] += 1
    assert one.fingerprint() != other.fingerprint()
