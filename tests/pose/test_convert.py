"""Conversions: by name, with the loss said in words and numbers."""

from __future__ import annotations

import numpy as np
import pytest

from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import (
    BOSTON3,
    HANDS42,
    HOLISTIC,
    ISHARAH86,
    LAYOUTS,
    MP203,
    PS76,
    WHOLEBODY133,
    Layout,
    layout_of,
)
from signloom.data.names import OPENPOSE_BODY
from signloom.errors import UsageError
from signloom.pose.convert import conversion, convert

HAND = "BASE T_STT T_BCMC T_MCP T_IP I_CMC I_MCP I_PIP I_DIP M_CMC M_MCP M_PIP M_DIP R_CMC R_MCP R_PIP R_DIP P_CMC P_MCP P_PIP P_DIP".split()
PARTS = (("FB", 17), ("FEB", 10), ("FN", 9), ("FE", 12), ("FLO", 12), ("FLI", 8), ("FP", 2))


def openpose() -> Layout:
    prefixes = [prefix for prefix, count in PARTS for _ in range(count)]
    face = [f"{prefix}_{i}" for i, prefix in enumerate(prefixes)]
    return layout_of(
        [
            ("pose_keypoints_2d", OPENPOSE_BODY, []),
            ("face_keypoints_2d", face, []),
            ("hand_left_keypoints_2d", HAND, []),
            ("hand_right_keypoints_2d", HAND, []),
        ],
        "none",
    )


def a_clip(layout: Layout) -> PoseClip:
    """Keypoint k stands at (k, 2 k, 3 k) in every frame."""
    k = np.arange(len(layout), dtype=np.float32) + 1
    points = np.tile(np.stack([k, 2 * k, 3 * k], axis=1), (2, 1, 1))
    return PoseClip(points, np.ones((2, len(layout)), np.float32), 25.0, layout, "c", Origin("x"))


def test_the_same_layout_costs_nothing() -> None:
    clip = a_clip(HOLISTIC)
    assert convert(clip, HOLISTIC) is clip
    assert conversion(HOLISTIC, HOLISTIC).loss == ""


@pytest.mark.parametrize("target", [MP203, PS76, ISHARAH86, HANDS42], ids=lambda t: t.name)
def test_a_choice_of_holistic_takes_each_keypoint_by_its_name(target: Layout) -> None:
    clip = a_clip(HOLISTIC)
    out = convert(clip, target)
    assert out.layout is target
    assert out.origin == clip.origin
    for k, name in enumerate(target.keypoints):
        assert out.points[0, k, 0] == HOLISTIC.index[name] + 1
    assert out.confidence.min() == 1
    assert conversion(HOLISTIC, target).missing == ()


def test_the_loss_is_said_in_words_and_numbers() -> None:
    assert (
        conversion(HOLISTIC, PS76).loss
        == "drops 500 of 576 keypoints (body 22, face 445, world 33)"
    )
    assert conversion(HOLISTIC, WHOLEBODY133).loss == (
        "drops 445 of 576 keypoints (body 12, face 400, world 33); "
        "leaves 2 of 133 keypoints missing (body 2); "
        "takes 68 face points from the nearest point of the Face Mesh; drops depth"
    )
    assert conversion(openpose(), PS76).loss == (
        "drops 66 of 137 keypoints (body 14, face 52); "
        "leaves 5 of 76 keypoints missing (face 5); "
        "takes 18 face points from the nearest point of the Face Mesh; "
        "has no depth to give (z is 0)"
    )
    assert conversion(openpose(), WHOLEBODY133).loss == "drops 4 of 137 keypoints (body 2, face 2)"


def test_wholebody_from_holistic_and_openpose() -> None:
    out = convert(a_clip(HOLISTIC), WHOLEBODY133)
    assert not out.points[:, :, 2].any()
    at = WHOLEBODY133.index
    assert out.points[0, at["BODY:left_big_toe"], 0] == 31 + 1
    assert out.points[0, at["FACE:face-48"], 0] == 33 + 61 + 1
    assert out.points[0, at["LEFT_HAND:hand_8"], 0] == 501 + 8 + 1
    small = [at["BODY:left_small_toe"], at["BODY:right_small_toe"]]
    assert not out.present[:, small].any()
    assert out.present.sum() == 2 * 131
    out = convert(a_clip(openpose()), WHOLEBODY133)
    assert out.points[0, at["BODY:left_shoulder"], 0] == 5 + 1
    assert out.points[0, at["FACE:face-67"], 0] == 25 + 67 + 1
    assert out.present.all()


def test_hands_come_out_of_every_layout_in_the_same_order() -> None:
    with_fingers = (each for each in LAYOUTS.values() if len(each.part("left_hand")) == 21)
    for source in (*with_fingers, openpose()):
        out = convert(a_clip(source), HANDS42)
        assert (out.points[0, :21, 0] == source.part("left_hand") + 1).all()
        assert (out.points[0, 21:, 0] == source.part("right_hand") + 1).all()


def test_the_centre_of_a_hand_is_its_middle_knuckle() -> None:
    for source in (HOLISTIC, PS76, openpose()):
        there = conversion(source, BOSTON3)
        assert "takes the centres of hands from their middle knuckles" in there.loss
        taken = [source.keypoints[i] for i in there.indices]
        assert there.missing == ()
        if source == PS76:
            assert taken == [
                "LEFT_HAND_LANDMARKS:MIDDLE_FINGER_MCP",
                "RIGHT_HAND_LANDMARKS:MIDDLE_FINGER_MCP",
                "POSE_LANDMARKS:NOSE",
            ]
    assert conversion(BOSTON3, BOSTON3).loss == ""


def test_what_cannot_be_reached_is_refused_with_its_reason() -> None:
    with pytest.raises(
        UsageError,
        match=r"'hands42' does not convert to 'ps76': it has 42 of its 76.*lacks shoulders",
    ):
        convert(a_clip(HANDS42), PS76)
    with pytest.raises(UsageError, match=r"203 of its 576 keypoints; expected at least 288"):
        conversion(MP203, HOLISTIC)
    body = layout_of([("BODY", WHOLEBODY133_BODY, [])], "none")
    with pytest.raises(UsageError, match=r"lacks left hand and right hand"):
        conversion(body, HANDS42)


WHOLEBODY133_BODY = [name.partition(":")[2] for name in WHOLEBODY133.keypoints[:23]]
