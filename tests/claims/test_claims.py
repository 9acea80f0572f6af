"""Claims as code: all of the spec's are there, arms differ in what they say, records decide, the page is current."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from signloom.claims import arms
from signloom.claims import page as pages
from signloom.claims.arms import Job, Result, Test, found, train_all
from signloom.claims.catalogue import (
    ALL,
    ARMS,
    CLAIMS,
    PAPERS,
    QUESTIONS,
    SETTINGS,
    claim_named,
    scales_of,
)
from signloom.claims.measured import Measured, judged
from signloom.claims.measures import MEASURES, corpus_score, counts
from signloom.claims.papers import autosign, embeddings, lslm, posestitch, semtext
from signloom.claims.records import RESULTS, ROOT, Part, jobs_of, mean_real, recipe_of
from signloom.claims.run import bucketed, decide, jobs, judge, run_claim
from signloom.cli.main import main
from signloom.errors import MediaError, SignloomError, UsageError
from signloom.methods.recipe import Recipe
from signloom.metrics.translation import score_translation

TINY = SETTINGS["posestitch"]["tiny"]
SPEC = {"C1": 4, "C2": 4, "C3": 12, "C4": 4, "C5": 5}
RECEIPT = {"commit": "abc", "hardware": {"cpu": "a cpu", "torch": "2", "threads": 1}}
REFERENCES = [
    f"the {a} sees the {b} near the {c} today" for a in "abcdef" for b in "ghij" for c in "kl"
]


def test_all_29_claims_of_the_spec_are_listed() -> None:
    expected = [f"{paper}.{n}" for paper, count in SPEC.items() for n in range(1, count + 1)]
    assert list(CLAIMS) == expected
    assert len(CLAIMS) == 29
    assert {claim.paper for claim in CLAIMS.values()} == set(PAPERS)
    assert all(name.startswith("F") for name in QUESTIONS)


def test_a_claim_that_can_be_run_has_its_arms_and_one_that_cannot_says_what_it_needs() -> None:
    for claim in ALL.values():
        assert bool(claim.parts) != bool(claim.measured)
        assert bool(claim.needs) != bool(scales_of(claim))
        if not claim.needs:
            assert set(claim.arms) <= set(ARMS)
            assert {part.metric for part in claim.parts} <= set(MEASURES)
    assert sum(len(f.ARMS) for f in (autosign, embeddings, lslm, posestitch, semtext)) == len(ARMS)
    equivalent = {c.id for c in CLAIMS.values() for p in c.parts if p.kind == "equivalent"}
    assert equivalent == {"C2.2", "C3.8", "C3.10", "C4.4"}


def test_arms_differ_from_their_base_in_what_they_say_and_in_nothing_else() -> None:
    base = recipe_of(ARMS["swo"], TINY, 1).resolved()
    changed = {
        name: {
            f"{part}.{key}"
            for part in ("data", "curriculum", "training", "config")
            for key, value in recipe_of(ARMS[name], TINY, 1).resolved()[part].items()
            if value != base[part][key]
        }
        for name in ("none", "rwo", "fixed", "disjoint")
    }
    assert changed == {
        "none": {"data.synthetic"},
        "rwo": {"data.synthetic"},
        "fixed": {"curriculum.kind", "curriculum.cap"},
        "disjoint": {"curriculum.kind", "curriculum.cap", "curriculum.steps", "training.restart"},
    }
    rwo = recipe_of(ARMS["rwo"], TINY, 1).resolved()["data"]["synthetic"]
    assert {key for key, value in rwo.items() if value != base["data"]["synthetic"][key]} == {
        "order"
    }


@pytest.mark.parametrize("scale", list(SETTINGS["posestitch"]))
def test_curricula_are_compared_on_as_many_real_batches(scale: str) -> None:
    found_ = {}
    for name in ("swo", "fixed", "disjoint"):
        found_[name] = mean_real(recipe_of(ARMS[name], SETTINGS["posestitch"][scale], 1))
    assert found_["fixed"] == pytest.approx(found_["swo"], abs=1e-3)
    assert found_["disjoint"] == pytest.approx(found_["swo"], abs=1e-3)
    assert 0.3 < found_["swo"] < 0.9


def test_every_arm_at_every_scale_is_a_whole_recipe_of_its_own() -> None:
    for name, scale in SETTINGS["posestitch"].items():
        claims = [c for c in ALL.values() if c.paper == "posestitch" and name in c.scales]
        names = tuple({arm for claim in claims for arm in claim.arms})
        hashes = [job.recipe.hash() for job in jobs_of(names, ARMS, scale, (1, 2))]
        assert len(set(hashes)) == len(hashes) > 0
    with pytest.raises(UsageError, match=r"there is no arm 'sow' \(did you mean 'swo'\?\)"):
        jobs_of(("sow",), ARMS, TINY, (1,))


def test_what_claims_count_is_what_scores_say() -> None:
    rng = np.random.default_rng(1)
    hypotheses = [" ".join(rng.permutation(r.split())[:7]) for r in REFERENCES]
    scores = {s.name: s.value for s in score_translation(hypotheses, REFERENCES)}
    for name in ("BLEU-4", "content-F1"):
        counted = corpus_score(MEASURES[name], counts(name, tuple(hypotheses), tuple(REFERENCES)))
        assert counted == pytest.approx(scores[name], abs=6e-4)


def spoiled(share: float, seed: int) -> list[str]:
    """The references, that share of them with their words turned round."""
    rng = np.random.default_rng(seed)
    return [r if rng.random() > share else " ".join(reversed(r.split())) for r in REFERENCES]


def planted(folder: Path, shares: dict[str, float], seeds: tuple[int, ...] = (1, 2, 3)) -> None:
    """Records as `claims run` leaves them, of arms that turn that share of the sentences round."""
    folder.mkdir(parents=True, exist_ok=True)
    unseen = [0.0, 0.2, 0.3, 0.5] * (len(REFERENCES) // 4)
    beside = {"references": REFERENCES, "unseen": unseen}
    (folder / "test-000000000000.json").write_text(json.dumps(beside))
    for job in jobs_of(tuple(shares), ARMS, TINY, seeds):
        hypotheses = spoiled(shares[job.arm], 10 * job.recipe.seed + len(job.arm))
        scores = [s.to_json() for s in score_translation(hypotheses, REFERENCES)]
        repeated = [{"name": f"repetition-{n}", "value": 1.0, "signature": "x"} for n in (1, 2)]
        record = {
            "recipe_hash": job.recipe.hash(), "seed": job.recipe.seed, "recipe": job.recipe.resolved(),
            "test": {**job.test.to_json(), "sha256": "000000000000"}, "simulated": True,
            "n": len(REFERENCES), "metrics": [*scores, *repeated], "seconds": 150.0, **RECEIPT,
            "baselines": {"shuffled input": [scores[3]]}, "hypotheses": hypotheses,
        }  # fmt: skip
        (folder / f"{job.key}.json").write_text(json.dumps(record))


def test_a_claim_is_judged_from_its_records_and_nothing_is_trained(tmp_path: Path) -> None:
    planted(tmp_path, {"swo": 0.1, "rwo": 0.4, "none": 0.8})
    done = run_claim(CLAIMS["C1.2"], "tiny", (1, 2, 3), tmp_path / "runs", tmp_path, RECEIPT)
    assert done["verdict"]["word"] == "holds"
    assert [d["better"] for part in done["parts"] for d in part["differences"]] == ["swo", "rwo"]
    assert not (tmp_path / "runs").exists()
    assert pages.status(CLAIMS["C1.2"], tmp_path) == "holds (tiny)"
    text, plots = pages.page(tmp_path)
    assert "### C1.2, tiny (simulated): holds" in text
    assert "| swo − rwo | BLEU-4 |" in text
    assert "seeds 1, 2, 3" in text
    assert list(plots) == ["claims-C1.2-tiny.svg"]
    assert plots["claims-C1.2-tiny.svg"].count("<circle") == 9


def test_a_claim_whose_arms_are_alike_or_turned_round_does_not_hold(tmp_path: Path) -> None:
    planted(tmp_path, {"swo": 0.8, "none": 0.1})
    done = judge(CLAIMS["C1.1"], "tiny", (1, 2, 3), tmp_path)
    assert done["verdict"]["word"] == "fails"
    planted(tmp_path, {"swo": 0.4, "none": 0.4})
    done = judge(CLAIMS["C1.1"], "tiny", (1, 2, 3), tmp_path)
    assert done["verdict"]["word"] == "undecided"
    assert done["verdict"]["smallest"] > 2.0
    assert done["verdict"]["seeds"] is None or done["verdict"]["minutes"] > 0
    told = pages.said(CLAIMS["C1.1"], done)
    assert "the smallest effect that would have been seen" in told
    assert "deciding it would take" in told


def test_arms_that_were_not_run_are_named(tmp_path: Path) -> None:
    planted(tmp_path, {"swo": 0.1, "none": 0.8}, (1, 2))
    with pytest.raises(
        UsageError, match=r"not run: swo \(seed 3\), none \(seed 3\); `signloom clai"
    ):
        judge(CLAIMS["C1.1"], "tiny", (1, 2, 3), tmp_path)
    with pytest.raises(UsageError, match=r"seeds are 1, 2; a verdict takes 3 different ones"):
        jobs(CLAIMS["C1.1"], "tiny", (1, 2))
    with pytest.raises(UsageError, match=r"C2\.4 cannot be run yet: needs the weights of Ara"):
        jobs(CLAIMS["C2.4"], "tiny", (1, 2, 3))
    with pytest.raises(UsageError, match=r"there is no claim 'C1\.9' \(did you mean 'C"):
        claim_named("C1.9")


def test_a_record_is_found_by_what_its_recipe_means(tmp_path: Path) -> None:
    """A setting added later does not orphan it; a default that changed, or another test, does."""
    planted(tmp_path, {"none": 0.5}, (1,))
    (job,) = jobs_of(("none",), ARMS, TINY, (1,))
    path = tmp_path / f"{job.key}.json"
    record = json.loads(path.read_text())
    del record["recipe"]["training"]["restart"], record["recipe"]["config"]["label_smoothing"]
    older = tmp_path / f"{'0' * 16}.json"
    older.write_text(json.dumps(record))
    path.unlink()
    kept = found(job, tmp_path)
    assert kept is not None
    assert kept.references == tuple(REFERENCES)
    assert found(Job("none", job.recipe, Test(job.test.source, 7)), tmp_path) is None
    record["recipe"]["training"]["clip"] = 0.5
    older.write_text(json.dumps(record))
    assert found(job, tmp_path) is None
    path.write_text("{")
    with pytest.raises(MediaError, match="is no record of a claim"):
        found(job, tmp_path)


def test_what_a_benchmark_measured_once_is_judged_without_seeds(tmp_path: Path) -> None:
    claim = CLAIMS["C3.12"]
    assert jobs(claim, "tiny", ()) == []
    done = run_claim(claim, "tiny", (1, 2, 3), tmp_path / "runs", tmp_path, RECEIPT)
    committed = json.loads((ROOT / "results/dense-features.json").read_text())
    for name in ("forward", "training step"):
        once, each = (
            committed[name][way]["peak_gb"] for way in ("graphs once", "graphs in each window")
        )
        assert done["measured"]["factors"][name] == pytest.approx(each / once, abs=5e-4)
        assert f"{name} {each / once:.1f} times" in pages.said(claim, done)
    assert done["verdict"]["word"] == "holds"
    assert done["seeds"] == []
    assert pages.status(claim, tmp_path) == "holds (tiny, measured once, no seeds)"
    text, plots = pages.page(tmp_path)
    assert plots == {}
    assert "| **holds**, measured once, no seeds |" in text
    assert "### C3.12 (measured once, no seeds): holds" in text
    assert "`python -m benchmarks.dense_features -o results/dense-features.json`" in text


def test_a_measurement_that_falls_short_is_missing_or_is_another(tmp_path: Path) -> None:
    what = Measured("python bench.py", "r.json", ("a", "b"), "old", "new", "gb", "GB", least=3.0)
    with pytest.raises(UsageError, match=r"r\.json is not there; run `python bench\.py` in"):
        judged(what, tmp_path)
    made: dict[str, Any] = {"commit": "c", "hardware": {}}
    made |= {"a": {"old": {"gb": 9}, "new": {"gb": 3}}, "b": {"old": {"gb": 5.8}, "new": {"gb": 2}}}
    (tmp_path / "r.json").write_text(json.dumps(made))
    found_ = judged(what, tmp_path)
    assert found_["verdict"]["word"] == "fails"
    assert found_["measured"]["factors"] == {"a": 3.0, "b": 2.9}
    for wrong in ({**made, "b": {"old": {"gb": 5}}}, {**made, "a": made["a"] | {"new": {"gb": 0}}}):
        (tmp_path / "r.json").write_text(json.dumps(wrong))
        with pytest.raises(MediaError, match="is no record of `python bench"):
            judged(what, tmp_path)


def test_unseen_signs_fall_into_buckets_and_a_planted_fall_is_seen() -> None:
    shares = [0.0] * 40 + [0.2] * 40 + [1 / 3] * 40 + [0.5] * 4
    at = bucketed(shares)
    assert {name: len(places) for name, places in at.items()} == {
        "0": 40,
        "to 1/5": 40,
        "to 1/3": 44,
    }
    right = "the red dog sees a small cat"
    rng = np.random.default_rng(4)
    results = [
        Result(
            tuple(right if rng.random() > share else "a bird flies" for share in shares),
            (right,) * len(shares),
            tuple(shares),
            {},
        )
        for _ in range(3)
    ]
    part = Part("falling", ("swo",), "content-F1", least=1.0)
    flat = [Result(r.references, r.references, r.unseen, {}) for r in results]
    verdict, differences = decide(part, {"swo": results})
    assert [(d.better, d.worse) for d in differences] == [
        ("swo, 0", "to 1/5"),
        ("swo, to 1/5", "to 1/3"),
    ]
    assert differences[0].mean > 0
    assert verdict.word in ("holds", "undecided")
    assert decide(part, {"swo": flat})[0].word == "fails"
    with pytest.raises(UsageError, match="has no glosses"):
        bucketed([])


def quick_job(steps: int = 2) -> Job:
    recipe = {
        "name": "quick", "method": "posestitch", "preset": "tiny",
        "config": {"width": 16, "front": 16, "decoder_width": 16, "vocabulary": 120},
        "data": {
            "train": {"simulated": "sentences", "size": "tiny"}, "train_limit": 4,
            "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"}, "dev_limit": 2,
        },
        "training": {"steps": steps, "batch": 2, "validate_every": 1, "log_every": 1},
    }  # fmt: skip
    test = Test({"simulated": "sentences", "size": "tiny", "split": "test"}, 5)
    return Job("quick", Recipe.model_validate(recipe), test)


def test_an_arm_trains_in_a_process_of_its_own_and_is_not_trained_twice(tmp_path: Path) -> None:
    job, runs, results = quick_job(), tmp_path / "runs", tmp_path / "results"
    said: list[str] = []
    assert list(train_all([job, job], runs, results, RECEIPT, 2, said.append)) == [job]
    assert said == ["quick, seed 42: done"]
    kept = found(job, results)
    assert kept is not None
    record = kept.record
    assert (record["n"], record["commit"], record["hardware"]) == (5, "abc", RECEIPT["hardware"])
    assert {s["name"] for s in record["metrics"]} >= {"BLEU-4", "content-F1", "repetition-1"}
    assert len(kept.hypotheses) == len(kept.references) == len(kept.unseen) == 5
    assert 0 < sum(kept.unseen)  # four sentences do not hold all signs
    assert record["seconds"] > 0
    trained = yaml.safe_load((runs / job.key / "recipe.yaml").read_text())
    assert Recipe.model_validate(trained).hash() == job.recipe.hash()
    weights = record["weights"]
    (results / f"{job.key}.json").unlink()  # as if killed before it was scored
    (runs / job.key / "job.yaml").unlink()
    arms.train(job, runs / job.key, results, RECEIPT)
    again = found(job, results)
    assert again is not None
    assert again.record["weights"] == weights


def test_an_arm_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = quick_job().recipe.model_dump(mode="json")
    recipe["data"]["train"] = {"store": str(tmp_path / "gone")}
    job = Job("lost", Recipe.model_validate(recipe), quick_job().test)
    monkeypatch.setattr(arms.sys, "executable", "/bin/false")
    with pytest.raises(
        SignloomError, match=r"1 of 1 arms failed: lost, seed 42: no word \(exit 1,"
    ):
        list(train_all([job], tmp_path / "runs", tmp_path, RECEIPT))
    asked = tmp_path / "runs" / job.key / "job.yaml"  # what the process was to read
    with pytest.raises(SystemExit, match=r"signloom: .*gone"):
        arms.main(["lost", str(asked), str(tmp_path)])


def test_the_page_is_current() -> None:
    text, plots = pages.page(RESULTS)
    how = "run `python -m signloom.claims.page`"
    assert (ROOT / pages.PAGE).read_text() == text, how
    images = ROOT / pages.IMAGES
    assert {p.name: p.read_text() for p in images.glob("claims-*.svg")} == plots, how


REJUDGE = """
import json
from signloom.claims import page
from signloom.claims.catalogue import ALL
from signloom.claims.records import RESULTS
from signloom.claims.run import judge

