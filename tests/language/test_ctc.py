"""CTC: the loss and the search against every alignment there is."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.language.ctc import Labelling, PrefixBeam, ctc_loss


def collapsed(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def greedy(log_p: torch.Tensor, blank: int) -> tuple[int, ...]:
    return collapsed(tuple(log_p.argmax(-1).tolist()), blank)


def searched(
    log_p: torch.Tensor, blank: int, width: int = 10, classes: int = 20
) -> list[Labelling]:
    search = PrefixBeam(blank, width, classes)
    search.take(log_p)
    return search.best()


def enumerated(log_p: torch.Tensor, blank: int) -> dict[tuple[int, ...], float]:
    """Labelling → p, over all classes^frames alignments, in float64."""
    rows = log_p.double().tolist()
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_p.shape[1]), repeat=len(rows)):
        p = math.exp(sum(row[label] for row, label in zip(rows, path, strict=True)))
        labels = collapsed(path, blank)
        found[labels] = found.get(labels, 0.0) + p
    return found


def random_rows(seed: int, frames: int, classes: int, sharp: float = 1.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = sharp * torch.randn(frames, classes, generator=generator, dtype=torch.float64)
    return logits.log_softmax(-1)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(0, 5), classes=st.integers(2, 4))
def test_an_unpruned_search_gives_the_exact_probabilities(
    seed: int, frames: int, classes: int
) -> None:
    blank = seed % classes
    log_p = random_rows(seed, frames, classes)
    truth = enumerated(log_p, blank)
    found = searched(log_p, blank, width=10_000, classes=0)
    assert {f.labels for f in found} == set(truth)
    for each in found:
        assert math.exp(each.log_p) == pytest.approx(truth[each.labels], rel=1e-9)
    assert math.exp(found[0].log_p) == pytest.approx(max(truth.values()), rel=1e-9)
    assert [f.log_p for f in found] == sorted((f.log_p for f in found), reverse=True)


def test_it_finds_what_greedy_collapse_misses() -> None:
    """The textbook case: blank is likeliest in each frame, and yet 'a' is the likelier labelling."""
    log_p = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
    assert greedy(log_p, blank=0) == ()
    best = searched(log_p, blank=0)[0]
    assert best.labels == (1,)
    assert math.exp(best.log_p) == pytest.approx(1 - 0.36)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), frames=st.integers(1, 12), width=st.integers(1, 5))
def test_sure_frames_give_the_greedy_collapse(seed: int, frames: int, width: int) -> None:
    log_p = random_rows(seed, frames, 5, sharp=200.0)
    assert searched(log_p, 0, width, classes=3)[0].labels == greedy(log_p, 0)


def test_blank_alone_is_the_empty_hypothesis() -> None:
    log_p = torch.full((7, 3), -30.0)
    log_p[:, 2] = 0.0
    best = searched(log_p, blank=2)[0]
    assert best.labels == ()
    assert best.log_p == pytest.approx(0.0, abs=1e-6)
    assert greedy(log_p, blank=2) == ()
    assert searched(log_p[:0], blank=2) == [Labelling((), 0.0)]


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(0, 20), max_size=4),
    width=st.integers(1, 6),
)
def test_pieces_give_what_the_whole_gives_and_agreed_never_changes(
    seed: int, cuts: list[int], width: int
) -> None:
    log_p = random_rows(seed, 20, 4, sharp=2.0)
    whole = searched(log_p, 0, width, classes=0)
    search, agreed = PrefixBeam(0, width, 0), ()
    edges = [0, *sorted(cuts), 20]
    for first, last in itertools.pairwise(edges):
        search.take(log_p[first:last])
        assert search.agreed()[: len(agreed)] == agreed
        agreed = search.agreed()
    assert search.best() == whole
    assert whole[0].labels[: len(agreed)] == agreed


def test_the_loss_is_minus_log_of_the_sum_over_alignments() -> None:
    logits = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, 2], [3, 3], [2, 0]])
    frames, lengths = torch.tensor([5, 4, 5]), torch.tensor([2, 2, 1])
    losses = ctc_loss(logits, frames, targets, lengths, blank=0)
    for row in range(3):
        truth = enumerated(logits[row, : frames[row]].log_softmax(-1), 0)
        labels = tuple(targets[row, : lengths[row]].tolist())
        assert losses[row].item() == pytest.approx(-math.log(truth[labels]), rel=1e-5)


def test_a_target_without_an_alignment_costs_nothing() -> None:
    """Two equal neighbours need a blank between them: three frames."""
    logits = torch.randn(1, 2, 3, requires_grad=True)
    loss = ctc_loss(logits, torch.tensor([2]), torch.tensor([[1, 1]]), torch.tensor([2]), 0)
    loss.sum().backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()
