"""Results kept by content: made once, told apart, and no more than there is room for."""

from __future__ import annotations

import pickle

import numpy as np

from signloom.data.kept import Kept, content


def test_what_is_kept_is_made_once_until_there_is_no_room() -> None:
    made: list[int] = []

    def make(n: int) -> tuple[np.ndarray, np.ndarray]:
        made.append(n)
        return np.full(10, n, np.int32), np.zeros(2, np.int32)

    kept: Kept[tuple[np.ndarray, np.ndarray]] = Kept(100)  # two of 48 bytes
    for n in (0, 1, 2, 0, 1, 2):
        found = kept.of(content(str(n)), lambda n=n: make(n))
        assert found[0].tolist() == [n] * 10
    assert made == [0, 1, 2, 2]
    assert len(kept) == 2
    assert len(pickle.loads(pickle.dumps(kept))) == 2


def test_contents_that_differ_in_anything_have_other_keys() -> None:
    a = np.arange(6, dtype=np.float32)
    others = [
        (a,), (a.reshape(2, 3),), (a.astype(np.float64),), (a.view(np.int32),), (a, "x"), ("x", a),
        (a + 1,), (a[:3], a[3:]), (a[:2], a[2:]), ("a", "bc"), ("ab", "c"),
    ]  # fmt: skip
    assert len({content(*parts) for parts in others}) == len(others)
    assert content(a) == content(a.copy())
