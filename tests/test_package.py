"""What an import costs, and what a wheel carries."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import signloom

PACKAGE = Path(signloom.__file__).parent
ROOT = PACKAGE.parent
HEAVY = ("torch", "transformers", "numpy", "mediapipe", "av", "sacrebleu", "pyarrow", "ray")


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running ``code``."""
    shown = "\nimport sys; print('|'.join({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code + shown],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return set(done.stdout.splitlines()[-1].split("|"))


def test_import_signloom_imports_next_to_nothing() -> None:
    assert not modules_after("import signloom") & {*HEAVY, "typer", "pydantic", "rich"}


def test_the_help_of_every_verb_imports_nothing_heavy() -> None:
    code = """
import typer
from signloom.cli.main import VERBS, build
for verb in (None, *VERBS):
    arguments = ["--help"] if verb is None else [verb, "--help"]
    typer.main.get_command(build(verb))(args=arguments, standalone_mode=False)
"""
    loaded = modules_after(code)
    assert "signloom" in loaded
    assert not loaded & set(HEAVY)


def test_a_heavy_import_would_be_found() -> None:
    assert "numpy" in modules_after("from signloom import PoseClip")


def test_every_file_beside_the_code_is_package_data() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    setuptools = project["tool"]["setuptools"]
    patterns = setuptools["package-data"]["signloom"]
    carried = {path for pattern in patterns for path in PACKAGE.glob(pattern) if path.is_file()}
    beside = {
        path
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    assert beside == carried
    assert {PACKAGE / "py.typed", PACKAGE / "web" / "report.html"} <= carried
    assert setuptools["packages"]["find"]["include"] == ["signloom*"]


@pytest.mark.parametrize("name", ["model/model.safetensors", "model/README.md", "example/a.pose"])
def test_the_bundled_files_would_be_carried(name: str, tmp_path: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["signloom"]
    planted = tmp_path / "bundled" / name
    planted.parent.mkdir(parents=True)
    planted.touch()
    assert any(planted in tmp_path.glob(pattern) for pattern in patterns)


def test_every_package_is_found_and_the_licence_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    rooms = [folder for folder in PACKAGE.iterdir() if any(folder.glob("*.py"))]
    assert [room.name for room in rooms if not (room / "__init__.py").is_file()] == []
    assert all((ROOT / name).is_file() for name in project["license-files"])
    assert project["version"] == signloom.__version__


def test_no_record_names_a_path_of_one_machine() -> None:
    for path in (ROOT / "results").rglob("*.json"):
        named = re.findall(
            r'"((?:/|[A-Za-z]:\\\\)[^" ]*/[^" ]*)"', path.read_text(encoding="utf-8")
        )
        assert not named, f"{path.name} names {named[0]}"
