"""mBART's decoder: the decoder half of the whole model, filled to the last weight or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import MBartConfig, MBartForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

from signloom.errors import MediaError
from signloom.language.mbart import MbartShape, build_mbart, load_mbart
from signloom.language.seq2seq import crossed_stepper


def write(folder: Path, **changes: object) -> MBartForConditionalGeneration:
    torch.manual_seed(0)
    model = MBartForConditionalGeneration(
        MBartConfig(**{
            "vocab_size": 40, "d_model": 16, "encoder_layers": 1, "decoder_layers": 2,
            "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 24,
            "decoder_ffn_dim": 24, "max_position_embeddings": 32, "scale_embedding": True, **changes,
        })
    )  # fmt: skip
    model.save_pretrained(folder)
    return model.eval()


def test_the_decoder_half_says_what_the_whole_model_says(tmp_path: Path) -> None:
    whole = write(tmp_path)
    decoder, shape, base = load_mbart(str(tmp_path), dropout=0.0)
    assert shape == MbartShape(40, 16, 2, 2, 24, 32, "gelu")
    assert base.filled == 1.0
    assert base.parameters == sum(p.numel() for p in decoder.parameters())
    memory, mask = torch.randn(2, 5, 16), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    tokens = torch.randint(4, 40, (2, 6))
    with torch.no_grad():
        theirs = whole(
            encoder_outputs=BaseModelOutput(last_hidden_state=memory),
            attention_mask=mask.long(),
            decoder_input_ids=tokens,
        ).logits
        ours = decoder.eval()(
            input_ids=tokens, encoder_hidden_states=memory, encoder_attention_mask=mask.long()
        ).logits
        step = crossed_stepper(decoder, memory, mask, width=1)
        first = step(tokens[:, :1], None)
        second = step(tokens[:, :2], torch.arange(2))
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.stack([first, second], 1), theirs[:, :2])


@pytest.mark.parametrize(
    ("lost", "says"),
    [
        (
            "model.decoder.layers.1.encoder_attn.k_proj.weight",
            r"fill 9\d\.\d % .*k_proj.weight is missing",
        ),
        ("model.shared.weight", "embed_tokens.weight is missing"),
    ],
)
def test_a_lost_weight_stops_the_run(tmp_path: Path, lost: str, says: str) -> None:
    write(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    assert lost in weights
    del weights[lost]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(MediaError, match=says):
        load_mbart(str(tmp_path), 0.1)


def test_other_weights_and_other_kinds_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "a")
    weights = load_file(tmp_path / "a" / "model.safetensors")
    save_file(
        {**weights, "model.decoder.more": torch.ones(1)}, tmp_path / "a" / "model.safetensors"
    )
    with pytest.raises(MediaError, match=r"model\.decoder\.more is not in the decoder"):
        load_mbart(str(tmp_path / "a"), 0.1)
    save_file(
        {**weights, "final_logits_bias": torch.ones(1, 40)}, tmp_path / "a" / "model.safetensors"
    )
    with pytest.raises(MediaError, match="final_logits_bias is not 0"):
        load_mbart(str(tmp_path / "a"), 0.1)
    write(tmp_path / "b", scale_embedding=False)
    with pytest.raises(MediaError, match="embeddings are not scaled"):
        load_mbart(str(tmp_path / "b"), 0.1)
    (tmp_path / "b" / "config.json").write_text('{"model_type": "bart"}')
    with pytest.raises(MediaError, match="of type 'bart', expected 'mbart'"):
        load_mbart(str(tmp_path / "b"), 0.1)


def test_what_is_built_is_scaled_for_its_width() -> None:
    torch.manual_seed(0)
    decoder = build_mbart(MbartShape(50, 64, 2, 4, 128, 20), dropout=0.0)
    assert decoder.lm_head.weight is decoder.model.decoder.embed_tokens.weight
    tokens = torch.randint(0, 50, (4, 8))
    logits = decoder(input_ids=tokens, encoder_hidden_states=torch.randn(4, 3, 64)).logits
    assert 0.3 < logits.std() < 3
