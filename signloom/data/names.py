"""The names of keypoints: MediaPipe's own, and what other estimators call the same points.

A canonical name is the MediaPipe Holistic one ("POSE_LANDMARKS:NOSE"), or, for a
point that Holistic lacks, a name of ours in the same component
("POSE_LANDMARKS:LEFT_SMALL_TOE"). OpenPose, COCO-WholeBody and AlphaPose names
are those that pose-format writes.
"""

from __future__ import annotations

from functools import cache

BODY, FACE, LEFT, RIGHT, WORLD = (
    "POSE_LANDMARKS",
    "FACE_LANDMARKS",
    "LEFT_HAND_LANDMARKS",
    "RIGHT_HAND_LANDMARKS",
    "POSE_WORLD_LANDMARKS",
)

BODY_POINTS = (
    "NOSE LEFT_EYE_INNER LEFT_EYE LEFT_EYE_OUTER RIGHT_EYE_INNER RIGHT_EYE RIGHT_EYE_OUTER "
    "LEFT_EAR RIGHT_EAR MOUTH_LEFT MOUTH_RIGHT LEFT_SHOULDER RIGHT_SHOULDER LEFT_ELBOW "
    "RIGHT_ELBOW LEFT_WRIST RIGHT_WRIST LEFT_PINKY RIGHT_PINKY LEFT_INDEX RIGHT_INDEX "
    "LEFT_THUMB RIGHT_THUMB LEFT_HIP RIGHT_HIP LEFT_KNEE RIGHT_KNEE LEFT_ANKLE RIGHT_ANKLE "
    "LEFT_HEEL RIGHT_HEEL LEFT_FOOT_INDEX RIGHT_FOOT_INDEX"
).split()
HAND_POINTS = ["WRIST"] + [
    f"{finger}_{joint}"
    for finger, joints in (
        ("THUMB", ("CMC", "MCP", "IP", "TIP")),
        ("INDEX_FINGER", ("MCP", "PIP", "DIP", "TIP")),
        ("MIDDLE_FINGER", ("MCP", "PIP", "DIP", "TIP")),
        ("RING_FINGER", ("MCP", "PIP", "DIP", "TIP")),
        ("PINKY", ("MCP", "PIP", "DIP", "TIP")),
    )
    for joint in joints
]
FACE_POINTS = [str(i) for i in range(468)]

ARTICULATOR_OF = {
    BODY: "body",
    FACE: "face",
    LEFT: "left_hand",
    RIGHT: "right_hand",
    WORLD: "world",
}

COCO_BODY = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow "
    "right_elbow left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle "
    "right_ankle left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel"
).split()
"""COCO-WholeBody: 17 body points, then 6 of the feet."""

OPENPOSE_BODY = (
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip "
    "LKnee LAnkle REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel"
).split()
OPENPOSE_HAND = (
    "BASE T_STT T_BCMC T_MCP T_IP I_CMC I_MCP I_PIP I_DIP M_CMC M_MCP M_PIP M_DIP "
    "R_CMC R_MCP R_PIP R_DIP P_CMC P_MCP P_PIP P_DIP"
).split()

FACE68_TO_MESH = (
    127, 234, 132, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 361, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows, right to left
    168, 197, 5, 4, 98, 97, 2, 326, 327,  # bridge, then under the nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91,  # outer lips
    78, 81, 13, 311, 308, 402, 14, 178,  # inner lips
)  # fmt: skip
"""The Face Mesh point nearest to each of the 68 points of iBUG (OpenPose and COCO-WholeBody faces).

Both run from the signer's right (image left) to the left. Jaw points are the
nearest of the mesh's oval, so they lie on the outline at about the same height.
"""

_FACE68_PREFIXES = (
    ("FB", 0, 17), ("FEB", 17, 27), ("FN", 27, 36), ("FE", 36, 48), ("FLO", 48, 60), ("FLI", 60, 68),
    ("FP", 68, 70),
)  # fmt: skip
OPENPOSE_FACE = [
    f"{prefix}_{i}" for prefix, first, last in _FACE68_PREFIXES for i in range(first, last)
]
"""OpenPose's face: the 68 points of iBUG and two pupils."""

