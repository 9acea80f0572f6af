"""What stands beside the motion tokenizer: planted answers, and a folder of the corpus's shape."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import motion_tokens as m
from signloom.pose.motion623 import LEFT_HAND, LEFT_WRIST, features, forward, placed, standing


def write_fits(folder: Path, clips: int = 4, frames: int = 41) -> None:
    rng = np.random.default_rng(0)
    fits = np.zeros((clips * frames, 182))
    time = np.arange(len(fits))[:, None] / 12
    fits[:, 48:156] = 0.4 * np.sin(time + rng.uniform(0, 6, 108))
    fits[:, 0], fits[:, 181] = -np.pi, 19
    valid = np.ones((len(fits), 2), bool)
    valid[5, 0] = valid[2 * frames - 1, 1] = False
    numbers = np.tile(np.arange(frames), clips)
    numbers[20:frames] += 3  # a frame in which nobody was fitted
    np.savez(folder / "pose.npz", smplx_f16=fits, hand_valid=valid, frame_index=numbers)
    lines = ["video_id,subset,n_frames,offset"]
    lines += [f"{i},{'val' if i == 0 else 'train'},{frames},{i * frames}" for i in range(clips)]
    (folder / "index.csv").write_text("\n".join(lines) + "\n")


def test_hands_are_seen_from_their_wrists() -> None:
    fits = np.zeros((6, 182))
    fits[:, 3 * 18 + 1] = np.linspace(0, 1, 6)
    joints, rotations = forward(fits, camera=False)
    found = m.hands(features(joints, rotations)).reshape(5, 2, 15, 3)
    still = placed(standing(joints))[0]
    left = still[:, LEFT_HAND] - still[:, LEFT_WRIST, None]
    np.testing.assert_allclose(found[:, 0], left[:-1], atol=1e-6)
    assert np.ptp(found[:, 0], axis=0).max() > 0.01
    np.testing.assert_allclose(found[:, 1], found[:1, 1].repeat(5, 0), atol=1e-6)


def test_runs_end_where_a_hand_is_lost_or_a_frame_is_missing(tmp_path: Path) -> None:
    write_fits(tmp_path)
    assert [len(run) for run in m.runs(tmp_path, "val")] == [4, 12, 20]
    assert [len(run) for run in m.runs(tmp_path, "train")] == [36, 40, 40]
    assert m.chunks(m.runs(tmp_path, "val")).shape == (9, 360)


def test_errors_know_a_known_shift() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=(8, 90))
    moved = true.reshape(-1, 3) + np.array([0.003, 0, 0.004])
    found = m.errors(torch.from_numpy(moved.reshape(8, 90)), torch.from_numpy(true))
    hand = {"mpjpe": 5.0, "pa_mpjpe": 0.0}
    assert found == {**hand, "left": hand, "right": hand}


def test_k_means_lowers_the_distance_and_ends_in_means() -> None:
    torch.manual_seed(0)
    vectors = torch.randn(200, 3)
    centres = m.k_means(vectors, 7, seed=3)
    at = m.nearest(vectors, centres)
    for k in range(7):
        torch.testing.assert_close(centres[k], vectors[at == k].mean(0), atol=1e-4, rtol=0)
    first = vectors[torch.randperm(200, generator=torch.Generator().manual_seed(3))[:7]]
    assert torch.cdist(vectors, centres).amin(1).square().sum() < (
        torch.cdist(vectors, first).amin(1).square().sum()
    )


def test_a_run_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_fits(tmp_path)
    monkeypatch.setattr(m, "WIDTH", 8)
    out = tmp_path / "found.json"
    small = {
        "a": m.Quantizer("codebook", 1, 8),
        "b": m.Quantizer("residual", 2, 4),
        "c": m.Quantizer("fsq", 2, 16),
    }
    monkeypatch.setattr(m, "QUANTIZERS", small)
    arguments = [str(tmp_path), "-o", str(out), "--seeds", "0", "--steps", "3", "--only", *small]
    assert m.main(arguments) == 0
    found = json.loads(out.read_text())
    assert found["val"] == {"stretches": 3, "chunks": 9}
    beside = found["baselines"]
    assert 0 < beside["nearest_train_chunk"]["mpjpe"] < beside["mean_pose"]["mpjpe"]
    assert len(beside["k_means"]) == 1
    assert {name: each["bits"] for name, each in found["tokens"].items()} == {
        "a": 3,
        "b": 4,
        "c": 8,
    }
    for each in found["tokens"].values():
        (told,) = each["runs"]
        assert told["val"]["mpjpe"] > told["val"]["pa_mpjpe"] > 0
        assert 0 < told["val"]["usage"] <= 1 <= told["val"]["perplexity"] <= each["codes"]


def test_a_mirror_changes_hands_and_sides_and_undoes_itself() -> None:
    batch = torch.randn(2, 3, 90)
    seen = m.mirrored(batch)
    left, right = batch[..., :45].unflatten(-1, (15, 3)), seen[..., 45:90].unflatten(-1, (15, 3))
    assert torch.equal(right, left * torch.tensor([-1.0, 1, 1]))
    assert torch.equal(m.mirrored(seen), batch)
