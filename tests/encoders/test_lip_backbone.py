"""Lips to vectors: published weights load whole or not at all, the encoder stays frozen, padding is unseen."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from signloom.encoders.auto_avsr import (
    AutoAvsrEncoder,
    _Attention,
    _positions,
    convert_auto_avsr,
    load_lip_weights,
    main,
)
from signloom.encoders.frames import pad_frames
from signloom.encoders.lip_backbone import (
    Frozen,
    LipBackbone,
    SmallLipEncoder,
)
from signloom.errors import MediaError, UsageError


def tiny_avsr() -> AutoAvsrEncoder:
    torch.manual_seed(0)
    return AutoAvsrEncoder(width=16, layers=2, heads=2, inner=24, kernel=7, dropout=0.0)


def mouths(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((n, 88, 88)).astype(np.float32) for n in lengths]


def test_the_published_encoder_has_its_size() -> None:
    with torch.device("meta"):
        encoder = AutoAvsrEncoder()

    def count(module: nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    # ResNet-18 as everybody has it (11,689,512), without its first layer and classes.
    assert count(encoder.trunk) == 11_689_512 - 9_408 - 128 - 513_000
    assert count(encoder.front) == 5 * 7 * 7 * 64 + 128
    assert 180e6 < count(encoder) < 185e6
    print(f"Auto-AVSR's visual encoder: {count(encoder):,} parameters")


def test_attention_is_its_formula() -> None:
    """score(t, s) = ((q_t + u)·k_s + (q_t + v)·W p(t−s)) / √d, in float64, pair by pair."""
    torch.manual_seed(1)
    attention = _Attention(8, 2).double()
    nn.init.normal_(attention.u_bias)
    nn.init.normal_(attention.v_bias)
    x = torch.randn(1, 5, 8, dtype=torch.float64)
    mask = torch.tensor([[True, True, True, True, False]])
    got = attention(x, _positions(5, 8, x), mask)[0]
    q, k, v = (part(x)[0] for part in (attention.q, attention.k, attention.v))
    rate = [10000 ** (-2 * m / 8) for m in range(4)]
    expected = torch.zeros(5, 8, dtype=torch.float64)
    for head in range(2):
        own = slice(4 * head, 4 * head + 4)
        for t in range(5):
            scores = []
            for s in range(4):
                wave = [f((t - s) * r) for r in rate for f in (math.sin, math.cos)]
                p = attention.position(torch.tensor(wave, dtype=torch.float64))[own]
                score = (q[t, own] + attention.u_bias[head]) @ k[s, own]
                score = score + (q[t, own] + attention.v_bias[head]) @ p
                scores.append(score / 2)
            weights = torch.stack(scores).softmax(0)
            expected[t, own] = weights @ v[:4, own]
    torch.testing.assert_close(got, attention.out(expected), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("make", [tiny_avsr, SmallLipEncoder])
def test_padding_is_never_seen(make: type) -> None:
    encoder = make().eval()
    pictures, mask = pad_frames(mouths(3, 6))
    assert mask.tolist() == [[True] * 3 + [False] * 3, [True] * 6]
    with torch.no_grad():
        alone = encoder(pictures[:1, :3], mask[:1, :3])
        pictures[0, 3:] = 50
        both = encoder(pictures, mask)
    torch.testing.assert_close(both[:1, :3], alone, rtol=1e-4, atol=1e-5)
    assert not both[0, 3:].any()
    assert both[1].any(dim=1).all()


def published(encoder: AutoAvsrEncoder, old: bool) -> dict[str, Tensor]:
    """A state dict as the authors' code writes it, with values of our own; the names as read there."""
    generator = torch.Generator().manual_seed(3)

    def value(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator) * 0.1

    def norm(name: str, size: int, running: bool = True) -> dict[str, Tensor]:
        found = {f"{name}.weight": value(size), f"{name}.bias": value(size)}
        if running:
            found[f"{name}.running_mean"] = value(size)
            found[f"{name}.running_var"] = value(size).abs() + 0.5
            found[f"{name}.num_batches_tracked"] = torch.tensor(7)
        return found

    def linear(name: str, outputs: int, *inputs: int) -> dict[str, Tensor]:
        return {f"{name}.weight": value(outputs, *inputs), f"{name}.bias": value(outputs)}

    width, inner = encoder.width, 24
    front = {"frontend3D.0.weight": value(64, 1, 5, 7, 7), **norm("frontend3D.1", 64)}
    channels = 64
    for layer, size in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            at = f"trunk.layer{layer}.{block}"
            front[f"{at}.conv1.weight"] = value(size, channels, 3, 3)
            front[f"{at}.conv2.weight"] = value(size, size, 3, 3)
            front |= norm(f"{at}.bn1", size) | norm(f"{at}.bn2", size)
            if channels != size:
                front[f"{at}.downsample.0.weight"] = value(size, channels, 1, 1)
                front |= norm(f"{at}.downsample.1", size)
            channels = size
    state = {f"{'encoder.' if old else ''}frontend.{name}": t for name, t in front.items()}
    state |= linear("encoder.embed.0" if old else "proj_encoder", width, 512)
    for block in range(len(encoder.blocks)):
        at = f"encoder.encoders.{block}"
        for name in ("q", "k", "v", "out"):
            state |= linear(f"{at}.self_attn.linear_{name}", width, width)
        state[f"{at}.self_attn.linear_pos.weight"] = value(width, width)
        for name in ("u", "v"):
            state[f"{at}.self_attn.pos_bias_{name}"] = value(2, width // 2)
        for name in ("feed_forward", "feed_forward_macaron"):
            state |= linear(f"{at}.{name}.w_1", inner, width)
            state |= linear(f"{at}.{name}.w_2", width, inner)
        state |= linear(f"{at}.conv_module.pointwise_cov1", 2 * width, width, 1)
        state |= linear(f"{at}.conv_module.depthwise_conv", width, 1, 7)
        state |= norm(f"{at}.conv_module.norm", width)
        state |= linear(f"{at}.conv_module.pointwise_cov2", width, width, 1)
        for name in ("ff", "ff_macaron", "mha", "conv", "final"):
            state |= norm(f"{at}.norm_{name}", width, running=False)
    state |= norm("encoder.after_norm", width, running=False)
    return state | {"decoder.embed.0.weight": value(5, 4), "ctc.ctc_lo.bias": value(5)}


@pytest.mark.parametrize("old", [False, True])
def test_a_published_checkpoint_becomes_a_folder_that_loads_whole(
    tmp_path: Path, old: bool
) -> None:
    encoder = tiny_avsr()
    theirs = published(encoder, old)
    torch.save(theirs, tmp_path / "vsr.pth")
    left_out = convert_auto_avsr(tmp_path / "vsr.pth", tmp_path / "avsr", encoder=encoder)
    assert left_out == ("decoder.embed.0.weight", "ctc.ctc_lo.bias")
    assert load_lip_weights(encoder, tmp_path / "avsr") == 1.0
    block = encoder.blocks[1]
    at = "encoder.encoders.1."
    for ours, name in (
        (block.attention.k.weight, "self_attn.linear_k.weight"),
        (block.attention.v_bias, "self_attn.pos_bias_v"),
        (block.first[4].bias, "feed_forward_macaron.w_2.bias"),
        (block.second[0].weight, "norm_ff.weight"),
        (block.convolution.gated.weight[:, :, None], "conv_module.pointwise_cov1.weight"),
        (block.norm.bias, "norm_final.bias"),
    ):
        assert torch.equal(ours, theirs[at + name]), name
    shortcut = ("encoder." if old else "") + "frontend.trunk.layer3.0.downsample.1.running_mean"
    assert torch.equal(encoder.trunk.layer3[0].shortcut[1].running_mean, theirs[shortcut])
    with pytest.raises(UsageError, match="avsr"):
        convert_auto_avsr(tmp_path / "vsr.pth", tmp_path / "avsr", encoder=encoder)


class Runs:
    """Something that a pickle would run."""


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    encoder = tiny_avsr()
    theirs = published(encoder, old=False)
    lacking = {n: t for n, t in theirs.items() if "trunk.layer4" not in n}
    wrong = theirs | {"proj_encoder.bias": torch.zeros(9), "encoder.encoders.7.x": torch.zeros(1)}
    for held, message in (
        (lacking, r"fill 2\d\.\d % of the lip encoder.*missing: trunk\.layer4\.0\.convolution1"),
        (wrong, r"unexpected: blocks\.7\.x; shapes: project\.bias is \(9,\), not \(16,\)"),
        ({"model": 3}, "holds no state dict"),
        ({"a": Runs()}, r"cannot be read as tensors alone \(UnpicklingError\)"),
    ):
        torch.save(held, tmp_path / "vsr.pth")
        with pytest.raises(MediaError, match=message):
            convert_auto_avsr(tmp_path / "vsr.pth", tmp_path / "avsr", encoder=encoder)
        assert not (tmp_path / "avsr").exists()
    torch.save(theirs, tmp_path / "vsr.pth")
    with pytest.raises(MediaError, match=r"missing: blocks\.2\.first.*not \(768, 512\)"):
        main([str(tmp_path / "vsr.pth"), str(tmp_path / "avsr")])
    with pytest.raises(UsageError, match="got 1 arguments"):
        main(["vsr.pth"])

    before = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    with pytest.raises(MediaError, match=r"is no folder with safetensors.*auto_avsr CHECKPOINT"):
        load_lip_weights(encoder, tmp_path / "none")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "model.safetensors").write_bytes(b"no tensors at all")
    with pytest.raises(MediaError, match="not a readable safetensors file"):
        load_lip_weights(encoder, tmp_path / "bad")
    torch.save(theirs, tmp_path / "vsr.pth")
    convert_auto_avsr(tmp_path / "vsr.pth", tmp_path / "avsr", encoder=encoder)
    larger = AutoAvsrEncoder(width=16, layers=3, heads=2, inner=24, kernel=7)
    with pytest.raises(MediaError, match=r"missing: blocks\.2\.first\.0\.weight"):
        load_lip_weights(larger, tmp_path / "avsr")
    assert all(torch.equal(before[name], t) for name, t in encoder.state_dict().items())


