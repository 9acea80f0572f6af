"""WLASL hand clips: a made-up copy of two clips, and the real index."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from signloom.corpora.wlasl_hands import WlaslHands, splits_of
from signloom.data.layouts import HANDS42
from signloom.errors import MediaError, UsageError

HEADER = "video_id,gloss,class_id,subset,n_frames,offset,wlasl100,wlasl300,wlasl1000,wlasl2000\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three clips: both hands seen in swapping slots; one hand; none."""
    rng = np.random.default_rng(0)
    xy = np.full((30, 2, 21, 2), np.nan, np.float16)
    right = rng.normal(0, 0.03, (21, 2)) + np.array([0.3, 0.6])
    left = rng.normal(0, 0.03, (21, 2)) + np.array([0.7, 0.6])
    for frame in range(10):
        xy[frame] = (right, left) if frame % 2 else (left, right)
    xy[10:20, 0] = right
    np.savez_compressed(tmp_path / "hands_xy_f16.npz", xy=xy)
    (tmp_path / "index.csv").write_text(
        HEADER
        + "00001,Ice Cream,7,train,10,0,,,train,train\n"
        + "00002,cold,8,train,10,10,,,val,val\n"
        + "00003,cold,8,train,10,20,,,train,train\n"
    )
    return tmp_path


def test_clips_come_with_left_and_right(folder: Path) -> None:
    train = pickle.loads(pickle.dumps(WlaslHands(folder)))
    assert (len(train), train.excluded) == (1, 1)
    sample = train[0]
    assert (sample.id, sample.text, sample.language) == ("00001", "ice cream", "ase")
    clip = sample.clip
    assert (clip.layout, clip.fps, len(clip)) == (HANDS42, 25, 10)
    assert (clip.confidence == 1).all()
    x = clip.points[:, :, 0]
    assert (x[:, clip.part("left_hand")].mean(axis=1) > 0.6).all()
    assert (x[:, clip.part("right_hand")].mean(axis=1) < 0.4).all()
    (one,) = (WlaslHands(folder, split="val")[0].clip,)
    assert one.confidence.mean() == 0.5


def test_wlasl_errors(folder: Path) -> None:
    assert splits_of(folder, "wlasl1000") == ["train", "val"]
    with pytest.raises(UsageError, match=r"no WLASL subset 'wlasl20' \(did you mean 'wlasl2000'"):
        WlaslHands(folder, "wlasl20")
    with pytest.raises(UsageError, match=r"no split 'test'.*it has train, val"):
        WlaslHands(folder, split="test")
    np.savez(folder / "hands_xy_f16.npz", xy=np.zeros((5, 2, 21, 2), np.float16))
    with pytest.raises(MediaError, match=r"shape \(5, 2, 21, 2\), expected \(at least 30"):
        len(WlaslHands(folder))
    np.savez(folder / "hands_xy_f16.npz", xy=np.array([{}], object))
    with pytest.raises(MediaError, match=r"cannot be read as hand keypoints"):
        len(WlaslHands(folder))
    (folder / "index.csv").write_text("a,b\n1,2\n")
    with pytest.raises(MediaError, match=r"cannot be read as the index of the WLASL"):
        WlaslHands(folder)


@pytest.mark.shared_data
def test_the_real_clips(shared_data: Path) -> None:
    folder = shared_data / "wlasl2000_hands"
    train, val = WlaslHands(folder), WlaslHands(folder, split="val")
    assert (len(train), train.excluded, len(val), val.excluded) == (8313, 0, 2253, 0)
    assert len({row.gloss for row in train._rows}) == 1998
    sample = train[1000]
    assert 0.2 < sample.clip.points[sample.clip.present][:, :2].mean() < 0.8
