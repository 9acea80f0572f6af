"""Recognition from codes: planted sequences are told apart, and a whole run on a folder of the corpus's shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import motion_tokens, token_recognition
from benchmarks.token_recognition import main, recognised, together
from tests.corpora.test_unified_corpora import fitted


def test_planted_sequences_are_told_apart_as_vectors_and_as_ids(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(token_recognition, "WIDTH", 16)
    rng = np.random.default_rng(0)
    ids = {w: torch.from_numpy(rng.integers(0, 9, (6, 1))) for w in ("book", "red", "we")}
    vectors = {w: torch.nn.functional.one_hot(i[:, 0], 9).float() for w, i in ids.items()}
    for known, count in ((ids, 9), (vectors, 0)):
        train = [(word, [x, x[1:]]) for word, x in known.items()]
        assert recognised(train, list(known.items()), count, 80, 0) == 100


def test_padding_is_not_there() -> None:
    padded, there = together([torch.ones(2, 3), torch.ones(4, 3)])
    assert there.tolist() == [[True, True, False, False], [True] * 4]
    assert padded[0, 2:].sum() == 0


def test_a_run_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(motion_tokens, "WIDTH", 8)
    monkeypatch.setattr(motion_tokens, "WINDOW", 4)
    monkeypatch.setattr(motion_tokens, "BATCH", 4)
    fitted(tmp_path)
    out = tmp_path / "found.json"
    small = {"codebook 1 × 1024": motion_tokens.Quantizer("codebook", 1, 8)}
    small["residual 4 × 1024"] = motion_tokens.Quantizer("residual", 2, 4)
    monkeypatch.setattr(token_recognition, "QUANTIZERS", small)
    assert (
        main([str(tmp_path), "-o", str(out), "--seeds", "0", "--tokens", "2", "--steps", "2"]) == 0
    )
    found = json.loads(out.read_text())
    for each in found["top_1"].values():
        assert set(each) == {"numbers", "latents", "codes", "words", "cpu_seconds"}
        assert 0 <= each["words"]["mean"] <= 100
