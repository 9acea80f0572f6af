"""AutoSign's claims: word error rate as a measure, arms that are whole, stores that cross what is kept apart."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from signloom.claims import arms as trained
from signloom.claims import page as pages
from signloom.claims.arms import Job, Result, Test, found
from signloom.claims.catalogue import ALL, ARMS, scales_of
from signloom.claims.gloss_stores import crossed, other
from signloom.claims.measures import MEASURES, corpus_score, counts
from signloom.claims.records import Part, jobs_of
from signloom.claims.run import SHOWN, _arm, decide, run_claim
from signloom.inference.evaluate import SHUFFLED
from signloom.methods.recipe import Recipe
from signloom.metrics.recognition import score_recognition
from signloom.simulator.corpora import SimulatedSentences

REFERENCES = tuple(f"A B{i} C D" for i in range(60))


def spoiled(share: float, seed: int) -> Result:
    """The references, but for one gloss of that share of them."""
    rng = np.random.default_rng(seed)
    said = tuple(r if rng.random() > share else f"X {r[2:]}" for r in REFERENCES)
    metrics = [score.to_json() for score in score_recognition(said, REFERENCES)]
    record = {
        "metrics": metrics, "baselines": {SHUFFLED: metrics}, "recipe_hash": f"{seed:064}", "n": 60,
        "simulated": True, "seconds": 1.0, "commit": "abc", "hardware": {},
        "cost": {"parameters": 10, "gmac": 0.1, "ms": 2.0},
    }  # fmt: skip
    return Result(said, REFERENCES, (), record)


def test_word_error_rate_counts_as_scores_do_and_less_is_better() -> None:
    results = {
        arm: [spoiled(share, seed) for seed in (1, 2, 3)]
        for arm, share in (("cnn", 0.1), ("raw", 0.9))
    }
    one = results["cnn"][0]
    counted = corpus_score(MEASURES["WER"], counts("WER", one.hypotheses, one.references))
    assert counted == pytest.approx(
        score_recognition(one.hypotheses, REFERENCES)[0].value, abs=1e-3
    )
    verdict, (apart,) = decide(Part("ordered", ("cnn", "raw"), "WER", least=1.0), results)
    assert verdict.word == "holds"
    assert apart.mean == pytest.approx(20, abs=6)
    turned, (apart,) = decide(Part("ordered", ("raw", "cnn"), "WER", least=1.0), results)
    assert turned.word == "fails"
    assert apart.mean < 0
    alike, _ = decide(
        Part("equivalent", ("cnn", "raw"), "WER", least=1.0), {"cnn": [one] * 3, "raw": [one] * 3}
    )
    assert alike.word == "holds"
    shown = _arm(results["cnn"])
    assert set(shown["scores"]) == {"WER", "substitutions", "deletions", "insertions"} <= set(SHOWN)
    assert shown["cost"] == one.record["cost"]
    assert shown["shuffled"] == shown["scores"]["WER"]


def test_the_page_shows_error_rates_and_what_they_cost(tmp_path: Path) -> None:
    beside = {"references": list(REFERENCES), "unseen": []}
    (tmp_path / "test-000000000000.json").write_text(json.dumps(beside))
    scale = scales_of(ALL["C2.3"])["tiny"]
    for arm, share, cpu in (("cnn", 0.1, "one cpu"), ("raw", 0.9, "other cpu")):
        for job in jobs_of((arm,), ARMS, scale, (1, 2, 3)):
            ran_on = "third cpu" if job.recipe.seed == 3 else cpu
            result = spoiled(share, job.recipe.seed)
            record = {
                **result.record, "recipe_hash": job.recipe.hash(), "recipe": job.recipe.resolved(),
                "test": {**job.test.to_json(), "sha256": "000000000000"},
                "hypotheses": list(result.hypotheses), "hardware": {"cpu": ran_on, "torch": "2"},
            }  # fmt: skip
            (tmp_path / f"{job.key}.json").write_text(json.dumps(record))
    receipt = {"commit": "abc", "hardware": {}}
    done = run_claim(ALL["C2.3"], "tiny", (1, 2, 3), tmp_path / "runs", tmp_path, receipt)
    assert done["verdict"]["word"] == "holds"
    assert "cnn        WER" in pages.said(ALL["C2.3"], done)
    text, _ = pages.page(tmp_path)
    section = text[text.index("### C2.3, tiny (simulated): holds") :]
    head = (
        "| WER | substitutions | deletions | insertions | shuffled input, WER | parameters | GMAC"
    )
    assert head in section
    assert "| 0.00 M | 0.1000 | 2.0 |" in section
    assert "on one cpu and other cpu and third cpu, one thread" in section
    assert "128 frames read as 6 glosses" in section
    assert "BLEU" not in section[: section.index("Means, and")]


def test_every_arm_of_autosign_is_a_whole_recipe_of_its_own() -> None:
    """Arms that are the base by another name alone have the base's hash."""
    base = {"body+hands", "cnn", "autosign", "neither seen"}
    hashes: dict[str, set[str]] = {}
    for claim in (c for c in ALL.values() if c.paper == "autosign" and not c.needs):
        assert {"tiny"} <= set(scales_of(claim)) & set(claim.scales)
        for name in set(scales_of(claim)) & set(claim.scales):
            for job in jobs_of(claim.arms, ARMS, scales_of(claim)[name], (1,)):
                what = f"{claim.base} {name} {'base' if job.arm in base else job.arm}"
                hashes.setdefault(what, set()).add(job.recipe.hash())
                job.recipe.settings()
    assert all(len(of_arm) == 1 for of_arm in hashes.values())
    assert len({next(iter(of_arm)) for of_arm in hashes.values()}) == len(hashes)


