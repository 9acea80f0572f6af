"""T5 loads whole or stops; a codec brings text back and spells numbers digit by digit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import T5ForConditionalGeneration

from signloom.errors import MediaError, UsageError
from signloom.language.t5 import (
    Base,
    T5Shape,
    TextCodec,
    build_t5,
    codec_of,
    load_base,
    load_t5,
    train_codec,
)

TEXTS = ["Turn left here, then stop.", "We went home in 1999.", "Where is the red house?"] * 2
CODEC = train_codec(TEXTS, 120)


def shape(**changes: object) -> T5Shape:
    given_ = {"vocabulary": len(CODEC), "width": 16, "key_width": 6, "inner": 24, "layers": 2}
    return T5Shape(**{**given_, "decoder_layers": 1, "heads": 2, **changes})  # type: ignore[arg-type]


def write(folder: Path, model: T5ForConditionalGeneration, codec: TextCodec = CODEC) -> Path:
    model.save_pretrained(folder)
    codec.tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def logits(model: T5ForConditionalGeneration) -> torch.Tensor:
    ids = torch.tensor([CODEC.encode(TEXTS[0])])
    with torch.no_grad():
        return model.eval()(input_ids=ids, decoder_input_ids=ids[:, :4]).logits


@given(st.lists(st.sampled_from(["left", "home", "1999", "7", "house?", "stop.", "0"]), max_size=8))
@settings(max_examples=50, deadline=None)
def test_text_comes_back_and_digits_never_merge(words: list[str]) -> None:
    text = " ".join(words)
    ids = CODEC.encode(text)
    assert CODEC.decode([CODEC.start, *ids, CODEC.end, *ids, CODEC.pad]) == text
    digits = [CODEC.digit_ids.index(i) for i in ids if i in CODEC.digit_ids]
    assert digits == [int(d) for d in re.findall(r"\d", text)]


def test_six_digits_spelled_are_six_digits_read() -> None:
    assert CODEC.decode([CODEC.digit_ids[d] for d in (0, 3, 7, 1, 4, 2)]) == "037142"
    assert CODEC.decode([CODEC.sentinels[3], *CODEC.encode("home"), CODEC.pad]) == "home"
    assert len({CODEC.start, CODEC.pad, CODEC.end, *CODEC.digit_ids, *CODEC.sentinels}) == 45
    assert len(CODEC) <= 120


def test_a_codec_is_found_again_in_its_tokenizer() -> None:
    again = codec_of(Tokenizer.from_str(CODEC.tokenizer.to_str()))
    assert again.encode("in 1999, stop") == CODEC.encode("in 1999, stop")
    assert (again.start, again.pad, again.end) == (CODEC.start, CODEC.pad, CODEC.end)
    assert (again.digit_ids, again.sentinels) == (CODEC.digit_ids, CODEC.sentinels)


def test_t5s_own_kind_of_tokenizer_is_read_too() -> None:
    """Pieces that merge digits, <pad> first, and begin with it, as SentencePiece's for T5 does."""
    pieces = ["<pad>", "</s>", "<unk>", "▁", "▁19", "99", *"0123456789", "▁home"]
    tokenizer = Tokenizer(models.Unigram([(piece, -1.0) for piece in pieces], unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens([AddedToken(f"<extra_id_{i}>") for i in range(2)])
    codec = codec_of(tokenizer)
    assert codec.encode("1999") == [4, 5]
    assert (codec.start, codec.pad, codec.end) == (0, 0, 1)
    assert codec.digit_ids == tuple(range(6, 16))
    assert codec.sentinels == (17, 18)
    with pytest.raises(UsageError, match="no token '0'"):
        codec_of(Tokenizer(models.Unigram([("<pad>", 0.0), ("</s>", 0.0)])))


@pytest.mark.parametrize("tied", [True, False])
def test_what_is_built_is_t5_v1_1_and_depends_on_its_seed_alone(tied: bool) -> None:
    torch.manual_seed(1)
    model = build_t5(shape(tied=tied), seed=3)
    before = torch.get_rng_state()
    again, other = build_t5(shape(tied=tied), seed=3), build_t5(shape(tied=tied), seed=4)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(logits(model), logits(again))
    assert not torch.equal(logits(model), logits(other))
    assert (model.lm_head.weight is model.shared.weight) == tied
    assert model.config.scale_decoder_outputs is False
    attention, feed_forward = 4 * 16 * 12, 3 * 16 * 24
    encoder = 2 * (attention + feed_forward + 2 * 16) + 32 * 2 + 16
    decoder = 2 * attention + feed_forward + 3 * 16 + 32 * 2 + 16
    embeddings = (1 if tied else 2) * len(CODEC) * 16
    assert sum(p.numel() for p in model.parameters()) == encoder + decoder + embeddings
    assert logits(model).std() < 2  # logits begin near what a uniform guess would be


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_folder_is_read_whole(tied: bool, dtype: torch.dtype, tmp_path: Path) -> None:
    model = build_t5(shape(tied=tied), seed=0).to(dtype)
    write(tmp_path, model)
    (tmp_path / "README.md").write_text("---\nlicense: apache-2.0\ntags: [t5]\n---\n# a model\n")
    found = load_t5(tmp_path)
    assert not found.model.training
    assert found.model.dtype == torch.float32
    assert torch.equal(logits(found.model), logits(model.float()))
    assert (found.model.lm_head.weight is found.model.shared.weight) == tied
    assert found.base.filled == 1.0
    assert found.base.parameters == sum(p.numel() for p in model.parameters())
    assert (found.base.source, found.base.revision) == (str(tmp_path), "")
    assert found.base.licence == "apache-2.0"
    assert found.codec.encode("home") == CODEC.encode("home")


def test_weights_in_several_files_are_one_model(tmp_path: Path) -> None:
    model = build_t5(shape(), seed=0)
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    CODEC.tokenizer.save(str(tmp_path / "tokenizer.json"))
    shards = sorted(tmp_path.glob("model-*.safetensors"))
    assert len(shards) > 1
    found = load_t5(tmp_path)
    assert torch.equal(logits(found.model), logits(model))
    assert found.base.sha256 == load_t5(tmp_path).base.sha256
    shards[-1].unlink()
    with pytest.raises(MediaError, match=f"lacks {shards[-1].name}"):
        load_t5(tmp_path)


def test_weights_that_load_in_part_stop_the_run(tmp_path: Path) -> None:
    write(tmp_path, build_t5(shape(), seed=0))
    file = tmp_path / "model.safetensors"
    whole = load_file(file)
    query = "encoder.block.1.layer.0.SelfAttention.q.weight"

    def with_(**changes: torch.Tensor | None) -> None:
        kept = {n: t for n, t in {**whole, **changes}.items() if t is not None}
        save_file(kept, file, metadata={"format": "pt"})

    with_(**{query: None})
    with pytest.raises(MediaError, match=rf"fill 9\d\.\d % .*{query} is missing"):
        load_t5(tmp_path)
    with_(**{query: torch.zeros(3, 16)})
    with pytest.raises(MediaError, match=rf"{query} has shape \(3, 16\), expected \(12, 16\)"):
        load_t5(tmp_path)
    with_(**{"encoder.extra.weight": torch.zeros(2)})
    with pytest.raises(MediaError, match=r"encoder.extra.weight is not in the model"):
        load_t5(tmp_path)


def test_an_output_of_its_own_that_is_gone_is_not_replaced_by_the_embedding(tmp_path: Path) -> None:
    """transformers ties it and says nothing; Flan-T5's config says that it is not tied."""
    write(tmp_path, build_t5(shape(), seed=0))
    said = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**said, "tie_word_embeddings": False}))
    assert load_t5(tmp_path).model.config.scale_decoder_outputs is False
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(MediaError, match=r"lm_head.weight is missing, and config.json says"):
        load_t5(tmp_path)


