"""The restricted reading of published pickles: arrays come out, nothing else is called."""

from __future__ import annotations

import collections
import gzip
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from signloom.corpora.pickled import read_pickle
from signloom.errors import MediaError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def written(folder: Path, data: bytes) -> Path:
    file = folder / "poses.pkl"
    file.write_bytes(data)
    return file


@given(PLAIN, st.sampled_from([3, 4, 5]))
@settings(max_examples=50)
def test_plain_values_come_back(
    tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int
) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert read_pickle(written(folder, pickle.dumps(value, protocol))) == value


@given(
    arrays.arrays(
        st.sampled_from(["<f2", "<f4", ">f8", "<i8", "|u1", "|b1", ">i2"]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
        elements={"allow_nan": False},
    ),
    st.integers(0, 5),
    st.sampled_from(["C", "F"]),
)
@settings(max_examples=100)
def test_arrays_come_back_from_every_protocol(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, protocol: int, order: Any
) -> None:
    value = {"a": np.array(array, order=order), "again": [array], "one": np.float32(1.5)}
    # Bytes of length 0 are a call of bytes in protocols below 3, which no published file makes.
    assume(protocol > 2 or array.size)
    file = written(tmp_path_factory.getbasetemp(), pickle.dumps(value, protocol))
    found = read_pickle(file)
    for each in (found["a"], found["again"][0]):
        assert each.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found["a"], array)
    np.testing.assert_array_equal(found["again"][0], array)
    assert found["one"] == 1.5


def test_gzip_is_read_and_numpys_older_module_names_too(tmp_path: Path) -> None:
    data = pickle.dumps([np.arange(3)], 2)
    assert b"numpy._core" in data
    older = data.replace(b"numpy._core", b"numpy.core")
    found = read_pickle(written(tmp_path, gzip.compress(older)))
    assert found[0].tolist() == [0, 1, 2]


