"""LSLM: the tokenizer as a method, learning, being told, padding, adapters, coming back, bad input."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from signloom.cli.main import main
from signloom.corpora.prepare import write_store
from signloom.corpora.smplx_files import read_motion
from signloom.corpora.store import open_store
from signloom.data.layouts import HOLISTIC, PS76, SMPLX52
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import MediaError, UsageError
from signloom.inference.translate import Told, Translator, translate_clips
from signloom.language.chat import build_llama, own_codec
from signloom.methods import lslm, motion_tokens
from signloom.methods.finetune import begin_with
from signloom.methods.load import load
from signloom.methods.lslm import PRESETS, Config, Lslm, begin
from signloom.methods.motion_tokens import MotionTokens
from signloom.methods.sources import Instructed
from signloom.pose import motion623 as m
from signloom.text.instructions import EXACT
from signloom.text.phrasings import PHRASINGS
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import save_checkpoint
from signloom.training.stages import Stage
from tests.methods.motions import motion, parameters
from tests.methods.test_posestitch import smooth_clip

TEXTS = [
    "The weather is cold.",
    "Do you eat bread?",
    "My sister is a nurse.",
    "We saw the red house!",
]
KEYWORDS = "Keywords only."


def samples() -> list[Sample]:
    return [
        Sample(str(i), motion(i, 40 + 4 * i), text, (GlossSpan(f"SIGN-{i}"),))
        for i, text in enumerate(TEXTS)
    ]


def learn(model: torch.nn.Module, items: list[Sample], steps: int, lr: float) -> None:
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, lr, fused=True)
    model.train()
    for step in range(steps):
        torch.manual_seed(step)
        rng = np.random.default_rng(step)
        loss = model.loss(model.collate([model.example(s, rng, True) for s in items]))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
    model.eval()


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a tokenizer that has seen the four motions."""
    folder = tmp_path_factory.mktemp("tokens") / "model"
    model = motion_tokens.begin(motion_tokens.PRESETS["tiny"], [], seed=0)
    learn(model, samples() * 2, 40, 3e-3)
    save_checkpoint(folder, {**model.described(), "simulated_only": False}, model)
    return folder


def tiny(tokens: Path, **more: object) -> Config:
    return Config.of(
        {**PRESETS["tiny"].to_json(), "tokens": str(tokens), "vocabulary": 200, **more}
    )


def told() -> list[Sample]:
    """Each of the four to translate and to list the keywords of."""
    from signloom.metrics.words import content_words
    from signloom.text.instructions import gold

    asked = [
        dataclasses.replace(
            s, instruction=KEYWORDS, text=gold("keywords", s.text, "", content_words)
        )
        for s in samples()
    ]
    return samples() + asked


@pytest.fixture(scope="module")
def learnt(tokens: Path) -> Lslm:
    model = begin(tiny(tokens), TEXTS * 3, seed=1)
    learn(model, told(), 70, 3e-3)
    return model


def test_tiny_overfits_four_clips_looks_at_them_and_does_what_it_is_told(learnt: Lslm) -> None:
    clips = [sample.clip for sample in samples()]
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    assert [found.text for found in learnt.translate(clips)] == TEXTS
    others = learnt.translate(clips[1:] + clips[:1], beam=1)
    assert all(found.text != text for found, text in zip(others, TEXTS, strict=True))
    assert isinstance(learnt, Translator)
    assert isinstance(learnt, Told)
    keywords = translate_clips(learnt, clips, instruction=KEYWORDS)
    assert [found.text for found in keywords] == [s.text for s in told()[4:]]
    scores = lslm.score_dev(learnt, told(), 8, 1)
    assert scores["follows"] == 100
    assert scores["BLEU-4"] > 99
    assert scores["loss-shuffled"] > scores["loss"] + 1
    assert learnt.translate([]) == []


