"""sign2(sem+text): losses as written down, learning, three phases, and coming back whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from tokenizers import AddedToken, Tokenizer
from torch.nn.functional import cosine_similarity
from transformers import MBartConfig, MBartForConditionalGeneration

from signloom.data.clip import PoseClip
from signloom.data.layouts import PS76
from signloom.data.sample import GlossSpan, Sample
from signloom.errors import MediaError, UsageError
from signloom.inference.translate import Translator
from signloom.language.mbart import MbartShape, build_mbart
from signloom.language.sentence_embedding import SentenceEmbedder
from signloom.methods import semtext
from signloom.methods.finetune import begin_with
from signloom.methods.load import load
from signloom.methods.recipe import Recipe, _refuse_unshared, read_recipe, run_recipe
from signloom.methods.semtext import (
    PRESETS,
    Config,
    SemText,
    SemToText,
    SignToSem,
    begin,
    embedding_losses,
)
from signloom.methods.sources import Texts
from signloom.text.tokenizer import train_bpe
from signloom.training.checkpoint import save_checkpoint
from signloom.training.stages import Stage
from tests.language.test_sentence_embedding import small
from tests.methods.test_posestitch import smooth_clip

TEXTS = ["The weather is cold.", "You eat bread.", "We go home now.", "They see a red house."]
GLOSSES = ["WEATHER COLD", "BREAD EAT YOU", "GO HOME", "HOUSE RED SEE"]


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A sentence embedding of 8 numbers that nobody trained: any will do that tells texts apart."""
    return str(small(tmp_path_factory.mktemp("embedding")))


@pytest.fixture(scope="module")
def tiny(embedding: str) -> Config:
    return dataclasses.replace(PRESETS["tiny"], embedding=embedding, sem_weight=1.0)


def samples() -> list[Sample]:
    return [
        Sample(str(i), smooth_clip(i, 50 + 6 * i), text, tuple(map(GlossSpan, said.split())))
        for i, (text, said) in enumerate(zip(TEXTS, GLOSSES, strict=True))
    ]


def learn(model: SemText, steps: int, items: list[Sample] | None = None) -> SemText:
    """The model after so many steps on the samples."""
    learning = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learning, 2e-3, fused=True)
    model.train()
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 3e-3 * (1 - step / steps)
        torch.manual_seed(step)
        rng = np.random.default_rng(step)
        loss = model.loss(model.collate([model.example(s, rng, True) for s in items or samples()]))
        optimizer.zero_grad()
        (loss.total / loss.count).backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
    return model


def clips() -> list[PoseClip]:
    return [sample.clip for sample in samples()]


def said(model: SemText, given: list[PoseClip]) -> list[str]:
    return [found.text for found in model.translate(given)]


@pytest.fixture(scope="module")
def learnt(tiny: Config) -> SemText:
    return learn(begin(tiny, TEXTS, 1), 60)


def test_tiny_overfits_four_clips_and_looks_at_them(learnt: SemText) -> None:
    assert sum(p.numel() for p in learnt.parameters()) <= 1_000_000
    assert said(learnt, clips()) == TEXTS
    shuffled = said(learnt, clips()[1:] + clips()[:1])
    assert sum(a == b for a, b in zip(shuffled, TEXTS, strict=True)) <= 1
    assert isinstance(learnt, Translator)
    scores = semtext.score_dev(learnt, samples(), 4, 2)  # type: ignore[arg-type]
    assert set(semtext.METRICS) <= set(scores)
    assert scores["R@1"] == 100
    assert scores["cosine"] > 95


def test_a_decoder_that_reads_the_predicted_embedding_alone_learns_too(tiny: Config) -> None:
    narrow = learn(begin(dataclasses.replace(tiny, reads="embedding"), TEXTS, 1), 70)
    assert said(narrow, clips()) == TEXTS


