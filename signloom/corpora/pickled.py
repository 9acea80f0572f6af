"""Pickles that corpora are published as, read without running what they name.

A pickle is a program: it names functions and says with what to call them. Here each name that
arrays are made with stands for a function of ours, and any other is refused before it is
called. numpy's own functions are not called either: they trust what a pickle says of a dtype.
What can come out are numbers, strings, bytes, None, lists, tuples, sets, dicts and arrays of
numbers; a tensor of torch's comes out as an array, and torch is not asked. Tables and sets have plain keys only: to hash deep tuples can end the process. What is
read, unpacked and made from it has a budget (RATIO). The reader's own objects come on top: a byte
of a pickle makes an object of some 200 bytes at most.

For formats that are published in no other form only; everything else that a user brings is
refused a pickle.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import pickle
import re
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MediaError

_GZIP = b"\x1f\x8b"
_NUMBERS = re.compile(r"b1|[fiu][1248]")
_KEYS = frozenset({str, int, float, bool, bytes, type(None)})
"""What may be a key or a member; their hashes call nothing and go no deeper."""
RATIO, FLOOR = 100, 2**24
"""Bytes that may be read, unpacked and made for each byte of a file, and for any file: FLOOR +
RATIO·size. Poses come to 3 (read, turned to bytes, copied to an array) times what gzip saves."""


def read_pickle(path: str | os.PathLike[str]) -> Any:
    """The value in a pickle, packed with gzip or not: built-in types and arrays of numbers.

    Raises MediaError where it names anything else, or is no whole pickle.
    """
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == _GZIP
            budget = _Budget(FLOOR + RATIO * file.seek(0, os.SEEK_END))
            file.seek(0)
            if not packed:
                return _Restricted(file, budget).load()
            with gzip.open(file) as unpacked:
                value = _Restricted(unpacked, budget).load()
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


class _Budget:
    """How many bytes may still be read or made."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, count: int) -> None:
        if count > self.left:
            raise pickle.UnpicklingError(f"its {count} bytes more are more than its size allows")
        self.left -= count


class _Metered:
    """A file that is read within a budget; one that ends within a value is broken."""

    def __init__(self, file: io.BufferedIOBase, budget: _Budget) -> None:
        self._file, self._budget = file, budget

    def read(self, count: int) -> bytes:
        self._budget.take(count)
        found = self._file.read(count)
        if len(found) < count:
            raise EOFError("it ends early")
        return found

    def readline(self) -> bytes:
        line = self._file.readline(self._budget.left + 1)
        self._budget.take(len(line))
        return line


def _call(reader: Any) -> None:
    """Charges for what is on top of the stack, which a call is about to copy."""
    arguments = reader.stack[-1]
    if type(arguments) is not tuple:
        raise pickle.UnpicklingError("a call without a tuple of arguments")
    copied = (each for each in arguments if isinstance(each, (str, bytes, bytearray)))
    reader.budget.take(sum(map(len, copied)))


def _plain(keys: list[Any]) -> None:
    if not all(type(key) in _KEYS for key in keys):
        raise pickle.UnpicklingError("a key that is not plain, expected text or a number")


def _key(reader: Any) -> None:
    _plain(reader.stack[-2:-1])


def _keys(reader: Any) -> None:
    _plain(reader.stack[::2])


def _members(reader: Any) -> None:
    _plain(reader.stack)


def _after(check: Callable[[Any], None], opcode: bytes) -> Callable[[Any], None]:
    step: Callable[[Any], None] = pickle._Unpickler.dispatch[opcode[0]]

    def checked(reader: Any) -> None:
        check(reader)
        step(reader)

    return checked


def _bytearray8(reader: Any) -> None:
    """Reads before it makes room, which the original does the other way round."""
    reader.append(bytearray(reader.read(int.from_bytes(reader.read(8), "little"))))


