"""Layouts: which keypoints, in which order, in which articulator, mirrored how.

Keypoints carry the names MediaPipe Holistic and pose-format give them,
"COMPONENT:POINT" (``POSE_LANDMARKS:NOSE``, ``FACE_LANDMARKS:61``,
``LEFT_HAND_LANDMARKS:WRIST``), in every layout that is a choice of them, so
that one layout is cut from another by name. Sources: spec §0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from signloom.data.names import (
    ARTICULATOR_OF,
    BODY,
    BODY_POINTS,
    COCO_BODY,
    FACE,
    FACE68_TO_MESH,
    FACE_POINTS,
    HAND_POINTS,
    LEFT,
    OPENPOSE_BODY,
    OPENPOSE_FACE,
    OPENPOSE_HAND,
    RIGHT,
    WORLD,
    articulator,
    canonical,
    twin,
)
from signloom.errors import UsageError, nearest

Articulator = Literal["body", "face", "left_hand", "right_hand", "world"]
Depth = Literal["none", "relative", "metric"]

BODY_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 7), (0, 4), (4, 5), (5, 6), (6, 8), (9, 10), (11, 12),
    (11, 13), (13, 15), (15, 17), (15, 19), (15, 21), (17, 19), (12, 14), (14, 16),
    (16, 18), (16, 20), (16, 22), (18, 20), (11, 23), (12, 24), (23, 24), (23, 25),
    (24, 26), (25, 27), (26, 28), (27, 29), (28, 30), (29, 31), (30, 32), (27, 31), (28, 32),
)  # fmt: skip
HAND_EDGES = (
    (0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (6, 7), (7, 8), (5, 9), (9, 10), (10, 11),
    (11, 12), (9, 13), (13, 14), (14, 15), (15, 16), (13, 17), (0, 17), (17, 18), (18, 19), (19, 20),
)  # fmt: skip

# Rings and chains of the Face Mesh (indices of FACE_LANDMARKS), each in order around the face.
# A chain's k-th point mirrors onto the paired chain's k-th point; a ring mirrors onto itself.
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS_OUTER = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
LIPS_INNER = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
RIGHT_EYE = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LEFT_EYE = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
RIGHT_BROW_LOW = (46, 53, 52, 65, 55)
LEFT_BROW_LOW = (276, 283, 282, 295, 285)
RIGHT_BROW_HIGH = (70, 63, 105, 66, 107)
LEFT_BROW_HIGH = (300, 293, 334, 296, 336)
FACE_RINGS = (FACE_OVAL, LIPS_OUTER, LIPS_INNER, RIGHT_EYE, LEFT_EYE)
FACE_CHAINS = (RIGHT_BROW_LOW, LEFT_BROW_LOW, RIGHT_BROW_HIGH, LEFT_BROW_HIGH)
FACE_CONTOUR = tuple(sorted({p for part in FACE_RINGS + FACE_CHAINS for p in part}))
"""The 128 contour points (lips 40, eyes 32, brows 20, oval 36), spec §0."""


@dataclass(frozen=True)
class Layout:
    """Which keypoints a clip has, in which order.

    keypoints: unique names, "COMPONENT:POINT".
    articulators: the articulator of each keypoint.
    edges: pairs of indices to draw, and to build graphs from.
    mirror: mirror[i] is the keypoint that i becomes when left and right are swapped.
    depth: whether z is absent, a relative guess, or metric.
    """

    name: str
    keypoints: tuple[str, ...]
    articulators: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()
    mirror: tuple[int, ...] = ()
    depth: Depth = "relative"
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: i for i, name in enumerate(self.keypoints)})
        if len(self.index) != len(self.keypoints):
            raise ValueError(f"layout '{self.name}' names a keypoint twice")
        if len(self.articulators) != len(self.keypoints):
            raise ValueError(
                f"layout '{self.name}' has {len(self.keypoints)} keypoints "
                f"but {len(self.articulators)} articulators"
            )
        if not self.mirror:
            object.__setattr__(self, "mirror", mirror_by_name(self.keypoints))

    def __len__(self) -> int:
        return len(self.keypoints)

    def __hash__(self) -> int:
        return hash((self.name, len(self.keypoints)))

    @cached_property
    def parts(self) -> dict[str, NDArray[np.int_]]:
        """Articulator → the indices of its keypoints, in order."""
        names = dict.fromkeys(self.articulators)
        of = np.array(self.articulators)
        return {name: np.flatnonzero(of == name) for name in names}

    def part(self, articulator: str) -> NDArray[np.int_]:
        """Indices of an articulator's keypoints; empty where the layout has none."""
        return self.parts.get(articulator, np.zeros(0, np.int_))

    def of(self, *names: str) -> NDArray[np.int_]:
        """Indices of the named keypoints. Raises UsageError naming the one that is not there."""
        for name in names:
            if name not in self.index:
                raise UsageError(
                    f"layout '{self.name}' has no keypoint '{name}'"
                    + nearest(name, list(self.keypoints))
                )
        return np.array([self.index[name] for name in names], np.int_)