def test_the_encoder_begins_as_the_sentence_embedding(tiny: Config) -> None:
    shape = {"width": 8, "encoder_layers": 1, "encoder_heads": 2, "encoder_inner": 16,
             "encoder_positions": 24, "max_frames": 96}  # fmt: skip
    config = dataclasses.replace(tiny, encoder_pretrained=tiny.embedding, **shape)  # type: ignore[arg-type]
    part = begin(config, TEXTS, 1).sign2sem
    theirs = SentenceEmbedder(tiny.embedding).encoder.state_dict()
    assert part is not None
    for name, tensor in part.encoder.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], rtol=0, atol=0)
    with pytest.raises(UsageError, match="num_hidden_layers is 1 there and 2 here"):
        begin(dataclasses.replace(config, encoder_layers=2), TEXTS, 1)


def test_glosses_supervise_in_place_of_embeddings(tiny: Config) -> None:
    config = dataclasses.replace(tiny, supervision="gloss", embedding="")
    model = learn(begin(config, TEXTS, 1, glosses=GLOSSES), 70)
    assert said(model, clips()) == TEXTS
    batch = model.collate([model.example(s, np.random.default_rng(0), False) for s in samples()])
    states, there, _ = model.eval().signed(batch.points, batch.mask)
    names, head = model.gloss_names, model.gloss_head
    assert names is not None
    assert head is not None
    for row, real, text in zip(head(states).argmax(-1), there.sum(1), GLOSSES, strict=True):
        path = torch.unique_consecutive(row[:real])
        assert names.decode(path[path != names.pad].tolist()) == text


def test_embedding_losses_are_the_formulas() -> None:
    rng = np.random.default_rng(0)
    found, wanted = rng.standard_normal((2, 5, 7))

    def cos(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    formulas = {
        "mse": [float(((f - w) ** 2).sum() / 7) for f, w in zip(found, wanted, strict=True)],
        "cosine": [1 - cos(f, w) for f, w in zip(found, wanted, strict=True)],
        "siamese": [
            (cos(found[i], found[(i + 1) % 5]) - cos(wanted[i], wanted[(i + 1) % 5])) ** 2
            for i in range(5)
        ],
    }
    for kind, expected in formulas.items():
        given = [torch.tensor(each, dtype=torch.float32) for each in (found, wanted)]
        np.testing.assert_allclose(embedding_losses(kind, *given), expected, rtol=1e-4)  # type: ignore[arg-type]
        assert float(embedding_losses(kind, given[1], given[1]).abs().max()) < 1e-6  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="compares samples with each other, and a batch has one"):
        embedding_losses("siamese", torch.ones(1, 3), torch.ones(1, 3))


def test_the_loss_is_the_sum_of_both_and_parts_add_up(tiny: Config) -> None:
    """L_o + λ·L_e over tokens, written out; micro-batches of other sizes give the same sum."""
    config = dataclasses.replace(tiny, sem_weight=3.0)
    model = begin(config, TEXTS, 1).eval()
    rng = np.random.default_rng(0)
    examples = [model.example(sample, rng, False) for sample in samples()]
    batch = model.collate(examples)
    with torch.no_grad():
        loss = model.loss(batch)
        expected = 0.0
        for example, clip in zip(examples, clips(), strict=True):
            one = model.collate([example])
            log_p = model(one.points, one.mask, one.inputs)[0].double().log_softmax(-1)
            tokens = example.tokens[1:]
            expected -= float(sum(log_p[i, token] for i, token in enumerate(tokens)))
            found = model.embed_clips([clip])[0].astype(np.float64)
            expected += 3 * len(tokens) * float(((found - example.target) ** 2).mean())
        parts = [model.loss(model.collate(examples[a:b])) for a, b in ((0, 1), (1, 4))]
    assert float(loss.total) == pytest.approx(expected, rel=1e-4)
    assert sum(float(part.total) for part in parts) == pytest.approx(expected, rel=1e-4)
    assert int(loss.count) == sum(len(e.tokens) - 1 for e in examples)


