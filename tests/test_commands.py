"""What README, docs and recipes tell a user to type is right: parsed everywhere, run where it can be."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

import signloom
from signloom.cli.main import VERBS, build

PACKAGE = Path(signloom.__file__).parent
ROOT = PACKAGE.parent
RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "recipes" / "README.md",
]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|[\s/])signloom(?:\.cli\.main)? +([a-z-].*)")
OWN_DATA = re.compile(r"SIGNLOOM_DATA|my_video|runs/|^make ", re.MULTILINE)


def logical_lines(text: str) -> list[str]:
    """Lines as a shell sees them: joined at backslashes, cut at &&, optional [--parts] given."""
    joined = re.sub(r"\\\n\s*", " ", text)
    return [re.sub(r"\[(-[^]]*)\]", r"\1", part) for part in re.split(r"\n|&&", joined)]


def blocks(page: Path, language: str = "") -> list[str]:
    """The fenced blocks of a page in a language; those without one are the shell's."""
    return [body for _, lang, body in FENCE.findall(page.read_text()) if lang == language]


def commands_of(lines: list[str]) -> Iterator[tuple[str, ...]]:
    """The arguments of each signloom command, without the program's name."""
    for line in lines:
        if found := COMMAND.search(line):
            yield tuple(shlex.split(found[1], comments=True))


def written_out() -> list[tuple[str, tuple[str, ...]]]:
    """(file, arguments) of every whole command: fenced blocks, recipes' comments, Makefile."""
    found = [
        (p, command) for p in PAGES for b in blocks(p) for command in commands_of(logical_lines(b))
    ]
    for path in RECIPES:
        found += [(path, command) for command in commands_of(comments_of(path))]
    makefile = (ROOT / "Makefile").read_text()
    recipe_lines = [line for line in logical_lines(makefile) if line.startswith("\t")]
    found += [(ROOT / "Makefile", command) for command in commands_of(recipe_lines)]
    return [(str(path.relative_to(ROOT)), command) for path, command in found]


def mentioned() -> list[tuple[str, tuple[str, ...]]]:
    """(file, arguments) of every command in the running text, which may be cut short."""
    return [
        (str(page.relative_to(ROOT)), tuple(shlex.split(code)))
        for page in PAGES
        for code in re.findall(r"`signloom\s+([^`]+)`", FENCE.sub("", page.read_text()))
    ]


def comments_of(recipe: Path) -> list[str]:
    return [line.lstrip("#") for line in recipe.read_text().splitlines() if line.startswith("#")]


@cache
def command_for(verb: str | None) -> Any:
    """The program with one verb's module imported and nothing behind its commands."""
    program = typer.main.get_command(build(verb))

    def empty(command: Any) -> None:
        for below in getattr(command, "commands", {}).values():
            below.callback = None
            empty(below)

    empty(program)
    return program


def verb_of(arguments: tuple[str, ...]) -> str | None:
    return next((a for a in arguments if not a.startswith("-")), None)


def fault_of(arguments: tuple[str, ...]) -> str | None:
    """What the command line has against these arguments."""
    try:
        command_for(verb_of(arguments))(args=list(arguments), standalone_mode=False)
    except Exception as error:  # typer's own exceptions are not public
        return error.format_message() if hasattr(error, "format_message") else repr(error)
    return None


def unknown_in(arguments: tuple[str, ...]) -> list[str]:
    """The verb, subcommand and options among the arguments that the command line does not have."""
    command, rest, unknown = command_for(verb_of(arguments)), list(arguments), []
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name not in command.commands:
            return [name]
        command = command.commands[name]
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
    unknown += [a for a in rest if re.match(r"--?[a-z]", a) and a.split("=")[0] not in known]
    return unknown


def test_every_command_written_out_parses() -> None:
    commands = written_out()
    assert len(commands) > 25, "the commands of README and docs are no longer found"
    wrong = [
        f"{file}: signloom {shlex.join(command)}: {fault}"
        for file, command in commands
        if "…" not in command and (fault := fault_of(command))
    ]
    wrong += [f"{file}: {u}" for file, c in commands if "…" in c for u in unknown_in(c)]
    assert not wrong, "\n".join(wrong)


