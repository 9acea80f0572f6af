"""What goes wrong, brought about: kills, full disks, damaged files, numbers that are none, random input.

Each module is a command that writes a record; docs/reliability.md has them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from signloom.cli.receipt import commit, hardware
from signloom.data.files import writing

ROOT = Path(__file__).parent.parent
WORK = ROOT / "runs" / "faults"
"""Where the commands keep what they work on; git passes over it."""


def keep(record: Mapping[str, Any], out: Path) -> None:
    """Writes a record, with commit and hardware, over an earlier one."""
    body = {"commit": commit(ROOT), "hardware": hardware(), **record}
    with writing(out, overwrite=True) as temporary:
        temporary.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
