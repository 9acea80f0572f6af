"""Arms that answer with a partner: two recipes, each trained once, one record, each share read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from signloom.claims import arms
from signloom.claims.arms import KEPT, Job, Test, found, train, train_all
from signloom.claims.catalogue import ARMS, CLAIMS, SETTINGS
from signloom.claims.records import jobs_of
from signloom.inference.fusion import Fused
from signloom.methods.load import load
from signloom.methods.recipe import Recipe
from signloom.simulator.corpora import SimulatedWords

RECEIPT = {"commit": "abc", "hardware": {"cpu": "a cpu", "torch": "2", "threads": 1}}
NET = {
    "frames": 4, "width": 8, "layers": 1, "heads": 1, "head_width": 8, "auxiliary": 0.0, "layout": "ps76",
}  # fmt: skip
OF_READER = {"pose": {"channels": 4, "multipliers": [1, 1, 1, 1]}, "lips": {}}


def recogniser(reads: str, steps: int = 2) -> Recipe:
    source = {"simulated": "words", "size": "tiny", "lips": reads == "lips"}
    return Recipe.model_validate(
        {
            "name": reads, "method": "isolated", "preset": "small",
            "config": {**NET, **OF_READER[reads], "reads": reads},
            "data": {"train": source, "dev": {**source, "split": "dev"}, "dev_limit": 2},
            "training": {"steps": steps, "batch": 2, "validate_every": steps, "log_every": 1},
        }
    )  # fmt: skip


def quick(reading: str = "") -> Job:
    test = Test({"simulated": "words", "size": "tiny", "split": "test", "lips": True}, 6)
    return Job(reading or "pose", recogniser("pose"), test, reading, recogniser("lips"))


def test_both_are_trained_once_and_read_together_at_each_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(command: list[str], **_: object) -> SimpleNamespace:
        arms.main(command[3:])  # what a process of its own would do
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(arms.subprocess, "run", here)
    runs, results = tmp_path / "runs", tmp_path / "results"
    jobs = [quick(), quick("fused .5"), quick("fused .9")]
    assert list(train_all(jobs, runs, results, RECEIPT)) == [jobs[0]]
    folders = [runs / recipe.hash()[:KEPT] for recipe in jobs[0].recipes]
    pose, lips = (load(folder / "best") for folder in folders)
    samples = SimulatedWords("tiny", "test", pose.layout, lips=True)
    clips, mouths = zip(*((samples[i].clip, samples[i].lips) for i in range(6)), strict=True)
    for job, share in zip(jobs, (1.0, 0.5, 0.9), strict=True):
        told = found(job, results)
        assert told is not None
        expected = Fused(pose, lips, share).recognize(clips, 1, mouths)
        assert told.hypotheses == tuple(each.candidates[0].gloss for each in expected)
        assert told.references == tuple(samples.texts()[:6])
    # The record is of both: neither the pose alone nor another partner finds it.
    assert found(replace(quick(), partner=None), results) is None
    assert found(replace(quick(), partner=recogniser("lips", 3)), results) is None
    path = results / f"{jobs[0].key}.json"
    path.rename(results / f"{'0' * KEPT}.json")  # as one whose hash was another then
    assert found(jobs[1], results) is not None
    logs = [(folder / "log.jsonl").read_bytes() for folder in folders]
    train(jobs[0], runs / jobs[0].key, results, RECEIPT)  # reads again, and trains nothing
    assert [(folder / "log.jsonl").read_bytes() for folder in folders] == logs
    assert json.loads(path.read_text())["partner"]["config"]["reads"] == "lips"


def test_the_arms_of_a_fusion_are_readings_of_one_training_a_seed() -> None:
    claim = CLAIMS["C3.5"]
    jobs = jobs_of(claim.arms, ARMS, SETTINGS["pose and lips"]["tiny"], (1, 2))
    assert len({job.key for job in jobs}) == 2
    for job in jobs:
        assert job.partner is not None
        assert job.partner.seed == job.recipe.seed
        assert job.partner.settings().to_json()["reads"] == "lips"
    (full,) = jobs_of(("full",), ARMS, SETTINGS["isolated"]["tiny"], (1,))
    assert full.recipe.hash() == jobs[0].recipe.hash()  # not trained for this claim alone
    assert full.key != jobs[0].key
