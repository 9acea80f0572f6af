"""BOBSL, YouTube-SL-25, FLEURS-ASL, WLASL with SMPL-X, packed isolated signs: miniature folders of
their shape, and the real samples at hand."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora import smplx_arrays
from signloom.corpora.bobsl import bobsl
from signloom.corpora.cued import Limits
from signloom.corpora.entries import Corpus, Entries
from signloom.corpora.fleurs_asl import fleurs_asl
from signloom.corpora.gislr import gislr
from signloom.corpora.how2sign_smplx import how2sign_smplx
from signloom.corpora.smplx_arrays import read_projected
from signloom.corpora.store import open_store
from signloom.corpora.wlasl_smplx import wlasl_smplx
from signloom.corpora.youtube_sl import youtube_sl
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, OPENPOSE137, SMPLX52, SMPLX57, WHOLEBODY133, WLASL106
from signloom.errors import MediaError, UsageError
from signloom.methods.recipe import read_recipe
from signloom.pose.convert import conversion, convert
from signloom.pose.files import write_pose


def pose(path: Path, seconds: float = 40.0, fps: float = 25.0) -> None:
    """A clip whose x counts the frames from 1."""
    frames = round(seconds * fps)
    points = np.zeros((frames, 42, 3), np.float32)
    points[:, :, 0] = np.arange(1, frames + 1)[:, None]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_pose(PoseClip(points, np.ones((frames, 42), np.float32), fps, HANDS42), path)


def vtt(path: Path, *cues: tuple[float, float, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = [f"00:00:{a:06.3f} --> 00:00:{b:06.3f}\n{text}" for a, b, text in cues]
    path.write_text("\n\n".join(["WEBVTT", *said]) + "\n", encoding="utf-8")


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return int(stopped.value.code or 0)


def only(corpus: Corpus, split: str = "train") -> Entries:
    return corpus.sources(corpus.native_layout())[split]


# --- BOBSL ---------------------------------------------------------------------------------------


@pytest.fixture
def bobsl_folder(tmp_path: Path) -> Path:
    (tmp_path / "subset2episode.json").write_text(
        json.dumps(
            {"train": ["51", "52", "53"], "val": ["54"], "public_test": ["55"], "challenge": ["56"]}
        )
    )
    manual = tmp_path / "subtitles" / "manually-aligned"
    vtt(
        manual / "51.vtt",
        (1.0, 3.0, "Good\u00a0evening."),
        (3.0, 3.99, "Short."),
        (4.0, 24.0, "Twenty seconds\nare allowed."),
        (4.0, 24.04, "These are more."),
        (5.0, 8.0, "Somewhere. [NOT SURE WHERE]"),
        (6.0, 9.0, "word " * 80),
        (6.0, 9.0, "word " * 81),
        (9.0, 12.0, "..."),
    )
    vtt(manual / "52" / "signhd.vtt", (0.0, 2.0, "A second name."))
    (manual / "54.vtt").write_text("WEBVTT\n\nno time\n00:xx --> 1\n")
    vtt(manual / "55.vtt", (0.0, 2.0, "Gone."))
    vtt(tmp_path / "subtitles" / "audio-aligned" / "51.vtt", (0.5, 2.5, "Good evening."))
    for episode in ("51", "52"):
        pose(tmp_path / "poses" / f"{episode}.pose")
    (tmp_path / "signers.tsv").write_text("video\tsigner\n51\tanna\n")
    return tmp_path


def test_bobsl(bobsl_folder: Path) -> None:
    corpus = bobsl(bobsl_folder)
    source = only(corpus)
    assert [source.name(i) for i in range(len(source))] == ["51-1", "51-3", "51-6", "52-1"]
    sample = source[0]
    assert (sample.text, sample.signer, sample.language) == ("Good evening.", "anna", "bfi")
    assert (len(sample.clip), sample.clip.points[0, 0, 0]) == (50, 26), "1 s are 25 frames"
    assert source[1].text == "Twenty seconds are allowed."
    assert source[3].signer == ""
    before = ["", "Short.", "These are more.", ""]
    assert [source[i].previous for i in range(4)] == before, "kept or not, but for a note"
    assert corpus.about["excluded"] == {
        "bracketed": 1,
        "long": 1,
        "no words": 1,
        "short": 1,
        "wordy": 1,
    }
    assert corpus.about["episodes_without_subtitles"] == 2, "53 and 56"
    assert [(left.id, left.split) for left in corpus.absent] == [("54", "val"), ("55-1", "test")]
    assert "54.vtt" in corpus.absent[0].reason
    assert corpus.absent[1].reason == "no 55.pose"


def test_speech_is_moved_to_the_signing(bobsl_folder: Path, tmp_path: Path) -> None:
    source = only(bobsl(bobsl_folder, subtitles="audio-aligned", shift=2.7))
    assert source[0].clip.points[0, 0, 0] == 81, "3.2 s are 80 frames"
    vtt(tmp_path / "mine" / "52.vtt", (1.0, 3.0, "Mine."))
    early = only(bobsl(bobsl_folder, subtitles=str(tmp_path / "mine"), shift=-2.0), "train")
    assert len(early) == 1
    assert len(early[0].clip) == 25, "what lies before the start is cut off"


def test_limits_are_options(bobsl_folder: Path) -> None:
    limits = Limits(min_seconds=0.5, max_seconds=30.0, max_words=100)
    assert bobsl(bobsl_folder, limits=limits).about["excluded"] == {"bracketed": 1, "no words": 1}
    with pytest.raises(UsageError, match=r"--min-seconds is 3 and --max-seconds 2"):
        Limits(3.0, 2.0)
    with pytest.raises(UsageError, match=r"--max-words is 0, expected 1 or more"):
        Limits(max_words=0)
    with pytest.raises(MediaError, match=r"none of 1 sentences of bobsl is kept \(1 short\)"):
        bobsl(bobsl_folder, subtitles="audio-aligned", limits=Limits(3.0, 4.0))


def test_a_wrong_bobsl_is_named(bobsl_folder: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no subtitles 'manualy-aligned' \(did you mean 'manually-aligned'"
    ):
        bobsl(bobsl_folder, subtitles="manualy-aligned")
    (bobsl_folder / "subtitles" / "manually-aligned").rename(bobsl_folder / "elsewhere")
    with pytest.raises(
        UsageError, match=r"no subtitles 'manually-aligned' \(did you mean 'audio-aligned'"
    ):
        bobsl(bobsl_folder)
    (bobsl_folder / "elsewhere").rename(bobsl_folder / "subtitles" / "manually-aligned")
    (bobsl_folder / "subset2episode.json").write_text('{"train": "51"}')
    with pytest.raises(MediaError, match="is no list of episodes by subset; expected"):
        bobsl(bobsl_folder)
    (bobsl_folder / "subset2episode.json").write_text('{"train": ["../51"]}')
    with pytest.raises(MediaError, match="leads out of the corpus"):
        bobsl(bobsl_folder)
    (bobsl_folder / "subset2episode.json").unlink()
    with pytest.raises(MediaError, match=r"has no list of episodes: none of subset2episode\.json"):
        bobsl(bobsl_folder)


def test_the_command_writes_a_store_and_says_what_is_left_out(
    bobsl_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    arguments = ("prepare", "bobsl", bobsl_folder, "-o", store, "--tolerate", 0.5)
    assert run(*arguments) == 0
    said = capsys.readouterr()
    assert (
        "left out by rule: 5 of 11 sentences (1 bracketed, 1 long, 1 no words, 1 short, 1 wordy)"
        in said.out
    )
    assert "2 of 6 clips (33.33%) are left out" in said.err
    about = open_store(store).describe()
    assert about["splits"] == {"train": 4}
    index = json.loads((store / "index.json").read_text())
    assert index["description"]["limits"] == {
        "min_seconds": 1.0,
        "max_seconds": 20.0,
        "max_words": 80,
    }
    assert index["description"]["excluded"]["wordy"] == 1
    assert (store / "quarantine.tsv").read_text().count("\n") == 3
    assert run("check", store) == 0


def test_the_paper_s_run_reads_splits_that_there_are(
    bobsl_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("SIGNLOOM_STORES", "SIGNLOOM_DATA"):
        monkeypatch.setenv(variable, "/dummy")
    recipe = read_recipe(Path(__file__).parents[2] / "recipes" / "unified-bobsl.yaml")
    data = recipe.data.dev
    assert (Path(data.store).name, data.split) == ("bobsl-manual", "val")
    corpus = bobsl(bobsl_folder)
    assert {item.split for item in (*corpus.entries, *corpus.absent)} == {"train", "val", "test"}


# --- YouTube-SL-25 -------------------------------------------------------------------------------


@pytest.fixture
def youtube_folder(tmp_path: Path) -> Path:
    (tmp_path / "youtube-sl-25-metadata.csv").write_text(
        "-a_vGWPhN8g,ase\nBdj5MUf_3Hc,bfi\ngone4567890,ase\nunknown5678,???\n-a_vGWPhN8g,bfi\n"
    )
    below = tmp_path / "captions"
    vtt(
        below / "-a_vGWPhN8g.en.vtt",
        (0.0, 2.0, "- John: &amp;lt;i&amp;gt;Hi (waves) !"),
        (2.0, 4.0, "[music]"),
        (4.0, 4.5, "Short."),
        (4.5, 8.0, "one\u2028two"),
    )
    vtt(below / "-a_vGWPhN8g.en-GB.vtt", (0.0, 2.0, "Not this."))
    vtt(below / "Bdj5MUf_3Hc.en-GB.vtt", (1.0, 2.0, "Hullo."))
    vtt(below / "Bdj5MUf_3Hc.de.vtt", (1.0, 2.0, "Hallo."))
    vtt(tmp_path / "unknown5678.vtt", (0.0, 1.5, "No language."))
    for video in ("-a_vGWPhN8g", "Bdj5MUf_3Hc", "unknown5678"):
        pose(tmp_path / "poses" / f"{video}.pose", seconds=9.0, fps=30.0)
    return tmp_path


def test_youtube_captions_are_cleaned(youtube_folder: Path) -> None:
    corpus = youtube_sl(youtube_folder)
    source = only(corpus)
    assert [(e.id, e.text, e.language) for e in source.entries] == [
        ("-a_vGWPhN8g-1", "Hi!", "ase"),
        ("-a_vGWPhN8g-4", "one two", "ase"),
        ("Bdj5MUf_3Hc-1", "Hullo.", "bfi"),
        ("unknown5678-1", "No language.", ""),
    ]
    assert corpus.about["excluded"] == {"no words": 1, "short": 1}
    assert [left.id for left in corpus.absent] == ["gone4567890"]
    assert (len(source[1].clip), source[1].clip.points[0, 0, 0]) == (105, 136)
    german = youtube_sl(youtube_folder, languages=["bfi"], captions="de")
    assert [entry.text for entry in german.entries] == ["Hallo."]


def test_youtube_splits_by_video(youtube_folder: Path) -> None:
    corpus = youtube_sl(youtube_folder, languages=["ase", "bfi"], dev_share=0.34)
    by_video: dict[str, set[str]] = {}
    for entry in corpus.entries:
        by_video.setdefault(entry.path.stem, set()).add(entry.split)
    assert all(len(splits) == 1 for splits in by_video.values())
    splits = {item.split for item in (*corpus.entries, *corpus.absent)}
    assert splits == {"train", "dev"}
    assert corpus == youtube_sl(youtube_folder, languages=["ase", "bfi"], dev_share=0.34)


def test_a_wrong_youtube_is_named(youtube_folder: Path) -> None:
    with pytest.raises(
        UsageError, match=r"no video in 'asl' \(did you mean 'ase'\?\); it has \?\?\?, ase, bfi"
    ):
        youtube_sl(youtube_folder, languages=["asl"])
    (youtube_folder / "youtube-sl-25-metadata.csv").write_text("a,ase\nb\n")
    with pytest.raises(MediaError, match=r"line 2: 'b', expected VIDEO,LANGUAGE"):
        youtube_sl(youtube_folder)


def test_the_command_of_youtube(youtube_folder: Path, tmp_path: Path) -> None:
    arguments = ("prepare", "youtube-sl", youtube_folder, "-o", tmp_path / "store")
    assert run(*arguments, "--language", "bfi") == 0
    store = open_store(tmp_path / "store")
    assert (len(store), store[0].text, store[0].language) == (1, "Hullo.", "bfi")
    assert run(*arguments, "--overwrite") == 3, "a video without captions is missing"


# --- FLEURS-ASL ----------------------------------------------------------------------------------


def test_fleurs_asl(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(
        "id,video,sentence,start,end,signer,zs_split\n"
        'devtest_1,v1.mp4,"Fire, he said.",1.0,3.0,1,test\n'
        "devtest_2,v1.mp4,Too long.,3.0,39.0,1,test\n"
        "dev_3,v2,Gone.,0,5,2,dev\n"
        "dev_4,v1,Backwards.,5,3,2,dev\n"
    )
    pose(tmp_path / "v1.pose")
    corpus = fleurs_asl(tmp_path)
    sample = only(corpus, "test")[0]
    assert (sample.id, sample.text, sample.signer, sample.language) == (
        "devtest_1",
        "Fire, he said.",
        "1",
        "ase",
    )
    assert (len(sample.clip), sample.clip.points[0, 0, 0]) == (50, 26)
    assert corpus.about["excluded"] == {"long": 1}
    assert [(left.id, left.reason) for left in corpus.absent] == [
        ("dev_3", "no v2.pose"),
        ("dev_4", "starts at 5.0 s and ends at 3.0 s of v1"),
    ]


def test_fleurs_asl_with_other_columns_and_a_video_a_sentence(tmp_path: Path) -> None:
    table = tmp_path / "mine.tsv"
    table.write_text('key\tfile\tenglish\nd_1\tv1\t"A" is one.\nd_2\tv2\tLong.\nd_3\tv3\tNo.\n')
    pose(tmp_path / "poses" / "v1.pose", seconds=4.0)
    pose(tmp_path / "poses" / "v2.pose", seconds=30.0)
    out = tmp_path / "store"
    columns = [part for c in ("id=key", "video=file", "text=english") for part in ("--column", c)]
    assert run("prepare", "fleurs-asl", table, "-o", out, "--tolerate", 0.5, *columns) == 0
    store = open_store(out)
    assert [(s.id, len(s.clip)) for s in store] == [("d_1", 100)]
    assert store.describe()["splits"] == {"test": 1}
    with pytest.raises(MediaError, match=r"no column 'id'.*it has key, file, english"):
        fleurs_asl(table)
    with pytest.raises(UsageError, match=r"names 'txt' \(did you mean 'text'\?\); expected one of"):
        fleurs_asl(table, columns={"txt": "english"})
    (tmp_path / "other.csv").write_text("id,video,sentence,start\na,b,c,1\n")
    with pytest.raises(MediaError, match=r"has 2 tables \(mine.tsv, other.csv\), expected one"):
        fleurs_asl(tmp_path)
    with pytest.raises(MediaError, match="has only one of start and end"):
        fleurs_asl(tmp_path / "other.csv")


# --- WLASL with SMPL-X ---------------------------------------------------------------------------

FITTED = "video_id,gloss,class_id,subset,in_wlasl100,in_wlasl300,n_frames,offset\n"


def fitted(folder: Path, **changes: object) -> None:
    """Six frames whose x is 10·frame + point/16; two clips, the second with a frame skipped."""
    frames = np.arange(6)
    points = np.zeros((6, 106, 2), np.int16)
    points[:, :, 0] = 160 * frames[:, None] + np.arange(106)
    points[:, :, 1] = 1600
    points[1, 0, 0] = 32767
    arrays = {
        "kp2d_x16": points,
        "conf_u8": np.full((6, 106), 51, np.uint8),
        "hand_valid": np.array([[True, True]] * 2 + [[False, True]] + [[True, True]] * 3),
        "frame_index": np.array([0, 1, 2, 4, 5, 7], np.int32),
        "smplx_f16": np.tile(np.r_[np.pi, np.zeros(180), 2], (6, 1)).astype(np.float16),
    }
    np.savez_compressed(folder / "pose.npz", **(arrays | changes))
    (folder / "index.csv").write_text(FITTED + "1,Book,7,train,1,1,3,0\n2,drink,8,val,0,1,3,3\n")


def test_wlasl_smplx(tmp_path: Path) -> None:
    fitted(tmp_path)
    corpus = wlasl_smplx(tmp_path)
    train = pickle.loads(pickle.dumps(only(corpus)))
    sample, clip = train[0], train[0].clip
    assert (sample.id, sample.text, [g.gloss for g in sample.glosses]) == ("1", "book", ["book"])
    assert (clip.layout, clip.fps, clip.size) == (WLASL106, 25, (256, 256))
    assert clip.points[2, 5].tolist() == pytest.approx([20 + 5 / 16, 100, 0])
    assert clip.confidence[0].tolist() == pytest.approx([0.2] * 106)
    assert not clip.present[1, 0], "the end of int16 is no place"
    assert clip.present[1, 1:].all()
    assert not clip.present[2, 64:85].any(), "the left hand is not valid"
    assert clip.present[2, 85:].all()
    val = only(corpus, "val")[0].clip
    assert len(val) == 4, "frame 6 was skipped"
    assert val.present.any(axis=1).tolist() == [True, True, False, True]
    assert [e.text for e in wlasl_smplx(tmp_path, "wlasl100").entries] == ["book"]
    assert len(wlasl_smplx(tmp_path, "wlasl300").entries) == 2
    hands = convert(clip, HANDS42)
    assert hands.points[:, :, 0].tolist() == clip.points[:, 64:, 0].tolist()


def test_wlasl_smplx_in_space(tmp_path: Path) -> None:
    fitted(tmp_path)
    corpus = wlasl_smplx(tmp_path, joints=True)
    clip = only(corpus)[0].clip
    assert (clip.layout, clip.fps) == (SMPLX57, 25)
    assert clip.present[:, :22].all()
    assert clip.present[2].tolist() == [True] * 22 + [False] * 15 + [True] * 20
    head, pelvis = clip.points[0, 15], clip.points[0, 0]
    assert head[1] < pelvis[1] - 0.5, "y is down"
    assert pelvis[2] == pytest.approx(2, abs=0.01)
    assert clip.points[0, 16, 0] > clip.points[0, 17, 0], (
        "who faces the camera has the left at its right"
    )
    val = only(corpus, "val")[0].clip
    assert val.present[:, 0].tolist() == [True, True, False, True]
    with pytest.raises(
        UsageError, match="does not convert to 'smplx52', whose joints are in metres"
    ):
        convert(only(wlasl_smplx(tmp_path))[0].clip, SMPLX52)
    fits = np.zeros((6, 182), np.float16)
    fits[1, 30] = np.nan
    fitted(tmp_path / "", smplx_f16=fits)
    smplx_arrays._parameters.cache_clear()
    with pytest.raises(
        MediaError, match=r"cannot be read as fits: frame 1: the rotation of joint 10"
    ):
        only(wlasl_smplx(tmp_path, joints=True))[0]


def test_a_wrong_wlasl_smplx_is_named(tmp_path: Path) -> None:
    fitted(tmp_path)
    with pytest.raises(UsageError, match=r"no subset 'wlasl10' \(did you mean 'wlasl100'"):
        wlasl_smplx(tmp_path, "wlasl10")
    cases = (
        ({"frame_index": np.zeros(6, np.int32)}, "do not rise by 1 to"),
        ({"conf_u8": np.zeros((6, 100), np.uint8)}, r"'conf_u8' of shape \(6, 100\), expected"),
        ({"hand_valid": np.array([{}], object)}, "cannot be read as fitted joints"),
    )
    for number, (changes, message) in enumerate(cases):
        folder = tmp_path / str(number)
        folder.mkdir()
        fitted(folder, **changes)
        with pytest.raises(MediaError, match=message):
            only(wlasl_smplx(folder))[0]
    (tmp_path / "index.csv").write_text(FITTED + "1,Book,7,train,1,1,9,0\n")
    with pytest.raises(MediaError, match=r"line 2: 9 frames from 0 on, but .* has 6"):
        wlasl_smplx(tmp_path)
    with pytest.raises(MediaError, match="cannot be read as fitted joints"):
        read_projected(tmp_path / "none.npz", fps=25.0, size=(1, 1), corpus="")


def test_how2sign_smplx(tmp_path: Path) -> None:
    fitted(tmp_path)
    table = "sentence_name,english,n_frames,offset,height,width\n"
    rows = 'a_1-8-rgb_front,"Hi, you.",3,0,720,1280\nb_2-5-rgb_front,Perfect.,3,3,720,{}\n'
    (tmp_path / "index.csv").write_text(table + rows.format(1280))
    first, second = only(how2sign_smplx(tmp_path))
    assert (first.id, first.text, first.signer, first.glosses) == (
        *("a_1-8-rgb_front", "Hi, you.", "8"),
        (),
    )
    assert (first.clip.layout, first.clip.fps, first.clip.size) == (WLASL106, 24, (1280, 720))
    assert first.clip.points[2, 5].tolist() == pytest.approx([20 + 5 / 16, 100, 0])
    assert len(second.clip) == 4, "frame 6 was skipped"
    out = tmp_path / "store"
    asked = ("--split", "dev", "--layout", "smplx52", "--fps", 25)
    assert run("prepare", "how2sign-smplx", tmp_path, "-o", out, *asked) == 0
    store = open_store(out)
    assert store.describe()["splits"] == {"dev": 2}
    assert (store[0].clip.layout, store[0].clip.fps) == (SMPLX52, 25)
    (tmp_path / "index.csv").write_text(table + rows.format(640))
    with pytest.raises(MediaError, match="of these sizes: 640 × 720, 1280 × 720; expected one"):
        how2sign_smplx(tmp_path)


def test_the_layout_reaches_others_by_name() -> None:
    assert conversion(WLASL106, HANDS42).missing == ()
    for other in (WHOLEBODY133, OPENPOSE137):
        found = conversion(WLASL106, other)
        side = "left" if other is WHOLEBODY133 else "L"
        name = f"BODY:{side}_elbow" if other is WHOLEBODY133 else "pose_keypoints_2d:LElbow"
        assert found.indices[other.index[name]] == WLASL106.index["POSE_LANDMARKS:LEFT_ELBOW"]
        faces = found.indices[other.part("face")]
        assert faces[:48].tolist() == list(range(16, 64)), "the first 48 points of iBUG"
    conversion(OPENPOSE137, WLASL106)


@pytest.mark.shared_data
def test_the_real_fitted_clips(shared_data: Path) -> None:
    """The layout, measured: left is left, wrists hang on elbows, fingers stand in MediaPipe's order."""
    corpus = wlasl_smplx(shared_data / "wlasl124_smplx")
    train, val = only(corpus), only(corpus, "val")
    assert (len(train), len(val), len({e.text for e in corpus.entries})) == (670, 190, 124)
    clips = [train[i].clip for i in range(0, len(train), 10)]
    xy = np.concatenate([clip.points[clip.present.all(axis=1), :, :2] for clip in clips])
    at = WLASL106.index
    assert len(xy) > 1000

    def point(name: str) -> np.ndarray:
        return xy[:, at[name]]

    def apart(a: str, b: str) -> float:
        return float(np.median(np.linalg.norm(point(a) - point(b), axis=1)))

    for name in ("EYE", "EAR", "SHOULDER", "ELBOW", "HIP"):
        left, right = (point(f"POSE_LANDMARKS:{side}_{name}") for side in ("LEFT", "RIGHT"))
        assert (left[:, 0] > right[:, 0]).mean() > 0.95, "the signer faces us"
    for side, other in (("LEFT", "RIGHT"), ("RIGHT", "LEFT")):
        hand, elbow = f"{side}_HAND_LANDMARKS", f"POSE_LANDMARKS:{side}_ELBOW"
        assert apart(f"{hand}:WRIST", elbow) < 0.6 * apart(
            f"{hand}:WRIST", f"POSE_LANDMARKS:{other}_ELBOW"
        )
        order = ("INDEX_FINGER", "MIDDLE_FINGER", "RING_FINGER", "PINKY")
        knuckles = [apart(f"{hand}:INDEX_FINGER_MCP", f"{hand}:{f}_MCP") for f in order]
        assert knuckles == sorted(knuckles)
        for finger in order:
            joints = [f"{hand}:{finger}_{j}" for j in ("MCP", "PIP", "DIP", "TIP")]
            from_knuckle = [apart(joints[0], joint) for joint in joints]
            assert from_knuckle[1] < from_knuckle[2], finger
        thumb = [apart(f"{hand}:WRIST", f"{hand}:THUMB_{j}") for j in ("CMC", "MCP", "IP", "TIP")]
        assert thumb == sorted(thumb)
        assert thumb[0] == min(apart(f"{hand}:WRIST", k) for k in WLASL106.keypoints
                               if k.startswith(hand) and not k.endswith("WRIST"))  # fmt: skip
    face = xy[:, WLASL106.part("face")]
    assert (face[:, 16, 0] > face[:, 0, 0]).mean() > 0.95, "the jaw runs to the signer's left"
    eye = at["POSE_LANDMARKS:RIGHT_EYE"]
    assert np.median(np.linalg.norm(face[:, 36:42].mean(axis=1) - xy[:, eye], axis=1)) < 2


