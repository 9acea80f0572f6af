"""signloom align, as a user calls it, on simulated episodes."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HOLISTIC543, MP203, Layout
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.inference.locate import Located, Query
from signloom.inference.recognize import BUNDLED
from signloom.methods import isolated, load
from signloom.metrics.alignment import AlignedEpisode, score_alignment
from signloom.pose.files import read_pose, write_pose
from signloom.text.subtitles import compose, parse_subtitles, read_subtitles
from tests.extract.videos import coded, write_video

TIME = rb"\d\d:\d\d:\d\d\.\d\d\d"


def run(*arguments: str | Path | float) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    code = stop.value.code
    return code if isinstance(code, int) else 0


def align(*arguments: str | Path | float) -> int:
    """`signloom align`, without the recogniser that looks at simulated signing unasked."""
    return run("align", *arguments, *(() if "--model" in arguments else ("--model", "none")))


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four simulated episodes of a minute or two: <n>.pose, .speech.vtt, .signing.vtt, .json."""
    folder = tmp_path_factory.mktemp("episodes")
    assert run("simulate", "episode", "--size", "tiny", "--count", 4, "-o", folder) == 0
    return folder


@pytest.fixture
def episode(episodes: Path, tmp_path: Path) -> Path:
    """A folder with the pose file and the subtitles of the first one: e.pose, e.vtt."""
    (tmp_path / "e.pose").symlink_to(episodes / "0.pose")
    shutil.copy(episodes / "0.speech.vtt", tmp_path / "e.vtt")
    return tmp_path


def spans(path: Path) -> list[Span]:
    return [cue.span for cue in read_subtitles(path).cues]


def f1_50(found: Sequence[Path], episodes: Path, names: Sequence[str]) -> float:
    pairs = [
        AlignedEpisode(
            name, read_subtitles(path).cues, read_subtitles(episodes / f"{name}.signing.vtt").cues
        )
        for name, path in zip(names, found, strict=True)
    ]
    return next(s.value for s in score_alignment(pairs) if s.name == "F1@.50")


def without_times(path: Path) -> bytes:
    return re.sub(TIME, b"", path.read_bytes())


