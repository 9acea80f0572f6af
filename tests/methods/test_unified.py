"""The unified model: one prompt says the sentence, another when it is signed; learning, padding, adapters, coming back."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from signloom.data.clip import PoseClip
from signloom.data.features import features_clip, features_of
from signloom.data.layouts import MP203, PS76, Layout
from signloom.data.lips import Lips
from signloom.data.sample import Sample
from signloom.data.timing import Span
from signloom.encoders.lip_backbone import SmallLipEncoder
from signloom.errors import MediaError, UsageError
from signloom.inference.features import featured
from signloom.inference.locate import Locator, Query
from signloom.inference.translate import Translator
from signloom.language.t5 import Base, T5Shape, train_codec
from signloom.methods import isolated, unified
from signloom.methods.finetune import begin_with
from signloom.methods.listening import heard
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, run_recipe
from signloom.methods.unified import PRESETS, Config, Unified, begin
from signloom.training.checkpoint import save_checkpoint
from signloom.training.fit import fit
from signloom.training.mixing import Mixture
from signloom.training.stages import Plan, Stage

TEXTS = [
    "The weather is cold.",
    "Do you eat bread?",
    "My sister is a nurse.",
    "We saw the red house!",
]
TINY = dataclasses.replace(PRESETS["tiny"], vocabulary=120, layout="ps76")
SEEN = ("points", "mouths")
SPANS = (Span(1.0, 3.2), Span(2.0, 3.0), Span(0.4, 2.4), Span(3.0, 3.8))


def clip(seed: int, frames: int = 100, layout: Layout = PS76) -> PoseClip:
    """Keypoints that swing slowly around their own places, in pixels."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, frames)[:, None, None]
    points = 200 + 60 * rng.standard_normal((1, len(layout), 3))
    for wave in range(1, 4):
        size = rng.standard_normal((1, len(layout), 3))
        points = points + 20 * size * np.sin(2 * np.pi * (wave * time + rng.random((1, 1, 3))))
    confidence = np.ones((frames, len(layout)), np.float32)
    return PoseClip(points.astype(np.float32), confidence, 25.0, layout, id=f"clip-{seed}")


def samples() -> list[Sample]:
    """Four sentences to translate, and the same four to find in a clip."""
    told = [Sample(str(i), clip(i, 60 + 6 * i), text) for i, text in enumerate(TEXTS)]
    asked = [
        Sample(f"when-{i}", clip(10 + i), text, span=span, prior=Span(0.2, 1.2))
        for i, (text, span) in enumerate(zip(TEXTS, SPANS, strict=True))
    ]
    return told + asked


@pytest.fixture(scope="module")
def learnt() -> Unified:
    model = begin(TINY, TEXTS * 3, seed=1)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    model.train()
    for step in range(120):
        torch.manual_seed(step)
        optimizer.param_groups[0]["lr"] = 1e-3 * min(1.0, (step + 1) / 20, (120 - step) / 60)
        examples = [
            model.example(item, np.random.default_rng((step, i)), True)
            for i, item in enumerate(samples())
        ]
        loss = model.loss(model.collate(examples))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def overlap(found: Span, true: Span) -> float:
    both = max(0.0, min(found.end, true.end) - max(found.start, true.start))
    return both / (found.end - found.start + true.end - true.start - both)


def test_tiny_overfits_both_tasks_and_listens_to_its_input(learnt: Unified) -> None:
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    clips = [sample.clip for sample in samples()[:4]]
    assert [found.text for found in learnt.translate(clips)] == TEXTS
    others = learnt.translate(clips[1:] + clips[:1])
    assert all(found.text != text for found, text in zip(others, TEXTS, strict=True))

    def found(sample: Sample, text: str) -> Span:
        assert sample.prior is not None
        query = Query(Span(0.0, 4.0), text, sample.prior)
        return learnt.locate(sample.clip, [query])[0].spans[0][0]

    asked = samples()[4:]
    right = [overlap(found(s, s.text), s.span) for s in asked if s.span]
    wrong = [overlap(found(asked[i - 1], s.text), s.span) for i, s in enumerate(asked) if s.span]
    assert min(right) > 0.8
    assert np.mean(right) > np.mean(wrong) + 0.3


