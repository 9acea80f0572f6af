"""SMPL-X to 623 numbers a frame and back: what is planted is found, what is lost is said."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.pose import motion623 as m

CLOSE = {"rtol": 0, "atol": 1e-9}


def smooth(seed: int, frames: int = 12, size: float = 0.4) -> np.ndarray:
    """SMPL-X parameters (frames, 182), upright, of slow random motion."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None]
    parameters = np.zeros((frames, m.PARAMETERS))
    for wave in (1, 2):
        turn, phase = rng.normal(0, size / wave, (2, 1, m.PARAMETERS))
        parameters += turn * np.sin(2 * np.pi * wave * time + 9 * phase)
    parameters[:, 1] += rng.uniform(-3, 3)  # faces anywhere
    return parameters


def test_the_slices_are_the_623() -> None:
    parts = (m.TURN, m.SPEED, m.HEIGHT, m.POSITIONS, m.ROTATIONS, m.VELOCITIES, m.CONTACTS)
    assert [c for part in parts for c in range(623)[part]] == list(range(623))
    assert [len(range(623)[part]) for part in parts] == [1, 2, 1, 153, 306, 156, 4]
    assert all(parent < joint for joint, parent in enumerate(m.PARENTS))
    chains = ([20, 34, 35, 36], [20, 31, 32, 33], [21, 37, 38, 39], [21, 49, 50, 51])
    assert all(m.PARENTS[b] == a for c in chains for a, b in pairwise(c))


def test_matrices_are_rodrigues_formula() -> None:
    vectors = np.array([[0, 0, np.pi / 2], [1e-9, 0, 0], [0.3, -0.5, 0.2], [0, 0, 0]])
    found = m.rotation_matrices(vectors)
    np.testing.assert_allclose(found[0] @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    axis, angle = vectors[2] / np.linalg.norm(vectors[2]), np.linalg.norm(vectors[2])
    x = np.array([0.7, -1.1, 0.4])
    turned = (
        x * np.cos(angle)
        + np.cross(axis, x) * np.sin(angle)
        + axis * (axis @ x) * (1 - np.cos(angle))
    )
    np.testing.assert_allclose(found[2] @ x, turned, atol=1e-12)
    np.testing.assert_allclose(found[3], np.eye(3), atol=0)
    np.testing.assert_allclose(m.from_six_numbers(m.six_numbers(found)), found, atol=1e-12)


def test_a_bent_elbow_takes_the_hand_with_it() -> None:
    """A quarter turn about y at the left elbow (parameter 18) points the forearm to the back."""
    straight, bent = np.zeros((1, 182)), np.zeros((1, 182))
    bent[0, 3 * 18 + 1] = np.pi / 2
    one, other = (m.forward(p, camera=False)[0][0] for p in (straight, bent))
    moved = np.abs(one - other).max(1) > 1e-12
    assert set(np.flatnonzero(moved)) == {20, *range(22, 37)}
    x, y, z = m.OFFSETS[20]
    np.testing.assert_allclose(other[20] - other[18], [z, y, -x], atol=1e-12)
    lengths = [np.linalg.norm(j[1:] - j[list(m.PARENTS[1:])], axis=1) for j in (one, other)]
    np.testing.assert_allclose(*lengths, atol=1e-12)


def test_left_and_right_mirror_each_other() -> None:
    joints = m.forward(np.zeros((1, 182)), camera=False)[0][0]
    twin = [
        m.NAMES.index(n.replace("left", "*").replace("right", "left").replace("*", "right"))
        for n in m.NAMES
    ]
    np.testing.assert_allclose(joints[twin] * (-1, 1, 1), joints, atol=1e-12)


def test_a_camera_stands_on_its_head() -> None:
    """A person before a camera (y down) is turned by π about x; they stand and face it."""
    fit = np.zeros((1, 182))
    fit[0, 0], fit[0, 181] = -np.pi, 5
    joints = m.forward(fit)[0]
    assert joints[0, 15, 1] > joints[0, 0, 1] > joints[0, 10, 1]
    np.testing.assert_allclose(m.heading(joints), 0, atol=1e-9)


@given(
    st.integers(0, 10**6), st.floats(-3.1, 3.1), st.lists(st.floats(-9, 9), min_size=3, max_size=3)
)
@settings(max_examples=15, deadline=None)
def test_a_known_turn_and_shift_change_nothing_and_are_given_back(
    seed: int, yaw: float, shift: list[float]
) -> None:
    joints, _ = m.placed(m.forward(smooth(seed), camera=False)[0])
    moved = m.Placement(yaw, (shift[0], shift[1], shift[2])).restore(joints)
    found, placement = m.placed(moved)
    np.testing.assert_allclose(found, joints, **CLOSE)
    np.testing.assert_allclose(np.exp(1j * placement.yaw), np.exp(1j * yaw), **CLOSE)
    np.testing.assert_allclose(placement.shift, shift, **CLOSE)
    np.testing.assert_allclose(placement.restore(found), moved, **CLOSE)
    np.testing.assert_allclose(m.features(moved), m.features(joints), rtol=0, atol=1e-7)


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=20, deadline=None)
def test_there_and_back_and_there(seed: int, upper_body: bool, given_rotations: bool) -> None:
    joints, rotations = m.forward(smooth(seed), camera=False)
    known = rotations if given_rotations else None
    rows = m.features(joints, known, upper_body)
    assert rows.shape == (len(joints) - 1, 623)
    back = m.joints_of(rows)
    wanted, _ = m.placed(m.standing(joints) if upper_body else joints)
    np.testing.assert_allclose(back, wanted, **CLOSE)
    np.testing.assert_allclose(m.features(back, known, upper_body), rows, rtol=0, atol=1e-7)
    if given_rotations and not upper_body:
        np.testing.assert_allclose(m.rotations_of(rows), rotations[:-1, 1:], **CLOSE)


