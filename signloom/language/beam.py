"""Beam search over any next-token function: batched, n-best, with repeated n-grams kept out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from signloom.errors import NoNumbersError

Step = Callable[[Tensor, Tensor | None], Tensor]
"""step(tokens, parents) → logits of the next token.

tokens: (rows, length), all tokens so far. parents: (rows,), which row of the last
call each row now continues, None on the first call. logits: (rows, vocabulary).
"""


@dataclass(frozen=True)
class Hypothesis:
    """tokens: without the prompt and without the end token; score: log p / (tokens + end)^penalty."""

    tokens: tuple[int, ...]
    score: float


@torch.inference_mode()
def beam_search(
    step: Step,
    prompt: Int[Tensor, "batch prompt"],
    end: int,
    width: int = 3,
    max_length: int = 128,
    length_penalty: float = 0.6,
    no_repeat: int = 3,
    patient: bool = False,
) -> list[list[Hypothesis]]:
    """The ``width`` best continuations of every prompt, best first.

    ``step`` sees batch × width rows. A search ends when ``width`` hypotheses have
    ended (early stop), or when prompt and continuation are ``max_length`` tokens
    long. ``patient``: it goes on as long as a running one scores better, for its
    length so far, than the last of those kept: a few short ones do not cut a likely
    long one off. ``no_repeat``: no n-gram of that length twice in a row's tokens, 0 = no
    such rule. ``width`` 1 is greedy decoding. Source: spec §1, decoding.
    Raises NoNumbersError where a token's probability is NaN.
    """
    batch, prompt_length = prompt.shape
    device = prompt.device
    tokens = prompt.repeat_interleave(width, dim=0)
    first_row = torch.arange(batch, device=device)[:, None] * width
    parents: Tensor | None = None
    # The rows of a batch item start equal: only its first may branch at the first step.
    running = torch.full((batch, width), -torch.inf, device=device)
    running[:, 0] = 0.0
    ended: list[list[Hypothesis]] = [[] for _ in range(batch)]

    while tokens.shape[1] < max_length:
        log_p = log_probabilities(step(tokens, parents))
        ban_repeats(log_p, tokens, no_repeat)
        total = running[:, :, None] + log_p.view(batch, width, -1)
        vocabulary = total.shape[2]
        # One candidate in vocabulary × width ends a row: 2 × width leave width that go on.
        best, flat = total.flatten(1).topk(min(2 * width, vocabulary * width), dim=1)
        row, token = flat // vocabulary, flat % vocabulary
        ends = token == end

        norm = float(tokens.shape[1] + 1 - prompt_length) ** length_penalty
        good = ends & torch.isfinite(best)
        for b, k in good[:, :width].nonzero().tolist():
            if patient or len(ended[b]) < width:
                kept = tokens[b * width + row[b, k], prompt_length:]
                ended[b].append(Hypothesis(tuple(kept.tolist()), best[b, k].item() / norm))
        running, chosen = best.masked_fill(ends, -torch.inf).topk(width, dim=1)
        if patient:
            ended = [sorted(done, key=lambda h: -h.score)[:width] for done in ended]
        hopes = (running[:, 0] / norm).tolist() if patient else [-torch.inf] * batch
        if all(
            len(done) >= width and hope <= done[-1].score
            for done, hope in zip(ended, hopes, strict=True)
        ):
            break

        parents = (first_row + row.gather(1, chosen)).flatten()
        tokens = torch.cat([tokens[parents], token.gather(1, chosen).view(-1, 1)], dim=1)

    norm = float(max(tokens.shape[1] - prompt_length, 1)) ** length_penalty
    for b, done in enumerate(ended):
        for k in range(width):
            score = running[b, k].item()
            if len(done) < width and score > -torch.inf:
                kept = tokens[b * width + k, prompt_length:]
                done.append(Hypothesis(tuple(kept.tolist()), score / norm))
        done.sort(key=lambda hypothesis: -hypothesis.score)
    return ended


def log_probabilities(logits: Float[Tensor, "*lead tokens"]) -> Float[Tensor, "*lead tokens"]:
    """log softmax, in float32. Raises NoNumbersError where one is NaN."""
    log_p = logits.float().log_softmax(-1)
    if log_p.isnan().any():
        raise NoNumbersError("the model's probabilities")
    return log_p


def ban_repeats(
    log_p: Float[Tensor, "rows vocabulary"], tokens: Int[Tensor, "rows length"], size: int
) -> None:
    """Sets to −inf, in place, every token that would repeat an n-gram of ``size`` in its row."""
    if size < 1 or tokens.shape[1] < size:
        return
    grams = tokens.unfold(1, size, 1)
    repeats = (grams[:, :, :-1] == tokens[:, None, tokens.shape[1] - size + 1 :]).all(-1)
    log_p.scatter_add_(
        1,
        grams[:, :, -1],
        torch.zeros_like(repeats, dtype=log_p.dtype).masked_fill(repeats, -torch.inf),
    )
