"""Beam search against planted answers, brute force, and transformers' own."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from signloom.errors import NoNumbersError
from signloom.language.beam import Hypothesis, ban_repeats, beam_search
from signloom.language.causal import build_gpt2
from signloom.language.seq2seq import Seq2Seq, bert_encoder

START, PAD, END = 0, 1, 2


def model(seed: int, ending: float = 2.0, vocabulary: int = 40) -> Seq2Seq:
    """A small model of random weights, spread enough to make searches differ and end."""
    torch.manual_seed(seed)
    both = Seq2Seq(
        bert_encoder(width=32, layers=2, heads=2, inner=48, positions=40, dropout=0.1),
        build_gpt2(
            vocabulary,
            width=24,
            layers=2,
            heads=2,
            inner=48,
            positions=32,
            dropout=0.1,
            crossed=True,
        ),
    ).eval()
    with torch.no_grad():
        for parameter in both.decoder.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.25)
        # The final bias leans towards the end token, so that rows end at different lengths.
        wte = both.decoder.transformer.wte.weight
        both.decoder.transformer.ln_f.bias.add_(ending * wte[END] / wte[END].norm())
    return both


def memory(both: Seq2Seq, lengths: list[int]) -> tuple[Tensor, Tensor]:
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    with torch.no_grad():
        return both.encode(torch.randn(len(lengths), max(lengths), 32), mask), mask


@pytest.mark.parametrize("patient", [False, True])
@pytest.mark.parametrize("width", [1, 3, 4])
@pytest.mark.parametrize(("seed", "ending"), [(1, 2.0), (0, 3.0), (1, 3.0), (0, 2.0)])
def test_equals_transformers_generate(width: int, seed: int, ending: float, patient: bool) -> None:
    both = model(seed, ending)
    states, mask = memory(both, [12, 5, 9, 12])
    prompt = torch.zeros(4, 1, dtype=torch.long)
    ours = beam_search(both.stepper(states, mask, width), prompt, END, width, 24, 0.6, 3, patient)
    beams = {"length_penalty": 0.6, "early_stopping": not patient} if width > 1 else {}
    theirs = both.decoder.generate(
        prompt,
        encoder_hidden_states=states,
        encoder_attention_mask=mask.long(),
        num_beams=width,
        num_return_sequences=width,
        do_sample=False,
        no_repeat_ngram_size=3,
        max_length=24,
        eos_token_id=END,
        pad_token_id=PAD,
        bos_token_id=START,
        **beams,
    )
    rows = [row[1:] for row in theirs.tolist()]
    expected = [tuple(row[: row.index(END)] if END in row else row) for row in rows]
    assert [h.tokens for item in ours for h in item] == expected
    lengths = {len(tokens) for tokens in expected}
    assert len(lengths) > 1 or lengths == {23}, "rows end at different lengths, or all are cut"


@pytest.mark.parametrize("width", [1, 3])
def test_cache_changes_nothing(width: int) -> None:
    both = model(7)
    states, mask = memory(both, [6, 14])
    prompt = torch.zeros(2, 2, dtype=torch.long)
    with_cache, without = (
        beam_search(both.stepper(states, mask, width, cached), prompt, END, width, 30)
        for cached in (True, False)
    )
    for item, same in zip(with_cache, without, strict=True):
        assert [h.tokens for h in item] == [h.tokens for h in same]
        assert [h.score for h in item] == pytest.approx([h.score for h in same], abs=1e-4)


def test_a_batch_gives_what_each_item_gives_alone() -> None:
    both = model(3)
    states, mask = memory(both, [4, 11, 8])
    together = beam_search(
        both.stepper(states, mask, 3), torch.zeros(3, 1, dtype=torch.long), END, 3, 20
    )
    for i, found in enumerate(together):
        length = int(mask[i].sum())
        alone = beam_search(
            both.stepper(states[i : i + 1, :length], mask[i : i + 1, :length], 3),
            torch.zeros(1, 1, dtype=torch.long),
            END,
            3,
            20,
        )
        assert [h.tokens for h in alone[0]] == [h.tokens for h in found]


def chain(table: Tensor) -> Callable[[Tensor, Tensor | None], Tensor]:
    """A next-token function that looks at the last token only."""

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        return table[tokens[:, -1]]

    return step


def test_a_wide_beam_finds_the_best_of_all_sequences() -> None:
    torch.manual_seed(5)
    table = torch.randn(5, 5)
    log_p = table.log_softmax(-1)
    best: list[Hypothesis] = []
    for length in range(4):
        for tokens in itertools.product([0, 1, 3, 4], repeat=length):
            path = [0, *tokens, END]
            total = sum(float(log_p[a, b]) for a, b in itertools.pairwise(path))
            best.append(Hypothesis(tokens, total / (length + 1) ** 0.6))
    best.sort(key=lambda h: -h.score)
    found = beam_search(chain(table), torch.zeros(1, 1, dtype=torch.long), END, 100, 5, 0.6, 0)
    ended = [h for h in found[0] if h.tokens in {b.tokens for b in best[:5]}]
    assert [h.tokens for h in ended[:5]] == [b.tokens for b in best[:5]]
    assert ended[0].score == pytest.approx(best[0].score, abs=1e-5)


def test_greedy_takes_the_likeliest_token_each_time() -> None:
    table = torch.full((6, 6), -5.0)
    for a, b in itertools.pairwise([0, 3, 4, 5, END]):
        table[a, b] = 0.0
    found = beam_search(chain(table), torch.zeros(1, 1, dtype=torch.long), END, 1, 10)
    assert found[0][0].tokens == (3, 4, 5)
    each = float(table.log_softmax(-1)[0, 3])
    assert found[0][0].score == pytest.approx(4 * each / math.pow(4, 0.6))


def test_no_n_gram_comes_twice() -> None:
    log_p = torch.zeros(2, 6)
    ban_repeats(log_p, torch.tensor([[0, 3, 4, 5, 3, 4], [0, 1, 3, 5, 4, 3]]), 3)
    assert torch.isinf(log_p).nonzero().tolist() == [[0, 5]]
    loop = torch.full((6, 6), -1.0)
    loop[0, 3] = loop[3, 4] = loop[4, 3] = 3.0
    found = beam_search(chain(loop), torch.zeros(1, 1, dtype=torch.long), END, 3, 24, 0.6, 3)
    for hypothesis in found[0]:
        path = [0, *hypothesis.tokens]
        grams = list(zip(path, path[1:], path[2:], strict=False))
        assert len(grams) == len(set(grams))


def test_a_beam_wider_than_what_can_be_said_says_that_alone() -> None:
    """A row that has been given up, of no probability, is no hypothesis."""

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        allowed = [3, 4] if tokens.shape[1] == 1 else [END]
        scores = torch.full((len(tokens), 6), -torch.inf)
        scores[:, allowed] = torch.tensor([1.0, 0.0])[: len(allowed)]
        return scores

    (found,) = beam_search(step, torch.tensor([[0]]), END, width=5, max_length=6, no_repeat=0)
    assert [hypothesis.tokens for hypothesis in found] == [(3,), (4,)]


def test_a_patient_search_is_not_cut_off_by_short_unlikely_texts() -> None:
    """Six 3s have p .96; none has .02, a single one .02, and both of these have ended before."""

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        length = tokens.shape[1]
        p = torch.full((len(tokens), 5), 1e-9)
        p[:, 3] = 0.98 if length < 3 else float(length < 7)
        p[:, END] = 0.02 if length < 3 else float(length >= 7)
        return p.clamp(min=1e-9).log()

    prompt = torch.zeros(1, 1, dtype=torch.long)
    hasty, patient = (
        beam_search(step, prompt, END, 2, 20, 1.0, 0, patient=each)[0] for each in (False, True)
    )
    assert {h.tokens for h in hasty} == {(), (3,)}
    assert patient[0].tokens == (3,) * 6


@pytest.mark.parametrize("first", [1, 2])
def test_a_model_that_gives_no_numbers_is_said_to(first: int) -> None:
    """Also where a hypothesis has ended before."""

    def step(tokens: Tensor, parents: Tensor | None) -> Tensor:
        logits = torch.zeros(len(tokens), 5)
        if tokens.shape[1] >= first:
            logits[2:] = math.nan  # of the second prompt
        return logits

    with pytest.raises(NoNumbersError, match=r"probabilities are no numbers.*copy the checkpoint"):
        beam_search(step, torch.tensor([[START], [START]]), END, width=2, max_length=4)