def test_the_validation_says_whether_the_signing_is_looked_at(learnt: Unified) -> None:
    told = heard(learnt, samples()[:4], SEEN, rows=4)
    assert told["loss-shuffled"] > told["loss"] + 1
    assert heard(learnt, samples()[:3], SEEN, rows=2)["loss-shuffled"] > told["loss"] + 1
    deaf = heard(learnt, [samples()[0]] * 4, SEEN)
    assert deaf["loss"] == deaf["loss-shuffled"]
    assert heard(learnt, samples()[:1], SEEN) == {}


def test_what_is_found_is_a_distribution(learnt: Unified) -> None:
    assert isinstance(learnt, Translator)
    assert isinstance(learnt, Locator)
    (found,) = learnt.locate(clip(10), [Query(Span(0.0, 4.0), TEXTS[0], Span(0.2, 1.2))])
    probabilities = [p for _, p in found.spans]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1 + 1e-6
    assert found.posterior.shape == (100,)
    first, last = Span(1.0, 3.2).frames(learnt.fps, total=100)
    assert found.posterior[first + 5 : last - 5].mean() > 0.8 > found.posterior[:10].mean()


def test_padding_changes_nothing(learnt: Unified) -> None:
    items = samples()
    examples = [learnt.example(item, np.random.default_rng(0), False) for item in items]
    with torch.no_grad():
        together = learnt(learnt.collate(examples))
        for row, example in enumerate(examples):
            alone = learnt(learnt.collate([example]))
            length = len(example.answer)
            torch.testing.assert_close(together[row, :length], alone[0], rtol=1e-4, atol=1e-4)


def test_a_model_on_the_features_of_another_says_the_same(learnt: Unified) -> None:
    config = dataclasses.replace(TINY, layout="features-64", fps=learnt.rate)
    other = begin(config, TEXTS * 3, seed=2)
    assert learnt.rate == 6.25
    assert other.backbone is None
    said = other.load_state_dict(learnt.state_dict(), strict=False)
    assert not said.missing_keys
    assert {name.split(".")[0] for name in said.unexpected_keys} == {"backbone"}
    clips = [sample.clip for sample in samples()]
    seen = [featured(learnt, each, "this") for each in clips]
    assert [len(each) for each in seen] == [round(each.duration * 6.25) for each in clips]
    assert seen[0].origin.settings["features"] == "this"
    assert [found.text for found in other.translate(seen[:4])] == TEXTS
    query = Query(Span(0.0, 4.0), TEXTS[0], Span(0.2, 1.2))
    (mine,), (theirs,) = learnt.locate(clips[4], [query]), other.locate(seen[4], [query])
    np.testing.assert_allclose(mine.posterior, theirs.posterior, atol=1e-4)
    with pytest.raises(UsageError, match="does not convert to 'features-64'"):
        other.translate(clips[:1])


def test_a_long_clip_has_the_features_of_its_windows(learnt: Unified) -> None:
    long, rate = clip(3, 50 * 25), learnt.rate
    found = features_of(featured(learnt, long, "this"))
    assert found.shape == (round(50 * rate), 64)
    first = features_of(featured(learnt, long.cut(Span(0.0, 20.0)), "this"))
    np.testing.assert_array_equal(found[: len(first) - 6], first[:-6])
    last = features_of(featured(learnt, long.cut(Span(30.08, 50.0)), "this"))
    assert np.abs(found[-40:] - last[-40:]).max() < 0.05 * np.abs(last).max()


