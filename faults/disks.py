"""Commands on a disk that is full and in a folder that may only be read: python -m faults.disks.

Each command runs once on an ordinary disk, then into a file system in memory that is full from the
beginning, one that has room for half of its output, and one that is read-only. It must end with an
exit code from 1 to 5 and one line on what is wrong, leave no temporary, and leave under a final name
only what the whole command writes there, or what ``--resume`` goes on from. Commands that know
``--resume`` are then given room and resumed: their output must be that of the run that never stopped.
Mounting wants root, on Linux.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from faults import ROOT, WORK, keep
from faults.kill import differing, digests, make_training, make_videos, start, temporaries

COMMANDS = {
    "simulate": "simulate sentences --size tiny --count 2 --layout ps76 -o {out}",
    "simulate episode": "simulate episode --size tiny --count 1 --layout ps76 -o {out}",
    "stitch": "stitch dog --lexicon sim:tiny -o {out}/a.pose",
    "extract": "extract ../video-0.mp4 -o {out} --jobs 1 --lips",
    "prepare": "prepare manifest ../poses.tsv -o {out}/store",
    "align": "align ../e.pose ../e.vtt -o {out}/e.vtt --report {out}/e.report.json",
    "segment": "segment ../e.pose -o {out}/e.eaf",
    "corpus": "corpus ../e.pose -o {out}/store --min-confidence 0 --layout ps76",
    "vocabulary": "vocabulary ../texts.txt --lexicon sim:tiny --write {out}/texts",
    "language": "language sim:tiny --size tiny --steps 2 --vocabulary 300 -o {out}/model",
    "train": "train ../recipe.yaml -o {out}/run --set training.steps=12",
    "evaluate": "evaluate {root}/signloom/bundled/posestitch sim:tiny --limit 2 -o {out}/scores.json",
    "export": "export ../c -o {out}/onnx",
    "demo": "demo -o {out}/demo",
}
DISKS = ("full", "half", "read-only")
RESUMING = {"train": (), "prepare": (".parts",), "corpus": (".parts", ".episodes")}
"""Commands that know ``--resume``, and the folders beside their output from which they go on."""
TELLING_TIME = (".html", ".json")
"""Endings of files that may tell when they were made, or where."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.disks", description=__doc__)
    parser.add_argument(
        "verbs", nargs="*", metavar="VERB", help=f"only these: {', '.join(COMMANDS)}"
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=ROOT / "results" / "faults" / "disks.json"
    )
    asked = parser.parse_args(arguments)
    home = WORK / "disks"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    make_inputs(home)
    found = json.loads(asked.out.read_text())["verbs"] if asked.out.exists() and asked.verbs else {}
    faults = 0
    for verb in asked.verbs or COMMANDS:
        found[verb] = tried(verb, home)
        faults = sum(len(told["faults"]) for disks in found.values() for told in disks.values())
        keep({"command": "python -m faults.disks", "faults": faults, "verbs": found}, asked.out)
    return 1 if faults else 0


def make_inputs(home: Path) -> None:
    from faults.kinds import KINDS, TEXTS, clip
    from signloom.pose.files import write_pose

    make_videos(home)
    make_training(home)
    KINDS["checkpoint"].make(home)
    (home / "texts.txt").write_text("\n".join(TEXTS * 4) + "\n")
    (home / "poses").mkdir()
    for n in range(3):
        write_pose(clip(40 + n), home / "poses" / f"{n}.pose")
    rows = [f"poses/{n}.pose\t{text}" for n, text in enumerate(TEXTS)]
    (home / "poses.tsv").write_text("\n".join(["path\ttext", *rows]) + "\n")
    for command in (
        "simulate episode --size tiny --count 1 --layout ps76 -o ../e",
        "align ../e.pose ../e.vtt -o ../e.aligned.vtt --report ../e.report.json",
    ):
        code, said = ended(home / "made", command.split())
        assert code == 0, said
        for ending in (".pose", ".vtt"):
            for file in sorted((home / "e").glob(f"*{ending}"))[-1:]:
                shutil.copy(file, home / f"e{ending}")