# Points of the mesh on the middle of the face. The others are numbered so that the
# k-th of the right side (below 248) mirrors onto 248 + k.
_MESH_MIDDLE = frozenset(
    {0, 1, 2, 4, 5, 6, *range(8, 20), 94, 151, 152, 164, 168, 175, 195, 197, 199, 200}
)
_IRIS_PAIRS = ((468, 473), (469, 476), (470, 475), (471, 474), (472, 477))


def canonical(name: str) -> str:
    """The canonical name of a keypoint; a name that is not known stands for itself."""
    return _canonical_names().get(name, name)


@cache
def _canonical_names() -> dict[str, str]:
    found: dict[str, str] = {}
    coco_body = {point: _coco(point) for point in COCO_BODY}
    coco_face = {f"face-{i}": str(mesh) for i, mesh in enumerate(FACE68_TO_MESH)}
    coco_face |= {f"face_{i}": str(mesh) for i, mesh in enumerate(FACE68_TO_MESH)}
    coco_hand = {f"hand_{i}": point for i, point in enumerate(HAND_POINTS)}
    openpose_body = {point: _openpose(point) for point in OPENPOSE_BODY}
    openpose_face = dict(zip(OPENPOSE_FACE, [*map(str, FACE68_TO_MESH), "468", "473"], strict=True))
    openpose_hand = dict(zip(OPENPOSE_HAND, HAND_POINTS, strict=True))
    for component, target, points in (
        *((f"BODY{model}", BODY, coco_body) for model in ("", "_133", "_136")),
        *((f"FACE{model}", FACE, coco_face) for model in ("", "_133", "_136")),
        *((f"LEFT_HAND{model}", LEFT, coco_hand) for model in ("", "_133", "_136")),
        *((f"RIGHT_HAND{model}", RIGHT, coco_hand) for model in ("", "_133", "_136")),
        ("pose_keypoints_2d", BODY, openpose_body),
        ("face_keypoints_2d", FACE, openpose_face),
        ("hand_left_keypoints_2d", LEFT, openpose_hand),
        ("hand_right_keypoints_2d", RIGHT, openpose_hand),
    ):
        found |= {f"{component}:{point}": f"{target}:{same}" for point, same in points.items()}
    return found


def _coco(point: str) -> str:
    return point.upper().replace("BIG_TOE", "FOOT_INDEX")


def _openpose(point: str) -> str:
    if point in ("Nose", "Neck", "MidHip"):
        return {"MidHip": "MID_HIP"}.get(point, point.upper())
    side = "LEFT" if point[0] == "L" else "RIGHT"
    part = {"BigToe": "FOOT_INDEX", "SmallToe": "SMALL_TOE"}.get(point[1:], point[1:].upper())
    return f"{side}_{part}"


def articulator(component: str) -> str:
    """'body', 'face', 'left_hand', 'right_hand' or 'world' for a known component, else its own name."""
    return _articulators().get(component, component.lower())


@cache
def _articulators() -> dict[str, str]:
    return ARTICULATOR_OF | {
        name.partition(":")[0]: ARTICULATOR_OF[same.partition(":")[0]]
        for name, same in _canonical_names().items()
    }


def twin(name: str) -> str:
    """The canonical name of a keypoint's mirror image: left and right swapped."""
    component, _, point = canonical(name).partition(":")
    if component == FACE and point.isdigit():
        return f"{component}:{mesh_mirror().get(int(point), int(point))}"
    swap = {"LEFT": "RIGHT", "RIGHT": "LEFT", "left": "right", "right": "left"}
    words = [
        "_".join(swap.get(word, word) for word in part.split("_")) for part in (component, point)
    ]
    return ":".join(words) if point else words[0]


@cache
def mesh_mirror() -> dict[int, int]:
    """Face Mesh point → its mirror image, for all 478 points (10 of them the irises)."""
    right = [i for i in range(248) if i not in _MESH_MIDDLE]
    pairs = [(point, 248 + k) for k, point in enumerate(right)] + list(_IRIS_PAIRS)
    pairs += [(i, i) for i in _MESH_MIDDLE]
    return dict(pairs) | {b: a for a, b in pairs}