def test_what_is_no_t5_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no language model '.*nowhere'; expected a folder"):
        load_t5(tmp_path / "nowhere")
    with pytest.raises(MediaError, match=r"config.json cannot be read"):
        load_t5(tmp_path)
    with pytest.raises(UsageError, match="only a hub id has a revision"):
        load_t5(tmp_path, revision="main")
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(MediaError, match="type 'gpt2', expected 't5'"):
        load_t5(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(MediaError, match="never a pickle"):
        load_t5(tmp_path)
    write(tmp_path, build_t5(shape(), seed=0))
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(MediaError, match=r"has no tokenizer\.json"):
        load_t5(tmp_path)
    train_codec(["Other words altogether, quite a lot of them?"], 200).tokenizer.save(
        str(tmp_path / "tokenizer.json")
    )
    write(tmp_path, build_t5(shape(vocabulary=60), seed=0))
    with pytest.raises(MediaError, match="vocab_size is 60, the tokenizer has"):
        load_t5(tmp_path)


def test_without_a_connection_a_hub_id_is_an_error_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    def offline(*_: object, **__: object) -> str:
        raise LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(
        MediaError, match=r"'google/flan-t5-small' .* cannot be fetched from the hub"
    ):
        load_t5("google/flan-t5-small", revision="main")


def test_a_hub_id_is_pinned_to_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    commit = "0123456789abcdef0123456789abcdef01234567"
    model = build_t5(shape(), seed=0)
    write(tmp_path / commit, model)
    asked: list[str | None] = []

    def cached(source: str, revision: str | None = None, **_: object) -> str:
        asked.append(revision)
        return str(tmp_path / commit)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", cached)
    found = load_t5("someone/t5", revision="main")
    assert (found.base.source, found.base.revision) == ("someone/t5", commit)
    load_base(found.base)
    assert asked == ["main", commit]


def test_a_base_is_found_again_or_missed(tmp_path: Path) -> None:
    folder = write(tmp_path / "base", build_t5(shape(), seed=0))
    base = load_t5(folder).base
    kept = Base.from_json(json.loads(json.dumps(base.to_json())))
    assert kept == base
    assert load_base(kept).base == base
    write(folder, build_t5(shape(), seed=1))
    with pytest.raises(MediaError, match=r"sha256 .* what is there now has .* put the same"):
        load_base(kept)
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(MediaError, match=r"the adapters need the language model '.*base'"):
        load_base(kept)
    with pytest.raises(MediaError, match="has no 'licence'"):
        Base.from_json({k: v for k, v in base.to_json().items() if k != "licence"})


def test_shapes_and_vocabularies_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="layers 0 cannot be"):
        shape(layers=0)
    with pytest.raises(UsageError, match="0 ≤ dropout < 1"):
        shape(dropout=1.0)
    with pytest.raises(UsageError, match="cannot hold 10 digits"):
        train_codec(TEXTS, 40)
    with pytest.raises(UsageError, match="no text"):
        train_codec([], 400)
