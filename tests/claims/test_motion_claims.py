"""LSLM's claims: tokenizers are scored by FID in a named encoder, language models also from aside and through noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from signloom.claims import arms as trained
from signloom.claims.arms import Job, Result, Test, found
from signloom.claims.catalogue import ALL, ARMS, scales_of
from signloom.claims.motions import Viewed, said_again
from signloom.claims.records import Part, jobs_of
from signloom.claims.run import _arm, decide
from signloom.corpora.store import StoreWriter
from signloom.data.layouts import SMPLX52
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import UsageError
from signloom.inference.evaluate import SHUFFLED
from signloom.methods import motion_tokens
from signloom.methods.motion_scores import HALVES
from signloom.methods.recipe import Recipe
from signloom.pose import motion623 as m
from signloom.training.checkpoint import save_checkpoint
from tests.methods.motions import motion
from tests.methods.test_posestitch import smooth_clip

TEXTS = ("the weather is cold", "do you eat bread", "my sister is a nurse", "we saw the house")
SAMPLES = [
    Sample(str(i), motion(i, 40), text, (GlossSpan(f"SIGN-{i}"),)) for i, text in enumerate(TEXTS)
]
RECEIPT = {"commit": "abc", "hardware": {}}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of the four motions, and a tokenizer in ``features``."""
    folder = tmp_path_factory.mktemp("kept")
    with StoreWriter(folder / "store", SMPLX52) as writer:
        for split in ("train", "dev", "test"):
            for sample in SAMPLES:
                writer.add(sample, split)
    model = motion_tokens.begin(
        replace(motion_tokens.PRESETS["tiny"], kind="fsq", depth=2), [], seed=0
    )
    save_checkpoint(folder / "features", {**model.described(), "simulated_only": False}, model)
    return folder


def recipe(kept: Path, method: str, **config: object) -> Recipe:
    store = str(kept / "store")
    return Recipe.model_validate({
        "name": "quick", "method": method, "preset": "tiny", "config": config,
        "data": {"train": {"store": store, "split": "train"}, "dev": {"store": store, "split": "dev"}},
        "training": {"steps": 2, "batch": 2, "validate_every": 2, "log_every": 1},
    })  # fmt: skip


def test_a_tokenizer_is_scored_in_the_encoder_that_its_record_names(
    kept: Path, tmp_path: Path
) -> None:
    source = {"store": str(kept / "store"), "split": "test"}
    job = Job(
        "few", recipe(kept, "motion-vq", codes=16), Test(source, 4, encoder=f"{kept}/features")
    )
    assert job.test.to_json()["encoder"] == f"{kept}/features"
    trained.train(job, tmp_path / "runs" / job.key, tmp_path, RECEIPT)
    result = found(job, tmp_path)
    assert result is not None
    scores = {score["name"]: score for score in result.record["metrics"]}
    assert {"FID", "MPJPE-hands", "PA-MPJPE-left_hand", "usage", "perplexity"} < set(scores)
    assert "encoder:motion-vq fsq 2x64 " in scores["FID"]["signature"]
    assert "|N:4|" in scores["FID"]["signature"]
    assert scores["FID"]["value"] > 0
    assert len(result.hypotheses[0]) == motion_tokens.PRESETS["tiny"].width
    beside, *_ = result.record["baselines"][SHUFFLED]
    assert beside["name"] == "MPJPE-hands"
    assert result.record["baselines"][HALVES][0]["name"] == "FID"
    other = motion_tokens.build(replace(motion_tokens.PRESETS["tiny"], reads="whole"))
    with pytest.raises(
        UsageError, match=r"reads 'signing' of layout 'smplx52', and the tokenizer 'whole'"
    ):
        said_again(other, SAMPLES, f"{kept}/features")
    shown = _arm([result])
    assert shown["scores"]["FID"] == [scores["FID"]["value"]]
    assert shown["shuffled"] == [beside["value"]]


def test_less_fid_is_better_and_motions_are_resampled() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=(80, 4)).round(4)

    def said(far: float, seed: int) -> Result:
        told = true + far * (1 + 0.01 * np.random.default_rng(seed).normal(size=(80, 4)))
        return Result(tuple(map(tuple, told.tolist())), tuple(map(tuple, true.tolist())), (), {})

    arms = {"near": [said(0.1, s) for s in range(3)], "far": [said(1.0, s) for s in range(3)]}
    verdict, (apart,) = decide(Part("ordered", ("near", "far"), "FID", least=0.1), arms)
    assert verdict.word == "holds"
    assert apart.mean == pytest.approx(400 * (1 - 0.01), rel=0.02)


def test_a_language_model_is_asked_from_aside_and_through_noise_too(
    kept: Path, tmp_path: Path
) -> None:
    source = {"store": str(kept / "store"), "split": "test"}
    wanted = recipe(kept, "lslm", tokens=str(kept / "features"), vocabulary=300, max_tokens=12)
    job = Job("quick", wanted, Test(source, 2))
    trained.train(job, tmp_path / "runs" / job.key, tmp_path, RECEIPT)
    usual = found(job, tmp_path)
    assert usual is not None
    names = {score["name"] for score in usual.record["metrics"]}
    assert {"BLEU-4", "CIDEr-D", "WER", "insertions", "deletions"} <= names
    assert set(usual.record["readings"]) == {"turned 30", "noise 2", "noise 5", "noise 10"}
    assert found(replace(job, reading="noise 5"), tmp_path) is not None
    assert len(_arm([usual])["shuffled"]) == 1


def test_a_camera_goes_round_the_signer_and_noise_keeps_bones() -> None:
    seen = Viewed(SAMPLES, turned=30.0)[1].clip
    own = SAMPLES[1].clip
    np.testing.assert_allclose(seen.points[..., 1], own.points[..., 1], atol=1e-5)
    joints = [c.points.astype(np.float64) * (1, -1, -1) for c in (own, seen)]
    assert np.abs(m.heading(joints[0]) - m.heading(joints[1])).max() == pytest.approx(
        np.radians(30), abs=1e-5
    )
    np.testing.assert_allclose(
        m.signing(m.features(joints[0])), m.signing(m.features(joints[1])), atol=1e-5
    )
    noisy = Viewed(SAMPLES, noise=5.0)
    moved = noisy[1].clip.points
    np.testing.assert_array_equal(moved, noisy[1].clip.points)
    assert 0.01 < np.linalg.norm(moved - own.points, axis=2).mean() < 0.2
    parents = list(m.PARENTS[1:])
    lengths = [np.linalg.norm(p[:, 1:] - p[:, parents], axis=2) for p in (own.points, moved)]
    np.testing.assert_allclose(*lengths, atol=1e-5)
    with pytest.raises(UsageError, match="a camera goes round 'smplx52' alone"):
        Viewed([Sample("flat", smooth_clip(1))], turned=1.0)[0]


def test_every_arm_of_lslm_is_a_whole_recipe_of_its_own() -> None:
    """Readings of an arm share its training; no two others do."""
    hashes: dict[str, list[str]] = {}
    for claim in (c for c in ALL.values() if c.paper == "lslm" and not c.needs):
        for job in jobs_of(claim.arms, ARMS, scales_of(claim)["tiny"], (1,)):
            assert job.recipe.settings()
            hashes.setdefault(job.recipe.hash(), []).append(job.arm)
    shared = {frozenset(arms) for arms in hashes.values() if len(set(arms)) > 1}
    assert shared == {
        frozenset({"joint, LLM", "noise 2°", "noise 5°", "noise 10°", "turned 30°"}),
        frozenset({"picture", "picture, turned 30°"}),
    }
