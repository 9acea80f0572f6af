"""Continuous recognition corpora: RWTH-BOSTON-104 and Isharah, as miniatures and as found."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.boston104 import boston104, fold_of
from signloom.corpora.entries import Corpus, Entries
from signloom.corpora.isharah import isharah
from signloom.corpora.store import open_store
from signloom.data.layouts import BOSTON3, ISHARAH86
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from tests.corpora.boston import write_boston


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


def sources(corpus: Corpus) -> dict[str, Entries]:
    return corpus.sources(corpus.native_layout())


# --- RWTH-BOSTON-104 -------------------------------------------------------------------------

SENTENCES = {"7": "JOHN READ BOOK", "9": "MARY BUY HOUSE", "11": "JOHN READ BOOK", "12": "IX LIKE"}


@pytest.fixture
def boston(tmp_path: Path) -> Path:
    """Four sentences of 30 frames; in frame t the left hand is at (t, 100 + t); 9 lacks frame 4."""
    write_boston(tmp_path, SENTENCES, lambda video, t: None if (video, t) == ("9", 4) else t)
    (tmp_path / "speaker.csv").write_text("video,speaker\n7,man-1\n9,woman-2\n11,man-1\n99,man-1\n")
    return tmp_path


def test_boston_has_hands_nose_and_timed_glosses(boston: Path) -> None:
    samples = [each[i] for each in sources(boston104(boston)).values() for i in range(len(each))]
    by_id = {sample.id: sample for sample in samples}
    assert set(by_id) == set(SENTENCES)
    one = by_id["9"]
    assert [gloss.gloss for gloss in one.glosses] == ["MARY", "BUY", "HOUSE"]
    assert one.glosses[0].span == Span(1 / 30, 10 / 30), "the last frame is part of the word"
    assert one.glosses[2].span is not None
    assert one.glosses[2].span.frames(one.clip.fps) == (19, 28)
    assert (one.signer, one.language, one.text) == ("woman-2", "ase", "")
    assert by_id["12"].signer == ""
    assert (len(one.clip), one.clip.fps, one.clip.layout, one.clip.size) == (
        30,
        30.0,
        BOSTON3,
        (312, 242),
    )
    assert one.clip.points[7].tolist() == [[7, 107, 0], [150, 160, 0], [170, 60, 0]]
    assert one.clip.present.all(axis=1).tolist() == [t != 4 for t in range(30)]


def test_equal_sentences_share_a_fold_and_a_fold_is_held_out(boston: Path) -> None:
    folds = {entry.id: entry.split for entry in boston104(boston).entries}
    assert folds["7"] == folds["11"]
    held = int(folds["7"][-1])
    splits = {entry.id: entry.split for entry in boston104(boston, fold=held).entries}
    assert splits == {v: "dev" if folds[v] == folds["7"] else "train" for v in SENTENCES}
    # The folds must never move: results are quoted by them.
    told = {"JOHN READ BOOK": 4, "MARY BUY HOUSE": 4, "IX LIKE": 3}
    assert {sentence: fold_of(sentence.split()) for sentence in told} == told


def test_boston_prepares_a_store(boston: Path, tmp_path: Path) -> None:
    assert run("prepare", "boston104", boston, "-o", tmp_path / "store", "--jobs", 1) == 0
    store = open_store(tmp_path / "store")
    assert set(store.splits) == {entry.split for entry in boston104(boston).entries}
    assert {store[i].id for i in range(len(store))} == set(SENTENCES)
    held = fold_of("IX LIKE".split())
    assert run("prepare", "boston104", boston, "--fold", held, "-o", tmp_path / "folded") == 0
    assert "12" in open_store(tmp_path / "folded", "dev").ids()
    assert run("prepare", "boston104", boston, "--split", "test", "-o", tmp_path / "new") == 0
    assert set(open_store(tmp_path / "new", "test").ids()) == set(SENTENCES)


@pytest.mark.parametrize(
    ("file", "row", "message"),
    [
        (
            "train_words.csv",
            "7,man-1,BOOK,25,30",
            r"line 13: the word runs .* to 30, .* has 30 frames",
        ),
        ("train_words.csv", "7,man-1,BOOK,9,8", "from frame 9 to 8"),
        ("train_words.csv", "7,man-1,BOOK,x,8", "startframe is 'x'"),
        ("hands.csv", "7,1.5,1,1,1,1,1,1", r"frame is '1.5', expected a whole number"),
        ("hands.csv", "7,31,1,1,1,1,1,", "nose-y is ''"),
    ],
)
def test_a_wrong_row_of_boston_is_named(boston: Path, file: str, row: str, message: str) -> None:
    with (boston / file).open("a") as table:
        table.write(row + "\n")
    with pytest.raises(MediaError, match=message):
        boston104(boston)


def test_what_boston_lacks_is_named(boston: Path) -> None:
    with (boston / "train_words.csv").open("a") as table:
        table.write("50,man-1,BOOK,2,8\n")
    assert [left.id for left in boston104(boston).absent] == ["50"]
    with pytest.raises(UsageError, match="no fold 5"):
        boston104(boston, fold=5)
    with pytest.raises(UsageError, match="give one of the two"):
        boston104(boston, fold=1, split="test")
    with pytest.raises(MediaError, match=r"hands\.csv"):
        boston104(boston / "elsewhere")


@pytest.mark.shared_data
def test_the_published_sentences_are_all_read(shared_data: Path) -> None:
    corpus = boston104(shared_data / "rwth_boston104")
    entries = corpus.entries
    assert (len(entries), len(corpus.absent)) == (161, 0)
    assert len({gloss.gloss for entry in entries for gloss in entry.glosses}) == 112
    assert {entry.signer for entry in entries} == {"man-1", "woman-1", "woman-2"}
    found = sources(corpus)
    assert {split: len(each) for split, each in sorted(found.items())} == {
        "fold-1": 39,
        "fold-2": 44,
        "fold-3": 36,
        "fold-4": 42,
    }
    clips = [each[i].clip for each in found.values() for i in range(len(each))]
    assert sum(map(len, clips)) == 12_422
    right, left = (
        np.concatenate([clip.points[:, clip.part(part), 0] for clip in clips])
        for part in ("right_hand", "left_hand")
    )
    assert right.mean() < left.mean(), "a signer's right hand is on the picture's left"


# --- Isharah ---------------------------------------------------------------------------------

GLOSSES = {"00_0001": "سوال هو", "00_0002": "هو معلم لغه اشاره", "02_0001": "سوال هو"}


def keypoints(frames: int, value: float = 100.0, axes: int = 2) -> dict[str, Any]:
    return {"keypoints": np.full((frames, 86, axes), value, np.float64)}


def write_pickle(file: Path, value: Any, protocol: int = 4) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(pickle.dumps(value, protocol))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As it unpacks: tables below annotations_v2, pickles of all clips and of the test's."""
    clips = {name: keypoints(5 + i) for i, name in enumerate(GLOSSES)}
    clips["00_0002"]["keypoints"][2, 21:42] = 0  # the left hand is not found
    clips["00_0002"]["keypoints"][3, 61, 0] = np.nan
    write_pickle(tmp_path / "data" / "pose_data_isharah1000_hands_lips_body_May12.pkl", clips)
    for task, axes in (("SI", 3), ("US", 2)):
        test = {"1": keypoints(8 + axes, axes=axes)}
        write_pickle(tmp_path / "data" / f"pose_data_isharah1000_{task}_test.pkl", test)
        tables = tmp_path / "annotations_v2" / task
        tables.mkdir(parents=True)
        (tables / f"{task}_test.txt").write_text("id|gloss\n1| \n")
    tables = tmp_path / "annotations_v2" / "SI"
    (tables / "train.txt").write_text(
        "id|gloss|text\n"
        f"00_0001|{GLOSSES['00_0001']}|من هو\n00_0002|{GLOSSES['00_0002']}|هو مدرس لغه اشاره\n"
    )
    marked = GLOSSES["02_0001"].replace(
        "هو", "\u200fهو\u200f"
    )  # a mark of direction, not to be seen
    (tables / "dev.txt").write_text(f"id|gloss\n02_0001|{marked}\n")
    return tmp_path