@pytest.mark.parametrize("fps", [25.3, 24.8, 23.976, 15.02])
def test_a_rate_near_the_model_s_gives_no_frame_too_many(fps: float) -> None:
    """Within 2 % a clip keeps its frames: 506 of 25.3 a second come to 500 places; those beyond are not read."""
    model = begin(dataclasses.replace(TINY, fps=25.0, lips="small"), TEXTS, seed=1).eval()
    near, short = dataclasses.replace(clip(1, round(21 * fps)), fps=fps), clip(2, 60)
    mouths = dataclasses.replace(lips(0, len(near)), fps=fps)
    points, seen = model.preparation.points(near), model.preparation.mouths(near, mouths)
    assert 496 <= len(points) == len(seen) <= 500
    assert model.seconds_read(near) == pytest.approx(500 / max(fps, 25.0))
    alone = model.translate([near], 1, [mouths])[0]
    together = model.translate([near, short], 1, [mouths, None])[0]
    assert (together.text, together.score) == (alone.text, pytest.approx(alone.score, abs=1e-4))
    found = model.locate(near, [Query(Span(0.5, 20.5), TEXTS[0])], mouths)[0]
    assert np.isfinite(found.posterior).all()
    rows = model.features(near, mouths)
    other = begin(dataclasses.replace(TINY, layout="features-128", fps=model.rate), TEXTS, seed=1)
    again = features_clip(np.repeat(rows, 2, 0), 12.6, "near", near.origin)
    assert len(other.translate([again], 1)) == 1


def test_every_parameter_learns() -> None:
    for bridge in ("perceiver", "shuffle", "conv", "mlp"):
        model = begin(
            dataclasses.replace(TINY, bridge=bridge, bridge_stride=2, adaptive=True), TEXTS, seed=1
        )
        examples = [model.example(item, np.random.default_rng(0), True) for item in samples()]
        model.loss(model.collate(examples)).total.backward()
        still = [
            name
            for name, p in model.named_parameters()
            if p.requires_grad and (p.grad is None or not p.grad.abs().sum() > 0)
        ]
        assert not still, f"{bridge}: {still}"


def test_the_sentence_before_is_told_to_a_model_that_training_told_it(learnt: Unified) -> None:
    clips, said = [clip(0, 60), clip(1, 66)], ["", "It rained all day."]
    assert learnt.translate(clips, previous=said) == learnt.translate(clips)
    told = begin(dataclasses.replace(TINY, previous=0.5), TEXTS * 3, seed=1)
    told.load_state_dict(learnt.state_dict())
    without, one = told.eval().translate(clips), told.translate(clips, previous=said)
    assert one[0].score == pytest.approx(without[0].score, abs=1e-4)
    assert abs(one[1].score - without[1].score) > 1e-3
    with pytest.raises(UsageError, match=r"2 clips and 1 sentences before them; give one a clip"):
        told.translate(clips, previous=said[:1])


def test_a_sample_with_a_span_asks_when(learnt: Unified) -> None:
    told, asked = samples()[0], samples()[4]
    rng = np.random.default_rng(0)
    sentence, times = (learnt.example(item, rng, False) for item in (told, asked))
    assert learnt.codec.decode(sentence.answer.tolist()) == TEXTS[0]
    assert list(times.digits) == [0, 2, 5, 0, 8, 0]
    assert learnt.codec.decode(times.answer.tolist()).replace(" ", "") == "025080"
    assert TEXTS[0] in learnt.codec.decode([*times.before.tolist(), *times.after[:-1].tolist()])


def test_a_checkpoint_comes_back_bit_equal(learnt: Unified, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    clips = [clip(0, 60), clip(1, 66)]
    assert again.translate(clips) == learnt.translate(clips)
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])


def lips(seed: int, frames: int) -> Lips:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(1, 255, (frames, 96, 96)).astype(np.uint8)
    return Lips(pictures, np.ones(frames, np.bool_), 25.0)


