"""The skeleton of an articulator as three matrices for graph convolutions (2s-AGCN, Shi et al. 2019)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from signloom.data.layouts import Layout
from signloom.errors import UsageError


def articulator_edges(layout: Layout, articulator: str) -> list[tuple[int, int]]:
    """The layout's edges within an articulator, as positions among that articulator's keypoints.

    A face has its contours: each ring and chain of the layout, as far as it holds their points [D].
    """
    at = {int(keypoint): i for i, keypoint in enumerate(layout.part(articulator))}
    return [(at[a], at[b]) for a, b in layout.edges if a in at and b in at]


def partitions(
    joints: int, edges: Sequence[tuple[int, int]], root: int | None = None
) -> Float[NDArray[np.float32], "3 joints joints"]:
    """Self, inward and outward: entry (k, v, w) is what joint v gives to joint w [R:AG].

    Self is the identity. Inward, each joint receives from its neighbours nearer the root,
    outward from those farther from it. Columns of the last two sum to 1, or to 0 where a
    joint has no such neighbour.

    Nearness is the number of edges to ``root``. A part that ``root`` is not in, or every
    part where it is None, has its lowest joint as its root. Of two neighbours equally near
    (a ring's far side) the lower one counts as nearer [D].

    Raises UsageError where an edge or the root is not a joint.
    """
    for joint in {v for edge in edges for v in edge} | ({root} if root is not None else set()):
        if not 0 <= joint < joints:
            raise UsageError(
                f"the graph has {joints} joints (0 to {joints - 1}), but an edge or the root names "
                f"joint {joint}; give positions within the articulator"
            )
    hops = _hops(joints, edges, root)
    inward = np.zeros((joints, joints))
    for a, b in edges:
        if a != b:
            near, far = sorted((a, b), key=lambda joint: (hops[joint], joint))
            inward[near, far] = 1
    return np.stack([np.eye(joints), _columns(inward), _columns(inward.T)]).astype(np.float32)


def _hops(joints: int, edges: Sequence[tuple[int, int]], root: int | None) -> list[int]:
    """Edges between each joint and the root of its part."""
    neighbours: list[list[int]] = [[] for _ in range(joints)]
    for a, b in edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    hops = [-1] * joints
    for start in ([] if root is None else [root]) + list(range(joints)):
        if hops[start] >= 0:
            continue
        hops[start] = 0
        queue = deque([start])
        while queue:
            joint = queue.popleft()
            for other in neighbours[joint]:
                if hops[other] < 0:
                    hops[other] = hops[joint] + 1
                    queue.append(other)
    return hops


def _columns(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix with columns that sum to 1, or to 0 where they were empty."""
    return matrix / np.maximum(matrix.sum(axis=0, keepdims=True), 1)
