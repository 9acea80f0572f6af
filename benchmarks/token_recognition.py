"""What do codes cost a recogniser?: python -m benchmarks.token_recognition FOLDER [-o FILE].

FOLDER is WLASL fitted with SMPL-X (``signloom.corpora.wlasl_smplx``): 124 words, its train and val splits.
A clip is what `motion-vq` reads of it at *small*, without velocities: neck, head and arms from the chest,
hands from their wrists, 114 numbers a frame. One small recogniser (a bidirectional GRU over
moments of four frames, the mean and the highest of its states) is trained on each of these:

    numbers   the four frames as they are, on one scale
    latents   what the tokenizer's encoder makes of them, before codes
    codes     the vectors of the codes that stand for them
    words     the codes' ids alone, with embeddings that are learnt

so the way from *numbers* to *latents* is the encoder's, from *latents* to *codes* the codes', and from *codes*
to *words* what is lost where a code does not say what it is like. The tokenizer is trained on train's motions
(`motion_tokens.trained`) and stands still. Each clip is also read from its second, third and fourth frame on in training. Top-1 on val in
percent, by seed. ``signloom check`` finds six of val's clips in train, five of them under another word.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.motion_tokens import QUANTIZERS, ROOT, say, trained
from signloom.cli.receipt import commit, hardware
from signloom.corpora.wlasl_smplx import wlasl_smplx
from signloom.data.files import writing
from signloom.data.layouts import SMPLX52
from signloom.encoders.motion_vq import STRIDE, MotionVq
from signloom.methods.motion_tokens import SMALL, Preparation, longer
from signloom.pose.motion623 import SIGNING

TOKENIZERS = ("codebook 1 × 1024", "residual 4 × 1024")
STEPS, BATCH, WIDTH, RATE = 600, 32, 128, 2e-3
LOST = 0.1
"""Share of moments that are left out in training."""


@dataclass(frozen=True)
class Clip:
    """A word, and its numbers (frames, 114) from each of its first frames on, multiples of four."""

    word: str
    numbers: tuple[Tensor, ...]


def clips(folder: Path, split: str) -> list[Clip]:
    """The clips of a split, read from their first STRIDE frames on."""
    preparation = Preparation(SMALL)
    source = wlasl_smplx(folder, joints=True).sources(SMPLX52)[split]
    found = []
    for index in range(len(source)):
        sample = source[index]
        whole = preparation.numbers(sample.clip)[:, : SIGNING // 2]
        shifted = (longer(whole[first:], STRIDE) for first in range(STRIDE))
        cut = (rows[: len(rows) // STRIDE * STRIDE] for rows in shifted)
        found.append(
            Clip(sample.text, tuple(torch.from_numpy(np.ascontiguousarray(r)) for r in cut))
        )
    return found


@torch.no_grad()
def readings(model: MotionVq, clip: Tensor) -> dict[str, Tensor]:
    """(moments, width) of a clip in each way; of "words" (moments, depth) ids."""
    scaled = (clip - model.mean) / model.deviation
    ids = model.encode(clip[None])
    return {
        "numbers": scaled.reshape(-1, STRIDE * clip.shape[1]),
        "latents": model.latents(clip[None])[0],
        "codes": model.vectors(ids)[0],
        "words": ids[0].reshape(-1, model.codebook.depth),
    }


class Recogniser(nn.Module):
    """(batch, moments, inputs) or ids (batch, moments, depth) → (batch, words)."""

    def __init__(self, inputs: int, words: int, ids: int = 0):
        super().__init__()
        self.words = nn.Embedding(ids, WIDTH) if ids else None
        self.first = nn.Sequential(
            nn.LazyLinear(WIDTH) if not ids else nn.Identity(), nn.Dropout(0.3)
        )
        self.states = nn.GRU(WIDTH, WIDTH, batch_first=True, bidirectional=True)
        self.last = nn.Sequential(nn.Dropout(0.3), nn.Linear(4 * WIDTH, words))

    def forward(self, moments: Tensor, there: Tensor) -> Tensor:
        x = moments if self.words is None else self.words(moments).sum(2)
        lengths = there.sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(
            self.first(x), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.states(packed)[0], batch_first=True)
        gone = ~there[:, : states.shape[1], None]
        mean = states.masked_fill(gone, 0).sum(1) / lengths[:, None]
        return self.last(torch.cat([mean, states.masked_fill(gone, -1e9).amax(1)], 1))


def together(sequences: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Padded behind, and which moments are there."""
    padded = nn.utils.rnn.pad_sequence(list(sequences), batch_first=True)
    lengths = torch.tensor([len(s) for s in sequences])
    return padded, torch.arange(padded.shape[1]) < lengths[:, None]