for claim in ALL.values():
    for record in page.kept(claim):
        again = json.loads(json.dumps(judge(claim, record["scale"], record["seeds"], RESULTS)))
        if {key: record[key] for key in again} != again:
            print(claim.id)
"""


def test_every_committed_verdict_follows_from_committed_arms() -> None:
    """In a process where calls are not type-checked: a million of them would be."""
    told = subprocess.run(
        [sys.executable, "-c", REJUDGE], capture_output=True, text=True, check=True
    )
    assert not told.stdout, "run these claims again"


def test_the_command_lists_shows_and_plans(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted(tmp_path, {"swo": 0.1, "none": 0.8})
    where = ["--results", str(tmp_path)]

    def told(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["claims", *arguments, *where])
        assert not ended.value.code
        return capsys.readouterr().out

    listed = told("list")
    assert [i for i in ALL if f"  {i} " not in listed] == []
    assert "not yet: needs the weights of AraGPT2-base" in listed
    assert "9 arms and seeds, 3 to be trained, about 8 minutes" in told(
        "run", "C1.2", "--scale", "tiny", "--dry-run"
    )
    assert "not testable here: needs iSign" in told("run", "C1.2", "--scale", "paper")
    assert "C1.1 at scale tiny: holds" in told("run", "c1.1", "--scale", "tiny")
    shown = json.loads(told("show", "C1.1", "--json"))
    assert shown[0]["status"] == "holds (tiny)"
    assert shown[0]["runs"][0]["seeds"] == [1, 2, 3]
    assert "not yet: needs the weights of Llama-3.2-3B and Qwen2.5-3B" in told("show", "C5.4")
