"""The size ladder of POSESTITCH-SLT: as many parameters as the page says, and shapes that fit (F1.2)."""

from __future__ import annotations

import pytest
import torch

from signloom.methods.posestitch import PRESETS, PoseStitch, feature_count
from signloom.text.tokenizer import train_bpe

LAYERS = {"encoder": (768, 12, 3072), "decoder": (1024, 24, 4096)}


def on_meta(preset: str, vocabulary: int) -> PoseStitch:
    """The preset's model without a byte of weights."""
    tokenizer = train_bpe(["the weather is cold"], 100, 1)
    tokenizer.add_tokens([f"word{i}" for i in range(vocabulary - tokenizer.get_vocab_size())])
    with torch.device("meta"):
        return PoseStitch(PRESETS[preset], tokenizer)


@pytest.mark.parametrize(
    ("preset", "millions"),
    [("tiny", 0.44), ("small", 1.9), ("isign", 34.6), ("how2sign", 17.8), ("base", 491.4)],
)
def test_each_preset_has_the_parameters_that_its_page_states(preset: str, millions: float) -> None:
    model = on_meta(preset, 200)
    vocabulary = model.tokenizer.get_vocab_size() * PRESETS[preset].decoder_width
    counted = (sum(p.numel() for p in model.parameters()) - vocabulary) / 1e6
    assert counted == pytest.approx(millions, abs=0.06)


def test_base_is_bert_base_and_gpt2_medium_by_the_published_formulas() -> None:
    model = on_meta("base", 200)
    width, layers, inner = LAYERS["encoder"]
    attention = 4 * (width * width + width)
    block = attention + 2 * width * inner + inner + width + 4 * width
    # 512 positions, two token types, the layer norm of the embeddings; no words, no pooler.
    assert (
        sum(p.numel() for p in model.seq2seq.encoder.parameters())
        == layers * block + (512 + 2 + 2) * width
    )
    width, layers, inner = LAYERS["decoder"]
    block = 4 * (width * width + width) + 2 * width * inner + inner + width + 4 * width
    crossed = 4 * (width * width + width) + 2 * width
    embedded = (model.tokenizer.get_vocab_size() + 1024) * width
    assert sum(p.numel() for p in model.seq2seq.decoder.parameters()) == (
        layers * (block + crossed) + embedded + 2 * width
    )


@pytest.mark.parametrize("preset", list(PRESETS))
def test_shapes_fit_on_the_meta_device(preset: str) -> None:
    config, model = PRESETS[preset], on_meta(preset, 200)
    clips, frames, length = 2, config.max_frames, config.max_tokens
    features = torch.empty(clips, frames, feature_count(config), device="meta")
    tokens = torch.empty(clips, length, dtype=torch.long, device="meta")
    # Without masks: transformers looks into a mask's values, which do not exist here.
    states = model.seq2seq.encoder(inputs_embeds=model.front(features)).last_hidden_state
    memory = model.seq2seq.between(states)
    logits = model.seq2seq.decoder(input_ids=tokens, encoder_hidden_states=memory).logits
    assert memory.shape == (clips, frames, config.decoder_width)
    assert logits.shape == (clips, length, model.tokenizer.get_vocab_size())
    assert {tensor.device.type for tensor in (*model.parameters(), *model.buffers())} == {"meta"}