def test_a_checkpoint_comes_back_bit_equal_and_with_other_codes_not_at_all(
    learnt: Lslm, tmp_path: Path
) -> None:
    config = {**learnt.described(), "simulated_only": False, "name": "four clips"}
    save_checkpoint(tmp_path / "model", config, learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    clips = [motion(seed) for seed in (0, 1, 9)]
    assert again.translate(clips) == learnt.translate(clips)
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name])
    save_checkpoint(tmp_path / "half", config, learnt, learnt.tokenizer, dtype="float16")
    half = load(tmp_path / "half")
    assert half.codebook == half.tokens.vq.fingerprint() == learnt.codebook
    said = json.loads((tmp_path / "model" / "config.json").read_text())
    said["tokens"]["codebook"] = "0" * 64
    (tmp_path / "model" / "config.json").write_text(json.dumps(said))
    with pytest.raises(MediaError, match=r"learnt to read codes of .* it would read nonsense"):
        load(tmp_path / "model")


@pytest.mark.parametrize("reading", ["projected", "vocabulary", "latents"])
def test_gradients_reach_all_but_the_tokenizer_which_stands_still(
    tokens: Path, reading: str
) -> None:
    model = begin(tiny(tokens, reading=reading), TEXTS * 3, 0).train()
    before = model.tokens.vq.fingerprint()
    batch = model.collate([model.example(s, np.random.default_rng(0), True) for s in samples()])
    model.loss(batch).total.backward()
    for name, parameter in model.named_parameters():
        if name.startswith("tokens."):
            assert not parameter.requires_grad
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name
    assert not model.tokens.training
    assert model.tokens.vq.fingerprint() == before
    learnable = frozenset(n for n, p in model.named_parameters() if p.requires_grad)
    direct = Stage("align", 1, 1e-3, train=("motion.*",)).trained(model, learnable)
    joint = Stage("joint", 1, 1e-3, train=("motion.*", "language.*")).trained(model, learnable)
    assert {name.partition(".")[0] for name in direct} == {"motion"}
    assert set(joint) == learnable


@pytest.mark.parametrize("reading", ["projected", "latents"])
def test_training_clips_are_told_once_and_alike(tokens: Path, reading: str) -> None:
    model = begin(tiny(tokens, reading=reading), TEXTS * 3, 0)
    clips = [model.example(s, np.random.default_rng(0), True) for s in samples()]
    batch = model.collate(clips)
    plain = model.eval().loss(batch).total
    assert len(model._told) == 0
    model.train()
    assert torch.equal(model.loss(batch).total, plain)
    assert torch.equal(model.loss(batch).total, plain)
    assert len(model._told) == len(model.preparation._known) == len(clips)
    again = [model.example(s, np.random.default_rng(1), True) for s in samples()]
    assert all(np.array_equal(a.motion, b.motion) for a, b in zip(clips, again, strict=True))


@pytest.mark.parametrize("book", [{}, {"kind": "residual", "depth": 2}])
def test_a_store_of_codes_is_learnt_from_as_the_motion_it_was_made_of(
    tokens: Path, tmp_path: Path, book: dict[str, Any]
) -> None:
    if book:
        config = dataclasses.replace(motion_tokens.PRESETS["tiny"], **book)
        tokenizer = motion_tokens.begin(config, [], seed=0)
        learn(tokenizer, samples(), 2, 3e-3)
        tokens = tmp_path / "tokens"
        save_checkpoint(tokens, {**tokenizer.described(), "simulated_only": False}, tokenizer)
    write_store(tmp_path / "joints", SMPLX52, {"train": samples()}, description={})
    encode = ("tokens", "encode", tmp_path / "joints", "--model", tokens, "-o", tmp_path / "codes")
    over_itself = (*encode[:-1], tmp_path / "joints", "--overwrite")
    for arguments, expected in ((encode, 0), (encode, 2), (over_itself, 2)):
        with pytest.raises(SystemExit) as stopped:
            main([str(each) for each in arguments])
        assert int(stopped.value.code or 0) == expected
    joints, codes = (list(open_store(tmp_path / name, "train")) for name in ("joints", "codes"))
    assert [(s.id, s.text, s.glosses) for s in codes] == [(s.id, s.text, s.glosses) for s in joints]
    model = begin(tiny(tokens), TEXTS * 3, 0).train()
    rng = np.random.default_rng(0)
    both = [[model.example(s, rng, True) for s in each] for each in (joints, codes)]
    mixed = [*both[0][:2], *both[1][2:]]
    losses = [model.loss(model.collate(each)).total for each in (*both, mixed)]
    assert all(torch.equal(losses[0], loss) for loss in losses)
    assert len(model._told) == len(samples())
    asked = [model.translate([s.clip for s in each], 1) for each in (joints, codes)]
    assert asked[0] == asked[1]
    short = lslm.build(
        dataclasses.replace(model.config, max_codes=3),
        model.tokens,
        model.language,
        model.codec,
        None,
    )
    assert len(short.example(codes[0], rng, True).codes) == 3
    latents = begin(tiny(tokens, reading="latents"), TEXTS * 3, 0)
    with pytest.raises(UsageError, match="holds codes, and lslm with reading 'latents'"):
        latents.example(codes[0], rng, True)
    other = motion_tokens.begin(motion_tokens.PRESETS["tiny"], [], seed=7)
    with pytest.raises(UsageError, match="they would be other movements; encode the store"):
        lslm.build(model.config, other, model.language, model.codec, None).example(
            codes[0], rng, True
        )