# --- Google's isolated signs, packed -------------------------------------------------------------


def packed(folder: Path) -> None:
    xy = np.full((5, 4, 2), np.nan, np.float16)
    xy[:, 0] = np.arange(5)[:, None] / 8
    xy[3:, 3] = 0.5
    names = np.array(["face_61", "left_hand_8", "pose_11", "right_hand_0"])
    np.savez_compressed(folder / "landmarks_xy_f16.npz", xy=xy, point_names=names)
    (folder / "index.csv").write_text(
        "path,participant_id,sequence_id,sign,n_frames,offset\n"
        "train_landmark_files/9/1.parquet,9,1,Hello,3,0\n"
        "train_landmark_files/8/2.parquet,8,2,hello,2,3\n"
    )


def test_packed_signs(tmp_path: Path) -> None:
    packed(tmp_path)
    corpus = gislr(tmp_path, dev_signers=["8"], fps=24.0)
    sample = only(corpus)[0]
    assert (sample.id, sample.text, sample.signer) == ("9-1", "hello", "9")
    clip = sample.clip
    assert (clip.fps, clip.layout.depth, clip.layout.keypoints) == (
        24,
        "none",
        (
            "FACE_LANDMARKS:61",
            "LEFT_HAND_LANDMARKS:INDEX_FINGER_TIP",
            "POSE_LANDMARKS:LEFT_SHOULDER",
            "RIGHT_HAND_LANDMARKS:WRIST",
        ),
    )
    assert clip.points[:, 0, 0].tolist() == [0, 0.125, 0.25]
    assert clip.present[0].tolist() == [True, False, False, False]
    dev = only(corpus, "dev")[0].clip
    assert dev.points[0, 0].tolist() == [0.375, 0.375, 0]
    assert dev.present[:, 3].all()
    assert [left.id for left in gislr(tmp_path, raw=True).absent] == ["9-1", "8-2"]