def test_padding_and_neighbours_change_nothing(learnt: SemText) -> None:
    alone = np.concatenate([learnt.embed_clips([clip]) for clip in clips()])
    np.testing.assert_allclose(learnt.embed_clips(clips()), alone, atol=1e-5)
    learnt.train()
    batch = learnt.collate([learnt.example(s, np.random.default_rng(0), False) for s in samples()])
    for pad in (0, 8):  # batch statistics too are of real frames alone
        points = torch.nn.functional.pad(batch.points, (0, 0, 0, 0, 0, pad), value=7.0)
        mask = torch.nn.functional.pad(batch.mask, (0, pad))
        with torch.no_grad():
            found = learnt.signed(points, mask)[2]
        if pad == 0:
            first = found
    learnt.eval()
    torch.testing.assert_close(found, first, atol=1e-5, rtol=1e-5)


def test_the_predicted_embedding_has_length_1_where_the_target_has(embedding: str) -> None:
    config = dataclasses.replace(PRESETS["tiny"], embedding="all-MiniLM-L6-v2")
    model = begin(config, TEXTS, 0)
    np.testing.assert_allclose(np.linalg.norm(model.embed_clips(clips()), axis=1), 1, atol=1e-5)
    example = model.example(samples()[0], np.random.default_rng(0), True)
    np.testing.assert_allclose(example.target, SentenceEmbedder(config.embedding).embed(TEXTS)[0], atol=1e-6)  # fmt: skip


def test_phases_train_their_part_and_ask_for_their_loss(tiny: Config) -> None:
    model = begin(tiny, TEXTS, 1)
    rng = np.random.default_rng(0)
    signed = model.collate([model.example(s, rng, False) for s in samples()])
    texts = Texts(tuple(TEXTS))
    written = model.collate([model.example(texts[i], rng, False) for i in range(4)])
    both = model.collate(
        [model.example(samples()[0], rng, False), model.example(texts[1], rng, False)]
    )
    assert signed.signed.all()
    assert not written.signed.any()

    def gradients(glob: str, batch: semtext.Batch) -> set[str]:
        trained = Stage("phase", 1, 1e-3, train=(glob,)).trained(model)
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(name in trained)
            parameter.grad = None
        model.loss(batch).total.backward()
        return {n.split(".")[0] for n, p in model.named_parameters() if p.grad is not None}

    assert gradients("sign2sem.*", signed) == {"sign2sem"}
    assert int(model.loss(signed).count) == 4  # samples, for no text is learnt
    with pytest.raises(UsageError, match=r"trains nothing of 'sem2text\.\*'; give the stage data"):
        model.loss(written)
    assert gradients("sem2text.*", written) == {"sem2text"}
    assert gradients("*", both) == {"sign2sem", "sem2text"}
    loss = float(model.loss(both).total.detach())
    apart = [model.loss(both.rows(both.signed == side)) for side in (True, False)]
    assert loss == pytest.approx(sum(float(each.total.detach()) for each in apart), rel=1e-5)


def test_a_pipeline_is_a_trained_sem2text_with_a_sign2sem_before_it(
    tiny: Config, tmp_path: Path
) -> None:
    config = dataclasses.replace(tiny, input="text", votes=True)
    items = [Texts(tuple(TEXTS))[i] for i in range(4)]
    writer = learn(begin(config, TEXTS, 1), 60, items)
    assert [found.text for found in writer.reconstruct(TEXTS)] == TEXTS
    assert semtext.score_dev(writer, Texts(tuple(TEXTS)), 4, 2)["BLEU-4"] == 100
    with pytest.raises(UsageError, match=r"is a sem2text.*knows no signing"):
        writer.translate(clips())
    save_checkpoint(tmp_path / "writer", writer.described(), writer, writer.tokenizer)

    pipeline = dataclasses.replace(
        tiny, reads="embedding", decoder_pretrained=str(tmp_path / "writer"), beam=2, votes=True
    )
    model = begin(pipeline, ["Other words, another vocabulary.", *TEXTS], 2)
    assert model.tokenizer.get_vocab() == writer.tokenizer.get_vocab()
    assert [found.text for found in model.reconstruct(TEXTS)] == TEXTS
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith("sign2sem."))
    assert said(learn(model, 60), clips()) == TEXTS
    assert [found.text for found in model.reconstruct(TEXTS)] == TEXTS  # it stood still

    other = str(small(tmp_path / "other", seed=5, width=12))
    with pytest.raises(UsageError, match=r"8 numbers\), expected those of .*12 numbers"):
        begin(dataclasses.replace(pipeline, embedding=other), TEXTS, 0)
    with pytest.raises(
        UsageError,
        match=r"has {'memory': 4, 'votes': True} and 64 tokens at most, .* asks for {'memory': 2",
    ):
        begin(dataclasses.replace(pipeline, memory=2), TEXTS, 0)


