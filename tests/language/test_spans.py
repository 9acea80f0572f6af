"""What is cut out of a text is all there: put back, it is the text."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from signloom.language.spans import corrupt, side_by_side, span_losses
from signloom.language.t5 import T5Shape, build_t5

SENTINELS, END = tuple(range(900, 932)), 2


def put_back(left: list[int], out: list[int]) -> list[int]:
    """The text that a pair was made of, by reading it as T5 does."""
    assert left[-1] == out[-1] == END
    spans: dict[int, list[int]] = {}
    for token in out[:-1]:
        if token in SENTINELS:
            spans[token] = []
        else:
            spans[list(spans)[-1]].append(token)
    assert spans[list(spans)[-1]] == []  # the last sentinel ends the answer
    text: list[int] = []
    for token in left[:-1]:
        text += spans[token] if token in SENTINELS else [token]
    return text


@given(
    st.integers(2, 300),
    st.integers(0, 2**32),
    st.floats(0.01, 0.95),
    st.floats(1, 8),
    st.integers(2, 32),
)
def test_a_corrupted_text_can_be_put_back(
    length: int, seed: int, density: float, mean_length: float, sentinels: int
) -> None:
    ids = list(range(10, 10 + length))
    rng = np.random.default_rng(seed)
    left, out = corrupt(ids, rng, SENTINELS[:sentinels], END, density, mean_length)
    assert put_back(left, out) == ids
    marks = [token for token in left if token in SENTINELS]
    assert marks == list(SENTINELS[: len(marks)])
    assert [token for token in out if token in SENTINELS] == list(SENTINELS[: len(marks) + 1])
    cut = len(out) - len(marks) - 2
    assert cut == min(max(round(length * density), 1), length - 1)
    apart = itertools.pairwise(left)
    assert not any(a in SENTINELS and b in SENTINELS for a, b in apart)
    again = corrupt(
        ids, np.random.default_rng(seed), SENTINELS[:sentinels], END, density, mean_length
    )
    assert again == (left, out)


def test_the_shares_are_t5s() -> None:
    """15 % of the tokens in spans of 3 on average, and no place is favoured."""
    rng = np.random.default_rng(0)
    cut = Counter[int]()
    spans = tokens = 0
    for _ in range(4_000):
        left, out = corrupt(range(100, 140), rng, SENTINELS, END)
        spans += sum(token in SENTINELS for token in left)
        gone = [token for token in out if token >= 100 and token not in SENTINELS]
        tokens += len(gone)
        cut.update(gone)
    assert tokens / (4_000 * 40) == pytest.approx(0.15)
    assert tokens / spans == 3
    middle = [cut[token] for token in range(105, 135)]
    assert min(middle) > 0.8 * np.mean(middle)
    assert max(middle) < 1.2 * np.mean(middle)
    assert cut[100] > 0
    assert cut[139] > 0


def test_two_tokens_are_the_fewest() -> None:
    seen = {tuple(corrupt([7, 8], np.random.default_rng(s), SENTINELS, END)[0]) for s in range(20)}
    assert seen == {(900, 8, END), (7, 900, END)}
    with pytest.raises(ValueError, match="1 tokens cannot be corrupted, it needs 2"):
        corrupt([7], np.random.default_rng(0), SENTINELS, END)


def test_losses_are_cross_entropies_and_padding_changes_nothing() -> None:
    model = build_t5(T5Shape(40, 16, 8, 16, 1, 1, 2, dropout=0.0), seed=0).eval()
    pairs = [([5, 30, 6, 2], [30, 7, 31, 2]), ([30, 9, 8, 7, 6, 5, 2], [30, 4, 3, 3, 31, 2])]
    both, alone = side_by_side(pairs, 0, 1), side_by_side(pairs[:1], 0, 1)
    assert both.inputs.shape == (2, 7)
    assert both.before[0].tolist() == [0, 30, 7, 31, 1, 1]
    assert both.real.sum().item() == 10
    with torch.no_grad():
        losses, first = span_losses(model, both), span_losses(model, alone)
        logits = model(input_ids=alone.inputs, labels=alone.targets).logits
    torch.testing.assert_close(losses[0, :4], first[0], atol=1e-5, rtol=1e-5)
    assert losses[0, 4:].tolist() == [0, 0]
    assert first.mean().item() == pytest.approx(math.log(40), rel=0.2)  # it knows nothing yet
    model.config.decoder_start_token_id = 0
    expected = F.cross_entropy(logits[0].double(), alone.targets[0], reduction="none")
    torch.testing.assert_close(first[0].double(), expected, atol=1e-5, rtol=1e-5)
