"""The skeleton's three matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.data.layouts import FACE_CHAINS, FACE_RINGS, HAND_EDGES, LAYOUTS, MP203, PS76
from signloom.encoders.graph import articulator_edges, partitions
from signloom.errors import UsageError


def test_a_star_with_a_tail_from_its_root() -> None:
    own, inward, outward = partitions(4, [(0, 1), (2, 0), (2, 3)], root=0)
    np.testing.assert_array_equal(own, np.eye(4))
    # Column w: what w receives. 1 and 2 hang on 0, 3 on 2; 0 receives from 1 and 2, half each.
    np.testing.assert_array_equal(inward, [[0, 1, 1, 0], [0] * 4, [0, 0, 0, 1], [0] * 4])
    np.testing.assert_array_equal(outward, [[0] * 4, [0.5, 0, 0, 0], [0.5, 0, 0, 0], [0, 0, 1, 0]])


def test_the_root_turns_the_edges_and_a_part_without_it_has_its_lowest_joint() -> None:
    _, inward, _ = partitions(5, [(0, 1), (1, 2), (3, 4)], root=2)
    assert set(zip(*np.nonzero(inward), strict=True)) == {(1, 0), (2, 1), (3, 4)}


def test_two_joints_as_near_as_each_other_point_to_the_lower() -> None:
    _, inward, _ = partitions(3, [(0, 1), (2, 1), (2, 0)])
    np.testing.assert_array_equal(inward, [[0, 1, 0.5], [0, 0, 0.5], [0, 0, 0]])


@given(st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)))
    )
))  # fmt: skip
def test_every_edge_goes_one_way_inward_and_the_other_outward(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    joints, edges = graph
    _, inward, outward = partitions(joints, edges)
    np.testing.assert_array_equal(inward > 0, outward.T > 0)
    linked = {(a, b) for a, b in edges if a != b} | {(b, a) for a, b in edges if a != b}
    assert set(zip(*np.nonzero(inward + outward), strict=True)) == linked
    for matrix in (inward, outward):
        sums = matrix.sum(axis=0)
        assert np.all(np.isclose(sums, 1) | (sums == 0))


def test_edges_of_the_paper_s_articulators() -> None:
    assert articulator_edges(MP203, "left_hand") == list(HAND_EDGES)
    assert articulator_edges(MP203, "right_hand") == list(HAND_EDGES)
    assert len(articulator_edges(MP203, "body")) == 35
    closed = sum(len(ring) for ring in FACE_RINGS)
    assert len(articulator_edges(MP203, "face")) == closed + sum(len(c) - 1 for c in FACE_CHAINS)
    assert len(articulator_edges(PS76, "face")) < 23 + len(FACE_RINGS)


WITH_FINGERS = {name: each for name, each in LAYOUTS.items() if len(each.part("left_hand")) == 21}


@pytest.mark.parametrize("layout", WITH_FINGERS.values(), ids=list(WITH_FINGERS))
def test_hands_are_one_tree_from_the_wrist(layout) -> None:  # type: ignore[no-untyped-def]
    for side in ("left_hand", "right_hand"):
        _, inward, _ = partitions(21, articulator_edges(layout, side))
        receives = (inward > 0).any(axis=0)
        assert not receives[0]
        assert receives[1:].all()


def test_a_joint_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"3 joints \(0 to 2\), but .* joint 3; give positions"):
        partitions(3, [(0, 3)])
    with pytest.raises(UsageError, match="joint 7"):
        partitions(3, [(0, 1)], root=7)
