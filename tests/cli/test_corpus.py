"""signloom corpus: which aligned cues become samples, and what the store keeps of the choice."""

from __future__ import annotations

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from signloom.cli.main import VERBS, main
from signloom.corpora.episodes import AlignedCue, AlignedEpisode, Keep, dev_episodes
from signloom.corpora.store import Store, open_store
from signloom.data.layouts import HANDS42
from signloom.data.lips import Lips
from signloom.data.timing import Span
from signloom.errors import UsageError
from signloom.pose.convert import convert
from signloom.pose.files import read_pose, write_pose_slices
from signloom.pose.lip_files import write_lips
from signloom.simulator.episode import SimulatedEpisodes
from signloom.text.clean import clean
from signloom.text.subtitles import compose


def run(monkeypatch: pytest.MonkeyPatch, verb: str, *arguments: object) -> int:
    monkeypatch.setitem(VERBS, verb, "A verb.")
    with pytest.raises(SystemExit) as stopped:
        main([verb, *map(str, arguments)])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes with subtitles timed to speech, and the reports of their alignment."""
    folder = tmp_path_factory.mktemp("episodes")
    made = SimulatedEpisodes(size="tiny", split="test")
    for n in (0, 1):
        write_pose_slices(made[n].slices(), made[n].frames, folder / f"{n}.pose")
        (folder / f"{n}.speech.vtt").write_bytes(compose(made[n].speech, "vtt"))
        (folder / f"{n}.signing.vtt").write_bytes(compose(made[n].signing, "vtt"))
        pair = (folder / f"{n}.pose", folder / f"{n}.speech.vtt")
        outputs = ("-o", folder / f"{n}.aligned.vtt", "--report", folder / f"{n}.report.json")
        with pytest.raises(
            SystemExit
        ):  # the second is hard: exit code 5, and a report all the same
            main(["align", *map(str, pair), *map(str, outputs)])
    return folder


def cues_of(report: Path) -> dict[str, Any]:
    cues = json.loads(report.read_text("utf-8"))["cues"]
    return {f"{report.name[0]}-{cue['number']}": cue for cue in cues}


def kept(store: Store) -> dict[str, dict[str, Any]]:
    return {store.ids()[i]: {"text": store.texts()[i], "at": i} for i in range(len(store))}


def test_samples_are_the_reports_cues(
    episodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pose = episodes / "0.pose"
    arguments = (pose, "--layout", "hands42", "--signer", "anna")
    assert run(monkeypatch, "corpus", *arguments, "-o", tmp_path / "low") == 0
    printed = capsys.readouterr().out
    store = open_store(tmp_path / "low", "train")
    said, found = cues_of(episodes / "0.report.json"), kept(store)
    flagged = {"no signing", "not speech", "outside", "prior", "kept"}
    expected = {
        id
        for id, cue in said.items()
        if cue["confidence"] >= 0.7
        and not flagged & set(cue["flags"])
        and 0.5 <= cue["new"]["end"] - cue["new"]["start"] <= 20
    }
    assert 5 < len(expected) <= len(said)
    assert set(found) == expected
    for id, sample in found.items():
        span = Span(said[id]["new"]["start"], said[id]["new"]["end"])
        made, source = store[sample["at"]], convert(read_pose(pose, span), HANDS42)
        assert sample["text"] == clean(said[id]["text"])
        assert (made.signer, made.language) == ("anna", "sim-1")
        assert len(made.clip) == len(source) == round(span.duration * 25)
        assert made.clip.simulated
        np.testing.assert_allclose(made.clip.points, source.points, atol=0.05)

    report = store.describe()["description"]["report"]
    confidences = [said[id]["confidence"] for id in expected]
    assert report["kept"] == len(expected)
    assert report["cues"] == len(said)
    assert report["kept"] + sum(report["left_out"].values()) == report["cues"]
    assert report["mean_confidence"] == pytest.approx(np.mean(confidences), abs=1e-4)
    assert report["by_episode"]["0"]["aligned_by"] == "0.report.json"
    assert f"{tmp_path / 'low'}: train {len(expected)} samples" in printed
    assert f"left out   {len(said) - len(expected):>7}" in printed

    higher = sorted(confidences)[len(confidences) // 2]
    assert (
        run(
            monkeypatch, "corpus", *arguments, "-o", tmp_path / "high",
            "--min-confidence", higher,
        )
        == 0
    )  # fmt: skip
    fewer = kept(open_store(tmp_path / "high"))
    assert 0 < len(fewer) < len(found)
    assert {id: cue["text"] for id, cue in fewer.items()} == {
        id: found[id]["text"] for id in found if said[id]["confidence"] >= higher
    }


def test_without_a_report_subtitles_are_aligned_and_episodes_are_split(
    episodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Aligning on the way gives the spans that the report gives; dev is whole episodes."""
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("0.pose", "0.speech.vtt", "0.signing.vtt", "1.pose", "1.speech.vtt"):
        (bare / name).symlink_to(episodes / name)
    options = ("--dev-share", 0.4, "--min-confidence", 0.1, "--language", "gsg")
    for folder in (episodes, bare):
        out = tmp_path / f"{folder.name}.store"
        assert run(monkeypatch, "corpus", folder, *options, "-o", out) == 0
    with_report = open_store(tmp_path / f"{episodes.name}.store")
    without = open_store(tmp_path / "bare.store")
    prior = {
        id
        for n in (0, 1)
        for id, cue in cues_of(episodes / f"{n}.report.json").items()
        if "prior" in cue["flags"] and cue["confidence"] >= 0.1 and "no signing" not in cue["flags"]
    }
    same = with_report.ids()
    assert set(without.ids()) == prior | set(same)
    assert not prior & set(same)
    assert len(same) > 10
    for id in same[:3]:
        a = with_report[with_report.ids().index(id)]
        b = without[without.ids().index(id)]
        assert len(a.clip) == len(b.clip)
        assert np.array_equal(a.clip.points, b.clip.points)
    assert without.describe()["description"]["report"]["by_episode"]["0"]["aligned_by"] == (
        "0.speech.vtt"
    )
    by_split = {
        split: {id[0] for id in open_store(without.path, split).ids()} for split in without.splits
    }
    assert sorted(by_split) == ["dev", "train"]
    assert not by_split["dev"] & by_split["train"]
    assert {without[i].language for i in range(len(without))} == {"gsg"}


