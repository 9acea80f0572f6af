"""The generic corpus, from a table to a store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.check import check
from signloom.corpora.manifest import manifest_sources, read_manifest, unread_columns
from signloom.corpora.store import open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76
from signloom.data.lips import Lips
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.files import write_pose
from signloom.pose.lip_files import write_lips


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for n in (1, 2):
        points = np.full((25, len(HOLISTIC), 3), n, np.float32)
        clip = PoseClip(points, np.ones(points.shape[:2], np.float32), 25.0, HOLISTIC, size=(9, 9))
        write_pose(clip, tmp_path / f"{n}.pose")
    (tmp_path / "m.tsv").write_text(
        "path\ttext\tsplit\tglosses\tstart\tend\tsigner\n"
        '1.pose\tIt’s "cold".\ttrain\tWEATHER COLD\t\t\tanna\n'
        "2.pose\tWarm.\tdev\t\t0.2\t0.6\t\n"
    )
    return tmp_path


def test_a_table_becomes_a_store(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(
            [
                "prepare",
                "manifest",
                str(folder / "m.tsv"),
                "-o",
                str(folder / "s"),
                "--layout",
                "ps76",
            ]
        )
    assert stop.value.code == 0
    assert "train 1, dev 1 samples, 35 frames of ps76" in capsys.readouterr().out
    store = open_store(folder / "s")
    assert store.layout == PS76
    first, second = store
    assert (first.id, first.text, first.signer) == ("1", 'It\'s "cold".', "anna")
    assert first.glosses == (GlossSpan("WEATHER"), GlossSpan("COLD"))
    assert (len(second.clip), second.clip.points[0, 0, 0]) == (10, 2)


def test_stretches_of_one_file_know_what_the_one_before_says(folder: Path) -> None:
    """In time, within a split; a column says it of files of their own."""
    (folder / "m.tsv").write_text(
        "path\ttext\tsplit\tstart\tend\tid\tprevious\n"
        "1.pose\tLast.\ttrain\t0.7\t0.9\tc\t\n"
        "1.pose\tFirst.\ttrain\t0.0\t0.3\ta\t\n"
        "1.pose\tOf another.\tdev\t0.3\t0.4\td\t\n"
        "1.pose\tThen.\ttrain\t0.4\t0.6\tb\t\n"
        "2.pose\tFirst.\ttrain\t0.0\t0.3\te\tAs it was said.\n"
        "2.pose\tWhole.\ttrain\t\t\tf\t\n"
    )
    told = {entry.id: entry.previous for entry in read_manifest(folder / "m.tsv")}
    assert told == {
        "a": "", "b": "First.", "c": "Then.", "d": "", "e": "As it was said.", "f": "",
    }  # fmt: skip
    with pytest.raises(SystemExit):
        main(["prepare", "manifest", str(folder / "m.tsv"), "-o", str(folder / "s")])
    assert {sample.id: sample.previous for sample in open_store(folder / "s")} == told


def test_lines_of_json(folder: Path) -> None:
    rows = [
        {"path": "1.pose", "text": "Cold.", "glosses": [["\u200eCOLD", 0.1, 0.4]], "id": "a"},
        {"path": "2.pose", "text": "Warm.", "glosses": ["WARM"], "language": "ase"},
    ]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (source,) = manifest_sources(folder / "m.jsonl", HANDS42).values()
    assert [s.id for s in (source[0], source[1])] == ["a", "2"]
    assert source[0].glosses == (GlossSpan("COLD", Span(0.1, 0.4)),)
    assert source[1].clip.layout == HANDS42


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("3.pose\tx\n", MediaError, "line 2: there is no file .*3.pose; paths are relative"),
        ("\tx\n", UsageError, "line 2: no path or no text"),
        ("1.pose\tx\ttrain\t\t0.5\t\n", UsageError, "line 2: start and end go together"),
        ("1.pose\tx\ttrain\t\t0.5\t0.1\n", UsageError, "line 2: span ends at 0.1 s, before"),
        ("1.pose\tx\ttrain\t\tone\ttwo\n", UsageError, "line 2: could not convert"),
        ("", MediaError, "lists nothing; expected a .pose file and a text"),
        ("1.mp4\tx\n", UsageError, "1.mp4 is a video.*signloom extract 1.mp4 -o 1.pose"),
        ("1.pose\tx\t\t\t\t\ty\n", MediaError, "line 2: 7 cells, expected 6"),
    ],
)
def test_the_wrong_line_is_named(
    folder: Path, line: str, kind: type[Exception], message: str
) -> None:
    (folder / "bad.tsv").write_text("path\ttext\tsplit\tglosses\tstart\tend\n" + line)
    with pytest.raises(kind, match=message):
        read_manifest(folder / "bad.tsv")


def test_other_endings_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"ending '.xlsx', expected .tsv, .csv or .jsonl"):
        read_manifest(folder / "m.xlsx")
    (folder / "broken.jsonl").write_text("{")
    with pytest.raises(MediaError, match=r"manifest .*broken.jsonl cannot be read"):
        read_manifest(folder / "broken.jsonl")


def test_a_manifest_as_the_documentation_has_it(folder: Path) -> None:
    (folder / "m.tsv").write_text(
        "path\ttext\tstart\tend\tgloss\tsigner\tsplit\tlanguage\tnotes\n"
        "1.pose\tIt is\u2028cold.\t0.2\t0.6\tWEATHER COLD\tanna\tdev\tgsg\tseen\n"
        "2.pose\tWarm.\n"
    )
    first, second = read_manifest(folder / "m.tsv")
    assert (first.text, first.signer, first.split, first.language) == (
        "It is cold.",
        "anna",
        "dev",
        "gsg",
    )
    assert first.span == Span(0.2, 0.6)
    assert first.glosses == (GlossSpan("WEATHER"), GlossSpan("COLD"))
    assert (second.split, second.span, second.glosses) == ("train", None, ())
    assert unread_columns(folder / "m.tsv") == ["notes"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", b"path\tTexts\n1.pose\tx\n", r"has no column 'text'.*it has path, Texts"),
        ("a.csv", b"path;text\n1.pose;x\n", r"has no column 'path'.*it has path;text"),
        ("a.tsv", b"path\ttext\n1.pose\tk\xe4lt\n", r"line 2: byte 0xe4 is not UTF-8.*iconv"),
        ("a.jsonl", b'{"path": "1.pose", "text": "k\xe4lt"}', r"line 1: byte 0xe4 is not UTF-8"),
        ("a.tsv", b"path\ttext\ttext\n1.pose\tx\ty\n", r"has the column 'text' twice; keep one"),
        ("a.tsv", b"", r"is empty; expected a header with path, text"),
        ("a.jsonl", b'{"path": "1.pose", "text": "a"}\n{"path"\n', r"line 2 is no JSON"),
    ],
)
def test_a_table_that_is_none(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(MediaError, match=message):
        read_manifest(folder / name)


def test_both_names_of_the_glosses(folder: Path) -> None:
    row = {"path": "1.pose", "text": "Cold.", "gloss": ["COLD"], "glosses": ["COLD"]}
    (folder / "m.jsonl").write_text(json.dumps(row))
    with pytest.raises(UsageError, match="both 'gloss' and 'glosses' are given; keep 'gloss'"):
        read_manifest(folder / "m.jsonl")


def test_a_broken_file_is_named_and_the_rest_finishes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "2.pose").write_bytes((folder / "2.pose").read_bytes()[:9000])
    arguments = ["prepare", "manifest", str(folder / "m.tsv"), "-o", str(folder / "s")]
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 3
    told = capsys.readouterr()
    assert "train 1 samples" in told.out
    assert "1 of 2 clips (50.00%) are left out: 0 not there, 1 that cannot be read" in told.err
    assert "2.pose is cut off or damaged" in told.err
    (left,) = open_store(folder / "s").left_out()
    assert (left.id, left.split) == ("2", "dev")


def lips(frames: int = 25) -> Lips:
    numbered = np.repeat(np.arange(frames, dtype=np.uint8), 96 * 96).reshape(-1, 96, 96)
    return Lips(numbered, np.ones(frames, bool), 25.0)


def test_lips_beside_a_pose_file_are_cut_and_kept_with_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lips(lips(), folder / "mouths.lips.safetensors")
    rows = "path\ttext\tstart\tend\tlips\n1.pose\tCold.\t\t\t\n"
    (folder / "m.tsv").write_text(f"{rows}2.pose\tWarm.\t0.2\t0.6\tmouths.lips.safetensors\n")
    command = ["prepare", "manifest", str(folder / "m.tsv"), "-o", str(folder / "s")]
    with pytest.raises(SystemExit) as stop:
        main(command)
    assert stop.value.code == 0
    assert "with lips: train 1" in capsys.readouterr().out
    plain, seen = open_store(folder / "s", lips=True)
    assert plain.lips is None
    assert seen.lips.frames[:, 0, 0].tolist() == list(range(5, 15))
    report = check(folder / "m.tsv")
    assert [f.message for f in report.findings if f.kind == "lips missing"] == [
        "1 of 2 samples have no lips; a model that reads lips sees no mouth there"
    ]
    assert [f.samples for f in check(folder / "s").findings if f.kind == "lips missing"] == [
        ("train/1",)
    ]


def test_lips_that_do_not_go_with_their_clip_are_named(folder: Path) -> None:
    (folder / "m.tsv").write_text("path\ttext\tlips\n1.pose\tCold.\t1.lips.safetensors\n")
    with pytest.raises(MediaError, match=r"line 2: there is no file .*1\.lips\.safetensors"):
        read_manifest(folder / "m.tsv")
    write_lips(lips(24), folder / "1.lips.safetensors")
    (source,) = manifest_sources(folder / "m.tsv", HANDS42).values()
    with pytest.raises(MediaError, match=r"24 mouth crops at 25 fps but .*1\.pose 25 frames at 25"):
        source[0]
    (finding,) = (f for f in check(folder / "m.tsv").findings if f.severity == "error")
    assert (finding.kind, finding.samples) == ("broken clip", ("line 2",))
    nothing = Lips(lips().frames, np.zeros(25, bool), 25.0)
    write_lips(nothing, folder / "1.lips.safetensors", overwrite=True)
    kinds = {(f.severity, f.kind) for f in check(folder / "m.tsv").findings}
    assert ("warning", "no mouth") in kinds
