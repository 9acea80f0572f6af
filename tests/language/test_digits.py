"""Digits say frames exactly; distributions are exact."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from signloom.errors import UsageError
from signloom.language.digits import (
    frames_to_digits,
    soft_digit_loss,
    span_distribution,
)

windows = st.integers(1, 1000)


@settings(deadline=None)
@given(st.data(), windows)
def test_frames_come_back_from_their_digits(data: st.DataObject, frames: int) -> None:
    end = data.draw(st.integers(0, frames - 1))
    start = data.draw(st.integers(0, end))
    digits = frames_to_digits(start, end, frames)
    assert "".join(map(str, digits)) == f"{start:03d}{end:03d}"
    beyond = frames_to_digits(start - frames, end + frames, frames)
    assert "".join(map(str, beyond)) == f"000{frames - 1:03d}"


def sure(digits: tuple[int, ...]) -> Tensor:
    return torch.nn.functional.one_hot(torch.tensor([digits]), 10).float() * 200


def test_soft_digits_by_hand() -> None:
    target = torch.tensor([[2, 0, 0, 3, 5, 0]])
    # 199 for 200 is one frame, yet 1 + 9 + 9 in digits.
    near = sure((1, 9, 9, 3, 5, 0))
    assert soft_digit_loss(near, target).item() == pytest.approx(19 / 6)
    assert soft_digit_loss(near, target, "place").item() == pytest.approx(1 / 222)
    # One too many in every digit is 1 for both.
    for kind in ("digit", "place"):
        assert soft_digit_loss(sure((3, 1, 1, 4, 6, 1)), target, kind).item() == pytest.approx(1)
        assert soft_digit_loss(sure((2, 0, 0, 3, 5, 0)), target, kind).item() == 0
    # p(1) = 1/4 and p(5) = 3/4 expect 4: the last digit of the start is 4 too many.
    logits = sure((2, 0, 0, 3, 5, 0))
    logits[0, 2] = -200.0
    logits[0, 2, [1, 5]] = torch.tensor([0.25, 0.75]).log()
    assert soft_digit_loss(logits, target).item() == pytest.approx(4 / 6)
    assert soft_digit_loss(logits, target, "place").item() == pytest.approx(4 / 222)
    both = soft_digit_loss(torch.cat([near, logits]), target.repeat(2, 1))
    assert both.tolist() == pytest.approx([19 / 6, 4 / 6])


def test_soft_digits_teach_where_cross_entropy_is_indifferent() -> None:
    """Moving belief from 9 to 1 brings the expected digit nearer to 0, and the gradient says so."""
    for kind in ("digit", "place"):
        logits = torch.zeros(1, 6, 10, requires_grad=True)
        soft_digit_loss(logits, torch.zeros(1, 6, dtype=torch.long), kind).sum().backward()
        assert (logits.grad[0, :, 9] > 0).all()
        assert (logits.grad[0, :, 1] < 0).all()
        assert (logits.grad[0, :, :-1] < logits.grad[0, :, 1:]).all()


def model(frames: int, seed: int) -> dict[tuple[int, ...], Tensor]:
    """Planted: p of each next digit after every prefix of six digits, asked for by `next_digit`."""
    generator = torch.Generator().manual_seed(seed)
    known: dict[tuple[int, ...], Tensor] = {}

    def fill(prefix: tuple[int, ...]) -> None:
        known[prefix] = (3 * torch.randn(10, generator=generator)).log_softmax(0)

    for start in [(), *((a,) for a in range(10)), *((a, b) for a in range(10) for b in range(10))]:
        fill(start)
    for number in range(frames):
        three = (number // 100, number // 10 % 10, number % 10)
        for more in [
            (),
            *((a,) for a in range(10)),
            *((a, b) for a in range(2) for b in range(10)),
        ]:
            fill(three + more)
    return known


@pytest.mark.parametrize("frames", [7, 123])
def test_the_distribution_is_that_of_every_stretch_written_out(frames: int) -> None:
    known, calls = model(frames, frames), []

    def next_digit(written: Tensor) -> Tensor:
        calls.append(tuple(written.shape))
        return torch.stack([known[tuple(row)] for row in written.tolist()])

    def p(digits: tuple[int, ...], after: int) -> float:
        return float(sum(known[digits[:n]][digits[n]] for n in range(after, after + 3)).exp())

    top = min(frames, 20)
    found = span_distribution(next_digit, frames, top)
    hundreds, tens = -(-frames // 100), -(-frames // 10)
    assert calls == [
        *((1, 0), (hundreds, 1), (tens, 2)),
        *((top, 3), (top * hundreds, 4), (top * tens, 5)),
    ]
    start = torch.tensor([p(frames_to_digits(s, s, frames), 0) for s in range(frames)])
    torch.testing.assert_close(found.starts, start / start.sum())
    assert found.top.tolist() == (-start).argsort()[:top].tolist()
    joint = torch.zeros(frames, frames)
    for s in found.top.tolist():
        end = torch.tensor(
            [p(frames_to_digits(s, e, frames), 3) if e >= s else 0.0 for e in range(frames)]
        )
        joint[s] = start[s] / start.sum() * end / end.sum()
    order = joint.flatten().argsort(descending=True)[:5].tolist()
    expected = [(divmod(place, frames), joint.flatten()[place].item()) for place in order]
    spans = found.likeliest(5)
    assert [span for span, _ in spans] == [span for span, _ in expected]
    assert [value for _, value in spans] == pytest.approx(
        [value for _, value in expected], rel=1e-4
    )
    # From the other starts a stretch lasts as long as from these.
    lasts = torch.zeros(frames)
    for s in found.top.tolist():
        lasts[: frames - s] += joint[s, s:] / joint.sum()
    inside = torch.zeros(frames)
    for s in range(frames):
        others = found.starts[s] * lasts
        for e in range(s, frames):
            inside[s:e] += joint[s, e] if s in found.top else others[e - s]
        if s not in found.top:
            inside[s:] += others[frames - s :].sum()
    torch.testing.assert_close(found.posterior(), inside, atol=1e-5, rtol=1e-4)
    if top == frames:
        torch.testing.assert_close(joint.sum(), torch.tensor(1.0))


def test_a_model_that_knows_nothing_is_sure_of_nothing() -> None:
    def next_digit(written: Tensor) -> Tensor:
        return torch.zeros(len(written), 10).log_softmax(1)

    assert span_distribution(next_digit, 500, 4).posterior().max() < 0.6


def test_a_model_that_is_sure_gives_its_stretch() -> None:
    digits = (0, 3, 7, 1, 4, 2)

    def next_digit(written: Tensor) -> Tensor:
        return sure(digits)[0, written.shape[1]].log_softmax(0).expand(len(written), 10)

    found = span_distribution(next_digit)
    ((span, probability),) = found.likeliest()
    assert span == (37, 142)
    assert probability == pytest.approx(1)
    posterior = found.posterior()
    assert posterior[37:142].tolist() == pytest.approx([1.0] * 105)
    assert posterior[:37].max() == posterior[142:].max() == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="1001 frames, expected 1 to 1000"):
        frames_to_digits(0, 1, 1001)