def test_every_command_in_the_text_exists() -> None:
    wrong = [
        f"{file}: `signloom {shlex.join(command)}`: no {unknown}"
        for file, command in mentioned()
        for unknown in unknown_in(command)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("translte a.pose", "translte"),
        ("translate a.pose --beams 3", "--beams"),
        ("prepare wlasl2 -o x", "wlasl2"),
        ("prepare sim-words-v1 --size huge -o x", "huge"),
        ("extract my_video.mp4", "out"),
    ],
)
def test_a_wrong_command_would_be_found(line: str, fault: str) -> None:
    (command,) = commands_of(logical_lines(f"signloom {line}   # a comment"))
    assert fault in str(fault_of(command))


def test_a_wrong_option_would_be_found_in_a_command_cut_short() -> None:
    assert unknown_in(("train", "…", "--set", "a=1", "--stes=2")) == ["--stes=2"]
    assert unknown_in(("prepare", "sim-words-v2", "…")) == ["sim-words-v2"]


def test_the_table_of_commands_holds_every_verb() -> None:
    rows = re.findall(r"^\| (`[a-z`, ]+`) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    told = {verb for row in rows for verb in re.findall(r"`([a-z]+)`", row)}
    assert told == set(VERBS)


def test_layouts_recipes_modules_and_pages_that_are_named_exist() -> None:
    from signloom.data.layouts import LAYOUTS

    wrong = []
    for file, command in written_out():
        layouts = [command[i + 1] for i, word in enumerate(command) if word == "--layout"]
        wrong += [f"{file}: layout {name}" for name in layouts if name not in LAYOUTS]
        recipes = [word for word in command if word.startswith("recipes/")]
        wrong += [f"{file}: {name}" for name in recipes if not (ROOT / name).is_file()]
    for page in PAGES:
        text = page.read_text()
        for module in re.findall(r"python -m ((?:benchmarks|faults)[\w.]*)", text):
            if importlib.util.find_spec(module) is None:
                wrong.append(f"{page.name}: module {module}")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            if not (page.parent / link).exists():
                wrong.append(f"{page.name}: link to {link}")
    assert not wrong, "\n".join(wrong)


# --- recipes ---------------------------------------------------------------------------------


def stores_of(value: Any) -> Iterator[str]:
    """The stores that a recipe's data reads; ``sim:…`` is none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("store", "stitched", "texts_of") and isinstance(inner, str):
                yield from [] if inner.startswith("sim:") else [inner.partition(":")[0]]
            else:
                yield from stores_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from stores_of(inner)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_valid_and_tells_how_to_get_its_data(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signloom.methods.recipe import read_recipe
    from signloom.methods.sources import located

    text, comments = path.read_text(), "\n".join(comments_of(path))
    for variable in set(re.findall(r"\$\{(\w+)\}", text)):
        assert variable in comments, f"{path.name} does not say what {variable} is"
        monkeypatch.setenv(variable, "/dummy")
    recipe = read_recipe(path)
    assert recipe.name == path.stem
    assert recipe.data.train != recipe.data.dev
    written = {
        os.path.expandvars(command[command.index("-o") + 1])
        for command in commands_of(comments_of(path))
        if command[0] == "prepare" or command[:2] == ("tokens", "encode")
    }
    read = {located(store) for store in stores_of(recipe.resolved()["data"])}
    assert read == written, f"{path.name}: the stores it reads, and those its comment writes"


# --- run as written --------------------------------------------------------------------------

OFFLINE = [block for block in blocks(ROOT / "README.md") if not OWN_DATA.search(block)]
LINES = [
    "signloom --help",
    *(line for block in OFFLINE for line in logical_lines(block) if line.strip()),
    "signloom demo",
]


def needs_bundled(line: str) -> bool:
    return bool(re.search(r"signloom (translate|recognize|demo)", line)) and "--model" not in line


@pytest.fixture(scope="module")
def bundled() -> Path:
    """The model and example that come with signloom; skips in a copy without them."""
    folder = PACKAGE / "bundled"
    for name in ("model", "recogniser", "example"):
        if not (folder / name).is_dir():
            pytest.skip(f"this copy has no signloom/bundled/{name}; see CONTRIBUTING.md")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands for a fresh clone: the package is in it, and whatever a command writes."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "signloom").symlink_to(PACKAGE)
    return folder


def ran(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line of the shell in ``folder``, with this interpreter's signloom and no network."""
    commands = Path(sys.executable).parent
    assert (commands / "signloom").exists(), (
        f"no signloom beside {sys.executable}: pip install -e ."
    )
    environment = os.environ | {
        "PATH": f"{commands}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        ["sh", "-e", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def outcomes(folder: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """README's lines, run in their order; those that need the model only where it is."""
    whole = all(
        (PACKAGE / "bundled" / name).is_dir() for name in ("model", "recogniser", "example")
    )
    return {line: ran(line, folder) for line in LINES if whole or not needs_bundled(line)}


def starting(
    outcomes: dict[str, subprocess.CompletedProcess[str]], words: str
) -> subprocess.CompletedProcess[str]:
    return next(done for line, done in outcomes.items() if line.startswith(words))


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_readme_runs(
    line: str,
    outcomes: dict[str, subprocess.CompletedProcess[str]],
    request: pytest.FixtureRequest,
) -> None:
    if needs_bundled(line):
        request.getfixturevalue("bundled")
    done = outcomes[line]
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
    assert "Warning" not in done.stderr


def test_the_first_two_examples_are_whole() -> None:
    verbs = [line.split()[1] for line in LINES]
    aligned = ["simulate", "align", "score", "align", "segment", "corpus"]
    assert verbs == [
        "--help",
        *aligned,
        "simulate",
        "translate",
        "info",
        "simulate",
        "recognize",
        "demo",
    ]


def test_what_the_lines_print(
    outcomes: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    listed = starting(outcomes, "signloom --help").stdout
    assert [verb for verb in VERBS if verb not in listed] == []
    written = starting(outcomes, "signloom simulate sentences").stdout.splitlines()
    assert len(written) == 3
    for line in written:
        pose, text = line.split("\t")
        told = json.loads((folder / pose).with_suffix(".json").read_text())
        assert (folder / pose).is_file()
        assert told["text"] == text
        assert told["simulated"] is True
    assert "simulated" in starting(outcomes, "signloom info").stdout


def test_the_bundled_model_translates(
    bundled: Path, outcomes: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    found = json.loads(starting(outcomes, "signloom translate").stdout)
    assert [e["input"] for e in found] == sorted(
        str(path.relative_to(folder)) for path in folder.glob("sentences/*.pose")
    )
    assert all(e["text"].strip() and e["model"] == "bundled" and e["simulated"] for e in found)


def test_the_demo_shows_every_example(
    bundled: Path, outcomes: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    printed = starting(outcomes, "signloom demo").stdout
    report = (folder / "demo" / "report.html").read_text()
    known = sorted((bundled / "example").glob("*.json"))
    assert known
    for path in known:
        assert json.loads(path.read_text())["text"] in printed
    assert "not a sign language" in printed
    assert not re.search(r"(src|href)\s*=\s*[\"']https?:", report)


def test_the_python_of_the_readme_says_what_the_command_says(
    bundled: Path, outcomes: dict[str, subprocess.CompletedProcess[str]], folder: Path
) -> None:
    (snippet,) = blocks(ROOT / "README.md", "python")
    (folder / "snippet.py").write_text(snippet)
    done = ran("python snippet.py", folder)
    assert done.returncode == 0, done.stderr
    first = json.loads(starting(outcomes, "signloom translate").stdout)[0]
    assert done.stdout.strip() == first["text"]