class Stream(nn.Module):
    """A frozen encoder under a backbone that learns."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Frozen(SmallLipEncoder(8))
        self.backbone = LipBackbone(self.encoder.width, 16, layers=2, heads=2, head_width=8)

    def forward(self, pictures: Tensor, mask: Tensor) -> Tensor:
        return self.backbone(self.encoder(pictures, mask), mask).pooled


def test_the_frame_encoder_stays_frozen_while_its_parent_trains() -> None:
    torch.manual_seed(0)
    stream = Stream()
    weights = stream.encoder.encoder
    before = {name: t.clone() for name, t in weights.state_dict().items()}
    pictures, mask = pad_frames(mouths(4, 6))
    stream.train()
    assert stream.backbone.training
    assert not any(module.training for module in stream.encoder.modules())
    stream(pictures, mask).square().sum().backward()
    for name, parameter in stream.named_parameters():
        if name.startswith("encoder."):
            assert not parameter.requires_grad
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0 or "batch_norm" in name or "bias" in name, name
    assert all(torch.equal(before[name], t) for name, t in weights.state_dict().items())


def test_frozen_weights_are_in_no_state_dict_and_stay_when_one_is_loaded() -> None:
    torch.manual_seed(0)
    one, other = Stream(), Stream()
    state = one.state_dict()
    assert state
    assert all(name.startswith("backbone.") for name in state)
    before = other.encoder.encoder.project.weight.clone()
    other.load_state_dict(state)
    assert torch.equal(other.encoder.encoder.project.weight, before)
    assert all(torch.equal(state[name], t) for name, t in other.state_dict().items())
    with pytest.raises(RuntimeError, match=r"Missing key.*conformer"):
        other.load_state_dict({})


def test_a_backbone_pools_what_it_attended_to_and_sees_no_padding() -> None:
    torch.manual_seed(0)
    backbone = LipBackbone(8, 16, layers=2, heads=2, head_width=8).eval()
    frames = torch.randn(2, 7, 8)
    mask = torch.ones(2, 7, dtype=torch.bool)
    mask[0, 4:] = False
    with torch.no_grad():
        both = backbone(frames, mask)
        alone = backbone(frames[:1, :4], mask[:1, :4])
        sequence, attention = backbone.conformer(frames, mask)
    torch.testing.assert_close(both.sequence[:1, :4], alone.sequence, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(both.pooled[:1], alone.pooled, rtol=1e-4, atol=1e-5)
    expected = (attention[1] @ sequence[1]).mean(0)
    torch.testing.assert_close(both.pooled[1], expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(UsageError, match="the lips have 6 frames in 2 clips, but the mask has 7"):
        backbone(frames[:, :6], mask)


def test_the_small_encoder_is_small_and_does_not_mind_the_light() -> None:
    encoder = SmallLipEncoder().eval()
    pictures, mask = pad_frames(mouths(1))
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        dark = encoder(pictures, mask)
    assert counter.get_total_flops() / 2 < 3e6
    with torch.no_grad():
        bright = encoder(pictures * 1.5 + 1, mask)
    assert (bright - dark).abs().max() < 0.1 * dark.std()
