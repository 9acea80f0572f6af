"""From video files to clips: what is found, what is refused, what survives a death."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.data.layouts import HOLISTIC
from signloom.errors import MediaError, MissingExtraError, UsageError
from signloom.extract import extraction
from signloom.extract.extraction import (
    extract_clip,
    extract_clips,
    extract_slices,
    inside,
    parse_box,
    pieces,
)
from signloom.extract.holistic import SETTINGS, in_picture, parse_parts
from signloom.extract.process import Process
from signloom.extract.video import VideoInfo
from signloom.pose.files import read_pose
from tests.extract.videos import person, write_video

NOSE = HOLISTIC.index["POSE_LANDMARKS:NOSE"]


def exit_code(*arguments: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return int(stop.value.code or 0)


def test_a_batch_with_broken_files_finishes_and_lists_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = person(192, 256)
    write_video(tmp_path / "good.mp4", [picture] * 6, 10)
    sideways = [np.rot90(picture, -1)] * 4
    write_video(tmp_path / "phone.mov", sideways, 10, rotation=90)
    write_video(tmp_path / "nobody.gif", [np.full((120, 160, 3), 90, np.uint8)] * 3, 10)
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("words\n" * 50)
    videos = sorted(path for path in tmp_path.iterdir())
    out = tmp_path / "out"
    assert exit_code("extract", *videos, "-o", out, "--jobs", 1) == 3
    assert sorted(path.name for path in out.iterdir()) == [
        "good.pose",
        "phone.pose",
        "quarantine.tsv",
    ]
    listed = dict(
        line.split("\t") for line in (out / "quarantine.tsv").read_text().splitlines()[1:]
    )
    reasons = {Path(path).name: reason for path, reason in listed.items()}
    assert "no signer found in 3 frames" in reasons["nobody.gif"]
    assert "is empty (0 bytes)" in reasons["empty.mp4"]
    assert "it holds text" in reasons["text.mp4"]
    assert "3 of 5 videos failed" in capfd.readouterr().err

    good, phone = read_pose(out / "good.pose"), read_pose(out / "phone.pose")
    assert (len(good), good.fps, good.size, good.layout.name) == (6, 10, (256, 192), "holistic")
    assert good.origin.extractor == "mediapipe-holistic"
    assert good.origin.settings["parts"] == ["hands", "body", "face"]
    face = good.present[:, good.part("face")].all(axis=1)
    assert face.all()
    # The same person, upright in both, in pixels of the picture as shown.
    assert phone.size == (256, 192)
    assert np.abs(good.points[-1, NOSE, :2] - phone.points[-1, NOSE, :2]).max() < 4
    assert 90 < good.points[-1, NOSE, 0] < 170

    assert exit_code("extract", *videos, "-o", out) == 2
    assert "--resume to skip" in capfd.readouterr().err
    # A small interpreter in the corner, too small to be found in the whole picture.
    (tmp_path / "empty.mp4").unlink()
    inset = np.full((540, 960, 3), 90, np.uint8)
    inset[396:532, 800:936] = person(136, 136)
    write_video(tmp_path / "empty.mp4", [inset] * 2, 10)
    before = (out / "good.pose").stat().st_mtime_ns
    again = [tmp_path / "good.mp4", tmp_path / "empty.mp4"]
    arguments = ["--resume", "--parts", "face", "--signer-box", "auto"]
    assert exit_code("extract", *again, "-o", out, "--jobs", 1, *arguments) == 0
    assert (out / "good.pose").stat().st_mtime_ns == before
    assert "empty.mp4" not in (out / "quarantine.tsv").read_text()
    found = read_pose(out / "empty.pose")
    assert not found.present[:, found.part("body")].any()
    face = found.points[-1, found.part("face"), :2]
    expected = (good.points[-1, good.part("face"), :2] - (32, 0)) * (136 / 192) + (800, 396)
    assert np.abs(face - expected).mean() < 4


def test_a_worker_that_dies_costs_only_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed once while it works on the first file; the second goes through a fresh one."""
    first = write_video(tmp_path / "first.mp4", [person(128, 128)] * 2, 10)
    second = write_video(tmp_path / "second.mp4", [person(128, 128)] * 2, 10)
    ask = Process._ask

    def murderous(self: Process, request: dict, path: Path, progress: object) -> tuple[dict, bytes]:
        if request["do"] == "extract" and path == first:
            assert self.child is not None
            self.child.kill()
        return ask(self, request, path, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(Process, "_ask", murderous)
    box = (8, 0, 200, 200)
    results = {result.path: result for result in extract_clips([first, second], signer_box=box)}
    clip = results[second].clip
    assert clip is not None
    assert clip.origin.settings["signer_box"] == [8, 0, 120, 128]
    assert "the process reading it died (exit code -9)" in str(results[first].error)


def test_slices_of_a_video_join_into_its_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = write_video(tmp_path / "a.mp4", [person(128, 128)] * 6, 10)
    monkeypatch.setattr(extraction, "PIECE", 0.3)
    whole, slices = extract_clip(video), list(extract_slices(video))
    assert [len(each) for each in slices] == [3, 3]
    np.testing.assert_array_equal(np.concatenate([s.points for s in slices]), whole.points)
    assert all((s.origin, s.size, s.fps) == (whole.origin, whole.size, whole.fps) for s in slices)
    with pytest.raises(MediaError, match="does not exist"):
        next(extract_slices(tmp_path / "b.mp4"))


def test_without_the_extra_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'signloom\[extract\]'"):
        extract_clip(tmp_path / "a.mp4")
    assert exit_code("extract", tmp_path / "a.mp4", "-o", tmp_path / "out") == 3


def test_requests_that_make_no_sense(tmp_path: Path) -> None:
    a, b = tmp_path / "1" / "x.mp4", tmp_path / "2" / "x.mp4"
    assert exit_code("extract", a, b, "-o", tmp_path / "out") == 2
    assert exit_code("extract", a, b, "-o", tmp_path / "out.pose") == 2
    assert exit_code("extract", a, "-o", tmp_path / "out.pose") == 3
    with pytest.raises(UsageError, match=r"no part 'hand' \(did you mean 'hands'\?\)"):
        parse_parts("hand,body")
    assert parse_parts("face,hands") == ("hands", "face")
    with pytest.raises(UsageError, match="expected 'auto' or x,y,width,height"):
        parse_box("1,2,3")
    info = VideoInfo(320, 180, 10.0, 1.0, 10, 0, "h264")
    assert inside((300, -5, 100, 100), info, a) == (300, 0, 20, 95)
    with pytest.raises(MediaError, match="320×180 pixels, but the signer box 400,0,50,50"):
        inside((400, 0, 50, 50), info, a)


def test_pieces_cover_the_video_once_and_are_alike() -> None:
    for ticks, fps in ((1, 25.0), (500, 25.0), (501, 25.0), (12345, 29.97)):
        ranges = pieces(ticks, fps)
        assert [tick for first, last in ranges for tick in range(first, last)] == list(range(ticks))
        sizes = [last - first for first, last in ranges]
        assert max(sizes) - min(sizes) <= 1
        assert max(sizes) <= 20 * fps + 1


def landmarks(count: int, seed: int) -> SimpleNamespace:
    rows = np.random.default_rng(seed).uniform(0, 1, (count, 4))
    names = ("x", "y", "z", "visibility")
    return SimpleNamespace(
        landmark=[SimpleNamespace(**dict(zip(names, row, strict=True))) for row in rows]
    )


def test_points_are_those_that_pose_format_writes() -> None:
    from pose_format.utils.holistic import _extract_frame_data, holistic_components

    found = SimpleNamespace(
        pose_landmarks=landmarks(33, 0),
        face_landmarks=landmarks(468, 1),
        left_hand_landmarks=None,
        right_hand_landmarks=landmarks(21, 2),
        pose_world_landmarks=landmarks(33, 3),
    )
    data, confidence = _extract_frame_data(found, 640, 360, 0)
    points, sure = in_picture(found, (0, 0, 640, 360), (640, 360))
    np.testing.assert_allclose(points, data, rtol=1e-6)
    np.testing.assert_allclose(sure, confidence, rtol=1e-6)
    names = [f"{part.name}:{point}" for part in holistic_components() for point in part.points]
    assert tuple(names) == HOLISTIC.keypoints

    # A crop is undone: what is halfway across the box is halfway across the box in the picture.
    cropped, _ = in_picture(found, (100, 50, 320, 180), (640, 360), ("body",))
    where = HOLISTIC.part("body")
    np.testing.assert_allclose(cropped[where], data[where] * 0.5 + (100, 50, 0), rtol=1e-5)
    assert not cropped[HOLISTIC.part("face")].any()
    assert SETTINGS["model_complexity"] == 1


@pytest.mark.shared_data
def test_a_real_signer_is_found_with_hands(shared_data: Path) -> None:
    clip = extract_clip(shared_data / "videos" / "isl_gif" / "are you hungry.gif")
    assert (len(clip), clip.fps, clip.size) == (22, 10.0, (600, 338))
    assert clip.present[:, clip.part("body")].any(axis=1).all()
    hands = np.concatenate([clip.part("left_hand"), clip.part("right_hand")])
    assert clip.present[:, hands].any(axis=1).mean() > 0.3
