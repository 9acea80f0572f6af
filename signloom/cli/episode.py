"""One episode for the commands that watch it: its poses read or extracted, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signloom.errors import MediaError

if TYPE_CHECKING:
    from signloom.data.clip import PoseClip
    from signloom.data.lips import Lips
    from signloom.data.timing import Span
    from signloom.pose.activity import Activity


@dataclass
class Stages:
    """Seconds of work by stage, to be told as multiples of real time."""

    taken: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.taken[name] = self.taken.get(name, 0.0) + time.perf_counter() - began

    def to_json(self, duration: float) -> dict[str, dict[str, float]]:
        return {
            name: {"seconds": round(s, 3), "x_real_time": round(duration / max(s, 1e-9), 1)}
            for name, s in self.taken.items()
        }


@dataclass(frozen=True)
class Source:
    """The signing of an episode: what its track says, and how to look at a stretch of it."""

    activity: Activity
    layout: str
    origin: Mapping[str, Any]
    path: Path
    clip: PoseClip | None
    lips: Lips | Path | None = None
    """Extracted, or the file beside the poses."""

    def mouths(self, span: Span) -> Lips | None:
        """The lips of what ``moment`` gives; None where there are none."""
        from signloom.pose.lip_files import read_lips

        if isinstance(self.lips, Path):
            return read_lips(self.lips, span)
        return None if self.lips is None else self.lips.cut(span)

    def moment(self, start: float, end: float) -> PoseClip:
        """The clip between two times."""
        from signloom.data.timing import Span
        from signloom.pose.files import read_pose

        span = Span(max(start, 0.0), max(end, start, 0.0))
        return self.clip.cut(span) if self.clip is not None else read_pose(self.path, span)


def open_media(
    media: Path | None,
    pose: Path | None,
    stages: Stages,
    *,
    signer_box: str | None = None,
    save_pose: Path | None = None,
    jobs: int | None = None,
    overwrite: bool = False,
    lips: bool = False,
) -> Source:
    """Reads or extracts the poses and what they say; extracted ones are kept in ``save_pose``.

    lips: the mouths too, those that lie beside the poses, or extracted with them.

    Raises MediaError where a video, its poses and its lips do not go together, or cannot be read.
    """
    from signloom.pose.activity import activity, track
    from signloom.pose.files import read_header, read_slices, write_pose
    from signloom.pose.lip_files import beside, refuse_other, write_lips

    path = pose or media
    assert path is not None
    if path.suffix.lower() != ".pose":
        with stages.of("extract"):
            clip, mouths = _extracted(path, signer_box, jobs, lips)
            if save_pose is not None:
                if overwrite and mouths is None:
                    beside(save_pose).unlink(missing_ok=True)
                write_pose(clip, save_pose, overwrite)
                if mouths is not None:
                    write_lips(mouths, beside(save_pose), overwrite)
        with stages.of("activity"):
            return Source(
                activity(track([clip])), clip.layout.name, clip.origin.to_json(), path, clip, mouths
            )
    header = read_header(path)
    if not header.frames:
        raise MediaError(f"{path} has no frames, expected the poses of a video; extract it again")
    if media is not None and pose is not None:
        from signloom.extract.video import probe

        video = probe(media)
        if abs(video.duration - header.duration) > max(0.5, 0.005 * video.duration):
            raise MediaError(
                f"{media} lasts {video.duration:.2f} s but {pose} {header.duration:.2f} s, expected "
                "the poses of this very video; extract them again with signloom extract"
            )
    there = beside(path) if lips and beside(path).is_file() else None
    if there is not None:
        refuse_other(there, path)
    with stages.of("activity"):
        found = activity(track(read_slices(path)))
    return Source(found, header.layout.name, header.origin.to_json(), path, None, there)


def _extracted(
    video: Path, signer_box: str | None, jobs: int | None, lips: bool
) -> tuple[PoseClip, Lips | None]:
    from signloom.cli.extract import progress_bar
    from signloom.extract.extraction import WHOLE_PICTURE, extract_clips, parse_box
    from signloom.extract.process import cores

    box = WHOLE_PICTURE if signer_box is None else parse_box(signer_box)
    with progress_bar(1) as (frames_done, _, _):
        (result,) = extract_clips(
            [video], signer_box=box, jobs=jobs or len(cores()), progress=frames_done, lips=lips
        )
    if result.error is not None:
        raise result.error
    assert result.clip is not None
    return result.clip, result.lips
