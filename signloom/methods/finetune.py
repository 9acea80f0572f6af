"""A new model that begins with a trained one's weights, for another corpus, vocabulary or layout.

What is the same in both is taken over whole. A token that both vocabularies spell
alike keeps its embedding; other tokens begin at random. The layer that reads the
frames is taken over where the frames are made alike (layout, coordinates,
normaliser, …), and begins at random where not. Everything else must fit, or begins at
random where the two are of other methods.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from signloom.data.layouts import Layout, layout_named
from signloom.data.names import canonical
from signloom.encoders.lip_backbone import Frozen
from signloom.encoders.pose_backbone import ARTICULATORS, encoder_of
from signloom.errors import UsageError
from signloom.inference.fusion import Fused
from signloom.methods.load import load
from signloom.methods.posestitch import PoseStitch

READER = ("front.0.weight", "front.0.bias")
"""The layer that reads the frames."""

TOKENS = ("seq2seq.decoder.transformer.wte.weight", "seq2seq.decoder.lm_head.weight")
"""One row a token; the two are one tensor."""

FRAMES = ("layout", "coordinates", "local_hands", "normalizer")
"""The settings that say what a frame's features are, of posestitch."""

NUMBERS = ("coordinates", "streams", "presence", "normalizer", "local_hands", "motion")
"""The settings that say what the numbers of a keypoint are, of the other methods."""

READS_NUMBERS = (
    "*backbone.encoders.*.fc1.*",
    "recurrent.articulators.*.0.*",
    "*reader.compression.convolutions.0.*",
)
"""Tensors that stand for these numbers."""

READS_MOUTH = ("lip.conformer.fc1.*",)
"""Tensors that stand for what a lip encoder makes of a mouth."""

TIMES = ("fps", "frames")
"""The settings that say how a clip's frames are chosen, for which no tensor stands."""

READS_JOINTS = (
    "*backbone.encoders.{0}.fc2.*",
    "*backbone.encoders.{0}.blocks.*.learned",
    "recurrent.articulators.{0}.0.*",
)
"""Tensors that stand for the keypoints of one articulator."""

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

    renewed: tensors that are still at random. tokens: rows of embeddings taken over, of
    ``vocabulary``. simulated_only: whether the checkpoint knows simulated signing alone.
    filled: the fraction of the model's own parameters that it filled; parts: of each part of the model.
    otherwise: what its frames have otherwise than the model's. left_out: what of a fused checkpoint the
    model does not read.
    """

    checkpoint: str
    name: str
    renewed: tuple[str, ...]
    tokens: int
    vocabulary: int
    simulated_only: bool
    filled: float
    parts: Mapping[str, float]
    otherwise: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

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


def begin_with(model: Any, checkpoint: str | Path, kept: Collection[str] = ()) -> Begun:
    """Puts a checkpoint's weights into ``model``, in place ("bundled", a folder, a hub id).

    kept: tensors that another checkpoint has filled, and that stay as they are. Of a recogniser that
    `signloom fuse` wrote, the parts are taken that the model reads.

    Raises MediaError where there is no such checkpoint, UsageError naming the settings that
    must be as the checkpoint has them, where less than LEAST of it fits, or where others have filled
    all that it fits.
    """
    old = load(checkpoint)
    if isinstance(model, PoseStitch) and isinstance(old, PoseStitch):
        if kept:
            raise UsageError(
                f"init: a posestitch model begins with one checkpoint, and {checkpoint} is a further one; name one"
            )
        return _begin_posestitch(model, old, checkpoint)
    parts = {"pose": old.pose, "lips": old.lips} if isinstance(old, Fused) else {"": old}
    left_out = tuple(name for name in parts if name and name not in _read_by(model))
    found: list[Begun] = []
    filled = set(kept)
    for name, part in parts.items():
        if name not in left_out:
            found.append(_begin_alike(model, part, checkpoint, filled))
            filled = set(model.state_dict()) - set(found[-1].renewed)
    begun = replace(
        found[-1],
        name=old.name,
        simulated_only=old.simulated_only,
        filled=sum(one.filled for one in found),
        parts={name: sum(one.parts[name] for one in found) for name in found[0].parts},
        otherwise=tuple(dict.fromkeys(told for one in found for told in one.otherwise)),
        left_out=left_out,
    )
    if kept and not begun.filled:
        raise UsageError(
            f"init: {checkpoint} fills nothing that those before it have not filled; leave it out, or name "
            "it first"
        )
    return begun


def _read_by(model: Any) -> set[str]:
    """Of pose and lips, what a model reads."""
    lips = {"lips"} if getattr(model, "reads_lips", False) else set()
    return lips if getattr(model.config, "reads", "pose") == "lips" else {"pose"} | lips


def begin_with_each(model: Any, checkpoints: Sequence[str | Path]) -> tuple[Begun, ...]:
    """`begin_with` of several: each fills what those before it have left. Raises as that does."""
    found: list[Begun] = []
    for checkpoint in checkpoints:
        kept = set(model.state_dict()) - set(found[-1].renewed) if found else set()
        found.append(begin_with(model, checkpoint, kept))
    return tuple(found)


def _begin_alike(model: nn.Module, old: Any, checkpoint: str | Path, kept: set[str]) -> Begun:
    """Takes over every tensor that has the same name and shape in both, and names the others.

    A tensor whose rows stand for other words in the two begins at random, and so does one that reads
    numbers that frames have otherwise.
    """
    mine, theirs = model.state_dict(), old.state_dict()
    own = tuple(model.own(old)) if isinstance(model, HasOwn) else ()
    otherwise, misread = _made_otherwise(model, old)
    fits = [
        n
        for n, t in mine.items()
        if n in theirs
        and theirs[n].shape == t.shape
        and not n.startswith(own)
        and not any(fnmatch(n, pattern) for pattern in misread)
    ]
    share = sum(mine[name].numel() for name in fits)
    share /= max(sum(theirs[name].numel() for name in theirs), 1)
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
    same = [name for name in fits if name not in kept]
    model.load_state_dict(mine | {name: theirs[name] for name in same})
    more = model.take_over(old) if isinstance(model, TakesOver) and not kept else ()
    filled = {*same, *more}
    renewed = tuple(name for name in mine if name not in filled and name not in kept)
    return Begun(
        str(checkpoint),
        old.name,
        renewed,
        0,
        0,
        old.simulated_only,
        _share(model, dict.fromkeys(filled, 1.0)),
        _parts(model, dict.fromkeys(filled, 1.0)),
        otherwise,
    )


def _made_otherwise(model: Any, old: Any) -> tuple[tuple[str, ...], list[str]]:
    """(what the frames of the two have otherwise, patterns of the tensors that read it)."""
    mine, theirs = model.config, old.config
    by_lips = "lips" in (getattr(mine, "reads", ""), getattr(theirs, "reads", ""))
    told: list[str] = []
    patterns: list[str] = []
    for key in TIMES if by_lips else (*NUMBERS, *TIMES):
        if not (_has(mine, key) and _has(theirs, key)):
            continue
        here, there = (getattr(config, key, "shoulder") for config in (mine, theirs))
        if here != there:
            told.append(f"{key} {_plain(there)} there, {_plain(here)} here")
            patterns += READS_NUMBERS if key in NUMBERS else ()
    here, there = _layout(mine), _layout(theirs)
    if not by_lips and here.keypoints != there.keypoints:
        told.append(f"layout {there.name} there, {here.name} here")
        patterns += _of_other_joints(here, there)
    if _sees_otherwise(getattr(model, "mouth", None), getattr(old, "mouth", None)):
        told.append("another lip encoder")
        patterns += READS_MOUTH
    return tuple(told), patterns


def _has(config: Any, key: str) -> bool:
    """Whether a method's settings have this one; every method has a normaliser, and unified's is not a setting."""
    return key == "normalizer" or key in {field.name for field in fields(config)}


def _layout(config: Any) -> Layout:
    """What is read of a method's layout."""
    return config.read if hasattr(config, "read") else layout_named(config.layout)