def test_isharah_has_the_published_splits_signers_and_glosses(folder: Path) -> None:
    corpus = isharah(folder)
    assert corpus.native_layout() is ISHARAH86
    found = sources(corpus)
    assert {split: len(each) for split, each in found.items()} == {"train": 2, "dev": 1, "test": 1}
    sample = found["train"][1]
    assert [gloss.gloss for gloss in sample.glosses] == ["هو", "معلم", "لغه", "اشاره"]
    assert (sample.text, sample.signer, sample.language) == ("هو مدرس لغه اشاره", "00", "sdl")
    assert (len(sample.clip), sample.clip.fps) == (6, 30.0)
    assert not sample.clip.present[2, sample.clip.part("left_hand")].any()
    assert sample.clip.present.sum() == 6 * 86 - 21 - 1
    assert sample.clip.points[0, 0].tolist() == [100, 100, 0]
    assert (found["dev"][0].signer, found["dev"][0].text) == ("02", "")
    assert [gloss.gloss for gloss in found["dev"][0].glosses] == ["سوال", "هو"]
    test = found["test"][0]
    assert (test.id, test.signer, test.glosses, len(test.clip)) == ("1", "", (), 11)
    assert [len(each[0].clip) for each in sources(isharah(folder, task="US")).values()] == [10]


def test_isharah_prepares_a_store(folder: Path, tmp_path: Path) -> None:
    assert run("prepare", "isharah", folder, "--fps", 25, "-o", tmp_path / "store") == 0
    dev = open_store(tmp_path / "store", "dev")[0]
    assert " ".join(gloss.gloss for gloss in dev.glosses) == GLOSSES["02_0001"]
    assert dev.clip.fps == 25


def test_a_clip_of_another_shape_or_none_is_left_out(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "poses.pkl"
    write_pickle(file, {"00_0001": {"keypoints": np.zeros((3, 85, 2))}, "02_0001": keypoints(4)})
    corpus = isharah(folder, file)
    assert {left.id for left in corpus.absent} == {"00_0002", "1"}
    with pytest.raises(MediaError, match=r"clip '00_0001': keypoints of shape \(3, 85, 2\)"):
        sources(corpus)["train"][0]
    assert len(sources(corpus)["dev"][0].clip) == 4


class Hostile:
    def __reduce__(self) -> Any:
        return print, ("it ran",)


def test_a_hostile_isharah_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pickle(folder / "data" / "pose_data_isharah1000_SI_test.pkl", {"1": Hostile()})
    assert run("prepare", "isharah", folder, "-o", tmp_path / "store") == 3
    said = capsys.readouterr()
    assert "SI_test.pkl asks for 'builtins.print', which was not called" in said.err
    assert said.out == ""
    assert not (tmp_path / "store").exists()


def test_what_isharah_lacks_is_named(folder: Path, tmp_path: Path) -> None:
    write_pickle(tmp_path / "list.pkl", [1])
    with pytest.raises(MediaError, match="holds a list, expected a dict"):
        isharah(folder, tmp_path / "list.pkl")
    with pytest.raises(MediaError, match="no pickle of poses for task SI"):
        isharah(folder, folder / "annotations_v2")
    with pytest.raises(MediaError, match=r"has no SI/train\.txt"):
        isharah(tmp_path / "data")
