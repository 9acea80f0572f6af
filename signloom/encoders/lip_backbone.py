"""The lip stream of "Lost in Translation, Found in Embeddings" (arXiv 2512.08040, §3.1).

A frame encoder sees the mouth: Auto-AVSR's, frozen (`auto_avsr`), where the user has its
weights; else `SmallLipEncoder`, frozen where it has weights, learned with the rest where not. What
it gives goes through a linear layer and a Conformer of four blocks, and is pooled as the pose is [S].
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.encoders.auto_avsr import AutoAvsrEncoder, load_lip_weights
from signloom.encoders.batch_norm import BatchNorm2d
from signloom.encoders.conformer import Conformer, attentive_pool
from signloom.errors import MediaError, UsageError

EncoderName = Literal["small", "auto_avsr"]


class LipEncoder(Protocol):
    """Mouths to one vector a frame: `SmallLipEncoder`, `AutoAvsrEncoder`, either of them `Frozen`."""

    width: int

    def __call__(
        self,
        pictures: Float[Tensor, "batch time 88 88"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time width"]: ...


class LipFeatures(NamedTuple):
    """What the backbone makes of a clip's mouths; padded frames are 0.

    sequence: (B, T, width), the Conformer's frames.
    pooled: (B, width), f_lip.
    """

    sequence: Float[Tensor, "batch time width"]
    pooled: Float[Tensor, "batch width"]


class LipBackbone(nn.Module):
    """A frame encoder's vectors (B, T, inputs) in, frames and one vector per clip out.

    inputs: the frame encoder's width, 768 in the paper [S]. width, layers, heads, head_width,
    dropout: of the Conformer, whose first layer is the linear one from ``inputs``.
    """

    def __init__(
        self,
        inputs: int,
        width: int = 512,
        layers: int = 4,
        heads: int = 8,
        head_width: int = 64,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.conformer = Conformer(inputs, width, layers, heads, head_width, dropout=dropout)

    def forward(
        self,
        frames: Float[Tensor, "batch time inputs"],
        mask: Bool[Tensor, "clips pose_time"],
    ) -> LipFeatures:
        """``mask`` is True on real frames, as the pose's: lips have a frame for each of its frames.

        Raises UsageError where there are not as many of them.
        """
        if frames.shape[:2] != mask.shape:
            raise UsageError(
                f"the lips have {frames.shape[1]} frames in {frames.shape[0]} clips, but the mask "
                f"has {mask.shape[1]} in {mask.shape[0]}, expected one for each frame of the pose"
            )
        sequence, attention = self.conformer(frames, mask)
        return LipFeatures(sequence, attentive_pool(sequence, attention, mask))


class Frozen(nn.Module):
    """A frame encoder that training passes by: no gradients, and evaluation mode whatever its parent's is.

    Its weights are referred to, never stored: no state dict has them, and loading one leaves them.
    sha256: of the file they came from; "" where there is none. filled: the fraction of the encoder's
    parameters that it filled.
    """

    def __init__(self, encoder: nn.Module, sha256: str = "", filled: float = 0.0):
        super().__init__()
        self.encoder = encoder.requires_grad_(False).eval()
        self.width = cast(int, encoder.width)
        self.sha256, self.filled = sha256, filled
        self.register_state_dict_post_hook(_without_weights)
        self.register_load_state_dict_pre_hook(_with_own_weights)

    def train(self, mode: bool = True) -> Frozen:
        """Stays in evaluation mode."""
        return super().train(False)

    @torch.no_grad()
    def forward(
        self,
        pictures: Float[Tensor, "batch time 88 88"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time width"]:
        return self.encoder(pictures, mask)


def _without_weights(_: nn.Module, state: dict[str, Any], prefix: str, __: Any) -> None:
    for name in [name for name in state if name.startswith(f"{prefix}encoder.")]:
        del state[name]


def _with_own_weights(frozen: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    own = cast(Frozen, frozen).encoder.state_dict()
    state.update({f"{prefix}encoder.{name}": tensor for name, tensor in own.items()})


def lip_encoder(name: EncoderName, weights: str = "", sha256: str = "") -> nn.Module:
    """Who looks at the mouth: `Frozen` where a folder of ``weights`` is given, else the small one, to be trained.

    sha256: what the weights must have, where that is known.
    Raises UsageError for Auto-AVSR's without weights, MediaError where they do not fill the
    encoder whole or are not the ones expected.
    """
    if name == "auto_avsr" and not weights:
        raise UsageError(
            "the lip encoder 'auto_avsr' needs the published weights: from random ones it would see "
            "nothing; give their folder (see signloom.encoders.auto_avsr), or take 'small'"
        )
    encoder = AutoAvsrEncoder() if name == "auto_avsr" else SmallLipEncoder()
    if not weights:
        return encoder
    filled = load_lip_weights(encoder, weights)
    got = weights_sha256(weights)
    if sha256 and got != sha256:
        raise MediaError(
            f"the lip encoder's weights in {weights} have sha256 {got[:12]}…, expected "
            f"{sha256[:12]}…; put back the weights that the model was trained with"
        )
    return Frozen(encoder, got, filled)


def weights_sha256(folder: str | Path) -> str:
    """Of the safetensors in a folder, one after another by name."""
    digests = []
    for path in sorted(Path(folder).glob("*.safetensors")):
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return (
        digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
    )


class SmallLipEncoder(nn.Module):
    """Mouths (B, T, 88, 88) → (B, T, width): each frame by itself, in four convolutions (ours).

    Every frame is first freed of its own mean and spread, so that light and skin count for
    less. With a width of 64 it has 98,096 parameters and costs 1.97 MMAC a frame.
    """

    def __init__(self, width: int = 64):
        super().__init__()
        self.width = width
        self.convolutions = nn.Sequential(
            *_convolution(1, 16, 7, 4),
            *_convolution(16, 32, 3, 2),
            *_convolution(32, 64, 3, 2),
            *_convolution(64, 64, 3, 2),
        )
        self.project = nn.Linear(64 * 3 * 3, width)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        pictures: Float[Tensor, "batch time 88 88"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time width"]:
        """``mask`` is True on real frames; the others are not looked at and come out as 0."""
        seen = pictures[mask]
        mean = seen.mean((1, 2), keepdim=True)
        spread = (seen - mean).square().mean((1, 2), keepdim=True).sqrt()
        maps = self.convolutions(((seen - mean) / (spread + 0.1))[:, None])
        rows = self.norm(self.project(maps.flatten(1)))
        return rows.new_zeros(*mask.shape, self.width).masked_scatter(mask[..., None], rows)


def _convolution(inputs: int, channels: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(inputs, channels, kernel, stride, kernel // 2, bias=False)
    return convolution, BatchNorm2d(channels), nn.ReLU()