def test_a_process_that_prepares_batches_asks_no_weight(tokens: Path) -> None:
    """They may be on a GPU, which a forked process cannot ask."""
    model = begin(tiny(tokens), TEXTS * 3, 0).to("meta")
    assert len(model.example(samples()[0], np.random.default_rng(0), True).motion)


def test_the_loss_is_the_cross_entropy_of_answers_and_padding_changes_nothing(
    tokens: Path,
) -> None:
    model = begin(tiny(tokens), TEXTS * 3, 0).eval()
    items = [model.example(s, np.random.default_rng(0), False) for s in told()]
    with torch.no_grad():
        together, apart, count = model.loss(model.collate(items)), 0.0, 0
        for item in items:
            batch = model.collate([item])
            logits = model(batch)[0].double().log_softmax(-1)
            apart -= sum(logits[at, token].item() for at, token in enumerate(item.said[1:]))
            count += len(item.said) - 1
            assert item.said[-1] == model.codec.end
    assert together.total.item() == pytest.approx(apart, rel=1e-5)
    assert together.count == count
    ids, vectors = torch.tensor([[3], [5]]), torch.randn(2, model.tokens.config.width)
    assert model.motion(ids, vectors).shape == (4, 96)


def test_the_longest_signing_is_cut_and_a_longer_prompt_refused(learnt: Lslm) -> None:
    config = dataclasses.replace(learnt.config, max_codes=5)
    short = lslm.build(config, learnt.tokens, learnt.language, learnt.codec, None)
    assert len(short.preparation.motion(motion(0, 300))) == 20
    assert short.seconds_read(motion(0)) == 20 / 25
    with pytest.raises(
        UsageError, match=r"the instruction 'word word .*…' is \d+ tokens long, and"
    ):
        learnt.translate([motion(0)], instructions=["word " * 300])
    with pytest.raises(UsageError, match=r"'Translate the signing into English\.' is"):
        begin(dataclasses.replace(learnt.config, positions=100), TEXTS * 3, 0)


def test_a_file_of_joints_is_translated_from_the_command_line_as_told(
    learnt: Lslm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, file = tmp_path / "model", tmp_path / "a.npz"
    save_checkpoint(
        model, {**learnt.described(), "simulated_only": False}, learnt, learnt.tokenizer
    )
    np.savez(file, joints=samples()[0].clip.points, fps=25.0)

    def said(*more: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as stopped:
            main(["translate", str(file), "--model", str(model), *more])
        told = capsys.readouterr()
        return int(stopped.value.code or 0), told.out.strip() or told.err

    assert said() == (0, TEXTS[0])
    assert said("--instruction", KEYWORDS) == (0, told()[len(TEXTS)].text)
    for empty in ("", " \n", "\N{OBJECT REPLACEMENT CHARACTER}"):
        code, error = said("--instruction", empty)
        assert code == 2
        assert "the instruction has no words; say what to do" in error


def test_a_clip_in_which_nobody_was_fitted_is_named(learnt: Lslm) -> None:
    clip = motion(2)
    gone = clip.with_points(0 * clip.points, 0 * clip.confidence)
    with pytest.raises(UsageError, match=r"^clip 'motion-2': no frame has pelvis, hips"):
        learnt.translate([motion(1), gone])
    with pytest.raises(UsageError, match=r"^sample 'lost': no frame has pelvis, hips"):
        learnt.example(Sample("lost", gone), np.random.default_rng(0), True)


def write_llama(folder: Path, template: str = "") -> None:
    """A folder as transformers would have it."""
    codec = own_codec(train_bpe(TEXTS * 3, 200))
    shape = {"width": 32, "layers": 1, "heads": 2, "inner": 48, "positions": 256, "dropout": 0.0}
    model = build_llama(len(codec), **shape, start=0, end=2, seed=3)  # type: ignore[arg-type]
    model.save_pretrained(folder)
    codec.tokenizer.save(str(folder / "tokenizer.json"))
    said = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))


