"""How well simulated signs are told apart across signers: python -m benchmarks.simulated_separable.

300 words, ps76, each sign resampled to 16 frames and measured in shoulder widths;
12 clips a word to learn from, 3 by unseen signers to test. A nearest neighbour and
a network of one hidden layer, on dictionary signs and on signs cut out of fluent
signing. Takes some minutes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signloom.data.layouts import PS76
from signloom.simulator.camera import camera_of, tracker_of
from signloom.simulator.perform import Performed, perform
from signloom.simulator.phonology import draws, sign_of
from signloom.simulator.render import render
from signloom.simulator.signer import signer_of

WORDS = [f"word{number}" for number in range(300)]
FRAMES = 16
SHOULDERS = PS76.of("POSE_LANDMARKS:LEFT_SHOULDER", "POSE_LANDMARKS:RIGHT_SHOULDER")
Floats = NDArray[np.float32]


def features(word: int, signer: int, number: int, fluent: bool) -> Floats:
    """One clip of a word as a vector: wrists, hands from their wrists, body and face."""
    rng, who = draws("sep", word, signer, number), signer_of(1, signer)
    spoken = [WORDS[word]]
    if fluent:
        before, after = (WORDS[int(rng.random() * len(WORDS))] for _ in range(2))
        spoken = [before, WORDS[word], after]
    signs = [Performed(sign_of(one, 1)) for one in spoken]
    performance = perform(signs, who, rng, citation=not fluent)
    clip = render(performance, who, camera_of(rng), tracker_of(rng), rng, PS76)
    if fluent:
        clip = clip.cut(performance.spans[1])
    left, right = np.moveaxis(clip.points[:, SHOULDERS, :2], 1, 0)
    points = clip.points[..., :2] - (left + right).mean(0) / 2
    points = points / np.linalg.norm(left - right, axis=-1).mean()
    for hand in (slice(0, 21), slice(21, 42)):
        seen = np.flatnonzero(clip.present[:, hand.start])
        if len(seen):  # a lost hand is where it was seen next
            points[:, hand] = points[
                seen[np.abs(np.arange(len(points))[:, None] - seen).argmin(1)], hand
            ]
        else:
            points[:, hand] = 0, 2
    at = np.linspace(0, len(points) - 1, FRAMES)
    first = at.astype(int)
    after_first = np.minimum(first + 1, len(points) - 1)
    share = (at - first)[:, None, None]
    points = points[first] * (1 - share) + points[after_first] * share
    hands = [3 * (points[:, h : h + 21] - points[:, h : h + 1]) for h in (0, 21)]
    rows = [2 * points[:, [0, 21]], *hands, points[:, 42:]]
    return np.concatenate([r.reshape(FRAMES, -1) for r in rows], 1).ravel().astype(np.float32)


def accuracy(fluent: bool) -> tuple[float, float]:
    """Top-1 accuracy of the nearest neighbour and of the network."""
    import torch

    words = np.arange(len(WORDS))
    known = [[features(w, j + (w * 7) % 40 * 10, j, fluent) for j in range(12)] for w in words]
    asked = [[features(w, 1000 + (w + 5 * j) % 60, j, fluent) for j in range(3)] for w in words]
    train, test = (np.array(clips).reshape(-1, len(known[0][0])) for clips in (known, asked))
    labels, truth = np.repeat(words, 12), np.repeat(words, 3)
    far = (test**2).sum(1)[:, None] - 2 * test @ train.T + (train**2).sum(1)
    middle, scale = train.mean(0), train.std(0) + 0.05
    torch.manual_seed(0)
    torch.set_num_threads(1)
    net = torch.nn.Sequential(
        torch.nn.Dropout(0.2), torch.nn.Linear(train.shape[1], 256), torch.nn.ReLU(),
        torch.nn.Dropout(0.4), torch.nn.Linear(256, len(WORDS)),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.05)
    x, y = torch.tensor((train - middle) / scale), torch.tensor(labels)
    for _ in range(40):
        for batch in torch.randperm(len(x)).split(64):
            loss = torch.nn.functional.cross_entropy(net(x[batch]), y[batch], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net.eval()
    told = net(torch.tensor((test - middle) / scale)).argmax(1).numpy()
    return float((labels[far.argmin(1)] == truth).mean()), float((told == truth).mean())


def main() -> None:
    for fluent in (False, True):
        neighbour, network = accuracy(fluent)
        what = "cut from fluent signing" if fluent else "dictionary signs"
        print(f"{what}: nearest neighbour {neighbour:.1%}, network {network:.1%}", flush=True)


if __name__ == "__main__":
    main()
