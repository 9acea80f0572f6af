"""Data flows one way: an import only ever points up the house (ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from pathlib import Path

import signloom

ROOT = Path(signloom.__file__).parent
STEPS = {
    "errors": 0,
    "data": 1,
    "pose": 2,
    "text": 2,
    "metrics": 2,
    "corpora": 3,
    "extract": 3,
    "simulator": 3,
    "stitch": 3,
    "encoders": 4,
    "bridges": 4,
    "language": 4,
    "training": 5,
    "inference": 5,
    "methods": 6,
    "claims": 7,
    "web": 7,
    "cli": 8,
}


def imports_of(path: Path) -> list[tuple[int, str]]:
    """(line, dotted name) of every import of signloom in a file, wherever it stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            found += [(node.lineno, node.module or "")]
    return [(line, name) for line, name in found if name.split(".")[0] == "signloom"]


def test_imports_point_up_the_house() -> None:
    wrong = []
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in STEPS, f"{path} stands in no room of the house; see ARCHITECTURE.md"
        for line, name in imports_of(path):
            parts = name.split(".")
            other = parts[1] if len(parts) > 1 else "errors"
            same_room = other == room
            if not same_room and STEPS[other] >= STEPS[room]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "imports that point back:\n" + "\n".join(wrong)