@pytest.mark.parametrize(
    ("why", "span", "confidence", "flags", "text"),
    [
        (None, (1.0, 3.0), 0.7, (), "Rain."),
        (None, (18.0, 20.0), 1.0, ("locked",), "Rain."),
        (None, (0.0, 0.5), 0.9, ("clamped",), "Rain."),
        ("low", (1.0, 3.0), 0.699, (), "Rain."),
        ("low", (1.0, 3.0), 0.9, ("low", "prior"), "Rain."),
        ("low", (1.0, 3.0), float("nan"), (), "Rain."),
        ("not signed", (1.0, 3.0), 0.9, ("no signing",), "Rain."),
        ("not speech", (1.0, 3.0), 1.0, ("not speech",), "[RAIN]"),
        ("not speech", (1.0, 3.0), 1.0, ("locked",), "♪ …"),
        ("short", (1.0, 1.48), 1.0, (), "Rain."),
        ("long", (1.0, 9.1), 1.0, (), "Rain."),
        ("outside", (19.0, 20.04), 1.0, (), "Rain."),
        ("outside", (-0.04, 2.0), 1.0, (), "Rain."),
        ("outside", (1.0, 3.0), 1.0, ("outside",), "Rain."),
    ],
)
def test_why_a_cue_is_left_out(
    why: str | None, span: tuple[float, float], confidence: float, flags: tuple[str, ...], text: str
) -> None:
    cue = AlignedCue(1, text, Span(*span), confidence, flags)
    assert Keep(0.7, 0.5, 8.0).left_out(cue, 20.0) == why


def test_a_sample_knows_the_cue_before_kept_or_not() -> None:
    from signloom.corpora.episodes import Selection

    texts = ("Rain.", "[MUSIC]", "Snow.", "Sun.")
    flags: tuple[tuple[str, ...], ...] = ((), ("not speech",), ("low",), ())
    cues = tuple(
        AlignedCue(k + 1, text, Span(2.0 * k, 2.0 * k + 1), 0.2 if flag else 1.0, flag)
        for k, (text, flag) in enumerate(zip(texts, flags, strict=True))
    )
    episode = AlignedEpisode("0", Path("0.pose"), 20.0, cues)
    entries = Selection((episode, replace(episode, name="1"))).entries({"0": "train", "1": "dev"})
    assert [(e.text, e.previous) for e in entries] == [("Rain.", ""), ("Sun.", "Snow.")] * 2


def test_dev_episodes_stay_when_others_come() -> None:
    names = [f"show-{n}" for n in range(20)]
    dev = dev_episodes(names, 0.2)
    assert len(dev) == 4
    assert dev == dev_episodes(reversed(names), 0.2)
    assert len(dev - dev_episodes([*names, "another"], 0.2)) <= 1
    with pytest.raises(UsageError, match="--dev-share goes by episode, and 1 has cues"):
        dev_episodes(["one"], 0.2)