def _sees_otherwise(here: nn.Module | None, there: nn.Module | None) -> bool:
    """Whether a mouth looks otherwise to two lip encoders; one that learns begins with the other that does."""
    if here is None or there is None or not (isinstance(here, Frozen) or isinstance(there, Frozen)):
        return False
    mine, theirs = (
        (each.encoder if isinstance(each, Frozen) else each).state_dict() for each in (here, there)
    )
    return mine.keys() != theirs.keys() or not all(torch.equal(mine[n], theirs[n]) for n in mine)


def _of_other_joints(here: Layout, there: Layout) -> list[str]:
    """Patterns of what reads articulators that are of other keypoints in the two layouts."""
    found = [READS_NUMBERS[-1]]  # which reads them all at once
    for part in ARTICULATORS:
        names = [
            [canonical(layout.keypoints[k]) for k in layout.part(part)] for layout in (here, there)
        ]
        if names[0] != names[1]:
            found += [pattern.format(encoder_of(part)) for pattern in READS_JOINTS]
    return found


def _plain(value: Any) -> str:
    if value is None:
        return "each clip's own"
    return "+".join(map(str, value)) if isinstance(value, tuple | list) else f"{value}"


def _begin_posestitch(model: PoseStitch, old: PoseStitch, checkpoint: str | Path) -> Begun:
    _check_shape(model, old, checkpoint)
    differ = [key for key in FRAMES if getattr(model.config, key) != getattr(old.config, key)]
    renewed = READER if differ else ()
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
    filled = dict.fromkeys(mine, 1.0) | dict.fromkeys(renewed, 0.0)
    filled |= dict.fromkeys(TOKENS, len(shared) / len(rows))
    return Begun(
        str(checkpoint),
        old.name,
        tuple(renewed),
        len(shared),
        len(rows),
        old.simulated_only,
        _share(model, filled),
        _parts(model, filled),
        tuple(
            f"{key} {getattr(old.config, key)} there, {getattr(model.config, key)} here"
            for key in differ
        ),
    )


def _share(model: nn.Module, filled: Mapping[str, float], part: str = "") -> float:
    """The fraction of the parameters in a checkpoint of the model, or of a part of it, that is filled.

    filled: the fraction of each tensor.
    """
    kept = model.state_dict().keys()
    sizes = {
        name: p.numel()
        for name, p in model.named_parameters()
        if name in kept and name.partition(".")[0] == (part or name.partition(".")[0])
    }
    named = sum(size * filled.get(name, 0.0) for name, size in sizes.items())
    return named / max(sum(sizes.values()), 1)


def _parts(model: nn.Module, filled: Mapping[str, float]) -> dict[str, float]:
    """The same of each part of the model that has parameters in its checkpoint, by name."""
    kept = model.state_dict().keys()
    names = dict.fromkeys(n.partition(".")[0] for n, _ in model.named_parameters() if n in kept)
    return {name: _share(model, filled, name) for name in names}


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