class Runs:
    """Pickles as a call of ``function``."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def test_a_hostile_pickle_is_refused_by_name_and_nothing_is_called(tmp_path: Path) -> None:
    sign = tmp_path / "it ran"
    for protocol in range(6):
        hostile = {"02_0001": {"keypoints": Runs(os.mkdir, str(sign))}}
        with pytest.raises(MediaError, match=r"asks for '\w+\.mkdir', which was not called"):
            read_pickle(written(tmp_path, pickle.dumps(hostile, protocol)))
    assert not sign.exists()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Runs(eval, "1"), "builtins.eval"),
        (Runs(getattr, "a", "upper"), "builtins.getattr"),
        (Runs(np.load, "file.npy"), "numpy.load"),
        (collections.Counter(a=1), "collections.Counter"),
        (Path("a"), "pathlib"),
        (Runs(np.ndarray, (10**12,), "f8"), "it calls numpy.ndarray"),
        (np.array([{}], object), "an array of 'O8'"),
        (np.zeros(2, [("a", "f4")]), "an array of 'V4'"),
        (np.array(["text"]), "an array of 'U4'"),
    ],
)
def test_anything_but_arrays_of_numbers_is_named(tmp_path: Path, value: Any, named: str) -> None:
    with pytest.raises(MediaError, match="expected") as caught:
        read_pickle(written(tmp_path, pickle.dumps(value, 4)))
    assert named in str(caught.value)


SET_CODE = b"\x80\x02cnumpy\ndtype\n(X\x02\x00\x00\x00f4tR"
"""A dtype on the stack."""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 no pickle",
        pickle.dumps([np.zeros(9)])[:-20],
        gzip.compress(pickle.dumps([np.zeros(9)]), mtime=0)[:-9],
        b"\x80\x02cnumpy\ndtype\n}X\x01\x00\x00\x00aK\x01sb.",  # state set on a function
        SET_CODE + b"(K\x03X\x01\x00\x00\x00<NX\x01\x00\x00\x00a}tb.",  # a dtype with fields
        pickle.dumps(np.zeros(2, "f4"), 2).replace(b"K\x02\x85", b"K\x03\x85"),  # shape and bytes
        b"\x80\x02Pid\n.",  # a persistent id
        b"\x80\x02\x82\x01.",  # an extension code
        b"\x80\x02K\x00r\xff\xff\xff\xff\x8e"
        + b"\xff" * 7
        + b"\x3f.",  # a huge place, a huge length
    ],
)
def test_a_broken_pickle_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MediaError, match=r"poses\.pkl cannot be read as a pickle"):
        read_pickle(written(tmp_path, data))


DEEP = b"N" + b"\x85" * 1_000_000
"""A tuple in a tuple, so deep that its hash overflows the stack."""
SHARED = b"\x80\x04X\x00\x00\x10\x00" + b"a" * 2**20 + b"\x94\x8c\x06latin1\x94"
"""One MiB of text in the memo (0), and an encoding (1)."""


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04}" + DEEP + b"Ns.",  # SETITEM
        b"\x80\x04}(" + DEEP + b"Nu.",  # SETITEMS
        b"(" + DEEP + b"Nd.",  # DICT
        b"\x80\x04\x8f(" + DEEP + b"\x90.",  # ADDITEMS
        b"\x80\x04(" + DEEP + b"\x91.",  # FROZENSET
        b"\x80\x05\x96" + (2**32).to_bytes(8, "little") + b".",  # BYTEARRAY8
        b"\x80\x05\x8e" + (2**32).to_bytes(8, "little") + b".",  # BINBYTES8
        SHARED + b"(" + b"c_codecs\nencode\nh\x00h\x01\x86R" * 10_000 + b"l.",  # REDUCE
        b"\x80\x04C\x00\x94B\x00\x00\x10\x00" + b"a" * 2**20 + b"\x94("
        + b"cnumpy.core.multiarray\n_reconstruct\n)R"
        + b"(K\x01J\x00\x00\x10\x00\x85cnumpy\ndtype\n\x8c\x02u1\x85R\x89h\x01tb" * 10_000
        + b"l.",  # BUILD
        gzip.compress(b"(" + (b"B\x00\x00\x10\x00" + b"a" * 2**20) * 64 + b"l.", mtime=0),
        gzip.compress(b"I" + b"1" * 2**26, mtime=0),  # a line
    ],
)  # fmt: skip
def test_a_hostile_pickle_ends_neither_the_process_nor_its_memory(
    tmp_path: Path, data: bytes
) -> None:
    """In a process of its own, which may take 2 GiB: a crash there is a failure here."""
    script = """
import resource, sys
from signloom.corpora.pickled import read_pickle
from signloom.errors import MediaError
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
try:
    read_pickle(sys.argv[1])
except MediaError as error:
    sys.exit(f"refused: {error}")
"""
    file = written(tmp_path, data)
    ran = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1, ran.stderr[-500:]
    assert "refused: " in ran.stderr
    assert "MemoryError" not in ran.stderr
    assert "key that is not plain" in ran.stderr or "more than its size allows" in ran.stderr


def test_a_large_archive_of_poses_is_within_the_budget(tmp_path: Path) -> None:
    """Noise in every protocol's way, and keys of all plain types."""
    poses = np.random.default_rng(0).standard_normal(2**22).astype("f4")
    keyed = {"a": 1, 2: {3, "b", None}, b"c": frozenset({0.5, True}), None: poses}
    for value, protocol in (({None: poses}, 2), (keyed, 4), (keyed, 5)):
        found = read_pickle(written(tmp_path, pickle.dumps(value, protocol)))
        np.testing.assert_array_equal(found[None], poses)
        assert {**found, None: 0} == {**value, None: 0}


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(1, 30))
@settings(max_examples=200)
def test_no_damage_raises_anything_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, length: int
) -> None:
    good = pickle.dumps({"a": {"keypoints": np.zeros((2, 3), np.float32)}}, 4)
    file = written(tmp_path_factory.getbasetemp(), good[:at] + noise + good[at + length :])
    with suppress(MediaError):
        read_pickle(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"none\.pkl"):
        read_pickle(tmp_path / "none.pkl")
