"""A command killed by SIGKILL at random moments and begun again: python -m faults.kill VERB [--times 40].

VERB is train, extract, prepare or serve. The command is the real one, with its arguments, in a
process forked from this one, which has the modules that it needs (else most kills would meet
imports); what it starts itself is left to end by itself. A moment is drawn from the time that the
whole command takes. After every kill whatever lies under a final name must load, and for prepare
and extract be what the command writes; processes must be gone. A command that was not killed before
its end must have written, bit for bit, what the one wrote that was never killed, and nothing else;
then a new series begins.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import importlib
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path

from faults import ROOT, WORK, keep
from faults.requests import BOUNDARY, multipart

MARK = "SIGNLOOM_FAULTS"
"""An environment variable by which the processes of a killed command are found."""
PATIENCE = 20.0
"""Seconds that the processes of a killed command may take to end."""

Digests = dict[str, str]


@dataclass(frozen=True)
class Verb:
    """A command to kill.

    make: writes its inputs into a folder. arguments: of the command, run in that folder, first and
    again. begin: what is there before it begins. faults: what is wrong in the folder after a kill;
    given what the folder holds after a run that was not killed.
    """

    make: Callable[[Path], None]
    first: tuple[str, ...]
    again: tuple[str, ...]
    faults: Callable[[Path, Digests], list[str]]
    begin: Callable[[Path], None] = lambda folder: None


@dataclass
class Counted:
    """What a series of kills came to."""

    kills: int = 0
    whole: int = 0
    """Runs that came to their end, and were compared."""
    with_leftovers: int = 0
    """Kills that left temporaries, which were gone at the end."""
    moments: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.kill", description=__doc__)
    parser.add_argument("verb", choices=[*VERBS, "serve"])
    parser.add_argument("--times", type=int, default=40, help="Kills.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, help="results/faults/kill-VERB.json")
    asked = parser.parse_args(arguments)
    home = WORK / "kill" / asked.verb
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    rng = random.Random(asked.seed)
    began = time.monotonic()
    if asked.verb == "serve":
        seconds, counted = kill_server(home, asked.times, rng)
    else:
        seconds, counted = kill(VERBS[asked.verb], home, asked.times, rng)
    thirds = [sum(int(m * 3) == k for m in counted.moments) for k in range(3)]
    record = {
        "verb": asked.verb,
        "command": f"python -m faults.kill {asked.verb} --times {asked.times} --seed {asked.seed}",
        "seed": asked.seed,
        "seconds_whole": round(seconds, 2),
        "kills": counted.kills,
        "kills_by_third": thirds,
        "left_temporaries": counted.with_leftovers,
        "runs_to_the_end": counted.whole,
        "faults": counted.faults,
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    keep(record, asked.out or ROOT / "results" / "faults" / f"kill-{asked.verb}.json")
    print(json.dumps(record, indent=1))
    return 1 if counted.faults else 0


def kill(verb: Verb, home: Path, times: int, rng: random.Random) -> tuple[float, Counted]:
    """Seconds of the whole command, and what ``times`` kills came to."""
    verb.make(home)
    modules = home / "modules"
    finish(start(home / "cold", verb.first, verb.begin, modules), home / "cold")
    for name in modules.read_text().split():
        importlib.import_module(name)
    clock = time.monotonic()
    finish(start(home / "whole", verb.first, verb.begin), home / "whole")
    seconds = time.monotonic() - clock
    expected = digests(home / "whole" / "out")
    counted = Counted()
    folder, arguments = home / "killed", verb.first
    while counted.kills < times:
        moment = rng.random()
        child = start(folder, arguments, verb.begin)
        if not killed(child, moment * seconds):
            counted.whole += 1
            found = digests(folder / "out")
            counted.faults += [f"other than expected: {n}" for n in differing(found, expected)]
            shutil.rmtree(folder)
            arguments = verb.first
            continue
        counted.kills += 1
        counted.moments.append(moment)
        counted.faults += orphans()
        counted.with_leftovers += bool(temporaries(folder))
        counted.faults += verb.faults(folder, expected)
        arguments = verb.again
        if sys.stderr.isatty() or counted.kills % 10 == 0:
            print(f"{counted.kills}/{times} kills, {len(counted.faults)} faults", file=sys.stderr)
    finish(start(folder, arguments, verb.begin), folder)
    counted.whole += 1
    found = digests(folder / "out")
    counted.faults += [f"other than expected: {name}" for name in differing(found, expected)]
    return seconds, counted


def start(
    folder: Path,
    arguments: Sequence[str],
    begin: Callable[[Path], None] = lambda folder: None,
    modules: Path | None = None,
) -> int:
    """Forks a process that runs signloom with the arguments in a folder; its id.

    begin: fills the folder where it is new. modules: where the command's modules are listed.
    """
    if not folder.exists():
        folder.mkdir(parents=True)
        begin(folder)
    if child := os.fork():
        return child
    code = 99
    try:
        os.chdir(folder)
        os.environ[MARK] = str(os.getpid())
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        from signloom.cli.main import main

        main(list(arguments))
        code = 0
    except SystemExit as stopped:
        code = stopped.code if isinstance(stopped.code, int) else int(stopped.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if modules is not None:
            kept = (
                "signloom",
                "torch",
                "transformers",
                "accelerate",
                "pyarrow",
                "uvicorn",
                "fastapi",
            )
            ours = [n for n in sys.modules if n.split(".")[0] in (*kept, "mediapipe", "av", "yaml")]
            modules.write_text("\n".join(n for n in ours if importable(n)))
        os._exit(code)


def importable(name: str) -> bool:
    module = sys.modules[name]
    return getattr(module, "__spec__", None) is not None and module.__spec__.name == name


def finish(child: int, folder: Path, well: tuple[int, ...] = (0,)) -> None:
    """Waits for the command to end with one of some codes. Exits with its log where it ends with another."""
    _, status = os.waitpid(child, 0)
    if (code := os.waitstatus_to_exitcode(status)) not in well:
        sys.exit(
            f"the command ended with {code} in {folder}:\n{(folder / 'log').read_text()[-3000:]}"
        )


def killed(child: int, after: float) -> bool:
    """Kills the process after so many seconds; False where it had ended by then, which must be well."""
    until = time.monotonic() + after
    while (left := until - time.monotonic()) > 0:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            if code := os.waitstatus_to_exitcode(status):
                sys.exit(f"a command that was begun again ended with {code}; see its log")
            return False
        time.sleep(min(left, 0.01))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def orphans() -> list[str]:
    """Processes that a killed command started and that do not end by themselves."""
    until = time.monotonic() + PATIENCE
    while found := marked():
        if time.monotonic() > until:
            for process in found:
                os.kill(process, signal.SIGKILL)
            return [f"{len(found)} processes lived on for {PATIENCE:.0f} s"]
        time.sleep(0.05)
    return []


def marked() -> list[int]:
    """The ids of processes that were started by a command that this one forked."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}=".encode() in (place / "environ").read_bytes():
                if (place / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found.append(int(place.name))
        except OSError:
            continue
    return found


def temporaries(folder: Path) -> list[Path]:
    return [p for p in folder.rglob(".*") if p.suffix in (".part", ".old")]


def digests(folder: Path) -> Digests:
    """Relative path → sha256 of every file, but for what tells the time."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "log.jsonl"
    }


def differing(one: Digests, other: Digests) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


# --- train -----------------------------------------------------------------------------------

STEPS = 60
RECIPE = {
    "name": "a",
    "method": "posestitch",
    "preset": "tiny",
    "config": {"vocabulary": 300, "dropout": 0.1},
    "data": {
        "train": {"store": "../store", "split": "train"},
        "dev": {"store": "../store", "split": "dev"},
        "dev_limit": 2,
    },
    "training": {
        "steps": STEPS, "batch": 4, "lr": 1e-3, "log_every": 1, "save_every": 2,
        "validate_every": 10, "metric": "chrF2",
    },
}  # fmt: skip


def make_training(home: Path) -> None:
    from signloom.corpora.store import StoreWriter
    from signloom.data.layouts import PS76
    from signloom.simulator.corpora import SimulatedSentences

    with StoreWriter(home / "store", PS76) as writer:
        for split, count in (("train", 24), ("dev", 4)):
            source = SimulatedSentences("tiny", split, PS76)
            for index in range(count):
                writer.add(source[index], split)
    (home / "recipe.yaml").write_text(json.dumps(RECIPE))


def training_faults(folder: Path, _: Digests) -> list[str]:
    """The newest state, best and last load; the log is whole but for a last line; nothing else is there."""
    from signloom.errors import SignloomError
    from signloom.methods.load import load
    from signloom.training.resume import newest_state

    out, found = folder / "out", []
    try:
        newest_state(out / "states")
        for name in ("best", "last"):
            if (out / name).exists():
                load(out / name)
    except (SignloomError, AssertionError) as error:
        found.append(f"train: {error}")
    log = (out / "log.jsonl").read_text().split("\n") if (out / "log.jsonl").exists() else []
    for line in log[:-1]:
        try:
            json.loads(line)
        except ValueError:
            found.append(f"train: a line of the log is {line[:80]!r}")
    known = {"recipe.yaml", "log.jsonl", "best", "last", "states"}
    there = {path.name for path in out.glob("*") if not path.name.startswith(".")}
    return found + [f"train: {name} is there" for name in there - known]


# --- extract, prepare ------------------------------------------------------------------------


def make_videos(home: Path) -> None:
    """Three short videos of somebody who moves."""
    import numpy as np

    from tests.extract.videos import person, write_video

    picture = person(192, 256)
    for i in range(3):
        pictures = [np.roll(picture, 3 * (n + i), axis=1) for n in range(10 + 2 * i)]
        write_video(home / f"video-{i}.mp4", pictures)


def written_whole(folder: Path, expected: Digests) -> list[str]:
    """Whatever is there under a final name is what the whole command writes."""
    found = digests(folder / "out") if (folder / "out").exists() else {}
    left = [str(path.relative_to(folder / "out")) for path in temporaries(folder / "out")]
    return [
        f"half: {name}"
        for name, digest in found.items()
        if not any(name.startswith(other) for other in left) and expected.get(name) != digest
    ]


def make_corpus(home: Path) -> None:
    from signloom.cli.main import main

    for index, where in ((0, "poses"), (40, "before")):
        count = "120" if where == "poses" else "10"
        told = ["--index", str(index), "--count", count, "--size", "small", "--layout", "hands42"]
        with suppress(SystemExit), redirect_stdout(io.StringIO()):
            main(["simulate", "words", *told, "--split", "train", "-o", str(home / where)])
        rows = [
            f"{where}/{path.name}\t{json.loads(path.with_suffix('.json').read_text())['text']}"
            for path in sorted((home / where).glob("*.pose"))
        ]
        (home / f"{where}.tsv").write_text("path\ttext\n" + "\n".join(rows) + "\n")


def make_store_before(folder: Path) -> None:
    """A store of other clips, which the command is to replace."""
    from signloom.corpora.manifest import manifest_sources
    from signloom.corpora.prepare import write_store
    from signloom.data.layouts import HANDS42

    sources = manifest_sources(folder.parent / "before.tsv")
    write_store(folder / "out", HANDS42, sources, description={"name": "before"})


def store_is_whole(folder: Path, expected: Digests) -> list[str]:
    """The store is there at any moment, and is the one before or the one that is written."""
    from signloom.corpora.store import open_store
    from signloom.errors import SignloomError

    try:
        store = open_store(folder / "out")
        _ = [store[i] for i in range(len(store))]
    except SignloomError as error:
        return [f"prepare: {error}"]
    index = json.loads((folder / "out" / "index.json").read_text())
    before = index["description"].get("name") == "before"
    return [] if before or digests(folder / "out") == expected else ["prepare: another store"]


PREPARE = ("prepare", "manifest", "../poses.tsv", "-o", "out", "--jobs", "2", "--overwrite")
VIDEOS = tuple(f"../video-{i}.mp4" for i in range(3))
EXTRACT = ("extract", *VIDEOS, "-o", "out", "--jobs", "1", "--lips")
TRAIN = ("train", "../recipe.yaml", "-o", "out")
VERBS = {
    "train": Verb(make_training, TRAIN, (*TRAIN, "--resume"), training_faults),
    "extract": Verb(make_videos, EXTRACT, (*EXTRACT, "--resume"), written_whole),
    "prepare": Verb(make_corpus, PREPARE, PREPARE, store_is_whole, make_store_before),
}


# --- serve -----------------------------------------------------------------------------------

SERVED = 2.0
"""Seconds over which kills of the server are drawn, from when it answers; jobs are sent all the time."""


def kill_server(home: Path, times: int, rng: random.Random) -> tuple[float, Counted]:
    """Kills a server at work: the next one answers as it did, and nothing that was uploaded is left."""
    from faults.kinds import clip
    from signloom.data.layouts import PS76
    from signloom.pose.files import write_pose

    write_pose(clip(200, PS76), home / "a.pose")
    (home / "a.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:03.000\nthe dog sees a house\n")
    os.environ["TMPDIR"] = str(home / "tmp")
    (home / "tmp").mkdir()
    serve = ("serve", "--port", "0")
    modules = home / "modules"
    expected = asked(home, start(home / "cold", serve, modules=modules), home / "cold")
    for name in modules.read_text().split():
        importlib.import_module(name)
    counted = Counted()
    clock = time.monotonic()
    asked(home, start(home / "whole", serve), home / "whole")
    seconds = time.monotonic() - clock
    for number in range(times):
        folder = home / f"killed-{number}"
        child = start(folder, serve)
        answers: list[str] = []
        over = threading.Event()
        client = threading.Thread(target=ask_on, args=(home, folder, answers, over))
        client.start()
        moment = rng.random()
        if not killed(child, moment * (seconds + SERVED)):
            counted.faults.append(f"serve: ended by itself, see {folder.name}/log")
        over.set()
        client.join(timeout=60)
        counted.kills += 1
        counted.moments.append(moment)
        counted.faults += orphans()
        counted.faults += [f"serve: answered {a[:200]}" for a in answers if a not in expected]
        left = list((home / "tmp").glob("signloom-*"))
        counted.with_leftovers += bool(left)
        if len(left) > 1:
            counted.faults.append(f"serve: {len(left)} folders of uploads are left")
        if counted.kills % 10 == 0:
            print(f"{counted.kills}/{times} kills, {len(counted.faults)} faults", file=sys.stderr)
    found = asked(home, start(home / "last", serve), home / "last")
    counted.whole += 1
    if found != expected:
        counted.faults.append("serve: the last server answers otherwise")
    counted.faults += [f"serve: {path.name} is left" for path in (home / "tmp").glob("signloom-*")]
    return seconds, counted


TASKS = ("segment", "align", "translate")


def asked(home: Path, child: int, folder: Path) -> list[str]:
    """What a server answers to each request; it is then ended by Ctrl-C."""
    port = port_of(folder, threading.Event())
    answers = [answered(home, port, task) for task in TASKS]
    os.kill(child, signal.SIGINT)
    finish(child, folder, well=(0, 130))  # 0 where the shell has it ignore Ctrl-C
    return answers


def ask_on(home: Path, folder: Path, answers: list[str], over: threading.Event) -> None:
    """Sends one job after another until the server is gone."""
    try:
        port = port_of(folder, over)
        while True:
            for task in TASKS:
                answers.append(answered(home, port, task))
    except (OSError, http.client.HTTPException):
        return


def port_of(folder: Path, over: threading.Event) -> int:
    """The port that a server says it listens on. Raises OSError where it does not come to that."""
    until = time.monotonic() + 300
    while time.monotonic() < until and not over.is_set():
        told = (folder / "log").read_text() if (folder / "log").exists() else ""
        if found := re.search(r"http://[^:]+:(\d+)", told):
            return int(found[1])
        time.sleep(0.02)
    raise OSError("no server")


def answered(home: Path, port: int, task: str) -> str:
    """The result of a job. Raises OSError or HTTPException where the server goes."""
    files = {"media": ("a.pose", (home / "a.pose").read_bytes())}
    if task == "align":
        files["subtitles"] = ("a.vtt", (home / "a.vtt").read_bytes())
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    status, told = exchanged(port, "POST", f"/v1/{task}", multipart({}, files), kind)
    if status != 202:
        return told
    job = json.loads(told)
    while job["state"] in ("queued", "running"):
        time.sleep(0.02)
        job = json.loads(exchanged(port, "GET", f"/v1/jobs/{job['id']}")[1])
    return exchanged(port, "GET", f"/v1/jobs/{job['id']}/result")[1]


def exchanged(
    port: int, method: str, path: str, body: bytes = b"", kind: str = ""
) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"content-type": kind} if kind else {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
