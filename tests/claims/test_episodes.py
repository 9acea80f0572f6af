"""Arms that align: what an episode counts, one training read in several ways, a claim judged over episodes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from signloom.claims import page as pages
from signloom.claims.arms import Job, Test, found, train, train_all
from signloom.claims.catalogue import ALL, ARMS, CLAIMS, SETTINGS, scales_of
from signloom.claims.episodes import (
    FPS,
    answers,
    by_program,
    episodes_in,
    placed,
    timing_scores,
)
from signloom.claims.measures import ALIGNMENT, MEASURES, corpus_score, counts
from signloom.claims.readings import READINGS, USUAL
from signloom.claims.records import ROOT, Scale, jobs_of
from signloom.claims.run import judge
from signloom.data.cue import Cue
from signloom.data.timing import Span
from signloom.inference.windows import Answer
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, read_recipe
from signloom.methods.unified import Config, begin
from signloom.metrics.translation import score_translation

TINY, WHOLE = SETTINGS["unified"]["tiny"], SETTINGS["unified, whole"]["tiny"]
NAMES = {
    scale.base: tuple(
        dict.fromkeys(a for c in ALL.values() if scale in scales_of(c).values() for a in c.arms)
    )
    for scale in (TINY, WHOLE)
}
RECEIPT = {"commit": "abc", "hardware": {"cpu": "a cpu", "torch": "2", "threads": 1}}


def cues_of(number: int) -> tuple[Cue, ...]:
    """A dozen cues, some in brackets."""
    rng = np.random.default_rng(number)
    starts = np.cumsum(rng.uniform(2, 6, 12))
    return tuple(
        Cue(Span(float(s), float(s + rng.uniform(0.5, 4))), "[NOT SIGNED]" if k % 5 == 4 else "a b")
        for k, s in enumerate(starts)
    )


def moved(cues: tuple[Cue, ...], off: float, seed: int) -> tuple[Span, ...]:
    """The cues' spans, each up to ``off`` seconds late."""
    by = np.random.default_rng(seed).uniform(0, off, len(cues))
    return tuple(c.span.shifted(round(float(b), 3)) for c, b in zip(cues, by, strict=True))


def test_what_episodes_count_sums_to_what_scores_say() -> None:
    cues = tuple(cues_of(number) for number in range(4))
    spans = tuple(moved(c, off, 1) for c, off in zip(cues, (0.3, 1.0, 2.0, 4.0), strict=True))
    scores = {score.name: score.value for score in timing_scores(spans, cues)}
    assert set(scores) == set(ALIGNMENT)
    for name in ALIGNMENT:
        counted = counts(name, spans, cues)
        assert len(counted) == 4
        assert corpus_score(MEASURES[name], counted) == pytest.approx(scores[name], abs=6e-4)
        assert 10 < scores[name] < 99


def test_plateaus_of_the_truth_are_placed_where_they_are_signed(tmp_path: Path) -> None:
    """Sure answers at the true times come back as these times, whatever the plateau."""
    (made,) = filmed(tmp_path)
    told = {
        k: Answer(0.0, FPS, np.zeros(0), ((cue.span, 1.0),)) for k, cue in enumerate(made.signing)
    }
    for flat in (0.0, 0.2, 0.4):
        scores = {
            s.name: s.value for s in timing_scores([placed(made, told, flat)], [made.signing])
        }
        assert scores["F1@.50"] == 100


def filmed(folder: Path) -> list[Any]:
    """Half a minute of an episode as ``signloom simulate episode`` writes it, read back."""
    from signloom.cli.simulate import write_episode
    from signloom.data.layouts import layout_named
    from signloom.simulator.episode import SimulatedEpisodes

    source = SimulatedEpisodes("tiny", "test", layout_named("ps76"))
    folder.mkdir(exist_ok=True)
    write_episode(source, folder, False, 0.5, 0)
    return episodes_in(folder)


@pytest.mark.parametrize(("scale", "trained"), [(TINY, 12), (WHOLE, 4)])
def test_every_arm_of_the_unified_model_is_a_recipe_and_a_reading_shares_its_arm_s(
    scale: Scale, trained: int
) -> None:
    names = NAMES[scale.base]
    keys = {job.arm: job.key for job in jobs_of(names, ARMS, scale, (1,))}
    read = {name for name in names if ARMS[name].reading}
    assert {name for name in names if keys[name] == keys["unified"]} == {"unified", *read}
    assert len(set(keys.values())) == len(names) - len(read) == trained
    assert {arm.reading for arm in ARMS.values()} == {"", *READINGS}
    measured = {p.metric for c in ALL.values() if scale in scales_of(c).values() for p in c.parts}
    assert scale.test.episodes or not measured & set(ALIGNMENT)