def mirror_by_name(keypoints: Sequence[str]) -> tuple[int, ...]:
    """The mirror permutation that names give (LEFT ↔ RIGHT; face points by the mesh's symmetry)."""
    at = {canonical(name): i for i, name in enumerate(keypoints)}
    return tuple(at.get(twin(name), i) for i, name in enumerate(keypoints))


def _named(component: str, points: Sequence[str]) -> list[str]:
    return [f"{component}:{point}" for point in points]


def _chosen(name: str, keypoints: Sequence[str]) -> Layout:
    """A layout of holistic keypoints, its articulators and edges following from their names."""
    at = {keypoint: i for i, keypoint in enumerate(keypoints)}
    edges = [
        (at[a], at[b])
        for component, points, pairs in (
            (BODY, BODY_POINTS, BODY_EDGES),
            (LEFT, HAND_POINTS, HAND_EDGES),
            (RIGHT, HAND_POINTS, HAND_EDGES),
            (WORLD, BODY_POINTS, BODY_EDGES),
        )
        for i, j in pairs
        if (a := f"{component}:{points[i]}") in at and (b := f"{component}:{points[j]}") in at
    ]
    for line, closed in [(ring, True) for ring in FACE_RINGS] + [(c, False) for c in FACE_CHAINS]:
        seen = [at[f"{FACE}:{p}"] for p in line if f"{FACE}:{p}" in at]
        edges += pairwise(seen)
        if closed and len(seen) > 2:
            edges.append((seen[-1], seen[0]))
    return Layout(
        name,
        tuple(keypoints),
        tuple(ARTICULATOR_OF[keypoint.partition(":")[0]] for keypoint in keypoints),
        tuple(edges),
    )


_HANDS = _named(LEFT, HAND_POINTS) + _named(RIGHT, HAND_POINTS)
_PS76_BODY = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16)
_PS76_FACE = (
    61, 291, 17, 0, 70, 105, 107, 300, 334, 336, 161, 158, 33, 163, 153, 133, 388, 385, 263,
    390, 380, 362, 9,
)  # fmt: skip
_ISHARAH_LIPS = (
    0,
    17,
    37,
    39,
    40,
    61,
    84,
    91,
    146,
    181,
    185,
    267,
    269,
    270,
    291,
    314,
    321,
    375,
    405,
)

HOLISTIC = _chosen(
    "holistic",
    _named(BODY, BODY_POINTS) + _named(FACE, FACE_POINTS) + _HANDS + _named(WORLD, BODY_POINTS),
)
"""MediaPipe Holistic: body 33, face 468, hands 21 + 21, world body 33 = 576 points."""

