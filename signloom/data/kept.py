"""Results that are kept by what they were made of, so that the next epoch does not make them again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

T = TypeVar("T", bound=tuple[Any, ...])


class Kept(Generic[T]):
    """Results, each some arrays or tensors, until ``most`` bytes of them are there; what comes later is
    made each time."""

    def __init__(self, most: int):
        self._left = most
        self._results: dict[bytes, T] = {}

    def __len__(self) -> int:
        return len(self._results)

    def of(self, key: bytes, make: Callable[[], T]) -> T:
        """What was kept under the key (`content`), or is made now."""
        if key in self._results:
            return self._results[key]
        found = make()
        self._left -= sum(part.nbytes for part in found)
        if self._left >= 0:
            self._results[key] = found
        return found


def content(*parts: NDArray | str) -> bytes:
    """20 bytes that tell arrays and words from all others; by SHA-1, as nobody chooses what is kept."""
    digest = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        said = part if isinstance(part, str) else f"{part.dtype}{part.shape}"
        digest.update(f"{len(said)} {said}".encode())
        if not isinstance(part, str):
            digest.update(part.tobytes())
    return digest.digest()