def test_each_task_alone_has_the_steps_and_the_samples_of_its_own_that_both_have() -> None:
    both, told, asked = (
        jobs_of((name,), ARMS, TINY, (1,))[0].recipe
        for name in ("unified", "translation alone", "alignment alone")
    )
    sentences, windows = both.data.train.mixed
    assert (told.data.train, asked.data.train) == (sentences.source, windows.source)
    assert told.training.stages == asked.training.stages == both.training.stages
    batch = both.training.batch
    assert told.training.batch == batch * sentences.percent / 100
    assert asked.training.batch == batch * windows.percent / 100


def test_the_backbone_of_the_base_is_that_of_the_recogniser_it_begins_with() -> None:
    recogniser = read_recipe(ROOT / "recipes/claims/isolated-for-unified-tiny.yaml")
    base = jobs_of(("unified",), ARMS, WHOLE, (1,))[0].recipe
    theirs, ours = recogniser.resolved()["config"], base.resolved()["config"]
    for key in (
        "layout", "streams", "channels", "multipliers", "aggregation", "factored", "adaptive", "width",
        "layers", "heads", "head_width", "presence",
    ):  # fmt: skip
        assert theirs[key] == ours[key], key


def test_every_mapping_reads_a_whole_window_at_one_token_for_four_frames() -> None:
    """Of 12.5 frames a second, which are 6.25 features."""
    mappings = ("unified", "shuffle", "convolution", "mlp")
    cases = [(name, TINY, (125, 64, 1), 63) for name in mappings]
    cases += [("unified", WHOLE, (250, 76, 3), 63), ("10 s", WHOLE, (125, 76, 3), 32)]
    for name, scale, shape, tokens in cases:
        recipe = jobs_of((name,), ARMS, scale, (1,))[0].recipe
        model = begin(Config.of(recipe.resolved()["config"]), ["a small text"], 1).eval()
        there = torch.ones(1, shape[0], dtype=torch.bool)
        found, _ = model.tokens(torch.zeros(1, *shape), there, torch.zeros(1, 0, 88, 88))
        assert found.shape[1] == tokens, name


def quick(test: Test, reading: str = "") -> Job:
    recipe = {
        "name": "quick", "method": "unified", "preset": "tiny",
        "config": {"channels": 4, "width": 16, "heads": 1, "head_width": 8, "language_width": 16,
                   "language_inner": 16, "language_layers": 1, "vocabulary": 120, "max_tokens": 8},
        "data": {
            "train": {"mixed": [
                {"percent": 80, "source": {"simulated": "sentences", "size": "tiny"}},
                {"percent": 20, "source": {"episodes": test.episodes}},
            ]},
            "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"}, "dev_limit": 2,
        },
        "training": {"steps": 2, "batch": 2, "validate_every": 2, "log_every": 1},
    }  # fmt: skip
    return Job(reading or "quick", Recipe.model_validate(recipe), test, reading)


