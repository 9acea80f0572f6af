"""One layout to another: keypoints are chosen by name, and what is lost is said.

Names of different estimators are compared through their canonical names
(data/names.py), so OpenPose, COCO-WholeBody and MediaPipe clips reach each
other wherever they see the same points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from signloom.data.clip import PoseClip
from signloom.data.layouts import FEATURES, Layout
from signloom.data.names import canonical
from signloom.errors import UsageError

LEAST = 0.5
"""A target layout is reachable when the source has at least this share of its keypoints …"""

NEEDED = ("left_hand", "right_hand")
"""… among them every keypoint of the hands, and the shoulders, that the target has."""

CENTRES = {
    f"{hand}:CENTRE": f"{hand}:MIDDLE_FINGER_MCP"
    for hand in ("LEFT_HAND_LANDMARKS", "RIGHT_HAND_LANDMARKS")
}
"""… The centre of a hand, as trackers of hands give it, is taken from its middle knuckle [D]."""

SHOULDERS = ("POSE_LANDMARKS:LEFT_SHOULDER", "POSE_LANDMARKS:RIGHT_SHOULDER")


@dataclass(frozen=True, eq=False)
class Conversion:
    """How clips of ``source`` become clips of ``target``.

    indices: for each target keypoint the source keypoint it is taken from, -1 where there is none.
    missing: the target keypoints that come out with confidence 0.
    loss: what the conversion loses, in words and numbers; "" where it loses nothing.
    """

    source: Layout
    target: Layout
    indices: NDArray[np.int_]
    missing: tuple[str, ...]
    loss: str

    def __call__(self, clip: PoseClip) -> PoseClip:
        """The clip in the target layout; the origin, rate and units stay."""
        if self.source is self.target or self.source == self.target:
            return clip
        points = clip.points[:, self.indices]
        confidence = clip.confidence[:, self.indices]
        if self.missing:
            gone = self.indices < 0
            points[:, gone], confidence[:, gone] = 0, 0
        if self.target.depth == "none":
            points[:, :, 2] = 0
        return clip.with_points(points, confidence, layout=self.target)


def convert(clip: PoseClip, layout: Layout) -> PoseClip:
    """``clip`` in ``layout``; the clip itself where it is in it already.

    Raises UsageError where no declared conversion leads there.
    """
    if clip.layout is layout or clip.layout == layout:
        return clip
    return conversion(clip.layout, layout)(clip)


@lru_cache(maxsize=64)
def conversion(source: Layout, target: Layout) -> Conversion:
    """The declared conversion between two layouts.

    Raises UsageError where ``source`` lacks hands or shoulders that ``target``
    has, or more than half of its keypoints, or the metres of a layout of 3D joints; and
    between frame features and anything else.
    """
    if target.depth == "metric" != source.depth:
        raise UsageError(
            f"layout '{source.name}' does not convert to '{target.name}', whose joints are in metres in "
            "3D: give joints of an SMPL-X fit (a .pose file in this layout, or an .npz of "
            "parameters), or a model that reads keypoints"
        )
    if source != target and FEATURES in {*source.articulators, *target.articulators}:
        raise UsageError(
            f"layout '{source.name}' does not convert to '{target.name}': numbers of frame features mean "
            f"something to the model that made them alone; give what '{target.name}' was made with, or "
            f"a model of layout '{source.name}'"
        )
    at = {canonical(name): i for i, name in enumerate(source.keypoints)}
    names = [canonical(name) for name in target.keypoints]
    indices = np.array([at.get(n, at.get(CENTRES.get(n, ""), -1)) for n in names], np.int_)
    gone = indices < 0
    missing = tuple(np.array(target.keypoints)[gone].tolist())
    lacking = [part for part in NEEDED if gone[target.part(part)].any()]
    wanted = {canonical(name): i for i, name in enumerate(target.keypoints)}
    if any(name in wanted and gone[wanted[name]] for name in SHOULDERS):
        lacking.append("shoulders")
    if lacking or gone.mean() > 1 - LEAST:
        found = len(target) - len(missing)
        raise UsageError(
            f"layout '{source.name}' does not convert to '{target.name}': it has {found} of its "
            f"{len(target)} keypoints"
            + (
                f", and lacks {' and '.join(part.replace('_', ' ') for part in lacking)}"
                * bool(lacking)
            )
            + f"; expected at least {int(np.ceil(LEAST * len(target)))} with hands and shoulders; "
            "give a clip with more keypoints or a model trained on fewer"
        )
    return Conversion(source, target, indices, missing, _loss(source, target, indices))


def _loss(source: Layout, target: Layout, indices: NDArray[np.int_]) -> str:
    """What goes and what stays empty, by articulator."""
    said = []
    kept = np.isin(np.arange(len(source)), indices)
    dropped = {part: int((~kept[at]).sum()) for part, at in source.parts.items()}
    if any(dropped.values()):
        said.append(
            f"drops {len(source) - int(kept.sum())} of {len(source)} keypoints ({_counts(dropped)})"
        )
    empty = {part: int((indices[at] < 0).sum()) for part, at in target.parts.items()}
    if any(empty.values()):
        said.append(
            f"leaves {sum(empty.values())} of {len(target)} keypoints missing ({_counts(empty)})"
        )
    moved = sum(
        source.keypoints[i] != name
        and {source.keypoints[i].partition(":")[0], name.partition(":")[0]} & {"FACE_LANDMARKS"}
        != set()
        for i, name in zip(indices.tolist(), target.keypoints, strict=True)
        if i >= 0
    )
    if moved:
        said.append(f"takes {moved} face points from the nearest point of the Face Mesh")
    if any(
        i >= 0 and name in CENTRES and source.keypoints[i] != name
        for i, name in zip(indices.tolist(), target.keypoints, strict=True)
    ):
        said.append("takes the centres of hands from their middle knuckles")
    if source.depth != "none" and target.depth == "none":
        said.append("drops depth")
    elif source.depth == "none" and target.depth != "none":
        said.append("has no depth to give (z is 0)")
    return "; ".join(said)


def _counts(of: dict[str, int]) -> str:
    return ", ".join(f"{part.replace('_', ' ')} {count}" for part, count in of.items() if count)