class _Restricted(pickle._Unpickler):
    """The reader in Python: that in C sizes a table by any number that a pickle names."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **pickle._Unpickler.dispatch,
        pickle.REDUCE[0]: _after(_call, pickle.REDUCE),
        pickle.BUILD[0]: _after(_call, pickle.BUILD),
        pickle.SETITEM[0]: _after(_key, pickle.SETITEM),
        pickle.SETITEMS[0]: _after(_keys, pickle.SETITEMS),
        pickle.DICT[0]: _after(_keys, pickle.DICT),
        pickle.ADDITEMS[0]: _after(_members, pickle.ADDITEMS),
        pickle.FROZENSET[0]: _after(_members, pickle.FROZENSET),
        pickle.BYTEARRAY8[0]: _bytearray8,
    }

    def __init__(self, file: io.BufferedIOBase, budget: _Budget) -> None:
        super().__init__(_Metered(file, budget))
        self.budget = budget

    def _instantiate(self, *arguments: Any) -> None:
        raise pickle.UnpicklingError("it makes an object")

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
    counts = type(shape) is tuple and len(shape) <= 32 and all(type(n) is int for n in shape)
    if not counts or not all(0 <= n < 2**63 for n in shape) or order not in ("C", "F"):
        raise pickle.UnpicklingError("an array without a shape of counts, or in an unknown order")
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
        raise pickle.UnpicklingError("bytes in another encoding, expected latin1")
    return text.encode("latin1")


def _ordered(*arguments: Any) -> dict[Any, Any]:
    """An OrderedDict, which is filled afterwards and comes out as a dict; tensors carry an empty one."""
    if arguments:
        raise pickle.UnpicklingError("an ordered dict that is called with something")
    return {}


_MAGIC, _PROTOCOL, _STORAGE_PARTS = 0x1950A86A20F9469CFC6C, 1001, 5
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
}
"""torch's name of a storage → numpy's of what it holds."""


class _Storage(_Restricted):
    """The small pickles before a storage's numbers, which name nothing but a kind of storage."""

    def find_class(self, module: str, name: str) -> Any:
        if module != "torch" or name not in _STORAGES:
            raise _Refused(f"'{module}.{name}'")
        return _STORAGES[name]

    def persistent_load(self, pid: Any) -> Any:
        return pid


def _storage(raw: Any) -> NDArray[Any]:
    """(numbers,) of a torch storage, as torch.save writes one inside a pickle.

    Magic number, protocol, the machine's sizes, ('storage', kind, key, device, count, None) and
    [key], a pickle each; then the count in 8 bytes, and the numbers.
    """
    if not isinstance(raw, bytes):
        raise pickle.UnpicklingError("a tensor without bytes")
    file = io.BytesIO(raw)
    budget = _Budget(2 * len(raw))
    magic, protocol, machine, said, keys = (
        _Storage(file, budget).load() for _ in range(_STORAGE_PARTS)
    )
    if (magic, protocol) != (_MAGIC, _PROTOCOL) or machine.get("little_endian") is not True:
        raise pickle.UnpicklingError("a tensor in another format, expected torch.save's older one")
    what, kind, key, _, count, view = said
    if kind not in _STORAGES.values():
        raise pickle.UnpicklingError(f"a tensor of {kind!r}")
    numbers = np.frombuffer(raw, np.dtype(kind), offset=file.tell() + 8)
    written = int.from_bytes(file.read(8), "little")
    if (
        what != "storage"
        or keys != [key]
        or view is not None
        or not count == written == len(numbers)
    ):
        raise pickle.UnpicklingError(f"a tensor of {count!r} numbers, and {len(numbers)} are there")
    return numbers


def _tensor(
    storage: Any, first: Any, shape: Any, strides: Any, gradient: Any, hooks: Any
) -> NDArray[Any]:
    """The array that a tensor is, a view of its storage: no number is copied."""
    counts = [first, *shape, *strides]
    if not isinstance(storage, np.ndarray) or storage.ndim != 1 or len(shape) != len(strides):
        raise pickle.UnpicklingError("a tensor without a storage or a shape")
    if not all(type(n) is int and 0 <= n < 2**63 for n in counts) or len(shape) > 32:
        raise pickle.UnpicklingError("a tensor without a shape of counts")
    size = math.prod(shape)
    last = first + sum((n - 1) * step for n, step in zip(shape, strides, strict=True))
    if size and (size > len(storage) or last >= len(storage)):
        raise pickle.UnpicklingError(
            f"a tensor of shape {shape!r} in a storage of {len(storage)} numbers"
        )
    if not size:
        return np.zeros(shape, storage.dtype)
    steps = [step * storage.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(storage[first:], shape, steps, writeable=False)


def _class(*arguments: Any) -> Any:
    raise pickle.UnpicklingError("it calls numpy.ndarray")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _class,
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
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