def test_wrong_packed_signs_are_named(tmp_path: Path) -> None:
    packed(tmp_path)
    index = tmp_path / "index.csv"
    good = index.read_text()
    index.write_text(good.replace(",2,3\n", ",3,3\n"))
    with pytest.raises(MediaError, match=r"line 3: 3 frames from 3 on, but .* has 5"):
        gislr(tmp_path)
    index.write_text("path,participant_id,sequence_id,sign\na/1.parquet,9,1,Hello\n")
    with pytest.raises(MediaError, match="no offset or n_frames, expected both beside"):
        gislr(tmp_path)
    for number, (names, message) in enumerate(
        ((["foot_1"] * 4, "a point is called 'foot_1'"), (["face_1"], r"shape \(5, 4, 2\)"))
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "index.csv").write_text(good)
        array = np.zeros((5, 4, 2), np.float16)
        np.savez(folder / "landmarks_xy_f16.npz", xy=array, point_names=np.array(names))
        with pytest.raises(MediaError, match=message):
            gislr(folder)


@pytest.mark.shared_data
def test_packed_signs_equal_the_parquet_files(shared_data: Path) -> None:
    folder = shared_data / "gislr_hello_thankyou"
    packed_source, raw_source = only(gislr(folder)), only(gislr(folder, raw=True))
    assert (len(packed_source), len(raw_source)) == (556, 3)
    assert not any(entry.previous for entry in packed_source.entries), "words do not follow"
    where = {entry.id: i for i, entry in enumerate(packed_source.entries)}
    for i, entry in enumerate(raw_source.entries):
        raw, short = raw_source[i].clip, packed_source[where[entry.id]].clip
        same = convert(raw, short.layout)
        assert len(short) == len(same)
        assert (short.present == same.present).all()
        assert np.abs(short.points - same.points).max() < 1e-3
    assert len(packed_source[0].clip.layout) == 125


@pytest.mark.shared_data
def test_commands_on_the_real_folders(shared_data: Path, tmp_path: Path) -> None:
    for command, folder, splits, layout in (
        ("wlasl-smplx", "wlasl124_smplx", {"train": 670, "val": 190}, "wlasl106"),
        ("gislr", "gislr_hello_thankyou", {"train": 556}, "gislr125"),
        ("wlasl-hands", "wlasl2000_hands", {"train": 748, "val": 165}, "hands42"),
    ):
        options = ("--subset", "wlasl100") if command == "wlasl-hands" else ()
        out = tmp_path / command
        assert run("prepare", command, shared_data / folder, "-o", out, *options) == 0
        about = open_store(out).describe()
        assert dict(sorted(about["splits"].items())) == splits
        assert about["layout"] == layout
        sample = open_store(out, "train")[0]
        assert [gloss.gloss for gloss in sample.glosses] == [sample.text]
