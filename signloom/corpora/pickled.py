"""Pickles that corpora are published as, read without running what they name.

A pickle is a program: it names functions and says with what to call them. Here each name that
arrays are made with stands for a function of ours, and any other is refused before it is
called. numpy's own functions are not called either: they trust what a pickle says of a dtype.
What can come out are numbers, strings, bytes, None, lists, tuples, sets, dicts and arrays of
numbers. A hostile file can still ask for more memory than there is.

For formats that are published in no other form only; everything else that a user brings is
refused a pickle.
"""

from __future__ import annotations

import gzip
import math
import os
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MediaError

_GZIP = b"\x1f\x8b"
_NUMBERS = re.compile(r"b1|[fiu][1248]")


def read_pickle(path: str | os.PathLike[str]) -> Any:
    """The value in a pickle, packed with gzip or not: built-in types and arrays of numbers.

    Raises MediaError where it names anything else, or is no whole pickle.
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                return _Restricted(file).load()
            with gzip.open(file) as unpacked:
                value = _Restricted(unpacked).load()
                unpacked.read(1)  # at the end of the file its checksum is compared
                return value
    except _Refused as refused:
        raise MediaError(
            f"{path} asks for {refused}, which was not called; expected a pickle of numbers, "
            "text, lists, dicts and arrays; get the file from the corpus's own page"
        ) from None
    except (Exception, MemoryError) as error:  # hostile bytes raise all sorts
        raise MediaError(
            f"{path} cannot be read as a pickle ({type(error).__name__}: {str(error)[:200]}); "
            "expected numbers, text, lists, dicts and arrays; copy the file again"
        ) from None


class _Refused(pickle.UnpicklingError):
    """A name that no stand-in is for."""


class _Restricted(pickle._Unpickler):
    """The reader in Python: that in C sizes a table by any number that a pickle names."""

    def find_class(self, module: str, name: str) -> Any:
        stand_in = _STAND_INS.get((module, name))
        if stand_in is None:
            raise _Refused(f"'{module}.{name}'")
        return _Named(stand_in)


class _Named:
    """A function as a pickle gets it: to be called, with no attribute that it could set."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it changes a function")


class _Dtype:
    """A dtype of plain numbers."""

    __slots__ = ("dtype",)

    def __init__(self, code: str, *flags: Any) -> None:
        if not _NUMBERS.fullmatch(code):
            raise pickle.UnpicklingError(f"an array of '{code}', expected numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order, *structure = state[1:5]
        if structure != [None, None, None] or order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError("an array of records, expected numbers")
        if order in "<>":
            self.dtype = self.dtype.newbyteorder(order)


class _Array(np.ndarray):
    """An array that takes its content when the pickle states it, after a look at what it says."""

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, columns_first, raw = state
        filled = _filled(raw, kind, shape, "F" if columns_first else "C")
        plain: Any = (1, filled.shape, filled.dtype, False, filled.tobytes())
        super().__setstate__(plain)


def _filled(raw: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    if not isinstance(kind, _Dtype) or not isinstance(raw, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array without a dtype or bytes")
    if not all(type(n) is int and n >= 0 for n in shape) or order not in ("C", "F"):
        raise pickle.UnpicklingError(f"an array of shape {shape!r} and order {order!r}")
    if math.prod(shape) * kind.dtype.itemsize != len(raw):
        raise pickle.UnpicklingError(f"an array of shape {shape!r} in {len(raw)} bytes")
    return np.frombuffer(raw, kind.dtype).reshape(shape, order=order)


def _reconstruct(*arguments: Any) -> _Array:
    return np.ndarray.__new__(_Array, (0,), np.uint8)


def _from_buffer(raw: Any, kind: Any, shape: Any, order: Any) -> NDArray[Any]:
    return _filled(raw, kind, shape, order).copy()


def _scalar(kind: Any, raw: Any) -> Any:
    return _filled(raw, kind, (), "C").item()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding!r}, expected latin1")
    return text.encode("latin1")


def _class(*arguments: Any) -> Any:
    raise pickle.UnpicklingError("it calls numpy.ndarray")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _class,
    ("_codecs", "encode"): _encode,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}
"""(module, name) → what is called in its place."""