def tried(verb: str, home: Path) -> dict[str, dict]:
    """What a command does on each disk."""
    name = verb.replace(" ", "-")
    line, whole = COMMANDS[verb], home / "whole" / name
    code, said = ended(
        home / f"{name}-whole", line.format(out=whole, root=ROOT).split(), home / "modules"
    )
    assert code == 0, f"{verb} ended with {code}: {said}"
    for module in (home / "modules").read_text().split():
        importlib.import_module(module)
    expected = digests(whole)
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    told = {}
    for disk in DISKS:
        place = home / f"{name}-{disk}"
        place.mkdir()
        mount(place, {"full": 4096, "half": size // 2}.get(disk, 1 << 26))
        try:
            if disk == "full":
                fill(place)
            if disk == "read-only":
                remount(place, "ro")
            code, said = ended(
                home / f"{name}-log-{disk}", line.format(out=place, root=ROOT).split()
            )
            faults = wrong(verb, code, said, place, expected)
            if verb in RESUMING and disk == "half":
                faults += resumed(name, place, line, home, expected)
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)
        shown = said.strip().split("\n")[-1].replace(str(home), "…")
        told[disk] = {"exit": code, "said": shown[:300], "faults": faults}
        print(f"{verb}, {disk}: exit {code}, {shown}", *faults, sep="\n  ", flush=True)
    return told


def ended(folder: Path, arguments: Sequence[str], modules: Path | None = None) -> tuple[int, str]:
    """The exit code of a command and what it printed."""
    _, status = os.waitpid(start(folder, arguments, modules=modules), 0)
    return os.waitstatus_to_exitcode(status), (folder / "log").read_text()


def wrong(verb: str, code: int, said: str, place: Path, expected: dict[str, str]) -> list[str]:
    found = []
    if not 1 <= code <= 5:
        found.append(f"exit {code}")
    if "Traceback" in said or not said.strip().split("\n")[-1].startswith("signloom: "):
        found.append(f"said: {said.strip()[-200:]}")
    left = {str(path.relative_to(place)) for path in temporaries(place)}
    found += [f"{name} is left" for name in sorted(left)]
    going_on = RESUMING.get(verb, ())
    there = {
        file: digest
        for file, digest in digests(place).items()
        if not any(file.partition("/")[0].endswith(folder) for folder in going_on)
    }
    other = [n for n in there if n != "filling" and there[n] != expected.get(n)]
    names = [n for n in other if n not in expected or not n.endswith(TELLING_TIME)]
    if verb in ("train", "language"):  # which keep a model before their end
        return found + [f"{name} does not open" for name in names if not opens(place / name)]
    return found + [f"{name} is half" for name in names if not left]


def opens(path: Path) -> bool:
    """Whether weights are whole."""
    from safetensors import SafetensorError, safe_open

    if path.suffix != ".safetensors":
        return True
    try:
        with safe_open(path, "np") as file:
            return bool(file.keys())
    except SafetensorError:
        return False


def resumed(name: str, place: Path, line: str, home: Path, expected: dict[str, str]) -> list[str]:
    """A command goes on once there is room, to the very output."""
    remount(place, f"size={1 << 27}")
    code, said = ended(
        home / f"{name}-resumed", [*line.format(out=place, root=ROOT).split(), "--resume"]
    )
    if code:
        return [f"resumed, it ends with {code}: {said[-300:]}"]
    return [f"resumed, {name} is another" for name in differing(digests(place), expected)]


def mount(place: Path, size: int) -> None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    subprocess.run(command, check=True)


def remount(place: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(place)], check=True)


def fill(place: Path) -> None:
    """Writes until there is no byte left."""
    with (place / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


if __name__ == "__main__":
    sys.exit(main())
