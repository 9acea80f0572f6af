"""Codes and the signs they stand for: planted meanings come out, and none where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signloom.errors import UsageError
from signloom.metrics.codes import edit_distances, meaning

CODES = st.lists(st.integers(0, 3), max_size=6)


def plain(one: list[int], other: list[int]) -> float:
    """The edit distance by its definition, in shares of the longer one."""
    rows = np.zeros((len(one) + 1, len(other) + 1), int)
    rows[:, 0], rows[0] = range(len(one) + 1), range(len(other) + 1)
    for i, a in enumerate(one, 1):
        for j, b in enumerate(other, 1):
            change = rows[i - 1, j - 1] + (a != b)
            rows[i, j] = min(change, rows[i - 1, j] + 1, rows[i, j - 1] + 1)
    return float(rows[-1, -1] / max(len(one), len(other), 1))


@given(CODES, CODES)
def test_distances_are_those_of_the_definition(one: list[int], other: list[int]):
    assert edit_distances([one, other])[0, 1] == pytest.approx(plain(one, other), abs=1e-6)


def test_codes_of_several_levels_count_as_one_each():
    assert edit_distances([[(1, 2), (3, 4)], [(1, 2), (3, 5)]])[0, 1] == 0.5


def test_signs_with_codes_of_their_own_are_pure():
    said = [[1, 2, 3], [1, 2, 4], [7, 8, 9], [7, 8, 6], [5, 5, 5]]
    found = meaning(edit_distances(said), ["A", "A", "B", "B", "C"])
    assert (found.occurrences, found.signs, found.purity, found.closer) == (4, 2, 100, 100)
    assert found.chance == 25
    assert (found.same, found.different) == (pytest.approx(1 / 3), 1)


def test_codes_that_say_one_thing_of_all_signs_say_nothing():
    found = meaning(edit_distances([[1, 2]] * 6), ["A", "A", "B", "B", "C", "C"])
    assert found.purity == found.chance == 20
    assert found.closer == 50


def test_codes_of_the_signer_are_not_those_of_the_sign():
    """Two signers, each of whom says everything alike: pure only while a signer is compared with herself."""
    said, signs, signers = [], [], []
    for who in range(3):
        for sign in ("A", "A", "B", "B"):
            said.append([10 * who, 10 * who + (sign == "A")])
            signs.append(sign)
            signers.append(f"{who}")
    assert meaning(edit_distances(said), signs).purity == 100
    across = meaning(edit_distances(said), signs, signers)
    assert across.purity == across.chance == 50


def test_nothing_to_compare_is_said():
    for signs, signers in (
        (["A", "B"], []),
        (["A", "A"], []),
        (["A", "A", "B"], ["x", "x", "y"]),
        ([], []),
    ):
        with pytest.raises(UsageError, match="nothing to compare"):
            meaning(edit_distances([[1]] * len(signs)), signs, signers)
