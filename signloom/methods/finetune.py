"""A new model that begins with a trained one's weights, for another corpus, vocabulary or layout.

What is the same in both is taken over whole. A token that both vocabularies spell
alike keeps its embedding; other tokens begin at random. The layer that reads the
frames is taken over where the frames are made alike (layout, coordinates,
normaliser), and begins at random where not. Everything else must fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import nn

from signloom.errors import UsageError
from signloom.methods.load import load
from signloom.methods.posestitch import PoseStitch

READER = ("front.0.weight", "front.0.bias")
"""The layer that reads the frames."""

TOKENS = ("seq2seq.decoder.transformer.wte.weight", "seq2seq.decoder.lm_head.weight")
"""One row a token; the two are one tensor."""

FRAMES = ("layout", "coordinates", "local_hands", "normalizer")
"""The settings that say what a frame's features are."""

SHAPE = (
    "width", "front", "encoder_layers", "encoder_heads", "encoder_inner", "encoder_positions",
    "decoder_width", "decoder_layers", "decoder_heads", "decoder_inner", "max_tokens",
)  # fmt: skip
"""The settings that both models must share."""


LEAST = 0.3
"""Share of a checkpoint's parameters that must find a place in a model of another method."""


@dataclass(frozen=True)
class Begun:
    """What a model began with: which checkpoint, and what of it could not be taken over.

    renewed: tensors that began at random. tokens: rows of embeddings taken over, of
    ``vocabulary``. simulated_only: whether the checkpoint knows simulated signing alone.
    filled: the fraction of the model's own parameters that it filled.
    """

    checkpoint: str
    name: str
    renewed: tuple[str, ...]
    tokens: int
    vocabulary: int
    simulated_only: bool
    filled: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@runtime_checkable
class HasOwn(Protocol):
    """A model with tensors whose rows mean what its own words are."""

    def own(self, old: Any) -> Sequence[str]:
        """Beginnings of the names of tensors that must not be taken from ``old`` by shape alone."""
        ...


@runtime_checkable
class TakesOver(Protocol):
    """A model that knows how to take more from another of its method than tensors of one shape."""

    def take_over(self, old: Any) -> Sequence[str]:
        """Fills what it can, after equal tensors were taken over, and names the tensors that it filled."""
        ...


def begin_with(model: Any, checkpoint: str | Path) -> Begun:
    """Puts a checkpoint's weights into ``model``, in place ("bundled", a folder, a hub id).

    Raises MediaError where there is no such checkpoint, UsageError naming the settings that
    must be as the checkpoint has them, or where less than LEAST of the model would be taken over.
    """
    old = load(checkpoint)
    if isinstance(model, PoseStitch) and isinstance(old, PoseStitch):
        return _begin_posestitch(model, old, checkpoint)
    return _begin_alike(model, old, checkpoint)


def _begin_alike(model: nn.Module, old: Any, checkpoint: str | Path) -> Begun:
    """Takes over every tensor that has the same name and shape in both, and names the others.

    A tensor whose rows stand for other words in the two begins at random.
    """
    mine, theirs = model.state_dict(), old.state_dict()
    own = tuple(model.own(old)) if isinstance(model, HasOwn) else ()
    same = [
        n
        for n, t in mine.items()
        if n in theirs and theirs[n].shape == t.shape and not n.startswith(own)
    ]
    taken = sum(mine[name].numel() for name in same)
    share = taken / max(sum(theirs[name].numel() for name in theirs), 1)
    if share < LEAST:
        other = [n for n in theirs if n in mine and theirs[n].shape != mine[n].shape][:3]
        shapes = "; ".join(
            f"{n} {tuple(theirs[n].shape)}, here {tuple(mine[n].shape)}" for n in other
        )
        raise UsageError(
            f"init: only {share:.0%} of {checkpoint} fits this model, expected {LEAST:.0%} or more"
            f"{f' ({shapes})' if shapes else ''}; give the recipe the preset and settings of the "
            "checkpoint's backbone"
        )
    model.load_state_dict(mine | {name: theirs[name] for name in same})
    more = model.take_over(old) if isinstance(model, TakesOver) else ()
    renewed = tuple(name for name in mine if name not in same and name not in more)
    filled = 1 - _share(model, {name: 1.0 for name in renewed})
    return Begun(str(checkpoint), old.name, renewed, 0, 0, old.simulated_only, filled)


def _begin_posestitch(model: PoseStitch, old: PoseStitch, checkpoint: str | Path) -> Begun:
    _check_shape(model, old, checkpoint)
    alike = all(getattr(model.config, key) == getattr(old.config, key) for key in FRAMES)
    renewed = () if alike else READER
    mine, theirs = model.state_dict(), old.state_dict()
    taken = theirs | {name: mine[name] for name in renewed}
    rows = model.tokenizer.get_vocab()
    shared = {
        row: at
        for token, at in old.tokenizer.get_vocab().items()
        if (row := rows.get(token)) is not None
    }
    for name in TOKENS:
        taken[name] = mine[name].clone()
        taken[name][list(shared)] = theirs[name][list(shared.values())]
    model.load_state_dict(taken)
    random = {**dict.fromkeys(renewed, 1.0), **dict.fromkeys(TOKENS, 1 - len(shared) / len(rows))}
    return Begun(
        str(checkpoint),
        old.name,
        tuple(renewed),
        len(shared),
        len(rows),
        old.simulated_only,
        1 - _share(model, random),
    )


def _share(model: nn.Module, parts: Mapping[str, float]) -> float:
    """The fraction of the parameters in a checkpoint of the model that these parts of tensors are."""
    kept = model.state_dict().keys()
    sizes = {name: p.numel() for name, p in model.named_parameters() if name in kept}
    named = sum(size * parts.get(name, 0.0) for name, size in sizes.items())
    return named / max(sum(sizes.values()), 1)


def _check_shape(model: PoseStitch, old: PoseStitch, checkpoint: str | Path) -> None:
    """Raises UsageError with what to set where the two models are not of one shape."""
    differ = [k for k in SHAPE if getattr(model.config, k) != getattr(old.config, k)]
    if differ:
        told = ", ".join(
            f"{key} {getattr(old.config, key)} (the recipe has {getattr(model.config, key)})"
            for key in differ
        )
        raise UsageError(
            f"init: {checkpoint} is a model of another shape: it has {told}; give the recipe the "
            "checkpoint's preset, or these settings under 'config'"
        )