def test_an_arm_is_trained_once_and_read_in_every_way(tmp_path: Path) -> None:
    (made,) = filmed(tmp_path / "episodes")
    test = Test(
        {"simulated": "sentences", "size": "tiny", "split": "test"}, 3, str(tmp_path / "episodes")
    )
    runs, results = tmp_path / "runs", tmp_path / "results"
    read = [
        name
        for name, reading in READINGS.items()
        if reading.share == 1 and not (reading.turned or reading.noise)
    ]
    jobs = [quick(test, name) for name in ("", *read)]
    said: list[str] = []
    assert list(train_all(jobs, runs, results, RECEIPT, 2, said.append)) == [jobs[0]]
    assert said == ["quick, seed 42: done"]
    have = {job.reading: found(job, results) for job in jobs}
    model = load(runs / jobs[0].key / "best")
    told = answers(model, made)
    other = {"in the program": by_program(made, told), "program alone": by_program(made, {})}
    for name, result in have.items():
        assert result is not None
        assert result.cues == (tuple(replace(cue, id="") for cue in made.signing),)
        flat = READINGS.get(name, USUAL).flat
        assert result.spans == (other.get(name) or placed(made, told, flat),)
        assert len(result.hypotheses) == len(result.references) == 3
        scores = {s["name"]: s["value"] for s in result.record["metrics"]}
        for metric in ALIGNMENT:
            counted = counts(metric, result.spans, result.cues)
            assert corpus_score(MEASURES[metric], counted) == pytest.approx(
                scores[metric], abs=6e-4
            )
        bleu = score_translation(list(result.hypotheses), list(result.references))[3]
        assert (bleu.name, round(bleu.value, 4)) == ("BLEU-4", scores["BLEU-4"])
    # Without episodes, or with a reading that the record lacks, it is another test.
    assert found(replace(jobs[0], test=replace(test, episodes="")), results) is None
    path = results / f"{jobs[0].key}.json"
    record = json.loads(path.read_text())
    del record["readings"]["greedy"]
    path.write_text(json.dumps(record))
    assert found(quick(test, "greedy"), results) is None
    trained = (runs / jobs[0].key / "log.jsonl").read_bytes()
    train(quick(test, "greedy"), runs / jobs[0].key, results, RECEIPT)  # reads, and trains nothing
    assert found(quick(test, "greedy"), results) is not None
    assert (runs / jobs[0].key / "log.jsonl").read_bytes() == trained


def planted(folder: Path, off: dict[str, float]) -> None:
    """Records of 'unified' as `claims run` leaves them; each reading's spans are late by so much."""
    texts = [f"the {a} sees the {b}" for a in "abcd" for b in "efgh"]
    cues = [cues_of(number) for number in range(20)]
    bleu = [score.to_json() for score in score_translation(texts, texts)]
    repeated = [{"name": f"repetition-{n}", "value": 1.0, "signature": "x"} for n in (1, 2)]
    for job in jobs_of(("unified",), ARMS, TINY, (1, 2, 3)):
        read = {}
        for name, by in off.items():
            spans = [moved(c, by, 100 * job.recipe.seed + n) for n, c in enumerate(cues)]
            read[name] = {
                "metrics": [score.to_json() for score in timing_scores(spans, cues)],
                "spans": [[[s.start, s.end] for s in one] for one in spans],
            }
        usual = read.pop("")
        record = {
            "recipe_hash": job.recipe.hash(), "seed": job.recipe.seed, "recipe": job.recipe.resolved(),
            "test": {**job.test.to_json(), "sha256": "0" * 12}, "simulated": True, "n": len(texts),
            "metrics": [*bleu, *repeated, *usual["metrics"]], "seconds": 300.0, **RECEIPT,
            "baselines": {"shuffled input": bleu, "input timing": usual["metrics"]},
            "hypotheses": texts, "spans": usual["spans"], "readings": read,
        }  # fmt: skip
        (folder / f"{job.key}.json").write_text(json.dumps(record))
    beside = {
        "references": texts,
        "unseen": [],
        "cues": [[[c.span.start, c.span.end, c.text] for c in one] for one in cues],
    }
    (folder / f"test-{'0' * 12}.json").write_text(json.dumps(beside))


def test_a_claim_of_readings_is_judged_over_episodes(tmp_path: Path) -> None:
    claim = CLAIMS["C3.10"]
    planted(tmp_path, {"": 0.5, "plateau 0": 0.5, "plateau .4": 0.5})
    done = judge(claim, "tiny", (1, 2, 3), tmp_path)
    assert done["verdict"]["word"] == "holds"
    planted(tmp_path, {"": 0.5, "plateau 0": 3.0, "plateau .4": 0.5})
    done = judge(claim, "tiny", (1, 2, 3), tmp_path)
    assert done["verdict"]["word"] == "fails"
    first, second = (part["differences"][0] for part in done["parts"])
    assert first["mean"] > 5
    assert second["mean"] == 0
    assert done["arms"]["plateau 0"]["episodes"] == 20
    assert list(done["timing"]) == ["input timing"]
    (tmp_path / "C3.10-tiny.json").write_text(
        json.dumps({**done, "judged": "2026-01-01", "commit": "abc"})
    )
    text, _ = pages.page(tmp_path)
    assert "95 % over seeds and episodes |" in text
    assert "N 16 and 20 episodes, seeds 1, 2, 3; F1@.50 `protocol:bull2021" in text
    assert "Without a model F1@.50 is" in text
    assert "F1@.50" in pages.said(claim, done)
