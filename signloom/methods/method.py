"""What a method is to recipes and checkpoints: a module, and the methods that there are.

No string is resolved to a class: `method_named` names each module, and imports the one that is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from torch import nn

from signloom.data.sample import SampleSource
from signloom.errors import UsageError, nearest
from signloom.training.checkpoint import Checkpoint

METHODS = ("posestitch", "isolated", "unified", "autosign", "ctc", "semtext", "motion-vq", "lslm")


@runtime_checkable
class Settings(Protocol):
    """A method's Config: frozen, with the layout of its clips."""

    @property
    def layout(self) -> Any: ...

    def to_json(self) -> dict[str, Any]: ...


@runtime_checkable
class Method(Protocol):
    """A method's module.

    METRICS: what `score_dev` gives and a recipe may choose its best weights by, the usual first.
    A method may also have ERRORS, those of them that are better low, and TARGET = "glosses", where
    it learns to write a sample's glosses and not its text (`better`, `learns_glosses`). A model of it may
    have ``filled``: weights of others that it began with → the fraction they filled of what they are for.
    """

    NAME: str
    Config: Any
    PRESETS: Mapping[str, Any]
    METRICS: tuple[str, ...]

    def begin(self, config: Any, texts: Sequence[str], seed: int) -> Any:
        """A fresh model for what stands in the training texts (an nn.Module, Trainable).

        Where `needs_glosses` says so of the config, it is given them under the name ``glosses``.
        """
        ...

    def restore(self, checkpoint: Checkpoint) -> Any:
        """The model of a checkpoint, weights loaded whole."""
        ...

    def score_dev(
        self, model: nn.Module, dev: SampleSource, limit: int, beam: int
    ) -> dict[str, float]:
        """Name → value on the first ``limit`` samples."""
        ...


def better(method: Method, metric: str) -> Literal["higher", "lower"]:
    """Which way a metric of the method is better."""
    return "lower" if metric in getattr(method, "ERRORS", ()) else "higher"


def learns_glosses(method: Method) -> bool:
    """Whether what is learnt of a sample is its glosses."""
    return getattr(method, "TARGET", "text") == "glosses"


def needs_glosses(config: Any) -> bool:
    """Whether a method's settings ask for the samples' glosses beside their texts."""
    return bool(getattr(config, "needs_glosses", False))


def method_named(name: str) -> Method:
    """The module of a method. Raises UsageError for an unknown name."""
    if name == "posestitch":
        from signloom.methods import posestitch

        return posestitch  # type: ignore[return-value]
    if name == "isolated":
        from signloom.methods import isolated

        return isolated  # type: ignore[return-value]
    if name == "unified":
        from signloom.methods import unified

        return unified  # type: ignore[return-value]
    if name == "autosign":
        from signloom.methods import autosign

        return autosign  # type: ignore[return-value]
    if name == "ctc":
        from signloom.methods import ctc

        return ctc  # type: ignore[return-value]
    if name == "semtext":
        from signloom.methods import semtext

        return semtext  # type: ignore[return-value]
    if name == "motion-vq":
        from signloom.methods import motion_tokens

        return motion_tokens  # type: ignore[return-value]
    if name == "lslm":
        from signloom.methods import lslm

        return lslm  # type: ignore[return-value]
    raise UsageError(
        f"there is no method '{name}'{nearest(name, METHODS)}; it is one of {', '.join(METHODS)}"
    )
