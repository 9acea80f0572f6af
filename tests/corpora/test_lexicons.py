"""Lexicons out of folders and stores."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from signloom.corpora.folder_lexicon import folder_lexicon
from signloom.corpora.store import StoreWriter
from signloom.corpora.store_lexicon import store_lexicon
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample
from signloom.errors import MediaError, UsageError
from signloom.pose.files import read_pose, write_pose

HEADER = "path,spoken_language,signed_language,start,end,words,glosses,priority\n"


def clip(value: float, frames: int = 50) -> PoseClip:
    """x counts the frames, y is ``value`` everywhere."""
    points = np.zeros((frames, 42, 3), np.float32)
    points[:, :, 0] = np.arange(1, frames + 1)[:, None]
    points[:, :, 1] = value
    return PoseClip(points, np.ones((frames, 42), np.float32), 25.0, HANDS42, size=(100, 100))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for value in (1, 2, 3):
        write_pose(clip(value), tmp_path / f"{value}.pose")
    (tmp_path / "index.csv").write_text(
        HEADER
        + "1.pose,en,ase,0,0,Cold,COLD,5\n"
        + "2.pose,en,ase,400,1200,cold,COLD,1\n"
        + "3.pose,en,ase,400,0,weather,WEATHER,0\n"
        + "3.pose,en,ase,0,0,x,X,0\n"
    )
    return tmp_path


def test_a_folder_is_a_lexicon(folder: Path) -> None:
    lexicon = pickle.loads(pickle.dumps(folder_lexicon(folder)))
    assert dict(lexicon.words) == {"cold": 2, "weather": 1}
    assert dict(lexicon.letters) == {"x": 1}
    assert lexicon.language == "ase"
    first, second = lexicon.clip("COLD", 0), lexicon.clip("cold", 1)
    assert first.points[0, 0, 1] == 2, "the lowest priority number comes first"
    assert (len(first), first.points[0, 0, 0]) == (20, 11), "0.4 s to 1.2 s of 25 fps"
    assert (len(second), second.points[0, 0, 1]) == (50, 1)
    assert len(lexicon.clip("weather")) == 40
    assert lexicon.read_letter is not None
    assert len(lexicon.read_letter("x", 0)) == 50


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1.pose,en,ase,zero,0,cold,COLD,0\n", "line 2: start 'zero'.*give milliseconds"),
        ("1.pose,en,ase,900,100,cold,COLD,0\n", r"line 2.*ends \(100 ms\) before it starts"),
        ("../1.pose,en,ase,0,0,cold,COLD,0\n", "line 2.*leads out"),
        ("", "has no rows; expected the columns path,"),
        ("1.pose,en,ase,0,0,k\xe4lt,COLD,0\n", r"line 2: byte 0xe4 is not UTF-8"),
        ("1.pose,en,ase,0\n", r"line 2: 4 cells, expected 8"),
    ],
)
def test_a_wrong_index_is_named(tmp_path: Path, row: str, message: str) -> None:
    (tmp_path / "index.csv").write_bytes((HEADER + row).encode("latin1"))
    with pytest.raises(MediaError, match=message):
        folder_lexicon(tmp_path)


def test_a_name_with_a_nul_is_no_file(folder: Path) -> None:
    (folder / "index.csv").write_text(f"{HEADER}1\0.pose,en,ase,0,0,cold,COLD,5\n")
    with pytest.raises(MediaError, match=r"line 2: the name .* is empty or leads out"):
        folder_lexicon(folder)
    with pytest.raises(MediaError, match=r"cannot be opened .*null byte"):
        read_pose(folder / "1\0.pose")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.csv").write_text("path,signed_language,start,end,word,priority\n")
    with pytest.raises(MediaError, match=r"has no column 'spoken_language'.*it has path, signed"):
        folder_lexicon(tmp_path)


def test_a_line_separator_inside_a_word(folder: Path) -> None:
    with open(folder / "index.csv", "a", encoding="utf-8") as file:
        file.write("1.pose,en,ase,0,0,ice\u2028cream,ICE,0\n")
    assert "ice cream" in folder_lexicon(folder)


def test_a_broken_clip_of_a_lexicon_is_named(folder: Path) -> None:
    (folder / "2.pose").write_bytes((folder / "2.pose").read_bytes()[:700])
    (folder / "3.pose").unlink()
    lexicon = folder_lexicon(folder)
    with pytest.raises(MediaError, match=r"'cold'.*2.pose is cut off or damaged"):
        lexicon.clip("cold")
    with pytest.raises(MediaError, match=r"'weather'.*3.pose cannot be opened"):
        lexicon.clip("weather")
    assert len(lexicon.clip("cold", 1)) == 50, "the others are read"


def test_folder_errors(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(MediaError, match=r"has no index.csv; a lexicon folder"):
        folder_lexicon(tmp_path_factory.mktemp("empty"))
    with pytest.raises(UsageError, match=r"no signed language 'bfi'.*it has ase"):
        folder_lexicon(folder, "bfi")
    with open(folder / "index.csv", "a") as file:
        file.write("1.pose,de,gsg,0,0,kalt,KALT,0\n")
    with pytest.raises(UsageError, match=r"2 signed languages \(ase, gsg\); choose one"):
        folder_lexicon(folder)
    assert list(folder_lexicon(folder, "gsg").words) == ["kalt"]


def test_a_store_of_words_is_a_lexicon(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        for n, (word, split) in enumerate(
            [("Cold", "train"), ("ice cream", "train"), ("cold", "train"), ("cold", "val")]
        ):
            writer.add(Sample(str(n), clip(n + 1), text=word, language="ase"), split)
    lexicon = pickle.loads(pickle.dumps(store_lexicon(tmp_path / "s")))
    assert dict(lexicon.words) == {"cold": 2, "ice cream": 1}
    assert lexicon.language == "ase"
    assert [round(float(lexicon.clip("cold", n).points[0, 0, 1])) for n in (0, 1, 2)] == [1, 3, 1]
    assert dict(store_lexicon(tmp_path / "s", None).words) == {"cold": 3, "ice cream": 1}
    assert dict(store_lexicon(tmp_path / "s", "val").words) == {"cold": 1}


def test_a_store_of_sentences_is_none(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        writer.add(Sample("0", clip(1), text="the weather is very cold"), "train")
    with pytest.raises(UsageError, match=r"holds sentences.*wlasl-hands"):
        store_lexicon(tmp_path / "s")


@pytest.mark.shared_data
def test_real_folders(shared_data: Path) -> None:
    spelling = folder_lexicon(shared_data / "pose_files" / "lexicon" / "fingerspelling_lexicon")
    assert len(spelling.words) == 0
    assert len(spelling.letters) == 26
    words = folder_lexicon(shared_data / "pose_files" / "lexicon" / "dummy_lexicon")
    assert len(words.clip("pizza")) > 10