def test_a_model_with_lips_reads_them_and_keeps_borrowed_weights_out(tmp_path: Path) -> None:
    encoder = SmallLipEncoder()
    save_file(encoder.state_dict(), tmp_path / "model.safetensors")
    config = dataclasses.replace(TINY, lips="small", lip_weights=str(tmp_path))
    model = begin(config, TEXTS, seed=1)
    assert model.filled == {str(tmp_path): 1.0}
    items = [dataclasses.replace(s, lips=lips(i, len(s.clip))) for i, s in enumerate(samples()[:3])]
    examples = [model.example(item, np.random.default_rng(0), False) for item in items]
    with torch.no_grad():
        seen = model.eval()(model.collate(examples))
        alone = model(model.collate(examples[:1]))
        deaf = [model.example(item, np.random.default_rng(0), False) for item in samples()[:3]]
        unseen = model(model.collate(deaf))
    torch.testing.assert_close(seen[0, : alone.shape[1]], alone[0], rtol=1e-4, atol=1e-4)
    assert (seen - unseen).abs().max() > 1e-3
    model.train()
    model.loss(model.collate(examples)).total.backward()
    assert all(p.grad is None for p in model.mouth.parameters())
    assert model.lip.conformer.fc1.weight.grad.abs().sum() > 0

    save_checkpoint(tmp_path / "model", model.described(), model.eval(), model.tokenizer)
    assert not [n for n in load_file(tmp_path / "model" / "model.safetensors") if "mouth" in n]
    again = load(tmp_path / "model")
    clips, mouths = [items[0].clip], [items[0].lips]
    told = model.translate(clips, lips=mouths)
    assert again.translate(clips, lips=mouths) == told
    assert [t.score for t in told] != [t.score for t in model.translate(clips)]
    query = [Query(Span(0.0, 2.0), "two words"), Query(Span(0.4, 2.0), "two words")]
    seen = model.locate(clips[0], query, mouths[0])
    unseen = model.locate(clips[0], query)
    for one, other, asked in zip(seen, unseen, query, strict=True):
        cut, mouth = clips[0].cut(asked.window), mouths[0].cut(asked.window)
        begins = dataclasses.replace(asked, window=Span(0.0, asked.window.duration))
        (alone,) = model.locate(cut, [begins], mouth)
        np.testing.assert_allclose(one.posterior, alone.posterior, atol=1e-5)
        assert np.abs(one.posterior - other.posterior).max() > 1e-6
    with pytest.raises(MediaError, match=r"59 frames at 25 fps but clip .* has 60"):
        model.locate(clips[0], query, lips(0, 59))
    with pytest.raises(MediaError, match=r"59 frames at 25 fps but clip .* has 60"):
        model.translate(clips, lips=[lips(0, 59)])
    joint = begin(dataclasses.replace(config, lip_weights=""), TEXTS, seed=1)
    joint.loss(joint.collate(examples)).total.backward()
    assert all(p.grad is not None for p in joint.mouth.parameters())


def pretrained(folder: Path) -> Path:
    """A language model as ``signloom language`` leaves one, with weights of no use."""
    codec = train_codec(TEXTS * 3, 120)
    t5 = unified.random_t5(unified.shape_of(TINY, len(codec)), codec, 7)
    t5.save_pretrained(folder)
    codec.tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_adapters_stand_on_a_base_that_is_referred_to(tmp_path: Path) -> None:
    base = pretrained(tmp_path / "base")
    config = dataclasses.replace(TINY, language=str(base), adapter="dora", rank=4)
    model = begin(config, [], seed=1)
    learn = [name for name, p in model.language.named_parameters() if p.requires_grad]
    assert learn
    assert all(".lora_" in name for name in learn)
    items = samples()[:2] + samples()[4:6]
    model.loss(model.collate([model.example(i, np.random.default_rng(0), True) for i in items]))
    save_checkpoint(tmp_path / "model", model.described(), model.eval(), model.tokenizer)
    stored = load_file(tmp_path / "model" / "model.safetensors")
    assert not [n for n in stored if n.startswith("language.") and ".lora_" not in n]
    again = load(tmp_path / "model")
    clips = [clip(0, 60), clip(1, 66)]
    assert again.translate(clips) == model.translate(clips)

    shutil.move(base, tmp_path / "gone")
    with pytest.raises(MediaError, match=r"the adapters need the language model .*base"):
        load(tmp_path / "model")
    pretrained(base)
    (base / "model.safetensors").unlink()
    other = unified.random_t5(unified.shape_of(TINY, len(model.codec)), model.codec, 8)
    other.save_pretrained(base)
    with pytest.raises(MediaError, match=r"what is there now has"):
        load(tmp_path / "model")


