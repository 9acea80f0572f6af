"""The generic corpus, from a table to a store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signloom.cli.main import main
from signloom.corpora.manifest import manifest_sources, read_manifest
from signloom.corpora.store import open_store
from signloom.data.clip import PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, PS76
from signloom.data.sample import GlossSpan
from signloom.data.timing import Span
from signloom.errors import MediaError, UsageError
from signloom.pose.files import write_pose


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


def test_lines_of_json(folder: Path) -> None:
    rows = [
        {"path": "1.pose", "text": "Cold.", "glosses": [["COLD", 0.1, 0.4]], "id": "a"},
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