def test_bones_rebuilt_from_their_rotations_are_the_bones() -> None:
    joints, _ = m.forward(smooth(4), camera=False)
    yaw = m.heading(joints)
    turned = m.bone_rotations(joints, yaw)
    np.testing.assert_allclose(
        turned @ np.swapaxes(turned, 2, 3), np.eye(3) + 0 * turned, atol=1e-9
    )
    for joint in range(1, 52):
        turned[:, joint] = turned[:, m.PARENTS[joint]] @ turned[:, joint]
        bone = joints[:, joint] - joints[:, m.PARENTS[joint]]
        np.testing.assert_allclose(turned[:, joint] @ m.OFFSETS[joint], bone, atol=1e-9)


def test_bones_without_length_or_turned_right_round_have_rotations() -> None:
    joints = np.repeat(m.forward(np.zeros((1, 182)), camera=False)[0], 2, axis=0)
    joints[:, 15] = joints[:, 12]
    joints[:, 20] = joints[:, 18] - m.OFFSETS[20]
    turned = m.bone_rotations(joints, m.heading(joints))
    np.testing.assert_allclose(turned[:, 15], np.eye(3)[None].repeat(2, 0), atol=1e-12)
    np.testing.assert_allclose(
        turned[:, 20] @ m.OFFSETS[20], -m.OFFSETS[20] + np.zeros((2, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(turned), 1, atol=1e-9)


def test_a_walk_around_a_corner_is_written_as_speed_and_turn() -> None:
    """A stiff body goes 0.1 m forwards a frame and turns left by 0.2: rows are constant."""
    stiff = m.placed(m.forward(np.zeros((1, 182)), camera=False)[0])[0][0]
    joints, at = [], np.zeros(3)
    for frame in range(6):
        yaw = 0.2 * frame
        at = at + (0.1 * np.array([np.sin(yaw), 0, np.cos(yaw)]) if frame else 0)
        joints.append(m.Placement(yaw, tuple(at)).restore(stiff))
    rows = m.features(np.stack(joints))
    np.testing.assert_allclose(rows[:, m.TURN], -0.1, **CLOSE)
    np.testing.assert_allclose(rows[:, m.SPEED], [[0, 0.1]] * 5, **CLOSE)
    np.testing.assert_allclose(rows[:, m.HEIGHT], stiff[0, 1], **CLOSE)
    np.testing.assert_allclose(rows[:, m.POSITIONS], [(stiff[1:]).ravel()] * 5, **CLOSE)
    assert not rows[:, m.CONTACTS].any()
    still = m.features(np.repeat(stiff[None], 3, axis=0))
    assert still[:, m.CONTACTS].all()
    assert not still[:, m.VELOCITIES].any()


def test_an_upper_body_has_straight_legs() -> None:
    bent = smooth(1)
    straight = bent.copy()
    straight[:, [3 * j + k for j in (4, 5, 7, 8, 10, 11) for k in range(3)]] = 0
    rows = [m.features(*m.forward(p, camera=False), upper_body=True) for p in (bent, straight)]
    np.testing.assert_allclose(*rows, atol=1e-12)
    assert rows[0][:, m.CONTACTS].all()


def test_the_layout_has_these_joints_and_bones() -> None:
    from signloom.data.layouts import SMPLX52

    bones = {(m.PARENTS[joint], joint) for joint in range(1, m.JOINTS)}
    assert {tuple(edge) for edge in SMPLX52.edges} == bones
    for name, keypoint in zip(m.NAMES[:22], SMPLX52.keypoints, strict=False):
        assert keypoint.split(":")[1].replace("_", "").lower() == name.replace("_", "")
    fingers = {"index": "INDEX_FINGER", "middle": "MIDDLE_FINGER", "thumb": "THUMB"}
    for name, keypoint in zip(m.NAMES[22:], SMPLX52.keypoints[22:], strict=True):
        side, finger, number = (
            name.replace("_", " ").replace("1", " 0").replace("2", " 1").replace("3", " 2").split()
        )
        joints = ("CMC", "MCP", "IP") if finger == "thumb" else ("MCP", "PIP", "DIP")
        finger = fingers.get(finger, "RING_FINGER" if finger == "ring" else finger.upper())
        assert keypoint == f"{side.upper()}_HAND_LANDMARKS:{finger}_{joints[int(number)]}"


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_joints_that_were_not_seen_go_along_with_their_parents(seed: int) -> None:
    joints, _ = m.forward(smooth(seed), camera=False)
    rng = np.random.default_rng(seed)
    seen = rng.random(joints.shape[:2]) > 0.3
    seen[3, [0, *m.HIPS, *m.SHOULDERS]] = True
    found = m.filled(joints, seen)
    assert np.isfinite(found).all()
    known = seen.all(axis=1)
    np.testing.assert_allclose(found[known], joints[known], **CLOSE)
    assert m.filled(joints, np.ones_like(seen)) is joints


def test_a_lost_hand_keeps_its_shape_between_where_it_was_seen() -> None:
    joints, _ = m.forward(smooth(4), camera=False)
    seen = np.ones(joints.shape[:2], bool)
    seen[4:7, m.LEFT_HAND] = False
    seen[:, m.RIGHT_HAND] = False
    found = m.filled(joints, seen)
    bones = found[:, m.LEFT_HAND] - found[:, [m.PARENTS[j] for j in range(22, 37)]]
    np.testing.assert_allclose(bones[5], (bones[3] + bones[7]) / 2, **CLOSE)
    lengths = np.linalg.norm(
        found[:, m.RIGHT_HAND] - found[:, [m.PARENTS[j] for j in range(37, 52)]], axis=2
    )
    wanted = np.linalg.norm(m.OFFSETS[m.RIGHT_HAND], axis=1)
    np.testing.assert_allclose(lengths, np.tile(wanted, (len(found), 1)), **CLOSE)
    with pytest.raises(UsageError, match="no frame has pelvis, hips and shoulders"):
        m.filled(joints, seen & (np.arange(52) != 16))


def test_signing_is_the_same_wherever_the_signer_stands() -> None:
    joints, _ = m.forward(smooth(2), camera=False)
    rows = m.features(joints)
    numbers = m.signing(rows)
    assert numbers.shape == (len(rows), m.SIGNING)
    told = m.signing_joints(numbers)
    local = rows[:, m.POSITIONS].reshape(len(rows), 51, 3)
    chest = local[:, m.CHEST - 1, None]
    kept = [j - 1 for j in (*m.UPPER, *range(22, 52))]
    np.testing.assert_allclose(told, local[:, kept] - chest, **CLOSE)
    shape = np.linalg.norm(joints[:-1, 22:37] - joints[:-1, 20:21], axis=2)
    own = numbers[:, : 3 * m.SIGNING_JOINTS].reshape(len(rows), -1, 3)[:, 8:23]
    np.testing.assert_allclose(np.linalg.norm(own, axis=2), shape, **CLOSE)


def test_errors_name_the_frame_and_the_joint() -> None:
    with pytest.raises(UsageError, match=r"shape \(3, 165\), expected \(frames, 182\)"):
        m.forward(np.zeros((3, 165)))
    lost = np.zeros((5, 182))
    lost[3, 3 * 18] = np.nan
    with pytest.raises(UsageError, match=r"frame 3: the rotation of joint 18 \(left_elbow\)"):
        m.forward(lost)
    lost[:] = 0
    lost[2, 181] = np.inf
    with pytest.raises(UsageError, match="frame 2: the translation of joint 0"):
        m.forward(lost)
    joints, rotations = m.forward(np.zeros((2, 182)), camera=False)
    with pytest.raises(UsageError, match="at least 2 frames, got 1"):
        m.features(joints[:1])
    with pytest.raises(UsageError, match=r"expected \(frames, 52, 3\)"):
        m.features(joints[:, :22])
    with pytest.raises(UsageError, match="to go with the joints"):
        m.features(joints, rotations[:1])
    joints[1, 20] = np.nan
    with pytest.raises(UsageError, match=r"frame 1: the position of joint 20 \(left_wrist\)"):
        m.features(joints)
    with pytest.raises(UsageError, match="faces nowhere"):
        m.heading(np.zeros((2, 52, 3)))
    with pytest.raises(UsageError, match=r"shape \(4, 263\)"):
        m.joints_of(np.zeros((4, 263)))
    rows = np.zeros((4, 623))
    rows[1, 7] = np.nan
    with pytest.raises(UsageError, match="row 1 of a motion has nan in column 7"):
        m.joints_of(rows)


@pytest.mark.shared_data
@pytest.mark.parametrize("corpus", ["wlasl124_smplx", "how2sign12_smplx"])
def test_real_fits_stand_face_the_camera_and_come_back(shared_data: Path, corpus: str) -> None:
    with np.load(shared_data / corpus / "pose.npz") as arrays:
        fits = arrays["smplx_f16"][:60]
    joints, rotations = m.forward(fits)
    assert (joints[:, 15, 1] > joints[:, 9, 1]).all()
    assert (np.abs(m.heading(joints)) < 0.5).all()
    rows = m.features(joints, rotations, upper_body=True)
    back = m.joints_of(rows)
    np.testing.assert_allclose(back, m.placed(m.standing(joints))[0], **CLOSE)
    np.testing.assert_allclose(m.features(back, rotations, True), rows, rtol=0, atol=1e-7)


def test_a_picture_has_no_depth_and_no_distance() -> None:
    joints, _ = m.forward(smooth(3), camera=True)
    joints = joints - (0, joints[..., 1].mean(), joints[..., 2].max() + 2)
    numbers = m.picture(joints)
    assert numbers.shape == (len(joints) - 1, m.PICTURE)
    np.testing.assert_allclose(
        m.picture(3 * joints), numbers, **CLOSE
    )  # three times as far, as large
    half = m.PICTURE // 2
    np.testing.assert_allclose(
        numbers[1:, :half] - numbers[:-1, :half], numbers[:-1, half:], **CLOSE
    )
    assert np.abs(m.picture(m.turned(joints, 30.0)) - numbers).max() > 0.01
    with pytest.raises(UsageError, match="all joints before the camera"):
        m.picture(-joints)
