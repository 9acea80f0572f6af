"""Times, rates, rotation and refusals of the video reader."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.timing import Span
from signloom.errors import MediaError, OverLimitError
from signloom.extract.video import COMMON_RATES, Limits, frames, inspect, nearest, probe, rate_of
from tests.extract.videos import coded, number_of, person, write_video


@pytest.mark.parametrize("ending", ["mp4", "mov", "webm", "gif"])
def test_every_frame_comes_at_its_own_time(tmp_path: Path, ending: str) -> None:
    path = write_video(tmp_path / f"a.{ending}", coded(range(20)), 5)
    seen = [(round(time, 6), number_of(rgb)) for time, rgb in frames(str(path))]
    assert seen == [(round(i / 5, 6), i) for i in range(20)]


def test_pieces_of_a_video_join_into_the_whole(tmp_path: Path) -> None:
    path = str(write_video(tmp_path / "a.mp4", coded(range(20)), 5))
    for cuts in ([0.0, 3.0, 4.0], [0.0, 0.6, 2.8, 3.8, 4.0]):
        spans = [Span(a, b) for a, b in pairwise(cuts)]
        assert [number_of(rgb) for span in spans for _, rgb in frames(path, span)] == list(
            range(20)
        )


def test_uneven_times_become_a_constant_rate_of_the_nearest_frames(tmp_path: Path) -> None:
    times = [0.0, 0.1, 0.2, 0.3, 0.34, 0.41, 0.45, 0.5, 0.6, 0.7, 1.0, 1.1, 1.2]
    path = str(write_video(tmp_path / "v.mp4", coded(range(13)), 10, times=times))
    info = inspect(path)
    assert (info.variable, info.fps, info.frames) == (True, 10.0, 13)
    numbers = [number_of(rgb) for _, rgb in frames(path)]
    assert numbers == [0, 1, 2, 3, 5, 7, 8, 9, 9, 10, 10, 11, 12]


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_rotated_recording_is_shown_upright(tmp_path: Path, rotation: int) -> None:
    upright = person(96, 160)
    stored = np.rot90(upright, -rotation // 90)
    path = str(write_video(tmp_path / "r.mp4", [stored] * 3, 10, rotation=rotation))
    info = inspect(path)
    assert (info.width, info.height, info.rotation) == (160, 96, rotation % 360)
    _, rgb = next(frames(path))
    assert rgb.shape == upright.shape
    assert np.abs(rgb.astype(int) - upright).mean() < 6


@given(
    st.sampled_from(sorted(COMMON_RATES)),
    st.integers(40, 2000),
    st.sampled_from([1e-6, 1 / 90000, 1e-3]),
)
def test_the_rate_survives_the_rounding_of_timestamps(rate: float, count: int, unit: float) -> None:
    times = np.round(np.arange(count) / rate / unit) * unit
    found, variable = rate_of(times, unit, rate)
    assert (found, variable) == (rate, False)
    assert rate_of(times, unit)[0] == pytest.approx(rate, rel=2e-3)


@given(st.lists(st.floats(0, 50), min_size=1, max_size=20), st.lists(st.floats(0, 50), max_size=20))
def test_nearest_is_nearest(stamps: list[float], times: list[float]) -> None:
    stamps, times = sorted(set(stamps)), sorted(times)
    got = [stamp for stamp, _ in nearest(iter([(s, None) for s in stamps]), times)]
    assert len(got) == len(times)
    for time, stamp in zip(times, got, strict=True):
        assert abs(stamp - time) <= min(abs(s - time) for s in stamps) + 1e-6


def test_a_file_that_is_no_whole_video_says_what_it_is(tmp_path: Path) -> None:
    noise = list(np.random.default_rng(0).integers(0, 255, (30, 64, 64, 3), np.uint8))
    for name, faststart in (("late", False), ("early", True)):
        whole = write_video(tmp_path / f"{name}.mp4", noise, 10, faststart=faststart).read_bytes()
        (tmp_path / f"{name}.mp4").write_bytes(whole[: len(whole) // 2])
    gif = write_video(tmp_path / "cut.gif", noise, 10)
    gif.write_bytes(gif.read_bytes()[:-20000])
    (tmp_path / "text.mp4").write_text("not a video\n" * 100)
    (tmp_path / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nearly.mp4\n")
    (tmp_path / "empty.mp4").touch()
    for name, message in {
        "late.mp4": "truncated or damaged video: its index cannot be read",
        "early.mp4": r"truncated: 1\.\d s of the declared 3\.0 s",
        "cut.gif": r"truncated: 2\.\d s of it",
        "text.mp4": r"no video that can be read \(it holds text\)",
        "list.mp4": "no video that can be read",
    }.items():
        with pytest.raises(MediaError, match=message):
            inspect(str(tmp_path / name))
    for name, message in {
        "empty.mp4": "is empty",
        "none.mp4": "does not exist",
        ".": "is a folder",
    }.items():
        with pytest.raises(MediaError, match=message):
            probe(tmp_path / name)


def test_limits_are_kept_in_the_child(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", coded(range(20)), Fraction(30000, 1001))
    assert probe(path) == inspect(str(path))
    with pytest.raises(OverLimitError, match=r"a\.mp4 is too long: 1 s \(20 frames\)"):
        probe(path, Limits(seconds=0.5))
    with pytest.raises(MediaError, match="too large: 64×64"):
        inspect(str(path), Limits(pixels=1000))
    with pytest.raises(MediaError, match="more than 5 frames"):
        inspect(str(path), Limits(frames=5))
    with pytest.raises(MediaError, match="no frame was finished in 0 s"):
        probe(path, Limits(silence=0.001))
    with pytest.raises(MediaError, match=r"a\.mp4 (could not|was given up|needs more)"):
        probe(path, Limits(memory=1 << 20))
