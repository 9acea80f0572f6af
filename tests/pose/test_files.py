"""`.pose` files: round trips, slices, old versions, several people, and files that are none."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pose_format import Pose
from pose_format.numpy import NumPyPoseBody
from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions
from pose_format.pose_visualizer import PoseVisualizer

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HOLISTIC, LAYOUTS, WHOLEBODY133, Layout
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.convert import convert
from signloom.pose.files import read_header, read_pose, write_pose, write_pose_slices


def a_clip(layout: Layout, frames: int = 30, seed: int = 0) -> PoseClip:
    rng = np.random.default_rng(seed)
    points = rng.normal(300, 50, (frames, len(layout), 3)).astype(np.float32)
    confidence = rng.random((frames, len(layout))).astype(np.float32)
    confidence[rng.random(confidence.shape) < 0.2] = 0
    if layout.depth == "none":
        points[:, :, 2] = 0
    origin = Origin("mediapipe-holistic", "0.10.14", {"box": [1, 2], "name": "Zoë"})
    return PoseClip(points, confidence, 29.97, layout, "a/ü 17", origin, (640, 480))


def by_hand(version: float, body: bytes, form: bytes = b"XYC", points: int = 2) -> bytes:
    """A file of one component 'C', its header written here byte by byte, then ``body``."""
    name = struct.pack("<H1sH", 1, b"C", len(form)) + form
    names = b"".join(struct.pack("<H5s", 5, b"p%04d" % i) for i in range(points))
    component = name + struct.pack("<3H", points, 0, 0) + names
    return struct.pack("<f3HH", version, 64, 48, 0, 1) + component + body


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_a_clip_comes_back_as_it_was(tmp_path: Path, layout: Layout) -> None:
    clip = a_clip(layout)
    write_pose(clip, tmp_path / "a.pose")
    back = read_pose(tmp_path / "a.pose")
    assert np.array_equal(back.points, clip.points)
    assert np.array_equal(back.confidence, clip.confidence)
    assert (back.layout, back.id, back.origin) == (layout, clip.id, clip.origin)
    assert back.size == clip.size
    assert back.fps == pytest.approx(29.97, rel=1e-6)
    info = read_header(tmp_path / "a.pose")
    assert (info.layout, info.frames, info.version, info.people) == (layout, 30, "0.2", 1)
    assert info.duration == pytest.approx(30 / 29.97)


@pytest.mark.parametrize("name", ["ps76", "holistic", "wholebody133"])
def test_slices_are_written_as_the_whole_and_the_whole_as_pose_format_writes_it(
    tmp_path: Path, name: str
) -> None:
    clip = a_clip(LAYOUTS[name], 31)
    write_pose(clip, tmp_path / "whole.pose")
    parts = [clip.frames(slice(a, b)) for a, b in ((0, 1), (1, 12), (12, 12), (12, 31))]
    write_pose_slices(iter(parts), 31, tmp_path / "parts.pose")
    whole = (tmp_path / "whole.pose").read_bytes()
    assert (tmp_path / "parts.pose").read_bytes() == whole
    theirs = io.BytesIO()
    Pose.read(whole).write(theirs)
    assert whole.startswith(theirs.getvalue())


def test_slices_that_do_not_fit_leave_no_file(tmp_path: Path) -> None:
    clip, path = a_clip(LAYOUTS["ps76"], 20), tmp_path / "a.pose"
    for slices, frames, message in (
        ([clip], 21, r"slices of 20 frames were given for .*a\.pose, expected 21"),
        ([clip, clip], 30, "slices of 40 frames .* expected 30"),
        ([], 0, "slices of 0 frames .* pass the number of frames"),
        ([clip, a_clip(LAYOUTS["hands42"])], 50, "layout 'hands42' at 29.97 frames a second after"),
    ):
        with pytest.raises(UsageError, match=message):
            write_pose_slices(slices, frames, path)
    assert not list(tmp_path.iterdir())


def test_others_read_and_draw_what_is_written(tmp_path: Path) -> None:
    clip = a_clip(HOLISTIC)
    write_pose(clip, tmp_path / "a.pose")
    pose = Pose.read((tmp_path / "a.pose").read_bytes())
    assert np.array_equal(pose.body.data.filled(0)[:, 0], clip.points)
    assert len(list(PoseVisualizer(pose).draw(max_frames=2))) == 2
    pose.bbox()
    # Through pose-format and back the origin is lost, and said to be.
    with (tmp_path / "b.pose").open("wb") as file:
        pose.write(file)
    assert read_pose(tmp_path / "b.pose").origin == Origin("unknown")
    assert read_pose(tmp_path / "b.pose").id == "b"


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.floats(0, 1.2), st.floats(0, 1.2))
def test_a_slice_equals_the_cut_of_the_whole(tmp_path: Path, a: float, b: float) -> None:
    path = tmp_path / "a.pose"
    clip = a_clip(WHOLEBODY133)
    if not path.exists():
        write_pose(clip, path)
    span = Span(min(a, b), max(a, b))
    assert np.array_equal(read_pose(path, span).points, clip.cut(span).points)
    assert np.array_equal(read_pose(path, span).confidence, clip.cut(span).confidence)


def test_writing_refuses_what_exists_and_what_is_empty(tmp_path: Path) -> None:
    clip = a_clip(WHOLEBODY133)
    write_pose(clip, tmp_path / "a.pose")
    with pytest.raises(UsageError, match="exists already"):
        write_pose(clip, tmp_path / "a.pose")
    write_pose(clip, tmp_path / "a.pose", overwrite=True)
    with pytest.raises(UsageError, match="has no frames"):
        write_pose(clip.cut(Span(9.0, 9.0)), tmp_path / "b.pose")


def test_version_one_counts_frames_by_the_size(tmp_path: Path) -> None:
    frames = 65536 + 3
    data = np.arange(frames * 4, dtype=np.float32)
    body = struct.pack("<3H", 24, 3, 1) + data.tobytes() + np.ones(frames * 2, "<f4").tobytes()
    (tmp_path / "a.pose").write_bytes(by_hand(0.1, body))
    clip = read_pose(tmp_path / "a.pose")
    assert (len(clip), clip.fps, clip.size) == (frames, 24.0, (64, 48))
    assert np.array_equal(clip.points[-1, :, :2], data[-4:].reshape(2, 2))
    assert clip.layout.depth == "none"
    (tmp_path / "b.pose").write_bytes(by_hand(0.1, body[:-8]))
    with pytest.raises(MediaError, match="is cut off or damaged: 3 frames"):
        read_pose(tmp_path / "b.pose")


def test_version_zero_lists_people_frame_by_frame(tmp_path: Path) -> None:
    def person(x: float) -> bytes:
        return struct.pack("<h6f", 0, x, 1, 0.5, x, 2, 0)

    body = struct.pack("<2H", 10, 3)
    body += struct.pack("<H", 1) + person(7) + struct.pack("<H", 0) + struct.pack("<H", 2) + person(8) + person(9)  # fmt: skip
    (tmp_path / "a.pose").write_bytes(by_hand(0.0, body))
    clip = read_pose(tmp_path / "a.pose")
    assert clip.points[:, 0, 0].tolist() == [7, 0, 8]
    assert clip.present.tolist() == [[True, False], [False, False], [True, False]]
    assert len(read_pose(tmp_path / "a.pose", Span(0.2, 0.3))) == 1
    (tmp_path / "b.pose").write_bytes(by_hand(0.0, body[:-30]))
    with pytest.raises(MediaError, match="cut off"):
        read_pose(tmp_path / "b.pose")
    (tmp_path / "c.pose").write_bytes(by_hand(1e-5, body))  # as faults.fuzz has found
    with pytest.raises(MediaError, match=r"expected version 0\.0, 0\.1 or 0\.2"):
        read_pose(tmp_path / "c.pose")


def test_of_several_people_the_clearest_is_taken_and_nan_is_missing(tmp_path: Path) -> None:
    component = PoseHeaderComponent("C", ["a", "b"], [(0, 1)], [(1, 2, 3)], "XYZC")
    data = np.arange(5 * 3 * 2 * 3, dtype=np.float32).reshape(5, 3, 2, 3) + 1
    confidence = np.full((5, 3, 2), 0.5, np.float32)
    confidence[:, 1] = 0.9
    data[0, 1, 0, 2] = np.nan
    header = PoseHeader(0.2, PoseHeaderDimensions(10, 10), [component])
    buffer = io.BytesIO()
    Pose(header, NumPyPoseBody(25, data, confidence)).write(buffer)
    (tmp_path / "a.pose").write_bytes(buffer.getvalue())
    clip = read_pose(tmp_path / "a.pose", Span(0.0, 0.12))
    assert clip.origin.settings == {"person": 1, "people": 3}
    assert np.array_equal(clip.points[1:, :], data[1:3, 1])
    assert clip.present.tolist() == [[False, True], [True, True], [True, True]]
    assert clip.layout.edges == ((0, 1),)


BODY_02 = struct.pack("<fIH", 25, 2, 1) + bytes(2 * 2 * 3 * 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"is empty; expected a \.pose file"),
        (b"frame,x,y\n0,1,2\n", r"is not a \.pose file: it begins with 'frame,x,'"),
        (b"\xcd\xcc", "is not a .pose file"),
        (by_hand(0.2, BODY_02)[:20], "end inside the header"),
        (by_hand(0.2, b""), "hold a header and no frames"),
        (by_hand(0.2, BODY_02[:-1]), r"need \d+ bytes, it has \d+"),
        (by_hand(0.2, struct.pack("<fIH", 25, 4_000_000_000, 9)), "4000000000 frames of 9 people"),
        (by_hand(0.2, struct.pack("<fIH", float("nan"), 2, 1)), "nan frames a second"),
        (by_hand(0.2, struct.pack("<fIH", 25, 2, 0)), "2 frames of 0 people; expected someone"),
        (by_hand(0.2, struct.pack("<fIH", 25, 0, 1)), "0 frames of 1 people"),
        (by_hand(0.2, BODY_02, form=b"XQC"), "points of format 'XQC'"),
        (by_hand(0.2, BODY_02, points=0), "names 0 points"),
        (by_hand(0.1, struct.pack("<3H", 0, 1, 1) + bytes(24)), "0 frames a second"),
        (bytes(5000), "names 0 points"),
        (by_hand(0.0, struct.pack("<2H", 25, 65535) + bytes(2 * 65535), points=9999), "cut off or"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_says_what_is_wrong(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.pose").write_bytes(data)
    for read in (read_header, read_pose):
        with pytest.raises(MediaError, match=message) as error:
            read(tmp_path / "a.pose")
        assert "a.pose" in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no\.pose cannot be opened \(No such file"):
        read_pose(tmp_path / "no.pose")


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damage_ends_in_a_media_error_or_in_a_clip(tmp_path: Path, data: st.DataObject) -> None:
    raw = bytearray(by_hand(data.draw(st.sampled_from([0.0, 0.1, 0.2])), BODY_02))
    if data.draw(st.booleans()):
        said = json.dumps({"settings": {}, "extractor": "x"}).encode()
        raw += b"signloom" + struct.pack("<I", len(said)) + said
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] + data.draw(st.binary(max_size=20))
    (tmp_path / "a.pose").write_bytes(raw)
    try:
        clip = read_pose(tmp_path / "a.pose")
    except MediaError:
        return
    assert np.isfinite(clip.points).all()


@pytest.mark.shared_data
def test_every_file_found_in_the_wild_reads_as_pose_format_reads_it(shared_data: Path) -> None:
    files = [
        p for d in ("pose_files", "dgs_corpus32") for p in sorted((shared_data / d).rglob("*.pose"))
    ]
    assert len(files) == 73
    found = set()
    for path in files:
        clip = read_pose(path)
        body = Pose.read(path.read_bytes()).body
        dims = body.data.shape[-1]
        present = body.confidence[:, 0] > 0
        expected = np.where(present[:, :, None], body.data.data[:, 0], 0).astype(np.float32)
        assert np.array_equal(clip.points[:, :, :dims], expected)
        assert len(clip) == read_header(path).frames
        half = Span(clip.duration / 3, clip.duration / 2)
        assert np.array_equal(read_pose(path, half).points, clip.cut(half).points)
        assert set(clip.layout.parts) >= {"body", "face", "left_hand", "right_hand"}
        convert(clip, LAYOUTS["ps76"])
        found.add(clip.layout.name)
    assert found == {"holistic", "holistic178", "holistic543", "holistic586", "openpose137"}