def test_cues_are_placed_times_alone_change_and_twice_gives_the_same_bytes(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["0", "1", "2", "3"]
    out = [tmp_path / f"{name}.vtt" for name in names]
    for name, path in zip(names, out, strict=True):
        given = episodes / f"{name}.speech.vtt"
        assert align(episodes / f"{name}.pose", given, "-o", path) == 0
        assert without_times(path) == without_times(given)
        assert (
            align(episodes / f"{name}.pose", given, "-o", tmp_path / "again.vtt", "--overwrite")
            == 0
        )
        assert (tmp_path / "again.vtt").read_bytes() == path.read_bytes()
        assert all(a.end <= b.start for a, b in zip(spans(path), spans(path)[1:], strict=False))
        assert all(round(1000 * s.start) % 40 == 0 for s in spans(path))  # on frames
    speech = [episodes / f"{name}.speech.vtt" for name in names]
    assert f1_50(out, episodes, names) > f1_50(speech, episodes, names) + 35
    told = capsys.readouterr().out.splitlines()[-1]
    assert re.search(r"again\.vtt: \d+ cues, lag \+\d\.\d\d s, confidence 0\.\d\d, \d low; ", told)
    assert re.search(r"s of video at × real time: activity \d+\S*×, align \d+\S*×$", told)


def test_its_own_output_stays_where_it_is(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["0", "1", "3"]
    once, twice = ([tmp_path / f"{name}.{n}.vtt" for name in names] for n in (1, 2))
    for name, first, second in zip(names, once, twice, strict=True):
        assert align(episodes / f"{name}.pose", episodes / f"{name}.speech.vtt", "-o", first) == 0
        assert align(episodes / f"{name}.pose", first, "-o", second) == 0
        assert f"{first} is on the signing already" in capsys.readouterr().err
        moved = [abs(a.start - b.start) for a, b in zip(spans(first), spans(second), strict=True)]
        assert np.median(moved) <= 0.1
    assert abs(f1_50(twice, episodes, names) - f1_50(once, episodes, names)) <= 2


# --- what is refused: the message, the exit code, and nothing written ----------------------------


def still(path: Path) -> None:
    """A clip of 80 s in which nobody moves, hands down."""
    rng = np.random.default_rng(0)
    points = np.tile(rng.normal(300, 60, (1, 203, 3)).astype(np.float32), (2000, 1, 1))
    points[:, :, 1] += np.where([a == "face" for a in MP203.articulators], 0, 600).astype(
        np.float32
    )
    clip = PoseClip(points, np.ones((2000, 203), np.float32), 25.0, MP203, size=(640, 1280))
    write_pose(clip, path)


def late(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n00:10:00.000 --> 00:10:02.000\nlate\n")


def swap(path: Path) -> None:
    first, second = re.findall(TIME + rb" --> " + TIME, path.read_bytes())[:2]
    text = path.read_bytes().replace(first, b"#").replace(second, first).replace(b"#", second)
    path.write_bytes(text)


REFUSED: list[tuple[str, Callable[[Path], object], list[str], int, str]] = [
    ("no cue", lambda f: (f / "e.vtt").write_text("WEBVTT\n\nNOTE none\n"), [], 4,
     r"e\.vtt has no cue; expected at least one text with a start and an end"),
    ("empty", lambda f: (f / "e.vtt").write_bytes(b""), [], 4, r"e\.vtt is empty; expected a sub"),
    ("encoding", lambda f: (f / "e.vtt").write_bytes(b"WEBVTT\n\n\x81\x00\xff"), [], 4,
     r"e\.vtt holds a NUL byte at 9: it is binary, or UTF-16 without .* save it as UTF-8"),
    ("longer", lambda f: late(f / "e.vtt"), [], 4,
     r"e\.vtt is longer than the video: its last cue starts at 00:10:00\.000, the video ends at 0"),
    ("order", lambda f: swap(f / "e.vtt"), [], 4,
     r"e\.vtt is not in order of time: cue 2 starts at .*, before cue 1 at .*pass --any-order"),
    ("still", lambda f: ((f / "e.pose").unlink(), still(f / "e.pose")), [], 5,
     r"no signing found for .*e\.vtt: hands are raised and moving in 0\.\d of 80\.0 s, expected"),
    ("no pose", lambda f: (f / "e.pose").unlink(), [], 3, r"e\.pose cannot be opened .No such file"),
    ("no subtitles", lambda f: (f / "e.vtt").unlink(), [], 4, r"e\.vtt cannot be read: No such file"),
    ("no signs", lambda f: (f / "e.pose").unlink() or (f / "e.pose").write_bytes(b"x" * 99), [], 3,
     r"e\.pose "),
    ("exists", lambda f: (f / "out.vtt").write_text("mine"), [], 2, r"out\.vtt exists already; cho"),
    ("suffix", lambda f: None, ["-o", "{}/out.xyz"], 4, r"out\.xyz has the ending '\.xyz', expect"),
    ("input", lambda f: None, ["-o", "{}/e.vtt", "--overwrite"], 2,
     r"e\.vtt is both an output and .*e\.vtt; give each file a name of its own"),
    ("lock", lambda f: None, ["--lock", "2,99"], 2, r"--lock names cue 99, but .*e\.vtt has 17 cues"),
    ("lock words", lambda f: None, ["--lock", "two"], 2, r"--lock is 'two', expected cue numbers f"),
    ("lock order", lambda f: None, ["--lock", "9-3"], 2, r"--lock has '9-3', expected numbers from"),
    ("span", lambda f: None, ["--from", "1:00", "--to", "30"], 2, r"--to 30 is not after --from 1:0"),
    ("time", lambda f: None, ["--from", "soon"], 2, r"--from is 'soon', expected seconds or \[hou"),
    ("clock", lambda f: None, ["--start-timecode", "10:00:00"], 2,
     r"all cues of .*e\.vtt start before --start-timecode 10:00:00\.000, the last at 00:01:0"),
    ("report", lambda f: None, ["--report", "r.pdf"], 2, r"--report is r\.pdf, expected a name end"),
    ("tier", lambda f: None, ["--tier", "x"], 2, r"e\.vtt is vtt, which has no tiers; leave out ti"),
    ("resume", lambda f: None, ["--resume"], 2, r"--resume goes with folders; leave it out, or pas"),
    ("box", lambda f: None, ["--signer-box", "auto"], 2, r"--signer-box goes with a video to extra"),
    ("save", lambda f: None, ["--save-pose", "{}/s.pose"], 2, r"--save-pose goes with a video to e"),
    ("two", lambda f: None, ["--pose", "{}/e.pose"], 2, r"e\.pose and --pose .*e\.pose are both pose"),
    ("video", lambda f: None, ["--pose", "{}/e.mp4"], 2, r"--pose is .*e\.mp4, expected a name end"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "more", "code", "message"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    episode: Path, change: Callable[[Path], object], more: list[str], code: int, message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    change(episode)
    before = {p.name: p.read_bytes() for p in episode.iterdir() if p.is_file()}
    more = [m.format(episode) for m in more]
    out = [] if "-o" in more else ["-o", episode / "out.vtt"]
    assert align(episode / "e.pose", episode / "e.vtt", *out, *more) == code
    told = capsys.readouterr().err
    assert re.search(message, told)
    assert told.count("\n") == 1
    assert {p.name: p.read_bytes() for p in episode.iterdir() if p.is_file()} == before


def test_inputs_that_do_not_go_together(episode: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert align(episode / "e.vtt", "-o", episode / "out.vtt") == 2
    assert "expected a video or pose file and its subtitles" in capsys.readouterr().err
    assert align(episode / "e.vtt", episode / "e.pose", "-o", episode / "out.vtt") == 2
    assert "is a pose file, expected subtitles second; swap the two" in capsys.readouterr().err
    assert align(episode / "e.pose", episode / "e.vtt") == 2
    assert "no output is given; name it with -o, or pass --dry-run" in capsys.readouterr().err


def test_a_video_goes_with_its_poses_by_length(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = (
        json.loads((episode / "e.pose").resolve().with_suffix(".json").read_text())["frames"] / 25
    )
    short = write_video(episode / "short.mp4", coded(range(10)))
    out, poses = episode / "out.vtt", ("--pose", episode / "e.pose")
    assert align(short, episode / "e.vtt", *poses, "-o", out) == 3
    told = capsys.readouterr().err
    assert re.search(
        r"short\.mp4 lasts 1\.00 s but .*e\.pose 7\d\.\d\d s, expected the poses of", told
    )
    assert not out.exists()
    whole = write_video(
        episode / "whole.mp4", coded([k % 30 for k in range(round(seconds))]), rate=1
    )
    assert align(whole, episode / "e.vtt", *poses, "-o", out) == 0
    assert align(episode / "e.vtt", *poses, "-o", episode / "same.vtt") == 0
    assert (episode / "same.vtt").read_bytes() == out.read_bytes()


# --- options -------------------------------------------------------------------------------------


def test_files_out_of_order_are_taken_on_demand(episode: Path, episodes: Path) -> None:
    swap(episode / "e.vtt")
    assert (
        align(episode / "e.pose", episode / "e.vtt", "--any-order", "-o", episode / "out.vtt") == 0
    )
    assert align(episode / "e.pose", episodes / "0.speech.vtt", "-o", episode / "plain.vtt") == 0
    found, plain = spans(episode / "out.vtt"), spans(episode / "plain.vtt")
    assert found[0].start > found[1].start
    assert len(found) == len(plain)


def test_locked_cues_and_those_outside_keep_their_bytes(episode: Path, episodes: Path) -> None:
    def times(path: Path) -> list[bytes]:
        return re.findall(TIME + rb" --> " + TIME, path.read_bytes())

    true, given = times(episodes / "0.signing.vtt"), times(episode / "e.vtt")
    text = (episode / "e.vtt").read_bytes()
    for old, new in zip(given[3:5], true[3:5], strict=True):
        text = text.replace(old, new)
    (episode / "right.vtt").write_bytes(text)
    done = ("-o", episode / "out.vtt")
    files = (episode / "e.pose", episode / "right.vtt")
    assert align(*files, "--lock", "4-5", "--any-order", *done) == 0
    found = times(episode / "out.vtt")
    assert found[3:5] == true[3:5]
    assert sum(a != b for a, b in zip(found, given, strict=True)) >= 14
    files = (episode / "e.pose", episode / "e.vtt")
    assert align(*files, "--from", "0:20", "--to", "40.5", *done, "--overwrite") == 0
    found = times(episode / "out.vtt")
    inside = [20 <= s.start < 40.5 for s in spans(episode / "e.vtt")]
    assert 3 < sum(inside) < 14
    for old, new, moves in zip(given, found, inside, strict=True):
        assert (old != new) == moves


def test_offset_max_shift_and_overlap(episode: Path) -> None:
    given, out = episode / "e.vtt", episode / "out.vtt"

    def shifts(*options: str | float) -> np.ndarray:
        assert align(episode / "e.pose", given, "-o", out, "--overwrite", *options) in (0, 5)
        pairs = zip(spans(out), spans(given), strict=True)
        return np.array([new.start - old.start for new, old in pairs])

    assert np.abs(shifts("--max-shift", 1.0)).max() <= 1.021
    assert np.median(shifts("--offset", 8.0)) > np.median(shifts()) + 0.2
    cues = read_subtitles(given).cues
    first, second = cues[4], cues[5]
    doubled = [*cues[:4], replace(first, span=Span(first.span.start, second.span.end)), *cues[5:]]
    given.write_bytes(compose(doubled, "vtt"))
    shifts("--overlap", "allow")
    assert spans(out)[4].end > spans(out)[5].start + 0.5
    shifts()
    assert spans(out)[4].end <= spans(out)[5].start


def test_what_becomes_of_low_cues(episode: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Texts far too long to be signed there: most cues are low, and each policy does its own."""
    cues = read_subtitles(episode / "e.vtt").cues
    long = [replace(c, text=" ".join([c.text] * 24)) for c in cues]
    (episode / "e.vtt").write_bytes(compose(long, "vtt"))
    texts = {}
    for policy in ("prior", "keep", "mark"):
        out = episode / f"{policy}.vtt"
        report = episode / f"{policy}.json"
        files = (episode / "e.pose", episode / "e.vtt", "-o", out, "--report", report)
        assert align(*files, "--on-low", policy) == 5
        told = capsys.readouterr()
        done = {"prior": "keep their prior", "keep": "keep their input", "mark": "are marked"}[
            policy
        ]
        assert f"{out} is written, but " in told.err
        assert f"cues are placed with low confidence and {done}; check that the sub" in told.err
        texts[policy] = json.loads(report.read_text())["cues"]
        assert parse_subtitles(out.read_bytes(), "vtt").cues
    low = [k for k, cue in enumerate(texts["mark"]) if {"low", "no signing"} & set(cue["flags"])]
    assert len(low) > len(cues) / 2
    assert all(texts["keep"][k]["new"] == texts["keep"][k]["old"] for k in low)
    shifts = [[cue["shift"] for cue in texts[policy]] for policy in ("prior", "mark")]
    assert shifts[0] != shifts[1]
    marked = (episode / "mark.vtt").read_text()
    assert marked.count("NOTE signloom: low confidence (0.") == len(low)
    assert [c.text for c in read_subtitles(episode / "mark.vtt").cues] == [c.text for c in long]
    assert "NOTE signloom" not in (episode / "prior.vtt").read_text()


def test_a_dry_run_says_what_would_move_and_writes_nothing(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(episode.iterdir())
    extras = (
        "--report",
        episode / "r.json",
        "--report",
        episode / "r.html",
        "--eaf",
        episode / "x.eaf",
    )
    files = (episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt")
    assert align(*files, *extras, "--dry-run") == 0
    told = capsys.readouterr().out
    assert re.search(r"cue  old +new +shift +conf", told)
    assert re.search(
        r"^ +1  00:00:0\d\.\d{3}  00:00:\d\d\.\d{3}  +\+\d\.\d\d  [01]\.\d\d", told, re.M
    )
    assert sorted(episode.iterdir()) == before


def test_reports_and_tiers(episode: Path) -> None:
    json_, html, eaf = (episode / f"r.{ending}" for ending in ("json", "html", "eaf"))
    files = (episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt")
    assert align(*files, "--report", json_, "--report", html, "--eaf", eaf) == 0
    said = json.loads(json_.read_text())
    assert said["origin"]["extractor"] == "signloom-simulator"
    assert [cue["new"]["start"] for cue in said["cues"]] == [
        s.start for s in spans(episode / "out.vtt")
    ]
    assert [cue["text"] for cue in said["cues"]] == [
        c.text for c in read_subtitles(episode / "e.vtt").cues
    ]
    assert all(0 <= cue["confidence"] <= 1 for cue in said["cues"])
    assert len(said["worst"]) == 3
    assert set(said["stages"]) >= {"activity", "align"}
    assert said["signing"]
    page = html.read_text()
    assert page.startswith("<!doctype html>")
    assert said["cues"][said["worst"][0] - 1]["text"] in page
    for tier, field in (("cues", "old"), ("cues aligned", "new")):
        cues = read_subtitles(eaf, tier=tier).cues
        assert [c.span.start for c in cues] == [cue[field]["start"] for cue in said["cues"]]
    for tier in ("signing", "phrases"):
        assert [c.span.start for c in read_subtitles(eaf, tier=tier).cues] == [
            pytest.approx(s["start"], abs=2e-3) for s in said[tier]
        ]
    assert (
        read_subtitles(eaf, tier="confidence").cues[0].text
        == f"{said['cues'][0]['confidence']:.2f}"
    )


def test_a_clock_that_starts_at_ten_is_found_out_or_given(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert align(episode / "e.pose", episode / "e.vtt", "-o", episode / "plain.vtt") == 0
    text = (episode / "e.vtt").read_bytes()
    (episode / "e.vtt").write_bytes(re.sub(rb"\b00:(?=\d\d:\d\d\.)", b"10:", text))
    capsys.readouterr()
    assert align(episode / "e.pose", episode / "e.vtt", "-o", episode / "found.vtt") == 0
    assert "its clock is taken to start at 10:00:00.000" in capsys.readouterr().err
    given = ("--start-timecode", "10:00:00:00")
    assert align(episode / "e.pose", episode / "e.vtt", *given, "-o", episode / "given.vtt") == 0
    assert capsys.readouterr().err == ""
    plain = (episode / "plain.vtt").read_bytes()
    expected = re.sub(rb"\b00:(?=\d\d:\d\d\.)", b"10:", plain)
    assert (episode / "found.vtt").read_bytes() == (episode / "given.vtt").read_bytes() == expected


def test_another_ending_converts_and_eaf_gets_a_tier(episode: Path) -> None:
    assert align(episode / "e.pose", episode / "e.vtt", "-o", episode / "out.srt") == 0
    assert align(episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt") == 0
    assert spans(episode / "out.srt") == spans(episode / "out.vtt")
    (episode / "e.eaf").write_bytes(compose(read_subtitles(episode / "e.vtt").cues, "eaf"))
    files = (episode / "e.pose", episode / "e.eaf", "--tier", "signloom")
    assert align(*files, "-o", episode / "out.eaf") == 0
    assert [
        s.start
        for s in (c.span for c in read_subtitles(episode / "out.eaf", tier="signloom-2").cues)
    ] == [s.start for s in spans(episode / "out.vtt")]


# --- folders, and runs that are cut off ----------------------------------------------------------


def test_folders_over_processes_with_failures_and_resume(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poses, texts, out = (tmp_path / name for name in ("poses", "texts", "out"))
    for folder in (poses, texts):
        folder.mkdir()
    for name in "012":
        (poses / f"{name}.pose").symlink_to(episodes / f"{name}.pose")
        shutil.copy(episodes / f"{name}.speech.vtt", texts)
    (poses / "alone.pose").symlink_to(episodes / "3.pose")
    late(texts / "1.speech.vtt")
    assert align(poses, texts, "-o", out, "--jobs", 2) == 4
    told = capsys.readouterr()
    assert "alone.pose has no subtitles in" in told.err
    assert "1.speech.vtt is longer than the video" in told.err
    assert "2 of 3 episodes aligned, 1 failed or are not to be trusted" in told.err
    assert sorted(p.name for p in out.iterdir()) == [
        "0.report.json",
        "0.vtt",
        "2.report.json",
        "2.vtt",
    ]
    first = (out / "0.vtt").read_bytes()
    assert align(episodes / "0.pose", episodes / "0.speech.vtt", "-o", tmp_path / "one.vtt") == 0
    assert (tmp_path / "one.vtt").read_bytes() == first
    assert align(poses, texts, "-o", out) == 2
    assert "0.vtt exists already; pass --resume to skip, --overwrite" in capsys.readouterr().err
    shutil.copy(episodes / "1.speech.vtt", texts)
    (out / "0.vtt").write_bytes(b"mine")
    assert align(poses, texts, "-o", out, "--resume") == 0
    assert "1 of 3 episodes aligned, 2 were there already" in capsys.readouterr().err
    assert (out / "0.vtt").read_bytes() == b"mine"
    assert (out / "1.vtt").exists()
    assert align(poses, texts, "-o", out, "--lock", "1") == 2
    assert "--lock, --from and --to go with one episode, got folders" in capsys.readouterr().err
    assert align(texts, poses, "-o", out, "--resume") == 2
    assert "no episode found:" in capsys.readouterr().err


def test_one_folder_of_both_takes_the_speech(episodes: Path, tmp_path: Path) -> None:
    assert align(episodes, "-o", tmp_path / "out", "--jobs", 1) == 0
    assert len(list((tmp_path / "out").glob("*.vtt"))) == 4


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_run_that_is_cut_off_leaves_no_half_file(
    episode: Path, fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    (episode / "out.vtt").write_text("before")

    def cut(*paths: object) -> None:
        raise fault

    monkeypatch.setattr(os, "replace", cut)
    files = (episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt", "--overwrite")
    assert align(*files) != 0
    assert (episode / "out.vtt").read_text() == "before"
    assert sorted(p.name for p in episode.iterdir()) == ["e.pose", "e.vtt", "out.vtt"]


# --- with a model --------------------------------------------------------------------------------


@dataclass
class Knowing:
    """A model that knows when each text of an episode is signed, and the episode by its frames."""

    poses: PoseClip
    truth: dict[str, Span]
    layout: Layout = MP203
    name: str = "knowing"
    simulated_only: bool = True
    fps: float = 25.0
    window: float = 20.0

    def locate(
        self, clip: PoseClip, queries: Sequence[Query], lips: Lips | None = None
    ) -> list[Located]:
        alike = (self.poses.points == clip.points[0]).all(axis=(1, 2))
        first = float(np.flatnonzero(alike)[0]) / self.poses.fps
        found = []
        for query in queries:
            posterior = np.full(round(query.window.duration * self.fps), 0.05)
            true = self.truth.get(query.text, Span(0.0, 0.0)).shifted(-first)
            low, high = max(true.start, query.window.start), min(true.end, query.window.end)
            spans = ((Span(low, high), 0.8),) if high > low else ()
            if high > low:
                a, b = (round((t - query.window.start) * self.fps) for t in (low, high))
                posterior[a:b] = 0.95
            found.append(Located(spans, posterior))
        return found


@pytest.fixture
def knowing(episodes: Path, monkeypatch: pytest.MonkeyPatch) -> Knowing:
    """What ``--model knowing`` loads: it knows the first episode."""
    truth = {c.text: c.span for c in read_subtitles(episodes / "0.signing.vtt").cues}
    model = Knowing(read_pose(episodes / "0.pose"), truth)
    monkeypatch.setattr(load, "load", lambda name: model)
    return model


@pytest.mark.parametrize("place", ["program", "plateau"])
def test_a_model_places_cues_and_is_named(
    place: str, episode: Path, episodes: Path, knowing: Knowing, capsys: pytest.CaptureFixture[str]
) -> None:
    given = episode / "e.vtt"
    cues = read_subtitles(given).cues
    hard = [replace(c, span=c.span.shifted(6 * np.sin(k / 2) + 6)) for k, c in enumerate(cues)]
    given.write_bytes(compose(hard, "vtt"))
    files = (episode / "e.pose", given, "--any-order")
    assert align(*files, "-o", episode / "alone.vtt", "--report", episode / "alone.json") in (0, 5)
    with_model = ("--model", "knowing", "--place", place)
    reports = ("--report", episode / "r.json", "--report", episode / "r.html")
    assert align(*files, "-o", episode / "out.vtt", *with_model, *reports) == 0
    told = capsys.readouterr().out.splitlines()[-1]
    assert f" low, model knowing ({place}); " in told
    alone, known = (f1_50([episode / n], episodes, ["0"]) for n in ("alone.vtt", "out.vtt"))
    assert known > max(alone + 20, 85)
    assert without_times(episode / "out.vtt") == without_times(given)
    said = json.loads((episode / "r.json").read_text())
    assert (said["model"], said["place"]) == ("knowing", place)
    assert said["method"].startswith("model knowing: its ")
    assert said["method"] in (episode / "r.html").read_text()
    without = json.loads((episode / "alone.json").read_text())
    assert (without["model"], without["place"]) == (None, None)
    assert without["method"].startswith("no training: ")


def test_a_folder_with_a_model(episodes: Path, tmp_path: Path, knowing: Knowing) -> None:
    poses = tmp_path / "poses"
    poses.mkdir()
    (poses / "0.pose").symlink_to(episodes / "0.pose")
    files = (poses, episodes, "-o", tmp_path / "out")
    assert align(*files, "--model", "knowing", "--jobs", 2) == 0
    alone = (episodes / "0.pose", episodes / "0.speech.vtt", "-o", tmp_path / "one.vtt")
    assert align(*alone, "--model", "knowing") == 0
    assert (tmp_path / "out" / "0.vtt").read_bytes() == (tmp_path / "one.vtt").read_bytes()
    assert f1_50([tmp_path / "one.vtt"], episodes, ["0"]) > 90
    said = json.loads((tmp_path / "out" / "0.report.json").read_text())
    assert said["model"] == "knowing"


def test_a_model_that_is_not_to_be_asked(
    episode: Path, knowing: Knowing, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = read_pose(episode / "e.pose", Span(0.0, 60.0))
    write_pose(replace(clip, origin=Origin("mediapipe", "0.10")), episode / "real.pose")
    cues = [c for c in read_subtitles(episode / "e.vtt").cues if c.span.end < 55]
    (episode / "real.vtt").write_bytes(compose(cues, "vtt"))
    asked = (episode / "real.vtt", "--model", "knowing", "-o", episode / "out.vtt")
    assert align(episode / "real.pose", *asked) == 5
    told = capsys.readouterr().err
    assert "real.pose is not simulated signing, and model 'knowing' has learnt from simul" in told
    assert not (episode / "out.vtt").exists()
    assert align(episode / "real.pose", *asked, "--allow-simulated") == 0
    video = write_video(episode / "real.mp4", coded(range(10)))
    assert align(video, *asked, "--overwrite") == 5
    assert "real.mp4 is not simulated signing" in capsys.readouterr().err
    knowing.layout = HOLISTIC543
    assert align(episode / "e.pose", *asked, "--overwrite") == 2
    assert "layout 'mp203' does not convert to 'holistic543'" in capsys.readouterr().err


def test_what_does_not_find_texts_is_refused(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt")
    assert align(*files, "--model", "bundled") == 2
    told = capsys.readouterr().err
    assert "model 'bundled' translates and does not find texts in signing, expected" in told
    for options, named in (
        (("--place", "plateau"), "--place plateau"),
        (("--allow-simulated",), "--allow-simulated"),
    ):
        assert align(*files, *options) == 2
        assert f"{named} goes with a model; name one with --model" in capsys.readouterr().err
    assert not (episode / "out.vtt").exists()


def test_simulated_signing_is_looked_at_by_the_bundled_recogniser(
    episodes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (episodes / "3.pose", episodes / "3.speech.vtt")
    out, report = tmp_path / "out.vtt", tmp_path / "r.json"
    assert run("align", *files, "-o", out, "--report", report) == 0
    assert " low, model isolated-sim-words-body (spotting); " in capsys.readouterr().out
    said = json.loads(report.read_text())
    assert (said["model"], said["place"]) == ("isolated-sim-words-body", "spotting")
    assert said["method"].startswith("model isolated-sim-words-body: the signs it spots beside")
    assert align(*files, "-o", tmp_path / "alone.vtt") == 0
    assert f1_50([out], episodes, ["3"]) >= f1_50([tmp_path / "alone.vtt"], episodes, ["3"])
    folder = tmp_path / "both"
    folder.mkdir()
    for name in ("2", "3"):
        for ending in (".pose", ".speech.vtt"):
            (folder / f"{name}{ending}").write_bytes((episodes / f"{name}{ending}").read_bytes())
    assert run("align", folder, "-o", tmp_path / "out", "--jobs", 2) == 0
    assert (tmp_path / "out" / "3.vtt").read_bytes() == out.read_bytes()


def test_a_recogniser_as_model_spots_and_has_no_plateau(
    episode: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = (episode / "e.pose", episode / "e.vtt", "-o", episode / "out.vtt")
    model = ("--model", str(BUNDLED))
    assert align(*files, *model, "--place", "plateau") == 2
    assert "spots single signs, which --place plateau cannot place" in capsys.readouterr().err
    assert align(*files, *model) == 0


def test_simulated_signing_that_the_recogniser_cannot_read_goes_without(tmp_path: Path) -> None:
    made = ("--size", "tiny", "--minutes", "0.5", "--layout", "hands42", "-o", tmp_path)
    assert run("simulate", "episode", *made) == 0
    out, report = tmp_path / "out.vtt", tmp_path / "r.json"
    files = (tmp_path / "0.pose", tmp_path / "0.speech.vtt")
    assert run("align", *files, "-o", out, "--report", report) in (0, 5)
    assert json.loads(report.read_text())["model"] is None


def test_a_recogniser_of_hands_alone_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = isolated.build(isolated.PRESETS["tiny"], ["a", "b"], 0)
    monkeypatch.setattr(load, "load", lambda name: model)
    asked = (tmp_path / "no.mp4", tmp_path / "no.vtt", "--model", "hands", "-o", tmp_path / "o.vtt")
    assert align(*asked) == 2
    assert "model 'hands' names single signs by what continuous signing" in capsys.readouterr().err
