"""The simulated body: signs keep the field's conditions, limbs keep their lengths, faces move."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from signloom.data.clip import PoseClip
from signloom.data.layouts import (
    HANDS42,
    HOLISTIC,
    ISHARAH86,
    LIPS_INNER,
    MP203,
    PS76,
    Layout,
)
from signloom.errors import UsageError
from signloom.simulator.body import all_handshapes, elbows, hand_points
from signloom.simulator.camera import Camera, Tracker, camera_of, tracker_of
from signloom.simulator.face import CHANNELS, mean_face, movements
from signloom.simulator.perform import FPS, Performance, Performed, perform
from signloom.simulator.phonology import (
    HANDSHAPES,
    LOCATIONS,
    ON_HAND,
    UNMARKED,
    draws,
    homonym,
    letter_sign,
    minimal_pair,
    point_sign,
    sign_of,
)
from signloom.simulator.render import render
from signloom.simulator.signer import Signer, signer_of

WORDS = [f"word {n}" for n in range(400)]
STILL = Tracker(jitter=0.0, loss=0.0)
STRAIGHT = Camera(
    width=640, height=480, yaw=0.0, pitch=0.0, roll=0.0, distance=2.0, zoom=0.24, shift=(0.0, 0.0)
)


def signed(
    words: list[str], signer: Signer, *, citation: bool = False, key: int = 0
) -> Performance:
    return perform(
        [Performed(sign_of(word, 1)) for word in words],
        signer,
        draws("test", key),
        citation=citation,
    )


def filmed(
    performance: Performance, signer: Signer, layout: Layout, tracker: Tracker | None = None
) -> PoseClip:
    rng = draws("film")
    camera, found = camera_of(rng), tracker_of(rng)
    return render(performance, signer, camera, tracker or found, rng, layout)


def handed(left: bool) -> Signer:
    return next(s for n in range(100) if (s := signer_of(7, n)).left_handed == left)


def test_there_are_handshapes_and_locations_enough() -> None:
    assert len(HANDSHAPES) >= 40
    assert len(LOCATIONS) >= 25
    angles = all_handshapes()
    apart = np.abs(angles[:, None] - angles[None]).max(-1) + 9 * np.eye(len(angles))
    assert apart.min() > np.radians(6), "two handshapes look the same"


def test_signs_keep_the_symmetry_and_the_dominance_condition() -> None:
    signs = [sign_of(word, 1) for word in WORDS]
    pairs = [minimal_pair(sign, word, 1) for sign, word in zip(signs, WORDS, strict=True)]
    for sign in signs + pairs:
        if sign.handedness == "base":
            assert sign.base_handshape in (*UNMARKED, sign.handshapes[0])
            assert sign.location == ON_HAND
        else:
            assert sign.base_handshape is None
        if sign.handedness in ("symmetric", "alternating"):
            assert LOCATIONS[sign.location].two
    assert {s.handedness for s in signs} == {"one", "symmetric", "alternating", "base"}


def test_minimal_pairs_differ_in_one_parameter_and_homonyms_in_mouthing_alone() -> None:
    for word in WORDS:
        sign = sign_of(word, 1)
        for other, allowed in (
            (minimal_pair(sign, word, 1), {"handshapes", "location", "orientation", "movement"}),
            (homonym(sign, "other"), {"mouthing"}),
        ):
            changed = {
                f.name for f in fields(sign) if getattr(sign, f.name) != getattr(other, f.name)
            }
            assert len(changed) == 1
            assert changed <= allowed


def test_a_language_seed_is_another_language() -> None:
    assert sign_of("house", 1) == sign_of("House", 1)
    assert sum(sign_of(word, 1) == sign_of(word, 2) for word in WORDS) <= 1
    letters = {letter_sign(ch, 1).handshapes for ch in "abcdefghijklmnopqrstuvwxyz"}
    assert len(letters) == 26


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: letter_sign("ß", 1), "'ß' cannot be fingerspelled; give one letter"),
        (lambda: point_sign("rigth"), "no place 'rigth' to point at .did you mean 'right'"),
        (lambda: perform([], signer_of(1, 1), draws(0)), "cannot perform 0 signs"),
    ],
)
def test_what_cannot_be_signed_is_named(ask: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ask()  # type: ignore[operator]


def test_hands_keep_their_bones_whatever_the_handshape() -> None:
    hands = hand_points(all_handshapes(), np.ones(5))
    for a, b in ((5, 6), (6, 7), (7, 8), (17, 18), (1, 2), (3, 4)):
        lengths = np.linalg.norm(hands[:, a] - hands[:, b], axis=-1)
        np.testing.assert_allclose(lengths, lengths[0], rtol=1e-9)
    flat, fist = hands[0], hands[1]
    assert flat[12, 0] == pytest.approx(1.0, abs=0.03), "a flat hand is a hand long"
    assert fist[12, 0] < 0.7


def test_arms_reach_their_wrists_with_bones_of_fixed_length() -> None:
    rng = draws("arms")
    wrist = rng.uniform((-0.6, -0.7, -0.1), (0.9, 0.5, 0.9), (500, 3))
    elbow, reached = elbows(np.array([0.18, 0.0, 0.0]), wrist, 0.29, 0.25)
    np.testing.assert_allclose(np.linalg.norm(elbow - (0.18, 0, 0), axis=-1), 0.29, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(reached - elbow, axis=-1), 0.25, rtol=1e-6)
    near = np.linalg.norm(wrist - (0.18, 0, 0), axis=-1)
    within = (near < 0.9 * 0.985 * 0.54) & (near > 0.11)
    np.testing.assert_allclose(reached[within], wrist[within], atol=1e-9)


@pytest.mark.parametrize("layout", [PS76, HANDS42, MP203, ISHARAH86], ids=lambda v: v.name)
def test_a_keypoint_does_not_depend_on_which_others_are_asked_for(layout: Layout) -> None:
    signer = signer_of(1, 4)
    performance = signed(["house", "rain", "see"], signer)
    whole, part = (filmed(performance, signer, one) for one in (HOLISTIC, layout))
    which = [HOLISTIC.index[name] for name in layout.keypoints]
    np.testing.assert_array_equal(whole.points[:, which], part.points)
    np.testing.assert_array_equal(whole.confidence[:, which], part.confidence)


def test_wrists_do_not_leap_and_hands_hang_on_their_arms() -> None:
    signer = handed(False)
    performance = signed(WORDS[:30], signer)
    steps = np.linalg.norm(np.diff(performance.wrists, axis=0), axis=-1)
    assert steps.max() < 0.25, "metres a frame"
    clip = render(performance, signer, STRAIGHT, STILL, draws("x"), HOLISTIC)
    body = clip.points[:, clip.part("body")]
    for side, wrist in (("left_hand", 15), ("right_hand", 16)):
        hand = clip.points[:, clip.part(side)[0]]
        seen = clip.confidence[:, clip.part(side)[0]] > 0
        np.testing.assert_allclose(hand[seen, :2], body[seen, wrist, :2], atol=0.01)


def test_elbows_flip_in_few_frames() -> None:
    """A known fault of the frozen corpora (docs/simulator.md): it may not grow."""
    beyond = []
    for number in range(10):
        signer = signer_of(1, number)
        performance = signed(WORDS[10 * number : 10 * number + 10], signer, key=number)
        shoulder = np.array([0.5 * signer.shoulders, 0.0, 0.0])
        elbow, wrist = elbows(shoulder, performance.wrists, signer.upper_arm, signer.forearm)
        moved, with_wrist = (np.linalg.norm(np.diff(at, axis=0), axis=-1) for at in (elbow, wrist))
        beyond.append((moved - with_wrist).max(1) > 0.12)
    assert np.concatenate(beyond).mean() < 0.02


def test_the_dominant_hand_is_the_right_one_but_for_the_left_handed() -> None:
    one_handed = [w for w in WORDS if sign_of(w, 1).handedness == "one"][:4]
    for left in (False, True):
        signer = handed(left)
        clip = filmed(signed(one_handed, signer), signer, HOLISTIC, STILL)
        moved = {
            side: np.ptp(clip.points[:, HOLISTIC.index[f"POSE_LANDMARKS:{side}_WRIST"], 1])
            for side in ("LEFT", "RIGHT")
        }
        assert (moved["LEFT"] > moved["RIGHT"]) == left
    assert 0.05 < np.mean([signer_of(1, n).left_handed for n in range(600)]) < 0.15


def test_dictionary_signs_take_longer_and_begin_and_end_at_rest() -> None:
    signer = signer_of(1, 8)
    fluent = signed(WORDS[:12], signer)
    shown = [signed([word], signer, citation=True) for word in WORDS[:12]]
    assert sum(map(len, shown)) > 2 * len(fluent)
    for performance in shown:
        np.testing.assert_allclose(performance.wrists[0], performance.wrists[-1], atol=0.02)
        span = performance.spans[0]
        assert 0 < span.start < span.end < len(performance) / FPS


def test_pauses_are_held_and_spans_are_in_order() -> None:
    signer = signer_of(1, 2)
    signs = [Performed(sign_of(word, 1)) for word in WORDS[:4]]
    plain = perform(signs, signer, draws("pause"), pauses=(0.0, 0.0, 0.0, 0.0))
    paused = perform(signs, signer, draws("pause"), pauses=(0.0, 0.8, 0.0, 0.0))
    assert len(paused) - len(plain) == pytest.approx(0.8 * FPS, abs=1)
    edges = [edge for span in paused.spans for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert paused.spans[2].start - paused.spans[1].end >= 0.8


def test_the_lips_alone_tell_homonyms_apart() -> None:
    sign = sign_of("banana", 1)
    signer = signer_of(1, 6)
    clips = [
        filmed(
            perform([Performed(s)], signer, draws("lips"), citation=True), signer, HOLISTIC, STILL
        )
        for s in (sign, homonym(sign, "suit"))
    ]
    one, other = clips
    for hand in ("left_hand", "right_hand"):
        part = one.part(hand)
        np.testing.assert_array_equal(one.points[:, part], other.points[:, part])
    lips = [HOLISTIC.index[f"FACE_LANDMARKS:{p}"] for p in LIPS_INNER]
    assert np.abs(one.points[:, lips] - other.points[:, lips]).max() > 2


def test_the_face_opens_its_mouth_shuts_its_eyes_and_raises_its_brows() -> None:
    rest = mean_face()

    def moved(channel: str) -> np.ndarray:
        return rest + movements()[CHANNELS.index(channel)]

    def gap(face: np.ndarray, upper: int, lower: int) -> float:
        return float(face[upper, 1] - face[lower, 1])

    assert gap(moved("open"), 13, 14) > gap(rest, 13, 14) + 0.07
    assert gap(moved("shut"), 159, 145) < 0.3 * gap(rest, 159, 145)
    assert moved("brows_up")[105, 1] > rest[105, 1] + 0.03
    assert moved("round")[61, 0] < rest[61, 0] < moved("spread")[61, 0]
    assert np.isfinite(rest).all()
    assert len(np.unique(rest.round(6), axis=0)) == 468, "two face points fall together"


def test_the_tracker_loses_hands_out_of_the_picture_and_less_often_where_it_is_good() -> None:
    signer = signer_of(1, 5)
    performance = signed(WORDS[:40], signer)
    lost = {}
    for loss in (0.0, 1.0, 4.0):
        clip = render(performance, signer, STRAIGHT, Tracker(0.0, loss), draws("t"), HANDS42)
        lost[loss] = float((~clip.present).mean())
    assert lost[0.0] < lost[1.0] < lost[4.0]
    shaky = render(performance, signer, STRAIGHT, Tracker(2.0, 0.0), draws("t"), HANDS42)
    still = render(performance, signer, STRAIGHT, STILL, draws("t"), HANDS42)
    both = shaky.present & still.present
    off = np.abs(shaky.points - still.points)[both][:, :2]
    assert 0.2 < np.median(off) < 10


def test_world_points_are_metres_from_the_hips() -> None:
    signer = signer_of(1, 5)
    clip = filmed(signed(WORDS[:3], signer), signer, HOLISTIC, STILL)
    world = clip.points[:, clip.part("world")]
    np.testing.assert_allclose(world[:, (23, 24)].mean(1), 0, atol=1e-4)
    across = np.linalg.norm(world[:, 11] - world[:, 12], axis=-1)
    np.testing.assert_allclose(across, signer.shoulders, atol=0.01)
