"""Motion as words: convolutions, and the nearest of a set of codes for every four frames (spec §5).

A VQ-VAE (van den Oord et al. 2017) as MotionGPT and T2M-GPT have it, whose codes follow the encoder
by moving averages. 1,024 codes [S: arXiv 2511.08535]; widths, losses and rates [R:MG].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from signloom.encoders.processes import gathered
from signloom.encoders.quantizers import FiniteScalar, Quantized, Quantizer, Residual, flat
from signloom.errors import NoNumbersError, UsageError

Kind = Literal["codebook", "residual", "fsq"]

STRIDE = 4
"""Frames a code."""
VELOCITIES_623 = slice(463, 619)
"""The velocities of a 623-d row; MotionGPT's own slice holds positions (spec §5)."""


class Codebook(nn.Module):
    """Vectors that stand for their neighbourhoods, kept by moving averages, not by gradients.

    counts ← μ·counts + (1 - μ)·n and sums ← μ·sums + (1 - μ)·Σz over a code's n vectors z;
    code = sums / counts. A code whose count falls below ``dead_share`` of an even load, vectors by codes,
    becomes a vector of the batch, drawn with (seed, number of updates), and begins again with the
    least count that is not dead [D]: MotionGPT keeps count and sum, which pull it back. So one that
    nothing goes to is drawn again at the next update. Before the first update all codes are drawn from
    that batch. All of the state is in buffers, so a resumed run equals an uninterrupted one. Updates are
    those of all processes that train together.

    dead_share: MotionGPT's 1 vector is a quarter of its 4 a code and batch.
    """

    codes: Tensor
    counts: Tensor
    sums: Tensor
    updates: Tensor
    depth = 1

    def __init__(
        self, size: int, width: int, decay: float = 0.99, dead_share: float = 0.25, seed: int = 0
    ):
        super().__init__()
        self.size, self.decay, self.dead_share, self.seed = size, decay, dead_share, seed
        self.register_buffer("codes", torch.zeros(size, width))
        self.register_buffer("counts", torch.zeros(size))
        self.register_buffer("sums", torch.zeros(size, width))
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def forward(self, vectors: Float[Tensor, "batch time width"]) -> Quantized:
        """The nearest codes, gradients going straight through; in training the codes follow.

        They follow the vectors of all processes that train together.
        """
        flat = vectors.detach().flatten(0, 1)
        if self.training:
            flat = gathered(flat)
        if self.training and not int(self.updates):
            self.start(flat)
        ids = self.nearest(vectors)
        codes = self.of(ids)
        through = vectors + (codes - vectors).detach()
        commitment = F.mse_loss(vectors, codes.clone())
        if self.training:
            self.update(flat, gathered(ids.flatten()))
        return Quantized(through, ids, commitment)

    def nearest(self, vectors: Float[Tensor, "*lead width"]) -> Int[Tensor, "*lead"]:
        """The id of the code nearest to each vector; of equal ones, the first."""
        flat = vectors.reshape(-1, vectors.shape[-1])
        # ‖z‖² is the same for every code.
        scores = self.codes.square().sum(1) - 2 * flat @ self.codes.T
        return scores.argmin(1).reshape(vectors.shape[:-1])

    def of(self, ids: Int[Tensor, "*lead"]) -> Float[Tensor, "*lead width"]:
        """The codes of these ids. Raises UsageError for an id that the codebook does not have."""
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < len(self.codes):
            raise UsageError(
                f"code ids run from {int(ids.min())} to {int(ids.max())}, but the codebook has "
                f"0 to {len(self.codes) - 1}; read them with the checkpoint that wrote them"
            )
        return self.codes[ids]

    @torch.no_grad()
    def start(self, vectors: Float[Tensor, "vectors width"]) -> None:
        """The codes drawn from the first batch."""
        first = (self.dead_share or 1.0) * len(vectors) / self.size
        self.codes.copy_(self._drawn(vectors))
        self.counts.fill_(first)
        self.sums.copy_(self.codes * first)

    @torch.no_grad()
    def update(self, vectors: Float[Tensor, "vectors width"], ids: Int[Tensor, " vectors"]) -> None:
        """One step of the averages, with the vectors that went to each code."""
        own = torch.zeros_like(self.counts).index_add_(0, ids, vectors.new_ones(len(ids)))
        summed = torch.zeros_like(self.sums).index_add_(0, ids, vectors)
        self.counts.lerp_(own, 1 - self.decay)
        self.sums.lerp_(summed, 1 - self.decay)
        self.updates += 1
        least = self.dead_share * len(vectors) / self.size
        dead = self.counts < least
        if dead.any():
            self.counts[dead] = least
            self.sums[dead] = self._drawn(vectors)[: int(dead.sum())] * least
        self.codes.copy_(self.sums / self.counts.clamp(min=1e-12)[:, None])

    def _drawn(self, vectors: Tensor) -> Tensor:
        """(size, width): vectors of the batch in random order, repeated where they are too few."""
        draws = torch.Generator().manual_seed(self.seed + 1_000_003 * int(self.updates))
        rounds = -(-len(self.codes) // len(vectors))
        order = torch.cat([torch.randperm(len(vectors), generator=draws) for _ in range(rounds)])
        return vectors[order[: len(self.codes)].to(vectors.device)]


@dataclass(frozen=True)
class Tokenized:
    """What a pass gives: the motion again, its code ids, and how far the encoder is from its codes.

    motion: (batch, time, inputs), in scaled units. ids: (batch, depth · time / 4).
    commitment: the mean of (z - code)², with a gradient to z alone.
    """

    motion: Float[Tensor, "batch time inputs"]
    ids: Int[Tensor, "batch codes"]
    commitment: Float[Tensor, ""]


class MotionVq(nn.Module):
    """Motion (batch, time, inputs) ↔ code ids (batch, depth · time / 4).

    Encoder: conv 3 → ReLU → twice (conv 4, stride 2 → 3 residual blocks) → conv 3. Decoder: the
    same backwards, with nearest upsampling, to conv 3 → ReLU → conv 3. Inputs are scaled by the
    training data's mean and deviation (``set_scale``), which are buffers.

    velocity: the columns whose error counts a half once more.
    commitment: weight β of the encoder's distance from its codes.
    kind: what the codes are: one codebook (the paper's), or one of ``quantizers``, which have
        ``depth`` ids for four frames and as many times ``codes`` ids in all.
    late: so many passes of training go by without codes, each vector standing for itself, so that the
        first codes are drawn from an encoder that has learnt [D].
    """

    mean: Tensor
    deviation: Tensor
    passes: Tensor
    codebook: Quantizer

    def __init__(
        self,
        inputs: int = 623,
        velocity: slice = VELOCITIES_623,
        width: int = 512,
        codes: int = 1024,
        commitment: float = 0.02,
        decay: float = 0.99,
        dead_share: float = 0.25,
        seed: int = 0,
        kind: Kind = "codebook",
        depth: int = 1,
        late: int = 0,
    ):
        super().__init__()
        if kind == "codebook" and depth != 1:
            raise UsageError(
                f"one codebook has one code for {STRIDE} frames, not {depth}; take kind 'residual' or "
                "'fsq' for more"
            )
        self.velocity, self.commitment, self.late = velocity, commitment, late
        self.register_buffer("passes", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        down = [
            layer
            for _ in range(2)
            for layer in (nn.Conv1d(width, width, 4, stride=2, padding=1), *_blocks(width))
        ]
        up = [
            layer
            for _ in range(2)
            for layer in (*_blocks(width), nn.Upsample(scale_factor=2), _conv3(width, width))
        ]
        self.encoder = nn.Sequential(_conv3(inputs, width), nn.ReLU(), *down, _conv3(width, width))
        if kind == "residual":
            self.codebook = Residual(codes, width, depth, decay, dead_share)
        elif kind == "fsq":
            self.codebook = FiniteScalar(codes, width, depth)
        else:
            self.codebook = Codebook(codes, width, decay, dead_share, seed)
        self.decoder = nn.Sequential(
            _conv3(width, width), nn.ReLU(), *up,
            _conv3(width, width), nn.ReLU(), _conv3(width, inputs),
        )  # fmt: skip
        for part in (*self.encoder, *self.decoder):
            _begin(part)

    def set_scale(
        self, mean: Float[Tensor, " inputs"], deviation: Float[Tensor, " inputs"]
    ) -> None:
        """What numbers have taken off and are divided by; a constant column keeps its unit."""
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1))

    def encode(self, motion: Float[Tensor, "batch time inputs"]) -> Int[Tensor, "batch codes"]:
        """The code ids, ``depth`` for four frames.

        Raises UsageError for another width or a time that four does not divide, NoNumbersError where
        the encoder gives NaN or infinity.
        """
        latents = self.latents(motion)
        if not latents.isfinite().all():
            raise NoNumbersError("the tokenizer's vectors")
        return self._unwritten(latents) if self.early else self.codebook.nearest(latents)

    def latents(
        self, motion: Float[Tensor, "batch time inputs"]
    ) -> Float[Tensor, "batch moments width"]:
        """What codes stand for, one vector for four frames. Raises as `encode`."""
        return self.encoder(self._scaled(motion).transpose(1, 2)).transpose(1, 2)

    def vectors(self, ids: Int[Tensor, "batch codes"]) -> Float[Tensor, "batch time width"]:
        """What stands for each four frames. Raises UsageError for an id that is no code."""
        return self.codebook.of(ids)

    def fingerprint(self) -> str:
        """sha256 of scale, codes and weights: ids mean what they mean with these alone.

        Of half precision, so that a checkpoint stored so has the same.
        """
        digest = hashlib.sha256()
        for name, tensor in sorted(self.state_dict().items()):
            kept = tensor.half() if tensor.is_floating_point() else tensor
            digest.update(name.encode())
            digest.update(kept.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def decode(self, ids: Int[Tensor, "batch codes"]) -> Float[Tensor, "batch time inputs"]:
        """The motion of code ids, in its own units. Raises UsageError for an id that is no code."""
        return self._decoded(self.codebook.of(ids)) * self.deviation + self.mean

    def forward(self, motion: Float[Tensor, "batch time inputs"]) -> Tokenized:
        """There and back, gradients going straight through; in training the codes follow."""
        latents = self.latents(motion)
        if self.early:
            if self.training:
                self.passes += 1
            ids = self._unwritten(latents)
            return Tokenized(self._decoded(latents), ids, latents.new_zeros(()))
        told = self.codebook(latents)
        return Tokenized(self._decoded(told.vectors), told.ids, told.commitment)

    @property
    def early(self) -> bool:
        """Whether there are no codes yet."""
        return int(self.passes) < self.late

    def _unwritten(self, latents: Float[Tensor, "batch moments width"]) -> Int[Tensor, "batch ids"]:
        """The first id of each level, while there are no codes: to ask these would begin them."""
        depth, size = self.codebook.depth, self.codebook.size
        none = torch.zeros(*latents.shape[:2], depth, dtype=torch.long, device=latents.device)
        return flat(none, size // depth)

    def loss(
        self, motion: Float[Tensor, "batch time inputs"]
    ) -> tuple[Float[Tensor, ""], Tokenized]:
        """SmoothL1 of all columns + ½ SmoothL1 of the velocities + β · commitment, and the pass."""
        told, wanted = self(motion), self._scaled(motion)
        fit = F.smooth_l1_loss(told.motion, wanted)
        moving = F.smooth_l1_loss(told.motion[..., self.velocity], wanted[..., self.velocity])
        return fit + 0.5 * moving + self.commitment * told.commitment, told

    def _scaled(self, motion: Tensor) -> Tensor:
        if motion.shape[-1] != len(self.mean):
            raise UsageError(
                f"a frame of motion has {motion.shape[-1]} numbers, but this tokenizer reads "
                f"{len(self.mean)}; prepare the motion as its training data was"
            )
        if motion.shape[1] % STRIDE or not motion.shape[1]:
            raise UsageError(
                f"a motion of {motion.shape[1]} frames is no multiple of {STRIDE}, which make "
                "one code; cut it, or repeat its last frame"
            )
        return (motion - self.mean) / self.deviation

    def _decoded(self, codes: Tensor) -> Tensor:
        return self.decoder(codes.transpose(1, 2)).transpose(1, 2)


class _Block(nn.Module):
    """x + conv1(ReLU(conv3(ReLU(x))))."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation),
            nn.ReLU(),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: Float[Tensor, "batch width time"]) -> Float[Tensor, "batch width time"]:
        return x + self.layers(x)


def _begin(part: nn.Module) -> None:
    """Convolutions keep the size of what they carry, and blocks begin as the identity [D].

    With torch's own beginning a third of the variance is left after each convolution.
    """
    if isinstance(part, nn.Conv1d):
        nn.init.kaiming_normal_(part.weight, nonlinearity="linear")
        nn.init.zeros_(part.bias)  # type: ignore[arg-type]
    elif isinstance(part, _Block):
        nn.init.zeros_(part.layers[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(part.layers[-1].bias)  # type: ignore[arg-type]


def _blocks(width: int) -> list[nn.Module]:
    return [_Block(width, dilation) for dilation in (9, 3, 1)]


def _conv3(inputs: int, outputs: int) -> nn.Conv1d:
    return nn.Conv1d(inputs, outputs, 3, padding=1)


def usage(ids: Int[Tensor, "*any"], codes: int) -> float:
    """The share of a codebook's ``codes`` that occur among the ids."""
    return float((ids.flatten().bincount(minlength=codes) > 0).double().mean())


def perplexity(ids: Int[Tensor, "*any"], codes: int) -> float:
    """exp of the entropy of the ids: so many codes, used evenly, would be as hard to guess."""
    share = ids.flatten().bincount(minlength=codes).double() / max(ids.numel(), 1)
    return float(torch.special.entr(share).sum().exp())
