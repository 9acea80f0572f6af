"""Faults planted in a manifest and in a store are found, each by its name; a clean one has none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signloom.corpora.check import Facts, Report, check, found_in
from signloom.corpora.entries import LeftOut
from signloom.corpora.prepare import write_store
from signloom.corpora.store import StoreWriter
from signloom.data.clip import Origin, PoseClip
from signloom.data.layouts import HANDS42, HOLISTIC, MP203, PS76, Layout
from signloom.data.sample import GlossSpan, Sample
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.pose.files import read_header, write_pose


def clip(
    seed: int,
    frames: int = 50,
    fps: float = 25.0,
    layout: Layout = HANDS42,
    extractor: str = "mediapipe-holistic",
    hands: float = 1.0,
) -> PoseClip:
    """Random points; a hand is seen in the first ``hands`` of the frames."""
    rng = np.random.default_rng(seed)
    points = rng.random((frames, len(layout), 3)).astype(np.float32)
    confidence = np.ones(points.shape[:2], np.float32)
    for part in ("left_hand", "right_hand"):
        confidence[round(frames * hands) :, layout.part(part)] = 0
    return PoseClip(points, confidence, fps, layout, origin=Origin(extractor, "1"))


Row = dict[str, object]


def manifest(folder: Path, rows: list[Row]) -> Path:
    file = folder / "m.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


@pytest.fixture
def clean_rows(tmp_path: Path) -> list[Row]:
    """Four samples without a fault: two splits, their own signers, texts and clips."""
    for n in range(4):
        write_pose(clip(n), tmp_path / f"{n}.pose")
    return [
        {
            "path": f"{n}.pose",
            "text": f"Text {n}.",
            "gloss": [["A", 0.1, 2.0]],
            "split": "train" if n < 2 else "dev",
            "signer": "anna" if n < 2 else "ben",
        }
        for n in range(4)
    ]


def kinds(report: Report) -> set[tuple[str, str]]:
    return {(finding.severity, finding.kind) for finding in report.findings}


def named(report: Report, kind: str) -> tuple[str, ...]:
    (finding,) = (finding for finding in report.findings if finding.kind == kind)
    return finding.samples


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path, clean_rows: list[Row]) -> None:
    file = manifest(tmp_path, clean_rows)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    report = check(file)
    assert (report.findings, report.clean) == ((), True)
    assert (report.splits, report.frames) == ({"train": 2, "dev": 2}, 200)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


FAULTS: dict[str, tuple[Row, tuple[str, str], str]] = {
    "no file": ({"path": "9.pose"}, ("error", "missing clip"), "line 1"),
    "a video": ({"path": "9.mp4"}, ("error", "wrong line"), "line 1"),
    "start after end": ({"start": 2, "end": 1}, ("error", "wrong line"), "line 1"),
    "cut off": ({"path": "cut.pose"}, ("error", "broken clip"), "line 1"),
    "past the end": (
        {"start": 1, "end": 2.2, "gloss": []},
        ("error", "time past the end"),
        "train/0",
    ),
    "all past the end": ({"start": 3, "end": 4}, ("error", "empty clip"), "train/0"),
    "a sign past the end": (
        {"gloss": [["A", 0, 1], ["B", 1, 2.2]]},
        ("error", "gloss past the end"),
        "train/0",
    ),
    "nothing said": ({"text": " ", "gloss": []}, ("error", "empty text"), "train/0"),
    "no text": ({"text": ""}, ("warning", "no text"), "train/0"),
    "no hands": ({"path": "none.pose", "id": "0"}, ("error", "no hands"), "train/0"),
    "few hands": ({"path": "few.pose", "id": "0"}, ("warning", "few hands"), "train/0"),
    "the same id": ({"id": "3"}, ("error", "same id"), "train/3"),
    "the same clip": ({"path": "1.pose", "id": "0"}, ("warning", "same clip"), "train/1"),
    "a clip of dev": (
        {"path": "3.pose", "id": "0"},
        ("error", "same clip across splits"),
        "dev/3",
    ),
    "a stretch of dev": (
        {"path": "3.pose", "start": 1, "end": 2, "id": "0", "gloss": []},
        ("error", "same stretch across splits"),
        "dev/3",
    ),
    "another rate": ({"path": "fps.pose", "id": "0"}, ("warning", "mixed rates"), "train/0"),
    "another extractor": (
        {"path": "made.pose", "id": "0"},
        ("warning", "mixed extractors"),
        "train/0",
    ),
    "another signer": ({"signer": "ben"}, ("warning", "signer across splits"), "dev/2"),
    "a text of dev": ({"text": "TEXT 3."}, ("info", "same text across splits"), "dev/3"),
    "a column of one's own": ({"notes": "x"}, ("info", "columns not read"), ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(
    tmp_path: Path, clean_rows: list[Row], fault: str
) -> None:
    write_pose(clip(10, hands=0), tmp_path / "none.pose")
    write_pose(clip(11, hands=0.4), tmp_path / "few.pose")
    write_pose(clip(12, frames=60, fps=30.0), tmp_path / "fps.pose")
    write_pose(clip(13, extractor="openpose"), tmp_path / "made.pose")
    (tmp_path / "cut.pose").write_bytes((tmp_path / "0.pose").read_bytes()[:5000])
    change, kind, sample = FAULTS[fault]
    rows = [{**clean_rows[0], **change}, *clean_rows[1:]]
    report = check(manifest(tmp_path, rows))
    assert kinds(report) == {kind}
    assert report.clean is (kind[0] != "error")
    assert sample == "" or sample in named(report, kind[1])


def test_mixed_layouts(tmp_path: Path, clean_rows: list[Row]) -> None:
    write_pose(clip(20, layout=HOLISTIC), tmp_path / "whole.pose")
    write_pose(clip(21, layout=MP203), tmp_path / "mp.pose")
    rows = [{**clean_rows[0], "path": "mp.pose"}, {**clean_rows[1], "path": "whole.pose"}]
    report = check(manifest(tmp_path, rows))
    assert kinds(report) == {("warning", "mixed layouts")}
    report = check(manifest(tmp_path, [*rows, clean_rows[2]]))
    assert ("error", "mixed layouts") in kinds(report)
    assert "hands42 does not convert to the first, mp203" in report.findings[0].message


def test_tolerance(tmp_path: Path, clean_rows: list[Row]) -> None:
    """One frame of 25 fps is 0.04 s: 2.04 s of a clip of 2 s is let through, 2.05 s is not."""
    for end, wrong in ((2.04, False), (2.05, True)):
        rows = [{**clean_rows[0], "start": 0, "end": end}, *clean_rows[1:]]
        assert check(manifest(tmp_path, rows)).clean is not wrong
    assert check(manifest(tmp_path, rows), tolerance=0.05).clean
    assert not check(manifest(tmp_path, rows), tolerance=0.0).clean
    with pytest.raises(UsageError, match=r"tolerance is -1\.0, expected seconds"):
        check(manifest(tmp_path, rows), tolerance=-1.0)


def test_a_store(tmp_path: Path) -> None:
    dog = (GlossSpan("DOG", Span(0.0, 3.0)),)
    train = [
        Sample("a", clip(1), "dog", dog, signer="anna"),
        Sample("b", clip(1), "cat", signer="anna"),
    ]
    dev = [
        Sample("c", clip(1), "Dog", signer="anna"),
        Sample("a", clip(2, fps=50.0, extractor="openpose"), ""),
    ]
    absent = [LeftOut("x", "dev", "no x.pose")]
    write_store(
        tmp_path / "s", HANDS42, {"train": train, "dev": dev}, description={}, absent=absent
    )
    report = check(tmp_path / "s")
    assert kinds(report) == {
        ("error", "gloss past the end"),
        ("error", "empty text"),
        ("error", "same id"),
        ("error", "same clip across splits"),
        ("warning", "missing clip"),
        ("warning", "mixed rates"),
        ("warning", "mixed extractors"),
        ("warning", "signer across splits"),
        ("info", "same text across splits"),
    }
    assert named(report, "same clip across splits") == ("train/a", "train/b", "dev/c")
    assert named(report, "missing clip") == ("dev/x",)
    assert [f.severity for f in report.findings] == sorted(
        (f.severity for f in report.findings), key=("error", "warning", "info").index
    )


def test_a_store_whose_bytes_have_changed(tmp_path: Path) -> None:
    with StoreWriter(tmp_path / "s", HANDS42) as writer:
        writer.add(Sample("a", clip(1), "dog"), "train")
    shard = tmp_path / "s" / "train-00000.arrow"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    report = check(tmp_path / "s")
    assert ("error", "damaged") in kinds(report)
    assert "has sha256" in report.findings[0].message


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is neither a store nor a manifest; expected a folder"):
        check(tmp_path)


def fact(name: str, split: str, digest: str, start: float, end: float) -> Facts:
    return Facts(
        name, split, name, (), "", 25.0, 10, PS76, "x", digest, 1.0, "f.pose", (start, end), 100.0
    )


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["train", "dev"]), st.integers(0, 20), st.integers(1, 6)),
        max_size=6,
    )
)
def test_every_pair_that_shares_time_across_splits_is_found(
    stretches: list[tuple[str, int, int]],
) -> None:
    facts = [
        fact(str(n), split, str(n), float(start), float(start + length))
        for n, (split, start, length) in enumerate(stretches)
    ]
    pairs = {
        frozenset((one.name, other.name))
        for one in facts
        for other in facts
        if one.split != other.split
        and one.span is not None
        and other.span is not None
        and max(one.span[0], other.span[0]) < min(one.span[1], other.span[1])
    }
    found = {frozenset(f.samples) for f in found_in(facts) if "stretch" in f.kind}
    assert found == pairs


@pytest.mark.shared_data
def test_real_sentences_whose_signs_run_past_the_pose(shared_data: Path, tmp_path: Path) -> None:
    """Public DGS Corpus: 11 of 16 files, and one without an English text."""
    folder = shared_data / "dgs_corpus32" / "sentences"
    rows: list[Row] = []
    for file in sorted(folder.glob("*_metadata.json")):
        told = json.loads(file.read_text())["sentence"]
        glosses = told["glosses"]
        times = zip(glosses["gloss"], glosses["start"], glosses["end"], strict=True)
        rows.append(
            {
                "path": str(file.with_name(file.name.replace("metadata.json", "original.pose"))),
                "id": file.name.removesuffix("_metadata.json"),
                "text": told.get("english") or "",
                "gloss": [
                    [g, (s - told["start"]) / 1000, (e - told["start"]) / 1000] for g, s, e in times
                ],
            }
        )
    report = check(manifest(tmp_path, rows))
    assert len(named(report, "gloss past the end")) == 11
    assert named(report, "no text") == ("train/train_7",)
    assert sum(report.splits.values()) == 16
    assert read_header(str(rows[0]["path"])).fps == 25
