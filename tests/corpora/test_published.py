"""Corpora as they are published: miniature folders of their shape, and the real samples at hand."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from signloom.cli.main import main
from signloom.corpora.cislr import cislr
from signloom.corpora.entries import Corpus, Entries
from signloom.corpora.gislr import gislr, read_parquet
from signloom.corpora.how2sign import how2sign
from signloom.corpora.isign import isign
from signloom.corpora.multimodalhugs import multimodalhugs
from signloom.corpora.openpose import read_openpose
from signloom.corpora.phoenix14t import phoenix14t
from signloom.corpora.skels import skels
from signloom.corpora.store import open_store
from signloom.corpora.wlasl import wlasl
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC543, OPENPOSE137, SKELS50
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.methods.sources import open_lexicon
from signloom.pose.files import read_pose, write_pose

FINGERTIP = "LEFT_HAND_LANDMARKS:INDEX_FINGER_TIP"


def pose(path: Path, frames: int = 50, fps: float = 25.0) -> None:
    """A clip whose x counts the frames from 1."""
    points = np.zeros((frames, 42, 3), np.float32)
    points[:, :, 0] = np.arange(1, frames + 1)[:, None]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pose(PoseClip(points, np.ones((frames, 42), np.float32), fps, HANDS42), path)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


def only(corpus: Corpus, split: str = "train") -> Entries:
    return corpus.sources(corpus.native_layout())[split]


# --- How2Sign ------------------------------------------------------------------------------

H2S = "VIDEO_ID\tVIDEO_NAME\tSENTENCE_ID\tSENTENCE_NAME\tSTART_REALIGNED\tEND_REALIGNED\tSENTENCE\n"


def frame(value: float, people: int = 1) -> str:
    """A frame of OpenPose: every x is ``value``, y twice that; a second person is less sure."""
    parts = {
        "pose_keypoints_2d": 25,
        "face_keypoints_2d": 70,
        "hand_left_keypoints_2d": 21,
        "hand_right_keypoints_2d": 21,
    }
    told = [
        {part: [value + 100 * n, 2 * value, 0.9 - 0.5 * n] * count for part, count in parts.items()}
        for n in range(people)
    ]
    return json.dumps({"version": 1.3, "people": told[::-1]})


@pytest.fixture
def how2sign_folder(tmp_path: Path) -> Path:
    (tmp_path / "how2sign_realigned_train.csv").write_text(
        H2S + "v\tv-5-rgb_front\tv_0\tv_0-5-rgb_front\t0.2\t1.0\tHi!\n"
        'v\tv-5-rgb_front\tv_1\tv_1-5-rgb_front\t1.0\t2.0\t"He said ""no"",\u2028and left."\n'
        "w\tw-1-rgb_front\tw_0\tw_0-1-rgb_front\t0.0\t2.0\tGone.\n"
    )
    (tmp_path / "how2sign_realigned_val.csv").write_text(
        H2S + "x\tx-2-rgb_front\tx_0\tx_0-2-rgb_front\t0\t9\tVal.\n"
    )
    below = tmp_path / "train_2D_keypoints" / "openpose_output" / "json" / "v_0-5-rgb_front"
    below.mkdir(parents=True)
    for number in (3, 4, 6):
        name = f"v_0-5-rgb_front_{number:012d}_keypoints.json"
        (below / name).write_text(frame(number, people=2 if number == 4 else 1))
    return tmp_path


def test_how2sign_with_openpose_folders(how2sign_folder: Path) -> None:
    corpus = how2sign(how2sign_folder, fps=30.0)
    assert [left.id for left in corpus.absent] == [
        "v_1-5-rgb_front",
        "w_0-1-rgb_front",
        "x_0-2-rgb_front",
    ]
    assert corpus.native_layout() is OPENPOSE137
    sample = only(corpus)[0]
    assert (sample.id, sample.text, sample.signer) == ("v_0-5-rgb_front", "Hi!", "5")
    assert (len(sample.clip), sample.clip.fps, sample.language) == (4, 30.0, "ase")
    assert sample.clip.points[:, 0, 0].tolist() == [3, 4, 0, 6], "frame 5 was not written"
    assert not sample.clip.present[2].any()
    assert sample.clip.origin.settings["people"] == 2


def test_how2sign_sentences_are_cut_out_of_videos(how2sign_folder: Path, tmp_path: Path) -> None:
    pose(tmp_path / "poses" / "v-5-rgb_front.pose")
    source = only(how2sign(how2sign_folder, tmp_path / "poses"))
    assert [len(source[i].clip) for i in range(2)] == [20, 25]
    assert source[0].clip.points[0, 0, 0] == 6, "0.2 s are 5 frames of 25 fps"
    assert source[1].text == 'He said "no", and left.'
    assert [source[i].previous for i in range(2)] == ["", "Hi!"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"_0_keypoints.json is no OpenPose frame"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', r"has 3 numbers, expected 75"),
        ("[]", r"is no OpenPose frame \(TypeError"),
    ],
)
def test_a_frame_that_is_none_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a_0_keypoints.json").write_text(content)
    with pytest.raises(MediaError, match=message):
        read_openpose(tmp_path)
    (tmp_path / "a_0_keypoints.json").rename(tmp_path / "a.json")
    with pytest.raises(MediaError, match="has no OpenPose frames; expected files such as"):
        read_openpose(tmp_path)


@pytest.mark.shared_data
def test_real_openpose_sentences(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "how2sign5_openpose" / "openpose_json.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    names = sorted(path.name for path in (tmp_path / "json").iterdir())
    rows = [f"v\tv\ts\t{name}\t0\t1\tText {n}." for n, name in enumerate(names)]
    (tmp_path / "how2sign_realigned_test.csv").write_text(H2S + "\n".join(rows) + "\n")
    source = only(how2sign(tmp_path), "test")
    index = (shared_data / "how2sign5_openpose" / "index.csv").read_text().splitlines()[1:]
    told = {line.split(",")[0]: int(line.split(",")[1]) for line in index}
    assert {source[i].id: len(source[i].clip) for i in range(len(source))} == told
    assert {source[i].signer for i in range(len(source))} == {"3", "5"}
    clip = source[0].clip
    left, right = (clip.layout.of(f"pose_keypoints_2d:{p}Shoulder")[0] for p in "LR")
    assert (clip.points[:, left, 0] > clip.points[:, right, 0]).all(), "the signer faces us"


@pytest.mark.shared_data
def test_the_real_list_of_sentences(shared_data: Path, tmp_path: Path) -> None:
    whole = gzip.decompress((shared_data / "text" / "how2sign_realigned_test.csv.gz").read_bytes())
    (tmp_path / "how2sign_realigned_test.csv").write_bytes(whole)
    pose(tmp_path / "-fZc293MpJk-1-rgb_front.pose", frames=1200)
    corpus = how2sign(tmp_path)
    assert len(corpus.entries) + len(corpus.absent) == 2357
    assert [entry.text for entry in corpus.entries][:1] == ["Hi!"]
    assert len(only(corpus, "test")[0].clip) == 163, "0.26 s to 6.79 s of 25 fps"


# --- PHOENIX-2014T ---------------------------------------------------------------------------

PHOENIX = "name|video|start|end|speaker|orth|translation\n"


def test_phoenix(tmp_path: Path) -> None:
    below = tmp_path / "PHOENIX-2014-T" / "annotations" / "manual"
    below.mkdir(parents=True)
    (below / "PHOENIX-2014-T.train.corpus.csv").write_text(
        PHOENIX + "a-1|a-1/1/*.png|-1|-1|Signer08|JETZT WETTER|und nun\u2028das wetter .\n"
        "a-2|a-2/1/*.png|-1|-1|Signer01|REGEN|regen für alle .\n"
    )
    (below / "PHOENIX-2014-T.dev.corpus.csv").write_text(
        PHOENIX + "b-1|b-1/1/*.png|-1|-1|Signer08|SONNE|die sonne .\n"
    )
    pose(tmp_path / "poses" / "train" / "a-1.pose")
    pose(tmp_path / "poses" / "b-1.pose")
    corpus = phoenix14t(tmp_path)
    assert [left.id for left in corpus.absent] == ["a-2"]
    sample = only(corpus)[0]
    assert (sample.text, sample.signer) == ("und nun das wetter .", "Signer08")
    assert [gloss.gloss for gloss in sample.glosses] == ["JETZT", "WETTER"]
    assert len(only(corpus, "dev")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name|video|start|end|speaker|orth\n", "has no column 'translation'.*it has name, video"),
        (PHOENIX.encode() + b"a|a|-1|-1|S|X\n", "line 2: 6 cells, expected 7"),
        (PHOENIX.encode() + b"a|a|-1|-1|S|X|f\xfcr\n", "line 2: byte 0xfc is not UTF-8.*iconv"),
        (PHOENIX.encode() + b"../a|a|-1|-1|S|X|y\n", "line 2: the name '../a' is empty or leads"),
        (b"", "is empty; expected a header with name"),
    ],
)
def test_annotations_that_are_wrong_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "PHOENIX-2014-T.dev.corpus.csv").write_bytes(content)
    with pytest.raises(MediaError, match=message):
        phoenix14t(tmp_path)


# --- WLASL -----------------------------------------------------------------------------------


def wlasl_list(*instances: dict) -> str:
    words = [{"gloss": "Book", "instances": [*instances]}]
    return json.dumps([*words, {"gloss": "drink", "instances": []}])


INSTANCE = {
    "video_id": "69241",
    "signer_id": 118,
    "split": "train",
    "frame_start": 11,
    "frame_end": 30,
    "fps": 25,
}


def test_wlasl(tmp_path: Path) -> None:
    gone = {**INSTANCE, "video_id": "1", "split": "val"}
    open_ended = {**INSTANCE, "video_id": "2", "frame_start": 41, "frame_end": -1}
    (tmp_path / "WLASL_v0.3.json").write_text(wlasl_list(INSTANCE, gone, open_ended))
    for name in ("69241", "2"):
        pose(tmp_path / "poses" / f"{name}.pose")
    corpus = wlasl(tmp_path, words=1)
    assert [(left.id, left.split) for left in corpus.absent] == [("1", "val")]
    sample = only(corpus)[0]
    assert (sample.text, sample.signer, len(sample.clip)) == ("book", "118", 50)
    uncut = only(wlasl(tmp_path, uncut=True))
    assert (len(uncut[0].clip), uncut[0].clip.points[0, 0, 0]) == (20, 11), "frames count from 1"
    assert (len(uncut[1].clip), uncut[1].clip.points[0, 0, 0]) == (10, 41)
    with pytest.raises(UsageError, match="words is 3, expected 1 to the 2 that"):
        wlasl(tmp_path, words=3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is no list of words"),
        ("[", "is no JSON"),
        ('[{"instances": []}]', "has a word without 'gloss'"),
        (wlasl_list({"video_id": "1"}), "'Book', instance 0: no 'split'; expected video_id"),
        (wlasl_list({**INSTANCE, "video_id": "/etc/x"}), "leads out of the corpus"),
    ],
)
def test_a_list_that_is_wrong_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "WLASL_v0.3.json").write_text(content)
    with pytest.raises(MediaError, match=message):
        wlasl(tmp_path)


@pytest.mark.shared_data
def test_the_real_list_of_words(shared_data: Path, tmp_path: Path) -> None:
    packed = shared_data / "text" / "asl1000_wlasl_v0.3_subset.json.gz"
    (tmp_path / "WLASL_v0.3.json").write_bytes(gzip.decompress(packed.read_bytes()))
    pose(tmp_path / "69241.pose")
    corpus = wlasl(tmp_path, words=100)
    assert len(corpus.absent) == 2037, "WLASL-100 lists 2,038 clips"
    assert [(entry.text, entry.signer) for entry in corpus.entries] == [("book", "118")]


# --- iSign and CISLR -------------------------------------------------------------------------


def test_isign(tmp_path: Path) -> None:
    (tmp_path / "iSign_v1.1.csv").write_text(
        'uid,text\nabc-1,"Make it short, please."\nabc-2,Gone\n'
    )
    (tmp_path / "more_val.csv").write_text("uid,text\nabd-1,A word.\n")
    for name in ("abc-1", "abd-1"):
        pose(tmp_path / "iSign-poses_v1.1" / f"{name}.pose")
    corpus = isign(tmp_path)
    assert [left.id for left in corpus.absent] == ["abc-2"]
    assert only(corpus)[0].text == "Make it short, please."
    assert only(corpus, "val")[0].language == "ins"
    (tmp_path / "iSign_v1.1.csv").write_text("id,text\nabc-1,x\n")
    with pytest.raises(MediaError, match=r"no column 'uid' \(did you mean 'id'\?\)"):
        isign(tmp_path)


def test_cislr_becomes_a_lexicon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dataset.csv").write_text(
        "uid,gloss,category\na,Rain,weather\nb,rain,x\nc,Cold,y\n"
    )
    (tmp_path / "prototype.csv").write_text("uid,gloss\na,Rain\nc,Cold\n")
    (tmp_path / "test.csv").write_text("uid,gloss\nb,rain\n")
    for name in "abc":
        pose(tmp_path / "CISLR_v1.5-a_videos_poses" / f"{name}.pose", frames=ord(name) - 90)
    assert len(cislr(tmp_path).entries) == 3
    assert run("prepare", "cislr", tmp_path, "-o", tmp_path / "store") == 0
    assert "prototype 2, test 1 samples" in capsys.readouterr().out
    lexicon = open_lexicon(str(tmp_path / "store"))
    assert dict(lexicon.words) == {"rain": 2, "cold": 1}
    assert len(lexicon.clip("cold")) == 9
    assert dict(open_lexicon(f"{tmp_path / 'store'}:test").words) == {"rain": 1}


# --- Google's isolated signs -----------------------------------------------------------------


def landmarks(path: Path, frames: tuple[int, ...], **changes: object) -> None:
    """Every present point is (frame + landmark/1000, .5, −.1); the left hand is seen in the first frame."""
    rows = [
        (number, kind, i)
        for number in frames
        for kind, count in (("face", 468), ("left_hand", 21), ("pose", 33), ("right_hand", 21))
        for i in range(count)
    ]
    seen = [kind != "left_hand" or number == frames[0] for number, kind, _ in rows]
    table = {
        "frame": pa.array([number for number, _, _ in rows], pa.int16()),
        "row_id": [f"{number}-{kind}-{i}" for number, kind, i in rows],
        "type": [kind for _, kind, _ in rows],
        "landmark_index": pa.array([i for _, _, i in rows], pa.int16()),
        "x": [n + i / 1000 if s else None for (n, _, i), s in zip(rows, seen, strict=True)],
        "y": [0.5 if s else None for s in seen],
        "z": [-0.1 if s else None for s in seen],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table | changes), path)


def test_gislr(tmp_path: Path) -> None:
    landmarks(tmp_path / "train_landmark_files" / "26734" / "7.parquet", (20, 21, 23))
    landmarks(tmp_path / "train_landmark_files" / "28656" / "8.parquet", (0,))
    (tmp_path / "train.csv").write_text(
        "path,participant_id,sequence_id,sign\n"
        "train_landmark_files/26734/7.parquet,26734,7,TV\n"
        "train_landmark_files/28656/8.parquet,28656,8,hello\n"
        "train_landmark_files/28656/9.parquet,28656,9,hello\n"
    )
    corpus = gislr(tmp_path, dev_signers=["28656"])
    assert [left.id for left in corpus.absent] == ["28656-9"]
    sample, clip = only(corpus)[0], only(corpus)[0].clip
    assert (sample.id, sample.text, sample.signer) == ("26734-7", "tv", "26734")
    assert clip.layout is HOLISTIC543
    assert len(clip) == 4, "frame 22 is a frame in which nothing was seen"
    tip = clip.layout.of(FINGERTIP)[0]
    assert clip.points[0, tip].tolist() == pytest.approx([20.008, 0.5, -0.1])
    assert clip.present[:, tip].tolist() == [True, False, False, False]
    nose = clip.layout.of("POSE_LANDMARKS:NOSE")[0]
    assert clip.present[:, nose].tolist() == [True, True, False, True]
    assert len(only(corpus, "dev")) == 1
    with pytest.raises(UsageError, match=r"no participant '2673' \(did you mean '26734'\?\)"):
        gislr(tmp_path, dev_signers=["2673"])


def test_parquet_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(MediaError, match="cannot be read as landmarks"):
        read_parquet(tmp_path / "a.parquet")
    pq.write_table(pa.table({"frame": [1]}), tmp_path / "b.parquet")
    with pytest.raises(MediaError, match=r"expected a parquet file with frame, type"):
        read_parquet(tmp_path / "b.parquet")
    landmarks(tmp_path / "c.parquet", (1,), type=["foot"] * 543)
    with pytest.raises(MediaError, match=r"of type foot; expected rows of pose, face"):
        read_parquet(tmp_path / "c.parquet")
    landmarks(tmp_path / "d.parquet", (1,), landmark_index=[500] * 543)
    with pytest.raises(MediaError, match="a landmark_index or a frame out of range"):
        read_parquet(tmp_path / "d.parquet")


@pytest.mark.shared_data
def test_real_parquet(shared_data: Path) -> None:
    files = sorted((shared_data / "gislr_hello_thankyou" / "raw_parquet").glob("*.parquet"))
    assert files
    for file in files:
        clip = read_parquet(file)
        rows = pq.read_table(file)
        assert len(clip) == max(rows["frame"].to_pylist()) - min(rows["frame"].to_pylist()) + 1
        assert int(clip.present.sum()) == len(rows) - rows["x"].null_count
        first = rows.slice(489, 1).to_pylist()[0]
        nose = clip.points[0, clip.layout.of("POSE_LANDMARKS:NOSE")[0]]
        assert first["type"] == "pose"
        assert nose.tolist() == pytest.approx([first["x"], first["y"], first["z"]], rel=1e-6)


# --- Progressive Transformers ------------------------------------------------------------------


def skels_line(frames: int) -> str:
    """Joint j of frame t is (j, t, 0.5); the counter rises from 0."""
    values = [
        v for t in range(frames) for v in [*(n for j in range(50) for n in (j, t, 0.5)), t / frames]
    ]
    return " ".join(f"{value:.5f}" for value in values) + "\n"


def test_skels(tmp_path: Path) -> None:
    (tmp_path / "dev.skels").write_text(skels_line(4) + skels_line(2))
    (tmp_path / "dev.text").write_text("tiefer\u2028luftdruck .\r\nregen .\n")
    (tmp_path / "dev.gloss").write_text("DRUCK TIEF\nREGEN\n")
    (tmp_path / "dev.files").write_text("dev/a-2\ndev/a-3\n")
    source = only(skels(tmp_path), "dev")
    sample, clip = source[0], source[0].clip
    assert (sample.id, sample.text) == ("dev/a-2", "tiefer luftdruck .")
    assert [gloss.gloss for gloss in sample.glosses] == ["DRUCK", "TIEF"]
    assert (clip.layout, clip.fps, len(clip), len(source[1].clip)) == (SKELS50, 25.0, 4, 2)
    assert clip.points[3, 49].tolist() == [49, 3, -0.5], "z points away from the camera"
    names = [SKELS50.keypoints[i] for i in (0, 1, 2, 7, 8, 29)]
    assert names == [
        "POSE_LANDMARKS:NOSE",
        "POSE_LANDMARKS:NECK",
        "POSE_LANDMARKS:LEFT_SHOULDER",
        "POSE_LANDMARKS:RIGHT_WRIST",
        "RIGHT_HAND_LANDMARKS:WRIST",
        "LEFT_HAND_LANDMARKS:WRIST",
    ]
    (tmp_path / "dev.gloss").write_text("DRUCK TIEF\n")
    with pytest.raises(MediaError, match=r"dev.gloss has 1 lines, but dev.skels has 2 clips"):
        skels(tmp_path)


def test_a_broken_clip_is_named_and_the_rest_finishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    turned = skels_line(3).split()
    turned[150], turned[301] = turned[301], turned[150]
    lines = [skels_line(4), "0.1 0.2\n", "0.1 x\n", " ".join(turned) + "\n", skels_line(5)]
    (tmp_path / "train.skels").write_text("".join(lines))
    arguments = ["prepare", "skels", tmp_path, "-o"]
    assert run(*arguments, tmp_path / "a") == 3
    told = capsys.readouterr()
    assert "train 2 samples, 9 frames of skels50" in told.out
    assert "3 of 5 clips (60.00%) are left out: 0 not there, 3 that cannot be read" in told.err
    assert "the line has 2 numbers, expected a multiple of 151" in told.err
    store = open_store(tmp_path / "a")
    assert [clip.id for clip in store.left_out()] == ["train-1", "train-2", "train-3"]
    reasons = [clip.reason for clip in store.left_out()]
    assert "expected a line of numbers" in reasons[1]
    assert "should be a counter that rises from 0 to 1" in reasons[2]
    assert store.describe()["description"]["left_out"] == 3
    assert run(*arguments, tmp_path / "b", "--tolerate", "0.6", "--jobs", "2") == 0
    one, two = ({f.name: f.read_bytes() for f in (tmp_path / s).iterdir()} for s in "ab")
    assert one == two
    (tmp_path / "train.skels").write_text("0.1\n0.2\n")
    assert run(*arguments, tmp_path / "c") == 3
    assert "none of 2 clips can be read; the first, 'train-0'" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.shared_data
def test_real_skels(shared_data: Path) -> None:
    corpus = skels(shared_data / "phoenix14t_skels15")
    assert {split: len(source) for split, source in corpus.sources(SKELS50).items()} == {
        "train": 5,
        "dev": 5,
        "test": 5,
    }
    alone = []
    for source in corpus.sources(SKELS50).values():
        for index in range(len(source)):
            clip = source[index].clip
            at = clip.layout.index
            nose, neck, wrist = (
                clip.points[:, at[f"POSE_LANDMARKS:{p}"]] for p in ("NOSE", "NECK", "LEFT_WRIST")
            )
            assert (nose[:, 1] < neck[:, 1]).all(), "y points down"
            hand = clip.points[:, at["LEFT_HAND_LANDMARKS:WRIST"]]
            assert np.abs(hand - wrist).max() < 0.15, "the hand hangs on its own arm"
            left, right = (
                clip.points[:, clip.part(f"{s}_hand"), 1].mean(1) for s in ("left", "right")
            )
            alone.append(((left - right > 0.15).mean(), (right - left > 0.15).mean()))
    right, left = np.mean(alone, axis=0)
    assert right > 5 * left, "the hand that signs alone is the right one"


# --- MultimodalHugs -----------------------------------------------------------------------------

HUGS = "signal\tsignal_start\tsignal_end\tencoder_prompt\tdecoder_prompt\toutput\n"


def test_multimodalhugs(tmp_path: Path) -> None:
    pose(tmp_path / "p" / "a.pose")
    (tmp_path / "my_train.tsv").write_text(
        HUGS + 'p/a.pose\t0\t0\t__slt__\t__en__\t"Say ""hi"""\n'
        "p/a.pose\t400\t1200\t\t\tCut.\np/a.pose\t1200\t0\t\t\tRest.\nb.pose\t0\t0\t\t\tGone.\n"
    )
    (tmp_path / "validation.tsv").write_text(
        "source_signal\tsource_start\tsource_end\toutput_text\np/a.pose\t0\t0\tOld.\n"
    )
    corpus = multimodalhugs(tmp_path, language="ase")
    assert [left.reason for left in corpus.absent] == ["no file b.pose"]
    source = only(corpus)
    assert [source[i].text for i in range(3)] == ['Say "hi"', "Cut.", "Rest."]
    assert [len(source[i].clip) for i in range(3)] == [50, 20, 20]
    assert source[1].clip.points[0, 0, 0] == 11
    assert only(corpus, "val")[0].text == "Old."


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("signal\toutputs\n", MediaError, "lists no clip"),
        (
            "signal\toutputs\na.pose\tx\n",
            MediaError,
            r"no column 'output' \(did you mean 'outputs'",
        ),
        (
            HUGS + "a.pose\t5\t1\t\t\tx\n",
            MediaError,
            "line 2: the sample goes from 0.005 s to 0.001",
        ),
        (HUGS + "a.pose\tone\t1\t\t\tx\n", MediaError, "signal_start is 'one', expected a number"),
        (
            HUGS + "a.mp4\t0\t0\t\t\tx\n",
            UsageError,
            "a.mp4 is a video.*signloom extract a.mp4 -o a",
        ),
    ],
)
def test_a_wrong_table_is_named(
    tmp_path: Path, content: str, kind: type[Exception], message: str
) -> None:
    pose(tmp_path / "a.pose")
    (tmp_path / "train.tsv").write_text(content)
    with pytest.raises(kind, match=message):
        multimodalhugs(tmp_path / "train.tsv")


