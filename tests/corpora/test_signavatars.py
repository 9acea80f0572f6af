"""SignAvatars' folders: sentences, words and clips alone, frames put back, and pickles that are none of it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from signloom.cli.main import main
from signloom.corpora.signavatars import read_fits, signavatars
from signloom.corpora.store import open_store
from signloom.data.layouts import SMPLX52
from signloom.errors import MediaError
from signloom.pose.motion623 import forward
from tests.methods.motions import parameters

HEAD = (
    "VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART_REALIGNED\tEND_REALIGNED\tSENTENCE\n"
)


def write(file: Path, frames: int = 6, **more: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    held = {
        "smplx": parameters(1, frames).astype(np.float32), "height": 720, "width": 1280,
        "focal": [[5000.0, 5000.0]], "left_valid": np.ones(frames), "right_valid": np.ones(frames),
        "total_valid_index": np.arange(frames),
    }  # fmt: skip
    file.write_bytes(pickle.dumps({**held, **more}))


def test_sentences_words_and_what_is_missing(tmp_path: Path) -> None:
    sentences, words = tmp_path / "language2motion", tmp_path / "word2motion"
    write(sentences / "pkls" / "ab_0-5-rgb_front.pkl")
    write(words / "pkls" / "00295.pkl")
    (sentences / "how2sign_realigned_val.csv").write_text(
        HEAD + "ab\tab-5-rgb_front\tab_0\tab_0-5-rgb_front\t0\t1\tIt is fine.\n"
        "ab\tab-5-rgb_front\tab_1\tab_1-5-rgb_front\t1\t2\tIt was.\n"
    )
    instances = [{"video_id": "00295", "split": "train"}, {"video_id": "00333", "split": "test"}]
    (words / "WLASL_v0.3.json").write_text(json.dumps([{"gloss": "Book", "instances": instances}]))
    corpus = signavatars(tmp_path)
    assert [(e.id, e.split, e.text, e.signer) for e in corpus.entries] == [
        ("ab_0-5-rgb_front", "val", "It is fine.", "5"),
        ("00295", "train", "book", ""),
    ]
    assert [(left.id, left.split) for left in corpus.absent] == [
        ("ab_1-5-rgb_front", "val"),
        ("00333", "test"),
    ]
    out = tmp_path / "store"
    with pytest.raises(SystemExit, match="0"):
        main(["prepare", "signavatars", str(tmp_path), "-o", str(out), "--tolerate", "1"])
    (sample,) = open_store(out, "train")
    assert (sample.clip.layout, sample.clip.fps) == (SMPLX52, 24)
    expected, _ = forward(parameters(1, 6).astype(np.float32), camera=False)
    np.testing.assert_allclose(sample.clip.points, expected, atol=1e-4)


def test_without_a_table_there_are_clips_alone(tmp_path: Path) -> None:
    write(tmp_path / "a" / "x.pkl")
    (entry,) = signavatars(tmp_path, fps=30.0).entries
    assert (entry.id, entry.split, entry.text) == ("x", "train", "")
    with pytest.raises(MediaError, match=r"has no \.pkl below it"):
        signavatars(tmp_path / "b")


def test_frames_that_were_not_fitted_are_put_back(tmp_path: Path) -> None:
    file = tmp_path / "x.pkl"
    write(file, 4, total_valid_index=np.array([7, 8, 10, 11]), left_valid=np.array([1, 0, 1, 1]))
    clip = read_fits(file)
    assert len(clip) == 5
    assert clip.present[:, 0].tolist() == [True, True, False, True, True]
    assert clip.present[:, 30].tolist() == [True, False, False, True, True]
    write(file, 4, total_valid_index=np.array([3, 3, 4, 5]))
    with pytest.raises(MediaError, match="its frame numbers do not rise"):
        read_fits(file)


def test_what_is_no_fit_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.pkl"
    write(file, 4, smplx=np.zeros((4, 165), np.float32))
    with pytest.raises(MediaError, match=r"shape \(4, 165\), expected \(frames, 182\)"):
        read_fits(file)
    lost = parameters(1, 4)
    lost[2, 0] = np.nan
    write(file, 4, smplx=lost)
    with pytest.raises(MediaError, match=r"frame 2: the rotation of joint 0 \(pelvis\)"):
        read_fits(file)
    write(file, 4, right_valid=np.ones(3))
    with pytest.raises(MediaError, match="not one of each of 4 rows"):
        read_fits(file)
    file.write_bytes(pickle.dumps({"pose": 1}))
    with pytest.raises(MediaError, match="it holds no 'smplx'"):
        read_fits(file)


def test_tensors_come_out_as_arrays(tmp_path: Path) -> None:
    file, wanted = tmp_path / "x.pkl", parameters(1, 4).astype(np.float32)
    write(file, 4, smplx=wanted)
    arrays = read_fits(file)
    write(file, 4, smplx=torch.from_numpy(wanted))
    np.testing.assert_array_equal(read_fits(file).points, arrays.points)