def test_timecode_and_the_source_pickles(episodes: Path, tmp_path: Path) -> None:
    """A report on a clock of 10:00:00 gives the same spans of the clip; the source holds no frames."""
    from signloom.corpora.episodes import Selection, read_report, sources

    said = json.loads((episodes / "0.report.json").read_text("utf-8"))
    there = read_report(episodes / "0.report.json", episodes / "0.pose")
    for cue in said["cues"]:
        cue["new"] = {key: value + 36000 for key, value in cue["new"].items()}
    (tmp_path / "r.json").write_text(json.dumps(said | {"timecode": 36000.0}))
    shifted = read_report(tmp_path / "r.json", episodes / "0.pose")
    for a, b in zip(there.cues, shifted.cues, strict=True):
        assert (a.span.start, a.span.end) == pytest.approx((b.span.start, b.span.end), abs=1e-6)
    source = sources(Selection((there,)).entries({"0": "train"}), HANDS42)["train"]
    packed = pickle.dumps(source)
    assert len(packed) < 30_000
    assert pickle.loads(packed)[1].id == source[1].id


def test_lips_beside_the_episodes_are_kept(
    episodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    arguments = (tmp_path / "0.pose", "-o", tmp_path / "s", "--layout", "hands42", "--lips")
    for name in ("0.pose", "0.report.json"):
        (tmp_path / name).symlink_to(episodes / name)
    assert run(monkeypatch, "corpus", *arguments) == 2
    assert "0.pose has no lips beside it, expected 0.lips.safetensors" in capsys.readouterr().err
    frames = len(read_pose(tmp_path / "0.pose"))
    numbered = np.repeat((np.arange(frames) % 251).astype(np.uint8), 96 * 96)
    lips = Lips(numbered.reshape(-1, 96, 96), np.ones(frames, bool), 25.0)
    write_lips(lips, tmp_path / "0.lips.safetensors")
    assert run(monkeypatch, "corpus", *arguments) == 0
    store = open_store(tmp_path / "s", lips=True)
    cues = cues_of(episodes / "0.report.json")
    for sample in (store[i] for i in range(len(store))):
        first = round(cues[sample.id]["new"]["start"] * 25)
        assert abs(int(sample.lips.frames[0, 0, 0]) - first % 251) <= 1
        sample.lips.aligned_with(sample.clip)


def test_what_cannot_be(
    episodes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pose, out = episodes / "0.pose", tmp_path / "s"
    best = max(
        cue["confidence"]
        for cue in cues_of(episodes / "0.report.json").values()
        if not {"prior", "no signing", "not speech"} & set(cue["flags"])
    )
    alone, stale, empty = tmp_path / "alone", tmp_path / "stale", tmp_path / "empty"
    for folder in (alone, stale, empty):
        folder.mkdir()
    shutil.copy(pose, alone / "0.pose")
    shutil.copy(pose, stale / "0.pose")
    (stale / "0.report.json").write_text('{"duration": 5.0, "cues": []}')
    (taken := tmp_path / "taken").mkdir()
    for code, text, arguments in [
        (2, "kept at --min-confidence 1: the best confidence is 0.9", (pose, "--min-confidence", 1)),
        (2, f"{alone / '0.pose'} has no report and no subtitles beside it", (alone,)),
        (3, f"{stale / '0.report.json'} is of 5.00 s of signing but", (stale,)),
        (2, f"the folder {empty} has no .pose file", (empty,)),
        (2, "are both called '0'", (episodes, stale)),
        (2, "is no .pose file and no folder", (episodes / "0.speech.vtt",)),
        (2, "both --split dev and --dev-share", (pose, "--split", "dev", "--dev-share", 0.1)),
        (2, "--min-confidence is 70, expected 0 to 1", (pose, "--min-confidence", 70)),
        (2, "the first not above the second", (pose, "--min-seconds", 30)),
    ]:  # fmt: skip
        assert run(monkeypatch, "corpus", *arguments, "-o", out) == code
        assert text in capsys.readouterr().err
        assert not out.exists()
    assert 0.9 <= best < 1
    (stale / "0.report.json").write_text('{"cues": [{"number": 1}]}')
    assert run(monkeypatch, "corpus", stale, "-o", out) == 4
    assert "is no report of signloom align (KeyError: 'new')" in capsys.readouterr().err
    assert run(monkeypatch, "corpus", pose, "-o", taken) == 2
    assert f"{taken} exists already" in capsys.readouterr().err

    # one episode of several that cannot be used is named, and the rest is written
    (alone / "0.pose").rename(alone / "two.pose")
    assert run(monkeypatch, "corpus", pose, alone, "-o", out) == 0
    said = capsys.readouterr()
    assert f"episode left out: {alone / 'two.pose'} has no report" in said.err
    assert "1 more could not be used" in said.out
    assert [clip.id for clip in open_store(out).left_out()] == ["two"]
