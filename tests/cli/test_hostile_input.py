"""What users get wrong, and what they are told: one line, an exit code, nothing lost."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.cli.tokens import _tokens
from signloom.corpora.folder_lexicon import folder_lexicon
from signloom.corpora.manifest import manifest_sources
from signloom.corpora.store import StoreWriter, open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42
from signloom.data.sample import Sample
from signloom.errors import MediaError, UsageError
from signloom.methods.recipe import read_recipe
from signloom.methods.sources import open_lexicon
from signloom.pose.files import write_pose
from signloom.text.sentences import read_sentences
from signloom.training.checkpoint import read_checkpoint
from signloom.training.resume import newest_state


def exit_code(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def clip(frames: int = 10) -> PoseClip:
    points = np.random.default_rng(0).random((frames, 42, 3)).astype(np.float32)
    return PoseClip(points, np.ones((frames, 42), np.float32), 25.0, HANDS42, id="c")


def test_what_the_disk_refuses_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = str(tmp_path / "file" / "x.pose")
    assert exit_code(["stitch", "dog", "--lexicon", "sim:tiny", "-o", out]) == 2
    said = capsys.readouterr().err
    assert "file: File exists; check the path" in said
    assert "Traceback" not in said


def test_a_sentence_without_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["stitch", "!!!", "--lexicon", "sim:tiny", "-o", str(tmp_path / "x.pose")]
    assert exit_code(arguments) == 2
    assert "the sentence '!!!' has no words" in capsys.readouterr().err


def test_a_clip_is_written_under_a_name_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["stitch", "dog", "--lexicon", "sim:tiny", "-o", str(tmp_path / "x")]
    assert exit_code(arguments) == 2
    assert "does not end in .pose" in capsys.readouterr().err


def test_a_run_is_not_lost_to_a_recipe_that_does_not_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = str(Path(__file__).parents[2] / "recipes" / "posestitch-sim-tiny.yaml")
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.yaml").write_text("old")
    missing = f"data.train={{store: {tmp_path / 'none'}, split: train}}"
    arguments = ["train", recipe, "-o", str(run), "--overwrite", "--set", missing]
    assert exit_code(arguments) == 3
    assert "is no signloom store" in capsys.readouterr().err
    assert (run / "recipe.yaml").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": None}, "is damaged"),
        ({"layout": {}}, "is damaged"),
        ({"shards": [{"file": "../x", "bytes": 1}]}, "lies outside the store"),
        ({"shards": [{"file": "x", "bytes": 1, "lips": "all"}]}, "the lips of shard 'x' are 'all'"),
        ({"version": 99}, "format version 99"),
    ],
)
def test_a_damaged_store(tmp_path: Path, change: dict, said: str) -> None:
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        writer.add(Sample("a", clip(), "word"), "train")
    index = tmp_path / "s" / "index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), **change}))
    with pytest.raises(MediaError, match=said):
        open_store(tmp_path / "s")


def test_spans_outside_a_clip(tmp_path: Path) -> None:
    write_pose(clip(), tmp_path / "a.pose")
    (tmp_path / "m.tsv").write_text("path\ttext\tstart\tend\na.pose\tdog\t50\t60\n")
    with pytest.raises(MediaError, match=r"has no frames between 50\.0 s and 60\.0 s"):
        manifest_sources(tmp_path / "m.tsv")["train"][0]
    write_pose(clip(50), tmp_path / "b.pose")
    (tmp_path / "m.tsv").write_text(
        "path\ttext\tstart\tend\nb.pose\tdog\t1\t3\nb.pose\tcat\t1\t3.2\n"
    )
    half = manifest_sources(tmp_path / "m.tsv")["train"]
    assert len(half[0].clip) == 25
    with pytest.raises(MediaError, match=r"has only 1 s between 1\.0 s and 3\.2 s; see whether"):
        half[1]
    columns = "path,spoken_language,signed_language,start,end,words,glosses,priority"
    rows = "a.pose,en,one,50000,60000,dog,DOG,0\na.pose,en,two,0,0,cat,CAT,0\n"
    (tmp_path / "index.csv").write_text(f"{columns}\n{rows}")
    with pytest.raises(MediaError, match="has no frames between 50000 ms"):
        folder_lexicon(tmp_path, "one").clip("dog")
    assert list(open_lexicon(f"{tmp_path}:two").words) == ["cat"]


@pytest.mark.parametrize("line", ["[1]", "7", '{"text": null}', '{"other": "a"}'])
def test_lines_that_hold_no_text(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(line)
    with pytest.raises(UsageError, match="whose 'text' is no text"):
        list(read_sentences(tmp_path / "a.jsonl"))


def test_glosses_that_are_none(tmp_path: Path) -> None:
    write_pose(clip(), tmp_path / "a.pose")
    row = {"path": "a.pose", "text": "dog", "glosses": [["A"]]}
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    with pytest.raises(UsageError, match="line 1: start, end or glosses cannot be read"):
        manifest_sources(tmp_path / "m.jsonl")


def test_a_mistyped_path_is_not_looked_for_on_a_hub(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError, match="runs/best is not a checkpoint"):
        read_checkpoint("runs/best")


def test_a_clip_owns_its_points() -> None:
    points = np.ones((3, 42, 3), np.float32)
    made = PoseClip(points, np.ones((3, 42), np.float32), 25.0, HANDS42)
    points[:] = 7
    assert (made.points == 1).all()


# What follows was found by python -m faults.files and faults.fuzz.


def test_a_shard_with_flipped_bits_does_not_end_the_process(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        for name in "abc":
            writer.add(Sample(name, clip(), f"the word {name}"), "train")
    shard = tmp_path / "s" / "train-00000.arrow"
    whole, rng, refused = shard.read_bytes(), random.Random(0), 0
    for _ in range(80):
        data = bytearray(whole)
        for _ in range(3):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        shard.write_bytes(data)
        store = open_store(tmp_path / "s")
        try:
            store.texts()
            assert all(np.isfinite(store[i].clip.points).all() for i in range(3))
        except MediaError:
            refused += 1
    assert refused > 5


BOMB = "a: &a [1, 1]\n" + "".join(
    f"{to}: &{to} [*{of}, *{of}, *{of}, *{of}]\n"
    for of, to in zip("abcdefghijkl", "bcdefghijklm", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: {a: [1, 2", r"line 1, column 16: expected ',' or '\]', but got '<stream end>'"),
        ("name: 2020-13-40", "cannot be read: month must be in 1..12"),
        ("name: " + "[" * 1_000, "cannot be read: maximum recursion depth"),
        (BOMB, "more than 10,000 values"),
        ("name: &a [*a]", "more than 10,000 values, or some deeper than 30"),
        ("name: \x07", "special characters are not allowed"),
    ],
)
def test_yaml_that_is_none_or_too_much(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "r.yaml").write_text(text)
    with pytest.raises(UsageError, match=said) as met:
        read_recipe(tmp_path / "r.yaml")
    assert "\n" not in str(met.value)


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1" + "0" * 400])
@pytest.mark.parametrize("key", ["training.lr", "config.dropout"])
def test_settings_are_numbers(number: str, key: str) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "posestitch-sim-tiny.yaml"
    with pytest.raises(UsageError, match=key.split(".")[1]):
        read_recipe(recipe, [f"{key}={number}"])


def test_archives_that_are_damaged(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "a dog")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\x01\x02") + 10] = 77  # a way of packing that is not known
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(MediaError, match="compression method is not supported"):
        list(read_sentences(tmp_path / "a.zip"))
    np.savez(tmp_path / "a.npz", told=json.dumps({"clips": []}))
    whole = (tmp_path / "a.npz").read_bytes()
    for at in range(0, len(whole), 7):
        (tmp_path / "a.npz").write_bytes(whole[:at])
        with pytest.raises(MediaError, match="holds no tokens of motion"):
            _tokens(tmp_path / "a.npz")


def test_json_that_is_too_deep(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(MediaError, match="is not a signloom config"):
        read_checkpoint(tmp_path)


def test_a_pointer_to_a_state_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "last").write_bytes(b"\xb0\xff")
    assert newest_state(tmp_path) is None
