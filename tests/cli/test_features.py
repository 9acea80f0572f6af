"""signloom features: a store and a folder of episodes as a backbone sees them; what has none is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.prepare import write_store
from signloom.corpora.store import open_store
from signloom.data.layouts import PS76
from signloom.methods.load import load
from signloom.methods.sources import First
from signloom.methods.unified import PRESETS, begin
from signloom.pose.files import read_pose, write_pose
from signloom.simulator.corpora import SimulatedSentences
from signloom.training.checkpoint import save_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "unified"
    model = begin(PRESETS["tiny"], ["a small text"], 1)
    save_checkpoint(folder, model.described(), model, model.tokenizer)
    return folder


def features(*arguments: Path | str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["features", *map(str, arguments)])
    return int(str(ended.value.code))


def test_a_store_becomes_a_store_of_features(model: Path, tmp_path: Path) -> None:
    sentences = {s: First(SimulatedSentences("tiny", s, PS76), 2) for s in ("train", "dev")}
    write_store(tmp_path / "poses", PS76, sentences, description={"corpus": "mine"})
    said = (model, tmp_path / "poses", "-o", tmp_path / "seen")
    assert features(*said) == 0
    poses, seen = (open_store(tmp_path / name, "train") for name in ("poses", "seen"))
    assert seen.splits == poses.splits
    assert seen.simulated
    assert seen.layout.name == "features-64"
    assert seen.describe()["description"]["corpus"] == "mine"
    for index in range(len(poses)):
        was, is_ = poses[index], seen[index]
        assert (is_.id, is_.text, is_.glosses) == (was.id, was.text, was.glosses)
        found = load(model).features(was.clip)
        kept = is_.clip.points.reshape(len(is_.clip), -1)[:, :64]
        np.testing.assert_allclose(kept, found[: len(kept)], atol=1e-3 * np.abs(found).max())
    assert features(*said) == 2  # it is there already
    assert features(model, tmp_path / "poses", "-o", tmp_path / "poses", "--overwrite") == 2
    assert open_store(tmp_path / "poses").layout == PS76


def test_episodes_keep_what_lies_beside_them(model: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "episodes", tmp_path / "seen"
    folder.mkdir()
    clip = SimulatedSentences("tiny", "train", PS76)[0].clip
    write_pose(clip, folder / "a.pose")
    (folder / "a.speech.vtt").write_text("WEBVTT\n")
    (folder / "a.lips.safetensors").write_bytes(b"of no use here")
    assert features(model, folder, "-o", out) == 0
    assert sorted(file.name for file in out.iterdir()) == ["a.pose", "a.speech.vtt"]
    seen = read_pose(out / "a.pose")
    assert (seen.layout.name, seen.fps, seen.origin.simulated) == ("features-64", 6.25, True)
    assert len(seen) == round(clip.duration * 6.25)


def test_a_model_whose_frames_nothing_reads_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert features("bundled-recogniser", tmp_path, "-o", tmp_path / "seen") == 2
    assert "give a checkpoint of 'unified'" in capsys.readouterr().err