# --- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("how2sign", "has no how2sign_realigned_train.csv"),
        ("phoenix14t", "has no PHOENIX-2014T annotations"),
        ("wlasl", "has no list of WLASL: none of WLASL_v0.3.json"),
        ("isign", "has no .csv; expected one with the columns uid, text"),
        ("cislr", "has no list of CISLR"),
        ("gislr", "has no list of signs: none of train.csv"),
        ("skels", "has no train.skels"),
        ("multimodalhugs", "has no .tsv"),
    ],
)
def test_another_folder_is_none_of_it(
    tmp_path: Path, corpus: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("prepare", corpus, tmp_path, "-o", tmp_path / "s") == 3
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_corpus_without_poses_says_where_to_give_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("uid,text\nabc-1,A.\n")
    assert run("prepare", "isign", tmp_path, "-o", tmp_path / "s") == 3
    assert "the first: no abc-1.pose; give the folder of the poses with --poses" in (
        capsys.readouterr().err
    )
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "abc-1.pose").write_bytes(b"not a pose file, and long enough")
    assert run("prepare", "isign", tmp_path, "-o", tmp_path / "s") == 3
    assert "abc-1.pose is not a .pose file: it begins with" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "poses")
    pose(tmp_path / "abc-1.pose")
    assert run("prepare", "isign", tmp_path, "-o", tmp_path / "s", "--layout", "mp203") == 2
    assert "'hands42' does not convert to 'mp203'" in capsys.readouterr().err


def test_a_cut_equals_the_frames_of_the_file(tmp_path: Path) -> None:
    pose(tmp_path / "a.pose")
    assert len(read_pose(tmp_path / "a.pose", Span(0.2, 0.4))) == 5