def test_it_comes_back_whole_and_its_embedding_must_be_the_same(
    learnt: SemText, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    again = load(tmp_path / "model")
    assert again.described() == learnt.described()
    assert said(again, clips()) == TEXTS
    np.testing.assert_array_equal(again.embed_texts(TEXTS), learnt.embed_texts(TEXTS))
    again.embedder = SentenceEmbedder(str(small(tmp_path / "other", seed=3)))
    with pytest.raises(
        MediaError, match=r"was trained on embeddings of .* put the same model back"
    ):
        again.embed_texts(TEXTS)
    with pytest.raises(UsageError, match="no sentence embeddings to learn from"):
        again.example(samples()[0], np.random.default_rng(0), True)
    train_bpe(["Quite other words stand here"] * 3, 60).save(
        str(tmp_path / "model" / "tokenizer.json")
    )
    with pytest.raises(MediaError, match="is another vocabulary"):
        load(tmp_path / "model")


def test_votes_are_added_to_every_token_and_the_search_hears_them(tiny: Config) -> None:
    model = begin(dataclasses.replace(tiny, votes=True, input="text"), TEXTS, 1).eval()
    part, tokens = model.sem2text, torch.randint(4, 40, (2, 5))
    read = part.of_embedding(torch.randn(2, 8))
    assert part.votes is not None
    with torch.no_grad():
        before = part(read, tokens)
        torch.nn.init.normal_(part.votes.weight)
        after = part(read, tokens)
        votes = part.votes(part.scale(read.embedding))
        step = part.stepper(read, width=1)(tokens, None)
    torch.testing.assert_close(
        after - before, votes[:, None].expand_as(after), atol=1e-4, rtol=1e-4
    )
    torch.testing.assert_close(step, after[:, -1], atol=1e-4, rtol=1e-4)


def test_beginning_with_another_renews_what_means_something_else(
    learnt: SemText, tiny: Config, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path / "model", learnt.described(), learnt, learnt.tokenizer)
    assert begin_with(begin(tiny, TEXTS, 5), tmp_path / "model").renewed == ()
    lower = begin(tiny, [text.lower() for text in TEXTS], 5)
    renewed = begin_with(lower, tmp_path / "model").renewed
    assert {name.split(".")[-2] for name in renewed} == {"embed_tokens", "lm_head"}


def test_an_mbart_gives_its_decoder_and_its_tokens(tiny: Config, tmp_path: Path) -> None:
    tokenizer = train_bpe(TEXTS, 120)
    tokenizer.add_special_tokens([AddedToken("en_XX")])
    shape = MBartConfig(
        vocab_size=tokenizer.get_vocab_size(), d_model=16, encoder_layers=1, decoder_layers=1,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16,
        max_position_embeddings=48, scale_embedding=True,
    )  # fmt: skip
    theirs = MBartForConditionalGeneration(shape)
    theirs.save_pretrained(tmp_path / "mbart")
    tokenizer.save(str(tmp_path / "mbart" / "tokenizer.json"))
    config = dataclasses.replace(tiny, decoder_pretrained=str(tmp_path / "mbart"), max_tokens=40)
    model = begin(config, TEXTS, 0)
    wanted = theirs.model.decoder.layers[0].fc1.weight
    assert torch.equal(model.sem2text.decoder.model.decoder.layers[0].fc1.weight, wanted)
    assert model.described()["decoder"]["base"]["filled"] == 1.0
    example = model.example(samples()[0], np.random.default_rng(0), True)
    assert example.tokens[0] == tokenizer.token_to_id("en_XX")
    assert model.codec.decode(example.tokens[1:].tolist()) == TEXTS[0]
    save_checkpoint(tmp_path / "model", model.described(), model, model.tokenizer)
    (tmp_path / "mbart" / "model.safetensors").unlink()  # a checkpoint needs it no more
    assert load(tmp_path / "model").described() == model.described()
    theirs.save_pretrained(tmp_path / "mbart")
    with pytest.raises(
        UsageError, match="max_tokens 48 and a start are more than the 48 positions"
    ):
        begin(dataclasses.replace(config, max_tokens=48), TEXTS, 0)
    with pytest.raises(UsageError, match="has no 'xx_XX' for a text to begin with"):
        begin(dataclasses.replace(config, language_code="xx_XX"), TEXTS, 0)
    larger = Tokenizer.from_str(tokenizer.to_str())
    larger.add_special_tokens([AddedToken("xx_XX")])
    larger.save(str(tmp_path / "mbart" / "tokenizer.json"))
    counts = f"has {larger.get_vocab_size()} tokens, and its decoder {tokenizer.get_vocab_size()}"
    with pytest.raises(MediaError, match=rf"{counts}; copy the tokenizer that belongs to it"):
        begin(config, TEXTS, 0)


def test_samples_that_lack_something_are_refused(learnt: SemText, tiny: Config) -> None:
    sample, rng = samples()[0], np.random.default_rng(0)
    with pytest.raises(UsageError, match="sample '0' has no text"):
        learnt.example(dataclasses.replace(sample, text=" "), rng, True)
    long = " ".join(TEXTS * 9)
    with pytest.raises(UsageError, match=r"has \d+ tokens, and the decoder writes 64 at most"):
        learnt.example(dataclasses.replace(sample, text=long), rng, True)
    with pytest.raises(
        UsageError, match=r"^a training text has \d+ tokens, and the decoder writes 64"
    ):
        begin(tiny, [*TEXTS, long], 0)
    with pytest.raises(UsageError, match=r"no sentence embedding of 'Home\.' among the 4"):
        learnt.example(dataclasses.replace(sample, text="Home."), rng, True)
    config = dataclasses.replace(tiny, supervision="gloss")
    model = begin(config, TEXTS, 0, glosses=GLOSSES)
    with pytest.raises(UsageError, match="sample '0' has no glosses, which supervise here"):
        model.example(dataclasses.replace(sample, glosses=()), rng, True)
    plain = begin(dataclasses.replace(tiny, supervision="none"), TEXTS, 0)
    plain.sem2text.requires_grad_(False)
    with pytest.raises(UsageError, match="nothing is learnt: supervision is 'none'"):
        plain.loss(plain.collate([plain.example(sample, rng, True)]))
    assert learnt.translate([sample.clip.frames(slice(0)), sample.clip])[0].text == ""


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"supervison": "sem"}, r"no setting 'supervison' \(did you mean 'supervision"),
        ({"sem_loss": "mae"}, "one of mse, cosine, siamese"),
        ({"embedding": ""}, "embedding is empty, and it is what is learnt"),
        ({"max_frames": 600}, "600 frames are 150 after compression|more than the encoder's"),
        ({"chunk": 48}, "chunk"),
        ({"memory": 0}, "memory is 0, expected a whole number from 1"),
    ],
)
def test_config_errors(settings: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        Config.of({**PRESETS["small"].to_json(), **settings})


@pytest.mark.parametrize(
    ("preset", "sign2sem", "sem2text"),
    [("tiny", 0.25, 0.38), ("small", 1.10, 1.60), ("paper", 21.73, 12.85)],
)
def test_presets_have_the_parameters_that_the_page_states(
    preset: str, sign2sem: float, sem2text: float
) -> None:
    config = PRESETS[preset]
    shape = MbartShape(1, config.decoder_width, config.decoder_layers, config.decoder_heads, config.decoder_inner, config.max_tokens + 1)  # fmt: skip
    with torch.device("meta"):
        parts = (
            SignToSem(config, 384),
            SemToText(build_mbart(shape, 0.1), 384, config.memory, config.votes),
        )
    counted = [
        sum(p.numel() for n, p in part.named_parameters() if "embed_tokens" not in n) / 1e6
        for part in parts
    ]
    assert counted == pytest.approx([sign2sem, sem2text], abs=0.006)


def test_presets_are_whole_as_plain_values() -> None:
    for config in PRESETS.values():
        assert Config.of(config.to_json()) == config


def test_a_recipe_of_three_phases_runs_and_says_what_it_learnt_from(
    embedding: str, tmp_path: Path
) -> None:
    """On simulated sentences: text alone does not make a model one that knows real signing."""
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    source = {"simulated": "sentences", "size": "tiny"}
    recipe = {
        "name": "phases", "method": "semtext", "preset": "tiny",
        "config": {"embedding": embedding, "targets": str(tmp_path / "targets.safetensors")},
        "data": {"train": source, "dev": {**source, "split": "dev"}, "dev_limit": 2},
        "training": {
            "batch": 2, "lr": 1e-3, "log_every": 1,
            "stages": [
                {"name": "sign2sem", "steps": 2, "train": ["sign2sem.*"]},
                {"name": "sem2text", "steps": 2, "train": ["sem2text.*"],
                 "data": {"texts": [str(tmp_path / "texts.txt")], "shortest": 3}},
                {"name": "both", "steps": 2},
            ],
        },
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    run_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "run")
    said_ = json.loads((tmp_path / "run" / "best" / "config.json").read_text())
    assert said_["simulated_only"]
    assert said_["languages"] == ["sim-1"]
    assert said_["embedding"]["width"] == 8
    assert (tmp_path / "targets.safetensors").is_file()
    model = load(tmp_path / "run" / "best")
    assert model.simulated_only
    assert model.layout == PS76 or len(model.layout) < len(PS76)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert {line["stage"] for line in log if "stage" in line} == {"sign2sem", "sem2text", "both"}


def test_several_processes_are_not_given_batches_of_which_one_may_lack_the_signing(
    embedding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would miss the statistics that the others wait for; stages of one kind each are shared as ever."""
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    texts = {"texts": [str(tmp_path / "texts.txt")]}
    signing = {"simulated": "sentences", "size": "tiny"}
    mixed = {"mixed": [{"percent": 50, "source": signing}, {"percent": 50, "source": texts}]}
    recipe = {
        "name": "mixed", "method": "semtext", "preset": "tiny", "config": {"embedding": embedding},
        "data": {"train": signing, "dev": {**signing, "split": "dev"}, "dev_limit": 2},
        "training": {"batch": 2, "stages": [{"name": "both", "steps": 2, "data": mixed}]},
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="give each kind a stage of its own"):
        run_recipe(read_recipe(tmp_path / "recipe.yaml"), tmp_path / "run")
    nested = {"mixed": [{"percent": 50, "source": mixed}, {"percent": 50, "source": signing}]}
    for source, refused in ((nested, True), (texts, False), (signing, False)):
        recipe["data"]["train"] = mixed  # of which no stage learns
        recipe["training"]["stages"] = [{"name": "only", "steps": 2, "data": source}]
        with pytest.raises(UsageError) if refused else nullcontext():
            _refuse_unshared(Recipe.model_validate(recipe))


def test_cosine_of_torch_is_not_changed_by_length() -> None:
    a, b = torch.randn(3, 5), torch.randn(3, 5)
    torch.testing.assert_close(
        embedding_losses("cosine", 4 * a, b), 1 - cosine_similarity(a, b), atol=1e-6, rtol=0
    )