def test_training_leaves_the_base_alone_and_comes_back_from_a_kill(tmp_path: Path) -> None:
    config = dataclasses.replace(
        TINY, language=str(pretrained(tmp_path / "base")), adapter="dora", rank=4
    )

    def fitted(folder: Path, steps: int, total: int = 4) -> Unified:
        model = begin(config, [], seed=1)
        stage = Stage("all", total, 1e-3)
        plan = Plan((stage,), save_every=1, device="cpu")
        mixture = Mixture(samples(), 3, seed=5)

        def stop(step: int) -> dict[str, float]:
            if step == steps < total:
                raise KeyboardInterrupt
            return {"loss": 0.0}

        plan = dataclasses.replace(plan, validate_every=steps if steps < total else 0)
        with contextlib.suppress(KeyboardInterrupt):
            fit(model, mixture, plan, folder, validate=stop, resume=True)
        return model

    fresh = begin(config, [], seed=1)
    whole = fitted(tmp_path / "whole", 4)
    moved = {
        name
        for (name, a), b in zip(fresh.named_parameters(), whole.parameters(), strict=True)
        if not torch.equal(a, b)
    }
    assert any(".lora_" in name for name in moved)
    assert not [n for n in moved if n.startswith("language.") and ".lora_" not in n]
    fitted(tmp_path / "cut", 2)
    again = fitted(tmp_path / "cut", 4)
    for (name, a), b in zip(whole.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_a_run_does_not_go_on_upon_another_base(tmp_path: Path) -> None:
    """A run says what was read for it, too."""
    base = pretrained(tmp_path / "base")
    recipe = Recipe.model_validate(
        {
            "name": "borrowed", "method": "unified", "preset": "tiny",
            "config": {"language": str(base), "adapter": "lora", "rank": 4},
            "data": {"train": {"simulated": "sentences", "size": "tiny"},
                     "dev": {"simulated": "sentences", "size": "tiny", "split": "dev"}, "dev_limit": 1},
            "training": {"steps": 1, "batch": 2, "validate_every": 0},
        }
    )  # fmt: skip
    said: list[str] = []
    run_recipe(recipe, tmp_path / "run", say=said.append)
    assert said == [f"{base} filled 100.0 % of the part of the model that it is for"]
    run_recipe(recipe, tmp_path / "run", resume=True)
    weights = load_file(base / "model.safetensors")
    save_file({k: v + 1 for k, v in weights.items()}, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match="cannot go on: 'language' of its model was"):
        run_recipe(recipe, tmp_path / "run", resume=True)


def test_other_words_are_not_taken_for_ones_own(learnt: Unified, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    alike = begin(TINY, TEXTS * 3, seed=2)
    assert begin_with(alike, tmp_path / "model").renewed == ()
    other = begin(TINY, ["Other words stand here now!", "They mean another thing?"] * 3, seed=2)
    renewed = begin_with(other, tmp_path / "model").renewed
    assert renewed
    assert all(name.startswith("language.") for name in renewed)


def test_an_episode_longer_than_the_window_is_refused(learnt: Unified) -> None:
    sample = Sample("long", clip(1, 700), "x", span=Span(21.0, 22.0))
    with pytest.raises(UsageError, match=r"'long' asks when .* in 28 s.*same 'seconds'"):
        learnt.example(sample, np.random.default_rng(0), True)


def test_a_cue_outside_its_clip_is_refused(learnt: Unified) -> None:
    for span in (Span(5.0, 6.0), Span(3.0, 4.5), Span(-0.5, 1.0)):
        with pytest.raises(
            UsageError, match=r"'out' says .* signed at .* its clip has 4 s; cut a clip"
        ):
            learnt.example(Sample("out", clip(1), "x", span=span), np.random.default_rng(0), True)


def test_a_checkpoint_with_a_missing_tensor_is_refused(learnt: Unified, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    tensors = load_file(tmp_path / "model" / "model.safetensors")
    del tensors["bridge.project.weight"]
    save_file(tensors, tmp_path / "model" / "model.safetensors")
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    config["weights"]["sha256"] = ""
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with pytest.raises(MediaError, match=r"bridge.project.weight is missing"):
        load(tmp_path / "model")


def test_the_paper_s_model_is_built_on_the_meta_device(capsys: pytest.CaptureFixture[str]) -> None:
    xl = T5Shape(
        vocabulary=32_128,
        width=2048,
        key_width=64,
        inner=5120,
        layers=24,
        decoder_layers=24,
        heads=32,
    )  # google/flan-t5-xl
    codec = train_codec(TEXTS * 3, 120)
    base = Base("google/flan-t5-xl", "", "0" * 64, "apache-2.0", 0, 1.0)
    with torch.device("meta"):
        model = Unified(PRESETS["paper"], unified.random_t5(xl, codec, 0), codec, base)
        first = isolated.build(
            isolated.PRESETS["paper"], ["word"], 1
        )  # recipes/isolated-bobsl.yaml
    assert {n: t.shape for n, t in model.backbone.state_dict().items()} == {
        n: t.shape for n, t in first.backbone.state_dict().items()
    }
    counts = {name: [0, 0] for name in ("backbone", "bridge", "language")}
    for name, p in model.named_parameters():
        counts[name.split(".")[0]][0] += p.numel()
        counts[name.split(".")[0]][1] += p.numel() * p.requires_grad
    total, trained = (sum(count[i] for count in counts.values()) for i in (0, 1))
    training = 4 * total + 12 * trained  # float32, as load_t5 reads; a gradient and AdamW's two
    assert round(training / 2**30, 1) == 13.1
    with capsys.disabled():
        print(
            f"\n{total:,} parameters, {trained:,} trained, {training / 2**30:.1f} GiB before activations"
        )
    assert counts["language"] == [2_868_926_464, 19_169_280]
    assert counts["backbone"][0] == counts["backbone"][1] == 45_090_528
    assert (total, trained) == (3_016_298_208, 166_541_024)


def test_queries_outside_the_clip_or_too_long_are_refused(learnt: Unified) -> None:
    with pytest.raises(UsageError, match=r"2–6 s leaves the clip, which has 4 s"):
        learnt.locate(clip(10), [Query(Span(2.0, 6.0), "x")])
    with pytest.raises(UsageError, match=r"longer than the model's 20 s"):
        learnt.locate(clip(10, 700), [Query(Span(0.0, 25.0), "x")])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"chanels": 8}, r"unified has no setting 'chanels'.*channels"),
        ({"bridge": "percever"}, r"bridge is 'percever', expected one of perceiver"),
        ({"adapter": "dora"}, r"adapter 'dora' needs a pretrained language model"),
        ({"conformer_window": 25}, r"25 is no multiple of conformer_stride 2"),
        ({"conformer_stride": 0}, r"conformer_stride is 0, expected a whole number from 1"),
        ({"channels": 0}, r"channels is 0, expected a whole number from 1"),
        ({"bridge_stride": 0}, r"bridge_stride is 0, expected a whole number from 1"),
        ({"language_heads": 0}, r"language_heads is 0, expected a whole number from 1"),
        ({"beam": 0}, r"beam is 0, expected a whole number from 1"),
        ({"max_tokens": 1}, r"max_tokens is 1, expected a whole number from 2"),
        ({"chunk": 0}, r"chunk is 0, expected a whole number from 1, or null"),
        ({"fps": 0}, r"fps is 0, expected a number from 1"),
        ({"window": -1}, r"window is -1, expected a number from 1"),
        ({"window": float("nan")}, r"window is nan, expected a number from 1"),
        ({"soft": -1}, r"soft is -1, expected a number from 0"),
        ({"dropout": 2}, r"dropout is 2, expected a number from 0 to 1"),
        ({"audio": 3}, r"audio is 3, expected a number from 0 to 1"),
        ({"previous": -1}, r"previous is -1, expected a number from 0 to 1"),
        ({"fps": 2, "window": 3}, r"3 s at 2 a second has 6 frames, expected conformer_window 8"),
        ({"lip_weights": "avsr"}, r"lip_weights 'avsr' are for lips, and lips is 'none'"),
    ],
)
def test_a_config_says_what_does_not_fit(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Config.of({**PRESETS["tiny"].to_json(), **wrong})


def test_the_window_of_the_paper_is_read_as_in_the_paper() -> None:
    windows = {"conformer_window": 24, "bridge_window": 8, "bridge_stride": 2}
    model = begin(dataclasses.replace(TINY, layout="mp203", fps=25.0, **windows), TEXTS, 1)
    points, none = torch.zeros(1, 500, 203, 3), torch.zeros(1, 0, 88, 88)
    with torch.no_grad():
        tokens, there = model.eval().tokens(points, torch.ones(1, 500, dtype=torch.bool), none)
    assert tokens.shape == (1, 125, TINY.language_width)
    assert there.all()
    assert model.layout == MP203
    assert unified.TICKS == 500
