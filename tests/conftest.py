"""What tests share: the real recordings, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# One thread a test process: make test runs one a core, and more would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent
DATA = Path(os.environ.get("SIGNLOOM_DATA", HERE.parent.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real recordings at {DATA}; set SIGNLOOM_DATA to their folder")
    return DATA