MP203 = _chosen(
    "mp203",
    _named(BODY, BODY_POINTS) + _named(FACE, [str(p) for p in FACE_CONTOUR]) + _HANDS,
)
PS76 = _chosen(
    "ps76",
    _HANDS
    + _named(BODY, [BODY_POINTS[i] for i in _PS76_BODY])
    + _named(FACE, [str(p) for p in _PS76_FACE]),
)
ISHARAH86 = _chosen(
    "isharah86",
    _named(RIGHT, HAND_POINTS)
    + _named(LEFT, HAND_POINTS)
    + _named(FACE, [str(p) for p in _ISHARAH_LIPS])
    + _named(BODY, BODY_POINTS[:25]),
)
HANDS42 = _chosen("hands42", _HANDS)
BOSTON3 = replace(
    _chosen("boston3", [f"{LEFT}:CENTRE", f"{RIGHT}:CENTRE", f"{BODY}:NOSE"]), depth="none"
)
"""RWTH-BOSTON-104: the centre of each hand, and the nose, in the picture plane."""


HOLISTIC543 = _chosen(
    "holistic543",
    _named(BODY, BODY_POINTS) + _named(FACE, FACE_POINTS) + _HANDS,
)
"""Holistic without the world body, as Google's isolated signs have it."""


def _skels() -> Layout:
    sides = [
        [f"{BODY}:{side}_{joint}" for joint in ("SHOULDER", "ELBOW", "WRIST")]
        for side in ("LEFT", "RIGHT")
    ]
    chosen = _chosen(
        "skels50",
        [
            *_named(BODY, ("NOSE", "NECK")),
            *sides[0],
            *sides[1],
            *_named(RIGHT, HAND_POINTS),
            *_named(LEFT, HAND_POINTS),
        ],
    )
    at = chosen.index
    spine = [(at[f"{BODY}:NOSE"], at[f"{BODY}:NECK"])]
    spine += [(at[f"{BODY}:NECK"], at[side[0]]) for side in sides]
    return replace(chosen, edges=(*spine, *chosen.edges))


SKELS50 = _skels()
"""Progressive Transformers' joints (Saunders et al. 2020): body 8, right hand 21, left hand 21.

Joints 2–4 and the hand 29–49 lie on the right of the picture, where the signer's left is."""


def _other_estimator(name: str, components: dict[str, Sequence[str]]) -> Layout:
    """A layout of another estimator's keypoints, drawn as Holistic draws the same points."""
    keypoints = [f"{component}:{p}" for component, ps in components.items() for p in ps]
    at = {canonical(keypoint): i for i, keypoint in enumerate(keypoints)}
    names = HOLISTIC.keypoints
    edges = [
        (at[names[i]], at[names[j]]) for i, j in HOLISTIC.edges if names[i] in at and names[j] in at
    ]
    for first, last, closed in _FACE68_LINES:
        if f"{FACE}:{FACE68_TO_MESH[first]}" not in at:
            continue
        line = [at[f"{FACE}:{FACE68_TO_MESH[i]}"] for i in range(first, last)]
        edges += [*pairwise(line), *([(line[-1], line[0])] if closed else [])]
    middle = (("NOSE", "NECK"), ("NECK", "LEFT_SHOULDER"), ("NECK", "RIGHT_SHOULDER"))
    edges += [
        (at[f"{BODY}:{a}"], at[f"{BODY}:{b}"])
        for a, b in middle
        if f"{BODY}:{a}" in at and f"{BODY}:{b}" in at
    ]
    return Layout(
        name,
        tuple(keypoints),
        tuple(articulator(keypoint.partition(":")[0]) for keypoint in keypoints),
        tuple(dict.fromkeys(edges)),
        depth="none",
    )


_FACE68_LINES = (
    (0, 17, False), (17, 22, False), (22, 27, False), (27, 31, False), (31, 36, False),
    (36, 42, True), (42, 48, True), (48, 60, True), (60, 68, True),
)  # fmt: skip

WHOLEBODY133 = _other_estimator(
    "wholebody133",
    {
        "BODY": COCO_BODY,
        "FACE": [f"face-{i}" for i in range(68)],
        "LEFT_HAND": [f"hand_{i}" for i in range(21)],
        "RIGHT_HAND": [f"hand_{i}" for i in range(21)],
    },
)
"""COCO-WholeBody: body 17, feet 6, face 68, hands 21 + 21, in the picture plane."""

