"""Arrays of numbers out of an .npz file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signloom.errors import MediaError, one_line


def read_arrays(
    file: Path, names: Sequence[str], what: str, or_not: Sequence[str] = ()
) -> dict[str, NDArray]:
    """The arrays of these names, and those of ``or_not`` that are there.

    Raises MediaError, saying ``what`` was to be read, where one is missing, is damaged or is of
    objects, which would be pickles.
    """
    try:
        with file.open("rb") as raw, np.load(raw, allow_pickle=False) as archive:
            wanted = [*names, *(name for name in or_not if name in archive)]
            return {name: archive[name] for name in wanted}
    except Exception as error:  # zip, zlib and numpy raise whatever the file's bytes lead them to
        raise MediaError(
            f"{file} cannot be read as {what} ({one_line(error)}); expected an .npz"
            + (f" with {', '.join(names)}" if names else "")
        ) from None