def recognised(
    train: Sequence[tuple[str, Sequence[Tensor]]],
    val: Sequence[tuple[str, Tensor]],
    ids: int,
    steps: int,
    seed: int,
) -> float:
    """Top-1 on val in percent of a recogniser trained on train; ids: how many there are, 0 = vectors."""
    torch.manual_seed(seed)
    words = sorted({word for word, _ in train})
    place = {word: i for i, word in enumerate(words)}
    model = Recogniser(val[0][1].shape[1], len(words), ids)
    with torch.no_grad():
        model(*together([train[0][1][0]]))  # its first layer takes its width
    optimizer = torch.optim.AdamW(model.parameters(), RATE, weight_decay=0.05)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    model.train()
    for _ in range(steps):
        batch = [train[i] for i in torch.randint(len(train), (BATCH,)).tolist()]
        drawn = [versions[int(torch.randint(len(versions), ()))] for _, versions in batch]
        thinned = [x[kept] if (kept := torch.rand(len(x)) >= LOST).any() else x for x in drawn]
        wanted = torch.tensor([place[word] for word, _ in batch])
        loss = nn.functional.cross_entropy(model(*together(thinned)), wanted, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        cosine.step()
    model.eval()
    with torch.no_grad():
        said = model(*together([moments for _, moments in val])).argmax(1)
    right = [words[i] == word for i, (word, _) in zip(said.tolist(), val, strict=True)]
    return round(100 * sum(right) / len(right), 2)


def measure(
    train: Sequence[Clip], val: Sequence[Clip], seeds: Sequence[int], tokens: int, steps: int
) -> dict[str, Any]:
    """Of each tokenizer (``tokens`` steps, one seed) and way of reading, top-1 by seed and its mean."""
    found: dict[str, Any] = {}
    for name in TOKENIZERS:
        start = time.process_time()
        model = trained([clip.numbers[0] for clip in train], QUANTIZERS[name], tokens, 0)
        book = model.codebook
        read_train = [(c.word, [readings(model, n) for n in c.numbers]) for c in train]
        read_val = [(c.word, readings(model, c.numbers[0])) for c in val]
        found[name] = {}
        for way in ("numbers", "latents", "codes", "words"):
            each = [
                recognised(
                    [(word, [r[way] for r in versions]) for word, versions in read_train],
                    [(word, r[way]) for word, r in read_val],
                    book.size if way == "words" else 0,
                    steps,
                    seed,
                )
                for seed in seeds
            ]
            found[name][way] = {"mean": round(sum(each) / len(each), 2), "each": each}
            say(f"{name}, {way}: {found[name][way]}")
        found[name]["cpu_seconds"] = round(time.process_time() - start, 1)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.token_recognition", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="WLASL fitted with SMPL-X")
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / "results" / "token-recognition.json"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tokens", type=int, default=6000, help="steps of a tokenizer's training")
    parser.add_argument("--steps", type=int, default=STEPS, help="of a recogniser's training")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    made_by: Mapping[str, Any] = {"commit": commit(ROOT), "hardware": hardware()}
    train, val = clips(options.folder, "train"), clips(options.folder, "val")
    report = {
        **made_by,
        "words": len({clip.word for clip in train}),
        "train": len(train),
        "val": len(val),
        "seeds": options.seeds,
        "tokenizer_steps": options.tokens,
        "recogniser_steps": options.steps,
        "top_1": measure(train, val, options.seeds, options.tokens, options.steps),
    }
    with writing(options.out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
