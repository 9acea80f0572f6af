"""Mouths cut from videos whose face was put where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from signloom.cli.main import main
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, MP203
from signloom.errors import MediaError, UsageError
from signloom.extract import extraction
from signloom.extract.extraction import extract_clip, extract_clips
from signloom.extract.lips import MEAN_FACE, mouth_crops, placements, sampled
from signloom.pose.convert import convert
from signloom.pose.files import read_pose, write_pose
from signloom.pose.lip_files import read_lips
from signloom.simulator.face import mean_face
from signloom.simulator.lips import PIXELS
from tests.extract.videos import coded, person, write_video

FACE = {
    "33": (136.5, 59.0), "133": (147.0, 61.5), "362": (163.0, 62.0), "263": (173.0, 60.0),
    "4": (154.0, 79.5), "61": (141.0, 93.0), "291": (167.5, 93.5),
}  # fmt: skip
"""Where ``face`` has its points, about; what matters is that they move with it."""


def face(height: int = 192, width: int = 256) -> NDArray[np.uint8]:
    """The head of ``person``, smooth enough to be turned."""
    from skimage.filters import gaussian

    large = gaussian(person(512, 640).astype(float), 1.5, channel_axis=2)
    return large[10 : 10 + height, 150 : 150 + width].astype(np.uint8)


def moved(picture: NDArray[np.uint8], turn: complex, by: complex) -> NDArray[np.uint8]:
    """The picture in which pixel z of the given one stands at turn · z + by."""
    from skimage.transform import SimilarityTransform, warp

    there = SimilarityTransform(
        np.array([[turn.real, -turn.imag, by.real], [turn.imag, turn.real, by.imag], [0, 0, 1]])
    )
    seen = warp(picture, there.inverse, order=3, mode="edge", preserve_range=True)
    return np.clip(np.rint(seen), 0, 255).astype(np.uint8)


def clip_of(
    places: list[tuple[complex, complex]], size: tuple[int, int] = (256, 192), fps: float = 10.0
) -> PoseClip:
    """FACE in each frame, where ``moved`` puts it."""
    points = np.zeros((len(places), len(HOLISTIC), 3), np.float32)
    confidence = np.zeros(points.shape[:2], np.float32)
    for name, (x, y) in FACE.items():
        at = HOLISTIC.index[f"FACE_LANDMARKS:{name}"]
        put = np.array([turn * complex(x, y) + by for turn, by in places])
        points[:, at, :2] = np.stack([put.real + 0.5, put.imag + 0.5], 1)
        confidence[:, at] = 1
    return PoseClip(points, confidence, fps, HOLISTIC, "a17", size=size)


PLACES = [
    (1 + 0j, 0j),
    (0.92 * np.exp(0.12j), 18 - 9j),
    (1.1 * np.exp(-0.2j), -30 + 38j),
    (0.85 * np.exp(0.3j), 40 - 30j),
]


def test_a_face_moved_turned_and_scaled_gives_the_same_crops(tmp_path: Path) -> None:
    picture = face()
    crops = []
    for number, place in enumerate(PLACES):
        path = write_video(tmp_path / f"{number}.mp4", [moved(picture, *place)] * 3, 10)
        lips = mouth_crops(path, clip_of([place] * 3))
        assert lips.present.all()
        assert (lips.id, lips.fps, lips.origin.extractor) == ("a17", 10.0, "signloom-lips")
        crops.append(lips.frames.astype(float))
    first = crops[0][0]
    assert first.std() > 15
    for other in crops[1:]:
        apart = np.abs(other - first)[:, 10:86, 10:86]
        assert apart.mean() < 4
        unaligned = np.abs(other - np.roll(first, 6, axis=1))[:, 10:86, 10:86]
        assert unaligned.mean() > 2.5 * apart.mean()


def test_a_tracked_face_is_cut_alike_wherever_it_is(tmp_path: Path) -> None:
    """With points that the tracker finds by itself, before and after a turn of the picture."""
    picture = person(256, 320)
    crops = []
    for number, place in enumerate([(1 + 0j, 0j), (0.9 * np.exp(0.1j), 20 + 6j)]):
        path = write_video(tmp_path / f"{number}.mp4", [moved(picture, *place)] * 4, 10)
        crops.append(mouth_crops(path, extract_clip(path, ("face",))).seen()[-1])
    together = np.corrcoef(crops[0].ravel(), crops[1].ravel())[0, 1]
    assert together > 0.95
    for crop in crops:  # she smiles: a dark upper lip above bright teeth, at the middle of the crop
        rows = crop[:, 34:54].mean(1)
        assert 40 <= 36 + rows[36:52].argmin() <= 47
        assert rows[45:56].max() > rows[36:52].min() + 0.8


@pytest.mark.parametrize("piece", [20.0, 1.0])
def test_lips_of_an_extraction_are_those_of_its_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: float
) -> None:
    """In one pass over the video, in pieces too; the pose is the same with lips or without."""
    monkeypatch.setattr(extraction, "PIECE", piece)
    picture = person(192, 256)
    pictures = [moved(picture, 1 + 0j, 2 * k - 1j * (k % 5)) for k in range(24)]
    pictures[9] = np.full_like(picture, 90)  # nobody
    path = write_video(tmp_path / "v.mp4", pictures, 10)
    (found,) = extract_clips([path], ("face",), lips=True)
    assert found.clip is not None
    assert found.lips is not None
    (plain,) = extract_clips([path], ("face",))
    assert plain.lips is None
    np.testing.assert_array_equal(found.clip.points, plain.clip.points)  # type: ignore[union-attr]
    lips, apart = found.lips.aligned_with(found.clip), mouth_crops(path, found.clip)
    assert (lips.origin, lips.id) == (apart.origin, "v")
    np.testing.assert_array_equal(lips.present, apart.present)
    assert 18 <= lips.present.sum() < 24
    off = np.abs(lips.frames.astype(int) - apart.frames)
    if piece > 2:  # the turn is averaged over the same frames, summed in another order
        assert off.max() <= 1
    else:  # and at a seam over what the other piece's tracker saw
        assert off.mean() < 2


def test_lips_without_a_face_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the parts are hands, body; add face"):
        list(extract_clips([tmp_path / "v.mp4"], ("hands", "body"), lips=True))


def test_extract_writes_lips_beside_poses_and_adds_them_to_poses_that_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def extract(*more: object) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["extract", str(path), "-o", str(tmp_path / "out"), *map(str, more)])
        return int(stop.value.code or 0)

    path = write_video(tmp_path / "v.mp4", [person(192, 256)] * 3, 10)
    pose, lips = tmp_path / "out" / "v.pose", tmp_path / "out" / "v.lips.safetensors"
    assert extract("--parts", "face", "--lips") == 0
    assert "3 frames, 0.30 s at 10 fps, a hand in 0% of them, a mouth in 100%" in (
        capsys.readouterr().out
    )
    made = read_lips(lips)
    made.aligned_with(read_pose(pose))
    before = pose.stat().st_mtime_ns
    assert extract("--lips") == 2
    lips.unlink()
    assert extract("--lips", "--resume") == 0
    assert pose.stat().st_mtime_ns == before
    np.testing.assert_array_equal(read_lips(lips).present, made.present)
    again = lips.stat().st_mtime_ns
    assert extract("--lips", "--resume") == 0
    assert lips.stat().st_mtime_ns == again
    write_pose(convert(read_pose(pose), HANDS42), pose, overwrite=True)
    lips.unlink()
    assert extract("--lips", "--resume") == 3
    assert "layout 'hands42' has no keypoint 'FACE_LANDMARKS:" in capsys.readouterr().err
    pose.unlink()
    assert extract("--parts", "face", "--lips", "--resume") == 0
    assert pose.is_file()
    assert extract("--parts", "face", "--resume") == 0
    assert lips.is_file()
    assert extract("--parts", "face", "--overwrite") == 0
    assert (pose.is_file(), lips.exists()) == (True, False)


def test_each_frame_of_the_clip_gets_the_picture_of_its_time(tmp_path: Path) -> None:
    """Uneven times in the file; and a clip that was resampled to half the rate."""
    times = [0.0, 0.1, 0.2, 0.3, 0.34, 0.41, 0.45, 0.5, 0.6, 0.7, 1.0, 1.1, 1.2]
    path = write_video(tmp_path / "v.mp4", coded(range(13), 192), 10, times=times)
    for fps, numbers in (
        (10.0, [0, 1, 2, 3, 5, 7, 8, 9, 9, 10, 10, 11, 12]),
        (5.0, [0, 2, 5, 8, 9, 10, 12]),
    ):
        lips = mouth_crops(path, clip_of([(1 + 0j, 0j)] * len(numbers), (192, 192), fps))
        found = np.rint((lips.frames.mean((1, 2)) - 10) / 8).astype(int)
        assert found.tolist() == numbers


def test_without_a_face_there_is_no_mouth(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [face()] * 6, 10)
    away = (1 + 0j, 400 + 0j)  # the mouth is outside the picture
    whole = clip_of([(1 + 0j, 0j)] * 5 + [away])
    confidence = whole.confidence.copy()
    confidence[2, HOLISTIC.index["FACE_LANDMARKS:4"]] = 0
    lips = mouth_crops(path, whole.with_points(whole.points, confidence))
    assert lips.present.tolist() == [True, True, False, True, True, False]
    assert lips.frames.any(axis=(1, 2)).tolist() == lips.present.tolist()
    nobody = mouth_crops(path, whole.with_points(whole.points, np.zeros_like(confidence)))
    assert not nobody.present.any()


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", [face()] * 6, 10)
    with pytest.raises(MediaError, match=r"0\.60 s long \(6 frames.*'a17' is 0\.90 s \(9 frames"):
        mouth_crops(path, clip_of([(1 + 0j, 0j)] * 9))
    with pytest.raises(MediaError, match=r"256×192 pixels, but clip 'a17' has .* 1×1"):
        mouth_crops(path, clip_of([(1 + 0j, 0j)] * 6, size=(1, 1)))
    (tmp_path / "text.mp4").write_text("words\n" * 50)
    with pytest.raises(MediaError, match=r"text\.mp4 is no video"):
        mouth_crops(tmp_path / "text.mp4", clip_of([(1 + 0j, 0j)]))
    none = PoseClip(
        np.zeros((6, 203, 3), np.float32), np.zeros((6, 203), np.float32), 10.0, MP203, "b"
    )
    with pytest.raises(UsageError, match="layout 'mp203' has no keypoint 'FACE_LANDMARKS:4'"):
        mouth_crops(path, none)


def test_turn_and_scale_are_smoothed_and_the_place_is_not() -> None:
    rng = np.random.default_rng(0)
    frames = 200
    mean = np.array([complex(*at) for at in MEAN_FACE.values()])
    middle = 300 + 200j + np.cumsum(rng.standard_normal(frames) * 4)
    turn = 1.4 * np.exp(0.2j)
    still = turn * mean + middle[:, None]
    found = placements(still, np.ones(frames, bool))
    np.testing.assert_allclose(found[0], turn, rtol=1e-9)
    np.testing.assert_allclose(found[1], middle, rtol=1e-9)

    shaken = np.exp(0.05j * rng.standard_normal(frames))[:, None] * turn * mean + middle[:, None]
    seen = rng.random(frames) < 0.9
    smooth, _ = placements(np.where(seen[:, None], shaken, 1e6), seen)
    inner = slice(6, -6)
    assert np.angle(smooth / turn)[inner].std() < 0.05 / np.sqrt(13) * 1.6
    # By the definition, at the start, near it and in the middle.
    own = [np.linalg.lstsq(np.stack([mean, mean**0], 1), z, rcond=None)[0][0] for z in shaken]
    for i, first, last in ((0, 0, 1), (3, 0, 7), (50, 44, 57)):
        expected = np.mean([own[k] for k in range(first, last) if seen[k]])
        assert abs(smooth[i] - expected) < 1e-9 or not seen[first:last].any()


def test_a_crop_is_what_lies_under_its_pixels() -> None:
    """Of a ramp: any place, turn and scale; finer pictures are averaged, and the edge goes on."""
    y, x = np.mgrid[:200, :300] + 0.5
    ramp = np.repeat((0.5 * x + 0.4 * y)[..., None], 3, axis=2)
    picture = np.rint(ramp).astype(np.uint8)
    axis = np.arange(96) - 47.5
    for turn, middle in (
        (0.7 * np.exp(0.3j), 120 + 90j),
        (1.0 + 0j, 150.25 + 99.5j),
        (1.3j, 150 + 98j),
    ):
        at = turn * (axis[None, :] + 1j * axis[:, None]) + middle
        expected = 0.5 * np.clip(at.real, 0.5, 299.5) + 0.4 * np.clip(at.imag, 0.5, 199.5)
        assert np.abs(sampled(picture, turn, middle).astype(float) - expected).max() < 1.2
    checks = np.repeat(((np.indices((400, 400)).sum(0) % 2) * 200)[..., None], 3, 2).astype(
        np.uint8
    )
    assert sampled(checks, 4 + 0j, 200 + 200j)[10:-10, 10:-10].astype(float).std() < 8


def test_simulated_lips_are_cut_to_the_same_mean_face() -> None:
    at = mean_face()
    mouth = (at[61, :2] + at[291, :2]) / 2
    for names, place in MEAN_FACE.items():
        simulated = (at[[int(n) for n in names], :2].mean(0) - mouth) * (-PIXELS, -PIXELS)
        assert np.abs(simulated - place).max() < 1.6