def test_adapters_stand_on_a_language_model_and_speak_its_template(
    tokens: Path, tmp_path: Path
) -> None:
    turn = (
        "{{ bos_token }}{% for m in messages %}Do {{ m['content'] }} {% endfor %}"
        "{% if add_generation_prompt %}We{% endif %}"
    )
    write_llama(tmp_path / "lm", turn)
    config = tiny(tokens, adapter="lora", language=str(tmp_path / "lm"), rank=2, alpha=4.0)
    model = begin(config, [], 0)
    before, after = model.preparation.prompt("eat  bread")
    assert before[0] == 0
    assert model.codec.decode(before) == "Do eat bread"
    assert model.codec.decode(after) == "We"
    learning = {n for n, p in model.named_parameters() if p.requires_grad}
    assert {n.split(".")[0] for n in learning} == {"motion", "language"}
    assert all(".lora_" in n for n in learning if n.startswith("language"))
    learn(model, samples(), 2, 1e-3)
    save_checkpoint(tmp_path / "model", model.described(), model, model.tokenizer)
    stored = load_file(tmp_path / "model" / "model.safetensors")
    assert not any("embed_tokens" in name for name in stored)
    again, clips = load(tmp_path / "model"), [motion(5)]
    assert again.translate(clips) == model.eval().translate(clips)
    write_llama(tmp_path / "two", "{% for m in messages %}{{ m['content'] * 2 }}{% endfor %}")
    with pytest.raises(MediaError, match="says 2 times what the user says"):
        begin(dataclasses.replace(config, language=str(tmp_path / "two")), [], 0)
    shutil.rmtree(tmp_path / "lm")
    with pytest.raises(MediaError, match="adapters need the language model"):
        load(tmp_path / "model")