OPENPOSE137 = _other_estimator(
    "openpose137",
    {
        "pose_keypoints_2d": OPENPOSE_BODY,
        "face_keypoints_2d": OPENPOSE_FACE,
        "hand_left_keypoints_2d": OPENPOSE_HAND,
        "hand_right_keypoints_2d": OPENPOSE_HAND,
    },
)
"""OpenPose: BODY_25, face 70, hands 21 + 21, in the picture plane."""


def _wlasl106() -> Layout:
    body = (
        "NOSE LEFT_EYE RIGHT_EYE LEFT_EAR RIGHT_EAR LEFT_SHOULDER RIGHT_SHOULDER LEFT_ELBOW "
        "RIGHT_ELBOW MID_HIP LEFT_HIP RIGHT_HIP NECK SPINE_1 SPINE_2 SPINE_3"
    ).split()
    chosen = _other_estimator(
        "wlasl106",
        {
            BODY: body,
            "FACE": [f"face-{i}" for i in range(48)],
            LEFT: HAND_POINTS,
            RIGHT: HAND_POINTS,
        },
    )
    at = chosen.index
    spine = [f"{BODY}:{p}" for p in ("NECK", "SPINE_3", "SPINE_2", "SPINE_1", "MID_HIP")]
    lines = [
        *pairwise(spine),
        *((spine[-1], f"{BODY}:{side}_HIP") for side in ("LEFT", "RIGHT")),
        (f"{BODY}:LEFT_ELBOW", f"{LEFT}:WRIST"),
        (f"{BODY}:RIGHT_ELBOW", f"{RIGHT}:WRIST"),
    ]
    return replace(chosen, edges=(*chosen.edges, *((at[a], at[b]) for a, b in lines)))


WLASL106 = _wlasl106()
"""SMPL-X joints fitted to WLASL, in the picture plane: body 16, the first 48 face points of iBUG
(no mouth), hands 21 + 21. A wrist stands once, as the hand's first point; no body point does for it.

Measured on 52,994 frames: the points called LEFT lie right of their twins in the picture, the
forearm to the near elbow is half as long as to the other (46 and 105 pixels), and the
hands' points keep MediaPipe's order."""


def _smplx52() -> Layout:
    fingers = {"INDEX_FINGER": "MCP PIP DIP", "MIDDLE_FINGER": "MCP PIP DIP", "PINKY": "MCP PIP DIP",
               "RING_FINGER": "MCP PIP DIP", "THUMB": "CMC MCP IP"}  # fmt: skip
    body = (
        "PELVIS LEFT_HIP RIGHT_HIP SPINE_1 LEFT_KNEE RIGHT_KNEE SPINE_2 LEFT_ANKLE RIGHT_ANKLE "
        "SPINE_3 LEFT_FOOT RIGHT_FOOT NECK LEFT_COLLAR RIGHT_COLLAR HEAD LEFT_SHOULDER "
        "RIGHT_SHOULDER LEFT_ELBOW RIGHT_ELBOW LEFT_WRIST RIGHT_WRIST"
    ).split()
    hand = [f"{finger}_{joint}" for finger, joints in fingers.items() for joint in joints.split()]
    chosen = _chosen("smplx52", _named(BODY, body) + _named(LEFT, hand) + _named(RIGHT, hand))
    chains = [
        "PELVIS SPINE_1 SPINE_2 SPINE_3 NECK HEAD",
        *(f"PELVIS {s}_HIP {s}_KNEE {s}_ANKLE {s}_FOOT" for s in ("LEFT", "RIGHT")),
        *(f"SPINE_3 {s}_COLLAR {s}_SHOULDER {s}_ELBOW {s}_WRIST" for s in ("LEFT", "RIGHT")),
    ]
    lines = [pair for chain in chains for pair in pairwise(f"{BODY}:{p}" for p in chain.split())]
    for side, component in (("LEFT", LEFT), ("RIGHT", RIGHT)):
        for finger, joints in fingers.items():
            points = [f"{component}:{finger}_{joint}" for joint in joints.split()]
            lines += pairwise([f"{BODY}:{side}_WRIST", *points])
    edges = tuple((chosen.index[a], chosen.index[b]) for a, b in lines)
    return replace(chosen, edges=edges, depth="metric")


