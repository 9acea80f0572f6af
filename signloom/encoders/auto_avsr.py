"""The visual encoder of Auto-AVSR (Ma et al. 2023, arXiv 2303.14307), and a converter for its weights.

3-D convolution, ResNet-18 on each frame, a linear layer, a Conformer of twelve blocks with
relative positions (spec §3 'Inputs' [R:AV]). The weights are their authors', are not part
of signloom, and come under terms of their own. A checkpoint downloaded from them is turned
into a folder of safetensors once:

    python -m signloom.encoders.auto_avsr CHECKPOINT.pth FOLDER

What is behind this file: layer shapes, names and the order of operations are read from the
authors' published code, in both of its layouts (``RENAMED``). ReLU in the feed-forwards and
the layer norms' ε are those of ESPnet, which that code is built on [I]. No published
checkpoint was at hand to check a feature against: the mapping is strict, so weights that do
not fit name for name and shape for shape are refused, but equal shapes prove no equal meaning.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from signloom.data.files import writing_folder
from signloom.encoders.masked_norm import MaskedBatchNorm, real
from signloom.errors import MediaError, UsageError

WEIGHTS = "model.safetensors"
RENAMED: tuple[tuple[str, str], ...] = (
    # The older layout keeps everything inside the encoder, the newer one does not.
    (r"^encoder\.frontend\.", "frontend."),
    (r"^encoder\.embed\.0\.", "proj_encoder."),
    (r"^frontend\.frontend3D\.0\.", "front.0."),
    (r"^frontend\.frontend3D\.1\.", "front.1."),
    (r"^frontend\.trunk\.layer(\d)\.(\d)\.conv([12])\.", r"trunk.layer\1.\2.convolution\3."),
    (r"^frontend\.trunk\.layer(\d)\.(\d)\.bn([12])\.", r"trunk.layer\1.\2.norm\3."),
    (r"^frontend\.trunk\.layer(\d)\.(\d)\.downsample\.", r"trunk.layer\1.\2.shortcut."),
    (r"^proj_encoder\.", "project."),
    (r"^encoder\.after_norm\.", "norm."),
    (r"^encoder\.encoders\.(\d+)\.", r"blocks.\1."),
    (r"^(blocks\.\d+)\.self_attn\.linear_([qkv])\.", r"\1.attention.\2."),
    (r"^(blocks\.\d+)\.self_attn\.linear_out\.", r"\1.attention.out."),
    (r"^(blocks\.\d+)\.self_attn\.linear_pos\.", r"\1.attention.position."),
    (r"^(blocks\.\d+)\.self_attn\.pos_bias_([uv])$", r"\1.attention.\2_bias"),
    (r"^(blocks\.\d+)\.norm_ff_macaron\.", r"\1.first.0."),
    (r"^(blocks\.\d+)\.feed_forward_macaron\.w_1\.", r"\1.first.1."),
    (r"^(blocks\.\d+)\.feed_forward_macaron\.w_2\.", r"\1.first.4."),
    (r"^(blocks\.\d+)\.norm_ff\.", r"\1.second.0."),
    (r"^(blocks\.\d+)\.feed_forward\.w_1\.", r"\1.second.1."),
    (r"^(blocks\.\d+)\.feed_forward\.w_2\.", r"\1.second.4."),
    (r"^(blocks\.\d+)\.norm_mha\.", r"\1.attention_norm."),
    (r"^(blocks\.\d+)\.norm_conv\.", r"\1.convolution.norm."),
    (r"^(blocks\.\d+)\.conv_module\.pointwise_cov1\.", r"\1.convolution.gated."),
    (r"^(blocks\.\d+)\.conv_module\.depthwise_conv\.", r"\1.convolution.depthwise."),
    (r"^(blocks\.\d+)\.conv_module\.norm\.", r"\1.convolution.batch_norm.norm."),
    (r"^(blocks\.\d+)\.conv_module\.pointwise_cov2\.", r"\1.convolution.out."),
    (r"^(blocks\.\d+)\.norm_final\.", r"\1.norm."),
)
"""Published name → ours, applied one after another. What is a convolution of one frame there is a
linear layer here."""
NOT_OURS = ("decoder.", "ctc.", "criterion.")
"""Parts of a published checkpoint that belong to its speech recogniser."""


class AutoAvsrEncoder(nn.Module):
    """Mouths (B, T, 88, 88) as `Lips.seen` gives them → (B, T, width); padded frames come out as 0.

    width, layers, heads, inner, kernel: of the Conformer; the defaults are the published model.
    """

    def __init__(
        self,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        inner: int = 3072,
        kernel: int = 31,
        dropout: float = 0.1,
    ):
        super().__init__()
        self.width = width
        self.front = nn.Sequential(
            nn.Conv3d(1, 64, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(64),
            nn.SiLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = _resnet18()
        self.project = nn.Linear(512, width)
        self.blocks = nn.ModuleList(
            _Block(width, heads, inner, kernel, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        pictures: Float[Tensor, "batch time 88 88"],
        mask: Bool[Tensor, "batch time"],
    ) -> Float[Tensor, "batch time width"]:
        """``mask`` is True on real frames; what stands in the others changes nothing."""
        maps = self.front((pictures * real(mask, pictures))[:, None]).transpose(1, 2)
        rows = self.project(self.trunk(maps[mask]))
        x = rows.new_zeros(*mask.shape, self.width).masked_scatter(mask[..., None], rows)
        x = self.dropout(x * self.width**0.5)
        positions = self.dropout(_positions(x.shape[1], self.width, x))
        for block in self.blocks:
            x = block(x, positions, mask)
        return self.norm(x) * real(mask, x)


MOUTH = "mouth."
LIPS = f"lips.{MOUTH}"
"""What the tensors of a lip encoder begin with in a checkpoint, and in one that `signloom fuse` wrote."""


def load_lip_weights(encoder: nn.Module, folder: str | Path) -> float:
    """Fills ``encoder`` with the folder's safetensors; the fraction of it that was filled, 1.

    Of a checkpoint of a model that reads lips, only its own encoder of them is read. Raises
    MediaError, and leaves the encoder as it was, where a file cannot be read, its names or
    shapes are not exactly the encoder's, or it holds NaN or infinity.
    """
    tensors = _read(Path(folder))
    own = {n.partition(MOUTH)[2]: t for n, t in tensors.items() if n.startswith((MOUTH, LIPS))}
    tensors = own or tensors
    state = encoder.state_dict()
    _compare(state, tensors, f"weights in {folder}")
    if broken := [name for name, tensor in tensors.items() if not tensor.isfinite().all()]:
        raise MediaError(
            f"weights in {folder} are no numbers in {broken[0]}; the file is damaged: copy it again"
        )
    encoder.load_state_dict(tensors)
    return 1.0


def convert_auto_avsr(
    checkpoint: str | Path,
    folder: str | Path,
    overwrite: bool = False,
    encoder: nn.Module | None = None,
) -> tuple[str, ...]:
    """Writes the visual encoder of a published checkpoint as ``folder``/model.safetensors.

    encoder: whose names and shapes the weights must have; None is the published size.
    The file is read with torch's ``weights_only``: tensors, and nothing that runs. Returns
    the names of what was left out (the speech recogniser's decoder). Raises MediaError where
    it holds something else, or is not that model; UsageError where ``folder`` exists.
    """
    from safetensors.torch import save_file

    published = _unpickled(Path(checkpoint))
    kept = {renamed(n): t for n, t in published.items() if not n.startswith(NOT_OURS)}
    for name, tensor in kept.items():
        if re.search(r"convolution\.(gated|out)\.weight$", name) and tensor.dim() == 3:
            kept[name] = tensor[:, :, 0]
    if encoder is None:
        with torch.device("meta"):
            encoder = AutoAvsrEncoder()
    _compare(encoder.state_dict(), kept, f"checkpoint {checkpoint}")
    with writing_folder(folder, overwrite) as temporary:
        contiguous = {name: tensor.contiguous() for name, tensor in kept.items()}
        save_file(contiguous, temporary / WEIGHTS, {"made_from": Path(checkpoint).name})
    return tuple(name for name in published if name.startswith(NOT_OURS))


def renamed(name: str) -> str:
    """Our name of a published weight; itself where there is none."""
    for pattern, ours in RENAMED:
        name = re.sub(pattern, ours, name)
    return name


def _unpickled(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise MediaError(f"{path} does not exist, expected a checkpoint file; check the name")
    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the file's bytes lead it to
        raise MediaError(
            f"{path} cannot be read as tensors alone ({type(error).__name__}); "
            "expected a PyTorch state dict; nothing else in a file is opened"
        ) from error
    for key in ("state_dict", "model_state_dict"):
        if isinstance(held, dict) and isinstance(held.get(key), dict):
            held = held[key]
    if not isinstance(held, dict) or not all(isinstance(t, Tensor) for t in held.values()):
        raise MediaError(f"{path} holds no state dict, expected names with tensors")
    return {str(name).removeprefix("model."): tensor for name, tensor in held.items()}


def _read(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if not files:
        raise MediaError(
            f"{folder} is no folder with safetensors in it, expected {WEIGHTS}; make it from the "
            "published checkpoint with: python -m signloom.encoders.auto_avsr CHECKPOINT FOLDER"
        )
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            tensors |= load_file(file)
        except SafetensorError as error:
            raise MediaError(f"{file} is not a readable safetensors file: {error}") from error
    return tensors


def _compare(expected: Mapping[str, Tensor], got: Mapping[str, Tensor], what: str) -> None:
    """Raises MediaError unless names and shapes are the same."""
    missing = [name for name in expected if name not in got]
    unexpected = [name for name in got if name not in expected]
    shapes = [
        f"{name} is {tuple(got[name].shape)}, not {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in got and got[name].shape != tensor.shape
    ]
    if not (missing or unexpected or shapes):
        return
    total = sum(tensor.numel() for tensor in expected.values())
    lost = sum(expected[name].numel() for name in missing)
    told = [
        f"{kind}: {', '.join(names[:5])}{f' … ({len(names)})' if len(names) > 5 else ''}"
        for kind, names in (("missing", missing), ("unexpected", unexpected), ("shapes", shapes))
        if names
    ]
    raise MediaError(
        f"{what} fill {100 * (total - lost) / total:.1f} % of the lip encoder, expected all of it "
        f"and nothing else; {'; '.join(told)}; give the visual model of Auto-AVSR, or for a small encoder a "
        "checkpoint of a model that has learnt one"
    )


def _resnet18() -> nn.Sequential:
    """ResNet-18 behind its first layer: (N, 64, 22, 22) → (N, 512)."""
    trunk = nn.Sequential()
    inputs = 64
    for number, channels in enumerate((64, 128, 256, 512), start=1):
        stride = 1 if number == 1 else 2
        blocks = _Residual(inputs, channels, stride), _Residual(channels, channels, 1)
        trunk.add_module(f"layer{number}", nn.Sequential(*blocks))
        inputs = channels
    trunk.add_module("mean", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    return trunk


class _Residual(nn.Module):
    """Two 3×3 convolutions around which the input goes (1×1, where it changes size)."""

    def __init__(self, inputs: int, channels: int, stride: int):
        super().__init__()
        self.convolution1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.convolution2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = nn.functional.silu(self.norm1(self.convolution1(x)))
        return nn.functional.silu(self.norm2(self.convolution2(y)) + self.shortcut(x))


def _positions(time: int, width: int, like: Tensor) -> Float[Tensor, "distances width"]:
    """(2·time − 1, width): sines and cosines, by turns, of the distances time − 1 down to 1 − time."""
    distance = torch.arange(time - 1, -time, -1, device=like.device, dtype=torch.float32)
    rate = 10000 ** (-torch.arange(0, width, 2, device=like.device, dtype=torch.float32) / width)
    angle = distance[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], -1).flatten(1).to(like.dtype)


class _Block(nn.Module):
    """½ feed-forward, attention, convolution, ½ feed-forward, each on a layer norm of what came in."""

    def __init__(self, width: int, heads: int, inner: int, kernel: int, dropout: float):
        super().__init__()
        self.first = _feed_forward(width, inner, dropout)
        self.attention_norm = nn.LayerNorm(width, eps=1e-12)
        self.attention = _Attention(width, heads)
        self.convolution = _Convolution(width, kernel)
        self.second = _feed_forward(width, inner, dropout)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        x = x + 0.5 * self.dropout(self.first(x))
        x = x + self.dropout(self.attention(self.attention_norm(x), positions, mask))
        x = x + self.dropout(self.convolution(x, mask))
        x = x + 0.5 * self.dropout(self.second(x))
        return self.norm(x)


def _feed_forward(width: int, inner: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.LayerNorm(width, eps=1e-12),
        nn.Linear(width, inner),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(inner, width),
    )


class _Attention(nn.Module):
    """score(t, s) = ((q_t + u)·k_s + (q_t + v)·p_{t−s}) / √d (Dai et al. 2019, §3.3)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.position = nn.Linear(width, width, bias=False)
        self.u_bias, self.v_bias = (
            nn.Parameter(torch.zeros(heads, width // heads)) for _ in range(2)
        )

    def forward(self, x: Tensor, positions: Tensor, mask: Tensor) -> Tensor:
        time = x.shape[1]
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.q, self.k, self.v)
        )
        p = self.position(positions).unflatten(-1, (self.heads, -1)).transpose(0, 1)
        at = torch.arange(time, device=x.device)
        column = time - 1 - (at[:, None] - at[None])
        by_distance = (q + self.v_bias[:, None]) @ p.transpose(1, 2)
        scores = (q + self.u_bias[:, None]) @ k.transpose(2, 3)
        scores = scores + by_distance.gather(3, column.expand(*q.shape[:2], -1, -1))
        scores = scores * (q.shape[-1] ** -0.5)
        scores = scores.masked_fill(~mask[:, None, None], torch.finfo(scores.dtype).min)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2))


class _Convolution(nn.Module):
    """Layer norm, linear with GLU, one convolution per channel over real frames, BN, Swish, linear."""

    def __init__(self, width: int, kernel: int):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.gated = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.batch_norm = MaskedBatchNorm(width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        y = nn.functional.glu(self.gated(self.norm(x)), dim=-1)
        y = y * real(mask, y)
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        return self.out(nn.functional.silu(self.batch_norm(y, mask)))


def main(arguments: list[str]) -> None:
    """Converts a checkpoint. Raises UsageError unless two paths are given."""
    if len(arguments) != 2:
        raise UsageError(
            f"got {len(arguments)} arguments, expected a checkpoint file and a new folder: "
            "python -m signloom.encoders.auto_avsr CHECKPOINT FOLDER"
        )
    checkpoint, folder = arguments
    left_out = convert_auto_avsr(checkpoint, folder)
    print(f"{folder}/{WEIGHTS} written; {len(left_out)} weights of the decoder left out")


if __name__ == "__main__":
    from signloom.errors import SignloomError

    try:
        main(sys.argv[1:])
    except SignloomError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