def test_beginning_with_another_takes_what_means_the_same(
    learnt: Lslm, tokens: Path, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    assert begin_with(begin(learnt.config, TEXTS * 3, 5), tmp_path / "model").renewed == ()
    shutil.copytree(tokens, tmp_path / "other")
    other = motion_tokens.begin(motion_tokens.PRESETS["tiny"], [], seed=7)
    save_checkpoint(tmp_path / "other", other.described(), other, overwrite=True)
    model = begin(tiny(tmp_path / "other"), TEXTS * 3, 5)
    renewed = begin_with(model, tmp_path / "model").renewed
    assert {name.partition(".")[0] for name in renewed} == {"tokens", "motion"}
    assert model.tokens.vq.fingerprint() == other.vq.fingerprint()


def test_errors_of_the_config_say_what_to_do(tokens: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a trained tokenizer of motion under 'tokens'"):
        begin(PRESETS["tiny"], TEXTS, 0)
    with pytest.raises(UsageError, match="bundled is no tokenizer of motion"):
        begin(tiny(Path("bundled")), TEXTS, 0)
    with pytest.raises(UsageError, match="adapter 'lora' needs a pretrained language model"):
        tiny(tokens, adapter="lora")
    with pytest.raises(UsageError, match="reads joints in space, layout 'smplx52', not 'ps76'"):
        tiny(tokens, layout="ps76")
    with pytest.raises(UsageError, match="reads layout 'smplx52', not 'smplx57'; set layout to"):
        begin(tiny(tokens, layout="smplx57"), TEXTS, 0)
    early = motion_tokens.begin(dataclasses.replace(motion_tokens.PRESETS["tiny"], late=50), [], 0)
    learn(early, samples(), 2, 1e-3)
    save_checkpoint(tmp_path / "early", {**early.described(), "simulated_only": False}, early)
    with pytest.raises(UsageError, match=r"no codes yet: they begin after 50 .* took 2; train it"):
        begin(tiny(tmp_path / "early"), TEXTS, 0)


# --- the tokenizer ---------------------------------------------------------------------------


def test_the_tokenizer_says_motions_again_and_is_watched(tokens: Path) -> None:
    model = load(tokens)
    assert isinstance(model, MotionTokens)
    found = motion_tokens.score_dev(model, samples(), 4, 1)
    assert set(found) == {*motion_tokens.METRICS} - {"RMSE-face"}
    assert found["PA-MPJPE-left_hand"] < found["MPJPE-left_hand"]
    assert 1 < found["perplexity"] <= 64
    assert 0 < found["usage"] <= 100
    fresh = motion_tokens.begin(model.config, [], seed=0)
    fresh.measure(torch.from_numpy(fresh.preparation.numbers(motion(0))))
    fresh.vq.codebook.start(torch.zeros(64, 32))
    untrained = motion_tokens.score_dev(fresh, samples(), 4, 1)
    assert found["MPJPE-hands"] < 0.95 * untrained["MPJPE-hands"]


@pytest.mark.parametrize("reads", ["whole", "signing"])
def test_numbers_and_joints_go_both_ways(reads: str) -> None:
    config = dataclasses.replace(motion_tokens.PRESETS["tiny"], reads=reads)  # type: ignore[arg-type]
    model, clip = motion_tokens.build(config), motion(3, 41)
    numbers = model.preparation.numbers(clip)
    assert numbers.shape == (40, config.inputs)
    upright = m.standing(clip.points.astype(np.float64) * (1, -1, -1))
    true = m.placed(upright)[0][:40]
    joints = model.joints(numbers)
    assert joints.shape[1] == len(model.joint_names)
    local = true @ m._about_y(m.heading(true))
    chest = local - local[:, m.CHEST, None]
    if reads == "whole":
        np.testing.assert_allclose(joints, true, atol=1e-5)
    else:
        kept = [m.NAMES.index(name) for name in model.joint_names]
        np.testing.assert_allclose(joints, chest[:, kept], atol=1e-5)
    own = chest[:, m.LEFT_HAND] - chest[:, m.LEFT_WRIST, None]
    np.testing.assert_allclose(
        model.positions(numbers)[:, m.SIGNING_PARTS["left_hand"]], own, atol=1e-5
    )


def test_columns_of_a_kind_share_their_scale_and_a_short_clip_stays() -> None:
    for preset in ("tiny", "paper"):
        model = motion_tokens.build(motion_tokens.PRESETS[preset] if preset == "tiny" else
                                    dataclasses.replace(motion_tokens.PRESETS["paper"], width=8))  # fmt: skip
        covered = np.concatenate([np.arange(model.config.inputs)[g] for g in model.config.groups])
        assert covered.tolist() == list(range(model.config.inputs))
        numbers = torch.from_numpy(model.preparation.numbers(motion(0)))
        model.measure(numbers)
        for group in model.config.groups:
            assert len(set(model.vq.deviation[group].tolist())) == 1
    assert model.preparation.numbers(motion(0, 1)).shape == (4, 623)


def test_a_window_in_which_nobody_was_fitted_gives_way() -> None:
    model = motion_tokens.begin(motion_tokens.PRESETS["tiny"], [], 0)
    clip = motion(0, 300)
    gone = clip.confidence.copy()
    gone[:20] = gone[23:260] = 0
    lost = clip.with_points(np.where(gone[..., None] > 0, clip.points, np.float32(0)), gone)
    whole, found = Sample("a", clip, ""), Sample("a", lost, "")
    assert model.example(found, np.random.default_rng(0), False).shape == (16, 228)
    for seed in range(20):
        drawn = model.example(found, np.random.default_rng(seed), True)
        assert np.isfinite(drawn).all()
        first = int(np.random.default_rng(seed).integers(300 - 16))
        if first >= 260:  # fitted throughout: drawn as if nothing were lost
            wanted = model.example(whole, np.random.default_rng(seed), True)
            np.testing.assert_array_equal(drawn, wanted)


def test_keypoints_of_a_picture_are_no_joints_in_space() -> None:
    model = motion_tokens.build(motion_tokens.PRESETS["tiny"])
    for layout in (HOLISTIC, PS76):
        with pytest.raises(UsageError, match="whose joints are in metres in 3D: give joints of an"):
            model.preparation.numbers(smooth_clip(0, 20, layout))


def test_an_instructed_source_is_a_function_of_its_index() -> None:
    source = Instructed(samples(), EXACT, "kept", 50, 0)
    assert len(source) == 200
    drawn = [source[i] for i in range(200)]
    assert [s.instruction for s in drawn] == [source[i].instruction for i in range(200)]
    by_family = {f: {s.text for s in drawn if s.instruction in PHRASINGS[f].kept} for f in EXACT}
    assert by_family["translate"] == set(TEXTS)
    assert by_family["glosses"] == {f"SIGN-{i}" for i in range(4)}
    assert by_family["count"] == {"4", "5"}
    assert "weather, cold" in by_family["keywords"]
    held = Instructed(samples(), ("keywords",), "held", 1, 0)
    assert all(held[i].instruction in PHRASINGS["keywords"].held for i in range(4))
    with pytest.raises(IndexError):
        held[4]


def test_how_an_instruction_begins_may_change_nothing(tokens: Path) -> None:
    told = {
        small: begin(tiny(tokens, small_letter=small), TEXTS, seed=0).preparation.prompt
        for small in (True, False)
    }
    assert told[True](KEYWORDS) == told[True]("keywords only.") == told[False]("keywords only.")
    assert told[False](KEYWORDS) != told[True](KEYWORDS)


def test_a_translation_that_is_no_summary_is_asked_for_as_a_translation() -> None:
    short, long = "The old dog sleeps.", "The old dog sleeps under the tree in our garden today."
    clips = [dataclasses.replace(s, text=t) for s, t in zip(samples(), (short, long), strict=False)]
    source = Instructed(clips, ("summarise",), "wide", 300, 0)
    drawn = [source[i] for i in range(len(source))]
    wide = {family: set(PHRASINGS[family].part("wide")) for family in ("summarise", "translate")}
    assert {s.instruction for s in drawn if s.text == short} <= wide["summarise"]
    assert {s.instruction for s in drawn if s.text == long} <= wide["translate"]
    assert {s.instruction for s in drawn} & set(PHRASINGS["summarise"].more)


def test_a_face_is_thirteen_numbers_more_and_moves_no_joint(tmp_path: Path) -> None:
    fits = parameters(5, 20)
    fits[:, 156:159], fits[:, 169:179] = 0.3, np.arange(10)
    np.savez(tmp_path / "x.npz", smplx=fits)
    clip = read_motion(tmp_path / "x.npz")
    plain, faced = (
        motion_tokens.begin(
            dataclasses.replace(motion_tokens.PRESETS["tiny"], layout=layout), [], 0
        )
        for layout in ("smplx52", "smplx57")
    )
    numbers = faced.preparation.numbers(clip)
    assert numbers.shape == (16, plain.config.inputs + m.FACE) == (16, faced.config.inputs)
    np.testing.assert_array_equal(numbers[:, : -m.FACE], plain.preparation.numbers(clip))
    np.testing.assert_allclose(
        numbers[:, -m.FACE :], np.tile([0.3] * 3 + [*range(10)], (16, 1)), atol=1e-6
    )
    assert faced.positions(numbers).shape == plain.positions(numbers[:, : -m.FACE]).shape
    assert not faced.preparation.numbers(motion(5, 20))[
        :, -m.FACE :
    ].any()  # joints alone: a still face
    columns = [c for group in faced.config.groups for c in range(faced.config.inputs)[group]]
    assert columns == list(range(faced.config.inputs))


def test_a_tokenizer_of_pictures_learns_from_two_numbers_a_joint() -> None:
    config = dataclasses.replace(motion_tokens.PRESETS["tiny"], reads="picture")
    model = motion_tokens.begin(config, [], 0)
    learn(model, samples(), 2, 1e-3)
    numbers = model.preparation.numbers(motion(1, 20))
    assert numbers.shape == (16, m.PICTURE)
    joints = model.joints(model.numbers(model.ids(numbers)))
    assert joints.shape == (16, 38, 3)
    assert not joints[..., 2].any()
    assert model.summary(numbers).shape == (config.width,)