SMPLX52 = _smplx52()
"""SMPL-X joints 0-21, 25-39 and 40-54, in metres as a camera sees them: body 22, hands 15 + 15.

A hand has neither wrist (the body has it) nor fingertips. The order is ``pose.motion623``'s."""

SMPLX57 = replace(
    _chosen(
        "smplx57",
        [
            *SMPLX52.keypoints,
            *_named(FACE, ["JAW", *(f"EXPRESSION_{k}" for k in ("1_3", "4_6", "7_9", "10"))]),
        ],
    ),
    edges=SMPLX52.edges,
    depth="metric",
)
"""SMPLX52, and SMPL-X's face in threes of numbers that are no places: the jaw's rotation (axis-angle,
radians) and ten coefficients of expression (the last of twelve numbers are 0)."""

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        HOLISTIC,
        HOLISTIC543,
        MP203,
        PS76,
        ISHARAH86,
        HANDS42,
        BOSTON3,
        WHOLEBODY133,
        OPENPOSE137,
        SKELS50,
        WLASL106,
        SMPLX52,
        SMPLX57,
    )
}
"""The layouts that have a name of their own."""


FEATURES = "features"
"""What layouts of frame features begin with, and the articulator that all their points belong to."""
_FEATURES = re.compile(rf"{FEATURES}-([1-9]\d{{0,5}})")


@lru_cache(maxsize=16)
def features_layout(width: int) -> Layout:
    """The layout of frame features: ``width`` numbers a frame, three to a point (see `data.features`)."""
    points = -(-width // 3)
    name = f"{FEATURES}-{width}"
    return Layout(name, tuple(_named(name, [str(i) for i in range(points)])), (FEATURES,) * points)


def layout_named(name: str) -> Layout:
    """The layout of that name, features-WIDTH among them. Raises UsageError naming the nearest."""
    if found := _FEATURES.fullmatch(name):
        return features_layout(int(found[1]))
    if name not in LAYOUTS:
        raise UsageError(
            f"there is no layout '{name}'{nearest(name, list(LAYOUTS))}; "
            f"the named ones are {', '.join(LAYOUTS)}, and features-1024 or any other width"
        )
    return LAYOUTS[name]


def layout_of(
    components: Sequence[tuple[str, Sequence[str], Sequence[tuple[int, int]]]], depth: Depth
) -> Layout:
    """The layout that a file's header describes: the named one where it is one, else derived.

    components: (component, its points, pairs of its points to draw), in file order.
    depth: what a file can say, which is not whether z is metric.

    Raises ValueError where a component names a point twice.
    """
    keypoints = tuple(f"{name}:{point}" for name, points, _ in components for point in points)
    for known in LAYOUTS.values():
        if known.keypoints == keypoints:
            same = known.depth == depth or (known.depth, depth) == ("metric", "relative")
            return known if same else replace(known, depth=depth)
    if _FEATURES.fullmatch(components[0][0]):
        features = layout_named(components[0][0])
        if features.keypoints == keypoints:
            return features
    edges, first = [], 0
    for _, points, pairs in components:
        edges += [
            (first + i, first + j)
            for i, j in pairs
            if i < len(points) and j < len(points) and i != j
        ]
        first += len(points)
    articulators = [articulator(name) for name, points, _ in components for _ in points]
    family = "holistic" if components[0][0] in ARTICULATOR_OF else "points"
    if components[0][0] == "pose_keypoints_2d":
        family = "openpose"
    return Layout(
        f"{family}{len(keypoints)}", keypoints, tuple(articulators), tuple(edges), depth=depth
    )