def test_a_second_language_has_the_same_sentences_and_other_signs() -> None:
    ours = SimulatedSentences("tiny", "test", other({"test": 2}, "tiny")["test"].source.layout)
    theirs = other({"test": 2}, "tiny")["test"]
    assert len(theirs) == 2
    assert theirs[0].language == "sim-2"
    assert not np.array_equal(theirs[0].clip.points, ours[0].clip.points)


def test_crossed_splits_have_the_ones_signers_and_the_others_sentences() -> None:
    of = {split: SimulatedSentences("tiny", split) for split in ("train", "test")}
    made = crossed(3, "tiny")
    assert len(made["signers"]) == 3
    assert len(made["sentences"]) == len(of["test"])
    first = made["signers"][0]
    assert first.text == of["train"].sentence(100).text
    assert 20_000 <= int(first.signer.rpartition("-")[2]) < 20_040
    seen = made["sentences"][7]
    assert seen.text == of["test"].sentence(7).text
    assert int(seen.signer.rpartition("-")[2]) < 400


def test_an_arm_that_writes_glosses_keeps_its_errors_and_what_it_costs(
    tmp_path: Path,
) -> None:
    recipe = Recipe.model_validate({
        "name": "quick", "method": "autosign", "preset": "tiny",
        "data": {
            "train": {"simulated": "sentences", "size": "tiny"}, "train_limit": 4,
            "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"}, "dev_limit": 2,
        },
        "training": {"steps": 1, "batch": 2, "validate_every": 1, "log_every": 1},
    })  # fmt: skip
    test = Test({"simulated": "sentences", "size": "tiny", "split": "test"}, 4)
    job = Job("quick", recipe, test)
    trained.train(job, tmp_path / "runs" / job.key, tmp_path, {"commit": "abc", "hardware": {}})
    kept = found(job, tmp_path)
    assert kept is not None
    assert kept.references == tuple(SimulatedSentences("tiny", "test").glosses()[:4])
    assert kept.has("WER")
    assert kept.unseen == ()
    cost = kept.record["cost"]
    assert cost["parameters"] > 200_000
    assert 0.005 < cost["gmac"] < 0.02
    assert cost["ms"] > 0
    assert kept.record["baselines"][SHUFFLED][0]["name"] == "WER"
