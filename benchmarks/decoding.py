"""Beam decoding with the KV cache against without: python -m benchmarks.decoding.

Preset small with random weights, 8 clips of 60 sampled frames, beam 3, one
thread, 20 and 60 new tokens (the end token is never taken); the two take turns,
and the median of the turns counts.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import torch

from benchmarks.ratio import ratio
from signloom.language.beam import beam_search
from signloom.methods.posestitch import PRESETS, PoseStitch, build, feature_count
from signloom.text.tokenizer import train_bpe

CLIPS, FRAMES, BEAM, TURNS = 8, 60, 3, 5
NEVER = -1


def seconds(model: PoseStitch, features: torch.Tensor, tokens: int, cached: bool) -> float:
    """Seconds to decode ``tokens`` tokens for every clip."""
    mask = torch.ones(features.shape[:2], dtype=torch.bool)
    with torch.inference_mode():
        memory = model.seq2seq.encode(model.front(features), mask)
        started = time.perf_counter()
        beam_search(
            model.seq2seq.stepper(memory, mask, BEAM, cached),
            torch.zeros(len(features), 1, dtype=torch.long),
            end=NEVER,
            width=BEAM,
            max_length=tokens + 1,
        )
        return time.perf_counter() - started


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = replace(PRESETS["small"], max_tokens=64)
    tokenizer = train_bpe(["the weather is cold today"], 100, 1)
    tokenizer.add_tokens([f"word{i}" for i in range(1_500 - tokenizer.get_vocab_size())])
    model = build(config, tokenizer).eval()
    features = torch.randn(CLIPS, FRAMES, feature_count(config))
    for tokens in (20, 60):
        turns = [
            (seconds(model, features, tokens, True), seconds(model, features, tokens, False))
            for _ in range(TURNS)
        ]
        cached, plain = (statistics.median(side) for side in zip(*turns, strict=True))
        print(
            f"beam {BEAM}, {CLIPS} clips, {tokens} tokens: {cached:.2f} s with the KV cache, "
            f"{plain:.2f} s without: {plain / cached:.1f}x"
        )
        ratio(f"beam search of {tokens} tokens", plain / cached, "without the cache, over with it")


if __name__ == "__main__":
    main()
