"""The layouts: widths, mirrors, names of other estimators, layouts derived from a header."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.layouts import (
    FACE_CONTOUR,
    HOLISTIC,
    LAYOUTS,
    MP203,
    OPENPOSE137,
    PS76,
    WHOLEBODY133,
    Layout,
    layout_named,
    layout_of,
    mirror_by_name,
)
from signloom.data.names import FACE68_TO_MESH, OPENPOSE_BODY, canonical, mesh_mirror, twin
from signloom.errors import UsageError

WIDTHS = {
    "holistic": 576,
    "mp203": 203,
    "ps76": 76,
    "isharah86": 86,
    "hands42": 42,
    "boston3": 3,
    "wholebody133": 133,
    "holistic543": 543,
    "openpose137": 137,
    "skels50": 50,
    "wlasl106": 106,
    "smplx52": 52,
    "smplx57": 57,
}


def test_the_named_layouts_have_the_widths_of_the_specification() -> None:
    assert {name: len(layout) for name, layout in LAYOUTS.items()} == WIDTHS
    assert len(FACE_CONTOUR) == 128
    parts = {name: len(at) for name, at in WHOLEBODY133.parts.items()}
    assert parts == {"body": 23, "face": 68, "left_hand": 21, "right_hand": 21}
    parts = {name: len(at) for name, at in OPENPOSE137.parts.items()}
    assert parts == {"body": 25, "face": 70, "left_hand": 21, "right_hand": 21}


def test_holistic_stands_in_the_order_of_the_file_format() -> None:
    starts = [
        int(HOLISTIC.part(p)[0]) for p in ("body", "face", "left_hand", "right_hand", "world")
    ]
    assert starts == [0, 33, 501, 522, 543]
    assert PS76.keypoints[42:44] == ("POSE_LANDMARKS:NOSE", "POSE_LANDMARKS:LEFT_EYE")


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_mirrors_are_involutions_that_swap_the_hands(layout: Layout) -> None:
    mirror = np.array(layout.mirror)
    assert (mirror[mirror] == np.arange(len(layout))).all()
    assert (mirror[layout.part("left_hand")] == layout.part("right_hand")).all()
    assert all(layout.articulators[m] == layout.articulators[i] or "hand" in layout.articulators[i]
               for i, m in enumerate(mirror))  # fmt: skip
    edges = {frozenset(edge) for edge in layout.edges}
    if layout.name != "isharah86":  # its lips lack 409, the mirror image of 185
        assert {frozenset(mirror[list(edge)].tolist()) for edge in edges} == edges


def test_only_the_middle_of_a_face_mirrors_onto_itself() -> None:
    pairs = mesh_mirror()
    assert sorted(pairs) == list(range(478)) == sorted(pairs.values())
    assert sum(a == b for a, b in pairs.items()) == 28
    assert (pairs[33], pairs[61], pairs[70], pairs[468]) == (263, 291, 300, 473)
    # The 68 points of iBUG mirror 0 ↔ 16, brows 17 ↔ 26, eyes 36 ↔ 45, mouth corners 48 ↔ 54.
    assert len(set(FACE68_TO_MESH)) == 68
    for a, b in (
        (0, 16),
        (3, 13),
        (8, 8),
        (17, 26),
        (31, 35),
        (36, 45),
        (37, 44),
        (48, 54),
        (60, 64),
    ):
        assert pairs[FACE68_TO_MESH[a]] == FACE68_TO_MESH[b]


def test_names_of_other_estimators_have_a_canonical_one() -> None:
    assert canonical("pose_keypoints_2d:LShoulder") == "POSE_LANDMARKS:LEFT_SHOULDER"
    assert canonical("BODY:left_shoulder") == "POSE_LANDMARKS:LEFT_SHOULDER"
    assert canonical("hand_left_keypoints_2d:BASE") == "LEFT_HAND_LANDMARKS:WRIST"
    assert canonical("RIGHT_HAND:hand_8") == "RIGHT_HAND_LANDMARKS:INDEX_FINGER_TIP"
    assert canonical("face_keypoints_2d:FLO_48") == canonical("FACE:face-48") == "FACE_LANDMARKS:61"
    assert canonical("pose_keypoints_2d:RSmallToe") == canonical("BODY:right_small_toe")
    assert canonical("MARKERS:C7") == "MARKERS:C7"
    assert twin("pose_keypoints_2d:RWrist") == "POSE_LANDMARKS:LEFT_WRIST"
    openpose = [f"pose_keypoints_2d:{name}" for name in OPENPOSE_BODY]
    mirror = mirror_by_name(openpose)
    assert openpose[mirror[4]].endswith("LWrist")
    assert openpose[mirror[1]].endswith("Neck")


def test_a_header_gives_a_known_layout_or_derives_one() -> None:
    ps76 = [("LEFT_HAND_LANDMARKS", 21), ("RIGHT_HAND_LANDMARKS", 21), ("POSE_LANDMARKS", 11), ("FACE_LANDMARKS", 23)]  # fmt: skip
    names = iter(name.partition(":")[2] for name in PS76.keypoints)
    components = [(name, [next(names) for _ in range(n)], []) for name, n in ps76]
    assert layout_of(components, "relative") is PS76
    assert layout_of(components, "none").depth == "none"
    derived = layout_of([("MARKERS", ["a", "b"], [(0, 1), (1, 7)]), ("BODY", ["nose"], [])], "none")
    assert derived.articulators == ("markers", "markers", "body")
    assert derived.edges == ((0, 1),)
    with pytest.raises(ValueError, match="names a keypoint twice"):
        layout_of([("A", ["x", "x"], [])], "none")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"no layout 'holistics'.*did you mean 'holistic'"):
        layout_named("holistics")
    with pytest.raises(UsageError, match=r"'mp203' has no keypoint 'POSE_LANDMARKS:NOSES'.*NOSE"):
        MP203.of("POSE_LANDMARKS:NOSES")
